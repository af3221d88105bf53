// SPDX-License-Identifier: GPL-3.0-or-later
//
// The in-memory master of support_job.h.
#include "tests/recovery/support_job.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void disk_init(struct disk *disk)
{
    memset(disk, 0, sizeof *disk);
}

void disk_release(struct disk *disk)
{
    for (unsigned i = 0; i < disk->n; i++) {
        free(disk->files[i].data);
    }
    disk_init(disk);
}

void disk_copy(struct disk *to, const struct disk *from)
{
    *to = *from;
    for (unsigned i = 0; i < to->n; i++) {
        to->files[i].data = malloc(from->files[i].size + 1);
        if (to->files[i].data == NULL) {
            abort();
        }
        memcpy(to->files[i].data, from->files[i].data, from->files[i].size);
    }
}

void disk_crash(struct disk *disk)
{
    for (unsigned i = 0; i < disk->n; i++) {
        disk->files[i].size = disk->files[i].durable;
        disk->files[i].event_last = 0;
    }
}

size_t disk_bytes(const struct disk *disk)
{
    size_t n = 0;
    for (unsigned i = 0; i < disk->n; i++) {
        n += disk->files[i].size;
    }
    return n;
}

static struct disk_file *find(struct disk *disk, const char *name)
{
    for (unsigned i = 0; i < disk->n; i++) {
        if (strcmp(disk->files[i].name, name) == 0) {
            return &disk->files[i];
        }
    }
    return NULL;
}

static void append(struct disk_file *file, const void *data, size_t size)
{
    uint8_t *grown = realloc(file->data, file->size + size + 1);
    if (grown == NULL) {
        abort();
    }
    memcpy(grown + file->size, data, size);
    file->data = grown;
    file->size += size;
}

static void *allocate(void *context, size_t size)
{
    struct master *master = context;
    if (master->allocations++ == master->allocation_fails) {
        return NULL;
    }
    master->bytes += (int64_t)size;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    struct master *master = context;
    if (memory != NULL) {
        master->bytes -= (int64_t)size;
        memset(memory, 0xdd, size); // the size must be right, and nobody may look again
        free(memory);
    }
}

static void say(struct master *master, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t room = MASTER_TRACE_MAX - master->trace_length;
    int n = vsnprintf(master->trace + master->trace_length, room, format, list);
    va_end(list);
    if (n > 0 && (size_t)n < room) {
        master->trace_length += (size_t)n;
    }
}

void master_init(struct master *master, struct disk *disk, const struct recoup_graph *graph,
                 enum recoup_profile profile)
{
    memset(master, 0, sizeof *master);
    master->disk = disk;
    master->graph = *graph;
    recoup_options_init(&master->options, profile);
    master->options.recovery_enabled = true;
    master->storage = (struct recoup_storage){.durable_at = RECOUP_DURABLE_AT_FLUSH,
                                              .can_sync = true,
                                              .create_exclusive = true,
                                              .list_consistent = true};
    master->crash_at = UINT32_MAX;
    master->allocation_fails = UINT32_MAX;
    master->fail_error = RECOUP_EIO;
}

int master_create(struct master *master)
{
    struct recoup_config config = {.graph = &master->graph,
                                   .options = &master->options,
                                   .storage = master->storage,
                                   .limits = master->limits};
    config.allocator.allocate = allocate;
    config.allocator.release = release;
    config.allocator.context = master;
    int rc = recoup_create(&config, &master->job);
    if (rc == RECOUP_ENOMEM && master->allocations > master->allocation_fails) {
        rc = recoup_create(&config, &master->job);
    }
    return rc;
}

int master_start(struct master *master, uint64_t epoch)
{
    int rc = master_create(master);
    if (rc != 0) {
        return rc;
    }
    master->epoch = epoch;
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    event.start.epoch = epoch;
    return master_step(master, &event);
}

void master_crash(struct master *master)
{
    recoup_destroy(master->job);
    master->job = NULL;
    master->busy = false;
    master->crashed = true;
    master->n_asked = master->n_resets = master->n_offered = 0;
    master->adoption = 0;
    disk_crash(master->disk);
}

