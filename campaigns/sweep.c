// SPDX-License-Identifier: GPL-3.0-or-later
#include "campaigns/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaigns/sweep_parts.h"
#include "results/database_parts.h"

// --- what the pool asks for ----------------------------------------------------------------------

static bool next_item(void *context, uint64_t *item)
{
    struct sweep_campaign *campaign = context;

    return !campaign->outcome->failed && sweep_queue_next(campaign, item) &&
           sweep_record_running(campaign, *item);
}

static bool end_item(void *context, uint64_t item, const struct campaign_outcome *outcome)
{
    struct sweep_campaign *campaign = context;

    return !campaign->outcome->failed && sweep_record_end(campaign, item, outcome);
}

static void tick(void *context, int64_t now_ns)
{
    struct sweep_campaign *campaign = context;

    // What has ended is not kept waiting by a run that takes long. An error here is met again.
    (void)(campaign->outcome->failed || sweep_record_commit_due(campaign));
    sweep_progress_say(campaign, now_ns, false);
}

static bool drain(void *context)
{
    const struct sweep_campaign *campaign = context;

    return campaign->outcome->failed ||
           (campaign->options->interrupted != NULL &&
            campaign->options->interrupted(campaign->options->context));
}

static void said(void *context, uint64_t process, const char *text)
{
    sweep_remark(context, "worker %" PRIu64 " said: %s", process, text);
}

static bool work_off(struct sweep_campaign *campaign)
{
    struct campaign_pool_options options = {.item_wall_ns = campaign->sweep->wall_time_ns};
    struct campaign_tasks tasks = {.context = campaign,
                                   .start = sweep_work_start,
                                   .work = sweep_work_run,
                                   .end = sweep_work_end,
                                   .next = next_item,
                                   .done = end_item,
                                   .tick = tick,
                                   .drain = drain,
                                   .said = said};
    char message[512];
    enum campaign_result result;

    if (campaign->exhausted > 0) {
        sweep_remark(campaign, "%" PRIu64 " runs have been tried %u times and are left alone",
                     campaign->exhausted, CAMPAIGN_ATTEMPTS_MAX);
    }
    sweep_work_workers(campaign, campaign->options->workers);
    options.workers = campaign->workers;
    campaign->started_ns = campaign->said_ns = campaign_clock_ns();
    result = campaign_pool_run(&options, &tasks, message, sizeof(message));
    if (result == CAMPAIGN_OUTSIDE) {
        campaign->outcome->failed = true;
        results_text_add(&campaign->outcome->message, message);
    } else if (message[0] != '\0') {
        sweep_remark(campaign, "%s", message);
    }
    campaign->outcome->drained = result == CAMPAIGN_DRAINED;
    if (campaign->ended > 0) {
        sweep_progress_say(campaign, campaign_clock_ns(), true);
    }
    return !campaign->outcome->failed;
}

// --- before and after ----------------------------------------------------------------------------

static bool execute(struct sweep_campaign *campaign, const char *sql)
{
    int code = results_database_execute(&campaign->database, sql);

    return code == SQLITE_OK ? true : sweep_failed(campaign, code);
}

static bool open_database(struct sweep_campaign *campaign)
{
    if (!sweep_lock(campaign)) {
        campaign->outcome->failed = true;
        return false;
    }
    if (!results_database_open(&campaign->database, campaign->options->database,
                               RESULTS_DATABASE_WAIT_MS)) {
        return sweep_failed_with(campaign, results_text_string(&campaign->database.message));
    }
    // Write-ahead logging needs memory shared between processes, which a network does not give.
    return execute(campaign, campaign->network
                                 ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE"
                                 : "PRAGMA journal_mode = WAL") &&
           execute(campaign, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
                             "PRAGMA wal_autocheckpoint = 4000");
}

static bool write_plan(struct sweep_campaign *campaign)
{
    struct results_plan_options options = {campaign->options->version, campaign->options->shard,
                                           campaign->options->shards};

    if (results_plan_write(&campaign->plan, &campaign->database, campaign->sweep, &options)) {
        return true;
    }
    campaign->outcome->refused = campaign->plan.refused;
    campaign->outcome->failed = !campaign->plan.refused;
    results_text_add(&campaign->outcome->message, results_text_string(&campaign->database.message));
    return false;
}

