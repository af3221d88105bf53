// SPDX-License-Identifier: GPL-3.0-or-later
//
// The lines of Flink's configuration that follow from the best point: of the profile flink-1.20
// alone, of axes that are keys of Flink, and only where the runs show for certain that it is
// better.
#include <stdio.h>
#include <string.h>

#include "results/recommend_parts.h"
#include "scenarios/loader.h"
#include "scenarios/options.h"

// The row of the option table when an axis is a key that Flink has; else NULL.
static const struct scenario_option *flink_key(const struct recommend_axis *axis)
{
    static const char prefix[] = "config.";
    const char *key = axis->path + sizeof(prefix) - 1;

    if (strncmp(axis->path, prefix, sizeof(prefix) - 1) != 0 || strncmp(key, "recoup.", 7) == 0 ||
        scenario_key_is_secret(key)) {
        return NULL;
    }
    return scenario_options_find(SCENARIO_SECTION_CONFIG, key);
}

// A duration or size as a number; false for all else.
static bool number_of(const struct scenario_option *row, const char *text, int64_t *number)
{
    if (row->type == SCENARIO_DURATION) {
        return scenario_units_flink_duration(text, number) == SCENARIO_UNITS_OK;
    }
    return row->type == SCENARIO_SIZE &&
           scenario_units_flink_size(text, number) == SCENARIO_UNITS_OK;
}

// Flink reads durations as scenario files write them, but for microseconds, which it calls "µs".
static void write_value(const struct scenario_option *row, const char *text,
                        char value[RECOMMEND_TEXT])
{
    int64_t number;
    size_t size;

    (void)snprintf(value, RECOMMEND_TEXT, "%s", text);
    if (!number_of(row, text, &number)) {
        return;
    }
    if (row->type == SCENARIO_DURATION) {
        scenario_units_duration_text(number, value);
        size = strlen(value);
        if (size > 3 && strcmp(value + size - 3, " us") == 0) {
            (void)snprintf(value, RECOMMEND_TEXT, "%lld ns", (long long)number);
        }
    } else {
        scenario_units_size_text(number, value);
    }
}

static bool equals(const struct scenario_option *row, const char *a, const char *b)
{
    int64_t left;
    int64_t right;

    if (a == NULL || b == NULL) {
        return false;
    }
    if (number_of(row, a, &left) && number_of(row, b, &right)) {
        return left == right;
    }
    return strcmp(a, b) == 0;
}

// Whether the best point is better than `other` for certain, in the goal or in what is bounded.
// What may be the same, or is worse, is no reason to change a configuration.
static bool is_better(struct recommendation *r, struct recommend_line *line, uint32_t other)
{
    struct recommend_difference d;

    line->reference = other;
    if (!recommend_compare(r, r->best, other, RECOMMEND_NONE, &d)) {
        return false;
    }
    line->because = d.certain && d.mean < 0.0 ? r->question->goal.text : NULL;
    for (uint32_t b = 0; line->because == NULL && b < r->question->n_bounds; b++) {
        if (!recommend_compare(r, r->best, other, b, &d)) {
            return false;
        }
        line->because = d.certain && d.mean < 0.0 ? r->question->bounds[b].metric->name : NULL;
    }
    return true;
}

// Flink's default is what a user has now; where the sweep has no such point, its neighbours tell.
static bool judge_line(struct recommendation *r, struct recommend_line *line,
                       const struct scenario_option *row)
{
    const struct recommend_axis *axis = &r->axes[line->axis];

    for (uint32_t level = 0; level < axis->n_levels; level++) {
        if (equals(row, axis->levels[level].text, row->fallback)) {
            uint32_t other = recommend_point_at(r, r->best, line->axis, level);

            if (other != RECOMMEND_NONE) {
                return is_better(r, line, other);
            }
        }
    }
    for (uint32_t i = 0; line->because == NULL && i < r->n_neighbours; i++) {
        if (r->neighbours[i].axis == line->axis && !is_better(r, line, r->neighbours[i].point)) {
            return false;
        }
    }
    return true;
}

bool recommend_find_lines(struct recommendation *r)
{
    const struct recommend_point *best;

    if (r->best == RECOMMEND_NONE || strcmp(r->points[r->best].profile, "flink-1.20") != 0) {
        return true;
    }
    best = &r->points[r->best];
    r->lines = recommend_alloc(r, r->n_axes, sizeof(*r->lines));
    if (r->lines == NULL) {
        return false;
    }
    for (uint32_t axis = 0; axis < r->n_axes; axis++) {
        const struct scenario_option *row = flink_key(&r->axes[axis]);
        struct recommend_line *line = &r->lines[r->n_lines];
        const char *text;

        if (row == NULL || best->levels[axis] == RECOMMEND_NONE) {
            continue;
        }
        r->n_lines++;
        text = r->axes[axis].levels[best->levels[axis]].text;
        line->axis = axis;
        line->fallback = row->fallback;
        line->reference = RECOMMEND_NONE;
        line->is_default = equals(row, text, row->fallback);
        write_value(row, text, line->value);
        if (!line->is_default && !judge_line(r, line, row)) {
            return false;
        }
    }
    return true;
}
