// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every file of sweeps/broken/ is refused with exactly the messages of its .expected. Where they
// differ, the new text lies in the build folder under sweeps-broken/, for a look and a copy.
#include "support.h"

#include "scenarios/sweep.h"

#define BROKEN TESTS_FOLDER "sweeps/broken/"

static bool check_file(const char *name)
{
    char path[512];
    struct scenario_sweep sweep;
    (void)snprintf(path, sizeof(path), BROKEN "%s", name);
    int status = scenario_sweep_load(&sweep, path);
    bool good =
        support_is_expected(BROKEN, name, "sweeps-broken", status, sweep.errors, sweep.n_errors);
    scenario_sweep_release(&sweep);
    return good;
}

// At least 40 ways to write a sweep wrongly, each with the message it deserves.
static void EveryBrokenSweepHasItsMessages(void **state)
{
    static char names[SUPPORT_FILES_MAX][SUPPORT_NAME_BYTES];
    uint32_t n = support_list(BROKEN, names);
    uint32_t wrong = 0;
    (void)state;
    assert_true(n >= 40);
    for (uint32_t i = 0; i < n; i++) {
        wrong += check_file(names[i]) ? 0 : 1;
    }
    assert_u64(wrong, 0);
}

// A file that cannot be read is a message, not a crash; so are a folder and a file too large.
static void UnreadableSweepsAreMessages(void **state)
{
    struct scenario_sweep sweep;
    (void)state;
    assert_i64(scenario_sweep_load(&sweep, TESTS_FOLDER "nowhere.yaml"), SCENARIO_INVALID);
    assert_text(strrchr(sweep.errors[0].text, ':'), ": No such file or directory");
    assert_u64(sweep.errors[0].line, 0);
    scenario_sweep_release(&sweep);
    assert_i64(scenario_sweep_load(&sweep, TESTS_FOLDER), SCENARIO_INVALID);
    scenario_sweep_release(&sweep);
    size_t size = (1u << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    assert_i64(scenario_sweep_parse(&sweep, "large.yaml", text, size), SCENARIO_INVALID);
    assert_text(sweep.errors[0].text,
                "'large.yaml' is larger than 1 MiB, the limit of such a file");
    scenario_sweep_release(&sweep);
    free(text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(EveryBrokenSweepHasItsMessages),
        cmocka_unit_test(UnreadableSweepsAreMessages),
    };
    return check_main(argc, argv, "scenarios_sweep_broken", tests);
}
