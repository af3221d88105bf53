// SPDX-License-Identifier: GPL-3.0-or-later
//
// The grammar of a scenario: what a file says arrives in the model's configuration.
#include "support.h"

#define SECOND INT64_C(1000000000)

static void load_file(struct scenario *scenario, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), TESTS_FOLDER "valid/%s", name);
    int status = scenario_load(scenario, path, NULL);
    if (status != SCENARIO_OK) {
        support_print_errors(scenario);
        scenario_release(scenario);
        fail_msg("%s is refused", name);
    }
}

// The least that a scenario says; everything else has a default, and each says where it comes from.
static void MinimalScenario(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "");
    const struct model_config *c = &s.config;
    assert_text(s.name, "minimal");
    assert_u64(c->seed, 1);
    assert_int_equal(c->profile, RECOUP_PROFILE_HARDENED);
    assert_text(s.preset, "kubernetes");
    assert_u64(c->n_stages, 2);
    assert_u64(c->stages[0].parallelism, 4);
    assert_i64(c->stages[0].duration.a, 10 * SECOND);
    assert_u64(c->stages[1].n_inputs, 1);
    assert_u64(c->stages[1].inputs[0].stage, 0);
    assert_int_equal(c->stages[1].inputs[0].exchange, RECOUP_ALL_TO_ALL);
    assert_false(c->stages[0].source.present);
    assert_false(c->stages[0].coordinator.present);
    assert_false(c->options.recovery_enabled);
    assert_i64(c->options.snapshot_min_pause_ns, 180 * SECOND);
    assert_i64(c->options.worker_recovery_timeout_ns, 30 * SECOND);
    assert_i64(c->options.flush_interval_ns, SECOND);
    assert_u64(c->options.write_buffer_bytes, 1u << 20);
    assert_i64(c->options.worker_detection_ns, 50 * SECOND);
    assert_int_equal(c->ha.kind, MODEL_HA_KUBERNETES);
    assert_int_equal(c->storage.kind, MODEL_STORAGE_S3);
    assert_int_equal(c->restart.kind, MODEL_RESTART_NONE);
    assert_i64(c->stop_at_ns, 0);
    assert_u64(c->events_max, 0);
    assert_u64(c->n_faults, 0);
    assert_true(support_value(&s, "cluster.deploy")->assumed);
    assert_text(support_value(&s, "cluster.deploy")->origin_detail, "preset kubernetes");
    assert_false(support_value(&s, "config.heartbeat.interval")->assumed);
    assert_text(support_value(&s, "config.heartbeat.interval")->source,
                "Flink 1.20 HeartbeatManagerOptions");
    assert_int_equal(support_value(&s, "cluster.workers")->origin, SCENARIO_GIVEN);
    scenario_release(&s);
}

// Every policy has its profile's value.
static void ProfilesSetPolicies(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "profile: flink-1.20\n");
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        assert_i64(s.config.options.policy[p], recoup_policy_info((enum recoup_policy)p)->flink);
    }
    assert_false(s.config.worker_policy.retention_by_job);
    assert_false(s.config.worker_policy.retention_timer_keyed);
    scenario_release(&s);
    support_load_more(
        &s, "config: {recoup.recovery.trim: all, recoup.worker.retention-timer: one-shot}\n");
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        if (p != RECOUP_POLICY_TRIM) {
            assert_i64(s.config.options.policy[p],
                       recoup_policy_info((enum recoup_policy)p)->hardened);
        }
    }
    assert_i64(s.config.options.policy[RECOUP_POLICY_TRIM], 0);
    assert_true(s.config.worker_policy.retention_by_job);
    assert_false(s.config.worker_policy.retention_timer_keyed);
    scenario_release(&s);
}

