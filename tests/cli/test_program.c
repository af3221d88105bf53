// SPDX-License-Identifier: GPL-3.0-or-later
//
// The built program, as a user and a script meet it: arguments, exit codes, streams, signals.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "support_program.h"

#define TINY SUPPORT_SCENARIOS "tiny.yaml"
#define LONG SUPPORT_SCENARIOS "long.yaml"

// Exit code 2, nothing on standard output, and this on standard error.
#define CALL(...) (&(const struct support_call){.arguments = {__VA_ARGS__}})

static void wrong_usage_is_exit_code_2(void **state)
{
    (void)state;
    assert_usage(CALL(NULL), "no command given");
    assert_usage(CALL("rnu"), "unknown command 'rnu'; did you mean 'run'?");
    assert_usage(CALL("swim"), "unknown command 'swim'");
    assert_usage(CALL("--verison"), "did you mean '--version'?");
    assert_usage(CALL("run"), "no scenario given");
    assert_usage(CALL("run", TINY, TINY), "unexpected argument");
    assert_usage(CALL("run", TINY, "--sed", "1"), "unknown option '--sed'; did you mean '--se");
    assert_usage(CALL("run", TINY, "--form", "json"), "did you mean '--format'?");
    assert_usage(CALL("run", TINY, "--form=json"), "did you mean '--format'?");
    assert_usage(CALL("run", TINY, "-x"), "unknown option '-x'");
    assert_usage(CALL("run", TINY, "--format", "xml"), "expected text or json, found 'xml'");
    assert_usage(CALL("run", TINY, "--format="), "expected text or json, found ''");
    assert_usage(CALL("run", TINY, "--format"), "needs a value: --format text|json");
    assert_usage(CALL("run", TINY, "--trace", "--db"), "needs a value: --trace FILE");
    assert_usage(CALL("run", TINY, "--format", "json", "--format", "text"), "given twice");
    assert_usage(CALL("run", TINY, "--invariants", "maybe"), "expected on or off");
    assert_usage(CALL("help", "rnu"), "did you mean 'run'?");
    assert_usage(CALL("list"), "nothing to list");
    assert_usage(CALL("list", "metric"), "did you mean 'metrics'?");
    assert_usage(CALL("list", "faults", "--format", "schema"), "has no format 'schema'");
}

static void seeds_and_overrides_are_strict(void **state)
{
    static const char *const seeds[] = {
        "-3", "", "0x", "1.5", "1e3", "9223372036854775808", "0x8000000000000000", " 1", "12a"};

    (void)state;
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        assert_usage(CALL("run", TINY, "--seed", seeds[i]), "--seed: expected a number from 0");
    }
    assert_usage(CALL("run", TINY, "--set", "cluster.workers"), "expected PATH=VALUE");
    assert_usage(CALL("run", TINY, "--set", "=5"), "expected PATH=VALUE");
    assert_usage(CALL("run", TINY, "--set", "cluster.wrokers=5"), "did you mean");
    assert_usage(CALL("run", TINY, "--fault", "{at: 95 s, kil: master}"), "kil");
}

static void all_mistakes_are_named_at_once(void **state)
{
    (void)state;
    assert_usage(CALL("run", "--colour", "--formt=json"), "--colour");
    assert_usage(CALL("run", "--colour", "--formt=json"), "--formt");
    assert_usage(CALL("run", "--colour", "--formt=json"), "no scenario given");
}

static void a_missing_or_broken_scenario_is_exit_code_2(void **state)
{
    (void)state;
    assert_usage(CALL("run", "no-such.yaml"), "no-such.yaml");
    assert_usage(CALL("run", RECOUP_SOURCE_DIR), RECOUP_SOURCE_DIR);
    assert_usage(CALL("run", SUPPORT_SCENARIOS "broken.yaml"),
                 "broken.yaml:6:20: unknown key 'paralelism'; did you mean 'parallelism'?");
    assert_usage(CALL("lint", SUPPORT_SCENARIOS "broken.yaml"), "broken.yaml:6:20: unknown key");
}

