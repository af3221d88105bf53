// SPDX-License-Identifier: GPL-3.0-or-later
//
// The option table as text, JSON and Markdown (docs/scenario-reference.md).
#include <inttypes.h>
#include <string.h>

#include "scenarios/metrics.h"
#include "scenarios/print.h"
#include "scenarios/storage_profiles.h"

static bool has_rows(enum scenario_section section)
{
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        if (scenario_options_at(i)->section == section) {
            return true;
        }
    }
    return false;
}

// --- text ----------------------------------------------------------------------------------------

static void text_row(struct scenario_loader *loader, FILE *out, const char *key, const char *value,
                     const char *fallback, const char *doc)
{
    (void)loader;
    fprintf(out, "  %s: %s%s%s%s\n      %s\n", key, value, fallback[0] != '\0' ? " [" : "",
            fallback, fallback[0] != '\0' ? "]" : "", doc);
}

static void text_policies(struct scenario_loader *loader, FILE *out)
{
    fputs("\nconfig: policies of Recoup [flink-1.20 / hardened]\n", out);
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
        text_row(loader, out, scenario_print(&loader->memory, "recoup.%s", info->key),
                 scenario_policy_choices_text(loader, info),
                 scenario_print(&loader->memory, "%s / %s",
                                scenario_policy_value_text(loader, info, info->flink),
                                scenario_policy_value_text(loader, info, info->hardened)),
                 info->doc);
    }
    for (uint32_t i = 0; i < scenario_worker_policies_count(); i++) {
        struct scenario_worker_policy_text policy = scenario_worker_policy_text(i);
        text_row(loader, out, policy.key, policy.values,
                 scenario_print(&loader->memory, "%s / %s", policy.flink, policy.hardened),
                 policy.doc);
    }
}

static void text_body(struct scenario_loader *loader, FILE *out)
{
    for (int s = 0; s < SCENARIO_SECTION_COUNT; s++) {
        enum scenario_section section = (enum scenario_section)s;
        if (!has_rows(section)) {
            continue;
        }
        const char *path = scenario_section_path(section);
        fprintf(out, "%s%s%s%s\n", s == 0 ? "" : "\n", path, path[0] != '\0' ? ": " : "",
                scenario_section_title(section));
        for (uint32_t i = 0; i < scenario_options_count(); i++) {
            const struct scenario_option *row = scenario_options_at(i);
            if (row->section == section && (row->flags & SCENARIO_NO_EFFECT) == 0) {
                text_row(loader, out, row->key, scenario_row_value_text(loader, row),
                         (row->flags & SCENARIO_NOT_MODELLED) != 0 ? "not modelled"
                                                                  : scenario_row_default_text(row),
                         row->doc);
            }
        }
    }
    text_policies(loader, out);
}

int scenario_options_print_text(FILE *out)
{
    return scenario_print_with(out, text_body);
}

// --- JSON ----------------------------------------------------------------------------------------

static void json_field(FILE *out, const char *name, const char *value, const char *before)
{
    fprintf(out, "%s\"%s\":", before, name);
    scenario_print_json_text(out, value);
}

static void json_row(struct scenario_loader *loader, FILE *out, const struct scenario_option *row)
{
    const char *section = scenario_section_path(row->section);
    json_field(out, "path", scenario_key_path(loader, section, row->key), "{");
    json_field(out, "value", scenario_row_value_text(loader, row), ",");
    json_field(out, "default", row->fallback, ",");
    fprintf(out, ",\"required\":%s,\"preset\":%s,\"modelled\":%s",
            (row->flags & SCENARIO_REQUIRED) != 0 ? "true" : "false",
            (row->flags & SCENARIO_PRESET_ROW) != 0 ? "true" : "false",
            (row->flags & (SCENARIO_NOT_MODELLED | SCENARIO_NO_EFFECT)) != 0 ? "false" : "true");
    json_field(out, "doc", row->doc, ",");
    json_field(out, "source", row->source, ",");
    fputc('}', out);
}

static void json_policy(struct scenario_loader *loader, FILE *out, const char *key,
                        const char *value, const char *flink, const char *hardened,
                        const char *hazards, const char *doc)
{
    (void)loader;
    json_field(out, "path", key, "{");
    json_field(out, "value", value, ",");
    json_field(out, "flink-1.20", flink, ",");
    json_field(out, "hardened", hardened, ",");
    json_field(out, "hazards", hazards, ",");
    json_field(out, "doc", doc, ",");
    fputc('}', out);
}