static void StagesOfEveryKind(void **state)
{
    struct scenario s;
    (void)state;
    load_file(&s, "all-kinds.yaml");
    const struct model_stage *stages = s.config.stages;
    assert_u64(s.config.n_stages, 5);
    assert_int_equal(stages[0].duration.kind, SIM_LAW_LOGNORMAL);
    assert_i64(stages[0].duration.a, 12 * SECOND);
    assert_i64(stages[0].duration.b, 400000000);
    assert_int_equal(stages[0].output.kind, SIM_LAW_UNIFORM);
    assert_i64(stages[0].output.b, INT64_C(64) << 20);
    assert_true(stages[0].rerun_fresh);
    assert_true(stages[0].source.present);
    assert_u64(stages[0].source.splits, 100);
    assert_u64(stages[0].source.split_state_bytes, 100);
    assert_true(stages[0].coordinator.present);
    assert_false(stages[0].coordinator.batch_snapshot);
    assert_u64(stages[0].coordinator.state_bytes, 1024);
    assert_int_equal(stages[1].inputs[0].exchange, RECOUP_POINTWISE);
    assert_false(stages[1].rerun_fresh);
    assert_u64(stages[2].parallelism, 0);
    assert_int_equal(stages[2].duration.kind, SIM_LAW_QUANTILES);
    assert_u64(stages[2].duration.count, 4);
    assert_i64(stages[2].duration.points[2].p_nano, 990000000);
    assert_u64(stages[2].n_inputs, 2);
    assert_true(stages[2].coordinator.batch_snapshot);
    assert_int_equal(stages[3].duration.kind, SIM_LAW_TRACE);
    assert_u64(stages[3].duration.count, 3);
    assert_i64(stages[3].duration.points[1].value, 2500000000);
    assert_i64(stages[3].output.points[1].value, 2097152);
    assert_int_equal(stages[4].duration.kind, SIM_LAW_MIXTURE);
    assert_int_equal(stages[4].duration.parts[1].kind, SIM_LAW_PARETO);
    assert_i64(stages[4].duration.weights_nano[0], 990000000);
    scenario_release(&s);
}

static void ClusterAndConfig(void **state)
{
    struct scenario s;
    (void)state;
    load_file(&s, "all-kinds.yaml");
    const struct model_config *c = &s.config;
    assert_u64(c->seed, 16);
    assert_text(s.about, "A quoted: sentence");
    assert_true(c->cluster.restart_never);
    assert_true(c->cluster.reconnect_given);
    assert_false(c->master.standby);
    assert_false(c->master.restart_never);
    assert_i64(c->master.restart.a, 20 * SECOND);
    assert_int_equal(c->ha.kind, MODEL_HA_ZOOKEEPER);
    assert_i64(c->ha.session_granted_max_ns, 20 * SECOND);
    assert_i64(c->ha.session_timeout_ns, 60 * SECOND);
    assert_int_equal(c->storage.durable_at, RECOUP_DURABLE_AT_SYNC);
    assert_int_equal(c->storage.latency[MODEL_STORAGE_FLUSH].kind, SIM_LAW_EXPONENTIAL);
    assert_i64(c->storage.latency[MODEL_STORAGE_CREATE].a, 3000000);
    assert_u64(c->storage.bandwidth, UINT64_C(50) << 20);
    assert_u64(c->storage.price_nanousd[MODEL_STORAGE_APPEND], 1);
    assert_true(c->options.recovery_enabled);
    assert_true(c->worker_policy.recovery_enabled);
    assert_i64(c->options.snapshot_min_pause_ns, 60 * SECOND);
    assert_u64(c->options.write_buffer_bytes, 65536);
    assert_i64(c->timeouts.heartbeat_interval_ns, 5 * SECOND);
    assert_int_equal(c->restart.kind, MODEL_RESTART_EXPONENTIAL_DELAY);
    assert_u64(c->restart.attempts, 5);
    assert_i64(c->restart.backoff_multiplier_nano, 1500000000);
    assert_i64(c->options.policy[RECOUP_POLICY_SNAPSHOT_TIMEOUT], 10 * SECOND);
    assert_i64(c->stop_at_ns, 7200 * SECOND);
    assert_u64(c->events_max, 1000000);
    scenario_release(&s);
}

static void FaultsOfEveryKind(void **state)
{
    struct scenario s;
    (void)state;
    load_file(&s, "all-kinds.yaml");
    const struct model_fault *f = s.config.faults;
    assert_u64(s.config.n_faults, 8);
    assert_text(f[0].name, "first");
    assert_int_equal(f[0].trigger, MODEL_TRIGGER_AT);
    assert_i64(f[0].law.a, 95 * SECOND);
    assert_text(f[1].name, "fault-1");
    assert_int_equal(f[1].trigger, MODEL_TRIGGER_AT_SHARE);
    assert_i64(f[1].law.a, 500000000);
    assert_int_equal(f[1].kind, MODEL_FAULT_TERMINATE);
    assert_i64(f[1].grace_ns, 10 * SECOND);
    assert_int_equal(f[2].trigger, MODEL_TRIGGER_AT_SHARE);
    assert_int_equal(f[2].target, MODEL_TARGET_NUMBER);
    assert_u64(f[2].worker, 2);
    assert_int_equal(f[3].trigger, MODEL_TRIGGER_WHEN);
    assert_u64(f[3].stage, 2);
    assert_i64(f[3].share_nano, 125000000);
    assert_int_equal(f[4].trigger, MODEL_TRIGGER_EVERY);
    assert_int_equal(f[4].target, MODEL_TARGET_EACH);
    assert_int_equal(f[4].process, MODEL_PROCESS_WORKER);
    assert_int_equal(f[5].trigger, MODEL_TRIGGER_ON);
    assert_int_equal(f[5].op, MODEL_STORAGE_FLUSH);
    assert_u64(f[5].nth, 3);
    assert_int_equal(f[5].moment, MODEL_MOMENT_MID);
    assert_int_equal(f[6].kind, MODEL_FAULT_STORE_ERROR);
    assert_int_equal(f[6].error, RECOUP_ENOSPC);
    assert_u64(f[6].count, 0);
    assert_int_equal(f[7].error, RECOUP_ETIMEDOUT);
    assert_u64(f[7].nth, 1);
    assert_u64(f[7].count, 1);
    scenario_release(&s);
}

