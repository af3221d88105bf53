// SPDX-License-Identifier: GPL-3.0-or-later
//
// Laws: `12 s`, `{lognormal: {median: 12 s, sigma: 0.4}}`, quantiles, traces and mixtures.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

static const struct scenario_law_syntax syntaxes[SCENARIO_LAW_SYNTAXES] = {
    {"exponential", SIM_LAW_EXPONENTIAL, "mean", NULL, false, "exponential, by its mean"},
    {"uniform", SIM_LAW_UNIFORM, "from", "to", false, "uniform, both ends included"},
    {"normal", SIM_LAW_NORMAL, "mean", "sd", false, "normal, truncated at 0"},
    {"lognormal", SIM_LAW_LOGNORMAL, "median", "sigma", true,
     "lognormal, by its median and the standard deviation of its logarithm"},
    {"weibull", SIM_LAW_WEIBULL, "scale", "shape", true,
     "Weibull; a shape below 1 is a falling hazard"},
    {"pareto", SIM_LAW_PARETO, "min", "alpha", true, "Pareto, by its least value and its exponent"},
};

#define LAW_KINDS                                                                                  \
    "exponential, uniform, normal, lognormal, weibull, pareto, quantiles, trace, mixture"

const struct scenario_law_syntax *scenario_law_syntax_at(uint32_t index)
{
    return &syntaxes[index];
}

static bool contains_share(const struct scenario_node *node)
{
    const struct scenario_node *stack[SCENARIO_DEPTH_MAX + 1];
    uint32_t depth = 0;
    const struct scenario_node *at = node;
    while (at != NULL) {
        if (at->kind == SCENARIO_NODE_SCALAR && strchr(at->text, '%') != NULL) {
            return true;
        }
        const struct scenario_node *next = at->first != NULL ? at->first
                                           : at == node      ? NULL
                                                             : at->next;
        if (at->first != NULL && depth <= SCENARIO_DEPTH_MAX) {
            stack[depth++] = at;
        }
        while (next == NULL && depth > 0) {
            const struct scenario_node *parent = stack[--depth];
            next = parent == node ? NULL : parent->next;
        }
        at = next;
    }
    return false;
}

bool scenario_law_value(struct scenario_loader *loader, const struct scenario_node *node,
                        enum scenario_law_unit unit, int64_t *value)
{
    enum scenario_type type = unit == SCENARIO_LAW_NS      ? SCENARIO_DURATION
                              : unit == SCENARIO_LAW_BYTES ? SCENARIO_SIZE
                                                           : SCENARIO_SHARE;
    if (node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, node->place, "expected a %s, found %s", scenario_type_text(type),
                       scenario_node_kind_text(node));
        return false;
    }
    enum scenario_units status =
        unit == SCENARIO_LAW_NS      ? scenario_units_duration(node->text, value)
        : unit == SCENARIO_LAW_BYTES ? scenario_units_size(node->text, value)
                                     : scenario_units_share(node->text, value);
    if (status != SCENARIO_UNITS_OK) {
        scenario_type_error(loader, node, type, false, status);
    }
    return status == SCENARIO_UNITS_OK;
}

static bool law_number(struct scenario_loader *loader, const struct scenario_node *node,
                       int64_t *nano)
{
    if (node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, node->place, "expected a number, found %s",
                       scenario_node_kind_text(node));
        return false;
    }
    enum scenario_units status = scenario_units_decimal(node->text, nano);
    if (status != SCENARIO_UNITS_OK) {
        scenario_type_error(loader, node, SCENARIO_DECIMAL, false, status);
    }
    return status == SCENARIO_UNITS_OK;
}

static bool parameters_known(struct scenario_loader *loader,
                             const struct scenario_law_syntax *syntax,
                             const struct scenario_node *map)
{
    bool good = true;
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, syntax->a) == 0
            || (syntax->b != NULL && strcmp(child->key, syntax->b) == 0)) {
            continue;
        }
        scenario_error(loader, child->key_place, "unknown parameter '%s'; %s takes %s%s%s",
                       scenario_quote(loader, child->key), syntax->name, syntax->a,
                       syntax->b != NULL ? " and " : "", syntax->b != NULL ? syntax->b : "");
        good = false;
    }
    return good;
}

