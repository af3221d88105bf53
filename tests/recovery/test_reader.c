// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reading logs that are damaged in every way: the rows of the specification's section 3.2 under
// flink-1.20, and under hardened each kind of damage, told apart.
#include "recovery/bytes.h"
#include "support_host.h"

static const char file_0[] = "events.0000000000000001.000000";
static const char file_1[] = "events.0000000000000001.000001";
static const char file_2[] = "events.0000000000000001.000002";

// ---------------------------------------------------------------------------------------------
// flink-1.20

// Two files of three records each; returns the size of one record.
static size_t flink_log(struct host *host)
{
    size_t size;

    host_open(host);
    for (uint32_t i = 0; i < 6; i++) {
        host_finish(host, i, i == 2 ? RECOUP__WRITE_CUT : 0);
    }
    host_stop(host, false);
    assert_u64(host_n_files(host), 2);
    size = host_file(host, "events.0")->size / 3;
    assert_u64(size, 37);
    return size;
}

static void add(struct host_file *file, struct host *host, const void *bytes, size_t size)
{
    uint8_t all[1024];
    char name[32];
    size_t old = file->size;

    assert_true(old + size <= sizeof all);
    memcpy(all, file->bytes, old);
    memcpy(all + old, bytes, size);
    snprintf(name, sizeof name, "%s", file->name);
    host_put(host, name, all, old + size);
}

static const struct recoup__opened *reopen(struct host *host)
{
    assert_int_equal(host_start(host), 0);
    host_run(host);
    return recoup__store_opened(host->store);
}

static void assert_subtasks(const struct host *host, const uint32_t *subtasks, uint32_t n)
{
    assert_u64(host->n_records, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_u64(host->records[i].subtask, subtasks[i]);
    }
}

// Clean ends of files; and a torn tail at every possible length: the rest of that file is ignored,
// the next file counts (a hole).
static void flink_torn_tail(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 37 * 3; cut++) {
        struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);
        const struct recoup__opened *opened;
        uint32_t whole = (uint32_t)((37 * 3 - cut) / 37);

        flink_log(host);
        host_file(host, "events.0")->size -= cut;
        opened = reopen(host);
        assert_int_equal(opened->result, RECOUP__OPENED_LOG);
        assert_u64(opened->records, whole + 3);
        assert_u64(host->n_records, whole + 3);
        assert_u64(host->records[whole].subtask, 3);
        assert_u64(opened->damaged, cut % 37 == 0 ? 0 : 1);
        assert_u64(opened->bytes, 37 * 6 - cut);
        host_destroy(host);
    }
}

// A length too large for the rest of the file is a torn tail too, without anything of that size
// allocated.
static void flink_length_too_large(void **state)
{
    static const uint32_t lengths[] = {100, 5000, 1u << 30, INT32_MAX};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t all[] = {0, 1, 2, 3, 4, 5};
        struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);
        const struct recoup__opened *opened;
        uint8_t header[8];

        flink_log(host);
        recoup__put32be(header, 1);
        recoup__put32be(header + 4, lengths[i]);
        add(host_file(host, "events.0"), host, header, 8);
        opened = reopen(host);
        assert_int_equal(opened->result, RECOUP__OPENED_LOG);
        assert_subtasks(host, all, 6);
        assert_int_equal(opened->damage, RECOUP__DAMAGE_TORN);
        assert_u64(opened->damage_position.offset, 37 * 3);
        assert_true(host->largest < 100000);
        host_destroy(host);
    }
}

