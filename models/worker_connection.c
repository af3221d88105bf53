// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between workers and masters: who notices the other's end, and when; registration with the next
// master (flink-recovery.md 4.14, 5.1, 5.5; contract.md "Failover").
#include "models/world.h"

#include "sim/banned.h"

static struct model_worker *worker_of(struct model_world *w, uint32_t worker)
{
    SIM_DEBUG_ASSERT(worker < w->config->cluster.workers);
    return &w->workers.list[worker];
}

// What a worker keeps when it notices the loss, and when it does not notice in time.
static bool keeps_when_noticed(const struct model_world *w)
{
    SIM_DEBUG_ASSERT(w->config != NULL);
    return w->config->worker_policy.recovery_enabled;
}

static bool keeps_always(const struct model_world *w)
{
    SIM_DEBUG_ASSERT(w->config != NULL);
    return w->config->worker_policy.recovery_enabled && w->config->worker_policy.retention_by_job;
}

// --- heartbeats ---------------------------------------------------------------------------------

// The first heartbeat request to a worker at or after an instant. They are sent every interval,
// from a phase on that is drawn once a connection.
static int64_t heartbeat_from(struct model_world *w, uint32_t worker, int64_t at_ns)
{
    const struct model_worker *self = worker_of(w, worker);
    int64_t interval_ns = w->config->timeouts.heartbeat_interval_ns;
    struct sim_law phase;
    int64_t first_ns;

    SIM_ASSERT(interval_ns > 0);
    SIM_ASSERT(at_ns >= self->connected_ns);
    phase = (struct sim_law){.kind = SIM_LAW_UNIFORM, .a = 0, .b = interval_ns - 1};
    first_ns = self->connected_ns +
               world_sample(w, &phase, MODEL_STREAM_HEARTBEAT, worker, self->registrations, worker);
    if (first_ns >= at_ns) {
        return first_ns;
    }
    return first_ns + (at_ns - first_ns + interval_ns - 1) / interval_ns * interval_ns;
}

// The last heartbeat before an instant (one at that instant fails), or the connection's begin.
static int64_t heartbeat_before(const struct model_world *w, const struct model_worker *self,
                                int64_t next_ns)
{
    int64_t last_ns = next_ns - w->config->timeouts.heartbeat_interval_ns;

    SIM_ASSERT(next_ns >= self->connected_ns);
    return last_ns > self->connected_ns ? last_ns : self->connected_ns;
}

// True if the worker is connected to the present or, between two, to the last master.
static bool counts_on(const struct model_world *w, const struct model_worker *self)
{
    SIM_DEBUG_ASSERT(SIM_ERGO(self->connected, self->alive));
    SIM_DEBUG_ASSERT(self->leader <= w->master.incarnation);
    return self->connected && self->leader == w->master.incarnation;
}

// --- the master is gone -------------------------------------------------------------------------

// The dead master's view of a worker dies with it: so do the entries that a dead worker's slots
// kept.
static void forget(struct model_world *w, uint32_t worker)
{
    struct model_worker *self = worker_of(w, worker);
    uint32_t slots = w->config->cluster.slots;

    SIM_ASSERT(!w->master.alive);
    self->usable = false;
    if (self->alive && self->connected) {
        return;
    }
    self->registered = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        w->workers.slot_attempt[(size_t)worker * slots + slot] = MODEL_NONE;
    }
}

void workers_master_killed(struct model_world *w)
{
    const struct model_timeouts *timeouts = &w->config->timeouts;

    SIM_ASSERT(!w->master.alive);
    w->workers.published = 0;
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        struct model_worker *self = worker_of(w, i);
        int64_t last_ns;

        forget(w, i);
        if (!counts_on(w, self) || timeouts->heartbeat_timeout_ns <= 0 ||
            timeouts->heartbeat_interval_ns <= 0) {
            continue;
        }
        last_ns = heartbeat_before(w, self, heartbeat_from(w, i, w->now_ns));
        if (last_ns > self->connected_ns) {
            last_ns += worker_latency_to_worker(w, i);
        }
        if (last_ns + timeouts->heartbeat_timeout_ns < w->now_ns) {
            last_ns = w->now_ns - timeouts->heartbeat_timeout_ns;
        }
        world_push(w, last_ns + timeouts->heartbeat_timeout_ns, MODEL_EVENT_WORKER_NOTICE, i,
                   worker_life(self));
    }
}

