// SPDX-License-Identifier: GPL-3.0-or-later
//
// The restart strategies (flink-recovery.md 6.2), as Flink 1.20 has them: how many failures a job
// survives, and how long it pauses after each. A killed worker is back at once and its master
// learns of it at once, so that each kill of a busy worker is one failure.
#include "models/support_model.h"

#include "check.h"

#define DURATION (100 * SECOND)

// As many subtasks as workers, each of one slot.
static void busy_world(struct model_test *t, uint32_t workers, struct model_restart rule)
{
    world_of(t, workers, 1);
    stage(t, "only", workers, constant(DURATION));
    t->config.cluster.restart_never = false;
    t->config.timeouts.heartbeat_interval_ns = 0;
    t->config.restart = rule;
}

// Runs the world with failures of its one subtask at these times.
static void run_with_failures(struct model_test *t, struct model_restart rule, uint32_t n,
                              const int64_t *at_ns)
{
    busy_world(t, 1, rule);
    for (uint32_t i = 0; i < n; i++)
        kill_worker_at(t, 0, at_ns[i]);
    run(t);
    no_findings(t);
}

static void job_failed_at(struct model_test *t, int64_t at_ns)
{
    assert_int_equal(t->result.state, MODEL_JOB_FAILED);
    assert_time_ns(t->result.makespan_ns, at_ns);
    world_drop(t);
}

static void last_restart_was_at(struct model_test *t, int64_t at_ns)
{
    assert_int_equal(t->result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t->result.makespan_ns, at_ns + DURATION);
    world_drop(t);
}

// --- fixed-delay ---------------------------------------------------------------------------------

static void FixedDelayAllowsSoManyRestarts(void **state)
{
    const struct model_restart rule = {
        .kind = MODEL_RESTART_FIXED_DELAY, .attempts = 2, .delay_ns = 3 * SECOND};
    const int64_t at_ns[] = {10 * SECOND, 20 * SECOND, 30 * SECOND};
    struct model_test t;

    (void)state;
    run_with_failures(&t, rule, 2, at_ns);
    last_restart_was_at(&t, 23 * SECOND);
    run_with_failures(&t, rule, 3, at_ns);
    job_failed_at(&t, 30 * SECOND);
}

// A worker's death takes both of its subtasks along: one failure, and only one is allowed.
static void WhatOneFailureBringsAboutCountsOnce(void **state)
{
    const struct model_restart rule = {.kind = MODEL_RESTART_FIXED_DELAY, .attempts = 1};
    struct model_test t;

    (void)state;
    busy_world(&t, 2, rule);
    t.config.cluster.workers = 1;
    t.config.cluster.slots = 2;
    kill_worker_at(&t, 0, 10 * SECOND);
    run(&t);
    last_restart_was_at(&t, 10 * SECOND);
}

// --- failure-rate --------------------------------------------------------------------------------

static const struct model_restart two_a_minute = {.kind = MODEL_RESTART_FAILURE_RATE,
                                                  .attempts = 2,
                                                  .delay_ns = 3 * SECOND,
                                                  .interval_ns = 60 * SECOND};

// The third failure is exactly a minute after the first, or a nanosecond later.
static void FailureRateLooksAtTheLastInterval(void **state)
{
    const int64_t border_ns[] = {10 * SECOND, 60 * SECOND, 70 * SECOND};
    const int64_t later_ns[] = {10 * SECOND, 60 * SECOND, 70 * SECOND + 1};
    struct model_test t;

    (void)state;
    run_with_failures(&t, two_a_minute, 3, border_ns);
    job_failed_at(&t, 70 * SECOND);
    run_with_failures(&t, two_a_minute, 3, later_ns);
    last_restart_was_at(&t, 73 * SECOND + 1);
}

// Failures at 60, 80 and 90 s are three in 30 s, although the first minute, which began with the
// failure at 10 s, was over in between.
static void FailureRateHasNoFixedWindows(void **state)
{
    const int64_t at_ns[] = {10 * SECOND, 60 * SECOND, 80 * SECOND, 90 * SECOND};
    struct model_test t;

    (void)state;
    run_with_failures(&t, two_a_minute, 4, at_ns);
    job_failed_at(&t, 90 * SECOND);
}

