// SPDX-License-Identifier: GPL-3.0-or-later
//
// Nodes to typed values, by the option table.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

_Static_assert(sizeof(enum recoup_exchange) == sizeof(int) &&
                   sizeof(enum model_fault_moment) == sizeof(int),
               "choices are stored as int");

// --- words of a choice ---------------------------------------------------------------------------

static int fold(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool word_equals(const char *word, size_t size, const char *text, bool fold_case)
{
    for (size_t i = 0; i < size; i++) {
        int a = (unsigned char)word[i];
        int b = (unsigned char)text[i];
        if (b == 0 || (fold_case ? fold(a) != fold(b) : a != b)) {
            return false;
        }
    }
    return text[size] == '\0';
}

int scenario_choice_index(const char *choices, const char *text, bool fold_case)
{
    int index = 0;
    for (const char *word = choices; *word != '\0'; index++) {
        size_t size = strcspn(word, "|");
        if (word_equals(word, size, text, fold_case)) {
            return index;
        }
        word += size + (word[size] == '|' ? 1 : 0);
    }
    return -1;
}

const char *scenario_choice_text(struct scenario_loader *loader, const char *choices, int64_t index)
{
    const char *word = choices;
    for (int64_t i = 0; i < index; i++) {
        word += strcspn(word, "|");
        word += *word == '|' ? 1 : 0;
    }
    return scenario_copy(&loader->memory, word, strcspn(word, "|"));
}

// --- recording -----------------------------------------------------------------------------------

const char *scenario_key_path(struct scenario_loader *loader, const char *path, const char *key)
{
    return path[0] == '\0' ? key : scenario_print(&loader->memory, "%s.%s", path, key);
}

static const char *origin_detail(struct scenario_loader *loader, const struct scenario_node *node)
{
    if (node->note != NULL) {
        return node->note->detail;
    }
    if (node->place.file == NULL) {
        return NULL;
    }
    if (node->origin == SCENARIO_OVERRIDE) {
        return node->place.file->name;
    }
    return scenario_print(&loader->memory, "%s:%u", node->place.file->name,
                          (unsigned)node->place.line);
}

static const char *without_credentials(struct scenario_loader *loader, const char *value)
{
    if (strstr(value, "://") == NULL) {
        return value;
    }
    char *copy = scenario_copy_text(&loader->memory, value);
    scenario_mask_urls(copy, strlen(copy));
    return copy;
}

void scenario_record(struct scenario_loader *loader, const char *path, const char *value,
                     const struct scenario_node *node)
{
    if (loader->n_values == loader->values_capacity) {
        uint32_t capacity = loader->values_capacity == 0 ? 128 : loader->values_capacity * 2;
        struct scenario_value *grown =
            scenario_allocate_array(&loader->memory, capacity, sizeof(*grown));
        struct scenario_place *places =
            scenario_allocate_array(&loader->memory, capacity, sizeof(*places));
        if (loader->n_values != 0) {
            memcpy(grown, loader->values, loader->n_values * sizeof(*grown));
            memcpy(places, loader->value_places, loader->n_values * sizeof(*places));
        }
        loader->values = grown;
        loader->value_places = places;
        loader->values_capacity = capacity;
    }
    loader->value_places[loader->n_values] = node->place;
    struct scenario_value *record = &loader->values[loader->n_values++];
    record->path = path;
    record->value = scenario_path_is_secret(path) ? "***" : without_credentials(loader, value);
    record->origin = node->origin;
    record->origin_detail = origin_detail(loader, node);
    record->source = node->note != NULL ? node->note->source : NULL;
    record->assumed = node->note != NULL && node->note->assumed;
    // What only describes a scenario is no part of its identity.
    if (strcmp(path, "about") != 0 && strcmp(path, "name") != 0) {
        scenario_buffer_append(&loader->memory, &loader->canonical, path, strlen(path));
        scenario_buffer_append(&loader->memory, &loader->canonical, " = ", 3);
        scenario_buffer_append(&loader->memory, &loader->canonical, record->value,
                               strlen(record->value));
        scenario_buffer_append(&loader->memory, &loader->canonical, "\n", 1);
    }
}

// --- type errors ---------------------------------------------------------------------------------

static const char *example(enum scenario_type type, bool flink)
{
    switch (type) {
    case SCENARIO_DURATION:
    case SCENARIO_LAW:
    case SCENARIO_LAW_OR_NEVER:
        return flink ? "a duration such as '30 s' (a bare number is in ms)"
                     : "a duration such as '30 s' (units ns us ms s min h d)";
    case SCENARIO_SIZE:
    case SCENARIO_LAW_SIZE:
        return flink ? "a size such as '1 mb' (a bare number is in bytes)"
                     : "a size such as '64 mb' (units b kb mb gb tb)";
    case SCENARIO_RATE:
        return "a rate such as '100 mb/s', or unlimited";
    case SCENARIO_PRICE:
        return "a price such as '5000 nano-usd'";
    case SCENARIO_SHARE:
        return "a percentage such as '50%'";
    case SCENARIO_DECIMAL:
        return "a number such as '0.4'";
    case SCENARIO_COUNT32_OR_AUTO:
        return "an integer, or auto";
    case SCENARIO_COUNT32:
    case SCENARIO_COUNT64:
    case SCENARIO_SIGNED32:
        return "an integer";
    case SCENARIO_BOOLEAN:
        return "true or false";
    case SCENARIO_CHOICE:
    case SCENARIO_TEXT:
    case SCENARIO_NAME:
    case SCENARIO_MAP:
    case SCENARIO_LIST:
    case SCENARIO_SPECIAL:
    case SCENARIO_TYPE_COUNT:
        break;
    }
    return "another value";
}

// What the limit of SIM_LAW_MAX, and of 64 bits, is in the units of a type.
static const char *largest(enum scenario_type type)
{
    if (type == SCENARIO_DURATION) {
        return "; at most 26687 d (73 years)";
    }
    if (type == SCENARIO_SIZE) {
        return "; at most 2097152 tb";
    }
    return type == SCENARIO_COUNT64 ? "; at most 9223372036854775807" : "";
}

void scenario_type_error(struct scenario_loader *loader, const struct scenario_node *node,
                         enum scenario_type type, bool flink, enum scenario_units why)
{
    const char *text = scenario_quote(loader, node->text);
    switch (why) {
    case SCENARIO_UNITS_NO_UNIT:
        scenario_error(loader, node->place, "'%s' has no unit; expected %s", text,
                       example(type, flink));
        break;
    case SCENARIO_UNITS_UNKNOWN_UNIT:
        scenario_error(loader, node->place, "'%s' has an unknown unit; expected %s", text,
                       example(type, flink));
        break;
    case SCENARIO_UNITS_NOT_WHOLE:
        scenario_error(loader, node->place,
                       flink ? "'%s' is no whole number, as Flink wants it; expected %s"
                             : "'%s' is finer than the smallest unit; expected %s",
                       text, example(type, flink));
        break;
    case SCENARIO_UNITS_TOO_LARGE:
        scenario_error(loader, node->place, "'%s' is too large%s", text, largest(type));
        break;
    case SCENARIO_UNITS_NEGATIVE:
        scenario_error(loader, node->place, "'%s' is negative; expected %s", text,
                       example(type, flink));
        break;
    case SCENARIO_UNITS_OK:
    case SCENARIO_UNITS_NO_NUMBER:
        scenario_error(loader, node->place, "'%s' is not %s", text, example(type, flink));
        break;
    }
}

static void choice_error(struct scenario_loader *loader, const struct scenario_option *row,
                         const struct scenario_node *node)
{
    struct scenario_nearest nearest;
    struct scenario_buffer list = {0};
    scenario_nearest_init(&nearest, node->text);
    for (const char *word = row->choices; *word != '\0';) {
        size_t size = strcspn(word, "|");
        const char *copy = scenario_copy(&loader->memory, word, size);
        scenario_nearest_offer(&nearest, copy);
        scenario_buffer_print(&loader->memory, &list, "%s%s", list.size == 0 ? "" : ", ", copy);
        word += size + (word[size] == '|' ? 1 : 0);
    }
    scenario_error(loader, node->place, "'%s' is no %s; expected one of %s%s",
                   scenario_quote(loader, node->text), row->key, list.text,
                   scenario_nearest_text(loader, &nearest));
}

// --- scalars -------------------------------------------------------------------------------------

static enum scenario_units units_read(const struct scenario_option *row, const char *text,
                                      int64_t *value)
{
    bool flink = row->section == SCENARIO_SECTION_CONFIG;
    switch (row->type) {
    case SCENARIO_DURATION:
        return flink ? scenario_units_flink_duration(text, value)
                     : scenario_units_duration(text, value);
    case SCENARIO_SIZE:
        return flink ? scenario_units_flink_size(text, value) : scenario_units_size(text, value);
    case SCENARIO_RATE:
        return scenario_units_rate(text, value);
    case SCENARIO_PRICE:
        return scenario_units_price(text, value);
    case SCENARIO_DECIMAL:
        return scenario_units_decimal(text, value);
    case SCENARIO_SHARE:
        return scenario_units_share(text, value);
    case SCENARIO_COUNT32_OR_AUTO:
        if (strcmp(text, "auto") == 0) {
            *value = 0;
            return SCENARIO_UNITS_OK;
        }
        return scenario_units_integer(text, value);
    case SCENARIO_SIGNED32:
        if (strcmp(text, "-1") == 0) {
            *value = -1;
            return SCENARIO_UNITS_OK;
        }
        return scenario_units_integer(text, value);
    case SCENARIO_COUNT32:
    case SCENARIO_COUNT64:
        return scenario_units_integer(text, value);
    case SCENARIO_BOOLEAN:
        *value = scenario_choice_index("false|true", text, flink);
        return *value < 0 ? SCENARIO_UNITS_NO_NUMBER : SCENARIO_UNITS_OK;
    case SCENARIO_CHOICE:
        *value = scenario_choice_index(row->choices, text, flink);
        return *value < 0 ? SCENARIO_UNITS_NO_NUMBER : SCENARIO_UNITS_OK;
    case SCENARIO_LAW:
    case SCENARIO_LAW_OR_NEVER:
    case SCENARIO_LAW_SIZE:
    case SCENARIO_TEXT:
    case SCENARIO_NAME:
    case SCENARIO_MAP:
    case SCENARIO_LIST:
    case SCENARIO_SPECIAL:
    case SCENARIO_TYPE_COUNT:
        break;
    }
    return SCENARIO_UNITS_NO_NUMBER;
}

static const char *units_text(struct scenario_loader *loader, const struct scenario_option *row,
                              int64_t value)
{
    char text[SCENARIO_UNITS_TEXT];
    switch (row->type) {
    case SCENARIO_DURATION:
        scenario_units_duration_text(value, text);
        break;
    case SCENARIO_SIZE:
        scenario_units_size_text(value, text);
        break;
    case SCENARIO_RATE:
        if (value == 0) {
            return "unlimited";
        }
        scenario_units_size_text(value, text);
        return scenario_print(&loader->memory, "%s/s", text);
    case SCENARIO_PRICE:
        return scenario_print(&loader->memory, "%" PRId64 " nano-usd", value);
    case SCENARIO_DECIMAL:
        scenario_units_decimal_text(value, text);
        break;
    case SCENARIO_SHARE:
        scenario_units_share_text(value, text);
        break;
    case SCENARIO_BOOLEAN:
        return value != 0 ? "true" : "false";
    case SCENARIO_CHOICE:
        return scenario_choice_text(loader, row->choices, value);
    case SCENARIO_COUNT32_OR_AUTO:
        if (value == 0) {
            return "auto";
        }
        return scenario_print(&loader->memory, "%" PRId64, value);
    case SCENARIO_COUNT32:
    case SCENARIO_COUNT64:
    case SCENARIO_SIGNED32:
    case SCENARIO_LAW:
    case SCENARIO_LAW_OR_NEVER:
    case SCENARIO_LAW_SIZE:
    case SCENARIO_TEXT:
    case SCENARIO_NAME:
    case SCENARIO_MAP:
    case SCENARIO_LIST:
    case SCENARIO_SPECIAL:
    case SCENARIO_TYPE_COUNT:
        return scenario_print(&loader->memory, "%" PRId64, value);
    }
    return scenario_copy_text(&loader->memory, text);
}

static bool bounds_check(struct scenario_loader *loader, const struct scenario_option *row,
                         const struct scenario_node *node, int64_t value)
{
    bool is_auto = row->type == SCENARIO_COUNT32_OR_AUTO && strcmp(node->text, "auto") == 0;
    bool unlimited =
        row->type == SCENARIO_RATE && value == 0 && strcmp(node->text, "unlimited") == 0;
    if ((row->min == 0 && row->max == 0) || is_auto || unlimited
        || (value >= row->min && value <= row->max)) {
        return true;
    }
    bool with_unit = row->type == SCENARIO_DURATION || row->type == SCENARIO_SIZE
                     || row->type == SCENARIO_SHARE || row->type == SCENARIO_RATE;
    if (with_unit && row->min == 1 && value == 0) {
        scenario_error(loader, node->place, "%s must be more than 0", row->key);
    } else if (row->min == row->max) {
        scenario_error(loader, node->place, "%s must be %s, not %s", row->key,
                       units_text(loader, row, row->min), scenario_quote(loader, node->text));
    } else {
        scenario_error(loader, node->place, "%s must be from %s to %s, not %s", row->key,
                       units_text(loader, row, row->min), units_text(loader, row, row->max),
                       scenario_quote(loader, node->text));
    }
    return false;
}

static bool scalar_expected(struct scenario_loader *loader, const struct scenario_option *row,
                            const struct scenario_node *node)
{
    if (node->kind == SCENARIO_NODE_SCALAR) {
        return true;
    }
    if (row->type == SCENARIO_CHOICE) {
        scenario_error(loader, node->place, "%s must be a single value, found %s", row->key,
                       scenario_node_kind_text(node));
    } else {
        scenario_error(loader, node->place, "%s must be %s, found %s", row->key,
                       row->type == SCENARIO_TEXT || row->type == SCENARIO_NAME
                           ? "a single text"
                           : example(row->type, row->section == SCENARIO_SECTION_CONFIG),
                       scenario_node_kind_text(node));
    }
    return false;
}

bool scenario_bind_scalar(struct scenario_loader *loader, const struct scenario_option *row,
                          const struct scenario_node *node, int64_t *value, const char **canonical)
{
    if (!scalar_expected(loader, row, node)) {
        return false;
    }
    enum scenario_units status = units_read(row, node->text, value);
    if (status != SCENARIO_UNITS_OK && row->type == SCENARIO_CHOICE) {
        choice_error(loader, row, node);
        return false;
    }
    if (status != SCENARIO_UNITS_OK) {
        scenario_type_error(loader, node, row->type, row->section == SCENARIO_SECTION_CONFIG,
                            status);
        return false;
    }
    if (!bounds_check(loader, row, node, *value)) {
        return false;
    }
    *canonical = units_text(loader, row, *value);
    return true;
}

// --- storing -------------------------------------------------------------------------------------

static void store_scalar(const struct scenario_option *row, int64_t value, void *base)
{
    unsigned char *at = (unsigned char *)base + row->offset;
    bool boolean = value != 0;
    uint32_t count = (uint32_t)value;
    int32_t number = (int32_t)value;
    int choice = (int)value;
    switch (row->type) {
    case SCENARIO_BOOLEAN:
        memcpy(at, &boolean, sizeof(boolean));
        break;
    case SCENARIO_COUNT32:
    case SCENARIO_COUNT32_OR_AUTO:
        memcpy(at, &count, sizeof(count));
        break;
    case SCENARIO_SIGNED32:
        memcpy(at, &number, sizeof(number));
        break;
    case SCENARIO_CHOICE:
        memcpy(at, &choice, sizeof(choice));
        break;
    case SCENARIO_COUNT64:
    case SCENARIO_DURATION:
    case SCENARIO_SIZE:
    case SCENARIO_RATE:
    case SCENARIO_PRICE:
    case SCENARIO_DECIMAL:
    case SCENARIO_SHARE:  // int64_t and uint64_t share the representation of values from 0 on
        memcpy(at, &value, sizeof(value));
        break;
    case SCENARIO_LAW:
    case SCENARIO_LAW_OR_NEVER:
    case SCENARIO_LAW_SIZE:
    case SCENARIO_TEXT:
    case SCENARIO_NAME:
    case SCENARIO_MAP:
    case SCENARIO_LIST:
    case SCENARIO_SPECIAL:
    case SCENARIO_TYPE_COUNT:
        break;
    }
}

static bool bind_law(struct scenario_loader *loader, const struct scenario_option *row,
                     const struct scenario_node *node, const char *path, void *base)
{
    unsigned char *at = (unsigned char *)base + row->offset;
    bool is_never = row->type == SCENARIO_LAW_OR_NEVER && node->kind == SCENARIO_NODE_SCALAR
                    && strcmp(node->text, "never") == 0;
    struct scenario_law law = {.text = "never"};
    if (!is_never &&
        !scenario_law_parse(loader, node,
                            row->type == SCENARIO_LAW_SIZE ? SCENARIO_LAW_BYTES : SCENARIO_LAW_NS,
                            &law)) {
        return false;
    }
    memcpy(at, &law.law, sizeof(law.law));
    if ((row->flags & SCENARIO_FLAG) != 0) {
        bool flag = row->type != SCENARIO_LAW_OR_NEVER || is_never;
        memcpy((unsigned char *)base + row->offset_flag, &flag, sizeof(flag));
    }
    scenario_record(loader, path, law.text, node);
    return true;
}

static bool bind_text(struct scenario_loader *loader, const struct scenario_option *row,
                      const struct scenario_node *node, const char *path, void *base)
{
    if (!scalar_expected(loader, row, node)) {
        return false;
    }
    if (row->type == SCENARIO_NAME && !scenario_name_is_legal(node->text)) {
        scenario_error(loader, node->place,
                       "'%s' is no name: up to %u letters, digits, '-' and '_', not digits alone",
                       scenario_quote(loader, node->text), SCENARIO_NAME_BYTES_MAX);
        return false;
    }
    if (row->offset != SIZE_MAX) {
        memcpy((unsigned char *)base + row->offset, &node->text, sizeof(node->text));
    }
    scenario_record(loader, path, node->text, node);
    return true;
}

bool scenario_bind_row(struct scenario_loader *loader, const struct scenario_option *row,
                       const struct scenario_node *node, const char *path, void *base)
{
    if (row->type == SCENARIO_LAW || row->type == SCENARIO_LAW_OR_NEVER ||
        row->type == SCENARIO_LAW_SIZE) {
        return bind_law(loader, row, node, path, base);
    }
    if (row->type == SCENARIO_TEXT || row->type == SCENARIO_NAME) {
        return bind_text(loader, row, node, path, base);
    }
    int64_t value = 0;
    const char *canonical = "";
    if (!scenario_bind_scalar(loader, row, node, &value, &canonical)) {
        return false;
    }
    store_scalar(row, value, base);
    scenario_record(loader, path, canonical, node);
    return true;
}

// --- sections ------------------------------------------------------------------------------------

static void unknown_key(struct scenario_loader *loader, enum scenario_section section,
                        const struct scenario_node *child, const char *path)
{
    struct scenario_nearest nearest;
    struct scenario_buffer known = {0};
    scenario_nearest_init(&nearest, child->key);
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section == section) {
            scenario_nearest_offer(&nearest, row->key);
            scenario_buffer_print(&loader->memory, &known, "%s%s", known.size == 0 ? "" : ", ",
                                  row->key);
        }
    }
    scenario_unknown_key(loader, child, &nearest, known.text, path);
}

