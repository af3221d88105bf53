// SPDX-License-Identifier: GPL-3.0-or-later
//
// The modelled file system: bytes, what survives a kill by profile, torn operations, latency,
// errors and ledgers. A client that no master hosts (incarnation 7) issues operations by hand.
#include "check.h"

#include "models/support_step.h"

#include "models/storage_name.h"

#define CLIENT 7u

// --- bytes --------------------------------------------------------------------------------------

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

// Fills a buffer with stretches of bytes and of zeros, of lengths around the limit of 64.
static void fill(unsigned char *bytes, size_t size, uint64_t *random)
{
    for (size_t at = 0; at < size;) {
        size_t n = 1 + next_random(random) % 200;
        bool zeros = next_random(random) % 2 == 0;

        for (size_t i = 0; i < n && at < size; i++, at++) {
            bytes[at] = zeros ? 0 : (unsigned char)next_random(random);
        }
    }
}

// What was appended in pieces is read back at every place, whatever its zeros.
static void bytes_are_read_back(void **state)
{
    static unsigned char expected[300000], actual[70000];
    struct sim_arena arena;
    struct model_file_pool pool;
    struct model_file_bytes file = {0};
    uint64_t random = 1;
    size_t size = 0;

    (void)state;
    sim_arena_init(&arena, 0);
    model_file_pool_init(&pool, &arena);
    fill(expected, sizeof(expected), &random);
    while (size < sizeof(expected)) {
        size_t n = 1 + next_random(&random) % 5000;

        n = n < sizeof(expected) - size ? n : sizeof(expected) - size;
        assert_true(model_file_append(&pool, &file, expected + size, n));
        size += n;
        assert_u64(file.size, size);
    }
    for (int i = 0; i < 2000; i++) {
        uint64_t offset = next_random(&random) % sizeof(expected);
        size_t wanted = next_random(&random) % sizeof(actual);
        size_t n = model_file_read(&file, offset, actual, wanted);

        assert_u64(n, wanted < size - offset ? wanted : size - offset);
        assert_memory_equal(actual, expected + offset, n);
    }
    assert_u64(model_file_read(&file, size, actual, 1), 0);
    sim_arena_release(&arena);
}

// A snapshot padded with a gigabyte of zeros costs one small block; removed files give their blocks
// on.
static void zeros_cost_nothing(void **state)
{
    static unsigned char zeros[1 << 20], text[40000];
    struct sim_arena arena;
    struct model_file_pool pool;
    struct model_file_bytes file = {0};
    uint64_t bytes;

    (void)state;
    sim_arena_init(&arena, 0);
    model_file_pool_init(&pool, &arena);
    for (int i = 0; i < 1024; i++) {
        assert_true(model_file_append(&pool, &file, zeros, sizeof(zeros)));
    }
    assert_u64(file.size, UINT64_C(1) << 30);
    assert_u64(pool.blocks_bytes, 256);
    memset(text, 'x', sizeof(text));
    assert_true(model_file_append(&pool, &file, text, sizeof(text)));
    assert_u64(model_file_read(&file, (UINT64_C(1) << 30) - 2, zeros, 4), 4);
    assert_memory_equal(zeros, "\0\0xx", 4);
    bytes = pool.blocks_bytes;
    for (int i = 0; i < 10; i++) {
        model_file_clear(&pool, &file);
        assert_u64(file.size, 0);
        assert_true(model_file_append(&pool, &file, text, sizeof(text)));
    }
    assert_u64(pool.blocks_bytes, bytes);
    sim_arena_release(&arena);
}

