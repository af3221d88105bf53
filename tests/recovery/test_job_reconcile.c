// SPDX-License-Identifier: GPL-3.0-or-later
//
// The wait for partitions and what surrounds it (specification 4.7 to 4.12), releases in normal
// running, and what the two profiles make of a second failure.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

// a (4 subtasks, a coordinator) -> point-wise -> b (4) -> all-to-all -> c (2)
static const struct recoup_stage_spec stages[] = {
    {.parallelism = 4}, {.parallelism = 4}, {.parallelism = 2}};
static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_POINTWISE},
                                                {1, 2, RECOUP_ALL_TO_ALL}};
static const struct recoup_coordinator_spec coordinators[] = {{0, true}};
static const struct recoup_graph graph = {.digest = {5},
                                          .n_stages = 3,
                                          .stages = stages,
                                          .n_edges = 2,
                                          .edges = edges,
                                          .n_coordinators = 1,
                                          .coordinators = coordinators};

struct world {
    struct disk disk;
    struct master master;
};

static struct master *open_world(struct world *world, enum recoup_profile profile)
{
    memset(world, 0, sizeof *world);
    disk_init(&world->disk);
    master_init(&world->master, &world->disk, &graph, profile);
    return &world->master;
}

static void close_world(struct world *world)
{
    if (world->master.job != NULL) {
        master_crash(&world->master);
    }
    assert_int_equal(world->master.bytes, 0);
    disk_release(&world->disk);
}

static void finish_range(struct master *master, uint32_t stage, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        assert_int_equal(master_finish(master, stage, i), 0);
    }
}

// The first master: every source finished, `middles` of b.
static void record(struct master *master, uint32_t middles)
{
    assert_int_equal(master_start(master, 1), 0);
    master_advance(master, 0);
    for (uint32_t s = 0; s < 3; s++) {
        assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
    }
    finish_range(master, 0, 0, 4);
    finish_range(master, 1, 0, middles);
    master_advance(master, master->now_ns + 2 * SECOND);
}

// Profile flink-1.20 without its releases, so that every partition is still there.
static void keep_everything(struct master *master)
{
    master->options.policy[RECOUP_POLICY_RELEASE_AFTER] = 1;
    master->options.policy[RECOUP_POLICY_TRIM] = 1;
}

static struct recoup_partition held(const struct master *master, uint32_t stage, uint32_t subtask)
{
    for (unsigned i = 0; i < master->n_held; i++) {
        if (master->held[i].stage == stage && master->held[i].subtask == subtask) {
            return master->held[i];
        }
    }
    fail_msg("partition %u.%u is not held", stage, subtask);
    return (struct recoup_partition){0};
}

// The table of 4.7 in one report: RESERVE, OPTIONAL, RELEASE (unfinished, and of another attempt).
static void ClassesOfPartitions(void **state)
{
    (void)state;
    static const char *const expected[] = {
        // Flink: the optional 0.0 and 0.1 are neither tracked nor released.
        "ask off\ntrack 0.2@0 0.3@0 1.0@0 1.1@0\nrelease 1.3@0 1.2@0\nrecovered log\n",
        // Adopted: it is there for a consumer that runs again.
        "ask off\ntrack 0.0@0 0.1@0 0.2@0 0.3@0 1.0@0 1.1@0\nrelease 1.3@0 1.2@0\nrecovered log\n",
    };
    for (int adopt = 0; adopt < 2; adopt++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
        keep_everything(master);
        master->options.policy[RECOUP_POLICY_OPTIONAL] = adopt;
        record(master, 2);
        struct recoup_partition report[8];
        for (uint32_t i = 0; i < 4; i++) {
            report[i] = held(master, 0, i);
        }
        report[4] = held(master, 1, 0);
        report[5] = held(master, 1, 1);
        report[6] = (struct recoup_partition){.stage = 1, .subtask = 3, .attempt = 1};
        report[7] = (struct recoup_partition){.stage = 1, .subtask = 2, .attempt = 2};
        for (unsigned i = 0; i < 8; i++) {
            report[i].worker = 0;
        }
        master_restart(master, 2);
        master_clear_trace(master);
        assert_int_equal(master_report(master, 0, report, 8), 0);
        assert_string_equal(master->trace, expected[adopt]);
        close_world(&world);
    }
}