static const struct scenario_node *parameter(struct scenario_loader *loader,
                                             const struct scenario_law_syntax *syntax,
                                             const struct scenario_node *map, const char *key)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    if (node == NULL) {
        scenario_error(loader, map->place, "%s needs '%s'", syntax->name, key);
    }
    return node;
}

static bool parse_simple(struct scenario_loader *loader, const struct scenario_law_syntax *syntax,
                         const struct scenario_node *map, enum scenario_law_unit unit,
                         struct sim_law *law)
{
    if (map->kind != SCENARIO_NODE_MAP) {
        scenario_error(loader, map->place, "expected {%s: ...%s%s%s}, found %s", syntax->a,
                       syntax->b != NULL ? ", " : "", syntax->b != NULL ? syntax->b : "",
                       syntax->b != NULL ? ": ..." : "", scenario_node_kind_text(map));
        return false;
    }
    bool good = parameters_known(loader, syntax, map);
    law->kind = syntax->kind;
    const struct scenario_node *a = parameter(loader, syntax, map, syntax->a);
    good = a != NULL && scenario_law_value(loader, a, unit, &law->a) && good;
    if (syntax->b != NULL) {
        const struct scenario_node *b = parameter(loader, syntax, map, syntax->b);
        good = b != NULL
               && (syntax->b_is_number ? law_number(loader, b, &law->b)
                                       : scenario_law_value(loader, b, unit, &law->b))
               && good;
    }
    return good;
}

// The two elements of `[a, b]`; false after an error.
static bool pair(struct scenario_loader *loader, const struct scenario_node *node, const char *what)
{
    if (node->kind != SCENARIO_NODE_LIST || node->count != 2) {
        scenario_error(loader, node->place, "expected a pair %s", what);
        return false;
    }
    return true;
}

static bool parse_quantiles(struct scenario_loader *loader, const struct scenario_node *list,
                            enum scenario_law_unit unit, struct sim_law *law)
{
    if (list->kind != SCENARIO_NODE_LIST || list->count == 0) {
        scenario_error(loader, list->place, "expected a list of pairs [probability, value]");
        return false;
    }
    struct sim_law_point *points =
        scenario_allocate_array(&loader->memory, list->count, sizeof(*points));
    bool good = true;
    uint32_t i = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next, i++) {
        good = pair(loader, item, "[probability, value]")
               && law_number(loader, item->first, &points[i].p_nano)
               && scenario_law_value(loader, item->last, unit, &points[i].value) && good;
    }
    law->kind = SIM_LAW_QUANTILES;
    law->count = list->count;
    law->points = points;
    return good;
}

static const char *text_of(struct scenario_loader *loader, const struct scenario_node *map,
                           const char *key)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    if (node == NULL) {
        return NULL;
    }
    if (node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, node->place, "expected a text, found %s",
                       scenario_node_kind_text(node));
        return NULL;
    }
    return node->text;
}

static bool parse_trace(struct scenario_loader *loader, const struct scenario_node *map,
                        enum scenario_law_unit unit, struct scenario_law *out)
{
    for (const struct scenario_node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, "trace") != 0 && strcmp(child->key, "column") != 0
            && strcmp(child->key, "unit") != 0) {
            scenario_error(loader, child->key_place,
                           "unknown key '%s'; a trace takes trace, column, unit",
                           scenario_quote(loader, child->key));
            return false;
        }
    }
    const char *path = text_of(loader, map, "trace");
    const char *column = text_of(loader, map, "column");
    if (column == NULL || path == NULL) {
        scenario_error(loader, map->place, "a trace needs 'trace' (a CSV file) and 'column'");
        return false;
    }
    const char *given = text_of(loader, map, "unit");
    const struct scenario_trace_column *trace =
        scenario_trace_read(loader, map, path, column, given, unit);
    if (trace == NULL) {
        return false;
    }
    out->law.kind = SIM_LAW_TRACE;
    out->law.count = trace->count;
    out->law.points = trace->points;
    // The content belongs to the identity of a scenario, not only the name of the file.
    out->text = scenario_print(&loader->memory,
                               "{trace: %s, column: %s, rows: %" PRIu32 ", digest: %016" PRIx64 "}",
                               path, column, trace->count, trace->digest);
    return true;
}

static const struct scenario_law_syntax *syntax_find(const char *name)
{
    for (uint32_t i = 0; i < SCENARIO_LAW_SYNTAXES; i++) {
        if (strcmp(syntaxes[i].name, name) == 0) {
            return &syntaxes[i];
        }
    }
    return NULL;
}

