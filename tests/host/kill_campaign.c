// SPDX-License-Identifier: GPL-3.0-or-later
//
// Kills a recording process at random instants, and judges what the next one recovers.
//
//     kill_campaign KILLS [SEED]
//
// Each process recovers what the one before left in a folder below TMPDIR, reports the whole state,
// and then records at full speed until SIGKILL. Its state must be exactly that after some step of
// the script of the last process that got so far: not before the last step that was acknowledged as
// durable, not after the last step that was begun. Exit 0: all were; 1: one was not, and the folder
// is kept; 2: usage, or the outside world failed.
#define _GNU_SOURCE
#include "host/kill.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_NS_MAX INT64_C(40000000) // a process lives up to this long
#define SILENCE_MS_MAX 60000          // without a kill planned, it says something by then

struct life { // one process
    uint64_t epoch;
    pid_t pid;
    int pipe;
    int64_t killed_at_ns;    // INT64_MAX: not by the clock (yet)
    int64_t killed_after_ns; // counted from its recovery, 0: not
    uint64_t kill_after;  // this many acknowledgements
    uint64_t acknowledgements;
    bool recovered;
    bool stopped;
    struct kill_state state; // as it recovered it
    char buffer[1 << 16];
    size_t used;
};

struct campaign {
    uint64_t seed;
    char directory[300];
    char log[320];
    struct kill_shared *shared;
    struct life life;

    // The last process that recovered: what it began with, what it got acknowledged and begun.
    struct kill_state base;
    uint64_t base_epoch;
    uint64_t acknowledged;
    uint64_t begun;

