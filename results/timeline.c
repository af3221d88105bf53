// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/timeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>

#include "models/run.h"
#include "results/rerun.h"
#include "results/statement.h"

#define EVENTS_MAX INT64_C(20000000) // of a run that is made again for a drawing: some seconds

// What an observer of a run gathers.
struct gathering {
    struct timeline_lane *lane;
    int64_t end_ns;
};

// --- which runs ----------------------------------------------------------------------------------

// The run of `seed` at a point; NULL.
static const struct survey_run *run_of(const struct survey_point *point, int64_t seed)
{
    for (uint32_t i = 0; i < point->n_runs; i++) {
        if (point->runs[i].seed == seed) {
            return &point->runs[i];
        }
    }
    return NULL;
}

// The run in the middle, by lost work, of those with a failover that both points have: of those
// that lose more at the worst point, where there are any. Tells how many there are.
static const struct survey_run *typical(struct timeline *timeline, const struct survey_point *worst,
                                        const struct survey_point *best)
{
    size_t room = (size_t)worst->n_runs + 1;
    double *lost = calloc(2 * room, sizeof(*lost)); // those that differ, then the others
    size_t *order = calloc(room, sizeof(*order));
    uint32_t *which = calloc(2 * room, sizeof(*which));
    const struct survey_run *found = NULL;
    uint32_t n[2] = {0, 0};

    for (uint32_t i = 0, j = 0; lost != NULL && order != NULL && which != NULL && i < worst->n_runs;
         i++) {
        const struct survey_run *run = &worst->runs[i];
        double here = run->values[SURVEY_LOST_WORK];

        while (j < best->n_runs && best->runs[j].seed < run->seed) {
            j++;
        }
        if (run->failovers > 0 && j < best->n_runs && best->runs[j].seed == run->seed) {
            uint32_t same = here > best->runs[j].values[SURVEY_LOST_WORK] ? 0 : 1;

            lost[same * room + n[same]] = here;
            which[same * room + n[same]++] = i;
        }
    }
    timeline->n_differ = n[0];
    timeline->n_common = n[0] + n[1];
    if (timeline->n_common > 0) {
        uint32_t same = n[0] > 0 ? 0 : 1;

        gsl_sort_index(order, &lost[same * room], 1, n[same]);
        found = &worst->runs[which[same * room + order[n[same] / 2]]];
    }
    free(lost);
    free(order);
    free(which);
    return found;
}

// --- making a run again --------------------------------------------------------------------------

static void gather(void *context, const struct sim_trace_record *record)
{
    struct gathering *g = context;
    double width = (double)g->end_ns / TIMELINE_BINS;
    int64_t until = record->time_ns + record->duration_ns;
    enum timeline_work work;

    // Only attempts carry these four arguments: subtask, attempt, master, lost.
    if (record->phase != SIM_TRACE_SPAN || record->track < MODEL_TRACK_WORKER ||
        record->args_count != 4) {
        return;
    }
    work = record->arg_values[3] != 0  ? TIMELINE_LOST
           : record->arg_values[1] > 0 ? TIMELINE_AGAIN
                                       : TIMELINE_KEPT;
    for (uint32_t b = (uint32_t)((double)record->time_ns / width); b < TIMELINE_BINS; b++) {
        double from = fmax(b * width, (double)record->time_ns);
        double to = fmin((b + 1) * width, (double)until);

        if (to <= from) {
            break;
        }
        g->lane->slots[work][b] += (to - from) / width;
    }
}

static void keep_result(struct timeline_lane *lane, const struct model_result *result)
{
    lane->makespan_ns = result->makespan_ns;
    lane->lost_ns = result->lost_ns;
    lane->n_outages = result->n_failovers;
    for (uint32_t i = 0; i < result->n_failovers && i < TIMELINE_OUTAGES_MAX; i++) {
        lane->outages[i].at_ns = result->failovers[i].at_ns;
        lane->outages[i].until_ns = result->failovers[i].at_ns + result->failovers[i].outage_ns;
    }
    for (uint32_t b = 0; b < TIMELINE_BINS; b++) {
        double sum = 0;

        for (uint32_t w = 0; w < TIMELINE_WORK; w++) {
            sum += lane->slots[w][b];
        }
        lane->slots_most = fmax(lane->slots_most, sum);
    }
}

