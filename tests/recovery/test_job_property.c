// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random jobs, random events, random deaths: under profile hardened the recovered state equals that
// of a reference model, which keeps the whole history as a list and knows nothing of files, places
// or ranges.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

enum { STAGES_MAX = 5, WIDTH_MAX = 9, EDGES_MAX = 10, EVENTS_MAX = 4096 };

#define DROPPED UINT64_MAX // the number of an event that was not recorded

enum kind { KIND_INITIALIZED, KIND_FINISHED, KIND_RESET };

struct entry { // one event of the history
    enum kind kind;
    uint64_t number; // in its incarnation, 0: durable by itself
    uint32_t stage;
    uint32_t subtask; // KIND_INITIALIZED: the parallelism
    uint64_t attempt;
    uint32_t asked; // KIND_FINISHED: bit c: carries the snapshot of coordinator c
};

struct subtask {
    bool finished;
    uint64_t attempt;
    int place;
    bool in_set;
};

struct model {
    uint64_t random;
    struct recoup_stage_spec stages[STAGES_MAX];
    struct recoup_edge_spec edges[EDGES_MAX];
    struct recoup_coordinator_spec coordinators[STAGES_MAX * 2];
    struct recoup_graph graph;
    struct entry history[EVENTS_MAX];
    unsigned n;
    uint32_t parallelism[STAGES_MAX];
    struct subtask subtasks[STAGES_MAX][WIDTH_MAX];
    bool bomb[STAGES_MAX];
    struct master *master;
    uint64_t reset_number; // of the last event that may have caused a reset
    unsigned restored;     // how often recording was restored, as far as the history knows
};

static uint32_t draw(struct model *m, uint32_t n)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((m->random >> 33) % n);
}

static void make_job(struct model *m)
{
    uint32_t n_edges = 0;
    uint32_t n_coordinators = 0;
    uint32_t n = 2 + draw(m, STAGES_MAX - 1);
    for (uint32_t s = 0; s < n; s++) {
        uint32_t width = 1 + draw(m, WIDTH_MAX);
        bool dynamic = draw(m, 3) == 0;
        m->stages[s] = (struct recoup_stage_spec){dynamic ? 0 : width, width};
        for (uint32_t p = 0; p < s; p++) {
            bool chain = p + 1 == s && draw(m, 4) > 0;
            if (n_edges < EDGES_MAX && (chain || draw(m, 4) == 0)) {
                m->edges[n_edges++] = (struct recoup_edge_spec){
                    p, s, draw(m, 2) == 0 ? RECOUP_POINTWISE : RECOUP_ALL_TO_ALL};
            }
        }
        uint32_t coordinators = draw(m, 3) == 0 ? 0 : draw(m, 3);
        for (uint32_t c = 0; c < coordinators; c++) {
            m->coordinators[n_coordinators++] = (struct recoup_coordinator_spec){s, draw(m, 4) > 0};
        }
    }
    m->graph = (struct recoup_graph){.digest = {7},
                                     .n_stages = n,
                                     .stages = m->stages,
                                     .n_edges = n_edges,
                                     .edges = m->edges,
                                     .n_coordinators = n_coordinators,
                                     .coordinators = m->coordinators};
}

// Whether consumer j of an edge reads producer i, straight from the contract.
static bool reads(const struct model *m, const struct recoup_edge_spec *edge, uint32_t i,
                  uint32_t j)
{
    uint32_t p = m->parallelism[edge->producer];
    uint32_t c = m->parallelism[edge->consumer];
    if (edge->exchange == RECOUP_ALL_TO_ALL) {
        return true;
    }
    return c <= p ? i >= j * p / c && i < (j + 1) * p / c : i == j * p / c;
}

static void add_entry(struct model *m, struct entry entry)
{
    assert_true(m->n < EVENTS_MAX);
    m->history[m->n++] = entry;
}