// Out of memory within an append is reported, and the bytes before it are still there.
static void append_reports_exhaustion(void **state)
{
    static unsigned char text[1000], actual[100];
    struct sim_arena arena;
    struct model_file_pool pool;
    struct model_file_bytes file = {0};

    (void)state;
    sim_arena_init(&arena, 0);
    model_file_pool_init(&pool, &arena);
    memset(text, 'y', sizeof(text));
    assert_true(model_file_append(&pool, &file, text, 100));
    sim_arena_fail_at(&arena, 1);
    assert_false(model_file_append(&pool, &file, text, sizeof(text)));
    assert_u64(model_file_read(&file, 0, actual, 100), 100);
    assert_memory_equal(actual, text, 100);
    sim_arena_release(&arena);
}

// --- operations ---------------------------------------------------------------------------------

struct fs {
    struct model_test t;
    struct step_run run;
    struct model_world *w;
    uint32_t operation;
};

// A world whose master is busy with one long task and, recovery being disabled, does no I/O.
static void fs_prepare(struct fs *fs, enum model_storage_kind kind,
                       enum recoup_durable_at durable_at)
{
    world_of(&fs->t, 1, 1);
    fs->t.config.options.recovery_enabled = false;
    fs->t.config.storage.kind = kind;
    fs->t.config.storage.durable_at = durable_at;
    (void)stage(&fs->t, "long", 1, constant(1000000 * SECOND));
    fs->operation = 0;
}

static void fs_open(struct fs *fs)
{
    step_begin(&fs->run, &fs->t);
    fs->w = fs->run.w;
}

static void fs_close(struct fs *fs)
{
    step_end(&fs->run);
    world_drop(&fs->t);
}

static void issue(struct fs *fs, enum recoup_action_type type, const char *file, const void *data,
                  uint64_t offset, size_t size, uint64_t event_last)
{
    struct recoup_action action = {.type = type};

    fs->operation++;
    action.io.operation = fs->operation;
    snprintf(action.io.file, sizeof(action.io.file), "%s", file);
    action.io.data = data;
    action.io.offset = offset;
    action.io.size = size;
    action.io.event_last = event_last;
    storage_issue(fs->w, &action, CLIENT);
}

// Waits for the operation under way; returns the error that it reported.
static int await(struct fs *fs)
{
    uint32_t n = fs->run.n_traces;

    while (fs->w->storage.operation.busy) {
        struct sim_event event;

        assert_true(sim_queue_pop(&fs->w->queue, &event));
        world_dispatch(fs->w, &event);
    }
    assert_true(fs->run.n_traces > n);
    return (int)fs->run.traces[fs->run.n_traces - 1].args[1];
}

static int do_op(struct fs *fs, enum recoup_action_type type, const char *file)
{
    issue(fs, type, file, NULL, 0, 0, 0);
    return await(fs);
}

static int do_append(struct fs *fs, const char *file, size_t size, uint64_t event_last)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst"
                               "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst";

    assert_true(size < sizeof(text));
    issue(fs, RECOUP_ACTION_APPEND, file, text, 0, size, event_last);
    return await(fs);
}

static void created(struct fs *fs, const char *file)
{
    assert_int_equal(do_op(fs, RECOUP_ACTION_MKDIR, ""), 0);
    assert_int_equal(do_op(fs, RECOUP_ACTION_CREATE, file), 0);
}

static void ledger_closes(const struct fs *fs)
{
    assert_u64(storage_bytes_appended(fs->w), storage_bytes_held(fs->w) +
                                                  storage_bytes_lost(fs->w) +
                                                  storage_bytes_removed(fs->w));
}

