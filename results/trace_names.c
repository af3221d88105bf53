// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/trace_names.h"

#include <inttypes.h>
#include <stdio.h>

#include "models/run.h"

void results_trace_track_name(const struct model_config *config, uint32_t track,
                              char name[RESULTS_TRACE_NAME_SIZE])
{
    (void)config;
    if (track >= MODEL_TRACK_WORKER) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "worker %" PRIu32,
                       track - MODEL_TRACK_WORKER);
    } else if (track == MODEL_TRACK_MASTER) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "masters");
    } else if (track == MODEL_TRACK_STORE) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "event store");
    } else if (track == MODEL_TRACK_FAULTS) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "faults");
    } else if (track == MODEL_TRACK_JOB) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "job");
    } else {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "track %" PRIu32, track);
    }
}

void results_trace_lane_name(const struct model_config *config, uint32_t track, uint32_t lane,
                             char name[RESULTS_TRACE_NAME_SIZE])
{
    if (track >= MODEL_TRACK_WORKER) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "slot %" PRIu32, lane);
    } else if (track == MODEL_TRACK_MASTER && lane == 0) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "outage");
    } else if (track == MODEL_TRACK_MASTER) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "master %" PRIu32, lane);
    } else if (track == MODEL_TRACK_STORE) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "operations");
    } else if (track == MODEL_TRACK_FAULTS) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "strikes");
    } else if (track == MODEL_TRACK_JOB && lane < config->n_stages) {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "%s", config->stages[lane].name);
    } else {
        (void)snprintf(name, RESULTS_TRACE_NAME_SIZE, "lane %" PRIu32, lane);
    }
}
