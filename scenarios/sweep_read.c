// SPDX-License-Identifier: GPL-3.0-or-later
//
// The keys of a sweep file that are no axes: what, how often, within which limits.
#include <inttypes.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

#define REPLICATIONS_DEFAULT 1u
#define AT_LEAST_DEFAULT 30u
#define CONFIDENCE_DEFAULT INT64_C(950000000)

// --- keys ----------------------------------------------------------------------------------------

static void unknown_key(struct sweep_reader *reader, enum sweep_section section,
                        const struct scenario_node *child)
{
    struct scenario_loader *loader = &reader->loader;
    struct scenario_nearest nearest;
    struct scenario_buffer known = {0};
    scenario_nearest_init(&nearest, child->key);
    for (uint32_t i = 0; i < sweep_keys_count(); i++) {
        const struct sweep_key *row = sweep_keys_at(i);
        if (row->section == section) {
            scenario_nearest_offer(&nearest, row->key);
            scenario_buffer_print(&loader->memory, &known, "%s%s", known.size == 0 ? "" : ", ",
                                  row->key);
        }
    }
    scenario_unknown_key(loader, child, &nearest, known.text, sweep_section_path(section));
}

bool sweep_check_keys(struct sweep_reader *reader, enum sweep_section section,
                      const struct scenario_node *map)
{
    const char *path = sweep_section_path(section);
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(&reader->loader, map->place, "%s must be a map of keys and values, found %s",
                       path, scenario_node_kind_text(map));
        return false;
    }
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        if (sweep_keys_find(section, child->key) == NULL) {
            unknown_key(reader, section, child);
        }
    }
    for (uint32_t i = 0; i < sweep_keys_count(); i++) {
        const struct sweep_key *row = sweep_keys_at(i);
        if (row->section == section && row->required && scenario_node_find(map, row->key) == NULL) {
            scenario_error(&reader->loader, map->place, "key '%s' is missing%s%s", row->key,
                           path[0] != '\0' ? " in " : "", path);
        }
    }
    return true;
}

bool sweep_scalar(struct sweep_reader *reader, enum sweep_section section,
                  const struct scenario_node *map, const char *key, int64_t *value)
{
    const struct sweep_key *row = sweep_keys_find(section, key);
    const struct scenario_node *node = scenario_node_find(map, key);
    const char *canonical;
    if (row == NULL || node == NULL) {
        return false;
    }
    const struct scenario_option option = {.section = SCENARIO_SECTION_ROOT,
                                           .key = row->key,
                                           .type = row->type,
                                           .choices = row->choices,
                                           .min = row->min,
                                           .max = row->max};
    return scenario_bind_scalar(&reader->loader, &option, node, value, &canonical);
}

const char *sweep_text(struct sweep_reader *reader, const struct scenario_node *map,
                       const char *key)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    if (node == NULL) {
        return NULL;
    }
    if (node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(&reader->loader, node->place, "%s must be a single text, found %s", key,
                       scenario_node_kind_text(node));
        return NULL;
    }
    return node->text;
}

