// SPDX-License-Identifier: Apache-2.0
//
// The reset closure (specification 4.6, 4.10): which subtasks must be taken back together.
//
//   downstream  always: what consumed, or may be consuming, the output of a subtask in the set
//   upstream    finished producers whose partition is not available and is needed by the set
//   stage-wide  a stage whose coordinator has forgotten everything (time bomb) goes as a whole
//
// The set is computed on marks, one byte a subtask, stage by stage: an all-to-all edge marks the
// whole consumer stage at once. Nothing of the state changes here; the caller reads the set as
// ranges, reserves memory, applies it and clears the marks.
#ifndef RECOUP_RECOVERY_CLOSURE_H
#define RECOUP_RECOVERY_CLOSURE_H

#include "recovery/state.h"

enum {
    RECOUP__CLOSURE_RECOVERY = 1 << 0, // nothing runs: unfinished subtasks need no naming
    RECOUP__CLOSURE_UPSTREAM = 1 << 1, // look at the availability of inputs
    RECOUP__CLOSURE_FIXPOINT = 1 << 2, // time bombs pull in their own downstream and upstream too
};

struct recoup__closure_stage {
    uint32_t marked;
    uint32_t down_first; // [first, end): marked, downstream not yet looked at
    uint32_t down_end;
    uint32_t up_first; // the same for upstream
    uint32_t up_end;
    bool finished_below; // something strictly downstream of the stage is finished
    bool live;           // something of the stage or below is finished, or may be running
    bool exploded;       // its time bomb went off in this closure
};

struct recoup__closure {
    struct recoup__state *state;
    struct recoup__closure_stage *stages;
    unsigned flags;
};

int recoup__closure_init(struct recoup__closure *closure, struct recoup__state *state);
void recoup__closure_release(struct recoup__closure *closure);

// Starts an empty set. The marks of the last one must have been cleared.
void recoup__closure_begin(struct recoup__closure *closure, unsigned flags);

// Puts subtasks first .. first + count - 1 of an initialized stage into the set.
void recoup__closure_add(struct recoup__closure *closure, uint32_t stage, uint32_t first,
                         uint32_t count, enum recoup_reset_reason reason);

// Puts every finished subtask whose lost partition is needed into the set.
void recoup__closure_add_missing(struct recoup__closure *closure);

// Grows the set to its closure.
void recoup__closure_expand(struct recoup__closure *closure);

// How many ranges the set has as actions name it (without what is already being reset, and, during
// recovery, without what never ran), and how many of its subtasks have a partition at hand.
void recoup__closure_count(const struct recoup__closure *closure, uint32_t *n_ranges,
                           uint32_t *n_partitions);

// Writes these ranges, ordered by stage and subtask.
void recoup__closure_ranges(const struct recoup__closure *closure,
                            struct recoup_reset_range *ranges, uint32_t n_ranges);

// Disarms the time bombs that went off. To be called when the set is applied.
void recoup__closure_disarm(struct recoup__closure *closure);

// Forgets the set.
void recoup__closure_clear(struct recoup__closure *closure);

#endif
