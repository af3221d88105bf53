// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hazards (specification, section 10): a small world in which profile flink-1.20 shows one, and the
// same world with the one policy that removes it. A symptom is a finding that names the hazard,
// work lost for a cause, or a number that the hazard makes larger.
//
// Not shown here, since no fault of a scenario can bring them about:
//   H3       a modelled coordinator answers at once; test_store.c of tests/recovery delays answers
//   H5       kills leave the page cache alone; test_store.c
//   H8 H9    need changed bytes, or bytes torn in the middle of a log: test_reader.c
//   H12      needs a missing file: test_reader.c
//   H13      three writes differ from one only when a machine crashes between them: test_store.c
//   H16      test_zombie.c
//   H26      a run has one graph: test_reader.c
// and H10 H17 H25 H27 H28, where the library behaves safely under either profile.
#include "models/support_model.h"

#include "check.h"

// --- asking a result -----------------------------------------------------------------------------

static uint32_t found(const struct model_test *t, const char *invariant, const char *hazard)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        const struct model_finding *f = &t->result.findings[i];

        if (strcmp(f->invariant, invariant) != 0)
            continue;
        if (f->hazard == NULL || strcmp(f->hazard, hazard) != 0)
            print_error("%s is explained by %s: %s\n", invariant,
                        f->hazard != NULL ? f->hazard : "-", f->message);
        assert_non_null(f->hazard);
        assert_string_equal(f->hazard, hazard);
        n++;
    }
    return n;
}

static void flip(struct model_test *t, enum recoup_policy policy)
{
    const struct recoup_policy_info *info = recoup_policy_info(policy);

    assert_int_equal(t->config.options.policy[policy], info->flink);
    t->config.options.policy[policy] = info->hardened;
}

static void restarts(struct model_test *t, int64_t delay_ns)
{
    t->config.restart = (struct model_restart){
        .kind = MODEL_RESTART_FIXED_DELAY, .attempts = 10, .delay_ns = delay_ns};
}

static struct model_fault *store_fault(struct model_test *t, enum model_storage_op op, uint64_t nth,
                                       int error)
{
    struct model_fault *f = kill_master_at(t, 0);

    f->trigger = MODEL_TRIGGER_ON;
    f->op = op;
    f->nth = nth;
    f->moment = MODEL_MOMENT_AFTER;
    if (error != 0) {
        f->kind = MODEL_FAULT_STORE_ERROR;
        f->error = error;
        f->count = 1;
    }
    return f;
}

// One slot; subtasks of 10 s, each deployed for 2 s: 2 to 12 s, 14 to 24 s, 26 to 36 s ...
static void one_by_one(struct model_test *t, uint32_t n)
{
    world_of(t, 1, 1);
    t->config.cluster.deploy = constant(2 * SECOND);
    stage(t, "only", n, constant(10 * SECOND));
}

// --- the store -----------------------------------------------------------------------------------

static void H1_one_error_ends_recording(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 4);
    store_fault(&t, MODEL_STORAGE_FLUSH, 1, RECOUP_EIO);
    kill_master_at(&t, 37 * SECOND);
    run(&t);
    assert_u64(found(&t, "S11", "H1"), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_RECORDING_STOPPED), 3);
    flip(&t, RECOUP_POLICY_ON_ERROR);
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    no_findings(&t);
    world_drop(&t);
}

