// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/amount.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define DECIMALS_MAX 9

// value / divisor with three significant digits, half up, without trailing zeros. divisor <= 2^42.
static void three_digits(char *out, size_t size, uint64_t value, uint64_t divisor)
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

void scenario_amount_text(uint64_t value, uint64_t divisor, const char *unit,
                          char text[SCENARIO_AMOUNT_TEXT])
{
    char digits[32];

    three_digits(digits, sizeof(digits), value, divisor);
    (void)snprintf(text, SCENARIO_AMOUNT_TEXT, "%.22s %.15s", digits, unit);
}

// Two units, the smaller left out when it is 0: "3 min", "1 min 35 s". The value is in the smaller
// one.
static void two_units(char *buffer, uint64_t value, uint64_t per, const char *large,
                      const char *small)
{
    if (value % per == 0) {
        (void)snprintf(buffer, SCENARIO_AMOUNT_TEXT, "%" PRIu64 " %s", value / per, large);
    } else {
        (void)snprintf(buffer, SCENARIO_AMOUNT_TEXT, "%" PRIu64 " %s %" PRIu64 " %s", value / per,
                       large, value % per, small);
    }
}

static void duration(char *buffer, uint64_t ns)
{
    uint64_t seconds = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2 ? 1 : 0);
    uint64_t minutes = seconds / 60 + (seconds % 60 >= 30 ? 1 : 0);
    uint64_t hours = minutes / 60 + (minutes % 60 >= 30 ? 1 : 0);

    if (ns == 0) {
        (void)snprintf(buffer, SCENARIO_AMOUNT_TEXT, "0 s");
    } else if (ns < NS_PER_US) {
        (void)snprintf(buffer, SCENARIO_AMOUNT_TEXT, "<1 us");
    } else if (ns < NS_PER_MS - NS_PER_US / 2) {
        scenario_amount_text(ns, NS_PER_US, "us", buffer);
    } else if (ns < NS_PER_S - NS_PER_MS / 2) {
        scenario_amount_text(ns, NS_PER_MS, "ms", buffer);
    } else if (ns < 60 * NS_PER_S - NS_PER_S / 20) {
        scenario_amount_text(ns, NS_PER_S, "s", buffer);
    } else if (seconds < 3600) {
        two_units(buffer, seconds, 60, "min", "s");
    } else if (minutes < 24 * 60) {
        two_units(buffer, minutes, 60, "h", "min");
    } else {
        two_units(buffer, hours, 24, "d", "h");
    }
}

void scenario_amount_duration(int64_t ns, char text[SCENARIO_AMOUNT_TEXT])
{
    char positive[SCENARIO_AMOUNT_TEXT];

    if (ns < 0) {
        duration(positive, 0 - (uint64_t)ns);
        (void)snprintf(text, SCENARIO_AMOUNT_TEXT, "-%.38s", positive);
    } else {
        duration(text, (uint64_t)ns);
    }
}

void scenario_amount_size(uint64_t bytes, char text[SCENARIO_AMOUNT_TEXT])
{
    static const char *const units[] = {"b", "kb", "mb", "gb", "tb"};
    size_t unit = 0;

    while (unit + 1 < sizeof(units) / sizeof(units[0]) && bytes >> (10 * (unit + 1)) > 0) {
        unit++;
    }
    scenario_amount_text(bytes, UINT64_C(1) << (10 * unit), units[unit], text);
}