static void unknown_law(struct scenario_loader *loader, const struct scenario_node *child)
{
    struct scenario_nearest nearest;
    scenario_nearest_init(&nearest, child->key);
    for (uint32_t i = 0; i < SCENARIO_LAW_SYNTAXES; i++) {
        scenario_nearest_offer(&nearest, syntaxes[i].name);
    }
    scenario_nearest_offer(&nearest, "quantiles");
    scenario_nearest_offer(&nearest, "trace");
    scenario_nearest_offer(&nearest, "mixture");
    if (nearest.best != NULL) {
        scenario_error(loader, child->key_place, "unknown law '%s'%s",
                       scenario_quote(loader, child->key), scenario_nearest_text(loader, &nearest));
    } else {
        scenario_error(loader, child->key_place, "unknown law '%s'; laws are " LAW_KINDS,
                       scenario_quote(loader, child->key));
    }
}

// Every law but a mixture. `out->law` is zeroed by the caller.
static bool parse_plain(struct scenario_loader *loader, const struct scenario_node *node,
                        enum scenario_law_unit unit, struct scenario_law *out)
{
    if (node->kind == SCENARIO_NODE_SCALAR) {
        return scenario_law_value(loader, node, unit, &out->law.a);
    }
    if (node->kind != SCENARIO_NODE_MAP || node->count == 0) {
        scenario_error(loader, node->place,
                       "expected a value or a law such as {exponential: {mean: ...}}");
        return false;
    }
    if (scenario_node_find(node, "trace") != NULL) {
        return parse_trace(loader, node, unit, out);
    }
    if (node->count != 1) {
        scenario_error(loader, node->first->next->key_place,
                       "a law has one key, its kind; '%s' is a second one",
                       scenario_quote(loader, node->first->next->key));
        return false;
    }
    const struct scenario_node *child = node->first;
    if (strcmp(child->key, "quantiles") == 0) {
        return parse_quantiles(loader, child, unit, &out->law);
    }
    if (strcmp(child->key, "mixture") == 0) {
        scenario_error(loader, child->key_place, "a mixture cannot be part of a mixture");
        return false;
    }
    const struct scenario_law_syntax *syntax = syntax_find(child->key);
    if (syntax == NULL) {
        unknown_law(loader, child);
        return false;
    }
    return parse_simple(loader, syntax, child, unit, &out->law);
}

static bool parse_mixture(struct scenario_loader *loader, const struct scenario_node *list,
                          enum scenario_law_unit unit, struct scenario_law *out)
{
    if (list->kind != SCENARIO_NODE_LIST || list->count == 0) {
        scenario_error(loader, list->place, "expected a list of pairs [weight, law]");
        return false;
    }
    struct sim_law *parts = scenario_allocate_array(&loader->memory, list->count, sizeof(*parts));
    int64_t *weights = scenario_allocate_array(&loader->memory, list->count, sizeof(*weights));
    struct scenario_buffer text = {0};
    bool good = true;
    uint32_t i = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next, i++) {
        struct scenario_law part = {.unit = unit};
        char weight[SCENARIO_UNITS_TEXT];
        if (!pair(loader, item, "[weight, law]") || !law_number(loader, item->first, &weights[i])
            || !parse_plain(loader, item->last, unit, &part)) {
            good = false;
            continue;
        }
        parts[i] = part.law;
        scenario_units_decimal_text(weights[i], weight);
        scenario_buffer_print(&loader->memory, &text, "%s[%s, ", i == 0 ? "{mixture: [" : ", ",
                              weight);
        const char *law =
            part.text != NULL ? part.text : scenario_law_text(loader, &part.law, unit);
        scenario_buffer_append(&loader->memory, &text, law, strlen(law));
        scenario_buffer_append(&loader->memory, &text, "]", 1);
    }
    scenario_buffer_append(&loader->memory, &text, "]}", 2);
    out->law = (struct sim_law){
        .kind = SIM_LAW_MIXTURE, .count = list->count, .parts = parts, .weights_nano = weights};
    out->text = text.text;
    return good;
}

