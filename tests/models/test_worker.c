// SPDX-License-Identifier: GPL-3.0-or-later
//
// Workers: what they keep, when they notice, when they register, and what a dead one costs.
//
// Most tests look at one story: stage `make` (4 subtasks of 10 s) on 4 workers of one slot, then
// `read` (4 of 100 s, all-to-all). The master dies at 50 s, while all of `read` is running.
#include "check.h"

#include "models/support_step.h"

static struct model_test t;
static struct step_run run_;
static struct model_world *w;

static void prepare(enum model_ha_kind ha)
{
    uint32_t make, read;

    world_of(&t, 4, 1);
    make = stage(&t, "make", 4, constant(10 * SECOND));
    read = stage(&t, "read", 4, constant(100 * SECOND));
    reads(&t, read, make, RECOUP_ALL_TO_ALL);
    t.config.network_latency = constant(2 * MILLI);
    t.config.ha.kind = ha;
    t.config.ha.detect = constant(3 * SECOND);
    t.config.ha.lease_duration_ns = 15 * SECOND;
    t.config.ha.retry_period_ns = 5 * SECOND;
    t.config.master.start = constant(6 * SECOND);
    t.config.restart.kind = MODEL_RESTART_FIXED_DELAY;
    t.config.restart.attempts = 1000;
    (void)kill_master_at(&t, 50 * SECOND);
}

static void begin(void)
{
    step_begin(&run_, &t);
    w = run_.w;
}

static void end(void)
{
    step_end(&run_);
    world_drop(&t);
}

// How many of the first stage's partitions are in a state (they are attempts 0 to 3).
static uint32_t partitions(enum model_partition_state state)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < 4; i++) {
        n += world_attempt(w, i)->partition == state ? 1 : 0;
    }
    return n;
}

static uint32_t connected_to(uint32_t incarnation)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        n += w->workers.list[i].connected && w->workers.list[i].leader == incarnation ? 1 : 0;
    }
    return n;
}

// --- how the loss is learned --------------------------------------------------------------------

// Told: at death + detect + one latency orphans end and partitions stay; at the end of `start` the
// address is published, and one latency later all are registered, their slots theirs.
static void told_workers_keep(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    begin();
    step_until(&run_, 53 * SECOND + 2 * MILLI - 1);
    assert_u64(connected_to(1), 4);
    assert_int_equal(world_attempt(w, 4)->state, MODEL_ATTEMPT_ORPHANED);
    assert_i64(w->ledger.orphaned_ns, 0);
    step_until(&run_, 53 * SECOND + 2 * MILLI);
    assert_u64(connected_to(1), 0);
    assert_int_equal(world_attempt(w, 4)->state, MODEL_ATTEMPT_ENDED);
    assert_time_ns(w->ledger.orphaned_ns, 4 * (3 * SECOND + 2 * MILLI));
    assert_u64(partitions(MODEL_PARTITION_HELD), 4);
    step_until(&run_, 59 * SECOND + 2 * MILLI - 1);
    assert_u64(connected_to(2), 0);
    step_until(&run_, 59 * SECOND + 2 * MILLI);
    assert_u64(connected_to(2), 4);
    assert_true(w->workers.list[3].usable);
    // Asked one latency later, answered one later: nothing of `make` runs again.
    step_until(&run_, 59 * SECOND + 6 * MILLI);
    assert_true(w->master.running);
    assert_u64(w->n_attempts, 12);
    assert_u64(world_attempt(w, 8)->gid, 4);
    end();
}

// A worker without the switch in its own configuration keeps nothing, and tells nobody (H37).
static void the_workers_own_switch_counts(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    t.config.worker_policy.recovery_enabled = false;
    begin();
    step_until(&run_, 53 * SECOND + 2 * MILLI);
    assert_u64(partitions(MODEL_PARTITION_RELEASED), 4);
    end();
}