static void on_event(void *context, const struct recoup_event *event, uint64_t number)
{
    struct model *m = context;
    if (number == 0) {
        number = DROPPED;
    }
    m->reset_number = event->type == RECOUP_EVENT_SUBTASKS_FAILED ||
                              event->type == RECOUP_EVENT_WORKER_LOST ||
                              event->type == RECOUP_EVENT_PARTITION_LOST
                          ? number
                          : m->reset_number;
    if (event->type == RECOUP_EVENT_STAGE_INITIALIZED) {
        add_entry(m, (struct entry){.kind = KIND_INITIALIZED,
                                    .number = number,
                                    .stage = event->stage_initialized.stage,
                                    .subtask = event->stage_initialized.parallelism});
    } else if (event->type == RECOUP_EVENT_SUBTASK_FINISHED) {
        add_entry(m, (struct entry){.kind = KIND_FINISHED,
                                    .number = number,
                                    .stage = event->subtask_finished.stage,
                                    .subtask = event->subtask_finished.subtask,
                                    .attempt = event->subtask_finished.attempt});
    }
}

// The snapshots that the library asked for belong to the last finish.
static void note_asked(struct model *m)
{
    struct entry *last = &m->history[m->n - 1];
    for (unsigned i = 0; i < m->master->n_asked; i++) {
        uint32_t coordinator = m->master->asked[i].coordinator;
        last->asked |= coordinator == RECOUP_SHUFFLE ? 0 : 1u << coordinator;
    }
}

// What a reset took back is history from the number of its record on.
static void note_resets(struct model *m, unsigned from, uint64_t number)
{
    for (unsigned i = from; i < m->master->n_reset; i++) {
        struct recoup_range range = m->master->reset[i].range;
        for (uint32_t k = range.first; k < range.first + range.count; k++) {
            add_entry(
                m, (struct entry){
                       .kind = KIND_RESET, .number = number, .stage = range.stage, .subtask = k});
        }
    }
}

// Forgets what did not reach the disk.
static void forget_not_durable(struct model *m)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < m->n; i++) {
        if (m->history[i].number <= m->master->on_disk) {
            m->history[kept] = m->history[i];
            m->history[kept++].number = 0;
        }
    }
    m->n = kept;
}

static void apply_history(struct model *m, int *snapshot)
{
    memset(m->subtasks, 0, sizeof m->subtasks);
    memset(m->parallelism, 0, sizeof m->parallelism);
    memset(m->bomb, 0, sizeof m->bomb);
    for (unsigned i = 0; i < m->n; i++) {
        const struct entry *entry = &m->history[i];
        struct subtask *subtask = &m->subtasks[entry->stage][entry->subtask % WIDTH_MAX];
        if (entry->kind == KIND_INITIALIZED) {
            m->parallelism[entry->stage] = entry->subtask;
            continue;
        }
        subtask->finished = entry->kind == KIND_FINISHED;
        subtask->attempt = entry->attempt;
        subtask->place = (int)i;
        for (uint32_t c = 0; c < m->graph.n_coordinators; c++) {
            if (entry->kind == KIND_FINISHED && (entry->asked >> c & 1) != 0) {
                snapshot[c] = (int)i;
            }
        }
    }
}

static void trim(struct model *m, const int *snapshot)
{
    for (uint32_t c = 0; c < m->graph.n_coordinators; c++) {
        uint32_t s = m->coordinators[c].stage;
        for (uint32_t i = 0; m->coordinators[c].batch_snapshot && i < m->parallelism[s]; i++) {
            if (m->subtasks[s][i].place > snapshot[c]) {
                m->subtasks[s][i].finished = false;
            }
        }
    }
}

static bool needed(const struct model *m, uint32_t stage, uint32_t subtask)
{
    for (uint32_t e = 0; e < m->graph.n_edges; e++) {
        const struct recoup_edge_spec *edge = &m->edges[e];
        if (edge->producer != stage) {
            continue;
        }
        if (m->parallelism[edge->consumer] == 0) {
            return true;
        }
        for (uint32_t j = 0; j < m->parallelism[edge->consumer]; j++) {
            if (reads(m, edge, subtask, j) && !m->subtasks[edge->consumer][j].finished) {
                return true;
            }
        }
    }
    return false;
}

