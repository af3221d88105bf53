// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup explain`: why something was found, or lost.
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include "campaigns/explain.h"
#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/replace_file.h"
#include "sim/error.h"

static const struct cli_option explain_options[] = {
    {"finding", "N", NULL, false, "the N-th finding of the run"},
    {"lost", "STAGE[SUBTASK]", NULL, false, "lost work of a subtask, or the stage's largest loss"},
    {"event", "N", NULL, false, "the N-th event of the run"},
    {"trace", "FILE", NULL, false, "also write the chain for ui.perfetto.dev"},
    {"seed", "N", NULL, false, "as of recoup run"},
    {"set", "PATH=VALUE", NULL, true, "as of recoup run"},
    {"fault", "'{...}'", NULL, true, "as of recoup run"},
};

struct explain_command {
    const struct cli_arguments *arguments;
    struct scenario scenario;
    struct cli_signals signals;
    struct sim_arena arena;
    struct campaign_explain explain;
};

static int load(struct explain_command *c)
{
    struct cli_overrides overrides;
    int code = cli_overrides_collect(&overrides, c->arguments);

    if (code == CLI_DONE) {
        int error = scenario_load(&c->scenario, c->arguments->words[0], &overrides.scenario);

        cli_complain_input(c->scenario.errors, c->scenario.n_errors, NULL);
        if (error == SCENARIO_ENOMEM) {
            cli_complain("out of memory");
        }
        code = error == SCENARIO_OK ? CLI_DONE : error == SCENARIO_ENOMEM ? CLI_OUTSIDE : CLI_USAGE;
    }
    cli_overrides_release(&overrides);
    return code;
}

