// SPDX-License-Identifier: GPL-3.0-or-later
//
// The outage ledger and the ledger of protection, driven by hand.
#include "check.h"
#include "models/support_model.h"
#include "models/world.h"

struct bench {
    struct sim_arena arena;
    struct model_run_options options;
    struct model_world w;
    struct model_result result;
};

static void begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    sim_arena_init(&b->arena, 0);
    b->w.arena = &b->arena;
    b->w.options = &b->options;
    b->w.n_subtasks = 100;
    outage_init(&b->w);
}

static const struct model_failover *end(struct bench *b)
{
    b->w.ended = true;
    outage_finish(&b->w, &b->result);
    return b->result.failovers;
}

static void drop(struct bench *b)
{
    model_result_release(&b->result);
    sim_arena_release(&b->arena);
}

static void enter(struct bench *b, int64_t at_ns, enum model_phase next)
{
    b->w.now_ns = at_ns;
    outage_enter(&b->w, next);
}

// Each phase takes the time from its start to the next one's; what was passed over is 0.
static void phases_partition_the_outage(void **state)
{
    struct bench b;
    const struct model_failover *f;

    (void)state;
    begin(&b);
    b.w.now_ns = 10;
    outage_begin(&b.w, 8);
    enter(&b, 13, MODEL_PHASE_ELECT);
    enter(&b, 20, MODEL_PHASE_REPLAY);
    enter(&b, 25, MODEL_PHASE_START);  // not later: nothing happens
    enter(&b, 31, MODEL_PHASE_WAIT_WORKERS);
    enter(&b, 31, MODEL_PHASE_REDEPLOY);
    outage_recovered(&b.w, MODEL_FAILOVER_RECOVERED, 12, 5);
    b.w.now_ns = 40;
    outage_end(&b.w);
    outage_end(&b.w);  // none is open
    f = end(&b);
    assert_u64(b.result.n_failovers, 1);
    assert_time_ns(f->at_ns, 10);
    assert_time_ns(f->outage_ns, 30);
    assert_time_ns(f->phase_ns[MODEL_PHASE_DETECT], 3);
    assert_time_ns(f->phase_ns[MODEL_PHASE_ELECT], 7);
    assert_time_ns(f->phase_ns[MODEL_PHASE_START], 0);
    assert_time_ns(f->phase_ns[MODEL_PHASE_REPLAY], 11);
    assert_time_ns(f->phase_ns[MODEL_PHASE_WAIT_WORKERS], 0);
    assert_time_ns(f->phase_ns[MODEL_PHASE_RECONCILE], 0);
    assert_time_ns(f->phase_ns[MODEL_PHASE_REDEPLOY], 9);
    assert_int_equal(f->result, MODEL_FAILOVER_RECOVERED);
    assert_u64(f->events_replayed, 12);
    assert_u64(f->finished_recovered, 5);
    assert_u64(f->finished_forgotten, 3);
    assert_u64(b.w.ledger.finished_forgotten, 3);
    drop(&b);
}

// A master that dies before it recovered ends the outage as failed; the next one begins there and
// is measured against what the first held.
static void outages_never_overlap(void **state)
{
    struct bench b;
    const struct model_failover *f;

    (void)state;
    begin(&b);
    outage_begin(&b.w, 8);
    enter(&b, 4, MODEL_PHASE_REPLAY);
    b.w.now_ns = 9;
    outage_begin(&b.w, 2);
    enter(&b, 11, MODEL_PHASE_REPLAY);
    outage_recovered(&b.w, MODEL_FAILOVER_RECOVERED, 1, 6);
    enter(&b, 12, MODEL_PHASE_REDEPLOY);
    b.w.now_ns = 15;
    outage_begin(&b.w, 6);  // it had recovered, and not deployed anything yet
    b.w.now_ns = 16;
    f = end(&b);
    assert_u64(b.result.n_failovers, 3);
    assert_int_equal(f[0].result, MODEL_FAILOVER_FAILED);
    assert_time_ns(f[0].outage_ns, 9);
    assert_u64(f[0].finished_recovered, 0);
    assert_u64(f[0].finished_forgotten, 8); // held at the death, and never again by this master
    assert_time_ns(f[1].at_ns, 9);
    assert_time_ns(f[1].outage_ns, 6);
    assert_int_equal(f[1].result, MODEL_FAILOVER_FAILED);
    assert_u64(f[1].finished_recovered, 6);
    assert_u64(f[1].finished_forgotten, 2);
    assert_time_ns(f[2].outage_ns, 1);
    assert_int_equal(f[2].result, MODEL_FAILOVER_FAILED);
    assert_u64(f[2].finished_forgotten, 6); // nobody came
    assert_u64(b.w.ledger.finished_forgotten, 2 + 6);
    assert_time_ns(b.result.outage_ns, 16);
    drop(&b);
}

// What a new master holds beyond what was held at the death are phantoms, and count for nothing.
static void phantoms_are_not_recovered(void **state)
{
    struct bench b;

    (void)state;
    begin(&b);
    outage_begin(&b.w, 3);
    outage_recovered(&b.w, MODEL_FAILOVER_RESTARTED, 0, 7);
    assert_u64(end(&b)->finished_recovered, 3);
    assert_u64(b.result.failovers->finished_forgotten, 0);
    assert_int_equal(b.result.failovers->result, MODEL_FAILOVER_RESTARTED);
    drop(&b);
}

// Recording and unprotected time are the time with a started leader.
static void protection_closes(void **state)
{
    struct bench b;

    (void)state;
    begin(&b);
    protection_recording(&b.w, true);  // nobody leads
    b.w.now_ns = 5;
    protection_leader_started(&b.w);
    b.w.now_ns = 7;
    protection_recording(&b.w, true);
    b.w.now_ns = 8;
    protection_recording(&b.w, true);
    b.w.now_ns = 20;
    protection_recording(&b.w, false);
    b.w.now_ns = 26;
    protection_recording(&b.w, true);
    b.w.now_ns = 30;
    protection_leader_ended(&b.w);
    b.w.now_ns = 100;
    protection_leader_started(&b.w);
    b.w.now_ns = 103;
    end(&b);
    assert_time_ns(b.result.recording_ns, 13 + 4);
    assert_time_ns(b.result.unprotected_ns, 2 + 6 + 3);
    assert_u64(b.result.n_failovers, 0);
    drop(&b);
}

// Many failovers do not move those before.
static void the_list_grows(void **state)
{
    struct bench b;
    const struct model_failover *f;

    (void)state;
    begin(&b);
    for (int64_t i = 0; i < 1000; i++) {
        b.w.now_ns = 10 * i;
        outage_begin(&b.w, 0);
        b.w.now_ns = 10 * i + i % 7;
        outage_end(&b.w);
    }
    f = end(&b);
    assert_u64(b.result.n_failovers, 1000);
    for (int64_t i = 0; i < 1000; i++) {
        assert_time_ns(f[i].at_ns, 10 * i);
        assert_time_ns(f[i].outage_ns, i % 7);
    }
    drop(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(phases_partition_the_outage), cmocka_unit_test(outages_never_overlap),
    cmocka_unit_test(phantoms_are_not_recovered),  cmocka_unit_test(protection_closes),
    cmocka_unit_test(the_list_grows),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "models_outage", tests);
}
