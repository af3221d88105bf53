// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run SCENARIO --what-if`: the same seeds again with one setting changed at a time.
#include <stdlib.h>
#include <string.h>

#include "campaigns/what_if.h"
#include "cli/many.h"
#include "cli/output.h"

#define RUNS_DEFAULT 20u

struct what_if_command {
    struct cli_many shared;
    struct campaign_what_if campaign;
    const struct results_record **records; // of all cases
    struct results_change *changes;
    struct results_what_if result;
    struct results_text command;
};

static int prepare(struct what_if_command *c)
{
    const char *invariants = cli_arguments_value(c->shared.arguments, "invariants");
    struct scenario base;
    int code;

    memset(&base, 0, sizeof(base));
    code = cli_many_load(&c->shared, NULL, 0, &base);
    if (code != CLI_DONE) {
        scenario_release(&base);
        return code;
    }
    if (!campaign_what_if_init(&c->campaign, &base, c->shared.arguments->words[0],
                               &c->shared.overrides.scenario, c->shared.runs)) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    c->campaign.many.invariants_on = invariants == NULL || strcmp(invariants, "off") != 0;
    c->campaign.many.version = RECOUP_VERSION;
    cli_signals_watch(&c->shared.signals);
    return CLI_DONE;
}

static bool collect(struct what_if_command *c)
{
    const struct campaign_many *many = &c->campaign.many;
    size_t n = (size_t)many->n_cases * many->n_seeds;

    c->records = calloc(n + 1, sizeof(*c->records));
    c->changes = calloc((size_t)c->campaign.n_changes + 1, sizeof(*c->changes));
    if (c->records == NULL || c->changes == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        c->records[i] = many->runs[i].ended ? &many->runs[i].record : NULL;
    }
    for (uint32_t i = 0; i < c->campaign.n_changes; i++) {
        const struct campaign_change *change = &c->campaign.changes[i];

        c->changes[i] =
            (struct results_change){.what = change->what,
                                    .key = change->key,
                                    .to = change->to,
                                    .set = change->set,
                                    .owner = change->owner,
                                    .records = c->records + (size_t)change->one * many->n_seeds,
                                    .refused = change->refused};
    }
    cli_command_repeat(&c->command, c->shared.program, c->shared.arguments);
    c->result = (struct results_what_if){.scenario = &many->cases[0].scenario,
                                         .base = c->records,
                                         .seeds = many->seeds,
                                         .n_seeds = many->n_seeds,
                                         .changes = c->changes,
                                         .n_changes = c->campaign.n_changes,
                                         .made = many->ended,
                                         .asked = n,
                                         .version = RECOUP_VERSION,
                                         .command = results_text_string(&c->command)};
    return results_what_if_judge(&c->result);
}

static int print(struct what_if_command *c)
{
    struct results_text text;
    struct results_style style;
    int code;

    results_text_init(&text);
    if (cli_many_is_json(c->shared.arguments)) {
        results_what_if_json(&c->result, &text);
    } else {
        cli_style(&style, cli_arguments_value(c->shared.arguments, "color"));
        results_what_if_report(&c->result, &style, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static int run_all(struct what_if_command *c)
{
    int code = prepare(c);

    if (code == CLI_DONE) {
        code = cli_many_execute(&c->shared, &c->campaign.many, 0);
    }
    if (code != CLI_DONE) {
        return code;
    }
    // What the scenario expects is about the scenario as it is.
    for (uint32_t i = 0; i < c->campaign.many.n_cases; i++) {
        int found = cli_many_judge(&c->campaign.many, i, i == 0);

        code =
            cli_worse(code, i == 0 || found == CLI_BUG || found == CLI_OUTSIDE ? found : CLI_DONE);
    }
    if (!collect(c)) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    code = cli_worse(code, print(c));
    return cli_worse(code, cli_signals_exit(&c->shared.signals));
}

int cli_run_what_if(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct what_if_command *c = calloc(1, sizeof(*c));
    int code;

    if (c == NULL) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    results_text_init(&c->command);
    code = cli_many_init(&c->shared, program, arguments, RUNS_DEFAULT);
    if (code == CLI_DONE) {
        code = run_all(c);
    }
    results_what_if_release(&c->result);
    campaign_what_if_release(&c->campaign);
    cli_many_release(&c->shared);
    results_text_release(&c->command);
    free(c->records);
    free(c->changes);
    free(c);
    return code;
}
