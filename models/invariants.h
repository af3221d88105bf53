// SPDX-License-Identifier: GPL-3.0-or-later
//
// The oracles, on in every run unless a benchmark turns them off. They look at the truth of the
// world, never at the library's memory alone. Ids: docs/invariants.md. A violation becomes a
// finding; the run goes on.
#ifndef RECOUP_MODELS_INVARIANTS_H
#define RECOUP_MODELS_INVARIANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/reference.h"
#include "models/result.h"
#include "recovery/recoup.h"

struct model_world;

struct model_invariant_info {
    const char *id; // "S1"
    const char *sentence;
    const char *hazards; // hazards that explain it under flink-1.20: "H9 H19", "" for none
    bool checked;        // some function of models/ can report it; see docs/invariants.md
};
uint32_t model_invariant_count(void);
const struct model_invariant_info *model_invariant_info(uint32_t index);
// The row of an id, or NULL.
const struct model_invariant_info *model_invariant_find(const char *id);

struct model_invariant_private;

struct model_invariant_state {
    bool on;
    struct model_finding *findings; // MODEL_FINDINGS_MAX
    uint32_t n_findings;
    uint64_t total;
    struct model_reference reference;
    struct model_invariant_private *own; // shadow state of the checkers; NULL when off
};

int invariants_init(struct model_world *w);

// Adds a finding; `invariant` must be an id of the table. The hazard is chosen by the active
// policies: the first of the invariant's hazards whose policy has Flink's value; NULL when none
// has. In `message` each of %u, %lu, %llu stands for the next of a and b (at most two); no other
// conversion is known.
void invariants_finding(struct model_world *w, const char *invariant, const char *message,
                        uint64_t a, uint64_t b);

// The hazard that explains a breach of `invariant` under the active policies: `prefer` ("H20", may
// be NULL) if its policy has Flink's value, else the first of the invariant's hazards whose policy
// has; NULL when none has, or when `prefer` is "": nothing excuses it. Static text.
const char *invariants_hazard(const struct model_world *w, const char *invariant,
                              const char *prefer);
// True if the policy of the hazard ("H19") has Flink's value now.
bool invariants_hazard_active(const struct model_world *w, const char *hazard);

// Hooks, called by the models at the named moments. All are no-ops when invariants are off.

// The attempt runs from now on: its inputs were found present, its splits are assigned (T3, T9, W6,
// lineage).
void invariants_attempt_started(struct model_world *w, uint32_t attempt);
// The master accepted the finish; before the library is told (T1, T4, T5, R9).
void invariants_attempt_finished(struct model_world *w, uint32_t attempt);
// The library has recorded, as `event` (0: not), that the attempt, taken back before, is finished
// again (R2, W5); then, when all of that decision are, that their inputs are those that count (T4).
void invariants_attempt_adopted(struct model_world *w, uint32_t attempt, uint32_t event);
void invariants_check_adopted(struct model_world *w, uint32_t attempt);
// What the hooks of a start and of a finish that come soon will read is asked from memory. Only
// with invariants on; the second asks for what the slot leads to, some events after the first.
void invariants_expect_slot(const struct model_world *w, uint32_t attempt);
void invariants_expect_start(const struct model_world *w, uint32_t attempt);
void invariants_expect_finish(const struct model_world *w, uint32_t attempt);
// Held as finished, and taken back by a decision of now.
void invariants_attempt_reset(struct model_world *w, uint32_t attempt);
// The master is gone now; its job still exists if it had one.
void invariants_master_died(struct model_world *w, uint32_t incarnation);
void invariants_durable(struct model_world *w, uint32_t incarnation, uint64_t event);
// A worker's report is about to be stepped into the present master.
void invariants_worker_report(struct model_world *w, uint32_t worker,
                              const struct recoup_partition *partitions, uint32_t n);
// After replay and before any reset: subtask states are what was marked finished (S1-S3, R1, R2).
void invariants_replayed(struct model_world *w);
// RECOVERY_FAILED after that: nothing of it counts.
void invariants_recovery_void(struct model_world *w);
// At RECOVERED, after the resets of the recovery and before anything is scheduled (R5, R7, T6, W1).
void invariants_recovered(struct model_world *w);
// After each step, before its actions are carried out (L5, R6, S2, S9, S11, W3, W5).
void invariants_update(struct model_world *w, const struct recoup_update *update);
// Before an I/O operation is issued (R4, R10, S12, S13, S15).
void invariants_io(struct model_world *w, const struct recoup_action *action, uint32_t incarnation);
// The same of a master that is cut off (R10, S12).
struct model_zombie;
void invariants_zombie_io(struct model_world *w, const struct recoup_action *action,
                          struct model_zombie *zombie);
// A master wants a name that the file `taken` (NULL: its own open one) has (S12).
struct model_file;
void invariants_name_taken(struct model_world *w, uint32_t incarnation,
                           const struct model_file *taken);
// After an I/O operation of `incarnation` has failed (S13, S15).
void invariants_io_failed(struct model_world *w, const struct recoup_action *action,
                          uint32_t incarnation);
// The run has ended; after ledger_finish, outage_finish and storage_finish (T10, W4, S16, L1).
// Hands the findings over.
void invariants_finish(struct model_world *w, struct model_result *result);

#endif
