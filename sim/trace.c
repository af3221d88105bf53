// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/trace.h"

#include "sim/banned.h"

void sim_trace_span(const struct sim_trace *trace, uint32_t track, uint32_t lane, const char *name,
                    int64_t start_ns, int64_t end_ns)
{
    struct sim_trace_record record = {.time_ns = start_ns, .duration_ns = end_ns - start_ns,
                                      .phase = SIM_TRACE_SPAN, .track = track, .lane = lane,
                                      .name = name};

    SIM_ASSERT_AT(end_ns >= start_ns, start_ns);
    SIM_ASSERT(name != NULL);
    sim_trace_emit(trace, &record);
}

void sim_trace_instant(const struct sim_trace *trace, uint32_t track, uint32_t lane,
                       const char *name, int64_t time_ns)
{
    struct sim_trace_record record = {.time_ns = time_ns, .phase = SIM_TRACE_INSTANT,
                                      .track = track, .lane = lane, .name = name};

    SIM_ASSERT_AT(time_ns >= 0, time_ns);
    SIM_ASSERT(name != NULL);
    sim_trace_emit(trace, &record);
}

void sim_trace_counter(const struct sim_trace *trace, uint32_t track, uint32_t lane,
                       const char *name, int64_t time_ns, int64_t value)
{
    struct sim_trace_record record = {.time_ns = time_ns, .phase = SIM_TRACE_COUNTER,
                                      .track = track, .lane = lane, .args_count = 1,
                                      .name = name, .arg_names = {name}, .arg_values = {value}};

    SIM_ASSERT_AT(time_ns >= 0, time_ns);
    SIM_ASSERT(name != NULL);
    sim_trace_emit(trace, &record);
}
