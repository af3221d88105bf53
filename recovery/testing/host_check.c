// SPDX-License-Identifier: Apache-2.0
#include "recovery/testing/host_check.h"

#include <string.h>

#include "recovery/memory.h"

enum {
    PATTERN_MAX = 70000, // bytes of the largest append
    JOB_SUBTASKS = 12,
    JOB_STEPS_MAX = 100000,
};

struct check {
    const struct recoup_checked_host *host;
    struct recoup_allocator allocator;
    struct recoup_host_report *report;
    struct recoup_event event; // the last result
    enum recoup_action_type type;
    uint32_t operation;
    uint8_t *pattern; // PATTERN_MAX bytes that differ from place to place
};

static void find(struct check *check, unsigned duty, const char *text)
{
    struct recoup_host_report *report = check->report;

    RECOUP_ASSERT(duty >= 1 && duty <= 13);
    RECOUP_ASSERT(text != NULL);
    if (report->n < RECOUP_HOST_FINDINGS_MAX) {
        report->findings[report->n] =
            (struct recoup_host_finding){duty, text, check->type, check->event.io.error};
    }
    report->n++;
}

// Notes a finding unless `good`; returns `good`.
static bool expect(struct check *check, bool good, unsigned duty, const char *text)
{
    RECOUP_ASSERT(check->report != NULL);
    if (!good) {
        find(check, duty, text);
    }
    return good;
}

// ---------------------------------------------------------------------------------------------
// Operations

// Performs an operation and checks what holds for each (D3). Returns its error.
static int perform(struct check *check, const struct recoup_action *action)
{
    const struct recoup_event *event = &check->event;

    RECOUP_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    RECOUP_ASSERT(action->io.operation != 0);
    check->type = action->type;
    check->event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
    check->host->perform(check->host->context, action, &check->event);
    check->report->operations++;
    (void)expect(check, event->type == RECOUP_EVENT_IO, 3,
                 "an operation was answered by another event than IO");
    (void)expect(check, event->io.operation == action->io.operation, 3,
                 "the IO event has not the id of its operation");
    (void)expect(check, event->io.error <= 0 && event->io.error >= RECOUP_EINTERNAL, 3,
                 "the IO event has an error that is no RECOUP_E code (a positive errno?)");
    (void)expect(check,
                 RECOUP_ERGO(event->io.error != 0 || action->type != RECOUP_ACTION_READ,
                             event->io.data == NULL || event->io.error == 0),
                 3, "a failed operation, or one that reads nothing, gave bytes");
    (void)expect(check, action->type != RECOUP_ACTION_READ || event->io.size <= action->io.size, 3,
                 "READ gave more bytes than it was asked for");
    return event->io.error;
}

static struct recoup_action action_of(struct check *check, enum recoup_action_type type,
                                      const char *file)
{
    struct recoup_action action = {.type = type};

    RECOUP_ASSERT(strlen(file) < sizeof action.io.file);
    RECOUP_ASSERT(type <= RECOUP_ACTION_REMOVE);
    action.io.operation = ++check->operation;
    memcpy(action.io.file, file, strlen(file));
    return action;
}

static int simple(struct check *check, enum recoup_action_type type, const char *file)
{
    struct recoup_action action = action_of(check, type, file);

    RECOUP_ASSERT(type != RECOUP_ACTION_APPEND);
    RECOUP_ASSERT(type != RECOUP_ACTION_READ);
    return perform(check, &action);
}

static int append(struct check *check, const char *file, size_t from, size_t size)
{
    struct recoup_action action = action_of(check, RECOUP_ACTION_APPEND, file);

    RECOUP_ASSERT(from + size <= PATTERN_MAX);
    RECOUP_ASSERT(size > 0);
    action.io.data = check->pattern + from;
    action.io.size = size;
    return perform(check, &action);
}

// Makes what was appended durable, as the host declares.
static int make_durable(struct check *check, const char *file)
{
    RECOUP_ASSERT(check->host != NULL);
    switch (check->host->storage.durable_at) {
    case RECOUP_DURABLE_AT_FLUSH:
        return simple(check, RECOUP_ACTION_FLUSH, file);
    case RECOUP_DURABLE_AT_SYNC:
        return simple(check, RECOUP_ACTION_SYNC, file);
    case RECOUP_DURABLE_AT_CLOSE:
        return simple(check, RECOUP_ACTION_CLOSE, file);
    default:
        RECOUP_ASSERT(false);
        return RECOUP_EINVAL;
    }
}

