// SPDX-License-Identifier: GPL-3.0-or-later
//
// The program behind main(): finds the subcommand, parses its options, runs it.
#ifndef RECOUP_CLI_PROGRAM_H
#define RECOUP_CLI_PROGRAM_H

#include <stdint.h>

#include "cli/command.h"

int cli_main(int argc, char **argv);

// The monotonic clock, in ns.
int64_t cli_clock_ns(void);

// The texts of --help.
void cli_help_program(struct results_text *text);
void cli_help_command(const struct cli_command *command, struct results_text *text);

#endif
