// SPDX-License-Identifier: GPL-3.0-or-later
//
// The oracles: healthy runs have no findings, and each main checker fires on a state that is wrong.
// A planted state is made in a world that ran properly up to there.
#include "check.h"
#include "models/support_oracle.h"

#define HEALTHY_SEEDS 40u

static void begin(struct oracle *o, enum recoup_profile profile, int64_t at_ns)
{
    memset(o, 0, sizeof(*o));
    oracle_two_stages(o, profile);
    oracle_begin(o);
    oracle_until(o, at_ns);
    assert_u64(o->w->invariants.total, 0);
}

// Exactly one kind of finding, so many times, and nothing excuses it.
static void found(struct oracle *o, const char *invariant, uint32_t times)
{
    if (oracle_found(o, invariant) != times)
        print_error("%s: %s\n", invariant, o->w->invariants.findings[0].message);
    assert_u64(oracle_found(o, invariant), times);
    assert_u64(o->w->invariants.total, times);
    assert_null(oracle_hazard(o, invariant));
    oracle_forget(o);
}

// --- the table ----------------------------------------------------------------------------------

// Every hazard that a row names is known, and ids are unique.
static void the_table_is_sound(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 0);
    for (uint32_t i = 0; i < model_invariant_count(); i++) {
        const struct model_invariant_info *info = model_invariant_info(i);

        assert_ptr_equal(model_invariant_find(info->id), info);
        assert_true(strlen(info->sentence) > 10);
        for (const char *at = info->hazards; *at != '\0'; at += strspn(at, " ")) {
            char id[8] = {0};
            size_t n = strcspn(at, " ");

            memcpy(id, at, n);
            invariants_hazard_active(o.w, id);  // asserts that it is known
            at += n;
        }
    }
    assert_null(model_invariant_find("X1"));
    oracle_end(&o);
}

// The hazard is the preferred one, else the first that is active, else none.
static void a_hazard_is_named_if_its_policy_is_flinks(void **state)
{
    struct oracle o;
    int64_t *policy;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 0);
    policy = o.test.config.options.policy;
    assert_string_equal(invariants_hazard(o.w, "R2", "H19"), "H19");
    assert_string_equal(invariants_hazard(o.w, "R2", NULL), "H2");
    policy[RECOUP_POLICY_ON_ERROR] = 1;
    assert_string_equal(invariants_hazard(o.w, "R2", NULL), "H19");
    policy[RECOUP_POLICY_LOG_RESETS] = 1;
    assert_string_equal(invariants_hazard(o.w, "R2", "H19"), "H20");
    assert_null(invariants_hazard(o.w, "R2", ""));
    policy[RECOUP_POLICY_ORDER] = 1;
    assert_null(invariants_hazard(o.w, "R2", "H19"));
    assert_null(invariants_hazard(o.w, "T8", NULL));
    assert_string_equal(invariants_hazard(o.w, "W1", NULL), "H35");
    o.test.config.worker_policy.retention_by_job = true;
    assert_string_equal(invariants_hazard(o.w, "W1", NULL), "H36");
    oracle_end(&o);
}

// A finding says where and when; from the limit on they are only counted.
static void findings_are_kept_up_to_a_limit(void **state)
{
    struct oracle o;
    struct model_result result = {0};

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 10 * SECOND);
    for (uint32_t i = 0; i < MODEL_FINDINGS_MAX + 10; i++)
        invariants_finding(o.w, "W6", "slot %u of %llu", i, 77);
    assert_string_equal(o.w->invariants.findings[3].message, "slot 3 of 77");
    assert_time_ns(o.w->invariants.findings[3].at_ns, o.w->now_ns);
    invariants_finish(o.w, &result);
    assert_u64(result.n_findings, MODEL_FINDINGS_MAX);
    assert_u64(result.findings_total, MODEL_FINDINGS_MAX + 10);
    model_result_release(&result);
    oracle_end(&o);
}

