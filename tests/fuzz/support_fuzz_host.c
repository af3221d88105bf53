// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuzz_host.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 100000u // of one master; a recovery that needs more hangs
#define MEMORY_MAX (256u << 20)

void fuzz_host_init(struct fuzz_host *host, enum recoup_profile profile)
{
    memset(host, 0, sizeof *host);
    host->memory.limit = MEMORY_MAX;
    recoup_options_init(&host->options, profile);
    host->options.recovery_enabled = true;
    host->options.snapshot_min_pause_ns = 0;
    host->options.write_buffer_bytes = 256; // small, since a run allocates it anew
}

void fuzz_host_release(struct fuzz_host *host)
{
    fuzz_host_crash(host);
    for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
        free(host->files[i].bytes);
    }
    free(host->tape);
    FUZZ_REQUIRE(host->memory.live == 0);
}

static struct fuzz_file *find(struct fuzz_host *host, const char *name)
{
    for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
        if (host->files[i].exists && strcmp(host->files[i].name, name) == 0) {
            return &host->files[i];
        }
    }
    return NULL;
}

static bool append(struct fuzz_file *file, const void *bytes, size_t size)
{
    uint8_t *grown;

    if (file->size + size > FUZZ_FILE_BYTES_MAX) {
        return false;
    }
    grown = realloc(file->bytes, file->size + size + 1);
    FUZZ_REQUIRE(grown != NULL);
    file->bytes = grown;
    if (size > 0) {
        memcpy(file->bytes + file->size, bytes, size);
    }
    file->size += size;
    return true;
}

void fuzz_host_put(struct fuzz_host *host, const char *name, const uint8_t *bytes, size_t size)
{
    for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
        struct fuzz_file *file = &host->files[i];

        if (!file->exists) {
            file->exists = true;
            file->size = 0;
            memcpy(file->name, name, strlen(name) + 1);
            (void)append(file, bytes, size);
            return;
        }
    }
}

// --- the master ---------------------------------------------------------------------------------

static void take_action(struct fuzz_host *host, const struct recoup_action *action)
{
    if (action->type <= RECOUP_ACTION_REMOVE) {
        FUZZ_REQUIRE(!host->busy);
        host->operation = *action;
        host->busy = true;
    } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT && host->n_snapshots < 64) {
        host->snapshots[host->n_snapshots] = action->take_snapshot.snapshot;
        host->coordinators[host->n_snapshots++] = action->take_snapshot.coordinator;
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS && action->reset_subtasks.confirm) {
        FUZZ_REQUIRE(host->n_confirms < 64);
        host->confirms[host->n_confirms++] = action->reset_subtasks.reset;
    } else if (action->type == RECOUP_ACTION_ASK_WORKERS) {
        host->asking = action->ask_workers.on;
    } else if (action->type == RECOUP_ACTION_RECOVERED) {
        FUZZ_REQUIRE(!host->recovered);
        host->recovered = true;
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        FUZZ_REQUIRE(!host->recovered);
        host->failed = true;
    } else if (action->type == RECOUP_ACTION_JOB_ENDED) {
        FUZZ_REQUIRE(!host->recovered && !host->failed);
        host->ended = true;
    } else if (action->type == RECOUP_ACTION_STOPPED) {
        host->stopped = true;
    }
}

static void step(struct fuzz_host *host, const struct recoup_event *event)
{
    struct recoup_update update;
    int error;

    FUZZ_REQUIRE(host->steps++ < STEPS_MAX);
    error = host->records ? recoup_recorder_step(&host->recorder, host->job, host->now_ns, event,
                                                 &update)
                          : recoup_step(host->job, host->now_ns, event, &update);
    FUZZ_REQUIRE(error == 0);
    for (uint32_t i = 0; i < update.n_actions; i++) {
        take_action(host, &update.actions[i]);
    }
    FUZZ_REQUIRE(recoup_deadline(host->job) >= host->now_ns);
}

