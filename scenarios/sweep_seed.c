// SPDX-License-Identifier: GPL-3.0-or-later
//
// The identity of a point, and the seeds that come from it or from the master seed alone.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "scenarios/sweep.h"
#include "sim/fingerprint.h"

_Static_assert(SCENARIO_SWEEP_KEY_SIZE == SIM_FINGERPRINT_HEX_BYTES, "both are 32 digits and a 0");

static void feed_u64(XXH3_state_t *state, uint64_t value)
{
    unsigned char bytes[8];

    sim_fingerprint_put(bytes, value, sizeof(bytes));
    (void)XXH3_128bits_update(state, bytes, sizeof(bytes));
}

// Every part is framed by its length, so that no two lists of parts look alike.
static void feed_framed(XXH3_state_t *state, const char *text, size_t size)
{
    feed_u64(state, size);
    (void)XXH3_128bits_update(state, text, size);
}

// The line of the seed in canonical text (one "path = value" line per value), and its size.
static const char *seed_line(const char *canonical, size_t *size)
{
    static const char seed[] = "seed = ";

    for (const char *line = canonical; *line != '\0';) {
        *size = strcspn(line, "\n");
        *size += line[*size] == '\n' ? 1 : 0;
        if (strncmp(line, seed, sizeof(seed) - 1) == 0) {
            return line;
        }
        line += *size;
    }
    *size = 0;
    return canonical + strlen(canonical);
}

void scenario_point_key(const char *canonical, char key[SCENARIO_SWEEP_KEY_SIZE])
{
    static const char kind[] = "point";
    XXH128_canonical_t digest;
    XXH3_state_t state;
    size_t left_out;
    const char *seed = seed_line(canonical, &left_out);
    size_t before = (size_t)(seed - canonical);
    size_t after = strlen(seed) - left_out;

    XXH3_INITSTATE(&state);
    (void)XXH3_128bits_reset(&state);
    feed_framed(&state, kind, sizeof(kind) - 1);
    feed_u64(&state, before + after);
    (void)XXH3_128bits_update(&state, canonical, before);
    (void)XXH3_128bits_update(&state, seed + left_out, after);
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state));
    sim_fingerprint_hex(digest.digest, key);
}

static uint64_t derive(uint64_t master, const char *point_key, uint32_t replication)
{
    static const char purpose[] = "recoup replication";
    unsigned char bytes[sizeof(purpose) - 1 + 8 + SCENARIO_SWEEP_KEY_SIZE - 1 + 8];
    size_t size = 0;
    size_t digits = point_key != NULL ? SCENARIO_SWEEP_KEY_SIZE - 1 : 0;

    memcpy(bytes, purpose, sizeof(purpose) - 1);
    size += sizeof(purpose) - 1;
    sim_fingerprint_put(bytes + size, master, 8);
    size += 8;
    if (digits != 0) {
        memcpy(bytes + size, point_key, digits);
    }
    size += digits;
    sim_fingerprint_put(bytes + size, replication, 8);
    size += 8;
    return XXH3_64bits(bytes, size) & (UINT64_MAX >> 1);
}

uint64_t scenario_seed_common(uint64_t master, uint32_t replication)
{
    return derive(master, NULL, replication);
}

uint64_t scenario_seed_independent(uint64_t master, const char *point_key, uint32_t replication)
{
    return derive(master, point_key, replication);
}

uint64_t scenario_replication_seed(const struct scenario_sweep *sweep,
                                   const struct scenario_point *point, uint32_t replication)
{
    return sweep->common ? scenario_seed_common(sweep->seed, replication)
                         : scenario_seed_independent(sweep->seed, point->key, replication);
}