// Two workers have the same output. The first one's counts, the other's is dropped; that the first
// one says it again changes nothing, within the wait and after it.
static void AnOutputThatTwoWorkersHave(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    keep_everything(master);
    record(master, 0);
    struct recoup_partition here = held(master, 0, 2);
    struct recoup_partition there = here;
    struct recoup_partition others[] = {held(master, 0, 0), held(master, 0, 1), held(master, 0, 3)};
    there.worker = 1;
    master_restart(master, 2);
    master_clear_trace(master);
    assert_int_equal(master_report(master, 2, &here, 1), 0);
    assert_int_equal(master_report(master, 1, &there, 1), 0);
    assert_int_equal(master_report(master, 2, &here, 1), 0);
    for (uint32_t worker = 0; worker < 4; worker++) {
        assert_int_equal(master_report(master, worker, others, 3), 0);
    }
    assert_string_equal(master->trace, "ask off\ntrack 0.0@0 0.1@1 0.2@2 0.3@3\nrelease 0.2@1\n"
                                       "recovered log\n");
    master_clear_trace(master);
    assert_int_equal(master_report(master, 2, &here, 1), 0);
    assert_string_equal(master->trace, "");
    assert_int_equal(master_report(master, 1, &there, 1), 0);
    assert_string_equal(master->trace, "release 0.2@1\n");
    close_world(&world);
}

// H34: recovered finishes feed the release rule; what nobody needs goes at the end of recovery.
static void RecoveredFinishesReleaseTheirInputs(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 4);
    master_restart(master, 2);
    master_report_held(master);
    assert_true(master->recovered);
    const char *end = strstr(master->trace, "recovered log\n");
    assert_non_null(end);
    assert_null(strstr(master->trace, "track 0.")); // they had been released under the first master
    close_world(&world);
}

// B21: nothing needed, no wait. All needed there, the wait ends at once, whatever is still missing.
static void WaitEndsEarly(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    keep_everything(master);
    record(master, 2);
    master_restart(master, 2);
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_WAITING);
    struct recoup_partition needed[] = {held(master, 0, 2), held(master, 0, 3), held(master, 1, 0),
                                        held(master, 1, 1)};
    for (uint32_t worker = 0; worker < 4; worker++) {
        assert_false(master->recovered);
        assert_int_equal(master_report(master, worker, needed, 4), 0);
    }
    assert_true(master->recovered);
    assert_int_equal(master->n_reset, 0); // nothing is missing that anybody needs
    close_world(&world);
}

// A report exactly at the timeout is in time; one after it is not.
static void ReportAtTheTimeout(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
        record(master, 0);
        master_restart(master, 2);
        int64_t end = recoup_deadline(master->job);
        while (end < 32 * SECOND) { // the flush timer ticks as well
            master_advance(master, end);
            end = recoup_deadline(master->job);
        }
        assert_int_equal(end, 32 * SECOND);
        if (late == 1) {
            master_advance(master, end);
            assert_true(master->recovered);
        }
        master->now_ns = end;
        master_report_held(master);
        assert_true(master->recovered);
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(master_finished(master, 0, i), late == 0);
        }
        // B23: what a late report lists is dropped by its worker.
        assert_int_equal(master->n_released, late == 0 ? 0 : 4);
        assert_int_equal(master->n_tracked, late == 0 ? 4 : 0);
        close_world(&world);
    }
}

