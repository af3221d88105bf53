// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which point of a sweep to take: the one with the least of what is minimized among those that keep
// to the bounds, how sure that is, what its neighbours would give, and the lines of Flink's
// configuration that follow from it. docs/recommend.md tells how it is found and when it misleads.
#ifndef RECOUP_RESULTS_RECOMMEND_H
#define RECOUP_RESULTS_RECOMMEND_H

#include "models/result.h"
#include "results/database.h"
#include "results/factorial.h"
#include "results/page.h"
#include "results/sensitivity.h"
#include "results/statistics.h"
#include "scenarios/metrics.h"
#include "sim/arena.h"

#define RECOMMEND_BOUNDS_MAX 8u
#define RECOMMEND_TERMS_MAX 8u
#define RECOMMEND_TEXT 160u
#define RECOMMEND_AXES_MAX RESULTS_FACTORS_MAX
#define RECOMMEND_RESAMPLES 2000u
#define RECOMMEND_NONE UINT32_MAX

// --- what is asked (recommend_ask.c) -------------------------------------------------------------

enum recommend_statistic { RECOMMEND_MEAN, RECOMMEND_QUANTILE, RECOMMEND_MAX };

struct recommend_bound { // 'METRIC [mean|max|pN] VALUE'
    const struct scenario_metric *metric;
    enum recommend_statistic statistic;
    double share;              // QUANTILE: 0.95 for p95
    int64_t limit;             // at most, in the metric's unit
    char text[RECOMMEND_TEXT]; // "delay p95"
};

struct recommend_term { // of a price: metric times nano-USD
    const struct scenario_metric *metric;
    double nanousd; // per ns, byte, or piece
};

// Always the mean over runs: of one metric in its unit, or of a price in nano-USD.
struct recommend_goal {
    bool priced;
    uint32_t n_terms;
    struct recommend_term terms[RECOMMEND_TERMS_MAX];
    char text[RECOMMEND_TEXT];
    const char *unit; // "ns", "bytes", "count", "nano-usd"
};

struct recommend_question {
    const char *sweep;   // a name, or the beginning of a key; NULL: the only one
    const char *profile; // points of this one alone; NULL: of all
    uint32_t n_bounds;
    struct recommend_bound bounds[RECOMMEND_BOUNDS_MAX];
    struct recommend_goal goal;
};

// Both return true; else `message` says what is wrong with `text`.
bool recommend_parse_bound(const char *text, struct recommend_bound *bound,
                           struct results_text *message);
bool recommend_parse_goal(const char *text, struct recommend_goal *goal,
                          struct results_text *message);

// --- what there is (recommend_read.c) ------------------------------------------------------------

struct recommend_run {
    uint32_t seed; // index into the seeds of the sweep
    bool finished; // FINISHED; else it keeps to no bound
    bool censored; // TIMEOUT
    bool failed_over;
    int64_t goal; // nano-USD where it is a price
    int64_t bounds[RECOMMEND_BOUNDS_MAX];
};

struct recommend_measured { // one number over the runs of a point
    double value;
    struct results_interval interval; // 95 %
    bool meets;                       // of a bound
};

struct recommend_point {
    int64_t id;
    const char *label; // never empty
    const char *profile;
    const char *command;        // repeats it: "run a.yaml --set ..."; "" where it is not known
    const uint32_t *levels;     // of each axis; RECOMMEND_NONE: none
    struct recommend_run *runs; // by seed
    uint32_t n_runs;
    uint32_t n_unfinished;
    uint32_t n_failed_over;
    struct recommend_measured goal;
    struct recommend_measured goal_hit; // over the runs that a failure hit; NAN without any
    struct recommend_measured bounds[RECOMMEND_BOUNDS_MAX];
    bool meets;        // every run finished, and all bounds are kept
    unsigned warnings; // of the goal's runs
    double store_bytes; // mean of a run: of points that are equally good, the least is taken
    uint32_t wins;      // resamples in which no other is better
    uint32_t kept;     // resamples in which it meets
};

