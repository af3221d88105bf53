// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <sys/stat.h>

#include "support.h"

const char support_minimal[] =
    "version: 1\n"
    "name: minimal\n"
    "job:\n"
    "  stages:\n"
    "    - {name: scan, parallelism: 4, duration: 10 s}\n"
    "    - {name: join, parallelism: 2, duration: 5 s, inputs: [{from: scan}]}\n"
    "cluster: {workers: 2, slots: 4}\n";

char *support_messages(const struct scenario_message *messages, uint32_t count,
                       const char *severity, const char *strip)
{
    size_t capacity = 1u << 20;
    size_t size = 0;
    size_t prefix = strlen(strip);
    size_t above = prefix; // of the folder that holds the folder to strip
    char beside[1024];
    char *text = calloc(1, capacity);
    assert_non_null(text);
    while (above > 1 && strip[above - 2] != '/') {
        above--;
    }
    above -= above > 0 ? 1 : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct scenario_message message = messages[i];
        if (strncmp(message.file, strip, prefix) == 0) {
            message.file += prefix;
        } else if (above > 0 && strncmp(message.file, strip, above) == 0) {
            (void)snprintf(beside, sizeof(beside), "../%.1000s", message.file + above);
            message.file = beside;
        }
        size += scenario_message_format(&message, severity, text + size, capacity - size);
        assert_true(size < capacity);
    }
    return text;
}

void support_print_errors(const struct scenario *scenario)
{
    char *text = support_messages(scenario->errors, scenario->n_errors, NULL, "");
    print_error("%s", text);
    free(text);
}

void support_load(struct scenario *scenario, const char *text, const char *const *sets,
                  uint32_t n_sets)
{
    struct scenario_overrides overrides = {.sets = sets, .n_sets = n_sets};
    int status =
        scenario_parse(scenario, TESTS_FOLDER "valid/text.yaml", text, strlen(text), &overrides);
    if (status != SCENARIO_OK) {
        support_print_errors(scenario);
        scenario_release(scenario);
        fail_msg("the scenario is refused (%d)", status);
    }
}

void support_load_more(struct scenario *scenario, const char *more)
{
    char text[4096];
    int size = snprintf(text, sizeof(text), "%s%s", support_minimal, more);
    assert_true(size > 0 && (size_t)size < sizeof(text));
    support_load(scenario, text, NULL, 0);
}

void support_refused(const char *text, const char *const *sets, uint32_t n_sets,
                     const char *message)
{
    struct scenario scenario;
    struct scenario_overrides overrides = {.sets = sets, .n_sets = n_sets};
    int status =
        scenario_parse(&scenario, TESTS_FOLDER "valid/text.yaml", text, strlen(text), &overrides);
    assert_i64(status, SCENARIO_INVALID);
    assert_true(scenario.n_errors > 0);
    assert_text(scenario.errors[0].text, message);
    scenario_release(&scenario);
}

void support_refused_more(const char *more, const char *message)
{
    char text[4096];
    int size = snprintf(text, sizeof(text), "%s%s", support_minimal, more);
    assert_true(size > 0 && (size_t)size < sizeof(text));
    support_refused(text, NULL, 0, message);
}

const struct scenario_value *support_value(const struct scenario *scenario, const char *path)
{
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        if (strcmp(scenario->values[i].path, path) == 0) {
            return &scenario->values[i];
        }
    }
    fail_msg("no value is recorded under %s", path);
    return NULL;
}

char *support_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 2u << 20;
    if (file == NULL) {
        return NULL;
    }
    char *text = calloc(1, capacity + 1);
    assert_non_null(text);
    *size = fread(text, 1, capacity, file);
    assert_int_equal(ferror(file), 0);
    assert_true(*size < capacity);
    (void)fclose(file);
    return text;
}

uint32_t support_list(const char *folder_name, char names[][SUPPORT_NAME_BYTES])
{
    DIR *folder = opendir(folder_name);
    uint32_t n = 0;
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            assert_true(n < SUPPORT_FILES_MAX && strlen(entry->d_name) < SUPPORT_NAME_BYTES);
            (void)snprintf(names[n++], SUPPORT_NAME_BYTES, "%.127s", entry->d_name);
        }
    }
    (void)closedir(folder);
    for (uint32_t i = 1; i < n; i++) {  // in the order of their names, for a readable report
        for (uint32_t k = i; k > 0 && strcmp(names[k], names[k - 1]) < 0; k--) {
            char spare[SUPPORT_NAME_BYTES];
            memcpy(spare, names[k], sizeof(spare));
            memcpy(names[k], names[k - 1], sizeof(spare));
            memcpy(names[k - 1], spare, sizeof(spare));
        }
    }
    return n;
}

void support_keep(const char *folder, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), RECOUP_BINARY_DIR "/%.100s", folder);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof(path), RECOUP_BINARY_DIR "/%.100s/%.100s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
}

bool support_is_expected(const char *folder, const char *name, const char *kept, int status,
                         const struct scenario_message *errors, uint32_t n)
{
    char path[512];
    char expected_name[SUPPORT_NAME_BYTES + 16];
    size_t size = 0;
    char *text = support_messages(errors, n, NULL, folder);

    (void)snprintf(expected_name, sizeof(expected_name), "%.*s.expected", (int)(strlen(name) - 5),
                   name);
    (void)snprintf(path, sizeof(path), "%s%s", folder, expected_name);
    char *expected = support_read(path, &size);
    bool good = status == SCENARIO_INVALID && expected != NULL && strcmp(text, expected) == 0;
    if (!good) {
        print_error("%s: status %d\n--- found\n%s--- expected\n%s---\n", name, status, text,
                    expected != NULL ? expected : "(no .expected file)\n");
        support_keep(kept, expected_name, text);
    }
    assert_true(status != SCENARIO_INVALID || n > 0);
    free(text);
    free(expected);
    return good;
}
