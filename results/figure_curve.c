// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lost work or delay against the moment of the crash: every crash as a dot where there are few,
// and means over equal stretches of time with their intervals.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "results/figures.h"

#define BINS_MAX 24u
#define DOTS_MAX 600u      // crashes that are drawn one by one
#define CRASHES_PER_BIN 4u // on average, at least
#define SERIES_CRASHES 16u // of a point that is drawn as a line of its own

struct crash_curve {
    struct drawing *drawing;
    const struct survey *survey;
    enum survey_metric metric;
    uint32_t n_series;
    uint32_t series[2]; // points; SURVEY_NONE: all of them
    uint32_t n_bins;
    double first;
    double last;
    double *values;
    struct results_scale x;
    struct results_scale y;
};

static double value_of(const struct crash_curve *c, const struct survey_crash *crash)
{
    return c->metric == SURVEY_DELAY ? crash->delay_ns : crash->lost_ns;
}

static bool belongs(const struct crash_curve *c, uint32_t series, const struct survey_crash *crash)
{
    return (c->series[series] == SURVEY_NONE || c->series[series] == crash->point) &&
           isfinite(value_of(c, crash));
}

static uint32_t crashes_of(const struct survey *survey, uint32_t point)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < survey->n_crashes; i++) {
        n += survey->crashes[i].point == point ? 1 : 0;
    }
    return n;
}

// The best and the worst point where both were hit often enough, else all crashes together.
static void choose(struct crash_curve *c)
{
    const struct survey *survey = c->survey;

    c->n_series = 1;
    c->series[0] = SURVEY_NONE;
    if (survey->best != survey->worst && crashes_of(survey, survey->best) >= SERIES_CRASHES &&
        crashes_of(survey, survey->worst) >= SERIES_CRASHES) {
        c->n_series = 2;
        c->series[0] = survey->best;
        c->series[1] = survey->worst;
    }
}

static uint32_t measure(struct crash_curve *c)
{
    double most = 0;
    double least = 0;
    uint32_t n = 0;

    c->first = (double)INFINITY;
    c->last = -(double)INFINITY;
    for (uint32_t i = 0; i < c->survey->n_crashes; i++) {
        const struct survey_crash *crash = &c->survey->crashes[i];

        for (uint32_t s = 0; s < c->n_series; s++) {
            if (belongs(c, s, crash)) {
                c->first = fmin(c->first, crash->at_ns);
                c->last = fmax(c->last, crash->at_ns);
                most = fmax(most, value_of(c, crash));
                least = fmin(least, value_of(c, crash));
                n++;
            }
        }
    }
    c->n_bins = n / c->n_series / CRASHES_PER_BIN;
    c->n_bins = c->n_bins > BINS_MAX ? BINS_MAX : c->n_bins;
    c->n_bins = c->last > c->first ? c->n_bins : 0;
    results_scale_init(&c->x, RESULTS_QUANTITY_DURATION, c->first, c->last, false,
                       c->drawing->width > 500 ? 8 : 4);
    results_scale_init(&c->y, RESULTS_QUANTITY_DURATION, least, most, false, 6);
    return n;
}

static void draw_dots(const struct crash_curve *c, uint32_t series)
{
    for (uint32_t i = 0; i < c->survey->n_crashes; i++) {
        const struct survey_crash *crash = &c->survey->crashes[i];
        char class[DRAWING_CLASS_SIZE];

        if (belongs(c, series, crash)) {
            drawing_marker(c->drawing, series, drawing_class(class, series, "dot"),
                           results_scale_place(&c->x, crash->at_ns),
                           results_scale_place(&c->y, value_of(c, crash)), 5, NULL);
        }
    }
}

static uint32_t bin_of(const struct crash_curve *c, const struct survey_crash *crash)
{
    uint32_t bin = (uint32_t)((crash->at_ns - c->first) / (c->last - c->first) * c->n_bins);

    return bin < c->n_bins ? bin : c->n_bins - 1;
}

static void draw_bins(const struct crash_curve *c, uint32_t series)
{
    double x[BINS_MAX];
    double y[BINS_MAX];
    struct survey_estimate bins[BINS_MAX];
    char class[DRAWING_CLASS_SIZE];
    uint32_t n = 0;

    for (uint32_t b = 0; b < c->n_bins; b++) {
        uint32_t found = 0;
        double sum = 0;

        for (uint32_t i = 0; i < c->survey->n_crashes; i++) {
            const struct survey_crash *crash = &c->survey->crashes[i];

            if (belongs(c, series, crash) && bin_of(c, crash) == b) {
                c->values[found++] = value_of(c, crash);
                sum += crash->at_ns;
            }
        }
        if (found > 0) {
            survey_estimate(&bins[n], c->values, found);
            x[n] = results_scale_place(&c->x, sum / found);
            y[n] = results_scale_place(&c->y, bins[n].mean);
            n++;
        }
    }
    drawing_path(c->drawing, drawing_class(class, series, "line"), x, y, n);
    for (uint32_t b = 0; b < n; b++) {
        if (isfinite(bins[b].low)) {
            drawing_interval(c->drawing, drawing_class(class, series, "error"), x[b],
                             results_scale_place(&c->y, bins[b].low),
                             results_scale_place(&c->y, bins[b].high));
        }
        drawing_marker(c->drawing, series, drawing_class(class, series, "mark"), x[b], y[b], 8,
                       NULL);
    }
}

static void draw_legend(const struct crash_curve *c)
{
    struct drawing_legend legend;

    drawing_legend_begin(&legend, 0, 12);
    for (uint32_t s = 0; s < c->n_series; s++) {
        struct results_text word;
        uint32_t point = c->series[s];

        results_text_init(&word);
        if (point == SURVEY_NONE) {
            results_text_add(&word,
                             c->survey->n_points > 1 ? "all points" : c->survey->points[0].label);
        } else {
            results_text_format(&word, "%s %s", s == 0 ? "best" : "worst",
                                c->survey->points[point].short_name);
        }
        drawing_legend_add(c->drawing, &legend, s, NULL, results_text_string(&word));
        results_text_release(&word);
    }
}

bool figure_curve(struct drawing *drawing, const struct survey *survey, enum survey_metric metric)
{
    struct crash_curve c = {.drawing = drawing, .survey = survey, .metric = metric};
    double height = drawing->width > 500 ? 320 : 280;
    char label[160];
    uint32_t n;

    choose(&c);
    n = measure(&c);
    c.values = malloc(((size_t)survey->n_crashes + 1) * sizeof(*c.values));
    if (n < 2 || c.values == NULL) {
        free(c.values);
        return false;
    }
    results_scale_span(&c.x, 74, drawing->width - 18);
    results_scale_span(&c.y, height - 46, 54);
    (void)snprintf(label, sizeof(label), "%s against the moment of the crash, %u crashes",
                   metric == SURVEY_DELAY ? "Delay" : "Lost work", n);
    drawing_begin(drawing, height, label);
    draw_legend(&c);
    drawing_axis_x(drawing, &c.x, 54, height - 46, "moment of the master's death");
    drawing_axis_y(drawing, &c.y, 74, drawing->width - 18, survey_metric_fact(metric)->axis);
    for (uint32_t s = 0; s < c.n_series && n <= DOTS_MAX; s++) {
        draw_dots(&c, s);
    }
    for (uint32_t s = 0; s < c.n_series; s++) {
        draw_bins(&c, s);
    }
    drawing_end(drawing);
    free(c.values);
    return true;
}
