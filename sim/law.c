// SPDX-License-Identifier: GPL-3.0-or-later
//
// The law samplers: with sim/det_math.c the only code between a seed and an event time in which
// doubles occur. Each value is rounded to an integer once, at its end, after a check of the range.
#include "sim/law.h"

#include <stddef.h>

#include "sim/det_math.h"
#include "sim/error.h"
#include "sim/exponential.h"
#include "sim/wide.h"

#include "sim/banned.h"

#define LAW_SIGMA_MAX (20 * SIM_LAW_NANO)
#define LAW_SHAPE_MIN (SIM_LAW_NANO / 100)
#define LAW_SHAPE_MAX (1000 * SIM_LAW_NANO)
// From this ratio of mean to standard deviation on, less than 1.1e-8 of a normal law lies below 0;
// such values are clamped to 0 instead of being conditioned away.
#define LAW_TRUNCATION_MAX 5.6
#define LAW_INVERSE_SQRT_2PI 0.39894228040143267794

// --- draws as probabilities --------------------------------------------------------------------

// A draw as u in (0, 1) from its top 52 bits, and 1 - u, both exact.
static double draw_lower(uint64_t draw)
{
    double u = ((double)(int64_t)(draw >> 12) + 0.5) * 0x1p-52;

    SIM_DEBUG_ASSERT(u > 0.0);
    SIM_DEBUG_ASSERT(u < 1.0);
    return u;
}

static double draw_upper(uint64_t draw)
{
    SIM_DEBUG_ASSERT(draw_lower(~draw) + draw_lower(draw) >= 1.0);
    SIM_DEBUG_ASSERT(draw_lower(~draw) + draw_lower(draw) <= 1.0);
    return draw_lower(~draw);
}

static int64_t round_clamped(double x)
{
    // Written so that a NaN becomes 0.
    if (!(x > 0.0)) {
        return 0;
    }
    if (x >= (double)SIM_LAW_MAX) {
        return SIM_LAW_MAX;
    }
    return (int64_t)(x + 0.5);
}

// (a * b) >> 64.
static uint64_t high_product(uint64_t a, uint64_t b)
{
    return sim_wide_product(a, b).high;
}

// A draw as a position in [0, 1e9): its integer part, and 64 bits of fraction.
static int64_t draw_nano(uint64_t draw, uint64_t *fraction)
{
    struct sim_wide position = sim_wide_product(draw, (uint64_t)SIM_LAW_NANO);

    SIM_DEBUG_ASSERT(fraction != NULL);
    SIM_DEBUG_ASSERT(position.high < (uint64_t)SIM_LAW_NANO);
    *fraction = position.low;
    return (int64_t)position.high;
}

// (nano + fraction) / width in units of 2^-64, for nano < width <= 1e9: where a position lies in an
// interval of that width. A long division by hand, two digits of 32 bits.
static uint64_t stretch(int64_t nano, uint64_t fraction, int64_t width)
{
    uint64_t divisor = (uint64_t)width;
    uint64_t high = (uint64_t)nano << 32 | fraction >> 32;
    uint64_t low = high % divisor << 32 | (fraction & UINT32_MAX);

    SIM_DEBUG_ASSERT(nano >= 0);
    SIM_DEBUG_ASSERT(nano < width && width <= SIM_LAW_NANO);
    return (high / divisor << 32) + low / divisor;
}

// --- values by inversion -----------------------------------------------------------------------

static int64_t exponential_value(int64_t mean, uint64_t draw)
{
    SIM_DEBUG_ASSERT(mean >= 0);
    SIM_DEBUG_ASSERT(mean <= SIM_LAW_MAX);
    return sim_exponential_value(mean, SIM_LAW_MAX, draw);
}

