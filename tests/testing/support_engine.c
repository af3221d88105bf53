// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/testing/support_engine.h"

#include <xxhash.h>

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    if (memory != NULL) {
        memset(memory, 0xdd, size); // whoever still looks shall notice
        free(memory);
    }
}

struct recoup_allocator engine_allocator(void)
{
    return (struct recoup_allocator){allocate, release, NULL};
}

static const struct recoup_stage_spec line_stages[] = {{3, 0}, {2, 0}, {2, 0}};
static const struct recoup_edge_spec line_edges[] = {{0, 1, RECOUP_ALL_TO_ALL},
                                                     {1, 2, RECOUP_POINTWISE}};
static const struct recoup_coordinator_spec source_coordinators[] = {{0, true}, {1, false}};

struct recoup_graph graph_lines(void)
{
    return (struct recoup_graph){.digest = {1, 2, 3},
                                 .n_stages = 3,
                                 .stages = line_stages,
                                 .n_edges = 2,
                                 .edges = line_edges};
}

struct recoup_graph graph_sources(void)
{
    struct recoup_graph graph = graph_lines();

    graph.digest[0] = 9;
    graph.n_coordinators = 2;
    graph.coordinators = source_coordinators;
    return graph;
}

static int plain_step(struct engine *engine, const struct recoup_event *event,
                      struct recoup_update *update)
{
    return recoup_step(engine->job, engine->now_ns, event, update);
}

void engine_init(struct engine *engine, struct recoup_testing_host *host, struct cluster *cluster,
                 const struct recoup_graph *graph, enum recoup_profile profile)
{
    memset(engine, 0, sizeof *engine);
    engine->host = host;
    engine->cluster = cluster;
    engine->graph = *graph;
    engine->storage = recoup_testing_device(host)->storage;
    recoup_options_init(&engine->options, profile);
    engine->options.recovery_enabled = true;
    engine->options.snapshot_min_pause_ns = SECOND;
    engine->die_at = UINT64_MAX;
    engine->step = plain_step;
}

// ---------------------------------------------------------------------------------------------
// What an update asks for

static void drop_held(struct cluster *cluster, const struct recoup_partition *partition)
{
    for (uint32_t i = 0; i < cluster->n_held; i++) {
        if (cluster->held[i].attempt == partition->attempt) {
            cluster->held[i] = cluster->held[--cluster->n_held];
            return;
        }
    }
}

static void obey_recovery(struct engine *engine, const struct recoup_action *action)
{
    if (action->type == RECOUP_ACTION_RECOVERED) {
        assert_false(engine->recovered);
        engine->recovered = true;
        engine->from_log = action->recovered.kind == RECOUP_RECOVERED_LOG;
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        engine->recovery_error = action->recovery_failed.error;
    } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
        engine->unprotected = true;
        engine->protection_error = action->protection_lost.error;
    } else if (action->type == RECOUP_ACTION_PROTECTION_RESTORED) {
        engine->unprotected = false;
    } else if (action->type == RECOUP_ACTION_JOB_ENDED) {
        engine->job_ended = true;
    } else if (action->type == RECOUP_ACTION_STOPPED) {
        engine->stop_error = action->stopped.error;
        engine->stopped = true;
    }
}

static void obey(struct engine *engine, const struct recoup_action *action)
{
    if (action->type <= RECOUP_ACTION_REMOVE) {
        assert_false(engine->busy); // D2
        engine->busy = true;
        engine->io = *action;
    } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT) {
        assert_true(engine->n_asked < ENGINE_ASKED_MAX);
        engine->asked[engine->n_asked][0] = action->take_snapshot.snapshot;
        engine->asked[engine->n_asked++][1] = action->take_snapshot.coordinator;
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
        if (action->reset_subtasks.confirm) {
            assert_true(engine->n_resets < ENGINE_ASKED_MAX);
            engine->resets[engine->n_resets++] = action->reset_subtasks.reset;
        }
    } else if (action->type == RECOUP_ACTION_ASK_WORKERS) {
        engine->asking = action->ask_workers.on;
    } else if (action->type == RECOUP_ACTION_RELEASE) {
        for (uint32_t i = 0; i < action->partitions.n_partitions; i++) {
            drop_held(engine->cluster, &action->partitions.partitions[i]);
        }
    } else if (action->type == RECOUP_ACTION_DURABLE) {
        assert_true(action->durable.event > engine->history.durable);
        engine->history.durable = action->durable.event;
    } else {
        obey_recovery(engine, action);
    }
}