static void a_run_beyond_all_sums_is_exit_code_2(void **state)
{
    (void)state;
    assert_usage(CALL("run", SUPPORT_SCENARIOS "tiny.yaml", "--set",
                      "job.stages.0.duration=20000 d", "--set", "stop-at=26000 d", "--set",
                      "cluster.workers=8"),
                 "more than 2^63 ns (292 years) of slot time");
}

static void a_secret_is_not_repeated(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", SUPPORT_SCENARIOS "tiny.yaml", "--set",
                                  "config.s3.secret-key=hunter2", "--set",
                                  "config.high-availability.storageDir=hdfs://me:hunter2@nn/ha",
                                  "--fault", "{name: token, at: 2500 ms, kill: master}"));
    assert_code(&p, 0);
    assert_has(p.out, "--set 'config.s3.secret-key=***' --set "
                      "'config.high-availability.storageDir=hdfs://**********@nn/ha' --fault "
                      "'{name: token, at: 2500 ms, ");
    assert_null(strstr(p.out, "hunter2"));
    assert_null(strstr(p.err, "hunter2"));
    support_program_release(&p);
}

// A slip of the hand must not cost the scenario, or look as if something had been kept.
static void outputs_have_names_of_their_own(void **state)
{
    const char *scenario = SUPPORT_SCENARIOS "tiny.yaml";
    char path[512];

    (void)state;
    support_file(path, "both.out");
    assert_usage(CALL("run", scenario, "--trace", ""), "--trace: the name of the file is empty");
    assert_usage(CALL("run", scenario, "--db", ""), "--db: the name of the file is empty");
    assert_usage(CALL("run", scenario, "--trace", scenario), "is the scenario, which would be");
    assert_usage(CALL("run", scenario, "--db", scenario), "is the scenario, which would be lost");
    assert_usage(CALL("run", scenario, "--db", path, "--trace", path), "name the same file");
}

static void help_is_there_for_every_command(void **state)
{
    static const char *const commands[] = {"run", "lint", "list", "help"};
    struct support_program p;
    struct support_program q;

    (void)state;
    support_program_call(&p, CALL("--help"));
    assert_code(&p, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_has(p.out, commands[i]);
    }
    support_program_release(&p);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        support_program_call(&p, CALL(commands[i], "--help"));
        support_program_call(&q, CALL("help", commands[i]));
        assert_code(&p, 0);
        assert_text(p.err, "");
        assert_text(q.out, p.out);
        assert_has(p.out, "Usage: recoup ");
        assert_has(p.out, "--help");
        support_program_release(&p);
        support_program_release(&q);
    }
    support_program_call(&p, CALL("run", "-h"));
    assert_has(p.out, "--seed N");
    support_program_release(&p);
    support_program_call(&p, CALL("--version"));
    assert_code(&p, 0);
    assert_i64(strncmp(p.out, "recoup ", 7), 0);
    support_program_release(&p);
}

static void sweep_keys_print(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("list", "sweep"));
    assert_code(&p, 0);
    assert_non_null(strstr(p.out, "replications: integer from 1 to 1000000, or map\n"));
    support_program_release(&p);
    support_program_call(&p, CALL("list", "sweep", "--format", "schema"));
    assert_code(&p, 0);
    support_program_release(&p);
    assert_usage(CALL("list", "sweep", "--format", "json"),
                 "the list of sweep has no format 'json'");
}

static void every_list_prints(void **state)
{
    static const char *const kinds[] = {"options", "faults",     "invariants", "metrics",
                                        "storage", "connectors", "presets"};
    struct support_program p;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        json_t *json;

        support_program_call(&p, CALL("list", kinds[i]));
        assert_code(&p, 0);
        assert_true(strlen(p.out) > 40);
        support_program_release(&p);
        support_program_call(&p, CALL("list", kinds[i], "--format", "json"));
        assert_code(&p, 0);
        json = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        json_decref(json);
        support_program_release(&p);
    }
}

static void docs_metrics_is_what_the_program_prints(void **state)
{
    struct support_program p;
    char *committed = support_content(RECOUP_SOURCE_DIR "/docs/metrics.md");

    (void)state;
    support_program_call(&p, CALL("list", "metrics", "--format", "markdown"));
    assert_code(&p, 0);
    assert_text(committed, p.out);
    support_program_release(&p);
    free(committed);
}

