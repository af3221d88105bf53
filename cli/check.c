// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup check`: every scenario below some paths, against its expectations and its baseline.
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaigns/check.h"
#include "campaigns/pool.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/check_report.h"
#include "results/replace_file.h"

#define WORKERS_MAX 4096u

static const struct cli_option check_options[] = {
    {"j", "N", NULL, false, "worker processes (as many as there are processors)"},
    {"name", "GLOB", NULL, false, "only scenarios whose name or path matches"},
    {"tag", "TAG", NULL, false, "only scenarios with this tag"},
    {"changed-since", "DIR", NULL, false, "only what differs from the baselines in this folder"},
    {"baselines", "DIR", NULL, false, "the folder of the baselines"},
    {"strict", NULL, NULL, false, "every difference fails, and so does a missing baseline"},
    {"format", "text|json", "text|json", false, "how the results are printed (text)"},
    {"tap", NULL, NULL, false, "print the results in the Test Anything Protocol"},
    {"junit", "FILE", NULL, false, "also write the results as JUnit XML"},
};

struct check_command {
    const struct cli_arguments *arguments;
    struct campaign_check check;
    struct cli_signals signals;
    struct results_check_case *cases; // one an item
    struct results_text out;
    enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_TAP } format;
    bool terminal; // progress is drawn there
    bool drawn;
    bool told;     // that a signal came
    uint32_t next; // item whose line is printed next
    uint32_t workers;
    int written; // exit code of writing to standard output
};

// --- progress and lines --------------------------------------------------------------------------

static void erase_progress(struct check_command *c)
{
    if (c->drawn) {
        (void)results_write_bytes(STDERR_FILENO, "\r\033[K", 4);
        c->drawn = false;
    }
}

static void tick(void *context, uint32_t ended, uint32_t selected)
{
    struct check_command *c = context;
    struct results_text line;

    if (!c->terminal) {
        return;
    }
    results_text_init(&line);
    results_text_format(&line, "\r\033[K[%u/%u]", (unsigned)ended, (unsigned)selected);
    (void)results_text_write(&line, STDERR_FILENO);
    results_text_release(&line);
    c->drawn = true;
}

static void fill_case(struct check_command *c, uint32_t index)
{
    struct campaign_check_item *item = &c->check.items[index];
    struct results_check_case *out = &c->cases[index];

    out->path = item->file->path;
    out->name = item->loaded ? item->scenario.name : item->file->path;
    out->passed = item->report.status == CAMPAIGN_CHECK_PASSED;
    out->skipped = item->report.status == CAMPAIGN_CHECK_SKIPPED;
    out->open = item->report.status == CAMPAIGN_CHECK_OPEN;
    out->code = item->report.code;
    out->details = results_text_string(&item->report.details);
    out->json = results_text_string(&item->report.json);
    out->wall_ns = item->wall_ns;
}

// Prints the lines of all items whose predecessors have ended.
static void print_lines(struct check_command *c)
{
    struct results_text lines;

    results_text_init(&lines);
    for (; c->next < c->check.count; c->next++) {
        if (c->check.items[c->next].report.status == CAMPAIGN_CHECK_OPEN) {
            break;
        }
        fill_case(c, c->next);
        if (c->format == FORMAT_TEXT) {
            results_check_line(&c->cases[c->next], &lines);
        }
    }
    if (lines.size > 0 && c->written == CLI_DONE) {
        erase_progress(c);
        c->written = cli_output_result(&lines);
    }
    results_text_release(&lines);
}

static bool drain(void *context)
{
    struct check_command *c = context;
    bool came = cli_signals_came(&c->signals);

    if (came && !c->told) {
        erase_progress(c);
        cli_complain("interrupted: what runs is waited for; interrupt again to end at once");
        c->told = true;
    }
    return came;
}

static void ended(void *context, struct campaign_check_item *item)
{
    (void)item;
    print_lines(context);
}

// --- the whole -----------------------------------------------------------------------------------

static int read_options(struct check_command *c)
{
    const char *workers = cli_arguments_value(c->arguments, "j");
    const char *format = cli_arguments_value(c->arguments, "format");
    bool tap = cli_arguments_value(c->arguments, "tap") != NULL;
    uint64_t number = campaign_pool_default_workers();

    if (workers != NULL &&
        (!cli_parse_seed(workers, &number) || number == 0 || number > WORKERS_MAX)) {
        cli_complain("-j: expected a number from 1 to %u, found '%s'", WORKERS_MAX, workers);
        return CLI_USAGE;
    }
    if (tap && format != NULL) {
        cli_complain("--tap and --format are two ways to print the same results; choose one");
        return CLI_USAGE;
    }
    c->workers = (uint32_t)number;
    c->format = tap                                             ? FORMAT_TAP
                : format != NULL && strcmp(format, "json") == 0 ? FORMAT_JSON
                                                                : FORMAT_TEXT;
    c->terminal = isatty(STDERR_FILENO) == 1;
    return CLI_DONE;
}

static bool is_folder(const char *path, const char *option)
{
    struct stat status;

    if (path == NULL || (stat(path, &status) == 0 && S_ISDIR(status.st_mode))) {
        return true;
    }
    cli_complain("--%s: %s is no folder", option, path);
    return false;
}