bool scenario_bind_keys(struct scenario_loader *loader, enum scenario_section section,
                        const struct scenario_node *map, const char *path)
{
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(loader, map->place, "%s must be a map of keys and values, found %s", path,
                       scenario_node_kind_text(map));
        return false;
    }
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        if (scenario_options_find(section, child->key) == NULL) {
            unknown_key(loader, section, child, path);
        }
    }
    return true;
}

static const struct scenario_node *default_node(struct scenario_loader *loader,
                                                const struct scenario_option *row, const char *path)
{
    if ((row->flags & SCENARIO_PRESET_ROW) != 0) {
        const struct scenario_node *preset = scenario_preset_node(loader, path);
        if (preset != NULL) {
            return preset;
        }
    }
    if (row->fallback == NULL) {
        return NULL;
    }
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    note->source = row->source;
    note->assumed = (row->flags & SCENARIO_ASSUMED) != 0;
    return scenario_node_default(loader, row->fallback, SCENARIO_DEFAULT, note);
}

void scenario_bind_section(struct scenario_loader *loader, enum scenario_section section,
                           const struct scenario_node *map, const char *path, void *base)
{
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section != section) {
            continue;
        }
        const struct scenario_node *node = scenario_node_find(map, row->key);
        if (node == NULL && (row->flags & SCENARIO_REQUIRED) != 0) {
            scenario_error(loader, map != NULL ? map->place : scenario_no_place(),
                           "key '%s' is missing%s%s", row->key, path[0] != '\0' ? " in " : "",
                           path);
            continue;
        }
        if (row->offset == SIZE_MAX) {
            continue;
        }
        const char *key_path = scenario_key_path(loader, path, row->key);
        node = node != NULL ? node : default_node(loader, row, key_path);
        if (node != NULL) {
            (void)scenario_bind_row(loader, row, node, key_path, base);
        }
    }
}
