// SPDX-License-Identifier: GPL-3.0-or-later
//
// Masters that lost their leadership and do not know it: fault `partition`.
//
// Such a master is cut off from its workers and from the leader election, and not from the storage.
// For everybody else it is as if it had been killed: silence. Itself it goes on, the real recovery
// code in it: the operation under way ends, its flush timer fires, what waits in its buffer is
// written, while its successor claims, lists and reads the same directory. It hears of no finish
// and reaches no worker; it ends when it finds another master's claim in the storage
// (RECOUP_EFENCED), or when it notices that its leadership is gone, `unaware_ns` after that came
// about.
//
// What must hold: nothing that it writes once its successor has read the log is ever held as
// finished by a later master, and no two masters want one name (S12, R10; hazard H16).
#ifndef RECOUP_MODELS_ZOMBIE_H
#define RECOUP_MODELS_ZOMBIE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/storage_state.h"
#include "recovery/recoup.h"

struct model_world;

#define MODEL_ZOMBIES_MAX 64u // alive at one time; the next one ends the run with SIM_ELIMIT

struct model_zombie {
    uint32_t incarnation; // 0: none
    struct recoup_job *job;
    int64_t unaware_ns;  // how long it goes on once its leadership is lost
    int64_t since_ns;    // cut off
    int64_t deadline_ns; // of its job's TIMER
    uint64_t timer;
    bool told; // R10 has been reported about it
    struct model_storage_operation operation;
};

struct model_zombies {
    struct model_zombie *list; // MODEL_ZOMBIES_MAX; NULL until there is one
    uint32_t alive;
    uint32_t newest; // greatest incarnation that ever was one, 0: none
    bool removed;    // one removed a file since the present master started
};

// The master is cut off now; its job and its operation become those of a zombie.
void zombie_begin(struct model_world *w, int64_t unaware_ns);
// The leadership of the incarnation is lost now: it will notice.
void zombie_leadership_lost(struct model_world *w, uint32_t incarnation);

// The one of an incarnation; NULL if it is none, or its end has come.
struct model_zombie *zombie_of(struct model_world *w, uint32_t incarnation);

// Events: its TIMER; its end. IO: an operation of it has ended.
void zombie_timer(struct model_world *w, uint32_t incarnation);
void zombie_noticed(struct model_world *w, uint32_t incarnation);
void zombie_io(struct model_world *w, uint32_t incarnation, const struct recoup_event *event);

// The run has ended: collects what they count. Then, always: frees their jobs.
void zombies_finish(struct model_world *w);
void zombies_destroy(struct model_world *w);

#endif
