// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kill campaign: a process that records at full speed through the real host, and what its
// parent must know to judge what the next process recovers.
#ifndef RECOUP_TESTS_HOST_KILL_H
#define RECOUP_TESTS_HOST_KILL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>

#include "recovery/host/recoup_host.h"

#define KILL_STAGES 2u
#define KILL_SUBTASKS 2048u // of each stage

// The state of the job that must survive: the finished attempt of each subtask, 0: none.
struct kill_state {
    uint64_t attempt[KILL_STAGES][KILL_SUBTASKS];
    uint64_t done[KILL_STAGES * KILL_SUBTASKS / 64]; // a bit for each, stage behind stage
    uint32_t finished[KILL_STAGES];
};

void kill_state_set(struct kill_state *state, uint32_t stage, uint32_t subtask, uint64_t attempt);

// What a recording process does next follows from (epoch, step, state) alone, so that the parent
// can do it again. Steps count from 1 in each epoch.
struct kill_operation {
    bool fails;   // else: a subtask finishes
    uint32_t stage;
    uint32_t first;
    uint32_t count; // of a failure
    uint64_t attempt;
};

struct kill_operation kill_operation_at(const struct kill_state *state, uint64_t epoch,
                                        uint64_t step);
void kill_operation_apply(struct kill_state *state, const struct kill_operation *operation);
uint64_t kill_random(uint64_t seed, uint64_t n); // 64 bits, a function of both

enum kill_message_type { KILL_RECOVERED = 1, KILL_DURABLE, KILL_FAILED, KILL_STOPPED };

struct kill_message { // to the parent, through a pipe; RECOVERED is followed by a kill_state
    uint32_t type;
    int32_t error; // FAILED
    uint64_t step; // DURABLE: every operation up to this step is durable
};

struct kill_shared { // memory of both processes
    _Atomic uint64_t step;     // the step that the recorder has begun last
    _Atomic uint64_t replayed; // records that the recorder has read
};

struct kill_recorder_config {
    const char *directory;
    enum recoup_host_durability durability;
    uint64_t epoch;
    uint64_t lag;  // steps that may be begun and not durable
    int64_t snapshot_min_pause_ns;
    bool stop;  // after the recovery the job ends in order, and its log is removed
    int pipe;   // to write to
    struct kill_shared *shared;
};

// Records until it is killed, or until it has stopped. Returns the exit code of the process.
int kill_recorder_run(const struct kill_recorder_config *config);

#endif
