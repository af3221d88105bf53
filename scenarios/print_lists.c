// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup list storage|presets|connectors|faults|metrics`, as text and JSON.
#include <inttypes.h>
#include <string.h>

#include "scenarios/metrics.h"
#include "scenarios/print.h"
#include "scenarios/storage_profiles.h"

#define OPERATIONS "mkdir|list|create|append|flush|sync|close|read|remove"

static void json_pair(FILE *out, const char *before, const char *name, const char *value)
{
    fprintf(out, "%s\"%s\":", before, name);
    scenario_print_json_text(out, value);
}

static const char *bandwidth_text(struct scenario_loader *loader,
                                  const struct scenario_storage_profile *profile)
{
    char text[SCENARIO_UNITS_TEXT];
    if (profile->storage.bandwidth == 0) {
        return "unlimited";
    }
    scenario_units_size_text((int64_t)profile->storage.bandwidth, text);
    return scenario_print(&loader->memory, "%s/s", text);
}

static const char *durable_text(struct scenario_loader *loader,
                                const struct scenario_storage_profile *profile)
{
    return scenario_choice_text(loader, "flush|sync|close", profile->storage.durable_at);
}

// --- storage -------------------------------------------------------------------------------------

static void storage_text(struct scenario_loader *loader, FILE *out)
{
    for (int k = 0; k < MODEL_STORAGE_KINDS; k++) {
        const struct scenario_storage_profile *profile =
            scenario_storage_profile((enum model_storage_kind)k);
        fprintf(out, "%s%s: %s\n  durable at %s, bandwidth %s, prices: %s\n", k == 0 ? "" : "\n",
                profile->name, profile->about, durable_text(loader, profile),
                bandwidth_text(loader, profile), profile->price_source);
        for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
            fprintf(out, "  %-7s %s, %" PRIu64 " nano-usd (%s)\n",
                    scenario_choice_text(loader, OPERATIONS, op),
                    scenario_law_text(loader, &profile->storage.latency[op], SCENARIO_LAW_NS),
                    profile->storage.price_nanousd[op], profile->source[op]);
        }
    }
}

static void storage_json(struct scenario_loader *loader, FILE *out)
{
    fputs("[", out);
    for (int k = 0; k < MODEL_STORAGE_KINDS; k++) {
        const struct scenario_storage_profile *profile =
            scenario_storage_profile((enum model_storage_kind)k);
        json_pair(out, k == 0 ? "\n{" : ",\n{", "name", profile->name);
        json_pair(out, ",", "about", profile->about);
        json_pair(out, ",", "durable_at", durable_text(loader, profile));
        json_pair(out, ",", "bandwidth", bandwidth_text(loader, profile));
        json_pair(out, ",", "price_source", profile->price_source);
        fputs(",\"operations\":[", out);
        for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
            json_pair(out, op == 0 ? "{" : ",{", "name",
                      scenario_choice_text(loader, OPERATIONS, op));
            json_pair(out, ",", "latency",
                      scenario_law_text(loader, &profile->storage.latency[op], SCENARIO_LAW_NS));
            fprintf(out, ",\"price_nanousd\":%" PRIu64, profile->storage.price_nanousd[op]);
            json_pair(out, ",", "source", profile->source[op]);
            fputs("}", out);
        }
        fputs("]}", out);
    }
    fputs("]\n", out);
}

int scenario_list_storage(FILE *out, enum scenario_format format)
{
    return scenario_print_with(out, format == SCENARIO_FORMAT_JSON ? storage_json : storage_text);
}

// --- presets -------------------------------------------------------------------------------------

static void presets_text(struct scenario_loader *loader, FILE *out)
{
    const char *last = "";
    (void)loader;
    for (uint32_t i = 0; i < scenario_preset_rows_count(); i++) {
        const struct scenario_preset_row *row = scenario_preset_rows_at(i);
        if (strcmp(row->preset, last) != 0) {
            fprintf(out, "%s%s\n", i == 0 ? "" : "\n", row->preset);
        }
        last = row->preset;
        fprintf(out, "  %s: %s (%s)\n", row->path, row->text, row->source);
    }
}

static void presets_json(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    fputs("[", out);
    for (uint32_t i = 0; i < scenario_preset_rows_count(); i++) {
        const struct scenario_preset_row *row = scenario_preset_rows_at(i);
        json_pair(out, i == 0 ? "\n{" : ",\n{", "preset", row->preset);
        json_pair(out, ",", "path", row->path);
        json_pair(out, ",", "value", row->text);
        json_pair(out, ",", "source", row->source);
        fprintf(out, ",\"assumed\":%s}", row->assumed ? "true" : "false");
    }
    fputs("]\n", out);
}

