// SPDX-License-Identifier: GPL-3.0-or-later
//
// Makes stores as the library leaves them: small jobs on the host in memory, whose masters die,
// lose their storage or their leadership, or end the job.
//
//     format_stores FOLDER        makes FOLDER/NAME for each of `stores`
#define _XOPEN_SOURCE 700
#include "tests/testing/support_engine.h"

#include <sys/stat.h>

enum { LIVES_MAX = 4, TWEAKS_MAX = 5 };

enum last { // what the last master does
    RUNS,   // to the job's end; its log stays
    ENDS,   // the same, and dies when it has recorded the end and begins to remove the log
    REARMS, // an append fails, and recording starts anew
    LAGS,   // it has lost its leadership to another and writes on
};

struct tweak {
    enum recoup_policy policy; // RECOUP_POLICY_COUNT: none
    int64_t value;
};

struct store {
    const char *name;
    enum recoup_profile profile;
    enum recoup_testing_profile device;
    bool sources; // graph with coordinators, else without
    uint64_t write_buffer_bytes;
    uint32_t payload_bytes;
    uint64_t die_at[LIVES_MAX]; // the operation at which each master but the last dies; 0: no more
    uint32_t torn;              // which of the states that the power loss may leave
    enum last last;
    struct tweak tweaks[TWEAKS_MAX + 1];
};

#define HARDENED RECOUP_PROFILE_HARDENED
#define FLINK RECOUP_PROFILE_FLINK_1_20
#define NONE {RECOUP_POLICY_COUNT, 0}

static const struct store stores[] = {
    {"hardened", HARDENED, RECOUP_TESTING_DISK, true, 1 << 20, 3, {0}, 0, RUNS,
     {NONE}},
    {"hardened-lives", HARDENED, RECOUP_TESTING_DISK_BYTES, true, 256, 3, {17, 26}, 3, RUNS,
     {NONE}},
    {"hardened-log", HARDENED, RECOUP_TESTING_DISK_BYTES, true, 256, 3, {17, 24}, 7, RUNS,
     {{RECOUP_POLICY_COMPACTION, 0}, NONE}},
    {"hardened-compacted", HARDENED, RECOUP_TESTING_DISK, true, 256, 9000, {0}, 0, RUNS,
     {NONE}},
    {"hardened-compacted-lives", HARDENED, RECOUP_TESTING_DISK_BYTES, true, 256, 9000, {25}, 1000,
     RUNS,
     {NONE}},
    {"hardened-ended", HARDENED, RECOUP_TESTING_DISK, false, 256, 0, {17}, 0, ENDS,
     {NONE}},
    {"hardened-rearmed", HARDENED, RECOUP_TESTING_DISK, true, 256, 0, {0}, 0, REARMS,
     {{RECOUP_POLICY_SNAPSHOT_TIMEOUT, 100 * MILLISECOND}, NONE}},
    {"hardened-objects", HARDENED, RECOUP_TESTING_OBJECTS, true, 256, 0, {15, 24}, 0, RUNS,
     {NONE}},
    {"hardened-zombie", HARDENED, RECOUP_TESTING_DISK, false, 256, 0, {0}, 0, LAGS,
     {NONE}},
    {"hardened-unchecked", HARDENED, RECOUP_TESTING_DISK, true, 256, 3, {17}, 0, RUNS,
     {{RECOUP_POLICY_CHECKSUM, 0}, {RECOUP_POLICY_COMPACTION, 0}, NONE}},
    {"hardened-unfenced", HARDENED, RECOUP_TESTING_DISK, true, 256, 3, {17}, 0, RUNS,
     {{RECOUP_POLICY_FENCING, 0}, NONE}},
    {"flink", FLINK, RECOUP_TESTING_SERVERS, true, 1 << 20, 3, {0}, 0, RUNS,
     {NONE}},
    {"flink-lives", FLINK, RECOUP_TESTING_SERVERS, true, 64, 3, {9, 14}, 2, RUNS,
     {NONE}},
    {"flink-checked", FLINK, RECOUP_TESTING_SERVERS, true, 64, 0, {14}, 0, RUNS,
     {{RECOUP_POLICY_CHECKSUM, 1}, {RECOUP_POLICY_LOG_RESETS, 1}, NONE}},
    {"flink-fenced", FLINK, RECOUP_TESTING_SERVERS, false, 64, 0, {14}, 0, ENDS,
     {{RECOUP_POLICY_FENCING, 1}, NONE}},
};

static void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "format_stores: a master of %s does not do what it should\n", what);
        exit(1);
    }
}

