// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is generated from the option table is up to date, and the table itself is sound.
#include "support.h"

#include "scenarios/storage_profiles.h"
#include "scenarios/sweep.h"

static char *printed(int (*print)(FILE *out), size_t *size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(print(file), 0);
    long end = ftell(file);
    assert_true(end > 0);
    *size = (size_t)end;
    char *text = calloc(1, *size + 1);
    assert_non_null(text);
    rewind(file);
    assert_u64(fread(text, 1, *size, file), *size);
    (void)fclose(file);
    return text;
}

static void check_file(const char *path, int (*print)(FILE *out), const char *how)
{
    size_t wanted_size = 0;
    size_t size = 0;
    char *wanted = printed(print, &wanted_size);
    char *found = support_read(path, &size);
    bool same = found != NULL && size == wanted_size && memcmp(found, wanted, size) == 0;
    free(wanted);
    free(found);
    if (!same) {
        fail_msg("%s is out of date; run: %s", path, how);
    }
}

static void ReferenceIsUpToDate(void **state)
{
    (void)state;
    check_file(RECOUP_SOURCE_DIR "/docs/scenario-reference.md", scenario_options_print_markdown,
               "recoup list options --format markdown > docs/scenario-reference.md");
    check_file(RECOUP_SOURCE_DIR "/docs/sweep-reference.md", scenario_sweep_print_markdown,
               "recoup list sweep --format markdown > docs/sweep-reference.md");
}

static void SchemaIsUpToDate(void **state)
{
    (void)state;
    check_file(RECOUP_SOURCE_DIR "/scenarios/schema.json", scenario_options_print_schema,
               "recoup list options --format schema > scenarios/schema.json");
    check_file(RECOUP_SOURCE_DIR "/scenarios/sweep-schema.json", scenario_sweep_print_schema,
               "recoup list sweep --format schema > scenarios/sweep-schema.json");
}

// Quotes, brackets and braces of JSON close, outside of strings.
static void check_json(const char *text)
{
    char stack[64];
    size_t depth = 0;
    bool string = false;
    for (const char *p = text; *p != '\0'; p++) {
        if (string) {
            p += *p == '\\' ? 1 : 0;
            string = *p != '"';
        } else if (*p == '"') {
            string = true;
        } else if (*p == '{' || *p == '[') {
            assert_true(depth < sizeof(stack));
            stack[depth++] = *p == '{' ? '}' : ']';
        } else if (*p == '}' || *p == ']') {
            assert_true(depth > 0 && stack[--depth] == *p);
        }
    }
    assert_false(string);
    assert_u64(depth, 0);
}

static int storage_json(FILE *out) { return scenario_list_storage(out, SCENARIO_FORMAT_JSON); }
static int presets_json(FILE *out) { return scenario_list_presets(out, SCENARIO_FORMAT_JSON); }
static int connectors_json(FILE *out)
{
    return scenario_list_connectors(out, SCENARIO_FORMAT_JSON);
}
static int faults_json(FILE *out) { return scenario_list_faults(out, SCENARIO_FORMAT_JSON); }
static int metrics_json(FILE *out) { return scenario_list_metrics(out, SCENARIO_FORMAT_JSON); }
static int storage_text(FILE *out) { return scenario_list_storage(out, SCENARIO_FORMAT_TEXT); }
static int presets_text(FILE *out) { return scenario_list_presets(out, SCENARIO_FORMAT_TEXT); }
static int connectors_text(FILE *out)
{
    return scenario_list_connectors(out, SCENARIO_FORMAT_TEXT);
}
static int faults_text(FILE *out) { return scenario_list_faults(out, SCENARIO_FORMAT_TEXT); }
static int metrics_text(FILE *out) { return scenario_list_metrics(out, SCENARIO_FORMAT_TEXT); }

static void JsonIsWellFormed(void **state)
{
    static int (*const prints[])(FILE *) = {scenario_options_print_json,
                                            scenario_options_print_schema,
                                            scenario_sweep_print_schema,
                                            storage_json,
                                            presets_json,
                                            connectors_json,
                                            faults_json,
                                            metrics_json};
    (void)state;
    for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
        size_t size;
        char *text = printed(prints[i], &size);
        check_json(text);
        free(text);
    }
}

