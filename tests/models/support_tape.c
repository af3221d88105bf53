// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/support_tape.h"

#include "check.h"

// Where the knobs of a stage and of a fault stand, from their first.
enum stage_knob {
    STAGE_PARALLELISM,
    STAGE_DURATION,
    STAGE_OUTPUT,
    STAGE_SOURCE,
    STAGE_SPLITS,
    STAGE_COORDINATOR,
    STAGE_STATE,
    STAGE_FRESH,
    STAGE_EDGE // and one more for each producer
};

enum fault_knob {
    FAULT_WHAT,
    FAULT_TRIGGER,
    FAULT_TIME,
    FAULT_TARGET,
    FAULT_STAGE,
    FAULT_SHARE,
    FAULT_OP,
    FAULT_NTH,
    FAULT_MOMENT,
    FAULT_MORE // grace, error or count
};

enum {
    WHAT_NONE,
    WHAT_KILL_MASTER,
    WHAT_KILL_WORKER,
    WHAT_STOP_MASTER,
    WHAT_STOP_WORKER,
    WHAT_STORE_ERROR,
    WHAT_CUT_OFF_MASTER,
    WHAT_KINDS
};

// --- drawing ------------------------------------------------------------------------------------

uint32_t tape_draw(struct tape_random *random, uint32_t n)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 33) % n;
}

// The number of values of each knob of the world; those of stages and faults follow.
static const uint8_t world_values[TAPE_STAGE] = {
    [TAPE_PROFILE] = 2,       [TAPE_SEED] = 200,      [TAPE_N_STAGES] = TAPE_STAGES,
    [TAPE_WORKERS] = 5,       [TAPE_SLOTS] = 3,       [TAPE_DEPLOY] = 4,
    [TAPE_RESTART] = 5,       [TAPE_RECONNECT] = 5,   [TAPE_START] = 4,
    [TAPE_STANDBY] = 4,       [TAPE_HA] = 6,          [TAPE_STORAGE] = MODEL_STORAGE_KINDS,
    [TAPE_STORE_LATENCY] = 5, [TAPE_BANDWIDTH] = 3,   [TAPE_NETWORK] = 4,
    [TAPE_MIN_PAUSE] = 4,     [TAPE_FLUSH] = 5,       [TAPE_BUFFER] = 5,
    [TAPE_WAIT] = 5,          [TAPE_STRATEGY] = 6,    [TAPE_KEEP_PARTITIONS] = 2,
    [TAPE_RECOVERY_OFF] = 2,  [TAPE_AUTO] = 3,        [TAPE_HEARTBEAT] = 4,
    [TAPE_RETENTION] = 4,     [TAPE_SLOT_TIMEOUT] = 3};
static const uint8_t stage_values[STAGE_EDGE + TAPE_STAGES] = {10, 8, 4, 3, 4, 3, 3,
                                                               2,  3, 3, 3, 3, 3, 3};
static const uint8_t fault_values[FAULT_MORE + 1] = {WHAT_KINDS,        5,  48, 7, TAPE_STAGES, 8,
                                                     MODEL_STORAGE_OPS, 12, 3,  12};

// Some classes of knobs are left at 0 altogether, another choice in each world.
static uint8_t draw_knob(struct tape_random *random, uint8_t values, bool rare)
{
    return rare && tape_draw(random, 3) > 0 ? 0 : (uint8_t)tape_draw(random, values);
}

void tape_generate(struct tape *tape, uint64_t seed, uint8_t profile)
{
    struct tape_random random = {seed * 2 + profile};
    const uint32_t per_stage = STAGE_EDGE + TAPE_STAGES, per_fault = FAULT_MORE + 1;
    bool plain = tape_draw(&random, 3) == 0;
    uint32_t n_faults = tape_draw(&random, TAPE_FAULTS + 1);

    memset(tape, 0, sizeof(*tape));
    for (uint32_t i = 0; i < TAPE_STAGE; i++)
        tape->knob[i] = draw_knob(&random, world_values[i], plain || tape_draw(&random, 2) == 0);
    for (uint32_t i = 0; i < TAPE_STAGES * per_stage; i++)
        tape->knob[TAPE_STAGE + i] =
            draw_knob(&random, stage_values[i % per_stage], i % per_stage >= STAGE_OUTPUT);
    for (uint32_t i = 0; i < n_faults * per_fault; i++)
        tape->knob[TAPE_FAULT + i] = draw_knob(&random, fault_values[i % per_fault], false);
    tape->knob[TAPE_PROFILE] = profile;
    tape->knob[TAPE_N_STAGES] = (uint8_t)tape_draw(&random, TAPE_STAGES);
    tape->knob[TAPE_SEED] = (uint8_t)tape_draw(&random, 200);
    tape->knob[TAPE_ACCEPT] = (uint8_t)tape_draw(&random, 4);
    if (tape_draw(&random, 8) > 0)
        tape->knob[TAPE_RECOVERY_OFF] = 0;
    if (tape_draw(&random, 4) > 0 && tape->knob[TAPE_HA] == 5)
        tape->knob[TAPE_HA] = 0;
}

