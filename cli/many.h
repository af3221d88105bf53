// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the commands that make many runs of one scenario share: --runs, -j, progress, SIGINT.
#ifndef RECOUP_CLI_MANY_H
#define RECOUP_CLI_MANY_H

#include "campaigns/many.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "cli/signals.h"

struct cli_many {
    const struct cli_program *program;
    const struct cli_arguments *arguments;
    struct cli_overrides overrides;
    struct cli_signals signals;
    uint32_t workers;
    uint32_t runs;
    bool terminal;
    bool line_open; // of the progress, on the terminal
    bool drained;   // a signal came before all runs were made; some were
    bool waiting;   // it was said that what runs is waited for
    uint64_t made;  // runs, by all calls of cli_many_execute
    int64_t said_ns;
};

// Reads the options; `runs` where --runs is not given. Returns CLI_DONE, or another code after a
// message. To be released in both cases.
int cli_many_init(struct cli_many *many, const struct cli_program *program,
                  const struct cli_arguments *arguments, uint32_t runs);
void cli_many_release(struct cli_many *many);

// Loads the scenario with the options of the command line and further `sets`, and says what is
// wrong with it.
int cli_many_load(struct cli_many *many, const char *const *sets, uint32_t n_sets,
                  struct scenario *scenario);
// Makes the runs of the cases from `first` on. CLI_DONE: at least one has been made, and all unless
// `drained`.
int cli_many_execute(struct cli_many *many, struct campaign_many *campaign, uint32_t first);
// The worst code of a case's runs, after a message where a run has no result.
int cli_many_judge(const struct campaign_many *campaign, uint32_t one, bool expectations);
// A whole number from `least` to `most` given to an option; `number` stays when it is not given.
int cli_many_number(const struct cli_arguments *arguments, const char *option, uint32_t least,
                    uint32_t most, uint32_t *number);
bool cli_many_is_json(const struct cli_arguments *arguments);

// `recoup run` with --runs, or with --what-if.
int cli_run_many(const struct cli_program *program, const struct cli_arguments *arguments);
int cli_run_what_if(const struct cli_program *program, const struct cli_arguments *arguments);

#endif