    uint64_t n_recovered;
    uint64_t n_acknowledged;
    uint64_t n_lost; // steps begun and not recovered
    uint64_t n_replayed;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// ---------------------------------------------------------------------------------------------
// Judging

static uint32_t differences(const struct kill_state *a, const struct kill_state *b, uint32_t stage,
                            uint32_t first, uint32_t count)
{
    uint32_t n = 0;

    for (uint32_t i = first; i < first + count; i++) {
        n += a->attempt[stage][i] != b->attempt[stage][i] ? 1 : 0;
    }
    return n;
}

// Whether `recovered` is the state after a step that may be the last one recovered.
static bool judge(struct campaign *c, const struct kill_state *recovered)
{
    struct kill_state *state = &c->base;
    uint32_t differing = 0;
    uint32_t fewest = UINT32_MAX;

    for (uint32_t s = 0; s < KILL_STAGES; s++) {
        differing += differences(state, recovered, s, 0, KILL_SUBTASKS);
    }
    for (uint64_t step = 0; step <= c->begun; step++) {
        struct kill_operation operation;
        uint32_t count;

        if (step >= c->acknowledged && differing == 0) {
            c->n_lost += c->begun - step;
            return true;
        }
        fewest = step >= c->acknowledged && differing < fewest ? differing : fewest;
        operation = kill_operation_at(state, c->base_epoch, step + 1);
        count = operation.fails ? operation.count : 1;
        differing -= differences(state, recovered, operation.stage, operation.first, count);
        kill_operation_apply(state, &operation);
        differing += differences(state, recovered, operation.stage, operation.first, count);
    }
    printf("epoch %" PRIu64 " recovered a state that is none of those after steps %" PRIu64
           " (acknowledged) to %" PRIu64 " (begun) of epoch %" PRIu64
           "; the nearest differs in %" PRIu32 " subtasks\n",
           c->life.epoch, c->acknowledged, c->begun, c->base_epoch, fewest);
    return false;
}

// ---------------------------------------------------------------------------------------------
// Messages

// Takes one message off the buffer. Returns 1, 0 if there is none (yet), -1 if it says failure.
static int take_message(struct campaign *c)
{
    struct life *life = &c->life;
    struct kill_message message;
    size_t size = sizeof message;

    if (life->used < size) {
        return 0;
    }
    memcpy(&message, life->buffer, sizeof message);
    size += message.type == KILL_RECOVERED ? sizeof life->state : 0;
    if (life->used < size) {
        return 0;
    }
    if (message.type == KILL_RECOVERED) {
        memcpy(&life->state, life->buffer + sizeof message, sizeof life->state);
        if (life->recovered || !judge(c, &life->state)) {
            return -1;
        }
        life->recovered = true;
        life->killed_at_ns =
            life->killed_after_ns > 0 ? now_ns() + life->killed_after_ns : life->killed_at_ns;
        c->n_recovered++;
        c->n_replayed += atomic_load(&c->shared->replayed);
        c->base = life->state;
        c->base_epoch = life->epoch;
        c->acknowledged = 0;
    } else if (message.type == KILL_DURABLE) {
        c->acknowledged = message.step;
        life->acknowledgements++;
    } else if (message.type == KILL_STOPPED) {
        life->stopped = true;
    } else {
        printf("epoch %" PRIu64 " failed with %s at step %" PRIu64 "\n", life->epoch,
               recoup_error_name(message.error), message.step);
        return -1;
    }
    life->used -= size;
    memmove(life->buffer, life->buffer + size, life->used);
    return 1;
}

// Reads what the pipe holds. Returns 1, 0 at its end, -1 on a failure.
static int drain(struct campaign *c)
{
    struct life *life = &c->life;
    ssize_t n = read(life->pipe, life->buffer + life->used, sizeof life->buffer - life->used);
    int taken;

    if (n <= 0) {
        return n < 0 && errno == EINTR ? 1 : (int)n;
    }
    life->used += (size_t)n;
    do {
        taken = take_message(c);
    } while (taken > 0);
    return taken < 0 ? -1 : 1;
}

// ---------------------------------------------------------------------------------------------
// Processes

static int begin_life(struct campaign *c, uint64_t epoch, bool stop)
{
    struct life *life = &c->life;
    static const uint64_t lags[] = {UINT64_MAX, 100, 1000, 10000};
    static const int64_t pauses_ns[] = {500000, 5000000, 50000000, 5000000000};
    struct kill_recorder_config config = {.directory = c->log, .epoch = epoch, .stop = stop};
    uint64_t random = kill_random(c->seed, epoch);
    int ends[2];

    memset(life, 0, sizeof *life);
    life->epoch = epoch;
    life->kill_after = UINT64_MAX;
    life->killed_at_ns = INT64_MAX;
    // Most processes have bytes that survive them alone; every fourth syncs.
    config.durability = random % 8 == 0   ? RECOUP_HOST_MACHINE_AT_SYNC
                        : random % 8 == 1 ? RECOUP_HOST_MACHINE_AT_FLUSH
                                          : RECOUP_HOST_PROCESS;
    // Some run far ahead of the disk, others close to it. Where only recovery points are durable,
    // nobody may wait for durability before finishing more.
    config.lag =
        config.durability == RECOUP_HOST_MACHINE_AT_SYNC ? UINT64_MAX : lags[(random >> 4) % 4];
    config.snapshot_min_pause_ns = pauses_ns[(random >> 12) % 4];
    if (config.durability == RECOUP_HOST_MACHINE_AT_SYNC) {
        config.snapshot_min_pause_ns = pauses_ns[(random >> 12) % 2];
    }
    config.shared = c->shared;
    if (pipe(ends) != 0) {
        return -1;
    }
    fflush(stdout);
    atomic_store(&c->shared->step, 0);
    life->pid = fork();
    if (life->pid == 0) {
        close(ends[0]);
        config.pipe = ends[1];
        _exit(kill_recorder_run(&config));
    }
    close(ends[1]);
    life->pipe = ends[0];
    if (stop) {
        return life->pid > 0 ? 0 : -1;
    }
    // A quarter at some instant that may well lie within the recovery, a quarter at some instant
    // behind it, half after so many acknowledgements.
    if ((random >> 8) % 4 == 0) {
        life->killed_at_ns = now_ns() + (int64_t)((random >> 16) % (uint64_t)LIFE_NS_MAX);
    } else if ((random >> 8) % 4 == 1) {
        life->killed_after_ns = 1 + (int64_t)((random >> 16) % (uint64_t)LIFE_NS_MAX);
    } else {
        life->kill_after = 1 + (random >> 16) % 100;
    }
    return life->pid > 0 ? 0 : -1;
}

static int wait_ms(const struct life *life)
{
    int64_t left_ns = life->killed_at_ns - now_ns();

    if (life->killed_at_ns == INT64_MAX) {
        return SILENCE_MS_MAX;
    }
    return left_ns <= 0 ? 0 : (int)(left_ns / 1000000);
}

// Listens until the instant of the kill, kills, and reads what was said before. With `stop` the
// process ends by itself. Returns 0, or -1 on a failure.
static int end_life(struct campaign *c, bool stop)
{
    struct life *life = &c->life;
    struct pollfd poll_pipe = {.fd = life->pipe, .events = POLLIN};
    int result = 1;
    int status;

    while (result > 0 && now_ns() < life->killed_at_ns
           && life->acknowledgements < life->kill_after) {
        int ready = poll(&poll_pipe, 1, wait_ms(life));

        if (ready == 0 && life->killed_at_ns == INT64_MAX) {
            printf("epoch %" PRIu64 " says nothing for a minute\n", life->epoch);
            result = -1;
        } else if (ready > 0) {
            result = drain(c);
        }
    }
    if (!stop || result < 0) {
        kill(life->pid, SIGKILL);
    }
    if (life->recovered || result > 0) {
        while (result > 0) {
            result = drain(c);
        }
    }
    close(life->pipe);
    if (waitpid(life->pid, &status, 0) != life->pid || result < 0) {
        return -1;
    }
    if (life->recovered) {
        c->begun = atomic_load(&c->shared->step);
        c->n_acknowledged += c->acknowledged;
    }
    if (!stop && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
        printf("epoch %" PRIu64 " ended by itself: %s %d\n", life->epoch,
               WIFSIGNALED(status) ? "signal" : "exit code",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        return -1;
    }
    return !stop || (WIFEXITED(status) && WEXITSTATUS(status) == 0 && life->stopped) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

// ---------------------------------------------------------------------------------------------

static int prepare(struct campaign *c, uint64_t seed)
{
    const char *temporary = getenv("TMPDIR");

    c->seed = seed;
    snprintf(c->directory, sizeof c->directory, "%s/recoup-kill-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    c->shared = mmap(NULL, sizeof *c->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    if (c->shared == MAP_FAILED || mkdtemp(c->directory) == NULL) {
        fprintf(stderr, "cannot make %s: %s\n", c->directory, strerror(errno));
        return -1;
    }
    snprintf(c->log, sizeof c->log, "%s/log", c->directory);
    return 0;
}

static int run(struct campaign *c, uint64_t kills)
{
    struct stat status;

    for (uint64_t epoch = 1; epoch <= kills + 1; epoch++) {
        bool stop = epoch == kills + 1;

        if (begin_life(c, epoch, stop) != 0 || end_life(c, stop) != 0) {
            printf("failed at kill %" PRIu64 " of seed %" PRIu64 "; the log is in %s\n", epoch,
                   c->seed, c->log);
            return 1;
        }
        if (epoch % 500 == 0) {
            fprintf(stderr, "%" PRIu64 " of %" PRIu64 " kills\n", epoch, kills);
        }
    }
    printf("%" PRIu64 " kills, seed %" PRIu64 ": %" PRIu64 " processes recovered, %" PRIu64
           " steps acknowledged and kept, %" PRIu64 " begun and lost, %" PRIu64
           " records replayed\n",
           kills, c->seed, c->n_recovered, c->n_acknowledged, c->n_lost, c->n_replayed);
    if (stat(c->log, &status) == 0 || errno != ENOENT) {
        printf("the job ended, and its log is still in %s\n", c->log);
        return 1;
    }
    // A campaign whose processes hardly ever get to record shows nothing.
    if (c->n_recovered < kills / 2 || c->n_acknowledged < kills * 10) {
        printf("too few processes recovered or recorded: this campaign shows nothing\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t kills = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct campaign *c = calloc(1, sizeof *c);
    int result;

    if (kills == 0 || argc > 3 || c == NULL) {
        fprintf(stderr, "usage: kill_campaign KILLS [SEED]\n");
        return 2;
    }
    if (prepare(c, seed) != 0) {
        return 2;
    }
    result = run(c, kills);
    if (result == 0) {
        (void)nftw(c->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    }
    free(c);
    return result;
}
