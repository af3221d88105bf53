// SPDX-License-Identifier: GPL-3.0-or-later
//
// Cancelling, the way timeouts are used: N entities, each with a work event and a timeout 10 s
// ahead. Each work event cancels its entity's timeout, schedules the next work event, after an
// exponential time of mean 1 s or 62 ms, and a new timeout. So half of all that is scheduled is
// cancelled.
//
// Candidates: the kernel's queue through its public API with the fingerprint on; a plain binary
// heap of 32-byte events with the best cancel that it can have, which removes the timeout from its
// place (each move of a timeout notes where it went); and the plain heap of sim/heap.c, which drops
// cancelled timeouts when they come up. Rounds are interleaved, ratios are medians of the rounds'
// ratios, and all must serve the same events.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "sim/fingerprint.h"
#include "sim/queue.h"
#include "sim/random.h"

#define TIMEOUT_NS INT64_C(10000000000)
#define SEQUENCE_STEP ((uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT)

enum { WORK = 1, TIMEOUT = 2 };
enum candidate { QUEUE, HEAP_REMOVING, HEAP_LAZY, CANDIDATES };

// A binary heap that knows where each entity's timeout stands.
struct indexed_heap {
    struct sim_event *events;
    uint32_t *place_of_timeout; // by entity
    uint32_t count;
    uint32_t limit;
};

struct cancel {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    struct indexed_heap indexed;
    struct sim_fingerprint fingerprint;
    uint64_t *handles; // by entity; of the lazy heap the order of its timeout
    uint64_t sequence;
    uint64_t random;
    uint64_t digest;
    const int64_t *table;
    uint32_t faster; // work comes so many times as often as once a second
};

static inline int64_t work_after(struct cancel *c)
{
    uint64_t r;

    c->random += UINT64_C(0x9E3779B97F4A7C15);
    r = sim_random_mix(c->random);
    // The low bits are spread, so that ties are as rare as with a continuous law.
    return (c->table[r & (BENCH_TABLE_SIZE - 1)] + (int64_t)((r >> 32) & 0x3ffff)) / c->faster;
}

static inline void absorb(struct cancel *c, const struct sim_event *event)
{
    bench_require(event->kind == WORK, "no timeout comes up");
    c->digest = (c->digest << 7 | c->digest >> 57) ^ (uint64_t)event->time_ns ^ event->entity;
}

static inline struct sim_event make(struct cancel *c, int64_t time_ns, uint32_t kind,
                                    uint32_t entity)
{
    struct sim_event event = {
        time_ns, (uint64_t)SIM_CLASS_HAPPENING << SIM_ORDER_CLASS_SHIFT | c->sequence, kind, entity,
        0};

    c->sequence += SEQUENCE_STEP;
    return event;
}

// --- the heap that removes ----------------------------------------------------------------------

static inline void put(struct indexed_heap *h, uint32_t i, const struct sim_event *event)
{
    h->events[i] = *event;
    if (event->kind == TIMEOUT) {
        h->place_of_timeout[event->entity] = i;
    }
}

// Moves the event up from the free place i, as far as it belongs.
static inline void rise(struct indexed_heap *h, uint32_t i, const struct sim_event *event)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;

        if (!sim_event_before(event, &h->events[parent])) {
            break;
        }
        put(h, i, &h->events[parent]);
        i = parent;
    }
    put(h, i, event);
}

static inline void sink(struct indexed_heap *h, uint32_t i, const struct sim_event *event)
{
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count &&
            sim_event_before(&h->events[child + 1], &h->events[child])) {
            child++;
        }
        if (!sim_event_before(&h->events[child], event)) {
            break;
        }
        put(h, i, &h->events[child]);
        i = child;
    }
    put(h, i, event);
}

static inline void indexed_push(struct indexed_heap *h, const struct sim_event *event)
{
    bench_require(h->count < h->limit, "room");
    h->count++;
    rise(h, h->count - 1, event);
}

