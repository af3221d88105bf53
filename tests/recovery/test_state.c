// SPDX-License-Identifier: GPL-3.0-or-later
//
// The state's counts and hash, the point-wise rule, the reset closure and the snapshot policy, each
// against the plainest statement of what it should be.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/closure.h"
#include "recovery/snapshot.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static struct recoup__memory make_memory(void)
{
    struct recoup__memory memory;
    struct recoup_allocator allocator = {allocate, release, NULL};
    recoup__memory_init(&memory, &allocator);
    return memory;
}

// The rule as the contract states it, for every pair of sizes up to 40, from both sides.
static void PointwiseRuleFromBothSides(void **state)
{
    (void)state;
    for (uint32_t p = 1; p <= 40; p++) {
        for (uint32_t c = 1; c <= 40; c++) {
            for (uint32_t i = 0; i < p; i++) {
                for (uint32_t j = 0; j < c; j++) {
                    uint32_t first;
                    uint32_t count;
                    bool reads =
                        c <= p ? i >= j * p / c && i <= (j + 1) * p / c - 1 : i == j * p / c;
                    recoup_pointwise_producers(p, c, j, &first, &count);
                    assert_int_equal(reads, i >= first && i < first + count);
                    recoup_pointwise_consumers(p, c, i, &first, &count);
                    assert_int_equal(reads, j >= first && j < first + count);
                }
            }
        }
    }
}

static void PointwiseRuleAtItsLimits(void **state)
{
    (void)state;
    uint32_t first;
    uint32_t count;
    uint32_t max = RECOUP_PARALLELISM_MAX;
    recoup_pointwise_producers(max, 1, 0, &first, &count);
    assert_int_equal(first, 0);
    assert_int_equal(count, max);
    recoup_pointwise_consumers(1, max, 0, &first, &count);
    assert_int_equal(count, max);
    recoup_pointwise_producers(max - 1, max, max - 1, &first, &count);
    assert_int_equal(first, max - 2);
    assert_int_equal(count, 1);
}

enum { P = 6, C = 3, D = 4 };

static const struct recoup_stage_spec stages[] = {
    {.parallelism = P}, {.parallelism = C}, {.parallelism_max = D}};
static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_POINTWISE},
                                                {1, 2, RECOUP_ALL_TO_ALL}};
static const struct recoup_coordinator_spec coordinators[] = {{0, true}, {1, true}, {1, false}};

struct fixture {
    struct recoup__memory memory;
    struct recoup__graph graph;
    struct recoup__state state;
    struct recoup__closure closure;
};

static void open_fixture(struct fixture *f)
{
    struct recoup_graph spec = {.n_stages = 3,
                                .stages = stages,
                                .n_edges = 2,
                                .edges = edges,
                                .n_coordinators = 3,
                                .coordinators = coordinators};
    memset(f, 0, sizeof *f);
    f->memory = make_memory();
    assert_int_equal(recoup__graph_init(&f->graph, &f->memory, &spec), 0);
    assert_int_equal(recoup__state_init(&f->state, &f->memory, &f->graph), 0);
    assert_int_equal(recoup__closure_init(&f->closure, &f->state), 0);
    assert_int_equal(recoup__state_initialize(&f->state, 0, P), 0);
    assert_int_equal(recoup__state_initialize(&f->state, 1, C), 0);
    assert_int_equal(recoup__state_initialize(&f->state, 2, D), 0);
}

static void close_fixture(struct fixture *f)
{
    recoup__closure_release(&f->closure);
    recoup__state_release(&f->state);
    recoup__graph_release(&f->graph, &f->memory);
    assert_int_equal(f->memory.bytes, 0);
    assert_int_equal(f->memory.broken, 0);
}

static void finish(struct fixture *f, uint32_t stage, uint32_t subtask, uint64_t attempt)
{
    struct recoup__finish how = {
        .attempt = attempt, .worker = subtask, .has_partition = stage < 2, .available = stage < 2};
    recoup__state_finish(&f->state, stage, subtask, &how);
}

