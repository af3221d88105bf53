// SPDX-License-Identifier: GPL-3.0-or-later
//
// A planted bug that an invariant finds and no active policy explains: in each run with faults, or,
// in the scenario that is named twin, in the run without faults beside it. Linked in front of
// ledger_finish with --wrap.
#include <string.h>

#include "models/world.h"

void __real_ledger_finish(struct model_world *w, struct model_result *result);
void __wrap_ledger_finish(struct model_world *w, struct model_result *result);

void __wrap_ledger_finish(struct model_world *w, struct model_result *result)
{
    __real_ledger_finish(w, result);
    if (w->config->n_faults > 0 &&
        w->options->without_faults == (strcmp(w->config->name, "twin") == 0)) {
        invariants_finding(w, "T8", "a planted gap of %llu ns in the ledger, %llu attempts", 7, 0);
    }
}
