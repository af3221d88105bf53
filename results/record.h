// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the database keeps of one run, free of pointers into the simulation: a worker process makes
// it and sends it as bytes, the one writer stores it.
#ifndef RECOUP_RESULTS_RECORD_H
#define RECOUP_RESULTS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "results/columns.h"
#include "results/run.h"
#include "results/text.h"

struct results_record_lost {
    char stage[MODEL_NAME_MAX];
    uint32_t cause; // enum model_cause
    int64_t ns;
    uint64_t attempts;
};

struct results_record_finding {
    char invariant[16];
    char hazard[16]; // "" without one
    int64_t at_ns;
    uint64_t event;
    char message[192];
};

// The fixed part, as it travels between processes of one program.
struct results_record_facts {
    char scenario[MODEL_NAME_MAX]; // its name
    uint32_t state;                // enum model_job_state
    uint32_t profile;              // enum recoup_profile
    bool invariants_on;
    bool expectations_met;
    bool unexplained; // a finding that no active policy explains
    bool limited;     // cut at the limit of events
    uint8_t fingerprint[16];
    uint8_t layers[6][16];
    uint64_t findings_total;
    struct results_value values[RESULTS_COLUMN_COUNT];
    uint64_t memory_bytes; // wall-clock facts, so to speak: no part of the result
    uint64_t system_allocations;
    uint32_t n_lost;
    uint32_t n_failovers;
    uint32_t n_findings;
};

struct results_record {
    struct results_record_facts facts;
    const struct results_record_lost *lost; // the arrays belong to the record
    const struct model_failover *failovers;
    const struct results_record_finding *findings;
    void *memory;
};

// Appends the record of a run to `bytes`.
void results_record_write(const struct results_run *run, struct results_text *bytes);
// Reads one. False when out of memory or when the bytes are no record. To be released in both
// cases.
bool results_record_read(struct results_record *record, const void *bytes, size_t size);
void results_record_release(struct results_record *record); // accepts a zeroed one

#endif
