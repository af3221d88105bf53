// SPDX-License-Identifier: GPL-3.0-or-later
//
// One behaviour, two worlds. A simulated run with killed masters is recorded, step by step, by way
// of the linker (the masters do not know). The recording of each master then drives a new job
// outside the simulator: every update is the recorded one, and every I/O operation that the new job
// asks for is carried out on a host in memory and on real directories, with the result that the
// simulated file system had given. In the end the store's files are the same in all worlds, byte
// for byte.
//
// And not only in the end: before each operation of a simulated master the directory is looked at,
// and it is the same before the same operation everywhere. The job comes to its end, with the
// removal of its log; or its last master dies amid that, and the next one, a real one this time,
// finishes it in all worlds at once.
#include <xxhash.h>

#include "check.h"
#include "models/support_step.h"
#include "recovery/recorder.h"
#include "recovery/testing/crash.h"
#include "tests/conformance/support_real.h"

enum { LIVES_MAX = 8, LOOK_FILES_MAX = 64, LOOK_BYTES = 1 << 20 };

struct tape {
    uint8_t *bytes;
    size_t size;
    struct recoup_recorder recorder;
    struct recoup_job *job;
    uint64_t *looks; // the directory before each operation
    uint32_t n_looks;
};

// Of the test under way. The wrapped calls have no context to carry it.
static struct tape tapes[LIVES_MAX];
static unsigned n_tapes;
static bool recording;
static const struct step_run *watched;
static struct recoup_config last_config; // what it points to lives in the world
static struct recoup_graph last_graph;
static unsigned seen[RECOUP_ACTION_ADOPT_SUBTASKS + 1]; // actions, by type

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

// A hash of one file; those of a directory add up, in whatever order they are listed.
static uint64_t file_look(const char *name, const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(bytes, size, XXH3_64bits(name, strlen(name)));
}

static uint64_t simulated_look(const struct model_world *w)
{
    uint64_t look = 0;

    for (uint32_t i = 0; i < storage_file_count(w); i++) {
        size_t size = (size_t)storage_file_size(w, i);
        uint8_t *bytes = malloc(size + 1);

        assert_non_null(bytes);
        assert_u64(storage_file_read(w, i, 0, bytes, size), size);
        look += file_look(storage_file_name(w, i), bytes, size);
        free(bytes);
    }
    return look;
}

// What a master was told to do.
static void note_actions(struct tape *tape, const struct recoup_update *update)
{
    for (uint32_t i = 0; i < update->n_actions; i++) {
        seen[update->actions[i].type]++;
        if (update->actions[i].type <= RECOUP_ACTION_REMOVE) {
            tape->looks = realloc(tape->looks, (tape->n_looks + 1) * sizeof *tape->looks);
            assert_non_null(tape->looks);
            tape->looks[tape->n_looks++] = simulated_look(watched->w);
        }
    }
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
        last_config = *config;
        last_graph = *config->graph;
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
    note_actions(&tapes[n_tapes - 1], update);
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
    uint64_t looks;
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

// World 0 is the host in memory, the others are real directories.
static void perform_in(struct worlds *worlds, unsigned world, const struct recoup_action *action,
                       struct recoup_event *event)
{
#ifdef CONFORMANCE_REAL_HOST
    if (world > 0) {
        real_perform(&worlds->real[world - 1], action, event);
        return;
    }
#endif
    assert_int_equal(world, 0);
    assert_int_equal(recoup_testing_perform(worlds->host, action, event), 0);
}

// As another process finds the directory.
static uint64_t look_at(struct worlds *worlds, unsigned world)
{
    struct recoup_action action = {.type = RECOUP_ACTION_LIST};
    struct recoup_event event;
    char names[LOOK_FILES_MAX][32];
    uint32_t n;
    uint64_t look = 0;

    perform_in(worlds, world, &action, &event);
    n = event.io.n_names;
    assert_true(event.io.error == 0 || event.io.error == RECOUP_ENOENT);
    assert_true(n <= LOOK_FILES_MAX);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(strlen(event.io.names[i]) < sizeof names[i]);
        strcpy(names[i], event.io.names[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        action = (struct recoup_action){.type = RECOUP_ACTION_READ};
        strcpy(action.io.file, names[i]);
        action.io.size = LOOK_BYTES;
        perform_in(worlds, world, &action, &event);
        assert_int_equal(event.io.error, 0);
        assert_true(event.io.size < LOOK_BYTES);
        look += file_look(names[i], event.io.data, event.io.size);
    }
    return look;
}

// Every directory is what the simulated one was.
static void check_look(struct worlds *worlds, uint64_t wanted)
{
    for (unsigned world = 0; world <= worlds->n_real; world++) {
        assert_u64(look_at(worlds, world), wanted);
    }
    worlds->looks++;
}

// An error that no storage would give by itself was made by a fault: it strikes here, too.
static bool is_fault(int error)
{
    return error == RECOUP_EIO || error == RECOUP_ENOSPC;
}

static void perform(struct worlds *worlds, const struct recoup_action *action,
                    const struct recoup_event *wanted)
{
    struct recoup_testing_fault fault = {(uint32_t)action->type, 1, 0, wanted->io.error,
                                         RECOUP_TESTING_EFFECT_NONE};
    struct recoup_event event;

    recoup_testing_fail(worlds->host, is_fault(wanted->io.error) ? &fault : NULL);
    for (unsigned world = 0; world <= worlds->n_real; world++) {
        if (world > 0 && is_fault(wanted->io.error)) {
            continue; // what has no effect cannot be told from what was not done
        }
        perform_in(worlds, world, action, &event);
        check_result(world == 0 ? "host in memory" : "real host", action, wanted, &event);
    }
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
    uint32_t look = 0;

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
                assert_true(look < tape->n_looks);
                check_look(worlds, tape->looks[look++]);
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
    print_message("  %u masters, %" PRIu64 " operations, %" PRIu64 " looks, at the end %u files of "
                  "%" PRIu64 " bytes, the same in the simulator, in memory and in %u real "
                  "directories\n",
                  n_tapes, worlds->operations, worlds->looks, n, bytes, worlds->n_real);
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
        free(tapes[i].looks);
    }
    memset(tapes, 0, sizeof tapes);
    n_tapes = 0;
}

// --- the end of the job -------------------------------------------------------------------------

// The operation under way of the simulated store ends, and its master goes on.
static void complete(struct model_world *w)
{
    assert_true(w->storage.operation.busy);
    storage_complete(w, w->storage.operation.serial, w->storage.operation.incarnation);
}

// STOP (clear), to its end, or until the first removal is done.
static void stop_job(struct model_world *w, bool amid)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STOP};
    unsigned removals = seen[RECOUP_ACTION_REMOVE];

    event.stop.clear = true;
    w->master.terminating = true; // as with SIGTERM, but the log is to go
    w->master.running = false;
    master_step(w, &event);
    while (w->master.alive && !(amid && seen[RECOUP_ACTION_REMOVE] == removals + 2)) {
        complete(w);
    }
    assert_int_equal(w->master.alive, amid);
    assert_int_equal(seen[RECOUP_ACTION_STOPPED], amid ? 0 : 1);
}

