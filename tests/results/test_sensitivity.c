// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sobol's indices of functions for which they are known exactly.
#define _XOPEN_SOURCE 700 // M_PI
#include "check.h"

#include <math.h>

#include <gsl/gsl_qrng.h>

#include "results/sensitivity.h"
#include "sim/random.h"

#define POINTS 1024u

struct sample {
    int64_t x[3][POINTS];
    double u[3][POINTS];
    double y[POINTS];
    size_t n;
};

static void draw(struct sample *s, size_t n)
{
    gsl_qrng *sobol = gsl_qrng_alloc(gsl_qrng_sobol, 3);

    assert_non_null(sobol);
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        double u[3];

        assert_int_equal(gsl_qrng_get(sobol, u), 0);
        for (uint32_t d = 0; d < 3; d++) {
            s->u[d][i] = u[d];
            s->x[d][i] = (int64_t)(exp(10.0 * u[d]) * 1e6); // a log axis: only the order counts
        }
    }
    gsl_qrng_free(sobol);
}

static void indices_of(const struct sample *s, double noise, struct results_sensitivity indices[3])
{
    const int64_t *inputs[3] = {s->x[0], s->x[1], s->x[2]};

    assert_true(results_sensitivity(inputs, 3, s->y, s->n, noise, indices));
}

// Ishigami and Homma 1990 with a = 7, b = 0.1: first 0.3139, 0.4424, 0; total 0.5576, 0.4424,
// 0.2437.
static void ishigami(struct sample *s)
{
    for (size_t i = 0; i < s->n; i++) {
        double x = M_PI * (2.0 * s->u[0][i] - 1.0);
        double y = M_PI * (2.0 * s->u[1][i] - 1.0);
        double z = M_PI * (2.0 * s->u[2][i] - 1.0);

        s->y[i] = sin(x) + 7.0 * sin(y) * sin(y) + 0.1 * z * z * z * z * sin(x);
    }
}

static void the_function_of_ishigami(void **state)
{
    static struct sample s;
    struct results_sensitivity indices[3];

    (void)state;
    draw(&s, POINTS);
    ishigami(&s);
    indices_of(&s, 0.0, indices);
    print_message("first %.3f %.3f %.3f, total %.3f %.3f %.3f\n", indices[0].first,
                  indices[1].first, indices[2].first, indices[0].total, indices[1].total,
                  indices[2].total);
    assert_near(indices[0].first, 0.3139, 0.04);
    assert_near(indices[1].first, 0.4424, 0.04);
    assert_near(indices[2].first, 0.0, 0.04);
    assert_near(indices[0].total, 0.5576, 0.09);
    assert_near(indices[1].total, 0.4424, 0.09);
    assert_near(indices[2].total, 0.2437, 0.09);
    draw(&s, 256);
    ishigami(&s);
    indices_of(&s, 0.0, indices);
    print_message("256 points: first %.3f %.3f %.3f, total %.3f %.3f %.3f\n", indices[0].first,
                  indices[1].first, indices[2].first, indices[0].total, indices[1].total,
                  indices[2].total);
    assert_near(indices[1].first, 0.4424, 0.08);
}

// y = 4 u0 + 3 u1: first = total = 0.64, 0.36, 0. Noise of a known size does not move them.
static void noise_of_the_runs_is_taken_out(void **state)
{
    static struct sample s;
    struct results_sensitivity indices[3];
    double noise = 2.0 * 25.0 / 12.0; // twice the variance of y

    (void)state;
    draw(&s, POINTS);
    for (size_t i = 0; i < s.n; i++) {
        double u = ((double)(sim_random_mix(i + 1) >> 12) + 0.5) * 0x1p-52;

        s.y[i] = 4.0 * s.u[0][i] + 3.0 * s.u[1][i] + sqrt(12.0 * noise) * (u - 0.5);
    }
    indices_of(&s, noise, indices);
    assert_near(indices[0].first, 0.64, 0.15);
    assert_near(indices[1].first, 0.36, 0.15);
    assert_near(indices[2].first, 0.0, 0.15);
    assert_near(indices[2].total, 0.0, 0.25);
    assert_true(indices[0].total > indices[1].total);
}

static void what_does_not_vary_has_no_indices(void **state)
{
    static struct sample s;
    struct results_sensitivity indices[3];

    (void)state;
    draw(&s, RESULTS_SENSITIVITY_POINTS_MIN);
    for (size_t i = 0; i < s.n; i++) {
        s.y[i] = 5.0;
    }
    indices_of(&s, 0.0, indices);
    assert_true(isnan(indices[0].first) && isnan(indices[0].total));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_of_ishigami),
        cmocka_unit_test(noise_of_the_runs_is_taken_out),
        cmocka_unit_test(what_does_not_vary_has_no_indices),
    };

    return check_main(argc, argv, "results_sensitivity", tests);
}
