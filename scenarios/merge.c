// SPDX-License-Identifier: GPL-3.0-or-later
//
// One tree out of several files. `config` is flattened to Flink's dotted keys, `config-file` is
// laid under it, `base` under everything. Maps of settings merge; lists, laws and values are
// replaced.
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

// --- config --------------------------------------------------------------------------------------

static void flat_put(struct scenario_loader *loader, struct scenario_node *flat,
                     struct scenario_node *node, const char *key)
{
    const struct scenario_node *first = scenario_node_find(flat, key);
    if (first != NULL) {
        scenario_error(loader, node->key_place, "key '%s' is there already, at line %u, column %u",
                       scenario_quote(loader, key), (unsigned)first->key_place.line,
                       (unsigned)first->key_place.column);
        return;
    }
    if (flat->count >= SCENARIO_MAP_KEYS_MAX) {
        scenario_error(loader, node->key_place, "more than %u keys in config",
                       SCENARIO_MAP_KEYS_MAX);
        return;
    }
    node->key = key;
    if (scenario_key_is_secret(key)) {
        scenario_secret_add(loader, node);
    }
    scenario_node_append(flat, node);
}

// Nested maps to dotted keys, in the order of the file.
static struct scenario_node *flatten(struct scenario_loader *loader, struct scenario_node *config)
{
    struct {
        struct scenario_node *next;
        const char *prefix;
    } stack[SCENARIO_DEPTH_MAX + 1];
    uint32_t depth = 1;
    struct scenario_node *flat =
        scenario_node_new(loader, SCENARIO_NODE_MAP, config->origin, config->place);
    flat->key = config->key;
    flat->key_place = config->key_place;
    stack[0].next = config->first;
    stack[0].prefix = "";
    while (depth > 0 && loader->n_errors < SCENARIO_ERRORS_MAX) {
        struct scenario_node *node = stack[depth - 1].next;
        if (node == NULL) {
            depth--;
            continue;
        }
        stack[depth - 1].next = node->next;
        const char *prefix = stack[depth - 1].prefix;
        const char *key = scenario_print(&loader->memory, "%s%s%s", prefix,
                                         prefix[0] == '\0' ? "" : ".", node->key);
        if (node->kind == SCENARIO_NODE_MAP && node->count > 0 && depth <= SCENARIO_DEPTH_MAX) {
            stack[depth].next = node->first;
            stack[depth].prefix = key;
            depth++;
        } else {
            flat_put(loader, flat, node, key);
        }
    }
    return flat;
}

// The text of a line from `from` to `to`, without blanks around it; `*at` is where it starts.
static const char *trimmed(struct scenario_loader *loader, const char *line, size_t from, size_t to,
                           size_t *at)
{
    while (from < to && (line[from] == ' ' || line[from] == '\r')) {
        from++;
    }
    while (to > from && (line[to - 1] == ' ' || line[to - 1] == '\r')) {
        to--;
    }
    *at = from;
    return scenario_copy(&loader->memory, line + from, to - from);
}

static void legacy_line(struct scenario_loader *loader, const struct scenario_file *file,
                        uint32_t line, enum scenario_origin origin, struct scenario_node *map)
{
    const char *text = file->text + file->lines[line - 1];
    size_t end =
        (line < file->n_lines ? file->lines[line] - 1 : file->size) - file->lines[line - 1];
    const char *comment = memchr(text, '#', end);
    size_t size = comment != NULL ? (size_t)(comment - text) : end;
    size_t colon = 0;
    while (colon + 1 < size && !(text[colon] == ':' && text[colon + 1] == ' ')) {
        colon++;
    }
    size_t key_at;
    size_t value_at;
    bool found = colon + 1 < size;
    const char *key = trimmed(loader, text, 0, found ? colon : size, &key_at);
    const char *value = trimmed(loader, text, found ? colon + 2 : size, size, &value_at);
    struct scenario_place place = {file, line, (uint32_t)key_at + 1};
    if (key[0] == '\0' && !found) {
        return;
    }
    if (key[0] == '\0' || value[0] == '\0') {
        scenario_warning(loader, place,
                         "this line is no 'key: value' and is left out, as Flink does");
        return;
    }
    struct scenario_node *node =
        scenario_node_new(loader, SCENARIO_NODE_SCALAR, origin,
                          (struct scenario_place){file, line, (uint32_t)value_at + 1});
    node->key = key;
    node->key_place = place;
    node->text = value;
    if (scenario_node_find(map, key) != NULL) {
        scenario_warning(loader, place,
                         "key '%s' is there already; the last one counts, as in Flink",
                         scenario_quote(loader, key));
    }
    if (map->count < SCENARIO_MAP_KEYS_MAX) {
        scenario_node_put(map, node);
    } else {
        scenario_error(loader, place, "more than %u keys in one file", SCENARIO_MAP_KEYS_MAX);
    }
}

