// SPDX-License-Identifier: GPL-3.0-or-later
//
// The bootstrap against what is known of it, and the warnings against laws whose tails are known.
#include "check.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "results/bootstrap.h"
#include "results/warnings.h"

#define RUNS 200u

static double uniform(uint64_t world, uint64_t i)
{
    uint64_t draw = sim_random_mix(sim_random_mix(world * 1000003u + 17u) + i);

    return ((double)(draw >> 12) + 0.5) * 0x1p-52;
}

static void fill(int64_t *values, size_t n, uint64_t world, double (*quantile)(double))
{
    for (size_t i = 0; i < n; i++) {
        values[i] = (int64_t)(1e9 * quantile(uniform(world, i)));
    }
}

static double normal(double u)
{
    return 10.0 + gsl_cdf_ugaussian_Pinv(u);
}

static double exponential(double u)
{
    return -log(u);
}

static double lognormal(double u)
{
    return exp(gsl_cdf_ugaussian_Pinv(u) - 0.5);
}

static double pareto(double u)
{
    return pow(u, -1.0 / 1.2); // index 1.2: a mean, no variance
}

static void few_or_equal_values_have_no_bootstrap(void **state)
{
    static const int64_t equal[] = {5, 5, 5};
    struct results_sample sample;
    struct results_interval interval;

    (void)state;
    assert_true(results_sample_init(&sample, equal, 1));
    assert_true(results_bootstrap_mean(&sample, 0.95, &interval));
    assert_true(isnan(interval.low) && isnan(interval.high));
    results_sample_release(&sample);
    assert_true(results_sample_init(&sample, equal, 3));
    assert_true(results_bootstrap_mean(&sample, 0.95, &interval));
    assert_near(interval.low, 5.0, 0.0);
    assert_near(interval.high, 5.0, 0.0);
    results_sample_release(&sample);
}

// On a normal sample it is Student's interval, up to the error of 2,000 resamples, and the same
// each time.
static void agrees_with_students_interval_on_normal_runs(void **state)
{
    int64_t values[RUNS];
    struct results_sample sample;
    struct results_interval t;
    struct results_interval first;
    struct results_interval second;

    (void)state;
    fill(values, RUNS, 1, normal);
    assert_true(results_sample_init(&sample, values, RUNS));
    results_sample_mean_interval(&sample, 0.95, &t);
    assert_true(results_bootstrap_mean(&sample, 0.95, &first));
    assert_true(results_bootstrap_mean(&sample, 0.95, &second));
    assert_near(first.low, t.low, 0.1 * (t.high - t.low));
    assert_near(first.high, t.high, 0.1 * (t.high - t.low));
    assert_near(first.low, second.low, 0.0);
    assert_near(first.high, second.high, 0.0);
    results_sample_release(&sample);
}

// On 30 exponential runs Student's interval misses the mean almost always on one side. BCa covers
// it about as often, but its misses are spread over both sides, as two-sided intervals promise.
static void misses_on_both_sides_of_skewed_runs(void **state)
{
    uint32_t t_misses[2] = {0, 0};
    uint32_t misses[2] = {0, 0};
    const uint32_t worlds = 500;

    (void)state;
    for (uint32_t world = 0; world < worlds; world++) {
        int64_t values[30];
        struct results_sample sample;
        struct results_interval interval;

        fill(values, 30, world + 100, exponential);
        assert_true(results_sample_init(&sample, values, 30));
        results_sample_mean_interval(&sample, 0.95, &interval);
        t_misses[0] += interval.high < 1e9;
        t_misses[1] += interval.low > 1e9;
        assert_true(results_bootstrap_mean(&sample, 0.95, &interval));
        misses[0] += interval.high < 1e9;
        misses[1] += interval.low > 1e9;
        results_sample_release(&sample);
    }
    print_message("exponential, n = 30, misses below and above: t %u %u, BCa %u %u of %u\n",
                  t_misses[0], t_misses[1], misses[0], misses[1], worlds);
    assert_true(misses[0] + misses[1] <= worlds * 8 / 100);
    assert_true(t_misses[0] >= 5 * t_misses[1]);
    assert_true(misses[0] <= 3 * misses[1]);
}