static inline void indexed_remove(struct indexed_heap *h, uint32_t i)
{
    struct sim_event last;

    h->count--;
    if (i == h->count) {
        return;
    }
    last = h->events[h->count];
    if (i > 0 && sim_event_before(&last, &h->events[(i - 1) / 2])) {
        rise(h, i, &last);
    } else {
        sink(h, i, &last);
    }
}

// --- the three ways -----------------------------------------------------------------------------

static inline void queue_schedule(struct cancel *c, int64_t now_ns, uint32_t entity)
{
    bench_require(sim_queue_push(&c->queue, now_ns + work_after(c), SIM_CLASS_HAPPENING, WORK,
                                 entity, 0) == 0,
                  "push");
    bench_require(sim_queue_push_cancellable(&c->queue, now_ns + TIMEOUT_NS, SIM_CLASS_HAPPENING,
                                             TIMEOUT, entity, 0, &c->handles[entity]) == 0,
                  "push");
}

static void serve_queue(struct cancel *c, uint64_t works)
{
    struct sim_event event;

    for (uint64_t i = 0; i < works; i++) {
        bench_require(sim_queue_pop(&c->queue, &event), "pop");
        sim_fingerprint_event(&c->fingerprint, &event);
        absorb(c, &event);
        bench_require(sim_queue_cancel(&c->queue, c->handles[event.entity]), "cancel");
        queue_schedule(c, event.time_ns, event.entity);
    }
}

static inline void removing_schedule(struct cancel *c, int64_t now_ns, uint32_t entity)
{
    struct sim_event work = make(c, now_ns + work_after(c), WORK, entity);
    struct sim_event timeout = make(c, now_ns + TIMEOUT_NS, TIMEOUT, entity);

    indexed_push(&c->indexed, &work);
    indexed_push(&c->indexed, &timeout);
}

static void serve_removing(struct cancel *c, uint64_t works)
{
    struct indexed_heap *h = &c->indexed;

    for (uint64_t i = 0; i < works; i++) {
        struct sim_event event = h->events[0];

        indexed_remove(h, 0);
        absorb(c, &event);
        indexed_remove(h, h->place_of_timeout[event.entity]);
        removing_schedule(c, event.time_ns, event.entity);
    }
}

static inline void lazy_schedule(struct cancel *c, int64_t now_ns, uint32_t entity)
{
    struct sim_event work = make(c, now_ns + work_after(c), WORK, entity);
    struct sim_event timeout = make(c, now_ns + TIMEOUT_NS, TIMEOUT, entity);

    c->handles[entity] = timeout.order;
    bench_require(sim_heap_push(&c->heap, &work) == 0, "push");
    bench_require(sim_heap_push(&c->heap, &timeout) == 0, "push");
}

static void serve_lazy(struct cancel *c, uint64_t works)
{
    struct sim_event event;

    for (uint64_t i = 0; i < works; i++) {
        do {
            bench_require(sim_heap_pop(&c->heap, &event), "pop");
        } while (event.kind == TIMEOUT && c->handles[event.entity] != event.order);
        absorb(c, &event);
        lazy_schedule(c, event.time_ns, event.entity);
    }
}

// --- rounds -------------------------------------------------------------------------------------

// Nanoseconds per work event.
static double serve(struct cancel *c, enum candidate by, uint64_t works)
{
    int64_t start_ns = bench_cpu_ns();

    if (by == QUEUE) {
        serve_queue(c, works);
    } else if (by == HEAP_REMOVING) {
        serve_removing(c, works);
    } else {
        serve_lazy(c, works);
    }
    return (double)(bench_cpu_ns() - start_ns) / (double)works;
}