static int write_file(struct fuzz_host *host, const struct recoup_action *operation)
{
    struct fuzz_file *file = find(host, operation->io.file);

    if (operation->type == RECOUP_ACTION_CREATE) {
        if (file != NULL) {
            return RECOUP_EEXIST;
        }
        fuzz_host_put(host, operation->io.file, NULL, 0);
        return find(host, operation->io.file) != NULL ? 0 : RECOUP_ENOSPC;
    }
    if (operation->type == RECOUP_ACTION_REMOVE) {
        for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
            if (operation->io.file[0] == '\0' || &host->files[i] == file) {
                host->files[i].exists = false;
            }
        }
        return 0;
    }
    if (operation->type == RECOUP_ACTION_APPEND) {
        FUZZ_REQUIRE(file != NULL);
        if (host->fails_once) {
            host->fails_once = false;
            return RECOUP_EIO;
        }
        return append(file, operation->io.data, operation->io.size) ? 0 : RECOUP_ENOSPC;
    }
    return 0;
}

static void answer(struct fuzz_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_IO};
    const char *names[FUZZ_FILES_MAX];
    struct fuzz_file *file;

    host->busy = false;
    event.io.operation = host->operation.io.operation;
    if (host->operation.type == RECOUP_ACTION_LIST) {
        for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
            if (host->files[i].exists) {
                names[event.io.n_names++] = host->files[i].name;
            }
        }
        event.io.names = names;
    } else if (host->operation.type == RECOUP_ACTION_READ) {
        file = find(host, host->operation.io.file);
        if (file == NULL) {
            event.io.error = RECOUP_ENOENT;
        } else if (host->operation.io.offset < file->size) {
            size_t left = file->size - (size_t)host->operation.io.offset;

            event.io.data = file->bytes + host->operation.io.offset;
            event.io.size = left < host->operation.io.size ? left : host->operation.io.size;
        }
    } else {
        event.io.error = write_file(host, &host->operation);
    }
    step(host, &event);
}

static void deliver_snapshot(struct fuzz_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SNAPSHOT};

    host->n_snapshots--;
    event.snapshot.snapshot = host->snapshots[host->n_snapshots];
    event.snapshot.coordinator = host->coordinators[host->n_snapshots];
    event.snapshot.data = "state";
    event.snapshot.size = 5;
    step(host, &event);
}

// One thing that waits to be done. False if there is none.
static bool do_one(struct fuzz_host *host)
{
    if (host->n_confirms > 0) {
        struct recoup_event event = {.type = RECOUP_EVENT_RESETS_DONE};

        event.resets_done.reset = host->confirms[--host->n_confirms];
        step(host, &event);
    } else if (host->n_snapshots > 0) {
        deliver_snapshot(host);
    } else if (host->busy) {
        answer(host);
    } else {
        return false;
    }
    return true;
}

static void timer(struct fuzz_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};

    host->now_ns = recoup_deadline(host->job);
    step(host, &event);
}

void fuzz_host_pump(struct fuzz_host *host, int64_t for_ns)
{
    int64_t end_ns = host->now_ns + for_ns;

    while (host->job != NULL && !host->stopped) {
        if (do_one(host)) {
            continue;
        }
        if (recoup_deadline(host->job) > end_ns) {
            break;
        }
        timer(host);
    }
    host->now_ns = end_ns > host->now_ns ? end_ns : host->now_ns;
}

// Every worker reports the outputs of all that is held as finished.
static void report(struct fuzz_host *host)
{
    struct recoup_partition partitions[64];
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};

    event.worker_report.partitions = partitions;
    for (uint32_t stage = 0; stage < FUZZ_STAGES; stage++) {
        struct recoup_stage state;

        recoup_stage(host->job, stage, &state);
        for (uint32_t i = 0; i < state.parallelism; i++) {
            struct recoup_subtask subtask;

            recoup_subtask(host->job, stage, i, &subtask);
            if (subtask.finished) {
                partitions[0] = (struct recoup_partition){stage, i, subtask.attempt,
                                                          subtask.bytes, subtask.worker};
                event.worker_report.worker = subtask.worker;
                event.worker_report.n_partitions = 1;
                step(host, &event);
            }
            if (recoup_phase(host->job) != RECOUP_PHASE_WAITING) {
                return;
            }
        }
    }
}

