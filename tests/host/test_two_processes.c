// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two real processes on one directory. The old master is stopped (SIGSTOP) before its n-th system
// call, the first, the second, and so on, while it records, takes recovery points, or ends the job
// and removes its log. A new master takes over and records. Then the old one is continued: it
// finishes what it was about to do, finishes more subtasks, and stops with `clear`.
//
// Nothing that it writes is ever read, nothing that its successor needs is removed: after the
// successor has been killed, a third master finds the successor's state. The old one is told that
// it is fenced; or its end of the job had been recorded before, and then everybody is told that.
// Everything waits for pipes and for the processes themselves, nothing for a time.
#define _GNU_SOURCE
#include "host/calls.h"
#include "host/support_engine.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUBTASKS 24u
#define EARLY 4u  // finished and acknowledged before the old master may be stopped
#define LATE 8u   // finished by it around its stop
#define CALLS_MAX 400u

struct report {
    uint32_t finished;
    uint8_t hash[16];
    bool from_log;
    bool met; // it was stopped
    int stop_error;
    int lost_error;
};

struct process {
    pid_t id;
    int from; // its reports
};

struct tally {
    unsigned taken_over;
    unsigned ended;
    unsigned fenced;
};

static void tell(int to, const struct report *report)
{
    assert_int_equal(write(to, report, sizeof *report), sizeof *report);
}

static struct report hear(const struct process *process)
{
    struct report report;

    assert_int_equal(read(process->from, &report, sizeof report), sizeof report);
    return report;
}

// Starts the host of a master on the folder that the parent has made.
static void begin(struct engine *engine, const char *directory, uint64_t epoch)
{
    engine_init(engine, RECOUP_PROFILE_HARDENED);
    assert_int_equal(rmdir(engine->directory), 0);
    snprintf(engine->directory, sizeof engine->directory, "%s", directory);
    engine->stage.parallelism = SUBTASKS;
    engine->options.snapshot_min_pause_ns = 0;
    engine->config.durability = RECOUP_HOST_MACHINE_AT_SYNC;
    engine->epoch = epoch;
    engine_start(engine);
    while (!engine->recovered && !engine->stopped) {
        assert_int_equal(engine->recovery_error, 0);
        uv_run(&engine->loop, UV_RUN_ONCE);
    }
}

static void finish(struct engine *engine, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++) {
        assert_int_equal(engine_finish(engine, i), 0);
    }
    engine_wait_durable_or_lost(engine, engine->accepted);
}

static void look(const struct engine *engine, struct report *report)
{
    const struct recoup_job *job = recoup_host_job(engine->host);
    struct recoup_stage stage;

    recoup_stage(job, 0, &stage);
    recoup_state_hash(job, report->hash);
    report->finished = stage.finished;
    report->from_log = engine->recovered && engine->kind == RECOUP_RECOVERED_LOG;
    report->stop_error = engine->stop_error;
    report->lost_error = engine->lost_error;
}

// --- the three masters, each in a process of its own --------------------------------------------

static void old_master(const char *directory, int to, unsigned nth)
{
    struct engine *engine = calloc(1, sizeof *engine);
    struct report report = {.met = false};

    assert_non_null(engine);
    begin(engine, directory, 1);
    assert_int_equal(engine_initialize(engine), 0);
    finish(engine, 0, EARLY);
    assert_int_equal(engine->lost, 0);
    look(engine, &report);
    tell(to, &report);
    calls_stop(nth);
    finish(engine, EARLY, LATE);
    assert_int_equal(recoup_host_stop(engine->host, true), 0);
    engine_wait_stopped(engine);
    report.met = calls_met();
    calls_stop(0);
    look(engine, &report);
    tell(to, &report);
    engine_crash(engine);
}

static void new_master(const char *directory, int to, unsigned nth)
{
    struct engine *engine = calloc(1, sizeof *engine);
    struct report report = {.met = false};

    (void)nth;
    assert_non_null(engine);
    begin(engine, directory, 2);
    look(engine, &report);
    tell(to, &report);
    if (report.from_log) {
        finish(engine, EARLY + LATE, EARLY);
        assert_int_equal(engine->lost, 0);
        look(engine, &report);
        tell(to, &report);
        (void)pause(); // until it is killed
    }
    engine_crash(engine);
}

