// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "sim/assert.h"

static bool allocate(struct results_sample *sample, size_t n)
{
    if (n > SIZE_MAX / sizeof(double)) {
        return false;
    }
    sample->above = malloc((n > 0 ? n : 1) * sizeof(double));
    sample->sorted = malloc((n > 0 ? n : 1) * sizeof(double));
    return sample->above != NULL && sample->sorted != NULL;
}

bool results_sample_init(struct results_sample *sample, const int64_t *values, size_t n)
{
    memset(sample, 0, sizeof(*sample));
    if (!allocate(sample, n)) {
        return false;
    }
    sample->n = n;
    for (size_t i = 0; i < n; i++) {
        sample->min = i == 0 || values[i] < sample->min ? values[i] : sample->min;
        sample->max = i == 0 || values[i] > sample->max ? values[i] : sample->max;
    }
    sample->base = sample->min;
    for (size_t i = 0; i < n; i++) {
        // The distance of two 64-bit numbers always fits the unsigned type.
        sample->above[i] = (double)((uint64_t)values[i] - (uint64_t)sample->base);
        sample->sorted[i] = sample->above[i];
    }
    gsl_sort(sample->sorted, 1, n);
    return true;
}

void results_sample_release(struct results_sample *sample)
{
    free(sample->above);
    free(sample->sorted);
    memset(sample, 0, sizeof(*sample));
}

bool results_sample_order(const struct results_sample *sample, uint32_t *order)
{
    size_t *sorted = calloc(sample->n + 1, sizeof(*sorted));

    if (sorted == NULL) {
        return false;
    }
    SIM_ASSERT(sample->n <= UINT32_MAX);
    gsl_sort_index(sorted, sample->above, 1, sample->n);
    for (size_t i = 0; i < sample->n; i++) {
        order[i] = (uint32_t)sorted[i];
    }
    free(sorted);
    return true;
}

void results_sample_moments(const struct results_sample *sample, struct results_moments *moments)
{
    double mean = gsl_stats_mean(sample->above, 1, sample->n);

    *moments = (struct results_moments){RESULTS_UNKNOWN, RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    if (sample->n == 0) {
        return;
    }
    moments->mean = (double)sample->base + mean;
    if (sample->n < 2) {
        return;
    }
    if (sample->min == sample->max) {
        moments->sd = 0.0;
        moments->skewness = sample->n < 3 ? RESULTS_UNKNOWN : 0.0;
        return;
    }
    moments->sd = gsl_stats_sd_m(sample->above, 1, sample->n, mean);
    if (sample->n >= 3) {
        moments->skewness = gsl_stats_skew_m_sd(sample->above, 1, sample->n, mean, moments->sd);
    }
}

double results_t_half_width(double sd, size_t n, double confidence)
{
    SIM_ASSERT(n >= 2);
    SIM_ASSERT(confidence > 0.0 && confidence < 1.0);
    return gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(n - 1)) * sd / sqrt((double)n);
}

void results_sample_mean_interval(const struct results_sample *sample, double confidence,
                                  struct results_interval *interval)
{
    struct results_moments moments;

    results_sample_moments(sample, &moments);
    *interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    if (sample->n >= 2) {
        double half = results_t_half_width(moments.sd, sample->n, confidence);

        interval->low = moments.mean - half;
        interval->high = moments.mean + half;
    }
}

double results_sample_relative_half_width(const struct results_sample *sample, double confidence)
{
    struct results_moments moments;

    results_sample_moments(sample, &moments);
    if (sample->n < 2) {
        return RESULTS_UNKNOWN;
    }
    if (sample->min == sample->max) {
        return 0.0;
    }
    // A division by zero is infinite here, which is meant.
    return results_t_half_width(moments.sd, sample->n, confidence) / fabs(moments.mean);
}

double results_sample_quantile(const struct results_sample *sample, double share)
{
    SIM_ASSERT(share >= 0.0 && share <= 1.0);
    if (sample->n == 0) {
        return RESULTS_UNKNOWN;
    }
    return (double)sample->base +
           gsl_stats_quantile_from_sorted_data(sample->sorted, 1, sample->n, share);
}

// The smallest k in [0, n] with P(B <= k) >= probability, for B binomial (n, share).
static size_t binomial_quantile(size_t n, double share, double probability)
{
    size_t low = 0;
    size_t high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (gsl_cdf_binomial_P((unsigned)middle, share, (unsigned)n) >= probability) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// With B observations at or below the quantile, rank l bounds it from below unless B < l, rank u
// from above unless B >= u (ranks from 1). Both happen with probability alpha / 2 at most.
void results_sample_quantile_interval(const struct results_sample *sample, double share,
                                      double confidence, struct results_interval *interval)
{
    double miss = (1.0 - confidence) / 2.0;
    size_t n = sample->n;
    size_t low;
    size_t high;

    SIM_ASSERT(share >= 0.0 && share <= 1.0);
    SIM_ASSERT(confidence > 0.0 && confidence < 1.0);
    SIM_ASSERT(n <= UINT32_MAX);
    *interval = (struct results_interval){-HUGE_VAL, HUGE_VAL};
    if (n == 0) {
        *interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
        return;
    }
    low = binomial_quantile(n, share, miss);            // P(B <= low - 1) < miss
    high = binomial_quantile(n, share, 1.0 - miss) + 1; // P(B <= high - 1) >= 1 - miss
    if (low >= 1) {
        interval->low = (double)sample->base + sample->sorted[low - 1];
    }
    if (high <= n) {
        interval->high = (double)sample->base + sample->sorted[high - 1];
    }
}

uint64_t results_quantile_runs_needed(double share, double confidence)
{
    double miss = (1.0 - confidence) / 2.0;
    double rarer = share < 0.5 ? 1.0 - share : share;

    SIM_ASSERT(share > 0.0 && share < 1.0);
    SIM_ASSERT(confidence > 0.0 && confidence < 1.0);
    // All n observations lie on one side of the quantile with probability rarer^n.
    return (uint64_t)ceil(log(miss) / log(rarer));
}
