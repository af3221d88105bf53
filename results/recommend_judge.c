// SPDX-License-Identifier: GPL-3.0-or-later
//
// Measures every point, chooses, and compares: paired over the seeds that two points share.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "results/bootstrap.h"
#include "results/recommend_parts.h"
#include "results/warnings.h"
#include "sim/assert.h"

static int64_t value_of(const struct recommend_run *run, uint32_t bound)
{
    return bound == RECOMMEND_NONE ? run->goal : run->bounds[bound];
}

static bool sample_point(const struct recommend_point *point, uint32_t bound,
                         struct results_sample *sample)
{
    int64_t *values = malloc((point->n_runs + 1) * sizeof(*values));
    bool ok = values != NULL;

    memset(sample, 0, sizeof(*sample));
    for (uint32_t i = 0; ok && i < point->n_runs; i++) {
        values[i] = value_of(&point->runs[i], bound);
    }
    ok = ok && results_sample_init(sample, values, point->n_runs);
    free(values);
    return ok;
}

static void measure(const struct results_sample *sample, const struct recommend_bound *bound,
                    struct recommend_measured *measured)
{
    struct results_moments moments;

    switch (bound == NULL ? RECOMMEND_MEAN : bound->statistic) {
    case RECOMMEND_MEAN:
        results_sample_moments(sample, &moments);
        measured->value = moments.mean;
        results_sample_mean_interval(sample, RESULTS_CONFIDENCE, &measured->interval);
        break;
    case RECOMMEND_QUANTILE:
        measured->value = results_sample_quantile(sample, bound->share);
        results_sample_quantile_interval(sample, bound->share, RESULTS_CONFIDENCE,
                                         &measured->interval);
        break;
    case RECOMMEND_MAX:
        measured->value = (double)sample->max;
        measured->interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
        break;
    }
    measured->meets = bound == NULL || measured->value <= (double)bound->limit;
}

// The goal over the runs alone that a failure of a master hit.
static bool measure_hit(struct recommend_point *point)
{
    struct results_sample sample = {0};
    int64_t *values = malloc((point->n_runs + 1) * sizeof(*values));
    size_t n = 0;
    bool ok = values != NULL;

    for (uint32_t i = 0; ok && i < point->n_runs; i++) {
        if (point->runs[i].failed_over) {
            values[n++] = point->runs[i].goal;
        }
    }
    ok = ok && results_sample_init(&sample, values, n);
    if (ok) {
        measure(&sample, NULL, &point->goal_hit);
    }
    results_sample_release(&sample);
    free(values);
    return ok;
}

static bool measure_point(const struct recommend_question *q, struct recommend_point *point)
{
    struct results_sample sample;
    bool ok = sample_point(point, RECOMMEND_NONE, &sample);

    if (ok) {
        measure(&sample, NULL, &point->goal);
        point->warnings = results_sample_warnings(&sample);
        point->warnings |= point->n_failed_over == 0 ? RESULTS_WARNING_NO_FAILURE : 0;
    }
    results_sample_release(&sample);
    for (uint32_t i = 0; i < point->n_runs; i++) {
        point->warnings |= point->runs[i].censored ? RESULTS_WARNING_CENSORED : 0;
    }
    ok = ok && measure_hit(point);
    point->meets = point->n_unfinished == 0;
    for (uint32_t b = 0; ok && b < q->n_bounds; b++) {
        ok = sample_point(point, b, &sample);
        if (ok) {
            measure(&sample, &q->bounds[b], &point->bounds[b]);
            point->meets = point->meets && point->bounds[b].meets;
        }
        results_sample_release(&sample);
    }
    return ok;
}

// By how much of its limits a point misses: the worst bound counts, and a run that did not finish
// is worse than any.
static double distance(const struct recommend_question *q, const struct recommend_point *point)
{
    double worst = 0.0;

    for (uint32_t b = 0; b < q->n_bounds; b++) {
        double limit = (double)q->bounds[b].limit;
        double excess = point->bounds[b].value - limit;

        excess = excess / (limit > 1.0 ? limit : 1.0);
        worst = excess > worst ? excess : worst;
    }
    return worst + 1e30 * (double)point->n_unfinished / (double)point->n_runs;
}

// Of points that are equally good the one that writes less to the event store, or the first.
static bool is_better(const struct recommend_point *a, const struct recommend_point *b)
{
    return a->goal.value < b->goal.value ||
           (!(a->goal.value > b->goal.value) && a->store_bytes < b->store_bytes);
}

bool recommend_judge(struct recommendation *r)
{
    r->best = r->nearest = r->runner_up = RECOMMEND_NONE;
    for (uint32_t i = 0; i < r->n_points; i++) {
        struct recommend_point *point = &r->points[i];

        if (!measure_point(r->question, point)) {
            return false;
        }
        if (r->nearest == RECOMMEND_NONE ||
            distance(r->question, point) < distance(r->question, &r->points[r->nearest])) {
            r->nearest = i;
        }
        if (!point->meets) {
            continue;
        }
        if (r->best == RECOMMEND_NONE || is_better(point, &r->points[r->best])) {
            r->runner_up = r->best;
            r->best = i;
        } else if (r->runner_up == RECOMMEND_NONE || is_better(point, &r->points[r->runner_up])) {
            r->runner_up = i;
        }
    }
    return r->runner_up == RECOMMEND_NONE ||
           recommend_compare(r, r->runner_up, r->best, RECOMMEND_NONE, &r->runner_up_difference);
}

