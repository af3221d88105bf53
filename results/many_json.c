// SPDX-License-Identifier: GPL-3.0-or-later
//
// Many runs as JSON. Integers only: means, deviations and quantiles are rounded to the metric's
// unit (1 ns, 1 byte).
#include <math.h>

#include "results/json.h"
#include "results/many.h"

static void put_rounded(struct results_json *json, const char *key, double value)
{
    results_json_key(json, key);
    if (isfinite(value) && fabs(value) < 9.2e18) {
        results_json_i64(json, llround(value));
    } else {
        results_json_null(json);
    }
}

void results_many_put_lost(struct results_json *json, const struct results_record *record)
{
    results_json_key(json, "lost_work_by_cause");
    results_json_object(json);
    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        uint64_t attempts;
        int64_t ns = results_many_lost(record, c, &attempts);

        if (ns > 0 || attempts > 0) {
            results_json_key(json, model_cause_name((enum model_cause)c));
            results_json_object(json);
            results_json_put_i64(json, "ns", ns);
            results_json_put_u64(json, "attempts", attempts);
            results_json_end_object(json);
        }
    }
    results_json_end_object(json);
    results_json_put_u64(json, "findings", record->facts.findings_total);
}

static void put_run(struct results_json *json, const struct results_record *record, uint64_t seed,
                    const char *failure)
{
    int64_t kept;

    results_json_object(json);
    results_json_put_u64(json, "seed", seed);
    if (record == NULL) {
        results_json_put_string(json, "failure", failure);
        results_json_end_object(json);
        return;
    }
    results_json_put_string(json, "state",
                            model_job_state_name((enum model_job_state)record->facts.state));
    results_json_key(json, "fingerprint");
    results_json_hex(json, record->facts.fingerprint, sizeof(record->facts.fingerprint));
    results_json_put_bool(json, "expectations_met", record->facts.expectations_met);
    (void)results_many_of(record, RESULTS_MANY_KEPT, &kept);
    results_json_put_i64(json, "finished_kept", kept);
    results_json_key(json, "metrics");
    results_json_object(json);
    for (uint32_t c = 0; c < RESULTS_COLUMN_COUNT; c++) {
        results_json_key(json, results_column(c)->name);
        if (record->facts.values[c].null) {
            results_json_null(json);
        } else {
            results_json_i64(json, record->facts.values[c].value);
        }
    }
    results_json_end_object(json);
    results_many_put_lost(json, record);
    results_json_end_object(json);
}

static void put_metric(struct results_json *json, const struct results_sample *sample,
                       enum results_many_metric metric)
{
    struct results_moments moments;

    results_sample_moments(sample, &moments);
    results_json_key(json, results_many_name(metric));
    results_json_object(json);
    results_json_put_u64(json, "n", sample->n);
    put_rounded(json, "mean", moments.mean);
    put_rounded(json, "sd", moments.sd);
    put_rounded(json, "min", sample->n > 0 ? (double)sample->min : RESULTS_UNKNOWN);
    put_rounded(json, "p5", results_sample_quantile(sample, 0.05));
    put_rounded(json, "p50", results_sample_quantile(sample, 0.5));
    put_rounded(json, "p95", results_sample_quantile(sample, 0.95));
    put_rounded(json, "max", sample->n > 0 ? (double)sample->max : RESULTS_UNKNOWN);
    results_json_end_object(json);
}

static void put_causes(struct results_json *json, const struct results_many_summary *s)
{
    results_json_key(json, "lost_work_by_cause");
    results_json_object(json);
    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        if (s->causes[c].runs > 0) {
            results_json_key(json, model_cause_name((enum model_cause)c));
            results_json_object(json);
            results_json_put_u64(json, "runs", s->causes[c].runs);
            results_json_put_i64(json, "ns_total", s->causes[c].total_ns);
            results_json_put_u64(json, "attempts_total", s->causes[c].attempts);
            results_json_end_object(json);
        }
    }
    results_json_end_object(json);
}

static void put_findings(struct results_json *json, const struct results_many_summary *s)
{
    results_json_key(json, "findings");
    results_json_array(json);
    for (uint32_t i = 0; i < s->n_findings; i++) {
        const struct results_many_finding *f = &s->findings[i];

        results_json_object(json);
        results_json_put_string(json, "invariant", f->invariant);
        results_json_put_string(json, "hazard", f->hazard[0] != '\0' ? f->hazard : NULL);
        results_json_put_u64(json, "runs", f->runs);
        results_json_put_u64(json, "first_seed", f->seed);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void put_summary(struct results_json *json, const struct results_many_summary *s)
{
    results_json_key(json, "summary");
    results_json_object(json);
    results_json_put_u64(json, "runs", s->n);
    results_json_key(json, "states");
    results_json_object(json);
    for (uint32_t i = MODEL_JOB_RUNNING; i <= MODEL_JOB_TIMEOUT; i++) {
        if (s->states[i] > 0) {
            results_json_put_u64(json, model_job_state_name((enum model_job_state)i), s->states[i]);
        }
    }
    results_json_end_object(json);
    results_json_put_u64(json, "crash_hit", s->hit);
    results_json_put_u64(json, "censored", s->censored);
    results_json_put_u64(json, "expectations_unmet", s->unmet);
    results_json_put_u64(json, "failures", s->failed);
    results_json_put_u64(json, "worst_seed", s->worst_seed);
    results_json_key(json, "metrics");
    results_json_object(json);
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        put_metric(json, &s->samples[m], (enum results_many_metric)m);
    }
    results_json_end_object(json);
    put_causes(json, s);
    put_findings(json, s);
    results_json_end_object(json);
}

void results_many_json(const struct results_many *many, const struct results_many_summary *summary,
                       struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_u64(&json, "schema", 1);
    results_json_put_string(&json, "recoup", many->version);
    results_json_put_string(&json, "scenario", many->scenario->name);
    results_json_put_string(&json, "profile", results_profile_name(many->scenario->config.profile));
    results_json_put_u64(&json, "asked", many->asked);
    results_json_put_u64(&json, "made", many->n);
    put_summary(&json, summary);
    results_json_key(&json, "runs");
    results_json_array(&json);
    for (uint32_t i = 0; i < many->n; i++) {
        put_run(&json, many->records[i], many->seeds[i], many->failures[i]);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}
