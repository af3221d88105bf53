// SPDX-License-Identifier: GPL-3.0-or-later
//
// The radix ladder.
//
// State. now_ns: time of the last event popped. Every stored event is in exactly one of
//   - the ring of its class: time = now_ns, pushed at that instant (or a whole bucket of that one
//     time), in order of sequence;
//   - the bottom: times from now_ns up to limit_ns, sorted, the next one at the end;
//   - the levels: times from limit_ns on. An event whose time t first differs from last_ns in the
//     hexadecimal digit l (counted from the right) is in bucket l of digit l of t. All events of a
//     lower level come before all of a higher one, and buckets of a level go by digit. Within a
//     bucket the events of a class stand in order of sequence, because splitting is stable.
//
// Refill. When rings and bottom are empty, the first bucket is taken. Few events: they are sorted
// into the bottom, whose range becomes the bucket's; small buckets that follow are gathered. All
// of one time: they become the rings without being sorted. Else they are spread over the lower
// levels, relative to the bucket's start, and it begins anew; each event moves down at most once
// per level.
//
// last_ns may move to any time within the range of the buckets drained last, because what remains
// in the levels differs from all of that range in the same digit or a higher one. Pushes into the
// bottom's range are inserted there; when it is full, it goes back to the levels, relative to
// now_ns.
//
// When the levels become empty and the bottom is short, its range becomes all time, so a queue of
// few events is a sorted array and nothing else. It spills when it grows.
//
// Memory. S events occupy at most S / 31 full chunks plus a partial one per bucket, a second one
// per ring (whose first is partly taken) and one being read. A push keeps that many chunks
// allocated, so nothing else can run out of memory.
//
// Cancelling frees the event's slot and leaves the event, whose order then no longer equals its
// slot's. Such events are dropped when popped; when they outnumber the others, all are dropped.
#include "sim/queue.h"

#include <string.h>

#include "sim/banned.h"

#define SIM_CHUNKS_PARTIAL (SIM_QUEUE_BUCKETS + SIM_CLASS_COUNT + 1)
#define SIM_CHUNKS_FIRST 16
#define SIM_CHUNKS_GROW_MIN 64
#define SIM_SLOTS_FIRST 64
#define SIM_QUEUE_MANY 4096u // events that the nearest cache does not hold
#define SIM_SLOTS_NEAR 1024u // slots that the nearest cache holds
#define SIM_SLOTS_MAX (UINT32_C(1) << 31)
#define SIM_PURGE_MIN 64
#define SIM_EVENTS_MAX (UINT64_C(1) << 40)

_Static_assert(SIM_QUEUE_SORT_MAX <= SIM_QUEUE_CHUNK_EVENTS, "one chunk is sorted at most");
_Static_assert(SIM_QUEUE_SORT_MAX < 32, "a place in it has 5 bits");
_Static_assert(SIM_QUEUE_GATHER_MAX <= SIM_QUEUE_SORT_MAX, "gathering adds to one such bucket");
_Static_assert(SIM_QUEUE_SORT_MAX <= SIM_QUEUE_BOTTOM_MAX, "what is sorted fits the bottom");

_Static_assert(sizeof(struct sim_queue_chunk) == SIM_QUEUE_CHUNK_BYTES, "chunks are 1 KiB");

static bool event_cancelled(const struct sim_queue *q, const struct sim_event *event)
{
    SIM_DEBUG_ASSERT(event != NULL);
    SIM_DEBUG_ASSERT(SIM_ERGO((event->order & SIM_ORDER_CANCELLABLE) != 0,
                              event->arg < q->slots_limit));
    return (event->order & SIM_ORDER_CANCELLABLE) != 0 &&
           q->slots[event->arg].order != event->order;
}

// --- chunks ------------------------------------------------------------------------------------

static void free_chunk(struct sim_queue *q, struct sim_queue_chunk *chunk)
{
    SIM_DEBUG_ASSERT(chunk != NULL);
    SIM_DEBUG_ASSERT(chunk != q->free_chunks);
    chunk->next = q->free_chunks;
    q->free_chunks = chunk;
}

static struct sim_queue_chunk *take_chunk(struct sim_queue *q)
{
    struct sim_queue_chunk *chunk = q->free_chunks;

