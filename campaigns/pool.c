// SPDX-License-Identifier: GPL-3.0-or-later
//
// The parent's side of a pool: starts workers, hands out items, takes answers, and finds out what
// a dead worker was doing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "campaigns/pool_parts.h"

#define POOL_HAND_NS INT64_C(20000000) // of work in one worker's hands, where the pool decides
#define POOL_TICK_NS INT64_C(100000000)
#define POOL_LEAVE_NS INT64_C(5000000000) // for end(), before it is killed
#define POOL_READ_BYTES ((size_t)64 << 10)
#define POOL_DEATHS_MAX 20u // of idle workers in a row, without an answer between

struct pool_worker {
    int process; // 0: none
    int items, answers, errors;
    bool ready;
    bool timed_out; // killed, since item number `late` of its life took too long
    uint64_t late;
    uint64_t answered; // since its start; hand[answered % MAX] is the oldest item in its hands
    uint64_t hand[CAMPAIGN_AHEAD_MAX];
    uint32_t n_hand;
    unsigned char *bytes; // read, and not yet a whole frame
    size_t size, capacity;
    char last[CAMPAIGN_ERRORS_MAX]; // of its standard error
    size_t n_last;
    struct pool_progress *progress;
};

struct pool {
    const struct campaign_pool_options *options;
    const struct campaign_tasks *tasks;
    struct pool_worker *workers;
    struct pool_progress *progress; // shared with the workers, one each
    struct pollfd *polled;
    uint64_t *returned; // items that a dead worker had not begun; room for all hands
    size_t n_returned;
    bool draining;
    bool broken; // CAMPAIGN_OUTSIDE; `message` says why
    bool stopped;
    sigset_t mask;
    uint32_t deaths; // see POOL_DEATHS_MAX
    int64_t mean_ns; // of an item, the recent ones weighing more; 0: not known
    int64_t ticked_at_ns;
    char *message;
    size_t message_size;
};

int64_t campaign_clock_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void break_off(struct pool *pool, const char *what, const char *why)
{
    if (!pool->broken) {
        (void)snprintf(pool->message, pool->message_size, "%s%s%s", what,
                       why[0] != '\0' ? ": " : "", why);
    }
    pool->broken = true;
}

// --- starting and ending workers -----------------------------------------------------------------

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static void close_pipes(struct pool_worker *worker)
{
    close_fd(&worker->items);
    close_fd(&worker->answers);
    close_fd(&worker->errors);
}

static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0) {
        ends[0] = ends[1] = -1;
        return false;
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

// In the child: only its own ends stay open, or it would keep other workers' pipes alive.
static void become_worker(struct pool *pool, const struct pool_worker *worker, int parent,
                          int items, int answers, int errors)
{
    struct pool_worker_setup setup = {pool->options, pool->tasks, worker->progress, parent,
                                      items,         answers,     errors,           pool->mask};

    for (uint32_t i = 0; i < pool->options->workers; i++) {
        close_pipes(&pool->workers[i]);
    }
    pool_worker_live(&setup);
}

static int fork_worker(struct pool *pool, struct pool_worker *worker, const int items[2],
                       const int answers[2], const int errors[2])
{
    int parent = (int)getpid();
    int process;
    sigset_t block;

    // A child that has not yet prepared itself is not to die of a signal that is meant for the
    // parent.
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGINT);
    (void)sigaddset(&block, SIGTERM);
    (void)sigaddset(&block, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &block, &pool->mask);
    worker->items = items[1];
    worker->answers = answers[0];
    worker->errors = errors[0];
    process = pool->options->fork_process != NULL ? pool->options->fork_process() : (int)fork();
    if (process == 0) {
        become_worker(pool, worker, parent, items[0], answers[1], errors[1]);
    }
    (void)sigprocmask(SIG_SETMASK, &pool->mask, NULL);
    return process;
}

