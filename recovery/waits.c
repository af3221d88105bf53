// SPDX-License-Identifier: Apache-2.0
//
// Records that wait for snapshots. A wait begins PENDING. It becomes COMPLETE with its last
// snapshot, FAILED with the first that fails, LATE when its time is over (its record is then
// written alone, and the snapshots follow as a record of their own), and DONE when nothing more
// comes of it. Waits stand in the order of their records.
//
//     PENDING -> COMPLETE | FAILED | LATE | DONE     COMPLETE, FAILED, LATE -> DONE
#include <string.h>

#include "recovery/store_internal.h"

static const unsigned allowed[] = {
    [RECOUP__WAIT_PENDING] = 1u << RECOUP__WAIT_COMPLETE | 1u << RECOUP__WAIT_FAILED
                             | 1u << RECOUP__WAIT_LATE | 1u << RECOUP__WAIT_DONE,
    [RECOUP__WAIT_COMPLETE] = 1u << RECOUP__WAIT_DONE,
    [RECOUP__WAIT_FAILED] = 1u << RECOUP__WAIT_DONE,
    [RECOUP__WAIT_LATE] = 1u << RECOUP__WAIT_DONE,
    [RECOUP__WAIT_DONE] = 0,
};

static void move(struct recoup__store *store, struct recoup__wait *wait, enum recoup__wait_state to)
{
    RECOUP_ASSERT(wait->state <= RECOUP__WAIT_DONE && to <= RECOUP__WAIT_DONE);
    (void)RECOUP_CHECK(store->memory, (allowed[wait->state] & 1u << to) != 0);
    wait->state = to;
}

static void free_items(struct recoup__store *store, struct recoup__wait_item *items, uint32_t n)
{
    RECOUP_ASSERT(items != NULL);
    for (uint32_t i = 0; i < n; i++) {
        struct recoup__snapshot *snapshot = &items[i].snapshot;
        void *data = (void *)(uintptr_t)snapshot->data;

        if (data != NULL) {
            RECOUP_ASSERT(store->writer.waits_bytes >= snapshot->size);
            store->writer.waits_bytes -= snapshot->size;
            recoup__release(store->memory, data, snapshot->size);
        }
    }
    recoup__release(store->memory, items, n * sizeof items[0]);
}

static void free_contents(struct recoup__store *store, struct recoup__wait *wait)
{
    RECOUP_ASSERT(RECOUP_ERGO(wait->bytes != NULL, store->writer.waits_bytes >= wait->size));
    if (wait->bytes != NULL) {
        store->writer.waits_bytes -= wait->size;
    }
    recoup__release(store->memory, wait->bytes, wait->size);
    wait->bytes = NULL;
    if (wait->items != NULL) {
        free_items(store, wait->items, wait->n);
    }
    wait->items = NULL;
}

static void find_deadline(struct recoup__writer *writer)
{
    writer->waits_deadline_ns = RECOUP_NEVER;
    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        if (writer->waits[i].state == RECOUP__WAIT_PENDING) {
            // Deadlines stand in the order of the records, so the first pending one is the
            // earliest.
            writer->waits_deadline_ns = writer->waits[i].deadline_ns;
            break;
        }
    }
    RECOUP_ASSERT(writer->waits_begin <= writer->waits_end);
}

// Forgets what is done at the front.
static void trim(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->waits_begin <= writer->waits_end);
    while (writer->waits_begin < writer->waits_end
           && writer->waits[writer->waits_begin].state == RECOUP__WAIT_DONE
           && writer->waits[writer->waits_begin].task == NULL) {
        writer->waits_begin++;
    }
    if (writer->waits_begin == writer->waits_end) {
        writer->waits_begin = 0;
        writer->waits_end = 0;
    }
    find_deadline(writer);
}

static void done(struct recoup__store *store, struct recoup__wait *wait, uint64_t carrier)
{
    uint32_t snapshot = wait->snapshot;

    RECOUP_ASSERT(RECOUP_ERGO(carrier != 0, carrier >= wait->sequence));
    free_contents(store, wait);
    move(store, wait, RECOUP__WAIT_DONE);
    if (store->callbacks.on_settled != NULL) {
        store->callbacks.on_settled(store->callbacks.context, snapshot, carrier);
    }
}

