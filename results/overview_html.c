// SPDX-License-Identifier: GPL-3.0-or-later
//
// The report as one page that opens offline: complete without scripts, every figure drawn here,
// once for a wide page and once for a narrow one. Scripts sort the table and, where uPlot was built
// in, turn figures into plots that zoom.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/overview_parts.h"
#include "results/timeline.h"
#include "results/web.h"

#define SEEDS_SPAN UINT64_C(1000000) // up to which a range of seeds is told by its ends

struct html {
    const struct survey *survey;
    const char *program;
    struct results_text *text;
};

static void add(struct html *page, const char *markup)
{
    results_text_add(page->text, markup);
}

static void file(struct html *page, const struct results_web_file *web)
{
    results_text_bytes(page->text, web->bytes, web->size);
}

static void escaped(struct html *page, const char *string)
{
    results_markup(page->text, string);
}

// --- head ----------------------------------------------------------------------------------------

static void head(struct html *page)
{
    add(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
              "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
              "<meta name=\"generator\" content=\"recoup ");
    escaped(page, page->survey->versions);
    add(page, "\">\n<title>");
    escaped(page, page->survey->name);
    add(page, " \xc2\xb7 Recoup report</title>\n<style>\n");
    file(page, &results_web_figure_css);
    file(page, &results_web_page_css);
    file(page, &results_web_uplot_css);
    add(page, "</style>\n</head>\n");
}

static void section(struct html *page, const char *id, const char *title)
{
    results_text_format(page->text,
                        "<section id=\"%s\" aria-labelledby=\"%s-title\">\n"
                        "<h2 id=\"%s-title\">%s</h2>\n",
                        id, id, id, title);
}

static void section_end(struct html *page)
{
    add(page, "</section>\n");
}

// --- words ---------------------------------------------------------------------------------------

