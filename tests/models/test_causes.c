// SPDX-License-Identifier: GPL-3.0-or-later
//
// Each cause of lost work (contract, section 3), in its order, by a scenario that loses work for
// that cause and, as far as one can come alone, for no other. A deployment takes 2 s in most, so
// that a master may die while nothing runs.
//
// Two are missing. `speculation`: speculative execution is not modelled. `log-damaged`: no fault of
// a scenario changes bytes that were durable, and a read that fails fails the recovery;
// test_ledger.c shows how it is judged.
#include "models/support_model.h"

#include "check.h"

struct loss {
    enum model_cause cause;
    int64_t ns;
    uint64_t attempts;
};

// The losses are these and no others.
static void lost_only(const struct model_test *t, const struct loss *losses, size_t n)
{
    for (int cause = 0; cause < MODEL_CAUSE_COUNT; cause++) {
        struct loss expected = {(enum model_cause)cause, 0, 0};

        for (size_t i = 0; i < n; i++)
            if (losses[i].cause == expected.cause)
                expected = losses[i];
        if (lost_attempts(t, expected.cause) != expected.attempts)
            print_error("cause %s\n", model_cause_name(expected.cause));
        assert_u64(lost_attempts(t, expected.cause), expected.attempts);
        assert_time_ns(lost_ns(t, expected.cause), expected.ns);
    }
}

static void lost_one(const struct model_test *t, enum model_cause cause, int64_t ns)
{
    struct loss loss = {cause, ns, 1};

    lost_only(t, &loss, 1);
}

static void restarts(struct model_test *t)
{
    t->config.restart = (struct model_restart){.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10};
}

static struct model_fault *store_error(struct model_test *t, enum model_storage_op op, uint64_t nth)
{
    struct model_fault *f = kill_master_at(t, 0);

    *f = (struct model_fault){.kind = MODEL_FAULT_STORE_ERROR,
                              .trigger = MODEL_TRIGGER_ON,
                              .op = op,
                              .nth = nth,
                              .error = RECOUP_EIO};
    memcpy(f->name, "io", 3);
    return f;
}

// Subtask 0 runs from 2 s to 12 s, subtask 1 is deployed from 12 s on: a master that dies at 13 s
// holds one finish and runs nothing. The next one leads, and starts, at once.
static void one_after_the_other(struct model_test *t, uint32_t n)
{
    world_of(t, 1, 1);
    t->config.cluster.deploy = constant(2 * SECOND);
    stage(t, "only", n, constant(10 * SECOND));
}

// As above, but what is deployed at 13 s reads what finished at 12 s.
static void map_and_reduce(struct model_test *t)
{
    one_after_the_other(t, 1);
    reads(t, stage(t, "reduce", 1, constant(10 * SECOND)), 0, RECOUP_ALL_TO_ALL);
}

static uint32_t finding(const struct model_test *t, const char *invariant, const char *hazard)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        if (strcmp(t->result.findings[i].invariant, invariant) == 0) {
            assert_non_null(t->result.findings[i].hazard);
            assert_string_equal(t->result.findings[i].hazard, hazard);
            n++;
        }
    }
    return n;
}

// --- attempts that had not finished --------------------------------------------------------------

