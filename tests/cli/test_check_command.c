// SPDX-License-Identifier: GPL-3.0-or-later
//
// recoup check, bless, diff, explain and lint, as a team and its CI use them: in a folder of
// scenarios beside other YAML.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "support_program.h"

#define RECOUP "'" RECOUP_BINARY_DIR "/recoup' "
#define REORDERING "'" RECOUP_BINARY_DIR "/tests/recoup_reordering' "
#define BEHAVIOUR "'" RECOUP_BINARY_DIR "/tests/recoup_behaviour' "
#define CRASHING "'" RECOUP_BINARY_DIR "/tests/recoup_crashing' "
#define FINDING "'" RECOUP_BINARY_DIR "/tests/recoup_finding' "
#define FOLDER RECOUP_BINARY_DIR "/tests/check-folder"
#define OTHER_YAML "apiVersion: v1\nkind: ConfigMap\n---\nkind: Second\n"

static void assert_says(const struct support_program *p, const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        print_error("'%s' is not in:\n--- out\n%s\n--- err\n%s\n", part, p->out, p->err);
        fail();
    }
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        print_error("'%s' is in:\n%s\n", part, text);
        fail();
    }
}

// Runs a command in the folder; its exit code must be this.
static void run(struct support_program *p, const char *command, int code)
{
    char line[2048];

    (void)snprintf(line, sizeof(line), "cd '%s' && unset GITHUB_ACTIONS && %s", FOLDER, command);
    support_shell(p, line);
    if (p->code != code) {
        print_error("%s\nexit code %d, expected %d\n--- out\n%s\n--- err\n%s\n", command, p->code,
                    code, p->out, p->err);
        fail();
    }
}

static void run_drop(const char *command, int code)
{
    struct support_program p;

    run(&p, command, code);
    support_program_release(&p);
}

static void write_file(const char *name, const char *text)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
    support_write(path, text);
}

static char *content(const char *name)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
    return support_content(path);
}

static const char crash[] =
    "version: 1\nname: crash\nabout: A crash in the second stage.\nbase: ../site.yaml\n"
    "tags: [nightly]\nfaults:\n  - {name: first, at: 40%, kill: master}\n";
static const char calm[] =
    "version: 1\nname: calm\nabout: No crash.\nbase: ../site.yaml\ntags: [fast, nightly]\n";
static const char site[] =
    "version: 1\nname: site\nprofile: flink-1.20\npreset: standalone-zookeeper\nstorage: hdfs\n"
    "config:\n  execution.batch.job-recovery.enabled: true\n"
    "  execution.batch.job-recovery.snapshot.min-pause: 1 s\n"
    "cluster: {workers: 5, slots: 4}\n"
    "job:\n  stages:\n"
    "    - name: scan\n      parallelism: 60\n      output: 1 mb\n"
    "      duration: {lognormal: {median: 4 s, sigma: 0.4}}\n"
    "      source: {splits: 600, split-state: 200 b, batch-snapshot: true}\n"
    "    - name: join\n      parallelism: 20\n      duration: 3 s\n"
    "      inputs: [{from: scan, exchange: all-to-all}]\n";

// A folder as a team has it: two scenarios, their site, a Flink configuration, a manifest.
static int prepare(void **state)
{
    struct support_program p;

    (void)state;
    support_shell(&p, "rm -rf '" FOLDER "' && mkdir -p '" FOLDER "/recoup/deep/.hidden' '" FOLDER
                      "/recoup/baselines' && touch '" FOLDER "/.git'");
    assert_i64(p.code, 0);
    support_program_release(&p);
    write_file("site.yaml", site);
    write_file("recoup/crash.yaml", crash);
    write_file("recoup/calm.yml", calm);
    write_file("recoup/deep/manifest.yaml", OTHER_YAML);
    write_file("recoup/deep/.hidden/broken.yaml", "version: 1\njob: nothing\n");
    return 0;
}

static int prepare_blessed(void **state)
{
    (void)prepare(state);
    run_drop(RECOUP "bless recoup --why 'The first ones.'", 0);
    return 0;
}

// --- check ---------------------------------------------------------------------------------------

