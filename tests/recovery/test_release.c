// SPDX-License-Identifier: GPL-3.0-or-later
//
// The queue of consumed partitions by itself: what is ready, and what one step takes out of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/release.h"

// Two subtasks more than one step looks at, read as a whole by one.
enum { PRODUCERS = RECOUP__RELEASE_MAX + 2 };

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

struct fixture {
    struct recoup__memory memory;
    struct recoup__graph graph;
    struct recoup__state state;
    struct recoup__actions actions;
    struct recoup__releases releases;
};

// Everything is finished but the consumer.
static void open_fixture(struct fixture *f, bool after_point)
{
    static const struct recoup_stage_spec stages[] = {{PRODUCERS, 0}, {1, 0}};
    static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_ALL_TO_ALL}};
    struct recoup_graph spec = {.n_stages = 2, .stages = stages, .n_edges = 1, .edges = edges};
    struct recoup_allocator allocator = {allocate, release, NULL};
    struct recoup__finish finish = {.has_partition = true, .available = true};
    memset(f, 0, sizeof *f);
    recoup__memory_init(&f->memory, &allocator);
    assert_int_equal(recoup__graph_init(&f->graph, &f->memory, &spec), 0);
    assert_int_equal(recoup__state_init(&f->state, &f->memory, &f->graph), 0);
    recoup__actions_init(&f->actions, &f->memory);
    recoup__releases_init(&f->releases, &f->state, after_point, true);
    assert_int_equal(recoup__state_initialize(&f->state, 0, PRODUCERS), 0);
    assert_int_equal(recoup__state_initialize(&f->state, 1, 1), 0);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        finish.attempt = i + 1;
        recoup__state_finish(&f->state, 0, i, &finish);
    }
}

// The consumer finishes, covered by recovery point `take`.
static void finish_consumer(struct fixture *f, uint32_t take)
{
    struct recoup__finish finish = {.attempt = PRODUCERS + 1};
    assert_int_equal(recoup__releases_reserve(&f->releases, 1), 0);
    recoup__state_finish(&f->state, 1, 0, &finish);
    recoup__releases_finished(&f->releases, 1, 0, take);
}

static void close_fixture(struct fixture *f)
{
    recoup__releases_release(&f->releases);
    recoup__actions_release(&f->actions);
    recoup__state_release(&f->state);
    recoup__graph_release(&f->graph, &f->memory);
    assert_int_equal(f->memory.bytes, 0);
}

// How many partitions one step releases, which must follow on those of the last.
static uint32_t drained(struct fixture *f, uint32_t first)
{
    recoup__actions_begin(&f->actions);
    assert_int_equal(recoup__actions_reserve(&f->actions, 1), 0);
    assert_int_equal(recoup__releases_drain(&f->releases, &f->actions), 0);
    if (f->actions.n == 0) {
        return 0;
    }
    assert_int_equal(f->actions.items[0].type, RECOUP_ACTION_RELEASE);
    assert_int_equal(f->actions.items[0].partitions.partitions[0].subtask, first);
    return f->actions.items[0].partitions.n_partitions;
}

// As long as something is left, the job asks for the next step at once.
static void OneStepTakesABoundedNumber(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, false);
    assert_false(recoup__releases_ready(&f.releases));
    finish_consumer(&f, 1); // no recovery point is waited for
    assert_true(recoup__releases_ready(&f.releases));
    assert_int_equal(drained(&f, 0), RECOUP__RELEASE_MAX);
    assert_true(recoup__releases_ready(&f.releases));
    assert_int_equal(drained(&f, RECOUP__RELEASE_MAX), 2);
    assert_false(recoup__releases_ready(&f.releases));
    assert_int_equal(drained(&f, 0), 0);
    close_fixture(&f);
}

// Recovery point 3 is carried by event 7: durable up to 6 nothing goes, up to 7 all of it does.
static void APointCountsWhenItsCarrierIsDurable(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, true);
    finish_consumer(&f, 3);
    recoup__releases_point(&f.releases, 2, 5);
    recoup__releases_point(&f.releases, 3, 7);
    recoup__releases_durable(&f.releases, 6);
    assert_false(recoup__releases_ready(&f.releases));
    assert_int_equal(drained(&f, 0), 0);
    recoup__releases_durable(&f.releases, 7);
    assert_true(recoup__releases_ready(&f.releases));
    assert_int_equal(drained(&f, 0), RECOUP__RELEASE_MAX);
    assert_int_equal(drained(&f, RECOUP__RELEASE_MAX), 2);
    close_fixture(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(OneStepTakesABoundedNumber),
        cmocka_unit_test(APointCountsWhenItsCarrierIsDurable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