static void third_master(const char *directory, int to, unsigned nth)
{
    struct engine *engine = calloc(1, sizeof *engine);
    struct report report = {.met = false};

    (void)nth;
    assert_non_null(engine);
    begin(engine, directory, 3);
    look(engine, &report);
    if (!engine->stopped) {
        assert_int_equal(recoup_host_stop(engine->host, true), 0);
        engine_wait_stopped(engine);
        report.stop_error = engine->stop_error;
    }
    tell(to, &report);
    engine_crash(engine);
}

static struct process spawn(void (*master)(const char *, int, unsigned), const char *directory,
                            unsigned nth)
{
    struct process process;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    process.id = fork();
    assert_true(process.id >= 0);
    if (process.id == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // also where the test has failed
        close(ends[0]);
        master(directory, ends[1], nth);
        _exit(0);
    }
    close(ends[1]);
    process.from = ends[0];
    return process;
}

static void wait_for_exit(const struct process *process)
{
    int status;

    assert_int_equal(waitpid(process->id, &status, 0), process->id);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(process->from);
}

// --- the story ----------------------------------------------------------------------------------

// The old master is continued behind its successor's back. False if its n-th call never came.
static bool stopped_at(unsigned nth, struct tally *tally)
{
    char directory[256];
    const char *base = getenv("TMPDIR");
    struct process old, next, third;
    struct report early, taken, then, late, found;
    int status;

    snprintf(directory, sizeof directory, "%s/recoup-two-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(directory));
    old = spawn(old_master, directory, nth);
    early = hear(&old);
    assert_int_equal(early.finished, EARLY);
    assert_int_equal(waitpid(old.id, &status, WUNTRACED), old.id);
    if (!WIFSTOPPED(status)) {
        late = hear(&old);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_false(late.met);
        assert_int_equal(late.stop_error, 0);
        close(old.from);
        return false;
    }
    next = spawn(new_master, directory, 0);
    taken = hear(&next);
    then = taken.from_log ? hear(&next) : taken;
    assert_int_equal(kill(old.id, SIGCONT), 0);
    late = hear(&old);
    assert_true(late.met);
    wait_for_exit(&old);
    if (taken.from_log) {
        assert_true(taken.finished >= EARLY && taken.finished <= EARLY + LATE);
        assert_int_equal(late.stop_error, RECOUP_EFENCED);
        assert_true(late.lost_error == 0 || late.lost_error == RECOUP_EFENCED);
        tally->fenced++;
    }
    if (!taken.from_log) { // it was told that the job has ended, or nothing was left of it
        wait_for_exit(&next);
        tally->ended++;
    } else {
        assert_int_equal(kill(next.id, SIGKILL), 0);
        assert_int_equal(waitpid(next.id, &status, 0), next.id);
        assert_true(WIFSIGNALED(status));
        close(next.from);
    }
    third = spawn(third_master, directory, 0);
    found = hear(&third);
    wait_for_exit(&third);
    assert_int_equal(found.stop_error, 0);
    assert_int_equal(access(directory, F_OK), -1);
    if (taken.from_log) {
        assert_true(found.from_log);
        assert_int_equal(found.finished, then.finished);
        assert_memory_equal(found.hash, then.hash, sizeof found.hash);
        tally->taken_over++;
    } else {
        assert_int_equal(found.finished, 0); // the job was over, or nothing of it was left
    }
    return true;
}

static void an_old_master_is_stopped_and_continued(void **state)
{
    struct tally tally = {.ended = 0};
    unsigned nth = 1;

    (void)state;
    while (stopped_at(nth, &tally)) {
        nth++;
        assert_true(nth < CALLS_MAX);
    }
    print_message("  stopped before each of %u calls: %u times its successor went on, %u times the "
                  "job was over\n",
                  nth - 1, tally.taken_over, tally.ended);
    assert_true(tally.taken_over > 5 && tally.ended > 2);
    assert_int_equal(tally.fenced, tally.taken_over);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_old_master_is_stopped_and_continued),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "host_two_processes", tests);
}
