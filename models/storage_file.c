// SPDX-License-Identifier: GPL-3.0-or-later
//
// Blocks and runs of a modelled file; see storage_file.h for the format.
#include "models/storage_file.h"

#include <string.h>

#include "sim/assert.h"

#include "sim/banned.h"

#define RUN_HEADER_BYTES 8u

struct model_block {
    struct model_block *next;
    uint64_t offset;  // in the file, of its first byte
    uint64_t size;    // bytes of the file that it stands for
    uint32_t used;    // bytes of data
    uint32_t run;     // where in data the last run begins; meaningless while used is 0
    uint32_t shift;   // log2 of its bytes
    unsigned char data[];
};

struct run {
    uint32_t literal;
    uint32_t zeros;
};

static struct run run_get(const struct model_block *block, uint32_t at)
{
    struct run run;

    SIM_DEBUG_ASSERT(at + RUN_HEADER_BYTES <= block->used);
    memcpy(&run.literal, block->data + at, sizeof(run.literal));
    memcpy(&run.zeros, block->data + at + 4, sizeof(run.zeros));
    return run;
}

static void run_put(struct model_block *block, uint32_t at, struct run run)
{
    SIM_DEBUG_ASSERT(at + RUN_HEADER_BYTES <= block->used);
    memcpy(block->data + at, &run.literal, sizeof(run.literal));
    memcpy(block->data + at + 4, &run.zeros, sizeof(run.zeros));
}

static uint32_t block_capacity(const struct model_block *block)
{
    SIM_DEBUG_ASSERT(block->shift >= MODEL_BLOCK_SHIFT_MIN);
    SIM_DEBUG_ASSERT(block->shift <= MODEL_BLOCK_SHIFT_MAX);
    return (1u << block->shift) - (uint32_t)offsetof(struct model_block, data);
}

void model_file_pool_init(struct model_file_pool *pool, struct sim_arena *arena)
{
    SIM_ASSERT(arena != NULL);
    memset(pool, 0, sizeof(*pool));
    pool->arena = arena;
}

static struct model_block *block_take(struct model_file_pool *pool, uint32_t shift)
{
    struct model_block *block = pool->free[shift];

    SIM_ASSERT(shift >= MODEL_BLOCK_SHIFT_MIN);
    SIM_ASSERT(shift <= MODEL_BLOCK_SHIFT_MAX);
    if (block != NULL) {
        SIM_ASSERT(block->shift == shift);
        pool->free[shift] = block->next;
        return block;
    }
    block = sim_arena_alloc(pool->arena, (size_t)1 << shift, _Alignof(struct model_block));
    if (block != NULL) {
        pool->blocks_bytes += (uint64_t)1 << shift;
    }
    return block;
}

static bool add_block(struct model_file_pool *pool, struct model_file_bytes *file)
{
    uint32_t shift = MODEL_BLOCK_SHIFT_MIN;
    struct model_block *block;

    if (file->last != NULL) {
        shift = file->last->shift + (file->last->shift < MODEL_BLOCK_SHIFT_MAX ? 1 : 0);
    }
    block = block_take(pool, shift);
    if (block == NULL) {
        return false;
    }
    *block = (struct model_block){.offset = file->size, .shift = shift};
    if (file->last != NULL) {
        SIM_ASSERT(file->last->offset + file->last->size == file->size);
        file->last->next = block;
    } else {
        SIM_ASSERT(file->size == 0);
        file->first = block;
    }
    file->last = block;
    return true;
}

// True if literal bytes may join the last run, false if they need a new one.
static bool run_is_open(const struct model_block *block)
{
    return block->used > 0 && run_get(block, block->run).zeros == 0;
}

static void run_begin(struct model_block *block)
{
    SIM_DEBUG_ASSERT(block->used + RUN_HEADER_BYTES <= block_capacity(block));
    block->run = block->used;
    block->used += RUN_HEADER_BYTES;
    run_put(block, block->run, (struct run){0, 0});
}

static uint32_t literal_room(const struct model_block *block)
{
    uint32_t left = block_capacity(block) - block->used;

    SIM_DEBUG_ASSERT(block->used <= block_capacity(block));
    if (run_is_open(block)) {
        return left;
    }
    return left > RUN_HEADER_BYTES ? left - RUN_HEADER_BYTES : 0;
}

static bool put_literal(struct model_file_pool *pool, struct model_file_bytes *file,
                        const unsigned char *data, size_t size)
{
    while (size > 0) {
        struct model_block *block = file->last;
        uint32_t room = block != NULL ? literal_room(block) : 0;
        uint32_t n = size < room ? (uint32_t)size : room;
        struct run run;

        if (room == 0) {
            if (!add_block(pool, file)) {
                return false;
            }
            continue;
        }
        if (!run_is_open(block)) {
            run_begin(block);
        }
        run = run_get(block, block->run);
        memcpy(block->data + block->used, data, n);
        run.literal += n;
        run_put(block, block->run, run);
        block->used += n;
        block->size += n;
        file->size += n;
        data += n;
        size -= n;
        SIM_DEBUG_ASSERT(block->used <= block_capacity(block));
    }
    return true;
}