// What a kill leaves, by profile and durable_at: after append 60, sync, append 30, flush, append
// 10.
static void kill_leaves_what_the_profile_keeps(void **state)
{
    static const struct {
        enum model_storage_kind kind;
        int64_t kept[3];  // with durable_at flush, sync, close; -1: no such file
    } cases[] = {
        {MODEL_STORAGE_IDEAL, {90, 60, 0}}, {MODEL_STORAGE_HDFS, {90, 60, 0}},
        {MODEL_STORAGE_POSIX, {100, 100, 0}}, {MODEL_STORAGE_NFS, {90, 90, 0}},
        {MODEL_STORAGE_S3, {90, 60, -1}}, {MODEL_STORAGE_GCS, {90, 60, -1}},
    };
    static struct fs fs;

    (void)state;
    for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t kept = cases[i / 3].kept[i % 3];

        fs_prepare(&fs, cases[i / 3].kind, (enum recoup_durable_at)(i % 3));
        fs_open(&fs);
        created(&fs, "events.0");
        assert_int_equal(do_append(&fs, "events.0", 60, 1), 0);
        assert_int_equal(do_op(&fs, RECOUP_ACTION_SYNC, "events.0"), 0);
        assert_int_equal(do_append(&fs, "events.0", 30, 2), 0);
        assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"), 0);
        assert_int_equal(do_append(&fs, "events.0", 10, 3), 0);
        ledger_closes(&fs);
        storage_client_died(fs.w, CLIENT);
        storage_client_died(fs.w, CLIENT);
        assert_u64(storage_file_count(fs.w), kept < 0 ? 0 : 1);
        if (kept >= 0) {
            assert_i64(storage_file_size(fs.w, 0), kept);
        }
        assert_u64(storage_durable_event(fs.w, CLIENT),
                   kept == 100 ? 3 : kept == 90 ? 2 : kept == 60 ? 1 : 0);
        ledger_closes(&fs);
        assert_i64(storage_bytes_lost(fs.w), 100 - (kept < 0 ? 0 : kept));
        fs_close(&fs);
    }
}

// A closed file survives in every profile, also beside one that does not.
static void closed_files_survive(void **state)
{
    static struct fs fs;
    char text[8] = {0};

    (void)state;
    for (int kind = 0; kind < MODEL_STORAGE_KINDS; kind++) {
        fs_prepare(&fs, (enum model_storage_kind)kind, RECOUP_DURABLE_AT_CLOSE);
        fs_open(&fs);
        created(&fs, "events.0");
        assert_int_equal(do_append(&fs, "events.0", 5, 1), 0);
        assert_u64(storage_durable_event(fs.w, CLIENT), 0);
        assert_int_equal(do_op(&fs, RECOUP_ACTION_CLOSE, "events.0"), 0);
        assert_u64(storage_durable_event(fs.w, CLIENT), 1);
        assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "events.1"), 0);
        assert_int_equal(do_append(&fs, "events.1", 5, 2), 0);
        storage_client_died(fs.w, CLIENT);
        assert_u64(storage_durable_event(fs.w, CLIENT), 1);
        assert_u64(storage_file_size(fs.w, 0), 5);
        assert_u64(storage_file_read(fs.w, 0, 1, text, sizeof(text)), 4);
        assert_string_equal(text, "1234");
        ledger_closes(&fs);
        fs_close(&fs);
    }
}

// Names: exclusive create, listing in order of appearance, errors for what is missing.
static void names_behave(void **state)
{
    static struct fs fs;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_IDEAL, RECOUP_DURABLE_AT_FLUSH);
    fs_open(&fs);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_LIST, ""), RECOUP_ENOENT);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "events.0"), RECOUP_ENOENT);
    created(&fs, "events.0");
    assert_int_equal(do_op(&fs, RECOUP_ACTION_MKDIR, ""), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "events.0"), RECOUP_EEXIST);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CLOSE, "events.0"), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "events.0"), RECOUP_EEXIST);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "b"), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "a"), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_LIST, ""), 0);
    assert_u64(storage_file_count(fs.w), 3);
    assert_string_equal(fs.w->storage.names[0], "events.0");
    assert_string_equal(fs.w->storage.names[1], "b");
    assert_string_equal(fs.w->storage.names[2], "a");
    assert_int_equal(do_op(&fs, RECOUP_ACTION_READ, "c"), RECOUP_ENOENT);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_REMOVE, "c"), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_REMOVE, "b"), 0);
    assert_string_equal(storage_file_name(fs.w, 1), "a");
    assert_int_equal(do_append(&fs, "b", 1, 0), RECOUP_ENOENT);
    assert_int_equal(do_append(&fs, "events.0", 1, 0), RECOUP_ENOENT);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_REMOVE, ""), 0);
    assert_u64(storage_file_count(fs.w), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_LIST, ""), RECOUP_ENOENT);
    fs_close(&fs);
}