// A bug takes the last place among many explained findings, rather than being counted only.
static void a_bug_is_kept_among_many_findings(void **state)
{
    struct oracle o;
    const struct model_finding *last;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 10 * SECOND);
    last = &o.w->invariants.findings[MODEL_FINDINGS_MAX - 1];
    for (uint32_t i = 0; i < MODEL_FINDINGS_MAX + 10; i++)
        invariants_finding(o.w, "W1", "explained %u", i, 0);
    assert_string_equal(last->message, "explained 255");
    assert_non_null(last->hazard);
    invariants_finding(o.w, "T8", "a bug", 0, 0);
    assert_string_equal(last->message, "a bug");
    assert_null(last->hazard);
    invariants_finding(o.w, "T8", "another bug", 0, 0);
    invariants_finding(o.w, "W1", "explained again", 0, 0);
    assert_string_equal(last->message, "a bug");
    assert_u64(o.w->invariants.total, MODEL_FINDINGS_MAX + 13);
    oracle_end(&o);
}

// A kind that comes late is kept all the same: the one bug behind a thousand findings that a policy
// explains must be seen.
static void a_late_kind_of_finding_is_kept(void **state)
{
    struct oracle o;
    const struct model_invariant_state *found;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 10 * SECOND);
    found = &o.w->invariants;
    invariants_finding(o.w, "T8", "the first, of %u", 1, 0);
    for (uint32_t i = 0; i < MODEL_FINDINGS_MAX + 10; i++)
        invariants_finding(o.w, "R2", "number %u", i, 0);
    assert_u64(found->n_findings, MODEL_FINDINGS_MAX);
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 1].message, "number 254");
    invariants_finding(o.w, "W6", "slot %u", 5, 0);
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 1].message, "slot 5");
    assert_null(found->findings[MODEL_FINDINGS_MAX - 1].hazard);
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 2].message, "number 253");
    invariants_finding(o.w, "W6", "slot %u", 6, 0);
    invariants_finding(o.w, "T1", "task %u", 7, 0);
    assert_u64(found->n_findings, MODEL_FINDINGS_MAX);
    assert_u64(found->total, MODEL_FINDINGS_MAX + 14);
    assert_string_equal(found->findings[0].message, "the first, of 1");
    assert_string_equal(found->findings[1].message, "number 0");
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 3].message, "number 252");
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 2].message, "slot 5");
    assert_string_equal(found->findings[MODEL_FINDINGS_MAX - 1].message, "task 7");
    oracle_end(&o);
}

// --- healthy runs -------------------------------------------------------------------------------

static void run_random(uint64_t seed, enum recoup_profile profile, bool mix)
{
    static struct model_test t;
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};

    random_scenario(&t, seed, profile, mix);
    assert_int_equal(model_run(&t.config, &options, &t.arena, &t.result), 0);
    ledgers_close(&t);
    for (uint32_t i = 0; i < t.result.n_findings; i++) {
        const struct model_finding *finding = &t.result.findings[i];

        if (finding->hazard == NULL || (profile == RECOUP_PROFILE_HARDENED && !mix)) {
            print_error("seed %" PRIu64 ": %s: %s\n", seed, finding->invariant, finding->message);
            assert_non_null(finding->hazard);
            fail();
        }
    }
    world_drop(&t);
}

// Random jobs, clusters, stores and faults in profile hardened: no findings at all.
static void hardened_runs_have_no_findings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HEALTHY_SEEDS; seed++)
        run_random(seed, RECOUP_PROFILE_HARDENED, false);
}

// The same in profile flink-1.20, and with each policy drawn: every finding is explained.
static void findings_of_flink_are_explained(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HEALTHY_SEEDS; seed++) {
        run_random(seed, RECOUP_PROFILE_FLINK_1_20, false);
        run_random(seed, RECOUP_PROFILE_FLINK_1_20, true);
    }
}

// Snapshots larger than a block of the library's queue, with a death in their midst.
static void large_snapshots_are_recovered(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_HARDENED);
    o.test.stages[0].parallelism = 60;
    o.test.stages[0].duration = uniform(1 * SECOND, 2 * SECOND);
    o.test.stages[0].source.splits = 3000;
    kill_master_at(&o.test, 20 * SECOND);
    run(&o.test);
    assert_int_equal(o.test.result.state, MODEL_JOB_FINISHED);
    assert_u64(o.test.result.n_failovers, 1);
    assert_true(o.test.result.failovers[0].finished_recovered > 10);
    no_findings(&o.test);
    world_drop(&o.test);
}

