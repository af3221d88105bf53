// SPDX-License-Identifier: GPL-3.0-or-later
//
// The committed golden hashes. They change only when a draw, a law or the arithmetic below them
// changes, which moves every seed's run: say so in the commit.
#include "check.h"
#include "sim/det_math.h"
#include "sim/support_golden.h"

static const struct golden expected[GOLDEN_COUNT] = {
    {"draws", UINT64_C(0x8989dc257029e5a6)},
    {"det_log", UINT64_C(0x166677a2dc0678d2)},
    {"det_exp", UINT64_C(0x2723a0378efa43b0)},
    {"det_normal", UINT64_C(0xd7dc9a54b2532712)},
    {"constant", UINT64_C(0x8c654baa18cbca27)},
    {"exponential", UINT64_C(0xa9f88bcd58f09279)},
    {"uniform", UINT64_C(0xd410f6ddc1a212e6)},
    {"normal", UINT64_C(0xda77807117cad429)},
    {"normal_truncated", UINT64_C(0x402d849c881af9f2)},
    {"lognormal", UINT64_C(0x11fde0109adaff9e)},
    {"weibull", UINT64_C(0x589e4bec9755b2a0)},
    {"weibull_rising", UINT64_C(0xb631487a887dfb2f)},
    {"pareto", UINT64_C(0xd754b8ae51460011)},
    {"quantiles", UINT64_C(0x4396482408f23672)},
    {"trace", UINT64_C(0x76693223a2219f51)},
    {"mixture", UINT64_C(0xf890aa278bc5b30a)},
};

static void golden_hashes_are_the_committed_ones(void **state)
{
    struct golden entries[GOLDEN_COUNT];

    (void)state;
    assert_i64(golden_compute(entries), 0);
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        assert_text(entries[i].name, expected[i].name);
        if (entries[i].hash != expected[i].hash) {
            print_error("%s\n", entries[i].name);
        }
        assert_u64(entries[i].hash, expected[i].hash);
    }
}

// Single bit patterns, so that a difference can be seen without a hash.
static void golden_bit_patterns_of_log_and_exp(void **state)
{
    (void)state;
    assert_u64(det_to_bits(det_log(1.0)), 0);
    assert_u64(det_to_bits(det_log(2.0)), UINT64_C(0x3fe62e42fefa39ef));
    assert_u64(det_to_bits(det_log(0.1)), UINT64_C(0xc0026bb1bbb55515));
    assert_u64(det_to_bits(det_log(0x1p-53)), UINT64_C(0xc0425e4f7b2737fa));
    assert_u64(det_to_bits(det_exp(0.0)), UINT64_C(0x3ff0000000000000));
    // One unit above the exact value, and so everywhere.
    assert_u64(det_to_bits(det_exp(1.0)), UINT64_C(0x4005bf0a8b14576a));
    assert_u64(det_to_bits(det_exp(-10.0)), UINT64_C(0x3f07cd79b5647c9a));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_hashes_are_the_committed_ones),
        cmocka_unit_test(golden_bit_patterns_of_log_and_exp),
    };

    return check_main(argc, argv, "sim_golden", tests);
}
