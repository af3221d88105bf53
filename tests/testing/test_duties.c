// SPDX-License-Identifier: GPL-3.0-or-later
//
// The watch over an engine's duties: an engine that keeps them is clean through two masters, and
// each duty that is broken on purpose is named.
#include "recovery/testing/duties.h"
#include "tests/testing/support_engine.h"

struct watched {
    struct recoup_testing_host *host;
    struct cluster cluster;
    struct engine engine;
    struct recoup_duties duties;
};

static int watched_step(struct engine *engine, const struct recoup_event *event,
                        struct recoup_update *update)
{
    struct recoup_duties *duties = engine->context;

    if (event->type == RECOUP_EVENT_SUBTASK_FINISHED) {
        recoup_duties_scheduled(duties, engine->job, event->subtask_finished.stage,
                                event->subtask_finished.subtask);
    }
    return recoup_duties_step(duties, engine->job, engine->now_ns, event, update);
}

static void master(struct watched *w, uint64_t epoch)
{
    struct recoup_graph graph = graph_lines();
    struct recoup_allocator allocator = engine_allocator();

    engine_init(&w->engine, w->host, &w->cluster, &graph, RECOUP_PROFILE_HARDENED);
    recoup_duties_init(&w->duties, &allocator, epoch - 1, 0);
    recoup_duties_worker(&w->duties, 0, true);
    recoup_duties_worker(&w->duties, 1, true);
    w->engine.step = watched_step;
    w->engine.context = &w->duties;
    w->engine.fail_once = true;
    engine_start(&w->engine, epoch);
}

static void setup(struct watched *w)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();

    memset(w, 0, sizeof *w);
    recoup_testing_device_init(&device, RECOUP_TESTING_DISK);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &w->host), 0);
}

static void end_master(struct watched *w)
{
    recoup_duties_release(&w->duties);
    engine_destroy(&w->engine);
}

static void teardown(struct watched *w)
{
    end_master(w);
    recoup_testing_host_destroy(w->host);
}

static void clean(const struct watched *w)
{
    for (uint32_t i = 0; i < w->duties.n && i < RECOUP_DUTIES_FINDINGS_MAX; i++) {
        print_error("D%u at step %" PRIu64 ": %s\n", w->duties.findings[i].duty,
                    w->duties.findings[i].step, w->duties.findings[i].text);
    }
    assert_u64(w->duties.n, 0);
    assert_int_equal(w->duties.error, 0);
}

static void a_good_engine_is_clean(void **state)
{
    struct watched w;

    (void)state;
    setup(&w);
    w.engine.die_at = UINT64_MAX;
    master(&w, 1);
    w.engine.die_at = w.engine.operations + 20;
    engine_run(&w.engine);
    assert_true(w.engine.dead);
    clean(&w);
    end_master(&w);
    recoup_testing_crash_worst(w.host, RECOUP_TESTING_POWER_LOSS);
    master(&w, 2);
    assert_true(w.engine.from_log);
    engine_run(&w.engine);
    recoup_duties_committed(&w.duties, w.engine.history.durable);
    engine_stop(&w.engine, true);
    recoup_duties_end(&w.duties);
    clean(&w);
    teardown(&w);
}

// The first finding is of that duty.
static void broken(const struct watched *w, unsigned duty)
{
    if (w->duties.n == 0 || w->duties.findings[0].duty != duty) {
        fail_msg("expected a finding of D%u, found %u of D%u: %s", duty, w->duties.n,
                 w->duties.n > 0 ? w->duties.findings[0].duty : 0,
                 w->duties.n > 0 ? w->duties.findings[0].text : "");
    }
    assert_true(strlen(w->duties.findings[0].text) > 10);
}

static void finish(struct watched *w, uint32_t subtask, uint64_t attempt)
{
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    struct recoup_update update;

    event.subtask_finished.subtask = subtask;
    event.subtask_finished.attempt = attempt;
    (void)recoup_duties_step(&w->duties, w->engine.job, w->engine.now_ns, &event, &update);
}

static void initialize(struct watched *w)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.parallelism = 3;
    engine_event(&w->engine, &event);
}

static void plain(struct watched *w, enum recoup_event_type type, int64_t now_ns)
{
    struct recoup_event event = {.type = type};
    struct recoup_update update;

    (void)recoup_duties_step(&w->duties, w->engine.job, now_ns, &event, &update);
}

static void break_time(struct watched *w)
{
    plain(w, RECOUP_EVENT_TIMER, w->engine.now_ns - 1);
}

