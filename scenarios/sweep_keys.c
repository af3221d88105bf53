// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every key of a sweep file, once: the reader, docs/sweeps.md and scenarios/sweep-schema.json come
// from this table.
#include <string.h>

#include "scenarios/sweep_parts.h"
#include "sim/law.h"

#define NONE SWEEP_SECTION_COUNT
#define SCALAR(section, key, type, choices, min, max, required, fallback, doc)                     \
    {                                                                                              \
        section, key, SWEEP_SCALAR, type, choices, min, max, NONE, required, fallback, doc         \
    }
#define OTHER(section, key, kind, child, required, doc)                                            \
    {                                                                                              \
        section, key, kind, SCENARIO_SPECIAL, NULL, 0, 0, child, required, NULL, doc               \
    }
#define NANO INT64_C(1000000000)
#define TIME_MAX SIM_LAW_MAX

static const struct sweep_key rows[] = {
    SCALAR(SWEEP_ROOT, "version", SCENARIO_COUNT32, NULL, 1, 1, true, NULL,
           "Version of this grammar."),
    SCALAR(SWEEP_ROOT, "name", SCENARIO_NAME, NULL, 0, 0, true, NULL, "Name of the sweep."),
    SCALAR(SWEEP_ROOT, "about", SCENARIO_TEXT, NULL, 0, 0, false, NULL,
           "One sentence: which question this sweep answers."),
    SCALAR(SWEEP_ROOT, "scenario", SCENARIO_TEXT, NULL, 0, 0, false, NULL,
           "The scenario file, seen from the sweep file; left out where an axis names the files."),
    OTHER(SWEEP_ROOT, "axes", SWEEP_LIST, SWEEP_AXIS, false,
          "What varies; the points are all combinations, the last axis varying fastest."),
    OTHER(SWEEP_ROOT, "points", SWEEP_POINTS, NONE, false,
          "Single points, each a map from every axis to a value: beside the combinations, or in "
          "their place where no axis has values."),
    OTHER(SWEEP_ROOT, "sobol", SWEEP_MAP, SWEEP_SOBOL, false,
          "A sample over continuous axes, combined with `axes`."),
    OTHER(SWEEP_ROOT, "where", SWEEP_CONDITION, NONE, false,
          "A condition; combinations for which it is false are left out."),
    OTHER(SWEEP_ROOT, "replications", SWEEP_REPEATS, SWEEP_REPLICATIONS, false,
          "Runs per point, each with a seed of its own; 1 without it."),
    SCALAR(SWEEP_ROOT, "random-numbers", SCENARIO_CHOICE, "common|independent", 0, 0, false,
           "common",
           "Whether replication r has the same seed at every point, so that points differ by their "
           "settings only, or one of its own."),
    SCALAR(SWEEP_ROOT, "seed", SCENARIO_COUNT64, NULL, 0, INT64_MAX, false, "1",
           "The master seed, from which those of all replications come."),
    {SWEEP_ROOT, "measure", SWEEP_MEASURES, SCENARIO_CHOICE, "delay", 0, 0, NONE, false, NULL,
     "Metrics that need extra runs: delay runs each replication without faults, too."},
    OTHER(SWEEP_ROOT, "limits", SWEEP_MAP, SWEEP_LIMITS, false, "Limits of one run."),

    SCALAR(SWEEP_AXIS, "path", SCENARIO_TEXT, NULL, 0, 0, true, NULL,
           "A path of the scenario as for --set, or `scenario` for whole files."),
    SCALAR(SWEEP_AXIS, "name", SCENARIO_NAME, NULL, 0, 0, false, NULL,
           "Name of the axis; without it the last key of the path."),
    OTHER(SWEEP_AXIS, "values", SWEEP_VALUES, SWEEP_VALUE, false,
          "The values: anything that may stand at the path, or {label: NAME, value: ...}."),
    OTHER(SWEEP_AXIS, "range", SWEEP_MAP, SWEEP_RANGE, false, "Values in equal steps."),
    OTHER(SWEEP_AXIS, "log", SWEEP_MAP, SWEEP_LOG, false, "Values in equal ratios."),
    OTHER(SWEEP_AXIS, "with", SWEEP_LIST, SWEEP_WITH, false,
          "Further paths that move together with this one: value i with value i."),

    SCALAR(SWEEP_WITH, "path", SCENARIO_TEXT, NULL, 0, 0, true, NULL, "Another path."),
    OTHER(SWEEP_WITH, "values", SWEEP_VALUES, SWEEP_VALUE, false, "As many values as the axis."),
    OTHER(SWEEP_WITH, "range", SWEEP_MAP, SWEEP_RANGE, false, "Values in equal steps."),
    OTHER(SWEEP_WITH, "log", SWEEP_MAP, SWEEP_LOG, false, "Values in equal ratios."),

    OTHER(SWEEP_RANGE, "from", SWEEP_QUANTITY, NONE, true, "The first value."),
    OTHER(SWEEP_RANGE, "to", SWEEP_QUANTITY, NONE, true,
          "The last value; a whole number of steps away."),
    OTHER(SWEEP_RANGE, "step", SWEEP_QUANTITY, NONE, true, "From one value to the next."),

    OTHER(SWEEP_LOG, "from", SWEEP_QUANTITY, NONE, true, "The first value, more than 0."),
    OTHER(SWEEP_LOG, "to", SWEEP_QUANTITY, NONE, true, "The last value."),
    SCALAR(SWEEP_LOG, "points", SCENARIO_COUNT32, NULL, 2, SCENARIO_SWEEP_VALUES_MAX, true, NULL,
           "How many; those between are rounded to three digits (sizes to eight bits), or finer "
           "where they would meet."),

    SCALAR(SWEEP_VALUE, "label", SCENARIO_TEXT, NULL, 0, 0, true, NULL,
           "What points and results call the value: letters, digits and . _ + % -."),
    OTHER(SWEEP_VALUE, "value", SWEEP_ANY, NONE, true, "The value."),

    SCALAR(SWEEP_SOBOL, "points", SCENARIO_COUNT32, NULL, 1, SCENARIO_SWEEP_VALUES_MAX, true, NULL,
           "How many samples; a power of 2 covers the space most evenly."),
    OTHER(SWEEP_SOBOL, "axes", SWEEP_LIST, SWEEP_SAMPLED, true, "The axes of the sample."),

    SCALAR(SWEEP_SAMPLED, "path", SCENARIO_TEXT, NULL, 0, 0, true, NULL, "A path."),
    SCALAR(SWEEP_SAMPLED, "name", SCENARIO_NAME, NULL, 0, 0, false, NULL,
           "Name of the axis; without it the last key of the path."),
    OTHER(SWEEP_SAMPLED, "from", SWEEP_QUANTITY, NONE, true, "The lower end."),
    OTHER(SWEEP_SAMPLED, "to", SWEEP_QUANTITY, NONE, true, "The upper end."),
    SCALAR(SWEEP_SAMPLED, "log", SCENARIO_BOOLEAN, NULL, 0, 0, false, "false",
           "Whether equal ratios are equally likely, not equal differences."),

    OTHER(SWEEP_REPLICATIONS, "until", SWEEP_MAP, SWEEP_UNTIL, true,
          "Run until the mean of a metric is known this well."),
    SCALAR(SWEEP_REPLICATIONS, "at-least", SCENARIO_COUNT32, NULL, 2,
           SCENARIO_SWEEP_REPLICATIONS_MAX, false, "30", "Runs before the first look."),
    SCALAR(SWEEP_REPLICATIONS, "at-most", SCENARIO_COUNT32, NULL, 2,
           SCENARIO_SWEEP_REPLICATIONS_MAX, true, NULL, "Runs after which a point ends anyhow."),
    SCALAR(SWEEP_REPLICATIONS, "batch", SCENARIO_COUNT32, NULL, 1, SCENARIO_SWEEP_REPLICATIONS_MAX,
           false, "at-least",
           "Runs between two looks; looking after each run would make intervals too narrow."),

    SCALAR(SWEEP_UNTIL, "metric", SCENARIO_TEXT, NULL, 0, 0, true, NULL,
           "A metric of `recoup list metrics`."),
    OTHER(SWEEP_UNTIL, "half-width", SWEEP_HALF_WIDTH, NONE, true,
          "Half the interval's width: a share of the mean, or a value of the metric."),
    SCALAR(SWEEP_UNTIL, "confidence", SCENARIO_SHARE, NULL, NANO / 2, NANO - NANO / 10000, false,
           "95%", "Confidence of the interval."),

    SCALAR(SWEEP_LIMITS, "virtual-time", SCENARIO_DURATION, NULL, 1, TIME_MAX, false, NULL,
           "The scenario's stop-at: the run ends as TIMEOUT."),
    SCALAR(SWEEP_LIMITS, "events", SCENARIO_COUNT64, NULL, 1, INT64_MAX, false, NULL,
           "The scenario's events-max: the run ends as TIMEOUT."),
    SCALAR(SWEEP_LIMITS, "wall-time", SCENARIO_DURATION, NULL, 1, TIME_MAX, false, NULL,
           "Real time of one run; beyond it the run is given up, and no part of the results."),
    SCALAR(SWEEP_LIMITS, "memory", SCENARIO_SIZE, NULL, 1, INT64_MAX, false, NULL,
           "Memory of one run; beyond it the run is given up, and no part of the results. Without "
           "it an equal share for each worker process."),
};

uint32_t sweep_keys_count(void)
{
    return (uint32_t)(sizeof(rows) / sizeof(rows[0]));
}

const struct sweep_key *sweep_keys_at(uint32_t index)
{
    return &rows[index];
}

const struct sweep_key *sweep_keys_find(enum sweep_section section, const char *key)
{
    for (uint32_t i = 0; i < sweep_keys_count(); i++) {
        if (rows[i].section == section && strcmp(rows[i].key, key) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *sweep_section_path(enum sweep_section section)
{
    static const char *const paths[] = {
#define X(name, path, title) path,
        SWEEP_SECTIONS(X)
#undef X
    };
    return paths[section];
}

const char *sweep_section_title(enum sweep_section section)
{
    static const char *const titles[] = {
#define X(name, path, title) title,
        SWEEP_SECTIONS(X)
#undef X
    };
    return titles[section];
}
