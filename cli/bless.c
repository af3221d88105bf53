// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup bless`: accepts what scenarios do now.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "campaigns/bless.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/baseline_text.h"

static const struct cli_option bless_options[] = {
    {"why", "TEXT", NULL, false, "the reason, one line; it is kept in the baseline"},
    {"order-only", NULL, NULL, false, "refuse where more than the order of events changed"},
    {"dry-run", NULL, NULL, false, "show what would change, and write nothing"},
    {"name", "GLOB", NULL, false, "only scenarios whose name or path matches"},
    {"tag", "TAG", NULL, false, "only scenarios with this tag"},
    {"seed", "N", NULL, true, "a seed to cover (those covered, and the scenario's own)"},
    {"baselines", "DIR", NULL, false, "the folder of the baselines"},
};

struct bless_command {
    const struct cli_arguments *arguments;
    struct cli_signals signals;
    struct campaign_check check;
    struct campaign_bless bless;
    uint64_t seeds[SCENARIO_BASELINE_RUNS_MAX];
    struct sim_arena arena;
    uint32_t written, unchanged, refused, failed;
};

static int read_seeds(struct bless_command *c)
{
    for (uint32_t i = 0; i < c->arguments->n_given; i++) {
        const struct cli_given *given = &c->arguments->given[i];

        if (strcmp(c->arguments->command->options[given->option].name, "seed") != 0) {
            continue;
        }
        if (c->bless.n_seeds == SCENARIO_BASELINE_RUNS_MAX) {
            cli_complain("--seed: a baseline covers %u seeds at most", SCENARIO_BASELINE_RUNS_MAX);
            return CLI_USAGE;
        }
        if (!cli_parse_seed(given->value, &c->seeds[c->bless.n_seeds])) {
            cli_complain("--seed: expected a number from 0 to 9223372036854775807, decimal or "
                         "0x..., found '%s'",
                         given->value);
            return CLI_USAGE;
        }
        for (uint32_t k = 0; k < c->bless.n_seeds; k++) {
            if (c->seeds[k] == c->seeds[c->bless.n_seeds]) {
                cli_complain("--seed: %s is given twice; once is enough", given->value);
                return CLI_USAGE;
            }
        }
        c->bless.n_seeds++;
    }
    c->bless.seeds = c->bless.n_seeds > 0 ? c->seeds : NULL;
    return CLI_DONE;
}

static int read_options(struct bless_command *c)
{
    const char *problem;

    c->bless.why = cli_arguments_value(c->arguments, "why");
    c->bless.order_only = cli_arguments_value(c->arguments, "order-only") != NULL;
    c->bless.dry_run = cli_arguments_value(c->arguments, "dry-run") != NULL;
    c->bless.unique = (uint64_t)getpid();
    c->bless.arena = &c->arena;
    c->bless.check = &c->check;
    if (c->bless.why == NULL && !c->bless.dry_run) {
        cli_complain("no reason given: recoup bless PATH --why TEXT says why the change is right");
        return CLI_USAGE;
    }
    if (c->bless.why != NULL && !results_baseline_why_is_good(c->bless.why, &problem)) {
        cli_complain("--why: %s", problem);
        return CLI_USAGE;
    }
    return read_seeds(c);
}

