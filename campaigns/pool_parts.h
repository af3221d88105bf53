// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the parent and the workers of a pool share. Internal to campaigns/.
#ifndef RECOUP_CAMPAIGNS_POOL_PARTS_H
#define RECOUP_CAMPAIGNS_POOL_PARTS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdnoreturn.h>

#include "campaigns/pool.h"

#define POOL_EXIT_START 97 // start() returned false
#define POOL_EXIT_PIPE 98  // the parent is gone, or a pipe failed

enum pool_frame_kind { POOL_FRAME_READY, POOL_FRAME_ANSWER, POOL_FRAME_FAILED };

// Before the bytes of an answer. Both sides are the same program, so it travels as it lies.
struct pool_frame {
    uint64_t kind;
    uint64_t item;
    int64_t wall_ns;
    uint64_t size; // of the bytes that follow
};

// Memory that a worker shares with the parent, which must know after a crash what the worker was
// doing: answers leave in batches.
struct pool_progress {
    _Atomic uint64_t begun;    // items since the worker's start
    _Atomic uint64_t finished; // of these
    _Atomic int64_t begun_at_ns;
};

struct pool_worker_setup {
    const struct campaign_pool_options *options;
    const struct campaign_tasks *tasks;
    struct pool_progress *progress;
    int parent;    // its process id
    int items;     // pipe of uint64_t
    int answers;   // pipe of frames
    int errors;    // becomes standard output and error
    sigset_t mask; // of signals, to be set when it is prepared for them
};

// The life of a worker, in the child.
noreturn void pool_worker_live(const struct pool_worker_setup *setup);

#endif
