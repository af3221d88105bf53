// SPDX-License-Identifier: GPL-3.0-or-later
//
// The addressed draws: golden vectors, avalanche, equidistribution, and no correlation between
// neighbouring addresses.
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "sim/random.h"

struct fixture {
    struct sim_arena arena;
    struct sim_random random;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        return -1;
    }
    sim_arena_init(&f->arena, 0);
    *state = f;
    return sim_random_init(&f->random, &f->arena, 1);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sim_arena_release(&f->arena);
    free(f);
    return 0;
}

static uint64_t draw(struct fixture *f, uint32_t stream, uint64_t entity, uint64_t n)
{
    uint64_t out = 0;

    sim_random_draw(&f->random, stream, entity, n, &out);
    return out;
}

static void golden_vectors(void **state)
{
    struct fixture *f = *state;
    uint64_t derived = 0;

    assert_u64(draw(f, 0, 0, 0), UINT64_C(0x53832ae5d6c9f825));
    assert_u64(draw(f, 0, 0, 1), UINT64_C(0x0ec3476faa52e025));
    assert_u64(draw(f, 0, 1, 0), UINT64_C(0x17a5d6503ae62578));
    assert_u64(draw(f, 1, 0, 0), UINT64_C(0xff2ead1fefe2370d));
    assert_u64(draw(f, 63, UINT64_MAX, UINT64_MAX), UINT64_C(0xe24eb5eb73d32f2c));
    sim_seed_derive(1, 0, &derived);
    assert_u64(derived, UINT64_C(0x4e286121a5182faa));
    sim_seed_derive(1, 1, &derived);
    assert_u64(derived, UINT64_C(0x0441e511b1e842bf));
}

// An address means the same whatever was drawn before; counts are kept per stream.
static void draws_do_not_depend_on_history(void **state)
{
    struct fixture *f = *state;
    uint64_t first = draw(f, 5, 10, 20);

    for (uint64_t i = 0; i < 1000; i++) {
        draw(f, 6, i, i);
    }
    assert_u64(draw(f, 5, 10, 20), first);
    assert_u64(f->random.counts[5], 2);
    assert_u64(f->random.counts[6], 1000);
    assert_u64(f->random.counts[7], 0);
}

// Each bit of an address flips each bit of the draw with a probability near one half.
static void every_address_bit_reaches_every_draw_bit(void **state)
{
    struct fixture *f = *state;

    for (uint32_t part = 0; part < 2; part++) {
        for (uint32_t bit = 0; bit < 64; bit++) {
            uint32_t flips[64] = {0};

            for (uint64_t i = 0; i < 4000; i++) {
                uint64_t mask = UINT64_C(1) << bit;
                uint64_t changed = draw(f, 2, i, 3 * i) ^
                                   draw(f, 2, part == 0 ? i ^ mask : i,
                                        part == 1 ? (3 * i) ^ mask : 3 * i);

                for (uint32_t out = 0; out < 64; out++) {
                    flips[out] += (uint32_t)(changed >> out) & 1U;
                }
            }
            for (uint32_t out = 0; out < 64; out++) {
                // 8,192 cells, so the bound is five standard deviations (5 * sqrt(1000)).
                assert_true(flips[out] > 2000 - 160 && flips[out] < 2000 + 160);
            }
        }
    }
}

// Chi-squared over 256 cells, of any byte of the draws in a given walk through the addresses.
static double chi_squared_p(struct fixture *f, uint32_t shift, uint64_t entity_step,
                            uint64_t n_step, uint32_t stream_step)
{
    static uint32_t cells[256];
    const uint32_t count = 256000;
    double sum = 0.0;

    memset(cells, 0, sizeof(cells));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = draw(f, (uint32_t)(i * stream_step % SIM_STREAM_LIMIT), i * entity_step,
                              i * n_step / (stream_step != 0 ? 64 : 1));

        cells[(value >> shift) & 255]++;
    }
    for (uint32_t i = 0; i < 256; i++) {
        double difference = (double)cells[i] - 1000.0;

        sum += difference * difference / 1000.0;
    }
    return gsl_cdf_chisq_Q(sum, 255.0);
}

static void draws_are_equidistributed(void **state)
{
    struct fixture *f = *state;

    for (uint32_t shift = 0; shift < 64; shift += 8) {
        double p[4] = {chi_squared_p(f, shift, 1, 0, 0), chi_squared_p(f, shift, 0, 1, 0),
                       chi_squared_p(f, shift, 1, 1, 0), chi_squared_p(f, shift, 0, 1, 1)};

        for (int i = 0; i < 4; i++) {
            // 32 figures on fixed seeds: both tails.
            assert_true(p[i] > 0.0005 && p[i] < 0.9995);
        }
    }
}

