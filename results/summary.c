// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statistics of the runs of a point, per metric (table `summary`), by GSL: over all runs, and over
// those alone that a failure of a master hit. They are derived from the integers of tables `run`
// and `lost_work` and are no part of any content hash. The runs are read once, into a matrix.

#include <stdlib.h>
#include <string.h>

#include "results/columns.h"
#include "results/database_parts.h"
#include "results/statement.h"
#include "results/statistics.h"
#include "results/warnings.h"
#include "scenarios/metrics.h"
#include "sim/assert.h"

#define SUMMARY_RUNS_MAX ((size_t)1 << 24)

struct matrix {
    uint32_t n_metrics;
    size_t n_runs;
    size_t capacity;
    int64_t *values; // [run * n_metrics + metric]
    bool *known;     // the same
    int64_t *ids;    // per run, ascending
    bool *failed_over;
    bool *censored;
    int64_t *picked; // one metric of some runs
};

static bool grow_array(void **array, size_t count, size_t size)
{
    void *grown = count > SIZE_MAX / size ? NULL : realloc(*array, count * size);

    if (grown == NULL) {
        return false;
    }
    *array = grown;
    return true;
}

static bool matrix_grow(struct matrix *m)
{
    size_t capacity = m->capacity == 0 ? 64 : m->capacity * 2;

    if (m->n_runs < m->capacity) {
        return true;
    }
    if (capacity > SUMMARY_RUNS_MAX ||
        !grow_array((void **)&m->values, capacity, m->n_metrics * sizeof(*m->values)) ||
        !grow_array((void **)&m->known, capacity, m->n_metrics * sizeof(*m->known)) ||
        !grow_array((void **)&m->ids, capacity, sizeof(*m->ids)) ||
        !grow_array((void **)&m->failed_over, capacity, sizeof(*m->failed_over)) ||
        !grow_array((void **)&m->censored, capacity, sizeof(*m->censored)) ||
        !grow_array((void **)&m->picked, capacity, sizeof(*m->picked))) {
        return false;
    }
    m->capacity = capacity;
    return true;
}

static void matrix_release(struct matrix *m)
{
    free(m->values);
    free(m->known);
    free(m->ids);
    free(m->failed_over);
    free(m->censored);
    free(m->picked);
}

static bool is_column(const struct scenario_metric *metric)
{
    for (uint32_t i = 0; metric->column != NULL && i < RESULTS_COLUMN_COUNT; i++) {
        if (strcmp(results_column(i)->name, metric->column) == 0) {
            return true;
        }
    }
    return false;
}

// Columns come from table `run`; a metric that is none stands there as NULL.
static void runs_query(struct results_text *sql)
{
    results_text_add(sql, "SELECT id, job_failovers > 0, state = 'TIMEOUT'");
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);

        results_text_format(sql, ", %s", is_column(metric) ? metric->column : "NULL");
    }
    results_text_add(sql, " FROM run WHERE point_id = ?1 ORDER BY id");
}

static bool add_run(struct matrix *m, sqlite3_stmt *row)
{
    int64_t *values;
    bool *known;

    if (!matrix_grow(m)) {
        return false;
    }
    values = &m->values[m->n_runs * m->n_metrics];
    known = &m->known[m->n_runs * m->n_metrics];
    m->ids[m->n_runs] = sqlite3_column_int64(row, 0);
    m->failed_over[m->n_runs] = sqlite3_column_int(row, 1) != 0;
    m->censored[m->n_runs] = sqlite3_column_int(row, 2) != 0;
    for (uint32_t i = 0; i < m->n_metrics; i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        int column = 3 + (int)i;

        // A cause that did not occur has no row: its lost work is 0.
        known[i] =
            sqlite3_column_type(row, column) != SQLITE_NULL || strchr(metric->name, '.') != NULL;
        values[i] = sqlite3_column_int64(row, column);
    }
    m->n_runs++;
    return true;
}

static int read_runs(struct results_database *database, int64_t point, struct matrix *m)
{
    struct results_statement s;
    struct results_text sql;
    int code = SQLITE_OK;

    results_text_init(&sql);
    runs_query(&sql);
    if (sql.failed) {
        results_text_release(&sql);
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, database->connection, results_text_string(&sql));
    results_text_release(&sql);
    results_statement_i64(&s, point);
    while (code == SQLITE_OK && results_statement_row(&s)) {
        code = add_run(m, s.statement) ? SQLITE_OK : SQLITE_NOMEM;
    }
    s.code = s.code == SQLITE_OK ? code : s.code;
    return results_statement_release(&s);
}

static void add_cause(struct matrix *m, size_t run, const char *cause, int64_t ns)
{
    for (uint32_t i = 0; cause != NULL && i < m->n_metrics; i++) {
        const char *name = strchr(scenario_metric_at(i)->name, '.');

        if (name != NULL && strcmp(name + 1, cause) == 0) {
            m->values[run * m->n_metrics + i] += ns;
            return;
        }
    }
}

