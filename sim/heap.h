// SPDX-License-Identifier: GPL-3.0-or-later
//
// A plain binary heap of events by value. It is the oracle of the queue's tests, the reference of
// its benchmark, and holds the events when ties are permuted.
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/arena.h"
#include "sim/event.h"

struct sim_heap {
    struct sim_event *events; // events[i] comes before events[2i+1] and events[2i+2]
    uint64_t count;
    uint64_t limit;
    struct sim_arena *arena;
};

// An empty heap; events_hint: room to reserve. Returns 0 or SIM_ENOMEM.
int sim_heap_init(struct sim_heap *heap, struct sim_arena *arena, uint64_t events_hint);
// Adds a copy of the event; 0 or SIM_ENOMEM.
int sim_heap_push(struct sim_heap *heap, const struct sim_event *event);
// Takes the first event by (time, order); false when empty.
bool sim_heap_pop(struct sim_heap *heap, struct sim_event *event);

#endif