struct scenario_place sweep_place_inside(const struct scenario_node *node, size_t offset)
{
    const struct scenario_file *file = node->place.file;
    struct scenario_place place = node->place;
    if (file == NULL || node->place.line == 0 || node->place.line > file->n_lines) {
        return place;
    }
    size_t at = file->lines[node->place.line - 1];
    for (uint32_t column = 1; column < node->place.column && at < file->size; column++) {
        at++;
        while (at < file->size && ((unsigned char)file->text[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    size_t quote = node->plain ? 0 : 1;
    size_t size = strlen(node->text);
    bool found =
        at + quote + size <= file->size && memcmp(file->text + at + quote, node->text, size) == 0;
    for (size_t i = 0; found && i < offset && i < size; i++) {
        place.column += ((unsigned char)node->text[i] & 0xc0) == 0x80 ? 0 : 1;
    }
    place.column += found ? (uint32_t)quote : 0;
    return place;
}

// --- what is run ---------------------------------------------------------------------------------

static void read_names(struct sweep_reader *reader)
{
    const char *name = sweep_text(reader, reader->root, "name");
    const char *about = sweep_text(reader, reader->root, "about");
    if (name != NULL && !scenario_name_is_legal(name)) {
        scenario_error(&reader->loader, scenario_node_find(reader->root, "name")->place,
                       "'%s' is no name: up to %u letters, digits, '-' and '_', not digits alone",
                       scenario_quote(&reader->loader, name), SCENARIO_NAME_BYTES_MAX);
    }
    reader->sweep->name = name != NULL ? name : "";
    reader->sweep->about = about != NULL ? about : "";
}

// An axis `path: scenario` names the files, or `scenario` names the one.
static bool has_axis_of_files(const struct sweep_reader *reader)
{
    const struct scenario_node *axes = scenario_node_find(reader->root, "axes");
    const struct scenario_node *axis =
        axes != NULL && axes->kind == SCENARIO_NODE_LIST ? axes->first : NULL;
    for (; axis != NULL; axis = axis->next) {
        const struct scenario_node *path = scenario_node_find(axis, "path");
        if (path != NULL && strcmp(path->text, "scenario") == 0) {
            return true;
        }
    }
    return false;
}

static void read_scenario(struct sweep_reader *reader)
{
    const struct scenario_node *node = scenario_node_find(reader->root, "scenario");
    bool files = has_axis_of_files(reader);
    if (node != NULL && files) {
        scenario_error(&reader->loader, node->key_place,
                       "an axis has the path 'scenario'; leave this key out, or that axis");
        return;
    }
    if (node == NULL && !files) {
        scenario_error(&reader->loader, reader->root->place,
                       "key 'scenario' is missing: the path of the scenario file");
    }
    if (node == NULL || sweep_text(reader, reader->root, "scenario") == NULL) {
        return;
    }
    uint32_t tree = sweep_read_tree(reader, node);
    if (tree != UINT32_MAX) {
        reader->sweep->scenario = reader->trees[tree].path;
    }
}

// --- how often -----------------------------------------------------------------------------------

static void read_half_width(struct sweep_reader *reader, const struct scenario_node *node)
{
    struct scenario_replications *r = &reader->sweep->replications;
    const struct scenario_metric *metric = r->metric;
    static const struct {
        const char *unit;
        enum sweep_unit value;
        const char *example;
    } units[] = {{"ns", SWEEP_UNIT_NS, "5 s"},
                 {"bytes", SWEEP_UNIT_BYTES, "1 mb"},
                 {"count", SWEEP_UNIT_COUNT, "3"},
                 {"nano-usd", SWEEP_UNIT_PRICE, "5000 nano-usd"}};
    if (node->kind != SCENARIO_NODE_SCALAR || metric == NULL) {
        if (metric != NULL) {
            scenario_error(&reader->loader, node->place,
                           "half-width must be a single value, found %s",
                           scenario_node_kind_text(node));
        }
        return;
    }
    struct sweep_quantity quantity = sweep_quantity_parse(node->text);
    const char *example = "";
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].unit, metric->unit) == 0) {
            example = units[i].example;
            r->relative = quantity.unit == SWEEP_UNIT_SHARE;
            if (r->relative || quantity.unit == units[i].value) {
                r->half_width = quantity.number;
            }
        }
    }
    if (r->half_width == 0) {
        scenario_error(&reader->loader, node->place,
                       "'%s' is no half-width of %s; expected a share of the mean such as '2%%', "
                       "or a value such as '%s', more than 0",
                       scenario_quote(&reader->loader, node->text), metric->name, example);
    }
}

static const struct scenario_metric *read_metric(struct sweep_reader *reader,
                                                 const struct scenario_node *map)
{
    struct scenario_loader *loader = &reader->loader;
    struct scenario_nearest nearest;
    const char *name = sweep_text(reader, map, "metric");
    const struct scenario_metric *metric = name != NULL ? scenario_metric_find(name) : NULL;
    if (name == NULL || metric != NULL) {
        return metric;
    }
    scenario_nearest_init(&nearest, name);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        scenario_nearest_offer(&nearest, scenario_metric_at(i)->name);
    }
    const char *hint = nearest.best != NULL ? scenario_nearest_text(loader, &nearest)
                                            : "; 'recoup list metrics' prints them";
    scenario_error(loader, scenario_node_find(map, "metric")->place, "unknown metric '%s'%s",
                   scenario_quote(loader, name), hint);
    return NULL;
}

