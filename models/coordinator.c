// SPDX-License-Identifier: GPL-3.0-or-later
//
// A snapshot's bytes: the owners of the splits as runs of {subtask + 1 or 0 for the pool, number of
// splits}, two little-endian uint32 each, padded with zeros to the nominal size (state, and
// split-state for each split), so that the log carries as many bytes as the scenario says. A run of
// no splits ends the list.
#include "models/coordinator.h"

#include <string.h>

#include "models/wide.h"
#include "models/world.h"

#include "sim/banned.h"

#define RUN_BYTES 8u

static bool has_splits(const struct model_coordinator_state *c)
{
    return c->splits > 0;
}

static int init_one(struct model_world *w, uint32_t index, uint32_t stage)
{
    struct model_coordinator_state *c = &w->coordinators.list[index];
    const struct model_stage *spec = &w->config->stages[stage];

    SIM_ASSERT(spec->coordinator.present || spec->source.present);
    c->stage = stage;
    c->splits = spec->source.present ? spec->source.splits : 0;
    c->snapshot_bytes =
        spec->coordinator.state_bytes + (uint64_t)c->splits * spec->source.split_state_bytes;
    w->stages[stage].coordinator = index;
    if (!has_splits(c))
        return 0;
    c->owner = world_alloc(w, c->splits, sizeof(uint32_t));
    c->handed = world_alloc(w, c->splits, sizeof(uint32_t));
    if (c->owner == NULL || c->handed == NULL)
        return SIM_ENOMEM;
    return bitset_init(&c->pool, w->arena, c->splits);
}

int coordinators_init(struct model_world *w)
{
    struct model_coordinators *all = &w->coordinators;
    uint32_t n = 0, at = 0;

    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        n += w->config->stages[i].coordinator.present || w->config->stages[i].source.present ? 1u
                                                                                             : 0u;
        w->stages[i].coordinator = MODEL_NONE;
    }
    all->list = world_alloc(w, n == 0 ? 1 : n, sizeof(*all->list));
    all->snapshots = world_alloc_uncleared(w, MODEL_SNAPSHOTS_MAX, sizeof(*all->snapshots));
    if (all->list == NULL || all->snapshots == NULL)
        return SIM_ENOMEM;
    all->count = n;
    sim_chunks_init(&all->split_lists, w->arena, sizeof(uint32_t), 12);
    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        if (!w->config->stages[i].coordinator.present && !w->config->stages[i].source.present)
            continue;
        int error = init_one(w, at++, i);
        if (error != 0)
            return error;
    }
    SIM_ASSERT(at == n);
    coordinators_fresh(w);
    return 0;
}

void coordinators_fresh(struct model_world *w)
{
    for (uint32_t i = 0; i < w->coordinators.count; i++) {
        struct model_coordinator_state *c = &w->coordinators.list[i];
        SIM_ASSERT(w->stages[c->stage].coordinator == i);
        if (!has_splits(c))
            continue;
        for (uint32_t k = 0; k < c->splits; k++) {
            c->owner[k] = MODEL_NONE;
            bitset_add(&c->pool, k);
        }
        SIM_ASSERT(c->pool.count == c->splits);
    }
}

static uint32_t quota(const struct model_coordinator_state *c, uint32_t parallelism, uint32_t index)
{
    SIM_ASSERT(parallelism > 0 && index < parallelism);
    return c->splits / parallelism + (index < c->splits % parallelism ? 1u : 0u);
}

void coordinator_attempt_started(struct model_world *w, uint32_t index)
{
    struct model_attempt *attempt = world_attempt(w, index);
    struct model_world_stage *stage = &w->stages[world_stage_of(w, attempt->gid)];
    struct model_coordinator_state *c = &w->coordinators.list[stage->coordinator];
    struct sim_chunks *lists = &w->coordinators.split_lists;

    SIM_ASSERT(stage->coordinator < w->coordinators.count);
    if (!has_splits(c))
        return;
    uint32_t subtask = attempt->gid - stage->gid_first;
    uint32_t want = quota(c, stage->parallelism, subtask), got = 0;
    uint64_t header = sim_chunks_count(lists);
    uint32_t *slot = sim_chunks_push(lists);
    for (uint32_t split = bitset_first(&c->pool);
         slot != NULL && got < want && split != MODEL_BITSET_END;
         split = bitset_next(&c->pool, split + 1)) {
        slot = sim_chunks_push(lists);
        if (slot == NULL)
            break;
        *slot = split;
        got++;
        c->owner[split] = subtask;
        bitset_remove(&c->pool, split);
    }
    if (slot == NULL || header >= MODEL_NONE) {
        w->error = SIM_ENOMEM;
        return;
    }
    memcpy(sim_chunks_at(lists, header), &got, sizeof(got));
    attempt->splits = (uint32_t)header;
    SIM_ASSERT(got <= want);
}

uint32_t coordinator_split_count(struct model_world *w, uint32_t index)
{
    const struct model_attempt *attempt = world_attempt(w, index);
    uint32_t count = 0;

    if (attempt->splits != MODEL_NONE)
        memcpy(&count, sim_chunks_at(&w->coordinators.split_lists, attempt->splits), sizeof(count));
    return count;
}