uint32_t recommend_equals(const struct recommendation *r)
{
    uint32_t n = 0;

    SIM_ASSERT(r->best != RECOMMEND_NONE);
    for (uint32_t i = 0; i < r->n_points; i++) {
        n += i != r->best && r->points[i].meets &&
                     !(r->points[i].goal.value > r->points[r->best].goal.value)
                 ? 1
                 : 0;
    }
    return n;
}

uint32_t recommend_answer(const struct recommendation *r)
{
    return r->best != RECOMMEND_NONE ? r->best : r->nearest;
}

// --- differences ---------------------------------------------------------------------------------

// Both lists are sorted by seed.
static size_t pair_up(const struct recommend_point *a, const struct recommend_point *b,
                      uint32_t bound, int64_t *left, int64_t *right)
{
    size_t n = 0;
    uint32_t j = 0;

    for (uint32_t i = 0; i < a->n_runs; i++) {
        while (j < b->n_runs && b->runs[j].seed < a->runs[i].seed) {
            j++;
        }
        if (j < b->n_runs && b->runs[j].seed == a->runs[i].seed) {
            left[n] = value_of(&a->runs[i], bound);
            right[n++] = value_of(&b->runs[j++], bound);
        }
    }
    return n;
}

static bool compare_paired(const int64_t *left, const int64_t *right, size_t n,
                           struct recommend_difference *d)
{
    struct results_pairs pairs;
    struct results_pairs_tests tests;
    struct results_moments moments;
    bool ok = results_pairs_init(&pairs, left, right, n);

    if (ok) {
        results_sample_moments(&pairs.differences, &moments);
        d->n = n;
        d->mean = moments.mean;
        d->runs_independent = pairs.runs_independent;
        results_sample_mean_interval(&pairs.differences, RESULTS_CONFIDENCE, &d->t);
        ok = results_bootstrap_mean(&pairs.differences, RESULTS_CONFIDENCE, &d->bootstrap) &&
             results_pairs_test(&pairs, &tests);
        d->wilcoxon = tests.wilcoxon;
    }
    results_pairs_release(&pairs);
    return ok;
}

// Two samples without common seeds: Welch's interval.
static bool compare_independent(const struct recommend_point *a, const struct recommend_point *b,
                                uint32_t bound, struct recommend_difference *d)
{
    struct results_sample left = {0};
    struct results_sample right = {0};
    bool ok = sample_point(a, bound, &left) && sample_point(b, bound, &right);

    if (ok) {
        results_difference_interval(&left, &right, RESULTS_CONFIDENCE, &d->mean, &d->t);
    }
    results_sample_release(&left);
    results_sample_release(&right);
    return ok;
}

static bool excludes_zero(const struct results_interval *interval)
{
    return interval->low > 0.0 || interval->high < 0.0;
}

bool recommend_compare(const struct recommendation *r, uint32_t point, uint32_t other,
                       uint32_t bound, struct recommend_difference *d)
{
    const struct recommend_point *a = &r->points[point];
    const struct recommend_point *b = &r->points[other];
    int64_t *left = malloc((a->n_runs + 1) * sizeof(*left));
    int64_t *right = malloc((a->n_runs + 1) * sizeof(*right));
    bool ok = left != NULL && right != NULL;

    memset(d, 0, sizeof(*d));
    d->bootstrap = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    d->t = d->bootstrap;
    d->wilcoxon = d->runs_independent = RESULTS_UNKNOWN;
    if (ok) {
        size_t n = r->common ? pair_up(a, b, bound, left, right) : 0;

        ok = n > 0 ? compare_paired(left, right, n, d) : compare_independent(a, b, bound, d);
    }
    d->certain = excludes_zero(&d->t) && (isnan(d->bootstrap.low) || excludes_zero(&d->bootstrap));
    free(left);
    free(right);
    return ok;
}

// --- resamples -----------------------------------------------------------------------------------

struct resampling {
    uint32_t *weights; // of each seed in the current resample
    uint32_t **orders; // [bound]: runs of all points, each point's by that value
    uint32_t *offsets; // of each point in them
    double *goals;     // of each point in the current resample; NAN: it does not keep the bounds
};

static double weighted_mean(const struct recommend_point *point, const uint32_t *weights,
                            uint32_t bound, uint64_t *total)
{
    double sum = 0.0;
    uint64_t n = 0;

    for (uint32_t i = 0; i < point->n_runs; i++) {
        uint32_t weight = weights[point->runs[i].seed];

        sum += weight * (double)value_of(&point->runs[i], bound);
        n += weight;
    }
    *total = n;
    return n > 0 ? sum / (double)n : HUGE_VAL;
}

