// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the records mean (flink-recovery.md 4.3 to 4.5, faults H19, H20, H22).
//
// Every finish has a place, from 1. In the order first-finish (an insertion-ordered map, as Flink
// has it) a second finish of a subtask keeps the place of the first; a reset removes the entry, and
// a snapshot or recovery point counts only while the finish that carried it is the entry. In the
// order of the log the last finish counts at its own place, and snapshots and points stay.
// Trim "all": finishes behind the last recovery point do not count. Trim "coordinator-stages": a
// stage whose coordinator can be snapshotted counts up to its last snapshot, any other in full.
#include <string.h>

#include "models/reference_internal.h"
#include "sim/banned.h"

#define REFERENCE_SNAPSHOTS_CHUNK_SHIFT 8u
#define REFERENCE_FLAG_PARTITION 1u
#define REFERENCE_FLAG_PAYLOAD 2u
#define REFERENCE_FLAG_SNAPSHOTS 4u
// So many records ahead their subtasks are asked for.
#define REFERENCE_AHEAD 8u
#define REFERENCE_MARK (UINT32_MAX - 1) // in place of a coordinator: not covered by the boundary

static int reference_picture_clear(struct model_world *w, struct model_reference_picture *picture)
{
    if (picture->entries == NULL) {
        picture->entries = world_alloc(w, w->n_subtasks, sizeof(*picture->entries));
        picture->parallelism = world_alloc(w, w->config->n_stages, sizeof(uint32_t));
        sim_chunks_init(&picture->snapshots, w->arena, sizeof(struct model_reference_snapshot),
                        REFERENCE_SNAPSHOTS_CHUNK_SHIFT);
        if (picture->entries == NULL || picture->parallelism == NULL) {
            picture->entries = NULL;
            return SIM_ENOMEM;
        }
    }
    memset(picture->entries, 0, w->n_subtasks * sizeof(*picture->entries));
    for (uint32_t i = 0; i < w->n_subtasks; i++) {
        picture->entries[i].attempt = MODEL_NONE;
    }
    memset(picture->parallelism, 0, w->config->n_stages * sizeof(uint32_t));
    sim_chunks_truncate(&picture->snapshots, 0);
    picture->place = picture->point = picture->behind = 0;
    picture->records = 0;
    SIM_ASSERT(sim_chunks_count(&picture->snapshots) == 0);
    return 0;
}

static bool reference_first_finish(const struct model_world *w, uint32_t k)
{
    SIM_ASSERT(k < 2);
    return k == 0 && w->config->options.policy[RECOUP_POLICY_ORDER] == 0;
}

// How many pictures are kept: two where the active order is not that of the log.
static uint32_t reference_pictures(const struct model_world *w)
{
    SIM_ASSERT(w->invariants.on);
    return reference_first_finish(w, 0) ? 2 : 1;
}

int reference_pictures_clear(struct model_world *w)
{
    struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(w->invariants.on);
    reference->has_shadow = false;
    reference->pictures_ready = false;
    for (uint32_t k = 0; k < reference_pictures(w); k++) {
        if (reference_picture_clear(w, &reference->pictures[k]) != 0) {
            reference->read = false;
            return SIM_ENOMEM;
        }
    }
    reference->pictures_ready = true;
    return 0;
}

static void reference_fail(struct reference_cursor *c)
{
    SIM_ASSERT(c->at <= c->end || c->ended);
    c->w->invariants.reference.failed = true;
    SIM_ASSERT(c->w->invariants.reference.read);
}

static struct model_reference_picture *reference_picture(struct model_world *w, uint32_t k)
{
    struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(k < 2);
    SIM_ASSERT(reference->pictures_ready);
    return reference->has_shadow ? &reference->shadows[k] : &reference->pictures[k];
}

// The subtask, if the log has initialized its stage; MODEL_NONE otherwise.
static uint32_t reference_gid(const struct model_world *w,
                              const struct model_reference_picture *picture, uint64_t stage,
                              uint64_t subtask)
{
    SIM_ASSERT(picture->parallelism != NULL);
    if (stage >= w->config->n_stages || subtask >= picture->parallelism[stage]) {
        return MODEL_NONE;
    }
    SIM_ASSERT(subtask < w->stages[stage].capacity);
    return w->stages[stage].gid_first + (uint32_t)subtask;
}

