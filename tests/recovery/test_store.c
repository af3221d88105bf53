// SPDX-License-Identifier: GPL-3.0-or-later
//
// The event store driven through a host in memory. Names C1.x are rows of the specification,
// section 8.1.
#include "support_host.h"

static struct host *flink(void)
{
    return host_create(RECOUP_PROFILE_FLINK_1_20);
}

static struct host *hardened(void)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    host->options.policy[RECOUP_POLICY_COMPACTION] = 0;
    return host;
}

static uint32_t finished_records(const struct host *host)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < host->n_records; i++) {
        n += host->records[i].type == RECOUP__RECORD_FINISHED ? 1 : 0;
    }
    return n;
}

// C1.1: what was written is read in order; a second master's records follow; a cleared store is
// empty.
static void c1_1_read_and_write(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_NOTHING);
    for (uint32_t i = 0; i < 5; i++) {
        assert_u64(host_finish(host, i, 0), i + 1);
    }
    host_stop(host, false);
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 5);
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 5);
    assert_u64(host_finish(host, 5, 0), 1);
    assert_u64(host_finish(host, 6, 0), 2);
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_u64(host->records[i].subtask, i);
        assert_u64(host->records[i].position.sequence, i + 1);
    }
    host_stop(host, true);
    host_open(host);
    assert_u64(host->n_records, 0);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_NOTHING);
    host_stop(host, true);
    host_destroy(host);
}

// C1.3: no file before the first record; stop(keep) keeps it; stop(clear) removes the directory.
static void c1_3_stop_with_clear(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    assert_true(host->directory);
    assert_u64(host_n_files(host), 0);
    host_finish(host, 0, 0);
    host_stop(host, false);
    assert_u64(host_n_files(host), 1);
    host_open(host);
    host_stop(host, true);
    assert_false(host->directory);
    host_destroy(host);
}

// C1.4: garbage of an unexpected length ends its file; later files count.
static void c1_4_unexpected_length(void **state)
{
    struct host *host = flink();
    struct host_file *file;
    uint8_t bytes[256];
    size_t good;

    (void)state;
    host_open(host);
    for (uint32_t i = 0; i < 5; i++) {
        host_finish(host, i, 0);
    }
    host_stop(host, false);
    file = host_file(host, "events.0");
    good = file->size / 5;
    memcpy(bytes, "\0\0\0\1\0\0\x13\x88", 8);  // type 1, length 5000
    memcpy(bytes + 8, file->bytes, good);
    memcpy(bytes + 8 + good, file->bytes + good, good);
    {
        uint8_t all[1024];
        size_t size = file->size;

        memcpy(all, file->bytes, size);
        memcpy(all + size, bytes, 8 + 2 * good);
        host_put(host, "events.0", all, size + 8 + 2 * good);
    }
    host_open(host);
    assert_u64(host->n_records, 5);
    assert_int_equal(recoup__store_opened(host->store)->damage, RECOUP__DAMAGE_TORN);
    for (uint32_t i = 5; i < 10; i++) {
        host_finish(host, i, 0);
    }
    host_stop(host, false);
    assert_non_null(host_file(host, "events.1"));
    host_open(host);
    assert_u64(host->n_records, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_u64(host->records[i].subtask, i);
    }
    host_stop(host, false);
    host_destroy(host);
}

// C1.5: the library's part of the directory's name: files are named events.N inside it.
static void c1_5_names(void **state)
{
    char name[32];

    (void)state;
    recoup__file_name(false, 0, 12, name);
    assert_string_equal(name, "events.12");
    recoup__file_name(true, 0x1f, 3, name);
    assert_string_equal(name, "events.000000000000001f.000003");
}

// C1.6: a cut closes the file after its record; the next record opens the next one.
static void c1_6_cut(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_finish(host, 0, 0);
    assert_u64(host_n_files(host), 1);
    host_finish(host, 1, RECOUP__WRITE_CUT);
    assert_u64(host_n_files(host), 1);
    assert_u64(host->operations[RECOUP_ACTION_CLOSE], 1);
    host_finish(host, 2, 0);
    assert_u64(host_n_files(host), 2);
    host_stop(host, false);
    host_destroy(host);
}

// The flush timer has a fixed rate, counted from the opening, and an empty flush writes nothing.
static void flush_has_a_fixed_rate(void **state)
{
    struct host *host = flink();

    (void)state;
    host->now_ns = 300 * MILLISECOND;
    host_open(host);
    host_clear_log(host);
    assert_time_ns(recoup__store_deadline(host->store), RECOUP_NEVER);
    host_advance(host, 2000 * MILLISECOND);
    assert_text(host->log, "");
    host_finish(host, 0, 0);
    assert_time_ns(recoup__store_deadline(host->store), 2300 * MILLISECOND);
    host_advance(host, 3300 * MILLISECOND);
    host_finish(host, 1, 0);  // at a tick: it is in that flush
    assert_time_ns(recoup__store_deadline(host->store), 3300 * MILLISECOND);
    host_advance(host, 9000 * MILLISECOND);
    assert_text(host->log, "create events.0\n"
                           "append events.0 37 to 1\nflush events.0\ndurable 1\n"
                           "append events.0 37 to 2\nflush events.0\ndurable 2\n");
    host_stop(host, false);
    host_destroy(host);
}