// An object appears when it is closed, and its name is free until then; there are no directories.
static void objects_appear_at_close(void **state)
{
    static struct fs fs;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE);
    fs_open(&fs);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_LIST, ""), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CREATE, "events.0"), 0);
    assert_int_equal(do_append(&fs, "events.0", 10, 4), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"), 0);
    assert_u64(storage_file_count(fs.w), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_READ, "events.0"), RECOUP_ENOENT);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_CLOSE, "events.0"), 0);
    assert_u64(storage_file_count(fs.w), 1);
    assert_u64(storage_durable_event(fs.w, CLIENT), 4);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_REMOVE, "events.0"), 0);
    assert_u64(storage_durable_event(fs.w, CLIENT), 4);
    assert_u64(storage_bytes_removed(fs.w), 10);
    ledger_closes(&fs);
    fs_close(&fs);
}

// What is removed while it is open is gone with the bytes that were never flushed.
static void an_open_file_is_removed_as_a_whole(void **state)
{
    static struct fs fs;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH);
    fs_open(&fs);
    created(&fs, "events.0");
    assert_int_equal(do_append(&fs, "events.0", 10, 4), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"), 0);
    assert_int_equal(do_append(&fs, "events.0", 7, 5), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_REMOVE, "events.0"), 0);
    assert_u64(storage_bytes_removed(fs.w), 17);
    assert_u64(storage_durable_event(fs.w, CLIENT), 4);
    ledger_closes(&fs);
    fs_close(&fs);
}

// --- time ---------------------------------------------------------------------------------------

static int64_t timed(struct fs *fs, enum recoup_action_type type, size_t size)
{
    static const unsigned char bytes[4096] = {1};
    int64_t since_ns = fs->w->now_ns;

    issue(fs, type, "events.0", type == RECOUP_ACTION_APPEND ? bytes : NULL, 0, size, 0);
    assert_int_equal(await(fs), 0);
    return fs->w->now_ns - since_ns;
}

// Every byte pays bandwidth once, to the operation that moves it; latencies come on top.
static void bandwidth_is_paid_once(void **state)
{
    // After mkdir and create: append 1000, flush, append 500, sync, close, read 4096 from 1000 b/s.
    static const struct {
        enum model_storage_kind kind;
        enum recoup_durable_at durable_at;
        int64_t ms[6];
    } cases[] = {
        {MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH, {0, 1000, 0, 500, 0, 1500}},
        {MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC, {1000, 0, 500, 0, 0, 1500}},
        {MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE, {0, 0, 0, 0, 1500, 1500}},
        {MODEL_STORAGE_S3, RECOUP_DURABLE_AT_FLUSH, {0, 1000, 0, 500, 0, 1500}},
        {MODEL_STORAGE_NFS, RECOUP_DURABLE_AT_FLUSH, {0, 1000, 0, 500, 0, 1500}},
    };
    static struct fs fs;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fs_prepare(&fs, cases[i].kind, cases[i].durable_at);
        fs.t.config.storage.bandwidth = 1000;
        fs.t.config.storage.latency[MODEL_STORAGE_FLUSH] = constant(7);
        fs_open(&fs);
        created(&fs, "events.0");
        assert_time_ns(timed(&fs, RECOUP_ACTION_APPEND, 1000), cases[i].ms[0] * MILLI);
        assert_time_ns(timed(&fs, RECOUP_ACTION_FLUSH, 0), cases[i].ms[1] * MILLI + 7);
        assert_time_ns(timed(&fs, RECOUP_ACTION_APPEND, 500), cases[i].ms[2] * MILLI);
        assert_time_ns(timed(&fs, RECOUP_ACTION_SYNC, 0), cases[i].ms[3] * MILLI);
        assert_time_ns(timed(&fs, RECOUP_ACTION_CLOSE, 0), cases[i].ms[4] * MILLI);
        assert_time_ns(timed(&fs, RECOUP_ACTION_READ, 4096), cases[i].ms[5] * MILLI);
        assert_u64(fs.w->storage.replay_bytes, 1500);
        fs_close(&fs);
    }
}

