// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/report_parts.h"
#include "results/units.h"

#define REPORT_BAR_MAX 40u
#define REPORT_BAR_MIN 4u
#define REPORT_OUTCOMES_MAX 6u
#define REPORT_VALUE_COLUMNS 20u // of an assumed value; a longer one is left to `recoup lint`
#define REPORT_NAMES_MAX 8u // of one list

const char *results_report_dot(const struct results_page *page)
{
    return page->style.utf8 ? " \xc2\xb7 " : ", ";
}

void results_report_plural(struct results_text *text, uint64_t count, const char *noun)
{
    char number[RESULTS_UNITS_SIZE];

    results_text_format(text, "%s %s%s", results_count(number, count), noun, count == 1 ? "" : "s");
}

void results_report_interrupted(struct results_page *page, uint64_t made, uint64_t asked,
                                const char *noun, struct results_text *words)
{
    if (made >= asked) {
        return;
    }
    results_text_format(words, "Interrupted after %" PRIu64 " of %" PRIu64 " %s%s%s.", made, asked,
                        noun, asked == 1 ? "" : "s",
                        made > 0 ? "; what follows is of these alone" : "");
    results_page_wrap(page, "", 0, RESULTS_YELLOW, results_text_string(words));
    results_text_clear(words);
}

// One wrapped paragraph with a label, from words that are given up afterwards.
void results_report_paragraph(struct results_page *page, const char *label,
                              enum results_color color, struct results_text *words)
{
    results_page_wrap(page, label, REPORT_INDENT, color, results_text_string(words));
    results_text_clear(words);
}

// --- verdict -------------------------------------------------------------------------------------

static enum results_color verdict_color(const struct results_run *run)
{
    if (run->verdict->unexplained || !run->verdict->ok) {
        return RESULTS_RED;
    }
    return RESULTS_BOLD;
}

static void report_verdict(struct results_page *page, const struct results_run *run,
                           struct results_text *words)
{
    const struct model_config *config = &run->scenario->config;
    const struct model_result *r = run->result;
    char time[RESULTS_UNITS_SIZE];

    results_run_verdict(run, words);
    results_page_wrap(page, "", 0, verdict_color(run), results_text_string(words));
    results_text_clear(words);
    results_text_format(words, "%s after %s", model_job_state_name(r->state),
                        results_duration(time, r->makespan_ns));
    if (run->faultless_known && run->faultless_makespan_ns != r->makespan_ns) {
        results_text_format(words, ", without faults after %s",
                            results_duration(time, run->faultless_makespan_ns));
    }
    results_text_add(words, results_report_dot(page));
    if (r->tasks > 0) { // 0 where the run ends before a new master has got to know its stages
        results_report_plural(words, r->tasks, "subtask");
        results_text_add(words, " in ");
    }
    results_report_plural(words, r->attempts, "attempt");
    results_text_add(words, results_report_dot(page));
    results_report_plural(words, config->cluster.workers, "worker");
    results_text_add(words, " of ");
    results_report_plural(words, config->cluster.slots, "slot");
    results_text_format(words, "%sseed %" PRIu64, results_report_dot(page), config->seed);
    results_page_wrap(page, "", 0, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

// --- outage --------------------------------------------------------------------------------------

const char *results_report_phase(enum model_phase phase)
{
    switch (phase) {
    case MODEL_PHASE_DETECT:
        return "detect";
    case MODEL_PHASE_ELECT:
        return "elect";
    case MODEL_PHASE_START:
        return "start";
    case MODEL_PHASE_REPLAY:
        return "replay";
    case MODEL_PHASE_WAIT_WORKERS:
        return "wait for workers";
    case MODEL_PHASE_RECONCILE:
        return "reconcile";
    case MODEL_PHASE_REDEPLOY:
        return "redeploy";
    case MODEL_PHASE_COUNT:
        break;
    }
    return "";
}

uint32_t results_report_bar_room(const struct results_page *page, uint32_t taken)
{
    uint32_t room = page->style.width > taken ? page->style.width - taken : 0;

    return room < REPORT_BAR_MIN ? 0 : room > REPORT_BAR_MAX ? REPORT_BAR_MAX : room;
}

// One line for all phases that took no time.
static void idle_phases(struct results_page *page, const uint64_t sums[MODEL_PHASE_COUNT],
                        struct results_text *words)
{
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        if (sums[p] == 0) {
            results_text_format(words, "%s%s", words->size > 0 ? ", " : "0 s: ",
                                results_report_phase((enum model_phase)p));
        }
    }
    if (words->size > 0) {
        results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
        results_text_clear(words);
    }
}

// A bar for each phase that took time.
static void outage_bars(struct results_page *page, const struct model_result *r,
                        struct results_text *words)
{
    enum { LABEL = 17, VALUE = 13 };
    uint64_t sums[MODEL_PHASE_COUNT] = {0};
    uint64_t largest = 0;
    uint32_t room = results_report_bar_room(page, 2 + LABEL + VALUE + 1);
    char time[RESULTS_UNITS_SIZE];