bool scenario_law_parse(struct scenario_loader *loader, const struct scenario_node *node,
                        enum scenario_law_unit unit, struct scenario_law *out)
{
    memset(out, 0, sizeof(*out));
    if (unit == SCENARIO_LAW_SHARE && !contains_share(node)) {
        unit = SCENARIO_LAW_NS;
    }
    out->unit = unit;
    const struct scenario_node *mixture = scenario_node_find(node, "mixture");
    bool good = mixture != NULL && node->count == 1 ? parse_mixture(loader, mixture, unit, out)
                                                    : parse_plain(loader, node, unit, out);
    const char *problem = NULL;
    if (good && sim_law_check(&out->law, &problem) != 0) {
        scenario_error(loader, node->place, "this law cannot be drawn from: %s", problem);
        good = false;
    }
    if (good && out->text == NULL) {
        out->text = scenario_law_text(loader, &out->law, unit);
    }
    return good;
}

// --- text ----------------------------------------------------------------------------------------

static void value_text(int64_t value, enum scenario_law_unit unit, char text[SCENARIO_UNITS_TEXT])
{
    switch (unit) {
    case SCENARIO_LAW_NS:
        scenario_units_duration_text(value, text);
        break;
    case SCENARIO_LAW_BYTES:
        scenario_units_size_text(value, text);
        break;
    case SCENARIO_LAW_SHARE:
        scenario_units_share_text(value, text);
        break;
    }
}

static const char *simple_text(struct scenario_loader *loader,
                               const struct scenario_law_syntax *syntax, const struct sim_law *law,
                               enum scenario_law_unit unit)
{
    char a[SCENARIO_UNITS_TEXT];
    char b[SCENARIO_UNITS_TEXT];
    value_text(law->a, unit, a);
    if (syntax->b == NULL) {
        return scenario_print(&loader->memory, "{%s: {%s: %s}}", syntax->name, syntax->a, a);
    }
    if (syntax->b_is_number) {
        scenario_units_decimal_text(law->b, b);
    } else {
        value_text(law->b, unit, b);
    }
    return scenario_print(&loader->memory, "{%s: {%s: %s, %s: %s}}", syntax->name, syntax->a, a,
                          syntax->b, b);
}

static const char *quantiles_text(struct scenario_loader *loader, const struct sim_law *law,
                                  enum scenario_law_unit unit)
{
    struct scenario_buffer text = {0};
    for (uint32_t i = 0; i < law->count; i++) {
        char p[SCENARIO_UNITS_TEXT];
        char value[SCENARIO_UNITS_TEXT];
        scenario_units_decimal_text(law->points[i].p_nano, p);
        value_text(law->points[i].value, unit, value);
        scenario_buffer_print(&loader->memory, &text, "%s[%s, %s]", i == 0 ? "{quantiles: [" : ", ",
                              p, value);
    }
    scenario_buffer_append(&loader->memory, &text, "]}", 2);
    return text.text;
}

// Text of every law but a trace and a mixture.
static const char *plain_text(struct scenario_loader *loader, const struct sim_law *law,
                              enum scenario_law_unit unit)
{
    char value[SCENARIO_UNITS_TEXT];
    for (uint32_t i = 0; i < SCENARIO_LAW_SYNTAXES; i++) {
        if (syntaxes[i].kind == law->kind) {
            return simple_text(loader, &syntaxes[i], law, unit);
        }
    }
    if (law->kind == SIM_LAW_QUANTILES) {
        return quantiles_text(loader, law, unit);
    }
    value_text(law->a, unit, value);
    return scenario_copy_text(&loader->memory, value);
}

// Only laws of tables come here as mixtures; those of files have their text from parse_mixture.
const char *scenario_law_text(struct scenario_loader *loader, const struct sim_law *law,
                              enum scenario_law_unit unit)
{
    if (law->kind != SIM_LAW_MIXTURE) {
        return plain_text(loader, law, unit);
    }
    struct scenario_buffer text = {0};
    for (uint32_t i = 0; i < law->count; i++) {
        char weight[SCENARIO_UNITS_TEXT];
        scenario_units_decimal_text(law->weights_nano[i], weight);
        scenario_buffer_print(&loader->memory, &text, "%s[%s, %s]", i == 0 ? "{mixture: [" : ", ",
                              weight, plain_text(loader, &law->parts[i], unit));
    }
    scenario_buffer_append(&loader->memory, &text, "]}", 2);
    return text.text;
}