// A timeout of nothing recovers nothing that is not there already (C6.3).
static void NoTimeToWait(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    master->options.worker_recovery_timeout_ns = 0;
    record(master, 0);
    master_restart(master, 2);
    assert_false(master->recovered);
    master_advance(master, master->now_ns);
    assert_true(master->recovered);
    assert_int_equal(master->n_reset, 1);
    assert_int_equal(master->reset[0].range.count, 4);
    assert_int_equal(master->reset[0].reason, RECOUP_RESET_PARTITION_MISSING);
    close_world(&world);
}

// B22: workers are asked before the log is read; what they answer meanwhile counts.
static void ReportDuringReplay(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    record(master, 0);
    master_crash(master);
    master->crashed = false;
    master->hold_io = true;
    master_clear_trace(master);
    assert_int_equal(master_start(master, 2), 0);
    while (!master->asking) {
        master_io(master);
    }
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_REPLAYING);
    assert_string_equal(master->trace, "ask on\n");
    struct recoup_partition before = held(master, 0, 1);
    master_report_held(master);
    struct recoup_event lost = {.type = RECOUP_EVENT_WORKER_LOST};
    lost.worker_lost.worker = before.worker; // it answered, and then it died
    assert_int_equal(master_step(master, &lost), 0);
    while (master->busy) {
        master_io(master);
    }
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_WAITING);
    master->hold_io = false;
    assert_int_equal(master_report(master, 1, &before, 1), 0); // it is back
    assert_true(master->recovered);
    assert_int_equal(master->n_tracked, 4);
    close_world(&world);
}

// A worker that reported and died within the wait has not reported.
static void WorkerLostWithinTheWait(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    record(master, 0);
    master_restart(master, 2);
    struct recoup_partition last = held(master, 0, 3);
    struct recoup_partition others[] = {held(master, 0, 0), held(master, 0, 1), held(master, 0, 2)};
    for (uint32_t worker = 0; worker < 3; worker++) {
        assert_int_equal(master_report(master, worker, others, 3), 0);
    }
    assert_int_equal(master_lose_worker(master, 1), 0);
    assert_int_equal(master_report(master, 3, &last, 1), 0);
    assert_false(master->recovered);
    master_clear_trace(master);
    master_advance(master, master->now_ns + 31 * SECOND);
    assert_string_equal(master->trace, "ask off\ntrack 0.0@0 0.2@2 0.3@3\nreset 0.1+1:missing\n"
                                       "recovered log\n");
    close_world(&world);
}

// An output that nobody needs is adopted and lost again within the wait: it is not waited for.
static void AnOptionalOutputLostWithinTheWait(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    keep_everything(master);
    master->options.policy[RECOUP_POLICY_OPTIONAL] = 1;
    record(master, 2); // b 0 is finished, so that nobody needs a 0
    master_restart(master, 2);
    struct recoup_partition optional = held(master, 0, 0);
    struct recoup_partition needed[] = {held(master, 0, 2), held(master, 0, 3), held(master, 1, 0),
                                        held(master, 1, 1)};
    assert_int_equal(master_report(master, 0, &optional, 1), 0);
    assert_int_equal(master_lose_partition(master, 0, 0), 0);
    for (uint32_t worker = 0; worker < 4; worker++) {
        assert_int_equal(master_report(master, worker, needed, 4), 0);
    }
    assert_true(master->recovered);
    assert_int_equal(master->n_reset, 0);
    close_world(&world);
}

