// SPDX-License-Identifier: GPL-3.0-or-later
//
// A user may take any policy from either profile. Random worlds with logs long enough for several
// checkpoints, struck late and often, under random mixes of all policies: whatever is found has a
// hazard that the mix permits, and the ledgers close. (test_properties.c mixes policies in smaller
// worlds, and shrinks what it finds.)
//
//     models_test_policy_mixes [FILTER] [worlds=N] [from=N]
//
// runs the N worlds from the given one on; 100,000 take about ten minutes.
#include "models/support_tape.h"

#include "check.h"

#if defined(__SANITIZE_ADDRESS__)
#define WORLDS 150u
#else
#define WORLDS 500u
#endif
#define REPORTS_MAX 5u

static uint32_t worlds = WORLDS, first_world = 1;

static void draw_stage(struct tape_random *random, struct model_test *t)
{
    static const uint64_t state_bytes[] = {0, 3000, 40000, 100000, 300000};
    struct sim_law duration =
        tape_draw(random, 2) > 0 ? constant(SECOND) : uniform(0, 4 * SECOND);
    uint32_t s = stage(t, "wave", 1 + tape_draw(random, 12), duration);

    if (tape_draw(random, 4) > 0)
        reads(t, s, s - 1, tape_draw(random, 2) > 0 ? RECOUP_ALL_TO_ALL : RECOUP_POINTWISE);
    if (tape_draw(random, 3) > 0) {
        uint32_t splits = tape_draw(random, 60);
        source(t, s, splits, tape_draw(random, 4) > 0);
    } else if (tape_draw(random, 2) > 0) {
        t->stages[s].coordinator = (struct model_coordinator){true, tape_draw(random, 4) > 0, 0};
    }
    t->stages[s].coordinator.state_bytes = state_bytes[tape_draw(random, 5)];
}

static void draw_store_trigger(struct tape_random *random, struct model_fault *f, uint32_t last)
{
    f->trigger = MODEL_TRIGGER_ON;
    f->op = (enum model_storage_op)tape_draw(random, MODEL_STORAGE_OPS);
    f->nth = 1 + tape_draw(random, last);
}

static void draw_fault(struct tape_random *random, struct model_test *t)
{
    struct model_fault *f = kill_master_at(t, (int64_t)tape_draw(random, 30000) * MILLI);
    uint32_t kind = tape_draw(random, 8);

    if (kind < 4) {
        draw_store_trigger(random, f, 30);
        f->moment = (enum model_fault_moment)tape_draw(random, 3);
    } else if (kind == 4) {
        f->process = MODEL_PROCESS_WORKER;
    } else if (kind == 5) {
        f->kind = MODEL_FAULT_TERMINATE;
        f->grace_ns = tape_draw(random, 2) * SECOND;
    } else if (kind == 6) {
        draw_store_trigger(random, f, 20);
        f->kind = MODEL_FAULT_STORE_ERROR;
        f->error = RECOUP_EIO;
        f->count = 1 + tape_draw(random, 3);
    }
}

// The surroundings come from a tape, with recovery on and a leader that always comes back.
static void draw_world(uint64_t seed, struct model_test *t)
{
    struct tape_random random = {seed * 77};
    struct tape tape;

    tape_generate(&tape, tape_draw(&random, 1u << 30), 0);
    tape_mix(&tape, tape_draw(&random, 1u << 30));
    tape.knob[TAPE_RECOVERY_OFF] = tape.knob[TAPE_STRATEGY] = tape.knob[TAPE_STANDBY] = 0;
    if (tape.knob[TAPE_HA] == 5)
        tape.knob[TAPE_HA] = 0;
    memset(tape.knob + TAPE_FAULT, 0, TAPE_FAULT_END - TAPE_FAULT + 1);
    tape.knob[TAPE_N_STAGES] = 0;
    tape_build(&tape, t);
    for (uint32_t n = 2 + tape_draw(&random, 6); n > 0; n--)
        draw_stage(&random, t);
    for (uint32_t n = 1 + tape_draw(&random, 4); n > 0; n--)
        draw_fault(&random, t);
}

static void describe(uint64_t seed, const struct model_test *t, const char *what)
{
    print_error("world %llu: %s\n  policies of flink-1.20:", (unsigned long long)seed, what);
    for (uint32_t i = 0; i < RECOUP_POLICY_COUNT; i++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)i);
        if (t->config.options.policy[i] == info->flink)
            print_error(" %s", info->key);
    }
    print_error("\n");
}

// Returns true if the world finds what nothing explains.
static bool is_bad(uint64_t seed)
{
    struct model_test t;
    bool bad = false;

    draw_world(seed, &t);
    run_seed(&t, seed);
    for (uint32_t i = 0; i < t.result.n_findings && !bad; i++) {
        const struct model_finding *finding = &t.result.findings[i];
        bad = finding->hazard == NULL;
        if (bad)
            describe(seed, &t, finding->message);
    }
    if (t.result.state == MODEL_JOB_RUNNING) {
        describe(seed, &t, "the run ends while its job runs");
        bad = true;
    }
    world_drop(&t);
    return bad;
}

static void EveryFindingHasAHazard(void **state)
{
    uint32_t bad = 0;

    (void)state;
    for (uint32_t seed = first_world; seed - first_world < worlds && bad < REPORTS_MAX; seed++)
        bad += is_bad(seed) ? 1u : 0u;
    assert_u64(bad, 0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(EveryFindingHasAHazard),
    };
    int plain = 1;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "worlds=", 7) == 0)
            worlds = (uint32_t)strtoul(argv[i] + 7, NULL, 10);
        else if (strncmp(argv[i], "from=", 5) == 0)
            first_world = (uint32_t)strtoul(argv[i] + 5, NULL, 10);
        else
            argv[plain++] = argv[i];
    }
    return check_main(plain, argv, "models_policy_mixes", tests);
}