void recoup__waits_settle(struct recoup__store *store, struct recoup__wait *wait, uint64_t carrier)
{
    RECOUP_ASSERT(wait->state != RECOUP__WAIT_DONE);
    done(store, wait, carrier);
    find_deadline(&store->writer);
}

int recoup__waits_reserve(struct recoup__store *store, uint32_t n, struct recoup__wait_item **items)
{
    struct recoup__writer *writer = &store->writer;
    void *waits = writer->waits;
    int error;

    RECOUP_ASSERT(n > 0);
    RECOUP_ASSERT(writer->waits_begin <= writer->waits_end);
    if (writer->waits_begin > writer->waits_capacity / 2) {
        memmove(writer->waits, writer->waits + writer->waits_begin,
                (writer->waits_end - writer->waits_begin) * sizeof writer->waits[0]);
        writer->waits_end -= writer->waits_begin;
        writer->waits_begin = 0;
    }
    error = recoup__grow(store->memory, &waits, &writer->waits_capacity, sizeof writer->waits[0],
                         writer->waits_end + 1);
    writer->waits = waits;
    if (error != 0) {
        return error;
    }
    *items = recoup__allocate_zeroed(store->memory, n, sizeof(struct recoup__wait_item));
    return *items == NULL ? RECOUP_ENOMEM : 0;
}

void recoup__waits_add(struct recoup__store *store, const struct recoup__wait *wait)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(wait->n > 0 && wait->missing == wait->n);
    RECOUP_ASSERT(writer->waits_end < writer->waits_capacity);
    RECOUP_ASSERT(wait->task != NULL);
    writer->waits[writer->waits_end++] = *wait;
    find_deadline(writer);
}

struct recoup__wait *recoup__waits_of(struct recoup__store *store, uint64_t sequence)
{
    struct recoup__writer *writer = &store->writer;
    uint32_t low = writer->waits_begin;
    uint32_t high = writer->waits_end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (writer->waits[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    RECOUP_ASSERT(low <= writer->waits_end);
    if (low == writer->waits_end || writer->waits[low].sequence != sequence) {
        return NULL;
    }
    RECOUP_ASSERT(writer->waits[low].task != NULL);
    return &writer->waits[low];
}

// The record has left the queue for the buffer.
void recoup__waits_written(struct recoup__store *store, struct recoup__wait *wait)
{
    RECOUP_ASSERT(wait->task != NULL);
    RECOUP_ASSERT(wait->state != RECOUP__WAIT_PENDING);
    wait->task = NULL;
    if (wait->state == RECOUP__WAIT_COMPLETE) {
        done(store, wait, wait->sequence);
    } else if (wait->state == RECOUP__WAIT_FAILED) {
        done(store, wait, 0);
    }
    trim(store);
}

void recoup__waits_drop(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        writer->waits[i].task = NULL;
        if (writer->waits[i].state != RECOUP__WAIT_DONE) {
            done(store, &writer->waits[i], 0);
        }
    }
    trim(store);
    RECOUP_ASSERT(writer->waits_begin == 0 && writer->waits_end == 0);
    RECOUP_ASSERT(writer->waits_bytes == 0);
}

void recoup__waits_give_up(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        if (writer->waits[i].state == RECOUP__WAIT_PENDING
            || writer->waits[i].state == RECOUP__WAIT_LATE
            || writer->waits[i].state == RECOUP__WAIT_FAILED) {
            done(store, &writer->waits[i], 0);
        }
    }
    trim(store);
    RECOUP_ASSERT(writer->waits_deadline_ns == RECOUP_NEVER);
}

bool recoup__waits_only_late(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->waits_begin <= writer->waits_end);
    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        enum recoup__wait_state state = writer->waits[i].state;

        if ((state != RECOUP__WAIT_DONE && state != RECOUP__WAIT_LATE)
            || writer->waits[i].task != NULL) {
            return false;
        }
    }
    return true;
}

