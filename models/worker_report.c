// SPDX-License-Identifier: GPL-3.0-or-later
//
// Asking workers for the partitions they hold (flink-recovery.md 4.7, 5.3).
#include "models/world.h"

#include "sim/banned.h"

#define REPORT_CAPACITY_MIN 64u

static struct model_worker *worker_of(struct model_world *w, uint32_t worker)
{
    SIM_DEBUG_ASSERT(worker < w->config->cluster.workers);
    return &w->workers.list[worker];
}

void worker_ask(struct model_world *w, uint32_t worker)
{
    struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(w->master.alive);
    SIM_ASSERT(self->registered == w->master.incarnation);
    if (self->connected) {  // else it is dead, and the question reaches nobody
        world_push(w, w->now_ns + worker_latency_to_worker(w, worker), MODEL_EVENT_WORKER_ASKED,
                   worker, worker_life(self));
    }
}

void worker_asked(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);

    if (!self->connected || life != worker_life(self)) {
        return;
    }
    SIM_ASSERT(self->alive);
    self->in_cleanup = false;
    world_push(w, w->now_ns + worker_latency_to_master(w, worker), MODEL_EVENT_WORKER_REPORT,
               worker, life);
}

bool worker_reserve_report(struct model_world *w, uint32_t n)
{
    struct model_workers *workers = &w->workers;
    uint32_t capacity = workers->report_capacity;

    SIM_ASSERT(n <= UINT32_MAX / 2);
    if (n <= capacity && capacity > 0) {
        return true;
    }
    capacity = capacity < REPORT_CAPACITY_MIN ? REPORT_CAPACITY_MIN : capacity;
    while (capacity < n) {
        capacity *= 2;
    }
    workers->report_capacity = 0;
    workers->report = world_alloc(w, capacity, sizeof(struct recoup_partition));
    workers->report_attempts = world_alloc(w, capacity, sizeof(uint32_t));
    if (workers->report == NULL || workers->report_attempts == NULL) {
        SIM_ASSERT(w->error != 0);
        return false;
    }
    workers->report_capacity = capacity;
    return true;
}

static struct recoup_partition partition_of(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint32_t stage = world_stage_of(w, a->gid);

    SIM_ASSERT(a->partition == MODEL_PARTITION_HELD);
    SIM_ASSERT(a->gid >= w->stages[stage].gid_first);
    return (struct recoup_partition){.stage = stage,
                                     .subtask = a->gid - w->stages[stage].gid_first,
                                     .attempt = (uint64_t)a->incarnation << 32 | attempt,
                                     .bytes = schedule_output_bytes(w, a),
                                     .worker = a->worker};
}

// Lists what the worker holds. The scratch has room for the whole list.
static uint32_t list_held(struct model_world *w, struct model_worker *self)
{
    SIM_ASSERT(self->listed <= w->workers.report_capacity);
    uint32_t n = held_list(w, self, w->workers.report_attempts);

    for (uint32_t i = 0; i < n; i++) {
        w->workers.report[i] = partition_of(w, w->workers.report_attempts[i]);
    }
    SIM_ASSERT(n == self->listed);
    return n;
}

void worker_report(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};

    if (!self->connected || life != worker_life(self) || !w->master.alive ||
        w->master.terminating || self->leader != w->master.incarnation) {
        return;
    }
    SIM_ASSERT(self->registered == self->leader);
    if (!worker_reserve_report(w, self->listed)) {
        return;
    }
    event.worker_report.worker = worker;
    event.worker_report.n_partitions = list_held(w, self);
    event.worker_report.partitions = w->workers.report;
    invariants_worker_report(w, worker, w->workers.report, event.worker_report.n_partitions);
    master_step(w, &event);
}
