// SPDX-License-Identifier: GPL-3.0-or-later
//
// The exponential sampler: its constants computed again, its accuracy against libm (which tests
// may use), and that it never falls, also where one cell meets the next.
#include <math.h>

#include "check.h"
#include "sim/det_math.h"
#include "sim/exponential.h"
#include "sim/random.h"

// The draw whose 1 - u is x * 2^-53, for an odd x.
static uint64_t draw_of(uint64_t x)
{
    return ~(x << 11);
}

static double value_of(uint64_t x)
{
    return sim_exponential(draw_of(x));
}

static void cells_hold_their_constants(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SIM_EXPONENTIAL_CELLS; i++) {
        const struct sim_exponential_cell *cell = &sim_exponential_cells[i];
        double c = (double)(i + 128) / 256.0;

        // A division is rounded correctly, and so is the constant.
        assert_u64(det_to_bits(cell->inverse), det_to_bits(0x1p-64 / c));
        assert_near(cell->logarithm, -log(c), -log(c) * 2.3e-16);
    }
    assert_u64(det_to_bits(sim_exponential_cells[SIM_EXPONENTIAL_CELLS - 1].logarithm), 0);
}

static void assert_accurate(uint64_t draw)
{
    uint64_t x = (~draw >> 11) | 1;
    double u = (double)(int64_t)((UINT64_C(1) << 53) - x) * 0x1p-53;
    // Below 1/2 by u, which log1p takes as it is; above by 1 - u, which is exact.
    double expected = u < 0.5 ? -log1p(-u) : -log((double)(int64_t)x * 0x1p-53);

    assert_near(sim_exponential(draw), expected, expected * 6e-16);
}

static void values_are_accurate(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300000; i++) {
        uint64_t draw = sim_random_mix(i * UINT64_C(0x9E3779B97F4A7C15));

        assert_accurate(draw);
        assert_accurate(draw >> (i % 52));      // small values
        assert_accurate(~(draw >> (i % 52)));   // large values
    }
}

static void extreme_draws_give_known_values(void **state)
{
    (void)state;
    assert_u64(det_to_bits(sim_exponential(0)), det_to_bits(0x1p-53));
    assert_near(sim_exponential(UINT64_MAX), 53.0 * log(2.0), 1e-14);
    // The lower twelve bits of a draw have no part in it.
    assert_u64(det_to_bits(sim_exponential(0xfff)), det_to_bits(0x1p-53));
    assert_u64(det_to_bits(sim_exponential(0x1000)), det_to_bits(0x1.8000000000001p-52));
    assert_i64(sim_exponential_value(0, 10, UINT64_MAX), 0);
    assert_i64(sim_exponential_value(1000, 36000, UINT64_MAX), 36000);
    assert_i64(sim_exponential_value(1000, 40000, UINT64_MAX), 36737);
    assert_i64(sim_exponential_value(1000000, INT64_MAX, 0), 0);
}

// Eight neighbours on either side of each border of two cells, in every octave that has them.
static void neighbouring_draws_never_fall(void **state)
{
    uint32_t compared = 0;

    (void)state;
    for (uint32_t octave = 9; octave < 53; octave++) {
        for (uint64_t border = 0; border < 128; border++) {
            // In units of 2^-9 of the octave: the middles between centres.
            uint64_t x = ((UINT64_C(257) + 2 * border) << (octave - 8)) | 1;
            double last = value_of(x > 16 ? x - 16 : 1);

            for (uint64_t i = x > 16 ? x - 14 : 3; i <= x + 16; i += 2) {
                double value = value_of(i);

                assert_true(value <= last); // a larger 1 - u is a smaller value
                last = value;
                compared++;
            }
        }
    }
    assert_true(compared > 80000);
}

// And within a cell, over draws that follow each other anywhere.
static void runs_of_draws_never_fall(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t draw = sim_random_mix(i) >> (i % 50);
        double last = sim_exponential(draw);

        for (uint64_t k = 1; k < 100 && draw < UINT64_MAX - k * 0x1000; k++) {
            double value = sim_exponential(draw + k * 0x1000);

            assert_true(value >= last);
            last = value;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_hold_their_constants),
        cmocka_unit_test(values_are_accurate),
        cmocka_unit_test(extreme_draws_give_known_values),
        cmocka_unit_test(neighbouring_draws_never_fall),
        cmocka_unit_test(runs_of_draws_never_fall),
    };

    return check_main(argc, argv, "sim_exponential", tests);
}
