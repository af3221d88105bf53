// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole incarnations in virtual time, as stories: what the library tells its master, line by line.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

// Upstream's graph: source (5 subtasks, a coordinator) -> point-wise -> middle (5) -> all-to-all ->
// sink.
static const struct recoup_stage_spec stages[] = {
    {.parallelism = 5}, {.parallelism = 5}, {.parallelism_max = 8}};
static const struct recoup_edge_spec edges[] = {
    {.producer = 0, .consumer = 1, .exchange = RECOUP_POINTWISE},
    {.producer = 1, .consumer = 2, .exchange = RECOUP_ALL_TO_ALL}};
static const struct recoup_coordinator_spec source_coordinator[] = {
    {.stage = 0, .batch_snapshot = true}};
static const struct recoup_coordinator_spec middle_unsupported[] = {
    {.stage = 0, .batch_snapshot = true}, {.stage = 1, .batch_snapshot = false}};
static const struct recoup_coordinator_spec source_unsupported[] = {
    {.stage = 0, .batch_snapshot = true}, {.stage = 0, .batch_snapshot = false}};

static struct recoup_graph make_graph(const struct recoup_coordinator_spec *coordinators,
                                      uint32_t n)
{
    return (struct recoup_graph){.digest = {1, 2, 3},
                                 .n_stages = 3,
                                 .stages = stages,
                                 .n_edges = 2,
                                 .edges = edges,
                                 .n_coordinators = n,
                                 .coordinators = coordinators};
}

struct world {
    struct disk disk;
    struct master master;
    struct recoup_partition held[MASTER_LIST_MAX];
    unsigned n_held;
};

static void open_world(struct world *world, const struct recoup_graph *graph,
                       enum recoup_profile profile)
{
    memset(world, 0, sizeof *world);
    disk_init(&world->disk);
    master_init(&world->master, &world->disk, graph, profile);
    assert_int_equal(master_start(&world->master, 1), 0);
    assert_true(world->master.recovered);
    assert_int_equal(world->master.kind, RECOUP_RECOVERED_NOTHING);
    assert_int_equal(master_initialize(&world->master, 0, 5), 0);
    assert_int_equal(master_initialize(&world->master, 1, 5), 0);
}

static void close_world(struct world *world)
{
    if (world->master.job != NULL) {
        master_crash(&world->master);
    }
    assert_int_equal(world->master.bytes, 0);
    disk_release(&world->disk);
}

static void finish_stage(struct world *world, uint32_t stage, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(master_finish(&world->master, stage, i), 0);
    }
}

// Remembers what the workers hold, lets the master die once everything is flushed, starts the next
// one.
static void fail_over(struct world *world, uint64_t epoch)
{
    master_advance(&world->master, world->master.now_ns + 2 * SECOND);
    world->n_held = master_partitions(&world->master, world->held);
    master_restart(&world->master, epoch);
}

static void report_all(struct world *world)
{
    for (uint32_t worker = 0; worker < 4; worker++) {
        assert_int_equal(master_report(&world->master, worker, world->held, world->n_held), 0);
    }
}

// Recovery disabled: no I/O, ever.
static void DisabledDoesNothing(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    memset(&world, 0, sizeof world);
    master_init(&world.master, &world.disk, &graph, RECOUP_PROFILE_HARDENED);
    world.master.options.recovery_enabled = false;
    assert_int_equal(master_start(&world.master, 1), 0);
    assert_string_equal(world.master.trace, "recovered nothing\n");
    assert_int_equal(master_initialize(&world.master, 0, 5), 0);
    assert_int_equal(master_initialize(&world.master, 1, 5), 0);
    finish_stage(&world, 0, 5);
    finish_stage(&world, 1, 1);
    assert_int_equal(world.master.operations, 0);
    assert_int_equal(recoup_deadline(world.master.job), RECOUP_NEVER);
    assert_string_equal(world.master.trace, "recovered nothing\nrelease 0.0@0\n");
    close_world(&world);
}

