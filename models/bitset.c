// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/bitset.h"

#include <string.h>

#include "sim/assert.h"
#include "sim/error.h"

#include "sim/banned.h"

static uint32_t words_for(uint32_t bits)
{
    return bits / 64u + (bits % 64u != 0 ? 1u : 0u);
}

int bitset_init(struct model_bitset *set, struct sim_arena *arena, uint32_t size)
{
    uint32_t bits = size == 0 ? 1 : size;

    *set = (struct model_bitset){.size = size};
    do {
        uint32_t words = words_for(bits);
        SIM_ALWAYS(set->levels < MODEL_BITSET_LEVELS);
        set->level[set->levels] = SIM_ARENA_NEW(arena, uint64_t, words);
        if (set->level[set->levels] == NULL)
            return SIM_ENOMEM;
        set->bits[set->levels++] = bits;
        bits = words;
    } while (bits > 1);
    SIM_ASSERT(set->levels >= 1);
    return 0;
}

void bitset_add(struct model_bitset *set, uint32_t member)
{
    SIM_ASSERT(member < set->size);
    if (bitset_has(set, member))
        return;
    set->count++;
    for (uint32_t k = 0, at = member; k < set->levels; k++, at /= 64u) {
        uint64_t before = set->level[k][at / 64u];
        set->level[k][at / 64u] = before | UINT64_C(1) << (at % 64u);
        if (before != 0)
            break;
    }
    SIM_DEBUG_ASSERT(bitset_has(set, member));
}

void bitset_remove(struct model_bitset *set, uint32_t member)
{
    SIM_ASSERT(member < set->size);
    if (!bitset_has(set, member))
        return;
    SIM_ASSERT(set->count > 0);
    set->count--;
    for (uint32_t k = 0, at = member; k < set->levels; k++, at /= 64u) {
        set->level[k][at / 64u] &= ~(UINT64_C(1) << (at % 64u));
        if (set->level[k][at / 64u] != 0)
            break;
    }
    SIM_DEBUG_ASSERT(!bitset_has(set, member));
}

void bitset_clear(struct model_bitset *set)
{
    SIM_ASSERT(set->levels >= 1);
    for (uint32_t k = 0; k < set->levels; k++)
        memset(set->level[k], 0, (size_t)words_for(set->bits[k]) * sizeof(uint64_t));
    set->count = 0;
    SIM_DEBUG_ASSERT(bitset_first(set) == MODEL_BITSET_END);
}

bool bitset_has(const struct model_bitset *set, uint32_t member)
{
    SIM_DEBUG_ASSERT(member < set->size);
    return (set->level[0][member / 64u] >> (member % 64u) & 1u) != 0;
}

uint32_t bitset_first(const struct model_bitset *set)
{
    uint32_t at = 0;

    SIM_DEBUG_ASSERT(set->levels >= 1);
    for (uint32_t k = set->levels; k-- > 0;) {
        uint64_t word = set->level[k][at];
        if (word == 0) {
            SIM_ASSERT(k == set->levels - 1);
            return MODEL_BITSET_END;
        }
        at = at * 64u + (uint32_t)__builtin_ctzll(word);
    }
    return at;
}

// Descends from word `at` of level k to its lowest member.
static uint32_t descend(const struct model_bitset *set, uint32_t k, uint32_t at)
{
    SIM_DEBUG_ASSERT(k < set->levels);
    for (uint32_t level = k + 1; level-- > 0;) {
        SIM_DEBUG_ASSERT(set->level[level][at] != 0);
        at = at * 64u + (uint32_t)__builtin_ctzll(set->level[level][at]);
    }
    return at;
}

uint32_t bitset_next(const struct model_bitset *set, uint32_t from)
{
    uint32_t at = from;

    SIM_DEBUG_ASSERT(set->levels >= 1);
    if (from >= set->size)
        return MODEL_BITSET_END;
    for (uint32_t k = 0; k < set->levels; k++) {
        uint32_t word = at / 64u;
        uint64_t rest = set->level[k][word] & ~UINT64_C(0) << (at % 64u);
        if (rest != 0) {
            uint32_t found = word * 64u + (uint32_t)__builtin_ctzll(rest);
            return k == 0 ? found : descend(set, k - 1, found);
        }
        // Nothing right of it in this word: go on one level up, with the word to the right.
        at = word + 1;
        if (k + 1 == set->levels || at >= set->bits[k + 1])
            return MODEL_BITSET_END;
    }
    return MODEL_BITSET_END;
}
