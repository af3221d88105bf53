// SPDX-License-Identifier: GPL-3.0-or-later
//
// Worker processes that crash, hang, exit, talk and answer too much, and a parent that keeps count.
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaigns/pool.h"

#define ITEMS_MAX 20000u

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

struct campaign {
    uint64_t items;
    uint64_t next;
    uint64_t drain_at; // drained once so many have ended; 0: never
    uint64_t stop_at;
    uint64_t ended;
    uint64_t answered, crashed, limited;
    uint64_t sum;
    uint8_t times[ITEMS_MAX]; // done() of each item
    uint8_t limits[ITEMS_MAX]; // how often each was limited
    int64_t limit_ns; // nothing that took less is limited
    bool wrong;
    int signal, exit_code;
    char errors[CAMPAIGN_ERRORS_MAX + 1];
    char said[CAMPAIGN_ERRORS_MAX + 1];
    int64_t wall_ns;
    uint64_t culprit;
    uint64_t ticks;
    bool start_fails;
    bool end_waits;
    void (*work)(uint64_t item, struct campaign_reply *reply);
    char message[256];
};

static bool start(void *context, void **worker)
{
    const struct campaign *c = context;

    *worker = malloc(16);
    if (c->start_fails) {
        (void)!write(STDERR_FILENO, "no arena\n", 9);
        return false;
    }
    return *worker != NULL;
}

static void work(void *context, void *worker, uint64_t item, struct campaign_reply *reply)
{
    const struct campaign *c = context;

    assert_non_null(worker);
    c->work(item, reply);
}

static void end(void *context, void *worker)
{
    (void)context;
    free(worker);
}

static bool next(void *context, uint64_t *item)
{
    struct campaign *c = context;

    if (c->next == c->items) {
        return false;
    }
    *item = c->next++;
    return true;
}

static void keep_crash(struct campaign *c, uint64_t item, const struct campaign_outcome *o)
{
    c->culprit = item;
    c->signal = o->signal;
    c->exit_code = o->exit_code;
    (void)snprintf(c->errors, sizeof(c->errors), "%s", o->errors);
}

static bool done(void *context, uint64_t item, const struct campaign_outcome *o)
{
    struct campaign *c = context;
    struct campaign_reader reader = {o->bytes, o->size, 0, false};

    c->times[item]++;
    c->ended++;
    c->wall_ns = o->wall_ns;
    c->wrong = c->wrong || o->process == 0 || o->process == (uint64_t)getpid();
    if (o->end == CAMPAIGN_ANSWERED) {
        uint64_t value = campaign_reader_u64(&reader);

        c->answered++;
        c->sum += value;
        c->wrong = c->wrong || reader.failed || value != item * 3 || o->errors[0] != '\0';
    } else {
        c->crashed += o->end == CAMPAIGN_CRASHED;
        c->limited += o->end == CAMPAIGN_LIMITED;
        c->limits[item] = (uint8_t)(c->limits[item] + (o->end == CAMPAIGN_LIMITED));
        c->wrong = c->wrong || (o->end == CAMPAIGN_LIMITED && o->wall_ns < c->limit_ns);
        keep_crash(c, item, o);
    }
    return c->stop_at == 0 || c->ended < c->stop_at;
}

static void tick(void *context, int64_t now_ns)
{
    struct campaign *c = context;

    c->ticks += now_ns > 0;
}

static bool drain(void *context)
{
    const struct campaign *c = context;

    return c->drain_at > 0 && c->ended >= c->drain_at;
}

static void said(void *context, uint64_t process, const char *text)
{
    struct campaign *c = context;

    c->wrong = c->wrong || process == 0;
    (void)snprintf(c->said, sizeof(c->said), "%s", text);
}

static enum campaign_result run(struct campaign *c, const struct campaign_pool_options *options)
{
    struct campaign_tasks tasks = {.context = c,
                                   .start = start,
                                   .work = work,
                                   .end = end,
                                   .next = next,
                                   .done = done,
                                   .tick = tick,
                                   .drain = drain,
                                   .said = said};
    enum campaign_result result =
        campaign_pool_run(options, &tasks, c->message, sizeof(c->message));
    int status;