void recoup__waits_release(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        free_contents(store, &writer->waits[i]);
    }
    RECOUP_ASSERT(writer->waits_bytes == 0);
    recoup__release(store->memory, writer->waits, writer->waits_capacity * sizeof writer->waits[0]);
    writer->waits = NULL;
    writer->waits_capacity = 0;
    writer->waits_begin = 0;
    writer->waits_end = 0;
}

// Too many overdue snapshots: the oldest is given up, so that they cannot pile up.
static void limit_late(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__wait *oldest = NULL;
    uint32_t n = 0;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        if (writer->waits[i].state == RECOUP__WAIT_LATE) {
            oldest = oldest == NULL ? &writer->waits[i] : oldest;
            n++;
        }
    }
    RECOUP_ASSERT(n <= RECOUP__LATE_MAX + 1);
    if (n > RECOUP__LATE_MAX) {
        done(store, oldest, 0);
    }
}

void recoup__waits_timer(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        if (writer->waits[i].state == RECOUP__WAIT_PENDING
            && writer->waits[i].deadline_ns <= now_ns) {
            move(store, &writer->waits[i], RECOUP__WAIT_LATE);
            limit_late(store);
        }
    }
    trim(store);
    RECOUP_ASSERT(writer->waits_deadline_ns > now_ns);
}

// ---------------------------------------------------------------------------------------------
// Arrival

static struct recoup__wait *find_snapshot(struct recoup__store *store, uint32_t snapshot)
{
    struct recoup__writer *writer = &store->writer;

    for (uint32_t i = writer->waits_begin; i < writer->waits_end; i++) {
        if (writer->waits[i].snapshot == snapshot) {
            RECOUP_ASSERT(writer->waits[i].sequence > 0);
            return &writer->waits[i];
        }
    }
    return NULL;
}

static struct recoup__wait_item *find_item(struct recoup__wait *wait, uint32_t coordinator)
{
    RECOUP_ASSERT(wait->items != NULL);
    for (uint32_t i = 0; i < wait->n; i++) {
        if (wait->items[i].snapshot.coordinator == coordinator) {
            return wait->items[i].arrived ? NULL : &wait->items[i];
        }
    }
    return NULL;
}

// The wait's snapshots as one array, in scratch memory of the step. NULL when out of memory.
static struct recoup__snapshot *gather(struct recoup__store *store, const struct recoup__wait *wait)
{
    struct recoup__snapshot *snapshots =
        recoup__actions_scratch(store->actions, wait->n * sizeof snapshots[0]);

    RECOUP_ASSERT(wait->n > 0);
    for (uint32_t i = 0; snapshots != NULL && i < wait->n; i++) {
        RECOUP_ASSERT(wait->items[i].arrived);
        snapshots[i] = wait->items[i].snapshot;
    }
    return snapshots;
}

// The FINISHED record of the wait, with its snapshots, from the bytes that stand in the queue.
static int assemble(struct recoup__store *store, struct recoup__wait *wait,
                    struct recoup__snapshot *snapshots)
{
    const struct recoup__format *format = &store->writer.format;
    size_t prefix = recoup__frame_prefix(format);
    size_t overhead = recoup__frame_overhead(format);
    struct recoup__record record;
    size_t body;
    int error =
        recoup__record_decode(&store->reader.decoder, RECOUP__RECORD_FINISHED,
                              wait->task->bytes + prefix, wait->task->size - overhead, &record);

    if (error != 0) {
        return error == RECOUP_ENOMEM ? error : RECOUP_EINTERNAL;
    }
    RECOUP_ASSERT(record.finished.n_snapshots == 0);
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = wait->n;
    error = recoup__record_size(&record, &body);
    if (error != 0) {
        return error;
    }
    wait->bytes = recoup__allocate(store->memory, body + overhead);
    if (wait->bytes == NULL) {
        return RECOUP_ENOMEM;
    }
    wait->size = body + overhead;
    store->writer.waits_bytes += wait->size;
    recoup__record_encode(&record, wait->bytes + prefix, body);
    recoup__frame_begin(format, RECOUP__RECORD_FINISHED, wait->sequence, wait->bytes, body);
    return 0;
}

