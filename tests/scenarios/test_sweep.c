// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a sweep file says arrives as points: their order, values, labels, keys, and the commands
// that repeat them.
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include "scenarios/sweep.h"

#define SWEEPS TESTS_FOLDER "sweeps/"
#define SECOND INT64_C(1000000000)

static void load(struct scenario_sweep *sweep, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), SWEEPS "%s", name);
    int status = scenario_sweep_load(sweep, path);
    if (status != SCENARIO_OK) {
        char *text = support_messages(sweep->errors, sweep->n_errors, NULL, SWEEPS);
        print_error("%s", text);
        free(text);
        fail_msg("%s is refused (%d)", name, status);
    }
}

static void parse(struct scenario_sweep *sweep, const char *more)
{
    char text[2048];
    int size = snprintf(text, sizeof(text), "version: 1\nname: s\nscenario: job.yaml\n%s", more);
    assert_true(size > 0 && (size_t)size < sizeof(text));
    int status = scenario_sweep_parse(sweep, SWEEPS "text.yaml", text, (size_t)size);
    if (status != SCENARIO_OK) {
        char *messages = support_messages(sweep->errors, sweep->n_errors, NULL, SWEEPS);
        print_error("%s", messages);
        free(messages);
        fail_msg("the sweep is refused (%d)", status);
    }
}

// The labels of all points, or of the first values of an axis, joined by "; ".
static const char *labels(const struct scenario_sweep *sweep, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < sweep->n_points; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : "; ",
                               sweep->points[i].label);
        assert_true(at < size);
    }
    return text;
}

static const char *values(const struct scenario_axis *axis, char *text, size_t size)
{
    size_t at = 0;
    for (uint32_t i = 0; i < axis->n_values; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : ", ",
                               axis->values[i].text);
        assert_true(at < size);
    }
    return text;
}

// --- the example of the reference ----------------------------------------------------------------

static void TheExampleOfTheReference(void **state)
{
    struct scenario_sweep s;
    char text[512];
    (void)state;
    load(&s, "contract.yaml");
    assert_text(s.name, "min-pause-against-flush");
    assert_text(s.about, "One sentence: the example of the reference.");
    assert_u64(s.n_axes, 3);
    assert_text(s.axes[0].name, "min-pause");
    assert_text(s.axes[1].name, "flush-interval");
    assert_text(s.axes[2].name, "store");
    assert_text(s.axes[2].path, "storage");
    assert_int_equal(s.axes[0].kind, SCENARIO_AXIS_NS);
    assert_int_equal(s.axes[1].kind, SCENARIO_AXIS_NS);
    assert_int_equal(s.axes[2].kind, SCENARIO_AXIS_TEXT);
    assert_text(s.axes[0].unit, "ns");
    assert_text(s.axes[2].unit, "");
    assert_text(values(&s.axes[1], text, sizeof(text)),
                "100 ms, 290 ms, 843 ms, 2450 ms, 7110 ms, 20700 ms, 1 min");
    assert_i64(s.axes[1].values[3].number, 2450 * SECOND / 1000);
    assert_u64(s.axes[0].values[0].line, 6);
    // 2 x 35 combinations, of which 30 s < 1 min leaves out one per store.
    assert_u64(s.n_points, 68);
    assert_u64(s.n_excluded, 2);
    assert_text(s.points[0].label, "min-pause=0s, flush-interval=100ms, store=hdfs");
    assert_text(s.points[1].label, "min-pause=0s, flush-interval=100ms, store=s3");
    assert_text(s.points[67].label, "min-pause=10min, flush-interval=1min, store=s3");
    assert_text(s.excluded[1].label, "min-pause=30s, flush-interval=1min, store=s3");
    assert_text(s.excluded[1].key, "");
    (void)scenario_point_excluded_text(&s, &s.excluded[1], text, sizeof(text));
    assert_text(text, "flush-interval <= min-pause is false (1 min <= 30 s), "
                      "min-pause == 0 s is false (30 s == 0 s)");
    assert_false(s.replications.until);
    assert_u64(s.replications.at_least, 200);
    assert_u64(s.replications.at_most, 200);
    assert_true(s.common);
    assert_true(s.measure_delay);
    assert_u64(s.seed, 1);
    assert_i64(s.wall_time_ns, 0);
    assert_i64(s.memory_bytes, 0);
    assert_u64(s.n_warnings, 1);
    scenario_sweep_release(&s);
    scenario_sweep_release(&s);
}