    for (uint32_t i = 0; i < r->n_failovers; i++) {
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
            sums[p] += (uint64_t)r->failovers[i].phase_ns[p];
            largest = sums[p] > largest ? sums[p] : largest;
        }
    }
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        if (sums[p] == 0) {
            continue;
        }
        results_text_add(page->text, "  ");
        results_page_left(page, results_report_phase((enum model_phase)p), LABEL);
        results_page_bar(page, sums[p], largest, room, RESULTS_CYAN);
        results_page_right(page, results_duration(time, (int64_t)sums[p]), VALUE);
        results_page_line(page);
    }
    idle_phases(page, sums, words);
}

static void failover_line(struct results_page *page, const struct model_failover *f)
{
    char at[RESULTS_UNITS_SIZE];
    char time[RESULTS_UNITS_SIZE];
    char kept[RESULTS_UNITS_SIZE];
    char forgotten[RESULTS_UNITS_SIZE];

    results_text_add(page->text, "  at ");
    results_page_left(page, results_duration(at, f->at_ns), 14);
    results_page_right(page, results_duration(time, f->outage_ns), 13);
    results_text_format(page->text, "  %-10s %s kept, %s forgotten",
                        model_failover_result_name(f->result),
                        results_count(kept, f->finished_recovered),
                        results_count(forgotten, f->finished_forgotten));
    results_page_line(page);
}

static void report_outage(struct results_page *page, const struct results_run *run,
                          const struct report_limits *limits, struct results_text *words)
{
    const struct model_result *r = run->result;
    char time[RESULTS_UNITS_SIZE];

    if (r->n_failovers == 0) {
        return;
    }
    results_text_format(words, "%s", results_duration(time, r->outage_ns));
    if (r->n_failovers == 1) {
        results_text_format(words, "; the master was lost at %s%sresult: %s",
                            results_duration(time, r->failovers[0].at_ns), results_report_dot(page),
                            model_failover_result_name(r->failovers[0].result));
    } else {
        results_text_format(words,
                            " in %" PRIu32 " failovers, all together by phase:", r->n_failovers);
    }
    results_page_line(page);
    results_report_paragraph(page, "Outage", RESULTS_BOLD, words);
    if (r->outage_ns > 0) {
        outage_bars(page, r, words);
    }
    for (uint32_t i = 0; r->n_failovers > 1 && i < r->n_failovers && i < limits->failovers; i++) {
        failover_line(page, &r->failovers[i]);
    }
    if (r->n_failovers > 1 && r->n_failovers > limits->failovers) {
        results_text_format(page->text, "  and %" PRIu32 " more (--format json lists them)\n",
                            r->n_failovers - limits->failovers);
    }
}

// --- findings, expectations ----------------------------------------------------------------------

// True when no earlier finding is of the same invariant and hazard; `count` says how many there
// are.
static bool finding_is_first(const struct model_result *r, uint32_t index, uint32_t *count)
{
    const struct model_finding *f = &r->findings[index];

    *count = 0;
    for (uint32_t i = 0; i < r->n_findings; i++) {
        const struct model_finding *other = &r->findings[i];
        bool same = strcmp(f->invariant, other->invariant) == 0 &&
                    (f->hazard == NULL) == (other->hazard == NULL) &&
                    (f->hazard == NULL || strcmp(f->hazard, other->hazard) == 0);

        if (same && i < index) {
            return false;
        }
        *count += same;
    }
    return true;
}

// Messages tell exact times, "330226518026 ns": people get them as everywhere else.
static void finding_message(const char *message, struct results_text *words)
{
    char time[RESULTS_UNITS_SIZE];

    while (*message != '\0') {
        size_t digits = strspn(message, "0123456789");
        bool is_time = digits > 3 && digits < 19 && strncmp(message + digits, " ns", 3) == 0;

        if (is_time) {
            results_text_add(words, results_duration(time, strtoll(message, NULL, 10)));
            message += digits + 3;
        } else {
            digits = digits > 0 ? digits : 1;
            results_text_bytes(words, message, digits);
            message += digits;
        }
    }
}

static void finding_words(const struct model_finding *f, uint32_t count, struct results_text *words)
{
    char time[RESULTS_UNITS_SIZE];

    results_text_format(words, "%s at %s", f->invariant, results_duration(time, f->at_ns));
    if (count > 1) {
        results_text_format(words, ", %" PRIu32 " times in all", count);
    }
    if (f->hazard != NULL) {
        results_text_format(words, " (permitted: hazard %s): ", f->hazard);
    } else {
        results_text_add(words, " (A BUG, no active policy explains it): ");
    }
    finding_message(f->message, words);
}

