// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names of what a result holds, as the contract spells them, and the release of a result's memory.
#include "models/result.h"

#include <stdlib.h>
#include <string.h>

#include "sim/assert.h"
#include "sim/banned.h"

const char *model_cause_name(enum model_cause cause)
{
#define X(name, text) text,
    static const char *const names[] = {MODEL_CAUSES(X)};
#undef X

    _Static_assert(sizeof(names) / sizeof(names[0]) == MODEL_CAUSE_COUNT, "one name a cause");
    SIM_ASSERT(cause >= 0);
    SIM_ASSERT(cause < MODEL_CAUSE_COUNT);
    return names[cause];
}

const char *model_phase_name(enum model_phase phase)
{
    static const char *const names[] = {"detect",       "elect",     "start",   "replay",
                                        "wait_workers", "reconcile", "redeploy"};

    _Static_assert(sizeof(names) / sizeof(names[0]) == MODEL_PHASE_COUNT, "one name a phase");
    SIM_ASSERT(phase >= 0);
    SIM_ASSERT(phase < MODEL_PHASE_COUNT);
    return names[phase];
}

const char *model_job_state_name(enum model_job_state state)
{
    static const char *const names[] = {"RUNNING", "FINISHED", "FAILED", "SUSPENDED", "TIMEOUT"};

    SIM_ASSERT(state >= MODEL_JOB_RUNNING);
    SIM_ASSERT(state <= MODEL_JOB_TIMEOUT);
    return names[state];
}

const char *model_failover_result_name(enum model_failover_result r)
{
    static const char *const names[] = {"recovered", "restarted", "failed"};

    SIM_ASSERT(r >= MODEL_FAILOVER_RECOVERED);
    SIM_ASSERT(r <= MODEL_FAILOVER_FAILED);
    return names[r];
}

const char *model_storage_op_name(enum model_storage_op op)
{
    static const char *const names[] = {"mkdir", "list",  "create", "append", "flush",
                                        "sync",  "close", "read",   "remove"};

    _Static_assert(sizeof(names) / sizeof(names[0]) == MODEL_STORAGE_OPS, "one name an operation");
    SIM_ASSERT(op >= 0);
    SIM_ASSERT(op < MODEL_STORAGE_OPS);
    return names[op];
}

void model_result_release(struct model_result *result)
{
    SIM_ASSERT(result != NULL);
    SIM_ASSERT(SIM_ERGO(result->n_findings > 0, result->findings != NULL));
    free(result->lost);
    free(result->stage_parallelism);
    free(result->failovers);
    free(result->fired);
    free(result->findings);
    memset(result, 0, sizeof(*result));
}