// H32: while a former worker that holds needed data may not have noticed yet, the wait goes on; not
// for workers that have answered.
static void WaitIsExtendedForSilentWorkers(void **state)
{
    (void)state;
    // 0: worker 3 answers that it holds nothing; 1: it is silent; 2: it is lost, and no use to wait
    // for.
    for (int silent = 0; silent < 3; silent++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
        master->options.policy[RECOUP_POLICY_WAIT] = 1;
        record(master, 0);
        master_restart(master, 2);
        struct recoup_partition none = {.worker = 77};
        struct recoup_partition others[] = {held(master, 0, 0), held(master, 0, 1),
                                            held(master, 0, 2)};
        for (uint32_t worker = 0; worker < 3; worker++) {
            assert_int_equal(master_report(master, worker, others, 3), 0);
        }
        if (silent == 0) {
            assert_int_equal(master_report(master, 3, &none, 1), 0); // it holds nothing any more
        }
        if (silent == 2) {
            assert_int_equal(master_lose_worker(master, 3), 0);
        }
        master_advance(master, 2 * SECOND + 30 * SECOND);
        assert_int_equal(master->recovered, silent != 1);
        master_advance(master, 2 * SECOND + 50 * SECOND - 1);
        assert_int_equal(master->recovered, silent != 1);
        master_advance(master, 2 * SECOND + 50 * SECOND);
        assert_true(master->recovered);
        close_world(&world);
    }
}

// H30, H31: hardened goes on asking; what comes back late counts again (test_job_adopt.c has more),
// and nothing that an attempt of this very master is making is dropped.
static void LateReportIsAdoptedOrDropped(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 0);
    struct recoup_partition late = held(master, 0, 3);
    master_restart(master, 2);
    struct recoup_partition others[] = {held(master, 0, 0), held(master, 0, 1), held(master, 0, 2)};
    for (uint32_t worker = 0; worker < 3; worker++) {
        assert_int_equal(master_report(master, worker, others, 3), 0);
    }
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_true(master->recovered);
    assert_true(master->asking);
    assert_false(master_finished(master, 0, 3));
    master_clear_trace(master);
    struct recoup_partition report[] = {
        late, {.stage = 1, .subtask = 3, .worker = 3, .attempt = UINT64_C(2) << 32 | 9}};
    assert_int_equal(master_report(master, 3, report, 2), 0);
    assert_string_equal(master->trace, "offer 0.3+1\nadopt 0.3+1\ntrack 0.3@3\n");
    assert_true(master_finished(master, 0, 3));
    close_world(&world);
}

// While the host still thinks about an output that has come back, another worker brings it, too.
static void AnOutputThatComesBackTwice(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 0);
    struct recoup_partition here = held(master, 0, 3);
    struct recoup_partition there = here;
    there.worker = 1;
    master_restart(master, 2);
    master_advance(master, master->now_ns + 60 * SECOND); // nobody has reported anything
    assert_true(master->recovered);
    master->hold_adoptions = true;
    master_clear_trace(master);
    assert_int_equal(master_report(master, 3, &here, 1), 0);
    assert_int_equal(master_report(master, 1, &there, 1), 0);
    assert_int_equal(master_report(master, 3, &here, 1), 0);
    assert_string_equal(master->trace, "offer 0.3+1\nrelease 0.3@1\n");
    close_world(&world);
}

// What comes back late and nobody needs is kept only where optional outputs are (H33), and where no
// recovered finish lets them go (H34).
static void LateReportOfWhatNobodyNeeds(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
        keep_everything(master);
        master->options.policy[RECOUP_POLICY_LATE_REPORT] = 1;
        master->options.policy[RECOUP_POLICY_OPTIONAL] = i & 1;
        master->options.policy[RECOUP_POLICY_RELEASE_RECOVERED] = i >> 1;
        record(master, 2); // b 0 is finished, so that nobody needs a 0
        master_restart(master, 2);
        struct recoup_partition needed[] = {held(master, 0, 2), held(master, 0, 3),
                                            held(master, 1, 0), held(master, 1, 1)};
        struct recoup_partition late = held(master, 0, 0);
        for (uint32_t worker = 0; worker < 4; worker++) {
            assert_int_equal(master_report(master, worker, needed, 4), 0);
        }
        assert_true(master->recovered);
        master_clear_trace(master);
        assert_int_equal(master_report(master, 0, &late, 1), 0);
        assert_string_equal(master->trace, i == 1 ? "track 0.0@0\n" : "release 0.0@0\n");
        close_world(&world);
    }
}