// One operation of the last master, in the simulator; what it gave is that of `run`'s last trace.
static void perform_simulated(struct step_run *run, const struct recoup_action *action,
                              uint32_t client, struct recoup_event *event)
{
    struct model_world *w = run->w;
    uint64_t read = w->storage.replay_bytes;

    storage_issue(w, action, client);
    complete(w);
    *event = (struct recoup_event){.type = RECOUP_EVENT_IO};
    event->io.operation = action->io.operation;
    event->io.error = (int)run->traces[run->n_traces - 1].args[1];
    if (event->io.error == 0 && action->type == RECOUP_ACTION_READ) {
        event->io.size = (size_t)(w->storage.replay_bytes - read);
        event->io.data = w->storage.scratch;
    } else if (event->io.error == 0 && action->type == RECOUP_ACTION_LIST) {
        event->io.names = w->storage.names;
        event->io.n_names = w->storage.n_files;
    }
}

static bool find_operation(const struct recoup_update *update, struct recoup_action *operation)
{
    bool any = false;

    for (uint32_t i = 0; i < update->n_actions; i++) {
        seen[update->actions[i].type]++;
        if (update->actions[i].type <= RECOUP_ACTION_REMOVE) {
            *operation = update->actions[i];
            any = true;
        }
    }
    return any;
}

// A master that nobody simulates: every operation in all worlds, which give the same.
static void last_master(struct worlds *worlds, struct step_run *run)
{
    uint32_t epoch = run->w->master.incarnation + 1;
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct recoup_action operation;
    struct recoup_update update;
    struct recoup_job *job;
    int64_t now_ns = run->w->now_ns;

    last_config.graph = &last_graph;
    last_config.allocator = (struct recoup_allocator){plain_allocate, plain_release, NULL};
    assert_int_equal(__real_recoup_create(&last_config, &job), 0);
    event.start.epoch = epoch;
    assert_int_equal(__real_recoup_step(job, now_ns, &event, &update), 0);
    while (recoup_phase(job) != RECOUP_PHASE_STOPPED) {
        if (find_operation(&update, &operation)) {
            check_look(worlds, simulated_look(run->w));
            perform_simulated(run, &operation, epoch, &event);
            perform(worlds, &operation, &event);
        } else if (recoup_phase(job) == RECOUP_PHASE_RUNNING) {
            event = (struct recoup_event){.type = RECOUP_EVENT_STOP};
            event.stop.clear = true;
        } else {
            assert_true(recoup_deadline(job) != RECOUP_NEVER);
            now_ns = recoup_deadline(job);
            event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
        }
        assert_int_equal(__real_recoup_step(job, now_ns, &event, &update), 0);
    }
    (void)find_operation(&update, &operation);
    recoup_destroy(job);
}