// Kubernetes tells nobody. A leader found before the heartbeats time out costs the partitions
// (H35), unless retention belongs to the job.
static void meeting_the_new_leader_first_drops(void **state)
{
    (void)state;
    for (int by_job = 0; by_job < 2; by_job++) {
        int64_t start_ns;

        prepare(MODEL_HA_KUBERNETES);
        t.config.worker_policy.retention_by_job = by_job != 0;
        begin();
        while (!w->master.started || w->master.incarnation == 1) {
            step_until(&run_, w->now_ns + MILLI);
        }
        assert_u64(connected_to(1), 4);
        assert_u64(partitions(MODEL_PARTITION_HELD), 4);
        start_ns = w->election.granted_ns + 6 * SECOND;
        step_until(&run_, start_ns + 2 * MILLI);
        assert_u64(connected_to(2), 4);
        assert_u64(partitions(by_job ? MODEL_PARTITION_HELD : MODEL_PARTITION_RELEASED), 4);
        assert_int_equal(world_attempt(w, 4)->state, MODEL_ATTEMPT_ENDED);
        end();
    }
}

// A slow new master: each worker's heartbeat timeout comes first, 50 s after the last heartbeat
// that it received, and it keeps its partitions.
static void heartbeat_timeouts_keep(void **state)
{
    (void)state;
    prepare(MODEL_HA_KUBERNETES);
    t.config.master.start = constant(100 * SECOND);
    begin();
    step_until(&run_, 50 * SECOND + 40 * SECOND);
    assert_u64(connected_to(1), 4);
    step_until(&run_, 50 * SECOND + 50 * SECOND + 2 * MILLI);
    assert_u64(connected_to(1), 0);
    for (uint32_t i = 0; i < 4; i++) {
        int64_t noticed_ns = w->workers.list[i].disconnected_ns;

        assert_true(noticed_ns > 90 * SECOND && noticed_ns <= 100 * SECOND + 2 * MILLI);
    }
    assert_true(w->workers.list[0].disconnected_ns != w->workers.list[1].disconnected_ns);
    assert_u64(partitions(MODEL_PARTITION_HELD), 4);
    end();
}

// An orderly end says good-bye, one latency later, and the partitions go (H35).
static void good_byes_drop(void **state)
{
    (void)state;
    for (int by_job = 0; by_job < 2; by_job++) {
        prepare(MODEL_HA_FIXED);
        t.config.worker_policy.retention_by_job = by_job != 0;
        t.faults[0].kind = MODEL_FAULT_TERMINATE;
        t.faults[0].grace_ns = 30 * SECOND;
        begin();
        step_until(&run_, 50 * SECOND + 2 * MILLI - 1);
        assert_u64(w->master.incarnation, 2);
        assert_u64(connected_to(1), 4);
        step_until(&run_, 50 * SECOND + 2 * MILLI);
        assert_u64(connected_to(1), 0);
        assert_u64(partitions(by_job ? MODEL_PARTITION_HELD : MODEL_PARTITION_RELEASED), 4);
        end();
    }
}

// News arrive in their order: a master that is there before the news of the loss is met after it.
static void the_loss_is_told_before_the_new_leader(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    t.config.master.start = constant(0);
    begin();
    step_until(&run_, 53 * SECOND);
    assert_true(w->master.started);
    assert_u64(connected_to(1), 4);
    step_until(&run_, 53 * SECOND + 4 * MILLI);
    assert_u64(connected_to(2), 4);
    assert_u64(partitions(MODEL_PARTITION_HELD), 4);
    end();
}

// --- retention ----------------------------------------------------------------------------------

// Nobody asks: five minutes after the disconnect the partitions go.
static void retention_ends(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    t.config.master.start = constant(1000 * SECOND);
    begin();
    step_until(&run_, 353 * SECOND + 2 * MILLI - 1);
    assert_u64(partitions(MODEL_PARTITION_HELD), 4);
    step_until(&run_, 353 * SECOND + 2 * MILLI);
    assert_u64(partitions(MODEL_PARTITION_RELEASED), 4);
    end();
}

// Flink's timer belongs to no disconnect: one from an earlier disconnect ends a later retention
// after ten seconds (H36). Keyed, the later one has its own five minutes.
static void retention_timers_and_disconnects(void **state)
{
    (void)state;
    for (int keyed = 0; keyed < 2; keyed++) {
        prepare(MODEL_HA_FIXED);
        t.stages[1].duration = constant(10000 * SECOND);
        t.config.worker_policy.retention_timer_keyed = keyed != 0;
        t.config.options.worker_recovery_timeout_ns = 30 * SECOND;
        (void)kill_master_at(&t, 340 * SECOND);
        begin();
        step_until(&run_, 342 * SECOND);
        assert_u64(connected_to(2), 4);
        assert_false(w->workers.list[0].in_cleanup);
        t.config.master.start = constant(1000 * SECOND);  // the third is slow
        step_until(&run_, 353 * SECOND + 2 * MILLI - 1);
        assert_u64(partitions(MODEL_PARTITION_HELD), 4);
        step_until(&run_, 353 * SECOND + 2 * MILLI);
        assert_u64(partitions(keyed ? MODEL_PARTITION_HELD : MODEL_PARTITION_RELEASED), 4);
        step_until(&run_, 643 * SECOND + 2 * MILLI);
        assert_u64(partitions(MODEL_PARTITION_RELEASED), 4);
        end();
    }
}

