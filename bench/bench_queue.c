// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hold model: N events are pending, and each pop schedules one more. Candidates are the
// kernel's queue through its public API with the fingerprint on, and the in-tree plain binary heap
// of 32-byte events with and without the fingerprint. Their rounds are interleaved; a ratio is the
// median of the per-round ratios. All candidates must pop the same events: their digests are
// compared.
//
// "of_own_exponential" compares the queue's rate with its own on exponential increments, paired in
// the same rounds as well. "heap" is the bare heap, the hardest opponent; "heap_fingerprint" pays
// for the fingerprint too. "cancellable" pushes with handles, of which none is used; bench_cancel
// cancels.
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "sim/fingerprint.h"
#include "sim/queue.h"
#include "sim/random.h"

enum increments { EXPONENTIAL, CONSTANT, TICKS, BIMODAL, ZERO, INCREMENTS };
enum candidate { QUEUE, QUEUE_CANCELLABLE, HEAP, HEAP_FINGERPRINT, CANDIDATES };

static const char *const increment_names[INCREMENTS] = {"exponential", "constant", "ticks",
                                                        "bimodal", "zero_delay"};

// One candidate's state. It lives through all rounds, so each round starts warm.
struct hold {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_heap heap;
    struct sim_fingerprint fingerprint;
    uint64_t sequence;
    uint64_t random;
    uint64_t digest;
    uint64_t handle;
    const int64_t *table;
};

static inline int64_t increment(struct hold *h, enum increments kind)
{
    uint64_t r;

    if (kind == CONSTANT) {
        return 1000000000;
    }
    h->random += UINT64_C(0x9E3779B97F4A7C15);
    r = sim_random_mix(h->random);
    switch (kind) {
    case TICKS:
        return (int64_t)(1 + (r & 3)) * 1000000000;
    case BIMODAL:
        return (r & 1) != 0 ? 1000000 : INT64_C(100000000000);
    case ZERO:
        if ((r >> 63) != 0) {
            return 0;
        }
        return h->table[r & (BENCH_TABLE_SIZE - 1)] + (int64_t)((r >> 32) & 0x3ffff);
    case EXPONENTIAL:
    case CONSTANT:
    case INCREMENTS:
    default:
        // The low bits are spread, so that ties are as rare as with a continuous law.
        return h->table[r & (BENCH_TABLE_SIZE - 1)] + (int64_t)((r >> 32) & 0x3ffff);
    }
}

static inline void queue_push(struct hold *h, int64_t time_ns, uint32_t entity, bool cancellable)
{
    int status = cancellable ? sim_queue_push_cancellable(&h->queue, time_ns, SIM_CLASS_HAPPENING,
                                                          1, entity, entity, &h->handle)
                             : sim_queue_push(&h->queue, time_ns, SIM_CLASS_HAPPENING, 1, entity,
                                              entity);

    bench_require(status == 0, "push");
}

static inline void heap_push(struct hold *h, int64_t time_ns, uint32_t entity)
{
    struct sim_event event = {time_ns, ((uint64_t)1 << SIM_ORDER_CLASS_SHIFT) | h->sequence, 1,
                              entity, entity};

    h->sequence += (uint64_t)1 << SIM_ORDER_SEQUENCE_SHIFT;
    bench_require(sim_heap_push(&h->heap, &event) == 0, "push");
}

static inline void absorb(struct hold *h, const struct sim_event *event)
{
    h->digest = (h->digest << 7 | h->digest >> 57) ^ (uint64_t)event->time_ns ^ event->arg;
}

static inline void hold_queue(struct hold *h, enum increments kind, uint64_t pops,
                              bool cancellable)
{
    struct sim_event event;

    for (uint64_t i = 0; i < pops; i++) {
        bench_require(sim_queue_pop(&h->queue, &event), "pop");
        sim_fingerprint_event(&h->fingerprint, &event);
        absorb(h, &event);
        queue_push(h, event.time_ns + increment(h, kind), event.entity, cancellable);
    }
}

static inline void hold_heap(struct hold *h, enum increments kind, uint64_t pops, bool fingerprint)
{
    struct sim_event event;

    for (uint64_t i = 0; i < pops; i++) {
        bench_require(sim_heap_pop(&h->heap, &event), "pop");
        if (fingerprint) {
            sim_fingerprint_event(&h->fingerprint, &event);
        }
        absorb(h, &event);
        heap_push(h, event.time_ns + increment(h, kind), event.entity);
    }
}

// Runs pops events and returns ns per event.
static double run(struct hold *h, enum candidate c, enum increments kind, uint64_t pops)
{
    int64_t start_ns = bench_cpu_ns();

// One loop per kind of increment, so that its choice costs nothing inside.
#define RUN(k)                                                                                     \
    case k:                                                                                        \
        if (c == QUEUE || c == QUEUE_CANCELLABLE) {                                                \
            hold_queue(h, k, pops, c == QUEUE_CANCELLABLE);                                        \
        } else {                                                                                   \
            hold_heap(h, k, pops, c == HEAP_FINGERPRINT);                                          \
        }                                                                                          \
        break;
    switch (kind) {
        RUN(EXPONENTIAL)
        RUN(CONSTANT)
        RUN(TICKS)
        RUN(BIMODAL)
        RUN(ZERO)
    case INCREMENTS:
    default:
        bench_require(false, "increments");
    }
#undef RUN
    return (double)(bench_cpu_ns() - start_ns) / (double)pops;
}

