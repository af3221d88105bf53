// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rules of the contract (sections 2 and 3) in the corners where they are easily broken: nested
// failures, what is counted when, elections, orderly ends. Each world is small enough for its
// numbers to be computed by hand.
#include "models/support_model.h"

#include "check.h"

#define MIB (INT64_C(1) << 20)

// --- auto parallelism ----------------------------------------------------------------------------

// Four producers of 10 MiB, one after the other; the crash at 25 s finds two of them finished. The
// stage that is decided at 45 s reads all 40 MiB, whoever made them: ceil(40 / 16) = 3 subtasks.
static void RecoveredOutputCountsForAutoParallelism(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    uint32_t map = stage(&t, "map", 4, constant(10 * SECOND));
    uint32_t sum = stage(&t, "sum", 0, constant(10 * SECOND));
    t.stages[map].output = constant(10 * MIB);
    reads(&t, sum, map, RECOUP_ALL_TO_ALL);
    kill_master_at(&t, 25 * SECOND);
    run(&t);
    assert_u64(t.result.failovers[0].finished_recovered, 2);
    assert_u64(t.result.stage_parallelism[sum], 3);
    assert_time_ns(t.result.makespan_ns, (25 + 20 + 30) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// --- the flush timer -----------------------------------------------------------------------------

// Ticks at every whole second. The finish at 12 s comes after a long time without anything to
// flush, and is in the flush of 12 s all the same; the crash follows before that of 13 s.
static void AFinishAtAFlushAfterAQuietTimeIsInIt(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 3, constant(12 * SECOND));
    kill_master_at(&t, 12 * SECOND + 1);
    run(&t);
    assert_u64(t.result.failovers[0].finished_recovered, 1);
    assert_u64(t.result.finished_forgotten, 0);
    assert_time_ns(t.result.makespan_ns, 3 * 12 * SECOND + 1);
    no_findings(&t);
    world_drop(&t);
}

// --- orderly ends --------------------------------------------------------------------------------

static struct model_fault *terminate_master_at(struct model_test *t, int64_t at_ns, int64_t grace)
{
    struct model_fault *f = kill_master_at(t, at_ns);

    f->kind = MODEL_FAULT_TERMINATE;
    f->grace_ns = grace;
    return f;
}

// A close takes 20 s, so a master that is told to stop at 10 s is gone at 30 s, within its grace of
// 35 s. The next one is told at 35 s and has 60 s: the grace of the first, over at 45 s, is not its
// own.
static void AGraceEndsOnlyTheMasterItWasGivenTo(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 100, constant(SECOND));
    t.config.storage.latency[MODEL_STORAGE_CLOSE] = constant(20 * SECOND);
    terminate_master_at(&t, 10 * SECOND, 35 * SECOND);
    terminate_master_at(&t, 35 * SECOND, 60 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(t.result.n_failovers, 2);
    assert_time_ns(t.result.failovers[0].at_ns, 30 * SECOND);
    assert_time_ns(t.result.failovers[1].at_ns, 55 * SECOND);
    world_drop(&t);
}

// One that does not get done in its grace is killed at its end.
static void AnExpiredGraceIsAKill(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 100, constant(SECOND));
    t.config.storage.latency[MODEL_STORAGE_CLOSE] = constant(20 * SECOND);
    t.config.ha.detect = constant(7 * SECOND);
    terminate_master_at(&t, 10 * SECOND, 5 * SECOND);
    run(&t);
    assert_u64(t.result.n_failovers, 1);
    assert_time_ns(t.result.failovers[0].at_ns, 15 * SECOND);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_DETECT], 7 * SECOND);
    world_drop(&t);
}

// --- which hazard explains a finding -------------------------------------------------------------

// The first finding of an invariant names that hazard, and every other one of it, too.
static void found_for(const struct model_test *t, const char *invariant, const char *hazard)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        if (strcmp(t->result.findings[i].invariant, invariant) != 0)
            continue;
        assert_non_null(t->result.findings[i].hazard);
        assert_string_equal(t->result.findings[i].hazard, hazard);
        n++;
    }
    assert_int_not_equal(n, 0);
}

// C5.3, the time bomb: one failover, so that no unlogged reset (H19) can be behind it. All that
// follows from restarting the sources without the middles that had read them is due to H29.
static void AStageRestartedAloneIsH29(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 5, 1);
    uint32_t scan = stage(&t, "source", 5, constant(10 * SECOND));
    uint32_t middle = stage(&t, "middle", 5, constant(20 * SECOND));
    source(&t, scan, 10, false);
    reads(&t, middle, scan, RECOUP_POINTWISE);
    t.config.cluster.restart = constant(SECOND);
    t.config.cluster.restart_never = false;
    t.config.restart = (struct model_restart){.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10};
    kill_master_at(&t, 15 * SECOND);
    kill_worker_at(&t, 0, 20 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    found_for(&t, "T4", "H29");
    found_for(&t, "T10", "H29");
    found_for(&t, "W4", "H29");
    t.config.options.policy[RECOUP_POLICY_CLOSURE] = 1;
    run(&t);
    no_findings(&t);
    world_drop(&t);
}

