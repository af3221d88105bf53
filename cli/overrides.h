// SPDX-License-Identifier: GPL-3.0-or-later
//
// --seed, --set and --fault of a command line, as the loader takes them, and as one would type them
// again.
#ifndef RECOUP_CLI_OVERRIDES_H
#define RECOUP_CLI_OVERRIDES_H

#include "cli/command.h"
#include "scenarios/scenario.h"

struct cli_overrides {
    struct scenario_overrides scenario;
    const char **sets;
    const char **faults;
};

// Returns CLI_DONE, or another code after a message. To be released in both cases.
int cli_overrides_collect(struct cli_overrides *overrides, const struct cli_arguments *arguments);
void cli_overrides_release(struct cli_overrides *overrides);

// The command that repeats a run, quoted for a shell: what changes the result, nothing else.
void cli_command_repeat(struct results_text *text, const struct cli_program *program,
                        const struct cli_arguments *arguments);
// The same without its seed, so that another can be put behind it.
void cli_command_but_seed(struct results_text *text, const struct cli_program *program,
                          const struct cli_arguments *arguments);
// The same without program and seed, as a database keeps it: "run q72.yaml --set a=b".
void cli_command_words(struct results_text *text, const struct cli_arguments *arguments);
// `recoup run` with what another command was given.
void cli_command_run(struct results_text *text, const struct cli_program *program,
                     const struct cli_arguments *arguments);
// One word, quoted where a shell would not take it as it stands.
void cli_shell_word(struct results_text *text, const char *word);

#endif
