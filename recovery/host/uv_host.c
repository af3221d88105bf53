// SPDX-License-Identifier: Apache-2.0
//
// Steps and commands. Whatever wants to be stepped (the end of an operation, the deadline, the
// engine's next event) waits in the host and is stepped by one loop, recoup__host_turn(), so that
// nothing recurses and steps never overlap (D1).
#include "recovery/host/uv_host.h"

#include <stdlib.h>
#include <string.h>

#define READ_BYTES_DEFAULT ((size_t)1 << 20)
#define READ_BYTES_MAX ((size_t)1 << 28)

// ---------------------------------------------------------------------------------------------
// Commands

static void command_recovery(struct recoup_host_engine *engine, const struct recoup_action *action)
{
    RECOUP_ASSERT(engine != NULL);
    switch ((int)action->type) {
    case RECOUP_ACTION_INITIALIZE_STAGE:
        engine->initialize_stage(engine, action->initialize_stage.stage,
                                 action->initialize_stage.parallelism);
        break;
    case RECOUP_ACTION_MARK_FINISHED:
        engine->mark_finished(engine, &action->mark_finished);
        break;
    case RECOUP_ACTION_RESTORE_COORDINATOR:
        engine->restore_coordinator(engine, action->restore_coordinator.coordinator,
                                    action->restore_coordinator.data,
                                    action->restore_coordinator.size);
        break;
    case RECOUP_ACTION_ASK_WORKERS:
        engine->ask_workers(engine, action->ask_workers.on);
        break;
    case RECOUP_ACTION_RECOVERED:
        engine->recovered(engine, action->recovered.kind, action->recovered.initialize_possible,
                          action->recovered.check_completion);
        break;
    case RECOUP_ACTION_ASK_ADOPTION:
        if (engine->ask_adoption != NULL) {
            engine->ask_adoption(engine, action->ask_adoption.adoption, action->ask_adoption.ranges,
                                 action->ask_adoption.n_ranges);
        }
        break;
    case RECOUP_ACTION_ADOPT_SUBTASKS:
        // Nothing is adopted that the engine has not agreed to.
        RECOUP_ASSERT(engine->adopt_subtasks != NULL);
        engine->adopt_subtasks(engine, action->adopt_subtasks.ranges,
                               action->adopt_subtasks.n_ranges);
        break;
    default:
        RECOUP_ASSERT(action->type == RECOUP_ACTION_RECOVERY_FAILED);
        engine->recovery_failed(engine, action->recovery_failed.error);
        break;
    }
}

static void command_running(struct recoup_host_engine *engine, const struct recoup_action *action)
{
    RECOUP_ASSERT(engine != NULL);
    switch ((int)action->type) {
    case RECOUP_ACTION_TAKE_SNAPSHOT:
        engine->take_snapshot(engine, action->take_snapshot.snapshot,
                              action->take_snapshot.coordinator);
        break;
    case RECOUP_ACTION_RESET_SUBTASKS:
        engine->reset_subtasks(engine, action->reset_subtasks.reset, action->reset_subtasks.confirm,
                               action->reset_subtasks.ranges, action->reset_subtasks.n_ranges);
        break;
    case RECOUP_ACTION_TRACK:
        engine->track(engine, action->partitions.partitions, action->partitions.n_partitions);
        break;
    case RECOUP_ACTION_RELEASE:
        engine->release(engine, action->partitions.partitions, action->partitions.n_partitions);
        break;
    case RECOUP_ACTION_DURABLE:
        engine->durable(engine, action->durable.event);
        break;
    case RECOUP_ACTION_THROTTLE:
        engine->throttle(engine, action->throttle.on);
        break;
    case RECOUP_ACTION_PROTECTION_LOST:
        engine->protection_lost(engine, action->protection_lost.error);
        break;
    case RECOUP_ACTION_PROTECTION_RESTORED:
        engine->protection_restored(engine);
        break;
    case RECOUP_ACTION_STOPPED:
        engine->stopped(engine, action->stopped.error);
        break;
    case RECOUP_ACTION_JOB_ENDED:
        engine->job_ended(engine);
        break;
    default:
        command_recovery(engine, action);
        break;
    }
}

