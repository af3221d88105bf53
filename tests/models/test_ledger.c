// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ledger of work: sums, causes, and the way back from a loss.
#include "check.h"
#include "models/support_oracle.h"

// The names are those of the contract, in its order.
static void names_are_those_of_the_contract(void **state)
{
    (void)state;
    assert_string_equal(model_cause_name(MODEL_CAUSE_SPECULATION), "speculation");
    assert_string_equal(model_cause_name(MODEL_CAUSE_NOT_RECORDED), "not-recorded");
    assert_string_equal(model_cause_name(MODEL_CAUSE_JOB_FAILED), "job-failed");
    assert_string_equal(model_phase_name(MODEL_PHASE_DETECT), "detect");
    assert_string_equal(model_phase_name(MODEL_PHASE_WAIT_WORKERS), "wait_workers");
    assert_string_equal(model_phase_name(MODEL_PHASE_REDEPLOY), "redeploy");
    assert_string_equal(model_job_state_name(MODEL_JOB_SUSPENDED), "SUSPENDED");
    assert_string_equal(model_failover_result_name(MODEL_FAILOVER_RESTARTED), "restarted");
    assert_string_equal(model_storage_op_name(MODEL_STORAGE_REMOVE), "remove");
}

// Without faults every attempt is useful.
static void all_work_is_useful_without_faults(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    run(&o.test);
    assert_time_ns(o.test.result.useful_ns, 8 * SECOND);
    assert_time_ns(o.test.result.lost_ns, 0);
    assert_u64(o.test.result.attempts, 4);
    assert_u64(o.test.result.tasks_rerun, 0);
    world_drop(&o.test);
}

// A finished attempt that is lost and held again costs nothing; its subtask is no re-run.
static void a_regained_attempt_is_not_lost(void **state)
{
    struct oracle o = {0};
    struct model_ledger *ledger;

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    oracle_begin(&o);
    oracle_until(&o, 2 * SECOND);
    ledger = &o.w->ledger;
    assert_true(ledger_is_stopped(o.w, 0));
    assert_false(ledger_is_stopped(o.w, 2));
    ledger_lose_finished(o.w, 0, MODEL_CAUSE_NOT_SNAPSHOTTED);
    assert_time_ns(ledger->lost_ns, 1 * SECOND);
    assert_u64(ledger->lost[MODEL_CAUSE_NOT_SNAPSHOTTED].attempts, 1);
    assert_true(o.w->subtasks[0].taken_back);
    ledger_regain(o.w, 0);
    ledger_regain(o.w, 0);  // it is not lost any more
    assert_time_ns(ledger->lost_ns, 0);
    assert_u64(ledger->lost[MODEL_CAUSE_NOT_SNAPSHOTTED].attempts, 0);
    assert_false(o.w->subtasks[0].taken_back);
    oracle_end(&o);
}

// An attempt that never started is nothing to the ledger.
static void what_never_started_is_not_lost(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    o.test.config.cluster.deploy = constant(5 * SECOND);
    oracle_begin(&o);
    oracle_until(&o, 1 * SECOND);
    assert_int_equal(world_attempt(o.w, 0)->state, MODEL_ATTEMPT_DEPLOYING);
    ledger_lose_unfinished(o.w, 0, MODEL_CAUSE_WORKER_FAILURE);
    assert_time_ns(o.w->ledger.lost_ns, 0);
    assert_u64(o.w->ledger.attempts, 0);
    oracle_end(&o);
}

