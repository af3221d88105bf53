// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/memory.h"

#include <string.h>

#include "sim/assert.h"

#include "sim/banned.h"

#define SMALLEST 16u

// The grade of a size: sizes 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, ... so that at most a quarter
// is wasted.
static uint32_t grade_of(size_t size, size_t *rounded)
{
    uint32_t doubling = 0;
    size_t base = SMALLEST;

    SIM_ASSERT(size <= SIZE_MAX / 4);
    while (base * 2 <= size) {
        base *= 2;
        doubling++;
    }
    if (size < base)
        size = base;
    size_t step = base / 4;
    size_t quarter = (size - base + step - 1) / step; // 0 .. 4
    *rounded = base + quarter * step;
    SIM_ASSERT(*rounded >= size);
    return doubling * 4 + (uint32_t)quarter;
}

void memory_init(struct model_memory *memory, struct sim_arena *arena)
{
    SIM_ASSERT(arena != NULL);
    *memory = (struct model_memory){.arena = arena};
}

void *memory_allocate(struct model_memory *memory, size_t size)
{
    size_t rounded;
    uint32_t grade = grade_of(size, &rounded);

    SIM_ASSERT(grade < MODEL_MEMORY_GRADES);
    void *block = memory->free[grade];
    if (block != NULL)
        memcpy(&memory->free[grade], block, sizeof(void *));
    else
        block = sim_arena_alloc(memory->arena, rounded, SMALLEST);
    if (block != NULL)
        memory->live_bytes += rounded;
    return block;
}

void memory_release(struct model_memory *memory, void *block, size_t size)
{
    size_t rounded;

    if (block == NULL)
        return;
    uint32_t grade = grade_of(size, &rounded);
    SIM_ASSERT(grade < MODEL_MEMORY_GRADES);
    SIM_ASSERT(memory->live_bytes >= rounded);
    memory->live_bytes -= rounded;
    memcpy(block, &memory->free[grade], sizeof(void *));
    memory->free[grade] = block;
}

static void *allocate(void *context, size_t size)
{
    SIM_DEBUG_ASSERT(context != NULL);
    return memory_allocate(context, size);
}

static void release(void *context, void *block, size_t size)
{
    SIM_DEBUG_ASSERT(context != NULL);
    memory_release(context, block, size);
}

struct recoup_allocator memory_allocator(struct model_memory *memory)
{
    SIM_ASSERT(memory->arena != NULL);
    return (struct recoup_allocator){.allocate = allocate, .release = release, .context = memory};
}