// A point is the scenario that its --set options make, and the one that it loads.
static void PointsAreWhatTheirCommandsAre(void **state)
{
    static const char *const names[] = {"contract.yaml", "all.yaml", "sobol.yaml", "points.yaml"};
    (void)state;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        struct scenario_sweep s;
        load(&s, names[n]);
        assert_true(s.n_points > 0);
        for (uint32_t i = 0; i < s.n_points; i++) {
            const struct scenario_point *p = &s.points[i];
            struct scenario_overrides overrides = {
                .sets = p->sets, .n_sets = p->n_sets, .seed_given = true, .seed = 5};
            struct scenario by_command;
            struct scenario by_point;
            char key[SCENARIO_SWEEP_KEY_SIZE];
            if (scenario_load(&by_command, p->scenario, &overrides) != SCENARIO_OK) {
                support_print_errors(&by_command);
                fail_msg("%s: the command of %s is refused", names[n], p->label);
            }
            scenario_point_key(by_command.canonical, key);
            assert_text(p->key, key);
            assert_i64(scenario_point_load(&s, p, 5, &by_point), SCENARIO_OK);
            assert_text(by_point.canonical, by_command.canonical);
            assert_u64(by_point.config.seed, 5);
            scenario_release(&by_point);
            scenario_release(&by_command);
        }
        scenario_sweep_release(&s);
    }
}

// --- kinds of axes -------------------------------------------------------------------------------

static void AxesOfEveryKind(void **state)
{
    struct scenario_sweep s;
    struct scenario scenario;
    char text[512];
    (void)state;
    load(&s, "all.yaml");
    assert_u64(s.n_axes, 5);
    assert_text(values(&s.axes[0], text, sizeof(text)), "job.yaml, other.yaml");
    assert_text(s.axes[0].values[0].label, "job");
    assert_text(s.axes[0].values[1].label, "six");
    assert_text(s.axes[1].values[0].text, "[]");
    assert_text(s.axes[1].values[1].text,
                "[{at: 11 s, kill: master, name: one}, {at: 50%, kill: worker, target: "
                "random}]");
    assert_int_equal(s.axes[3].kind, SCENARIO_AXIS_COUNT);
    assert_i64(s.axes[3].values[2].number, 4);
    assert_int_equal(s.axes[4].kind, SCENARIO_AXIS_TEXT);
    assert_text(values(&s.axes[4], text, sizeof(text)), "10 s, {exponential: {mean: 10 s}}");
    // 2 x 2 x 2 x 3 x 2 = 48, less 12 without crash and hardened, less 6 of job with 3 workers.
    assert_u64(s.n_points, 30);
    assert_u64(s.n_excluded, 18);
    (void)scenario_point_excluded_text(&s, &s.excluded[0], text, sizeof(text));
    assert_text(text, "crash == none is true (none == none), profile == hardened is false "
                      "(flink-1.20 == hardened), workers != 3 is false (3 != 3), job == six is "
                      "false (job == six)");
    assert_u64(s.points[0].n_sets, 8);
    assert_text(s.points[0].sets[0], "stop-at=2 h");
    assert_text(s.points[0].sets[1], "events-max=100000");
    assert_text(s.points[0].sets[2], "faults=[]");
    assert_text(s.points[0].sets[6], "storage=hdfs");
    assert_i64(scenario_point_load(&s, &s.points[29], 1, &scenario), SCENARIO_OK);
    assert_u64(scenario.config.stages[0].parallelism, 6);
    assert_u64(scenario.config.n_faults, 2);
    assert_u64(scenario.config.events_max, 100000);
    assert_i64(scenario.config.stop_at_ns, 7200 * SECOND);
    scenario_release(&scenario);
    assert_true(s.replications.until);
    assert_true(s.replications.relative);
    assert_i64(s.replications.half_width, 50000000);
    assert_i64(s.replications.confidence_nano, 990000000);
    assert_u64(s.replications.at_least, 10);
    assert_u64(s.replications.at_most, 40);
    assert_u64(s.replications.batch, 5);
    assert_text(s.replications.metric->name, "lost-work");
    assert_i64(s.wall_time_ns, 10 * SECOND);
    assert_i64(s.memory_bytes, INT64_C(3) << 30);
    assert_false(s.common);
    assert_u64(s.seed, 16);
    scenario_sweep_release(&s);
}

