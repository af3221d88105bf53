// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/recommend.h"

#include <string.h>

#include "results/database_parts.h"
#include "results/recommend_parts.h"
#include "results/statement.h"

static bool find_all(struct recommendation *r)
{
    return recommend_judge(r) && recommend_resample(r) && recommend_find_neighbours(r) &&
           recommend_find_effects(r) && recommend_find_lines(r);
}

enum recommend_status recommend(struct recommendation *r, const char *path,
                                const struct recommend_question *question)
{
    enum recommend_status status;
    int code;

    memset(r, 0, sizeof(*r));
    sim_arena_init(&r->arena, 0);
    r->question = question;
    status = recommend_read(r, path);
    if (status != RECOMMEND_FOUND) {
        return status;
    }
    if (!find_all(r)) {
        results_database_fail(&r->database, SQLITE_NOMEM);
        return RECOMMEND_OUTSIDE;
    }
    code = recommend_read_point(r, recommend_answer(r));
    if (code != SQLITE_OK) {
        results_database_fail(&r->database, code);
        return RECOMMEND_OUTSIDE;
    }
    return r->best != RECOMMEND_NONE ? RECOMMEND_FOUND : RECOMMEND_NO_POINT;
}

void recommendation_release(struct recommendation *r)
{
    results_database_close(&r->database);
    sim_arena_release(&r->arena);
}

const char *recommend_remedy(enum model_cause cause)
{
    static const char *const remedies[] = {
        [MODEL_CAUSE_SPECULATION] = "it is the price of speculative execution",
        [MODEL_CAUSE_TASK_FAILURE] = "subtasks fail by themselves; shorter ones lose less",
        [MODEL_CAUSE_WORKER_FAILURE] = "workers die; smaller subtasks lose less of their work",
        [MODEL_CAUSE_RUNNING_AT_CRASH] =
            "what runs at a crash is lost in any case; shorter subtasks lose less",
        [MODEL_CAUSE_RECOVERY_DISABLED] =
            "switch recovery on: execution.batch.job-recovery.enabled: true",
        [MODEL_CAUSE_RECOVERY_FAILED] =
            "replay failed and the job started over; look at the findings of these runs",
        [MODEL_CAUSE_RECORDING_STOPPED] =
            "the event store gave up after an error; use a more reliable HA storage",
        [MODEL_CAUSE_NOT_RECORDED] =
            "change the HA storage (one where a flush makes data durable), or flush more often",
        [MODEL_CAUSE_LOG_DAMAGED] = "the event store cannot be read back; change the HA storage",
        [MODEL_CAUSE_NOT_SNAPSHOTTED] =
            "lower execution.batch.job-recovery.snapshot.min-pause, so that less lies behind the "
            "last recovery point",
        [MODEL_CAUSE_COORDINATOR_UNSUPPORTED] =
            "the source's enumerator cannot be restored; use a connector that supports batch "
            "snapshots",
        [MODEL_CAUSE_WORKER_LATE] = "workers come back too late; raise "
                                    "execution.batch.job-recovery.previous-worker.recovery.timeout",
        [MODEL_CAUSE_PARTITION_RELEASED] =
            "workers drop their partitions when the master goes; see the notices of the leader "
            "election and the retention on the workers",
        [MODEL_CAUSE_PARTITION_LOST] =
            "workers take their partitions along; a remote shuffle service would keep them",
        [MODEL_CAUSE_DOWNSTREAM_OF_RESET] = "it follows from what else was lost",
        [MODEL_CAUSE_JOB_FAILED] = "the job did not finish; look at the states of these runs",
    };

    return (size_t)cause < sizeof(remedies) / sizeof(remedies[0]) && remedies[cause] != NULL
               ? remedies[cause]
               : "";
}
