// SPDX-License-Identifier: GPL-3.0-or-later
//
// Power loss, enumerated. A small job records; at every storage operation every crash state that
// the device permits within a window is built, and a new master recovers from it: every
// acknowledged event is there, what is there is a prefix, and the job can be run to its end. To
// depth two: the new master is itself crashed at every operation of its recovery, in every state,
// and the third one comes to the same state as the second would have. (Where a write can be torn at
// every byte, the second depth starts only from those first crashes that cut it at an edge: see
// edge().)
#include "tests/testing/support_engine.h"
#include "tests/testing/support_seen.h"


enum { SEEN_MAX = 1 << 18 };

struct campaign {
    struct recoup_testing_device device;
    struct recoup_graph graph;
    enum recoup_profile profile;
    enum recoup_testing_crash_kind kind;
    uint32_t window;
    uint32_t window_two; // of the crash in recovery; 0: none
    uint32_t payload_bytes;
    uint64_t write_buffer_bytes;
    bool expect_loss; // flink-1.20: lost events are counted, not forbidden

    uint64_t points;   // operations at which it crashed
    uint64_t states;   // crash states built
    uint64_t distinct; // by (operation, surviving bytes)
    uint64_t second;   // crash states of recoveries
    uint64_t second_distinct;
    uint64_t lost;      // acknowledged events that did not come back
    uint64_t no_prefix; // states that no prefix of the events leads to
    uint64_t failed;    // recoveries that reported an error
    uint64_t *seen;     // open addressing; 0: free
};

static void engine_of(const struct campaign *c, struct engine *engine,
                      struct recoup_testing_host *host, struct cluster *cluster)
{
    engine_init(engine, host, cluster, &c->graph, c->profile);
    engine->payload_bytes = c->payload_bytes;
    engine->options.write_buffer_bytes = c->write_buffer_bytes;
    engine->fail_once = true;
}

// True if `hash` is the state after some event from `from` on.
static bool is_prefix(const struct history *history, uint64_t from, const uint8_t hash[16])
{
    for (uint64_t k = from; k <= history->n; k++) {
        if (memcmp(history->hash[k], hash, 16) == 0) {
            return true;
        }
    }
    return false;
}

static void check_recovered(struct campaign *c, const struct engine *next,
                            const struct history *before)
{
    uint8_t hash[16];

    if (next->recovery_error != 0) {
        c->failed++;
        assert_true(c->expect_loss);
        return;
    }
    assert_true(next->recovered);
    recoup_state_hash(next->job, hash);
    if (is_prefix(before, before->durable, hash)) {
        return;
    }
    assert_true(c->expect_loss);
    if (is_prefix(before, 0, hash)) {
        c->lost++;
    } else {
        c->no_prefix++;
    }
}

// The recovery from `host` crashes at operation `at`; every state of it must lead to `wanted`.
static bool crash_recovery(struct campaign *c, const struct recoup_testing_host *host,
                           const struct cluster *cluster, uint64_t at, uint64_t salt,
                           const uint8_t wanted[16])
{
    struct recoup_testing_crashes crashes;
    struct recoup_testing_host *second;
    struct cluster workers = *cluster;
    struct engine engine;

    assert_int_equal(recoup_testing_host_copy(host, &second), 0);
    engine_of(c, &engine, second, &workers);
    engine.die_at = at;
    engine_start(&engine, 2);
    engine_destroy(&engine);
    if (!engine.dead) {
        recoup_testing_host_destroy(second);
        return false;
    }
    recoup_testing_crashes_begin(&crashes, second, c->kind, c->window_two);
    while (recoup_testing_crashes_next(&crashes)) {
        struct recoup_testing_host *third;
        struct cluster again = workers;
        uint8_t hash[16];

        assert_int_equal(recoup_testing_host_copy(second, &third), 0);
        assert_int_equal(recoup_testing_crash(third, &crashes.choice), 0);
        c->second++;
        if (seen_first_storage(c->seen, SEEN_MAX, third, salt)) {
            c->second_distinct++;
            engine_of(c, &engine, third, &again);
            engine_start(&engine, 3);
            assert_true(engine.recovered);
            recoup_state_hash(engine.job, hash);
            assert_memory_equal(hash, wanted, 16);
            engine_destroy(&engine);
        }
        recoup_testing_host_destroy(third);
    }
    recoup_testing_host_destroy(second);
    return true;
}

static void recover_from(struct campaign *c, struct recoup_testing_host *host,
                         const struct cluster *cluster, const struct history *before, uint64_t salt,
                         bool deeper)
{
    struct recoup_testing_host *copy;
    struct cluster workers = *cluster;
    struct engine next;
    uint8_t hash[16];

    assert_int_equal(recoup_testing_host_copy(host, &copy), 0);
    engine_of(c, &next, copy, &workers);
    engine_start(&next, 2);
    check_recovered(c, &next, before);
    recoup_state_hash(next.job, hash);
    if (next.recovered) {
        engine_run(&next);
        assert_true(engine_complete(&next));
    }
    engine_destroy(&next);
    recoup_testing_host_destroy(copy);
    for (uint64_t at = 0; deeper && c->window_two > 0 && !c->expect_loss; at++) {
        assert_true(at < 1000);
        if (!crash_recovery(c, host, cluster, at, salt ^ 1, hash)) {
            break;
        }
    }
}

