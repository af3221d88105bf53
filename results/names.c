// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "results/run.h"
#include "sim/assert.h"

const char *results_profile_name(enum recoup_profile profile)
{
    switch (profile) {
    case RECOUP_PROFILE_FLINK_1_20:
        return "flink-1.20";
    case RECOUP_PROFILE_HARDENED:
        return "hardened";
    }
    SIM_ALWAYS(false && "known profile");
    return "";
}

const char *results_fault_kind_name(enum model_fault_kind kind)
{
    switch (kind) {
    case MODEL_FAULT_KILL:
        return "kill";
    case MODEL_FAULT_TERMINATE:
        return "terminate";
    case MODEL_FAULT_STORE_ERROR:
        return "store-error";
    case MODEL_FAULT_PARTITION:
        return "partition";
    }
    SIM_ALWAYS(false && "known kind of fault");
    return "";
}

static const char *fault_target_planned(char *buffer, const struct model_fault *fault)
{
    switch (fault->target) {
    case MODEL_TARGET_RANDOM:
        return "worker random";
    case MODEL_TARGET_EACH:
        return "worker each";
    case MODEL_TARGET_NUMBER:
        (void)snprintf(buffer, RESULTS_TARGET_SIZE, "worker %" PRIu32, fault->worker);
        return buffer;
    }
    SIM_ALWAYS(false && "known target of a fault");
    return "";
}

const char *results_fault_target(char buffer[RESULTS_TARGET_SIZE], const struct model_fault *fault,
                                 const struct model_fired *fired)
{
    if (fault->kind == MODEL_FAULT_STORE_ERROR) {
        return "store";
    }
    if (fault->process == MODEL_PROCESS_MASTER) {
        return "master";
    }
    if (fired != NULL && fired->fired && fired->worker != RECOUP_NONE) {
        (void)snprintf(buffer, RESULTS_TARGET_SIZE, "worker %" PRIu32, fired->worker);
        return buffer;
    }
    return fault_target_planned(buffer, fault);
}