static bool make_lane(const struct survey *survey, const struct survey_run *run, int64_t end_ns,
                      struct timeline_lane *lane, struct results_text *why)
{
    struct gathering gathering = {lane, end_ns};
    struct sim_trace observer = {gather, &gathering};
    struct model_result result = {.n_stages = 0};
    struct results_statement s;
    bool made = false;

    results_statement_init(&s, survey->database.connection,
                           "SELECT point.scenario, run.fingerprint, run.events FROM run JOIN point"
                           " ON point.id = run.point_id WHERE run.id = ?");
    results_statement_i64(&s, run->id);
    if (!results_statement_row(&s)) {
        results_text_add(why, "The run is not in the database any more.");
    } else if (sqlite3_column_int64(s.statement, 2) > EVENTS_MAX) {
        results_text_add(why, "The run is too long to be made again for a drawing.");
    } else {
        made = results_rerun((const char *)sqlite3_column_text(s.statement, 0), (uint64_t)run->seed,
                             (const char *)sqlite3_column_text(s.statement, 1), &observer, &result,
                             why);
    }
    (void)results_statement_release(&s);
    if (made) {
        lane->seed = (uint64_t)run->seed;
        keep_result(lane, &result);
    }
    model_result_release(&result);
    return made;
}

bool timeline_make(struct timeline *timeline, const struct survey *survey, struct results_text *why)
{
    const struct survey_point *worst = &survey->points[survey->worst];
    const struct survey_point *best = &survey->points[survey->best];
    const struct survey_run *run;

    memset(timeline, 0, sizeof(*timeline));
    run = typical(timeline, worst, best);
    timeline->lanes[0].point = survey->worst;
    timeline->lanes[1].point = survey->best;
    if (run == NULL) {
        results_text_add(why, worst->n_failover > 0
                                  ? "The best and the worst point have no seed in common."
                                  : "No run of the worst point had a failover, so there is nothing "
                                    "to compare.");
        return false;
    }
    timeline->n_lanes = survey->worst != survey->best ? 2 : 1;
    timeline->end_ns = llround(run->values[SURVEY_MAKESPAN]);
    for (uint32_t i = 1; i < timeline->n_lanes; i++) {
        int64_t other = llround(run_of(best, run->seed)->values[SURVEY_MAKESPAN]);

        timeline->end_ns = other > timeline->end_ns ? other : timeline->end_ns;
    }
    for (uint32_t i = 0; i < timeline->n_lanes; i++) {
        const struct survey_point *point = &survey->points[timeline->lanes[i].point];

        if (timeline->end_ns <= 0 || !make_lane(survey, run_of(point, run->seed), timeline->end_ns,
                                                &timeline->lanes[i], why)) {
            return false;
        }
    }
    return true;
}

// --- drawing -------------------------------------------------------------------------------------

static const char *const work_classes[TIMELINE_WORK] = {"kept", "rerun", "lost"};
static const char *const work_names[TIMELINE_WORK] = {"kept", "done again", "lost"};

// One kind of work as an area upon those below it.
static void draw_area(struct drawing *drawing, const struct timeline_lane *lane,
                      const struct results_scale *x, const struct results_scale *y, uint32_t work)
{
    double xs[4 * TIMELINE_BINS];
    double ys[4 * TIMELINE_BINS];
    double width = x->high / TIMELINE_BINS;
    bool any = false;

    for (uint32_t b = 0; b < TIMELINE_BINS; b++) {
        double below = 0;
        uint32_t back = 4 * TIMELINE_BINS - 1 - 2 * b;

        for (uint32_t w = 0; w < work; w++) {
            below += lane->slots[w][b];
        }
        any = any || lane->slots[work][b] > 0;
        xs[2 * b] = xs[back] = results_scale_place(x, b * width);
        xs[2 * b + 1] = xs[back - 1] = results_scale_place(x, (b + 1) * width);
        ys[2 * b] = ys[2 * b + 1] = results_scale_place(y, below + lane->slots[work][b]);
        ys[back] = ys[back - 1] = results_scale_place(y, below);
    }
    if (any) {
        drawing_area(drawing, work_classes[work], xs, ys, 4 * TIMELINE_BINS, work_names[work]);
    }
}

