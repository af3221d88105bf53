// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect: the job's final state, findings, and bounds of metrics.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"
#include "scenarios/metrics.h"

// Invariants are a letter and a number; this many of each letter are defined.
static const struct {
    char letter;
    uint32_t count;
} invariants[] = {{'S', 16}, {'N', 6}, {'R', 12}, {'T', 10},
                  {'W', 6},  {'L', 5}, {'M', 9},  {'A', 4}};

static bool is_invariant(const char *id)
{
    int64_t number = 0;
    for (size_t i = 0; i < sizeof(invariants) / sizeof(invariants[0]); i++) {
        if (id[0] == invariants[i].letter && id[1] != '0'
            && scenario_units_integer(id + 1, &number) == SCENARIO_UNITS_OK) {
            return number >= 1 && number <= (int64_t)invariants[i].count;
        }
    }
    return false;
}

static void bind_state(struct scenario_loader *loader, const struct scenario_node *node)
{
    static const enum model_job_state states[] = {MODEL_JOB_FINISHED, MODEL_JOB_FAILED,
                                                  MODEL_JOB_SUSPENDED, MODEL_JOB_TIMEOUT};
    int64_t choice = 0;
    const char *canonical = "";
    if (scenario_bind_scalar(loader, scenario_options_find(SCENARIO_SECTION_EXPECT, "state"), node,
                             &choice, &canonical)) {
        loader->scenario->expects_state = true;
        loader->scenario->expected_state = states[choice];
        scenario_record(loader, "expect.state", canonical, node);
    }
}

static void bind_findings(struct scenario_loader *loader, const struct scenario_node *list)
{
    if (list->kind != SCENARIO_NODE_LIST) {
        scenario_error(loader, list->place, "findings must be a list such as [R2], found %s",
                       scenario_node_kind_text(list));
        return;
    }
    const char **ids = scenario_allocate_array(&loader->memory, list->count + 1, sizeof(*ids));
    struct scenario_buffer text = {0};
    uint32_t n = 0;
    scenario_buffer_append(&loader->memory, &text, "[", 1);
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        if (item->kind != SCENARIO_NODE_SCALAR || !is_invariant(item->text)) {
            scenario_error(loader, item->place,
                           "'%s' is no invariant; `recoup list invariants` shows them",
                           scenario_quote(loader, item->text));
            continue;
        }
        ids[n++] = item->text;
        scenario_buffer_print(&loader->memory, &text, "%s%s", n == 1 ? "" : ", ", item->text);
    }
    scenario_buffer_append(&loader->memory, &text, "]", 1);
    loader->scenario->expected_findings = ids;
    loader->scenario->n_expected_findings = n;
    scenario_record(loader, "expect.findings", text.text, list);
}

// --- bounds --------------------------------------------------------------------------------------

static bool bound_value(struct scenario_loader *loader, const struct scenario_metric *metric,
                        const struct scenario_node *node, int64_t *value)
{
    enum scenario_type type = strcmp(metric->unit, "ns") == 0      ? SCENARIO_DURATION
                              : strcmp(metric->unit, "bytes") == 0 ? SCENARIO_SIZE
                              : strcmp(metric->unit, "count") == 0 ? SCENARIO_COUNT64
                                                                   : SCENARIO_PRICE;
    struct scenario_option row = {
        .section = SCENARIO_SECTION_BOUND, .key = metric->name, .type = type};
    const char *canonical = "";
    return scenario_bind_scalar(loader, &row, node, value, &canonical);
}

static bool bound_pair(struct scenario_loader *loader, const struct scenario_metric *metric,
                       const struct scenario_node *node, struct scenario_expectation *out)
{
    if (node->kind != SCENARIO_NODE_LIST || node->count != 2) {
        scenario_error(loader, node->place, "between takes a pair [a, b], found %s",
                       scenario_node_kind_text(node));
        return false;
    }
    if (!bound_value(loader, metric, node->first, &out->a) ||
        !bound_value(loader, metric, node->last, &out->b)) {
        return false;
    }
    if (out->a > out->b) {
        scenario_error(loader, node->place, "between takes the lesser value first");
        return false;
    }
    out->text = scenario_print(&loader->memory, "[%s, %s]", node->first->text, node->last->text);
    return true;
}

static void bind_bound(struct scenario_loader *loader, const struct scenario_metric *metric,
                       const struct scenario_node *node, struct scenario_expectation *list,
                       uint32_t *n)
{
    struct scenario_expectation *out = &list[*n];
    int bound = scenario_choice_index("at-least|at-most|equals|between", node->key, false);
    if (bound < 0) {
        return;  // reported as an unknown key
    }
    out->metric = metric->name;
    out->bound = (enum scenario_bound)bound;
    out->text = node->text;
    bool good = out->bound == SCENARIO_BETWEEN ? bound_pair(loader, metric, node, out)
                                               : bound_value(loader, metric, node, &out->a);
    if (good) {
        scenario_record(loader,
                        scenario_print(&loader->memory, "expect.%s.%s", metric->name, node->key),
                        out->text, node);
        (*n)++;
    }
}

static void bind_metric(struct scenario_loader *loader, const struct scenario_node *node,
                        struct scenario_expectation *list, uint32_t *n)
{
    const struct scenario_metric *metric = scenario_metric_find(node->key);
    if (metric == NULL || strcmp(metric->name, node->key) != 0) {
        struct scenario_nearest nearest;
        scenario_nearest_init(&nearest, node->key);
        scenario_nearest_offer(&nearest, "state");
        scenario_nearest_offer(&nearest, "findings");
        for (uint32_t i = 0; i < scenario_metric_count(); i++) {
            scenario_nearest_offer(&nearest, scenario_metric_at(i)->name);
        }
        if (metric != NULL) {
            nearest.best = metric->name;
        }
        scenario_error(loader, node->key_place, "unknown metric '%s'%s",
                       scenario_quote(loader, node->key),
                       nearest.best != NULL ? scenario_nearest_text(loader, &nearest)
                                            : "; `recoup list metrics` shows them");
        return;
    }
    const char *path = scenario_print(&loader->memory, "expect.%s", metric->name);
    if (node->kind != SCENARIO_NODE_MAP || node->count == 0) {
        scenario_error(loader, node->place, "%s takes bounds such as {at-most: ...}", path);
        return;
    }
    if (scenario_bind_keys(loader, SCENARIO_SECTION_BOUND, node, path)) {
        for (const struct scenario_node *child = node->first; child != NULL; child = child->next) {
            bind_bound(loader, metric, child, list, n);
        }
    }
}

void scenario_bind_expect(struct scenario_loader *loader, const struct scenario_node *map)
{
    if (map == NULL) {
        return;
    }
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(loader, map->place, "expect must be a map of metrics and bounds, found %s",
                       scenario_node_kind_text(map));
        return;
    }
    uint32_t n = 0;
    struct scenario_expectation *list =
        scenario_allocate_array(&loader->memory, (size_t)map->count * 4 + 1, sizeof(*list));
    for (const struct scenario_node *node = map->first; node != NULL; node = node->next) {
        if (strcmp(node->key, "state") == 0) {
            bind_state(loader, node);
        } else if (strcmp(node->key, "findings") == 0) {
            bind_findings(loader, node);
        } else {
            bind_metric(loader, node, list, &n);
        }
    }
    loader->scenario->expectations = list;
    loader->scenario->n_expectations = n;
}