// What makes Flink's replay fail: a negative length, an unknown type, a body that is none.
static void flink_replay_fails(void **state)
{
    static const struct {
        uint32_t type;
        uint32_t length;
        const char *body;
        size_t size;
        int error;
        enum recoup__damage_kind damage;
    } rows[] = {
        {1, UINT32_MAX, "", 0, RECOUP_ECORRUPT, RECOUP__DAMAGE_LENGTH},
        {1, UINT32_C(1) << 31, "", 0, RECOUP_ECORRUPT, RECOUP__DAMAGE_LENGTH},
        {4711, 0, "", 0, RECOUP_EVERSION, RECOUP__DAMAGE_TYPE},
        {1, 5, "hello", 5, RECOUP_ECORRUPT, RECOUP__DAMAGE_BODY},
        {3, 9, "\1\0\0\0\1\0\0\0x", 9, RECOUP_ECORRUPT, RECOUP__DAMAGE_BODY},
        {3, 8, "\1\0\0\0\0\0\0\0", 8, RECOUP_ECORRUPT, RECOUP__DAMAGE_BODY},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);
        const struct recoup__opened *opened;
        uint8_t bytes[64];

        flink_log(host);
        recoup__put32be(bytes, rows[i].type);
        recoup__put32be(bytes + 4, rows[i].length);
        memcpy(bytes + 8, rows[i].body, rows[i].size);
        add(host_file(host, "events.0"), host, bytes, 8 + rows[i].size);
        opened = reopen(host);
        assert_int_equal(opened->result, RECOUP__OPENED_FAILED);
        assert_int_equal(opened->error, rows[i].error);
        assert_int_equal(opened->damage, rows[i].damage);
        assert_u64(host->n_records, 3);
        assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_FAILED);
        host_destroy(host);
    }
}

// A reset or initialization whose body ends early is taken for the end of the file; a finish is
// not.
static void flink_body_ends_early(void **state)
{
    static const uint32_t all[] = {0, 1, 2, 3, 4, 5};
    struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);

    (void)state;
    flink_log(host);
    add(host_file(host, "events.0"), host, "\0\0\0\3\0\0\0\5\1\0\0\0\1", 13);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_subtasks(host, all, 6);
    host_crash(host);
    host_file(host, "events.0")->size = 37 * 3;
    add(host_file(host, "events.0"), host, "\0\0\0\1\0\0\0\5\1\0\0\0\1", 13);
    assert_int_equal(reopen(host)->error, RECOUP_ECORRUPT);
    host_destroy(host);
}

// A gap ends the log; the writer collides with the file behind it later, and recording stops (H12).
static void flink_gap(void **state)
{
    static const uint32_t first[] = {0, 1, 2};
    struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);

    (void)state;
    flink_log(host);
    host_put(host, "events.2", host_file(host, "events.1")->bytes, 37 * 3);
    host_file(host, "events.1")->exists = false;
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_subtasks(host, first, 3);
    host_finish(host, 7, RECOUP__WRITE_CUT);
    assert_non_null(host_file(host, "events.1"));
    assert_u64(host->lost, 0);
    host_finish(host, 8, 0);
    assert_u64(host->lost, 1);
    assert_int_equal(host->lost_error, RECOUP_EEXIST);
    host_stop(host, false);
    host_destroy(host);
}

// A 0-byte file is valid, contains nothing, and is something to recover; other names do not count
// as files.
static void flink_any_entry(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);

    (void)state;
    host_put(host, "events.0", NULL, 0);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 0);
    assert_u64(recoup__store_opened(host->store)->damaged, 0);
    host_stop(host, true);
    host_put(host, "notes.txt", "x", 1);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 0);
    host_finish(host, 0, 0);
    assert_non_null(host_file(host, "events.0"));
    host_crash(host);
    host_destroy(host);
}

// However often it is tried again, it is one interruption, and lasts as long as time does.
static void ten_attempts_unprotected(struct host *host)
{
    struct recoup_stats before = {0};
    struct recoup_stats after = {0};
    int64_t since_ns;

    host_advance(host, recoup__store_deadline(host->store));
    since_ns = host->now_ns;
    recoup__store_stats(host->store, &before);
    for (unsigned i = 0; i < 10; i++) {
        host_advance(host, recoup__store_deadline(host->store));
    }
    recoup__store_stats(host->store, &after);
    assert_true(host->now_ns > since_ns);
    assert_u64(after.interruptions, 1);
    assert_time_ns(after.unprotected_ns - before.unprotected_ns, host->now_ns - since_ns);
}

