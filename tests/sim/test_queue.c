// SPDX-License-Identifier: GPL-3.0-or-later
//
// The queue by small cases that can be read: order, ties, cancelling, running out of memory.
#include "check.h"
#include "sim/fingerprint.h"
#include "sim/queue.h"

struct fixture {
    struct sim_arena arena;
    struct sim_queue queue;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        return -1;
    }
    sim_arena_init(&f->arena, 0);
    *state = f;
    return sim_queue_init(&f->queue, &f->arena, 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sim_queue_release(&f->queue);
    sim_arena_release(&f->arena);
    free(f);
    return 0;
}

static void push(struct sim_queue *q, int64_t time_ns, enum sim_class c, uint64_t arg)
{
    assert_i64(sim_queue_push(q, time_ns, c, 1, 2, arg), 0);
}

static void expect_pop(struct sim_queue *q, int64_t time_ns, uint64_t arg)
{
    struct sim_event event = {0};

    assert_true(sim_queue_pop(q, &event));
    assert_time_ns(event.time_ns, time_ns);
    assert_u64(event.arg, arg);
    assert_time_ns(sim_queue_now(q), time_ns);
}

static void expect_empty(struct sim_queue *q)
{
    struct sim_event event = {0};
    int64_t now_ns = sim_queue_now(q);

    assert_false(sim_queue_pop(q, &event));
    assert_u64(sim_queue_count(q), 0);
    assert_time_ns(sim_queue_now(q), now_ns);
}

static void empty_queue_pops_nothing(void **state)
{
    struct fixture *f = *state;

    expect_empty(&f->queue);
    assert_time_ns(sim_queue_now(&f->queue), 0);
    push(&f->queue, 5, SIM_CLASS_TIMER, 1);
    assert_u64(sim_queue_count(&f->queue), 1);
    expect_pop(&f->queue, 5, 1);
    expect_empty(&f->queue);
}

static void events_keep_all_their_fields(void **state)
{
    struct fixture *f = *state;
    struct sim_event event = {0};
    uint64_t handle;

    assert_i64(sim_queue_push(&f->queue, 7, SIM_CLASS_TIMER, UINT32_MAX, UINT32_MAX, UINT64_MAX),
               0);
    assert_i64(sim_queue_push_cancellable(&f->queue, 7, SIM_CLASS_TIMER, 3, 4, UINT64_MAX - 1,
                                          &handle), 0);
    assert_true(sim_queue_pop(&f->queue, &event));
    assert_u64(event.kind, UINT32_MAX);
    assert_u64(event.entity, UINT32_MAX);
    assert_u64(event.arg, UINT64_MAX);
    assert_u64(sim_event_class(&event), SIM_CLASS_TIMER);
    assert_u64(sim_event_sequence(&event), 0);
    assert_true(sim_queue_pop(&f->queue, &event));
    assert_u64(event.kind, 3);
    assert_u64(event.entity, 4);
    assert_u64(event.arg, UINT64_MAX - 1);
    assert_u64(event.order & SIM_ORDER_CANCELLABLE, 0);
    assert_u64(sim_event_sequence(&event), 1);
}

// At one instant: faults, then happenings, then timers, each in order of scheduling.
static void ties_go_by_class_then_sequence(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 0; i < 100; i++) {
        push(&f->queue, 10, SIM_CLASS_TIMER, 2000 + i);
        push(&f->queue, 10, SIM_CLASS_HAPPENING, 1000 + i);
        push(&f->queue, 10, SIM_CLASS_FAULT, i);
    }
    for (uint64_t c = 0; c < 3; c++) {
        for (uint64_t i = 0; i < 100; i++) {
            expect_pop(&f->queue, 10, 1000 * c + i);
        }
    }
    expect_empty(&f->queue);
}