// Map 0, 1 to 10 s; reduce 0, 1 to 20 s; recording ends with an error; at 25 s worker 1 dies with
// map 1's output, which reduce 2 is reading: map 1 and reduce 0 and 1 are taken back, and nobody
// writes it down. The next master takes them for finished.
static void H2_a_stale_prefix_is_trusted(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    t.config.timeouts.heartbeat_interval_ns = 0;
    uint32_t map = stage(&t, "map", 2, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 3, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    stage(&t, "side", 1, constant(SECOND));
    restarts(&t, 0);
    // Flushes: at 1 s, at 10 s with the cut, at 20 s the finishes of reduce 0 and 1. The one that
    // fails is that of side's finish at 21 s.
    store_fault(&t, MODEL_STORAGE_FLUSH, 3, RECOUP_EIO);
    kill_worker_at(&t, 1, 25 * SECOND);
    kill_master_at(&t, 28 * SECOND);
    run(&t);
    assert_int_not_equal(found(&t, "R1", "H2"), 0);
    flip(&t, RECOUP_POLICY_ON_ERROR);
    run(&t);
    assert_u64(found(&t, "R1", "H2"), 0);
    world_drop(&t);
}

// Source 0 finishes at 10 s, which its master learns at 10.5 s: then a snapshot is due. A split
// that is sent to a worker is acknowledged a round trip of 1 s later.
static void run_with_worker_1_dead_at(struct model_test *t, int64_t at_ns)
{
    world_of(t, 2, 1);
    t->config.network_latency = constant(500 * MILLI);
    uint32_t scan = stage(t, "scan", 3, constant(10 * SECOND));
    source(t, scan, 30, true);
    restarts(t, 0);
    kill_worker_at(t, 1, at_ns);
    run(t);
}

// Worker 1 dies at 9.9 s, 600 ms before the snapshot, within the round trip of the split that it
// was sent.
static void H4_a_failed_snapshot_ends_recording(void **state)
{
    struct model_test t;

    (void)state;
    run_with_worker_1_dead_at(&t, 9900 * MILLI);
    assert_int_not_equal(found(&t, "S11", "H4"), 0);
    flip(&t, RECOUP_POLICY_SNAPSHOT_FAILURE);
    run(&t);
    assert_u64(found(&t, "S11", "H4"), 0);
    world_drop(&t);
}

// The border of that: the last acknowledgement of a worker that has been dead for exactly a round
// trip has arrived, that of one that died a nanosecond later has not.
static void H4_an_acknowledgement_takes_one_round_trip(void **state)
{
    struct model_test t;

    (void)state;
    run_with_worker_1_dead_at(&t, 9500 * MILLI);
    no_findings(&t);
    world_drop(&t);
    run_with_worker_1_dead_at(&t, 9500 * MILLI + 1);
    assert_int_not_equal(found(&t, "S11", "H4"), 0);
    world_drop(&t);
}

// With two splits for three subtasks worker 2 was sent none, and owes no acknowledgement.
static void H4_who_was_sent_nothing_acknowledges_nothing(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 3, 1);
    t.config.network_latency = constant(500 * MILLI);
    source(&t, stage(&t, "scan", 3, constant(10 * SECOND)), 2, true);
    restarts(&t, 0);
    kill_worker_at(&t, 2, 9900 * MILLI);
    run(&t);
    no_findings(&t);
    world_drop(&t);
}

static void object_store(struct model_test *t)
{
    t->config.storage.kind = MODEL_STORAGE_S3;
    t->config.storage.durable_at = RECOUP_DURABLE_AT_CLOSE;
}

// Nothing exists before a file is closed, and none is closed within a stage.
static void H6_objects_appear_when_closed(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 4);
    object_store(&t);
    kill_master_at(&t, 37 * SECOND);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 3);
    flip(&t, RECOUP_POLICY_ROLL);
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    world_drop(&t);
}

// The last finish of map is forced out at 10.3 s; that reduce has been initialized is in the buffer
// until 11 s.
static void lost_initialization(struct model_test *t)
{
    world_of(t, 2, 1);
    uint32_t map = stage(t, "map", 2, constant(10300 * MILLI));
    reads(t, stage(t, "reduce", 0, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    kill_master_at(t, 10500 * MILLI);
}

static void H7_an_initialization_is_only_buffered(void **state)
{
    struct model_test t;

    (void)state;
    lost_initialization(&t);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    assert_u64(found(&t, "L4", "H7") + found(&t, "L1", "H7"), 1);
    flip(&t, RECOUP_POLICY_BOUNDARY);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.makespan_ns, 20500 * MILLI);
    no_findings(&t);
    world_drop(&t);
}

static void H24_nobody_looks_whether_more_is_possible(void **state)
{
    struct model_test t;

    (void)state;
    lost_initialization(&t);
    flip(&t, RECOUP_POLICY_LIVENESS_CHECKS);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.result.makespan_ns, 20500 * MILLI);
    no_findings(&t);
    world_drop(&t);
}

