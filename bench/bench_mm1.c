// SPDX-License-Identifier: GPL-3.0-or-later
//
// M/M/1 at a load of 0.8 on the kernel: events per second with addressed exponential draws, each
// made one ahead (sim/sequence.h), and the fingerprint on, against the same model on the plain
// binary heap without and with the fingerprint, and with its draws made on demand. The mean time
// inside is printed too (5 s in theory), because a fast wrong simulation is worth nothing, and what
// the draws alone take, which no queue can save.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/queue.h"
#include "sim/sequence.h"

enum { ARRIVAL, DEPARTURE };
enum candidate { QUEUE, HEAP, HEAP_FINGERPRINT, QUEUE_ON_DEMAND, CANDIDATES };
enum { STREAM_BETWEEN = 1, STREAM_SERVICE = 2 };

struct mm1 {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    struct sim_random random;
    struct sim_fingerprint fingerprint;
    struct sim_law between_law;
    struct sim_law service_law;
    struct sim_sequence between;
    struct sim_sequence service;
    int64_t *arrived_ns;
    uint64_t sequence;   // of the heap's events
    uint32_t arrived;
    uint32_t served;
    uint32_t total;
    double sojourn_ns;
};

// The candidate is constant where this is inlined.
static inline void schedule(struct mm1 *m, enum candidate by, int64_t time_ns, uint32_t kind)
{
    if (by == HEAP || by == HEAP_FINGERPRINT) {
        struct sim_event event = {time_ns, m->sequence, kind, 0, 0};

        m->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
        bench_require(sim_heap_push(&m->heap, &event) == 0, "push");
    } else {
        bench_require(sim_queue_push(&m->queue, time_ns, SIM_CLASS_HAPPENING, kind, 0, 0) == 0,
                      "push");
    }
}

// The sample n of a stream, made ahead or now.
static inline int64_t sample(struct mm1 *m, enum candidate by, struct sim_sequence *sequence,
                             uint32_t n)
{
    int64_t value_ns;

    if (by == QUEUE_ON_DEMAND) {
        sim_law_sample(sequence->law, &m->random, sequence->stream, 0, n, 0, &value_ns);
    } else {
        sim_sequence_next(sequence, &value_ns);
    }
    return value_ns;
}

static inline void serve_next(struct mm1 *m, enum candidate by, int64_t now_ns)
{
    schedule(m, by, now_ns + sample(m, by, &m->service, m->served), DEPARTURE);
}

static inline void handle(struct mm1 *m, enum candidate by, const struct sim_event *event)
{
    int64_t now_ns = event->time_ns;

    if (event->kind == ARRIVAL) {
        m->arrived_ns[m->arrived] = now_ns;
        m->arrived++;
        if (m->arrived - m->served == 1) {
            serve_next(m, by, now_ns);
        }
        if (m->arrived < m->total) {
            schedule(m, by, now_ns + sample(m, by, &m->between, m->arrived), ARRIVAL);
        }
    } else {
        m->sojourn_ns += (double)(now_ns - m->arrived_ns[m->served]);
        m->served++;
        if (m->served < m->arrived) {
            serve_next(m, by, now_ns);
        }
    }
}

static inline void loop(struct mm1 *m, enum candidate by)
{
    struct sim_event event;

    schedule(m, by, 0, ARRIVAL);
    while (by == QUEUE || by == QUEUE_ON_DEMAND ? sim_queue_pop(&m->queue, &event)
                                                : sim_heap_pop(&m->heap, &event)) {
        if (by != HEAP) {
            sim_fingerprint_event(&m->fingerprint, &event);
        }
        handle(m, by, &event);
    }
}

// One run; ns per event, of which there are two per customer.
static double run(struct mm1 *m, enum candidate by, uint32_t customers)
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
    sim_sequence_init(&m->between, &m->between_law, &m->random, STREAM_BETWEEN, 0, 1);
    sim_sequence_init(&m->service, &m->service_law, &m->random, STREAM_SERVICE, 0, 0);
    start_ns = bench_cpu_ns();
    if (by == QUEUE) {
        loop(m, QUEUE);
    } else if (by == QUEUE_ON_DEMAND) {
        loop(m, QUEUE_ON_DEMAND);
    } else if (by == HEAP) {
        loop(m, HEAP);
    } else {
        loop(m, HEAP_FINGERPRINT);
    }
    bench_require(m->served == customers, "every customer is served");
    return (double)(bench_cpu_ns() - start_ns) / (2.0 * customers);
}

// The draws of a run alone; ns per draw. The sum is kept so that none can be left out.
static double draws(struct mm1 *m, uint32_t customers)
{
    int64_t start_ns = bench_cpu_ns();

    for (uint32_t i = 0; i < customers; i++) {
        int64_t value_ns;

        sim_sequence_next(&m->between, &value_ns);
        m->sojourn_ns += (double)value_ns;
        sim_sequence_next(&m->service, &value_ns);
        m->sojourn_ns += (double)value_ns;
    }
    bench_require(m->sojourn_ns > 0.0, "draws");
    return (double)(bench_cpu_ns() - start_ns) / (2.0 * customers);
}

static void print(double ns[CANDIDATES][BENCH_ROUNDS_MAX],
                  double ratios[CANDIDATES][BENCH_ROUNDS_MAX], double *draw_ns, uint32_t rounds)
{
    printf(" \"mevents_per_s\": %.2f, \"heap_mevents_per_s\": %.2f, \"times_heap\": %.2f, "
           "\"times_heap_fingerprint\": %.2f,\n \"times_on_demand\": %.2f, "
           "\"ns_per_event\": %.1f, \"ns_per_draw_alone\": %.1f,",
           1e3 / bench_median(ns[QUEUE], rounds), 1e3 / bench_median(ns[HEAP], rounds),
           bench_median(ratios[HEAP], rounds), bench_median(ratios[HEAP_FINGERPRINT], rounds),
           bench_median(ratios[QUEUE_ON_DEMAND], rounds), bench_median(ns[QUEUE], rounds),
           bench_median(draw_ns, rounds));
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    uint32_t customers = quick ? 10000 : 1000000;
    uint32_t rounds = quick ? 3 : 9;
    double ns[CANDIDATES][BENCH_ROUNDS_MAX];
    double ratios[CANDIDATES][BENCH_ROUNDS_MAX];
    double draw_ns[BENCH_ROUNDS_MAX];
    struct mm1 *m = calloc(1, sizeof(*m));
    double sojourn_ns[CANDIDATES] = {0.0};

    bench_require(m != NULL, "memory");
    sim_arena_init(&m->arena, 0);
    m->between_law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = 1250000000};
    m->service_law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = 1000000000};
    run(m, QUEUE, customers);
    for (uint32_t i = 0; i < rounds; i++) {
        for (int by = 0; by < CANDIDATES; by++) {
            ns[by][i] = run(m, (enum candidate)by, customers);
            ratios[by][i] = ns[by][i] / ns[QUEUE][i];
            sojourn_ns[by] = m->sojourn_ns;
            // The same draws and the same order give the same sum, to the last bit.
            bench_require(memcmp(&sojourn_ns[by], &sojourn_ns[QUEUE], sizeof(double)) == 0,
                          "equal results");
        }
        draw_ns[i] = draws(m, customers);
    }
    printf("{\"benchmark\": \"mm1\", \"rounds\": %u, \"customers\": %u,\n", rounds, customers);
    print(ns, ratios, draw_ns, rounds);
    printf(" \"mean_time_inside_s\": %.3f}\n", sojourn_ns[QUEUE] / customers * 1e-9);
    sim_arena_release(&m->arena);
    free(m);
    return 0;
}