// Each line of a text as an element of its own.
static void lines(struct html *page, const char *start, const char *end, const char *line)
{
    while (*line != '\0') {
        size_t size = strcspn(line, "\n");
        struct results_text one;

        results_text_init(&one);
        results_text_bytes(&one, line, size);
        add(page, start);
        escaped(page, results_text_string(&one));
        add(page, end);
        results_text_release(&one);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
}

static void verdict(struct html *page)
{
    struct results_text words;

    results_text_init(&words);
    overview_verdict(page->survey, &words);
    lines(page, "<p class=\"verdict\">", "</p>\n", results_text_string(&words));
    results_text_clear(&words);
    overview_warnings(page->survey, &words);
    if (words.size > 0) {
        add(page, "<div class=\"warnings\" role=\"note\" aria-label=\"Warnings\"><ul>\n");
        lines(page, "<li>", "</li>\n", results_text_string(&words));
        add(page, "</ul></div>\n");
    }
    results_text_release(&words);
}

static void fact(struct html *page, const char *term, const char *value)
{
    if (value[0] != '\0') {
        results_text_format(page->text, "<dt>%s</dt><dd>", term);
        escaped(page, value);
        add(page, "</dd>\n");
    }
}

static void axis_facts(struct html *page)
{
    for (uint32_t a = 0; a < page->survey->n_axes; a++) {
        const struct survey_axis *axis = &page->survey->axes[a];

        add(page, "<dt>");
        escaped(page, axis->name);
        add(page, "</dt><dd><code>");
        escaped(page, axis->path);
        results_text_format(page->text, "</code>, %u value%s: ", axis->n_values,
                            axis->n_values == 1 ? "" : "s");
        for (uint32_t v = 0; v < axis->n_values; v++) {
            if (axis->n_values > FIGURE_VALUES_MAX && v == 3) {
                add(page, " \xe2\x80\xa6 ");
                v = axis->n_values - 1;
            }
            add(page, v > 0 && !(axis->n_values > FIGURE_VALUES_MAX && v > 3) ? ", " : "");
            escaped(page, axis->texts[v]);
        }
        add(page, "</dd>\n");
    }
}

// Seeds of a sweep are drawn, so that their ends say nothing; those of single runs are often 1 to
// n.
static void seeds(const struct survey *survey, char *line, size_t size)
{
    const char *common =
        survey->common_seeds && survey->n_points > 1 ? ", common to all points" : "";

    if (survey->seeds_max - survey->seeds_min < SEEDS_SPAN) {
        (void)snprintf(line, size, "%" PRIu64 " to %" PRIu64 "%s", survey->seeds_min,
                       survey->seeds_max, common);
    } else if (survey->common_seeds) {
        (void)snprintf(line, size, "%u per point%s", survey->points[survey->best].n_runs, common);
    } else {
        (void)snprintf(line, size, "drawn for each point");
    }
}

static void question(struct html *page)
{
    const struct survey *survey = page->survey;
    char line[160];

    section(page, "asked", "What was asked");
    add(page, "<dl>\n");
    fact(page, "Question", survey->about);
    axis_facts(page);
    (void)snprintf(line, sizeof(line), "%u", survey->n_points);
    fact(page, "Points", line);
    (void)snprintf(line, sizeof(line), "%" PRIu64 ", %" PRIu64 " of them with a failover",
                   survey->n_runs, survey->n_failover_runs);
    fact(page, "Runs", line);
    seeds(survey, line, sizeof(line));
    fact(page, "Seeds", line);
    fact(page, "Model version", survey->versions);
    fact(page, "Build", survey->builds);
    if (survey->started[0] != '\0') {
        (void)snprintf(line, sizeof(line), "%.40s to %.40s (UTC)", survey->started, survey->ended);
        fact(page, "Run from", line);
    }
    fact(page, "Key of the sweep", survey->key);
    add(page, "</dl>\n");
    if (survey->definition[0] != '\0') {
        add(page, "<details><summary>Sweep file</summary><pre tabindex=\"0\">");
        lines(page, "", "\n", survey->definition);
        add(page, "</pre></details>\n");
    }
    section_end(page);
}

static void query(struct html *page, enum overview_figure figure)
{
    struct results_text sql;

    results_text_init(&sql);
    overview_query(page->survey, figure, &sql);
    add(page, "<details><summary>Query behind it</summary><pre tabindex=\"0\">");
    lines(page, "", "\n", results_text_string(&sql));
    add(page, "</pre></details>\n");
    results_text_release(&sql);
}

// --- figures -------------------------------------------------------------------------------------

struct request { // which figure, with what it needs
    enum overview_figure figure;
    enum survey_metric metric;
    uint32_t axis;
    uint32_t other;
    bool relative; // of an axis: the difference to its first value
    bool half;     // it stands beside another one, drawn for a narrow page
};

static bool draw(const struct survey *survey, const struct request *request,
                 struct drawing *drawing)
{
    switch (request->figure) {
    case OVERVIEW_PARETO:
        return figure_pareto(drawing, survey, request->metric);
    case OVERVIEW_AXIS:
        return figure_axis(drawing, survey, request->axis, request->other, request->metric,
                           request->relative);
    case OVERVIEW_DIFFERENCE:
        return figure_difference(drawing, survey);
    case OVERVIEW_HEAT:
        return figure_heat(drawing, survey, request->axis, request->other, request->metric);
    case OVERVIEW_CAUSES:
        return figure_causes(drawing, survey);
    case OVERVIEW_OUTAGE:
        return figure_outage(drawing, survey);
    case OVERVIEW_CURVE:
        return figure_curve(drawing, survey, request->metric);
    case OVERVIEW_TIMELINE:
    case OVERVIEW_REQUESTS:
    case OVERVIEW_PRICE:
    case OVERVIEW_FIGURES:
        break;
    }
    return false;
}

static void plot_data(struct html *page, const struct request *request)
{
    if (results_web_uplot_js.size == 0) {
        return;
    }
    if (request->figure == OVERVIEW_PARETO) {
        overview_plot_pareto(page->survey, request->metric, page->text);
    } else if (request->figure == OVERVIEW_AXIS) {
        overview_plot_axis(page->survey, request->axis, request->other, request->metric,
                           request->relative, page->text);
    } else if (request->figure == OVERVIEW_CURVE) {
        overview_plot_curve(page->survey, request->metric, page->text);
    }
}

// Draws the figure once, or for both widths of a page.
static bool draw_widths(struct html *page, const struct request *request, struct results_text *svg)
{
    struct drawing drawing = {svg, DRAWING_NARROW, false};
    bool drawn;

    if (request->half) {
        results_text_add(svg, "<div class=\"half\">");
        drawn = draw(page->survey, request, &drawing);
        results_text_add(svg, "</div>");
        return drawn;
    }
    drawing.width = DRAWING_WIDE;
    results_text_add(svg, "<div class=\"wide\">");
    drawn = draw(page->survey, request, &drawing);
    results_text_add(svg, "</div><div class=\"narrow\">");
    drawing.width = DRAWING_NARROW;
    drawn = drawn && draw(page->survey, request, &drawing);
    results_text_add(svg, "</div>");
    return drawn;
}

// The figure with its caption. False, and nothing written, when it has nothing to show.
static bool figure(struct html *page, const struct request *request, const char *caption)
{
    struct results_text svg;
    bool drawn;

    results_text_init(&svg);
    drawn = draw_widths(page, request, &svg);
    if (drawn) {
        add(page, "<figure>\n");
        results_text_bytes(page->text, svg.data, svg.size);
        plot_data(page, request);
        add(page, "<figcaption>");
        escaped(page, caption);
        add(page, "</figcaption>\n</figure>\n");
    }
    results_text_release(&svg);
    return drawn;
}

static void front(struct html *page)
{
    static const enum survey_metric metrics[] = {SURVEY_BYTES, SURVEY_REQUESTS, SURVEY_COST};
    const struct survey *survey = page->survey;
    struct request difference = {.figure = OVERVIEW_DIFFERENCE};
    bool priced = false;

    for (uint32_t i = 0; i < survey->n_points; i++) {
        priced = priced || survey->points[i].all[SURVEY_COST].mean > 0;
    }
    section(page, "front", "What protection costs");
    add(page, "<p>A point on the front loses less work than every other that needs as little "
              "I/O. A diamond cannot be told from the front by its paired differences.</p>\n"
              "<div class=\"tabs\" role=\"radiogroup\" aria-label=\"I/O measured by\">\n");
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        if (metrics[i] != SURVEY_COST || priced) {
            results_text_format(page->text,
                                "<input type=\"radio\" name=\"io\" id=\"io-%zu\"%s>"
                                "<label for=\"io-%zu\">%s</label>\n",
                                i, i == 0 ? " checked" : "", i,
                                survey_metric_fact(metrics[i])->title);
        }
    }
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        struct request request = {.figure = OVERVIEW_PARETO, .metric = metrics[i]};

        if (metrics[i] != SURVEY_COST || priced) {
            results_text_format(page->text, "<div class=\"panel panel-%zu\">\n", i);
            (void)figure(page, &request,
                         "Means per run with 95 % intervals. Down and to the left "
                         "is better. Numbers are those of the table.");
            add(page, "</div>\n");
        }
    }
    add(page, "</div>\n");
    if (!priced) {
        add(page, "<p class=\"aside\">The storage has no price per request, so there is no front "
                  "by price.</p>\n");
    }
    query(page, OVERVIEW_PARETO);
    if (figure(page, &difference,
               "Lost work of each point less that of the best, run by run with "
               "the same seeds, with 95 % intervals. An interval that reaches "
               "the line may be noise.")) {
        query(page, OVERVIEW_DIFFERENCE);
    }
    section_end(page);
}