// --- FINISHED and SNAPSHOT -----------------------------------------------------------------------

// A finish or a late snapshot, as the record has it.
struct reference_finish {
    uint64_t stage;
    uint64_t subtask;
    uint64_t attempt;
    uint64_t snapshots_at; // 0: none; else where their number stands
    uint32_t n_snapshots;
    bool point; // the shuffle master's is among them
    bool mark;  // no snapshot at all, but a checkpoint's mark
};

static void reference_parse_snapshots(struct reference_cursor *c, struct reference_finish *finish)
{
    SIM_ASSERT(c->at >= c->body);
    finish->snapshots_at = c->at;
    finish->n_snapshots = (uint32_t)reference_number(c, 4);
    for (uint32_t i = 0; i < finish->n_snapshots && !c->ended; i++) {
        uint64_t coordinator = reference_number(c, 4);

        c->at += reference_number(c, 4);
        finish->point = finish->point || coordinator == RECOUP_SHUFFLE;
        finish->mark = finish->mark || coordinator == REFERENCE_MARK;
    }
    if (c->at > c->body_end) {
        c->ended = true;
    }
}

static void reference_parse_finished(struct reference_cursor *c, struct reference_finish *finish)
{
    uint64_t flags;

    SIM_ASSERT(c->at == c->body);
    memset(finish, 0, sizeof(*finish));
    finish->stage = reference_number(c, 4);
    finish->subtask = reference_number(c, 4);
    finish->attempt = reference_number(c, 8);
    c->at += 12; // worker, bytes
    flags = reference_number(c, 1);
    if ((flags & REFERENCE_FLAG_PAYLOAD) != 0) {
        c->at += reference_number(c, 4);
    }
    if ((flags & REFERENCE_FLAG_SNAPSHOTS) != 0) {
        reference_parse_snapshots(c, finish);
    }
    SIM_ASSERT(SIM_ERGO(finish->n_snapshots > 0, finish->snapshots_at > 0));
}

static void reference_add_snapshots(struct reference_cursor *c,
                                    struct model_reference_picture *picture,
                                    const struct reference_finish *finish, uint32_t gid,
                                    uint32_t place)
{
    SIM_ASSERT(finish->snapshots_at > 0 || finish->n_snapshots == 0);
    SIM_ASSERT(place > 0 || gid == MODEL_NONE);
    c->at = finish->snapshots_at + 4;
    for (uint32_t i = 0; i < finish->n_snapshots; i++) {
        uint64_t coordinator = reference_number(c, 4);
        struct model_reference_snapshot *snapshot;

        c->at += reference_number(c, 4);
        if (coordinator == RECOUP_SHUFFLE || coordinator == REFERENCE_MARK) {
            continue;
        }
        snapshot = sim_chunks_push(&picture->snapshots);
        if (snapshot == NULL) {
            c->w->error = SIM_ENOMEM;
            return;
        }
        *snapshot = (struct model_reference_snapshot){(uint32_t)coordinator, place, gid,
                                                      (uint32_t)finish->attempt};
    }
}

// In a checkpoint a record of the day may stand before what the checkpoint says of its stage; its
// effect is part of that.
static bool reference_precedes_state(const struct model_world *w,
                                     const struct model_reference_picture *picture, uint64_t stage)
{
    SIM_ASSERT(picture->parallelism != NULL);
    return w->invariants.reference.has_shadow && stage < w->config->n_stages &&
           picture->parallelism[stage] == 0;
}

