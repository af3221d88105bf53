// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_recover.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX UINT64_C(1000000000) // a recovery that does not end is a bug

struct run {
    struct results_store_recovery *recovery;
    struct results_store_host host;
    struct recoup_action operation; // under way
    bool busy;
    uint32_t *confirms; // resets to be confirmed
    uint32_t n_confirms;
    uint32_t confirms_capacity;
    struct recoup_partition *partitions; // by worker
    uint32_t n_partitions;
    uint32_t next_partition;
    bool gathered;
    bool asking;
    bool ended;
    bool out_of_memory;
    int64_t now_ns;
    int64_t waiting_since_ns;
};

// --- what the job says --------------------------------------------------------------------------

static enum results_store_fate fate_of(enum recoup_reset_reason reason)
{
    switch (reason) {
    case RECOUP_RESET_COORDINATOR_UNSUPPORTED:
        return RESULTS_STORE_NO_COORDINATOR;
    case RECOUP_RESET_PARTITION_MISSING:
        return RESULTS_STORE_NO_PARTITION;
    case RECOUP_RESET_DOWNSTREAM:
        return RESULTS_STORE_DOWNSTREAM;
    case RECOUP_RESET_FAILED:
    case RECOUP_RESET_UNFINISHED:
    case RECOUP_RESET_GLOBAL:
        break;
    }
    return RESULTS_STORE_OTHER;
}

static void take_reset(struct run *r, const struct recoup_action *action)
{
    struct results_store_tracks *tracks = &r->recovery->tracks;

    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        const struct recoup_reset_range *range = &action->reset_subtasks.ranges[i];

        r->recovery->reset_ranges++;
        for (uint32_t k = 0; k < range->range.count; k++) {
            struct results_store_subtask *subtask =
                results_store_track_find(tracks, range->range.stage, range->range.first + k);

            if (subtask != NULL && (subtask->flags & RESULTS_STORE_RESET) == 0) {
                subtask->flags |= RESULTS_STORE_RESET;
                subtask->fate = (uint8_t)fate_of(range->reason);
            }
        }
    }
    if (!action->reset_subtasks.confirm) {
        return;
    }
    if (r->n_confirms == r->confirms_capacity) {
        uint32_t capacity = r->confirms_capacity * 2 + 8;
        uint32_t *grown = realloc(r->confirms, capacity * sizeof *grown);

        if (grown == NULL) {
            r->out_of_memory = true;
            return;
        }
        r->confirms = grown;
        r->confirms_capacity = capacity;
    }
    r->confirms[r->n_confirms++] = action->reset_subtasks.reset;
}

static void take_action(struct run *r, const struct recoup_action *action)
{
    struct results_store_recovery *recovery = r->recovery;

    if (action->type <= RECOUP_ACTION_REMOVE) {
        r->operation = *action;
        r->busy = true;
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
        take_reset(r, action);
    } else if (action->type == RECOUP_ACTION_ASK_WORKERS) {
        r->asking = action->ask_workers.on;
    } else if (action->type == RECOUP_ACTION_RESTORE_COORDINATOR) {
        bool shuffle = action->restore_coordinator.coordinator == RECOUP_SHUFFLE;

        recovery->coordinators_restored += shuffle ? 0 : 1;
    } else if (action->type == RECOUP_ACTION_RECOVERED) {
        recovery->recovered = true;
        recovery->kind = action->recovered.kind;
        r->ended = true;
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        recovery->error = action->recovery_failed.error;
        r->ended = true;
    } else if (action->type == RECOUP_ACTION_JOB_ENDED) {
        recovery->job_ended = true;
        r->ended = true;
    }
}

static void step(struct run *r, const struct recoup_event *event)
{
    struct recoup_update update;
    int error = recoup_step(r->recovery->job, r->now_ns, event, &update);

    if (error == RECOUP_ENOMEM) {
        r->out_of_memory = true;
        return;
    }
    if (error != 0) {
        r->recovery->error = error;
        r->ended = true;
        return;
    }
    for (uint32_t i = 0; i < update.n_actions; i++) {
        take_action(r, &update.actions[i]);
    }
}