// Every write survives wholly, not at all, or cut behind its first byte, within its frame, in its
// middle or before its last byte.
static bool edge(const struct recoup_testing_crashes *crashes)
{
    for (uint32_t i = 0; i < crashes->choice.n; i++) {
        uint32_t keep = crashes->choice.keep[i];
        uint32_t full = crashes->full[i];

        if (keep > 1 && keep != 12 && keep != full / 2 && keep < full - 1) {
            return false;
        }
    }
    return true;
}

// Runs until operation `at`; false if the job ended before.
static bool crash_at(struct campaign *c, uint64_t at)
{
    struct recoup_testing_crashes crashes;
    struct recoup_testing_host *host;
    struct recoup_allocator allocator = engine_allocator();
    struct cluster cluster = {.n_held = 0};
    struct engine engine;

    assert_int_equal(recoup_testing_host_create(&c->device, &allocator, &host), 0);
    engine_of(c, &engine, host, &cluster);
    engine.die_at = at;
    engine_start(&engine, 1);
    engine_run(&engine);
    if (!engine.dead) {
        engine_stop(&engine, false);
    }
    engine_destroy(&engine);
    if (!engine.dead) {
        recoup_testing_host_destroy(host);
        return false;
    }
    c->points++;
    recoup_testing_crashes_begin(&crashes, host, c->kind, c->window);
    while (recoup_testing_crashes_next(&crashes)) {
        struct recoup_testing_host *copy;

        assert_int_equal(recoup_testing_host_copy(host, &copy), 0);
        assert_int_equal(recoup_testing_crash(copy, &crashes.choice), 0);
        c->states++;
        if (seen_first_storage(c->seen, SEEN_MAX, copy, at * 2)) {
            c->distinct++;
            recover_from(c, copy, &cluster, &engine.history, at * 2, edge(&crashes));
        }
        recoup_testing_host_destroy(copy);
    }
    recoup_testing_host_destroy(host);
    return true;
}

static void explore(struct campaign *c, const char *name)
{
    uint64_t at = 0;

    c->seen = calloc(SEEN_MAX, sizeof *c->seen);
    assert_non_null(c->seen);
    while (crash_at(c, at)) {
        at++;
        assert_true(at < 10000);
    }
    free(c->seen);
    print_message("  %s: %" PRIu64 " operations, %" PRIu64 " crash states (%" PRIu64
                  " distinct), in recovery %" PRIu64 " (%" PRIu64 " distinct); lost %" PRIu64
                  ", no prefix %" PRIu64 ", failed %" PRIu64 "\n",
                  name, c->points, c->states, c->distinct, c->second, c->second_distinct, c->lost,
                  c->no_prefix, c->failed);
    assert_true(c->points > 10);
    assert_true(c->distinct > c->points / 2);
}

static struct campaign campaign_of(enum recoup_testing_profile profile)
{
    struct campaign c = {.graph = graph_lines(),
                         .profile = RECOUP_PROFILE_HARDENED,
                         .kind = RECOUP_TESTING_POWER_LOSS,
                         .write_buffer_bytes = 256};

    recoup_testing_device_init(&c.device, profile);
    return c;
}

// A local disk that loses any subset of sectors: all of the last six parts of writes.
static void any_subset_of_sectors_survives(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.window = 6;
    c.payload_bytes = 700;
    explore(&c, "disk, sectors of 512, 6 writes");
}

// The same disk, lengths surviving without their bytes, and crashes in recovery.
static void crash_in_recovery_leads_to_the_same_state(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.device.length_first = true;
    c.window = 3;
    c.window_two = 3;
    c.payload_bytes = 40;
    explore(&c, "disk, length first, 3 and 3 writes");
}

// Every byte at which one of the last two writes can be torn, in any combination.
static void every_byte_may_be_the_last_one(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK_BYTES);

    (void)state;
    c.window = 2;
    explore(&c, "disk, any byte, 2 writes");
}

// Garbage instead of zeroes where a write is missing in front of another.
static void garbage_in_a_hole_is_no_record(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.device.tear_bytes = 4096;
    c.device.hole = 0xa5;
    c.device.length_first = true;
    c.window = 5;
    c.window_two = 2;
    explore(&c, "disk, sectors of 4096, garbage, 5 and 2 writes");
}

// Servers that keep the order: every prefix, cut at every byte, of everything not flushed.
static void every_prefix_of_an_ordered_device(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_SERVERS);

    (void)state;
    c.window = RECOUP_TESTING_WINDOW_MAX;
    c.window_two = RECOUP_TESTING_WINDOW_MAX;
    explore(&c, "servers, ordered, any byte, 16 and 16 writes");
}

