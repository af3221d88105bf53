// SPDX-License-Identifier: GPL-3.0-or-later
//
// Summaries of many runs and judgements of changes, from records made by hand.
#include "check.h"

#include <jansson.h>

#include "results/identity.h"
#include "results/many.h"
#include "results/what_if.h"
#include "scenarios/sweep.h"
#include "support_result.h"

#define RUNS 5u

struct fixture {
    struct scenario scenario;
    struct results_record records[2][RUNS];
    const struct results_record *pointers[2][RUNS];
    struct results_record_lost lost[RUNS];
    struct results_record_finding findings[RUNS];
    struct model_failover failovers[RUNS];
    uint64_t seeds[RUNS];
    const char *failures[RUNS];
};

static void set(struct results_record *record, uint32_t column, int64_t value)
{
    record->facts.values[column].value = value;
    record->facts.values[column].null = false;
}

// Run i is i s late, has lost 2 i s, and wrote 100 i bytes.
static void prepare(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->scenario.name = "made";
    f->scenario.config.profile = RECOUP_PROFILE_FLINK_1_20;
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < RUNS; i++) {
            struct results_record *r = &f->records[k][i];

            r->facts.state = MODEL_JOB_FINISHED;
            r->facts.expectations_met = true;
            set(r, RESULTS_COLUMN_job_delay_ns, (int64_t)i * SUPPORT_S);
            set(r, RESULTS_COLUMN_job_makespan_ns, (int64_t)(100 + i) * SUPPORT_S);
            set(r, RESULTS_COLUMN_job_lost_work_ns, 2 * (int64_t)i * SUPPORT_S);
            set(r, RESULTS_COLUMN_io_event_store_bytes, 100 * (int64_t)i);
            f->pointers[k][i] = r;
        }
    }
    for (uint32_t i = 0; i < RUNS; i++) {
        f->seeds[i] = 10 + i;
        f->lost[i].cause = i < 2 ? MODEL_CAUSE_NOT_RECORDED : MODEL_CAUSE_RUNNING_AT_CRASH;
        f->lost[i].ns = 2 * (int64_t)i * SUPPORT_S;
        f->lost[i].attempts = i;
        f->records[0][i].lost = &f->lost[i];
        f->records[0][i].facts.n_lost = 1;
        f->failovers[i].finished_recovered = 7;
        f->records[0][i].failovers = &f->failovers[i];
        f->records[0][i].facts.n_failovers = i > 0 ? 1 : 0;
    }
}

static struct results_many many_of(struct fixture *f)
{
    return (struct results_many){.scenario = &f->scenario,
                                 .seeds = f->seeds,
                                 .records = f->pointers[0],
                                 .failures = f->failures,
                                 .n = RUNS,
                                 .asked = RUNS,
                                 .version = "0",
                                 .command = "recoup run made.yaml"};
}

static void a_summary_counts_what_there_is(void **state)
{
    static struct fixture f;
    struct results_many_summary s;

    (void)state;
    prepare(&f);
    f.records[0][3].facts.state = MODEL_JOB_TIMEOUT;
    f.records[0][3].facts.expectations_met = false;
    f.records[0][4].findings = &f.findings[0];
    f.records[0][4].facts.n_findings = 2;
    (void)snprintf(f.findings[0].invariant, sizeof(f.findings[0].invariant), "R2");
    f.findings[1] = f.findings[0]; // the same twice in one run counts once
    f.pointers[0][2] = NULL;
    f.failures[2] = "its process died of signal 9";
    struct results_many many = many_of(&f);
    assert_true(results_many_summarize(&many, &s));
    assert_u64(s.n, 4);
    assert_u64(s.failed, 1);
    assert_u64(s.failed_seed, 12);
    assert_u64(s.states[MODEL_JOB_FINISHED], 3);
    assert_u64(s.states[MODEL_JOB_TIMEOUT], 1);
    assert_u64(s.censored, 1);
    assert_u64(s.unmet, 1);
    assert_u64(s.unmet_seed, 13);
    assert_u64(s.hit, 3);
    assert_u64(s.worst_seed, 14);
    assert_u64(s.n_findings, 1);
    assert_u64(s.findings[0].runs, 1);
    assert_u64(s.findings[0].seed, 14);
    assert_u64(s.samples[RESULTS_MANY_DELAY].n, 4);
    assert_i64(s.samples[RESULTS_MANY_DELAY].max, 4 * SUPPORT_S);
    assert_i64(s.samples[RESULTS_MANY_KEPT].max, 7);
    assert_i64(s.samples[RESULTS_MANY_KEPT].min, 0);
    assert_u64(s.causes[MODEL_CAUSE_NOT_RECORDED].runs, 1);
    assert_i64(s.causes[MODEL_CAUSE_RUNNING_AT_CRASH].total_ns, 14 * SUPPORT_S);
    assert_u64(s.causes[MODEL_CAUSE_RUNNING_AT_CRASH].attempts, 7);
    results_many_summary_release(&s);
}

