// SPDX-License-Identifier: GPL-3.0-or-later
//
// Axes: paths with their values, paths that move along, and the values of single points.
#include <inttypes.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

#define LABEL_BYTES_MAX 60u

// --- files ---------------------------------------------------------------------------------------

uint32_t sweep_read_tree(struct sweep_reader *reader, const struct scenario_node *node)
{
    struct scenario_loader *loader = &reader->loader;
    const char *path =
        scenario_path_tidy(loader, scenario_path_join(loader, reader->file, node->text));
    const struct scenario_file *file =
        scenario_file_read(loader, path, node->text, SCENARIO_FILE_BYTES_MAX, node->place);
    const struct scenario_node *root = file != NULL ? scenario_read(loader, file) : NULL;
    if (root == NULL) {
        return UINT32_MAX;
    }
    struct sweep_tree *grown =
        scenario_allocate_array(&loader->memory, reader->n_trees + 1, sizeof(*grown));
    if (reader->n_trees != 0) {
        memcpy(grown, reader->trees, reader->n_trees * sizeof(*grown));
    }
    grown[reader->n_trees] = (struct sweep_tree){path, file->folder, root};
    reader->trees = grown;
    return reader->n_trees++;
}

// --- paths and names -----------------------------------------------------------------------------

static bool path_may_vary(struct sweep_reader *reader, const struct scenario_node *node)
{
    static const struct {
        const char *path, *why;
    } fixed[] = {
        {"seed", "seeds come from 'replications' and the sweep's own 'seed'"},
        {"name", "it changes nothing"},
        {"about", "it changes nothing"},
        {"base", "vary whole files with the path 'scenario'"},
        {"config-file", "vary whole files with the path 'scenario'"},
        {"version", "there is one"},
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strcmp(node->text, fixed[i].path) == 0) {
            scenario_error(&reader->loader, node->place, "'%s' cannot be an axis; %s", node->text,
                           fixed[i].why);
            return false;
        }
    }
    if (scenario_path_is_secret(node->text)) {
        scenario_error(&reader->loader, node->place,
                       "this path looks like that of a secret, which no result may show");
        return false;
    }
    struct scenario_change change = {node->text, sweep_place_inside(node, 0), NULL};
    return scenario_change_check(&reader->loader, &change);
}

// The path of an axis or of what moves with it, and no other one's; NULL after an error.
static const struct scenario_node *read_path(struct sweep_reader *reader,
                                             const struct scenario_node *map, bool files)
{
    const struct scenario_node *node = scenario_node_find(map, "path");
    if (node == NULL || sweep_text(reader, map, "path") == NULL) {
        return NULL;
    }
    if (files && strcmp(node->text, "scenario") == 0) {
        return node;
    }
    return path_may_vary(reader, node) ? node : NULL;
}

static bool name_is_word(const char *name)
{
    static const char *const words[] = {"and", "or", "not"};
    bool letter = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        letter = letter && strcmp(name, words[i]) != 0;
    }
    return letter && scenario_name_is_legal(name);
}

static void read_axis_name(struct sweep_reader *reader, struct sweep_axis *axis)
{
    const struct scenario_node *given = scenario_node_find(axis->map, "name");
    const char *dot = strrchr(axis->path, '.');
    axis->name = dot != NULL ? dot + 1 : axis->path;
    axis->name_place = axis->path_place;
    if (given != NULL && sweep_text(reader, axis->map, "name") != NULL) {
        axis->name = given->text;
        axis->name_place = given->place;
    }
    if (!name_is_word(axis->name)) {
        scenario_error(&reader->loader, axis->name_place,
                       "'%s' cannot name an axis; give it a 'name' that starts with a letter and "
                       "has letters, digits, '-' and '_' (not and, or, not)",
                       scenario_quote(&reader->loader, axis->name));
    }
    for (uint32_t i = 0; i < reader->n_axes; i++) {
        const struct sweep_axis *other = &reader->axes[i];
        if (other != axis && strcmp(other->name, axis->name) == 0) {
            scenario_error(&reader->loader, axis->name_place,
                           "an axis is called '%s' already, at line %u; give one of them a 'name'",
                           axis->name, (unsigned)other->name_place.line);
            return;
        }
    }
}

