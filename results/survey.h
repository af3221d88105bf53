// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a report about many runs is made from: the points of one sweep (or all single runs) of a
// result database, with their axes, statistics and the few columns of each run that paired
// differences and the crash curve need. Read in one transaction; the database is never changed.
#ifndef RECOUP_RESULTS_SURVEY_H
#define RECOUP_RESULTS_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/result.h"
#include "results/database.h"
#include "results/scale.h"
#include "results/warnings.h"
#include "sim/arena.h"

#define SURVEY_AXES_MAX 64u
#define SURVEY_POINTS_MAX (UINT32_C(1) << 20)
#define SURVEY_NONE UINT32_MAX

// The metrics of the report. Those that the database summarizes come from v_summary.
enum survey_metric {
    SURVEY_LOST_WORK,
    SURVEY_DELAY,
    SURVEY_MAKESPAN,
    SURVEY_OUTAGE,
    SURVEY_BYTES,
    SURVEY_REQUESTS, // of all kinds, summed
    SURVEY_COST,
    SURVEY_METRICS
};

enum survey_broken {
    SURVEY_PLANNED,
    SURVEY_CRASHED,
    SURVEY_CUT,
    SURVEY_SKIPPED,
    SURVEY_DIFFERS,
    SURVEY_BROKEN
};
// "not run yet", "crashed", "cut at a limit of wall-clock time", ...
const char *survey_broken_name(enum survey_broken broken);

struct survey_metric_fact {
    const char *name;       // as in v_summary: "lost-work"; "requests" has no row there
    const char *title;      // "lost work"
    const char *axis;       // with its unit in words: "lost work (slot time)"
    const char *expression; // of the table `run`
    enum results_quantity quantity;
};

const struct survey_metric_fact *survey_metric_fact(enum survey_metric metric);

struct survey_estimate {
    uint64_t n; // 0: not known, all else is meaningless
    double mean;
    double low; // 95 % interval of the mean; NAN where one run gives none
    double high;
    double p50;
    double p95;
    double max;
};

struct survey_run {
    int64_t id;
    int64_t seed;
    double values[SURVEY_METRICS]; // NAN: not computed
    uint32_t failovers;
};

struct survey_point {
    int64_t id;
    const char *label;      // "min-pause=30 s, storage=s3"; never empty
    const char *short_name; // the number: "#12"
    const char *brief;      // where room is short: "30 s, s3", or the label
    const char *profile;
    const char *scenario;          // the name
    const uint32_t *values;        // per axis an index into its values; SURVEY_NONE: none
    const struct survey_run *runs; // by seed
    uint32_t n_runs;
    uint32_t n_failover; // runs with a failover
    uint32_t n_findings; // runs with findings
    uint32_t n_bugs;     // runs with findings that no policy explains
    uint32_t n_unmet;    // runs whose expectations were not met
    uint32_t n_states[MODEL_JOB_TIMEOUT + 1];
    uint32_t n_broken[SURVEY_BROKEN]; // planned runs without a result
    const char *command; // that makes its runs, without the seed; "" where it is not known
    unsigned warnings;   // of its summaries: a set of enum results_warning
    struct survey_estimate all[SURVEY_METRICS];
    struct survey_estimate hit[SURVEY_METRICS]; // runs with a failover alone
    double causes[MODEL_CAUSE_COUNT];           // mean ns per run
    double phases[MODEL_PHASE_COUNT];           // mean ns per failover
    bool front[SURVEY_METRICS];                 // not dominated in lost work against this metric
    bool near[SURVEY_METRICS];                  // dominated, but within noise
};

struct survey_id { // of a point
    int64_t id;
    uint32_t index;
};

struct survey_axis {
    int64_t id;
    const char *name;
    const char *path;
    enum results_quantity quantity;
    bool numeric; // every value is a number
    uint32_t n_values;
    const char **texts; // ascending by number, else in the order of the points
    const double *numbers;
};

struct survey_crash { // the first failover of a run
    uint32_t point;
    double at_ns;
    double delay_ns; // NAN where not computed
    double lost_ns;
};

struct survey {
    struct sim_arena arena; // owns everything below
    struct results_database database;
    const char *where; // SQL over `point`: which ones
    const char *name;  // of the sweep, or of what the single runs have in common
    const char *about;
    const char *key;        // of the sweep; "" for single runs
    const char *definition; // the sweep file; ""
    bool is_sweep;
    uint32_t n_left_out; // single runs in the database that belong to no sweep
    uint32_t n_axes;
    struct survey_axis *axes;
    uint32_t n_points;
    struct survey_point *points;
    struct survey_id *ids; // ascending
    uint64_t n_runs;
    uint64_t n_failover_runs;
    uint64_t n_findings;
    uint64_t n_bugs;
    uint64_t n_censored; // runs that ended by TIMEOUT
    uint64_t n_failed;   // FAILED or SUSPENDED
    uint64_t n_broken[SURVEY_BROKEN];
    uint64_t seeds_min;
    uint64_t seeds_max;
    bool common_seeds;    // every point has the same seeds
    const char *versions; // "0.1.0"
    const char *builds;   // compilers and libraries
    const char *started;  // first and last start of a run, UTC; ""
    const char *ended;
    uint32_t best;  // least mean lost work; SURVEY_NONE when there are no runs
    uint32_t worst; // most
    uint32_t n_crashes;
    struct survey_crash *crashes;
    uint32_t n_crash_runs_many; // runs with more than one failover, which are no part of `crashes`
    uint32_t causes[MODEL_CAUSE_COUNT]; // those that occurred, most lost work first
    uint32_t n_causes;
};

enum survey_status {
    SURVEY_OK,
    SURVEY_USAGE,  // no such sweep, or several: exit code 2
    SURVEY_OUTSIDE // the file: exit code 7
};

// Reads the database at `path`. `sweep` is a name or the beginning of a key; NULL: the only sweep,
// or all single runs when there is none. Returns SURVEY_OK; else `survey->database.message` says
// why. To be released in both cases.
enum survey_status survey_read(struct survey *survey, const char *path, const char *sweep);
void survey_release(struct survey *survey); // accepts a zeroed one

// A copy in the survey's memory; NULL when out of memory.
const char *survey_copy(struct survey *survey, const char *string);

// mean and 95 % interval (Student's t) of values[0..n); NAN values are left out. Sorts them.
void survey_estimate(struct survey_estimate *estimate, double *values, uint32_t n);
// The paired difference a - b over the seeds that both points have. n is 0 when there are none.
void survey_difference(const struct survey *survey, uint32_t a, uint32_t b,
                       enum survey_metric metric, struct survey_estimate *difference);
// The points that are averaged: `points` are n indices. Over the seeds that all have when they
// share them, else as independent means.
void survey_average(const struct survey *survey, const uint32_t *points, uint32_t n,
                    enum survey_metric metric, struct survey_estimate *estimate);
// The difference of two such averages, run by run where all points share their seeds.
void survey_average_difference(const struct survey *survey, const uint32_t *points, uint32_t n,
                               const uint32_t *others, uint32_t n_others, enum survey_metric metric,
                               struct survey_estimate *estimate);
// Marks the points that no other dominates, and those within noise of them.
bool survey_mark_front(struct survey *survey, enum survey_metric io);

#endif
