// SPDX-License-Identifier: GPL-3.0-or-later
//
// A drawing in SVG. Colours are classes of results/web/figure.css, so that one drawing serves light
// and dark; every text is escaped. A drawing that stands alone carries the style sheet.
#ifndef RECOUP_RESULTS_DRAWING_H
#define RECOUP_RESULTS_DRAWING_H

#include "results/markup.h"
#include "results/scale.h"

#define DRAWING_WIDE 720.0    // of a page
#define DRAWING_NARROW 344.0  // of a phone
#define DRAWING_SERIES 8u     // classes s0 to s7, each with a marker of its own
#define DRAWING_CHARACTER 6.4 // average width of a character, for what must fit

struct drawing {
    struct results_text *text; // borrowed
    double width;
    bool alone; // with its style sheet and the namespace
};

struct drawing_legend { // one row of marks and words that wraps
    double x;
    double y;
};

enum drawing_anchor { DRAWING_START, DRAWING_MIDDLE, DRAWING_END };

// `label` says in a sentence what is shown, for those who do not see it.
void drawing_begin(struct drawing *drawing, double height, const char *label);
void drawing_end(struct drawing *drawing);
// The style sheet of a drawing that stands alone, also for programs that know no custom properties.
void drawing_style(struct results_text *text);

void drawing_line(struct drawing *drawing, const char *class, double x1, double y1, double x2,
                  double y2);
// A rectangle; `title` is shown when it is pointed at, and may be NULL.
void drawing_box(struct drawing *drawing, const char *class, double x, double y, double width,
                 double height, const char *title);
void drawing_text(struct drawing *drawing, const char *class, double x, double y,
                  enum drawing_anchor anchor, const char *string);
// At most `columns` characters of it.
void drawing_text_cut(struct drawing *drawing, const char *class, double x, double y,
                      enum drawing_anchor anchor, const char *string, uint32_t columns);
// The marker of a series at a place: circle, square, triangle, diamond, ...
void drawing_marker(struct drawing *drawing, uint32_t series, const char *class, double x, double y,
                    double size, const char *title);
// An open line through n places.
void drawing_path(struct drawing *drawing, const char *class, const double *x, const double *y,
                  uint32_t n);
// A closed area with n corners.
void drawing_area(struct drawing *drawing, const char *class, const double *x, const double *y,
                  uint32_t n, const char *title);
// A vertical interval with its whiskers.
void drawing_interval(struct drawing *drawing, const char *class, double x, double low,
                      double high);

// Grid, ticks and titles of the two axes of a plot. Scales have their coordinates already.
void drawing_axis_x(struct drawing *drawing, const struct results_scale *x, double top,
                    double bottom, const char *title);
void drawing_axis_y(struct drawing *drawing, const struct results_scale *y, double left,
                    double right, const char *title);

void drawing_legend_begin(struct drawing_legend *legend, double x, double y);
// A mark and its word: a box of a class, the marker of a series in a class that is hollow, or the
// filled marker when `class` is NULL.
void drawing_legend_add(struct drawing *drawing, struct drawing_legend *legend, uint32_t series,
                        const char *class, const char *word);
// The width that a word takes in a legend with its mark and the gap behind it.
double drawing_word_width(const char *word);
// The height that a legend of these words needs.
double drawing_legend_height(double width, const char *const *words, uint32_t n);

// The class of a series for `kind`: "s3 mark".
#define DRAWING_CLASS_SIZE 32u
const char *drawing_class(char buffer[DRAWING_CLASS_SIZE], uint32_t series, const char *kind);

#endif