// --- upstream's situations that no scenario file has ---------------------------------------------

// C5.6 (testPartitionNotFoundTwiceAfterJMFailover): after the failover at 15 s source 0's partition
// is lost, and later source 1's. Each time just that source runs again and reads its own two
// splits, as T10 checks at the end: every split was read by one attempt that is held.
static void TwicePartitionNotFoundAfterAFailover(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 5, 1);
    t.config.timeouts.heartbeat_interval_ns = 0;
    uint32_t scan = stage(&t, "source", 5, constant(10 * SECOND));
    source(&t, scan, 10, true);
    reads(&t, stage(&t, "middle", 5, constant(20 * SECOND)), scan, RECOUP_POINTWISE);
    t.config.cluster.restart = constant(0);
    t.config.cluster.restart_never = false;
    t.config.restart = (struct model_restart){.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10};
    kill_master_at(&t, 15 * SECOND);
    kill_worker_at(&t, 0, 20 * SECOND);
    kill_worker_at(&t, 1, 25 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(t.result.tasks_rerun, 2);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 2);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_FAILURE), 2);
    // Source 1 runs from 25 to 35 s, middle 1 to 55 s.
    assert_time_ns(t.result.makespan_ns, 55 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// --- recovered and forgotten ---------------------------------------------------------------------

// One slot, a recovery point at the first finish of each master only. At the death at 2,200 ms 0 to
// 6 are held (300 to 2,100 ms), 0 to 5 are durable, and 0 is the recovery point: 1 recovered. The
// next master runs 1 to 4 again (2,500, with a recovery point, to 3,400 ms) and dies at 3,450 ms,
// after its flush at 3,200 ms: it holds 0 to 4. By log position its recovery point now covers the
// old finishes of 4 and 5 (H19), besides 0 and 1: of what it held, 0, 1 and 4 come back, and 5
// makes up neither for 2 nor for 3.
static void APhantomMakesUpForNoneForgotten(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    t.config.options.snapshot_min_pause_ns = 10 * SECOND;
    t.config.options.policy[RECOUP_POLICY_ORDER] = 1;
    stage(&t, "only", 10, constant(300 * MILLI));
    kill_master_at(&t, 2200 * MILLI);
    kill_master_at(&t, 3450 * MILLI);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(t.result.failovers[0].finished_recovered, 1);
    assert_u64(t.result.failovers[0].finished_forgotten, 6);
    assert_u64(t.result.failovers[1].finished_recovered, 3);
    assert_u64(t.result.failovers[1].finished_forgotten, 2);
    assert_u64(t.result.finished_forgotten, 8);
    found_for(&t, "R2", "H19");
    world_drop(&t);
}

// The master dies at 25 s with three held; its successor dies at 35 s within its wait for worker 1,
// which is dead. What the third one recovers is measured against the three.
static void ADeathInRecoveryKeepsWhatWasHeld(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    uint32_t map = stage(&t, "map", 3, constant(10 * SECOND));
    uint32_t reduce = stage(&t, "reduce", 1, constant(10 * SECOND));
    reads(&t, reduce, map, RECOUP_ALL_TO_ALL);
    kill_worker_at(&t, 1, 25 * SECOND);
    kill_master_at(&t, 25 * SECOND);
    kill_master_at(&t, 35 * SECOND);
    run(&t);
    assert_u64(t.result.n_failovers, 2);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_FAILED);
    assert_time_ns(t.result.failovers[0].outage_ns, 10 * SECOND);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS], 10 * SECOND);
    assert_u64(t.result.failovers[1].finished_recovered, 2);
    assert_u64(t.result.failovers[1].finished_forgotten, 1);
    assert_u64(t.result.finished_forgotten, 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 1);
    assert_time_ns(t.result.makespan_ns, (35 + 30 + 10 + 10) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// A run without faults that the limit cuts short says nothing of how much later the job ends.
static void ACutTwinIsNoMeasure(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 1, constant(10 * SECOND));
    t.config.stop_at_ns = 5 * SECOND;
    kill_master_at(&t, SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    assert_true(t.faultless_ns == MODEL_MAKESPAN_UNKNOWN);
    t.config.stop_at_ns = 50 * SECOND;
    run(&t);
    assert_time_ns(t.faultless_ns, 10 * SECOND);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(RecoveredOutputCountsForAutoParallelism),
        cmocka_unit_test(AFinishAtAFlushAfterAQuietTimeIsInIt),
        cmocka_unit_test(AGraceEndsOnlyTheMasterItWasGivenTo),
        cmocka_unit_test(AnExpiredGraceIsAKill),
        cmocka_unit_test(AStageRestartedAloneIsH29),
        cmocka_unit_test(TwicePartitionNotFoundAfterAFailover),
        cmocka_unit_test(APhantomMakesUpForNoneForgotten),
        cmocka_unit_test(ADeathInRecoveryKeepsWhatWasHeld),
        cmocka_unit_test(ACutTwinIsNoMeasure),
    };

    return check_main(argc, argv, "models_semantics", tests);
}