static void NumbersOfEveryKind(void **state)
{
    struct scenario_sweep s;
    char text[512];
    (void)state;
    parse(&s,
          "axes:\n"
          "  - {path: config.job-event.store.write-buffer.flush-interval, values: [1000, 2 s]}\n"
          "  - {path: config.job-event.store.write-buffer.size, log: {from: 1 kb, to: 1 mb, "
          "points: 11}}\n"
          "  - {path: config.restart-strategy.exponential-delay.backoff-multiplier, name: "
          "factor, values: [1, 1.5]}\n"
          "  - {path: faults.first.at, values: [5%, 12.5%]}\n"
          "where: flush-interval > 1 s and at < 10% and factor >= 1.2 and size != 2 kb\n");
    assert_int_equal(s.axes[0].kind, SCENARIO_AXIS_NS);
    assert_text(values(&s.axes[0], text, sizeof(text)), "1 s, 2 s");
    assert_text(s.axes[0].values[0].label, "1s");
    assert_int_equal(s.axes[1].kind, SCENARIO_AXIS_BYTES);
    assert_text(values(&s.axes[1], text, sizeof(text)),
                "1 kb, 2 kb, 4 kb, 8 kb, 16 kb, 32 kb, 64 kb, 128 kb, 256 kb, 512 kb, 1 mb");
    assert_int_equal(s.axes[2].kind, SCENARIO_AXIS_NANO);
    assert_i64(s.axes[2].values[0].number, SECOND);
    assert_i64(s.axes[2].values[1].number, 3 * SECOND / 2);
    assert_int_equal(s.axes[3].kind, SCENARIO_AXIS_NANO);
    assert_text(s.axes[3].unit, "%");
    assert_i64(s.axes[3].values[1].number, SECOND / 8);
    assert_u64(s.n_points, 10);
    assert_text(s.points[0].label, "flush-interval=2s, size=1kb, factor=1.5, at=5%");
    scenario_sweep_release(&s);
}

// Values between the ends of `log` have three digits, or more where they would meet.
static void LogValuesAreRound(void **state)
{
    struct scenario_sweep s;
    char text[512];
    (void)state;
    parse(&s, "axes: [{path: cluster.deploy, log: {from: 1 ms, to: 1 h, points: 5}}, "
              "{path: cluster.workers, log: {from: 1000, to: 1003, points: 4}}]\n");
    assert_text(values(&s.axes[0], text, sizeof(text)), "1 ms, 43600 us, 1900 ms, 82600 ms, 1 h");
    assert_text(values(&s.axes[1], text, sizeof(text)), "1000, 1001, 1002, 1003");
    scenario_sweep_release(&s);
}

static void SobolPointsAreGolden(void **state)
{
    struct scenario_sweep s;
    char text[1024];
    (void)state;
    load(&s, "sobol.yaml");
    assert_u64(s.n_points, 16);
    assert_true(s.axes[1].sampled);
    // Shares 1/2, 3/4, 1/4, 3/8, 7/8, 5/8, 1/8, 3/16 of the sequence's first dimension.
    assert_text(values(&s.axes[1], text, sizeof(text)),
                "2449489743 ns, 12123093028 ns, 494923200 ns, 1101049183 ns, 26970086794 ns, "
                "5449347853 ns, 222468695 ns, 331820612 ns");
    assert_text(values(&s.axes[2], text, sizeof(text)),
                "512 kb, 256 kb, 768 kb, 384 kb, 896 kb, 128 kb, 640 kb, 320 kb");
    assert_text(values(&s.axes[3], text, sizeof(text)), "51, 76, 27, 63, 14, 39, 88, 33");
    assert_text(s.points[0].label,
                "storage=hdfs, flush-interval=2.449489743s, buffer=512kb, workers=51");
    assert_text(s.points[9].label,
                "storage=s3, flush-interval=12.123093028s, buffer=256kb, workers=76");
    scenario_sweep_release(&s);
}

// --- single points -------------------------------------------------------------------------------