static void draw_outages(struct drawing *drawing, const struct timeline_lane *lane,
                         const struct results_scale *x, double top, double bottom)
{
    for (uint32_t i = 0; i < lane->n_outages && i < TIMELINE_OUTAGES_MAX; i++) {
        const struct timeline_outage *outage = &lane->outages[i];
        double from = results_scale_place(x, (double)outage->at_ns);
        double to = results_scale_place(x, (double)outage->until_ns);
        char words[64];
        char duration[RESULTS_UNITS_SIZE];

        (void)snprintf(words, sizeof(words), "outage %s",
                       results_duration(duration, outage->until_ns - outage->at_ns));
        drawing_box(drawing, "down", from, top, fmax(to - from, 1), bottom - top, words);
        if (to - from > (double)strlen(words) * DRAWING_CHARACTER) {
            drawing_text(drawing, "tick", (from + to) / 2, top + 12, DRAWING_MIDDLE, words);
        }
    }
}

static void draw_lane(const struct timeline *timeline, const struct survey *survey, uint32_t index,
                      struct drawing *drawing, const struct results_scale *x, double top,
                      double bottom)
{
    const struct timeline_lane *lane = &timeline->lanes[index];
    const struct survey_point *point = &survey->points[lane->point];
    struct results_scale y;
    double end = results_scale_place(x, (double)lane->makespan_ns);
    double most = 0;
    char lost[RESULTS_UNITS_SIZE];
    char ends[RESULTS_UNITS_SIZE];
    struct results_text title;

    for (uint32_t i = 0; i < timeline->n_lanes; i++) {
        most = fmax(most, timeline->lanes[i].slots_most);
    }
    results_scale_init(&y, RESULTS_QUANTITY_COUNT, 0, most, false, 3);
    results_scale_span(&y, bottom, top);
    results_text_init(&title);
    results_text_format(&title, "%s%s: %s lost, ends after %s",
                        timeline->n_lanes == 1 ? ""
                        : index == 0           ? "worst, "
                                               : "best, ",
                        point->short_name, results_slot_time(lost, lane->lost_ns),
                        results_duration(ends, lane->makespan_ns));
    drawing_text_cut(drawing, "", 0, top - 26, DRAWING_START, results_text_string(&title),
                     (uint32_t)(drawing->width / DRAWING_CHARACTER));
    results_text_release(&title);
    drawing_axis_y(drawing, &y, x->from, x->to, "slots in use");
    draw_outages(drawing, lane, x, top, bottom);
    for (uint32_t w = 0; w < TIMELINE_WORK; w++) {
        draw_area(drawing, lane, x, &y, w);
    }
    drawing_line(drawing, "wait", end, top, end, bottom);
}

static void draw_legend(struct drawing *drawing)
{
    struct drawing_legend legend;

    drawing_legend_begin(&legend, 0, 12);
    for (uint32_t w = 0; w < TIMELINE_WORK; w++) {
        drawing_legend_add(drawing, &legend, 0, work_classes[w], work_names[w]);
    }
    drawing_legend_add(drawing, &legend, 0, "down", "outage");
}

void timeline_draw(const struct timeline *timeline, const struct survey *survey,
                   struct drawing *drawing)
{
    double lane = drawing->width > 500 ? 130 : 110;
    double top = 72;
    double gap = 66;
    double bottom = top + timeline->n_lanes * lane + (timeline->n_lanes - 1) * gap;
    struct results_scale x;
    char label[200];

    (void)snprintf(label, sizeof(label),
                   "Slots in use over time with seed %" PRIu64 ": work kept, done again and lost%s",
                   timeline->lanes[0].seed,
                   timeline->n_lanes > 1 ? ", at the worst point above and the best below" : "");
    results_scale_init(&x, RESULTS_QUANTITY_DURATION, 0, (double)timeline->end_ns, false,
                       drawing->width > 500 ? 8 : 4);
    // The bins end with the longer run, not with the last tick.
    x.high = (double)timeline->end_ns;
    while (x.n_ticks > 1 && x.ticks[x.n_ticks - 1] > x.high) {
        x.n_ticks--;
    }
    results_scale_span(&x, 46, drawing->width - 14);
    drawing_begin(drawing, bottom + 46, label);
    draw_legend(drawing);
    for (uint32_t i = 0; i < timeline->n_lanes; i++) {
        double from = top + i * (lane + gap);

        draw_lane(timeline, survey, i, drawing, &x, from, from + lane);
    }
    drawing_axis_x(drawing, &x, bottom, bottom, "virtual time since the job started");
    drawing_end(drawing);
}