// Ticks that were due while an operation was under way are made up for in order, as one: the others
// would find an empty buffer.
static void late_ticks_catch_up(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_clear_log(host);
    host->manual = true;
    host_finish(host, 0, 0);
    host->now_ns = 1500 * MILLISECOND;
    host_finish(host, 1, 0);
    host->now_ns = 4200 * MILLISECOND;
    host_finish(host, 2, 0);
    host_complete(host, 0);  // the creation, at last
    host_run(host);
    assert_text(host->log, "create events.0\n"
                           "append events.0 37 to 1\nflush events.0\ndurable 1\n"
                           "append events.0 37 to 2\nflush events.0\ndurable 2\n");
    assert_time_ns(recoup__store_deadline(host->store), 5 * SECOND);
    host->manual = false;
    host_stop(host, false);
    host_destroy(host);
}

// A record that fills the buffer exactly is written out at once, one byte less waits for the timer.
static void the_buffer_is_filled_exactly(void **state)
{
    (void)state;
    for (unsigned left = 0; left < 2; left++) {
        struct host *host = flink();

        host->options.write_buffer_bytes = 2 * 37 + left;
        host_open(host);
        host_finish(host, 0, 0);
        host_clear_log(host);
        host_finish(host, 1, 0);
        assert_text(host->log, left == 1 ? "" : "append events.0 74 to 2\nflush events.0\n"
                                                "durable 2\n");
        host_stop(host, true);
        host_destroy(host);
    }
}

// Flink's stream passes a large chunk by the buffer and forgets to flush it (H14); the hardened one
// flushes.
static void large_records_pass_by(void **state)
{
    static uint8_t payload[5000];
    struct recoup__record record = host_finished(0);
    struct host *host = flink();

    (void)state;
    record.finished.payload = payload;
    record.finished.payload_bytes = sizeof payload;
    host_open(host);
    host_clear_log(host);
    host_write(host, &record, 0);
    host_advance(host, 10 * SECOND);
    assert_text(host->log, "create events.0\n"
                           "append events.0 8 to 0\nflush events.0\n"
                           "append events.0 5033 to 1\n");
    assert_u64(host->durable, 0);
    host_clear_log(host);
    host_stop(host, false);
    assert_text(host->log, "close events.0\ndurable 1\n");
    host_destroy(host);

    host = hardened();
    host_open(host);
    host_incarnation(host);
    host_clear_log(host);
    host_write(host, &record, 0);
    host_advance(host, 10 * SECOND);
    assert_text(host->log, "append events.0000000000000001.000000 5057 to 2\n"
                           "flush events.0000000000000001.000000\ndurable 2\n");
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 2);
    host_stop(host, true);
    host_destroy(host);
}

// A storage error stops recording for good under `stop`: said once, the rest dropped and counted.
static void error_stops_recording(void **state)
{
    struct recoup_stats stats = {0};
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    host->fault = (struct host_fault){true, RECOUP_ACTION_FLUSH, 1, RECOUP_EIO, false};
    host_finish(host, 1, 0);
    host_clear_log(host);
    host_advance(host, 2 * SECOND);
    assert_text(host->log, "append events.0 37 to 2\nflush events.0\n  RECOUP_EIO\n"
                           "lost RECOUP_EIO\nclose events.0\n");
    assert_u64(host_finish(host, 2, 0), 0);
    host_advance(host, 100 * SECOND);
    assert_false(recoup__store_protected(host->store));
    recoup__store_stats(host->store, &stats);
    assert_u64(stats.events_accepted, 2);
    assert_u64(stats.events_durable, 1);
    assert_u64(stats.events_dropped, 1);
    assert_u64(host->lost, 1);
    host_stop(host, false);
    host_destroy(host);
}

// Under `rearm` a new file with a checkpoint protects the job again; the back-off doubles.
static void error_rearms(void **state)
{
    struct recoup_stats stats = {0};
    struct host *host = hardened();

    (void)state;
    host->checkpoint_records = 3;
    host_open(host);
    host_incarnation(host);
    host->fault = (struct host_fault){true, RECOUP_ACTION_APPEND, 1, RECOUP_ENOSPC, false};
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    assert_u64(host->lost, 1);
    assert_int_equal(host->lost_error, RECOUP_ENOSPC);
    assert_u64(host_finish(host, 1, 0), 0);
    assert_time_ns(recoup__store_deadline(host->store), 1100 * MILLISECOND);
    host->fault = (struct host_fault){true, RECOUP_ACTION_CREATE, 1, RECOUP_EIO, false};
    host_advance(host, 1200 * MILLISECOND);
    assert_time_ns(recoup__store_deadline(host->store), 1300 * MILLISECOND);
    host_advance(host, 1300 * MILLISECOND);
    assert_u64(host->restored, 1);
    assert_true(recoup__store_protected(host->store));
    recoup__store_stats(host->store, &stats);
    assert_true(stats.events_durable < host->durable);
    host_finish(host, 9, 0);
    host_stop(host, false);

    host_open(host);
    assert_u64(host->lost, 1);
    assert_true(host->n_records >= 7);
    assert_int_equal(host->records[0].type, RECOUP__RECORD_INCARNATION);
    assert_int_equal(host->records[1].type, RECOUP__RECORD_CHECKPOINT_BEGIN);
    assert_true(host->records[1].replaces);
    assert_int_equal(host->records[2].type, RECOUP__RECORD_INCARNATION);
    assert_int_equal(host->records[3].type, RECOUP__RECORD_GAP);
    assert_int_equal(host->records[7].type, RECOUP__RECORD_CHECKPOINT_END);
    assert_u64(host->records[8].subtask, 9);
    assert_false(recoup__store_opened(host->store)->lost);
    host_stop(host, true);
    host_destroy(host);
}

