// SPDX-License-Identifier: GPL-3.0-or-later
//
// The event queue and the virtual clock. Events leave in the order (time, class, sequence of
// scheduling), exactly, whatever was pushed when: of one instant all faults are served before the
// happenings, and those before the timers, also when they were pushed at that very instant.
//
// The structure is a radix ladder: buckets keyed by the highest hexadecimal digit in which an
// event's time differs from the time served last, each a FIFO of chunks that hold events by value;
// a small sorted bottom; and one ring per class for what is pushed at the current instant. Its
// cost depends on no parameter of the workload: constants, ties and zero delays are as cheap as
// spread times. See sim/queue.c.
//
// Only a push can run out of memory: it reserves what later pops may need.
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/arena.h"
#include "sim/assert.h"
#include "sim/error.h"
#include "sim/event.h"
#include "sim/heap.h"

#define SIM_NO_HANDLE 0

#define SIM_QUEUE_LEVELS 16          // hexadecimal digits of a time
#define SIM_QUEUE_DIGITS 16
#define SIM_QUEUE_CHUNK_EVENTS 31    // 31 events and 32 bytes of header are 1 KiB
#define SIM_QUEUE_CHUNK_BYTES 1024
#define SIM_QUEUE_BOTTOM_MAX 96      // events that the sorted bottom may hold
#define SIM_QUEUE_SORT_MAX 31        // buckets up to this size are sorted, larger ones split

#define SIM_QUEUE_GATHER_MAX 16      // neighbouring buckets are sorted together up to this size

#define SIM_QUEUE_SHORT_MIN 8        // so short a bottom takes over when the levels are empty
#define SIM_QUEUE_SHORT_MAX 24       // and gives back when it has grown to this

struct sim_queue_chunk;
struct sim_queue_slot;

// A FIFO of chunks. cursor is where the next event goes; a multiple of the chunk size (0 when
// empty) says that a chunk is needed first.
struct sim_queue_bucket {
    struct sim_event *cursor;
    struct sim_queue_chunk *head;
};

#define SIM_QUEUE_RINGS (SIM_QUEUE_LEVELS * SIM_QUEUE_DIGITS) // index of the first ring's bucket
#define SIM_QUEUE_BUCKETS (SIM_QUEUE_RINGS + SIM_CLASS_COUNT)

struct sim_queue {
    int64_t now_ns;          // time of the last event popped
    int64_t last_ns;         // the levels' digits are relative to this
    int64_t limit_ns;        // events before this go to the bottom, later ones to the levels
    uint64_t sequence;       // of the next push, already shifted (see sim/event.h)
    uint32_t bottom_count;
    uint32_t ring_map;       // bit c: the ring of class c holds events, all of time now_ns
    uint64_t stored;         // events inside, cancelled ones included
    uint64_t stored_max;     // what the chunks allocated suffice for, in any arrangement
    uint64_t cancelled;      // cancelled events still inside
    uint64_t purge_at;       // with as many, dropping them all is considered
    uint32_t level_map;
    uint32_t permuted;       // 1: ties are permuted, and the heap holds the events
    uint16_t digit_map[SIM_QUEUE_LEVELS];
    struct sim_event bottom[SIM_QUEUE_BOTTOM_MAX]; // descending: the next event is at the end
    // Level l, digit d at 16 l + d; then a ring per class for the events of the current instant.
    struct sim_queue_bucket buckets[SIM_QUEUE_BUCKETS];
    uint32_t ring_taken[SIM_CLASS_COUNT]; // events taken from the ring's first chunk
    struct sim_queue_chunk *free_chunks;
    unsigned char *fresh_chunks;     // chunks never used yet
    unsigned char *fresh_chunks_end;
    uint64_t chunks_total;
    struct sim_queue_slot *slots;    // of cancellable events
    uint32_t slots_limit;
    uint32_t slots_free;             // 1 + index of the first free slot; 0 = none
    struct sim_arena *arena;
    uint64_t permute_seed;
    struct sim_heap heap;            // used only when ties are permuted
};

// Initialises an empty queue at time 0 that takes its memory from arena. pending_hint: events for
// which memory is reserved at once (0: grow as needed). Returns 0 or SIM_ENOMEM.
int sim_queue_init(struct sim_queue *q, struct sim_arena *arena, uint32_t pending_hint);
// Forgets everything; the memory belongs to the arena. NULL is accepted.
void sim_queue_release(struct sim_queue *q);

// Schedules an event at time_ns >= sim_queue_now. Returns 0, SIM_ENOMEM, or SIM_EINVAL when the
// time lies in the past (which also is a debug assertion).
static inline int sim_queue_push(struct sim_queue *q, int64_t time_ns, enum sim_class c,
                                 uint32_t kind, uint32_t entity, uint64_t arg);
// The same, and *handle (never SIM_NO_HANDLE) names the event until it is popped or cancelled. A
// stale handle is recognised, unless 2^32 pushes lie between it and the slot's present use.
static inline int sim_queue_push_cancellable(struct sim_queue *q, int64_t time_ns,
                                             enum sim_class c, uint32_t kind, uint32_t entity,
                                             uint64_t arg, uint64_t *handle);
// Cancels the event of a handle; true when it was still pending. SIM_NO_HANDLE and stale handles
// are accepted (false).
bool sim_queue_cancel(struct sim_queue *q, uint64_t handle);
// True while the event of the handle is pending.
bool sim_queue_pending(const struct sim_queue *q, uint64_t handle);
// Takes the next event, skipping cancelled ones, and moves the clock to it. False when none is
// left; the clock then stays.
static inline bool sim_queue_pop(struct sim_queue *q, struct sim_event *event);

// Events that are sorted already, so that sim_queue_ahead can name them; while some of the present
// instant come first, only of these. Grows when the queue has sorted more.
static inline uint32_t sim_queue_sorted(const struct sim_queue *q);
// The event that will be popped after `skip` others, skip < sim_queue_sorted, unless something is
// pushed before it, or it is of the present instant and others of it come first, or it is
// cancelled: a hint of what to fetch from memory in time. The arg of a cancellable event is not the
// one it was pushed with.
static inline const struct sim_event *sim_queue_ahead(const struct sim_queue *q, uint32_t skip);

// Time of the last event popped, in ns; 0 at first.
static inline int64_t sim_queue_now(const struct sim_queue *q)
{
    SIM_DEBUG_ASSERT(q->now_ns >= 0);
    return q->now_ns;
}

// Events pending, cancelled ones not counted.
static inline uint64_t sim_queue_count(const struct sim_queue *q)
{
    SIM_DEBUG_ASSERT_AT(q->cancelled <= q->stored, q->now_ns);
    return q->stored - q->cancelled;
}

// From now on, events of equal (time, class) leave in an order that is a permutation, chosen by
// seed, of the order of scheduling (for bug hunting: a model is right only if its invariants hold
// under any). To be called while the queue has never held an event; SIM_EINVAL otherwise.
int sim_queue_permute_ties(struct sim_queue *q, uint64_t seed);

#include "sim/queue_inline.h"

#endif
