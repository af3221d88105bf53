// SPDX-License-Identifier: GPL-3.0-or-later
//
// Before and after: the same seed at two points, simulated again, as slots in use over time. What
// was kept, lost and done again is told apart, and outages are shaded.
#ifndef RECOUP_RESULTS_TIMELINE_H
#define RECOUP_RESULTS_TIMELINE_H

#include "results/drawing.h"
#include "results/survey.h"

#define TIMELINE_BINS 240u

enum timeline_work { TIMELINE_KEPT, TIMELINE_AGAIN, TIMELINE_LOST, TIMELINE_WORK };

struct timeline_outage {
    int64_t at_ns;
    int64_t until_ns;
};

#define TIMELINE_OUTAGES_MAX 64u // drawn; the drawing says when there were more

struct timeline_lane {
    uint32_t point;
    uint64_t seed;
    int64_t makespan_ns;
    int64_t lost_ns;
    double slots[TIMELINE_WORK][TIMELINE_BINS]; // in use, on average over a bin
    double slots_most;
    uint32_t n_outages; // may be more than are kept
    struct timeline_outage outages[TIMELINE_OUTAGES_MAX];
};

struct timeline {
    uint32_t n_lanes;
    struct timeline_lane lanes[2]; // the worst point, then the best; or the only one
    int64_t end_ns;                // of the longer one
    uint32_t n_common;             // runs with a failover that both points have
    uint32_t n_differ;             // those of them that lose more at the worst point
};

// Simulates the runs. False where there is nothing to draw; `why` says in a sentence what is
// missing.
bool timeline_make(struct timeline *timeline, const struct survey *survey,
                   struct results_text *why);
void timeline_draw(const struct timeline *timeline, const struct survey *survey,
                   struct drawing *drawing);

#endif
