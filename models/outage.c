// SPDX-License-Identifier: GPL-3.0-or-later
//
// The outage ledger and the ledger of protection.
#include "models/outage.h"

#include <stdlib.h>
#include <string.h>

#include "models/world.h"
#include "sim/banned.h"

#define OUTAGE_CAPACITY_FIRST 16u
#define OUTAGE_LANE 0u // of the masters' track; incarnations have theirs from 1

void outage_init(struct model_world *w)
{
    struct model_outage *outage = &w->outage;

    SIM_ASSERT(w->now_ns == 0);
    SIM_ASSERT(!outage->open);
    memset(outage, 0, sizeof(*outage));
    outage->recording_since_ns = -1;
    outage->leading_since_ns = -1;
}

static struct model_failover *outage_last(struct model_world *w)
{
    SIM_ASSERT(w->outage.n_failovers > 0);
    SIM_ASSERT(w->outage.n_failovers <= w->outage.capacity);
    return &w->outage.failovers[w->outage.n_failovers - 1];
}

static struct model_failover *outage_push(struct model_world *w)
{
    struct model_outage *outage = &w->outage;

    if (outage->n_failovers == outage->capacity) {
        uint32_t capacity = outage->capacity == 0 ? OUTAGE_CAPACITY_FIRST : outage->capacity * 2;
        struct model_failover *grown = world_alloc(w, capacity, sizeof(*grown));

        if (grown == NULL) {
            return NULL;
        }
        if (outage->n_failovers > 0) {
            memcpy(grown, outage->failovers, outage->n_failovers * sizeof(*grown));
        }
        outage->failovers = grown;
        outage->capacity = capacity;
    }
    SIM_ASSERT(outage->n_failovers < outage->capacity);
    outage->n_failovers++;
    memset(outage_last(w), 0, sizeof(struct model_failover));
    return outage_last(w);
}

// Ends the running phase now.
static void outage_close_phase(struct model_world *w)
{
    struct model_outage *outage = &w->outage;

    SIM_ASSERT(outage->open);
    SIM_ASSERT(outage->phase_since_ns <= w->now_ns);
    outage_last(w)->phase_ns[outage->phase] += w->now_ns - outage->phase_since_ns;
    if (w->now_ns > outage->phase_since_ns) {
        sim_trace_span(w->options->trace, MODEL_TRACK_MASTER, OUTAGE_LANE,
                       model_phase_name(outage->phase), outage->phase_since_ns, w->now_ns);
    }
    outage->phase_since_ns = w->now_ns;
}

static void outage_close(struct model_world *w)
{
    struct model_outage *outage = &w->outage;
    struct model_failover *failover = outage_last(w);

    outage_close_phase(w);
    failover->outage_ns = w->now_ns - failover->at_ns;
    outage->open = false;
    SIM_ASSERT(failover->outage_ns >= 0);
    SIM_ASSERT(outage->n_failovers > 0);
}

void outage_begin(struct model_world *w, uint64_t held_as_finished)
{
    struct model_outage *outage = &w->outage;
    struct model_failover *failover;
    uint64_t held = held_as_finished;

    SIM_ASSERT(held_as_finished <= w->n_subtasks);
    if (outage->open) {
        if (!outage->settled) {
            // Its master held nothing; whether it is forgotten for good the next one decides.
            held = outage->held_at_death;
            outage_last(w)->finished_forgotten = held;
        }
        outage_close(w);
        outage_last(w)->result = MODEL_FAILOVER_FAILED;
    }
    failover = outage_push(w);
    if (failover == NULL) {
        return;
    }
    failover->at_ns = w->now_ns;
    failover->result = MODEL_FAILOVER_FAILED; // until it is recovered or restarted
    outage->open = true;
    outage->settled = false;
    outage->phase = MODEL_PHASE_DETECT;
    outage->phase_since_ns = w->now_ns;
    outage->held_at_death = held;
    SIM_ASSERT(failover->outage_ns == 0);
}

void outage_enter(struct model_world *w, enum model_phase next)
{
    SIM_ASSERT(next > MODEL_PHASE_DETECT);
    SIM_ASSERT(next < MODEL_PHASE_COUNT);
    if (!w->outage.open || next <= w->outage.phase) {
        return;
    }
    outage_close_phase(w);
    w->outage.phase = next;
}

void outage_recovered(struct model_world *w, enum model_failover_result result,
                      uint64_t events_replayed, uint64_t finished_recovered)
{
    struct model_outage *outage = &w->outage;
    struct model_failover *failover;

    SIM_ASSERT(result != MODEL_FAILOVER_FAILED);
    if (!outage->open || outage->settled) {
        return;
    }
    failover = outage_last(w);
    failover->result = result;
    failover->events_replayed = events_replayed;
    failover->finished_recovered =
        finished_recovered < outage->held_at_death ? finished_recovered : outage->held_at_death;
    failover->finished_forgotten = outage->held_at_death - failover->finished_recovered;
    w->ledger.finished_forgotten += failover->finished_forgotten;
    outage->settled = true;
    SIM_ASSERT(failover->finished_recovered + failover->finished_forgotten ==
               outage->held_at_death);
}