// Flink takes any storage error while opening for the end of the recovery; hardened tries again.
static void errors_while_opening(void **state)
{
    static const enum recoup_action_type types[] = {RECOUP_ACTION_MKDIR, RECOUP_ACTION_LIST,
                                                    RECOUP_ACTION_READ};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);

        flink_log(host);
        host->fault = (struct host_fault){true, types[i], 1, RECOUP_EIO, false};
        assert_int_equal(reopen(host)->result, RECOUP__OPENED_FAILED);
        assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EIO);
        host_destroy(host);

        host = host_create(RECOUP_PROFILE_HARDENED);
        host_open(host);
        host_incarnation(host);
        host_stop(host, false);
        host->fault = (struct host_fault){true, types[i], 1, RECOUP_EIO, false};
        assert_int_equal(reopen(host)->result, RECOUP__OPENED_PENDING);
        assert_time_ns(recoup__store_deadline(host->store), 100 * MILLISECOND);
        host_advance(host, SECOND);
        assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
        assert_u64(host->n_records, 1);
        host_crash(host);
        host->first = true;
        host->fault = (struct host_fault){true, types[i], 1, RECOUP_EACCES, true};
        assert_int_equal(reopen(host)->result, RECOUP__OPENED_PENDING);
        host_advance(host, host->now_ns + 29 * SECOND);
        assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EACCES);
        assert_int_equal(recoup__store_opened(host->store)->result,
                         types[i] == RECOUP_ACTION_READ ? RECOUP__OPENED_FAILED
                                                        : RECOUP__OPENED_UNREAD);
        if (types[i] != RECOUP_ACTION_READ) {
            ten_attempts_unprotected(host);
        }
        host_destroy(host);
    }
}

// ---------------------------------------------------------------------------------------------
// hardened

#define RECORD 53u  // bytes of a finish

// Three files: INCARNATION 0 1 | 2 3 | 4 5.
static struct host *hardened_log(void)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    host->options.policy[RECOUP_POLICY_BOUNDARY] = 0;
    host->options.policy[RECOUP_POLICY_COMPACTION] = 0;
    host_open(host);
    host_incarnation(host);
    for (uint32_t i = 0; i < 6; i++) {
        host_finish(host, i, i % 2 == 1 && i < 5 ? RECOUP__WRITE_CUT : 0);
    }
    host_stop(host, false);
    assert_u64(host_n_files(host), 3);
    assert_u64(host_file(host, file_2)->size, 64 + 2 * RECORD);
    return host;
}

// Opens and checks kind, whether loss is reported, and how many records were delivered.
static void expect(struct host *host, enum recoup__damage_kind kind, bool lost, uint32_t records)
{
    const struct recoup__opened *opened = reopen(host);

    assert_int_equal(opened->result, RECOUP__OPENED_LOG);
    assert_int_equal(opened->damage, kind);
    assert_int_equal(opened->lost, lost);
    assert_u64(host->n_records, records);
    for (uint32_t i = 0; i < records; i++) {
        assert_u64(host->records[i].position.sequence, i + 1);
    }
    host_destroy(host);
}

static void expect_failure(struct host *host, enum recoup__damage_kind kind, int error)
{
    const struct recoup__opened *opened = reopen(host);

    assert_int_equal(opened->result, RECOUP__OPENED_FAILED);
    assert_int_equal(opened->error, error);
    assert_int_equal(opened->damage, kind);
    host_destroy(host);
}

static void hardened_clean(void **state)
{
    (void)state;
    expect(hardened_log(), RECOUP__DAMAGE_NONE, false, 7);
}

static void hardened_torn_tail(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 64 + 2 * RECORD; cut++) {
        struct host *host = hardened_log();
        size_t left = 64 + 2 * RECORD - cut;
        enum recoup__damage_kind kind =
            left == 64 || left == 64 + RECORD ? RECOUP__DAMAGE_NONE : RECOUP__DAMAGE_TORN;

        host_file(host, file_2)->size -= cut;
        expect(host, kind, false, 5 + (left >= 64 + RECORD ? 1 : 0));
    }
}

static void hardened_zeroed_tail(void **state)
{
    struct host *host = hardened_log();
    struct host_file *file = host_file(host, file_2);

    (void)state;
    memset(file->bytes + 64 + RECORD, 0, RECORD);
    expect(host, RECOUP__DAMAGE_ZEROED, false, 6);
    host = hardened_log();
    file = host_file(host, file_2);
    memset(file->bytes + file->size - 10, 0, 10);
    expect(host, RECOUP__DAMAGE_CHECKSUM, true, 6);
}

// Every single bit of a record in the middle of the log: found, reported as loss, nothing behind it
// counts.
static void hardened_flipped_bits(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < RECORD * 8; bit++) {
        struct host *host = hardened_log();
        const struct recoup__opened *opened;

        host_file(host, file_1)->bytes[64 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        opened = reopen(host);
        assert_int_equal(opened->result, RECOUP__OPENED_LOG);
        assert_true(opened->lost);
        assert_true(opened->damage == RECOUP__DAMAGE_CHECKSUM
                    || opened->damage == RECOUP__DAMAGE_LENGTH
                    || opened->damage == RECOUP__DAMAGE_TORN);
        assert_u64(opened->damage_position.file, 1);
        assert_u64(opened->damage_position.offset, 64);
        assert_u64(host->n_records, 3);
        host_destroy(host);
    }
}

