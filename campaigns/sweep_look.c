// SPDX-License-Identifier: GPL-3.0-or-later
//
// `--dry-run`: what a sweep would do, with time and disk measured by a few trial runs.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaigns/sweep_parts.h"
#include "results/database_parts.h"
#include "results/units.h"

#define LOOK_TRIALS 24u
#define LOOK_TRIAL_NS INT64_C(2000000000) // no new trial is begun after this
#define LOOK_COPIES 40u                   // of each trial's record, to measure what one takes
#define LOOK_POINTS 6u                    // shown from the front
#define LOOK_REASONS 3u                   // of excluded points

struct sweep_trials {
    uint64_t wanted; // runs to choose from
    uint64_t begun;
    uint64_t ended;
    uint64_t broken;
    int64_t wall_ns;
    int64_t until_ns;
    struct results_record records[LOOK_TRIALS];
    uint32_t n_records;
};

struct estimate {
    double wall_ns; // of one run
    double bytes;   // of one run in the database
    double point_bytes;
    double base_bytes;
    uint64_t from; // how many runs it rests on
    bool tried;    // they were made for it
};

// --- trial runs ----------------------------------------------------------------------------------

static bool next_trial(void *context, uint64_t *item)
{
    struct sweep_campaign *campaign = context;
    struct sweep_trials *t = campaign->trials;
    uint64_t most = t->wanted < LOOK_TRIALS ? t->wanted : LOOK_TRIALS;

    if (t->begun >= most || campaign_clock_ns() >= t->until_ns) {
        return false;
    }
    *item = campaign->order[t->begun * t->wanted / most];
    t->begun++;
    return true;
}

static bool end_trial(void *context, uint64_t item, const struct campaign_outcome *outcome)
{
    struct sweep_campaign *campaign = context;
    struct sweep_trials *t = campaign->trials;
    struct campaign_reader reader = {outcome->bytes, outcome->size, 0, false};

    (void)item;
    t->ended++;
    t->wall_ns += outcome->wall_ns;
    if (outcome->end == CAMPAIGN_ANSWERED && campaign_reader_u32(&reader) == SWEEP_ANSWER_RECORD &&
        results_record_read(&t->records[t->n_records], outcome->bytes + reader.next,
                            outcome->size - reader.next)) {
        t->n_records++;
    } else {
        t->broken++;
    }
    return true;
}

static bool try_runs(struct sweep_campaign *campaign)
{
    struct campaign_pool_options options = {
        .workers = 1, .ahead = 1, .item_wall_ns = campaign->sweep->wall_time_ns};
    struct campaign_tasks tasks = {.context = campaign,
                                   .start = sweep_work_start,
                                   .work = sweep_work_run,
                                   .end = sweep_work_end,
                                   .next = next_trial,
                                   .done = end_trial};
    char message[512];

    sweep_work_workers(campaign, 1);
    if (campaign_pool_run(&options, &tasks, message, sizeof(message)) == CAMPAIGN_OUTSIDE) {
        return sweep_failed_with(campaign, message);
    }
    return true;
}

static int write_copies(struct results_database *database, const struct sweep_trials *t)
{
    static const struct results_execution execution = {"2025-01-31T12:34:56Z", 1, 1};
    struct results_writer writer;
    int code = results_writer_init(&writer, database, "");
    int released;

    for (uint32_t i = 0; code == SQLITE_OK && i < t->n_records * LOOK_COPIES; i++) {
        char key[RESULTS_KEY_SIZE];
        struct results_place place = {key, 1, i, i};

        (void)snprintf(key, sizeof(key), "%032" PRIu32, i * UINT32_C(2654435761));
        code = results_writer_add(&writer, &t->records[i % t->n_records], &place, &execution);
    }
    released = results_writer_release(&writer);
    return code != SQLITE_OK ? code : released;
}

