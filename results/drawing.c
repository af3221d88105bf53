// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/drawing.h"

#include <stdio.h>
#include <string.h>

#include "sim/assert.h"

#define MARGIN_ALONE 10.0 // around a drawing that no page surrounds
#define LEGEND_ROW 18.0
#define LEGEND_MARK 16.0
#define LEGEND_GAP 14.0
#define LEGEND_WORD_MAX 40u

static void attribute(struct drawing *drawing, const char *name, double value)
{
    results_text_format(drawing->text, " %s=\"", name);
    results_markup_coordinate(drawing->text, value);
    results_text_char(drawing->text, '"');
}

static void class_attribute(struct drawing *drawing, const char *class)
{
    if (class[0] != '\0') {
        results_text_format(drawing->text, " class=\"%s\"", class);
    }
}

static void close_with(struct drawing *drawing, const char *element, const char *title)
{
    if (title == NULL) {
        results_text_add(drawing->text, "/>\n");
        return;
    }
    results_text_add(drawing->text, "><title>");
    results_markup(drawing->text, title);
    results_text_format(drawing->text, "</title></%s>\n", element);
}

void drawing_begin(struct drawing *drawing, double height, const char *label)
{
    struct results_text *text = drawing->text;
    double margin = drawing->alone ? MARGIN_ALONE : 0;

    results_text_add(text, "<svg");
    if (drawing->alone) {
        results_text_add(text, " xmlns=\"http://www.w3.org/2000/svg\"");
        attribute(drawing, "width", drawing->width + 2 * margin);
        attribute(drawing, "height", height + 2 * margin);
    }
    results_text_add(text, " class=\"figure\" viewBox=\"");
    results_markup_coordinate(text, -margin);
    results_text_char(text, ' ');
    results_markup_coordinate(text, -margin);
    results_text_char(text, ' ');
    results_markup_coordinate(text, drawing->width + 2 * margin);
    results_text_char(text, ' ');
    results_markup_coordinate(text, height + 2 * margin);
    results_text_add(text, "\" role=\"img\" aria-label=\"");
    results_markup(text, label);
    results_text_add(text, "\">\n");
    if (drawing->alone) {
        drawing_style(text);
        drawing_box(drawing, "paper", -margin, -margin, drawing->width + 2 * margin,
                    height + 2 * margin, NULL);
    }
}

void drawing_end(struct drawing *drawing)
{
    results_text_add(drawing->text, "</svg>\n");
}

void drawing_line(struct drawing *drawing, const char *class, double x1, double y1, double x2,
                  double y2)
{
    results_text_add(drawing->text, "<line");
    class_attribute(drawing, class);
    attribute(drawing, "x1", x1);
    attribute(drawing, "y1", y1);
    attribute(drawing, "x2", x2);
    attribute(drawing, "y2", y2);
    results_text_add(drawing->text, "/>\n");
}

void drawing_box(struct drawing *drawing, const char *class, double x, double y, double width,
                 double height, const char *title)
{
    results_text_add(drawing->text, "<rect");
    class_attribute(drawing, class);
    attribute(drawing, "x", x);
    attribute(drawing, "y", y);
    attribute(drawing, "width", width > 0 ? width : 0);
    attribute(drawing, "height", height > 0 ? height : 0);
    close_with(drawing, "rect", title);
}

void drawing_text_cut(struct drawing *drawing, const char *class, double x, double y,
                      enum drawing_anchor anchor, const char *string, uint32_t columns)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};

    results_text_add(drawing->text, "<text");
    class_attribute(drawing, class);
    attribute(drawing, "x", x);
    attribute(drawing, "y", y);
    results_text_format(drawing->text, "%s>", anchors[anchor]);
    results_markup_cut(drawing->text, string, columns < 2 ? 2 : columns);
    results_text_add(drawing->text, "</text>\n");
}

void drawing_text(struct drawing *drawing, const char *class, double x, double y,
                  enum drawing_anchor anchor, const char *string)
{
    drawing_text_cut(drawing, class, x, y, anchor, string, UINT32_MAX);
}

