// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/schema.h"

#include "results/columns.h"
#include "results/database.h"

static void schema_origin(struct results_text *sql)
{
    results_text_add(
        sql, "CREATE TABLE sweep("
             "  id INTEGER PRIMARY KEY, sweep_key TEXT NOT NULL UNIQUE,"
             "  kind TEXT NOT NULL CHECK(kind IN ('run', 'sweep')),"
             "  name TEXT NOT NULL, about TEXT NOT NULL, definition TEXT NOT NULL) STRICT;\n"
             "CREATE TABLE point("
             "  id INTEGER PRIMARY KEY, point_key TEXT NOT NULL UNIQUE,"
             "  sweep_id INTEGER NOT NULL REFERENCES sweep(id),"
             "  label TEXT NOT NULL, profile TEXT NOT NULL, scenario TEXT NOT NULL,"
             "  n INTEGER NOT NULL DEFAULT 0, command TEXT NOT NULL DEFAULT '') STRICT;\n"
             "CREATE INDEX point_sweep ON point(sweep_id);\n"
             "CREATE TABLE build("
             "  id INTEGER PRIMARY KEY, build_key TEXT NOT NULL UNIQUE,"
             "  recoup TEXT NOT NULL, compiler TEXT NOT NULL, target TEXT NOT NULL,"
             "  optimized INTEGER NOT NULL, sqlite TEXT NOT NULL, xxhash TEXT NOT NULL,"
             "  gsl TEXT NOT NULL) STRICT;\n");
}

void results_schema_sweep(struct results_text *sql)
{
    results_text_add(
        sql, "CREATE TABLE info(schema INTEGER NOT NULL, recoup TEXT NOT NULL,"
             "  about TEXT NOT NULL) STRICT;\n"
             "CREATE TABLE axis("
             "  id INTEGER PRIMARY KEY, sweep_id INTEGER NOT NULL REFERENCES sweep(id),"
             "  n INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,"
             "  kind TEXT NOT NULL CHECK(kind IN ('text', 'ns', 'bytes', 'count', 'nano')),"
             "  unit TEXT NOT NULL, UNIQUE(sweep_id, n)) STRICT;\n"
             "CREATE TABLE axis_value("
             "  point_id INTEGER NOT NULL REFERENCES point(id),"
             "  axis_id INTEGER NOT NULL REFERENCES axis(id),"
             "  text TEXT NOT NULL, value INTEGER, PRIMARY KEY(point_id, axis_id))"
             "  STRICT, WITHOUT ROWID;\n"
             "CREATE TABLE plan("
             "  id INTEGER PRIMARY KEY, run_key TEXT NOT NULL UNIQUE,"
             "  point_id INTEGER NOT NULL REFERENCES point(id),"
             "  replication INTEGER NOT NULL CHECK(replication >= 0),"
             "  seed INTEGER NOT NULL CHECK(seed >= 0),"
             "  state TEXT NOT NULL CHECK(state IN ('planned', 'running', 'done', 'finding',"
             "    'crashed', 'timeout', 'skipped', 'differs')),"
             "  attempts INTEGER NOT NULL DEFAULT 0, signal INTEGER,"
             "  repeated INTEGER NOT NULL DEFAULT 0 CHECK(repeated IN (0, 1)),"
             "  message TEXT NOT NULL DEFAULT '', UNIQUE(point_id, replication)) STRICT;\n");
    results_text_format(sql,
                        "INSERT INTO info VALUES(%d, '" RECOUP_VERSION
                        "', 'Results of recoup; docs/results.md tells what stands where.');\n",
                        RESULTS_DATABASE_VERSION);
}

static void schema_run(struct results_text *sql)
{
    results_text_add(
        sql, "CREATE TABLE run("
             "  id INTEGER PRIMARY KEY, run_key TEXT NOT NULL UNIQUE,"
             "  point_id INTEGER NOT NULL REFERENCES point(id),"
             "  replication INTEGER NOT NULL CHECK(replication >= 0),"
             "  seed INTEGER NOT NULL CHECK(seed >= 0),"
             "  state TEXT NOT NULL CHECK(state IN ('FINISHED', 'FAILED', 'SUSPENDED', 'TIMEOUT')),"
             "  fingerprint TEXT NOT NULL,"
             "  schema INTEGER NOT NULL, recoup TEXT NOT NULL, scenario TEXT NOT NULL,"
             "  profile TEXT NOT NULL, invariants INTEGER NOT NULL CHECK(invariants IN (0, 1)),"
             "  expectations_met INTEGER NOT NULL CHECK(expectations_met IN (0, 1)),"
             "  findings_total INTEGER NOT NULL");
    for (int layer = 1; layer <= 6; layer++) {
        results_text_format(sql, ", fingerprint_layers_F%d TEXT NOT NULL", layer);
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        const struct results_column *column = results_column(i);

        results_text_format(sql, ", %s INTEGER%s", column->name,
                            column->nullable ? "" : " NOT NULL");
    }
    results_text_add(sql, ", job_state TEXT GENERATED ALWAYS AS (state) VIRTUAL) STRICT;\n"
                          "CREATE INDEX run_point ON run(point_id);\n");
}