// What runs and points take in the database: copies of the trial runs, written into one in memory.
static bool measure_bytes(struct sweep_campaign *campaign, struct estimate *estimate)
{
    static const char before_sql[] =
        "BEGIN; INSERT INTO sweep VALUES(1, '', 'sweep', '', '', '');"
        "INSERT INTO point(id, point_key, sweep_id, label, profile, scenario)"
        " VALUES(1, '', 1, '', '', '')";
    static const char plan_sql[] =
        "INSERT INTO plan(run_key, point_id, replication, seed, state)"
        " SELECT run_key, point_id, replication, seed, 'planned' FROM run";
    static const char size_sql[] = "SELECT page_count * page_size FROM pragma_page_count(),"
                                   " pragma_page_size()";
    const struct sweep_trials *t = campaign->trials;
    struct results_database memory;
    int64_t before = 0;
    int64_t after = 0;
    int64_t summarized = 0;
    int code = SQLITE_OK;
    bool open = results_database_open(&memory, ":memory:", 0);

    if (open) {
        code = results_database_execute(&memory, before_sql);
    }
    code = open && code == SQLITE_OK ? results_database_number(&memory, size_sql, &before) : code;
    code = open && code == SQLITE_OK ? write_copies(&memory, t) : code;
    code = open && code == SQLITE_OK ? results_database_execute(&memory, plan_sql) : code;
    code = open && code == SQLITE_OK ? results_database_number(&memory, size_sql, &after) : code;
    code = open && code == SQLITE_OK ? results_database_summarize(&memory, 1) : code;
    code =
        open && code == SQLITE_OK ? results_database_number(&memory, size_sql, &summarized) : code;
    if (code != SQLITE_OK) {
        results_database_fail(&memory, code);
    }
    if (!open || code != SQLITE_OK) {
        (void)sweep_failed_with(campaign, results_text_string(&memory.message));
    }
    results_database_close(&memory);
    estimate->bytes = (double)(after - before) / (double)(t->n_records * LOOK_COPIES);
    estimate->point_bytes = (double)(summarized - after);
    estimate->base_bytes = (double)before;
    return open && code == SQLITE_OK;
}

// From runs that the database holds, if they are many enough.
static bool estimate_from_rows(struct sweep_campaign *campaign, struct estimate *estimate)
{
    struct results_statement s;

    if (campaign->database.connection == NULL) {
        return false;
    }
    results_statement_init(&s, campaign->database.connection,
                           "SELECT count(*), avg(wall_ns), (SELECT page_count * page_size FROM"
                           " pragma_page_count(), pragma_page_size()) * 1.0 /"
                           " (SELECT count(*) FROM plan) FROM execution"
                           " JOIN run ON run.id = run_id JOIN point ON point.id = point_id"
                           " JOIN sweep ON sweep.id = sweep_id WHERE sweep.name = ?");
    results_statement_text(&s, campaign->sweep->name);
    if (results_statement_row(&s)) {
        estimate->from = (uint64_t)sqlite3_column_int64(s.statement, 0);
        estimate->wall_ns = sqlite3_column_double(s.statement, 1);
        estimate->bytes = sqlite3_column_double(s.statement, 2);
    }
    (void)results_statement_release(&s);
    return estimate->from >= LOOK_TRIALS;
}

static bool estimate_runs(struct sweep_campaign *campaign, struct estimate *estimate)
{
    struct sweep_trials *t = campaign->trials;
    bool ok;

    memset(estimate, 0, sizeof(*estimate));
    if (campaign->total == 0 || estimate_from_rows(campaign, estimate)) {
        return true;
    }
    t->wanted = campaign->total;
    t->until_ns = campaign_clock_ns() + LOOK_TRIAL_NS;
    ok = try_runs(campaign);
    estimate->tried = true;
    estimate->from = t->ended;
    if (ok && t->n_records > 0) {
        estimate->wall_ns = (double)t->wall_ns / (double)t->ended;
        ok = measure_bytes(campaign, estimate);
    }
    return ok;
}

