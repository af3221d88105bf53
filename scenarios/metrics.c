// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/metrics.h"

#include <stddef.h>
#include <string.h>

#define NS "ns"
#define BYTES "bytes"
#define COUNT "count"
#define USD "nano-usd"
#define LOW "lower"
#define HIGH "higher"
#define NEITHER ""

// Where a fixed metric stands in the result: 64-bit fields only, whose values are never negative.
#define R(field) offsetof(struct model_result, field)
#define MAKESPAN (SIZE_MAX - 1)
#define FAULTLESS (SIZE_MAX - 2)
#define DELAY (SIZE_MAX - 3)
#define FAILOVERS (SIZE_MAX - 4)

struct row {
    struct scenario_metric metric;
    size_t offset;
};

#define REQUEST(op, name)                                                                          \
    {{"io-requests-" name, "io_requests_" name, COUNT, LOW, "Requests of kind " name "."},        \
     R(io.requests[op])}

static const struct row rows[] = {
    {{"events", "events", COUNT, NEITHER, "Simulation events dispatched."}, R(events)},
    {{"makespan", "job_makespan_ns", NS, LOW,
      "From 0 to the instant at which a master puts the job into its final state."},
     MAKESPAN},
    {{"faultless-makespan", "job_faultless_makespan_ns", NS, LOW,
      "The makespan of the same seed without faults."},
     FAULTLESS},
    {{"delay", "job_delay_ns", NS, LOW, "Makespan less the fault-free makespan."}, DELAY},
    {{"tasks", "job_tasks", COUNT, NEITHER, "Subtasks of the initialized stages at the end."},
     R(tasks)},
    {{"attempts", "job_attempts", COUNT, LOW, "Attempts that started."}, R(attempts)},
    {{"tasks-rerun", "job_tasks_rerun", COUNT, LOW,
      "How often a finished subtask was taken back and started again."},
     R(tasks_rerun)},
    {{"failovers", "job_failovers", COUNT, LOW, "Failovers of the master."}, FAILOVERS},
    {{"outage", "job_outage_ns", NS, LOW,
      "From a master's death to the new master's first decision to deploy, summed."},
     R(outage_ns)},
    {{"finished-forgotten", "job_finished_forgotten", COUNT, LOW,
      "Subtasks held as finished at a master's death and not after the recovery, summed."},
     R(finished_forgotten)},
    {{"busy", "job_busy_ns", NS, LOW, "Slot time of all attempts, from start to end."}, R(busy_ns)},
    {{"useful", "job_useful_ns", NS, NEITHER,
      "Slot time of the attempts held as finished when the job finishes."},
     R(useful_ns)},
    {{"lost-work", "job_lost_work_ns", NS, LOW,
      "Busy less useful: slot time of every other attempt."},
     R(lost_ns)},
    {{"orphaned", "job_orphaned_ns", NS, LOW,
      "What workers still spend on attempts that have ended."},
     R(orphaned_ns)},
    {{"io-event-store-events", "io_event_store_events", COUNT, NEITHER, "Events written."},
     R(io.events)},
    {{"io-event-store-bytes", "io_event_store_bytes", BYTES, LOW,
      "Bytes written to the event store."},
     R(io.bytes)},
    {{"io-event-store-appends", "io_event_store_appends", COUNT, LOW, "Appends."}, R(io.appends)},
    {{"io-event-store-flushes", "io_event_store_flushes", COUNT, LOW, "Flushes."}, R(io.flushes)},
    {{"io-event-store-syncs", "io_event_store_syncs", COUNT, LOW, "Syncs."}, R(io.syncs)},
    {{"io-event-store-files", "io_event_store_files", COUNT, LOW, "Files created."}, R(io.files)},
    {{"io-event-store-snapshots", "io_event_store_snapshots", COUNT, NEITHER,
      "Snapshots delivered."},
     R(io.snapshots)},
    {{"io-event-store-snapshot-bytes", "io_event_store_snapshot_bytes", BYTES, LOW,
      "Bytes of snapshots."},
     R(io.snapshot_bytes)},
    {{"io-replay-bytes", "io_replay_bytes", BYTES, LOW, "Bytes read by replays."},
     R(io.replay_bytes)},
    {{"io-replay-reads", "io_replay_reads", COUNT, LOW, "Reads of replays."}, R(io.replay_reads)},
    REQUEST(MODEL_STORAGE_MKDIR, "mkdir"),
    REQUEST(MODEL_STORAGE_LIST, "list"),
    REQUEST(MODEL_STORAGE_CREATE, "create"),
    REQUEST(MODEL_STORAGE_APPEND, "append"),
    REQUEST(MODEL_STORAGE_FLUSH, "flush"),
    REQUEST(MODEL_STORAGE_SYNC, "sync"),
    REQUEST(MODEL_STORAGE_CLOSE, "close"),
    REQUEST(MODEL_STORAGE_READ, "read"),
    REQUEST(MODEL_STORAGE_REMOVE, "remove"),
    {{"io-cost-nanousd", "io_cost_nanousd", USD, LOW, "Price of all requests."},
     R(io.cost_nanousd)},
    {{"protection-recording", "protection_recording_ns", NS, HIGH,
      "Time with a leading master and working recording."},
     R(recording_ns)},
    {{"protection-unprotected", "protection_unprotected_ns", NS, LOW,
      "Time with a leading master without recording."},
     R(unprotected_ns)},
};
#define FIXED ((uint32_t)(sizeof(rows) / sizeof(rows[0])))