    // No child is left behind.
    assert_i64(waitpid(-1, &status, WNOHANG), -1);
    assert_i64(errno, ECHILD);
    assert_false(c->wrong);
    return result;
}

static void assert_all_once(const struct campaign *c)
{
    assert_u64(c->ended, c->items);
    for (uint64_t i = 0; i < c->items; i++) {
        assert_u64(c->times[i], 1);
    }
}

static void triple(uint64_t item, struct campaign_reply *reply)
{
    campaign_reply_u64(reply, item * 3);
}

static void every_item_is_answered_once(void **state)
{
    static const uint32_t workers[] = {1, 2, 5};
    static const uint32_t aheads[] = {0, 1, 7, CAMPAIGN_AHEAD_MAX, 100000};

    (void)state;
    for (size_t w = 0; w < 3; w++) {
        for (size_t a = 0; a < 5; a++) {
            struct campaign c = {.items = 1500, .work = triple};
            struct campaign_pool_options options = {.workers = workers[w], .ahead = aheads[a]};

            assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
            assert_all_once(&c);
            assert_u64(c.answered, 1500);
            assert_u64(c.sum, 3 * (1500 * 1499 / 2));
            assert_text(c.message, "");
        }
    }
}

static void nothing_to_do_starts_nobody(void **state)
{
    struct campaign c = {.items = 0, .work = triple, .start_fails = true};
    struct campaign_pool_options options = {.workers = 3};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
}

static void crash_sometimes(uint64_t item, struct campaign_reply *reply)
{
    if (item % 50 == 7) {
        (void)!write(STDERR_FILENO, "about to\x1b fall\n", 15);
        (void)raise(SIGKILL);
    }
    campaign_reply_u64(reply, item * 3);
}

static void a_crash_takes_one_item_along(void **state)
{
    static const uint32_t aheads[] = {0, 1, 64};

    (void)state;
    for (size_t a = 0; a < 3; a++) {
        struct campaign c = {.items = 500, .work = crash_sometimes};
        struct campaign_pool_options options = {.workers = 2, .ahead = aheads[a]};

        assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
        assert_all_once(&c);
        assert_u64(c.crashed, 10);
        assert_u64(c.answered, 490);
        assert_u64(c.culprit % 50, 7);
        assert_i64(c.signal, SIGKILL);
        assert_text(c.errors, "about to? fall\n");
    }
}

static void die(uint64_t item, struct campaign_reply *reply)
{
    if (item == 0) {
        abort();
    } else if (item == 1) {
        _exit(0);
    } else if (item == 2) {
        _exit(23);
    }
    campaign_reply_u64(reply, item * 3);
}

static void every_way_to_die_is_told(void **state)
{
    static const int signals[] = {SIGABRT, 0, 0};
    static const int codes[] = {0, 0, 23};

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        struct campaign c = {.items = i + 1, .next = i, .work = die};
        struct campaign_pool_options options = {.workers = 1};

        assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
        assert_u64(c.crashed, 1);
        assert_u64(c.culprit, i);
        assert_i64(c.signal, signals[i]);
        assert_i64(c.exit_code, codes[i]);
    }
}

static void talk_and_die(uint64_t item, struct campaign_reply *reply)
{
    (void)item;
    (void)reply;
    for (int i = 0; i < 3000; i++) { // more than a pipe holds
        char line[64];
        int n = snprintf(line, sizeof(line), "line %04d of what it has to say\n", i);

        (void)!write(STDERR_FILENO, line, (size_t)n);
    }
    (void)raise(SIGKILL);
}

static void the_last_words_are_whole_lines(void **state)
{
    struct campaign c = {.items = 1, .work = talk_and_die};
    struct campaign_pool_options options = {.workers = 1};
    size_t size;

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    size = strlen(c.errors);
    assert_true(size > CAMPAIGN_ERRORS_MAX - 64 && size <= CAMPAIGN_ERRORS_MAX);
    assert_i64(strncmp(c.errors, "line ", 5), 0);
    assert_text(c.errors + size - 32, "line 2999 of what it has to say\n");
}

