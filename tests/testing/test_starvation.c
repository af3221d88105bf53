// SPDX-License-Identifier: GPL-3.0-or-later
//
// A checkpoint comes to its end although recovery points follow each other without a pause: its
// boundary has to wait until the snapshots of those before it are here, and always another one is
// on its way. What comes out of it is recovered.
#include "tests/testing/support_engine.h"

enum { FIRST = 8, SECOND_STAGE = 120 };

static const struct recoup_stage_spec stages[] = {{.parallelism = FIRST},
                                                  {.parallelism = SECOND_STAGE}};
static const struct recoup_coordinator_spec coordinators[] = {{.stage = 0, .batch_snapshot = true},
                                                              {.stage = 1, .batch_snapshot = true}};

static struct recoup_graph busy_graph(void)
{
    return (struct recoup_graph){.digest = {4, 2},
                                 .n_stages = 2,
                                 .stages = stages,
                                 .n_coordinators = 2,
                                 .coordinators = coordinators};
}

static void initialize(struct engine *engine, uint32_t stage)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.stage = stage;
    event.stage_initialized.parallelism = stages[stage].parallelism;
    engine_event(engine, &event);
}

// A finish; what coordinators were asked for arrives when two more finishes have come, so that
// there is always some on its way as long as every finish asks.
static void finish_slowly(struct engine *engine, uint32_t subtask)
{
    uint32_t before = engine->n_asked;

    assert_true(engine_finish(engine, 1, subtask));
    if (engine->n_asked == before && before > 0) {
        engine_snapshot(engine);
    }
    while (engine->n_asked > 4) {
        engine_snapshot(engine);
    }
}

static void recovery_points_without_a_pause(void **state)
{
    struct recoup_testing_device device;
    struct recoup_testing_host *host;
    struct cluster cluster = {.n_held = 0};
    struct recoup_graph graph = busy_graph();
    struct recoup_allocator allocator = engine_allocator();
    struct engine engine, next;
    uint8_t before[16], after[16];
    uint32_t at_removal = 0;

    (void)state;
    recoup_testing_device_init(&device, RECOUP_TESTING_DISK);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &host), 0);
    engine_init(&engine, host, &cluster, &graph, RECOUP_PROFILE_HARDENED);
    engine.options.snapshot_min_pause_ns = 0; // each finish is a recovery point
    engine.payload_bytes = 10000;
    engine_start(&engine, 1);
    initialize(&engine, 0);
    initialize(&engine, 1);
    engine.hold_snapshots = true;
    for (uint32_t i = 0; i < FIRST; i++) {
        assert_true(engine_finish(&engine, 0, i)); // the last one begins the checkpoint
    }
    for (uint32_t i = 0; i < SECOND_STAGE - 1; i++) {
        finish_slowly(&engine, i);
        engine_advance(&engine, engine.now_ns + 10 * MILLISECOND);
        if (at_removal == 0 && recoup_testing_operations(host, RECOUP_ACTION_REMOVE) > 0) {
            at_removal = i + 1;
        }
    }
    print_message("older files were removed after %u further recovery points\n", at_removal);
    assert_true(at_removal > 0 && at_removal < 40);
    assert_false(engine.unprotected);
    engine.hold_snapshots = false;
    engine_finish(&engine, 1, SECOND_STAGE - 1);
    engine_advance(&engine, engine.now_ns + 5 * SECOND);
    recoup_state_hash(engine.job, before);
    engine_destroy(&engine);
    // Nothing of what was durable and covered is lost by it.
    engine_init(&next, host, &cluster, &graph, RECOUP_PROFILE_HARDENED);
    engine_start(&next, 2);
    assert_true(next.from_log);
    recoup_state_hash(next.job, after);
    assert_memory_equal(before, after, 16);
    engine_destroy(&next);
    recoup_testing_host_destroy(host);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(recovery_points_without_a_pause),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "starvation", tests);
}
