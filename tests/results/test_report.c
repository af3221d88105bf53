// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page for people against committed pages. With RECOUP_REWRITE=1 in the environment the pages
// are written anew instead; the difference is committed only if it can be explained.
#include "check.h"

#include "results/report.h"
#include "support_result.h"

static const struct results_style wide = {true, false, 80};
static const struct results_style plain = {false, false, 80};

static void rewrite(const char *path, const char *page)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fputs(page, file) >= 0);
    assert_i64(fclose(file), 0);
}

// Lines are no longer than the width, but for the last, which is to be pasted.
static void assert_fits(const char *page, uint32_t width, uint32_t lines_max)
{
    uint32_t lines = 0;
    uint32_t columns = 0;
    bool pasted = strncmp(page, "Repeat ", 7) == 0;

    for (const char *c = page; *c != '\0'; c++) {
        if (*c == '\n') {
            if (!pasted && columns > width) {
                print_error("line %u has %u columns\n%s", lines + 1, columns, page);
            }
            assert_true(pasted || columns <= width);
            assert_true(c == page || c[-1] != ' ');
            lines++;
            columns = 0;
            pasted = strncmp(c + 1, "Repeat ", 7) == 0;
        } else {
            columns += ((unsigned char)*c & 0xc0) != 0x80;
        }
    }
    assert_true(lines <= lines_max);
}

static void assert_page(const struct support_run *s, const struct results_style *style,
                        const char *name)
{
    struct results_text text;
    char path[512];
    char *golden;

    results_text_init(&text);
    results_run_report(&s->run, style, &text);
    (void)snprintf(path, sizeof(path), "%s/tests/results/golden/%s.txt", RECOUP_SOURCE_DIR, name);
    if (getenv("RECOUP_REWRITE") != NULL) {
        rewrite(path, results_text_string(&text));
    }
    golden = support_read(path);
    assert_text(results_text_string(&text), golden);
    if (!style->color) {
        assert_fits(results_text_string(&text), style->width, RESULTS_REPORT_LINES);
    }
    free(golden);
    results_text_release(&text);
}

static void one_failover(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    assert_page(&s, &wide, "one-failover");
    assert_page(&s, &plain, "one-failover-ascii");
}

static void a_narrow_terminal(void **state)
{
    static const struct results_style narrow = {true, false, 50};
    struct support_run s;

    (void)state;
    support_run_init(&s);
    assert_page(&s, &narrow, "narrow");
}

static void colours(void **state)
{
    static const struct results_style colour = {true, true, 80};
    struct support_run s;

    (void)state;
    support_run_init(&s);
    support_find(&s, "R2", "H19", 402 * SUPPORT_S, "recovering twice differs");
    support_miss(&s, "lost-work", "lost-work is 38 min 10 s, expected at most 5 min");
    assert_page(&s, &colour, "colours");
}

static void several_failovers(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    for (uint32_t i = 0; i < 5; i++) {
        support_fail_over(&s, (500 + 60 * (int64_t)i) * SUPPORT_S,
                          i == 2 ? MODEL_FAILOVER_FAILED : MODEL_FAILOVER_RESTARTED, 0, 12345);
    }
    assert_page(&s, &wide, "several-failovers");
}

static void no_fault(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    memset(s.lost, 0, sizeof(s.lost));
    s.result.lost_ns = 0;
    s.result.busy_ns = s.result.useful_ns;
    s.result.attempts = s.result.tasks;
    s.result.n_failovers = 0;
    s.result.outage_ns = 0;
    s.result.n_fired = 0;
    s.result.makespan_ns = s.run.faultless_makespan_ns;
    assert_page(&s, &wide, "no-fault");
}

static void a_fault_that_never_fired(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    s.fired[1] = (struct model_fired){.fault = 1};
    s.result.n_fired = 2;
    s.scenario.config.n_faults = 2;
    s.not_modelled[0] = "taskmanager.network.memory.max";
    s.scenario.not_modelled = s.not_modelled;
    s.scenario.n_not_modelled = 1;
    assert_page(&s, &wide, "never-fired");
}

static void recovery_off_and_everything_lost(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    s.scenario.config.options.recovery_enabled = false;
    s.scenario.config.profile = RECOUP_PROFILE_HARDENED;
    s.failovers[0].result = MODEL_FAILOVER_RESTARTED;
    s.failovers[0].finished_recovered = 0;
    s.failovers[0].finished_forgotten = 150;
    support_lose(&s, 2, MODEL_CAUSE_RECOVERY_DISABLED, 7200 * SUPPORT_S, 150);
    assert_page(&s, &wide, "recovery-off");
}

