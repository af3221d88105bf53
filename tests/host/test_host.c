// SPDX-License-Identifier: GPL-3.0-or-later
//
// The real host on a real folder: what is acknowledged comes back, steps never overlap, a host can
// end at any moment and leaves nothing behind in the loop.
#define _GNU_SOURCE
#include "host/support_engine.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static void finish_many(struct engine *engine, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(engine_finish(engine, i), 0);
    }
}

// One life after the other: each finds what the one before was told to be durable.
static void recovers_what_was_durable(void **state)
{
    static const enum recoup_host_durability durabilities[] = {
        RECOUP_HOST_PROCESS, RECOUP_HOST_MACHINE_AT_SYNC, RECOUP_HOST_MACHINE_AT_FLUSH};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct engine engine;

        engine_init(&engine, RECOUP_PROFILE_HARDENED);
        engine.config.durability = durabilities[i];
        engine_start(&engine);
        engine_wait_recovered(&engine);
        assert_int_equal(engine.kind, RECOUP_RECOVERED_NOTHING);
        assert_int_equal(engine_initialize(&engine), 0);
        // The last finish ends the stage, which is durable in every durability.
        finish_many(&engine, ENGINE_SUBTASKS);
        engine_wait_durable(&engine, engine.accepted);
        assert_int_equal(engine.nested, RECOUP_EMISUSE);
        engine_crash(&engine);
        engine_start(&engine);
        engine_wait_recovered(&engine);
        assert_int_equal(engine.kind, RECOUP_RECOVERED_LOG);
        assert_int_equal(engine_finished(&engine), ENGINE_SUBTASKS);
        assert_int_equal(engine.failures, 0);
        engine_release(&engine);
    }
}

// With the flush interval as the only reason to write, durability comes at a tick, and not before
// the interval has passed: timers are neither lost nor early.
static void flush_interval_is_kept(void **state)
{
    struct engine engine;
    int64_t begun_ns;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    engine.options.flush_interval_ns = 100 * MILLISECOND;
    engine_start(&engine);
    begun_ns = recoup_host_now_ns();
    engine_wait_recovered(&engine);
    assert_int_equal(engine_initialize(&engine), 0);
    assert_int_equal(engine_finish(&engine, 0), 0);
    engine_wait_durable(&engine, engine.accepted);
    // The first finish is a recovery point and flushed at once; the next waits for a tick.
    assert_int_equal(engine_finish(&engine, 1), 0);
    engine_wait_durable(&engine, engine.accepted);
    assert_true(recoup_host_now_ns() - begun_ns >= 90 * MILLISECOND);
    engine_release(&engine);
}

// A life from its start until `n` subtasks are finished and durable.
static void run_through(struct engine *engine, uint32_t n)
{
    struct recoup_stage stage;

    engine_start(engine);
    engine_wait_recovered(engine);
    recoup_stage(recoup_host_job(engine->host), 0, &stage);
    if (!stage.initialized) {
        assert_int_equal(engine_initialize(engine), 0);
    }
    for (uint32_t i = engine_finished(engine); i < n; i++) {
        assert_int_equal(engine_finish(engine, i), 0);
    }
    engine_wait_durable(engine, engine->accepted);
}

// The host ends after the k-th round of the loop, for every k of a recovery's first 60: the loop is
// empty afterwards, and the next master recovers what the one before had durable.
static void ends_after_any_round_of_the_loop(void **state)
{
    struct engine engine;
    unsigned cancelled = 0;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    run_through(&engine, 100);
    engine_crash(&engine);
    for (unsigned rounds = 0; rounds < 60; rounds++) {
        engine_start(&engine);
        for (unsigned i = 0; i < rounds && !engine.recovered; i++) {
            uv_run(&engine.loop, UV_RUN_ONCE);
        }
        cancelled += engine.recovered ? 0 : 1;
        engine_crash(&engine);
        assert_true(engine.destroyed);
    }
    assert_true(cancelled > 5); // else nothing was interrupted
    engine_start(&engine);
    engine_wait_recovered(&engine);
    assert_int_equal(engine_finished(&engine), 100);
    engine_release(&engine);
}

// The same, with the end asked for by the n-th command itself.
static void may_be_destroyed_by_a_command(void **state)
{
    struct engine engine;
    unsigned n = 1;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    run_through(&engine, 100);
    engine_crash(&engine);
    for (;; n++) {
        engine.destroy_at = n;
        engine_start(&engine);
        while (!engine.destroyed && !engine.recovered) {
            uv_run(&engine.loop, UV_RUN_ONCE);
        }
        if (!engine.destroyed && engine.commands < n) {
            break; // recovered before the n-th command
        }
        engine_crash(&engine);
    }
    assert_true(n > 3);
    engine.destroy_at = 0;
    assert_int_equal(engine_finished(&engine), 100);
    engine_release(&engine);
}

