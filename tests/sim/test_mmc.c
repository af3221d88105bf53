// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel against closed forms: M/M/1 and M/M/4 by independent replications on fixed seeds, with
// 99.9 % intervals by Student's t.
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "sim/support_mmc.h"
#include "sim/random.h"

#define REPLICATIONS 20

static void check_interval(const double *values, double expected, const char *what)
{
    double mean = 0.0;
    double variance = 0.0;
    double half;

    for (int i = 0; i < REPLICATIONS; i++) {
        mean += values[i] / REPLICATIONS;
    }
    for (int i = 0; i < REPLICATIONS; i++) {
        variance += (values[i] - mean) * (values[i] - mean) / (REPLICATIONS - 1);
    }
    half = gsl_cdf_tdist_Pinv(0.9995, REPLICATIONS - 1) * sqrt(variance / REPLICATIONS);
    print_message("%s: %.5f +- %.5f, closed form %.5f\n", what, mean, half, expected);
    assert_near(mean, expected, half);
    // An interval so wide that it could not miss would prove nothing.
    assert_true(half < 0.05 * expected);
}

static void run_all(uint32_t servers, int64_t between_ns, struct mmc_result *results)
{
    for (uint64_t i = 0; i < REPLICATIONS; i++) {
        uint64_t seed;

        sim_seed_derive(20260, i, &seed);
        results[i] = mmc_run(seed, servers, between_ns, 1000000000, 5000, 60000);
    }
}

// Arrivals at 0.8 of the service rate: N = 0.8 / 0.2 = 4, T = 1 / (1 - 0.8) = 5, both of Little.
static void mm1_meets_its_closed_form(void **state)
{
    struct mmc_result results[REPLICATIONS];
    double number[REPLICATIONS];
    double sojourn[REPLICATIONS];

    (void)state;
    run_all(1, 1250000000, results);
    for (int i = 0; i < REPLICATIONS; i++) {
        number[i] = results[i].number;
        sojourn[i] = results[i].sojourn_s;
    }
    check_interval(number, 4.0, "M/M/1 N");
    check_interval(sojourn, 5.0, "M/M/1 T");
}

// Four servers, 3.2 arrivals a second: Erlang's C = 0.59643, Wq = C / (4 - 3.2) = 0.74554.
static void mm4_meets_its_closed_form(void **state)
{
    struct mmc_result results[REPLICATIONS];
    double wait[REPLICATIONS];
    double waited[REPLICATIONS];

    (void)state;
    run_all(4, 312500000, results);
    for (int i = 0; i < REPLICATIONS; i++) {
        wait[i] = results[i].wait_s;
        waited[i] = results[i].waited;
    }
    check_interval(wait, 0.74554, "M/M/4 Wq");
    check_interval(waited, 0.59643, "M/M/4 P(wait)");
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mm1_meets_its_closed_form),
        cmocka_unit_test(mm4_meets_its_closed_form),
    };

    return check_main(argc, argv, "sim_mmc", tests);
}