static void step(struct engine *engine, const struct recoup_event *event)
{
    struct recoup_update update;

    if (engine->dead) {
        return;
    }
    assert_int_equal(engine->step(engine, event, &update), 0);
    engine->steps++;
    if (update.n_actions > engine->actions_max) {
        engine->actions_max = update.n_actions;
    }
    for (uint32_t i = 0; i < update.n_actions; i++) {
        obey(engine, &update.actions[i]);
    }
    if (update.event != 0) {
        assert_true(update.event < ENGINE_EVENTS_MAX);
        // Numbers may be taken by the library's own records in between; the state is then the same.
        for (uint64_t k = engine->history.n + 1; k < update.event; k++) {
            memcpy(engine->history.hash[k], engine->history.hash[engine->history.n], 16);
        }
        engine->history.n = update.event;
        recoup_state_hash(engine->job, engine->history.hash[update.event]);
    }
}

// ---------------------------------------------------------------------------------------------
// Answers

// What this master has been told so far decides what it does next.
static void observe(struct engine *engine, const struct recoup_action *action,
                    const struct recoup_event *event)
{
    uint64_t seed = engine->observed + (uint64_t)action->type * 31 + (uint64_t)-event->io.error;

    for (uint32_t i = 0; i < event->io.n_names; i++) {
        const char *name = event->io.names[i];

        seed += XXH3_64bits(name, strlen(name)); // in any order
    }
    engine->observed = XXH3_64bits_withSeed(event->io.data, event->io.size, seed);
}

static void do_io(struct engine *engine)
{
    struct recoup_action action = engine->io;
    struct recoup_event event;

    if (engine->operations++ == engine->die_at) {
        assert_int_equal(recoup_testing_interrupt(engine->host, &action), 0);
        engine->dead = true;
        return;
    }
    assert_int_equal(recoup_testing_perform(engine->host, &action, &event), 0);
    observe(engine, &action, &event);
    engine->busy = false;
    step(engine, &event);
}

static void do_snapshot(struct engine *engine)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SNAPSHOT};
    uint8_t data[24] = {(uint8_t)engine->epoch};

    event.snapshot.snapshot = engine->asked[0][0];
    event.snapshot.coordinator = engine->asked[0][1];
    event.snapshot.data = data;
    event.snapshot.size = sizeof data;
    engine->n_asked--;
    memmove(engine->asked[0], engine->asked[1], engine->n_asked * sizeof engine->asked[0]);
    step(engine, &event);
}

static void do_reset(struct engine *engine)
{
    struct recoup_event event = {.type = RECOUP_EVENT_RESETS_DONE};

    event.resets_done.reset = engine->resets[0];
    engine->n_resets--;
    memmove(&engine->resets[0], &engine->resets[1], engine->n_resets * sizeof engine->resets[0]);
    step(engine, &event);
}

static void do_reports(struct engine *engine)
{
    engine->asking = false;
    for (uint32_t worker = 0; worker < 2; worker++) {
        struct recoup_partition held[ENGINE_PARTITIONS_MAX];
        struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};

        event.worker_report.worker = worker;
        event.worker_report.partitions = held;
        for (uint32_t i = 0; i < engine->cluster->n_held; i++) {
            if (engine->cluster->held[i].worker == worker) {
                held[event.worker_report.n_partitions++] = engine->cluster->held[i];
            }
        }
        step(engine, &event);
    }
}

static void settle(struct engine *engine)
{
    for (uint32_t turn = 0; !engine->dead; turn++) {
        assert_true(turn < 100000);
        if (engine->asking) {
            do_reports(engine);
        } else if (engine->busy && !engine->hold) {
            do_io(engine);
        } else if (engine->n_asked > 0 && !engine->hold_snapshots) {
            do_snapshot(engine);
        } else if (engine->n_resets > 0) {
            do_reset(engine);
        } else {
            return;
        }
    }
}

void engine_snapshot(struct engine *engine)
{
    assert_true(engine->n_asked > 0);
    do_snapshot(engine);
    settle(engine);
}

void engine_event(struct engine *engine, const struct recoup_event *event)
{
    step(engine, event);
    settle(engine);
}

void engine_advance(struct engine *engine, int64_t now_ns)
{
    for (uint32_t turn = 0; !engine->dead; turn++) {
        int64_t deadline = recoup_deadline(engine->job);
        struct recoup_event event = {.type = RECOUP_EVENT_TIMER};

        if (deadline > now_ns) {
            break;
        }
        assert_true(turn < 100000);
        engine->now_ns = deadline;
        engine_event(engine, &event);
    }
    engine->now_ns = now_ns;
}

// ---------------------------------------------------------------------------------------------
// The job

bool engine_turn(struct engine *engine, int64_t end_ns)
{
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};

    assert_true(engine->hold);
    if (engine->busy) {
        do_io(engine);
        settle(engine);
        return true;
    }
    if (recoup_deadline(engine->job) > end_ns) {
        return false;
    }
    engine->now_ns = recoup_deadline(engine->job);
    engine_event(engine, &event);
    return true;
}

