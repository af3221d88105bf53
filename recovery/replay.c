// SPDX-License-Identifier: Apache-2.0
//
// Replay: see replay.h for the meaning of places and checkpoints.
#include "recovery/replay.h"

#include <string.h>

static int picture_init(struct recoup__picture *picture, struct recoup__memory *memory,
                        uint32_t n_stages)
{
    RECOUP_ASSERT(picture != NULL);
    RECOUP_ASSERT(n_stages > 0);
    memset(picture, 0, sizeof *picture);
    recoup__payloads_init(&picture->payloads, memory);
    picture->parallelism = recoup__allocate_zeroed(memory, n_stages, sizeof *picture->parallelism);
    picture->entries = recoup__allocate_zeroed(memory, n_stages, sizeof *picture->entries);
    picture->finished = recoup__allocate_zeroed(memory, n_stages, sizeof *picture->finished);
    picture->order = recoup__allocate_zeroed(memory, n_stages, sizeof *picture->order);
    bool complete = picture->parallelism != NULL && picture->entries != NULL &&
                    picture->finished != NULL && picture->order != NULL;
    return complete ? 0 : RECOUP_ENOMEM;
}

static void picture_release(struct recoup__picture *picture, struct recoup__memory *memory,
                            uint32_t n_stages)
{
    RECOUP_ASSERT(n_stages > 0);
    RECOUP_ASSERT(picture != NULL && memory != NULL);
    for (uint32_t i = 0; picture->entries != NULL && i < n_stages; i++) {
        RECOUP_ASSERT(RECOUP_ERGO(picture->entries[i] != NULL, picture->parallelism[i] > 0));
        recoup__release(
            memory, picture->entries[i],
            picture->entries[i] == NULL ? 0 : picture->parallelism[i] * sizeof **picture->entries);
    }
    for (uint32_t i = 0; i < picture->n_snapshots; i++) {
        recoup__release(memory, picture->snapshots[i].data, picture->snapshots[i].size);
    }
    recoup__release(memory, picture->snapshots,
                    picture->snapshots_capacity * sizeof *picture->snapshots);
    recoup__release(memory, picture->parallelism, n_stages * sizeof *picture->parallelism);
    recoup__release(memory, picture->entries, n_stages * sizeof *picture->entries);
    recoup__release(memory, picture->finished, n_stages * sizeof *picture->finished);
    recoup__release(memory, picture->order, n_stages * sizeof *picture->order);
    if (picture->payloads.memory != NULL) {
        recoup__payloads_release(&picture->payloads);
    }
    memset(picture, 0, sizeof *picture);
}

int recoup__replay_init(struct recoup__replay *replay, struct recoup__state *state,
                        bool first_finish)
{
    RECOUP_ASSERT(replay != NULL && state != NULL);
    memset(replay, 0, sizeof *replay);
    replay->state = state;
    replay->first_finish = first_finish;
    int rc = picture_init(&replay->picture, state->memory, state->graph->n_stages);
    if (rc != 0) {
        recoup__replay_release(replay);
    }
    return rc;
}

static void forget_shadow(struct recoup__replay *replay)
{
    RECOUP_ASSERT(replay->state != NULL);
    if (replay->has_shadow) {
        picture_release(&replay->shadow, replay->state->memory, replay->state->graph->n_stages);
        replay->has_shadow = false;
    }
    RECOUP_ASSERT(replay->shadow.entries == NULL);
}

void recoup__replay_release(struct recoup__replay *replay)
{
    RECOUP_ASSERT(replay != NULL);
    if (replay->state == NULL) {
        return;
    }
    forget_shadow(replay);
    picture_release(&replay->picture, replay->state->memory, replay->state->graph->n_stages);
    memset(replay, 0, sizeof *replay);
}

static bool in_checkpoint(const struct recoup__replay *replay,
                          const struct recoup__picture *picture)
{
    RECOUP_ASSERT(RECOUP_ERGO(picture == &replay->shadow, replay->has_shadow));
    return picture == &replay->shadow;
}

