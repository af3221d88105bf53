// SPDX-License-Identifier: GPL-3.0-or-later
//
// The textbook heap, kept plain on purpose: it is what the queue is judged against.
#include "sim/heap.h"

#include <string.h>

#include "sim/banned.h"

#define SIM_HEAP_FIRST 64

static int heap_grow(struct sim_heap *heap, uint64_t limit)
{
    struct sim_event *events;

    SIM_ASSERT(limit > heap->count);
    SIM_ASSERT(limit > heap->limit);
    if (limit > SIM_ARENA_ALLOCATION_MAX / sizeof(*events)) {
        return SIM_ENOMEM;
    }
    events = sim_arena_alloc(heap->arena, (size_t)limit * sizeof(*events), 64);
    if (events == NULL) {
        return SIM_ENOMEM;
    }
    if (heap->count > 0) {
        memcpy(events, heap->events, (size_t)heap->count * sizeof(*events));
    }
    heap->events = events;
    heap->limit = limit;
    return 0;
}

int sim_heap_init(struct sim_heap *heap, struct sim_arena *arena, uint64_t events_hint)
{
    SIM_ASSERT(arena != NULL);
    memset(heap, 0, sizeof(*heap));
    heap->arena = arena;
    SIM_ASSERT(heap->count == 0);
    return heap_grow(heap, events_hint > 0 ? events_hint : SIM_HEAP_FIRST);
}

int sim_heap_push(struct sim_heap *heap, const struct sim_event *event)
{
    uint64_t i;

    SIM_DEBUG_ASSERT(event->time_ns >= 0);
    if (heap->count == heap->limit && heap_grow(heap, 2 * heap->limit) != 0) {
        return SIM_ENOMEM;
    }
    i = heap->count;
    heap->count++;
    while (i > 0) {
        uint64_t parent = (i - 1) / 2;

        if (!sim_event_before(event, &heap->events[parent])) {
            break;
        }
        heap->events[i] = heap->events[parent];
        i = parent;
    }
    heap->events[i] = *event;
    SIM_DEBUG_ASSERT(heap->count <= heap->limit);
    return 0;
}

// Lets the event sink from the root, whose place is free.
static void sift_down(struct sim_heap *heap, const struct sim_event *event)
{
    uint64_t i = 0;

    SIM_DEBUG_ASSERT(heap->count > 0);
    for (;;) {
        uint64_t child = 2 * i + 1;

        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            sim_event_before(&heap->events[child + 1], &heap->events[child])) {
            child++;
        }
        if (!sim_event_before(&heap->events[child], event)) {
            break;
        }
        heap->events[i] = heap->events[child];
        i = child;
    }
    heap->events[i] = *event;
}

bool sim_heap_pop(struct sim_heap *heap, struct sim_event *event)
{
    if (heap->count == 0) {
        return false;
    }
    *event = heap->events[0];
    heap->count--;
    if (heap->count > 0) {
        struct sim_event last = heap->events[heap->count];

        sift_down(heap, &last);
    }
    SIM_DEBUG_ASSERT(heap->count < heap->limit);
    return true;
}
