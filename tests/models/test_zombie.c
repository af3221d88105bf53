// SPDX-License-Identifier: GPL-3.0-or-later
//
// A master that is cut off and does not know that it leads no more (fault `partition`): for
// everybody else it is dead; what it still writes counts under Flink's rules (H16), and never
// with fencing.
#include "models/support_model.h"

#include "check.h"

// Four maps of 3 s on two workers with two slots, and four reduces of 10 s to 20 s. Events are
// flushed at 8 s and 16 s, so what finishes from 13 s on waits in the buffer until then. The next
// master leads at once.
static void two_stages(struct model_test *t, enum recoup_profile profile)
{
    uint32_t map, reduce;

    world_of(t, 2, 2);
    recoup_options_init(&t->config.options, profile);
    t->config.profile = profile;
    t->config.options.recovery_enabled = true;
    t->config.options.snapshot_min_pause_ns = 0;
    t->config.options.flush_interval_ns = 8 * SECOND;
    t->config.worker_policy.retention_by_job = profile == RECOUP_PROFILE_HARDENED;
    map = stage(t, "map", 4, constant(3 * SECOND));
    reduce = stage(t, "reduce", 4, uniform(10 * SECOND, 20 * SECOND));
    reads(t, reduce, map, RECOUP_ALL_TO_ALL);
}

static struct model_fault *cut_off_at(struct model_test *t, int64_t at_ns, int64_t unaware_ns)
{
    struct model_fault *f = kill_master_at(t, at_ns);

    f->kind = MODEL_FAULT_PARTITION;
    f->unaware_ns = unaware_ns;
    return f;
}

static uint32_t found(const struct model_test *t, const char *invariant)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        if (strcmp(t->result.findings[i].invariant, invariant) != 0)
            continue;
        assert_string_equal(t->result.findings[i].hazard, "H16");
        n++;
    }
    return n;
}

// For the job it is a kill: the same outage, the same work lost.
static void ForEverybodyElseItIsDead(void **state)
{
    (void)state;
    for (int64_t at_ns = SECOND; at_ns < 20 * SECOND; at_ns += SECOND) {
        struct model_test cut, killed;
        two_stages(&cut, RECOUP_PROFILE_HARDENED);
        two_stages(&killed, RECOUP_PROFILE_HARDENED);
        cut_off_at(&cut, at_ns, 0); // it notices as soon as its leadership is lost
        kill_master_at(&killed, at_ns);
        run(&cut);
        run(&killed);
        no_findings(&cut);
        assert_int_equal(cut.result.state, MODEL_JOB_FINISHED);
        assert_time_ns(cut.result.makespan_ns, killed.result.makespan_ns);
        assert_time_ns(cut.result.outage_ns, killed.result.outage_ns);
        assert_time_ns(cut.result.lost_ns, killed.result.lost_ns);
        world_drop(&cut);
        world_drop(&killed);
    }
}

// At 16 s its timer fires: what it writes then the second master has not read, and a third one, at
// 17 s, does.
static void ALateWriteCountsWithoutFencing(void **state)
{
    uint32_t late = 0, beside = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (int profile = 0; profile < 2; profile++) {
            struct model_test t;
            two_stages(&t, profile == 0 ? RECOUP_PROFILE_FLINK_1_20 : RECOUP_PROFILE_HARDENED);
            cut_off_at(&t, 15500 * MILLI, 100 * SECOND);
            kill_master_at(&t, 17 * SECOND);
            run_seed(&t, seed);
            assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
            assert_u64(t.result.n_failovers, 2);
            if (profile == 0) {
                late += found(&t, "S12");
                beside += found(&t, "R10");
            } else {
                no_findings(&t);
            }
            world_drop(&t);
        }
    }
    assert_true(beside >= 10);
    assert_true(late >= 10);
}

// It ends when it notices: nothing is written after that.
static void ItEndsWhenItNotices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct model_test t;
        two_stages(&t, RECOUP_PROFILE_FLINK_1_20);
        cut_off_at(&t, 15500 * MILLI, 400 * MILLI); // 100 ms before its timer
        kill_master_at(&t, 17 * SECOND);
        run_seed(&t, seed);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        assert_u64(found(&t, "R10") + found(&t, "S12"), 0);
        world_drop(&t);
    }
}

// Many in a row, all alive at once, each while it recovers or just after.
static void ManyAtOnce(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct model_test t;
        two_stages(&t, RECOUP_PROFILE_HARDENED);
        t.config.options.flush_interval_ns = 300 * MILLI;
        t.config.storage.latency[MODEL_STORAGE_APPEND] = constant(100 * MILLI);
        t.config.storage.latency[MODEL_STORAGE_READ] = constant(100 * MILLI);
        for (int i = 0; i < 12; i++)
            cut_off_at(&t, 5 * SECOND + i * 550 * MILLI, 1000 * SECOND);
        run_seed(&t, seed);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        assert_u64(t.result.n_failovers, 12);
        no_findings(&t);
        world_drop(&t);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ForEverybodyElseItIsDead),
        cmocka_unit_test(ALateWriteCountsWithoutFencing),
        cmocka_unit_test(ItEndsWhenItNotices),
        cmocka_unit_test(ManyAtOnce),
    };

    return check_main(argc, argv, "models_zombie", tests);
}
