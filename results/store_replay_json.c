// SPDX-License-Identifier: GPL-3.0-or-later
//
// The JSON lines of `recoup store replay`: names as in recovery/recoup.h, opaque bytes by their
// number, lists in full.
#include "results/store_replay.h"
#include "results/store_words.h"

static const char *const verdict_names[] = {
    [RECOUP_REPLAY_STEPPED] = "end",         [RECOUP_REPLAY_END] = "end",
    [RECOUP_REPLAY_TRUNCATED] = "truncated", [RECOUP_REPLAY_DAMAGED] = "damaged",
    [RECOUP_REPLAY_VERSION] = "foreign",     [RECOUP_REPLAY_DIVERGED] = "diverged",
    [RECOUP_REPLAY_NO_MEMORY] = "no-memory",
};

static void begin(struct results_json *json, struct results_text *text, const char *kind)
{
    results_json_init(json, text);
    results_json_object(json);
    results_json_put_string(json, "kind", kind);
}

static void end(struct results_json *json, struct results_text *text)
{
    results_json_end_object(json);
    results_text_add(text, "\n");
}

// null for 0.
static void put_error(struct results_json *json, const char *key, int error)
{
    results_json_put_string(json, key, error != 0 ? recoup_error_name(error) : NULL);
}

// An index, null for "none" (of a coordinator: the shuffle master).
static void put_index(struct results_json *json, const char *key, uint32_t index)
{
    results_json_key(json, key);
    if (index == RECOUP_NONE) {
        results_json_null(json);
    } else {
        results_json_u64(json, index);
    }
}

static void put_range(struct results_json *json, struct recoup_range range)
{
    results_json_put_u64(json, "stage", range.stage);
    results_json_put_u64(json, "first", range.first);
    results_json_put_u64(json, "count", range.count);
}