static void reference_apply_finished(struct reference_cursor *c, uint32_t k,
                                     const struct reference_finish *finish)
{
    struct model_world *w = c->w;
    struct model_reference_picture *picture = reference_picture(w, k);
    uint32_t gid = reference_gid(w, picture, finish->stage, finish->subtask);
    struct model_reference_entry *entry;
    bool same;

    if (gid == MODEL_NONE && reference_precedes_state(w, picture, finish->stage)) {
        return;
    }
    if (gid == MODEL_NONE) {
        reference_fail(c);
        return;
    }
    entry = &picture->entries[gid];
    // In a checkpoint the same finish may come once more, which says nothing new.
    same = entry->present && entry->attempt == (uint32_t)finish->attempt;
    if (!same && (!entry->present || !reference_first_finish(w, k))) {
        entry->place = ++picture->place;
    }
    entry->point = finish->point || (same && entry->point);
    entry->present = true;
    entry->attempt = (uint32_t)finish->attempt;
    entry->moved = entry->moved && same;
    if (finish->point && !reference_first_finish(w, k) && entry->place > picture->point) {
        picture->point = entry->place;
    }
    if (finish->n_snapshots > 0) {
        reference_add_snapshots(c, picture, finish, gid, entry->place);
    }
    SIM_ASSERT(entry->place > 0);
}

// The boundary of a checkpoint: its snapshots cover all finishes before it. What they do not cover
// is marked later, and moves to the place behind it.
static void reference_boundary(struct reference_cursor *c, uint32_t k,
                               const struct reference_finish *finish)
{
    struct model_reference_picture *picture = reference_picture(c->w, k);

    SIM_ASSERT(c->w->invariants.reference.has_shadow);
    picture->place++;
    reference_add_snapshots(c, picture, finish, MODEL_NONE, picture->place);
    if (finish->point && picture->place > picture->point) {
        picture->point = picture->place;
    }
    picture->behind = ++picture->place;
    SIM_ASSERT(picture->behind > picture->point);
}

static void reference_apply_snapshot(struct reference_cursor *c, uint32_t k,
                                     const struct reference_finish *finish)
{
    struct model_world *w = c->w;
    struct model_reference_picture *picture = reference_picture(w, k);
    bool first_finish = reference_first_finish(w, k);
    bool shadow = w->invariants.reference.has_shadow;
    struct model_reference_entry *entry;
    uint32_t gid;

    SIM_ASSERT(k < 2);
    if (finish->stage == RECOUP_NONE) {
        if (shadow) {
            reference_boundary(c, k, finish);
        }
        return;
    }
    gid = reference_gid(w, picture, finish->stage, finish->subtask);
    if (gid == MODEL_NONE && reference_precedes_state(w, picture, finish->stage)) {
        return;
    }
    if (gid == MODEL_NONE) {
        reference_fail(c);
        return;
    }
    entry = &picture->entries[gid];
    if (entry->attempt != (uint32_t)finish->attempt) {
        return; // of a finish that has been replaced
    }
    if (finish->mark) {
        if (shadow && picture->behind > 0 && entry->present) {
            entry->place = picture->behind;
            entry->moved = true;
        }
        return;
    }
    // How far a snapshot covers is the place of its finish, which a mark takes away.
    if (entry->moved || (first_finish && !entry->present)) {
        return;
    }
    reference_add_snapshots(c, picture, finish, gid, entry->place);
    entry->point = entry->point || (finish->point && entry->present);
    if (finish->point && !first_finish && entry->place > picture->point) {
        picture->point = entry->place;
    }
}

// --- the other records ---------------------------------------------------------------------------

static void reference_apply_reset(struct reference_cursor *c, uint32_t k)
{
    struct model_world *w = c->w;
    struct model_reference_picture *picture = reference_picture(w, k);
    uint64_t n = reference_number(c, 4);

    SIM_ASSERT(c->type == REFERENCE_RESET);
    for (uint64_t i = 0; i < n && !c->ended; i++) {
        uint64_t stage = reference_number(c, 4);
        uint64_t first = reference_number(c, 4);
        uint64_t count = reference_number(c, 4);
        uint32_t gid;

        if (stage < w->config->n_stages && picture->parallelism[stage] == 0) {
            continue; // the first record of a log that was begun anew
        }
        gid = count > 0 ? reference_gid(w, picture, stage, first + count - 1) : MODEL_NONE;
        if (gid == MODEL_NONE) {
            reference_fail(c);
            return;
        }
        for (uint64_t s = 0; s < count; s++) {
            // The attempt and its place stay known, for snapshots that come late.
            picture->entries[gid - s].present = false;
            picture->entries[gid - s].point = false;
        }
    }
    SIM_ASSERT(picture->entries != NULL);
}