static void CountsAndNeeds(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (uint32_t i = 0; i < P; i++) {
        finish(&f, 0, i, 100 + i);
    }
    assert_true(recoup__state_needed(&f.state, 0, 2));
    finish(&f, 1, 1, 200);
    assert_false(recoup__state_needed(&f.state, 0, 2)); // consumer 1 reads 2 and 3
    assert_false(recoup__state_needed(&f.state, 0, 3));
    assert_true(recoup__state_needed(&f.state, 0, 1));
    assert_true(recoup__state_needed(&f.state, 1, 1));
    for (uint32_t i = 0; i < D; i++) {
        finish(&f, 2, i, 300 + i);
    }
    assert_false(recoup__state_needed(&f.state, 1, 1));
    assert_true(recoup__state_consistent(&f.state));
    recoup__state_set_available(&f.state, 0, 2, false);
    recoup__state_unfinish(&f.state, 1, 1);
    recoup__state_unfinish(&f.state, 2, 0);
    assert_true(recoup__state_consistent(&f.state));
    assert_true(recoup__state_needed(&f.state, 0, 2));
    assert_true(recoup__state_needed(&f.state, 1, 0));
    close_fixture(&f);
}

// What is said of a whole stage is what is true of each of its subtasks, in every state of the
// stages behind it.
static void NeedOfAStageIsThatOfEach(void **state)
{
    (void)state;
    for (unsigned consumers = 0; consumers < 1u << C; consumers++) {
        for (uint32_t last = 0; last <= D; last++) {
            struct fixture f;
            open_fixture(&f);
            for (uint32_t i = 0; i < C; i++) {
                if ((consumers >> i & 1) != 0) {
                    finish(&f, 1, i, 200 + i);
                }
            }
            for (uint32_t i = 0; i < last; i++) {
                finish(&f, 2, i, 300 + i);
            }
            for (uint32_t s = 0; s < 3; s++) {
                enum recoup__need need = recoup__state_need(&f.state, s);
                for (uint32_t i = 0; i < f.state.stages[s].parallelism; i++) {
                    bool needed = recoup__state_needed(&f.state, s, i);
                    assert_true(need == RECOUP__NEED_EACH || needed == (need == RECOUP__NEED_ALL));
                }
            }
            assert_int_equal(recoup__state_need(&f.state, 0),
                             consumers == 7 ? RECOUP__NEED_NONE : RECOUP__NEED_EACH);
            assert_int_equal(recoup__state_need(&f.state, 1),
                             last == D ? RECOUP__NEED_NONE : RECOUP__NEED_ALL);
            assert_int_equal(recoup__state_need(&f.state, 2), RECOUP__NEED_NONE);
            close_fixture(&f);
        }
    }
}

// Finishes that are counted together leave the state as those that are marked one by one.
static void RecoveredTogetherOrOneByOne(void **state)
{
    (void)state;
    struct fixture a;
    struct fixture b;
    open_fixture(&a);
    open_fixture(&b);
    for (uint32_t s = 0; s < 2; s++) {
        for (uint32_t i = s; i < a.state.stages[s].parallelism; i++) {
            struct recoup__finish how = {.attempt = 100 * s + i,
                                         .bytes = i,
                                         .worker = i,
                                         .has_partition = i != 2,
                                         .recovered = true};
            uint32_t partition = i != 2 ? RECOUP__HAS_PARTITION : 0u;
            recoup__state_finish(&a.state, s, i, &how);
            b.state.stages[s].subtasks[i].attempt = how.attempt;
            b.state.stages[s].subtasks[i].bytes = how.bytes;
            b.state.stages[s].subtasks[i].worker = how.worker;
            b.state.stages[s].subtasks[i].flags = RECOUP__FINISHED | RECOUP__RECOVERED | partition;
        }
        recoup__state_recover(&b.state, s, s, 2);
        recoup__state_recover(&b.state, s, s + 2, b.state.stages[s].parallelism - s - 2);
    }
    assert_true(recoup__state_consistent(&b.state));
    assert_memory_equal(a.state.hash, b.state.hash, sizeof a.state.hash);
    assert_int_equal(a.state.finished, b.state.finished);
    for (uint32_t s = 0; s < 3; s++) {
        const struct recoup__stage *x = &a.state.stages[s];
        const struct recoup__stage *y = &b.state.stages[s];
        assert_int_equal(x->finished, y->finished);
        assert_int_equal(x->lost, y->lost);
        assert_int_equal(x->recovered, y->recovered);
        assert_memory_equal(x->subtasks, y->subtasks, x->parallelism * sizeof *x->subtasks);
    }
    close_fixture(&a);
    close_fixture(&b);
}

