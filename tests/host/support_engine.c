// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of support_engine.h.
#define _GNU_SOURCE
#include "host/support_engine.h"

#include <ftw.h>
#include <unistd.h>

static struct engine *engine_of(struct recoup_host_engine *self)
{
    return (struct engine *)self;
}

static void note(struct engine *engine)
{
    engine->commands++;
    if (engine->commands == engine->destroy_at) {
        engine_begin_crash(engine);
    }
}

static void fill_finish(struct engine *engine, uint32_t subtask, struct recoup_event *event)
{
    memset(event, 0, sizeof *event);
    event->type = RECOUP_EVENT_SUBTASK_FINISHED;
    event->subtask_finished.subtask = subtask;
    event->subtask_finished.attempt = engine->epoch << 32 | (subtask + 1);
    event->subtask_finished.payload = "payload";
    event->subtask_finished.payload_bytes = 8;
}

static bool next_event(struct recoup_host_engine *self, struct recoup_event *event)
{
    struct engine *engine = engine_of(self);

    if (engine->hold) {
        return false;
    }
    if (engine->n_snapshots > 0) {
        event->type = RECOUP_EVENT_SNAPSHOT;
        event->snapshot.snapshot = engine->snapshots[0];
        event->snapshot.coordinator = RECOUP_SHUFFLE;
        return true;
    }
    if (engine->n_resets > 0) {
        event->type = RECOUP_EVENT_RESETS_DONE;
        event->resets_done.reset = engine->resets[0];
        return true;
    }
    if (engine->finishes > 0) {
        fill_finish(engine, engine->next, event);
        return true;
    }
    return false;
}

static void stepped(struct recoup_host_engine *self, const struct recoup_event *event, int error,
                    uint64_t number)
{
    struct engine *engine = engine_of(self);

    if (error == RECOUP_ENOMEM) {
        return; // it is given again
    }
    assert_int_equal(error, 0);
    engine->accepted = number > 0 ? number : engine->accepted;
    if (event->type == RECOUP_EVENT_SNAPSHOT) {
        engine->n_snapshots--;
        memmove(engine->snapshots, engine->snapshots + 1,
                engine->n_snapshots * sizeof engine->snapshots[0]);
    } else if (event->type == RECOUP_EVENT_RESETS_DONE) {
        engine->n_resets--;
        memmove(engine->resets, engine->resets + 1, engine->n_resets * sizeof engine->resets[0]);
    } else {
        engine->finishes--;
        engine->next++;
    }
}

static void take_snapshot(struct recoup_host_engine *self, uint32_t snapshot, uint32_t coordinator)
{
    struct engine *engine = engine_of(self);

    assert_int_equal(coordinator, RECOUP_SHUFFLE);
    assert_true(engine->n_snapshots < 16);
    engine->snapshots[engine->n_snapshots++] = snapshot;
    note(engine);
}

static void initialize_stage(struct recoup_host_engine *self, uint32_t stage, uint32_t parallelism)
{
    assert_int_equal(stage, 0);
    assert_int_equal(parallelism, engine_of(self)->stage.parallelism);
    note(engine_of(self));
}

static void mark_finished(struct recoup_host_engine *self, const struct recoup_range *range)
{
    assert_true(range->first + range->count <= engine_of(self)->stage.parallelism);
    note(engine_of(self));
}

static void restore_coordinator(struct recoup_host_engine *self, uint32_t coordinator,
                                const void *data, size_t size)
{
    (void)data;
    assert_int_equal(coordinator, RECOUP_SHUFFLE);
    assert_int_equal(size, 0);
    note(engine_of(self));
}

static void reset_subtasks(struct recoup_host_engine *self, uint32_t reset, bool confirm,
                           const struct recoup_reset_range *ranges, uint32_t n_ranges)
{
    struct engine *engine = engine_of(self);

    assert_true(n_ranges > 0 && ranges[0].range.count > 0);
    assert_true(engine->n_resets < 16);
    if (confirm) {
        engine->resets[engine->n_resets++] = reset;
    }
    note(engine);
}

