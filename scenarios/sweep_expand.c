// SPDX-License-Identifier: GPL-3.0-or-later
//
// From axes to points: every combination that `where` leaves, and every single point, is resolved
// as the scenario that it is. What is wrong with one is reported where the value stands.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

#define CHANGES_MAX (2u + SCENARIO_SWEEP_AXES_MAX * (SCENARIO_SWEEP_WITH_MAX + 1u))
#define BAD_POINTS_MAX 64u // then no more are looked at
#define RUNS_MAX UINT64_C(10000000)

// --- loading -------------------------------------------------------------------------------------

static struct scenario_source source_of(const struct sweep_reader *reader, uint32_t tree)
{
    const struct sweep_tree *t = &reader->trees[tree];
    return (struct scenario_source){.path = t->path,
                                    .folder = t->folder,
                                    .root = t->root,
                                    .secrets = reader->loader.secrets,
                                    .files = reader->loader.files,
                                    .changes_file = reader->file};
}

int sweep_load_change(const struct sweep_reader *reader, uint32_t tree,
                      const struct scenario_change *change, struct scenario *scenario)
{
    struct scenario_source source = source_of(reader, tree);
    source.changes = &change;
    source.n_changes = 1;
    return scenario_load_source(scenario, &source);
}

static uint32_t tree_of(const struct sweep_reader *reader, const uint32_t *values)
{
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        if (reader->axes[a].files) {
            return reader->axes[a].values[values[a]].tree;
        }
    }
    return 0;
}

int sweep_load_values(const struct sweep_reader *reader, const uint32_t *values,
                      const uint64_t *seed, struct scenario *scenario)
{
    const struct scenario_change *changes[CHANGES_MAX];
    struct scenario_source source = source_of(reader, tree_of(reader, values));
    for (uint32_t i = 0; i < reader->n_limits; i++) {
        changes[source.n_changes++] = reader->limits[i];
    }
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        const struct sweep_axis *axis = &reader->axes[a];
        const struct sweep_value *value = &axis->values[values[a]];
        for (uint32_t i = 0; !axis->files && i <= axis->n_with; i++) {
            changes[source.n_changes++] = value->changes[i];
        }
    }
    source.changes = changes;
    source.seed_given = seed != NULL;
    source.seed = seed != NULL ? *seed : 0;
    return scenario_load_source(scenario, &source);
}

// --- points --------------------------------------------------------------------------------------

struct combinations {
    struct sweep_reader *reader;
    struct scenario_point *points, *excluded;
    uint32_t n_points, n_excluded, points_capacity, excluded_capacity;
    uint32_t n_bad;
};

static struct scenario_point *point_add(struct scenario_loader *loader,
                                        struct scenario_point **points, uint32_t *count,
                                        uint32_t *capacity)
{
    if (*count == *capacity) {
        uint32_t more = *capacity == 0 ? 64 : *capacity * 2;
        struct scenario_point *grown =
            scenario_allocate_array(&loader->memory, more, sizeof(*grown));
        if (*count != 0) {
            memcpy(grown, *points, *count * sizeof(*grown));
        }
        *points = grown;
        *capacity = more;
    }
    return &(*points)[(*count)++];
}

static const char *label_of(struct sweep_reader *reader, const uint32_t *values)
{
    struct scenario_memory *memory = &reader->loader.memory;
    struct scenario_buffer text = {0};
    if (reader->n_axes == 0) {
        return "all";
    }
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        scenario_buffer_print(memory, &text, "%s%s=%s", a == 0 ? "" : ", ", reader->axes[a].name,
                              reader->axes[a].values[values[a]].label);
    }
    return text.text;
}

static void fill_sets(struct sweep_reader *reader, struct scenario_point *point)
{
    uint32_t count = reader->n_limits;
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        count += reader->axes[a].n_with + 1;
    }
    const char **sets = scenario_allocate_array(&reader->loader.memory, count, sizeof(*sets));
    for (uint32_t i = 0; i < reader->n_limits; i++) {
        sets[point->n_sets++] = reader->limit_sets[i];
    }
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        const struct sweep_axis *axis = &reader->axes[a];
        for (uint32_t i = 0; !axis->files && i <= axis->n_with; i++) {
            sets[point->n_sets++] = axis->values[point->values[a]].sets[i];
        }
    }
    point->sets = sets;
    point->scenario = reader->trees[tree_of(reader, point->values)].path;
}

// Adds a combination, to the points or to what `where` leaves out. False when there are too many.
static bool combination_add(struct combinations *c, const uint32_t *values, bool explicit_one)
{
    struct sweep_reader *reader = c->reader;
    struct scenario_loader *loader = &reader->loader;
    bool holds = reader->where == NULL || sweep_where_holds(reader->where, reader, values);
    if (holds && c->n_points == SCENARIO_SWEEP_POINTS_MAX) {
        scenario_error(loader, scenario_file_place(reader->file), "more than %u points",
                       SCENARIO_SWEEP_POINTS_MAX);
        return false;
    }
    if (!holds && explicit_one) {
        return true; // reported by the caller
    }
    struct scenario_point *point =
        holds ? point_add(loader, &c->points, &c->n_points, &c->points_capacity)
              : point_add(loader, &c->excluded, &c->n_excluded, &c->excluded_capacity);
    uint32_t *copy = scenario_allocate_array(&loader->memory, reader->n_axes + 1, sizeof(*copy));
    if (reader->n_axes != 0) {
        memcpy(copy, values, reader->n_axes * sizeof(*copy));
    }
    point->values = copy;
    point->label = label_of(reader, copy);
    point->sets = NULL;
    point->n_sets = 0;
    fill_sets(reader, point);
    return true;
}

