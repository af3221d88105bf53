// SPDX-License-Identifier: GPL-3.0-or-later
//
// The storage profiles: what each operation takes and costs, and what makes bytes durable.
#ifndef RECOUP_SCENARIOS_STORAGE_PROFILES_H
#define RECOUP_SCENARIOS_STORAGE_PROFILES_H

#include "models/config.h"

struct scenario_storage_profile {
    const char *name;
    const char *about;                          // one sentence
    struct model_storage storage;
    const char
        *source[MODEL_STORAGE_OPS]; // of each latency; starts with "assumption" where it is one
    const char *bandwidth_source;
    const char *price_source;
};

// The profile of `kind`; never NULL for kind < MODEL_STORAGE_KINDS. Static, shared, never changed.
const struct scenario_storage_profile *scenario_storage_profile(enum model_storage_kind kind);

#endif