static void reference_apply_initialized(struct reference_cursor *c, uint32_t k)
{
    struct model_world *w = c->w;
    struct model_reference_picture *picture = reference_picture(w, k);
    uint64_t stage = reference_number(c, 4);
    uint64_t parallelism = reference_number(c, 4);

    SIM_ASSERT(c->type == REFERENCE_INITIALIZED);
    if (stage >= w->config->n_stages || parallelism == 0 ||
        parallelism > w->stages[stage].capacity ||
        (picture->parallelism[stage] != 0 && picture->parallelism[stage] != parallelism)) {
        reference_fail(c);
        return;
    }
    picture->parallelism[stage] = (uint32_t)parallelism;
    SIM_ASSERT(picture->parallelism[stage] > 0);
}

// Returns false where the checkpoint only repeats what stands before it.
static bool reference_begin_checkpoint(struct reference_cursor *c)
{
    struct model_world *w = c->w;
    struct model_reference *reference = &w->invariants.reference;
    bool replaces = reference_number(c, 1) == 1 || c->replaces;

    SIM_ASSERT(c->type == REFERENCE_CHECKPOINT_BEGIN);
    reference->has_shadow = false;
    if (!replaces && reference->pictures[0].records > 0) {
        return false;
    }
    for (uint32_t k = 0; k < reference_pictures(w); k++) {
        if (reference_picture_clear(w, &reference->shadows[k]) != 0) {
            return false;
        }
    }
    reference->has_shadow = true;
    SIM_ASSERT(reference->shadows[0].records == 0);
    return true;
}

// The log leads at least to the finish of this attempt.
static void reference_raise(struct model_world *w, uint32_t attempt)
{
    struct model_reference *reference = &w->invariants.reference;
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(reference_readable(w, attempt));
    if (a->incarnation < reference->readable_capacity &&
        a->event > reference->readable[a->incarnation]) {
        reference->readable[a->incarnation] = a->event;
    }
}

static void reference_end_checkpoint(struct model_world *w)
{
    struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(reference->pictures_ready);
    for (uint32_t i = 0; reference->has_shadow && i < reference->n_attempts; i++) {
        if (reference_readable(w, i)) {
            reference_raise(w, i);
        }
    }
    for (uint32_t k = 0; reference->has_shadow && k < reference_pictures(w); k++) {
        struct model_reference_picture old = reference->pictures[k];

        reference->pictures[k] = reference->shadows[k];
        reference->shadows[k] = old;
    }
    reference->has_shadow = false;
    SIM_ASSERT(!reference->has_shadow);
}

// Notes that the Finished record of an attempt is there. In a checkpoint it says nothing of the
// events before it until the checkpoint is complete.
static void reference_note(struct reference_cursor *c, const struct reference_finish *finish)
{
    struct model_world *w = c->w;
    struct model_reference *reference = &w->invariants.reference;
    uint32_t attempt = (uint32_t)finish->attempt;

    SIM_ASSERT(reference->attempt_bits != NULL);
    if (attempt >= reference->n_attempts ||
        world_attempt(w, attempt)->incarnation != finish->attempt >> 32) {
        reference_fail(c); // no such attempt ever was
        return;
    }
    reference->attempt_bits[attempt] |= 1u;
    if (!reference->has_shadow) {
        reference_raise(w, attempt);
    }
    SIM_ASSERT(reference_readable(w, attempt));
}

