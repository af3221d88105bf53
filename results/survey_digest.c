// SPDX-License-Identifier: GPL-3.0-or-later
//
// What follows from the runs of a survey: means with intervals (Student's t, as in table
// `summary`), paired differences, the front, the best and the worst point.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "results/statistics.h"
#include "results/survey_parts.h"
#include "sim/assert.h"

#define CONFIDENCE 0.95 // as in table `summary`

void survey_estimate(struct survey_estimate *estimate, double *values, uint32_t n)
{
    uint32_t known = 0;

    *estimate = (struct survey_estimate){.low = (double)NAN, .high = (double)NAN};
    for (uint32_t i = 0; i < n; i++) {
        if (isfinite(values[i])) {
            values[known++] = values[i];
        }
    }
    if (known == 0) {
        return;
    }
    gsl_sort(values, 1, known);
    estimate->n = known;
    estimate->mean = gsl_stats_mean(values, 1, known);
    estimate->p50 = gsl_stats_quantile_from_sorted_data(values, 1, known, 0.5);
    estimate->p95 = gsl_stats_quantile_from_sorted_data(values, 1, known, 0.95);
    estimate->max = values[known - 1];
    if (known > 1) {
        double sd = gsl_stats_sd_m(values, 1, known, estimate->mean);
        double half = results_t_half_width(sd, known, CONFIDENCE);

        estimate->low = estimate->mean - half;
        estimate->high = estimate->mean + half;
    }
}

static uint32_t largest_point(const struct survey *survey)
{
    uint32_t largest = 0;

    for (uint32_t i = 0; i < survey->n_points; i++) {
        largest = survey->points[i].n_runs > largest ? survey->points[i].n_runs : largest;
    }
    return largest;
}

static void estimate_point(struct survey_point *point, double *values)
{
    for (uint32_t m = 0; m < SURVEY_METRICS; m++) {
        uint32_t hit = 0;

        for (uint32_t i = 0; i < point->n_runs; i++) {
            values[i] = point->runs[i].values[m];
        }
        survey_estimate(&point->all[m], values, point->n_runs);
        for (uint32_t i = 0; i < point->n_runs; i++) {
            if (point->runs[i].failovers > 0) {
                values[hit++] = point->runs[i].values[m];
            }
        }
        survey_estimate(&point->hit[m], values, hit);
    }
}

void survey_difference(const struct survey *survey, uint32_t a, uint32_t b,
                       enum survey_metric metric, struct survey_estimate *difference)
{
    const struct survey_point *p = &survey->points[a];
    const struct survey_point *q = &survey->points[b];
    uint32_t room = p->n_runs < q->n_runs ? p->n_runs : q->n_runs;
    double *values = malloc(((size_t)room + 1) * sizeof(*values));
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;

    while (values != NULL && i < p->n_runs && j < q->n_runs) {
        if (p->runs[i].seed == q->runs[j].seed) {
            values[n++] = p->runs[i++].values[metric] - q->runs[j++].values[metric];
        } else if (p->runs[i].seed < q->runs[j].seed) {
            i++;
        } else {
            j++;
        }
    }
    // Without memory there is no difference to be told, as without common seeds.
    *difference = (struct survey_estimate){.n = 0};
    if (values != NULL) {
        survey_estimate(difference, values, n);
    }
    free(values);
}

// --- averages over points ------------------------------------------------------------------------

static bool same_seeds(const struct survey_point *a, const struct survey_point *b)
{
    bool same = a->n_runs == b->n_runs;

    for (uint32_t i = 0; same && i < a->n_runs; i++) {
        same = a->runs[i].seed == b->runs[i].seed;
    }
    return same;
}

// Adds `weight` times each run's value, averaged over the points, to values[run].
static void add_runs(const struct survey *survey, const uint32_t *points, uint32_t n,
                     enum survey_metric metric, double weight, double *values)
{
    for (uint32_t p = 0; p < n; p++) {
        const struct survey_point *point = &survey->points[points[p]];

        for (uint32_t i = 0; i < point->n_runs; i++) {
            values[i] += weight * point->runs[i].values[metric] / n;
        }
    }
}

static void average_paired(const struct survey *survey, const uint32_t *points, uint32_t n,
                           const uint32_t *others, uint32_t n_others, enum survey_metric metric,
                           struct survey_estimate *estimate)
{
    uint32_t runs = survey->points[points[0]].n_runs;
    double *values = calloc((size_t)runs + 1, sizeof(*values));

    *estimate = (struct survey_estimate){.n = 0};
    if (values != NULL) {
        add_runs(survey, points, n, metric, 1, values);
        add_runs(survey, others, n_others, metric, -1, values);
        survey_estimate(estimate, values, runs);
    }
    free(values);
}