// --- planted: attempts --------------------------------------------------------------------------

static void W6_a_slot_runs_two_attempts(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 500 * MILLI);
    world_attempt(o.w, 1)->worker = world_attempt(o.w, 0)->worker;
    invariants_attempt_started(o.w, 1);
    found(&o, "W6", 2);  // another runs there, and it does not occupy the slot
    oracle_end(&o);
}

static void T3_a_consumer_starts_without_its_inputs(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    for (uint32_t i = 0; i < 2; i++)
        world_attempt(o.w, i)->partition = MODEL_PARTITION_LOST;
    invariants_attempt_started(o.w, 2);
    found(&o, "T3", 1);
    for (uint32_t i = 0; i < 2; i++)
        invariants_attempt_reset(o.w, i);
    invariants_attempt_started(o.w, 2);
    found(&o, "T3", 1);
    oracle_end(&o);
}

static void T9_a_finished_task_runs_again_for_no_reason(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    world_attempt(o.w, 2)->gid = 0;
    invariants_attempt_started(o.w, 2);
    found(&o, "T9", 1);  // attempt 0 is still held
    invariants_attempt_reset(o.w, 0);
    invariants_attempt_started(o.w, 2);
    found(&o, "T9", 1);  // it was taken back, and counts as lost for no cause
    world_attempt(o.w, 0)->cause = MODEL_CAUSE_PARTITION_LOST;
    invariants_attempt_started(o.w, 2);
    assert_u64(o.w->invariants.total, 0);
    oracle_end(&o);
}

static void T1_T5_a_task_finishes_twice(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    invariants_attempt_finished(o.w, 0);
    assert_u64(oracle_found(&o, "T1"), 1);
    assert_u64(oracle_found(&o, "T5"), 1);
    oracle_end(&o);
}

static void T4_an_input_changes_while_its_consumer_runs(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    invariants_attempt_reset(o.w, 0);
    invariants_attempt_finished(o.w, 2);
    found(&o, "T4", 1);
    oracle_end(&o);
}

static void R9_a_finish_of_an_earlier_master_is_accepted(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    world_attempt(o.w, 2)->incarnation = 7;
    invariants_attempt_finished(o.w, 2);
    found(&o, "R9", 1);
    oracle_end(&o);
}

// --- planted: the store -------------------------------------------------------------------------

static void S1_S10_durable_is_said_of_what_is_not(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    invariants_durable(o.w, 1, 1000);
    found(&o, "S1", 1);
    invariants_durable(o.w, 1, 1);
    found(&o, "S10", 1);
    oracle_end(&o);
}

static void step_update(struct oracle *o, struct recoup_action *action)
{
    struct recoup_update update = {action, 1, 0};

    invariants_update(o->w, &update);
}

static void S11_recording_ends_silently(void **state)
{
    struct recoup_action lost = {.type = RECOUP_ACTION_PROTECTION_LOST};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    step_update(&o, &lost);
    assert_u64(o.w->invariants.total, 0);
    invariants_durable(o.w, 1, invariant_incarnation_of(o.w, 1)->accepted + 1);
    assert_u64(oracle_found(&o, "S11"), 1);
    oracle_end(&o);
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 1500 * MILLI);
    step_update(&o, &lost);
    assert_u64(oracle_found(&o, "S11"), 1);
    assert_string_equal(oracle_hazard(&o, "S11"), "H4");  // no operation failed
    oracle_end(&o);
}

static void S2_a_number_is_given_twice(void **state)
{
    struct recoup_update update = {NULL, 0, 1};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    invariants_update(o.w, &update);
    found(&o, "S2", 1);
    oracle_end(&o);
}

static void R6_S7_recovery_ends_twice(void **state)
{
    struct recoup_action failed = {.type = RECOUP_ACTION_RECOVERY_FAILED};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    step_update(&o, &failed);
    assert_u64(oracle_found(&o, "R6"), 1);
    assert_u64(oracle_found(&o, "S7"), 1);
    oracle_end(&o);
}

