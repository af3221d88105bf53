// SPDX-License-Identifier: GPL-3.0-or-later
//
// Subcommands and their options as tables. `--help`, parsing and messages all come from them, so
// they cannot disagree.
#ifndef RECOUP_CLI_COMMAND_H
#define RECOUP_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "results/text.h"

#define CLI_OPTIONS_MAX 24u     // of one command
#define CLI_ARGUMENTS_MAX 4096u // words behind the command

// Exit codes (contract.md section 1).
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1, // an expectation was not met
    CLI_USAGE = 2,  // nothing ran
    CLI_BUG = 3,    // a finding that no active policy explains
    CLI_INCOMPLETE = 4,
    CLI_NOT_DETERMINISTIC = 5,
    CLI_COVERAGE = 6,
    CLI_OUTSIDE = 7, // the outside world failed
    CLI_INTERNAL = 70,
    CLI_INTERRUPTED = 130,
    CLI_TERMINATED = 143
};

struct cli_option {
    const char *name;     // without the dashes; of one letter: it is given with one, -j 4 or -j4
    const char *argument; // "FILE"; NULL: a flag
    const char *choices;  // "text|json": the only values allowed; NULL: any
    bool repeats;         // may be given several times
    const char *help;     // one line
};

// What the whole program knows. There is no other state.
struct cli_program {
    const char *name;   // as it was called
    int64_t started_ns; // monotonic clock
};

struct cli_arguments;

struct cli_command {
    const char *name;
    const char *usage;   // behind the name: "SCENARIO [OPTION]..."
    const char *summary; // one line
    const char *about;   // paragraphs for --help
    const struct cli_option *options;
    uint32_t n_options;
    uint32_t words_min; // arguments that are no options
    uint32_t words_max;
    const char *missing; // what to say when words_min is not reached
    int (*execute)(const struct cli_program *program, const struct cli_arguments *arguments);
};

struct cli_given {
    uint32_t option;   // index into the command's options
    const char *value; // "" for a flag
};

// A command line, parsed. Texts are borrowed from argv.
struct cli_arguments {
    const struct cli_command *command;
    const char **words;
    uint32_t n_words;
    struct cli_given *given; // in the order of the command line
    uint32_t n_given;
    bool help;
};

// All commands, in the order of `recoup --help`; NULL ends the list.
const struct cli_command *const *cli_commands(void);
// By name; NULL if there is none.
const struct cli_command *cli_command_find(const char *name);

// Parses the words behind the command. Returns true; else `errors` holds one line per mistake. To
// be released in both cases. Long options are never abbreviated, `--name VALUE` or
// `--name=VALUE`, anywhere; `--` ends them.
bool cli_arguments_parse(struct cli_arguments *arguments, const struct cli_command *command,
                         int argc, char **argv, struct results_text *errors);
void cli_arguments_release(struct cli_arguments *arguments); // accepts a zeroed one
// The value of an option that is given at most once; NULL when it is not given.
const char *cli_arguments_value(const struct cli_arguments *arguments, const char *name);

// A number from 0 to 2^63 - 1, decimal or 0x; false when the text is anything else.
bool cli_parse_seed(const char *text, uint64_t *seed);

// Of two exit codes the one that wins (70, 5, 3, 1, 6, 7, 4).
int cli_worse(int a, int b);

// The commands themselves, one file each.
extern const struct cli_command cli_run;
extern const struct cli_command cli_curve;
extern const struct cli_command cli_lint;
extern const struct cli_command cli_check;
extern const struct cli_command cli_bless;
extern const struct cli_command cli_diff;
extern const struct cli_command cli_explain;
extern const struct cli_command cli_sweep;
extern const struct cli_command cli_merge;
extern const struct cli_command cli_list;
extern const struct cli_command cli_store;
extern const struct cli_command cli_report;
extern const struct cli_command cli_recommend;
extern const struct cli_command cli_help;

#endif
