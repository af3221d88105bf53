// SPDX-License-Identifier: GPL-3.0-or-later
//
// A bare cluster on the kernel: a master sends tasks to workers, one at a time to each. A task is
// three events: its message arrives after 100.8 us, it computes for an exponential time of mean
// 1 s, and its acknowledgement arrives after 100.8 us more. A record of 64 bytes a task is kept,
// the fingerprint is on, and each replication ends as a row of 20 columns. There is no store, no
// recovery and no failure in it: bench_run measures those.
//
// One replication of 100,000 tasks on 100 workers comes first, so that the peak of memory is its
// own. Then short replications, whose rows one writer stores in SQLite, ten thousand to a
// transaction. Everything is done with the plain binary heap too, in interleaved rounds and with
// equal results; ratios are medians of the rounds' ratios. Times are processor time, since nothing
// here waits but for other programs.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"

#include <sys/resource.h>
#include <unistd.h>

#include "results/database_parts.h"
#include "results/statement.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/queue.h"

#define LATENCY_NS INT64_C(100800)
#define SECOND INT64_C(1000000000)
#define COLUMNS 20
#define COLUMNS_COMPARED 18 // without the fingerprint, which the bare heap has not
#define BATCH 10000u        // rows to a transaction
#define STREAM 1

enum { ARRIVE, DONE, ACKNOWLEDGED };
enum candidate { QUEUE, HEAP, HEAP_FINGERPRINT, CANDIDATES };

struct task {
    int64_t sent_ns;
    int64_t arrived_ns;
    int64_t done_ns;
    int64_t acknowledged_ns;
    int64_t compute_ns;
    int64_t idle_ns;   // how long its worker had nothing to do before
    uint64_t order;    // of its acknowledgement
    uint32_t worker;
    uint32_t waiting;  // tasks not sent yet when this one was
};
_Static_assert(sizeof(struct task) == 64, "a record of 64 bytes");

struct worker {
    int64_t busy_ns;
    int64_t idle_since_ns;
    uint32_t task;
    uint32_t tasks;
};

struct cluster {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    struct sim_random random;
    struct sim_fingerprint fingerprint;
    struct sim_law compute;
    struct task *tasks;
    struct worker *workers;
    uint32_t n_tasks;
    uint32_t n_workers;
    uint32_t sent;
    uint32_t acknowledged;
    uint64_t sequence; // of the heap's events
    uint64_t events;
    int64_t now_ns;
    int64_t row[COLUMNS];
};

// --- the model -----------------------------------------------------------------------------------

// The candidate is constant where this is inlined.
static inline void schedule(struct cluster *c, enum candidate by, int64_t time_ns, uint32_t kind,
                            uint32_t worker)
{
    if (by == QUEUE) {
        bench_require(sim_queue_push(&c->queue, time_ns, SIM_CLASS_HAPPENING, kind, worker, 0) == 0,
                      "push");
    } else {
        struct sim_event event = {
            time_ns, (uint64_t)SIM_CLASS_HAPPENING << SIM_ORDER_CLASS_SHIFT | c->sequence, kind,
            worker, 0};

        c->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
        bench_require(sim_heap_push(&c->heap, &event) == 0, "push");
    }
}

static inline bool next(struct cluster *c, enum candidate by, struct sim_event *event)
{
    return by == QUEUE ? sim_queue_pop(&c->queue, event) : sim_heap_pop(&c->heap, event);
}

static inline void send(struct cluster *c, enum candidate by, uint32_t worker)
{
    struct task *task = &c->tasks[c->sent];

    task->sent_ns = c->now_ns;
    task->worker = worker;
    c->workers[worker].task = c->sent;
    c->sent++;
    task->waiting = c->n_tasks - c->sent;
    schedule(c, by, c->now_ns + LATENCY_NS, ARRIVE, worker);
}

static inline void handle(struct cluster *c, enum candidate by, const struct sim_event *event)
{
    struct worker *worker = &c->workers[event->entity];
    struct task *task = &c->tasks[worker->task];

    c->now_ns = event->time_ns;
    switch (event->kind) {
    case ARRIVE:
        task->arrived_ns = c->now_ns;
        task->idle_ns = c->now_ns - worker->idle_since_ns;
        sim_law_sample(&c->compute, &c->random, STREAM, worker->task, 0, 0, &task->compute_ns);
        schedule(c, by, c->now_ns + task->compute_ns, DONE, event->entity);
        break;
    case DONE:
        task->done_ns = c->now_ns;
        worker->idle_since_ns = c->now_ns;
        worker->busy_ns += task->compute_ns;
        worker->tasks++;
        schedule(c, by, c->now_ns + LATENCY_NS, ACKNOWLEDGED, event->entity);
        break;
    default:
        task->acknowledged_ns = c->now_ns;
        task->order = event->order;
        c->acknowledged++;
        if (c->sent < c->n_tasks) {
            send(c, by, event->entity);
        }
    }
}

