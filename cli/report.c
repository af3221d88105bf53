// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup report`: what the runs of a database say, as a page, Markdown, a figure or data.
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/database_parts.h"
#include "results/overview.h"
#include "results/replace_file.h"

static const struct cli_option report_options[] = {
    {"o", "FILE", NULL, false, "where the report goes (DB with .html; - for the terminal)"},
    {"format", "html|md|svg|csv|json", "html|md|svg|csv|json", false,
     "page, table for a pull request, figure, or data (html)"},
    {"figure", "NAME", OVERVIEW_FIGURE_CHOICES, false, "svg: which one (pareto)"},
    {"axis", "NAME", NULL, false, "svg: of axis and heat (the axis that moves most)"},
    {"metric", "NAME", OVERVIEW_METRIC_CHOICES, false, "svg: of axis, heat and curve (lost-work)"},
    {"sweep", "NAME", NULL, false, "which sweep, by its name or the beginning of its key"},
};

struct report_command {
    const struct cli_program *program;
    const struct cli_arguments *arguments;
    const char *format;
    struct results_text path; // of the report; "-": standard output
    struct survey survey;
    struct results_text report;
};

// DB with its suffix replaced, in its folder.
static void default_path(struct report_command *c)
{
    const char *database = c->arguments->words[0];
    const char *name = strrchr(database, '/');
    const char *dot = strrchr(name != NULL ? name : database, '.');
    size_t size =
        dot != NULL && dot != name && dot != database ? (size_t)(dot - database) : strlen(database);

    results_text_bytes(&c->path, database, size);
    results_text_add(&c->path, ".html");
}

// The first bytes of an existing file tell whether it may be replaced: an earlier report may, and
// an empty file; a database, a scenario or a program may not.
static bool may_replace(const char *path, const char *format)
{
    static const struct {
        const char *format;
        const char *start;
    } starts[] = {{"html", "<!doctype html>\n<html lang=\"en\">\n<head>"},
                  {"md", "### "},
                  {"svg", "<svg "},
                  {"csv", "point_number,"},
                  {"json", "{\"schema\":1,\"sweep\":"}};
    char head[64];
    ssize_t size;
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return false;
    }
    size = read(fd, head, sizeof(head));
    (void)close(fd);
    for (size_t i = 0; size > 0 && i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t length = strlen(starts[i].start);

        if (strcmp(starts[i].format, format) == 0) {
            return (size_t)size >= length && memcmp(head, starts[i].start, length) == 0;
        }
    }
    return size == 0;
}