void master_restart(struct master *master, uint64_t epoch)
{
    if (master->job != NULL) {
        master_crash(master);
    }
    master->crashed = false;
    master->crash_at = UINT32_MAX;
    master->attempts = 0;
    master->recovered = master->stopped = master->asking = false;
    master->recovery_error = master->protection_error = 0;
    master->n_lost = master->n_restored = master->n_ended = 0;
    master->durable = master->on_disk = master->covered = master->event = 0;
    master->n_tracked = master->n_released = master->n_reset = 0;
    master_clear_trace(master);
    if (master_start(master, epoch) != 0) {
        abort();
    }
}

static const char *reason_name(enum recoup_reset_reason reason)
{
    static const char *const names[] = {"failed",  "unfinished", "coordinator",
                                        "missing", "downstream", "global"};
    return names[reason];
}

static void drop_held(struct master *master, const struct recoup_partition *partition)
{
    for (unsigned i = 0; i < master->n_held; i++) {
        struct recoup_partition *held = &master->held[i];
        if (held->stage == partition->stage && held->subtask == partition->subtask &&
            held->attempt == partition->attempt && held->worker == partition->worker) {
            *held = master->held[--master->n_held];
            return;
        }
    }
}

static void note_partitions(struct master *master, const char *verb,
                            const struct recoup_action *action, struct recoup_partition *list,
                            unsigned *n)
{
    say(master, "%s", verb);
    for (uint32_t i = 0; i < action->partitions.n_partitions; i++) {
        const struct recoup_partition *p = &action->partitions.partitions[i];
        if (*n < MASTER_LIST_MAX) {
            list[(*n)++] = *p;
        }
        say(master, " %u.%u@%u", p->stage, p->subtask, p->worker);
        if (action->type == RECOUP_ACTION_RELEASE) {
            drop_held(master, p);
        }
    }
    say(master, "\n");
}

static void note_reset(struct master *master, const struct recoup_action *action)
{
    say(master, "reset%s", action->reset_subtasks.confirm ? " confirm" : "");
    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        struct recoup_reset_range range = action->reset_subtasks.ranges[i];
        if (master->n_reset < MASTER_LIST_MAX) {
            master->reset[master->n_reset++] = range;
        }
        say(master, " %u.%u+%u:%s", range.range.stage, range.range.first, range.range.count,
            reason_name(range.reason));
    }
    say(master, "\n");
    if (action->reset_subtasks.confirm && master->n_resets < MASTER_LIST_MAX) {
        master->resets[master->n_resets++] = action->reset_subtasks.reset;
    }
}

static void note_adoption(struct master *master, const struct recoup_action *action)
{
    bool asks = action->type == RECOUP_ACTION_ASK_ADOPTION;
    const struct recoup_range *ranges =
        asks ? action->ask_adoption.ranges : action->adopt_subtasks.ranges;
    uint32_t n = asks ? action->ask_adoption.n_ranges : action->adopt_subtasks.n_ranges;
    say(master, asks ? "offer" : "adopt");
    for (uint32_t i = 0; i < n; i++) {
        say(master, " %u.%u+%u", ranges[i].stage, ranges[i].first, ranges[i].count);
    }
    say(master, "\n");
    if (asks) {
        master->adoption = action->ask_adoption.adoption;
        master->n_offered = n < MASTER_LIST_MAX ? n : MASTER_LIST_MAX;
        memcpy(master->offered, ranges, master->n_offered * sizeof *ranges);
    }
}

static const char *const io_names[] = {"mkdir", "list",  "create", "append", "flush",
                                       "sync",  "close", "read",   "remove"};

static void obey_protection(struct master *master, const struct recoup_action *action)
{
    if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
        master->protection_error = action->protection_lost.error;
        master->n_lost++;
        say(master, "protection lost %s\n", recoup_error_name(master->protection_error));
    } else {
        master->n_restored++;
        master->on_disk = master->covered;
        say(master, "protection restored\n");
    }
}

