// SPDX-License-Identifier: GPL-3.0-or-later
//
// --set PATH=VALUE, --fault '{...}' and --seed: changes of the tree before it is bound, so that
// they are typed and checked like the file itself.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

#define SEGMENTS_MAX 16u

struct path {
    struct scenario_loader *loader;
    struct scenario_place place;           // of its first character
    const char *expected;                  // what a wrong one should have been
    const char *segments[SEGMENTS_MAX];
    uint32_t offsets[SEGMENTS_MAX];
    uint32_t count;
};

static struct scenario_place place_at(const struct path *path, uint32_t offset)
{
    struct scenario_place place = path->place;
    place.column += offset;
    return place;
}

static struct scenario_place segment_place(const struct path *path, uint32_t i)
{
    return place_at(path, path->offsets[i]);
}

// Splits at dots; what follows "config." is one key, since Flink's keys have dots.
static bool path_split(struct path *path, const char *text, size_t size)
{
    size_t from = 0;
    for (size_t i = 0; i <= size; i++) {
        bool whole = path->count == 1 && strcmp(path->segments[0], "config") == 0;
        if (i < size && (text[i] != '.' || whole)) {
            continue;
        }
        if (i == from || path->count == SEGMENTS_MAX) {
            scenario_error(path->loader, place_at(path, (uint32_t)from),
                           "expected %s such as cluster.workers or job.stages.scan.parallelism",
                           path->expected);
            return false;
        }
        path->offsets[path->count] = (uint32_t)from;
        path->segments[path->count++] = scenario_copy(&path->loader->memory, text + from, i - from);
        from = i + 1;
    }
    return true;
}

// The value behind '=', with places inside the whole text of the option.
static struct scenario_node *value_parse(struct scenario_loader *loader, const char *name,
                                         const struct scenario_file *shown, const char *folder,
                                         size_t offset)
{
    if (shown->size == offset) {
        scenario_error(loader, (struct scenario_place){shown, 1, (uint32_t)offset + 1},
                       "a value is missing here");
        return NULL;
    }
    // The parser sees blanks in the place of the path, so that columns are those of the option;
    // messages show the option as it was written (and know by the path what is secret).
    struct scenario_file *file =
        scenario_file_text(loader, name, folder, shown->text, shown->size);
    char *parsed = scenario_copy(&loader->memory, shown->text, shown->size);
    memset(parsed, ' ', offset);
    file->parsed = parsed;
    return scenario_tree_parse(loader, file, SCENARIO_OVERRIDE, SCENARIO_TREE_VALUE);
}

// The item of a list that is called `name` or has that index; NULL after an error.
static struct scenario_node *list_item(const struct path *path, uint32_t i,
                                       struct scenario_node *list, struct scenario_node **before)
{
    const char *name = path->segments[i];
    struct scenario_nearest nearest;
    int64_t index = -1;
    int64_t at = 0;
    scenario_nearest_init(&nearest, name);
    if (scenario_units_integer(name, &index) != SCENARIO_UNITS_OK) {
        index = -1;
    }
    *before = NULL;
    for (struct scenario_node *item = list->first; item != NULL; item = item->next, at++) {
        const struct scenario_node *named = scenario_node_find(item, "name");
        const char *text = named != NULL && named->kind == SCENARIO_NODE_SCALAR ? named->text : "";
        if (at == index || (text[0] != '\0' && strcmp(text, name) == 0)) {
            return item;
        }
        scenario_nearest_offer(&nearest, text);
        *before = item;
    }
    if (index >= 0) {
        scenario_error(path->loader, segment_place(path, i), "no item %s; '%s' has %u", name,
                       i > 0 ? path->segments[i - 1] : "", (unsigned)list->count);
    } else {
        scenario_error(path->loader, segment_place(path, i), "nothing in '%s' is called '%s'%s",
                       i > 0 ? path->segments[i - 1] : "", scenario_quote(path->loader, name),
                       scenario_nearest_text(path->loader, &nearest));
    }
    return NULL;
}

static void replace_item(struct scenario_node *list, struct scenario_node *before,
                         struct scenario_node *item, struct scenario_node *value)
{
    value->next = item->next;
    if (before == NULL) {
        list->first = value;
    } else {
        before->next = value;
    }
    list->last = list->last == item ? value : list->last;
}

// A map to walk on in: the child of that key, made if there is none.
static struct scenario_node *map_child(const struct path *path, uint32_t i,
                                       struct scenario_node *map)
{
    struct scenario_node *child = scenario_node_find(map, path->segments[i]);
    bool shorthand = child != NULL && child->kind == SCENARIO_NODE_SCALAR && i == 0
                     && strcmp(path->segments[0], "storage") == 0;
    if (child != NULL && !shorthand) {
        return child;
    }
    struct scenario_node *made = scenario_node_new(path->loader, SCENARIO_NODE_MAP,
                                                   SCENARIO_OVERRIDE, segment_place(path, i));
    made->key = path->segments[i];
    made->key_place = segment_place(path, i);
    scenario_node_put(map, made);
    if (shorthand) {
        child->key = "profile";
        scenario_node_append(made, child);
    }
    return made;
}

static void put_value(const struct path *path, uint32_t i, struct scenario_node *map,
                      struct scenario_node *value)
{
    value->key = path->segments[i];
    value->key_place = segment_place(path, i);
    if (map->count >= SCENARIO_MAP_KEYS_MAX) {
        scenario_error(path->loader, value->key_place, "more than %u keys in one map",
                       SCENARIO_MAP_KEYS_MAX);
        return;
    }
    scenario_node_put(map, value);
}

