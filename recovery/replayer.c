// SPDX-License-Identifier: Apache-2.0
//
// Replaying a recording: entries are checked, decoded and stepped. Nothing in a recording is
// believed: every length is held against what is left of it, and no memory is taken for more items
// than its bytes can hold.
#include <string.h>

#include "recovery/bytes.h"
#include "recovery/memory.h"
#include "recovery/recorder_format.h"

struct recoup_replayer {
    struct recoup__memory memory;
    const uint8_t *bytes;
    size_t size;
    size_t at;
    uint64_t chain;
    uint64_t step;
    int64_t now_ns;
    bool over;
    struct recoup_job *job;
    struct recoup_event event;
    struct recoup_update update;
    void *items; // arrays of the event
    uint32_t capacity;
};

struct entry {
    enum recoup__entry_kind kind;
    const uint8_t *head; // moves on while it is read
    const uint8_t *end;
    const uint8_t *data;
    size_t size;
    bool bad; // read beyond its end
};

static bool stop(struct recoup_replayer *replayer, struct recoup_replay *out,
                 enum recoup_replay_verdict verdict, const char *text)
{
    RECOUP_ASSERT(verdict != RECOUP_REPLAY_STEPPED);
    RECOUP_ASSERT(text != NULL);
    replayer->over = true;
    out->verdict = verdict;
    out->text = text;
    return false;
}

// ---------------------------------------------------------------------------------------------
// Numbers

