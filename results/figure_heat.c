// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/figures.h"

#define SHADES 7u

struct heat {
    struct drawing *drawing;
    const struct survey *survey;
    const struct survey_axis *across;
    const struct survey_axis *down;
    enum survey_metric metric;
    struct survey_estimate *cells; // [down * across->n_values + across]
    uint32_t best;
    double low;
    double high;
    double left;
    double cell_width;
    double cell_height;
};

static bool fill(struct heat *h, uint32_t across, uint32_t down)
{
    uint32_t *points = malloc(((size_t)h->survey->n_points + 1) * sizeof(*points));
    uint32_t n_cells = h->across->n_values * h->down->n_values;

    h->cells = calloc((size_t)n_cells + 1, sizeof(*h->cells));
    h->low = (double)INFINITY;
    h->high = -(double)INFINITY;
    for (uint32_t i = 0; points != NULL && h->cells != NULL && i < n_cells; i++) {
        uint32_t n = figure_select(h->survey, across, i % h->across->n_values, down,
                                   i / h->across->n_values, points);

        survey_average(h->survey, points, n, h->metric, &h->cells[i]);
        if (h->cells[i].n > 0) {
            h->best = h->cells[i].mean < h->low ? i : h->best;
            h->low = fmin(h->low, h->cells[i].mean);
            h->high = fmax(h->high, h->cells[i].mean);
        }
    }
    free(points);
    return h->cells != NULL && isfinite(h->low);
}

static uint32_t shade_of(const struct heat *h, double value)
{
    double share = h->high > h->low ? (value - h->low) / (h->high - h->low) : 0;
    uint32_t shade = (uint32_t)(share * SHADES);

    return shade < SHADES ? shade : SHADES - 1;
}

static void draw_cell(const struct heat *h, uint32_t i, double x, double y)
{
    const struct survey_estimate *cell = &h->cells[i];
    enum results_quantity quantity = survey_metric_fact(h->metric)->quantity;
    uint32_t shade = shade_of(h, cell->mean);
    char class[16];
    char value[RESULTS_UNITS_SIZE];
    struct results_text title;

    (void)results_quantity(value, quantity, cell->mean);
    results_text_init(&title);
    results_text_format(&title, "%s = %s, %s = %s: %s", h->across->name,
                        h->across->texts[i % h->across->n_values], h->down->name,
                        h->down->texts[i / h->across->n_values], value);
    (void)snprintf(class, sizeof(class), "h%u cell", shade);
    drawing_box(h->drawing, class, x, y, h->cell_width, h->cell_height,
                results_text_string(&title));
    if ((double)strlen(value) * DRAWING_CHARACTER < h->cell_width - 2) {
        drawing_text(h->drawing, shade >= SHADES - 2 ? "on-high" : "on-low", x + h->cell_width / 2,
                     y + h->cell_height / 2 + 4, DRAWING_MIDDLE, value);
    }
    results_text_release(&title);
}

static void draw_cells(const struct heat *h, double top)
{
    uint32_t n = h->across->n_values;
    uint32_t columns = (uint32_t)(h->cell_width / DRAWING_CHARACTER);

    for (uint32_t i = 0; i < n * h->down->n_values; i++) {
        double x = h->left + (i % n) * h->cell_width;
        double y = top + (i / n) * h->cell_height;

        if (h->cells[i].n > 0) {
            draw_cell(h, i, x, y);
        }
        if (i % n == 0) {
            drawing_text_cut(h->drawing, "tick", h->left - 6, y + h->cell_height / 2 + 4,
                             DRAWING_END, h->down->texts[i / n],
                             (uint32_t)(h->left / DRAWING_CHARACTER));
        }
        if (i < n && columns >= 3) {
            drawing_text_cut(h->drawing, "tick", x + h->cell_width / 2,
                             top + h->down->n_values * h->cell_height + 16, DRAWING_MIDDLE,
                             h->across->texts[i], columns);
        }
    }
    drawing_box(h->drawing, "best", h->left + (h->best % n) * h->cell_width,
                top + (h->best / n) * h->cell_height, h->cell_width, h->cell_height, NULL);
}

static void draw_legend(const struct heat *h)
{
    enum results_quantity quantity = survey_metric_fact(h->metric)->quantity;
    char value[RESULTS_UNITS_SIZE];
    double x = 0;

    (void)results_quantity(value, quantity, h->low);
    drawing_text(h->drawing, "legend", x, 12, DRAWING_START, value);
    x += (double)strlen(value) * DRAWING_CHARACTER + 10;
    for (uint32_t s = 0; s < SHADES; s++) {
        char class[16];

        (void)snprintf(class, sizeof(class), "h%u", s);
        drawing_box(h->drawing, class, x + s * 18.0, 2, 18, 12, NULL);
    }
    x += SHADES * 18 + 8;
    (void)results_quantity(value, quantity, h->high);
    drawing_text(h->drawing, "legend", x, 12, DRAWING_START, value);
    x += (double)strlen(value) * DRAWING_CHARACTER + 22;
    drawing_box(h->drawing, "best", x, 3, 12, 10, NULL);
    drawing_text(h->drawing, "legend", x + 18, 12, DRAWING_START, "least");
}

static double label_width(const struct survey_axis *axis, double most)
{
    size_t longest = 0;

    for (uint32_t v = 0; v < axis->n_values; v++) {
        size_t size = strlen(axis->texts[v]);

        longest = size > longest ? size : longest;
    }
    return fmin((double)longest * DRAWING_CHARACTER + 10, most);
}

static void draw(struct heat *h)
{
    const struct survey_metric_fact *fact = survey_metric_fact(h->metric);
    double top = 46;
    double height;
    char label[240];

    h->left = label_width(h->down, h->drawing->width / 3);
    h->cell_width = fmin((h->drawing->width - h->left - 4) / h->across->n_values, 110);
    h->cell_height = h->down->n_values > 14 ? 22 : 32;
    height = top + h->down->n_values * h->cell_height + 46;
    (void)snprintf(label, sizeof(label), "Mean %s over %.60s and %.60s; darker is more",
                   fact->title, h->across->name, h->down->name);
    drawing_begin(h->drawing, height, label);
    draw_legend(h);
    drawing_text_cut(h->drawing, "name", 0, top - 10, DRAWING_START, h->down->name,
                     (uint32_t)(h->drawing->width / DRAWING_CHARACTER));
    draw_cells(h, top);
    drawing_text_cut(h->drawing, "name", h->left + h->cell_width * h->across->n_values / 2,
                     height - 10, DRAWING_MIDDLE, h->across->name,
                     (uint32_t)((h->drawing->width - h->left) / DRAWING_CHARACTER));
    drawing_end(h->drawing);
}

bool figure_heat(struct drawing *drawing, const struct survey *survey, uint32_t across,
                 uint32_t down, enum survey_metric metric)
{
    struct heat h = {.drawing = drawing, .survey = survey, .metric = metric};
    bool drawn;

    if (across == SURVEY_NONE || down == SURVEY_NONE) {
        return false;
    }
    // The longer axis runs down where the page is narrow.
    if (drawing->width < 500 && survey->axes[across].n_values > survey->axes[down].n_values) {
        uint32_t swap = across;

        across = down;
        down = swap;
    }
    h.across = &survey->axes[across];
    h.down = &survey->axes[down];
    drawn = fill(&h, across, down);
    if (drawn) {
        draw(&h);
    }
    free(h.cells);
    return drawn;
}