// A log that cannot be read: Flink deletes it.
static void H11_what_cannot_be_read_is_deleted(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 3);
    restarts(&t, 0);
    kill_master_at(&t, 25 * SECOND);
    store_fault(&t, MODEL_STORAGE_READ, 1, RECOUP_EIO);
    run(&t);
    assert_int_not_equal(t.result.io.requests[MODEL_STORAGE_REMOVE], 0);
    flip(&t, RECOUP_POLICY_ON_DAMAGE);
    run(&t);
    assert_u64(t.result.io.requests[MODEL_STORAGE_REMOVE], 0);
    world_drop(&t);
}

// A record with 3 kb of snapshots passes a buffer of 1 kb, and waits there for the next small
// write: 12 s to 24 s. The master dies at 20 s.
static void H14_a_large_record_is_not_flushed(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 3);
    source(&t, 0, 30, true);
    t.config.options.write_buffer_bytes = 1024;
    kill_master_at(&t, 20 * SECOND);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 1);
    flip(&t, RECOUP_POLICY_FRAMING);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 0);
    assert_u64(t.result.finished_forgotten, 0);
    world_drop(&t);
}

static void H15_a_replay_reads_everything(void **state)
{
    struct model_test t;
    uint64_t bytes;

    (void)state;
    world_of(&t, 4, 4);
    for (uint32_t i = 0; i < 8; i++) {
        stage(&t, "step", 64, constant(SECOND));
        t.stages[i].coordinator = (struct model_coordinator){true, true, 4096};
        if (i > 0)
            reads(&t, i, i - 1, RECOUP_ALL_TO_ALL);
    }
    kill_master_at(&t, 28500 * MILLI);
    run(&t);
    bytes = t.result.io.replay_bytes;
    flip(&t, RECOUP_POLICY_COMPACTION);
    run(&t);
    assert_int_not_equal(t.result.io.replay_bytes, 0);
    assert_true(t.result.io.replay_bytes < bytes / 4);
    no_findings(&t);
    world_drop(&t);
}

