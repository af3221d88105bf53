// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup sweep`: all runs of a sweep file, into a database.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "campaigns/pool.h"
#include "campaigns/sweep.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/content_hash.h"

#define SWEEP_PLAIN_NS INT64_C(10000000000) // between lines where there is no terminal

static const struct cli_option sweep_options[] = {
    {"db", "FILE", NULL, false, "the SQLite file that takes the results"},
    {"j", "N", NULL, false, "worker processes (one per processor)"},
    {"dry-run", NULL, NULL, false, "show points, runs, time and disk; run nothing"},
    {"where", "EXPR", NULL, false, "only points for which it holds: 'min-pause > 30 s'"},
    {"retry", "STATE", "crashed|timeout|differs", false, "run again what ended so"},
    {"shard", "I/N", NULL, false, "only the I-th of N parts; recoup merge puts them together"},
    {"hash", "DB", NULL, false, "print the hash of a database's content; run nothing"},
};

struct sweep_command {
    const struct cli_arguments *arguments;
    struct scenario_sweep sweep;
    struct scenario_where where;
    bool filtered;
    struct campaign_sweep_options options;
    struct campaign_sweep_outcome outcome;
    struct cli_signals signals;
    bool terminal;
    bool line_open; // of the progress, on the terminal
    int64_t said_ns;
};

// --- progress ------------------------------------------------------------------------------------

static void write_error(const char *text, size_t size)
{
    // There is nobody left to tell when standard error fails.
    (void)results_write_bytes(STDERR_FILENO, text, size);
}

static void close_line(struct sweep_command *c)
{
    if (c->line_open) {
        write_error("\r\x1b[K", 4);
    }
    c->line_open = false;
}

static void show_progress(void *context, const char *line, int64_t now_ns)
{
    struct sweep_command *c = context;
    struct winsize size;
    int width = 80;
    char shown[512];

    if (!c->terminal) {
        if (now_ns - c->said_ns >= SWEEP_PLAIN_NS) {
            c->said_ns = now_ns;
            cli_complain("%s", line);
        }
        return;
    }
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
        width = size.ws_col;
    }
    (void)snprintf(shown, sizeof(shown), "\r%.*s\x1b[K", width - 1, line);
    write_error(shown, strlen(shown));
    c->line_open = true;
}

static void show_remark(void *context, const char *line)
{
    struct sweep_command *c = context;
    struct results_text text;

    close_line(c);
    results_text_init(&text);
    results_text_add(&text, line);
    cli_complain_lines(&text);
    results_text_release(&text);
}

static bool interrupted(void *context)
{
    struct sweep_command *c = context;

    return cli_signals_came(&c->signals);
}

// --- what was asked for --------------------------------------------------------------------------

// A whole decimal number from `least` to `most`.
static bool parse_number(const char *text, size_t size, uint32_t least, uint32_t most,
                         uint32_t *number)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || value > most) {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *number = (uint32_t)value;
    return size > 0 && value >= least && value <= most;
}