// Returns false where there is no worker now.
static bool start_worker(struct pool *pool, struct pool_worker *worker)
{
    int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int error = 0;

    worker->process = 0;
    worker->ready = worker->timed_out = false;
    worker->answered = 0;
    worker->n_hand = 0;
    worker->size = worker->n_last = 0;
    memset(worker->progress, 0, sizeof(*worker->progress));
    if (make_pipe(ends[0]) && make_pipe(ends[1]) && make_pipe(ends[2])) {
        worker->process = fork_worker(pool, worker, ends[0], ends[1], ends[2]);
    } else {
        worker->process = -1;
    }
    error = errno;
    close_fd(&ends[0][0]);
    close_fd(&ends[1][1]);
    close_fd(&ends[2][1]);
    if (worker->process < 0) {
        close_fd(&ends[0][1]);
        close_fd(&ends[1][0]);
        close_fd(&ends[2][0]);
        worker->items = worker->answers = worker->errors = -1;
        worker->process = 0;
        (void)snprintf(pool->message, pool->message_size,
                       "not all worker processes could be started: %s; ask for fewer",
                       strerror(error));
        return false;
    }
    (void)fcntl(worker->answers, F_SETFL, O_NONBLOCK);
    (void)fcntl(worker->errors, F_SETFL, O_NONBLOCK);
    return true;
}

