// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/baseline_text.h"

#include <inttypes.h>
#include <string.h>

#include "sim/assert.h"

#define NANO_PERCENT INT64_C(10000000) // 1 % in 1e-9
#define DEFAULT_TOLERANCE_NANO NANO_PERCENT // 1 %
#define POINTS_A_LINE 4u

// Two layers in 32 bits: a rotation keeps equal layers from cancelling out.
static uint32_t fold(uint64_t a, uint64_t b)
{
    uint64_t both = a ^ (b << 17 | b >> 47);

    return (uint32_t)(both >> 32) ^ (uint32_t)both;
}

uint32_t
results_baseline_points(const struct results_trail *trail,
                        struct scenario_baseline_point points[SCENARIO_BASELINE_POINTS_MAX])
{
    _Static_assert(RESULTS_TRAIL_POINTS_FEW == SCENARIO_BASELINE_POINTS_MAX, "all points fit");
    SIM_ALWAYS(trail->n_points <= SCENARIO_BASELINE_POINTS_MAX);
    for (uint32_t i = 0; i < trail->n_points; i++) {
        const struct results_trail_point *point = &trail->points[i];

        points[i].events = point->events;
        points[i].order = fold(point->layers[SIM_LAYER_SCHEDULE], point->layers[SIM_LAYER_RANDOM]);
        points[i].behaviour = fold(point->layers[SIM_LAYER_IO], point->layers[SIM_LAYER_STATE]);
    }
    return trail->n_points;
}

bool results_baseline_why_is_good(const char *why, const char **problem)
{
    *problem = NULL;
    if (why[strspn(why, " ")] == '\0') {
        *problem = "the reason is empty";
    } else if (strlen(why) > SCENARIO_BASELINE_WHY_MAX) {
        *problem = "the reason is longer than 500 bytes; say the rest in the commit";
    }
    for (const char *c = why; *c != '\0' && *problem == NULL; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *problem = "the reason must be one line without control characters";
        }
    }
    return *problem == NULL;
}

static void put_quoted(struct results_text *text, const char *value)
{
    results_text_char(text, '\'');
    for (; *value != '\0'; value++) {
        results_text_char(text, *value);
        if (*value == '\'') {
            results_text_char(text, '\'');
        }
    }
    results_text_char(text, '\'');
}

static void put_reason(struct results_text *text, const char *recoup, const char *why)
{
    results_text_add(text, "  - {recoup: ");
    put_quoted(text, recoup);
    results_text_add(text, ", why: ");
    put_quoted(text, why);
    results_text_add(text, "}\n");
}

static void put_points(struct results_text *text, const struct results_trail *trail)
{
    struct scenario_baseline_point points[SCENARIO_BASELINE_POINTS_MAX];
    uint32_t n = results_baseline_points(trail, points);

    results_text_format(text, "    spacing: %" PRIu64 "\n    points: [", trail->spacing);
    for (uint32_t i = 0; i < n; i++) {
        results_text_format(text, "%s%08" PRIx32 "%08" PRIx32 "%s",
                            i % POINTS_A_LINE == 0 ? "\n      " : " ", points[i].order,
                            points[i].behaviour, i + 1 < n ? "," : "");
    }
    results_text_add(text, "]\n");
}

static void put_run(struct results_text *text, const struct results_trail *trail)
{
    results_text_format(
        text, "  - seed: %" PRIu64 "\n    state: %s\n    events: %" PRIu64 "\n    fingerprint: ",
        trail->seed, model_job_state_name(trail->state), trail->total);
    results_text_hex(text, trail->fingerprint, SIM_FINGERPRINT_BYTES);
    results_text_add(text, "\n    layers:\n");
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        results_text_format(text, "      F%" PRIu32 ": ", i + 1);
        results_text_hex(text, trail->layers[i], SIM_FINGERPRINT_BYTES);
        results_text_char(text, '\n');
    }
    put_points(text, trail);
}

static void put_tolerance(struct results_text *text, int64_t nano)
{
    int64_t rest = nano % NANO_PERCENT;

    results_text_format(text, "%" PRId64, nano / NANO_PERCENT);
    if (rest != 0) {
        char digits[16];
        size_t n = 7;

        for (size_t i = 7; i > 0; i--, rest /= 10) {
            digits[i - 1] = (char)('0' + rest % 10);
        }
        while (digits[n - 1] == '0') {
            n--;
        }
        results_text_char(text, '.');
        results_text_bytes(text, digits, n);
    }
    results_text_char(text, '%');
}

// What a crash costs: gated from the first baseline on. The rest is shown when it changes.
static bool is_cost(const struct scenario_metric *metric)
{
    static const char *const costs[] = {"makespan",
                                        "delay",
                                        "tasks-rerun",
                                        "outage",
                                        "finished-forgotten",
                                        "lost-work",
                                        "io-event-store-bytes",
                                        "io-cost-nanousd",
                                        "protection-unprotected"};

    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        if (strcmp(metric->name, costs[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void put_metric(struct results_text *text, const struct results_baseline_new *baseline,
                       uint32_t index)
{
    const struct scenario_metric *metric = scenario_metric_at(index);
    const struct scenario_baseline_metric *policy =
        baseline->old != NULL ? scenario_baseline_metric(baseline->old, metric->name) : NULL;

    results_text_format(text, "  %s: {values: [", metric->name);
    for (uint32_t i = 0; i < baseline->n_trails; i++) {
        results_text_format(text, "%s%" PRId64, i > 0 ? ", " : "",
                            baseline->trails[i].metrics[index]);
    }
    results_text_format(text, "], better: %s, tolerance: ",
                        policy != NULL              ? policy->better
                        : metric->better[0] != '\0' ? metric->better
                                                    : "neither");
    put_tolerance(text, policy != NULL ? policy->tolerance_nano : DEFAULT_TOLERANCE_NANO);
    results_text_format(text, ", gate: %s}\n",
                        (policy != NULL ? policy->gate : is_cost(metric)) ? "true" : "false");
}

void results_baseline_text(const struct results_baseline_new *baseline, struct results_text *text)
{
    const struct results_trail *first = &baseline->trails[0];
    const struct scenario_baseline *old = baseline->old;

    SIM_ALWAYS(baseline->n_trails > 0);
    results_text_format(text, "%sversion: 1\nbaseline: %s\nscenario: %s\nrecoup: ", baseline->head,
                        first->name, first->digest);
    put_quoted(text, first->version);
    results_text_add(text, "\nreasons:\n");
    // The oldest goes when there is no more room.
    for (uint32_t i = old != NULL && old->n_reasons == SCENARIO_BASELINE_REASONS_MAX ? 1 : 0;
         old != NULL && i < old->n_reasons; i++) {
        put_reason(text, old->reasons[i].recoup, old->reasons[i].why);
    }
    put_reason(text, first->version, baseline->why);
    results_text_add(text, "runs:\n");
    for (uint32_t i = 0; i < baseline->n_trails; i++) {
        put_run(text, &baseline->trails[i]);
    }
    results_text_add(text, "metrics:\n");
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        put_metric(text, baseline, i);
    }
}