void outage_end(struct model_world *w)
{
    SIM_ASSERT(SIM_ERGO(w->outage.open, w->outage.n_failovers > 0));
    if (w->outage.open && !w->outage.settled) {
        outage_last(w)->finished_forgotten = w->outage.held_at_death;
        w->ledger.finished_forgotten += w->outage.held_at_death;
    }
    if (w->outage.open) {
        outage_close(w);
    }
    SIM_ASSERT(!w->outage.open);
}

// --- protection ----------------------------------------------------------------------------------

void protection_leader_started(struct model_world *w)
{
    SIM_ASSERT(w->outage.leading_since_ns == -1);
    SIM_ASSERT(w->outage.recording_since_ns == -1);
    w->outage.leading_since_ns = w->now_ns;
}

void protection_recording(struct model_world *w, bool on)
{
    struct model_outage *outage = &w->outage;

    SIM_ASSERT(outage->recording_since_ns <= w->now_ns);
    SIM_ASSERT(SIM_ERGO(outage->recording_since_ns >= 0, outage->leading_since_ns >= 0));
    if (outage->leading_since_ns < 0 || on == (outage->recording_since_ns >= 0)) {
        return;
    }
    // The stretch that ends here is of the kind that was.
    if (on) {
        outage->unprotected_ns += w->now_ns - outage->leading_since_ns;
        outage->recording_since_ns = w->now_ns;
    } else {
        outage->recording_ns += w->now_ns - outage->recording_since_ns;
        outage->recording_since_ns = -1;
    }
    // From here on the next stretch is counted.
    outage->leading_since_ns = w->now_ns;
}

void protection_leader_ended(struct model_world *w)
{
    struct model_outage *outage = &w->outage;

    SIM_ASSERT(outage->leading_since_ns <= w->now_ns);
    if (outage->leading_since_ns < 0) {
        return;
    }
    if (outage->recording_since_ns >= 0) {
        outage->recording_ns += w->now_ns - outage->recording_since_ns;
    } else {
        outage->unprotected_ns += w->now_ns - outage->leading_since_ns;
    }
    outage->recording_since_ns = -1;
    outage->leading_since_ns = -1;
    SIM_ASSERT(outage->recording_ns >= 0);
}

// --- the end -------------------------------------------------------------------------------------

// R12: the phases partition the outage, and outages do not overlap.
static void outage_check(struct model_world *w)
{
    int64_t free_from_ns = 0;

    SIM_ASSERT(!w->outage.open);
    for (uint32_t i = 0; i < w->outage.n_failovers; i++) {
        const struct model_failover *failover = &w->outage.failovers[i];
        int64_t sum_ns = 0;

        for (int phase = 0; phase < MODEL_PHASE_COUNT; phase++) {
            SIM_ASSERT(failover->phase_ns[phase] >= 0);
            sum_ns += failover->phase_ns[phase];
        }
        if (sum_ns != failover->outage_ns) {
            invariants_finding(w, "R12", "phases sum up to %llu ns in an outage of %llu ns",
                               (uint64_t)sum_ns, (uint64_t)failover->outage_ns);
        }
        if (failover->at_ns < free_from_ns) {
            invariants_finding(w, "R12", "failover %llu began at %llu ns, within the outage before",
                               i, (uint64_t)failover->at_ns);
        }
        free_from_ns = failover->at_ns + failover->outage_ns;
    }
}

void outage_finish(struct model_world *w, struct model_result *result)
{
    struct model_outage *outage = &w->outage;

    SIM_ASSERT(w->ended);
    SIM_ASSERT(result->failovers == NULL);
    outage_end(w);
    protection_leader_ended(w);
    outage_check(w);
    result->recording_ns = outage->recording_ns;
    result->unprotected_ns = outage->unprotected_ns;
    result->outage_ns = 0;
    if (outage->n_failovers == 0) {
        return;
    }
    result->failovers = malloc(outage->n_failovers * sizeof(*result->failovers));
    if (result->failovers == NULL) {
        w->error = SIM_ENOMEM;
        return;
    }
    memcpy(result->failovers, outage->failovers, outage->n_failovers * sizeof(*result->failovers));
    result->n_failovers = outage->n_failovers;
    for (uint32_t i = 0; i < outage->n_failovers; i++) {
        result->outage_ns += outage->failovers[i].outage_ns;
    }
}