static void S15_R4_R10_S13_operations_break_the_rules(void **state)
{
    struct recoup_action io = {.type = RECOUP_ACTION_APPEND, .io = {.size = 10}};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 1500 * MILLI);
    snprintf(io.io.file, sizeof(io.io.file), "events.0");
    o.w->invariants.own->file_open = false;
    invariants_io(o.w, &io, 1);
    assert_u64(oracle_found(&o, "R4") + oracle_found(&o, "S15"), 1);
    oracle_forget(&o);
    snprintf(io.io.file, sizeof(io.io.file), "events.99");
    invariants_io(o.w, &io, 1);
    found(&o, "R4", 1);
    o.w->storage.operation.busy = true;
    invariants_io(o.w, &(struct recoup_action){.type = RECOUP_ACTION_LIST}, 1);
    found(&o, "S15", 1);
    o.w->storage.operation.busy = false;
    io.type = RECOUP_ACTION_CREATE;
    snprintf(io.io.file, sizeof(io.io.file), "events.0");
    invariants_io(o.w, &io, 1);
    found(&o, "S13", o.w->invariants.own->file_index == 0 ? 1 : 0);
    invariants_io_failed(o.w, &io, 1);
    invariants_io(o.w, &io, 1);
    found(&o, "S13", 0);
    invariants_io(o.w, &io, 1);
    found(&o, "S13", 1);
    snprintf(io.io.file, sizeof(io.io.file), "strange");
    invariants_io(o.w, &io, 1);
    found(&o, "S15", 1);
    io.type = RECOUP_ACTION_REMOVE;
    invariants_io(o.w, &io, 3);
    assert_u64(oracle_found(&o, "R10"), 1);
    assert_string_equal(oracle_hazard(&o, "R10"), "H16");
    oracle_end(&o);
}

static void S16_bytes_vanish(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 10 * SECOND);
    o.w->storage.bytes_appended++;
    invariants_check_store(o.w);
    assert_u64(oracle_found(&o, "S16"), 2);  // and more was taken than was written
    oracle_end(&o);
}

// A chunk larger than the buffer passes through it, and no flush follows (H14).
static void S9_a_large_event_is_not_flushed(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    o.test.stages[0].duration = uniform(1 * SECOND, 9 * SECOND);
    o.test.stages[0].parallelism = 12;
    o.test.config.options.write_buffer_bytes = 64;
    o.test.config.options.flush_interval_ns = 100 * MILLI;
    run(&o.test);
    assert_true(o.test.result.n_findings > 0);
    assert_string_equal(o.test.result.findings[0].invariant, "S9");
    assert_string_equal(o.test.result.findings[0].hazard, "H14");
    o.test.config.options.policy[RECOUP_POLICY_FRAMING] = 1;
    run(&o.test);
    no_findings(&o.test);
    world_drop(&o.test);
}

static void L5_a_loop_at_one_instant(void **state)
{
    struct recoup_update update = {NULL, 0, 0};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    invariants_update(o.w, &update);
    o.w->events += 2000000;
    invariants_update(o.w, &update);
    invariants_update(o.w, &update);
    found(&o, "L5", 1);
    oracle_end(&o);
}

// --- planted: recovery --------------------------------------------------------------------------

// A world in which the second master waits for workers that do not know of it yet; nothing is
// settled.
static void begin_waiting(struct oracle *o, enum recoup_profile profile)
{
    memset(o, 0, sizeof(*o));
    oracle_two_stages(o, profile);
    kill_master_at(&o->test, 2500 * MILLI);
    o->test.config.cluster.reconnect_given = true;
    o->test.config.cluster.reconnect = constant(10 * SECOND);
    oracle_begin(o);
    oracle_until(o, 3 * SECOND);
    assert_u64(o->w->master.incarnation, 2);
    assert_int_equal(recoup_phase(o->w->master.job), RECOUP_PHASE_WAITING);
    assert_u64(o->w->invariants.total, 0);
}

// What settle() does before it calls the oracle, for a replay that marked both subtasks of "a".
static void mark(struct oracle *o, uint32_t gid, uint32_t attempt)
{
    o->w->subtasks[gid].state =
        attempt == MODEL_NONE ? MODEL_SUBTASK_WAITING : MODEL_SUBTASK_FINISHED;
    o->w->subtasks[gid].attempt = attempt;
}

