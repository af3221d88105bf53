// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/result_json.h"

#include "results/json.h"

#define RESULT_SCHEMA 1

static void put_i64_or_null(struct results_json *json, const char *key, bool known, int64_t value)
{
    results_json_key(json, key);
    if (known) {
        results_json_i64(json, value);
    } else {
        results_json_null(json);
    }
}

static void write_identity(const struct results_run *run, struct results_json *json)
{
    static const char *const layers[] = {"F1", "F2", "F3", "F4", "F5", "F6"};
    const struct model_result *r = run->result;

    results_json_put_i64(json, "schema", RESULT_SCHEMA);
    results_json_put_string(json, "recoup", run->version);
    results_json_put_string(json, "scenario", run->scenario->name);
    results_json_put_string(json, "profile", results_profile_name(run->scenario->config.profile));
    results_json_put_u64(json, "seed", run->scenario->config.seed);
    results_json_put_u64(json, "events", r->events);
    results_json_key(json, "fingerprint");
    results_json_hex(json, r->fingerprint, sizeof(r->fingerprint));
    results_json_key(json, "fingerprint_layers");
    results_json_object(json);
    for (size_t i = 0; i < sizeof(r->layers) / sizeof(r->layers[0]); i++) {
        results_json_key(json, layers[i]);
        results_json_hex(json, r->layers[i], sizeof(r->layers[i]));
    }
    results_json_end_object(json);
}

static void write_job(const struct results_run *run, struct results_json *json)
{
    const struct model_result *r = run->result;

    results_json_key(json, "job");
    results_json_object(json);
    results_json_put_string(json, "state", model_job_state_name(r->state));
    results_json_put_i64(json, "makespan_ns", r->makespan_ns);
    put_i64_or_null(json, "faultless_makespan_ns", run->faultless_known,
                    run->faultless_makespan_ns);
    put_i64_or_null(json, "delay_ns", run->faultless_known,
                    r->makespan_ns - run->faultless_makespan_ns);
    results_json_put_u64(json, "tasks", r->tasks);
    results_json_put_u64(json, "attempts", r->attempts);
    results_json_put_u64(json, "tasks_rerun", r->tasks_rerun);
    results_json_put_u64(json, "failovers", r->n_failovers);
    results_json_put_i64(json, "outage_ns", r->outage_ns);
    results_json_put_u64(json, "finished_forgotten", r->finished_forgotten);
    results_json_put_i64(json, "busy_ns", r->busy_ns);
    results_json_put_i64(json, "useful_ns", r->useful_ns);
    results_json_put_i64(json, "lost_work_ns", r->lost_ns);
    results_json_put_i64(json, "orphaned_ns", r->orphaned_ns);
    results_json_end_object(json);
}

// Over all stages; only causes that occurred.
static void write_lost_work(const struct model_result *r, struct results_json *json)
{
    results_json_key(json, "lost_work_by_cause");
    results_json_object(json);
    for (uint32_t cause = 0; cause < MODEL_CAUSE_COUNT; cause++) {
        struct model_lost sum = {0, 0};

        for (uint32_t stage = 0; stage < r->n_stages; stage++) {
            const struct model_lost *lost = &r->lost[(size_t)stage * MODEL_CAUSE_COUNT + cause];

            sum.ns += lost->ns;
            sum.attempts += lost->attempts;
        }
        if (sum.attempts == 0 && sum.ns == 0) {
            continue;
        }
        results_json_key(json, model_cause_name((enum model_cause)cause));
        results_json_object(json);
        results_json_put_i64(json, "ns", sum.ns);
        results_json_put_u64(json, "attempts", sum.attempts);
        results_json_end_object(json);
    }
    results_json_end_object(json);
}

static void write_failovers(const struct model_result *r, struct results_json *json)
{
    results_json_key(json, "failovers");
    results_json_array(json);
    for (uint32_t i = 0; i < r->n_failovers; i++) {
        const struct model_failover *f = &r->failovers[i];

        results_json_object(json);
        results_json_put_i64(json, "at_ns", f->at_ns);
        results_json_put_i64(json, "outage_ns", f->outage_ns);
        results_json_key(json, "phases");
        results_json_object(json);
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
            results_json_put_i64(json, model_phase_name((enum model_phase)p), f->phase_ns[p]);
        }
        results_json_end_object(json);
        results_json_put_string(json, "result", model_failover_result_name(f->result));
        results_json_put_u64(json, "events_replayed", f->events_replayed);
        results_json_put_u64(json, "finished_recovered", f->finished_recovered);
        results_json_put_u64(json, "finished_forgotten", f->finished_forgotten);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void write_event_store(const struct model_result *r, struct results_json *json)
{
    results_json_key(json, "event_store");
    results_json_object(json);
    results_json_put_u64(json, "events", r->io.events);
    results_json_put_u64(json, "bytes", r->io.bytes);
    results_json_put_u64(json, "appends", r->io.appends);
    results_json_put_u64(json, "flushes", r->io.flushes);
    results_json_put_u64(json, "syncs", r->io.syncs);
    results_json_put_u64(json, "files", r->io.files);
    results_json_put_u64(json, "snapshots", r->io.snapshots);
    results_json_put_u64(json, "snapshot_bytes", r->io.snapshot_bytes);
    results_json_end_object(json);
}

static void write_io(const struct model_result *r, struct results_json *json)
{
    static const enum model_storage_op ops[] = {
        MODEL_STORAGE_CREATE, MODEL_STORAGE_APPEND, MODEL_STORAGE_FLUSH,
        MODEL_STORAGE_SYNC,   MODEL_STORAGE_CLOSE,  MODEL_STORAGE_READ,
        MODEL_STORAGE_LIST,   MODEL_STORAGE_REMOVE, MODEL_STORAGE_MKDIR};

    results_json_key(json, "io");
    results_json_object(json);
    write_event_store(r, json);
    results_json_key(json, "replay");
    results_json_object(json);
    results_json_put_u64(json, "bytes", r->io.replay_bytes);
    results_json_put_u64(json, "reads", r->io.replay_reads);
    results_json_end_object(json);
    results_json_key(json, "requests");
    results_json_object(json);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        results_json_put_u64(json, model_storage_op_name(ops[i]), r->io.requests[ops[i]]);
    }
    results_json_end_object(json);
    results_json_put_u64(json, "cost_nanousd", r->io.cost_nanousd);
    results_json_end_object(json);
}