    if (chunk != NULL) {
        q->free_chunks = chunk->next;
    } else {
        // Cannot happen by the bound at the head of this file.
        SIM_ASSERT_AT(q->fresh_chunks != q->fresh_chunks_end, q->now_ns);
        chunk = (struct sim_queue_chunk *)(void *)q->fresh_chunks;
        q->fresh_chunks += SIM_QUEUE_CHUNK_BYTES;
    }
    chunk->next = NULL;
    SIM_DEBUG_ASSERT(((uintptr_t)chunk & (SIM_QUEUE_CHUNK_BYTES - 1)) == 0);
    return chunk;
}

static int add_chunks(struct sim_queue *q, uint64_t count)
{
    unsigned char *fresh;

    SIM_ASSERT(count > 0);
    if (q->stored >= SIM_EVENTS_MAX || count > SIM_ARENA_ALLOCATION_MAX / SIM_QUEUE_CHUNK_BYTES) {
        return SIM_ENOMEM;
    }
    fresh = sim_arena_alloc(q->arena, (size_t)count * SIM_QUEUE_CHUNK_BYTES,
                            SIM_QUEUE_CHUNK_BYTES);
    if (fresh == NULL) {
        return SIM_ENOMEM;
    }
    while (q->fresh_chunks != q->fresh_chunks_end) {
        free_chunk(q, (struct sim_queue_chunk *)(void *)q->fresh_chunks);
        q->fresh_chunks += SIM_QUEUE_CHUNK_BYTES;
    }
    q->fresh_chunks = fresh;
    q->fresh_chunks_end = fresh + count * SIM_QUEUE_CHUNK_BYTES;
    q->chunks_total += count;
    SIM_ASSERT(q->chunks_total > SIM_CHUNKS_PARTIAL);
    q->stored_max = (q->chunks_total - SIM_CHUNKS_PARTIAL) * SIM_QUEUE_CHUNK_EVENTS;
    return 0;
}

int sim_queue__reserve(struct sim_queue *q)
{
    uint64_t count = q->chunks_total / 4;

    SIM_ASSERT_AT(q->permuted == 0, q->now_ns);
    SIM_ASSERT_AT(q->stored == q->stored_max, q->now_ns);
    return add_chunks(q, count < SIM_CHUNKS_GROW_MIN ? SIM_CHUNKS_GROW_MIN : count);
}

void sim_queue__extend(struct sim_queue *q, struct sim_queue_bucket *bucket)
{
    struct sim_queue_chunk *chunk = take_chunk(q);
    uint32_t index = (uint32_t)(bucket - q->buckets);

    SIM_DEBUG_ASSERT(index < SIM_QUEUE_BUCKETS);
    if (bucket->head != NULL) {
        // The cursor stands behind the last event of the last chunk.
        struct sim_queue_chunk *tail = (struct sim_queue_chunk *)(void *)bucket->cursor - 1;

        SIM_DEBUG_ASSERT(tail->next == NULL);
        tail->next = chunk;
    } else {
        bucket->head = chunk;
        if (index < SIM_QUEUE_RINGS) {
            uint32_t level = index / SIM_QUEUE_DIGITS;

            q->digit_map[level] |= (uint16_t)(1U << (index % SIM_QUEUE_DIGITS));
            q->level_map |= 1U << level;
        }
    }
    bucket->cursor = chunk->events;
}

// End of a chunk's events within a bucket whose cursor is given.
static const struct sim_event *chunk_end(const struct sim_queue_chunk *chunk,
                                         const struct sim_event *cursor)
{
    const struct sim_event *end = chunk->next != NULL ? chunk->events + SIM_QUEUE_CHUNK_EVENTS
                                                      : cursor;

    SIM_DEBUG_ASSERT(end > chunk->events);
    SIM_DEBUG_ASSERT(end <= chunk->events + SIM_QUEUE_CHUNK_EVENTS);
    return end;
}

// Empties a bucket of the levels and hands its chunks over.
static struct sim_queue_bucket detach(struct sim_queue *q, uint32_t level, uint32_t digit)
{
    struct sim_queue_bucket *place = &q->buckets[SIM_QUEUE_DIGITS * level + digit];
    struct sim_queue_bucket bucket = *place;