uint32_t coordinator_split(struct model_world *w, uint32_t index, uint32_t k)
{
    const struct model_attempt *attempt = world_attempt(w, index);
    uint32_t split;

    SIM_ASSERT(k < coordinator_split_count(w, index));
    memcpy(&split, sim_chunks_at(&w->coordinators.split_lists, (uint64_t)attempt->splits + 1 + k),
           sizeof(split));
    return split;
}

void coordinator_subtasks_reset(struct model_world *w, uint32_t stage, uint32_t first,
                                uint32_t count)
{
    uint32_t index = w->stages[stage].coordinator;

    SIM_ASSERT(first + count <= w->stages[stage].capacity);
    if (index == MODEL_NONE || !has_splits(&w->coordinators.list[index]))
        return;
    struct model_coordinator_state *c = &w->coordinators.list[index];
    for (uint32_t k = 0; k < c->splits; k++) {
        if (c->owner[k] == MODEL_NONE || c->owner[k] < first || c->owner[k] - first >= count)
            continue;
        c->owner[k] = MODEL_NONE;
        bitset_add(&c->pool, k);
    }
    SIM_ASSERT(c->pool.count <= c->splits);
}

bool coordinator_may_retake(struct model_world *w, uint32_t index)
{
    const struct model_attempt *attempt = world_attempt(w, index);
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, attempt->gid)];
    uint32_t count = coordinator_split_count(w, index);

    SIM_ASSERT(attempt->gid >= stage->gid_first);
    SIM_ASSERT(count == 0 || stage->coordinator != MODEL_NONE);
    for (uint32_t k = 0; k < count; k++) {
        const struct model_coordinator_state *c = &w->coordinators.list[stage->coordinator];
        uint32_t owner = c->owner[coordinator_split(w, index, k)];
        if (owner != MODEL_NONE && owner != attempt->gid - stage->gid_first)
            return false;
    }
    return true;
}

void coordinator_retake(struct model_world *w, uint32_t index)
{
    const struct model_attempt *attempt = world_attempt(w, index);
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, attempt->gid)];
    uint32_t count = coordinator_split_count(w, index);

    SIM_ASSERT(attempt->gid >= stage->gid_first);
    SIM_ASSERT(coordinator_may_retake(w, index));
    for (uint32_t k = 0; k < count; k++) {
        struct model_coordinator_state *c = &w->coordinators.list[stage->coordinator];
        uint32_t split = coordinator_split(w, index, k);
        c->owner[split] = attempt->gid - stage->gid_first;
        bitset_remove(&c->pool, split);
    }
}

// --- snapshots ----------------------------------------------------------------------------------

// How many of its splits an active attempt has been handed by `now_ns`.
static uint32_t handed_by(const struct model_attempt *attempt, uint32_t count, int64_t now_ns)
{
    int64_t run = attempt->end_ns - attempt->start_ns, since = now_ns - attempt->start_ns;

    SIM_ASSERT(since >= 0 && run >= 0);
    if (since >= run || count == 0)
        return count;
    return (uint32_t)wide_muldiv((uint64_t)since, count, (uint64_t)run) + 1;
}