static int apply_initialized(struct recoup__replay *replay, struct recoup__picture *picture,
                             const struct recoup__record *record)
{
    const struct recoup__graph *graph = replay->state->graph;
    uint32_t stage = record->initialized.stage;
    uint32_t parallelism = record->initialized.parallelism;
    RECOUP_ASSERT(picture->n_order <= graph->n_stages);
    if (recoup__state_check_parallelism(replay->state, stage, parallelism) != 0) {
        return RECOUP_EFOREIGN;
    }
    if (picture->parallelism[stage] != 0) {
        return picture->parallelism[stage] == parallelism ? 0 : RECOUP_EFOREIGN;
    }
    // In a checkpoint a record of the day may stand before those that repeat the state.
    bool ordered = !in_checkpoint(replay, picture);
    for (uint32_t e = 0; ordered && e < graph->nodes[stage].in_count; e++) {
        if (picture->parallelism[recoup__graph_in(graph, stage, e)->producer] == 0) {
            return RECOUP_EFOREIGN;
        }
    }
    picture->entries[stage] =
        recoup__allocate_zeroed(replay->state->memory, parallelism, sizeof **picture->entries);
    if (picture->entries[stage] == NULL) {
        return RECOUP_ENOMEM;
    }
    RECOUP_ASSERT(picture->n_order < graph->n_stages);
    picture->parallelism[stage] = parallelism;
    picture->order[picture->n_order++] = stage;
    return 0;
}

// A record of the day that stands in a checkpoint before what the checkpoint says of its stage: its
// effect is part of that, since the state is the one of the moment at which it is written.
static bool precedes_state(const struct recoup__replay *replay,
                           const struct recoup__picture *picture, uint32_t stage)
{
    RECOUP_ASSERT(picture->parallelism != NULL);
    return in_checkpoint(replay, picture) && stage < replay->state->graph->n_stages &&
           picture->parallelism[stage] == 0;
}

static struct recoup__entry *find_entry(const struct recoup__replay *replay,
                                        const struct recoup__picture *picture, uint32_t stage,
                                        uint32_t subtask)
{
    RECOUP_ASSERT(RECOUP_ERGO(picture->n_order > 0, picture->order != NULL));
    RECOUP_ASSERT(picture->entries != NULL);
    bool known = stage < replay->state->graph->n_stages && subtask < picture->parallelism[stage];
    return known ? &picture->entries[stage][subtask] : NULL;
}

// Copies the snapshots of `record` to the end of the list; *n_snapshots is not changed yet.
static int copy_snapshots(struct recoup__replay *replay, struct recoup__picture *picture,
                          const struct recoup__record *record, uint32_t place, uint32_t n)
{
    struct recoup__memory *memory = replay->state->memory;
    struct recoup__replay_snapshot *tail = picture->snapshots + picture->n_snapshots;
    RECOUP_ASSERT(place > 0);
    RECOUP_ASSERT(picture->snapshots_capacity - picture->n_snapshots >= n);
    for (uint32_t i = 0; i < n; i++) {
        const struct recoup__snapshot *from = &record->finished.snapshots[i];
        RECOUP_ASSERT(from->coordinator != RECOUP__MARK);
        tail[i] = (struct recoup__replay_snapshot){.coordinator = from->coordinator,
                                                   .place = place,
                                                   .stage = record->finished.stage,
                                                   .subtask = record->finished.subtask,
                                                   .attempt = record->finished.attempt,
                                                   .size = from->size};
        if (from->size == 0) {
            continue;
        }
        tail[i].data = recoup__allocate(memory, from->size);
        if (tail[i].data == NULL) {
            while (i-- > 0) {
                recoup__release(memory, tail[i].data, tail[i].size);
            }
            return RECOUP_ENOMEM;
        }
        memcpy(tail[i].data, from->data, from->size);
    }
    return 0;
}