// 2.9 and H23: point-wise inputs go with their consumer, all-to-all ones with the whole stage; at
// once, or once the recovery point that covers the last consumer is durable.
static void ReleaseOfConsumedPartitions(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    record(master, 0);
    master_clear_trace(master);
    assert_int_equal(master_finish(master, 1, 2), 0);
    assert_string_equal(master->trace, "release 0.2@2\n");
    finish_range(master, 1, 0, 2);
    assert_int_equal(master_finish(master, 1, 3), 0);
    assert_int_equal(master_finish(master, 2, 0), 0);
    master_clear_trace(master);
    assert_int_equal(master_finish(master, 2, 1), 0);
    assert_non_null(strstr(master->trace, "release 1.0@0 1.1@1 1.2@2 1.3@3\n"));
    close_world(&world);

    master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 0);
    master_clear_trace(master);
    finish_range(master, 1, 0, 3);
    master_advance(master, master->now_ns + 5 * SECOND);
    assert_int_equal(master->n_released, 0); // durable, but no recovery point covers them
    master->hold_snapshots = true;
    assert_int_equal(master_finish(master, 1, 3), 0); // the stage's end takes one
    master_advance(master, master->now_ns + 5 * SECOND);
    assert_int_equal(master->n_released, 0);
    master->hold_snapshots = false;
    master_settle(master);
    master_advance(master, master->now_ns + 5 * SECOND);
    assert_int_equal(master->n_released, 4);
    close_world(&world);
}

static void answer_snapshots_of(struct master *master, uint32_t take)
{
    for (unsigned i = 0; i < master->n_asked; i++) {
        if (master->asked[i].snapshot == take) {
            assert_int_equal(
                master_snapshot(master, take, master->asked[i].coordinator, false, NULL, 0), 0);
        }
    }
}

// Two consumers finish, each with a recovery point of its own: what the second one has read waits
// for the second point, although it stands right beside the output that goes with the first.
static void EachInputWaitsForItsOwnRecoveryPoint(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    master->options.snapshot_min_pause_ns = 0;
    record(master, 0);
    master->hold_snapshots = true;
    finish_range(master, 1, 0, 2);
    uint32_t first = master->asked[0].snapshot;
    master_clear_trace(master);
    answer_snapshots_of(master, first);
    master_settle(master);
    master_advance(master, master->now_ns + 5 * SECOND);
    assert_string_equal(master->trace, "release 0.0@0\n");
    answer_snapshots_of(master, first + 1);
    master_settle(master);
    master_advance(master, master->now_ns + SECOND);
    assert_string_equal(master->trace, "release 0.0@0\nrelease 0.1@1\n");
    close_world(&world);
}

// Where all is trimmed behind the last recovery point, a checkpoint after an error must put before
// its boundary what that point covers, the finish that carries it included, and nothing else.
static void CheckpointKeepsWhatTheLastPointCovers(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    master->options.policy[RECOUP_POLICY_ON_ERROR] = 1;
    record(master, 0); // the end of stage a takes a recovery point
    master->fail_from = master->operations;
    master->fail_to = master->operations + 1;
    master->fail_error = RECOUP_EIO;
    assert_int_equal(master_finish(master, 1, 0), 0);
    master_advance(master, master->now_ns + 10 * SECOND);
    assert_int_equal(master->n_lost, 1);
    assert_int_equal(master->n_restored, 1);
    assert_int_equal(master_finish(master, 1, 1), 0);
    master_advance(master, master->now_ns + 2 * SECOND);
    master_restart(master, 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(master_finished(master, 0, i));
        assert_false(master_finished(master, 1, i));
    }
    close_world(&world);
}