static void check_contains(int (*print)(FILE *), const char *word)
{
    size_t size;
    char *text = printed(print, &size);
    if (strstr(text, word) == NULL) {
        fail_msg("'%s' is missing in\n%s", word, text);
    }
    free(text);
}

static void ListsNameTheirThings(void **state)
{
    (void)state;
    check_contains(storage_text, "hdfs: A flush is an hflush");
    check_contains(presets_text, "standalone-zookeeper");
    check_contains(connectors_text, "datagen: batch-snapshot true");
    check_contains(faults_text, "fail: EIO");
    check_contains(metrics_text, "lost-work.not-recorded");
    check_contains(scenario_options_print_text, "recoup.recovery.log-resets");
    check_contains(scenario_options_print_text, "recoup.worker.retention-timer");
    check_contains(scenario_options_print_text, "execution.batch.job-recovery.enabled");
}

// Keys are unique in their section, documented, and their defaults are legal values.
static void TableIsSound(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        assert_ptr_equal(scenario_options_find(row->section, row->key), row);
        assert_true(strlen(row->doc) > 0);
        assert_true(row->type != SCENARIO_CHOICE || row->choices != NULL);
        assert_true(row->type != SCENARIO_SPECIAL || row->choices != NULL);
        assert_true(row->max >= row->min);
        assert_false((row->flags & SCENARIO_REQUIRED) != 0 && row->fallback != NULL);
        assert_true((row->flags & SCENARIO_FLAG) == 0 || row->offset_flag != SIZE_MAX);
        if (row->section == SCENARIO_SECTION_CONFIG && row->fallback != NULL) {
            assert_non_null(row->source);
        }
    }
}

// Every preset sets the same paths, and every path is a row whose default is the preset's.
static void PresetsAreComplete(void **state)
{
    static const char *const names[] = {"kubernetes", "kubernetes-standby", "yarn-zookeeper",
                                        "standalone-zookeeper"};
    uint32_t per[4] = {0};
    (void)state;
    for (uint32_t i = 0; i < scenario_preset_rows_count(); i++) {
        const struct scenario_preset_row *row = scenario_preset_rows_at(i);
        uint32_t found = 0;
        assert_true(row->source != NULL && row->source[0] != '\0');
        for (uint32_t p = 0; p < 4; p++) {
            per[p] += strcmp(names[p], row->preset) == 0 ? 1 : 0;
        }
        for (uint32_t k = 0; k < scenario_options_count(); k++) {
            const struct scenario_option *option = scenario_options_at(k);
            const char *section = scenario_section_path(option->section);
            char path[128];
            (void)snprintf(path, sizeof(path), "%s%s%s", section, section[0] != '\0' ? "." : "",
                           option->key);
            found +=
                strcmp(path, row->path) == 0 && (option->flags & SCENARIO_PRESET_ROW) != 0 ? 1 : 0;
        }
        assert_u64(found, 1);
    }
    for (uint32_t p = 1; p < 4; p++) {
        assert_u64(per[p], per[0]);
    }
    assert_u64(per[0] * 4, scenario_preset_rows_count());
}

static void ProfilesNameTheirSources(void **state)
{
    (void)state;
    for (int k = 0; k < MODEL_STORAGE_KINDS; k++) {
        const struct scenario_storage_profile *profile =
            scenario_storage_profile((enum model_storage_kind)k);
        assert_int_equal(profile->storage.kind, k);
        assert_non_null(profile->bandwidth_source);
        assert_non_null(profile->price_source);
        for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
            assert_non_null(profile->source[op]);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ReferenceIsUpToDate),  cmocka_unit_test(SchemaIsUpToDate),
        cmocka_unit_test(JsonIsWellFormed),     cmocka_unit_test(ListsNameTheirThings),
        cmocka_unit_test(TableIsSound),         cmocka_unit_test(PresetsAreComplete),
        cmocka_unit_test(ProfilesNameTheirSources),
    };
    return check_main(argc, argv, "scenarios_generated", tests);
}
