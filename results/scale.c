// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/scale.h"

#include <math.h>
#include <stdio.h>

#include "sim/assert.h"

#define SPREAD_MIN 30.0 // high over low from which a logarithmic scale shows more
#define STEPS_MAX 400   // round values looked at, at most

static const double duration_steps[] = {
    1,     2,      5,      10,     20,      50,      100,     200,     500,     1e3,
    2e3,   5e3,    1e4,    2e4,    5e4,     1e5,     2e5,     5e5,     1e6,     2e6,
    5e6,   1e7,    2e7,    5e7,    1e8,     2e8,     5e8,     1e9,     2e9,     5e9,
    10e9,  15e9,   30e9,   60e9,   120e9,   300e9,   600e9,   900e9,   1800e9,  3600e9,
    72e11, 216e11, 432e11, 864e11, 1728e11, 4320e11, 8640e11, 8640e12, 8640e13, 8640e14};

// The smallest round step that is at least `least`.
static double round_step(enum results_quantity quantity, double least)
{
    double step = 1;

    if (quantity == RESULTS_QUANTITY_DURATION) {
        for (size_t i = 0; i < sizeof(duration_steps) / sizeof(duration_steps[0]); i++) {
            if (duration_steps[i] >= least) {
                return duration_steps[i];
            }
        }
    }
    if (quantity == RESULTS_QUANTITY_SIZE && least > 512) {
        double unit = pow(1024, floor(log2(least) / 10));
        double share = round_step(RESULTS_QUANTITY_COUNT, least / unit);

        return share >= 1000 ? unit * 1024 : share * unit;
    }
    step = pow(10, floor(log10(least)));
    if (quantity == RESULTS_QUANTITY_COUNT && step < 1) {
        return 1;
    }
    return step >= least       ? step
           : 2 * step >= least ? 2 * step
           : 5 * step >= least ? 5 * step
                               : 10 * step;
}

static void linear(struct results_scale *scale, uint32_t wanted)
{
    double step = round_step(scale->quantity, (scale->high - scale->low) / wanted);
    double first = floor(scale->low / step + 1e-9);
    double last = ceil(scale->high / step - 1e-9);

    scale->low = first * step;
    scale->high = last * step;
    for (double k = first; k <= last && scale->n_ticks < RESULTS_SCALE_TICKS_MAX; k += 1) {
        scale->ticks[scale->n_ticks++] = k * step;
    }
}

// Round values of a logarithmic scale: every `keep`-th of the steps 1, 2, 5 (durations: their own).
static uint32_t log_ticks(struct results_scale *scale, uint32_t keep, uint32_t limit)
{
    double value = round_step(scale->quantity, scale->low);
    uint32_t n = 0;

    for (uint32_t k = 0; k < STEPS_MAX && value <= scale->high * (1 + 1e-9); k++) {
        if (k % keep == 0) {
            if (n < limit) {
                scale->ticks[n] = value;
            }
            n++;
        }
        value = round_step(scale->quantity, value * 1.01);
    }
    return n;
}

static void logarithmic(struct results_scale *scale, uint32_t wanted)
{
    uint32_t keep = 1;

    scale->logarithmic = true;
    while (keep < STEPS_MAX && log_ticks(scale, keep, 0) > wanted) {
        keep++;
    }
    scale->n_ticks = log_ticks(scale, keep, RESULTS_SCALE_TICKS_MAX);
    SIM_ASSERT(scale->n_ticks <= RESULTS_SCALE_TICKS_MAX);
}

void results_scale_init(struct results_scale *scale, enum results_quantity quantity, double low,
                        double high, bool spread, uint32_t wanted)
{
    SIM_ASSERT(wanted >= 2 && wanted <= RESULTS_SCALE_TICKS_MAX);
    low = isfinite(low) ? low : 0;
    high = isfinite(high) ? high : low;
    *scale = (struct results_scale){.quantity = quantity,
                                    .low = low < high ? low : high,
                                    .high = low < high ? high : low,
                                    .to = 1};
    if (spread && scale->low > 0 && scale->high >= SPREAD_MIN * scale->low) {
        logarithmic(scale, wanted);
    }
    if (scale->n_ticks < 2) {
        scale->logarithmic = false;
        scale->n_ticks = 0;
        // A single value stands above an axis from zero, not on a scale of its rounding errors.
        if (scale->high - scale->low <= 1e-9 * fabs(scale->high)) {
            scale->low = scale->low < 0 ? scale->low : 0;
            scale->high = scale->high > 0 ? scale->high : scale->low + 1;
        }
        linear(scale, wanted);
    }
}

void results_scale_span(struct results_scale *scale, double from, double to)
{
    scale->from = from;
    scale->to = to;
}

double results_scale_place(const struct results_scale *scale, double value)
{
    double share;

    value = value > scale->low ? value : scale->low; // also what is no number
    value = value < scale->high ? value : scale->high;
    if (scale->logarithmic) {
        share = log(value / scale->low) / log(scale->high / scale->low);
    } else {
        share = (value - scale->low) / (scale->high - scale->low);
    }
    return scale->from + share * (scale->to - scale->from);
}

const char *results_quantity(char buffer[RESULTS_UNITS_SIZE], enum results_quantity quantity,
                             double value)
{
    char positive[RESULTS_UNITS_SIZE];
    double size = fabs(value);
    uint64_t whole = size < 9e18 ? (uint64_t)llround(size) : (uint64_t)9e18;

    if (!isfinite(value)) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "unknown");
        return buffer;
    }
    if (quantity == RESULTS_QUANTITY_DURATION) {
        return results_duration(buffer, value < 0 ? -(int64_t)whole : (int64_t)whole);
    }
    if (quantity == RESULTS_QUANTITY_SIZE) {
        (void)results_size(positive, whole);
    } else if (quantity == RESULTS_QUANTITY_PRICE) {
        (void)results_price(positive, whole);
    } else if (quantity == RESULTS_QUANTITY_COUNT && size >= 100) {
        (void)results_count(positive, whole);
    } else {
        (void)snprintf(positive, sizeof(positive), "%.3g", size);
    }
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%s%.30s", value < 0 ? "-" : "", positive);
    return buffer;
}