static uint64_t get(struct entry *entry)
{
    uint64_t value = 0;

    RECOUP_ASSERT(entry->head <= entry->end);
    for (unsigned shift = 0; shift < 64 && entry->head < entry->end; shift += 7) {
        uint8_t byte = *entry->head++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    entry->bad = true;
    return 0;
}

static uint32_t get32(struct entry *entry)
{
    uint64_t value = get(entry);

    RECOUP_ASSERT(entry->head <= entry->end);
    if (value > UINT32_MAX) {
        entry->bad = true;
        return 0;
    }
    return (uint32_t)value;
}

static int64_t get_signed(struct entry *entry)
{
    uint64_t bits = get(entry);

    RECOUP_ASSERT(entry->head <= entry->end);
    return (int64_t)((bits >> 1) ^ (0 - (bits & 1)));
}

static bool get_bool(struct entry *entry)
{
    uint64_t value = get(entry);

    RECOUP_ASSERT(entry != NULL);
    entry->bad = entry->bad || value > 1;
    return value == 1;
}

// A count of items of at least `least` bytes each.
static uint32_t get_count(struct entry *entry, size_t least)
{
    uint32_t n = get32(entry);

    RECOUP_ASSERT(least > 0);
    if (n > (size_t)(entry->end - entry->head) / least) {
        entry->bad = true;
        return 0;
    }
    return n;
}

// ---------------------------------------------------------------------------------------------
// Entries

static bool read_entry(struct recoup_replayer *replayer, struct entry *entry,
                       struct recoup_replay *out)
{
    const uint8_t *prefix = replayer->bytes + replayer->at;
    size_t left = replayer->size - replayer->at;
    uint32_t head;
    uint64_t total;

    RECOUP_ASSERT(replayer->at <= replayer->size);
    out->offset = replayer->at;
    if (left < RECOUP__ENTRY_PREFIX) {
        return stop(replayer, out, RECOUP_REPLAY_TRUNCATED,
                    "the recording ends within the sizes of an entry");
    }
    head = recoup__get32(prefix + 1);
    entry->size = recoup__get32(prefix + 5);
    total = RECOUP__ENTRY_PREFIX + (uint64_t)head + entry->size + RECOUP__ENTRY_CHECK;
    if (prefix[0] < RECOUP__ENTRY_CONFIG || prefix[0] > RECOUP__ENTRY_RESULT ||
        head > RECOUP_RECORDING_ENTRY_MAX || entry->size > RECOUP_RECORDING_ENTRY_MAX) {
        return stop(replayer, out, RECOUP_REPLAY_DAMAGED,
                    "no entry has this kind or size: the recording is damaged here or before");
    }
    if (total > left) {
        return stop(replayer, out, RECOUP_REPLAY_TRUNCATED, "the recording ends within an entry");
    }
    entry->kind = (enum recoup__entry_kind)prefix[0];
    entry->head = prefix + RECOUP__ENTRY_PREFIX;
    entry->end = entry->head + head;
    entry->data = entry->end;
    entry->bad = false;
    replayer->chain =
        recoup__entry_chain(replayer->chain, prefix, entry->head, head, entry->data, entry->size);
    if (recoup__get32(entry->data + entry->size) != (uint32_t)replayer->chain) {
        return stop(replayer, out, RECOUP_REPLAY_DAMAGED,
                    "the check of this entry does not match: it, or its place, has changed");
    }
    replayer->at += (size_t)total;
    RECOUP_ASSERT(replayer->at <= replayer->size);
    return true;
}

// ---------------------------------------------------------------------------------------------
// Configuration

struct decoded_graph {
    struct recoup_graph graph;
    struct recoup_stage_spec *stages;
    struct recoup_edge_spec *edges;
    struct recoup_coordinator_spec *coordinators;
};

static void *items_of(struct recoup_replayer *replayer, struct entry *entry, uint32_t n,
                      size_t size, int *error)
{
    void *items = n > 0 ? recoup__allocate_zeroed(&replayer->memory, n, size) : NULL;

    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(RECOUP_ERGO(entry->bad, n == 0 || items != NULL || *error == 0));
    if (n > 0 && items == NULL) {
        *error = RECOUP_ENOMEM;
    }
    return items;
}

static int get_graph(struct recoup_replayer *replayer, struct entry *entry,
                     struct decoded_graph *out)
{
    int error = 0;

    RECOUP_ASSERT(out->stages == NULL && out->edges == NULL);
    if (entry->end - entry->head < 16) {
        return RECOUP_ECORRUPT;
    }
    memcpy(out->graph.digest, entry->head, 16);
    entry->head += 16;
    out->graph.n_stages = get_count(entry, 2);
    out->stages = items_of(replayer, entry, out->graph.n_stages, sizeof *out->stages, &error);
    for (uint32_t i = 0; error == 0 && i < out->graph.n_stages; i++) {
        out->stages[i].parallelism = get32(entry);
        out->stages[i].parallelism_max = get32(entry);
    }
    out->graph.n_edges = error == 0 ? get_count(entry, 3) : 0;
    out->edges = items_of(replayer, entry, out->graph.n_edges, sizeof *out->edges, &error);
    for (uint32_t i = 0; error == 0 && i < out->graph.n_edges; i++) {
        out->edges[i].producer = get32(entry);
        out->edges[i].consumer = get32(entry);
        out->edges[i].exchange = get_bool(entry) ? RECOUP_ALL_TO_ALL : RECOUP_POINTWISE;
    }
    out->graph.n_coordinators = error == 0 ? get_count(entry, 2) : 0;
    out->coordinators =
        items_of(replayer, entry, out->graph.n_coordinators, sizeof *out->coordinators, &error);
    for (uint32_t i = 0; error == 0 && i < out->graph.n_coordinators; i++) {
        out->coordinators[i].stage = get32(entry);
        out->coordinators[i].batch_snapshot = get_bool(entry);
    }
    out->graph.stages = out->stages;
    out->graph.edges = out->edges;
    out->graph.coordinators = out->coordinators;
    RECOUP_ASSERT(entry->head <= entry->end);
    return error != 0 ? error : entry->bad ? RECOUP_ECORRUPT : 0;
}

static void release_graph(struct recoup_replayer *replayer, struct decoded_graph *graph)
{
    RECOUP_ASSERT(RECOUP_ERGO(graph->stages != NULL, graph->graph.n_stages > 0));
    RECOUP_ASSERT(RECOUP_ERGO(graph->edges != NULL, graph->graph.n_edges > 0));
    recoup__release(&replayer->memory, graph->stages,
                    graph->graph.n_stages * sizeof *graph->stages);
    recoup__release(&replayer->memory, graph->edges, graph->graph.n_edges * sizeof *graph->edges);
    recoup__release(&replayer->memory, graph->coordinators,
                    graph->graph.n_coordinators * sizeof *graph->coordinators);
}

static void get_options(struct entry *entry, struct recoup_options *options)
{
    RECOUP_ASSERT(options != NULL);
    options->recovery_enabled = get_bool(entry);
    options->snapshot_min_pause_ns = get_signed(entry);
    options->worker_recovery_timeout_ns = get_signed(entry);
    options->flush_interval_ns = get_signed(entry);
    options->write_buffer_bytes = get(entry);
    options->worker_detection_ns = get_signed(entry);
    entry->bad = entry->bad || get(entry) != RECOUP_POLICY_COUNT;
    for (uint32_t i = 0; i < RECOUP_POLICY_COUNT && !entry->bad; i++) {
        options->policy[i] = get_signed(entry);
    }
    RECOUP_ASSERT(entry->head <= entry->end);
}

static int create_job(struct recoup_replayer *replayer, struct entry *entry)
{
    struct decoded_graph graph = {.stages = NULL};
    struct recoup_options options = {.recovery_enabled = false};
    struct recoup_config config = {
        .graph = &graph.graph, .options = &options, .allocator = replayer->memory.allocator};
    int error = get_graph(replayer, entry, &graph);

    RECOUP_ASSERT(replayer->job == NULL);
    if (error == 0) {
        uint64_t durable_at;
        uint64_t flags;

        get_options(entry, &options);
        durable_at = get(entry);
        flags = get(entry);
        config.storage.durable_at = (enum recoup_durable_at)(durable_at & 3);
        config.storage.can_sync = (flags & 1) != 0;
        config.storage.create_exclusive = (flags & 2) != 0;
        config.storage.list_consistent = (flags & 4) != 0;
        config.limits.waiting_bytes = get(entry);
        config.limits.read_bytes = get32(entry);
        config.limits.opening_ns = get_signed(entry);
        config.limits.accept_ns = get_signed(entry);
        if (entry->bad || entry->head != entry->end || entry->size > 0 || flags > 7 ||
            durable_at > RECOUP_DURABLE_AT_CLOSE) {
            error = RECOUP_ECORRUPT;
        }
    }
    if (error == 0) {
        error = recoup_create(&config, &replayer->job);
    }
    release_graph(replayer, &graph);
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, replayer->job != NULL));
    return error;
}