// The append fails, and then the close of that file too: nothing more happens to the file.
static void append_and_close_fail(void **state)
{
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    host->manual = true;
    host_finish(host, 1, 0);
    host_advance(host, 2 * SECOND);
    host_complete(host, 0);           // the append
    host_complete(host, RECOUP_EIO);  // the flush
    assert_int_equal(host->operation.type, RECOUP_ACTION_CLOSE);
    host_complete(host, RECOUP_EIO);
    assert_false(host->busy);
    host->manual = false;
    host_clear_log(host);
    host_advance(host, 5 * SECOND);
    assert_u64(host->restored, 1);
    assert_null(strstr(host->log, "1.000000"));
    host_stop(host, true);
    host_destroy(host);
}

// A record that waits for snapshots blocks the writer: records and flushes behind it wait too.
static void snapshot_blocks_the_writer(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_finish(host, 0, 0);
    host_clear_log(host);
    assert_u64(host_finish_waiting(host, 1, RECOUP__WRITE_CUT, 77), 2);
    host_finish(host, 2, 0);
    host_advance(host, 5 * SECOND);
    assert_text(host->log, "");
    host_snapshot(host, 77, RECOUP_SHUFFLE, false);
    assert_text(host->log, "");
    assert_u64(host->n_settled, 0);
    host_snapshot(host, 77, 0, false);
    assert_u64(host->n_settled, 1);
    assert_u64(host->settled[0], 77);
    assert_u64(host->carriers[0], 2);
    assert_text(host->log, "append events.0 112 to 2\nflush events.0\ndurable 2\nclose events.0\n"
                           "create events.1\nappend events.1 37 to 3\nflush events.1\ndurable 3\n");
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 3);
    assert_u64(host->records[1].n_snapshots, 2);
    assert_u64(host->records[1].shuffle_size, 0);
    host_stop(host, true);
    host_destroy(host);
}

// H4 under Flink: a failed snapshot ends recording; what is buffered is still flushed by the close.
static void failed_snapshot_stops_recording(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_finish(host, 0, 0);
    host_finish_waiting(host, 1, 0, 5);
    host_finish(host, 2, 0);
    host_clear_log(host);
    host_snapshot(host, 5, 0, true);
    assert_text(host->log, "lost RECOUP_EIO\nappend events.0 37 to 1\nflush events.0\ndurable 1\n"
                           "close events.0\n");
    assert_u64(host->settled[0], 5);
    assert_u64(host->carriers[0], 0);
    assert_u64(host_finish(host, 3, 0), 0);
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 1);
    host_stop(host, true);
    host_destroy(host);
}

// H4 hardened: it leaves an ordinary record.
static void failed_snapshot_is_skipped(void **state)
{
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    host_finish_waiting(host, 1, 0, 5);
    host_finish(host, 2, 0);
    host_snapshot(host, 5, 0, true);
    assert_u64(host->lost, 0);
    assert_u64(host->carriers[0], 0);
    host_stop(host, false);
    host_open(host);
    assert_u64(finished_records(host), 2);
    assert_u64(host->records[1].n_snapshots, 0);
    host_stop(host, true);
    host_destroy(host);
}

// H3: past its time the record is written alone, and the snapshot follows as a record of its own.
static void late_snapshot_follows(void **state)
{
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    host->now_ns = SECOND;
    host_finish_waiting(host, 1, 0, 5);
    host_finish(host, 2, 0);
    host_snapshot(host, 5, 0, false);
    host_advance(host, 10 * SECOND);
    assert_u64(host->durable, 1);
    assert_time_ns(recoup__store_deadline(host->store), 11 * SECOND);
    host_advance(host, 13 * SECOND);
    assert_u64(host->durable, 3);
    assert_u64(host->n_settled, 0);
    host_snapshot(host, 5, RECOUP_SHUFFLE, false);
    assert_u64(host->n_settled, 1);
    assert_u64(host->carriers[0], 4);
    assert_u64(host->durable, 4);
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 4);
    assert_int_equal(host->records[3].type, RECOUP__RECORD_SNAPSHOT);
    assert_u64(host->records[3].subtask, 1);
    assert_u64(host->records[3].n_snapshots, 2);
    host_stop(host, true);
    host_destroy(host);
}

