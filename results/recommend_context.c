// SPDX-License-Identifier: GPL-3.0-or-later
//
// What stands around the answer: its neighbours along each axis, and which axis matters at all.
#include <stdlib.h>
#include <string.h>

#include "results/recommend_parts.h"
#include "sim/assert.h"

uint32_t recommend_point_at(const struct recommendation *r, uint32_t point, uint32_t axis,
                            uint32_t level)
{
    for (uint32_t i = 0; i < r->n_points; i++) {
        bool same = r->points[i].levels[axis] == level;

        for (uint32_t a = 0; same && a < r->n_axes; a++) {
            same = a == axis || r->points[i].levels[a] == r->points[point].levels[a];
        }
        if (same && i != point) {
            return i;
        }
    }
    return RECOMMEND_NONE;
}

static bool add_neighbour(struct recommendation *r, uint32_t axis, uint32_t point)
{
    struct recommend_neighbour *n = &r->neighbours[r->n_neighbours++];

    n->axis = axis;
    n->point = point;
    return recommend_compare(r, point, recommend_answer(r), RECOMMEND_NONE, &n->goal);
}

// The nearest point that there is, below (step -1) or above.
static bool add_beside(struct recommendation *r, uint32_t axis, int step)
{
    uint32_t answer = recommend_answer(r);
    uint32_t level = r->points[answer].levels[axis];

    if (level == RECOMMEND_NONE) {
        return true;
    }
    while (step < 0 ? level > 0 : level + 1 < r->axes[axis].n_levels) {
        uint32_t point;

        level = step < 0 ? level - 1 : level + 1;
        point = recommend_point_at(r, answer, axis, level);
        if (point != RECOMMEND_NONE) {
            return add_neighbour(r, axis, point);
        }
    }
    return true;
}

static bool add_others(struct recommendation *r, uint32_t axis)
{
    bool ok = true;

    for (uint32_t level = 0; ok && level < r->axes[axis].n_levels; level++) {
        uint32_t point = recommend_point_at(r, recommend_answer(r), axis, level);

        ok = point == RECOMMEND_NONE || add_neighbour(r, axis, point);
    }
    return ok;
}

bool recommend_find_neighbours(struct recommendation *r)
{
    size_t most = 0;
    bool ok = true;

    for (uint32_t axis = 0; axis < r->n_axes; axis++) {
        most += r->axes[axis].numeric ? 2 : r->axes[axis].n_levels;
    }
    r->neighbours = recommend_alloc(r, most, sizeof(*r->neighbours));
    if (r->neighbours == NULL) {
        return false;
    }
    for (uint32_t axis = 0; ok && axis < r->n_axes; axis++) {
        if (r->axes[axis].sampled) {
            continue;
        }
        if (r->axes[axis].numeric) {
            ok = add_beside(r, axis, -1) && add_beside(r, axis, 1);
        } else {
            ok = add_others(r, axis);
        }
    }
    return ok;
}

// --- which axis matters --------------------------------------------------------------------------

// The goal of every point in the same runs: those whose seed all points have, or as many of each
// as all have.
struct table {
    int64_t *values; // [point * n_runs + run]
    uint32_t n_runs;
    bool blocks;
};

// Whether the run before it has the same seed (one with and one without invariants, say).
static bool repeats(const struct recommend_point *point, uint32_t run)
{
    return run > 0 && point->runs[run - 1].seed == point->runs[run].seed;
}

static bool common_runs(struct recommendation *r, struct table *table, uint32_t *held)
{
    table->n_runs = 0;
    for (uint32_t i = 0; i < r->n_points; i++) {
        for (uint32_t k = 0; k < r->points[i].n_runs; k++) {
            held[r->points[i].runs[k].seed] += repeats(&r->points[i], k) ? 0 : 1;
        }
    }
    for (uint32_t seed = 0; seed < r->n_seeds; seed++) {
        table->n_runs += held[seed] == r->n_points ? 1 : 0;
    }
    table->blocks = table->n_runs > 0;
    for (uint32_t i = 0; !table->blocks && i < r->n_points; i++) {
        uint32_t n = r->points[i].n_runs;

        table->n_runs = i == 0 || n < table->n_runs ? n : table->n_runs;
    }
    table->values = recommend_alloc(r, (size_t)r->n_points * table->n_runs, sizeof(int64_t));
    return table->values != NULL;
}