static void ask_workers(struct recoup_host_engine *self, bool on)
{
    (void)on;
    note(engine_of(self));
}

static void partitions(struct recoup_host_engine *self, const struct recoup_partition *list,
                       uint32_t n)
{
    assert_true(n > 0 && list != NULL);
    note(engine_of(self));
}

static void durable(struct recoup_host_engine *self, uint64_t event)
{
    struct engine *engine = engine_of(self);
    struct recoup_event stop = {.type = RECOUP_EVENT_STOP};

    assert_true(event > engine->durable);
    engine->durable = event;
    engine->nested = recoup_host_step(engine->host, &stop, NULL); // must be refused
    note(engine);
}

static void throttle(struct recoup_host_engine *self, bool on)
{
    (void)on;
    note(engine_of(self));
}

static void protection_lost(struct recoup_host_engine *self, int error)
{
    struct engine *engine = engine_of(self);

    engine->lost++;
    engine->lost_error = error;
    note(engine);
}

static void protection_restored(struct recoup_host_engine *self)
{
    engine_of(self)->restored++;
    note(engine_of(self));
}

static void recovered(struct recoup_host_engine *self, enum recoup_recovered_kind kind,
                      bool initialize_possible, bool check_completion)
{
    struct engine *engine = engine_of(self);

    assert_false(engine->recovered);
    (void)initialize_possible;
    (void)check_completion;
    engine->recovered = true;
    engine->kind = kind;
    note(engine);
}

static void recovery_failed(struct recoup_host_engine *self, int error)
{
    engine_of(self)->recovery_error = error;
    note(engine_of(self));
}

static void job_ended(struct recoup_host_engine *self)
{
    engine_of(self)->job_ended = true;
}

static void stopped(struct recoup_host_engine *self, int error)
{
    engine_of(self)->stop_error = error;
    engine_of(self)->stopped = true;
    note(engine_of(self));
}

static void storage_error(struct recoup_host_engine *self,
                          const struct recoup_host_failure *failure)
{
    struct engine *engine = engine_of(self);

    engine->failures++;
    engine->failure = *failure;
    assert_string_equal(failure->directory, engine->directory);
    snprintf(engine->failed_call, sizeof engine->failed_call, "%s", failure->call);
    note(engine);
}

