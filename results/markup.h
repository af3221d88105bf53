// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text that becomes part of a page: escaped, so that no name of a user's turns into markup.
#ifndef RECOUP_RESULTS_MARKUP_H
#define RECOUP_RESULTS_MARKUP_H

#include "results/text.h"

// Appends `string` for HTML and SVG, as content or within quotes: & < > " ' become references;
// control characters and bytes that are not UTF-8 become U+FFFD (a line feed becomes a blank).
void results_markup(struct results_text *text, const char *string);
// The same of at most `columns` characters (at least 2); a longer one ends with an ellipsis.
void results_markup_cut(struct results_text *text, const char *string, uint32_t columns);
// A coordinate: one decimal, "12.5", "12"; a value that is not finite is 0.
void results_markup_coordinate(struct results_text *text, double value);

// Appends `string` for one cell of a table in Markdown: | and markup characters are escaped, line
// feeds become blanks.
void results_markup_markdown(struct results_text *text, const char *string);

#endif
