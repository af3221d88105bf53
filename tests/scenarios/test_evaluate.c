// SPDX-License-Identifier: GPL-3.0-or-later
//
// Metrics and expectations against made-up results.
#include "support.h"

#define SECOND INT64_C(1000000000)

static void result_init(struct model_result *r, struct model_lost *lost)
{
    memset(r, 0, sizeof(*r));
    memset(lost, 0, 2 * MODEL_CAUSE_COUNT * sizeof(*lost));
    r->state = MODEL_JOB_FINISHED;
    r->makespan_ns = 100 * SECOND;
    r->busy_ns = 50 * SECOND;
    r->lost_ns = 7 * SECOND;
    r->io.bytes = 2048;
    r->io.cost_nanousd = 5000;
    r->n_failovers = 2;
    r->lost = lost;
    r->n_stages = 2;
    lost[MODEL_CAUSE_NOT_RECORDED].ns = 3 * SECOND;
    lost[MODEL_CAUSE_COUNT + MODEL_CAUSE_NOT_RECORDED].ns = 4 * SECOND;
}

static void check_metric(const struct model_result *r, const char *name, int64_t expected)
{
    int64_t value = -1;
    assert_int_equal(scenario_metric_value(r, 90 * SECOND, name, &value), 0);
    assert_i64(value, expected);
}

static void MetricsReadTheResult(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    int64_t value;
    (void)state;
    result_init(&r, lost);
    check_metric(&r, "makespan", 100 * SECOND);
    check_metric(&r, "job_makespan_ns", 100 * SECOND);
    check_metric(&r, "faultless-makespan", 90 * SECOND);
    check_metric(&r, "delay", 10 * SECOND);
    check_metric(&r, "busy", 50 * SECOND);
    check_metric(&r, "lost-work", 7 * SECOND);
    check_metric(&r, "lost-work.not-recorded", 7 * SECOND);
    check_metric(&r, "lost-work.worker-late", 0);
    check_metric(&r, "io-event-store-bytes", 2048);
    check_metric(&r, "io_event_store_bytes", 2048);
    check_metric(&r, "io-cost-nanousd", 5000);
    check_metric(&r, "failovers", 2);
    assert_int_equal(scenario_metric_value(&r, -1, "delay", &value), 1);
    assert_int_equal(scenario_metric_value(&r, -1, "faultless-makespan", &value), 1);
    assert_int_equal(scenario_metric_value(&r, -1, "nothing", &value), -1);
}

// Names and columns are unique, and every metric has a value.
static void EveryMetricHasAValue(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    (void)state;
    result_init(&r, lost);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);
        int64_t value;
        assert_int_equal(scenario_metric_value(&r, 0, metric->name, &value), 0);
        assert_ptr_equal(scenario_metric_find(metric->name), metric);
        assert_true(metric->column == NULL || scenario_metric_find(metric->column) == metric);
        assert_null(strchr(metric->name, '_'));
        assert_true(metric->column == NULL || strpbrk(metric->column, "-.") == NULL);
    }
}

static const struct scenario_outcome *outcome(const struct scenario_verdict *verdict,
                                              const char *metric, uint32_t n)
{
    for (uint32_t i = 0; i < verdict->n_outcomes; i++) {
        if (strcmp(verdict->outcomes[i].metric, metric) == 0 && n-- == 0) {
            return &verdict->outcomes[i];
        }
    }
    fail_msg("no outcome for %s", metric);
    return &verdict->outcomes[0];
}

static void DefaultExpectation(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    struct scenario s;
    struct scenario_verdict verdict;
    (void)state;
    result_init(&r, lost);
    support_load_more(&s, "");
    assert_int_equal(scenario_evaluate(&s, &r, 0, &verdict), SCENARIO_OK);
    assert_true(verdict.ok);
    assert_u64(verdict.n_outcomes, 1);
    scenario_verdict_release(&verdict);
    r.state = MODEL_JOB_TIMEOUT;
    assert_int_equal(scenario_evaluate(&s, &r, 0, &verdict), SCENARIO_OK);
    assert_false(verdict.ok);
    assert_text(verdict.outcomes[0].text, "state is TIMEOUT, expected FINISHED");
    scenario_verdict_release(&verdict);
    scenario_release(&s);
}

