// SPDX-License-Identifier: GPL-3.0-or-later
//
// The event store on real files, without the simulator. Writing: finishes stepped through the
// library and written by a plain host, against two bare writers and against SQLite in WAL mode that
// appends the same records and commits where the library flushes. The bare write repeats the
// library's write calls from bytes that lie there ready; the bare append also puts those bytes
// together, record by record, in a buffer: the least that any log does for an event. Replay: a
// whole recovery from the page cache, and its reader alone, against a loop that reads the same
// files. The same steps with recovery disabled tell what the job's state costs anyway; the
// difference is what recording adds. Candidates run in interleaved rounds; ratios are medians of
// paired ones. Files go to a folder that is made in the present one and removed. JSON on standard
// output. --shape N runs only that shape, from 0.
#define _XOPEN_SOURCE 700
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "bench/bench.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "results/store_reading.h"

#define SECOND INT64_C(1000000000)

struct shape {
    const char *name;
    uint32_t events;
    uint32_t payload_bytes;
    uint32_t flush_every; // events between two ticks of the flush timer
};

struct append { // one write call of the library, repeated by the others
    uint32_t bytes;
    uint32_t events; // complete with it, since the one before
    bool sync;
};

struct bench {
    char folder[64];
    char path[128];
    char created[32]; // the file made last
    struct shape shape;
    struct append *appends;
    uint32_t n_appends;
    uint32_t appends_capacity;
    uint64_t bytes;
    unsigned char *content; // as long as the largest write
    unsigned char *buffer;  // of the bare append, as long
    int64_t *latency_ns;    // of each step that brings a finish
    int fd;
    uint64_t counted; // event of the last append
    struct recoup_job *job;
};

// --- the library --------------------------------------------------------------------------------

static void write_all(int fd, const void *data, size_t size)
{
    bench_require(results_write_bytes(fd, data, size) == 0, "write");
}

static void note_append(struct bench *b, const struct recoup_action *action)
{
    struct append *append;

    if (b->n_appends == b->appends_capacity) {
        b->appends_capacity = b->appends_capacity * 2 + 1024;
        b->appends = realloc(b->appends, b->appends_capacity * sizeof *b->appends);
        bench_require(b->appends != NULL, "memory");
    }
    append = &b->appends[b->n_appends++];
    append->bytes = (uint32_t)action->io.size;
    append->events = (uint32_t)(action->io.event_last - b->counted);
    append->sync = false;
    b->counted = action->io.event_last;
    b->bytes += action->io.size;
}

// Carries out one operation on the real file system.
static void perform(struct bench *b, const struct recoup_action *action)
{
    switch ((int)action->type) {
    case RECOUP_ACTION_CREATE:
        (void)snprintf(b->path, sizeof b->path, "%s/%s", b->folder, action->io.file);
        b->fd = open(b->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
        bench_require(b->fd >= 0, "create");
        memcpy(b->created, action->io.file, sizeof b->created);
        break;
    case RECOUP_ACTION_APPEND:
        write_all(b->fd, action->io.data, action->io.size);
        note_append(b, action);
        break;
    case RECOUP_ACTION_SYNC:
        bench_require(fdatasync(b->fd) == 0, "sync");
        if (b->n_appends > 0) {
            b->appends[b->n_appends - 1].sync = true;
        }
        break;
    case RECOUP_ACTION_CLOSE:
        bench_require(close(b->fd) == 0, "close");
        b->fd = -1;
        break;
    default: // the folder is there and empty; write(2) has nothing to flush
        break;
    }
}

// One step and its operations, one after the other. Snapshots that it asks for are noted.
static void step_one(struct bench *b, int64_t now_ns, const struct recoup_event *event,
                     struct recoup_event *snapshot)
{
    struct recoup_event current;
    const struct recoup_event *next = event;
    const char *name = b->created;

    while (next != NULL) {
        struct recoup_update update;
        const struct recoup_action *operation = NULL;

        bench_require(recoup_step(b->job, now_ns, next, &update) == 0, "step");
        next = NULL;
        for (uint32_t i = 0; i < update.n_actions; i++) {
            const struct recoup_action *action = &update.actions[i];

            if (action->type <= RECOUP_ACTION_REMOVE) {
                operation = action;
            } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT) {
                snapshot->type = RECOUP_EVENT_SNAPSHOT;
                snapshot->snapshot.snapshot = action->take_snapshot.snapshot;
                snapshot->snapshot.coordinator = action->take_snapshot.coordinator;
            }
        }
        if (operation != NULL) {
            perform(b, operation);
            memset(&current, 0, sizeof current);
            current.type = RECOUP_EVENT_IO;
            current.io.operation = operation->io.operation;
            if (operation->type == RECOUP_ACTION_LIST) {
                current.io.names = &name;
                current.io.n_names = b->created[0] == '\0' ? 0 : 1;
            }
            next = &current;
        }
    }
}

