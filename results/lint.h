// SPDX-License-Identifier: GPL-3.0-or-later
//
// A resolved scenario for people and programs, and advice on values that do not fit each other.
#ifndef RECOUP_RESULTS_LINT_H
#define RECOUP_RESULTS_LINT_H

#include "results/text.h"
#include "scenarios/scenario.h"

#define RESULTS_ADVICE_MAX 8u

struct results_advice {
    const char *hazard; // "H32", or NULL
    char text[256];
};

// What is allowed but hardly meant, besides the scenario's warnings, at most RESULTS_ADVICE_MAX.
// Returns how many. Nothing for an invalid scenario.
uint32_t results_advise(const struct scenario *scenario,
                        struct results_advice advice[RESULTS_ADVICE_MAX]);

// Which values are shown: without a choice all, with both those of either.
struct results_lint_choice {
    bool given;   // what the user wrote: in the scenario, its config, its base, the command line
    bool assumed; // what is assumed
};

// Every chosen value: path, value, origin, source, aligned within `width` columns (brought within
// the bounds of results/page.h). What does not fit its column goes on a line of its own, wrapped;
// nothing is cut, so a single word that is longer than a line sticks out.
void results_lint_text(const struct scenario *scenario, const struct results_lint_choice *choice,
                       uint32_t width, struct results_text *text);
// The chosen values as one object, errors of an invalid scenario included.
void results_lint_json(const struct scenario *scenario, const struct results_lint_choice *choice,
                       struct results_text *text);

#endif
