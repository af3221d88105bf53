// SPDX-License-Identifier: GPL-3.0-or-later
//
// Results of runs built by hand, so that what is made from a result can be tested to the letter.
#ifndef TESTS_RESULTS_SUPPORT_RESULT_H
#define TESTS_RESULTS_SUPPORT_RESULT_H

#include "results/run.h"

#define SUPPORT_S INT64_C(1000000000)
#define SUPPORT_MS INT64_C(1000000)

#define SUPPORT_STAGES 3u
#define SUPPORT_FAILOVERS_MAX 8u
#define SUPPORT_FINDINGS_MAX 8u

struct support_run {
    struct scenario scenario;
    struct model_result result;
    struct scenario_verdict verdict;
    struct results_run run;
    struct model_stage stages[SUPPORT_STAGES];
    struct model_fault faults[2];
    struct model_lost lost[SUPPORT_STAGES * MODEL_CAUSE_COUNT];
    uint32_t parallelism[SUPPORT_STAGES];
    struct model_failover failovers[SUPPORT_FAILOVERS_MAX];
    struct model_fired fired[2];
    struct model_finding findings[SUPPORT_FINDINGS_MAX];
    struct scenario_value values[4];
    struct scenario_expectation expectation;
    struct scenario_outcome outcomes[4];
    const char *not_modelled[1];
    char canonical[256];
};

// A finished job with one failover, lost work of three causes, and all expectations met.
void support_run_init(struct support_run *s);
// Lost work of one stage by one cause; busy, useful and lost time are kept in balance.
void support_lose(struct support_run *s, uint32_t stage, enum model_cause cause, int64_t ns,
                  uint64_t attempts);
// One more failover, of all phases 1 s, 2 s, ... 7 s.
void support_fail_over(struct support_run *s, int64_t at_ns, enum model_failover_result result,
                       uint64_t recovered, uint64_t forgotten);
void support_find(struct support_run *s, const char *invariant, const char *hazard, int64_t at_ns,
                  const char *message);
// An outcome that is not met.
void support_miss(struct support_run *s, const char *metric, const char *text);

// A fresh path below the build folder for a file of this name, which does not exist.
const char *support_path(char path[512], const char *name);
// The whole file as a text; NULL if it cannot be read. To be freed.
char *support_read(const char *path);
// A folder for the files of the tests; created.
void support_prepare(void);

#endif