static uint64_t reference_little_endian(const uint8_t *p, uint32_t bytes)
{
    uint64_t value = 0;

    SIM_DEBUG_ASSERT(bytes <= 8);
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

// The log has the finishes in their order of time, which is none of memory: what the one some
// records ahead will read is asked for. A guess, by the size of the record at hand and only as far
// as bytes are at hand, too; nothing depends on it.
static void reference_expect(const struct reference_cursor *c)
{
    const struct model_world *w = c->w;
    const struct model_reference *reference = &w->invariants.reference;
    uint64_t at = c->body + REFERENCE_AHEAD * (c->frame_end - c->start) - c->window_at;
    uint64_t stage, subtask, attempt;

    SIM_DEBUG_ASSERT(c->frame_end > c->start);
    SIM_DEBUG_ASSERT(c->body >= c->start);
    if (at > REFERENCE_WINDOW_BYTES || at + 16 > c->window_size) {
        return;
    }
    stage = reference_little_endian(c->window + at, 4);
    subtask = reference_little_endian(c->window + at + 4, 4);
    attempt = reference_little_endian(c->window + at + 8, 4);
    if (attempt < reference->n_attempts) {
        __builtin_prefetch(&world_attempt(w, (uint32_t)attempt)->incarnation);
        __builtin_prefetch(&reference->attempt_bits[attempt], 1);
    }
    if (w->invariants.on && stage < w->config->n_stages && subtask < w->stages[stage].capacity) {
        for (uint32_t k = 0; k < reference_pictures(w); k++) {
            const struct model_reference_picture *picture = &reference->pictures[k];
            __builtin_prefetch(&picture->entries[w->stages[stage].gid_first + subtask], 1);
        }
    }
}

static void reference_finish_record(struct reference_cursor *c)
{
    struct model_world *w = c->w;
    struct reference_finish finish;

    reference_expect(c);
    reference_parse_finished(c, &finish);
    if (c->ended) {
        reference_fail(c);
        return;
    }
    reference_note(c, &finish);
    SIM_ASSERT(c->type == REFERENCE_FINISHED);
    for (uint32_t k = 0; w->invariants.on && k < reference_pictures(w); k++) {
        reference_apply_finished(c, k, &finish);
    }
}

static void reference_snapshot_record(struct reference_cursor *c)
{
    struct reference_finish finish = {0};

    SIM_ASSERT(c->w->invariants.on);
    SIM_ASSERT(c->at == c->body);
    finish.stage = reference_number(c, 4);
    finish.subtask = reference_number(c, 4);
    finish.attempt = reference_number(c, 8);
    reference_parse_snapshots(c, &finish);
    if (c->ended) {
        reference_fail(c);
        return;
    }
    for (uint32_t k = 0; k < reference_pictures(c->w); k++) {
        reference_apply_snapshot(c, k, &finish);
    }
}

// Resets and initializations, on each picture.
static void reference_small_record(struct reference_cursor *c)
{
    SIM_ASSERT(c->type == REFERENCE_RESET || c->type == REFERENCE_INITIALIZED);
    SIM_ASSERT(c->w->invariants.on);
    for (uint32_t k = 0; k < reference_pictures(c->w); k++) {
        c->at = c->body;
        if (c->type == REFERENCE_RESET) {
            reference_apply_reset(c, k);
        } else {
            reference_apply_initialized(c, k);
        }
        if (c->ended) {
            reference_fail(c);
        }
    }
}

static void reference_count(struct model_world *w)
{
    SIM_ASSERT(w->invariants.on);
    SIM_ASSERT(w->invariants.reference.pictures_ready);
    for (uint32_t k = 0; k < reference_pictures(w); k++) {
        reference_picture(w, k)->records++;
    }
}

void reference_record(struct reference_cursor *c)
{
    struct model_world *w = c->w;

    SIM_ASSERT(c->at == c->body);
    if (c->type == REFERENCE_FINISHED) {
        reference_finish_record(c);
    } else if (c->type == 0 || c->type > REFERENCE_GAP) {
        reference_fail(c);
        return;
    } else if (!w->invariants.on || c->type == REFERENCE_GAP) {
        return;
    } else if (c->type == REFERENCE_CHECKPOINT_BEGIN) {
        reference_begin_checkpoint(c);
        return;
    } else if (c->type == REFERENCE_CHECKPOINT_END) {
        reference_end_checkpoint(w);
        return;
    } else if (c->type == REFERENCE_INCARNATION) {
        // Behind BEGIN it is repeated; anywhere else a new master goes on without the checkpoint.
        w->invariants.reference.has_shadow =
            w->invariants.reference.has_shadow && c->previous == REFERENCE_CHECKPOINT_BEGIN;
        return;
    } else if (c->type == REFERENCE_SNAPSHOT) {
        reference_snapshot_record(c);
    } else {
        reference_small_record(c);
    }
    if (w->invariants.on && w->error == 0) {
        reference_count(w);
    }
}

void reference_replay_end(struct model_world *w)
{
    SIM_ASSERT(w->invariants.on);
    w->invariants.reference.has_shadow = false; // a checkpoint without an end
    SIM_ASSERT(!w->invariants.reference.has_shadow);
}

// --- trim ----------------------------------------------------------------------------------------

static bool reference_counts(const struct model_reference_picture *picture,
                             const struct model_reference_snapshot *snapshot, bool first_finish)
{
    const struct model_reference_entry *entry;

    SIM_ASSERT(picture->entries != NULL);
    if (snapshot->gid == MODEL_NONE || !first_finish) {
        return true;
    }
    entry = &picture->entries[snapshot->gid];
    SIM_DEBUG_ASSERT(snapshot->place > 0);
    return entry->present && entry->attempt == snapshot->attempt;
}

static uint32_t reference_covered(const struct model_reference_picture *picture,
                                  uint32_t coordinator, bool first_finish)
{
    uint32_t covered = 0;

    SIM_ASSERT(coordinator != RECOUP_SHUFFLE);
    for (uint64_t i = 0; i < sim_chunks_count(&picture->snapshots); i++) {
        const struct model_reference_snapshot *snapshot = sim_chunks_at(&picture->snapshots, i);

        if (snapshot->coordinator == coordinator && snapshot->place > covered &&
            reference_counts(picture, snapshot, first_finish)) {
            covered = snapshot->place;
        }
    }
    SIM_ASSERT(covered <= picture->place);
    return covered;
}

static uint32_t reference_last_point(const struct model_world *w,
                                     const struct model_reference_picture *picture,
                                     bool first_finish)
{
    uint32_t point = picture->point;

    SIM_ASSERT(point <= picture->place);
    for (uint32_t gid = 0; first_finish && gid < w->n_subtasks; gid++) {
        const struct model_reference_entry *entry = &picture->entries[gid];

        if (entry->present && entry->point && entry->place > point) {
            point = entry->place;
        }
    }
    SIM_ASSERT(point <= picture->place);
    return point;
}

void reference_limits(struct model_world *w, bool log_order, uint32_t *limits)
{
    uint32_t k = log_order && reference_pictures(w) == 2 ? 1 : 0;
    const struct model_reference_picture *picture = &w->invariants.reference.pictures[k];
    bool first_finish = reference_first_finish(w, k);
    bool all = w->config->options.policy[RECOUP_POLICY_TRIM] == 0;
    uint32_t point = all ? reference_last_point(w, picture, first_finish) : UINT32_MAX;

    SIM_ASSERT(w->invariants.reference.pictures_ready);
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        limits[s] = point;
    }
    for (uint32_t i = 0; !all && i < w->coordinators.count; i++) {
        uint32_t stage = w->coordinators.list[i].stage;

        if (w->config->stages[stage].coordinator.batch_snapshot) {
            uint32_t covered = reference_covered(picture, i, first_finish);

            limits[stage] = covered < limits[stage] ? covered : limits[stage];
        }
        SIM_ASSERT(stage < w->config->n_stages);
    }
}

