// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two masters at once, every interleaving. An old master that does not know yet that it is none
// goes on: it compacts, takes recording up again after an error, or clears the log of the ended
// job. Meanwhile its successor opens the log, up to RECOVERED. Every order of their operations is
// tried (orders that lead to the same state of the storage and of both masters are tried once), and
// after each single operation a third master must be able to take over:
//
//   after the successor has recovered it comes to the successor's state; before, to a state of the
//   old master that is not older than what that one was told to be durable before the successor
//   listed the directory; nothing is ever a gap.
//
// The old master learns that it is fenced, or it was done before the successor came.
#include "tests/testing/support_engine.h"
#include "tests/testing/support_seen.h"

#include <xxhash.h>

enum { NODES_MAX = 1 << 16, PATH_MAX_TURNS = 64 };

enum task { COMPACTS, REARMS, CLEARS };

struct world {
    struct recoup_testing_host *host;
    // Workers: what one of the two lets them drop is not what the log tells the third one.
    struct cluster cluster;
    struct cluster next_cluster;
    struct cluster all;
    struct engine old;
    struct engine next;
    uint64_t promised; // DURABLE of the old master when its successor listed the directory
    bool listed;
};

struct search {
    enum recoup_testing_profile profile;
    enum task task;
    struct recoup_graph graph;
    uint64_t seen[NODES_MAX]; // open addressing; 0: free
    uint64_t thirds[NODES_MAX];
    // What the search has met.
    uint32_t nodes;
    uint32_t checked; // third masters
    uint32_t leaves;
    uint32_t fenced;
    uint32_t ended; // third masters that were told that the job has ended
    uint32_t old_turns_max;
    uint32_t next_turns_max;
};

static void engine_of(const struct search *search, struct engine *engine,
                      struct recoup_testing_host *host, struct cluster *cluster)
{
    engine_init(engine, host, cluster, &search->graph, RECOUP_PROFILE_HARDENED);
    engine->payload_bytes = search->task == COMPACTS ? 16000 : 100;
    engine->limits.read_bytes = 1 << 20;
}

static void initialize(struct engine *engine, uint32_t stage)
{
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};

    event.stage_initialized.stage = stage;
    event.stage_initialized.parallelism = engine->graph.stages[stage].parallelism;
    engine_event(engine, &event);
}

// The old master up to the moment before its task. Others were before it.
static void prepare(const struct search *search, struct engine *old)
{
    engine_start(old, 2);
    assert_true(old->recovered);
    initialize(old, 0);
    initialize(old, 1);
    engine_finish(old, 0, 0);
    if (search->task == CLEARS) {
        return; // a job that was cancelled ends like one that is done
    }
    engine_finish(old, 0, 1);
    engine_advance(old, old->now_ns + SECOND);
    if (search->task == COMPACTS) {
        engine_finish(old, 0, 2);
        engine_finish(old, 1, 0);
        engine_advance(old, old->now_ns + SECOND);
    } else {
        struct recoup_testing_fault fault = {
            .type = RECOUP_ACTION_APPEND, .countdown = 1, .error = RECOUP_EIO};

        recoup_testing_fail(old->host, &fault);
        engine_finish(old, 0, 2);
        engine_advance(old, old->now_ns + 90 * MILLISECOND);
        recoup_testing_fail(old->host, NULL);
    }
}

static void begin_task(const struct search *search, struct engine *old)
{
    struct recoup_event stop = {.type = RECOUP_EVENT_STOP};

    old->hold = true;
    stop.stop.clear = true;
    if (search->task == COMPACTS) {
        assert_true(engine_finish(old, 1, 1)); // it ends the stage
    } else if (search->task == CLEARS) {
        engine_event(old, &stop);
    }
}

static void build(const struct search *search, struct world *world)
{
    struct recoup_testing_device device;
    struct recoup_allocator allocator = engine_allocator();

    memset(world, 0, sizeof *world);
    recoup_testing_device_init(&device, search->profile);
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &world->host), 0);
    engine_of(search, &world->old, world->host, &world->cluster);
    prepare(search, &world->old);
    begin_task(search, &world->old);
    world->promised = world->old.history.durable;
    world->next_cluster = world->cluster;
    world->all = world->cluster;
    engine_of(search, &world->next, world->host, &world->next_cluster);
    world->next.hold = true;
    engine_begin(&world->next, 3);
}