static void hardened_garbage(void **state)
{
    struct host *host = hardened_log();

    (void)state;
    add(host_file(host, file_2), host,
        "garbage garbage garbage garbage garbage garbage garbage garbage", 64);
    expect(host, RECOUP__DAMAGE_LENGTH, true, 7);
    host = hardened_log();
    // A record of another file, copied here, has the right form and the wrong seed.
    add(host_file(host, file_2), host, host_file(host, file_1)->bytes + 64, RECORD);
    expect(host, RECOUP__DAMAGE_CHECKSUM, true, 7);
    host = hardened_log();
    // One of the same file once more: the number is wrong.
    add(host_file(host, file_2), host, host_file(host, file_2)->bytes + 64, RECORD);
    expect(host, RECOUP__DAMAGE_SEQUENCE, true, 7);
}

static void hardened_length(void **state)
{
    struct host *host = hardened_log();

    (void)state;
    recoup__put32(host_file(host, file_2)->bytes + 64 + RECORD + 8, UINT32_C(1) << 31);
    expect(host, RECOUP__DAMAGE_LENGTH, true, 6);
}

static void hardened_header(void **state)
{
    struct host *host = hardened_log();

    (void)state;
    host_file(host, file_2)->bytes[20] ^= 1;
    expect(host, RECOUP__DAMAGE_HEADER, true, 5);
    host = hardened_log();
    host_file(host, file_2)->bytes[0] ^= 1;
    expect(host, RECOUP__DAMAGE_HEADER, true, 5);
    host = hardened_log();
    recoup__put32(host_file(host, file_2)->bytes + 8, 2);
    expect_failure(host, RECOUP__DAMAGE_VERSION, RECOUP_EVERSION);
}

static void hardened_foreign(void **state)
{
    struct host *host = hardened_log();
    const struct host_file *other;
    uint8_t copy[64 + 2 * RECORD];

    (void)state;
    host->digest[3] ^= 1;
    expect_failure(host, RECOUP__DAMAGE_FOREIGN, RECOUP_EFOREIGN);
    host = hardened_log();
    memcpy(copy, host_file(host, file_1)->bytes, sizeof copy);
    host_put(host, file_2, copy, sizeof copy);  // a file under another's name
    expect_failure(host, RECOUP__DAMAGE_FOREIGN, RECOUP_EFOREIGN);
    host = hardened_log();
    host_open(host);
    host_incarnation(host);
    host_stop(host, false);
    other = host_file(host, "events.0000000000000002.000000");
    host_put(host, file_0, other->bytes, other->size);  // and one of another master's
    expect_failure(host, RECOUP__DAMAGE_FOREIGN, RECOUP_EFOREIGN);
    host = hardened_log();
    host->digest[3] ^= 1;
    host->options.policy[RECOUP_POLICY_GRAPH_CHECK] = 0;
    expect(host, RECOUP__DAMAGE_NONE, false, 7);
}

static void hardened_missing_file(void **state)
{
    struct host *host = hardened_log();
    uint8_t copy[64 + 2 * RECORD];

    (void)state;
    host_file(host, file_1)->exists = false;
    expect_failure(host, RECOUP__DAMAGE_MISSING, RECOUP_EGAP);
    host = hardened_log();
    host_file(host, file_0)->exists = false;
    expect_failure(host, RECOUP__DAMAGE_MISSING, RECOUP_EGAP);
    // Where listings may be stale it is listed again before that is believed.
    host = hardened_log();
    host->storage.list_consistent = false;
    memcpy(copy, host_file(host, file_1)->bytes, sizeof copy);
    host_file(host, file_1)->exists = false;
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_PENDING);
    host_put(host, file_1, copy, sizeof copy);
    host_advance(host, SECOND);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 7);
    host_crash(host);
    // Six times in all: the waits between them are 100, 200, 400, 800 and 1,600 ms.
    host_file(host, file_1)->exists = false;
    host->operations[RECOUP_ACTION_LIST] = 0;
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_PENDING);
    host_advance(host, host->now_ns + 3100 * MILLISECOND - 1);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_PENDING);
    host_advance(host, host->now_ns + 1);
    assert_u64(host->operations[RECOUP_ACTION_LIST], 6);
    assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EGAP);
    host_destroy(host);
}