static void S3_replay_diverges_from_the_reference_model(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_FLINK_1_20);
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    assert_u64(o.w->invariants.total, 0);
    mark(&o, 0, MODEL_NONE);
    invariants_replayed(o.w);
    found(&o, "S3", 1);  // one is forgotten, in any profile
    oracle_end(&o);
}

static void S2_a_finish_is_invented(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_FLINK_1_20);
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariant_shadow_of(o.w, 1)->flags = 0;
    invariants_replayed(o.w);
    found(&o, "S2", 1);
    oracle_end(&o);
}

static void S1_an_acknowledged_event_is_gone(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_FLINK_1_20);
    assert_true(invariant_incarnation_of(o.w, 1)->acked >= world_attempt(o.w, 0)->event);
    o.w->invariants.reference.attempt_bits[0] = 0;
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    found(&o, "S1", 1);
    o.w->invariants.reference.attempt_bits[1] = 0;
    o.w->invariants.reference.readable[1] = 1000;
    invariant_incarnation_of(o.w, 1)->acked = 0;
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    assert_u64(oracle_found(&o, "S2"), 1);  // holes, which Flink's reader tolerates
    assert_string_equal(oracle_hazard(&o, "S2"), "H9");
    oracle_end(&o);
}

static void R1_a_finish_counts_behind_the_last_point(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_FLINK_1_20);
    o.w->invariants.reference.pictures[1].point = 1;  // in the order of the log
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    assert_u64(oracle_found(&o, "R1"), 1);
    assert_string_equal(oracle_hazard(&o, "R1"), "H20");
    oracle_end(&o);
}

// A phantom: taken back by the first master before its last events, and finished again.
static void phantom(enum recoup_profile profile, enum invariant_how how, const char *invariant,
                    const char *hazard)
{
    struct oracle o;
    struct invariant_taking *taking;

    begin_waiting(&o, profile);
    invariants_attempt_reset(o.w, 0);
    taking = sim_chunks_at(&o.w->invariants.own->takings, 0);
    taking->incarnation = 1;
    taking->event = 1;
    taking->how = (uint32_t)how;
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    assert_u64(oracle_found(&o, invariant), 1);
    if (hazard == NULL)
        assert_null(oracle_hazard(&o, invariant));
    else
        assert_string_equal(oracle_hazard(&o, invariant), hazard);
    oracle_forget(&o);
    // Once it is held again it is no phantom any more.
    invariants_replayed(o.w);
    assert_u64(o.w->invariants.total, 0);
    oracle_end(&o);
}

static void R2_T9_R1_phantoms(void **state)
{
    (void)state;
    phantom(RECOUP_PROFILE_FLINK_1_20, INVARIANT_FORGOTTEN, "R2", "H19");
    phantom(RECOUP_PROFILE_FLINK_1_20, INVARIANT_IN_RECOVERY, "R2", "H19");
    phantom(RECOUP_PROFILE_FLINK_1_20, INVARIANT_RUNNING, "T9", "H21");
    phantom(RECOUP_PROFILE_FLINK_1_20, INVARIANT_UNPROTECTED, "R1", "H2");
    phantom(RECOUP_PROFILE_HARDENED, INVARIANT_IN_RECOVERY, "R2", NULL);
    phantom(RECOUP_PROFILE_HARDENED, INVARIANT_RUNNING, "T9", NULL);
}

// The same log recovered once more gives the same state: no phantom as long as nothing follows it.
static void the_same_log_again_is_no_phantom(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_HARDENED);
    invariants_attempt_reset(o.w, 0);
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    invariants_replayed(o.w);
    assert_u64(o.w->invariants.total, 0);
    oracle_end(&o);
}