static bool fill_table(struct recommendation *r, struct table *table)
{
    uint32_t *held = recommend_alloc(r, r->n_seeds, sizeof(*held));

    if (held == NULL || !common_runs(r, table, held)) {
        return false;
    }
    for (uint32_t i = 0; i < r->n_points; i++) {
        const struct recommend_point *point = &r->points[i];
        uint32_t n = 0;

        for (uint32_t k = 0; k < point->n_runs && n < table->n_runs; k++) {
            if (!table->blocks ||
                (held[point->runs[k].seed] == r->n_points && !repeats(point, k))) {
                table->values[(size_t)i * table->n_runs + n++] = point->runs[k].goal;
            }
        }
        SIM_ASSERT(n == table->n_runs);
    }
    return true;
}

// The variance of a point's mean that is neither the point's own nor its seeds'.
static double noise_of_means(const struct recommendation *r, const struct table *table,
                             const double *means)
{
    double n = (double)table->n_runs;
    double points = (double)r->n_points;
    double grand = 0.0;
    double sum = 0.0;

    if (table->n_runs < 2) {
        return 0.0;
    }
    for (uint32_t i = 0; i < r->n_points; i++) {
        grand += means[i] / points;
    }
    for (uint32_t run = 0; run < table->n_runs; run++) {
        double block = 0.0;

        for (uint32_t i = 0; table->blocks && i < r->n_points; i++) {
            block += (double)table->values[(size_t)i * table->n_runs + run] / points;
        }
        block = table->blocks ? block - grand : 0.0;
        for (uint32_t i = 0; i < r->n_points; i++) {
            double off = (double)table->values[(size_t)i * table->n_runs + run] - means[i] - block;

            sum += off * off;
        }
    }
    return sum / ((table->blocks ? points - 1.0 : points) * (n - 1.0)) / n;
}

static bool find_indices(struct recommendation *r, const struct table *table)
{
    const int64_t **inputs = recommend_alloc(r, r->n_axes, sizeof(*inputs));
    double *means = recommend_alloc(r, r->n_points, sizeof(*means));

    r->indices = recommend_alloc(r, r->n_axes, sizeof(*r->indices));
    if (inputs == NULL || means == NULL || r->indices == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < r->n_points; i++) {
        for (uint32_t run = 0; run < table->n_runs; run++) {
            means[i] += (double)table->values[(size_t)i * table->n_runs + run] / table->n_runs;
        }
    }
    for (uint32_t axis = 0; axis < r->n_axes; axis++) {
        int64_t *input = recommend_alloc(r, r->n_points, sizeof(*input));

        if (input == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < r->n_points; i++) {
            input[i] = r->axes[axis].levels[r->points[i].levels[axis]].number;
        }
        inputs[axis] = input;
    }
    return results_sensitivity(inputs, r->n_axes, means, r->n_points,
                               noise_of_means(r, table, means), r->indices);
}

static bool analyse(struct recommendation *r, const struct table *table)
{
    struct results_factor *factors = recommend_alloc(r, r->n_axes, sizeof(*factors));
    enum results_factorial_status status;

    if (factors == NULL) {
        return false;
    }
    for (uint32_t axis = 0; axis < r->n_axes; axis++) {
        uint32_t *levels = recommend_alloc(r, r->n_points, sizeof(*levels));

        if (levels == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < r->n_points; i++) {
            levels[i] = r->points[i].levels[axis];
        }
        factors[axis] = (struct results_factor){r->axes[axis].name, r->axes[axis].n_levels, levels};
    }
    status = results_factorial_analyse(factors, r->n_axes, table->values, r->n_points,
                                       table->n_runs, table->blocks, &r->effects);
    r->too_large = status == RESULTS_FACTORIAL_TOO_LARGE;
    return status != RESULTS_FACTORIAL_NO_MEMORY;
}

bool recommend_find_effects(struct recommendation *r)
{
    struct table table;
    bool numeric = true;
    bool sampled = false;

    for (uint32_t axis = 0; axis < r->n_axes; axis++) {
        numeric = numeric && r->axes[axis].numeric;
        sampled = sampled || r->axes[axis].sampled;
        for (uint32_t i = 0; i < r->n_points; i++) {
            if (r->points[i].levels[axis] == RECOMMEND_NONE) {
                return true; // an explicit point without this axis: no design
            }
        }
    }
    if (r->n_axes == 0 || r->n_points < 2) {
        return true;
    }
    if (!fill_table(r, &table)) {
        return false;
    }
    // In a sample some axis has another value at every point; counts (workers, say) may repeat.
    sampled = sampled && numeric && r->n_axes >= 2 && r->n_points <= RESULTS_SENSITIVITY_POINTS_MAX;
    return sampled ? find_indices(r, &table) : analyse(r, &table);
}
