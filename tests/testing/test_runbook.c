// SPDX-License-Identifier: GPL-3.0-or-later
//
// docs/runbook.md has exactly one row for each error code, with every cell filled, in the order of
// the header, and no row for a code that does not exist. Its figures are those of the library.
#include <stdio.h>

#include "check.h"
#include "recovery/recoup.h"
#include "recovery/store_internal.h"

static char *read_runbook(void)
{
    FILE *file = fopen(RECOUP_SOURCE_DIR "/docs/runbook.md", "rb");
    char *text = calloc(1, 1 << 20);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static const int codes[] = {
#define X(name, value, text) name,
    RECOUP_ERRORS(X)
#undef X
};
#define N_CODES (sizeof codes / sizeof codes[0])

// Cells of a row that begins at `row`, each longer than `least` characters.
static unsigned filled_cells(const char *row, size_t least)
{
    const char *end = strchr(row, '\n');
    unsigned n = 0;

    assert_non_null(end);
    for (const char *cell = row + 1; cell < end;) {
        const char *bar = memchr(cell, '|', (size_t)(end - cell));

        if (bar == NULL) {
            break;
        }
        n += (size_t)(bar - cell) > least ? 1 : 0;
        cell = bar + 1;
    }
    return n;
}

static void every_code_has_its_row(void **state)
{
    char *text = read_runbook();
    const char *at = text;
    char row[64];

    (void)state;
    for (size_t i = 0; i < N_CODES; i++) {
        snprintf(row, sizeof row, "\n| `%s` |", recoup_error_name(codes[i]));
        at = strstr(at, row);
        if (at == NULL) {
            fail_msg("docs/runbook.md has no row for %s behind the one for %s",
                     recoup_error_name(codes[i]), i > 0 ? recoup_error_name(codes[i - 1]) : "none");
        }
        at++;
        assert_null(strstr(at, row)); // once
        assert_int_equal(filled_cells(at, 10), 4);
    }
    free(text);
}

static void no_row_is_for_a_code_that_does_not_exist(void **state)
{
    char *text = read_runbook();
    size_t rows = 0;

    (void)state;
    for (const char *at = strstr(text, "\n| `RECOUP_"); at != NULL;
         at = strstr(at + 1, "\n| `RECOUP_")) {
        rows++;
    }
    assert_u64(rows, N_CODES);
    free(text);
}

static void its_figures_are_those_of_the_library(void **state)
{
    char *text = read_runbook();

    (void)state;
    assert_i64(RECOUP__BACKOFF_FIRST_NS, 100000000);
    assert_i64(RECOUP__BACKOFF_LAST_NS, INT64_C(10000000000));
    assert_non_null(strstr(text, "after 0.1 s, doubling up to 10 s"));
    assert_u64(RECOUP_EVENT_SIZE_MAX, 64u << 20);
    assert_u64(RECOUP_PAYLOAD_MAX, 1u << 20);
    assert_non_null(strstr(text, "64 MiB for a record, 1 MiB for a payload"));
    free(text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_row),
        cmocka_unit_test(no_row_is_for_a_code_that_does_not_exist),
        cmocka_unit_test(its_figures_are_those_of_the_library),
    };

    return check_main(argc, argv, "testing_runbook", tests);
}
