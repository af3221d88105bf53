// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/baseline_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "results/baseline_text.h"
#include "results/event_words.h"
#include "results/metric_words.h"
#include "results/units.h"
#include "sim/assert.h"
#include "sim/wide.h"

#define NANO UINT64_C(1000000000)

// --- comparing -----------------------------------------------------------------------------------

static uint64_t distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

// |after - before| <= tolerance * |before|, exactly.
static bool is_within(int64_t before, int64_t after, int64_t tolerance_nano)
{
    uint64_t size = distance(before, 0);
    struct sim_wide moved = sim_wide_product(distance(before, after), NANO);
    struct sim_wide allowed = sim_wide_product(size, (uint64_t)tolerance_nano);

    return moved.high < allowed.high || (moved.high == allowed.high && moved.low <= allowed.low);
}

static void compare_metric(const struct scenario_baseline_metric *policy, uint32_t run,
                           int64_t after, struct results_baseline_check *check)
{
    int64_t before = policy->values[run];
    struct results_baseline_change *change;

    if (before == after || check->n_changes == RESULTS_BASELINE_METRICS_MAX) {
        return;
    }
    change = &check->changes[check->n_changes++];
    change->metric = policy->metric;
    change->before = before;
    change->after = after;
    change->direction = results_metric_direction(policy->better, before, after);
    change->tolerance_nano = policy->tolerance_nano;
    change->within = is_within(before, after, policy->tolerance_nano);
    change->fails = policy->gate && change->direction > 0 && !change->within;
}

static void compare_metrics(const struct scenario_baseline *baseline, uint32_t run,
                            const struct results_trail *trail, struct results_baseline_check *check)
{
    SIM_ALWAYS(scenario_metric_count() <= RESULTS_BASELINE_METRICS_MAX);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_baseline_metric *policy =
            scenario_baseline_metric(baseline, scenario_metric_at(i)->name);

        // A metric that is newer than the baseline has nothing to be compared with.
        if (policy != NULL && policy->values != NULL) {
            compare_metric(policy, run, trail->metrics[i], check);
        }
    }
}

// The first point in which the part that matters differs: behaviour where that changed.
static void find_window(const struct scenario_baseline_run *run, const struct results_trail *trail,
                        struct results_baseline_check *check)
{
    struct scenario_baseline_point points[SCENARIO_BASELINE_POINTS_MAX];
    uint32_t n = results_baseline_points(trail, points);
    uint64_t step = run->spacing > trail->spacing ? run->spacing : trail->spacing;
    uint64_t equal = 0;
    int64_t equal_ns = 0;

    for (uint64_t events = step; events <= UINT64_MAX - step; events += step) {
        uint64_t i = events / run->spacing;
        uint64_t k = events / trail->spacing;

        if (events % run->spacing != 0 || events % trail->spacing != 0 || i > run->n_points ||
            k > n) {
            break;
        }
        if (run->points[i - 1].order != points[k - 1].order ||
            run->points[i - 1].behaviour != points[k - 1].behaviour) {
            check->window_known = true;
            check->window_to = events;
            check->window_to_ns = trail->points[k - 1].time_ns;
            break;
        }
        equal = events;
        equal_ns = trail->points[k - 1].time_ns;
    }
    if (!check->window_known) {
        // All points agree: it lies behind the last one.
        check->window_known = true;
        check->window_to = trail->total > run->events ? trail->total : run->events;
        check->window_to_ns = trail->makespan_ns;
    }
    check->window_from = equal + 1;
    check->window_from_ns = equal_ns;
}

static void compare_layers(const struct scenario_baseline_run *run,
                           const struct results_trail *trail, struct results_baseline_check *check)
{
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        char hex[SIM_FINGERPRINT_HEX_BYTES];

        sim_fingerprint_hex(trail->layers[i], hex);
        if (strcmp(hex, run->layers[i]) != 0) {
            check->layers |= UINT32_C(1) << i;
        }
    }
}

static bool any_fails(const struct results_baseline_check *check)
{
    bool fails = check->state_changed;

    for (uint32_t i = 0; i < check->n_changes; i++) {
        fails = fails || check->changes[i].fails;
    }
    return fails;
}

void results_baseline_check(const struct scenario_baseline *baseline,
                            const struct results_trail *trail, bool strict,
                            struct results_baseline_check *check)
{
    uint32_t index = scenario_baseline_run(baseline, trail->seed);
    const struct scenario_baseline_run *run;
    char hex[SIM_FINGERPRINT_HEX_BYTES];
    bool excused;

    memset(check, 0, sizeof(*check));
    if (index == baseline->n_runs) {
        check->fails = strict;
        return;
    }
    run = &baseline->runs[index];
    sim_fingerprint_hex(trail->fingerprint, hex);
    check->seed_known = true;
    check->scenario_changed = strcmp(baseline->scenario, trail->digest) != 0;
    check->version_changed = strcmp(baseline->recoup, trail->version) != 0;
    check->state_before = run->state;
    check->state_changed = run->state != trail->state;
    compare_layers(run, trail, check);
    compare_metrics(baseline, index, trail, check);
    // The layers and the whole say the same, unless somebody wrote into the file.
    check->equal = strcmp(hex, run->fingerprint) == 0 && check->layers == 0 &&
                   !check->state_changed && check->n_changes == 0;
    if (check->layers != 0) {
        find_window(run, trail, check);
    }
    excused = check->scenario_changed || check->version_changed;
    check->fails = strict || !excused ? !check->equal || (strict && check->scenario_changed)
                                      : any_fails(check);
}

