// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "cli/many.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaigns/pool.h"
#include "cli/output.h"

#define PLAIN_NS INT64_C(10000000000) // between lines where there is no terminal
#define FAILURES_SHOWN 3u

int cli_many_number(const struct cli_arguments *arguments, const char *option, uint32_t least,
                    uint32_t most, uint32_t *number)
{
    const char *text = cli_arguments_value(arguments, option);
    uint64_t value = 0;

    if (text == NULL) {
        return CLI_DONE;
    }
    if (!cli_parse_seed(text, &value) || value < least || value > most) {
        cli_complain("%s%s: expected a number from %" PRIu32 " to %" PRIu32 ", found '%s'",
                     option[1] == '\0' ? "-" : "--", option, least, most, text);
        return CLI_USAGE;
    }
    *number = (uint32_t)value;
    return CLI_DONE;
}

bool cli_many_is_json(const struct cli_arguments *arguments)
{
    const char *format = cli_arguments_value(arguments, "format");

    return format != NULL && strcmp(format, "json") == 0;
}

int cli_many_init(struct cli_many *many, const struct cli_program *program,
                  const struct cli_arguments *arguments, uint32_t runs)
{
    int code;

    memset(many, 0, sizeof(*many));
    many->program = program;
    many->arguments = arguments;
    many->runs = runs;
    many->workers = campaign_pool_default_workers();
    many->terminal = isatty(STDERR_FILENO) == 1;
    code = cli_many_number(arguments, "runs", 1, CAMPAIGN_MANY_RUNS_MAX, &many->runs);
    code = cli_worse(code,
                     cli_many_number(arguments, "j", 1, CAMPAIGN_MANY_WORKERS_MAX, &many->workers));
    return code == CLI_DONE ? cli_overrides_collect(&many->overrides, arguments) : code;
}

void cli_many_release(struct cli_many *many)
{
    cli_overrides_release(&many->overrides);
}

int cli_many_load(struct cli_many *many, const char *const *sets, uint32_t n_sets,
                  struct scenario *scenario)
{
    int error = campaign_many_load(scenario, many->arguments->words[0], &many->overrides.scenario,
                                   sets, n_sets);

    cli_complain_input(scenario->errors, scenario->n_errors, NULL);
    if (scenario->errors_cut) {
        cli_complain("more errors follow; mend these first");
    }
    cli_complain_input(scenario->warnings, scenario->n_warnings, "warning");
    if (error == SCENARIO_ENOMEM) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    return error == SCENARIO_OK ? CLI_DONE : CLI_USAGE;
}

// --- progress ------------------------------------------------------------------------------------

static void write_error(const char *text)
{
    // There is nobody left to tell when standard error fails.
    (void)results_write_bytes(STDERR_FILENO, text, strlen(text));
}

static void close_line(struct cli_many *many)
{
    if (many->line_open) {
        write_error("\r\x1b[K");
    }
    many->line_open = false;
}

static void tick(void *context, uint64_t ended, uint64_t wanted)
{
    struct cli_many *many = context;
    int64_t now = cli_clock_ns();
    char line[64];

    if (cli_signals_came(&many->signals)) {
        close_line(many);
        if (!many->waiting) {
            cli_complain("interrupted: what runs is waited for; a second signal stops at once");
        }
        many->waiting = true;
    } else if (many->terminal) {
        (void)snprintf(line, sizeof(line), "\r%" PRIu64 " of %" PRIu64 " runs\x1b[K", ended,
                       wanted);
        write_error(line);
        many->line_open = true;
    } else if (now - many->said_ns >= PLAIN_NS) {
        many->said_ns = now;
        cli_complain("%" PRIu64 " of %" PRIu64 " runs", ended, wanted);
    }
}

static bool drain(void *context)
{
    struct cli_many *many = context;

    return cli_signals_came(&many->signals);
}

int cli_many_execute(struct cli_many *many, struct campaign_many *campaign, uint32_t first)
{
    struct campaign_many_events events = {many, drain, tick};
    enum campaign_many_result result;
    int code;

    many->said_ns = cli_clock_ns();
    result = campaign_many_execute(campaign, first, many->workers, &events);
    close_line(many);
    many->made += campaign->ended;
    code = cli_signals_exit(&many->signals);
    if (result == CAMPAIGN_MANY_OUTSIDE) {
        cli_complain("%s", campaign->message);
        return CLI_OUTSIDE;
    }
    if (result == CAMPAIGN_MANY_DRAINED && many->made == 0) {
        cli_complain("interrupted before the first run ended; there is no result");
        return code != CLI_DONE ? code : CLI_INCOMPLETE;
    }
    if (result == CAMPAIGN_MANY_DRAINED) {
        cli_complain("interrupted after %" PRIu64 " of %" PRIu64 " runs; the result is of these",
                     campaign->ended, (uint64_t)(campaign->n_cases - first) * campaign->n_seeds);
        many->drained = true;
    }
    return CLI_DONE;
}

int cli_many_judge(const struct campaign_many *campaign, uint32_t one, bool expectations)
{
    uint32_t shown = 0;
    int code = CLI_DONE;

    for (uint32_t r = 0; r < campaign->n_seeds; r++) {
        const struct campaign_many_run *run =
            &campaign->runs[(uint64_t)one * campaign->n_seeds + r];
        const struct results_record_facts *facts = &run->record.facts;

        if (!run->ended && run->failure == NULL) { // not made, after an interruption
            continue;
        }
        if (!run->ended) {
            if (shown++ < FAILURES_SHOWN) {
                cli_complain("seed %" PRIu64 ": the run has no result: %s", campaign->seeds[r],
                             run->failure);
            }
            code = cli_worse(code, CLI_OUTSIDE);
            continue;
        }
        code = cli_worse(code, facts->unexplained ? CLI_BUG : CLI_DONE);
        code = cli_worse(code, expectations && !facts->expectations_met ? CLI_FAILED : CLI_DONE);
        code = cli_worse(code, facts->limited ? CLI_INCOMPLETE : CLI_DONE);
    }
    if (shown > FAILURES_SHOWN) {
        cli_complain("and %" PRIu32 " more runs without a result", shown - FAILURES_SHOWN);
    }
    return code;
}