// C5.1: sources finished, middles running, everything reported.
static void C5_1_RecoverFromFailover(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    finish_stage(&world, 0, 5);
    uint64_t attempt = master_attempt(&world.master, 0, 3);
    fail_over(&world, 2);
    assert_string_equal(world.master.trace, "ask on\n"
                                            "initialize 0 x5\n"
                                            "initialize 1 x5\n"
                                            "finished 0.0+5\n"
                                            "restore 0 '0:1/2'\n"
                                            "restore -1 '-1:1/2'\n");
    assert_int_equal(recoup_phase(world.master.job), RECOUP_PHASE_WAITING);
    master_clear_trace(&world.master);
    report_all(&world);
    assert_string_equal(world.master.trace, "ask off\n"
                                            "track 0.0@0 0.1@1 0.2@2 0.3@3 0.4@0\n"
                                            "recovered log\n");
    assert_int_equal(master_attempt(&world.master, 0, 3), attempt);
    assert_false(master_finished(&world.master, 1, 0));
    assert_false(world.master.initialize_possible); // H24: Flink does not look
    assert_false(world.master.check_completion);
    close_world(&world);
}

// C5.2: an unsupporting coordinator on the half finished middle stage; a source partition is lost.
static void C5_2_UnfinishedStageOfUnsupportingCoordinator(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(middle_unsupported, 2);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    world.master.options.snapshot_min_pause_ns = 0;
    master_restart(&world.master, 2); // the option counts from here
    assert_int_equal(master_initialize(&world.master, 0, 5), 0);
    assert_int_equal(master_initialize(&world.master, 1, 5), 0);
    finish_stage(&world, 0, 5);
    world.n_held = master_partitions(&world.master, world.held);
    finish_stage(&world, 1, 1);
    master_advance(&world.master, world.master.now_ns + 2 * SECOND);
    master_restart(&world.master, 3);
    assert_non_null(strstr(world.master.trace, "finished 1.0+1\n"));
    assert_non_null(strstr(world.master.trace, "reset 1.0+5:coordinator\n"));
    master_clear_trace(&world.master);
    world.held[0].worker = 99; // source 0's partition is nowhere
    report_all(&world);
    assert_int_equal(recoup_phase(world.master.job), RECOUP_PHASE_WAITING);
    master_advance(&world.master, world.master.now_ns + 31 * SECOND);
    assert_string_equal(world.master.trace, "ask off\n"
                                            "track 0.1@1 0.2@2 0.3@3 0.4@0\n"
                                            "reset 0.0+1:missing\n"
                                            "recovered log\n");
    assert_false(master_finished(&world.master, 0, 0));
    assert_true(master_finished(&world.master, 0, 1));
    assert_false(master_finished(&world.master, 1, 0));
    close_world(&world);
}

// C5.3: a finished stage with an unsupporting coordinator is left alone, until one of it restarts
// (B17).
static void C5_3_TimeBomb(void **state)
{
    (void)state;
    for (int profile = 0; profile < 2; profile++) {
        struct recoup_graph graph = make_graph(source_unsupported, 2);
        struct world world;
        open_world(&world, &graph, (enum recoup_profile)profile);
        finish_stage(&world, 0, 5);
        fail_over(&world, 2);
        report_all(&world);
        assert_true(world.master.recovered);
        for (uint32_t i = 0; i < 5; i++) {
            assert_true(master_finished(&world.master, 0, i));
        }
        master_clear_trace(&world.master);
        assert_int_equal(master_lose_partition(&world.master, 0, 0), 0);
        bool fixpoint = profile == RECOUP_PROFILE_HARDENED;
        assert_string_equal(world.master.trace,
                            fixpoint ? "reset confirm 0.0+1:missing 0.1+4:coordinator "
                                       "1.0+5:downstream\nrelease 0.1@1 0.2@2 0.3@3 0.4@0\n"
                                     : "reset confirm 0.0+1:missing 0.1+4:coordinator "
                                       "1.0+1:downstream\nrelease 0.1@1 0.2@2 0.3@3 0.4@0\n");
        // Only once: the coordinator knows its splits again.
        finish_stage(&world, 0, 5);
        master_clear_trace(&world.master);
        assert_int_equal(master_lose_partition(&world.master, 0, 1), 0);
        assert_string_equal(world.master.trace, "reset confirm 0.1+1:missing 1.1+1:downstream\n");
        close_world(&world);
    }
}