static void scenarios_are_found_among_other_files(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, RECOUP "check .", 0);
    assert_text(p.out, "ok    ./recoup/calm.yml\nok    ./recoup/crash.yaml\n2 passed, 0 failed\n");
    assert_text(p.err, "recoup: 1 files only serve others, as a base or as the job of a sweep\n");
    support_program_release(&p);
    run(&p, RECOUP "check recoup -j 1 --strict", 1);
    assert_says(&p, p.out, "no baseline: recoup/baselines/crash.yaml is not there");
    assert_says(&p, p.out, "0 passed, 2 failed");
    support_program_release(&p);
    run(&p, RECOUP "check recoup/deep", 2);
    assert_says(&p, p.err, "no scenario is there");
    support_program_release(&p);
    run_drop(RECOUP "check", 2);
    run_drop(RECOUP "check nowhere", 2);
    run_drop(RECOUP "check recoup -j 0", 2);
    run_drop(RECOUP "check recoup --tap --format json", 2);
    run_drop(RECOUP "check recoup --baselines nowhere", 2);
}

static void a_selection_skips_the_rest(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, RECOUP "check recoup --name 'cr*'", 0);
    assert_text(p.out, "ok    recoup/crash.yaml\n1 passed, 0 failed, 1 skipped\n");
    support_program_release(&p);
    run(&p, RECOUP "check recoup --tag fast", 0);
    assert_text(p.out, "ok    recoup/calm.yml\n1 passed, 0 failed, 1 skipped\n");
    support_program_release(&p);
    run_drop(RECOUP "check recoup --tag nothing", 2);
    run(&p, RECOUP "check recoup --changed-since recoup/baselines", 0);
    assert_text(p.out, "0 passed, 0 failed, 2 skipped\n");
    support_program_release(&p);
    run_drop("sed -i 's/3 s/4 s/' site.yaml", 0);
    run(&p, RECOUP "check recoup --changed-since recoup/baselines --format json", 1);
    assert_says(&p, p.out, "\"skipped\":0");
    support_program_release(&p);
}

static void a_broken_file_fails_and_the_rest_runs(void **state)
{
    struct support_program p;

    (void)state;
    write_file("recoup/aaa.yaml", "version: 1\nname: aaa\njob:\n  stagess: []\n");
    write_file("recoup/zzz.yaml", "version: 1\nbase: [\n");
    run(&p, RECOUP "check recoup", 1);
    assert_says(&p, p.out, "recoup/aaa.yaml:4:3: unknown key 'stagess'; did you mean 'stages'?");
    assert_says(&p, p.out, "FAIL  recoup/zzz.yaml");
    assert_says(&p, p.out, "2 passed, 2 failed\n");
    support_program_release(&p);
}

static void two_of_one_name_are_refused(void **state)
{
    struct support_program p;

    (void)state;
    run_drop("cp recoup/crash.yaml recoup/other.yaml", 0);
    run(&p, RECOUP "check recoup", 2);
    assert_says(&p, p.err, "are both named crash, and would share a baseline");
    support_program_release(&p);
}

static json_t *json_of(struct support_program *p)
{
    json_error_t error;
    json_t *root = json_loads(p->out, 0, &error);

    if (root == NULL) {
        print_error("%s\n%s\n", error.text, p->out);
        fail();
    }
    return root;
}

static void every_format_says_the_same(void **state)
{
    struct support_program p;
    char *junit;
    json_t *root;

    (void)state;
    write_file("recoup/fails.yaml", "version: 1\nname: fails\nabout: '<&\"'\nbase: crash.yaml\n");
    run_drop("rm recoup/fails.yaml", 0);
    write_file("recoup/fails.yaml",
               "version: 1\nname: fails\nabout: Too much.\nbase: ../site.yaml\n"
               "expect:\n  makespan: {at-most: 1 s}\n");
    run(&p, RECOUP "check recoup --format json --junit out.xml", 1);
    root = json_of(&p);
    assert_i64(json_integer_value(json_object_get(root, "passed")), 2);
    assert_i64(json_integer_value(json_object_get(root, "failed")), 1);
    assert_i64((int64_t)json_array_size(json_object_get(root, "scenarios")), 3);
    json_decref(root);
    support_program_release(&p);
    junit = content("out.xml");
    assert_non_null(junit);
    assert_non_null(strstr(junit, "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\""));
    assert_non_null(strstr(junit, "<failure message=\"makespan is "));
    free(junit);
    run(&p, RECOUP "check recoup --tap", 1);
    assert_says(&p, p.out,
                "TAP version 13\n1..3\nok 1 - recoup/calm.yml\nok 2 - recoup/crash.yaml\n"
                "not ok 3 - recoup/fails.yaml\n# makespan is ");
    support_program_release(&p);
    run(&p, "GITHUB_ACTIONS=true " RECOUP "check recoup", 1);
    assert_says(&p, p.err,
                "::error file=recoup/fails.yaml,line=1,title=recoup check::makespan is ");
    support_program_release(&p);
    run_drop(RECOUP "check recoup/calm.yml --junit nowhere/out.xml", 7);
}

