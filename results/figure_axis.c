// SPDX-License-Identifier: GPL-3.0-or-later
//
// A metric against the values of an axis: one line, or one per value of a second axis.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/figures.h"

struct curve {
    struct drawing *drawing;
    const struct survey *survey;
    uint32_t axis;
    uint32_t series;
    enum survey_metric metric;
    bool relative;
    uint32_t n_series;
    struct survey_estimate *estimates; // [series * n_values + value]
    uint32_t *selected;
    uint32_t *base; // of the first value, for differences
    struct results_scale y;
    struct results_scale x; // for an axis with many values
    double left;
    double top;
    double bottom;
};

enum survey_metric figure_time_metric(const struct survey *survey)
{
    for (uint32_t i = 0; i < survey->n_points; i++) {
        if (survey->points[i].all[SURVEY_DELAY].n > 0) {
            return SURVEY_DELAY;
        }
    }
    return SURVEY_MAKESPAN;
}

uint32_t figure_select(const struct survey *survey, uint32_t axis, uint32_t value, uint32_t other,
                       uint32_t other_value, uint32_t *points)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < survey->n_points; i++) {
        const struct survey_point *point = &survey->points[i];

        if (point->n_runs > 0 && (axis == SURVEY_NONE || point->values[axis] == value) &&
            (other == SURVEY_NONE || point->values[other] == other_value)) {
            points[n++] = i;
        }
    }
    return n;
}

// How far the means of an axis' values lie apart.
static double axis_range(const struct survey *survey, uint32_t axis, enum survey_metric metric,
                         uint32_t *points)
{
    double low = (double)INFINITY;
    double high = -(double)INFINITY;

    for (uint32_t v = 0; v < survey->axes[axis].n_values; v++) {
        double sum = 0;
        uint32_t n = figure_select(survey, axis, v, SURVEY_NONE, 0, points);

        for (uint32_t i = 0; i < n; i++) {
            sum += survey->points[points[i]].all[metric].mean;
        }
        if (n > 0) {
            low = fmin(low, sum / n);
            high = fmax(high, sum / n);
        }
    }
    return high >= low ? high - low : 0;
}

void figure_axes(const struct survey *survey, enum survey_metric metric, uint32_t *first,
                 uint32_t *second)
{
    uint32_t *points = malloc(((size_t)survey->n_points + 1) * sizeof(*points));
    double most = -1;
    double next = -1;

    *first = SURVEY_NONE;
    *second = SURVEY_NONE;
    for (uint32_t a = 0; points != NULL && a < survey->n_axes; a++) {
        uint32_t n = survey->axes[a].n_values;
        double range =
            n > 1 && n <= 2 * FIGURE_VALUES_MAX ? axis_range(survey, a, metric, points) : -1;

        if (range > most) {
            next = most;
            *second = *first;
            most = range;
            *first = a;
        } else if (range > next) {
            next = range;
            *second = a;
        }
    }
    free(points);
}

uint32_t figure_series(const struct survey *survey, uint32_t axis)
{
    uint32_t best = SURVEY_NONE;
    uint32_t fewest = DRAWING_SERIES + 1;

    for (uint32_t a = 0; a < survey->n_axes; a++) {
        uint32_t n = survey->axes[a].n_values;

        if (a != axis && n > 1 && n < fewest) {
            best = a;
            fewest = n;
        }
    }
    return best;
}

static void estimate_one(struct curve *c, uint32_t series, uint32_t value,
                         struct survey_estimate *estimate)
{
    uint32_t n = figure_select(c->survey, c->axis, value, c->series, series, c->selected);

    if (c->relative) {
        uint32_t n_base = figure_select(c->survey, c->axis, 0, c->series, series, c->base);

        survey_average_difference(c->survey, c->selected, n, c->base, n_base, c->metric, estimate);
    } else {
        survey_average(c->survey, c->selected, n, c->metric, estimate);
    }
}

