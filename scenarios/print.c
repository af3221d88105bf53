// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int scenario_print_with(FILE *out, void (*body)(struct scenario_loader *loader, FILE *out))
{
    struct scenario_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL) {
        return -1;
    }
    scenario_memory_init(&loader->memory);
    if (setjmp(loader->memory.out) != 0) {
        scenario_memory_release(&loader->memory);
        free(loader);
        return -1;
    }
    body(loader, out);
    scenario_memory_release(&loader->memory);
    free(loader);
    return ferror(out) != 0 ? -1 : 0;
}

void scenario_print_json_text(FILE *out, const char *text)
{
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

void scenario_print_markdown_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

static const char *choice_list(struct scenario_loader *loader, const char *choices)
{
    struct scenario_buffer text = {0};
    while (*choices != '\0') {
        size_t size = strcspn(choices, "|");
        scenario_buffer_print(&loader->memory, &text, "%s%.*s", text.size == 0 ? "" : ", ",
                              (int)size, choices);
        choices += size + (choices[size] == '|' ? 1 : 0);
    }
    return text.text != NULL ? text.text : "";
}

static bool is_count(enum scenario_type type)
{
    return type == SCENARIO_COUNT32 || type == SCENARIO_COUNT32_OR_AUTO || type == SCENARIO_COUNT64;
}

const char *scenario_row_value_text(struct scenario_loader *loader,
                                    const struct scenario_option *row)
{
    if (row->type == SCENARIO_CHOICE) {
        return scenario_print(&loader->memory, "one of %s", choice_list(loader, row->choices));
    }
    if (row->type == SCENARIO_SPECIAL) {
        return row->choices;
    }
    const char *type = scenario_type_text(row->type);
    bool wide = row->max == INT64_MAX || row->max >= UINT32_MAX - 1;
    if (is_count(row->type) && row->min == row->max) {
        return scenario_print(&loader->memory, "%" PRId64, row->min);
    }
    if (is_count(row->type) && wide && row->max != 0) {
        return scenario_print(&loader->memory, "%s from %" PRId64, type, row->min);
    }
    if (is_count(row->type) && row->max != 0) {
        return scenario_print(&loader->memory, "%s from %" PRId64 " to %" PRId64, type, row->min,
                              row->max);
    }
    bool positive = row->min == 1 && (row->type == SCENARIO_DURATION || row->type == SCENARIO_SIZE);
    return positive ? scenario_print(&loader->memory, "%s, more than 0", type) : type;
}

const char *scenario_row_default_text(const struct scenario_option *row)
{
    if ((row->flags & SCENARIO_REQUIRED) != 0) {
        return "required";
    }
    if ((row->flags & SCENARIO_PRESET_ROW) != 0) {
        return "the preset's";
    }
    return row->fallback != NULL ? row->fallback : "";
}

enum scenario_section scenario_row_section(const struct scenario_option *row)
{
    const char *parent = scenario_section_path(row->section);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s%s%s%s", parent, parent[0] != '\0' ? "." : "", row->key,
                   row->type == SCENARIO_LIST ? "[]" : "");
    for (int s = 0; s < SCENARIO_SECTION_COUNT; s++) {
        if (strcmp(scenario_section_path((enum scenario_section)s), path) == 0) {
            return (enum scenario_section)s;
        }
    }
    return SCENARIO_SECTION_COUNT;
}

const char *scenario_policy_choices_text(struct scenario_loader *loader,
                                         const struct recoup_policy_info *info)
{
    struct scenario_buffer text = {0};
    if (info->kind == RECOUP_POLICY_DURATION) {
        return "duration";
    }
    if (info->kind == RECOUP_POLICY_BOOLEAN) {
        return "true or false";
    }
    for (size_t i = 0;
         i < sizeof(info->choices) / sizeof(info->choices[0]) && info->choices[i] != NULL; i++) {
        scenario_buffer_print(&loader->memory, &text, "%s%s", i == 0 ? "one of " : ", ",
                              info->choices[i]);
    }
    return text.text != NULL ? text.text : "";
}

const char *scenario_policy_value_text(struct scenario_loader *loader,
                                       const struct recoup_policy_info *info, int64_t value)
{
    char text[SCENARIO_UNITS_TEXT];
    if (info->kind == RECOUP_POLICY_BOOLEAN) {
        return value != 0 ? "true" : "false";
    }
    if (info->kind == RECOUP_POLICY_CHOICE) {
        return info->choices[value];
    }
    scenario_units_duration_text(value, text);
    return scenario_copy_text(&loader->memory, text);
}
