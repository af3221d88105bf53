// SPDX-License-Identifier: GPL-3.0-or-later
//
// Paired differences: two points whose runs share their random numbers.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "results/statistics.h"

static int64_t difference(int64_t a, int64_t b)
{
    int64_t result;

    if (__builtin_sub_overflow(a, b, &result)) {
        return a < b ? INT64_MIN : INT64_MAX;
    }
    return result;
}

// What pairing gained. Without it a difference of two means has variance (var a + var b) / n.
static void compare_variances(struct results_pairs *pairs, const struct results_sample *a,
                              const struct results_sample *b)
{
    size_t n = a->n;
    bool a_varies = a->min != a->max;
    bool b_varies = b->min != b->max;
    struct results_moments moments;
    double sum;

    pairs->correlation = RESULTS_UNKNOWN;
    pairs->variance_ratio = RESULTS_UNKNOWN;
    pairs->runs_independent = RESULTS_UNKNOWN;
    if (n < 2) {
        return;
    }
    if (a_varies && b_varies) {
        pairs->correlation = gsl_stats_correlation(a->above, 1, b->above, 1, n);
    }
    sum = gsl_stats_variance(a->above, 1, n) + gsl_stats_variance(b->above, 1, n);
    results_sample_moments(&pairs->differences, &moments);
    if (moments.sd > 0.0) {
        pairs->variance_ratio = sum / (moments.sd * moments.sd);
    } else {
        pairs->variance_ratio = sum > 0.0 ? HUGE_VAL : 1.0;
    }
    pairs->runs_independent = (double)n * pairs->variance_ratio;
}

bool results_pairs_init(struct results_pairs *pairs, const int64_t *a, const int64_t *b, size_t n)
{
    struct results_sample sample_a = {0};
    struct results_sample sample_b = {0};
    int64_t *differences = NULL;
    bool ok;

    memset(pairs, 0, sizeof(*pairs));
    if (n <= SIZE_MAX / sizeof(*differences)) {
        differences = malloc((n > 0 ? n : 1) * sizeof(*differences));
    }
    ok = differences != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        differences[i] = difference(a[i], b[i]);
    }
    ok = ok && results_sample_init(&pairs->differences, differences, n);
    ok = ok && results_sample_init(&sample_a, a, n);
    ok = ok && results_sample_init(&sample_b, b, n);
    if (ok) {
        compare_variances(pairs, &sample_a, &sample_b);
    }
    results_sample_release(&sample_a);
    results_sample_release(&sample_b);
    free(differences);
    return ok;
}

void results_pairs_release(struct results_pairs *pairs)
{
    results_sample_release(&pairs->differences);
    memset(pairs, 0, sizeof(*pairs));
}

// With the degrees of freedom of Welch and Satterthwaite.
void results_difference_interval(const struct results_sample *a, const struct results_sample *b,
                                 double confidence, double *difference,
                                 struct results_interval *interval)
{
    struct results_moments ma;
    struct results_moments mb;
    double va;
    double vb;
    double half = 0.0;

    results_sample_moments(a, &ma);
    results_sample_moments(b, &mb);
    *difference = ma.mean - mb.mean;
    *interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    if (a->n < 2 || b->n < 2) {
        return;
    }
    va = ma.sd * ma.sd / (double)a->n;
    vb = mb.sd * mb.sd / (double)b->n;
    if (va + vb > 0.0) {
        double freedom =
            (va + vb) * (va + vb) / (va * va / (double)(a->n - 1) + vb * vb / (double)(b->n - 1));

        half = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, freedom) * sqrt(va + vb);
    }
    *interval = (struct results_interval){*difference - half, *difference + half};
}

static double sign_probability(uint64_t positive, uint64_t unequal)
{
    uint64_t fewer = positive < unequal - positive ? positive : unequal - positive;
    double one_side;

    if (unequal == 0) {
        return 1.0;
    }
    one_side = gsl_cdf_binomial_P((unsigned)fewer, 0.5, (unsigned)unequal);
    return one_side >= 0.5 ? 1.0 : 2.0 * one_side;
}

struct ranks {
    double positive; // sum of the ranks of positive differences
    double ties;     // sum of t^3 - t over groups of equal absolute values
};

// `sizes` are absolute differences, ascending by `order`; equal ones share their mean rank.
static void rank(const double *sizes, const size_t *order, const bool *positive, size_t n,
                 struct ranks *ranks)
{
    size_t first = 0;

    *ranks = (struct ranks){0.0, 0.0};
    while (first < n) {
        size_t next = first + 1;
        double shared;
        double t;

        while (next < n && !(sizes[order[next]] > sizes[order[first]])) {
            next++;
        }
        shared = ((double)first + 1.0 + (double)next) / 2.0;
        t = (double)(next - first);
        ranks->ties += t * t * t - t;
        for (size_t i = first; i < next; i++) {
            ranks->positive += positive[order[i]] ? shared : 0.0;
        }
        first = next;
    }
}

static double wilcoxon_probability(const struct ranks *ranks, size_t n)
{
    double m = (double)n;
    double mean = m * (m + 1.0) / 4.0;
    double variance = m * (m + 1.0) * (2.0 * m + 1.0) / 24.0 - ranks->ties / 48.0;
    double distance = fabs(ranks->positive - mean) - 0.5;

    if (n == 0 || !(variance > 0.0) || distance <= 0.0) {
        return 1.0;
    }
    return 2.0 * gsl_cdf_ugaussian_Q(distance / sqrt(variance));
}

bool results_pairs_test(const struct results_pairs *pairs, struct results_pairs_tests *tests)
{
    const struct results_sample *d = &pairs->differences;
    double *sizes = calloc(d->n + 1, sizeof(*sizes));
    size_t *order = calloc(d->n + 1, sizeof(*order));
    bool *positive = calloc(d->n + 1, sizeof(*positive));
    bool ok = sizes != NULL && order != NULL && positive != NULL;

    *tests = (struct results_pairs_tests){0, RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    if (ok) {
        struct ranks ranks;
        uint64_t n_positive = 0;
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++) {
            double value = (double)d->base + d->above[i];

            if (value > 0.0 || value < 0.0) {
                sizes[n] = fabs(value);
                positive[n] = value > 0.0;
                n_positive += positive[n] ? 1 : 0;
                n++;
            }
        }
        gsl_sort_index(order, sizes, 1, n);
        rank(sizes, order, positive, n, &ranks);
        tests->n_unequal = n;
        tests->sign = sign_probability(n_positive, n);
        tests->wilcoxon = wilcoxon_probability(&ranks, n);
    }
    free(sizes);
    free(order);
    free(positive);
    return ok;
}
