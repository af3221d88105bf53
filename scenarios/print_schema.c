// SPDX-License-Identifier: GPL-3.0-or-later
//
// The option table as a JSON Schema (scenarios/schema.json), for editors.
#include <inttypes.h>
#include <string.h>

#include "scenarios/metrics.h"
#include "scenarios/print.h"

static void property_name(FILE *out, const char *name, bool *first)
{
    fprintf(out, "%s\n      ", *first ? "" : ",");
    scenario_print_json_text(out, name);
    fputs(": ", out);
    *first = false;
}

void scenario_print_enum(FILE *out, const char *choices)
{
    fputs("\"enum\": [", out);
    for (bool first = true; *choices != '\0'; first = false) {
        size_t size = strcspn(choices, "|");
        fprintf(out, "%s\"%.*s\"", first ? "" : ", ", (int)size, choices);
        choices += size + (choices[size] == '|' ? 1 : 0);
    }
    fputs("]", out);
}

void scenario_print_definition(FILE *out, const char *path)
{
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '.') {
            fputc('-', out);
        } else if (*p != '[' && *p != ']') {
            fputc(*p, out);
        }
    }
}

void scenario_print_reference(FILE *out, const char *path)
{
    fputs("{\"$ref\": \"#/definitions/", out);
    scenario_print_definition(out, path);
    fputs("\"}", out);
}

static void section_reference(FILE *out, enum scenario_section section)
{
    scenario_print_reference(out, scenario_section_path(section));
}

static void print_special(FILE *out, const struct scenario_option *row)
{
    bool root = row->section == SCENARIO_SECTION_ROOT;
    if (root && strcmp(row->key, "ha") == 0) {
        fputs("\"anyOf\": [{\"enum\": [\"none\", \"zookeeper\", \"kubernetes\"]}, ", out);
        section_reference(out, SCENARIO_SECTION_HA);
        fputs("]", out);
    } else if (root && strcmp(row->key, "storage") == 0) {
        fputs("\"anyOf\": [{", out);
        scenario_print_enum(out,
                            scenario_options_find(SCENARIO_SECTION_STORAGE, "profile")->choices);
        fputs("}, ", out);
        section_reference(out, SCENARIO_SECTION_STORAGE);
        fputs("]", out);
    } else if (row->section == SCENARIO_SECTION_BOUND && strcmp(row->key, "between") == 0) {
        fputs("\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2", out);
    } else if (row->section == SCENARIO_SECTION_FAULT && strcmp(row->key, "at") == 0) {
        fputs("\"type\": [\"string\", \"object\"]", out);
    } else if (row->section == SCENARIO_SECTION_FAULT && strcmp(row->key, "on") == 0) {
        fputs("\"type\": \"string\", \"pattern\": "
              "\"^store[.](mkdir|list|create|append|flush|sync|close|read|remove)$\"",
              out);
    } else {
        fputs("\"type\": [\"string\", \"integer\"]", out);
    }
}

static void print_count(FILE *out, const struct scenario_option *row)
{
    fputs("\"type\": \"integer\"", out);
    if (row->min != 0 || row->max != 0) {
        fprintf(out, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, row->min, row->max);
    } else {
        fputs(", \"minimum\": 0", out);
    }
}

static void print_reference(FILE *out, const struct scenario_option *row)
{
    enum scenario_section below = scenario_row_section(row);
    if (row->type == SCENARIO_LIST && below == SCENARIO_SECTION_COUNT) {
        fputs("\"type\": \"array\", \"items\": {\"type\": \"string\"}", out);
    } else if (row->type == SCENARIO_LIST) {
        fputs("\"type\": \"array\", \"items\": ", out);
        section_reference(out, below);
    } else {
        fputs("\"allOf\": [", out);
        section_reference(out, below);
        fputs("]", out);
    }
}

