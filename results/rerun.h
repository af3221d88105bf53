// SPDX-License-Identifier: GPL-3.0-or-later
//
// Making a recorded run again from what the database holds: the canonical text of its point and its
// seed. Whether that succeeded is not a matter of trust: the fingerprint must be the recorded one.
#ifndef RECOUP_RESULTS_RERUN_H
#define RECOUP_RESULTS_RERUN_H

#include "models/result.h"
#include "results/text.h"
#include "scenarios/scenario.h"
#include "sim/trace.h"

// A scenario file with the values of a canonical text ("path = value" lines); without name, seed
// and expectations. False when the text is not one.
bool results_rerun_scenario(const char *canonical, struct results_text *yaml);

// Runs the scenario of `canonical` with `seed`, observed by `trace`. Fills `result` (zeroed, to be
// released). True when its fingerprint is `fingerprint` (32 hexadecimal digits); else `why` says in
// a sentence what is different.
bool results_rerun(const char *canonical, uint64_t seed, const char *fingerprint,
                   const struct sim_trace *trace, struct model_result *result,
                   struct results_text *why);

#endif
