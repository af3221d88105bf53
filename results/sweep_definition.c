// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/sweep_definition.h"

#include "results/json.h"

const char *results_axis_kind_name(enum scenario_axis_kind kind)
{
    static const char *const names[] = {"text", "ns", "bytes", "count", "nano"};

    return names[kind];
}

static void define_axis(const struct scenario_axis *axis, struct results_json *json)
{
    results_json_object(json);
    results_json_put_string(json, "name", axis->name);
    results_json_put_string(json, "path", axis->path);
    results_json_put_string(json, "kind", results_axis_kind_name(axis->kind));
    results_json_put_string(json, "unit", axis->unit);
    results_json_put_bool(json, "sampled", axis->sampled);
    results_json_key(json, "values");
    results_json_array(json);
    for (uint32_t i = 0; i < axis->n_values; i++) {
        results_json_string(json, axis->values[i].text);
    }
    results_json_end_array(json);
    results_json_end_object(json);
}

static void define_replications(const struct scenario_replications *replications,
                                struct results_json *json)
{
    results_json_object(json);
    results_json_put_u64(json, "at_least", replications->at_least);
    if (replications->until) {
        results_json_put_u64(json, "at_most", replications->at_most);
        results_json_put_u64(json, "batch", replications->batch);
        results_json_put_string(json, "metric", replications->metric->name);
        results_json_put_bool(json, "relative", replications->relative);
        results_json_put_i64(json, "half_width", replications->half_width);
        results_json_put_i64(json, "confidence_nano", replications->confidence_nano);
    }
    results_json_end_object(json);
}

void results_sweep_definition(const struct scenario_sweep *sweep, struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_string(&json, "name", sweep->name);
    results_json_put_u64(&json, "points", sweep->n_points);
    results_json_key(&json, "axes");
    results_json_array(&json);
    for (uint32_t i = 0; i < sweep->n_axes; i++) {
        define_axis(&sweep->axes[i], &json);
    }
    results_json_end_array(&json);
    results_json_put_string(&json, "where", sweep->where_text);
    results_json_key(&json, "replications");
    define_replications(&sweep->replications, &json);
    results_json_put_string(&json, "random_numbers", sweep->common ? "common" : "independent");
    results_json_put_u64(&json, "seed", sweep->seed);
    results_json_put_bool(&json, "measure_delay", sweep->measure_delay);
    results_json_put_i64(&json, "wall_time_ns", sweep->wall_time_ns);
    if (sweep->memory_bytes > 0) {
        results_json_put_i64(&json, "memory_bytes", sweep->memory_bytes);
    }
    results_json_end_object(&json);
}
