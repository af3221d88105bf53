// SPDX-License-Identifier: GPL-3.0-or-later
//
// --set, --fault and --seed.
#include "support.h"

#define SECOND INT64_C(1000000000)
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const char job[] =
    "version: 1\n"
    "name: job\n"
    "profile: hardened\n"
    "job:\n"
    "  stages:\n"
    "    - {name: scan, parallelism: 4, duration: {exponential: {mean: 10 s}}}\n"
    "    - {name: join, parallelism: 2, duration: 5 s, inputs: [{from: scan}]}\n"
    "cluster: {workers: 2, slots: 4}\n"
    "storage: hdfs\n"
    "faults: [{name: first, at: 5 s, kill: master}, {at: 9 s, kill: worker}]\n";

// Every path of the contract: keys, Flink keys with their dots, list items by name and by index.
static void PathsReachEverything(void **state)
{
    static const char *const sets[] = {
        "cluster.workers=50",
        "config.job-event.store.write-buffer.flush-interval=5s",
        "job.stages.scan.parallelism=400",
        "job.stages.1.duration=7 s",
        "job.stages.scan.duration.exponential.mean=3 s",
        "job.stages.join.inputs.0.exchange=pointwise",
        "faults.0.at=95s",
        "faults.1.target=49",
        "faults.first.name=again",
        "storage.durable-at=sync",
        "master.start={uniform: {from: 1 s, to: 2 s}}",
        "ha={detect: 4 s}",
        "network.latency=0 s",
        "expect.lost-work.at-most=1 min",
        "stop-at=1 h",
    };
    struct scenario s;
    (void)state;
    support_load(&s, job, sets, COUNT(sets));
    const struct model_config *c = &s.config;
    assert_u64(c->cluster.workers, 50);
    assert_i64(c->options.flush_interval_ns, 5 * SECOND);
    assert_u64(c->stages[0].parallelism, 400);
    assert_i64(c->stages[1].duration.a, 7 * SECOND);
    assert_i64(c->stages[0].duration.a, 3 * SECOND);
    assert_int_equal(c->stages[1].inputs[0].exchange, RECOUP_POINTWISE);
    assert_i64(c->faults[0].law.a, 95 * SECOND);
    assert_text(c->faults[0].name, "again");
    assert_u64(c->faults[1].worker, 49);
    assert_int_equal(c->storage.kind, MODEL_STORAGE_HDFS);
    assert_int_equal(c->storage.durable_at, RECOUP_DURABLE_AT_SYNC);
    assert_int_equal(c->master.start.kind, SIM_LAW_UNIFORM);
    assert_int_equal(c->ha.kind, MODEL_HA_FIXED);
    assert_u64(s.n_expectations, 1);
    assert_i64(c->stop_at_ns, 3600 * SECOND);
    assert_int_equal(support_value(&s, "cluster.workers")->origin, SCENARIO_OVERRIDE);
    assert_text(support_value(&s, "cluster.workers")->origin_detail, "--set");
    scenario_release(&s);
}

// The last one of two counts, and a whole value can be replaced before a part of it is set.
static void OverridesApplyInOrder(void **state)
{
    static const char *const sets[] = {"cluster.workers=5", "cluster.workers=6", "storage=s3",
                                       "storage.bandwidth=1 mb/s"};
    struct scenario s;
    (void)state;
    support_load(&s, job, sets, COUNT(sets));
    assert_u64(s.config.cluster.workers, 6);
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_S3);
    assert_u64(s.config.storage.bandwidth, 1u << 20);
    scenario_release(&s);
}

static void check_refused(const char *set, const char *message)
{
    support_refused(job, &set, 1, message);
}

static void WrongPathsAreErrors(void **state)
{
    (void)state;
    check_refused("cluster.worker=5", "unknown key 'worker'; did you mean 'workers'?");
    check_refused("job.stages.scna.parallelism=5",
                  "nothing in 'stages' is called 'scna'; did you mean 'scan'?");
    check_refused("faults.2.at=5 s", "no item 2; 'faults' has 2");
    check_refused("seed.low=5", "seed must be an integer, found a map");
}