// What is pushed at the current instant still goes by class.
static void classes_hold_for_pushes_at_now(void **state)
{
    struct fixture *f = *state;

    push(&f->queue, 10, SIM_CLASS_TIMER, 1);
    push(&f->queue, 10, SIM_CLASS_TIMER, 2);
    push(&f->queue, 10, SIM_CLASS_TIMER, 3);
    expect_pop(&f->queue, 10, 1);
    push(&f->queue, 10, SIM_CLASS_TIMER, 4);
    push(&f->queue, 10, SIM_CLASS_HAPPENING, 5);
    push(&f->queue, 11, SIM_CLASS_FAULT, 9);
    expect_pop(&f->queue, 10, 5);
    expect_pop(&f->queue, 10, 2);
    push(&f->queue, 10, SIM_CLASS_HAPPENING, 6);
    push(&f->queue, 10, SIM_CLASS_FAULT, 7);
    expect_pop(&f->queue, 10, 7);
    expect_pop(&f->queue, 10, 6);
    expect_pop(&f->queue, 10, 3);
    expect_pop(&f->queue, 10, 4);
    expect_pop(&f->queue, 11, 9);
}

// The same with more events at one instant than a sorted bucket holds, and at every level.
static void classes_hold_in_crowds(void **state)
{
    struct fixture *f = *state;

    for (int level = 0; level < 15; level++) {
        int64_t time_ns = sim_queue_now(&f->queue) + (INT64_C(3) << (4 * level));

        for (uint64_t i = 0; i < 200; i++) {
            push(&f->queue, time_ns, (enum sim_class)(2 - i % 3), i);
        }
        for (uint64_t c = 0; c < 3; c++) {
            for (uint64_t i = 2 - c; i < 200; i += 3) {
                expect_pop(&f->queue, time_ns, i);
            }
        }
    }
    expect_empty(&f->queue);
}

static void times_of_every_size_are_ordered(void **state)
{
    struct fixture *f = *state;

    for (int bit = 61; bit >= 0; bit--) {
        push(&f->queue, INT64_C(1) << bit, SIM_CLASS_HAPPENING, (uint64_t)bit);
    }
    push(&f->queue, INT64_MAX - 1, SIM_CLASS_HAPPENING, 99);
    push(&f->queue, 0, SIM_CLASS_HAPPENING, 77);
    expect_pop(&f->queue, 0, 77);
    for (uint64_t bit = 0; bit <= 61; bit++) {
        expect_pop(&f->queue, INT64_C(1) << bit, bit);
    }
    expect_pop(&f->queue, INT64_MAX - 1, 99);
    push(&f->queue, INT64_MAX - 1, SIM_CLASS_TIMER, 100);
    push(&f->queue, INT64_MAX - 1, SIM_CLASS_FAULT, 101);
    expect_pop(&f->queue, INT64_MAX - 1, 101);
    expect_pop(&f->queue, INT64_MAX - 1, 100);
    expect_empty(&f->queue);
}

static void past_and_never_are_refused(void **state)
{
    struct fixture *f = *state;
    struct sim_queue *q = &f->queue;

    push(q, 10, SIM_CLASS_HAPPENING, 1);
    expect_pop(q, 10, 1);
#ifdef NDEBUG
    assert_i64(sim_queue_push(q, 9, SIM_CLASS_HAPPENING, 0, 0, 0), SIM_EINVAL);
    assert_i64(sim_queue_push(q, -1, SIM_CLASS_HAPPENING, 0, 0, 0), SIM_EINVAL);
    assert_i64(sim_queue_push(q, INT64_MAX, SIM_CLASS_HAPPENING, 0, 0, 0), SIM_EINVAL);
#else
    expect_assert_failure(sim_queue_push(q, 9, SIM_CLASS_HAPPENING, 0, 0, 0));
    expect_assert_failure(sim_queue_push(q, -1, SIM_CLASS_HAPPENING, 0, 0, 0));
    expect_assert_failure(sim_queue_push(q, INT64_MAX, SIM_CLASS_HAPPENING, 0, 0, 0));
#endif
    assert_u64(sim_queue_count(q), 0);
    push(q, 10, SIM_CLASS_HAPPENING, 2);
    expect_pop(q, 10, 2);
}

static uint64_t push_handle(struct sim_queue *q, int64_t time_ns, uint64_t arg)
{
    uint64_t handle = SIM_NO_HANDLE;

    assert_i64(sim_queue_push_cancellable(q, time_ns, SIM_CLASS_TIMER, 1, 2, arg, &handle), 0);
    assert_true(handle != SIM_NO_HANDLE);
    return handle;
}

