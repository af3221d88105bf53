// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel beside Cimba, the fastest event-driven simulator in C that is known, on the same
// models: the hold model, timeouts that are cancelled, and M/M/1. Built only with
// -DRECOUP_CIMBA=FOLDER, a build of Cimba's release; scripts/bench-cimba makes one.
//
// Each side uses what it offers: the kernel its cancellable events, fingerprint and addressed
// draws; Cimba its handles, sfc64 and ziggurat. Cimba's events always have handles. M/M/1 is
// written for Cimba twice: with events, as for the kernel, and with two processes and a queue, the
// way of its own benchmark. It is run with each side's own draws, and, to compare the kernels
// alone, with times from one table and with Cimba's draws on both sides. Our own draws are made
// one ahead (sim/sequence.h) or, as another row, on demand. Rounds are interleaved; ratios are
// medians of the rounds' ratios.
#define _POSIX_C_SOURCE 200809L

#include <cimba.h>

#include "bench/bench.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/queue.h"
#include "sim/random.h"
#include "sim/sequence.h"

#define TIMEOUT_S 10
#define SECOND_NS INT64_C(1000000000)

enum { WORK = 1, TIMEOUT = 2 };
enum draws { DRAWS_OWN, DRAWS_ON_DEMAND, DRAWS_TABLE, DRAWS_CIMBA };

// One model in progress, of either side.
struct model {
    struct sim_arena arena;
    struct sim_queue queue;
    struct sim_fingerprint fingerprint;
    struct sim_random random;
    struct sim_law between_law;
    struct sim_law service_law;
    struct sim_sequence between;
    struct sim_sequence service;
    struct cmb_objectqueue *line;
    uint64_t *handles;      // by entity, of its timeout
    int64_t *arrived_ns;
    double *arrived_s;
    const int64_t *table;
    uint64_t mix;
    uint64_t handle;
    uint64_t left;          // events still to be served
    uint64_t arrived;
    uint64_t served;
    uint64_t total;
    double inside_s;        // sum of the customers' times
    enum draws draws;       // of M/M/1
};

static inline int64_t increment(struct model *m)
{
    uint64_t r;

    m->mix += UINT64_C(0x9E3779B97F4A7C15);
    r = sim_random_mix(m->mix);
    return m->table[r & (BENCH_TABLE_SIZE - 1)] + (int64_t)((r >> 32) & 0x3ffff);
}

static struct model *open_model(const int64_t *table, uint64_t entities)
{
    struct model *m = calloc(1, sizeof(*m));

    bench_require(m != NULL, "memory");
    m->table = table;
    sim_arena_init(&m->arena, 0);
    bench_require(sim_queue_init(&m->queue, &m->arena, 0) == 0, "memory");
    bench_require(sim_fingerprint_init(&m->fingerprint, &m->arena) == 0, "memory");
    bench_require(sim_random_init(&m->random, &m->arena, 1) == 0, "memory");
    m->between_law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = 1250000000};
    m->service_law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = SECOND_NS};
    sim_sequence_init(&m->between, &m->between_law, &m->random, 1, 0, 1);
    sim_sequence_init(&m->service, &m->service_law, &m->random, 2, 0, 0);
    m->handles = calloc(entities, sizeof(*m->handles));
    m->arrived_ns = calloc(entities, sizeof(*m->arrived_ns));
    m->arrived_s = calloc(entities, sizeof(*m->arrived_s));
    bench_require(m->handles != NULL && m->arrived_ns != NULL && m->arrived_s != NULL, "memory");
    m->total = entities;
    return m;
}

static void close_model(struct model *m)
{
    sim_arena_release(&m->arena);
    free(m->handles);
    free(m->arrived_ns);
    free(m->arrived_s);
    free(m);
}

// Cimba has one event queue in each thread.
static void open_cimba(void)
{
    cmb_event_queue_initialize(0.0);
    cmb_random_initialize(1);
}

static void close_cimba(void)
{
    cmb_event_queue_terminate();
    cmb_random_terminate();
}

static inline void pop(struct model *m, struct sim_event *event)
{
    bench_require(sim_queue_pop(&m->queue, event), "pop");
    sim_fingerprint_event(&m->fingerprint, event);
}

static inline void push(struct model *m, int64_t time_ns, uint32_t kind, uint64_t entity)
{
    bench_require(sim_queue_push(&m->queue, time_ns, SIM_CLASS_HAPPENING, kind, (uint32_t)entity,
                                 0) == 0,
                  "push");
}