// The metric itself, and beside it how it differs from the first value run by run.
static void axis_figures(struct html *page, uint32_t axis, uint32_t series,
                         enum survey_metric metric)
{
    const struct survey *survey = page->survey;
    struct request request = {
        .figure = OVERVIEW_AXIS, .metric = metric, .axis = axis, .other = series, .half = true};

    (void)figure(page, &request,
                 survey->n_axes > 2   ? "Means over the other axes."
                 : survey->n_axes > 1 ? "A line per value of the other axis."
                                      : "Means.");
    request.relative = true;
    (void)figure(page, &request,
                 survey->common_seeds ? "Differences run by run, which have less noise."
                                      : "Differences of means.");
}

static void axes(struct html *page)
{
    const struct survey *survey = page->survey;
    enum survey_metric metrics[] = {SURVEY_LOST_WORK, figure_time_metric(survey)};

    section(page, "axes", "What each setting does");
    if (survey->n_axes > 0) {
        add(page, "<p>Means with 95&nbsp;% intervals. On the right the difference to the first "
                  "value: its interval tells whether a setting matters, not whether two intervals "
                  "on the left overlap.</p>\n");
    }
    if (survey->n_axes == 0) {
        add(page, "<p class=\"aside\">Single runs have no axes. A sweep has them, and its report "
                  "shows a curve for each.</p>\n");
    }
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        uint32_t series = figure_series(survey, a);

        add(page, "<h3>");
        escaped(page, survey->axes[a].name);
        add(page, "</h3>\n");
        if (survey->axes[a].n_values < 2) {
            add(page, "<p class=\"aside\">It has one value only.</p>\n");
            continue;
        }
        add(page, "<div class=\"pair\">\n");
        for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
            axis_figures(page, a, series, metrics[m]);
        }
        add(page, "</div>\n");
    }
    if (survey->n_axes > 0) {
        query(page, OVERVIEW_AXIS);
    }
    section_end(page);
}

