// SPDX-License-Identifier: Apache-2.0
#include "recovery/actions.h"

#include <stdalign.h>
#include <string.h>

#define SCRATCH_BLOCK ((size_t)16 << 10)  // usual size of a block, header included
#define ACTIONS_MAX (1u << 26)            // of one step; more is an error of the caller

struct recoup__scratch {
    struct recoup__scratch *next;
    size_t size;  // of the whole allocation
    size_t used;  // bytes handed out, header included
};

#define ALIGNMENT alignof(max_align_t)
#define HEADER ((sizeof(struct recoup__scratch) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

void recoup__actions_init(struct recoup__actions *actions, struct recoup__memory *memory)
{
    RECOUP_ASSERT(memory != NULL);
    memset(actions, 0, sizeof *actions);
    actions->memory = memory;
}

static void release_blocks(struct recoup__actions *actions, struct recoup__scratch *block)
{
    while (block != NULL) {
        struct recoup__scratch *next = block->next;

        RECOUP_ASSERT(block->used <= block->size);
        recoup__release(actions->memory, block, block->size);
        block = next;
    }
}

void recoup__actions_release(struct recoup__actions *actions)
{
    if (actions->memory == NULL) {
        return;
    }
    RECOUP_ASSERT(actions->n <= actions->capacity);
    release_blocks(actions, actions->blocks);
    release_blocks(actions, actions->free);
    recoup__release(actions->memory, actions->items, actions->capacity * sizeof actions->items[0]);
    memset(actions, 0, sizeof *actions);
}

void recoup__actions_recycle(struct recoup__actions *actions)
{
    RECOUP_ASSERT(actions->n == 0);
    while (actions->blocks != NULL) {
        struct recoup__scratch *block = actions->blocks;

        RECOUP_ASSERT(block->used <= block->size);
        actions->blocks = block->next;
        // Blocks of unusual size are not kept: a single huge step must not pin its memory for ever.
        if (block->size > SCRATCH_BLOCK) {
            recoup__release(actions->memory, block, block->size);
        } else {
            block->used = HEADER;
            block->next = actions->free;
            actions->free = block;
        }
    }
}

int recoup__actions_grow(struct recoup__actions *actions, uint32_t n)
{
    void *items = actions->items;
    int error;

    RECOUP_ASSERT(n > actions->capacity - actions->n);
    if (n > ACTIONS_MAX || actions->n > ACTIONS_MAX) {
        return RECOUP_ENOMEM;
    }
    error = recoup__grow(actions->memory, &items, &actions->capacity, sizeof actions->items[0],
                         actions->n + n);
    actions->items = items;
    RECOUP_ASSERT(error != 0 || actions->capacity - actions->n >= n);
    return error == 0 ? 0 : RECOUP_ENOMEM;
}

static struct recoup__scratch *take_block(struct recoup__actions *actions, size_t size)
{
    struct recoup__scratch *block = actions->free;
    size_t wanted;

    RECOUP_ASSERT(size > 0);
    if (block != NULL && size <= block->size - HEADER) {
        actions->free = block->next;
    } else {
        wanted = size > SCRATCH_BLOCK - HEADER ? size + HEADER : SCRATCH_BLOCK;
        block = recoup__allocate(actions->memory, wanted);
        if (block == NULL) {
            return NULL;
        }
        block->size = wanted;
        block->used = HEADER;
    }
    RECOUP_ASSERT(block->used == HEADER);
    block->next = actions->blocks;
    actions->blocks = block;
    return block;
}

void *recoup__actions_scratch(struct recoup__actions *actions, size_t size)
{
    struct recoup__scratch *block = actions->blocks;
    size_t rounded;
    void *pointer;

    if (size > SIZE_MAX / 4) {
        return NULL;
    }
    rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    rounded = rounded == 0 ? ALIGNMENT : rounded;
    if (block == NULL || rounded > block->size - block->used) {
        block = take_block(actions, rounded);
    }
    if (block == NULL) {
        return NULL;
    }
    RECOUP_ASSERT(rounded <= block->size - block->used);
    pointer = (uint8_t *)block + block->used;
    block->used += rounded;
    RECOUP_ASSERT(((uintptr_t)pointer & (ALIGNMENT - 1)) == 0);
    return pointer;
}