static void R5_R7_T6_R1_recovered_wrongly(void **state)
{
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_HARDENED);
    o.w->stages[0].parallelism = o.w->stages[1].parallelism = 2;
    mark(&o, 0, 0);
    mark(&o, 1, 1);
    o.w->master.todo.nothing_there = false;  // as the first master had found it
    invariants_replayed(o.w);
    invariants_recovered(o.w);
    assert_u64(o.w->invariants.total, 0);
    o.w->outage.failovers[0].phase_ns[MODEL_PHASE_WAIT_WORKERS] = 1000 * SECOND;
    invariants_recovered(o.w);
    assert_u64(oracle_found(&o, "R5"), 1);
    assert_u64(oracle_found(&o, "R6"), 1);  // and recovered twice
    o.w->master.todo.nothing_there = true;
    invariants_recovered(o.w);
    assert_u64(oracle_found(&o, "R7"), 1);
    o.w->invariants.own->parallelism[0] = 3;
    invariants_recovered(o.w);
    assert_u64(oracle_found(&o, "T6"), 1);
    mark(&o, 1, 2);
    invariants_recovered(o.w);
    assert_u64(oracle_found(&o, "R1"), 1);
    oracle_end(&o);
}

// --- planted: partitions ------------------------------------------------------------------------

static void W3_W5_partitions_are_released_or_adopted_wrongly(void **state)
{
    struct recoup_partition partition = {0, 0, UINT64_C(1) << 32, 1024, 0};
    struct recoup_action action = {.type = RECOUP_ACTION_RELEASE,
                                   .partitions = {&partition, 1}};
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    step_update(&o, &action);
    found(&o, "W3", 1);  // its consumers run
    action.type = RECOUP_ACTION_TRACK;
    step_update(&o, &action);
    assert_u64(o.w->invariants.total, 0);
    partition.attempt = UINT64_C(1) << 32 | 1;
    step_update(&o, &action);
    found(&o, "W5", 1);
    partition.attempt = UINT64_C(1) << 32 | 1000;
    step_update(&o, &action);
    found(&o, "W5", 1);
    oracle_end(&o);
}

static void W3_a_reported_output_counts_as_missing(void **state)
{
    struct recoup_reset_range range = {{0, 0, 2}, RECOUP_RESET_PARTITION_MISSING};
    struct recoup_action reset = {.type = RECOUP_ACTION_RESET_SUBTASKS,
                                  .reset_subtasks = {1, false, &range, 1}};
    struct recoup_partition partition = {0, 0, UINT64_C(1) << 32, 1024, 0};
    struct oracle o;

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_HARDENED);
    partition.worker = world_attempt(o.w, 0)->worker;
    o.w->workers.list[partition.worker].registered = 2;
    invariants_worker_report(o.w, partition.worker, &partition, 1);
    o.w->master.settled = true;
    step_update(&o, &reset);
    found(&o, "W3", 1);
    oracle_end(&o);
}

// A master that says good-bye makes Flink's workers drop what they hold, although they are back at
// once.
static void W1_workers_drop_what_they_promised_to_keep(void **state)
{
    struct oracle o = {0};

    (void)state;
    oracle_two_stages(&o, RECOUP_PROFILE_FLINK_1_20);
    kill_master_at(&o.test, 2500 * MILLI)->kind = MODEL_FAULT_TERMINATE;
    o.test.faults[0].grace_ns = 10 * SECOND;
    run(&o.test);
    assert_true(o.test.result.n_findings > 0);
    assert_string_equal(o.test.result.findings[0].invariant, "W1");
    assert_string_equal(o.test.result.findings[0].hazard, "H35");
    o.test.config.worker_policy.retention_by_job = true;
    run(&o.test);
    no_findings(&o.test);
    world_drop(&o.test);
}

static void W4_outputs_are_left_behind(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 10 * SECOND);
    assert_int_equal(o.w->state, MODEL_JOB_FINISHED);
    invariants_check_leaks(o.w);
    assert_u64(o.w->invariants.total, 0);
    world_attempt(o.w, 1)->partition = MODEL_PARTITION_HELD;
    invariant_shadow_of(o.w, 1)->flags = INVARIANT_FINISHED;
    invariants_check_leaks(o.w);
    assert_u64(oracle_found(&o, "W4"), 1);
    oracle_end(&o);
}

// --- planted: the end ---------------------------------------------------------------------------