static int wait_for(int process)
{
    int status = 0;

    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

// --- handing out ---------------------------------------------------------------------------------

static bool take_item(struct pool *pool, uint64_t *item)
{
    if (pool->draining) {
        return false;
    }
    if (pool->n_returned > 0) {
        *item = pool->returned[--pool->n_returned];
        return true;
    }
    return pool->tasks->next(pool->tasks->context, item);
}

static uint32_t ahead(const struct pool *pool)
{
    int64_t items = pool->options->ahead;

    if (items == 0) {
        items = pool->mean_ns == 0 ? 1 : POOL_HAND_NS / pool->mean_ns;
    }
    if (items < 1) {
        return 1;
    }
    return items > CAMPAIGN_AHEAD_MAX ? CAMPAIGN_AHEAD_MAX : (uint32_t)items;
}

// A pipe holds at least 4 KiB, all hands 2 KiB: this never waits. A dead worker's items stay in its
// hands; its end is noticed where its answers are read.
static void send_items(const struct pool_worker *worker, const uint64_t *items, uint32_t n)
{
    const unsigned char *bytes = (const unsigned char *)items;
    size_t size = n * sizeof(*items);

    while (size > 0) {
        ssize_t written = write(worker->items, bytes, size);

        if (written < 0 && errno != EINTR) {
            return;
        }
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
}

static void hand_out(struct pool *pool, struct pool_worker *worker)
{
    uint64_t items[CAMPAIGN_AHEAD_MAX];
    uint32_t most = ahead(pool);
    uint32_t n = 0;

    if (worker->n_hand > most / 2) {
        return;
    }
    if (worker->process == 0) { // a worker is started when there is something to do
        if (!take_item(pool, &items[0])) {
            return;
        }
        pool->returned[pool->n_returned++] = items[0];
        if (!start_worker(pool, worker)) {
            return;
        }
    }
    while (worker->n_hand < most && take_item(pool, &items[n])) {
        worker->hand[(worker->answered + worker->n_hand) % CAMPAIGN_AHEAD_MAX] = items[n];
        worker->n_hand++;
        n++;
    }
    send_items(worker, items, n);
}

// Returns how many items are in hand.
static uint64_t hand_out_all(struct pool *pool)
{
    uint64_t in_hand = 0;
    bool alive = false;

    for (uint32_t i = 0; i < pool->options->workers; i++) {
        hand_out(pool, &pool->workers[i]);
        in_hand += pool->workers[i].n_hand;
        alive = alive || pool->workers[i].process > 0;
    }
    if (!alive && pool->n_returned > 0 && !pool->draining) {
        pool->broken = true; // start_worker() has left the message
    }
    return in_hand;
}

// --- taking answers ------------------------------------------------------------------------------

static void deliver(struct pool *pool, struct pool_worker *worker, struct campaign_outcome *outcome)
{
    uint64_t item = worker->hand[worker->answered % CAMPAIGN_AHEAD_MAX];

    outcome->process = (uint64_t)worker->process;
    worker->answered++;
    worker->n_hand--;
    if (!pool->stopped && !pool->tasks->done(pool->tasks->context, item, outcome)) {
        pool->stopped = true;
    }
}

// Rises fast and falls slowly, so that long items do not wait in hands that are full.
static void learn_time(struct pool *pool, int64_t wall_ns)
{
    int64_t more = wall_ns - pool->mean_ns;

    pool->mean_ns = pool->mean_ns == 0 ? wall_ns + 1 : pool->mean_ns + more / (more > 0 ? 4 : 32);
}

static bool deliver_frame(struct pool *pool, struct pool_worker *worker,
                          const struct pool_frame *frame, const unsigned char *bytes)
{
    struct campaign_outcome outcome = {.errors = "", .wall_ns = frame->wall_ns};

    if (frame->kind == POOL_FRAME_READY) {
        worker->ready = true;
        return true;
    }
    if (worker->n_hand == 0 || frame->kind > POOL_FRAME_FAILED ||
        frame->item != worker->hand[worker->answered % CAMPAIGN_AHEAD_MAX]) {
        return false;
    }
    pool->deaths = 0;
    learn_time(pool, frame->wall_ns);
    if (frame->kind == POOL_FRAME_FAILED) {
        outcome.end = CAMPAIGN_LIMITED;
        outcome.out_of_memory = true;
    } else {
        outcome.end = CAMPAIGN_ANSWERED;
        outcome.bytes = bytes;
        outcome.size = (size_t)frame->size;
    }
    deliver(pool, worker, &outcome);
    return true;
}

// Delivers all whole frames. A worker that answers nonsense has lost its mind and is killed; its
// end is noticed as any other.
static void deliver_frames(struct pool *pool, struct pool_worker *worker)
{
    struct pool_frame frame;
    size_t from = 0;

    while (!pool->stopped && worker->size - from >= sizeof(frame)) {
        memcpy(&frame, worker->bytes + from, sizeof(frame));
        if (frame.size > CAMPAIGN_REPLY_MAX) {
            (void)kill(worker->process, SIGKILL);
            break;
        }
        if (worker->size - from - sizeof(frame) < frame.size) {
            break;
        }
        if (!deliver_frame(pool, worker, &frame, worker->bytes + from + sizeof(frame))) {
            (void)kill(worker->process, SIGKILL);
            break;
        }
        from += sizeof(frame) + (size_t)frame.size;
    }
    worker->size -= from;
    if (from > 0 && worker->size > 0) {
        memmove(worker->bytes, worker->bytes + from, worker->size);
    }
}

static bool make_room(struct pool *pool, struct pool_worker *worker)
{
    size_t capacity = worker->capacity == 0 ? 2 * POOL_READ_BYTES : worker->capacity * 2;
    unsigned char *grown;

    if (worker->capacity - worker->size >= POOL_READ_BYTES) {
        return true;
    }
    grown = realloc(worker->bytes, capacity);
    if (grown == NULL) {
        break_off(pool, "out of memory for a worker's answer", "");
        return false;
    }
    worker->bytes = grown;
    worker->capacity = capacity;
    return true;
}

// Reads what there is. Returns false at the end of the pipe.
static bool read_answers(struct pool *pool, struct pool_worker *worker)
{
    while (!pool->stopped && !pool->broken && make_room(pool, worker)) {
        ssize_t n =
            read(worker->answers, worker->bytes + worker->size, worker->capacity - worker->size);

        if (n < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        }
        if (n == 0) {
            return false;
        }
        worker->size += (size_t)n;
        deliver_frames(pool, worker);
    }
    return true;
}

static void keep_last(struct pool_worker *worker, const char *bytes, size_t size)
{
    if (size > sizeof(worker->last)) {
        bytes += size - sizeof(worker->last);
        size = sizeof(worker->last);
    }
    if (worker->n_last + size > sizeof(worker->last)) {
        size_t drop = worker->n_last + size - sizeof(worker->last);

        memmove(worker->last, worker->last + drop, worker->n_last - drop);
        worker->n_last -= drop;
    }
    memcpy(worker->last + worker->n_last, bytes, size);
    worker->n_last += size;
}

// Returns false at the end of the pipe.
static bool read_errors(struct pool_worker *worker)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(worker->errors, bytes, sizeof(bytes))) > 0) {
        keep_last(worker, bytes, (size_t)n);
    }
    return n != 0;
}

