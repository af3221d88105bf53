// SPDX-License-Identifier: GPL-3.0-or-later
//
// One behaviour, two worlds. A simulated run with killed masters is recorded, step by step, by way
// of the linker (the masters do not know). The recording of each master then drives a new job
// outside the simulator: every update is the recorded one, and every I/O operation that the new job
// asks for is carried out on a host in memory and on real directories, with the result that the
// simulated file system had given. In the end the store's files are the same in all worlds, byte
// for byte.
#include "check.h"
#include "models/support_step.h"
#include "recovery/recorder.h"
#include "recovery/testing/crash.h"
#include "tests/conformance/support_real.h"

enum { LIVES_MAX = 8 };

struct tape {
    uint8_t *bytes;
    size_t size;
    struct recoup_recorder recorder;
    struct recoup_job *job;
};

// Of the test under way. The wrapped calls have no context to carry it.
static struct tape tapes[LIVES_MAX];
static unsigned n_tapes;
static bool recording;

static void *plain_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void plain_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static int tape_write(void *context, const void *bytes, size_t size)
{
    struct tape *tape = context;

    tape->bytes = realloc(tape->bytes, tape->size + size);
    assert_non_null(tape->bytes);
    memcpy(tape->bytes + tape->size, bytes, size);
    tape->size += size;
    return 0;
}

int __real_recoup_create(const struct recoup_config *config, struct recoup_job **job);
int __wrap_recoup_create(const struct recoup_config *config, struct recoup_job **job);
int __real_recoup_step(struct recoup_job *job, int64_t now_ns, const struct recoup_event *event,
                       struct recoup_update *update);
int __wrap_recoup_step(struct recoup_job *job, int64_t now_ns, const struct recoup_event *event,
                       struct recoup_update *update);

int __wrap_recoup_create(const struct recoup_config *config, struct recoup_job **job)
{
    int error = __real_recoup_create(config, job);

    if (error == 0 && recording) {
        struct recoup_config own = *config;
        struct tape *tape = &tapes[n_tapes];

        assert_true(n_tapes < LIVES_MAX);
        own.allocator = (struct recoup_allocator){plain_allocate, plain_release, NULL};
        assert_int_equal(recoup_recorder_init(&tape->recorder, &own, tape_write, tape), 0);
        tape->job = *job;
        n_tapes++;
    }
    return error;
}

int __wrap_recoup_step(struct recoup_job *job, int64_t now_ns, const struct recoup_event *event,
                       struct recoup_update *update)
{
    int error;

    if (!recording) {
        return __real_recoup_step(job, now_ns, event, update);
    }
    assert_true(n_tapes > 0);
    assert_ptr_equal(tapes[n_tapes - 1].job, job);
    recording = false; // the recorder itself steps, too
    error = recoup_recorder_step(&tapes[n_tapes - 1].recorder, job, now_ns, event, update);
    recording = true;
    return error;
}

// --- worlds -------------------------------------------------------------------------------------

struct worlds {
    struct recoup_testing_host *host;
#ifdef CONFORMANCE_REAL_HOST
    struct real_fs real[2];
#endif
    unsigned n_real;
    uint64_t operations;
};

static void check_result(const char *world, const struct recoup_action *action,
                         const struct recoup_event *wanted, const struct recoup_event *found)
{
    if (found->io.error != wanted->io.error || found->io.size != wanted->io.size ||
        found->io.n_names != wanted->io.n_names ||
        (wanted->io.size > 0 && memcmp(found->io.data, wanted->io.data, wanted->io.size) != 0)) {
        fail_msg("%s: operation %d on '%s' gave %s and %zu bytes, simulated: %s and %zu", world,
                 (int)action->type, action->io.file, recoup_error_name(found->io.error),
                 found->io.size, recoup_error_name(wanted->io.error), wanted->io.size);
    }
    for (uint32_t i = 0; i < wanted->io.n_names; i++) {
        bool there = false;

        for (uint32_t k = 0; k < found->io.n_names; k++) {
            there = there || strcmp(wanted->io.names[i], found->io.names[k]) == 0;
        }
        assert_true(there);
    }
}

