// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/lint.h"

#include <string.h>

#include "results/json.h"
#include "results/page.h"
#include "results/run.h"

#define LINT_PATH_MAX 80u
#define LINT_VALUE_MAX 32u
#define LINT_ORIGIN_MAX 28u

static const char *origin_name(enum scenario_origin origin)
{
    switch (origin) {
    case SCENARIO_GIVEN:
        return "given";
    case SCENARIO_OVERRIDE:
        return "command line";
    case SCENARIO_CONFIG:
        return "config";
    case SCENARIO_BASE:
        return "base";
    case SCENARIO_PRESET:
        return "preset";
    case SCENARIO_DEFAULT:
        return "default";
    }
    return "";
}

// "given (q72.yaml:12)", "default".
static void origin_text(const struct scenario_value *value, struct results_text *text)
{
    const char *name = origin_name(value->origin);
    const char *detail = value->origin_detail != NULL ? value->origin_detail : "";

    results_text_clear(text);
    if (strncmp(detail, name, strlen(name)) == 0) {
        results_text_add(text, detail);
    } else {
        results_text_add(text, name);
        if (detail[0] != '\0') {
            results_text_format(text, " (%s)", detail);
        }
    }
}

static uint32_t widen(uint32_t width, uint32_t columns, uint32_t limit)
{
    columns = columns > limit ? limit : columns;
    return columns > width ? columns : width;
}

struct lint_widths {
    uint32_t path;
    uint32_t value;
    uint32_t origin;
};

static void measure(const struct scenario *scenario, struct lint_widths *widths,
                    struct results_text *scratch)
{
    memset(widths, 0, sizeof(*widths));
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        origin_text(value, scratch);
        widths->path = widen(widths->path, results_columns_of(value->path), LINT_PATH_MAX);
        widths->value = widen(widths->value, results_columns_of(value->value), LINT_VALUE_MAX);
        widths->origin = widen(widths->origin, results_columns_of(results_text_string(scratch)),
                               LINT_ORIGIN_MAX);
    }
}

// A column; a text that is longer than it pushes the rest to the right, nothing is cut.
static void add_column(struct results_text *text, const char *word, uint32_t width)
{
    uint32_t columns = results_columns_of(word);

    results_text_add(text, word);
    results_text_repeat(text, " ", 2 + (columns < width ? width - columns : 0));
}

void results_lint_text(const struct scenario *scenario, struct results_text *text)
{
    struct lint_widths widths;
    struct results_text origin;
    struct results_style plain = {false, false, RESULTS_PAGE_WIDTH_MAX};
    struct results_page page;

    results_text_init(&origin);
    results_page_init(&page, text, &plain);
    measure(scenario, &widths, &origin);
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        origin_text(value, &origin);
        add_column(text, value->path, widths.path);
        add_column(text, value->value, widths.value);
        add_column(text, results_text_string(&origin), widths.origin);
        if (value->assumed) {
            results_text_add(text, value->source == NULL                     ? "assumed"
                                   : strncmp(value->source, "assum", 5) == 0 ? ""
                                                                             : "assumed: ");
        }
        results_text_add(text, value->source != NULL ? value->source : "");
        results_page_line(&page);
    }
    text->failed = text->failed || origin.failed;
    results_text_release(&origin);
}

static void write_messages(struct results_json *json, const char *key,
                           const struct scenario_message *messages, uint32_t n_messages)
{
    results_json_key(json, key);
    results_json_array(json);
    for (uint32_t i = 0; i < n_messages; i++) {
        results_json_object(json);
        results_json_put_string(json, "file", messages[i].file);
        results_json_put_u64(json, "line", messages[i].line);
        results_json_put_u64(json, "column", messages[i].column);
        results_json_put_string(json, "message", messages[i].text);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void write_values(struct results_json *json, const struct scenario *scenario)
{
    results_json_key(json, "values");
    results_json_array(json);
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        results_json_object(json);
        results_json_put_string(json, "path", value->path);
        results_json_put_string(json, "value", value->value);
        results_json_put_string(json, "origin", origin_name(value->origin));
        results_json_put_string(json, "detail", value->origin_detail);
        results_json_put_string(json, "source", value->source);
        results_json_put_bool(json, "assumed", value->assumed);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void write_advice(struct results_json *json, const struct scenario *scenario)
{
    struct results_advice advice[RESULTS_ADVICE_MAX];
    uint32_t n_advice = results_advise(scenario, advice);

    results_json_key(json, "advice");
    results_json_array(json);
    for (uint32_t i = 0; i < n_advice; i++) {
        results_json_object(json);
        results_json_put_string(json, "hazard", advice[i].hazard);
        results_json_put_string(json, "message", advice[i].text);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

void results_lint_json(const struct scenario *scenario, struct results_text *text)
{
    bool valid = scenario->n_errors == 0;
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_i64(&json, "schema", 1);
    results_json_put_bool(&json, "valid", valid);
    results_json_put_string(&json, "scenario", scenario->name);
    results_json_put_string(&json, "profile",
                            valid ? results_profile_name(scenario->config.profile) : NULL);
    write_messages(&json, "errors", scenario->errors, scenario->n_errors);
    write_messages(&json, "warnings", scenario->warnings, scenario->n_warnings);
    write_advice(&json, scenario);
    write_values(&json, scenario);
    results_json_key(&json, "not_modelled");
    results_json_array(&json);
    for (uint32_t i = 0; i < scenario->n_not_modelled; i++) {
        results_json_string(&json, scenario->not_modelled[i]);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}