// --- bless ---------------------------------------------------------------------------------------

static void a_baseline_needs_a_reason(void **state)
{
    struct support_program p;
    char *text;

    (void)state;
    run(&p, RECOUP "bless recoup", 2);
    assert_says(&p, p.err, "no reason given");
    support_program_release(&p);
    run_drop(RECOUP "bless recoup --why ' '", 2);
    run_drop(RECOUP "bless recoup --why \"$(printf 'a\\nb')\"", 2);
    run(&p, RECOUP "bless recoup --dry-run", 0);
    assert_says(&p, p.out, "2 would be accepted, 0 unchanged, 0 refused");
    support_program_release(&p);
    assert_null(content("recoup/baselines/crash.yaml"));
    run(&p, RECOUP "bless recoup --why \"It's the first: yes\"", 0);
    assert_says(&p, p.out, "2 accepted, 0 unchanged, 0 refused");
    support_program_release(&p);
    text = content("recoup/baselines/crash.yaml");
    assert_non_null(text);
    assert_non_null(strstr(text, "why: 'It''s the first: yes'}"));
    free(text);
    run(&p, RECOUP "bless recoup --why again", 0);
    assert_says(&p, p.out, "0 accepted, 2 unchanged, 0 refused");
    support_program_release(&p);
    run_drop(RECOUP "check recoup --strict", 0);
}

static void only_what_is_named_is_touched(void **state)
{
    struct support_program p;
    char *before = content("recoup/baselines/calm.yaml");
    char *after;

    (void)state;
    // Somebody's own policy and a comment at the front.
    run_drop(
        "sed -i -e 's/^  makespan: .*/  makespan: {values: [1], tolerance: 2.5%, gate: false}/'"
        " -e '1i # Ours.' recoup/baselines/crash.yaml",
        0);
    run(&p, RECOUP "check recoup", 1);
    assert_says(&p, p.out, "the values in the baseline contradict its own fingerprint");
    support_program_release(&p);
    run_drop("sed -i 's/3 s/4 s/' site.yaml", 0);
    run_drop(RECOUP "bless recoup/crash.yaml --why 'Joins take longer.'", 0);
    after = content("recoup/baselines/calm.yaml");
    assert_text(after, before);
    free(after);
    after = content("recoup/baselines/crash.yaml");
    assert_non_null(strstr(after, "# Ours.\nversion: 1\n"));
    assert_non_null(strstr(after, "better: lower, tolerance: 2.5%, gate: false}"));
    assert_non_null(strstr(after, "The first ones.'}\n"));
    assert_non_null(strstr(after, "Joins take longer.'}\n"));
    free(after);
    free(before);
    run(&p, RECOUP "check recoup --strict", 1);
    assert_says(&p, p.out, "FAIL  recoup/calm.yml\n");
    assert_says(&p, p.out, "1 passed, 1 failed\n");
    support_program_release(&p);
}

static void what_fails_is_not_accepted(void **state)
{
    struct support_program p;

    (void)state;
    run_drop("printf 'expect:\\n  makespan: {at-most: 1 s}\\n' >> recoup/crash.yaml", 0);
    run(&p, RECOUP "bless recoup --why x", 1);
    assert_says(&p, p.out, "REFUSED    recoup/crash.yaml");
    assert_says(&p, p.out, "only what meets its expectations can be accepted");
    support_program_release(&p);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    struct support_program p;
    char *before = content("recoup/baselines/crash.yaml");
    char *after;

    (void)state;
    run_drop("sed -i 's/3 s/4 s/' site.yaml", 0);
    run(&p, "(ulimit -f 1; " RECOUP "bless recoup/crash.yaml --why x; echo code $?) | cat", 0);
    assert_says(&p, p.out, "the baseline could not be written");
    assert_says(&p, p.out, "code 7\n");
    support_program_release(&p);
    after = content("recoup/baselines/crash.yaml");
    assert_text(after, before);
    free(after);
    free(before);
    run(&p, "ls recoup/baselines", 0);
    assert_text(p.out, "calm.yaml\ncrash.yaml\n");
    support_program_release(&p);
}

