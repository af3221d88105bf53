// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sweep files (docs/sweeps.md): one scenario, some of its paths as axes, and how often each
// combination is run. Loading a sweep expands it: every point is resolved and checked as the
// scenario that it is, so that nothing is left to fail once runs have begun.
#ifndef RECOUP_SCENARIOS_SWEEP_H
#define RECOUP_SCENARIOS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "scenarios/metrics.h"
#include "scenarios/scenario.h"

#define SCENARIO_SWEEP_AXES_MAX 16u        // sampled ones included
#define SCENARIO_SWEEP_WITH_MAX 16u        // paths that move with one axis
#define SCENARIO_SWEEP_VALUES_MAX 10000u   // of one axis
#define SCENARIO_SWEEP_PRODUCT_MAX 200000u // combinations, before `where`
#define SCENARIO_SWEEP_POINTS_MAX 20000u   // after it
#define SCENARIO_SWEEP_REPLICATIONS_MAX 1000000u
#define SCENARIO_SWEEP_KEY_SIZE 33u // 32 hexadecimal digits and a zero

enum scenario_axis_kind {
    SCENARIO_AXIS_TEXT,  // storage classes, profiles, maps, lists, files: no number
    SCENARIO_AXIS_NS,    // durations
    SCENARIO_AXIS_BYTES, // sizes, and sizes per second
    SCENARIO_AXIS_COUNT, // integers, and nano-USD
    SCENARIO_AXIS_NANO   // decimal numbers and percentages, in 1e-9 (50% is 500,000,000)
};

struct scenario_axis_value {
    const char *text;  // canonical: "30 s", "hdfs", "{exponential: {mean: 10 s}}"
    const char *label; // `label:` of the file, else the text without blanks: "30s"
    int64_t number;    // by the axis's kind; 0 for TEXT
    uint32_t line;     // where it stands in the sweep file, from 1
};

struct scenario_axis {
    const char *name; // unique in the sweep: `name:`, else the path's last key
    const char *path; // "config.job-event.store.write-buffer.flush-interval"; "scenario" for files
    enum scenario_axis_kind kind;
    const char *unit; // as written behind its numbers: "ns", "b", "b/s", "nano-usd", "%", or ""
    bool sampled;     // an axis of `sobol`
    const struct scenario_axis_value *values;
    uint32_t n_values;
};

struct scenario_point {
    const uint32_t *values;  // for each axis the index of its value
    const char *label;       // "min-pause=30s, store=s3"; "all" where there is no axis
    const char *scenario;    // path of its scenario file, usable from the current folder
    const char *const *sets; // what `recoup run SCENARIO --set ...` needs to be this point
    uint32_t n_sets;
    char key[SCENARIO_SWEEP_KEY_SIZE]; // hash of the resolved scenario without its seed; "" for
                                       // an excluded point, which is never resolved
};

struct scenario_replications {
    bool until; // false: `at_least` runs per point, neither more nor fewer
    uint32_t at_least;
    uint32_t at_most;
    uint32_t batch; // `until`: the interval is looked at after at_least runs, then every batch
    const struct scenario_metric *metric; // `until`; else NULL
    bool relative;                        // half_width is a share of the mean
    int64_t half_width;                   // in 1e-9, or in the metric's unit
    int64_t confidence_nano;              // 950,000,000 for 95%
};

struct scenario_sweep {
    const char *path; // of the sweep file, as given
    const char *name;
    const char *about;      // may be ""
    const char *scenario;   // path of the scenario file, usable from the current folder; "" where
                            // an axis names the files
    const char *where_text; // "" without one
    const struct scenario_axis *axes;
    uint32_t n_axes;
    const struct scenario_point *points; // the last axis varies fastest, then explicit points
    uint32_t n_points;
    const struct scenario_point *excluded; // combinations for which `where` is false
    uint32_t n_excluded;
    struct scenario_replications replications;
    bool common;          // random numbers: false is `independent`
    uint64_t seed;        // the master seed
    bool measure_delay;   // each run needs its twin without faults
    int64_t wall_time_ns; // limit of one run; 0: none. (Those of virtual time and events are
                          // part of each point: stop-at and events-max.)
    int64_t memory_bytes; // the same; 0: the machine's share
    const struct scenario_message *warnings;
    uint32_t n_warnings;
    const struct scenario_message *errors; // filled when loading fails
    uint32_t n_errors;
    bool errors_cut;
    void *memory; // owns everything above
};