// A worker that is never asked loses its partitions at the timer though it is connected (H36).
static void only_being_asked_clears(void **state)
{
    (void)state;
    for (int keyed = 0; keyed < 2; keyed++) {
        prepare(MODEL_HA_FIXED);
        t.stages[1].duration = constant(10000 * SECOND);
        t.config.worker_policy.retention_timer_keyed = keyed != 0;
        t.config.options.worker_recovery_timeout_ns = 1 * SECOND;
        t.config.cluster.reconnect_given = true;
        t.config.cluster.reconnect = constant(20 * SECOND);  // after the wait: never asked
        begin();
        step_until(&run_, 353 * SECOND + 2 * MILLI - 1);
        assert_u64(connected_to(2), 4);
        assert_u64(partitions(MODEL_PARTITION_HELD), 4);
        assert_int_equal(w->workers.list[0].in_cleanup, keyed == 0);
        step_until(&run_, 353 * SECOND + 2 * MILLI);
        assert_u64(partitions(keyed ? MODEL_PARTITION_HELD : MODEL_PARTITION_RELEASED), 4);
        end();
    }
}

// --- registration -------------------------------------------------------------------------------

// The law of reconnects replaces the latency; every worker draws its own.
static void reconnects_follow_their_law(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    t.config.cluster.reconnect_given = true;
    t.config.cluster.reconnect = uniform(1 * SECOND, 9 * SECOND);
    begin();
    step_until(&run_, 60 * SECOND - 1);
    assert_u64(connected_to(2), 0);
    step_until(&run_, 68 * SECOND);
    assert_u64(connected_to(2), 4);
    assert_true(w->workers.list[0].connected_ns != w->workers.list[1].connected_ns);
    end();
}

// Slots wait ten seconds for the job; after that they cost one more round trip.
static void slots_are_kept_for_a_while(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        // Disconnected at 53.002 s, registered at 53 s + start + 2 ms.
        int64_t registered_ns = 63 * SECOND + 2 * MILLI + late;

        prepare(MODEL_HA_FIXED);
        t.config.master.start = constant(10 * SECOND + late);
        begin();
        step_until(&run_, registered_ns);
        assert_u64(connected_to(2), 4);
        assert_int_equal(w->workers.list[2].usable, late == 0);
        step_until(&run_, registered_ns + 4 * MILLI - 1);
        assert_int_equal(w->workers.list[2].usable, late == 0);
        step_until(&run_, registered_ns + 4 * MILLI);
        assert_true(w->workers.list[2].usable);
        end();
    }
}

// --- reports ------------------------------------------------------------------------------------

// A report lists what the worker holds then, under the ids of the attempts.
static void reports_list_what_is_held(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    t.stages[0].output = constant(777);
    begin();
    step_until(&run_, 59 * SECOND + 6 * MILLI);
    assert_u64(w->workers.report_capacity, 64);
    assert_u64(w->workers.report[0].stage, 0);
    assert_u64(w->workers.report[0].subtask, 3);
    assert_u64(w->workers.report[0].attempt, (UINT64_C(1) << 32) | 3);
    assert_u64(w->workers.report[0].bytes, 777);
    assert_u64(w->workers.report[0].worker, 3);
    assert_u64(w->workers.list[3].listed, 1);
    assert_u64(w->workers.list[3].held.attempts[0], 3);
    end();
}

