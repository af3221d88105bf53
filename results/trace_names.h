// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tracks, lanes and events of the models' trace are called for people.
#ifndef RECOUP_RESULTS_TRACE_NAMES_H
#define RECOUP_RESULTS_TRACE_NAMES_H

#include "models/config.h"
#include "sim/trace.h"

#define RESULTS_TRACE_NAME_SIZE 96u

void results_trace_track_name(const struct model_config *config, uint32_t track,
                              char name[RESULTS_TRACE_NAME_SIZE]);
void results_trace_lane_name(const struct model_config *config, uint32_t track, uint32_t lane,
                             char name[RESULTS_TRACE_NAME_SIZE]);

#endif