_Static_assert(sizeof(((struct model_result *)0)->makespan_ns) == 8, "metrics are read as 64 bits");

#define CAUSE(name, text)                                                                          \
    {"lost-work." text, NULL, NS, LOW, "Lost work with the cause " text "."},

static const struct scenario_metric causes[] = {MODEL_CAUSES(CAUSE)};

uint32_t scenario_metric_count(void)
{
    return FIXED + MODEL_CAUSE_COUNT;
}

const struct scenario_metric *scenario_metric_at(uint32_t index)
{
    return index < FIXED ? &rows[index].metric : &causes[index - FIXED];
}

static uint32_t metric_index(const char *name)
{
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        if (strcmp(metric->name, name) == 0 ||
            (metric->column != NULL && strcmp(metric->column, name) == 0)) {
            return i;
        }
    }
    return UINT32_MAX;
}

const struct scenario_metric *scenario_metric_find(const char *name)
{
    uint32_t index = metric_index(name);
    return index != UINT32_MAX ? scenario_metric_at(index) : NULL;
}

static int64_t lost_by_cause(const struct model_result *result, uint32_t cause)
{
    int64_t sum = 0;
    for (uint32_t s = 0; result->lost != NULL && s < result->n_stages; s++) {
        sum += result->lost[(size_t)s * MODEL_CAUSE_COUNT + cause].ns;
    }
    return sum;
}

static int special_value(const struct model_result *result, int64_t faultless_ns, size_t which,
                         int64_t *value)
{
    switch (which) {
    case MAKESPAN:
        *value = result->makespan_ns;
        return 0;
    case FAILOVERS:
        *value = (int64_t)result->n_failovers;
        return 0;
    case FAULTLESS:
        *value = faultless_ns;
        return faultless_ns < 0 ? 1 : 0;
    case DELAY:
        *value = result->makespan_ns - faultless_ns;
        return faultless_ns < 0 ? 1 : 0;
    default:
        return -1;
    }
}

int scenario_metric_value(const struct model_result *result, int64_t faultless_ns,
                          const char *metric, int64_t *value)
{
    uint32_t index = metric_index(metric);
    if (index == UINT32_MAX) {
        return -1;
    }
    if (index >= FIXED) {
        *value = lost_by_cause(result, index - FIXED);
        return 0;
    }
    size_t offset = rows[index].offset;
    if (offset >= sizeof(struct model_result)) {
        return special_value(result, faultless_ns, offset, value);
    }
    memcpy(value, (const unsigned char *)result + offset, sizeof(*value));
    return 0;
}
