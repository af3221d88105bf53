// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/assert.h"
#include "sim/fingerprint.h"

void results_key(const char *const *parts, size_t n_parts, char key[RESULTS_KEY_SIZE])
{
    XXH128_canonical_t digest;
    XXH3_state_t state;

    _Static_assert(RESULTS_KEY_SIZE == SIM_FINGERPRINT_HEX_BYTES, "both are 32 digits and a zero");
    XXH3_INITSTATE(&state);
    (void)XXH3_128bits_reset(&state);
    for (size_t i = 0; i < n_parts; i++) {
        uint64_t size = strlen(parts[i]);
        unsigned char frame[8];

        for (uint32_t b = 0; b < sizeof(frame); b++) {
            frame[b] = (unsigned char)(size >> (8 * b));
        }
        (void)XXH3_128bits_update(&state, frame, sizeof(frame));
        (void)XXH3_128bits_update(&state, parts[i], (size_t)size);
    }
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state));
    sim_fingerprint_hex(digest.digest, key);
}

void results_single_runs_key(const char *scenario, char key[RESULTS_KEY_SIZE])
{
    const char *const parts[] = {"single runs", scenario};

    results_key(parts, 2, key);
}

char *results_without_seed(const char *canonical)
{
    static const char seed[] = "seed = ";
    char *text = malloc(strlen(canonical) + 1);
    char *out = text;

    if (text == NULL) {
        return NULL;
    }
    // The canonical text is one "path = value" line per value.
    while (*canonical != '\0') {
        size_t size = strcspn(canonical, "\n");

        size += canonical[size] == '\n' ? 1 : 0;
        if (strncmp(canonical, seed, sizeof(seed) - 1) != 0) {
            memcpy(out, canonical, size);
            out += size;
        }
        canonical += size;
    }
    *out = '\0';
    return text;
}

bool results_point_key(const struct results_run *run, char key[RESULTS_KEY_SIZE])
{
    char *rest = results_without_seed(run->scenario->canonical);
    const char *const parts[] = {"point", rest};

    if (rest == NULL) {
        return false;
    }
    results_key(parts, 2, key);
    free(rest);
    return true;
}

void results_run_key(const struct results_run *run, char key[RESULTS_KEY_SIZE])
{
    char seed[24];
    const char *const parts[] = {"run", run->version, run->scenario->canonical, seed,
                                 run->invariants_on ? "invariants" : "no invariants"};

    (void)snprintf(seed, sizeof(seed), "%" PRIu64, run->scenario->config.seed);
    results_key(parts, sizeof(parts) / sizeof(parts[0]), key);
}

bool results_scenario_key(const char *canonical, char key[RESULTS_KEY_SIZE])
{
    char *rest = results_without_seed(canonical);
    const char *const parts[] = {"scenario", rest};

    if (rest == NULL) {
        return false;
    }
    results_key(parts, 2, key);
    free(rest);
    return true;
}