// --- the text ------------------------------------------------------------------------------------

static bool say_axes(struct sweep_campaign *campaign, struct results_text *text)
{
    char *memory = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&memory, &size);
    bool ok;

    if (out == NULL) {
        return sweep_failed_with(campaign, "out of memory");
    }
    ok = scenario_sweep_print_axes(campaign->sweep, out) == 0;
    ok = fclose(out) == 0 && ok;
    if (ok) {
        results_text_bytes(text, memory, size);
    }
    free(memory);
    return ok ? true : sweep_failed_with(campaign, "out of memory");
}

static void say_points(const struct sweep_campaign *campaign, struct results_text *text)
{
    const struct scenario_sweep *sweep = campaign->sweep;
    uint32_t selected = 0;
    uint32_t shown = 0;

    for (uint32_t p = 0; p < sweep->n_points; p++) {
        selected += campaign->points[p].selected ? 1 : 0;
    }
    results_text_format(text, "\n%" PRIu32 " points", sweep->n_points);
    if (selected < sweep->n_points) {
        results_text_format(text, ", %" PRIu32 " selected by --where", selected);
    }
    results_text_add(text, ":\n");
    for (uint32_t p = 0; p < sweep->n_points; p++) {
        if (!campaign->points[p].selected) {
            continue;
        }
        shown++;
        if (shown <= LOOK_POINTS || shown == selected) {
            results_text_format(text, "  %s\n", sweep->points[p].label);
        } else if (shown == LOOK_POINTS + 1) {
            results_text_format(text, "  ... %" PRIu32 " more ...\n", selected - LOOK_POINTS - 1);
        }
    }
}

static void say_excluded(const struct scenario_sweep *sweep, struct results_text *text)
{
    if (sweep->n_excluded == 0) {
        return;
    }
    results_text_format(text, "%" PRIu32 " combinations excluded by `where: %s`:\n",
                        sweep->n_excluded, sweep->where_text);
    for (uint32_t i = 0; i < sweep->n_excluded && i < LOOK_REASONS; i++) {
        char reason[512];

        (void)scenario_point_excluded_text(sweep, &sweep->excluded[i], reason, sizeof(reason));
        results_text_format(text, "  %s: %s\n", sweep->excluded[i].label, reason);
    }
    if (sweep->n_excluded > LOOK_REASONS) {
        results_text_add(text, "  ...\n");
    }
}

static void say_replications(const struct scenario_replications *r, struct results_text *text)
{
    char width[RESULTS_UNITS_SIZE];

    if (!r->until) {
        results_text_format(text, "%" PRIu32 " replications of each point\n", r->at_least);
        return;
    }
    if (r->relative) {
        (void)snprintf(width, sizeof(width), "%g %%", (double)r->half_width / 1e7);
    } else {
        (void)snprintf(width, sizeof(width), "%" PRId64 " %s", r->half_width, r->metric->unit);
    }
    results_text_format(text,
                        "%" PRIu32 " to %" PRIu32 " replications of each point: until the mean of "
                        "%s is known to %s (%g %%)\n",
                        r->at_least, r->at_most, r->metric->name, width,
                        (double)r->confidence_nano / 1e7);
}

static void say_runs(const struct sweep_campaign *campaign, struct results_text *text)
{
    static const enum results_plan_state states[] = {RESULTS_PLAN_CRASHED, RESULTS_PLAN_TIMEOUT,
                                                     RESULTS_PLAN_DIFFERS};
    const uint64_t *n = campaign->outcome->states;

    results_text_format(text, "%" PRIu64 " runs to do, %" PRIu64 " are done\n", campaign->total,
                        n[RESULTS_PLAN_DONE] + n[RESULTS_PLAN_FINDING]);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (n[states[i]] > 0 && campaign->options->retry != states[i]) {
            results_text_format(text,
                                "%" PRIu64 " ended as %s and are left alone without --retry %s\n",
                                n[states[i]], results_plan_state_name(states[i]),
                                results_plan_state_name(states[i]));
        }
    }
    if (campaign->options->shards > 1) {
        results_text_format(text, "(shard %" PRIu32 " of %" PRIu32 ")\n", campaign->options->shard,
                            campaign->options->shards);
    }
}