static void heat(struct html *page)
{
    struct request request = {.figure = OVERVIEW_HEAT, .axis = SURVEY_NONE, .other = SURVEY_NONE};

    figure_axes(page->survey, SURVEY_LOST_WORK, &request.axis, &request.other);
    if (request.other == SURVEY_NONE) {
        return;
    }
    section(page, "heat", "Two settings together");
    add(page, "<p>Mean lost work over the two axes that move it most.</p>\n");
    (void)figure(page, &request, "Slot time per run, averaged over the other axes.");
    query(page, OVERVIEW_HEAT);
    section_end(page);
}

static void simple_section(struct html *page, const char *id, const char *title,
                           const char *caption, const struct request *request, const char *none)
{
    section(page, id, title);
    if (figure(page, request, caption)) {
        query(page, request->figure);
    } else {
        results_text_format(page->text, "<p class=\"aside\">%s</p>\n", none);
    }
    section_end(page);
}

static void curve(struct html *page)
{
    const struct survey *survey = page->survey;
    struct request lost = {.figure = OVERVIEW_CURVE, .metric = SURVEY_LOST_WORK};
    struct request delay = {.figure = OVERVIEW_CURVE, .metric = SURVEY_DELAY};

    section(page, "curve", "When the master dies");
    if (figure(page, &lost,
               "A dot is a run with one failover; a line joins means over equal "
               "stretches of time, with 95 % intervals.")) {
        (void)figure(page, &delay, "The delay of the job, likewise.");
        if (survey->n_crash_runs_many > 0) {
            results_text_format(page->text,
                                "<p class=\"aside\">%u runs with several failovers are "
                                "left out: their loss belongs to no single moment."
                                "</p>\n",
                                survey->n_crash_runs_many);
        }
        query(page, OVERVIEW_CURVE);
    } else {
        add(page, "<p class=\"aside\">Fewer than two runs had exactly one failover, so there is no "
                  "curve.</p>\n");
    }
    section_end(page);
}

static void timeline_words(struct html *page, const struct timeline *timeline)
{
    uint64_t seed = timeline->lanes[0].seed;

    if (timeline->n_lanes == 1) {
        results_text_format(page->text,
                            "One run, seed %" PRIu64 ", in the middle of %u with a "
                            "failover.",
                            seed, timeline->n_common);
    } else if (timeline->n_differ == 0) {
        results_text_format(page->text,
                            "One run, seed %" PRIu64 ". None of %u runs with a failover "
                            "loses more at the one point than at the other.",
                            seed, timeline->n_common);
    } else {
        results_text_format(page->text,
                            "One run, seed %" PRIu64 ", in the middle of the %u (of %u "
                            "with a failover) that lose more at the worst point.",
                            seed, timeline->n_differ, timeline->n_common);
    }
}