static void drop(struct world *world)
{
    engine_destroy(&world->old);
    engine_destroy(&world->next);
    recoup_testing_host_destroy(world->host);
}

static bool old_turn(struct world *world)
{
    // As far as its next attempt to record, not to the next tick of its flush timer for ever.
    bool moved =
        !world->old.stopped && engine_turn(&world->old, world->old.now_ns + 200 * MILLISECOND);

    world->promised = world->listed ? world->promised : world->old.history.durable;
    return moved;
}

static bool next_turn(struct world *world)
{
    const struct engine *next = &world->next;

    if (next->recovered || next->recovery_error != 0 || next->stopped) {
        return false;
    }
    if (next->busy && next->io.type == RECOUP_ACTION_LIST) {
        world->listed = true;
    }
    return engine_turn(&world->next, next->now_ns + 60 * SECOND);
}

static uint64_t key_of(const struct world *world)
{
    uint64_t parts[6] = {world->old.observed, world->next.observed, world->old.operations,
                         world->next.operations, (uint64_t)world->old.now_ns,
                         (uint64_t)world->next.now_ns};
    uint8_t hash[16];

    recoup_testing_hash(world->host, hash);
    return XXH3_64bits_withSeed(parts, sizeof parts, XXH3_64bits(hash, sizeof hash));
}

static bool is_state_of(const struct engine *engine, uint64_t promised, const uint8_t hash[16])
{
    uint8_t now[16];
    // The numbers of a checkpoint's records come behind those of the events.
    uint64_t from = promised < engine->history.n ? promised : engine->history.n;

    recoup_state_hash(engine->job, now); // what was dropped is in a checkpoint
    if (memcmp(now, hash, 16) == 0) {
        return true;
    }
    for (uint64_t k = from; k <= engine->history.n; k++) {
        if (memcmp(engine->history.hash[k], hash, 16) == 0) {
            return true;
        }
    }
    return false;
}

// One of them has removed all files of the log, after the job's end was durable.
static bool cleared(const struct world *world)
{
    const struct engine *both[] = {&world->old, &world->next};
    bool yes = false;

    for (unsigned i = 0; i < 2; i++) {
        yes = yes || (both[i]->stopped && both[i]->stop_error == 0) ||
              (both[i]->busy && both[i]->io.type == RECOUP_ACTION_REMOVE &&
               both[i]->io.io.file[0] == '\0');
    }
    return yes;
}

// A third master takes over now: from the storage as it is, the others die.
static void check_third(struct search *search, const struct world *world)
{
    struct recoup_testing_host *host;
    struct cluster cluster = world->next.recovered ? world->next_cluster : world->all;
    struct engine third;
    uint8_t hash[16], wanted[16];

    assert_int_equal(recoup_testing_host_copy(world->host, &host), 0);
    engine_of(search, &third, host, &cluster);
    engine_start(&third, 4);
    search->checked++;
    if (third.job_ended) {
        search->ended++;
        assert_int_equal(search->task, CLEARS);
        assert_true(third.stopped);
        assert_int_equal(third.stop_error, 0);
        assert_int_equal(recoup_testing_file_count(host), 0);
    } else if (cleared(world)) {
        assert_int_equal(third.recovery_error, 0); // all is removed: as if there had been no job
    } else {
        assert_int_equal(third.recovery_error, 0);
        assert_true(third.recovered && third.from_log);
        recoup_state_hash(third.job, hash);
        if (world->next.recovered) {
            recoup_state_hash(world->next.job, wanted);
            assert_memory_equal(hash, wanted, 16);
        } else {
            assert_true(is_state_of(&world->old, world->promised, hash));
        }
    }
    engine_destroy(&third);
    recoup_testing_host_destroy(host);
}

