// SPDX-License-Identifier: GPL-3.0-or-later
//
// A recorded scenario can be read again: for every scenario that is committed, the canonical text
// of what is read is the canonical text that was written.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <glob.h>

#include "results/rerun.h"

// The lines of a canonical text that are input.
static void inputs_of(const char *canonical, struct results_text *text)
{
    while (*canonical != '\0') {
        size_t size = strcspn(canonical, "\n") + 1;

        if (strncmp(canonical, "expect.", 7) != 0 && strncmp(canonical, "seed", 4) != 0) {
            results_text_bytes(text, canonical, size);
        }
        canonical += size;
    }
}

static void check_scenario(const char *path)
{
    struct scenario_overrides none = {.n_sets = 0};
    struct scenario before;
    struct scenario after;
    struct results_text yaml;
    struct results_text wanted;
    struct results_text found;

    results_text_init(&yaml);
    results_text_init(&wanted);
    results_text_init(&found);
    assert_i64(scenario_load(&before, path, &none), SCENARIO_OK);
    if (strstr(before.canonical, "{trace: ") != NULL) {
        scenario_release(&before);
        return; // takes values from a file
    }
    assert_true(results_rerun_scenario(before.canonical, &yaml));
    if (scenario_parse(&after, path, yaml.data, yaml.size, &none) != SCENARIO_OK) {
        print_error("%s: %s\n%s\n", path, after.errors[0].text, results_text_string(&yaml));
        fail();
    }
    inputs_of(before.canonical, &wanted);
    inputs_of(after.canonical, &found);
    assert_text(results_text_string(&found), results_text_string(&wanted));
    scenario_release(&before);
    scenario_release(&after);
    results_text_release(&yaml);
    results_text_release(&wanted);
    results_text_release(&found);
}

static bool is_base(const char *path)
{
    size_t size = strlen(path);

    return size >= 9 && strcmp(path + size - 9, "base.yaml") == 0;
}

static void every_committed_scenario_comes_back(void **state)
{
    static const char *const patterns[] = {"/scenarios/*.yaml", "/scenarios/ideal/*.yaml",
                                           "/scenarios/upstream/*.yaml", "/scenarios/tpcds/*.yaml"};
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char pattern[512];
        glob_t found;

        (void)snprintf(pattern, sizeof(pattern), "%s%s", RECOUP_SOURCE_DIR, patterns[i]);
        assert_i64(glob(pattern, 0, NULL, &found), 0);
        for (size_t f = 0; f < found.gl_pathc; f++) {
            if (!is_base(found.gl_pathv[f])) {
                check_scenario(found.gl_pathv[f]);
                checked++;
            }
        }
        globfree(&found);
    }
    assert_true(checked > 30);
}

static void what_is_no_canonical_text_is_refused(void **state)
{
    static const char *const texts[] = {"", "no equals sign", "a..b = 1\n", ".a = 1\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct results_text yaml;

        results_text_init(&yaml);
        assert_false(results_rerun_scenario(texts[i], &yaml));
        results_text_release(&yaml);
    }
}

// A fingerprint that is not the run's own is noticed.
static void another_fingerprint_is_told(void **state)
{
    struct scenario_overrides none = {.n_sets = 0};
    struct model_result result = {.n_stages = 0};
    struct results_text why;
    struct scenario scenario;

    (void)state;
    results_text_init(&why);
    assert_i64(scenario_load(&scenario, RECOUP_SOURCE_DIR "/scenarios/ideal/trim.yaml", &none),
               SCENARIO_OK);
    assert_false(results_rerun(scenario.canonical, 1, "00000000000000000000000000000000", NULL,
                               &result, &why));
    assert_non_null(strstr(results_text_string(&why), "another fingerprint"));
    model_result_release(&result);
    scenario_release(&scenario);
    results_text_release(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_committed_scenario_comes_back),
        cmocka_unit_test(what_is_no_canonical_text_is_refused),
        cmocka_unit_test(another_fingerprint_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