static void Expectations(void **state)
{
    struct scenario s;
    (void)state;
    load_file(&s, "all-kinds.yaml");
    assert_true(s.expects_state);
    assert_int_equal(s.expected_state, MODEL_JOB_FAILED);
    assert_u64(s.n_expectations, 6);
    assert_text(s.expectations[0].metric, "lost-work");
    assert_int_equal(s.expectations[0].bound, SCENARIO_AT_LEAST);
    assert_i64(s.expectations[1].a, 300 * SECOND);
    assert_text(s.expectations[1].text, "5 min");
    assert_int_equal(s.expectations[3].bound, SCENARIO_BETWEEN);
    assert_i64(s.expectations[3].a, 1024);
    assert_i64(s.expectations[3].b, 1048576);
    assert_u64(s.n_expected_findings, 2);
    assert_text(s.expected_findings[1], "T10");
    scenario_release(&s);
}

// A sentence may hold a colon, as the contract's example has it.
static void AboutIsASentence(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "about: One sentence: what's the question?   # a comment\nseed: 3\n");
    assert_text(s.about, "One sentence: what's the question?");
    assert_u64(s.config.seed, 3);
    scenario_release(&s);
    support_load_more(&s, "about: |\n  Two: lines\n  here\n");
    assert_text(s.about, "Two: lines\nhere\n");
    scenario_release(&s);
}

// Files of other systems: a byte-order mark, line ends of Windows, no line end at the end.
static void BytesOfOtherSystems(void **state)
{
    struct scenario s;
    char text[1024] = "\xef\xbb\xbf";
    size_t size = 3;
    (void)state;
    for (const char *p = support_minimal; *p != '\0'; p++) {
        if (*p == '\n') {
            text[size++] = '\r';
        }
        text[size++] = *p;
    }
    size -= 2;
    assert_i64(scenario_parse(&s, "a.yaml", text, size, NULL), SCENARIO_OK);
    assert_text(s.name, "minimal");
    scenario_release(&s);
    assert_i64(scenario_parse(&s, "a.yaml", "\xef\xbb\xbfversion: x", 13, NULL), SCENARIO_INVALID);
    assert_u64(s.errors[0].column, 1);
    scenario_release(&s);
}

static void BaseIsMergedUnder(void **state)
{
    struct scenario s;
    (void)state;
    load_file(&s, "child.yaml");
    const struct model_config *c = &s.config;
    assert_text(s.name, "child");
    assert_u64(c->seed, 7);
    assert_text(s.preset, "yarn-zookeeper");
    assert_i64(c->timeouts.heartbeat_interval_ns, 6 * SECOND);
    assert_i64(c->timeouts.heartbeat_timeout_ns, 25 * SECOND);
    assert_u64(c->cluster.workers, 3);
    assert_u64(c->cluster.slots, 4);
    // A law is replaced as a whole, not merged key by key.
    assert_int_equal(c->cluster.deploy.kind, SIM_LAW_LOGNORMAL);
    assert_int_equal(c->storage.kind, MODEL_STORAGE_HDFS);
    assert_int_equal(c->storage.durable_at, RECOUP_DURABLE_AT_SYNC);
    assert_u64(s.n_expectations, 2);
    assert_int_equal(support_value(&s, "cluster.slots")->origin, SCENARIO_BASE);
    assert_int_equal(support_value(&s, "cluster.workers")->origin, SCENARIO_GIVEN);
    assert_non_null(strstr(support_value(&s, "cluster.slots")->origin_detail, "base.yaml:12"));
    scenario_release(&s);
}

struct preset {
    const char *name;
    enum model_ha_kind ha;
    enum model_storage_kind storage;
    bool standby;
};

