// SPDX-License-Identifier: GPL-3.0-or-later
//
// M/M/1 at a load of 0.8 on the kernel: events per second with addressed exponential draws and the
// fingerprint on, against the same model on the plain binary heap. The mean time inside is printed
// too (5 s in theory), because a fast wrong simulation is worth nothing.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/queue.h"

enum { ARRIVAL, DEPARTURE };

struct mm1 {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    struct sim_random random;
    struct sim_fingerprint fingerprint;
    struct sim_law between;
    struct sim_law service;
    int64_t *arrived_ns;
    uint64_t sequence;   // of the heap's events
    uint32_t arrived;
    uint32_t served;
    uint32_t total;
    double sojourn_ns;
};

// use_heap is constant where this is inlined.
static inline void schedule(struct mm1 *m, bool use_heap, int64_t time_ns, uint32_t kind)
{
    if (use_heap) {
        struct sim_event event = {time_ns, m->sequence, kind, 0, 0};

        m->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
        bench_require(sim_heap_push(&m->heap, &event) == 0, "push");
    } else {
        bench_require(sim_queue_push(&m->queue, time_ns, SIM_CLASS_HAPPENING, kind, 0, 0) == 0,
                      "push");
    }
}

static inline void serve_next(struct mm1 *m, bool use_heap, int64_t now_ns)
{
    int64_t service_ns;

    sim_law_sample(&m->service, &m->random, 2, 0, m->served, 0, &service_ns);
    schedule(m, use_heap, now_ns + service_ns, DEPARTURE);
}

static inline void handle(struct mm1 *m, bool use_heap, const struct sim_event *event)
{
    int64_t now_ns = event->time_ns;

    if (event->kind == ARRIVAL) {
        int64_t between_ns;

        m->arrived_ns[m->arrived] = now_ns;
        m->arrived++;
        if (m->arrived - m->served == 1) {
            serve_next(m, use_heap, now_ns);
        }
        if (m->arrived < m->total) {
            sim_law_sample(&m->between, &m->random, 1, 0, m->arrived, 0, &between_ns);
            schedule(m, use_heap, now_ns + between_ns, ARRIVAL);
        }
    } else {
        m->sojourn_ns += (double)(now_ns - m->arrived_ns[m->served]);
        m->served++;
        if (m->served < m->arrived) {
            serve_next(m, use_heap, now_ns);
        }
    }
}

static void run_queue(struct mm1 *m)
{
    struct sim_event event;

    schedule(m, false, 0, ARRIVAL);
    while (sim_queue_pop(&m->queue, &event)) {
        sim_fingerprint_event(&m->fingerprint, &event);
        handle(m, false, &event);
    }
}

static void run_heap(struct mm1 *m)
{
    struct sim_event event;

    schedule(m, true, 0, ARRIVAL);
    while (sim_heap_pop(&m->heap, &event)) {
        handle(m, true, &event);
    }
}

// One run; ns per event, of which there are two per customer.
static double run(struct mm1 *m, bool use_heap, uint32_t customers)
{
    int64_t start_ns;

    sim_arena_reset(&m->arena);
    bench_require(sim_queue_init(&m->queue, &m->arena, 0) == 0, "memory");
    bench_require(sim_heap_init(&m->heap, &m->arena, 0) == 0, "memory");
    bench_require(sim_random_init(&m->random, &m->arena, 1) == 0, "memory");
    bench_require(sim_fingerprint_init(&m->fingerprint, &m->arena) == 0, "memory");
    m->arrived_ns = SIM_ARENA_NEW(&m->arena, int64_t, customers);
    bench_require(m->arrived_ns != NULL, "memory");
    m->total = customers;
    m->arrived = 0;
    m->served = 0;
    m->sequence = 0;
    m->sojourn_ns = 0.0;
    start_ns = bench_now_ns();
    if (use_heap) {
        run_heap(m);
    } else {
        run_queue(m);
    }
    bench_require(m->served == customers, "every customer is served");
    return (double)(bench_now_ns() - start_ns) / (2.0 * customers);
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    uint32_t customers = quick ? 10000 : 1000000;
    uint32_t rounds = quick ? 3 : 9;
    double ns[2][BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    struct mm1 *m = calloc(1, sizeof(*m));
    double sojourn_ns[2] = {0.0, 0.0};

    bench_require(m != NULL, "memory");
    sim_arena_init(&m->arena, 0);
    m->between = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = 1250000000};
    m->service = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = 1000000000};
    run(m, false, customers);
    for (uint32_t i = 0; i < rounds; i++) {
        ns[0][i] = run(m, false, customers);
        sojourn_ns[0] = m->sojourn_ns;
        ns[1][i] = run(m, true, customers);
        sojourn_ns[1] = m->sojourn_ns;
        ratios[i] = ns[1][i] / ns[0][i];
    }
    // The same draws and the same order give the same sum, to the last bit.
    bench_require(memcmp(&sojourn_ns[0], &sojourn_ns[1], sizeof(double)) == 0, "equal results");
    printf("{\"benchmark\": \"mm1\", \"rounds\": %u, \"customers\": %u, \"mevents_per_s\": %.2f, "
           "\"heap_mevents_per_s\": %.2f, \"times_heap\": %.2f, \"mean_time_inside_s\": %.3f}\n",
           rounds, customers, 1e3 / bench_median(ns[0], rounds), 1e3 / bench_median(ns[1], rounds),
           bench_median(ratios, rounds), sojourn_ns[0] / customers * 1e-9);
    sim_arena_release(&m->arena);
    free(m);
    return 0;
}
