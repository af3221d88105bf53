// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/crash_curve.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/json.h"
#include "results/report.h"
#include "results/report_parts.h"
#include "results/units.h"

const char *results_crash_set(char buffer[RESULTS_CRASH_SIZE], int64_t at_ns)
{
    (void)snprintf(buffer, RESULTS_CRASH_SIZE,
                   "faults=[{name: crash, at: %" PRId64 " ns, kill: master}]", at_ns);
    return buffer;
}

bool results_crash_curve_finishes(const struct results_crash_curve *curve, uint32_t i)
{
    return curve->records[i] != NULL && curve->records[i]->facts.state == MODEL_JOB_FINISHED;
}

uint32_t results_crash_curve_causes(const struct results_crash_curve *curve,
                                    uint32_t causes[MODEL_CAUSE_COUNT])
{
    double sums[MODEL_CAUSE_COUNT] = {0};
    uint32_t n = 0;

    for (uint32_t i = 0; i < curve->n; i++) {
        for (uint32_t c = 0; curve->records[i] != NULL && c < MODEL_CAUSE_COUNT; c++) {
            uint64_t attempts;

            sums[c] += (double)results_many_lost(curve->records[i], c, &attempts);
        }
    }
    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        uint32_t place = n;

        if (sums[c] <= 0) {
            continue;
        }
        while (place > 0 && sums[causes[place - 1]] < sums[c]) {
            causes[place] = causes[place - 1];
            place--;
        }
        causes[place] = c;
        n++;
    }
    return n;
}

static int64_t value_of(const struct results_record *record, enum results_many_metric metric)
{
    int64_t value = 0;

    (void)results_many_of(record, metric, &value);
    return value;
}

// --- page ----------------------------------------------------------------------------------------

#define AT 12u
#define TIME 12u
#define CAUSE 18u

static uint32_t main_cause(const struct results_record *record)
{
    uint32_t found = MODEL_CAUSE_COUNT;
    int64_t most = 0;

    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        uint64_t attempts;
        int64_t ns = results_many_lost(record, c, &attempts);

        if (ns > most) {
            most = ns;
            found = c;
        }
    }
    return found;
}

static uint64_t largest(const struct results_crash_curve *curve, enum results_many_metric metric)
{
    int64_t most = 0;

    for (uint32_t i = 0; i < curve->n; i++) {
        bool counts = metric == RESULTS_MANY_DELAY ? results_crash_curve_finishes(curve, i)
                                                   : curve->records[i] != NULL;

        if (counts && value_of(curve->records[i], metric) > most) {
            most = value_of(curve->records[i], metric);
        }
    }
    return (uint64_t)most;
}

static void heading(struct results_page *page, const struct results_crash_curve *curve,
                    struct results_text *words)
{
    double sum = 0;
    uint32_t n = 0;
    uint32_t worst = 0;
    uint32_t unfinished = 0;
    char a[RESULTS_UNITS_SIZE];
    char b[RESULTS_UNITS_SIZE];

