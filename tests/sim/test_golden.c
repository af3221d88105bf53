// SPDX-License-Identifier: GPL-3.0-or-later
//
// The committed golden hashes. They change only when a draw, a law or the arithmetic below them
// changes, which moves every seed's run: say so in the commit.
#include "check.h"
#include "sim/det_math.h"
#include "sim/support_golden.h"

static const struct golden expected[GOLDEN_COUNT] = {
    {"draws", UINT64_C(0xd20873e50f524a7c)},
    {"det_log", UINT64_C(0x1d1cce8350a05696)},
    {"det_exp", UINT64_C(0x97b5e977a1d321a1)},
    {"sim_exponential", UINT64_C(0x7bb595802fd65219)},
    {"det_normal", UINT64_C(0x01b91ca9594e307a)},
    {"constant", UINT64_C(0x8c654baa18cbca27)},
    {"exponential", UINT64_C(0x152d88a3da706c6a)},
    {"uniform", UINT64_C(0xd3158860d3f88d41)},
    {"normal", UINT64_C(0x80791c6c588a56ab)},
    {"normal_truncated", UINT64_C(0x961b9441beec3546)},
    {"lognormal", UINT64_C(0x5a606e206ad39c97)},
    {"weibull", UINT64_C(0x3390fe7cad1e4f86)},
    {"weibull_rising", UINT64_C(0x296a9195ccac552c)},
    {"pareto", UINT64_C(0x185bc7a079d70d83)},
    {"quantiles", UINT64_C(0xc8cb2b5f8aca9f2a)},
    {"trace", UINT64_C(0x76693223a2219f51)},
    {"mixture", UINT64_C(0xa98bd8d1ae32056e)},
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