static void begin(struct check *check)
{
    RECOUP_ASSERT(check->host->reset != NULL);
    check->host->reset(check->host->context);
    (void)expect(check, simple(check, RECOUP_ACTION_MKDIR, "") == 0, 3,
                 "MKDIR of a directory that is not there must make it, and its parents");
}

// How many bytes of the file are those of the pattern, from its start; the file's size in *size.
static size_t read_back(struct check *check, const char *file, uint32_t step, size_t *size)
{
    size_t good = 0;
    bool same = true;

    RECOUP_ASSERT(step > 0);
    *size = 0;
    for (uint32_t turn = 0; turn < PATTERN_MAX; turn++) {
        struct recoup_action action = action_of(check, RECOUP_ACTION_READ, file);

        action.io.offset = *size;
        action.io.size = step;
        if (perform(check, &action) != 0 || check->event.io.size == 0) {
            break;
        }
        for (size_t i = 0; i < check->event.io.size && same; i++) {
            same = *size + i < PATTERN_MAX &&
                   ((const uint8_t *)check->event.io.data)[i] == check->pattern[*size + i];
            good += same ? 1 : 0;
        }
        *size += check->event.io.size;
        if (check->event.io.size < step) {
            break; // fewer than asked for means the end
        }
    }
    RECOUP_ASSERT(good <= *size);
    return good;
}

static bool listed(struct check *check, const char *file)
{
    const struct recoup_event *event = &check->event;

    RECOUP_ASSERT(file[0] != '\0');
    if (!expect(check, simple(check, RECOUP_ACTION_LIST, "") == 0, 3,
                "LIST of the store's directory must succeed")) {
        return false;
    }
    for (uint32_t i = 0; i < event->io.n_names; i++) {
        RECOUP_ASSERT(event->io.names != NULL);
        if (strcmp(event->io.names[i], file) == 0) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Names

static void check_names(struct check *check)
{
    const struct recoup_storage *storage = &check->host->storage;

    begin(check);
    RECOUP_ASSERT(check->pattern != NULL);
    (void)expect(check, simple(check, RECOUP_ACTION_MKDIR, "") == 0, 3,
                 "MKDIR must succeed when the directory exists");
    (void)expect(check, simple(check, RECOUP_ACTION_LIST, "") == 0 && check->event.io.n_names == 0,
                 3, "LIST of an empty directory must succeed and name nothing ('.' is no name)");
    (void)expect(check, simple(check, RECOUP_ACTION_REMOVE, "absent") == 0, 3,
                 "REMOVE must succeed when the file is absent");
    struct recoup_action read = action_of(check, RECOUP_ACTION_READ, "absent");
    read.io.size = 100;
    (void)expect(check, perform(check, &read) == RECOUP_ENOENT, 3,
                 "READ of an absent file must report RECOUP_ENOENT");
    (void)expect(check, simple(check, RECOUP_ACTION_CREATE, "a") == 0, 3,
                 "CREATE of a new file must succeed");
    (void)expect(check, append(check, "a", 0, 10) == 0, 3, "APPEND must succeed");
    (void)expect(check, simple(check, RECOUP_ACTION_CLOSE, "a") == 0, 3, "CLOSE must succeed");
    if (storage->list_consistent) {
        (void)expect(check, listed(check, "a"), 4,
                     "list_consistent is declared, and a closed file is not in the next listing");
    }
    if (storage->create_exclusive) {
        (void)expect(check, simple(check, RECOUP_ACTION_CREATE, "a") == RECOUP_EEXIST, 4,
                     "create_exclusive is declared, and CREATE of an existing name does not report "
                     "RECOUP_EEXIST");
    }
    (void)expect(check, simple(check, RECOUP_ACTION_REMOVE, "a") == 0, 3, "REMOVE must succeed");
    (void)expect(check, RECOUP_ERGO(storage->list_consistent, !listed(check, "a")), 4,
                 "list_consistent is declared, and a removed file is still listed");
    (void)expect(check, simple(check, RECOUP_ACTION_REMOVE, "") == 0, 3,
                 "REMOVE with an empty name must remove the empty directory");
    (void)expect(check, simple(check, RECOUP_ACTION_REMOVE, "") == 0, 3,
                 "REMOVE of the directory must succeed when it is absent");
}

// ---------------------------------------------------------------------------------------------
// Bytes

static void check_bytes(struct check *check)
{
    static const size_t sizes[] = {1, 3, 511, 4096, 4097, 60000};
    static const uint32_t steps[] = {1000, 4096, 1u << 20};
    size_t written = 0;
    size_t size = 0;

    begin(check);
    (void)expect(check, simple(check, RECOUP_ACTION_CREATE, "bytes") == 0, 3,
                 "CREATE of a new file must succeed");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)expect(check, append(check, "bytes", written, sizes[i]) == 0, 3,
                     "APPEND must succeed");
        (void)expect(check, simple(check, RECOUP_ACTION_FLUSH, "bytes") == 0, 3,
                     "FLUSH must succeed");
        written += sizes[i];
    }
    RECOUP_ASSERT(written <= PATTERN_MAX);
    if (check->host->storage.can_sync) {
        (void)expect(check, simple(check, RECOUP_ACTION_SYNC, "bytes") == 0, 4,
                     "can_sync is declared, and SYNC fails");
    }
    (void)expect(check, simple(check, RECOUP_ACTION_CLOSE, "bytes") == 0, 3, "CLOSE must succeed");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        size_t good = read_back(check, "bytes", steps[i], &size);

        (void)expect(
            check, size == written, 2,
            "a closed file has not as many bytes as were appended (or READ gave fewer than "
            "asked for before its end)");
        (void)expect(check, good == size, 2,
                     "a closed file has not the bytes that were appended, in their order");
    }
    struct recoup_action past = action_of(check, RECOUP_ACTION_READ, "bytes");
    past.io.offset = written + 1000;
    past.io.size = 100;
    (void)expect(check, perform(check, &past) == 0 && check->event.io.size == 0, 3,
                 "READ past the end must succeed with no bytes");
}