// The last lines as text: whole lines where some had to be dropped, nothing that moves a cursor.
static void last_words(const struct pool_worker *worker, char text[CAMPAIGN_ERRORS_MAX + 1])
{
    const char *from = worker->last;
    size_t size = worker->n_last;
    const char *line = size == sizeof(worker->last) ? memchr(from, '\n', size) : NULL;

    if (line != NULL && line + 1 < from + size) {
        size -= (size_t)(line + 1 - from);
        from = line + 1;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)from[i];

        text[i] = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : from[i];
    }
    text[size] = '\0';
}

// --- the end of a worker -------------------------------------------------------------------------

static void report_start_failure(struct pool *pool, int status, const char *words)
{
    char what[96];

    if (WIFSIGNALED(status)) {
        (void)snprintf(what, sizeof(what), "a worker process died at its start, by signal %d",
                       WTERMSIG(status));
    } else {
        (void)snprintf(what, sizeof(what), "a worker process could not start (exit code %d)",
                       WEXITSTATUS(status));
    }
    break_off(pool, what, words);
}

static void report_crash(struct pool *pool, struct pool_worker *worker, int status,
                         const char *words)
{
    struct campaign_outcome outcome = {.errors = words};

    outcome.end = worker->timed_out ? CAMPAIGN_LIMITED : CAMPAIGN_CRASHED;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    outcome.wall_ns = campaign_clock_ns() - atomic_load(&worker->progress->begun_at_ns);
    pool->deaths = 0;
    deliver(pool, worker, &outcome);
}

// The items in a dead worker's hands: done and not answered, being worked on, not begun. The one
// between is what it died of, unless it was killed for another, which ended before the signal came.
static void settle_hand(struct pool *pool, struct pool_worker *worker, int status,
                        const char *words)
{
    uint64_t begun = atomic_load(&worker->progress->begun);
    uint64_t finished = atomic_load(&worker->progress->finished);
    bool working = begun == finished + 1 && finished >= worker->answered &&
                   finished - worker->answered < worker->n_hand &&
                   (!worker->timed_out || finished == worker->late);
    uint64_t culprit = finished;
    uint64_t end = worker->answered + worker->n_hand;

    for (uint64_t i = worker->answered; i < end; i++) {
        if (!working || i != culprit) {
            pool->returned[pool->n_returned++] = worker->hand[i % CAMPAIGN_AHEAD_MAX];
        }
    }
    if (working) {
        worker->answered = culprit;
        report_crash(pool, worker, status, words);
    } else if (++pool->deaths > POOL_DEATHS_MAX) {
        break_off(pool, "worker processes die again and again without doing anything", words);
    }
    worker->n_hand = 0;
}

// After the end of its answers.
static void bury(struct pool *pool, struct pool_worker *worker)
{
    char words[CAMPAIGN_ERRORS_MAX + 1];
    int status;

    // Does nothing to a worker that is ending anyway.
    (void)kill(worker->process, SIGKILL);
    status = wait_for(worker->process);
    (void)read_errors(worker);
    last_words(worker, words);
    if (!worker->ready) {
        report_start_failure(pool, status, words);
    } else {
        settle_hand(pool, worker, status, words);
    }
    close_pipes(worker);
    worker->process = 0;
}

