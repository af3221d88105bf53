// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every allocation failing in turn, every storage operation failing in turn, the master dying
// before, in and after every storage operation: the same state is recovered, or less in the honest
// cases, and never another.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

static const struct recoup_stage_spec stages[] = {
    {.parallelism = 6}, {.parallelism = 3}, {.parallelism_max = 4}};
static const struct recoup_edge_spec edges[] = {
    {.producer = 0, .consumer = 1, .exchange = RECOUP_POINTWISE},
    {.producer = 0, .consumer = 2, .exchange = RECOUP_ALL_TO_ALL},
    {.producer = 1, .consumer = 2, .exchange = RECOUP_ALL_TO_ALL}};
static const struct recoup_coordinator_spec coordinators[] = {{.stage = 0, .batch_snapshot = true}};
static const struct recoup_graph graph = {.digest = {9},
                                          .n_stages = 3,
                                          .stages = stages,
                                          .n_edges = 3,
                                          .edges = edges,
                                          .n_coordinators = 1,
                                          .coordinators = coordinators};

static void try_finish(struct master *master, uint32_t stage, uint32_t subtask)
{
    if (!master->crashed) {
        master->now_ns += SECOND / 10;
        assert_int_equal(master_finish(master, stage, subtask), 0);
    }
}

static void try_advance(struct master *master, int64_t ns)
{
    if (!master->crashed) {
        master_advance(master, master->now_ns + ns);
    }
}

// What one master records: two stages, a failure in between, a lost worker.
static void record(struct master *master)
{
    master->options.snapshot_min_pause_ns = SECOND / 4;
    if (master_start(master, 1) != 0) {
        fail();
    }
    try_advance(master, SECOND);
    for (uint32_t s = 0; s < 2 && !master->crashed; s++) {
        assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
    }
    for (uint32_t i = 0; i < 6; i++) {
        try_finish(master, 0, i);
    }
    try_finish(master, 1, 0);
    try_finish(master, 1, 2);
    if (!master->crashed) {
        assert_int_equal(master_fail(master, 1, 1, 1), 0);
    }
    if (!master->crashed) {
        assert_int_equal(master_lose_partition(master, 0, 3), 0);
    }
    try_advance(master, SECOND / 2);
    try_finish(master, 0, 3);
    try_finish(master, 1, 1);
    if (!master->crashed) {
        assert_int_equal(master_initialize(master, 2, 4), 0);
    }
    try_finish(master, 2, 1);
    try_advance(master, 30 * SECOND);
}

static void recover(struct master *master, uint64_t epoch)
{
    master_restart(master, epoch);
    master_report_held(master);
    try_advance(master, 120 * SECOND);
}

struct outcome {
    uint8_t hash[16];
    unsigned operations_recording;
    unsigned operations;
    unsigned allocations;
};

static void prepare(struct master *master, struct disk *disk, enum recoup_profile profile)
{
    disk_init(disk);
    master_init(master, disk, &graph, profile);
}

static void put_away(struct master *master)
{
    if (master->job != NULL) {
        master_crash(master);
    }
    assert_int_equal(master->bytes, 0);
    disk_release(master->disk);
}

static void baseline(enum recoup_profile profile, struct outcome *outcome)
{
    struct disk disk;
    struct master master;
    prepare(&master, &disk, profile);
    record(&master);
    outcome->operations_recording = master.operations;
    recover(&master, 2);
    assert_true(master.recovered);
    assert_int_equal(master.n_ended, 1);
    master_hash(&master, outcome->hash);
    outcome->operations = master.operations;
    outcome->allocations = master.allocations;
    put_away(&master);
}

// An allocation that fails once is an error that changes nothing; the host steps again and all is
// well.
static void EveryAllocationFailsOnce(void **state)
{
    (void)state;
    for (int profile = 0; profile < 2; profile++) {
        struct outcome expected;
        baseline((enum recoup_profile)profile, &expected);
        assert_true(expected.allocations > 50);
        for (unsigned k = 0; k < expected.allocations; k++) {
            struct disk disk;
            struct master master;
            uint8_t hash[16];
            prepare(&master, &disk, (enum recoup_profile)profile);
            master.allocation_fails = k;
            record(&master);
            recover(&master, 2);
            assert_true(master.recovered);
            master_hash(&master, hash);
            assert_memory_equal(hash, expected.hash, 16);
            put_away(&master);
        }
    }
}

