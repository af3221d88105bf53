// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which axis matters: analysis of variance of a metric over the points of a sweep, main effects and
// first interactions. Under common random numbers the replications are blocks: what a seed does to
// all points alike is taken out of the error.
//
// Designs need not be complete (`where` leaves points out): an effect is what its columns explain
// beyond all main effects (of an interaction: and all other interactions), which is type II and in
// complete designs the textbook's table. Sums of squares of incomplete designs need not add up.
// By GSL's QR with column pivoting; see docs/statistics.md.
#ifndef RECOUP_RESULTS_FACTORIAL_H
#define RECOUP_RESULTS_FACTORIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_FACTORS_MAX 16u
// Cells times the square of the model's columns: below this a fit takes less than a second.
#define RESULTS_FACTORIAL_WORK_MAX 5e8
#define RESULTS_NO_FACTOR UINT32_MAX

struct results_factor {
    const char *name;      // borrowed; not looked at
    uint32_t n_levels;     // at least 1
    const uint32_t *level; // of each cell, below n_levels; borrowed
};

struct results_effect {
    uint32_t a;
    uint32_t b;     // RESULTS_NO_FACTOR: the main effect of a
    uint32_t df;    // 0: cannot be told apart from the others; all else is NAN then
    double squares; // sum of squares
    double share;   // of the total; in [0, 1]
    double f;       // mean square over that of the error; NAN without an error
    double p;       // probability of an F as large if the effect were none
};

struct results_factorial {
    uint32_t n_effects;
    struct results_effect effects[RESULTS_FACTORS_MAX * (RESULTS_FACTORS_MAX + 1) / 2];
    bool interactions; // false: left out, RESULTS_FACTORIAL_WORK_MAX
    double mean;
    double total;  // sum of squares of all values around the mean
    double blocks; // of the replications; 0 when they are no blocks
    double rest;   // of what tells cells apart and no effect explains: higher interactions
    double error;
    uint32_t rest_df;
    uint64_t error_df;
};

enum results_factorial_status {
    RESULTS_FACTORIAL_OK,
    RESULTS_FACTORIAL_TOO_SMALL, // fewer than two cells, or no factor with two levels
    RESULTS_FACTORIAL_TOO_LARGE, // the main effects alone are more work than that
    RESULTS_FACTORIAL_NO_MEMORY
};

// values[cell * n_runs + run], complete; `blocks`: run r has the same random numbers in every cell.
enum results_factorial_status results_factorial_analyse(const struct results_factor *factors,
                                                        uint32_t n_factors, const int64_t *values,
                                                        size_t n_cells, size_t n_runs, bool blocks,
                                                        struct results_factorial *result);

#endif