// Each record has a time of its own: the second one's is over a nanosecond after the first one's.
static void late_by_a_nanosecond(void **state)
{
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    host->now_ns = SECOND;
    host_finish_waiting(host, 1, 0, 5);
    host->now_ns = SECOND + 1;
    host_finish_waiting(host, 2, 0, 6);
    host_advance(host, 11 * SECOND);
    assert_time_ns(recoup__store_deadline(host->store), 11 * SECOND + 1);
    host_snapshot(host, 6, 0, false);
    host_snapshot(host, 6, RECOUP_SHUFFLE, false);
    assert_u64(host->n_settled, 1);
    assert_u64(host->settled[0], 6);
    assert_u64(host->carriers[0], 3);  // in time, so its finish itself carries it
    host_stop(host, true);
    host_destroy(host);
}

// Snapshots that never come do not pile up: past a limit the oldest are given up.
static void late_snapshots_are_limited(void **state)
{
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; i < 70; i++) {
        host_finish_waiting(host, i, 0, i + 1);
    }
    host_advance(host, 20 * SECOND);
    assert_u64(host->n_settled, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_u64(host->settled[i], i + 1);
        assert_u64(host->carriers[i], 0);
    }
    assert_u64(host->durable, 71);
    host_stop(host, false);
    assert_u64(host->n_settled, 70);
    host_destroy(host);
}

// The watermark follows the operation that makes bytes durable on this storage.
static void durable_at_sync_and_close(void **state)
{
    struct host *host = hardened();

    (void)state;
    host->storage.durable_at = RECOUP_DURABLE_AT_SYNC;
    host_open(host);
    host_incarnation(host);
    assert_u64(host->durable, 1);
    host_finish(host, 0, 0);
    host_advance(host, 5 * SECOND);
    assert_u64(host->durable, 1);  // flushed, not synced
    host_finish_waiting(host, 1, 0, 1);
    host_snapshot(host, 1, 0, false);
    host_snapshot(host, 1, RECOUP_SHUFFLE, false);
    assert_u64(host->durable, 3);
    assert_u64(host->operations[RECOUP_ACTION_SYNC], 2);
    host_stop(host, true);
    host_destroy(host);

    host = hardened();
    host->storage.durable_at = RECOUP_DURABLE_AT_CLOSE;
    host_open(host);
    host_incarnation(host);
    assert_u64(host->durable, 1);
    assert_u64(host->operations[RECOUP_ACTION_CLOSE], 2);  // the claim's, too
    host_finish(host, 0, 0);
    host_advance(host, 59 * SECOND);
    assert_u64(host->durable, 1);
    host_advance(host, 60 * SECOND);  // the age limit
    assert_u64(host->durable, 2);
    host_finish_waiting(host, 1, 0, 1);
    host_snapshot(host, 1, 0, false);
    host_snapshot(host, 1, RECOUP_SHUFFLE, false);
    assert_u64(host->durable, 3);
    host_stop(host, true);
    host_destroy(host);
}

// Flink never syncs: on a storage that is durable at sync nothing is ever known to be durable, also
// not what follows a file that was closed without.
static void unsynced_hole(void **state)
{
    struct recoup_stats stats = {0};
    struct host *host = flink();

    (void)state;
    host->storage.durable_at = RECOUP_DURABLE_AT_SYNC;
    host_open(host);
    host_finish(host, 0, RECOUP__WRITE_CUT);
    host->now_ns = 100;
    host_finish(host, 1, RECOUP__WRITE_DURABLE);
    assert_u64(host->operations[RECOUP_ACTION_SYNC], 1);
    assert_u64(host->durable, 0);
    recoup__store_stats(host->store, &stats);
    assert_time_ns(stats.oldest_not_durable_ns, 0);
    assert_u64(stats.events_durable, 0);
    host_stop(host, true);
    host_destroy(host);
}

// A stage end and the initialization that follows it at the same instant become durable together
// (H7).
static void boundary_is_one_unit(void **state)
{
    struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};
    struct host *host = hardened();

    (void)state;
    record.initialized.stage = 2;
    record.initialized.parallelism = 4;
    host->storage.durable_at = RECOUP_DURABLE_AT_CLOSE;
    host_open(host);
    host_incarnation(host);
    host->now_ns = SECOND;
    host_finish(host, 0, RECOUP__WRITE_CUT);
    assert_u64(host->durable, 1);
    assert_time_ns(recoup__store_deadline(host->store), SECOND);
    host_write(host, &record, RECOUP__WRITE_BOUNDARY);
    host_clear_log(host);
    host_advance(host, SECOND);
    assert_text(host->log, "append events.0000000000000001.000002 149 to 3\n"
                           "flush events.0000000000000001.000002\n"
                           "close events.0000000000000001.000002\ndurable 3\n");
    host_stop(host, true);
    host_destroy(host);
}

