// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of two 64-bit numbers, divided again: what rates, shares and bandwidths need without
// overflow.
#ifndef RECOUP_MODELS_WIDE_H
#define RECOUP_MODELS_WIDE_H

#include "sim/wide.h"

// floor(a b / divisor), at most INT64_MAX; divisor > 0.
static inline uint64_t wide_muldiv(uint64_t a, uint64_t b, uint64_t divisor)
{
    uint64_t value = sim_wide_quotient(sim_wide_product(a, b), divisor);

    return value > INT64_MAX ? (uint64_t)INT64_MAX : value;
}

#endif
