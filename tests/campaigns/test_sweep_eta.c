// SPDX-License-Identifier: GPL-3.0-or-later
//
// How long a sweep will still take.
#include "check.h"

#include "campaigns/sweep_parts.h"

#define SECOND INT64_C(1000000000)

static struct sweep_point_runs point(uint32_t ended, int64_t wall_ns, uint32_t wanted)
{
    return (struct sweep_point_runs){.ended = ended, .wall_ns = wall_ns, .wanted = wanted};
}

static void nothing_has_ended(void **state)
{
    const struct sweep_point_runs points[] = {point(0, 0, 5), point(0, 0, 0)};

    (void)state;
    assert_i64(sweep_eta_ns(points, 2, SECOND), -1);
    assert_i64(sweep_eta_ns(points, 0, SECOND), -1);
}

// Where all runs cost the same it is the plain rate.
static void equal_points(void **state)
{
    const struct sweep_point_runs points[] = {point(2, 2 * SECOND, 3), point(3, 3 * SECOND, 2)};

    (void)state;
    assert_i64(sweep_eta_ns(points, 2, 5 * SECOND), 5 * SECOND);
    // Five workers at once: the elapsed time is a fifth of theirs.
    assert_i64(sweep_eta_ns(points, 2, SECOND), SECOND);
}

// The cheap point is done, the dear one is not: the rate of runs would say 1 s.
static void what_is_left_costs_more(void **state)
{
    const struct sweep_point_runs points[] = {point(9, 9 * SECOND, 0), point(1, 11 * SECOND, 1)};

    (void)state;
    assert_i64(sweep_eta_ns(points, 2, 20 * SECOND), 11 * SECOND);
}

static void an_unknown_point_costs_the_mean_of_the_others(void **state)
{
    const struct sweep_point_runs points[] = {point(1, 1 * SECOND, 0), point(4, 12 * SECOND, 1),
                                              point(0, 0, 4)};

    (void)state;
    // 3 s and 4 times 2 s.
    assert_i64(sweep_eta_ns(points, 3, 13 * SECOND), 11 * SECOND);
}

static void all_has_ended(void **state)
{
    const struct sweep_point_runs points[] = {point(4, 8 * SECOND, 0)};

    (void)state;
    assert_i64(sweep_eta_ns(points, 1, 8 * SECOND), 0);
}

static void it_stays_in_range(void **state)
{
    const struct sweep_point_runs points[] = {point(1, INT64_MAX, UINT32_MAX)};

    (void)state;
    assert_i64(sweep_eta_ns(points, 1, INT64_MAX), INT64_MAX);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_has_ended),
    cmocka_unit_test(equal_points),
    cmocka_unit_test(what_is_left_costs_more),
    cmocka_unit_test(an_unknown_point_costs_the_mean_of_the_others),
    cmocka_unit_test(all_has_ended),
    cmocka_unit_test(it_stays_in_range),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
