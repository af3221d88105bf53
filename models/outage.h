// SPDX-License-Identifier: GPL-3.0-or-later
//
// The outage ledger: every outage is partitioned into its phases, to the nanosecond (contract.md
// section 3). And the ledger of protection: time with a started leader is recording or unprotected.
//
// A failover whose new master dies before RECOVERED settles nothing: it recovered 0 and forgot 0
// subtasks, and what the first dead master held is what the next failover is measured against.
#ifndef RECOUP_MODELS_OUTAGE_H
#define RECOUP_MODELS_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/result.h"

struct model_world;

struct model_outage {
    bool open;
    bool settled;           // outage_recovered was called for the open outage
    enum model_phase phase; // the running phase
    int64_t phase_since_ns;
    uint64_t held_at_death;           // subtasks that the dead master held as finished
    struct model_failover *failovers; // grows
    uint32_t n_failovers;
    uint32_t capacity;
    int64_t recording_since_ns; // -1: not recording
    int64_t leading_since_ns;   // -1: no started leader
    int64_t recording_ns;
    int64_t unprotected_ns;
};

// Before the first master starts.
void outage_init(struct model_world *w);

// A started or starting master died (or lost its leadership): opens an outage; one that is open
// ends as `failed`.
void outage_begin(struct model_world *w, uint64_t held_as_finished);
// The open outage leaves its running phase and enters `next`; phases passed over are 0. No-op when
// none is open, or when `next` is not later than the running phase.
void outage_enter(struct model_world *w, enum model_phase next);
// At START without recovery, or at RECOVERED: what the new master holds, of the subtasks held at
// the death (more than those, phantoms, do not count: recovered + forgotten = held at the death).
// Adds to the ledger's finished_forgotten. No-op when no outage is open.
void outage_recovered(struct model_world *w, enum model_failover_result result,
                      uint64_t events_replayed, uint64_t finished_recovered);
// First decision to deploy, or the job's end. No-op when none is open.
void outage_end(struct model_world *w);

// Protection: from a master's START to its end it either records or does not. A started leader does
// not record until protection_recording(true).
void protection_leader_started(struct model_world *w);
void protection_recording(struct model_world *w, bool on); // no-op without a started leader
void protection_leader_ended(struct model_world *w);       // no-op without a started leader

// Closes what is open at the end of the run, checks that the phases partition each outage (R12),
// fills the result. Call it before invariants_finish.
void outage_finish(struct model_world *w, struct model_result *result);

#endif
