// SPDX-License-Identifier: GPL-3.0-or-later
//
// The laws are right: Kolmogorov-Smirnov against GSL's distribution functions, means, bounds,
// monotony in the draw, and the checks of parameters.
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "sim/error.h"
#include "sim/law.h"
#include "sim/support_golden.h"

#define SECOND INT64_C(1000000000)
#define SAMPLES 20000
#define P_VALUE_MIN 0.001

static int compare_values(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

// Sorted samples of a law, one draw per entity.
static int64_t *draw_samples(const struct sim_law *law, uint64_t seed)
{
    int64_t *values = calloc(SAMPLES, sizeof(*values));
    struct sim_arena arena;
    struct sim_random random;

    assert_non_null(values);
    sim_arena_init(&arena, 0);
    assert_i64(sim_random_init(&random, &arena, seed), 0);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        sim_law_sample(law, &random, 7, i % 100, i / 100, i, &values[i]);
    }
    assert_u64(random.counts[7], SAMPLES);
    qsort(values, SAMPLES, sizeof(*values), compare_values);
    sim_arena_release(&arena);
    return values;
}

// Kolmogorov's limiting distribution of sqrt(n) D, with Stephens' correction for finite n.
static double ks_p_value(double distance, double n)
{
    double t = distance * (sqrt(n) + 0.12 + 0.11 / sqrt(n));
    double p = 0.0;

    for (int k = 1; k <= 100; k++) {
        p += (k % 2 == 1 ? 2.0 : -2.0) * exp(-2.0 * k * k * t * t);
    }
    return p < 0.0 ? 0.0 : (p > 1.0 ? 1.0 : p);
}

typedef double cdf_function(double x, const struct sim_law *law);

static double ks_test(const struct sim_law *law, cdf_function *cdf, uint64_t seed)
{
    int64_t *values = draw_samples(law, seed);
    double distance = 0.0;

    for (int i = 0; i < SAMPLES; i++) {
        double f = cdf((double)values[i], law);

        distance = fmax(distance, fmax(f - (double)i / SAMPLES, (double)(i + 1) / SAMPLES - f));
    }
    free(values);
    return ks_p_value(distance, SAMPLES);
}

static double exponential_cdf(double x, const struct sim_law *law)
{
    return gsl_cdf_exponential_P(x, (double)law->a);
}

static double uniform_cdf(double x, const struct sim_law *law)
{
    return gsl_cdf_flat_P(x, (double)law->a, (double)law->b);
}

static double normal_cdf(double x, const struct sim_law *law)
{
    double below = gsl_cdf_gaussian_P(-(double)law->a, (double)law->b);

    return (gsl_cdf_gaussian_P(x - (double)law->a, (double)law->b) - below) / (1.0 - below);
}

static double lognormal_cdf(double x, const struct sim_law *law)
{
    return gsl_cdf_lognormal_P(x, log((double)law->a), (double)law->b * 1e-9);
}

static double weibull_cdf(double x, const struct sim_law *law)
{
    return gsl_cdf_weibull_P(x, (double)law->a, (double)law->b * 1e-9);
}

static double pareto_cdf(double x, const struct sim_law *law)
{
    return gsl_cdf_pareto_P(x, (double)law->b * 1e-9, (double)law->a);
}

static double quantiles_cdf(double x, const struct sim_law *law)
{
    uint32_t i = 1;

    while (i + 1 < law->count && (double)law->points[i].value < x) {
        i++;
    }
    return ((double)law->points[i - 1].p_nano +
            (x - (double)law->points[i - 1].value) /
                (double)(law->points[i].value - law->points[i - 1].value) *
                (double)(law->points[i].p_nano - law->points[i - 1].p_nano)) * 1e-9;
}

static double mixture_cdf(double x, const struct sim_law *law)
{
    return (double)law->weights_nano[0] * 1e-9 * lognormal_cdf(x, &law->parts[0]) +
           (double)law->weights_nano[1] * 1e-9 * pareto_cdf(x, &law->parts[1]);
}

static cdf_function *golden_cdf(const struct sim_law *law)
{
    static cdf_function *const functions[] = {
        [SIM_LAW_CONSTANT] = NULL, [SIM_LAW_EXPONENTIAL] = exponential_cdf,
        [SIM_LAW_UNIFORM] = uniform_cdf, [SIM_LAW_NORMAL] = normal_cdf,
        [SIM_LAW_LOGNORMAL] = lognormal_cdf, [SIM_LAW_WEIBULL] = weibull_cdf,
        [SIM_LAW_PARETO] = pareto_cdf, [SIM_LAW_QUANTILES] = quantiles_cdf,
        [SIM_LAW_TRACE] = NULL, [SIM_LAW_MIXTURE] = mixture_cdf};

    return functions[law->kind];
}

// Every law with a distribution function, three fixed seeds each.
static void samples_follow_their_law(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        const char *name;
        const struct sim_law *law = golden_law(i, &name);

        for (uint64_t seed = 1; seed <= 3 && golden_cdf(law) != NULL; seed++) {
            // Each law by its own draws: by inversion, equal draws give equal distances.
            double p = ks_test(law, golden_cdf(law), 100 * i + seed);

            print_message("%s, seed %" PRIu64 ": p = %.4f\n", name, seed, p);
            assert_true(p > P_VALUE_MIN);
        }
    }
}

