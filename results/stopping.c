// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/stopping.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "results/statistics.h"
#include "sim/assert.h"

// Central moments of a growing sample (Pébay 2008, one value at a time).
struct running {
    double n;
    double mean;
    double m2;
    double m3;
};

static void running_add(struct running *r, double value)
{
    double before = r->n;
    double delta = value - r->mean;
    double step;
    double term;

    r->n += 1.0;
    step = delta / r->n;
    term = delta * step * before;
    r->mean += step;
    r->m3 += term * step * (r->n - 2.0) - 3.0 * step * r->m2;
    r->m2 += term;
}

// Is the interval narrow enough and to be believed?
static bool passes(const struct results_stop_rule *rule, const struct running *r, double base,
                   double *half_width)
{
    double scale = rule->absolute ? 1.0 : fabs(base + r->mean);
    double variance = r->m2 / (r->n - 1.0);
    double skewness = variance > 0.0 ? r->m3 / r->n / (variance * sqrt(variance)) : 0.0;
    double t = gsl_cdf_tdist_Qinv((1.0 - rule->confidence) / 2.0, r->n - 1.0);
    double guard = rule->absolute ? rule->half_width / sqrt(r->n) : scale / r->n;
    double guarded = t * sqrt((variance + guard * guard) / r->n);

    if (!(variance > 0.0)) {
        // All runs are equal; their mean may be 0, to which nothing is relative.
        *half_width = 0.0;
        scale = 1.0;
        guarded = t * (rule->absolute ? guard : 1.0 / r->n) / sqrt(r->n);
    } else {
        *half_width = t * sqrt(variance / r->n) / scale;
    }
    return guarded <= rule->half_width * scale &&
           r->n >= RESULTS_STOP_SKEWNESS_FACTOR * skewness * skewness;
}

void results_stop_decide(const struct results_stop_rule *rule, const int64_t *values, size_t n,
                         struct results_stop_state *state)
{
    uint64_t batch = rule->batch == 0 ? RESULTS_STOP_BATCH : rule->batch;
    uint64_t test = rule->at_least;
    struct running r = {0.0, 0.0, 0.0, 0.0};
    bool passed_before = false;
    uint64_t done = 0;

    SIM_ASSERT(rule->half_width > 0.0);
    SIM_ASSERT(rule->at_least >= 2 && rule->at_most >= rule->at_least);
    *state = (struct results_stop_state){RESULTS_STOP_GO_ON, test, RESULTS_UNKNOWN};
    while (test <= n) {
        bool passed;

        for (; done < test; done++) {
            // As in statistics.c: the distance from one of the values keeps small differences.
            running_add(&r, (double)values[done] - (double)values[0]);
        }
        passed = passes(rule, &r, (double)values[0], &state->half_width);
        if (passed && (passed_before || test == rule->at_most)) {
            *state = (struct results_stop_state){RESULTS_STOP_REACHED, test, state->half_width};
            return;
        }
        if (test == rule->at_most) {
            state->stop = RESULTS_STOP_EXHAUSTED;
            state->runs = test;
            return;
        }
        passed_before = passed;
        test = rule->at_most - test < batch ? rule->at_most : test + batch;
    }
    state->runs = test;
}
