// SPDX-License-Identifier: GPL-3.0-or-later
//
// The bootstrap: what the answer would have been with other runs from the same law, by drawing from
// the runs with replacement. The draws are addressed (resample, position) and have a fixed seed, so
// an interval is the same wherever it is computed, and several points whose runs share their random
// numbers can be resampled together: a resample is a list of replications.
#ifndef RECOUP_RESULTS_BOOTSTRAP_H
#define RECOUP_RESULTS_BOOTSTRAP_H

#include "results/statistics.h"
#include "sim/arena.h"
#include "sim/random.h"

#define RESULTS_BOOTSTRAP_SEED 1979u // of all resampling; the year of Efron's paper
#define RESULTS_BOOTSTRAP_RESAMPLES 2000u

struct results_resampler {
    struct sim_arena arena;
    struct sim_random random;
};

// False when out of memory; to be released in both cases.
bool results_resampler_init(struct results_resampler *resampler);
void results_resampler_release(struct results_resampler *resampler);
// Which of n runs stands at `position` of resample `resample`.
size_t results_resampler_pick(struct results_resampler *resampler, uint64_t resample,
                              size_t position, size_t n);

// Interval of the mean by the bootstrap, bias-corrected and accelerated (BCa; Efron 1987): as good
// as Student's on normal laws; on skewed ones it covers as often, with its misses on both sides.
// NAN when n < 2, of no width when all values are equal. False when out of memory.
bool results_bootstrap_mean(const struct results_sample *sample, double confidence,
                            struct results_interval *interval);

#endif
