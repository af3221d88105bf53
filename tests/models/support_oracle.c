// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/support_oracle.h"

#include "check.h"

#define MARKER UINT64_C(0x5354454d41524b00)

void oracle_begin(struct oracle *o)
{
    o->options = (struct model_run_options){.invariants = MODEL_INVARIANTS_ON};
    sim_arena_reset(&o->test.arena);
    o->w = SIM_ARENA_NEW(&o->test.arena, struct model_world, 1);
    assert_non_null(o->w);
    assert_int_equal(world_init(o->w, &o->test.config, &o->options, &o->test.arena), 0);
}

void oracle_end(struct oracle *o)
{
    if (o->w->master.job != NULL)
        recoup_destroy(o->w->master.job);
    world_drop(&o->test);
}

void oracle_until(struct oracle *o, int64_t at_ns)
{
    struct model_world *w = o->w;
    struct sim_event event;

    // A timer that does nothing, the last of its instant.
    assert_int_equal(
        sim_queue_push(&w->queue, at_ns, SIM_CLASS_TIMER, MODEL_EVENT_GRACE_END, 0, MARKER), 0);
    while (!w->ended && w->error == 0 && sim_queue_pop(&w->queue, &event)) {
        if (event.arg == MARKER && event.kind == MODEL_EVENT_GRACE_END) {
            w->now_ns = event.time_ns;
            return;
        }
        world_dispatch(w, &event);
    }
    assert_int_equal(w->error, 0);
}

void oracle_two_stages(struct oracle *o, enum recoup_profile profile)
{
    uint32_t a, b;

    world_of(&o->test, 2, 1);
    o->test.config.profile = profile;
    recoup_options_init(&o->test.config.options, profile);
    o->test.config.options.recovery_enabled = true;
    o->test.config.options.snapshot_min_pause_ns = 0;
    if (profile == RECOUP_PROFILE_HARDENED)
        o->test.config.worker_policy = (struct model_worker_policy){true, true, true};
    a = stage(&o->test, "a", 2, constant(1 * SECOND));
    source(&o->test, a, 4, true);
    b = stage(&o->test, "b", 2, constant(3 * SECOND));
    reads(&o->test, b, a, RECOUP_ALL_TO_ALL);
}

uint32_t oracle_found(const struct oracle *o, const char *invariant)
{
    const struct model_invariant_state *state = &o->w->invariants;
    uint32_t n = 0;

    for (uint32_t i = 0; i < state->n_findings; i++)
        n += strcmp(state->findings[i].invariant, invariant) == 0 ? 1u : 0u;
    return n;
}

const char *oracle_hazard(const struct oracle *o, const char *invariant)
{
    const struct model_invariant_state *state = &o->w->invariants;

    for (uint32_t i = state->n_findings; i-- > 0;)
        if (strcmp(state->findings[i].invariant, invariant) == 0)
            return state->findings[i].hazard;
    return NULL;
}

void oracle_forget(struct oracle *o)
{
    o->w->invariants.n_findings = 0;
    o->w->invariants.total = 0;
}

// --- random scenarios ---------------------------------------------------------------------------

struct dice {
    uint64_t state;
};

// One roll is one statement: the order of two in one expression is the compiler's choice.
static uint64_t roll(struct dice *dice, uint64_t n)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return n > 0 ? z % n : z;
}

static struct sim_law some_law(struct dice *dice, int64_t mean)
{
    switch (roll(dice, 4)) {
    case 0:
        return constant(mean);
    case 1:
        return exponential(mean);
    case 2:
        return uniform(0, 2 * mean);
    default:
        return constant(mean / SECOND * SECOND);
    }
}

static void random_options(struct model_test *t, struct dice *dice, bool mix)
{
    static const int64_t pauses[4] = {0, SECOND, 5 * SECOND, 180 * SECOND};
    static const int64_t flushes[3] = {100 * MILLI, SECOND, 3 * SECOND};
    static const uint64_t buffers[3] = {64, 500, 4096};
    struct model_config *c = &t->config;

    recoup_options_init(&c->options, c->profile);
    if (c->profile == RECOUP_PROFILE_HARDENED)
        c->worker_policy = (struct model_worker_policy){true, true, true};
    for (int i = 0; mix && i < RECOUP_POLICY_COUNT; i++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)i);

        c->options.policy[i] = roll(dice, 2) != 0 ? info->flink : info->hardened;
    }
    c->options.recovery_enabled = roll(dice, 10) != 0;
    c->options.snapshot_min_pause_ns = pauses[roll(dice, 4)];
    c->options.flush_interval_ns = flushes[roll(dice, 3)];
    if (roll(dice, 3) == 0)
        c->options.write_buffer_bytes = buffers[roll(dice, 3)];
}

static void random_job(struct model_test *t, struct dice *dice)
{
    uint32_t n = 1 + (uint32_t)roll(dice, 5);

    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        bool automatic = i > 0 && roll(dice, 8) == 0;
        uint32_t inputs = 0;

        snprintf(name, sizeof(name), "s%u", i);
        uint32_t parallelism = automatic ? 0 : 1 + (uint32_t)roll(dice, 10);
        int64_t mean_ns = (int64_t)(1 + roll(dice, 10)) * SECOND;
        struct sim_law duration = some_law(dice, mean_ns);

        stage(t, name, parallelism, duration);
        t->stages[i].rerun_fresh = roll(dice, 4) == 0;
        t->stages[i].output = some_law(dice, 1000000);
        for (uint32_t k = 0; k < i; k++) {
            if (roll(dice, 2) != 0) {
                reads(t, i, k, roll(dice, 2) != 0 ? RECOUP_POINTWISE : RECOUP_ALL_TO_ALL);
                inputs++;
            }
        }
        bool reads_splits = inputs == 0 && roll(dice, 4) != 0;
        bool supported = roll(dice, 4) != 0;
        uint64_t size = roll(dice, 5) == 0 ? 3000 : 40;

        size = roll(dice, size);
        if (reads_splits)
            source(t, i, (uint32_t)size, supported);
        else if (roll(dice, 4) == 0)
            t->stages[i].coordinator = (struct model_coordinator){true, supported, size};
    }
}