// Under order = log only the last snapshot of each coordinator is kept; a late one is older than
// the one that is there and goes. Under first-finish all are kept, since a reset may take the last
// one away.
static void settle_snapshots(struct recoup__replay *replay, struct recoup__picture *picture,
                             uint32_t n)
{
    uint32_t end = picture->n_snapshots;
    RECOUP_ASSERT(end + n <= picture->snapshots_capacity);
    if (replay->first_finish) {
        picture->n_snapshots = end + n;
        return;
    }
    struct recoup__replay_snapshot *tail = picture->snapshots + end;
    for (uint32_t i = 0; i < n; i++) {
        struct recoup__replay_snapshot added = tail[i];
        uint32_t k = 0;
        while (k < end && picture->snapshots[k].coordinator != added.coordinator) {
            k++;
        }
        RECOUP_ASSERT(k <= picture->n_snapshots + i);
        if (k == end) {
            picture->snapshots[end++] = added;
            continue;
        }
        struct recoup__replay_snapshot *other = &picture->snapshots[k];
        bool newer = added.place >= other->place;
        recoup__release(replay->state->memory, newer ? other->data : added.data,
                        newer ? other->size : added.size);
        *other = newer ? added : *other;
    }
    picture->n_snapshots = end;
}

static int check_snapshots(const struct recoup__replay *replay, const struct recoup__record *record)
{
    const struct recoup__graph *graph = replay->state->graph;
    for (uint32_t i = 0; i < record->finished.n_snapshots; i++) {
        uint32_t coordinator = record->finished.snapshots[i].coordinator;
        // A mark stands alone, and in no finish.
        bool mark = coordinator == RECOUP__MARK && record->type == RECOUP__RECORD_SNAPSHOT &&
                    record->finished.n_snapshots == 1;
        if (coordinator != RECOUP_SHUFFLE && !mark && coordinator >= graph->n_coordinators) {
            return RECOUP_EFOREIGN;
        }
        RECOUP_ASSERT(record->finished.snapshots[i].size <= RECOUP_EVENT_SIZE_MAX);
    }
    return 0;
}

static int take_snapshots(struct recoup__replay *replay, struct recoup__picture *picture,
                          const struct recoup__record *record, uint32_t place)
{
    uint32_t n = record->finished.n_snapshots;
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, record->finished.snapshots != NULL));
    if (n == 0 || record->finished.snapshots[0].coordinator == RECOUP__MARK) {
        return 0; // a boundary without any snapshot consists of a mark alone
    }
    void *items = picture->snapshots;
    int rc = recoup__grow(replay->state->memory, &items, &picture->snapshots_capacity,
                          sizeof *picture->snapshots, picture->n_snapshots + n);
    picture->snapshots = items;
    if (rc == 0) {
        rc = copy_snapshots(replay, picture, record, place, n);
    }
    if (rc == 0) {
        settle_snapshots(replay, picture, n);
    }
    return rc;
}

static void note_point(struct recoup__replay *replay, struct recoup__picture *picture,
                       const struct recoup__record *record, uint32_t place,
                       const struct recoup__position *position)
{
    RECOUP_ASSERT(place > 0);
    if (!recoup__record_is_recovery_point(record)) {
        return;
    }
    // Under first-finish a point lives and dies with its finish: the entry's flag says it.
    bool lasting = !replay->first_finish || record->finished.stage == RECOUP_NONE;
    if (lasting && place > picture->point) {
        picture->point = place;
    }
    replay->point_epoch = position->epoch;
    replay->point_sequence = position->sequence;
}

// What a finish brings along, in place of what the entry had. Nothing changes without memory.
static int take_attachments(struct recoup__replay *replay, struct recoup__picture *picture,
                            const struct recoup__record *record, struct recoup__entry *entry,
                            uint32_t place)
{
    uint32_t payload;
    int rc = recoup__payloads_add(&picture->payloads, record->finished.payload,
                                  record->finished.payload_bytes, &payload);
    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED);
    if (rc != 0) {
        return rc;
    }
    rc = take_snapshots(replay, picture, record, place);
    if (rc != 0) {
        recoup__payloads_remove(&picture->payloads, payload);
        return rc;
    }
    recoup__payloads_remove(&picture->payloads, entry->payload);
    entry->payload = payload;
    return 0;
}