// Samples move together: all but their first axis follow it.
static bool follows(const struct sweep_reader *reader, uint32_t axis)
{
    return reader->axes[axis].sampled && axis > 0 && reader->axes[axis - 1].sampled;
}

static bool product_fits(struct sweep_reader *reader)
{
    uint64_t product = 1;
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        product *= follows(reader, a) ? 1 : reader->axes[a].n_listed;
        if (product > SCENARIO_SWEEP_PRODUCT_MAX) {
            scenario_error(&reader->loader, scenario_file_place(reader->file),
                           "the axes have more than %u combinations", SCENARIO_SWEEP_PRODUCT_MAX);
            return false;
        }
    }
    return true;
}

// Counts through all combinations, the last axis fastest.
static void add_product(struct combinations *c)
{
    struct sweep_reader *reader = c->reader;
    uint32_t values[SCENARIO_SWEEP_AXES_MAX] = {0};
    bool more = product_fits(reader);
    while (more) {
        for (uint32_t a = 1; a < reader->n_axes; a++) {
            values[a] = follows(reader, a) ? values[a - 1] : values[a];
        }
        if (!combination_add(c, values, false)) {
            return;
        }
        more = false;
        for (uint32_t a = reader->n_axes; a > 0 && !more; a--) {
            if (!follows(reader, a - 1) && ++values[a - 1] < reader->axes[a - 1].n_listed) {
                more = true;
            } else {
                values[a - 1] = 0;
            }
        }
    }
}

static void add_explicit(struct combinations *c)
{
    struct sweep_reader *reader = c->reader;
    for (uint32_t i = 0; i < reader->n_explicits; i++) {
        const struct sweep_explicit *point = &reader->explicits[i];
        uint32_t before = c->n_points;
        if (!combination_add(c, point->values, true)) {
            return;
        }
        if (c->n_points == before) {
            char why[512];
            (void)sweep_where_explain(reader->where, reader, point->values, why, sizeof(why));
            scenario_error(&reader->loader, point->map->place, "'where' leaves out this point: %s",
                           why);
        }
    }
}

// --- resolving -----------------------------------------------------------------------------------

// Errors of the sweep file stay what they are; those of other files say which point found them.
static void take_errors(struct combinations *c, const struct scenario_point *point,
                        const struct scenario *scenario)
{
    struct scenario_loader *loader = &c->reader->loader;
    for (uint32_t i = 0; i < scenario->n_errors; i++) {
        struct scenario_message message = scenario->errors[i];
        bool own = message.line != 0 && strcmp(message.file, c->reader->file->name) == 0;
        if (!own && c->n_bad > 0) {
            continue; // most likely the same again, at each point
        }
        if (!own && c->reader->n_axes > 0) {
            message.text =
                scenario_print(&loader->memory, "%s (at the point %s)", message.text, point->label);
        }
        scenario_error_take(loader, &message, !own);
    }
    c->n_bad++;
}

void sweep_release_scenario(void *scenario)
{
    scenario_release(scenario);
}

static void resolve(struct combinations *c, struct scenario_point *point)
{
    struct scenario_loader *loader = &c->reader->loader;
    struct scenario scenario;
    int status = sweep_load_values(c->reader, point->values, NULL, &scenario);
    if (status == SCENARIO_ENOMEM) {
        scenario_release(&scenario);
        scenario_out_of_memory(&loader->memory);
    }
    // A jump out of here would lose the scenario, were it not for this.
    loader->memory.cleanup = sweep_release_scenario;
    loader->memory.cleanup_context = &scenario;
    for (uint32_t i = 0; i < scenario.n_warnings; i++) {
        scenario_warning_take(loader, &scenario.warnings[i]);
    }
    if (status == SCENARIO_OK) {
        scenario_point_key(scenario.canonical, point->key);
    } else {
        take_errors(c, point, &scenario);
    }
    loader->memory.cleanup = NULL;
    scenario_release(&scenario);
}

// --- equal points --------------------------------------------------------------------------------

// Two points that are one scenario: some value changes nothing. Reported at the first value of the
// later point in which they differ.
static void report_equal(struct combinations *c, const struct scenario_point *first,
                         const struct scenario_point *second, uint32_t index)
{
    struct sweep_reader *reader = c->reader;
    struct scenario_loader *loader = &reader->loader;
    uint32_t axis = 0;
    uint32_t differ = 0;
    for (uint32_t a = reader->n_axes; a > 0; a--) {
        if (first->values[a - 1] != second->values[a - 1]) {
            axis = a - 1;
            differ++;
        }
    }
    if (differ == 0) {
        uint32_t from = c->n_points - reader->n_explicits;
        scenario_error(loader, reader->explicits[index - from].map->place,
                       "the point %s is there already", second->label);
        return;
    }
    const struct sweep_value *value = &reader->axes[axis].values[second->values[axis]];
    scenario_error(loader, value->node->place,
                   "this value changes nothing: %s is the same scenario as %s", second->label,
                   first->label);
}

