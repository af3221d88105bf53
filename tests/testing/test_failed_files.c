// SPDX-License-Identifier: GPL-3.0-or-later
//
// Files whose creation or close fails, and what a crash leaves of them. In an object store nothing
// is there before the close; a close that fails leaves nothing, or the whole object all the same; a
// creation that fails may have landed. On a disk the name that landed may be lost again with the
// power. A fault strikes at the n-th creation or close, alone or again at the ones after it; the
// master goes on, takes recording up again, and dies at every operation from there on, before, in
// the midst of and after it, in every state that the device permits.
//
// Whoever comes next finds no gap: it recovers a state of the job that is not older than what had
// been acknowledged, runs the job to its end, and leaves nothing behind. One thing is refused: a
// medium that forgets a name and keeps one that was made after it, which no journal does, and which
// cannot be told from a file that was lost.
#include "tests/testing/support_engine.h"
#include "tests/testing/support_seen.h"


enum { STATES_MAX = 512, SEEN_MAX = 1 << 15, OPERATIONS_MAX = 400 };

// What the master has come to, step by step, and from where on it is acknowledged.
struct track {
    uint8_t hash[STATES_MAX][16];
    uint32_t n;
    uint32_t of_event[STATES_MAX]; // the state after the event of this number
    uint32_t lost_at;              // the state in which protection was lost
    uint32_t acknowledged;         // the oldest state that may come back
    bool restored;
};

struct campaign {
    enum recoup_testing_profile profile;
    enum recoup_testing_crash_kind kind;
    struct recoup_testing_fault fault;
    bool names_at_once; // a creation makes its name durable, as the real host's does
    uint32_t window;
    struct recoup_graph graph;
    uint64_t points;
    uint64_t states;
    uint64_t distinct;
    uint64_t from_log;
    uint64_t struck;
    uint64_t restored;
    uint64_t refused;
    uint64_t seen[SEEN_MAX];
};

static void note(struct track *track, const struct recoup_job *job,
                 const struct recoup_update *update)
{
    assert_true(track->n < STATES_MAX && update->event < STATES_MAX);
    recoup_state_hash(job, track->hash[track->n]);
    if (update->event != 0) {
        track->of_event[update->event] = track->n;
    }
    for (uint32_t i = 0; i < update->n_actions; i++) {
        const struct recoup_action *action = &update->actions[i];

        if (action->type == RECOUP_ACTION_DURABLE) {
            for (uint64_t e = 1; e <= action->durable.event && e < STATES_MAX; e++) {
                uint32_t at = track->of_event[e];

                track->acknowledged = at > track->acknowledged ? at : track->acknowledged;
            }
        } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
            track->lost_at = track->n;
        } else if (action->type == RECOUP_ACTION_PROTECTION_RESTORED) {
            track->acknowledged =
                track->lost_at > track->acknowledged ? track->lost_at : track->acknowledged;
            track->restored = true;
        }
    }
    track->n++;
}

static int tracked_step(struct engine *engine, const struct recoup_event *event,
                        struct recoup_update *update)
{
    int error = recoup_step(engine->job, engine->now_ns, event, update);

    if (error == 0) {
        note(engine->context, engine->job, update);
    }
    return error;
}

static void engine_of(const struct campaign *c, struct engine *engine,
                      struct recoup_testing_host *host, struct cluster *cluster)
{
    engine_init(engine, host, cluster, &c->graph, RECOUP_PROFILE_HARDENED);
    engine->options.write_buffer_bytes = 256;
}

static bool is_state(const struct track *track, const uint8_t hash[16])
{
    for (uint32_t i = track->acknowledged; i < track->n; i++) {
        if (memcmp(track->hash[i], hash, 16) == 0) {
            return true;
        }
    }
    return false;
}

// The name whose creation had landed is gone, and the one after it is there.
static bool forgotten_name(const struct campaign *c, const struct recoup_testing_host *host)
{
    uint32_t indexes = 0;

    for (uint32_t i = 0; i < recoup_testing_file_count(host); i++) {
        const char *name = recoup_testing_file_name(host, i);

        if (strncmp(name, "events.0000000000000001.", 24) == 0) {
            indexes |= 1u << strtoul(name + 24, NULL, 10);
        }
    }
    return c->profile == RECOUP_TESTING_DISK && !c->names_at_once &&
           c->fault.type == RECOUP_ACTION_CREATE &&
           c->fault.effect == RECOUP_TESTING_EFFECT_FULL && (indexes & (indexes + 1)) != 0;
}

// The next master on what a crash has left.
static void recover_from(struct campaign *c, struct recoup_testing_host *host,
                         const struct cluster *cluster, const struct track *track)
{
    struct cluster workers = *cluster;
    struct engine next;
    uint8_t hash[16];

    engine_of(c, &next, host, &workers);
    engine_start(&next, 2);
    if (next.recovery_error == RECOUP_EGAP && forgotten_name(c, host)) {
        c->refused++;
        engine_destroy(&next);
        return;
    }
    assert_int_equal(next.recovery_error, 0);
    assert_true(next.recovered);
    recoup_state_hash(next.job, hash);
    assert_true(is_state(track, hash));
    c->from_log += next.from_log ? 1 : 0;
    engine_run(&next);
    assert_true(engine_complete(&next));
    engine_stop(&next, true);
    assert_int_equal(next.stop_error, 0);
    assert_int_equal(recoup_testing_file_count(host), 0);
    engine_destroy(&next);
}

