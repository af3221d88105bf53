// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include "cli/command.h"
#include "cli/nearest.h"
#include "cli/overrides.h"

static const char *best(const char *typed, const char *const *known)
{
    struct cli_nearest nearest;

    cli_nearest_init(&nearest, typed);
    for (; *known != NULL; known++) {
        cli_nearest_offer(&nearest, *known);
    }
    return nearest.best != NULL ? nearest.best : "(none)";
}

static void the_nearest_name_is_found(void **state)
{
    static const char *const names[] = {"run", "lint", "list", "help", "format", NULL};

    (void)state;
    assert_text(best("rnu", names), "run");
    assert_text(best("ru", names), "run");
    assert_text(best("lits", names), "list");
    assert_text(best("lnit", names), "lint");
    assert_text(best("formatt", names), "format");
    assert_text(best("form", names), "format");
    assert_text(best("xyz", names), "(none)");
    assert_text(best("", names), "(none)");
    assert_text(
        best("a-name-that-is-much-longer-than-all-of-the-known-names-and-the-table-too-xxx", names),
        "(none)");
}

static void seeds(void **state)
{
    uint64_t seed = 1;

    (void)state;
    assert_true(cli_parse_seed("0", &seed));
    assert_u64(seed, 0);
    assert_true(cli_parse_seed("9223372036854775807", &seed));
    assert_u64(seed, INT64_MAX);
    assert_true(cli_parse_seed("0x7fffffffffffffff", &seed));
    assert_u64(seed, INT64_MAX);
    assert_true(cli_parse_seed("0XfF", &seed));
    assert_u64(seed, 255);
    assert_false(cli_parse_seed("9223372036854775808", &seed));
    assert_false(cli_parse_seed("99999999999999999999999", &seed));
    assert_false(cli_parse_seed("ff", &seed));
    assert_false(cli_parse_seed("+1", &seed));
}

// contract.md: of several codes the first of 70, 5, 3, 1, 6, 7, 4 wins.
static void the_worse_exit_code_wins(void **state)
{
    static const int order[] = {70, 5, 3, 1, 6, 7, 4, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        for (size_t j = i; j < sizeof(order) / sizeof(order[0]); j++) {
            assert_i64(cli_worse(order[i], order[j]), order[i]);
            assert_i64(cli_worse(order[j], order[i]), order[i]);
        }
    }
}

static void assert_quoted(const char *word, const char *expected)
{
    struct results_text text;

    results_text_init(&text);
    cli_shell_word(&text, word);
    assert_text(results_text_string(&text), expected);
    results_text_release(&text);
}

static void words_are_quoted_for_a_shell(void **state)
{
    (void)state;
    assert_quoted("scenarios/a-b_1.yaml", "scenarios/a-b_1.yaml");
    assert_quoted("", "''");
    assert_quoted("{at: 95 s}", "'{at: 95 s}'");
    assert_quoted("it's", "'it'\\''s'");
    assert_quoted("$HOME", "'$HOME'");
    assert_quoted("a\nb", "'a\nb'");
    assert_quoted("~", "'~'");
}

// Every option of every command has help that fits a terminal, and a name of its own.
static void the_tables_are_complete(void **state)
{
    (void)state;
    for (const struct cli_command *const *c = cli_commands(); *c != NULL; c++) {
        assert_true(strlen((*c)->summary) > 10);
        assert_true((*c)->n_options <= CLI_OPTIONS_MAX);
        assert_non_null((*c)->execute);
        assert_true((*c)->words_min == 0 || (*c)->missing != NULL);
        for (uint32_t i = 0; i < (*c)->n_options; i++) {
            assert_true(strlen((*c)->options[i].help) > 5);
            assert_true(strlen((*c)->options[i].help) + 26 <= 100);
            for (uint32_t j = 0; j < i; j++) {
                assert_string_not_equal((*c)->options[i].name, (*c)->options[j].name);
            }
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_nearest_name_is_found), cmocka_unit_test(seeds),
    cmocka_unit_test(the_worse_exit_code_wins),  cmocka_unit_test(words_are_quoted_for_a_shell),
    cmocka_unit_test(the_tables_are_complete),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "cli_arguments", tests);
}
