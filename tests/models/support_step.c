// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/support_step.h"

#include "check.h"

#define MARKER UINT64_C(0x5354454d41524b00)  // arg of the event that ends step_until

static void keep(void *context, const struct sim_trace_record *record)
{
    struct step_run *run = context;
    struct step_trace *trace = &run->traces[run->n_traces % STEP_TRACES_MAX];

    *trace = (struct step_trace){record->name, record->track, record->time_ns,
                                 record->duration_ns, {0}};
    memcpy(trace->args, record->arg_values, sizeof(trace->args));
    run->n_traces++;
    assert_true(run->n_traces <= STEP_TRACES_MAX);
}

void step_begin(struct step_run *run, struct model_test *t)
{
    memset(run, 0, sizeof(*run));
    run->trace = (struct sim_trace){keep, run};
    run->options = (struct model_run_options){.invariants = MODEL_INVARIANTS_OFF,
                                              .trace = &run->trace};
    run->options.faultless_makespan_ns = t->faultless_ns;
    sim_arena_reset(&t->arena);
    run->w = SIM_ARENA_NEW(&t->arena, struct model_world, 1);
    assert_non_null(run->w);
    assert_int_equal(world_init(run->w, &t->config, &run->options, &t->arena), 0);
}

void step_end(struct step_run *run)
{
    if (run->w->master.job != NULL) {
        recoup_destroy(run->w->master.job);
        run->w->master.job = NULL;
    }
}

void step_until(struct step_run *run, int64_t at_ns)
{
    struct model_world *w = run->w;
    struct sim_event event;

    // A timer that does nothing: the master is in no grace period. It comes last of its instant.
    assert_int_equal(sim_queue_push(&w->queue, at_ns, SIM_CLASS_TIMER, MODEL_EVENT_GRACE_END, 0,
                                    MARKER), 0);
    while (!w->ended && w->error == 0) {
        assert_true(sim_queue_pop(&w->queue, &event));
        if (event.arg == MARKER && event.kind == MODEL_EVENT_GRACE_END) {
            w->now_ns = event.time_ns;
            return;
        }
        world_dispatch(w, &event);
    }
    assert_int_equal(w->error, 0);
}

uint32_t step_traced(const struct step_run *run, uint32_t track, const char *name)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < run->n_traces; i++) {
        n += run->traces[i].track == track && strcmp(run->traces[i].name, name) == 0 ? 1 : 0;
    }
    return n;
}

const struct step_trace *step_last(const struct step_run *run, uint32_t track, const char *name)
{
    for (uint32_t i = run->n_traces; i-- > 0;) {
        if (run->traces[i].track == track && strcmp(run->traces[i].name, name) == 0) {
            return &run->traces[i];
        }
    }
    return NULL;
}
