// SPDX-License-Identifier: GPL-3.0-or-later
//
// Pasted Flink configuration: its keys, its files, its secrets.
#include "support.h"

#define SECOND INT64_C(1000000000)

static bool mentions(const struct scenario *s, const char *word)
{
    char *errors = support_messages(s->errors, s->n_errors, NULL, "");
    char *warnings = support_messages(s->warnings, s->n_warnings, "warning", "");
    bool found = strstr(errors, word) != NULL || strstr(warnings, word) != NULL;
    for (uint32_t i = 0; i < s->n_values; i++) {
        found = found || strstr(s->values[i].value, word) != NULL;
    }
    free(errors);
    free(warnings);
    return found || (s->canonical != NULL && strstr(s->canonical, word) != NULL);
}

// flink-conf.yaml: lines of `key: value`, comments, deprecated names, units of Flink.
static void LegacyFile(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "profile: flink-1.20\nconfig-file: flink-conf.yaml\n"
                          "config: {heartbeat.interval: 7 s}\n");
    const struct model_config *c = &s.config;
    assert_i64(c->timeouts.heartbeat_interval_ns, 7 * SECOND);
    assert_i64(c->timeouts.heartbeat_timeout_ns, 40 * SECOND);
    assert_int_equal(c->ha.kind, MODEL_HA_ZOOKEEPER);
    assert_int_equal(c->storage.kind, MODEL_STORAGE_HDFS);
    assert_true(c->options.recovery_enabled);
    assert_u64(c->options.write_buffer_bytes, 65536);
    assert_int_equal(c->restart.kind, MODEL_RESTART_FIXED_DELAY);
    assert_u64(c->restart.attempts, 3);
    assert_i64(c->restart.delay_ns, SECOND);
    assert_u64(s.n_not_modelled, 1);
    assert_text(s.not_modelled[0], "slot.request.timeout");
    assert_int_equal(support_value(&s, "ha")->origin, SCENARIO_CONFIG);
    assert_text(support_value(&s, "ha")->origin_detail, "high-availability.type");
    assert_int_equal(support_value(&s, "config.heartbeat.timeout")->origin, SCENARIO_CONFIG);
    assert_non_null(
        strstr(support_value(&s, "config.heartbeat.timeout")->origin_detail, "flink-conf.yaml:4"));
    assert_int_equal(support_value(&s, "config.heartbeat.interval")->origin, SCENARIO_GIVEN);
    assert_true(mentions(&s, "3 other keys of config have no effect here"));
    assert_true(mentions(&s, "this line is no 'key: value'"));
    assert_false(mentions(&s, "hunter2"));
    scenario_release(&s);
}

// config.yaml: YAML, nested, with keys that have no value.
static void NestedFile(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "profile: hardened\nconfig-file: config.yaml\n");
    assert_i64(s.config.timeouts.heartbeat_interval_ns, 5 * SECOND);
    assert_i64(s.config.timeouts.heartbeat_timeout_ns, 40 * SECOND);
    assert_int_equal(s.config.ha.kind, MODEL_HA_KUBERNETES);
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_S3);
    assert_true(mentions(&s, "key 'memory' has no value and is left out"));
    scenario_release(&s);
}

// A Flink key needs a choice of profile; a policy alone does not.
static void ProfileMustBeChosen(void **state)
{
    struct scenario s;
    (void)state;
    support_refused_more(
        "config-file: config.yaml\n",
        "config holds Flink's 'jobmanager.rpc.address', but 'profile' is missing; write "
        "'profile: flink-1.20' for Flink's behaviour, hazards included, or 'profile: hardened'");
    support_load_more(&s, "config: {recoup.recovery.trim: all}\n");
    assert_int_equal(s.config.profile, RECOUP_PROFILE_HARDENED);
    assert_false(s.profile_given);
    scenario_release(&s);
}

// Keys that are not modelled are silent where they have Flink's own default.
static void NotModelledKeys(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s,
                      "profile: hardened\nconfig:\n  execution.batch.speculative.enabled: false\n"
                      "  slot.idle.timeout: 50000\n  jobmanager.scheduler: default\n"
                      "  task.cancellation.timeout: 60 s\n  cluster.io-pool.size: 8\n");
    assert_u64(s.n_not_modelled, 2);
    assert_text(s.not_modelled[0], "task.cancellation.timeout");
    assert_text(s.not_modelled[1], "cluster.io-pool.size");
    assert_u64(s.n_warnings, 2);
    scenario_release(&s);
}