static void random_cluster(struct model_test *t, struct dice *dice)
{
    struct model_config *c = &t->config;

    c->auto_parallelism = (struct model_auto_parallelism){true, 1, 8, 500000, 0};
    if (roll(dice, 2) != 0)
        c->cluster.deploy = some_law(dice, 200 * MILLI);
    c->cluster.restart_never = roll(dice, 4) == 0;
    c->cluster.restart = some_law(dice, 10 * SECOND);
    c->cluster.reconnect_given = roll(dice, 2) != 0;
    c->cluster.reconnect = some_law(dice, 100 * MILLI);
    c->master.start = some_law(dice, (int64_t)roll(dice, 3) * SECOND);
    c->master.standby = roll(dice, 2) != 0;
    c->master.restart = some_law(dice, 5 * SECOND);
    c->ha.kind = (enum model_ha_kind)(1 + roll(dice, 3));
    c->ha.detect = some_law(dice, 3 * SECOND);
    c->ha.session_timeout_ns = 60 * SECOND;
    c->ha.session_granted_max_ns = 40 * SECOND;
    c->ha.lease_duration_ns = c->ha.renew_deadline_ns = 15 * SECOND;
    c->ha.retry_period_ns = 5 * SECOND;
    c->network_latency = some_law(dice, (int64_t)roll(dice, 200) * MILLI);
    c->restart.kind = roll(dice, 8) == 0 ? MODEL_RESTART_NONE : MODEL_RESTART_FIXED_DELAY;
    c->restart.attempts = 1000;
    c->restart.delay_ns = (int64_t)roll(dice, 3) * SECOND;
    c->release_partitions = roll(dice, 6) != 0;
}

static void random_storage(struct model_test *t, struct dice *dice)
{
    struct model_storage *s = &t->config.storage;
    bool object_store;

    s->kind = (enum model_storage_kind)roll(dice, MODEL_STORAGE_KINDS);
    object_store = s->kind == MODEL_STORAGE_S3 || s->kind == MODEL_STORAGE_GCS;
    s->durable_at = object_store ? RECOUP_DURABLE_AT_CLOSE : RECOUP_DURABLE_AT_FLUSH;
    if (!object_store && s->kind != MODEL_STORAGE_IDEAL && roll(dice, 2) != 0)
        s->durable_at = RECOUP_DURABLE_AT_SYNC;
    for (int i = 0; i < MODEL_STORAGE_OPS; i++)
        s->latency[i] = some_law(dice, (int64_t)roll(dice, 300) * MILLI);
    s->bandwidth = roll(dice, 2) != 0 ? 1000 + roll(dice, 100000) : 0;
}

static void random_fault(struct model_test *t, struct dice *dice)
{
    int64_t at_ns = (int64_t)roll(dice, 60) * SECOND;

    at_ns += (int64_t)roll(dice, (uint64_t)SECOND);
    struct model_fault *f = kill_master_at(t, roll(dice, 2) != 0 ? at_ns : at_ns / SECOND * SECOND);

    switch (roll(dice, 7)) {
    case 0:
        f->trigger = MODEL_TRIGGER_EVERY;
        f->law = exponential((int64_t)(15 + roll(dice, 60)) * SECOND);
        break;
    case 1:
        f->process = MODEL_PROCESS_WORKER;
        f->worker = (uint32_t)roll(dice, t->config.cluster.workers);
        break;
    case 2:
        f->process = MODEL_PROCESS_WORKER;
        f->trigger = MODEL_TRIGGER_EVERY;
        f->law = exponential((int64_t)(20 + roll(dice, 60)) * SECOND);
        f->target = roll(dice, 2) != 0 ? MODEL_TARGET_RANDOM : MODEL_TARGET_EACH;
        break;
    case 3:
    case 4:
        f->trigger = MODEL_TRIGGER_ON;
        f->op = (enum model_storage_op)roll(dice, MODEL_STORAGE_OPS);
        f->nth = 1 + roll(dice, 12);
        f->moment = (enum model_fault_moment)roll(dice, 3);
        if (roll(dice, 3) == 0) {
            f->kind = MODEL_FAULT_STORE_ERROR;
            f->moment = MODEL_MOMENT_BEFORE;
            f->error = RECOUP_EIO;
            f->count = 1 + roll(dice, 3);
        }
        break;
    case 5:
        f->kind = MODEL_FAULT_TERMINATE;
        f->grace_ns = (int64_t)roll(dice, 10) * SECOND;
        break;
    default:
        break;
    }
}

void random_scenario(struct model_test *t, uint64_t seed, enum recoup_profile profile, bool mix)
{
    struct dice dice = {seed * 7919 + 13};
    uint32_t workers = 1 + (uint32_t)roll(&dice, 5);
    uint32_t slots = 1 + (uint32_t)roll(&dice, 4);

    world_of(t, workers, slots);
    t->config.profile = profile;
    t->config.seed = seed;
    random_options(t, &dice, mix);
    random_job(t, &dice);
    random_cluster(t, &dice);
    random_storage(t, &dice);
    for (uint64_t i = 1 + roll(&dice, 4); i > 0; i--)
        random_fault(t, &dice);
    t->config.stop_at_ns = 3600 * SECOND;
    t->config.events_max = 1000000;
}
