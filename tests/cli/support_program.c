// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "check.h"

#include "support_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/personality.h>
#endif

#define PROGRAM RECOUP_BINARY_DIR "/recoup"
#define FOLDER RECOUP_BINARY_DIR "/tests/cli-files"

const char *support_file(char path[512], const char *name)
{
    (void)mkdir(FOLDER, 0777);
    (void)snprintf(path, 512, "%s/%s", FOLDER, name);
    (void)unlink(path);
    return path;
}

char *support_content(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    size_t size = 0;

    if (file == NULL) {
        return NULL;
    }
    do {
        capacity = capacity * 2 + 4096;
        text = realloc(text, capacity);
        assert_non_null(text);
        size += fread(text + size, 1, capacity - 1 - size, file);
    } while (size == capacity - 1);
    text[size] = '\0';
    (void)fclose(file);
    return text;
}

void support_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_i64(fclose(file), 0);
}

bool support_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

static void redirect(const char *path, int fd)
{
    int opened = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (opened < 0 || dup2(opened, fd) < 0) {
        _exit(99);
    }
    (void)close(opened);
}

static void prepare_stdout(const struct support_call *call, const char *kept)
{
    int ends[2];

    if (call->stdout_closed) {
        (void)close(STDOUT_FILENO);
    } else if (call->stdout_broken) {
        if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) {
            _exit(99);
        }
        (void)close(ends[0]);
        (void)close(ends[1]);
    } else {
        redirect(call->stdout_path != NULL ? call->stdout_path : kept, STDOUT_FILENO);
    }
}

// Whoever runs the tests in the background, or by nohup, has signals ignored that a test sends.
static void reset_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ};
    sigset_t none;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)signal(numbers[i], SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

// A signal that is pending across exec strikes as soon as the program unblocks it.
static void prepare_signal(const struct support_call *call)
{
    sigset_t set;

    if (call->signal_pending == 0) {
        return;
    }
    if (call->signal_ignored) {
        (void)signal(call->signal_pending, SIG_IGN);
    } else {
        (void)sigemptyset(&set);
        (void)sigaddset(&set, call->signal_pending);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
    }
    (void)raise(call->signal_pending);
}

static void prepare_limit(const struct support_call *call)
{
    struct rlimit limit = {(rlim_t)call->file_size_max, (rlim_t)call->file_size_max};

    if (call->file_size_max > 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        _exit(99);
    }
}

static void prepare_place(const struct support_call *call)
{
    if (call->folder != NULL && chdir(call->folder) != 0) {
        _exit(99);
    }
#ifdef __linux__
    if (call->fixed_addresses) {
        (void)personality(ADDR_NO_RANDOMIZE);
    }
#endif
}

static void become_program(const struct support_call *call, const char *out, const char *err)
{
    char *arguments[SUPPORT_ARGUMENTS_MAX + 2] = {(char *)(uintptr_t) "recoup"};
    char *environment[8] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin",
                            (char *)(uintptr_t) "ASAN_OPTIONS=handle_segv=2"};
    size_t n = 2;

    for (size_t i = 0; i < SUPPORT_ARGUMENTS_MAX && call->arguments[i] != NULL; i++) {
        arguments[i + 1] = (char *)(uintptr_t)call->arguments[i];
    }
    for (size_t i = 0; i < 4 && call->environment[i] != NULL; i++) {
        environment[n++] = (char *)(uintptr_t)call->environment[i];
    }
    redirect(err, STDERR_FILENO);
    prepare_stdout(call, out);
    prepare_place(call);
    prepare_limit(call);
    reset_signals();
    prepare_signal(call);
    (void)execve(PROGRAM, arguments, environment);
    _exit(98);
}

static void output_paths(int process, char out[512], char err[512])
{
    (void)snprintf(out, 512, "%s/%d.out", FOLDER, process);
    (void)snprintf(err, 512, "%s/%d.err", FOLDER, process);
}

int support_program_start(const struct support_call *call)
{
    char out[512];
    char err[512];
    pid_t process;

    (void)mkdir(FOLDER, 0777);
    (void)fflush(NULL);
    process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        output_paths((int)getpid(), out, err);
        become_program(call, out, err);
    }
    return (int)process;
}

static char *take(const char *path)
{
    char *text = support_content(path);

    (void)unlink(path);
    return text != NULL ? text : calloc(1, 1);
}

void support_program_wait(struct support_program *p, int process)
{
    char out[512];
    char err[512];
    int status = 0;

    assert_i64(waitpid((pid_t)process, &status, 0), process);
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    output_paths(process, out, err);
    p->out = take(out);
    p->err = take(err);
    assert_true(p->code != 98 && p->code != 99);
}

void support_program_call(struct support_program *p, const struct support_call *call)
{
    support_program_wait(p, support_program_start(call));
}

void support_program_release(struct support_program *p)
{
    free(p->out);
    free(p->err);
}

void support_shell(struct support_program *p, const char *command)
{
    char out[512];
    char err[512];
    pid_t process;

    (void)mkdir(FOLDER, 0777);
    (void)fflush(NULL);
    process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        output_paths((int)getpid(), out, err);
        redirect(out, STDOUT_FILENO);
        redirect(err, STDERR_FILENO);
        reset_signals();
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(98);
    }
    support_program_wait(p, (int)process);
}

void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        print_error("'%s' is not in:\n%s\n", part, text);
        fail();
    }
}

void assert_code(const struct support_program *p, int code)
{
    if (p->code != code) {
        print_error("exit code %d, expected %d\n--- out\n%s\n--- err\n%s\n", p->code, code, p->out,
                    p->err);
        fail();
    }
}

void assert_usage(const struct support_call *call, const char *message)
{
    struct support_program p;

    support_program_call(&p, call);
    assert_code(&p, 2);
    assert_text(p.out, "");
    assert_has(p.err, message);
    support_program_release(&p);
}
