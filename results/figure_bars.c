// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stacked bars, one per point: lost work by cause, outage by phase.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>

#include "results/figures.h"
#include "results/report_parts.h"
#include "sim/assert.h"

#define PARTS_MAX 16u
#define PARTS_SHOWN 7u // of their own; more are drawn together as "other"
#define OTHER PARTS_SHOWN

struct bars {
    struct drawing *drawing;
    const struct survey *survey;
    const char *title; // of the scale
    const char *about; // for those who do not see it
    uint32_t n_parts;
    const char *names[PARTS_MAX];
    uint32_t parts[PARTS_MAX];                                 // in the order in which they stand
    const double *(*values)(const struct survey_point *point); // by part
    uint32_t *shown;                                           // points
    uint32_t n_shown;
    uint32_t n_all;
    struct results_scale x;
    double left;
};

static const double *causes_of(const struct survey_point *point)
{
    return point->causes;
}

static const double *phases_of(const struct survey_point *point)
{
    return point->phases;
}

static double total(const struct bars *b, const struct survey_point *point)
{
    double sum = 0;

    for (uint32_t i = 0; i < b->n_parts; i++) {
        sum += b->values(point)[b->parts[i]];
    }
    return sum;
}

// All points in their order; where there are too many, the lower and the upper end of the totals.
static bool choose(struct bars *b)
{
    uint32_t n = b->survey->n_points;
    double *totals = malloc(((size_t)n + 1) * sizeof(*totals));
    size_t *order = malloc(((size_t)n + 1) * sizeof(*order));
    uint32_t *with_runs = malloc(((size_t)n + 1) * sizeof(*with_runs));

    b->shown = with_runs;
    for (uint32_t i = 0; totals != NULL && order != NULL && with_runs != NULL && i < n; i++) {
        if (b->survey->points[i].n_runs > 0) {
            totals[b->n_all] = total(b, &b->survey->points[i]);
            with_runs[b->n_all++] = i;
        }
    }
    b->n_shown = b->n_all;
    if (b->n_all > FIGURE_BARS_MAX) {
        uint32_t half = FIGURE_BARS_MAX / 2;
        uint32_t kept[FIGURE_BARS_MAX];

        gsl_sort_index(order, totals, 1, b->n_all);
        for (uint32_t i = 0; i < half; i++) {
            kept[i] = with_runs[order[i]];
            kept[half + i] = with_runs[order[b->n_all - half + i]];
        }
        memcpy(with_runs, kept, sizeof(kept));
        b->n_shown = FIGURE_BARS_MAX;
    }
    free(totals);
    free(order);
    return b->n_all > 0;
}

static void draw_bar(const struct bars *b, const struct survey_point *point, double y, double size)
{
    const double *values = b->values(point);
    double from = 0;

    for (uint32_t i = 0; i < b->n_parts; i++) {
        double value = values[b->parts[i]];
        double left = results_scale_place(&b->x, from);
        char class[DRAWING_CLASS_SIZE];
        char amount[RESULTS_UNITS_SIZE];
        struct results_text title;

        if (value <= 0) {
            continue;
        }
        from += value;
        results_text_init(&title);
        results_text_format(&title, "%s %s: %s %s", point->short_name, point->label, b->names[i],
                            results_duration(amount, llround(value)));
        drawing_box(b->drawing, drawing_class(class, i < OTHER ? i : OTHER, "bar"), left, y,
                    results_scale_place(&b->x, from) - left, size, results_text_string(&title));
        results_text_release(&title);
    }
}

static void draw_legend(const struct bars *b)
{
    struct drawing_legend legend;
    struct results_text rest;

    results_text_init(&rest);
    drawing_legend_begin(&legend, 0, 12);
    for (uint32_t i = 0; i < b->n_parts; i++) {
        char class[DRAWING_CLASS_SIZE];

        if (i < OTHER) {
            drawing_legend_add(b->drawing, &legend, 0, drawing_class(class, i, "bar"), b->names[i]);
        } else {
            results_text_format(&rest, "%s%s", rest.size > 0 ? ", " : "", b->names[i]);
        }
    }
    if (rest.size > 0) {
        char class[DRAWING_CLASS_SIZE];

        drawing_legend_add(b->drawing, &legend, 0, drawing_class(class, OTHER, "bar"),
                           results_text_string(&rest));
    }
    results_text_release(&rest);
}

