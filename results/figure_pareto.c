// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "results/figures.h"

#define LABELS_MAX 12u // of points of the front that are named in the drawing

struct pareto {
    struct drawing *drawing;
    const struct survey *survey;
    enum survey_metric io;
    struct results_scale x;
    struct results_scale y;
    uint32_t n_front;
    uint32_t n_near;
    uint32_t n_rest;
    uint32_t n_labels;
    double label_x[LABELS_MAX]; // where labels stand
    double label_y[LABELS_MAX];
};

static double end_of(double interval, double mean)
{
    return isfinite(interval) ? interval : mean;
}

static void measure(struct pareto *p, double height, double left, double top)
{
    double low_x = (double)INFINITY;
    double high_x = -(double)INFINITY;
    double high_y = 0;
    double least_x = (double)INFINITY;

    for (uint32_t i = 0; i < p->survey->n_points; i++) {
        const struct survey_point *point = &p->survey->points[i];
        const struct survey_estimate *io = &point->all[p->io];
        const struct survey_estimate *lost = &point->all[SURVEY_LOST_WORK];

        if (io->n == 0 || lost->n == 0) {
            continue;
        }
        low_x = fmin(low_x, fmin(io->mean, end_of(io->low, io->mean)));
        high_x = fmax(high_x, end_of(io->high, io->mean));
        high_y = fmax(high_y, end_of(lost->high, lost->mean));
        least_x = fmin(least_x, io->mean);
        p->n_front += point->front[p->io] ? 1 : 0;
        p->n_near += point->near[p->io] ? 1 : 0;
        p->n_rest += !point->front[p->io] && !point->near[p->io] ? 1 : 0;
    }
    // An interval that reaches below zero is no reason to leave the logarithmic scale.
    low_x = low_x <= 0 && least_x > 0 ? least_x : low_x;
    results_scale_init(&p->x, survey_metric_fact(p->io)->quantity, low_x, high_x, true,
                       p->drawing->width > 500 ? 7 : 4);
    results_scale_init(&p->y, RESULTS_QUANTITY_DURATION, 0, high_y, false, 6);
    results_scale_span(&p->x, left, p->drawing->width - 18);
    results_scale_span(&p->y, height - 46, top);
}

static void explain(const struct pareto *p, const struct survey_point *point,
                    struct results_text *title)
{
    const struct survey_metric_fact *fact = survey_metric_fact(p->io);
    char lost[RESULTS_UNITS_SIZE];
    char io[RESULTS_UNITS_SIZE];

    results_text_format(
        title, "%s %s: lost work %s, %s %s, %u runs%s", point->short_name, point->label,
        results_slot_time(lost, llround(point->all[SURVEY_LOST_WORK].mean)), fact->title,
        results_quantity(io, fact->quantity, point->all[p->io].mean), point->n_runs,
        point->front[p->io]  ? "; on the front"
        : point->near[p->io] ? "; within noise of the front"
                             : "");
}

static void draw_intervals(const struct pareto *p, const struct survey_point *point, double x,
                           double y)
{
    const struct survey_estimate *lost = &point->all[SURVEY_LOST_WORK];
    const struct survey_estimate *io = &point->all[p->io];
    const char *class = point->front[p->io] ? "s0 error" : "error plain";
    double left = results_scale_place(&p->x, end_of(io->low, io->mean));
    double right = results_scale_place(&p->x, end_of(io->high, io->mean));

    drawing_interval(p->drawing, class, x,
                     results_scale_place(&p->y, end_of(lost->low, lost->mean)),
                     results_scale_place(&p->y, end_of(lost->high, lost->mean)));
    if (right - left > 1) {
        drawing_line(p->drawing, class, left, y, right, y);
    }
}

// Beside the point, above or below; nowhere if other labels leave no room. The table has them all.
static void draw_label(struct pareto *p, const char *name, double x, double y)
{
    static const double offsets[][2] = {{8, -7}, {8, 15}, {-26, -7}, {-26, 15}};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        double at_x = x + offsets[i][0];
        double at_y = y + offsets[i][1];
        bool free = p->n_labels < LABELS_MAX && at_y > p->y.to && at_y < p->y.from;

        for (uint32_t l = 0; free && l < p->n_labels; l++) {
            free = fabs(p->label_x[l] - at_x) > 26 || fabs(p->label_y[l] - at_y) > 12;
        }
        if (free) {
            p->label_x[p->n_labels] = at_x;
            p->label_y[p->n_labels++] = at_y;
            drawing_text(p->drawing, "", at_x, at_y, DRAWING_START, name);
            return;
        }
    }
}

