// SPDX-License-Identifier: GPL-3.0-or-later
//
// The bounds of docs/runbook.md hold: what may wait, when THROTTLE comes and goes, how much may
// still come after it, and how late DURABLE is.
#include "recovery/testing/crash.h"
#include "tests/testing/support_engine.h"

enum { SUBTASKS = 4096, FRAME = 53, PAYLOAD_FRAME = 57, WAITING = 40000 };

struct bench {
    struct recoup_job *job;
    struct recoup_testing_host *host;
    struct recoup_action operation;
    bool busy;
    uint32_t snapshot; // of the shuffle master, asked for; 0: none
    bool recovered;
    bool throttled;
    bool lost;
    int lost_error;
    uint64_t durable;
    int64_t now_ns;
    uint32_t finished;
    uint64_t accepted;
};

static void step(struct bench *b, const struct recoup_event *event)
{
    struct recoup_update update;

    assert_int_equal(recoup_step(b->job, b->now_ns, event, &update), 0);
    b->accepted = update.event;
    for (uint32_t i = 0; i < update.n_actions; i++) {
        const struct recoup_action *action = &update.actions[i];

        if (action->type <= RECOUP_ACTION_REMOVE) {
            b->operation = *action;
            b->busy = true;
        } else if (action->type == RECOUP_ACTION_THROTTLE) {
            b->throttled = action->throttle.on;
        } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
            b->lost = true;
            b->lost_error = action->protection_lost.error;
        } else if (action->type == RECOUP_ACTION_DURABLE) {
            b->durable = action->durable.event;
        } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT) {
            b->snapshot = action->take_snapshot.snapshot;
        } else if (action->type == RECOUP_ACTION_RECOVERED) {
            b->recovered = true;
        }
    }
}

static void complete(struct bench *b)
{
    struct recoup_event event;

    assert_true(b->busy);
    assert_int_equal(recoup_testing_perform(b->host, &b->operation, &event), 0);
    b->busy = false;
    step(b, &event);
}

static void finish(struct bench *b, uint32_t payload_bytes)
{
    static const uint8_t payload[1000];
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};

    event.subtask_finished.subtask = b->finished++;
    event.subtask_finished.attempt = UINT64_C(1) << 32 | b->finished;
    event.subtask_finished.payload = payload;
    event.subtask_finished.payload_bytes = payload_bytes;
    step(b, &event);
    if (b->snapshot != 0) {
        uint64_t accepted = b->accepted;

        event = (struct recoup_event){.type = RECOUP_EVENT_SNAPSHOT};
        event.snapshot.snapshot = b->snapshot;
        event.snapshot.coordinator = RECOUP_SHUFFLE;
        b->snapshot = 0;
        step(b, &event);
        b->accepted = accepted;
    }
}

// A running job whose stage is initialized, everything written so far being durable.
static void begin(struct bench *b)
{
    static const struct recoup_stage_spec stage = {SUBTASKS, 0};
    struct recoup_graph graph = {.digest = {6}, .n_stages = 1, .stages = &stage};
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph,
                                   .options = &options,
                                   .allocator = allocator,
                                   .limits = {.waiting_bytes = WAITING}};
    struct recoup_event event = {.type = RECOUP_EVENT_START, .start.epoch = 1};

    memset(b, 0, sizeof *b);
    recoup_testing_device_init(&device, RECOUP_TESTING_SERVERS);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &b->host), 0);
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    options.snapshot_min_pause_ns = INT64_MAX / 4;
    options.write_buffer_bytes = 1024;
    config.storage = device.storage;
    assert_int_equal(recoup_create(&config, &b->job), 0);
    step(b, &event);
    for (uint32_t turn = 0; !b->recovered || b->busy; turn++) {
        assert_true(turn < 100);
        complete(b);
    }
    event = (struct recoup_event){.type = RECOUP_EVENT_STAGE_INITIALIZED};
    event.stage_initialized.parallelism = SUBTASKS;
    step(b, &event);
    while (b->busy) {
        complete(b);
    }
}

static void end(struct bench *b)
{
    recoup_destroy(b->job);
    recoup_testing_host_destroy(b->host);
}

static uint64_t waiting(const struct bench *b)
{
    struct recoup_stats stats;

    recoup_stats(b->job, &stats);
    return stats.bytes_waiting;
}

// Storage hangs with an operation under way: what comes next waits.
static void hang(struct bench *b)
{
    for (uint32_t turn = 0; !b->busy; turn++) {
        assert_true(turn < 200);
        finish(b, 0);
    }
}

static void throttle_leaves_a_quarter(void **state)
{
    struct bench b;
    uint64_t after = 0;

    (void)state;
    begin(&b);
    hang(&b);
    while (!b.throttled) {
        assert_true(waiting(&b) < WAITING);
        finish(&b, 0);
    }
    // What is behind THROTTLE(on) is less than one record more than three quarters.
    while (after + FRAME <= WAITING / 4 - FRAME) {
        finish(&b, 0);
        assert_int_not_equal(b.accepted, 0);
        after += FRAME;
    }
    assert_false(b.lost);
    assert_true(b.throttled);
    while (b.throttled) { // goes when half of it is left at most
        complete(&b);
    }
    assert_true(waiting(&b) <= WAITING / 2 + 1024);
    assert_false(b.lost);
    end(&b);
}

static void beyond_the_limit_protection_ends(void **state)
{
    struct bench b;

    (void)state;
    begin(&b);
    hang(&b);
    for (uint32_t i = 0; !b.lost; i++) {
        assert_true(i * (uint64_t)(PAYLOAD_FRAME + 500) <= WAITING + 1024);
        finish(&b, 500);
    }
    assert_int_equal(b.lost_error, RECOUP_ELIMIT);
    assert_u64(b.accepted, 0);
    end(&b);
}

// Durable at flush, operations that take no time: acknowledged one flush interval later at most.
static void durable_comes_within_a_flush_interval(void **state)
{
    struct bench b;

    (void)state;
    begin(&b);
    for (uint32_t i = 0; i < 200; i++) {
        struct recoup_event timer = {.type = RECOUP_EVENT_TIMER};
        int64_t accepted_ns;
        uint64_t event;

        int64_t next_ns = b.now_ns + 137 * MILLISECOND;

        while (recoup_deadline(b.job) <= next_ns) {
            b.now_ns = recoup_deadline(b.job);
            step(&b, &timer);
            while (b.busy) {
                complete(&b);
            }
        }
        b.now_ns = next_ns;
        finish(&b, 0);
        event = b.accepted;
        accepted_ns = b.now_ns;
        while (b.busy) {
            complete(&b);
        }
        while (b.durable < event) {
            assert_true(recoup_deadline(b.job) <= accepted_ns + SECOND);
            b.now_ns = recoup_deadline(b.job);
            step(&b, &timer);
            while (b.busy) {
                complete(&b);
            }
        }
    }
    end(&b);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttle_leaves_a_quarter),
        cmocka_unit_test(beyond_the_limit_protection_ends),
        cmocka_unit_test(durable_comes_within_a_flush_interval),
    };

    return check_main(argc, argv, "testing_bounds", tests);
}