// u is spread over what lies above 0: from P(X < 0) to 1.
static int64_t normal_value(int64_t mean, int64_t deviation, uint64_t draw)
{
    double m = (double)mean;
    double s = (double)deviation;
    double above = 1.0;
    double below = 0.0;
    double upper = draw_upper(draw);
    double lower = draw_lower(draw);

    SIM_DEBUG_ASSERT(mean >= 0);
    SIM_DEBUG_ASSERT(deviation >= 0);
    if (deviation == 0) {
        return mean;
    }
    if (m < LAW_TRUNCATION_MAX * s) {
        above = det_normal_cdf(m / s);
        below = 1.0 - above;
    }
    return round_clamped(m + s * det_normal_inverse(below + above * lower, above * upper));
}

static int64_t lognormal_value(int64_t median, int64_t sigma_nano, uint64_t draw)
{
    double sigma = (double)sigma_nano * 1e-9;
    double z = det_normal_inverse(draw_lower(draw), draw_upper(draw));

    SIM_DEBUG_ASSERT(sigma_nano >= 0);
    return round_clamped((double)median * det_exp(sigma * z));
}

static int64_t weibull_value(int64_t scale, int64_t shape_nano, uint64_t draw)
{
    double shape = (double)shape_nano * 1e-9;

    SIM_DEBUG_ASSERT(shape_nano > 0);
    return round_clamped((double)scale * det_exp(det_log(sim_exponential(draw)) / shape));
}

static int64_t pareto_value(int64_t minimum, int64_t alpha_nano, uint64_t draw)
{
    double alpha = (double)alpha_nano * 1e-9;

    SIM_DEBUG_ASSERT(alpha_nano > 0);
    return round_clamped((double)minimum * det_exp(sim_exponential(draw) / alpha));
}

// Index of the last point whose p_nano <= nano; never the last point of all.
static uint32_t quantile_segment(const struct sim_law *law, int64_t nano)
{
    uint32_t low = 0;
    uint32_t high = law->count - 1;

    SIM_DEBUG_ASSERT(law->count >= 2);
    SIM_DEBUG_ASSERT(nano >= 0 && nano < SIM_LAW_NANO);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (law->points[middle].p_nano <= nano) {
            low = middle;
        } else {
            high = middle;
        }
    }
    SIM_DEBUG_ASSERT(law->points[low].p_nano <= nano && nano < law->points[high].p_nano);
    return low;
}

// Integers only.
static int64_t quantiles_value(const struct sim_law *law, uint64_t draw)
{
    uint64_t fraction;
    int64_t nano = draw_nano(draw, &fraction);
    const struct sim_law_point *p = &law->points[quantile_segment(law, nano)];
    uint64_t part = stretch(nano - p[0].p_nano, fraction, p[1].p_nano - p[0].p_nano);
    struct sim_wide product = sim_wide_product((uint64_t)(p[1].value - p[0].value), part);

    SIM_DEBUG_ASSERT(p[0].p_nano <= nano && nano < p[1].p_nano);
    SIM_DEBUG_ASSERT(p[1].value >= p[0].value);
    return p[0].value + (int64_t)sim_wide_add(product, UINT64_C(1) << 63).high;
}

// The component whose share of [0, 1e9) holds the draw's position; *draw becomes the position
// within that share, stretched to 64 bits.
static const struct sim_law *mixture_part(const struct sim_law *law, uint64_t *draw)
{
    uint64_t fraction;
    int64_t nano = draw_nano(*draw, &fraction);
    int64_t start = 0;
    uint32_t i = 0;

    SIM_DEBUG_ASSERT(law->count > 0);
    while (i + 1 < law->count && nano >= start + law->weights_nano[i]) {
        start += law->weights_nano[i];
        i++;
    }
    SIM_DEBUG_ASSERT(nano < start + law->weights_nano[i]);
    *draw = stretch(nano - start, fraction, law->weights_nano[i]);
    return &law->parts[i];
}

