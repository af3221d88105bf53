// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checkpoints of the event store at their borders: what they wait for, and a stage end amid one.
// test_store.c has more of them.
#include "support_host.h"

// A checkpoint begins at a stage end, at 20 s, while the snapshots of an earlier finish are
// overdue: they are waited for twice as long as snapshots are, until 40 s. Four recovery points may
// begin before its boundary.
static void a_checkpoint_waits_for_late_snapshots(void **state)
{
    static uint8_t payload[1 << 16];
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    struct recoup__record record = host_finished(0);

    (void)state;
    record.finished.payload = payload;
    record.finished.payload_bytes = sizeof payload;
    host->quiet = true;
    host->checkpoint_records = 3;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; i < 4; i++) {
        host_write(host, &record, 0);
    }
    host_finish_waiting(host, 1, 0, 5);
    host_advance(host, 20 * SECOND);
    host_finish(host, 2, RECOUP__WRITE_CUT);
    host_advance(host, 20 * SECOND);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(recoup__store_holds_points(host->store));
        host_finish_waiting(host, 3 + i, 0, 6 + i);
    }
    assert_true(recoup__store_holds_points(host->store));
    host_advance(host, 40 * SECOND - 1);
    assert_u64(host->checkpoints, 0);
    assert_u64(host->n_settled, 0);
    host_advance(host, 40 * SECOND);
    assert_u64(host->checkpoints, 1);
    assert_u64(host->n_settled, 5);
    assert_u64(host->carriers[4], 0);
    host_stop(host, true);
    host_destroy(host);
}

// A stage ends while a checkpoint is written that is to protect the job again. Its file is closed
// then, and synced before, although nothing else is under this policy: the checkpoint's end, in the
// next file, says that all of it is durable.
static void a_stage_end_within_a_checkpoint(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    (void)state;
    host->storage.durable_at = RECOUP_DURABLE_AT_SYNC;
    host->options.policy[RECOUP_POLICY_COMPACTION] = 0;
    host->options.policy[RECOUP_POLICY_SYNC] = 0;
    host->options.policy[RECOUP_POLICY_BOUNDARY] = 0;
    host->checkpoint_records = 10000;  // more than one step writes
    host_open(host);
    host->fault = (struct host_fault){true, RECOUP_ACTION_APPEND, 1, RECOUP_EIO, false};
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    assert_u64(host->lost, 1);
    host->manual = true;
    host_advance(host, 2 * SECOND);
    host_complete(host, 0);  // the look at who leads; now the checkpoint has begun
    assert_true(host_finish(host, 1, RECOUP__WRITE_CUT) > 0);
    host->manual = false;
    host_clear_log(host);
    host_run(host);
    assert_non_null(strstr(host->log, "sync events.0000000000000001.000001\n"
                                      "close events.0000000000000001.000001\n"
                                      "create events.0000000000000001.000002\n"));
    assert_u64(host->operations[RECOUP_ACTION_CLOSE], 2);
    assert_u64(host->restored, 1);
    assert_true(recoup__store_protected(host->store));
    host_stop(host, true);
    host_destroy(host);
}

// Writes 1,300 finishes (68,900 bytes) with a stage end behind them, and lets all settle.
static void write_a_stage(struct host *host)
{
    for (uint32_t i = 0; i < 1300; i++) {
        host_finish(host, i, i == 1299 ? RECOUP__WRITE_CUT : 0);
    }
    host_advance(host, host->now_ns + 2 * SECOND);
}

// The first checkpoint is due with 64 KiB of log. It is one of 3,000 records, 159,000 bytes, so
// that the next is due after the third stage behind it: the log is written at most twice.
static void a_log_is_compacted_once_it_has_doubled(void **state)
{
    static const unsigned expected[] = {1, 1, 1, 2};
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    (void)state;
    host->quiet = true;
    host->checkpoint_records = 3000;
    host_open(host);
    host_incarnation(host);
    for (unsigned i = 0; i < 4; i++) {
        write_a_stage(host);
        assert_u64(host->checkpoints, expected[i]);
    }
    host_stop(host, true);
    host_destroy(host);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_waits_for_late_snapshots),
        cmocka_unit_test(a_stage_end_within_a_checkpoint),
        cmocka_unit_test(a_log_is_compacted_once_it_has_doubled),
    };

    return check_main(argc, argv, "recovery_checkpoint", tests);
}
