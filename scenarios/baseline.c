// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "scenarios/loader.h"

#define RUN_KEYS 7u

struct reader {
    struct scenario_loader *loader;
    struct scenario_baseline *baseline;
};

// --- keys and values -----------------------------------------------------------------------------

// Every key of `map` is one of `keys` ("a|b|c"), and those of the first `required` are all there.
static bool check_keys(struct reader *r, const struct scenario_node *map, const char *what,
                       const char *const *keys, uint32_t n_keys, uint32_t required)
{
    bool good = true;
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(r->loader, map->place, "%s must be a map, found %s", what,
                       scenario_node_kind_text(map));
        return false;
    }
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        struct scenario_nearest nearest;
        bool known = false;
        scenario_nearest_init(&nearest, child->key);
        for (uint32_t i = 0; i < n_keys; i++) {
            known = known || strcmp(keys[i], child->key) == 0;
            scenario_nearest_offer(&nearest, keys[i]);
        }
        if (!known) {
            scenario_error(r->loader, child->key_place, "unknown key '%s'%s",
                           scenario_quote(r->loader, child->key),
                           scenario_nearest_text(r->loader, &nearest));
            good = false;
        }
    }
    for (uint32_t i = 0; i < required; i++) {
        if (scenario_node_find(map, keys[i]) == NULL) {
            scenario_error(r->loader, map->place, "%s lacks '%s'", what, keys[i]);
            good = false;
        }
    }
    return good;
}

static const char *scalar(struct reader *r, const struct scenario_node *map, const char *key)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    if (node == NULL || node->kind != SCENARIO_NODE_SCALAR) {
        if (node != NULL) {
            scenario_error(r->loader, node->place, "%s must be a single value, found %s", key,
                           scenario_node_kind_text(node));
        }
        return "";
    }
    return node->text;
}

static int64_t integer(struct reader *r, const struct scenario_node *node, int64_t min)
{
    int64_t value = 0;
    if (node == NULL) {
        return 0; // reported as missing
    }
    bool scalar_node = node->kind == SCENARIO_NODE_SCALAR;
    bool negative = scalar_node && node->text[0] == '-';
    bool good = scalar_node && scenario_units_integer(node->text + (negative ? 1 : 0), &value) ==
                                   SCENARIO_UNITS_OK;
    value = negative ? -value : value;
    if (!good || value < min) {
        scenario_error(r->loader, node->place, "expected an integer from %lld on, found %s%s%s",
                       (long long)min, scalar_node ? "'" : "",
                       scalar_node ? scenario_quote(r->loader, node->text)
                                   : scenario_node_kind_text(node),
                       scalar_node ? "'" : "");
        return 0;
    }
    return value;
}

static bool is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static void digest(struct reader *r, const struct scenario_node *map, const char *key,
                   char out[SCENARIO_BASELINE_DIGEST])
{
    const struct scenario_node *node = scenario_node_find(map, key);
    const char *text = scalar(r, map, key);
    if (node == NULL || node->kind != SCENARIO_NODE_SCALAR) {
        return; // reported
    }
    if (!is_hex(text, SCENARIO_BASELINE_DIGEST - 1)) {
        scenario_error(r->loader, node->place,
                       "%s must be 32 hexadecimal digits in lower case, found '%s'", key,
                       scenario_quote(r->loader, text));
        return;
    }
    memcpy(out, text, SCENARIO_BASELINE_DIGEST);
}

// The list below `key`; NULL after an error.
static const struct scenario_node *list_of(struct reader *r, const struct scenario_node *map,
                                           const char *key, uint32_t max)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    if (node == NULL) {
        return NULL; // reported
    }
    if (node->kind != SCENARIO_NODE_LIST) {
        scenario_error(r->loader, node->place, "%s must be a list, found %s", key,
                       scenario_node_kind_text(node));
        return NULL;
    }
    if (node->count > max) {
        scenario_error(r->loader, node->place, "%s may hold %u elements at most, found %u", key,
                       (unsigned)max, (unsigned)node->count);
        return NULL;
    }
    return node;
}

// --- parts ---------------------------------------------------------------------------------------

