// SPDX-License-Identifier: Apache-2.0
//
// Payloads: a growing table of blocks with a free list threaded through the unused slots.
#include "recovery/payload.h"

#include <string.h>

void recoup__payloads_init(struct recoup__payloads *payloads, struct recoup__memory *memory)
{
    RECOUP_ASSERT(payloads != NULL);
    RECOUP_ASSERT(memory != NULL);
    memset(payloads, 0, sizeof *payloads);
    payloads->memory = memory;
    payloads->used = 1;
}

void recoup__payloads_release(struct recoup__payloads *payloads)
{
    RECOUP_ASSERT(payloads != NULL);
    for (uint32_t i = 1; payloads->items != NULL && i < payloads->used; i++) {
        if (payloads->items[i].data != NULL) {
            recoup__release(payloads->memory, payloads->items[i].data, payloads->items[i].size);
        }
    }
    recoup__release(payloads->memory, payloads->items,
                    payloads->capacity * sizeof *payloads->items);
    recoup__payloads_init(payloads, payloads->memory);
}

int recoup__payloads_add(struct recoup__payloads *payloads, const void *data, uint32_t size,
                         uint32_t *handle)
{
    RECOUP_ASSERT(size <= RECOUP_PAYLOAD_MAX);
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, data != NULL));
    *handle = 0;
    if (size == 0) {
        return 0;
    }
    if (payloads->free == 0) {
        void *items = payloads->items;
        int rc = recoup__grow(payloads->memory, &items, &payloads->capacity,
                              sizeof *payloads->items, payloads->used + 1);
        payloads->items = items;
        if (rc != 0) {
            return rc;
        }
    }
    void *copy = recoup__allocate(payloads->memory, size);
    if (copy == NULL) {
        return RECOUP_ENOMEM;
    }
    memcpy(copy, data, size);
    uint32_t slot = payloads->free;
    if (slot == 0) {
        slot = payloads->used++;
    } else {
        RECOUP_ASSERT(payloads->items[slot].data == NULL);
        payloads->free = payloads->items[slot].size;
    }
    RECOUP_ASSERT(slot > 0 && slot < payloads->capacity);
    payloads->items[slot] = (struct recoup__payload){.data = copy, .size = size};
    payloads->live++;
    *handle = slot;
    return 0;
}

void recoup__payloads_remove(struct recoup__payloads *payloads, uint32_t handle)
{
    RECOUP_ASSERT(handle < payloads->used);
    if (handle == 0) {
        return;
    }
    struct recoup__payload *item = &payloads->items[handle];
    RECOUP_ASSERT(item->data != NULL);
    RECOUP_ASSERT(payloads->live > 0);
    recoup__release(payloads->memory, item->data, item->size);
    *item = (struct recoup__payload){.data = NULL, .size = payloads->free};
    payloads->free = handle;
    payloads->live--;
}

const void *recoup__payloads_get(const struct recoup__payloads *payloads, uint32_t handle,
                                 uint32_t *size)
{
    RECOUP_ASSERT(handle < payloads->used);
    if (handle == 0) {
        *size = 0;
        return NULL;
    }
    RECOUP_ASSERT(payloads->items[handle].data != NULL);
    *size = payloads->items[handle].size;
    return payloads->items[handle].data;
}
