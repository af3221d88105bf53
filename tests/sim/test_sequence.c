// SPDX-License-Identifier: GPL-3.0-or-later
//
// Samples made one ahead are those made on demand, and leave the same counts of draws.
#include "check.h"
#include "sim/sequence.h"
#include "sim/support_golden.h"

struct fixture {
    struct sim_arena arena;
    struct sim_random ahead;
    struct sim_random demanded;
};

static void open_fixture(struct fixture *f, uint64_t seed)
{
    sim_arena_init(&f->arena, 0);
    assert_i64(sim_random_init(&f->ahead, &f->arena, seed), 0);
    assert_i64(sim_random_init(&f->demanded, &f->arena, seed), 0);
}

static void every_law_yields_its_samples(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 7);
    for (uint32_t i = 0; i < GOLDEN_LAWS; i++) {
        const char *name;
        const struct sim_law *law = golden_law(i, &name);
        uint64_t first = i % 3;
        struct sim_sequence s;

        sim_sequence_init(&s, law, &f.ahead, i, 5 * i, first);
        // What was made ahead was not taken, and does not count.
        assert_u64(f.ahead.counts[i], 0);
        for (uint64_t n = first; n < first + 1000; n++) {
            int64_t value;
            int64_t expected;

            sim_sequence_next(&s, &value);
            sim_law_sample(law, &f.demanded, i, 5 * i, n, n, &expected);
            assert_i64(value, expected);
            assert_u64(f.ahead.counts[i], f.demanded.counts[i]);
        }
    }
    sim_arena_release(&f.arena);
}

// Two sequences of one stream, taken in turn, keep apart by their entities.
static void sequences_do_not_disturb_each_other(void **state)
{
    static const struct sim_law law = {.kind = SIM_LAW_EXPONENTIAL, .a = 1000000};
    struct sim_sequence s[2];
    struct fixture f;

    (void)state;
    open_fixture(&f, 8);
    for (uint32_t e = 0; e < 2; e++) {
        sim_sequence_init(&s[e], &law, &f.ahead, 3, e, 0);
    }
    for (uint64_t n = 0; n < 300; n++) {
        for (uint32_t e = 0; e < (n % 3 == 0 ? 2 : 1); e++) {
            int64_t value;
            int64_t expected;

            sim_sequence_next(&s[e], &value);
            sim_law_sample(&law, &f.demanded, 3, e, e == 0 ? n : n / 3, 0, &expected);
            assert_i64(value, expected);
        }
    }
    assert_u64(f.ahead.counts[3], 400);
    sim_arena_release(&f.arena);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_law_yields_its_samples),
        cmocka_unit_test(sequences_do_not_disturb_each_other),
    };

    return check_main(argc, argv, "sim_sequence", tests);
}
