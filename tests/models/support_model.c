// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/support_model.h"

#include "check.h"

struct sim_law constant(int64_t value)
{
    struct sim_law law = {0};

    sim_law_constant(&law, value);
    return law;
}

struct sim_law exponential(int64_t mean)
{
    return (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = mean};
}

struct sim_law uniform(int64_t from, int64_t to)
{
    return (struct sim_law){.kind = SIM_LAW_UNIFORM, .a = from, .b = to};
}

static void timeouts(struct model_timeouts *t)
{
    *t = (struct model_timeouts){.heartbeat_interval_ns = 10 * SECOND,
                                 .heartbeat_timeout_ns = 50 * SECOND,
                                 .heartbeat_rpc_failures = 2,
                                 .registration_initial_timeout_ns = 100 * MILLI,
                                 .registration_max_timeout_ns = 30 * SECOND,
                                 .registration_error_delay_ns = 10 * SECOND,
                                 .registration_refused_delay_ns = 30 * SECOND,
                                 .worker_registration_timeout_ns = 300 * SECOND,
                                 .slot_timeout_ns = 10 * SECOND};
}

void world_of(struct model_test *t, uint32_t workers, uint32_t slots)
{
    struct model_config *c = &t->config;

    memset(t, 0, sizeof(*t));
    sim_arena_init(&t->arena, 0);
    c->name = "test";
    c->seed = 1;
    c->profile = RECOUP_PROFILE_FLINK_1_20;
    recoup_options_init(&c->options, RECOUP_PROFILE_FLINK_1_20);
    c->options.recovery_enabled = true;
    c->options.snapshot_min_pause_ns = 0;
    c->worker_policy.recovery_enabled = true;
    c->stages = t->stages;
    c->auto_parallelism = (struct model_auto_parallelism){true, 1, 128, UINT64_C(16) << 20, 0};
    c->release_partitions = true;
    c->cluster.workers = workers;
    c->cluster.slots = slots;
    c->cluster.deploy = constant(0);
    c->cluster.restart = constant(0);
    c->cluster.restart_never = true;
    c->master.start = constant(0);
    c->master.standby = true;
    c->master.restart = constant(0);
    c->ha.kind = MODEL_HA_FIXED;
    c->ha.detect = constant(0);
    c->storage.kind = MODEL_STORAGE_IDEAL;
    c->storage.durable_at = RECOUP_DURABLE_AT_FLUSH;
    for (int i = 0; i < MODEL_STORAGE_OPS; i++)
        c->storage.latency[i] = constant(0);
    c->network_latency = constant(0);
    timeouts(&c->timeouts);
    c->faults = t->faults;
}

void world_drop(struct model_test *t)
{
    model_result_release(&t->result);
    sim_arena_release(&t->arena);
}

uint32_t stage(struct model_test *t, const char *name, uint32_t n, struct sim_law duration)
{
    uint32_t index = t->config.n_stages++;
    struct model_stage *s = &t->stages[index];

    assert_true(index < 128);
    *s = (struct model_stage){.parallelism = n, .duration = duration, .output = constant(1024)};
    snprintf(s->name, sizeof(s->name), "%s", name);
    return index;
}

void reads(struct model_test *t, uint32_t consumer, uint32_t producer,
           enum recoup_exchange exchange)
{
    struct model_stage *s = &t->stages[consumer];

    assert_true(t->n_inputs < 256);
    if (s->n_inputs == 0)
        s->inputs = &t->inputs[t->n_inputs];
    assert_ptr_equal(&s->inputs[s->n_inputs],
                     &t->inputs[t->n_inputs]); // one consumer's inputs in a row
    t->inputs[t->n_inputs++] = (struct model_input){producer, exchange};
    s->n_inputs++;
}

void source(struct model_test *t, uint32_t index, uint32_t splits, bool batch_snapshot)
{
    t->stages[index].source = (struct model_source){true, splits, 100};
    t->stages[index].coordinator = (struct model_coordinator){true, batch_snapshot, 0};
}

static struct model_fault *fault(struct model_test *t)
{
    struct model_fault *f = &t->faults[t->config.n_faults];

    assert_true(t->config.n_faults < 16);
    *f = (struct model_fault){.kind = MODEL_FAULT_KILL, .target = MODEL_TARGET_NUMBER};
    snprintf(f->name, sizeof(f->name), "fault-%u", t->config.n_faults++);
    return f;
}

struct model_fault *kill_master_at(struct model_test *t, int64_t at_ns)
{
    struct model_fault *f = fault(t);

    f->process = MODEL_PROCESS_MASTER;
    f->trigger = MODEL_TRIGGER_AT;
    f->law = constant(at_ns);
    return f;
}

struct model_fault *kill_master_every(struct model_test *t, struct sim_law law)
{
    struct model_fault *f = fault(t);

    f->process = MODEL_PROCESS_MASTER;
    f->trigger = MODEL_TRIGGER_EVERY;
    f->law = law;
    return f;
}

struct model_fault *kill_worker_at(struct model_test *t, uint32_t worker, int64_t at_ns)
{
    struct model_fault *f = kill_master_at(t, at_ns);

    f->process = MODEL_PROCESS_WORKER;
    f->worker = worker;
    return f;
}

void run(struct model_test *t)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};

    model_result_release(&t->result);
    assert_int_equal(model_run_pair(&t->config, &options, &t->arena, &t->result, &t->faultless_ns),
                     0);
    ledgers_close(t);
}

void run_seed(struct model_test *t, uint64_t seed)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};

    t->config.seed = seed;
    model_result_release(&t->result);
    assert_int_equal(model_run(&t->config, &options, &t->arena, &t->result), 0);
    ledgers_close(t);
}

int64_t lost_ns(const struct model_test *t, enum model_cause cause)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < t->result.n_stages; i++)
        sum += t->result.lost[i * MODEL_CAUSE_COUNT + (uint32_t)cause].ns;
    return sum;
}

uint64_t lost_attempts(const struct model_test *t, enum model_cause cause)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->result.n_stages; i++)
        sum += t->result.lost[i * MODEL_CAUSE_COUNT + (uint32_t)cause].attempts;
    return sum;
}

void ledgers_close(const struct model_test *t)
{
    const struct model_result *r = &t->result;
    int64_t lost = 0, outage = 0;

    for (int cause = 0; cause < MODEL_CAUSE_COUNT; cause++)
        lost += lost_ns(t, (enum model_cause)cause);
    assert_time_ns(r->lost_ns, lost);
    assert_time_ns(r->useful_ns + r->lost_ns, r->busy_ns);
    for (uint32_t i = 0; i < r->n_failovers; i++) {
        int64_t phases = 0;
        for (int p = 0; p < MODEL_PHASE_COUNT; p++)
            phases += r->failovers[i].phase_ns[p];
        assert_time_ns(phases, r->failovers[i].outage_ns);
        outage += phases;
    }
    assert_time_ns(outage, r->outage_ns);
}

void no_findings(const struct model_test *t)
{
    for (uint32_t i = 0; i < t->result.n_findings; i++)
        print_error("finding %s (%s): %s\n", t->result.findings[i].invariant,
                    t->result.findings[i].hazard != NULL ? t->result.findings[i].hazard : "-",
                    t->result.findings[i].message);
    assert_u64(t->result.findings_total, 0);
}