// The file has been created, and nothing was flushed to it.
static void H18_an_empty_file_is_a_log(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 2);
    kill_master_at(&t, 500 * MILLI);
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_TIMEOUT);
    assert_u64(found(&t, "L4", "H18") + found(&t, "L1", "H18"), 1);
    flip(&t, RECOUP_POLICY_EMPTY);
    run(&t);
    assert_time_ns(t.result.makespan_ns, 500 * MILLI + 24 * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// --- order and meaning of events -----------------------------------------------------------------

// Six map subtasks on two workers; worker 1 dies with the master at 35 s, after the wait 1, 3 and 5
// run again on worker 0 from 65 s. At 90.5 s, when 5 is running, the second master dies. Only the
// first finish of a master is a recovery point, and the stage's last.
static void double_failure(struct model_test *t)
{
    world_of(t, 2, 1);
    t->config.options.snapshot_min_pause_ns = 600 * SECOND;
    uint32_t map = stage(t, "map", 6, constant(10 * SECOND));
    reads(t, stage(t, "reduce", 1, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    kill_worker_at(t, 1, 35 * SECOND);
    kill_master_at(t, 35 * SECOND);
    kill_master_at(t, 90500 * MILLI);
}

static void H19_resets_of_a_recovery_are_not_logged(void **state)
{
    struct model_test t;

    (void)state;
    double_failure(&t);
    run(&t);
    assert_u64(found(&t, "R2", "H19"), 1);
    flip(&t, RECOUP_POLICY_LOG_RESETS);
    run(&t);
    assert_u64(found(&t, "R2", "H19"), 0);
    world_drop(&t);
}

// Map 3's second finish, behind the last recovery point, keeps the place of its first.
static void H20_a_second_finish_keeps_its_place(void **state)
{
    struct model_test t;

    (void)state;
    double_failure(&t);
    run(&t);
    assert_u64(found(&t, "R1", "H20"), 1);
    flip(&t, RECOUP_POLICY_ORDER);
    run(&t);
    assert_u64(found(&t, "R1", "H20"), 0);
    world_drop(&t);
}

// Worker 1 dies at 15 s with the output of map 2 and 3; their reset, with a back-off of 60 s, is
// not in the log at 32 s, but what finished meanwhile is.
static void H21_a_reset_is_recorded_late(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 2);
    t.config.timeouts.heartbeat_interval_ns = 0;
    uint32_t map = stage(&t, "map", 4, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 1, constant(100 * SECOND)), map, RECOUP_ALL_TO_ALL);
    stage(&t, "side", 9, constant(10 * SECOND));
    restarts(&t, 60 * SECOND);
    kill_worker_at(&t, 1, 15 * SECOND);
    kill_master_at(&t, 32 * SECOND);
    run(&t);
    assert_u64(found(&t, "T9", "H21"), 1);
    flip(&t, RECOUP_POLICY_RESET_EARLY);
    run(&t);
    assert_u64(found(&t, "T9", "H21"), 0);
    world_drop(&t);
}

// A stage without a coordinator needs no recovery point.
static void H22_the_trim_takes_what_needs_no_snapshot(void **state)
{
    struct model_test t;

    (void)state;
    one_by_one(&t, 4);
    t.config.options.snapshot_min_pause_ns = 600 * SECOND;
    kill_master_at(&t, 37 * SECOND);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_SNAPSHOTTED), 2);
    flip(&t, RECOUP_POLICY_TRIM);
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    no_findings(&t);
    world_drop(&t);
}

// Reduce 0 finishes at 30.3 s, which releases map 0; its finish would be flushed at 31 s, and the
// master dies at 30.5 s. Map 0 has to be made again.
static void H23_inputs_go_before_the_finish_is_durable(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    uint32_t map = stage(&t, "map", 2, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 2, constant(10300 * MILLI)), map, RECOUP_POINTWISE);
    kill_master_at(&t, 30500 * MILLI);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 1);
    flip(&t, RECOUP_POLICY_RELEASE_AFTER);
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 0);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_NOT_RECORDED), 1);
    world_drop(&t);
}

// C5.3; see also test_semantics.c.
static void H29_a_stage_is_restarted_alone(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 5, 1);
    uint32_t scan = stage(&t, "source", 5, constant(10 * SECOND));
    source(&t, scan, 10, false);
    reads(&t, stage(&t, "middle", 5, constant(20 * SECOND)), scan, RECOUP_POINTWISE);
    t.config.cluster.restart = constant(SECOND);
    t.config.cluster.restart_never = false;
    restarts(&t, 0);
    kill_master_at(&t, 15 * SECOND);
    kill_worker_at(&t, 0, 20 * SECOND);
    run(&t);
    assert_int_not_equal(found(&t, "T10", "H29"), 0);
    flip(&t, RECOUP_POLICY_CLOSURE);
    run(&t);
    no_findings(&t);
    world_drop(&t);
}

// --- workers and partitions ----------------------------------------------------------------------