static int apply_finished(struct recoup__replay *replay, struct recoup__picture *picture,
                          const struct recoup__record *record,
                          const struct recoup__position *position)
{
    struct recoup__entry *entry =
        find_entry(replay, picture, record->finished.stage, record->finished.subtask);
    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED);
    if (entry == NULL && precedes_state(replay, picture, record->finished.stage)) {
        return 0;
    }
    if (entry == NULL || check_snapshots(replay, record) != 0) {
        return RECOUP_EFOREIGN;
    }
    bool present = (entry->flags & RECOUP__ENTRY_PRESENT) != 0;
    // The same finish once more (in a checkpoint) says nothing new.
    bool again = present && entry->attempt == record->finished.attempt;
    bool keeps = present && (replay->first_finish || again);
    uint32_t place = keeps ? entry->place : picture->place + 1;
    // Most finishes bring nothing along, and millions of them may be read.
    bool plain = record->finished.payload_bytes == 0 && record->finished.n_snapshots == 0 &&
                 entry->payload == 0;
    int rc = plain ? 0 : take_attachments(replay, picture, record, entry, place);
    if (rc != 0) {
        return rc;
    }
    bool point = !plain && recoup__record_is_recovery_point(record);
    bool was_point = again && (entry->flags & RECOUP__ENTRY_POINT) != 0;
    picture->place = keeps ? picture->place : place;
    picture->finished[record->finished.stage] += present ? 0 : 1;
    entry->attempt = record->finished.attempt;
    entry->bytes = record->finished.bytes;
    entry->worker = record->finished.worker;
    entry->place = place;
    entry->flags = RECOUP__ENTRY_PRESENT | (point || was_point ? RECOUP__ENTRY_POINT : 0u) |
                   (record->finished.has_partition ? RECOUP__ENTRY_PARTITION : 0u) |
                   (again ? entry->flags & RECOUP__ENTRY_MOVED : 0u);
    if (point) {
        note_point(replay, picture, record, place, position);
    }
    return 0;
}

static int apply_reset(struct recoup__replay *replay, struct recoup__picture *picture,
                       const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_RESET);
    RECOUP_ASSERT(RECOUP_ERGO(record->reset.n_ranges > 0, record->reset.ranges != NULL));
    for (uint32_t r = 0; r < record->reset.n_ranges; r++) {
        struct recoup_range range = record->reset.ranges[r];
        if (range.stage >= replay->state->graph->n_stages) {
            return RECOUP_EFOREIGN;
        }
        uint32_t parallelism = picture->parallelism[range.stage];
        // The first record of a log that was begun anew may take back what it never held.
        if (parallelism != 0 &&
            (range.first > parallelism || range.count > parallelism - range.first)) {
            return RECOUP_EFOREIGN;
        }
    }
    for (uint32_t r = 0; r < record->reset.n_ranges; r++) {
        struct recoup_range range = record->reset.ranges[r];
        bool known = picture->parallelism[range.stage] != 0;
        for (uint32_t i = range.first; known && i < range.first + range.count; i++) {
            struct recoup__entry *entry = &picture->entries[range.stage][i];
            recoup__payloads_remove(&picture->payloads, entry->payload);
            entry->payload = 0;
            picture->finished[range.stage] -= (entry->flags & RECOUP__ENTRY_PRESENT) != 0 ? 1 : 0;
            entry->flags &= (uint32_t)RECOUP__ENTRY_MOVED; // for late snapshots, as the place
        }
    }
    return 0;
}

static bool is_mark(const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_SNAPSHOT);
    return record->finished.n_snapshots == 1 &&
           record->finished.snapshots[0].coordinator == RECOUP__MARK;
}