// What is released leaves the list; the rest is reported.
static void released_partitions_leave_the_list(void **state)
{
    (void)state;
    world_of(&t, 1, 3);
    (void)stage(&t, "make", 3, constant(10 * SECOND));
    (void)stage(&t, "read", 1, constant(100 * SECOND));
    reads(&t, 1, 0, RECOUP_ALL_TO_ALL);
    begin();
    step_until(&run_, 20 * SECOND);
    assert_u64(w->workers.list[0].listed, 3);
    assert_u64(w->workers.list[0].held.attempts[2], 2);
    worker_release(w, 1);
    assert_int_equal(world_attempt(w, 1)->partition, MODEL_PARTITION_RELEASED);
    worker_release(w, 1);
    worker_ask(w, 0);
    step_until(&run_, 21 * SECOND);
    assert_u64(w->workers.report[0].subtask, 2);
    assert_u64(w->workers.report[1].subtask, 0);
    assert_u64(w->workers.list[0].listed, 2);
    assert_u64(w->workers.list[0].held.attempts[1], 2);
    end();
}

// --- death and return ---------------------------------------------------------------------------

static void prepare_death(int64_t at_ns)
{
    prepare(MODEL_HA_FIXED);
    t.config.n_faults = 0;
    t.config.cluster.restart_never = false;
    t.config.cluster.restart = constant(60 * SECOND);
    (void)kill_worker_at(&t, 1, at_ns);
}

// A killed worker's task is lost at once, and its data; the master learns of it by the second
// failed heartbeat: 10 to 20 s later, by the phase of the connection.
static void deaths_are_noticed_by_heartbeats(void **state)
{
    int64_t noticed_ns = 0;

    (void)state;
    prepare_death(50 * SECOND);
    begin();
    step_until(&run_, 50 * SECOND);
    assert_int_equal(world_attempt(w, 1)->partition, MODEL_PARTITION_LOST);
    assert_int_equal(world_attempt(w, 5)->state, MODEL_ATTEMPT_ENDED);
    assert_int_equal(world_attempt(w, 5)->cause, MODEL_CAUSE_WORKER_FAILURE);
    assert_u64(w->workers.n_alive, 3);
    while (w->workers.list[1].registered == 1) {
        step_until(&run_, w->now_ns + 100 * MILLI);
        noticed_ns = w->now_ns;
    }
    assert_true(noticed_ns >= 60 * SECOND && noticed_ns <= 70 * SECOND + 100 * MILLI);
    assert_false(w->workers.list[1].usable);
    step_until(&run_, 110 * SECOND);
    assert_true(w->workers.list[1].alive);
    assert_u64(connected_to(1), 3);
    step_until(&run_, 110 * SECOND + 2 * MILLI);
    assert_u64(connected_to(1), 4);
    assert_false(w->workers.list[1].usable);
    step_until(&run_, 110 * SECOND + 6 * MILLI);
    assert_true(w->workers.list[1].usable);
    step_until(&run_, 1000 * SECOND);
    assert_int_equal(w->state, MODEL_JOB_FINISHED);
    end();
}

// Without counting failed requests the whole heartbeat timeout must pass since the last answer.
static void deaths_are_noticed_by_timeout(void **state)
{
    (void)state;
    prepare_death(50 * SECOND);
    t.config.timeouts.heartbeat_rpc_failures = -1;
    t.config.cluster.restart_never = true;
    begin();
    step_until(&run_, 90 * SECOND - 1);
    assert_u64(w->workers.list[1].registered, 1);
    step_until(&run_, 100 * SECOND);
    assert_u64(w->workers.list[1].registered, 0);
    end();
}

// A worker that is back before its death is noticed tells by registering anew: the old registration
// is lost first.
static void returns_tell_of_deaths(void **state)
{
    (void)state;
    prepare_death(50 * SECOND);
    t.config.cluster.restart = constant(1 * SECOND);
    begin();
    step_until(&run_, 51 * SECOND + 2 * MILLI - 1);
    assert_u64(w->workers.list[1].registered, 1);
    assert_u64(w->workers.list[1].registrations, 1);
    assert_true(w->workers.list[1].alive);
    assert_u64(w->workers.slot_attempt[1], 5);
    step_until(&run_, 51 * SECOND + 2 * MILLI);
    assert_u64(w->workers.list[1].registrations, 2);
    assert_true(w->workers.list[1].connected);
    assert_u64(w->workers.slot_attempt[1], MODEL_NONE);
    step_until(&run_, 1000 * SECOND);
    assert_int_equal(w->state, MODEL_JOB_FINISHED);
    end();
}

