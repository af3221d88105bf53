// SPDX-License-Identifier: GPL-3.0-or-later
//
// Baselines: what is written is read; what is broken is refused with its place; what fails and what
// is excused.
#include "check.h"

#include "campaigns/record.h"
#include "results/baseline_check.h"
#include "results/baseline_text.h"

static void record(struct results_trail *trail)
{
    const struct scenario_overrides none = {0};
    struct campaign_recording recording = {.points_max = RESULTS_TRAIL_POINTS_FEW, .at = 1};
    struct scenario scenario;
    struct model_result result = {0};
    struct sim_arena arena;
    int64_t faultless_ns;

    memset(trail, 0, sizeof(*trail));
    sim_arena_init(&arena, 0);
    assert_i64(scenario_load(&scenario, RECOUP_SOURCE_DIR "/scenarios/ideal/trim.yaml", &none),
               SCENARIO_OK);
    assert_i64(campaign_record(&scenario, &recording, &arena, &result, &faultless_ns, trail), 0);
    model_result_release(&result);
    scenario_release(&scenario);
    sim_arena_release(&arena);
}

static void write_text(const struct scenario_baseline *old, const struct results_trail *trail,
                       struct results_text *text)
{
    struct results_baseline_new new = {.old = old,
                                       .head = "# A comment.\n",
                                       .why = "It's right: 'so'",
                                       .trails = trail,
                                       .n_trails = 1};

    results_baseline_text(&new, text);
}

static int parse(struct scenario_baseline *baseline, const char *text)
{
    return scenario_baseline_parse(baseline, "b.yaml", text, strlen(text));
}

static void what_is_written_is_read(void **state)
{
    struct scenario_baseline baseline;
    struct results_baseline_check check;
    struct results_trail trail;
    struct results_text text;

    (void)state;
    record(&trail);
    results_text_init(&text);
    write_text(NULL, &trail, &text);
    assert_i64(parse(&baseline, results_text_string(&text)), SCENARIO_OK);
    assert_text(baseline.reasons[0].why, "It's right: 'so'");
    assert_u64(baseline.n_metrics, scenario_metric_count());
    assert_u64(baseline.runs[0].n_points, trail.n_points);
    results_baseline_check(&baseline, &trail, true, &check);
    assert_true(check.seed_known && check.equal && !check.fails);
    assert_u64(check.n_changes, 0);
    // Reasons are kept, and the new one comes last.
    results_text_clear(&text);
    {
        struct results_text second;
        struct scenario_baseline again;

        results_text_init(&second);
        write_text(&baseline, &trail, &second);
        assert_i64(parse(&again, results_text_string(&second)), SCENARIO_OK);
        assert_u64(again.n_reasons, 2);
        scenario_baseline_release(&again);
        results_text_release(&second);
    }
    scenario_baseline_release(&baseline);
    results_text_release(&text);
    results_trail_release(&trail);
}

struct changed {
    const char *from, *to;
    const char *message;
};

static const struct changed broken[] = {
    {"version: 1", "version: 2", "b.yaml:2:10: version must be 1"},
    {"baseline:", "basline:", "unknown key 'basline'; did you mean 'baseline'?"},
    {"runs:\n", "runs: []\nrnus:\n", "unknown key 'rnus'; did you mean 'runs'?"},
    {"  - seed: 1", "  - seed: -1", "expected an integer from 0 on, found '-1'"},
    {"state: FINISHED", "state: DONE", "state must be FINISHED, FAILED, SUSPENDED or TIMEOUT"},
    {"      F1: ", "      F1: x", "F1 must be 32 hexadecimal digits in lower case"},
    {"      F6: ", "      F7: ", "unknown key 'F7'"},
    {"points: [", "points: [0, ", "a point must be 16 hexadecimal digits"},
    {"    spacing: ", "    spacing: 0 #", "expected an integer from 1 on, found '0'"},
    {"  makespan: ", "  makspan: ", "unknown metric 'makspan'; did you mean 'makespan'?"},
    {"values: [", "values: [1, ", "expected one value a run, 1, found 2"},
    {"better: lower", "better: less", "better must be lower, higher or neither"},
    {"tolerance: 1%", "tolerance: 1", "tolerance must be a percentage"},
    {"gate: true", "gate: yes", "gate must be true or false"},
    {"reasons:\n  - ", "reasons:\n  x: ", "reasons must be a list"},
};

static void a_broken_baseline_is_refused_with_its_place(void **state)
{
    struct results_trail trail;
    struct results_text text;

    (void)state;
    record(&trail);
    results_text_init(&text);
    write_text(NULL, &trail, &text);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const char *whole = results_text_string(&text);
        const char *at = strstr(whole, broken[i].from);
        struct scenario_baseline baseline;
        struct results_text changed;
        bool found = false;

        assert_non_null(at);
        results_text_init(&changed);
        results_text_bytes(&changed, whole, (size_t)(at - whole));
        results_text_add(&changed, broken[i].to);
        results_text_add(&changed, at + strlen(broken[i].from));
        assert_i64(parse(&baseline, results_text_string(&changed)), SCENARIO_INVALID);
        for (uint32_t k = 0; k < baseline.holder.n_errors; k++) {
            char line[2048];

            (void)scenario_message_format(&baseline.holder.errors[k], NULL, line, sizeof(line));
            found = found || strstr(line, broken[i].message) != NULL;
        }
        if (!found) {
            print_error("'%s' is missing\n", broken[i].message);
            fail();
        }
        scenario_baseline_release(&baseline);
        results_text_release(&changed);
    }
    results_text_release(&text);
    results_trail_release(&trail);
}