// Waiting bytes are bounded: throttle at three quarters, off at half, and an error at the limit.
static void throttle_and_limit(void **state)
{
    struct host *host = flink();

    (void)state;
    host->limits.waiting_bytes = 37 * 8;
    host_open(host);
    host->manual = true;
    for (uint32_t i = 0; i < 5; i++) {
        host_finish(host, i, 0);
        assert_false(host->throttled);
    }
    host_finish(host, 5, 0);
    assert_true(host->throttled);
    host_run(host);
    assert_false(host->throttled);
    host_finish_waiting(host, 6, 0, 1);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(host_finish(host, i, 0) > 0);
    }
    assert_u64(host->lost, 0);
    host_finish(host, 7, 0);
    assert_u64(host_finish(host, 8, 0), 0);
    assert_u64(host->lost, 1);
    assert_int_equal(host->lost_error, RECOUP_ELIMIT);
    assert_false(host->throttled);
    host_run(host);
    host_stop(host, true);
    host_destroy(host);
}

// The limit is hit while storage still reads the queued bytes of a large record: they stay where
// they are.
static void limit_during_direct_append(void **state)
{
    static uint8_t payload[3000];
    struct recoup__record record = host_finished(0);
    struct host *host = hardened();

    (void)state;
    record.finished.payload = payload;
    record.finished.payload_bytes = sizeof payload;
    host->options.write_buffer_bytes = 1000;
    host->limits.waiting_bytes = 3500;
    host_open(host);
    host->manual = true;
    host_write(host, &record, 0);
    while (host->operation.type != RECOUP_ACTION_APPEND || host->operation.io.size < 3000) {
        host_complete(host, 0);
    }
    while (host->lost == 0) {
        host_finish(host, 1, 0);
    }
    host_run(host);  // checks that the bytes are unchanged
    host_advance(host, 20 * SECOND);
    host_run(host);
    host_stop(host, true);
    host_destroy(host);
}

// Flink's answer to a failed recovery: everything is removed and the store begins again.
static void wipe(void **state)
{
    struct host *host = flink();

    (void)state;
    host_put(host, "events.0", "\0\0\0\x09\0\0\0\0", 8);
    assert_int_equal(host_start(host), 0);
    host_run(host);
    assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_FAILED);
    assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EVERSION);
    recoup__actions_begin(&host->actions);
    assert_int_equal(recoup__actions_reserve(&host->actions, RECOUP__STORE_ACTIONS), 0);
    assert_int_equal(recoup__store_wipe(host->store, &host->actions, host->now_ns), 0);
    host->operation = host->actions.items[0];
    host->busy = true;
    host_run(host);
    assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_OPEN);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_NOTHING);
    assert_u64(host_finish(host, 0, 0), 1);
    assert_non_null(host_file(host, "events.0"));
    host_stop(host, false);
    host_open(host);
    assert_u64(host->n_records, 1);
    host_stop(host, true);
    host_destroy(host);
}

// STOP comes while a wipe is under way, at each of its operations; whether its removal fails says
// nothing of the end.
static void stop_amid_a_wipe(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        struct host *host = i % 2 == 0 ? flink() : hardened();
        bool clear = i / 2 % 2 == 1;
        bool fails = i / 4 % 2 == 1;

        host_put(host, i % 2 == 0 ? "events.0" : "events.0000000000000001.000000",
                 "\0\0\0\x63\0\0\0\0", 8);
        host->options.policy[RECOUP_POLICY_ON_DAMAGE] = 0;
        assert_int_equal(host_start(host), 0);
        host_run(host);
        assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_FAILED);
        recoup__actions_begin(&host->actions);
        assert_int_equal(recoup__actions_reserve(&host->actions, RECOUP__STORE_ACTIONS), 0);
        assert_int_equal(recoup__store_wipe(host->store, &host->actions, host->now_ns), 0);
        host->operation = host->actions.items[0];
        host->busy = true;
        host->manual = true;
        for (unsigned done = 0; done < i / 8; done++) {
            host_complete(host, 0);
        }
        assert_true(host->busy);
        recoup__actions_begin(&host->actions);
        assert_int_equal(recoup__actions_reserve(&host->actions, RECOUP__STORE_ACTIONS), 0);
        assert_int_equal(recoup__store_stop(host->store, &host->actions, host->now_ns, clear), 0);
        assert_u64(host->actions.n, 0); // one operation at a time
        host_complete(host, fails ? RECOUP_EIO : 0);
        host->manual = false;
        host_run(host);
        assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_STOPPED);
        assert_int_equal(recoup__store_end_error(host->store), 0);
        host_crash(host);
        if (clear) {
            assert_u64(host_n_files(host), 0);
        }
        host_destroy(host);
    }
}

// After leadership is lost nothing is issued, ever.
static void leadership_lost(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    host_finish(host, 0, 0);
    host->manual = true;
    host_advance(host, SECOND);
    assert_true(host->busy);
    recoup__store_leadership_lost(host->store);
    assert_true(recoup__store_expects(host->store, host->operation.io.operation));
    assert_time_ns(recoup__store_deadline(host->store), RECOUP_NEVER);
    host->busy = false;
    assert_u64(host_finish(host, 1, RECOUP__WRITE_CUT), 0);
    host_advance(host, 100 * SECOND);
    assert_false(host->busy);
    host_destroy(host);
}