static void draw_point(struct pareto *p, uint32_t index)
{
    const struct survey_point *point = &p->survey->points[index];
    double x = results_scale_place(&p->x, point->all[p->io].mean);
    double y = results_scale_place(&p->y, point->all[SURVEY_LOST_WORK].mean);
    struct results_text title;

    results_text_init(&title);
    explain(p, point, &title);
    draw_intervals(p, point, x, y);
    drawing_marker(p->drawing, point->near[p->io] ? 3 : 0,
                   point->front[p->io]  ? "s0 mark"
                   : point->near[p->io] ? "s1 hollow"
                                        : "dim",
                   x, y, point->front[p->io] ? 10 : 8, results_text_string(&title));
    if (point->front[p->io] && p->n_front <= LABELS_MAX) {
        draw_label(p, point->short_name, x, y);
    }
    results_text_release(&title);
}

// The front as steps: what can be had for at most that much.
static void draw_front(const struct pareto *p)
{
    double *x = malloc((2 * (size_t)p->n_front + 2) * sizeof(*x));
    double *y = malloc((2 * (size_t)p->n_front + 2) * sizeof(*y));
    double passed = -1;
    uint32_t n = 0;

    while (x != NULL && y != NULL && n < 2 * p->n_front) {
        const struct survey_point *next = NULL;

        for (uint32_t i = 0; i < p->survey->n_points; i++) {
            const struct survey_point *point = &p->survey->points[i];

            if (point->front[p->io] && point->all[p->io].mean > passed &&
                (next == NULL || point->all[p->io].mean < next->all[p->io].mean)) {
                next = point;
            }
        }
        if (next == NULL) {
            break;
        }
        passed = next->all[p->io].mean;
        x[n] = results_scale_place(&p->x, passed);
        y[n] = n > 0 ? y[n - 1] : p->y.to;
        x[n + 1] = x[n];
        y[n + 1] = results_scale_place(&p->y, next->all[SURVEY_LOST_WORK].mean);
        n += 2;
    }
    if (n > 1) {
        x[n] = p->x.to;
        y[n] = y[n - 1];
        drawing_path(p->drawing, "front", x + 1, y + 1, n);
    }
    free(x);
    free(y);
}

static void draw_legend(const struct pareto *p, double y)
{
    struct drawing_legend legend;

    drawing_legend_begin(&legend, 0, y);
    drawing_legend_add(p->drawing, &legend, 0, NULL, "front");
    if (p->n_near > 0) {
        drawing_legend_add(p->drawing, &legend, 3, "s1 hollow", "within noise of it");
    }
    if (p->n_rest > 0) {
        drawing_legend_add(p->drawing, &legend, 0, "dim", "surely worse");
    }
}

bool figure_pareto(struct drawing *drawing, const struct survey *survey, enum survey_metric io)
{
    struct pareto p = {.drawing = drawing, .survey = survey, .io = io};
    const struct survey_metric_fact *fact = survey_metric_fact(io);
    double height = drawing->width > 500 ? 400 : 340;
    char label[160];

    measure(&p, height, 74, 56);
    if (p.n_front == 0) {
        return false;
    }
    (void)snprintf(label, sizeof(label),
                   "Lost work against %s: %u points on the front, %u within noise of it, %u "
                   "surely worse. The table of points has the numbers.",
                   fact->title, p.n_front, p.n_near, p.n_rest);
    drawing_begin(drawing, height, label);
    draw_legend(&p, 12);
    drawing_axis_x(drawing, &p.x, 56, height - 46, fact->axis);
    drawing_axis_y(drawing, &p.y, 74, drawing->width - 18,
                   survey_metric_fact(SURVEY_LOST_WORK)->axis);
    draw_front(&p);
    for (uint32_t pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < survey->n_points; i++) {
            const struct survey_point *point = &survey->points[i];
            uint32_t rank = point->front[io] ? 2 : point->near[io] ? 1 : 0;

            if (rank == pass && point->n_runs > 0) {
                draw_point(&p, i);
            }
        }
    }
    drawing_end(drawing);
    return true;
}
