// SPDX-License-Identifier: GPL-3.0-or-later
//
// A worker process: its slots, its partitions, its death and return.
#include "models/worker.h"

#include "models/world.h"

#include "sim/banned.h"

int workers_init(struct model_world *w)
{
    const struct model_cluster *cluster = &w->config->cluster;
    struct model_workers *workers = &w->workers;
    size_t slots = (size_t)cluster->workers * cluster->slots;

    SIM_ASSERT(cluster->workers > 0 && cluster->workers <= MODEL_WORKERS_MAX);
    SIM_ASSERT(cluster->slots > 0 && cluster->slots <= MODEL_SLOTS_MAX);
    *workers = (struct model_workers){.n_alive = cluster->workers, .published = 1};
    workers->list = world_alloc(w, cluster->workers, sizeof(struct model_worker));
    workers->slot_attempt = world_alloc(w, slots, sizeof(uint32_t));
    if (workers->list == NULL || workers->slot_attempt == NULL) {
        return SIM_ENOMEM;
    }
    held_init(w);
    for (uint32_t i = 0; i < cluster->workers; i++) {
        workers->list[i] = (struct model_worker){
            .alive = true, .connected = true, .usable = true, .leader = 1, .registered = 1,
            .connection = 1, .registrations = 1, .held = {.older = MODEL_NONE},
            .expired_ns = -1, .early_ns = -1};
    }
    for (size_t i = 0; i < slots; i++) {
        workers->slot_attempt[i] = MODEL_NONE;
    }
    return 0;
}

static struct model_worker *worker_of(struct model_world *w, uint32_t worker)
{
    SIM_DEBUG_ASSERT(worker < w->config->cluster.workers);
    return &w->workers.list[worker];
}

// The slots of one worker.
static uint32_t *slots_of(struct model_world *w, uint32_t worker)
{
    SIM_DEBUG_ASSERT(worker < w->config->cluster.workers);
    return w->workers.slot_attempt + (size_t)worker * w->config->cluster.slots;
}

uint64_t worker_life(const struct model_worker *worker)
{
    SIM_DEBUG_ASSERT(worker->connection > 0);
    return (uint64_t)worker->deaths << 32 | worker->connection;
}

int64_t worker_latency_to_master(struct model_world *w, uint32_t worker)
{
    uint32_t n = worker_of(w, worker)->messages_to_master++;

    SIM_DEBUG_ASSERT(n < UINT32_MAX);
    return world_sample(w, &w->config->network_latency, MODEL_STREAM_LATENCY_TO_MASTER, worker, n,
                        n);
}

int64_t worker_latency_to_worker(struct model_world *w, uint32_t worker)
{
    uint32_t n = worker_of(w, worker)->messages_to_worker++;

    SIM_DEBUG_ASSERT(n < UINT32_MAX);
    return world_sample(w, &w->config->network_latency, MODEL_STREAM_LATENCY_TO_WORKER, worker, n,
                        n);
}

// --- slots --------------------------------------------------------------------------------------

void worker_occupy(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    const struct model_worker *worker = worker_of(w, a->worker);
    uint32_t *slot = slots_of(w, a->worker) + a->slot;

    SIM_ASSERT(a->state == MODEL_ATTEMPT_DEPLOYING);
    SIM_ASSERT(a->slot < w->config->cluster.slots);
    SIM_ASSERT(*slot == MODEL_NONE);
    *slot = attempt;
    if (!worker->connected || worker->leader != a->incarnation) {
        a->state = MODEL_ATTEMPT_ENDED;  // the order reaches nobody; its master does not know yet
    }
    SIM_ASSERT(SIM_ERGO(worker->connected, worker->alive));
}

void worker_vacate(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    const struct model_worker *worker = worker_of(w, a->worker);
    uint32_t *slot = slots_of(w, a->worker) + a->slot;

    SIM_ASSERT(a->slot < w->config->cluster.slots);
    if (*slot != attempt) {
        return;
    }
    *slot = MODEL_NONE;
    if (worker->usable && w->master.alive && worker->registered == w->master.incarnation) {
        SIM_ASSERT(a->incarnation == w->master.incarnation);
        schedule_slot_free(w, a->worker, a->slot);
    }
}

// --- partitions ---------------------------------------------------------------------------------

