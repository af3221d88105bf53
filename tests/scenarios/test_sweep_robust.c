// SPDX-License-Identifier: GPL-3.0-or-later
//
// Damaged sweep files, and memory that runs out anywhere: refused or loaded, never a crash, nothing
// left behind (the sanitizers watch).
#include "support.h"
#include "support_mutant.h"

#include "scenarios/sweep.h"
#include "scenarios/sweep_parts.h"

#define ROUNDS 150u

static void run(const char *path, uint64_t seed)
{
    size_t size = 0;
    char *original = support_read(path, &size);
    struct support_mutant *m = calloc(1, sizeof(*m));
    uint32_t loaded = 0;
    assert_non_null(original);
    assert_non_null(m);
    assert_true(size < SUPPORT_MUTANT_MAX / 2);
    m->random = seed;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct scenario_sweep s;
        memcpy(m->text, original, size);
        m->size = size;
        for (uint64_t n = support_draw(m, 3) + 1; n > 0; n--) {
            support_mutate(m);
        }
        int status = scenario_sweep_parse(&s, path, m->text, m->size);
        assert_true(status == SCENARIO_OK || status == SCENARIO_INVALID);
        if (status == SCENARIO_INVALID) {
            support_check_messages(s.errors, s.n_errors);
        } else {
            loaded++;
            assert_true(s.n_points > 0 && s.points[0].key[0] != '\0');
            assert_true(s.replications.at_least <= s.replications.at_most);
        }
        scenario_sweep_release(&s);
    }
    assert_true(loaded > 0 && loaded < ROUNDS);
    free(m);
    free(original);
}

static void DamagedFiles(void **state)
{
    (void)state;
    run(TESTS_FOLDER "sweeps/all.yaml", 1);
    run(TESTS_FOLDER "sweeps/sobol.yaml", 2);
    run(TESTS_FOLDER "sweeps/points.yaml", 3);
    run(TESTS_FOLDER "sweeps/beside.yaml", 4);
}

// Fails every `step`-th allocation of the sweep itself, one at a time.
static void fail_each(const char *path, int expected, uint64_t step)
{
    struct scenario_sweep s;
    uint64_t allocations = 0;
    assert_i64(sweep_load_counted(&s, path, NULL, 0, 0, &allocations), expected);
    scenario_sweep_release(&s);
    assert_true(allocations > 50);
    for (uint64_t i = 1; i <= allocations; i += step) {
        int status = sweep_load_counted(&s, path, NULL, 0, i, NULL);
        if (status != SCENARIO_ENOMEM || s.memory != NULL || s.n_errors != 0) {
            fail_msg("%s: allocation %" PRIu64 " of %" PRIu64 " failed, status %d", path, i,
                     allocations, status);
        }
        scenario_sweep_release(&s);
    }
    assert_i64(sweep_load_counted(&s, path, NULL, 0, allocations + 1, NULL), expected);
    scenario_sweep_release(&s);
}

static void MemoryRunsOut(void **state)
{
    (void)state;
    fail_each(TESTS_FOLDER "sweeps/points.yaml", SCENARIO_OK, 2);
    fail_each(TESTS_FOLDER "sweeps/all.yaml", SCENARIO_OK, 97);
    fail_each(TESTS_FOLDER "sweeps/sobol.yaml", SCENARIO_OK, 29);
    fail_each(TESTS_FOLDER "sweeps/broken/12-hidden-by-another.yaml", SCENARIO_INVALID, 3);
    fail_each(TESTS_FOLDER "sweeps/broken/08-value-wrong.yaml", SCENARIO_INVALID, 3);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(DamagedFiles),
        cmocka_unit_test(MemoryRunsOut),
    };
    return check_main(argc, argv, "scenarios_sweep_robust", tests);
}