static inline void loop(struct cluster *c, enum candidate by)
{
    struct sim_event event;

    for (uint32_t i = 0; i < c->n_workers && i < c->n_tasks; i++) {
        send(c, by, i);
    }
    while (next(c, by, &event)) {
        if (by != HEAP) {
            sim_fingerprint_event(&c->fingerprint, &event);
        }
        handle(c, by, &event);
        c->events++;
    }
    bench_require(c->acknowledged == c->n_tasks, "every task is acknowledged");
}

// --- the row -------------------------------------------------------------------------------------

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void sum_tasks(const struct cluster *c, int64_t *row)
{
    row[9] = INT64_MAX;
    for (uint32_t i = 0; i < c->n_tasks; i++) {
        const struct task *task = &c->tasks[i];

        row[6] += task->compute_ns;
        row[7] += task->acknowledged_ns - task->sent_ns - task->compute_ns;
        row[8] += task->idle_ns;
        row[9] = smaller(row[9], task->compute_ns);
        row[10] = larger(row[10], task->compute_ns);
        row[11] += task->compute_ns > SECOND;
        row[12] += task->compute_ns > 2 * SECOND;
        row[13] += task->compute_ns > 4 * SECOND;
    }
}

// Fills the row; its last two columns are the fingerprint.
static void fill_row(struct cluster *c, enum candidate by, uint64_t replication)
{
    uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES];
    uint8_t all[SIM_FINGERPRINT_BYTES] = {0};
    int64_t *row = c->row;

    memset(row, 0, sizeof(c->row));
    row[0] = (int64_t)replication;
    row[1] = (int64_t)c->random.seed;
    row[2] = c->n_tasks;
    row[3] = c->n_workers;
    row[4] = (int64_t)c->events;
    row[5] = c->now_ns;
    sum_tasks(c, row);
    row[15] = INT64_MAX;
    row[17] = INT64_MAX;
    for (uint32_t i = 0; i < c->n_workers; i++) {
        row[14] = larger(row[14], c->workers[i].tasks);
        row[15] = smaller(row[15], c->workers[i].tasks);
        row[16] = larger(row[16], c->workers[i].busy_ns);
        row[17] = smaller(row[17], c->workers[i].busy_ns);
    }
    if (by == HEAP) {
        return;
    }
    sim_fingerprint_draws(&c->fingerprint, &c->random);
    for (uint32_t i = 0; i < COLUMNS_COMPARED; i++) {
        sim_fingerprint_u64(&c->fingerprint, SIM_LAYER_RESULT, (uint64_t)row[i]);
    }
    sim_fingerprint_finish(&c->fingerprint, layers, all);
    memcpy(&row[18], all, sizeof(all));
}

// --- replications --------------------------------------------------------------------------------

// One replication from nothing to its row, in memory that earlier ones have left.
static void replicate(struct cluster *c, enum candidate by, uint64_t replication)
{
    uint64_t seed;

    sim_seed_derive(1, replication, &seed);
    sim_arena_reset(&c->arena);
    bench_require(sim_random_init(&c->random, &c->arena, seed) == 0, "memory");
    if (by == QUEUE) {
        bench_require(sim_queue_init(&c->queue, &c->arena, 0) == 0, "memory");
    } else {
        bench_require(sim_heap_init(&c->heap, &c->arena, 0) == 0, "memory");
    }
    if (by != HEAP) {
        bench_require(sim_fingerprint_init(&c->fingerprint, &c->arena) == 0, "memory");
    }
    c->tasks = sim_arena_alloc(&c->arena, c->n_tasks * sizeof(*c->tasks), 64);
    c->workers = SIM_ARENA_NEW(&c->arena, struct worker, c->n_workers);
    bench_require(c->tasks != NULL && c->workers != NULL, "memory");
    c->sent = 0;
    c->acknowledged = 0;
    c->sequence = 0;
    c->events = 0;
    c->now_ns = 0;
    if (by == QUEUE) {
        loop(c, QUEUE);
    } else if (by == HEAP) {
        loop(c, HEAP);
    } else {
        loop(c, HEAP_FINGERPRINT);
    }
    fill_row(c, by, replication);
}

