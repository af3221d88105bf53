// SPDX-License-Identifier: GPL-3.0-or-later
//
// Replay of records: places, trim, snapshots, checkpoints (specification 4.3 to 4.5; B1, B2, B13,
// H19, H20, H22).
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/replay.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

// A source with a coordinator, in one test with two, and a stage without one.
static const struct recoup_stage_spec stages[] = {{.parallelism = 4}, {.parallelism_max = 4}};
static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_ALL_TO_ALL}};
static const struct recoup_coordinator_spec coordinators[] = {{0, true}, {0, true}};

struct fixture {
    struct recoup__memory memory;
    struct recoup__graph graph;
    struct recoup__state state;
    struct recoup__replay replay;
    bool unfenced;
    uint32_t file; // that the next record stands in
};

static void open_graph(struct fixture *f, bool first_finish, uint32_t n_coordinators)
{
    struct recoup_graph spec = {.n_stages = 2,
                                .stages = stages,
                                .n_edges = 1,
                                .edges = edges,
                                .n_coordinators = n_coordinators,
                                .coordinators = coordinators};
    struct recoup_allocator allocator = {allocate, release, NULL};
    memset(f, 0, sizeof *f);
    recoup__memory_init(&f->memory, &allocator);
    assert_int_equal(recoup__graph_init(&f->graph, &f->memory, &spec), 0);
    assert_int_equal(recoup__state_init(&f->state, &f->memory, &f->graph), 0);
    assert_int_equal(recoup__replay_init(&f->replay, &f->state, first_finish), 0);
}

static void open_fixture(struct fixture *f, bool first_finish)
{
    open_graph(f, first_finish, 1);
}

static void close_fixture(struct fixture *f)
{
    recoup__replay_release(&f->replay);
    recoup__state_release(&f->state);
    recoup__graph_release(&f->graph, &f->memory);
    assert_int_equal(f->memory.bytes, 0);
}

static int put(struct fixture *f, const struct recoup__record *record)
{
    struct recoup__position position = {
        .epoch = f->unfenced ? 0 : 1, .file = f->file, .sequence = f->replay.picture.records + 1};
    return recoup__replay_record(&f->replay, record, &position);
}

static int initialized(struct fixture *f, uint32_t stage, uint32_t parallelism)
{
    struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};
    record.initialized.stage = stage;
    record.initialized.parallelism = parallelism;
    return put(f, &record);
}

// `snapshot`: the coordinator's text, "" for none; with one, the shuffle master's comes too.
static int carries(struct fixture *f, enum recoup__record_type type, uint32_t stage,
                   uint32_t subtask, uint64_t attempt, const char *snapshot)
{
    struct recoup__record record = {.type = type};
    struct recoup__snapshot snapshots[2] = {{0, snapshot, (uint32_t)strlen(snapshot)},
                                            {RECOUP_SHUFFLE, NULL, 0}};
    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = attempt;
    record.finished.n_snapshots = snapshot[0] != '\0' ? 2 : 0;
    record.finished.snapshots = snapshots;
    return put(f, &record);
}

static void finished(struct fixture *f, uint32_t stage, uint32_t subtask, uint64_t attempt,
                     const char *snapshot)
{
    assert_int_equal(carries(f, RECOUP__RECORD_FINISHED, stage, subtask, attempt, snapshot), 0);
}

static void point(struct fixture *f, uint32_t stage, uint32_t subtask, uint64_t attempt)
{
    struct recoup__record record = {.type = RECOUP__RECORD_FINISHED};
    struct recoup__snapshot shuffle = {RECOUP_SHUFFLE, NULL, 0};
    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = attempt;
    record.finished.n_snapshots = 1;
    record.finished.snapshots = &shuffle;
    assert_int_equal(put(f, &record), 0);
}

static void reset(struct fixture *f, uint32_t stage, uint32_t first, uint32_t count)
{
    struct recoup__record record = {.type = RECOUP__RECORD_RESET};
    struct recoup_range range = {stage, first, count};
    record.reset.ranges = &range;
    record.reset.n_ranges = 1;
    assert_int_equal(put(f, &record), 0);
}

static void mark(struct fixture *f, uint32_t stage, uint32_t subtask, uint64_t attempt)
{
    struct recoup__record record = {.type = RECOUP__RECORD_SNAPSHOT};
    struct recoup__snapshot snapshot = {.coordinator = RECOUP__MARK};
    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = attempt;
    record.finished.n_snapshots = 1;
    record.finished.snapshots = &snapshot;
    assert_int_equal(put(f, &record), 0);
}