// The wait is over at 75 s. Worker 1, told of the loss at 45.2 s, registers at 74.9 s and is asked;
// with 200 ms a way its answer comes at 75.3 s. Of map 1, 3, 5 and 7, which it holds, some are
// being made again by then, 7 is not. (Policy adopt keeps outputs of what still counts as finished,
// which is never the case here: what is missing when the wait is over is reset. So it is not
// shown.)
static void H30_a_late_report_is_thrown_away(void **state)
{
    static const struct sim_law_point late[] = {{0, 0}, {0, INT64_C(29700000000)}};
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    t.config.network_latency = constant(200 * MILLI);
    t.config.cluster.reconnect =
        (struct sim_law){.kind = SIM_LAW_TRACE, .count = 2, .points = late};
    t.config.cluster.reconnect_given = true;
    uint32_t map = stage(&t, "map", 8, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 1, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    kill_master_at(&t, 45 * SECOND);
    run(&t);
    assert_int_not_equal(found(&t, "W3", "H30"), 0);
    world_drop(&t);
}

static void map_and_reduce(struct model_test *t)
{
    one_by_one(t, 1);
    reads(t, stage(t, "reduce", 1, constant(10 * SECOND)), 0, RECOUP_ALL_TO_ALL);
    kill_master_at(t, 13 * SECOND);
}

static void late_by_a_second(struct model_test *t)
{
    map_and_reduce(t);
    t->config.cluster.reconnect = constant(31 * SECOND);
    t->config.cluster.reconnect_given = true;
}

static void H31_a_late_worker_is_not_asked(void **state)
{
    struct model_test t;

    (void)state;
    late_by_a_second(&t);
    run(&t);
    assert_u64(found(&t, "W4", "H31"), 1);
    flip(&t, RECOUP_POLICY_LATE_WORKER);
    run(&t);
    assert_u64(found(&t, "W4", "H31"), 0);
    world_drop(&t);
}

static void H32_the_wait_is_shorter_than_the_silence(void **state)
{
    struct model_test t;

    (void)state;
    late_by_a_second(&t);
    t.config.options.worker_detection_ns = 50 * SECOND;
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 1);
    flip(&t, RECOUP_POLICY_WAIT);
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    assert_time_ns(t.result.makespan_ns, (13 + 31 + 12) * SECOND);
    no_findings(&t);
    world_drop(&t);
}

// Reduce 0 and 1 are recovered at 25 s and reduce 2 runs anew, so that map's output outlives its
// consumers (H34). At 40 s, while sink reads, the second master dies, and worker 1 with the output
// of reduce 1. Worker 0 reports map's output, but all that read it counts as finished: it is not
// tracked, and when reduce 1 has to run again so has map.
static void H33_what_is_not_waited_for_is_forgotten(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 2, 1);
    uint32_t map = stage(&t, "map", 1, constant(10 * SECOND));
    uint32_t reduce = stage(&t, "reduce", 3, constant(10 * SECOND));
    reads(&t, reduce, map, RECOUP_ALL_TO_ALL);
    reads(&t, stage(&t, "sink", 1, constant(10 * SECOND)), reduce, RECOUP_ALL_TO_ALL);
    kill_master_at(&t, 25 * SECOND);
    kill_worker_at(&t, 1, 40 * SECOND);
    kill_master_at(&t, 40 * SECOND);
    run(&t);
    assert_u64(found(&t, "W3", "H33"), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_WORKER_LATE), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_DOWNSTREAM_OF_RESET), 2);
    flip(&t, RECOUP_POLICY_OPTIONAL);
    run(&t);
    assert_u64(found(&t, "W3", "H33"), 0);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_LOST), 1);
    assert_u64(t.result.tasks_rerun, 1);
    assert_time_ns(t.result.makespan_ns, (40 + 30 + 10 + 10) * SECOND);
    world_drop(&t);
}

