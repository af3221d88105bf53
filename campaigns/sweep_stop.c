// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sequential stopping, `replications: {until: ...}`: when all runs of a point have ended, whether
// its interval is narrow enough. Only whole batches are looked at, so the answer depends neither on
// the number of workers nor on interruptions.
#include <stdlib.h>
#include <string.h>

#include "campaigns/sweep_parts.h"
#include "results/stopping.h"

static void query(const struct scenario_metric *metric, struct results_text *sql)
{
    const char *cause = strchr(metric->name, '.');

    if (metric->column != NULL) {
        results_text_format(sql, "SELECT %s FROM run WHERE point_id = ?1 AND %s IS NOT NULL",
                            metric->column, metric->column);
    } else {
        results_text_format(sql,
                            "SELECT coalesce((SELECT sum(ns) FROM lost_work WHERE run_id = run.id"
                            " AND cause = '%s'), 0) FROM run WHERE point_id = ?1",
                            cause != NULL ? cause + 1 : "");
    }
    results_text_add(sql, " ORDER BY replication");
}

// The metric of all runs of a point that have a result, by replication. Returns a SQLite code.
static int read_values(struct sweep_campaign *campaign, uint32_t point, int64_t *values,
                       size_t most, size_t *n)
{
    struct results_statement s;
    struct results_text sql;

    results_text_init(&sql);
    query(campaign->sweep->replications.metric, &sql);
    results_statement_init(&s, campaign->database.connection, results_text_string(&sql));
    results_statement_i64(&s, campaign->plan.point_ids[point]);
    *n = 0;
    while (*n < most && results_statement_row(&s)) {
        values[(*n)++] = sqlite3_column_int64(s.statement, 0);
    }
    results_text_release(&sql);
    return results_statement_release(&s);
}

static uint32_t wanted_runs(const struct scenario_replications *r, const int64_t *values, size_t n,
                            uint32_t planned)
{
    struct results_stop_rule rule = {.half_width = (double)r->half_width * (r->relative ? 1e-9 : 1),
                                     .absolute = !r->relative,
                                     .confidence = (double)r->confidence_nano * 1e-9,
                                     .at_least = r->at_least,
                                     .at_most = r->at_most,
                                     .batch = r->batch};
    struct results_stop_state state;
    uint64_t more;

    results_stop_decide(&rule, values, n, &state);
    if (state.stop != RESULTS_STOP_GO_ON || state.runs <= n) {
        return planned;
    }
    // Runs without a result leave fewer values than rows.
    more = state.runs - n;
    return more > r->at_most - planned ? r->at_most : planned + (uint32_t)more;
}

static bool extend(struct sweep_campaign *campaign, uint32_t index, uint32_t to)
{
    struct sweep_point_runs *point = &campaign->points[index];
    uint32_t from = point->n;
    int code = results_plan_add(&campaign->plan, &campaign->database, index, from, to);

    if (code != SQLITE_OK) {
        return sweep_failed(campaign, code);
    }
    if (!sweep_queue_read_point(campaign, index, from)) {
        return false;
    }
    for (uint32_t r = from; r < point->n; r++) {
        if (point->runs[r].wanted && !sweep_queue_add(campaign, index, r)) {
            return false;
        }
    }
    return true;
}

bool sweep_stop_decide(struct sweep_campaign *campaign, uint32_t index)
{
    const struct scenario_replications *r = &campaign->sweep->replications;
    uint32_t planned = campaign->points[index].n;
    int64_t *values;
    uint32_t wanted = planned;
    size_t n;
    int code;

    if (!r->until || planned == 0 || planned >= r->at_most) {
        return true;
    }
    values = malloc((size_t)planned * sizeof(*values));
    if (values == NULL) {
        return sweep_failed(campaign, SQLITE_NOMEM);
    }
    code = read_values(campaign, index, values, planned, &n);
    if (code == SQLITE_OK) {
        wanted = wanted_runs(r, values, n, planned);
    }
    free(values);
    if (code != SQLITE_OK) {
        return sweep_failed(campaign, code);
    }
    return wanted == planned || extend(campaign, index, wanted);
}
