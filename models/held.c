// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/held.h"

#include "models/world.h"

#include "sim/banned.h"

#define HELD_CHUNK_SHIFT 6u // 4 KiB a chunk

_Static_assert(sizeof(struct model_held) == 64, "a block is as large as a cache line");

static struct model_held *block_of(const struct model_world *w, uint32_t block)
{
    SIM_DEBUG_ASSERT(block < sim_chunks_count(&w->workers.held_blocks));
    return sim_chunks_at(&w->workers.held_blocks, block);
}

void held_init(struct model_world *w)
{
    struct model_workers *workers = &w->workers;

    SIM_ASSERT(w->arena != NULL);
    sim_chunks_init(&workers->held_blocks, w->arena, sizeof(struct model_held), HELD_CHUNK_SHIFT);
    workers->held_free = MODEL_NONE;
}

// A block without attempts; MODEL_NONE when out of memory.
static uint32_t take_block(struct model_world *w)
{
    struct model_workers *workers = &w->workers;
    uint32_t block = workers->held_free;

    if (block != MODEL_NONE) {
        workers->held_free = block_of(w, block)->older;
    } else {
        block = (uint32_t)sim_chunks_count(&workers->held_blocks);
        SIM_ASSERT(block < MODEL_NONE);
        if (sim_chunks_push(&workers->held_blocks) == NULL) {
            w->error = SIM_ENOMEM;
            return MODEL_NONE;
        }
    }
    SIM_ASSERT(block_of(w, block)->n == 0);
    return block;
}

static void free_block(struct model_world *w, uint32_t block)
{
    struct model_held *b = block_of(w, block);

    SIM_ASSERT(w->workers.held_free != block);
    b->n = 0;
    b->older = w->workers.held_free;
    w->workers.held_free = block;
}

// Moves what the worker's own block holds to one behind it.
static bool spill(struct model_world *w, struct model_worker *worker)
{
    uint32_t fresh = take_block(w);

    SIM_ASSERT(worker->held.n == MODEL_HELD_ATTEMPTS);
    if (fresh == MODEL_NONE) {
        return false;
    }
    *block_of(w, fresh) = worker->held;
    worker->held.older = fresh;
    worker->held.n = 0;
    return true;
}

void held_add(struct model_world *w, struct model_worker *worker, uint32_t attempt)
{
    SIM_ASSERT(world_attempt(w, attempt)->partition == MODEL_PARTITION_HELD);
    SIM_ASSERT(worker->held.n <= MODEL_HELD_ATTEMPTS);
    if (worker->held.n == MODEL_HELD_ATTEMPTS && !spill(w, worker)) {
        return;
    }
    worker->held.attempts[worker->held.n++] = attempt;
    worker->listed++;
}

// Asks memory for the attempts of a block, and for the block behind it.
static void fetch(const struct model_world *w, const struct model_held *block)
{
    SIM_DEBUG_ASSERT(block->n <= MODEL_HELD_ATTEMPTS);
    if (block->older != MODEL_NONE) {
        __builtin_prefetch(block_of(w, block->older));
    }
    for (uint32_t i = 0; i < block->n; i++) {
        const struct model_attempt *a = world_attempt(w, block->attempts[i]);

        __builtin_prefetch(a);
        __builtin_prefetch(&a->number);
    }
}

// Keeps what is still held, in order, and appends it to what is listed, the latest first. Returns
// how many are listed then.
static uint32_t shrink(struct model_world *w, struct model_held *block, uint32_t *attempts,
                       uint32_t n)
{
    uint32_t kept = 0;

    SIM_ASSERT(block->n <= MODEL_HELD_ATTEMPTS);
    for (uint32_t i = 0; i < block->n; i++) {
        uint32_t attempt = block->attempts[i];

        SIM_DEBUG_ASSERT(world_attempt(w, attempt)->partition != MODEL_PARTITION_NONE);
        block->attempts[kept] = attempt;
        kept += world_attempt(w, attempt)->partition == MODEL_PARTITION_HELD ? 1 : 0;
    }
    block->n = kept;
    for (uint32_t i = kept; i > 0; i--) {
        attempts[n++] = block->attempts[i - 1];
    }
    return n;
}

uint32_t held_list(struct model_world *w, struct model_worker *worker, uint32_t *attempts)
{
    struct model_held *last = &worker->held;
    uint32_t n;

    fetch(w, last);
    if (last->older != MODEL_NONE) {
        fetch(w, block_of(w, last->older));
    }
    n = shrink(w, last, attempts, 0);
    while (last->older != MODEL_NONE) {
        uint32_t block = last->older;
        struct model_held *b = block_of(w, block);

        if (b->older != MODEL_NONE) {
            fetch(w, block_of(w, b->older));
        }
        n = shrink(w, b, attempts, n);
        if (b->n > 0) {
            last = b;
        } else {
            last->older = b->older;
            free_block(w, block);
        }
    }
    SIM_ASSERT(n <= worker->listed);
    worker->listed = n;
    return n;
}

void held_clear(struct model_world *w, struct model_worker *worker)
{
    SIM_ASSERT(worker->listed >= worker->held.n);
    while (worker->held.older != MODEL_NONE) {
        uint32_t block = worker->held.older;

        worker->held.older = block_of(w, block)->older;
        free_block(w, block);
    }
    worker->held.n = 0;
    worker->listed = 0;
}