static void fill_commands(struct recoup_host_engine *commands)
{
    *commands = (struct recoup_host_engine){
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
}

// ---------------------------------------------------------------------------------------------

void engine_init(struct engine *engine, enum recoup_profile profile)
{
    const char *temporary = getenv("TMPDIR");

    memset(engine, 0, sizeof *engine);
    fill_commands(&engine->host_engine);
    assert_int_equal(uv_loop_init(&engine->loop), 0);
    snprintf(engine->directory, sizeof engine->directory, "%s/recoup-host-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(engine->directory));
    engine->stage.parallelism = ENGINE_SUBTASKS;
    engine->graph = (struct recoup_graph){.n_stages = 1, .stages = &engine->stage};
    memset(engine->graph.digest, 7, sizeof engine->graph.digest);
    recoup_options_init(&engine->options, profile);
    engine->options.recovery_enabled = true;
    engine->options.flush_interval_ns = 5 * MILLISECOND;
    engine->config = (struct recoup_host_config){.loop = &engine->loop,
                                                 .directory = engine->directory,
                                                 .durability = RECOUP_HOST_PROCESS,
                                                 .graph = &engine->graph,
                                                 .options = &engine->options,
                                                 .engine = &engine->host_engine};
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

void engine_release(struct engine *engine)
{
    engine_crash(engine);
    assert_int_equal(uv_loop_close(&engine->loop), 0);
    (void)nftw(engine->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void on_destroyed(void *context)
{
    struct engine *engine = context;

    assert_false(engine->destroyed);
    engine->destroyed = true;
    engine->host = NULL;
}

void engine_start(struct engine *engine)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START};

    assert_null(engine->host);
    engine->recovered = engine->stopped = engine->destroyed = false;
    engine->recovery_error = 0;
    engine->accepted = engine->durable = 0;
    engine->n_snapshots = engine->n_resets = 0;
    engine->finishes = 0;
    engine->lost = engine->restored = engine->failures = engine->commands = 0;
    engine->epoch++;
    event.start.epoch = engine->epoch;
    event.start.first = engine->first;
    assert_int_equal(recoup_host_create(&engine->config, &engine->host), 0);
    assert_int_equal(recoup_host_step(engine->host, &event, NULL), 0);
}

void engine_begin_crash(struct engine *engine)
{
    if (engine->host != NULL) {
        recoup_host_destroy(engine->host, on_destroyed, engine);
    }
}

void engine_crash(struct engine *engine)
{
    engine_begin_crash(engine);
    // Nothing but the host's end may keep the loop alive.
    assert_int_equal(uv_run(&engine->loop, UV_RUN_DEFAULT), 0);
    assert_null(engine->host);
}

int engine_initialize(struct engine *engine)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.parallelism = engine->stage.parallelism;
    return recoup_host_step(engine->host, &event, NULL);
}

int engine_finish(struct engine *engine, uint32_t subtask)
{
    struct recoup_event event;
    uint64_t number;
    int error;

    fill_finish(engine, subtask, &event);
    error = recoup_host_step(engine->host, &event, &number);
    engine->accepted = number > 0 ? number : engine->accepted;
    return error;
}

// ---------------------------------------------------------------------------------------------

static void on_guard(uv_timer_t *timer)
{
    ((struct engine *)timer->data)->timed_out = true;
}

static void on_guard_closed(uv_handle_t *handle)
{
    ((struct engine *)handle->data)->guarded = false;
}

static void begin_wait(struct engine *engine)
{
    engine->timed_out = false;
    engine->guarded = true;
    engine->guard.data = engine;
    assert_int_equal(uv_timer_init(&engine->loop, &engine->guard), 0);
    assert_int_equal(uv_timer_start(&engine->guard, on_guard, ENGINE_WAIT_MS, 0), 0);
}

static void end_wait(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->guard, on_guard_closed);
    while (engine->guarded) {
        uv_run(&engine->loop, UV_RUN_NOWAIT);
    }
    assert_false(engine->timed_out);
}

#define WAIT(engine, condition)                                                                    \
    do {                                                                                           \
        begin_wait(engine);                                                                        \
        while (!(condition) && !(engine)->timed_out) {                                             \
            uv_run(&(engine)->loop, UV_RUN_ONCE);                                                  \
        }                                                                                          \
        end_wait(engine);                                                                          \
    } while (0)

void engine_wait_recovered(struct engine *engine)
{
    WAIT(engine, engine->recovered || engine->recovery_error != 0);
}

void engine_wait_durable(struct engine *engine, uint64_t event)
{
    WAIT(engine, engine->durable >= event);
}

void engine_wait_durable_or_lost(struct engine *engine, uint64_t event)
{
    WAIT(engine, engine->durable >= event || engine->lost > engine->restored);
}

void engine_wait_failures(struct engine *engine, unsigned n)
{
    WAIT(engine, engine->failures >= n);
}

void engine_wait_lost(struct engine *engine, unsigned n)
{
    WAIT(engine, engine->lost >= n);
}

void engine_wait_restored(struct engine *engine, unsigned n)
{
    WAIT(engine, engine->restored >= n);
}

void engine_wait_stopped(struct engine *engine)
{
    WAIT(engine, engine->stopped);
}

uint32_t engine_finished(const struct engine *engine)
{
    const struct recoup_job *job = recoup_host_job(engine->host);
    struct recoup_subtask subtask;
    uint32_t n = 0;

    for (uint32_t i = 0; i < engine->stage.parallelism; i++) {
        recoup_subtask(job, 0, i, &subtask);
        if (subtask.finished) {
            assert_int_equal(i, n);
            assert_int_equal(subtask.payload_bytes, 8);
            assert_string_equal(subtask.payload, "payload");
            n++;
        }
    }
    return n;
}
