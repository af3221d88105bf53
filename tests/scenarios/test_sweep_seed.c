// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys of points and seeds of replications: golden values, since databases hold them.
#include "support.h"

#include "scenarios/sweep.h"

static const char key[] = "00112233445566778899aabbccddeeff";

// The values are committed: a sweep that was begun yesterday goes on with the same seeds.
static void SeedsAreGolden(void **state)
{
    (void)state;
    assert_u64(scenario_seed_common(1, 0), UINT64_C(5893190373735591949));
    assert_u64(scenario_seed_common(1, 1), UINT64_C(7104694576153196838));
    assert_u64(scenario_seed_common(UINT64_MAX >> 1, 999999), UINT64_C(8561152041308293725));
    assert_u64(scenario_seed_independent(1, key, 0), UINT64_C(8830916762995669961));
    assert_u64(scenario_seed_independent(1, key, 1), UINT64_C(6313144737848795139));
}

// Seeds fit 63 bits and hardly ever meet: 20,000 of them are all different.
static void SeedsAreSpread(void **state)
{
    enum { COUNT = 10000, BUCKETS = 1 << 16 };
    static uint64_t table[BUCKETS];
    uint32_t equal = 0;
    (void)state;
    memset(table, 0, sizeof(table));
    for (uint32_t r = 0; r < 2 * COUNT; r++) {
        uint64_t seed =
            r < COUNT ? scenario_seed_common(1, r) : scenario_seed_independent(1, key, r - COUNT);
        uint32_t at = (uint32_t)(seed % BUCKETS);
        assert_true(seed <= INT64_MAX);
        for (; table[at] != 0; at = (at + 1) % BUCKETS) {
            equal += table[at] == seed ? 1 : 0;
        }
        table[at] = seed;
    }
    assert_u64(equal, 0);
}

// The seed is no part of a point's identity; everything else is, wherever the seed stands.
static void KeysLeaveTheSeedOut(void **state)
{
    char a[SCENARIO_SWEEP_KEY_SIZE];
    char b[SCENARIO_SWEEP_KEY_SIZE];
    (void)state;
    scenario_point_key("version = 1\nseed = 1\nx = 2\n", a);
    assert_text(a, "190bfbd545225be787d3ff7f953ffaec");
    scenario_point_key("version = 1\nseed = 99\nx = 2\n", b);
    assert_text(a, b);
    scenario_point_key("version = 1\nx = 2\n", b);
    assert_text(a, b);
    scenario_point_key("version = 1\nseed = 1\nx = 3\n", b);
    assert_string_not_equal(a, b);
    scenario_point_key("version = 1\nother-seed = 1\nx = 2\n", b);
    assert_string_not_equal(a, b);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(SeedsAreGolden),
        cmocka_unit_test(SeedsAreSpread),
        cmocka_unit_test(KeysLeaveTheSeedOut),
    };
    return check_main(argc, argv, "scenarios_sweep_seed", tests);
}