    for (uint32_t i = 0; i < curve->n; i++) {
        if (results_crash_curve_finishes(curve, i)) {
            int64_t delay = value_of(curve->records[i], RESULTS_MANY_DELAY);

            sum += (double)delay;
            worst =
                n == 0 || delay > value_of(curve->records[worst], RESULTS_MANY_DELAY) ? i : worst;
            n++;
        }
        unfinished += curve->records[i] != NULL && !results_crash_curve_finishes(curve, i) ? 1 : 0;
    }
    results_text_format(words, "%s (%s): ", curve->scenario->name,
                        results_profile_name(curve->scenario->config.profile));
    if (n > 0) {
        results_text_format(words, "the master's death costs %s of delay on average, ",
                            results_duration(a, llround(sum / n)));
        results_text_format(
            words, "and most, %s, at %s.",
            results_duration(a, value_of(curve->records[worst], RESULTS_MANY_DELAY)),
            results_duration(b, curve->at_ns[worst]));
    }
    if (curve->n == 0) {
        results_text_add(words, "no crash was run.");
    }
    if (unfinished > 0) {
        results_text_format(
            words, "%sAfter %" PRIu32 " of %" PRIu32 " crashes the job does not finish at all.",
            n > 0 ? " " : "", unfinished, curve->n);
    }
    results_page_wrap(page, "", 0, RESULTS_BOLD, results_text_string(words));
    results_text_clear(words);
    results_text_format(words, "%" PRIu32 " crash%s, each alone%swithout faults %s%sseed %" PRIu64,
                        curve->n, curve->n == 1 ? "" : "es", results_report_dot(page),
                        results_duration(a, curve->faultless_ns), results_report_dot(page),
                        curve->scenario->config.seed);
    results_page_wrap(page, "", 0, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

static void crash_line(struct results_page *page, const struct results_crash_curve *curve,
                       uint32_t i, const uint64_t most[2], uint32_t room)
{
    static const enum results_many_metric metrics[2] = {RESULTS_MANY_DELAY, RESULTS_MANY_LOST_WORK};
    const struct results_record *record = curve->records[i];
    char time[RESULTS_UNITS_SIZE];
    uint32_t cause;

    results_page_right(page, results_duration(time, curve->at_ns[i]), AT);
    if (record == NULL) {
        results_text_add(page->text, "  no result\n");
        return;
    }
    for (uint32_t m = 0; m < 2; m++) {
        int64_t value = value_of(record, metrics[m]);

        bool known = metrics[m] != RESULTS_MANY_DELAY || results_crash_curve_finishes(curve, i);

        results_text_add(page->text, "  ");
        results_page_bar(page, known && value > 0 ? (uint64_t)value : 0, most[m], room,
                         m == 0 ? RESULTS_CYAN : RESULTS_YELLOW);
        results_page_right(page, known ? results_duration(time, value) : "-", TIME);
    }
    cause = main_cause(record);
    results_text_add(page->text, "  ");
    if (record->facts.state != MODEL_JOB_FINISHED) {
        results_page_color(page, RESULTS_RED,
                           model_job_state_name((enum model_job_state)record->facts.state));
    } else if (cause < MODEL_CAUSE_COUNT) {
        results_text_add(page->text, model_cause_name((enum model_cause)cause));
    }
    results_page_line(page);
}

static void causes_lines(struct results_page *page, const struct results_crash_curve *curve,
                         struct results_text *words)
{
    uint32_t causes[MODEL_CAUSE_COUNT];
    uint32_t n = results_crash_curve_causes(curve, causes);

    if (n > 0) {
        results_page_line(page);
    }
    for (uint32_t i = 0; i < n; i++) {
        results_text_format(words, "%s: %s", model_cause_name((enum model_cause)causes[i]),
                            results_cause_meaning((enum model_cause)causes[i]));
        results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
        results_text_clear(words);
    }
}

void results_crash_curve_report(const struct results_crash_curve *curve,
                                const struct results_style *style, struct results_text *text)
{
    const uint64_t most[2] = {largest(curve, RESULTS_MANY_DELAY),
                              largest(curve, RESULTS_MANY_LOST_WORK)};
    struct results_page page;
    struct results_text words;
    char set[RESULTS_CRASH_SIZE];
    uint32_t room;

    results_page_init(&page, text, style);
    results_text_init(&words);
    room = results_report_bar_room(&page, AT + 2 + TIME + 2 + TIME + 2 + CAUSE) / 2;
    results_report_interrupted(&page, curve->n, curve->asked, "point", &words);
    heading(&page, curve, &words);
    if (curve->n > 0) {
        results_page_line(&page);
        results_page_right(&page, "crash at", AT);
        results_page_right(&page, "delay", 2 + room + TIME);
        results_page_right(&page, "lost work", 2 + room + TIME);
        results_text_add(text, "  most of it\n");
    }
    for (uint32_t i = 0; i < curve->n; i++) {
        crash_line(&page, curve, i, most, room);
    }
    causes_lines(&page, curve, &words);
    if (curve->n > 0) {
        results_page_line(&page);
        results_page_left(&page, "One crash", REPORT_INDENT);
        results_text_format(text, "%s --set '%s'\n", curve->command,
                            results_crash_set(set, curve->at_ns[curve->n / 2]));
    }
    text->failed = text->failed || words.failed;
    results_text_release(&words);
}

// --- data ----------------------------------------------------------------------------------------

static const enum results_many_metric data_metrics[] = {RESULTS_MANY_DELAY, RESULTS_MANY_LOST_WORK,
                                                        RESULTS_MANY_OUTAGE, RESULTS_MANY_KEPT,
                                                        RESULTS_MANY_FORGOTTEN};

#define DATA_METRICS (sizeof(data_metrics) / sizeof(data_metrics[0]))

static void put_point(struct results_json *json, const struct results_crash_curve *curve,
                      uint32_t i)
{
    const struct results_record *record = curve->records[i];

    results_json_object(json);
    results_json_put_i64(json, "at_ns", curve->at_ns[i]);
    if (record == NULL) {
        results_json_put_string(json, "state", NULL);
        results_json_end_object(json);
        return;
    }
    results_json_put_string(json, "state",
                            model_job_state_name((enum model_job_state)record->facts.state));
    results_json_key(json, "fingerprint");
    results_json_hex(json, record->facts.fingerprint, sizeof(record->facts.fingerprint));
    for (size_t m = 0; m < DATA_METRICS; m++) {
        results_json_put_i64(json, results_many_name(data_metrics[m]),
                             value_of(record, data_metrics[m]));
    }
    results_many_put_lost(json, record);
    results_json_end_object(json);
}

void results_crash_curve_json(const struct results_crash_curve *curve, struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_u64(&json, "schema", 1);
    results_json_put_string(&json, "recoup", curve->version);
    results_json_put_string(&json, "scenario", curve->scenario->name);
    results_json_put_string(&json, "profile",
                            results_profile_name(curve->scenario->config.profile));
    results_json_put_u64(&json, "seed", curve->scenario->config.seed);
    results_json_put_i64(&json, "faultless_makespan_ns", curve->faultless_ns);
    results_json_put_u64(&json, "asked", curve->asked);
    results_json_put_u64(&json, "made", curve->n);
    results_json_key(&json, "points");
    results_json_array(&json);
    for (uint32_t i = 0; i < curve->n; i++) {
        put_point(&json, curve, i);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}

void results_crash_curve_csv(const struct results_crash_curve *curve, struct results_text *text)
{
    results_text_add(text, "at_ns,state");
    for (size_t m = 0; m < DATA_METRICS; m++) {
        results_text_format(text, ",%s", results_many_name(data_metrics[m]));
    }
    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        results_text_add(text, ",lost_");
        for (const char *p = model_cause_name((enum model_cause)c); *p != '\0'; p++) {
            results_text_char(text, *p == '-' ? '_' : *p);
        }
        results_text_add(text, "_ns");
    }
    results_text_char(text, '\n');
    for (uint32_t i = 0; i < curve->n; i++) {
        const struct results_record *record = curve->records[i];

        if (record == NULL) {
            continue;
        }
        results_text_format(text, "%" PRId64 ",%s", curve->at_ns[i],
                            model_job_state_name((enum model_job_state)record->facts.state));
        for (size_t m = 0; m < DATA_METRICS; m++) {
            results_text_format(text, ",%" PRId64, value_of(record, data_metrics[m]));
        }
        for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
            uint64_t attempts;

            results_text_format(text, ",%" PRId64, results_many_lost(record, c, &attempts));
        }
        results_text_char(text, '\n');
    }
}