static void expectations_decide_between_0_and_1(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", TINY));
    assert_code(&p, 0);
    assert_text(p.err, "");
    assert_has(p.out, "Profile");
    support_program_release(&p);
    support_program_call(&p, CALL("run", SUPPORT_SCENARIOS "misses.yaml"));
    assert_code(&p, 1);
    assert_has(p.out, "NOT MET: lost-work");
    support_program_release(&p);
    support_program_call(&p, CALL("run", SUPPORT_SCENARIOS "fails.yaml", "--format", "json"));
    assert_code(&p, 1);
    assert_has(p.out, "\"state\":\"FAILED\"");
    support_program_release(&p);
}

static void two_runs_print_the_same_bytes(void **state)
{
    static const char *const formats[] = {"text", "json"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct support_program p;
        struct support_program q;

        support_program_call(&p, CALL("run", TINY, "--format", formats[i], "--seed", "0x10"));
        support_program_call(&q, CALL("run", TINY, "--format", formats[i], "--seed", "0x10"));
        assert_code(&p, 0);
        assert_true(strlen(p.out) > 500);
        assert_text(q.out, p.out);
        support_program_release(&p);
        support_program_release(&q);
    }
}

static void arguments_may_stand_anywhere(void **state)
{
    struct support_program p;
    struct support_program q;

    (void)state;
    support_program_call(&p, CALL("run", "--seed=16", "--format=json", "--", TINY));
    support_program_call(&q, CALL("run", TINY, "--format", "json", "--seed", "0x10"));
    assert_code(&p, 0);
    assert_text(p.out, q.out);
    support_program_release(&p);
    support_program_release(&q);
}

// The last line repeats the run when it is pasted into a shell, blanks and quotes included.
static void the_printed_command_repeats_the_run(void **state)
{
    struct support_program p;
    struct support_program q;
    char command[4096];
    char *line;

    (void)state;
    support_program_call(&p, CALL("run", TINY, "--fault",
                                  "{name: second, at: 3 s, kill: worker, "
                                  "target: 0}",
                                  "--set", "cluster.restart=2 s", "--seed", "5"));
    assert_true(p.code == 0 || p.code == 1);
    line = strstr(p.out, "\nRepeat      recoup ");
    assert_non_null(line);
    line += strlen("\nRepeat      recoup ");
    (void)snprintf(command, sizeof(command), "env -i '%s/recoup' %s", RECOUP_BINARY_DIR, line);
    command[strcspn(command, "\n")] = '\0';
    support_shell(&q, command);
    assert_i64(q.code, p.code);
    *strstr(p.out, "\nRepeat ") = '\0';
    *strstr(q.out, "\nRepeat ") = '\0';
    assert_text(q.out, p.out);
    support_program_release(&p);
    support_program_release(&q);
}

static void output_that_cannot_be_written_is_exit_code_7(void **state)
{
    static const char *const calls[][4] = {
        {"run", TINY},          {"run", TINY, "--format", "json"},
        {"lint", TINY},         {"list", "options"},
        {"list", "invariants"}, {"--version"},
        {"run", "--help"},      {"check", TINY}};

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (int how = 0; how < 3; how++) {
            struct support_call call = {
                .arguments = {calls[i][0], calls[i][1], calls[i][2], calls[i][3]}};
            struct support_program p;
            const char *complaint;

            call.stdout_path = how == 0 ? "/dev/full" : NULL;
            call.stdout_closed = how == 1;
            call.stdout_broken = how == 2;
            if (how == 0 && access("/dev/full", W_OK) != 0) {
                continue;
            }
            support_program_call(&p, &call);
            assert_code(&p, 7);
            complaint = strstr(p.err, "cannot write to standard output");
            assert_non_null(complaint);
            assert_null(strstr(complaint + 1, "cannot write to standard output"));
            support_program_release(&p);
        }
    }
}