static bool has_output(const struct model *m, uint32_t stage)
{
    for (uint32_t e = 0; e < m->graph.n_edges; e++) {
        if (m->edges[e].producer == stage) {
            return true;
        }
    }
    return false;
}

static bool held(const struct model *m, uint32_t stage, uint32_t subtask)
{
    for (unsigned i = 0; i < m->master->n_held; i++) {
        const struct recoup_partition *p = &m->master->held[i];
        if (p->stage == stage && p->subtask == subtask &&
            p->attempt == m->subtasks[stage][subtask].attempt) {
            return true;
        }
    }
    return false;
}

// Grows the set in every direction until nothing is new. `up`: missing inputs count.
static void expand(struct model *m, bool up)
{
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t e = 0; e < m->graph.n_edges; e++) {
            const struct recoup_edge_spec *edge = &m->edges[e];
            for (uint32_t i = 0; i < m->parallelism[edge->producer]; i++) {
                for (uint32_t j = 0; j < m->parallelism[edge->consumer]; j++) {
                    struct subtask *p = &m->subtasks[edge->producer][i];
                    struct subtask *c = &m->subtasks[edge->consumer][j];
                    if (!reads(m, edge, i, j)) {
                        continue;
                    }
                    if (p->in_set && !c->in_set) {
                        c->in_set = more = true;
                    }
                    if (up && c->in_set && !p->in_set && p->finished &&
                        !held(m, edge->producer, i)) {
                        p->in_set = more = true;
                    }
                }
            }
        }
        for (uint32_t s = 0; s < m->graph.n_stages; s++) {
            bool any = false;
            for (uint32_t i = 0; i < m->parallelism[s]; i++) {
                any = any || m->subtasks[s][i].in_set;
            }
            for (uint32_t i = 0; any && m->bomb[s] && i < m->parallelism[s]; i++) {
                more = more || !m->subtasks[s][i].in_set;
                m->subtasks[s][i].in_set = true;
            }
        }
    }
}

static void take_back(struct model *m)
{
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        for (uint32_t i = 0; i < m->parallelism[s]; i++) {
            if (m->subtasks[s][i].in_set) {
                m->subtasks[s][i].finished = false;
                m->subtasks[s][i].in_set = false;
                m->bomb[s] = false;
            }
        }
    }
}

static void coordinator_resets(struct model *m)
{
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        uint32_t n = 0;
        uint32_t unsupporting = 0;
        uint32_t unfinished = 0;
        for (uint32_t c = 0; c < m->graph.n_coordinators; c++) {
            n += m->coordinators[c].stage == s ? 1 : 0;
            unsupporting += m->coordinators[c].stage == s && !m->coordinators[c].batch_snapshot;
        }
        for (uint32_t i = 0; i < m->parallelism[s]; i++) {
            unfinished += m->subtasks[s][i].finished ? 0 : 1;
        }
        m->bomb[s] = unsupporting > 0 && unfinished == 0 && m->parallelism[s] > 0;
        for (uint32_t i = 0; n > 0 && unfinished > 0 && i < m->parallelism[s]; i++) {
            m->subtasks[s][i].in_set = unsupporting > 0 || !m->subtasks[s][i].finished;
        }
    }
    expand(m, false);
    take_back(m);
}

static void missing_resets(struct model *m)
{
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        for (uint32_t i = 0; i < m->parallelism[s]; i++) {
            struct subtask *t = &m->subtasks[s][i];
            t->in_set = t->finished && has_output(m, s) && needed(m, s, i) && !held(m, s, i);
        }
    }
    expand(m, true);
    take_back(m);
}