static int unknown_stage(const struct explain_command *c, const char *name, size_t size)
{
    struct cli_nearest nearest;
    char typed[CLI_NEAREST_SIZE];

    size = size < sizeof(typed) - 1 ? size : sizeof(typed) - 1;
    memcpy(typed, name, size);
    typed[size] = '\0';
    cli_nearest_init(&nearest, typed);
    for (uint32_t i = 0; i < c->scenario.config.n_stages; i++) {
        cli_nearest_offer(&nearest, c->scenario.config.stages[i].name);
    }
    cli_complain("--lost: there is no stage '%s'%s%s%s", typed,
                 nearest.best != NULL ? "; did you mean '" : "",
                 nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
    return CLI_USAGE;
}

// "[12]" behind a stage's name; "" for the whole stage.
static bool read_subtask(const char *text, uint32_t *subtask)
{
    char digits[16];
    size_t size = strlen(text);
    uint64_t number;

    *subtask = UINT32_MAX;
    if (size == 0) {
        return true;
    }
    if (text[0] != '[' || text[size - 1] != ']' || size < 3 || size - 2 >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text + 1, size - 2);
    digits[size - 2] = '\0';
    if (!cli_parse_seed(digits, &number) || number >= UINT32_MAX) {
        return false;
    }
    *subtask = (uint32_t)number;
    return true;
}

static int read_lost(struct explain_command *c, const char *text)
{
    size_t size = strcspn(text, "[");

    c->explain.what = CAMPAIGN_EXPLAIN_LOST;
    for (uint32_t i = 0; i < c->scenario.config.n_stages; i++) {
        const struct model_stage *stage = &c->scenario.config.stages[i];

        if (strlen(stage->name) != size || memcmp(stage->name, text, size) != 0) {
            continue;
        }
        c->explain.stage = i;
        if (!read_subtask(text + size, &c->explain.subtask)) {
            cli_complain("--lost: expected STAGE or STAGE[SUBTASK], found '%s'", text);
            return CLI_USAGE;
        }
        if (stage->parallelism != 0 && c->explain.subtask != UINT32_MAX &&
            c->explain.subtask >= stage->parallelism) {
            cli_complain("--lost: stage %s has the subtasks 0 to %u", stage->name,
                         (unsigned)stage->parallelism - 1);
            return CLI_USAGE;
        }
        return CLI_DONE;
    }
    return unknown_stage(c, text, size);
}

static int read_number(struct explain_command *c, const char *option, const char *text,
                       enum campaign_explain_what what)
{
    c->explain.what = what;
    if (!cli_parse_seed(text, &c->explain.number) || c->explain.number == 0) {
        cli_complain("--%s: expected a number from 1 on, found '%s'", option, text);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static int read_options(struct explain_command *c)
{
    const char *finding = cli_arguments_value(c->arguments, "finding");
    const char *lost = cli_arguments_value(c->arguments, "lost");
    const char *event = cli_arguments_value(c->arguments, "event");
    int given = (finding != NULL ? 1 : 0) + (lost != NULL ? 1 : 0) + (event != NULL ? 1 : 0);

    if (given > 1) {
        cli_complain("--finding, --lost and --event each name one thing to explain; choose one");
        return CLI_USAGE;
    }
    if (given == 0 && cli_arguments_value(c->arguments, "trace") != NULL) {
        cli_complain("--trace: say what to explain, with --finding, --lost or --event");
        return CLI_USAGE;
    }
    if (finding != NULL) {
        return read_number(c, "finding", finding, CAMPAIGN_EXPLAIN_FINDING);
    }
    if (event != NULL) {
        return read_number(c, "event", event, CAMPAIGN_EXPLAIN_EVENT);
    }
    return lost != NULL ? read_lost(c, lost) : CLI_DONE;
}

static int write_trace(struct explain_command *c)
{
    const char *path = cli_arguments_value(c->arguments, "trace");
    struct results_text text;
    int error;

    if (path == NULL) {
        return CLI_DONE;
    }
    results_text_init(&text);
    campaign_explain_trace(&c->explain, &text);
    error = results_replace_file(path, &text, (uint64_t)getpid());
    results_text_release(&text);
    if (error != 0) {
        cli_complain("%s: the trace could not be written: %s", path, strerror(error));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int print(struct explain_command *c)
{
    struct results_text text;
    int code;

    results_text_init(&text);
    campaign_explain_text(&c->explain, &text);
    code = cli_output_result(&text);
    results_text_release(&text);
    return cli_worse(code, write_trace(c));
}

static int run(struct explain_command *c)
{
    struct results_text message;
    int error = 0;
    int code = CLI_DONE;

    c->explain.scenario = &c->scenario;
    c->explain.arena = &c->arena;
    c->explain.interrupted = cli_signals_came;
    c->explain.interrupted_context = &c->signals;
    results_text_init(&message);
    switch (campaign_explain_run(&c->explain, &error, &message)) {
    case CAMPAIGN_EXPLAIN_OK:
        code = print(c);
        break;
    case CAMPAIGN_EXPLAIN_ABSENT:
        cli_complain("%s", results_text_string(&message));
        code = CLI_FAILED;
        break;
    case CAMPAIGN_EXPLAIN_RUN:
        cli_complain("the run has no result: %s", sim_strerror(error));
        code = error == SIM_EINTERRUPTED ? CLI_DONE : CLI_OUTSIDE;
        break;
    }
    results_text_release(&message);
    return cli_worse(code, cli_signals_exit(&c->signals));
}

static int explain_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct explain_command c;
    int code;

    (void)program;
    memset(&c, 0, sizeof(c));
    c.arguments = arguments;
    sim_arena_init(&c.arena, 0);
    code = load(&c);
    if (code == CLI_DONE) {
        code = read_options(&c);
    }
    if (code == CLI_DONE) {
        cli_signals_watch(&c.signals);
        code = run(&c);
    }
    campaign_explain_release(&c.explain);
    sim_arena_release(&c.arena);
    scenario_release(&c.scenario);
    return code;
}

const struct cli_command cli_explain = {
    .name = "explain",
    .usage = "SCENARIO [--finding N | --lost STAGE[SUBTASK] | --event N] [OPTION]...",
    .summary = "Follows a finding or lost work back to its causes.",
    .about =
        "Prints the event in which it was decided, the event that scheduled that one, and so on\n"
        "back to the start, with the faults that struck on the way. Without a choice it lists "
        "what\n"
        "was found and lost. Exit code 1: there is no such finding, loss or event.\n\n",
    .options = explain_options,
    .n_options = sizeof(explain_options) / sizeof(explain_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no scenario given: recoup explain SCENARIO",
    .execute = explain_execute,
};
