// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include <jansson.h>

#include "results/result_json.h"
#include "support_result.h"

static json_t *parse(const struct support_run *s, struct results_text *text)
{
    json_error_t error;
    json_t *parsed;

    results_text_clear(text);
    results_run_json(&s->run, text);
    parsed = json_loads(results_text_string(text), JSON_REJECT_DUPLICATES, &error);
    if (parsed == NULL) {
        print_error("%s at %d: %s\n", error.text, error.column, results_text_string(text));
    }
    assert_non_null(parsed);
    return parsed;
}

// The value at a path of keys and indices joined by dots; must exist.
static json_t *at(json_t *value, const char *path)
{
    char copy[128];
    char *rest = copy;

    (void)snprintf(copy, sizeof(copy), "%s", path);
    while (*rest != '\0') {
        size_t size = strcspn(rest, ".");
        char *next = rest + size + (rest[size] == '.');

        rest[size] = '\0';
        value = json_is_array(value) ? json_array_get(value, (size_t)strtoul(rest, NULL, 10))
                                     : json_object_get(value, rest);
        if (value == NULL) {
            print_error("nothing at %s of %s\n", rest, path);
        }
        assert_non_null(value);
        rest = next;
    }
    return value;
}

static void assert_number(json_t *value, const char *path, int64_t expected)
{
    assert_true(json_is_integer(at(value, path)));
    assert_i64(json_integer_value(at(value, path)), expected);
}

static void assert_string(json_t *value, const char *path, const char *expected)
{
    assert_text(json_string_value(at(value, path)), expected);
}

// Keys of an object, in order, joined by blanks.
static void assert_keys(json_t *object, const char *path, const char *expected)
{
    char found[1024] = "";
    const char *key;
    json_t *value;

    json_object_foreach(at(object, path), key, value)
    {
        (void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s",
                       found[0] != '\0' ? " " : "", key);
    }
    assert_text(found, expected);
}

// Every key of contract.md section 3, in its order.
static void every_key_of_the_contract_is_there(void **state)
{
    struct support_run s;
    struct results_text text;
    json_t *result;

    (void)state;
    support_run_init(&s);
    support_find(&s, "R2", "H19", SUPPORT_S, "recovering twice differs");
    results_text_init(&text);
    result = parse(&s, &text);
    assert_keys(result, "",
                "schema recoup scenario profile seed events fingerprint fingerprint_layers job "
                "lost_work_by_cause failovers io protection faults findings findings_total "
                "expectations assumed not_modelled");
    assert_keys(result, "fingerprint_layers", "F1 F2 F3 F4 F5 F6");
    assert_keys(result, "job",
                "state makespan_ns faultless_makespan_ns delay_ns tasks attempts tasks_rerun "
                "failovers outage_ns finished_forgotten busy_ns useful_ns lost_work_ns "
                "orphaned_ns");
    assert_keys(result, "lost_work_by_cause", "running-at-crash not-recorded not-snapshotted");
    assert_keys(result, "lost_work_by_cause.not-recorded", "ns attempts");
    assert_keys(result, "failovers.0",
                "at_ns outage_ns phases result events_replayed finished_recovered "
                "finished_forgotten");
    assert_keys(result, "failovers.0.phases",
                "detect elect start replay wait_workers reconcile redeploy");
    assert_keys(result, "io", "event_store replay requests cost_nanousd");
    assert_keys(result, "io.event_store",
                "events bytes appends flushes syncs files snapshots snapshot_bytes");
    assert_keys(result, "io.replay", "bytes reads");
    assert_keys(result, "io.requests", "create append flush sync close read list remove mkdir");
    assert_keys(result, "protection", "recording_ns unprotected_ns");
    assert_keys(result, "faults.0", "name kind target at_ns fired times");
    assert_keys(result, "findings.0", "invariant hazard at_ns event message");
    assert_keys(result, "expectations.0", "metric ok message");
    assert_keys(result, "assumed.0", "path value source");
    json_decref(result);
    results_text_release(&text);
}

static void values_are_those_of_the_result(void **state)
{
    struct support_run s;
    struct results_text text;
    json_t *result;

    (void)state;
    support_run_init(&s);
    results_text_init(&text);
    result = parse(&s, &text);
    assert_number(result, "schema", 1);
    assert_string(result, "recoup", "9.8.7");
    assert_string(result, "scenario", "q72-master-crash");
    assert_string(result, "profile", "flink-1.20");
    assert_number(result, "seed", 7);
    assert_string(result, "fingerprint", "00112233445566778899aabbccddeeff");
    assert_string(result, "fingerprint_layers.F2", "101112131415161718191a1b1c1d1e1f");
    assert_string(result, "job.state", "FINISHED");
    assert_number(result, "job.delay_ns", 150 * SUPPORT_S);
    assert_number(result, "job.lost_work_ns", 2290 * SUPPORT_S);
    assert_number(result, "job.failovers", 1);
    assert_number(result, "lost_work_by_cause.not-snapshotted.ns", 1500 * SUPPORT_S);
    assert_number(result, "lost_work_by_cause.not-snapshotted.attempts", 38);
    assert_number(result, "failovers.0.phases.wait_workers", 5 * SUPPORT_S);
    assert_string(result, "failovers.0.result", "recovered");
    assert_number(result, "io.requests.create", MODEL_STORAGE_CREATE + 1);
    assert_number(result, "io.requests.remove", MODEL_STORAGE_REMOVE + 1);
    assert_number(result, "io.cost_nanousd", 5125000);
    assert_string(result, "faults.0.target", "master");
    assert_string(result, "faults.0.kind", "kill");
    assert_u64(json_array_size(at(result, "assumed")), 2);
    json_decref(result);
    results_text_release(&text);
}

// What was not computed is null; a finding without a hazard has none; counts beyond int64 are
// clamped.
static void the_unknown_is_null(void **state)
{
    struct support_run s;
    struct results_text text;
    json_t *result;

    (void)state;
    support_run_init(&s);
    s.run.faultless_known = false;
    s.fired[0].fired = false;
    s.result.io.bytes = UINT64_MAX;
    support_find(&s, "T10", NULL, 5, "a partition was read \"twice\"");
    results_text_init(&text);
    result = parse(&s, &text);
    assert_true(json_is_null(at(result, "job.faultless_makespan_ns")));
    assert_true(json_is_null(at(result, "job.delay_ns")));
    assert_true(json_is_null(at(result, "faults.0.at_ns")));
    assert_true(json_is_null(at(result, "findings.0.hazard")));
    assert_number(result, "io.event_store.bytes", INT64_MAX);
    assert_string(result, "findings.0.message", "a partition was read \"twice\"");
    json_decref(result);
    results_text_release(&text);
}

static void a_bound_that_is_not_met_shows_both_values(void **state)
{
    struct support_run s;
    struct results_text text;
    json_t *result;

    (void)state;
    support_run_init(&s);
    support_miss(&s, "lost-work", "lost-work is 38 min, expected at most 5 min");
    results_text_init(&text);
    result = parse(&s, &text);
    assert_true(json_is_false(at(result, "expectations.1.ok")));
    assert_string(result, "expectations.1.bound", "at-most");
    assert_number(result, "expectations.1.limit", 300 * SUPPORT_S);
    assert_number(result, "expectations.1.value", 2290 * SUPPORT_S);
    json_decref(result);
    results_text_release(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_key_of_the_contract_is_there),
    cmocka_unit_test(values_are_those_of_the_result),
    cmocka_unit_test(the_unknown_is_null),
    cmocka_unit_test(a_bound_that_is_not_met_shows_both_values),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_result_json", tests);
}
