// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/det_math.h"

#include "sim/banned.h"

// Both polynomials have degree 7; the coefficient of the highest power comes first.
static double ratio7(const double *numerator, const double *denominator, double x)
{
    double n = numerator[0];
    double d = denominator[0];

    SIM_DEBUG_ASSERT(numerator != denominator);
    for (int i = 1; i < 8; i++) {
        n = n * x + numerator[i];
        d = d * x + denominator[i];
    }
    SIM_DEBUG_ASSERT(d > 0.0);
    return n / d;
}

static double normal_inverse_centre(double q)
{
    static const double n[8] = {
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
        4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
        1.3314166789178437745e2, 3.3871328727963666080e0};
    static const double d[8] = {
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
        2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
        4.2313330701600911252e1, 1.0};

    SIM_DEBUG_ASSERT(q >= -0.425 && q <= 0.425);
    return q * ratio7(n, d, 0.180625 - q * q);
}

// r = sqrt(-ln p) for the tail's probability p.
static double normal_inverse_tail(double r)
{
    static const double near_n[8] = {
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
        4.63033784615654529590e0, 1.42343711074968357734e0};
    static const double near_d[8] = {
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
        2.05319162663775882187e0, 1.0};
    static const double far_n[8] = {
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
        5.46378491116411436990e0, 6.65790464350110377720e0};
    static const double far_d[8] = {
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1.0};

    SIM_DEBUG_ASSERT(r > 0.0 && r < 27.0);
    return r <= 5.0 ? ratio7(near_n, near_d, r - 1.6) : ratio7(far_n, far_d, r - 5.0);
}

double det_normal_inverse(double lower, double upper)
{
    double q = lower < upper ? lower - 0.5 : 0.5 - upper;
    double tail = lower < upper ? lower : upper;
    double x;

    SIM_DEBUG_ASSERT(lower > 0.0);
    SIM_DEBUG_ASSERT(upper > 0.0);
    if (q >= -0.425 && q <= 0.425) {
        return normal_inverse_centre(q);
    }
    x = normal_inverse_tail(sqrt(-det_log(tail)));
    return lower < upper ? -x : x;
}

// P(0 < X < |x|) by sign, for |x| <= 0.67448975.
static double normal_cdf_centre(double x)
{
    static const double a[5] = {2.2352520354606839287, 161.02823106855587881,
                                1067.6894854603709582, 18154.981253343561249,
                                0.065682337918207449113};
    static const double b[4] = {47.20258190468824187, 976.09855173777669322,
                                10260.932208618978205, 45507.789335026729956};
    double z = x * x;
    double n = a[4] * z;
    double d = z;

    SIM_DEBUG_ASSERT(z < 0.5);
    for (int i = 0; i < 3; i++) {
        n = (n + a[i]) * z;
        d = (d + b[i]) * z;
    }
    SIM_DEBUG_ASSERT(d + b[3] > 0.0);
    return x * (n + a[3]) / (d + b[3]);
}

// P(X > y) for y from 0.67448975 to 5.66.
static double normal_cdf_tail(double y)
{
    static const double c[9] = {0.39894151208813466764, 8.8831497943883759412,
                                93.506656132177855979,  597.27027639480026226,
                                2494.5375852903726711,  6848.1904505362823326,
                                11602.651437647350124,  9842.7148383839780218,
                                1.0765576773720192317e-8};
    static const double d[8] = {22.266688044328115691, 235.38790178262499861,
                                1519.377599407554805,  6485.558298266760755,
                                18615.571640885098091, 34900.952721145977266,
                                38912.003286093271411, 19685.429676859990727};
    double n = c[8] * y;
    double m = y;

    SIM_DEBUG_ASSERT(y > 0.5);
    SIM_DEBUG_ASSERT(y < 6.0);
    for (int i = 0; i < 7; i++) {
        n = (n + c[i]) * y;
        m = (m + d[i]) * y;
    }
    return det_exp(-0.5 * y * y) * (n + c[7]) / (m + d[7]);
}

double det_normal_cdf(double x)
{
    double y = x < 0.0 ? -x : x;
    double tail;

    SIM_DEBUG_ASSERT(y >= 0.0);
    if (y <= 0.67448975) {
        return 0.5 + normal_cdf_centre(x);
    }
    tail = y > 5.6 ? 0.0 : normal_cdf_tail(y);
    SIM_DEBUG_ASSERT(tail < 0.5);
    return x < 0.0 ? tail : 1.0 - tail;
}

double det_log_gamma(double x)
{
    double product = 1.0;
    double y = x;
    double inverse;
    double square;
    double series;

    SIM_ASSERT(x >= 1.0);
    SIM_ASSERT(x < 1e6);
    // Below 10 by the recurrence; at most 9 rounds.
    while (y < 10.0) {
        product *= y;
        y += 1.0;
    }
    inverse = 1.0 / y;
    square = inverse * inverse;
    series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (
             1.0 / 1680 - square * (1.0 / 1188 - square * (691.0 / 360360))))));
    return (y - 0.5) * det_log(y) - y + 0.91893853320467274178 + series - det_log(product);
}
