// SPDX-License-Identifier: GPL-3.0-or-later
//
// Outputs that come back after the wait (H30, recovery/adopt.h): what is offered, what an answer
// makes of it, what the next master finds.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

// a (4 subtasks) -> point-wise -> b (4) -> point-wise -> c (4) -> all-to-all -> d (2); and e (2),
// whose coordinator cannot be restored, -> point-wise -> f (2)
static const struct recoup_stage_spec stages[] = {{.parallelism = 4}, {.parallelism = 4},
                                                  {.parallelism = 4}, {.parallelism = 2},
                                                  {.parallelism = 2}, {.parallelism = 2}};
static const struct recoup_edge_spec edges[] = {{0, 1, RECOUP_POINTWISE},
                                                {1, 2, RECOUP_POINTWISE},
                                                {2, 3, RECOUP_ALL_TO_ALL},
                                                {4, 5, RECOUP_POINTWISE}};
static const struct recoup_coordinator_spec coordinators[] = {{4, false}};
static const struct recoup_graph graph = {.digest = {6},
                                          .n_stages = 6,
                                          .stages = stages,
                                          .n_edges = 4,
                                          .edges = edges,
                                          .n_coordinators = 1,
                                          .coordinators = coordinators};

struct world {
    struct disk disk;
    struct master master;
    struct recoup_partition kept[MASTER_LIST_MAX]; // by the workers, when the first master died
    unsigned n_kept;
};

static void finish_range(struct master *master, uint32_t stage, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        assert_int_equal(master_finish(master, stage, i), 0);
}

static void report(struct world *world, uint32_t worker)
{
    assert_int_equal(master_report(&world->master, worker, world->kept, world->n_kept), 0);
}

// The first master, every stage initialized.
static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct master *master = &world->master;

    assert_non_null(world);
    disk_init(&world->disk);
    master_init(master, &world->disk, &graph, RECOUP_PROFILE_HARDENED);
    master->options.policy[RECOUP_POLICY_WAIT] = 0;
    assert_int_equal(master_start(master, 1), 0);
    master_advance(master, 0);
    for (uint32_t s = 0; s < 6; s++)
        assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    if (world->master.job != NULL)
        master_crash(&world->master);
    assert_int_equal(world->master.bytes, 0);
    disk_release(&world->disk);
    free(world);
    return 0;
}

// All of a and b are finished, and `some` of c. Inputs that are consumed are released.
static void record(struct master *master, uint32_t some)
{
    finish_range(master, 0, 0, 4);
    finish_range(master, 1, 0, 4);
    finish_range(master, 2, 0, some);
    master_advance(master, master->now_ns + 2 * SECOND);
}

// The second master waits in vain for worker 3.
static void without_worker_3(struct world *world)
{
    struct master *master = &world->master;

    world->n_kept = master->n_held;
    memcpy(world->kept, master->held, world->n_kept * sizeof world->kept[0]);
    master_restart(master, 2);
    for (uint32_t worker = 0; worker < 3; worker++)
        report(world, worker);
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_true(master->recovered);
    master_clear_trace(master);
}

// a was consumed and is released, b[3] lies on worker 3: both are made anew, until b[3] is back.
static int open_without_3(void **state)
{
    struct world *world;

    open_world(state);
    world = *state;
    record(&world->master, 0);
    without_worker_3(world);
    return 0;
}

// The same, and what is offered is not answered yet.
static int open_holding(void **state)
{
    open_without_3(state);
    ((struct world *)*state)->master.hold_adoptions = true;
    return 0;
}

static void OneOutputBringsItsInputsBack(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;
    uint8_t before[16], after[16];

    record(master, 0);
    master_hash(master, before);
    without_worker_3(world);
    assert_false(master_finished(master, 0, 3));
    assert_false(master_finished(master, 1, 3));
    assert_true(master_finished(master, 1, 2));
    report(world, 3);
    assert_string_equal(master->trace, "offer 0.3+1 1.3+1\nadopt 0.3+1 1.3+1\ntrack 1.3@3\n");
    assert_int_equal(master_attempt(master, 1, 3) >> 32, 1);
    master_hash(master, after);
    assert_memory_equal(before, after, sizeof before);
    report(world, 3); // nothing new
    assert_string_equal(master->trace, "offer 0.3+1 1.3+1\nadopt 0.3+1 1.3+1\ntrack 1.3@3\n");
}

