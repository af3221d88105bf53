// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statistics of the runs of a point: moments, Student's t interval, quantiles with intervals from
// order statistics, and paired differences between two points whose runs share their random
// numbers. All by GSL, from integers. docs/statistics.md says of each method what it assumes and
// when it misleads.
//
// What cannot be known is NAN (the sd of one run, an interval that one run would have); what is
// doubtful is a warning, a value that stands beside the number (results/warnings.h).
#ifndef RECOUP_RESULTS_STATISTICS_H
#define RECOUP_RESULTS_STATISTICS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_UNKNOWN ((double)NAN) // what the runs cannot tell
#define RESULTS_CONFIDENCE 0.95       // of every interval for which nothing else was asked

// Observations of one metric. Doubles keep their distance from the smallest observation, so that
// small differences between huge values (10^18 ns) are not rounded away.
struct results_sample {
    size_t n;
    int64_t base; // the smallest observation; 0 when n is 0
    int64_t min;  // the same
    int64_t max;
    double *above;  // observation less base, in the order given
    double *sorted; // the same, ascending
};

// Copies n observations. False when out of memory. To be released in both cases; n may be 0.
bool results_sample_init(struct results_sample *sample, const int64_t *values, size_t n);
void results_sample_release(struct results_sample *sample); // accepts a zeroed one

struct results_interval {
    double low;  // NAN: unknown; -INFINITY: the sample bounds it on the other side only
    double high; // NAN or INFINITY likewise
};

// The indices of the observations, ascending by value. Room for n.
// False when out of memory.
bool results_sample_order(const struct results_sample *sample, uint32_t *order);

struct results_moments {
    double mean;     // NAN when n is 0
    double sd;       // with n - 1; NAN when n < 2
    double skewness; // m3 / sd^3 as GSL's; NAN when n < 3, 0 when all values are equal
};

void results_sample_moments(const struct results_sample *sample, struct results_moments *moments);

// Half the width of Student's t interval of a mean: t(n - 1) sd / sqrt(n). n at least 2, confidence
// in (0, 1).
double results_t_half_width(double sd, size_t n, double confidence);
// Student's t interval of the mean: mean -+ t(n - 1) sd / sqrt(n). NAN when n < 2; of no width when
// all values are equal. confidence in (0, 1).
void results_sample_mean_interval(const struct results_sample *sample, double confidence,
                                  struct results_interval *interval);
// Half its width over |mean|: 0 when all values are equal, INFINITY when the mean is 0, NAN when
// n < 2.
double results_sample_relative_half_width(const struct results_sample *sample, double confidence);

// The quantile of a share in [0, 1], linear between order statistics (GSL's rule, type 7 of Hyndman
// and Fan). NAN when n is 0.
double results_sample_quantile(const struct results_sample *sample, double share);
// Interval of the quantile between two order statistics, exact for any continuous law and
// conservative for others: their ranks come from the binomial law, each side misses with
// probability (1 - confidence) / 2 at most. A side that the sample is too small to bound is
// infinite.
void results_sample_quantile_interval(const struct results_sample *sample, double share,
                                      double confidence, struct results_interval *interval);
// The fewest runs with which such an interval is bounded on both sides (72 for 0.95 at 95 %).
uint64_t results_quantile_runs_needed(double share, double confidence);

// Two points whose runs i used the same random numbers.
struct results_pairs {
    struct results_sample differences; // a - b, run by run
    double correlation;                // of a and b; NAN when n < 2 or one of them is constant
    double variance_ratio;             // (var a + var b) / var(a - b); see below
    double runs_independent; // runs per point that would give the same interval without pairing:
                             // n times the ratio; INFINITY when the difference never varies
};

// n pairs. False when out of memory; to be released in both cases. A difference that does not fit
// 64 bits is cut to the nearest that does.
bool results_pairs_init(struct results_pairs *pairs, const int64_t *a, const int64_t *b, size_t n);
void results_pairs_release(struct results_pairs *pairs); // accepts a zeroed one

// Two points without common random numbers: the difference of their means and Welch's t interval of
// it. NAN when one of them has fewer than 2 runs.
void results_difference_interval(const struct results_sample *a, const struct results_sample *b,
                                 double confidence, double *difference,
                                 struct results_interval *interval);

// Whether the difference is real, without assuming a normal law: two-sided probabilities of what
// was seen if there were no difference. Both leave out pairs that are equal; 1 when all are.
struct results_pairs_tests {
    uint64_t n_unequal;
    double sign;     // exact sign test (binomial)
    double wilcoxon; // signed ranks, normal approximation with ties and continuity
};

// False when out of memory.
bool results_pairs_test(const struct results_pairs *pairs, struct results_pairs_tests *tests);

#endif
