// SPDX-License-Identifier: GPL-3.0-or-later
//
// The partitions that a worker holds, the latest first. The attempts of one worker lie far apart
// in memory, so their numbers stand together, in blocks of a cache line's size: a walk knows well
// before which attempts it will meet. The first block is part of the worker, so that adding to it
// touches nothing else. A partition that is gone is left in its list until a walk.
#ifndef RECOUP_MODELS_HELD_H
#define RECOUP_MODELS_HELD_H

#include <stdint.h>

struct model_world;
struct model_worker;

#define MODEL_HELD_ATTEMPTS 14u // of a block

struct model_held { // 64 bytes
    uint32_t older; // the next block of the worker, or of the free ones; MODEL_NONE: none
    uint32_t n;
    uint32_t attempts[MODEL_HELD_ATTEMPTS]; // the oldest first
};

void held_init(struct model_world *w);
// Appends an attempt whose partition the worker holds from now on. Out of memory sets w->error.
void held_add(struct model_world *w, struct model_worker *worker, uint32_t attempt);
// Drops what is no longer held from the list and writes the rest to `attempts`, which has room for
// worker->listed numbers. Returns how many there are, which is what `listed` is then.
uint32_t held_list(struct model_world *w, struct model_worker *worker, uint32_t *attempts);
// Empties the list.
void held_clear(struct model_world *w, struct model_worker *worker);

#endif
