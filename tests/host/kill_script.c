// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a recording process does, step by step.
#include "host/kill.h"

#define KILL_TOTAL (KILL_STAGES * KILL_SUBTASKS)

uint64_t kill_random(uint64_t seed, uint64_t n)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + n;

    for (unsigned i = 0; i < 2; i++) {
        x += UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        x ^= x >> 31;
    }
    return x;
}

void kill_state_set(struct kill_state *state, uint32_t stage, uint32_t subtask, uint64_t attempt)
{
    uint32_t at = stage * KILL_SUBTASKS + subtask;
    uint64_t bit = UINT64_C(1) << at % 64;
    bool was = state->attempt[stage][subtask] != 0;

    state->attempt[stage][subtask] = attempt;
    state->done[at / 64] = attempt != 0 ? state->done[at / 64] | bit : state->done[at / 64] & ~bit;
    if (was != (attempt != 0)) {
        state->finished[stage] += was ? UINT32_MAX : 1; // one less, or one more
    }
}

// The first subtask at or after `from` (going round, over both stages) that is not finished.
static uint32_t find_unfinished(const struct kill_state *state, uint32_t from)
{
    const uint32_t words = KILL_TOTAL / 64;
    uint64_t below = (UINT64_C(1) << from % 64) - 1;

    for (uint32_t i = 0; i <= words; i++) {
        uint64_t open = ~state->done[(from / 64 + i) % words] & (i == 0 ? ~below : UINT64_MAX);

        if (open != 0) {
            return (from / 64 + i) % words * 64 + (uint32_t)__builtin_ctzll(open);
        }
    }
    return 0; // not reached: the caller knows of one
}

struct kill_operation kill_operation_at(const struct kill_state *state, uint64_t epoch,
                                        uint64_t step)
{
    struct kill_operation operation = {.attempt = epoch << 32 | step};
    uint64_t random = kill_random(epoch, step);
    bool done = true;
    uint32_t at;

    for (uint32_t s = 0; s < KILL_STAGES; s++) {
        done = done && state->finished[s] == KILL_SUBTASKS;
    }
    if (done) { // the job never ends
        operation.fails = true;
        operation.stage = (uint32_t)(random % KILL_STAGES);
        operation.count = KILL_SUBTASKS;
        return operation;
    }
    if (random % 256 == 0) {
        operation.fails = true;
        operation.stage = (uint32_t)(random >> 8) % KILL_STAGES;
        operation.first = (uint32_t)(random >> 16) % KILL_SUBTASKS;
        operation.count = 1 + (uint32_t)(random >> 32) % 64;
        if (operation.count > KILL_SUBTASKS - operation.first) {
            operation.count = KILL_SUBTASKS - operation.first;
        }
        return operation;
    }
    // Runs of neighbours, as real stages have them.
    at = find_unfinished(state, (uint32_t)(kill_random(epoch, step / 64) % KILL_TOTAL));
    operation.stage = at / KILL_SUBTASKS;
    operation.first = at % KILL_SUBTASKS;
    return operation;
}

void kill_operation_apply(struct kill_state *state, const struct kill_operation *operation)
{
    uint32_t s = operation->stage;

    if (!operation->fails) {
        kill_state_set(state, s, operation->first, operation->attempt);
        return;
    }
    for (uint32_t i = operation->first; i < operation->first + operation->count; i++) {
        kill_state_set(state, s, i, 0);
    }
}
