// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/metric_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "results/event_words.h"
#include "results/units.h"

// Every digit of the value.
static void exact_value(char buffer[RESULTS_METRIC_SIZE], const struct scenario_metric *metric,
                        int64_t value)
{
    const char *unit = strcmp(metric->unit, "bytes") == 0      ? " b"
                       : strcmp(metric->unit, "nano-usd") == 0 ? " nano-usd"
                                                               : "";

    if (strcmp(metric->unit, "ns") == 0) {
        (void)results_instant(buffer, value);
    } else {
        (void)snprintf(buffer, RESULTS_METRIC_SIZE, "%" PRId64 "%s", value, unit);
    }
}

const char *results_metric_value(char buffer[RESULTS_METRIC_SIZE],
                                 const struct scenario_metric *metric, int64_t value)
{
    char text[RESULTS_UNITS_SIZE];

    if (strcmp(metric->unit, "ns") == 0) {
        (void)snprintf(buffer, RESULTS_METRIC_SIZE, "%s", results_duration(text, value));
    } else if (strcmp(metric->unit, "bytes") == 0 && value >= 0) {
        (void)snprintf(buffer, RESULTS_METRIC_SIZE, "%s", results_size(text, (uint64_t)value));
    } else {
        exact_value(buffer, metric, value);
    }
    return buffer;
}

int results_metric_direction(const char *better, int64_t before, int64_t after)
{
    if (before == after || (strcmp(better, "lower") != 0 && strcmp(better, "higher") != 0)) {
        return 0;
    }
    return (after > before) == (strcmp(better, "lower") == 0) ? 1 : -1;
}

void results_metric_change(const struct scenario_metric *metric, int64_t before, int64_t after,
                           struct results_text *text)
{
    static const char *const words[] = {"better", "changed", "worse"};
    char a[RESULTS_METRIC_SIZE];
    char b[RESULTS_METRIC_SIZE];
    char d[RESULTS_METRIC_SIZE];
    char share[RESULTS_UNITS_SIZE];
    bool up = after > before;
    uint64_t distance =
        up ? (uint64_t)after - (uint64_t)before : (uint64_t)before - (uint64_t)after;
    int64_t shown = distance > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)distance;

    (void)results_metric_value(a, metric, before);
    (void)results_metric_value(b, metric, after);
    if (before != after && strcmp(a, b) == 0) {
        exact_value(a, metric, before);
        exact_value(b, metric, after);
    }
    results_text_format(text, "%s: %s -> %s, %s%s", metric->name, a, b, up ? "+" : "-",
                        results_metric_value(d, metric, shown));
    if (before > 0) {
        results_text_format(text, " (%s%s)", up ? "+" : "-",
                            results_percent(share, distance, (uint64_t)before));
    }
    results_text_format(text, ", %s",
                        words[1 + results_metric_direction(metric->better, before, after)]);
}