static int open_recording(struct recoup_replayer *replayer, struct recoup_replay *out)
{
    size_t magic = replayer->size < 8 ? replayer->size : 8;
    struct entry entry;
    int error;

    RECOUP_ASSERT(replayer->at == 0);
    if (memcmp(replayer->bytes, RECOUP__RECORDING_MAGIC, magic) != 0) {
        (void)stop(replayer, out, RECOUP_REPLAY_VERSION, "this is no recording");
        return RECOUP_EVERSION;
    }
    if (replayer->size < RECOUP__RECORDING_START) {
        (void)stop(replayer, out, RECOUP_REPLAY_TRUNCATED, "the recording ends within its start");
        return RECOUP_ECORRUPT;
    }
    if (recoup__get32(replayer->bytes + 8) != RECOUP_RECORDING_VERSION) {
        (void)stop(replayer, out, RECOUP_REPLAY_VERSION,
                   "a recording of another version; use the library that wrote it");
        return RECOUP_EVERSION;
    }
    replayer->at = RECOUP__RECORDING_START;
    if (!read_entry(replayer, &entry, out)) {
        return RECOUP_ECORRUPT;
    }
    error = entry.kind == RECOUP__ENTRY_CONFIG ? create_job(replayer, &entry) : RECOUP_ECORRUPT;
    if (error != 0) {
        (void)stop(replayer, out,
                   error == RECOUP_ENOMEM ? RECOUP_REPLAY_NO_MEMORY : RECOUP_REPLAY_DAMAGED,
                   error == RECOUP_ENOMEM ? "out of memory"
                                          : "the configuration makes no sense to this library");
    }
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, !replayer->over));
    return error;
}

int recoup_replayer_create(const void *bytes, size_t size, const struct recoup_allocator *allocator,
                           struct recoup_replayer **replayer, struct recoup_replay *out)
{
    struct recoup__memory memory;
    int error;

