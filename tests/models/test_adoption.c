// SPDX-License-Identifier: GPL-3.0-or-later
//
// Outputs that come back after the wait for workers (H30, recovery.late-report), by hand: two
// workers of one slot run two maps of 10 s, and a reduce of 5 s reads both. The master dies at
// 10.5 s, its successor waits until 40.5 s and takes the maps back, the workers return at 45.5 s.
#include "models/support_model.h"

#include "check.h"

static void late_world(struct model_test *t, bool adopt)
{
    uint32_t map, reduce;

    world_of(t, 2, 1);
    recoup_options_init(&t->config.options, RECOUP_PROFILE_HARDENED);
    t->config.options.recovery_enabled = true;
    t->config.options.policy[RECOUP_POLICY_WAIT] = 0;
    t->config.options.policy[RECOUP_POLICY_LATE_REPORT] = adopt ? 1 : 0;
    t->config.worker_policy.retention_by_job = true;
    t->config.cluster.reconnect = constant(35 * SECOND);
    t->config.cluster.reconnect_given = true;
    map = stage(t, "map", 2, constant(10 * SECOND));
    reduce = stage(t, "reduce", 1, constant(5 * SECOND));
    reads(t, reduce, map, RECOUP_ALL_TO_ALL);
    kill_master_at(t, 10 * SECOND + SECOND / 2);
}

static void WhatComesBackCountsAgain(void **state)
{
    struct model_test t;

    (void)state;
    late_world(&t, true);
    run(&t);
    assert_time_ns(t.result.makespan_ns, 45 * SECOND + SECOND / 2 + 5 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 0);
    assert_u64(t.result.tasks_rerun, lost_attempts(&t, MODEL_CAUSE_SPECULATION));
    no_findings(&t);
    world_drop(&t);
}

static void FlinkMakesItAnew(void **state)
{
    struct model_test t;

    (void)state;
    late_world(&t, false);
    run(&t);
    assert_time_ns(t.result.makespan_ns, 45 * SECOND + SECOND / 2 + 15 * SECOND);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 2);
    assert_u64(t.result.tasks_rerun, 2);
    world_drop(&t);
}

// A third worker is there in time and makes a map anew when the others return: it is given up.
static void WhatIsBeingMadeAnewIsGivenUp(void **state)
{
    struct model_test t;

    (void)state;
    late_world(&t, true);
    t.config.cluster.workers = 3;
    t.config.cluster.reconnect = uniform(0, 60 * SECOND);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_seed(&t, seed);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        no_findings(&t);
        if (lost_attempts(&t, MODEL_CAUSE_SPECULATION) > 0)
            break;
    }
    assert_true(lost_attempts(&t, MODEL_CAUSE_SPECULATION) > 0);
    assert_true(lost_ns(&t, MODEL_CAUSE_SPECULATION) < 20 * SECOND);
    assert_true(t.result.tasks_rerun > 0);
    world_drop(&t);
}

// A source's splits go back with its output, unless another one has got them.
static void SplitsComeBackToo(void **state)
{
    (void)state;
    for (uint32_t workers = 2; workers <= 4; workers++) {
        for (uint64_t seed = 1; seed <= 40; seed++) {
            struct model_test t;
            late_world(&t, true);
            source(&t, 0, 7, true);
            t.config.cluster.workers = workers;
            t.config.cluster.reconnect = uniform(0, 60 * SECOND);
            kill_master_at(&t, (44 + (int64_t)seed % 20) * SECOND);
            run_seed(&t, seed);
            assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
            no_findings(&t);
            world_drop(&t);
        }
    }
}

// Three workers: 2 is there at once, 0 comes back with its map after `late_ns`, and 1 dies with the
// other map. What is made anew from 40.5 s on dies with worker 2 at 41 s, and pauses until 46 s.
static void world_with_a_pause(struct model_test *t, struct sim_law_point *reconnect,
                               int64_t late_ns)
{
    late_world(t, true);
    reconnect[0] = (struct sim_law_point){0, late_ns};
    reconnect[1] = (struct sim_law_point){0, 100 * SECOND};
    reconnect[2] = (struct sim_law_point){0, 0};
    t->config.cluster.workers = 3;
    t->config.cluster.restart_never = false;
    t->config.cluster.reconnect =
        (struct sim_law){.kind = SIM_LAW_TRACE, .count = 3, .points = reconnect};
    t->config.restart = (struct model_restart){
        .kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10, .delay_ns = 5 * SECOND};
    t->config.timeouts.heartbeat_interval_ns = 0;
    kill_worker_at(t, 1, 11 * SECOND);
    kill_worker_at(t, 2, 41 * SECOND);
}

// Worker 0 is back at 45.5 s, within the pause: at its end, at 46 s, its map counts again. The
// other one runs on worker 2 from 41 to 51 s, and then the reduce.
static void WhatComesBackInAPauseCountsAtItsEnd(void **state)
{
    struct sim_law_point reconnect[3];
    struct model_test t;

    (void)state;
    world_with_a_pause(&t, reconnect, 35 * SECOND);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 0);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_FAILURE), 1);
    assert_time_ns(t.result.makespan_ns, 56 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// While the pause lasts, the other map runs on worker 2, with the split that worker 0's map had
// read. At 50.5 s worker 0 is back: its output stands for a split that somebody else is reading, so
// that the map runs again, with the other split, to 60.5 s.
static void AnOutputWhoseSplitsAreTakenIsNotAgreedTo(void **state)
{
    struct sim_law_point reconnect[3];
    struct model_test t;

    (void)state;
    world_with_a_pause(&t, reconnect, 40 * SECOND);
    source(&t, 0, 2, true);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_SPECULATION), 0);
    assert_time_ns(t.result.makespan_ns, 65 * SECOND + SECOND / 2);
    no_findings(&t);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(WhatComesBackCountsAgain),
        cmocka_unit_test(FlinkMakesItAnew),
        cmocka_unit_test(WhatIsBeingMadeAnewIsGivenUp),
        cmocka_unit_test(SplitsComeBackToo),
        cmocka_unit_test(WhatComesBackInAPauseCountsAtItsEnd),
        cmocka_unit_test(AnOutputWhoseSplitsAreTakenIsNotAgreedTo),
    };

    return check_main(argc, argv, "models_adoption", tests);
}
