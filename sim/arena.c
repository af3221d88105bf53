// SPDX-License-Identifier: GPL-3.0-or-later
//
// Blocks form a list in the order of first use. Allocation moves a cursor through the current
// block and goes on to the next one of the list, or to a new one at its end. A reset only moves
// the cursor back to the first block, so an equal sequence of allocations finds its places again.
#define _DEFAULT_SOURCE // madvise
#include "sim/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/banned.h"

// Blocks from this size on are aligned to it and may be backed by huge pages: at a million pending
// events most of the time would otherwise go to misses of the address translation.
#define SIM_HUGE_BYTES ((size_t)2 << 20)
#define SIM_CACHE_LINE ((size_t)64)
// Debug builds fill what they hand out, so that reliance on old content shows. Larger allocations
// are left alone: most of them are reserves that are never touched.
#define SIM_DEBUG_FILL_MAX ((size_t)64 << 10)

struct sim_arena_block {
    struct sim_arena_block *next;
    size_t payload_bytes;
    bool used;  // large blocks only
};

// The payload starts one cache line behind the header's start.
static unsigned char *block_payload(struct sim_arena_block *block)
{
    _Static_assert(sizeof(struct sim_arena_block) <= 64, "the header fits its line");
    return (unsigned char *)block + SIM_CACHE_LINE;
}

void sim_arena_init(struct sim_arena *arena, uint64_t bytes_limit)
{
    SIM_ASSERT(arena != NULL);
    memset(arena, 0, sizeof(*arena));
    arena->bytes_limit = bytes_limit;
}

static void free_blocks(struct sim_arena_block *block)
{
    while (block != NULL) {
        struct sim_arena_block *next = block->next;

        SIM_DEBUG_ASSERT(block->payload_bytes > 0);
        free(block);
        block = next;
    }
}

void sim_arena_release(struct sim_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    free_blocks(arena->first);
    free_blocks(arena->large);
    sim_arena_init(arena, arena->bytes_limit);
    SIM_ASSERT(arena->first == NULL && arena->large == NULL && arena->bytes == 0);
}

static void use_block(struct sim_arena *arena, struct sim_arena_block *block)
{
    SIM_ASSERT(block != NULL);
    arena->current = block;
    arena->cursor = block_payload(block);
    arena->end = arena->cursor + block->payload_bytes;
    SIM_DEBUG_ASSERT(arena->end > arena->cursor);
}

void sim_arena_reset(struct sim_arena *arena)
{
    SIM_ASSERT(arena != NULL);
    if (arena->first != NULL) {
        use_block(arena, arena->first);
    }
    for (struct sim_arena_block *block = arena->large; block != NULL; block = block->next) {
        block->used = false;
    }
    SIM_ASSERT(SIM_ERGO(arena->first == NULL, arena->cursor == NULL));
}

// Where an allocation would start in [cursor, end), or NULL when it does not fit.
static unsigned char *fit(unsigned char *cursor, const unsigned char *end, size_t size,
                          size_t align)
{
    size_t padding = (size_t)(-(uintptr_t)cursor & (align - 1));
    size_t room = (size_t)(end - cursor);

    SIM_DEBUG_ASSERT(cursor <= end);
    SIM_DEBUG_ASSERT(padding < align);
    return cursor != NULL && padding <= room && size <= room - padding ? cursor + padding : NULL;
}

// Memory for a block from the system.
static struct sim_arena_block *system_block(size_t bytes, size_t unit)
{
    struct sim_arena_block *block;

    SIM_ASSERT(bytes > SIM_CACHE_LINE);
    SIM_ASSERT(bytes % unit == 0);
    block = aligned_alloc(unit, bytes);
#ifdef MADV_HUGEPAGE
    if (block != NULL && unit == SIM_HUGE_BYTES) {
        // Advice only: a refusal costs speed and nothing else.
        (void)madvise(block, bytes, MADV_HUGEPAGE);
    }
#endif
    return block;
}

// A block of so many bytes, header included, on the account; NULL when out of memory.
static struct sim_arena_block *add_block(struct sim_arena *arena, size_t bytes)
{
    bool huge = bytes >= SIM_ARENA_BLOCK_MAX / 2 || bytes % SIM_HUGE_BYTES == 0;
    size_t unit = huge ? SIM_HUGE_BYTES : SIM_CACHE_LINE;
    struct sim_arena_block *block;

    SIM_ASSERT(bytes > SIM_CACHE_LINE);
    bytes = (bytes + unit - 1) & ~(unit - 1);
    if (arena->bytes_limit != 0 && bytes > arena->bytes_limit - arena->bytes) {
        return NULL;
    }
    block = system_block(bytes, unit);
    if (block == NULL) {
        return NULL;
    }
    block->next = NULL;
    block->payload_bytes = bytes - SIM_CACHE_LINE;
    block->used = true;
    arena->system_allocations++;
    arena->bytes += bytes;
    SIM_ASSERT(SIM_ERGO(arena->bytes_limit != 0, arena->bytes <= arena->bytes_limit));
    return block;
}

