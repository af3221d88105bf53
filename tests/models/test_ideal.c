// SPDX-License-Identifier: GPL-3.0-or-later
//
// Scenarios computed by hand, to the nanosecond, by the rules of "Ideal worlds" (contract, section
// 2).
#include "models/support_model.h"

#include "check.h"

static void OneStageTakesItsWaves(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 12, 8);
    stage(&t, "map", 1000, constant(10 * SECOND));
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.makespan_ns, 110 * SECOND); // ceil(1000 / 96) waves of 10 s
    assert_time_ns(t.result.busy_ns, 10000 * SECOND);
    assert_time_ns(t.result.lost_ns, 0);
    assert_u64(t.result.attempts, 1000);
    no_findings(&t);
    world_drop(&t);
}

static void chain(struct model_test *t, uint32_t waves)
{
    world_of(t, 2, 2);
    for (uint32_t i = 0; i < waves; i++) {
        uint32_t s = stage(t, "wave", 4, constant(10 * SECOND));
        if (i > 0)
            reads(t, s, s - 1, RECOUP_ALL_TO_ALL);
    }
    t->config.ha.detect = constant(5 * SECOND);
    t->config.master.start = constant(8 * SECOND);
}

// A crash at 25 s is inside wave 3; the waves before it are kept. The new master starts at 25 + 5 +
// 8 = 38 s.
static void ChainLosesOnlyTheRunningWave(void **state)
{
    struct model_test t;

    (void)state;
    chain(&t, 5);
    kill_master_at(&t, 25 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.faultless_ns, 50 * SECOND);
    assert_time_ns(t.result.makespan_ns, 68 * SECOND);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 4 * 5 * SECOND);
    assert_time_ns(t.result.lost_ns, 20 * SECOND);
    assert_u64(t.result.n_failovers, 1);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_DETECT], 5 * SECOND);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_START], 8 * SECOND);
    assert_time_ns(t.result.failovers[0].outage_ns, 13 * SECOND);
    assert_u64(t.result.failovers[0].finished_recovered, 8);
    assert_u64(t.result.finished_forgotten, 0);
    assert_time_ns(t.result.orphaned_ns, 4 * 5 * SECOND); // until the workers are told, 5 s later
    no_findings(&t);
    world_drop(&t);
}

static void ChainStartsOverWithoutRecovery(void **state)
{
    struct model_test t;

    (void)state;
    chain(&t, 5);
    t.config.options.recovery_enabled = false;
    t.config.worker_policy.recovery_enabled = false;
    kill_master_at(&t, 25 * SECOND);
    run(&t);
    assert_time_ns(t.result.makespan_ns, 88 * SECOND);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RECOVERY_DISABLED), 80 * SECOND);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 20 * SECOND);
    assert_u64(t.result.finished_forgotten, 8);
    assert_u64(t.result.tasks_rerun, 8);
    assert_u64(t.result.io.events, 0);
    assert_time_ns(t.result.recording_ns, 0);
    assert_time_ns(t.result.unprotected_ns, 75 * SECOND); // all but the outage
    no_findings(&t);
    world_drop(&t);
}

// One slot, ten subtasks of 300 ms, a flush at each whole second, a crash at 1,550 ms: the finishes
// at 300, 600 and
// 900 ms are in the flush of 1 s, those of 1,200 and 1,500 ms are not; 50 ms of the sixth are lost.
static void ExactlyTheEventsSinceTheFlushAreLost(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 10, constant(300 * MILLI));
    kill_master_at(&t, 1550 * MILLI);
    run(&t);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_NOT_RECORDED), 600 * MILLI);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 2);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 50 * MILLI);
    assert_time_ns(t.result.makespan_ns, (1550 + 7 * 300) * MILLI);
    assert_u64(t.result.failovers[0].finished_recovered, 3);
    assert_u64(t.result.failovers[0].finished_forgotten, 2);
    no_findings(&t);
    world_drop(&t);
}

// A finish at a flush's instant is in that flush; a fault there comes before it.
static void AFinishAtTheFlushIsInIt(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 5, constant(500 * MILLI));
    kill_master_at(&t, 1000 * MILLI + 1);
    run(&t);
    assert_u64(t.result.failovers[0].finished_recovered, 2);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 0);
    world_drop(&t);

    world_of(&t, 1, 1);
    stage(&t, "only", 5, constant(500 * MILLI));
    kill_master_at(&t, 1000 * MILLI);
    run(&t);
    assert_u64(t.result.failovers[0].finished_recovered, 0);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 1); // the one of 500 ms
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 500 * MILLI);
    world_drop(&t);
}