static void a_broken_baseline_is_an_error_with_a_place(void **state)
{
    struct support_program p;

    (void)state;
    run_drop("sed -i 's/^runs:/rnus:/' recoup/baselines/crash.yaml", 0);
    run(&p, RECOUP "check recoup", 1);
    assert_says(&p, p.out, "recoup/baselines/crash.yaml:");
    assert_says(&p, p.out, "unknown key 'rnus'; did you mean 'runs'?");
    support_program_release(&p);
    run(&p, RECOUP "bless recoup --why x", 1);
    assert_says(&p, p.out, "mend or remove it");
    support_program_release(&p);
}

static void more_seeds_are_covered(void **state)
{
    struct support_program p;

    (void)state;
    run_drop(RECOUP "bless recoup/crash.yaml --seed 1 --seed 2 --seed 3 --why 'Three seeds.'", 0);
    run(&p, RECOUP "check recoup/crash.yaml --strict --format json", 0);
    assert_says(&p, p.out, "\"seed\":3");
    support_program_release(&p);
    run_drop(RECOUP "bless recoup/crash.yaml --seed 1 --seed 1 --why x", 2);
    run_drop(RECOUP "bless recoup/crash.yaml --seed -1 --why x", 2);
    run_drop("sed -i 's/^name: crash/&\\nseed: 9/' recoup/crash.yaml", 0);
    run(&p, RECOUP "check recoup/crash.yaml --strict", 1);
    assert_says(&p, p.out, "the baseline has no run with seed 9");
    support_program_release(&p);
}

// --- what changed --------------------------------------------------------------------------------

static void a_costlier_crash_fails_a_cheaper_one_passes(void **state)
{
    struct support_program p;

    (void)state;
    // The team's own change: snapshots are taken less often.
    run_drop("sed -i 's/min-pause: 1 s/min-pause: 20 s/' site.yaml", 0);
    run(&p, RECOUP "check recoup", 1);
    assert_says(&p, p.out, "FAIL  recoup/crash.yaml\n      the behaviour changed (F");
    assert_says(&p, p.out, "the scenario itself changed since its baseline was accepted");
    assert_says(&p, p.out, "      lost-work: ");
    assert_says(&p, p.out, ", worse\n");
    assert_says(&p, p.out, "repeat: ");
    support_program_release(&p);
    run_drop(RECOUP "bless recoup --why 'To see the way back.'", 0);
    run_drop("sed -i 's/min-pause: 20 s/min-pause: 1 s/' site.yaml", 0);
    run(&p, RECOUP "check recoup/crash.yaml --strict", 1);
    assert_says(&p, p.out, ", better\n");
    support_program_release(&p);
}

static void a_planted_change_of_behaviour_is_readable(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, BEHAVIOUR "check recoup", 1);
    assert_says(&p, p.out, "FAIL  recoup/crash.yaml\n      the behaviour changed (F1 schedule");
    assert_says(&p, p.out, "F3 I/O");
    assert_says(&p, p.out, ", first between event ");
    assert_says(&p, p.out, "      lost-work: ");
    assert_has_not(p.out, "the scenario itself changed");
    support_program_release(&p);
    run(&p, RECOUP "diff --with " BEHAVIOUR "recoup/crash.yaml", 5);
    assert_says(&p, p.out, "first differing event: ");
    assert_says(&p, p.out, "<- the set-up at time 0");
    assert_says(&p, p.out, "last draws of each stream");
    support_program_release(&p);
    run(&p, BEHAVIOUR "bless recoup --order-only --why x", 1);
    assert_says(&p, p.out, "--order-only accepts no more");
    support_program_release(&p);
}