static void cancelled_events_do_not_come(void **state)
{
    struct fixture *f = *state;
    struct sim_queue *q = &f->queue;
    uint64_t a = push_handle(q, 10, 1);
    uint64_t b = push_handle(q, 20, 2);
    uint64_t c = push_handle(q, 20, 3);

    assert_u64(sim_queue_count(q), 3);
    assert_true(sim_queue_pending(q, b));
    assert_true(sim_queue_cancel(q, b));
    assert_false(sim_queue_pending(q, b));
    assert_false(sim_queue_cancel(q, b));
    assert_u64(sim_queue_count(q), 2);
    expect_pop(q, 10, 1);
    assert_false(sim_queue_cancel(q, a));
    expect_pop(q, 20, 3);
    assert_false(sim_queue_cancel(q, c));
    expect_empty(q);
}

// A slot is used again, and the old handle does not reach its new event.
static void stale_handles_reach_nothing(void **state)
{
    struct fixture *f = *state;
    struct sim_queue *q = &f->queue;
    uint64_t first = push_handle(q, 10, 1);
    uint64_t second;

    expect_pop(q, 10, 1);
    second = push_handle(q, 20, 2);
    assert_true(first != second);
    assert_u64((uint32_t)first, (uint32_t)second); // the same slot
    assert_false(sim_queue_cancel(q, first));
    assert_false(sim_queue_cancel(q, SIM_NO_HANDLE));
    assert_false(sim_queue_cancel(q, UINT64_MAX));
    expect_pop(q, 20, 2);
}

// The clock stays when only cancelled events were left, and earlier pushes are still right.
static void clock_ignores_cancelled_events(void **state)
{
    struct fixture *f = *state;
    struct sim_queue *q = &f->queue;

    push(q, 10, SIM_CLASS_HAPPENING, 1);
    expect_pop(q, 10, 1);
    for (int64_t i = 0; i < 50; i++) {
        assert_true(sim_queue_cancel(q, push_handle(q, 1000 * (i + 1), 0)));
    }
    expect_empty(q);
    assert_time_ns(sim_queue_now(q), 10);
    push(q, 30, SIM_CLASS_HAPPENING, 3);
    push(q, 11, SIM_CLASS_HAPPENING, 2);
    push(q, 10, SIM_CLASS_HAPPENING, 4);
    expect_pop(q, 10, 4);
    expect_pop(q, 11, 2);
    expect_pop(q, 30, 3);
}

// Far timeouts that are cancelled do not pile up: the queue's memory stays bounded.
static void cancelled_events_are_dropped_early(void **state)
{
    struct fixture *f = *state;
    struct sim_queue *q = &f->queue;
    uint64_t keep = push_handle(q, INT64_C(1) << 50, 7);
    uint64_t bytes;

    for (int64_t i = 0; i < 20000; i++) {
        assert_true(sim_queue_cancel(q, push_handle(q, (INT64_C(1) << 40) + i, 0)));
    }
    bytes = sim_arena_bytes(&f->arena);
    for (int64_t i = 0; i < 1000000; i++) {
        assert_true(sim_queue_cancel(q, push_handle(q, (INT64_C(1) << 40) + i, 0)));
    }
    assert_u64(sim_arena_bytes(&f->arena), bytes);
    assert_true(q->stored < 20000);
    assert_u64(sim_queue_count(q), 1);
    assert_true(sim_queue_pending(q, keep));
    expect_pop(q, INT64_C(1) << 50, 7);
    expect_empty(q);
}