static void cluster_init(struct cluster *c, uint32_t tasks, uint32_t workers)
{
    memset(c, 0, sizeof(*c));
    sim_arena_init(&c->arena, 0);
    sim_law_constant(&c->compute, 0);
    c->compute = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = SECOND};
    c->n_tasks = tasks;
    c->n_workers = workers;
}

// In kilobytes, of this process so far.
static long peak_memory(void)
{
    struct rusage usage;

    bench_require(getrusage(RUSAGE_SELF, &usage) == 0, "the memory used");
    return usage.ru_maxrss;
}

// --- one long replication ------------------------------------------------------------------------

static void compare_rows(const struct cluster *c)
{
    for (int by = 1; by < CANDIDATES; by++) {
        bench_require(memcmp(c[by].row, c[QUEUE].row, COLUMNS_COMPARED * sizeof(int64_t)) == 0,
                      "equal results");
    }
    bench_require(memcmp(c[HEAP_FINGERPRINT].row, c[QUEUE].row, sizeof(c[QUEUE].row)) == 0,
                  "equal fingerprints");
}

static double timed(struct cluster *c, enum candidate by)
{
    int64_t start_ns = bench_cpu_ns();

    replicate(c, by, 0);
    return (double)(bench_cpu_ns() - start_ns);
}

static void measure_long(uint32_t tasks, uint32_t workers, uint32_t rounds)
{
    static struct cluster c[CANDIDATES];
    double ns[CANDIDATES][BENCH_ROUNDS_MAX];
    double ratios[CANDIDATES][BENCH_ROUNDS_MAX];
    long before_kb = peak_memory();
    long peak_kb;

    cluster_init(&c[QUEUE], tasks, workers);
    replicate(&c[QUEUE], QUEUE, 0);
    peak_kb = peak_memory();
    for (int by = 1; by < CANDIDATES; by++) {
        cluster_init(&c[by], tasks, workers);
        replicate(&c[by], (enum candidate)by, 0);
    }
    compare_rows(c);
    for (uint32_t i = 0; i < rounds; i++) {
        for (int by = 0; by < CANDIDATES; by++) {
            ns[by][i] = timed(&c[by], (enum candidate)by);
            ratios[by][i] = ns[by][i] / ns[QUEUE][i];
        }
    }
    printf(" \"long\": {\"tasks\": %u, \"workers\": %u, \"mtasks_per_s\": %.2f, "
           "\"mevents_per_s\": %.2f, \"heap_mtasks_per_s\": %.2f,\n  \"times_heap\": %.2f, "
           "\"times_heap_fingerprint\": %.2f, \"peak_memory_kb\": %ld, "
           "\"program_alone_kb\": %ld, \"mean_compute_ns\": %lld},\n",
           tasks, workers, tasks * 1e3 / bench_median(ns[QUEUE], rounds),
           (double)c[QUEUE].events * 1e3 / bench_median(ns[QUEUE], rounds),
           tasks * 1e3 / bench_median(ns[HEAP], rounds), bench_median(ratios[HEAP], rounds),
           bench_median(ratios[HEAP_FINGERPRINT], rounds), peak_kb, before_kb,
           (long long)(c[QUEUE].row[6] / tasks));
    for (int by = 0; by < CANDIDATES; by++) {
        sim_arena_release(&c[by].arena);
    }
}

// --- short replications --------------------------------------------------------------------------

struct table {
    struct results_database database;
    struct results_statement insert;
    char path[64];
};