// The job has no coordinators, so a snapshot is that of the shuffle master alone; it is empty.
// While it is owed, its finish holds up the writer and whatever comes behind it.
static void step(struct bench *b, int64_t now_ns, const struct recoup_event *event)
{
    struct recoup_event snapshot = {.type = RECOUP_EVENT_START};

    step_one(b, now_ns, event, &snapshot);
    while (snapshot.type == RECOUP_EVENT_SNAPSHOT) {
        struct recoup_event answer = snapshot;

        snapshot.type = RECOUP_EVENT_START;
        step_one(b, now_ns, &answer, &snapshot);
    }
}

static void create_job(struct bench *b, bool recovery)
{
    struct recoup_stage_spec stage = {b->shape.events, 0};
    struct recoup_graph graph = {.digest = "store benchmark", .n_stages = 1, .stages = &stage};
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph,
                                   .options = &options,
                                   .storage = {.durable_at = RECOUP_DURABLE_AT_SYNC,
                                               .can_sync = true,
                                               .create_exclusive = true,
                                               .list_consistent = true},
                                   .allocator = results_store_allocator()};

    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = recovery;
    options.snapshot_min_pause_ns = INT64_MAX / 4;
    bench_require(recoup_create(&config, &b->job) == 0, "create the job");
}

// All finishes, and the orderly end that writes what is left. Returns the time it took.
static int64_t run_library(struct bench *b, bool recovery)
{
    struct recoup_event start = {.type = RECOUP_EVENT_START};
    struct recoup_event initialized = {.type = RECOUP_EVENT_STAGE_INITIALIZED};
    struct recoup_event finish = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    struct recoup_event timer = {.type = RECOUP_EVENT_TIMER};
    struct recoup_event stop = {.type = RECOUP_EVENT_STOP};
    int64_t now_ns = 0, begun_ns, ended_ns, before_ns, after_ns;

    b->n_appends = 0;
    b->bytes = 0;
    b->counted = 0;
    create_job(b, recovery);
    start.start.epoch = 1;
    step(b, now_ns, &start);
    initialized.stage_initialized.parallelism = b->shape.events;
    step(b, now_ns, &initialized);
    finish.subtask_finished.payload = b->content;
    finish.subtask_finished.payload_bytes = b->shape.payload_bytes;
    begun_ns = before_ns = bench_now_ns();
    for (uint32_t i = 0; i < b->shape.events; i++) {
        finish.subtask_finished.subtask = i;
        finish.subtask_finished.attempt = UINT64_C(1) << 32 | i;
        finish.subtask_finished.worker = i % 1000;
        step(b, now_ns, &finish);
        if ((i + 1) % b->shape.flush_every == 0) {
            now_ns += SECOND;
            if (recoup_deadline(b->job) <= now_ns) {
                step(b, now_ns, &timer);
            }
        }
        after_ns = bench_now_ns();
        b->latency_ns[i] = after_ns - before_ns;
        before_ns = after_ns;
    }
    step(b, now_ns, &stop);
    ended_ns = bench_now_ns();
    recoup_destroy(b->job);
    b->job = NULL;
    return ended_ns - begun_ns;
}

// --- the others ---------------------------------------------------------------------------------

// Puts `size` bytes together as an appending program has to: record by record, of those that the
// library writes, each copied from where the caller has it.
static void assemble(struct bench *b, uint32_t size)
{
    uint32_t record = 24 + 29 + (b->shape.payload_bytes > 0 ? 4 + b->shape.payload_bytes : 0);

    for (uint32_t at = 0; at < size; at += record) {
        uint32_t n = size - at < record ? size - at : record;

        memcpy(b->buffer + at, b->content, n);
        __asm__ volatile("" : : "r"(b->buffer + at) : "memory"); // each record by itself
    }
}

