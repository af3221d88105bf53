// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values of a valid scenario that do not fit each other, as far as the loader has not warned of
// them (scenarios/check.c: recovery off, H32, H37). The ids are those of the specification's table
// of hazards.
#include <stdarg.h>
#include <stdio.h>

#include "results/lint.h"

struct adviser {
    struct results_advice *advice;
    uint32_t count;
};

static void advise(struct adviser *adviser, const char *hazard, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void advise(struct adviser *adviser, const char *hazard, const char *format, ...)
{
    va_list arguments;

    if (adviser->count < RESULTS_ADVICE_MAX) {
        struct results_advice *advice = &adviser->advice[adviser->count++];

        advice->hazard = hazard;
        va_start(arguments, format);
        (void)vsnprintf(advice->text, sizeof(advice->text), format, arguments);
        va_end(arguments);
    }
}

static bool master_can_be_lost(const struct model_config *config)
{
    for (uint32_t i = 0; i < config->n_faults; i++) {
        if (config->faults[i].kind != MODEL_FAULT_STORE_ERROR &&
            config->faults[i].process == MODEL_PROCESS_MASTER) {
            return true;
        }
    }
    return false;
}

static void advise_store(struct adviser *adviser, const struct model_config *config)
{
    if (config->options.recovery_enabled && config->storage.durable_at == RECOUP_DURABLE_AT_CLOSE &&
        config->profile == RECOUP_PROFILE_FLINK_1_20) {
        advise(adviser, "H6",
               "this storage makes a file durable when it is closed, and the profile flink-1.20 "
               "closes files at the end of a stage only: a crash before it loses every event of "
               "the stage (H6)");
    }
}

static void advise_masters(struct adviser *adviser, const struct model_config *config)
{
    if (!master_can_be_lost(config)) {
        return;
    }
    if (config->ha.kind == MODEL_HA_NONE) {
        advise(adviser, NULL, "a master is lost, but ha is none: the job fails at that instant");
    } else if (!config->master.standby && config->master.restart_never) {
        advise(adviser, NULL,
               "a master is lost, there is no standby and master.restart is never: the job stays "
               "suspended");
    }
}

uint32_t results_advise(const struct scenario *scenario,
                        struct results_advice advice[RESULTS_ADVICE_MAX])
{
    struct adviser adviser = {advice, 0};

    if (scenario->n_errors == 0 && scenario->name != NULL) {
        advise_store(&adviser, &scenario->config);
        advise_masters(&adviser, &scenario->config);
    }
    return adviser.count;
}