// The causes of finished attempts that replay does not bring back, judged by what is true.
static void a_forgotten_attempt_has_the_cause_that_is_true(void **state)
{
    struct oracle o = {0};
    struct model_attempt *a;

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    oracle_begin(&o);
    oracle_until(&o, 2500 * MILLI);  // flushed at 2 s
    a = world_attempt(o.w, 0);
    assert_true(a->event > 0);
    assert_true(storage_durable_event(o.w, 1) >= a->event);
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_LOG_DAMAGED);  // not read yet
    reference_read(o.w);
    assert_true(reference_readable(o.w, 0));
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_NOT_SNAPSHOTTED);
    o.w->invariants.reference.attempt_bits[0] = 0;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_LOG_DAMAGED);
    a->event = (uint32_t)storage_durable_event(o.w, 1);  // the last that is durable, just so
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_LOG_DAMAGED);
    o.w->zombies.newest = 1;  // its master was cut off, and may have flushed it too late
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_NOT_RECORDED);
    o.w->zombies.newest = 0;
    a->event++;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_NOT_RECORDED);
    a->event = 0;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_NOT_RECORDED);
    a->dropped = true;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_RECORDING_STOPPED);
    o.w->master.failed = true;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_RECOVERY_FAILED);
    o.test.config.options.recovery_enabled = false;
    assert_int_equal(ledger_forgotten_cause(o.w, 0), MODEL_CAUSE_RECOVERY_DISABLED);
    oracle_end(&o);
}

// The causes of outputs that a recovery misses.
static void a_missing_output_has_the_cause_that_is_true(void **state)
{
    struct oracle o = {0};
    struct model_attempt *a;

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    oracle_begin(&o);
    oracle_until(&o, 2 * SECOND);
    a = world_attempt(o.w, 0);
    assert_int_equal(a->partition, MODEL_PARTITION_HELD);
    assert_int_equal(ledger_missing_cause(o.w, 0), MODEL_CAUSE_WORKER_LATE);
    a->partition = MODEL_PARTITION_RELEASED;
    assert_int_equal(ledger_missing_cause(o.w, 0), MODEL_CAUSE_PARTITION_RELEASED);
    o.w->workers.list[a->worker].alive = false;
    assert_int_equal(ledger_missing_cause(o.w, 0), MODEL_CAUSE_PARTITION_LOST);
    o.w->workers.list[a->worker].alive = true;
    a->partition = MODEL_PARTITION_LOST;
    assert_int_equal(ledger_missing_cause(o.w, 0), MODEL_CAUSE_PARTITION_LOST);
    oracle_end(&o);
}

// In a job that does not finish all work is lost, what still runs at the stop included.
static void all_is_lost_in_a_job_that_does_not_finish(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    o.test.config.stop_at_ns = 2 * SECOND;
    run(&o.test);
    assert_int_equal(o.test.result.state, MODEL_JOB_TIMEOUT);
    assert_time_ns(o.test.result.useful_ns, 0);
    assert_time_ns(lost_ns(&o.test, MODEL_CAUSE_JOB_FAILED), 4 * SECOND);
    assert_u64(lost_attempts(&o.test, MODEL_CAUSE_JOB_FAILED), 4);
    world_drop(&o.test);
}

// A ledger that does not close is a finding: a held attempt that counts as lost, an attempt that is
// neither, and sums that went astray.
static void a_ledger_that_does_not_close_is_a_finding(void **state)
{
    struct oracle o = {0};
    struct model_result result = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_HARDENED);
    oracle_begin(&o);
    oracle_until(&o, 10 * SECOND);
    assert_int_equal(o.w->state, MODEL_JOB_FINISHED);
    world_attempt(o.w, 0)->cause = MODEL_CAUSE_SPECULATION;
    o.w->ledger.lost[MODEL_CAUSE_SPECULATION] = (struct model_lost){1 * SECOND, 1};
    o.w->ledger.lost_ns = 1 * SECOND;
    o.w->subtasks[1].attempt = 0;  // attempt 1 is held by nobody, and no cause says why
    o.w->ledger.busy_ns += 7;
    ledger_finish(o.w, &result);
    assert_u64(oracle_found(&o, "T8"), 4);
    assert_null(oracle_hazard(&o, "T8"));
    model_result_release(&result);
    oracle_end(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_are_those_of_the_contract),
    cmocka_unit_test(all_work_is_useful_without_faults),
    cmocka_unit_test(a_regained_attempt_is_not_lost),
    cmocka_unit_test(what_never_started_is_not_lost),
    cmocka_unit_test(a_forgotten_attempt_has_the_cause_that_is_true),
    cmocka_unit_test(a_missing_output_has_the_cause_that_is_true),
    cmocka_unit_test(all_is_lost_in_a_job_that_does_not_finish),
    cmocka_unit_test(a_ledger_that_does_not_close_is_a_finding),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "models_ledger", tests);
}
