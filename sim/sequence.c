// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/sequence.h"

#include "sim/banned.h"

int64_t sim_sequence__make(const struct sim_sequence *s)
{
    int64_t value = sim_law_value(s->law, sim_random_mix(s->point), s->n);

    SIM_DEBUG_ASSERT(value >= 0);
    SIM_DEBUG_ASSERT(value <= SIM_LAW_MAX);
    return value;
}

void sim_sequence_init(struct sim_sequence *s, const struct sim_law *law, struct sim_random *r,
                       uint32_t stream, uint64_t entity, uint64_t first)
{
    SIM_ASSERT(law != NULL && r != NULL);
    SIM_ASSERT(stream < SIM_STREAM_LIMIT);
    s->law = law;
    s->count = &r->counts[stream];
    s->point = sim_random_point(r, stream, entity, first);
    s->n = first;
    s->mean = law->kind == SIM_LAW_EXPONENTIAL ? law->a : -1;
    s->stream = stream;
    s->draws = sim_law_draws(law);
    s->ahead = sim_sequence__make(s);
}