// Map 2's worker dies at 17 s, unnoticed; the reduce subtask that was deployed at 15 s starts at 20
// s and finds its input missing. It has worked for no time at all. Map 2 runs again (25 to 35 s),
// then reduce (40 to 50 s).
static void TaskFailure(void **state)
{
    const struct loss losses[] = {{MODEL_CAUSE_TASK_FAILURE, 0, 1},
                                  {MODEL_CAUSE_PARTITION_LOST, 10 * SECOND, 1}};
    struct model_test t;

    (void)state;
    world_of(&t, 3, 1);
    t.config.cluster.deploy = constant(5 * SECOND);
    uint32_t map = stage(&t, "map", 3, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 1, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    restarts(&t);
    kill_worker_at(&t, 2, 17 * SECOND);
    run(&t);
    lost_only(&t, losses, 2);
    assert_time_ns(t.result.makespan_ns, 50 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// Two stages read the maps: `each` one by one, `all` as a whole. Worker 1 dies at 17 s, unnoticed,
// with map 1's output. At 20 s each 0 finds its input, and all, a moment later, one missing.
static void WhatOneConsumerFindsSaysNothingOfAnother(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 3, 1);
    t.config.cluster.deploy = constant(5 * SECOND);
    uint32_t map = stage(&t, "map", 2, constant(10 * SECOND));
    reads(&t, stage(&t, "each", 2, constant(10 * SECOND)), map, RECOUP_POINTWISE);
    reads(&t, stage(&t, "all", 1, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    restarts(&t);
    kill_worker_at(&t, 1, 17 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_TASK_FAILURE), 1);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_TASK_FAILURE), 0);
    no_findings(&t);
    world_drop(&t);
}

// Worker 1 dies at 5 s with subtask 1, which runs again on worker 0 from 10 s on.
static void WorkerFailure(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    stage(&t, "only", 2, constant(10 * SECOND));
    restarts(&t);
    kill_worker_at(&t, 1, 5 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_WORKER_FAILURE, 5 * SECOND);
    assert_u64(t.result.tasks_rerun, 0);
    no_findings(&t);
    world_drop(&t);
}

// The worker died first, at 5 s, and its master at 6 s, without having noticed.
static void WorkerFailureComesBeforeTheCrash(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    stage(&t, "only", 1, constant(10 * SECOND));
    kill_worker_at(&t, 0, 5 * SECOND);
    kill_master_at(&t, 6 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_WORKER_FAILURE, 5 * SECOND);
    assert_time_ns(t.result.orphaned_ns, 0);
    assert_time_ns(t.result.makespan_ns, 16 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

static void RunningAtCrash(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 1, constant(10 * SECOND));
    kill_master_at(&t, 4 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_RUNNING_AT_CRASH, 4 * SECOND);
    assert_time_ns(t.result.makespan_ns, 14 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// It ended at 10 s, and its report would have arrived at 12 s: its master died at 11 s. 10 s of
// work are lost, none of them after the death.
static void AReportInFlightIsRunningAtCrash(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    t.config.network_latency = constant(2 * SECOND);
    stage(&t, "only", 1, constant(10 * SECOND));
    kill_master_at(&t, 11 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_RUNNING_AT_CRASH, 10 * SECOND);
    assert_time_ns(t.result.orphaned_ns, 0);
    world_drop(&t);
}

// The worker of the report in flight died first, at 10.5 s, whether it is back at the death of the
// master or not, and whether there is an output that went with it or not.
static void AReportOfADeadWorkerIsAWorkerFailure(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct model_test t;
        world_of(&t, 2, 1);
        t.config.network_latency = constant(2 * SECOND);
        t.config.cluster.restart_never = (i & 1) != 0;
        uint32_t map = stage(&t, "map", 1, constant(10 * SECOND));
        if ((i & 2) != 0)
            reads(&t, stage(&t, "reduce", 1, constant(SECOND)), map, RECOUP_ALL_TO_ALL);
        kill_worker_at(&t, 0, 10500 * MILLI);
        kill_master_at(&t, 11 * SECOND);
        run(&t);
        lost_one(&t, MODEL_CAUSE_WORKER_FAILURE, 10 * SECOND);
        world_drop(&t);
    }
}

// --- attempts that had finished ------------------------------------------------------------------

static void RecoveryDisabled(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    t.config.options.recovery_enabled = false;
    kill_master_at(&t, 13 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_RECOVERY_DISABLED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 12 + 12) * SECOND);
    assert_time_ns(t.result.unprotected_ns, t.result.makespan_ns);
    no_findings(&t);
    world_drop(&t);
}

static void RecoveryFailed(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    restarts(&t);
    kill_master_at(&t, 13 * SECOND);
    store_error(&t, MODEL_STORAGE_READ, 1);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    lost_one(&t, MODEL_CAUSE_RECOVERY_FAILED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 12 + 12) * SECOND);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_RESTARTED);
    no_findings(&t);
    world_drop(&t);
}

// The very first flush fails; what finishes at 12 s is dropped.
static void RecordingStopped(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    kill_master_at(&t, 13 * SECOND);
    store_error(&t, MODEL_STORAGE_FLUSH, 1)->count = 1;
    run(&t);
    lost_one(&t, MODEL_CAUSE_RECORDING_STOPPED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 12 + 12) * SECOND);
    assert_u64(finding(&t, "S11", "H1"), 1);
    world_drop(&t);
}

// The finish of 12.3 s waits for the flush of 13 s; the master dies at 12.5 s.
static void NotRecorded(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    t.stages[0].duration = constant(10300 * MILLI);
    kill_master_at(&t, 12500 * MILLI);
    run(&t);
    lost_one(&t, MODEL_CAUSE_NOT_RECORDED, 10300 * MILLI);
    assert_time_ns(t.result.makespan_ns, (12500 + 2 * 12300) * MILLI);
    no_findings(&t);
    world_drop(&t);
}