static void control(struct fixture *f, enum recoup__record_type type, bool replaces)
{
    struct recoup__record record = {.type = type};
    if (type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        record.checkpoint_begin.replaces = replaces;
    } else if (type == RECOUP__RECORD_INCARNATION) {
        record.incarnation.epoch = 1 + f->file;
    }
    assert_int_equal(put(f, &record), 0);
}

static uint64_t attempt(const struct fixture *f, uint32_t stage, uint32_t subtask)
{
    const struct recoup__entry *entry = &f->replay.picture.entries[stage][subtask];
    return (entry->flags & RECOUP__ENTRY_PRESENT) != 0 ? entry->attempt : 0;
}

static void expect_snapshot(struct fixture *f, const char *text)
{
    const struct recoup__replay_snapshot *snapshot = recoup__replay_snapshot(&f->replay, 0);
    assert_non_null(snapshot);
    assert_int_equal(snapshot->size, strlen(text));
    assert_memory_equal(snapshot->data, text, strlen(text));
}

static void open_log(struct fixture *f, bool first_finish)
{
    open_fixture(f, first_finish);
    assert_int_equal(initialized(f, 0, 4), 0);
    assert_int_equal(initialized(f, 1, 3), 0);
}

// B1: what comes after the last recovery point is dropped, though it is safely on disk. B2: the
// point is the shuffle master's snapshot.
static void TrimAll(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, true);
    finished(&f, 0, 0, 10, "a");
    finished(&f, 0, 1, 11, "");
    point(&f, 1, 0, 20);
    finished(&f, 0, 2, 12, "");
    finished(&f, 1, 1, 21, "");
    assert_true(recoup__replay_trim(&f.replay, false));
    assert_int_equal(attempt(&f, 0, 0), 10);
    assert_int_equal(attempt(&f, 0, 1), 11);
    assert_int_equal(attempt(&f, 1, 0), 20);
    assert_int_equal(attempt(&f, 0, 2), 0);
    assert_int_equal(attempt(&f, 1, 1), 0);
    expect_snapshot(&f, "a");
    close_fixture(&f);
}

static void NoRecoveryPointKeepsNothing(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, true);
    finished(&f, 0, 0, 10, "");
    finished(&f, 1, 0, 20, "");
    assert_false(recoup__replay_trim(&f.replay, false));
    assert_int_equal(attempt(&f, 0, 0), 0);
    assert_int_equal(attempt(&f, 1, 0), 0);
    close_fixture(&f);
}

// H22: only stages with a coordinator are held to its last snapshot.
static void TrimCoordinatorStages(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, false);
    finished(&f, 0, 0, 10, "a");
    finished(&f, 0, 1, 11, "");
    point(&f, 1, 0, 20);
    finished(&f, 1, 1, 21, "");
    assert_true(recoup__replay_trim(&f.replay, true));
    assert_int_equal(attempt(&f, 0, 0), 10);
    assert_int_equal(attempt(&f, 0, 1), 0);
    assert_int_equal(attempt(&f, 1, 0), 20);
    assert_int_equal(attempt(&f, 1, 1), 21);
    close_fixture(&f);
}

// Of two coordinators of a stage, the one whose snapshot covers less says how far its finishes
// count, whichever of the two that is.
static void EachCoordinatorOfAStageMustCover(void **state)
{
    (void)state;
    for (uint32_t ahead = 0; ahead < 2; ahead++) {
        struct fixture f;
        struct recoup__snapshot snapshots[] = {{0, "a", 1}, {1, "b", 1}};
        struct recoup__record record = {.type = RECOUP__RECORD_FINISHED};
        open_graph(&f, false, 2);
        assert_int_equal(initialized(&f, 0, 4), 0);
        record.finished.attempt = 10;
        record.finished.n_snapshots = 2;
        record.finished.snapshots = snapshots;
        assert_int_equal(put(&f, &record), 0);
        record.finished.subtask = 1;
        record.finished.attempt = 11;
        record.finished.n_snapshots = 1;
        record.finished.snapshots = &snapshots[ahead];
        assert_int_equal(put(&f, &record), 0);
        assert_true(recoup__replay_trim(&f.replay, true));
        assert_int_equal(attempt(&f, 0, 0), 10);
        assert_int_equal(attempt(&f, 0, 1), 0);
        close_fixture(&f);
    }
}