void worker_hold(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    struct model_worker *worker = worker_of(w, a->worker);

    SIM_ASSERT(a->partition == MODEL_PARTITION_NONE);
    SIM_ASSERT(worker->alive);
    a->partition = MODEL_PARTITION_HELD;
    held_add(w, worker, attempt);
}

// A held partition is gone, for ever.
static void drop(struct model_world *w, uint32_t attempt, enum model_partition_state to)
{
    struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(a->partition == MODEL_PARTITION_HELD);
    SIM_ASSERT(to == MODEL_PARTITION_RELEASED || to == MODEL_PARTITION_LOST);
    a->partition = (uint8_t)to;
    schedule_partition_gone(w, attempt);
}

void worker_release(struct model_world *w, uint32_t attempt)
{
    SIM_ASSERT(attempt < w->n_attempts);
    // A worker that is gone cannot drop anything, nor one that the master only thinks is there.
    if (world_attempt(w, attempt)->partition == MODEL_PARTITION_HELD) {
        SIM_ASSERT(worker_of(w, world_attempt(w, attempt)->worker)->alive);
        drop(w, attempt, MODEL_PARTITION_RELEASED);
    }
}

static void drop_all(struct model_world *w, uint32_t worker, enum model_partition_state to)
{
    struct model_worker *self = worker_of(w, worker);

    if (!worker_reserve_report(w, self->listed)) {
        return;
    }
    uint32_t n = held_list(w, self, w->workers.report_attempts);
    for (uint32_t i = 0; i < n; i++) {
        SIM_ASSERT(world_attempt(w, w->workers.report_attempts[i])->worker == worker);
        drop(w, w->workers.report_attempts[i], to);
    }
    held_clear(w, self);
    SIM_ASSERT(self->listed == 0);
}

// --- the ends of attempts -----------------------------------------------------------------------

void worker_cancel(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    bool finished = a->state == MODEL_ATTEMPT_REPORTING;

    SIM_ASSERT(attempt < w->n_attempts);
    if (a->state != MODEL_ATTEMPT_DEPLOYING && a->state != MODEL_ATTEMPT_RUNNING && !finished) {
        return;  // it ended by itself, or with its worker or master
    }
    SIM_ASSERT(a->incarnation == w->master.incarnation);
    if (a->state == MODEL_ATTEMPT_RUNNING) {
        ledger_stopped(w, attempt);
    }
    if (a->state != MODEL_ATTEMPT_DEPLOYING) {
        ledger_lose_unfinished(w, attempt, MODEL_CAUSE_DOWNSTREAM_OF_RESET);
    }
    a->state = MODEL_ATTEMPT_ENDED;
    if (a->partition == MODEL_PARTITION_HELD) {
        drop(w, attempt, MODEL_PARTITION_RELEASED);
    }
    worker_vacate(w, attempt);
}

static void end_orphan(struct model_world *w, uint32_t attempt);

void worker_displaced(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(attempt < w->n_attempts);
    if (a->state == MODEL_ATTEMPT_ORPHANED) {
        end_orphan(w, attempt);
    } else if (a->partition == MODEL_PARTITION_HELD) {
        drop(w, attempt, MODEL_PARTITION_RELEASED); // it came to its end first
    }
    SIM_ASSERT(a->state == MODEL_ATTEMPT_ENDED);
    if (w->master.running && !w->ended) {
        schedule_deploy(w);
    }
}

static void end_orphan(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(a->state == MODEL_ATTEMPT_ORPHANED);
    SIM_ASSERT(a->partition == MODEL_PARTITION_NONE);
    ledger_orphaned(w, w->now_ns - a->end_ns);
    a->state = MODEL_ATTEMPT_ENDED;
    worker_vacate(w, attempt);
}

// An attempt whose worker dies. Its slot keeps it, for the master does not know yet. A finish
// report on its way arrives all the same, unless the master dies, too.
static void kill_attempt(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(attempt < w->n_attempts);
    if (a->state == MODEL_ATTEMPT_ORPHANED) {
        end_orphan(w, attempt);
    } else if (a->state == MODEL_ATTEMPT_RUNNING) {
        SIM_ASSERT(w->master.alive);
        ledger_stopped(w, attempt);
        ledger_lose_unfinished(w, attempt, MODEL_CAUSE_WORKER_FAILURE);
        a->state = MODEL_ATTEMPT_ENDED;
    } else if (a->state == MODEL_ATTEMPT_DEPLOYING) {
        a->state = MODEL_ATTEMPT_ENDED;
    } else if (a->state == MODEL_ATTEMPT_REPORTING) {
        a->worker_died = true;
    }
}

