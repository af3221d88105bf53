// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run SCENARIO --runs N`: one scenario with many seeds.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/many.h"
#include "cli/output.h"
#include "results/database.h"
#include "results/many.h"

struct many_command {
    struct cli_many shared;
    struct campaign_many campaign;
    struct results_database database;
    bool storing;
    char started_at[32];
    uint64_t *seeds; // of the runs that were made, as the two below
    const struct results_record **records;
    const char **failures;
    struct results_text command;
    struct results_text words;
};

static int open_database(struct many_command *c)
{
    const char *path = cli_arguments_value(c->shared.arguments, "db");
    time_t now = time(NULL);
    struct tm utc;

    if (path == NULL) {
        return CLI_DONE;
    }
    if (path[0] == '\0') {
        cli_complain("--db: the name of the file is empty");
        return CLI_USAGE;
    }
    c->storing = true;
    if (gmtime_r(&now, &utc) == NULL ||
        strftime(c->started_at, sizeof(c->started_at), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        c->started_at[0] = '\0';
    }
    if (!results_database_open(&c->database, path, RESULTS_DATABASE_WAIT_MS)) {
        cli_complain("%s", results_text_string(&c->database.message));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int prepare(struct many_command *c)
{
    const char *invariants = cli_arguments_value(c->shared.arguments, "invariants");
    struct scenario scenario;
    int code;

    memset(&scenario, 0, sizeof(scenario));
    code = cli_many_load(&c->shared, NULL, 0, &scenario);
    if (code != CLI_DONE) {
        scenario_release(&scenario);
        return code;
    }
    if (!campaign_many_init(&c->campaign, 1, scenario.config.seed, c->shared.runs)) {
        scenario_release(&scenario);
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    c->campaign.cases[0].scenario = scenario;
    c->campaign.invariants_on = invariants == NULL || strcmp(invariants, "off") != 0;
    c->campaign.version = RECOUP_VERSION;
    c->seeds = calloc(c->shared.runs, sizeof(*c->seeds));
    c->records = calloc(c->shared.runs, sizeof(*c->records));
    c->failures = calloc(c->shared.runs, sizeof(*c->failures));
    if (c->seeds == NULL || c->records == NULL || c->failures == NULL) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    cli_signals_watch(&c->shared.signals);
    return open_database(c);
}

// The runs that were made, in the order of the seeds; their number.
static uint32_t collect(struct many_command *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->campaign.n_seeds; i++) {
        const struct campaign_many_run *run = &c->campaign.runs[i];

        if (run->ended || run->failure != NULL) {
            c->seeds[n] = c->campaign.seeds[i];
            c->records[n] = run->ended ? &run->record : NULL;
            c->failures[n] = run->failure;
            n++;
        }
    }
    return n;
}

static int print(struct many_command *c)
{
    struct results_many many = {.scenario = &c->campaign.cases[0].scenario,
                                .seeds = c->seeds,
                                .records = c->records,
                                .failures = c->failures,
                                .n = collect(c),
                                .asked = c->campaign.n_seeds,
                                .version = RECOUP_VERSION};
    struct results_many_summary summary;
    struct results_text text;
    int code = CLI_OUTSIDE;

    cli_command_but_seed(&c->command, c->shared.program, c->shared.arguments);
    many.command = results_text_string(&c->command);
    results_text_init(&text);
    if (!results_many_summarize(&many, &summary)) {
        cli_complain("out of memory");
    } else if (cli_many_is_json(c->shared.arguments)) {
        results_many_json(&many, &summary, &text);
        code = cli_output_result(&text);
    } else {
        struct results_style style;

        cli_style(&style, cli_arguments_value(c->shared.arguments, "color"));
        results_many_report(&many, &summary, &style, &text);
        code = cli_output_result(&text);
    }
    results_many_summary_release(&summary);
    results_text_release(&text);
    return code;
}

static int store(struct many_command *c)
{
    struct results_append *runs = calloc((size_t)c->campaign.n_seeds + 1, sizeof(*runs));
    struct results_run like = {.invariants_on = c->campaign.invariants_on,
                               .version = RECOUP_VERSION};
    uint32_t counts[RESULTS_DATABASE_FAILED];
    uint32_t n = 0;
    bool done;

    if (runs == NULL) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    cli_command_words(&c->words, c->shared.arguments);
    like.words = results_text_string(&c->words);
    for (uint32_t i = 0; i < c->campaign.n_seeds; i++) {
        const struct campaign_many_run *run = &c->campaign.runs[i];

        if (run->ended) {
            runs[n++] = (struct results_append){
                &run->record, c->campaign.seeds[i], {c->started_at, run->wall_ns, run->process}};
        }
    }
    done = results_database_append_runs(&c->database, &c->campaign.cases[0].scenario, &like, runs,
                                        n, counts);
    free(runs);
    if (!done || counts[RESULTS_DATABASE_DIFFERS] > 0) {
        cli_complain("%s", results_text_string(&c->database.message));
    }
    if (!done) {
        return CLI_OUTSIDE;
    }
    cli_complain("%s: %" PRIu32 " runs were added, %" PRIu32 " were there already",
                 c->database.path, counts[RESULTS_DATABASE_ADDED],
                 counts[RESULTS_DATABASE_PRESENT]);
    return counts[RESULTS_DATABASE_DIFFERS] > 0 ? CLI_NOT_DETERMINISTIC : CLI_DONE;
}

static int run_all(struct many_command *c)
{
    int code = prepare(c);

    if (code == CLI_DONE) {
        code = cli_many_execute(&c->shared, &c->campaign, 0);
    }
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_many_judge(&c->campaign, 0, true);
    code = cli_worse(code, print(c));
    code = cli_worse(code, c->storing ? store(c) : CLI_DONE);
    return cli_worse(code, cli_signals_exit(&c->shared.signals));
}

int cli_run_many(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct many_command c;
    int code;

    memset(&c, 0, sizeof(c));
    results_text_init(&c.command);
    results_text_init(&c.words);
    code = cli_many_init(&c.shared, program, arguments, 1);
    if (code == CLI_DONE) {
        code = run_all(&c);
    }
    results_database_close(&c.database);
    campaign_many_release(&c.campaign);
    cli_many_release(&c.shared);
    results_text_release(&c.command);
    results_text_release(&c.words);
    free(c.seeds);
    free(c.records);
    free(c.failures);
    return code;
}