void workers_master_disconnects(struct model_world *w)
{
    SIM_ASSERT(!w->master.alive);
    w->workers.published = 0;
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        struct model_worker *self = worker_of(w, i);

        forget(w, i);
        if (counts_on(w, self)) {
            world_push(w, w->now_ns + worker_latency_to_worker(w, i), MODEL_EVENT_MASTER_GOODBYE,
                       i, worker_life(self));
        }
    }
}

void worker_master_goodbye(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);

    if (self->connected && life == worker_life(self)) {
        SIM_ASSERT(self->alive);
        SIM_ASSERT(!w->master.alive || self->leader != w->master.incarnation);
        worker_disconnect(w, worker, keeps_always(w));
    }
}

void worker_notice(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);

    if (self->connected && life == worker_life(self)) {
        SIM_ASSERT(self->alive);
        SIM_ASSERT(!w->master.alive || self->leader != w->master.incarnation);
        worker_disconnect(w, worker, keeps_when_noticed(w));
    }
}

void workers_told(struct model_world *w)
{
    SIM_ASSERT(w->workers.telling > 0);
    w->workers.telling--;
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        struct model_worker *self = worker_of(w, i);

        // A worker that came back meanwhile may have found the new master by itself.
        if (self->connected && !(w->master.alive && counts_on(w, self))) {
            worker_disconnect(w, i, keeps_when_noticed(w));
        }
    }
    if (w->workers.telling == 0 && w->workers.published != 0) {
        workers_leader_published(w);  // it came before this news; notices arrive in their order
    }
}

// --- registration -------------------------------------------------------------------------------

void workers_leader_published(struct model_world *w)
{
    SIM_ASSERT(w->master.alive);
    w->workers.published = w->master.incarnation;
    if (w->workers.telling > 0) {
        return;  // whoever waits for the news of the loss learns of the new leader right after it
    }
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        if (worker_of(w, i)->alive && !counts_on(w, worker_of(w, i))) {
            worker_leader_seen(w, i, w->master.incarnation);
        }
    }
}

void worker_leader_seen(struct model_world *w, uint32_t worker, uint64_t incarnation)
{
    const struct model_cluster *cluster = &w->config->cluster;
    struct model_worker *self = worker_of(w, worker);
    int64_t after_ns;

    SIM_ASSERT(incarnation > 0 && incarnation <= UINT32_MAX);
    if (!self->alive || incarnation != w->workers.published) {
        return;
    }
    if (cluster->reconnect_given) {
        after_ns = world_sample(w, &cluster->reconnect, MODEL_STREAM_RECONNECT, worker,
                                self->reconnects, worker);
        self->reconnects++;
    } else {
        after_ns = worker_latency_to_master(w, worker);
    }
    world_push(w, w->now_ns + after_ns, MODEL_EVENT_WORKER_REGISTER, worker,
               (uint64_t)self->deaths << 32 | incarnation);
}

// The registration that the master has of a worker ends; it learns of the death, if only now.
static void lose_registration(struct model_world *w, uint32_t worker)
{
    struct model_worker *self = worker_of(w, worker);
    uint32_t slots = w->config->cluster.slots;

    SIM_ASSERT(self->registered == w->master.incarnation);
    SIM_ASSERT(!self->connected);
    self->usable = false;
    master_worker_lost(w, worker);
    self->registered = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        w->workers.slot_attempt[(size_t)worker * slots + slot] = MODEL_NONE;
    }
}

static void begin_connection(struct model_world *w, struct model_worker *self)
{
    SIM_ASSERT(self->alive);
    SIM_ASSERT(!self->connected);
    self->connected = true;
    self->leader = w->master.incarnation;
    self->registered = w->master.incarnation;
    self->connection++;
    self->connected_ns = w->now_ns;
    self->registrations++;
    if (w->config->worker_policy.retention_timer_keyed) {
        self->in_cleanup = false;
    }
}

// True if the master that the worker registered with is still there to go on with it.
static bool still_registered(const struct model_world *w, const struct model_worker *self)
{
    SIM_DEBUG_ASSERT(self->connection > 0);
    return w->error == 0 && !w->ended && w->master.alive && self->connected &&
           self->registered == w->master.incarnation;
}

