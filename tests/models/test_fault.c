// SPDX-License-Identifier: GPL-3.0-or-later
//
// Faults: when they strike, and whom.
#include "check.h"

#include "models/support_step.h"

static void prepare(struct model_test *t, uint32_t workers)
{
    world_of(t, workers, 1);
    (void)stage(t, "long", 1, constant(1000000 * SECOND));
    t->config.restart.kind = MODEL_RESTART_FIXED_DELAY;
    t->config.restart.attempts = 1000000;
    t->config.cluster.restart_never = false;
    t->config.cluster.restart = constant(5 * SECOND);
    t->config.ha.detect = constant(1 * SECOND);
    t->config.master.start = constant(2 * SECOND);
}

static struct model_fault *every_worker(struct model_test *t, enum model_fault_target target,
                                        struct sim_law law)
{
    struct model_fault *f = kill_master_every(t, law);

    f->process = MODEL_PROCESS_WORKER;
    f->target = target;
    return f;
}

// The n-th record of a fault in the trace.
static int64_t struck_ns(const struct step_run *run, const char *name, uint32_t n)
{
    for (uint32_t i = 0; i < run->n_traces; i++) {
        if (run->traces[i].track == MODEL_TRACK_FAULTS && strcmp(run->traces[i].name, name) == 0 &&
            n-- == 0) {
            return run->traces[i].time_ns;
        }
    }
    return -1;
}

// A fault at a time strikes then, one at a share at that share of the makespan, one without a
// target alive not at all.
static void faults_by_time(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, 2);
    t.faultless_ns = 200 * SECOND + 1;
    (void)kill_master_at(&t, 10 * SECOND);
    (void)kill_master_at(&t, 10 * SECOND + 500 * MILLI);  // nobody leads
    kill_master_at(&t, 500000000)->trigger = MODEL_TRIGGER_AT_SHARE;
    (void)kill_worker_at(&t, 1, 20 * SECOND);
    (void)kill_worker_at(&t, 1, 24 * SECOND);  // it is not back yet
    step_begin(&run, &t);
    step_until(&run, 300 * SECOND);
    assert_time_ns(struck_ns(&run, "fault-0", 0), 10 * SECOND);
    assert_time_ns(struck_ns(&run, "fault-2", 0), 100 * SECOND);
    assert_time_ns(struck_ns(&run, "fault-3", 0), 20 * SECOND);
    assert_false(run.w->faults.state[1].fired);
    assert_false(run.w->faults.state[4].fired);
    run.w->ended = true;
    faults_finish(run.w, &t.result);
    assert_u64(t.result.n_fired, 5);
    assert_true(t.result.fired[0].fired);
    assert_int_equal(t.result.fired[0].worker, RECOUP_NONE);
    assert_int_equal(t.result.fired[3].worker, 1);
    assert_time_ns(t.result.fired[3].at_ns, 20 * SECOND);
    assert_u64(t.result.fired[4].times, 0);
    step_end(&run);
    world_drop(&t);
}

// Shares and positions that the loader should have refused are refused again.
static void impossible_faults_are_refused(void **state)
{
    static struct model_test t;
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_OFF};

    (void)state;
    prepare(&t, 2);
    kill_master_at(&t, 500000000)->trigger = MODEL_TRIGGER_AT_SHARE;
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), SIM_EINVAL);
    t.config.n_faults = 0;
    (void)kill_worker_at(&t, 2, SECOND);
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), SIM_EINVAL);
    t.config.n_faults = 0;
    kill_master_at(&t, SECOND)->kind = MODEL_FAULT_STORE_ERROR;
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), SIM_EINVAL);
    world_drop(&t);
}

// `every` counts from the target's being alive: a master from the grant (death + 1 s), a worker
// from its return (death + 5 s).
static void recurring_faults_renew(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, 3);
    (void)kill_master_every(&t, constant(10 * SECOND));
    every_worker(&t, MODEL_TARGET_NUMBER, constant(7 * SECOND))->worker = 2;
    (void)every_worker(&t, MODEL_TARGET_EACH, constant(100 * SECOND));
    step_begin(&run, &t);
    step_until(&run, 99 * SECOND);
    for (uint32_t i = 0; i < 9; i++) {
        assert_time_ns(struck_ns(&run, "fault-0", i), (10 + 11 * (int64_t)i) * SECOND);
        assert_time_ns(struck_ns(&run, "fault-1", i),
                       i < 8 ? (7 + 12 * (int64_t)i) * SECOND : -1);
    }
    step_until(&run, 101 * SECOND);
    // Worker 2 never lives for 100 s.
    assert_u64(step_traced(&run, MODEL_TRACK_FAULTS, "fault-2"), 2);
    assert_true(run.w->workers.list[2].alive);
    assert_false(run.w->workers.list[0].alive);
    assert_false(run.w->workers.list[1].alive);
    step_end(&run);
    world_drop(&t);
}