// The adoption is a finish in the log: the next master finds it if it became durable.
static void expect_of_next_master(struct world *world, bool durable)
{
    struct master *master = &world->master;

    report(world, 3);
    assert_true(master_finished(master, 1, 3));
    if (durable)
        master_advance(master, master->now_ns + 2 * SECOND);
    master_restart(master, 3);
    for (uint32_t worker = 0; worker < 4; worker++)
        report(world, worker);
    assert_true(master->recovered);
    assert_int_equal(master_finished(master, 1, 3), durable);
    assert_int_equal(master_finished(master, 0, 3), durable);
}

static void TheNextMasterKnows(void **state)
{
    expect_of_next_master(*state, true);
}

static void TheNextMasterKnowsNothingThatWasNotDurable(void **state)
{
    expect_of_next_master(*state, false);
}

// A host that gives nothing up makes it anew; the old output is released when that is done.
static void NothingAgreedNothingAdopted(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    report(world, 3);
    assert_string_equal(master->trace, "offer 0.3+1 1.3+1\n");
    assert_int_equal(master_adopt(master, NULL, 0), 0);
    finish_range(master, 0, 3, 1);
    master_clear_trace(master);
    finish_range(master, 1, 3, 1);
    assert_non_null(strstr(master->trace, "release 1.3@3\n"));
    assert_int_equal(master_attempt(master, 1, 3) >> 32, 2);
}

static void expect_nothing_adopted(const struct master *master)
{
    assert_null(strstr(master->trace, "adopt "));
    assert_false(master_finished(master, 1, 3));
}

// What the host refuses is not asked for again by itself: it knows why, and the library does not.
// It is part of the next question, which comes with the next output that returns or with the next
// reset that is carried out, as long as it has not been made anew.
static void refuse(struct world *world)
{
    struct master *master = &world->master;

    report(world, 3);
    assert_string_equal(master->trace, "offer 0.3+1 1.3+1\n");
    assert_int_equal(master_adopt(master, NULL, 0), 0);
    master_clear_trace(master);
    report(world, 3); // nothing new has come back
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_null(strstr(master->trace, "offer"));
}

static void agree_now(struct master *master)
{
    assert_non_null(strstr(master->trace, "offer 0.3+1 1.3+1\n"));
    assert_int_equal(master_adopt(master, master->offered, master->n_offered), 0);
    assert_true(master_finished(master, 1, 3));
    assert_int_equal(master_attempt(master, 1, 3) >> 32, 1);
}

static void ARefusalIsAskedAgainAfterAReset(void **state)
{
    struct world *world = *state;

    refuse(world);
    assert_int_equal(master_fail(&world->master, 0, 3, 1), 0); // its re-run
    agree_now(&world->master);
}

static void ARefusalIsAskedAgainWithTheNextOutput(void **state)
{
    struct world *world = *state;

    refuse(world);
    assert_int_equal(master_lose_worker(&world->master, 3), 0);
    report(world, 3);
    agree_now(&world->master);
}

// Inputs of two attempts never mix: what consumed the old a[3] cannot stand on the new one.
static void AnInputMadeAnewEndsIt(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    finish_range(master, 0, 3, 1);
    report(world, 3);
    assert_int_equal(master->adoption, 0);
    expect_nothing_adopted(master);
}

static void AnAnswerThatComesTooLateChangesNothing(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;
    const struct recoup_range late = {1, 3, 1};

    report(world, 3);
    finish_range(master, 0, 3, 1);
    assert_int_not_equal(master->adoption, 0);
    assert_int_equal(master_adopt(master, &late, 1), 0);
    expect_nothing_adopted(master);
}

// c[3] is finished and lost with b[3] behind it; c[0..2] wait for nothing. Worker 3 returns with
// c[3] alone: b[3] and a[3] count again though their outputs are gone, since nobody needs them.
static void WhatNobodyNeedsMayBeGone(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    record(master, 4);
    without_worker_3(world);
    assert_false(master_finished(master, 2, 3));
    report(world, 3);
    assert_non_null(strstr(master->trace, "adopt 0.3+1 1.3+1 2.3+1\n"));
    assert_true(master_finished(master, 2, 3));
}

// A worker that dies takes its offer along; the other outputs still wait for it in vain.
static void ALostWorkerTakesItsOutputsAlong(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    report(world, 3);
    assert_int_equal(master_lose_worker(master, 3), 0);
    assert_int_equal(master_adopt(master, master->offered, master->n_offered), 0);
    expect_nothing_adopted(master);
}

// A failed re-run is taken back and tried again; what comes back meanwhile still counts.
static void AFailedRerunChangesNothing(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    master->hold_resets = true;
    assert_int_equal(master_fail(master, 0, 3, 1), 0);
    report(world, 3);
    assert_null(strstr(master->trace, "offer"));
    master->hold_resets = false;
    master_settle(master);
    master_advance(master, master->now_ns);
    assert_non_null(strstr(master->trace, "adopt 0.3+1 1.3+1\n"));
}

