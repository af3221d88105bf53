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

// Every value: path, value, origin, source, aligned.
void results_lint_text(const struct scenario *scenario, struct results_text *text);
// The same as one object, errors of an invalid scenario included.
void results_lint_json(const struct scenario *scenario, struct results_text *text);

#endif