// The only recovery point is the first finish, at 12 s; the second, at 24 s, is on disk all the
// same.
static void NotSnapshotted(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 3);
    t.config.options.snapshot_min_pause_ns = 600 * SECOND;
    kill_master_at(&t, 25 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_NOT_SNAPSHOTTED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (25 + 12 + 12) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

static void CoordinatorUnsupported(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    source(&t, 0, 8, false);
    kill_master_at(&t, 13 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_COORDINATOR_UNSUPPORTED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 12 + 12) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// The worker registers 31 s after the start at 13 s, the wait is over at 43 s.
static void WorkerLate(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    t.config.cluster.reconnect = constant(31 * SECOND);
    t.config.cluster.reconnect_given = true;
    kill_master_at(&t, 13 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_WORKER_LATE, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 31 + 12 + 12) * SECOND);
    assert_u64(finding(&t, "W4", "H31"), 1);
    world_drop(&t);
}

// A master that stops in order says good-bye, and the worker drops its data.
static void PartitionReleased(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    kill_master_at(&t, 13 * SECOND)->kind = MODEL_FAULT_TERMINATE;
    run(&t);
    lost_one(&t, MODEL_CAUSE_PARTITION_RELEASED, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 30 + 12 + 12) * SECOND);
    assert_u64(finding(&t, "W1", "H35"), 1);
    world_drop(&t);
}

static void PartitionLost(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    t.config.cluster.restart = constant(SECOND);
    t.config.cluster.restart_never = false;
    kill_master_at(&t, 13 * SECOND);
    kill_worker_at(&t, 0, 13 * SECOND);
    run(&t);
    lost_one(&t, MODEL_CAUSE_PARTITION_LOST, 10 * SECOND);
    assert_time_ns(t.result.makespan_ns, (13 + 30 + 12 + 12) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// Worker 2 dies at 25 s with map 2's output, and the broken connection tells its master. Reduce 0
// and 1 had finished at 20 s, reduce 2 and 3 had run for 5 s on workers 0 and 1: all of them read
// map 2.
static void DownstreamOfReset(void **state)
{
    const struct loss losses[] = {{MODEL_CAUSE_WORKER_FAILURE, 5 * SECOND, 1},
                                  {MODEL_CAUSE_PARTITION_LOST, 10 * SECOND, 1},
                                  {MODEL_CAUSE_DOWNSTREAM_OF_RESET, (10 * 3 + 5 * 2) * SECOND, 5}};
    struct model_test t;

    (void)state;
    world_of(&t, 3, 1);
    t.config.timeouts.heartbeat_interval_ns = 0;
    uint32_t map = stage(&t, "map", 3, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 6, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    restarts(&t);
    kill_worker_at(&t, 2, 25 * SECOND);
    run(&t);
    lost_only(&t, losses, 3);
    assert_time_ns(t.result.makespan_ns, (25 + 10 + 30) * SECOND);
    assert_u64(t.result.tasks_rerun, 4);
    no_findings(&t);
    world_drop(&t);
}

// Nobody takes over from the master: the job fails at its death.
static void JobFailed(void **state)
{
    struct model_test t;

    (void)state;
    one_after_the_other(&t, 2);
    t.config.ha.kind = MODEL_HA_NONE;
    kill_master_at(&t, 13 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FAILED);
    assert_time_ns(t.result.makespan_ns, 13 * SECOND);
    lost_one(&t, MODEL_CAUSE_JOB_FAILED, 10 * SECOND);
    assert_time_ns(t.result.useful_ns, 0);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(TaskFailure),
        cmocka_unit_test(WhatOneConsumerFindsSaysNothingOfAnother),
        cmocka_unit_test(WorkerFailure),
        cmocka_unit_test(WorkerFailureComesBeforeTheCrash),
        cmocka_unit_test(RunningAtCrash),
        cmocka_unit_test(AReportInFlightIsRunningAtCrash),
        cmocka_unit_test(AReportOfADeadWorkerIsAWorkerFailure),
        cmocka_unit_test(RecoveryDisabled),
        cmocka_unit_test(RecoveryFailed),
        cmocka_unit_test(RecordingStopped),
        cmocka_unit_test(NotRecorded),
        cmocka_unit_test(NotSnapshotted),
        cmocka_unit_test(CoordinatorUnsupported),
        cmocka_unit_test(WorkerLate),
        cmocka_unit_test(PartitionReleased),
        cmocka_unit_test(PartitionLost),
        cmocka_unit_test(DownstreamOfReset),
        cmocka_unit_test(JobFailed),
    };

    return check_main(argc, argv, "models_causes", tests);
}