// Corners of the markers, in halves of their size.
static const signed char *marker_corners(uint32_t series, uint32_t *n)
{
    static const signed char square[] = {-9, -9, 9, -9, 9, 9, -9, 9};
    static const signed char up[] = {0, -12, 11, 8, -11, 8};
    static const signed char diamond[] = {0, -13, 13, 0, 0, 13, -13, 0};
    static const signed char down[] = {0, 12, -11, -8, 11, -8};
    static const signed char cross[] = {-4, -11, 4,  -11, 4,  -4, 11,  -4, 11,  4,  4,  4,
                                        4,  11,  -4, 11,  -4, 4,  -11, 4,  -11, -4, -4, -4};
    static const signed char wide[] = {-12, -5, 12, -5, 12, 5, -12, 5};
    static const signed char tall[] = {-5, -12, 5, -12, 5, 12, -5, 12};

    switch (series % DRAWING_SERIES) {
    case 1:
        *n = sizeof(square);
        return square;
    case 2:
        *n = sizeof(up);
        return up;
    case 3:
        *n = sizeof(diamond);
        return diamond;
    case 4:
        *n = sizeof(down);
        return down;
    case 5:
        *n = sizeof(cross);
        return cross;
    case 6:
        *n = sizeof(wide);
        return wide;
    default:
        *n = sizeof(tall);
        return tall;
    }
}

void drawing_marker(struct drawing *drawing, uint32_t series, const char *class, double x, double y,
                    double size, const char *title)
{
    struct results_text *text = drawing->text;
    const signed char *corners;
    uint32_t n = 0;

    if (series % DRAWING_SERIES == 0) {
        results_text_add(text, "<circle");
        class_attribute(drawing, class);
        attribute(drawing, "cx", x);
        attribute(drawing, "cy", y);
        attribute(drawing, "r", size / 2);
        close_with(drawing, "circle", title);
        return;
    }
    corners = marker_corners(series, &n);
    results_text_add(text, "<polygon");
    class_attribute(drawing, class);
    results_text_add(text, " points=\"");
    for (uint32_t i = 0; i + 1 < n; i += 2) {
        results_text_add(text, i > 0 ? " " : "");
        results_markup_coordinate(text, x + corners[i] * size / 20);
        results_text_char(text, ',');
        results_markup_coordinate(text, y + corners[i + 1] * size / 20);
    }
    results_text_char(text, '"');
    close_with(drawing, "polygon", title);
}

static void places(struct drawing *drawing, const double *x, const double *y, uint32_t n)
{
    results_text_add(drawing->text, " points=\"");
    for (uint32_t i = 0; i < n; i++) {
        results_text_add(drawing->text, i > 0 ? " " : "");
        results_markup_coordinate(drawing->text, x[i]);
        results_text_char(drawing->text, ',');
        results_markup_coordinate(drawing->text, y[i]);
    }
    results_text_char(drawing->text, '"');
}

void drawing_path(struct drawing *drawing, const char *class, const double *x, const double *y,
                  uint32_t n)
{
    if (n < 2) {
        return;
    }
    results_text_add(drawing->text, "<polyline");
    class_attribute(drawing, class);
    places(drawing, x, y, n);
    results_text_add(drawing->text, "/>\n");
}

void drawing_area(struct drawing *drawing, const char *class, const double *x, const double *y,
                  uint32_t n, const char *title)
{
    results_text_add(drawing->text, "<polygon");
    class_attribute(drawing, class);
    places(drawing, x, y, n);
    close_with(drawing, "polygon", title);
}

void drawing_interval(struct drawing *drawing, const char *class, double x, double low, double high)
{
    if (!(low - high > 0.5 || high - low > 0.5)) {
        return; // smaller than its marker, or unknown
    }
    drawing_line(drawing, class, x, low, x, high);
    drawing_line(drawing, class, x - 3, low, x + 3, low);
    drawing_line(drawing, class, x - 3, high, x + 3, high);
}