    SIM_DEBUG_ASSERT(bucket.head != NULL);
    place->head = NULL;
    place->cursor = NULL;
    q->digit_map[level] &= (uint16_t)~(1U << digit);
    if (q->digit_map[level] == 0) {
        q->level_map &= ~(1U << level);
    }
    return bucket;
}

// --- the bottom --------------------------------------------------------------------------------

// Inserts from the end, where the next event stands.
static void bottom_add(struct sim_queue *q, const struct sim_event *event)
{
    uint32_t i = q->bottom_count;

    SIM_DEBUG_ASSERT(i < SIM_QUEUE_BOTTOM_MAX);
    while (i > 0 && sim_event_before(&q->bottom[i - 1], event)) {
        q->bottom[i] = q->bottom[i - 1];
        i--;
    }
    q->bottom[i] = *event;
    q->bottom_count++;
}

// Puts an event at or after limit_ns into the levels.
static void place(struct sim_queue *q, const struct sim_event *event)
{
    SIM_DEBUG_ASSERT_AT(event->time_ns >= q->last_ns, q->now_ns);
    *sim_queue__append(q, sim_queue__bucket(q, event->time_ns)) = *event;
}

// Puts the bottom back into the levels, relative to now; what is due at now stays.
static void bottom_spill(struct sim_queue *q)
{
    uint32_t later = 0;

    SIM_ASSERT_AT(q->now_ns < q->limit_ns, q->now_ns);
    SIM_ASSERT_AT(q->bottom_count > 0, q->now_ns);
    q->last_ns = q->now_ns;
    q->limit_ns = q->now_ns + 1;
    while (later < q->bottom_count && q->bottom[later].time_ns > q->now_ns) {
        later++;
    }
    // From the end on: equal times must enter a bucket in order.
    for (uint32_t i = later; i > 0; i--) {
        place(q, &q->bottom[i - 1]);
    }
    q->bottom_count -= later;
    memmove(q->bottom, q->bottom + later, q->bottom_count * sizeof(q->bottom[0]));
}

// Apart, because the registers that it needs would burden every insertion.
__attribute__((noinline)) static void bottom_overflow(struct sim_queue *q, int64_t time_ns,
                                                      uint64_t order, uint32_t kind,
                                                      uint32_t entity, uint64_t arg)
{
    struct sim_event event = {time_ns, order, kind, entity, arg};

    SIM_DEBUG_ASSERT_AT(time_ns > q->now_ns, q->now_ns);
    SIM_DEBUG_ASSERT_AT(time_ns < q->limit_ns, q->now_ns);
    bottom_spill(q);
    place(q, &event);
}

void sim_queue__insert_bottom(struct sim_queue *q, int64_t time_ns, uint64_t order, uint32_t kind,
                              uint32_t entity, uint64_t arg)
{
    struct sim_event *hole = &q->bottom[q->bottom_count];

    SIM_DEBUG_ASSERT_AT(time_ns > q->now_ns, q->now_ns);
    SIM_DEBUG_ASSERT_AT(time_ns < q->limit_ns, q->now_ns);
    if (SIM_UNLIKELY(q->bottom_count >= SIM_QUEUE_SHORT_MAX) &&
        q->bottom_count >= (q->limit_ns == INT64_MAX ? SIM_QUEUE_SHORT_MAX
                                                     : SIM_QUEUE_BOTTOM_MAX)) {
        bottom_overflow(q, time_ns, order, kind, entity, arg);
        return;
    }
    q->bottom_count++;
    while (hole != q->bottom && (hole[-1].time_ns < time_ns ||
                                 (hole[-1].time_ns == time_ns && hole[-1].order < order))) {
        sim_queue__copy(hole, hole - 1);
        hole--;
    }
    hole->time_ns = time_ns;
    hole->order = order;
    hole->kind = kind;
    hole->entity = entity;
    hole->arg = arg;
}

// --- the rings ---------------------------------------------------------------------------------