// --- death and return ---------------------------------------------------------------------------

void worker_kill(struct model_world *w, uint32_t worker, bool graceful)
{
    const struct model_cluster *cluster = &w->config->cluster;
    struct model_worker *self = worker_of(w, worker);

    if (!self->alive || w->ended) {
        return;
    }
    SIM_ASSERT(w->workers.n_alive > 0);
    for (uint32_t slot = 0; slot < cluster->slots; slot++) {
        uint32_t attempt = slots_of(w, worker)[slot];

        if (attempt != MODEL_NONE) {
            kill_attempt(w, attempt);
        }
    }
    drop_all(w, worker, MODEL_PARTITION_LOST);
    worker_death_unnoticed(w, worker, graceful);
    self->alive = false;
    self->connected = false;
    self->in_cleanup = false;
    self->connection++;
    self->deaths++;
    w->workers.n_alive--;
    faults_worker_dead(w, worker);
    if (!cluster->restart_never) {
        int64_t after_ns = world_sample(w, &cluster->restart, MODEL_STREAM_WORKER_RESTART, worker,
                                        self->deaths - 1, worker);

        world_push(w, w->now_ns + after_ns, MODEL_EVENT_WORKER_BACK, worker, 0);
    }
    SIM_ASSERT(self->listed == 0 || w->error != 0);
}

void worker_back(struct model_world *w, uint32_t worker)
{
    struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(!self->alive);
    SIM_ASSERT(!self->connected);
    self->alive = true;
    self->leader = 0;
    w->workers.n_alive++;
    SIM_ASSERT(w->workers.n_alive <= w->config->cluster.workers);
    faults_worker_alive(w, worker);
    if (w->workers.published != 0) {
        worker_leader_seen(w, worker, w->workers.published);
    }
}

// --- disconnects --------------------------------------------------------------------------------

void worker_disconnect(struct model_world *w, uint32_t worker, bool keep_partitions)
{
    const struct model_timeouts *timeouts = &w->config->timeouts;
    struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(self->alive);
    SIM_ASSERT(self->connected);
    for (uint32_t slot = 0; slot < w->config->cluster.slots; slot++) {
        uint32_t attempt = slots_of(w, worker)[slot];

        if (attempt != MODEL_NONE &&
            world_attempt(w, attempt)->state == MODEL_ATTEMPT_ORPHANED) {
            end_orphan(w, attempt);
        }
    }
    self->connected = false;
    self->connection++;
    self->disconnected_ns = w->now_ns;
    if (!keep_partitions) {
        drop_all(w, worker, MODEL_PARTITION_RELEASED);
        return;
    }
    self->in_cleanup = true;
    if (timeouts->worker_registration_timeout_ns > 0) {
        world_push(w, w->now_ns + timeouts->worker_registration_timeout_ns,
                   MODEL_EVENT_WORKER_RETENTION, worker, worker_life(self));
    }
}

// Flink's timer belongs to no disconnect: it looks only at the present state (H36).
void worker_retention_expired(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);
    bool same_life = self->alive && life >> 32 == self->deaths;
    bool keyed = w->config->worker_policy.retention_timer_keyed;

    SIM_ASSERT((uint32_t)life > 0);
    SIM_ASSERT(SIM_ERGO(same_life, (uint32_t)life <= self->connection));
    if (!same_life || (keyed && life != worker_life(self))) {
        return;
    }
    bool due = !self->connected && w->now_ns - self->disconnected_ns >=
                                       w->config->timeouts.worker_registration_timeout_ns;
    if (due) {
        self->expired_ns = w->now_ns;
    }
    if (!self->connected || (self->in_cleanup && !keyed)) {
        self->early_ns = due ? self->early_ns : w->now_ns;
        self->in_cleanup = false;
        drop_all(w, worker, MODEL_PARTITION_RELEASED);
    }
}