// ---------------------------------------------------------------------------------------------
// Crashes

// `durable` bytes are durable, `more` are appended behind them, and the crash comes.
static void check_crash(struct check *check, size_t durable, size_t more)
{
    bool at_close = check->host->storage.durable_at == RECOUP_DURABLE_AT_CLOSE;
    size_t size = 0;
    size_t good;

    begin(check);
    RECOUP_ASSERT(durable > 0);
    (void)simple(check, RECOUP_ACTION_CREATE, "first");
    (void)append(check, "first", 0, durable);
    (void)expect(check, make_durable(check, "first") == 0, 4,
                 "the operation that makes bytes durable (durable_at) must succeed");
    if (more > 0 && !at_close) {
        (void)append(check, "first", durable, more);
    }
    check->host->crash(check->host->context);
    (void)expect(check, listed(check, "first"), 4,
                 "after a crash the name of a file with durable bytes is not in the listing: sync "
                 "the directory, too");
    good = read_back(check, "first", 5000, &size);
    (void)expect(check, size >= durable, 4,
                 "after a crash durable bytes are gone from the end of the file");
    (void)expect(check, good >= (size < durable ? size : durable), 4,
                 "after a crash durable bytes have changed");
    (void)expect(check, size <= durable + more, 4,
                 "after a crash the file has more bytes than were ever appended");
    if (check->host->storage.create_exclusive) {
        (void)expect(
            check, simple(check, RECOUP_ACTION_CREATE, "first") == RECOUP_EEXIST, 4,
            "create_exclusive is declared, and CREATE of a name from before the crash does "
            "not report RECOUP_EEXIST");
    }
    (void)expect(check, simple(check, RECOUP_ACTION_CREATE, "second") == 0, 3,
                 "after a crash a new file can be created");
    (void)expect(check, simple(check, RECOUP_ACTION_CLOSE, "second") == 0, 3,
                 "after a crash a new file can be closed");
}

