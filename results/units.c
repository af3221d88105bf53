// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define DECIMALS_MAX 9

// value / divisor with three significant digits, half up, without trailing zeros. divisor <= 2^42.
static void units_digits(char *out, size_t size, uint64_t value, uint64_t divisor)
{
    uint64_t whole = value / divisor;
    uint64_t rest = value % divisor;
    uint64_t scale = 1;
    uint64_t scaled;
    int decimals = 0;
    int length;

    if (whole >= 100) {
        whole += rest >= divisor - rest ? 1 : 0;
        (void)(whole < 1000 || whole >= 1000000
                   ? snprintf(out, size, "%" PRIu64, whole)
                   : snprintf(out, size, "%" PRIu64 ",%03" PRIu64, whole / 1000, whole % 1000));
        return;
    }
    // A scale of at most 1e3 keeps rest * scale below 2^53; smaller numbers are divided first.
    while ((whole * scale + rest * scale / divisor) < 100 && decimals < DECIMALS_MAX &&
           rest < UINT64_MAX / 20 / scale) {
        scale *= 10;
        decimals++;
    }
    scaled = whole * scale + (rest * scale + divisor / 2) / divisor;
    while (decimals > 0 && scaled % 10 == 0) {
        scaled /= 10;
        scale /= 10;
        decimals--;
    }
    length = snprintf(out, size, "%" PRIu64, scaled / scale);
    if (decimals > 0 && length > 0 && (size_t)length < size) {
        (void)snprintf(out + length, size - (size_t)length, ".%0*" PRIu64, decimals,
                       scaled % scale);
    }
}

static void units_with(char *buffer, uint64_t value, uint64_t divisor, const char *unit)
{
    char digits[RESULTS_UNITS_SIZE];

    units_digits(digits, sizeof(digits), value, divisor);
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%.20s %s", digits, unit);
}

// Two units, the smaller left out when it is 0: "3 min", "1 min 35 s". The value is in the smaller
// one.
static void units_two(char *buffer, uint64_t value, uint64_t per, const char *large,
                      const char *small)
{
    if (value % per == 0) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%" PRIu64 " %s", value / per, large);
    } else {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%" PRIu64 " %s %" PRIu64 " %s", value / per,
                       large, value % per, small);
    }
}

static void units_duration(char *buffer, uint64_t ns)
{
    uint64_t seconds = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2 ? 1 : 0);
    uint64_t minutes = seconds / 60 + (seconds % 60 >= 30 ? 1 : 0);
    uint64_t hours = minutes / 60 + (minutes % 60 >= 30 ? 1 : 0);

    if (ns == 0) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "0 s");
    } else if (ns < NS_PER_US) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "<1 us");
    } else if (ns < NS_PER_MS - NS_PER_US / 2) {
        units_with(buffer, ns, NS_PER_US, "us");
    } else if (ns < NS_PER_S - NS_PER_MS / 2) {
        units_with(buffer, ns, NS_PER_MS, "ms");
    } else if (ns < 60 * NS_PER_S - NS_PER_S / 20) {
        units_with(buffer, ns, NS_PER_S, "s");
    } else if (seconds < 3600) {
        units_two(buffer, seconds, 60, "min", "s");
    } else if (minutes < 24 * 60) {
        units_two(buffer, minutes, 60, "h", "min");
    } else {
        units_two(buffer, hours, 24, "d", "h");
    }
}

const char *results_duration(char buffer[RESULTS_UNITS_SIZE], int64_t ns)
{
    if (ns < 0) {
        char positive[RESULTS_UNITS_SIZE];

        units_duration(positive, 0 - (uint64_t)ns);
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "-%.30s", positive);
    } else {
        units_duration(buffer, (uint64_t)ns);
    }
    return buffer;
}

const char *results_slot_time(char buffer[RESULTS_UNITS_SIZE], int64_t ns)
{
    uint64_t value = ns < 0 ? 0 : (uint64_t)ns;

    if (value > 0 && value < NS_PER_MS) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "<0.001 slot-seconds");
    } else if (value < 120 * NS_PER_S) {
        units_with(buffer, value, NS_PER_S, "slot-seconds");
    } else if (value < 7200 * NS_PER_S) {
        units_with(buffer, value, 60 * NS_PER_S, "slot-minutes");
    } else {
        units_with(buffer, value, 3600 * NS_PER_S, "slot-hours");
    }
    return buffer;
}

const char *results_size(char buffer[RESULTS_UNITS_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"b", "kb", "mb", "gb", "tb"};
    size_t unit = 0;

    while (unit + 1 < sizeof(units) / sizeof(units[0]) && bytes >> (10 * (unit + 1)) > 0) {
        unit++;
    }
    units_with(buffer, bytes, UINT64_C(1) << (10 * unit), units[unit]);
    return buffer;
}

const char *results_count(char buffer[RESULTS_UNITS_SIZE], uint64_t count)
{
    if (count < 1000) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%" PRIu64, count);
    } else if (count < 100000) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%" PRIu64 ",%03" PRIu64, count / 1000,
                       count % 1000);
    } else if (count < 999500) {
        units_with(buffer, count, 1000, "k");
    } else {
        units_with(buffer, count, 1000000, "million");
    }
    return buffer;
}

const char *results_price(char buffer[RESULTS_UNITS_SIZE], uint64_t nanousd)
{
    units_with(buffer, nanousd, UINT64_C(1000000000), "USD");
    return buffer;
}

const char *results_percent(char buffer[RESULTS_UNITS_SIZE], uint64_t part, uint64_t whole)
{
    // Both are scaled down together until the product below cannot overflow.
    while (whole > (UINT64_C(1) << 42) || part > (UINT64_C(1) << 55)) {
        whole >>= 1;
        part >>= 1;
    }
    if (whole == 0) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "-");
    } else if (part > 0 && part < whole / 100000) {
        (void)snprintf(buffer, RESULTS_UNITS_SIZE, "<0.001 %%");
    } else {
        units_with(buffer, part * 100, whole, "%");
    }
    return buffer;
}