// Carries out an update. A host that is destroyed by a command gives no further one.
static void carry_out(struct recoup_host *host, const struct recoup_update *update)
{
    RECOUP_ASSERT(host->turning);
    for (uint32_t i = 0; i < update->n_actions && !host->closing; i++) {
        const struct recoup_action *action = &update->actions[i];

        RECOUP_ASSERT(action->type <= RECOUP_ACTION_ADOPT_SUBTASKS);
        if (action->type <= RECOUP_ACTION_REMOVE) {
            recoup__request_begin(host, action);
        } else {
            command_running(host->engine, action);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Steps

static void end_leadership(struct recoup_host *host)
{
    RECOUP_ASSERT(!host->ended);
    host->ended = true;
    recoup__request_cancel(host);
    RECOUP_ASSERT(host->request.state != RECOUP__REQUEST_DONE);
}

// The host's own events: nobody but the host can repeat them.
static void note_result(struct recoup_host *host, int error)
{
    RECOUP_ASSERT(error <= 0);
    host->retry_ns =
        error == RECOUP_ENOMEM ? recoup_host_now_ns() + RECOUP__HOST_RETRY_NS : INT64_MIN;
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, host->retry_ns == INT64_MIN));
}

static void step_io(struct recoup_host *host)
{
    struct recoup_event event;
    struct recoup_update update;
    int error;

    recoup__request_event(&host->request, &event);
    RECOUP_ASSERT(event.io.operation == host->request.id);
    error = recoup__recording_step(host, &event, &update);
    note_result(host, error);
    if (error == RECOUP_ENOMEM) {
        return; // the result is kept, and stepped again
    }
    // RECOUP_EMISUSE: the library has given up its storage, and wants no result any more.
    RECOUP_ASSERT(error == 0 || error == RECOUP_EMISUSE);
    recoup__request_release(&host->request);
    carry_out(host, &update);
}

static void step_timer(struct recoup_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};
    struct recoup_update update;
    int error;

    RECOUP_ASSERT(host->timer_due);
    host->timer_due = false;
    error = recoup__recording_step(host, &event, &update);
    RECOUP_ASSERT(error == 0 || error == RECOUP_ENOMEM || error == RECOUP_EMISUSE);
    note_result(host, error);
    carry_out(host, &update);
}

static int step_event(struct recoup_host *host, const struct recoup_event *event, bool pulled,
                      uint64_t *number)
{
    struct recoup_update update;
    int error;

    RECOUP_ASSERT(host->turning);
    if (event->type == RECOUP_EVENT_TIMER || event->type == RECOUP_EVENT_IO) {
        memset(&update, 0, sizeof update);
        error = RECOUP_EMISUSE;
    } else {
        error = recoup__recording_step(host, event, &update);
    }
    if (number != NULL) {
        *number = update.event;
    }
    if (pulled) {
        host->engine->stepped(host->engine, event, error, update.event);
    }
    if (error == 0 && event->type == RECOUP_EVENT_LEADERSHIP_LOST && !host->closing) {
        end_leadership(host);
    }
    carry_out(host, &update);
    RECOUP_ASSERT(host->turning);
    return error;
}

// Steps one thing that waits. False if nothing does.
static bool turn_once(struct recoup_host *host)
{
    struct recoup_event event;
    bool waits = host->retry_ns > recoup_host_now_ns();

    RECOUP_ASSERT(host->turning);
    if (host->closing) {
        return false;
    }
    if (host->request.state == RECOUP__REQUEST_DONE && !waits) {
        step_io(host);
        return true;
    }
    if (host->timer_due && !waits) {
        step_timer(host);
        return true;
    }
    memset(&event, 0, sizeof event);
    if (host->ended || !host->engine->next_event(host->engine, &event) || host->closing) {
        return false;
    }
    (void)step_event(host, &event, true, NULL); // told by `stepped`
    return true;
}

void recoup__host_turn(struct recoup_host *host)
{
    unsigned n = 0;

    RECOUP_ASSERT(!host->turning);
    host->turning = true;
    while (n < RECOUP__HOST_STEPS_MAX && turn_once(host)) {
        n++;
    }
    host->turning = false;
    if (!host->closing) {
        recoup__timer_arm(host, n == RECOUP__HOST_STEPS_MAX);
    }
    RECOUP_ASSERT(n <= RECOUP__HOST_STEPS_MAX);
}

int recoup_host_step(struct recoup_host *host, const struct recoup_event *event, uint64_t *number)
{
    int error;

    if (number != NULL) {
        *number = 0;
    }
    if (host == NULL || event == NULL) {
        return RECOUP_EINVAL;
    }
    if (host->turning || host->closing) {
        return RECOUP_EMISUSE;
    }
    host->turning = true;
    error = step_event(host, event, false, number);
    host->turning = false;
    if (!host->closing) {
        recoup__host_turn(host);
    }
    RECOUP_ASSERT(!host->turning);
    return error;
}

int recoup_host_stop(struct recoup_host *host, bool clear)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STOP};

    RECOUP_ASSERT(host != NULL);
    event.stop.clear = clear;
    return recoup_host_step(host, &event, NULL);
}

// ---------------------------------------------------------------------------------------------
// Creation and destruction

static void *allocate(void *context, size_t size)
{
    RECOUP_ASSERT(context == NULL);
    RECOUP_ASSERT(size > 0);
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    RECOUP_ASSERT(context == NULL);
    RECOUP_ASSERT(RECOUP_ERGO(memory != NULL, size > 0));
    (void)context;
    (void)size;
    free(memory);
}

