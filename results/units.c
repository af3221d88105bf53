// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "scenarios/amount.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

// Every quantity is written as durations and sizes are, which messages of scenarios know, too.
static void units_with(char *buffer, uint64_t value, uint64_t divisor, const char *unit)
{
    char text[SCENARIO_AMOUNT_TEXT];

    scenario_amount_text(value, divisor, unit, text);
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%.31s", text);
}

const char *results_duration(char buffer[RESULTS_UNITS_SIZE], int64_t ns)
{
    char text[SCENARIO_AMOUNT_TEXT];

    scenario_amount_duration(ns, text);
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%.31s", text);
    return buffer;
}

const char *results_size(char buffer[RESULTS_UNITS_SIZE], uint64_t bytes)
{
    char text[SCENARIO_AMOUNT_TEXT];

    scenario_amount_size(bytes, text);
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%.31s", text);
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