// The boundary of a checkpoint: see replay.h.
static int apply_boundary(struct recoup__replay *replay, struct recoup__picture *picture,
                          const struct recoup__record *record,
                          const struct recoup__position *position)
{
    RECOUP_ASSERT(record->finished.stage == RECOUP_NONE);
    if (!in_checkpoint(replay, picture)) {
        return 0;
    }
    int rc = take_snapshots(replay, picture, record, picture->place + 1);
    if (rc == 0) {
        picture->place += 2;
        picture->behind = picture->place;
        note_point(replay, picture, record, picture->place - 1, position);
        RECOUP_ASSERT(picture->behind > picture->point);
    }
    return rc;
}

static void apply_mark(const struct recoup__replay *replay, const struct recoup__picture *picture,
                       struct recoup__entry *entry, const struct recoup__record *record)
{
    bool present =
        (entry->flags & RECOUP__ENTRY_PRESENT) != 0 && entry->attempt == record->finished.attempt;
    RECOUP_ASSERT(is_mark(record));
    if (present && in_checkpoint(replay, picture) && picture->behind > 0) {
        RECOUP_ASSERT(picture->behind <= picture->place);
        entry->place = picture->behind;
        entry->flags |= RECOUP__ENTRY_MOVED;
    }
}

static int apply_snapshot(struct recoup__replay *replay, struct recoup__picture *picture,
                          const struct recoup__record *record,
                          const struct recoup__position *position)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_SNAPSHOT);
    if (check_snapshots(replay, record) != 0) {
        return RECOUP_EFOREIGN;
    }
    if (record->finished.stage == RECOUP_NONE) {
        return apply_boundary(replay, picture, record, position);
    }
    struct recoup__entry *entry =
        find_entry(replay, picture, record->finished.stage, record->finished.subtask);
    if (entry == NULL && precedes_state(replay, picture, record->finished.stage)) {
        return 0;
    }
    if (entry == NULL) {
        return RECOUP_EFOREIGN;
    }
    if (is_mark(record)) {
        apply_mark(replay, picture, entry, record);
        return 0;
    }
    // A reset keeps the place of a finish for this; a newer finish or a checkpoint does not, and
    // then nobody knows any more up to where the snapshot would count.
    bool same = entry->place > 0 && entry->attempt == record->finished.attempt &&
                (entry->flags & RECOUP__ENTRY_MOVED) == 0;
    bool present = same && (entry->flags & RECOUP__ENTRY_PRESENT) != 0;
    if (!same || (replay->first_finish && !present)) {
        return 0;
    }
    int rc = take_snapshots(replay, picture, record, entry->place);
    if (rc == 0 && recoup__record_is_recovery_point(record)) {
        entry->flags |= present ? (uint32_t)RECOUP__ENTRY_POINT : 0u;
        note_point(replay, picture, record, entry->place, position);
    }
    return rc;
}

static int begin_checkpoint(struct recoup__replay *replay, bool replaces,
                            const struct recoup__position *position)
{
    RECOUP_ASSERT(position != NULL);
    // Where nothing stands before it, the checkpoint is all there is.
    if (!replaces && replay->picture.records > 0) {
        forget_shadow(replay);
        return 0;
    }
    struct recoup__picture fresh;
    int rc = picture_init(&fresh, replay->state->memory, replay->state->graph->n_stages);
    if (rc != 0) {
        picture_release(&fresh, replay->state->memory, replay->state->graph->n_stages);
        return rc;
    }
    forget_shadow(replay);
    replay->shadow = fresh;
    replay->has_shadow = true;
    replay->shadow_epoch = position->epoch;
    replay->shadow_file = position->file;
    return 0;
}

static void end_checkpoint(struct recoup__replay *replay)
{
    RECOUP_ASSERT(RECOUP_ERGO(!replay->has_shadow, replay->shadow.entries == NULL));
    if (!replay->has_shadow) {
        return;
    }
    picture_release(&replay->picture, replay->state->memory, replay->state->graph->n_stages);
    replay->picture = replay->shadow;
    memset(&replay->shadow, 0, sizeof replay->shadow);
    replay->has_shadow = false;
    RECOUP_ASSERT(replay->picture.entries != NULL);
}

