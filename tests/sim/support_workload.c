// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/support_workload.h"

#include "check.h"
#include "sim/queue.h"
#include "sim/random.h"

// One driver for both structures. The heap has no cancellation: there the driver remembers which
// orders were cancelled, by entity, and skips them itself.
struct driver {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    bool use_heap;
    int64_t now_ns;
    uint64_t sequence;
    uint64_t random;
    uint64_t digest;
    uint64_t *handles;   // of the queue, per entity
    uint64_t *timeouts;  // order of the pending timeout, per entity (heap)
    uint32_t entities;
};

enum { KIND_WORK, KIND_TIMEOUT };

static uint64_t next_random(struct driver *d)
{
    d->random += UINT64_C(0x9E3779B97F4A7C15);
    return sim_random_mix(d->random);
}

const char *workload_name(enum workload kind)
{
    static const char *const names[WORKLOAD_COUNT] = {
        "exponential", "constant", "ticks", "bimodal", "zero", "classes", "bursts", "wide",
        "cancel"};

    return names[kind];
}

static int64_t exponential_like(struct driver *d)
{
    // A product of uniforms spreads over several powers of ten, as an exponential's lower tail.
    uint64_t a = next_random(d);

    return (int64_t)(((a >> 32) * (a & 0xffffffffU)) >> 34);
}

static int64_t increment(struct driver *d, enum workload kind)
{
    uint64_t r = next_random(d);

    switch (kind) {
    case WORKLOAD_CONSTANT:
        return 1000000000;
    case WORKLOAD_TICKS:
        return (int64_t)(1 + r % 8) * 1000000000;
    case WORKLOAD_BIMODAL:
        return (r & 1) != 0 ? 1000000 : INT64_C(100000000000);
    case WORKLOAD_ZERO:
        return (r & 1) != 0 ? 0 : exponential_like(d);
    case WORKLOAD_CLASSES:
        return (int64_t)(r % 3);
    case WORKLOAD_BURSTS:
        return (int64_t)(r % 100000);
    case WORKLOAD_WIDE:
        return (int64_t)(r >> (4 + (r & 63) % 60)) & ((INT64_C(1) << 46) - 1);
    case WORKLOAD_EXPONENTIAL:
    case WORKLOAD_CANCEL:
    case WORKLOAD_COUNT:
    default:
        return exponential_like(d);
    }
}

static void schedule(struct driver *d, int64_t time_ns, enum sim_class c, uint32_t kind,
                     uint32_t entity, uint64_t arg)
{
    bool timeout = kind == KIND_TIMEOUT;
    struct sim_event event = {time_ns, ((uint64_t)c << SIM_ORDER_CLASS_SHIFT) | d->sequence, kind,
                              entity, arg};

    d->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
    if (d->use_heap) {
        assert_i64(sim_heap_push(&d->heap, &event), 0);
        if (timeout) {
            d->timeouts[entity] = event.order;
        }
    } else if (timeout) {
        assert_i64(sim_queue_push_cancellable(&d->queue, time_ns, c, kind, entity, arg,
                                              &d->handles[entity]), 0);
    } else {
        assert_i64(sim_queue_push(&d->queue, time_ns, c, kind, entity, arg), 0);
    }
}

static void cancel_timeout(struct driver *d, uint32_t entity)
{
    if (d->use_heap) {
        d->timeouts[entity] = UINT64_MAX;
    } else {
        sim_queue_cancel(&d->queue, d->handles[entity]);
        assert_false(sim_queue_cancel(&d->queue, d->handles[entity]));
    }
}

static bool take(struct driver *d, struct sim_event *event)
{
    bool found;

    if (!d->use_heap) {
        found = sim_queue_pop(&d->queue, event);
        d->now_ns = sim_queue_now(&d->queue);
        return found;
    }
    do {
        found = sim_heap_pop(&d->heap, event);
    } while (found && event->kind == KIND_TIMEOUT && d->timeouts[event->entity] != event->order);
    if (found) {
        d->now_ns = event->time_ns;
    }
    return found;
}

static void absorb(struct driver *d, const struct sim_event *event)
{
    d->digest = sim_random_mix(d->digest ^ (uint64_t)event->time_ns);
    d->digest = sim_random_mix(d->digest ^ event->order);
    d->digest = sim_random_mix(d->digest ^ event->arg ^ ((uint64_t)event->kind << 32) ^
                               event->entity);
}

static enum sim_class any_class(struct driver *d)
{
    return (enum sim_class)(next_random(d) % SIM_CLASS_COUNT);
}

static void follow_up(struct driver *d, enum workload kind, const struct sim_event *event)
{
    int64_t delay_ns = increment(d, kind);
    enum sim_class c = kind == WORKLOAD_CLASSES || kind == WORKLOAD_BURSTS ? any_class(d)
                                                                           : SIM_CLASS_HAPPENING;

    if (kind == WORKLOAD_CANCEL) {
        if (event->kind == KIND_TIMEOUT) {
            return;
        }
        cancel_timeout(d, event->entity);
        schedule(d, d->now_ns + delay_ns * 16, SIM_CLASS_TIMER, KIND_TIMEOUT, event->entity,
                 next_random(d));
    }
    if (kind == WORKLOAD_BURSTS && event->kind == KIND_WORK && next_random(d) % 256 == 0) {
        int64_t at_ns = d->now_ns + (int64_t)(next_random(d) % 40);

        for (uint32_t i = 0; i < 300; i++) {
            // Their kind has no follow-up, so the number pending stays.
            schedule(d, at_ns + (int64_t)(next_random(d) % 2), any_class(d), 2, i, i);
        }
    }
    if (event->kind == KIND_WORK) {
        schedule(d, d->now_ns + delay_ns, c, KIND_WORK, event->entity, next_random(d));
    }
}

static uint64_t run(enum workload kind, bool use_heap, uint64_t seed, uint32_t pending,
                    uint64_t pops)
{
    struct driver *d = calloc(1, sizeof(*d));
    struct sim_event event = {0};
    uint64_t digest;

    assert_non_null(d);
    d->use_heap = use_heap;
    d->random = seed;
    sim_arena_init(&d->arena, 0);
    d->handles = SIM_ARENA_NEW(&d->arena, uint64_t, pending);
    d->timeouts = SIM_ARENA_NEW(&d->arena, uint64_t, pending);
    assert_i64(sim_queue_init(&d->queue, &d->arena, 0), 0);
    assert_i64(sim_heap_init(&d->heap, &d->arena, 0), 0);
    for (uint32_t i = 0; i < pending; i++) {
        schedule(d, increment(d, kind), SIM_CLASS_HAPPENING, KIND_WORK, i, i);
    }
    for (uint64_t i = 0; i < pops; i++) {
        assert_true(take(d, &event));
        absorb(d, &event);
        follow_up(d, kind, &event);
    }
    // What is left must come out in order as well.
    while (take(d, &event)) {
        absorb(d, &event);
    }
    digest = d->digest;
    sim_arena_release(&d->arena);
    free(d);
    return digest;
}

uint64_t workload_run_queue(enum workload kind, uint64_t seed, uint32_t pending, uint64_t pops)
{
    return run(kind, false, seed, pending, pops);
}

uint64_t workload_run_heap(enum workload kind, uint64_t seed, uint32_t pending, uint64_t pops)
{
    return run(kind, true, seed, pending, pops);
}