// Points whose runs have all ended before, but not so that a decision about more was written down.
static bool decide_all(struct sweep_campaign *campaign)
{
    if (!campaign->sweep->replications.until) {
        return true;
    }
    if (!execute(campaign, "BEGIN IMMEDIATE")) {
        return false;
    }
    for (uint32_t p = 0; p < campaign->sweep->n_points; p++) {
        if (campaign->points[p].selected && campaign->points[p].wanted == 0 &&
            campaign->points[p].n > 0 && !sweep_stop_decide(campaign, p)) {
            return false;
        }
    }
    return execute(campaign, "COMMIT");
}

// Statistics of the points that have more runs than their statistics know of.
static bool summarize(struct sweep_campaign *campaign)
{
    struct results_statement s;
    int code = SQLITE_OK;
    int released;

    results_statement_init(&s, campaign->database.connection,
                           "SELECT point_id FROM run JOIN point ON point.id = point_id"
                           " WHERE sweep_id = ? GROUP BY point_id HAVING count(*) <> coalesce("
                           "(SELECT max(summary.n) FROM summary WHERE summary.point_id ="
                           " run.point_id AND metric = 'makespan'), 0)");
    results_statement_i64(&s, campaign->plan.sweep_id);
    while (code == SQLITE_OK && results_statement_row(&s)) {
        code =
            results_database_summarize(&campaign->database, sqlite3_column_int64(s.statement, 0));
    }
    released = results_statement_release(&s);
    code = code != SQLITE_OK ? code : released;
    return code == SQLITE_OK ? true : sweep_failed(campaign, code);
}

static bool count_bugs(struct sweep_campaign *campaign)
{
    struct results_statement s;
    int code;

    results_statement_init(&s, campaign->database.connection,
                           "SELECT count(DISTINCT run_id) FROM finding JOIN run ON run.id = run_id"
                           " JOIN point ON point.id = point_id WHERE hazard IS NULL AND"
                           " sweep_id = ?");
    results_statement_i64(&s, campaign->plan.sweep_id);
    if (results_statement_row(&s)) {
        campaign->outcome->bugs = (uint64_t)sqlite3_column_int64(s.statement, 0);
    }
    code = results_statement_release(&s);
    return code == SQLITE_OK ? true : sweep_failed(campaign, code);
}

// After a drain: what was handed out and not begun is planned again.
static bool finish(struct sweep_campaign *campaign)
{
    bool ok = sweep_record_commit(campaign) && execute(campaign, "BEGIN IMMEDIATE") &&
              execute(campaign, "UPDATE plan SET state = 'planned' WHERE state = 'running'");

    campaign->outcome->states[RESULTS_PLAN_PLANNED] +=
        campaign->outcome->states[RESULTS_PLAN_RUNNING];
    campaign->outcome->states[RESULTS_PLAN_RUNNING] = 0;
    return ok && summarize(campaign) && execute(campaign, "COMMIT") && count_bugs(campaign);
}

static void close_all(struct sweep_campaign *campaign)
{
    sweep_record_release(campaign);
    if (campaign->database.connection != NULL) {
        (void)results_database_execute(&campaign->database, "ROLLBACK");
        // One file again, which may be copied and read anywhere. Somebody who reads it just now
        // prevents that; the next sweep will do it.
        (void)results_database_execute(&campaign->database,
                                       "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE");
    }
    results_database_close(&campaign->database);
    sweep_unlock(campaign);
    sweep_queue_release(campaign);
    results_plan_release(&campaign->plan);
}

bool campaign_sweep_run(const struct campaign_sweep_options *options,
                        struct campaign_sweep_outcome *outcome)
{
    struct sweep_campaign campaign = {
        .options = options, .sweep = options->sweep, .outcome = outcome, .lock = -1};
    bool ok;

    memset(outcome, 0, sizeof(*outcome));
    ok = open_database(&campaign) && write_plan(&campaign) && sweep_queue_load(&campaign) &&
         sweep_queue_samples(&campaign) && sweep_record_prepare(&campaign) &&
         decide_all(&campaign) && work_off(&campaign) && finish(&campaign);
    close_all(&campaign);
    return ok;
}

void campaign_sweep_outcome_release(struct campaign_sweep_outcome *outcome)
{
    results_text_release(&outcome->message);
}
