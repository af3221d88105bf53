// SPDX-License-Identifier: GPL-3.0-or-later
//
// Expectations against a result: those of the scenario, and the default ones (the job finishes, and
// nothing is found that was not expected).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/amount.h"
#include "scenarios/loader.h"
#include "scenarios/metrics.h"

static bool is_unit(const struct scenario_metric *metric, const char *unit)
{
    return strcmp(metric->unit, unit) == 0;
}

// As people are shown a value; exact where it has no unit of many digits.
static void amount_text(const struct scenario_metric *metric, int64_t value,
                        char text[SCENARIO_UNITS_TEXT])
{
    if (is_unit(metric, "ns")) {
        scenario_amount_duration(value, text);
    } else if (is_unit(metric, "bytes") && value >= 0) {
        scenario_amount_size((uint64_t)value, text);
    } else {
        (void)snprintf(text, SCENARIO_UNITS_TEXT, "%" PRId64 "%s", value,
                       is_unit(metric, "bytes")      ? " b"
                       : is_unit(metric, "nano-usd") ? " nano-usd"
                                                     : "");
    }
}

static void exact_text(const struct scenario_metric *metric, int64_t value,
                       char text[SCENARIO_UNITS_TEXT])
{
    if (is_unit(metric, "ns") && value >= 0) {
        scenario_units_measured_text(value, text);
    } else if (is_unit(metric, "ns") && value > INT64_MIN) {
        char positive[SCENARIO_UNITS_TEXT];
        scenario_units_measured_text(-value, positive);
        (void)snprintf(text, SCENARIO_UNITS_TEXT, "-%.38s", positive);
    } else if (is_unit(metric, "bytes")) {
        (void)snprintf(text, SCENARIO_UNITS_TEXT, "%" PRId64 " b", value);
    } else {
        amount_text(metric, value, text);
    }
}

// Three digits, unless the limit that the value is held against reads the same in three digits and
// is another.
static void value_text(const struct scenario_expectation *expectation, int64_t value,
                       char text[SCENARIO_UNITS_TEXT])
{
    const struct scenario_metric *metric = scenario_metric_find(expectation->metric);
    const int64_t limits[] = {expectation->a, expectation->b};
    const size_t n = expectation->bound == SCENARIO_BETWEEN ? 2 : 1;
    amount_text(metric, value, text);
    for (size_t i = 0; i < n; i++) {
        char limit[SCENARIO_UNITS_TEXT];
        amount_text(metric, limits[i], limit);
        if (value != limits[i] && strcmp(text, limit) == 0) {
            exact_text(metric, value, text);
            return;
        }
    }
}

static bool bound_holds(const struct scenario_expectation *expectation, int64_t value)
{
    switch (expectation->bound) {
    case SCENARIO_AT_LEAST:
        return value >= expectation->a;
    case SCENARIO_AT_MOST:
        return value <= expectation->a;
    case SCENARIO_EQUALS:
        return value == expectation->a;
    case SCENARIO_BETWEEN:
        return value >= expectation->a && value <= expectation->b;
    }
    return false;
}

static const char *bound_text(enum scenario_bound bound)
{
    static const char *const texts[] = {"at least", "at most", "equal to", "between"};
    return texts[bound];
}

static void judge_state(const struct scenario *scenario, const struct model_result *result,
                        struct scenario_outcome *out)
{
    enum model_job_state wanted =
        scenario->expects_state ? scenario->expected_state : MODEL_JOB_FINISHED;
    out->kind = SCENARIO_OUTCOME_STATE;
    out->metric = "state";
    out->ok = result->state == wanted;
    out->computed = true;
    (void)snprintf(out->text, sizeof(out->text), "state is %s, expected %s",
                   model_job_state_name(result->state), model_job_state_name(wanted));
}

static void judge_bound(const struct scenario_expectation *expectation,
                        const struct model_result *result, int64_t faultless_ns,
                        struct scenario_outcome *out)
{
    char text[SCENARIO_UNITS_TEXT];
    out->kind = SCENARIO_OUTCOME_BOUND;
    out->metric = expectation->metric;
    out->expectation = expectation;
    out->computed =
        scenario_metric_value(result, faultless_ns, expectation->metric, &out->value) == 0;
    if (!out->computed) {
        (void)snprintf(out->text, sizeof(out->text), "%.60s was not computed, expected %s %.60s",
                       out->metric, bound_text(expectation->bound), expectation->text);
        return;
    }
    out->ok = bound_holds(expectation, out->value);
    value_text(expectation, out->value, text);
    (void)snprintf(out->text, sizeof(out->text), "%.60s is %s, expected %s %.60s", out->metric,
                   text, bound_text(expectation->bound), expectation->text);
}

