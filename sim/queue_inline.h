// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hot half of the queue, included by sim/queue.h only. Functions named sim_queue__... are
// internal.
#ifndef SIM_QUEUE_INLINE_H
#define SIM_QUEUE_INLINE_H

#define SIM_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

// Aligned to its own size, so that a cursor behind its last event is recognised by its low bits.
struct sim_queue_chunk {
    union {
        struct sim_queue_chunk *next;
        uint64_t header[4]; // 32 bytes, whatever the size of an address
    };
    struct sim_event events[SIM_QUEUE_CHUNK_EVENTS];
};

// What a cancellable event leaves outside the queue; the queued event's arg is the slot's index.
struct sim_queue_slot {
    uint64_t arg;   // the model's arg; in a free slot 1 + index of the next free one, or 0
    uint64_t order; // of the pending event; 0 in a free slot, which no cancellable event has
};

// The cold half, in sim/queue.c.
bool sim_queue__refill(struct sim_queue *q);
void sim_queue__extend(struct sim_queue *q, struct sim_queue_bucket *bucket);
void sim_queue__insert_bottom(struct sim_queue *q, int64_t time_ns, uint64_t order, uint32_t kind,
                              uint32_t entity, uint64_t arg);
const struct sim_event *sim_queue__take_ring(struct sim_queue *q);
int sim_queue__grow_slots(struct sim_queue *q);
int sim_queue__reserve(struct sim_queue *q);
int sim_queue__push_permuted(struct sim_queue *q, const struct sim_event *event);

// Events are copied word by word. A processor that finds two fresh words where it wants to read
// one wide one must wait for both to reach the cache, which costs as much as all of a push; reads
// through volatile keep compilers from joining them.
static inline void sim_queue__copy(struct sim_event *to, const struct sim_event *from)
{
    const volatile struct sim_event *words = from;

    to->time_ns = words->time_ns;
    to->order = words->order;
    to->kind = words->kind;
    to->entity = words->entity;
    to->arg = words->arg;
}

// The bucket of the levels that a time at or after limit_ns belongs to.
static inline struct sim_queue_bucket *sim_queue__bucket(struct sim_queue *q, int64_t time_ns)
{
    uint64_t differing = (uint64_t)time_ns ^ (uint64_t)q->last_ns;
    uint32_t level = (63U - (uint32_t)__builtin_clzll(differing | 1)) >> 2;
    uint32_t digit = (uint32_t)((uint64_t)time_ns >> (4 * level)) & 15U;

    SIM_DEBUG_ASSERT_AT(time_ns >= q->last_ns, q->now_ns);
    SIM_DEBUG_ASSERT_AT(level < SIM_QUEUE_LEVELS, q->now_ns);
    return &q->buckets[SIM_QUEUE_DIGITS * level + digit];
}

// Where the next event of a bucket goes. The chunk it may need was reserved by the push.
static inline struct sim_event *sim_queue__append(struct sim_queue *q,
                                                  struct sim_queue_bucket *bucket)
{
    struct sim_event *place;

    if (SIM_UNLIKELY(((uintptr_t)bucket->cursor & (SIM_QUEUE_CHUNK_BYTES - 1)) == 0)) {
        sim_queue__extend(q, bucket);
    }
    place = bucket->cursor;
    SIM_DEBUG_ASSERT(place != NULL);
    bucket->cursor = place + 1;
    return place;
}

static inline int sim_queue__insert(struct sim_queue *q, int64_t time_ns, uint64_t order,
                                    uint32_t kind, uint32_t entity, uint64_t arg)
{
    struct sim_event *place;

    // Before now (or negative), or the one time that is reserved as "never".
    SIM_DEBUG_ASSERT_AT(time_ns >= q->now_ns, q->now_ns);
    SIM_DEBUG_ASSERT_AT(time_ns != INT64_MAX, q->now_ns);
    if (SIM_UNLIKELY((uint64_t)time_ns - (uint64_t)q->now_ns >=
                     (uint64_t)INT64_MAX - (uint64_t)q->now_ns)) {
        return SIM_EINVAL;
    }
    if (SIM_UNLIKELY(q->stored >= q->stored_max)) {
        struct sim_event event = {time_ns, order, kind, entity, arg};
        int status = q->permuted ? sim_queue__push_permuted(q, &event) : sim_queue__reserve(q);

        if (status != 0 || q->permuted) {
            return status;
        }
    }
    q->stored++;
    q->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
    if (time_ns >= q->limit_ns) {
        place = sim_queue__append(q, sim_queue__bucket(q, time_ns));
    } else if (time_ns == q->now_ns) {
        uint32_t c = (uint32_t)(order >> SIM_ORDER_CLASS_SHIFT);

        q->ring_map |= 1U << c;
        place = sim_queue__append(q, &q->buckets[SIM_QUEUE_RINGS + c]);
    } else {
        sim_queue__insert_bottom(q, time_ns, order, kind, entity, arg);
        return 0;
    }
    place->time_ns = time_ns;
    place->order = order;
    place->kind = kind;
    place->entity = entity;
    place->arg = arg;
    return 0;
}

static inline int sim_queue_push(struct sim_queue *q, int64_t time_ns, enum sim_class c,
                                 uint32_t kind, uint32_t entity, uint64_t arg)
{
    SIM_DEBUG_ASSERT_AT((uint32_t)c < SIM_CLASS_COUNT, q->now_ns);
    return sim_queue__insert(q, time_ns, ((uint64_t)c << SIM_ORDER_CLASS_SHIFT) | q->sequence,
                             kind, entity, arg);
}