static void picks_are_addressed_and_even(void **state)
{
    struct results_resampler resampler;
    uint32_t counts[10] = {0};

    (void)state;
    assert_true(results_resampler_init(&resampler));
    for (size_t i = 0; i < 10000; i++) {
        size_t pick = results_resampler_pick(&resampler, 3, i, 10);

        assert_true(pick < 10);
        counts[pick]++;
        assert_u64(results_resampler_pick(&resampler, 3, i, 10), pick);
    }
    for (size_t i = 0; i < 10; i++) {
        assert_near(counts[i], 1000, 120); // four standard deviations
    }
    results_resampler_release(&resampler);
}

static unsigned warnings_of(double (*quantile)(double), size_t n, uint64_t world)
{
    int64_t values[2000];
    struct results_sample sample;
    unsigned warnings;

    assert_true(n <= 2000);
    fill(values, n, world, quantile);
    assert_true(results_sample_init(&sample, values, n));
    warnings = results_sample_warnings(&sample);
    results_sample_release(&sample);
    return warnings;
}

static void warns_of_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(warnings_of(normal, 2000, 5), 0);
    assert_int_equal(warnings_of(normal, 200, 5), RESULTS_WARNING_FEW_FOR_P99);
    assert_int_equal(warnings_of(normal, 5, 5), RESULTS_WARNING_FEW_RUNS |
                                                    RESULTS_WARNING_FEW_FOR_P95 |
                                                    RESULTS_WARNING_FEW_FOR_P99);
    assert_true((warnings_of(lognormal, 60, 5) & RESULTS_WARNING_SKEWED) != 0);
    assert_true((warnings_of(pareto, 2000, 5) & RESULTS_WARNING_HEAVY_TAIL) != 0);
}

// In how many of 200 worlds the tail is called heavy: almost always where it is, hardly ever where
// it is not.
static void tells_heavy_tails_from_light_ones(void **state)
{
    uint32_t heavy = 0;
    uint32_t light = 0;

    (void)state;
    for (uint32_t world = 0; world < 200; world++) {
        heavy += (warnings_of(pareto, 1000, world) & RESULTS_WARNING_HEAVY_TAIL) != 0;
        light += (warnings_of(exponential, 1000, world) & RESULTS_WARNING_HEAVY_TAIL) != 0;
    }
    print_message("called heavy: Pareto 1.2 %u, exponential %u of 200\n", heavy, light);
    assert_true(heavy >= 180);
    assert_true(light <= 4);
}

static void the_tail_index_is_hills(void **state)
{
    int64_t values[100];
    struct results_sample sample;

    (void)state;
    // Median 0; the ten largest are e times, the eleventh once the same distance.
    for (size_t i = 0; i < 100; i++) {
        values[i] = i < 89 ? 0 : i == 89 ? 1000000000 : INT64_C(2718281828);
    }
    assert_true(results_sample_init(&sample, values, 100));
    assert_near(results_sample_tail_index(&sample), 1.0, 1e-9);
    results_sample_release(&sample);
    assert_true(results_sample_init(&sample, values, 89));
    assert_true(isnan(results_sample_tail_index(&sample)));
    assert_int_equal(results_sample_warnings(&sample), RESULTS_WARNING_FEW_FOR_P99);
    results_sample_release(&sample);
}

static void warnings_have_names(void **state)
{
    struct results_text text;

    (void)state;
    results_text_init(&text);
    results_warnings_add(&text, 0);
    assert_text(results_text_string(&text), "");
    results_warnings_add(&text, RESULTS_WARNING_FEW_RUNS | RESULTS_WARNING_NO_FAILURE);
    assert_text(results_text_string(&text), "few-runs, no-failure");
    results_text_release(&text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_or_equal_values_have_no_bootstrap),
        cmocka_unit_test(agrees_with_students_interval_on_normal_runs),
        cmocka_unit_test(misses_on_both_sides_of_skewed_runs),
        cmocka_unit_test(picks_are_addressed_and_even),
        cmocka_unit_test(warns_of_what_is_there),
        cmocka_unit_test(tells_heavy_tails_from_light_ones),
        cmocka_unit_test(the_tail_index_is_hills),
        cmocka_unit_test(warnings_have_names),
    };

    return check_main(argc, argv, "results_bootstrap", tests);
}