static void a_planted_reordering_is_shown_as_only_that(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, REORDERING "check recoup", 1);
    assert_says(&p, p.out,
                "FAIL  recoup/crash.yaml\n      only the order of events changed (F1 "
                "schedule), first between event ");
    assert_has_not(p.out, "behaviour");
    assert_has_not(p.out, "->");
    support_program_release(&p);
    run(&p, RECOUP "diff --with " REORDERING "recoup/crash.yaml", 5);
    assert_says(&p, p.out, "only the order of events changed (F1 schedule)\n");
    assert_says(&p, p.out, "F3 I/O       equal");
    assert_says(&p, p.out, "metrics: all equal");
    support_program_release(&p);
    run(&p, REORDERING "bless recoup --order-only --why 'Ties fall otherwise.'", 0);
    assert_says(&p, p.out, "2 accepted");
    support_program_release(&p);
}

// --- diff and explain ----------------------------------------------------------------------------

static void trails_of_two_machines_are_compared(void **state)
{
    struct support_program p;

    (void)state;
    run_drop(RECOUP "run recoup/crash.yaml --trail a.trail > a.txt", 0);
    run_drop(BEHAVIOUR "run recoup/crash.yaml --trail b.trail > b.txt", 0);
    run(&p, RECOUP "diff a.trail a.trail", 0);
    assert_says(&p, p.out, "equal: ");
    support_program_release(&p);
    run(&p, RECOUP "diff a.trail b.trail", 5);
    assert_says(&p, p.out, "first differing event: ");
    support_program_release(&p);
    run(&p, RECOUP "diff a.trail recoup/crash.yaml --seed 2", 1);
    assert_says(&p, p.out, "the seeds differ: 1 and 2");
    support_program_release(&p);
    // Windows that end before the difference name the commands that record others.
    run_drop(RECOUP "run recoup/crash.yaml --trail a.trail --trail-at 200 > a.txt", 0);
    run(&p, RECOUP "diff a.trail b.trail", 5);
    assert_says(&p, p.out, "--trail FILE --trail-at ");
    support_program_release(&p);
    run_drop("cp recoup/crash.yaml \"$(printf 'recoup/odd\\nname.yaml')\"", 0);
    run_drop(RECOUP "run recoup/odd*name.yaml --trail odd.trail > odd.txt", 0);
    run_drop(RECOUP "diff odd.trail odd.trail", 0);
    run_drop("head -c 1000 a.trail > cut.trail", 0);
    run(&p, RECOUP "diff cut.trail a.trail", 2);
    assert_says(&p, p.err, "this is no whole trail of a run: line ");
    support_program_release(&p);
    run_drop(RECOUP "diff a.trail", 2);
    run_drop(RECOUP "diff a.trail nowhere", 2);
    run_drop(RECOUP "diff --with /bin/false recoup/crash.yaml", 7);
    run_drop(RECOUP "diff --with ./nowhere recoup/crash.yaml", 7);
    run_drop(RECOUP "run recoup/crash.yaml --trail-at 3", 2);
    run_drop(RECOUP "run recoup/crash.yaml --trail a --trail-at 0", 2);
}

static void lost_work_is_explained(void **state)
{
    struct support_program p;
    char *trace;
    json_t *root;

    (void)state;
    run(&p, RECOUP "explain recoup/crash.yaml", 0);
    assert_says(&p, p.out, "attempts lost; explain one with --lost 'STAGE[SUBTASK]':");
    support_program_release(&p);
    run(&p, RECOUP "explain recoup/crash.yaml --lost scan --trace why.json", 0);
    assert_says(&p, p.out, "slot-seconds lost at ");
    assert_says(&p, p.out, "here the fault 'first' (kill master) strikes");
    assert_says(&p, p.out, "<- the set-up at time 0");
    assert_says(&p, p.out, "what happened to this subtask until then:");
    support_program_release(&p);
    trace = content("why.json");
    root = json_loads(trace, 0, NULL);
    assert_non_null(root);
    assert_true(json_array_size(json_object_get(root, "traceEvents")) > 5);
    json_decref(root);
    free(trace);
    run(&p, RECOUP "explain recoup/crash.yaml --lost scna", 2);
    assert_says(&p, p.err, "did you mean 'scan'?");
    support_program_release(&p);
    run_drop(RECOUP "explain recoup/crash.yaml --lost 'scan[60]'", 2);
    run_drop(RECOUP "explain recoup/crash.yaml --lost 'scan[1'", 2);
    run_drop(RECOUP "explain recoup/crash.yaml --finding 1", 1);
    run_drop(RECOUP "explain recoup/crash.yaml --event 99999999", 1);
    run_drop(RECOUP "explain recoup/crash.yaml --event 0", 2);
    run_drop(RECOUP "explain recoup/crash.yaml --event 1 --finding 1", 2);
    run_drop(RECOUP "explain recoup/crash.yaml --trace why.json", 2);
    run_drop(RECOUP "explain recoup/calm.yml --lost scan", 1);
}