    RECOUP_ASSERT(allocator != NULL && replayer != NULL);
    RECOUP_ASSERT(out != NULL && (bytes != NULL || size == 0));
    *out = (struct recoup_replay){.verdict = RECOUP_REPLAY_NO_MEMORY, .text = "out of memory"};
    recoup__memory_init(&memory, allocator);
    *replayer = recoup__allocate_zeroed(&memory, 1, sizeof **replayer);
    if (*replayer == NULL) {
        return RECOUP_ENOMEM;
    }
    (*replayer)->memory = memory;
    (*replayer)->bytes = bytes;
    (*replayer)->size = size;
    error = open_recording(*replayer, out);
    if (error != 0) {
        recoup_replayer_destroy(*replayer);
        *replayer = NULL;
        return error;
    }
    *out = (struct recoup_replay){.verdict = RECOUP_REPLAY_STEPPED,
                                  .text = "the job is created",
                                  .offset = RECOUP__RECORDING_START};
    return 0;
}

void recoup_replayer_destroy(struct recoup_replayer *replayer)
{
    struct recoup__memory memory;

    if (replayer == NULL) {
        return;
    }
    recoup_destroy(replayer->job);
    recoup__release(&replayer->memory, replayer->items, replayer->capacity);
    memory = replayer->memory;
    RECOUP_ASSERT(memory.bytes == sizeof *replayer);
    RECOUP_ASSERT(memory.broken == 0);
    recoup__release(&memory, replayer, sizeof *replayer);
}

const struct recoup_job *recoup_replayer_job(const struct recoup_replayer *replayer)
{
    RECOUP_ASSERT(replayer != NULL);
    return replayer->job;
}

// ---------------------------------------------------------------------------------------------
// Events

static void *array(struct recoup_replayer *replayer, struct entry *entry, uint32_t n, size_t size,
                   int *error)
{
    uint64_t need = (uint64_t)n * size;

    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(n <= (size_t)(entry->end - entry->head) + 1);
    if (need > UINT32_MAX / 2) {
        *error = RECOUP_ELIMIT;
        return NULL;
    }
    *error =
        recoup__grow(&replayer->memory, &replayer->items, &replayer->capacity, 1, (uint32_t)need);
    return *error == 0 ? replayer->items : NULL;
}

static void get_partition(struct entry *entry, struct recoup_partition *p)
{
    RECOUP_ASSERT(p != NULL);
    p->stage = get32(entry);
    p->subtask = get32(entry);
    p->attempt = get(entry);
    p->bytes = get(entry);
    p->worker = get32(entry);
}

static int get_io(struct recoup_replayer *replayer, struct entry *entry, struct recoup_event *event)
{
    const char **names;
    int error = 0;

    RECOUP_ASSERT(event->type == RECOUP_EVENT_IO);
    event->io.operation = get32(entry);
    event->io.error = (int)get_signed(entry);
    event->io.data = get_bool(entry) ? entry->data : NULL;
    event->io.size = entry->size;
    event->io.n_names = get_count(entry, 2);
    names = array(replayer, entry, event->io.n_names, sizeof *names, &error);
    for (uint32_t i = 0; error == 0 && i < event->io.n_names && !entry->bad; i++) {
        uint32_t size = get_count(entry, 1);

        if (size == 0 || entry->head[size - 1] != 0 ||
            memchr(entry->head, 0, size) != entry->head + size - 1) {
            entry->bad = true;
            break;
        }
        names[i] = (const char *)entry->head;
        entry->head += size;
    }
    event->io.names = event->io.n_names > 0 ? names : NULL;
    RECOUP_ASSERT(entry->head <= entry->end);
    return error;
}

static int get_ranges(struct recoup_replayer *replayer, struct entry *entry,
                      const struct recoup_range **out, uint32_t *n_out)
{
    int error = 0;
    uint32_t n = get_count(entry, 3);
    struct recoup_range *ranges = array(replayer, entry, n, sizeof *ranges, &error);

    for (uint32_t i = 0; error == 0 && i < n; i++) {
        ranges[i].stage = get32(entry);
        ranges[i].first = get32(entry);
        ranges[i].count = get32(entry);
    }
    *out = ranges;
    *n_out = n;
    RECOUP_ASSERT(entry->head <= entry->end);
    return error;
}

