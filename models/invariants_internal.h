// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the invariants_*.c files share: the shadow state, kept from the hooks alone.
#ifndef RECOUP_MODELS_INVARIANTS_INTERNAL_H
#define RECOUP_MODELS_INVARIANTS_INTERNAL_H

#include "models/world.h"

// Marks in `held`: the attempt was held as finished, and is not now.
#define INVARIANT_TAKEN ((uint32_t)1 << 31)

// Flags of invariant_shadow.
#define INVARIANT_FINISHED 1u // its finish was accepted once
#define INVARIANT_RELEASED 2u // a master ordered its partition to be released

enum invariant_how {       // an attempt was taken back
    INVARIANT_FORGOTTEN,   // by a replay: trimmed, not recorded, unreadable
    INVARIANT_IN_RECOVERY, // by a reset before RECOVERED
    INVARIANT_RUNNING,     // by a reset of a running master
    INVARIANT_UNPROTECTED, // the same, while recording was off
};

struct invariant_shadow { // of one attempt
    uint32_t taking;      // 1 + index of its last taking back, 0: none or held again
    uint32_t reported;    // incarnation to which a worker last reported its partition in time
    uint32_t flags;
    uint32_t adopted;       // incarnation that holds it as finished again, 0: none
    uint32_t adopted_event; // the event of that in its log, 0: not recorded
};

struct invariant_taking {
    uint32_t attempt;
    uint32_t incarnation; // whose decision it was
    uint32_t event;       // last event that this incarnation had accepted by then
    uint32_t how;         // enum invariant_how
};

struct invariant_incarnation {
    uint64_t accepted; // last event number given
    uint64_t acked;    // last event reported durable
    uint64_t lost_at;  // last event accepted when recording stopped
    bool lost;         // recording is off
    bool replaced;     // a checkpoint took the place of events that were lost
    uint64_t fence; // last event of it that its first successor read
    bool fenced;    // a successor has read its log, and recovered
    bool replayed;
    bool recovered;
    bool failed;
};

struct model_invariant_private {
    uint32_t *held;            // by gid: attempt held; TAKEN: the last one; MODEL_NONE
    struct sim_chunks shadows; // by attempt
    struct sim_chunks takings;
    struct sim_chunks incarnations;
    uint64_t takings_first; // of the present incarnation's recovery
    uint32_t *slots;        // by slot: the attempt that started there last
    uint32_t *parallelism;  // by stage: with which attempts of it last started
    uint8_t *stage_recovered; // W4, at the end: 0 not looked up, 1 no subtask recovered, 2 some
    uint32_t *cursor;       // by edge: the producer that is looked at next
    uint32_t *limits;       // by stage, scratch
    uint32_t *limits_log;
    bool gap_seen;       // a replay ended at a missing file
    const char *phantom; // hazard of the first phantom of the run
    bool wiping;         // a master has begun to remove the log (H11)
    bool adopting;       // the update at hand adopts: its hook looks at what it tracks
    bool stage_only;     // a stage was restarted without what had consumed it (H29)

    char file[MODEL_FILE_NAME_MAX]; // that the present incarnation writes
    bool file_open;
    bool file_failed; // its creation or close: its name may be used again
    uint32_t file_incarnation;
    uint64_t file_epoch, file_index; // of the last file created by it
    uint64_t appended;               // bytes of APPEND operations issued

    int64_t idle_since_ns;   // the store has had no operation since then, -1: it has one
    int64_t waited_until_ns; // a snapshot was under way until then
    int64_t waited_since_ns; // and, with pauses shorter than a flush interval, since then
    bool waiting;            // a snapshot was under way after the last update

    int64_t instant_ns; // busy loop
    uint64_t instant_event;
    bool instant_reported;
};

static inline struct invariant_shadow *invariant_shadow_of(const struct model_world *w,
                                                           uint32_t attempt)
{
    SIM_DEBUG_ASSERT(attempt < sim_chunks_count(&w->invariants.own->shadows));
    return sim_chunks_at(&w->invariants.own->shadows, attempt);
}

static inline struct invariant_incarnation *invariant_incarnation_of(struct model_world *w,
                                                                     uint32_t incarnation)
{
    SIM_DEBUG_ASSERT(incarnation < sim_chunks_count(&w->invariants.own->incarnations));
    return sim_chunks_at(&w->invariants.own->incarnations, incarnation);
}

// The attempt that is held as finished, MODEL_NONE: none.
static inline uint32_t invariant_held(const struct model_world *w, uint32_t gid)
{
    uint32_t held = w->invariants.own->held[gid];

    SIM_DEBUG_ASSERT(gid < w->n_subtasks);
    return (held & INVARIANT_TAKEN) != 0 ? MODEL_NONE : held;
}

// invariants.c
void invariants_check_instant(struct model_world *w); // L5
bool invariants_reserve(struct model_world *w); // shadow state for all attempts; false: no memory
void invariants_report(struct model_world *w, const char *invariant, const char *prefer,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
uint32_t invariant_index(const struct model_world *w, uint32_t gid); // within its stage
const char *invariant_stage_name(const struct model_world *w, uint32_t gid);
void invariant_hold(struct model_world *w, uint32_t attempt);
void invariant_take(struct model_world *w, uint32_t attempt, enum invariant_how how);

// invariants_lineage.c
// What makes two attempts of one subtask count: a phantom, or else a stage that was restarted
// without its consumers; "" if neither ever was, so that nothing explains it.
const char *invariant_mixing_hazard(const struct model_world *w);
uint64_t invariant_mix(uint32_t gid, uint32_t attempt);
uint64_t invariant_inputs_lineage(struct model_world *w, uint32_t gid);
void invariants_check_lineage(struct model_world *w); // T10, at the end of a finished job
void invariants_check_inputs(struct model_world *w, uint32_t attempt);

// invariants_workers.c
void invariants_check_release(struct model_world *w, const struct recoup_partition *partition);
void invariants_check_missing(struct model_world *w, const struct recoup_range *range);
void invariants_check_retention(struct model_world *w); // W1
void invariants_check_leaks(struct model_world *w);     // W4

// invariants_store.c
void invariants_check_store(struct model_world *w); // S16, at the end

#endif
