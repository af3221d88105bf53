// SPDX-License-Identifier: GPL-3.0-or-later
//
// Data of the interactive plots. Integers only, as JSON in a script element: '<' never occurs in
// it, so no text can end the element.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/json.h"
#include "results/overview_parts.h"

#define CRASHES_MAX 3000u // dots of a plot of crashes

static const char *unit_of(enum results_quantity quantity)
{
    static const char *const units[] = {"ns", "bytes", "count", "nano-usd", "plain"};

    return units[quantity];
}

static void put_scale(struct results_json *json, const char *key, const char *title,
                      enum results_quantity quantity, bool logarithmic)
{
    results_json_key(json, key);
    results_json_object(json);
    results_json_put_string(json, "title", title);
    results_json_put_string(json, "unit", unit_of(quantity));
    results_json_put_bool(json, "log", logarithmic);
    results_json_end_object(json);
}

static void begin(struct results_json *json, const char *kind, bool line)
{
    results_json_object(json);
    results_json_put_string(json, "kind", kind);
    results_json_put_bool(json, "line", line);
}

// Writes the JSON as an element, with every '<' as an escape.
static void embed(struct results_text *data, struct results_text *text)
{
    const char *p = results_text_string(data);

    results_text_add(text, "<script type=\"application/json\" class=\"plot\">");
    while (*p != '\0') {
        size_t size = strcspn(p, "<");

        results_text_bytes(text, p, size);
        p += size;
        if (*p == '<') {
            results_text_add(text, "\\u003c");
            p++;
        }
    }
    results_text_add(text, "</script>\n");
}

static void put_place(struct results_json *json, double x, const struct survey_estimate *e,
                      const char *label)
{
    results_json_array(json);
    results_json_i64(json, llround(x));
    results_json_i64(json, llround(e->mean));
    if (isfinite(e->low)) {
        results_json_i64(json, llround(e->low));
        results_json_i64(json, llround(e->high));
    } else {
        results_json_null(json);
        results_json_null(json);
    }
    results_json_string(json, label);
    results_json_end_array(json);
}

static void begin_series(struct results_json *json, const char *label)
{
    results_json_object(json);
    results_json_put_string(json, "label", label);
    results_json_key(json, "points");
    results_json_array(json);
}

static void end_series(struct results_json *json)
{
    results_json_end_array(json);
    results_json_end_object(json);
}

void overview_plot_pareto(const struct survey *survey, enum survey_metric io,
                          struct results_text *text)
{
    static const char *const labels[] = {"front", "within noise of it", "surely worse"};
    const struct survey_metric_fact *fact = survey_metric_fact(io);
    struct results_text data;
    struct results_json json;

