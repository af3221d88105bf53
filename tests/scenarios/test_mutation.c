// SPDX-License-Identifier: GPL-3.0-or-later
//
// Mutated files never crash or hang the loader: each is loaded or refused with messages that have a
// place inside the file. The mutations follow from a fixed seed.
#include "support.h"
#include "support_mutant.h"

#define ROUNDS 600u

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
        struct scenario s;
        memcpy(m->text, original, size);
        m->size = size;
        for (uint64_t n = support_draw(m, 4) + 1; n > 0; n--) {
            support_mutate(m);
        }
        int status = scenario_parse(&s, path, m->text, m->size, NULL);
        assert_true(status == SCENARIO_OK || status == SCENARIO_INVALID);
        if (status == SCENARIO_INVALID) {
            support_check_messages(s.errors, s.n_errors);
        } else {
            loaded++;
            assert_true(s.config.n_stages > 0 && s.config.cluster.workers > 0);
        }
        scenario_release(&s);
    }
    assert_true(loaded > 0 && loaded < ROUNDS);
    free(m);
    free(original);
}

static void AllKinds(void **state)
{
    (void)state;
    run(TESTS_FOLDER "valid/all-kinds.yaml", 1);
}

static void ChildOfABase(void **state)
{
    (void)state;
    run(TESTS_FOLDER "valid/child.yaml", 2);
}

// The options of the command line are text of the same grammar.
static void Overrides(void **state)
{
    static const char *const good[] = {"cluster.deploy={lognormal: {median: 1 s, sigma: 0.5}}",
                                       "job.stages.scan.parallelism=4", "storage.durable-at=sync",
                                       "faults.0.at=5 s", "config.heartbeat.interval=5 s"};
    struct support_mutant *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    (void)state;
    m->random = 3;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct scenario s;
        const char *text = good[support_draw(m, 5)];
        m->size = strlen(text);
        memcpy(m->text, text, m->size);
        for (uint64_t n = support_draw(m, 3) + 1; n > 0; n--) {
            support_mutate(m);
        }
        m->text[m->size] = '\0';
        const char *const sets[] = {m->text};
        struct scenario_overrides overrides = {
            .sets = sets, .n_sets = 1, .faults = sets, .n_faults = i % 2};
        int status =
            scenario_parse(&s, "a.yaml", support_minimal, strlen(support_minimal), &overrides);
        assert_true(status == SCENARIO_OK || status == SCENARIO_INVALID);
        if (status == SCENARIO_INVALID) {
            support_check_messages(s.errors, s.n_errors);
        }
        scenario_release(&s);
    }
    free(m);
}

// Shapes that are known to be costly for a parser are refused quickly.
static void CostlyShapes(void **state)
{
    static const struct {
        const char *start, *piece;
    } shapes[] = {{"a: ", "["}, {"a: ", "{a: "},       {"", "a: &x b\n"},
                  {"", "- "},   {"a: \"", "\\x41"},    {"", "k: v\n"},
                  {"", "? "},   {"a: ", "x "},         {"a: |\n", " x\n"},
                  {"", "#\n"},  {"config: {", "a: b,"}};
    char *text = malloc(SCENARIO_FILE_BYTES_MAX);
    assert_non_null(text);
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct scenario s;
        size_t size = strlen(shapes[i].start);
        size_t n = strlen(shapes[i].piece);
        memcpy(text, shapes[i].start, size);
        for (; size + n <= SCENARIO_FILE_BYTES_MAX; size += n) {
            memcpy(text + size, shapes[i].piece, n);
        }
        assert_i64(scenario_parse(&s, "a.yaml", text, size, NULL), SCENARIO_INVALID);
        assert_true(s.n_errors > 0);
        scenario_release(&s);
    }
    free(text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(AllKinds),
        cmocka_unit_test(ChildOfABase),
        cmocka_unit_test(Overrides),
        cmocka_unit_test(CostlyShapes),
    };
    return check_main(argc, argv, "scenarios_mutation", tests);
}