// With standard output closed, no file that is opened takes its place.
static void a_closed_output_does_not_end_in_the_trace(void **state)
{
    struct support_program p;
    char path[512];
    char *trace;
    json_t *json;

    (void)state;
    support_file(path, "closed.json");
    support_program_call(&p,
                         &(const struct support_call){.arguments = {"run", TINY, "--trace", path},
                                                      .stdout_closed = true});
    assert_code(&p, 7);
    trace = support_content(path);
    json = json_loads(trace, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    json_decref(json);
    free(trace);
    support_program_release(&p);
}

static void traces_that_cannot_be_written(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", TINY, "--trace", "no-such-folder/trace.json"));
    assert_code(&p, 7);
    assert_text(p.out, "");
    assert_has(p.err, "no-such-folder/trace.json: the trace cannot be written: No such file");
    support_program_release(&p);
    if (access("/dev/full", W_OK) == 0) {
        support_program_call(&p, CALL("run", TINY, "--trace", "/dev/full"));
        assert_code(&p, 7);
        assert_has(p.out, "Profile");
        assert_has(p.err, "No space left");
        support_program_release(&p);
    }
}

static void databases(void **state)
{
    struct support_program p;
    struct support_program q;
    char path[512];

    (void)state;
    support_file(path, "runs.db");
    support_program_call(&p, CALL("run", TINY, "--db", path));
    assert_code(&p, 0);
    assert_has(p.err, "was added");
    support_program_call(&q, CALL("run", TINY, "--db", path));
    assert_code(&q, 0);
    assert_has(q.err, "nothing was changed");
    assert_text(q.out, p.out);
    support_program_release(&p);
    support_program_release(&q);
    support_write(path, "this is a text and no database, and it is long enough to be looked at; "
                        "SQLite reads a hundred bytes before it says so\n");
    support_program_call(&p, CALL("run", TINY, "--db", path));
    assert_code(&p, 7);
    assert_text(p.out, "");
    assert_has(p.err, "no SQLite database");
    support_program_release(&p);
}

// The disk is full: the result is printed all the same, and the error is reported.
static void a_full_disk_under_the_database(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    support_file(path, "small.db");
    support_program_call(&p, CALL("run", TINY, "--db", path));
    assert_code(&p, 0);
    support_program_release(&p);
    support_program_call(
        &p, &(const struct support_call){.arguments = {"run", TINY, "--db", path, "--seed", "99"},
                                         .file_size_max = 4096});
    assert_code(&p, 7);
    assert_has(p.err, path);
    support_program_release(&p);
    support_program_call(&p, CALL("run", TINY, "--db", path));
    assert_code(&p, 0);
    assert_has(p.err, "nothing was changed");
    support_program_release(&p);
}

static void colours_and_characters(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", TINY));
    assert_null(strchr(p.out, '\033'));
    assert_null(strchr(p.out, '\xe2'));
    assert_has(p.out, "####");
    support_program_release(&p);
    support_program_call(&p, &(const struct support_call){.arguments = {"run", TINY},
                                                          .environment = {"LANG=C.UTF-8"}});
    assert_has(p.out, "\xe2\x96\x88");
    support_program_release(&p);
    support_program_call(&p,
                         &(const struct support_call){.arguments = {"run", TINY},
                                                      .environment = {"LANG=C.UTF-8", "LC_ALL=C"}});
    assert_null(strchr(p.out, '\xe2'));
    support_program_release(&p);
    support_program_call(
        &p, &(const struct support_call){.arguments = {"run", TINY, "--color", "always"},
                                         .environment = {"NO_COLOR=1"}});
    assert_has(p.out, "\033[");
    support_program_release(&p);
    support_program_call(&p, CALL("run", TINY, "--color", "never"));
    assert_null(strchr(p.out, '\033'));
    support_program_release(&p);
}

// On a terminal `auto` colours, unless NO_COLOR says otherwise.
static void colours_on_a_terminal(void **state)
{
    static const char *const environments[] = {"TERM=xterm", "NO_COLOR=1", "TERM=dumb"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        struct support_program p;
        char page[16384];
        size_t size = 0;
        ssize_t n;
        int process;
        struct support_call call = {.arguments = {"run", TINY}, .environment = {environments[i]}};

        if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
            skip();
        }
        call.stdout_path = ptsname(master);
        process = support_program_start(&call);
        // Reading ends with an error once the program has closed its side.
        while (size < sizeof(page) - 1 &&
               (n = read(master, page + size, sizeof(page) - 1 - size)) > 0) {
            size += (size_t)n;
        }
        page[size] = '\0';
        support_program_wait(&p, process);
        assert_code(&p, 0);
        assert_has(page, "Profile");
        assert_true((i == 0) == (strchr(page, '\033') != NULL));
        (void)close(master);
        support_program_release(&p);
    }
}

