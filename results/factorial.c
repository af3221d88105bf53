// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/factorial.h"

#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>

#include "results/statistics.h"
#include "sim/assert.h"

// A difference of sums of squares below this part of the larger one is rounding.
#define ROUNDING 1e-10

struct design {
    const struct results_factor *factors;
    uint32_t n_factors;
    size_t n_cells;
    size_t n_runs;
    double *means;                         // of the cells, around the grand mean
    uint32_t columns[RESULTS_FACTORS_MAX]; // of each factor's main effect: levels - 1
};

// Which effects a model holds: mains[i], and pairs[i][j] for i < j.
struct terms {
    bool mains[RESULTS_FACTORS_MAX];
    bool pairs[RESULTS_FACTORS_MAX][RESULTS_FACTORS_MAX];
};

static uint64_t term_columns(const struct design *d, const struct terms *terms)
{
    uint64_t n = 1; // the constant

    for (uint32_t i = 0; i < d->n_factors; i++) {
        n += terms->mains[i] ? d->columns[i] : 0;
        for (uint32_t j = i + 1; j < d->n_factors; j++) {
            n += terms->pairs[i][j] ? (uint64_t)d->columns[i] * d->columns[j] : 0;
        }
    }
    return n;
}

// Dummy coding: level 0 is the reference, column k is 1 for level k + 1.
static bool dummy(const struct design *d, uint32_t factor, size_t cell, uint32_t column)
{
    return d->factors[factor].level[cell] == column + 1;
}

static void fill_row(const struct design *d, const struct terms *terms, size_t cell, gsl_matrix *x)
{
    size_t at = 0;

    gsl_matrix_set(x, cell, at++, 1.0);
    for (uint32_t i = 0; i < d->n_factors; i++) {
        for (uint32_t k = 0; terms->mains[i] && k < d->columns[i]; k++) {
            gsl_matrix_set(x, cell, at++, dummy(d, i, cell, k) ? 1.0 : 0.0);
        }
    }
    for (uint32_t i = 0; i < d->n_factors; i++) {
        for (uint32_t j = i + 1; j < d->n_factors; j++) {
            for (uint32_t k = 0; terms->pairs[i][j] && k < d->columns[i] * d->columns[j]; k++) {
                bool both =
                    dummy(d, i, cell, k / d->columns[j]) && dummy(d, j, cell, k % d->columns[j]);

                gsl_matrix_set(x, cell, at++, both ? 1.0 : 0.0);
            }
        }
    }
}

struct fit {
    double residual; // sum of squares over cells that the model leaves
    uint32_t rank;
    bool ok;
};

// |y|^2 less that of its projection: Q'y beyond the rank is the residual. A design with more
// columns than cells gets rows of zeros, which add nothing.
static struct fit fit_terms(const struct design *d, const struct terms *terms)
{
    size_t columns = term_columns(d, terms);
    size_t rows = d->n_cells > columns ? d->n_cells : columns;
    gsl_matrix *x = gsl_matrix_calloc(rows, columns);
    gsl_vector *tau = gsl_vector_alloc(columns);
    gsl_vector *norm = gsl_vector_alloc(columns);
    gsl_vector *y = gsl_vector_calloc(rows);
    gsl_permutation *p = gsl_permutation_alloc(columns);
    struct fit fit = {0.0, 0, x != NULL && tau != NULL && norm != NULL && y != NULL && p != NULL};

    if (fit.ok) {
        int sign;

        for (size_t cell = 0; cell < d->n_cells; cell++) {
            fill_row(d, terms, cell, x);
            gsl_vector_set(y, cell, d->means[cell]);
        }
        (void)gsl_linalg_QRPT_decomp(x, tau, p, &sign, norm);
        fit.rank = (uint32_t)gsl_linalg_QRPT_rank(x, -1.0);
        (void)gsl_linalg_QR_QTvec(x, tau, y);
        for (size_t i = fit.rank; i < rows; i++) {
            fit.residual += gsl_vector_get(y, i) * gsl_vector_get(y, i);
        }
    }
    gsl_matrix_free(x);
    gsl_vector_free(tau);
    gsl_vector_free(norm);
    gsl_vector_free(y);
    gsl_permutation_free(p);
    return fit;
}

static void judge(const struct design *d, struct results_effect *effect,
                  struct results_factorial *r, const struct fit *without, const struct fit *with)
{
    double squares = (double)d->n_runs * (without->residual - with->residual);

    effect->df = with->rank - without->rank;
    effect->squares = effect->share = effect->f = effect->p = RESULTS_UNKNOWN;
    if (effect->df == 0) {
        return;
    }
    effect->squares = squares < ROUNDING * r->total ? 0.0 : squares;
    effect->share = r->total > 0.0 ? effect->squares / r->total : 0.0;
    if (r->error_df > 0 && r->error > 0.0) {
        effect->f = effect->squares / effect->df / (r->error / (double)r->error_df);
        effect->p = gsl_cdf_fdist_Q(effect->f, effect->df, (double)r->error_df);
    } else if (r->error_df > 0) {
        // Without an error whatever is there is certain.
        effect->f = effect->squares > 0.0 ? HUGE_VAL : 0.0;
        effect->p = effect->squares > 0.0 ? 0.0 : 1.0;
    }
}

// `with` is the model that the effect is judged in, `without` the same less the effect.
static bool add_effect(const struct design *d, struct results_factorial *r, uint32_t a, uint32_t b,
                       const struct terms *without, const struct fit *with)
{
    struct results_effect *effect = &r->effects[r->n_effects++];
    struct fit fit = fit_terms(d, without);

    effect->a = a;
    effect->b = b;
    if (fit.ok) {
        judge(d, effect, r, &fit, with);
    }
    return fit.ok;
}