static void timelines(struct html *page)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));
    struct drawing drawing = {page->text, DRAWING_WIDE, false};
    struct results_text why;

    results_text_init(&why);
    section(page, "timeline", "Before and after");
    if (timeline == NULL) {
        page->text->failed = true;
    } else if (timeline_make(timeline, page->survey, &why)) {
        add(page, "<figure>\n<div class=\"wide\">");
        timeline_draw(timeline, page->survey, &drawing);
        add(page, "</div><div class=\"narrow\">");
        drawing.width = DRAWING_NARROW;
        timeline_draw(timeline, page->survey, &drawing);
        add(page, "</div><figcaption>");
        timeline_words(page, timeline);
        add(page, " It was simulated again and has the fingerprint of the database. The dashed "
                  "line is the end of the job.</figcaption>\n</figure>\n");
        query(page, OVERVIEW_TIMELINE);
    } else {
        add(page, "<p class=\"aside\">");
        escaped(page, results_text_string(&why));
        add(page, "</p>\n");
    }
    section_end(page);
    results_text_release(&why);
    free(timeline);
}

static void points(struct html *page)
{
    section(page, "points", "All points");
    add(page, "<p>\xe2\x80\x9cIf hit\xe2\x80\x9d counts only runs in which a master was lost; the "
              "other means count every run.</p>\n");
    overview_html_table(page->survey, page->program, page->text);
    add(page, "<details><summary>Query behind it</summary><pre tabindex=\"0\">");
    overview_query_points(page->survey, page->text);
    add(page, "</pre></details>\n");
    section_end(page);
}

static void foot(struct html *page)
{
    const char *path = page->survey->database.path;
    const char *slash = strrchr(path, '/');

    add(page, "</main>\n<footer><p>Made by <code>recoup report</code> from <code>");
    escaped(page, slash != NULL ? slash + 1 : path);
    add(page, "</code>. Times are virtual. Lost work is slot time: the time that slots spent on "
              "attempts that do not count in the end.</p>\n");
    if (results_web_uplot_js.size > 0) {
        add(page, "<details><summary>Licence of uPlot, which is part of this page</summary>"
                  "<pre tabindex=\"0\">");
        file(page, &results_web_uplot_licence);
        add(page, "</pre></details>\n");
    }
    add(page, "</footer>\n<script>\n");
    file(page, &results_web_uplot_js);
    add(page, "\n</script>\n<script>\n");
    file(page, &results_web_page_js);
    add(page, "</script>\n</body>\n</html>\n");
}

void overview_html(const struct survey *survey, const char *program, struct results_text *text)
{
    struct html page = {survey, program, text};
    struct request causes = {.figure = OVERVIEW_CAUSES};
    struct request outage = {.figure = OVERVIEW_OUTAGE};

    head(&page);
    add(&page, "<body>\n<a class=\"skip\" href=\"#points\">To the table of points</a>\n<header>\n"
               "<p class=\"kind\">Recoup report</p>\n<h1>");
    escaped(&page, survey->name);
    add(&page, "</h1>\n");
    verdict(&page);
    add(&page, "<nav aria-label=\"Sections\"><a href=\"#asked\">Question</a> "
               "<a href=\"#front\">Cost</a> <a href=\"#axes\">Settings</a> "
               "<a href=\"#causes\">Causes</a> <a href=\"#outage\">Outage</a> "
               "<a href=\"#curve\">Moment</a> <a href=\"#timeline\">Timelines</a> "
               "<a href=\"#points\">Points</a></nav>\n</header>\n<main>\n");
    question(&page);
    front(&page);
    axes(&page);
    heat(&page);
    simple_section(&page, "causes", "Why work was lost",
                   "Slot time per run; why each part was lost is in the reference of causes.",
                   &causes, "No run lost any work.");
    simple_section(&page, "outage", "Where the outage went",
                   "From the master's death to the new master's first decision, in its phases.",
                   &outage, "No run had a failover.");
    curve(&page);
    timelines(&page);
    points(&page);
    foot(&page);
}
