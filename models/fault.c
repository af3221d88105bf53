// SPDX-License-Identifier: GPL-3.0-or-later
//
// When faults strike, and whom; see fault.h. Draws are addressed by fault, target and life, so that
// the same failures strike while other settings are swept.
#include "models/fault.h"

#include <stdlib.h>

#include "models/wide.h"
#include "models/world.h"

#include "sim/banned.h"

static const struct model_fault *fault_of(const struct model_world *w, uint32_t fault)
{
    SIM_ASSERT(fault < w->config->n_faults);
    return &w->config->faults[fault];
}

static struct model_fault_state *state_of(struct model_world *w, uint32_t fault)
{
    SIM_ASSERT(fault < w->config->n_faults);
    SIM_ASSERT(w->faults.state != NULL);
    return &w->faults.state[fault];
}

// True for `every` faults on the kind of process.
static bool recurs(const struct model_world *w, uint32_t fault, enum model_fault_process process)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_DEBUG_ASSERT(process == MODEL_PROCESS_MASTER || process == MODEL_PROCESS_WORKER);
    return !w->options->without_faults && f->trigger == MODEL_TRIGGER_EVERY &&
           f->process == process;
}

static int64_t draw(struct model_world *w, uint32_t fault, uint32_t target, uint64_t n)
{
    int64_t value = world_sample(w, &fault_of(w, fault)->law, MODEL_STREAM_FAULT,
                                 (uint64_t)fault << 32 | target, n, target);

    SIM_ASSERT(value >= 0);
    return value;
}

// --- set-up -------------------------------------------------------------------------------------

static void schedule_at(struct model_world *w, uint32_t fault, uint32_t target)
{
    const struct model_fault *f = fault_of(w, fault);
    int64_t at_ns = draw(w, fault, target, 0);

    SIM_ASSERT(f->trigger == MODEL_TRIGGER_AT || f->trigger == MODEL_TRIGGER_AT_SHARE);
    if (f->trigger == MODEL_TRIGGER_AT_SHARE) {
        at_ns = (int64_t)wide_muldiv((uint64_t)at_ns, (uint64_t)w->options->faultless_makespan_ns,
                                     (uint64_t)SIM_LAW_NANO);
    }
    SIM_ASSERT(at_ns >= 0);
    world_push(w, at_ns, MODEL_EVENT_FAULT, fault, target);
}

static int arm_at(struct model_world *w, uint32_t fault)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(f->kind != MODEL_FAULT_STORE_ERROR);
    if (f->trigger == MODEL_TRIGGER_AT_SHARE && w->options->faultless_makespan_ns <= 0) {
        return SIM_EINVAL;
    }
    if (f->process == MODEL_PROCESS_WORKER && f->target == MODEL_TARGET_EACH) {
        for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
            schedule_at(w, fault, i);
        }
    } else {
        schedule_at(w, fault, f->target == MODEL_TARGET_NUMBER ? f->worker : 0);
    }
    return w->error;
}

static int arm_every(struct model_world *w, uint32_t fault)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(f->trigger == MODEL_TRIGGER_EVERY);
    if (f->process == MODEL_PROCESS_WORKER && f->target == MODEL_TARGET_EACH) {
        uint64_t *handles = world_alloc(w, w->config->cluster.workers, sizeof(uint64_t));

        if (handles == NULL) {
            return SIM_ENOMEM;
        }
        for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
            handles[i] = SIM_NO_HANDLE;
        }
        state_of(w, fault)->handles = handles;
    }
    SIM_ASSERT(state_of(w, fault)->handle == SIM_NO_HANDLE);
    return 0;
}

static int arm(struct model_world *w, uint32_t fault)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(!w->options->without_faults);
    if ((f->kind == MODEL_FAULT_STORE_ERROR) && f->trigger != MODEL_TRIGGER_ON) {
        return SIM_EINVAL;
    }
    if (f->kind == MODEL_FAULT_PARTITION && f->process != MODEL_PROCESS_MASTER) {
        return SIM_EINVAL;
    }
    if (f->process == MODEL_PROCESS_WORKER && f->target == MODEL_TARGET_NUMBER &&
        f->worker >= w->config->cluster.workers) {
        return SIM_EINVAL;
    }
    switch (f->trigger) {
    case MODEL_TRIGGER_AT:
    case MODEL_TRIGGER_AT_SHARE:
        return arm_at(w, fault);
    case MODEL_TRIGGER_EVERY:
        return arm_every(w, fault);
    case MODEL_TRIGGER_WHEN:
        w->faults.progress_armed = true;
        return 0;
    case MODEL_TRIGGER_ON:
        SIM_ASSERT(f->op < MODEL_STORAGE_OPS);
        w->faults.op_armed[f->op] = true;
        return 0;
    }
    return SIM_EINVAL;
}

