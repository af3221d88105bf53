// SPDX-License-Identifier: GPL-3.0-or-later
//
// Faults that a real system can be made to produce: each has the outcome that docs/embedding.md
// promises. The job goes on, PROTECTION_LOST says why, and under `on-error: rearm` protection comes
// back by itself as soon as the storage answers again.
#define _GNU_SOURCE
#include "host/support_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// What follows any fault that ends: protection is back, everything is durable, and recovered.
static void is_whole_again(struct engine *engine, uint32_t finished)
{
    engine_wait_restored(engine, 1);
    engine_wait_durable(engine, engine->accepted);
    assert_int_equal(engine->recovery_error, 0);
    assert_int_equal(engine_finished(engine), finished);
    engine_crash(engine);
    engine_start(engine);
    engine_wait_recovered(engine);
    assert_int_equal(engine->kind, RECOUP_RECOVERED_LOG);
    assert_int_equal(engine_finished(engine), finished);
}

static void begin_job(struct engine *engine)
{
    engine_start(engine);
    engine_wait_recovered(engine);
    assert_int_equal(engine->recovery_error, 0);
    assert_int_equal(engine_initialize(engine), 0);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(engine_finish(engine, i), 0);
    }
    engine_wait_durable(engine, engine->accepted);
}

static struct rlimit limit_to(int resource, rlim_t value)
{
    struct rlimit before;
    struct rlimit limit;

    assert_int_equal(getrlimit((__rlimit_resource_t)resource, &before), 0);
    limit = before;
    limit.rlim_cur = value;
    assert_int_equal(setrlimit((__rlimit_resource_t)resource, &limit), 0);
    return before;
}

// The file-size limit stands for a full disk where no small one can be mounted.
static void full_disk_by_limit(void **state)
{
    struct engine engine;
    struct rlimit before;
    struct recoup_stats stats;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    begin_job(&engine);
    signal(SIGXFSZ, SIG_IGN);
    before = limit_to(RLIMIT_FSIZE, 300);
    assert_int_equal(engine_finish(&engine, 20), 0);
    assert_int_equal(engine_finish(&engine, 21), 0);
    engine_wait_lost(&engine, 1);
    assert_int_equal(engine.lost_error, RECOUP_ENOSPC);
    assert_true(engine.failures > 0);
    assert_int_equal(engine.failure.os_error, EFBIG);
    assert_string_equal(engine.failed_call, "write");
    recoup_stats(recoup_host_job(engine.host), &stats);
    assert_false(stats.protected_now);
    assert_int_equal(engine_finish(&engine, 22), 0); // the job goes on
    setrlimit(RLIMIT_FSIZE, &before);
    is_whole_again(&engine, 23);
    engine_release(&engine);
}