void engine_begin(struct engine *engine, uint64_t epoch)
{
    struct recoup_config config = {.graph = &engine->graph,
                                   .options = &engine->options,
                                   .storage = engine->storage,
                                   .allocator = engine_allocator(),
                                   .limits = engine->limits};
    struct recoup_event event = {.type = RECOUP_EVENT_START};

    assert_null(engine->job);
    assert_int_equal(recoup_create(&config, &engine->job), 0);
    engine->epoch = epoch;
    event.start.epoch = epoch;
    engine_event(engine, &event);
}

void engine_start(struct engine *engine, uint64_t epoch)
{
    engine_begin(engine, epoch);
    for (uint32_t turn = 0; !engine->dead && !engine->recovered && engine->recovery_error == 0 &&
                            !engine->stopped;
         turn++) {
        assert_true(turn < 1000);
        assert_true(recoup_deadline(engine->job) < RECOUP_NEVER);
        engine_advance(engine, recoup_deadline(engine->job));
    }
    recoup_state_hash(engine->job, engine->history.hash[0]);
    for (uint64_t k = 1; k <= engine->history.n; k++) {
        memcpy(engine->history.hash[k], engine->history.hash[0], 16);
    }
}

static bool read_by_others(const struct engine *engine, uint32_t stage)
{
    for (uint32_t i = 0; i < engine->graph.n_edges; i++) {
        if (engine->graph.edges[i].producer == stage) {
            return true;
        }
    }
    return false;
}

bool engine_finish(struct engine *engine, uint32_t stage, uint32_t subtask)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    uint8_t payload[16384];
    struct recoup_subtask before;

    recoup_subtask(engine->job, stage, subtask, &before);
    if (before.finished || before.resetting || engine->dead) {
        return false;
    }
    assert_true(engine->payload_bytes <= sizeof payload);
    memset(payload, (int)(stage * 16 + subtask + 1), sizeof payload);
    event.subtask_finished.stage = stage;
    event.subtask_finished.subtask = subtask;
    event.subtask_finished.attempt = engine->epoch << 32 | ++engine->attempts;
    event.subtask_finished.worker = subtask % 2;
    event.subtask_finished.bytes = 1000;
    event.subtask_finished.has_partition = read_by_others(engine, stage);
    event.subtask_finished.payload = payload;
    event.subtask_finished.payload_bytes = engine->payload_bytes;
    if (event.subtask_finished.has_partition) {
        struct cluster *cluster = engine->cluster;

        assert_true(cluster->n_held < ENGINE_PARTITIONS_MAX);
        cluster->held[cluster->n_held++] =
            (struct recoup_partition){.stage = stage,
                                      .subtask = subtask,
                                      .attempt = event.subtask_finished.attempt,
                                      .bytes = 1000,
                                      .worker = event.subtask_finished.worker};
    }
    engine_event(engine, &event);
    return true;
}

static void fail_one(struct engine *engine)
{
    struct recoup_range range = {.stage = 0, .first = 1, .count = 1};
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASKS_FAILED};

    event.subtasks_failed.ranges = &range;
    event.subtasks_failed.n_ranges = 1;
    engine->failed = true;
    engine_event(engine, &event);
}

static bool stage_complete(const struct engine *engine, uint32_t stage)
{
    struct recoup_stage state;

    recoup_stage(engine->job, stage, &state);
    return state.initialized && state.finished == state.parallelism;
}

bool engine_complete(const struct engine *engine)
{
    for (uint32_t s = 0; s < engine->graph.n_stages; s++) {
        if (!stage_complete(engine, s)) {
            return false;
        }
    }
    return true;
}

static void run_stage(struct engine *engine, uint32_t stage)
{
    uint32_t parallelism = engine->graph.stages[stage].parallelism;
    struct recoup_stage state;

    recoup_stage(engine->job, stage, &state);
    if (!state.initialized && !engine->dead) {
        struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

        event.stage_initialized.stage = stage;
        event.stage_initialized.parallelism = parallelism;
        engine_event(engine, &event);
    }
    for (uint32_t i = 0; i < parallelism && !engine->dead; i++) {
        if (engine_finish(engine, stage, i)) {
            engine_advance(engine, engine->now_ns + 400 * MILLISECOND);
        }
        if (engine->fail_once && !engine->failed && stage == 0 && i == 1) {
            fail_one(engine);
        }
    }
}

void engine_run(struct engine *engine)
{
    for (uint32_t turn = 0; !engine->dead && !engine_complete(engine); turn++) {
        assert_true(turn < 16);
        for (uint32_t s = 0; s < engine->graph.n_stages && !engine->dead; s++) {
            run_stage(engine, s);
            if (!stage_complete(engine, s)) {
                break;
            }
        }
    }
    if (!engine->dead) {
        engine_advance(engine, engine->now_ns + 3 * SECOND);
    }
}

void engine_stop(struct engine *engine, bool clear)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STOP};

    event.stop.clear = clear;
    engine_event(engine, &event);
    if (!engine->dead) {
        assert_true(engine->stopped);
    }
}

void engine_destroy(struct engine *engine)
{
    recoup_destroy(engine->job);
    engine->job = NULL;
}
