// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers of 128 bits: known values, and the two ways to compute them against each other.
#include "check.h"
#include "sim/random.h"
#include "sim/wide.h"

#define ROUNDS 20000

// Draws of all magnitudes, 0 and the ends of the range among them.
static uint64_t number(uint64_t n)
{
    static const uint64_t ends[] = {0, 1, 2, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63,
                                    UINT64_MAX - 1, UINT64_MAX};
    uint64_t value = sim_random_mix(n + 1);

    return value % 8 == 0 ? ends[(value >> 8) % 8] : value >> (value >> 16) % 64;
}

static void known_products(void **state)
{
    struct sim_wide product = sim_wide_product_by_digits(UINT64_MAX, UINT64_MAX);

    (void)state;
    assert_u64(product.high, UINT64_MAX - 1);
    assert_u64(product.low, 1);
    product = sim_wide_product_by_digits(UINT64_C(10000000000000000000), 1000);
    assert_u64(product.high, 542);
    assert_u64(product.low, UINT64_C(1864712049423024128));
}

static void known_quotients(void **state)
{
    (void)state;
    assert_u64(sim_wide_quotient_by_digits((struct sim_wide){542, UINT64_C(1864712049423024128)},
                                           1000),
               UINT64_C(10000000000000000000));
    assert_u64(sim_wide_quotient_by_digits((struct sim_wide){0, 7}, 2), 3);
    assert_u64(sim_wide_quotient_by_digits((struct sim_wide){1, 0}, 1), UINT64_MAX);
    assert_u64(sim_wide_quotient((struct sim_wide){5, 0}, 5), UINT64_MAX);
}

static void a_sum_carries(void **state)
{
    struct sim_wide sum = sim_wide_add((struct sim_wide){3, UINT64_MAX}, 2);

    (void)state;
    assert_u64(sum.high, 4);
    assert_u64(sum.low, 1);
}

static void both_ways_agree(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t a = number(3 * i), b = number(3 * i + 1), c = number(3 * i + 2);
        struct sim_wide one = sim_wide_product(a, b), other = sim_wide_product_by_digits(a, b);
        uint64_t divisor = c == 0 ? 1 : c;

        assert_u64(one.high, other.high);
        assert_u64(one.low, other.low);
        assert_u64(sim_wide_quotient(one, divisor), sim_wide_quotient_by_digits(one, divisor));
    }
}

// (a b + r) / b gives a back for every r below b.
static void a_quotient_undoes_a_product(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t a = number(2 * i), b = number(2 * i + 1);

        if (b == 0)
            continue;
        struct sim_wide most = sim_wide_add(sim_wide_product_by_digits(a, b), b - 1);
        assert_u64(sim_wide_quotient_by_digits(sim_wide_product_by_digits(a, b), b), a);
        assert_u64(sim_wide_quotient_by_digits(most, b), a);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(known_products),
    cmocka_unit_test(known_quotients),
    cmocka_unit_test(a_sum_carries),
    cmocka_unit_test(both_ways_agree),
    cmocka_unit_test(a_quotient_undoes_a_product),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "sim_wide", tests);
}