// B13, H20: a second finish keeps the place of the first under first-finish, and gets its own in
// the log.
static void SecondFinishKeepsItsPlaceInFlink(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct fixture f;
        open_log(&f, first == 1);
        finished(&f, 0, 0, 10, "");
        finished(&f, 0, 1, 11, "a");
        finished(&f, 0, 0, 15, ""); // no Reset in the log: it was not recorded
        assert_true(recoup__replay_trim(&f.replay, false));
        assert_int_equal(attempt(&f, 0, 0), first == 1 ? 15 : 0);
        assert_int_equal(attempt(&f, 0, 1), 11);
        close_fixture(&f);
    }
}

// A reset forgets the place; and, in Flink's map, the snapshots that came with the finish.
static void ResetForgetsPlaceAndSnapshots(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct fixture f;
        open_log(&f, first == 1);
        finished(&f, 0, 0, 10, "a");
        finished(&f, 0, 1, 11, "b");
        reset(&f, 0, 1, 1);
        finished(&f, 0, 2, 12, "");
        assert_true(recoup__replay_trim(&f.replay, false));
        assert_int_equal(attempt(&f, 0, 0), 10);
        assert_int_equal(attempt(&f, 0, 1), 0);
        assert_int_equal(attempt(&f, 0, 2), 0);
        expect_snapshot(&f, first == 1 ? "a" : "b");
        close_fixture(&f);
    }
}

// A snapshot that comes late covers what its own finish covers, not what stands before its record.
static void LateSnapshotCountsAtItsFinish(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, false);
    finished(&f, 0, 0, 10, "");
    finished(&f, 0, 1, 11, "");
    assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, 0, 0, 10, "late"), 0);
    assert_true(recoup__replay_trim(&f.replay, true));
    assert_int_equal(attempt(&f, 0, 0), 10);
    assert_int_equal(attempt(&f, 0, 1), 0);
    expect_snapshot(&f, "late");
    close_fixture(&f);
    // One that is older than what is there already does not replace it.
    open_log(&f, false);
    finished(&f, 0, 0, 10, "");
    finished(&f, 0, 1, 11, "new");
    assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, 0, 0, 10, "late"), 0);
    assert_true(recoup__replay_trim(&f.replay, true));
    assert_int_equal(attempt(&f, 0, 1), 11);
    expect_snapshot(&f, "new");
    close_fixture(&f);
    // Nor does it take back what that one covers, where the last recovery point covers all.
    open_log(&f, false);
    finished(&f, 0, 0, 10, "");
    finished(&f, 0, 1, 11, "new");
    finished(&f, 1, 0, 20, "");
    assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, 0, 0, 10, "late"), 0);
    assert_true(recoup__replay_trim(&f.replay, false));
    assert_int_equal(attempt(&f, 0, 0), 10);
    assert_int_equal(attempt(&f, 0, 1), 11);
    assert_int_equal(attempt(&f, 1, 0), 0);
    close_fixture(&f);
}

// A mark means something by itself alone; among snapshots, or in a finish, no master wrote it.
// Found by fuzzing: tests/fuzz/inputs/replay/mark-in-a-finish.
static void MarksStandAlone(void **state)
{
    (void)state;
    struct fixture f;
    struct recoup__snapshot snapshots[2] = {{0, "state", 5}, {RECOUP__MARK, "x", 1}};
    struct recoup__record record = {.type = RECOUP__RECORD_FINISHED};
    open_fixture(&f, true);
    assert_int_equal(initialized(&f, 0, 4), 0);
    record.finished.attempt = 1;
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = 2;
    assert_int_equal(put(&f, &record), RECOUP_EFOREIGN);
    record.finished.snapshots = &snapshots[1];
    record.finished.n_snapshots = 1;
    assert_int_equal(put(&f, &record), RECOUP_EFOREIGN);
    finished(&f, 0, 0, 1, "");
    record.type = RECOUP__RECORD_SNAPSHOT;
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = 2;
    assert_int_equal(put(&f, &record), RECOUP_EFOREIGN);
    close_fixture(&f);
}

