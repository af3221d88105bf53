// SPDX-License-Identifier: GPL-3.0-or-later
//
// Logarithm, exponential and normal distribution from + - * / and sqrt only, which IEEE 754 rounds
// in one way: with -ffp-contract=off the results have the same bits on every compiler, level and
// CPU, which libm's do not. For the law samplers and their tests; doubles appear nowhere else.
#ifndef SIM_DET_MATH_H
#define SIM_DET_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sim/assert.h"

// ln 2 as a sum whose first part has 20 trailing zero bits, so that k * DET_LN2_HIGH is exact.
#define DET_LN2_HIGH 0x1.62e42fee00000p-1
#define DET_LN2_LOW 0x1.a39ef35793c76p-33
#define DET_INVERSE_LN2 0x1.71547652b82fep+0
// det_exp clamps its argument to this on either side; e^700 is about 1e304.
#define DET_EXP_MAX 700.0

static inline double det_from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static inline uint64_t det_to_bits(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

// Natural logarithm of a positive normal number. x = 2^k * (1 + f) with 1 + f between sqrt(1/2)
// and sqrt(2); with s = f / (2 + f), ln(1 + f) = 2 atanh(s) = 2 s + s r, where
// r = 2 s^2 / 3 + 2 s^4 / 5 + ...; and 2 s = f - s f. r / s^2 is replaced by the polynomial of
// degree 6 in s^2 that interpolates it at Chebyshev's points of [0, 0.02944] (error below 2^-50 of
// r, which is below 2^-5 of the result).
static inline double det_log(double x)
{
    uint64_t bits = det_to_bits(x);
    // Adding this carries into the exponent when the mantissa is above sqrt(2).
    uint64_t shifted = bits + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd));
    int64_t k = (int64_t)(shifted >> 52) - 1023;
    double f = det_from_bits(bits - ((uint64_t)k << 52)) - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double odd = z * (0x1.5555555555558p-1 + w * (0x1.2492492df26cep-2 +
                 w * (0x1.7462b5152e8a6p-3 + w * 0x1.2b58f4c8d5f63p-3)));
    double even = w * (0x1.99999999952d8p-2 + w * (0x1.c71c62e40b94ep-3 +
                  w * 0x1.39fe52a20dc69p-3));
    double half = 0.5 * f * f;
    double dk = (double)k;

    SIM_DEBUG_ASSERT(x >= 0x1p-1022 && x <= 0x1.fffffffffffffp+1023);
    SIM_DEBUG_ASSERT(k >= -1022 && k <= 1024);
    return dk * DET_LN2_HIGH - ((half - (s * (half + (odd + even)) + dk * DET_LN2_LOW)) - f);
}

// e^x for |x| <= 700; beyond, the value at that bound. x = k ln 2 + r with |r| <= ln 2 / 2, then
// Taylor's series to r^13 (the rest is below 2^-57), and k goes into the exponent.
static inline double det_exp(double x)
{
    double clamped = x > DET_EXP_MAX ? DET_EXP_MAX : (x < -DET_EXP_MAX ? -DET_EXP_MAX : x);
    double scaled = clamped * DET_INVERSE_LN2;
    int64_t k = (int64_t)(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
    double dk = (double)k;
    double r = (clamped - dk * DET_LN2_HIGH) - dk * DET_LN2_LOW;
    double r2 = r * r;
    double odd = 1.0 / 6 + r2 * (1.0 / 120 + r2 * (1.0 / 5040 + r2 * (1.0 / 362880 + r2 * (
                 1.0 / 39916800 + r2 * (1.0 / 6227020800.0)))));
    double even = 0.5 + r2 * (1.0 / 24 + r2 * (1.0 / 720 + r2 * (1.0 / 40320 + r2 * (
                  1.0 / 3628800 + r2 * (1.0 / 479001600)))));
    double power = det_from_bits((uint64_t)(k + 1023) << 52);

    SIM_DEBUG_ASSERT(k > -1022 && k < 1023);
    SIM_DEBUG_ASSERT(r > -0.35 && r < 0.35);
    return power * (1.0 + (r + r2 * (even + r * odd)));
}

// The x at which the standard normal distribution reaches lower, where upper = 1 - lower is given
// too, so that both tails keep their precision. Both > 0. Rational approximations of algorithm
// AS 241 (PPND16; M. J. Wichura, Applied Statistics 37, 1988), relative error about 1e-16.
double det_normal_inverse(double lower, double upper);

// The standard normal distribution at x, from -5.6 to 5.6 (beyond, 0 or 1); absolute error about
// 1e-16. Rational approximations of W. J. Cody (Math. Comp. 23, 1969).
double det_normal_cdf(double x);

// ln Gamma(x) for x >= 1, by Stirling's series; relative error below 1e-13.
double det_log_gamma(double x);

#endif