// The next master has a strategy of its own, which has seen no failure.
static void FailureRateStartsAfreshWithTheNextMaster(void **state)
{
    struct model_test t;

    (void)state;
    busy_world(&t, 1, two_a_minute);
    kill_worker_at(&t, 0, 10 * SECOND);
    kill_worker_at(&t, 0, 20 * SECOND);
    kill_master_at(&t, 30 * SECOND);
    kill_worker_at(&t, 0, 40 * SECOND);
    kill_worker_at(&t, 0, 50 * SECOND);
    run(&t);
    last_restart_was_at(&t, 53 * SECOND);
}

// --- exponential-delay ---------------------------------------------------------------------------

static const struct model_restart doubling = {.kind = MODEL_RESTART_EXPONENTIAL_DELAY,
                                              .delay_ns = SECOND,
                                              .delay_max_ns = 5 * SECOND,
                                              .backoff_multiplier_nano = INT64_C(2000000000),
                                              .reset_threshold_ns = 60 * SECOND};

// 1, 2 and 4 s, and then the greatest pause.
static void ExponentialDelayGrowsToItsMaximum(void **state)
{
    const int64_t at_ns[] = {10 * SECOND, 20 * SECOND, 30 * SECOND, 40 * SECOND, 50 * SECOND};
    const int64_t pause_ns[] = {SECOND, 2 * SECOND, 4 * SECOND, 5 * SECOND, 5 * SECOND};
    struct model_test t;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        run_with_failures(&t, doubling, i + 1, at_ns);
        last_restart_was_at(&t, at_ns[i] + pause_ns[i]);
    }
}

// The pause of the second failure is over at 22 s. A minute later, and not earlier, the back-off
// starts over: it is the time in which the job ran, pauses left aside, that counts.
static void ExponentialDelayStartsOverAfterAQuietTime(void **state)
{
    const int64_t quiet_ns[] = {10 * SECOND, 20 * SECOND, 82 * SECOND};
    const int64_t early_ns[] = {10 * SECOND, 20 * SECOND, 82 * SECOND - 1};
    struct model_test t;

    (void)state;
    run_with_failures(&t, doubling, 3, quiet_ns);
    last_restart_was_at(&t, 83 * SECOND);
    run_with_failures(&t, doubling, 3, early_ns);
    last_restart_was_at(&t, 86 * SECOND - 1);
}

// Two restarts are allowed, and as many again after a quiet time.
static void ExponentialDelayCountsSinceItStartedOver(void **state)
{
    const int64_t failing_ns[] = {10 * SECOND, 20 * SECOND, 30 * SECOND};
    const int64_t quiet_ns[] = {10 * SECOND, 20 * SECOND, 82 * SECOND, 90 * SECOND};
    struct model_restart rule = doubling;
    struct model_test t;

    (void)state;
    rule.attempts = 2;
    run_with_failures(&t, rule, 3, failing_ns);
    job_failed_at(&t, 30 * SECOND);
    run_with_failures(&t, rule, 4, quiet_ns);
    last_restart_was_at(&t, 92 * SECOND);
}

// The pause of worker 0's failure at 10 s lasts 4 s. What fails until then, that instant included,
// is restarted with it and counts with it; one restart is allowed.
static void ExponentialDelayTakesFailuresInAPauseTogether(void **state)
{
    const int64_t second_ns[] = {12 * SECOND, 14 * SECOND, 14 * SECOND + 1};
    struct model_restart rule = doubling;
    struct model_test t;

    (void)state;
    rule.attempts = 1;
    rule.delay_ns = 4 * SECOND;
    for (uint32_t i = 0; i < 3; i++) {
        busy_world(&t, 2, rule);
        kill_worker_at(&t, 0, 10 * SECOND);
        kill_worker_at(&t, 1, second_ns[i]);
        run(&t);
        if (i == 2)
            job_failed_at(&t, second_ns[i]);
        else
            last_restart_was_at(&t, 14 * SECOND);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(FixedDelayAllowsSoManyRestarts),
        cmocka_unit_test(WhatOneFailureBringsAboutCountsOnce),
        cmocka_unit_test(FailureRateLooksAtTheLastInterval),
        cmocka_unit_test(FailureRateHasNoFixedWindows),
        cmocka_unit_test(FailureRateStartsAfreshWithTheNextMaster),
        cmocka_unit_test(ExponentialDelayGrowsToItsMaximum),
        cmocka_unit_test(ExponentialDelayStartsOverAfterAQuietTime),
        cmocka_unit_test(ExponentialDelayCountsSinceItStartedOver),
        cmocka_unit_test(ExponentialDelayTakesFailuresInAPauseTogether),
    };

    return check_main(argc, argv, "models_restart", tests);
}