static void signals_before_the_run(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct support_program p;
    char path[512];
    char temporary[600];

    (void)state;
    support_write(support_file(path, "kept.json"), "old");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int number = numbers[i];
        int process = support_program_start(&(const struct support_call){
            .arguments = {"run", TINY, "--trace", path}, .signal_pending = number});
        char *content;

        support_program_wait(&p, process);
        assert_code(&p, number == SIGINT ? 130 : 143);
        assert_text(p.out, "");
        content = support_content(path);
        assert_text(content, "old");
        free(content);
        (void)snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, process);
        assert_false(support_exists(temporary));
        support_program_release(&p);
    }
    // nohup and `&` in scripts: whoever starts the program does not want it interrupted.
    support_program_call(&p, &(const struct support_call){.arguments = {"run", TINY},
                                                          .signal_pending = SIGINT,
                                                          .signal_ignored = true});
    assert_code(&p, 0);
    support_program_release(&p);
}

// The trace goes into a pipe, so the run cannot be over while nobody reads it: the signal that is
// sent after its first byte strikes in the middle.
static void assert_ended_midway(int number, int code)
{
    char path[512];
    char buffer[4096];
    struct support_program p;
    struct support_call call = {.arguments = {"run", LONG, "--trace", NULL}};
    uint64_t bytes = 1;
    ssize_t n;
    int process;
    int fd;

    support_file(path, "pipe");
    assert_i64(mkfifo(path, 0666), 0);
    call.arguments[3] = path;
    process = support_program_start(&call);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_i64(read(fd, buffer, 1), 1);
    assert_i64(kill((pid_t)process, number), 0);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        bytes += (uint64_t)n;
    }
    assert_i64(n, 0);
    assert_i64(close(fd), 0);
    support_program_wait(&p, process);
    assert_code(&p, code);
    assert_text(p.out, "");
    assert_has(p.err, "interrupted");
    // The whole trace is some 7 MB.
    assert_true(bytes < 3000000);
    support_program_release(&p);
}

static void a_signal_in_the_middle_of_a_run(void **state)
{
    (void)state;
    assert_ended_midway(SIGINT, 130);
    assert_ended_midway(SIGHUP, 143);
}

static void lint_prints_every_value(void **state)
{
    struct support_program p;
    json_t *json;
    json_t *values;
    bool assumed = false;

    (void)state;
    support_program_call(&p, CALL("lint", TINY, "--set", "cluster.workers=7"));
    assert_code(&p, 0);
    assert_has(p.out, "cluster.workers");
    assert_has(p.out, "command line (--set");
    for (const char *line = p.out; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 100);
    }
    support_program_release(&p);
    support_program_call(&p, CALL("lint", TINY, "--given"));
    assert_code(&p, 0);
    assert_has(p.out, "given (");
    assert_null(strstr(p.out, "default"));
    support_program_release(&p);
    support_program_call(&p, CALL("lint", TINY, "--given", "--quiet"));
    assert_code(&p, 2);
    support_program_release(&p);
    support_program_call(&p, CALL("lint", TINY, "--assumed", "--format", "json"));
    assert_code(&p, 0);
    assert_null(strstr(p.out, "\"assumed\":false"));
    assert_null(strstr(p.out, "\"assumed\": false"));
    assert_has(p.out, "\"assumed\"");
    support_program_release(&p);
    support_program_call(&p, CALL("lint", TINY, "--format", "json"));
    assert_code(&p, 0);
    json = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    values = json_object_get(json, "values");
    assert_true(json_array_size(values) > 20);
    for (size_t i = 0; i < json_array_size(values); i++) {
        assumed = assumed || json_is_true(json_object_get(json_array_get(values, i), "assumed"));
    }
    assert_true(assumed);
    json_decref(json);
    support_program_release(&p);
    support_program_call(&p, CALL("lint", SUPPORT_SCENARIOS "broken.yaml", "--format", "json"));
    assert_code(&p, 2);
    json = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_true(json_is_false(json_object_get(json, "valid")));
    assert_true(json_array_size(json_object_get(json, "errors")) == 2);
    json_decref(json);
    support_program_release(&p);
}