void tape_flip(struct tape *tape, uint64_t seed)
{
    struct tape_random random = {~seed};
    uint32_t n = 1 + tape_draw(&random, 3);

    for (uint32_t i = 0; i < n; i++)
        tape->knob[TAPE_POLICY + tape_draw(&random, RECOUP_POLICY_COUNT + 3)] = 1;
}

void tape_mix(struct tape *tape, uint64_t seed)
{
    struct tape_random random = {~seed << 1};

    for (uint32_t i = TAPE_POLICY; i < TAPE_KNOBS; i++)
        tape->knob[i] = (uint8_t)tape_draw(&random, 2);
}

bool tape_is_flipped(const struct tape *tape)
{
    for (uint32_t i = TAPE_POLICY; i < TAPE_KNOBS; i++)
        if (tape->knob[i] != 0)
            return true;
    return false;
}

// --- building: the job --------------------------------------------------------------------------

static const uint8_t *stage_knobs(const struct tape *tape, uint32_t s)
{
    return &tape->knob[TAPE_STAGE + s * (STAGE_EDGE + TAPE_STAGES)];
}

static void build_stage(const struct tape *tape, struct model_test *t, uint32_t s)
{
    const struct sim_law durations[] = {
        constant(SECOND),      constant(3 * SECOND),   constant(10 * SECOND),
        constant(300 * MILLI), uniform(0, 5 * SECOND), exponential(2 * SECOND),
        constant(0),           uniform(1, 20 * SECOND)};
    const struct sim_law outputs[] = {constant(1024), constant(0), constant(1 << 20),
                                      uniform(0, 4 << 20)};
    static const uint32_t parallelisms[] = {1, 2, 3, 4, 5, 6, 8, 13, 30, 0}; // the last: auto
    static const uint32_t splits[] = {4, 1, 30, 0};
    static const uint64_t states[] = {0, 4096, 270000}; // the last is more than a checkpoint's part
    const uint8_t *knob = stage_knobs(tape, s);
    struct model_stage *spec;
    char name[8];

    snprintf(name, sizeof(name), "s%u", (unsigned)s);
    stage(t, name, parallelisms[knob[STAGE_PARALLELISM]], durations[knob[STAGE_DURATION]]);
    spec = &t->stages[s];
    spec->output = outputs[knob[STAGE_OUTPUT]];
    spec->rerun_fresh = knob[STAGE_FRESH] != 0;
    if (knob[STAGE_SOURCE] != 0)
        source(t, s, splits[knob[STAGE_SPLITS]], knob[STAGE_SOURCE] == 1);
    else if (knob[STAGE_COORDINATOR] != 0)
        spec->coordinator = (struct model_coordinator){true, knob[STAGE_COORDINATOR] == 1, 0};
    spec->coordinator.state_bytes = states[knob[STAGE_STATE]];
    for (uint32_t p = 0; p < s; p++)
        if (knob[STAGE_EDGE + p] != 0)
            reads(t, s, p, knob[STAGE_EDGE + p] == 1 ? RECOUP_POINTWISE : RECOUP_ALL_TO_ALL);
}

// --- building: faults ---------------------------------------------------------------------------

// Every 250 ms, of which the whole seconds collide with finishes; later ever more sparsely.
static int64_t fault_time_ns(uint8_t knob)
{
    return knob < 24 ? (knob + 1) * 250 * MILLI + (knob % 5 == 4 ? 1 : 0)
                     : (knob - 17) * SECOND * (knob < 40 ? 1 : 5);
}