// min-pause 1 s: recovery points at the finishes of 300 ms (the first) and 1,500 ms (the first at
// least 1 s later). The crash at 2,200 ms finds the flush of 2 s: 1,800 ms is on disk but after the
// last recovery point, 2,100 is not.
static void TheTrimDropsWhatFollowsTheRecoveryPoint(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    t.config.options.snapshot_min_pause_ns = SECOND;
    stage(&t, "only", 10, constant(300 * MILLI));
    kill_master_at(&t, 2200 * MILLI);
    run(&t);
    assert_u64(t.result.failovers[0].finished_recovered, 5);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_SNAPSHOTTED), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 1);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 100 * MILLI);
    assert_time_ns(t.result.makespan_ns, (2200 + 5 * 300) * MILLI);
    no_findings(&t);
    world_drop(&t);
}

static void map_reduce(struct model_test *t)
{
    world_of(t, 2, 2);
    uint32_t map = stage(t, "map", 4, constant(10 * SECOND));
    uint32_t reduce = stage(t, "reduce", 4, constant(10 * SECOND));
    reads(t, reduce, map, RECOUP_ALL_TO_ALL);
}

// Both workers report 3 s after the new master's start; then the wait is over.
static void TheWaitEndsWithTheLastReport(void **state)
{
    struct model_test t;

    (void)state;
    map_reduce(&t);
    t.config.cluster.reconnect = constant(3 * SECOND);
    t.config.cluster.reconnect_given = true;
    kill_master_at(&t, 12 * SECOND);
    run(&t);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS], 3 * SECOND);
    assert_time_ns(t.result.makespan_ns, 25 * SECOND);
    assert_u64(t.result.finished_forgotten, 0);
    assert_time_ns(t.result.lost_ns, 4 * 2 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// A report exactly at the timeout is in time.
static void AReportAtTheTimeoutIsInTime(void **state)
{
    struct model_test t;

    (void)state;
    map_reduce(&t);
    t.config.cluster.reconnect = constant(30 * SECOND);
    t.config.cluster.reconnect_given = true;
    kill_master_at(&t, 12 * SECOND);
    run(&t);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS], 30 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 0);
    assert_time_ns(t.result.makespan_ns, 52 * SECOND);
    world_drop(&t);
}

// Worker 1 dies with the master and never comes back: the wait runs into its 30 s, and the two
// producers on it run again, on the two slots that are left (10 s), before the four consumers (2 x
// 10 s).
static void TheWaitRunsIntoItsTimeout(void **state)
{
    struct model_test t;

    (void)state;
    map_reduce(&t);
    kill_worker_at(&t, 1, 12 * SECOND);
    kill_master_at(&t, 12 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS], 30 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 2);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_PARTITION_LOST), 20 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_FAILURE), 2);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_RUNNING_AT_CRASH), 2);
    assert_time_ns(t.result.makespan_ns, (12 + 30 + 10 + 20) * SECOND);
    assert_u64(t.result.tasks_rerun, 2);
    no_findings(&t);
    world_drop(&t);
}

// Workers that report too late still hold the data: worker-late, and all producers run again.
static void LateWorkersCostTheirProducers(void **state)
{
    struct model_test t;

    (void)state;
    map_reduce(&t);
    t.config.cluster.reconnect = constant(31 * SECOND);
    t.config.cluster.reconnect_given = true;
    kill_master_at(&t, 12 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 4);
    assert_time_ns(t.result.makespan_ns, (12 + 31 + 20) * SECOND);
    world_drop(&t);
}

static void source_job(struct model_test *t, bool batch_snapshot)
{
    world_of(t, 2, 2);
    uint32_t scan = stage(t, "scan", 8, constant(10 * SECOND));
    uint32_t sink = stage(t, "sink", 4, constant(10 * SECOND));
    source(t, scan, 80, batch_snapshot);
    reads(t, sink, scan, RECOUP_ALL_TO_ALL);
    kill_master_at(t, 15 * SECOND);
}

// Half of the source is done. With batch snapshots the first wave is kept; without, the whole stage
// runs again.
static void AHalfDoneSourceNeedsItsCoordinator(void **state)
{
    struct model_test t;

    (void)state;
    source_job(&t, true);
    run(&t);
    assert_time_ns(t.result.makespan_ns, (15 + 10 + 10) * SECOND);
    assert_u64(t.result.finished_forgotten, 0);
    no_findings(&t);
    world_drop(&t);

    source_job(&t, false);
    run(&t);
    assert_time_ns(t.result.makespan_ns, (15 + 20 + 10) * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_COORDINATOR_UNSUPPORTED), 4);
    no_findings(&t);
    world_drop(&t);
}