// Permuted ties: every event still comes once, classes and times hold, and the order of equals
// depends on the seed and is not the order of scheduling.
static void permuted(uint64_t seed, uint64_t *args)
{
    struct sim_arena arena;
    struct sim_queue q;
    struct sim_event event = {0};
    uint64_t seen = 0;

    sim_arena_init(&arena, 0);
    assert_i64(sim_queue_init(&q, &arena, 0), 0);
    assert_i64(sim_queue_permute_ties(&q, seed), 0);
    for (uint64_t i = 0; i < 30; i++) {
        push(&q, 10, i < 10 ? SIM_CLASS_TIMER : SIM_CLASS_FAULT, i);
    }
    assert_true(sim_queue_cancel(&q, push_handle(&q, 10, 63)));
    push(&q, 5, SIM_CLASS_TIMER, 30);
    assert_u64(sim_queue_count(&q), 31);
    expect_pop(&q, 5, 30);
    for (int i = 0; i < 30; i++) {
        assert_true(sim_queue_pop(&q, &event));
        assert_u64(sim_event_class(&event), i < 20 ? SIM_CLASS_FAULT : SIM_CLASS_TIMER);
        assert_u64(sim_event_sequence(&event), event.arg);
        seen |= (uint64_t)1 << event.arg;
        args[i] = event.arg;
    }
    assert_u64(seen, (UINT64_C(1) << 30) - 1);
    expect_empty(&q);
    sim_arena_release(&arena);
}

static void ties_can_be_permuted(void **state)
{
    uint64_t one[30];
    uint64_t again[30];
    uint64_t two[30];
    struct fixture *f = *state;
    uint64_t in_order = 0;

    permuted(1, one);
    permuted(1, again);
    permuted(2, two);
    assert_memory_equal(one, again, sizeof(one));
    assert_memory_not_equal(one, two, sizeof(one));
    for (int i = 1; i < 20; i++) {
        in_order += one[i] > one[i - 1];
    }
    assert_true(in_order > 2 && in_order < 17);
    push(&f->queue, 1, SIM_CLASS_TIMER, 0);
    assert_i64(sim_queue_permute_ties(&f->queue, 1), SIM_EINVAL);
}

// A small run that needs every kind of memory of the queue; the number of pops, or -1 when an
// allocation failed. A failed push leaves the queue as it was.
static int64_t busy_run(struct sim_arena *arena, bool permute)
{
    struct sim_queue q;
    struct sim_event event = {0};
    uint64_t handle;
    uint64_t pushed = 0;
    int64_t popped = 0;
    bool failed = sim_queue_init(&q, arena, 0) != 0 ||
                  (permute && sim_queue_permute_ties(&q, 1) != 0);

    for (uint64_t i = 0; i < 5000 && !failed; i++) {
        int status = i % 2 == 0 ? sim_queue_push(&q, (int64_t)(i * 7919 % 65536),
                                                 SIM_CLASS_TIMER, 0, 0, i)
                                : sim_queue_push_cancellable(&q, (int64_t)(i * 7919 % 65536),
                                                             SIM_CLASS_TIMER, 0, 0, i, &handle);

        assert_true(status == 0 || status == SIM_ENOMEM);
        failed = status != 0;
        pushed += status == 0;
        assert_u64(sim_queue_count(&q), pushed);
    }
    // Popping needs no memory, so whatever went in comes out, even after a failure.
    while (pushed > 0) {
        int64_t before_ns = sim_queue_now(&q);

        assert_true(sim_queue_pop(&q, &event));
        assert_true(event.time_ns >= before_ns);
        pushed--;
        popped++;
    }
    return failed ? -1 : popped;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int permute = 0; permute < 2; permute++) {
        uint64_t failures = 0;
        int64_t popped = -1;

        for (uint64_t n = 1; popped < 0; n++) {
            struct sim_arena arena;

            sim_arena_init(&arena, 0);
            sim_arena_fail_at(&arena, n);
            popped = busy_run(&arena, permute != 0);
            failures += popped < 0;
            sim_arena_release(&arena);
        }
        assert_i64(popped, 5000);
        assert_true(failures > 5);
    }
}

// The arena's promise: the second run takes nothing from the system.
static void second_run_allocates_nothing(void **state)
{
    struct sim_arena arena;
    uint64_t allocations;

    (void)state;
    sim_arena_init(&arena, 0);
    assert_i64(busy_run(&arena, false), 5000);
    allocations = sim_arena_system_allocations(&arena);
    assert_true(allocations > 0);
    sim_arena_reset(&arena);
    assert_i64(busy_run(&arena, false), 5000);
    assert_u64(sim_arena_system_allocations(&arena), allocations);
    sim_arena_release(&arena);
}

