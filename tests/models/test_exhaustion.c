// SPDX-License-Identifier: GPL-3.0-or-later
//
// Faults by countdown: every allocation of a run fails in turn, every store operation fails in
// turn, the master dies before, in the middle of and after every store operation, also twice in a
// row. A clean error or a correct result, closed ledgers, no findings under the hardened profile.
#include "models/support_model.h"

#include "check.h"
#include "sim/error.h"

#define OPERATIONS_MAX 400u
#define ALLOCATIONS_MAX 4000u

// Source of four with splits, a point-wise middle, an all-to-all sink; two workers; a crash inside
// the middle.
static void job(struct model_test *t, enum recoup_profile profile)
{
    world_of(t, 2, 2);
    t->config.profile = profile;
    recoup_options_init(&t->config.options, profile);
    t->config.options.recovery_enabled = true;
    t->config.options.snapshot_min_pause_ns = 0;
    t->config.worker_policy.retention_by_job = profile == RECOUP_PROFILE_HARDENED;
    t->config.worker_policy.retention_timer_keyed = profile == RECOUP_PROFILE_HARDENED;
    t->config.network_latency = constant(MILLI);
    t->config.ha.detect = constant(2 * SECOND);
    t->config.master.start = constant(SECOND);
    for (int i = 0; i < MODEL_STORAGE_OPS; i++)
        t->config.storage.latency[i] = constant(5 * MILLI);
    uint32_t scan = stage(t, "scan", 4, constant(3 * SECOND));
    source(t, scan, 10, true);
    uint32_t middle = stage(t, "middle", 4, constant(3 * SECOND));
    reads(t, middle, scan, RECOUP_POINTWISE);
    uint32_t sink = stage(t, "sink", 2, constant(3 * SECOND));
    reads(t, sink, middle, RECOUP_ALL_TO_ALL);
    t->config.stop_at_ns = 1000 * SECOND;
}

static struct model_fault *at_operation(struct model_test *t, enum model_storage_op op,
                                        uint64_t nth)
{
    struct model_fault *f = kill_master_at(t, 0);

    f->trigger = MODEL_TRIGGER_ON;
    f->op = op;
    f->nth = nth;
    return f;
}

static void EveryAllocationFailsCleanly(void **state)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};
    struct model_test t;
    uint32_t n = 1, failed = 0;

    (void)state;
    job(&t, RECOUP_PROFILE_HARDENED);
    kill_master_at(&t, 7 * SECOND);
    for (; n < ALLOCATIONS_MAX; n++) {
        struct sim_arena arena;
        struct model_result result;
        sim_arena_init(&arena, 0);
        sim_arena_fail_at(&arena, n);
        int error = model_run(&t.config, &options, &arena, &result);
        bool armed = arena.fail_countdown != 0;
        if (error == 0) {
            assert_int_equal(result.state, MODEL_JOB_FINISHED);
            assert_u64(result.findings_total, 0);
        } else {
            assert_int_equal(error, SIM_ENOMEM);
            failed++;
        }
        model_result_release(&result);
        sim_arena_release(&arena);
        if (armed)
            break;
    }
    print_message("%u allocations failed in turn, %u runs ended with an error\n", n - 1, failed);
    assert_true(n > 20 && n < ALLOCATIONS_MAX);
    assert_true(failed > 20);
    world_drop(&t);
}

static void OnceWarmARunAllocatesNothing(void **state)
{
    struct model_test t;
    uint64_t before;

    (void)state;
    job(&t, RECOUP_PROFILE_HARDENED);
    kill_master_at(&t, 7 * SECOND);
    run_seed(&t, 1);
    before = sim_arena_system_allocations(&t.arena);
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_seed(&t, seed);
    assert_u64(sim_arena_system_allocations(&t.arena), before);
    world_drop(&t);
}

static bool found(const struct model_test *t, const char *invariant)
{
    for (uint32_t i = 0; i < t->result.n_findings; i++)
        if (strcmp(t->result.findings[i].invariant, invariant) == 0)
            return true;
    return false;
}

// Flink may hang for ever when all that its log has is a file without a record (H18, H24); it is
// then found out as L1 or L4.
static void healthy(const struct model_test *t, enum recoup_profile profile)
{
    if (profile == RECOUP_PROFILE_FLINK_1_20 && t->result.state == MODEL_JOB_TIMEOUT)
        assert_true(found(t, "L1") || found(t, "L4"));
    else
        assert_int_equal(t->result.state, MODEL_JOB_FINISHED);
    if (profile == RECOUP_PROFILE_HARDENED)
        no_findings(t);
    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        if (t->result.findings[i].hazard == NULL)
            print_error("unexplained %s: %s\n", t->result.findings[i].invariant,
                        t->result.findings[i].message);
        assert_non_null(t->result.findings[i].hazard);
    }
}