// Times and sizes are told in three digits, unless they would contradict the verdict.
static void AmountsAreRounded(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    struct scenario s;
    struct scenario_verdict v;
    (void)state;
    result_init(&r, lost);
    r.lost_ns = INT64_C(115321310544);
    r.makespan_ns = 100 * SECOND + 400000;
    r.io.bytes = 316872;
    support_load_more(&s, "expect:\n  lost-work: {at-least: 5 min}\n  makespan: {at-most: 100 s}\n"
                          "  delay: {at-least: 1 s}\n"
                          "  io-event-store-bytes: {at-least: 1 mb, at-most: 309 kb}\n");
    assert_int_equal(scenario_evaluate(&s, &r, 200 * SECOND, &v), SCENARIO_OK);
    assert_text(outcome(&v, "lost-work", 0)->text,
                "lost-work is 1 min 55 s, expected at least 5 min");
    assert_i64(outcome(&v, "lost-work", 0)->value, r.lost_ns);
    assert_false(outcome(&v, "makespan", 0)->ok);
    assert_text(outcome(&v, "makespan", 0)->text, "makespan is 100.0004 s, expected at most 100 s");
    assert_text(outcome(&v, "delay", 0)->text, "delay is -1 min 40 s, expected at least 1 s");
    assert_text(outcome(&v, "io-event-store-bytes", 0)->text,
                "io-event-store-bytes is 309 kb, expected at least 1 mb");
    assert_text(outcome(&v, "io-event-store-bytes", 1)->text,
                "io-event-store-bytes is 316872 b, expected at most 309 kb");
    scenario_verdict_release(&v);
    scenario_release(&s);
}

static void Bounds(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    struct scenario s;
    struct scenario_verdict v;
    (void)state;
    result_init(&r, lost);
    support_load_more(
        &s, "expect:\n  lost-work: {at-most: 7 s, at-least: 8 s}\n  makespan: {equals: 100 s}\n"
            "  failovers: {between: [0, 1]}\n  delay: {at-most: 1 h}\n"
            "  io-event-store-bytes: {between: [1 kb, 2 kb]}\n");
    assert_int_equal(scenario_evaluate(&s, &r, -1, &v), SCENARIO_OK);
    assert_false(v.ok);
    assert_true(outcome(&v, "lost-work", 0)->ok);
    assert_false(outcome(&v, "lost-work", 1)->ok);
    assert_text(outcome(&v, "lost-work", 1)->text, "lost-work is 7 s, expected at least 8 s");
    assert_true(outcome(&v, "makespan", 0)->ok);
    assert_false(outcome(&v, "failovers", 0)->ok);
    assert_text(outcome(&v, "failovers", 0)->text, "failovers is 2, expected between [0, 1]");
    assert_false(outcome(&v, "delay", 0)->ok);
    assert_false(outcome(&v, "delay", 0)->computed);
    assert_true(outcome(&v, "io-event-store-bytes", 0)->ok);
    scenario_verdict_release(&v);
    scenario_release(&s);
}

// Expected findings must occur; others must not; what no policy explains is said apart.
static void Findings(void **state)
{
    struct model_result r;
    struct model_lost lost[2 * MODEL_CAUSE_COUNT];
    struct model_finding findings[3] = {{.invariant = "R2", .hazard = "H19"},
                                        {.invariant = "T9", .hazard = "H19"},
                                        {.invariant = "R2", .hazard = "H19"}};
    struct scenario s;
    struct scenario_verdict v;
    (void)state;
    result_init(&r, lost);
    r.findings = findings;
    r.n_findings = 3;
    support_load_more(&s, "expect: {findings: [R2, T1]}\n");
    assert_int_equal(scenario_evaluate(&s, &r, 0, &v), SCENARIO_OK);
    assert_false(v.ok);
    assert_false(v.unexplained);
    assert_u64(v.n_outcomes, 4);
    assert_true(outcome(&v, "findings", 0)->ok);
    assert_i64(outcome(&v, "findings", 0)->value, 2);
    assert_text(outcome(&v, "findings", 1)->text, "finding T1 was expected and did not occur");
    assert_int_equal(outcome(&v, "findings", 2)->kind, SCENARIO_OUTCOME_UNEXPECTED);
    assert_text(outcome(&v, "findings", 2)->text, "1 finding of T9 (H19), none expected");
    assert_true(outcome(&v, "findings", 2)->explained);
    scenario_verdict_release(&v);
    findings[0].hazard = NULL;
    assert_int_equal(scenario_evaluate(&s, &r, 0, &v), SCENARIO_OK);
    assert_true(v.unexplained);
    scenario_verdict_release(&v);
    scenario_release(&s);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(MetricsReadTheResult), cmocka_unit_test(EveryMetricHasAValue),
        cmocka_unit_test(DefaultExpectation),   cmocka_unit_test(Bounds),
        cmocka_unit_test(AmountsAreRounded),      cmocka_unit_test(Findings),
    };
    return check_main(argc, argv, "scenarios_evaluate", tests);
}