// Slots that the worker kept for the job since it lost its last master serve at once; else they are
// asked for again, which takes a round trip. A new process has given nothing away yet, but has no
// slot of the job either.
static void offer_slots(struct model_world *w, uint32_t worker, bool kept)
{
    struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(self->connected);
    SIM_ASSERT(!self->usable);
    if (kept) {
        self->usable = true;
        schedule_worker_usable(w, worker);
        return;
    }
    world_push(w, w->now_ns + worker_latency_to_worker(w, worker) +
                      worker_latency_to_master(w, worker),
               MODEL_EVENT_WORKER_SLOTS_READY, worker, worker_life(self));
}

void worker_register(struct model_world *w, uint32_t worker, uint64_t arg)
{
    struct model_worker *self = worker_of(w, worker);
    bool same_life = self->alive && arg >> 32 == self->deaths;
    bool fresh = self->leader == 0;

    SIM_ASSERT((uint32_t)arg > 0);
    if (!same_life || w->ended || !w->master.started || w->master.terminating ||
        (uint32_t)arg != w->master.incarnation ||
        counts_on(w, self)) {
        return;
    }
    if (self->connected) {
        worker_disconnect(w, worker, keeps_always(w));  // it "found a new job leader"
    }
    if (self->registered == w->master.incarnation) {
        lose_registration(w, worker);
        if (!w->master.alive || w->ended) {
            return;
        }
    }
    begin_connection(w, self);
    master_worker_registered(w, worker);
    if (still_registered(w, self) && w->master.asking) {
        worker_ask(w, worker);
    }
    if (still_registered(w, self)) {
        offer_slots(w, worker, !fresh && w->now_ns - self->disconnected_ns <=
                                             w->config->timeouts.slot_timeout_ns);
    }
}

void worker_slots_ready(struct model_world *w, uint32_t worker, uint64_t life)
{
    struct model_worker *self = worker_of(w, worker);

    if (still_registered(w, self) && life == worker_life(self)) {
        SIM_ASSERT(!self->usable);
        self->usable = true;
        schedule_worker_usable(w, worker);
    }
}

// --- the worker is gone -------------------------------------------------------------------------

// When failed heartbeats tell the master: at the last of the tolerated number of failed requests,
// or after a whole heartbeat timeout without an answer.
static int64_t silence_noticed(struct model_world *w, uint32_t worker)
{
    const struct model_timeouts *timeouts = &w->config->timeouts;
    int64_t next_ns, by_timeout_ns, by_failures_ns;

    if (timeouts->heartbeat_interval_ns <= 0) {
        return w->now_ns;  // no heartbeats are modelled: the broken connection tells
    }
    next_ns = heartbeat_from(w, worker, w->now_ns);
    by_timeout_ns = heartbeat_before(w, worker_of(w, worker), next_ns) +
                    timeouts->heartbeat_timeout_ns;
    if (by_timeout_ns < w->now_ns) {
        by_timeout_ns = w->now_ns;
    }
    if (timeouts->heartbeat_rpc_failures <= 0) {
        return by_timeout_ns;
    }
    by_failures_ns = next_ns + (timeouts->heartbeat_rpc_failures - 1) *
                                   timeouts->heartbeat_interval_ns;
    SIM_ASSERT(by_failures_ns >= w->now_ns);
    return by_failures_ns < by_timeout_ns ? by_failures_ns : by_timeout_ns;
}

void worker_death_unnoticed(struct model_world *w, uint32_t worker, bool graceful)
{
    const struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(self->alive);
    if (!w->master.alive || !counts_on(w, self)) {
        return;  // nobody waits for it
    }
    SIM_ASSERT(self->registered == w->master.incarnation);
    if (graceful) {
        world_push(w, w->now_ns + worker_latency_to_master(w, worker), MODEL_EVENT_WORKER_GOODBYE,
                   worker, self->registrations);
    } else {
        world_push(w, silence_noticed(w, worker), MODEL_EVENT_WORKER_DEAD_NOTICED, worker,
                   self->registrations);
    }
}

void worker_dead_noticed(struct model_world *w, uint32_t worker, uint64_t registration)
{
    struct model_worker *self = worker_of(w, worker);

    SIM_ASSERT(registration > 0);
    if (w->ended || !w->master.alive || self->registered != w->master.incarnation ||
        self->registrations != registration) {
        return;  // its master is gone, or the worker came back first
    }
    SIM_ASSERT(!self->connected);
    lose_registration(w, worker);
}