// --- values --------------------------------------------------------------------------------------

static bool label_is_legal(const char *label)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._+%-";
    size_t size = strspn(label, letters);
    return size > 0 && size <= LABEL_BYTES_MAX && label[size] == '\0';
}

// A value, or a map of `label` and `value`. NULL after an error.
static const struct scenario_node *read_value(struct sweep_reader *reader,
                                              const struct scenario_node *item, const char **label)
{
    *label = NULL;
    if (scenario_node_find(item, "label") == NULL && scenario_node_find(item, "value") == NULL) {
        return item;
    }
    if (!sweep_check_keys(reader, SWEEP_VALUE, item)) {
        return NULL;
    }
    *label = sweep_text(reader, item, "label");
    if (*label != NULL && !label_is_legal(*label)) {
        scenario_error(&reader->loader, scenario_node_find(item, "label")->place,
                       "'%s' is no label: up to %u letters, digits and . _ + %% -",
                       scenario_quote(&reader->loader, *label), LABEL_BYTES_MAX);
    }
    return scenario_node_find(item, "value");
}

static struct sweep_value *value_add(struct sweep_reader *reader, struct sweep_axis *axis,
                                     const struct scenario_node *node, const char *label)
{
    struct scenario_memory *memory = &reader->loader.memory;
    if (axis->n_values == axis->capacity) {
        uint32_t capacity = axis->capacity == 0 ? 16 : axis->capacity * 2;
        struct sweep_value *grown = scenario_allocate_array(memory, capacity, sizeof(*grown));
        if (axis->n_values != 0) {
            memcpy(grown, axis->values, axis->n_values * sizeof(*grown));
        }
        axis->values = grown;
        axis->capacity = capacity;
    }
    struct sweep_value *value = &axis->values[axis->n_values++];
    memset(value, 0, sizeof(*value));
    value->node = node;
    value->label = label;
    return value;
}

// Gives a value its changes: that of the axis, and `nodes` for what moves along.
static void value_changes(struct sweep_reader *reader, struct sweep_value *value,
                          const struct scenario_node *const *paths,
                          const struct scenario_node *const *nodes, uint32_t count)
{
    struct scenario_memory *memory = &reader->loader.memory;
    const struct scenario_change **changes =
        scenario_allocate_array(memory, count, sizeof(*changes));
    const char **sets = scenario_allocate_array(memory, count, sizeof(*sets));
    for (uint32_t i = 0; i < count; i++) {
        struct scenario_change *change = scenario_allocate(memory, sizeof(*change));
        *change =
            (struct scenario_change){paths[i]->text, sweep_place_inside(paths[i], 0), nodes[i]};
        changes[i] = change;
        sets[i] = scenario_print(memory, "%s=%s", paths[i]->text,
                                 scenario_node_text(&reader->loader, nodes[i]));
    }
    value->changes = changes;
    value->sets = sets;
}

static uint32_t read_listed(struct sweep_reader *reader, const struct scenario_node *list,
                            const struct scenario_node ***nodes, const char ***labels)
{
    struct scenario_loader *loader = &reader->loader;
    uint32_t count = 0;
    if (list->kind != SCENARIO_NODE_LIST) {
        scenario_error(loader, list->place, "values must be a list, found %s",
                       scenario_node_kind_text(list));
        return 0;
    }
    if (list->count == 0 || list->count > SCENARIO_SWEEP_VALUES_MAX) {
        scenario_error(loader, list->place, "an axis has from 1 to %u values, not %u",
                       SCENARIO_SWEEP_VALUES_MAX, (unsigned)list->count);
        return 0;
    }
    *nodes = scenario_allocate_array(&loader->memory, list->count, sizeof(**nodes));
    *labels = scenario_allocate_array(&loader->memory, list->count, sizeof(**labels));
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        (*nodes)[count] = read_value(reader, item, &(*labels)[count]);
        if ((*nodes)[count] == NULL) {
            return 0;
        }
        count++;
    }
    return count;
}

