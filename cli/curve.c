// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup curve`: what the death of the master costs, by its moment.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/many.h"
#include "cli/output.h"
#include "results/crash_curve.h"

#define POINTS_DEFAULT 40u
#define POINTS_MAX 1000u

static const struct cli_option curve_options[] = {
    {"points", "N", NULL, false, "how many crashes, spread over the job's time (40)"},
    {"seed", "N", NULL, false, "seed of all chance, 0 to 2^63 - 1, decimal or 0x..."},
    {"set", "PATH=VALUE", NULL, true, "change one value: cluster.workers=50"},
    {"j", "N", NULL, false, "worker processes (one per processor)"},
    {"format", "text|svg|json|csv", "text|svg|json|csv", false, "how it is printed (text)"},
    {"color", "auto|never|always", "auto|never|always", false, "colours (auto; NO_COLOR counts)"},
};

struct curve_command {
    struct cli_many shared;
    struct campaign_many alone;   // the run without faults
    struct campaign_many crashes; // a case per moment
    uint32_t points;
    int64_t faultless_ns;
    int64_t *at_ns;
    uint32_t made; // crashes; the two arrays are of these
    int64_t *made_at_ns;
    const struct results_record **records;
    struct results_text command;
};

static bool campaign_init(struct campaign_many *campaign, uint32_t n_cases, uint64_t seed)
{
    bool done = campaign_many_init(campaign, n_cases, seed, 1);

    campaign->invariants_on = true;
    campaign->version = RECOUP_VERSION;
    if (!done) {
        cli_complain("out of memory");
    }
    return done;
}

// The makespan that the crashes are spread over.
static int run_alone(struct curve_command *c)
{
    static const char *const sets[] = {"faults=[]"};
    struct scenario scenario;
    int64_t makespan = 0;
    int code;

    memset(&scenario, 0, sizeof(scenario));
    code = cli_many_load(&c->shared, sets, 1, &scenario);
    if (code == CLI_DONE && !campaign_init(&c->alone, 1, scenario.config.seed)) {
        code = CLI_OUTSIDE;
    }
    if (code != CLI_DONE) {
        scenario_release(&scenario);
        return code;
    }
    c->alone.cases[0].scenario = scenario;
    cli_signals_watch(&c->shared.signals);
    code = cli_many_execute(&c->shared, &c->alone, 0);
    if (code == CLI_DONE) {
        code = cli_many_judge(&c->alone, 0, false);
    }
    if (code == CLI_DONE) {
        const struct results_record *record = &c->alone.runs[0].record;

        (void)results_many_of(record, RESULTS_MANY_MAKESPAN, &makespan);
        c->faultless_ns = makespan;
        if (record->facts.state != MODEL_JOB_FINISHED) {
            cli_complain("without faults the job ends as %s after all; there is no curve",
                         model_job_state_name((enum model_job_state)record->facts.state));
            code = CLI_FAILED;
        }
    }
    return code;
}

// Crash i strikes in the middle of the i-th of `points` equal parts.
static int prepare_crashes(struct curve_command *c)
{
    int64_t halves = 2 * (int64_t)c->points;
    int64_t half = c->faultless_ns / halves;
    int64_t rest = c->faultless_ns % halves;

    c->at_ns = calloc((size_t)c->points + 1, sizeof(*c->at_ns));
    c->made_at_ns = calloc((size_t)c->points + 1, sizeof(*c->made_at_ns));
    c->records = calloc((size_t)c->points + 1, sizeof(*c->records));
    if (!campaign_init(&c->crashes, c->points, c->alone.seeds[0]) || c->at_ns == NULL ||
        c->made_at_ns == NULL || c->records == NULL) {
        return CLI_OUTSIDE;
    }
    for (uint32_t i = 0; i < c->points; i++) {
        char set[RESULTS_CRASH_SIZE];
        const char *const sets[] = {set};

        c->at_ns[i] = half * (2 * (int64_t)i + 1) + rest * (2 * (int64_t)i + 1) / halves;
        c->crashes.cases[i].faultless_ns = c->faultless_ns;
        (void)results_crash_set(set, c->at_ns[i]);
        if (campaign_many_load(&c->crashes.cases[i].scenario, c->shared.arguments->words[0],
                               &c->shared.overrides.scenario, sets, 1) != SCENARIO_OK) {
            cli_complain_input(c->crashes.cases[i].scenario.errors,
                               c->crashes.cases[i].scenario.n_errors, NULL);
            return CLI_OUTSIDE;
        }
    }
    return CLI_DONE;
}