// Both queries are in the order of the runs' ids, so one walk over both finds each run.
static int read_causes(struct results_database *database, int64_t point, struct matrix *m)
{
    struct results_statement s;
    size_t run = 0;

    results_statement_init(&s, database->connection,
                           "SELECT run_id, cause, ns FROM lost_work WHERE run_id IN"
                           " (SELECT id FROM run WHERE point_id = ?1) ORDER BY run_id");
    results_statement_i64(&s, point);
    while (results_statement_row(&s)) {
        int64_t id = sqlite3_column_int64(s.statement, 0);

        while (run < m->n_runs && m->ids[run] < id) {
            run++;
        }
        if (run < m->n_runs && m->ids[run] == id) {
            add_cause(m, run, (const char *)sqlite3_column_text(s.statement, 1),
                      sqlite3_column_int64(s.statement, 2));
        }
    }
    return results_statement_release(&s);
}

static void bind_known(struct results_statement *s, double value)
{
    if (isnan(value)) {
        results_statement_null(s);
    } else {
        results_statement_real(s, value);
    }
}

static void bind_statistics(struct results_statement *s, const struct results_sample *sample)
{
    static const double shares[] = {0.5, 0.95, 0.99};
    struct results_moments moments;
    struct results_interval interval;

    results_sample_moments(sample, &moments);
    results_sample_mean_interval(sample, RESULTS_CONFIDENCE, &interval);
    results_statement_real(s, moments.mean);
    bind_known(s, moments.sd);
    bind_known(s, interval.low);
    bind_known(s, interval.high);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        results_statement_real(s, results_sample_quantile(sample, shares[i]));
    }
    results_statement_i64(s, sample->min);
    results_statement_i64(s, sample->max);
}

static void bind_warnings(struct results_statement *s, unsigned warnings)
{
    struct results_text text;

    results_text_init(&text);
    results_warnings_add(&text, warnings);
    results_statement_text(s, results_text_string(&text));
    results_text_release(&text);
}

// One row: a metric over all runs, or over those alone that had a failover.
static bool insert_row(struct results_statement *s, struct matrix *m, int64_t point,
                       uint32_t metric, bool failover)
{
    struct results_sample sample;
    size_t n = 0;
    unsigned warnings = RESULTS_WARNING_NO_FAILURE; // until one is seen
    bool censored = false;

    for (size_t run = 0; run < m->n_runs; run++) {
        size_t cell = run * m->n_metrics + metric;

        if (!m->known[cell] || (failover && !m->failed_over[run])) {
            continue;
        }
        m->picked[n++] = m->values[cell];
        censored = censored || m->censored[run];
        warnings &= m->failed_over[run] ? 0 : RESULTS_WARNING_NO_FAILURE;
    }
    if (n == 0) {
        return true;
    }
    if (!results_sample_init(&sample, m->picked, n)) {
        results_sample_release(&sample);
        return false;
    }
    warnings |= results_sample_warnings(&sample) | (censored ? RESULTS_WARNING_CENSORED : 0);
    results_statement_i64(s, point);
    results_statement_text(s, scenario_metric_at(metric)->name);
    results_statement_text(s, failover ? "failover" : "all");
    results_statement_u64(s, n);
    results_statement_text(s, censored ? "censored" : "finite");
    bind_statistics(s, &sample);
    bind_warnings(s, warnings);
    results_statement_execute(s);
    results_sample_release(&sample);
    return true;
}

static int insert_rows(struct results_database *database, int64_t point, struct matrix *m)
{
    struct results_statement s;
    int code = SQLITE_OK;
    int released;

    results_statement_init(&s, database->connection,
                           "INSERT INTO summary VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                           " ?)");
    for (uint32_t i = 0; code == SQLITE_OK && i < m->n_metrics; i++) {
        if (!insert_row(&s, m, point, i, false) || !insert_row(&s, m, point, i, true)) {
            code = SQLITE_NOMEM;
        }
    }
    released = results_statement_release(&s);
    return code != SQLITE_OK ? code : released;
}

static int remove_rows(struct results_database *database, int64_t point)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, "DELETE FROM summary WHERE point_id = ?");
    results_statement_i64(&s, point);
    results_statement_execute(&s);
    return results_statement_release(&s);
}

int results_database_summarize(struct results_database *database, int64_t point)
{
    struct matrix m;
    int code;

    memset(&m, 0, sizeof(m));
    m.n_metrics = scenario_metric_count();
    code = remove_rows(database, point);
    if (code == SQLITE_OK) {
        code = read_runs(database, point, &m);
    }
    if (code == SQLITE_OK) {
        code = read_causes(database, point, &m);
    }
    if (code == SQLITE_OK) {
        code = insert_rows(database, point, &m);
    }
    matrix_release(&m);
    return code;
}