static void save(const struct recoup_testing_host *host, const char *folder, const char *name)
{
    char path[4096];

    (void)mkdir(folder, 0777);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    for (uint32_t i = 0; i < recoup_testing_file_count(host); i++) {
        uint64_t size;
        const uint8_t *bytes = recoup_testing_file_bytes(host, i, &size);
        FILE *file;

        (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name,
                       recoup_testing_file_name(host, i));
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_true(size == 0 || fwrite(bytes, 1, size, file) == size);
        assert_int_equal(fclose(file), 0);
    }
}

static void prepare(const struct store *store, struct engine *engine,
                    struct recoup_testing_host *host, struct cluster *cluster)
{
    struct recoup_graph graph = store->sources ? graph_sources() : graph_lines();

    engine_init(engine, host, cluster, &graph, store->profile);
    engine->options.write_buffer_bytes = store->write_buffer_bytes;
    engine->payload_bytes = store->payload_bytes;
    engine->fail_once = true;
    for (uint32_t i = 0; store->tweaks[i].policy != RECOUP_POLICY_COUNT; i++) {
        engine->options.policy[store->tweaks[i].policy] = store->tweaks[i].value;
    }
}

// The power fails in the midst of an operation; `torn` chooses among what may be left of it.
static void crash(struct recoup_testing_host *host, uint32_t torn)
{
    struct recoup_testing_crashes crashes;
    struct recoup_testing_choice choice;

    recoup_testing_crashes_begin(&crashes, host, RECOUP_TESTING_POWER_LOSS, 1);
    assert_true(recoup_testing_crashes_next(&crashes));
    choice = crashes.choice;
    for (uint32_t i = 0; i < torn && recoup_testing_crashes_next(&crashes); i++) {
        choice = crashes.choice;
    }
    assert_int_equal(recoup_testing_crash(host, &choice), 0);
}

static void end(struct engine *engine)
{
    struct recoup_event stop = {.type = RECOUP_EVENT_STOP};

    stop.stop.clear = true;
    engine->hold = true;
    engine_event(engine, &stop);
    while (!(engine->busy && engine->io.type == RECOUP_ACTION_REMOVE)) {
        assert_true(engine_turn(engine, engine->now_ns));
    }
}

// The first stage, with two subtasks finished.
static void begin_job(struct engine *engine)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.parallelism = engine->graph.stages[0].parallelism;
    engine_event(engine, &event);
    for (uint32_t i = 0; i < 2; i++) {
        engine_finish(engine, 0, i);
        engine_advance(engine, engine->now_ns + 2 * SECOND);
    }
}

static void rearm(struct engine *engine)
{
    struct recoup_testing_fault fault = {RECOUP_ACTION_APPEND, 1, 0, RECOUP_EIO,
                                         RECOUP_TESTING_EFFECT_HALF};

    begin_job(engine);
    engine->hold_snapshots = true; // so that the checkpoint holds a finish that none covers
    recoup_testing_fail(engine->host, &fault);
    engine_run(engine);
    assert_int_equal((int)recoup_testing_fired(engine->host), 1);
    assert_false(engine->unprotected);
}

static void lag(const struct store *store, struct engine *engine, uint64_t epoch)
{
    struct cluster cluster;
    struct engine next;

    begin_job(engine);
    cluster = *engine->cluster;
    prepare(store, &next, engine->host, &cluster);
    engine_start(&next, epoch + 1);
    assert_true(next.recovered);
    engine_finish(engine, 0, 2);
    engine_advance(engine, engine->now_ns + 2 * SECOND);
    engine_run(&next);
    engine_destroy(&next);
}

static void last_life(const struct store *store, struct recoup_testing_host *host,
                      struct cluster *cluster, uint64_t epoch)
{
    struct engine engine;

    prepare(store, &engine, host, cluster);
    engine_start(&engine, epoch);
    assert_int_equal(engine.recovery_error, 0);
    assert_true(engine.recovered);
    if (store->last == REARMS) {
        rearm(&engine);
    } else if (store->last == LAGS) {
        lag(store, &engine, epoch);
    } else {
        engine_run(&engine);
    }
    if (store->last == ENDS) {
        end(&engine);
    }
    engine_destroy(&engine);
}

static void make(const struct store *store, const char *folder)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();
    struct recoup_testing_host *host;
    struct cluster cluster = {.n_held = 0};
    uint64_t epoch = 1;

    recoup_testing_device_init(&device, store->device);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &host), 0);
    for (uint32_t i = 0; i < LIVES_MAX && store->die_at[i] != 0; i++) {
        struct engine engine;

        prepare(store, &engine, host, &cluster);
        engine.die_at = store->die_at[i];
        engine_start(&engine, epoch++);
        if (!engine.dead) {
            engine_run(&engine);
        }
        require(engine.dead, store->name);
        engine_destroy(&engine);
        crash(host, store->torn);
    }
    last_life(store, host, &cluster, epoch);
    save(host, folder, store->name);
    recoup_testing_host_destroy(host);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        make(&stores[i], argv[1]);
    }
    return 0;
}