// The values of an axis, or of what moves with one; 0 after an error, or when there are none.
static uint32_t read_values(struct sweep_reader *reader, const struct scenario_node *map,
                            const struct scenario_node ***nodes, const char ***labels)
{
    static const char *const ways[] = {"values", "range", "log"};
    const struct scenario_node *found = NULL;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct scenario_node *node = scenario_node_find(map, ways[i]);
        if (node != NULL && found != NULL) {
            scenario_error(&reader->loader, node->key_place,
                           "both '%s' and '%s'; an axis has one of values, range and log",
                           found->key, ways[i]);
            return 0;
        }
        found = node != NULL ? node : found;
    }
    *labels = NULL;
    if (found == NULL) {
        return 0;
    }
    if (strcmp(found->key, "range") == 0) {
        return sweep_generate_range(reader, found, nodes);
    }
    return strcmp(found->key, "log") == 0 ? sweep_generate_log(reader, found, nodes)
                                          : read_listed(reader, found, nodes, labels);
}

static void read_file_values(struct sweep_reader *reader, struct sweep_axis *axis,
                             const struct scenario_node *const *nodes, const char *const *labels,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i]->kind != SCENARIO_NODE_SCALAR) {
            scenario_error(&reader->loader, nodes[i]->place,
                           "expected the path of a scenario file, found %s",
                           scenario_node_kind_text(nodes[i]));
            continue;
        }
        struct sweep_value *value =
            value_add(reader, axis, nodes[i], labels != NULL ? labels[i] : NULL);
        value->tree = sweep_read_tree(reader, nodes[i]);
    }
}

// Everything that moves with an axis: paths[1..] and columns[1..], each as long as the axis.
static bool read_with(struct sweep_reader *reader, struct sweep_axis *axis,
                      const struct scenario_node **paths, const struct scenario_node ***columns,
                      uint32_t count)
{
    struct scenario_loader *loader = &reader->loader;
    const struct scenario_node *list = scenario_node_find(axis->map, "with");
    if (list == NULL) {
        return true;
    }
    if (list->kind != SCENARIO_NODE_LIST || list->count == 0 ||
        list->count > SCENARIO_SWEEP_WITH_MAX) {
        scenario_error(loader, list->place,
                       "with must be a list of 1 to %u maps of path and values",
                       SCENARIO_SWEEP_WITH_MAX);
        return false;
    }
    for (const struct scenario_node *map = list->first; map != NULL; map = map->next) {
        const char **labels;
        if (!sweep_check_keys(reader, SWEEP_WITH, map)) {
            return false;
        }
        axis->n_with++;
        paths[axis->n_with] = read_path(reader, map, false);
        uint64_t errors = loader->errors_total;
        uint32_t found = read_values(reader, map, &columns[axis->n_with], &labels);
        if (paths[axis->n_with] == NULL || loader->errors_total != errors) {
            return false;
        }
        if (found != count) {
            scenario_error(loader, map->place, "%u values move with an axis of %u", (unsigned)found,
                           (unsigned)count);
            return false;
        }
    }
    return true;
}

// No two changes of one path: the later would hide the earlier.
static void check_paths(struct sweep_reader *reader, const struct scenario_node *const *paths,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(paths[k]->text, paths[i]->text) == 0) {
                scenario_error(&reader->loader, paths[i]->place,
                               "this path moves already, at line %u",
                               (unsigned)paths[k]->place.line);
            }
        }
        for (uint32_t a = 0; a + 1 < reader->n_axes; a++) {
            const struct sweep_axis *axis = &reader->axes[a];
            for (uint32_t c = 0; axis->n_values > 0 && !axis->files && c <= axis->n_with; c++) {
                const struct scenario_change *change = axis->values[0].changes[c];
                if (strcmp(change->path, paths[i]->text) == 0) {
                    scenario_error(&reader->loader, paths[i]->place,
                                   "this path is an axis already, at line %u",
                                   (unsigned)change->place.line);
                }
            }
        }
    }
}