static void perform(struct worlds *worlds, const struct recoup_action *action,
                    const struct recoup_event *wanted)
{
    struct recoup_event event;

    assert_int_equal(recoup_testing_perform(worlds->host, action, &event), 0);
    check_result("host in memory", action, wanted, &event);
#ifdef CONFORMANCE_REAL_HOST
    for (unsigned i = 0; i < worlds->n_real; i++) {
        real_perform(&worlds->real[i], action, &event);
        check_result("real host", action, wanted, &event);
    }
#endif
    worlds->operations++;
}

static void die(struct worlds *worlds)
{
    recoup_testing_crash_worst(worlds->host, RECOUP_TESTING_KILL);
#ifdef CONFORMANCE_REAL_HOST
    for (unsigned i = 0; i < worlds->n_real; i++) {
        real_reopen(&worlds->real[i], RECOUP_HOST_MACHINE_AT_SYNC);
    }
#endif
}

// Drives the recording of one master: an operation is carried out when its IO event comes (so one
// that was under way at the death is not), on the data that the new job gave.
static void replay_life(struct worlds *worlds, const struct tape *tape)
{
    struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};
    struct recoup_replayer *replayer;
    struct recoup_replay out;
    struct recoup_action pending = {.type = RECOUP_ACTION_STOPPED};
    uint8_t *data = NULL;

    assert_int_equal(recoup_replayer_create(tape->bytes, tape->size, &allocator, &replayer, &out),
                     0);
    while (recoup_replayer_next(replayer, &out)) {
        assert_true(out.checked);
        if (out.event->type == RECOUP_EVENT_IO) {
            assert_int_equal(out.event->io.operation, pending.io.operation);
            pending.io.data = data;
            perform(worlds, &pending, out.event);
        }
        for (uint32_t i = 0; i < out.update->n_actions; i++) {
            const struct recoup_action *action = &out.update->actions[i];

            if (action->type <= RECOUP_ACTION_REMOVE) {
                pending = *action;
            }
            if (action->type == RECOUP_ACTION_APPEND) {
                data = realloc(data, action->io.size);
                assert_non_null(data);
                memcpy(data, action->io.data, action->io.size);
            }
        }
    }
    if (out.verdict != RECOUP_REPLAY_END) {
        fail_msg("step %" PRIu64 " at %" PRIu64 ": %s", out.step, out.offset, out.text);
    }
    assert_u64(out.step, tape->recorder.steps);
    recoup_replayer_destroy(replayer);
    free(data);
}

static uint32_t memory_find(const struct worlds *worlds, const char *name)
{
    uint32_t n = recoup_testing_file_count(worlds->host);

    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(recoup_testing_file_name(worlds->host, i), name) == 0) {
            return i;
        }
    }
    fail_msg("no file %s in memory", name);
    return n;
}

// Every file of the simulated store is in every world, byte for byte, and there is no other.
static void compare(struct worlds *worlds, const struct model_world *w)
{
    uint32_t n = storage_file_count(w);
    uint64_t bytes = 0;

    assert_true(n > 0);
    assert_u64(recoup_testing_file_count(worlds->host), n);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = storage_file_name(w, i);
        size_t size = (size_t)storage_file_size(w, i);
        uint8_t *wanted = malloc(size + 1);
        uint64_t found_size;
        const uint8_t *found =
            recoup_testing_file_bytes(worlds->host, memory_find(worlds, name), &found_size);

        assert_non_null(wanted);
        assert_u64(storage_file_read(w, i, 0, wanted, size), size);
        assert_u64(found_size, size);
        assert_memory_equal(found, wanted, size);
#ifdef CONFORMANCE_REAL_HOST
        for (unsigned k = 0; k < worlds->n_real; k++) {
            struct recoup_action action = {.type = RECOUP_ACTION_READ};
            struct recoup_event event;

            memcpy(action.io.file, name, strlen(name));
            action.io.size = size + 1;
            real_perform(&worlds->real[k], &action, &event);
            assert_int_equal(event.io.error, 0);
            assert_u64(event.io.size, size);
            assert_memory_equal(event.io.data, wanted, size);
        }
#endif
        bytes += size;
        free(wanted);
    }
    print_message("  %u masters, %" PRIu64 " operations, %u files of %" PRIu64
                  " bytes, the same in the simulator, in memory and in %u real directories\n",
                  n_tapes, worlds->operations, n, bytes, worlds->n_real);
}

