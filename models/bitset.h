// SPDX-License-Identifier: GPL-3.0-or-later
//
// A set of small integers as a 64-way trie of bits: add, remove, test and "lowest member at or
// after n" in O(log64 n), which keeps placement independent of the number of workers and subtasks.
#ifndef RECOUP_MODELS_BITSET_H
#define RECOUP_MODELS_BITSET_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/arena.h"

#define MODEL_BITSET_LEVELS 6u      // 64^6 members are more than uint32_t can name
#define MODEL_BITSET_END UINT32_MAX // "no member"

struct model_bitset {
    uint64_t *level[MODEL_BITSET_LEVELS]; // level[0]: members; a bit of level[k + 1]: a non-zero
                                          // word below
    uint32_t bits[MODEL_BITSET_LEVELS];   // of each level
    uint32_t levels;
    uint32_t size; // members are below this
    uint32_t count;
};

// An empty set over 0 .. size - 1. Returns 0 or SIM_ENOMEM.
int bitset_init(struct model_bitset *set, struct sim_arena *arena, uint32_t size);
void bitset_add(struct model_bitset *set, uint32_t member);    // no-op when it is in
void bitset_remove(struct model_bitset *set, uint32_t member); // no-op when it is not in
void bitset_clear(struct model_bitset *set);
bool bitset_has(const struct model_bitset *set, uint32_t member);
uint32_t bitset_first(const struct model_bitset *set); // lowest member, or MODEL_BITSET_END
uint32_t bitset_next(const struct model_bitset *set,
                     uint32_t from); // lowest member >= from, or END

#endif