// `assembles`: the bare append; otherwise the bare write.
static int64_t run_bare(struct bench *b, bool assembles)
{
    const unsigned char *bytes = assembles ? b->buffer : b->content;
    int64_t begun_ns;
    int fd;

    (void)snprintf(b->path, sizeof b->path, "%s/%s", b->folder,
                   assembles ? "append" : "bare");
    begun_ns = bench_now_ns();
    fd = open(b->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    bench_require(fd >= 0, "create");
    for (uint32_t i = 0; i < b->n_appends; i++) {
        if (assembles) {
            assemble(b, b->appends[i].bytes);
        }
        write_all(fd, bytes, b->appends[i].bytes);
        if (b->appends[i].sync) {
            bench_require(fdatasync(fd) == 0, "sync");
        }
    }
    bench_require(close(fd) == 0, "close");
    return bench_now_ns() - begun_ns;
}

static void sql(sqlite3 *db, const char *text)
{
    bench_require(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static int64_t run_sqlite(struct bench *b)
{
    uint32_t body = 29 + (b->shape.payload_bytes > 0 ? 4 + b->shape.payload_bytes : 0);
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = NULL;
    uint32_t event = 0;
    int64_t begun_ns;

    (void)snprintf(b->path, sizeof b->path, "%s/sqlite", b->folder);
    bench_require(sqlite3_open(b->path, &db) == SQLITE_OK, "sqlite3_open");
    sql(db, "PRAGMA journal_mode=WAL");
    sql(db, "PRAGMA synchronous=NORMAL");
    sql(db, "CREATE TABLE log(sequence INTEGER PRIMARY KEY, type INTEGER, body BLOB)");
    bench_require(sqlite3_prepare_v2(db, "INSERT INTO log VALUES(?1, 1, ?2)", -1, &insert, NULL) ==
                      SQLITE_OK,
                  "prepare");
    begun_ns = bench_now_ns();
    for (uint32_t i = 0; i < b->n_appends && event < b->shape.events; i++) {
        bool last = i + 1 == b->n_appends;
        uint32_t n = last ? b->shape.events - event : b->appends[i].events;

        n = n > b->shape.events - event ? b->shape.events - event : n;
        sql(db, "BEGIN");
        for (uint32_t k = 0; k < n; k++) {
            (void)sqlite3_bind_int64(insert, 1, ++event);
            (void)sqlite3_bind_blob(insert, 2, b->content, (int)body, SQLITE_STATIC);
            bench_require(sqlite3_step(insert) == SQLITE_DONE, "insert");
            (void)sqlite3_reset(insert);
        }
        sql(db, "COMMIT");
    }
    bench_require(event == b->shape.events, "every event is in the table");
    (void)sqlite3_finalize(insert);
    bench_require(sqlite3_close(db) == SQLITE_OK, "sqlite3_close");
    return bench_now_ns() - begun_ns;
}

// --- replay -------------------------------------------------------------------------------------

static int64_t run_cat(const struct results_store_files *files)
{
    static unsigned char buffer[1 << 20];
    int64_t begun_ns = bench_now_ns();
    uint64_t total = 0;

    for (uint32_t i = 0; i < files->n_files; i++) {
        int fd = results_store_file_open(files, files->files[i].name);
        ssize_t n;

        bench_require(fd >= 0, "open");
        while ((n = read(fd, buffer, sizeof buffer)) > 0) {
            total += (uint64_t)n;
        }
        bench_require(n == 0 && close(fd) == 0, "read");
    }
    bench_require(total == files->bytes, "all bytes are read");
    return bench_now_ns() - begun_ns;
}

static int64_t run_scan(const struct results_store_files *files, uint32_t events)
{
    struct results_store_scan scan;
    enum results_store_step found = RESULTS_STORE_FILE;
    int64_t begun_ns = bench_now_ns();
    uint64_t records = 0;

    bench_require(results_store_scan_init(&scan, files, NULL), "memory");
    while (found < RESULTS_STORE_DONE) {
        found = results_store_scan_next(&scan);
        records += found == RESULTS_STORE_RECORD ? 1 : 0;
    }
    bench_require(found == RESULTS_STORE_DONE && records >= events, "every record is read");
    results_store_scan_release(&scan);
    return bench_now_ns() - begun_ns;
}

// A new master up to the point at which the log is read and applied.
static int64_t run_recovery(struct bench *b, const struct results_store_files *files)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct results_store_host host;
    struct recoup_stage stage;
    bool recovered = false;
    int64_t begun_ns;

    bench_require(results_store_host_init(&host, files, NULL), "memory");
    create_job(b, true);
    event.start.epoch = 2;
    begun_ns = bench_now_ns();
    while (!recovered) {
        struct recoup_action operation = {.type = RECOUP_ACTION_STOPPED};
        struct recoup_update update;

        bench_require(recoup_step(b->job, 0, &event, &update) == 0, "step");
        for (uint32_t i = 0; i < update.n_actions; i++) {
            recovered = recovered || update.actions[i].type == RECOUP_ACTION_RECOVERED;
            if (update.actions[i].type <= RECOUP_ACTION_REMOVE) {
                operation = update.actions[i];
            }
        }
        bench_require(recovered || operation.type != RECOUP_ACTION_STOPPED, "it goes on");
        results_store_host_answer(&host, &operation, &event);
    }
    begun_ns = bench_now_ns() - begun_ns;
    recoup_stage(b->job, 0, &stage);
    bench_require(stage.finished == b->shape.events, "every finish is back");
    recoup_destroy(b->job);
    b->job = NULL;
    results_store_host_release(&host);
    return begun_ns;
}

// --- rounds -------------------------------------------------------------------------------------

static void clean(struct bench *b)
{
    static const char *const names[] = {"bare", "append", "sqlite", "sqlite-wal", "sqlite-shm"};
    struct results_store_files files;
    struct results_text message;
    char path[160];

    results_text_init(&message);
    bench_require(results_store_files_open(&files, b->folder, RESULTS_STORE_AUTO, &message) == 0,
                  "list");
    for (uint32_t i = 0; i < files.n_files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", b->folder, files.files[i].name);
        (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
        (void)unlink(path);
    }
    results_store_files_release(&files);
    results_text_release(&message);
}

static void sort_latency(int64_t *values, uint32_t n)
{
    for (uint32_t gap = n / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < n; i++) {
            int64_t value = values[i];
            uint32_t k = i;

            while (k >= gap && values[k - gap] > value) {
                values[k] = values[k - gap];
                k -= gap;
            }
            values[k] = value;
        }
    }
}

struct rounds {
    double library[BENCH_ROUNDS_MAX], off[BENCH_ROUNDS_MAX], bare[BENCH_ROUNDS_MAX];
    double sqlite[BENCH_ROUNDS_MAX], to_bare[BENCH_ROUNDS_MAX], to_sqlite[BENCH_ROUNDS_MAX];
    double added[BENCH_ROUNDS_MAX], p50[BENCH_ROUNDS_MAX], p99[BENCH_ROUNDS_MAX];
    double cat[BENCH_ROUNDS_MAX], scan[BENCH_ROUNDS_MAX], recovery[BENCH_ROUNDS_MAX];
    double share[BENCH_ROUNDS_MAX], added_to_bare[BENCH_ROUNDS_MAX];
    double append[BENCH_ROUNDS_MAX], added_to_append[BENCH_ROUNDS_MAX];
    double to_floor[BENCH_ROUNDS_MAX];
};

static void write_round(struct bench *b, struct rounds *r, size_t i)
{
    uint32_t n = b->shape.events;
    double off, library, bare, append, sqlite;

    off = (double)run_library(b, false);
    clean(b);
    library = (double)run_library(b, true);
    sort_latency(b->latency_ns, n);
    r->p50[i] = (double)b->latency_ns[n / 2];
    r->p99[i] = (double)b->latency_ns[n - 1 - n / 100];
    bare = (double)run_bare(b, false);
    append = (double)run_bare(b, true);
    sqlite = (double)run_sqlite(b);
    r->library[i] = library / n;
    r->off[i] = off / n;
    r->bare[i] = bare / n;
    r->sqlite[i] = sqlite / n;
    r->to_bare[i] = library / bare;
    r->to_sqlite[i] = library / sqlite;
    r->added[i] = (library - off) / n;
    r->added_to_bare[i] = (library - off) / bare;
    r->append[i] = append / n;
    r->added_to_append[i] = (library - off) / append;
    r->to_floor[i] = library / (off + append);
}

// Over the files that the last write round has left.
static void replay_round(struct bench *b, struct rounds *r, size_t i)
{
    struct results_store_files files;
    struct results_text message;
    double cat, scan, recovery;

    results_text_init(&message);
    bench_require(results_store_files_open(&files, b->folder, RESULTS_STORE_AUTO, &message) == 0,
                  "list");
    cat = (double)run_cat(&files);
    scan = (double)run_scan(&files, b->shape.events);
    recovery = (double)run_recovery(b, &files);
    r->cat[i] = (double)files.bytes * 1000 / cat; // MB/s
    r->scan[i] = (double)files.bytes * 1000 / scan;
    r->recovery[i] = (double)files.bytes * 1000 / recovery;
    r->share[i] = recovery / cat;
    results_store_files_release(&files);
    results_text_release(&message);
}

static void print(const struct bench *b, struct rounds *r, size_t n, bool first)
{
    printf("%s\n {\"shape\":\"%s\",\"events\":%u,\"bytes\":%llu,\"writes\":%u,\n", first ? "" : ",",
           b->shape.name, (unsigned)b->shape.events, (unsigned long long)b->bytes,
           (unsigned)b->n_appends);
    printf("  \"library_ns_per_event\":%.1f,\"recovery_off_ns_per_event\":%.1f,"
           "\"bare_ns_per_event\":%.1f,\"sqlite_ns_per_event\":%.1f,\n",
           bench_median(r->library, n), bench_median(r->off, n), bench_median(r->bare, n),
           bench_median(r->sqlite, n));
    printf("  \"added_ns_per_event\":%.1f,\"step_p50_ns\":%.0f,\"step_p99_ns\":%.0f,\n",
           bench_median(r->added, n), bench_median(r->p50, n), bench_median(r->p99, n));
    printf("  \"ratio_to_bare\":%.2f,\"added_to_bare\":%.2f,\"ratio_to_sqlite\":%.2f,\n",
           bench_median(r->to_bare, n), bench_median(r->added_to_bare, n),
           bench_median(r->to_sqlite, n));
    printf("  \"bare_append_ns_per_event\":%.1f,\"added_to_bare_append\":%.2f,"
           "\"ratio_to_unrecorded_and_bare_append\":%.2f,\n",
           bench_median(r->append, n), bench_median(r->added_to_append, n),
           bench_median(r->to_floor, n));
    printf("  \"cat_mb_per_s\":%.0f,\"scan_mb_per_s\":%.0f,\"recovery_mb_per_s\":%.0f,"
           "\"recovery_to_cat\":%.2f}",
           bench_median(r->cat, n), bench_median(r->scan, n), bench_median(r->recovery, n),
           bench_median(r->share, n));
}

static void run_shape(struct bench *b, const struct shape *shape, size_t rounds, bool first)
{
    static struct rounds r;

    b->shape = *shape;
    b->latency_ns = malloc(shape->events * sizeof *b->latency_ns);
    bench_require(b->latency_ns != NULL, "memory");
    for (size_t i = 0; i < rounds; i++) {
        clean(b);
        write_round(b, &r, i);
        replay_round(b, &r, i);
    }
    print(b, &r, rounds, first);
    clean(b);
    free(b->latency_ns);
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {{"small records, full buffers", 1000000, 0, 100000},
                                          {"small records, each flushed", 200000, 0, 1},
                                          {"payloads of 4 KB", 50000, 4096, 1000},
                                          {"payloads of 64 KB", 4000, 65536, 100}};
    long only = -1;
    bool quick;
    struct bench b = {.folder = "bench_store.XXXXXX", .fd = -1};

    if (argc > 2 && strcmp(argv[argc - 2], "--shape") == 0) {
        only = strtol(argv[argc - 1], NULL, 10);
        argc -= 2;
    }
    quick = bench_quick(argc, argv);
    b.content = calloc(1, 4u << 20);
    b.buffer = calloc(1, 4u << 20);
    bench_require(b.content != NULL && b.buffer != NULL, "memory");
    memset(b.content, 0x5a, 4u << 20);
    bench_require(mkdtemp(b.folder) != NULL, "make a folder");
    printf("{\"benchmark\":\"store\",\"quick\":%s,\"shapes\":[", quick ? "true" : "false");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct shape shape = shapes[i];

        if (only >= 0 && (size_t)only != i) {
            continue;
        }
        shape.events = quick ? shape.events / 50 : shape.events;
        run_shape(&b, &shape, quick ? 2 : 7, i == 0 || only >= 0);
    }
    printf("]}\n");
    bench_require(rmdir(b.folder) == 0, "remove the folder");
    free(b.content);
    free(b.buffer);
    free(b.appends);
    return 0;
}
