// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup help`, and the texts of --help, from the tables of commands and options.
#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/program.h"

#define HELP_COLUMN 26u

void cli_help_program(struct results_text *text)
{
    results_text_add(
        text,
        "Usage: recoup COMMAND [ARGUMENT]...\n"
        "\n"
        "When the master of a long batch job dies, how much finished work comes back, and what\n"
        "does that protection cost in I/O? Recoup answers by running the real event store and\n"
        "recovery code in a deterministic simulation of the cluster around it.\n"
        "\n"
        "Commands:\n");
    for (const struct cli_command *const *c = cli_commands(); *c != NULL; c++) {
        results_text_format(text, "  %-10s %s\n", (*c)->name, (*c)->summary);
    }
    results_text_add(
        text,
        "\n"
        "Options:\n"
        "  --help     this text; recoup COMMAND --help says more about one command\n"
        "  --version  the version\n"
        "\n"
        "Exit codes:\n"
        "  0  done, expectations met             4  cut short at a limit\n"
        "  1  an expectation was not met         5  not deterministic: two equal runs differ\n"
        "  2  usage or invalid input; no run     7  a file, disk or pipe failed\n"
        "  3  an invariant was broken that no   70  internal error\n"
        "     active policy explains: a bug     130, 143  ended by SIGINT, SIGTERM or SIGHUP\n"
        "When several apply, the first of 70, 5, 3, 1, 7, 4 wins.\n");
}

static void option_line(struct results_text *text, const char *left, const char *help)
{
    if (strlen(left) + 2 > HELP_COLUMN - 1) {
        results_text_format(text, "  %s\n%*s%s\n", left, (int)HELP_COLUMN, "", help);
    } else {
        results_text_format(text, "  %-*s%s\n", (int)HELP_COLUMN - 2, left, help);
    }
}

void cli_help_command(const struct cli_command *command, struct results_text *text)
{
    results_text_format(text, "Usage: recoup %s %s\n\n%s\n\n%sOptions:\n", command->name,
                        command->usage, command->summary, command->about);
    for (uint32_t i = 0; i < command->n_options; i++) {
        const struct cli_option *option = &command->options[i];
        char left[96];

        (void)snprintf(left, sizeof(left), "%s%s%s%s%s", option->name[1] == '\0' ? "-" : "--",
                       option->name, option->argument != NULL ? " " : "",
                       option->argument != NULL ? option->argument : "",
                       option->repeats ? " ..." : "");
        option_line(text, left, option->help);
    }
    option_line(text, "--help", "this text");
}

static int help_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    const struct cli_command *command = NULL;
    struct results_text text;
    int code;

    (void)program;
    if (arguments->n_words > 0) {
        command = cli_command_find(arguments->words[0]);
        if (command == NULL) {
            struct cli_nearest nearest;

            cli_nearest_init(&nearest, arguments->words[0]);
            for (const struct cli_command *const *c = cli_commands(); *c != NULL; c++) {
                cli_nearest_offer(&nearest, (*c)->name);
            }
            cli_complain("there is no command '%s'%s%s%s", arguments->words[0],
                         nearest.best != NULL ? "; did you mean '" : "; recoup --help lists them",
                         nearest.best != NULL ? nearest.best : "",
                         nearest.best != NULL ? "'?" : "");
            return CLI_USAGE;
        }
    }
    results_text_init(&text);
    if (command == NULL) {
        cli_help_program(&text);
    } else {
        cli_help_command(command, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

const struct cli_command cli_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Shows the help of a command.",
    .about = "",
    .words_max = 1,
    .execute = help_execute,
};