// Requests are counted and priced when they are made.
static void requests_are_priced(void **state)
{
    static struct fs fs;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE);
    fs.t.config.storage.price_nanousd[MODEL_STORAGE_CLOSE] = 5000;
    fs.t.config.storage.price_nanousd[MODEL_STORAGE_LIST] = 7;
    fs_open(&fs);
    created(&fs, "events.0");
    assert_u64(fs.w->storage.cost_nanousd, 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_LIST, ""), 0);
    assert_u64(fs.w->storage.cost_nanousd, 7);
    issue(&fs, RECOUP_ACTION_CLOSE, "events.0", NULL, 0, 0, 0);
    assert_u64(fs.w->storage.cost_nanousd, 5007);
    assert_u64(fs.w->storage.requests[MODEL_STORAGE_CLOSE], 1);
    storage_client_died(fs.w, CLIENT);
    assert_u64(fs.w->storage.done[MODEL_STORAGE_CLOSE], 0);
    fs_close(&fs);
}

// --- faults -------------------------------------------------------------------------------------

static struct model_fault *on_op(struct fs *fs, enum model_storage_op op, uint64_t nth,
                                 enum model_fault_moment moment)
{
    struct model_fault *f = kill_master_at(&fs->t, 0);

    f->trigger = MODEL_TRIGGER_ON;
    f->op = op;
    f->nth = nth;
    f->moment = moment;
    return f;
}

// One operation that a kill strikes, after append 60 (event 1), flush, append 20 (event 2); what is
// kept then of the file, -1 if it is not there.
static int64_t struck(enum model_storage_kind kind, enum recoup_durable_at durable_at,
                      enum recoup_action_type type, enum model_fault_moment moment)
{
    static const unsigned char bytes[11] = {1};
    static struct fs fs;
    bool create = type == RECOUP_ACTION_CREATE;
    int64_t kept;

    fs_prepare(&fs, kind, durable_at);
    // The n-th of its kind: a second append, flush; a first sync, close; a first create of
    // events.1.
    (void)on_op(&fs, (enum model_storage_op)(type - RECOUP_ACTION_MKDIR),
                type == RECOUP_ACTION_APPEND ? 3 : type == RECOUP_ACTION_FLUSH || create ? 2 : 1,
                moment);
    fs_open(&fs);
    created(&fs, "events.0");
    assert_int_equal(do_append(&fs, "events.0", 60, 1), 0);
    assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"), 0);
    assert_int_equal(do_append(&fs, "events.0", 20, 2), 0);
    issue(&fs, type, create ? "events.1" : "events.0", bytes, 0,
          type == RECOUP_ACTION_APPEND ? 11 : 0, 3);
    assert_int_equal(fs.w->storage.operation.torn, moment == MODEL_MOMENT_MID);
    storage_client_died(fs.w, CLIENT);
    ledger_closes(&fs);
    kept = storage_file_count(fs.w) == 0 ? -1 : (int64_t)storage_file_size(fs.w, 0);
    if (create) {
        kept = (int64_t)storage_file_count(fs.w);
    } else {
        assert_u64(storage_durable_event(fs.w, CLIENT), kept >= 80 ? 2 : kept >= 60 ? 1 : 0);
    }
    fs_close(&fs);
    return kept;
}