// Both are done: the successor did not lose anything, and the old master knows.
static void check_end(struct search *search, struct world *world)
{
    search->leaves++;
    if (cleared(world)) {
        // The successor was told, or saw files go, or came when all was over.
        assert_true(world->next.recovery_error == 0 || world->next.recovery_error == RECOUP_EGAP);
        return;
    }
    assert_int_equal(world->next.recovery_error, 0);
    if (world->next.job_ended) {
        assert_int_equal(world->next.stop_error, 0);
        return;
    }
    assert_true(world->next.recovered && world->next.from_log);
    if (world->old.protection_error == RECOUP_EFENCED || world->old.stop_error == RECOUP_EFENCED) {
        search->fenced++;
    }
    world->next.hold = false;
    engine_run(&world->next);
    assert_true(engine_complete(&world->next));
    engine_stop(&world->next, true);
    assert_int_equal(world->next.stop_error, 0);
}

// Follows `path` (false: the old master's turn) from the start.
static void follow(const struct search *search, struct world *world, const bool *path, uint32_t n)
{
    build(search, world);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(path[i] ? next_turn(world) : old_turn(world));
    }
}

static void explore(struct search *search, bool *path, uint32_t n)
{
    bool any = false;

    assert_true(n < PATH_MAX_TURNS);
    for (int who = 0; who < 2; who++) {
        struct world world;
        bool moved;

        follow(search, &world, path, n);
        path[n] = who == 1;
        moved = who == 1 ? next_turn(&world) : old_turn(&world);
        any = any || moved;
        if (moved && seen_first(search->seen, NODES_MAX, key_of(&world))) {
            search->nodes++;
            check_third(search, &world);
            drop(&world);
            explore(search, path, n + 1);
        } else {
            drop(&world);
        }
    }
    if (!any) {
        struct world world;

        follow(search, &world, path, n);
        check_end(search, &world);
        for (uint32_t i = 0, old = 0; i < n; i++) {
            old += path[i] ? 0 : 1;
            search->old_turns_max = old > search->old_turns_max ? old : search->old_turns_max;
            search->next_turns_max =
                i + 1 - old > search->next_turns_max ? i + 1 - old : search->next_turns_max;
        }
        drop(&world);
    }
}

static void all_interleavings(enum task task)
{
#ifdef __SANITIZE_ADDRESS__
    bool slow = true;
#else
    bool slow = false;
#endif
    static const char *const names[] = {"compacts", "rearms", "clears"};
    static const enum recoup_testing_profile profiles[] = {
        RECOUP_TESTING_DISK, RECOUP_TESTING_SERVERS, RECOUP_TESTING_OBJECTS};

    // On the object store a compaction has too many orders for a quick test (15,000 states), and
    // under sanitizers the disk alone has enough.
    for (unsigned p = 0; p < (slow ? 1u : task == COMPACTS ? 2u : 3u); p++) {
        struct search *search = calloc(1, sizeof *search);
        bool path[PATH_MAX_TURNS + 1];

        assert_non_null(search);
        search->profile = profiles[p];
        search->task = task;
        search->graph = graph_lines();
        explore(search, path, 0);
        print_message("old master %s, profile %u: %u states, %u third masters (%u told of the end),"
                      " %u ends, %u of them fenced; turns of the old at most %u, of the new %u\n",
                      names[task], p, search->nodes, search->checked, search->ended, search->leaves,
                      search->fenced, search->old_turns_max, search->next_turns_max);
        assert_true(search->nodes > 20);
        assert_true(search->fenced > 0);
        assert_true(task == CLEARS ? search->ended > 0 : search->ended == 0);
        free(search);
    }
}

static void an_old_master_compacts(void **state)
{
    (void)state;
    all_interleavings(COMPACTS);
}

static void an_old_master_takes_recording_up_again(void **state)
{
    (void)state;
    all_interleavings(REARMS);
}

static void an_old_master_clears_the_log(void **state)
{
    (void)state;
    all_interleavings(CLEARS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_old_master_compacts),
    cmocka_unit_test(an_old_master_takes_recording_up_again),
    cmocka_unit_test(an_old_master_clears_the_log),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "two masters", tests);
}