// A random target is drawn evenly over the workers alive (chi-square, 3 degrees of freedom, 99.9
// %).
static void random_targets_are_even(void **state)
{
    static struct model_test t;
    static struct step_run run;
    double chi = 0;

    (void)state;
    prepare(&t, 4);
    t.config.options.recovery_enabled = false;
    t.config.cluster.restart = constant(1);
    (void)every_worker(&t, MODEL_TARGET_RANDOM, constant(1 * SECOND));
    step_begin(&run, &t);
    step_until(&run, 2000 * SECOND + 2);
    assert_u64(run.w->faults.state[0].times, 2000);
    for (int i = 0; i < 4; i++) {
        double difference = (double)run.w->workers.list[i].deaths - 500.0;

        chi += difference * difference / 500.0;
    }
    assert_true(chi < 16.27);
    step_end(&run);
    world_drop(&t);
}

// A process over all workers pauses while none is alive, and begins anew with the first.
static void random_process_pauses(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, 2);
    t.config.cluster.restart = constant(100 * SECOND);
    (void)every_worker(&t, MODEL_TARGET_RANDOM, constant(10 * SECOND));
    step_begin(&run, &t);
    step_until(&run, 125 * SECOND);
    assert_time_ns(struck_ns(&run, "fault-0", 0), 10 * SECOND);
    assert_time_ns(struck_ns(&run, "fault-0", 1), 20 * SECOND);
    // The first is back at 110 s; at 120 s both are, and one dies.
    assert_time_ns(struck_ns(&run, "fault-0", 2), 120 * SECOND);
    assert_u64(step_traced(&run, MODEL_TRACK_FAULTS, "fault-0"), 3);
    step_end(&run);
    world_drop(&t);
}

// Failures of one fault are the same whatever other faults there are, and which options are set.
static void draws_do_not_move(void **state)
{
    static struct model_test t;
    static struct step_run run;
    int64_t alone[5];

    (void)state;
    prepare(&t, 3);
    (void)kill_master_every(&t, exponential(50 * SECOND));
    step_begin(&run, &t);
    step_until(&run, 600 * SECOND);
    for (uint32_t i = 0; i < 5; i++) {
        alone[i] = struck_ns(&run, "fault-0", i);
        assert_true(alone[i] > 0);
    }
    step_end(&run);
    t.config.options.flush_interval_ns = 300 * MILLI;
    (void)every_worker(&t, MODEL_TARGET_EACH, exponential(30 * SECOND));
    step_begin(&run, &t);
    step_until(&run, 600 * SECOND);
    for (uint32_t i = 0; i < 5; i++) {
        assert_time_ns(struck_ns(&run, "fault-0", i), alone[i]);
    }
    assert_true(step_traced(&run, MODEL_TRACK_FAULTS, "fault-1") > 10);
    step_end(&run);
    world_drop(&t);
}

// A kill by progress strikes at the finish that completes the share, rounded up, and once.
static void progress_triggers_once(void **state)
{
    static struct model_test t;
    static struct step_run run;
    struct model_fault *f;

    (void)state;
    world_of(&t, 1, 1);
    (void)stage(&t, "steps", 3, constant(1 * SECOND));
    t.config.options.flush_interval_ns = 100 * MILLI;
    f = kill_master_at(&t, 0);
    f->trigger = MODEL_TRIGGER_WHEN;
    f->stage = 0;
    f->share_nano = 500000000;
    step_begin(&run, &t);
    step_until(&run, 100 * SECOND);
    assert_int_equal(run.w->state, MODEL_JOB_FINISHED);
    assert_u64(run.w->faults.state[0].times, 1);
    assert_time_ns(run.w->faults.state[0].at_ns, 2 * SECOND);
    assert_false(run.w->faults.progress_armed);
    step_end(&run);
    world_drop(&t);
}

