// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every system call that the real host makes for a job of three masters fails once, or stalls once:
// the first call, the second, and so on until a job ends before its turn comes. Each has the
// outcome that docs/runbook.md promises: the job goes on, protection that is lost comes back by
// itself, and whatever a master dies of, the next one has all that was acknowledged. Each job is a
// process of its own, several at a time, since most of the time they wait to try again.
//
//     host_test_calls --stall SECONDS    real stalls instead; scripts/stall-check runs it
#define _GNU_SOURCE
#include "host/calls.h"
#include "host/support_engine.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_A_TIME 24u
#define SUBTASKS 12u
#define SECONDS_NS INT64_C(1000000000)
#define NOT_MET 77 // exit code: the job has ended before the fault's turn came

enum ends { // of the masters but the last
    ENDS_LATER,  // when all is durable, protection being back if it was lost
    ENDS_AT_LOSS // as soon as protection is lost
};

struct sweep {
    enum calls_fault fault;
    int os_error;
    enum recoup_host_durability durability;
    enum ends ends;
};

// Finishes the next subtasks and waits; returns how many finishes are acknowledged.
static uint32_t work(struct engine *engine, const struct sweep *sweep, uint32_t until)
{
    uint64_t numbers[SUBTASKS];
    uint32_t first = engine_finished(engine);
    uint32_t acknowledged = first;

    assert_true(until > first && until <= SUBTASKS);
    for (uint32_t i = first; i < until; i++) {
        uint64_t before = engine->accepted;

        assert_int_equal(engine_finish(engine, i), 0);
        // What is not recorded, protection being lost, has no number.
        numbers[i] = engine->accepted > before ? engine->accepted : UINT64_MAX;
    }
    if (sweep->ends == ENDS_AT_LOSS) {
        engine_wait_durable_or_lost(engine, engine->accepted);
    } else {
        engine_wait_restored(engine, engine->lost);
        engine_wait_durable(engine, engine->accepted);
        assert_true(engine->lost <= 1); // one fault
    }
    while (acknowledged < until && numbers[acknowledged] <= engine->durable) {
        acknowledged++;
    }
    return acknowledged;
}

static void begin(struct engine *engine, uint32_t acknowledged)
{
    struct recoup_stage stage;

    engine_start(engine);
    engine_wait_recovered(engine);
    assert_int_equal(engine->recovery_error, 0);
    assert_true(engine_finished(engine) >= acknowledged);
    recoup_stage(recoup_host_job(engine->host), 0, &stage);
    if (!stage.initialized) {
        assert_int_equal(acknowledged, 0);
        assert_int_equal(engine_initialize(engine), 0);
    }
}

// The job is over: its log is removed, or is still there for the next master, who knows. If it is
// only in doubt whether the removal is durable, the next master finds the log, or nothing.
static void end(struct engine *engine)
{
    struct recoup_event stop = {.type = RECOUP_EVENT_STOP};

    stop.stop.clear = true;
    assert_int_equal(recoup_host_step(engine->host, &stop, NULL), 0);
    engine_wait_stopped(engine);
    if (engine->stop_error == 0) {
        assert_int_equal(access(engine->directory, F_OK), -1);
        assert_int_equal(errno, ENOENT);
        return;
    }
    assert_true(engine->failures > 0);
    enum recoup_action_type failed = engine->failure.operation;
    engine_crash(engine);
    engine_start(engine);
    while (!engine->stopped && !engine->recovered) {
        assert_int_equal(engine->recovery_error, 0);
        uv_run(&engine->loop, UV_RUN_ONCE);
    }
    if (engine->stopped) {
        assert_true(engine->job_ended);
    } else if (engine->kind == RECOUP_RECOVERED_LOG) {
        assert_int_equal(engine_finished(engine), SUBTASKS);
    } else {
        assert_int_equal(failed, RECOUP_ACTION_REMOVE);
    }
}

