// SPDX-License-Identifier: GPL-3.0-or-later
//
// A planted bug that an invariant finds and no active policy explains. Linked in front of
// ledger_finish with --wrap.
#include "models/world.h"

void __real_ledger_finish(struct model_world *w, struct model_result *result);
void __wrap_ledger_finish(struct model_world *w, struct model_result *result);

void __wrap_ledger_finish(struct model_world *w, struct model_result *result)
{
    __real_ledger_finish(w, result);
    if (w->config->n_faults > 0) {
        invariants_finding(w, "T8", "a planted gap of %llu ns in the ledger, %llu attempts", 7, 0);
    }
}