static bool estimate_all(struct curve *c)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];
    double high = -(double)INFINITY;
    double low = 0;

    c->n_series = c->series == SURVEY_NONE ? 1 : c->survey->axes[c->series].n_values;
    c->estimates = calloc((size_t)c->n_series * axis->n_values + 1, sizeof(*c->estimates));
    c->selected = malloc(((size_t)c->survey->n_points + 1) * sizeof(*c->selected));
    c->base = malloc(((size_t)c->survey->n_points + 1) * sizeof(*c->base));
    if (c->estimates == NULL || c->selected == NULL || c->base == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < c->n_series * axis->n_values; i++) {
        struct survey_estimate *e = &c->estimates[i];

        estimate_one(c, i / axis->n_values, i % axis->n_values, e);
        if (e->n > 0) {
            bool below = c->relative || e->mean < 0;

            high = fmax(high, isfinite(e->high) ? e->high : e->mean);
            low = fmin(low, isfinite(e->low) && below ? e->low : e->mean);
        }
    }
    results_scale_init(&c->y, survey_metric_fact(c->metric)->quantity, low, fmax(high, 0), false,
                       6);
    return isfinite(high);
}

static bool by_number(const struct curve *c)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];

    return axis->numeric && axis->n_values > FIGURE_VALUES_MAX;
}

static double place_x(const struct curve *c, uint32_t value)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];
    double room = c->drawing->width - 18 - c->left;

    if (by_number(c)) {
        return results_scale_place(&c->x, axis->numbers[value]);
    }
    return c->left + room * (value + 0.5) / axis->n_values;
}

// Pixels that a value's label wants; longer ones are cut.
static double label_room(const struct survey_axis *axis)
{
    double room = 24;

    for (uint32_t v = 0; v < axis->n_values; v++) {
        double width = (double)strlen(axis->texts[v]) * DRAWING_CHARACTER + 8;

        room = width > room ? width : room;
    }
    return room < 52 ? room : 52;
}

static void draw_values(struct curve *c)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];
    double right = c->drawing->width - 18;
    double step = (right - c->left) / axis->n_values;
    uint32_t every = 1;

    if (by_number(c)) {
        results_scale_init(&c->x, axis->quantity, axis->numbers[0],
                           axis->numbers[axis->n_values - 1], true,
                           c->drawing->width > 500 ? 7 : 4);
        results_scale_span(&c->x, c->left, right);
        drawing_axis_x(c->drawing, &c->x, c->top, c->bottom, axis->name);
        return;
    }
    while (step * every < label_room(axis) && every < axis->n_values) {
        every++;
    }
    for (uint32_t v = 0; v < axis->n_values; v++) {
        drawing_line(c->drawing, "grid", place_x(c, v), c->top, place_x(c, v), c->bottom);
        if (v % every == 0) {
            drawing_text_cut(c->drawing, "tick", place_x(c, v), c->bottom + 16, DRAWING_MIDDLE,
                             axis->texts[v], (uint32_t)(step * every / DRAWING_CHARACTER));
        }
    }
    drawing_line(c->drawing, "axis", c->left, c->bottom, right, c->bottom);
    drawing_text_cut(c->drawing, "name", (c->left + right) / 2, c->bottom + 36, DRAWING_MIDDLE,
                     axis->name, (uint32_t)((right - c->left) / DRAWING_CHARACTER));
}

static void explain(const struct curve *c, uint32_t series, uint32_t value,
                    struct results_text *title)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];
    const struct survey_estimate *e = &c->estimates[series * axis->n_values + value];
    enum results_quantity quantity = survey_metric_fact(c->metric)->quantity;
    char mean[RESULTS_UNITS_SIZE];
    char low[RESULTS_UNITS_SIZE];
    char high[RESULTS_UNITS_SIZE];

    results_text_format(title, "%s = %s", axis->name, axis->texts[value]);
    if (c->series != SURVEY_NONE) {
        results_text_format(title, ", %s = %s", c->survey->axes[c->series].name,
                            c->survey->axes[c->series].texts[series]);
    }
    results_text_format(title, ": %s", results_quantity(mean, quantity, e->mean));
    if (isfinite(e->low)) {
        results_text_format(title, " (95 %%: %s to %s)", results_quantity(low, quantity, e->low),
                            results_quantity(high, quantity, e->high));
    }
}

// Lines of several series stand a little apart, so that their intervals do not hide each other.
static double shift(const struct curve *c, uint32_t series)
{
    return by_number(c) ? 0 : ((double)series - (c->n_series - 1) / 2.0) * 4;
}

