// SPDX-License-Identifier: GPL-3.0-or-later
//
// What one changed setting does: differences between runs that share their seeds, run by run, as a
// page and as JSON (schema in docs/results.md).
#ifndef RECOUP_RESULTS_WHAT_IF_H
#define RECOUP_RESULTS_WHAT_IF_H

#include "results/many.h"

enum results_owner { // who has the setting
    RESULTS_OWNER_FLINK,
    RESULTS_OWNER_HARDENED, // Recoup's profile `hardened` alone
    RESULTS_OWNER_CLUSTER   // where the job runs
};

#define RESULTS_CLEAR_NS INT64_C(1000000) // a delay that differs by less is no news

struct results_change { // everything here is borrowed
    const char *what;   // "heartbeat.timeout: 50 s -> 25 s"
    const char *key;    // "heartbeat.timeout"
    const char *to;     // "25 s"
    const char *set;    // as --set wants it
    enum results_owner owner;
    const struct results_record *const *records; // a run per seed, NULL where there is none
    const char *refused;                         // why it cannot be; NULL where it can
};

struct results_difference {
    bool known; // in at least one pair of runs
    double mean;
    struct results_interval interval; // NAN with fewer than two pairs
    bool clear;                       // it is not 0
    bool any;                         // some pair differs
};

enum results_effect {
    RESULTS_EFFECT_SOONER, // the job ends clearly sooner
    RESULTS_EFFECT_LATER,
    RESULTS_EFFECT_UNCLEAR,    // something differs, but delay not clearly
    RESULTS_EFFECT_NONE,       // no run differs in anything
    RESULTS_EFFECT_UNFINISHED, // in some run the job does not finish
    RESULTS_EFFECT_REFUSED,
    RESULTS_EFFECT_NOT_RUN // no pair of runs, after an interruption
};

struct results_outcome {
    uint32_t change; // its index
    enum results_effect effect;
    uint32_t pairs;
    uint32_t unfinished; // runs in which the job does not finish, though it does unchanged
    struct results_difference differences[RESULTS_MANY_COUNT];
};

struct results_what_if {
    const struct scenario *scenario; // as it is
    const struct results_record *const *base;
    const uint64_t *seeds;
    uint32_t n_seeds;
    const struct results_change *changes;
    uint32_t n_changes;
    uint64_t made, asked; // runs; fewer made than asked for after an interruption
    const char *version;
    const char *command;   // that runs it as it is
    double confidence;     // of all intervals of a metric together; set by results_what_if_judge
    double confidence_one; // of each
    struct results_outcome *outcomes; // by effect, then the best first; belongs to this
    bool bug;                         // a finding that no active policy explains
};

// Compares, judges and sorts. False when out of memory; to be released in both cases.
bool results_what_if_judge(struct results_what_if *what_if);
void results_what_if_release(struct results_what_if *what_if);

void results_what_if_report(const struct results_what_if *what_if,
                            const struct results_style *style, struct results_text *text);
void results_what_if_json(const struct results_what_if *what_if, struct results_text *text);

const char *results_owner_words(enum results_owner owner); // "Flink", "only hardened", "cluster"

#endif