// Hardened: a storage operation that fails while recording costs nothing in the end.
static void EveryOperationFailsOnceWhileRecording(void **state)
{
    (void)state;
    struct outcome expected;
    baseline(RECOUP_PROFILE_HARDENED, &expected);
    unsigned lost = 0;
    for (unsigned k = 2; k < expected.operations_recording; k++) {
        struct disk disk;
        struct master master;
        uint8_t hash[16];
        prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
        master.fail_from = k;
        master.fail_to = k + 1;
        record(&master);
        lost += master.n_lost;
        assert_int_equal(master.n_lost, master.n_restored);
        recover(&master, 2);
        assert_true(master.recovered);
        master_hash(&master, hash);
        assert_memory_equal(hash, expected.hash, 16);
        put_away(&master);
    }
    assert_true(lost > 0);
}

// Flink: the first error ends recording, is said once, and what was recorded before is what is
// recovered.
static void FlinkStopsRecordingAtTheFirstError(void **state)
{
    (void)state;
    struct outcome expected;
    baseline(RECOUP_PROFILE_FLINK_1_20, &expected);
    for (unsigned k = 2; k < expected.operations_recording; k++) {
        struct disk disk;
        struct master master;
        prepare(&master, &disk, RECOUP_PROFILE_FLINK_1_20);
        master.fail_from = k;
        master.fail_to = k + 1;
        record(&master);
        assert_int_equal(master.n_lost, 1);
        assert_int_equal(master.n_restored, 0);
        recover(&master, 2);
        assert_int_equal(master.n_ended, 1);
        put_away(&master);
    }
}

// An operation that fails during recovery: one outcome, and no evidence is lost for the next
// master.
static void EveryOperationFailsOnceInRecovery(void **state)
{
    (void)state;
    struct outcome expected;
    baseline(RECOUP_PROFILE_HARDENED, &expected);
    for (unsigned k = expected.operations_recording; k < expected.operations; k++) {
        struct disk disk;
        struct master master;
        uint8_t hash[16];
        prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
        record(&master);
        master.fail_from = k;
        master.fail_to = k + 1;
        recover(&master, 2);
        assert_int_equal(master.n_ended, 1);
        recover(&master, 3);
        assert_true(master.recovered);
        master_hash(&master, hash);
        assert_memory_equal(hash, expected.hash, 16);
        put_away(&master);
    }
}

// R3: a crash before, in or after any operation of a recovery changes nothing for the next one. R2:
// once more is once.
static void CrashAnywhereInRecovery(void **state)
{
    (void)state;
    struct outcome expected;
    baseline(RECOUP_PROFILE_HARDENED, &expected);
    for (unsigned k = expected.operations_recording; k < expected.operations; k++) {
        for (int moment = MOMENT_BEFORE; moment <= MOMENT_AFTER; moment++) {
            struct disk disk;
            struct master master;
            uint8_t hash[16];
            prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
            record(&master);
            master_crash(&master);
            master.crash_moment = (enum moment)moment;
            master.crashed = false;
            master.epoch = 2;
            master.crash_at = k;
            assert_int_equal(master_start(&master, 2), 0);
            master_report_held(&master);
            try_advance(&master, 120 * SECOND);
            assert_true(master.crashed);
            for (uint64_t epoch = 3; epoch < 5; epoch++) {
                recover(&master, epoch);
                assert_true(master.recovered);
                master_hash(&master, hash);
                assert_memory_equal(hash, expected.hash, 16);
            }
            put_away(&master);
        }
    }
}