int faults_init(struct model_world *w)
{
    uint32_t n = w->config->n_faults;

    SIM_ASSERT(n <= MODEL_FAULTS_MAX);
    w->faults = (struct model_faults){0};
    if (n == 0) {
        return 0;
    }
    w->faults.state = world_alloc(w, n, sizeof(struct model_fault_state));
    if (w->faults.state == NULL) {
        return SIM_ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        w->faults.state[i] =
            (struct model_fault_state){.worker = RECOUP_NONE, .handle = SIM_NO_HANDLE};
    }
    if (w->options->without_faults) {
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        int error = arm(w, i);

        if (error != 0) {
            return error;
        }
    }
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        SIM_ASSERT(w->workers.list[i].alive);
        faults_worker_alive(w, i);
    }
    return w->error;
}

// --- strikes ------------------------------------------------------------------------------------

static void record(struct model_world *w, uint32_t fault, uint32_t worker)
{
    struct model_fault_state *s = state_of(w, fault);

    SIM_ASSERT(worker == RECOUP_NONE || worker < w->config->cluster.workers);
    if (!s->fired) {
        s->fired = true;
        s->at_ns = w->now_ns;
        s->worker = worker;
    }
    s->times++;
    if (sim_trace_on(w->options->trace)) {
        sim_trace_instant(w->options->trace, MODEL_TRACK_FAULTS, 0, fault_of(w, fault)->name,
                          w->now_ns);
    }
    if (w->options->observer != NULL) {
        observe_strike(w, fault, worker);
    }
    SIM_ASSERT(s->times > 0);
}

static void strike_master(struct model_world *w, uint32_t fault)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(f->process == MODEL_PROCESS_MASTER);
    if (!w->master.alive || w->ended) {
        return;
    }
    record(w, fault, RECOUP_NONE);
    if (f->kind == MODEL_FAULT_KILL) {
        master_kill(w);
    } else if (f->kind == MODEL_FAULT_PARTITION) {
        master_cut_off(w, f->unaware_ns);
    } else {
        SIM_ASSERT(f->kind == MODEL_FAULT_TERMINATE);
        master_terminate(w, f->grace_ns);
    }
}

static void strike_worker(struct model_world *w, uint32_t fault, uint32_t worker)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(f->process == MODEL_PROCESS_WORKER);
    SIM_ASSERT(worker < w->config->cluster.workers);
    if (!w->workers.list[worker].alive || w->ended) {
        return;
    }
    record(w, fault, worker);
    worker_kill(w, worker, f->kind == MODEL_FAULT_TERMINATE);
}

// The k-th worker alive, k drawn; MODEL_NONE if none is.
static uint32_t random_worker(struct model_world *w, uint32_t fault)
{
    struct sim_law law = {.kind = SIM_LAW_UNIFORM, .a = 0, .b = (int64_t)w->workers.n_alive - 1};
    struct model_fault_state *s = state_of(w, fault);
    int64_t left;

    if (w->workers.n_alive == 0) {
        return MODEL_NONE;
    }
    left = world_sample(w, &law, MODEL_STREAM_FAULT_TARGET, fault, s->targets, 0);
    s->targets++;
    SIM_ASSERT(left < (int64_t)w->workers.n_alive);
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        if (w->workers.list[i].alive && left-- == 0) {
            return i;
        }
    }
    SIM_ALWAYS(false);
    return MODEL_NONE;
}

static void strike(struct model_world *w, uint32_t fault, uint32_t target)
{
    const struct model_fault *f = fault_of(w, fault);
    uint32_t worker = target;

    SIM_ASSERT(f->kind != MODEL_FAULT_STORE_ERROR);
    if (f->process == MODEL_PROCESS_MASTER) {
        strike_master(w, fault);
        return;
    }
    if (f->target == MODEL_TARGET_RANDOM) {
        worker = random_worker(w, fault);
    } else if (f->target == MODEL_TARGET_NUMBER) {
        worker = f->worker;
    }
    if (worker != MODEL_NONE) {
        strike_worker(w, fault, worker);
    }
}