bool reference_cover_forgotten(struct model_world *w, uint32_t coordinator, uint32_t gid)
{
    const struct model_reference_picture *first = &w->invariants.reference.pictures[0];
    const struct model_reference_picture *ordered = &w->invariants.reference.pictures[1];

    SIM_ASSERT(gid < w->n_subtasks);
    SIM_ASSERT(w->invariants.reference.pictures_ready);
    if (reference_pictures(w) < 2 || !first->entries[gid].present ||
        !ordered->entries[gid].present ||
        first->entries[gid].attempt != ordered->entries[gid].attempt) {
        return false;
    }
    return first->entries[gid].place > reference_covered(first, coordinator, true) &&
           ordered->entries[gid].place <= reference_covered(ordered, coordinator, false);
}

uint32_t reference_entry_under(struct model_world *w, uint32_t gid, bool log_order, uint32_t limit)
{
    uint32_t k = log_order && reference_pictures(w) == 2 ? 1 : 0;
    const struct model_reference_entry *entry = &w->invariants.reference.pictures[k].entries[gid];

    SIM_ASSERT(gid < w->n_subtasks);
    SIM_ASSERT(w->invariants.reference.pictures_ready);
    return entry->present && entry->place <= limit ? entry->attempt : MODEL_NONE;
}
