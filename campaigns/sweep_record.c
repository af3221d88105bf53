// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one writer of a sweep's database: results and states, many in one transaction that is
// committed several times a second.
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "campaigns/sweep_parts.h"
#include "results/database_parts.h"

// At first often, so that there is something to see; then so seldom that it costs nothing.
#define RECORD_COMMIT_NS INT64_C(100000000)
#define RECORD_COMMIT_LATER_NS INT64_C(500000000)

bool sweep_failed_with(struct sweep_campaign *campaign, const char *message)
{
    campaign->outcome->failed = true;
    if (campaign->outcome->message.size == 0) {
        results_text_add(&campaign->outcome->message, message);
    }
    return false;
}

bool sweep_failed(struct sweep_campaign *campaign, int code)
{
    results_database_fail(&campaign->database, code);
    return sweep_failed_with(campaign, results_text_string(&campaign->database.message));
}

bool sweep_record_prepare(struct sweep_campaign *campaign)
{
    struct sqlite3 *connection = campaign->database.connection;
    int code;

    results_statement_init(&campaign->mark_running, connection,
                           "UPDATE plan SET state = 'running', attempts = attempts + 1"
                           " WHERE id = ?");
    results_statement_init(&campaign->mark_ended, connection,
                           "UPDATE plan SET state = ?2, signal = ?3, message = ?4 WHERE id = ?1");
    results_statement_init(&campaign->mark_repeated, connection,
                           "UPDATE plan SET repeated = 1 WHERE id = ?");
    results_statement_init(&campaign->fingerprint, connection,
                           "SELECT fingerprint FROM run WHERE run_key = ?");
    campaign->prepared = true;
    code = results_writer_init(&campaign->writer, &campaign->database, campaign->options->version);
    return code == SQLITE_OK ? true : sweep_failed(campaign, code);
}

void sweep_record_release(struct sweep_campaign *campaign)
{
    if (campaign->in_transaction) {
        (void)results_database_execute(&campaign->database, "ROLLBACK");
        campaign->in_transaction = false;
    }
    if (campaign->prepared) {
        (void)results_statement_release(&campaign->mark_running);
        (void)results_statement_release(&campaign->mark_ended);
        (void)results_statement_release(&campaign->mark_repeated);
        (void)results_statement_release(&campaign->fingerprint);
        (void)results_writer_release(&campaign->writer);
    }
}

static bool begin(struct sweep_campaign *campaign)
{
    int code;

    if (campaign->in_transaction) {
        return true;
    }
    code = results_database_execute(&campaign->database, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK) {
        return sweep_failed(campaign, code);
    }
    campaign->in_transaction = true;
    campaign->began_ns = campaign_clock_ns();
    return true;
}

bool sweep_record_commit_due(struct sweep_campaign *campaign)
{
    int64_t interval_ns = campaign->began_ns - campaign->started_ns < 2 * RECORD_COMMIT_LATER_NS
                              ? RECORD_COMMIT_NS
                              : RECORD_COMMIT_LATER_NS;

    return !campaign->in_transaction || campaign_clock_ns() - campaign->began_ns < interval_ns ||
           sweep_record_commit(campaign);
}

bool sweep_record_commit(struct sweep_campaign *campaign)
{
    int code;

    if (!campaign->in_transaction) {
        return true;
    }
    code = results_database_execute(&campaign->database, "COMMIT");
    if (code != SQLITE_OK) {
        return sweep_failed(campaign, code);
    }
    campaign->in_transaction = false;
    return true;
}

static struct sweep_run *run_of(struct sweep_campaign *campaign, uint64_t item)
{
    return &campaign->points[sweep_item_point(item)].runs[sweep_item_replication(item)];
}

static void set_state(struct sweep_campaign *campaign, struct sweep_run *run,
                      enum results_plan_state state)
{
    campaign->outcome->states[run->state]--;
    campaign->outcome->states[state]++;
    run->state = (uint8_t)state;
}

bool sweep_record_running(struct sweep_campaign *campaign, uint64_t item)
{
    struct sweep_run *run = run_of(campaign, item);

    if ((item & SWEEP_REPEAT) != 0) {
        run->repeating = true;
        return true;
    }
    if (!begin(campaign)) {
        return false;
    }
    results_statement_i64(&campaign->mark_running, run->row);
    results_statement_execute(&campaign->mark_running);
    set_state(campaign, run, RESULTS_PLAN_RUNNING);
    return campaign->mark_running.code == SQLITE_OK
               ? true
               : sweep_failed(campaign, campaign->mark_running.code);
}

static bool mark_ended(struct sweep_campaign *campaign, struct sweep_run *run,
                       enum results_plan_state state, int signal, const char *message)
{
    struct results_statement *s = &campaign->mark_ended;