static void obey_end(struct master *master, const struct recoup_action *action)
{
    master->n_ended++;
    if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        master->recovery_error = action->recovery_failed.error;
        say(master, "recovery failed %s\n", recoup_error_name(master->recovery_error));
        return;
    }
    master->recovered = true;
    master->kind = action->recovered.kind;
    master->initialize_possible = action->recovered.initialize_possible;
    master->check_completion = action->recovered.check_completion;
    say(master, "recovered %s\n", master->kind == RECOUP_RECOVERED_LOG ? "log" : "nothing");
}

static void obey_stop(struct master *master, const struct recoup_action *action)
{
    if (action->type == RECOUP_ACTION_JOB_ENDED) {
        master->job_ended = true;
        say(master, "job ended\n");
        return;
    }
    master->stopped = true;
    master->stop_error = action->stopped.error;
    say(master, "stopped\n");
}

static void begin_io(struct master *master, const struct recoup_action *action)
{
    if (master->busy) {
        abort(); // duty D2: at most one operation at a time
    }
    master->busy = true;
    master->io = *action;
    if (master->trace_io) {
        say(master, "io %s %s\n", io_names[action->type], action->io.file);
    }
}

static void obey(struct master *master, const struct recoup_action *action)
{
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_TAKE_SNAPSHOT:
        if (master->n_asked < MASTER_LIST_MAX) {
            master->asked[master->n_asked++] =
                (struct asked){action->take_snapshot.snapshot, action->take_snapshot.coordinator};
        }
        say(master, "snapshot %u of %d\n", action->take_snapshot.snapshot,
            (int)action->take_snapshot.coordinator);
        break;
    case RECOUP_ACTION_INITIALIZE_STAGE:
        say(master, "initialize %u x%u\n", action->initialize_stage.stage,
            action->initialize_stage.parallelism);
        break;
    case RECOUP_ACTION_MARK_FINISHED:
        say(master, "finished %u.%u+%u\n", action->mark_finished.stage, action->mark_finished.first,
            action->mark_finished.count);
        break;
    case RECOUP_ACTION_RESTORE_COORDINATOR:
        say(master, "restore %d '%.*s'\n", (int)action->restore_coordinator.coordinator,
            (int)action->restore_coordinator.size, (const char *)action->restore_coordinator.data);
        break;
    case RECOUP_ACTION_RESET_SUBTASKS:
        note_reset(master, action);
        break;
    case RECOUP_ACTION_ASK_WORKERS:
        master->asking = action->ask_workers.on;
        say(master, "ask %s\n", master->asking ? "on" : "off");
        break;
    case RECOUP_ACTION_TRACK:
        note_partitions(master, "track", action, master->tracked, &master->n_tracked);
        break;
    case RECOUP_ACTION_RELEASE:
        note_partitions(master, "release", action, master->released, &master->n_released);
        break;
    case RECOUP_ACTION_DURABLE:
        master->durable = action->durable.event;
        break;
    case RECOUP_ACTION_THROTTLE:
        say(master, "throttle %s\n", action->throttle.on ? "on" : "off");
        break;
    case RECOUP_ACTION_PROTECTION_LOST:
    case RECOUP_ACTION_PROTECTION_RESTORED:
        obey_protection(master, action);
        break;
    case RECOUP_ACTION_RECOVERED:
    case RECOUP_ACTION_RECOVERY_FAILED:
        obey_end(master, action);
        break;
    case RECOUP_ACTION_JOB_ENDED:
    case RECOUP_ACTION_STOPPED:
        obey_stop(master, action);
        break;
    case RECOUP_ACTION_ASK_ADOPTION:
    case RECOUP_ACTION_ADOPT_SUBTASKS:
        note_adoption(master, action);
        break;
    default: // an I/O operation
        begin_io(master, action);
        break;
    }
}