static void print_type(FILE *out, const struct scenario_option *row)
{
    bool flink = row->section == SCENARIO_SECTION_CONFIG;
    switch (row->type) {
    case SCENARIO_BOOLEAN:
        fputs("\"type\": \"boolean\"", out);
        break;
    case SCENARIO_COUNT32:
    case SCENARIO_COUNT64:
    case SCENARIO_SIGNED32:
        print_count(out, row);
        break;
    case SCENARIO_COUNT32_OR_AUTO:
        fputs("\"anyOf\": [{", out);
        print_count(out, row);
        fputs("}, {\"enum\": [\"auto\"]}]", out);
        break;
    case SCENARIO_DURATION:
    case SCENARIO_SIZE:
        if (flink) {
            fputs("\"type\": [\"string\", \"integer\"]", out);
        } else {
            fprintf(out, "\"allOf\": [{\"$ref\": \"#/definitions/%s\"}]",
                    scenario_type_text(row->type));
        }
        break;
    case SCENARIO_RATE:
        fputs("\"type\": \"string\", \"pattern\": \"^([0-9]+([.][0-9]+)? "
              "*(b|kb|mb|gb|tb)/s|unlimited)$\"",
              out);
        break;
    case SCENARIO_PRICE:
        fputs("\"type\": \"string\", \"pattern\": \"^[0-9]+ *nano-usd$\"", out);
        break;
    case SCENARIO_DECIMAL:
        fputs("\"type\": \"number\"", out);
        break;
    case SCENARIO_SHARE:
        fputs("\"type\": \"string\", \"pattern\": \"^[0-9]+([.][0-9]+)? *%$\"", out);
        break;
    case SCENARIO_CHOICE:
        scenario_print_enum(out, row->choices);
        break;
    case SCENARIO_LAW:
    case SCENARIO_LAW_SIZE:
        fprintf(out, "\"allOf\": [{\"$ref\": \"#/definitions/law-of-%s\"}]",
                row->type == SCENARIO_LAW ? "durations" : "sizes");
        break;
    case SCENARIO_LAW_OR_NEVER:
        fputs(
            "\"anyOf\": [{\"enum\": [\"never\"]}, {\"$ref\": \"#/definitions/law-of-durations\"}]",
            out);
        break;
    case SCENARIO_TEXT:
        fputs("\"type\": [\"string\", \"number\", \"boolean\"]", out);
        break;
    case SCENARIO_NAME:
        fputs("\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9_-]{1,63}$\"", out);
        break;
    case SCENARIO_MAP:
    case SCENARIO_LIST:
        print_reference(out, row);
        break;
    case SCENARIO_SPECIAL:
    case SCENARIO_TYPE_COUNT:
        print_special(out, row);
        break;
    }
}

static void print_property(FILE *out, const struct scenario_option *row, bool *first)
{
    property_name(out, row->key, first);
    fputs("{", out);
    print_type(out, row);
    fputs(", \"description\": ", out);
    scenario_print_json_text(out, row->doc);
    fputs("}", out);
}

static void policies(struct scenario_loader *loader, FILE *out, bool *first)
{
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
        property_name(out, scenario_print(&loader->memory, "recoup.%s", info->key), first);
        fputs("{\"type\": [\"string\", \"boolean\", \"integer\"], \"description\": ", out);
        scenario_print_json_text(out, info->doc);
        fputs("}", out);
    }
    for (uint32_t i = 0; i < scenario_worker_policies_count(); i++) {
        struct scenario_worker_policy_text policy = scenario_worker_policy_text(i);
        property_name(out, policy.key, first);
        fputs("{\"type\": [\"string\", \"boolean\"], \"description\": ", out);
        scenario_print_json_text(out, policy.doc);
        fputs("}", out);
    }
}

static void metrics(FILE *out, bool *first)
{
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        property_name(out, metric->name, first);
        fputs("{\"allOf\": [{\"$ref\": \"#/definitions/expect-METRIC\"}], \"description\": ", out);
        scenario_print_json_text(out, metric->definition);
        fputs("}", out);
    }
}

// The required keys of a section, as a list; `before` comes first where there are any.
static void print_required(FILE *out, enum scenario_section section, const char *before)
{
    bool first = true;
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section == section && (row->flags & SCENARIO_REQUIRED) != 0) {
            fprintf(out, "%s\"%s\"", first ? before : ", ", row->key);
            first = false;
        }
    }
    if (!first) {
        fputs("]", out);
    }
}

// Sections that a base may complete: what they require is required of whole scenarios only.
static bool comes_from_base(enum scenario_section section)
{
    return section == SCENARIO_SECTION_ROOT || section == SCENARIO_SECTION_JOB ||
           section == SCENARIO_SECTION_CLUSTER;
}