struct recommend_level {
    const char *text; // "30 s"
    int64_t number;
};

struct recommend_axis {
    int64_t id;
    const char *name;
    const char *path;
    bool numeric;
    bool sampled; // every point has another value: a Sobol sample, say
    const char *unit;
    uint32_t n_levels;
    struct recommend_level *levels; // ascending where they are numbers
};

struct recommend_difference { // point less the best, in the goal or a bound's metric
    uint64_t n;               // pairs; 0: the points share no seeds
    double mean;
    struct results_interval t;
    struct results_interval bootstrap; // NAN without pairs
    double wilcoxon;                   // probability; NAN without pairs
    double runs_independent;           // see struct results_pairs
    bool certain;                      // both intervals exclude zero
};

struct recommend_neighbour {
    uint32_t axis;
    uint32_t point;
    struct recommend_difference goal;
};

struct recommend_line { // an axis that is a key of Flink
    uint32_t axis;
    char value[RECOMMEND_TEXT]; // in Flink's syntax
    const char *fallback;       // Flink's default, in the scenario's syntax
    uint32_t reference;         // the point that it is compared with; RECOMMEND_NONE: none
    bool is_default;
    const char *because; // what is better: "delay"; NULL: nothing for certain
};

struct recommend_cause {
    enum model_cause cause;
    double ns; // mean per run
};

struct recommend_finding { // a broken invariant
    const char *invariant;
    const char *hazard; // of the active policy that permits it; "": a bug
    uint32_t runs;
};

struct recommendation {
    struct sim_arena arena; // owns everything below
    struct results_database database;
    const struct recommend_question *question; // borrowed
    int64_t sweep_id;
    const char *sweep;
    const char *about;
    bool common; // points share seeds: differences are paired
    uint32_t n_axes;
    struct recommend_axis *axes;
    uint32_t n_points; // with runs
    struct recommend_point *points;
    uint32_t n_without_runs; // points left out
    uint32_t n_seeds;
    const int64_t *seeds;
    const char *versions; // of recoup, joined by ", "
    const char *scenario; // canonical text of the answer's point
    // The answer.
    uint32_t best;      // RECOMMEND_NONE: no point meets what is asked
    uint32_t nearest;   // then the one that misses by least
    uint32_t runner_up; // RECOMMEND_NONE: no other meets
    struct recommend_difference runner_up_difference;
    uint32_t none_met; // resamples in which no point met
    struct recommend_neighbour *neighbours;
    uint32_t n_neighbours;
    struct recommend_line *lines;
    uint32_t n_lines;
    struct results_factorial effects;    // n_effects is 0 where there is nothing to tell
    bool too_large;                      // for an analysis of variance
    struct results_sensitivity *indices; // of each axis of a sample; else NULL
    struct recommend_cause causes[MODEL_CAUSE_COUNT]; // of the answer's point, most first
    uint32_t n_causes;
    struct recommend_finding *findings; // of the answer's point, most runs first
    uint32_t n_findings;
    double phases[MODEL_PHASE_COUNT]; // mean ns per run of the answer's point
    double outage;
};

enum recommend_status {
    RECOMMEND_FOUND,
    RECOMMEND_NO_POINT, // none meets the bounds; `nearest` does so by least
    RECOMMEND_USAGE,    // `database.message`: no such sweep, several, no runs, not measured
    RECOMMEND_OUTSIDE   // `database.message`: the file, or memory
};

// Answers the question from the database at `path`, which is never changed. To be released always.
enum recommend_status recommend(struct recommendation *r, const char *path,
                                const struct recommend_question *question);
void recommendation_release(struct recommendation *r); // accepts a zeroed one

// --- how it is told ------------------------------------------------------------------------------

void recommend_text(const struct recommendation *r, const struct results_style *style,
                    struct results_text *text);
void recommend_json(const struct recommendation *r, struct results_text *text);
// What can be done about a cause of lost work, as the rest of a sentence.
const char *recommend_remedy(enum model_cause cause);

#endif
