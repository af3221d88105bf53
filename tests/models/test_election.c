// SPDX-License-Identifier: GPL-3.0-or-later
//
// Leadership: from the death of a master to the start of the next, by kind of election.
#include "check.h"

#include "models/support_step.h"

// Phases of the first outage of a run, and how it went on.
struct chain {
    int64_t detect_ns, elect_ns, start_ns;
    enum model_job_state state;
    uint32_t incarnation;
};

static void prepare(struct model_test *t, enum model_ha_kind kind)
{
    world_of(t, 2, 1);
    (void)stage(t, "long", 1, constant(1000 * SECOND));
    t->config.ha.kind = kind;
    t->config.ha.session_timeout_ns = 60 * SECOND;
    t->config.ha.session_granted_max_ns = 40 * SECOND;
    t->config.ha.lease_duration_ns = 15 * SECOND;
    t->config.ha.renew_deadline_ns = 15 * SECOND;
    t->config.ha.retry_period_ns = 5 * SECOND;
    t->config.ha.detect = constant(3 * SECOND);
    t->config.master.start = constant(2 * SECOND);
    t->config.restart.kind = MODEL_RESTART_FIXED_DELAY;
    t->config.restart.attempts = 100;
    (void)kill_master_at(t, 100 * SECOND);
}

static struct chain chain_of(struct model_test *t, uint64_t seed)
{
    static struct step_run run;
    struct chain chain;
    const struct model_failover *failover;

    t->config.seed = seed;
    step_begin(&run, t);
    step_until(&run, 300 * SECOND);
    assert_u64(run.w->outage.n_failovers, 1);
    failover = &run.w->outage.failovers[0];
    chain = (struct chain){failover->phase_ns[MODEL_PHASE_DETECT],
                           failover->phase_ns[MODEL_PHASE_ELECT],
                           failover->phase_ns[MODEL_PHASE_START], run.w->state,
                           run.w->election.incarnation};
    step_end(&run);
    return chain;
}

// The fixed law: leadership is lost after `detect`, granted at once, the job loaded after `start`.
static void fixed_law(void **state)
{
    static struct model_test t;
    struct chain chain;

    (void)state;
    prepare(&t, MODEL_HA_FIXED);
    chain = chain_of(&t, 1);
    assert_time_ns(chain.detect_ns, 3 * SECOND);
    assert_time_ns(chain.elect_ns, 0);
    assert_time_ns(chain.start_ns, 2 * SECOND);
    assert_int_equal(chain.incarnation, 2);
    world_drop(&t);
}

// Without a standby the contender exists from death + restart; a slower detection hides that.
static void without_a_standby_the_restart_is_waited_for(void **state)
{
    static struct model_test t;
    struct chain chain;

    (void)state;
    prepare(&t, MODEL_HA_FIXED);
    t.config.master.standby = false;
    t.config.master.restart = constant(20 * SECOND);
    chain = chain_of(&t, 1);
    assert_time_ns(chain.detect_ns, 3 * SECOND);
    assert_time_ns(chain.elect_ns, 17 * SECOND);
    t.config.ha.detect = constant(25 * SECOND);
    chain = chain_of(&t, 1);
    assert_time_ns(chain.detect_ns, 25 * SECOND);
    assert_time_ns(chain.elect_ns, 0);
    world_drop(&t);
}

// ZooKeeper: the session that the server grants (40 s of the 60 s asked for) counts from the last
// of the pings, which are sent every third of it.
static void zookeeper_sessions_expire(void **state)
{
    static struct model_test t;
    int64_t least_ns = INT64_MAX, most_ns = 0, sum_ns = 0;

    (void)state;
    prepare(&t, MODEL_HA_ZOOKEEPER);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct chain chain = chain_of(&t, seed);

        least_ns = chain.detect_ns < least_ns ? chain.detect_ns : least_ns;
        most_ns = chain.detect_ns > most_ns ? chain.detect_ns : most_ns;
        sum_ns += chain.detect_ns;
        assert_time_ns(chain.elect_ns, 0);
    }
    assert_true(least_ns > 40 * SECOND - 40 * SECOND / 3);
    assert_true(least_ns < 28 * SECOND);
    assert_true(most_ns <= 40 * SECOND);
    assert_true(most_ns > 39 * SECOND);
    // Uniform: mean 40 - 40/6 s; 400 draws have a standard error of 0.19 s.
    assert_near((double)sum_ns / 400e9, 40.0 - 40.0 / 6, 3.3 * 0.1925);
    world_drop(&t);
}

// Kubernetes: formula LE of the reference. Lease 15 s renewed every 5 s, polled every 5 s: 10 to 20
// s without a leader, 15 s on average.
static void kubernetes_leases_expire(void **state)
{
    static struct model_test t;
    int64_t least_ns = INT64_MAX, most_ns = 0, sum_ns = 0;

    (void)state;
    prepare(&t, MODEL_HA_KUBERNETES);
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct chain chain = chain_of(&t, seed);
        int64_t headless_ns = chain.detect_ns + chain.elect_ns;

        assert_true(chain.detect_ns > 10 * SECOND && chain.detect_ns <= 15 * SECOND);
        assert_true(chain.elect_ns >= 0 && chain.elect_ns < 5 * SECOND);
        least_ns = headless_ns < least_ns ? headless_ns : least_ns;
        most_ns = headless_ns > most_ns ? headless_ns : most_ns;
        sum_ns += headless_ns;
    }
    assert_true(least_ns < 11 * SECOND);
    assert_true(most_ns > 19 * SECOND);
    // Triangular with variance 25/6: the mean of 1,000 has a standard error of 0.0645 s.
    assert_near((double)sum_ns / 1000e9, 15.0, 3.3 * 0.0645);
    world_drop(&t);
}