// The first event of ring and bottom, removed. It stays readable until the next call.
const struct sim_event *sim_queue__take_ring(struct sim_queue *q)
{
    uint32_t c = (uint32_t)__builtin_ctz(q->ring_map);
    struct sim_queue_bucket *ring = &q->buckets[SIM_QUEUE_RINGS + c];
    struct sim_queue_chunk *head = ring->head;
    const struct sim_event *first = &head->events[q->ring_taken[c]];

    SIM_DEBUG_ASSERT(q->ring_map < 1U << SIM_CLASS_COUNT);
    if (q->bottom_count != 0 && sim_event_before(&q->bottom[q->bottom_count - 1], first)) {
        q->bottom_count--;
        return &q->bottom[q->bottom_count];
    }
    q->ring_taken[c]++;
    if (first + 1 == ring->cursor) {
        // Empty; the chunk is kept for the next instant.
        SIM_DEBUG_ASSERT(head->next == NULL);
        ring->cursor = head->events;
        q->ring_taken[c] = 0;
        q->ring_map &= ~(1U << c);
    } else if (q->ring_taken[c] == SIM_QUEUE_CHUNK_EVENTS) {
        ring->head = head->next;
        q->ring_taken[c] = 0;
        free_chunk(q, head); // which leaves its events as they are
    }
    return first;
}

// True when all events of a bucket have one time; *classes gets a bit per class that occurs.
static bool one_time(const struct sim_queue_bucket *bucket, uint32_t *classes)
{
    int64_t time_ns = bucket->head->events[0].time_ns;

    SIM_DEBUG_ASSERT(bucket->cursor != NULL);
    *classes = 0;
    for (const struct sim_queue_chunk *chunk = bucket->head; chunk != NULL; chunk = chunk->next) {
        const struct sim_event *end = chunk_end(chunk, bucket->cursor);

        for (const struct sim_event *event = chunk->events; event != end; event++) {
            if (event->time_ns != time_ns) {
                return false;
            }
            *classes |= 1U << (event->order >> SIM_ORDER_CLASS_SHIFT);
        }
    }
    return true;
}

// Makes a bucket whose events have one time the content of the (empty) rings.
static void fill_rings(struct sim_queue *q, struct sim_queue_bucket bucket, uint32_t classes)
{
    struct sim_queue_chunk *chunk = bucket.head;

    SIM_DEBUG_ASSERT(q->ring_map == 0 && q->bottom_count == 0);
    SIM_DEBUG_ASSERT(classes != 0);
    q->ring_map = classes;
    if ((classes & (classes - 1)) == 0) {
        uint32_t c = (uint32_t)__builtin_ctz(classes);
        struct sim_queue_bucket *ring = &q->buckets[SIM_QUEUE_RINGS + c];

        if (ring->head != NULL) {
            free_chunk(q, ring->head);
        }
        *ring = bucket;
        return;
    }
    while (chunk != NULL) {
        struct sim_queue_chunk *next = chunk->next;
        const struct sim_event *end = chunk_end(chunk, bucket.cursor);

        for (const struct sim_event *event = chunk->events; event != end; event++) {
            uint64_t c = event->order >> SIM_ORDER_CLASS_SHIFT;

            *sim_queue__append(q, &q->buckets[SIM_QUEUE_RINGS + c]) = *event;
        }
        free_chunk(q, chunk);
        chunk = next;
    }
}

// --- refill ------------------------------------------------------------------------------------

// Spreads a bucket over the lower levels. (last_ns is the bucket's start already.)
static void split(struct sim_queue *q, struct sim_queue_bucket bucket)
{
    struct sim_queue_chunk *chunk = bucket.head;

    SIM_DEBUG_ASSERT(bucket.head != NULL);
    while (chunk != NULL) {
        struct sim_queue_chunk *next = chunk->next;
        const struct sim_event *end = chunk_end(chunk, bucket.cursor);
        const struct sim_event *ahead = next != NULL ? next->events : chunk->events;

        // Much time has passed since the chunks were filled, and they lie anywhere.
        for (const struct sim_event *event = chunk->events; event != end; event++, ahead++) {
            __builtin_prefetch(ahead);
            place(q, event);
        }
        free_chunk(q, chunk);
        chunk = next;
    }
}