static bool engine_ok(const struct recoup_host_engine *engine)
{
    return engine != NULL && engine->next_event != NULL && engine->stepped != NULL
           && engine->take_snapshot != NULL && engine->initialize_stage != NULL
           && engine->mark_finished != NULL && engine->restore_coordinator != NULL
           && engine->reset_subtasks != NULL && engine->ask_workers != NULL
           && engine->track != NULL && engine->release != NULL && engine->durable != NULL
           && engine->throttle != NULL && engine->protection_lost != NULL
           && engine->protection_restored != NULL && engine->recovered != NULL
           && engine->recovery_failed != NULL && engine->stopped != NULL
           && engine->job_ended != NULL
           && engine->storage_error != NULL
           && (engine->ask_adoption == NULL) == (engine->adopt_subtasks == NULL);
}

static bool config_ok(const struct recoup_host_config *config)
{
    return config != NULL && config->loop != NULL && config->directory != NULL
           && config->durability <= RECOUP_HOST_MACHINE_AT_FLUSH && engine_ok(config->engine)
           && config->limits.read_bytes <= READ_BYTES_MAX
           && (config->allocator.allocate == NULL) == (config->allocator.release == NULL);
}

void recoup_host_storage(enum recoup_host_durability durability, struct recoup_storage *storage)
{
    RECOUP_ASSERT(durability <= RECOUP_HOST_MACHINE_AT_FLUSH);
    RECOUP_ASSERT(storage != NULL);
    storage->durable_at = durability == RECOUP_HOST_MACHINE_AT_SYNC ? RECOUP_DURABLE_AT_SYNC
                                                                     : RECOUP_DURABLE_AT_FLUSH;
    storage->can_sync = true;
    storage->create_exclusive = true;
    storage->list_consistent = true;
}

static int create_parts(struct recoup_host *host, const struct recoup_host_config *config)
{
    struct recoup_config job = {.graph = config->graph,
                                .options = config->options,
                                .allocator = config->allocator,
                                .limits = config->limits};
    int error = recoup__files_init(&host->files, config->directory, config->durability);

    RECOUP_ASSERT(host->job == NULL);
    if (error != 0) {
        return error;
    }
    if (job.allocator.allocate == NULL) {
        job.allocator = (struct recoup_allocator){allocate, release, NULL};
    }
    host->read_bytes =
        config->limits.read_bytes == 0 ? READ_BYTES_DEFAULT : config->limits.read_bytes;
    job.limits.read_bytes = (uint32_t)host->read_bytes;
    host->read_buffer = malloc(host->read_bytes);
    if (host->read_buffer == NULL) {
        return RECOUP_ENOMEM;
    }
    recoup_host_storage(config->durability, &job.storage);
    error = recoup_create(&job, &host->job);
    if (error == 0 && config->recording != NULL) {
        error = recoup__recording_open(host, config, &job);
    }
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, host->job != NULL));
    return error;
}

static void release_parts(struct recoup_host *host)
{
    RECOUP_ASSERT(host->request.state == RECOUP__REQUEST_NONE);
    RECOUP_ASSERT(!host->turning);
    recoup__recording_close(host);
    recoup_destroy(host->job);
    recoup__files_release(&host->files);
    free(host->read_buffer);
    free(host);
}

int recoup_host_create(const struct recoup_host_config *config, struct recoup_host **out)
{
    struct recoup_host *host;
    int error;

    if (out == NULL) {
        return RECOUP_EINVAL;
    }
    *out = NULL;
    if (!config_ok(config)) {
        return RECOUP_EINVAL;
    }
    host = calloc(1, sizeof *host);
    if (host == NULL) {
        return RECOUP_ENOMEM;
    }
    host->loop = config->loop;
    host->engine = config->engine;
    host->retry_ns = INT64_MIN;
    host->recording_fd = -1;
    host->incarnation = 1;
    error = create_parts(host, config);
    if (error == 0) {
        error = recoup__timer_init(host);
    }
    if (error != 0) {
        release_parts(host);
        return error;
    }
    *out = host;
    RECOUP_ASSERT(host->request.state == RECOUP__REQUEST_NONE);
    return 0;
}

void recoup__host_free(struct recoup_host *host)
{
    void (*destroyed)(void *context) = host->destroyed;
    void *context = host->destroyed_context;

    RECOUP_ASSERT(RECOUP_ERGO(host->timer_closed, host->closing));
    if (!host->timer_closed || host->request.state != RECOUP__REQUEST_NONE) {
        return;
    }
    release_parts(host);
    if (destroyed != NULL) {
        destroyed(context);
    }
}

void recoup_host_destroy(struct recoup_host *host, void (*destroyed)(void *context), void *context)
{
    if (host == NULL || host->closing) {
        return;
    }
    host->closing = true;
    host->destroyed = destroyed;
    host->destroyed_context = context;
    if (host->request.state != RECOUP__REQUEST_NONE) {
        recoup__request_cancel(host);
    }
    recoup__timer_close(host);
    RECOUP_ASSERT(!host->timer_closed);
}

const struct recoup_job *recoup_host_job(const struct recoup_host *host)
{
    RECOUP_ASSERT(host != NULL);
    RECOUP_ASSERT(host->job != NULL);
    return host->job;
}