static void WrongValuesAreErrors(void **state)
{
    (void)state;
    check_refused("cluster.workers", "expected PATH=VALUE, as in cluster.workers=50");
    check_refused(
        "=5",
        "expected PATH=VALUE with a path such as cluster.workers or job.stages.scan.parallelism");
    check_refused(
        "cluster..workers=5",
        "expected PATH=VALUE with a path such as cluster.workers or job.stages.scan.parallelism");
    check_refused("cluster.workers=", "a value is missing here");
    check_refused("cluster.workers=~", "a value is missing here");
    check_refused("cluster.workers=many", "'many' is not an integer");
    check_refused("cluster.deploy={exponential: {mean: 1}}",
                  "'1' has no unit; expected a duration such as '30 s' (units ns us ms s min h d)");
    check_refused("base=x.yaml", "'base' cannot be set here; change the file");
    check_refused("config={a: b}", "name one key: config.KEY=VALUE");
    check_refused("name.x=1", "'name' is a single value; nothing is below it");
}

// A message about an option shows the option, with a caret below the value.
static void MessagesShowTheOption(void **state)
{
    static const char *const sets[] = {"cluster.workers=many"};
    struct scenario_overrides overrides = {.sets = sets, .n_sets = 1};
    struct scenario s;
    (void)state;
    assert_i64(scenario_parse(&s, "a.yaml", job, strlen(job), &overrides), SCENARIO_INVALID);
    char *text = support_messages(s.errors, s.n_errors, NULL, "");
    assert_text(text, "--set:1:17: 'many' is not an integer\n"
                      "    cluster.workers=many\n"
                      "                    ^\n");
    free(text);
    scenario_release(&s);
}

static void FaultsAreAppended(void **state)
{
    static const char *const faults[] = {"{at: 50%, kill: master}",
                                         "{when: {stage: join, finished: 50%}, kill: worker}"};
    struct scenario_overrides overrides = {.faults = faults, .n_faults = 2};
    struct scenario s;
    (void)state;
    assert_i64(scenario_parse(&s, "a.yaml", job, strlen(job), &overrides), SCENARIO_OK);
    assert_u64(s.config.n_faults, 4);
    assert_text(s.config.faults[2].name, "fault-2");
    assert_int_equal(s.config.faults[3].trigger, MODEL_TRIGGER_WHEN);
    scenario_release(&s);
    assert_i64(scenario_parse(&s, "a.yaml", support_minimal, strlen(support_minimal), &overrides),
               SCENARIO_OK);
    assert_u64(s.config.n_faults, 2);
    assert_text(support_value(&s, "faults.0.at")->origin_detail, "--fault");
    scenario_release(&s);
}

static void WrongFaultsAreErrors(void **state)
{
    static const char *const faults[] = {"{at: 5, kill: master}", "kill: [", "at"};
    (void)state;
    for (uint32_t i = 0; i < COUNT(faults); i++) {
        struct scenario_overrides overrides = {.faults = &faults[i], .n_faults = 1};
        struct scenario s;
        assert_i64(scenario_parse(&s, "a.yaml", job, strlen(job), &overrides), SCENARIO_INVALID);
        assert_text(s.errors[0].file, "--fault");
        scenario_release(&s);
    }
}

static void SeedWins(void **state)
{
    static const char *const sets[] = {"seed=5"};
    struct scenario_overrides overrides = {
        .sets = sets, .n_sets = 1, .seed_given = true, .seed = 0};
    struct scenario s;
    (void)state;
    assert_i64(scenario_parse(&s, "a.yaml", job, strlen(job), &overrides), SCENARIO_OK);
    assert_u64(s.config.seed, 0);
    assert_text(support_value(&s, "seed")->origin_detail, "--seed");
    scenario_release(&s);
    overrides.seed = (uint64_t)INT64_MAX + 1;
    assert_i64(scenario_parse(&s, "a.yaml", job, strlen(job), &overrides), SCENARIO_INVALID);
    scenario_release(&s);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(PathsReachEverything),  cmocka_unit_test(OverridesApplyInOrder),
        cmocka_unit_test(WrongPathsAreErrors),   cmocka_unit_test(WrongValuesAreErrors),
        cmocka_unit_test(MessagesShowTheOption), cmocka_unit_test(FaultsAreAppended),
        cmocka_unit_test(WrongFaultsAreErrors),  cmocka_unit_test(SeedWins),
    };
    return check_main(argc, argv, "scenarios_override", tests);
}