static void path_apply(const struct path *path, struct scenario_node *value)
{
    struct scenario_node *at = path->loader->root;
    for (uint32_t i = 0; i < path->count; i++) {
        bool last = i + 1 == path->count;
        struct scenario_node *before = NULL;
        if (at->kind == SCENARIO_NODE_SCALAR) {
            scenario_error(path->loader, segment_place(path, i),
                           "'%s' is a single value; nothing is below it",
                           i > 0 ? path->segments[i - 1] : "");
            return;
        }
        if (at->kind == SCENARIO_NODE_MAP && last) {
            put_value(path, i, at, value);
            return;
        }
        struct scenario_node *next = at->kind == SCENARIO_NODE_MAP
                                         ? map_child(path, i, at)
                                         : list_item(path, i, at, &before);
        if (next == NULL) {
            return;
        }
        if (last) {
            replace_item(at, before, next, value);
            return;
        }
        at = next;
    }
}

// Keys that decide what is read at all cannot be changed once it has been read.
static bool may_be_set(const struct path *path)
{
    static const char *const fixed[] = {"base", "config-file", "version"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strcmp(path->segments[0], fixed[i]) == 0) {
            scenario_error(path->loader, segment_place(path, 0),
                           "'%s' cannot be set here; change the file", fixed[i]);
            return false;
        }
    }
    return true;
}

static struct scenario_file *argument_file(struct scenario_loader *loader, const char *name,
                                           const char *folder, const char *text)
{
    struct scenario_file *file = scenario_file_text(loader, name, folder, text, strlen(text));
    file->is_argument = true;
    return file;
}

// `config` as a whole has no place here: its keys have origins of their own.
static bool path_check(struct path *path, const char *text, size_t size, const char *config_hint)
{
    if (!path_split(path, text, size) || !may_be_set(path)) {
        return false;
    }
    if (path->count == 1 && strcmp(path->segments[0], "config") == 0) {
        scenario_error(path->loader, segment_place(path, 0), "name one key: %s", config_hint);
        return false;
    }
    return true;
}

static void set_apply(struct scenario_loader *loader, const char *folder, const char *text)
{
    const struct scenario_file *file = argument_file(loader, "--set", folder, text);
    struct path path = {.loader = loader, .place = {file, 1, 1}};
    path.expected = "PATH=VALUE with a path";
    const char *equals = strchr(file->text, '=');
    if (equals == NULL) {
        scenario_error(loader, path.place, "expected PATH=VALUE, as in cluster.workers=50");
        return;
    }
    size_t size = (size_t)(equals - file->text);
    if (!path_check(&path, file->text, size, "config.KEY=VALUE")) {
        return;
    }
    struct scenario_node *value = value_parse(loader, "--set", file, folder, size + 1);
    if (value != NULL) {
        path_apply(&path, value);
    }
}

static bool change_path(struct scenario_loader *loader, const struct scenario_change *change,
                        struct path *path)
{
    *path = (struct path){.loader = loader, .place = change->place, .expected = "a path"};
    return path_check(path, change->path, strlen(change->path), "config.KEY");
}

bool scenario_change_check(struct scenario_loader *loader, const struct scenario_change *change)
{
    struct path path;
    return change_path(loader, change, &path);
}

bool scenario_change_apply(struct scenario_loader *loader, const struct scenario_change *change,
                           struct scenario_node *value)
{
    struct path path;
    uint64_t errors = loader->errors_total;
    if (change_path(loader, change, &path)) {
        path_apply(&path, value);
    }
    return loader->errors_total == errors;
}

static void fault_apply(struct scenario_loader *loader, const char *folder, const char *text)
{
    const struct scenario_file *shown = argument_file(loader, "--fault", folder, text);
    struct scenario_node *value = value_parse(loader, "--fault", shown, folder, 0);
    if (value == NULL) {
        return;
    }
    struct scenario_node *list = scenario_node_find(loader->root, "faults");
    if (list == NULL) {
        list = scenario_node_new(loader, SCENARIO_NODE_LIST, SCENARIO_OVERRIDE, value->place);
        list->key = "faults";
        list->key_place = value->place;
        scenario_node_append(loader->root, list);
    }
    if (list->kind == SCENARIO_NODE_LIST) {
        scenario_node_append(list, value);
    }
}

static void seed_apply(struct scenario_loader *loader, uint64_t seed)
{
    const struct scenario_file *file = argument_file(
        loader, "--seed", "", scenario_print(&loader->memory, "%" PRIu64, seed));
    struct scenario_place place = {file, 1, 1};
    struct scenario_node *node =
        scenario_node_new(loader, SCENARIO_NODE_SCALAR, SCENARIO_OVERRIDE, place);
    node->text = file->text;
    node->key = "seed";
    node->key_place = place;
    scenario_node_put(loader->root, node);
}

bool scenario_override(struct scenario_loader *loader, const struct scenario_file *file,
                       const struct scenario_overrides *overrides)
{
    uint64_t errors = loader->errors_total;
    if (overrides == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < overrides->n_sets; i++) {
        set_apply(loader, file->folder, overrides->sets[i]);
    }
    for (uint32_t i = 0; i < overrides->n_faults; i++) {
        fault_apply(loader, file->folder, overrides->faults[i]);
    }
    if (overrides->seed_given) {
        seed_apply(loader, overrides->seed);
    }
    return loader->errors_total == errors;
}