static void put_ranges(struct results_json *json, const struct recoup_range *ranges, uint32_t n)
{
    results_json_key(json, "ranges");
    results_json_array(json);
    for (uint32_t i = 0; i < n; i++) {
        results_json_object(json);
        put_range(json, ranges[i]);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void put_partition(struct results_json *json, const struct recoup_partition *partition)
{
    results_json_put_u64(json, "stage", partition->stage);
    results_json_put_u64(json, "subtask", partition->subtask);
    results_store_put_u64(json, "attempt", partition->attempt);
    results_json_put_u64(json, "worker", partition->worker);
    results_store_put_u64(json, "bytes", partition->bytes);
}

static void put_partitions(struct results_json *json, const struct recoup_partition *partitions,
                           uint32_t n)
{
    results_json_key(json, "partitions");
    results_json_array(json);
    for (uint32_t i = 0; i < n; i++) {
        results_json_object(json);
        put_partition(json, &partitions[i]);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

// --- events -------------------------------------------------------------------------------------

static void put_io(struct results_json *json, const struct recoup_event *event)
{
    results_json_put_u64(json, "operation", event->io.operation);
    put_error(json, "error", event->io.error);
    results_json_put_u64(json, "bytes", event->io.size);
    results_json_key(json, "names");
    results_json_array(json);
    for (uint32_t i = 0; i < event->io.n_names; i++) {
        results_json_string(json, event->io.names[i]);
    }
    results_json_end_array(json);
}

static void put_finished(struct results_json *json, const struct recoup_event *event)
{
    results_json_put_u64(json, "stage", event->subtask_finished.stage);
    results_json_put_u64(json, "subtask", event->subtask_finished.subtask);
    results_store_put_u64(json, "attempt", event->subtask_finished.attempt);
    results_json_put_u64(json, "worker", event->subtask_finished.worker);
    results_store_put_u64(json, "bytes", event->subtask_finished.bytes);
    results_json_put_bool(json, "partition", event->subtask_finished.has_partition);
    results_json_put_u64(json, "payload_bytes", event->subtask_finished.payload_bytes);
}

static void put_snapshot(struct results_json *json, const struct recoup_event *event)
{
    results_json_put_u64(json, "snapshot", event->snapshot.snapshot);
    put_index(json, "coordinator", event->snapshot.coordinator);
    results_json_put_bool(json, "failed", event->snapshot.failed);
    results_json_put_u64(json, "bytes", event->snapshot.size);
}

static void put_event(struct results_json *json, const struct recoup_event *event)
{
    switch (event->type) {
    case RECOUP_EVENT_START:
        results_store_put_u64(json, "epoch", event->start.epoch);
        results_json_put_bool(json, "first", event->start.first);
        break;
    case RECOUP_EVENT_IO:
        put_io(json, event);
        break;
    case RECOUP_EVENT_STAGE_INITIALIZED:
        results_json_put_u64(json, "stage", event->stage_initialized.stage);
        results_json_put_u64(json, "parallelism", event->stage_initialized.parallelism);
        break;
    case RECOUP_EVENT_SUBTASK_FINISHED:
        put_finished(json, event);
        break;
    case RECOUP_EVENT_SUBTASKS_FAILED:
        put_ranges(json, event->subtasks_failed.ranges, event->subtasks_failed.n_ranges);
        break;
    case RECOUP_EVENT_RESETS_DONE:
        results_json_put_u64(json, "reset", event->resets_done.reset);
        break;
    case RECOUP_EVENT_SNAPSHOT:
        put_snapshot(json, event);
        break;
    case RECOUP_EVENT_WORKER_REPORT:
        results_json_put_u64(json, "worker", event->worker_report.worker);
        put_partitions(json, event->worker_report.partitions, event->worker_report.n_partitions);
        break;
    case RECOUP_EVENT_WORKER_LOST:
        results_json_put_u64(json, "worker", event->worker_lost.worker);
        break;
    case RECOUP_EVENT_PARTITION_LOST:
        put_partition(json, &event->partition_lost);
        break;
    case RECOUP_EVENT_STOP:
        results_json_put_bool(json, "clear", event->stop.clear);
        break;
    case RECOUP_EVENT_ADOPTION:
        results_json_put_u64(json, "adoption", event->adoption.adoption);
        put_ranges(json, event->adoption.ranges, event->adoption.n_ranges);
        break;
    case RECOUP_EVENT_TIMER:
    case RECOUP_EVENT_GLOBAL_FAILURE:
    case RECOUP_EVENT_LEADERSHIP_LOST:
        break;
    }
}

// --- actions ------------------------------------------------------------------------------------

static void put_operation(struct results_json *json, const struct recoup_action *action)
{
    results_json_put_u64(json, "operation", action->io.operation);
    results_json_put_string(json, "file", action->io.file);
    if (action->type == RECOUP_ACTION_READ) {
        results_store_put_u64(json, "offset", action->io.offset);
    }
    if (action->type == RECOUP_ACTION_READ || action->type == RECOUP_ACTION_APPEND) {
        results_json_put_u64(json, "bytes", action->io.size);
    }
}

static void put_resets(struct results_json *json, const struct recoup_action *action)
{
    static const char *const reasons[] = {
        [RECOUP_RESET_FAILED] = "failed",
        [RECOUP_RESET_UNFINISHED] = "unfinished",
        [RECOUP_RESET_COORDINATOR_UNSUPPORTED] = "coordinator-unsupported",
        [RECOUP_RESET_PARTITION_MISSING] = "partition-missing",
        [RECOUP_RESET_DOWNSTREAM] = "downstream",
        [RECOUP_RESET_GLOBAL] = "global",
    };

    results_json_put_u64(json, "reset", action->reset_subtasks.reset);
    results_json_put_bool(json, "confirm", action->reset_subtasks.confirm);
    results_json_key(json, "ranges");
    results_json_array(json);
    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        const struct recoup_reset_range *range = &action->reset_subtasks.ranges[i];

        results_json_object(json);
        put_range(json, range->range);
        results_json_put_string(json, "reason", reasons[range->reason]);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

// What the library tells of the state of the job.
static void put_recovery(struct results_json *json, const struct recoup_action *action)
{
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_INITIALIZE_STAGE:
        results_json_put_u64(json, "stage", action->initialize_stage.stage);
        results_json_put_u64(json, "parallelism", action->initialize_stage.parallelism);
        break;
    case RECOUP_ACTION_MARK_FINISHED:
        put_range(json, action->mark_finished);
        break;
    case RECOUP_ACTION_RESTORE_COORDINATOR:
        put_index(json, "coordinator", action->restore_coordinator.coordinator);
        results_json_put_u64(json, "bytes", action->restore_coordinator.size);
        break;
    case RECOUP_ACTION_RESET_SUBTASKS:
        put_resets(json, action);
        break;
    case RECOUP_ACTION_ASK_ADOPTION:
        results_json_put_u64(json, "adoption", action->ask_adoption.adoption);
        put_ranges(json, action->ask_adoption.ranges, action->ask_adoption.n_ranges);
        break;
    case RECOUP_ACTION_ADOPT_SUBTASKS:
        put_ranges(json, action->adopt_subtasks.ranges, action->adopt_subtasks.n_ranges);
        break;
    case RECOUP_ACTION_RECOVERED:
        results_json_put_bool(json, "from_log",
                              action->recovered.kind == RECOUP_RECOVERED_LOG);
        results_json_put_bool(json, "initialize_possible", action->recovered.initialize_possible);
        results_json_put_bool(json, "check_completion", action->recovered.check_completion);
        break;
    default: // JOB_ENDED, PROTECTION_RESTORED: the name says all
        break;
    }
}

static void put_command(struct results_json *json, const struct recoup_action *action)
{
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_TAKE_SNAPSHOT:
        results_json_put_u64(json, "snapshot", action->take_snapshot.snapshot);
        put_index(json, "coordinator", action->take_snapshot.coordinator);
        break;
    case RECOUP_ACTION_ASK_WORKERS:
        results_json_put_bool(json, "on", action->ask_workers.on);
        break;
    case RECOUP_ACTION_TRACK:
    case RECOUP_ACTION_RELEASE:
        put_partitions(json, action->partitions.partitions, action->partitions.n_partitions);
        break;
    case RECOUP_ACTION_DURABLE:
        results_store_put_u64(json, "sequence", action->durable.event);
        break;
    case RECOUP_ACTION_THROTTLE:
        results_json_put_bool(json, "on", action->throttle.on);
        break;
    case RECOUP_ACTION_PROTECTION_LOST:
        put_error(json, "error", action->protection_lost.error);
        break;
    case RECOUP_ACTION_RECOVERY_FAILED:
        put_error(json, "error", action->recovery_failed.error);
        break;
    case RECOUP_ACTION_STOPPED:
        put_error(json, "error", action->stopped.error);
        break;
    default:
        put_recovery(json, action);
        break;
    }
}

// --- lines --------------------------------------------------------------------------------------

void results_store_replay_json_step(const struct recoup_replay *step, struct results_text *text)
{
    struct results_json json;

    begin(&json, text, "event");
    results_json_put_u64(&json, "step", step->step);
    results_json_put_u64(&json, "offset", step->offset);
    results_json_put_i64(&json, "at_ns", step->now_ns);
    results_json_put_string(&json, "event", results_store_event_name(step->event->type));
    put_error(&json, "refused", step->code);
    results_json_put_bool(&json, "checked", step->checked);
    results_store_put_u64(&json, "sequence", step->update->event);
    put_event(&json, step->event);
    end(&json, text);
    for (uint32_t i = 0; i < step->update->n_actions; i++) {
        const struct recoup_action *action = &step->update->actions[i];

        begin(&json, text, "action");
        results_json_put_u64(&json, "step", step->step);
        results_json_put_string(&json, "action", results_store_action_name(action->type));
        if (action->type <= RECOUP_ACTION_REMOVE) {
            put_operation(&json, action);
        } else {
            put_command(&json, action);
        }
        end(&json, text);
    }
}

void results_store_replay_json_state(const struct recoup_job *job, uint64_t steps,
                                     struct results_text *text)
{
    struct results_json json;
    struct recoup_stats stats;
    uint8_t hash[16];

    recoup_stats(job, &stats);
    recoup_state_hash(job, hash);
    begin(&json, text, "state");
    results_json_put_u64(&json, "events", steps);
    results_json_put_string(&json, "phase", recoup_phase_name(recoup_phase(job)));
    results_json_put_bool(&json, "protected", stats.protected_now);
    results_json_put_u64(&json, "accepted", stats.events_accepted);
    results_json_put_u64(&json, "durable", stats.events_durable);
    results_json_key(&json, "hash");
    results_json_hex(&json, hash, sizeof hash);
    results_json_key(&json, "stages");
    results_json_array(&json);
    for (uint32_t s = 0; s < RECOUP_STAGES_MAX; s++) {
        struct recoup_stage stage;

        recoup_stage(job, s, &stage);
        if (stage.initialized) {
            results_json_object(&json);
            results_json_put_u64(&json, "stage", s);
            results_json_put_u64(&json, "parallelism", stage.parallelism);
            results_json_put_u64(&json, "finished", stage.finished);
            results_json_end_object(&json);
        }
    }
    results_json_end_array(&json);
    end(&json, text);
}

void results_store_replay_json_verdict(const struct recoup_replay *verdict,
                                       struct results_text *text)
{
    struct results_json json;

    begin(&json, text, "verdict");
    results_json_put_string(&json, "verdict", verdict_names[verdict->verdict]);
    results_json_put_u64(&json, "offset", verdict->offset);
    results_json_put_u64(&json, "step", verdict->step);
    results_json_put_string(&json, "message", verdict->text);
    end(&json, text);
}
