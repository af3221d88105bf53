// SPDX-License-Identifier: GPL-3.0-or-later
//
// One step does a bounded amount of work: at most the records of one read, or one pass over the
// subtasks, however long the log has become. Records that are replayed, written and checkpointed
// are counted at the library's own seams (by the linker), allocations and actions from outside.
#include "recovery/replay.h"
#include "recovery/store.h"
#include "tests/testing/support_engine.h"

enum { SUBTASKS = 3000, READ_BYTES = 4096, RECORD_MIN = 24 }; // bytes of a frame without a body

struct counts {
    uint64_t replayed;
    uint64_t written;
    uint64_t checkpointed;
    uint64_t allocations;
    uint64_t bytes;
    uint64_t actions;
};

static struct counts now; // of the step under way; the wrapped calls have no context
static struct counts most;

int __real_recoup__replay_record(struct recoup__replay *replay, const struct recoup__record *record,
                                 const struct recoup__position *position);
int __wrap_recoup__replay_record(struct recoup__replay *replay, const struct recoup__record *record,
                                 const struct recoup__position *position);
int __real_recoup__store_write(struct recoup__store *store, struct recoup__actions *actions,
                               int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                               uint64_t *sequence);
int __wrap_recoup__store_write(struct recoup__store *store, struct recoup__actions *actions,
                               int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                               uint64_t *sequence);
int __real_recoup__store_checkpoint_write(struct recoup__store *store, int64_t now_ns,
                                          const struct recoup__record *record);
int __wrap_recoup__store_checkpoint_write(struct recoup__store *store, int64_t now_ns,
                                          const struct recoup__record *record);

int __wrap_recoup__replay_record(struct recoup__replay *replay, const struct recoup__record *record,
                                 const struct recoup__position *position)
{
    now.replayed++;
    return __real_recoup__replay_record(replay, record, position);
}

int __wrap_recoup__store_write(struct recoup__store *store, struct recoup__actions *actions,
                               int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                               uint64_t *sequence)
{
    now.written++;
    return __real_recoup__store_write(store, actions, now_ns, record, flags, sequence);
}

int __wrap_recoup__store_checkpoint_write(struct recoup__store *store, int64_t now_ns,
                                          const struct recoup__record *record)
{
    now.checkpointed++;
    return __real_recoup__store_checkpoint_write(store, now_ns, record);
}

static void *counting_allocate(void *context, size_t size)
{
    (void)context;
    now.allocations++;
    now.bytes += size;
    return malloc(size);
}

static void counting_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

struct loop {
    struct recoup_job *job;
    struct recoup_testing_host *host;
    struct recoup_action operation;
    bool busy;
    bool recovered;
    uint32_t reset; // to be confirmed, 0: none
    int64_t now_ns;
    uint64_t attempts;
    uint64_t epoch;
};

static void larger(uint64_t *a, uint64_t b)
{
    *a = b > *a ? b : *a;
}

static void one_step(struct loop *loop, const struct recoup_event *event)
{
    struct recoup_update update;

    memset(&now, 0, sizeof now);
    assert_int_equal(recoup_step(loop->job, loop->now_ns, event, &update), 0);
    now.actions = update.n_actions;
    larger(&most.replayed, now.replayed);
    larger(&most.written, now.written);
    larger(&most.checkpointed, now.checkpointed);
    larger(&most.allocations, now.allocations);
    larger(&most.bytes, now.bytes);
    larger(&most.actions, now.actions);
    for (uint32_t i = 0; i < update.n_actions; i++) {
        const struct recoup_action *action = &update.actions[i];

        if (action->type <= RECOUP_ACTION_REMOVE) {
            loop->operation = *action;
            loop->busy = true;
        } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
            loop->reset = action->reset_subtasks.confirm ? action->reset_subtasks.reset : 0;
        } else if (action->type == RECOUP_ACTION_RECOVERED) {
            loop->recovered = true;
        } else {
            assert_int_not_equal(action->type, RECOUP_ACTION_RECOVERY_FAILED);
        }
    }
}

static void run(struct loop *loop, const struct recoup_event *first)
{
    struct recoup_event event = *first;

    for (uint32_t turn = 0;; turn++) {
        assert_true(turn < 1000000);
        one_step(loop, &event);
        if (loop->busy) {
            assert_int_equal(recoup_testing_perform(loop->host, &loop->operation, &event), 0);
            loop->busy = false;
        } else if (loop->reset != 0) {
            event = (struct recoup_event){.type = RECOUP_EVENT_RESETS_DONE};
            event.resets_done.reset = loop->reset;
            loop->reset = 0;
        } else if (recoup_deadline(loop->job) <= loop->now_ns) {
            event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
        } else {
            return;
        }
    }
}

static void start(struct loop *loop, uint64_t epoch)
{
    static const struct recoup_stage_spec stage = {SUBTASKS, 0};
    struct recoup_graph graph = {.digest = {5}, .n_stages = 1, .stages = &stage};
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph,
                                   .options = &options,
                                   .storage = recoup_testing_device(loop->host)->storage,
                                   .allocator = {counting_allocate, counting_release, NULL},
                                   .limits = {.read_bytes = READ_BYTES}};
    struct recoup_event event = {.type = RECOUP_EVENT_START, .start.epoch = epoch};

    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    options.snapshot_min_pause_ns = INT64_MAX / 4; // one recovery point is enough
    loop->epoch = epoch;
    loop->recovered = false;
    assert_int_equal(recoup_create(&config, &loop->job), 0);
    run(loop, &event);
    for (uint32_t turn = 0; !loop->recovered; turn++) {
        struct recoup_event timer = {.type = RECOUP_EVENT_TIMER};

        assert_true(turn < 100 && recoup_deadline(loop->job) < RECOUP_NEVER);
        loop->now_ns = recoup_deadline(loop->job);
        run(loop, &timer);
    }
}