static void draw_rows(const struct bars *b, double top, double row, double bar)
{
    bool narrow = b->drawing->width < 500;

    for (uint32_t i = 0; i < b->n_shown; i++) {
        const struct survey_point *point = &b->survey->points[b->shown[i]];
        double y = top + i * row;
        struct results_text label;

        results_text_init(&label);
        results_text_format(&label, "%s %s", point->short_name, point->brief);
        // On a phone the name stands above its bar, else beside it.
        drawing_text_cut(b->drawing, "tick", narrow ? 0 : b->left - 8, narrow ? y + 10 : y + 13,
                         narrow ? DRAWING_START : DRAWING_END, results_text_string(&label),
                         (uint32_t)((narrow ? b->drawing->width : b->left - 8) / 6.2));
        draw_bar(b, point, narrow ? y + 14 : y + 2, bar);
        results_text_release(&label);
    }
}

static void draw(struct bars *b)
{
    bool narrow = b->drawing->width < 500;
    double row = narrow ? 32 : 22;
    double top = 14 + drawing_legend_height(b->drawing->width, b->names, b->n_parts);
    double bottom = top + b->n_shown * row;
    char note[128];

    b->left = narrow ? 2 : 236;
    results_scale_span(&b->x, b->left, b->drawing->width - 30);
    drawing_begin(b->drawing, bottom + 46 + (b->n_shown < b->n_all ? 18 : 0), b->about);
    draw_legend(b);
    drawing_axis_x(b->drawing, &b->x, top, bottom, b->title);
    draw_rows(b, top, row, narrow ? 14 : 17);
    if (b->n_shown < b->n_all) {
        (void)snprintf(note, sizeof(note),
                       "%u of %u points: the %u least, then the %u most; all are in the table",
                       b->n_shown, b->n_all, b->n_shown / 2, b->n_shown / 2);
        drawing_text(b->drawing, "note", 0, bottom + 54, DRAWING_START, note);
    }
    drawing_end(b->drawing);
}

static bool bars_draw(struct bars *b)
{
    double most = 0;
    bool drawn = b->n_parts > 0 && choose(b);

    for (uint32_t i = 0; drawn && i < b->n_shown; i++) {
        most = fmax(most, total(b, &b->survey->points[b->shown[i]]));
    }
    drawn = drawn && most > 0;
    if (drawn) {
        results_scale_init(&b->x, RESULTS_QUANTITY_DURATION, 0, most, false,
                           b->drawing->width > 500 ? 6 : 4);
        draw(b);
    }
    free(b->shown);
    return drawn;
}

bool figure_causes(struct drawing *drawing, const struct survey *survey)
{
    struct bars b = {.drawing = drawing,
                     .survey = survey,
                     .title = "mean lost work per run (slot time)",
                     .about = "Mean lost work per run by cause, a bar per point",
                     .n_parts = survey->n_causes,
                     .values = causes_of};

    _Static_assert(MODEL_CAUSE_COUNT <= PARTS_MAX, "every cause has a place");
    for (uint32_t i = 0; i < survey->n_causes; i++) {
        b.parts[i] = survey->causes[i];
        b.names[i] = model_cause_name((enum model_cause)survey->causes[i]);
    }
    return bars_draw(&b);
}

bool figure_outage(struct drawing *drawing, const struct survey *survey)
{
    struct bars b = {.drawing = drawing,
                     .survey = survey,
                     .title = "mean outage per failover",
                     .about = "Mean outage per failover by phase, a bar per point",
                     .n_parts = MODEL_PHASE_COUNT,
                     .values = phases_of};

    _Static_assert(MODEL_PHASE_COUNT <= PARTS_SHOWN, "every phase has a colour");
    for (uint32_t i = 0; i < MODEL_PHASE_COUNT; i++) {
        b.parts[i] = i;
        b.names[i] = results_report_phase((enum model_phase)i);
    }
    return bars_draw(&b);
}
