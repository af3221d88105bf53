// SPDX-License-Identifier: GPL-3.0-or-later
//
// A page of text for a terminal: wrapped sentences, colours and bars, within a width. Bars are of
// eighths of a block where the terminal shows UTF-8, of '#' elsewhere.
#ifndef RECOUP_RESULTS_PAGE_H
#define RECOUP_RESULTS_PAGE_H

#include "results/text.h"

#define RESULTS_PAGE_WIDTH_MIN 40u
#define RESULTS_PAGE_WIDTH_MAX 100u

struct results_style {
    bool utf8;
    bool color;
    uint32_t width; // columns; brought within the bounds above
};

enum results_color {
    RESULTS_PLAIN,
    RESULTS_BOLD,
    RESULTS_DIM,
    RESULTS_RED,
    RESULTS_GREEN,
    RESULTS_YELLOW,
    RESULTS_CYAN
};

struct results_page {
    struct results_text *text; // borrowed
    struct results_style style;
};

void results_page_init(struct results_page *page, struct results_text *text,
                       const struct results_style *style);

// Text in a colour (nothing but the text where colours are off).
void results_page_color(struct results_page *page, enum results_color color, const char *text);
// Words wrapped to the width. The first line starts behind `label`, which is padded to `indent`
// columns; later lines are indented as far. Ends with a line feed.
void results_page_wrap(struct results_page *page, const char *label, uint32_t indent,
                       enum results_color color, const char *words);
// `text` padded with blanks to `columns` (by code points), cut with an ellipsis if it is longer.
void results_page_left(struct results_page *page, const char *text, uint32_t columns);
void results_page_right(struct results_page *page, const char *text, uint32_t columns);
// A bar of value / largest of `columns`, padded to them. Every value above 0 shows.
void results_page_bar(struct results_page *page, uint64_t value, uint64_t largest, uint32_t columns,
                      enum results_color color);
void results_page_line(struct results_page *page); // ends the line; no blanks stay before its end

// Columns that a text takes: its code points (wide characters count as one).
uint32_t results_columns_of(const char *text);

#endif
