// SPDX-License-Identifier: GPL-3.0-or-later
//
// Memory of one run. A run owns one arena, takes all its memory from it and frees it at once.
// Blocks grow from 64 KiB to 8 MiB, each at most a quarter of all that was taken before, so a
// small run stays small and no run leaves much of what it took unused.
// Allocations of a MiB and more get blocks of their own size.
// A reset keeps the blocks: a second run of the same shape asks the system for nothing.
//
// Also here: struct sim_chunks, an array of fixed-size records that grows without moving them.
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/assert.h"
#include "sim/error.h"

#define SIM_ARENA_BLOCK_MIN ((size_t)64 << 10)
#define SIM_ARENA_BLOCK_MAX ((size_t)8 << 20)
#define SIM_ARENA_LARGE_BYTES ((size_t)1 << 20)
// No single allocation and no alignment may be larger than these: a terabyte, or half of all
// addresses where there are fewer.
#define SIM_ARENA_ALLOCATION_MAX                                                                   \
    ((size_t)(UINT64_C(1) << 40 < SIZE_MAX / 2 ? UINT64_C(1) << 40 : SIZE_MAX / 2))
#define SIM_ARENA_ALIGN_MAX ((size_t)4096)

struct sim_arena_block;

struct sim_arena {
    unsigned char *cursor;            // next free byte of the current block
    unsigned char *end;               // end of the current block
    struct sim_arena_block *first;    // all blocks, in order of first use
    struct sim_arena_block *large;    // blocks of one allocation each
    struct sim_arena_block *current;  // the block that cursor points into, or NULL
    uint64_t bytes;                   // taken from the system, headers included
    uint64_t bytes_limit;             // 0 = none
    uint64_t system_allocations;      // times that memory was asked from the system
    uint64_t fail_countdown;          // 1 = the next allocation fails; 0 = none does
};

// Initialises an empty arena; takes no memory. bytes_limit bounds what it takes from the system
// (0: no bound).
void sim_arena_init(struct sim_arena *arena, uint64_t bytes_limit);
// Gives everything back. The arena may be initialised again or dropped; NULL is accepted.
void sim_arena_release(struct sim_arena *arena);
// Forgets all allocations but keeps the blocks, also a pending fault countdown.
void sim_arena_reset(struct sim_arena *arena);

// size bytes, aligned to align (a power of two <= 4096). The content is indeterminate. NULL when
// out of memory (system, limit or fault countdown); the arena is then unchanged. A size of 0
// yields a distinct non-NULL pointer that must not be dereferenced.
void *sim_arena_alloc(struct sim_arena *arena, size_t size, size_t align);
// The same for count records of size bytes, cleared; NULL also when the product overflows.
void *sim_arena_alloc_zero(struct sim_arena *arena, size_t count, size_t size, size_t align);

// Bytes taken from the system, headers included.
uint64_t sim_arena_bytes(const struct sim_arena *arena);
// How many times memory was asked from the system since init (not cleared by reset).
uint64_t sim_arena_system_allocations(const struct sim_arena *arena);
// Makes the n-th allocation from now on return NULL, once (1 = the next; 0 = none).
void sim_arena_fail_at(struct sim_arena *arena, uint64_t n);

// Typed allocation of count cleared records.
#define SIM_ARENA_NEW(arena, type, count)                                                          \
    ((type *)sim_arena_alloc_zero((arena), (count), sizeof(type), _Alignof(type)))

// A growing array of records of one size. Records never move, so a pointer to one is valid until
// the arena is reset or released. Chunks hold a power of two of records.
struct sim_chunks {
    unsigned char **chunks;   // directory of chunks
    struct sim_arena *arena;
    uint64_t count;           // records in use
    uint64_t capacity;        // records that fit the chunks allocated
    uint32_t record_bytes;
    uint32_t chunk_shift;     // log2 of the records of a chunk
    uint32_t directory_count; // chunks allocated
    uint32_t directory_limit; // entries of the directory
};

// record_bytes >= 1 and a multiple of the record's alignment, which may be up to 16;
// chunk_shift <= 20. Takes no memory yet.
void sim_chunks_init(struct sim_chunks *chunks, struct sim_arena *arena, uint32_t record_bytes,
                     uint32_t chunk_shift);
// Appends one cleared record and returns it; NULL when out of memory (nothing changed).
void *sim_chunks_push(struct sim_chunks *chunks);
// Drops the records from count on (which stay allocated for later pushes).
void sim_chunks_truncate(struct sim_chunks *chunks, uint64_t count);

static inline uint64_t sim_chunks_count(const struct sim_chunks *chunks)
{
    SIM_DEBUG_ASSERT(chunks->count <= chunks->capacity);
    return chunks->count;
}

// The record of an index < count.
static inline void *sim_chunks_at(const struct sim_chunks *chunks, uint64_t index)
{
    uint64_t mask = ((uint64_t)1 << chunks->chunk_shift) - 1;

    SIM_DEBUG_ASSERT(index < chunks->count);
    return chunks->chunks[index >> chunks->chunk_shift] + (index & mask) * chunks->record_bytes;
}

#endif