// A pod that is started anew tries for the lease at once: no poll to wait for.
static void a_new_contender_does_not_poll(void **state)
{
    static struct model_test t;

    (void)state;
    prepare(&t, MODEL_HA_KUBERNETES);
    t.config.master.standby = false;
    t.config.master.restart = constant(30 * SECOND);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct chain chain = chain_of(&t, seed);

        assert_time_ns(chain.detect_ns + chain.elect_ns, 30 * SECOND);
    }
    world_drop(&t);
}

// A leader that ends in order gives its claim up: nothing has to expire. The poll remains.
static void an_orderly_end_is_not_waited_for(void **state)
{
    static const enum model_ha_kind kinds[] = {MODEL_HA_FIXED, MODEL_HA_ZOOKEEPER,
                                               MODEL_HA_KUBERNETES};
    static struct model_test t;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct chain chain;

        prepare(&t, kinds[i]);
        t.faults[0].kind = MODEL_FAULT_TERMINATE;
        t.faults[0].grace_ns = 30 * SECOND;
        chain = chain_of(&t, 5);
        assert_time_ns(chain.detect_ns, 0);
        assert_int_equal(chain.elect_ns > 0, kinds[i] == MODEL_HA_KUBERNETES);
        assert_int_equal(chain.incarnation, 2);
        world_drop(&t);
    }
}

// No high availability: the job fails at the death. No master ever again: it is suspended when the
// claim is gone.
static void jobs_without_a_next_master_end(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, MODEL_HA_NONE);
    step_begin(&run, &t);
    step_until(&run, 300 * SECOND);
    assert_int_equal(run.w->state, MODEL_JOB_FAILED);
    assert_time_ns(run.w->end_ns, 100 * SECOND);
    step_end(&run);
    world_drop(&t);

    prepare(&t, MODEL_HA_FIXED);
    t.config.master.standby = false;
    t.config.master.restart_never = true;
    step_begin(&run, &t);
    step_until(&run, 300 * SECOND);
    assert_int_equal(run.w->state, MODEL_JOB_SUSPENDED);
    assert_time_ns(run.w->end_ns, 103 * SECOND);
    step_end(&run);
    world_drop(&t);
}

// A master that dies while it loads the job never starts; its successor pays the whole start.
static void a_master_may_die_while_it_starts(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, MODEL_HA_FIXED);
    t.config.ha.detect = constant(0);
    t.config.master.start = constant(10 * SECOND);
    (void)kill_master_at(&t, 104 * SECOND);
    step_begin(&run, &t);
    step_until(&run, 113 * SECOND);
    assert_int_equal(run.w->master.incarnation, 3);
    assert_true(run.w->master.alive);
    assert_false(run.w->master.started);
    step_until(&run, 114 * SECOND);
    assert_true(run.w->master.started);
    assert_u64(run.w->outage.n_failovers, 2);
    assert_time_ns(run.w->outage.failovers[0].outage_ns, 4 * SECOND);
    assert_time_ns(run.w->outage.failovers[0].phase_ns[MODEL_PHASE_START], 4 * SECOND);
    step_end(&run);
    world_drop(&t);
}

// The lease of a leader that has just been granted was renewed by the grant, not before.
static void a_grant_renews_the_claim(void **state)
{
    static struct model_test t;
    static struct step_run run;

    (void)state;
    prepare(&t, MODEL_HA_KUBERNETES);
    t.config.master.start = constant(1000 * SECOND);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        int64_t granted_ns;

        t.config.seed = seed;
        step_begin(&run, &t);
        step_until(&run, 130 * SECOND);
        granted_ns = run.w->election.granted_ns;
        step_end(&run);
        t.config.n_faults = 1;
        (void)kill_master_at(&t, granted_ns + 1 * SECOND);
        step_begin(&run, &t);
        step_until(&run, granted_ns + 40 * SECOND);
        assert_u64(run.w->outage.n_failovers, 2);
        assert_true(run.w->outage.failovers[1].phase_ns[MODEL_PHASE_DETECT] >= 14 * SECOND);
        step_end(&run);
        t.config.n_faults = 1;
    }
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_law),
        cmocka_unit_test(without_a_standby_the_restart_is_waited_for),
        cmocka_unit_test(zookeeper_sessions_expire),
        cmocka_unit_test(kubernetes_leases_expire),
        cmocka_unit_test(a_new_contender_does_not_poll),
        cmocka_unit_test(an_orderly_end_is_not_waited_for),
        cmocka_unit_test(jobs_without_a_next_master_end),
        cmocka_unit_test(a_master_may_die_while_it_starts),
        cmocka_unit_test(a_grant_renews_the_claim),
    };

    return check_main(argc, argv, "models_election", tests);
}