    set_state(campaign, run, state);
    results_statement_i64(s, run->row);
    results_statement_text(s, results_plan_state_name(state));
    if (signal != 0) {
        results_statement_i64(s, signal);
    } else {
        results_statement_null(s);
    }
    results_statement_text(s, message);
    results_statement_execute(s);
    return s->code == SQLITE_OK ? true : sweep_failed(campaign, s->code);
}

// --- results -------------------------------------------------------------------------------------

static const char *utc_now(struct sweep_campaign *campaign, int64_t wall_ns)
{
    time_t started = time(NULL) - (time_t)(wall_ns / 1000000000);
    struct tm utc;

    if ((int64_t)started != campaign->started_at_s &&
        (gmtime_r(&started, &utc) == NULL ||
         strftime(campaign->started_at, sizeof(campaign->started_at), "%Y-%m-%dT%H:%M:%SZ", &utc) ==
             0)) {
        campaign->started_at[0] = '\0';
    }
    campaign->started_at_s = (int64_t)started;
    return campaign->started_at;
}

static void key_of(const struct sweep_campaign *campaign, uint64_t item, uint64_t *seed,
                   char key[RESULTS_KEY_SIZE])
{
    uint32_t point = sweep_item_point(item);
    uint32_t replication = sweep_item_replication(item);

    *seed =
        scenario_replication_seed(campaign->sweep, &campaign->sweep->points[point], replication);
    results_plan_run_key(&campaign->plan, point, replication, *seed, key);
}

// The fingerprint that the database holds of a run; "" where it holds none. False after an error.
static bool held_fingerprint(struct sweep_campaign *campaign, const char *key,
                             char held[RESULTS_KEY_SIZE])
{
    struct results_statement *s = &campaign->fingerprint;

    held[0] = '\0';
    results_statement_text(s, key);
    if (results_statement_row(s)) {
        (void)snprintf(held, RESULTS_KEY_SIZE, "%s",
                       (const char *)sqlite3_column_text(s->statement, 0));
    }
    results_statement_again(s);
    return s->code == SQLITE_OK ? true : sweep_failed(campaign, s->code);
}

static bool differs(struct sweep_campaign *campaign, uint64_t item, const char *held,
                    const char *now)
{
    struct results_text command;
    char message[256];
    bool ok;

    results_text_init(&command);
    sweep_command(campaign, item, &command);
    (void)snprintf(message, sizeof(message), "fingerprint %s at first, %s when repeated", held,
                   now);
    sweep_remark(campaign, "not deterministic: %s; %s", message, results_text_string(&command));
    ok = mark_ended(campaign, run_of(campaign, item), RESULTS_PLAN_DIFFERS, 0, message);
    results_text_release(&command);
    return ok;
}

static bool end_repeat(struct sweep_campaign *campaign, uint64_t item, const char *held,
                       const char *now)
{
    struct sweep_run *run = run_of(campaign, item);

    run->repeating = false;
    run->repeated = true;
    campaign->outcome->repeated++;
    results_statement_i64(&campaign->mark_repeated, run->row);
    results_statement_execute(&campaign->mark_repeated);
    if (campaign->mark_repeated.code != SQLITE_OK) {
        return sweep_failed(campaign, campaign->mark_repeated.code);
    }
    return strcmp(held, now) == 0 || differs(campaign, item, held, now);
}

static bool add_run(struct sweep_campaign *campaign, uint64_t item,
                    const struct results_record *record, const struct campaign_outcome *outcome,
                    const char *key, uint64_t seed)
{
    uint32_t point = sweep_item_point(item);
    struct results_place place = {key, campaign->plan.point_ids[point],
                                  sweep_item_replication(item), seed};
    struct results_execution execution = {utc_now(campaign, outcome->wall_ns), outcome->wall_ns,
                                          outcome->process};
    bool finding = !record->facts.expectations_met || record->facts.unexplained;
    int code = results_writer_add(&campaign->writer, record, &place, &execution);

    if (code != SQLITE_OK) {
        return sweep_failed(campaign, code);
    }
    return mark_ended(campaign, run_of(campaign, item),
                      finding ? RESULTS_PLAN_FINDING : RESULTS_PLAN_DONE, 0, "");
}

static bool end_with_record(struct sweep_campaign *campaign, uint64_t item,
                            const struct results_record *record,
                            const struct campaign_outcome *outcome)
{
    char key[RESULTS_KEY_SIZE];
    char held[RESULTS_KEY_SIZE];
    struct results_text now;
    uint64_t seed;
    bool ok;

    key_of(campaign, item, &seed, key);
    results_text_init(&now);
    results_text_hex(&now, record->facts.fingerprint, sizeof(record->facts.fingerprint));
    ok = held_fingerprint(campaign, key, held);
    if (ok && (item & SWEEP_REPEAT) != 0) {
        ok = end_repeat(campaign, item, held, results_text_string(&now));
    } else if (ok && held[0] == '\0') {
        ok = add_run(campaign, item, record, outcome, key, seed);
    } else if (ok && strcmp(held, results_text_string(&now)) == 0) { // --retry differs
        ok = mark_ended(campaign, run_of(campaign, item),
                        record->facts.expectations_met && !record->facts.unexplained
                            ? RESULTS_PLAN_DONE
                            : RESULTS_PLAN_FINDING,
                        0, "");
    } else if (ok) {
        ok = differs(campaign, item, held, results_text_string(&now));
    }
    results_text_release(&now);
    return ok;
}