static void draw_series(struct curve *c, uint32_t series)
{
    const struct survey_axis *axis = &c->survey->axes[c->axis];
    double *x = malloc(((size_t)axis->n_values + 1) * sizeof(*x));
    double *y = malloc(((size_t)axis->n_values + 1) * sizeof(*y));
    char class[DRAWING_CLASS_SIZE];
    uint32_t n = 0;

    for (uint32_t v = 0; x != NULL && y != NULL && v < axis->n_values; v++) {
        const struct survey_estimate *e = &c->estimates[series * axis->n_values + v];

        if (e->n > 0) {
            x[n] = place_x(c, v) + shift(c, series);
            y[n++] = results_scale_place(&c->y, e->mean);
        }
    }
    if (axis->numeric && !by_number(c) && x != NULL && y != NULL) {
        drawing_path(c->drawing, drawing_class(class, series, "line"), x, y, n);
    }
    for (uint32_t v = 0; v < axis->n_values; v++) {
        const struct survey_estimate *e = &c->estimates[series * axis->n_values + v];
        double at = place_x(c, v) + shift(c, series);
        struct results_text title;

        if (e->n == 0) {
            continue;
        }
        results_text_init(&title);
        explain(c, series, v, &title);
        if (isfinite(e->low)) {
            drawing_interval(c->drawing, drawing_class(class, series, "error"), at,
                             results_scale_place(&c->y, e->low),
                             results_scale_place(&c->y, e->high));
        }
        drawing_marker(c->drawing, series, drawing_class(class, series, "mark"), at,
                       results_scale_place(&c->y, e->mean), 9, results_text_string(&title));
        results_text_release(&title);
    }
    free(x);
    free(y);
}

static void label_series(const struct curve *c, uint32_t series, struct results_text *word)
{
    const struct survey_axis *axis = &c->survey->axes[c->series];

    results_text_clear(word);
    results_text_format(word, "%s = %s", axis->name, axis->texts[series]);
}

static double legend_height(const struct curve *c)
{
    double height = 18;
    double x = 0;
    struct results_text word;

    results_text_init(&word);
    for (uint32_t s = 0; c->series != SURVEY_NONE && s < c->n_series; s++) {
        const char *string;
        double width;

        label_series(c, s, &word);
        string = results_text_string(&word);
        width = drawing_word_width(string);
        if (x > 0 && x + width > c->drawing->width) {
            x = 0;
            height += 18;
        }
        x += width;
    }
    results_text_release(&word);
    return c->series == SURVEY_NONE ? 0 : height;
}

static void draw_legend(const struct curve *c)
{
    struct drawing_legend legend;
    struct results_text word;

    results_text_init(&word);
    drawing_legend_begin(&legend, 0, 12);
    for (uint32_t s = 0; c->series != SURVEY_NONE && s < c->n_series; s++) {
        label_series(c, s, &word);
        drawing_legend_add(c->drawing, &legend, s, NULL, results_text_string(&word));
    }
    results_text_release(&word);
}

static void title_of(const struct curve *c, char *title, size_t size)
{
    const struct survey_metric_fact *fact = survey_metric_fact(c->metric);

    if (c->relative) {
        (void)snprintf(title, size, "%s less that at %.40s", fact->title,
                       c->survey->axes[c->axis].texts[0]);
    } else {
        (void)snprintf(title, size, "%s", fact->axis);
    }
}

static void draw(struct curve *c)
{
    const struct survey_metric_fact *fact = survey_metric_fact(c->metric);
    double height = (c->drawing->width > 500 ? 300 : 260) + legend_height(c);
    char label[200];
    char title[96];

    c->left = 74;
    c->top = 36 + legend_height(c);
    c->bottom = height - 46;
    results_scale_span(&c->y, c->bottom, c->top);
    (void)snprintf(label, sizeof(label), "%s %s against %.60s, with 95 %% intervals",
                   c->relative ? "Difference of" : "Mean", fact->title,
                   c->survey->axes[c->axis].name);
    drawing_begin(c->drawing, height, label);
    draw_legend(c);
    title_of(c, title, sizeof(title));
    drawing_axis_y(c->drawing, &c->y, c->left, c->drawing->width - 18, title);
    draw_values(c);
    for (uint32_t s = 0; s < c->n_series; s++) {
        draw_series(c, s);
    }
    drawing_end(c->drawing);
}

bool figure_axis(struct drawing *drawing, const struct survey *survey, uint32_t axis,
                 uint32_t series, enum survey_metric metric, bool relative)
{
    struct curve c = {.drawing = drawing,
                      .survey = survey,
                      .axis = axis,
                      .series = series,
                      .metric = metric,
                      .relative = relative};
    bool drawn = survey->axes[axis].n_values > 0 && estimate_all(&c);

    if (drawn) {
        draw(&c);
    }
    free(c.estimates);
    free(c.selected);
    free(c.base);
    return drawn;
}
