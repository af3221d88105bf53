// SPDX-License-Identifier: GPL-3.0-or-later
//
// The job has ended and its log is being removed, when the master dies: at every operation of STOP
// (clear), in every state that the device permits, and again at every operation of the clean-up
// that the next master finishes. The job is then as it was before STOP, or ended; it never starts
// anew while a file of its log is there.
#include "tests/testing/support_engine.h"
#include "tests/testing/support_seen.h"


enum { SEEN_MAX = 1 << 16 };

struct campaign {
    struct recoup_testing_device device;
    struct recoup_graph graph;
    enum recoup_testing_crash_kind kind;
    uint32_t window;
    uint64_t points;
    uint64_t states;
    uint64_t recovered; // distinct states that led to the job as it was
    uint64_t ended;
    uint64_t gone; // nothing was left
    uint64_t seen[SEEN_MAX];
};

static void engine_of(const struct campaign *c, struct engine *engine,
                      struct recoup_testing_host *host, struct cluster *cluster)
{
    engine_init(engine, host, cluster, &c->graph, RECOUP_PROFILE_HARDENED);
    engine->options.write_buffer_bytes = 256;
}

// Files with anything in them: claims say nothing of a job.
static uint32_t log_files(const struct recoup_testing_host *host)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < recoup_testing_file_count(host); i++) {
        uint64_t size;

        (void)recoup_testing_file_bytes(host, i, &size);
        n += size > 0 ? 1 : 0;
    }
    return n;
}

static void crash_all(struct campaign *c, const struct recoup_testing_host *host,
                      const struct cluster *cluster, uint64_t epoch, uint64_t salt,
                      const uint8_t wanted[16]);

// A new master on what a crash has left.
static void check_next(struct campaign *c, const struct recoup_testing_host *left,
                       const struct cluster *cluster, uint64_t epoch, uint64_t salt,
                       const uint8_t wanted[16])
{
    struct recoup_testing_host *host;
    struct cluster workers = *cluster;
    struct engine next;
    uint8_t hash[16];
    bool any = log_files(left) > 0;

    assert_int_equal(recoup_testing_host_copy(left, &host), 0);
    engine_of(c, &next, host, &workers);
    engine_start(&next, epoch);
    assert_int_equal(next.recovery_error, 0);
    if (next.job_ended) {
        c->ended++;
        assert_true(next.stopped);
        assert_int_equal(next.stop_error, 0);
        assert_int_equal(recoup_testing_file_count(host), 0);
    } else if (next.from_log) {
        c->recovered++;
        assert_int_equal(epoch, 2); // once the end was durable, it stays so
        recoup_state_hash(next.job, hash);
        assert_memory_equal(hash, wanted, 16);
    } else {
        c->gone++;
        assert_false(any);
    }
    engine_destroy(&next);
    recoup_testing_host_destroy(host);
    if (next.job_ended && epoch == 2) {
        crash_all(c, left, cluster, epoch, salt, wanted);
    }
}

static void each_state(struct campaign *c, const struct recoup_testing_host *host,
                       const struct cluster *cluster, uint64_t epoch, uint64_t salt,
                       const uint8_t wanted[16])
{
    struct recoup_testing_crashes crashes;

    c->points++;
    recoup_testing_crashes_begin(&crashes, host, c->kind, c->window);
    while (recoup_testing_crashes_next(&crashes)) {
        struct recoup_testing_host *copy;

        assert_int_equal(recoup_testing_host_copy(host, &copy), 0);
        assert_int_equal(recoup_testing_crash(copy, &crashes.choice), 0);
        c->states++;
        if (seen_first_storage(c->seen, SEEN_MAX, copy, salt)) {
            check_next(c, copy, cluster, epoch, salt, wanted);
        }
        recoup_testing_host_destroy(copy);
    }
}

// The master of `epoch` cleans up what it finds on `left`, and dies at every operation of that.
static void crash_all(struct campaign *c, const struct recoup_testing_host *left,
                      const struct cluster *cluster, uint64_t epoch, uint64_t salt,
                      const uint8_t wanted[16])
{
    bool dead = true;

    for (uint64_t at = 0; dead; at++) {
        struct recoup_testing_host *host;
        struct cluster workers = *cluster;
        struct engine engine;

        assert_true(at < 100);
        assert_int_equal(recoup_testing_host_copy(left, &host), 0);
        engine_of(c, &engine, host, &workers);
        engine.die_at = at;
        engine_start(&engine, epoch);
        dead = engine.dead;
        engine_destroy(&engine);
        if (dead) {
            each_state(c, host, &workers, epoch + 1, salt + 1, wanted);
        }
        recoup_testing_host_destroy(host);
    }
}

// STOP (clear) dies at its operation `at`; false if it ends before.
static bool crash_stop(struct campaign *c, uint64_t at)
{
    struct recoup_testing_host *host;
    struct recoup_allocator allocator = engine_allocator();
    struct cluster cluster = {.n_held = 0};
    struct engine engine;
    uint8_t wanted[16];
    bool dead;

    assert_int_equal(recoup_testing_host_create(&c->device, &allocator, &host), 0);
    engine_of(c, &engine, host, &cluster);
    engine_start(&engine, 1);
    engine_run(&engine);
    assert_true(engine_complete(&engine));
    recoup_state_hash(engine.job, wanted);
    engine.die_at = engine.operations + at;
    engine_stop(&engine, true);
    dead = engine.dead;
    if (!dead) {
        assert_int_equal(engine.stop_error, 0);
        assert_int_equal(recoup_testing_file_count(host), 0);
    }
    engine_destroy(&engine);
    if (dead) {
        each_state(c, host, &cluster, 2, at * 1000, wanted);
    }
    recoup_testing_host_destroy(host);
    return dead;
}

static void explore(enum recoup_testing_profile profile, enum recoup_testing_crash_kind kind,
                    uint32_t window, const char *name)
{
    struct campaign *c = calloc(1, sizeof *c);

    assert_non_null(c);
    recoup_testing_device_init(&c->device, profile);
    c->graph = graph_lines();
    c->kind = kind;
    c->window = window;
    for (uint64_t at = 0; crash_stop(c, at); at++) {
        assert_true(at < 100);
    }
    print_message("  %s: %" PRIu64 " operations, %" PRIu64 " crash states; the job was as before %"
                  PRIu64 " times, ended %" PRIu64 ", gone %" PRIu64 "\n",
                  name, c->points, c->states, c->recovered, c->ended, c->gone);
    assert_true(c->points > 10 && c->recovered > 0 && c->ended > 10 && c->gone > 0);
    free(c);
}

static void power_loss(void **state)
{
    (void)state;
    explore(RECOUP_TESTING_DISK, RECOUP_TESTING_POWER_LOSS, 4, "disk, any 4 writes");
    explore(RECOUP_TESTING_SERVERS, RECOUP_TESTING_POWER_LOSS, 4, "servers");
    explore(RECOUP_TESTING_OBJECTS, RECOUP_TESTING_POWER_LOSS, 4, "objects");
}

static void death_of_the_process(void **state)
{
    (void)state;
    explore(RECOUP_TESTING_DISK, RECOUP_TESTING_KILL, 2, "disk");
    explore(RECOUP_TESTING_OBJECTS, RECOUP_TESTING_KILL, 2, "objects");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(power_loss),
    cmocka_unit_test(death_of_the_process),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "ending", tests);
}