// The reference's recovery. What it forgets is history from now on.
static void recover(struct model *m)
{
    int snapshot[STAGES_MAX * 2];
    for (unsigned c = 0; c < STAGES_MAX * 2; c++) {
        snapshot[c] = -1;
    }
    apply_history(m, snapshot);
    bool before[STAGES_MAX][WIDTH_MAX];
    for (uint32_t s = 0; s < STAGES_MAX; s++) {
        for (uint32_t i = 0; i < WIDTH_MAX; i++) {
            before[s][i] = m->subtasks[s][i].finished;
        }
    }
    trim(m, snapshot);
    coordinator_resets(m);
    missing_resets(m);
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        for (uint32_t i = 0; i < m->parallelism[s]; i++) {
            if (before[s][i] && !m->subtasks[s][i].finished) {
                add_entry(m, (struct entry){.kind = KIND_RESET, .stage = s, .subtask = i});
            }
        }
    }
}

static void compare(const struct model *m, uint64_t seed)
{
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        struct recoup_stage stage;
        recoup_stage(m->master->job, s, &stage);
        if (stage.parallelism != m->parallelism[s]) {
            fail_msg("seed %llu: parallelism of stage %u", (unsigned long long)seed, s);
        }
        for (uint32_t i = 0; i < m->parallelism[s]; i++) {
            const struct subtask *t = &m->subtasks[s][i];
            bool same = t->finished == master_finished(m->master, s, i) &&
                        (!t->finished || t->attempt == master_attempt(m->master, s, i));
            if (!same) {
                fail_msg("seed %llu epoch %llu: subtask %u.%u: reference %d\n%s",
                         (unsigned long long)seed, (unsigned long long)m->master->epoch, s, i,
                         t->finished, m->master->trace);
            }
        }
    }
}

// The stages that may be initialized, and the subtasks that may run, as a scheduler would find
// them.
static bool ready(const struct model *m, uint32_t stage, uint32_t subtask)
{
    for (uint32_t e = 0; e < m->graph.n_edges; e++) {
        const struct recoup_edge_spec *edge = &m->edges[e];
        struct recoup_stage producer;
        struct recoup_stage consumer;
        if (edge->consumer != stage) {
            continue;
        }
        recoup_stage(m->master->job, edge->producer, &producer);
        recoup_stage(m->master->job, stage, &consumer);
        for (uint32_t i = 0; i < producer.parallelism; i++) {
            uint32_t first = 0;
            uint32_t count = producer.parallelism;
            if (edge->exchange == RECOUP_POINTWISE) {
                recoup_pointwise_producers(producer.parallelism, consumer.parallelism, subtask,
                                           &first, &count);
            }
            if (i >= first && i < first + count && !master_finished(m->master, edge->producer, i)) {
                return false;
            }
        }
    }
    return true;
}

static void initialize_some(struct model *m)
{
    for (uint32_t s = 0; s < m->graph.n_stages; s++) {
        struct recoup_stage stage;
        bool possible = draw(m, 3) > 0;
        recoup_stage(m->master->job, s, &stage);
        for (uint32_t e = 0; e < m->graph.n_edges; e++) {
            struct recoup_stage producer;
            recoup_stage(m->master->job, m->edges[e].producer, &producer);
            possible = possible && (m->edges[e].consumer != s || producer.initialized);
        }
        if (!stage.initialized && possible) {
            uint32_t n = m->stages[s].parallelism != 0 ? m->stages[s].parallelism
                                                       : 1 + draw(m, m->stages[s].parallelism_max);
            assert_int_equal(master_initialize(m->master, s, n), 0);
        }
    }
}

static void finish_one(struct model *m)
{
    uint32_t s = draw(m, m->graph.n_stages);
    struct recoup_stage stage;
    recoup_stage(m->master->job, s, &stage);
    if (!stage.initialized) {
        return;
    }
    uint32_t i = draw(m, stage.parallelism);
    if (master_finished(m->master, s, i) || !ready(m, s, i)) {
        return;
    }
    m->master->hold_snapshots = true;
    assert_int_equal(master_finish(m->master, s, i), 0);
    note_asked(m);
    m->master->hold_snapshots = false;
    master_settle(m->master);
}

