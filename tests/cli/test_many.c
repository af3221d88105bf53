// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run --runs`, `--what-if` and `recoup curve`: many runs of one scenario.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <signal.h>

#include <jansson.h>

#include "support_program.h"

#define TINY SUPPORT_SCENARIOS "tiny.yaml"
#define SHIPPED RECOUP_SOURCE_DIR "/scenarios/crash-before-stage-end.yaml"
#define CALL(...) (&(const struct support_call){.arguments = {__VA_ARGS__}})

static json_t *call_json(const struct support_call *call, int code)
{
    struct support_program p;
    json_t *json;

    support_program_call(&p, call);
    assert_code(&p, code);
    json = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    support_program_release(&p);
    return json;
}

static json_t *at(json_t *json, const char *key)
{
    json_t *value = json_object_get(json, key);

    if (value == NULL) {
        fail_msg("no key '%s'", key);
    }
    return value;
}

static int64_t number(json_t *json, const char *key)
{
    assert_true(json_is_integer(at(json, key)));
    return json_integer_value(at(json, key));
}

// --- --runs --------------------------------------------------------------------------------------

static void wrong_numbers_are_exit_code_2(void **state)
{
    (void)state;
    assert_usage(CALL("run", TINY, "--runs", "0"),
                 "--runs: expected a number from 1 to 100000, found '0'");
    assert_usage(CALL("run", TINY, "--runs", "many"), "--runs: expected a number");
    assert_usage(CALL("run", TINY, "--runs", "2", "-j", "0"),
                 "-j: expected a number from 1 to 1024, found '0'");
    assert_usage(CALL("run", TINY, "-j", "2"), "-j: one run is made by one process");
    assert_usage(CALL("run", TINY, "--runs", "2", "--trace", "x"),
                 "--trace is about one run, --runs about many");
    assert_usage(CALL("run", TINY, "--runs", "2", "--db", ""), "--db: the name of the file is");
    assert_usage(CALL("run", "nowhere.yaml", "--runs", "2"), "nowhere.yaml");
}

// Each run is the one that `recoup run` makes with that seed, and the first has the scenario's.
static void every_run_is_a_run(void **state)
{
    json_t *many = call_json(CALL("run", SHIPPED, "--runs", "4", "--format", "json"), 0);
    json_t *runs = at(many, "runs");

    (void)state;
    assert_u64(json_array_size(runs), 4);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        json_t *run = json_array_get(runs, i);
        char seed[32];
        json_t *single;

        (void)snprintf(seed, sizeof(seed), "%" PRId64, number(run, "seed"));
        assert_true(i > 0 || strcmp(seed, "1") == 0);
        single = call_json(CALL("run", SHIPPED, "--seed", seed, "--format", "json"), 0);
        assert_text(json_string_value(at(run, "fingerprint")),
                    json_string_value(at(single, "fingerprint")));
        assert_i64(number(at(run, "metrics"), "job_delay_ns"),
                   number(at(single, "job"), "delay_ns"));
        assert_true(json_equal(at(run, "lost_work_by_cause"), at(single, "lost_work_by_cause")));
        json_decref(single);
    }
    json_decref(many);
}

