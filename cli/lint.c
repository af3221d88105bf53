// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup lint`: the resolved scenario, each value with its origin and source; warnings and advice.
#include <string.h>

#include "cli/output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "results/lint.h"

static const struct cli_option lint_options[] = {
    {"seed", "N", NULL, false, "as of recoup run"},
    {"set", "PATH=VALUE", NULL, true, "as of recoup run"},
    {"fault", "'{...}'", NULL, true, "as of recoup run"},
    {"format", "text|json", "text|json", false, "how the values are printed (text)"},
};

static int print(const struct scenario *scenario, bool json)
{
    struct results_text text;
    int code;

    results_text_init(&text);
    if (json) {
        results_lint_json(scenario, &text);
    } else {
        results_lint_text(scenario, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static void complain(const struct scenario *scenario)
{
    struct results_advice advice[RESULTS_ADVICE_MAX];
    uint32_t n_advice = results_advise(scenario, advice);

    cli_complain_input(scenario->errors, scenario->n_errors, NULL);
    if (scenario->errors_cut) {
        cli_complain("more errors follow; mend these first");
    }
    cli_complain_input(scenario->warnings, scenario->n_warnings, "warning");
    for (uint32_t i = 0; i < n_advice; i++) {
        cli_complain("advice: %s", advice[i].text);
    }
}

static int lint_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    const char *format = cli_arguments_value(arguments, "format");
    bool json = format != NULL && strcmp(format, "json") == 0;
    struct scenario scenario;
    struct cli_overrides overrides;
    int code = cli_overrides_collect(&overrides, arguments);

    (void)program;
    memset(&scenario, 0, sizeof(scenario));
    if (code == CLI_DONE) {
        int error = scenario_load(&scenario, arguments->words[0], &overrides.scenario);

        complain(&scenario);
        if (error == SCENARIO_ENOMEM) {
            cli_complain("out of memory");
            code = CLI_OUTSIDE;
        } else {
            code = error == SCENARIO_OK ? CLI_DONE : CLI_USAGE;
            if (code == CLI_DONE || json) {
                code = cli_worse(print(&scenario, json), code);
            }
        }
    }
    scenario_release(&scenario);
    cli_overrides_release(&overrides);
    return code;
}

const struct cli_command cli_lint = {
    .name = "lint",
    .usage = "SCENARIO [OPTION]...",
    .summary = "Checks a scenario and prints every value with its origin.",
    .about =
        "Each line is a path, its value, where the value comes from and, where it is no fact of\n"
        "Flink and was not given, that it is assumed. Exit code 2: the scenario is invalid.\n\n",
    .options = lint_options,
    .n_options = sizeof(lint_options) / sizeof(lint_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no scenario given: recoup lint SCENARIO",
    .execute = lint_execute,
};