// The same under on-error: stop, Flink's way: nothing is recorded any more, the job goes on.
static void stops_recording_where_the_policy_says_so(void **state)
{
    struct engine engine;
    struct rlimit before;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    engine.options.policy[RECOUP_POLICY_ON_ERROR] = 0;
    begin_job(&engine);
    signal(SIGXFSZ, SIG_IGN);
    before = limit_to(RLIMIT_FSIZE, 300);
    for (uint32_t i = 20; i < 40; i++) {
        assert_int_equal(engine_finish(&engine, i), 0);
    }
    engine_wait_lost(&engine, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    for (uint32_t i = 40; i < 60; i++) {
        assert_int_equal(engine_finish(&engine, i), 0);
    }
    assert_true(recoup_deadline(recoup_host_job(engine.host)) == RECOUP_NEVER);
    assert_int_equal(engine.restored, 0);
    assert_int_equal(engine_finished(&engine), 60);
    engine_release(&engine);
}

static void too_many_open_files(void **state)
{
    struct engine engine;
    struct rlimit before;
    int lowest;

    (void)state;
    engine_init(&engine, RECOUP_PROFILE_HARDENED);
    begin_job(&engine);
    lowest = open("/dev/null", O_RDONLY);
    assert_true(lowest >= 0);
    close(lowest);
    before = limit_to(RLIMIT_NOFILE, (rlim_t)lowest); // not one more
    // The end of the stage closes the file, and the next one cannot be opened.
    for (uint32_t i = 20; i < ENGINE_SUBTASKS; i++) {
        assert_int_equal(engine_finish(&engine, i), 0);
    }
    engine_wait_durable(&engine, engine.accepted);
    limit_to(RLIMIT_NOFILE, 3);
    {
        struct recoup_range range = {0, ENGINE_SUBTASKS - 1, 1};
        struct recoup_event failed = {.type = RECOUP_EVENT_SUBTASKS_FAILED};

        failed.subtasks_failed.ranges = &range;
        failed.subtasks_failed.n_ranges = 1;
        assert_int_equal(recoup_host_step(engine.host, &failed, NULL), 0);
    }
    engine_wait_lost(&engine, 1);
    assert_int_equal(engine.lost_error, RECOUP_ELIMIT);
    assert_int_equal(engine.failure.os_error, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    is_whole_again(&engine, ENGINE_SUBTASKS - 1);
    engine_release(&engine);
}

// ---------------------------------------------------------------------------------------------
// A process of its own, which may change its rights and its mounts. It exits with 0 when all is
// well, 77 when what it needs is not to be had.

static void in_a_process(void (*run)(struct engine *engine))
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct engine *engine = calloc(1, sizeof *engine);

        if (engine == NULL) {
            _exit(1);
        }
        engine_init(engine, RECOUP_PROFILE_HARDENED);
        run(engine);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: this needs the right to mount (root)\n");
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

// cmocka cannot end a test of another process, so these say it and exit.
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void mount_small(struct engine *engine)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("tmpfs", engine->directory, "tmpfs", 0, "size=256k") != 0) {
        rmdir(engine->directory);
        _exit(77);
    }
}

static void remount(struct engine *engine, bool read_only)
{
    unsigned long flags = MS_REMOUNT | (read_only ? (unsigned long)MS_RDONLY : 0);

    EXPECT(mount("tmpfs", engine->directory, "tmpfs", flags, "size=256k") == 0);
}

static void leave(struct engine *engine)
{
    engine_crash(engine);
    EXPECT(uv_loop_close(&engine->loop) == 0);
    EXPECT(umount(engine->directory) == 0);
    EXPECT(rmdir(engine->directory) == 0);
}

static void run_full_disk(struct engine *engine)
{
    static char block[4096];
    char path[300];
    int fd;

    mount_small(engine);
    begin_job(engine);
    snprintf(path, sizeof path, "%s/somebody-elses", engine->directory);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    EXPECT(fd != -1);
    while (write(fd, block, sizeof block) == (ssize_t)sizeof block) {
    }
    EXPECT(errno == ENOSPC);
    close(fd);
    for (uint32_t i = 20; engine->lost == 0 && i < ENGINE_SUBTASKS - 1; i++) {
        EXPECT(engine_finish(engine, i) == 0);
        if (i % 16 == 0) {
            engine_wait_durable(engine, engine->durable);
        }
    }
    engine_wait_lost(engine, 1);
    EXPECT(engine->lost_error == RECOUP_ENOSPC);
    EXPECT(engine->failure.os_error == ENOSPC);
    EXPECT(unlink(path) == 0);
    is_whole_again(engine, engine_finished(engine));
    leave(engine);
}

// A disk that is really full, and is freed later.
static void full_disk(void **state)
{
    (void)state;
    in_a_process(run_full_disk);
}

static void run_read_only(struct engine *engine)
{
    mount_small(engine);
    begin_job(engine);
    engine_crash(engine);
    remount(engine, true);
    // A master claims the log with a file of its own before it looks at it. It goes on trying.
    engine_start(engine);
    engine_wait_failures(engine, 2);
    EXPECT(engine->failure.error == RECOUP_EACCES);
    EXPECT(engine->failure.os_error == EROFS);
    EXPECT(!engine->recovered && engine->recovery_error == 0);
    remount(engine, false);
    engine_wait_recovered(engine);
    EXPECT(engine->recovery_error == 0);
    EXPECT(engine_finished(engine) == 20);
    EXPECT(engine_finish(engine, 20) == 0);
    engine_wait_durable(engine, engine->accepted);
    leave(engine);
}

static void read_only_file_system(void **state)
{
    (void)state;
    in_a_process(run_read_only);
}

