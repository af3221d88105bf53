// SPDX-License-Identifier: GPL-3.0-or-later
//
// One scenario of a check: its runs, and what is said about them.
#include <inttypes.h>
#include <string.h>

#include "campaigns/check.h"
#include "campaigns/record.h"
#include "results/shell.h"
#include "scenarios/metrics.h"
#include "sim/error.h"

uint32_t campaign_check_seeds(const struct campaign_check_item *item,
                              uint64_t seeds[SCENARIO_BASELINE_RUNS_MAX + 1])
{
    uint32_t n = 0;

    for (uint32_t i = 0; item->has_baseline && i < item->baseline.n_runs; i++) {
        seeds[n++] = item->baseline.runs[i].seed;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (seeds[i] == item->scenario.config.seed) {
            return n;
        }
    }
    seeds[n++] = item->scenario.config.seed;
    return n;
}

static uint32_t worse(uint32_t a, uint32_t b)
{
    static const uint32_t order[] = {CAMPAIGN_CODE_BUG, CAMPAIGN_CODE_FAILED, CAMPAIGN_CODE_OUTSIDE,
                                     CAMPAIGN_CODE_INCOMPLETE};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return CAMPAIGN_CODE_DONE;
}

static uint32_t judge(const struct campaign_check_item *item, const struct model_result *result,
                      int64_t faultless_ns, struct results_text *details)
{
    struct scenario_verdict verdict;
    uint32_t code = CAMPAIGN_CODE_DONE;

    if (scenario_evaluate(&item->scenario, result, faultless_ns, &verdict) != SCENARIO_OK) {
        results_text_add(details, "out of memory\n");
        return CAMPAIGN_CODE_OUTSIDE;
    }
    for (uint32_t i = 0; i < verdict.n_outcomes; i++) {
        if (!verdict.outcomes[i].ok) {
            results_text_format(details, "%s\n", verdict.outcomes[i].text);
        }
    }
    code = verdict.ok ? code : CAMPAIGN_CODE_FAILED;
    for (uint32_t i = 0; verdict.unexplained && i < result->n_findings; i++) {
        const struct model_finding *finding = &result->findings[i];

        if (finding->hazard == NULL) {
            results_text_format(details, "%s is broken at event %" PRIu64 ", a bug: %s\n",
                                finding->invariant, finding->event, finding->message);
            code = CAMPAIGN_CODE_BUG;
        }
    }
    if (result->limited) {
        results_text_add(details, "the run was cut short at its limit of events\n");
        code = worse(code, CAMPAIGN_CODE_INCOMPLETE);
    }
    scenario_verdict_release(&verdict);
    return code;
}

uint32_t campaign_check_run(struct campaign_check_item *item, uint64_t seed,
                            struct sim_arena *arena, struct results_trail *trail,
                            struct results_text *details)
{
    struct campaign_recording recording = {.points_max = RESULTS_TRAIL_POINTS_FEW, .at = 1};
    struct model_result result;
    int64_t faultless_ns;
    uint32_t code;
    int error;

    memset(&result, 0, sizeof(result));
    error = scenario_reseed(&item->scenario, seed) == SCENARIO_OK ? 0 : SIM_ENOMEM;
    if (error == 0) {
        error = campaign_record(&item->scenario, &recording, arena, &result, &faultless_ns, trail);
    }
    if (error == 0) {
        code = judge(item, &result, faultless_ns, details);
    } else {
        results_text_format(details, "seed %" PRIu64 ": the run has no result: %s\n", seed,
                            sim_strerror(error));
        code = error == SIM_ENOMEM ? CAMPAIGN_CODE_OUTSIDE : CAMPAIGN_CODE_FAILED;
    }
    model_result_release(&result);
    return code;
}

// --- against the baseline ------------------------------------------------------------------------

static void run_json(const struct results_trail *trail, uint32_t code,
                     const struct results_baseline_check *compared, struct results_json *json)
{
    results_json_object(json);
    results_json_put_u64(json, "seed", trail->seed);
    results_json_put_u64(json, "code", code);
    if (trail->metrics != NULL) {
        results_json_put_string(json, "state", model_job_state_name(trail->state));
        results_json_put_u64(json, "events", trail->total);
        results_json_key(json, "fingerprint");
        results_json_hex(json, trail->fingerprint, sizeof(trail->fingerprint));
    }
    results_json_key(json, "baseline");
    if (compared == NULL) {
        results_json_null(json);
    } else {
        results_baseline_check_json(compared, json);
    }
    results_json_end_object(json);
}