// Reduce 0 is recovered, reduce 1 runs anew; map's output, which both have read, stays to the end.
static void H34_a_recovered_consumer_frees_nothing(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    uint32_t map = stage(&t, "map", 1, constant(10 * SECOND));
    reads(&t, stage(&t, "reduce", 2, constant(10 * SECOND)), map, RECOUP_ALL_TO_ALL);
    kill_master_at(&t, 25 * SECOND);
    run(&t);
    assert_u64(found(&t, "W4", "H34"), 1);
    flip(&t, RECOUP_POLICY_RELEASE_RECOVERED);
    run(&t);
    no_findings(&t);
    world_drop(&t);
}

static void H35_a_good_bye_drops_everything(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    t.faults[0].kind = MODEL_FAULT_TERMINATE;
    run(&t);
    assert_u64(found(&t, "W1", "H35"), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 1);
    t.config.worker_policy.retention_by_job = true;
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    no_findings(&t);
    world_drop(&t);
}

// The first loss, at 13 s, starts a timer of 300 s. The second master dies at 300 s; at 313 s, when
// the worker has been without a master for 13 s of its 300, the timer of the first drops all.
static void H36_a_timer_of_an_earlier_loss(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    t.stages[1].duration = constant(1000 * SECOND);
    t.config.cluster.reconnect = constant(20 * SECOND);
    t.config.cluster.reconnect_given = true;
    kill_master_at(&t, 300 * SECOND);
    run(&t);
    assert_u64(found(&t, "W1", "H36"), 1);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 1);
    t.config.worker_policy.retention_timer_keyed = true;
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 0);
    no_findings(&t);
    world_drop(&t);
}

static void H37_a_worker_without_the_option(void **state)
{
    struct model_test t;

    (void)state;
    map_and_reduce(&t);
    t.config.worker_policy.recovery_enabled = false;
    run(&t);
    assert_u64(lost_attempts(&t, MODEL_CAUSE_PARTITION_RELEASED), 1);
    no_findings(&t); // it breaks no promise; `recoup lint` warns
    t.config.worker_policy.recovery_enabled = true;
    run(&t);
    assert_time_ns(t.result.lost_ns, 0);
    world_drop(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(H1_one_error_ends_recording),
        cmocka_unit_test(H2_a_stale_prefix_is_trusted),
        cmocka_unit_test(H4_a_failed_snapshot_ends_recording),
        cmocka_unit_test(H4_an_acknowledgement_takes_one_round_trip),
        cmocka_unit_test(H4_who_was_sent_nothing_acknowledges_nothing),
        cmocka_unit_test(H6_objects_appear_when_closed),
        cmocka_unit_test(H7_an_initialization_is_only_buffered),
        cmocka_unit_test(H11_what_cannot_be_read_is_deleted),
        cmocka_unit_test(H14_a_large_record_is_not_flushed),
        cmocka_unit_test(H15_a_replay_reads_everything),
        cmocka_unit_test(H18_an_empty_file_is_a_log),
        cmocka_unit_test(H19_resets_of_a_recovery_are_not_logged),
        cmocka_unit_test(H20_a_second_finish_keeps_its_place),
        cmocka_unit_test(H21_a_reset_is_recorded_late),
        cmocka_unit_test(H22_the_trim_takes_what_needs_no_snapshot),
        cmocka_unit_test(H23_inputs_go_before_the_finish_is_durable),
        cmocka_unit_test(H24_nobody_looks_whether_more_is_possible),
        cmocka_unit_test(H29_a_stage_is_restarted_alone),
        cmocka_unit_test(H30_a_late_report_is_thrown_away),
        cmocka_unit_test(H31_a_late_worker_is_not_asked),
        cmocka_unit_test(H32_the_wait_is_shorter_than_the_silence),
        cmocka_unit_test(H33_what_is_not_waited_for_is_forgotten),
        cmocka_unit_test(H34_a_recovered_consumer_frees_nothing),
        cmocka_unit_test(H35_a_good_bye_drops_everything),
        cmocka_unit_test(H36_a_timer_of_an_earlier_loss),
        cmocka_unit_test(H37_a_worker_without_the_option),
    };

    return check_main(argc, argv, "models_hazards", tests);
}
