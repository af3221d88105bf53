// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/warnings.h"

#include <math.h>

#include "results/stopping.h"
#include "sim/assert.h"

double results_sample_tail_index(const struct results_sample *sample)
{
    size_t n = sample->n;
    size_t k = (size_t)floor(sqrt((double)n));
    double median;
    double threshold;
    double sum = 0.0;

    if (n < RESULTS_HILL_RUNS) {
        return RESULTS_UNKNOWN;
    }
    median = results_sample_quantile(sample, 0.5) - (double)sample->base;
    threshold = sample->sorted[n - k - 1] - median;
    if (!(threshold > 0.0)) {
        return RESULTS_UNKNOWN;
    }
    for (size_t i = n - k; i < n; i++) {
        sum += log((sample->sorted[i] - median) / threshold);
    }
    return sum > 0.0 ? (double)k / sum : HUGE_VAL;
}

static bool is_heavy(const struct results_sample *sample)
{
    double alpha = results_sample_tail_index(sample);
    double k = floor(sqrt((double)sample->n));

    return alpha * (1.0 + 1.0 / sqrt(k)) < 2.0; // false for NAN
}

unsigned results_sample_warnings(const struct results_sample *sample)
{
    struct results_moments moments;
    unsigned warnings = 0;

    if (sample->n < RESULTS_FEW_RUNS) {
        warnings |= RESULTS_WARNING_FEW_RUNS;
    }
    if (sample->n < results_quantile_runs_needed(0.95, RESULTS_CONFIDENCE)) {
        warnings |= RESULTS_WARNING_FEW_FOR_P95;
    }
    if (sample->n < results_quantile_runs_needed(0.99, RESULTS_CONFIDENCE)) {
        warnings |= RESULTS_WARNING_FEW_FOR_P99;
    }
    if (sample->n < RESULTS_FEW_RUNS || sample->min == sample->max) {
        return warnings;
    }
    results_sample_moments(sample, &moments);
    if ((double)sample->n < RESULTS_STOP_SKEWNESS_FACTOR * moments.skewness * moments.skewness) {
        warnings |= RESULTS_WARNING_SKEWED;
    }
    if (is_heavy(sample)) {
        warnings |= RESULTS_WARNING_HEAVY_TAIL;
    }
    return warnings;
}

const char *results_warning_name(enum results_warning_id id)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        RESULTS_WARNINGS(X)
#undef X
    };

    SIM_ASSERT(id < RESULTS_WARNING_COUNT);
    return names[id];
}

const char *results_warning_sentence(enum results_warning_id id)
{
    static const char *const sentences[] = {
#define X(id, name, text) text,
        RESULTS_WARNINGS(X)
#undef X
    };

    SIM_ASSERT(id < RESULTS_WARNING_COUNT);
    return sentences[id];
}

void results_warnings_add(struct results_text *text, unsigned warnings)
{
    const char *between = "";

    for (unsigned id = 0; id < RESULTS_WARNING_COUNT; id++) {
        if ((warnings & 1u << id) != 0) {
            results_text_format(text, "%s%s", between,
                                results_warning_name((enum results_warning_id)id));
            between = ", ";
        }
    }
}
