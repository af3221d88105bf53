// SPDX-License-Identifier: GPL-3.0-or-later
//
// RECOVERY_FAILED that comes late: the log has been read, subtasks are marked as finished,
// coordinators have their snapshots back, what is missing is reset, workers' outputs are adopted;
// and then the storage does not accept what must be durable before anything is scheduled. All of it
// is void: the job starts over as from nothing, and every attempt that was held is lost for one
// cause.
#include "models/support_model.h"

#include "check.h"

#define DEATH_NS (15 * SECOND)
#define ACCEPT_NS (20 * SECOND)

// A scan of four subtasks on two workers with two slots, 10 s, and a reduce of four that reads it
// all. The master dies at 15 s, in the midst of the reduce.
static void two_stages(struct model_test *t)
{
    uint32_t scan, reduce;

    world_of(t, 2, 2);
    recoup_options_init(&t->config.options, RECOUP_PROFILE_HARDENED);
    t->config.options.recovery_enabled = true;
    t->config.options.worker_recovery_timeout_ns = 3 * SECOND;
    t->config.options.policy[RECOUP_POLICY_WAIT] = 0;
    t->config.worker_policy.retention_by_job = true;
    t->config.accept_ns = ACCEPT_NS;
    t->config.restart = (struct model_restart){.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10};
    t->config.stop_at_ns = 1000 * SECOND;
    scan = stage(t, "scan", 4, constant(10 * SECOND));
    source(t, scan, 40, true);
    reduce = stage(t, "reduce", 4, constant(10 * SECOND));
    reads(t, reduce, scan, RECOUP_ALL_TO_ALL);
}

// How many operations of the kind the first master needs until it dies.
static uint64_t operations_before_death(enum model_storage_op op)
{
    struct model_test t;
    uint64_t n;

    two_stages(&t);
    t.config.stop_at_ns = DEATH_NS;
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    n = t.result.io.requests[op];
    world_drop(&t);
    return n;
}

// From the second master's append number `from` on the storage takes nothing more, `count` times
// (0: for ever).
static void storage_refuses(struct model_test *t, uint64_t from, uint64_t count)
{
    struct model_fault *f = kill_master_at(t, 0);

    f->kind = MODEL_FAULT_STORE_ERROR;
    f->trigger = MODEL_TRIGGER_ON;
    f->op = MODEL_STORAGE_APPEND;
    f->nth = operations_before_death(MODEL_STORAGE_APPEND) + from;
    f->error = RECOUP_ENOSPC;
    f->count = count;
}

// The four scans, 40 s of work, are lost for `cause`, and nothing else that had finished.
static void scans_are_lost(const struct model_test *t, enum model_cause cause)
{
    for (int c = MODEL_CAUSE_RUNNING_AT_CRASH + 1; c < MODEL_CAUSE_COUNT; c++) {
        assert_u64(lost_attempts(t, (enum model_cause)c), c == (int)cause ? 4 : 0);
        assert_time_ns(lost_ns(t, (enum model_cause)c), c == (int)cause ? 40 * SECOND : 0);
    }
    assert_u64(lost_attempts(t, MODEL_CAUSE_RUNNING_AT_CRASH), 4);
    assert_time_ns(lost_ns(t, MODEL_CAUSE_RUNNING_AT_CRASH), 20 * SECOND);
}

static void AllThatWasToldIsVoid(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 1, 0);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    // The workers are back at once; then 20 s for the storage, and both stages once more.
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_RECONCILE], ACCEPT_NS);
    assert_time_ns(t.result.makespan_ns, DEATH_NS + ACCEPT_NS + 20 * SECOND);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_RESTARTED);
    assert_u64(t.result.failovers[0].finished_recovered, 0);
    assert_u64(t.result.failovers[0].finished_forgotten, 4);
    assert_u64(t.result.tasks_rerun, 4);
    scans_are_lost(&t, MODEL_CAUSE_RECOVERY_FAILED);
    assert_time_ns(t.result.useful_ns, 80 * SECOND);
    // Nothing is recorded any more: not even when the storage would work again.
    assert_time_ns(t.result.recording_ns + t.result.unprotected_ns, t.result.makespan_ns);
    assert_true(t.result.unprotected_ns >= ACCEPT_NS + 20 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// Two outputs are gone with their worker, and reset for that; the record of it is not accepted. The
// fall-back makes the resets void, too: there is one cause, not two.
static void ResetsOfTheRecoveryAreVoid(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    kill_worker_at(&t, 1, DEATH_NS);
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 2, 0);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS], 3 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 0);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_RECOVERY_FAILED), 4);
    assert_time_ns(lost_ns(&t, MODEL_CAUSE_RECOVERY_FAILED), 40 * SECOND);
    assert_u64(t.result.tasks_rerun, 4);
    no_findings(&t);
    world_drop(&t);
}

// A storage that takes it in time: the same recovery succeeds, and its resets stand.
static void InTimeNothingIsVoid(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    kill_worker_at(&t, 1, DEATH_NS);
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 2, 3);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_RECOVERED);
    assert_true(t.result.failovers[0].phase_ns[MODEL_PHASE_RECONCILE] < ACCEPT_NS);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 2);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_RECOVERY_FAILED), 0);
    no_findings(&t);
    world_drop(&t);
}

// The next master finds the log as the first one left it, and recovers what still lies on workers:
// what the fall-back lost counts again, and its own unrecorded work does not.
static void TheNextMasterRecoversTheOldLog(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 1, 8); // of which the second master meets all
    kill_master_at(&t, DEATH_NS + ACCEPT_NS + 5 * SECOND);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(t.result.n_failovers, 2);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_RESTARTED);
    assert_int_equal(t.result.failovers[1].result, MODEL_FAILOVER_RECOVERED);
    assert_time_ns(t.result.makespan_ns, DEATH_NS + ACCEPT_NS + 15 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_RECOVERY_FAILED), 0);
    assert_time_ns(t.result.useful_ns, 80 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// Without a restart strategy the job fails then and there.
static void WithoutRestartsTheJobFails(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    t.config.restart = (struct model_restart){.kind = MODEL_RESTART_NONE};
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 1, 0);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FAILED);
    assert_time_ns(t.result.makespan_ns, DEATH_NS + ACCEPT_NS);
    scans_are_lost(&t, MODEL_CAUSE_RECOVERY_FAILED);
    assert_time_ns(t.result.useful_ns, 0);
    no_findings(&t);
    world_drop(&t);
}

// The limit that the library has by itself.
static void TheDefaultIsFiveMinutes(void **state)
{
    struct model_test t;

    (void)state;
    two_stages(&t);
    t.config.accept_ns = 0;
    kill_master_at(&t, DEATH_NS);
    storage_refuses(&t, 1, 0);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.failovers[0].phase_ns[MODEL_PHASE_RECONCILE], 300 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(AllThatWasToldIsVoid),
        cmocka_unit_test(ResetsOfTheRecoveryAreVoid),
        cmocka_unit_test(InTimeNothingIsVoid),
        cmocka_unit_test(TheNextMasterRecoversTheOldLog),
        cmocka_unit_test(WithoutRestartsTheJobFails),
        cmocka_unit_test(TheDefaultIsFiveMinutes),
    };

    return check_main(argc, argv, "models_recovery_failed", tests);
}