// A checkpoint repeats the INCARNATION record of its master behind BEGIN, in the same file. That of
// another master, in a file of its own, says that the one before died within the checkpoint and
// left it incomplete; the new one went on without it.
static void apply_incarnation(struct recoup__replay *replay,
                              const struct recoup__position *position)
{
    bool fenced = position->epoch != 0;
    bool repeated = fenced ? position->epoch == replay->shadow_epoch
                           : position->file == replay->shadow_file;
    RECOUP_ASSERT(position->epoch >= replay->shadow_epoch || !replay->has_shadow);
    if (!repeated) {
        forget_shadow(replay);
    }
    RECOUP_ASSERT(RECOUP_ERGO(!repeated, !replay->has_shadow));
}

int recoup__replay_record(struct recoup__replay *replay, const struct recoup__record *record,
                          const struct recoup__position *position)
{
    RECOUP_ASSERT(replay->state != NULL);
    RECOUP_ASSERT(record != NULL && position != NULL);
    struct recoup__picture *picture = replay->has_shadow ? &replay->shadow : &replay->picture;
    int rc = 0;
    switch (record->type) {
    case RECOUP__RECORD_FINISHED:
        rc = apply_finished(replay, picture, record, position);
        break;
    case RECOUP__RECORD_RESET:
        rc = apply_reset(replay, picture, record);
        break;
    case RECOUP__RECORD_INITIALIZED:
        rc = apply_initialized(replay, picture, record);
        break;
    case RECOUP__RECORD_INCARNATION:
        apply_incarnation(replay, position);
        return 0;
    case RECOUP__RECORD_SNAPSHOT:
        rc = apply_snapshot(replay, picture, record, position);
        break;
    case RECOUP__RECORD_CHECKPOINT_BEGIN:
        return begin_checkpoint(replay, record->checkpoint_begin.replaces, position);
    case RECOUP__RECORD_CHECKPOINT_END:
        end_checkpoint(replay);
        return 0;
    case RECOUP__RECORD_GAP:
        return 0;
    case RECOUP__RECORD_ENDED: // the reader stops there
    default:
        return RECOUP_EVERSION;
    }
    picture->records += rc == 0 ? 1 : 0;
    return rc;
}

void recoup__replay_expect(const struct recoup__replay *replay, uint32_t stage, uint32_t subtask)
{
    const struct recoup__picture *picture = replay->has_shadow ? &replay->shadow : &replay->picture;
    const struct recoup__entry *entry = find_entry(replay, picture, stage, subtask);
    RECOUP_ASSERT(replay->state != NULL);
    if (entry != NULL) {
        __builtin_prefetch(entry, 1);
    }
}

void recoup__replay_end(struct recoup__replay *replay)
{
    forget_shadow(replay);
    RECOUP_ASSERT(!replay->has_shadow);
}

// Removes the finishes of `stage` with places above `limit`.
static void drop_above(struct recoup__picture *picture, uint32_t stage, uint32_t limit)
{
    RECOUP_ASSERT(stage < UINT32_MAX && picture->entries != NULL);
    if (limit >= picture->place) {
        return; // no finish has a place behind the last
    }
    for (uint32_t i = 0; i < picture->parallelism[stage]; i++) {
        struct recoup__entry *entry = &picture->entries[stage][i];
        if ((entry->flags & RECOUP__ENTRY_PRESENT) != 0 && entry->place > limit) {
            recoup__payloads_remove(&picture->payloads, entry->payload);
            entry->payload = 0;
            entry->flags = RECOUP__ENTRY_TRIMMED;
            picture->finished[stage]--;
        }
    }
}