// A file cut short between two records can only be seen by the numbers.
static void hardened_truncated_middle(void **state)
{
    struct host *host = hardened_log();

    (void)state;
    host_file(host, file_1)->size -= RECORD;
    expect(host, RECOUP__DAMAGE_SEQUENCE, true, 4);
}

// Seals a record as the library would, so that only its type or body is new.
static void put_sealed(struct host *host, const char *name, uint32_t type, uint64_t sequence,
                       const void *body, size_t size)
{
    struct recoup__format format = {true, true, recoup__get64(host_file(host, name)->bytes + 56)};
    uint8_t bytes[128];

    memcpy(bytes + 24, body, size);
    recoup__frame_finish(&format, type, sequence, bytes, size);
    add(host_file(host, name), host, bytes, 24 + size);
}

static void hardened_unknown_type(void **state)
{
    struct host *host = hardened_log();

    (void)state;
    put_sealed(host, file_2, 99, 8, "new", 3);
    expect_failure(host, RECOUP__DAMAGE_TYPE, RECOUP_EVERSION);
    host = hardened_log();
    put_sealed(host, file_2, 3, 8, "odd", 3);
    expect(host, RECOUP__DAMAGE_BODY, true, 7);
}

static void hardened_empty(void **state)
{
    struct host *host = hardened_log();
    const struct recoup__opened *opened;

    (void)state;
    host_file(host, file_2)->size = 0;
    expect(host, RECOUP__DAMAGE_EMPTY, false, 5);
    host = host_create(RECOUP_PROFILE_HARDENED);
    host_put(host, file_0, NULL, 0);  // the claim of a master that wrote nothing
    host->epoch = 1;
    opened = reopen(host);
    assert_int_equal(opened->result, RECOUP__OPENED_NOTHING);
    assert_int_equal(opened->damage, RECOUP__DAMAGE_NONE);
    host_destroy(host);
}

// H9, over two masters: the second went on from a prefix. If the first log is later found shorter,
// the second's records do not follow on it: that is reported as loss, and they do not count.
static void hardened_prefix_of_two_masters(void **state)
{
    struct host *host = hardened_log();
    const struct recoup__opened *opened;

    (void)state;
    host_file(host, file_2)->size -= 10;  // torn by the crash
    host_open(host);
    assert_u64(host->n_records, 6);
    host_incarnation(host);
    host_finish(host, 50, 0);
    host_stop(host, false);
    host_open(
        host);  // read again: the torn tail is behind the recorded length, so it is no damage now
    assert_u64(host->n_records, 8);
    assert_u64(recoup__store_opened(host->store)->damaged, 0);
    host_crash(host);
    host_file(host, file_2)->size -= RECORD;
    opened = reopen(host);
    assert_int_equal(opened->result, RECOUP__OPENED_LOG);
    assert_true(opened->lost);
    assert_u64(host->n_records, 5);
    host_crash(host);
    host->options.policy[RECOUP_POLICY_HOLES] = 0;  // skip: the hole is stepped over
    opened = reopen(host);
    assert_int_equal(opened->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 7);
    assert_true(opened->lost);
    host_destroy(host);
}

// The same without epochs in the names, where the torn tail is read: the second master's
// INCARNATION names exactly what could be read before it, so that its records count.
static void unfenced_prefix_of_two_masters(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    (void)state;
    host->options.policy[RECOUP_POLICY_FENCING] = 0;
    host_open(host);
    host_incarnation(host);
    host_finish(host, 0, 0);
    host_finish(host, 1, 0);
    host_stop(host, false);
    host_file(host, "events.0")->size -= 10;  // torn by the crash
    host_open(host);
    assert_u64(host->n_records, 2);
    host_incarnation(host);
    host_finish(host, 50, 0);
    host_stop(host, false);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_int_equal(recoup__store_opened(host->store)->damage, RECOUP__DAMAGE_TORN);
    assert_u64(host->n_records, 4);
    assert_u64(host->records[3].subtask, 50);
    host_stop(host, true);
    host_destroy(host);
}