static void hang_sometimes(uint64_t item, struct campaign_reply *reply)
{
    while (item == 3) {
        (void)pause();
    }
    campaign_reply_u64(reply, item * 3);
}

// A busy machine may keep other items waiting as long, which then are ended, too.
static void a_hanging_item_is_ended(void **state)
{
    struct campaign c = {.items = 40, .work = hang_sometimes, .limit_ns = INT64_C(300000000)};
    struct campaign_pool_options options = {
        .workers = 2, .ahead = 8, .item_wall_ns = c.limit_ns};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_all_once(&c);
    assert_u64(c.limits[3], 1);
    assert_u64(c.answered + c.limited, 40);
    assert_true(c.answered > 0);
    assert_true(c.ticks > 0);
}

// Every second item takes about as long as it may, the others no time.
static void take_all_the_time(uint64_t item, struct campaign_reply *reply)
{
    int64_t begun_ns = campaign_clock_ns();

    while (item % 2 == 0 && campaign_clock_ns() - begun_ns < 1000000) {
    }
    campaign_reply_u64(reply, item * 3);
}

// The signal for a late item may come when the next one has begun, which then is not to blame.
static void only_what_is_late_is_ended(void **state)
{
    struct campaign c = {.items = 300, .work = take_all_the_time, .limit_ns = 1100000};
    struct campaign_pool_options options = {
        .workers = 2, .ahead = 8, .item_wall_ns = c.limit_ns};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_all_once(&c);
    assert_u64(c.answered + c.limited, 300);
}

static void answer_much(uint64_t item, struct campaign_reply *reply)
{
    static const unsigned char zeros[4096];

    campaign_reply_u64(reply, item * 3);
    for (int i = 0; i < 5000; i++) {
        campaign_reply_add(reply, zeros, sizeof(zeros));
    }
}

static void huge_answers_arrive_whole(void **state)
{
    struct campaign c = {.items = 6, .work = answer_much};
    struct campaign_pool_options options = {.workers = 2};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_u64(c.answered, 6);
}

static void fail_sometimes(uint64_t item, struct campaign_reply *reply)
{
    campaign_reply_u64(reply, item * 3);
    reply->failed = item == 5;
}

static void a_failed_reply_is_a_limit(void **state)
{
    struct campaign c = {.items = 20, .work = fail_sometimes};
    struct campaign_pool_options options = {.workers = 1};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_all_once(&c);
    assert_u64(c.limited, 1);
    assert_u64(c.culprit, 5);
}

static void chat(uint64_t item, struct campaign_reply *reply)
{
    if (item == 9) {
        (void)!write(STDOUT_FILENO, "a remark\n", 9);
    }
    campaign_reply_u64(reply, item * 3);
}

static void remarks_of_healthy_workers_are_told(void **state)
{
    struct campaign c = {.items = 20, .work = chat};
    struct campaign_pool_options options = {.workers = 1};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_text(c.said, "a remark\n");
}

static void a_worker_that_cannot_start_ends_it(void **state)
{
    struct campaign c = {.items = 20, .work = triple, .start_fails = true};
    struct campaign_pool_options options = {.workers = 2};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_OUTSIDE);
    assert_u64(c.ended, 0);
    assert_non_null(strstr(c.message, "could not start"));
    assert_non_null(strstr(c.message, "no arena"));
}

static int no_fork(void)
{
    errno = EAGAIN;
    return -1;
}

// Every second process id is even or odd often enough; what counts is that some forks fail.
static int fork_now_and_then(void)
{
    static int calls;

    return ++calls % 3 != 1 ? no_fork() : (int)fork();
}

static void forks_that_fail(void **state)
{
    struct campaign none = {.items = 20, .work = triple};
    struct campaign some = {.items = 2000, .work = crash_sometimes};
    struct campaign_pool_options options = {.workers = 2, .fork_process = no_fork};

    (void)state;
    assert_u64(run(&none, &options), CAMPAIGN_OUTSIDE);
    assert_u64(none.ended, 0);
    assert_non_null(strstr(none.message, "could be started"));

    options.fork_process = fork_now_and_then;
    options.workers = 3;
    if (run(&some, &options) == CAMPAIGN_COMPLETE) {
        assert_all_once(&some);
    }
    assert_non_null(strstr(some.message, "could be started"));
}