// An object is there or not.
static void objects_are_there_or_not(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_OBJECTS);

    (void)state;
    c.window = 8;
    c.window_two = 8;
    explore(&c, "objects, 8 and 8 writes");
}

// The death of the process alone, on every device: the append under way cut at every byte.
static void death_of_the_process(void **state)
{
    (void)state;
    for (int profile = RECOUP_TESTING_DISK; profile <= RECOUP_TESTING_OBJECTS; profile++) {
        struct campaign c = campaign_of((enum recoup_testing_profile)profile);

        c.kind = RECOUP_TESTING_KILL;
        c.window = 1;
        c.window_two = 1;
        explore(&c, "killed process");
    }
}

// With coordinators, one of which takes snapshots while the job runs and one of which cannot.
static void coordinators_are_restored_in_every_state(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.graph = graph_sources();
    c.window = 4;
    c.window_two = 2;
    c.payload_bytes = 40;
    explore(&c, "disk, coordinators, 4 and 2 writes");
}

// What the library is measured against: Flink's rules flush and never sync, so on a local disk a
// power loss takes acknowledged events (hazard H5). Expected, counted, and never a crash.
static void flink_loses_acknowledged_events_on_a_page_cache(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.profile = RECOUP_PROFILE_FLINK_1_20;
    c.expect_loss = true;
    c.device.storage.durable_at = RECOUP_DURABLE_AT_FLUSH; // what the job is told, wrongly
    c.device.lying = true;
    c.window = 6;
    explore(&c, "flink-1.20 on a page cache, 6 writes");
    assert_true(c.lost > 0);
}

// Three masters: the first is killed at an operation, the second recovers from what the operating
// system still has, runs the job to its end and has all of it acknowledged; then power is lost. How
// often the third one misses something of that.
static unsigned killed_then_powerless(bool read_syncs)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);
    struct recoup_allocator allocator = engine_allocator();
    unsigned missing = 0;

    c.device.read_syncs = read_syncs;
    c.write_buffer_bytes = 64;
    for (uint64_t at = 0;; at++) {
        struct recoup_testing_host *host;
        struct cluster cluster = {.n_held = 0};
        struct engine engine;
        uint8_t wanted[16];
        uint8_t found[16];

        assert_true(at < 1000);
        assert_int_equal(recoup_testing_host_create(&c.device, &allocator, &host), 0);
        engine_of(&c, &engine, host, &cluster);
        engine.die_at = at;
        engine_start(&engine, 1);
        engine_run(&engine);
        engine_destroy(&engine);
        if (!engine.dead) {
            recoup_testing_host_destroy(host);
            assert_true(at > 10);
            return missing;
        }
        recoup_testing_crash_worst(host, RECOUP_TESTING_KILL);
        engine_of(&c, &engine, host, &cluster);
        engine_start(&engine, 2);
        engine_run(&engine);
        assert_true(engine_complete(&engine));
        assert_true(engine.history.durable >= engine.history.n);
        recoup_state_hash(engine.job, wanted);
        engine_destroy(&engine);
        recoup_testing_crash_worst(host, RECOUP_TESTING_POWER_LOSS);
        engine_of(&c, &engine, host, &cluster);
        engine_start(&engine, 3);
        recoup_state_hash(engine.job, found);
        missing += memcmp(found, wanted, sizeof found) != 0 ? 1 : 0;
        engine_destroy(&engine);
        recoup_testing_host_destroy(host);
    }
}

// A master goes on from bytes that its killed predecessor wrote and nobody synced. They must be
// durable before it acknowledges anything: a host syncs what it reads. One that does not loses
// acknowledged events here, which shows that the test can fail.
static void what_is_read_is_durable_before_more_is_acknowledged(void **state)
{
    (void)state;
    assert_u64(killed_then_powerless(true), 0);
    assert_true(killed_then_powerless(false) > 0);
}

// The oracle can fail: with a device whose sync lies even the hardened profile loses what it
// acknowledged.
static void a_lying_sync_is_found_out(void **state)
{
    struct campaign c = campaign_of(RECOUP_TESTING_DISK);

    (void)state;
    c.expect_loss = true;
    c.device.lying = true;
    c.window = 6;
    explore(&c, "hardened, but sync lies, 6 writes");
    assert_true(c.lost > 0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_subset_of_sectors_survives),
        cmocka_unit_test(crash_in_recovery_leads_to_the_same_state),
        cmocka_unit_test(every_byte_may_be_the_last_one),
        cmocka_unit_test(garbage_in_a_hole_is_no_record),
        cmocka_unit_test(every_prefix_of_an_ordered_device),
        cmocka_unit_test(objects_are_there_or_not),
        cmocka_unit_test(death_of_the_process),
        cmocka_unit_test(coordinators_are_restored_in_every_state),
        cmocka_unit_test(flink_loses_acknowledged_events_on_a_page_cache),
        cmocka_unit_test(what_is_read_is_durable_before_more_is_acknowledged),
        cmocka_unit_test(a_lying_sync_is_found_out),
    };

    return check_main(argc, argv, "testing_power_loss", tests);
}