// The second file's durability says nothing of the first one's, but the first one had its own.
static void check_two_files(struct check *check)
{
    size_t size = 0;

    begin(check);
    for (unsigned i = 0; i < 2; i++) {
        const char *file = i == 0 ? "one" : "two";

        (void)simple(check, RECOUP_ACTION_CREATE, file);
        (void)append(check, file, 0, 3000 + i);
        (void)make_durable(check, file);
        if (check->host->storage.durable_at != RECOUP_DURABLE_AT_CLOSE) {
            (void)simple(check, RECOUP_ACTION_CLOSE, file);
        }
    }
    check->host->crash(check->host->context);
    RECOUP_ASSERT(size == 0);
    (void)expect(check, read_back(check, "one", 1 << 20, &size) == 3000 && size == 3000, 4,
                 "after a crash a file that was durable and closed has not its bytes");
    (void)expect(check, read_back(check, "two", 1 << 20, &size) == 3001 && size == 3001, 4,
                 "after a crash the second of two durable files has not its bytes");
}

// ---------------------------------------------------------------------------------------------
// A job on this host

struct small_job {
    struct check *check;
    struct recoup_job *job;
    struct recoup_action operation; // under way
    bool busy;
    bool recovered;
    int64_t now_ns;
    uint64_t durable;
    uint64_t events[JOB_SUBTASKS]; // number of each finish
};

static int job_create(struct small_job *small)
{
    static const struct recoup_stage_spec stage = {JOB_SUBTASKS, 0};
    struct recoup_graph graph = {.digest = {42}, .n_stages = 1, .stages = &stage};
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph,
                                   .options = &options,
                                   .storage = small->check->host->storage,
                                   .allocator = small->check->allocator};

    RECOUP_ASSERT(small->job == NULL);
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    options.snapshot_min_pause_ns = 0;
    small->recovered = false;
    small->durable = 0;
    RECOUP_ASSERT(options.flush_interval_ns > 0);
    return recoup_create(&config, &small->job);
}

static void job_obey(struct small_job *small, const struct recoup_update *update,
                     uint32_t *snapshot)
{
    for (uint32_t i = 0; i < update->n_actions; i++) {
        const struct recoup_action *action = &update->actions[i];

        if (action->type <= RECOUP_ACTION_REMOVE) {
            RECOUP_ASSERT(!small->busy);
            small->operation = *action;
            small->busy = true;
        } else if (action->type == RECOUP_ACTION_DURABLE) {
            small->durable = action->durable.event;
        } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT) {
            *snapshot = action->take_snapshot.snapshot; // of the shuffle master, alone here
        } else if (action->type == RECOUP_ACTION_RECOVERED) {
            small->recovered = true;
        } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
            find(small->check, 4, "a job could not recover what it had recorded on this host");
        } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
            find(small->check, 3, "a job lost its protection, since an operation failed");
        }
    }
}

// Steps the event, and everything that follows from it at once.
static int job_step(struct small_job *small, const struct recoup_event *first, uint64_t *number)
{
    struct recoup_event event = *first;

    RECOUP_ASSERT(number != NULL);
    for (uint32_t turn = 0; turn < JOB_STEPS_MAX; turn++) {
        struct recoup_update update;
        uint32_t snapshot = 0;
        int error = recoup_step(small->job, small->now_ns, &event, &update);

        if (error == RECOUP_ENOMEM) {
            return error;
        }
        *number = turn == 0 ? update.event : *number;
        job_obey(small, &update, &snapshot);
        if (snapshot != 0) {
            event = (struct recoup_event){.type = RECOUP_EVENT_SNAPSHOT};
            event.snapshot.snapshot = snapshot;
            event.snapshot.coordinator = RECOUP_SHUFFLE;
        } else if (small->busy) {
            (void)perform(small->check, &small->operation);
            small->busy = false;
            event = small->check->event;
            event.type = RECOUP_EVENT_IO;
            event.io.operation = small->operation.io.operation;
        } else if (recoup_deadline(small->job) <= small->now_ns) {
            event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
        } else {
            return 0;
        }
    }
    RECOUP_ASSERT(!small->busy);
    find(small->check, 3, "a job did not come to rest");
    return 0;
}