static void read_until(struct sweep_reader *reader, const struct scenario_node *map)
{
    struct scenario_replications *r = &reader->sweep->replications;
    if (!sweep_check_keys(reader, SWEEP_UNTIL, map)) {
        return;
    }
    r->metric = read_metric(reader, map);
    const struct scenario_node *width = scenario_node_find(map, "half-width");
    if (width != NULL) {
        read_half_width(reader, width);
    }
    (void)sweep_scalar(reader, SWEEP_UNTIL, map, "confidence", &r->confidence_nano);
    bool extra = r->metric != NULL && (strcmp(r->metric->name, "delay") == 0 ||
                                       strcmp(r->metric->name, "faultless-makespan") == 0);
    if (extra && !reader->sweep->measure_delay) {
        scenario_error(&reader->loader, scenario_node_find(map, "metric")->place,
                       "%s needs a second run without faults; add 'measure: [delay]'",
                       r->metric->name);
    }
}

static void read_sequential(struct sweep_reader *reader, const struct scenario_node *map)
{
    struct scenario_replications *r = &reader->sweep->replications;
    int64_t at_least = AT_LEAST_DEFAULT;
    int64_t at_most = 0;
    r->until = true;
    if (!sweep_check_keys(reader, SWEEP_REPLICATIONS, map)) {
        return;
    }
    const struct scenario_node *until = scenario_node_find(map, "until");
    if (until != NULL) {
        read_until(reader, until);
    }
    bool given = sweep_scalar(reader, SWEEP_REPLICATIONS, map, "at-least", &at_least);
    bool bounded = sweep_scalar(reader, SWEEP_REPLICATIONS, map, "at-most", &at_most);
    if (bounded && at_most < at_least) {
        scenario_error(&reader->loader, scenario_node_find(map, "at-most")->place,
                       "at-most is less than at-least, which is %" PRId64 "%s", at_least,
                       given ? "" : " where it is not given");
    }
    int64_t batch = at_least;
    (void)sweep_scalar(reader, SWEEP_REPLICATIONS, map, "batch", &batch);
    r->at_least = (uint32_t)at_least;
    r->at_most = (uint32_t)at_most;
    r->batch = (uint32_t)batch;
}

static void read_replications(struct sweep_reader *reader)
{
    struct scenario_replications *r = &reader->sweep->replications;
    const struct scenario_node *node = scenario_node_find(reader->root, "replications");
    int64_t count = REPLICATIONS_DEFAULT;
    const char *canonical;
    r->confidence_nano = CONFIDENCE_DEFAULT;
    if (node != NULL && node->kind == SCENARIO_NODE_MAP) {
        read_sequential(reader, node);
        return;
    }
    const struct scenario_option option = {.section = SCENARIO_SECTION_ROOT,
                                           .key = "replications",
                                           .type = SCENARIO_COUNT32,
                                           .min = 1,
                                           .max = SCENARIO_SWEEP_REPLICATIONS_MAX};
    if (node != NULL) {
        (void)scenario_bind_scalar(&reader->loader, &option, node, &count, &canonical);
    }
    r->at_least = r->at_most = r->batch = (uint32_t)count;
}

static void read_measure(struct sweep_reader *reader)
{
    const struct scenario_node *list = scenario_node_find(reader->root, "measure");
    if (list == NULL) {
        return;
    }
    if (list->kind != SCENARIO_NODE_LIST) {
        scenario_error(&reader->loader, list->place, "measure must be a list such as [delay]");
        return;
    }
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        if (strcmp(item->text, "delay") != 0) {
            scenario_error(&reader->loader, item->place,
                           "'%s' is nothing that needs extra runs; expected delay",
                           scenario_quote(&reader->loader, item->text));
        }
        reader->sweep->measure_delay = true;
    }
}