// A kill before an operation leaves what was there; one in its midst leaves half of it, rounded
// down.
static void kills_tear_operations(void **state)
{
    const enum recoup_durable_at flush = RECOUP_DURABLE_AT_FLUSH;
    const enum recoup_durable_at sync = RECOUP_DURABLE_AT_SYNC;
    const enum recoup_durable_at close = RECOUP_DURABLE_AT_CLOSE;

    (void)state;
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_APPEND, MODEL_MOMENT_BEFORE), 60);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_APPEND, MODEL_MOMENT_MID), 85);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_FLUSH, MODEL_MOMENT_BEFORE), 60);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_FLUSH, MODEL_MOMENT_MID), 70);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_SYNC, MODEL_MOMENT_MID), 70);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_CLOSE, MODEL_MOMENT_MID), 60);
    assert_i64(struck(MODEL_STORAGE_HDFS, sync, RECOUP_ACTION_FLUSH, MODEL_MOMENT_MID), 0);
    assert_i64(struck(MODEL_STORAGE_HDFS, sync, RECOUP_ACTION_SYNC, MODEL_MOMENT_MID), 40);
    assert_i64(struck(MODEL_STORAGE_POSIX, sync, RECOUP_ACTION_APPEND, MODEL_MOMENT_BEFORE), 80);
    assert_i64(struck(MODEL_STORAGE_POSIX, sync, RECOUP_ACTION_APPEND, MODEL_MOMENT_MID), 85);
    assert_i64(struck(MODEL_STORAGE_POSIX, sync, RECOUP_ACTION_SYNC, MODEL_MOMENT_MID), 80);
    assert_i64(struck(MODEL_STORAGE_HDFS, close, RECOUP_ACTION_APPEND, MODEL_MOMENT_MID), 0);
    assert_i64(struck(MODEL_STORAGE_S3, close, RECOUP_ACTION_APPEND, MODEL_MOMENT_MID), -1);
    assert_i64(struck(MODEL_STORAGE_S3, close, RECOUP_ACTION_FLUSH, MODEL_MOMENT_MID), -1);
    assert_i64(struck(MODEL_STORAGE_S3, close, RECOUP_ACTION_CLOSE, MODEL_MOMENT_MID), -1);
    // A create leaves the name without data, except in an object store: files there are.
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_CREATE, MODEL_MOMENT_BEFORE), 1);
    assert_i64(struck(MODEL_STORAGE_HDFS, flush, RECOUP_ACTION_CREATE, MODEL_MOMENT_MID), 2);
    assert_i64(struck(MODEL_STORAGE_HDFS, close, RECOUP_ACTION_CREATE, MODEL_MOMENT_MID), 2);
    assert_i64(struck(MODEL_STORAGE_S3, close, RECOUP_ACTION_CREATE, MODEL_MOMENT_MID), 0);
}

// Only the kill of a master tears: the operation goes on when it is asked to stop, or a worker
// dies.
static void other_faults_tear_nothing(void **state)
{
    static struct fs fs;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH);
    on_op(&fs, MODEL_STORAGE_APPEND, 1, MODEL_MOMENT_MID)->kind = MODEL_FAULT_TERMINATE;
    on_op(&fs, MODEL_STORAGE_APPEND, 2, MODEL_MOMENT_MID)->process = MODEL_PROCESS_WORKER;
    fs.t.faults[1].worker = 0;
    fs_open(&fs);
    created(&fs, "events.0");
    for (int i = 0; i < 2; i++) {
        static const unsigned char byte = 1;

        issue(&fs, RECOUP_ACTION_APPEND, "events.0", &byte, 0, 1, 0);
        assert_false(fs.w->storage.operation.torn);
        storage_client_died(fs.w, CLIENT);
        assert_u64(storage_bytes_appended(fs.w), 0);
    }
    fs_close(&fs);
}