// --- ends without a result -----------------------------------------------------------------------

static bool end_without(struct sweep_campaign *campaign, uint64_t item,
                        enum results_plan_state state, int signal, const char *message)
{
    struct sweep_run *run = run_of(campaign, item);
    struct results_text command;
    bool ok;

    results_text_init(&command);
    sweep_command(campaign, item, &command);
    sweep_remark(campaign, "%s: %s; %s", state == RESULTS_PLAN_TIMEOUT ? "too long" : "crashed",
                 message, results_text_string(&command));
    results_text_release(&command);
    if ((item & SWEEP_REPEAT) != 0) {
        run->repeating = false;
        state = state == RESULTS_PLAN_TIMEOUT ? (enum results_plan_state)run->state
                                              : RESULTS_PLAN_DIFFERS;
    }
    ok = mark_ended(campaign, run, state, signal, message);
    return ok;
}

static bool end_crashed(struct sweep_campaign *campaign, uint64_t item,
                        const struct campaign_outcome *outcome)
{
    char message[CAMPAIGN_ERRORS_MAX + 128];

    if (outcome->end == CAMPAIGN_LIMITED && outcome->out_of_memory) {
        return end_without(campaign, item, RESULTS_PLAN_CRASHED, 0, "out of memory");
    }
    if (outcome->end == CAMPAIGN_LIMITED) {
        (void)snprintf(message, sizeof(message), "it took longer than the sweep's limit, %.3f s",
                       (double)campaign->sweep->wall_time_ns / 1e9);
        return end_without(campaign, item, RESULTS_PLAN_TIMEOUT, 0, message);
    }
    if (outcome->signal != 0) {
        (void)snprintf(message, sizeof(message), "by signal %d%s%s", outcome->signal,
                       outcome->errors[0] != '\0' ? ": " : "", outcome->errors);
    } else {
        (void)snprintf(message, sizeof(message), "with exit code %d%s%s", outcome->exit_code,
                       outcome->errors[0] != '\0' ? ": " : "", outcome->errors);
    }
    return end_without(campaign, item, RESULTS_PLAN_CRASHED, outcome->signal, message);
}

static bool end_answered(struct sweep_campaign *campaign, uint64_t item,
                         const struct campaign_outcome *outcome)
{
    struct campaign_reader reader = {outcome->bytes, outcome->size, 0, false};
    uint32_t kind = campaign_reader_u32(&reader);
    struct results_record record;
    bool ok;

    if (kind != SWEEP_ANSWER_RECORD) {
        char *text = campaign_reader_text(&reader);

        ok = end_without(campaign, item, RESULTS_PLAN_CRASHED, 0, text != NULL ? text : "?");
        free(text);
        return ok;
    }
    if (!results_record_read(&record, outcome->bytes + reader.next, outcome->size - reader.next)) {
        return sweep_failed(campaign, SQLITE_NOMEM);
    }
    ok = end_with_record(campaign, item, &record, outcome);
    results_record_release(&record);
    return ok;
}

// A point that has all its runs shows its statistics while the sweep goes on.
static bool summarize(struct sweep_campaign *campaign, uint32_t point)
{
    int code = results_database_summarize(&campaign->database, campaign->plan.point_ids[point]);

    return code == SQLITE_OK || sweep_failed(campaign, code);
}

bool sweep_record_end(struct sweep_campaign *campaign, uint64_t item,
                      const struct campaign_outcome *outcome)
{
    struct sweep_point_runs *point = &campaign->points[sweep_item_point(item)];
    struct sweep_run *run = run_of(campaign, item);
    bool first = (item & SWEEP_REPEAT) == 0;
    bool ok = begin(campaign);

    if (ok && outcome->end == CAMPAIGN_ANSWERED) {
        ok = end_answered(campaign, item, outcome);
    } else if (ok) {
        ok = end_crashed(campaign, item, outcome);
    }
    if (ok && first) {
        campaign->ended++;
        point->ended++;
        point->wall_ns += outcome->wall_ns;
        campaign->outcome->ran++;
        run->wanted = false;
        point->wanted--;
        if (run->sample && !run->repeated &&
            (run->state == RESULTS_PLAN_DONE || run->state == RESULTS_PLAN_FINDING)) {
            ok = sweep_queue_repeat(campaign, item);
        }
        ok = ok && (point->wanted > 0 || sweep_stop_decide(campaign, sweep_item_point(item)));
        ok = ok && (point->wanted > 0 || summarize(campaign, sweep_item_point(item)));
    }
    return ok && sweep_record_commit_due(campaign);
}
