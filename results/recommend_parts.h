// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of a recommendation share. Internal to results/.
#ifndef RECOUP_RESULTS_RECOMMEND_PARTS_H
#define RECOUP_RESULTS_RECOMMEND_PARTS_H

#include "results/recommend.h"

// Opens the file for reading and loads points, axes and runs. Returns RECOMMEND_FOUND, USAGE or
// OUTSIDE.
enum recommend_status recommend_read(struct recommendation *r, const char *path);
// Causes of lost work, phases of the outage and the scenario of a point. A SQLite code.
int recommend_read_point(struct recommendation *r, uint32_t point);

// Memory of the recommendation, cleared; NULL when out of it.
void *recommend_alloc(struct recommendation *r, size_t count, size_t size);
const char *recommend_copy(struct recommendation *r, const char *text);

// Measures every point and finds the best, the nearest and the runner-up. False: out of memory.
bool recommend_judge(struct recommendation *r);
// The difference of two points; `bound` is RECOMMEND_NONE for the goal, else the metric of that
// bound (its mean). False: out of memory.
bool recommend_compare(const struct recommendation *r, uint32_t point, uint32_t other,
                       uint32_t bound, struct recommend_difference *difference);
// Counts in how many resamples each point meets and is the best. False: out of memory.
bool recommend_resample(struct recommendation *r);
// The points that differ from the answer in one axis. False: out of memory.
bool recommend_find_neighbours(struct recommendation *r);
// Which axis matters for the goal. False: out of memory.
bool recommend_find_effects(struct recommendation *r);
// The lines of configuration that the best point gives, if it is of the profile flink-1.20.
bool recommend_find_lines(struct recommendation *r);

// The point that differs from `point` only by having `level` on `axis`; RECOMMEND_NONE.
uint32_t recommend_point_at(const struct recommendation *r, uint32_t point, uint32_t axis,
                            uint32_t level);
// The answer: the best point, or the nearest where none meets.
uint32_t recommend_answer(const struct recommendation *r);
// How many other points keep the bounds and have the very same mean as the best.
uint32_t recommend_equals(const struct recommendation *r);

#endif