static void PresetsDescribePlaces(void **state)
{
    static const struct preset presets[] = {
        {"kubernetes", MODEL_HA_KUBERNETES, MODEL_STORAGE_S3, false},
        {"kubernetes-standby", MODEL_HA_KUBERNETES, MODEL_STORAGE_S3, true},
        {"yarn-zookeeper", MODEL_HA_ZOOKEEPER, MODEL_STORAGE_HDFS, false},
        {"standalone-zookeeper", MODEL_HA_ZOOKEEPER, MODEL_STORAGE_NFS, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        struct scenario s;
        char line[64];
        (void)snprintf(line, sizeof(line), "preset: %s\n", presets[i].name);
        support_load_more(&s, line);
        assert_text(s.preset, presets[i].name);
        assert_int_equal(s.config.ha.kind, presets[i].ha);
        assert_int_equal(s.config.storage.kind, presets[i].storage);
        assert_int_equal(s.config.master.standby, presets[i].standby);
        assert_true(sim_law_max(&s.config.cluster.deploy) > 0);
        assert_true(sim_law_max(&s.config.network_latency) > 0);
        scenario_release(&s);
    }
}

static void HaAndStorageForms(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "ha: {detect: {exponential: {mean: 5 s}}}\nstorage: ideal\n");
    assert_int_equal(s.config.ha.kind, MODEL_HA_FIXED);
    assert_int_equal(s.config.ha.detect.kind, SIM_LAW_EXPONENTIAL);
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_IDEAL);
    for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
        assert_i64(sim_law_max(&s.config.storage.latency[op]), 0);
        assert_u64(s.config.storage.price_nanousd[op], 0);
    }
    assert_u64(s.config.storage.bandwidth, 0);
    scenario_release(&s);
    support_load_more(&s, "ha: none\nstorage: {durable-at: close}\n");
    assert_int_equal(s.config.ha.kind, MODEL_HA_NONE);
    assert_int_equal(s.config.storage.kind, MODEL_STORAGE_S3);
    scenario_release(&s);
    support_load_more(&s, "storage: s3\n");
    assert_int_equal(s.config.storage.durable_at, RECOUP_DURABLE_AT_CLOSE);
    assert_u64(s.config.storage.price_nanousd[MODEL_STORAGE_CLOSE], 5000);
    assert_u64(s.config.storage.price_nanousd[MODEL_STORAGE_READ], 400);
    scenario_release(&s);
}

// Every profile's laws can be drawn from, and every source is named.
static void StorageProfilesAreSound(void **state)
{
    static const char *const names[] = {"ideal", "hdfs", "s3", "gcs", "posix", "nfs"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct scenario s;
        char line[64];
        (void)snprintf(line, sizeof(line), "storage: %s\n", names[i]);
        support_load_more(&s, line);
        assert_int_equal(s.config.storage.kind, i);
        for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
            const char *message = NULL;
            assert_int_equal(sim_law_check(&s.config.storage.latency[op], &message), 0);
        }
        assert_non_null(support_value(&s, "storage.flush")->source);
        scenario_release(&s);
    }
}

// Units of a trace: in the cell, in `unit`, or at the end of the column's name.
static void TracesAndTheirUnits(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(
        &s, "network: {latency: {trace: trace.csv, column: text}}\n"
            "master: {start: {trace: trace.csv, column: run_ms}}\n"
            "storage: {profile: hdfs, read: {trace: trace.csv, column: bytes, unit: us}}\n");
    assert_i64(s.config.network_latency.points[2].value, 4 * SECOND);
    assert_i64(s.config.master.start.points[0].value, 1500000000);
    assert_i64(s.config.storage.latency[MODEL_STORAGE_READ].points[0].value, INT64_C(1048576000));
    scenario_release(&s);
}

// The canonical text is the identity: what only describes is no part of it, everything else is.
static void CanonicalText(void **state)
{
    struct scenario a;
    struct scenario b;
    (void)state;
    support_load_more(&a, "about: one\n");
    support_load_more(&b, "about: two\n");
    assert_text(a.canonical, b.canonical);
    scenario_release(&b);
    support_load_more(&b, "seed: 2\n");
    assert_true(strcmp(a.canonical, b.canonical) != 0);
    scenario_release(&b);
    support_load_more(&b, "# a comment\n");
    assert_text(a.canonical, b.canonical);
    scenario_release(&b);
    scenario_release(&a);
}

