// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page's part on what protection cost.
#include "results/report_parts.h"
#include "results/units.h"

static uint64_t requests_total(const struct model_result *r)
{
    uint64_t total = 0;

    for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
        total += r->io.requests[op];
    }
    return total;
}

static void say_recording(const struct results_run *run, struct results_text *words)
{
    char on[RESULTS_UNITS_SIZE];
    char off[RESULTS_UNITS_SIZE];
    const struct model_result *r = run->result;

    if (!run->scenario->config.options.recovery_enabled) {
        results_text_add(words, "none: recovery is off "
                                "(execution.batch.job-recovery.enabled: false)");
        return;
    }
    results_text_format(words, "recorded for %s", results_duration(on, r->recording_ns));
    if (r->unprotected_ns > 0) {
        results_text_format(words, ", unprotected for %s",
                            results_duration(off, r->unprotected_ns));
    }
}

static void say_cost(const struct results_page *page, const struct model_result *r,
                     struct results_text *words)
{
    char size[RESULTS_UNITS_SIZE];
    char price[RESULTS_UNITS_SIZE];

    results_report_plural(words, r->io.files, "file");
    results_text_add(words, results_report_dot(page));
    results_report_plural(words, requests_total(r), "request");
    results_text_format(words, "%s%s in ", results_report_dot(page),
                        results_size(size, r->io.bytes));
    results_report_plural(words, r->io.events, "event");
    results_text_add(words, results_report_dot(page));
    results_report_plural(words, r->io.snapshots, "snapshot");
    results_text_format(words, " of %s%s%s", results_size(size, r->io.snapshot_bytes),
                        results_report_dot(page), results_price(price, r->io.cost_nanousd));
    if (r->io.replay_reads > 0) {
        results_text_format(words, "%sreplay read %s in ", results_report_dot(page),
                            results_size(size, r->io.replay_bytes));
        results_report_plural(words, r->io.replay_reads, "request");
    }
}

void results_report_protection(struct results_page *page, const struct results_run *run,
                               struct results_text *words)
{
    results_page_line(page);
    say_recording(run, words);
    results_report_paragraph(page, "Protection", RESULTS_BOLD, words);
    if (run->scenario->config.options.recovery_enabled) {
        say_cost(page, run->result, words);
        results_report_paragraph(page, "", RESULTS_PLAIN, words);
    }
}