static void reset_some(struct model *m)
{
    uint32_t s = draw(m, m->graph.n_stages);
    struct recoup_stage stage;
    unsigned from = m->master->n_reset;
    recoup_stage(m->master->job, s, &stage);
    if (!stage.initialized) {
        return;
    }
    uint32_t i = draw(m, stage.parallelism);
    switch (draw(m, 3)) {
    case 0:
        assert_int_equal(master_fail(m->master, s, i, 1), 0);
        break;
    case 1:
        assert_int_equal(master_lose_worker(m->master, draw(m, 4)), 0);
        break;
    default:
        if (master_finished(m->master, s, i) && has_output(m, s)) {
            assert_int_equal(master_lose_partition(m->master, s, i), 0);
        }
        break;
    }
    if (m->master->n_reset > from) {
        note_resets(m, from, m->reset_number);
    }
}

// A checkpoint is durable: it holds what was not recorded before it.
static void note_restored(struct model *m)
{
    if (m->master->n_restored == m->restored) {
        return;
    }
    m->restored = m->master->n_restored;
    for (unsigned i = 0; i < m->n; i++) {
        m->history[i].number = m->history[i].number == DROPPED ? 0 : m->history[i].number;
    }
}

static void live(struct model *m, bool faults)
{
    unsigned turns = 10 + draw(m, 60);
    m->restored = 0;
    if (faults) {
        m->master->fail_from = m->master->operations + draw(m, 60);
        m->master->fail_to = m->master->fail_from + 1 + draw(m, 3);
    }
    for (unsigned turn = 0; turn < turns && m->n < EVENTS_MAX - 256; turn++) {
        initialize_some(m);
        for (uint32_t k = draw(m, 8); k > 0; k--) {
            finish_one(m);
        }
        if (draw(m, 12) == 0) {
            reset_some(m);
        }
        note_restored(m);
        master_advance(m->master, m->master->now_ns + draw(m, 700) * (SECOND / 1000));
        note_restored(m);
    }
    m->master->fail_from = m->master->fail_to = 0;
}

static void one_job(uint64_t seed, bool faults)
{
    static struct model m; // too large for the stack; nothing is carried over
    static struct master master;
    struct disk disk;
    memset(&m, 0, sizeof m);
    disk_init(&disk);
    m.random = seed * 2 + 1;
    make_job(&m);
    master_init(&master, &disk, &m.graph, RECOUP_PROFILE_HARDENED);
    master.options.snapshot_min_pause_ns = draw(&m, 4) * SECOND / 2;
    master.options.worker_recovery_timeout_ns = SECOND;
    master.options.worker_detection_ns = 0;
    master.on_event = on_event;
    master.context = &m;
    m.master = &master;
    assert_int_equal(master_start(&master, 1), 0);
    master_advance(&master, 0);
    for (uint64_t epoch = 2; epoch < 6; epoch++) {
        live(&m, faults && draw(&m, 2) == 0);
        forget_not_durable(&m);
        if (draw(&m, 3) == 0) {
            (void)master_lose_worker(&master, draw(&m, 4)); // dies with the master
        }
        recover(&m);
        master_restart(&master, epoch);
        if (!master.recovered) {
            master_report_held(&master);
        }
        master_advance(&master, master.now_ns + 2 * SECOND);
        assert_true(master.recovered);
        compare(&m, seed);
    }
    master_crash(&master);
    assert_int_equal(master.bytes, 0);
    disk_release(&disk);
}

static void HardenedEqualsReference(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        one_job(seed, false);
    }
}

// The same while storage operations fail: recording stops, a checkpoint of the whole job restores
// it.
static void HardenedEqualsReferenceUnderStorageErrors(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        one_job(seed, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(HardenedEqualsReference),
        cmocka_unit_test(HardenedEqualsReferenceUnderStorageErrors),
    };
    return cmocka_run_group_tests_name("job property", tests, NULL, NULL);
}