static void all_terms(const struct design *d, bool interactions, struct terms *terms)
{
    memset(terms, 0, sizeof(*terms));
    for (uint32_t i = 0; i < d->n_factors; i++) {
        terms->mains[i] = d->columns[i] > 0;
        for (uint32_t j = i + 1; interactions && j < d->n_factors; j++) {
            terms->pairs[i][j] = d->columns[i] > 0 && d->columns[j] > 0;
        }
    }
}

static bool add_effects(const struct design *d, struct results_factorial *r)
{
    struct terms mains;
    struct terms full;
    struct terms without;
    struct fit fit_mains;
    struct fit fit_full;
    bool ok;

    all_terms(d, false, &mains);
    all_terms(d, r->interactions, &full);
    fit_mains = fit_terms(d, &mains);
    fit_full = fit_terms(d, &full);
    ok = fit_mains.ok && fit_full.ok;
    for (uint32_t i = 0; ok && i < d->n_factors; i++) {
        if (mains.mains[i]) {
            without = mains;
            without.mains[i] = false;
            ok = add_effect(d, r, i, RESULTS_NO_FACTOR, &without, &fit_mains);
        }
    }
    for (uint32_t i = 0; ok && i < d->n_factors; i++) {
        for (uint32_t j = i + 1; ok && j < d->n_factors; j++) {
            if (full.pairs[i][j]) {
                without = full;
                without.pairs[i][j] = false;
                ok = add_effect(d, r, i, j, &without, &fit_full);
            }
        }
    }
    r->rest = (double)d->n_runs * fit_full.residual;
    r->rest = r->rest < ROUNDING * r->total ? 0.0 : r->rest;
    r->rest_df = (uint32_t)d->n_cells - fit_full.rank;
    return ok;
}

// Splits the total into cells, blocks and error; the distances from the smallest value keep small
// differences of huge values.
static void split(struct design *d, const int64_t *values, int64_t base, double *runs, bool blocks,
                  struct results_factorial *r)
{
    double n = (double)(d->n_cells * d->n_runs);
    double cells = 0.0;

    memset(runs, 0, d->n_runs * sizeof(*runs));
    for (size_t i = 0; i < d->n_cells * d->n_runs; i++) {
        double above = (double)((uint64_t)values[i] - (uint64_t)base);

        d->means[i / d->n_runs] += above / (double)d->n_runs;
        runs[i % d->n_runs] += above / (double)d->n_cells;
        r->mean += above / n;
    }
    for (size_t i = 0; i < d->n_cells * d->n_runs; i++) {
        double off = (double)((uint64_t)values[i] - (uint64_t)base) - r->mean;

        r->total += off * off;
    }
    for (size_t cell = 0; cell < d->n_cells; cell++) {
        d->means[cell] -= r->mean;
        cells += (double)d->n_runs * d->means[cell] * d->means[cell];
    }
    for (size_t run = 0; blocks && run < d->n_runs; run++) {
        r->blocks += (double)d->n_cells * (runs[run] - r->mean) * (runs[run] - r->mean);
    }
    r->error = r->total - cells - r->blocks;
    r->error = r->error < ROUNDING * r->total ? 0.0 : r->error;
    r->error_df = (uint64_t)(blocks ? d->n_cells - 1 : d->n_cells) * (d->n_runs - 1);
    r->mean += (double)base;
}

static double work(const struct design *d, const struct terms *terms)
{
    double columns = (double)term_columns(d, terms);

    return (double)d->n_cells * columns * columns;
}

static enum results_factorial_status check(struct design *d, struct results_factorial *r)
{
    struct terms terms;
    uint32_t varied = 0;

    SIM_ASSERT(d->n_factors <= RESULTS_FACTORS_MAX);
    for (uint32_t i = 0; i < d->n_factors; i++) {
        SIM_ASSERT(d->factors[i].n_levels >= 1);
        d->columns[i] = d->factors[i].n_levels - 1;
        varied += d->columns[i] > 0 ? 1 : 0;
    }
    if (d->n_cells < 2 || varied == 0 || d->n_runs == 0) {
        return RESULTS_FACTORIAL_TOO_SMALL;
    }
    all_terms(d, false, &terms);
    if (work(d, &terms) > RESULTS_FACTORIAL_WORK_MAX) {
        return RESULTS_FACTORIAL_TOO_LARGE;
    }
    all_terms(d, true, &terms);
    r->interactions = work(d, &terms) <= RESULTS_FACTORIAL_WORK_MAX;
    return RESULTS_FACTORIAL_OK;
}

enum results_factorial_status results_factorial_analyse(const struct results_factor *factors,
                                                        uint32_t n_factors, const int64_t *values,
                                                        size_t n_cells, size_t n_runs, bool blocks,
                                                        struct results_factorial *result)
{
    struct design d = {factors, n_factors, n_cells, n_runs, NULL, {0}};
    enum results_factorial_status status;
    int64_t base = INT64_MAX;
    double *runs;

    memset(result, 0, sizeof(*result));
    status = check(&d, result);
    if (status != RESULTS_FACTORIAL_OK) {
        return status;
    }
    for (size_t i = 0; i < n_cells * n_runs; i++) {
        base = values[i] < base ? values[i] : base;
    }
    d.means = calloc(n_cells, sizeof(*d.means));
    runs = calloc(n_runs, sizeof(*runs));
    status = RESULTS_FACTORIAL_NO_MEMORY;
    if (d.means != NULL && runs != NULL) {
        split(&d, values, base, runs, blocks, result);
        status = add_effects(&d, result) ? RESULTS_FACTORIAL_OK : RESULTS_FACTORIAL_NO_MEMORY;
    }
    free(d.means);
    free(runs);
    return status;
}