// Any front of the file ends without a crash.
static void any_front_of_a_file_is_refused_or_read(void **state)
{
    struct results_trail trail;
    struct results_text text;

    (void)state;
    record(&trail);
    results_text_init(&text);
    write_text(NULL, &trail, &text);
    for (size_t size = 0; size < text.size; size += 3) {
        struct scenario_baseline baseline;
        int error = scenario_baseline_parse(&baseline, "b.yaml", text.data, size);

        assert_true(error == SCENARIO_INVALID || error == SCENARIO_OK);
        assert_true(error == SCENARIO_OK || baseline.holder.n_errors > 0);
        scenario_baseline_release(&baseline);
    }
    results_text_release(&text);
    results_trail_release(&trail);
}

static uint32_t metric_index(const char *name)
{
    uint32_t i = 0;

    while (strcmp(scenario_metric_at(i)->name, name) != 0) {
        i++;
    }
    return i;
}

struct verdict {
    bool strict_fails, fails;
};

// Checks a trail against a baseline that was made from another.
static struct verdict judge(const struct scenario_baseline *baseline,
                            const struct results_trail *trail, struct results_baseline_check *check)
{
    struct verdict v;

    results_baseline_check(baseline, trail, true, check);
    v.strict_fails = check->fails;
    results_baseline_check(baseline, trail, false, check);
    v.fails = check->fails;
    return v;
}

static void only_a_change_of_input_excuses_another_fingerprint(void **state)
{
    struct results_baseline_check check;
    struct scenario_baseline baseline;
    struct results_trail trail;
    struct results_text text;
    struct verdict v;

    (void)state;
    record(&trail);
    results_text_init(&text);
    write_text(NULL, &trail, &text);
    assert_i64(parse(&baseline, results_text_string(&text)), SCENARIO_OK);
    // Nothing changed but the order: fails, and is told apart.
    trail.layers[SIM_LAYER_SCHEDULE][0] ^= 1;
    trail.fingerprint[0] ^= 1;
    v = judge(&baseline, &trail, &check);
    assert_true(v.fails && v.strict_fails);
    assert_u64(check.layers, 1u << SIM_LAYER_SCHEDULE);
    // The scenario changed, too: excused, as long as nothing became worse.
    trail.digest[0] = trail.digest[0] == '0' ? '1' : '0';
    v = judge(&baseline, &trail, &check);
    assert_true(!v.fails && v.strict_fails && check.scenario_changed);
    // Exactly 1 % worse is within the tolerance, 1 ns more is not.
    trail.metrics[metric_index("makespan")] += trail.metrics[metric_index("makespan")] / 100;
    v = judge(&baseline, &trail, &check);
    assert_true(!v.fails && check.n_changes == 1 && check.changes[0].within);
    trail.metrics[metric_index("makespan")]++;
    v = judge(&baseline, &trail, &check);
    assert_true(v.fails && check.changes[0].fails && check.changes[0].direction == 1);
    // Better passes, however much.
    trail.metrics[metric_index("makespan")] = 1;
    v = judge(&baseline, &trail, &check);
    assert_true(!v.fails && check.changes[0].direction == -1 && !check.changes[0].within);
    // A metric without a gate never fails.
    trail.metrics[metric_index("io-requests-read")] += 1000;
    v = judge(&baseline, &trail, &check);
    assert_true(!v.fails && check.n_changes == 2);
    // Another final state does.
    trail.state = MODEL_JOB_TIMEOUT;
    v = judge(&baseline, &trail, &check);
    assert_true(v.fails && check.state_changed);
    scenario_baseline_release(&baseline);
    results_text_release(&text);
    results_trail_release(&trail);
}

static void the_window_names_the_first_point_that_differs(void **state)
{
    struct results_baseline_check check;
    struct scenario_baseline baseline;
    struct results_trail trail;
    struct results_text text;

    (void)state;
    record(&trail);
    results_text_init(&text);
    write_text(NULL, &trail, &text);
    assert_i64(parse(&baseline, results_text_string(&text)), SCENARIO_OK);
    assert_true(trail.n_points > 4);
    for (uint32_t i = 3; i < trail.n_points; i++) {
        trail.points[i].layers[SIM_LAYER_IO] ^= UINT64_C(1) << 40;
    }
    trail.layers[SIM_LAYER_IO][3] ^= 1;
    results_baseline_check(&baseline, &trail, false, &check);
    assert_true(check.fails && check.window_known);
    assert_u64(check.window_from, 3 * trail.spacing + 1);
    assert_u64(check.window_to, 4 * trail.spacing);
    assert_i64(check.window_to_ns, trail.points[3].time_ns);
    // A seed that is not covered: strictly, that fails.
    trail.seed = 77;
    results_baseline_check(&baseline, &trail, false, &check);
    assert_true(!check.fails && !check.seed_known);
    results_baseline_check(&baseline, &trail, true, &check);
    assert_true(check.fails);
    scenario_baseline_release(&baseline);
    results_text_release(&text);
    results_trail_release(&trail);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read),
    cmocka_unit_test(a_broken_baseline_is_refused_with_its_place),
    cmocka_unit_test(any_front_of_a_file_is_refused_or_read),
    cmocka_unit_test(only_a_change_of_input_excuses_another_fingerprint),
    cmocka_unit_test(the_window_names_the_first_point_that_differs),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "baseline", tests);
}