int master_step_once(struct master *master, const struct recoup_event *event)
{
    struct recoup_update update;
    int rc = recoup_step(master->job, master->now_ns, event, &update);
    master->event = rc == 0 && update.event != 0 ? update.event : master->event;
    if (rc == 0 && master->on_event != NULL) {
        master->on_event(master->context, event, update.event);
    }
    if (rc == 0 && event->type == RECOUP_EVENT_SUBTASK_FINISHED &&
        event->subtask_finished.has_partition && master->n_held < MASTER_LIST_MAX) {
        master->held[master->n_held++] =
            (struct recoup_partition){.stage = event->subtask_finished.stage,
                                      .subtask = event->subtask_finished.subtask,
                                      .attempt = event->subtask_finished.attempt,
                                      .bytes = event->subtask_finished.bytes,
                                      .worker = event->subtask_finished.worker};
    }
    for (uint32_t i = 0; i < update.n_actions; i++) {
        obey(master, &update.actions[i]);
    }
    return rc;
}

static int step_retried(struct master *master, const struct recoup_event *event)
{
    int rc = master_step_once(master, event);
    if (rc == RECOUP_ENOMEM && master->allocations > master->allocation_fails) {
        rc = master_step_once(master, event);
    }
    return rc;
}

static void make_durable(struct master *master, struct disk_file *file)
{
    file->durable = file->size;
    master->covered = file->event_last > master->covered ? file->event_last : master->covered;
    if (master->n_lost == master->n_restored) {
        master->on_disk = master->covered;
    }
}

// The effect of the operation under way on the disk. `share` in percent: how much of an append.
static int take_effect(struct master *master, unsigned share, struct recoup_event *event,
                       const char **names)
{
    struct recoup_action *io = &master->io;
    struct disk *disk = master->disk;
    struct disk_file *file = find(disk, io->io.file);
    enum recoup_durable_at at = master->storage.durable_at;
    switch ((int)io->type) {
    case RECOUP_ACTION_MKDIR:
        disk->made = true;
        return 0;
    case RECOUP_ACTION_LIST:
        for (unsigned i = 0; i < disk->n; i++) {
            names[i] = disk->files[disk->n - 1 - i].name; // in no order that helps
        }
        event->io.names = names;
        event->io.n_names = disk->n;
        return 0;
    case RECOUP_ACTION_CREATE:
        if (file != NULL) {
            return RECOUP_EEXIST;
        }
        if (disk->n == DISK_FILES_MAX) {
            abort();
        }
        file = &disk->files[disk->n++];
        memset(file, 0, sizeof *file);
        strcpy(file->name, io->io.file);
        return 0;
    case RECOUP_ACTION_APPEND:
        append(file, io->io.data, io->io.size * share / 100);
        if (share == 100) {
            file->event_last = io->io.event_last;
        } else {
            file->durable = file->size; // a torn write may well reach the disk
        }
        return 0;
    case RECOUP_ACTION_FLUSH:
    case RECOUP_ACTION_SYNC:
    case RECOUP_ACTION_CLOSE:
        if (io->type == RECOUP_ACTION_CLOSE ||
            (io->type == RECOUP_ACTION_FLUSH && at == RECOUP_DURABLE_AT_FLUSH) ||
            (io->type == RECOUP_ACTION_SYNC && at != RECOUP_DURABLE_AT_CLOSE)) {
            make_durable(master, file);
        }
        return 0;
    case RECOUP_ACTION_READ:
        if (file == NULL) {
            return RECOUP_ENOENT;
        }
        if (io->io.offset < file->size) {
            size_t left = file->size - (size_t)io->io.offset;
            event->io.data = file->data + io->io.offset;
            event->io.size = left < io->io.size ? left : io->io.size;
        }
        return 0;
    default:
        if (file != NULL) {
            free(file->data);
            memmove(file, file + 1, (size_t)(&disk->files[disk->n] - (file + 1)) * sizeof *file);
            disk->n--;
        }
        disk->made = io->io.file[0] == '\0' ? false : disk->made;
        return 0;
    }
}