// Compaction: a checkpoint at a stage end makes older files removable, oldest first.
static void compaction(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    (void)state;
    host->quiet = true;
    host->checkpoint_records = 1000;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; i < 1999; i++) {
        host_finish(host, i % 1000, i % 500 == 499 ? RECOUP__WRITE_CUT : 0);
        host_advance(host, host->now_ns + MILLISECOND);
    }
    assert_u64(host->checkpoints, 1);
    assert_u64(host->operations[RECOUP_ACTION_REMOVE], 3);
    host_finish(host, 0, 0);
    host_stop(host, false);
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    assert_int_equal(recoup__store_opened(host->store)->damage, RECOUP__DAMAGE_MISSING);
    assert_false(recoup__store_opened(host->store)->lost);
    assert_int_equal(host->records[0].type, RECOUP__RECORD_CHECKPOINT_BEGIN);
    host_incarnation(host);
    host_stop(host, false);
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    host_stop(host, true);
    host_destroy(host);
}

// A checkpoint of `n` records, taken at a stage end. Returns how often the store asked for them.
static unsigned checkpoint_of(uint32_t n)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    unsigned calls;

    host->quiet = true;
    host->checkpoint_records = n;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; host->checkpoints == 0; i++) {
        bool cut = i % 500 == 499;

        assert_true(i < 5000);
        host_finish(host, i % 1000, cut ? RECOUP__WRITE_CUT : 0);
        host_advance(host, host->now_ns + MILLISECOND);
    }
    calls = host->checkpoint_calls;
    host_stop(host, false);
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    assert_false(recoup__store_opened(host->store)->lost);
    // BEGIN, INCARNATION, the state and END follow on one another, and nothing stands before them.
    assert_u64(host->n_records, n + 3);
    assert_int_equal(host->records[0].type, RECOUP__RECORD_CHECKPOINT_BEGIN);
    assert_int_equal(host->records[1].type, RECOUP__RECORD_INCARNATION);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(host->records[i + 2].type, RECOUP__RECORD_FINISHED);
        assert_u64(host->records[i + 2].subtask, i);
    }
    assert_int_equal(host->records[n + 2].type, RECOUP__RECORD_CHECKPOINT_END);
    host_stop(host, true);
    host_destroy(host);
    return calls;
}

// A checkpoint that fits one part begins and ends within one step; with one record more it takes a
// second one.
static void a_checkpoint_of_one_step(void **state)
{
    uint32_t part = 1u << 18;  // RECOUP__CHECKPOINT_PART
    uint32_t most = (part - 29) / 53 + 1;

    (void)state;
    assert_u64(checkpoint_of(0), 1);
    assert_u64(checkpoint_of(1), 1);
    assert_u64(checkpoint_of(most), 1);
    assert_u64(checkpoint_of(most + 1), 2);
}

// A master with a greater epoch has been here: this one may not go on.
static void fenced(void **state)
{
    struct host *host = hardened();

    (void)state;
    host->epoch = 8;
    host_open(host);
    host_incarnation(host);
    host_stop(host, false);
    host->epoch = 6;
    assert_int_equal(host_start(host), 0);
    host_run(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_FAILED);
    assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EFENCED);
    host_destroy(host);
}

// What a fenced master writes after its successor has read the log never counts (H16).
static void zombie_bytes_do_not_count(void **state)
{
    static const char old[] = "events.0000000000000001.000000";
    struct host *host = hardened();
    struct host_file *file;
    uint8_t whole[4096];
    size_t whole_size;
    size_t read_size;

    (void)state;
    host_open(host);
    host_incarnation(host);
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    read_size = host_file(host, old)->size;
    host_finish(host, 1, 0);
    host_advance(host, 2 * SECOND);
    file = host_file(host, old);
    whole_size = file->size;
    memcpy(whole, file->bytes, whole_size);
    host_crash(host);

    file->size = read_size;  // the second master reads before the zombie's last append
    host_open(host);
    assert_u64(host->n_records, 2);
    host_incarnation(host);
    host_finish(host, 7, 0);
    host_stop(host, false);
    host_put(host, old, whole, whole_size);
    host_open(host);
    assert_u64(host->n_records, 4);
    assert_u64(host->records[1].subtask, 0);
    assert_int_equal(host->records[2].type, RECOUP__RECORD_INCARNATION);
    assert_u64(host->records[3].subtask, 7);
    assert_u64(recoup__store_opened(host->store)->damaged, 0);
    host_stop(host, true);
    host_destroy(host);
}