// Events of a bucket that is one chunk, or more than any sorted bucket has.
static uint32_t small_count(const struct sim_queue_bucket *bucket)
{
    SIM_DEBUG_ASSERT(bucket->head != NULL);
    return bucket->head->next != NULL ? SIM_QUEUE_CHUNK_EVENTS + 1
                                      : (uint32_t)(bucket->cursor - bucket->head->events);
}

// The same for the highest level, whose buckets span 36 years: too wide for the keys below.
static void sort_wide_bucket(struct sim_queue *q, struct sim_queue_bucket bucket)
{
    SIM_DEBUG_ASSERT(bucket.head->next == NULL);
    for (const struct sim_event *event = bucket.cursor; event != bucket.head->events; event--) {
        bottom_add(q, event - 1);
    }
    SIM_DEBUG_ASSERT(q->bottom_count > 0);
}

// The slots of cancellable events that come soon are asked for.
static void fetch_slots(const struct sim_queue *q, const struct sim_event *events, uint32_t count)
{
    SIM_DEBUG_ASSERT(count <= SIM_QUEUE_CHUNK_EVENTS);
    SIM_DEBUG_ASSERT(SIM_ERGO(q->slots == NULL, q->slots_limit == 0));
    for (uint32_t i = 0; i < count; i++) {
        if ((events[i].order & SIM_ORDER_CANCELLABLE) != 0) {
            __builtin_prefetch(&q->slots[events[i].arg]);
        }
    }
}

// How many keys are less than each of the four from `first` on.
static void rank_four(const uint64_t *keys, uint32_t count, uint32_t first, uint64_t *ranks)
{
    uint64_t a = keys[first];
    uint64_t b = keys[first + 1];
    uint64_t c = keys[first + 2];
    uint64_t d = keys[first + 3];
    uint64_t before_a = 0;
    uint64_t before_b = 0;
    uint64_t before_c = 0;
    uint64_t before_d = 0;

    SIM_DEBUG_ASSERT(first < count);
    SIM_DEBUG_ASSERT(count <= SIM_QUEUE_CHUNK_EVENTS);
    for (uint32_t i = 0; i < count; i++) {
        before_a += keys[i] < a;
        before_b += keys[i] < b;
        before_c += keys[i] < c;
        before_d += keys[i] < d;
    }
    ranks[first] = before_a;
    ranks[first + 1] = before_b;
    ranks[first + 2] = before_c;
    ranks[first + 3] = before_d;
}

// Sorts a small bucket to the end of the bottom, whose present events all come later. Each event
// is written once, to the place that its rank gives: a sort that moves events as it compares them
// mispredicts about a branch per event, which costs more than all these comparisons.
static void sort_bucket(struct sim_queue *q, struct sim_queue_bucket bucket, uint64_t start)
{
    const struct sim_event *events = bucket.head->events;
    uint32_t count = (uint32_t)(bucket.cursor - events);
    uint64_t keys[SIM_QUEUE_CHUNK_EVENTS + 3];
    uint64_t ranks[SIM_QUEUE_CHUNK_EVENTS + 3];
    struct sim_event *end = &q->bottom[q->bottom_count + count];

    SIM_DEBUG_ASSERT(count > 0 && count <= SIM_QUEUE_CHUNK_EVENTS);
    SIM_DEBUG_ASSERT(q->bottom_count + count <= SIM_QUEUE_BOTTOM_MAX);
    // Time within the bucket, class, and place: a bucket keeps each class in order of sequence.
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = ((uint64_t)events[i].time_ns - start) << 7 |
                  events[i].order >> SIM_ORDER_CLASS_SHIFT << 5 | i;
    }
    if (q->slots_limit > SIM_SLOTS_NEAR) {
        fetch_slots(q, events, count);
    }
    // Partners, after which nothing comes, where the last four are not full.
    keys[count] = keys[count + 1] = keys[count + 2] = UINT64_MAX;
    for (uint32_t i = 0; i < count; i += 4) {
        rank_four(keys, count, i, ranks);
    }
    for (uint32_t i = 0; i < count; i++) {
        *(end - 1 - ranks[i]) = events[i];
    }
    q->bottom_count += count;
}

