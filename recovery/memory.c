// SPDX-License-Identifier: Apache-2.0
#include "recovery/memory.h"

#include <string.h>

void recoup__memory_init(struct recoup__memory *memory, const struct recoup_allocator *allocator)
{
    RECOUP_ASSERT(allocator->allocate != NULL);
    RECOUP_ASSERT(allocator->release != NULL);
    memory->allocator = *allocator;
    memory->bytes = 0;
    memory->broken = 0;
}

bool recoup__memory_broken(struct recoup__memory *memory)
{
    RECOUP_ASSERT(memory != NULL);
    memory->broken = RECOUP_EINTERNAL;
    return false;
}

void *recoup__allocate(struct recoup__memory *memory, size_t size)
{
    void *pointer;

    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(memory->allocator.allocate != NULL);
    pointer = memory->allocator.allocate(memory->allocator.context, size);
    if (pointer != NULL) {
        memory->bytes += size;
    }
    return pointer;
}

void *recoup__allocate_zeroed(struct recoup__memory *memory, size_t n, size_t size)
{
    void *pointer;

    RECOUP_ASSERT(n > 0);
    RECOUP_ASSERT(size > 0);
    if (n > SIZE_MAX / 2 / size) {
        return NULL;
    }
    pointer = recoup__allocate(memory, n * size);
    if (pointer != NULL) {
        memset(pointer, 0, n * size);
    }
    return pointer;
}

void recoup__release(struct recoup__memory *memory, void *pointer, size_t size)
{
    RECOUP_ASSERT(RECOUP_ERGO(pointer != NULL, size > 0));
    if (pointer == NULL) {
        return;
    }
    if (RECOUP_CHECK(memory, memory->bytes >= size)) {
        memory->bytes -= size;
    }
    memory->allocator.release(memory->allocator.context, pointer, size);
}

int recoup__grow(struct recoup__memory *memory, void **items, uint32_t *capacity, size_t size,
                 uint32_t need)
{
    uint32_t grown = *capacity < 8 ? 8 : *capacity;
    void *fresh;

    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(RECOUP_ERGO(*items == NULL, *capacity == 0));
    if (need <= *capacity) {
        return 0;
    }
    grown = grown > UINT32_MAX / 2 ? UINT32_MAX : grown * 2;
    grown = grown < need ? need : grown;
    if (grown > SIZE_MAX / 2 / size) {
        return RECOUP_ELIMIT;
    }
    fresh = recoup__allocate(memory, grown * size);
    if (fresh == NULL) {
        return RECOUP_ENOMEM;
    }
    if (*items != NULL) {
        memcpy(fresh, *items, *capacity * size);
        recoup__release(memory, *items, *capacity * size);
    }
    *items = fresh;
    *capacity = grown;
    RECOUP_ASSERT(*capacity >= need);
    return 0;
}
