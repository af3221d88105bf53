// SPDX-License-Identifier: GPL-3.0-or-later
//
// A recommendation for programs: one object, integers only. Means of counts are in thousandths,
// shares and probabilities in millionths; what is not known is null.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/json.h"
#include "results/recommend_parts.h"
#include "results/warnings.h"

struct writer {
    const struct recommendation *r;
    struct results_json json;
};

static bool is_count(const char *unit)
{
    return strcmp(unit, "count") == 0;
}

static void put_number(struct writer *w, const char *key, double value)
{
    results_json_key(&w->json, key);
    if (isnan(value) || isinf(value) || value >= 9.2e18 || value <= -9.2e18) {
        results_json_null(&w->json);
    } else {
        results_json_i64(&w->json, (int64_t)(value + (value < 0.0 ? -0.5 : 0.5)));
    }
}

static void put_value(struct writer *w, const char *key, const char *unit, double value)
{
    put_number(w, key, is_count(unit) ? 1e3 * value : value);
}

static void put_interval(struct writer *w, const char *prefix, const char *unit,
                         const struct results_interval *interval)
{
    char key[64];

    (void)snprintf(key, sizeof(key), "%slow_95", prefix);
    put_value(w, key, unit, interval->low);
    (void)snprintf(key, sizeof(key), "%shigh_95", prefix);
    put_value(w, key, unit, interval->high);
}

static void put_unit(struct writer *w, const char *unit)
{
    results_json_put_string(&w->json, "unit", is_count(unit) ? "milli-count" : unit);
}