// C5.4: one partition is not reported; only its producer runs again.
static void C5_4_PartitionUnavailable(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    finish_stage(&world, 0, 5);
    fail_over(&world, 2);
    world.held[0].worker = 99;
    report_all(&world);
    master_clear_trace(&world.master);
    int64_t end = 2 * SECOND + 30 * SECOND;
    assert_int_equal(recoup_deadline(world.master.job) <= end, 1);
    master_advance(&world.master, end - 1);
    assert_false(world.master.recovered);
    master_advance(&world.master, end);
    assert_string_equal(world.master.trace, "ask off\n"
                                            "track 0.1@1 0.2@2 0.3@3 0.4@0\n"
                                            "reset 0.0+1:missing\n"
                                            "recovered log\n");
    close_world(&world);
}

// C5.5: everything is finished; the sink's parallelism comes from the log.
static void C5_5_EverythingFinished(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    finish_stage(&world, 0, 5);
    finish_stage(&world, 1, 5);
    assert_int_equal(master_initialize(&world.master, 2, 2), 0);
    finish_stage(&world, 2, 2);
    uint8_t before[16];
    master_hash(&world.master, before);
    fail_over(&world, 2);
    assert_true(world.master.recovered); // nothing is needed, so nothing is waited for (B21)
    struct recoup_stage sink;
    recoup_stage(world.master.job, 2, &sink);
    assert_int_equal(sink.parallelism, 2);
    assert_int_equal(sink.finished, 2);
    uint8_t after[16];
    master_hash(&world.master, after);
    assert_memory_equal(before, after, 16);
    close_world(&world);
}

// C5.6: after the failover, partitions are found missing twice.
static void C5_6_PartitionNotFoundTwice(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    finish_stage(&world, 0, 5);
    fail_over(&world, 2);
    report_all(&world);
    for (uint32_t i = 0; i < 2; i++) {
        master_clear_trace(&world.master);
        assert_int_equal(master_lose_partition(&world.master, 0, i), 0);
        char expected[128];
        snprintf(expected, sizeof expected, "reset confirm 0.%u+1:missing 1.%u+1:downstream\n", i,
                 i);
        assert_string_equal(world.master.trace, expected);
        assert_int_equal(master_finish(&world.master, 0, i), 0);
    }
    close_world(&world);
}

// C5.7: the log cannot be read; Flink throws it away.
static void C5_7_ReplayFails(void **state)
{
    (void)state;
    struct recoup_graph graph = make_graph(source_coordinator, 1);
    struct world world;
    open_world(&world, &graph, RECOUP_PROFILE_FLINK_1_20);
    finish_stage(&world, 0, 5);
    master_crash(&world.master);
    assert_true(world.disk.n > 0);
    world.disk.files[0].data[3] = 77; // no such type of record
    master_restart(&world.master, 2);
    assert_string_equal(world.master.trace, "ask on\nask off\nrecovery failed RECOUP_EVERSION\n");
    assert_int_equal(world.disk.n, 0);
    assert_int_equal(world.master.n_ended, 1);
    assert_int_equal(recoup_phase(world.master.job), RECOUP_PHASE_RUNNING);
    assert_false(master_finished(&world.master, 0, 0));
    assert_int_equal(master_initialize(&world.master, 0, 5), 0);
    assert_int_equal(master_finish(&world.master, 0, 0), 0);
    master_advance(&world.master, world.master.now_ns + 2 * SECOND);
    assert_true(world.disk.n > 0);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(DisabledDoesNothing),
        cmocka_unit_test(C5_1_RecoverFromFailover),
        cmocka_unit_test(C5_2_UnfinishedStageOfUnsupportingCoordinator),
        cmocka_unit_test(C5_3_TimeBomb),
        cmocka_unit_test(C5_4_PartitionUnavailable),
        cmocka_unit_test(C5_5_EverythingFinished),
        cmocka_unit_test(C5_6_PartitionNotFoundTwice),
        cmocka_unit_test(C5_7_ReplayFails),
    };
    return cmocka_run_group_tests_name("job incarnations", tests, NULL, NULL);
}