static void SinglePoints(void **state)
{
    struct scenario_sweep s;
    char text[512];
    (void)state;
    load(&s, "points.yaml");
    assert_text(labels(&s, text, sizeof(text)), "workers=2, store=s3; workers=3, store=hdfs; "
                                                "workers=2, store=fast; workers=3, store=fast");
    scenario_sweep_release(&s);
    load(&s, "beside.yaml");
    assert_text(labels(&s, text, sizeof(text)),
                "workers=2, restart=1min; workers=2, restart=30s; workers=3, restart=1min; "
                "workers=3, restart=30s; workers=9, restart=1min; workers=9, restart=5min");
    assert_u64(s.axes[0].n_values, 3);
    assert_u64(s.axes[1].n_values, 3);
    scenario_sweep_release(&s);
}

static void WithoutAxesThereIsOnePoint(void **state)
{
    struct scenario_sweep s;
    char text[512];
    char expected[512];
    const char *quote; // where the project lies in a folder whose name has blanks
    (void)state;
    parse(&s, "replications: 3\n");
    assert_u64(s.n_points, 1);
    assert_text(s.points[0].label, "all");
    assert_u64(s.points[0].n_sets, 0);
    (void)scenario_point_command(&s.points[0], 9, text, sizeof(text));
    quote = text[4] == '\'' ? "'" : "";
    (void)snprintf(expected, sizeof(expected), "run %s" SWEEPS "job.yaml%s --seed 9", quote, quote);
    assert_text(text, expected);
    scenario_sweep_release(&s);
}

// --- identity ------------------------------------------------------------------------------------

static const struct scenario_point *find(const struct scenario_sweep *s, const char *label)
{
    for (uint32_t i = 0; i < s->n_points; i++) {
        if (strcmp(s->points[i].label, label) == 0) {
            return &s->points[i];
        }
    }
    fail_msg("no point %s", label);
    return NULL;
}

// A value more, another order, other texts: the points that were there stay the same runs.
static void InsertingAValueChangesNoOtherRun(void **state)
{
    struct scenario_sweep a;
    struct scenario_sweep b;
    (void)state;
    parse(&a,
          "axes: [{path: cluster.workers, values: [2, 4]}, {path: storage, values: [s3, gcs]}]\n"
          "random-numbers: independent\n");
    parse(&b, "axes: [{path: storage, values: [hdfs, gcs, s3]}, {path: cluster.workers, values: "
              "[4, 3, 2]}]\nrandom-numbers: independent\nreplications: 9\n");
    const struct scenario_point *p = find(&a, "workers=4, storage=gcs");
    const struct scenario_point *q = find(&b, "storage=gcs, workers=4");
    assert_text(p->key, q->key);
    assert_u64(scenario_replication_seed(&a, p, 3), scenario_replication_seed(&b, q, 3));
    const struct scenario_point *other = find(&b, "storage=gcs, workers=3");
    assert_true(scenario_replication_seed(&b, q, 3) != scenario_replication_seed(&b, other, 3));
    a.common = true;
    assert_u64(scenario_replication_seed(&a, p, 3), scenario_seed_common(1, 3));
    scenario_sweep_release(&a);
    scenario_sweep_release(&b);
}

// --- looking -------------------------------------------------------------------------------------

static void WhatWillRunCanBePrinted(void **state)
{
    struct scenario_sweep s;
    char *text = NULL;
    size_t size = 0;
    (void)state;
    load(&s, "all.yaml");
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_i64(scenario_sweep_print_axes(&s, out), 0);
    assert_i64(scenario_sweep_print_points(&s, 0, 1, out), 0);
    assert_i64(scenario_sweep_print_points(&s, s.n_points - 1, UINT32_MAX, out), 0);
    (void)fclose(out);
    assert_text(text, "job       2 values: job, six\n"
                      "crash     2 values: none, two\n"
                      "profile   2 values: flink-1.20, hardened\n"
                      "workers   3 values: 2, 3, 4\n"
                      "duration  2 values: 10s, {exponential:{mean:10s}}\n"
                      "job=job, crash=none, profile=flink-1.20, workers=2, duration=10s\n"
                      "job=six, crash=two, profile=hardened, workers=4, "
                      "duration={exponential:{mean:10s}}\n");
    free(text);
    scenario_sweep_release(&s);
}

static void CommandsAreQuotedForAShell(void **state)
{
    const char *const sets[] = {"a=1", "b=it's {x: 1}", "c="};
    struct scenario_point point = {.scenario = "my file.yaml", .sets = sets, .n_sets = 3};
    char text[256];
    (void)state;
    size_t wanted = scenario_point_command(&point, UINT64_C(9223372036854775807), text, 256);
    assert_text(text, "run 'my file.yaml' --set a=1 --set 'b=it'\\''s {x: 1}' --set c= "
                      "--seed 9223372036854775807");
    assert_u64(wanted, strlen(text));
    for (size_t size = 0; size <= wanted; size++) {
        memset(text, '#', sizeof(text));
        assert_u64(scenario_point_command(&point, UINT64_C(9223372036854775807), text, size),
                   wanted);
        assert_true(text[size] == '#');
        assert_true(size == 0 || strlen(text) == size - 1);
    }
}