static void kill_late(struct pool *pool, struct pool_worker *worker, int64_t now_ns)
{
    struct pool_progress *progress = worker->progress;
    uint64_t finished = atomic_load(&progress->finished);

    // The instant is read last: if meanwhile another item has begun, it is that one's.
    if (worker->timed_out || atomic_load(&progress->begun) != finished + 1 ||
        now_ns - atomic_load(&progress->begun_at_ns) < pool->options->item_wall_ns) {
        return;
    }
    worker->timed_out = true;
    worker->late = finished;
    (void)kill(worker->process, SIGKILL);
}

// --- the loop ------------------------------------------------------------------------------------

static int poll_timeout_ms(const struct pool *pool)
{
    int64_t tick_ms = POOL_TICK_NS / 1000000;
    int64_t limit_ms = pool->options->item_wall_ns / 4000000 + 1;

    return (int)(pool->options->item_wall_ns > 0 && limit_ms < tick_ms ? limit_ms : tick_ms);
}

static void serve(struct pool *pool, struct pool_worker *worker, short answers, short errors)
{
    if (errors != 0 && worker->errors >= 0 && !read_errors(worker)) {
        close_fd(&worker->errors);
    }
    if (answers != 0 && !read_answers(pool, worker)) {
        bury(pool, worker);
    }
}

static void wait_and_serve(struct pool *pool)
{
    uint32_t workers = pool->options->workers;
    int64_t now_ns;

    for (uint32_t i = 0; i < workers; i++) {
        pool->polled[2 * i] = (struct pollfd){pool->workers[i].answers, POLLIN, 0};
        pool->polled[2 * i + 1] = (struct pollfd){pool->workers[i].errors, POLLIN, 0};
    }
    if (poll(pool->polled, 2 * (nfds_t)workers, poll_timeout_ms(pool)) < 0) {
        if (errno != EINTR) {
            break_off(pool, "waiting for the workers failed", strerror(errno));
        }
        return;
    }
    now_ns = campaign_clock_ns();
    for (uint32_t i = 0; i < workers && !pool->stopped && !pool->broken; i++) {
        struct pool_worker *worker = &pool->workers[i];

        if (worker->process > 0) {
            serve(pool, worker, pool->polled[2 * i].revents, pool->polled[2 * i + 1].revents);
        }
        if (worker->process > 0 && pool->options->item_wall_ns > 0) {
            kill_late(pool, worker, now_ns);
        }
    }
}

static void tick(struct pool *pool)
{
    int64_t now_ns = campaign_clock_ns();

    if (pool->tasks->tick != NULL && now_ns - pool->ticked_at_ns >= POOL_TICK_NS) {
        pool->ticked_at_ns = now_ns;
        pool->tasks->tick(pool->tasks->context, now_ns);
    }
}

static void loop(struct pool *pool)
{
    while (!pool->stopped && !pool->broken) {
        pool->draining = pool->draining ||
                         (pool->tasks->drain != NULL && pool->tasks->drain(pool->tasks->context));
        if (hand_out_all(pool) == 0) {
            return;
        }
        wait_and_serve(pool);
        tick(pool);
    }
}

