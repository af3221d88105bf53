// SPDX-License-Identifier: GPL-3.0-or-later
//
// Analysis of variance against textbook tables and by what must hold where points are missing.
#include "check.h"

#include <math.h>

#include "results/factorial.h"

// Montgomery, Design and Analysis of Experiments, table 5.1: battery life, 3 materials by 3
// temperatures, 4 batteries each.
static void the_battery_experiment(void **state)
{
    static const int64_t life[] = {
        130, 155, 74,  180, 34,  40,  80,  75,  20, 70,  82, 58, //
        150, 188, 159, 126, 136, 122, 106, 115, 25, 70,  58, 45, //
        138, 110, 168, 160, 174, 120, 150, 139, 96, 104, 82, 60,
    };
    static const uint32_t material[] = {0, 0, 0, 1, 1, 1, 2, 2, 2};
    static const uint32_t temperature[] = {0, 1, 2, 0, 1, 2, 0, 1, 2};
    static const struct results_factor factors[] = {{"material", 3, material},
                                                    {"temperature", 3, temperature}};
    struct results_factorial r;

    (void)state;
    assert_int_equal(results_factorial_analyse(factors, 2, life, 9, 4, false, &r),
                     RESULTS_FACTORIAL_OK);
    assert_u64(r.n_effects, 3);
    assert_near(r.mean, 105.527778, 1e-6);
    assert_near(r.total, 77646.97, 0.01);
    assert_near(r.error, 18230.75, 0.01);
    assert_u64(r.error_df, 27);
    assert_near(r.effects[0].squares, 10683.72, 0.01);
    assert_near(r.effects[1].squares, 39118.72, 0.01);
    assert_near(r.effects[2].squares, 9613.78, 0.01);
    assert_u64(r.effects[2].df, 4);
    assert_near(r.effects[0].f, 7.91, 0.005);
    assert_near(r.effects[1].f, 28.97, 0.005);
    assert_near(r.effects[2].f, 3.56, 0.005);
    assert_near(r.effects[0].p, 0.0020, 0.00005);
    assert_near(r.effects[2].p, 0.0186, 0.00005);
    assert_near(r.rest, 0.0, 1e-9);
    assert_near(r.effects[1].share, 39118.72 / 77646.97, 1e-6);
}

// Montgomery, example 5.6: detecting targets; 3 levels of ground clutter by 2 filters, 4 operators
// as blocks.
static void operators_are_blocks(void **state)
{
    static const int64_t intensity[] = {
        90,  96,  100, 92, 86, 84, 92, 81, // low clutter: filter 1, filter 2
        102, 106, 105, 96, 87, 90, 97, 80, // medium
        114, 112, 108, 98, 93, 91, 95, 83, // high
    };
    static const uint32_t clutter[] = {0, 0, 1, 1, 2, 2};
    static const uint32_t filter[] = {0, 1, 0, 1, 0, 1};
    static const struct results_factor factors[] = {{"clutter", 3, clutter}, {"filter", 2, filter}};
    struct results_factorial r;

    (void)state;
    assert_int_equal(results_factorial_analyse(factors, 2, intensity, 6, 4, true, &r),
                     RESULTS_FACTORIAL_OK);
    assert_near(r.effects[0].squares, 335.58, 0.01);
    assert_near(r.effects[1].squares, 1066.67, 0.01);
    assert_near(r.effects[2].squares, 77.08, 0.01);
    assert_near(r.blocks, 402.17, 0.01);
    assert_near(r.error, 166.33, 0.01);
    assert_u64(r.error_df, 15);
    assert_near(r.total, 2047.83, 0.01);
    assert_near(r.effects[0].f, 15.13, 0.01);
    assert_near(r.effects[1].f, 96.19, 0.01);
    assert_near(r.effects[2].p, 0.0573, 0.0005);
}

