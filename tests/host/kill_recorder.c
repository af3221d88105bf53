// SPDX-License-Identifier: GPL-3.0-or-later
//
// The process that is killed: an engine that does what the script says as fast as the host takes
// it, and tells its parent through a pipe what is durable.
#define _GNU_SOURCE
#include "host/kill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#define NUMBERS (1u << 20) // events that may be accepted and not durable
#define SNAPSHOTS_MAX 64u

struct recorder {
    struct recoup_host_engine engine; // first: commands get a pointer to it
    const struct kill_recorder_config *config;
    uv_loop_t loop;
    struct recoup_host *host;
    struct kill_state state;
    bool running;
    bool throttled;
    bool stop_wanted;
    uint32_t initialized; // stages
    uint64_t step;        // of the script, done
    struct kill_operation operation; // given out last
    struct recoup_range range;       // of a failure
    uint32_t snapshots[SNAPSHOTS_MAX];
    unsigned n_snapshots;
    uint32_t reset; // to be confirmed, 0: none
    uint64_t durable;
    uint64_t durable_step;
    struct {
        uint64_t number;
        uint64_t step;
    } numbers[NUMBERS]; // which step an event number belongs to
};

static struct recorder *recorder_of(struct recoup_host_engine *self)
{
    return (struct recorder *)self;
}

static void send_bytes(const struct recorder *r, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = write(r->config->pipe, at, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            _exit(3); // the parent is gone
        }
        at += n;
        size -= (size_t)n;
    }
}

static void send_message(const struct recorder *r, enum kill_message_type type, int error,
                         uint64_t step)
{
    struct kill_message message = {.type = type, .error = error, .step = step};

    send_bytes(r, &message, sizeof message);
}

static void fail(struct recorder *r, int error)
{
    send_message(r, KILL_FAILED, error, r->step);
    _exit(2);
}

// ---------------------------------------------------------------------------------------------
// Events

static void next_operation(struct recorder *r, struct recoup_event *event)
{
    atomic_store(&r->config->shared->step, r->step + 1);
    r->operation = kill_operation_at(&r->state, r->config->epoch, r->step + 1);
    if (r->operation.fails) {
        r->range = (struct recoup_range){r->operation.stage, r->operation.first,
                                         r->operation.count};
        event->type = RECOUP_EVENT_SUBTASKS_FAILED;
        event->subtasks_failed.ranges = &r->range;
        event->subtasks_failed.n_ranges = 1;
        return;
    }
    event->type = RECOUP_EVENT_SUBTASK_FINISHED;
    event->subtask_finished.stage = r->operation.stage;
    event->subtask_finished.subtask = r->operation.first;
    event->subtask_finished.attempt = r->operation.attempt;
    event->subtask_finished.payload = &r->operation.attempt;
    event->subtask_finished.payload_bytes = (uint32_t)(r->step % 9);
}

static bool next_event(struct recoup_host_engine *self, struct recoup_event *event)
{
    struct recorder *r = recorder_of(self);

    if (!r->running) {
        return false;
    }
    if (r->reset != 0) {
        event->type = RECOUP_EVENT_RESETS_DONE;
        event->resets_done.reset = r->reset;
        return true;
    }
    if (r->n_snapshots > 0) {
        event->type = RECOUP_EVENT_SNAPSHOT;
        event->snapshot.snapshot = r->snapshots[0];
        event->snapshot.coordinator = RECOUP_SHUFFLE;
        event->snapshot.data = "the shuffle master's state";
        event->snapshot.size = 26;
        return true;
    }
    if (r->initialized < KILL_STAGES) {
        event->type = RECOUP_EVENT_STAGE_INITIALIZED;
        event->stage_initialized.stage = r->initialized;
        event->stage_initialized.parallelism = KILL_SUBTASKS;
        return true;
    }
    if (r->stop_wanted) {
        event->type = RECOUP_EVENT_STOP;
        event->stop.clear = true;
        return true;
    }
    if (r->throttled || r->step - r->durable_step >= r->config->lag) {
        return false;
    }
    next_operation(r, event);
    return true;
}