static bool put_zeros(struct model_file_pool *pool, struct model_file_bytes *file, size_t size)
{
    while (size > 0) {
        struct model_block *block = file->last;
        uint32_t n = size < UINT32_MAX / 2 ? (uint32_t)size : UINT32_MAX / 2;
        struct run run;

        if (block != NULL && block->used > 0 &&
            run_get(block, block->run).zeros <= UINT32_MAX - n) {
            run = run_get(block, block->run);
        } else if (block != NULL && block->used + RUN_HEADER_BYTES <= block_capacity(block)) {
            run_begin(block);
            run = (struct run){0, 0};
        } else if (add_block(pool, file)) {
            continue;
        } else {
            return false;
        }
        run.zeros += n;
        run_put(block, block->run, run);
        block->size += n;
        file->size += n;
        size -= n;
    }
    return true;
}

// The first run of at least MODEL_ZEROS_MIN zeros at or after `from`: its start, and its end
// through *end. Returns `size` if there is none. Such a run covers a whole stretch of 32 bytes
// that begins at a multiple of 32, so one word in 32 bytes is looked at.
static size_t find_zeros(const unsigned char *data, size_t from, size_t size, size_t *end)
{
    size_t probe = (from + 31) / 32 * 32;

    SIM_DEBUG_ASSERT(from <= size);
    while (probe + 8 <= size) {
        uint64_t word;

        memcpy(&word, data + probe, sizeof(word));
        if (word == 0) {
            size_t first = probe;
            size_t last = probe + 8;

            while (first > from && data[first - 1] == 0) {
                first--;
            }
            while (word == 0 && last + 8 <= size) {
                memcpy(&word, data + last, sizeof(word));
                last += word == 0 ? 8 : 0;
            }
            while (last < size && data[last] == 0) {
                last++;
            }
            if (last - first >= MODEL_ZEROS_MIN) {
                *end = last;
                return first;
            }
            probe = last / 32 * 32;  // the stretch that holds the first byte that is not zero
        }
        probe += 32;
    }
    *end = size;
    return size;
}

bool model_file_append(struct model_file_pool *pool, struct model_file_bytes *file,
                       const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t size_before = file->size;
    size_t at = 0;

    SIM_ASSERT(SIM_ERGO(size > 0, data != NULL));
    while (at < size) {
        size_t end;
        size_t zeros = find_zeros(bytes, at, size, &end);

        SIM_DEBUG_ASSERT(zeros >= at);
        SIM_DEBUG_ASSERT(end >= zeros);
        if (!put_literal(pool, file, bytes + at, zeros - at) ||
            !put_zeros(pool, file, end - zeros)) {
            return false;
        }
        at = end;
    }
    SIM_ASSERT(file->size == size_before + size);
    return true;
}

// Where the bytes of a run, or of a block, and those wanted overlap.
struct window {
    uint64_t offset;  // in the file
    unsigned char *buffer;
    size_t size;
};

static void copy_part(const struct window *window, uint64_t offset, const unsigned char *data,
                      uint64_t size)
{
    uint64_t first = offset > window->offset ? offset : window->offset;
    uint64_t end = window->offset + window->size;
    unsigned char *to;

    if (end > offset + size) {
        end = offset + size;
    }
    if (first >= end) {
        return;
    }
    to = window->buffer + (first - window->offset);
    SIM_DEBUG_ASSERT(end - window->offset <= window->size);
    if (data != NULL) {
        memcpy(to, data + (first - offset), (size_t)(end - first));
    } else {
        memset(to, 0, (size_t)(end - first));
    }
}

static void copy_block(const struct model_block *block, const struct window *window)
{
    uint64_t offset = block->offset;
    uint64_t end = window->offset + window->size;
    uint32_t at = 0;

    while (at < block->used && offset < end) {
        struct run run = run_get(block, at);

        at += RUN_HEADER_BYTES;
        copy_part(window, offset, block->data + at, run.literal);
        offset += run.literal;
        copy_part(window, offset, NULL, run.zeros);
        offset += run.zeros;
        at += run.literal;
    }
    SIM_DEBUG_ASSERT(SIM_ERGO(at == block->used, offset == block->offset + block->size));
}

size_t model_file_read(struct model_file_bytes *file, uint64_t offset, void *buffer, size_t size)
{
    struct window window = {offset, buffer, size};
    struct model_block *block = file->cursor;

    if (offset >= file->size) {
        return 0;
    }
    if (window.size > file->size - offset) {
        window.size = (size_t)(file->size - offset);
    }
    if (block == NULL || block->offset > offset) {
        block = file->first;
    }
    while (block->offset + block->size <= offset) {
        block = block->next;
        SIM_ASSERT(block != NULL);
    }
    for (; block != NULL && block->offset < offset + window.size; block = block->next) {
        copy_block(block, &window);
        file->cursor = block;
    }
    SIM_ASSERT(window.size <= size);
    return window.size;
}

void model_file_clear(struct model_file_pool *pool, struct model_file_bytes *file)
{
    struct model_block *block = file->first;

    SIM_ASSERT(SIM_ERGO(block == NULL, file->size == 0));
    while (block != NULL) {
        struct model_block *next = block->next;

        SIM_ASSERT(block->shift < MODEL_BLOCK_SHIFTS);
        block->next = pool->free[block->shift];
        pool->free[block->shift] = block;
        block = next;
    }
    *file = (struct model_file_bytes){0};
}