// Where the output goes never changes what is computed.
static void outputs_do_not_change_the_fingerprint(void **state)
{
    struct support_program p;
    struct support_program q;
    char trace[512];
    char database[512];

    (void)state;
    support_file(trace, "fingerprint.json");
    support_file(database, "fingerprint.db");
    support_program_call(&p, CALL("run", TINY, "--format", "json"));
    support_program_call(&q,
                         CALL("run", TINY, "--format", "json", "--trace", trace, "--db", database));
    assert_code(&q, 0);
    assert_text(q.out, p.out);
    support_program_release(&q);
    support_program_call(&q, CALL("run", TINY, "--format", "json", "--invariants", "off"));
    assert_code(&q, 0);
    assert_text(q.out, p.out);
    support_program_release(&p);
    support_program_release(&q);
}

// The same bytes in another folder, with another environment and another layout of addresses.
static void the_result_is_the_same_everywhere(void **state)
{
    struct support_program p;
    struct support_program q;

    (void)state;
    support_program_call(&p, CALL("run", TINY, "--format", "json"));
    support_program_call(
        &q, &(const struct support_call){.arguments = {"run", TINY, "--format", "json"},
                                         .environment = {"LC_ALL=de_DE.UTF-8", "TZ=Asia/Kolkata",
                                                         "RECOUP=1", "MALLOC_PERTURB_=165"},
                                         .folder = "/",
                                         .fixed_addresses = true});
    assert_code(&q, 0);
    assert_text(q.out, p.out);
    support_program_release(&p);
    support_program_release(&q);
}

static void a_fault_that_never_fires_is_a_warning(void **state)
{
    struct support_program p;

    (void)state;
    support_program_call(&p, CALL("run", TINY, "--fault", "{name: late, at: 1 h, kill: master}"));
    assert_code(&p, 0);
    assert_has(p.out, "late never fired");
    support_program_release(&p);
    support_program_call(&p, CALL("run", TINY, "--format", "json", "--fault",
                                  "{name: late, at: 1 h, kill: master}"));
    assert_code(&p, 0);
    assert_has(p.err, "warning: the fault 'late' never fired");
    support_program_release(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(wrong_usage_is_exit_code_2),
    cmocka_unit_test(seeds_and_overrides_are_strict),
    cmocka_unit_test(all_mistakes_are_named_at_once),
    cmocka_unit_test(a_missing_or_broken_scenario_is_exit_code_2),
    cmocka_unit_test(a_run_beyond_all_sums_is_exit_code_2),
    cmocka_unit_test(a_secret_is_not_repeated),
    cmocka_unit_test(outputs_have_names_of_their_own),
    cmocka_unit_test(help_is_there_for_every_command),
    cmocka_unit_test(every_list_prints),
    cmocka_unit_test(sweep_keys_print),
    cmocka_unit_test(docs_metrics_is_what_the_program_prints),
    cmocka_unit_test(expectations_decide_between_0_and_1),
    cmocka_unit_test(two_runs_print_the_same_bytes),
    cmocka_unit_test(arguments_may_stand_anywhere),
    cmocka_unit_test(the_printed_command_repeats_the_run),
    cmocka_unit_test(output_that_cannot_be_written_is_exit_code_7),
    cmocka_unit_test(a_closed_output_does_not_end_in_the_trace),
    cmocka_unit_test(traces_that_cannot_be_written),
    cmocka_unit_test(databases),
    cmocka_unit_test(a_full_disk_under_the_database),
    cmocka_unit_test(colours_and_characters),
    cmocka_unit_test(colours_on_a_terminal),
    cmocka_unit_test(signals_before_the_run),
    cmocka_unit_test(a_signal_in_the_middle_of_a_run),
    cmocka_unit_test(lint_prints_every_value),
    cmocka_unit_test(outputs_do_not_change_the_fingerprint),
    cmocka_unit_test(the_result_is_the_same_everywhere),
    cmocka_unit_test(a_fault_that_never_fires_is_a_warning),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "cli_program", tests);
}