// A stage whose coordinator started afresh cannot take its old outputs back.
static void NotBehindACoordinatorThatForgot(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    assert_int_equal(master_finish_on(master, 4, 0, 0, true), 0);
    assert_int_equal(master_finish_on(master, 4, 1, 3, true), 0);
    master_advance(master, master->now_ns + 2 * SECOND);
    without_worker_3(world);
    report(world, 3);
    assert_null(strstr(master->trace, "offer"));
    assert_non_null(strstr(master->trace, "release 4.1@3\n"));
}

static void AnswersAreChecked(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;
    const struct recoup_range bad[] = {{9, 0, 1}, {0, 4, 1}, {0, 3, 2}, {0, 0, 0}};

    assert_int_equal(master_adopt(master, NULL, 0), RECOUP_EINVAL); // nothing was asked
    report(world, 3);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t question = master->adoption;
        assert_int_equal(master_adopt(master, &bad[i], 1), RECOUP_EINVAL);
        master->adoption = question;
    }
    const struct recoup_range all[] = {{0, 0, 4}, {1, 0, 4}}; // more than was asked does no harm
    assert_int_equal(master_adopt(master, all, 2), 0);
    assert_non_null(strstr(master->trace, "adopt 0.3+1 1.3+1\n"));
}

// Without memory the late report changes nothing, or the question and the adoption come later.
static void EveryAllocationMayFail(void **state)
{
    for (unsigned fails = 0; fails < 60; fails++) {
        struct world *world;

        open_world(state);
        world = *state;
        record(&world->master, 2);
        without_worker_3(world);
        world->master.allocation_fails = world->master.allocations + fails;
        report(world, 3);
        master_advance(&world->master, world->master.now_ns);
        assert_true(master_finished(&world->master, 1, 3));
        close_world(state);
    }
}

// What could count again belongs to a recovery. When that fails for a storage that accepts nothing,
// nobody is asked about it, neither at once nor when its stage is there again.
static void AFailedRecoveryOffersNothing(void **state)
{
    struct world *world = *state;
    struct master *master = &world->master;

    record(master, 0);
    world->n_kept = master->n_held;
    memcpy(world->kept, master->held, world->n_kept * sizeof world->kept[0]);
    master_restart(master, 2);
    master->fail_from = master->operations;
    master->fail_to = UINT32_MAX;
    master->fail_error = RECOUP_EIO;
    for (uint32_t worker = 0; worker < 3; worker++)
        report(world, worker);
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_false(master->recovered);
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_RECONCILING);
    report(world, 3); // b[3] is back, too late to be in time, and early enough to be adopted
    master_advance(master, master->now_ns + 300 * SECOND);
    assert_int_equal(master->recovery_error, RECOUP_EIO);
    master_clear_trace(master);
    for (uint32_t s = 0; s < 6; s++)
        assert_int_equal(master_initialize(master, s, stages[s].parallelism), 0);
    finish_range(master, 0, 0, 4);
    report(world, 3);
    master_advance(master, master->now_ns + 60 * SECOND);
    assert_null(strstr(master->trace, "offer"));
    assert_true(master_finished(master, 0, 3));
}

#define IN(world, test) cmocka_unit_test_setup_teardown(test, world, close_world)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN(open_world, OneOutputBringsItsInputsBack),
        IN(open_without_3, TheNextMasterKnows),
        IN(open_without_3, TheNextMasterKnowsNothingThatWasNotDurable),
        IN(open_holding, NothingAgreedNothingAdopted),
        IN(open_holding, ARefusalIsAskedAgainAfterAReset),
        IN(open_holding, ARefusalIsAskedAgainWithTheNextOutput),
        IN(open_holding, AnInputMadeAnewEndsIt),
        IN(open_holding, AnAnswerThatComesTooLateChangesNothing),
        IN(open_world, WhatNobodyNeedsMayBeGone),
        IN(open_holding, ALostWorkerTakesItsOutputsAlong),
        IN(open_without_3, AFailedRerunChangesNothing),
        IN(open_world, NotBehindACoordinatorThatForgot),
        IN(open_holding, AnswersAreChecked),
        cmocka_unit_test(EveryAllocationMayFail),
        IN(open_world, AFailedRecoveryOffersNothing),
    };
    return cmocka_run_group_tests_name("recovery_job_adopt", tests, NULL, NULL);
}
