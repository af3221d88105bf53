// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "results/trace_file.h"
#include "support_result.h"

static void emit_all(const struct sim_trace *trace, uint32_t spans)
{
    sim_trace_counter(trace, 1, 0, "buffer bytes", 0, 0);
    for (uint32_t i = 0; i < spans; i++) {
        sim_trace_span(trace, 2 + i % 3, i % 5, i % 2 == 0 ? "scan" : "a \"quoted\" name", i,
                       (int64_t)i + 1500);
    }
    sim_trace_counter(trace, 1, 0, "buffer bytes", 1234567, INT64_MAX);
    sim_trace_instant(trace, 0, 0, "kill master", INT64_C(4000000000001));
}

static int write_trace(const char *path, uint32_t spans)
{
    struct results_trace_file file;
    struct support_run s;
    int error;

    support_run_init(&s);
    error = results_trace_file_open(&file, path, &s.scenario.config, 99);
    if (error == 0) {
        emit_all(&file.observer, spans);
        error = results_trace_file_finish(&file);
    }
    return error;
}

static json_t *load_events(const char *path, json_t **root)
{
    json_error_t error;

    *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (*root == NULL) {
        print_error("%s:%d:%d: %s\n", path, error.line, error.column, error.text);
    }
    assert_non_null(*root);
    assert_true(json_is_array(json_object_get(*root, "traceEvents")));
    return json_object_get(*root, "traceEvents");
}

static const char *text_of(json_t *event, const char *key)
{
    const char *value = json_string_value(json_object_get(event, key));

    assert_non_null(value);
    return value;
}

// Valid JSON; each event has what its phase needs; every process and thread that appears is named.
static void the_file_is_what_perfetto_opens(void **state)
{
    uint32_t counts[128] = {0};
    bool process_named[8] = {false};
    bool thread_named[8][8] = {{false}};
    char path[512];
    json_t *root;
    json_t *events;
    json_t *event;
    size_t i;

    (void)state;
    assert_i64(write_trace(support_path(path, "trace.json"), 100), 0);
    events = load_events(path, &root);
    json_array_foreach(events, i, event)
    {
        const char *phase = text_of(event, "ph");
        json_int_t pid = json_integer_value(json_object_get(event, "pid"));
        json_int_t tid = json_integer_value(json_object_get(event, "tid"));

        assert_true(pid >= 0 && pid < 8 && tid >= 0 && tid < 8);
        counts[(unsigned char)phase[0]]++;
        if (phase[0] == 'M') {
            const char *what = text_of(event, "name");

            process_named[pid] = process_named[pid] || strcmp(what, "process_name") == 0;
            thread_named[pid][tid] = thread_named[pid][tid] || strcmp(what, "thread_name") == 0;
            continue;
        }
        assert_true(process_named[pid]);
        assert_true(thread_named[pid][tid]);
        assert_true(json_is_number(json_object_get(event, "ts")));
        assert_true((phase[0] == 'X') == json_is_number(json_object_get(event, "dur")));
        assert_true((phase[0] == 'i') == json_is_string(json_object_get(event, "s")));
        assert_true(phase[0] != 'C' || json_is_object(json_object_get(event, "args")));
    }
    assert_u64(counts['X'], 100);
    assert_u64(counts['C'], 2);
    assert_u64(counts['i'], 1);
    json_decref(root);
}

// Times keep their nanoseconds.
static void times_are_exact_microseconds(void **state)
{
    char path[512];
    char *text;

    (void)state;
    assert_i64(write_trace(support_path(path, "exact.json"), 3), 0);
    text = support_read(path);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"ts\":0.002,\"dur\":1.500,"));
    assert_non_null(strstr(text, "\"ts\":4000000000.001,\"s\":\"p\",\"name\":\"kill master\""));
    assert_non_null(strstr(text, "{\"buffer bytes\":9223372036854775807}"));
    free(text);
}

// More than fits into memory at once arrives whole.
static void a_long_trace_is_streamed(void **state)
{
    char path[512];
    json_t *root;

    (void)state;
    assert_i64(write_trace(support_path(path, "long.json"), 20000), 0);
    assert_true(json_array_size(load_events(path, &root)) > 20000);
    json_decref(root);
}

static void put(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_i64(fclose(file), 0);
}

static void assert_content(const char *path, const char *expected)
{
    char *text = support_read(path);

    assert_text(text, expected);
    free(text);
}

// An existing file stays until the new one is complete, and for good when the trace is given up.
static void an_existing_file_is_only_replaced_by_a_complete_one(void **state)
{
    struct results_trace_file file;
    struct support_run s;
    char path[512];
    char temporary[640];
    struct stat status;

    (void)state;
    support_run_init(&s);
    put(support_path(path, "kept.json"), "old");
    (void)snprintf(temporary, sizeof(temporary), "%s.99.tmp", path);
    assert_i64(results_trace_file_open(&file, path, &s.scenario.config, 99), 0);
    emit_all(&file.observer, 20000);
    assert_content(path, "old");
    results_trace_file_abandon(&file);
    assert_content(path, "old");
    assert_i64(stat(temporary, &status), -1);
    assert_i64(write_trace(path, 1), 0);
    assert_i64(stat(temporary, &status), -1);
    assert_i64(stat(path, &status), 0);
    assert_true(status.st_size > 100);
}

static void failures_are_reported(void **state)
{
    (void)state;
    assert_i64(write_trace(RECOUP_BINARY_DIR "/no-such-folder/trace.json", 1), ENOENT);
    if (access("/dev/full", W_OK) == 0) {
        assert_i64(write_trace("/dev/full", 1), ENOSPC);
        assert_i64(write_trace("/dev/full", 20000), ENOSPC);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_file_is_what_perfetto_opens),
    cmocka_unit_test(times_are_exact_microseconds),
    cmocka_unit_test(a_long_trace_is_streamed),
    cmocka_unit_test(an_existing_file_is_only_replaced_by_a_complete_one),
    cmocka_unit_test(failures_are_reported),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_trace_file", tests);
}