static void json_body(struct scenario_loader *loader, FILE *out)
{
    fputs("{\"options\":[", out);
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        fputs(i == 0 ? "\n" : ",\n", out);
        json_row(loader, out, scenario_options_at(i));
    }
    fputs("],\n\"policies\":[", out);
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
        fputs(p == 0 ? "\n" : ",\n", out);
        json_policy(loader, out, scenario_print(&loader->memory, "config.recoup.%s", info->key),
                    scenario_policy_choices_text(loader, info),
                    scenario_policy_value_text(loader, info, info->flink),
                    scenario_policy_value_text(loader, info, info->hardened), info->hazards,
                    info->doc);
    }
    for (uint32_t i = 0; i < scenario_worker_policies_count(); i++) {
        struct scenario_worker_policy_text policy = scenario_worker_policy_text(i);
        fputs(",\n", out);
        json_policy(loader, out, scenario_key_path(loader, "config", policy.key), policy.values,
                    policy.flink, policy.hardened, policy.hazards, policy.doc);
    }
    fputs("]}\n", out);
}

int scenario_options_print_json(FILE *out)
{
    return scenario_print_with(out, json_body);
}

// --- Markdown ------------------------------------------------------------------------------------

static void cell(FILE *out, const char *text)
{
    fputs(" ", out);
    scenario_print_markdown_text(out, text);
    fputs(" |", out);
}

static void code_cell(FILE *out, const char *text)
{
    fprintf(out, text[0] != '\0' ? " `%s` |" : " |%s", text);
}

static const char *doc_of(struct scenario_loader *loader, const struct scenario_option *row)
{
    if (row->source == NULL || row->fallback == NULL) {
        return row->doc;
    }
    return scenario_print(&loader->memory, "%s Source: %s.", row->doc, row->source);
}

static void markdown_section(struct scenario_loader *loader, FILE *out,
                             enum scenario_section section, uint32_t with, uint32_t without)
{
    fputs("\n| key | value | default | meaning |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section != section || (row->flags & with) != with || (row->flags & without) != 0) {
            continue;
        }
        fputs("|", out);
        code_cell(out, row->key);
        cell(out, scenario_row_value_text(loader, row));
        cell(out, scenario_row_default_text(row));
        cell(out, doc_of(loader, row));
        fputs("\n", out);
    }
}

static void markdown_sections(struct scenario_loader *loader, FILE *out)
{
    for (int s = 0; s < SCENARIO_SECTION_COUNT; s++) {
        enum scenario_section section = (enum scenario_section)s;
        const char *path = scenario_section_path(section);
        if (section == SCENARIO_SECTION_CONFIG) {
            continue;
        }
        if (path[0] != '\0') {
            fprintf(out, "\n## `%s`: %s\n", path, scenario_section_title(section));
        } else {
            fprintf(out, "\n## %s\n", scenario_section_title(section));
        }
        markdown_section(loader, out, section, 0, 0);
    }
}

static void markdown_config(struct scenario_loader *loader, FILE *out)
{
    fputs("\n## `config`: Flink's option keys\n\nFlat or nested, in Flink's own value syntax: a "
          "bare number is in "
          "milliseconds or bytes. Every key below a prefix that Recoup models must be known; any "
          "other key is "
          "accepted and counted once.\n",
          out);
    markdown_section(loader, out, SCENARIO_SECTION_CONFIG, 0,
                     SCENARIO_NOT_MODELLED | SCENARIO_NO_EFFECT);
    fputs("\n### Not modelled\n\nThese change recovery, but Recoup does not model them: a value "
          "other than the "
          "default is warned about and listed in the result under `not_modelled`.\n",
          out);
    markdown_section(loader, out, SCENARIO_SECTION_CONFIG, SCENARIO_NOT_MODELLED, 0);
}

static void markdown_policies(struct scenario_loader *loader, FILE *out)
{
    fputs("\n## `config`: policies\n\nEvery place where Flink 1.20 and a safer behaviour differ. "
          "`profile` sets "
          "them all; each can be set alone.\n\n| key | value | flink-1.20 | hardened | hazards | "
          "meaning |\n"
          "|---|---|---|---|---|---|\n",
          out);
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
        fprintf(out, "| `recoup.%s` |", info->key);
        cell(out, scenario_policy_choices_text(loader, info));
        cell(out, scenario_policy_value_text(loader, info, info->flink));
        cell(out, scenario_policy_value_text(loader, info, info->hardened));
        cell(out, info->hazards);
        cell(out, info->doc);
        fputs("\n", out);
    }
    for (uint32_t i = 0; i < scenario_worker_policies_count(); i++) {
        struct scenario_worker_policy_text policy = scenario_worker_policy_text(i);
        fputs("|", out);
        code_cell(out, policy.key);
        cell(out, policy.values);
        cell(out, policy.flink);
        cell(out, policy.hardened);
        cell(out, policy.hazards);
        cell(out, policy.doc);
        fputs("\n", out);
    }
}

