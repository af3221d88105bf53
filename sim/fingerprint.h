// SPDX-License-Identifier: GPL-3.0-or-later
//
// The fingerprint of a run: one streaming XXH3-128 per layer, and one over the layers' digests.
// Equal scenario, settings, seed and version give equal fingerprints on every platform; a layer
// that alone differs says where runs part. Everything hashed is encoded explicitly, little-endian.
//
// A checkpoint of all layers is kept every 4,096 events of F1; when 1,024 are held, every other
// one is dropped and the spacing doubles, so memory is bounded for any length of run.
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/assert.h"
#include "sim/event.h"
#include "sim/random.h"

enum sim_layer {
    SIM_LAYER_SCHEDULE = 0, // F1: key and kind of every event dispatched
    SIM_LAYER_RANDOM = 1,   // F2: draws per stream
    SIM_LAYER_IO = 2,       // F3: operation, path, offset, length, content
    SIM_LAYER_STATE = 3,    // F4: canonical job state
    SIM_LAYER_STORE = 4,    // F5: bytes of the surviving store
    SIM_LAYER_RESULT = 5    // F6: metrics and findings
};
#define SIM_LAYER_COUNT 6

#define SIM_FINGERPRINT_BYTES 16
#define SIM_FINGERPRINT_HEX_BYTES 33    // 32 digits and the terminating zero
#define SIM_FINGERPRINT_SPACING 4096    // events between checkpoints, at first
#define SIM_FINGERPRINT_CHECKPOINTS 1024
#define SIM_FINGERPRINT_EVENT_BYTES 24  // time, order, kind, entity
#define SIM_FINGERPRINT_BATCH 128       // events encoded before they are hashed; divides 4,096

struct XXH3_state_s;

struct sim_fingerprint_checkpoint {
    uint64_t events; // of F1 so far
    uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES];
};

struct sim_fingerprint {
    uint32_t batch_bytes;
    uint32_t checkpoints_count;
    uint64_t events;        // hashed so far, those of the batch not counted
    uint64_t spacing;       // events between checkpoints
    struct XXH3_state_s *states[SIM_LAYER_COUNT];
    struct XXH3_state_s *scratch;
    struct sim_fingerprint_checkpoint *checkpoints;
    unsigned char batch[SIM_FINGERPRINT_BATCH * SIM_FINGERPRINT_EVENT_BYTES];
};

// Returns 0 or SIM_ENOMEM. All memory is taken here.
int sim_fingerprint_init(struct sim_fingerprint *fp, struct sim_arena *arena);
// Feeds a value or bytes to a layer. (Layer F1 takes events only.)
void sim_fingerprint_u64(struct sim_fingerprint *fp, enum sim_layer layer, uint64_t value);
void sim_fingerprint_bytes(struct sim_fingerprint *fp, enum sim_layer layer, const void *bytes,
                           size_t count);
// Feeds the draw counts of all streams to F2; at the end of a run.
void sim_fingerprint_draws(struct sim_fingerprint *fp, const struct sim_random *r);
// The digests so far (big-endian, as printed) and their digest. Feeding may go on afterwards.
void sim_fingerprint_finish(const struct sim_fingerprint *fp,
                            uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES],
                            uint8_t all[SIM_FINGERPRINT_BYTES]);
// 32 lower-case hexadecimal digits and a zero.
void sim_fingerprint_hex(const uint8_t digest[SIM_FINGERPRINT_BYTES],
                         char text[SIM_FINGERPRINT_HEX_BYTES]);
// Hashes the batch of events; called when it is full.
void sim_fingerprint_flush(struct sim_fingerprint *fp);

// Writes the low bytes of a value, the lowest first.
static inline void sim_fingerprint_put(unsigned char *p, uint64_t value, uint32_t bytes)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, &value, bytes);
#else
    for (uint32_t i = 0; i < bytes; i++) {
        p[i] = (unsigned char)(value >> (8 * i));
    }
#endif
}

// Feeds one dispatched event to F1. arg is left out: it is the model's, and shows in the others.
static inline void sim_fingerprint_event(struct sim_fingerprint *fp, const struct sim_event *event)
{
    unsigned char *p = fp->batch + fp->batch_bytes;

    SIM_DEBUG_ASSERT(fp->batch_bytes < sizeof(fp->batch));
    sim_fingerprint_put(p, (uint64_t)event->time_ns, 8);
    sim_fingerprint_put(p + 8, event->order, 8);
    sim_fingerprint_put(p + 16, event->kind, 4);
    sim_fingerprint_put(p + 20, event->entity, 4);
    fp->batch_bytes += SIM_FINGERPRINT_EVENT_BYTES;
    if (fp->batch_bytes == sizeof(fp->batch)) {
        sim_fingerprint_flush(fp);
    }
}

#endif
