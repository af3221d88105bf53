// SPDX-License-Identifier: GPL-3.0-or-later
//
// Looking ahead: what coming events will read is asked from memory before they come. The clock
// meets the records of attempts, subtasks and workers in no order that the processor could guess,
// and a large run's do not fit its caches. Nothing here changes any state of the run.
#ifndef RECOUP_MODELS_AHEAD_H
#define RECOUP_MODELS_AHEAD_H

#include <stdint.h>

struct model_world;

struct model_ahead { // no part of the run's state
    uint32_t sorted;   // events that the queue had sorted when it was looked at last
    uint32_t expected; // the first so many of them have been prepared for
};

// For the events that follow the one that has just been popped and is not dispatched yet.
void ahead_popped(struct model_world *w);

#endif