// Equal states have equal hashes whatever led to them; every part of the state counts.
static void HashDependsOnStateOnly(void **state)
{
    (void)state;
    struct fixture a;
    struct fixture b;
    open_fixture(&a);
    open_fixture(&b);
    assert_memory_equal(a.state.hash, b.state.hash, sizeof a.state.hash);
    finish(&a, 0, 1, 7);
    assert_memory_not_equal(a.state.hash, b.state.hash, sizeof a.state.hash);
    finish(&a, 0, 2, 8);
    finish(&b, 0, 2, 5);
    finish(&b, 0, 4, 6);
    recoup__state_unfinish(&b.state, 0, 4);
    recoup__state_unfinish(&b.state, 0, 2);
    finish(&b, 0, 2, 8);
    finish(&b, 0, 1, 9);
    assert_memory_not_equal(a.state.hash, b.state.hash, sizeof a.state.hash); // another attempt
    recoup__state_unfinish(&b.state, 0, 1);
    finish(&b, 0, 1, 7);
    assert_memory_equal(a.state.hash, b.state.hash, sizeof a.state.hash);
    close_fixture(&a);
    close_fixture(&b);
}

static void expect_ranges(struct fixture *f, const struct recoup_reset_range *expected, uint32_t n)
{
    struct recoup_reset_range ranges[32];
    uint32_t n_ranges;
    uint32_t n_partitions;
    recoup__closure_count(&f->closure, &n_ranges, &n_partitions);
    assert_int_equal(n_ranges, n);
    recoup__closure_ranges(&f->closure, ranges, n_ranges);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(ranges[i].range.stage, expected[i].range.stage);
        assert_int_equal(ranges[i].range.first, expected[i].range.first);
        assert_int_equal(ranges[i].range.count, expected[i].range.count);
        assert_int_equal(ranges[i].reason, expected[i].reason);
    }
    recoup__closure_clear(&f->closure);
    assert_true(recoup__state_consistent(&f->state)); // no mark is left behind
}

static void finish_first(struct fixture *f, uint32_t stage, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        finish(f, stage, i, (uint64_t)(stage + 1) * 1000 + i);
    }
}

// A failed subtask on which nothing can run yet is reset alone.
static void ClosureStopsWhereNothingCanHaveStarted(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    finish_first(&f, 0, 4);
    recoup__closure_begin(&f.closure, RECOUP__CLOSURE_UPSTREAM | RECOUP__CLOSURE_FIXPOINT);
    recoup__closure_add(&f.closure, 0, 5, 1, RECOUP_RESET_FAILED);
    recoup__closure_expand(&f.closure);
    expect_ranges(&f, (struct recoup_reset_range[]){{{0, 5, 1}, RECOUP_RESET_FAILED}}, 1);
    close_fixture(&f);
}

// An all-to-all consumer stage goes as one range; a point-wise one as what reads the subtask.
static void ClosureDownstream(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    finish_first(&f, 0, P);
    finish_first(&f, 1, C);
    recoup__closure_begin(&f.closure, RECOUP__CLOSURE_UPSTREAM);
    recoup__closure_add(&f.closure, 0, 3, 1, RECOUP_RESET_FAILED);
    recoup__closure_expand(&f.closure);
    expect_ranges(&f,
                  (struct recoup_reset_range[]){{{0, 3, 1}, RECOUP_RESET_FAILED},
                                                {{1, 1, 1}, RECOUP_RESET_DOWNSTREAM},
                                                {{2, 0, D}, RECOUP_RESET_DOWNSTREAM}},
                  3);
    // During recovery nothing runs: what is not finished is not named.
    recoup__closure_begin(&f.closure, RECOUP__CLOSURE_RECOVERY);
    recoup__closure_add(&f.closure, 0, 3, 1, RECOUP_RESET_PARTITION_MISSING);
    recoup__closure_expand(&f.closure);
    expect_ranges(&f,
                  (struct recoup_reset_range[]){{{0, 3, 1}, RECOUP_RESET_PARTITION_MISSING},
                                                {{1, 1, 1}, RECOUP_RESET_DOWNSTREAM}},
                  2);
    close_fixture(&f);
}