static inline void sim_queue__free_slot(struct sim_queue *q, uint32_t index)
{
    SIM_DEBUG_ASSERT(index < q->slots_limit);
    SIM_DEBUG_ASSERT(q->slots[index].order != 0);
    q->slots[index].order = 0;
    q->slots[index].arg = q->slots_free;
    q->slots_free = index + 1;
}

// The upper half of a handle: the low 32 bits of the sequence.
static inline uint32_t sim_queue__stamp(uint64_t order)
{
    SIM_DEBUG_ASSERT((order & SIM_ORDER_CANCELLABLE) != 0);
    return (uint32_t)(order >> SIM_ORDER_SEQUENCE_SHIFT);
}

static inline int sim_queue_push_cancellable(struct sim_queue *q, int64_t time_ns,
                                             enum sim_class c, uint32_t kind, uint32_t entity,
                                             uint64_t arg, uint64_t *handle)
{
    uint64_t order = ((uint64_t)c << SIM_ORDER_CLASS_SHIFT) | q->sequence | SIM_ORDER_CANCELLABLE;
    struct sim_queue_slot *slot;
    uint32_t number;
    int status;

    SIM_DEBUG_ASSERT_AT((uint32_t)c < SIM_CLASS_COUNT, q->now_ns);
    SIM_DEBUG_ASSERT_AT(handle != NULL, q->now_ns);
    if (SIM_UNLIKELY(q->slots_free == 0)) {
        status = sim_queue__grow_slots(q);
        if (status != 0) {
            return status;
        }
    }
    number = q->slots_free;
    status = sim_queue__insert(q, time_ns, order, kind, entity, number - 1);
    if (status != 0) {
        return status;
    }
    slot = &q->slots[number - 1];
    q->slots_free = (uint32_t)slot->arg;
    slot->arg = arg;
    slot->order = order;
    *handle = ((uint64_t)sim_queue__stamp(order) << 32) | number;
    return 0;
}

// Called for each cancellable event that leaves the queue: yields its arg and frees its slot, or
// returns false when it was cancelled.
static inline bool sim_queue__claim(struct sim_queue *q, uint64_t order, uint64_t slot,
                                    uint64_t *arg)
{
    SIM_DEBUG_ASSERT((order & SIM_ORDER_CANCELLABLE) != 0);
    SIM_DEBUG_ASSERT(slot < q->slots_limit);
    if (q->slots[slot].order != order) {
        SIM_DEBUG_ASSERT(q->cancelled > 0);
        q->cancelled--;
        return false;
    }
    *arg = q->slots[slot].arg;
    sim_queue__free_slot(q, (uint32_t)slot);
    return true;
}

// The events of the ring that is served first which lie in one chunk: *count of them.
static inline const struct sim_event *sim_queue__ring(const struct sim_queue *q, uint32_t *count)
{
    uint32_t c = (uint32_t)__builtin_ctz(q->ring_map);
    const struct sim_queue_bucket *ring = &q->buckets[SIM_QUEUE_RINGS + c];
    const struct sim_event *first = &ring->head->events[q->ring_taken[c]];
    const struct sim_event *end = ring->head->next != NULL
                                      ? ring->head->events + SIM_QUEUE_CHUNK_EVENTS
                                      : ring->cursor;

    SIM_DEBUG_ASSERT(end > first);
    SIM_DEBUG_ASSERT(end - first <= SIM_QUEUE_CHUNK_EVENTS);
    *count = (uint32_t)(end - first);
    return first;
}

static inline uint32_t sim_queue_sorted(const struct sim_queue *q)
{
    uint32_t count = q->bottom_count;

    SIM_DEBUG_ASSERT(q->bottom_count <= SIM_QUEUE_BOTTOM_MAX);
    if (q->ring_map != 0) {
        (void)sim_queue__ring(q, &count);
    }
    return count;
}

static inline const struct sim_event *sim_queue_ahead(const struct sim_queue *q, uint32_t skip)
{
    SIM_DEBUG_ASSERT(skip < sim_queue_sorted(q));
    if (q->ring_map != 0) {
        uint32_t count;
        const struct sim_event *first = sim_queue__ring(q, &count);
        return first + skip;
    }
    return &q->bottom[q->bottom_count - 1 - skip];
}

static inline bool sim_queue_pop(struct sim_queue *q, struct sim_event *event)
{
    for (;;) {
        if (q->ring_map != 0) {
            sim_queue__copy(event, sim_queue__take_ring(q));
        } else if (q->bottom_count != 0) {
            q->bottom_count--;
            sim_queue__copy(event, &q->bottom[q->bottom_count]);
        } else if (sim_queue__refill(q)) {
            continue;
        } else {
            return false;
        }
        q->stored--;
        if (SIM_UNLIKELY((event->order & SIM_ORDER_CANCELLABLE) != 0)) {
            uint64_t arg;

            // A cancelled event is dropped here, at the latest.
            if (!sim_queue__claim(q, event->order, event->arg, &arg)) {
                continue;
            }
            event->arg = arg;
            event->order &= ~SIM_ORDER_CANCELLABLE;
        }
        SIM_DEBUG_ASSERT_AT(event->time_ns >= q->now_ns, q->now_ns);
        q->now_ns = event->time_ns;
        return true;
    }
}

#endif