static void draining_waits_for_what_runs(void **state)
{
    struct campaign c = {.items = 10000, .work = triple, .drain_at = 100};
    struct campaign_pool_options options = {.workers = 2, .ahead = 4};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_DRAINED);
    assert_true(c.ended >= 100 && c.ended < 10000);
    assert_u64(c.ended, c.next); // all that was handed out has ended
    for (uint64_t i = 0; i < c.next; i++) {
        assert_u64(c.times[i], 1);
    }
}

static void stopping_stops_at_once(void **state)
{
    struct campaign c = {.items = 10000, .work = triple, .stop_at = 50};
    struct campaign_pool_options options = {.workers = 2};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_STOPPED);
    assert_u64(c.ended, 50);
}

static void on_alarm(int number)
{
    (void)number;
}

static void interrupted_calls_are_repeated(void **state)
{
    struct campaign c = {.items = ITEMS_MAX, .work = crash_sometimes};
    struct campaign_pool_options options = {.workers = 2};
    struct sigaction action = {.sa_handler = on_alarm}; // no SA_RESTART
    struct itimerval often = {{0, 300}, {0, 300}};
    struct itimerval never = {{0, 0}, {0, 0}};

    (void)state;
    assert_i64(sigaction(SIGALRM, &action, NULL), 0);
    assert_i64(setitimer(ITIMER_REAL, &often, NULL), 0);
    c.items = 2000;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_i64(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_all_once(&c);
    assert_u64(c.crashed, 40);
}

// What a worker inherits: no SIGINT or SIGHUP, and no ends of other workers' pipes.
static void look_around(uint64_t item, struct campaign_reply *reply)
{
    int open_files = 0;

    (void)raise(SIGINT);
    (void)raise(SIGHUP);
    for (int fd = 3; fd < 64; fd++) {
        open_files += fcntl(fd, F_GETFD) != -1;
    }
    if (open_files > 2) {
        abort();
    }
    campaign_reply_u64(reply, item * 3);
}

static void workers_are_on_their_own(void **state)
{
    struct campaign c = {.items = 300, .work = look_around};
    struct campaign_pool_options options = {.workers = 4, .ahead = 1};

    (void)state;
    for (int fd = 3; fd < 64; fd++) { // what the test runner left open is not the pool's
        (void)close(fd);
    }
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_u64(c.answered, 300);
}

#define KNOWN_FD 60

static void show_life_and_hang(uint64_t item, struct campaign_reply *reply)
{
    (void)item;
    (void)reply;
    (void)!write(KNOWN_FD, "x", 1);
    for (;;) {
        (void)pause();
    }
}

// The parent is killed while its workers hang; the pipe that they hold open must reach its end.
static void workers_die_with_the_parent(void **state)
{
    int ends[2];
    int process;
    char bytes[2];

    (void)state;
    assert_i64(pipe(ends), 0);
    process = (int)fork();
    if (process == 0) {
        struct campaign *c = calloc(1, sizeof(*c));
        struct campaign_pool_options options = {.workers = 2, .ahead = 1};

        if (c == NULL || dup2(ends[1], KNOWN_FD) < 0 || close(ends[1]) != 0) {
            _exit(1);
        }
        c->items = 8;
        c->work = show_life_and_hang;
        (void)run(c, &options);
        _exit(1);
    }
    (void)close(ends[1]);
    assert_i64(read(ends[0], bytes, 1), 1);
    assert_i64(kill(process, SIGKILL), 0);
    assert_i64(waitpid(process, NULL, 0), process);
    while (read(ends[0], bytes, 1) > 0) { // the second worker's sign of life
    }
    (void)close(ends[0]);
}

#if !defined(SANITIZED)
static void take_memory(uint64_t item, struct campaign_reply *reply)
{
    // Volatile, or clang takes an allocation that nobody reads for one that always succeeds.
    void *volatile memory = malloc((size_t)1 << 30);

    reply->failed = memory == NULL;
    free(memory);
    campaign_reply_u64(reply, item * 3);
}

static void memory_is_limited(void **state)
{
    struct campaign c = {.items = 3, .work = take_memory};
    struct campaign_pool_options options = {.workers = 1, .memory_bytes = (uint64_t)512 << 20};

    (void)state;
    assert_u64(run(&c, &options), CAMPAIGN_COMPLETE);
    assert_u64(c.limited, 3);
}
#endif

static void replies_are_read_back(void **state)
{
    struct campaign_reply reply = {0};
    struct campaign_reader reader;
    char *text;

    (void)state;
    campaign_reply_u32(&reply, 0xfedcba98u);
    campaign_reply_i64(&reply, INT64_MIN);
    campaign_reply_text(&reply, "");
    campaign_reply_text(&reply, "J\xc3\xbcrgen");
    assert_false(reply.failed);
    reader = (struct campaign_reader){reply.bytes, reply.size, 0, false};
    assert_u64(campaign_reader_u32(&reader), 0xfedcba98u);
    assert_i64(campaign_reader_i64(&reader), INT64_MIN);
    text = campaign_reader_text(&reader);
    assert_text(text, "");
    free(text);
    text = campaign_reader_text(&reader);
    assert_text(text, "J\xc3\xbcrgen");
    free(text);
    assert_false(reader.failed);
    assert_u64(campaign_reader_u32(&reader), 0);
    assert_true(reader.failed);
    assert_null(campaign_reader_text(&reader));
    campaign_reply_release(&reply);
}

static void every_cut_of_a_reply_fails(void **state)
{
    struct campaign_reply reply = {0};

    (void)state;
    campaign_reply_u64(&reply, 1);
    campaign_reply_text(&reply, "text");
    for (size_t size = 0; size <= reply.size; size++) {
        struct campaign_reader reader = {reply.bytes, size, 0, false};
        char *text;

        (void)campaign_reader_u64(&reader);
        text = campaign_reader_text(&reader);
        assert_i64(reader.failed, size < reply.size);
        assert_i64(text == NULL, size < reply.size);
        free(text);
    }
    campaign_reply_release(&reply);
}

static void there_is_a_processor(void **state)
{
    (void)state;
    assert_true(campaign_pool_default_workers() >= 1);
}

static void wrong_numbers_of_workers(void **state)
{
    static const uint32_t wrong[] = {0, CAMPAIGN_WORKERS_MAX + 1};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct campaign c = {.items = 1, .work = triple};
        struct campaign_pool_options options = {.workers = wrong[i]};

        assert_u64(run(&c, &options), CAMPAIGN_OUTSIDE);
        assert_non_null(strstr(c.message, "number of workers"));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_item_is_answered_once),
    cmocka_unit_test(nothing_to_do_starts_nobody),
    cmocka_unit_test(a_crash_takes_one_item_along),
    cmocka_unit_test(every_way_to_die_is_told),
    cmocka_unit_test(the_last_words_are_whole_lines),
    cmocka_unit_test(a_hanging_item_is_ended),
    cmocka_unit_test(only_what_is_late_is_ended),
    cmocka_unit_test(huge_answers_arrive_whole),
    cmocka_unit_test(a_failed_reply_is_a_limit),
    cmocka_unit_test(remarks_of_healthy_workers_are_told),
    cmocka_unit_test(a_worker_that_cannot_start_ends_it),
    cmocka_unit_test(forks_that_fail),
    cmocka_unit_test(draining_waits_for_what_runs),
    cmocka_unit_test(stopping_stops_at_once),
    cmocka_unit_test(interrupted_calls_are_repeated),
    cmocka_unit_test(workers_are_on_their_own),
    cmocka_unit_test(workers_die_with_the_parent),
#if !defined(SANITIZED)
    cmocka_unit_test(memory_is_limited),
#endif
    cmocka_unit_test(replies_are_read_back),
    cmocka_unit_test(every_cut_of_a_reply_fails),
    cmocka_unit_test(there_is_a_processor),
    cmocka_unit_test(wrong_numbers_of_workers),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "campaigns_pool", tests);
}