// Every operation of every kind, each with `moment`, followed by a crash at a fixed time.
static uint32_t crash_everywhere(enum recoup_profile profile, enum model_fault_moment moment)
{
    uint32_t points = 0;

    for (int op = 0; op < MODEL_STORAGE_OPS; op++) {
        for (uint64_t nth = 1; nth <= OPERATIONS_MAX; nth++) {
            struct model_test t;
            job(&t, profile);
            at_operation(&t, (enum model_storage_op)op, nth)->moment = moment;
            kill_master_at(&t, 40 * SECOND);
            run_seed(&t, 1);
            bool fired = t.result.fired[0].fired;
            if (t.result.state != MODEL_JOB_FINISHED || t.result.findings_total > 0)
                print_error("crash at %s %u, moment %d\n",
                            model_storage_op_name((enum model_storage_op)op), (unsigned)nth,
                            (int)moment);
            if (fired)
                healthy(&t, profile);
            world_drop(&t);
            if (!fired)
                break;
            points++;
        }
    }
    return points;
}

static void ACrashAtEveryOperationIsSurvived(void **state)
{
    uint32_t points = 0;

    (void)state;
    points += crash_everywhere(RECOUP_PROFILE_HARDENED, MODEL_MOMENT_BEFORE);
    points += crash_everywhere(RECOUP_PROFILE_HARDENED, MODEL_MOMENT_MID);
    points += crash_everywhere(RECOUP_PROFILE_HARDENED, MODEL_MOMENT_AFTER);
    print_message("%u crash points\n", points);
    assert_true(points > 60);
}

// Two crashes by operation: the second one strikes while the first is being recovered from, or
// later.
static void TwoCrashesAtOperationsAreSurvived(void **state)
{
    uint32_t points = 0;

    (void)state;
    for (uint64_t first = 1; first <= 20; first += 3) {
        for (uint64_t second = 1; second <= 20; second += 2) {
            struct model_test t;
            job(&t, RECOUP_PROFILE_HARDENED);
            at_operation(&t, MODEL_STORAGE_FLUSH, first)->moment = MODEL_MOMENT_MID;
            at_operation(&t, MODEL_STORAGE_APPEND, first + second)->moment = MODEL_MOMENT_MID;
            run_seed(&t, 1);
            healthy(&t, RECOUP_PROFILE_HARDENED);
            points += t.result.n_failovers;
            world_drop(&t);
        }
    }
    print_message("%u failovers\n", points);
    assert_true(points > 40);
}

// The n-th operation of a kind fails, once and for ever; then the master dies.
static void AFailingOperationCostsProtectionNotTheJob(void **state)
{
    static const enum recoup_profile profiles[] = {RECOUP_PROFILE_HARDENED,
                                                   RECOUP_PROFILE_FLINK_1_20};
    uint32_t points = 0;

    (void)state;
    for (size_t p = 0; p < 2; p++) {
        for (int op = MODEL_STORAGE_CREATE; op <= MODEL_STORAGE_CLOSE; op++) {
            for (uint64_t nth = 1; nth <= OPERATIONS_MAX; nth++) {
                struct model_test t;
                job(&t, profiles[p]);
                struct model_fault *f = at_operation(&t, (enum model_storage_op)op, nth);
                f->kind = MODEL_FAULT_STORE_ERROR;
                f->error = nth % 2 == 0 ? RECOUP_EIO : RECOUP_ENOSPC;
                // Hardened recovery waits for a storage that can be written to, so this one heals.
                f->count = nth % 3 + (profiles[p] == RECOUP_PROFILE_HARDENED ? 1 : 0);
                kill_master_at(&t, 7 * SECOND);
                run_seed(&t, 1);
                bool fired = t.result.fired[0].fired;
                if (t.result.state != MODEL_JOB_FINISHED)
                    print_message("%s %u fails: %s\n",
                                  model_storage_op_name((enum model_storage_op)op), (unsigned)nth,
                                  model_job_state_name(t.result.state));
                if (fired)
                    healthy(&t, profiles[p]);
                world_drop(&t);
                if (!fired)
                    break;
                points++;
            }
        }
    }
    print_message("%u failing operations\n", points);
    assert_true(points > 20);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(EveryAllocationFailsCleanly),
        cmocka_unit_test(OnceWarmARunAllocatesNothing),
        cmocka_unit_test(ACrashAtEveryOperationIsSurvived),
        cmocka_unit_test(TwoCrashesAtOperationsAreSurvived),
        cmocka_unit_test(AFailingOperationCostsProtectionNotTheJob),
    };

    return check_main(argc, argv, "models_exhaustion", tests);
}