// One life of a job, for the sweeps below. Returns how often protection was lost before it was
// stopped.
static unsigned story(struct host *host)
{
    unsigned lost;

    host->checkpoint_records = 5;
    host->options.write_buffer_bytes = 200;
    assert_int_equal(host_start(host), 0);
    host_run(host);
    host_advance(host, 40 * SECOND);  // it may take some attempts
    if (recoup__store_wants_incarnation(host->store)) {
        host_incarnation(host);
    }
    for (uint32_t i = 0; i < 20; i++) {
        host_finish(host, i, i % 7 == 6 ? RECOUP__WRITE_CUT : 0);
        host_advance(host, host->now_ns + 300 * MILLISECOND);
    }
    host_finish_waiting(host, 20, 0, 1);
    host_finish(host, 21, 0);
    host_snapshot(host, 1, 0, false);
    host_snapshot(host, 1, RECOUP_SHUFFLE, false);
    host_advance(host, host->now_ns + 30 * SECOND);
    lost = host->lost;
    host_finish(host, 22, 0);
    host_stop(host, false);
    return lost;
}

// Every allocation in turn fails once: the call says so, changes nothing, and goes well when
// repeated.
static void out_of_memory(void **state)
{
    static const enum recoup_profile profiles[] = {RECOUP_PROFILE_FLINK_1_20,
                                                   RECOUP_PROFILE_HARDENED};

    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct host *quiet = host_create(profiles[p]);
        char *expected;
        uint64_t n;

        (void)story(quiet);
        n = quiet->allocations;
        expected = malloc(quiet->log_size + 1);
        assert_non_null(expected);
        memcpy(expected, quiet->log, quiet->log_size + 1);
        host_destroy(quiet);
        assert_true(n > 5);
        for (uint64_t at = 1; at <= n; at++) {
            struct host *host = host_create(profiles[p]);

            host->fail_at = at;
            (void)story(host);
            assert_text(host->log, expected);
            host_destroy(host);
        }
        free(expected);
    }
}

// Every operation in turn fails, once or from then on: nothing crashes or hangs, protection is said
// to be lost, and what is read afterwards is consistent.
static void every_operation_fails(void **state)
{
    static const enum recoup_profile profiles[] = {RECOUP_PROFILE_FLINK_1_20,
                                                   RECOUP_PROFILE_HARDENED};
    unsigned struck = 0;

    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        for (unsigned type = RECOUP_ACTION_CREATE; type <= RECOUP_ACTION_CLOSE; type++) {
            for (unsigned nth = 1; nth <= 12; nth++) {
                struct host *host = host_create(profiles[p]);
                unsigned lost_running;
                bool fired;

                host->storage.durable_at = RECOUP_DURABLE_AT_SYNC;
                host->fault = (struct host_fault){true, (enum recoup_action_type)type, nth,
                                                  RECOUP_EIO, nth % 2 == 0};
                lost_running = story(host);
                fired = host->fired > 0;
                // A claim that fails once is tried again, before there is anything to be lost.
                bool claim = p == 1 && type == RECOUP_ACTION_CREATE && nth == 1;
                assert_int_equal(host->lost > 0, fired && !claim);
                struck += fired ? 1 : 0;
                if (p == 1 && lost_running > 0 && nth % 2 == 1) {
                    assert_u64(host->restored, host->lost);
                }
                host->fault.armed = false;
                host_open(host);
                for (uint32_t i = 1; p == 1 && i < host->n_records; i++) {
                    assert_true(host->records[i].position.sequence
                                > host->records[i - 1].position.sequence);
                }
                host_stop(host, true);
                host_destroy(host);
            }
        }
    }
    assert_true(struck > 20);
}

// How often protection was lost, and for how long, also while it still is.
static void unprotected_time_adds_up(void **state)
{
    struct recoup_stats stats = {0};
    struct host *host = hardened();

    (void)state;
    host_open(host);
    host_incarnation(host);
    host->now_ns = SECOND;
    recoup__store_stats(host->store, &stats);
    assert_time_ns(stats.unprotected_ns, 0);
    assert_u64(stats.interruptions, 0);
    for (uint32_t i = 0; i < 2; i++) {
        host->fault = (struct host_fault){true, RECOUP_ACTION_APPEND, 1, RECOUP_EIO, false};
        host_finish(host, i, RECOUP__WRITE_DURABLE);
        assert_u64(host->lost, i + 1);
        host_advance(host, host->now_ns + 30 * MILLISECOND);
        host_finish(host, i, 0);
        recoup__store_stats(host->store, &stats);
        assert_u64(stats.interruptions, i + 1);
        host_advance(host, host->now_ns + 5 * SECOND);
        recoup__store_stats(host->store, &stats);
        assert_u64(host->restored, i + 1);
        assert_time_ns(stats.unprotected_ns, (i + 1) * 100 * MILLISECOND);  // the first attempt
    }
    host->fault = (struct host_fault){true, RECOUP_ACTION_APPEND, 1, RECOUP_EIO, true};
    host_finish(host, 3, RECOUP__WRITE_DURABLE);
    host_advance(host, host->now_ns + 50 * MILLISECOND);
    host_finish(host, 4, 0);
    recoup__store_stats(host->store, &stats);
    assert_false(stats.protected_now);
    assert_u64(stats.interruptions, 3);
    host_advance(host, host->now_ns + SECOND);
    host->fault.armed = false;
    host_advance(host, host->now_ns + 20 * SECOND);
    recoup__store_stats(host->store, &stats);
    assert_true(stats.protected_now);
    assert_u64(stats.interruptions, 3);
    assert_true(stats.unprotected_ns > SECOND && stats.unprotected_ns < 21 * SECOND);
    host_stop(host, false);
    host_destroy(host);
}

