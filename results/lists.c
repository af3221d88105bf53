// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/lists.h"

#include "models/invariants.h"
#include "results/json.h"
#include "results/text.h"
#include "scenarios/metrics.h"

static int print_text(FILE *out, struct results_text *text)
{
    bool ok =
        !text->failed && (text->size == 0 || fwrite(text->data, 1, text->size, out) == text->size);

    results_text_release(text);
    return ok ? 0 : -1;
}

int results_list_invariants(FILE *out, bool json)
{
    struct results_text text;
    struct results_json writer;

    results_text_init(&text);
    results_json_init(&writer, &text);
    if (json) {
        results_json_array(&writer);
    }
    for (uint32_t i = 0; i < model_invariant_count(); i++) {
        const struct model_invariant_info *info = model_invariant_info(i);

        if (json) {
            results_json_object(&writer);
            results_json_put_string(&writer, "id", info->id);
            results_json_put_string(&writer, "sentence", info->sentence);
            results_json_put_string(&writer, "hazards", info->hazards);
            results_json_put_bool(&writer, "checked", info->checked);
            results_json_end_object(&writer);
        } else {
            results_text_format(&text, "%-4s %s%s%s%s%s\n", info->id, info->sentence,
                                info->hazards[0] != '\0' ? " [flink-1.20 may break it: " : "",
                                info->hazards, info->hazards[0] != '\0' ? "]" : "",
                                info->checked ? "" : " [no run checks it]");
        }
    }
    if (json) {
        results_json_end_array(&writer);
        results_text_char(&text, '\n');
    }
    return print_text(out, &text);
}

int results_list_metrics_markdown(FILE *out)
{
    struct results_text text;

    results_text_init(&text);
    results_text_add(
        &text,
        "# Metrics\n"
        "\n"
        "What a run measures. The name is used in `expect` and in sweeps, the column is that of "
        "the\n"
        "table `run` of a result database (lost work by cause stands in the table `lost_work`).\n"
        "Definitions that need more than a sentence are in [results.md](results.md). This file is\n"
        "generated: `recoup list metrics --format markdown`.\n"
        "\n"
        "| metric | column | unit | better | definition |\n"
        "|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);

        results_text_format(&text, "| `%s` | %s%s%s | %s | %s | %s |\n", metric->name,
                            metric->column != NULL ? "`" : "",
                            metric->column != NULL ? metric->column : "in `lost_work`",
                            metric->column != NULL ? "`" : "", metric->unit, metric->better,
                            metric->definition);
    }
    return print_text(out, &text);
}