static void build_trigger(struct model_fault *f, const uint8_t *knob, uint32_t n_stages)
{
    static const uint32_t nths[] = {1, 2, 3, 4, 5, 6, 8, 11, 15, 22, 35, 60};

    f->law = constant(fault_time_ns(knob[FAULT_TIME]));
    f->trigger = (enum model_fault_trigger)knob[FAULT_TRIGGER];
    if (f->kind == MODEL_FAULT_STORE_ERROR)
        f->trigger = MODEL_TRIGGER_ON;
    if (f->trigger == MODEL_TRIGGER_AT_SHARE)
        f->law = constant((knob[FAULT_TIME] + 1) * INT64_C(31250000));
    if (f->trigger == MODEL_TRIGGER_EVERY) // slow enough for a job to come to its end
        f->law = knob[FAULT_MORE] % 2 == 0 ? constant((80 + knob[FAULT_TIME]) * SECOND)
                                           : uniform(60 * SECOND, 400 * SECOND);
    f->stage = knob[FAULT_STAGE] % n_stages;
    f->share_nano = (knob[FAULT_SHARE] + 1) * INT64_C(125000000);
    f->op = (enum model_storage_op)knob[FAULT_OP];
    f->nth = nths[knob[FAULT_NTH]];
    f->moment = (enum model_fault_moment)knob[FAULT_MOMENT];
}

static void build_fault(struct model_test *t, const uint8_t *knob)
{
    static const int errors[] = {RECOUP_EIO, RECOUP_ENOSPC, RECOUP_EACCES, RECOUP_ETIMEDOUT};
    static const int64_t unaware[] = {30 * SECOND, 0, 3 * SECOND, 1000 * SECOND};
    static const int64_t graces[] = {0, 30 * SECOND, 10 * MILLI};
    struct model_fault *f = kill_master_at(t, 0);
    uint8_t what = knob[FAULT_WHAT], more = knob[FAULT_MORE];

    f->kind = what == WHAT_STORE_ERROR                               ? MODEL_FAULT_STORE_ERROR
              : what == WHAT_CUT_OFF_MASTER                          ? MODEL_FAULT_PARTITION
              : what == WHAT_STOP_MASTER || what == WHAT_STOP_WORKER ? MODEL_FAULT_TERMINATE
                                                                     : MODEL_FAULT_KILL;
    f->process = what == WHAT_KILL_WORKER || what == WHAT_STOP_WORKER ? MODEL_PROCESS_WORKER
                                                                      : MODEL_PROCESS_MASTER;
    f->grace_ns = graces[more % 3];
    f->unaware_ns = unaware[more % 4];
    f->error = errors[more % 4];
    f->count = more % 3;
    if (f->process == MODEL_PROCESS_WORKER && knob[FAULT_TARGET] >= 5)
        f->target = knob[FAULT_TARGET] == 5 ? MODEL_TARGET_RANDOM : MODEL_TARGET_EACH;
    f->worker = knob[FAULT_TARGET] % t->config.cluster.workers;
    build_trigger(f, knob, t->config.n_stages);
}

// --- building: what surrounds the job -----------------------------------------------------------

static void build_master(const struct tape *tape, struct model_config *c)
{
    static const int64_t restarts[] = {0, 5 * SECOND, 30 * SECOND, 0};
    const struct sim_law starts[] = {constant(0), constant(SECOND), constant(8 * SECOND),
                                     uniform(0, 3 * SECOND)};
    static const enum model_ha_kind kinds[] = {MODEL_HA_FIXED,      MODEL_HA_FIXED,
                                               MODEL_HA_FIXED,      MODEL_HA_ZOOKEEPER,
                                               MODEL_HA_KUBERNETES, MODEL_HA_NONE};
    static const int64_t detects[] = {0, 2 * SECOND, 60 * SECOND, 0, 0, 0};
    const uint8_t *knob = tape->knob;

    c->master.start = starts[knob[TAPE_START]];
    c->master.standby = knob[TAPE_STANDBY] == 0;
    c->master.restart = constant(restarts[knob[TAPE_STANDBY]]);
    c->master.restart_never = knob[TAPE_STANDBY] == 3;
    c->ha = (struct model_ha){.kind = kinds[knob[TAPE_HA]],
                              .detect = constant(detects[knob[TAPE_HA]]),
                              .session_timeout_ns = 60 * SECOND,
                              .session_granted_max_ns = 40 * SECOND,
                              .lease_duration_ns = 15 * SECOND,
                              .renew_deadline_ns = 15 * SECOND,
                              .retry_period_ns = 5 * SECOND};
}