// A master that died before its opening record was complete leaves nothing that counts.
static void hardened_unopened_master(void **state)
{
    struct host *host = hardened_log();
    char name[32];

    (void)state;
    host_open(host);
    host_incarnation(host);
    host_crash(host);
    recoup__file_name(true, host->epoch, 0, name);
    host_file(host, name)->size -= 1;
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 7);
    assert_false(recoup__store_opened(host->store)->lost);
    host_incarnation(host);
    host_crash(host);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_u64(host->n_records, 8);
    host_destroy(host);
}

// Policies singly: checksums off leave flips unseen or malformed, never a crash; framing alone;
// wipe.
static void single_policies(void **state)
{
    static const uint32_t all[] = {0, 1, 2, 3, 4, 5};
    struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);

    (void)state;
    host->options.policy[RECOUP_POLICY_CHECKSUM] = 1;
    host_open(host);
    for (uint32_t i = 0; i < 6; i++) {
        host_finish(host, i, 0);
    }
    host_stop(host, false);
    assert_u64(host_file(host, "events.0")->size, 6 * 45);
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_subtasks(host, all, 6);
    host_crash(host);
    host_file(host, "events.0")->bytes[45 + 20] ^= 1;
    assert_int_equal(reopen(host)->error, RECOUP_ECORRUPT);
    host_destroy(host);

    for (unsigned p = 0; p < RECOUP_POLICY_COUNT; p++) {
        for (unsigned profile = 0; profile < 2; profile++) {
            const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
            uint32_t first;

            host = host_create((enum recoup_profile)profile);
            host->options.policy[p] = profile == 0 ? info->hardened : info->flink;
            for (unsigned life = 0; life < 3; life++) {
                host_open(host);
                first = host->n_records;
                assert_true(first >= life * 4);
                if (recoup__store_wants_incarnation(host->store)) {
                    host_incarnation(host);
                }
                for (uint32_t i = 0; i < 4; i++) {
                    assert_true(host_finish(host, i, i == 1 ? RECOUP__WRITE_CUT : 0) > 0);
                    host_advance(host, host->now_ns + SECOND);
                }
                host_stop(host, false);
            }
            assert_u64(host->lost, 0);
            host_destroy(host);
        }
    }
}

// Small reads give the same as large ones.
static void small_reads(void **state)
{
    (void)state;
    for (uint32_t size = 1; size < 200; size += 13) {
        struct host *host = hardened_log();

        host->limits.read_bytes = size;
        expect(host, RECOUP__DAMAGE_NONE, false, 7);
    }
}

// A name that is listed twice is one file: neither a gap nor read twice.
static void names_listed_twice(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_FLINK_1_20);
    const uint32_t all[] = {0, 1, 2, 3, 4, 5};

    (void)state;
    (void)flink_log(host);
    host->lists_twice = true;
    assert_int_equal(reopen(host)->result, RECOUP__OPENED_LOG);
    assert_subtasks(host, all, 6);
    host_stop(host, true);
    assert_u64(host_n_files(host), 0);
    host_destroy(host);

    host = hardened_log();
    host->lists_twice = true;
    expect(host, RECOUP__DAMAGE_NONE, false, 7);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(flink_torn_tail),
    cmocka_unit_test(flink_length_too_large),
    cmocka_unit_test(flink_replay_fails),
    cmocka_unit_test(flink_body_ends_early),
    cmocka_unit_test(flink_gap),
    cmocka_unit_test(flink_any_entry),
    cmocka_unit_test(errors_while_opening),
    cmocka_unit_test(hardened_clean),
    cmocka_unit_test(hardened_torn_tail),
    cmocka_unit_test(hardened_zeroed_tail),
    cmocka_unit_test(hardened_flipped_bits),
    cmocka_unit_test(hardened_garbage),
    cmocka_unit_test(hardened_length),
    cmocka_unit_test(hardened_header),
    cmocka_unit_test(hardened_foreign),
    cmocka_unit_test(hardened_missing_file),
    cmocka_unit_test(hardened_truncated_middle),
    cmocka_unit_test(hardened_unknown_type),
    cmocka_unit_test(hardened_empty),
    cmocka_unit_test(hardened_prefix_of_two_masters),
    cmocka_unit_test(unfenced_prefix_of_two_masters),
    cmocka_unit_test(hardened_unopened_master),
    cmocka_unit_test(single_policies),
    cmocka_unit_test(small_reads),
    cmocka_unit_test(names_listed_twice),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_reader", tests);
}