// Marks the splits that are not handed out yet as the pool's, in c->handed. False when one may be
// on its way to a worker that died less than a round trip ago: its acknowledgement never comes.
// (Readers ask for splits, so a worker that has been dead for longer was sent none.)
static bool capture(struct model_world *w, struct model_coordinator_state *c)
{
    struct model_world_stage *stage = &w->stages[c->stage];
    int64_t round_trip_ns = 2 * sim_law_mean_approximate(&w->config->network_latency);
    bool acknowledged = true;

    memcpy(c->handed, c->owner, (size_t)c->splits * sizeof(uint32_t));
    for (uint32_t i = 0; i < stage->parallelism; i++) {
        const struct model_subtask *subtask = &w->subtasks[stage->gid_first + i];
        if (subtask->state != MODEL_SUBTASK_ACTIVE)
            continue;
        const struct model_attempt *attempt = world_attempt(w, subtask->attempt);
        uint32_t count = coordinator_split_count(w, subtask->attempt);
        if (attempt->state == MODEL_ATTEMPT_ENDED && count > 0 &&
            !w->workers.list[attempt->worker].alive)
            acknowledged = acknowledged && w->now_ns - attempt->end_ns >= round_trip_ns;
        if (attempt->state != MODEL_ATTEMPT_RUNNING)
            continue;
        for (uint32_t k = handed_by(attempt, count, w->now_ns); k < count; k++)
            c->handed[coordinator_split(w, subtask->attempt, k)] = MODEL_NONE;
    }
    SIM_ASSERT(stage->parallelism <= stage->capacity);
    return acknowledged;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t count_runs(const struct model_coordinator_state *c)
{
    uint32_t runs = 0;

    for (uint32_t k = 0; k < c->splits; k++)
        runs += k == 0 || c->handed[k] != c->handed[k - 1] ? 1u : 0u;
    SIM_ASSERT(runs <= c->splits);
    return runs;
}

static void encode_runs(const struct model_coordinator_state *c, uint8_t *out)
{
    for (uint32_t k = 0; k < c->splits;) {
        uint32_t end = k + 1;
        while (end < c->splits && c->handed[end] == c->handed[k])
            end++;
        put_u32(out, c->handed[k] + 1); // MODEL_NONE becomes 0
        put_u32(out + 4, end - k);
        out += RUN_BYTES;
        k = end;
    }
}

static bool encode(struct model_world *w, struct model_coordinator_state *c,
                   struct model_snapshot *snapshot)
{
    uint32_t runs = has_splits(c) ? count_runs(c) : 0;
    uint64_t content = has_splits(c) ? (uint64_t)(runs + 1) * RUN_BYTES : 0;
    uint64_t size = content > c->snapshot_bytes ? content : c->snapshot_bytes;

    if (size == 0)
        return true;
    SIM_ASSERT(size <= RECOUP_EVENT_SIZE_MAX);
    snapshot->data = memory_allocate(&w->master.memory, (size_t)size);
    if (snapshot->data == NULL)
        return false;
    memset(snapshot->data, 0, (size_t)size);
    snapshot->size = (size_t)size;
    if (has_splits(c))
        encode_runs(c, snapshot->data);
    return true;
}

static uint32_t free_snapshot(const struct model_coordinators *all)
{
    uint32_t slot = 0;

    while (slot < all->snapshots_used && all->snapshots[slot].used)
        slot++;
    SIM_ALWAYS(slot < MODEL_SNAPSHOTS_MAX);
    return slot;
}

void coordinator_snapshot(struct model_world *w, uint32_t id, uint32_t coordinator)
{
    struct model_coordinators *all = &w->coordinators;
    uint32_t slot = free_snapshot(all);
    struct model_snapshot *snapshot = &all->snapshots[slot];

    SIM_ASSERT(coordinator == RECOUP_SHUFFLE || coordinator < all->count);
    if (slot == all->snapshots_used)
        all->snapshots_used++;
    *snapshot = (struct model_snapshot){.id = id, .coordinator = coordinator, .used = true};
    if (coordinator != RECOUP_SHUFFLE) {
        struct model_coordinator_state *c = &all->list[coordinator];
        snapshot->failed = has_splits(c) && !capture(w, c);
        if (!snapshot->failed && !encode(w, c, snapshot))
            w->error = SIM_ENOMEM;
    }
    world_push(w, w->now_ns, MODEL_EVENT_SNAPSHOT_DONE, slot, w->master.incarnation);
}

void coordinator_snapshot_deliver(struct model_world *w, uint32_t slot)
{
    struct model_snapshot *snapshot = &w->coordinators.snapshots[slot];
    struct recoup_event event = {.type = RECOUP_EVENT_SNAPSHOT};

    SIM_ASSERT(slot < MODEL_SNAPSHOTS_MAX);
    if (!snapshot->used)
        return;  // its master died since
    SIM_ASSERT(slot < w->coordinators.snapshots_used);
    struct model_snapshot taken = *snapshot;
    snapshot->used = false;
    event.snapshot.snapshot = taken.id;
    event.snapshot.coordinator = taken.coordinator;
    event.snapshot.failed = taken.failed;
    event.snapshot.data = taken.data;
    event.snapshot.size = taken.size;
    if (!w->master.terminating)
        master_step(w, &event); // a master that stops takes no snapshot any more
    memory_release(&w->master.memory, taken.data, taken.size);
}

void coordinators_master_gone(struct model_world *w)
{
    for (uint32_t i = 0; i < w->coordinators.snapshots_used; i++) {
        struct model_snapshot *snapshot = &w->coordinators.snapshots[i];
        if (snapshot->used)
            memory_release(&w->master.memory, snapshot->data, snapshot->size);
        snapshot->used = false;
    }
    w->coordinators.snapshots_used = 0;
    SIM_ASSERT(free_snapshot(&w->coordinators) == 0);
}

void coordinator_restore(struct model_world *w, uint32_t coordinator, const void *data, size_t size)
{
    if (coordinator == RECOUP_SHUFFLE)
        return; // the modelled shuffle master's snapshot is a marker without content
    SIM_ASSERT(coordinator < w->coordinators.count);
    struct model_coordinator_state *c = &w->coordinators.list[coordinator];
    const uint8_t *at = data;
    uint32_t split = 0;
    if (!has_splits(c))
        return;
    for (size_t used = 0; used + RUN_BYTES <= size && split < c->splits;
         used += RUN_BYTES, at += RUN_BYTES) {
        uint32_t owner = get_u32(at) - 1, count = get_u32(at + 4);
        SIM_ALWAYS(count > 0 && count <= c->splits - split);
        for (uint32_t k = 0; k < count; k++, split++) {
            c->owner[split] = owner;
            if (owner == MODEL_NONE)
                bitset_add(&c->pool, split);
            else
                bitset_remove(&c->pool, split);
        }
    }
    SIM_ALWAYS(split == c->splits);
}