// One process over all workers alive; it pauses while there is none.
static void arm_random(struct model_world *w, uint32_t fault)
{
    struct model_fault_state *s = state_of(w, fault);

    SIM_ASSERT(fault_of(w, fault)->target == MODEL_TARGET_RANDOM);
    if (w->workers.n_alive == 0 || w->ended || sim_queue_pending(&w->queue, s->handle)) {
        return;
    }
    s->handle = world_push_cancellable(w, w->now_ns + draw(w, fault, 0, s->draws),
                                       MODEL_EVENT_FAULT, fault, 0);
    s->draws++;
}

// A fault by progress or by store operation on each worker strikes them all.
static bool strikes_each(const struct model_fault *f)
{
    SIM_DEBUG_ASSERT(f->trigger <= MODEL_TRIGGER_ON);
    return f->process == MODEL_PROCESS_WORKER && f->target == MODEL_TARGET_EACH &&
           (f->trigger == MODEL_TRIGGER_WHEN || f->trigger == MODEL_TRIGGER_ON);
}

void faults_event(struct model_world *w, uint32_t fault, uint64_t arg)
{
    const struct model_fault *f = fault_of(w, fault);

    SIM_ASSERT(!w->options->without_faults);
    SIM_ASSERT(arg < w->config->cluster.workers);
    if (strikes_each(f)) {
        for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
            strike(w, fault, i);
        }
        return;
    }
    strike(w, fault, (uint32_t)arg);
    if (recurs(w, fault, MODEL_PROCESS_WORKER) && f->target == MODEL_TARGET_RANDOM) {
        arm_random(w, fault);
    }
}

void faults_grace_end(struct model_world *w, uint32_t entity, uint64_t incarnation)
{
    SIM_ASSERT(entity == 0);  // a worker's orderly end takes no time
    SIM_ASSERT(!w->ended);
    master_grace_end(w, (uint32_t)incarnation);
}

// --- processes come and go ----------------------------------------------------------------------

void faults_master_alive(struct model_world *w)
{
    SIM_ASSERT(w->master.alive);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        if (recurs(w, i, MODEL_PROCESS_MASTER)) {
            struct model_fault_state *s = state_of(w, i);

            SIM_ASSERT(!sim_queue_pending(&w->queue, s->handle));
            s->handle = world_push_cancellable(
                w, w->now_ns + draw(w, i, 0, w->master.incarnation), MODEL_EVENT_FAULT, i, 0);
        }
    }
}

void faults_master_dead(struct model_world *w)
{
    SIM_ASSERT(!w->master.alive);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        if (recurs(w, i, MODEL_PROCESS_MASTER)) {
            (void)sim_queue_cancel(&w->queue, state_of(w, i)->handle);
            state_of(w, i)->handle = SIM_NO_HANDLE;
        }
    }
}

// The pending event of an `every` fault on one worker; NULL if the fault has none for that worker.
static uint64_t *handle_of(struct model_world *w, uint32_t fault, uint32_t worker)
{
    const struct model_fault *f = fault_of(w, fault);
    struct model_fault_state *s = state_of(w, fault);

    SIM_ASSERT(worker < w->config->cluster.workers);
    if (f->target == MODEL_TARGET_EACH) {
        SIM_ASSERT(s->handles != NULL);
        return &s->handles[worker];
    }
    return f->target == MODEL_TARGET_NUMBER && f->worker == worker ? &s->handle : NULL;
}

void faults_worker_alive(struct model_world *w, uint32_t worker)
{
    SIM_ASSERT(w->workers.list[worker].alive);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        uint64_t *handle;

        if (!recurs(w, i, MODEL_PROCESS_WORKER)) {
            continue;
        }
        if (fault_of(w, i)->target == MODEL_TARGET_RANDOM) {
            arm_random(w, i);
            continue;
        }
        handle = handle_of(w, i, worker);
        if (handle != NULL) {
            int64_t after_ns = draw(w, i, worker, w->workers.list[worker].deaths);

            SIM_ASSERT(!sim_queue_pending(&w->queue, *handle));
            *handle = world_push_cancellable(w, w->now_ns + after_ns, MODEL_EVENT_FAULT, i, worker);
        }
    }
}