static void break_overlap(struct watched *w)
{
    w->duties.in_step = true; // as a callback within the step sees it
    plain(w, RECOUP_EVENT_TIMER, w->engine.now_ns);
    w->duties.in_step = false;
}

static void break_answer(struct watched *w)
{
    plain(w, RECOUP_EVENT_IO, w->engine.now_ns);
}

static void break_timer(struct watched *w)
{
    initialize(w);
    assert_true(recoup_deadline(w->engine.job) < RECOUP_NEVER);
    plain(w, RECOUP_EVENT_TIMER, recoup_deadline(w->engine.job) + 1);
}

static void break_schedule(struct watched *w)
{
    initialize(w);
    assert_true(engine_finish(&w->engine, 0, 0));
    recoup_duties_scheduled(&w->duties, w->engine.job, 0, 0);
}

static void break_start(struct watched *w)
{
    struct recoup_event event = {.type = RECOUP_EVENT_START, .start.epoch = 1};
    struct recoup_update update;

    (void)recoup_duties_step(&w->duties, w->engine.job, w->engine.now_ns, &event, &update);
}

static void break_attempt(struct watched *w)
{
    initialize(w);
    finish(w, 0, 77); // not of epoch 1
}

static void break_attempt_again(struct watched *w)
{
    initialize(w);
    finish(w, 0, UINT64_C(1) << 32 | 500);
    clean(w);
    finish(w, 1, UINT64_C(1) << 32 | 500);
}

static void break_report(struct watched *w)
{
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_REPORT};
    struct recoup_update update;

    recoup_duties_worker(&w->duties, 7, true);
    event.worker_report.worker = 7;
    (void)recoup_duties_step(&w->duties, w->engine.job, w->engine.now_ns, &event, &update);
}

static void break_commit(struct watched *w)
{
    recoup_duties_committed(&w->duties, w->engine.history.durable + 1);
}

static void break_confirm(struct watched *w)
{
    struct recoup_event event = {.type = RECOUP_EVENT_RESETS_DONE, .resets_done.reset = 99};
    struct recoup_update update;

    (void)recoup_duties_step(&w->duties, w->engine.job, w->engine.now_ns, &event, &update);
}

static void break_end(struct watched *w)
{
    plain(w, RECOUP_EVENT_LEADERSHIP_LOST, w->engine.now_ns);
    clean(w);
    plain(w, RECOUP_EVENT_TIMER, w->engine.now_ns);
}

// A failed subtask's reset is not confirmed yet, and its attempt's finish is stepped all the same.
static void break_cancelled(struct watched *w)
{
    struct recoup_range range = {.stage = 0, .first = 0, .count = 1};
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASKS_FAILED};
    struct recoup_update update;

    initialize(w);
    assert_true(engine_finish(&w->engine, 0, 0));
    event.subtasks_failed.ranges = &range;
    event.subtasks_failed.n_ranges = 1;
    assert_int_equal(
        recoup_duties_step(&w->duties, w->engine.job, w->engine.now_ns, &event, &update), 0);
    finish(w, 0, UINT64_C(1) << 32 | 501);
}

static void each_broken_duty_is_named(void **state)
{
    static const struct {
        unsigned duty;
        void (*act)(struct watched *w);
    } cases[] = {
        {1, break_time},       {1, break_overlap}, {3, break_answer},   {5, break_timer},
        {6, break_schedule},   {7, break_start},   {8, break_attempt},  {8, break_attempt_again},
        {9, break_report},     {10, break_commit}, {11, break_confirm}, {12, break_end},
        {13, break_cancelled},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct watched w;

        setup(&w);
        master(&w, 1);
        clean(&w);
        cases[i].act(&w);
        broken(&w, cases[i].duty);
        teardown(&w);
    }
}

// A worker that was asked and never answered is found at the end.
static void a_missing_report_is_found_at_the_end(void **state)
{
    struct watched w;

    (void)state;
    setup(&w);
    master(&w, 1);
    engine_run(&w.engine);
    end_master(&w);
    recoup_testing_crash_worst(w.host, RECOUP_TESTING_POWER_LOSS);
    master(&w, 2);
    recoup_duties_end(&w.duties);
    clean(&w);
    recoup_duties_worker(&w.duties, 2, true); // profile hardened still asks
    recoup_duties_end(&w.duties);
    broken(&w, 9);
    teardown(&w);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_engine_is_clean),
        cmocka_unit_test(each_broken_duty_is_named),
        cmocka_unit_test(a_missing_report_is_found_at_the_end),
    };

    return check_main(argc, argv, "testing_duties", tests);
}
