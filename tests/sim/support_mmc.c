// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/support_mmc.h"

#include "check.h"
#include "sim/law.h"
#include "sim/queue.h"
#include "sim/sequence.h"

enum { MMC_ARRIVAL, MMC_DEPARTURE };
enum { STREAM_BETWEEN = 1, STREAM_SERVICE = 2 };

struct mmc {
    struct sim_queue queue;
    struct sim_random random;
    struct sim_law between_law;
    struct sim_law service_law;
    struct sim_sequence between;
    struct sim_sequence service;
    int64_t late_ns;
    int64_t *arrived_ns; // per customer
    uint32_t servers;
    uint32_t busy;
    uint32_t first_waiting; // customers waiting: [first_waiting, arrived)
    uint32_t arrived;
    uint32_t warm_up;
    uint32_t total;
    int64_t start_ns;       // end of the warm-up
    int64_t end_ns;         // last arrival; afterwards the number inside only falls
    int64_t changed_ns;
    double area;            // integral of the number inside over time, in ns
    struct mmc_result sums;
};

static void count_area(struct mmc *m, uint32_t inside)
{
    int64_t now_ns = sim_queue_now(&m->queue);

    if (m->start_ns != 0 && m->end_ns == 0) {
        m->area += (double)inside * (double)(now_ns - m->changed_ns);
    }
    m->changed_ns = now_ns;
}

static uint32_t inside(const struct mmc *m)
{
    return m->busy + m->arrived - m->first_waiting;
}

static void begin_service(struct mmc *m, uint32_t customer)
{
    int64_t now_ns = sim_queue_now(&m->queue);
    int64_t service_ns;

    if (customer >= m->warm_up) {
        m->sums.wait_s += (double)(now_ns - m->arrived_ns[customer]) * 1e-9;
        m->sums.waited += now_ns > m->arrived_ns[customer] ? 1.0 : 0.0;
    }
    m->busy++;
    sim_sequence_next(&m->service, &service_ns); // customers are served in order
    assert_i64(sim_queue_push(&m->queue, now_ns + service_ns, SIM_CLASS_HAPPENING, MMC_DEPARTURE,
                              customer, 0), 0);
}

static void arrive(struct mmc *m)
{
    int64_t now_ns = sim_queue_now(&m->queue);
    uint32_t customer = m->arrived;
    int64_t between_ns;

    if (customer == m->warm_up) {
        m->start_ns = now_ns;
        m->changed_ns = now_ns;
    }
    m->arrived_ns[customer] = now_ns;
    m->arrived++;
    if (m->arrived == m->total) {
        m->end_ns = now_ns;
    }
    if (m->busy < m->servers) {
        m->first_waiting++;
        begin_service(m, customer);
    }
    if (m->arrived < m->total) {
        sim_sequence_next(&m->between, &between_ns);
        assert_i64(sim_queue_push(&m->queue, now_ns + between_ns, SIM_CLASS_HAPPENING, MMC_ARRIVAL,
                                  0, 0), 0);
    }
}

static void depart(struct mmc *m, uint32_t customer)
{
    m->busy--;
    if (customer >= m->warm_up) {
        int64_t inside_ns = sim_queue_now(&m->queue) - m->arrived_ns[customer];

        m->sums.sojourn_s += (double)inside_ns * 1e-9;
        m->sums.late += inside_ns > m->late_ns ? 1.0 : 0.0;
    }
    if (m->first_waiting < m->arrived) {
        m->first_waiting++;
        begin_service(m, m->first_waiting - 1);
    }
}

static struct mmc_result finish(const struct mmc *m)
{
    double customers = (double)(m->total - m->warm_up);
    struct mmc_result result = m->sums;

    result.number = m->area / (double)(m->end_ns - m->start_ns);
    result.sojourn_s /= customers;
    result.wait_s /= customers;
    result.waited /= customers;
    result.late /= customers;
    return result;
}

struct mmc_result mmc_run(uint64_t seed, uint32_t servers, int64_t between_ns, int64_t service_ns,
                          uint32_t warm_up, uint32_t customers)
{
    const struct mmc_world world = {
        servers, between_ns, {.kind = SIM_LAW_EXPONENTIAL, .a = service_ns}, INT64_MAX};

    return mmc_run_world(seed, &world, warm_up, customers);
}

struct mmc_result mmc_run_world(uint64_t seed, const struct mmc_world *world, uint32_t warm_up,
                                uint32_t customers)
{
    static struct mmc zero;
    struct mmc m = zero;
    struct sim_arena arena;
    struct sim_event event = {0};
    struct mmc_result result;

    m.servers = world->servers;
    m.late_ns = world->late_ns;
    m.warm_up = warm_up;
    m.total = warm_up + customers;
    m.between_law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = world->between_ns};
    m.service_law = world->service;
    sim_arena_init(&arena, 0);
    assert_i64(sim_queue_init(&m.queue, &arena, 0), 0);
    assert_i64(sim_random_init(&m.random, &arena, seed), 0);
    sim_sequence_init(&m.between, &m.between_law, &m.random, STREAM_BETWEEN, 0, 1);
    sim_sequence_init(&m.service, &m.service_law, &m.random, STREAM_SERVICE, 0, 0);
    m.arrived_ns = SIM_ARENA_NEW(&arena, int64_t, m.total);
    assert_non_null(m.arrived_ns);
    assert_i64(sim_queue_push(&m.queue, 0, SIM_CLASS_HAPPENING, MMC_ARRIVAL, 0, 0), 0);
    while (sim_queue_pop(&m.queue, &event)) {
        count_area(&m, inside(&m));
        if (event.kind == MMC_ARRIVAL) {
            arrive(&m);
        } else {
            depart(&m, event.entity);
        }
    }
    assert_u64(m.busy, 0);
    result = finish(&m);
    sim_arena_release(&arena);
    return result;
}