static void find_equal(struct combinations *c)
{
    struct scenario_loader *loader = &c->reader->loader;
    uint32_t buckets = 16;
    bool reported = false;
    while (buckets < 2 * c->n_points) {
        buckets *= 2;
    }
    uint32_t *table = scenario_allocate_array(&loader->memory, buckets, sizeof(*table));
    for (uint32_t i = 0; i < c->n_points && !reported; i++) {
        uint32_t at = 0;
        for (uint32_t k = 0; k < 8; k++) {
            at = at * 31 + (uint32_t)(unsigned char)c->points[i].key[k];
        }
        for (at %= buckets; table[at] != 0; at = (at + 1) % buckets) {
            const struct scenario_point *other = &c->points[table[at] - 1];
            if (strcmp(other->key, c->points[i].key) == 0) {
                report_equal(c, other, &c->points[i], i);
                reported = true;
                break;
            }
        }
        table[at] = reported ? table[at] : i + 1;
    }
}

// --- what comes out ------------------------------------------------------------------------------

static enum scenario_axis_kind kind_of(enum sweep_unit unit)
{
    switch (unit) {
    case SWEEP_UNIT_TEXT:
        return SCENARIO_AXIS_TEXT;
    case SWEEP_UNIT_NS:
        return SCENARIO_AXIS_NS;
    case SWEEP_UNIT_BYTES:
    case SWEEP_UNIT_RATE:
        return SCENARIO_AXIS_BYTES;
    case SWEEP_UNIT_PRICE:
    case SWEEP_UNIT_COUNT:
        return SCENARIO_AXIS_COUNT;
    case SWEEP_UNIT_DECIMAL:
    case SWEEP_UNIT_SHARE:
        return SCENARIO_AXIS_NANO;
    }
    return SCENARIO_AXIS_TEXT;
}

static void publish_axes(struct sweep_reader *reader)
{
    static const char *const units[] = {"", "ns", "b", "b/s", "nano-usd", "", "", "%"};
    struct scenario_memory *memory = &reader->loader.memory;
    struct scenario_axis *axes = scenario_allocate_array(memory, reader->n_axes + 1, sizeof(*axes));
    for (uint32_t a = 0; a < reader->n_axes; a++) {
        const struct sweep_axis *from = &reader->axes[a];
        struct scenario_axis_value *values =
            scenario_allocate_array(memory, from->n_values, sizeof(*values));
        for (uint32_t i = 0; i < from->n_values; i++) {
            const struct sweep_value *value = &from->values[i];
            values[i] = (struct scenario_axis_value){
                value->text, value->label, value->quantity.number, value->node->place.line};
        }
        axes[a] = (struct scenario_axis){from->name,        from->path,    kind_of(from->unit),
                                         units[from->unit], from->sampled, values,
                                         from->n_values};
    }
    reader->sweep->axes = axes;
    reader->sweep->n_axes = reader->n_axes;
}

static void check_runs(struct sweep_reader *reader, uint32_t n_points)
{
    const struct scenario_node *node = scenario_node_find(reader->root, "replications");
    uint64_t runs = (uint64_t)n_points * reader->sweep->replications.at_most;
    if (runs > RUNS_MAX) {
        scenario_error(&reader->loader, node != NULL ? node->place : reader->root->place,
                       "%u points and %u replications are %" PRIu64 " runs; at most %" PRIu64,
                       (unsigned)n_points, (unsigned)reader->sweep->replications.at_most, runs,
                       RUNS_MAX);
    }
}

void sweep_expand(struct sweep_reader *reader)
{
    struct scenario_loader *loader = &reader->loader;
    struct combinations c = {.reader = reader};
    bool product = reader->n_axes == 0 || reader->axes[0].n_listed > 0;
    if (product) {
        add_product(&c);
    }
    add_explicit(&c);
    if (c.n_points == 0 && loader->errors_total == 0) {
        scenario_error(loader, scenario_node_find(reader->root, "where")->place,
                       "no point is left: this is false for all %u combinations",
                       (unsigned)c.n_excluded);
    }
    if (loader->errors_total != 0) {
        return;
    }
    check_runs(reader, c.n_points);
    for (uint32_t i = 0; i < c.n_points && c.n_bad < BAD_POINTS_MAX; i++) {
        resolve(&c, &c.points[i]);
    }
    if (loader->errors_total == 0) {
        find_equal(&c);
    }
    publish_axes(reader);
    reader->sweep->points = c.points;
    reader->sweep->n_points = c.n_points;
    reader->sweep->excluded = c.excluded;
    reader->sweep->n_excluded = c.n_excluded;
}