static void markdown_laws(FILE *out)
{
    fputs("\n## Laws\n\nA law is a constant (`12 s`) or one of these.\n\n| law | meaning "
          "|\n|---|---|\n",
          out);
    for (uint32_t i = 0; i < SCENARIO_LAW_SYNTAXES; i++) {
        const struct scenario_law_syntax *syntax = scenario_law_syntax_at(i);
        fprintf(out, "| `{%s: {%s: VALUE", syntax->name, syntax->a);
        if (syntax->b != NULL) {
            fprintf(out, ", %s: %s", syntax->b, syntax->b_is_number ? "NUMBER" : "VALUE");
        }
        fprintf(out, "}}` | %s |\n", syntax->doc);
    }
    fputs("| `{quantiles: [[0, VALUE], ..., [1, VALUE]]}` | linear between the points |\n"
          "| `{trace: FILE.csv, column: NAME, unit: UNIT}` | subtask i takes row i modulo rows; "
          "cells carry a unit, "
          "or `unit`, or the column's name ends in it (`run_ms`) |\n"
          "| `{mixture: [[WEIGHT, LAW], ...]}` | one of several laws, by weights that add up to 1 "
          "|\n",
          out);
}

static void markdown_presets(FILE *out)
{
    fputs("\n## Presets\n\n| preset | path | value | source |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < scenario_preset_rows_count(); i++) {
        const struct scenario_preset_row *row = scenario_preset_rows_at(i);
        fprintf(out, "| %s | `%s` | `%s` | %s |\n", row->preset, row->path, row->text, row->source);
    }
}

static void markdown_storage(struct scenario_loader *loader, FILE *out)
{
    fputs("\n## Storage profiles\n", out);
    for (int k = 0; k < MODEL_STORAGE_KINDS; k++) {
        const struct scenario_storage_profile *profile =
            scenario_storage_profile((enum model_storage_kind)k);
        char bandwidth[SCENARIO_UNITS_TEXT];
        scenario_units_size_text((int64_t)profile->storage.bandwidth, bandwidth);
        fprintf(out, "\n### %s\n\n%s Durable at %s. Bandwidth: %s%s (%s). Prices: %s.\n\n",
                profile->name, profile->about,
                scenario_choice_text(loader, "flush|sync|close", profile->storage.durable_at),
                profile->storage.bandwidth == 0 ? "unlimited" : bandwidth,
                profile->storage.bandwidth == 0 ? "" : "/s",
                profile->bandwidth_source, profile->price_source);
        fputs("| operation | latency | price | source |\n|---|---|---|---|\n", out);
        for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
            fprintf(out, "| %s | `%s` | %" PRIu64 " nano-usd | %s |\n",
                    scenario_choice_text(
                        loader, "mkdir|list|create|append|flush|sync|close|read|remove", op),
                    scenario_law_text(loader, &profile->storage.latency[op], SCENARIO_LAW_NS),
                    profile->storage.price_nanousd[op], profile->source[op]);
        }
    }
}

static void markdown_rest(FILE *out)
{
    fputs("\n## Connectors\n\n| connector | batch-snapshot | source |\n|---|---|---|\n", out);
    for (uint32_t i = 0; i < scenario_connectors_count(); i++) {
        const struct scenario_connector *connector = scenario_connectors_at(i);
        fprintf(out, "| %s | %s | %s |\n", connector->name,
                connector->batch_snapshot ? "true" : "false", connector->source);
    }
    fputs("\n## Metrics\n\n| metric | unit | better | definition |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        fprintf(out, "| `%s` | %s | %s | %s |\n", metric->name, metric->unit, metric->better,
                metric->definition);
    }
}

static void markdown_body(struct scenario_loader *loader, FILE *out)
{
    fputs("# Scenario reference\n\nGenerated by `recoup list options --format markdown` from the "
          "option table; do "
          "not edit.\n\nEvery scalar is text until the table types it. Durations (`250 ms`; ns us "
          "ms s min h d) and "
          "sizes (`64 mb`; b kb mb gb tb, powers of 1024) carry a unit. Unknown keys, duplicate "
          "keys and keys "
          "without a value are errors.\n",
          out);
    markdown_sections(loader, out);
    markdown_laws(out);
    markdown_config(loader, out);
    markdown_policies(loader, out);
    markdown_presets(out);
    markdown_storage(loader, out);
    markdown_rest(out);
}

int scenario_options_print_markdown(FILE *out)
{
    return scenario_print_with(out, markdown_body);
}
