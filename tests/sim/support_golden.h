// SPDX-License-Identifier: GPL-3.0-or-later
//
// What must be the same bits everywhere: hashes over the draws, over det_log and its kin, and over
// the first 1,000 samples of each law. Used by a test that compares them with the committed ones,
// and by a program that is compiled by each compiler at each level (golden_matrix.sh).
#ifndef TESTS_SIM_SUPPORT_GOLDEN_H
#define TESTS_SIM_SUPPORT_GOLDEN_H

#include <stdint.h>

#include "sim/law.h"

#define GOLDEN_COUNT 17

struct golden {
    const char *name;
    uint64_t hash;
};

// Fills all entries; 0, or SIM_ENOMEM.
int golden_compute(struct golden *entries);
// The laws hashed, in order; golden_law(i) for i < GOLDEN_LAWS.
#define GOLDEN_LAWS 12
const struct sim_law *golden_law(uint32_t i, const char **name);

#endif