static void T10_lineage_is_broken(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 10 * SECOND);
    invariants_check_lineage(o.w);
    assert_u64(o.w->invariants.total, 0);
    (*world_lineage(o.w, 3))++;
    invariants_check_lineage(o.w);
    found(&o, "T10", 1);  // it consumed something else
    (*world_lineage(o.w, 3))--;
    world_attempt(o.w, 0)->splits = world_attempt(o.w, 1)->splits;
    invariants_check_lineage(o.w);
    found(&o, "T10", 2);  // splits read twice, and splits read by nobody
    mark(&o, 2, MODEL_NONE);
    invariants_check_lineage(o.w);
    assert_true(oracle_found(&o, "T10") >= 3);  // and a subtask that is not finished
    oracle_end(&o);
}

static void R12_phases_do_not_sum_up(void **state)
{
    struct oracle o;
    struct model_result result = {0};

    (void)state;
    begin_waiting(&o, RECOUP_PROFILE_HARDENED);
    world_end(o.w, MODEL_JOB_FAILED);
    o.w->outage.failovers[0].outage_ns++;
    outage_finish(o.w, &result);
    found(&o, "R12", 1);
    model_result_release(&result);
    oracle_end(&o);
}

static void L1_the_job_hangs(void **state)
{
    struct oracle o;
    struct model_result result = {0};

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 1500 * MILLI);
    for (uint32_t gid = 2; gid < 4; gid++)
        mark(&o, gid, MODEL_NONE);
    world_end(o.w, MODEL_JOB_TIMEOUT);
    invariants_finish(o.w, &result);
    assert_u64(oracle_found(&o, "L1"), 1);
    assert_null(oracle_hazard(&o, "L1"));
    model_result_release(&result);
    oracle_end(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_table_is_sound),
    cmocka_unit_test(a_hazard_is_named_if_its_policy_is_flinks),
    cmocka_unit_test(findings_are_kept_up_to_a_limit),
    cmocka_unit_test(a_bug_is_kept_among_many_findings),
    cmocka_unit_test(a_late_kind_of_finding_is_kept),
    cmocka_unit_test(hardened_runs_have_no_findings),
    cmocka_unit_test(findings_of_flink_are_explained),
    cmocka_unit_test(large_snapshots_are_recovered),
    cmocka_unit_test(W6_a_slot_runs_two_attempts),
    cmocka_unit_test(T3_a_consumer_starts_without_its_inputs),
    cmocka_unit_test(T9_a_finished_task_runs_again_for_no_reason),
    cmocka_unit_test(T1_T5_a_task_finishes_twice),
    cmocka_unit_test(T4_an_input_changes_while_its_consumer_runs),
    cmocka_unit_test(R9_a_finish_of_an_earlier_master_is_accepted),
    cmocka_unit_test(S1_S10_durable_is_said_of_what_is_not),
    cmocka_unit_test(S11_recording_ends_silently),
    cmocka_unit_test(S2_a_number_is_given_twice),
    cmocka_unit_test(R6_S7_recovery_ends_twice),
    cmocka_unit_test(S15_R4_R10_S13_operations_break_the_rules),
    cmocka_unit_test(S16_bytes_vanish),
    cmocka_unit_test(S9_a_large_event_is_not_flushed),
    cmocka_unit_test(L5_a_loop_at_one_instant),
    cmocka_unit_test(S3_replay_diverges_from_the_reference_model),
    cmocka_unit_test(S2_a_finish_is_invented),
    cmocka_unit_test(S1_an_acknowledged_event_is_gone),
    cmocka_unit_test(R1_a_finish_counts_behind_the_last_point),
    cmocka_unit_test(R2_T9_R1_phantoms),
    cmocka_unit_test(the_same_log_again_is_no_phantom),
    cmocka_unit_test(R5_R7_T6_R1_recovered_wrongly),
    cmocka_unit_test(W3_W5_partitions_are_released_or_adopted_wrongly),
    cmocka_unit_test(W3_a_reported_output_counts_as_missing),
    cmocka_unit_test(W1_workers_drop_what_they_promised_to_keep),
    cmocka_unit_test(W4_outputs_are_left_behind),
    cmocka_unit_test(T10_lineage_is_broken),
    cmocka_unit_test(R12_phases_do_not_sum_up),
    cmocka_unit_test(L1_the_job_hangs),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "models_invariants", tests);
}