// One seed: run, judge, compare.
static uint32_t check_seed(const struct campaign_check *check, struct campaign_check_item *item,
                           uint64_t seed, struct sim_arena *arena, struct results_json *json)
{
    struct results_text *details = &item->report.details;
    struct results_baseline_check compared;
    struct results_trail trail;
    uint32_t code;
    bool compare;

    memset(&trail, 0, sizeof(trail));
    code = campaign_check_run(item, seed, arena, &trail, details);
    compare = item->has_baseline && trail.metrics != NULL;
    if (compare) {
        results_baseline_check(&item->baseline, &trail, check->options.strict, &compared);
        results_baseline_check_text(&compared, &item->baseline, &trail, 0, details);
        code = worse(code, compared.fails ? CAMPAIGN_CODE_FAILED : CAMPAIGN_CODE_DONE);
    }
    if (code != CAMPAIGN_CODE_DONE) {
        results_text_add(details, "repeat: ");
        results_shell_word(details, check->options.program);
        results_text_add(details, " run ");
        results_shell_file(details, item->file->path);
        results_text_format(details, " --seed %" PRIu64 "\n", seed);
    }
    if (compare && (compared.fails || (compared.seed_known && !compared.equal))) {
        results_text_add(details, compared.fails ? "accept: " : "passes; keep with: ");
        results_shell_word(details, check->options.program);
        results_text_add(details, " bless ");
        results_shell_file(details, item->file->path);
        results_text_add(details, " --why TEXT\n");
    }
    run_json(&trail, code, compare ? &compared : NULL, json);
    results_trail_release(&trail);
    return code;
}

// A file that does not load.
static uint32_t tell_messages(const struct scenario *scenario, struct results_text *details)
{
    for (uint32_t i = 0; i < scenario->n_errors; i++) {
        char buffer[2048];
        size_t size = scenario_message_format(&scenario->errors[i], NULL, buffer, sizeof(buffer));

        size = size < sizeof(buffer) ? size : sizeof(buffer) - 1;
        results_text_bytes(details, buffer, size);
        if (size > 0 && buffer[size - 1] != '\n') {
            results_text_char(details, '\n');
        }
    }
    return CAMPAIGN_CODE_FAILED;
}

static uint32_t check_runs(const struct campaign_check *check, struct campaign_check_item *item,
                           struct sim_arena *arena, struct results_json *json)
{
    uint64_t seeds[SCENARIO_BASELINE_RUNS_MAX + 1];
    uint32_t n = campaign_check_seeds(item, seeds);
    uint32_t code = CAMPAIGN_CODE_DONE;

    for (uint32_t i = 0; i < n; i++) {
        code = worse(code, check_seed(check, item, seeds[i], arena, json));
    }
    if (!item->has_baseline && item->baseline.holder.n_errors > 0) {
        code = worse(code, tell_messages(&item->baseline.holder, &item->report.details));
    } else if (!item->has_baseline && check->options.strict) {
        results_text_format(&item->report.details, "no baseline: %s is not there\n",
                            item->baseline_path);
        code = worse(code, CAMPAIGN_CODE_FAILED);
    }
    return code;
}

void campaign_check_one(const struct campaign_check *check, struct campaign_check_item *item,
                        struct sim_arena *arena)
{
    struct campaign_check_report *report = &item->report;
    struct results_json json;

    results_json_init(&json, &report->json);
    results_json_object(&json);
    results_json_put_string(&json, "path", item->file->path);
    results_json_put_string(&json, "name", item->scenario.name);
    results_json_put_string(&json, "baseline", item->has_baseline ? item->baseline_path : NULL);
    results_json_key(&json, "runs");
    results_json_array(&json);
    report->code = item->loaded ? check_runs(check, item, arena, &json)
                                : tell_messages(&item->scenario, &report->details);
    results_json_end_array(&json);
    report->status =
        report->code == CAMPAIGN_CODE_DONE ? CAMPAIGN_CHECK_PASSED : CAMPAIGN_CHECK_FAILED;
    results_json_put_string(&json, "status",
                            report->status == CAMPAIGN_CHECK_PASSED ? "passed" : "failed");
    results_json_put_u64(&json, "code", report->code);
    results_json_put_string(&json, "details", results_text_string(&report->details));
    results_json_end_object(&json);
}
