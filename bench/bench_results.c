// SPDX-License-Identifier: GPL-3.0-or-later
//
// Storing results: rows of 20 integers as plain SQLite takes them through our statements, and whole
// runs as a sweep stores them, with their plan's states, in batches of 1,000 to a transaction. All
// per second of processor time: waiting for the disk, of which write-ahead logging has little, is
// not in it.
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include <inttypes.h>
#include <unistd.h>

#include "models/run.h"
#include "results/database_parts.h"
#include "results/record.h"
#include "results/writer.h"

#define COLUMNS 20
#define BATCH 1000u

static const char scenario_text[] =
    "version: 1\n"
    "name: bench\n"
    "profile: flink-1.20\n"
    "config: {execution.batch.job-recovery.enabled: true}\n"
    "job:\n"
    "  stages:\n"
    "    - {name: scan, parallelism: 500, duration: {lognormal: {median: 10 s, sigma: 0.4}},\n"
    "       source: {splits: 500, split-state: 100 b, batch-snapshot: true}}\n"
    "    - {name: join, parallelism: 500, duration: 10 s,\n"
    "       inputs: [{from: scan, exchange: all-to-all}]}\n"
    "cluster: {workers: 20, slots: 8}\n"
    "faults:\n"
    "  - {at: 60%, kill: master}\n";

static void open_file(struct results_database *database, char path[64])
{
    (void)snprintf(path, 64, "bench-results-%d.db", (int)getpid());
    (void)unlink(path);
    bench_require(results_database_open(database, path, 0), "the database opens");
    bench_require(results_database_execute(database, "PRAGMA journal_mode = WAL;"
                                                     "PRAGMA synchronous = NORMAL;"
                                                     "PRAGMA cache_size = -65536") == SQLITE_OK,
                  "write-ahead logging");
}

static void close_file(struct results_database *database, const char *path)
{
    results_database_close(database);
    (void)unlink(path);
}

// Rows a second, one statement, one transaction, no index.
static double plain_rows(uint32_t rows)
{
    struct results_database database;
    struct results_statement s;
    struct results_text sql;
    char path[64];
    int64_t started;

    open_file(&database, path);
    results_text_init(&sql);
    results_text_add(&sql, "CREATE TABLE plain(c0 INTEGER");
    for (int i = 1; i < COLUMNS; i++) {
        results_text_format(&sql, ", c%d INTEGER", i);
    }
    results_text_add(&sql, ") STRICT");
    bench_require(results_database_execute_text(&database, &sql) == SQLITE_OK, "the table");
    started = bench_cpu_ns();
    bench_require(results_database_execute(&database, "BEGIN") == SQLITE_OK, "begin");
    results_statement_init(&s, database.connection,
                           "INSERT INTO plain VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t i = 0; i < COLUMNS; i++) {
            results_statement_i64(&s, (int64_t)r * 1000 + i);
        }
        results_statement_execute(&s);
    }
    bench_require(results_statement_release(&s) == SQLITE_OK, "the rows");
    bench_require(results_database_execute(&database, "COMMIT") == SQLITE_OK, "commit");
    close_file(&database, path);
    return (double)rows * 1e9 / (double)(bench_cpu_ns() - started);
}

// A record of a job of 1,000 subtasks with one failover, as it comes from a worker.
static void make_record(struct results_text *bytes)
{
    struct scenario scenario;
    struct scenario_overrides overrides = {0};
    struct sim_arena arena;
    struct model_result result = {0};
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};
    struct scenario_verdict verdict;
    int64_t faultless_ns = -1;

    sim_arena_init(&arena, 0);
    bench_require(scenario_parse(&scenario, "bench.yaml", scenario_text, sizeof(scenario_text) - 1,
                                 &overrides) == SCENARIO_OK,
                  "the scenario loads");
    bench_require(model_run_pair(&scenario.config, &options, &arena, &result, &faultless_ns) == 0,
                  "the run");
    bench_require(scenario_evaluate(&scenario, &result, faultless_ns, &verdict) == SCENARIO_OK,
                  "the verdict");
    struct results_run run = {.scenario = &scenario,
                              .result = &result,
                              .verdict = &verdict,
                              .faultless_known = true,
                              .faultless_makespan_ns = faultless_ns,
                              .invariants_on = true,
                              .version = "bench"};

    results_text_init(bytes);
    results_record_write(&run, bytes);
    scenario_verdict_release(&verdict);
    model_result_release(&result);
    sim_arena_release(&arena);
    scenario_release(&scenario);
}