static struct sweep_axis *axis_add(struct sweep_reader *reader, const struct scenario_node *map,
                                   bool sampled)
{
    if (reader->n_axes == SCENARIO_SWEEP_AXES_MAX) {
        scenario_error(&reader->loader, map->place, "more than %u axes", SCENARIO_SWEEP_AXES_MAX);
        return NULL;
    }
    const struct scenario_node *path = read_path(reader, map, !sampled);
    if (path == NULL) {
        return NULL;
    }
    struct sweep_axis *axis = &reader->axes[reader->n_axes++];
    axis->map = map;
    axis->path = path->text;
    axis->path_place = path->place;
    axis->sampled = sampled;
    axis->files = strcmp(path->text, "scenario") == 0;
    read_axis_name(reader, axis);
    return axis;
}

static void read_axis(struct sweep_reader *reader, const struct scenario_node *map)
{
    const struct scenario_node *paths[SCENARIO_SWEEP_WITH_MAX + 1];
    const struct scenario_node **columns[SCENARIO_SWEEP_WITH_MAX + 1];
    const char **labels = NULL;
    if (!sweep_check_keys(reader, SWEEP_AXIS, map)) {
        return;
    }
    struct sweep_axis *axis = axis_add(reader, map, false);
    if (axis == NULL) {
        return;
    }
    paths[0] = scenario_node_find(map, "path");
    uint32_t count = read_values(reader, map, &columns[0], &labels);
    axis->n_listed = count;
    if (axis->files) {
        const struct scenario_node *with = scenario_node_find(map, "with");
        if (with != NULL) {
            scenario_error(&reader->loader, with->key_place, "nothing moves with whole files");
        }
        read_file_values(reader, axis, (const struct scenario_node *const *)columns[0],
                         (const char *const *)labels, count);
        return;
    }
    if (!read_with(reader, axis, paths, columns, count)) {
        return;
    }
    check_paths(reader, paths, axis->n_with + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct scenario_node *row[SCENARIO_SWEEP_WITH_MAX + 1];
        for (uint32_t c = 0; c <= axis->n_with; c++) {
            row[c] = columns[c][i];
        }
        struct sweep_value *value =
            value_add(reader, axis, row[0], labels != NULL ? labels[i] : NULL);
        value_changes(reader, value, paths, row, axis->n_with + 1);
    }
}

void sweep_read_axes(struct sweep_reader *reader, const struct scenario_node *list)
{
    bool points = scenario_node_find(reader->root, "points") != NULL;
    for (const struct scenario_node *map = list->first; map != NULL; map = map->next) {
        uint64_t errors = reader->loader.errors_total;
        uint32_t before = reader->n_axes;
        read_axis(reader, map);
        if (reader->n_axes == before || reader->loader.errors_total != errors) {
            continue;
        }
        const struct sweep_axis *axis = &reader->axes[before];
        if (axis->n_listed == 0 && !points) {
            scenario_error(&reader->loader, map->place,
                           "this axis has no values; give it values, range or log, or name single "
                           "'points'");
        } else if ((axis->n_listed > 0) != (reader->axes[0].n_listed > 0)) {
            scenario_error(&reader->loader, map->place,
                           "either all axes have values or none has, and 'points' names them");
        }
    }
}

// --- samples -------------------------------------------------------------------------------------

static void fill_samples(struct sweep_reader *reader, uint32_t first, uint32_t rows)
{
    uint32_t dimensions = reader->n_axes - first;
    const uint32_t *samples = sweep_sobol(reader, rows, dimensions);
    for (uint32_t d = 0; d < dimensions; d++) {
        struct sweep_axis *axis = &reader->axes[first + d];
        const struct scenario_node *path = scenario_node_find(axis->map, "path");
        struct sweep_quantity from;
        struct sweep_quantity to;
        int64_t log = 0;
        (void)sweep_scalar(reader, SWEEP_SAMPLED, axis->map, "log", &log);
        if (!sweep_bounds(reader, axis->map, log != 0, &from, &to)) {
            continue;
        }
        axis->n_listed = rows;
        for (uint32_t i = 0; i < rows; i++) {
            struct sweep_quantity at = {
                from.unit,
                sweep_between(from.number, to.number, samples[i * dimensions + d], log != 0)};
            const struct scenario_node *node = sweep_quantity_node(reader, axis->map, at);
            value_changes(reader, value_add(reader, axis, node, NULL), &path, &node, 1);
        }
    }
}