void drawing_axis_x(struct drawing *drawing, const struct results_scale *x, double top,
                    double bottom, const char *title)
{
    double room = (x->to - x->from) / DRAWING_CHARACTER;
    double end = -1e9; // of the last label

    for (uint32_t i = 0; i < x->n_ticks; i++) {
        char label[RESULTS_UNITS_SIZE];
        double place = results_scale_place(x, x->ticks[i]);
        double half;

        (void)results_quantity(label, x->quantity, x->ticks[i]);
        half = (double)strlen(label) * DRAWING_CHARACTER / 2;
        drawing_line(drawing, "grid", place, top, place, bottom);
        // The first and the last one may not stand beyond the edge.
        place = place + half > drawing->width ? drawing->width - half : place;
        place = place < half ? half : place;
        if (place - half > end + 8) {
            drawing_text(drawing, "tick", place, bottom + 16, DRAWING_MIDDLE, label);
            end = place + half;
        }
    }
    drawing_line(drawing, "axis", x->from, bottom, x->to, bottom);
    drawing_text_cut(drawing, "name", (x->from + x->to) / 2, bottom + 36, DRAWING_MIDDLE, title,
                     (uint32_t)(room * 1.2));
}

void drawing_axis_y(struct drawing *drawing, const struct results_scale *y, double left,
                    double right, const char *title)
{
    for (uint32_t i = 0; i < y->n_ticks; i++) {
        char label[RESULTS_UNITS_SIZE];
        double place = results_scale_place(y, y->ticks[i]);

        (void)results_quantity(label, y->quantity, y->ticks[i]);
        drawing_line(drawing, "grid", left, place, right, place);
        drawing_text(drawing, "tick", left - 6, place + 4, DRAWING_END, label);
    }
    drawing_line(drawing, "axis", left, y->from, left, y->to);
    // Above the axis, where it can be read without turning one's head.
    drawing_text(drawing, "name", 0, (y->to < y->from ? y->to : y->from) - 10, DRAWING_START,
                 title);
}

// --- legend --------------------------------------------------------------------------------------

double drawing_word_width(const char *word)
{
    size_t size = strlen(word);

    size = size < LEGEND_WORD_MAX ? size : LEGEND_WORD_MAX;
    return LEGEND_MARK + (double)size * DRAWING_CHARACTER + LEGEND_GAP;
}

void drawing_legend_begin(struct drawing_legend *legend, double x, double y)
{
    legend->x = x;
    legend->y = y;
}

void drawing_legend_add(struct drawing *drawing, struct drawing_legend *legend, uint32_t series,
                        const char *class, const char *word)
{
    char marked[DRAWING_CLASS_SIZE];
    double width = drawing_word_width(word);

    if (legend->x > 0 && legend->x + width - LEGEND_GAP > drawing->width) {
        legend->x = 0;
        legend->y += LEGEND_ROW;
    }
    if (class != NULL && (strstr(class, "hollow") != NULL || strcmp(class, "dim") == 0)) {
        drawing_marker(drawing, series, class, legend->x + 5.5, legend->y - 4, 9, NULL);
    } else if (class != NULL) {
        drawing_box(drawing, class, legend->x, legend->y - 9, 11, 11, NULL);
    } else {
        drawing_marker(drawing, series, drawing_class(marked, series, "mark"), legend->x + 5.5,
                       legend->y - 4, 9, NULL);
    }
    drawing_text_cut(drawing, "legend", legend->x + LEGEND_MARK, legend->y, DRAWING_START, word,
                     LEGEND_WORD_MAX);
    legend->x += width;
}

double drawing_legend_height(double width, const char *const *words, uint32_t n)
{
    double x = 0;
    double height = LEGEND_ROW;

    for (uint32_t i = 0; i < n; i++) {
        double word = drawing_word_width(words[i]);

        if (x > 0 && x + word - LEGEND_GAP > width) {
            x = 0;
            height += LEGEND_ROW;
        }
        x += word;
    }
    return height;
}

const char *drawing_class(char buffer[DRAWING_CLASS_SIZE], uint32_t series, const char *kind)
{
    (void)snprintf(buffer, DRAWING_CLASS_SIZE, "s%u %.20s", series % DRAWING_SERIES, kind);
    return buffer;
}
