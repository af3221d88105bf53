// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup diff`: where two runs part.
#include <string.h>

#include "campaigns/diff.h"
#include "cli/output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "cli/signals.h"

static const struct cli_option diff_options[] = {
    {"with", "PROGRAM", NULL, false, "B is A's scenario, run by this other build of recoup"},
    {"seed", "N", NULL, false, "seed of both runs, as of recoup run"},
    {"set", "PATH=VALUE", NULL, true, "change one value in both runs"},
    {"fault", "'{...}'", NULL, true, "add a fault to both runs"},
    {"seed-b", "N", NULL, false, "seed of B alone"},
    {"set-b", "PATH=VALUE", NULL, true, "change one value in B alone"},
    {"tie-seed-b", "N", NULL, false, "serve events of one instant in another order in B alone"},
};

struct diff_command {
    struct campaign_side sides[2];
    struct cli_overrides overrides[2];
    struct cli_signals signals;
};

// The options of B are those of A and its own.
static int collect(struct diff_command *c, const struct cli_arguments *arguments)
{
    int code = cli_overrides_collect(&c->overrides[0], arguments);
    struct scenario_overrides *b = &c->overrides[1].scenario;
    uint64_t tie_seed = 0;

    code = cli_worse(code, cli_overrides_collect(&c->overrides[1], arguments));
    for (uint32_t i = 0; i < arguments->n_given && code == CLI_DONE; i++) {
        const char *name = arguments->command->options[arguments->given[i].option].name;
        const char *value = arguments->given[i].value;
        bool seed = strcmp(name, "seed-b") == 0;

        if (strcmp(name, "set-b") == 0) {
            c->overrides[1].sets[b->n_sets++] = value;
        } else if (seed || strcmp(name, "tie-seed-b") == 0) {
            if (!cli_parse_seed(value, seed ? &b->seed : &tie_seed)) {
                cli_complain("--%s: expected a number from 0 to 9223372036854775807, found '%s'",
                             name, value);
                code = CLI_USAGE;
            }
            b->seed_given = b->seed_given || seed;
        }
    }
    c->sides[0].overrides = c->overrides[0].scenario;
    c->sides[1].overrides = c->overrides[1].scenario;
    c->sides[1].tie_seed = tie_seed;
    return code;
}

static int choose(struct diff_command *c, const struct cli_arguments *arguments)
{
    const char *program = cli_arguments_value(arguments, "with");

    if (program == NULL && arguments->n_words != 2) {
        cli_complain("one run given; name a second one, or another build: recoup diff A B, recoup "
                     "diff --with PROGRAM A");
        return CLI_USAGE;
    }
    if (program != NULL && (arguments->n_words != 1 || c->sides[1].tie_seed != 0)) {
        cli_complain("--with runs the one scenario that is given with another build; it takes no "
                     "second one and no --tie-seed-b");
        return CLI_USAGE;
    }
    c->sides[0].path = arguments->words[0];
    c->sides[1].path = arguments->words[arguments->n_words - 1];
    c->sides[1].program = program;
    for (uint32_t i = 0; i < 2; i++) {
        c->sides[i].interrupted = cli_signals_came;
        c->sides[i].interrupted_context = &c->signals;
    }
    return CLI_DONE;
}

static int side_code(const struct diff_command *c, struct campaign_side *side,
                     enum campaign_side_status status)
{
    const char *message = results_text_string(&side->message);

    cli_complain_input(side->scenario.errors, side->scenario.n_errors, NULL);
    if (message[0] != '\0') {
        cli_complain("%s", message);
    }
    switch (status) {
    case CAMPAIGN_SIDE_OK:
        return CLI_DONE;
    case CAMPAIGN_SIDE_INVALID:
        return CLI_USAGE;
    case CAMPAIGN_SIDE_INTERRUPTED:
        cli_complain("interrupted; nothing is known about the difference");
        return cli_signals_exit(&c->signals);
    case CAMPAIGN_SIDE_FIXED:
    case CAMPAIGN_SIDE_OUTSIDE:
        break;
    }
    return CLI_OUTSIDE;
}

static int compare(struct diff_command *c)
{
    struct campaign_diff diff = {&c->sides[0], &c->sides[1], CAMPAIGN_SIDE_OK};
    struct results_text text;
    enum campaign_diff_status status;
    int code = CLI_DONE;

    results_text_init(&text);
    status = campaign_diff_run(&diff, &text);
    if (status == CAMPAIGN_DIFF_A || status == CAMPAIGN_DIFF_B) {
        code = side_code(c, &c->sides[status == CAMPAIGN_DIFF_A ? 0 : 1], diff.status);
    } else {
        code = cli_output_result(&text);
    }
    results_text_release(&text);
    if (status == CAMPAIGN_DIFF_CONTRADICTORY) {
        code = cli_worse(code, CLI_NOT_DETERMINISTIC);
    } else if (status == CAMPAIGN_DIFF_DIFFERENT) {
        code = cli_worse(code, CLI_FAILED);
    }
    return cli_worse(code, cli_signals_exit(&c->signals));
}

static int diff_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct diff_command c;
    int code;

    (void)program;
    memset(&c, 0, sizeof(c));
    code = collect(&c, arguments);
    code = code == CLI_DONE ? choose(&c, arguments) : code;
    if (code == CLI_DONE) {
        cli_signals_watch(&c.signals);
        for (uint32_t i = 0; i < 2; i++) {
            code = cli_worse(code, side_code(&c, &c.sides[i], campaign_side_open(&c.sides[i])));
        }
        code = code == CLI_DONE ? compare(&c) : code;
        campaign_side_close(&c.sides[0]);
        campaign_side_close(&c.sides[1]);
    }
    cli_overrides_release(&c.overrides[0]);
    cli_overrides_release(&c.overrides[1]);
    return code;
}

const struct cli_command cli_diff = {
    .name = "diff",
    .usage = "A B [OPTION]... | --with PROGRAM A [OPTION]...",
    .summary = "Finds the first event in which two runs differ, and its causes.",
    .about =
        "A and B are scenarios, or trails that `recoup run --trail FILE` recorded, perhaps with\n"
        "another build or on another machine. Exit code 0: the runs are equal; 1: they differ; 5:\n"
        "they differ although scenario, settings, seed and version are the same.\n\n",
    .options = diff_options,
    .n_options = sizeof(diff_options) / sizeof(diff_options[0]),
    .words_min = 1,
    .words_max = 2,
    .missing = "no run given: recoup diff A B",
    .execute = diff_execute,
};
