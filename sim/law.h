// SPDX-License-Identifier: GPL-3.0-or-later
//
// Laws of random durations, sizes and counts. A law holds integers only; doubles live inside the
// samplers (sim/law.c). Every sample is by inversion of ONE draw and never falls when the draw
// rises, so two points of a sweep stay coupled; a larger draw is a larger value in every law. (A
// mixture spends the same draw: its high part picks the component, the rest, stretched to 64 bits,
// is the component's draw. It is monotone within a component, and altogether if the components
// are listed in rising order.)
//
// Between seed and sample stand only integers and + - * / sqrt on doubles (sim/det_math.h), so a
// sample has the same bits on every compiler, level and CPU.
#ifndef SIM_LAW_H
#define SIM_LAW_H

#include <stdint.h>

#include "sim/random.h"

enum sim_law_kind {
    SIM_LAW_CONSTANT,    // a
    SIM_LAW_EXPONENTIAL, // mean a
    SIM_LAW_UNIFORM,     // integers from a to b, both included
    SIM_LAW_NORMAL,      // mean a >= 0, standard deviation b; conditioned on being >= 0
    SIM_LAW_LOGNORMAL,   // median a, sigma b * 1e-9
    SIM_LAW_WEIBULL,     // scale a, shape b * 1e-9
    SIM_LAW_PARETO,      // minimum a, alpha b * 1e-9
    SIM_LAW_QUANTILES,   // points, linear between
    SIM_LAW_TRACE,       // points[row modulo count].value; no draw
    SIM_LAW_MIXTURE      // parts with weights; a part is not a mixture
};

#define SIM_LAW_NANO INT64_C(1000000000)
// Samples are clamped to this (73 years in ns), so that a few can be added to a time safely.
#define SIM_LAW_MAX (INT64_C(1) << 61)
// Points of quantiles or of a trace, and parts of a mixture.
#define SIM_LAW_POINTS_MAX (UINT32_C(1) << 24)
#define SIM_LAW_PARTS_MAX UINT32_C(1024)

struct sim_law_point {
    int64_t p_nano; // cumulative probability in 1e-9 (quantiles; 0 in a trace)
    int64_t value;
};

struct sim_law {
    enum sim_law_kind kind;
    uint32_t count;                     // of points, or of parts
    int64_t a;                          // see enum sim_law_kind
    int64_t b;
    const struct sim_law_point *points; // borrowed
    const struct sim_law *parts;        // borrowed
    const int64_t *weights_nano;        // borrowed; sum 1e9
};

// 0, or SIM_EINVAL and a message (static) that says what is wrong. To be called once before a law
// is sampled: values from 0 to SIM_LAW_MAX, sigma from 0 to 20, shape and alpha from 0.01 to
// 1,000, quantiles from p = 0 to p = 1 with rising p and values that do not fall, weights that add
// up to 1.
int sim_law_check(const struct sim_law *law, const char **message);

// Draws that a sample of the law takes: 1, or 0 when it needs no chance.
static inline uint32_t sim_law_draws(const struct sim_law *law)
{
    return law->kind != SIM_LAW_CONSTANT && law->kind != SIM_LAW_TRACE;
}

// One sample, 0 <= *out <= SIM_LAW_MAX, rounded to the nearest integer. row serves traces only.
void sim_law_sample(const struct sim_law *law, struct sim_random *r, uint32_t stream,
                    uint64_t entity, uint64_t n, uint64_t row, int64_t *out);
// The value at a given draw (what sim_law_sample returns when the draw is that); for tests.
int64_t sim_law_value(const struct sim_law *law, uint64_t draw, uint64_t row);

// The mean, for bounds and reports: exact up to rounding and to the clamp at SIM_LAW_MAX
// (SIM_LAW_MAX where the mean is infinite).
int64_t sim_law_mean_approximate(const struct sim_law *law);
// No sample is larger than this.
int64_t sim_law_max(const struct sim_law *law);
// Makes law the constant value (0 to SIM_LAW_MAX).
void sim_law_constant(struct sim_law *law, int64_t value);

#endif
