// SPDX-License-Identifier: GPL-3.0-or-later
//
// From a master's death to the next master; see election.h.
#include "models/election.h"

#include "models/world.h"

#include "sim/banned.h"

#define ZOOKEEPER_PINGS 3  // in one session timeout

// How long ago something happened that happens every `period_ns`, at a uniform phase.
static int64_t phase_ns(struct model_world *w, enum model_stream stream, int64_t period_ns)
{
    struct sim_law law = {.kind = SIM_LAW_UNIFORM, .a = 0, .b = period_ns - 1};

    SIM_ASSERT(stream == MODEL_STREAM_ELECTION_RENEW || stream == MODEL_STREAM_ELECTION_POLL);
    if (period_ns <= 0) {
        return 0;
    }
    return world_sample(w, &law, stream, 0, w->election.incarnation, 0);
}

// How long a claim that is renewed every `period_ns` and lives for `life_ns` outlives its holder.
static int64_t claim_ns(struct model_world *w, int64_t life_ns, int64_t period_ns)
{
    struct model_election *e = &w->election;
    int64_t since_ns = phase_ns(w, MODEL_STREAM_ELECTION_RENEW, period_ns);

    SIM_ASSERT(life_ns >= 0);
    SIM_ASSERT(e->granted_ns <= w->now_ns);
    // Being granted renews it; the first leader has been there for ever.
    if (e->incarnation > 1 && since_ns > w->now_ns - e->granted_ns) {
        since_ns = w->now_ns - e->granted_ns;
    }
    return life_ns > since_ns ? life_ns - since_ns : 0;
}

static int64_t detection_ns(struct model_world *w)
{
    const struct model_ha *ha = &w->config->ha;
    int64_t session_ns = ha->session_timeout_ns;

    SIM_ASSERT(ha->kind != MODEL_HA_NONE);
    if (w->election.graceful) {
        return 0;
    }
    if (ha->kind == MODEL_HA_FIXED) {
        return world_sample(w, &ha->detect, MODEL_STREAM_DETECT, 0, w->election.incarnation,
                            w->election.incarnation);
    }
    if (ha->kind == MODEL_HA_KUBERNETES) {
        return claim_ns(w, ha->lease_duration_ns, ha->retry_period_ns);
    }
    SIM_ASSERT(ha->kind == MODEL_HA_ZOOKEEPER);
    if (ha->session_granted_max_ns > 0 && session_ns > ha->session_granted_max_ns) {
        session_ns = ha->session_granted_max_ns;
    }
    return claim_ns(w, session_ns, session_ns / ZOOKEEPER_PINGS);
}

void election_leader_gone(struct model_world *w, bool graceful)
{
    struct model_election *e = &w->election;

    SIM_ASSERT(e->leading);
    SIM_ASSERT(!w->master.alive);
    e->leading = false;
    e->graceful = graceful;
    e->died_ns = w->now_ns;
    (void)sim_queue_cancel(&w->queue, e->start);
    e->start = SIM_NO_HANDLE;
    if (w->config->ha.kind == MODEL_HA_NONE) {
        world_end(w, MODEL_JOB_FAILED);
        return;
    }
    SIM_ASSERT(!sim_queue_pending(&w->queue, e->handle));
    e->handle = world_push_cancellable(w, w->now_ns + detection_ns(w), MODEL_EVENT_LEADERSHIP_LOST,
                                       0, e->incarnation);
}

// When there is a process that could lead; false: there will never be one.
static bool contender_at(struct model_world *w, int64_t *at_ns)
{
    const struct model_master *master = &w->config->master;
    struct model_election *e = &w->election;

    *at_ns = w->now_ns;
    SIM_ASSERT(e->died_ns <= w->now_ns);
    if (master->standby) {
        return true;
    }
    if (master->restart_never) {
        return false;
    }
    *at_ns = e->died_ns + world_sample(w, &master->restart, MODEL_STREAM_MASTER_RESTART, 0,
                                       e->incarnation, e->incarnation);
    SIM_ASSERT(*at_ns >= e->died_ns);
    return true;
}

// When the contender notices that the claim is free: at its next poll, or when it starts.
static int64_t noticed_ns(struct model_world *w, int64_t there_ns)
{
    const struct model_ha *ha = &w->config->ha;
    bool waits = there_ns <= w->now_ns;

    SIM_ASSERT(ha->kind != MODEL_HA_NONE);
    if (!waits) {
        return there_ns;
    }
    if (ha->kind != MODEL_HA_KUBERNETES) {
        return w->now_ns;
    }
    return w->now_ns + phase_ns(w, MODEL_STREAM_ELECTION_POLL, ha->retry_period_ns);
}

static void tell_workers(struct model_world *w)
{
    int64_t latency_ns;

    SIM_ASSERT(!w->master.alive);
    SIM_ASSERT(w->workers.published == 0);
    if (w->config->ha.kind == MODEL_HA_KUBERNETES) {
        return;
    }
    latency_ns = world_sample(w, &w->config->network_latency, MODEL_STREAM_LATENCY_HA, 0,
                              w->election.incarnation, w->election.incarnation);
    w->workers.telling++;
    world_push(w, w->now_ns + latency_ns, MODEL_EVENT_WORKERS_TOLD, 0, w->election.incarnation);
}

void election_lost(struct model_world *w)
{
    struct model_election *e = &w->election;
    int64_t there_ns;

    SIM_ASSERT(!e->leading);
    SIM_ASSERT(w->now_ns >= e->died_ns);
    outage_enter(w, MODEL_PHASE_ELECT);
    if (w->zombies.alive > 0) {
        zombie_leadership_lost(w, e->incarnation);
    }
    tell_workers(w);
    if (!contender_at(w, &there_ns)) {
        world_end(w, MODEL_JOB_SUSPENDED);
        return;
    }
    e->handle = world_push_cancellable(w, noticed_ns(w, there_ns), MODEL_EVENT_LEADERSHIP_GRANTED,
                                       0, e->incarnation + 1);
}

void election_granted(struct model_world *w)
{
    struct model_election *e = &w->election;
    int64_t start_ns;

    SIM_ASSERT(!e->leading);
    SIM_ASSERT(e->incarnation < UINT32_MAX);
    e->incarnation++;
    e->leading = true;
    e->granted_ns = w->now_ns;
    outage_enter(w, MODEL_PHASE_START);
    // Scheduled first: a fault that strikes at the grant must find it to cancel it.
    start_ns = world_sample(w, &w->config->master.start, MODEL_STREAM_MASTER_START, 0,
                            e->incarnation, e->incarnation);
    e->start = world_push_cancellable(w, w->now_ns + start_ns, MODEL_EVENT_MASTER_START, 0,
                                      e->incarnation);
    master_granted(w);
    SIM_ASSERT(SIM_ERGO(w->master.alive, w->master.incarnation == e->incarnation));
}