// --- lint ----------------------------------------------------------------------------------------

static void a_hook_lints_any_list_of_files(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, RECOUP "lint --quiet site.yaml recoup/crash.yaml recoup/deep/manifest.yaml", 0);
    assert_text(p.out, "");
    assert_says(&p, p.err,
                "left out, since they are no scenarios: 1; since they have no 'about' and "
                "only serve as a base: 1");
    support_program_release(&p);
    run(&p, RECOUP "lint recoup/crash.yaml recoup/calm.yml", 0);
    assert_text(p.out, "");
    support_program_release(&p);
    write_file("recoup/crash.yaml",
               "version: 1\nname: crash\nabout: x\nbase: ../site.yaml\nfauls: []\n");
    run(&p, RECOUP "lint --quiet .", 2);
    assert_says(&p, p.err, "unknown key 'fauls'; did you mean 'faults'?");
    support_program_release(&p);
    run_drop(RECOUP "lint --quiet --format json recoup", 2);
}

// --- interrupts and the wrapper ------------------------------------------------------------------

static void a_signal_ends_a_check_in_order(void **state)
{
    struct support_call call = {.arguments = {"check", SUPPORT_SCENARIOS "tiny.yaml"},
                                .signal_pending = SIGINT};
    struct support_program p;

    (void)state;
    support_program_call(&p, &call);
    assert_i64(p.code, 4);
    assert_text(p.out, "0 passed, 0 failed, 1 not run\n");
    assert_says(&p, p.err, "interrupted: what runs is waited for");
    support_program_release(&p);
    call.signal_pending = SIGTERM;
    support_program_call(&p, &call);
    assert_i64(p.code, 143);
    support_program_release(&p);
}

static void a_worker_that_dies_fails_one_scenario(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, CRASHING "check recoup -j 1 --junit j.xml", 7);
    assert_says(&p, p.out,
                "ok    recoup/calm.yml\nFAIL  recoup/crash.yaml\n      the worker process "
                "died of signal 6\n");
    assert_says(&p, p.out, "1 passed, 1 failed\n");
    support_program_release(&p);
}

static void a_bug_has_an_exit_code_of_its_own(void **state)
{
    struct support_program p;

    (void)state;
    run(&p, FINDING "check recoup", 3);
    assert_says(&p, p.out, "FAIL  recoup/crash.yaml\n");
    assert_says(&p, p.out, "T8 is broken at event ");
    assert_says(&p, p.out, ", a bug: a planted gap of 7 ns in the ledger, 0 attempts");
    assert_says(&p, p.out, "1 passed, 1 failed\n");
    support_program_release(&p);
    run(&p, FINDING "explain recoup/crash.yaml --finding 1", 0);
    assert_says(&p, p.out, "T8 (explained by no active policy) at ");
    assert_says(&p, p.out, "<- the set-up at time 0");
    support_program_release(&p);
    run(&p, FINDING "bless recoup --why x", 1);
    assert_says(&p, p.out, "REFUSED    recoup/crash.yaml");
    support_program_release(&p);
}

// What is wrong without faults, too, is not lost for being found in the run beside.
static void a_bug_without_faults_is_reported(void **state)
{
    struct support_program p;

    (void)state;
    run_drop("mkdir twin && "
             "sed 's/^name: crash/name: twin/' recoup/crash.yaml > twin/twin.yaml", 0);
    run(&p, FINDING "check twin", 3);
    assert_says(&p, p.out, ", a bug: in the run without faults: a planted gap of 7 ns");
    support_program_release(&p);
    run(&p, FINDING "run twin/twin.yaml", 3);
    assert_says(&p, p.out, "(A BUG, no active policy explains it): in the run");
    assert_says(&p, p.out, "without faults: a planted gap of 7 ns in the ledger");
    support_program_release(&p);
    run(&p, FINDING "run twin/twin.yaml --invariants off", 0);
    assert_null(strstr(p.out, "planted"));
    support_program_release(&p);
    run(&p, FINDING "explain twin/twin.yaml --finding 1", 0);
    assert_says(&p, p.out, "T8 (explained by no active policy) at ");
    assert_says(&p, p.out, "in the run without faults: a planted gap");
    assert_says(&p, p.out, "<- the set-up at time 0\nno fault had struck before\n");
    support_program_release(&p);
}

