// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two trails: where the runs part.
#ifndef RECOUP_RESULTS_TRAIL_COMPARE_H
#define RECOUP_RESULTS_TRAIL_COMPARE_H

#include "results/trail.h"

// Where one layer differs first: after at most `before` events and not after `equal` of them.
struct results_bracket {
    bool differs;
    uint64_t equal;  // the last point at which all is still equal
    uint64_t before; // the first one at which it is not; events of the shorter run + 1 at its end
};

struct results_difference {
    uint32_t layers; // bit i: F(i+1) differs at the end
    struct results_bracket brackets[RESULTS_TRAIL_LAYERS];
    struct results_bracket first; // of all layers

    bool need; // the windows do not reach: record both again from event `need_at` on
    uint64_t need_at;
    bool found; // the first differing event: `number`
    uint64_t number;
    const struct results_trail_event *a; // NULL: that run had ended
    const struct results_trail_event *b;
    bool same_event;       // the event itself is equal, what it did is not
    uint32_t event_layers; // bit i: F(i+1) differs after it
};

#define RESULTS_COMPARE_ALL UINT32_MAX
// I/O and state: what events do. Their order and number may differ long before that.
#define RESULTS_COMPARE_EFFECTS (UINT32_C(1) << SIM_LAYER_IO | UINT32_C(1) << SIM_LAYER_STATE)

// Compares, by the layers in `mask` (bit i: F(i+1)) as to the first event. Events up to number
// `verified` are known to be equal in these. Neither `need` nor `found`: no event differs (then at
// most F6 does, or F5 at the end).
void results_trail_compare(const struct results_trail *a, const struct results_trail *b,
                           uint64_t verified, uint32_t mask, struct results_difference *difference);

#endif