static int get_lists(struct recoup_replayer *replayer, struct entry *entry,
                     struct recoup_event *event)
{
    int error = 0;

    if (event->type == RECOUP_EVENT_SUBTASKS_FAILED) {
        error = get_ranges(replayer, entry, &event->subtasks_failed.ranges,
                           &event->subtasks_failed.n_ranges);
    } else if (event->type == RECOUP_EVENT_ADOPTION) {
        event->adoption.adoption = get32(entry);
        error = get_ranges(replayer, entry, &event->adoption.ranges, &event->adoption.n_ranges);
    } else {
        struct recoup_partition *partitions;
        uint32_t n;

        RECOUP_ASSERT(event->type == RECOUP_EVENT_WORKER_REPORT);
        event->worker_report.worker = get32(entry);
        n = get_count(entry, 5);
        partitions = array(replayer, entry, n, sizeof *partitions, &error);
        for (uint32_t i = 0; error == 0 && i < n; i++) {
            get_partition(entry, &partitions[i]);
        }
        event->worker_report.partitions = partitions;
        event->worker_report.n_partitions = n;
    }
    RECOUP_ASSERT(entry->head <= entry->end);
    return error;
}

static void get_finished(struct entry *entry, struct recoup_event *event)
{
    RECOUP_ASSERT(event->type == RECOUP_EVENT_SUBTASK_FINISHED);
    event->subtask_finished.stage = get32(entry);
    event->subtask_finished.subtask = get32(entry);
    event->subtask_finished.attempt = get(entry);
    event->subtask_finished.worker = get32(entry);
    event->subtask_finished.bytes = get(entry);
    event->subtask_finished.has_partition = get_bool(entry);
    event->subtask_finished.payload = entry->size > 0 ? entry->data : NULL;
    event->subtask_finished.payload_bytes = (uint32_t)entry->size;
    RECOUP_ASSERT(entry->size <= RECOUP_RECORDING_ENTRY_MAX);
}

static int get_event(struct recoup_replayer *replayer, struct entry *entry,
                     struct recoup_event *event)
{
    RECOUP_ASSERT(entry->kind == RECOUP__ENTRY_EVENT);
    switch ((unsigned)event->type) {
    case RECOUP_EVENT_START:
        event->start.epoch = get(entry);
        event->start.first = get_bool(entry);
        return 0;
    case RECOUP_EVENT_IO:
        return get_io(replayer, entry, event);
    case RECOUP_EVENT_STAGE_INITIALIZED:
        event->stage_initialized.stage = get32(entry);
        event->stage_initialized.parallelism = get32(entry);
        return 0;
    case RECOUP_EVENT_SUBTASK_FINISHED:
        get_finished(entry, event);
        return 0;
    case RECOUP_EVENT_SUBTASKS_FAILED:
    case RECOUP_EVENT_WORKER_REPORT:
    case RECOUP_EVENT_ADOPTION:
        return get_lists(replayer, entry, event);
    case RECOUP_EVENT_RESETS_DONE:
        event->resets_done.reset = get32(entry);
        return 0;
    case RECOUP_EVENT_SNAPSHOT:
        event->snapshot.snapshot = get32(entry);
        event->snapshot.coordinator = get32(entry);
        event->snapshot.failed = get_bool(entry);
        event->snapshot.data = entry->size > 0 ? entry->data : NULL;
        event->snapshot.size = entry->size;
        return 0;
    case RECOUP_EVENT_WORKER_LOST:
        event->worker_lost.worker = get32(entry);
        return 0;
    case RECOUP_EVENT_PARTITION_LOST:
        get_partition(entry, &event->partition_lost);
        return 0;
    case RECOUP_EVENT_STOP:
        event->stop.clear = get_bool(entry);
        return 0;
    default: // TIMER, GLOBAL_FAILURE, LEADERSHIP_LOST: the type says all
        return 0;
    }
}