// The bucket comes next: how its first chunk begins is asked for.
static void fetch_bucket(const struct sim_queue_bucket *bucket)
{
    const struct sim_event *events = bucket->head->events;

    SIM_DEBUG_ASSERT(bucket->head != NULL);
    SIM_DEBUG_ASSERT(bucket->cursor != NULL);
    for (uint32_t i = 0; i < SIM_QUEUE_GATHER_MAX; i += 2) {
        __builtin_prefetch(&events[i]);
    }
}

// Sorts the small bucket of a digit, and those that follow it in the level while together they are
// few, into the (empty) bottom. The last one is sorted first, because the bottom descends.
static void sort_into_bottom(struct sim_queue *q, uint32_t level, uint32_t digit)
{
    const struct sim_queue_bucket *buckets = &q->buckets[SIM_QUEUE_DIGITS * level];
    uint32_t digits = q->digit_map[level] & (uint32_t)(q->digit_map[level] - 1);
    uint32_t count = small_count(&buckets[digit]);
    uint32_t last = digit;
    uint64_t width = (uint64_t)1 << (4 * level);
    uint64_t start;

    SIM_DEBUG_ASSERT(q->bottom_count == 0);
    SIM_DEBUG_ASSERT(count <= SIM_QUEUE_SORT_MAX);
    while (digits != 0) {
        uint32_t next = (uint32_t)__builtin_ctz(digits);

        count += small_count(&buckets[next]);
        if (count > SIM_QUEUE_GATHER_MAX) {
            break;
        }
        last = next;
        digits &= digits - 1;
    }
    if (digits != 0 && q->stored >= SIM_QUEUE_MANY) {
        fetch_bucket(&buckets[__builtin_ctz(digits)]);
    }
    start = ((uint64_t)q->last_ns & ~(16 * width - 1)) | (last * width);
    q->last_ns = (int64_t)start;
    q->limit_ns = start + width > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)(start + width);
    digits = q->digit_map[level] & ((2U << last) - 1);
    while (digits != 0) {
        uint32_t next = 31U - (uint32_t)__builtin_clz(digits);
        struct sim_queue_bucket bucket = detach(q, level, next);

        if (level == SIM_QUEUE_LEVELS - 1) {
            sort_wide_bucket(q, bucket);
        } else {
            sort_bucket(q, bucket, (start & ~(16 * width - 1)) | (next * width));
        }
        free_chunk(q, bucket.head);
        digits &= ~(1U << next);
    }
    if (q->level_map == 0 && q->bottom_count <= SIM_QUEUE_SHORT_MIN) {
        q->limit_ns = INT64_MAX;
    }
    SIM_DEBUG_ASSERT(q->bottom_count > 0);
}

static bool refill_permuted(struct sim_queue *q);

bool sim_queue__refill(struct sim_queue *q)
{
    SIM_DEBUG_ASSERT(q->ring_map == 0 && q->bottom_count == 0);
    if (SIM_UNLIKELY(q->permuted != 0)) {
        return refill_permuted(q);
    }
    // At most 16 rounds: each split empties a bucket into lower levels.
    while (q->level_map != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(q->level_map);
        uint32_t digit = (uint32_t)__builtin_ctz(q->digit_map[level]);
        uint64_t width = (uint64_t)1 << (4 * level);
        uint64_t start = ((uint64_t)q->last_ns & ~(16 * width - 1)) | (digit * width);
        struct sim_queue_bucket bucket;
        uint32_t classes;

        SIM_DEBUG_ASSERT((int64_t)start >= 0);
        if (small_count(&q->buckets[SIM_QUEUE_DIGITS * level + digit]) <= SIM_QUEUE_SORT_MAX) {
            sort_into_bottom(q, level, digit);
            return true;
        }
        bucket = detach(q, level, digit);
        if (one_time(&bucket, &classes)) {
            q->last_ns = bucket.head->events[0].time_ns;
            q->limit_ns = q->level_map == 0 ? INT64_MAX : q->last_ns + 1;
            fill_rings(q, bucket, classes);
            return true;
        }
        q->last_ns = (int64_t)start;
        split(q, bucket);
    }
    // Nothing is stored, so nothing binds last_ns; cancelled events may have moved it past now.
    SIM_DEBUG_ASSERT(q->stored == 0);
    q->last_ns = q->now_ns;
    q->limit_ns = INT64_MAX;
    return false;
}

// --- cancelling --------------------------------------------------------------------------------