// Leadership is lost while a write is under way: nothing is commanded any more, and the next master
// reads a prefix.
static void loses_leadership_at_any_round(void **state)
{
    struct recoup_event lost = {.type = RECOUP_EVENT_LEADERSHIP_LOST};
    struct engine engine;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    for (unsigned rounds = 0; rounds < 20; rounds++) {
        unsigned commands;
        uint64_t durable;

        run_through(&engine, 10 + rounds);
        assert_int_equal(engine_finish(&engine, 10 + rounds), 0);
        for (unsigned i = 0; i < rounds % 5; i++) {
            uv_run(&engine.loop, UV_RUN_NOWAIT);
        }
        assert_int_equal(recoup_host_step(engine.host, &lost, NULL), 0);
        commands = engine.commands;
        durable = engine.durable;
        assert_int_equal(engine_finish(&engine, 200), RECOUP_EMISUSE);
        for (unsigned i = 0; i < 5; i++) {
            uv_run(&engine.loop, UV_RUN_NOWAIT);
        }
        assert_int_equal(engine.commands, commands);
        assert_int_equal(engine.durable, durable);
        engine_crash(&engine);
    }
    engine_release(&engine);
}

struct scarce {
    unsigned n;
    unsigned fails_at;
    unsigned failed;
    unsigned live;
};

static void *scarce_allocate(void *context, size_t size)
{
    struct scarce *scarce = context;

    if (++scarce->n == scarce->fails_at) {
        scarce->failed++;
        return NULL;
    }
    scarce->live++;
    return malloc(size);
}

static void scarce_release(void *context, void *memory, size_t size)
{
    struct scarce *scarce = context;

    (void)size;
    scarce->live -= memory != NULL ? 1 : 0;
    free(memory);
}

// Each allocation of the job fails once: the host repeats its own steps, and the job runs on.
static void runs_on_when_memory_runs_out(void **state)
{
    struct scarce scarce = {.fails_at = UINT_MAX};
    struct engine engine;
    unsigned created;
    unsigned needed;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    engine.config.allocator = (struct recoup_allocator){scarce_allocate, scarce_release, &scarce};
    run_through(&engine, 40);
    engine_crash(&engine);
    scarce.n = 0;
    engine_start(&engine);
    created = scarce.n; // creation and START are the engine's to repeat
    engine_wait_recovered(&engine);
    needed = scarce.n;
    engine_crash(&engine);
    assert_true(needed > created + 3);
    for (unsigned i = created + 1; i <= needed; i++) {
        scarce.n = 0;
        scarce.fails_at = i;
        engine_start(&engine);
        engine_wait_recovered(&engine);
        assert_int_equal(engine.recovery_error, 0);
        assert_int_equal(engine_finished(&engine), 40);
        engine_crash(&engine);
        assert_int_equal(scarce.live, 0);
    }
    assert_int_equal(scarce.failed, needed - created);
    engine_release(&engine);
}

// Events that come through next_event, with their numbers, up to a whole stage.
static void steps_the_engines_queue(void **state)
{
    struct engine engine;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    run_through(&engine, 1);
    engine.next = 1;
    engine.finishes = ENGINE_SUBTASKS - 1;
    engine.hold = true;
    assert_int_equal(engine_finish(&engine, 1), 0); // the queue is left alone
    engine.next = 2;
    engine.finishes = ENGINE_SUBTASKS - 2;
    engine.hold = false;
    engine_wait_durable(&engine, engine.accepted);
    while (engine.finishes > 0) {
        uv_run(&engine.loop, UV_RUN_ONCE);
    }
    engine_wait_durable(&engine, engine.accepted);
    assert_int_equal(engine_finished(&engine), ENGINE_SUBTASKS);
    engine_release(&engine);
}

static void fails_and_runs_again(void **state)
{
    struct recoup_range range = {0, 3, 5};
    struct recoup_event failed = {.type = RECOUP_EVENT_SUBTASKS_FAILED};
    struct engine engine;
    uint64_t number;

    (void)state;
    failed.subtasks_failed.ranges = &range;
    failed.subtasks_failed.n_ranges = 1;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    run_through(&engine, 20);
    assert_int_equal(recoup_host_step(engine.host, &failed, &number), 0);
    assert_true(number > engine.accepted);
    assert_int_equal(engine.n_resets, 0); // RESETS_DONE was asked for by next_event
    engine_wait_durable(&engine, number);
    engine_crash(&engine);
    engine_start(&engine);
    engine_wait_recovered(&engine);
    for (uint32_t i = 0; i < 20; i++) {
        struct recoup_subtask subtask;

        recoup_subtask(recoup_host_job(engine.host), 0, i, &subtask);
        assert_int_equal(subtask.finished, i < 3 || i >= 8);
    }
    engine_release(&engine);
}