static void job(struct engine *engine, const struct sweep *sweep)
{
    engine->stage.parallelism = SUBTASKS;
    engine->config.durability = sweep->durability;
    engine->options.snapshot_min_pause_ns = 0; // each finish is a recovery point
    engine->first = true;
    begin(engine, 0);
    engine->first = false;
    uint32_t acknowledged = work(engine, sweep, 3);
    if (acknowledged == 3 && engine->lost == engine->restored) {
        acknowledged = work(engine, sweep, 5);
    }
    unsigned failures = engine->failures;
    engine_crash(engine);
    begin(engine, acknowledged);
    // Only the end of the stage closes a file and removes those before it.
    acknowledged = work(engine, sweep, SUBTASKS);
    failures += engine->failures;
    engine_crash(engine);
    begin(engine, acknowledged);
    if (engine_finished(engine) < SUBTASKS) {
        (void)work(engine, sweep, SUBTASKS);
    }
    failures += engine->failures;
    end(engine);
    failures += engine->failures;
    if (sweep->fault == CALLS_STALL) {
        assert_int_equal(failures, 0);
    }
}

// In a process of its own.
static int run_one(const struct sweep *sweep, unsigned nth)
{
    struct engine *engine = calloc(1, sizeof *engine);

    assert_non_null(engine);
    engine_init(engine, RECOUP_PROFILE_HARDENED);
    if (sweep->fault == CALLS_FAIL) {
        calls_fail(nth, sweep->os_error);
    } else {
        calls_stall(nth, NULL, 30 * MILLISECOND);
    }
    job(engine, sweep);
    bool met = calls_met();
    engine_release(engine);
    free(engine);
    return met ? 0 : NOT_MET;
}

// Calls `first` to `first` + AT_A_TIME - 1. False if the last of them was not met by its job.
static bool run_some(const struct sweep *sweep, unsigned first)
{
    pid_t processes[AT_A_TIME];
    bool met = true;
    unsigned failed = 0;

    fflush(NULL);
    for (unsigned i = 0; i < AT_A_TIME; i++) {
        processes[i] = fork();
        assert_true(processes[i] >= 0);
        if (processes[i] == 0) {
            _exit(run_one(sweep, first + i));
        }
    }
    for (unsigned i = 0; i < AT_A_TIME; i++) {
        int status;

        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (code != 0 && code != NOT_MET) {
            print_error("call %u: exit code %d\n", first + i, code);
            failed++;
        }
        met = code != NOT_MET;
    }
    assert_int_equal(failed, 0);
    return met;
}

static void run_all(const struct sweep *sweep)
{
    unsigned first = 1;

    while (run_some(sweep, first)) {
        first += AT_A_TIME;
        assert_true(first < 2000);
    }
    print_message("  every call up to one of %u to %u\n", first, first + AT_A_TIME - 1);
    assert_true(first > 2 * AT_A_TIME); // a job makes many calls
}

// --- tests --------------------------------------------------------------------------------------

static void a_call_fails_and_the_job_goes_on(void **state)
{
    (void)state;
    run_all(&(struct sweep){CALLS_FAIL, EIO, RECOUP_HOST_MACHINE_AT_FLUSH, ENDS_LATER});
    run_all(&(struct sweep){CALLS_FAIL, ENOSPC, RECOUP_HOST_MACHINE_AT_SYNC, ENDS_LATER});
}

static void a_call_fails_and_the_master_dies_of_it(void **state)
{
    (void)state;
    run_all(&(struct sweep){CALLS_FAIL, EIO, RECOUP_HOST_MACHINE_AT_SYNC, ENDS_AT_LOSS});
}

static void a_call_stalls(void **state)
{
    (void)state;
    run_all(&(struct sweep){CALLS_STALL, 0, RECOUP_HOST_MACHINE_AT_FLUSH, ENDS_LATER});
}

// --- a long stall -------------------------------------------------------------------------------

#define HELD_FINISHES 50u // that a job takes while a call does not return

struct stalled {
    uint32_t accepted;   // finishes, while the call did not return
    int64_t longest_ns;  // one of these steps
    int64_t oldest_ns;   // that the oldest of them had waited for to be durable, in the end
};

static int64_t clock_ns(void)
{
    return (int64_t)uv_hrtime();
}