// --- what the workers say -----------------------------------------------------------------------

static void sift(struct recoup_partition *items, uint32_t root, uint32_t n)
{
    for (uint32_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        struct recoup_partition swap;

        if (child + 1 < n && items[child].worker < items[child + 1].worker) {
            child++;
        }
        if (items[root].worker >= items[child].worker) {
            return;
        }
        swap = items[root];
        items[root] = items[child];
        items[child] = swap;
        root = child;
    }
}

static void sort(struct recoup_partition *items, uint32_t n)
{
    for (uint32_t i = n / 2; i > 0; i--) {
        sift(items, i - 1, n);
    }
    for (uint32_t i = n; i > 1; i--) {
        struct recoup_partition swap = items[0];

        items[0] = items[i - 1];
        items[i - 1] = swap;
        sift(items, 0, i - 1);
    }
}

static bool held(const struct results_store_subtask *subtask)
{
    unsigned wanted = RESULTS_STORE_WAS_READ | RESULTS_STORE_HAS_PARTITION;

    return (subtask->flags & wanted) == wanted;
}

// Everything that the log says a worker has kept.
static void gather(struct run *r)
{
    const struct results_store_tracks *tracks = &r->recovery->tracks;
    uint32_t n = 0;

    r->gathered = true;
    for (uint32_t i = 0; i < tracks->n_stages; i++) {
        for (uint32_t k = 0; k < tracks->stages[i].parallelism; k++) {
            n += held(&tracks->stages[i].subtasks[k]) ? 1 : 0;
        }
    }
    r->partitions = calloc((size_t)n + 1, sizeof *r->partitions);
    if (r->partitions == NULL) {
        r->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < tracks->n_stages; i++) {
        for (uint32_t k = 0; k < tracks->stages[i].parallelism; k++) {
            const struct results_store_subtask *s = &tracks->stages[i].subtasks[k];

            if (held(s)) {
                r->partitions[r->n_partitions++] =
                    (struct recoup_partition){i, k, s->attempt, s->bytes, s->worker};
            }
        }
    }
    sort(r->partitions, r->n_partitions);
}

// The next worker's report. False when all have reported.
static bool report(struct run *r)
{
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};
    uint32_t first = r->next_partition;

    if (!r->recovery->workers_report || !r->asking) {
        return false;
    }
    if (!r->gathered) {
        gather(r);
    }
    if (r->out_of_memory || first == r->n_partitions) {
        return false;
    }
    while (r->next_partition < r->n_partitions &&
           r->partitions[r->next_partition].worker == r->partitions[first].worker) {
        r->next_partition++;
    }
    event.worker_report.worker = r->partitions[first].worker;
    event.worker_report.partitions = &r->partitions[first];
    event.worker_report.n_partitions = r->next_partition - first;
    step(r, &event);
    return true;
}

// --- the recovery -------------------------------------------------------------------------------

// True if there was something to do but to wait.
static bool answer_one(struct run *r)
{
    struct recoup_event event;

    if (r->n_confirms > 0) {
        event = (struct recoup_event){.type = RECOUP_EVENT_RESETS_DONE};
        event.resets_done.reset = r->confirms[--r->n_confirms];
        step(r, &event);
        return true;
    }
    if (r->busy) {
        r->busy = false;
        results_store_host_answer(&r->host, &r->operation, &event);
        step(r, &event);
        return true;
    }
    return recoup_phase(r->recovery->job) == RECOUP_PHASE_WAITING && report(r);
}

