// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/trace_names.h"

#include <inttypes.h>
#include <stdio.h>

void results_trace_track_name(const struct model_config *config, uint32_t track,
                              char name[RESULTS_TRACE_NAME_SIZE])
{
    (void)config;
    (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "track %" PRIu32, track);
}

void results_trace_lane_name(const struct model_config *config, uint32_t track, uint32_t lane,
                             char name[RESULTS_TRACE_NAME_SIZE])
{
    (void)config;
    (void)track;
    (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "lane %" PRIu32, lane);
}