// Policy snapshot.on-failure = skip: a snapshot that failed is asked for again with the next
// finish, whatever stage that one is of, and although the pause is not over.
static void AFailedSnapshotIsAskedForAgain(void **state)
{
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
        assert_int_equal(master_start(master, 1), 0);
        master_advance(master, 0);
        for (uint32_t s = 0; s < 3; s++) {
            assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
        }
        master->hold_snapshots = true;
        assert_int_equal(master_finish(master, 0, 0), 0); // the first finish takes snapshots
        assert_int_equal(master->n_asked, 2);
        assert_int_equal(master->asked[0].coordinator, 0);
        uint32_t take = master->asked[0].snapshot;
        assert_int_equal(master_snapshot(master, take, 0, failed == 1, NULL, 0), 0);
        assert_int_equal(master_snapshot(master, take, RECOUP_SHUFFLE, false, NULL, 0), 0);
        master->n_asked = 0;
        master_settle(master);
        assert_int_equal(master_finish(master, 1, 0), 0);
        assert_int_equal(master->n_asked, failed == 1 ? 2 : 0);
        if (failed == 1) {
            assert_int_equal(master->asked[0].coordinator, 0);
            assert_int_equal(master->asked[1].coordinator, RECOUP_SHUFFLE);
        }
        close_world(&world);
    }
}

// B3, B4, N1 in virtual time: when snapshots are taken, and of whom.
static void SnapshotsInVirtualTime(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_FLINK_1_20);
    master->options.snapshot_min_pause_ns = 10 * SECOND;
    assert_int_equal(master_start(master, 1), 0);
    for (uint32_t s = 0; s < 3; s++) {
        assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
    }
    master_clear_trace(master);
    assert_int_equal(master_finish(master, 0, 0), 0);
    assert_string_equal(master->trace, "snapshot 1 of 0\nsnapshot 1 of -1\n");
    master_clear_trace(master);
    master_advance(master, 10 * SECOND - 1);
    assert_int_equal(master_finish(master, 0, 1), 0);
    assert_string_equal(master->trace, "");
    master_advance(master, 10 * SECOND);
    assert_int_equal(master_finish(master, 1, 0), 0); // of stage b; a has a finish since the last
    assert_non_null(strstr(master->trace, "snapshot 2 of 0\nsnapshot 2 of -1\n"));
    master_clear_trace(master);
    assert_int_equal(master_finish(master, 0, 2), 0);
    assert_string_equal(master->trace, "");
    assert_int_equal(master_finish(master, 0, 3), 0); // the stage's end
    assert_string_equal(master->trace, "snapshot 3 of 0\nsnapshot 3 of -1\n");
    close_world(&world);
}

// B30, H19: a finish that the first recovery trimmed comes back after the second in Flink, as a
// phantom.
static void DoubleFailure(void **state)
{
    (void)state;
    for (int profile = 0; profile < 2; profile++) {
        struct world world;
        struct master *master = open_world(&world, (enum recoup_profile)profile);
        assert_int_equal(master_start(master, 1), 0);
        for (uint32_t s = 0; s < 3; s++) {
            assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
        }
        finish_range(master, 0, 0, 2); // the first is a recovery point, the second is not
        master_advance(master, 2 * SECOND);
        master_restart(master, 2);
        master_report_held(master);
        master_advance(master, master->now_ns + 60 * SECOND);
        assert_true(master->recovered);
        assert_true(master_finished(master, 0, 0));
        assert_false(master_finished(master, 0, 1));
        assert_int_equal(master_finish(master, 0, 2), 0); // a recovery point again
        master_advance(master, master->now_ns + 2 * SECOND);
        master_restart(master, 3);
        assert_true(master_finished(master, 0, 2));
        bool phantom = profile == RECOUP_PROFILE_FLINK_1_20;
        assert_int_equal(master_finished(master, 0, 1), phantom);
        close_world(&world);
    }
}