static void HaTypesAndSchemes(void **state)
{
    static const struct {
        const char *config;
        enum model_ha_kind ha;
        enum model_storage_kind storage;
    } rows[] = {
        {"high-availability.type: ZOOKEEPER", MODEL_HA_ZOOKEEPER, MODEL_STORAGE_S3},
        {"high-availability.type: none", MODEL_HA_NONE, MODEL_STORAGE_S3},
        {"high-availability.type: "
         "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory",
         MODEL_HA_KUBERNETES, MODEL_STORAGE_S3},
        {"high-availability.storageDir: file:///mnt/ha", MODEL_HA_KUBERNETES, MODEL_STORAGE_POSIX},
        {"high-availability.storageDir: /mnt/ha", MODEL_HA_KUBERNETES, MODEL_STORAGE_POSIX},
        {"high-availability.storageDir: gs://bucket/ha", MODEL_HA_KUBERNETES, MODEL_STORAGE_GCS},
        {"high-availability.storageDir: s3a://bucket/ha", MODEL_HA_KUBERNETES, MODEL_STORAGE_S3},
        {"high-availability.storageDir: hdfs://nn:8020/ha", MODEL_HA_KUBERNETES,
         MODEL_STORAGE_HDFS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scenario s;
        char more[256];
        (void)snprintf(more, sizeof(more), "profile: hardened\nconfig:\n  %s\n", rows[i].config);
        support_load_more(&s, more);
        assert_int_equal(s.config.ha.kind, rows[i].ha);
        assert_int_equal(s.config.storage.kind, rows[i].storage);
        scenario_release(&s);
    }
}

// What does not contradict: a mounted server behind file:, and an ideal storage.
static void CompatibleStorage(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(
        &s,
        "profile: hardened\nstorage: nfs\nconfig: {high-availability.storageDir: file:///ha}\n");
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_NFS);
    scenario_release(&s);
    support_load_more(
        &s,
        "profile: hardened\nstorage: ideal\nconfig: {high-availability.storageDir: s3://b/ha}\n");
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_IDEAL);
    scenario_release(&s);
    support_load_more(
        &s,
        "profile: hardened\nstorage: hdfs\nconfig: {high-availability.storageDir: abfss://c/ha}\n");
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_HDFS);
    scenario_release(&s);
}

// A secret reaches no message, whatever is wrong near it.
static void SecretsAreNeverShown(void **state)
{
    static const char *const texts[] = {
        "profile: hardened\nconfig: {s3.secret-key: hunter2, heartbeat.interval: x}\n",
        "profile: hardened\nconfig: {heartbeat.interval: x, s3.access-key: hunter2}\n",
        "profile: hardened\nconfig:\n  s3.secret-key: hunter2\n  s3.secret-key: hunter2\n",
        "profile: hardened\nconfig:\n  high-availability.zookeeper.password: hunter2\n",
        "profile: hardened\nconfig:\n  s3:\n    secret-key: &a hunter2\n",
        "profile: hardened\nconfig:\n  s3:\n    secret-key:\n      - hunter2\n      - *b\n",
        "profile: hardened\nconfig:\n  my.token: \"hunter2\n",
        "profile: hardened\nconfig:\n  my.password: |\n    hunter2\n   bad\n",
        "profile: hardened\nconfig:\n  my.password: hunter2: x\n",
        "profile: hardened\nconfig: {my: {SECRET: hunter2\n",
        "profile: hardened\nconfig:\n  my.password:\thunter2\n",
        "profile: hardened\nconfig:\n  my.password:\n    hunter2\xff\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct scenario s;
        char text[1024];
        (void)snprintf(text, sizeof(text), "%s%s", support_minimal, texts[i]);
        assert_i64(scenario_parse(&s, "a.yaml", text, strlen(text), NULL), SCENARIO_INVALID);
        if (mentions(&s, "hunter")) {
            support_print_errors(&s);
            fail_msg("text %zu shows its secret", i);
        }
        scenario_release(&s);
    }
}

// The same for options of the command line and for a pasted file.
static void SecretsOfOverrides(void **state)
{
    static const char *const sets[] = {"config.s3.secret-key=hunter2",
                                       "config.my.password={a: hunter2"};
    struct scenario s;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scenario_overrides overrides = {.sets = &sets[i], .n_sets = 1};
        (void)scenario_parse(&s, "a.yaml", support_minimal, strlen(support_minimal), &overrides);
        assert_i64(s.n_errors, 1);
        assert_false(mentions(&s, "hunter"));
        scenario_release(&s);
    }
}

