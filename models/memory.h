// SPDX-License-Identifier: GPL-3.0-or-later
//
// The allocator that the simulated master hands to the recovery library: blocks of graded sizes out
// of the run's arena, kept in free lists, so that the next incarnation (and the next run in the
// same arena) asks for nothing new.
#ifndef RECOUP_MODELS_MEMORY_H
#define RECOUP_MODELS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "recovery/recoup.h"
#include "sim/arena.h"

#define MODEL_MEMORY_GRADES 192u // four grades for each doubling from 16 bytes on

struct model_memory {
    struct sim_arena *arena;
    void *free[MODEL_MEMORY_GRADES];
    uint64_t live_bytes; // handed out and not given back
};

void memory_init(struct model_memory *memory, struct sim_arena *arena);
struct recoup_allocator memory_allocator(struct model_memory *memory);
void *memory_allocate(struct model_memory *memory,
                      size_t size); // aligned to 16; NULL when out of memory
void memory_release(struct model_memory *memory, void *block,
                    size_t size); // size as asked for; NULL is accepted

#endif