// Every subtask finishes, `rounds` times, all being taken back in between.
static void work(struct loop *loop, unsigned rounds)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.parallelism = SUBTASKS;
    run(loop, &event);
    for (unsigned round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < SUBTASKS; i++) {
            event = (struct recoup_event){.type = RECOUP_EVENT_SUBTASK_FINISHED};
            event.subtask_finished.subtask = i;
            event.subtask_finished.attempt = loop->epoch << 32 | ++loop->attempts;
            run(loop, &event);
        }
        if (round + 1 < rounds) {
            struct recoup_range range = {.count = SUBTASKS};

            event = (struct recoup_event){.type = RECOUP_EVENT_SUBTASKS_FAILED};
            event.subtasks_failed.ranges = &range;
            event.subtasks_failed.n_ranges = 1;
            run(loop, &event);
        }
    }
    event = (struct recoup_event){.type = RECOUP_EVENT_STOP};
    run(loop, &event);
    recoup_destroy(loop->job);
    loop->job = NULL;
}

// A write fails, and the whole state is written once more, as a checkpoint.
static void checkpoint(struct loop *loop)
{
    struct recoup_testing_fault fault = {RECOUP_ACTION_APPEND, 1, 0, RECOUP_EIO,
                                         RECOUP_TESTING_EFFECT_NONE};
    struct recoup_range range = {.first = 7, .count = 1};
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASKS_FAILED};

    event.subtasks_failed.ranges = &range;
    event.subtasks_failed.n_ranges = 1;
    recoup_testing_fail(loop->host, &fault);
    run(loop, &event);
    for (uint32_t turn = 0; turn < 40 && recoup_deadline(loop->job) < RECOUP_NEVER; turn++) {
        event = (struct recoup_event){.type = RECOUP_EVENT_TIMER};
        loop->now_ns = recoup_deadline(loop->job);
        run(loop, &event);
    }
    assert_u64(recoup_testing_fired(loop->host), 1);
}

// Records `rounds` rounds, then recovers; what the largest step of each did.
static void measure(unsigned rounds, struct counts *recording, struct counts *recovery,
                    uint64_t *log_bytes)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();
    struct recoup_stats stats;
    struct loop loop = {.busy = false};

    recoup_testing_device_init(&device, RECOUP_TESTING_SERVERS);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &loop.host), 0);
    memset(&most, 0, sizeof most);
    start(&loop, 1);
    work(&loop, rounds);
    *recording = most;
    memset(&most, 0, sizeof most);
    start(&loop, 2);
    *recovery = most;
    recoup_stats(loop.job, &stats);
    *log_bytes = stats.replay_bytes;
    checkpoint(&loop);
    recording->checkpointed = most.checkpointed;
    recoup_destroy(loop.job);
    recoup_testing_host_destroy(loop.host);
}

static void a_step_touches_one_read_or_one_pass(void **state)
{
    struct counts recording;
    struct counts recovery;
    uint64_t log_bytes;

    (void)state;
    measure(2, &recording, &recovery, &log_bytes);
    assert_true(log_bytes > 50 * READ_BYTES);
    // Replaying: the records of one read, and one that began in the read before.
    assert_true(recovery.replayed > 10);
    assert_true(recovery.replayed <= READ_BYTES / RECORD_MIN + 1);
    // Recording: the event's own record.
    assert_true(recording.written <= 2);
    assert_u64(recording.replayed, 0);
    // A checkpoint part: one pass over the state (the last record may have found no room).
    assert_true(recording.checkpointed <= SUBTASKS + 1);
    assert_true(recording.checkpointed >= SUBTASKS);
    assert_true(recording.actions <= 16);
    print_message("  the most in one step: %" PRIu64 " records replayed, %" PRIu64
                  " written, %" PRIu64 " checkpointed; allocations %" PRIu64 " recording, %" PRIu64
                  " recovering; actions %" PRIu64 " and %" PRIu64 "\n",
                  recovery.replayed, recording.written, recording.checkpointed,
                  recording.allocations, recovery.allocations, recording.actions, recovery.actions);
}

// A history four times as long makes more steps, not larger ones.
static void a_longer_history_makes_no_step_larger(void **state)
{
    struct counts recording[2];
    struct counts recovery[2];
    uint64_t log_bytes[2];

    (void)state;
    measure(2, &recording[0], &recovery[0], &log_bytes[0]);
    measure(8, &recording[1], &recovery[1], &log_bytes[1]);
    assert_true(log_bytes[1] > 3 * log_bytes[0]);
    assert_true(recovery[1].replayed <= recovery[0].replayed + 1);
    assert_true(recovery[1].allocations <= recovery[0].allocations + 2);
    assert_true(recovery[1].actions <= recovery[0].actions + 2);
    assert_true(recording[1].written <= recording[0].written);
    assert_true(recording[1].allocations <= recording[0].allocations + 2);
    assert_true(recording[1].actions <= recording[0].actions + 2);
    assert_true(recording[1].checkpointed <= recording[0].checkpointed);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_touches_one_read_or_one_pass),
        cmocka_unit_test(a_longer_history_makes_no_step_larger),
    };

    return check_main(argc, argv, "testing_bounded_work", tests);
}