    results_text_init(&data);
    results_json_init(&json, &data);
    begin(&json, "pareto", false);
    put_scale(&json, "x", fact->axis, fact->quantity, true);
    put_scale(&json, "y", survey_metric_fact(SURVEY_LOST_WORK)->axis, RESULTS_QUANTITY_DURATION,
              false);
    results_json_key(&json, "series");
    results_json_array(&json);
    for (uint32_t kind = 0; kind < 3; kind++) {
        begin_series(&json, labels[kind]);
        for (uint32_t i = 0; i < survey->n_points; i++) {
            const struct survey_point *point = &survey->points[i];
            uint32_t of = point->front[io] ? 0 : point->near[io] ? 1 : 2;
            struct results_text label;

            if (of != kind || point->n_runs == 0) {
                continue;
            }
            results_text_init(&label);
            results_text_format(&label, "%s %s", point->short_name, point->label);
            put_place(&json, point->all[io].mean, &point->all[SURVEY_LOST_WORK],
                      results_text_string(&label));
            results_text_release(&label);
        }
        end_series(&json);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    embed(&data, text);
    results_text_release(&data);
}

static void put_axis_values(struct results_json *json, const struct survey_axis *axis)
{
    results_json_key(json, "values");
    results_json_array(json);
    for (uint32_t v = 0; v < axis->n_values; v++) {
        results_json_string(json, axis->texts[v]);
    }
    results_json_end_array(json);
}

static void put_axis_series(struct results_json *json, const struct survey *survey, uint32_t axis,
                            uint32_t other, uint32_t value, enum survey_metric metric,
                            bool relative, uint32_t *points)
{
    struct results_text label;

    results_text_init(&label);
    if (other == SURVEY_NONE) {
        results_text_add(&label, survey_metric_fact(metric)->title);
    } else {
        results_text_format(&label, "%s = %s", survey->axes[other].name,
                            survey->axes[other].texts[value]);
    }
    begin_series(json, results_text_string(&label));
    for (uint32_t v = 0; v < survey->axes[axis].n_values; v++) {
        struct survey_estimate e;
        uint32_t n = figure_select(survey, axis, v, other, value, points);

        if (relative) {
            uint32_t *base = points + survey->n_points;

            survey_average_difference(survey, points, n, base,
                                      figure_select(survey, axis, 0, other, value, base), metric,
                                      &e);
        } else {
            survey_average(survey, points, n, metric, &e);
        }
        if (e.n > 0) {
            put_place(json, v, &e, survey->axes[axis].texts[v]);
        }
    }
    end_series(json);
    results_text_release(&label);
}

void overview_plot_axis(const struct survey *survey, uint32_t axis, uint32_t series,
                        enum survey_metric metric, bool relative, struct results_text *text)
{
    const struct survey_metric_fact *fact = survey_metric_fact(metric);
    uint32_t *points = malloc(2 * ((size_t)survey->n_points + 1) * sizeof(*points));
    uint32_t n = series == SURVEY_NONE ? 1 : survey->axes[series].n_values;
    struct results_text data;
    struct results_json json;

    results_text_init(&data);
    data.failed = points == NULL;
    results_json_init(&json, &data);
    begin(&json, "axis", survey->axes[axis].numeric);
    put_scale(&json, "x", survey->axes[axis].name, RESULTS_QUANTITY_PLAIN, false);
    put_scale(&json, "y", relative ? "difference to the first value" : fact->axis, fact->quantity,
              false);
    put_axis_values(&json, &survey->axes[axis]);
    results_json_key(&json, "series");
    results_json_array(&json);
    for (uint32_t s = 0; points != NULL && s < n; s++) {
        put_axis_series(&json, survey, axis, series, s, metric, relative, points);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    text->failed = text->failed || data.failed;
    embed(&data, text);
    results_text_release(&data);
    free(points);
}

void overview_plot_curve(const struct survey *survey, enum survey_metric metric,
                         struct results_text *text)
{
    uint32_t every = survey->n_crashes / CRASHES_MAX + 1;
    struct results_text label;
    struct results_text data;
    struct results_json json;

    results_text_init(&label);
    results_text_init(&data);
    results_json_init(&json, &data);
    begin(&json, "curve", false);
    put_scale(&json, "x", "moment of the master's death", RESULTS_QUANTITY_DURATION, false);
    put_scale(&json, "y", survey_metric_fact(metric)->axis, RESULTS_QUANTITY_DURATION, false);
    results_json_key(&json, "series");
    results_json_array(&json);
    if (every > 1) {
        results_text_format(&label, "1 of %u runs", every);
    } else {
        results_text_add(&label, "runs");
    }
    begin_series(&json, results_text_string(&label));
    results_text_release(&label);
    // Of very many every k-th: more dots show no more, and the page must stay one that loads.
    for (uint32_t i = 0; i < survey->n_crashes; i += every) {
        const struct survey_crash *crash = &survey->crashes[i];
        double value = metric == SURVEY_DELAY ? crash->delay_ns : crash->lost_ns;
        struct survey_estimate e = {.n = 1, .mean = value, .low = (double)NAN};

        if (isfinite(value)) {
            put_place(&json, crash->at_ns, &e, survey->points[crash->point].short_name);
        }
    }
    end_series(&json);
    results_json_end_array(&json);
    results_json_end_object(&json);
    embed(&data, text);
    results_text_release(&data);
}