// Means of different draws: their variances add up. The interval is the normal one.
static void average_independent(const struct survey *survey, const uint32_t *points, uint32_t n,
                                enum survey_metric metric, struct survey_estimate *estimate)
{
    double variance = 0;
    uint32_t known = 0;

    *estimate = (struct survey_estimate){.low = (double)NAN, .high = (double)NAN};
    for (uint32_t p = 0; p < n; p++) {
        const struct survey_estimate *one = &survey->points[points[p]].all[metric];
        double half = (one->high - one->mean) / 1.96;

        if (one->n == 0) {
            continue;
        }
        known++;
        estimate->n += one->n;
        estimate->mean += one->mean;
        estimate->p50 += one->p50;
        estimate->p95 += one->p95;
        estimate->max = one->max > estimate->max ? one->max : estimate->max;
        variance += half * half;
    }
    if (known > 0) {
        estimate->mean /= known;
        estimate->p50 /= known;
        estimate->p95 /= known;
        estimate->low = estimate->mean - 1.96 * sqrt(variance) / known;
        estimate->high = estimate->mean + 1.96 * sqrt(variance) / known;
    }
}

void survey_average(const struct survey *survey, const uint32_t *points, uint32_t n,
                    enum survey_metric metric, struct survey_estimate *estimate)
{
    *estimate = (struct survey_estimate){.n = 0};
    if (n == 1) {
        *estimate = survey->points[points[0]].all[metric];
    } else if (n > 1 && survey->common_seeds) {
        average_paired(survey, points, n, NULL, 0, metric, estimate);
    } else if (n > 1) {
        average_independent(survey, points, n, metric, estimate);
    }
}

void survey_average_difference(const struct survey *survey, const uint32_t *points, uint32_t n,
                               const uint32_t *others, uint32_t n_others, enum survey_metric metric,
                               struct survey_estimate *estimate)
{
    struct survey_estimate other;

    *estimate = (struct survey_estimate){.n = 0};
    if (n == 0 || n_others == 0) {
        return;
    }
    if (survey->common_seeds) {
        average_paired(survey, points, n, others, n_others, metric, estimate);
        return;
    }
    survey_average(survey, points, n, metric, estimate);
    survey_average(survey, others, n_others, metric, &other);
    if (estimate->n > 0 && other.n > 0) {
        double half =
            sqrt(pow(estimate->high - estimate->mean, 2) + pow(other.high - other.mean, 2));

        estimate->mean -= other.mean;
        estimate->low = estimate->mean - half;
        estimate->high = estimate->mean + half;
    } else {
        estimate->n = 0;
    }
}

// --- the front -----------------------------------------------------------------------------------

static bool dominates(const struct survey_point *a, const struct survey_point *b,
                      enum survey_metric io)
{
    double lost = a->all[SURVEY_LOST_WORK].mean - b->all[SURVEY_LOST_WORK].mean;
    double cost = a->all[io].mean - b->all[io].mean;

    return lost <= 0 && cost <= 0 && (lost < 0 || cost < 0);
}

// Whether it is certain that `a` needs no more of the metric than `b`.
static bool surely_no_more(const struct survey *survey, uint32_t a, uint32_t b,
                           enum survey_metric metric)
{
    struct survey_estimate difference;

    survey_difference(survey, a, b, metric, &difference);
    if (difference.n > 1) {
        return difference.high <= 0;
    }
    if (difference.n == 1) {
        return false; // one pair says nothing of the spread
    }
    return survey->points[a].all[metric].high <= survey->points[b].all[metric].low;
}

static bool is_near(const struct survey *survey, uint32_t point, enum survey_metric io)
{
    for (uint32_t i = 0; i < survey->n_points; i++) {
        if (survey->points[i].front[io] &&
            dominates(&survey->points[i], &survey->points[point], io) &&
            surely_no_more(survey, i, point, SURVEY_LOST_WORK) &&
            surely_no_more(survey, i, point, io)) {
            return false;
        }
    }
    return true;
}

