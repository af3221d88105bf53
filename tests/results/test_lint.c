// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include "results/lint.h"
#include "support_result.h"

static void reasonable(struct support_run *s)
{
    struct model_config *config = &s->scenario.config;

    support_run_init(s);
    config->options.worker_recovery_timeout_ns = 60 * SUPPORT_S;
    config->timeouts.heartbeat_timeout_ns = 50 * SUPPORT_S;
    config->worker_policy.recovery_enabled = true;
    config->ha.kind = MODEL_HA_KUBERNETES;
    config->storage.durable_at = RECOUP_DURABLE_AT_FLUSH;
}

// The hazards of all advice, joined by blanks; "-" stands for advice without one.
static void assert_advice(const struct support_run *s, const char *expected)
{
    struct results_advice advice[RESULTS_ADVICE_MAX];
    uint32_t n = results_advise(&s->scenario, advice);
    char found[256] = "";

    for (uint32_t i = 0; i < n; i++) {
        const char *hazard = advice[i].hazard != NULL ? advice[i].hazard : "-";

        (void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s",
                       i > 0 ? " " : "", hazard);
        assert_true(strlen(advice[i].text) > 40);
        assert_true(strlen(advice[i].text) + 1 < sizeof(advice[i].text));
    }
    assert_text(found, expected);
}

static void advice_is_given_where_values_do_not_fit(void **state)
{
    struct support_run s;
    struct model_config *config = &s.scenario.config;

    (void)state;
    reasonable(&s);
    assert_advice(&s, "");
    config->storage.durable_at = RECOUP_DURABLE_AT_CLOSE;
    assert_advice(&s, "H6");
    config->options.recovery_enabled = false;
    assert_advice(&s, "");
    reasonable(&s);
    config->ha.kind = MODEL_HA_NONE;
    assert_advice(&s, "-");
    reasonable(&s);
    config->master.restart_never = true;
    assert_advice(&s, "-");
    config->master.standby = true;
    assert_advice(&s, "");
}

// The loader warns of these three; who reads both would read them twice.
static void advice_repeats_no_warning(void **state)
{
    struct support_run s;
    struct model_config *config = &s.scenario.config;

    (void)state;
    reasonable(&s);
    config->options.worker_recovery_timeout_ns = 30 * SUPPORT_S;
    config->worker_policy.recovery_enabled = false;
    assert_advice(&s, "");
    config->options.recovery_enabled = false;
    assert_advice(&s, "");
}

// Without a fault that strikes a master nothing is said about masters.
static void advice_on_masters_needs_a_fault(void **state)
{
    struct support_run s;

    (void)state;
    reasonable(&s);
    s.scenario.config.ha.kind = MODEL_HA_NONE;
    s.scenario.config.n_faults = 0;
    assert_advice(&s, "");
}

static void nothing_is_said_about_an_invalid_scenario(void **state)
{
    struct support_run s;
    struct scenario_message error = {"x.yaml", 1, 1, "empty", NULL};

    (void)state;
    reasonable(&s);
    s.scenario.config.ha.kind = MODEL_HA_NONE;
    s.scenario.errors = &error;
    s.scenario.n_errors = 1;
    assert_advice(&s, "");
}

static void assert_lint(const struct support_run *s, bool given, bool assumed, uint32_t width,
                        const char *expected)
{
    struct results_lint_choice choice = {given, assumed};
    struct results_text text;

    results_text_init(&text);
    results_lint_text(&s->scenario, &choice, width, &text);
    assert_text(results_text_string(&text), expected);
    results_text_release(&text);
}

static void values_are_aligned_and_never_cut(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    s.values[2].value = "{quantiles: [[0, 1 s], [0.5, 4 s], [0.99, 40 s], [1, 65 s]]}";
    assert_lint(
        &s, false, false, 100,
        "cluster.deploy   250 ms                preset kubernetes     assumed: Flink's REST "
        "samples\n"
        "cluster.restart  60 s                  preset kubernetes     assumed: an assumption\n"
        "cluster.workers  {quantiles: [[0, 1 s], [0.5, 4 s], [0.99, 40 s], [1, 65 s]]}\n"
        "                                       given (q72.yaml:9)\n"
        "ha.detect        5 s                   command line (--set)\n");
    assert_lint(&s, false, false, 40,
                "cluster.deploy   250 ms\n"
                "    preset kubernetes\n"
                "    assumed: Flink's REST samples\n"
                "cluster.restart  60 s\n"
                "    preset kubernetes\n"
                "    assumed: an assumption\n"
                "cluster.workers\n"
                "    {quantiles: [[0, 1 s], [0.5, 4 s],\n"
                "    [0.99, 40 s], [1, 65 s]]}\n"
                "    given (q72.yaml:9)\n"
                "ha.detect        5 s\n"
                "    command line (--set)\n");
}

static void only_what_was_asked_for_is_shown(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    assert_lint(&s, true, false, 100,
                "cluster.workers  25   given (q72.yaml:9)\n"
                "ha.detect        5 s  command line (--set)\n");
    assert_lint(&s, false, true, 100,
                "cluster.deploy   250 ms  preset kubernetes  assumed: Flink's REST samples\n"
                "cluster.restart  60 s    preset kubernetes  assumed: an assumption\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(advice_is_given_where_values_do_not_fit),
    cmocka_unit_test(advice_repeats_no_warning),
    cmocka_unit_test(advice_on_masters_needs_a_fault),
    cmocka_unit_test(nothing_is_said_about_an_invalid_scenario),
    cmocka_unit_test(values_are_aligned_and_never_cut),
    cmocka_unit_test(only_what_was_asked_for_is_shown),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_lint", tests);
}