// Pushes events of spread times and pops them all; each that was said to come comes.
static void events_ahead_come(void **state)
{
    struct sim_queue *q = &((struct fixture *)*state)->queue;
    struct sim_event event = {0};
    struct sim_event next = {0};
    uint32_t known = 0;
    bool expected = false;

    for (uint64_t i = 0; i < 3000; i++) {
        push(q, (int64_t)(i * 7919 % 3001) * 1000003, SIM_CLASS_HAPPENING, i);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        assert_true(sim_queue_pop(q, &event));
        if (expected) {
            assert_u64(event.arg, next.arg);
            assert_time_ns(event.time_ns, next.time_ns);
        }
        expected = sim_queue_sorted(q) > 0;
        next = expected ? *sim_queue_ahead(q, 0) : next;
        for (uint32_t k = 1; k < sim_queue_sorted(q); k++) {
            assert_true(sim_event_before(sim_queue_ahead(q, k - 1), sim_queue_ahead(q, k)));
        }
        known += expected ? 1 : 0;
    }
    assert_true(known > 1500); // most are sorted before they come
    expect_empty(q);
    assert_u64(sim_queue_sorted(q), 0);
}

// What is due now comes before all that is sorted.
static void the_present_is_ahead_of_all(void **state)
{
    struct sim_queue *q = &((struct fixture *)*state)->queue;

    push(q, 10, SIM_CLASS_HAPPENING, 1);
    push(q, 20, SIM_CLASS_HAPPENING, 2);
    expect_pop(q, 10, 1);
    assert_u64(sim_queue_sorted(q), 1);
    assert_u64(sim_queue_ahead(q, 0)->arg, 2);
    for (uint64_t i = 0; i < 3; i++) {
        push(q, 10, SIM_CLASS_TIMER, 3 + i);
    }
    assert_u64(sim_queue_sorted(q), 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_u64(sim_queue_ahead(q, 0)->arg, 3 + i);
        assert_u64(sim_queue_ahead(q, (uint32_t)(2 - i))->arg, 5);
        expect_pop(q, 10, 3 + i);
    }
    assert_u64(sim_queue_sorted(q), 1);
    expect_pop(q, 20, 2);
}

// More events of one instant than one chunk holds: each is known before it comes.
static void a_crowd_of_the_present_is_known(void **state)
{
    struct sim_queue *q = &((struct fixture *)*state)->queue;

    for (uint64_t i = 0; i < 100; i++) {
        push(q, 1000, SIM_CLASS_HAPPENING, i);
    }
    expect_pop(q, 1000, 0);
    for (uint64_t i = 1; i < 100; i++) {
        assert_true(sim_queue_sorted(q) > 0);
        assert_true(sim_queue_sorted(q) <= 100 - i);
        assert_u64(sim_queue_ahead(q, 0)->arg, i);
        assert_u64(sim_queue_ahead(q, sim_queue_sorted(q) - 1)->arg, i + sim_queue_sorted(q) - 1);
        expect_pop(q, 1000, i);
    }
    assert_u64(sim_queue_sorted(q), 0);
}

int main(int argc, char **argv)
{
#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        WITH_QUEUE(empty_queue_pops_nothing),
        WITH_QUEUE(events_keep_all_their_fields),
        WITH_QUEUE(ties_go_by_class_then_sequence),
        WITH_QUEUE(classes_hold_for_pushes_at_now),
        WITH_QUEUE(classes_hold_in_crowds),
        WITH_QUEUE(times_of_every_size_are_ordered),
        WITH_QUEUE(past_and_never_are_refused),
        WITH_QUEUE(cancelled_events_do_not_come),
        WITH_QUEUE(stale_handles_reach_nothing),
        WITH_QUEUE(clock_ignores_cancelled_events),
        WITH_QUEUE(cancelled_events_are_dropped_early),
        WITH_QUEUE(ties_can_be_permuted),
        WITH_QUEUE(events_ahead_come),
        WITH_QUEUE(the_present_is_ahead_of_all),
        WITH_QUEUE(a_crowd_of_the_present_is_known),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(second_run_allocates_nothing),
    };

    return check_main(argc, argv, "sim_queue", tests);
}