// An orderly end keeps the log, or removes it with its folder.
static void stops(void **state)
{
    struct engine engine;
    struct stat status;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    run_through(&engine, 20);
    assert_int_equal(recoup_host_stop(engine.host, false), 0);
    engine_wait_stopped(&engine);
    assert_int_equal(recoup_host_stop(engine.host, false), RECOUP_EMISUSE);
    engine_crash(&engine);
    run_through(&engine, 21);
    assert_int_equal(engine.kind, RECOUP_RECOVERED_LOG);
    assert_int_equal(recoup_host_stop(engine.host, true), 0);
    engine_wait_stopped(&engine);
    assert_int_equal(stat(engine.directory, &status), -1);
    assert_int_equal(errno, ENOENT);
    engine_release(&engine);
}

// Two hosts on one folder: the older one is fenced off by the names of the younger.
static void a_younger_master_fences_the_older(void **state)
{
    struct engine old;
    struct engine young;
    char own[sizeof old.directory];

    (void)state;
    engine_init(&old, RECOUP_PROFILE_HARDENED);
    engine_init(&young, RECOUP_PROFILE_HARDENED);
    snprintf(own, sizeof own, "%s", young.directory);
    snprintf(young.directory, sizeof young.directory, "%s", old.directory);
    run_through(&old, 10);
    young.epoch = 5;
    run_through(&young, 20);
    assert_int_equal(engine_finish(&old, 300), 0); // it does not know yet
    engine_wait_durable(&old, old.accepted);
    engine_crash(&old);
    engine_crash(&young);
    engine_start(&young);
    engine_wait_recovered(&young);
    assert_int_equal(engine_finished(&young), 20); // without 300
    snprintf(young.directory, sizeof young.directory, "%s", own);
    engine_release(&young);
    engine_release(&old);
}

static void refuses_a_wrong_configuration(void **state)
{
    struct engine engine;
    struct recoup_host *host;
    struct recoup_host_config config;
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};
    char path[RECOUP_HOST_PATH_MAX + 2];

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    config = engine.config;
    config.loop = NULL;
    assert_int_equal(recoup_host_create(&config, &host), RECOUP_EINVAL);
    assert_null(host);
    config = engine.config;
    config.directory = "";
    assert_int_equal(recoup_host_create(&config, &host), RECOUP_EINVAL);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    config.directory = path;
    assert_int_equal(recoup_host_create(&config, &host), RECOUP_EINVAL);
    config = engine.config;
    config.engine->durable = NULL;
    assert_int_equal(recoup_host_create(&config, &host), RECOUP_EINVAL);
    assert_int_equal(recoup_host_create(NULL, &host), RECOUP_EINVAL);
    recoup_host_destroy(NULL, NULL, NULL);
    engine_release(&engine);
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    engine_start(&engine);
    assert_int_equal(recoup_host_step(engine.host, &event, NULL), RECOUP_EMISUSE);
    event.type = RECOUP_EVENT_IO;
    assert_int_equal(recoup_host_step(engine.host, &event, NULL), RECOUP_EMISUSE);
    assert_int_equal(recoup_host_step(NULL, &event, NULL), RECOUP_EINVAL);
    engine_release(&engine);
}

static void errno_has_one_meaning(void **state)
{
    (void)state;
    assert_int_equal(recoup_host_error(0), RECOUP_OK);
    assert_int_equal(recoup_host_error(ENOSPC), RECOUP_ENOSPC);
    assert_int_equal(recoup_host_error(EDQUOT), RECOUP_ENOSPC);
    assert_int_equal(recoup_host_error(EFBIG), RECOUP_ENOSPC);
    assert_int_equal(recoup_host_error(EEXIST), RECOUP_EEXIST);
    assert_int_equal(recoup_host_error(ENOENT), RECOUP_ENOENT);
    assert_int_equal(recoup_host_error(EACCES), RECOUP_EACCES);
    assert_int_equal(recoup_host_error(EROFS), RECOUP_EACCES);
    assert_int_equal(recoup_host_error(EMFILE), RECOUP_ELIMIT);
    assert_int_equal(recoup_host_error(EIO), RECOUP_EIO);
    assert_int_equal(recoup_host_error(ENXIO), RECOUP_EIO);
    for (int i = 1; i < 200; i++) {
        assert_true(recoup_host_error(i) < 0);
        // A step would take it for its own shortage and be repeated for ever.
        assert_int_not_equal(recoup_host_error(i), RECOUP_ENOMEM);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(recovers_what_was_durable),
    cmocka_unit_test(flush_interval_is_kept),
    cmocka_unit_test(ends_after_any_round_of_the_loop),
    cmocka_unit_test(may_be_destroyed_by_a_command),
    cmocka_unit_test(loses_leadership_at_any_round),
    cmocka_unit_test(runs_on_when_memory_runs_out),
    cmocka_unit_test(steps_the_engines_queue),
    cmocka_unit_test(fails_and_runs_again),
    cmocka_unit_test(stops),
    cmocka_unit_test(a_younger_master_fences_the_older),
    cmocka_unit_test(refuses_a_wrong_configuration),
    cmocka_unit_test(errno_has_one_meaning),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "host", tests);
}