// a -> b -> c -> d, one subtask each: d is finished although nothing before it is (a log whose
// resets are missing, H19). It has read what a is about to make again, through two that do not run.
static void ClosureReachesWhatIsFinishedFarBelow(void **state)
{
    (void)state;
    static const struct recoup_stage_spec chain[] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}};
    static const struct recoup_edge_spec links[] = {
        {0, 1, RECOUP_POINTWISE}, {1, 2, RECOUP_POINTWISE}, {2, 3, RECOUP_POINTWISE}};
    struct recoup_graph spec = {.n_stages = 4, .stages = chain, .n_edges = 3, .edges = links};
    struct fixture f;
    memset(&f, 0, sizeof f);
    f.memory = make_memory();
    assert_int_equal(recoup__graph_init(&f.graph, &f.memory, &spec), 0);
    assert_int_equal(recoup__state_init(&f.state, &f.memory, &f.graph), 0);
    assert_int_equal(recoup__closure_init(&f.closure, &f.state), 0);
    for (uint32_t s = 0; s < 4; s++) {
        assert_int_equal(recoup__state_initialize(&f.state, s, 1), 0);
    }
    finish(&f, 3, 0, 4000);
    recoup__closure_begin(&f.closure, RECOUP__CLOSURE_RECOVERY | RECOUP__CLOSURE_FIXPOINT);
    recoup__closure_add(&f.closure, 0, 0, 1, RECOUP_RESET_UNFINISHED);
    recoup__closure_expand(&f.closure);
    expect_ranges(&f,
                  (struct recoup_reset_range[]){{{0, 0, 1}, RECOUP_RESET_UNFINISHED},
                                                {{3, 0, 1}, RECOUP_RESET_DOWNSTREAM}},
                  2);
    close_fixture(&f);
}

// Upstream only where the partition is gone, transitively.
static void ClosureUpstream(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    finish_first(&f, 0, P);
    finish_first(&f, 1, C);
    recoup__state_set_available(&f.state, 1, 2, false);
    recoup__state_set_available(&f.state, 0, 5, false);
    recoup__state_set_available(&f.state, 0, 1, false); // of consumer 0, which stays
    recoup__closure_begin(&f.closure, RECOUP__CLOSURE_UPSTREAM);
    recoup__closure_add(&f.closure, 2, 1, 1, RECOUP_RESET_FAILED);
    recoup__closure_expand(&f.closure);
    expect_ranges(&f,
                  (struct recoup_reset_range[]){{{0, 5, 1}, RECOUP_RESET_PARTITION_MISSING},
                                                {{1, 2, 1}, RECOUP_RESET_PARTITION_MISSING},
                                                {{2, 0, 1}, RECOUP_RESET_DOWNSTREAM},
                                                {{2, 1, 1}, RECOUP_RESET_FAILED},
                                                {{2, 2, 2}, RECOUP_RESET_DOWNSTREAM}},
                  5);
    close_fixture(&f);
}

// A time bomb takes its whole stage; only the fixpoint sees what follows from that (H29).
static void ClosureTimeBomb(void **state)
{
    (void)state;
    for (int fixpoint = 0; fixpoint < 2; fixpoint++) {
        struct fixture f;
        open_fixture(&f);
        finish_first(&f, 0, P);
        finish_first(&f, 1, 1);
        finish_first(&f, 1, 0);
        f.state.stages[0].time_bomb = true;
        recoup__closure_begin(&f.closure, RECOUP__CLOSURE_UPSTREAM |
                                              (fixpoint ? RECOUP__CLOSURE_FIXPOINT : 0u));
        recoup__closure_add(&f.closure, 0, 0, 1, RECOUP_RESET_FAILED);
        recoup__closure_expand(&f.closure);
        recoup__closure_disarm(&f.closure);
        assert_false(f.state.stages[0].time_bomb);
        expect_ranges(
            &f,
            (struct recoup_reset_range[]){{{0, 0, 1}, RECOUP_RESET_FAILED},
                                          {{0, 1, P - 1}, RECOUP_RESET_COORDINATOR_UNSUPPORTED},
                                          {{1, 0, fixpoint ? C : 1}, RECOUP_RESET_DOWNSTREAM}},
            3);
        close_fixture(&f);
    }
}