static void wait_for_timer(struct run *r)
{
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};
    int64_t deadline_ns = recoup_deadline(r->recovery->job);

    if (deadline_ns == RECOUP_NEVER) {
        r->recovery->error = RECOUP_EINTERNAL;
        r->ended = true;
        return;
    }
    if (recoup_phase(r->recovery->job) == RECOUP_PHASE_WAITING) {
        r->recovery->waited_ns += deadline_ns - r->now_ns;
    }
    r->now_ns = deadline_ns;
    step(r, &event);
}

static void run_to_end(struct run *r)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START};

    event.start.epoch = results_store_epoch(r->recovery->files);
    step(r, &event);
    for (uint64_t i = 0; i < STEPS_MAX && !r->ended && !r->out_of_memory; i++) {
        if (r->host.cancelled) {
            return;
        }
        if (!answer_one(r)) {
            wait_for_timer(r);
        }
    }
}

static int create(struct results_store_recovery *recovery)
{
    struct recoup_config config = {.graph = &recovery->graph.graph,
                                   .options = &recovery->options,
                                   .storage = {.durable_at = RECOUP_DURABLE_AT_FLUSH,
                                               .can_sync = true,
                                               .create_exclusive = true,
                                               .list_consistent = true},
                                   .allocator = results_store_allocator()};

    memcpy(recovery->graph.graph.digest, recovery->files->digest,
           sizeof recovery->graph.graph.digest);
    return recoup_create(&config, &recovery->job);
}

static enum results_store_outcome out_of_memory(struct results_text *message)
{
    results_text_add(message, "out of memory");
    return RESULTS_STORE_UNREAD;
}

// What the files hold, record by record.
static enum results_store_outcome scan_files(struct results_store_recovery *recovery,
                                             struct results_text *message)
{
    struct results_store_scan scan;
    enum results_store_step found = RESULTS_STORE_FILE;
    enum results_store_outcome outcome = RESULTS_STORE_INTACT;
    bool ok = results_store_scan_init(&scan, recovery->files, recovery->watch);

    while (ok && found < RESULTS_STORE_DONE) {
        found = results_store_scan_next(&scan);
        if (found == RESULTS_STORE_RECORD) {
            ok = results_store_track_file(&recovery->tracks, &scan.record);
        }
    }
    if (!ok) {
        outcome = out_of_memory(message);
    } else if (found > RESULTS_STORE_DONE) {
        outcome = results_store_scan_outcome(&scan, found, message);
    }
    results_store_scan_release(&scan);
    return outcome;
}

static int on_record(void *context, const struct recoup__record *record,
                     const struct recoup__position *position)
{
    (void)position;
    results_store_track_read(context, record);
    return 0;
}

// What of it the recovery reads.
static enum results_store_outcome read_log(struct results_store_recovery *recovery,
                                           struct results_text *message)
{
    struct recoup__store_callbacks callbacks = {.context = &recovery->tracks,
                                                .on_record = on_record};
    struct results_store_reading reading;
    int status = results_store_read_log(&reading, recovery->files, &recovery->options,
                                        recovery->watch, &callbacks);

    results_store_reading_release(&reading);
    if (status == RESULTS_STORE_READ_ENOMEM) {
        return out_of_memory(message);
    }
    return status == RESULTS_STORE_READ_CANCELLED ? RESULTS_STORE_CANCELLED : RESULTS_STORE_INTACT;
}

static bool make_graph(struct results_store_recovery *recovery)
{
    const struct results_store_tracks *tracks = &recovery->tracks;
    uint32_t *parallelism;
    bool ok;

    if (recovery->config != NULL) {
        return results_store_graph_config(&recovery->graph, recovery->config);
    }
    parallelism = calloc((size_t)tracks->n_stages + 1, sizeof *parallelism);
    for (uint32_t i = 0; i < tracks->n_stages && parallelism != NULL; i++) {
        parallelism[i] = tracks->stages[i].parallelism;
    }
    ok = parallelism != NULL &&
         results_store_graph_infer(&recovery->graph, parallelism, tracks->n_stages,
                                   tracks->n_coordinators);
    free(parallelism);
    return ok;
}