static int run_crashes(struct curve_command *c)
{
    int code = prepare_crashes(c);

    if (code == CLI_DONE) {
        code = cli_many_execute(&c->shared, &c->crashes, 0);
    }
    for (uint32_t i = 0; code == CLI_DONE && i < c->points; i++) {
        const struct campaign_many_run *run = &c->crashes.runs[i];

        if (run->ended || run->failure != NULL) {
            c->made_at_ns[c->made] = c->at_ns[i];
            c->records[c->made] = run->ended ? &run->record : NULL;
            c->made++;
        }
    }
    return code;
}

static int print(struct curve_command *c)
{
    const char *format = cli_arguments_value(c->shared.arguments, "format");
    struct results_crash_curve curve = {.scenario = &c->alone.cases[0].scenario,
                                        .faultless_ns = c->faultless_ns,
                                        .at_ns = c->made_at_ns,
                                        .records = c->records,
                                        .n = c->made,
                                        .asked = c->points,
                                        .version = RECOUP_VERSION};
    struct results_text text;
    int code;

    cli_command_run(&c->command, c->shared.program, c->shared.arguments);
    curve.command = results_text_string(&c->command);
    results_text_init(&text);
    if (format != NULL && strcmp(format, "json") == 0) {
        results_crash_curve_json(&curve, &text);
    } else if (format != NULL && strcmp(format, "csv") == 0) {
        results_crash_curve_csv(&curve, &text);
    } else if (format != NULL && strcmp(format, "svg") == 0) {
        results_crash_curve_svg(&curve, &text);
    } else {
        struct results_style style;

        cli_style(&style, cli_arguments_value(c->shared.arguments, "color"));
        results_crash_curve_report(&curve, &style, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static int curve_all(struct curve_command *c)
{
    int code = cli_many_number(c->shared.arguments, "points", 1, POINTS_MAX, &c->points);

    if (code == CLI_DONE) {
        code = run_alone(c);
    }
    if (code == CLI_DONE) {
        code = run_crashes(c);
    }
    if (code != CLI_DONE) {
        return code;
    }
    for (uint32_t i = 0; i < c->points; i++) {
        code = cli_worse(code, cli_many_judge(&c->crashes, i, false));
    }
    code = cli_worse(code, print(c));
    if (cli_signals_exit(&c->shared.signals) == CLI_TERMINATED) {
        return CLI_TERMINATED;
    }
    return cli_worse(code, c->shared.drained ? CLI_INCOMPLETE : CLI_DONE);
}

static int curve_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct curve_command c;
    int code;

    memset(&c, 0, sizeof(c));
    c.points = POINTS_DEFAULT;
    results_text_init(&c.command);
    code = cli_many_init(&c.shared, program, arguments, 1);
    if (code == CLI_DONE) {
        code = curve_all(&c);
    }
    campaign_many_release(&c.alone);
    campaign_many_release(&c.crashes);
    cli_many_release(&c.shared);
    results_text_release(&c.command);
    free(c.at_ns);
    free(c.made_at_ns);
    free(c.records);
    return code;
}

const struct cli_command cli_curve = {
    .name = "curve",
    .usage = "SCENARIO [OPTION]...",
    .summary = "Shows what the death of the master costs, by its moment.",
    .about = "The scenario's own faults are replaced: it is run once without any, and then once\n"
             "per point with a single death of the master, all with the same seed. Exit code 3:\n"
             "an invariant was broken that no active policy explains; 4: interrupted, and what\n"
             "was run until then is shown.\n\n",
    .options = curve_options,
    .n_options = sizeof(curve_options) / sizeof(curve_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no scenario given: recoup curve SCENARIO",
    .execute = curve_execute,
};
