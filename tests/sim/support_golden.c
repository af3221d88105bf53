// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/support_golden.h"

#include "sim/det_math.h"
#include "sim/error.h"
#include "sim/exponential.h"

#define SECOND INT64_C(1000000000)

static const struct sim_law_point quantile_points[4] = {
    {0, 1 * SECOND}, {500000000, 4 * SECOND}, {990000000, 40 * SECOND}, {1000000000, 65 * SECOND}};
static const struct sim_law_point trace_points[3] = {{0, 5}, {0, 7 * SECOND}, {0, 11}};
static const struct sim_law parts[2] = {
    {.kind = SIM_LAW_LOGNORMAL, .a = 12 * SECOND, .b = 400000000},
    {.kind = SIM_LAW_PARETO, .a = 60 * SECOND, .b = 1500000000}};
static const int64_t weights[2] = {990000000, 10000000};

static const struct {
    const char *name;
    struct sim_law law;
} laws[GOLDEN_LAWS] = {
    {"constant", {.kind = SIM_LAW_CONSTANT, .a = 12 * SECOND}},
    {"exponential", {.kind = SIM_LAW_EXPONENTIAL, .a = 10 * SECOND}},
    {"uniform", {.kind = SIM_LAW_UNIFORM, .a = SECOND, .b = 3 * SECOND}},
    {"normal", {.kind = SIM_LAW_NORMAL, .a = 10 * SECOND, .b = SECOND}},
    {"normal_truncated", {.kind = SIM_LAW_NORMAL, .a = SECOND, .b = 2 * SECOND}},
    {"lognormal", {.kind = SIM_LAW_LOGNORMAL, .a = 12 * SECOND, .b = 400000000}},
    {"weibull", {.kind = SIM_LAW_WEIBULL, .a = 21600 * SECOND, .b = 700000000}},
    {"weibull_rising", {.kind = SIM_LAW_WEIBULL, .a = 60 * SECOND, .b = 2500000000}},
    {"pareto", {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 1200000000}},
    {"quantiles", {.kind = SIM_LAW_QUANTILES, .count = 4, .points = quantile_points}},
    {"trace", {.kind = SIM_LAW_TRACE, .count = 3, .points = trace_points}},
    {"mixture", {.kind = SIM_LAW_MIXTURE, .count = 2, .parts = parts, .weights_nano = weights}},
};

const struct sim_law *golden_law(uint32_t i, const char **name)
{
    *name = laws[i].name;
    return &laws[i].law;
}

static void absorb(uint64_t *hash, uint64_t value)
{
    *hash = sim_random_mix(*hash ^ value) + UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t hash_draws(struct sim_random *r)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < 10000; i++) {
        uint64_t draw;

        sim_random_draw(r, i % SIM_STREAM_LIMIT, i / 7, i % 7, &draw);
        absorb(&hash, draw);
    }
    return hash;
}

// Arguments over the whole range that the samplers use. So many, because libm's logarithm differs
// between CPUs for one argument in 10,000 only: a test with few would not notice it.
static uint64_t hash_math(uint32_t which)
{
    uint64_t hash = 0;

    for (uint32_t i = 1; i < 200000; i++) {
        double u = ((double)(int64_t)(sim_random_mix(i) >> 12) + 0.5) * 0x1p-52;
        double x = 0.0;

        switch (which) {
        case 0:
            x = det_log(i % 2 == 0 ? u : u * 0x1p-40);
            break;
        case 1:
            x = det_exp((u - 0.3) * (i % 2 == 0 ? 1.0 : 600.0));
            break;
        case 2:
            x = sim_exponential(sim_random_mix(i) >> (i % 2 == 0 ? 0 : 40));
            break;
        default:
            x = det_normal_inverse(u, 1.0 - u) + det_normal_cdf(8.0 * (u - 0.5)) +
                det_log_gamma(1.0 + 30.0 * u);
            break;
        }
        absorb(&hash, det_to_bits(x));
    }
    return hash;
}

static uint64_t hash_law(struct sim_random *r, const struct sim_law *law)
{
    uint64_t hash = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        int64_t value;

        sim_law_sample(law, r, 3, i % 10, i / 10, i, &value);
        absorb(&hash, (uint64_t)value);
    }
    return hash;
}

int golden_compute(struct golden *entries)
{
    struct sim_arena arena;
    struct sim_random random;
    uint32_t n = 0;

    sim_arena_init(&arena, 0);
    if (sim_random_init(&random, &arena, 42) != 0) {
        sim_arena_release(&arena);
        return SIM_ENOMEM;
    }
    entries[n++] = (struct golden){"draws", hash_draws(&random)};
    entries[n++] = (struct golden){"det_log", hash_math(0)};
    entries[n++] = (struct golden){"det_exp", hash_math(1)};
    entries[n++] = (struct golden){"sim_exponential", hash_math(2)};
    entries[n++] = (struct golden){"det_normal", hash_math(3)};
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        entries[n].name = laws[i].name;
        entries[n++].hash = hash_law(&random, &laws[i].law);
    }
    sim_arena_release(&arena);
    return n == GOLDEN_COUNT ? 0 : SIM_EINVAL;
}
