// SPDX-License-Identifier: GPL-3.0-or-later
//
// Many runs as a page: what is usual and what is bad luck, and why work was lost.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "results/many.h"
#include "results/report.h"
#include "results/report_parts.h"
#include "results/units.h"

#define LABEL 23u
#define VALUE 14u
#define RANGE_RUNS 20u // fewer: the range is that of what was seen

static const char *value_text(char buffer[RESULTS_PAGE_WIDTH_MIN], enum results_many_metric metric,
                              double value)
{
    return isfinite(value) ? results_many_value(buffer, metric, llround(value)) : "-";
}

static void runs_text(struct results_text *words, uint32_t runs)
{
    results_report_plural(words, runs, "run");
}

// --- verdict -------------------------------------------------------------------------------------

static void verdict(struct results_page *page, const struct results_many *many,
                    const struct results_many_summary *s, struct results_text *words)
{
    const struct results_sample *delay = &s->samples[RESULTS_MANY_DELAY];
    const struct results_sample *lost = &s->samples[RESULTS_MANY_LOST_WORK];
    char a[RESULTS_PAGE_WIDTH_MIN];
    char b[RESULTS_PAGE_WIDTH_MIN];

    runs_text(words, many->n);
    results_text_format(words, " of %s (%s): ", many->scenario->name,
                        results_profile_name(many->scenario->config.profile));
    if (s->n == 0) {
        results_text_add(words, "none left a result.");
    } else if (delay->n == 0) {
        results_text_format(
            words, "the median run takes %s.",
            value_text(a, RESULTS_MANY_MAKESPAN,
                       results_sample_quantile(&s->samples[RESULTS_MANY_MAKESPAN], 0.5)));
    } else {
        results_text_format(words, "the median run ends %s late and loses %s; ",
                            value_text(a, RESULTS_MANY_DELAY, results_sample_quantile(delay, 0.5)),
                            results_slot_time(b, llround(results_sample_quantile(lost, 0.5))));
        results_text_format(
            words, "1 in 20 is more than %s late.",
            value_text(a, RESULTS_MANY_DELAY, results_sample_quantile(delay, 0.95)));
    }
    results_page_wrap(page, "", 0, s->bug || s->unmet > 0 ? RESULTS_RED : RESULTS_BOLD,
                      results_text_string(words));
    results_text_clear(words);
}

static void facts(struct results_page *page, const struct results_many *many,
                  const struct results_many_summary *s, struct results_text *words)
{
    for (uint32_t i = MODEL_JOB_RUNNING; i <= MODEL_JOB_TIMEOUT; i++) {
        if (s->states[i] > 0) {
            results_text_format(words, "%s%" PRIu32 " %s",
                                words->size > 0 ? results_report_dot(page) : "", s->states[i],
                                model_job_state_name((enum model_job_state)i));
        }
    }
    results_text_format(words, "%sa master died in %" PRIu32 " of %" PRIu32,
                        words->size > 0 ? results_report_dot(page) : "", s->hit, s->n);
    if (many->n > 0) {
        results_text_format(words, "%sseeds from %" PRIu64, results_report_dot(page),
                            many->seeds[0]);
    }
    results_page_wrap(page, "", 0, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

// --- metrics -------------------------------------------------------------------------------------

static void metric_line(struct results_page *page, const struct results_sample *sample,
                        enum results_many_metric metric)
{
    static const double shares[] = {0.5, 0.05, 0.95, 1};
    char value[RESULTS_PAGE_WIDTH_MIN];

    if (sample->n == 0 || (metric == RESULTS_MANY_PRICE && sample->max == 0)) {
        return;
    }
    results_text_add(page->text, "  ");
    results_page_left(page, results_many_words(metric), LABEL);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double at = results_sample_quantile(sample, shares[i]);

        results_page_right(page, value_text(value, metric, at), VALUE);
    }
    results_page_line(page);
}

static void metrics(struct results_page *page, const struct results_many_summary *s)
{
    static const char *const heads[] = {"median", "5 %", "95 %", "largest"};

    results_page_line(page);
    results_text_add(page->text, "  ");
    results_page_left(page, "", LABEL);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        results_page_right(page, heads[i], VALUE);
    }
    results_page_line(page);
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        metric_line(page, &s->samples[m], (enum results_many_metric)m);
    }
}

// --- lost work -----------------------------------------------------------------------------------

static uint32_t next_cause(const struct results_many_summary *s, const bool *shown)
{
    uint32_t found = MODEL_CAUSE_COUNT;

    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        bool larger =
            found == MODEL_CAUSE_COUNT || s->causes[c].total_ns > s->causes[found].total_ns;

        if (!shown[c] && s->causes[c].runs > 0 && larger) {
            found = c;
        }
    }
    return found;
}