static void each_state(struct campaign *c, const struct recoup_testing_host *host,
                       const struct cluster *cluster, const struct track *track, uint64_t salt)
{
    struct recoup_testing_crashes crashes;

    c->points++;
    recoup_testing_crashes_begin(&crashes, host, c->kind, c->window);
    while (recoup_testing_crashes_next(&crashes)) {
        struct recoup_testing_host *copy;

        assert_int_equal(recoup_testing_host_copy(host, &copy), 0);
        recoup_testing_fail(copy, NULL);
        assert_int_equal(recoup_testing_crash(copy, &crashes.choice), 0);
        c->states++;
        if (seen_first_storage(c->seen, SEEN_MAX, copy, salt)) {
            c->distinct++;
            recover_from(c, copy, cluster, track);
        }
        recoup_testing_host_destroy(copy);
    }
}

// The master dies at operation `at`, if the fault has struck by then. False if it ended before.
static bool crash_at(struct campaign *c, uint64_t at)
{
    struct recoup_testing_device device;
    struct recoup_testing_host *host;
    struct recoup_allocator allocator = engine_allocator();
    struct cluster cluster = {.n_held = 0};
    struct track *track = calloc(1, sizeof *track);
    struct engine engine;

    assert_non_null(track);
    recoup_testing_device_init(&device, c->profile);
    device.names_at_once = device.names_at_once || c->names_at_once;
    assert_int_equal(recoup_testing_host_create(&device, &allocator, &host), 0);
    recoup_testing_fail(host, &c->fault);
    engine_of(c, &engine, host, &cluster);
    engine.step = tracked_step;
    engine.context = track;
    engine.die_at = at;
    engine_start(&engine, 1);
    engine_run(&engine);
    if (!engine.dead) {
        engine_advance(&engine, engine.now_ns + 30 * SECOND); // recording is taken up again
    }
    engine_destroy(&engine);
    if (engine.dead && recoup_testing_fired(host) > 0) {
        c->struck++;
        each_state(c, host, &cluster, track, at);
    }
    c->restored += track->restored ? 1 : 0;
    recoup_testing_host_destroy(host);
    free(track);
    return engine.dead;
}

static uint64_t explore(struct campaign *c, enum recoup_action_type type, const char *name)
{
    uint64_t refused;

    c->graph = graph_lines();
    for (uint32_t i = 0; i < 12; i++) {
        c->fault = (struct recoup_testing_fault){
            .type = type,
            .countdown = 1 + i / 4,
            .repeat = i / 2 % 2 == 0 ? 0 : 2,
            .error = RECOUP_EIO,
            .effect = i % 2 == 0 ? RECOUP_TESTING_EFFECT_NONE : RECOUP_TESTING_EFFECT_FULL};
        memset(c->seen, 0, sizeof c->seen);
        for (uint64_t at = 0; crash_at(c, at); at++) {
            assert_true(at < OPERATIONS_MAX);
        }
    }
    print_message("  %s: %" PRIu64 " operations after the fault, %" PRIu64 " crash states, %" PRIu64
                  " distinct, %" PRIu64 " of them a log, %" PRIu64 " refused\n",
                  name, c->points, c->states, c->distinct, c->from_log, c->refused);
    assert_true(c->struck > 20 && c->restored > 0);
    assert_true(c->from_log > 0 && c->from_log <= c->distinct);
    refused = c->refused;
    free(c);
    return refused;
}

static struct campaign *campaign_of(enum recoup_testing_profile profile,
                                    enum recoup_testing_crash_kind kind, bool names_at_once)
{
    struct campaign *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->profile = profile;
    c->kind = kind;
    c->names_at_once = names_at_once;
    c->window = profile == RECOUP_TESTING_OBJECTS ? 3 : profile == RECOUP_TESTING_DISK ? 2 : 1;
    return c;
}

static void in_an_object_store(void **state)
{
    (void)state;
    for (int kind = RECOUP_TESTING_KILL; kind <= RECOUP_TESTING_POWER_LOSS; kind++) {
        enum recoup_testing_crash_kind k = (enum recoup_testing_crash_kind)kind;

        assert_u64(explore(campaign_of(RECOUP_TESTING_OBJECTS, k, false), RECOUP_ACTION_CLOSE,
                           "objects, close fails"), 0);
        assert_u64(explore(campaign_of(RECOUP_TESTING_OBJECTS, k, false), RECOUP_ACTION_CREATE,
                           "objects, creation fails"), 0);
    }
}

static void on_a_disk(void **state)
{
    (void)state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct campaign *c =
            campaign_of(RECOUP_TESTING_DISK, RECOUP_TESTING_POWER_LOSS, at_once == 1);

        assert_int_equal(explore(c, RECOUP_ACTION_CREATE, "disk, creation fails") > 0,
                         at_once == 0);
    }
    assert_u64(explore(campaign_of(RECOUP_TESTING_DISK, RECOUP_TESTING_POWER_LOSS, false),
                       RECOUP_ACTION_CLOSE, "disk, close fails"), 0);
}

static void on_servers(void **state)
{
    (void)state;
    assert_u64(explore(campaign_of(RECOUP_TESTING_SERVERS, RECOUP_TESTING_POWER_LOSS, false),
                       RECOUP_ACTION_CREATE, "servers, creation fails"), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(in_an_object_store),
    cmocka_unit_test(on_a_disk),
    cmocka_unit_test(on_servers),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "failed_files", tests);
}
