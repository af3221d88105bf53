// SPDX-License-Identifier: GPL-3.0-or-later
//
// Many runs of one scenario, each with a seed of its own: medians and ranges, lost work by cause,
// findings; as a page and as JSON (schema in docs/results.md).
#ifndef RECOUP_RESULTS_MANY_H
#define RECOUP_RESULTS_MANY_H

#include "results/page.h"
#include "results/record.h"
#include "results/statistics.h"

// What `recoup run --runs` tells of; the first is the one that the page speaks of.
#define RESULTS_MANY_METRICS(X)                                                                    \
    X(DELAY, "delay", "delay_ns", TIME)                                                            \
    X(MAKESPAN, "makespan", "makespan_ns", TIME)                                                   \
    X(LOST_WORK, "lost work", "lost_work_ns", TIME)                                                \
    X(OUTAGE, "outage", "outage_ns", TIME)                                                         \
    X(KEPT, "finished, kept", "finished_kept", COUNT)                                              \
    X(FORGOTTEN, "finished, forgotten", "finished_forgotten", COUNT)                               \
    X(BYTES, "event store, written", "io_event_store_bytes", SIZE)                                 \
    X(REQUESTS, "event store, requests", "io_requests", COUNT)                                     \
    X(PRICE, "event store, price", "io_cost_nanousd", PRICE)

enum results_many_metric {
#define X(id, words, name, kind) RESULTS_MANY_##id,
    RESULTS_MANY_METRICS(X)
#undef X
        RESULTS_MANY_COUNT
};

// "delay", "delay_ns".
const char *results_many_words(enum results_many_metric metric);
const char *results_many_name(enum results_many_metric metric);
// A value of the metric in words: "1 min 35 s", "312", "1.23 mb"; a negative one with "-".
const char *results_many_value(char buffer[RESULTS_PAGE_WIDTH_MIN], enum results_many_metric metric,
                               int64_t value);
// The metric of a run. False where it was not computed.
bool results_many_of(const struct results_record *record, enum results_many_metric metric,
                     int64_t *value);
// Lost work of a run by one cause, all stages together.
int64_t results_many_lost(const struct results_record *record, uint32_t cause, uint64_t *attempts);
// "lost_work_by_cause" and "findings" of a run, into the object that is open.
struct results_json;
void results_many_put_lost(struct results_json *json, const struct results_record *record);

struct results_many { // everything here is borrowed
    const struct scenario *scenario;
    const uint64_t *seeds;
    const struct results_record *const *records; // NULL where there is none: the run failed
    const char *const *failures;                 // why
    uint32_t n;                                  // runs that were made
    uint32_t asked;                              // more than `n` after an interruption
    const char *version;
    const char *command; // that repeats one run, but for the seed
};

struct results_many_cause {
    uint32_t runs; // in which it occurred
    uint64_t attempts;
    int64_t total_ns; // at most INT64_MAX
};

#define RESULTS_MANY_FINDINGS_MAX 64u

struct results_many_finding {
    char invariant[16];
    char hazard[16];
    uint32_t runs;
    uint64_t seed; // of the first run
};

struct results_many_summary {
    uint32_t n;                       // runs that ended
    uint32_t states[8];               // by enum model_job_state
    uint32_t hit;                     // in which a master died
    uint32_t censored;                // cut by a limit of time or events
    uint32_t unmet;                   // that did not meet the expectations
    uint32_t failed;                  // that left no result
    uint64_t unmet_seed, failed_seed; // the first
    uint64_t worst_seed;              // the largest delay, or makespan
    struct results_sample samples[RESULTS_MANY_COUNT];
    struct results_many_cause causes[MODEL_CAUSE_COUNT];
    struct results_many_finding findings[RESULTS_MANY_FINDINGS_MAX];
    uint32_t n_findings;
    bool bug;     // a finding that no active policy explains
    bool limited; // a run was cut at its limit of events
};

// False when out of memory; to be released in both cases.
bool results_many_summarize(const struct results_many *many, struct results_many_summary *summary);
void results_many_summary_release(struct results_many_summary *summary);

void results_many_report(const struct results_many *many,
                         const struct results_many_summary *summary,
                         const struct results_style *style, struct results_text *text);
// One object and a line feed.
void results_many_json(const struct results_many *many, const struct results_many_summary *summary,
                       struct results_text *text);

#endif