// Of a sweep's points that differ in their faults alone, a worker makes the run without faults
// once. What was found in it belongs to the runs of each of them, in whatever order they are made.
static void a_sweep_tells_it_of_each_run(void **state)
{
    static const char two_points[] =
        "version: 1\nname: two\nscenario: recoup/twin.yaml\nreplications: 3\n"
        "axes:\n  - {path: faults.first.at, values: [30%, 40%]}\n";
    static const char count[] =
        "python3 -c \"import sqlite3; print(*sqlite3.connect('t.db').execute('SELECT count(*), "
        "count(DISTINCT run_id), min(message) FROM finding').fetchone())\"";
    struct support_program p;

    (void)state;
    run_drop("sed 's/^name: crash/name: twin/' recoup/crash.yaml >recoup/twin.yaml", 0);
    write_file("two.yaml", two_points);
    for (int workers = 1; workers <= 2; workers++) {
        char command[1024];

        (void)snprintf(command, sizeof(command),
                       "rm -f t.db; %ssweep two.yaml --db t.db -j %d; code=$?; %s; exit $code",
                       FINDING, workers, count);
        run(&p, command, 3);
        assert_says(&p, p.out, "6 6 in the run without faults: a planted gap of 7 ns in");
        support_program_release(&p);
    }
    run_drop("rm recoup/twin.yaml two.yaml t.db", 0);
}

static void the_wrapper_passes_everything_on(void **state)
{
    static const char wrapper[] = "'" RECOUP_SOURCE_DIR "/scripts/ci-check' ";
    struct support_program p;
    char command[1024];
    char *summary;

    (void)state;
    run_drop("sed -i 's/min-pause: 1 s/min-pause: 20 s/' site.yaml && touch summary", 0);
    (void)snprintf(command, sizeof(command),
                   "GITHUB_STEP_SUMMARY=summary %s --recoup %s --junit j.xml --strict recoup",
                   wrapper, RECOUP);
    run(&p, command, 1);
    assert_says(&p, p.out, "recoup 0.");
    assert_says(&p, p.out, "0 passed, 2 failed");
    support_program_release(&p);
    summary = content("summary");
    assert_non_null(strstr(summary, "### recoup check\n```\nFAIL  recoup/calm.yml\n"));
    free(summary);
    summary = content("j.xml");
    assert_non_null(strstr(summary, "failures=\"2\""));
    free(summary);
    (void)snprintf(command, sizeof(command), "%s", wrapper);
    run_drop(command, 2);
}

#define BARE(test) cmocka_unit_test_setup(test, prepare)
#define BLESSED(test) cmocka_unit_test_setup(test, prepare_blessed)

static const struct CMUnitTest tests[] = {
    BARE(scenarios_are_found_among_other_files),
    BLESSED(a_selection_skips_the_rest),
    BLESSED(a_broken_file_fails_and_the_rest_runs),
    BARE(two_of_one_name_are_refused),
    BARE(every_format_says_the_same),
    BARE(a_baseline_needs_a_reason),
    BLESSED(only_what_is_named_is_touched),
    BLESSED(what_fails_is_not_accepted),
    BLESSED(a_failed_write_leaves_the_old_file),
    BLESSED(a_broken_baseline_is_an_error_with_a_place),
    BLESSED(more_seeds_are_covered),
    BLESSED(a_costlier_crash_fails_a_cheaper_one_passes),
    BLESSED(a_planted_change_of_behaviour_is_readable),
    BLESSED(a_planted_reordering_is_shown_as_only_that),
    BARE(trails_of_two_machines_are_compared),
    BARE(lost_work_is_explained),
    BARE(a_hook_lints_any_list_of_files),
    BARE(a_signal_ends_a_check_in_order),
    BLESSED(a_bug_has_an_exit_code_of_its_own),
    BARE(a_bug_without_faults_is_reported),
    BARE(a_sweep_tells_it_of_each_run),
    BARE(a_worker_that_dies_fails_one_scenario),
    BLESSED(the_wrapper_passes_everything_on),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "check command", tests);
}
