// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/many.h"
int cli_run_what_if(const struct cli_program *program, const struct cli_arguments *arguments)
{
    (void)program; (void)arguments; return 2;
}