// The test has teeth: a scale wrong by six per cent is found.
static void wrong_law_is_found(void **state)
{
    struct sim_law law = {.kind = SIM_LAW_EXPONENTIAL, .a = 10 * SECOND};
    struct sim_law wrong = {.kind = SIM_LAW_EXPONENTIAL, .a = 10 * SECOND + SECOND * 6 / 10};
    int64_t *values = draw_samples(&law, 1);
    double distance = 0.0;

    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        distance = fmax(distance, fabs(exponential_cdf((double)values[i], &wrong) -
                                       ((double)i + 0.5) / SAMPLES));
    }
    free(values);
    assert_true(ks_p_value(distance, SAMPLES) < P_VALUE_MIN);
}

// Sample means lie within five standard errors of what sim_law_mean_approximate says. The Pareto
// laws have no variance, so their mean is compared with the formula instead.
static void means_are_right(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        const char *name;
        const struct sim_law *law = golden_law(i, &name);
        int64_t *values;
        double mean = 0.0;
        double square = 0.0;

        if (law->kind == SIM_LAW_PARETO || law->kind == SIM_LAW_MIXTURE ||
            law->kind == SIM_LAW_CONSTANT || law->kind == SIM_LAW_TRACE) {
            continue;
        }
        values = draw_samples(law, 11);
        for (int j = 0; j < SAMPLES; j++) {
            mean += (double)values[j] / SAMPLES;
        }
        for (int j = 0; j < SAMPLES; j++) {
            square += ((double)values[j] - mean) * ((double)values[j] - mean) / SAMPLES;
        }
        free(values);
        assert_near(sim_law_mean_approximate(law), mean, 5.0 * sqrt(square / SAMPLES));
    }
}

static void means_by_formula(void **state)
{
    struct sim_law pareto = {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 1250000000};
    struct sim_law infinite = {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 1000000000};
    struct sim_law weibull = {.kind = SIM_LAW_WEIBULL, .a = SECOND, .b = 500000000};
    struct sim_law half = {.kind = SIM_LAW_NORMAL, .a = 0, .b = SECOND};
    const char *name;

    (void)state;
    assert_near(sim_law_mean_approximate(&pareto), 5 * SECOND, 1);
    assert_i64(sim_law_mean_approximate(&infinite), SIM_LAW_MAX);
    assert_near(sim_law_mean_approximate(&weibull), 2 * SECOND, 2); // Gamma(3) = 2
    // A normal law conditioned on being positive, from mean 0: sqrt(2 / pi).
    assert_near(sim_law_mean_approximate(&half), 797884561, 2);
    // 0.99 * 12 s * exp(0.08) + 0.01 * 60 s * 1.5 / 0.5.
    assert_near(sim_law_mean_approximate(golden_law(11, &name)),
                (0.99 * 12.0 * exp(0.08) + 1.8) * 1e9, 3);
    // Quantiles: 1.25 + 10.78 + 0.525 s.
    assert_i64(sim_law_mean_approximate(golden_law(9, &name)), 12555000000);
}

// A larger draw never gives a smaller value: common random numbers stay coupled.
static void values_rise_with_the_draw(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        const char *name;
        const struct sim_law *law = golden_law(i, &name);
        int64_t last = 0;

        // The mixture's second component begins above most of its first, not above all of it.
        for (uint64_t draw = 0; law->kind != SIM_LAW_MIXTURE && draw < UINT64_MAX - (1ULL << 48);
             draw += UINT64_C(0x00000a0000000001)) {
            int64_t value = sim_law_value(law, draw, 1);

            assert_true(value >= last);
            last = value;
        }
        assert_true(sim_law_value(law, UINT64_MAX, 1) >= last);
        assert_true(sim_law_value(law, UINT64_MAX, 1) <= sim_law_max(law));
    }
}

// The extreme draws of extreme laws are clamped, not undefined.
static void extremes_are_clamped(void **state)
{
    struct sim_law heavy = {.kind = SIM_LAW_PARETO, .a = SECOND, .b = 10000000};
    struct sim_law wide = {.kind = SIM_LAW_LOGNORMAL, .a = SIM_LAW_MAX, .b = 20 * SECOND};
    struct sim_law steep = {.kind = SIM_LAW_WEIBULL, .a = SECOND, .b = 10000000};
    struct sim_law uniform = {.kind = SIM_LAW_UNIFORM, .a = 0, .b = SIM_LAW_MAX};
    struct sim_law zero = {.kind = SIM_LAW_EXPONENTIAL, .a = 0};
    const char *message = NULL;

    (void)state;
    assert_i64(sim_law_check(&heavy, &message), 0);
    assert_i64(sim_law_value(&heavy, UINT64_MAX, 0), SIM_LAW_MAX);
    assert_i64(sim_law_value(&heavy, 0, 0), SECOND);
    assert_i64(sim_law_value(&wide, UINT64_MAX, 0), SIM_LAW_MAX);
    assert_i64(sim_law_value(&wide, 0, 0), 0);
    assert_i64(sim_law_value(&steep, UINT64_MAX, 0), SIM_LAW_MAX);
    assert_i64(sim_law_value(&steep, 0, 0), 0);
    assert_i64(sim_law_value(&uniform, UINT64_MAX, 0), SIM_LAW_MAX);
    assert_i64(sim_law_value(&uniform, 0, 0), 0);
    assert_i64(sim_law_value(&zero, UINT64_MAX, 0), 0);
}