static void read_reasons(struct reader *r, const struct scenario_node *root)
{
    static const char *const keys[] = {"recoup", "why"};
    const struct scenario_node *list = list_of(r, root, "reasons", SCENARIO_BASELINE_REASONS_MAX);
    if (list == NULL || list->count == 0) {
        return;
    }
    struct scenario_baseline_reason *reasons =
        scenario_allocate_array(&r->loader->memory, list->count, sizeof(*reasons));
    uint32_t n = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        if (check_keys(r, item, "a reason", keys, 2, 2)) {
            reasons[n].recoup = scalar(r, item, "recoup");
            reasons[n++].why = scalar(r, item, "why");
        }
    }
    r->baseline->reasons = reasons;
    r->baseline->n_reasons = n;
}

static uint32_t hex32(const char *text)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < 8; i++) {
        char c = text[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static void read_points(struct reader *r, const struct scenario_node *item,
                        struct scenario_baseline_run *run)
{
    const struct scenario_node *list = list_of(r, item, "points", SCENARIO_BASELINE_POINTS_MAX);
    if (list == NULL || list->count == 0) {
        return;
    }
    struct scenario_baseline_point *points =
        scenario_allocate_array(&r->loader->memory, list->count, sizeof(*points));
    uint32_t n = 0;
    for (const struct scenario_node *node = list->first; node != NULL; node = node->next) {
        if (node->kind != SCENARIO_NODE_SCALAR || !is_hex(node->text, 16)) {
            scenario_error(r->loader, node->place,
                           "a point must be 16 hexadecimal digits in lower case");
            continue;
        }
        points[n].events = run->spacing * (n + 1);
        points[n].order = hex32(node->text);
        points[n].behaviour = hex32(node->text + 8);
        n++;
    }
    run->points = points;
    run->n_points = n;
}

static void read_state(struct reader *r, const struct scenario_node *item,
                       struct scenario_baseline_run *run)
{
    const struct scenario_node *node = scenario_node_find(item, "state");
    const char *text = scalar(r, item, "state");
    for (int state = MODEL_JOB_FINISHED; state <= MODEL_JOB_TIMEOUT; state++) {
        if (strcmp(model_job_state_name((enum model_job_state)state), text) == 0) {
            run->state = (enum model_job_state)state;
            return;
        }
    }
    if (node != NULL) {
        scenario_error(r->loader, node->place,
                       "state must be FINISHED, FAILED, SUSPENDED or TIMEOUT, not '%s'",
                       scenario_quote(r->loader, text));
    }
}

static void read_layers(struct reader *r, const struct scenario_node *item,
                        struct scenario_baseline_run *run)
{
    static const char *const names[] = {"F1", "F2", "F3", "F4", "F5", "F6"};
    const struct scenario_node *map = scenario_node_find(item, "layers");
    if (map != NULL && check_keys(r, map, "layers", names, 6, 6)) {
        for (uint32_t i = 0; i < 6; i++) {
            digest(r, map, names[i], run->layers[i]);
        }
    }
}

static void read_run(struct reader *r, const struct scenario_node *item,
                     struct scenario_baseline_run *run)
{
    static const char *const keys[RUN_KEYS] = {"seed",   "state",   "events", "fingerprint",
                                               "layers", "spacing", "points"};
    if (!check_keys(r, item, "a run", keys, RUN_KEYS, RUN_KEYS)) {
        return;
    }
    run->seed = (uint64_t)integer(r, scenario_node_find(item, "seed"), 0);
    run->events = (uint64_t)integer(r, scenario_node_find(item, "events"), 0);
    run->spacing = (uint64_t)integer(r, scenario_node_find(item, "spacing"), 1);
    if (run->spacing > (uint64_t)INT64_MAX / SCENARIO_BASELINE_POINTS_MAX) {
        scenario_error(r->loader, scenario_node_find(item, "spacing")->place,
                       "spacing is too large");
        run->spacing = 1;
    }
    read_state(r, item, run);
    digest(r, item, "fingerprint", run->fingerprint);
    read_layers(r, item, run);
    read_points(r, item, run);
}

static void read_runs(struct reader *r, const struct scenario_node *root)
{
    const struct scenario_node *list = list_of(r, root, "runs", SCENARIO_BASELINE_RUNS_MAX);
    if (list == NULL) {
        return;
    }
    if (list->count == 0) {
        scenario_error(r->loader, list->place, "runs must hold at least one run");
        return;
    }
    struct scenario_baseline_run *runs =
        scenario_allocate_array(&r->loader->memory, list->count, sizeof(*runs));
    r->baseline->runs = runs;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        struct scenario_baseline_run *run = &runs[r->baseline->n_runs];
        read_run(r, item, run);
        if (scenario_baseline_run(r->baseline, run->seed) < r->baseline->n_runs) {
            scenario_error(r->loader, item->place, "there are two runs with seed %llu",
                           (unsigned long long)run->seed);
        }
        r->baseline->n_runs++;
    }
}

static const int64_t *read_values(struct reader *r, const struct scenario_node *map)
{
    const struct scenario_node *list = list_of(r, map, "values", SCENARIO_BASELINE_RUNS_MAX);
    uint32_t n = 0;
    if (list == NULL || r->baseline->n_runs == 0) {
        return NULL;
    }
    if (list->count != r->baseline->n_runs) {
        scenario_error(r->loader, list->place, "expected one value a run, %u, found %u",
                       (unsigned)r->baseline->n_runs, (unsigned)list->count);
        return NULL;
    }
    int64_t *values = scenario_allocate_array(&r->loader->memory, list->count, sizeof(*values));
    for (const struct scenario_node *node = list->first; node != NULL; node = node->next) {
        values[n++] = integer(r, node, INT64_MIN);
    }
    return values;
}

static void read_metric(struct reader *r, const struct scenario_node *node,
                        struct scenario_baseline_metric *metric)
{
    static const char *const keys[] = {"values", "better", "tolerance", "gate"};
    if (!check_keys(r, node, node->key, keys, 4, 1)) {
        return;
    }
    const struct scenario_node *better = scenario_node_find(node, "better");
    const struct scenario_node *tolerance = scenario_node_find(node, "tolerance");
    const struct scenario_node *gate = scenario_node_find(node, "gate");
    metric->better = metric->metric->better[0] != '\0' ? metric->metric->better : "neither";
    metric->gate = true;
    metric->values = read_values(r, node);
    if (better != NULL) {
        const char *text = scalar(r, node, "better");
        if (scenario_choice_index("lower|higher|neither", text, false) < 0) {
            scenario_error(r->loader, better->place, "better must be lower, higher or neither");
        }
        metric->better = text;
    }
    if (tolerance != NULL && (scenario_units_share(scalar(r, node, "tolerance"),
                                                   &metric->tolerance_nano) != SCENARIO_UNITS_OK ||
                              metric->tolerance_nano < 0)) {
        scenario_error(r->loader, tolerance->place,
                       "tolerance must be a percentage such as '2.5%%' of the accepted value");
    }
    if (gate != NULL) {
        int choice = scenario_choice_index("false|true", scalar(r, node, "gate"), false);
        if (choice < 0) {
            scenario_error(r->loader, gate->place, "gate must be true or false");
        }
        metric->gate = choice == 1;
    }
}

static void read_metrics(struct reader *r, const struct scenario_node *root)
{
    const struct scenario_node *map = scenario_node_find(root, "metrics");
    if (map == NULL) {
        return; // reported
    }
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(r->loader, map->place, "metrics must be a map, found %s",
                       scenario_node_kind_text(map));
        return;
    }
    if (map->count == 0) {
        return;
    }
    struct scenario_baseline_metric *metrics =
        scenario_allocate_array(&r->loader->memory, map->count, sizeof(*metrics));
    r->baseline->metrics = metrics;
    for (const struct scenario_node *node = map->first; node != NULL; node = node->next) {
        struct scenario_nearest nearest;
        const struct scenario_metric *known = scenario_metric_find(node->key);
        if (known != NULL && strcmp(known->name, node->key) == 0) {
            metrics[r->baseline->n_metrics].metric = known;
            read_metric(r, node, &metrics[r->baseline->n_metrics++]);
            continue;
        }
        scenario_nearest_init(&nearest, node->key);
        for (uint32_t i = 0; i < scenario_metric_count(); i++) {
            scenario_nearest_offer(&nearest, scenario_metric_at(i)->name);
        }
        scenario_error(r->loader, node->key_place, "unknown metric '%s'%s",
                       scenario_quote(r->loader, node->key),
                       scenario_nearest_text(r->loader, &nearest));
    }
}

