// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random numbers are addressed, not consumed: a draw is a function of (seed, stream, entity, n),
// so adding a consumer or changing an option moves no other draw. stream says what the draw is
// for (a small number registered by the model and never re-used), entity is a stable index, n
// counts the draws of that (stream, entity). Draws come back through an out-parameter, because C
// does not define the order in which arguments are evaluated.
//
// The function: the entity under a key of the stream goes through two xor-shift-multiply steps, a
// multiple of n and a second key are added, and the sum goes through a strong 64-bit mixer (two
// multiplications between double-rotate-xors, the rrxmrrxmsx construction). For a fixed entity
// draws of different n never repeat, and the same holds for entities at a fixed n. Keys are
// derived from the seed by the same mixer.
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/arena.h"
#include "sim/assert.h"

#define SIM_STREAM_LIMIT 64

struct sim_random {
    uint64_t seed;
    uint64_t *keys;    // two per stream
    uint64_t *counts;  // draws per stream so far; they feed the fingerprint's layer F2
};

// Returns 0 or SIM_ENOMEM. Any seed is fine, 0 included.
int sim_random_init(struct sim_random *r, struct sim_arena *arena, uint64_t seed);

// The seed of replication n: bits 62..0 of a mix of (seed, n), so that it fits a signed column.
void sim_seed_derive(uint64_t seed, uint64_t n, uint64_t *out);

static inline uint64_t sim_random_mix(uint64_t v)
{
    v ^= ((v >> 25) | (v << 39)) ^ ((v >> 50) | (v << 14));
    v *= UINT64_C(0xA24BAED4963EE407);
    v ^= ((v >> 24) | (v << 40)) ^ ((v >> 49) | (v << 15));
    v *= UINT64_C(0x9FB21C651E98DF25);
    return v ^ (v >> 28);
}

// From the point of a draw to that of the next n of the same stream and entity.
#define SIM_RANDOM_STEP UINT64_C(0xD1342543DE82EF95)

// The point of an address, whose mix is the draw.
static inline uint64_t sim_random_point(const struct sim_random *r, uint32_t stream,
                                        uint64_t entity, uint64_t n)
{
    uint64_t point;

    SIM_DEBUG_ASSERT(stream < SIM_STREAM_LIMIT);
    point = r->keys[2 * stream] + entity * UINT64_C(0x9E3779B97F4A7C15);
    point = (point ^ (point >> 32)) * UINT64_C(0xBEA225F9EB34556D);
    point = (point ^ (point >> 29)) * UINT64_C(0xD6E8FEB86659FD93);
    return point + r->keys[2 * stream + 1] + n * SIM_RANDOM_STEP;
}

// One draw: 64 uniform bits of the address (seed, stream, entity, n).
static inline void sim_random_draw(struct sim_random *r, uint32_t stream, uint64_t entity,
                                   uint64_t n, uint64_t *out)
{
    SIM_DEBUG_ASSERT(stream < SIM_STREAM_LIMIT);
    r->counts[stream]++;
    *out = sim_random_mix(sim_random_point(r, stream, entity, n));
}

// A number in [0, bound), bound >= 1, by the high half of a product (bias below bound / 2^64).
void sim_random_below(struct sim_random *r, uint32_t stream, uint64_t entity, uint64_t n,
                      uint64_t bound, uint64_t *out);
// True with probability probability_nano * 1e-9 (0 to 1e9).
void sim_random_chance(struct sim_random *r, uint32_t stream, uint64_t entity, uint64_t n,
                       int64_t probability_nano, bool *out);

#endif