static void stepped(struct recoup_host_engine *self, const struct recoup_event *event, int error,
                    uint64_t number)
{
    struct recorder *r = recorder_of(self);

    if (error != 0) {
        fail(r, error);
    }
    if (event->type == RECOUP_EVENT_RESETS_DONE) {
        r->reset = 0;
    } else if (event->type == RECOUP_EVENT_SNAPSHOT) {
        r->n_snapshots--;
        memmove(r->snapshots, r->snapshots + 1, r->n_snapshots * sizeof r->snapshots[0]);
    } else if (event->type == RECOUP_EVENT_STAGE_INITIALIZED) {
        r->initialized++;
    } else if (event->type == RECOUP_EVENT_STOP) {
        r->stop_wanted = false;
        r->running = false;
    } else {
        r->step++;
        kill_operation_apply(&r->state, &r->operation);
        r->numbers[number % NUMBERS].number = number;
        r->numbers[number % NUMBERS].step = r->step;
    }
}

// ---------------------------------------------------------------------------------------------
// Commands

static void take_snapshot(struct recoup_host_engine *self, uint32_t snapshot, uint32_t coordinator)
{
    struct recorder *r = recorder_of(self);

    if (coordinator != RECOUP_SHUFFLE || r->n_snapshots == SNAPSHOTS_MAX) {
        fail(r, RECOUP_EMISUSE);
    }
    r->snapshots[r->n_snapshots++] = snapshot;
}

static void initialize_stage(struct recoup_host_engine *self, uint32_t stage, uint32_t parallelism)
{
    struct recorder *r = recorder_of(self);

    if (stage != r->initialized || parallelism != KILL_SUBTASKS) {
        fail(r, RECOUP_EMISUSE);
    }
    r->initialized++;
}

static void mark_finished(struct recoup_host_engine *self, const struct recoup_range *range)
{
    (void)self;
    (void)range; // read as a whole at RECOVERED
}

static void restore_coordinator(struct recoup_host_engine *self, uint32_t coordinator,
                                const void *data, size_t size)
{
    if (coordinator != RECOUP_SHUFFLE || size != 26
        || memcmp(data, "the shuffle master's state", 26) != 0) {
        fail(recorder_of(self), RECOUP_ECORRUPT);
    }
}

static void reset_subtasks(struct recoup_host_engine *self, uint32_t reset, bool confirm,
                           const struct recoup_reset_range *ranges, uint32_t n_ranges)
{
    struct recorder *r = recorder_of(self);

    (void)ranges;
    if (!r->running || !confirm || r->reset != 0 || n_ranges == 0) {
        fail(r, RECOUP_EMISUSE); // nothing may be taken back but what the script says
    }
    r->reset = reset;
}

static void ask_workers(struct recoup_host_engine *self, bool on)
{
    (void)self;
    (void)on; // no partition is needed: nobody reads what the stages write
}

static void partitions(struct recoup_host_engine *self, const struct recoup_partition *list,
                       uint32_t n)
{
    (void)list;
    (void)n;
    fail(recorder_of(self), RECOUP_EMISUSE); // there are none
}

static void durable(struct recoup_host_engine *self, uint64_t event)
{
    struct recorder *r = recorder_of(self);
    uint64_t step = r->durable_step;

    for (uint64_t number = r->durable + 1; number <= event; number++) {
        if (r->numbers[number % NUMBERS].number == number) {
            step = r->numbers[number % NUMBERS].step;
        }
    }
    r->durable = event;
    if (step > r->durable_step) {
        r->durable_step = step;
        send_message(r, KILL_DURABLE, 0, step);
    }
}

static void throttle(struct recoup_host_engine *self, bool on)
{
    recorder_of(self)->throttled = on;
}

static void protection_lost(struct recoup_host_engine *self, int error)
{
    fail(recorder_of(self), error);
}

static void protection_restored(struct recoup_host_engine *self)
{
    fail(recorder_of(self), RECOUP_EMISUSE);
}