static void ForeignRecordsAreRefused(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, true);
    assert_int_equal(initialized(&f, 1, 3), RECOUP_EFOREIGN); // its input is not initialized
    assert_int_equal(initialized(&f, 7, 3), RECOUP_EFOREIGN);
    assert_int_equal(initialized(&f, 0, 5), RECOUP_EFOREIGN); // the plan says 4
    assert_int_equal(initialized(&f, 0, 4), 0);
    assert_int_equal(initialized(&f, 1, 5), RECOUP_EFOREIGN); // more than the plan's bound
    assert_int_equal(initialized(&f, 1, 3), 0);
    assert_int_equal(initialized(&f, 1, 3), 0); // said twice
    assert_int_equal(initialized(&f, 1, 2), RECOUP_EFOREIGN);
    assert_int_equal(carries(&f, RECOUP__RECORD_FINISHED, 1, 3, 1, ""), RECOUP_EFOREIGN);
    assert_int_equal(carries(&f, RECOUP__RECORD_FINISHED, 2, 0, 1, ""), RECOUP_EFOREIGN);
    struct recoup__record record = {.type = RECOUP__RECORD_RESET};
    struct recoup_range range = {1, 2, 2};
    record.reset.ranges = &range;
    record.reset.n_ranges = 1;
    assert_int_equal(put(&f, &record), RECOUP_EFOREIGN);
    close_fixture(&f);
}

// Begins a checkpoint after a gap: subtask 0.0 covered by "k", 0.1 not.
static void put_checkpoint(struct fixture *f)
{
    control(f, RECOUP__RECORD_CHECKPOINT_BEGIN, true);
    control(f, RECOUP__RECORD_INCARNATION, false);
    assert_int_equal(initialized(f, 0, 4), 0);
    finished(f, 0, 0, 30, "");
    assert_int_equal(carries(f, RECOUP__RECORD_SNAPSHOT, RECOUP_NONE, 0, 0, "k"), 0);
    finished(f, 0, 1, 31, "");
    mark(f, 0, 1, 31);
}

// Without epochs in the names: a master whose first file was never created (its INCARNATION with
// it) begins with a checkpoint, or the one after it, who died in a checkpoint, left one behind.
static void UnfencedCheckpointsAreToldApart(void **state)
{
    (void)state;
    for (int dead = 0; dead < 2; dead++) {
        struct fixture f;
        open_log(&f, false);
        f.unfenced = true;
        control(&f, RECOUP__RECORD_INCARNATION, false);
        finished(&f, 0, 2, 12, "a");
        f.file = 2;
        if (dead == 1) {
            control(&f, RECOUP__RECORD_CHECKPOINT_BEGIN, true);
            f.file = 3;
            control(&f, RECOUP__RECORD_INCARNATION, false);
            finished(&f, 0, 3, 13, "b");
        } else {
            put_checkpoint(&f);
            control(&f, RECOUP__RECORD_CHECKPOINT_END, false);
        }
        recoup__replay_end(&f.replay);
        assert_int_equal(attempt(&f, 0, 2), dead == 1 ? 12 : 0);
        assert_int_equal(attempt(&f, 0, 3), dead == 1 ? 13 : 0);
        assert_int_equal(attempt(&f, 0, 0), dead == 1 ? 0 : 30);
        close_fixture(&f);
    }
}

static void CheckpointReplacesOnlyWhenComplete(void **state)
{
    (void)state;
    for (int complete = 0; complete < 2; complete++) {
        struct fixture f;
        open_log(&f, false);
        finished(&f, 0, 0, 10, "a");
        finished(&f, 0, 2, 12, "b");
        put_checkpoint(&f);
        if (complete == 1) {
            control(&f, RECOUP__RECORD_CHECKPOINT_END, false);
        }
        recoup__replay_end(&f.replay);
        assert_true(recoup__replay_trim(&f.replay, true));
        assert_int_equal(attempt(&f, 0, 0), complete == 1 ? 30 : 10);
        assert_int_equal(attempt(&f, 0, 1), 0); // the kept snapshot does not cover it
        assert_int_equal(attempt(&f, 0, 2), complete == 1 ? 0 : 12);
        expect_snapshot(&f, complete == 1 ? "k" : "b");
        assert_int_equal(f.replay.picture.parallelism[1], complete == 1 ? 0 : 3);
        close_fixture(&f);
    }
}