void sweep_read_sobol(struct sweep_reader *reader, const struct scenario_node *map)
{
    int64_t rows = 0;
    uint32_t first = reader->n_axes;
    uint64_t errors = reader->loader.errors_total;
    if (!sweep_check_keys(reader, SWEEP_SOBOL, map)) {
        return;
    }
    (void)sweep_scalar(reader, SWEEP_SOBOL, map, "points", &rows);
    const struct scenario_node *list = scenario_node_find(map, "axes");
    if (list != NULL && (list->kind != SCENARIO_NODE_LIST || list->count == 0)) {
        scenario_error(&reader->loader, list->place, "axes must be a list of at least one axis");
        return;
    }
    if (scenario_node_find(reader->root, "points") != NULL) {
        scenario_error(&reader->loader, map->key_place, "a sample and single 'points' together");
    }
    for (const struct scenario_node *axis = list != NULL ? list->first : NULL; axis != NULL;
         axis = axis->next) {
        if (!sweep_check_keys(reader, SWEEP_SAMPLED, axis)) {
            continue;
        }
        if (axis_add(reader, axis, true) != NULL) {
            const struct scenario_node *path = scenario_node_find(axis, "path");
            check_paths(reader, &path, 1);
        }
    }
    if (reader->loader.errors_total == errors && rows > 0) {
        reader->n_samples = (uint32_t)rows;
        fill_samples(reader, first, (uint32_t)rows);
    }
}

// --- canonical text ------------------------------------------------------------------------------

// What the scenario recorded for the value that stands at `place`; NULL if nothing.
static const char *recorded(const struct scenario *scenario, struct scenario_place place)
{
    const struct scenario_loader *loader = scenario->memory;
    for (uint32_t i = 0; loader != NULL && i < loader->n_values; i++) {
        const struct scenario_place *at = &loader->value_places[i];
        if (at->file != NULL && at->file->name == place.file->name && at->line == place.line &&
            at->column == place.column) {
            return loader->values[i].value;
        }
    }
    return NULL;
}

static const char *without_blanks(struct sweep_reader *reader, const char *text)
{
    char *copy = scenario_copy_text(&reader->loader.memory, text);
    size_t size = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p != ' ') {
            copy[size++] = *p;
        }
    }
    copy[size] = '\0';
    return copy;
}

// A file is called by its name without folder and ending.
static const char *file_label(struct sweep_reader *reader, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t size = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    return scenario_copy(&reader->loader.memory, name, size);
}

static void check_label(struct sweep_reader *reader, const struct sweep_axis *axis,
                        const struct sweep_value *value)
{
    struct scenario_place place = value->node->place;
    if (strlen(value->label) > LABEL_BYTES_MAX) {
        scenario_error(&reader->loader, place,
                       "this value is too long for a name; write {label: NAME, value: ...}");
    }
    for (const struct sweep_value *other = axis->values; !axis->sampled && other < value; other++) {
        if (strcmp(other->label, value->label) == 0) {
            scenario_error(&reader->loader, place, "'%s' is a value of '%s' already, at line %u",
                           scenario_quote(&reader->loader, value->label), axis->name,
                           (unsigned)other->node->place.line);
            return;
        }
    }
}

// The value as the scenario understands it, on its own; what is wrong with it is reported when the
// points are resolved.
static const char *canonical_text(struct sweep_reader *reader, const struct sweep_value *value)
{
    struct scenario scenario;
    if (sweep_load_change(reader, 0, value->changes[0], &scenario) == SCENARIO_ENOMEM) {
        scenario_release(&scenario);
        scenario_out_of_memory(&reader->loader.memory);
    }
    reader->loader.memory.cleanup = sweep_release_scenario;
    reader->loader.memory.cleanup_context = &scenario;
    const char *found = recorded(&scenario, value->node->place);
    const char *text =
        found != NULL ? scenario_copy_text(&reader->loader.memory, found) : value->written;
    reader->loader.memory.cleanup = NULL;
    scenario_release(&scenario);
    return text;
}