static void build_cluster(const struct tape *tape, struct model_config *c)
{
    const struct sim_law deploys[] = {constant(0), constant(50 * MILLI), uniform(0, SECOND),
                                      constant(3 * SECOND)};
    const struct sim_law restarts[] = {constant(10 * SECOND), constant(0), constant(0),
                                       constant(60 * SECOND), uniform(1, 100 * SECOND)};
    const struct sim_law reconnects[] = {constant(0), constant(100 * MILLI), constant(3 * SECOND),
                                         uniform(0, 60 * SECOND), constant(35 * SECOND)};
    const struct sim_law networks[] = {constant(0), constant(MILLI / 2), constant(SECOND),
                                       uniform(0, 20 * MILLI)};
    const uint8_t *knob = tape->knob;

    c->cluster.deploy = deploys[knob[TAPE_DEPLOY]];
    c->cluster.restart = restarts[knob[TAPE_RESTART]];
    c->cluster.restart_never = knob[TAPE_RESTART] == 1;
    c->cluster.reconnect = reconnects[knob[TAPE_RECONNECT]];
    c->cluster.reconnect_given = knob[TAPE_RECONNECT] != 0;
    c->network_latency = networks[knob[TAPE_NETWORK]];
}

static void build_storage(const struct tape *tape, struct model_config *c)
{
    static const enum recoup_durable_at durable_at[MODEL_STORAGE_KINDS] = {
        RECOUP_DURABLE_AT_FLUSH, RECOUP_DURABLE_AT_FLUSH, RECOUP_DURABLE_AT_CLOSE,
        RECOUP_DURABLE_AT_CLOSE, RECOUP_DURABLE_AT_SYNC,  RECOUP_DURABLE_AT_SYNC};
    const struct sim_law latencies[] = {constant(0), constant(MILLI), constant(50 * MILLI),
                                        uniform(0, 300 * MILLI), constant(2 * SECOND)};
    static const uint64_t bandwidths[] = {0, 1000000, 10000};

    c->storage.kind = (enum model_storage_kind)tape->knob[TAPE_STORAGE];
    c->storage.durable_at = durable_at[c->storage.kind];
    c->storage.bandwidth = bandwidths[tape->knob[TAPE_BANDWIDTH]];
    for (int op = 0; op < MODEL_STORAGE_OPS; op++)
        c->storage.latency[op] = latencies[tape->knob[TAPE_STORE_LATENCY]];
}

static void build_timeouts(const struct tape *tape, struct model_config *c)
{
    static const int64_t intervals[] = {10 * SECOND, SECOND, 10 * SECOND, 20 * SECOND};
    static const int64_t timeouts[] = {50 * SECOND, 5 * SECOND, 50 * SECOND, 21 * SECOND};
    static const int64_t retentions[] = {300 * SECOND, 5 * SECOND, SECOND, 60 * SECOND};
    static const int64_t slots[] = {10 * SECOND, MILLI, 100 * SECOND};
    struct model_timeouts *t = &c->timeouts;

    t->heartbeat_interval_ns = intervals[tape->knob[TAPE_HEARTBEAT]];
    t->heartbeat_timeout_ns = timeouts[tape->knob[TAPE_HEARTBEAT]];
    t->heartbeat_rpc_failures = tape->knob[TAPE_HEARTBEAT] == 2 ? -1 : 2;
    t->worker_registration_timeout_ns = retentions[tape->knob[TAPE_RETENTION]];
    t->slot_timeout_ns = slots[tape->knob[TAPE_SLOT_TIMEOUT]];
    c->options.worker_detection_ns = t->heartbeat_timeout_ns;
}