// The same kill before, in the midst of, and after the first flush of the log: only after it is the
// event durable, and the master that issued it never learns.
static void store_operations_trigger(void **state)
{
    static const enum model_fault_moment moments[] = {MODEL_MOMENT_BEFORE, MODEL_MOMENT_MID,
                                                      MODEL_MOMENT_AFTER};
    static struct model_test t;
    static struct step_run run;

    (void)state;
    for (int i = 0; i < 3; i++) {
        uint64_t size;
        struct model_fault *f;

        world_of(&t, 1, 1);
        (void)stage(&t, "steps", 3, constant(300 * MILLI));
        t.config.options.flush_interval_ns = 100 * MILLI;
        t.config.storage.latency[MODEL_STORAGE_FLUSH] = constant(10 * MILLI);
        t.config.ha.detect = constant(5 * SECOND);
        f = kill_master_at(&t, 0);
        f->trigger = MODEL_TRIGGER_ON;
        f->op = MODEL_STORAGE_FLUSH;
        f->nth = 1;
        f->moment = moments[i];
        step_begin(&run, &t);
        while (!run.w->faults.state[0].fired) {
            assert_false(run.w->ended);
            step_until(&run, run.w->now_ns + 1 * MILLI);
        }
        assert_false(run.w->master.alive);
        assert_u64(storage_file_count(run.w), 1);
        size = storage_file_size(run.w, 0);
        if (i == 2) {
            assert_u64(size, storage_bytes_appended(run.w));
            assert_true(storage_durable_event(run.w, 1) > 0);
        } else {
            assert_u64(size, i == 0 ? 0 : storage_bytes_appended(run.w) / 2);
        }
        assert_u64(storage_bytes_appended(run.w),
                   storage_bytes_held(run.w) + storage_bytes_lost(run.w));
        step_end(&run);
        world_drop(&t);
    }
}

// The fault-free twin of a run arms nothing.
static void twins_have_no_faults(void **state)
{
    static struct model_test t;
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON, .without_faults = true};

    (void)state;
    world_of(&t, 2, 1);
    (void)stage(&t, "steps", 4, constant(1 * SECOND));
    (void)kill_master_at(&t, 500 * MILLI);
    (void)kill_master_every(&t, constant(1 * SECOND));
    (void)every_worker(&t, MODEL_TARGET_EACH, constant(1 * SECOND));
    kill_master_at(&t, 0)->trigger = MODEL_TRIGGER_ON;
    t.faults[3].op = MODEL_STORAGE_FLUSH;
    t.faults[3].nth = 1;
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), 0);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.makespan_ns, 2 * SECOND);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(t.result.fired[i].fired);
    }
    world_drop(&t);
}

// A fault at T beats a finish at T, and a terminated worker's master learns of it one latency
// later.
static void faults_come_first(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    world_of(&t, 2, 1);
    (void)stage(&t, "steps", 1, constant(10 * SECOND));
    t.config.network_latency = constant(3 * MILLI);
    t.config.restart.kind = MODEL_RESTART_FIXED_DELAY;
    t.config.restart.attempts = 1;
    kill_worker_at(&t, 0, 10 * SECOND)->kind = MODEL_FAULT_TERMINATE;
    step_begin(&run, &t);
    step_until(&run, 10 * SECOND);
    assert_int_equal(world_attempt(run.w, 0)->state, MODEL_ATTEMPT_ENDED);
    assert_int_equal(world_attempt(run.w, 0)->cause, MODEL_CAUSE_WORKER_FAILURE);
    assert_int_equal(run.w->workers.list[0].registered, 1);
    step_until(&run, 10 * SECOND + 3 * MILLI);
    assert_int_equal(run.w->workers.list[0].registered, 0);
    step_until(&run, 100 * SECOND);
    assert_int_equal(run.w->state, MODEL_JOB_FINISHED);
    assert_time_ns(run.w->end_ns, 20 * SECOND + 6 * MILLI);
    step_end(&run);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_by_time),
        cmocka_unit_test(impossible_faults_are_refused),
        cmocka_unit_test(recurring_faults_renew),
        cmocka_unit_test(random_targets_are_even),
        cmocka_unit_test(random_process_pauses),
        cmocka_unit_test(draws_do_not_move),
        cmocka_unit_test(progress_triggers_once),
        cmocka_unit_test(store_operations_trigger),
        cmocka_unit_test(twins_have_no_faults),
        cmocka_unit_test(faults_come_first),
    };

    return check_main(argc, argv, "models_fault", tests);
}