static inline void push_cancellable(struct model *m, int64_t time_ns, uint32_t kind,
                                    uint64_t entity, uint64_t *handle)
{
    bench_require(sim_queue_push_cancellable(&m->queue, time_ns, SIM_CLASS_HAPPENING, kind,
                                             (uint32_t)entity, entity, handle) == 0,
                  "push");
}

// --- the hold model ------------------------------------------------------------------------------

static void hold_ours(struct model *m, uint64_t events)
{
    struct sim_event event;

    while (events-- > 0) {
        pop(m, &event);
        push_cancellable(m, event.time_ns + increment(m), WORK, event.entity, &m->handle);
    }
}

static void cimba_hold_event(void *subject, void *object)
{
    struct model *m = subject;

    m->handle = cmb_event_schedule(cimba_hold_event, m, object,
                                   cmb_time() + (double)increment(m) * 1e-9, 0);
}

static void serve_cimba(struct model *m, uint64_t events)
{
    (void)m;
    while (events-- > 0) {
        bench_require(cmb_event_execute_next(), "pop");
    }
}

static void hold_fill(struct model *ours, struct model *cimba)
{
    for (uint64_t i = 0; i < ours->total; i++) {
        push_cancellable(ours, increment(ours), WORK, i, &ours->handle);
        cimba_hold_event(cimba, NULL);
    }
}

// --- timeouts that each event cancels ------------------------------------------------------------

static inline void ours_schedule(struct model *m, int64_t now_ns, uint64_t entity)
{
    push(m, now_ns + increment(m), WORK, entity);
    push_cancellable(m, now_ns + TIMEOUT_S * SECOND_NS, TIMEOUT, entity, &m->handles[entity]);
}

static void cancel_ours(struct model *m, uint64_t events)
{
    struct sim_event event;

    while (events-- > 0) {
        pop(m, &event);
        bench_require(event.kind == WORK, "no timeout comes up");
        bench_require(sim_queue_cancel(&m->queue, m->handles[event.entity]), "cancel");
        ours_schedule(m, event.time_ns, event.entity);
    }
}

static void cimba_timeout(void *subject, void *object)
{
    (void)subject;
    (void)object;
    bench_require(false, "no timeout comes up");
}

static void cimba_work(void *subject, void *object)
{
    struct model *m = subject;
    uint64_t *handle = object;

    if (*handle != 0) {
        bench_require(cmb_event_cancel(*handle), "cancel");
    }
    (void)cmb_event_schedule(cimba_work, m, handle, cmb_time() + (double)increment(m) * 1e-9, 0);
    *handle = cmb_event_schedule(cimba_timeout, m, handle, cmb_time() + TIMEOUT_S, 0);
}

static void cancel_fill(struct model *ours, struct model *cimba)
{
    for (uint64_t i = 0; i < ours->total; i++) {
        ours_schedule(ours, 0, i);
        cimba_work(cimba, &cimba->handles[i]);
    }
}

// --- M/M/1 ---------------------------------------------------------------------------------------

// draws is constant where this and what calls it are inlined.
static inline int64_t ours_time_ns(struct model *m, enum draws draws,
                                   struct sim_sequence *sequence, uint64_t n)
{
    int64_t ns;

    if (draws == DRAWS_TABLE) {
        return sequence == &m->between ? increment(m) / 4 * 5 : increment(m);
    }
    if (draws == DRAWS_CIMBA) {
        return (int64_t)cmb_random_exponential((double)sequence->law->a);
    }
    if (draws == DRAWS_ON_DEMAND) {
        sim_law_sample(sequence->law, &m->random, sequence->stream, 0, n, 0, &ns);
    } else {
        sim_sequence_next(sequence, &ns);
    }
    return ns;
}

static inline double cimba_time_s(struct model *m, double mean_s)
{
    return m->draws == DRAWS_TABLE ? mean_s * (double)increment(m) * 1e-9
                                   : cmb_random_exponential(mean_s);
}

static inline void ours_serve_next(struct model *m, enum draws draws, int64_t now_ns)
{
    push(m, now_ns + ours_time_ns(m, draws, &m->service, m->served), TIMEOUT, 0);
}

static inline void ours_arrival(struct model *m, enum draws draws, int64_t now_ns)
{
    m->arrived_ns[m->arrived++] = now_ns;
    if (m->arrived - m->served == 1) {
        ours_serve_next(m, draws, now_ns);
    }
    if (m->arrived < m->total) {
        push(m, now_ns + ours_time_ns(m, draws, &m->between, m->arrived), WORK, 0);
    }
}