static void build_restart(const struct tape *tape, struct model_restart *r)
{
    static const enum model_restart_kind kinds[] = {
        MODEL_RESTART_FIXED_DELAY,  MODEL_RESTART_FIXED_DELAY,       MODEL_RESTART_NONE,
        MODEL_RESTART_FAILURE_RATE, MODEL_RESTART_EXPONENTIAL_DELAY, MODEL_RESTART_FIXED_DELAY};

    *r = (struct model_restart){.kind = kinds[tape->knob[TAPE_STRATEGY]],
                                .attempts = UINT32_MAX,
                                .delay_ns = SECOND,
                                .interval_ns = 60 * SECOND,
                                .delay_max_ns = 10 * SECOND,
                                .backoff_multiplier_nano = INT64_C(1500000000),
                                .reset_threshold_ns = 60 * SECOND};
    if (tape->knob[TAPE_STRATEGY] == 0)
        r->delay_ns = 0;
    if (r->kind == MODEL_RESTART_FAILURE_RATE)
        r->attempts = 3;
    if (r->kind == MODEL_RESTART_EXPONENTIAL_DELAY)
        r->attempts = 0;
    if (tape->knob[TAPE_STRATEGY] == 5)
        r->attempts = 1;
}

static void build_options(const struct tape *tape, struct model_config *c)
{
    static const int64_t pauses[] = {0, SECOND, 10 * SECOND, 180 * SECOND};
    static const int64_t flushes[] = {SECOND, 100 * MILLI, 10 * SECOND, 7 * MILLI, 60 * SECOND};
    static const uint64_t buffers[] = {1 << 20, 64, 300, 4096, 1};
    static const int64_t waits[] = {30 * SECOND, 0, SECOND, 5 * SECOND, 300 * SECOND};
    struct recoup_options *o = &c->options;

    c->profile =
        tape->knob[TAPE_PROFILE] == 0 ? RECOUP_PROFILE_HARDENED : RECOUP_PROFILE_FLINK_1_20;
    recoup_options_init(o, c->profile);
    o->recovery_enabled = tape->knob[TAPE_RECOVERY_OFF] == 0;
    o->snapshot_min_pause_ns = pauses[tape->knob[TAPE_MIN_PAUSE]];
    o->flush_interval_ns = flushes[tape->knob[TAPE_FLUSH]];
    o->write_buffer_bytes = buffers[tape->knob[TAPE_BUFFER]];
    o->worker_recovery_timeout_ns = waits[tape->knob[TAPE_WAIT]];
    for (uint32_t i = 0; i < RECOUP_POLICY_COUNT; i++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)i);
        bool hardened =
            (c->profile == RECOUP_PROFILE_HARDENED) != (tape->knob[TAPE_POLICY + i] != 0);
        o->policy[i] = hardened ? info->hardened : info->flink;
    }
    bool hardened = c->profile == RECOUP_PROFILE_HARDENED;
    c->worker_policy.retention_by_job = hardened != (tape->knob[TAPE_WORKER_POLICY] != 0);
    c->worker_policy.retention_timer_keyed = hardened != (tape->knob[TAPE_WORKER_POLICY + 1] != 0);
    c->worker_policy.recovery_enabled =
        o->recovery_enabled && tape->knob[TAPE_WORKER_POLICY + 2] == 0;
}

void tape_build(const struct tape *tape, struct model_test *t)
{
    static const struct model_auto_parallelism rules[] = {
        {true, 1, 3, 1500, 0}, {true, 1, 6, UINT64_C(1) << 20, 2}, {true, 2, 5, 100, 5}};
    static const int64_t accepts[] = {0, 20 * SECOND, SECOND, 300 * SECOND}; // 0: the default
    struct model_config *c = &t->config;

    world_of(t, tape->knob[TAPE_WORKERS] + 1u, tape->knob[TAPE_SLOTS] + 1u);
    c->seed = tape->knob[TAPE_SEED] + 1u;
    c->auto_parallelism = rules[tape->knob[TAPE_AUTO]];
    c->release_partitions = tape->knob[TAPE_KEEP_PARTITIONS] == 0;
    c->accept_ns = accepts[tape->knob[TAPE_ACCEPT]];
    c->stop_at_ns = 20000 * SECOND;
    build_options(tape, c);
    build_master(tape, c);
    build_cluster(tape, c);
    build_storage(tape, c);
    build_timeouts(tape, c);
    build_restart(tape, &c->restart);
    for (uint32_t s = 0; s <= tape->knob[TAPE_N_STAGES]; s++)
        build_stage(tape, t, s);
    for (uint32_t i = 0; i < TAPE_FAULTS; i++)
        if (tape->knob[TAPE_FAULT + i * (FAULT_MORE + 1)] != WHAT_NONE)
            build_fault(t, &tape->knob[TAPE_FAULT + i * (FAULT_MORE + 1)]);
}

