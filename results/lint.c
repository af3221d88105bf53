// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/lint.h"

#include <string.h>

#include "results/json.h"
#include "results/page.h"
#include "results/run.h"

// Shares of the width in percent; with two blanks between them they fill a line of 100 columns.
#define LINT_PATH_PERCENT 48u
#define LINT_VALUE_PERCENT 20u
#define LINT_ORIGIN_PERCENT 28u
#define LINT_INDENT 4u

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

static bool chosen(const struct results_lint_choice *choice, const struct scenario_value *value)
{
    bool written = value->origin != SCENARIO_PRESET && value->origin != SCENARIO_DEFAULT;

    return (!choice->given && !choice->assumed) || (choice->given && written) ||
           (choice->assumed && value->assumed);
}

struct lint_line {
    struct results_page page;
    uint32_t starts[4]; // of path, value, origin and source
    uint32_t column;    // where the line ends by now
};

static uint32_t widen(uint32_t width, uint32_t columns, uint32_t limit)
{
    columns = columns > limit ? limit : columns;
    return columns > width ? columns : width;
}

static void measure(const struct scenario *scenario, const struct results_lint_choice *choice,
                    struct lint_line *line, struct results_text *scratch)
{
    uint32_t width = line->page.style.width;
    uint32_t path = 0;
    uint32_t word = 0;
    uint32_t origin = 0;

    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        if (chosen(choice, value)) {
            origin_text(value, scratch);
            path = widen(path, results_columns_of(value->path), width * LINT_PATH_PERCENT / 100);
            word = widen(word, results_columns_of(value->value), width * LINT_VALUE_PERCENT / 100);
            origin = widen(origin, results_columns_of(results_text_string(scratch)),
                           width * LINT_ORIGIN_PERCENT / 100);
        }
    }
    line->starts[0] = 0;
    line->starts[1] = path + 2;
    line->starts[2] = line->starts[1] + word + 2;
    line->starts[3] = line->starts[2] + origin + 2;
}

static void end_line(struct lint_line *line)
{
    if (line->column > 0) {
        results_page_line(&line->page);
        line->column = 0;
    }
}

// A word in its column, on the next line where the one before reaches into it; wrapped on lines of
// its own where it is too long for the rest of a line.
static void add_cell(struct lint_line *line, uint32_t cell, const char *words)
{
    uint32_t start = line->starts[cell];
    uint32_t columns = results_columns_of(words);

    if (columns == 0) {
        return;
    }
    if (start + columns > line->page.style.width) {
        end_line(line);
        results_page_wrap(&line->page, "", cell == 0 ? 0 : LINT_INDENT, RESULTS_PLAIN, words);
        return;
    }
    if (line->column > 0 && line->column + 2 > start) {
        end_line(line);
    }
    results_text_repeat(line->page.text, " ", start - line->column);
    results_text_add(line->page.text, words);
    line->column = start + columns;
}

static void add_value(struct lint_line *line, const struct scenario_value *value,
                      struct results_text *scratch)
{
    const char *source = value->source != NULL ? value->source : "";

    add_cell(line, 0, value->path);
    add_cell(line, 1, value->value);
    origin_text(value, scratch);
    add_cell(line, 2, results_text_string(scratch));
    results_text_clear(scratch);
    if (value->assumed && strncmp(source, "assum", 5) != 0) {
        results_text_add(scratch, source[0] == '\0' ? "assumed" : "assumed: ");
    }
    results_text_add(scratch, source);
    add_cell(line, 3, results_text_string(scratch));
    end_line(line);
}

void results_lint_text(const struct scenario *scenario, const struct results_lint_choice *choice,
                       uint32_t width, struct results_text *text)
{
    struct results_style plain = {false, false, width};
    struct results_text scratch;
    struct lint_line line;

    memset(&line, 0, sizeof(line));
    results_text_init(&scratch);
    results_page_init(&line.page, text, &plain);
    measure(scenario, choice, &line, &scratch);
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        if (chosen(choice, &scenario->values[i])) {
            add_value(&line, &scenario->values[i], &scratch);
        }
    }
    text->failed = text->failed || scratch.failed;
    results_text_release(&scratch);
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

static void write_values(struct results_json *json, const struct scenario *scenario,
                         const struct results_lint_choice *choice)
{
    results_json_key(json, "values");
    results_json_array(json);
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        if (!chosen(choice, value)) {
            continue;
        }
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

void results_lint_json(const struct scenario *scenario, const struct results_lint_choice *choice,
                       struct results_text *text)
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
    write_values(&json, scenario, choice);
    results_json_key(&json, "not_modelled");
    results_json_array(&json);
    for (uint32_t i = 0; i < scenario->n_not_modelled; i++) {
        results_json_string(&json, scenario->not_modelled[i]);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}
