// SPDX-License-Identifier: GPL-3.0-or-later
//
// Content keys: 128-bit XXH3 hashes of what a thing is, never of where or when it was made.
#ifndef RECOUP_RESULTS_IDENTITY_H
#define RECOUP_RESULTS_IDENTITY_H

#include <stddef.h>

#include "results/database.h"

// The hash of parts, each framed by its length, so that ("ab", "c") and ("a", "bc") differ.
void results_key(const char *const *parts, size_t n_parts, char key[RESULTS_KEY_SIZE]);
// A resolved scenario's canonical text without the line of its seed, which is no part of a point.
// To be freed; NULL when out of memory.
char *results_without_seed(const char *canonical);
// The sweep that single runs of a scenario belong to.
void results_single_runs_key(const char *scenario, char key[RESULTS_KEY_SIZE]);
// What a resolved scenario (its canonical text) means, whatever its seed. False: out of memory.
bool results_scenario_key(const char *canonical, char key[RESULTS_KEY_SIZE]);

#endif