static void worlds_init(struct worlds *worlds, enum recoup_testing_profile profile)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};

    memset(worlds, 0, sizeof *worlds);
    recoup_testing_device_init(&device, profile);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &worlds->host), 0);
#ifdef CONFORMANCE_REAL_HOST
    if (profile == RECOUP_TESTING_DISK) { // no real object store, no servers here
        for (const char *const *base = real_bases(); *base != NULL && worlds->n_real < 2; base++) {
            real_init(&worlds->real[worlds->n_real++], *base, RECOUP_HOST_MACHINE_AT_SYNC);
        }
    }
#endif
}

static void worlds_release(struct worlds *worlds)
{
    recoup_testing_host_destroy(worlds->host);
#ifdef CONFORMANCE_REAL_HOST
    for (unsigned i = 0; i < worlds->n_real; i++) {
        real_release(&worlds->real[i]);
    }
#endif
    for (unsigned i = 0; i < n_tapes; i++) {
        recoup_recorder_release(&tapes[i].recorder);
        free(tapes[i].bytes);
    }
    memset(tapes, 0, sizeof tapes);
    n_tapes = 0;
}

// A job of three stages with a source, whose master is killed three times.
static void two_worlds(enum recoup_profile profile, enum model_storage_kind kind,
                       enum recoup_durable_at durable_at, enum recoup_testing_profile memory)
{
    struct model_test *t = calloc(1, sizeof *t);
    struct step_run *run = calloc(1, sizeof *run);
    struct worlds worlds;

    assert_true(t != NULL && run != NULL);
    world_of(t, 4, 2);
    t->config.profile = profile;
    recoup_options_init(&t->config.options, profile);
    t->config.options.recovery_enabled = true;
    t->config.storage.kind = kind;
    t->config.storage.durable_at = durable_at;
    uint32_t scan = stage(t, "scan", 16, exponential(3 * SECOND));
    source(t, scan, 64, true);
    uint32_t join = stage(t, "join", 12, exponential(2 * SECOND));
    reads(t, join, scan, RECOUP_ALL_TO_ALL);
    reads(t, stage(t, "sink", 12, constant(20 * SECOND)), join, RECOUP_POINTWISE);
    kill_master_at(t, 4 * SECOND);
    kill_master_at(t, 5 * SECOND + 700 * MILLI);
    kill_master_at(t, 12 * SECOND + 1);
    recording = true;
    step_begin(run, t);
    step_until(run, 26 * SECOND);
    recording = false;
    assert_false(run->w->ended);
    // The one who still leads dies now, so that no byte is only his.
    storage_client_died(run->w, run->w->master.incarnation);
    assert_true(n_tapes >= 3);
    worlds_init(&worlds, memory);
    for (unsigned i = 0; i < n_tapes; i++) {
        replay_life(&worlds, &tapes[i]);
        die(&worlds);
    }
    compare(&worlds, run->w);
    worlds_release(&worlds);
    step_end(run);
    world_drop(t);
    free(run);
    free(t);
}

static void on_a_local_disk(void **state)
{
    (void)state;
    two_worlds(RECOUP_PROFILE_HARDENED, MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC,
               RECOUP_TESTING_DISK);
    two_worlds(RECOUP_PROFILE_FLINK_1_20, MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC,
               RECOUP_TESTING_DISK);
}

static void on_servers_and_in_an_object_store(void **state)
{
    (void)state;
    two_worlds(RECOUP_PROFILE_HARDENED, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH,
               RECOUP_TESTING_SERVERS);
    two_worlds(RECOUP_PROFILE_FLINK_1_20, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH,
               RECOUP_TESTING_SERVERS);
    two_worlds(RECOUP_PROFILE_HARDENED, MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE,
               RECOUP_TESTING_OBJECTS);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_local_disk),
        cmocka_unit_test(on_servers_and_in_an_object_store),
    };

    return check_main(argc, argv, "conformance_two_worlds", tests);
}