static int64_t simple_value(const struct sim_law *law, uint64_t draw, uint64_t row)
{
    switch (law->kind) {
    case SIM_LAW_CONSTANT:
        return law->a;
    case SIM_LAW_EXPONENTIAL:
        return exponential_value(law->a, draw);
    case SIM_LAW_UNIFORM:
        return law->a + (int64_t)high_product(draw, (uint64_t)(law->b - law->a) + 1);
    case SIM_LAW_NORMAL:
        return normal_value(law->a, law->b, draw);
    case SIM_LAW_LOGNORMAL:
        return lognormal_value(law->a, law->b, draw);
    case SIM_LAW_WEIBULL:
        return weibull_value(law->a, law->b, draw);
    case SIM_LAW_PARETO:
        return pareto_value(law->a, law->b, draw);
    case SIM_LAW_QUANTILES:
        return quantiles_value(law, draw);
    case SIM_LAW_TRACE:
        return law->points[row % law->count].value;
    case SIM_LAW_MIXTURE:
    default:
        // sim_law_check refuses such a law.
        SIM_ALWAYS(law->kind < SIM_LAW_MIXTURE);
        return 0;
    }
}

int64_t sim_law_value(const struct sim_law *law, uint64_t draw, uint64_t row)
{
    const struct sim_law *part = law;
    uint64_t rest = draw;
    int64_t value;

    if (law->kind == SIM_LAW_MIXTURE) {
        part = mixture_part(law, &rest);
    }
    value = simple_value(part, rest, row);
    SIM_ASSERT(value >= 0);
    SIM_ASSERT(value <= SIM_LAW_MAX);
    return value;
}

void sim_law_sample(const struct sim_law *law, struct sim_random *r, uint32_t stream,
                    uint64_t entity, uint64_t n, uint64_t row, int64_t *out)
{
    uint64_t draw = 0;

    SIM_DEBUG_ASSERT(out != NULL);
    if (law->kind == SIM_LAW_EXPONENTIAL) {
        // The law of most events, by a shorter way.
        sim_random_draw(r, stream, entity, n, &draw);
        *out = exponential_value(law->a, draw);
        return;
    }
    // A law that needs no chance leaves no trace in the counts of draws.
    if (sim_law_draws(law) != 0) {
        sim_random_draw(r, stream, entity, n, &draw);
    }
    *out = sim_law_value(law, draw, row);
}

// --- checks ------------------------------------------------------------------------------------

static int wrong(const char **message, const char *text)
{
    SIM_ASSERT(message != NULL);
    SIM_ASSERT(text != NULL);
    *message = text;
    return SIM_EINVAL;
}

static int in_range(int64_t value, int64_t low, int64_t high)
{
    SIM_ASSERT(low <= high);
    return value >= low && value <= high;
}

static int check_second(const struct sim_law *law, const char **message)
{
    SIM_ASSERT(law != NULL);
    switch (law->kind) {
    case SIM_LAW_UNIFORM:
        return in_range(law->b, law->a, SIM_LAW_MAX)
                   ? 0 : wrong(message, "uniform: 'to' must not be less than 'from'");
    case SIM_LAW_NORMAL:
        return in_range(law->b, 0, SIM_LAW_MAX)
                   ? 0 : wrong(message, "normal: 'sd' must be from 0 to 2^61");
    case SIM_LAW_LOGNORMAL:
        return in_range(law->b, 0, LAW_SIGMA_MAX)
                   ? 0 : wrong(message, "lognormal: 'sigma' must be from 0 to 20");
    case SIM_LAW_WEIBULL:
        return in_range(law->b, LAW_SHAPE_MIN, LAW_SHAPE_MAX)
                   ? 0 : wrong(message, "weibull: 'shape' must be from 0.01 to 1000");
    case SIM_LAW_PARETO:
        return in_range(law->b, LAW_SHAPE_MIN, LAW_SHAPE_MAX)
                   ? 0 : wrong(message, "pareto: 'alpha' must be from 0.01 to 1000");
    case SIM_LAW_CONSTANT:
    case SIM_LAW_EXPONENTIAL:
        return 0;
    case SIM_LAW_QUANTILES:
    case SIM_LAW_TRACE:
    case SIM_LAW_MIXTURE:
    default:
        return wrong(message, "unknown kind of law");
    }
}

