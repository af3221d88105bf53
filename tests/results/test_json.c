// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <jansson.h>

#include "results/json.h"

static void nesting_commas_and_keys(void **state)
{
    struct results_text text;
    struct results_json json;

    (void)state;
    results_text_init(&text);
    results_json_init(&json, &text);
    results_json_object(&json);
    results_json_put_i64(&json, "a", -1);
    results_json_key(&json, "b");
    results_json_array(&json);
    results_json_object(&json);
    results_json_end_object(&json);
    results_json_array(&json);
    results_json_end_array(&json);
    results_json_i64(&json, INT64_MIN);
    results_json_u64(&json, UINT64_MAX);
    results_json_null(&json);
    results_json_end_array(&json);
    results_json_put_bool(&json, "c", true);
    results_json_put_string(&json, "d", NULL);
    results_json_end_object(&json);
    assert_text(results_text_string(&text),
                "{\"a\":-1,\"b\":[{},[],-9223372036854775808,9223372036854775807,null],"
                "\"c\":true,\"d\":null}");
    results_text_release(&text);
}

// Whatever bytes a string holds, what is written is valid JSON, and valid UTF-8 comes back
// unchanged.
static void strings_survive(void **state)
{
    static const char *const kept[] = {"", "plain", "\"\\/\b\f\n\r\t\x01\x1f\x7f",
                                       "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"};
    static const char *const mended[] = {"\xff",
                                         "\xc3",
                                         "\xe2\x82",
                                         "\xed\xa0\x80",
                                         "\xc0\x80",
                                         "\xf4\x90\x80\x80",
                                         "\xf0\x80\x80\x80",
                                         "a\x80z"};

    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) + sizeof(mended) / sizeof(mended[0]);
         i++) {
        bool keep = i < sizeof(kept) / sizeof(kept[0]);
        const char *value = keep ? kept[i] : mended[i - sizeof(kept) / sizeof(kept[0])];
        struct results_text text;
        struct results_json json;
        json_t *parsed;

        results_text_init(&text);
        results_json_init(&json, &text);
        results_json_array(&json);
        results_json_string(&json, value);
        results_json_end_array(&json);
        parsed = json_loads(results_text_string(&text), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(parsed);
        if (keep) {
            assert_text(json_string_value(json_array_get(parsed, 0)), value);
        } else {
            assert_non_null(strstr(json_string_value(json_array_get(parsed, 0)), "\xef\xbf\xbd"));
        }
        json_decref(parsed);
        results_text_release(&text);
    }
}

static void a_failed_text_stays_failed_and_is_not_written(void **state)
{
    struct results_text text;

    (void)state;
    results_text_init(&text);
    results_text_add(&text, "x");
    text.failed = true;
    results_text_add(&text, "y");
    assert_u64(text.size, 1);
    assert_text(results_text_string(&text), "");
    assert_i64(results_text_write(&text, STDERR_FILENO), ENOMEM);
    results_text_release(&text);
}

// A full disk is an error, not a short result.
static void a_full_disk_is_reported(void **state)
{
    struct results_text text;
    int fd = open("/dev/full", O_WRONLY);

    (void)state;
    if (fd < 0) {
        skip();
    }
    results_text_init(&text);
    results_text_repeat(&text, "0123456789", 1000);
    assert_i64(results_text_write(&text, fd), ENOSPC);
    assert_i64(close(fd), 0);
    results_text_release(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nesting_commas_and_keys),
    cmocka_unit_test(strings_survive),
    cmocka_unit_test(a_failed_text_stays_failed_and_is_not_written),
    cmocka_unit_test(a_full_disk_is_reported),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_json", tests);
}