static void read_baseline(struct reader *r, const struct scenario_node *root)
{
    static const char *const keys[] = {"version", "baseline", "scenario", "recoup",
                                       "reasons", "runs",     "metrics"};
    struct scenario_baseline *baseline = r->baseline;
    const struct scenario_node *version = scenario_node_find(root, "version");
    if (version != NULL && integer(r, version, 1) != 1) {
        scenario_error(r->loader, version->place,
                       "version must be 1; a newer recoup may have written this");
        return;
    }
    if (!check_keys(r, root, "a baseline", keys, 7, 7)) {
        return;
    }
    baseline->name = scalar(r, root, "baseline");
    baseline->recoup = scalar(r, root, "recoup");
    digest(r, root, "scenario", baseline->scenario);
    read_reasons(r, root);
    read_runs(r, root);
    read_metrics(r, root);
}

// --- the whole -----------------------------------------------------------------------------------

static void load(struct reader *r, const char *path, const char *text, size_t size)
{
    struct scenario_loader *loader = r->loader;
    const struct scenario_file *file =
        text == NULL
            ? scenario_file_read(loader, path, path, SCENARIO_FILE_BYTES_MAX, scenario_no_place())
            : scenario_file_text(loader, path, "", text, size);
    const struct scenario_node *root =
        file != NULL ? scenario_tree_parse(loader, file, SCENARIO_GIVEN, SCENARIO_TREE_FILE) : NULL;
    if (root != NULL) {
        read_baseline(r, root);
    }
}

