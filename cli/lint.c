// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup lint`: the resolved scenario, each value with its origin and source; warnings and advice.
#include <string.h>

#include "campaigns/scenario_files.h"
#include "cli/output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "results/lint.h"

static const struct cli_option lint_options[] = {
    {"seed", "N", NULL, false, "as of recoup run"},
    {"set", "PATH=VALUE", NULL, true, "as of recoup run"},
    {"fault", "'{...}'", NULL, true, "as of recoup run"},
    {"format", "text|json", "text|json", false, "how the values are printed (text)"},
    {"given", NULL, NULL, false, "only what was written: given, config, base, command line"},
    {"assumed", NULL, NULL, false, "only what is assumed (with --given: those, too)"},
    {"quiet", NULL, NULL, false, "messages alone; files that are no scenarios are left out"},
};

static int print(const struct scenario *scenario, const struct cli_arguments *arguments, bool json)
{
    struct results_lint_choice choice = {cli_arguments_value(arguments, "given") != NULL,
                                         cli_arguments_value(arguments, "assumed") != NULL};
    struct results_text text;
    int code;

    results_text_init(&text);
    if (json) {
        results_lint_json(scenario, &choice, &text);
    } else {
        results_lint_text(scenario, &choice, cli_width(RESULTS_PAGE_WIDTH_MAX), &text);
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

// One file. Returns its exit code.
static int lint_file(const struct cli_arguments *arguments,
                     const struct scenario_overrides *overrides, const char *path, bool values)
{
    const char *format = cli_arguments_value(arguments, "format");
    bool json = format != NULL && strcmp(format, "json") == 0;
    struct scenario scenario;
    int error = scenario_load(&scenario, path, overrides);
    int code = error == SCENARIO_OK ? CLI_DONE : CLI_USAGE;

    complain(&scenario);
    if (error == SCENARIO_ENOMEM) {
        cli_complain("out of memory");
        code = CLI_OUTSIDE;
    } else if (values && (code == CLI_DONE || json)) {
        code = cli_worse(print(&scenario, arguments, json), code);
    }
    scenario_release(&scenario);
    return code;
}

// Any list of files and folders, as a hook passes it.
static int lint_quietly(const struct cli_arguments *arguments,
                        const struct scenario_overrides *overrides)
{
    struct campaign_files files;
    int code = CLI_DONE;

    if (!campaign_files_sift(&files, arguments->words, arguments->n_words)) {
        cli_complain("%s", files.message);
        campaign_files_release(&files);
        return CLI_USAGE;
    }
    for (uint32_t i = 0; i < files.count; i++) {
        if (!files.list[i].serves) {
            code = cli_worse(code, lint_file(arguments, overrides, files.list[i].path, false));
        }
    }
    if (files.n_serving + files.n_other > 0) {
        cli_complain(
            "left out, since they are no scenarios: %u; since they have no 'about' and only "
            "serve as a base: %u",
            (unsigned)files.n_other, (unsigned)files.n_serving);
    }
    campaign_files_release(&files);
    return code;
}

static int lint_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    bool quiet = cli_arguments_value(arguments, "quiet") != NULL;
    bool values = cli_arguments_value(arguments, "format") != NULL ||
                  cli_arguments_value(arguments, "given") != NULL ||
                  cli_arguments_value(arguments, "assumed") != NULL;
    struct cli_overrides overrides;
    int code = cli_overrides_collect(&overrides, arguments);

    (void)program;
    if (code == CLI_DONE && (quiet || arguments->n_words > 1) && values) {
        cli_complain("--format, --given and --assumed are for the values of one scenario; name "
                     "one, without --quiet");
        code = CLI_USAGE;
    }
    if (code == CLI_DONE && quiet) {
        code = lint_quietly(arguments, &overrides.scenario);
    } else if (code == CLI_DONE) {
        for (uint32_t i = 0; i < arguments->n_words; i++) {
            code = cli_worse(code, lint_file(arguments, &overrides.scenario, arguments->words[i],
                                             arguments->n_words == 1));
        }
    }
    cli_overrides_release(&overrides);
    return code;
}

const struct cli_command cli_lint = {
    .name = "lint",
    .usage = "SCENARIO... [OPTION]...",
    .summary = "Checks a scenario and prints every value with its origin.",
    .about =
        "Several scenarios are checked one after the other, and no values are printed. With "
        "--quiet\n"
        "folders may be named, too; `recoup check --help` says which files in them are scenarios.\n"
        "Each line is a path, its value, where the value comes from and, where it is no fact of\n"
        "Flink and was not given, that it is assumed; what does not fit its column goes on a line\n"
        "of its own. Exit code 2: the scenario is invalid.\n\n",
    .options = lint_options,
    .n_options = sizeof(lint_options) / sizeof(lint_options[0]),
    .words_min = 1,
    .words_max = CLI_ARGUMENTS_MAX,
    .missing = "no scenario given: recoup lint SCENARIO",
    .execute = lint_execute,
};