// Loads and expands the sweep file at `path`. Returns SCENARIO_OK, SCENARIO_INVALID (`errors` says
// why: the sweep file's line where a value does not load) or SCENARIO_ENOMEM. `sweep` is always to
// be released. Nothing of it changes afterwards; what the files say later does not matter.
int scenario_sweep_load(struct scenario_sweep *sweep, const char *path);
// The same from text in memory; `file` is the name used in messages and the folder of paths.
int scenario_sweep_parse(struct scenario_sweep *sweep, const char *file, const char *text,
                         size_t size);
void scenario_sweep_release(struct scenario_sweep *sweep); // accepts a zeroed sweep

// --- runs ----------------------------------------------------------------------------------------

// The scenario of a point, ready to run, with `seed`. One load serves all runs of a point: between
// them scenario_reseed changes the seed. `sweep` must outlive `scenario`, which is always to be
// released. Files that the scenario names by path (a `trace:`) are read again; SCENARIO_INVALID
// with a message when what they say has changed.
int scenario_point_load(const struct scenario_sweep *sweep, const struct scenario_point *point,
                        uint64_t seed, struct scenario *scenario);

// Replication r's seed, 0 to 2^63 - 1. Under common random numbers it is the same for every point,
// else it comes from the point's key; never from a position, so that points and values may be
// inserted without changing any other run.
uint64_t scenario_replication_seed(const struct scenario_sweep *sweep,
                                   const struct scenario_point *point, uint32_t replication);
// H(master, r) and H(master, key, r): XXH3-64 of "recoup replication", the master seed, the key
// (32 digits) if there is one, and r, integers as 8 bytes little-endian, masked to 63 bits.
uint64_t scenario_seed_common(uint64_t master, uint32_t replication);
uint64_t scenario_seed_independent(uint64_t master, const char *point_key, uint32_t replication);

// The hash of a resolved scenario (struct scenario's `canonical`), its seed left out.
void scenario_point_key(const char *canonical, char key[SCENARIO_SWEEP_KEY_SIZE]);

// --- conditions (`where` and --where) ------------------------------------------------------------

// A condition over the axes of one sweep, parsed and typed.
struct scenario_where {
    const struct scenario_sweep *sweep;
    const struct scenario_message *errors;
    uint32_t n_errors;
    void *memory;
};

// Parses `text`; `name` is what messages call it ("--where"). Returns as scenario_sweep_load does.
// `where` is always to be released; `sweep` must outlive it.
int scenario_where_parse(struct scenario_where *where, const struct scenario_sweep *sweep,
                         const char *name, const char *text);
bool scenario_where_holds(const struct scenario_where *where, const struct scenario_point *point);
void scenario_where_release(struct scenario_where *where); // accepts a zeroed one

// Why the sweep's own `where` excludes a point, as a sentence: "flush-interval <= min-pause: 1 min
// <= 30 s is false". Terminated; returns the length that was wanted, as snprintf does.
size_t scenario_point_excluded_text(const struct scenario_sweep *sweep,
                                    const struct scenario_point *point, char *text, size_t size);

// --- looking before running ----------------------------------------------------------------------

// One line per axis: name, path, number of values, the values. 0, or -1 when writing failed.
int scenario_sweep_print_axes(const struct scenario_sweep *sweep, FILE *out);
// "min-pause=30s, store=s3" per line, points from <= i < to. 0 or -1.
int scenario_sweep_print_points(const struct scenario_sweep *sweep, uint32_t from, uint32_t to,
                                FILE *out);
// The command that runs one point with one seed, without "recoup": "run a.yaml --set 'x=1 s'
// --seed 7". Quoted for a shell. Terminated; returns the length that was wanted.
size_t scenario_point_command(const struct scenario_point *point, uint64_t seed, char *text,
                              size_t size);

// Every key of a sweep file: as text, as docs/sweep-reference.md, as the JSON Schema
// scenarios/sweep-schema.json (`recoup list sweep`). 0 or -1.
int scenario_sweep_print_keys(FILE *out);
int scenario_sweep_print_markdown(FILE *out);
int scenario_sweep_print_schema(FILE *out);

#endif