static int tape_write(void *context, const void *bytes, size_t size)
{
    struct fuzz_host *host = context;
    uint8_t *grown = realloc(host->tape, host->tape_size + size);

    FUZZ_REQUIRE(grown != NULL);
    memcpy(grown + host->tape_size, bytes, size);
    host->tape = grown;
    host->tape_size += size;
    return 0;
}

static void create(struct fuzz_host *host)
{
    static const struct recoup_stage_spec stages[FUZZ_STAGES] = {{4, 0}, {3, 0}, {0, 8}};
    static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_POINTWISE},
                                                    {1, 2, RECOUP_ALL_TO_ALL}};
    static const struct recoup_coordinator_spec coordinators[] = {{0, true}, {1, false}};
    struct recoup_graph graph = {FUZZ_DIGEST, FUZZ_STAGES, stages, 2, edges, 2, coordinators};
    struct recoup_config config = {.graph = &graph,
                                   .options = &host->options,
                                   .storage = {.durable_at = RECOUP_DURABLE_AT_SYNC,
                                               .can_sync = true,
                                               .create_exclusive = true,
                                               .list_consistent = true},
                                   .allocator = fuzz_allocator(&host->memory),
                                   .limits = {.read_bytes = 64}};

    FUZZ_REQUIRE(recoup_create(&config, &host->job) == 0);
    if (host->records) {
        host->tape_size = 0;
        FUZZ_REQUIRE(recoup_recorder_init(&host->recorder, &config, tape_write, host) == 0);
    }
}

void fuzz_host_start(struct fuzz_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    bool reported = false;

    host->recovered = host->failed = host->stopped = host->ended = host->busy = false;
    host->n_confirms = host->n_snapshots = 0;
    host->steps = 0;
    event.start.epoch = ++host->epoch;
    create(host);
    step(host, &event);
    while (!host->recovered && !host->failed && !host->stopped) {
        if (do_one(host)) {
            continue;
        }
        if (recoup_phase(host->job) == RECOUP_PHASE_WAITING && host->asking && !reported) {
            reported = true;
            report(host);
            continue;
        }
        FUZZ_REQUIRE(recoup_deadline(host->job) != RECOUP_NEVER); // else it hangs
        timer(host);
    }
}

void fuzz_host_crash(struct fuzz_host *host)
{
    recoup_destroy(host->job);
    recoup_recorder_release(&host->recorder);
    host->job = NULL;
    host->busy = false;
}

static void initialize(struct fuzz_host *host, uint32_t stage)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.stage = stage;
    event.stage_initialized.parallelism = stage == 0 ? 4 : stage == 1 ? 3 : 2;
    step(host, &event);
}

void fuzz_host_work(struct fuzz_host *host, uint32_t n)
{
    for (uint32_t stage = 0; stage < FUZZ_STAGES; stage++) {
        struct recoup_stage state;

        recoup_stage(host->job, stage, &state);
        if (!state.initialized) {
            initialize(host, stage);
            recoup_stage(host->job, stage, &state);
        }
        for (uint32_t i = 0; i < state.parallelism; i++) {
            struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
            struct recoup_subtask subtask;

            recoup_subtask(host->job, stage, i, &subtask);
            if (subtask.finished || subtask.resetting) {
                continue;
            }
            if (n-- == 0) {
                return;
            }
            event.subtask_finished.stage = stage;
            event.subtask_finished.subtask = i;
            event.subtask_finished.attempt = host->epoch << 32 | host->attempts++;
            event.subtask_finished.worker = i;
            event.subtask_finished.has_partition = stage + 1 < FUZZ_STAGES;
            event.subtask_finished.bytes = stage + 1 < FUZZ_STAGES ? 100 : 0;
            event.subtask_finished.payload = "payload";
            event.subtask_finished.payload_bytes = 7;
            step(host, &event);
            fuzz_host_pump(host, 300000000);
        }
    }
}

void fuzz_host_end(struct fuzz_host *host)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STOP};

    event.stop.clear = true;
    step(host, &event);
    while (!(host->busy && host->operation.type == RECOUP_ACTION_REMOVE)) {
        FUZZ_REQUIRE(!host->stopped);
        if (!do_one(host)) {
            FUZZ_REQUIRE(recoup_deadline(host->job) != RECOUP_NEVER);
            timer(host);
        }
    }
}