static inline void mm1_loop(struct model *m, enum draws draws)
{
    struct sim_event event;

    push(m, 0, WORK, 0);
    while (sim_queue_pop(&m->queue, &event)) {
        sim_fingerprint_event(&m->fingerprint, &event);
        if (event.kind == WORK) {
            ours_arrival(m, draws, event.time_ns);
        } else {
            m->inside_s += (double)(event.time_ns - m->arrived_ns[m->served]) * 1e-9;
            m->served++;
            if (m->served < m->arrived) {
                ours_serve_next(m, draws, event.time_ns);
            }
        }
    }
}

static double mm1_ours(struct model *m)
{
    switch (m->draws) {
    case DRAWS_OWN:
        mm1_loop(m, DRAWS_OWN);
        break;
    case DRAWS_ON_DEMAND:
        mm1_loop(m, DRAWS_ON_DEMAND);
        break;
    case DRAWS_TABLE:
        mm1_loop(m, DRAWS_TABLE);
        break;
    case DRAWS_CIMBA:
    default:
        mm1_loop(m, DRAWS_CIMBA);
        break;
    }
    return m->inside_s / (double)m->served;
}

static void cimba_departure(void *subject, void *object)
{
    struct model *m = subject;

    (void)object;
    m->inside_s += cmb_time() - m->arrived_s[m->served];
    m->served++;
    if (m->served < m->arrived) {
        (void)cmb_event_schedule(cimba_departure, m, NULL, cmb_time() + cimba_time_s(m, 1.0), 0);
    }
}

static void cimba_arrival(void *subject, void *object)
{
    struct model *m = subject;

    (void)object;
    m->arrived_s[m->arrived++] = cmb_time();
    if (m->arrived - m->served == 1) {
        (void)cmb_event_schedule(cimba_departure, m, NULL, cmb_time() + cimba_time_s(m, 1.0), 0);
    }
    if (m->arrived < m->total) {
        (void)cmb_event_schedule(cimba_arrival, m, NULL, cmb_time() + cimba_time_s(m, 1.25), 0);
    }
}

static double mm1_cimba_events(struct model *m)
{
    (void)cmb_event_schedule(cimba_arrival, m, NULL, 0.0, 0);
    cmb_event_queue_execute();
    return m->inside_s / (double)m->served;
}

static void *arrivals(struct cmb_process *me, void *context)
{
    struct model *m = context;

    (void)me;
    for (uint64_t i = 0; i < m->total; i++) {
        (void)cmb_process_hold(cimba_time_s(m, 1.25));
        m->arrived_s[i] = cmb_time();
        (void)cmb_objectqueue_put(m->line, &m->arrived_s[i]);
    }
    return NULL;
}

static void *services(struct cmb_process *me, void *context)
{
    struct model *m = context;

    (void)me;
    while (m->served < m->total) {
        void *object = NULL;

        (void)cmb_objectqueue_get(m->line, &object);
        (void)cmb_process_hold(cimba_time_s(m, 1.0));
        m->inside_s += cmb_time() - *(double *)object;
        m->served++;
    }
    return NULL;
}

static double mm1_cimba_processes(struct model *m)
{
    struct cmb_process *both[2] = {cmb_process_create(), cmb_process_create()};

    m->line = cmb_objectqueue_create();
    cmb_objectqueue_initialize(m->line, "line", CMB_UNLIMITED);
    cmb_process_initialize(both[0], "arrivals", arrivals, m, 0);
    cmb_process_initialize(both[1], "services", services, m, 0);
    cmb_process_start(both[0]);
    cmb_process_start(both[1]);
    cmb_event_queue_execute();
    for (int i = 0; i < 2; i++) {
        cmb_process_terminate(both[i]);
        cmb_process_destroy(both[i]);
    }
    cmb_objectqueue_terminate(m->line);
    cmb_objectqueue_destroy(m->line);
    return m->inside_s / (double)m->served;
}

// --- rounds --------------------------------------------------------------------------------------

static double timed(void (*serve)(struct model *, uint64_t), struct model *m, uint64_t events)
{
    int64_t start_ns = bench_cpu_ns();

    serve(m, events);
    return (double)(bench_cpu_ns() - start_ns) / (double)events;
}

