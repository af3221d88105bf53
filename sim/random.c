// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/random.h"

#include "sim/wide.h"

#include "sim/banned.h"

// Odd constants that keep the three uses of the mixer apart.
#define SIM_KEY_STEP UINT64_C(0xBF58476D1CE4E5B9)
#define SIM_DERIVE_STEP UINT64_C(0x94D049BB133111EB)
#define SIM_DERIVE_KEY UINT64_C(0x5851F42D4C957F2D)

int sim_random_init(struct sim_random *r, struct sim_arena *arena, uint64_t seed)
{
    uint64_t key = sim_random_mix(seed ^ SIM_KEY_STEP);

    SIM_ASSERT(r != NULL);
    r->seed = seed;
    r->keys = SIM_ARENA_NEW(arena, uint64_t, 2 * SIM_STREAM_LIMIT);
    r->counts = SIM_ARENA_NEW(arena, uint64_t, SIM_STREAM_LIMIT);
    if (r->keys == NULL || r->counts == NULL) {
        return SIM_ENOMEM;
    }
    for (uint32_t i = 0; i < 2 * SIM_STREAM_LIMIT; i++) {
        key += SIM_KEY_STEP;
        r->keys[i] = sim_random_mix(sim_random_mix(key) + seed);
    }
    SIM_ASSERT(r->keys[0] != r->keys[1]);
    return 0;
}

void sim_seed_derive(uint64_t seed, uint64_t n, uint64_t *out)
{
    uint64_t mixed = sim_random_mix(seed + SIM_DERIVE_KEY);

    SIM_ASSERT(out != NULL);
    *out = sim_random_mix(mixed + (n + 1) * SIM_DERIVE_STEP) & (uint64_t)INT64_MAX;
    SIM_ASSERT(*out <= (uint64_t)INT64_MAX);
}

void sim_random_below(struct sim_random *r, uint32_t stream, uint64_t entity, uint64_t n,
                      uint64_t bound, uint64_t *out)
{
    uint64_t draw;

    SIM_ASSERT(bound > 0);
    sim_random_draw(r, stream, entity, n, &draw);
    *out = sim_wide_product(draw, bound).high;
    SIM_ASSERT(*out < bound);
}

void sim_random_chance(struct sim_random *r, uint32_t stream, uint64_t entity, uint64_t n,
                       int64_t probability_nano, bool *out)
{
    uint64_t nano;

    SIM_ASSERT(probability_nano >= 0);
    SIM_ASSERT(probability_nano <= 1000000000);
    SIM_ASSERT(out != NULL);
    sim_random_below(r, stream, entity, n, 1000000000, &nano);
    *out = nano < (uint64_t)probability_nano;
}