// H19: nothing is scheduled before what the recovery took back is durable.
static void ResetsAreDurableBeforeRecovered(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 0);
    struct recoup_partition others[] = {held(master, 0, 0), held(master, 0, 1), held(master, 0, 2)};
    master_restart(master, 2);
    for (uint32_t worker = 0; worker < 3; worker++) {
        assert_int_equal(master_report(master, worker, others, 3), 0);
    }
    master->hold_io = true;
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_RECONCILING);
    assert_non_null(strstr(master->trace, "reset 0.3+1:missing\n"));
    // A loss meanwhile is reset once the job runs.
    assert_int_equal(master_lose_worker(master, 2), 0);
    while (!master->recovered) {
        assert_true(master->busy);
        assert_null(strstr(master->trace, "recovered"));
        assert_true(master->on_disk < master->event || master->event == 0);
        master_io(master);
    }
    assert_non_null(strstr(master->trace, "recovered log\nreset confirm 0.2+1:missing"));
    close_world(&world);
}

// H24: only hardened looks for stages to initialize and for the job's end after a recovery.
static void LivenessChecks(void **state)
{
    (void)state;
    for (int profile = 0; profile < 2; profile++) {
        struct world world;
        struct master *master = open_world(&world, (enum recoup_profile)profile);
        record(master, 4);
        finish_range(master, 2, 0, 2);
        master_advance(master, master->now_ns + 2 * SECOND);
        master_restart(master, 2);
        assert_true(master->recovered);
        assert_int_equal(master->kind, RECOUP_RECOVERED_LOG);
        assert_int_equal(master->initialize_possible, profile == RECOUP_PROFILE_HARDENED);
        assert_int_equal(master->check_completion, profile == RECOUP_PROFILE_HARDENED);
        close_world(&world);
    }
}

// B29 the other way: a lost worker's partitions are made again only where a consumer still needs
// them.
static void WorkerLost(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 2);
    master_clear_trace(master);
    assert_int_equal(master_lose_worker(master, 1), 0); // holds 0.1 (consumed by 1.1) and 1.1
    assert_string_equal(master->trace, "reset confirm 0.1+1:missing 1.1+1:missing\n");
    assert_int_equal(master_lose_worker(master, 1), 0);
    assert_string_equal(master->trace, "reset confirm 0.1+1:missing 1.1+1:missing\n");
    close_world(&world);
}

// GLOBAL_FAILURE takes everything back, and the log says so.
static void GlobalFailure(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 2);
    master_clear_trace(master);
    struct recoup_event event = {.type = RECOUP_EVENT_GLOBAL_FAILURE};
    assert_int_equal(master_step(master, &event), 0);
    assert_non_null(
        strstr(master->trace, "reset confirm 0.0+4:global 1.0+4:global 2.0+2:global\n"));
    master_advance(master, master->now_ns + 2 * SECOND);
    master_restart(master, 2);
    assert_true(master->recovered);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(master_finished(master, 0, i));
    }
    close_world(&world);
}

// Duties: what the host may not step is refused and changes nothing.
static void MisuseChangesNothing(void **state)
{
    (void)state;
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 2);
    uint8_t before[16];
    uint8_t after[16];
    master_hash(master, before);
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    assert_int_equal(master_step_once(master, &event), RECOUP_EMISUSE);
    assert_int_equal(master_initialize(master, 0, 4), RECOUP_EMISUSE);
    assert_int_equal(master_initialize(master, 9, 4), RECOUP_EINVAL);
    assert_int_equal(master_finish(master, 0, 0), RECOUP_EMISUSE); // T1: finished already
    assert_int_equal(master_finish(master, 0, 4), RECOUP_EINVAL);
    assert_int_equal(master_fail(master, 0, 3, 2), RECOUP_EINVAL);
    assert_int_equal(master_snapshot(master, 99, 0, false, "x", 1), RECOUP_EINVAL);
    event = (struct recoup_event){.type = RECOUP_EVENT_RESETS_DONE};
    event.resets_done.reset = 42;
    assert_int_equal(master_step_once(master, &event), RECOUP_EMISUSE);
    event = (struct recoup_event){.type = RECOUP_EVENT_IO};
    event.io.operation = 12345;
    assert_int_equal(master_step_once(master, &event), RECOUP_EMISUSE);
    int64_t now_ns = master->now_ns;
    master->now_ns = -1;
    assert_int_equal(master_timer(master), RECOUP_EMISUSE); // D1: time does not go back
    master->now_ns = now_ns;
    recoup_expect_finish(master->job, 0, 0); // a hint, also where it makes no sense
    recoup_expect_finish(master->job, 0, 4);
    recoup_expect_finish(master->job, 9, UINT32_MAX);
    master_hash(master, after);
    assert_memory_equal(before, after, 16);
    // D13: while a reset is not confirmed its subtasks do not finish.
    master->hold_resets = true;
    assert_int_equal(master_fail(master, 1, 3, 1), 0);
    assert_int_equal(master_finish(master, 1, 3), RECOUP_EMISUSE);
    master->hold_resets = false;
    master_settle(master);
    assert_int_equal(master_finish(master, 1, 3), 0);
    close_world(&world);
}

