// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of two 64-bit numbers, divided again: what rates, shares and bandwidths need without
// overflow.
#ifndef RECOUP_MODELS_WIDE_H
#define RECOUP_MODELS_WIDE_H

#include <stdint.h>

__extension__ typedef unsigned __int128 model_u128;

// floor(a b / divisor), at most INT64_MAX; divisor > 0.
static inline uint64_t wide_muldiv(uint64_t a, uint64_t b, uint64_t divisor)
{
    model_u128 value = (model_u128)a * b / divisor;

    return value > INT64_MAX ? (uint64_t)INT64_MAX : (uint64_t)value;
}

#endif
