// SPDX-License-Identifier: GPL-3.0-or-later
//
// Watching a run event by event: what `recoup diff` and `recoup explain` are made from. Nobody
// watches a usual run, which then pays one comparison an event and one a draw. Watching never
// changes a fingerprint.
//
// Causes need no field in the queue: an event's sequence says how many events had been scheduled
// before it, so the event that scheduled it is the one during which that count was reached.
#ifndef RECOUP_MODELS_OBSERVE_H
#define RECOUP_MODELS_OBSERVE_H

#include <stdint.h>

#include "models/result.h"
#include "sim/event.h"
#include "sim/fingerprint.h"

#define MODEL_STREAMS 18u // streams are numbered from 1 to 17

// The last draw of a stream.
struct model_draw {
    uint64_t count; // draws of the stream so far that were seen
    uint64_t entity;
    uint64_t n;
    int64_t value; // what its law made of it
};

// Whom an event is about. UINT32_MAX where it does not apply.
struct model_subject {
    uint32_t stage;
    uint32_t subtask;
    uint32_t attempt; // n-th of its subtask, from 0
    uint32_t worker;
};

// One event that has been handled.
struct model_step {
    uint64_t number; // from 1; the event number of findings
    struct sim_event event;
    struct model_subject subject;
    uint64_t scheduled_before; // events that had been scheduled when its handling began
    uint64_t scheduled;        // and when it had ended
    const struct sim_fingerprint *fingerprint; // this event included
    const struct model_draw *draws;            // MODEL_STREAMS, by stream
};

// A decision that discarded the work of an attempt, or (`regained`) took that back.
struct model_loss {
    uint64_t number; // of the event during which it was decided
    int64_t time_ns;
    struct model_subject subject;
    enum model_cause cause;
    int64_t ns; // of slot time
    bool regained;
};

// A fault that struck.
struct model_strike {
    uint64_t number; // of the event during which it struck
    int64_t time_ns;
    uint32_t fault;
    uint32_t worker; // UINT32_MAX: the master, or the store
};

struct model_observer {
    void *context;
    void (*step)(void *context, const struct model_step *step);
    void (*lost)(void *context, const struct model_loss *loss);       // may be NULL
    void (*struck)(void *context, const struct model_strike *strike); // may be NULL
};

// What the `entity` of an event of this kind is.
enum model_entity { MODEL_ENTITY_ATTEMPT, MODEL_ENTITY_WORKER, MODEL_ENTITY_OTHER };

// "FINISH_REPORT", "the report of a finish reaches the master"; "UNKNOWN" beyond the known kinds.
const char *model_event_name(uint32_t kind);
const char *model_event_meaning(uint32_t kind);
enum model_entity model_event_entity(uint32_t kind);
// The kind of that name; UINT32_MAX if there is none.
uint32_t model_event_kind_named(const char *name);
// "duration", "deploy"; "" for a number that is no stream.
const char *model_stream_name(uint32_t stream);

// --- for models/ alone ---------------------------------------------------------------------------

struct model_world;

// world_dispatch for an observed run.
void observe_dispatch(struct model_world *w, const struct sim_event *event);
void observe_draw(struct model_world *w, uint32_t stream, uint64_t entity, uint64_t n,
                  int64_t value);
void observe_loss(struct model_world *w, uint32_t attempt, enum model_cause cause, bool regained);
void observe_strike(struct model_world *w, uint32_t fault, uint32_t worker);

#endif