void master_io(struct master *master)
{
    const char *names[DISK_FILES_MAX];
    struct recoup_event event = {.type = RECOUP_EVENT_IO};
    if (!master->busy || master->crashed) {
        abort();
    }
    unsigned operation = master->operations++;
    bool dies = operation == master->crash_at;
    event.io.operation = master->io.io.operation;
    if (operation >= master->fail_from && operation < master->fail_to) {
        event.io.error = master->fail_error;
    } else if (!dies || master->crash_moment == MOMENT_AFTER) {
        event.io.error = take_effect(master, 100, &event, names);
    } else if (master->crash_moment == MOMENT_MID && master->io.type == RECOUP_ACTION_APPEND) {
        take_effect(master, 50, &event, names);
    }
    if (dies) {
        master->crashed = true;
        return;
    }
    master->busy = false;
    if (step_retried(master, &event) != 0) {
        abort();
    }
}

static void answer_snapshot(struct master *master)
{
    char text[64];
    struct asked asked = master->asked[0];
    memmove(&master->asked[0], &master->asked[1], --master->n_asked * sizeof asked);
    int n = snprintf(text, sizeof text, "%d:%u/%u", (int)asked.coordinator, (unsigned)master->epoch,
                     asked.snapshot);
    if (master_snapshot(master, asked.snapshot, asked.coordinator, false, text, (size_t)n) != 0) {
        abort();
    }
}

static void confirm_reset(struct master *master)
{
    struct recoup_event event = {.type = RECOUP_EVENT_RESETS_DONE};
    event.resets_done.reset = master->resets[0];
    memmove(&master->resets[0], &master->resets[1], --master->n_resets * sizeof master->resets[0]);
    if (step_retried(master, &event) != 0) {
        abort();
    }
}

static void agree(struct master *master)
{
    if (master_adopt(master, master->offered, master->n_offered) != 0) {
        abort();
    }
}

int master_adopt(struct master *master, const struct recoup_range *ranges, uint32_t n)
{
    struct recoup_event event = {.type = RECOUP_EVENT_ADOPTION};
    event.adoption.adoption = master->adoption;
    event.adoption.ranges = ranges;
    event.adoption.n_ranges = n;
    master->adoption = 0;
    return step_retried(master, &event);
}

void master_settle(struct master *master)
{
    for (unsigned turn = 0; !master->crashed; turn++) {
        if (turn > 1000000) {
            abort(); // no end in sight
        }
        if (master->busy && !master->hold_io) {
            master_io(master);
        } else if (master->n_asked > 0 && !master->hold_snapshots) {
            answer_snapshot(master);
        } else if (master->n_resets > 0 && !master->hold_resets) {
            confirm_reset(master);
        } else if (master->adoption != 0 && !master->hold_adoptions) {
            agree(master);
        } else {
            return;
        }
    }
}

int master_step(struct master *master, const struct recoup_event *event)
{
    if (master->crashed) {
        return 0;
    }
    int rc = step_retried(master, event);
    master_settle(master);
    return rc;
}

int master_timer(struct master *master)
{
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};
    return master_step(master, &event);
}

void master_advance(struct master *master, int64_t now_ns)
{
    for (unsigned turn = 0; !master->crashed; turn++) {
        int64_t deadline = recoup_deadline(master->job);
        if (deadline > now_ns) {
            break;
        }
        if (turn > 1000000) {
            abort();
        }
        master->now_ns = deadline > master->now_ns ? deadline : master->now_ns;
        master_timer(master);
    }
    master->now_ns = now_ns > master->now_ns ? now_ns : master->now_ns;
}

int master_initialize(struct master *master, uint32_t stage, uint32_t parallelism)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};
    event.stage_initialized.stage = stage;
    event.stage_initialized.parallelism = parallelism;
    return master_step(master, &event);
}

int master_finish_on(struct master *master, uint32_t stage, uint32_t subtask, uint32_t worker,
                     bool has_partition)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    event.subtask_finished.stage = stage;
    event.subtask_finished.subtask = subtask;
    event.subtask_finished.attempt = master->epoch << 32 | ++master->attempts;
    event.subtask_finished.worker = worker;
    event.subtask_finished.bytes = 1000 + subtask;
    event.subtask_finished.has_partition = has_partition;
    return master_step(master, &event);
}