static void put_question(struct writer *w)
{
    const struct recommend_question *q = w->r->question;

    results_json_put_string(&w->json, "sweep", w->r->sweep);
    results_json_put_string(&w->json, "about", w->r->about);
    results_json_put_string(&w->json, "minimize", q->goal.text);
    put_unit(w, q->goal.unit);
    results_json_key(&w->json, "at_most");
    results_json_array(&w->json);
    for (uint32_t b = 0; b < q->n_bounds; b++) {
        results_json_object(&w->json);
        results_json_put_string(&w->json, "bound", q->bounds[b].text);
        put_unit(w, q->bounds[b].metric->unit);
        put_value(w, "limit", q->bounds[b].metric->unit, (double)q->bounds[b].limit);
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
}

static void put_levels(struct writer *w, const struct recommend_point *point)
{
    results_json_key(&w->json, "axes");
    results_json_object(&w->json);
    for (uint32_t axis = 0; axis < w->r->n_axes; axis++) {
        results_json_put_string(&w->json, w->r->axes[axis].name,
                                point->levels[axis] == RECOMMEND_NONE
                                    ? NULL
                                    : w->r->axes[axis].levels[point->levels[axis]].text);
    }
    results_json_end_object(&w->json);
}

static void put_point(struct writer *w, uint32_t index)
{
    const struct recommend_question *q = w->r->question;
    const struct recommend_point *point = &w->r->points[index];

    results_json_put_string(&w->json, "point", point->label);
    results_json_put_i64(&w->json, "point_id", point->id);
    results_json_put_string(&w->json, "profile", point->profile);
    results_json_put_string(&w->json, "command", point->command[0] != '\0' ? point->command : NULL);
    put_levels(w, point);
    results_json_put_u64(&w->json, "runs", point->n_runs);
    results_json_put_u64(&w->json, "unfinished", point->n_unfinished);
    results_json_put_u64(&w->json, "failed_over", point->n_failed_over);
    put_value(w, "mean", q->goal.unit, point->goal.value);
    put_interval(w, "", q->goal.unit, &point->goal.interval);
    put_value(w, "mean_failover", q->goal.unit, point->goal_hit.value);
    put_interval(w, "failover_", q->goal.unit, &point->goal_hit.interval);
    results_json_key(&w->json, "bounds");
    results_json_array(&w->json);
    for (uint32_t b = 0; b < q->n_bounds; b++) {
        results_json_object(&w->json);
        put_value(w, "value", q->bounds[b].metric->unit, point->bounds[b].value);
        put_interval(w, "", q->bounds[b].metric->unit, &point->bounds[b].interval);
        results_json_put_bool(&w->json, "meets", point->bounds[b].meets);
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
    results_json_put_bool(&w->json, "meets", point->meets);
    results_json_put_u64(&w->json, "resamples_best", point->wins);
    results_json_put_u64(&w->json, "resamples_met", point->kept);
    results_json_key(&w->json, "warnings");
    results_json_array(&w->json);
    for (unsigned id = 0; id < RESULTS_WARNING_COUNT; id++) {
        if ((point->warnings & 1u << id) != 0) {
            results_json_string(&w->json, results_warning_name((enum results_warning_id)id));
        }
    }
    results_json_end_array(&w->json);
}

static void put_difference(struct writer *w, const struct recommend_difference *d)
{
    const char *unit = w->r->question->goal.unit;

    results_json_key(&w->json, "difference");
    results_json_object(&w->json);
    results_json_put_u64(&w->json, "pairs", d->n);
    put_value(w, "mean", unit, d->mean);
    put_interval(w, "", unit, &d->t);
    put_interval(w, "bootstrap_", unit, &d->bootstrap);
    put_number(w, "wilcoxon_ppm", 1e6 * d->wilcoxon);
    put_number(w, "runs_independent", d->runs_independent);
    results_json_put_bool(&w->json, "excludes_zero", d->certain);
    results_json_end_object(&w->json);
}

static void put_compared(struct writer *w, const char *key, uint32_t index)
{
    results_json_key(&w->json, key);
    if (index == RECOMMEND_NONE) {
        results_json_null(&w->json);
        return;
    }
    results_json_object(&w->json);
    put_point(w, index);
    if (index == w->r->runner_up) {
        put_difference(w, &w->r->runner_up_difference);
    }
    results_json_end_object(&w->json);
}

static void put_neighbours(struct writer *w)
{
    results_json_key(&w->json, "neighbours");
    results_json_array(&w->json);
    for (uint32_t i = 0; i < w->r->n_neighbours; i++) {
        const struct recommend_neighbour *n = &w->r->neighbours[i];

        results_json_object(&w->json);
        results_json_put_string(&w->json, "axis", w->r->axes[n->axis].name);
        put_point(w, n->point);
        put_difference(w, &n->goal);
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
}

static void put_effects(struct writer *w)
{
    const struct recommendation *r = w->r;

    results_json_key(&w->json, "effects");
    results_json_array(&w->json);
    for (uint32_t i = 0; i < r->effects.n_effects; i++) {
        const struct results_effect *e = &r->effects.effects[i];

        results_json_object(&w->json);
        results_json_put_string(&w->json, "axis", r->axes[e->a].name);
        results_json_put_string(&w->json, "with",
                                e->b == RESULTS_NO_FACTOR ? NULL : r->axes[e->b].name);
        results_json_put_u64(&w->json, "df", e->df);
        put_number(w, "share_ppm", 1e6 * e->share);
        put_number(w, "f_milli", 1e3 * e->f);
        put_number(w, "p_ppm", 1e6 * e->p);
        results_json_end_object(&w->json);
    }
    for (uint32_t axis = 0; r->indices != NULL && axis < r->n_axes; axis++) {
        results_json_object(&w->json);
        results_json_put_string(&w->json, "axis", r->axes[axis].name);
        put_number(w, "first_ppm", 1e6 * r->indices[axis].first);
        put_number(w, "total_ppm", 1e6 * r->indices[axis].total);
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
}

static void put_causes(struct writer *w)
{
    results_json_key(&w->json, "lost_work_by_cause");
    results_json_array(&w->json);
    for (uint32_t i = 0; i < w->r->n_causes; i++) {
        results_json_object(&w->json);
        results_json_put_string(&w->json, "cause", model_cause_name(w->r->causes[i].cause));
        put_number(w, "mean_ns", w->r->causes[i].ns);
        results_json_put_string(&w->json, "remedy", recommend_remedy(w->r->causes[i].cause));
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
    put_number(w, "outage_mean_ns", w->r->outage);
    results_json_key(&w->json, "outage_phases_mean_ns");
    results_json_object(&w->json);
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        put_number(w, model_phase_name((enum model_phase)p), w->r->phases[p]);
    }
    results_json_end_object(&w->json);
}

static void put_findings(struct writer *w)
{
    results_json_key(&w->json, "findings");
    results_json_array(&w->json);
    for (uint32_t i = 0; i < w->r->n_findings; i++) {
        const struct recommend_finding *f = &w->r->findings[i];

        results_json_object(&w->json);
        results_json_put_string(&w->json, "invariant", f->invariant);
        results_json_put_string(&w->json, "hazard", f->hazard[0] != '\0' ? f->hazard : NULL);
        results_json_put_u64(&w->json, "runs", f->runs);
        results_json_end_object(&w->json);
    }
    results_json_end_array(&w->json);
}

static void put_lines(struct writer *w)
{
    const struct recommendation *r = w->r;

    results_json_key(&w->json, "configuration");
    results_json_object(&w->json);
    for (uint32_t i = 0; i < r->n_lines; i++) {
        if (r->lines[i].because != NULL) {
            results_json_put_string(&w->json, r->axes[r->lines[i].axis].path + strlen("config."),
                                    r->lines[i].value);
        }
    }
    results_json_end_object(&w->json);
}

static void put_conditions(struct writer *w)
{
    const struct recommendation *r = w->r;

    results_json_put_u64(&w->json, "points", r->n_points);
    results_json_put_u64(&w->json, "points_without_runs", r->n_without_runs);
    results_json_put_u64(&w->json, "seeds", r->n_seeds);
    results_json_put_bool(&w->json, "paired", r->common);
    results_json_put_string(&w->json, "recoup", r->versions);
    results_json_put_string(&w->json, "resolved_scenario", r->scenario);
}

void recommend_json(const struct recommendation *r, struct results_text *text)
{
    struct writer w = {.r = r};

    results_json_init(&w.json, text);
    results_json_object(&w.json);
    results_json_put_i64(&w.json, "schema", 1);
    put_question(&w);
    results_json_put_bool(&w.json, "found", r->best != RECOMMEND_NONE);
    results_json_put_u64(&w.json, "resamples", RECOMMEND_RESAMPLES);
    results_json_put_u64(&w.json, "resamples_none_met", r->none_met);
    put_compared(&w, "best", r->best);
    put_compared(&w, "nearest", r->best == RECOMMEND_NONE ? r->nearest : RECOMMEND_NONE);
    put_compared(&w, "runner_up", r->runner_up);
    put_neighbours(&w);
    put_effects(&w);
    put_causes(&w);
    put_findings(&w);
    put_lines(&w);
    put_conditions(&w);
    results_json_end_object(&w.json);
    results_text_char(text, '\n');
}