// --- the job ------------------------------------------------------------------------------------

enum ending {
    GOES_ON,  // the log stays
    ENDS,     // its master removes it
    DIES_AMID // and dies; the next one removes the rest
};

struct case_of {
    enum recoup_profile profile;
    enum model_storage_kind kind;
    enum recoup_durable_at durable_at;
    enum recoup_testing_profile memory;
};

// Three stages with a source, a master that is killed three times, a write that fails.
static void set_up(struct model_test *t, const struct case_of *c)
{
    struct model_fault *f;
    uint32_t scan, join;

    world_of(t, 4, 2);
    t->config.profile = c->profile;
    recoup_options_init(&t->config.options, c->profile);
    t->config.options.recovery_enabled = true;
    t->config.storage.kind = c->kind;
    t->config.storage.durable_at = c->durable_at;
    scan = stage(t, "scan", 16, exponential(3 * SECOND));
    source(t, scan, 64, true);
    join = stage(t, "join", 12, exponential(2 * SECOND));
    reads(t, join, scan, RECOUP_ALL_TO_ALL);
    reads(t, stage(t, "sink", 12, constant(20 * SECOND)), join, RECOUP_POINTWISE);
    kill_master_at(t, 4 * SECOND);
    kill_master_at(t, 5 * SECOND + 700 * MILLI);
    kill_master_at(t, 12 * SECOND + 1);
    f = kill_master_at(t, 0);
    f->kind = MODEL_FAULT_STORE_ERROR;
    f->trigger = MODEL_TRIGGER_ON;
    f->op = MODEL_STORAGE_APPEND;
    f->nth = 9;
    f->moment = MODEL_MOMENT_BEFORE;
    f->error = RECOUP_EIO;
    f->count = 1;
}

static void check_end(const struct case_of *c, enum ending ending)
{
    bool hardened = c->profile == RECOUP_PROFILE_HARDENED;

    assert_true(seen[RECOUP_ACTION_PROTECTION_LOST] > 0);
    if (hardened) {
        assert_true(seen[RECOUP_ACTION_PROTECTION_RESTORED] > 0);
        assert_int_equal(seen[RECOUP_ACTION_JOB_ENDED], ending == DIES_AMID ? 1 : 0);
    }
    if (ending == GOES_ON) {
        assert_true(!hardened || seen[RECOUP_ACTION_REMOVE] > 0); // compaction
    } else {
        assert_int_equal(seen[RECOUP_ACTION_STOPPED], 1);
    }
}

static void two_worlds(const struct case_of *c, enum ending ending)
{
    struct model_test *t = calloc(1, sizeof *t);
    struct step_run *run = calloc(1, sizeof *run);
    struct worlds worlds;

    assert_true(t != NULL && run != NULL);
    memset(seen, 0, sizeof seen);
    set_up(t, c);
    recording = true;
    watched = run;
    step_begin(run, t);
    step_until(run, 26 * SECOND);
    assert_false(run->w->ended);
    if (ending != GOES_ON) {
        stop_job(run->w, ending == DIES_AMID);
    }
    recording = false;
    // The one who still leads dies now, so that no byte is only his.
    storage_client_died(run->w, run->w->master.incarnation);
    assert_true(n_tapes >= 3);
    worlds_init(&worlds, c->memory);
    for (unsigned i = 0; i < n_tapes; i++) {
        replay_life(&worlds, &tapes[i]);
        die(&worlds);
    }
    if (ending == DIES_AMID) {
        assert_true(storage_file_count(run->w) > 0);
        last_master(&worlds, run);
    }
    assert_int_equal(storage_file_count(run->w) > 0, ending == GOES_ON);
    compare(&worlds, run->w);
    check_end(c, ending);
    worlds_release(&worlds);
    step_end(run);
    world_drop(t);
    free(run);
    free(t);
}

static const struct case_of cases[] = {
    {RECOUP_PROFILE_HARDENED, MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC, RECOUP_TESTING_DISK},
    {RECOUP_PROFILE_FLINK_1_20, MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC, RECOUP_TESTING_DISK},
    {RECOUP_PROFILE_HARDENED, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH, RECOUP_TESTING_SERVERS},
    {RECOUP_PROFILE_FLINK_1_20, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH,
     RECOUP_TESTING_SERVERS},
    {RECOUP_PROFILE_HARDENED, MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE, RECOUP_TESTING_OBJECTS},
};

static void each_case(enum ending ending)
{
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        two_worlds(&cases[i], ending);
    }
}

static void the_job_goes_on(void **state)
{
    (void)state;
    each_case(GOES_ON);
}

static void the_job_ends(void **state)
{
    (void)state;
    each_case(ENDS);
}

static void its_master_dies_amid_the_end(void **state)
{
    (void)state;
    each_case(DIES_AMID);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_job_goes_on),
        cmocka_unit_test(the_job_ends),
        cmocka_unit_test(its_master_dies_amid_the_end),
    };

    return check_main(argc, argv, "conformance_two_worlds", tests);
}