int sim_queue__grow_slots(struct sim_queue *q)
{
    uint32_t limit = q->slots_limit != 0 ? 2 * q->slots_limit : SIM_SLOTS_FIRST;
    struct sim_queue_slot *slots;

    SIM_ASSERT(q->slots_free == 0);
    if (limit > SIM_SLOTS_MAX) {
        return SIM_ELIMIT;
    }
    slots = sim_arena_alloc(q->arena, limit * sizeof(*slots), _Alignof(struct sim_queue_slot));
    if (slots == NULL) {
        return SIM_ENOMEM;
    }
    if (q->slots_limit > 0) {
        memcpy(slots, q->slots, q->slots_limit * sizeof(*slots));
    }
    for (uint32_t i = q->slots_limit; i < limit; i++) {
        slots[i] = (struct sim_queue_slot){.arg = i + 1 < limit ? i + 2 : 0};
    }
    q->slots_free = q->slots_limit + 1;
    q->slots = slots;
    q->slots_limit = limit;
    return 0;
}

bool sim_queue_pending(const struct sim_queue *q, uint64_t handle)
{
    uint32_t index = (uint32_t)handle - 1U;

    SIM_DEBUG_ASSERT(q->slots_free <= q->slots_limit);
    return (uint32_t)handle != 0 && index < q->slots_limit && q->slots[index].order != 0 &&
           sim_queue__stamp(q->slots[index].order) == (uint32_t)(handle >> 32);
}

// Drops the cancelled events of one bucket of the levels.
static void purge_bucket(struct sim_queue *q, uint32_t level, uint32_t digit)
{
    struct sim_queue_bucket bucket = detach(q, level, digit);
    struct sim_queue_chunk *chunk = bucket.head;

    SIM_DEBUG_ASSERT(chunk != NULL);
    while (chunk != NULL) {
        struct sim_queue_chunk *next = chunk->next;
        const struct sim_event *end = chunk_end(chunk, bucket.cursor);

        for (const struct sim_event *event = chunk->events; event != end; event++) {
            if (event_cancelled(q, event)) {
                q->stored--;
                q->cancelled--;
            } else {
                *sim_queue__append(q, &q->buckets[SIM_QUEUE_DIGITS * level + digit]) = *event;
            }
        }
        free_chunk(q, chunk);
        chunk = next;
    }
}

static void purge(struct sim_queue *q)
{
    SIM_DEBUG_ASSERT(q->cancelled <= q->stored);
    for (uint32_t level = 0; level < SIM_QUEUE_LEVELS; level++) {
        uint32_t digits = q->digit_map[level];

        while (digits != 0) {
            purge_bucket(q, level, (uint32_t)__builtin_ctz(digits));
            digits &= digits - 1;
        }
    }
    SIM_DEBUG_ASSERT(q->cancelled <= q->stored);
}

bool sim_queue_cancel(struct sim_queue *q, uint64_t handle)
{
    if (!sim_queue_pending(q, handle)) {
        return false;
    }
    sim_queue__free_slot(q, (uint32_t)handle - 1U);
    q->cancelled++;
    SIM_DEBUG_ASSERT_AT(q->cancelled <= q->stored, q->now_ns);
    // What stays in rings and bottom is little, and near its end; the rest is worth a sweep only
    // when most of it goes.
    if (q->cancelled >= q->purge_at && q->cancelled > q->stored / 4 * 3 && q->permuted == 0) {
        purge(q);
        q->purge_at = 2 * q->cancelled + SIM_PURGE_MIN;
    }
    return true;
}

// --- permuted ties -----------------------------------------------------------------------------

#define SIM_PERMUTE_MASK ((UINT64_C(1) << 61) - 1)
#define SIM_PERMUTE_A UINT64_C(0xD1342543DE82EF95)
#define SIM_PERMUTE_B UINT64_C(0x9FB21C651E98DF25)

// The inverse of an odd number modulo 2^64, by Newton's iteration (each step doubles the bits).
static uint64_t odd_inverse(uint64_t odd)
{
    uint64_t inverse = odd;

    for (int i = 0; i < 6; i++) {
        inverse *= 2 - odd * inverse;
    }
    SIM_ASSERT(odd * inverse == 1);
    return inverse;
}

