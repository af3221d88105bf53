// SPDX-License-Identifier: GPL-3.0-or-later
//
// An event: what the queue holds by value, 32 bytes.
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/assert.h"

// Which of the events of one instant come first.
enum sim_class {
    SIM_CLASS_FAULT = 0,     // faults
    SIM_CLASS_HAPPENING = 1, // finishes, messages, completions of I/O
    SIM_CLASS_TIMER = 2      // timers and timeouts
};
#define SIM_CLASS_COUNT 3

struct sim_event {
    int64_t time_ns;  // >= 0
    uint64_t order;   // class in bits 63..62, sequence of scheduling in bits 61..1, bit 0 internal
    uint32_t kind;    // the model's
    uint32_t entity;  // the model's
    uint64_t arg;     // the model's; never an address, so that runs can be compared
};
_Static_assert(sizeof(struct sim_event) == 32, "an event is 32 bytes");

#define SIM_ORDER_CLASS_SHIFT 62
#define SIM_ORDER_SEQUENCE_SHIFT 1
// Bit 0 of an order inside the queue: the event has a slot and may have been cancelled. Popped
// events have it cleared.
#define SIM_ORDER_CANCELLABLE ((uint64_t)1)

static inline enum sim_class sim_event_class(const struct sim_event *event)
{
    SIM_DEBUG_ASSERT(event->order >> SIM_ORDER_CLASS_SHIFT < SIM_CLASS_COUNT);
    return (enum sim_class)(event->order >> SIM_ORDER_CLASS_SHIFT);
}

// How many events were pushed before this one.
static inline uint64_t sim_event_sequence(const struct sim_event *event)
{
    return (event->order << 2) >> (2 + SIM_ORDER_SEQUENCE_SHIFT);
}

// True when a comes before b.
static inline bool sim_event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->order < b->order);
}

#endif
