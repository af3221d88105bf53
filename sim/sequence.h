// SPDX-License-Identifier: GPL-3.0-or-later
//
// The samples of one law, stream and entity, for n, n + 1, n + 2 ... in turn: what a source or a
// server asks for. Each is made one ahead, when the one before it is taken. Draws are addressed, so
// that changes no sample and no count of draws; but a sample is then at hand at once, and the
// processor makes the next one while the model goes on. Between two short events a sample made on
// demand takes longer than all the rest (bench_mm1 measures both).
#ifndef SIM_SEQUENCE_H
#define SIM_SEQUENCE_H

#include <stdint.h>

#include "sim/exponential.h"
#include "sim/law.h"
#include "sim/random.h"

struct sim_sequence {
    const struct sim_law *law; // borrowed
    uint64_t *count;           // of the stream's draws, in the struct sim_random
    uint64_t point;            // of the sample ahead, as sim_random_mix takes it
    uint64_t n;                // of the sample ahead
    int64_t ahead;
    int64_t mean;              // of an exponential law; of others -1
    uint32_t stream;
    uint32_t draws;            // that a sample takes, 0 or 1
};

// Begins at n = first; row of a trace is n too. law must have passed sim_law_check; it and r must
// outlive the sequence. Needs no memory and no release.
void sim_sequence_init(struct sim_sequence *s, const struct sim_law *law, struct sim_random *r,
                       uint32_t stream, uint64_t entity, uint64_t first);

// The sample of s->n of any law.
int64_t sim_sequence__make(const struct sim_sequence *s);

// The next sample: what sim_law_sample yields for the same law, stream, entity, n and row = n, and
// counted as there, when it is taken.
static inline void sim_sequence_next(struct sim_sequence *s, int64_t *out)
{
    SIM_DEBUG_ASSERT(s->n < UINT64_MAX);
    *out = s->ahead;
    *s->count += s->draws;
    s->n++;
    s->point += SIM_RANDOM_STEP;
    s->ahead = s->mean >= 0 ? sim_exponential_value(s->mean, SIM_LAW_MAX, sim_random_mix(s->point))
                            : sim_sequence__make(s);
    SIM_DEBUG_ASSERT(*out >= 0 && *out <= SIM_LAW_MAX);
}

#endif
