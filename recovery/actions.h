// SPDX-License-Identifier: Apache-2.0
//
// The list of actions of one step, and memory that lives as long as they do. Both are kept from
// step to step, so that a warmed-up job allocates nothing.
//
// Rule: reserve first, then commit. A step calls recoup__actions_begin(), reserves what it may
// push, allocates its scratch memory, and only then changes the job's state and pushes.
#ifndef RECOUP_RECOVERY_ACTIONS_H
#define RECOUP_RECOVERY_ACTIONS_H

#include "recovery/memory.h"

struct recoup__scratch;  // a block of scratch memory

struct recoup__actions {
    struct recoup__memory *memory;
    struct recoup_action *items;
    uint32_t n;
    uint32_t capacity;
    struct recoup__scratch *blocks;  // in use, newest first
    struct recoup__scratch *free;    // kept from earlier steps
};

// Starts an empty list. Allocates nothing yet.
void recoup__actions_init(struct recoup__actions *actions, struct recoup__memory *memory);
void recoup__actions_release(struct recoup__actions *actions);

// What the functions below leave to be done when it is not nothing, as it is for most events.
void recoup__actions_recycle(struct recoup__actions *actions);  // scratch memory of the last step
int recoup__actions_grow(struct recoup__actions *actions, uint32_t n);

// A new step: forgets the actions and scratch memory of the last one (their pointers end here).
static inline void recoup__actions_begin(struct recoup__actions *actions)
{
    RECOUP_ASSERT(actions->n <= actions->capacity);
    actions->n = 0;
    if (actions->blocks != NULL) {
        recoup__actions_recycle(actions);
    }
    RECOUP_ASSERT(actions->blocks == NULL);
}

// Makes sure that `n` more actions can be pushed without fail. Returns 0 or RECOUP_ENOMEM.
static inline int recoup__actions_reserve(struct recoup__actions *actions, uint32_t n)
{
    RECOUP_ASSERT(actions->n <= actions->capacity);
    return n <= actions->capacity - actions->n ? 0 : recoup__actions_grow(actions, n);
}

// Appends an action of `type`, all else zero. Room must have been reserved. The pointer is valid
// until the next reserve. Never NULL: without room (an internal error) the last action is
// overwritten and the memory is marked broken.
static inline struct recoup_action *recoup__actions_push(struct recoup__actions *actions,
                                                         enum recoup_action_type type)
{
    struct recoup_action *action;

    RECOUP_ASSERT(actions->capacity > 0);
    if (RECOUP_CHECK(actions->memory, actions->n < actions->capacity)) {
        actions->n++;
    }
    RECOUP_ASSERT(actions->n > 0);
    action = &actions->items[actions->n - 1];
    recoup__zero(action, sizeof *action);
    action->type = type;
    return action;
}

// `size` bytes aligned for any type, not zeroed, valid until the next begin. NULL when out of
// memory. Size 0 gives a valid pointer.
void *recoup__actions_scratch(struct recoup__actions *actions, size_t size);

#endif