void tape_make_constant(struct tape *tape)
{
    static const struct {
        uint8_t knob, random, instead;
    } world[] = {{TAPE_DEPLOY, 2, 1},    {TAPE_RESTART, 4, 3},       {TAPE_RECONNECT, 3, 2},
                 {TAPE_RECONNECT, 0, 1}, {TAPE_START, 3, 2},         {TAPE_HA, 3, 1},
                 {TAPE_HA, 4, 2},        {TAPE_STORE_LATENCY, 3, 2}, {TAPE_NETWORK, 3, 1},
                 {TAPE_STORAGE, 2, 1},   {TAPE_STORAGE, 3, 4}};

    for (size_t i = 0; i < sizeof(world) / sizeof(world[0]); i++)
        if (tape->knob[world[i].knob] == world[i].random)
            tape->knob[world[i].knob] = world[i].instead;
    if (tape->knob[TAPE_ACCEPT] == 0)
        tape->knob[TAPE_ACCEPT] = 3; // the library's default, told
    // The library's own waits: no checkpoint that is tried again after a while.
    tape->knob[TAPE_POLICY + RECOUP_POLICY_COMPACTION] = tape->knob[TAPE_PROFILE] == 0 ? 1 : 0;
    for (uint32_t s = 0; s < TAPE_STAGES; s++) {
        uint8_t *duration =
            &tape->knob[TAPE_STAGE + s * (STAGE_EDGE + TAPE_STAGES) + STAGE_DURATION];
        *duration = *duration == 6 ? 6 : *duration % 4;
    }
    for (uint32_t i = 0; i < TAPE_FAULTS; i++) {
        uint8_t *knob = &tape->knob[TAPE_FAULT + i * (FAULT_MORE + 1)];
        if (knob[FAULT_WHAT] == WHAT_STORE_ERROR)
            knob[FAULT_WHAT] = WHAT_KILL_MASTER;
        if (knob[FAULT_TRIGGER] == MODEL_TRIGGER_AT_SHARE)
            knob[FAULT_TRIGGER] = MODEL_TRIGGER_AT;
        if (knob[FAULT_TRIGGER] == MODEL_TRIGGER_EVERY)
            knob[FAULT_MORE] &= 0xfe;
    }
}

// --- one line -----------------------------------------------------------------------------------

static void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
    size_t n = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + n, size - n, format, arguments);
    va_end(arguments);
}

static void describe_stage(const struct model_stage *s, char *text, size_t size)
{
    static const char *const laws[] = {"const", "exp", "uniform"};

    add(text, size, " %s[%u", s->name, (unsigned)s->parallelism);
    add(text, size, " %s %.3g s",
        s->duration.kind <= SIM_LAW_UNIFORM ? laws[s->duration.kind] : "?",
        (double)s->duration.a * 1e-9);
    if (s->source.present)
        add(text, size, " splits %u", (unsigned)s->source.splits);
    if (s->coordinator.present)
        add(text, size,
            s->coordinator.batch_snapshot ? " coordinator" : " coordinator-unsupported");
    for (uint32_t i = 0; i < s->n_inputs; i++)
        add(text, size, " %cs%u", s->inputs[i].exchange == RECOUP_POINTWISE ? '-' : '*',
            (unsigned)s->inputs[i].stage);
    add(text, size, "]");
}