// By a sweep over the points in order of the metric: the front is where lost work sinks.
bool survey_mark_front(struct survey *survey, enum survey_metric io)
{
    double *cost = malloc(((size_t)survey->n_points + 1) * sizeof(*cost));
    size_t *order = malloc(((size_t)survey->n_points + 1) * sizeof(*order));
    bool done = cost != NULL && order != NULL;

    for (uint32_t i = 0; done && i < survey->n_points; i++) {
        cost[i] = survey->points[i].all[io].mean;
    }
    if (done) {
        double least = (double)INFINITY; // lost work of the cheaper ones
        uint32_t i = 0;

        gsl_sort_index(order, cost, 1, survey->n_points);
        while (i < survey->n_points) {
            double level = cost[order[i]];
            double here = (double)INFINITY;
            uint32_t end = i;

            for (; end < survey->n_points && cost[order[end]] <= level; end++) {
                const struct survey_point *point = &survey->points[order[end]];

                if (point->n_runs > 0 && point->all[SURVEY_LOST_WORK].mean < here) {
                    here = point->all[SURVEY_LOST_WORK].mean;
                }
            }
            for (; i < end; i++) {
                struct survey_point *point = &survey->points[order[i]];

                point->front[io] =
                    point->n_runs > 0 && here < least && point->all[SURVEY_LOST_WORK].mean <= here;
            }
            least = here < least ? here : least;
        }
    }
    for (uint32_t i = 0; done && i < survey->n_points; i++) {
        survey->points[i].near[io] =
            !survey->points[i].front[io] && survey->points[i].n_runs > 0 && is_near(survey, i, io);
    }
    free(cost);
    free(order);
    return done;
}

// --- all of it -----------------------------------------------------------------------------------

// Of points that lose the same the one that writes less, or the first.
static bool loses_less(const struct survey_point *a, const struct survey_point *b)
{
    double x = a->all[SURVEY_LOST_WORK].mean;
    double y = b->all[SURVEY_LOST_WORK].mean;

    return x < y || (!(x > y) && a->all[SURVEY_BYTES].mean < b->all[SURVEY_BYTES].mean);
}

static void count_points(struct survey *survey)
{
    const struct survey_point *first = NULL;

    survey->common_seeds = true;
    survey->best = SURVEY_NONE;
    survey->worst = SURVEY_NONE;
    for (uint32_t i = 0; i < survey->n_points; i++) {
        const struct survey_point *point = &survey->points[i];
        double lost = point->all[SURVEY_LOST_WORK].mean;

        if (point->n_runs == 0) {
            survey->common_seeds = false;
            continue;
        }
        first = first == NULL ? point : first;
        survey->common_seeds = survey->common_seeds && same_seeds(first, point);
        survey->n_failover_runs += point->n_failover;
        survey->n_censored += point->n_states[MODEL_JOB_TIMEOUT];
        survey->n_failed +=
            point->n_states[MODEL_JOB_FAILED] + point->n_states[MODEL_JOB_SUSPENDED];
        if (survey->best == SURVEY_NONE || loses_less(point, &survey->points[survey->best])) {
            survey->best = i;
        }
        if (survey->worst == SURVEY_NONE ||
            lost > survey->points[survey->worst].all[SURVEY_LOST_WORK].mean) {
            survey->worst = i;
        }
    }
}

static void find_seeds(struct survey *survey)
{
    survey->seeds_min = UINT64_MAX;
    for (uint32_t i = 0; i < survey->n_points; i++) {
        const struct survey_point *point = &survey->points[i];

        if (point->n_runs > 0) {
            uint64_t first = (uint64_t)point->runs[0].seed;
            uint64_t last = (uint64_t)point->runs[point->n_runs - 1].seed;

            survey->seeds_min = first < survey->seeds_min ? first : survey->seeds_min;
            survey->seeds_max = last > survey->seeds_max ? last : survey->seeds_max;
        }
    }
}

// The causes that occurred, by their lost work over all points.
static void rank_causes(struct survey *survey)
{
    double sums[MODEL_CAUSE_COUNT] = {0};

    for (uint32_t i = 0; i < survey->n_points; i++) {
        for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
            sums[c] += survey->points[i].causes[c];
        }
    }
    for (uint32_t n = 0; n < MODEL_CAUSE_COUNT; n++) {
        uint32_t most = 0;

        for (uint32_t c = 1; c < MODEL_CAUSE_COUNT; c++) {
            most = sums[c] > sums[most] ? c : most;
        }
        if (sums[most] <= 0) {
            break;
        }
        survey->causes[survey->n_causes++] = most;
        sums[most] = 0;
    }
}

bool survey_digest(struct survey *survey)
{
    double *values = malloc(((size_t)largest_point(survey) + 1) * sizeof(*values));

    if (values == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < survey->n_points; i++) {
        estimate_point(&survey->points[i], values);
    }
    free(values);
    count_points(survey);
    find_seeds(survey);
    rank_causes(survey);
    return survey_mark_front(survey, SURVEY_BYTES) && survey_mark_front(survey, SURVEY_REQUESTS) &&
           survey_mark_front(survey, SURVEY_COST);
}