static enum results_store_outcome perform(struct results_store_recovery *recovery,
                                          struct results_text *message)
{
    struct run r;
    enum results_store_outcome outcome = RESULTS_STORE_INTACT;

    memset(&r, 0, sizeof r);
    r.recovery = recovery;
    if (!results_store_host_init(&r.host, recovery->files, recovery->watch)) {
        return out_of_memory(message);
    }
    recovery->error = create(recovery);
    recovery->started = recovery->error == 0;
    if (recovery->started) {
        run_to_end(&r);
    }
    if (recovery->error == RECOUP_ENOMEM || r.out_of_memory) {
        outcome = out_of_memory(message);
    } else if (r.host.cancelled) {
        outcome = RESULTS_STORE_CANCELLED;
    } else if (recovery->started) {
        struct recoup_stats stats;

        recoup_stats(recovery->job, &stats);
        recovery->records = stats.events_replayed;
    }
    recovery->writes_discarded = r.host.writes_discarded;
    results_store_host_release(&r.host);
    free(r.confirms);
    free(r.partitions);
    return outcome;
}

enum results_store_outcome results_store_recover(struct results_store_recovery *recovery,
                                                 struct results_text *message)
{
    enum results_store_outcome outcome = scan_files(recovery, message);

    results_store_options(recovery->files, recovery->profile, &recovery->options);
    if (recovery->config != NULL) {
        struct recoup_options detected = recovery->options;
        static const enum recoup_policy formats[] = {
            RECOUP_POLICY_FENCING, RECOUP_POLICY_FRAMING, RECOUP_POLICY_CHECKSUM};

        recovery->options = recovery->config->options;
        recovery->options.recovery_enabled = true;
        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
            recovery->options.policy[formats[i]] = detected.policy[formats[i]];
        }
    }
    if (outcome == RESULTS_STORE_INTACT) {
        outcome = read_log(recovery, message);
    }
    if (outcome == RESULTS_STORE_INTACT && !make_graph(recovery)) {
        outcome = out_of_memory(message);
    }
    return outcome == RESULTS_STORE_INTACT ? perform(recovery, message) : outcome;
}

void results_store_recovery_release(struct results_store_recovery *recovery)
{
    recoup_destroy(recovery->job);
    recovery->job = NULL;
    results_store_graph_release(&recovery->graph);
    results_store_tracks_release(&recovery->tracks);
}

bool results_store_fate(struct results_store_recovery *recovery, uint32_t stage, uint32_t subtask,
                        enum results_store_fate *fate)
{
    const struct results_store_subtask *s =
        results_store_track_find(&recovery->tracks, stage, subtask);
    struct recoup_stage now = {.parallelism = 0};
    struct recoup_subtask state = {.finished = false};

    if (s == NULL || (s->flags & RESULTS_STORE_IN_FILES) == 0) {
        return false;
    }
    if (recovery->recovered && stage < recovery->graph.graph.n_stages) {
        recoup_stage(recovery->job, stage, &now);
    }
    if (now.initialized && subtask < now.parallelism) {
        recoup_subtask(recovery->job, stage, subtask, &state);
    }
    if (state.finished && !state.resetting) {
        *fate = RESULTS_STORE_KEPT;
    } else if (!recovery->recovered) {
        *fate = RESULTS_STORE_ALL_LOST;
    } else if ((s->flags & RESULTS_STORE_WAS_READ) == 0) {
        *fate = RESULTS_STORE_NOT_COUNTED;
    } else if ((s->flags & RESULTS_STORE_IN_LOG) == 0) {
        *fate = RESULTS_STORE_TAKEN_BACK;
    } else if ((s->flags & RESULTS_STORE_RESET) != 0) {
        *fate = (enum results_store_fate)s->fate;
    } else {
        *fate = RESULTS_STORE_NOT_COVERED;
    }
    return true;
}