// A crash anywhere while recording: two recoveries one after the other agree.
static void CrashAnywhereWhileRecording(void **state)
{
    (void)state;
    struct outcome expected;
    baseline(RECOUP_PROFILE_HARDENED, &expected);
    for (unsigned k = 0; k < expected.operations_recording; k++) {
        for (int moment = MOMENT_BEFORE; moment <= MOMENT_AFTER; moment++) {
            struct disk disk;
            struct master master;
            uint8_t first[16];
            uint8_t second[16];
            prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
            master.crash_at = k;
            master.crash_moment = (enum moment)moment;
            record(&master);
            assert_true(master.crashed);
            recover(&master, 2);
            assert_true(master.recovered);
            master_hash(&master, first);
            recover(&master, 3);
            assert_true(master.recovered);
            master_hash(&master, second);
            assert_memory_equal(first, second, 16);
            put_away(&master);
        }
    }
}

static const struct recoup_stage_spec wide_stage[] = {{.parallelism = 12000}};
static const struct recoup_graph wide_graph = {.digest = {8},
                                               .n_stages = 1,
                                               .stages = wide_stage,
                                               .n_coordinators = 1,
                                               .coordinators = coordinators};

// A checkpoint is written in parts, with events of the day in between. What its own snapshots do
// not cover is covered by a recovery point of the day that comes before it is written, and what
// finished after that point is not.
static void CheckpointInParts(void **state)
{
    (void)state;
    struct disk disk;
    struct master master;
    disk_init(&disk);
    master_init(&master, &disk, &wide_graph, RECOUP_PROFILE_HARDENED);
    master.options.snapshot_min_pause_ns = 10 * SECOND;
    assert_int_equal(master_start(&master, 1), 0);
    assert_int_equal(master_initialize(&master, 0, 12000), 0);
    for (uint32_t i = 0; i < 8000; i++) {
        assert_int_equal(master_finish(&master, 0, i), 0); // only the first takes a snapshot
    }
    master_advance(&master, 2 * SECOND);
    master.fail_from = master.operations;
    master.fail_to = master.operations + 1;
    assert_int_equal(master_finish(&master, 0, 8000), 0);
    master.hold_io = true;
    while (master.n_lost == 0 || !master.busy || master.io.type != RECOUP_ACTION_APPEND) {
        if (master.busy) {
            master_io(&master);
        } else {
            master_advance(&master, master.now_ns + SECOND / 10);
        }
    }
    master_io(&master); // the first part
    assert_int_equal(master.n_restored, 0);
    master.now_ns = 20 * SECOND;
    assert_int_equal(master_finish(&master, 0, 8001), 0); // takes a snapshot, which comes at once
    assert_int_equal(master_finish(&master, 0, 8002), 0); // the last one that no snapshot covers
    master.hold_io = false;
    master_settle(&master);
    master_advance(&master, 25 * SECOND);
    assert_int_equal(master.n_restored, 1);
    master_restart(&master, 2);
    struct recoup_stage stage;
    recoup_stage(master.job, 0, &stage);
    assert_int_equal(stage.finished, 8002);
    assert_true(master_finished(&master, 0, 8001));
    assert_false(master_finished(&master, 0, 8002));
    put_away(&master);
}

// snapshot.on-failure = stop-recording with on-error = rearm: the finish whose snapshot failed is
// lost, while what the buffer held before it becomes durable by the close. Until the checkpoint is
// complete nothing behind the lost finish may be called durable, or it would be, too.
static void NothingBehindALostFinishIsDurable(void **state)
{
    (void)state;
    struct disk disk;
    struct master master;
    disk_init(&disk);
    master_init(&master, &disk, &graph, RECOUP_PROFILE_HARDENED);
    master.options.policy[RECOUP_POLICY_SNAPSHOT_FAILURE] = 0;
    master.options.policy[RECOUP_POLICY_SYNC] = 0;
    master.options.write_buffer_bytes = 64; // the checkpoint takes several flushes
    assert_int_equal(master_start(&master, 1), 0);
    assert_int_equal(master_initialize(&master, 0, 6), 0);
    assert_int_equal(master_finish(&master, 0, 0), 0);
    master.hold_snapshots = true;
    master_advance(&master, 2 * SECOND);
    for (uint32_t i = 1; i < 6; i++) {
        assert_int_equal(master_finish(&master, 0, i), 0);
    }
    uint64_t lost = master.event;
    assert_true(master.n_asked > 0);
    assert_int_equal(master_snapshot(&master, master.asked[0].snapshot,
                                     master.asked[0].coordinator, true, NULL, 0),
                     0);
    assert_int_equal(master.n_lost, 1);
    assert_true(master.durable < lost);
    master.n_asked = 0;
    master.hold_io = true;
    for (unsigned i = 0; i < 1000 && master.n_restored == 0; i++) {
        if (master.busy) {
            master_io(&master);
        } else {
            master_advance(&master, master.now_ns + SECOND / 20);
        }
        assert_true(master.n_restored > 0 || master.durable < lost);
    }
    assert_int_equal(master.n_restored, 1);
    master.hold_io = false;
    master_crash(&master);
    assert_int_equal(master.bytes, 0);
    disk_release(&disk);
}

