// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

bool results_resampler_init(struct results_resampler *resampler)
{
    sim_arena_init(&resampler->arena, 0);
    return sim_random_init(&resampler->random, &resampler->arena, RESULTS_BOOTSTRAP_SEED) == 0;
}

void results_resampler_release(struct results_resampler *resampler)
{
    sim_arena_release(&resampler->arena);
}

size_t results_resampler_pick(struct results_resampler *resampler, uint64_t resample,
                              size_t position, size_t n)
{
    uint64_t pick;

    sim_random_below(&resampler->random, 0, resample, position, n, &pick);
    return (size_t)pick;
}

static void draw_means(struct results_resampler *resampler, const struct results_sample *sample,
                       double *means)
{
    for (size_t b = 0; b < RESULTS_BOOTSTRAP_RESAMPLES; b++) {
        double sum = 0.0;

        for (size_t i = 0; i < sample->n; i++) {
            sum += sample->above[results_resampler_pick(resampler, b, i, sample->n)];
        }
        means[b] = sum / (double)sample->n;
    }
}

// How far the median of the resampled means lies from the mean, in standard deviations.
static double bias(const double *means, double mean)
{
    double below = 0.0;
    double b = RESULTS_BOOTSTRAP_RESAMPLES;

    for (size_t i = 0; i < RESULTS_BOOTSTRAP_RESAMPLES; i++) {
        below += means[i] < mean ? 1.0 : means[i] > mean ? 0.0 : 0.5;
    }
    below = below < 1.0 ? 1.0 : below > b - 1.0 ? b - 1.0 : below;
    return gsl_cdf_ugaussian_Pinv(below / b);
}

// How the standard error changes with the mean: for a mean the jackknife has this closed form.
static double acceleration(const struct results_sample *sample, double mean)
{
    double squares = 0.0;
    double cubes = 0.0;

    for (size_t i = 0; i < sample->n; i++) {
        double d = sample->above[i] - mean;

        squares += d * d;
        cubes += d * d * d;
    }
    return cubes / (6.0 * squares * sqrt(squares));
}

static double adjusted(double z0, double a, double z)
{
    double moved = z0 + z;

    return gsl_cdf_ugaussian_P(z0 + moved / (1.0 - a * moved));
}

bool results_bootstrap_mean(const struct results_sample *sample, double confidence,
                            struct results_interval *interval)
{
    struct results_resampler resampler;
    double *means = malloc(RESULTS_BOOTSTRAP_RESAMPLES * sizeof(*means));
    bool ok = results_resampler_init(&resampler) && means != NULL;
    double base = (double)sample->base;

    SIM_ASSERT(confidence > 0.0 && confidence < 1.0);
    *interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    if (ok && sample->n >= 2 && sample->min == sample->max) {
        *interval = (struct results_interval){base, base};
    } else if (ok && sample->n >= 2) {
        double mean = gsl_stats_mean(sample->above, 1, sample->n);
        double z = gsl_cdf_ugaussian_Qinv((1.0 - confidence) / 2.0);
        double a = acceleration(sample, mean);
        double z0;

        draw_means(&resampler, sample, means);
        z0 = bias(means, mean);
        gsl_sort(means, 1, RESULTS_BOOTSTRAP_RESAMPLES);
        interval->low = base + gsl_stats_quantile_from_sorted_data(
                                   means, 1, RESULTS_BOOTSTRAP_RESAMPLES, adjusted(z0, a, -z));
        interval->high = base + gsl_stats_quantile_from_sorted_data(
                                    means, 1, RESULTS_BOOTSTRAP_RESAMPLES, adjusted(z0, a, z));
    }
    free(means);
    results_resampler_release(&resampler);
    return ok;
}