static struct hold *hold_create(enum candidate c, enum increments kind, uint32_t pending,
                                const int64_t *table)
{
    struct hold *h = calloc(1, sizeof(*h));

    bench_require(h != NULL, "memory");
    h->table = table;
    sim_arena_init(&h->arena, 0);
    bench_require(sim_fingerprint_init(&h->fingerprint, &h->arena) == 0, "memory");
    bench_require(sim_queue_init(&h->queue, &h->arena, 0) == 0, "memory");
    bench_require(sim_heap_init(&h->heap, &h->arena, 0) == 0, "memory");
    for (uint32_t i = 0; i < pending; i++) {
        int64_t time_ns = increment(h, kind);

        if (c == QUEUE || c == QUEUE_CANCELLABLE) {
            queue_push(h, time_ns, i, c == QUEUE_CANCELLABLE);
        } else {
            heap_push(h, time_ns, i);
        }
    }
    return h;
}

static void hold_destroy(struct hold *h)
{
    sim_arena_release(&h->arena);
    free(h);
}

struct figures {
    double ns[CANDIDATES];           // medians
    double ratio[CANDIDATES];        // time of the candidate over that of QUEUE, paired medians
    double of_own_exponential;       // rate of QUEUE over its rate on exponential increments
    double arena_bytes_per_event;    // of QUEUE, all in
};

static struct figures compare(enum increments kind, uint32_t pending, uint64_t pops,
                              uint32_t rounds, const int64_t *table)
{
    struct hold *holds[CANDIDATES];
    double ns[CANDIDATES][BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    double own[BENCH_ROUNDS_MAX];
    struct hold *exponential = hold_create(QUEUE, EXPONENTIAL, pending, table);
    struct figures figures;

    run(exponential, QUEUE, EXPONENTIAL, pops + pending);
    for (int c = 0; c < CANDIDATES; c++) {
        holds[c] = hold_create((enum candidate)c, kind, pending, table);
        run(holds[c], (enum candidate)c, kind, pops + pending);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (int c = 0; c < CANDIDATES; c++) {
            ns[c][round] = run(holds[c], (enum candidate)c, kind, pops);
        }
        own[round] = run(exponential, QUEUE, EXPONENTIAL, pops) / ns[QUEUE][round];
    }
    figures.of_own_exponential = bench_median(own, rounds);
    hold_destroy(exponential);
    figures.arena_bytes_per_event = (double)sim_arena_bytes(&holds[QUEUE]->arena) / pending;
    for (int c = CANDIDATES - 1; c >= 0; c--) {
        bench_require(holds[c]->digest == holds[QUEUE]->digest, "digests differ");
        for (uint32_t round = 0; round < rounds; round++) {
            ratios[round] = ns[c][round] / ns[QUEUE][round];
        }
        figures.ratio[c] = bench_median(ratios, rounds);
    }
    for (int c = 0; c < CANDIDATES; c++) {
        figures.ns[c] = bench_median(ns[c], rounds);
        hold_destroy(holds[c]);
    }
    return figures;
}

static void print_hold(const char *name, uint32_t pending, const struct figures *f)
{
    printf("    {\"increments\": \"%s\", \"pending\": %u, \"queue_mevents_per_s\": %.2f, "
           "\"cancellable_mevents_per_s\": %.2f, \"heap_mevents_per_s\": %.2f,\n"
           "     \"times_heap\": %.2f, \"times_heap_fingerprint\": %.2f, "
           "\"cancellable_times_heap\": %.2f, \"of_own_exponential\": %.2f, "
           "\"arena_bytes_per_event\": %.0f}",
           name, pending, 1e3 / f->ns[QUEUE], 1e3 / f->ns[QUEUE_CANCELLABLE], 1e3 / f->ns[HEAP],
           f->ratio[HEAP], f->ratio[HEAP_FINGERPRINT],
           f->ratio[HEAP] / f->ratio[QUEUE_CANCELLABLE], f->of_own_exponential,
           f->arena_bytes_per_event);
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    static const uint32_t sizes[3] = {100, 10000, 1000000};
    static int64_t table[BENCH_TABLE_SIZE];
    uint64_t pops = quick ? 20000 : 500000;
    uint32_t rounds = quick ? 3 : 9;
    const char *comma = "";

    bench_fill_table(table);
    printf("{\"benchmark\": \"queue\", \"rounds\": %u, \"pops_per_round\": %llu,\n  \"hold\": [\n",
           rounds, (unsigned long long)pops);
    for (int s = 0; s < (quick ? 2 : 3); s++) {
        // At a million pending only the exponential is timed against the heap.
        for (int kind = 0; kind < (sizes[s] < 1000000 ? INCREMENTS : 1); kind++) {
            struct figures f = compare((enum increments)kind, sizes[s], pops, rounds, table);

            printf("%s", comma);
            print_hold(increment_names[kind], sizes[s], &f);
            fflush(stdout);
            comma = ",\n";
        }
    }
    printf("]}\n");
    return 0;
}