static void compare(const char *name, uint64_t entities, bool cancels, bool quick,
                    const int64_t *table)
{
    struct model *m = open_model(table, entities);
    struct model *cimba = open_model(table, entities);
    void (*ours)(struct model *, uint64_t) = cancels ? cancel_ours : hold_ours;
    uint32_t rounds = quick ? 3 : 9;
    uint64_t events = quick ? 20000 : 500000;
    double ns[2][BENCH_ROUNDS_MAX];
    double ratio[BENCH_ROUNDS_MAX];

    open_cimba();
    if (cancels) {
        cancel_fill(m, cimba);
    } else {
        hold_fill(m, cimba);
    }
    ours(m, events + entities);
    serve_cimba(cimba, events + entities);
    for (uint32_t i = 0; i < rounds; i++) {
        ns[0][i] = timed(ours, m, events);
        ns[1][i] = timed(serve_cimba, cimba, events);
        ratio[i] = ns[1][i] / ns[0][i];
    }
    printf("  {\"model\": \"%s\", \"entities\": %llu, \"ours_mevents_per_s\": %.2f, "
           "\"cimba_mevents_per_s\": %.2f, \"times_cimba\": %.2f},\n",
           name, (unsigned long long)entities, 1e3 / bench_median(ns[0], rounds),
           1e3 / bench_median(ns[1], rounds), bench_median(ratio, rounds));
    close_cimba();
    close_model(cimba);
    close_model(m);
}

static double mm1(double (*run)(struct model *), uint64_t customers, enum draws draws,
                  const int64_t *table)
{
    struct model *m = open_model(table, customers);
    int64_t start_ns;
    double inside_s;
    double ns;

    m->draws = draws;
    open_cimba();
    start_ns = bench_cpu_ns();
    inside_s = run(m);
    ns = (double)(bench_cpu_ns() - start_ns) / (2.0 * (double)customers);

    // A fast wrong simulation is worth nothing: 5 s in theory.
    bench_require(m->served == customers && inside_s > 4.0 && inside_s < 6.0, "mean time inside");
    close_cimba();
    close_model(m);
    return ns;
}

static void compare_mm1(bool quick, enum draws draws, const int64_t *table)
{
    static const char *const names[] = {"own", "own, made on demand", "from one table",
                                        "Cimba's"};
    uint32_t rounds = quick ? 3 : 9;
    uint64_t customers = quick ? 100000 : 1000000;
    double ns[3][BENCH_ROUNDS_MAX];
    double ratio[3][BENCH_ROUNDS_MAX];

    mm1(mm1_ours, customers, draws, table);
    for (uint32_t i = 0; i < rounds; i++) {
        ns[0][i] = mm1(mm1_ours, customers, draws, table);
        ns[1][i] = mm1(mm1_cimba_events, customers, draws, table);
        ns[2][i] = mm1(mm1_cimba_processes, customers, draws, table);
        for (int by = 0; by < 3; by++) {
            ratio[by][i] = ns[by][i] / ns[0][i];
        }
    }
    printf("  {\"model\": \"mm1\", \"draws\": \"%s\", \"ours_mevents_per_s\": %.2f, "
           "\"cimba_events_mevents_per_s\": %.2f, \"cimba_processes_mevents_per_s\": %.2f,\n"
           "   \"times_cimba_events\": %.2f, "
           "\"times_cimba_processes\": %.2f}",
           names[draws], 1e3 / bench_median(ns[0], rounds),
           1e3 / bench_median(ns[1], rounds), 1e3 / bench_median(ns[2], rounds),
           bench_median(ratio[1], rounds), bench_median(ratio[2], rounds));
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    static int64_t table[BENCH_TABLE_SIZE];

    bench_fill_table(table);
    printf("{\"benchmark\": \"cimba\", \"cimba\": \"%s\", \"results\": [\n", cimba_version());
    compare("hold", 100, false, quick, table);
    compare("hold", 10000, false, quick, table);
    compare("hold", 1000000, false, quick, table);
    compare("cancel", 100, true, quick, table);
    compare("cancel", 1000, true, quick, table);
    compare("cancel", 10000, true, quick, table);
    compare_mm1(quick, DRAWS_OWN, table);
    printf(",\n");
    compare_mm1(quick, DRAWS_ON_DEMAND, table);
    printf(",\n");
    compare_mm1(quick, DRAWS_TABLE, table);
    printf(",\n");
    compare_mm1(quick, DRAWS_CIMBA, table);
    printf("\n]}\n");
    return 0;
}