// 40 MiB in: an auto stage gets ceil(40 / 16) subtasks, and keeps them over a failover.
static void AutoParallelismFollowsTheBytes(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 2);
    uint32_t map = stage(&t, "map", 4, constant(10 * SECOND));
    uint32_t sum = stage(&t, "sum", 0, constant(10 * SECOND));
    t.stages[map].output = constant(INT64_C(10) << 20);
    reads(&t, sum, map, RECOUP_ALL_TO_ALL);
    kill_master_at(&t, 15 * SECOND);
    run(&t);
    assert_u64(t.result.stage_parallelism[sum], 3);
    assert_time_ns(t.result.makespan_ns, 25 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// 80 MiB, half of them from before the crash and recovered: the stage gets ceil(80 / 16) subtasks.
static void RecoveredBytesDecideParallelismToo(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 2);
    uint32_t map = stage(&t, "map", 8, constant(10 * SECOND));
    uint32_t sum = stage(&t, "sum", 0, constant(10 * SECOND));
    t.stages[map].output = constant(INT64_C(10) << 20);
    reads(&t, sum, map, RECOUP_ALL_TO_ALL);
    t.config.options.policy[RECOUP_POLICY_TRIM] = 1; // coordinator-stages
    kill_master_at(&t, 15 * SECOND);
    run(&t);
    assert_u64(t.result.finished_forgotten, 0);
    assert_u64(t.result.stage_parallelism[sum], 5);
    assert_time_ns(t.result.makespan_ns, (15 + 10 + 20) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// A task of a killed worker fails the job under Flink's batch default; with a restart strategy it
// runs again.
static void TheRestartStrategyDecides(void **state)
{
    struct model_test t;

    (void)state;
    map_reduce(&t);
    kill_worker_at(&t, 1, 5 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FAILED);
    assert_time_ns(t.result.lost_ns, t.result.busy_ns);
    world_drop(&t);

    map_reduce(&t);
    t.config.restart = (struct model_restart){.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10};
    kill_worker_at(&t, 1, 5 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_FAILURE), 2);
    no_findings(&t);
    world_drop(&t);
}

// Two tasks of 50 years, one after the other, outlive the clock of 73 years: no job ever finishes
// at its end. Side by side on four slots they fit the clock, but six of them not the sum of slot
// time.
static void TimeHasAnEnd(void **state)
{
    const int64_t years_ns = INT64_C(365) * 86400 * SECOND;
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    (void)stage(&t, "long", 2, constant(50 * years_ns));
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    assert_time_ns(t.result.makespan_ns, SIM_LAW_MAX);
    assert_true(t.result.busy_ns > 0);
    assert_time_ns(t.result.lost_ns, t.result.busy_ns);
    world_drop(&t);

    world_of(&t, 2, 3);
    (void)stage(&t, "wide", 6, constant(50 * years_ns));
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), SIM_ELIMIT);
    world_drop(&t);
}

// Also a limit far below the events between two looks at the clock holds.
static void TheLimitOfEventsIsExact(void **state)
{
    struct model_test t;

    (void)state;
    source_job(&t, true);
    t.config.events_max = 17;
    run(&t);
    assert_true(t.result.limited);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    assert_u64(t.result.events, 17);
    world_drop(&t);
}

static void ASecondRunHasTheSameFingerprint(void **state)
{
    struct model_test t;
    uint8_t first[16];

    (void)state;
    source_job(&t, true);
    run(&t);
    memcpy(first, t.result.fingerprint, sizeof(first));
    run(&t);
    assert_memory_equal(first, t.result.fingerprint, sizeof(first));
    assert_u64(t.result.system_allocations, 0);
    t.config.seed = 2;
    t.stages[0].duration = exponential(10 * SECOND);
    run(&t);
    assert_memory_not_equal(first, t.result.fingerprint, sizeof(first));
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(OneStageTakesItsWaves),
        cmocka_unit_test(ChainLosesOnlyTheRunningWave),
        cmocka_unit_test(ChainStartsOverWithoutRecovery),
        cmocka_unit_test(ExactlyTheEventsSinceTheFlushAreLost),
        cmocka_unit_test(AFinishAtTheFlushIsInIt),
        cmocka_unit_test(TheTrimDropsWhatFollowsTheRecoveryPoint),
        cmocka_unit_test(TheWaitEndsWithTheLastReport),
        cmocka_unit_test(AReportAtTheTimeoutIsInTime),
        cmocka_unit_test(TheWaitRunsIntoItsTimeout),
        cmocka_unit_test(LateWorkersCostTheirProducers),
        cmocka_unit_test(AHalfDoneSourceNeedsItsCoordinator),
        cmocka_unit_test(AutoParallelismFollowsTheBytes),
        cmocka_unit_test(RecoveredBytesDecideParallelismToo),
        cmocka_unit_test(TheRestartStrategyDecides),
        cmocka_unit_test(TimeHasAnEnd),
        cmocka_unit_test(TheLimitOfEventsIsExact),
        cmocka_unit_test(ASecondRunHasTheSameFingerprint),
    };

    return check_main(argc, argv, "models_ideal", tests);
}
