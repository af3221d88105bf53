// SPDX-License-Identifier: Apache-2.0
//
// The opaque payloads that engines attach to finishes: kept while the finish stands, named by a
// small handle so that a subtask without one costs nothing but four zero bytes.
#ifndef RECOUP_RECOVERY_PAYLOAD_H
#define RECOUP_RECOVERY_PAYLOAD_H

#include "recovery/memory.h"

struct recoup__payload {
    void *data;    // NULL in a free slot
    uint32_t size; // in a free slot: the next free handle, 0 at the end
};

struct recoup__payloads {
    struct recoup__memory *memory;
    struct recoup__payload *items; // item 0 is never used: handle 0 means "no payload"
    uint32_t capacity;
    uint32_t used; // items ever used, item 0 included
    uint32_t free; // first free handle, 0: none
    uint32_t live; // payloads held
};

void recoup__payloads_init(struct recoup__payloads *payloads, struct recoup__memory *memory);

// Frees every payload.
void recoup__payloads_release(struct recoup__payloads *payloads);

// Copies `size` bytes, at most RECOUP_PAYLOAD_MAX, and gives them a handle; size 0 gives handle 0.
// Returns 0 or RECOUP_ENOMEM, which changes nothing.
int recoup__payloads_add(struct recoup__payloads *payloads, const void *data, uint32_t size,
                         uint32_t *handle);

// Frees the payload of `handle`; handle 0 is accepted.
void recoup__payloads_remove(struct recoup__payloads *payloads, uint32_t handle);

// The bytes of `handle`; NULL and 0 for handle 0.
const void *recoup__payloads_get(const struct recoup__payloads *payloads, uint32_t handle,
                                 uint32_t *size);

#endif