// A file with `about` and without `base` is a whole scenario.
static void print_whole(FILE *out)
{
    fputs(",\n    \"if\": {\"required\": [\"about\"], \"not\": {\"required\": [\"base\"]}},\n"
          "    \"then\": {",
          out);
    print_required(out, SCENARIO_SECTION_ROOT, "\"required\": [");
    fputs(", \"properties\": {\"job\": {", out);
    print_required(out, SCENARIO_SECTION_JOB, "\"required\": [");
    fputs("}, \"cluster\": {", out);
    print_required(out, SCENARIO_SECTION_CLUSTER, "\"required\": [");
    fputs("}}}", out);
}

static void print_object(struct scenario_loader *loader, FILE *out, enum scenario_section section)
{
    bool first = true;
    fprintf(out, "    \"type\": \"object\",\n    \"additionalProperties\": %s",
            section == SCENARIO_SECTION_CONFIG ? "true" : "false");
    if (!comes_from_base(section)) {
        print_required(out, section, ",\n    \"required\": [");
    }
    fputs(",\n    \"properties\": {", out);
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section == section && (row->flags & SCENARIO_NO_EFFECT) == 0) {
            print_property(out, row, &first);
        }
    }
    if (section == SCENARIO_SECTION_CONFIG) {
        policies(loader, out, &first);
    }
    if (section == SCENARIO_SECTION_EXPECT) {
        metrics(out, &first);
    }
    fputs("\n    }", out);
}

static void print_law(FILE *out, const char *name, const char *value)
{
    fprintf(
        out,
        ",\n  \"law-of-%s\": {\"anyOf\": [{\"$ref\": \"#/definitions/%s\"}, {\"type\": \"object\", "
        "\"additionalProperties\": false, \"properties\": {",
        name, value);
    for (uint32_t i = 0; i < SCENARIO_LAW_SYNTAXES; i++) {
        const struct scenario_law_syntax *s = scenario_law_syntax_at(i);
        fprintf(out,
                "\n      \"%s\": {\"type\": \"object\", \"additionalProperties\": false, "
                "\"properties\": {"
                "\"%s\": {\"$ref\": \"#/definitions/%s\"}",
                s->name, s->a, value);
        if (s->b != NULL && s->b_is_number) {
            fprintf(out, ", \"%s\": {\"type\": \"number\"}", s->b);
        } else if (s->b != NULL) {
            fprintf(out, ", \"%s\": {\"$ref\": \"#/definitions/%s\"}", s->b, value);
        }
        fprintf(out, "}, \"required\": [\"%s\"", s->a);
        fprintf(out, s->b != NULL ? ", \"%s\"]}," : "]},%s", s->b != NULL ? s->b : "");
    }
    fputs("\n      \"quantiles\": {\"type\": \"array\"}, \"mixture\": {\"type\": \"array\"},"
          "\n      \"trace\": {\"type\": \"string\"}, \"column\": {\"type\": \"string\"}, "
          "\"unit\": {\"type\": \"string\"}}}]}",
          out);
}

static void schema_body(struct scenario_loader *loader, FILE *out)
{
    fputs("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
          "  \"title\": \"Recoup scenario\",\n"
          "  \"$comment\": \"Generated by `recoup list options --format schema`; do not edit.\",\n",
          out);
    print_object(loader, out, SCENARIO_SECTION_ROOT);
    print_whole(out);
    fputs(",\n  \"definitions\": {\n"
          "  \"duration\": {\"type\": \"string\", \"pattern\": \"^[0-9]+([.][0-9]+)? "
          "*(ns|us|ms|s|min|h|d)$\"},\n"
          "  \"size\": {\"type\": \"string\", \"pattern\": \"^[0-9]+([.][0-9]+)? "
          "*(b|kb|mb|gb|tb)$\"}",
          out);
    print_law(out, "durations", "duration");
    print_law(out, "sizes", "size");
    for (int s = SCENARIO_SECTION_ROOT + 1; s < SCENARIO_SECTION_COUNT; s++) {
        fputs(",\n  \"", out);
        scenario_print_definition(out, scenario_section_path((enum scenario_section)s));
        fputs("\": {\n", out);
        print_object(loader, out, (enum scenario_section)s);
        fputs("\n  }", out);
    }
    fputs("\n  }\n}\n", out);
}

int scenario_options_print_schema(FILE *out)
{
    return scenario_print_with(out, schema_body);
}