// Doubtful combinations are warnings, not errors.
static void Warnings(void **state)
{
    struct scenario s;
    (void)state;
    support_load_more(&s, "faults: [{at: 1 s, kill: master}]\n");
    assert_u64(s.n_warnings, 1);
    assert_non_null(strstr(s.warnings[0].text, "recovery is off"));
    scenario_release(&s);
    support_load_more(&s,
                      "profile: flink-1.20\nconfig:\n  execution.batch.job-recovery.enabled: true\n"
                      "  recoup.worker.recovery-enabled: false\n");
    assert_u64(s.n_warnings, 2);
    assert_non_null(strstr(s.warnings[0].text, "(H37)"));
    assert_non_null(strstr(s.warnings[1].text, "(H32)"));
    scenario_release(&s);
}

static void ReleaseAcceptsNothing(void **state)
{
    struct scenario s = {0};
    (void)state;
    scenario_release(&s);
    assert_null(s.memory);
}

// Only keys of the configuration can be secrets: a stage may be called as one is.
static void NamesAreNoSecrets(void **state)
{
    static const char text[] = "version: 1\nname: n\njob: {stages: [{name: tokenize, parallelism: "
                               "4, duration: 10 s}]}\ncluster: {workers: 2, slots: 4}\n";
    static const char *const sets[] = {"job.stages.tokenize.parallelism=5"};
    struct scenario a;
    struct scenario b;
    (void)state;
    support_load(&a, text, NULL, 0);
    support_load(&b, text, sets, 1);
    assert_text(support_value(&a, "job.stages.tokenize.parallelism")->value, "4");
    assert_string_not_equal(a.canonical, b.canonical);
    scenario_release(&a);
    scenario_release(&b);
}

// Another seed gives the scenario that loading with it gives, however often and however long.
static void ReseedingIsLoadingAgain(void **state)
{
    static const uint64_t seeds[] = {7, INT64_MAX, 0, 123456, 1};
    struct scenario s;
    (void)state;
    support_load_more(&s, "faults: [{at: 1 s, kill: master}]\n");
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        struct scenario other;
        char set[40];
        const char *const sets[] = {set};
        char text[1024];
        (void)snprintf(set, sizeof(set), "seed=%" PRIu64, seeds[i]);
        (void)snprintf(text, sizeof(text), "%sfaults: [{at: 1 s, kill: master}]\n",
                       support_minimal);
        support_load(&other, text, sets, 1);
        assert_i64(scenario_reseed(&s, seeds[i]), SCENARIO_OK);
        assert_u64(s.config.seed, seeds[i]);
        assert_text(s.canonical, other.canonical);
        assert_text(support_value(&s, "seed")->value, support_value(&other, "seed")->value);
        scenario_release(&other);
    }
    scenario_release(&s);
}

static void TagsAreNamesAndChangeNothing(void **state)
{
    (void)state;
    struct scenario plain;
    struct scenario tagged;
    support_load_more(&plain, "");
    support_load_more(&tagged, "tags: [nightly, s3-only]\n");
    assert_u64(tagged.n_tags, 2);
    assert_text(tagged.tags[1], "s3-only");
    assert_text(tagged.canonical, plain.canonical);
    scenario_release(&plain);
    scenario_release(&tagged);
    support_refused_more("tags: nightly\n",
                         "tags must be a list such as [nightly, s3], found a single value");
    support_refused_more("tags: [a b]\n",
                         "a tag must be letters, digits, '-' and '_', at most 63, found 'a b'");
    support_refused_more("tags: [{a: b}]\n",
                         "a tag must be letters, digits, '-' and '_', at most 63, found a map");
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(TagsAreNamesAndChangeNothing),
        cmocka_unit_test(ReseedingIsLoadingAgain),
        cmocka_unit_test(NamesAreNoSecrets),
        cmocka_unit_test(MinimalScenario),     cmocka_unit_test(ProfilesSetPolicies),
        cmocka_unit_test(StagesOfEveryKind),   cmocka_unit_test(ClusterAndConfig),
        cmocka_unit_test(FaultsOfEveryKind),   cmocka_unit_test(Expectations),
        cmocka_unit_test(AboutIsASentence),    cmocka_unit_test(BytesOfOtherSystems),
        cmocka_unit_test(BaseIsMergedUnder),   cmocka_unit_test(PresetsDescribePlaces),
        cmocka_unit_test(HaAndStorageForms),   cmocka_unit_test(StorageProfilesAreSound),
        cmocka_unit_test(TracesAndTheirUnits), cmocka_unit_test(CanonicalText),
        cmocka_unit_test(Warnings),            cmocka_unit_test(ReleaseAcceptsNothing),
    };
    return check_main(argc, argv, "scenarios_load", tests);
}