static void report_findings(struct results_page *page, const struct results_run *run,
                            const struct report_limits *limits, struct results_text *words)
{
    const struct model_result *r = run->result;
    uint32_t shown = 0;
    uint32_t count;

    if (r->findings_total == 0) {
        return;
    }
    results_page_line(page);
    for (uint32_t i = 0; i < r->n_findings; i++) {
        if (!finding_is_first(r, i, &count)) {
            continue;
        }
        // A bug is always told.
        if (shown++ < limits->findings || r->findings[i].hazard == NULL) {
            finding_words(&r->findings[i], count, words);
            results_report_paragraph(page, shown == 1 ? "Findings" : "",
                                     r->findings[i].hazard != NULL ? RESULTS_YELLOW : RESULTS_RED,
                                     words);
        }
    }
    if (shown > limits->findings || r->findings_total > r->n_findings) {
        results_text_format(words, "%" PRIu64 " findings of %" PRIu32 " kinds in all%s",
                            r->findings_total, shown, "; --format json lists them");
        results_report_paragraph(page, "", RESULTS_PLAIN, words);
    }
}

// "met: state, lost-work, findings T4, W4".
static void expectations_met(const struct scenario_verdict *verdict, struct results_text *words)
{
    const char *before = "";

    results_text_add(words, "met: ");
    for (uint32_t i = 0; i < verdict->n_outcomes && i < REPORT_NAMES_MAX; i++) {
        const struct scenario_outcome *outcome = &verdict->outcomes[i];

        results_text_add(words, i > 0 ? ", " : "");
        if (outcome->invariant == NULL || strcmp(before, outcome->metric) != 0) {
            results_text_format(words, "%s%s", outcome->metric,
                                outcome->invariant != NULL ? " " : "");
        }
        results_text_add(words, outcome->invariant != NULL ? outcome->invariant : "");
        before = outcome->metric;
    }
    if (verdict->n_outcomes > REPORT_NAMES_MAX) {
        results_text_format(words, " and %" PRIu32 " more",
                            verdict->n_outcomes - REPORT_NAMES_MAX);
    }
}

static void report_expectations(struct results_page *page, const struct results_run *run,
                                struct results_text *words)
{
    const struct scenario_verdict *verdict = run->verdict;
    uint32_t met = 0;
    uint32_t shown = 0;

    for (uint32_t i = 0; i < verdict->n_outcomes; i++) {
        met += verdict->outcomes[i].ok;
    }
    results_page_line(page);
    if (met == verdict->n_outcomes) {
        expectations_met(verdict, words);
        results_report_paragraph(page, "Expected", RESULTS_GREEN, words);
        return;
    }
    for (uint32_t i = 0; i < verdict->n_outcomes && shown < REPORT_OUTCOMES_MAX; i++) {
        if (!verdict->outcomes[i].ok) {
            results_text_format(words, "NOT MET: %s", verdict->outcomes[i].text);
            results_report_paragraph(page, shown++ == 0 ? "Expected" : "", RESULTS_RED, words);
        }
    }
    if (met > 0 || verdict->n_outcomes - met > shown) {
        results_text_format(words, "%" PRIu32 " of %" PRIu32 " expectations are met", met,
                            verdict->n_outcomes);
        results_report_paragraph(page, "", RESULTS_PLAIN, words);
    }
}

// --- faults that never fired, what it rests on, how to repeat it ---------------------------------

static void report_not_fired(struct results_page *page, const struct results_run *run,
                             struct results_text *words)
{
    const struct model_result *r = run->result;
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->n_fired; i++) {
        if (!r->fired[i].fired && count++ < REPORT_NAMES_MAX) {
            results_text_format(words, "%s%s", count > 1 ? ", " : "",
                                run->scenario->config.faults[r->fired[i].fault].name);
        }
    }
    if (count > 0) {
        results_text_format(words, "%s never fired", count > REPORT_NAMES_MAX ? " and others" : "");
        results_report_paragraph(page, "Warning", RESULTS_YELLOW, words);
    }
}

// A value in as few words: "5 s to 15 s" of {uniform: {from: 5 s, to: 15 s}}; "" of a long one.
static void assumed_value(const char *value, struct results_text *words)
{
    char from[REPORT_VALUE_COLUMNS + 1];
    char to[REPORT_VALUE_COLUMNS + 1];
    char rest[2];

    if (sscanf(value, "{uniform: {from: %20[^,{}], to: %20[^,{}]}%1[}]", from, to, rest) == 3) {
        results_text_format(words, " %s to %s", from, to);
    } else if (strlen(value) <= REPORT_VALUE_COLUMNS) {
        results_text_format(words, " %s", value);
    }
}