// All snapshots of a LATE wait are here: they become a record of their own.
static int write_late(struct recoup__store *store, struct recoup__wait *wait, int64_t now_ns,
                      struct recoup__snapshot *snapshots)
{
    struct recoup__record record = {.type = RECOUP__RECORD_SNAPSHOT};
    struct recoup__task *task;
    size_t body;
    int error;

    RECOUP_ASSERT(wait->state == RECOUP__WAIT_LATE);
    record.finished.stage = wait->stage;
    record.finished.subtask = wait->subtask;
    record.finished.attempt = wait->attempt;
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = wait->n;
    error = recoup__record_size(&record, &body);
    if (error == 0) {
        error = recoup__writer_reserve(store, 1, body);
    }
    if (error != 0) {
        return error;
    }
    task = recoup__writer_enqueue(store, now_ns, &record, body, 0);
    if (task == NULL) {
        return RECOUP_EINTERNAL;
    }
    done(store, wait, task->sequence);
    trim(store);
    return 0;
}

// The last snapshot of a wait is here.
static int complete(struct recoup__store *store, struct recoup__wait *wait, int64_t now_ns)
{
    struct recoup__snapshot *snapshots = gather(store, wait);
    int error;

    RECOUP_ASSERT(wait->missing == 0);
    if (snapshots == NULL) {
        return RECOUP_ENOMEM;
    }
    if (wait->state == RECOUP__WAIT_LATE) {
        return write_late(store, wait, now_ns, snapshots);
    }
    error = assemble(store, wait, snapshots);
    if (error != 0) {
        return error;
    }
    free_items(store, wait->items, wait->n);
    wait->items = NULL;
    move(store, wait, RECOUP__WAIT_COMPLETE);
    find_deadline(&store->writer);
    return 0;
}

static void fail(struct recoup__store *store, struct recoup__wait *wait)
{
    RECOUP_ASSERT(wait->state == RECOUP__WAIT_PENDING || wait->state == RECOUP__WAIT_LATE);
    if (wait->state == RECOUP__WAIT_LATE) {
        done(store, wait, 0);
        trim(store);
        return;
    }
    move(store, wait, RECOUP__WAIT_FAILED);
    find_deadline(&store->writer);
}

int recoup__waits_arrive(struct recoup__store *store, int64_t now_ns, uint32_t snapshot,
                         uint32_t coordinator, bool failed, const void *data, size_t size)
{
    struct recoup__wait *wait = find_snapshot(store, snapshot);
    struct recoup__wait_item *item;
    void *copy = NULL;
    int error = 0;

    RECOUP_ASSERT(data != NULL || size == 0);
    if (wait == NULL || (wait->state != RECOUP__WAIT_PENDING && wait->state != RECOUP__WAIT_LATE)) {
        return 0;
    }
    item = find_item(wait, coordinator);
    if (item == NULL) {
        return 0;
    }
    if (failed || size > RECOUP_EVENT_SIZE_MAX
        || store->writer.waits_bytes + size > store->limits.waiting_bytes) {
        fail(store, wait);
        return 0;
    }
    if (size > 0) {
        copy = recoup__allocate(store->memory, size);
        if (copy == NULL) {
            return RECOUP_ENOMEM;
        }
        memcpy(copy, data, size);
    }
    item->snapshot.data = copy;
    item->snapshot.size = (uint32_t)size;
    item->arrived = true;
    store->writer.waits_bytes += size;
    wait->missing--;
    error = wait->missing == 0 ? complete(store, wait, now_ns) : 0;
    if (error == RECOUP_ENOMEM) {
        item->snapshot.data = NULL;
        item->snapshot.size = 0;
        item->arrived = false;
        store->writer.waits_bytes -= size;
        wait->missing++;
        recoup__release(store->memory, copy, size);
    } else if (error != 0) {
        fail(store, wait);
        error = 0;
    }
    return error;
}
