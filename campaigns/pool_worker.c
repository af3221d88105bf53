// SPDX-License-Identifier: GPL-3.0-or-later
//
// The worker's side of a pool: reads items, works, answers in batches.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "campaigns/pool_parts.h"

#define WORKER_BATCH_BYTES ((size_t)32 << 10) // answers wait until they are as large,
#define WORKER_BATCH_NS INT64_C(50000000)     // as old, or until there is nothing else to do

struct worker {
    const struct pool_worker_setup *setup;
    void *kept; // what start() made
    struct campaign_reply reply;
    struct campaign_reply out; // frames not yet written
    int64_t written_at_ns;
};

static void die_with_parent(const struct pool_worker_setup *setup)
{
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    // It may have died before the line above. Elsewhere the end of the pipe of items tells.
    if (getppid() != setup->parent) {
        _exit(POOL_EXIT_PIPE);
    }
}

static void prepare(const struct pool_worker_setup *setup)
{
    struct rlimit limit = {0, 0};

    die_with_parent(setup);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN); // a terminal sends it to the whole group, too
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &setup->mask, NULL);
    // A crash is reported with its item, which can be repeated; thousands of cores help nobody.
    (void)setrlimit(RLIMIT_CORE, &limit);
    if (setup->options->memory_bytes > 0) {
        limit.rlim_cur = (rlim_t)setup->options->memory_bytes;
        limit.rlim_max = limit.rlim_cur;
        (void)setrlimit(RLIMIT_AS, &limit);
    }
    if (dup2(setup->errors, STDOUT_FILENO) < 0 || dup2(setup->errors, STDERR_FILENO) < 0) {
        _exit(POOL_EXIT_PIPE);
    }
    (void)close(setup->errors);
}

static void write_bytes(const struct worker *worker, const unsigned char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(worker->setup->answers, bytes + done, size - done);

        if (n < 0 && errno != EINTR) {
            _exit(POOL_EXIT_PIPE);
        }
        done += n > 0 ? (size_t)n : 0;
    }
}

static void write_out(struct worker *worker)
{
    write_bytes(worker, worker->out.bytes, worker->out.size);
    worker->out.size = 0;
    worker->written_at_ns = campaign_clock_ns();
}

static void answer(struct worker *worker, const struct pool_frame *frame, const void *bytes)
{
    bool large = frame->size >= WORKER_BATCH_BYTES;

    campaign_reply_add(&worker->out, frame, sizeof(*frame));
    if (!large) {
        campaign_reply_add(&worker->out, bytes, (size_t)frame->size);
    }
    if (worker->out.failed) {
        static const char words[] = "out of memory for an answer\n";

        (void)!write(STDERR_FILENO, words, sizeof(words) - 1);
        _exit(POOL_EXIT_PIPE);
    }
    if (large) { // without a copy
        write_out(worker);
        write_bytes(worker, bytes, (size_t)frame->size);
    }
}

static void do_item(struct worker *worker, uint64_t item)
{
    struct pool_progress *progress = worker->setup->progress;
    struct pool_frame frame = {POOL_FRAME_ANSWER, item, 0, 0};
    int64_t begun = campaign_clock_ns();
    int64_t ended;

    atomic_store(&progress->begun_at_ns, begun);
    (void)atomic_fetch_add(&progress->begun, 1);
    worker->reply.size = 0;
    worker->reply.failed = false;
    worker->setup->tasks->work(worker->setup->tasks->context, worker->kept, item, &worker->reply);
    ended = campaign_clock_ns();
    frame.wall_ns = ended - begun;
    frame.kind = worker->reply.failed ? POOL_FRAME_FAILED : POOL_FRAME_ANSWER;
    frame.size = worker->reply.failed ? 0 : worker->reply.size;
    answer(worker, &frame, worker->reply.bytes);
    (void)atomic_fetch_add(&progress->finished, 1);
    if (worker->out.size >= WORKER_BATCH_BYTES || ended - worker->written_at_ns > WORKER_BATCH_NS) {
        write_out(worker);
    }
}

// Reads whole items into `items`. Returns how many; 0 at the end.
static size_t read_items(const struct worker *worker, uint64_t *items, size_t most)
{
    size_t size = 0;

    do {
        ssize_t n =
            read(worker->setup->items, (unsigned char *)items + size, most * sizeof(*items) - size);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return 0;
        }
        size += n > 0 ? (size_t)n : 0;
    } while (size == 0 || size % sizeof(*items) != 0);
    return size / sizeof(*items);
}

noreturn void pool_worker_live(const struct pool_worker_setup *setup)
{
    struct worker worker = {.setup = setup};
    const struct campaign_tasks *tasks = setup->tasks;
    struct pool_frame ready = {POOL_FRAME_READY, 0, 0, 0};
    uint64_t items[64];
    size_t n;

    prepare(setup);
    if (tasks->start != NULL && !tasks->start(tasks->context, &worker.kept)) {
        _exit(POOL_EXIT_START);
    }
    answer(&worker, &ready, NULL);
    do {
        write_out(&worker);
        n = read_items(&worker, items, sizeof(items) / sizeof(items[0]));
        for (size_t i = 0; i < n; i++) {
            do_item(&worker, items[i]);
        }
    } while (n > 0);
    if (tasks->end != NULL) {
        tasks->end(tasks->context, worker.kept);
    }
    campaign_reply_release(&worker.reply);
    campaign_reply_release(&worker.out);
    _exit(0);
}
