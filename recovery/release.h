// SPDX-License-Identifier: Apache-2.0
//
// When consumed partitions are released (specification 2.9): once every consumer is finished, and,
// by policy, once the recovery point that covers the last consumer's finish is durable.
//
// A finish queues the producers that it may have been the last consumer of, as one range per input
// edge: point-wise its own producers, all-to-all the whole producer stage, once the consumer stage
// is complete. Whether a partition may really go is looked at when its range leaves the queue, so
// that a reset in between needs no search here.
#ifndef RECOUP_RECOVERY_RELEASE_H
#define RECOUP_RECOVERY_RELEASE_H

#include "recovery/actions.h"
#include "recovery/state.h"

#define RECOUP__RELEASE_MAX 65536u // subtasks looked at in one step; the rest follows in the next
#define RECOUP__POINTS_MAX 64u     // settled recovery points that wait to be durable

struct recoup__release_range {
    uint32_t stage;
    uint32_t first;
    uint32_t count;
    uint32_t take; // may go when this recovery point is durable
};

struct recoup__point {
    uint32_t take;
    uint64_t carrier; // event that carries it
};

struct recoup__releases {
    struct recoup__state *state;
    bool after_point;                    // policy partitions.release-after
    bool recovered_too;                  // policy partitions.release-recovered
    struct recoup__release_range *queue; // ring
    uint32_t capacity;
    uint32_t head;
    uint32_t n;
    uint32_t covered; // every take up to this one is durable
    struct recoup__point points[RECOUP__POINTS_MAX];
    uint32_t n_points;
};

void recoup__releases_init(struct recoup__releases *releases, struct recoup__state *state,
                           bool after_point, bool recovered_too);
void recoup__releases_release(struct recoup__releases *releases);
void recoup__releases_clear(struct recoup__releases *releases);

// Room for what one finish of `stage` may queue.
int recoup__releases_reserve(struct recoup__releases *releases, uint32_t stage);

// Room for `n` ranges more.
int recoup__releases_reserve_more(struct recoup__releases *releases, uint32_t n);

// A finish, covered by recovery point `take`, has been applied to the state. Room must be reserved.
void recoup__releases_finished(struct recoup__releases *releases, uint32_t stage, uint32_t subtask,
                               uint32_t take);

// Recovery is over: every partition that is tracked and not needed may go, where finishes of
// earlier masters count (H34). RECOUP_ENOMEM changes nothing.
int recoup__releases_recovered(struct recoup__releases *releases);

// Recovery point `take` is carried by event `carrier`.
void recoup__releases_point(struct recoup__releases *releases, uint32_t take, uint64_t carrier);
// Every event up to `durable` is durable.
void recoup__releases_durable(struct recoup__releases *releases, uint64_t durable);

// True if something may be released now.
bool recoup__releases_ready(const struct recoup__releases *releases);

// Pushes at most one RELEASE action (room must be reserved) with what may go now, bounded by
// RECOUP__RELEASE_MAX. RECOUP_ENOMEM changes nothing.
int recoup__releases_drain_some(struct recoup__releases *releases, struct recoup__actions *actions);
static inline int recoup__releases_drain(struct recoup__releases *releases,
                                         struct recoup__actions *actions)
{
    RECOUP_ASSERT(actions != NULL);
    return releases->n == 0 ? 0 : recoup__releases_drain_some(releases, actions);
}

#endif
