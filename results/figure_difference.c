// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_sort.h>

#include "results/figures.h"

struct differences {
    struct drawing *drawing;
    const struct survey *survey;
    uint32_t n;
    uint32_t *points; // least difference first
    struct survey_estimate *estimates;
    uint32_t n_all;
    struct results_scale x;
    double left;
};

// The points with their differences, least first; of too many the FIGURE_BARS_MAX least.
static bool collect(struct differences *d)
{
    uint32_t n = d->survey->n_points;
    struct survey_estimate *found = malloc(((size_t)n + 1) * sizeof(*found));
    uint32_t *points = malloc(((size_t)n + 1) * sizeof(*points));
    double *means = malloc(((size_t)n + 1) * sizeof(*means));
    size_t *order = malloc(((size_t)n + 1) * sizeof(*order));
    bool known = found != NULL && points != NULL && means != NULL && order != NULL;

    d->points = malloc(((size_t)n + 1) * sizeof(*d->points));
    d->estimates = malloc(((size_t)n + 1) * sizeof(*d->estimates));
    known = known && d->points != NULL && d->estimates != NULL;
    for (uint32_t i = 0; known && i < n; i++) {
        struct survey_estimate e;

        survey_difference(d->survey, i, d->survey->best, SURVEY_LOST_WORK, &e);
        if (i != d->survey->best && e.n > 1) {
            points[d->n_all] = i;
            means[d->n_all] = e.mean;
            found[d->n_all++] = e;
        }
    }
    if (known && d->n_all > 0) {
        gsl_sort_index(order, means, 1, d->n_all);
        d->n = d->n_all < FIGURE_BARS_MAX ? d->n_all : FIGURE_BARS_MAX;
        for (uint32_t i = 0; i < d->n; i++) {
            d->points[i] = points[order[i]];
            d->estimates[i] = found[order[i]];
        }
    }
    free(found);
    free(points);
    free(means);
    free(order);
    return d->n > 0;
}

static void measure(struct differences *d)
{
    double low = 0;
    double high = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        low = fmin(low, d->estimates[i].low);
        high = fmax(high, d->estimates[i].high);
    }
    results_scale_init(&d->x, RESULTS_QUANTITY_DURATION, low, high, false,
                       d->drawing->width > 500 ? 6 : 4);
}

static void draw_row(const struct differences *d, uint32_t i, double y)
{
    const struct survey_point *point = &d->survey->points[d->points[i]];
    const struct survey_estimate *e = &d->estimates[i];
    bool narrow = d->drawing->width < 500;
    bool sure = e->low > 0;
    double low = results_scale_place(&d->x, e->low);
    double high = results_scale_place(&d->x, e->high);
    double middle = narrow ? y + 22 : y + 9;
    char words[3][RESULTS_UNITS_SIZE];
    struct results_text label;

    results_text_init(&label);
    results_text_format(&label, "%s %s", point->short_name, point->brief);
    drawing_text_cut(d->drawing, "tick", narrow ? d->left + 6 : d->left - 8,
                     narrow ? y + 11 : y + 13, narrow ? DRAWING_START : DRAWING_END,
                     results_text_string(&label),
                     (uint32_t)((narrow ? d->drawing->width : d->left - 8) / 6.2));
    drawing_line(d->drawing, sure ? "s0 error" : "s1 error", low, middle, high, middle);
    results_text_format(&label, ": %s (95 %%: %s to %s)",
                        results_quantity(words[0], RESULTS_QUANTITY_DURATION, e->mean),
                        results_quantity(words[1], RESULTS_QUANTITY_DURATION, e->low),
                        results_quantity(words[2], RESULTS_QUANTITY_DURATION, e->high));
    drawing_marker(d->drawing, sure ? 0 : 3, sure ? "s0 mark" : "s1 hollow",
                   results_scale_place(&d->x, e->mean), middle, 8, results_text_string(&label));
    results_text_release(&label);
}

static void draw(struct differences *d)
{
    bool narrow = d->drawing->width < 500;
    double row = narrow ? 32 : 20;
    double top = 34;
    double bottom = top + d->n * row;
    double zero;
    struct drawing_legend legend;
    char text[128];

    d->left = narrow ? 8 : 236;
    results_scale_span(&d->x, d->left, d->drawing->width - 30);
    zero = results_scale_place(&d->x, 0);
    (void)snprintf(text, sizeof(text), "Lost work less that of the best point, #%u, run by run",
                   d->survey->best + 1);
    drawing_begin(d->drawing, bottom + 46 + (d->n < d->n_all ? 18 : 0), text);
    drawing_legend_begin(&legend, 0, 12);
    drawing_legend_add(d->drawing, &legend, 0, NULL, "surely more");
    drawing_legend_add(d->drawing, &legend, 3, "s1 hollow", "may be noise");
    (void)snprintf(text, sizeof(text), "lost work less that of #%u", d->survey->best + 1);
    drawing_axis_x(d->drawing, &d->x, top, bottom, text);
    drawing_line(d->drawing, "axis", zero, top - 6, zero, bottom);
    for (uint32_t i = 0; i < d->n; i++) {
        draw_row(d, i, top + i * row);
    }
    if (d->n < d->n_all) {
        (void)snprintf(text, sizeof(text), "the %u of %u points that are closest to the best", d->n,
                       d->n_all);
        drawing_text(d->drawing, "note", 0, bottom + 54, DRAWING_START, text);
    }
    drawing_end(d->drawing);
}

bool figure_difference(struct drawing *drawing, const struct survey *survey)
{
    struct differences d = {.drawing = drawing, .survey = survey};
    bool drawn = survey->best != SURVEY_NONE && collect(&d);

    if (drawn) {
        measure(&d);
        draw(&d);
    }
    free(d.points);
    free(d.estimates);
    return drawn;
}
