// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/sensitivity.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "results/statistics.h"
#include "sim/assert.h"

// Points of a group, itself included. Two would do for random points; neighbours of a Sobol sample
// in some inputs are far apart in the others on purpose, and only a group of them is spread evenly.
#define NEIGHBOURS 8u

struct points {
    uint32_t n_inputs;
    size_t n;
    double *ranks; // [input * n + point], from 0; equal inputs share their mean rank
    size_t *order; // [input * n + place]
    const double *output;
};

// The distance of two inputs fits a double closely enough for an order.
static void rank_input(struct points *p, uint32_t input, const int64_t *values, double *scratch)
{
    size_t *order = &p->order[input * p->n];
    double *ranks = &p->ranks[input * p->n];
    size_t first = 0;

    for (size_t i = 0; i < p->n; i++) {
        scratch[i] = (double)values[i];
    }
    gsl_sort_index(order, scratch, 1, p->n);
    while (first < p->n) {
        size_t next = first + 1;

        while (next < p->n && values[order[next]] == values[order[first]]) {
            next++;
        }
        for (size_t i = first; i < next; i++) {
            ranks[order[i]] = (double)(first + next - 1) / 2.0;
        }
        first = next;
    }
}

// Sum of squares between classes of equal count along one input, freed of the part that the
// variance within them adds. Ties may fall into two classes, which only costs precision.
static double between_classes(const struct points *p, uint32_t input, double mean, double total)
{
    const size_t *order = &p->order[input * p->n];
    size_t classes = (size_t)floor(sqrt((double)p->n));
    double between = 0.0;
    double within;

    for (size_t c = 0; c < classes; c++) {
        size_t from = c * p->n / classes;
        size_t to = (c + 1) * p->n / classes;
        double sum = 0.0;

        for (size_t i = from; i < to; i++) {
            sum += p->output[order[i]] - mean;
        }
        between += sum * sum / (double)(to - from);
    }
    within = (total - between) / (double)(p->n - classes);
    return between - (double)(classes - 1) * within;
}

static double distance(const struct points *p, uint32_t left_out, size_t a, size_t b)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < p->n_inputs; i++) {
        double d = p->ranks[i * p->n + a] - p->ranks[i * p->n + b];

        sum += i == left_out ? 0.0 : d * d;
    }
    return sum;
}

// The mean variance of small groups: each point with its nearest in all inputs but one.
static double neighbour_variance(const struct points *p, uint32_t left_out)
{
    double sum = 0.0;

    for (size_t a = 0; a < p->n; a++) {
        double distances[NEIGHBOURS];
        double outputs[NEIGHBOURS];
        size_t held = 0;

        for (size_t b = 0; b < p->n; b++) {
            double d = distance(p, left_out, a, b); // 0 for the point itself
            size_t at = held;

            if (held == NEIGHBOURS && !(d < distances[held - 1])) {
                continue;
            }
            held += held < NEIGHBOURS ? 1 : 0;
            at = held - 1;
            for (; at > 0 && d < distances[at - 1]; at--) {
                distances[at] = distances[at - 1];
                outputs[at] = outputs[at - 1];
            }
            distances[at] = d;
            outputs[at] = p->output[b];
        }
        sum += gsl_stats_variance(outputs, 1, held);
    }
    return sum / (double)p->n;
}

static double clamp(double index)
{
    return index < 0.0 ? 0.0 : index > 1.0 ? 1.0 : index;
}

static void estimate(const struct points *p, double noise, struct results_sensitivity *indices)
{
    double mean = gsl_stats_mean(p->output, 1, p->n);
    double variance = gsl_stats_variance_m(p->output, 1, p->n, mean);
    double total = variance * (double)(p->n - 1);
    double signal = variance - noise;

    for (uint32_t i = 0; i < p->n_inputs; i++) {
        indices[i] = (struct results_sensitivity){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
        if (!(signal > 0.0)) {
            continue;
        }
        indices[i].first =
            clamp(between_classes(p, i, mean, total) / ((double)(p->n - 1) * signal));
        // A single input has no others to be known.
        indices[i].total =
            p->n_inputs == 1 ? 1.0 : clamp((neighbour_variance(p, i) - noise) / signal);
    }
}

bool results_sensitivity(const int64_t *const *inputs, uint32_t n_inputs, const double *output,
                         size_t n_points, double noise, struct results_sensitivity *indices)
{
    struct points p = {n_inputs, n_points, NULL, NULL, output};
    double *scratch = calloc(n_points, sizeof(*scratch));
    bool ok;

    SIM_ASSERT(n_inputs >= 1);
    SIM_ASSERT(n_points >= RESULTS_SENSITIVITY_POINTS_MIN &&
               n_points <= RESULTS_SENSITIVITY_POINTS_MAX);
    p.ranks = calloc(n_inputs * n_points, sizeof(*p.ranks));
    p.order = calloc(n_inputs * n_points, sizeof(*p.order));
    ok = scratch != NULL && p.ranks != NULL && p.order != NULL;
    if (ok) {
        for (uint32_t i = 0; i < n_inputs; i++) {
            rank_input(&p, i, inputs[i], scratch);
        }
        estimate(&p, noise, indices);
    }
    free(scratch);
    free(p.ranks);
    free(p.order);
    return ok;
}