// The summary says what the runs say; how many processes made them does not show.
static void the_summary_is_of_the_runs(void **state)
{
    struct support_program one;
    struct support_program two;
    json_t *json;
    json_t *delay;
    int64_t least = INT64_MAX;
    int64_t most = INT64_MIN;

    (void)state;
    support_program_call(&one, CALL("run", SHIPPED, "--runs", "9", "-j", "1", "--format", "json"));
    support_program_call(&two, CALL("run", SHIPPED, "--runs", "9", "-j", "3", "--format", "json"));
    assert_code(&one, 0);
    assert_text(one.out, two.out);
    json = json_loads(one.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    for (size_t i = 0; i < 9; i++) {
        int64_t value = number(at(json_array_get(at(json, "runs"), i), "metrics"), "job_delay_ns");

        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    delay = at(at(at(json, "summary"), "metrics"), "delay_ns");
    assert_i64(number(delay, "min"), least);
    assert_i64(number(delay, "max"), most);
    assert_i64(number(delay, "n"), 9);
    assert_true(number(delay, "p5") >= least && number(delay, "p50") <= most);
    assert_i64(number(at(json, "summary"), "crash_hit"), 9);
    assert_i64(number(at(at(json, "summary"), "states"), "FINISHED"), 9);
    json_decref(json);
    support_program_release(&one);
    support_program_release(&two);
}

static void the_page_tells_the_range(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", SHIPPED, "--runs", "25", "--set", "cluster.workers=12"));
    assert_code(&p, 0);
    assert_has(p.out, "25 runs of crash-before-stage-end (flink-1.20): the median run ends ");
    assert_has(p.out, "a master died in 25 of 25");
    assert_has(p.out, "median           5 %          95 %       largest\n");
    assert_has(p.out, "in 25 of 25 runs\n");
    assert_has(p.out, "--set cluster.workers=12 --seed ");
    assert_null(strstr(p.out, "fewer than 20 runs"));
    support_program_release(&p);
    support_program_call(&p, CALL("run", SHIPPED, "--runs", "2", "--set", "faults=[]", "--set",
                                  "expect={state: FINISHED}"));
    assert_code(&p, 0);
    assert_has(p.out, "no master died");
    assert_has(p.out, "fewer than 20 runs");
    support_program_release(&p);
}

// The worst of all runs decides.
static void unmet_expectations_are_exit_code_1(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(
        &p, CALL("run", SHIPPED, "--runs", "3", "--set", "expect={makespan: {at-most: 1 s}}"));
    assert_code(&p, 1);
    assert_has(p.out, "3 runs did not end as the scenario expects; the first has seed 1");
    support_program_release(&p);
    support_program_call(&p, CALL("run", SHIPPED, "--runs", "3", "--set", "events-max=100", "--set",
                                  "expect={state: TIMEOUT}"));
    assert_code(&p, 4);
    assert_has(p.out, "3 runs ended at a limit of time or events");
    support_program_release(&p);
}

static void all_runs_enter_the_database(void **state)
{
    struct support_program p;
    char path[512];
    const char *file = support_file(path, "many.db");
    char command[1024];

    (void)state;
    support_program_call(&p, CALL("run", SHIPPED, "--runs", "5", "--db", file));
    assert_code(&p, 0);
    assert_has(p.err, "5 runs were added, 0 were there already");
    support_program_release(&p);
    support_program_call(&p, CALL("run", SHIPPED, "--runs", "8", "--db", file));
    assert_code(&p, 0);
    assert_has(p.err, "3 runs were added, 5 were there already");
    support_program_release(&p);
    support_program_call(&p, CALL("run", SHIPPED, "--db", file));
    assert_code(&p, 0);
    assert_has(p.err, "is there already; nothing was changed");
    support_program_release(&p);
    (void)snprintf(command, sizeof(command),
                   "sqlite3 '%s' 'SELECT count(*), count(DISTINCT point_id), count(DISTINCT seed) "
                   "FROM run; SELECT n FROM summary WHERE metric = \"makespan\"'",
                   file);
    support_shell(&p, command);
    assert_has(p.out, "8|1|8\n");
    support_program_release(&p);
}

static void interrupted_before_a_run_there_is_no_result(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(
        &p, &(const struct support_call){.arguments = {"run", SHIPPED, "--runs", "500"},
                                         .signal_pending = SIGINT});
    assert_code(&p, 130);
    assert_text(p.out, "");
    support_program_release(&p);
}

// --- --what-if -----------------------------------------------------------------------------------

static json_t *change_of(json_t *json, const char *set)
{
    json_t *changes = at(json, "changes");

    for (size_t i = 0; i < json_array_size(changes); i++) {
        json_t *change = json_array_get(changes, i);

        if (strcmp(json_string_value(at(change, "set")), set) == 0) {
            return change;
        }
    }
    fail_msg("no change %s", set);
    return NULL;
}

static void assert_effect(json_t *json, const char *set, const char *effect, const char *owner)
{
    json_t *change = change_of(json, set);

    if (strcmp(json_string_value(at(change, "effect")), effect) != 0) {
        fail_msg("%s: %s", set, json_string_value(at(change, "effect")));
    }
    assert_text(json_string_value(at(change, "owner")), owner);
}

// A change is what the same scenario with that --set is; the same seeds, run by run.
static void a_change_is_the_difference_of_two_runs(void **state)
{
    json_t *json = call_json(CALL("run", TINY, "--what-if", "--runs", "1", "--format", "json"), 0);
    json_t *as_is = call_json(CALL("run", TINY, "--format", "json"), 0);
    static const char *const sets[] = {"config.execution.batch.job-recovery.enabled=false",
                                       "config.job-event.store.write-buffer.flush-interval=500 ms",
                                       "profile=hardened", "storage=s3"};

    (void)state;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        json_t *changed = call_json(CALL("run", TINY, "--set", sets[i], "--set",
                                         "expect={state: "
                                         "FINISHED}",
                                         "--format", "json"),
                                    0);
        json_t *differences = at(change_of(json, sets[i]), "differences");

        assert_i64(number(at(differences, "delay_ns"), "mean"),
                   number(at(changed, "job"), "delay_ns") - number(at(as_is, "job"), "delay_ns"));
        assert_i64(number(at(differences, "lost_work_ns"), "mean"),
                   number(at(changed, "job"), "lost_work_ns") -
                       number(at(as_is, "job"), "lost_work_ns"));
        json_decref(changed);
    }
    json_decref(as_is);
    json_decref(json);
}

static void effects_are_told_apart(void **state)
{
    struct support_program one;
    struct support_program two;
    json_t *json;

    (void)state;
    support_program_call(
        &one, CALL("run", TINY, "--what-if", "--runs", "2", "-j", "1", "--format", "json"));
    support_program_call(
        &two, CALL("run", TINY, "--what-if", "--runs", "2", "-j", "2", "--format", "json"));
    assert_code(&one, 0);
    assert_text(one.out, two.out);
    json = json_loads(one.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_u64(json_array_size(at(json, "seeds")), 2);
    assert_effect(json, "profile=hardened", "sooner", "only hardened");
    assert_effect(json, "master.standby=false", "later", "cluster");
    assert_effect(json, "config.heartbeat.interval=5 s", "none", "Flink");
    assert_effect(json, "config.recoup.event-store.checksum=true", "unclear", "only hardened");
    assert_effect(json, "config.restart-strategy.exponential-delay.backoff-multiplier=0.75",
                  "refused", "Flink");
    assert_text(json_string_value(at(json_array_get(at(json, "changes"), 0), "effect")), "sooner");
    json_decref(json);
    support_program_release(&one);
    support_program_release(&two);
    json = call_json(CALL("run", SHIPPED, "--what-if", "--runs", "1", "--format", "json"), 0);
    assert_effect(json, "master.standby=false", "unfinished", "cluster");
    json_decref(json);
}

static void the_page_of_what_if(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", TINY, "--what-if", "--runs", "2"));
    assert_code(&p, 0);
    assert_has(p.out, "helps most:");
    assert_has(p.out, "Ends sooner (2)\n");
    assert_has(p.out, "delay -2 s, lost work -3 s");
    assert_has(p.out, "Ends later (1)\n  master.standby: true -> false");
    assert_has(p.out, "Without any effect here (");
    assert_has(p.out, "heartbeat.interval (5 s");
    assert_has(p.out, "Not possible (1)");
    assert_null(strstr(p.out, " \n"));
    support_program_release(&p);
    assert_usage(CALL("run", TINY, "--what-if", "--db", "x.db"), "--what-if makes those of many");
    assert_usage(CALL("run", TINY, "--what-if", "--trail", "x"), "--trail is about one run");
}

// --- curve ---------------------------------------------------------------------------------------

// A point of the curve is the run with that one crash, and the crashes are spread over the job.
static void a_point_of_the_curve_is_a_run(void **state)
{
    json_t *json = call_json(CALL("curve", SHIPPED, "--points", "6", "--format", "json"), 0);
    json_t *points = at(json, "points");
    int64_t makespan = number(json, "faultless_makespan_ns");

    (void)state;
    assert_u64(json_array_size(points), 6);
    for (int64_t i = 0; i < 6; i++) {
        json_t *point = json_array_get(points, (size_t)i);
        int64_t middle = (2 * i + 1) * makespan / 12;
        char set[128];
        json_t *run;

        assert_true(number(point, "at_ns") >= middle - 6 && number(point, "at_ns") <= middle + 6);
        (void)snprintf(set, sizeof(set), "faults=[{at: %" PRId64 " ns, kill: master}]",
                       number(point, "at_ns"));
        run = call_json(CALL("run", SHIPPED, "--set", set, "--set", "expect={state: FINISHED}",
                             "--format", "json"),
                        0);
        assert_text(json_string_value(at(point, "fingerprint")),
                    json_string_value(at(run, "fingerprint")));
        assert_i64(number(point, "delay_ns"), number(at(run, "job"), "delay_ns"));
        assert_i64(number(point, "lost_work_ns"), number(at(run, "job"), "lost_work_ns"));
        assert_true(json_equal(at(point, "lost_work_by_cause"), at(run, "lost_work_by_cause")));
        json_decref(run);
    }
    json_decref(json);
}

static void the_curve_in_every_format(void **state)
{
    struct support_program p;
    struct support_program other;

    (void)state;
    support_program_call(&p, CALL("curve", TINY, "--points", "8", "-j", "1"));
    support_program_call(&other, CALL("curve", TINY, "--points", "8", "-j", "3"));
    assert_code(&p, 0);
    assert_text(p.out, other.out);
    assert_has(p.out, "tiny (flink-1.20): the master's death costs ");
    assert_has(p.out, "8 crashes, each alone");
    assert_has(p.out, " run ");
    assert_has(p.out, " --set 'faults=[{name: crash, at: 2250000000 ns, kill: master}]'\n");
    support_program_release(&p);
    support_program_release(&other);
    support_program_call(&p, CALL("curve", TINY, "--points", "3", "--format", "csv"));
    assert_code(&p, 0);
    assert_i64(strncmp(p.out, "at_ns,state,delay_ns,lost_work_ns,outage_ns,finished_kept,", 58), 0);
    assert_has(p.out, "\n2000000000,FINISHED,");
    support_program_release(&p);
    support_program_call(&p, CALL("curve", TINY, "--points", "3", "--format", "svg"));
    assert_code(&p, 0);
    assert_i64(strncmp(p.out, "<svg xmlns=", 11), 0);
    assert_has(p.out, "running-at-crash");
    assert_has(p.out, "prefers-color-scheme: dark");
    support_program_release(&p);
}

// A crash after which the job hangs has no delay; it is told, not averaged.
static void crashes_that_the_job_does_not_survive(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("curve", SHIPPED, "--points", "2", "--set", "ha=none"));
    assert_code(&p, 0);
    assert_has(p.out, "After 2 of 2 crashes the job does not");
    assert_has(p.out, "FAILED");
    support_program_release(&p);
    support_program_call(
        &p, CALL("curve", SHIPPED, "--points", "2", "--set", "ha=none", "--format", "svg"));
    assert_code(&p, 0);
    assert_has(p.out, "the job does not finish");
    support_program_release(&p);
}

static void wrong_curves_are_exit_code_2(void **state)
{
    (void)state;
    assert_usage(CALL("curve"), "no scenario given: recoup curve SCENARIO");
    assert_usage(CALL("curve", TINY, "--points", "0"), "--points: expected a number from 1 to 10");
    assert_usage(CALL("curve", TINY, "--points", "1001"), "--points: expected a number");
    assert_usage(CALL("curve", TINY, "--set", "cluster.worker=1"), "did you mean 'workers'?");
    assert_usage(CALL("curve", TINY, "--fault", "{}"), "unknown option '--fault'");
    assert_usage(CALL("curve", TINY, "--format", "png"), "--format");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(wrong_numbers_are_exit_code_2),
    cmocka_unit_test(every_run_is_a_run),
    cmocka_unit_test(the_summary_is_of_the_runs),
    cmocka_unit_test(the_page_tells_the_range),
    cmocka_unit_test(unmet_expectations_are_exit_code_1),
    cmocka_unit_test(all_runs_enter_the_database),
    cmocka_unit_test(interrupted_before_a_run_there_is_no_result),
    cmocka_unit_test(a_change_is_the_difference_of_two_runs),
    cmocka_unit_test(effects_are_told_apart),
    cmocka_unit_test(the_page_of_what_if),
    cmocka_unit_test(a_point_of_the_curve_is_a_run),
    cmocka_unit_test(the_curve_in_every_format),
    cmocka_unit_test(crashes_that_the_job_does_not_survive),
    cmocka_unit_test(wrong_curves_are_exit_code_2),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "cli_many", tests);
}