// STOP keeps or clears the log; after LEADERSHIP_LOST nothing is issued any more.
static void EndsOfAMaster(void **state)
{
    (void)state;
    for (int clear = 0; clear < 2; clear++) {
        struct world world;
        struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
        record(master, 2);
        struct recoup_event event = {.type = RECOUP_EVENT_STOP};
        event.stop.clear = clear == 1;
        assert_int_equal(master_step(master, &event), 0);
        assert_true(master->stopped);
        assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_STOPPED);
        assert_int_equal(recoup_deadline(master->job), RECOUP_NEVER);
        assert_int_equal(master_step_once(master, &event), RECOUP_EMISUSE);
        assert_int_equal(world.disk.n == 0, clear == 1);
        close_world(&world);
    }
    struct world world;
    struct master *master = open_world(&world, RECOUP_PROFILE_HARDENED);
    record(master, 1);
    master->hold_io = true;
    assert_int_equal(master_finish(master, 1, 1), 0);
    struct recoup_event event = {.type = RECOUP_EVENT_LEADERSHIP_LOST};
    assert_int_equal(master_step(master, &event), 0);
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_STOPPED);
    assert_int_equal(recoup_deadline(master->job), RECOUP_NEVER);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ClassesOfPartitions),
        cmocka_unit_test(AnOutputThatTwoWorkersHave),
        cmocka_unit_test(RecoveredFinishesReleaseTheirInputs),
        cmocka_unit_test(WaitEndsEarly),
        cmocka_unit_test(ReportAtTheTimeout),
        cmocka_unit_test(NoTimeToWait),
        cmocka_unit_test(ReportDuringReplay),
        cmocka_unit_test(WorkerLostWithinTheWait),
        cmocka_unit_test(AnOptionalOutputLostWithinTheWait),
        cmocka_unit_test(WaitIsExtendedForSilentWorkers),
        cmocka_unit_test(LateReportIsAdoptedOrDropped),
        cmocka_unit_test(AnOutputThatComesBackTwice),
        cmocka_unit_test(LateReportOfWhatNobodyNeeds),
        cmocka_unit_test(ReleaseOfConsumedPartitions),
        cmocka_unit_test(EachInputWaitsForItsOwnRecoveryPoint),
        cmocka_unit_test(CheckpointKeepsWhatTheLastPointCovers),
        cmocka_unit_test(SnapshotsInVirtualTime),
        cmocka_unit_test(AFailedSnapshotIsAskedForAgain),
        cmocka_unit_test(DoubleFailure),
        cmocka_unit_test(ResetsAreDurableBeforeRecovered),
        cmocka_unit_test(LivenessChecks),
        cmocka_unit_test(WorkerLost),
        cmocka_unit_test(GlobalFailure),
        cmocka_unit_test(MisuseChangesNothing),
        cmocka_unit_test(EndsOfAMaster),
    };
    return cmocka_run_group_tests_name("job reconcile", tests, NULL, NULL);
}
