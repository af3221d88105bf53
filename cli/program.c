// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "cli/program.h"

#include <string.h>
#include <time.h>

#include "cli/nearest.h"
#include "cli/output.h"

#ifndef RECOUP_VERSION
#error "RECOUP_VERSION is defined by the build"
#endif

int64_t cli_clock_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const struct cli_command *const *cli_commands(void)
{
    static const struct cli_command *const commands[] = {
        &cli_run,       &cli_curve, &cli_sweep, &cli_merge, &cli_report,
        &cli_recommend, &cli_check, &cli_bless, &cli_diff,  &cli_explain,
        &cli_lint,      &cli_list,  &cli_store, &cli_help,  NULL};

    return commands;
}

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *const *c = cli_commands(); *c != NULL; c++) {
        if (strcmp((*c)->name, name) == 0) {
            return *c;
        }
    }
    return NULL;
}

int cli_worse(int a, int b)
{
    static const int order[] = {
        CLI_INTERRUPTED, CLI_TERMINATED, CLI_INTERNAL, CLI_NOT_DETERMINISTIC, CLI_BUG,
        CLI_FAILED,      CLI_COVERAGE,   CLI_OUTSIDE,  CLI_INCOMPLETE,        CLI_USAGE};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return CLI_DONE;
}

static int print_text(void (*print)(struct results_text *text))
{
    struct results_text text;
    int code;

    results_text_init(&text);
    print(&text);
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static void print_version(struct results_text *text)
{
    results_text_add(text, "recoup " RECOUP_VERSION "\n");
}

static int unknown_command(const char *name)
{
    struct cli_nearest nearest;
    bool option = name[0] == '-';

    cli_nearest_init(&nearest, name);
    if (option) {
        cli_nearest_offer(&nearest, "--help");
        cli_nearest_offer(&nearest, "--version");
    }
    for (const struct cli_command *const *c = cli_commands(); !option && *c != NULL; c++) {
        cli_nearest_offer(&nearest, (*c)->name);
    }
    if (nearest.best != NULL) {
        cli_complain("unknown %s '%s'; did you mean '%s'?", option ? "option" : "command", name,
                     nearest.best);
    } else {
        cli_complain("unknown %s '%s'; recoup --help lists them", option ? "option" : "command",
                     name);
    }
    return CLI_USAGE;
}

static int command_help(const struct cli_command *command)
{
    struct results_text text;
    int code;

    results_text_init(&text);
    cli_help_command(command, &text);
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static int execute(const struct cli_program *program, const struct cli_command *command, int argc,
                   char **argv)
{
    struct cli_arguments arguments;
    struct results_text errors;
    int code = CLI_USAGE;

    results_text_init(&errors);
    if (!cli_arguments_parse(&arguments, command, argc, argv, &errors)) {
        cli_complain_lines(&errors);
    } else if (arguments.help) {
        code = command_help(command);
    } else {
        code = command->execute(program, &arguments);
    }
    cli_arguments_release(&arguments);
    results_text_release(&errors);
    return code;
}

static int dispatch(const struct cli_program *program, int argc, char **argv)
{
    const struct cli_command *command;

    if (argc < 2) {
        cli_complain("no command given; recoup --help lists them");
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return print_text(cli_help_program);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return print_text(print_version);
    }
    command = cli_command_find(argv[1]);
    return command == NULL ? unknown_command(argv[1])
                           : execute(program, command, argc - 2, argv + 2);
}

int cli_main(int argc, char **argv)
{
    struct cli_program program = {argc > 0 ? argv[0] : "recoup", cli_clock_ns()};
    int code;

    cli_output_prepare();
    code = dispatch(&program, argc, argv);
    return cli_worse(code, cli_output_close());
}
