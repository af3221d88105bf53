// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ledger of work: busy = useful + lost, and every lost attempt has exactly one cause
// (contract.md section 3).
//
// An attempt is counted from ledger_started on; one that is cancelled while it deploys never
// reaches the ledger. Its life here: started, stopped (once), then perhaps lost (once, unless it is
// regained). What is neither lost nor held as finished at the job's end is a gap in the ledger, and
// a finding T8.
#ifndef RECOUP_MODELS_LEDGER_H
#define RECOUP_MODELS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/result.h"
#include "sim/arena.h"

struct model_world;

struct model_ledger_change { // of a finished attempt, by a recovery that may still fail
    uint32_t attempt;
    uint8_t cause;   // before it: enum model_cause, MODEL_CAUSE_COUNT: not lost
    bool taken_back; // its subtask, before it
};

struct model_ledger {
    struct model_lost *lost; // n_stages * MODEL_CAUSE_COUNT
    int64_t busy_ns;         // of stopped attempts
    int64_t lost_ns;
    int64_t useful_ns; // at the end
    int64_t orphaned_ns;
    uint64_t attempts; // started
    uint64_t tasks_rerun;
    uint64_t finished_forgotten; // over all failovers (outage_recovered adds to it)
    bool recovering;             // changes are noted
    struct sim_chunks changes;   // struct model_ledger_change, of the recovery under way
};

// Starts the ledgers of work, of outages and of protection. 0 or SIM_ENOMEM.
int ledger_init(struct model_world *w);

// The attempt started: counts it; a subtask that was taken back counts as a re-run.
void ledger_started(struct model_world *w, uint32_t attempt);
// The attempt stopped being busy now (its `end_ns` is set to now): finish, failure, kill, death of
// its master. Exactly once for a started attempt.
void ledger_stopped(struct model_world *w, uint32_t attempt);
// True from ledger_stopped on.
bool ledger_is_stopped(const struct model_world *w, uint32_t attempt);
// What a worker still spent on it after that. (Orphans that still run at the end are added by
// ledger_finish.)
void ledger_orphaned(struct model_world *w, int64_t ns);

// An attempt that had not finished is lost for `cause` (worker-failure, running-at-crash,
// task-failure, downstream-of-reset, job-failed, speculation). It must be stopped, unless it never
// started: that is a no-op.
void ledger_lose_unfinished(struct model_world *w, uint32_t attempt, enum model_cause cause);
// An attempt that had finished is lost for `cause`. Marks its subtask as taken back when it is the
// held one.
void ledger_lose_finished(struct model_world *w, uint32_t attempt, enum model_cause cause);
// A lost attempt is held as finished again (a phantom of hazard H19, or a late adoption): takes the
// loss back. No-op when it is not lost.
void ledger_regain(struct model_world *w, uint32_t attempt);

// A master begins to recover: what is lost and regained from here on is provisional, until the
// recovery ends (with RECOVERED, or with its master) or is void (RECOVERY_FAILED). Void takes all
// of it back; what was held when it began is then lost for recovery-failed, and so is what it holds
// now: the caller has taken it from its subtasks.
void ledger_recovery_begins(struct model_world *w);
void ledger_recovery_ends(struct model_world *w);
void ledger_recovery_void(struct model_world *w);

// What was true of a finished attempt that a new master does not hold after replay (before any
// reset): recovery-disabled, recovery-failed, recording-stopped, not-recorded, log-damaged,
// not-snapshotted.
enum model_cause ledger_forgotten_cause(struct model_world *w, uint32_t attempt);
// Why a needed partition of a finished attempt is missing: worker-late, partition-released,
// partition-lost.
enum model_cause ledger_missing_cause(struct model_world *w, uint32_t attempt);

// The job ended: every attempt is useful or lost (in a job that did not finish, all is lost); fills
// the result. Call it before invariants_finish, so that its findings (T8) are among the result's.
void ledger_finish(struct model_world *w, struct model_result *result);

#endif
