// SPDX-License-Identifier: GPL-3.0-or-later
//
// XXH3 is linked, not inlined: its vector code must not enter objects that are compiled without
// floating-point registers. Its value is the same in every build of it.
#include "sim/fingerprint.h"

#include <string.h>

#define XXH_STATIC_LINKING_ONLY // the size of XXH3_state_t
#include <xxhash.h>

#include "sim/banned.h"

_Static_assert(SIM_FINGERPRINT_SPACING % SIM_FINGERPRINT_BATCH == 0,
               "checkpoints fall on the end of a batch");
_Static_assert(SIM_FINGERPRINT_CHECKPOINTS % 2 == 0, "half of the checkpoints is a number");

// A state without content, or NULL.
static XXH3_state_t *new_state(struct sim_arena *arena)
{
    XXH3_state_t *state = sim_arena_alloc(arena, sizeof(*state), 64);

    SIM_ASSERT(((uintptr_t)state & 63) == 0);
    if (state != NULL) {
        XXH_errorcode code;

        XXH3_INITSTATE(state);
        code = XXH3_128bits_reset(state);
        SIM_ASSERT(code == XXH_OK);
    }
    return state;
}

int sim_fingerprint_init(struct sim_fingerprint *fp, struct sim_arena *arena)
{
    SIM_ASSERT(fp != NULL);
    memset(fp, 0, sizeof(*fp));
    fp->spacing = SIM_FINGERPRINT_SPACING;
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        fp->states[i] = new_state(arena);
        if (fp->states[i] == NULL) {
            return SIM_ENOMEM;
        }
    }
    fp->scratch = new_state(arena);
    fp->checkpoints = sim_arena_alloc(
        arena, SIM_FINGERPRINT_CHECKPOINTS * sizeof(*fp->checkpoints), 64);
    SIM_ASSERT(fp->batch_bytes == 0);
    return fp->scratch != NULL && fp->checkpoints != NULL ? 0 : SIM_ENOMEM;
}

void sim_fingerprint_bytes(struct sim_fingerprint *fp, enum sim_layer layer, const void *bytes,
                           size_t count)
{
    XXH_errorcode code = XXH_OK;

    SIM_ASSERT((uint32_t)layer < SIM_LAYER_COUNT);
    SIM_ASSERT(SIM_ERGO(count != 0, bytes != NULL));
    if (count != 0) {
        code = XXH3_128bits_update(fp->states[layer], bytes, count);
    }
    SIM_ASSERT(code == XXH_OK);
}

void sim_fingerprint_u64(struct sim_fingerprint *fp, enum sim_layer layer, uint64_t value)
{
    unsigned char bytes[8];

    SIM_DEBUG_ASSERT(layer != SIM_LAYER_SCHEDULE);
    sim_fingerprint_put(bytes, value, sizeof(bytes));
    sim_fingerprint_bytes(fp, layer, bytes, sizeof(bytes));
}

void sim_fingerprint_draws(struct sim_fingerprint *fp, const struct sim_random *r)
{
    SIM_ASSERT(r->counts != NULL);
    for (uint32_t i = 0; i < SIM_STREAM_LIMIT; i++) {
        sim_fingerprint_u64(fp, SIM_LAYER_RANDOM, r->counts[i]);
    }
}

static void digest_layer(const struct sim_fingerprint *fp, uint32_t layer,
                         uint8_t digest[SIM_FINGERPRINT_BYTES])
{
    const XXH3_state_t *state = fp->states[layer];
    XXH128_canonical_t canonical;

    SIM_DEBUG_ASSERT(layer < SIM_LAYER_COUNT);
    _Static_assert(sizeof(canonical) == SIM_FINGERPRINT_BYTES, "16 bytes");
    if (layer == SIM_LAYER_SCHEDULE && fp->batch_bytes != 0) {
        // The batch goes into a copy: hashing it here would move later checkpoints.
        XXH_errorcode code;

        XXH3_copyState(fp->scratch, state);
        code = XXH3_128bits_update(fp->scratch, fp->batch, fp->batch_bytes);
        SIM_ASSERT(code == XXH_OK);
        state = fp->scratch;
    }
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    memcpy(digest, canonical.digest, SIM_FINGERPRINT_BYTES);
}

// Drops every other checkpoint, so that what stays lies at multiples of twice the spacing.
static void thin_checkpoints(struct sim_fingerprint *fp)
{
    uint32_t kept = fp->checkpoints_count / 2;

    SIM_ASSERT(fp->checkpoints_count == SIM_FINGERPRINT_CHECKPOINTS);
    for (uint32_t i = 0; i < kept; i++) {
        fp->checkpoints[i] = fp->checkpoints[2 * i + 1];
    }
    fp->checkpoints_count = kept;
    fp->spacing *= 2;
    SIM_ASSERT(fp->checkpoints[kept - 1].events % fp->spacing == 0);
}

static void add_checkpoint(struct sim_fingerprint *fp)
{
    struct sim_fingerprint_checkpoint *checkpoint;

    if (fp->checkpoints_count == SIM_FINGERPRINT_CHECKPOINTS) {
        thin_checkpoints(fp);
        if (fp->events % fp->spacing != 0) {
            return;
        }
    }
    SIM_ASSERT(fp->checkpoints_count < SIM_FINGERPRINT_CHECKPOINTS);
    checkpoint = &fp->checkpoints[fp->checkpoints_count];
    fp->checkpoints_count++;
    checkpoint->events = fp->events;
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        digest_layer(fp, i, checkpoint->layers[i]);
    }
    SIM_ASSERT(checkpoint->events == fp->checkpoints_count * fp->spacing);
}

void sim_fingerprint_flush(struct sim_fingerprint *fp)
{
    uint32_t bytes = fp->batch_bytes;

    SIM_ASSERT(bytes == sizeof(fp->batch));
    sim_fingerprint_bytes(fp, SIM_LAYER_SCHEDULE, fp->batch, bytes);
    fp->events += bytes / SIM_FINGERPRINT_EVENT_BYTES;
    fp->batch_bytes = 0;
    if (fp->events % fp->spacing == 0) {
        add_checkpoint(fp);
    }
}

void sim_fingerprint_finish(const struct sim_fingerprint *fp,
                            uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES],
                            uint8_t all[SIM_FINGERPRINT_BYTES])
{
    XXH128_canonical_t canonical;

    SIM_ASSERT(layers != NULL);
    SIM_ASSERT(all != NULL);
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        digest_layer(fp, i, layers[i]);
    }
    XXH128_canonicalFromHash(
        &canonical, XXH3_128bits(layers, (size_t)SIM_LAYER_COUNT * SIM_FINGERPRINT_BYTES));
    memcpy(all, canonical.digest, SIM_FINGERPRINT_BYTES);
}

void sim_fingerprint_hex(const uint8_t digest[SIM_FINGERPRINT_BYTES],
                         char text[SIM_FINGERPRINT_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    SIM_ASSERT(digest != NULL);
    SIM_ASSERT(text != NULL);
    for (uint32_t i = 0; i < SIM_FINGERPRINT_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SIM_FINGERPRINT_HEX_BYTES - 1] = '\0';
}