static void the_json_is_well_formed(void **state)
{
    static struct fixture f;
    struct results_many_summary s;
    struct results_text text;

    (void)state;
    prepare(&f);
    f.pointers[0][2] = NULL;
    f.failures[2] = "died";
    struct results_many many = many_of(&f);
    results_text_init(&text);
    assert_true(results_many_summarize(&many, &s));
    results_many_json(&many, &s, &text);
    json_t *json = json_loads(results_text_string(&text), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    json_t *run = json_array_get(json_object_get(json, "runs"), 2);
    assert_text(json_string_value(json_object_get(run, "failure")), "died");
    json_t *delay =
        json_object_get(json_object_get(json_object_get(json, "summary"), "metrics"), "delay_ns");
    assert_i64(json_integer_value(json_object_get(delay, "mean")), 2 * SUPPORT_S);
    assert_i64(json_integer_value(json_object_get(delay, "p50")), 2 * SUPPORT_S);
    json_decref(json);
    results_many_summary_release(&s);
    results_text_release(&text);
}

// Every run a second sooner: a difference without spread. No run is left out, none is mixed up.
static void differences_are_paired(void **state)
{
    static struct fixture f;
    struct results_change changes[4];

    (void)state;
    prepare(&f);
    for (uint32_t i = 0; i < RUNS; i++) {
        set(&f.records[1][i], RESULTS_COLUMN_job_delay_ns, ((int64_t)i - 1) * SUPPORT_S);
    }
    f.pointers[1][4] = NULL; // a run without a result has no pair
    changes[0] = (struct results_change){
        .what = "same", .key = "k", .to = "1", .set = "k=1", .records = f.pointers[0]};
    changes[1] = (struct results_change){.what = "wrong",
                                         .key = "k",
                                         .to = "2",
                                         .set = "k=2",
                                         .records = f.pointers[0],
                                         .refused = "no"};
    changes[2] = (struct results_change){
        .what = "sooner", .key = "k", .to = "3", .set = "k=3", .records = f.pointers[1]};
    struct results_what_if w = {.scenario = &f.scenario,
                                .base = f.pointers[0],
                                .seeds = f.seeds,
                                .n_seeds = RUNS,
                                .changes = changes,
                                .n_changes = 3,
                                .version = "0",
                                .command = "recoup run made.yaml"};
    assert_true(results_what_if_judge(&w));
    assert_u64(w.outcomes[0].change, 2);
    assert_int_equal(w.outcomes[0].effect, RESULTS_EFFECT_SOONER);
    assert_u64(w.outcomes[0].pairs, 4);
    assert_near(w.outcomes[0].differences[RESULTS_MANY_DELAY].mean, -1e9, 1e-3);
    assert_near(w.outcomes[0].differences[RESULTS_MANY_DELAY].interval.high, -1e9, 1e-3);
    assert_false(w.outcomes[0].differences[RESULTS_MANY_LOST_WORK].any);
    assert_int_equal(w.outcomes[1].effect, RESULTS_EFFECT_NONE);
    assert_int_equal(w.outcomes[2].effect, RESULTS_EFFECT_REFUSED);
    assert_near(w.confidence_one, 0.975, 1e-12); // two are compared
    results_what_if_release(&w);
}

// A difference that goes both ways is not clear; one below a millisecond is no news.
static void unclear_differences(void **state)
{
    static struct fixture f;
    struct results_change change = {.what = "w", .key = "k", .to = "1", .set = "k=1"};

    (void)state;
    prepare(&f);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < RUNS; i++) {
            int64_t by = round == 0 ? (i % 2 == 0 ? SUPPORT_S : -SUPPORT_S) : SUPPORT_MS / 2;

            set(&f.records[1][i], RESULTS_COLUMN_job_delay_ns, (int64_t)i * SUPPORT_S + by);
        }
        change.records = f.pointers[1];
        struct results_what_if w = {.scenario = &f.scenario,
                                    .base = f.pointers[0],
                                    .seeds = f.seeds,
                                    .n_seeds = RUNS,
                                    .changes = &change,
                                    .n_changes = 1};
        assert_true(results_what_if_judge(&w));
        assert_int_equal(w.outcomes[0].effect, RESULTS_EFFECT_UNCLEAR);
        assert_int_equal(w.outcomes[0].differences[RESULTS_MANY_DELAY].clear, round == 1);
        results_what_if_release(&w);
    }
}

// A sweep's point and a single run of the same scenario are one point in a database.
static void points_of_sweeps_and_runs_have_one_key(void **state)
{
    struct support_run s;
    char of_run[RESULTS_KEY_SIZE];
    char of_sweep[SCENARIO_SWEEP_KEY_SIZE];

    (void)state;
    support_run_init(&s);
    assert_true(results_point_key(&s.run, of_run));
    scenario_point_key(s.scenario.canonical, of_sweep);
    assert_text(of_run, of_sweep);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_summary_counts_what_there_is),
        cmocka_unit_test(the_json_is_well_formed),
        cmocka_unit_test(differences_are_paired),
        cmocka_unit_test(unclear_differences),
        cmocka_unit_test(points_of_sweeps_and_runs_have_one_key),
    };
    return check_main(argc, argv, "results_many", tests);
}