// Lets a worker leave by itself; one that does not within a while is killed.
static void dismiss(struct pool *pool, struct pool_worker *worker, int64_t until_ns)
{
    char words[CAMPAIGN_ERRORS_MAX + 1];
    bool open = !pool->stopped && !pool->broken;
    int status;

    while (open) {
        struct pollfd polled[2] = {{worker->answers, POLLIN, 0}, {worker->errors, POLLIN, 0}};
        int64_t left_ms = (until_ns - campaign_clock_ns()) / 1000000;
        unsigned char ignored[256];

        if (left_ms <= 0 || (poll(polled, 2, (int)left_ms) < 0 && errno != EINTR)) {
            break;
        }
        if (polled[1].revents != 0 && !read_errors(worker)) {
            close_fd(&worker->errors);
        }
        open = polled[0].revents == 0 || read(worker->answers, ignored, sizeof(ignored)) != 0;
    }
    (void)kill(worker->process, SIGKILL);
    status = wait_for(worker->process);
    if (worker->errors >= 0) {
        (void)read_errors(worker);
    }
    last_words(worker, words);
    if (words[0] == '\0' && status != 0 && !open && !pool->stopped && !pool->broken) {
        (void)snprintf(words, sizeof(words), "a worker process died as it left (status %d)\n",
                       status);
    }
    if (words[0] != '\0' && pool->tasks->said != NULL) {
        pool->tasks->said(pool->tasks->context, (uint64_t)worker->process, words);
    }
    close_pipes(worker);
}

static void dismiss_all(struct pool *pool)
{
    int64_t until_ns = campaign_clock_ns() + POOL_LEAVE_NS;

    for (uint32_t i = 0; i < pool->options->workers; i++) {
        close_fd(&pool->workers[i].items);
    }
    for (uint32_t i = 0; i < pool->options->workers; i++) {
        if (pool->workers[i].process > 0) {
            dismiss(pool, &pool->workers[i], until_ns);
        }
        free(pool->workers[i].bytes);
    }
}

// --- set-up --------------------------------------------------------------------------------------

static bool set_up(struct pool *pool)
{
    size_t n = pool->options->workers;
    void *shared = mmap(NULL, n * sizeof(*pool->progress), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    pool->progress = shared == MAP_FAILED ? NULL : shared;
    pool->workers = calloc(n, sizeof(*pool->workers));
    pool->polled = calloc(2 * n, sizeof(*pool->polled));
    // A worker returns at most its hands, and one more item when its start fails.
    pool->returned = calloc(n * (CAMPAIGN_AHEAD_MAX + 1), sizeof(*pool->returned));
    if (pool->progress == NULL || pool->workers == NULL || pool->polled == NULL ||
        pool->returned == NULL) {
        break_off(pool, "out of memory for the workers", "");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        pool->workers[i].items = pool->workers[i].answers = pool->workers[i].errors = -1;
        pool->workers[i].progress = &pool->progress[i];
    }
    return true;
}

static void tear_down(struct pool *pool)
{
    if (pool->progress != NULL) {
        (void)munmap(pool->progress, pool->options->workers * sizeof(*pool->progress));
    }
    free(pool->workers);
    free(pool->polled);
    free(pool->returned);
}

enum campaign_result campaign_pool_run(const struct campaign_pool_options *options,
                                       const struct campaign_tasks *tasks, char *message,
                                       size_t size)
{
    struct pool pool = {
        .options = options, .tasks = tasks, .message = message, .message_size = size};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction pipe_before;
    struct sigaction child_before;

    message[0] = '\0';
    if (options->workers < 1 || options->workers > CAMPAIGN_WORKERS_MAX) {
        (void)snprintf(message, size, "the number of workers must be 1 to %u",
                       CAMPAIGN_WORKERS_MAX);
        return CAMPAIGN_OUTSIDE;
    }
    (void)sigaction(SIGPIPE, &ignored, &pipe_before);
    (void)sigaction(SIGCHLD, &usual, &child_before);
    if (set_up(&pool)) {
        loop(&pool);
        dismiss_all(&pool);
    }
    tear_down(&pool);
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
    (void)sigaction(SIGCHLD, &child_before, NULL);
    if (pool.broken) {
        return CAMPAIGN_OUTSIDE;
    }
    if (pool.stopped) {
        return CAMPAIGN_STOPPED;
    }
    return pool.draining ? CAMPAIGN_DRAINED : CAMPAIGN_COMPLETE;
}
