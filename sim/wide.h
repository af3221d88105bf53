// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers of 128 bits: products of two 64-bit numbers, and their quotients. Compilers have such a
// type on 64-bit CPUs only; elsewhere the same values come from 32-bit digits. The functions named
// ..._by_digits are that second way, which the tests compare with the first.
#ifndef SIM_WIDE_H
#define SIM_WIDE_H

#include <stdint.h>

#include "sim/assert.h"

struct sim_wide {
    uint64_t high;
    uint64_t low;
};

static inline struct sim_wide sim_wide_product_by_digits(uint64_t a, uint64_t b)
{
    uint64_t a0 = a & UINT32_MAX, a1 = a >> 32;
    uint64_t b0 = b & UINT32_MAX, b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32);         // at most 2^64 - 2^32
    uint64_t other = a0 * b1 + (middle & UINT32_MAX); // at most 2^64 - 2^32
    struct sim_wide product = {a1 * b1 + (middle >> 32) + (other >> 32),
                               other << 32 | (low & UINT32_MAX)};

    SIM_DEBUG_ASSERT(product.low == a * b);
    SIM_DEBUG_ASSERT(SIM_ERGO(b != 0, product.high < b));
    return product;
}

// floor(value / divisor), at most UINT64_MAX; divisor > 0. One bit at a time.
static inline uint64_t sim_wide_quotient_by_digits(struct sim_wide value, uint64_t divisor)
{
    uint64_t rest = value.high, quotient = 0;

    SIM_DEBUG_ASSERT(divisor > 0);
    if (value.high >= divisor) {
        return UINT64_MAX;
    }
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t carry = rest >> 63;

        rest = rest << 1 | (value.low >> bit & 1);
        if (carry != 0 || rest >= divisor) {
            rest -= divisor;
            quotient |= UINT64_C(1) << bit;
        }
    }
    SIM_DEBUG_ASSERT(rest < divisor);
    SIM_DEBUG_ASSERT(SIM_ERGO(value.high == 0, quotient <= value.low));
    return quotient;
}

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 sim_u128;

static inline struct sim_wide sim_wide_product(uint64_t a, uint64_t b)
{
    sim_u128 product = (sim_u128)a * b;

    SIM_DEBUG_ASSERT((uint64_t)product == a * b);
    return (struct sim_wide){(uint64_t)(product >> 64), (uint64_t)product};
}

static inline uint64_t sim_wide_quotient(struct sim_wide value, uint64_t divisor)
{
    sim_u128 whole = (sim_u128)value.high << 64 | value.low;

    SIM_DEBUG_ASSERT(divisor > 0);
    return value.high >= divisor ? UINT64_MAX : (uint64_t)(whole / divisor);
}

#else

static inline struct sim_wide sim_wide_product(uint64_t a, uint64_t b)
{
    return sim_wide_product_by_digits(a, b);
}

static inline uint64_t sim_wide_quotient(struct sim_wide value, uint64_t divisor)
{
    return sim_wide_quotient_by_digits(value, divisor);
}

#endif

// value + addend; the sum of 128 bits must not overflow.
static inline struct sim_wide sim_wide_add(struct sim_wide value, uint64_t addend)
{
    struct sim_wide sum = {value.high, value.low + addend};

    sum.high += sum.low < addend;
    SIM_DEBUG_ASSERT(sum.high >= value.high);
    return sum;
}

#endif