// value = 10 a + b, for all but two of the nine cells: type II finds both effects exactly, and no
// interaction, although the design is not orthogonal.
static void points_that_where_left_out(void **state)
{
    static const uint32_t a[] = {0, 0, 0, 1, 1, 2, 2};
    static const uint32_t b[] = {0, 1, 2, 1, 2, 0, 2};
    static const struct results_factor factors[] = {{"a", 3, a}, {"b", 3, b}};
    int64_t values[7 * 2];
    struct results_factorial r;

    (void)state;
    for (uint32_t cell = 0; cell < 7; cell++) {
        values[2 * cell] = 10 * a[cell] + b[cell] + INT64_C(4000000000000000000);
        values[2 * cell + 1] = values[2 * cell] + 100; // the second seed is worse everywhere
    }
    assert_int_equal(results_factorial_analyse(factors, 2, values, 7, 2, true, &r),
                     RESULTS_FACTORIAL_OK);
    assert_near(r.error, 0.0, 0.0);
    assert_near(r.blocks, 14 * 2500.0, 1e-6);
    assert_u64(r.effects[2].df, 2); // nine cells would give four
    assert_near(r.effects[2].squares, 0.0, 1e-9);
    assert_near(r.effects[2].p, 1.0, 0.0);
    assert_true(isinf(r.effects[0].f));
    assert_near(r.effects[1].p, 0.0, 0.0);
    assert_true(r.effects[0].squares > 50 * r.effects[1].squares);
}

// Two axes that always move together: neither can be credited.
static void axes_in_lockstep_cannot_be_told_apart(void **state)
{
    static const uint32_t a[] = {0, 1, 2};
    static const int64_t values[] = {1, 2, 4};
    static const struct results_factor factors[] = {{"a", 3, a}, {"b", 3, a}};
    struct results_factorial r;

    (void)state;
    assert_int_equal(results_factorial_analyse(factors, 2, values, 3, 1, false, &r),
                     RESULTS_FACTORIAL_OK);
    assert_u64(r.effects[0].df, 0);
    assert_u64(r.effects[1].df, 0);
    assert_true(isnan(r.effects[0].share));
    assert_u64(r.error_df, 0);
}

static void one_run_each_has_shares_and_no_test(void **state)
{
    static const uint32_t a[] = {0, 0, 1, 1};
    static const uint32_t b[] = {0, 1, 0, 1};
    static const int64_t values[] = {0, 2, 4, 6};
    static const struct results_factor factors[] = {{"a", 2, a}, {"b", 2, b}};
    struct results_factorial r;

    (void)state;
    assert_int_equal(results_factorial_analyse(factors, 2, values, 4, 1, true, &r),
                     RESULTS_FACTORIAL_OK);
    assert_near(r.effects[0].share, 0.8, 1e-12);
    assert_near(r.effects[1].share, 0.2, 1e-12);
    assert_near(r.effects[2].share, 0.0, 1e-12);
    assert_true(isnan(r.effects[0].p));
}

static void nothing_to_compare_and_nothing_that_varies(void **state)
{
    static const uint32_t a[] = {0, 1};
    static const int64_t values[] = {5, 5, 5, 5};
    static const struct results_factor factors[] = {{"a", 2, a}};
    static const struct results_factor constant[] = {{"a", 1, a}};
    struct results_factorial r;

    (void)state;
    assert_int_equal(results_factorial_analyse(factors, 1, values, 1, 4, true, &r),
                     RESULTS_FACTORIAL_TOO_SMALL);
    assert_int_equal(results_factorial_analyse(constant, 1, values, 2, 2, true, &r),
                     RESULTS_FACTORIAL_TOO_SMALL);
    assert_int_equal(results_factorial_analyse(factors, 1, values, (size_t)1 << 28, 1, true, &r),
                     RESULTS_FACTORIAL_TOO_LARGE);
    assert_int_equal(results_factorial_analyse(factors, 1, values, 2, 2, true, &r),
                     RESULTS_FACTORIAL_OK);
    assert_near(r.total, 0.0, 0.0);
    assert_near(r.effects[0].share, 0.0, 0.0);
    assert_near(r.effects[0].p, 1.0, 0.0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_battery_experiment),
        cmocka_unit_test(operators_are_blocks),
        cmocka_unit_test(points_that_where_left_out),
        cmocka_unit_test(axes_in_lockstep_cannot_be_told_apart),
        cmocka_unit_test(one_run_each_has_shares_and_no_test),
        cmocka_unit_test(nothing_to_compare_and_nothing_that_varies),
    };

    return check_main(argc, argv, "results_factorial", tests);
}