// The master deploys to a worker whose death it has not noticed: that attempt never runs, and the
// work is done elsewhere when the death is noticed.
static void deployments_to_the_dead_are_lost(void **state)
{
    (void)state;
    world_of(&t, 2, 1);
    (void)stage(&t, "quick", 1, constant(10 * SECOND));
    (void)stage(&t, "slow", 1, constant(30 * SECOND));
    (void)stage(&t, "second", 2, constant(10 * SECOND));
    t.config.network_latency = constant(50 * MILLI);
    t.config.restart.kind = MODEL_RESTART_FIXED_DELAY;
    t.config.restart.attempts = 10;
    begin();
    step_until(&run_, 10 * SECOND);
    // Worker 0 has finished its first task, and dies while the report is on its way.
    assert_int_equal(world_attempt(w, 0)->state, MODEL_ATTEMPT_REPORTING);
    worker_kill(w, 0, false);
    step_until(&run_, w->now_ns + 60 * MILLI);
    // The report arrived all the same, and the freed slot was used again.
    assert_int_equal(world_attempt(w, 0)->state, MODEL_ATTEMPT_FINISHED);
    assert_u64(w->n_attempts, 3);
    assert_int_equal(world_attempt(w, 2)->state, MODEL_ATTEMPT_ENDED);
    assert_u64(w->workers.slot_attempt[0], 2);
    step_until(&run_, 1000 * SECOND);
    assert_int_equal(w->state, MODEL_JOB_FINISHED);
    assert_i64(w->ledger.attempts, (int64_t)w->n_attempts - 1);
    end();
}

// A master and a worker that die together, in either order, leave a consistent world.
static void double_deaths(void **state)
{
    (void)state;
    for (int64_t offset_ms = -20000; offset_ms <= 20000; offset_ms += 500) {
        prepare(MODEL_HA_FIXED);
        t.config.cluster.restart_never = false;
        t.config.cluster.restart = constant(7 * SECOND);
        (void)kill_worker_at(&t, 1, 50 * SECOND + offset_ms * MILLI);
        (void)kill_worker_at(&t, 2, 50 * SECOND + offset_ms / 2 * MILLI);
        run(&t);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        assert_u64(t.result.n_failovers, 1);
        no_findings(&t);
        world_drop(&t);
    }
}

// A cancelled attempt frees its slot when the order arrives, and is lost for what was taken back.
static void cancels_free_slots(void **state)
{
    (void)state;
    prepare(MODEL_HA_FIXED);
    begin();
    step_until(&run_, 20 * SECOND);
    assert_int_equal(world_attempt(w, 6)->state, MODEL_ATTEMPT_RUNNING);
    assert_u64(w->workers.slot_attempt[2], 6);
    worker_cancel(w, 6);
    assert_int_equal(world_attempt(w, 6)->state, MODEL_ATTEMPT_ENDED);
    assert_int_equal(world_attempt(w, 6)->cause, MODEL_CAUSE_DOWNSTREAM_OF_RESET);
    assert_u64(w->workers.slot_attempt[2], MODEL_NONE);
    worker_cancel(w, 6);
    assert_i64(w->ledger.lost_ns, 20 * SECOND - world_attempt(w, 6)->start_ns);
    end();
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_workers_keep),
        cmocka_unit_test(the_workers_own_switch_counts),
        cmocka_unit_test(meeting_the_new_leader_first_drops),
        cmocka_unit_test(heartbeat_timeouts_keep),
        cmocka_unit_test(good_byes_drop),
        cmocka_unit_test(the_loss_is_told_before_the_new_leader),
        cmocka_unit_test(retention_ends),
        cmocka_unit_test(retention_timers_and_disconnects),
        cmocka_unit_test(only_being_asked_clears),
        cmocka_unit_test(reconnects_follow_their_law),
        cmocka_unit_test(slots_are_kept_for_a_while),
        cmocka_unit_test(reports_list_what_is_held),
        cmocka_unit_test(released_partitions_leave_the_list),
        cmocka_unit_test(deaths_are_noticed_by_heartbeats),
        cmocka_unit_test(deaths_are_noticed_by_timeout),
        cmocka_unit_test(returns_tell_of_deaths),
        cmocka_unit_test(deployments_to_the_dead_are_lost),
        cmocka_unit_test(double_deaths),
        cmocka_unit_test(cancels_free_slots),
    };

    return check_main(argc, argv, "models_worker", tests);
}