// The next event, decoded.
static bool read_event(struct recoup_replayer *replayer, struct recoup_replay *out)
{
    struct entry entry;
    uint32_t type;
    int error = 0;

    RECOUP_ASSERT(!replayer->over);
    if (!read_entry(replayer, &entry, out)) {
        return false;
    }
    type = get32(&entry);
    replayer->now_ns = (int64_t)((uint64_t)replayer->now_ns + (uint64_t)get_signed(&entry));
    replayer->event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
    if (entry.kind != RECOUP__ENTRY_EVENT || type > RECOUP_EVENT_ADOPTION) {
        return stop(replayer, out, RECOUP_REPLAY_DAMAGED, "no event stands where one belongs");
    }
    replayer->event.type = (enum recoup_event_type)type;
    error = get_event(replayer, &entry, &replayer->event);
    if (error != 0) {
        return stop(replayer, out, RECOUP_REPLAY_NO_MEMORY, "out of memory");
    }
    if (entry.bad || entry.head != entry.end) {
        return stop(replayer, out, RECOUP_REPLAY_DAMAGED, "no event has these bytes");
    }
    RECOUP_ASSERT(replayer->event.type <= RECOUP_EVENT_ADOPTION);
    return true;
}

// What the recording says came of the event: false if it does not say, or is damaged.
static bool read_result(struct recoup_replayer *replayer, struct recoup_replay *out, int *code,
                        uint64_t *hash)
{
    struct entry entry;

    RECOUP_ASSERT(code != NULL && hash != NULL);
    if (!read_entry(replayer, &entry, out)) {
        return false;
    }
    *code = (int)get_signed(&entry);
    if (entry.kind != RECOUP__ENTRY_RESULT || entry.bad || entry.end - entry.head != 8) {
        return stop(replayer, out, RECOUP_REPLAY_DAMAGED, "no result stands where one belongs");
    }
    *hash = recoup__get64(entry.head);
    RECOUP_ASSERT(!replayer->over);
    return true;
}

static bool step_event(struct recoup_replayer *replayer, struct recoup_replay *out, int wanted,
                       uint64_t hash, bool known)
{
    RECOUP_ASSERT(replayer->job != NULL);
    replayer->update = (struct recoup_update){0};
    if (known && wanted == RECOUP_ENOMEM) {
        out->code = wanted;
        return true; // it changed nothing then, and changes nothing now
    }
    out->code = recoup_step(replayer->job, replayer->now_ns, &replayer->event, &replayer->update);
    out->checked = known;
    if (known &&
        (out->code != wanted || recoup__result_hash(replayer->job, &replayer->update) != hash)) {
        return stop(replayer, out, RECOUP_REPLAY_DIVERGED,
                    "the update, state or deadline after this event is not what it was");
    }
    RECOUP_ASSERT(!replayer->over || !known);
    return true;
}

bool recoup_replayer_next(struct recoup_replayer *replayer, struct recoup_replay *out)
{
    struct recoup_replay after = {.text = ""};
    uint64_t offset = replayer->at;
    uint64_t hash = 0;
    int code = 0;
    bool known;

    RECOUP_ASSERT(replayer != NULL && out != NULL);
    if (replayer->over) {
        return false; // `out` of the call before stands
    }
    *out = (struct recoup_replay){.text = "", .offset = offset, .step = replayer->step};
    if (replayer->at == replayer->size) {
        return stop(replayer, out, RECOUP_REPLAY_END, "the recording ends here");
    }
    if (!read_event(replayer, out)) {
        return false;
    }
    out->step = ++replayer->step;
    out->now_ns = replayer->now_ns;
    out->event = &replayer->event;
    out->update = &replayer->update;
    known = replayer->at < replayer->size && read_result(replayer, &after, &code, &hash);
    if (!step_event(replayer, out, code, hash, known)) {
        return false;
    }
    if (replayer->over) { // the result is damaged or cut short: the event has been stepped
        out->verdict = after.verdict;
        out->text = after.text;
        out->offset = after.offset;
        return false;
    }
    out->verdict = RECOUP_REPLAY_STEPPED;
    out->text = "stepped";
    RECOUP_ASSERT(out->offset == offset);
    return true;
}