// The user and password of a URL are shown neither as a value nor in a message.
static void UrlsLoseTheirUser(void **state)
{
    char text[] = "s3://key:hun/ter2@bucket/ha, hdfs://nn:8020/ha, 'http://u@h' x@y://z";
    struct scenario s;
    (void)state;
    scenario_mask_urls(text, strlen(text));
    assert_string_equal(text, "s3://************@bucket/ha, hdfs://nn:8020/ha, 'http://*@h' "
                              "x@y://z");
    support_load_more(
        &s, "profile: hardened\nconfig: {high-availability.storageDir: \"s3://k:hunter2@b/ha\"}\n");
    for (uint32_t i = 0; i < s.n_values; i++) {
        assert_null(strstr(s.values[i].value, "hunter"));
    }
    scenario_release(&s);
    const char *const texts[] = {
        "config: {high-availability.storageDir: \"s3://k:hunter2@b/ha\"}\nstorage: hdfs\n",
        "config:\n  high-availability.storageDir: gopher://k:hunter2@b/ha\n",
        "config: {high-availability.storageDir: \"s3://k:hunter2@b\", heartbeat.interval: x}\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char file[1024];
        (void)snprintf(file, sizeof(file), "%sprofile: hardened\n%s", support_minimal, texts[i]);
        assert_i64(scenario_parse(&s, "a.yaml", file, strlen(file), NULL), SCENARIO_INVALID);
        assert_false(mentions(&s, "hunter"));
        scenario_release(&s);
    }
}

static void refused(const char *set, const char *message)
{
    const char *const sets[] = {set, "profile=hardened",
                                "config.execution.batch.job-recovery.enabled=true"};
    struct scenario_overrides overrides = {.sets = sets, .n_sets = 3};
    struct scenario s;
    (void)scenario_parse(&s, "a.yaml", support_minimal, strlen(support_minimal), &overrides);
    assert_i64(s.n_errors, 1);
    assert_string_equal(s.errors[0].text, message);
    scenario_release(&s);
}

// Absurd sizes are refused before they take the machine's memory, with what they would need.
static void SizesHaveLimits(void **state)
{
    (void)state;
    refused("job.stages.0.source={splits: 4000000000, split-state: 0 b, batch-snapshot: false}",
            "the job has 4000000000 splits, the limit is 200000000; a run would take about 48 gb "
            "of memory");
    refused("job.stages=[{name: a, parallelism: 16000000, duration: 1 s}, {name: b, parallelism: "
            "16000000, duration: 1 s}, {name: c, parallelism: 16000000, duration: 1 s}, {name: d, "
            "parallelism: 16000000, duration: 1 s}]",
            "the job has 64000000 subtasks, the limit is 50000000; a run would take about 13 gb "
            "of memory");
    refused("job.stages.0.source={splits: 400000, split-state: 200 b, batch-snapshot: true}",
            "a snapshot of the coordinator of stage 'scan' would take 76 mb (400000 splits); a "
            "record of the event store holds at most 63 mb");
}

// A file may give as many keys as it likes below no prefix of ours; ours must be known.
static void PrefixesMustBeKnown(void **state)
{
    static const char *const keys[] = {"execution.batch.foo",
                                       "job-event.store.foo",
                                       "heartbeat.foo",
                                       "high-availability.foo",
                                       "cluster.registration.foo",
                                       "restart-strategy.foo",
                                       "taskmanager.registration.foo",
                                       "recoup.foo"};
    struct scenario s;
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), "%sprofile: hardened\nconfig: {%s: 1}\n",
                       support_minimal, keys[i]);
        assert_i64(scenario_parse(&s, "a.yaml", text, strlen(text), NULL), SCENARIO_INVALID);
        assert_int_equal(strncmp(s.errors[0].text, "unknown key '", 13), 0);
        scenario_release(&s);
    }
    support_load_more(
        &s, "profile: hardened\nconfig: {rest.port: 1, parallelism.default: 4, my.own.key: [a]}\n");
    assert_true(mentions(&s, "3 other keys"));
    scenario_release(&s);
}

static void RestartStrategies(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "profile: hardened\nconfig: {restart-strategy.type: failurerate, "
                          "restart-strategy.failure-rate.max-failures-per-interval: 4, "
                          "restart-strategy.failure-rate.failure-rate-interval: 10 min}\n");
    assert_int_equal(s.config.restart.kind, MODEL_RESTART_FAILURE_RATE);
    assert_u64(s.config.restart.attempts, 4);
    assert_i64(s.config.restart.interval_ns, 600 * SECOND);
    scenario_release(&s);
    support_load_more(&s,
                      "profile: hardened\nconfig: {restart-strategy.type: exponential-delay}\n");
    assert_u64(s.config.restart.attempts, 0);
    assert_i64(s.config.restart.delay_max_ns, 60 * SECOND);
    scenario_release(&s);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(LegacyFile),          cmocka_unit_test(NestedFile),
        cmocka_unit_test(ProfileMustBeChosen), cmocka_unit_test(NotModelledKeys),
        cmocka_unit_test(HaTypesAndSchemes),   cmocka_unit_test(CompatibleStorage),
        cmocka_unit_test(SecretsAreNeverShown), cmocka_unit_test(SecretsOfOverrides),
        cmocka_unit_test(UrlsLoseTheirUser), cmocka_unit_test(SizesHaveLimits),
        cmocka_unit_test(PrefixesMustBeKnown), cmocka_unit_test(RestartStrategies),
    };
    return check_main(argc, argv, "scenarios_config", tests);
}