static void table_open(struct table *t)
{
    struct results_text sql;

    (void)snprintf(t->path, sizeof(t->path), "bench-cluster-%d.db", (int)getpid());
    (void)unlink(t->path);
    bench_require(results_database_open(&t->database, t->path, 0), "the database opens");
    bench_require(results_database_execute(&t->database, "PRAGMA journal_mode = WAL;"
                                                         "PRAGMA synchronous = NORMAL;"
                                                         "PRAGMA cache_size = -65536") == SQLITE_OK,
                  "write-ahead logging");
    results_text_init(&sql);
    results_text_add(&sql, "CREATE TABLE replication(c0 INTEGER");
    for (int i = 1; i < COLUMNS; i++) {
        results_text_format(&sql, ", c%d INTEGER", i);
    }
    results_text_add(&sql, ") STRICT");
    bench_require(results_database_execute_text(&t->database, &sql) == SQLITE_OK, "the table");
    results_statement_init(&t->insert, t->database.connection,
                           "INSERT INTO replication"
                           " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
}

static void table_close(struct table *t, uint64_t rows)
{
    int64_t count = 0;

    bench_require(results_statement_release(&t->insert) == SQLITE_OK, "the rows");
    bench_require(results_database_number(&t->database, "SELECT count(*) FROM replication",
                                          &count) == SQLITE_OK,
                  "the count");
    bench_require((uint64_t)count == rows, "every row is stored");
    results_database_close(&t->database);
    (void)unlink(t->path);
}

static void store_row(struct table *t, const int64_t *row)
{
    for (uint32_t i = 0; i < COLUMNS; i++) {
        results_statement_i64(&t->insert, row[i]);
    }
    results_statement_execute(&t->insert);
}

// Nanoseconds of processor time per replication; t may be NULL: rows are then only made.
static double series(struct cluster *c, enum candidate by, struct table *t, uint32_t count)
{
    int64_t start_ns = bench_cpu_ns();

    for (uint32_t i = 0; i < count; i++) {
        if (t != NULL && i % BATCH == 0) {
            bench_require(results_database_execute(&t->database, i > 0 ? "COMMIT; BEGIN"
                                                                       : "BEGIN") == SQLITE_OK,
                          "a batch");
        }
        replicate(c, by, i);
        if (t != NULL) {
            store_row(t, c->row);
        }
    }
    if (t != NULL) {
        bench_require(results_database_execute(&t->database, "COMMIT") == SQLITE_OK, "commit");
    }
    return (double)(bench_cpu_ns() - start_ns) / count;
}

static void measure_short(uint32_t tasks, uint32_t workers, uint32_t count, uint32_t rounds,
                          bool last)
{
    static struct cluster c[CANDIDATES];
    struct table t;
    double stored[BENCH_ROUNDS_MAX];
    double heap_stored[BENCH_ROUNDS_MAX];
    double alone[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    uint64_t allocations;

    table_open(&t);
    for (int by = 0; by < CANDIDATES; by++) {
        cluster_init(&c[by], tasks, workers);
        replicate(&c[by], (enum candidate)by, 0);
    }
    compare_rows(c);
    allocations = sim_arena_system_allocations(&c[QUEUE].arena);
    for (uint32_t i = 0; i < rounds; i++) {
        stored[i] = series(&c[QUEUE], QUEUE, &t, count);
        heap_stored[i] = series(&c[HEAP], HEAP, &t, count);
        ratios[i] = heap_stored[i] / stored[i];
        alone[i] = series(&c[QUEUE], QUEUE, NULL, count);
    }
    allocations = sim_arena_system_allocations(&c[QUEUE].arena) - allocations;
    table_close(&t, 2 * (uint64_t)rounds * count);
    bench_require(allocations == 0, "no memory is asked for after the first replication");
    printf("  {\"tasks\": %u, \"workers\": %u, \"replications\": %u, "
           "\"replications_per_cpu_s\": %.0f, \"heap_replications_per_cpu_s\": %.0f,\n"
           "   \"times_heap\": %.2f, \"without_storing_per_cpu_s\": %.0f, "
           "\"allocations_after_first\": %llu}%s\n",
           tasks, workers, count, 1e9 / bench_median(stored, rounds),
           1e9 / bench_median(heap_stored, rounds), bench_median(ratios, rounds),
           1e9 / bench_median(alone, rounds), (unsigned long long)allocations, last ? "" : ",");
    for (int by = 0; by < CANDIDATES; by++) {
        sim_arena_release(&c[by].arena);
    }
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    uint32_t rounds = quick ? 3 : 9;

    printf("{\"benchmark\": \"cluster\", \"rounds\": %u,\n", rounds);
    measure_long(quick ? 10000 : 100000, 100, rounds);
    printf(" \"short\": [\n");
    measure_short(100, 20, quick ? 200 : 5000, rounds, false);
    measure_short(1000, 100, quick ? 50 : 1000, rounds, true);
    printf("]}\n");
    return 0;
}