// --- what may change meanwhile -------------------------------------------------------------------

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// The scenario's text is read once; a CSV file that it names is read again, and compared.
static void FilesThatChangeAreNoticed(void **state)
{
    static const char folder[] = RECOUP_BINARY_DIR "/";
    struct scenario_sweep s;
    struct scenario scenario;
    char path[512];
    char csv[512];
    char sweep[512];
    (void)state;
    (void)snprintf(path, sizeof(path), "%ssweep-changing.yaml", folder);
    (void)snprintf(csv, sizeof(csv), "%ssweep-changing.csv", folder);
    (void)snprintf(sweep, sizeof(sweep), "%ssweep-changing-sweep.yaml", folder);
    write_file(csv, "d\n1 s\n2 s\n");
    write_file(path,
               "version: 1\nname: j\njob: {stages: [{name: a, parallelism: 2, duration: "
               "{trace: sweep-changing.csv, column: d}}]}\ncluster: {workers: 1, slots: 2}\n");
    write_file(sweep, "version: 1\nname: s\nscenario: sweep-changing.yaml\n"
                      "axes: [{path: cluster.workers, values: [1, 2]}]\n");
    assert_i64(scenario_sweep_load(&s, sweep), SCENARIO_OK);
    write_file(path, "nonsense");
    assert_i64(scenario_point_load(&s, &s.points[1], 1, &scenario), SCENARIO_OK);
    scenario_release(&scenario);
    write_file(csv, "d\n1 s\n3 s\n");
    assert_i64(scenario_point_load(&s, &s.points[1], 1, &scenario), SCENARIO_INVALID);
    assert_u64(scenario.n_errors, 1);
    assert_text(scenario.errors[0].text,
                "a file that this scenario reads has changed since the sweep was expanded; start "
                "the sweep again (at the point workers=2)");
    scenario_release(&scenario);
    scenario_sweep_release(&s);
}

// --- the manual ----------------------------------------------------------------------------------

// Every sweep file shown in docs/sweeps.md loads, from where it would stand.
static void TheManualsExamplesLoad(void **state)
{
    static const char path[] = RECOUP_SOURCE_DIR "/docs/sweeps.md";
    static const char fence[] = "```yaml\nversion:";
    static const char before[] = "```yaml\n";
    size_t size = 0;
    char *text = support_read(path, &size);
    uint32_t count = 0;
    (void)state;
    assert_non_null(text);
    for (char *at = strstr(text, fence); at != NULL; at = strstr(at, fence)) {
        struct scenario_sweep s;
        at += strlen(before);
        char *end = strstr(at, "```");
        assert_non_null(end);
        if (scenario_sweep_parse(&s, path, at, (size_t)(end - at)) != SCENARIO_OK) {
            char *messages = support_messages(s.errors, s.n_errors, NULL, "");
            print_error("%s", messages);
            free(messages);
            fail_msg("example %u is refused", (unsigned)count);
        }
        scenario_sweep_release(&s);
        at = end + 3;
        count++;
    }
    assert_true(count >= 7);
    free(text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(TheExampleOfTheReference),
        cmocka_unit_test(PointsAreWhatTheirCommandsAre),
        cmocka_unit_test(AxesOfEveryKind),
        cmocka_unit_test(NumbersOfEveryKind),
        cmocka_unit_test(LogValuesAreRound),
        cmocka_unit_test(SobolPointsAreGolden),
        cmocka_unit_test(SinglePoints),
        cmocka_unit_test(WithoutAxesThereIsOnePoint),
        cmocka_unit_test(InsertingAValueChangesNoOtherRun),
        cmocka_unit_test(WhatWillRunCanBePrinted),
        cmocka_unit_test(CommandsAreQuotedForAShell),
        cmocka_unit_test(FilesThatChangeAreNoticed),
        cmocka_unit_test(TheManualsExamplesLoad),
    };
    return check_main(argc, argv, "scenarios_sweep", tests);
}