// Goes on finishing while the call does not return: for so many seconds, or, with 0, until there
// are HELD_FINISHES. Returns the next subtask.
static uint32_t finish_meanwhile(struct engine *engine, unsigned seconds, uint32_t next,
                                 struct stalled *out)
{
    while (seconds > 0 ? !calls_over() : out->accepted < HELD_FINISHES) {
        bool met = calls_met();
        struct recoup_stats stats;
        int64_t before_ns = clock_ns();

        if (next < ENGINE_SUBTASKS - 1) {
            assert_int_equal(engine_finish(engine, next++), 0);
            out->accepted += met ? 1 : 0;
        }
        if (met && clock_ns() - before_ns > out->longest_ns) {
            out->longest_ns = clock_ns() - before_ns;
        }
        uv_run(&engine->loop, UV_RUN_NOWAIT);
        recoup_stats(recoup_host_job(engine->host), &stats);
        assert_true(stats.protected_now);
        int64_t waited_ns = clock_ns() - stats.oldest_not_durable_ns; // negative: none waits
        if (met && waited_ns > out->oldest_ns) {
            out->oldest_ns = waited_ns;
        }
        if (seconds > 0 || !met) {
            uv_sleep(met ? 100 : 1);
        }
        assert_true(next < ENGINE_SUBTASKS - 1 || met);
    }
    return next;
}

// A call of this name does not return: the job goes on, nothing is lost, and all is durable when
// the call has returned.
static void stall_one(const char *name, unsigned seconds, struct stalled *out)
{
    struct sweep sweep = {CALLS_STALL, 0, RECOUP_HOST_MACHINE_AT_SYNC, ENDS_LATER};
    struct engine *engine = calloc(1, sizeof *engine);

    assert_non_null(engine);
    memset(out, 0, sizeof *out);
    engine_init(engine, RECOUP_PROFILE_HARDENED);
    engine->config.durability = sweep.durability;
    engine->options.snapshot_min_pause_ns = 0;
    engine->first = true;
    begin(engine, 0);
    engine->first = false;
    uint32_t next = work(engine, &sweep, SUBTASKS);
    if (seconds > 0) {
        calls_stall(1, name, (int64_t)seconds * SECONDS_NS);
    } else {
        calls_hold(1, name);
    }
    next = finish_meanwhile(engine, seconds, next, out);
    calls_let_go();
    engine_wait_durable(engine, engine->accepted);
    assert_int_equal(engine->lost + engine->failures, 0);
    engine_crash(engine);
    begin(engine, next);
    assert_int_equal(engine_finished(engine), next);
    engine_release(engine);
    free(engine);
}

static void a_job_goes_on_while_a_call_does_not_return(void **state)
{
    static const char *const names[] = {"write", "fdatasync"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stalled out;

        stall_one(names[i], 0, &out);
        assert_int_equal(out.accepted, HELD_FINISHES);
    }
}

// Real time, told by the argument.
static unsigned asked_seconds;

static void a_real_stall(void **state)
{
    static const char *const names[] = {"write", "fdatasync"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stalled out;

        stall_one(names[i], asked_seconds, &out);
        printf("%s does not return for %u s: %" PRIu32 " finishes accepted meanwhile, the longest "
               "step took %.1f ms, the oldest waited %.1f s to be durable; protection never lost, "
               "all durable afterwards and recovered by the next master\n",
               names[i], asked_seconds, out.accepted, (double)out.longest_ns * 1e-6,
               (double)out.oldest_ns * 1e-9);
        assert_true(out.accepted > 0);
    }
}

// A check that fails in a child jumps back into the test: the child ends here.
static int note_process(void **state)
{
    pid_t *pid = malloc(sizeof *pid);

    assert_non_null(pid);
    *pid = getpid();
    *state = pid;
    return 0;
}

static int end_child(void **state)
{
    pid_t *pid = *state;

    if (*pid != getpid()) {
        fprintf(stderr, "the call was %s\n", calls_name());
        fflush(NULL);
        _exit(1);
    }
    free(pid);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_fails_and_the_job_goes_on, note_process, end_child),
        cmocka_unit_test_setup_teardown(a_call_fails_and_the_master_dies_of_it, note_process,
                                        end_child),
        cmocka_unit_test_setup_teardown(a_call_stalls, note_process, end_child),
        cmocka_unit_test(a_job_goes_on_while_a_call_does_not_return),
    };
    static const struct CMUnitTest real[] = {cmocka_unit_test(a_real_stall)};

    if (argc == 3 && strcmp(argv[1], "--stall") == 0) {
        asked_seconds = (unsigned)strtoul(argv[2], NULL, 10);
        if (asked_seconds == 0 || asked_seconds > 3600) {
            fprintf(stderr, "--stall takes 1 to 3600 seconds, not '%s'\n", argv[2]);
            return 2;
        }
        return check_main(1, argv, "host stalls", real);
    }
    return check_main(argc, argv, "host calls", tests);
}