static void small_laws_are_exact(void **state)
{
    static const struct sim_law_point points[2] = {{0, 10}, {1000000000, 30}};
    struct sim_law quantiles = {.kind = SIM_LAW_QUANTILES, .count = 2, .points = points};
    struct sim_law trace = {.kind = SIM_LAW_TRACE, .count = 2, .points = points};
    struct sim_law die = {.kind = SIM_LAW_UNIFORM, .a = 1, .b = 6};
    struct sim_law constant;
    struct sim_arena arena;
    struct sim_random random;
    int64_t value;

    (void)state;
    assert_i64(sim_law_value(&quantiles, 0, 0), 10);
    assert_i64(sim_law_value(&quantiles, UINT64_C(1) << 63, 0), 20);
    assert_i64(sim_law_value(&quantiles, UINT64_MAX, 0), 30);
    assert_i64(sim_law_value(&die, 0, 0), 1);
    assert_i64(sim_law_value(&die, UINT64_MAX, 0), 6);
    sim_law_constant(&constant, 42);
    sim_arena_init(&arena, 0);
    assert_i64(sim_random_init(&random, &arena, 1), 0);
    sim_law_sample(&constant, &random, 0, 0, 0, 0, &value);
    assert_i64(value, 42);
    sim_law_sample(&trace, &random, 0, 0, 0, 5, &value); // row 5 modulo 2
    assert_i64(value, 30);
    // Neither needed chance.
    assert_u64(random.counts[0], 0);
    assert_i64(sim_law_max(&constant), 42);
    assert_i64(sim_law_max(&trace), 30);
    assert_i64(sim_law_max(&die), 6);
    sim_arena_release(&arena);
}

static void golden_laws_pass_the_check(void **state)
{
    const char *message = NULL;
    const char *name;

    (void)state;
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        assert_i64(sim_law_check(golden_law(i, &name), &message), 0);
    }
}

static void wrong_parameters_are_refused(void **state)
{
    static const struct sim_law_point unsorted[3] = {{0, 1}, {600000000, 2}, {500000000, 3}};
    static const struct sim_law_point falling[2] = {{0, 2}, {1000000000, 1}};
    static const struct sim_law_point early[2] = {{0, 1}, {900000000, 2}};
    static const struct sim_law parts[1] = {{.kind = SIM_LAW_MIXTURE}};
    static const struct sim_law good[1] = {{.kind = SIM_LAW_CONSTANT, .a = 1}};
    static const int64_t whole[1] = {1000000000};
    static const int64_t partial[1] = {999999999};
    const struct sim_law laws[] = {
        {.kind = SIM_LAW_CONSTANT, .a = -1},
        {.kind = SIM_LAW_CONSTANT, .a = SIM_LAW_MAX + 1},
        {.kind = SIM_LAW_UNIFORM, .a = 2, .b = 1},
        {.kind = SIM_LAW_NORMAL, .a = 1, .b = -1},
        {.kind = SIM_LAW_LOGNORMAL, .a = 1, .b = -1},
        {.kind = SIM_LAW_LOGNORMAL, .a = 1, .b = 21 * SECOND},
        {.kind = SIM_LAW_WEIBULL, .a = 1, .b = 0},
        {.kind = SIM_LAW_PARETO, .a = 1, .b = 0},
        {.kind = SIM_LAW_QUANTILES},
        {.kind = SIM_LAW_QUANTILES, .count = 3, .points = unsorted},
        {.kind = SIM_LAW_QUANTILES, .count = 2, .points = falling},
        {.kind = SIM_LAW_QUANTILES, .count = 2, .points = early},
        {.kind = SIM_LAW_TRACE},
        {.kind = SIM_LAW_MIXTURE},
        {.kind = SIM_LAW_MIXTURE, .count = 1, .parts = parts, .weights_nano = whole},
        {.kind = SIM_LAW_MIXTURE, .count = 1, .parts = good, .weights_nano = partial},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
        const char *message = NULL;

        assert_i64(sim_law_check(&laws[i], &message), SIM_EINVAL);
        assert_non_null(message);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_follow_their_law),
        cmocka_unit_test(wrong_law_is_found),
        cmocka_unit_test(means_are_right),
        cmocka_unit_test(means_by_formula),
        cmocka_unit_test(values_rise_with_the_draw),
        cmocka_unit_test(extremes_are_clamped),
        cmocka_unit_test(small_laws_are_exact),
        cmocka_unit_test(golden_laws_pass_the_check),
        cmocka_unit_test(wrong_parameters_are_refused),
    };

    return check_main(argc, argv, "sim_law", tests);
}
