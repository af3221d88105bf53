// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every file of broken/ is refused with exactly the messages of its .expected. Where they differ,
// the new text lies in the build folder under scenarios-broken/, for a look and a copy.
#include "support.h"

#define BROKEN TESTS_FOLDER "broken/"

static bool check_file(const char *name)
{
    char path[512];
    struct scenario scenario;
    (void)snprintf(path, sizeof(path), BROKEN "%s", name);
    int status = scenario_load(&scenario, path, NULL);
    bool good = support_is_expected(BROKEN, name, "scenarios-broken", status, scenario.errors,
                                    scenario.n_errors);
    scenario_release(&scenario);
    return good;
}

// At least 40 ways to write a scenario wrongly, each with the message it deserves.
static void EveryBrokenFileHasItsMessages(void **state)
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

// More than twenty errors are cut, and the scenario says so.
static void ErrorsAreCutAtTwenty(void **state)
{
    struct scenario scenario;
    (void)state;
    assert_i64(scenario_load(&scenario, BROKEN "94-more-than-twenty.yaml", NULL), SCENARIO_INVALID);
    assert_u64(scenario.n_errors, SCENARIO_ERRORS_MAX);
    assert_true(scenario.errors_cut);
    scenario_release(&scenario);
}

// A file that cannot be read is a message, not a crash; so are a folder and a file too large.
static void UnreadableFilesAreMessages(void **state)
{
    struct scenario scenario;
    (void)state;
    assert_i64(scenario_load(&scenario, TESTS_FOLDER "nowhere.yaml", NULL), SCENARIO_INVALID);
    assert_text(strrchr(scenario.errors[0].text, ':'), ": No such file or directory");
    assert_u64(scenario.errors[0].line, 0);
    scenario_release(&scenario);
    assert_i64(scenario_load(&scenario, TESTS_FOLDER, NULL), SCENARIO_INVALID);
    assert_u64(scenario.n_errors, 1);
    scenario_release(&scenario);
    size_t size = SCENARIO_FILE_BYTES_MAX + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    assert_i64(scenario_parse(&scenario, "large.yaml", text, size, NULL), SCENARIO_INVALID);
    assert_text(scenario.errors[0].text,
                "'large.yaml' is larger than 1 MiB, the limit of such a file");
    scenario_release(&scenario);
    free(text);
}

// The formatter reports the length it wants and always terminates, as snprintf does.
static void MessagesFitAnyBuffer(void **state)
{
    struct scenario_message message = {"a.yaml", 3, 4, "wrong", "abcdef"};
    char text[64];
    (void)state;
    size_t wanted = scenario_message_format(&message, "warning", text, sizeof(text));
    assert_text(text, "a.yaml:3:4: warning: wrong\n    abcdef\n       ^\n");
    assert_u64(wanted, strlen(text));
    for (size_t size = 0; size <= wanted; size++) {
        char small[64];
        memset(small, '#', sizeof(small));
        assert_u64(scenario_message_format(&message, "warning", small, size), wanted);
        if (size > 0) {
            assert_u64(strlen(small), size - 1);
        }
        assert_true(small[size] == '#');
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(EveryBrokenFileHasItsMessages),
        cmocka_unit_test(ErrorsAreCutAtTwenty),
        cmocka_unit_test(UnreadableFilesAreMessages),
        cmocka_unit_test(MessagesFitAnyBuffer),
    };
    return check_main(argc, argv, "scenarios_broken", tests);
}