void faults_worker_dead(struct model_world *w, uint32_t worker)
{
    SIM_ASSERT(!w->workers.list[worker].alive);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        uint64_t *handle =
            recurs(w, i, MODEL_PROCESS_WORKER) ? handle_of(w, i, worker) : NULL;

        if (handle != NULL) {
            (void)sim_queue_cancel(&w->queue, *handle);
            *handle = SIM_NO_HANDLE;
        }
    }
}

// --- triggers by what happens -------------------------------------------------------------------

void faults_progress(struct model_world *w, uint32_t stage, uint32_t finished,
                     uint32_t parallelism)
{
    bool armed = false;

    SIM_ASSERT(finished <= parallelism);
    SIM_ASSERT(w->faults.progress_armed);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        const struct model_fault *f = fault_of(w, i);
        struct model_fault_state *s = state_of(w, i);

        if (f->trigger != MODEL_TRIGGER_WHEN || s->spent) {
            continue;
        }
        // finished >= ceil(share * parallelism), in integers.
        if (f->stage == stage &&
            (uint64_t)finished * (uint64_t)SIM_LAW_NANO >= (uint64_t)f->share_nano * parallelism) {
            s->spent = true;
            world_push(w, w->now_ns, MODEL_EVENT_FAULT, i, 0);
        } else {
            armed = true;
        }
    }
    w->faults.progress_armed = armed;
}

static bool fails(const struct model_fault *f, uint64_t nth)
{
    SIM_DEBUG_ASSERT(f->kind == MODEL_FAULT_STORE_ERROR);
    SIM_DEBUG_ASSERT(f->error != 0);
    return nth >= f->nth && (f->count == 0 || nth - f->nth < f->count);
}

struct model_op_fault faults_store_op(struct model_world *w, enum model_storage_op op)
{
    struct model_op_fault result = {.nth = w->faults.op_count[op] + 1};

    SIM_ASSERT(op < MODEL_STORAGE_OPS);
    w->faults.op_count[op] = result.nth;
    for (uint32_t i = 0; w->faults.op_armed[op] && i < w->config->n_faults; i++) {
        const struct model_fault *f = fault_of(w, i);

        if (f->trigger != MODEL_TRIGGER_ON || f->op != op) {
            continue;
        }
        if (f->kind == MODEL_FAULT_STORE_ERROR) {
            if (result.error == 0 && fails(f, result.nth)) {
                result.error = f->error;
                record(w, i, RECOUP_NONE);
            }
        } else if (f->nth == result.nth && f->moment != MODEL_MOMENT_AFTER) {
            world_push(w, w->now_ns, MODEL_EVENT_FAULT, i, 0);
            result.torn = result.torn ||
                          (f->moment == MODEL_MOMENT_MID && f->kind == MODEL_FAULT_KILL &&
                           f->process == MODEL_PROCESS_MASTER);
        }
    }
    SIM_ASSERT(result.nth > 0);
    return result;
}

void faults_store_op_done(struct model_world *w, enum model_storage_op op, uint64_t nth)
{
    SIM_ASSERT(op < MODEL_STORAGE_OPS);
    SIM_ASSERT(nth > 0 && nth <= w->faults.op_count[op]);
    for (uint32_t i = 0; w->faults.op_armed[op] && i < w->config->n_faults; i++) {
        const struct model_fault *f = fault_of(w, i);

        if (f->trigger == MODEL_TRIGGER_ON && f->op == op && f->nth == nth &&
            f->kind != MODEL_FAULT_STORE_ERROR && f->moment == MODEL_MOMENT_AFTER) {
            faults_event(w, i, 0);
        }
    }
}

void faults_finish(struct model_world *w, struct model_result *result)
{
    uint32_t n = w->config->n_faults;

    SIM_ASSERT(result->fired == NULL);
    if (n == 0) {
        return;
    }
    result->fired = calloc(n, sizeof(*result->fired));
    if (result->fired == NULL) {
        w->error = SIM_ENOMEM;
        return;
    }
    result->n_fired = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct model_fault_state *s = state_of(w, i);

        SIM_ASSERT(s->fired == (s->times > 0));
        result->fired[i] = (struct model_fired){.fault = i, .fired = s->fired, .at_ns = s->at_ns,
                                                .times = s->times, .worker = s->worker};
    }
}