static void describe_fault(const struct model_fault *f, char *text, size_t size)
{
    static const char *const kinds[] = {"kill", "terminate", "store-error", "partition"};
    static const char *const triggers[] = {"at", "at-share", "every", "when", "on"};
    static const char *const moments[] = {"before", "mid", "after"};

    add(text, size, " {%s", kinds[f->kind]);
    if (f->process == MODEL_PROCESS_WORKER && f->target == MODEL_TARGET_NUMBER)
        add(text, size, " worker %u", (unsigned)f->worker);
    else if (f->kind != MODEL_FAULT_STORE_ERROR)
        add(text, size,
            f->process == MODEL_PROCESS_MASTER ? " master"
            : f->target == MODEL_TARGET_RANDOM ? " random worker"
                                               : " each worker");
    add(text, size, " %s", triggers[f->trigger]);
    if (f->trigger == MODEL_TRIGGER_WHEN)
        add(text, size, " s%u %.3g", (unsigned)f->stage, (double)f->share_nano * 1e-9);
    else if (f->trigger == MODEL_TRIGGER_ON)
        add(text, size, " %s %u %s", model_storage_op_name(f->op), (unsigned)f->nth,
            moments[f->moment]);
    else
        add(text, size, " %.10g s", (double)f->law.a * 1e-9);
    if (f->kind == MODEL_FAULT_PARTITION)
        add(text, size, " for %.3g s", (double)f->unaware_ns * 1e-9);
    if (f->kind == MODEL_FAULT_TERMINATE)
        add(text, size, " grace %.3g s", (double)f->grace_ns * 1e-9);
    if (f->kind == MODEL_FAULT_STORE_ERROR)
        add(text, size, " %s x%u", recoup_error_name(f->error), (unsigned)f->count);
    add(text, size, "}");
}

static void describe_knobs(const struct tape *tape, char *text, size_t size)
{
    static const char *const names[TAPE_STAGE] = {
        "profile",       "seed",        "stages",  "workers",   "slots", "deploy",
        "restart",       "reconnect",   "start",   "standby",   "ha",    "storage",
        "store-latency", "bandwidth",   "network", "min-pause", "flush", "buffer",
        "wait",          "strategy",    "keep",    "off",       "auto",  "heartbeat",
        "retention",     "slot-timeout"};

    for (uint32_t i = 0; i < TAPE_STAGE; i++)
        if (tape->knob[i] != 0)
            add(text, size, " %s=%u", names[i], (unsigned)tape->knob[i]);
    if (tape->knob[TAPE_ACCEPT] != 0)
        add(text, size, " accept=%u", (unsigned)tape->knob[TAPE_ACCEPT]);
    for (uint32_t i = 0; i < RECOUP_POLICY_COUNT; i++)
        if (tape->knob[TAPE_POLICY + i] != 0)
            add(text, size, " !%s", recoup_policy_info((enum recoup_policy)i)->key);
    for (uint32_t i = 0; i < 3; i++)
        if (tape->knob[TAPE_WORKER_POLICY + i] != 0)
            add(text, size, " !worker.H%u", 35 + (unsigned)i);
}

void tape_describe(const struct tape *tape, const struct model_test *t, char *text, size_t size)
{
    text[0] = '\0';
    add(text, size, "%s", tape->knob[TAPE_PROFILE] == 0 ? "hardened" : "flink-1.20");
    describe_knobs(tape, text, size);
    for (uint32_t s = 0; s < t->config.n_stages; s++)
        describe_stage(&t->stages[s], text, size);
    for (uint32_t i = 0; i < t->config.n_faults; i++)
        describe_fault(&t->faults[i], text, size);
}

// --- shrinking ----------------------------------------------------------------------------------

// Tries one value of a knob; keeps it if the world is still bad.
static bool shrink_knob(struct tape *tape, uint32_t knob, uint8_t value,
                        bool (*bad)(const struct tape *tape, void *context), void *context)
{
    uint8_t before = tape->knob[knob];

    if (value >= before)
        return false;
    tape->knob[knob] = value;
    if (bad(tape, context))
        return true;
    tape->knob[knob] = before;
    return false;
}

void tape_shrink(struct tape *tape, bool (*bad)(const struct tape *tape, void *context),
                 void *context, uint32_t tries)
{
    bool progress = true;

    while (progress) {
        progress = false;
        for (uint32_t i = TAPE_KNOBS; i-- > 0;) {
            uint8_t from = tape->knob[i];
            const uint8_t values[] = {0, from / 2, from > 0 ? (uint8_t)(from - 1) : 0};
            if (i == TAPE_PROFILE)
                continue;
            for (uint32_t k = 0; k < 3 && from != 0; k++) {
                if (tries-- == 0)
                    return;
                if (shrink_knob(tape, i, values[k], bad, context)) {
                    progress = true;
                    break;
                }
            }
        }
    }
}