// Correlation of neighbours in entity, in n, in stream, and on diagonals.
static void neighbours_are_not_correlated(void **state)
{
    struct fixture *f = *state;
    static const int64_t steps[6][3] = {{0, 1, 0}, {0, 0, 1}, {1, 0, 0},
                                        {0, 1, -1}, {0, 1, 1}, {0, 2, -1}};
    const uint64_t count = 200000;

    for (int s = 0; s < 6; s++) {
        double sum = 0.0;

        for (uint64_t i = 0; i < count; i++) {
            uint64_t entity = 1 + i % 500;
            uint64_t n = 1 + i / 500;
            uint64_t a = draw(f, 9, entity, n);
            uint64_t b = draw(f, 9 + (uint32_t)steps[s][0], entity + (uint64_t)steps[s][1],
                              n + (uint64_t)steps[s][2]);

            sum += ((double)(a >> 11) * 0x1p-53 - 0.5) * ((double)(b >> 11) * 0x1p-53 - 0.5);
        }
        // The product of two centred uniforms has variance 1/144.
        assert_near(sum / (double)count, 0.0, 4.0 / 12.0 / sqrt((double)count));
    }
}

static int compare_draws(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

// Among a million draws of different addresses a repeated value is expected once in 37 million
// trials; addresses that mean the same would show here.
static void addresses_do_not_collide(void **state)
{
    struct fixture *f = *state;
    const size_t count = 1000000;
    uint64_t *values = calloc(count, sizeof(*values));

    assert_non_null(values);
    for (uint64_t i = 0; i < count; i++) {
        values[i] = draw(f, (uint32_t)(i % 10), i / 10 % 1000, i / 10000);
    }
    qsort(values, count, sizeof(*values), compare_draws);
    for (size_t i = 1; i < count; i++) {
        assert_true(values[i] != values[i - 1]);
    }
    free(values);
}

static void below_and_chance(void **state)
{
    struct fixture *f = *state;
    uint32_t counts[6] = {0};
    uint32_t happened = 0;

    for (uint64_t i = 0; i < 60000; i++) {
        uint64_t value = 99;
        bool yes = false;

        sim_random_below(&f->random, 1, 0, i, 6, &value);
        assert_true(value < 6);
        counts[value]++;
        sim_random_chance(&f->random, 2, 0, i, 250000000, &yes);
        happened += yes;
        sim_random_chance(&f->random, 2, 1, i, 0, &yes);
        assert_false(yes);
        sim_random_chance(&f->random, 2, 1, i, 1000000000, &yes);
        assert_true(yes);
    }
    for (int i = 0; i < 6; i++) {
        assert_near(counts[i], 10000.0, 4.0 * sqrt(60000.0 * 5 / 36));
    }
    assert_near(happened, 15000.0, 4.0 * sqrt(60000.0 * 3 / 16));
}

static void seeds_differ_and_fit_63_bits(void **state)
{
    uint64_t last = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t a = 0;
        uint64_t b = 0;

        sim_seed_derive(7, i, &a);
        sim_seed_derive(8, i, &b);
        assert_true(a != b && a != last);
        assert_u64(a >> 63, 0);
        last = a;
    }
}

static void every_allocation_may_fail(void **state)
{
    struct sim_arena arena;
    struct sim_random random;

    (void)state;
    sim_arena_init(&arena, 0);
    sim_arena_fail_at(&arena, 1);
    assert_i64(sim_random_init(&random, &arena, 1), SIM_ENOMEM);
    sim_arena_fail_at(&arena, 2);
    assert_i64(sim_random_init(&random, &arena, 1), SIM_ENOMEM);
    sim_arena_fail_at(&arena, 3);
    assert_i64(sim_random_init(&random, &arena, 1), 0);
    sim_arena_release(&arena);
}

int main(int argc, char **argv)
{
#define WITH_RANDOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        WITH_RANDOM(golden_vectors),
        WITH_RANDOM(draws_do_not_depend_on_history),
        WITH_RANDOM(every_address_bit_reaches_every_draw_bit),
        WITH_RANDOM(draws_are_equidistributed),
        WITH_RANDOM(neighbours_are_not_correlated),
        WITH_RANDOM(addresses_do_not_collide),
        WITH_RANDOM(below_and_chance),
        cmocka_unit_test(seeds_differ_and_fit_63_bits),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return check_main(argc, argv, "sim_random", tests);
}
