// SPDX-License-Identifier: Apache-2.0
//
// The recoverable state of a job: parallelism of stages, the finished attempt of each subtask,
// where its partition lies. Flat arrays, 37 bytes a subtask. A finish costs the point-wise inputs
// of that one subtask and nothing on all-to-all edges, whose state is the count of finished
// subtasks of the stage.
//
// Invariants:
//   S1  stage.finished = number of subtasks with FINISHED; stage.lost = those of them with
//   HAS_PARTITION
//       and without AVAILABLE; stage.available = those with AVAILABLE; stage.recovered = those with
//       RECOVERED.
//   S2  AVAILABLE implies FINISHED and HAS_PARTITION; RESETTING excludes FINISHED.
//   S3  subtask.consumers_done = number of finished consumers on point-wise edges.
//   S4  the hash is the sum over initialized stages and finished subtasks of their own hashes, so
//   that it
//       does not depend on the order in which they came.
#ifndef RECOUP_RECOVERY_STATE_H
#define RECOUP_RECOVERY_STATE_H

#include "recovery/graph.h"
#include "recovery/payload.h"

enum {
    RECOUP__FINISHED = 1 << 0,
    RECOUP__RESETTING = 1 << 1, // in a reset that is not confirmed yet
    RECOUP__AVAILABLE = 1 << 2, // its partition is held by a worker, as far as is known
    RECOUP__HAS_PARTITION = 1 << 3,
    RECOUP__RECOVERED = 1 << 4, // finished under an earlier master
    RECOUP__IN_LOG = 1 << 5,    // finished by the log that was recovered, before trim and resets
    RECOUP__REPORTED = 1 << 6,  // up to the end of the wait only: a worker reported its partition
    RECOUP__WRITTEN = 1 << 7,   // checkpoint only: it needs no (further) writing
    // See adopt.h. A withdrawn subtask is not finished, but keeps HAS_PARTITION and its payload.
    RECOUP__WITHDRAWN = 1 << 8, // taken back for want of an output that may still come
    RECOUP__RETURNED = 1 << 9,  // its output is at hand
    RECOUP__CHOSEN = 1 << 10,   // scratch of adopt.c
    RECOUP__AGREED = 1 << 11,   // scratch of adopt.c
};

struct recoup__subtask {
    uint64_t attempt;
    uint64_t bytes;
    uint32_t worker;
    uint32_t payload;        // handle
    uint32_t consumers_done; // S3
    uint32_t flags;
};

struct recoup__stage {
    uint32_t parallelism; // 0 until initialized
    uint32_t finished;
    uint32_t lost;
    uint32_t available;
    uint32_t recovered;
    bool time_bomb; // finished with a coordinator that could not be restored (4.4, 4.10)
    struct recoup__subtask *subtasks;
    uint32_t
        *takes; // the recovery point that covers the finish (see snapshot.h), 0: an earlier master
    uint8_t *marks; // scratch of closure.h; all zero between closures
};

struct recoup__state {
    struct recoup__memory *memory;
    const struct recoup__graph *graph;
    struct recoup__stage *stages;
    struct recoup__payloads payloads;
    uint64_t subtasks; // of all initialized stages
    uint64_t finished;
    uint64_t hash[2]; // S4
};

// What is known of a finish.
struct recoup__finish {
    uint64_t attempt;
    uint64_t bytes;
    uint32_t worker;
    uint32_t payload; // handle; the state takes it over
    uint32_t take;
    bool has_partition;
    bool available;
    bool recovered;
};

int recoup__state_init(struct recoup__state *state, struct recoup__memory *memory,
                       const struct recoup__graph *graph);
void recoup__state_release(struct recoup__state *state);

// Back to "no stage initialized".
void recoup__state_clear(struct recoup__state *state);

// RECOUP_EINVAL if the plan does not allow `parallelism` for the stage, or it is out of range.
int recoup__state_check_parallelism(const struct recoup__state *state, uint32_t stage,
                                    uint32_t parallelism);

// True if every input of the stage is initialized.
bool recoup__state_initializable(const struct recoup__state *state, uint32_t stage);

// Gives a stage its parallelism; it must not have one. RECOUP_ENOMEM changes nothing.
int recoup__state_initialize(struct recoup__state *state, uint32_t stage, uint32_t parallelism);
// The same in an array of the caller's, which belongs to the state from then on (released with the
// size of `parallelism` subtasks). Its content is the caller's business until it is all zero or
// finished.
int recoup__state_adopt(struct recoup__state *state, uint32_t stage, uint32_t parallelism,
                        struct recoup__subtask *subtasks);
// Undoes it; the stage must be untouched since.
void recoup__state_uninitialize(struct recoup__state *state, uint32_t stage);

// Marks a subtask, which must not be finished, as finished. Cannot fail.
void recoup__state_finish(struct recoup__state *state, uint32_t stage, uint32_t subtask,
                          const struct recoup__finish *finish);
// The same for `count` subtasks from `first` on whose records the caller has filled in as those of
// finishes of an earlier master: FINISHED and RECOVERED, not AVAILABLE.
void recoup__state_recover(struct recoup__state *state, uint32_t stage, uint32_t first,
                           uint32_t count);
// Takes a finish back and frees its payload. The subtask must be finished.
void recoup__state_unfinish(struct recoup__state *state, uint32_t stage, uint32_t subtask);

// Notes that the partition of a finished subtask, which has one, is held by a worker, or no longer
// is.
void recoup__state_set_available(struct recoup__state *state, uint32_t stage, uint32_t subtask,
                                 bool available);

struct recoup__subtask *recoup__state_subtask(const struct recoup__state *state, uint32_t stage,
                                              uint32_t subtask);
bool recoup__state_is_finished(const struct recoup__state *state, uint32_t stage, uint32_t subtask);
bool recoup__state_has(const struct recoup__state *state, uint32_t stage, uint32_t subtask);
bool recoup__state_initialized(const struct recoup__state *state, uint32_t stage);
bool recoup__state_stage_done(const struct recoup__state *state, uint32_t stage);

// The partition of a finished subtask as actions name it.
struct recoup_partition recoup__state_partition(const struct recoup__state *state, uint32_t stage,
                                                uint32_t subtask);

// True if a consumer of the subtask is not finished or not initialized yet (specification 4.7).
bool recoup__state_needed(const struct recoup__state *state, uint32_t stage, uint32_t subtask);

// The same of a whole stage: of none of its subtasks, of all, or each has to be looked at.
enum recoup__need { RECOUP__NEED_NONE, RECOUP__NEED_ALL, RECOUP__NEED_EACH };
enum recoup__need recoup__state_need(const struct recoup__state *state, uint32_t stage);

// True if some consumer of the subtask was finished by an earlier master.
bool recoup__state_consumer_recovered(const struct recoup__state *state, uint32_t stage,
                                      uint32_t subtask);

// O(subtasks): checks S1 to S3, for tests and debug builds.
bool recoup__state_consistent(const struct recoup__state *state);

#endif