static int check_values(const struct sim_law *law, const char **message)
{
    if (law->points == NULL || !in_range(law->count, 1, SIM_LAW_POINTS_MAX)) {
        return wrong(message, "a trace or quantiles need from 1 to 16777216 values");
    }
    for (uint32_t i = 0; i < law->count; i++) {
        if (!in_range(law->points[i].value, 0, SIM_LAW_MAX)) {
            return wrong(message, "values must not be negative or larger than 2^61");
        }
    }
    SIM_ASSERT(law->count > 0);
    return 0;
}

static int check_quantiles(const struct sim_law *law, const char **message)
{
    int status = check_values(law, message);

    SIM_ASSERT(law->kind == SIM_LAW_QUANTILES);
    if (status != 0) {
        return status;
    }
    if (law->count < 2 || law->points[0].p_nano != 0 ||
        law->points[law->count - 1].p_nano != SIM_LAW_NANO) {
        return wrong(message, "quantiles: the first probability must be 0 and the last 1");
    }
    for (uint32_t i = 1; i < law->count; i++) {
        if (law->points[i].p_nano <= law->points[i - 1].p_nano) {
            return wrong(message, "quantiles: probabilities must rise");
        }
        if (law->points[i].value < law->points[i - 1].value) {
            return wrong(message, "quantiles: values must not fall");
        }
    }
    return 0;
}

static int check_simple(const struct sim_law *law, const char **message)
{
    SIM_ASSERT(message != NULL);
    if (law->kind == SIM_LAW_QUANTILES) {
        return check_quantiles(law, message);
    }
    if (law->kind == SIM_LAW_TRACE) {
        return check_values(law, message);
    }
    if (!in_range(law->a, 0, SIM_LAW_MAX)) {
        return wrong(message, "a law's value must not be negative or larger than 2^61");
    }
    return check_second(law, message);
}

int sim_law_check(const struct sim_law *law, const char **message)
{
    int64_t sum = 0;

    SIM_ASSERT(law != NULL);
    SIM_ASSERT(message != NULL);
    if (law->kind != SIM_LAW_MIXTURE) {
        return check_simple(law, message);
    }
    if (law->parts == NULL || law->weights_nano == NULL ||
        !in_range(law->count, 1, SIM_LAW_PARTS_MAX)) {
        return wrong(message, "mixture: from 1 to 1024 components are needed");
    }
    for (uint32_t i = 0; i < law->count; i++) {
        int status;

        if (law->parts[i].kind == SIM_LAW_MIXTURE) {
            return wrong(message, "mixture: a component must not be a mixture; list its parts");
        }
        status = check_simple(&law->parts[i], message);
        if (status != 0) {
            return status;
        }
        if (!in_range(law->weights_nano[i], 1, SIM_LAW_NANO)) {
            return wrong(message, "mixture: weights must be from 1e-9 to 1");
        }
        sum += law->weights_nano[i];
    }
    return sum == SIM_LAW_NANO ? 0 : wrong(message, "mixture: the weights must add up to 1");
}

// --- means and bounds --------------------------------------------------------------------------

static int64_t normal_mean(int64_t mean, int64_t deviation)
{
    double m = (double)mean;
    double s = (double)deviation;
    double z;

    SIM_DEBUG_ASSERT(mean >= 0 && deviation >= 0);
    if (deviation == 0 || m >= LAW_TRUNCATION_MAX * s) {
        return mean;
    }
    z = m / s;
    return round_clamped(m + s * LAW_INVERSE_SQRT_2PI * det_exp(-0.5 * z * z) / det_normal_cdf(z));
}