// What the boundary does not cover belongs right behind it: a recovery point recorded meanwhile
// covers it.
static void MarkedFinishIsCoveredByLaterPoints(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, false);
    control(&f, RECOUP__RECORD_CHECKPOINT_BEGIN, true);
    assert_int_equal(initialized(&f, 0, 4), 0);
    finished(&f, 0, 3, 33, ""); // an event of the day, before the boundary, not covered
    finished(&f, 0, 0, 30, "");
    assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, RECOUP_NONE, 0, 0, "k"), 0);
    finished(&f, 0, 2, 32, "live"); // a recovery point of the day, behind the boundary
    finished(&f, 0, 1, 31, "");     // the checkpoint goes on
    mark(&f, 0, 1, 31);
    finished(&f, 0, 3, 33, "");
    mark(&f, 0, 3, 33);
    control(&f, RECOUP__RECORD_CHECKPOINT_END, false);
    recoup__replay_end(&f.replay);
    assert_true(recoup__replay_trim(&f.replay, true));
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(attempt(&f, 0, i), 30 + i);
    }
    expect_snapshot(&f, "live");
    close_fixture(&f);
}

// What the boundary does not cover has lost its place for good: a snapshot that follows its finish
// late covers nobody knows what, also once the finish has been reset.
static void LateSnapshotOfAMarkedFinishSaysNothing(void **state)
{
    (void)state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        struct fixture f;
        open_log(&f, false);
        put_checkpoint(&f);
        control(&f, RECOUP__RECORD_CHECKPOINT_END, false);
        if (is_reset == 1) {
            reset(&f, 0, 1, 1);
        }
        assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, 0, 1, 31, "late"), 0);
        recoup__replay_end(&f.replay);
        expect_snapshot(&f, "k");
        assert_true(recoup__replay_trim(&f.replay, true));
        assert_int_equal(attempt(&f, 0, 0), 30);
        assert_int_equal(attempt(&f, 0, 1), 0);
        close_fixture(&f);
    }
}

// One record before it is enough for a checkpoint to say nothing new; what comes meanwhile counts.
static void CompactionBehindOneRecord(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, false);
    assert_int_equal(initialized(&f, 0, 4), 0);
    control(&f, RECOUP__RECORD_CHECKPOINT_BEGIN, false);
    finished(&f, 0, 0, 10, "a");
    recoup__replay_end(&f.replay); // its master died
    assert_true(recoup__replay_trim(&f.replay, true));
    assert_int_equal(attempt(&f, 0, 0), 10);
    close_fixture(&f);
}

// A checkpoint that does not replace says nothing new, complete or not.
static void CompactionSaysNothingNew(void **state)
{
    (void)state;
    for (int complete = 0; complete < 2; complete++) {
        struct fixture f;
        open_log(&f, false);
        finished(&f, 0, 0, 10, "a");
        finished(&f, 0, 1, 11, "");
        control(&f, RECOUP__RECORD_CHECKPOINT_BEGIN, false);
        assert_int_equal(initialized(&f, 0, 4), 0);
        finished(&f, 0, 0, 10, "");
        assert_int_equal(carries(&f, RECOUP__RECORD_SNAPSHOT, RECOUP_NONE, 0, 0, "a"), 0);
        finished(&f, 0, 1, 11, "");
        mark(&f, 0, 1, 11);
        finished(&f, 1, 0, 20, ""); // an event of the day
        if (complete == 1) {
            control(&f, RECOUP__RECORD_CHECKPOINT_END, false);
        }
        recoup__replay_end(&f.replay);
        assert_true(recoup__replay_trim(&f.replay, true));
        assert_int_equal(attempt(&f, 0, 0), 10);
        assert_int_equal(attempt(&f, 0, 1), 0);
        assert_int_equal(attempt(&f, 1, 0), 20);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TrimAll),
        cmocka_unit_test(NoRecoveryPointKeepsNothing),
        cmocka_unit_test(TrimCoordinatorStages),
        cmocka_unit_test(EachCoordinatorOfAStageMustCover),
        cmocka_unit_test(SecondFinishKeepsItsPlaceInFlink),
        cmocka_unit_test(ResetForgetsPlaceAndSnapshots),
        cmocka_unit_test(LateSnapshotCountsAtItsFinish),
        cmocka_unit_test(MarksStandAlone),
        cmocka_unit_test(ForeignRecordsAreRefused),
        cmocka_unit_test(UnfencedCheckpointsAreToldApart),
        cmocka_unit_test(CheckpointReplacesOnlyWhenComplete),
        cmocka_unit_test(MarkedFinishIsCoveredByLaterPoints),
        cmocka_unit_test(LateSnapshotOfAMarkedFinishSaysNothing),
        cmocka_unit_test(CompactionBehindOneRecord),
        cmocka_unit_test(CompactionSaysNothingNew),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
