// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statistics of the runs of a point, per metric (table `summary`), by GSL. They are derived from
// the integers of table `run` and are no part of any content hash.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "results/columns.h"
#include "results/database_parts.h"
#include "results/statement.h"
#include "scenarios/metrics.h"

#define SUMMARY_RUNS_MAX ((size_t)1 << 24)

struct sample {
    double *values;
    size_t count;
    size_t capacity;
    int64_t min;
    int64_t max;
};

static int sample_add(struct sample *sample, int64_t value)
{
    if (sample->count == sample->capacity) {
        size_t capacity = sample->capacity == 0 ? 64 : sample->capacity * 2;
        double *values = capacity > SUMMARY_RUNS_MAX
                             ? NULL
                             : realloc(sample->values, capacity * sizeof(*values));

        if (values == NULL) {
            return SQLITE_NOMEM;
        }
        sample->values = values;
        sample->capacity = capacity;
    }
    sample->min = sample->count == 0 || value < sample->min ? value : sample->min;
    sample->max = sample->count == 0 || value > sample->max ? value : sample->max;
    sample->values[sample->count++] = (double)value;
    return SQLITE_OK;
}

static bool column_exists(const char *name)
{
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        if (strcmp(results_column(i)->name, name) == 0) {
            return true;
        }
    }
    return false;
}

// A metric is a column of `run`, or the lost work of one cause.
static void metric_query(const struct scenario_metric *metric, struct results_text *sql)
{
    const char *cause = strchr(metric->name, '.');

    if (metric->column != NULL && column_exists(metric->column)) {
        results_text_format(sql, "SELECT %s FROM run WHERE point_id = ?1 AND %s IS NOT NULL",
                            metric->column, metric->column);
    } else if (cause != NULL) {
        results_text_format(sql,
                            "SELECT coalesce((SELECT sum(ns) FROM lost_work WHERE"
                            " run_id = run.id AND cause = '%s'), 0) FROM run"
                            " WHERE point_id = ?1",
                            cause + 1);
    }
}

static int sample_read(struct results_database *database, const struct scenario_metric *metric,
                       int64_t point, struct sample *sample)
{
    struct results_statement s;
    struct results_text sql;
    int code = SQLITE_OK;

    results_text_init(&sql);
    metric_query(metric, &sql);
    sample->count = 0;
    if (sql.size == 0) {
        results_text_release(&sql);
        return SQLITE_OK;
    }
    results_statement_init(&s, database->connection, results_text_string(&sql));
    results_statement_i64(&s, point);
    while (code == SQLITE_OK && results_statement_row(&s)) {
        code = sample_add(sample, sqlite3_column_int64(s.statement, 0));
    }
    results_text_release(&sql);
    s.code = s.code == SQLITE_OK ? code : s.code;
    return results_statement_release(&s);
}

// mean, sd, and the 95 % interval of the mean by Student's t; one run has no spread.
static void bind_moments(struct results_statement *s, const struct sample *sample)
{
    double mean = gsl_stats_mean(sample->values, 1, sample->count);
    double sd;
    double half;

    results_statement_real(s, mean);
    if (sample->count < 2) {
        results_statement_null(s);
        results_statement_null(s);
        results_statement_null(s);
        return;
    }
    sd = gsl_stats_sd_m(sample->values, 1, sample->count, mean);
    half =
        gsl_cdf_tdist_Pinv(0.975, (double)(sample->count - 1)) * sd / sqrt((double)sample->count);
    results_statement_real(s, sd);
    results_statement_real(s, mean - half);
    results_statement_real(s, mean + half);
}

static void insert_summary(struct results_statement *s, int64_t point, const char *metric,
                           struct sample *sample)
{
    static const double shares[] = {0.5, 0.95, 0.99};

    results_statement_i64(s, point);
    results_statement_text(s, metric);
    results_statement_u64(s, sample->count);
    bind_moments(s, sample);
    gsl_sort(sample->values, 1, sample->count);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        results_statement_real(
            s, gsl_stats_quantile_from_sorted_data(sample->values, 1, sample->count, shares[i]));
    }
    results_statement_i64(s, sample->min);
    results_statement_i64(s, sample->max);
    results_statement_execute(s);
}

int results_database_summarize(struct results_database *database, int64_t point)
{
    struct sample sample = {NULL, 0, 0, 0, 0};
    struct results_statement insert;
    int code = SQLITE_OK;
    int released;

    results_statement_init(&insert, database->connection,
                           "INSERT OR REPLACE INTO summary"
                           " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (uint32_t i = 0; code == SQLITE_OK && i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);

        code = sample_read(database, metric, point, &sample);
        if (code == SQLITE_OK && sample.count > 0) {
            insert_summary(&insert, point, metric->name, &sample);
        }
    }
    free(sample.values);
    released = results_statement_release(&insert);
    return code != SQLITE_OK ? code : released;
}