static void recovered(struct recoup_host_engine *self, enum recoup_recovered_kind kind,
                      bool initialize_possible, bool check_completion)
{
    struct recorder *r = recorder_of(self);
    struct recoup_subtask subtask;
    struct recoup_stats stats;

    (void)kind;
    (void)initialize_possible;
    (void)check_completion;
    for (uint32_t s = 0; s < KILL_STAGES; s++) {
        for (uint32_t i = 0; i < KILL_SUBTASKS; i++) {
            recoup_subtask(recoup_host_job(r->host), s, i, &subtask);
            kill_state_set(&r->state, s, i, subtask.finished ? subtask.attempt : 0);
        }
    }
    recoup_stats(recoup_host_job(r->host), &stats);
    atomic_store(&r->config->shared->replayed, stats.events_replayed);
    send_message(r, KILL_RECOVERED, 0, 0);
    send_bytes(r, &r->state, sizeof r->state);
    r->running = true;
    r->stop_wanted = r->config->stop;
}

static void recovery_failed(struct recoup_host_engine *self, int error)
{
    fail(recorder_of(self), error);
}

static void job_ended(struct recoup_host_engine *self)
{
    (void)self; // `stopped` follows, as after a clean-up of this process's own
}

static void stopped(struct recoup_host_engine *self, int error)
{
    struct recorder *r = recorder_of(self);

    if (error != 0) {
        fprintf(stderr, "the end is not complete: %s\n", recoup_error_name(error));
        exit(1);
    }

    send_message(r, KILL_STOPPED, 0, r->step);
    recoup_host_destroy(r->host, NULL, NULL);
}

static void storage_error(struct recoup_host_engine *self,
                          const struct recoup_host_failure *failure)
{
    (void)self;
    fprintf(stderr, "%s %s/%s: %s\n", failure->call, failure->directory, failure->file,
            strerror(failure->os_error));
}

// ---------------------------------------------------------------------------------------------

static const struct recoup_host_engine commands = {
    .next_event = next_event,
    .stepped = stepped,
    .take_snapshot = take_snapshot,
    .initialize_stage = initialize_stage,
    .mark_finished = mark_finished,
    .restore_coordinator = restore_coordinator,
    .reset_subtasks = reset_subtasks,
    .ask_workers = ask_workers,
    .track = partitions,
    .release = partitions,
    .durable = durable,
    .throttle = throttle,
    .protection_lost = protection_lost,
    .protection_restored = protection_restored,
    .recovered = recovered,
    .recovery_failed = recovery_failed,
    .job_ended = job_ended,
    .stopped = stopped,
    .storage_error = storage_error,
};

int kill_recorder_run(const struct kill_recorder_config *config)
{
    struct recorder *r = calloc(1, sizeof *r);
    struct recoup_stage_spec stages[KILL_STAGES] = {{KILL_SUBTASKS, 0}, {KILL_SUBTASKS, 0}};
    struct recoup_graph graph = {.n_stages = KILL_STAGES, .stages = stages};
    struct recoup_options options;
    struct recoup_event start = {.type = RECOUP_EVENT_START};
    struct recoup_host_config host = {.directory = config->directory,
                                      .durability = config->durability,
                                      .graph = &graph,
                                      .options = &options};

    if (r == NULL || uv_loop_init(&r->loop) != 0) {
        return 2;
    }
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    options.snapshot_min_pause_ns = config->snapshot_min_pause_ns;
    options.flush_interval_ns = 1000000;
    options.write_buffer_bytes = 1u << 14;
    host.limits.waiting_bytes = 4u << 20;
    memset(graph.digest, 0x5c, sizeof graph.digest);
    r->engine = commands;
    r->config = config;
    host.loop = &r->loop;
    host.engine = &r->engine;
    start.start.epoch = config->epoch;
    if (recoup_host_create(&host, &r->host) != 0
        || recoup_host_step(r->host, &start, NULL) != 0) {
        return 2;
    }
    uv_run(&r->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&r->loop) != 0) {
        return 2;
    }
    free(r);
    return 0;
}
