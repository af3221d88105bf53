// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "results/shell.h"

static int collect_one(struct cli_overrides *overrides, const char *name, const char *value)
{
    struct scenario_overrides *scenario = &overrides->scenario;

    if (strcmp(name, "set") == 0) {
        if (strchr(value, '=') == NULL || value[0] == '=') {
            cli_complain("--set: expected PATH=VALUE, found '%s'",
                         scenario_key_is_secret(value) ? "***" : value);
            return CLI_USAGE;
        }
        overrides->sets[scenario->n_sets++] = value;
    } else if (strcmp(name, "fault") == 0) {
        overrides->faults[scenario->n_faults++] = value;
    } else if (strcmp(name, "seed") == 0) {
        scenario->seed_given = true;
        if (!cli_parse_seed(value, &scenario->seed)) {
            cli_complain("--seed: expected a number from 0 to 9223372036854775807, decimal or "
                         "0x..., found '%s'",
                         value);
            return CLI_USAGE;
        }
    }
    return CLI_DONE;
}

int cli_overrides_collect(struct cli_overrides *overrides, const struct cli_arguments *arguments)
{
    int code = CLI_DONE;

    memset(overrides, 0, sizeof(*overrides));
    overrides->sets = calloc((size_t)arguments->n_given + 1, sizeof(*overrides->sets));
    overrides->faults = calloc((size_t)arguments->n_given + 1, sizeof(*overrides->faults));
    if (overrides->sets == NULL || overrides->faults == NULL) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    for (uint32_t i = 0; i < arguments->n_given; i++) {
        const struct cli_given *given = &arguments->given[i];
        const char *name = arguments->command->options[given->option].name;

        code = cli_worse(code, collect_one(overrides, name, given->value));
    }
    overrides->scenario.sets = overrides->sets;
    overrides->scenario.faults = overrides->faults;
    return code;
}

void cli_overrides_release(struct cli_overrides *overrides)
{
    free(overrides->sets);
    free(overrides->faults);
    memset(overrides, 0, sizeof(*overrides));
}

void cli_shell_word(struct results_text *text, const char *word)
{
    results_shell_word(text, word);
}

// Options that change what is computed; the others change where it goes.
static bool changes_result(const char *name)
{
    return strcmp(name, "seed") == 0 || strcmp(name, "set") == 0 || strcmp(name, "fault") == 0 ||
           strcmp(name, "invariants") == 0 || strcmp(name, "tie-seed") == 0;
}

// Command, files, and the options that matter.
static void repeat_words(struct results_text *text, const struct cli_arguments *arguments,
                         const char *command, bool with_seed)
{
    results_text_add(text, command);
    for (uint32_t i = 0; i < arguments->n_words; i++) {
        results_text_char(text, ' ');
        results_shell_file(text, arguments->words[i]);
    }
    for (uint32_t i = 0; i < arguments->n_given; i++) {
        const struct cli_given *given = &arguments->given[i];
        const struct cli_option *option = &arguments->command->options[given->option];

        if (changes_result(option->name) && (with_seed || strcmp(option->name, "seed") != 0)) {
            results_text_format(text, " --%s ", option->name);
            if (strcmp(option->name, "set") == 0) {
                results_shell_set(text, given->value);
            } else {
                results_shell_word(text, given->value);
            }
        }
    }
}

static void repeat(struct results_text *text, const struct cli_program *program,
                   const struct cli_arguments *arguments, const char *command, bool with_seed)
{
    cli_shell_word(text, program->name);
    results_text_char(text, ' ');
    repeat_words(text, arguments, command, with_seed);
}

void cli_command_words(struct results_text *text, const struct cli_arguments *arguments)
{
    repeat_words(text, arguments, "run", false);
}

void cli_command_repeat(struct results_text *text, const struct cli_program *program,
                        const struct cli_arguments *arguments)
{
    repeat(text, program, arguments, arguments->command->name, true);
}

void cli_command_but_seed(struct results_text *text, const struct cli_program *program,
                          const struct cli_arguments *arguments)
{
    repeat(text, program, arguments, arguments->command->name, false);
}

void cli_command_run(struct results_text *text, const struct cli_program *program,
                     const struct cli_arguments *arguments)
{
    repeat(text, program, arguments, "run", true);
}