static int parse_shard(struct sweep_command *c, const char *text)
{
    size_t size = strcspn(text, "/");

    if (text[size] != '/' ||
        !parse_number(text + size + 1, strlen(text + size + 1), 1, 1000000, &c->options.shards) ||
        !parse_number(text, size, 1, c->options.shards, &c->options.shard)) {
        cli_complain("--shard: expected I/N with I from 1 to N, as in 1/3, found '%s'", text);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static int parse_options(struct sweep_command *c)
{
    const char *workers = cli_arguments_value(c->arguments, "j");
    const char *shard = cli_arguments_value(c->arguments, "shard");
    const char *retry = cli_arguments_value(c->arguments, "retry");

    c->options.database = cli_arguments_value(c->arguments, "db");
    c->options.shard = c->options.shards = 1;
    if (c->options.database != NULL && c->options.database[0] == '\0') {
        cli_complain("--db: the name of the file is empty");
        return CLI_USAGE;
    }
    if (c->options.database == NULL && cli_arguments_value(c->arguments, "dry-run") == NULL) {
        cli_complain("--db FILE is missing: the results need a place");
        return CLI_USAGE;
    }
    if (workers != NULL &&
        !parse_number(workers, strlen(workers), 1, CAMPAIGN_WORKERS_MAX, &c->options.workers)) {
        cli_complain("-j: expected 1 to %u, found '%s'", CAMPAIGN_WORKERS_MAX, workers);
        return CLI_USAGE;
    }
    if (retry != NULL) {
        c->options.retry = results_plan_state_find(retry);
    }
    return shard != NULL ? parse_shard(c, shard) : CLI_DONE;
}

static int load(struct sweep_command *c)
{
    int error = scenario_sweep_load(&c->sweep, c->arguments->words[0]);

    cli_complain_input(c->sweep.errors, c->sweep.n_errors, NULL);
    if (c->sweep.errors_cut) {
        cli_complain("more errors follow; mend these first");
    }
    cli_complain_input(c->sweep.warnings, c->sweep.n_warnings, "warning");
    if (error == SCENARIO_ENOMEM) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    return error == SCENARIO_OK ? CLI_DONE : CLI_USAGE;
}

static int load_where(struct sweep_command *c)
{
    const char *text = cli_arguments_value(c->arguments, "where");
    int error;

    if (text == NULL) {
        return CLI_DONE;
    }
    error = scenario_where_parse(&c->where, &c->sweep, "--where", text);
    cli_complain_input(c->where.errors, c->where.n_errors, NULL);
    c->options.where = &c->where;
    if (error == SCENARIO_ENOMEM) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    return error == SCENARIO_OK ? CLI_DONE : CLI_USAGE;
}

// --- the commands --------------------------------------------------------------------------------

static int hash(const char *path)
{
    struct results_database database;
    struct results_text text;
    char key[RESULTS_KEY_SIZE];
    int code = CLI_OUTSIDE;

    if (results_database_open_reading(&database, path) == RESULTS_READING &&
        results_content_hash(&database, key)) {
        results_text_init(&text);
        results_text_format(&text, "%s\n", key);
        code = cli_output_result(&text);
        results_text_release(&text);
    } else {
        cli_complain("%s", results_text_string(&database.message));
    }
    results_database_close(&database);
    return code;
}

static int print(struct results_text *text)
{
    int code = cli_output_result(text);

    results_text_release(text);
    return code;
}

static int look(struct sweep_command *c)
{
    struct results_text text;

    results_text_init(&text);
    if (!campaign_sweep_look(&c->options, &c->outcome, &text)) {
        results_text_release(&text);
        cli_complain("%s", results_text_string(&c->outcome.message));
        return c->outcome.refused ? CLI_USAGE : CLI_OUTSIDE;
    }
    return print(&text);
}

// The code of the runs, the worst first.
static int judge(const struct campaign_sweep_outcome *outcome)
{
    int code = outcome->states[RESULTS_PLAN_DIFFERS] > 0 ? CLI_NOT_DETERMINISTIC : CLI_DONE;

    code = cli_worse(code, outcome->bugs > 0 ? CLI_BUG : CLI_DONE);
    code = cli_worse(code, outcome->states[RESULTS_PLAN_FINDING] > 0 ? CLI_FAILED : CLI_DONE);
    code = cli_worse(code, outcome->states[RESULTS_PLAN_CRASHED] > 0 ? CLI_OUTSIDE : CLI_DONE);
    code = cli_worse(code, outcome->states[RESULTS_PLAN_TIMEOUT] > 0 ? CLI_INCOMPLETE : CLI_DONE);
    return cli_worse(code, outcome->drained ? CLI_INCOMPLETE : CLI_DONE);
}

static int run(struct sweep_command *c)
{
    struct results_text text;
    int code;

    c->terminal = isatty(STDERR_FILENO) == 1;
    c->said_ns = cli_clock_ns();
    cli_signals_watch(&c->signals);
    if (!campaign_sweep_run(&c->options, &c->outcome)) {
        close_line(c);
        cli_complain("%s", results_text_string(&c->outcome.message));
        return c->outcome.refused ? CLI_USAGE : CLI_OUTSIDE;
    }
    close_line(c);
    code = judge(&c->outcome);
    results_text_init(&text);
    if (!campaign_sweep_table(&c->options, &c->outcome, &text)) {
        results_text_release(&text);
        cli_complain("%s", results_text_string(&c->outcome.message));
        return cli_worse(code, CLI_OUTSIDE);
    }
    code = cli_worse(code, print(&text));
    if (c->outcome.drained) {
        cli_complain("interrupted after %" PRIu64 " runs; %" PRIu64 " are left: run the same "
                     "command again to go on",
                     c->outcome.ran, c->outcome.states[RESULTS_PLAN_PLANNED]);
        return cli_signals_exit(&c->signals) == CLI_TERMINATED ? CLI_TERMINATED : code;
    }
    return code;
}

static int sweep_all(struct sweep_command *c)
{
    int code = parse_options(c);

    if (code == CLI_DONE) {
        code = load(c);
    }
    if (code == CLI_DONE) {
        code = load_where(c);
    }
    if (code != CLI_DONE) {
        return code;
    }
    c->options.sweep = &c->sweep;
    c->options.version = RECOUP_VERSION;
    c->options.interrupted = interrupted;
    c->options.progress = show_progress;
    c->options.remark = show_remark;
    c->options.context = c;
    return cli_arguments_value(c->arguments, "dry-run") != NULL ? look(c) : run(c);
}

static int sweep_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    const char *hashed = cli_arguments_value(arguments, "hash");
    struct sweep_command c;
    int code;

    (void)program;
    if (hashed != NULL && (arguments->n_words > 0 || arguments->n_given > 1)) {
        cli_complain("--hash DB stands alone: recoup sweep --hash DB");
        return CLI_USAGE;
    }
    if (hashed != NULL) {
        return hash(hashed);
    }
    if (arguments->n_words == 0) {
        cli_complain("no sweep given: recoup sweep SWEEP --db FILE; see recoup sweep --help");
        return CLI_USAGE;
    }
    memset(&c, 0, sizeof(c));
    c.arguments = arguments;
    code = sweep_all(&c);
    campaign_sweep_outcome_release(&c.outcome);
    scenario_where_release(&c.where);
    scenario_sweep_release(&c.sweep);
    return code;
}

const struct cli_command cli_sweep = {
    .name = "sweep",
    .usage = "SWEEP --db FILE [OPTION]...",
    .summary = "Runs all points of a sweep file into a database.",
    .about =
        "The plan is written into the database first; what is done there is not done again, so\n"
        "the same command goes on after an interruption. SIGINT ends it once what runs has ended,\n"
        "a second one at once; the exit code is then 4, or that of what the runs found. One run\n"
        "in a hundred is made twice; a difference is exit code 5. docs/sweeps.md tells more.\n\n",
    .options = sweep_options,
    .n_options = sizeof(sweep_options) / sizeof(sweep_options[0]),
    .words_min = 0,
    .words_max = 1,
    .missing = "",
    .execute = sweep_execute,
};