static void say_estimate(const struct sweep_campaign *campaign, const struct estimate *estimate,
                         struct results_text *text)
{
    uint32_t workers = campaign->options->workers;
    double runs = (double)campaign->total;
    double most = runs;
    char time[RESULTS_UNITS_SIZE];
    char size[RESULTS_UNITS_SIZE];

    if (campaign->total == 0) {
        return;
    }
    if (estimate->wall_ns <= 0) {
        results_text_add(text, "no estimate: no trial run gave a result\n");
        return;
    }
    workers = workers != 0 ? workers : campaign_pool_default_workers();
    if (campaign->sweep->replications.until) {
        most =
            runs * campaign->sweep->replications.at_most / campaign->sweep->replications.at_least;
    }
    results_text_format(text, "about %s",
                        results_duration(time, (int64_t)(runs * estimate->wall_ns / workers)));
    if (most > runs) {
        results_text_format(text, " to %s",
                            results_duration(time, (int64_t)(most * estimate->wall_ns / workers)));
    }
    results_text_format(
        text, " with %" PRIu32 " workers, and %s", workers,
        results_size(size, (uint64_t)(most * estimate->bytes + estimate->base_bytes +
                                      estimate->point_bytes * campaign->sweep->n_points)));
    results_text_format(text, " of disk (from %" PRIu64 " %s runs)\n", estimate->from,
                        estimate->tried ? "trial" : "earlier");
}

// --- all of it -----------------------------------------------------------------------------------

// The plan as it would be: rows of the database where there are some, else planned.
static bool imagine_plan(struct sweep_campaign *campaign)
{
    const struct scenario_sweep *sweep = campaign->sweep;
    struct results_plan_options options = {campaign->options->version, campaign->options->shard,
                                           campaign->options->shards};

    if (!results_plan_keys(&campaign->plan, sweep, &options)) {
        return sweep_failed_with(campaign, "out of memory");
    }
    return sweep_queue_imagine(campaign);
}

static bool open_if_there(struct sweep_campaign *campaign)
{
    const char *path = campaign->options->database;

    if (path == NULL || access(path, F_OK) != 0) {
        return true;
    }
    if (results_database_open_reading(&campaign->database, path) != RESULTS_READING) {
        return sweep_failed_with(campaign, results_text_string(&campaign->database.message));
    }
    return true;
}

bool campaign_sweep_look(const struct campaign_sweep_options *options,
                         struct campaign_sweep_outcome *outcome, struct results_text *text)
{
    struct sweep_trials trials = {.wanted = 0};
    struct sweep_campaign campaign = {.options = options,
                                      .sweep = options->sweep,
                                      .outcome = outcome,
                                      .lock = -1,
                                      .trials = &trials};
    struct estimate estimate;
    bool ok;

    memset(outcome, 0, sizeof(*outcome));
    results_text_format(text, "%s: %s\n", options->sweep->name, options->sweep->about);
    ok = open_if_there(&campaign) && imagine_plan(&campaign) && say_axes(&campaign, text) &&
         estimate_runs(&campaign, &estimate);
    if (ok) {
        say_points(&campaign, text);
        say_excluded(options->sweep, text);
        say_replications(&options->sweep->replications, text);
        say_runs(&campaign, text);
        say_estimate(&campaign, &estimate, text);
    }
    for (uint32_t i = 0; i < trials.n_records; i++) {
        results_record_release(&trials.records[i]);
    }
    sweep_queue_release(&campaign);
    results_plan_release(&campaign.plan);
    results_database_close(&campaign.database);
    return ok;
}