static void the_job_fails_with_a_bug(void **state)
{
    struct support_run s;

    (void)state;
    support_run_init(&s);
    s.result.state = MODEL_JOB_FAILED;
    for (uint32_t stage = 0; stage < SUPPORT_STAGES; stage++) {
        for (uint32_t cause = 0; cause < 3; cause++) {
            support_lose(&s, stage, (enum model_cause)cause, (100 + cause) * SUPPORT_S, 3);
        }
    }
    s.result.useful_ns = 0;
    support_find(&s, "T10", NULL, 402 * SUPPORT_S,
                 "subtask 17 of join read partition 3 of scan from two attempts, which the rules "
                 "of the active profile do not allow under any hazard");
    support_find(&s, "R2", "H19", 402 * SUPPORT_S, "recovering twice differs");
    support_find(&s, "R2", "H19", 500 * SUPPORT_S, "recovering twice differs again");
    support_find(&s, "S1", "H5", 500 * SUPPORT_S,
                 "an acknowledged event of 330226518026 ns, 999 ns old, is missing in 3000000");
    s.verdict.unexplained = true;
    support_miss(&s, "state", "state is FAILED, expected FINISHED");
    assert_page(&s, &wide, "failed");
}

// A value above 0 always shows, the largest fills its bar, and a bar never leaves its columns.
static void assert_verdict(const struct support_run *s, const char *part)
{
    struct results_text text;

    results_text_init(&text);
    results_run_verdict(&s->run, &text);
    if (strstr(results_text_string(&text), part) == NULL) {
        print_error("no '%s' in: %s\n", part, results_text_string(&text));
    }
    assert_non_null(strstr(results_text_string(&text), part));
    results_text_release(&text);
}

static void a_job_that_does_not_finish_says_why(void **state)
{
    struct support_run s;
    struct model_config *config = &s.scenario.config;

    (void)state;
    support_run_init(&s);
    s.result.state = MODEL_JOB_FAILED;
    config->ha.kind = MODEL_HA_NONE;
    assert_verdict(&s, "FAILS after 15 min 50 s, with its master, since ha is none; all");
    s.result.n_failovers = 0;
    config->restart.kind = MODEL_RESTART_NONE;
    assert_verdict(&s, "FAILS after 15 min 50 s, since restart-strategy.type is none; all");
    config->ha.kind = MODEL_HA_KUBERNETES;
    config->restart.kind = MODEL_RESTART_FIXED_DELAY;
    assert_verdict(&s, "since the restart strategy allows no more restarts; all its work");
    s.result.state = MODEL_JOB_TIMEOUT;
    assert_verdict(&s, "the job has NOT ENDED when the run stops, after 15 min 50 s; all");
    s.result.state = MODEL_JOB_SUSPENDED;
    assert_verdict(&s, "SUSPENDED after 15 min 50 s, since no master will come back; all");
}

static void a_run_that_ends_without_a_master_has_no_subtasks(void **state)
{
    struct support_run s;
    struct results_text text;

    (void)state;
    support_run_init(&s);
    s.result.state = MODEL_JOB_TIMEOUT;
    s.result.tasks = 0;
    results_text_init(&text);
    results_run_report(&s.run, &plain, &text);
    assert_null(strstr(results_text_string(&text), ", 0 subtasks in"));
    assert_non_null(strstr(results_text_string(&text), "after 13 min 20 s, 390 attempts"));
    results_text_release(&text);
}

static void bars_stay_in_their_columns(void **state)
{
    static const uint64_t values[] = {0, 1, 7, 500, 999, 1000};

    (void)state;
    for (uint32_t utf8 = 0; utf8 < 2; utf8++) {
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            struct results_style style = {utf8 != 0, false, 80};
            struct results_text text;
            struct results_page page;

            results_text_init(&text);
            results_page_init(&page, &text, &style);
            results_page_bar(&page, values[i] * 1000000000, UINT64_C(1000000000000), 13,
                             RESULTS_CYAN);
            assert_u64(results_columns_of(results_text_string(&text)), 13);
            assert_true((values[i] == 0) == (strspn(results_text_string(&text), " ") == text.size));
            if (values[i] == 1000 || values[i] <= 500) {
                assert_true((values[i] == 1000) ==
                            (strchr(results_text_string(&text), ' ') == NULL));
            }
            results_text_release(&text);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_failover),
    cmocka_unit_test(a_narrow_terminal),
    cmocka_unit_test(colours),
    cmocka_unit_test(several_failovers),
    cmocka_unit_test(no_fault),
    cmocka_unit_test(a_fault_that_never_fired),
    cmocka_unit_test(recovery_off_and_everything_lost),
    cmocka_unit_test(the_job_fails_with_a_bug),
    cmocka_unit_test(a_job_that_does_not_finish_says_why),
    cmocka_unit_test(a_run_that_ends_without_a_master_has_no_subtasks),
    cmocka_unit_test(bars_stay_in_their_columns),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_report", tests);
}