static void schema_details(struct results_text *sql)
{
    results_text_add(
        sql,
        "CREATE TABLE lost_work("
        "  run_id INTEGER NOT NULL REFERENCES run(id),"
        "  stage TEXT NOT NULL, cause TEXT NOT NULL, ns INTEGER NOT NULL,"
        "  attempts INTEGER NOT NULL, PRIMARY KEY(run_id, stage, cause)) STRICT, WITHOUT ROWID;\n"
        "CREATE TABLE failover("
        "  run_id INTEGER NOT NULL REFERENCES run(id), n INTEGER NOT NULL,"
        "  at_ns INTEGER NOT NULL, outage_ns INTEGER NOT NULL");
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        results_text_format(sql, ", %s_ns INTEGER NOT NULL", model_phase_name((enum model_phase)p));
    }
    results_text_add(
        sql,
        ", result TEXT NOT NULL CHECK(result IN ('recovered', 'restarted', 'failed')),"
        "  events_replayed INTEGER NOT NULL, finished_recovered INTEGER NOT NULL,"
        "  finished_forgotten INTEGER NOT NULL, PRIMARY KEY(run_id, n)) STRICT, WITHOUT ROWID;\n"
        "CREATE TABLE finding("
        "  run_id INTEGER NOT NULL REFERENCES run(id), n INTEGER NOT NULL,"
        "  invariant TEXT NOT NULL, hazard TEXT, at_ns INTEGER NOT NULL,"
        "  event INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY(run_id, n))"
        "  STRICT, WITHOUT ROWID;\n"
        "CREATE TABLE execution("
        "  run_id INTEGER PRIMARY KEY REFERENCES run(id),"
        "  build_id INTEGER NOT NULL REFERENCES build(id),"
        "  started_at TEXT NOT NULL, wall_ns INTEGER NOT NULL, process INTEGER NOT NULL,"
        "  memory_bytes INTEGER NOT NULL, system_allocations INTEGER NOT NULL) STRICT;\n");
}

static void schema_metrics(struct results_text *sql)
{
    results_text_add(sql, "CREATE TABLE metric("
                          "  name TEXT PRIMARY KEY, column_name TEXT, unit TEXT NOT NULL,"
                          "  better TEXT NOT NULL CHECK(better IN ('lower', 'higher', '')),"
                          "  definition TEXT NOT NULL) STRICT, WITHOUT ROWID;\n");
}

// Derived from the runs, so that a migration drops and computes it anew.
void results_schema_summary(struct results_text *sql)
{
    results_text_add(
        sql,
        "CREATE TABLE summary("
        "  point_id INTEGER NOT NULL REFERENCES point(id),"
        "  metric TEXT NOT NULL REFERENCES metric(name),"
        "  given TEXT NOT NULL CHECK(given IN ('all', 'failover')), n INTEGER NOT NULL,"
        "  kind TEXT NOT NULL CHECK(kind IN ('finite', 'censored')),"
        "  mean REAL NOT NULL, sd REAL, low_95 REAL, high_95 REAL, p50 REAL NOT NULL,"
        "  p95 REAL NOT NULL, p99 REAL NOT NULL, min INTEGER NOT NULL, max INTEGER NOT NULL,"
        "  warnings TEXT NOT NULL, PRIMARY KEY(point_id, metric, given)) STRICT, WITHOUT ROWID;\n");
}

void results_schema_views(struct results_text *sql, const char *columns, const char *names)
{
    results_text_format(
        sql,
        "CREATE VIEW v_point AS"
        "  SELECT point.id AS point_id, sweep.name AS sweep, point.label AS point, point.profile%s"
        "  FROM point JOIN sweep ON sweep.id = point.sweep_id;\n"
        "CREATE VIEW v_run AS"
        "  SELECT v_point.sweep, v_point.point%s, run.*"
        "  FROM run JOIN v_point ON v_point.point_id = run.point_id;\n"
        "CREATE VIEW v_summary_failover AS"
        "  SELECT v_point.sweep, v_point.point, v_point.profile%s, summary.*, metric.unit,"
        "    metric.better"
        "  FROM summary JOIN v_point ON v_point.point_id = summary.point_id"
        "  JOIN metric ON metric.name = summary.metric WHERE summary.given = 'failover';\n"
        "CREATE VIEW v_summary AS"
        "  SELECT v_point.sweep, v_point.point, v_point.profile%s, summary.*, metric.unit,"
        "    metric.better"
        "  FROM summary JOIN v_point ON v_point.point_id = summary.point_id"
        "  JOIN metric ON metric.name = summary.metric WHERE summary.given = 'all';\n",
        columns, names, names, names);
    results_text_add(
        sql, "CREATE VIEW v_pareto AS"
             "  WITH mean AS (SELECT point.sweep_id, run.point_id, count(*) AS n,"
             "      avg(run.job_lost_work_ns) AS lost_work_ns,"
             "      avg(run.io_event_store_bytes) AS event_store_bytes"
             "    FROM run JOIN point ON point.id = run.point_id"
             "    GROUP BY point.sweep_id, run.point_id)"
             "  SELECT v_point.sweep, v_point.point, mean.point_id, mean.n, mean.lost_work_ns,"
             "    mean.event_store_bytes"
             "  FROM mean JOIN v_point ON v_point.point_id = mean.point_id"
             "  WHERE NOT EXISTS (SELECT 1 FROM mean AS other"
             "    WHERE other.sweep_id = mean.sweep_id"
             "      AND other.lost_work_ns <= mean.lost_work_ns"
             "      AND other.event_store_bytes <= mean.event_store_bytes"
             "      AND (other.lost_work_ns < mean.lost_work_ns"
             "        OR other.event_store_bytes < mean.event_store_bytes));\n");
}

void results_schema(struct results_text *sql)
{
    results_text_format(sql, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n",
                        RESULTS_DATABASE_APPLICATION_ID, RESULTS_DATABASE_VERSION);
    schema_origin(sql);
    results_schema_sweep(sql);
    schema_run(sql);
    schema_details(sql);
    schema_metrics(sql);
    results_schema_summary(sql);
}