// However much the job records while a checkpoint is written, it is written, and what it covers is
// removed: the queue is never empty here, nor ever as short as a part of a checkpoint.
static void a_busy_job_does_not_starve_its_checkpoint(void **state)
{
    static uint8_t payload[20000];
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    struct recoup__record record = host_finished(0);
    unsigned turns = 0;

    (void)state;
    record.finished.payload = payload;
    record.finished.payload_bytes = sizeof payload;
    host->quiet = true;
    host->checkpoint_records = 20000;  // 1 MB of them
    host_open(host);
    host_incarnation(host);
    host->manual = true;
    for (uint32_t i = 0; i < 30; i++) {
        host_write(host, &record, i == 5 ? RECOUP__WRITE_CUT : 0);
    }
    while (host->operations[RECOUP_ACTION_REMOVE] == 0) {
        struct recoup_stats stats = {0};

        recoup__store_stats(host->store, &stats);
        for (; stats.bytes_waiting < 600000; stats.bytes_waiting += sizeof payload) {
            host_write(host, &record, 0);
        }
        host_complete(host, 0);
        assert_true(host->busy);
        assert_true(turns++ < 1000);
    }
    assert_u64(host->lost, 0);
    assert_u64(host->checkpoints, 1);
    host_run(host);
    host_crash(host);
    host_destroy(host);
}

// A record that the job cannot take for want of memory is delivered again; nothing is delivered
// twice.
static void replay_goes_on_after_out_of_memory(void **state)
{
    struct host *host = flink();

    (void)state;
    host_open(host);
    for (uint32_t i = 0; i < 10; i++) {
        host_finish(host, i, 0);
    }
    host_stop(host, false);
    host->on_record_error = RECOUP_ENOMEM;
    host->on_record_at = 4;
    host_open(host);
    assert_u64(host->n_records, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_u64(host->records[i].subtask, i);
    }
    host_stop(host, false);
    host->on_record_error = RECOUP_EINVAL;
    host->on_record_at = 4;
    assert_int_equal(host_start(host), 0);
    host_run(host);
    assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EINVAL);
    host_destroy(host);
}

// Once warm, recording allocates nothing.
static void warm_store_allocates_nothing(void **state)
{
    struct host *host = hardened();
    uint64_t before = 0;

    (void)state;
    host->quiet = true;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; i < 100000; i++) {
        if (i == 50000) {
            before = host->allocations;
        }
        host_finish(host, i, 0);
    }
    assert_u64(host->allocations, before);
    host_stop(host, true);
    host_destroy(host);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(c1_1_read_and_write),
    cmocka_unit_test(c1_3_stop_with_clear),
    cmocka_unit_test(c1_4_unexpected_length),
    cmocka_unit_test(c1_5_names),
    cmocka_unit_test(c1_6_cut),
    cmocka_unit_test(flush_has_a_fixed_rate),
    cmocka_unit_test(late_ticks_catch_up),
    cmocka_unit_test(the_buffer_is_filled_exactly),
    cmocka_unit_test(large_records_pass_by),
    cmocka_unit_test(error_stops_recording),
    cmocka_unit_test(error_rearms),
    cmocka_unit_test(append_and_close_fail),
    cmocka_unit_test(snapshot_blocks_the_writer),
    cmocka_unit_test(failed_snapshot_stops_recording),
    cmocka_unit_test(failed_snapshot_is_skipped),
    cmocka_unit_test(late_snapshot_follows),
    cmocka_unit_test(late_by_a_nanosecond),
    cmocka_unit_test(late_snapshots_are_limited),
    cmocka_unit_test(durable_at_sync_and_close),
    cmocka_unit_test(unsynced_hole),
    cmocka_unit_test(boundary_is_one_unit),
    cmocka_unit_test(throttle_and_limit),
    cmocka_unit_test(limit_during_direct_append),
    cmocka_unit_test(wipe),
    cmocka_unit_test(stop_amid_a_wipe),
    cmocka_unit_test(leadership_lost),
    cmocka_unit_test(compaction),
    cmocka_unit_test(a_checkpoint_of_one_step),
    cmocka_unit_test(fenced),
    cmocka_unit_test(zombie_bytes_do_not_count),
    cmocka_unit_test(out_of_memory),
    cmocka_unit_test(every_operation_fails),
    cmocka_unit_test(unprotected_time_adds_up),
    cmocka_unit_test(a_busy_job_does_not_starve_its_checkpoint),
    cmocka_unit_test(replay_goes_on_after_out_of_memory),
    cmocka_unit_test(warm_store_allocates_nothing),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_store", tests);
}