static int prepare(struct check_command *c, const struct cli_program *program)
{
    struct campaign_check_options options = {
        .program = program->name,
        .paths = c->arguments->words,
        .n_paths = c->arguments->n_words,
        .name = cli_arguments_value(c->arguments, "name"),
        .tag = cli_arguments_value(c->arguments, "tag"),
        .changed_since = cli_arguments_value(c->arguments, "changed-since"),
        .baselines = cli_arguments_value(c->arguments, "baselines"),
        .strict = cli_arguments_value(c->arguments, "strict") != NULL,
    };
    uint32_t selected = 0;

    if (!is_folder(options.changed_since, "changed-since") ||
        !is_folder(options.baselines, "baselines")) {
        return CLI_USAGE;
    }
    if (!campaign_check_prepare(&c->check, &options)) {
        cli_complain("%s", c->check.message);
        return CLI_USAGE;
    }
    for (uint32_t i = 0; i < c->check.count; i++) {
        selected += c->check.items[i].report.status == CAMPAIGN_CHECK_OPEN ? 1 : 0;
    }
    if (c->check.count == 0) {
        cli_complain("no scenario is there: a file is one when lines of it begin with 'version:' "
                     "and with 'job:' or 'base:' (%u other YAML files were seen)",
                     (unsigned)c->check.files.n_other);
        return CLI_USAGE;
    }
    if (selected == 0 && options.changed_since == NULL) {
        cli_complain("none of %u scenarios is selected by --name or --tag",
                     (unsigned)c->check.count);
        return CLI_USAGE;
    }
    if (c->check.files.n_serving > 0) {
        cli_complain("%u files only serve others, as a base or as the job of a sweep",
                     (unsigned)c->check.files.n_serving);
    }
    c->cases = calloc(c->check.count, sizeof(*c->cases));
    if (c->cases == NULL) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

// Of all that ran, and of what the outside did to it.
static int code_of(const struct check_command *c)
{
    int code = CLI_DONE;

    for (uint32_t i = 0; i < c->check.count; i++) {
        code = cli_worse(code, (int)c->check.items[i].report.code);
    }
    return code;
}

static void annotate(struct check_command *c)
{
    const char *github = getenv("GITHUB_ACTIONS");
    struct results_text text;

    if (github == NULL || strcmp(github, "true") != 0) {
        return;
    }
    results_text_init(&text);
    results_check_annotations(c->cases, c->check.count, &text);
    (void)results_text_write(&text, STDERR_FILENO);
    results_text_release(&text);
}

static int write_junit(struct check_command *c)
{
    const char *path = cli_arguments_value(c->arguments, "junit");
    struct results_text text;
    int error;

    if (path == NULL) {
        return CLI_DONE;
    }
    results_text_init(&text);
    results_check_junit(c->cases, c->check.count, &text);
    error = results_replace_file(path, &text, (uint64_t)getpid());
    results_text_release(&text);
    if (error != 0) {
        cli_complain("%s: the JUnit file could not be written: %s", path, strerror(error));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int report(struct check_command *c)
{
    struct results_text text;
    int code;

    results_text_init(&text);
    switch (c->format) {
    case FORMAT_JSON:
        results_check_json(c->cases, c->check.count, RECOUP_VERSION, &text);
        break;
    case FORMAT_TAP:
        results_check_tap(c->cases, c->check.count, &text);
        break;
    case FORMAT_TEXT:
        break;
    }
    if (c->format == FORMAT_TEXT) {
        results_check_total(c->cases, c->check.count, &text);
    }
    // What could not be written before is not tried, and not complained of, again.
    code = c->written != CLI_DONE ? c->written : cli_output_result(&text);
    results_text_release(&text);
    annotate(c);
    return cli_worse(code, write_junit(c));
}

static int run(struct check_command *c)
{
    struct campaign_check_events events = {c, ended, tick, drain};
    uint32_t result;

    print_lines(c); // what is skipped at the front
    result = campaign_check_execute(&c->check, c->workers, &events);
    erase_progress(c);
    for (uint32_t i = 0; i < c->check.count; i++) {
        fill_case(c, i);
    }
    if (result == CAMPAIGN_CODE_OUTSIDE) {
        cli_complain("%s", c->check.message);
        return CLI_OUTSIDE;
    }
    if (result == CAMPAIGN_CODE_INCOMPLETE) {
        cli_complain("what ran is reported, the rest is not; run it again");
    }
    if (cli_signals_exit(&c->signals) == CLI_TERMINATED) {
        return cli_worse(report(c), CLI_TERMINATED);
    }
    return cli_worse(cli_worse(code_of(c), report(c)),
                     result == CAMPAIGN_CODE_INCOMPLETE ? CLI_INCOMPLETE : CLI_DONE);
}

static int check_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct check_command c;
    int code;

    memset(&c, 0, sizeof(c));
    c.arguments = arguments;
    code = read_options(&c);
    if (code == CLI_DONE) {
        code = prepare(&c, program);
        if (code == CLI_DONE) {
            cli_signals_watch(&c.signals);
            code = run(&c);
        }
        campaign_check_release(&c.check);
    }
    free(c.cases);
    return code;
}

const struct cli_command cli_check = {
    .name = "check",
    .usage = "PATH... [OPTION]...",
    .summary = "Runs every scenario below the paths against its baseline.",
    .about =
        "A file below a folder is a scenario when lines of it begin with 'version:' and with\n"
        "'job:' or 'base:'; a base without 'about', and a sweep's job below it, only serve\n"
        "others. Baselines are NAME.yaml in the nearest folder 'baselines' or\n"
        "'results/baselines' upwards; `recoup bless` makes them. Another fingerprint fails while\n"
        "scenario, seed and version are the same; when one of these changed, a metric that got\n"
        "worse beyond its tolerance fails. Exit code 1: a scenario failed; 3: an invariant was\n"
        "broken that no active policy explains; 4: ended early by SIGINT.\n\n",
    .options = check_options,
    .n_options = sizeof(check_options) / sizeof(check_options[0]),
    .words_min = 1,
    .words_max = CLI_ARGUMENTS_MAX,
    .missing = "no path given: recoup check PATH...",
    .execute = check_execute,
};