static int64_t quantiles_mean(const struct sim_law *law)
{
    double sum = 0.0;

    SIM_DEBUG_ASSERT(law->count >= 2);
    for (uint32_t i = 1; i < law->count; i++) {
        double width = (double)(law->points[i].p_nano - law->points[i - 1].p_nano);

        sum += width * (double)(law->points[i].value + law->points[i - 1].value);
    }
    return round_clamped(sum * 0.5e-9);
}

static int64_t trace_mean(const struct sim_law *law)
{
    double sum = 0.0;

    SIM_DEBUG_ASSERT(law->count > 0);
    for (uint32_t i = 0; i < law->count; i++) {
        sum += (double)law->points[i].value;
    }
    return round_clamped(sum / law->count);
}

static int64_t simple_mean(const struct sim_law *law)
{
    double a = (double)law->a;
    double b = (double)law->b * 1e-9;

    switch (law->kind) {
    case SIM_LAW_CONSTANT:
    case SIM_LAW_EXPONENTIAL:
        return law->a;
    case SIM_LAW_UNIFORM:
        return law->a + (law->b - law->a) / 2;
    case SIM_LAW_NORMAL:
        return normal_mean(law->a, law->b);
    case SIM_LAW_LOGNORMAL:
        return round_clamped(a * det_exp(0.5 * b * b));
    case SIM_LAW_WEIBULL:
        return round_clamped(a * det_exp(det_log_gamma(1.0 + 1.0 / b)));
    case SIM_LAW_PARETO:
        return b > 1.0 ? round_clamped(a * b / (b - 1.0)) : (law->a == 0 ? 0 : SIM_LAW_MAX);
    case SIM_LAW_QUANTILES:
        return quantiles_mean(law);
    case SIM_LAW_TRACE:
        return trace_mean(law);
    case SIM_LAW_MIXTURE:
    default:
        SIM_ALWAYS(law->kind < SIM_LAW_MIXTURE);
        return 0;
    }
}

int64_t sim_law_mean_approximate(const struct sim_law *law)
{
    double sum = 0.0;

    SIM_ASSERT(law != NULL);
    if (law->kind != SIM_LAW_MIXTURE) {
        return simple_mean(law);
    }
    for (uint32_t i = 0; i < law->count; i++) {
        sum += (double)simple_mean(&law->parts[i]) * (double)law->weights_nano[i];
    }
    SIM_ASSERT(sum >= 0.0);
    return round_clamped(sum * 1e-9);
}

static int64_t simple_max(const struct sim_law *law)
{
    int64_t max = 0;

    SIM_ASSERT(law->kind != SIM_LAW_MIXTURE);
    if (law->kind == SIM_LAW_CONSTANT) {
        return law->a;
    }
    if (law->kind == SIM_LAW_UNIFORM) {
        return law->b;
    }
    if (law->kind != SIM_LAW_QUANTILES && law->kind != SIM_LAW_TRACE) {
        return SIM_LAW_MAX;
    }
    for (uint32_t i = 0; i < law->count; i++) {
        max = law->points[i].value > max ? law->points[i].value : max;
    }
    SIM_ASSERT(max <= SIM_LAW_MAX);
    return max;
}

int64_t sim_law_max(const struct sim_law *law)
{
    int64_t max = 0;

    SIM_ASSERT(law != NULL);
    if (law->kind != SIM_LAW_MIXTURE) {
        return simple_max(law);
    }
    for (uint32_t i = 0; i < law->count; i++) {
        int64_t part = simple_max(&law->parts[i]);

        max = part > max ? part : max;
    }
    SIM_ASSERT(max >= 0);
    return max;
}

void sim_law_constant(struct sim_law *law, int64_t value)
{
    static const struct sim_law zero = {0};

    SIM_ASSERT(value >= 0);
    SIM_ASSERT(value <= SIM_LAW_MAX);
    *law = zero;
    law->kind = SIM_LAW_CONSTANT;
    law->a = value;
}
