// SPDX-License-Identifier: GPL-3.0-or-later
//
// A recommendation for people: the answer first, then how sure it is, what stands around it, and on
// which conditions it rests.
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "results/label.h"
#include "results/recommend_parts.h"
#include "results/report_parts.h"
#include "results/units.h"
#include "results/warnings.h"

#define INDENT 13u
#define NEIGHBOURS_MAX 12u
#define EFFECTS_MAX 6u
#define SHARE_MIN 0.0005 // of the variance; below it would read 0.0 %

struct teller {
    const struct recommendation *r;
    const struct recommend_question *q;
    struct results_page page;
};

static void say(struct teller *t, const char *label, enum results_color color, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

static void say(struct teller *t, const char *label, enum results_color color, const char *format,
                ...)
{
    char line[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    results_page_wrap(&t->page, label, INDENT, color, line);
}

static void heading(struct teller *t, const char *title)
{
    results_page_line(&t->page);
    results_page_color(&t->page, RESULTS_BOLD, title);
    results_page_line(&t->page);
}

// A number in its unit, with its sign where `sign`. "?" where it is not known.
static const char *amount(char buffer[RESULTS_UNITS_SIZE + 2], const char *unit, double value,
                          bool sign)
{
    bool negative = value < 0.0;
    double size = negative ? -value : value;
    char text[RESULTS_UNITS_SIZE];
    uint64_t whole;

    if (isnan(value) || isinf(value)) {
        return isnan(value) ? "?" : negative ? "-inf" : "inf";
    }
    whole = size >= 9.2e18 ? INT64_MAX : (uint64_t)(size + 0.5);
    if (strcmp(unit, "ns") == 0) {
        (void)results_duration(text, (int64_t)whole);
    } else if (strcmp(unit, "bytes") == 0) {
        (void)results_size(text, whole);
    } else if (strcmp(unit, "nano-usd") == 0) {
        (void)results_price(text, whole);
    } else if (size < 1000.0 && whole > 0) {
        (void)snprintf(text, sizeof(text), "%.3g", size);
    } else {
        (void)results_count(text, whole);
    }
    (void)snprintf(buffer, RESULTS_UNITS_SIZE + 2, "%s%s",
                   whole == 0 ? ""
                   : negative ? "-"
                   : sign     ? "+"
                              : "",
                   text);
    return buffer;
}

struct span {
    char text[3 * RESULTS_UNITS_SIZE];
};

static const char *interval(struct span *span, const char *unit, const struct results_interval *i,
                            bool sign)
{
    char low[RESULTS_UNITS_SIZE + 2];
    char high[RESULTS_UNITS_SIZE + 2];

    if (isnan(i->low)) {
        (void)snprintf(span->text, sizeof(span->text), "no interval");
    } else if (isinf(i->low) && isinf(i->high)) {
        (void)snprintf(span->text, sizeof(span->text), "too few runs for an interval");
    } else if (isinf(i->high)) {
        (void)snprintf(span->text, sizeof(span->text), "95 %%: at least %s",
                       amount(low, unit, i->low, sign));
    } else if (isinf(i->low)) {
        (void)snprintf(span->text, sizeof(span->text), "95 %%: at most %s",
                       amount(high, unit, i->high, sign));
    } else {
        (void)snprintf(span->text, sizeof(span->text), "95 %%: %s to %s",
                       amount(low, unit, i->low, sign), amount(high, unit, i->high, sign));
    }
    return span->text;
}

static void tell_asked(struct teller *t)
{
    char limit[RESULTS_UNITS_SIZE + 2];

    say(t, "sweep", RESULTS_PLAIN, "%s", t->r->sweep);
    for (uint32_t b = 0; b < t->q->n_bounds; b++) {
        const struct recommend_bound *bound = &t->q->bounds[b];

        say(t, b == 0 ? "at most" : "", RESULTS_PLAIN, "%s %s", bound->text,
            amount(limit, bound->metric->unit, (double)bound->limit, false));
    }
    say(t, "minimize", RESULTS_PLAIN, "%s", t->q->goal.text);
}

static void tell_point(struct teller *t, uint32_t index)
{
    const struct recommend_point *point = &t->r->points[index];
    char value[RESULTS_UNITS_SIZE + 2];
    char limit[RESULTS_UNITS_SIZE + 2];
    struct span span;

    say(t, "", RESULTS_PLAIN, "%s: %s (%s), %" PRIu32 " %s", t->q->goal.text,
        amount(value, t->q->goal.unit, point->goal.value, false),
        interval(&span, t->q->goal.unit, &point->goal.interval, false), point->n_runs,
        point->n_runs == 1 ? "run" : "runs");
    for (uint32_t b = 0; b < t->q->n_bounds; b++) {
        const struct recommend_bound *bound = &t->q->bounds[b];

        say(t, "", point->bounds[b].meets ? RESULTS_PLAIN : RESULTS_RED, "%s: %s (%s); %s %s",
            bound->text, amount(value, bound->metric->unit, point->bounds[b].value, false),
            interval(&span, bound->metric->unit, &point->bounds[b].interval, false),
            point->bounds[b].meets ? "at most" : "more than",
            amount(limit, bound->metric->unit, (double)bound->limit, false));
    }
    if (point->n_unfinished > 0) {
        say(t, "", RESULTS_RED, "%" PRIu32 " of %" PRIu32 " runs did not finish",
            point->n_unfinished, point->n_runs);
    }
    say(t, "", RESULTS_PLAIN, "a failure of a master hit %" PRIu32 " of %" PRIu32 " runs",
        point->n_failed_over, point->n_runs);
    if (point->n_failed_over > 0 && point->n_failed_over < point->n_runs) {
        say(t, "", RESULTS_PLAIN, "in those: %s (%s)",
            amount(value, t->q->goal.unit, point->goal_hit.value, false),
            interval(&span, t->q->goal.unit, &point->goal_hit.interval, false));
    }
    if (point->command[0] != '\0') {
        say(t, "", RESULTS_DIM, "recoup %s", point->command);
    }
}

// --- the answer ----------------------------------------------------------------------------------

static void tell_difference(struct teller *t, const struct recommend_difference *d)
{
    char mean[RESULTS_UNITS_SIZE + 2];
    struct span by_t;
    struct span by_bootstrap;
    const char *unit = t->q->goal.unit;

    say(t, "", RESULTS_PLAIN, "%s (%s)%s", amount(mean, unit, d->mean, true),
        interval(&by_t, unit, &d->t, true),
        d->certain || isnan(d->t.low) ? "" : ": the two cannot be told apart by these runs");
    if (d->n > 0 && !isnan(d->bootstrap.low)) {
        say(t, "", RESULTS_PLAIN, "by the bootstrap %s; Wilcoxon p %.2g",
            interval(&by_bootstrap, unit, &d->bootstrap, true), d->wilcoxon);
    }
    if (d->n > 1 && d->runs_independent >= 1.0 && d->runs_independent < 1e12) {
        say(t, "", RESULTS_DIM,
            "paired over %" PRIu64 " seeds; without common seeds it would take "
            "%.0f runs of each",
            d->n, d->runs_independent);
    } else if (d->n == 0) {
        say(t, "", RESULTS_DIM, "the two share no seeds: Welch's interval, not paired");
    }
}

static void tell_confidence(struct teller *t)
{
    const struct recommend_point *best = &t->r->points[t->r->best];
    uint32_t equals = recommend_equals(t->r);
    char wins[RESULTS_UNITS_SIZE];
    char kept[RESULTS_UNITS_SIZE];

    say(t, "how sure", RESULTS_PLAIN,
        "in %s of %u resamples of the seeds no other is better, in %s it keeps to what was asked",
        results_percent(wins, best->wins, RECOMMEND_RESAMPLES), RECOMMEND_RESAMPLES,
        results_percent(kept, best->kept, RECOMMEND_RESAMPLES));
    if (t->r->runner_up == RECOMMEND_NONE) {
        say(t, "runner-up", RESULTS_PLAIN, "none: no other point keeps to what was asked");
        return;
    }
    if (equals > 0) {
        say(t, "", RESULTS_YELLOW,
            "%" PRIu32 " other point%s exactly as good; of these this one writes least to the "
            "event store",
            equals, equals == 1 ? " is" : "s are");
    }
    say(t, "runner-up", RESULTS_PLAIN, "%s, none is better in %s",
        t->r->points[t->r->runner_up].label,
        results_percent(wins, t->r->points[t->r->runner_up].wins, RECOMMEND_RESAMPLES));
    tell_difference(t, &t->r->runner_up_difference);
}

static void tell_best(struct teller *t)
{
    const struct recommend_point *best = &t->r->points[t->r->best];

    heading(t, "Take");
    say(t, "", RESULTS_GREEN, "%s", best->label);
    tell_point(t, t->r->best);
    tell_confidence(t);
}

static double share_of(double part, double whole)
{
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

// What stands in the way: the largest cause of lost work, and the longest phase of the outage.
static void tell_binding(struct teller *t)
{
    const struct recommendation *r = t->r;
    double lost = 0.0;
    uint32_t longest = 0;

    for (uint32_t i = 0; i < r->n_causes; i++) {
        lost += r->causes[i].ns;
    }
    if (r->n_causes > 0 && lost > 0.0) {
        char slot_time[RESULTS_UNITS_SIZE];

        say(t, "binding", RESULTS_YELLOW, "%s: %s lost a run, %.0f %% of all lost work",
            model_cause_name(r->causes[0].cause),
            results_slot_time(slot_time, (int64_t)r->causes[0].ns),
            share_of(r->causes[0].ns, lost));
        say(t, "", RESULTS_PLAIN, "%s", recommend_remedy(r->causes[0].cause));
    }
    for (uint32_t p = 1; p < MODEL_PHASE_COUNT; p++) {
        longest = r->phases[p] > r->phases[longest] ? p : longest;
    }
    if (r->outage > 0.0) {
        char outage[RESULTS_UNITS_SIZE];

        say(t, "outage", RESULTS_PLAIN, "%s a run, %.0f %% of it %s",
            results_duration(outage, (int64_t)r->outage), share_of(r->phases[longest], r->outage),
            results_report_phase((enum model_phase)longest));
    }
}

static void tell_nearest(struct teller *t)
{
    char met[RESULTS_UNITS_SIZE];

    heading(t, "No setting of this sweep reaches that. The nearest:");
    say(t, "", RESULTS_YELLOW, "%s", t->r->points[t->r->nearest].label);
    tell_point(t, t->r->nearest);
    say(t, "how sure", RESULTS_PLAIN,
        "in %s of %u resamples of the seeds some point would reach "
        "it",
        results_percent(met, RECOMMEND_RESAMPLES - t->r->none_met, RECOMMEND_RESAMPLES),
        RECOMMEND_RESAMPLES);
    tell_binding(t);
}

// --- around it -----------------------------------------------------------------------------------

static void tell_neighbours(struct teller *t)
{
    const struct recommendation *r = t->r;

    if (r->n_neighbours == 0) {
        return;
    }
    heading(t, "Its neighbours");
    for (uint32_t i = 0; i < r->n_neighbours && i < NEIGHBOURS_MAX; i++) {
        const struct recommend_neighbour *n = &r->neighbours[i];
        const struct recommend_point *point = &r->points[n->point];
        const char *text = r->axes[n->axis].levels[point->levels[n->axis]].text;
        size_t size = strlen(text);
        const char *label = results_label_value(point->label, r->axes[n->axis].name, &size);
        char mean[RESULTS_UNITS_SIZE + 2];
        struct span span;

        say(t, "", RESULTS_PLAIN, "%s=%.*s: %s (%s)%s", r->axes[n->axis].name, (int)size,
            label != NULL ? label : text,
            amount(mean, t->q->goal.unit, n->goal.mean, true),
            interval(&span, t->q->goal.unit, &n->goal.t, true),
            point->n_unfinished > 0 ? "; not every run finishes"
            : !point->meets         ? "; misses a bound"
                                    : "");
    }
    if (r->n_neighbours > NEIGHBOURS_MAX) {
        say(t, "", RESULTS_DIM, "and %" PRIu32 " more (--format json lists all)",
            r->n_neighbours - NEIGHBOURS_MAX);
    }
}

static void effect_name(const struct recommendation *r, const struct results_effect *effect,
                        char name[RECOMMEND_TEXT])
{
    (void)snprintf(name, RECOMMEND_TEXT, "%s%s%s", r->axes[effect->a].name,
                   effect->b == RESULTS_NO_FACTOR ? "" : " with ",
                   effect->b == RESULTS_NO_FACTOR ? "" : r->axes[effect->b].name);
}

// The largest that has not been told yet; UINT32_MAX: none.
static uint32_t largest_effect(const struct recommendation *r, uint64_t *told, uint32_t limit)
{
    uint32_t largest = UINT32_MAX;

    for (uint32_t i = 0; i < r->effects.n_effects && i < limit; i++) {
        const struct results_effect *effect = &r->effects.effects[i];

        if ((*told & UINT64_C(1) << i) == 0 && effect->share >= SHARE_MIN &&
            (largest == UINT32_MAX || effect->share > r->effects.effects[largest].share)) {
            largest = i;
        }
    }
    *told |= largest == UINT32_MAX ? 0 : UINT64_C(1) << largest;
    return largest;
}

static const char *certainty_of(char text[48], double p)
{
    if (isnan(p)) {
        return "";
    }
    (void)snprintf(text, 48, p < 1e-9 ? " (p < 1e-9)" : " (p %.2g)", p);
    return text;
}

static void tell_effects(struct teller *t)
{
    const struct recommendation *r = t->r;
    uint64_t told = 0;
    char name[RECOMMEND_TEXT];
    char certainty[48];

    for (uint32_t n = 0; n < EFFECTS_MAX; n++) {
        uint32_t i = largest_effect(r, &told, 64);

        if (i == UINT32_MAX) {
            break;
        }
        if (n == 0) {
            heading(t, "What matters for it, by share of the variance");
        }
        effect_name(r, &r->effects.effects[i], name);
        say(t, "", RESULTS_PLAIN, "%s: %.1f %%%s", name, 100.0 * r->effects.effects[i].share,
            certainty_of(certainty, r->effects.effects[i].p));
    }
    if (r->too_large) {
        heading(t, "What matters for it");
        say(t, "", RESULTS_PLAIN,
            "not analysed: %" PRIu32 " points with this many values are too "
            "many for an analysis of variance",
            r->n_points);
    }
    for (uint32_t axis = 0; r->indices != NULL && axis < r->n_axes; axis++) {
        if (axis == 0) {
            heading(t, "What matters for it, by Sobol's indices");
        }
        say(t, "", RESULTS_PLAIN, "%s: first %.2f, total %.2f", r->axes[axis].name,
            r->indices[axis].first, r->indices[axis].total);
    }
}

// --- conditions ----------------------------------------------------------------------------------

// The lines of the resolved scenario that begin with `prefix`, joined.
static void scenario_lines(const char *scenario, const char *prefix, char *joined, size_t size)
{
    size_t at = 0;
    const char *line = scenario;

    joined[0] = '\0';
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        int length = end != NULL ? (int)(end - line) : (int)strlen(line);

        if (strncmp(line, prefix, strlen(prefix)) == 0 && at + (size_t)length + 3 < size) {
            at += (size_t)snprintf(joined + at, size - at, "%s%.*s", at > 0 ? ", " : "", length,
                                   line);
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

static uint32_t count_stages(const char *scenario)
{
    uint32_t n = 0;

    for (const char *at = scenario; at != NULL; at = strstr(at, "\njob.stages.")) {
        const char *key;

        at = strstr(at, "\njob.stages.");
        if (at == NULL) {
            break;
        }
        at++;
        key = strstr(at, ".parallelism = ");
        n += key != NULL && memchr(at, '\n', (size_t)(key - at)) == NULL ? 1 : 0;
    }
    return n;
}

static void tell_conditions(struct teller *t)
{
    const struct recommendation *r = t->r;
    char lines[1024];
    uint32_t stages = count_stages(r->scenario);

    heading(t, "It holds for");
    scenario_lines(r->scenario, "faults.", lines, sizeof(lines));
    say(t, "failures", RESULTS_PLAIN, "%s", lines[0] != '\0' ? lines : "none");
    say(t, "job", RESULTS_PLAIN, "%" PRIu32 " %s, profile %s%s%s", stages,
        stages == 1 ? "stage" : "stages", r->points[recommend_answer(r)].profile,
        r->about[0] != '\0' ? "; " : "", r->about);
    say(t, "seeds", RESULTS_PLAIN, "%" PRIu32 ", %" PRId64 " to %" PRId64 "%s", r->n_seeds,
        r->seeds[0], r->seeds[r->n_seeds - 1],
        r->n_points == 1 ? ""
        : r->common      ? ", common to the points"
                         : ", no two points share one");
    say(t, "points", RESULTS_PLAIN, "%" PRIu32 " with runs%s; recoup %s", r->n_points,
        r->n_without_runs > 0 ? ", others have none yet" : "", r->versions);
}

// A setting that is cheap because it loses data is no good one: the user must see it.
static void tell_findings(struct teller *t)
{
    const struct recommend_point *answer = &t->r->points[recommend_answer(t->r)];

    for (uint32_t i = 0; i < t->r->n_findings; i++) {
        const struct recommend_finding *f = &t->r->findings[i];

        say(t, i == 0 ? "findings" : "", RESULTS_RED,
            "invariant %s is broken in %" PRIu32 " of %" PRIu32 " runs, %s%s%s", f->invariant,
            f->runs, answer->n_runs,
            f->hazard[0] != '\0' ? "which the profile permits (hazard " : "which is a bug",
            f->hazard, f->hazard[0] != '\0' ? ")" : "");
    }
}

static void tell_warnings(struct teller *t)
{
    const struct recommendation *r = t->r;
    const struct recommend_point *answer = &r->points[recommend_answer(r)];
    // Of quantiles only those count that a bound asks for.
    unsigned warnings =
        answer->warnings & ~(unsigned)(RESULTS_WARNING_FEW_FOR_P95 | RESULTS_WARNING_FEW_FOR_P99);

    for (uint32_t b = 0; b < t->q->n_bounds; b++) {
        const struct recommend_bound *bound = &t->q->bounds[b];
        uint64_t needed = bound->statistic == RECOMMEND_QUANTILE
                              ? results_quantile_runs_needed(bound->share, RESULTS_CONFIDENCE)
                              : 0;

        if (answer->n_runs < needed) {
            say(t, "warning", RESULTS_YELLOW,
                "fewer than %" PRIu64 " runs cannot bound %s: make more", needed, bound->text);
        }
    }
    for (unsigned id = 0; id < RESULTS_WARNING_COUNT; id++) {
        if ((warnings & 1u << id) != 0) {
            say(t, "warning", RESULTS_YELLOW, "%s",
                results_warning_sentence((enum results_warning_id)id));
        }
    }
    for (uint32_t i = 0; i < r->n_axes; i++) {
        if (strncmp(r->axes[i].path, "faults", 6) == 0) {
            say(t, "warning", RESULTS_YELLOW,
                "%s is what happens, and no setting to be chosen: the answer holds for the mildest",
                r->axes[i].name);
        }
    }
    if (r->n_without_runs > 0) {
        say(t, "warning", RESULTS_YELLOW,
            "%" PRIu32 " points of the sweep have no runs: it is not "
            "complete",
            r->n_without_runs);
    }
}

// --- configuration -------------------------------------------------------------------------------

static void tell_line(struct teller *t, const struct recommend_line *line)
{
    const struct recommend_axis *axis = &t->r->axes[line->axis];
    const char *key = axis->path + strlen("config.");

    if (line->is_default) {
        say(t, "", RESULTS_DIM, "left out: %s, since %s is Flink's default", key, line->value);
    } else if (line->because == NULL && line->reference == RECOMMEND_NONE) {
        say(t, "", RESULTS_DIM,
            "left out: %s = %s, since the sweep has no point to compare it "
            "with",
            key, line->value);
    } else if (line->because == NULL) {
        say(t, "", RESULTS_DIM, "left out: %s = %s, since it is not better than %s for certain",
            key, line->value, axis->levels[t->r->points[line->reference].levels[line->axis]].text);
    }
}

// What the point rests on besides the lines: other storage, say, is not set by a key of the block.
static void tell_needs(struct teller *t)
{
    const struct recommendation *r = t->r;
    const struct recommend_point *best = &r->points[r->best];

    for (uint32_t i = 0; i < r->n_axes; i++) {
        const struct recommend_axis *axis = &r->axes[i];
        bool told = strcmp(axis->path, "profile") == 0 || best->levels[i] == RECOMMEND_NONE;

        for (uint32_t k = 0; k < r->n_lines && !told; k++) {
            told = r->lines[k].axis == i;
        }
        if (!told) {
            say(t, "", RESULTS_PLAIN, "only with %s = %s, which is no key of Flink", axis->name,
                axis->levels[best->levels[i]].text);
        }
    }
}

static void tell_lines(struct teller *t)
{
    const struct recommendation *r = t->r;
    uint32_t n = 0;

    if (r->best == RECOMMEND_NONE) {
        return;
    }
    if (strcmp(r->points[r->best].profile, "flink-1.20") != 0) {
        heading(t, "No configuration to paste");
        say(t, "", RESULTS_PLAIN,
            "the point has the profile %s, which is not Flink; --profile "
            "flink-1.20 asks for the best of Flink's",
            r->points[r->best].profile);
        return;
    }
    for (uint32_t i = 0; i < r->n_lines; i++) {
        n += r->lines[i].because != NULL ? 1 : 0;
    }
    heading(t, n > 0 ? "For Flink's config.yaml" : "No configuration to paste");
    for (uint32_t i = 0; i < r->n_lines; i++) {
        if (r->lines[i].because != NULL) {
            const struct recommend_line *line = &r->lines[i];
            const struct recommend_axis *axis = &r->axes[line->axis];

            results_text_format(t->page.text, "%s: %s # less %s than %s\n",
                                axis->path + strlen("config."), line->value, line->because,
                                axis->levels[r->points[line->reference].levels[line->axis]].text);
        }
    }
    for (uint32_t i = 0; i < r->n_lines; i++) {
        tell_line(t, &r->lines[i]);
    }
    if (r->n_lines == 0) {
        say(t, "", RESULTS_PLAIN, "no axis of the sweep is a key of Flink");
    } else if (n > 0) {
        tell_needs(t);
    }
}

void recommend_text(const struct recommendation *r, const struct results_style *style,
                    struct results_text *text)
{
    struct teller t = {r, r->question, {0}};

    results_page_init(&t.page, text, style);
    tell_asked(&t);
    if (r->best != RECOMMEND_NONE) {
        tell_best(&t);
    } else {
        tell_nearest(&t);
    }
    tell_neighbours(&t);
    tell_effects(&t);
    tell_conditions(&t);
    tell_findings(&t);
    tell_warnings(&t);
    tell_lines(&t);
}