static int check_target(struct report_command *c)
{
    const char *database = c->arguments->words[0];
    const char *path = results_text_string(&c->path);
    struct stat a;
    struct stat b;

    if (path[0] == '\0') {
        cli_complain("-o: the name of the file is empty");
        return CLI_USAGE;
    }
    if (strcmp(path, "-") == 0 || stat(path, &b) != 0) {
        return CLI_DONE;
    }
    if (stat(database, &a) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
        cli_complain("-o: %s is the database, which would be lost", path);
        return CLI_USAGE;
    }
    if (S_ISDIR(b.st_mode)) {
        cli_complain("-o: %s is a folder; name a file in it", path);
        return CLI_USAGE;
    }
    if (S_ISREG(b.st_mode) && !may_replace(path, c->format)) {
        cli_complain("-o: %s exists and is no earlier report of this format; remove it, or "
                     "use another name",
                     path);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static int check(struct report_command *c)
{
    static const char *const of_svg[] = {"figure", "axis", "metric"};
    const char *output = cli_arguments_value(c->arguments, "o");
    const char *format = cli_arguments_value(c->arguments, "format");

    c->format = format != NULL ? format : "html";
    for (size_t i = 0; i < sizeof(of_svg) / sizeof(of_svg[0]); i++) {
        if (cli_arguments_value(c->arguments, of_svg[i]) != NULL && strcmp(c->format, "svg") != 0) {
            cli_complain("--%s goes with --format svg", of_svg[i]);
            return CLI_USAGE;
        }
    }
    if (output != NULL) {
        results_text_add(&c->path, output);
    } else if (strcmp(c->format, "html") == 0) {
        default_path(c);
    } else {
        results_text_add(&c->path, "-");
    }
    return check_target(c);
}

static int read_database(struct report_command *c)
{
    enum survey_status status =
        survey_read(&c->survey, c->arguments->words[0], cli_arguments_value(c->arguments, "sweep"));

    if (status != SURVEY_OK) {
        cli_complain_lines(&c->survey.database.message);
    }
    return status == SURVEY_OK ? CLI_DONE : status == SURVEY_USAGE ? CLI_USAGE : CLI_OUTSIDE;
}

// Where `name` stands in "a|b|c"; 0 for NULL.
static uint32_t choice_index(const char *choices, const char *name)
{
    uint32_t index = 0;

    for (const char *p = choices; name != NULL && *p != '\0'; index++) {
        size_t size = strcspn(p, "|");

        if (strlen(name) == size && memcmp(name, p, size) == 0) {
            return index;
        }
        p += size + (p[size] == '|' ? 1 : 0);
    }
    return 0;
}

static int choose_axis(struct report_command *c, struct overview_choice *choice)
{
    const char *name = cli_arguments_value(c->arguments, "axis");
    struct cli_nearest nearest;

    choice->axis = SURVEY_NONE;
    if (name == NULL) {
        return CLI_DONE;
    }
    cli_nearest_init(&nearest, name);
    for (uint32_t a = 0; a < c->survey.n_axes; a++) {
        if (strcmp(c->survey.axes[a].name, name) == 0) {
            choice->axis = a;
            return CLI_DONE;
        }
        cli_nearest_offer(&nearest, c->survey.axes[a].name);
    }
    cli_complain("--axis: the sweep has no axis '%s'%s%s%s", name,
                 nearest.best != NULL ? "; did you mean '" : "",
                 nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
    return CLI_USAGE;
}

static int make_figure(struct report_command *c)
{
    const char *name = cli_arguments_value(c->arguments, "figure");
    struct overview_choice choice = {.figure = OVERVIEW_PARETO};
    uint32_t figure = 0;
    const char *why = "";

    while (name != NULL && figure < OVERVIEW_FIGURES &&
           strcmp(overview_figure_name((enum overview_figure)figure), name) != 0) {
        figure++;
    }
    choice.figure = (enum overview_figure)figure;
    choice.metric = (enum survey_metric)choice_index(OVERVIEW_METRIC_CHOICES,
                                                     cli_arguments_value(c->arguments, "metric"));
    if (choose_axis(c, &choice) != CLI_DONE) {
        return CLI_USAGE;
    }
    if (!overview_svg(&c->survey, &choice, &c->report, &why)) {
        cli_complain("%s: there is no figure '%s': %s", c->arguments->words[0],
                     overview_figure_name(choice.figure), why);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

// A report is given away: it tells of no folder of whoever made it.
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int make(struct report_command *c)
{
    int code = 0;

    if (strcmp(c->format, "svg") == 0) {
        return make_figure(c);
    }
    if (strcmp(c->format, "html") == 0) {
        overview_html(&c->survey, base_name(c->program->name), &c->report);
    } else if (strcmp(c->format, "md") == 0) {
        overview_markdown(&c->survey, base_name(c->program->name), &c->report);
    } else if (strcmp(c->format, "csv") == 0) {
        code = overview_csv(&c->survey, &c->report);
    } else {
        code = overview_json(&c->survey, &c->report);
    }
    if (code != 0) {
        results_database_fail(&c->survey.database, code);
        cli_complain_lines(&c->survey.database.message);
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int deliver(struct report_command *c)
{
    const char *path = results_text_string(&c->path);
    struct cli_signals signals;
    int error;

    if (strcmp(path, "-") == 0) {
        return cli_output_result(&c->report);
    }
    // Only now, since a page in the making leaves nothing behind: the file is written whole.
    cli_signals_watch(&signals);
    if (cli_signals_came(&signals)) {
        return cli_signals_exit(&signals);
    }
    error = results_replace_file(path, &c->report, (uint64_t)getpid());
    if (error != 0) {
        cli_complain("%s: the report cannot be written: %s", path, strerror(error));
        return CLI_OUTSIDE;
    }
    cli_complain("%s: %llu runs at %u points", path, (unsigned long long)c->survey.n_runs,
                 c->survey.n_points);
    return cli_signals_exit(&signals);
}

static int report_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct report_command c;
    int code;

    memset(&c, 0, sizeof(c));
    c.program = program;
    c.arguments = arguments;
    results_text_init(&c.path);
    results_text_init(&c.report);
    code = check(&c);
    if (code == CLI_DONE) {
        code = read_database(&c);
        if (code == CLI_DONE) {
            code = make(&c);
        }
        if (code == CLI_DONE) {
            code = deliver(&c);
        }
        survey_release(&c.survey);
    }
    results_text_release(&c.report);
    results_text_release(&c.path);
    return code;
}

const struct cli_command cli_report = {
    .name = "report",
    .usage = "DB [OPTION]...",
    .summary = "Shows what the runs of a database say, as one page that opens offline.",
    .about =
        "DB is what recoup sweep or recoup run --db wrote; it is only read. A page is written\n"
        "beside it; the other formats go to standard output unless -o names a file. The\n"
        "same database gives the same bytes.\n\n"
        "Figures: pareto, requests and price (the front by bytes, requests and price),\n"
        "difference, axis, heat, causes, outage, curve, timeline. Metrics: lost-work, delay,\n"
        "makespan, outage, bytes, requests, price.\n\n",
    .options = report_options,
    .n_options = sizeof(report_options) / sizeof(report_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no database given: recoup report DB",
    .execute = report_execute,
};