static struct cancel *create(enum candidate by, uint32_t entities, uint32_t faster,
                             const int64_t *table)
{
    struct cancel *c = calloc(1, sizeof(*c));

    bench_require(c != NULL, "memory");
    c->table = table;
    c->faster = faster;
    sim_arena_init(&c->arena, 0);
    bench_require(sim_fingerprint_init(&c->fingerprint, &c->arena) == 0, "memory");
    bench_require(sim_queue_init(&c->queue, &c->arena, 0) == 0, "memory");
    bench_require(sim_heap_init(&c->heap, &c->arena, 0) == 0, "memory");
    c->handles = SIM_ARENA_NEW(&c->arena, uint64_t, entities);
    c->indexed.limit = 2 * entities;
    c->indexed.events = sim_arena_alloc(&c->arena, c->indexed.limit * sizeof(struct sim_event), 64);
    c->indexed.place_of_timeout = SIM_ARENA_NEW(&c->arena, uint32_t, entities);
    bench_require(c->handles != NULL && c->indexed.events != NULL &&
                      c->indexed.place_of_timeout != NULL,
                  "memory");
    for (uint32_t i = 0; i < entities; i++) {
        if (by == QUEUE) {
            queue_schedule(c, 0, i);
        } else if (by == HEAP_REMOVING) {
            removing_schedule(c, 0, i);
        } else {
            lazy_schedule(c, 0, i);
        }
    }
    return c;
}

static void measure(uint32_t entities, uint32_t faster, uint64_t works, uint32_t rounds,
                    const int64_t *table)
{
    struct cancel *c[CANDIDATES];
    double ns[CANDIDATES][BENCH_ROUNDS_MAX];
    double ratios[CANDIDATES][BENCH_ROUNDS_MAX];

    for (int by = 0; by < CANDIDATES; by++) {
        c[by] = create((enum candidate)by, entities, faster, table);
        // Until the timeouts that were cancelled first come up.
        serve(c[by], (enum candidate)by, 12 * (uint64_t)faster * entities);
    }
    for (uint32_t i = 0; i < rounds; i++) {
        for (int by = 0; by < CANDIDATES; by++) {
            ns[by][i] = serve(c[by], (enum candidate)by, works);
            ratios[by][i] = ns[by][i] / ns[QUEUE][i];
            bench_require(c[by]->digest == c[QUEUE]->digest, "equal digests");
        }
    }
    printf("  {\"entities\": %u, \"mean_work_ms\": %u, \"queue_mworks_per_s\": %.2f, "
           "\"heap_removing_mworks_per_s\": %.2f,\n   \"heap_lazy_mworks_per_s\": %.2f, "
           "\"times_heap_removing\": %.2f, \"times_heap_lazy\": %.2f, "
           "\"queue_stored_per_pending\": %.2f}",
           entities, 1000 / faster, 1e3 / bench_median(ns[QUEUE], rounds),
           1e3 / bench_median(ns[HEAP_REMOVING], rounds),
           1e3 / bench_median(ns[HEAP_LAZY], rounds), bench_median(ratios[HEAP_REMOVING], rounds),
           bench_median(ratios[HEAP_LAZY], rounds),
           (double)c[QUEUE]->queue.stored / (double)sim_queue_count(&c[QUEUE]->queue));
    for (int by = 0; by < CANDIDATES; by++) {
        sim_arena_release(&c[by]->arena);
        free(c[by]);
    }
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    static const uint32_t sizes[3] = {100, 1000, 10000};
    static int64_t table[BENCH_TABLE_SIZE];
    uint64_t works = quick ? 10000 : 250000;
    uint32_t rounds = quick ? 3 : 9;
    const char *comma = "";

    bench_fill_table(table);
    printf("{\"benchmark\": \"cancel\", \"rounds\": %u, \"works_per_round\": %llu,\n"
           " \"results\": [\n",
           rounds, (unsigned long long)works);
    for (int s = 0; s < (quick ? 2 : 3); s++) {
        for (uint32_t faster = 1; faster <= 16; faster *= 16) {
            printf("%s", comma);
            measure(sizes[s], faster, works, rounds, table);
            fflush(stdout);
            comma = ",\n";
        }
    }
    printf("]}\n");
    return 0;
}
