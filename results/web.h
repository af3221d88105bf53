// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a page carries besides its content: style sheets and scripts, built in. results/web/ holds
// ours; uPlot is fetched through npm when the program is built, and empty where that was not
// possible or not wanted (CMake option RECOUP_UPLOT).
#ifndef RECOUP_RESULTS_WEB_H
#define RECOUP_RESULTS_WEB_H

#include <stddef.h>

struct results_web_file {
    const char *bytes; // not terminated
    size_t size;
};

extern const struct results_web_file results_web_figure_css; // colours and lines of figures
extern const struct results_web_file results_web_page_css;
extern const struct results_web_file results_web_page_js;
extern const struct results_web_file results_web_uplot_js;
extern const struct results_web_file results_web_uplot_css;
extern const struct results_web_file results_web_uplot_licence;

#endif