// An error code is one of the library's, not the system's, and names that are counted are there.
static void AnAnswerThatIsNoneIsRefused(void **state)
{
    struct disk disk;
    struct master master;
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct recoup_update update;
    const char *const nothing[] = {"a", NULL};
    const struct recoup_event bad[] = {
        {.type = RECOUP_EVENT_IO, .io = {.error = 5}},
        {.type = RECOUP_EVENT_IO, .io = {.error = RECOUP_EINTERNAL - 1}},
        {.type = RECOUP_EVENT_IO, .io = {.n_names = 1}},
        {.type = RECOUP_EVENT_IO, .io = {.names = nothing, .n_names = 2}}};

    (void)state;
    prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
    assert_int_equal(master_create(&master), 0);
    event.start.epoch = 1;
    assert_int_equal(recoup_step(master.job, 0, &event, &update), 0);
    assert_int_equal(update.actions[0].type, RECOUP_ACTION_MKDIR);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        event = bad[i];
        event.io.operation = 1;
        assert_int_equal(recoup_step(master.job, 0, &event, &update), RECOUP_EINVAL);
        assert_int_equal(update.n_actions, 0);
    }
    event = (struct recoup_event){.type = RECOUP_EVENT_IO, .io = {.operation = 1}};
    assert_int_equal(recoup_step(master.job, 0, &event, &update), 0);
    assert_int_equal(update.actions[0].type, RECOUP_ACTION_CREATE);
    put_away(&master);
}

// A host without memory for an operation says so like any failure of the storage.
static void TheHostRunsOutOfMemory(void **state)
{
    struct disk disk;
    struct master master;
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct recoup_update update;

    (void)state;
    prepare(&master, &disk, RECOUP_PROFILE_HARDENED);
    master.options.policy[RECOUP_POLICY_ON_ERROR] = 0; // at once
    assert_int_equal(master_create(&master), 0);
    event.start.epoch = 1;
    assert_int_equal(recoup_step(master.job, 0, &event, &update), 0);
    event = (struct recoup_event){.type = RECOUP_EVENT_IO,
                                  .io = {.operation = 1, .error = RECOUP_ENOMEM}};
    assert_int_equal(recoup_step(master.job, 0, &event, &update), 0);
    assert_int_equal(update.n_actions, 2);
    assert_int_equal(update.actions[0].type, RECOUP_ACTION_RECOVERY_FAILED);
    assert_int_equal(update.actions[0].recovery_failed.error, RECOUP_ENOMEM);
    assert_int_equal(update.actions[1].type, RECOUP_ACTION_PROTECTION_LOST);
    put_away(&master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(EveryAllocationFailsOnce),
        cmocka_unit_test(EveryOperationFailsOnceWhileRecording),
        cmocka_unit_test(FlinkStopsRecordingAtTheFirstError),
        cmocka_unit_test(EveryOperationFailsOnceInRecovery),
        cmocka_unit_test(CrashAnywhereInRecovery),
        cmocka_unit_test(CrashAnywhereWhileRecording),
        cmocka_unit_test(CheckpointInParts),
        cmocka_unit_test(NothingBehindALostFinishIsDurable),
        cmocka_unit_test(AnAnswerThatIsNoneIsRefused),
        cmocka_unit_test(TheHostRunsOutOfMemory),
    };
    return cmocka_run_group_tests_name("job faults", tests, NULL, NULL);
}
