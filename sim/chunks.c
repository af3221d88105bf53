// SPDX-License-Identifier: GPL-3.0-or-later
//
// The growing array of sim/arena.h. The directory doubles; chunks never move.
#include "sim/arena.h"

#include <string.h>

#include "sim/banned.h"

#define SIM_CHUNK_SHIFT_MAX 20
#define SIM_CHUNK_ALIGN 16
#define SIM_DIRECTORY_FIRST 16
#define SIM_DIRECTORY_MAX (UINT32_C(1) << 30)

void sim_chunks_init(struct sim_chunks *chunks, struct sim_arena *arena, uint32_t record_bytes,
                     uint32_t chunk_shift)
{
    SIM_ASSERT(arena != NULL);
    SIM_ASSERT(record_bytes > 0);
    SIM_ASSERT(chunk_shift <= SIM_CHUNK_SHIFT_MAX);
    memset(chunks, 0, sizeof(*chunks));
    chunks->arena = arena;
    chunks->record_bytes = record_bytes;
    chunks->chunk_shift = chunk_shift;
}

// Room for one more entry of the directory; 0 or SIM_ENOMEM. The old one stays in the arena: all
// the directories together take at most twice the last.
static int grow_directory(struct sim_chunks *chunks)
{
    uint32_t limit = chunks->directory_limit != 0 ? 2 * chunks->directory_limit
                                                  : SIM_DIRECTORY_FIRST;
    unsigned char **directory;

    SIM_ASSERT(chunks->directory_count == chunks->directory_limit);
    if (limit > SIM_DIRECTORY_MAX) {
        return SIM_ENOMEM;
    }
    directory = SIM_ARENA_NEW(chunks->arena, unsigned char *, limit);
    if (directory == NULL) {
        return SIM_ENOMEM;
    }
    if (chunks->directory_count > 0) {
        memcpy(directory, chunks->chunks, chunks->directory_count * sizeof(*directory));
    }
    chunks->chunks = directory;
    chunks->directory_limit = limit;
    SIM_ASSERT(chunks->directory_count < chunks->directory_limit);
    return 0;
}

static int add_chunk(struct sim_chunks *chunks)
{
    size_t bytes = (size_t)chunks->record_bytes << chunks->chunk_shift;
    unsigned char *chunk;

    SIM_ASSERT(chunks->count == chunks->capacity);
    if (chunks->directory_count == chunks->directory_limit && grow_directory(chunks) != 0) {
        return SIM_ENOMEM;
    }
    chunk = sim_arena_alloc(chunks->arena, bytes, SIM_CHUNK_ALIGN);
    if (chunk == NULL) {
        return SIM_ENOMEM;
    }
    chunks->chunks[chunks->directory_count] = chunk;
    chunks->directory_count++;
    chunks->capacity += (uint64_t)1 << chunks->chunk_shift;
    SIM_ASSERT(chunks->count < chunks->capacity);
    return 0;
}

void *sim_chunks_push(struct sim_chunks *chunks)
{
    void *record;

    SIM_ASSERT(chunks->count <= chunks->capacity);
    if (chunks->count == chunks->capacity && add_chunk(chunks) != 0) {
        return NULL;
    }
    chunks->count++;
    record = sim_chunks_at(chunks, chunks->count - 1);
    memset(record, 0, chunks->record_bytes);
    return record;
}

void sim_chunks_truncate(struct sim_chunks *chunks, uint64_t count)
{
    SIM_ASSERT(count <= chunks->count);
    chunks->count = count;
    SIM_ASSERT(chunks->count <= chunks->capacity);
}