// --- limits --------------------------------------------------------------------------------------

// A limit is the scenario's own key, so it is part of what a point is.
static void limit_add(struct sweep_reader *reader, const struct scenario_node *map, const char *key,
                      const char *path)
{
    struct scenario_memory *memory = &reader->loader.memory;
    const struct scenario_node *node = scenario_node_find(map, key);
    int64_t value;
    if (!sweep_scalar(reader, SWEEP_LIMITS, map, key, &value)) {
        return;
    }
    struct scenario_change *change = scenario_allocate(memory, sizeof(*change));
    *change = (struct scenario_change){path, node->key_place, node};
    reader->limits[reader->n_limits] = change;
    reader->limit_sets[reader->n_limits] =
        scenario_print(memory, "%s=%s", path, scenario_node_text(&reader->loader, node));
    reader->n_limits++;
}

static void read_limits(struct sweep_reader *reader)
{
    const struct scenario_node *map = scenario_node_find(reader->root, "limits");
    if (map == NULL || !sweep_check_keys(reader, SWEEP_LIMITS, map)) {
        return;
    }
    limit_add(reader, map, "virtual-time", "stop-at");
    limit_add(reader, map, "events", "events-max");
    (void)sweep_scalar(reader, SWEEP_LIMITS, map, "wall-time", &reader->sweep->wall_time_ns);
    (void)sweep_scalar(reader, SWEEP_LIMITS, map, "memory", &reader->sweep->memory_bytes);
}

static void read_random(struct sweep_reader *reader)
{
    int64_t version;
    int64_t independent = 0;
    int64_t seed = 1;
    (void)sweep_scalar(reader, SWEEP_ROOT, reader->root, "version", &version);
    (void)sweep_scalar(reader, SWEEP_ROOT, reader->root, "random-numbers", &independent);
    (void)sweep_scalar(reader, SWEEP_ROOT, reader->root, "seed", &seed);
    reader->sweep->common = independent == 0;
    reader->sweep->seed = (uint64_t)seed;
}

static void read_where(struct sweep_reader *reader)
{
    const struct scenario_node *node = scenario_node_find(reader->root, "where");
    reader->sweep->where_text = "";
    if (node == NULL) {
        return;
    }
    if (sweep_text(reader, reader->root, "where") != NULL) {
        reader->sweep->where_text = node->text;
        reader->where = sweep_where_compile(&reader->loader, reader, node);
    }
}

static const struct scenario_node *list_of(struct sweep_reader *reader, const char *key)
{
    const struct scenario_node *list = scenario_node_find(reader->root, key);
    if (list != NULL && list->kind != SCENARIO_NODE_LIST) {
        scenario_error(&reader->loader, list->place, "%s must be a list, found %s", key,
                       scenario_node_kind_text(list));
        return NULL;
    }
    if (list != NULL && list->count == 0) {
        scenario_error(&reader->loader, list->place, "%s is empty; leave the key out", key);
    }
    return list;
}

void sweep_read(struct sweep_reader *reader)
{
    struct scenario_sweep *sweep = reader->sweep;
    sweep->scenario = "";
    if (!sweep_check_keys(reader, SWEEP_ROOT, reader->root)) {
        return;
    }
    read_names(reader);
    read_random(reader);
    read_measure(reader);
    read_replications(reader);
    read_limits(reader);
    read_scenario(reader);
    const struct scenario_node *axes = list_of(reader, "axes");
    const struct scenario_node *points = list_of(reader, "points");
    const struct scenario_node *sobol = scenario_node_find(reader->root, "sobol");
    if (axes != NULL) {
        sweep_read_axes(reader, axes);
    }
    if (sobol != NULL) {
        sweep_read_sobol(reader, sobol);
    }
    if (reader->loader.errors_total != 0) {
        return;
    }
    if (points != NULL) {
        sweep_read_points(reader, points);
    }
    sweep_type_axes(reader);
    if (reader->loader.errors_total == 0) {
        read_where(reader);
    }
}
