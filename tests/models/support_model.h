// SPDX-License-Identifier: GPL-3.0-or-later
//
// A scenario built by hand: an ideal world (storage ideal, no latencies, no start-up), into which a
// test puts stages, workers and faults. Short words on purpose: the tests read as stories.
#ifndef TESTS_MODELS_SUPPORT_MODEL_H
#define TESTS_MODELS_SUPPORT_MODEL_H

#include "models/run.h"

#define SECOND INT64_C(1000000000)
#define MILLI INT64_C(1000000)

struct model_test {
    struct model_config config;
    struct model_stage stages[128];
    struct model_input inputs[256];
    uint32_t n_inputs;
    struct model_fault faults[16];
    struct sim_arena arena;
    struct model_result result;
    int64_t faultless_ns;
};

// Recovery enabled, profile flink-1.20, min-pause 0, flush interval 1 s, `workers` of `slots`,
// detect 0, start 0.
void world_of(struct model_test *t, uint32_t workers, uint32_t slots);
void world_drop(struct model_test *t);

struct sim_law constant(int64_t value);
struct sim_law exponential(int64_t mean);
struct sim_law uniform(int64_t from, int64_t to);

// A stage of `n` subtasks (0: auto); its index. Without inputs until `reads` is called.
uint32_t stage(struct model_test *t, const char *name, uint32_t n, struct sim_law duration);
void reads(struct model_test *t, uint32_t consumer, uint32_t producer,
           enum recoup_exchange exchange);
// Makes the stage a source with so many splits.
void source(struct model_test *t, uint32_t index, uint32_t splits, bool batch_snapshot);

// Faults; each returns the fault to refine.
struct model_fault *kill_master_at(struct model_test *t, int64_t at_ns);
struct model_fault *kill_master_every(struct model_test *t, struct sim_law law);
struct model_fault *kill_worker_at(struct model_test *t, uint32_t worker, int64_t at_ns);

// Runs without and with faults; fails the test on an error.
void run(struct model_test *t);
// As run, by the seed, without the fault-free twin (which must not be needed).
void run_seed(struct model_test *t, uint64_t seed);

// Lost work of all stages by cause.
int64_t lost_ns(const struct model_test *t, enum model_cause cause);
uint64_t lost_attempts(const struct model_test *t, enum model_cause cause);

// The ledgers of a result close; there are no findings.
void ledgers_close(const struct model_test *t);
void no_findings(const struct model_test *t);

#endif