static int job_start(struct small_job *small, uint64_t epoch)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct recoup_event timer = {.type = RECOUP_EVENT_TIMER};
    uint64_t number;
    int error = job_create(small);

    RECOUP_ASSERT(epoch > 0);
    if (error != 0) {
        return error;
    }
    event.start.epoch = epoch;
    error = job_step(small, &event, &number);
    for (uint32_t turn = 0; error == 0 && !small->recovered && turn < 100; turn++) {
        int64_t deadline = recoup_deadline(small->job);

        if (deadline == RECOUP_NEVER) {
            break;
        }
        RECOUP_ASSERT(deadline >= small->now_ns);
        small->now_ns = deadline;
        error = job_step(small, &timer, &number);
    }
    return error;
}

static int job_record(struct small_job *small)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};
    struct recoup_event timer = {.type = RECOUP_EVENT_TIMER};
    uint64_t number = 0;
    int error;

    event.stage_initialized.parallelism = JOB_SUBTASKS;
    error = job_step(small, &event, &number);
    for (uint32_t i = 0; error == 0 && i < JOB_SUBTASKS; i++) {
        event = (struct recoup_event){.type = RECOUP_EVENT_SUBTASK_FINISHED};
        event.subtask_finished.subtask = i;
        event.subtask_finished.attempt = UINT64_C(1) << 32 | (i + 1);
        event.subtask_finished.payload = small->check->pattern;
        event.subtask_finished.payload_bytes = 100 * i;
        error = job_step(small, &event, &small->events[i]);
        if (error == 0 && i % 3 == 2 && recoup_deadline(small->job) < RECOUP_NEVER) {
            small->now_ns = recoup_deadline(small->job);
            error = job_step(small, &timer, &number);
        }
        RECOUP_ASSERT(RECOUP_ERGO(error == 0, small->events[i] > 0 || small->durable == 0));
    }
    RECOUP_ASSERT(!small->busy);
    return error;
}

static int check_job(struct check *check)
{
    struct small_job small = {.check = check};
    uint64_t durable;
    int error;

    RECOUP_ASSERT(check->host->crash != NULL);
    check->host->reset(check->host->context);
    error = job_start(&small, 1);
    error = error == 0 ? job_record(&small) : error;
    durable = small.durable;
    recoup_destroy(small.job);
    small.job = NULL;
    small.busy = false;
    if (error != 0) {
        return error;
    }
    (void)expect(check, durable > 0, 4, "a job recorded to its end, and nothing became durable");
    check->host->crash(check->host->context);
    error = job_start(&small, 2);
    for (uint32_t i = 0; error == 0 && i < JOB_SUBTASKS; i++) {
        struct recoup_subtask state;

        recoup_subtask(small.job, 0, i, &state);
        (void)expect(check, state.finished || small.events[i] > durable || small.events[i] == 0, 4,
                     "after a crash a job has not an event that was acknowledged");
    }
    recoup_destroy(small.job);
    RECOUP_ASSERT(RECOUP_ERGO(error != 0, error == RECOUP_ENOMEM || error == RECOUP_EINVAL));
    return error;
}

// ---------------------------------------------------------------------------------------------

int recoup_host_check(const struct recoup_checked_host *host,
                      const struct recoup_allocator *allocator, struct recoup_host_report *report)
{
    struct recoup__memory memory;
    struct check check = {.host = host, .report = report};
    int error = 0;

    if (host == NULL || allocator == NULL || report == NULL || host->perform == NULL ||
        host->reset == NULL) {
        return RECOUP_EINVAL;
    }
    *report = (struct recoup_host_report){.crashes_checked = host->crash != NULL};
    check.allocator = *allocator;
    recoup__memory_init(&memory, allocator);
    check.pattern = recoup__allocate(&memory, PATTERN_MAX);
    if (check.pattern == NULL) {
        return RECOUP_ENOMEM;
    }
    for (uint32_t i = 0; i < PATTERN_MAX; i++) { // no two places of 4 KiB blocks are alike
        check.pattern[i] = (uint8_t)(i * 2654435761u >> 24 ^ i);
    }
    check_names(&check);
    check_bytes(&check);
    if (host->crash != NULL) {
        check_crash(&check, 1, 0);
        check_crash(&check, 700, 100);
        check_crash(&check, 9000, 9000);
        check_two_files(&check);
        error = check_job(&check);
    }
    host->reset(host->context);
    recoup__release(&memory, check.pattern, PATTERN_MAX);
    RECOUP_ASSERT(memory.bytes == 0);
    return error;
}
