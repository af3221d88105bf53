// SPDX-License-Identifier: GPL-3.0-or-later
//
// The exponential law of mean 1 by inversion: -ln(1 - u) of a draw, the law of most events. From
// + - * and integers only, so the bits are the same on every compiler, level and CPU, as those of
// sim/det_math.h are; det_log would do, but its division and its two conversions take longer than
// all of the rest of a short event.
//
// 1 - u = z * 2^-k with z in [1/2, 1), and c is the nearest of 129 cells' centres 128/256, 129/256
// ... 256/256. With r = (z - c) / c, which is exact up to the rounding of 1 / c and of one product,
//
//     -ln(1 - u) = k ln 2 - ln c - ln(1 + r),
//
// |r| <= 2^-8, and ln(1 + r) by its series to r^6. The coefficients of r^3 and r^5 hold what the
// term r^7 / 7 leaves when Chebyshev's polynomial of degree 7 is taken from it (C. Lanczos, Applied
// Analysis, 1956); the rest is below 2^-54 of r. Around u = 0, where the value is small, c is 1 and
// r is exact, so the value keeps its relative precision: the error is below 4.5e-16 of the value.
// It never falls when the draw rises.
#ifndef SIM_EXPONENTIAL_H
#define SIM_EXPONENTIAL_H

#include <stdint.h>

#include "sim/assert.h"

#define SIM_EXPONENTIAL_CELLS 129

struct sim_exponential_cell {
    double inverse;   // 2^-64 / c
    double logarithm; // -ln c
};

extern const struct sim_exponential_cell sim_exponential_cells[SIM_EXPONENTIAL_CELLS];

// From 2^-53 to 53 ln 2, for u = (the draw's upper 52 bits + 1/2) * 2^-52.
static inline double sim_exponential(uint64_t draw)
{
    uint64_t x = (~draw >> 11) | 1; // 1 - u = x * 2^-53
    uint32_t zeros = (uint32_t)__builtin_clzll(x);
    uint64_t z = x << zeros;
    uint64_t centre = (z >> 56) + ((z >> 55) & 1);
    const struct sim_exponential_cell *cell = &sim_exponential_cells[centre - 128];
    double r = (double)(int64_t)(z - (centre << 56)) * cell->inverse;
    double r2 = r * r;
    double halves = (double)(int32_t)(zeros - 11) * 0x1.62e42fefa39efp-1 + cell->logarithm;
    double series = (0.5 - r * (1.0 / 3 - 0x1p-35)) +
                    r2 * ((0.25 - r * (0.2 + 0x1p-18)) + r2 * (1.0 / 6));

    SIM_DEBUG_ASSERT(zeros >= 11);
    SIM_DEBUG_ASSERT(centre >= 128 && centre <= 256);
    SIM_DEBUG_ASSERT(r >= -0x1p-8 && r <= 0x1p-8);
    return halves + (r2 * series - r);
}

// The same of the given mean >= 0, rounded to the nearest integer and at most max.
static inline int64_t sim_exponential_value(int64_t mean, int64_t max, uint64_t draw)
{
    double x = (double)mean * sim_exponential(draw);

    SIM_DEBUG_ASSERT(mean >= 0);
    SIM_DEBUG_ASSERT(x >= 0.0);
    return x >= (double)max ? max : (int64_t)(x + 0.5);
}

#endif