// The superuser may write everywhere, until it gives up what it may do more than others.
static void become_ordinary(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];

    memset(none, 0, sizeof none);
    EXPECT(syscall(SYS_capset, &header, none) == 0);
}

// A folder that may be read, but not written.
static void run_unwritable(struct engine *engine)
{
    become_ordinary();
    begin_job(engine);
    engine_crash(engine);
    EXPECT(chmod(engine->directory, 0555) == 0);
    engine_start(engine);
    engine_wait_failures(engine, 2);
    EXPECT(engine->failure.error == RECOUP_EACCES);
    EXPECT(engine->failure.os_error == EACCES);
    EXPECT(!engine->recovered && engine->recovery_error == 0);
    EXPECT(chmod(engine->directory, 0755) == 0);
    engine_wait_recovered(engine);
    EXPECT(engine_finished(engine) == 20);
    EXPECT(engine_finish(engine, 20) == 0);
    engine_wait_durable(engine, engine->accepted);
    engine_release(engine);
}

static void unwritable_folder(void **state)
{
    (void)state;
    in_a_process(run_unwritable);
}

// Puts a file where a folder of the log's path is to be.
static void block_folder(struct engine *engine, char *path, size_t size)
{
    int fd;

    engine_init(engine, RECOUP_PROFILE_HARDENED);
    engine->config.limits.opening_ns = 300 * MILLISECOND;
    snprintf(path, size, "%s/file", engine->directory);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd != -1);
    close(fd);
    strcat(engine->directory, "/file/log");
}

// A folder that cannot be made at all: it is tried again until limits.opening_ns have passed. Then
// recovery fails with the reason, and the log, if there is one, is left alone.
static void no_folder(void **state)
{
    struct engine engine;
    char path[300];
    int64_t begun_ns;

    (void)state;
    block_folder(&engine, path, sizeof path);
    begun_ns = recoup_host_now_ns();
    engine_start(&engine);
    engine_wait_recovered(&engine);
    assert_int_equal(engine.recovery_error, RECOUP_EACCES);
    assert_int_equal(engine.failure.os_error, ENOTDIR);
    // A machine that stands still for most of that time leaves it for one attempt.
    assert_true(engine.failures > 1
                || recoup_host_now_ns() - begun_ns >= engine.config.limits.opening_ns / 2);
    assert_int_equal(recoup_phase(recoup_host_job(engine.host)), RECOUP_PHASE_RUNNING);
    assert_int_equal(engine_initialize(&engine), 0); // the job runs, unprotected
    assert_int_equal(engine_finish(&engine, 0), 0);
    *strstr(engine.directory, "/file/log") = '\0';
    engine_release(&engine);
}

// The same when the job starts for the first time: there is nothing to recover. It goes on
// unprotected, and is protected when the folder can be made.
static void no_folder_at_the_first_start(void **state)
{
    struct engine engine;
    char path[300];

    (void)state;
    block_folder(&engine, path, sizeof path);
    engine.first = true;
    engine_start(&engine);
    engine_wait_recovered(&engine);
    assert_int_equal(engine.recovery_error, 0);
    assert_int_equal(engine.kind, RECOUP_RECOVERED_NOTHING);
    assert_int_equal(engine.lost, 1);
    assert_int_equal(engine.lost_error, RECOUP_EACCES);
    assert_int_equal(engine_initialize(&engine), 0);
    assert_int_equal(engine_finish(&engine, 0), 0);
    assert_int_equal(unlink(path), 0);
    engine.first = false;
    is_whole_again(&engine, 1);
    *strstr(engine.directory, "/file/log") = '\0';
    engine_release(&engine);
}

// A check that fails in a child jumps back into the test, and would run all that follows a second
// time: the child ends here.
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
        fflush(NULL);
        _exit(1);
    }
    free(pid);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(full_disk_by_limit),
    cmocka_unit_test(stops_recording_where_the_policy_says_so),
    cmocka_unit_test(too_many_open_files),
    cmocka_unit_test_setup_teardown(full_disk, note_process, end_child),
    cmocka_unit_test_setup_teardown(read_only_file_system, note_process, end_child),
    cmocka_unit_test_setup_teardown(unwritable_folder, note_process, end_child),
    cmocka_unit_test(no_folder),
    cmocka_unit_test(no_folder_at_the_first_start),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "host faults", tests);
}
