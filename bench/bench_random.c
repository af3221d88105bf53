// SPDX-License-Identifier: GPL-3.0-or-later
//
// Nanoseconds per addressed draw and per sample of each kind of law, through the public API.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "sim/law.h"

#define SECOND INT64_C(1000000000)

static const struct sim_law_point points[4] = {
    {0, SECOND}, {500000000, 4 * SECOND}, {990000000, 40 * SECOND}, {1000000000, 65 * SECOND}};
static const struct sim_law parts[2] = {{.kind = SIM_LAW_EXPONENTIAL, .a = SECOND},
                                        {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 1500000000}};
static const int64_t weights[2] = {990000000, 10000000};

static const struct {
    const char *name;
    struct sim_law law;
} laws[] = {
    {"exponential", {.kind = SIM_LAW_EXPONENTIAL, .a = SECOND}},
    {"uniform", {.kind = SIM_LAW_UNIFORM, .a = SECOND, .b = 3 * SECOND}},
    {"normal", {.kind = SIM_LAW_NORMAL, .a = 10 * SECOND, .b = SECOND}},
    {"normal_truncated", {.kind = SIM_LAW_NORMAL, .a = SECOND, .b = SECOND}},
    {"lognormal", {.kind = SIM_LAW_LOGNORMAL, .a = SECOND, .b = 400000000}},
    {"weibull", {.kind = SIM_LAW_WEIBULL, .a = SECOND, .b = 700000000}},
    {"pareto", {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 1200000000}},
    {"quantiles", {.kind = SIM_LAW_QUANTILES, .count = 4, .points = points}},
    {"mixture", {.kind = SIM_LAW_MIXTURE, .count = 2, .parts = parts, .weights_nano = weights}},
};

// The sum is returned so that no draw can be left out.
static uint64_t time_draws(struct sim_random *r, uint64_t count, double *ns)
{
    int64_t start_ns = bench_cpu_ns();
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t draw;

        sim_random_draw(r, 1, i & 1023, i >> 10, &draw);
        sum += draw;
    }
    *ns = (double)(bench_cpu_ns() - start_ns) / (double)count;
    return sum;
}

static uint64_t time_samples(struct sim_random *r, const struct sim_law *law, uint64_t count,
                             double *ns)
{
    int64_t start_ns = bench_cpu_ns();
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        int64_t value;

        sim_law_sample(law, r, 1, i & 1023, i >> 10, 0, &value);
        sum += (uint64_t)value;
    }
    *ns = (double)(bench_cpu_ns() - start_ns) / (double)count;
    return sum;
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    uint64_t count = quick ? 20000 : 2000000;
    uint32_t rounds = quick ? 3 : 9;
    double ns[BENCH_ROUNDS_MAX];
    struct sim_arena arena;
    struct sim_random random;
    uint64_t sum = 0;

    sim_arena_init(&arena, 0);
    bench_require(sim_random_init(&random, &arena, 1) == 0, "memory");
    for (uint32_t i = 0; i < rounds; i++) {
        sum += time_draws(&random, count, &ns[i]);
    }
    printf("{\"benchmark\": \"random\", \"rounds\": %u, \"draws_per_round\": %llu,\n"
           "  \"ns_per_draw\": %.2f,\n  \"ns_per_sample\": {", rounds, (unsigned long long)count,
           bench_median(ns, rounds));
    for (size_t k = 0; k < sizeof(laws) / sizeof(laws[0]); k++) {
        const char *message;

        bench_require(sim_law_check(&laws[k].law, &message) == 0, "law");
        for (uint32_t i = 0; i < rounds; i++) {
            sum += time_samples(&random, &laws[k].law, count, &ns[i]);
        }
        printf("%s\"%s\": %.2f", k > 0 ? ", " : "", laws[k].name, bench_median(ns, rounds));
    }
    printf("},\n  \"checksum\": \"%016llx\"}\n", (unsigned long long)sum);
    sim_arena_release(&arena);
    return 0;
}