// From the n-th operation on, `count` of them report the error, after their latency, without
// effect.
static void store_errors_have_no_effect(void **state)
{
    static struct fs fs;
    struct model_fault *f;

    (void)state;
    fs_prepare(&fs, MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH);
    fs.t.config.storage.latency[MODEL_STORAGE_FLUSH] = constant(5);
    f = on_op(&fs, MODEL_STORAGE_FLUSH, 2, MODEL_MOMENT_BEFORE);
    f->kind = MODEL_FAULT_STORE_ERROR;
    f->error = RECOUP_ENOSPC;
    f->count = 2;
    fs_open(&fs);
    created(&fs, "events.0");
    for (int i = 1; i <= 4; i++) {
        int64_t since_ns = fs.w->now_ns;

        assert_int_equal(do_append(&fs, "events.0", 10, (uint64_t)i), 0);
        assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"),
                         i == 2 || i == 3 ? RECOUP_ENOSPC : 0);
        assert_time_ns(fs.w->now_ns - since_ns, 5);
        assert_u64(storage_file_size(fs.w, 0), i == 4 ? 40 : 10);
        assert_u64(storage_durable_event(fs.w, CLIENT), i == 4 ? 4 : 1);
    }
    assert_true(fs.w->faults.state[0].fired);
    assert_u64(fs.w->faults.state[0].times, 2);
    assert_u64(fs.w->storage.done[MODEL_STORAGE_FLUSH], 2);
    fs_close(&fs);
}

// --- fingerprints -------------------------------------------------------------------------------

static void layers_of(size_t size, bool flush, uint8_t layers[SIM_LAYER_COUNT][16])
{
    static struct fs fs;
    uint8_t all[16];

    fs_prepare(&fs, MODEL_STORAGE_IDEAL, RECOUP_DURABLE_AT_FLUSH);
    fs_open(&fs);
    created(&fs, "events.0");
    assert_int_equal(do_append(&fs, "events.0", size, 1), 0);
    if (flush) {
        assert_int_equal(do_op(&fs, RECOUP_ACTION_FLUSH, "events.0"), 0);
    }
    storage_client_died(fs.w, CLIENT);
    storage_finish(fs.w, &fs.t.result);
    assert_u64(fs.t.result.io.appends, 1);
    assert_u64(fs.t.result.io.bytes, size);
    assert_u64(fs.t.result.io.files, 1);
    sim_fingerprint_finish(&fs.w->fingerprint, layers, all);
    fs_close(&fs);
}

// F3 sees every operation and its bytes, F5 only the bytes that survive.
static void fingerprints_see_bytes(void **state)
{
    uint8_t a[SIM_LAYER_COUNT][16], b[SIM_LAYER_COUNT][16], c[SIM_LAYER_COUNT][16];

    (void)state;
    layers_of(10, false, a);
    layers_of(10, false, b);
    assert_memory_equal(a, b, sizeof(a));
    layers_of(11, false, c);
    assert_memory_not_equal(a[SIM_LAYER_IO], c[SIM_LAYER_IO], 16);
    assert_memory_equal(a[SIM_LAYER_STORE], c[SIM_LAYER_STORE], 16);
    layers_of(10, true, c);
    assert_memory_not_equal(a[SIM_LAYER_STORE], c[SIM_LAYER_STORE], 16);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_read_back),
        cmocka_unit_test(zeros_cost_nothing),
        cmocka_unit_test(append_reports_exhaustion),
        cmocka_unit_test(kill_leaves_what_the_profile_keeps),
        cmocka_unit_test(closed_files_survive),
        cmocka_unit_test(names_behave),
        cmocka_unit_test(objects_appear_at_close),
        cmocka_unit_test(an_open_file_is_removed_as_a_whole),
        cmocka_unit_test(bandwidth_is_paid_once),
        cmocka_unit_test(requests_are_priced),
        cmocka_unit_test(kills_tear_operations),
        cmocka_unit_test(other_faults_tear_nothing),
        cmocka_unit_test(store_errors_have_no_effect),
        cmocka_unit_test(fingerprints_see_bytes),
    };

    return check_main(argc, argv, "models_storage", tests);
}