// The assumed values at and below a path: one with its value, several as their number, which is
// returned.
static uint32_t assumed_at(const struct scenario *scenario, const char *path,
                           struct results_text *words)
{
    size_t size = strlen(path);
    const struct scenario_value *last = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];
        bool here = strncmp(value->path, path, size) == 0 &&
                    (value->path[size] == '\0' || value->path[size] == '.');

        if (value->assumed && here) {
            last = value;
            count++;
        }
    }
    if (count > 0) {
        results_text_format(words, "%s%s", words->size > 0 ? ", " : "",
                            count == 1 ? last->path : path);
    }
    if (count == 1) {
        assumed_value(last->value, words);
    } else if (count > 1) {
        results_text_format(words, " (%" PRIu32 " values)", count);
    }
    return count;
}

static uint32_t assumed_total(const struct scenario *scenario)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < scenario->n_values; i++) {
        count += scenario->values[i].assumed ? 1u : 0u;
    }
    return count;
}

// Those that weigh most in an outage, with their values; `recoup lint` has the rest.
static void report_assumed(struct results_page *page, const struct results_run *run,
                           struct results_text *words)
{
    static const char *const weighty[] = {"ha",      "master.start",    "master.restart",
                                          "storage", "cluster.restart", "cluster.deploy",
                                          "network.latency"};
    uint32_t left = assumed_total(run->scenario);
    bool any = left > 0;

    for (size_t i = 0; i < sizeof(weighty) / sizeof(weighty[0]); i++) {
        left -= assumed_at(run->scenario, weighty[i], words);
    }
    if (left > 0) {
        results_text_format(words, "%s%" PRIu32 " more", words->size > 0 ? ", " : "", left);
    }
    if (any) {
        results_text_add(words, "; recoup lint shows all");
        results_report_paragraph(page, "Assumed", RESULTS_PLAIN, words);
    }
}

static void report_not_modelled(struct results_page *page, const struct results_run *run,
                                struct results_text *words)
{
    const struct scenario *scenario = run->scenario;

    for (uint32_t i = 0; i < scenario->n_not_modelled && i < REPORT_NAMES_MAX; i++) {
        results_text_format(words, "%s%s", i > 0 ? ", " : "", scenario->not_modelled[i]);
    }
    if (scenario->n_not_modelled > REPORT_NAMES_MAX) {
        results_text_format(words, " and %" PRIu32 " more",
                            scenario->n_not_modelled - REPORT_NAMES_MAX);
    }
    if (words->size > 0) {
        results_report_paragraph(page, "Left out", RESULTS_YELLOW, words);
    }
}

static void report_page(const struct results_run *run, const struct results_style *style,
                        const struct report_limits *limits, struct results_text *text)
{
    struct results_page page;
    struct results_text words;

    results_page_init(&page, text, style);
    results_text_init(&words);
    report_verdict(&page, run, &words);
    report_outage(&page, run, limits, &words);
    results_report_lost_work(&page, run, limits, &words);
    results_report_protection(&page, run, &words);
    report_findings(&page, run, limits, &words);
    report_expectations(&page, run, &words);
    report_not_fired(&page, run, &words);
    report_assumed(&page, run, &words);
    report_not_modelled(&page, run, &words);
    if (run->command != NULL) {
        results_page_left(&page, "Repeat", REPORT_INDENT);
        results_text_format(text, "%s\n", run->command);
    }
    text->failed = text->failed || words.failed;
    results_text_release(&words);
}

static uint32_t lines_of(const struct results_text *text, size_t from)
{
    uint32_t lines = 0;

    for (size_t i = from; i < text->size; i++) {
        lines += text->data[i] == '\n' ? 1u : 0u;
    }
    return lines;
}

// Where the whole would not fit a screen, lists are cut shorter, step by step.
void results_run_report(const struct results_run *run, const struct results_style *style,
                        struct results_text *text)
{
    static const struct report_limits steps[] = {
        {.failovers = 4, .lost_rows = 6, .meanings = 2, .findings = 4},
        {.failovers = 4, .lost_rows = 6, .meanings = 1, .findings = 4},
        {.failovers = 3, .lost_rows = 5, .meanings = 1, .findings = 4},
        {.failovers = 3, .lost_rows = 4, .meanings = 1, .findings = 3},
        {.failovers = 3, .lost_rows = 4, .meanings = 0, .findings = 3},
        {.failovers = 2, .lost_rows = 3, .meanings = 0, .findings = 2},
    };
    const size_t n_steps = sizeof(steps) / sizeof(steps[0]);
    const size_t from = text->size;

    for (size_t i = 0; i < n_steps; i++) {
        text->size = from;
        report_page(run, style, &steps[i], text);
        if (lines_of(text, from) <= RESULTS_REPORT_LINES) {
            return;
        }
    }
}