// Under first-finish, snapshots whose finish was reset or replaced have gone with it.
static void drop_orphans(struct recoup__replay *replay, struct recoup__picture *picture)
{
    uint32_t kept = 0;
    RECOUP_ASSERT(replay->first_finish);
    for (uint32_t i = 0; i < picture->n_snapshots; i++) {
        struct recoup__replay_snapshot *snapshot = &picture->snapshots[i];
        const struct recoup__entry *entry =
            snapshot->stage == RECOUP_NONE
                ? NULL
                : find_entry(replay, picture, snapshot->stage, snapshot->subtask);
        bool alive = entry == NULL || ((entry->flags & RECOUP__ENTRY_PRESENT) != 0 &&
                                       entry->attempt == snapshot->attempt);
        if (alive) {
            picture->snapshots[kept++] = *snapshot;
        } else {
            recoup__release(replay->state->memory, snapshot->data, snapshot->size);
        }
    }
    picture->n_snapshots = kept;
}

static uint32_t last_point(const struct recoup__replay *replay,
                           const struct recoup__picture *picture)
{
    uint32_t point = picture->point;
    for (uint32_t s = 0; replay->first_finish && s < replay->state->graph->n_stages; s++) {
        for (uint32_t i = 0; i < picture->parallelism[s]; i++) {
            const struct recoup__entry *entry = &picture->entries[s][i];
            uint32_t wanted = RECOUP__ENTRY_PRESENT | RECOUP__ENTRY_POINT;
            if ((entry->flags & wanted) == wanted && entry->place > point) {
                point = entry->place;
            }
        }
    }
    RECOUP_ASSERT(point <= picture->place);
    return point;
}

// How far the finishes of a stage are covered by the snapshots of its coordinators.
static uint32_t stage_limit(struct recoup__replay *replay, uint32_t stage)
{
    const struct recoup__graph *graph = replay->state->graph;
    const struct recoup__node *node = &graph->nodes[stage];
    uint32_t limit = UINT32_MAX;
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(node->supporting <= node->coordinator_count);
    for (uint32_t i = 0; i < node->coordinator_count; i++) {
        uint32_t coordinator = graph->by_stage[node->coordinator_first + i];
        if (!graph->coordinators[coordinator].batch_snapshot) {
            continue; // specification 4.4.6 deals with these
        }
        const struct recoup__replay_snapshot *snapshot =
            recoup__replay_snapshot(replay, coordinator);
        uint32_t covered = snapshot != NULL ? snapshot->place : 0;
        limit = covered < limit ? covered : limit;
    }
    return limit;
}

bool recoup__replay_trim(struct recoup__replay *replay, bool coordinator_stages)
{
    struct recoup__picture *picture = &replay->picture;
    RECOUP_ASSERT(!replay->has_shadow);
    if (replay->first_finish) {
        drop_orphans(replay, picture);
    }
    if (coordinator_stages) {
        for (uint32_t s = 0; s < replay->state->graph->n_stages; s++) {
            drop_above(picture, s, stage_limit(replay, s));
        }
        return true;
    }
    uint32_t point = last_point(replay, picture);
    for (uint32_t s = 0; s < replay->state->graph->n_stages; s++) {
        drop_above(picture, s, point);
    }
    if (replay->first_finish) {
        drop_orphans(replay, picture); // of the finishes that were just dropped
    }
    return point > 0;
}

struct recoup__replay_snapshot *recoup__replay_snapshot(struct recoup__replay *replay,
                                                        uint32_t coordinator)
{
    struct recoup__picture *picture = &replay->picture;
    struct recoup__replay_snapshot *best = NULL;
    RECOUP_ASSERT(!replay->has_shadow);
    RECOUP_ASSERT(coordinator == RECOUP_SHUFFLE ||
                  coordinator < replay->state->graph->n_coordinators);
    for (uint32_t i = 0; i < picture->n_snapshots; i++) {
        struct recoup__replay_snapshot *snapshot = &picture->snapshots[i];
        if (snapshot->coordinator == coordinator &&
            (best == NULL || snapshot->place > best->place)) {
            best = snapshot;
        }
    }
    return best;
}