static uint32_t findings_of(const struct model_result *result, const char *invariant,
                            bool *explained)
{
    uint32_t n = 0;
    *explained = true;
    for (uint32_t i = 0; i < result->n_findings; i++) {
        if (strcmp(result->findings[i].invariant, invariant) == 0) {
            *explained = *explained && result->findings[i].hazard != NULL;
            n++;
        }
    }
    return n;
}

static void judge_finding(const char *invariant, const struct model_result *result,
                          struct scenario_outcome *out)
{
    bool explained;
    out->kind = SCENARIO_OUTCOME_FINDING;
    out->metric = "findings";
    out->invariant = invariant;
    out->computed = true;
    out->value = (int64_t)findings_of(result, invariant, &explained);
    out->ok = out->value > 0;
    (void)snprintf(out->text, sizeof(out->text), "finding %.16s was expected and %s", invariant,
                   out->ok ? "occurred" : "did not occur");
}

static bool is_expected(const struct scenario *scenario, const char *invariant)
{
    for (uint32_t i = 0; i < scenario->n_expected_findings; i++) {
        if (strcmp(scenario->expected_findings[i], invariant) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_first(const struct model_result *result, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (strcmp(result->findings[i].invariant, result->findings[at].invariant) == 0) {
            return false;
        }
    }
    return true;
}

static void judge_unexpected(const struct model_result *result, uint32_t at,
                             struct scenario_outcome *out)
{
    const struct model_finding *finding = &result->findings[at];
    out->kind = SCENARIO_OUTCOME_UNEXPECTED;
    out->metric = "findings";
    out->invariant = finding->invariant;
    out->computed = true;
    out->value = (int64_t)findings_of(result, finding->invariant, &out->explained);
    (void)snprintf(out->text, sizeof(out->text),
                   "%" PRId64 " finding%s of %.16s (%.40s), none expected", out->value,
                   out->value == 1 ? "" : "s", finding->invariant,
                   finding->hazard != NULL ? finding->hazard : "explained by no active policy");
}

static uint32_t distinct_unexpected(const struct scenario *scenario,
                                    const struct model_result *result)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < result->n_findings; i++) {
        n += is_first(result, i) && !is_expected(scenario, result->findings[i].invariant) ? 1 : 0;
    }
    return n;
}

int scenario_evaluate(const struct scenario *scenario, const struct model_result *result,
                      int64_t faultless_ns, struct scenario_verdict *verdict)
{
    memset(verdict, 0, sizeof(*verdict));
    size_t count = (size_t)1 + scenario->n_expectations + scenario->n_expected_findings
                   + distinct_unexpected(scenario, result);
    verdict->outcomes = calloc(count, sizeof(*verdict->outcomes));
    if (verdict->outcomes == NULL) {
        return SCENARIO_ENOMEM;
    }
    uint32_t n = 0;
    judge_state(scenario, result, &verdict->outcomes[n++]);
    for (uint32_t i = 0; i < scenario->n_expectations; i++) {
        judge_bound(&scenario->expectations[i], result, faultless_ns, &verdict->outcomes[n++]);
    }
    for (uint32_t i = 0; i < scenario->n_expected_findings; i++) {
        judge_finding(scenario->expected_findings[i], result, &verdict->outcomes[n++]);
    }
    for (uint32_t i = 0; i < result->n_findings; i++) {
        verdict->unexplained = verdict->unexplained || result->findings[i].hazard == NULL;
        if (is_first(result, i) && !is_expected(scenario, result->findings[i].invariant)) {
            judge_unexpected(result, i, &verdict->outcomes[n++]);
        }
    }
    verdict->n_outcomes = n;
    verdict->ok = true;
    for (uint32_t i = 0; i < n; i++) {
        verdict->ok = verdict->ok && verdict->outcomes[i].ok;
    }
    return SCENARIO_OK;
}

void scenario_verdict_release(struct scenario_verdict *verdict)
{
    free(verdict->outcomes);
    memset(verdict, 0, sizeof(*verdict));
}
