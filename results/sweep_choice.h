// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which sweep of a result database is meant, for `recoup report` and `recoup recommend`.
#ifndef RECOUP_RESULTS_SWEEP_CHOICE_H
#define RECOUP_RESULTS_SWEEP_CHOICE_H

#include "results/database.h"

struct results_sweep_choice {
    bool found;       // false: the database's message says why not, and what there is
    int64_t sweep_id; // row; 0: the single runs of all scenarios together
    bool single;      // what is meant are single runs
    uint32_t n_left;  // scenarios with single runs that stand beside the sweep
};

// The sweep of this name, or whose key begins with it (four digits or more). Without a name the
// only sweep there is, or, where there is none, the single runs: those of one scenario, or, unless
// `one` is wanted, of all. Returns a SQLite code.
int results_sweep_choose(struct results_database *database, const char *sweep, bool one,
                         struct results_sweep_choice *choice);

#endif