static void type_value(struct sweep_reader *reader, struct sweep_axis *axis,
                       struct sweep_value *value)
{
    value->written = scenario_node_text(&reader->loader, value->node);
    if (axis->files) {
        value->text = value->node->text;
        value->label = value->label != NULL ? value->label : file_label(reader, value->node->text);
        check_label(reader, axis, value);
        return;
    }
    // A number with a unit is its own canonical text, when it was made here.
    value->quantity = sweep_quantity_parse(value->written);
    bool bare =
        value->quantity.unit == SWEEP_UNIT_COUNT || value->quantity.unit == SWEEP_UNIT_DECIMAL;
    value->text = axis->sampled && !bare ? value->written : canonical_text(reader, value);
    value->quantity = sweep_quantity_parse(value->text);
    if (value->label == NULL && value->quantity.unit == SWEEP_UNIT_NS) {
        char text[SCENARIO_UNITS_TEXT]; // 2.45 s rather than 2450 ms
        scenario_units_measured_text(value->quantity.number, text);
        value->label = without_blanks(reader, text);
    } else if (value->label == NULL) {
        value->label = without_blanks(reader, value->text);
    }
    check_label(reader, axis, value);
}

static enum sweep_unit common_unit(const struct sweep_axis *axis)
{
    enum sweep_unit unit = SWEEP_UNIT_TEXT;
    for (uint32_t i = 0; i < axis->n_values; i++) {
        enum sweep_unit found = axis->values[i].quantity.unit;
        bool numbers = (unit == SWEEP_UNIT_COUNT && found == SWEEP_UNIT_DECIMAL) ||
                       (unit == SWEEP_UNIT_DECIMAL && found == SWEEP_UNIT_COUNT);
        if (i == 0 || numbers) {
            unit = i == 0 ? found : SWEEP_UNIT_DECIMAL;
        } else if (found != unit) {
            return SWEEP_UNIT_TEXT;
        }
    }
    return unit;
}

// One unit for all values of an axis: 1 among decimal numbers is 1.0.
static void unify(struct sweep_axis *axis)
{
    static const int64_t nano = INT64_C(1000000000);
    axis->unit = common_unit(axis);
    for (uint32_t i = 0; axis->unit == SWEEP_UNIT_DECIMAL && i < axis->n_values; i++) {
        if (axis->values[i].quantity.number > INT64_MAX / nano &&
            axis->values[i].quantity.unit == SWEEP_UNIT_COUNT) {
            axis->unit = SWEEP_UNIT_TEXT;
        }
    }
    for (uint32_t i = 0; i < axis->n_values; i++) {
        struct sweep_quantity *q = &axis->values[i].quantity;
        if (axis->unit == SWEEP_UNIT_TEXT) {
            q->number = 0;
        } else if (axis->unit == SWEEP_UNIT_DECIMAL && q->unit == SWEEP_UNIT_COUNT) {
            q->number *= nano;
        }
        q->unit = axis->unit;
    }
}

void sweep_type_axes(struct sweep_reader *reader)
{
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        struct sweep_axis *axis = &reader->axes[a];
        for (uint32_t i = 0; i < axis->n_values; i++) {
            if (axis->values[i].text == NULL) {
                type_value(reader, axis, &axis->values[i]);
            }
        }
        unify(axis);
    }
}

// --- single points -------------------------------------------------------------------------------