static void causes(struct results_page *page, const struct results_many_summary *s,
                   struct results_text *words)
{
    enum { TIME = 12, COUNT = 22 };
    bool shown[MODEL_CAUSE_COUNT] = {false};
    uint32_t first = next_cause(s, shown);
    uint32_t room = results_report_bar_room(page, 2 + LABEL + 1 + TIME + COUNT);

    if (first == MODEL_CAUSE_COUNT) {
        return;
    }
    results_page_line(page);
    results_text_add(words, "by cause, mean of a run");
    results_report_paragraph(page, "Lost work", RESULTS_BOLD, words);
    for (uint32_t c = first; c != MODEL_CAUSE_COUNT; c = next_cause(s, shown)) {
        const struct results_many_cause *cause = &s->causes[c];
        char time[RESULTS_UNITS_SIZE];

        shown[c] = true;
        results_text_add(page->text, "  ");
        results_page_left(page, model_cause_name((enum model_cause)c), LABEL);
        results_page_bar(page, (uint64_t)cause->total_ns, (uint64_t)s->causes[first].total_ns, room,
                         RESULTS_YELLOW);
        results_text_add(page->text, room > 0 ? " " : "");
        results_page_right(page, results_duration(time, cause->total_ns / (int64_t)s->n), TIME);
        results_text_format(words, "in %" PRIu32 " of %" PRIu32 " runs", cause->runs, s->n);
        results_page_right(page, results_text_string(words), COUNT);
        results_text_clear(words);
        results_page_line(page);
    }
    results_text_format(words, "%s: %s", model_cause_name((enum model_cause)first),
                        results_cause_meaning((enum model_cause)first));
    results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

// --- what to know --------------------------------------------------------------------------------

static void note(struct results_page *page, enum results_color color, struct results_text *words)
{
    results_report_paragraph(page, "", color, words);
}

static void findings(struct results_page *page, const struct results_many_summary *s,
                     struct results_text *words)
{
    for (uint32_t i = 0; i < s->n_findings; i++) {
        const struct results_many_finding *f = &s->findings[i];

        results_text_format(words, "%s is broken in ", f->invariant);
        runs_text(words, f->runs);
        if (f->hazard[0] != '\0') {
            results_text_format(words, " (hazard %s, which the active policies permit)", f->hazard);
        } else {
            results_text_add(words, ", which no active policy explains: a bug");
        }
        results_text_format(words, "; first with seed %" PRIu64, f->seed);
        results_report_paragraph(page, i == 0 ? "Findings" : "",
                                 f->hazard[0] != '\0' ? RESULTS_YELLOW : RESULTS_RED, words);
    }
}

static void warnings(struct results_page *page, const struct results_many *many,
                     const struct results_many_summary *s, struct results_text *words)
{
    if (s->unmet > 0) {
        runs_text(words, s->unmet);
        results_text_format(words,
                            " did not end as the scenario expects; the first has seed %" PRIu64,
                            s->unmet_seed);
        note(page, RESULTS_RED, words);
    }
    if (s->failed > 0) {
        runs_text(words, s->failed);
        results_text_format(words, " left no result; the first has seed %" PRIu64, s->failed_seed);
        note(page, RESULTS_RED, words);
    }
    if (s->censored > 0) {
        runs_text(words, s->censored);
        results_text_add(words, " ended at a limit of time or events: the truth is larger");
        note(page, RESULTS_YELLOW, words);
    }
    if (s->n > 0 && s->hit == 0) {
        results_text_add(words, "no master died: these runs say nothing about recovery");
        note(page, RESULTS_YELLOW, words);
    }
    if (many->n < RANGE_RUNS) {
        results_text_format(
            words, "fewer than %u runs: the ranges are hardly more than what was seen", RANGE_RUNS);
        note(page, RESULTS_DIM, words);
    }
}

void results_many_report(const struct results_many *many,
                         const struct results_many_summary *summary,
                         const struct results_style *style, struct results_text *text)
{
    struct results_page page;
    struct results_text words;

    results_page_init(&page, text, style);
    results_text_init(&words);
    results_report_interrupted(&page, many->n, many->asked, "run", &words);
    verdict(&page, many, summary, &words);
    facts(&page, many, summary, &words);
    if (summary->n > 0) {
        metrics(&page, summary);
        causes(&page, summary, &words);
    }
    results_page_line(&page);
    findings(&page, summary, &words);
    warnings(&page, many, summary, &words);
    if (summary->n > 0) {
        results_page_left(&page, "Worst run", REPORT_INDENT);
        results_text_format(text, "%s --seed %" PRIu64 "\n", many->command, summary->worst_seed);
    }
    text->failed = text->failed || words.failed;
    results_text_release(&words);
}
