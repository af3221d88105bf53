// SPDX-License-Identifier: GPL-3.0-or-later
//
// Recording and replaying: two masters of a job on the host in memory are recorded, and each
// recording leads a new job through the same updates. Recordings that are cut short or changed are
// refused, with the place; nothing in them is believed.
#include "recovery/recorder.h"
#include "tests/testing/support_engine.h"

struct tape {
    uint8_t *bytes;
    size_t size;
    size_t fails_at; // the callback reports an error from this size on; 0: never
};

static int tape_write(void *context, const void *bytes, size_t size)
{
    struct tape *tape = context;

    if (tape->fails_at > 0 && tape->size + size > tape->fails_at) {
        return RECOUP_ENOSPC;
    }
    tape->bytes = realloc(tape->bytes, tape->size + size);
    assert_non_null(tape->bytes);
    memcpy(tape->bytes + tape->size, bytes, size);
    tape->size += size;
    return 0;
}

static int recorded_step(struct engine *engine, const struct recoup_event *event,
                         struct recoup_update *update)
{
    return recoup_recorder_step(engine->context, engine->job, engine->now_ns, event, update);
}

static void record_with(struct engine *engine, struct recoup_recorder *recorder, struct tape *tape)
{
    struct recoup_config config = {.graph = &engine->graph,
                                   .options = &engine->options,
                                   .storage = engine->storage,
                                   .allocator = engine_allocator(),
                                   .limits = engine->limits};

    assert_int_equal(recoup_recorder_init(recorder, &config, tape_write, tape), 0);
    engine->step = recorded_step;
    engine->context = recorder;
}

struct world {
    struct recoup_testing_host *host;
    struct cluster cluster;
    struct engine engine;
    struct recoup_recorder recorder;
};

// One master, recorded; `die_at` as in struct engine.
static void run_master(struct world *world, struct tape *tape, uint64_t epoch, uint64_t die_at)
{
    struct recoup_graph graph = graph_sources();
    enum recoup_profile profile = RECOUP_PROFILE_HARDENED;

    engine_init(&world->engine, world->host, &world->cluster, &graph, profile);
    world->engine.payload_bytes = 33;
    world->engine.fail_once = true;
    world->engine.die_at = die_at;
    record_with(&world->engine, &world->recorder, tape);
    engine_start(&world->engine, epoch);
    engine_run(&world->engine);
    if (!world->engine.dead) {
        engine_stop(&world->engine, true);
    }
}

static void end_master(struct world *world)
{
    recoup_recorder_release(&world->recorder);
    engine_destroy(&world->engine);
    recoup_testing_crash_worst(world->host, RECOUP_TESTING_POWER_LOSS);
}

static void world_init(struct world *world)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();

    memset(world, 0, sizeof *world);
    recoup_testing_device_init(&device, RECOUP_TESTING_DISK);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &world->host), 0);
}

// Replays to the end; the number of steps, and how it ended.
static uint64_t replay(const uint8_t *bytes, size_t size, struct recoup_replay *out,
                       uint8_t hash[16])
{
    struct recoup_allocator allocator = engine_allocator();
    struct recoup_replayer *replayer;
    uint64_t n = 0;
    int error = recoup_replayer_create(bytes, size, &allocator, &replayer, out);

    if (error != 0) {
        assert_null(replayer);
        assert_int_not_equal(out->verdict, RECOUP_REPLAY_STEPPED);
        return 0;
    }
    while (recoup_replayer_next(replayer, out)) {
        assert_int_equal(out->verdict, RECOUP_REPLAY_STEPPED);
        n++;
    }
    assert_false(recoup_replayer_next(replayer, out));
    if (hash != NULL) {
        recoup_state_hash(recoup_replayer_job(replayer), hash);
    }
    recoup_replayer_destroy(replayer);
    return n;
}

static void a_recorded_run_replays_with_identical_updates(void **state)
{
    struct world world;
    struct tape first = {.size = 0};
    struct tape second = {.size = 0};
    struct recoup_replay out;
    uint8_t hash[16];
    uint8_t wanted[16];

    (void)state;
    world_init(&world);
    run_master(&world, &first, 1, 21);
    assert_true(world.engine.dead);
    recoup_state_hash(world.engine.job, wanted);
    assert_u64(replay(first.bytes, first.size, &out, hash), world.recorder.steps);
    assert_int_equal(out.verdict, RECOUP_REPLAY_END);
    assert_memory_equal(hash, wanted, 16);
    end_master(&world);

    run_master(&world, &second, 2, UINT64_MAX);
    assert_true(world.engine.from_log);
    recoup_state_hash(world.engine.job, wanted);
    assert_u64(replay(second.bytes, second.size, &out, hash), world.recorder.steps);
    assert_int_equal(out.verdict, RECOUP_REPLAY_END);
    assert_u64(out.offset, second.size);
    assert_memory_equal(hash, wanted, 16);
    print_message("  %" PRIu64 " steps in %zu bytes\n", world.recorder.steps, second.size);
    end_master(&world);
    recoup_testing_host_destroy(world.host);
    free(first.bytes);
    free(second.bytes);
}

static struct tape short_tape(void)
{
    struct world world;
    struct tape tape = {.size = 0};

    world_init(&world);
    run_master(&world, &tape, 1, 8);
    end_master(&world);
    recoup_testing_host_destroy(world.host);
    return tape;
}