// The policy of specification 2.4: N1, B3, B4.
static void SnapshotPolicy(void **state)
{
    (void)state;
    struct fixture f;
    struct recoup__snapshots s;
    const uint32_t *list;
    open_fixture(&f);
    assert_int_equal(recoup__snapshots_init(&s, &f.memory, &f.graph), 0);
    assert_true(recoup__snapshots_due(&s, 0, 100, false)); // the first of the incarnation
    assert_int_equal(recoup__snapshots_list(&s, 0, &list), 2);
    assert_int_equal(list[0], 0);
    assert_int_equal(list[1], RECOUP_SHUFFLE);
    recoup__snapshots_finished(&s, 0);
    assert_int_equal(recoup__snapshots_taken(&s, 0), 1);
    assert_false(recoup__snapshots_due(&s, 99, 100, false));
    assert_true(recoup__snapshots_due(&s, 99, 100, true)); // B3: a stage's end is never held back
    assert_true(recoup__snapshots_due(&s, 100, 100, false));
    recoup__snapshots_finished(&s, 2);
    assert_int_equal(recoup__snapshots_list(&s, 2, &list),
                     1); // no coordinator: the shuffle master alone
    recoup__snapshots_finished(&s, 1);
    assert_int_equal(recoup__snapshots_list(&s, 2, &list),
                     2); // B4: only stages with finishes since
    assert_int_equal(list[0], 1);
    assert_int_equal(recoup__snapshots_taken(&s, 100), 2);
    assert_int_equal(recoup__snapshots_list(&s, 0, &list), 2);
    recoup__snapshots_finished(&s, 0);
    recoup__snapshots_taken(&s, 200);
    recoup__snapshots_failed(&s, 1); // the next finish tries again, the failed one included
    assert_true(recoup__snapshots_due(&s, 201, 100, false));
    assert_int_equal(recoup__snapshots_list(&s, 0, &list), 3);
    assert_false(recoup__snapshots_known(&s, 4, 0));
    assert_true(recoup__snapshots_known(&s, 3, 0));
    assert_false(recoup__snapshots_known(&s, 3, 2)); // does not support snapshots
    assert_false(recoup__snapshots_known(&s, 0, 0));
    recoup__snapshots_release(&s);
    close_fixture(&f);
}

// A straggler never replaces a newer snapshot.
static void KeptSnapshotIsTheNewest(void **state)
{
    (void)state;
    struct fixture f;
    struct recoup__snapshots s;
    open_fixture(&f);
    assert_int_equal(recoup__snapshots_init(&s, &f.memory, &f.graph), 0);
    assert_int_equal(recoup__snapshots_reserve(&s, 0, 3), 0);
    recoup__snapshots_keep(&s, 0, 5, "new", 3);
    recoup__snapshots_keep(&s, 0, 4, "old", 3);
    assert_memory_equal(recoup__snapshots_kept(&s, 0)->data, "new", 3);
    assert_int_equal(recoup__snapshots_kept(&s, 0)->take, 5);
    assert_int_equal(recoup__snapshots_reserve(&s, 0, (size_t)RECOUP_EVENT_SIZE_MAX + 1),
                     RECOUP_ELIMIT);
    recoup__snapshots_release(&s);
    close_fixture(&f);
}

static void GraphIsChecked(void **state)
{
    (void)state;
    struct recoup__memory memory = make_memory();
    struct recoup__graph graph;
    struct recoup_edge_spec backward[] = {{1, 0, RECOUP_POINTWISE}};
    struct recoup_edge_spec twice[] = {{0, 1, RECOUP_POINTWISE}, {0, 1, RECOUP_ALL_TO_ALL}};
    struct recoup_coordinator_spec nowhere[] = {{3, true}};
    struct recoup_stage_spec empty[] = {{0, 0}};
    struct recoup_graph spec = {.n_stages = 3, .stages = stages, .n_edges = 1, .edges = backward};
    assert_int_equal(recoup__graph_init(&graph, &memory, &spec), RECOUP_EINVAL);
    spec.edges = twice;
    spec.n_edges = 2;
    assert_int_equal(recoup__graph_init(&graph, &memory, &spec), RECOUP_EINVAL);
    spec.n_edges = 0;
    spec.coordinators = nowhere;
    spec.n_coordinators = 1;
    assert_int_equal(recoup__graph_init(&graph, &memory, &spec), RECOUP_EINVAL);
    spec = (struct recoup_graph){.n_stages = 1, .stages = empty};
    assert_int_equal(recoup__graph_init(&graph, &memory, &spec), RECOUP_EINVAL);
    spec.n_stages = 0;
    assert_int_equal(recoup__graph_init(&graph, &memory, &spec), RECOUP_EINVAL);
    assert_int_equal(memory.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(PointwiseRuleFromBothSides),
        cmocka_unit_test(PointwiseRuleAtItsLimits),
        cmocka_unit_test(CountsAndNeeds),
        cmocka_unit_test(NeedOfAStageIsThatOfEach),
        cmocka_unit_test(RecoveredTogetherOrOneByOne),
        cmocka_unit_test(HashDependsOnStateOnly),
        cmocka_unit_test(ClosureStopsWhereNothingCanHaveStarted),
        cmocka_unit_test(ClosureDownstream),
        cmocka_unit_test(ClosureReachesWhatIsFinishedFarBelow),
        cmocka_unit_test(ClosureUpstream),
        cmocka_unit_test(ClosureTimeBomb),
        cmocka_unit_test(SnapshotPolicy),
        cmocka_unit_test(KeptSnapshotIsTheNewest),
        cmocka_unit_test(GraphIsChecked),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
