// SPDX-License-Identifier: GPL-3.0-or-later
//
// Readiness and placement (contract.md section 2, "Placement"): ready subtasks in order of stage
// and index on the lowest-numbered worker with a free slot, lowest slot first. Both sets are 64-way
// bit tries: O(log n) a step.
#ifndef RECOUP_MODELS_SCHEDULE_H
#define RECOUP_MODELS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/bitset.h"

struct model_world;

struct model_schedule {
    struct model_bitset ready;        // gids
    struct model_bitset free_workers; // workers that have a free slot which the master may use
    uint64_t *free_slots;             // words_per_worker words a worker; bit set: free
    uint32_t words_per_worker;
};

int schedule_init(struct model_world *w);
void schedule_worker_usable(struct model_world *w,
                            uint32_t worker); // all its unoccupied slots may be used
void schedule_worker_gone(struct model_world *w, uint32_t worker); // none may be used
void schedule_slot_free(struct model_world *w, uint32_t worker, uint32_t slot);
void schedule_clear(struct model_world *w); // a new master knows of nothing
void schedule_recompute(
    struct model_world *w); // readiness of every subtask, from the library's state
void schedule_finished(struct model_world *w,
                       uint32_t gid);        // one more is finished: its consumers may be ready
void schedule_deploy(struct model_world *w); // places what can be placed

void schedule_stage_initialized(struct model_world *w,
                                uint32_t stage); // its subtasks may become ready

struct model_attempt;
// Bytes that the attempt produces (law `output` of its stage; drawn once per subtask unless rerun:
// fresh).
uint64_t schedule_output_bytes(struct model_world *w, const struct model_attempt *attempt);
// A held partition of the attempt is gone (released, expired, lost with its worker): consumers that
// start later must look before they read. Called by whoever changes the partition's state away from
// HELD.
void schedule_partition_gone(struct model_world *w, uint32_t attempt);
// Whether all that the subtask reads is there; else the first producer whose output is not.
bool schedule_inputs_present(struct model_world *w, uint32_t gid, uint32_t *missing_stage,
                             uint32_t *missing_subtask);

void schedule_attempt_start(struct model_world *w, uint32_t attempt); // event
void schedule_attempt_end(struct model_world *w, uint32_t attempt);   // event

#endif