// A new block with room for at least need bytes, or NULL.
static struct sim_arena_block *new_block(struct sim_arena *arena, size_t need)
{
    size_t bytes = SIM_ARENA_BLOCK_MIN;

    SIM_ASSERT(need > 0);
    while (bytes < SIM_ARENA_BLOCK_MAX && bytes <= arena->bytes / 8) {
        bytes *= 2;
    }
    SIM_ASSERT(bytes <= SIM_ARENA_BLOCK_MAX);
    return add_block(arena, bytes > need + SIM_CACHE_LINE ? bytes : need + SIM_CACHE_LINE);
}

// The smallest unused large block with room for need bytes, so that an equal run finds its own
// blocks again; NULL when there is none.
static struct sim_arena_block *best_large(const struct sim_arena *arena, size_t need)
{
    struct sim_arena_block *best = NULL;

    SIM_ASSERT(need > 0);
    for (struct sim_arena_block *block = arena->large; block != NULL; block = block->next) {
        if (!block->used && block->payload_bytes >= need &&
            (best == NULL || block->payload_bytes < best->payload_bytes)) {
            best = block;
        }
    }
    SIM_ASSERT(SIM_ERGO(best != NULL, !best->used));
    return best;
}

// A large allocation: a block of its own.
static unsigned char *allocate_large(struct sim_arena *arena, size_t size, size_t align)
{
    size_t need = size + align;
    struct sim_arena_block *block = best_large(arena, need);

    SIM_ASSERT(size >= SIM_ARENA_LARGE_BYTES);
    if (block == NULL) {
        block = add_block(arena, need + SIM_CACHE_LINE);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->large;
        arena->large = block;
    }
    block->used = true;
    SIM_ASSERT(block->payload_bytes >= need);
    return fit(block_payload(block), block_payload(block) + block->payload_bytes, size, align);
}

// Moves on to the next block that fits, or to a new one; NULL when out of memory. Blocks passed by
// stay unused until the next reset.
static unsigned char *advance(struct sim_arena *arena, size_t size, size_t align)
{
    struct sim_arena_block *last = arena->current;
    struct sim_arena_block *block = last != NULL ? last->next : NULL;

    SIM_ASSERT(SIM_ERGO(last == NULL, arena->first == NULL));
    while (block != NULL) {
        unsigned char *payload = block_payload(block);

        if (fit(payload, payload + block->payload_bytes, size, align) != NULL) {
            break;
        }
        last = block;
        block = block->next;
    }
    if (block == NULL) {
        block = new_block(arena, size + align);
        if (block == NULL) {
            return NULL;
        }
        if (last == NULL) {
            arena->first = block;
        } else {
            last->next = block;
        }
    }
    use_block(arena, block);
    return fit(arena->cursor, arena->end, size, align);
}

void *sim_arena_alloc(struct sim_arena *arena, size_t size, size_t align)
{
    size_t bytes = size != 0 ? size : 1;
    unsigned char *start;

    SIM_ASSERT(align != 0 && (align & (align - 1)) == 0);
    SIM_ASSERT(align <= SIM_ARENA_ALIGN_MAX);
    if (arena->fail_countdown != 0) {
        arena->fail_countdown--;
        if (arena->fail_countdown == 0) {
            return NULL;
        }
    }
    if (size > SIM_ARENA_ALLOCATION_MAX) {
        return NULL;
    }
    if (bytes >= SIM_ARENA_LARGE_BYTES) {
        return allocate_large(arena, bytes, align);
    }
    start = fit(arena->cursor, arena->end, bytes, align);
    if (start == NULL) {
        start = advance(arena, bytes, align);
        if (start == NULL) {
            return NULL;
        }
    }
    arena->cursor = start + bytes;
    SIM_ASSERT(arena->cursor <= arena->end);
#ifndef NDEBUG
    if (bytes <= SIM_DEBUG_FILL_MAX) {
        memset(start, 0xA5, bytes);
    }
#endif
    return start;
}

void *sim_arena_alloc_zero(struct sim_arena *arena, size_t count, size_t size, size_t align)
{
    void *start;

    SIM_ASSERT(size > 0);
    if (count > SIM_ARENA_ALLOCATION_MAX / size) {
        return NULL;
    }
    start = sim_arena_alloc(arena, count * size, align);
    if (start != NULL) {
        memset(start, 0, count * size);
    }
    return start;
}

uint64_t sim_arena_bytes(const struct sim_arena *arena)
{
    SIM_ASSERT(arena != NULL);
    return arena->bytes;
}

uint64_t sim_arena_system_allocations(const struct sim_arena *arena)
{
    SIM_ASSERT(arena != NULL);
    return arena->system_allocations;
}

void sim_arena_fail_at(struct sim_arena *arena, uint64_t n)
{
    SIM_ASSERT(arena != NULL);
    arena->fail_countdown = n;
}