int scenario_list_presets(FILE *out, enum scenario_format format)
{
    return scenario_print_with(out, format == SCENARIO_FORMAT_JSON ? presets_json : presets_text);
}

// --- connectors ----------------------------------------------------------------------------------

static void connectors_text(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    for (uint32_t i = 0; i < scenario_connectors_count(); i++) {
        const struct scenario_connector *connector = scenario_connectors_at(i);
        fprintf(out, "%s: batch-snapshot %s (%s)\n", connector->name,
                connector->batch_snapshot ? "true" : "false", connector->source);
    }
}

static void connectors_json(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    fputs("[", out);
    for (uint32_t i = 0; i < scenario_connectors_count(); i++) {
        const struct scenario_connector *connector = scenario_connectors_at(i);
        json_pair(out, i == 0 ? "\n{" : ",\n{", "name", connector->name);
        fprintf(out, ",\"batch_snapshot\":%s", connector->batch_snapshot ? "true" : "false");
        json_pair(out, ",", "source", connector->source);
        fputs("}", out);
    }
    fputs("]\n", out);
}

int scenario_list_connectors(FILE *out, enum scenario_format format)
{
    return scenario_print_with(out,
                               format == SCENARIO_FORMAT_JSON ? connectors_json : connectors_text);
}

// --- faults --------------------------------------------------------------------------------------

static const struct {
    const char *form, *meaning;
} fault_forms[] = {
    {"{at: 95 s, kill: master}", "The process dies at a time, or at a law of it."},
    {"{at: 50%, terminate: master, grace: 30 s}",
     "SIGTERM at a share of the fault-free makespan, and SIGKILL after the grace period."},
    {"{when: {stage: join, finished: 50%}, kill: master}",
     "Once, when the master's count of finished subtasks first reaches the share."},
    {"{every: {exponential: {mean: 1 h}}, kill: worker, target: random}",
     "Again and again: one process over all workers alive (random), one per worker (each), or one "
     "worker."},
    {"{on: store.flush, nth: 3, moment: mid, kill: master}",
     "Before, in the middle of or after the n-th operation of a kind of the event store."},
    {"{on: store.append, nth: 3, fail: EIO, count: 2}",
     "Operations of the event store fail, from the n-th on: EIO, ENOSPC, EACCES or ETIMEDOUT; "
     "count: all."},
};
#define FAULT_FORMS (sizeof(fault_forms) / sizeof(fault_forms[0]))

static void faults_text(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    for (size_t i = 0; i < FAULT_FORMS; i++) {
        fprintf(out, "%s\n    %s\n", fault_forms[i].form, fault_forms[i].meaning);
    }
}

static void faults_json(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    fputs("[", out);
    for (size_t i = 0; i < FAULT_FORMS; i++) {
        json_pair(out, i == 0 ? "\n{" : ",\n{", "form", fault_forms[i].form);
        json_pair(out, ",", "meaning", fault_forms[i].meaning);
        fputs("}", out);
    }
    fputs("]\n", out);
}

int scenario_list_faults(FILE *out, enum scenario_format format)
{
    return scenario_print_with(out, format == SCENARIO_FORMAT_JSON ? faults_json : faults_text);
}

// --- metrics -------------------------------------------------------------------------------------

static void metrics_text(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        fprintf(out, "%s (%s%s%s): %s\n", metric->name, metric->unit,
                metric->better[0] != '\0' ? ", better " : "", metric->better, metric->definition);
    }
}

static void metrics_json(struct scenario_loader *loader, FILE *out)
{
    (void)loader;
    fputs("[", out);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        json_pair(out, i == 0 ? "\n{" : ",\n{", "name", metric->name);
        json_pair(out, ",", "column", metric->column);
        json_pair(out, ",", "unit", metric->unit);
        json_pair(out, ",", "better", metric->better);
        json_pair(out, ",", "definition", metric->definition);
        fputs("}", out);
    }
    fputs("]\n", out);
}

int scenario_list_metrics(FILE *out, enum scenario_format format)
{
    return scenario_print_with(out, format == SCENARIO_FORMAT_JSON ? metrics_json : metrics_text);
}