static void write_protection(const struct model_result *r, struct results_json *json)
{
    results_json_key(json, "protection");
    results_json_object(json);
    results_json_put_i64(json, "recording_ns", r->recording_ns);
    results_json_put_i64(json, "unprotected_ns", r->unprotected_ns);
    results_json_end_object(json);
}

static void write_faults(const struct results_run *run, struct results_json *json)
{
    results_json_key(json, "faults");
    results_json_array(json);
    for (uint32_t i = 0; i < run->result->n_fired; i++) {
        const struct model_fired *fired = &run->result->fired[i];
        const struct model_fault *fault = &run->scenario->config.faults[fired->fault];
        char target[RESULTS_TARGET_SIZE];

        results_json_object(json);
        results_json_put_string(json, "name", fault->name);
        results_json_put_string(json, "kind", results_fault_kind_name(fault->kind));
        results_json_put_string(json, "target", results_fault_target(target, fault, fired));
        put_i64_or_null(json, "at_ns", fired->fired, fired->at_ns);
        results_json_put_bool(json, "fired", fired->fired);
        results_json_put_u64(json, "times", fired->times);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void write_findings(const struct model_result *r, struct results_json *json)
{
    results_json_key(json, "findings");
    results_json_array(json);
    for (uint32_t i = 0; i < r->n_findings; i++) {
        const struct model_finding *f = &r->findings[i];

        results_json_object(json);
        results_json_put_string(json, "invariant", f->invariant);
        results_json_put_string(json, "hazard", f->hazard);
        results_json_put_i64(json, "at_ns", f->at_ns);
        results_json_put_u64(json, "event", f->event);
        results_json_put_string(json, "message", f->message);
        results_json_end_object(json);
    }
    results_json_end_array(json);
    results_json_put_u64(json, "findings_total", r->findings_total);
}

static const char *bound_name(enum scenario_bound bound)
{
    switch (bound) {
    case SCENARIO_AT_LEAST:
        return "at-least";
    case SCENARIO_AT_MOST:
        return "at-most";
    case SCENARIO_EQUALS:
        return "equals";
    case SCENARIO_BETWEEN:
        return "between";
    }
    return NULL;
}

static void write_bound(const struct scenario_outcome *outcome, struct results_json *json)
{
    const struct scenario_expectation *expectation = outcome->expectation;

    results_json_put_string(json, "bound", bound_name(expectation->bound));
    if (expectation->bound == SCENARIO_BETWEEN) {
        results_json_key(json, "limit");
        results_json_array(json);
        results_json_i64(json, expectation->a);
        results_json_i64(json, expectation->b);
        results_json_end_array(json);
    } else {
        results_json_put_i64(json, "limit", expectation->a);
    }
    put_i64_or_null(json, "value", outcome->computed, outcome->value);
}

static void write_expectations(const struct scenario_verdict *verdict, struct results_json *json)
{
    results_json_key(json, "expectations");
    results_json_array(json);
    for (uint32_t i = 0; i < verdict->n_outcomes; i++) {
        const struct scenario_outcome *outcome = &verdict->outcomes[i];

        results_json_object(json);
        results_json_put_string(json, "metric", outcome->metric);
        results_json_put_bool(json, "ok", outcome->ok);
        if (outcome->kind == SCENARIO_OUTCOME_BOUND && outcome->expectation != NULL) {
            write_bound(outcome, json);
        }
        if (outcome->invariant != NULL) {
            results_json_put_string(json, "invariant", outcome->invariant);
        }
        results_json_put_string(json, "message", outcome->text);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void write_basis(const struct scenario *scenario, struct results_json *json)
{
    results_json_key(json, "assumed");
    results_json_array(json);
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        if (value->assumed) {
            results_json_object(json);
            results_json_put_string(json, "path", value->path);
            results_json_put_string(json, "value", value->value);
            results_json_put_string(json, "source", value->source);
            results_json_end_object(json);
        }
    }
    results_json_end_array(json);
    results_json_key(json, "not_modelled");
    results_json_array(json);
    for (uint32_t i = 0; i < scenario->n_not_modelled; i++) {
        results_json_string(json, scenario->not_modelled[i]);
    }
    results_json_end_array(json);
}

void results_run_json(const struct results_run *run, struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    write_identity(run, &json);
    write_job(run, &json);
    write_lost_work(run->result, &json);
    write_failovers(run->result, &json);
    write_io(run->result, &json);
    write_protection(run->result, &json);
    write_faults(run, &json);
    write_findings(run->result, &json);
    write_expectations(run->verdict, &json);
    write_basis(run->scenario, &json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}
