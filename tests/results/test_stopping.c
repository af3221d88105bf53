// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sequential rule: when it stops, and how often its interval covers the truth when it does, by
// simulation with fixed seeds on a law without skew and on skewed ones.
#include "check.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "results/statistics.h"
#include "results/stopping.h"
#include "sim/random.h"

#define RUNS_MAX 4000u

static const struct results_stop_rule plain = {0.1, false, 0.95, 30, RUNS_MAX, 10};

static void alternate(int64_t *values, size_t n, int64_t mean, int64_t spread)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = i % 2 == 0 ? mean - spread : mean + spread;
    }
}

static void tests_only_whole_batches_and_twice(void **state)
{
    int64_t values[100];
    struct results_stop_state stop;

    (void)state;
    alternate(values, 100, 1000, 10);
    results_stop_decide(&plain, values, 0, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
    assert_u64(stop.runs, 30);
    assert_true(isnan(stop.half_width));
    results_stop_decide(&plain, values, 39, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
    assert_u64(stop.runs, 40);
    results_stop_decide(&plain, values, 40, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_REACHED);
    assert_u64(stop.runs, 40);
    // More runs than needed do not change the answer: resuming is not peeking.
    values[77] = 1000000;
    results_stop_decide(&plain, values, 100, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_REACHED);
    assert_u64(stop.runs, 40);
}

static void one_lucky_test_is_not_enough(void **state)
{
    int64_t values[100];
    struct results_stop_state stop;

    (void)state;
    alternate(values, 100, 1000, 250);
    alternate(values, 30, 1000, 250);
    // 30 runs pass (half-width 95), the next ten do not.
    alternate(values + 30, 10, 1000, 900);
    results_stop_decide(&plain, values, 30, &stop);
    assert_true(stop.half_width < 0.1);
    results_stop_decide(&plain, values, 40, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
    assert_true(stop.half_width > 0.1);
    assert_u64(stop.runs, 50);
}

static void ends_at_the_most(void **state)
{
    static const struct results_stop_rule rule = {0.001, false, 0.95, 30, 55, 10};
    int64_t values[100];
    struct results_stop_state stop;

    (void)state;
    alternate(values, 100, 1000, 900);
    results_stop_decide(&rule, values, 50, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
    assert_u64(stop.runs, 55);
    results_stop_decide(&rule, values, 100, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_EXHAUSTED);
    assert_u64(stop.runs, 55);
}

static void equal_runs_stop_and_a_mean_of_zero_does_not(void **state)
{
    int64_t values[200] = {0};
    struct results_stop_state stop;

    (void)state;
    results_stop_decide(&plain, values, 200, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_REACHED);
    assert_u64(stop.runs, 40);
    assert_near(stop.half_width, 0.0, 0.0);
    alternate(values, 200, 0, 5);
    results_stop_decide(&plain, values, 200, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
    assert_true(isinf(stop.half_width));
}

static void a_half_width_in_the_unit_of_the_values(void **state)
{
    static const struct results_stop_rule rule = {3.0, true, 0.95, 30, RUNS_MAX, 10};
    static const struct results_stop_rule narrower = {1.0, true, 0.95, 30, RUNS_MAX, 10};
    int64_t values[200];
    struct results_stop_state stop;

    (void)state;
    // Half-width t(n - 1) 10 / sqrt(n - 1): 3.71 at 30, 3.20 at 40, 2.87 at 50, 2.61 at 60.
    alternate(values, 200, 0, 10);
    results_stop_decide(&rule, values, 200, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_REACHED);
    assert_u64(stop.runs, 60);
    assert_near(stop.half_width, 2.605, 0.001);
    results_stop_decide(&narrower, values, 200, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
}

// One run in fifty loses everything: the first thirty may well be equal.
static void a_rare_disaster_is_waited_for(void **state)
{
    int64_t values[2000];
    struct results_stop_state stop;

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        values[i] = i % 50 == 33 ? 1000000 : 1000;
    }
    results_stop_decide(&plain, values, 2000, &stop);
    assert_int_equal(stop.stop, RESULTS_STOP_GO_ON);
}

enum law { LAW_NORMAL, LAW_EXPONENTIAL, LAW_LOGNORMAL };

static double quantile_of(enum law law, double u)
{
    switch (law) {
    case LAW_NORMAL:
        return 1.0 + 0.3 * gsl_cdf_ugaussian_Pinv(u);
    case LAW_EXPONENTIAL:
        return -log(u);
    case LAW_LOGNORMAL:
        break;
    }
    return exp(gsl_cdf_ugaussian_Pinv(u) - 0.5); // sigma 1, mean 1, skewness 6.2
}

// The share of worlds whose interval, at the stop, covers the true mean of 1.
static double coverage(enum law law, const struct results_stop_rule *rule, uint32_t worlds,
                       double *mean_runs)
{
    static int64_t values[RUNS_MAX];
    struct sim_arena arena;
    struct sim_random random;
    uint32_t covered = 0;
    double runs = 0.0;

    sim_arena_init(&arena, 0);
    assert_int_equal(sim_random_init(&random, &arena, 11), 0);
    for (uint32_t world = 0; world < worlds; world++) {
        struct results_stop_state stop = {RESULTS_STOP_GO_ON, rule->at_least, 0.0};
        struct results_sample sample;
        struct results_interval interval;
        uint64_t n = 0;

        while (stop.stop == RESULTS_STOP_GO_ON) {
            for (; n < stop.runs; n++) {
                uint64_t draw;

                sim_random_draw(&random, (uint32_t)law, world, n, &draw);
                values[n] =
                    (int64_t)(1e12 * quantile_of(law, ((double)(draw >> 12) + 0.5) * 0x1p-52));
            }
            results_stop_decide(rule, values, n, &stop);
        }
        assert_true(results_sample_init(&sample, values, stop.runs));
        results_sample_mean_interval(&sample, rule->confidence, &interval);
        covered += interval.low <= 1e12 && 1e12 <= interval.high;
        runs += (double)stop.runs;
        results_sample_release(&sample);
    }
    sim_arena_release(&arena);
    *mean_runs = runs / worlds;
    return (double)covered / worlds;
}

static void stopping_keeps_the_coverage(void **state)
{
    static const struct results_stop_rule coarse = {0.1, false, 0.95, 30, RUNS_MAX, 50};
    double runs;
    double share;

    (void)state;
    share = coverage(LAW_NORMAL, &plain, 1000, &runs);
    print_message("normal, 10 %%: %.3f after %.0f runs\n", share, runs);
    assert_true(share >= 0.935);
    share = coverage(LAW_EXPONENTIAL, &coarse, 1000, &runs);
    print_message("exponential, 10 %%: %.3f after %.0f runs\n", share, runs);
    assert_true(share >= 0.93);
    share = coverage(LAW_LOGNORMAL, &coarse, 1000, &runs);
    print_message("lognormal, 10 %%: %.3f after %.0f runs\n", share, runs);
    assert_true(share >= 0.92);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_only_whole_batches_and_twice),
        cmocka_unit_test(one_lucky_test_is_not_enough),
        cmocka_unit_test(ends_at_the_most),
        cmocka_unit_test(equal_runs_stop_and_a_mean_of_zero_does_not),
        cmocka_unit_test(a_half_width_in_the_unit_of_the_values),
        cmocka_unit_test(a_rare_disaster_is_waited_for),
        cmocka_unit_test(stopping_keeps_the_coverage),
    };

    return check_main(argc, argv, "results_stopping", tests);
}