// A bijection of the 61-bit sequences; the class and bit 0 stay.
static uint64_t permute_order(const struct sim_queue *q, uint64_t order)
{
    uint64_t rest = order & ~(SIM_PERMUTE_MASK << SIM_ORDER_SEQUENCE_SHIFT);
    uint64_t x = (order >> SIM_ORDER_SEQUENCE_SHIFT) & SIM_PERMUTE_MASK;

    SIM_DEBUG_ASSERT(q->permuted != 0);
    x = ((x + q->permute_seed) * SIM_PERMUTE_A) & SIM_PERMUTE_MASK;
    x ^= x >> 31;
    x = (x * SIM_PERMUTE_B) & SIM_PERMUTE_MASK;
    x ^= x >> 31;
    return rest | (x << SIM_ORDER_SEQUENCE_SHIFT);
}

static uint64_t restore_order(const struct sim_queue *q, uint64_t order)
{
    uint64_t rest = order & ~(SIM_PERMUTE_MASK << SIM_ORDER_SEQUENCE_SHIFT);
    uint64_t x = (order >> SIM_ORDER_SEQUENCE_SHIFT) & SIM_PERMUTE_MASK;

    SIM_DEBUG_ASSERT(q->permuted != 0);
    x ^= x >> 31;
    x = (x * odd_inverse(SIM_PERMUTE_B)) & SIM_PERMUTE_MASK;
    x ^= x >> 31;
    x = (x * odd_inverse(SIM_PERMUTE_A) - q->permute_seed) & SIM_PERMUTE_MASK;
    return rest | (x << SIM_ORDER_SEQUENCE_SHIFT);
}

int sim_queue__push_permuted(struct sim_queue *q, const struct sim_event *event)
{
    struct sim_event permuted = *event;
    int status;

    SIM_DEBUG_ASSERT(q->permuted != 0);
    permuted.order = permute_order(q, event->order);
    SIM_DEBUG_ASSERT(restore_order(q, permuted.order) == event->order);
    status = sim_heap_push(&q->heap, &permuted);
    if (status == 0) {
        q->stored++;
        q->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
    }
    return status;
}

// Moves the first event of the heap into the bottom, from where it is taken at once.
static bool refill_permuted(struct sim_queue *q)
{
    SIM_DEBUG_ASSERT(q->bottom_count == 0);
    if (!sim_heap_pop(&q->heap, &q->bottom[0])) {
        return false;
    }
    q->bottom[0].order = restore_order(q, q->bottom[0].order);
    q->bottom_count = 1;
    SIM_DEBUG_ASSERT(q->level_map == 0);
    return true;
}

int sim_queue_permute_ties(struct sim_queue *q, uint64_t seed)
{
    int status;

    SIM_ASSERT(q->arena != NULL);
    if (q->sequence != 0 || q->permuted != 0) {
        return SIM_EINVAL;
    }
    status = sim_heap_init(&q->heap, q->arena, 0);
    if (status != 0) {
        return status;
    }
    q->permuted = 1;
    q->permute_seed = seed & SIM_PERMUTE_MASK;
    q->stored_max = 0;
    return 0;
}

// --- life cycle --------------------------------------------------------------------------------

int sim_queue_init(struct sim_queue *q, struct sim_arena *arena, uint32_t pending_hint)
{
    uint64_t chunks = SIM_CHUNKS_PARTIAL + SIM_CHUNKS_FIRST;

    SIM_ASSERT(q != NULL);
    SIM_ASSERT(arena != NULL);
    memset(q, 0, sizeof(*q));
    q->arena = arena;
    q->purge_at = SIM_PURGE_MIN;
    q->limit_ns = INT64_MAX;
    if (pending_hint > SIM_CHUNKS_FIRST * SIM_QUEUE_CHUNK_EVENTS) {
        chunks = SIM_CHUNKS_PARTIAL + 1 + pending_hint / SIM_QUEUE_CHUNK_EVENTS;
    }
    return add_chunks(q, chunks);
}

void sim_queue_release(struct sim_queue *q)
{
    if (q != NULL) {
        memset(q, 0, sizeof(*q));
        SIM_ASSERT(q->stored == 0);
    }
}