// The index of a value that a point names; it is added where the axis has none such.
static uint32_t point_value(struct sweep_reader *reader, struct sweep_axis *axis,
                            const struct scenario_node *node)
{
    const char *label;
    const struct scenario_node *given = read_value(reader, node, &label);
    if (given == NULL) {
        return 0;
    }
    const char *written = scenario_node_text(&reader->loader, given);
    for (uint32_t i = 0; label == NULL && i < axis->n_values; i++) {
        bool named =
            given->kind == SCENARIO_NODE_SCALAR && strcmp(axis->values[i].label, given->text) == 0;
        if (named || strcmp(axis->values[i].written, written) == 0) {
            return i;
        }
    }
    if (axis->n_with > 0 || axis->n_values == SCENARIO_SWEEP_VALUES_MAX) {
        scenario_error(&reader->loader, given->place,
                       axis->n_with > 0 ? "'%s' has no such value, and others move with it"
                                        : "'%s' has too many values",
                       axis->name);
        return 0;
    }
    uint32_t index = axis->n_values;
    if (axis->files) {
        read_file_values(reader, axis, &given, &label, 1);
    } else {
        const struct scenario_node *path = scenario_node_find(axis->map, "path");
        value_changes(reader, value_add(reader, axis, given, label), &path, &given, 1);
    }
    if (axis->n_values == index || reader->n_trees == 0) {
        axis->n_values = index; // there is no scenario to type it by: reported
        return 0;
    }
    // 1 min and 60 s are one value.
    struct sweep_value *added = &axis->values[index];
    added->written = written;
    uint64_t errors = reader->loader.errors_total;
    for (uint32_t i = 0; !axis->files && i < index; i++) {
        added->text = added->text != NULL ? added->text : canonical_text(reader, added);
        if (label == NULL && strcmp(axis->values[i].text, added->text) == 0) {
            axis->n_values--;
            return i;
        }
    }
    type_value(reader, axis, added);
    return reader->loader.errors_total == errors ? index : 0;
}

static void read_point(struct sweep_reader *reader, const struct scenario_node *map,
                       struct sweep_explicit *point)
{
    struct scenario_loader *loader = &reader->loader;
    point->map = map;
    point->values =
        scenario_allocate_array(&loader->memory, reader->n_axes + 1, sizeof(*point->values));
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(loader, map->place, "a point is a map from axes to values, found %s",
                       scenario_node_kind_text(map));
        return;
    }
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        struct scenario_nearest nearest;
        bool known = false;
        scenario_nearest_init(&nearest, child->key);
        for (uint32_t a = 0; a < reader->n_axes; a++) {
            known = known || strcmp(reader->axes[a].name, child->key) == 0;
            scenario_nearest_offer(&nearest, reader->axes[a].name);
        }
        if (!known) {
            scenario_error(loader, child->key_place, "no axis is called '%s'%s",
                           scenario_quote(loader, child->key),
                           scenario_nearest_text(loader, &nearest));
        }
    }
    // Files first: the others' values are typed by what is in one.
    for (uint32_t a = 0; a < 2 * reader->n_axes; a++) {
        struct sweep_axis *axis = &reader->axes[a % reader->n_axes];
        const struct scenario_node *value = scenario_node_find(map, axis->name);
        if (axis->files != (a < reader->n_axes)) {
            continue;
        }
        if (value == NULL) {
            scenario_error(loader, map->place, "this point says nothing of the axis '%s'",
                           axis->name);
        } else {
            point->values[a % reader->n_axes] = point_value(reader, axis, value);
        }
    }
}

void sweep_read_points(struct sweep_reader *reader, const struct scenario_node *list)
{
    struct scenario_loader *loader = &reader->loader;
    if (list->count > SCENARIO_SWEEP_POINTS_MAX) {
        scenario_error(loader, list->place, "more than %u points", SCENARIO_SWEEP_POINTS_MAX);
        return;
    }
    if (reader->n_axes == 0) {
        scenario_error(loader, list->key_place, "points need axes: name their paths in 'axes'");
        return;
    }
    reader->explicits =
        scenario_allocate_array(&loader->memory, list->count + 1, sizeof(*reader->explicits));
    sweep_type_axes(reader);
    for (const struct scenario_node *map = list->first; map != NULL; map = map->next) {
        read_point(reader, map, &reader->explicits[reader->n_explicits++]);
    }
}
