// SPDX-License-Identifier: GPL-3.0-or-later
//
// Accuracy of the deterministic functions against GSL and libm (which tests may use).
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>

#include "check.h"
#include "sim/det_math.h"
#include "sim/random.h"

static double uniform(uint64_t i)
{
    return ((double)(sim_random_mix(i * UINT64_C(0x9E3779B97F4A7C15)) >> 12) + 0.5) * 0x1p-52;
}

// Within one unit in the last place of libm, over 200,000 arguments of every size.
static void log_is_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 200000; i++) {
        double x = uniform(i) * pow(2.0, (double)(i % 1000) - 500.0);
        double expected = log(x);

        assert_near(det_log(x), expected, fabs(expected) * 2.3e-16 + 1e-300);
    }
    // Near 1 the result is small and must keep its relative precision.
    for (uint64_t i = 1; i < 50; i++) {
        double x = 1.0 - pow(2.0, -(double)i);

        assert_near(det_log(x), log(x), fabs(log(x)) * 2.3e-16);
    }
}

static void exp_is_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 200000; i++) {
        double x = (uniform(i) - 0.5) * (i % 2 == 0 ? 1390.0 : 4.0);
        double expected = exp(x);

        assert_near(det_exp(x), expected, expected * 4.5e-16);
    }
    assert_near(det_exp(1e9), exp(700.0), exp(700.0) * 1e-15);
    assert_near(det_exp(-1e9), exp(-700.0), exp(-700.0) * 1e-15);
}

static void normal_inverse_is_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 100000; i++) {
        double tail = i % 3 == 0 ? uniform(i) * 1e-12 : uniform(i) * 0.5;
        double expected = gsl_cdf_ugaussian_Pinv(tail);

        assert_near(det_normal_inverse(tail, 1.0 - tail), expected, fabs(expected) * 1e-14 + 1e-15);
        // The upper tail mirrors the lower one exactly.
        assert_true(det_normal_inverse(1.0 - tail, tail) >= -det_normal_inverse(tail, 1.0 - tail) &&
                    det_normal_inverse(1.0 - tail, tail) <= -det_normal_inverse(tail, 1.0 - tail));
    }
}

static void normal_cdf_is_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 100000; i++) {
        double x = (uniform(i) - 0.5) * 11.2;

        assert_near(det_normal_cdf(x), gsl_cdf_ugaussian_P(x), 2e-15);
    }
    assert_near(det_normal_cdf(9.0), 1.0, 0.0);
    assert_near(det_normal_cdf(-9.0), 0.0, 0.0);
}

static void log_gamma_is_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 10000; i++) {
        double x = 1.0 + uniform(i) * (i % 2 == 0 ? 100.0 : 3.0);

        assert_near(det_log_gamma(x), gsl_sf_lngamma(x), 1e-12 * (1.0 + fabs(gsl_sf_lngamma(x))));
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_is_accurate),
        cmocka_unit_test(exp_is_accurate),
        cmocka_unit_test(normal_inverse_is_accurate),
        cmocka_unit_test(normal_cdf_is_accurate),
        cmocka_unit_test(log_gamma_is_accurate),
    };

    return check_main(argc, argv, "sim_det_math", tests);
}