// flink-conf.yaml is not YAML but lines of `key: value`; Flink tells the two apart by the name.
static struct scenario_node *legacy_parse(struct scenario_loader *loader,
                                          const struct scenario_file *file,
                                          enum scenario_origin origin)
{
    if (!scenario_file_check(loader, file)) {
        return NULL;
    }
    struct scenario_node *map = scenario_node_new(loader, SCENARIO_NODE_MAP, origin,
                                                  (struct scenario_place){file, 1, 1});
    for (uint32_t line = 1; line <= file->n_lines && loader->n_errors < SCENARIO_ERRORS_MAX;
         line++) {
        legacy_line(loader, file, line, origin, map);
    }
    return map;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static struct scenario_node *config_file_read(struct scenario_loader *loader,
                                              const struct scenario_node *node,
                                              enum scenario_origin origin)
{
    const char *path = scenario_path_join(loader, node->place.file, node->text);
    const struct scenario_file *file =
        scenario_file_read(loader, path, node->text, SCENARIO_FILE_BYTES_MAX, node->place);
    if (file == NULL) {
        return NULL;
    }
    struct scenario_node *map =
        ends_with(path, "flink-conf.yaml")
            ? legacy_parse(loader, file, origin)
            : scenario_tree_parse(loader, file, origin, SCENARIO_TREE_CONFIG);
    return map != NULL ? flatten(loader, map) : NULL;
}

// Puts every child of `over` into `under`.
static void lay_over(struct scenario_node *under, struct scenario_node *over)
{
    struct scenario_node *next;
    for (struct scenario_node *child = over->first; child != NULL; child = next) {
        next = child->next;
        scenario_node_put(under, child);
    }
}

static void normalise_config(struct scenario_loader *loader, struct scenario_node *root,
                             enum scenario_origin origin)
{
    struct scenario_node *config = scenario_node_find(root, "config");
    struct scenario_node *named = scenario_node_find(root, "config-file");
    struct scenario_node *flat = NULL;
    if (config != NULL && config->kind == SCENARIO_NODE_MAP) {
        flat = flatten(loader, config);
        scenario_node_put(root, flat);
    }
    if (named == NULL || named->kind != SCENARIO_NODE_SCALAR || (config != NULL && flat == NULL)) {
        return;
    }
    struct scenario_node *file =
        config_file_read(loader, named, origin == SCENARIO_BASE ? SCENARIO_BASE : SCENARIO_CONFIG);
    if (file == NULL) {
        return;
    }
    if (flat != NULL) {
        lay_over(file, flat);
    }
    file->key = "config";
    file->key_place = flat != NULL ? flat->key_place : named->key_place;
    scenario_node_put(root, file);
}

// --- base ----------------------------------------------------------------------------------------

// The section that a map below `section` is; SCENARIO_SECTION_COUNT where a map is a law or a
// choice.
static enum scenario_section section_below(enum scenario_section section, const char *key)
{
    static const struct {
        const char *key;
        enum scenario_section section;
    } roots[] = {
        {"job", SCENARIO_SECTION_JOB},         {"cluster", SCENARIO_SECTION_CLUSTER},
        {"master", SCENARIO_SECTION_MASTER},   {"storage", SCENARIO_SECTION_STORAGE},
        {"network", SCENARIO_SECTION_NETWORK}, {"expect", SCENARIO_SECTION_EXPECT},
        {"config", SCENARIO_SECTION_CONFIG},
    };
    for (size_t i = 0; section == SCENARIO_SECTION_ROOT && i < sizeof(roots) / sizeof(roots[0]);
         i++) {
        if (strcmp(roots[i].key, key) == 0) {
            return roots[i].section;
        }
    }
    if (section == SCENARIO_SECTION_STORAGE && strcmp(key, "price") == 0) {
        return SCENARIO_SECTION_PRICE;
    }
    return section == SCENARIO_SECTION_EXPECT ? SCENARIO_SECTION_BOUND : SCENARIO_SECTION_COUNT;
}

// `storage: hdfs` below `storage: {durable-at: sync}` is `storage: {profile: hdfs}`.
static void promote_storage(struct scenario_loader *loader, struct scenario_node *root,
                            const struct scenario_node *over)
{
    struct scenario_node *storage = scenario_node_find(root, "storage");
    const struct scenario_node *other = scenario_node_find(over, "storage");
    if (storage == NULL || storage->kind != SCENARIO_NODE_SCALAR || other == NULL
        || other->kind != SCENARIO_NODE_MAP) {
        return;
    }
    struct scenario_node *map =
        scenario_node_new(loader, SCENARIO_NODE_MAP, storage->origin, storage->place);
    map->key = storage->key;
    map->key_place = storage->key_place;
    scenario_node_put(root, map);
    storage->key = "profile";
    scenario_node_append(map, storage);
}

// Lays `over` over `under`, section by section; at most as deep as sections are.
static void merge(struct scenario_loader *loader, struct scenario_node *under,
                  struct scenario_node *over)
{
    struct {
        enum scenario_section section;
        struct scenario_node *under;
        struct scenario_node *next;
    } stack[4];
    uint32_t depth = 1;
    promote_storage(loader, under, over);
    stack[0].section = SCENARIO_SECTION_ROOT;
    stack[0].under = under;
    stack[0].next = over->first;
    while (depth > 0) {
        struct scenario_node *child = stack[depth - 1].next;
        if (child == NULL) {
            depth--;
            continue;
        }
        stack[depth - 1].next = child->next;
        struct scenario_node *old = scenario_node_find(stack[depth - 1].under, child->key);
        enum scenario_section below = section_below(stack[depth - 1].section, child->key);
        if (old != NULL && old->kind == SCENARIO_NODE_MAP && child->kind == SCENARIO_NODE_MAP
            && below != SCENARIO_SECTION_COUNT && depth < 4) {
            old->key_place = child->key_place;
            old->place = child->place;
            stack[depth].section = below;
            stack[depth].under = old;
            stack[depth].next = child->first;
            depth++;
        } else {
            scenario_node_put(stack[depth - 1].under, child);
        }
    }
    under->place = over->place;
}

static struct scenario_node *base_read(struct scenario_loader *loader,
                                       const struct scenario_node *named)
{
    if (named->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, named->place, "expected the path of a scenario file, found %s",
                       scenario_node_kind_text(named));
        return NULL;
    }
    const char *path = scenario_path_join(loader, named->place.file, named->text);
    const struct scenario_file *file =
        scenario_file_read(loader, path, named->text, SCENARIO_FILE_BYTES_MAX, named->place);
    struct scenario_node *root =
        file != NULL ? scenario_tree_parse(loader, file, SCENARIO_BASE, SCENARIO_TREE_FILE) : NULL;
    if (root == NULL) {
        return NULL;
    }
    const struct scenario_node *again = scenario_node_find(root, "base");
    if (again != NULL) {
        scenario_error(loader, again->key_place, "a base cannot have a base of its own");
        return NULL;
    }
    normalise_config(loader, root, SCENARIO_BASE);
    return root;
}

struct scenario_node *scenario_read(struct scenario_loader *loader,
                                    const struct scenario_file *file)
{
    struct scenario_node *root =
        scenario_tree_parse(loader, file, SCENARIO_GIVEN, SCENARIO_TREE_FILE);
    if (root == NULL) {
        return NULL;
    }
    normalise_config(loader, root, SCENARIO_GIVEN);
    const struct scenario_node *named = scenario_node_find(root, "base");
    if (named == NULL) {
        return root;
    }
    struct scenario_node *base = base_read(loader, named);
    if (base == NULL) {
        return NULL;
    }
    merge(loader, base, root);
    return base;
}