// --- telling -------------------------------------------------------------------------------------

static void tell_change(const struct results_baseline_change *change, uint32_t indent,
                        struct results_text *text)
{
    results_text_repeat(text, " ", indent);
    results_metric_change(change->metric, change->before, change->after, text);
    if (change->within && change->before != change->after) {
        results_text_add(text, ", within its tolerance");
    } else if (change->direction > 0 && !change->fails) {
        results_text_add(text, ", not gated");
    }
    results_text_char(text, '\n');
}

static void tell_window(const struct results_baseline_check *check, struct results_text *text)
{
    char from[RESULTS_INSTANT_SIZE];
    char to[RESULTS_INSTANT_SIZE];

    if (check->window_known) {
        results_text_format(text, ", first between event %" PRIu64 " and %" PRIu64 " (%s to %s)",
                            check->window_from, check->window_to,
                            results_instant(from, check->window_from_ns),
                            results_instant(to, check->window_to_ns));
    }
}

static void tell_reasons(const struct results_baseline_check *check,
                         const struct scenario_baseline *baseline,
                         const struct results_trail *trail, uint32_t indent,
                         struct results_text *text)
{
    if (check->scenario_changed) {
        results_text_repeat(text, " ", indent);
        results_text_add(text, "the scenario itself changed since its baseline was accepted\n");
    }
    if (check->version_changed) {
        results_text_repeat(text, " ", indent);
        results_text_format(text, "the baseline is of recoup %s, this is %s\n", baseline->recoup,
                            trail->version);
    }
}

void results_baseline_check_text(const struct results_baseline_check *check,
                                 const struct scenario_baseline *baseline,
                                 const struct results_trail *trail, uint32_t indent,
                                 struct results_text *text)
{
    if (!check->seed_known) {
        results_text_repeat(text, " ", indent);
        results_text_format(text, "the baseline has no run with seed %" PRIu64 "\n", trail->seed);
        return;
    }
    if (check->equal && !check->scenario_changed) {
        return;
    }
    results_text_repeat(text, " ", indent);
    if (check->layers == 0 && !check->equal) {
        results_text_add(text, "the values in the baseline contradict its own fingerprint");
    } else {
        results_change_text(check->layers, text);
    }
    tell_window(check, text);
    results_text_char(text, '\n');
    tell_reasons(check, baseline, trail, indent, text);
    if (check->state_changed) {
        results_text_repeat(text, " ", indent);
        results_text_format(text, "state: %s -> %s\n", model_job_state_name(check->state_before),
                            model_job_state_name(trail->state));
    }
    for (uint32_t i = 0; i < check->n_changes; i++) {
        tell_change(&check->changes[i], indent, text);
    }
}

static void change_json(const struct results_baseline_change *change, struct results_json *json)
{
    static const char *const directions[] = {"better", "neither", "worse"};

    results_json_object(json);
    results_json_put_string(json, "metric", change->metric->name);
    results_json_put_string(json, "unit", change->metric->unit);
    results_json_put_i64(json, "before", change->before);
    results_json_put_i64(json, "after", change->after);
    results_json_put_string(json, "direction", directions[1 + change->direction]);
    results_json_put_bool(json, "within_tolerance", change->within);
    results_json_put_bool(json, "fails", change->fails);
    results_json_end_object(json);
}

static const char *change_word(const struct results_baseline_check *check)
{
    static const char *const words[] = {[RESULTS_CHANGE_NONE] = "none",
                                        [RESULTS_CHANGE_ORDER] = "order",
                                        [RESULTS_CHANGE_BEHAVIOUR] = "behaviour"};

    return words[results_change_of(check->layers)];
}

void results_baseline_check_json(const struct results_baseline_check *check,
                                 struct results_json *json)
{
    results_json_object(json);
    results_json_put_bool(json, "seed_known", check->seed_known);
    results_json_put_bool(json, "equal", check->equal);
    results_json_put_bool(json, "fails", check->fails);
    results_json_put_string(json, "change", change_word(check));
    results_json_key(json, "layers");
    results_json_array(json);
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        if ((check->layers >> i & 1) != 0) {
            char name[8];

            (void)snprintf(name, sizeof(name), "F%" PRIu32, i + 1);
            results_json_string(json, name);
        }
    }
    results_json_end_array(json);
    results_json_put_bool(json, "scenario_changed", check->scenario_changed);
    results_json_put_bool(json, "version_changed", check->version_changed);
    if (check->window_known) {
        results_json_put_u64(json, "first_event_from", check->window_from);
        results_json_put_u64(json, "first_event_to", check->window_to);
        results_json_put_i64(json, "from_ns", check->window_from_ns);
        results_json_put_i64(json, "to_ns", check->window_to_ns);
    }
    results_json_key(json, "metrics");
    results_json_array(json);
    for (uint32_t i = 0; i < check->n_changes; i++) {
        change_json(&check->changes[i], json);
    }
    results_json_end_array(json);
    results_json_end_object(json);
}