static void store_one(struct results_database *database, struct results_writer *writer,
                      struct results_statement mark[2], const struct results_text *bytes,
                      uint32_t number)
{
    static const struct results_execution execution = {"2025-01-31T12:34:56Z", 1, 1};
    struct results_record record;
    char key[RESULTS_KEY_SIZE];
    // As keys do, they arrive in no order.
    struct results_place place = {key, 1, number, number};

    (void)snprintf(key, sizeof(key), "%08" PRIx32 "%024" PRIu32, number * UINT32_C(2654435761),
                   number);
    if (number % BATCH == 0) {
        bench_require(results_database_execute(database, number > 0 ? "COMMIT; BEGIN" : "BEGIN") ==
                          SQLITE_OK,
                      "a batch");
    }
    for (uint32_t i = 0; i < 2; i++) {
        results_statement_i64(&mark[i], number + 1);
        results_statement_execute(&mark[i]);
    }
    bench_require(results_record_read(&record, bytes->data, bytes->size), "the record");
    bench_require(results_writer_add(writer, &record, &place, &execution) == SQLITE_OK, "a run");
    results_record_release(&record);
}

// Runs a second as a sweep stores them; `rows`: of all tables for one run.
static double whole_runs(const struct results_text *bytes, uint32_t runs, double *rows)
{
    struct results_database database;
    struct results_writer writer;
    struct results_statement mark[2];
    struct results_text sql;
    char path[64];
    int64_t count = 0;
    int64_t started;

    open_file(&database, path);
    results_text_init(&sql);
    results_text_format(&sql,
                        "INSERT INTO sweep VALUES(1, '', 'sweep', '', '', '');"
                        "INSERT INTO point(id, point_key, sweep_id, label, profile, scenario)"
                        " VALUES(1, '', 1, '', '', '');"
                        "WITH RECURSIVE r(n) AS (VALUES(0) UNION ALL SELECT n + 1 FROM r WHERE"
                        " n + 1 < %" PRIu32 ") INSERT INTO plan(run_key, point_id, replication,"
                        " seed, state) SELECT printf('%%032d', n), 1, n, n, 'planned' FROM r",
                        runs);
    bench_require(results_database_execute_text(&database, &sql) == SQLITE_OK, "the plan");
    bench_require(results_writer_init(&writer, &database, "bench") == SQLITE_OK, "the writer");
    results_statement_init(&mark[0], database.connection,
                           "UPDATE plan SET state = 'running', attempts = attempts + 1"
                           " WHERE id = ?");
    results_statement_init(&mark[1], database.connection,
                           "UPDATE plan SET state = 'done' WHERE id = ?");
    started = bench_cpu_ns();
    for (uint32_t i = 0; i < runs; i++) {
        store_one(&database, &writer, mark, bytes, i);
    }
    bench_require(results_database_execute(&database, "COMMIT") == SQLITE_OK, "commit");
    started = bench_cpu_ns() - started;
    bench_require(results_database_number(&database,
                                          "SELECT (SELECT count(*) FROM run) + (SELECT count(*)"
                                          " FROM lost_work) + (SELECT count(*) FROM failover) +"
                                          " (SELECT count(*) FROM finding) + (SELECT count(*)"
                                          " FROM execution)",
                                          &count) == SQLITE_OK,
                  "the count");
    *rows = (double)count / runs;
    (void)results_statement_release(&mark[0]);
    (void)results_statement_release(&mark[1]);
    bench_require(results_writer_release(&writer) == SQLITE_OK, "the writer ends");
    close_file(&database, path);
    return (double)runs * 1e9 / (double)started;
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    uint32_t rounds = quick ? 1 : 9;
    double plain[BENCH_ROUNDS_MAX];
    double stored[BENCH_ROUNDS_MAX];
    struct results_text bytes;
    double rows = 0;

    make_record(&bytes);
    for (uint32_t i = 0; i < rounds; i++) {
        plain[i] = plain_rows(quick ? 20000 : 500000);
        stored[i] = whole_runs(&bytes, quick ? 1000 : 20000, &rows);
    }
    printf("{\"bench\":\"results\",\"rounds\":%" PRIu32 ",\"plain_rows_per_cpu_s\":%.0f,"
           "\"runs_per_cpu_s\":%.0f,\"rows_per_run\":%.0f,\"us_per_run\":%.2f}\n",
           rounds, bench_median(plain, rounds), bench_median(stored, rounds), rows,
           1e6 / bench_median(stored, rounds));
    results_text_release(&bytes);
    return 0;
}