// Wherever it is cut, the whole entries before replay, and the end is told from a cut.
static void every_cut_is_told_with_its_place(void **state)
{
    struct tape tape = short_tape();
    struct recoup_replay out;
    uint64_t before = 0;
    uint64_t ends = 0;

    (void)state;
    for (size_t size = 0; size <= tape.size; size++) {
        uint8_t *copy = malloc(size + 1); // exact, so that a read beyond it is found
        uint64_t n;

        assert_non_null(copy);
        memcpy(copy, tape.bytes, size);
        n = replay(copy, size, &out, NULL);
        assert_true(n >= before || out.verdict == RECOUP_REPLAY_TRUNCATED);
        assert_true(out.verdict == RECOUP_REPLAY_TRUNCATED || out.verdict == RECOUP_REPLAY_END);
        assert_true(out.offset <= size);
        ends += out.verdict == RECOUP_REPLAY_END ? 1 : 0;
        before = n > before ? n : before;
        free(copy);
    }
    // Behind the configuration, behind each event and behind each result.
    assert_u64(ends, 1 + 2 * before);
    free(tape.bytes);
}

// Every bit of the recording counts.
static void every_changed_bit_is_refused(void **state)
{
    struct tape tape = short_tape();
    struct recoup_replay out;

    (void)state;
    for (size_t i = 0; i < tape.size * 8; i++) {
        tape.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)replay(tape.bytes, tape.size, &out, NULL);
        assert_true(out.verdict == RECOUP_REPLAY_DAMAGED ||
                    out.verdict == RECOUP_REPLAY_TRUNCATED || out.verdict == RECOUP_REPLAY_VERSION);
        assert_true(out.offset <= i / 8);
        tape.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    (void)replay(tape.bytes, tape.size, &out, NULL);
    assert_int_equal(out.verdict, RECOUP_REPLAY_END);
    free(tape.bytes);
}

// A job that does something else than the recorded one: the first step that differs is named.
static void another_behaviour_is_found(void **state)
{
    struct world world;
    struct tape tape = {.size = 0};
    struct recoup_graph graph = graph_lines();
    struct recoup_replay out;

    (void)state;
    world_init(&world);
    engine_init(&world.engine, world.host, &world.cluster, &graph, RECOUP_PROFILE_HARDENED);
    record_with(&world.engine, &world.recorder, &tape);
    world.engine.options.policy[RECOUP_POLICY_CHECKSUM] = 0; // the recording says 1
    engine_start(&world.engine, 1);
    engine_run(&world.engine);
    (void)replay(tape.bytes, tape.size, &out, NULL);
    assert_int_equal(out.verdict, RECOUP_REPLAY_DIVERGED);
    assert_true(out.step > 0 && out.step < world.recorder.steps);
    end_master(&world);
    recoup_testing_host_destroy(world.host);
    free(tape.bytes);
}

// Where the recording cannot go on, the job does; what was recorded replays.
static void a_full_disk_ends_the_recording_not_the_job(void **state)
{
    struct world world;
    struct tape tape = {.fails_at = 1500};
    struct recoup_replay out;

    (void)state;
    world_init(&world);
    run_master(&world, &tape, 1, UINT64_MAX);
    assert_true(engine_complete(&world.engine));
    assert_int_equal(world.recorder.error, RECOUP_ENOSPC);
    assert_u64(replay(tape.bytes, tape.size, &out, NULL), world.recorder.steps);
    end_master(&world);
    recoup_testing_host_destroy(world.host);
    free(tape.bytes);
}

// --- every allocation fails once ----------------------------------------------------------------

struct scarce {
    uint64_t n;
    uint64_t fails;
};

static void *scarce_allocate(void *context, size_t size)
{
    struct scarce *scarce = context;

    return scarce->n++ == scarce->fails ? NULL : malloc(size);
}

static void scarce_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static void without_memory_nothing_is_lost(void **state)
{
    struct tape tape = short_tape();
    struct scarce scarce = {.n = 0};
    struct recoup_allocator allocator = {scarce_allocate, scarce_release, &scarce};
    uint64_t refused = 0;

    (void)state;
    for (;; scarce.fails++) {
        struct recoup_replayer *replayer;
        struct recoup_replay out;

        scarce.n = 0;
        if (recoup_replayer_create(tape.bytes, tape.size, &allocator, &replayer, &out) != 0) {
            assert_int_equal(out.verdict, RECOUP_REPLAY_NO_MEMORY);
            refused++;
            continue;
        }
        while (recoup_replayer_next(replayer, &out)) {
        }
        recoup_replayer_destroy(replayer);
        if (scarce.n <= scarce.fails) {
            assert_int_equal(out.verdict, RECOUP_REPLAY_END);
            break;
        }
        // A step without memory differs from the recorded one, or made up for it later.
        assert_true(out.verdict == RECOUP_REPLAY_DIVERGED || out.verdict == RECOUP_REPLAY_END ||
                    out.verdict == RECOUP_REPLAY_NO_MEMORY);
    }
    assert_true(refused > 3);
    free(tape.bytes);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_run_replays_with_identical_updates),
        cmocka_unit_test(every_cut_is_told_with_its_place),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(another_behaviour_is_found),
        cmocka_unit_test(a_full_disk_ends_the_recording_not_the_job),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };

    return check_main(argc, argv, "testing_recorder", tests);
}