int master_finish(struct master *master, uint32_t stage, uint32_t subtask)
{
    bool read = false;
    for (uint32_t i = 0; i < master->graph.n_edges; i++) {
        read = read || master->graph.edges[i].producer == stage;
    }
    return master_finish_on(master, stage, subtask, subtask % 4, read);
}

int master_fail(struct master *master, uint32_t stage, uint32_t first, uint32_t count)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASKS_FAILED};
    struct recoup_range range = {.stage = stage, .first = first, .count = count};
    event.subtasks_failed.ranges = &range;
    event.subtasks_failed.n_ranges = 1;
    return master_step(master, &event);
}

int master_report(struct master *master, uint32_t worker, const struct recoup_partition *partitions,
                  uint32_t n)
{
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};
    struct recoup_partition held[MASTER_LIST_MAX];
    uint32_t n_held = 0;
    for (uint32_t i = 0; i < n && n_held < MASTER_LIST_MAX; i++) {
        if (partitions[i].worker == worker) {
            held[n_held++] = partitions[i];
        }
    }
    event.worker_report.worker = worker;
    event.worker_report.partitions = held;
    event.worker_report.n_partitions = n_held;
    return master_step(master, &event);
}

void master_report_held(struct master *master)
{
    for (uint32_t worker = 0; worker < 4 && !master->crashed; worker++) {
        struct recoup_partition held[MASTER_LIST_MAX];
        unsigned n = master->n_held;
        memcpy(held, master->held, n * sizeof held[0]);
        if (master_report(master, worker, held, n) != 0) {
            abort();
        }
    }
}

int master_lose_worker(struct master *master, uint32_t worker)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < master->n_held; i++) {
        if (master->held[i].worker != worker) {
            master->held[kept++] = master->held[i];
        }
    }
    master->n_held = kept;
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_LOST};
    event.worker_lost.worker = worker;
    return master_step(master, &event);
}

int master_lose_partition(struct master *master, uint32_t stage, uint32_t subtask)
{
    struct recoup_event event = {.type = RECOUP_EVENT_PARTITION_LOST};
    struct recoup_subtask state;
    recoup_subtask(master->job, stage, subtask, &state);
    event.partition_lost.stage = stage;
    event.partition_lost.subtask = subtask;
    event.partition_lost.attempt = state.attempt;
    event.partition_lost.worker = state.worker;
    return master_step(master, &event);
}

int master_snapshot(struct master *master, uint32_t snapshot, uint32_t coordinator, bool failed,
                    const void *data, size_t size)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SNAPSHOT};
    event.snapshot.snapshot = snapshot;
    event.snapshot.coordinator = coordinator;
    event.snapshot.failed = failed;
    event.snapshot.data = data;
    event.snapshot.size = size;
    return step_retried(master, &event);
}

bool master_finished(const struct master *master, uint32_t stage, uint32_t subtask)
{
    struct recoup_subtask state;
    recoup_subtask(master->job, stage, subtask, &state);
    return state.finished;
}

uint64_t master_attempt(const struct master *master, uint32_t stage, uint32_t subtask)
{
    struct recoup_subtask state;
    recoup_subtask(master->job, stage, subtask, &state);
    return state.attempt;
}

unsigned master_partitions(const struct master *master, struct recoup_partition *partitions)
{
    unsigned n = 0;
    for (uint32_t s = 0; s < master->graph.n_stages; s++) {
        struct recoup_stage stage;
        recoup_stage(master->job, s, &stage);
        for (uint32_t i = 0; i < stage.parallelism && n < MASTER_LIST_MAX; i++) {
            struct recoup_subtask state;
            recoup_subtask(master->job, s, i, &state);
            if (state.finished && state.available) {
                partitions[n++] = (struct recoup_partition){.stage = s,
                                                            .subtask = i,
                                                            .attempt = state.attempt,
                                                            .bytes = state.bytes,
                                                            .worker = state.worker};
            }
        }
    }
    return n;
}

void master_hash(const struct master *master, uint8_t hash[16])
{
    recoup_state_hash(master->job, hash);
}

void master_clear_trace(struct master *master)
{
    master->trace[0] = '\0';
    master->trace_length = 0;
}