static int out_of_memory(struct scenario_baseline *baseline)
{
    scenario_release(&baseline->holder);
    memset(baseline, 0, sizeof(*baseline));
    return SCENARIO_ENOMEM;
}

// Loads with the memory that is set up. What fails in it ends here.
static int load_guarded(struct scenario_loader *loader, struct scenario_baseline *baseline,
                        const char *path, const char *text, size_t size)
{
    if (setjmp(loader->memory.out) != 0) {
        return out_of_memory(baseline);
    }
    baseline->path = scenario_copy_text(&loader->memory, path);
    baseline->holder.path = baseline->path;
    baseline->name = baseline->recoup = "";
    struct reader r = {loader, baseline};
    load(&r, baseline->path, text, size);
    scenario_messages_publish(loader);
    return loader->errors_total == 0 ? SCENARIO_OK : SCENARIO_INVALID;
}

static int load_or_parse(struct scenario_baseline *baseline, const char *path, const char *text,
                         size_t size)
{
    memset(baseline, 0, sizeof(*baseline));
    struct scenario_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL) {
        return SCENARIO_ENOMEM;
    }
    scenario_memory_init(&loader->memory);
    loader->scenario = &baseline->holder;
    baseline->holder.memory = loader;
    return load_guarded(loader, baseline, path, text, size);
}

int scenario_baseline_load(struct scenario_baseline *baseline, const char *path)
{
    return load_or_parse(baseline, path, NULL, 0);
}

int scenario_baseline_parse(struct scenario_baseline *baseline, const char *file, const char *text,
                            size_t size)
{
    return load_or_parse(baseline, file, text, size);
}

void scenario_baseline_release(struct scenario_baseline *baseline)
{
    scenario_release(&baseline->holder);
    memset(baseline, 0, sizeof(*baseline));
}

const struct scenario_baseline_metric *
scenario_baseline_metric(const struct scenario_baseline *baseline, const char *name)
{
    for (uint32_t i = 0; i < baseline->n_metrics; i++) {
        if (strcmp(baseline->metrics[i].metric->name, name) == 0) {
            return &baseline->metrics[i];
        }
    }
    return NULL;
}

uint32_t scenario_baseline_run(const struct scenario_baseline *baseline, uint64_t seed)
{
    uint32_t i = 0;
    while (i < baseline->n_runs && baseline->runs[i].seed != seed) {
        i++;
    }
    return i;
}