// As gsl_stats_quantile_from_sorted_data over the values, each as often as its weight.
static double weighted_quantile(const struct recommend_point *point, const uint32_t *order,
                                const uint32_t *weights, uint32_t bound, double share,
                                uint64_t total)
{
    double position = share * (double)(total - 1);
    uint64_t left = (uint64_t)position;
    double fraction = position - (double)left;
    double low = 0.0;
    uint64_t seen = 0;
    bool found = false;

    for (uint32_t i = 0; i < point->n_runs; i++) {
        const struct recommend_run *run = &point->runs[order[i]];

        seen += weights[run->seed];
        if (!found && seen > left) {
            low = (double)value_of(run, bound);
            found = true;
        }
        if (seen > left + 1 || (found && seen == total)) {
            return (1.0 - fraction) * low + fraction * (double)value_of(run, bound);
        }
    }
    return low;
}

static bool meets(const struct recommend_question *q, const struct recommend_point *point,
                  const struct resampling *s, uint32_t offset)
{
    for (uint32_t i = 0; point->n_unfinished > 0 && i < point->n_runs; i++) {
        if (!point->runs[i].finished && s->weights[point->runs[i].seed] > 0) {
            return false;
        }
    }
    for (uint32_t b = 0; b < q->n_bounds; b++) {
        const struct recommend_bound *bound = &q->bounds[b];
        uint64_t total;
        double value = weighted_mean(point, s->weights, b, &total);

        if (total > 0 && bound->statistic != RECOMMEND_MEAN) {
            double share = bound->statistic == RECOMMEND_MAX ? 1.0 : bound->share;

            value = weighted_quantile(point, &s->orders[b][offset], s->weights, b, share, total);
        }
        if (!(value <= (double)bound->limit)) {
            return false;
        }
    }
    return true;
}

static void judge_resample(struct recommendation *r, const struct resampling *s)
{
    double least = HUGE_VAL;
    bool any = false;

    for (uint32_t i = 0; i < r->n_points; i++) {
        struct recommend_point *point = &r->points[i];
        uint64_t total;
        double goal = weighted_mean(point, s->weights, RECOMMEND_NONE, &total);

        s->goals[i] = RESULTS_UNKNOWN;
        if (total > 0 && meets(r->question, point, s, s->offsets[i])) {
            s->goals[i] = goal;
            least = !any || goal < least ? goal : least;
            any = true;
            point->kept++;
        }
    }
    for (uint32_t i = 0; i < r->n_points; i++) {
        r->points[i].wins += s->goals[i] <= least ? 1 : 0; // several, where they are equal
    }
    r->none_met += any ? 0 : 1;
}

static bool sort_runs(struct recommendation *r, uint32_t bound, const uint32_t *offsets,
                      uint32_t *order)
{
    for (uint32_t i = 0; i < r->n_points; i++) {
        const struct recommend_point *point = &r->points[i];
        uint32_t *runs = &order[offsets[i]];
        struct results_sample sample;
        bool ok = sample_point(point, bound, &sample);

        ok = ok && results_sample_order(&sample, runs);
        results_sample_release(&sample);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool prepare(struct recommendation *r, struct resampling *s)
{
    const struct recommend_question *q = r->question;
    uint32_t n = 0;

    s->weights = recommend_alloc(r, r->n_seeds, sizeof(*s->weights));
    s->offsets = recommend_alloc(r, r->n_points, sizeof(*s->offsets));
    s->orders = recommend_alloc(r, RECOMMEND_BOUNDS_MAX, sizeof(*s->orders));
    s->goals = recommend_alloc(r, r->n_points, sizeof(*s->goals));
    if (s->weights == NULL || s->offsets == NULL || s->orders == NULL || s->goals == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < r->n_points; i++) {
        s->offsets[i] = n;
        n += r->points[i].n_runs;
    }
    for (uint32_t b = 0; b < q->n_bounds; b++) {
        s->orders[b] = recommend_alloc(r, n, sizeof(*s->orders[b]));
        if (s->orders[b] == NULL || !sort_runs(r, b, s->offsets, s->orders[b])) {
            return false;
        }
    }
    return true;
}

// A resample is a list of seeds, drawn with replacement, that all points share: what one world did
// to all of them stays together.
bool recommend_resample(struct recommendation *r)
{
    struct results_resampler resampler;
    struct resampling s;
    bool ok = results_resampler_init(&resampler) && prepare(r, &s);

    for (uint32_t b = 0; ok && b < RECOMMEND_RESAMPLES; b++) {
        memset(s.weights, 0, r->n_seeds * sizeof(*s.weights));
        for (uint32_t i = 0; i < r->n_seeds; i++) {
            s.weights[results_resampler_pick(&resampler, b, i, r->n_seeds)]++;
        }
        judge_resample(r, &s);
    }
    results_resampler_release(&resampler);
    return ok;
}
