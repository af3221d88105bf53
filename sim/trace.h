// SPDX-License-Identifier: GPL-3.0-or-later
//
// An optional observer of a run. Models describe what happens as spans, instants and counters of
// virtual time; whoever wants them (a Perfetto file, a golden text) supplies the callback. Without
// an observer a call costs one comparison. An observer changes nothing in the run.
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/assert.h"

enum sim_trace_phase { SIM_TRACE_SPAN, SIM_TRACE_INSTANT, SIM_TRACE_COUNTER };

#define SIM_TRACE_ARGS_MAX 4

struct sim_trace_record {
    int64_t time_ns;               // start of a span
    int64_t duration_ns;           // of a span; 0 otherwise
    enum sim_trace_phase phase;
    uint32_t track;                // group of lanes: a master, a worker, the store
    uint32_t lane;                 // within the track: a slot, an operation
    uint32_t args_count;
    const char *name;              // static text
    const char *arg_names[SIM_TRACE_ARGS_MAX]; // static texts
    int64_t arg_values[SIM_TRACE_ARGS_MAX];
};

struct sim_trace {
    // The record is borrowed for the call. NULL: nobody observes.
    void (*emit)(void *context, const struct sim_trace_record *record);
    void *context;
};

// True when somebody observes; lets a model skip the work of filling a record.
static inline int sim_trace_on(const struct sim_trace *trace)
{
    return trace != NULL && trace->emit != NULL;
}

static inline void sim_trace_emit(const struct sim_trace *trace,
                                  const struct sim_trace_record *record)
{
    if (sim_trace_on(trace)) {
        SIM_DEBUG_ASSERT(record->args_count <= SIM_TRACE_ARGS_MAX);
        SIM_DEBUG_ASSERT(record->duration_ns >= 0);
        trace->emit(trace->context, record);
    }
}

// A span from start_ns to end_ns (>= start_ns).
void sim_trace_span(const struct sim_trace *trace, uint32_t track, uint32_t lane, const char *name,
                    int64_t start_ns, int64_t end_ns);
void sim_trace_instant(const struct sim_trace *trace, uint32_t track, uint32_t lane,
                       const char *name, int64_t time_ns);
// A counter that has this value from time_ns on.
void sim_trace_counter(const struct sim_trace *trace, uint32_t track, uint32_t lane,
                       const char *name, int64_t time_ns, int64_t value);

#endif