static int prepare(struct bless_command *c, const struct cli_program *program)
{
    struct campaign_check_options options = {
        .program = program->name,
        .paths = c->arguments->words,
        .n_paths = c->arguments->n_words,
        .name = cli_arguments_value(c->arguments, "name"),
        .tag = cli_arguments_value(c->arguments, "tag"),
        .baselines = cli_arguments_value(c->arguments, "baselines"),
        .strict = true,
    };

    if (!campaign_check_prepare(&c->check, &options)) {
        cli_complain("%s", c->check.message);
        return CLI_USAGE;
    }
    if (c->check.count == 0) {
        cli_complain("no scenario is there; recoup check --help says which files are scenarios");
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static void count(struct bless_command *c, enum campaign_bless_status status)
{
    c->written += status == CAMPAIGN_BLESS_WRITTEN ? 1 : 0;
    c->unchanged += status == CAMPAIGN_BLESS_UNCHANGED ? 1 : 0;
    c->refused += status == CAMPAIGN_BLESS_REFUSED ? 1 : 0;
    c->failed += status == CAMPAIGN_BLESS_FAILED ? 1 : 0;
}

static int bless_item(struct bless_command *c, struct campaign_check_item *item)
{
    static const char *const words[] = {"unchanged", "accepted", "REFUSED", "FAILED"};
    enum campaign_bless_status status = CAMPAIGN_BLESS_REFUSED;
    struct results_text text;
    struct results_text line;
    int code;

    results_text_init(&text);
    results_text_init(&line);
    if (!item->loaded) {
        cli_complain_input(item->scenario.errors, item->scenario.n_errors, NULL);
        results_text_add(&text, "      the file is no valid scenario\n");
    } else if (!item->has_baseline && item->baseline.holder.n_errors > 0) {
        // Nothing is overwritten that somebody may want to mend.
        cli_complain_input(item->baseline.holder.errors, item->baseline.holder.n_errors, NULL);
        results_text_format(&text, "      %s cannot be read; mend or remove it\n",
                            item->baseline_path);
    } else {
        status = campaign_bless_one(&c->bless, item, &text);
    }
    count(c, status);
    results_text_format(&line, "%-9s  %s\n",
                        c->bless.dry_run && status == CAMPAIGN_BLESS_WRITTEN ? "differs"
                                                                             : words[status],
                        item->file->path);
    results_text_add(&line, results_text_string(&text));
    code = cli_output_result(&line);
    results_text_release(&text);
    results_text_release(&line);
    return code;
}

static int bless_all(struct bless_command *c)
{
    struct results_text total;
    int code = CLI_DONE;

    for (uint32_t i = 0; i < c->check.count && code == CLI_DONE; i++) {
        if (c->check.items[i].report.status != CAMPAIGN_CHECK_SKIPPED) {
            code = bless_item(c, &c->check.items[i]);
        }
        // Each baseline is whole, so that ending between two of them leaves nothing half done.
        code = cli_worse(code, cli_signals_exit(&c->signals));
    }
    results_text_init(&total);
    results_text_format(&total, "%" PRIu32 " %s, %" PRIu32 " unchanged, %" PRIu32 " refused",
                        c->written, c->bless.dry_run ? "would be accepted" : "accepted",
                        c->unchanged, c->refused);
    if (c->failed > 0) {
        results_text_format(&total, ", %" PRIu32 " failed", c->failed);
    }
    results_text_char(&total, '\n');
    code = cli_worse(code, cli_output_result(&total));
    results_text_release(&total);
    if (c->refused > 0) {
        code = cli_worse(code, CLI_FAILED);
    }
    return c->failed > 0 ? cli_worse(code, CLI_OUTSIDE) : code;
}

static int bless_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct bless_command c;
    int code;

    memset(&c, 0, sizeof(c));
    c.arguments = arguments;
    sim_arena_init(&c.arena, 0);
    code = read_options(&c);
    if (code == CLI_DONE) {
        code = prepare(&c, program);
        if (code == CLI_DONE) {
            cli_signals_watch(&c.signals);
            code = bless_all(&c);
        }
        campaign_check_release(&c.check);
    }
    sim_arena_release(&c.arena);
    return code;
}

const struct cli_command cli_bless = {
    .name = "bless",
    .usage = "PATH... --why TEXT [OPTION]...",
    .summary = "Accepts what scenarios do now as their baselines.",
    .about =
        "Shows first what changed: which layers of the fingerprint, from which events on, which\n"
        "metrics. A scenario that fails its own expectations is refused. Reasons, tolerances and\n"
        "gates in a baseline are kept, and so are comments at its front. Exit code 1: something "
        "was\n"
        "refused.\n\n",
    .options = bless_options,
    .n_options = sizeof(bless_options) / sizeof(bless_options[0]),
    .words_min = 1,
    .words_max = CLI_ARGUMENTS_MAX,
    .missing = "no path given: recoup bless PATH --why TEXT",
    .execute = bless_execute,
};
