// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run`: one scenario, one run, its result.
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/many.h"
#include "cli/output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "campaigns/memory.h"
#include "campaigns/record.h"
#include "models/run.h"
#include "results/database.h"
#include "results/report.h"
#include "results/replace_file.h"
#include "results/result_json.h"
#include "results/store_export.h"
#include "results/trace_file.h"
#include "sim/error.h"

static const struct cli_option run_options[] = {
    {"seed", "N", NULL, false, "seed of all chance, 0 to 2^63 - 1, decimal or 0x..."},
    {"set", "PATH=VALUE", NULL, true, "change one value: cluster.workers=50, faults.0.at=95s"},
    {"fault", "'{...}'", NULL, true, "add a fault: '{at: 95 s, kill: master}'"},
    {"runs", "N", NULL, false, "run it N times, with seeds derived from the first"},
    {"what-if", NULL, NULL, false, "the same seeds again with one setting changed at a time"},
    {"j", "N", NULL, false, "worker processes for --runs and --what-if (one per processor)"},
    {"format", "text|json", "text|json", false, "how the result is printed (text)"},
    {"trace", "FILE", NULL, false, "write what happened for ui.perfetto.dev"},
    {"db", "FILE", NULL, false, "append the run to a SQLite file"},
    {"trail", "FILE", NULL, false, "write rolling hashes and a window of events, for recoup diff"},
    {"trail-at", "EVENT", NULL, false, "the first event of that window (1)"},
    {"tie-seed", "N", NULL, false, "serve events of one instant in another order (bug hunting)"},
    {"store-out", "DIR", NULL, false, "write the event store's files at the end into a new folder"},
    {"invariants", "on|off", "on|off", false, "look for broken invariants (on)"},
    {"color", "auto|never|always", "auto|never|always", false, "colours (auto; NO_COLOR counts)"},
};

// One execution of the command: everything that is open, so that it is given back in one place.
struct run_command {
    const struct cli_program *program;
    const struct cli_arguments *arguments;
    struct scenario scenario;
    struct cli_signals signals;
    struct results_trace_file trace;
    bool tracing;
    struct results_database database;
    bool storing;
    struct results_store_export store_out;
    bool exporting;
    struct results_trail_recorder recorder;
    struct results_trail trail;
    bool recording;
    struct model_run_options options;
    struct sim_arena arena;
    struct model_result result;
    struct scenario_verdict verdict;
    struct results_run run;
    struct results_text command;
    struct results_text words;
    char started_at[32];
};

static int load(struct run_command *c)
{
    struct cli_overrides overrides;
    int code = cli_overrides_collect(&overrides, c->arguments);

    if (code == CLI_DONE) {
        int error = scenario_load(&c->scenario, c->arguments->words[0], &overrides.scenario);

        cli_complain_input(c->scenario.errors, c->scenario.n_errors, NULL);
        if (c->scenario.errors_cut) {
            cli_complain("more errors follow; mend these first");
        }
        cli_complain_input(c->scenario.warnings, c->scenario.n_warnings, "warning");
        if (error == SCENARIO_ENOMEM) {
            cli_complain("out of memory");
            code = CLI_OUTSIDE;
        } else if (error != SCENARIO_OK) {
            code = CLI_USAGE;
        }
    }
    cli_overrides_release(&overrides);
    return code;
}

// Only for the database: it costs the time zone's files.
static void note_start(struct run_command *c)
{
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc) == NULL ||
        strftime(c->started_at, sizeof(c->started_at), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        c->started_at[0] = '\0';
    }
}

static bool is_same_file(const char *path, const char *other)
{
    struct stat a;
    struct stat b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && S_ISREG(a.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Outputs have names, and none of them is the scenario or the other output.
static int check_outputs(const struct cli_arguments *arguments)
{
    static const char *const options[] = {"trace", "db", "trail"};
    const size_t n_options = sizeof(options) / sizeof(options[0]);

    for (size_t i = 0; i < n_options; i++) {
        const char *path = cli_arguments_value(arguments, options[i]);

        if (path == NULL) {
            continue;
        }
        if (path[0] == '\0') {
            cli_complain("--%s: the name of the file is empty", options[i]);
            return CLI_USAGE;
        }
        if (is_same_file(path, arguments->words[0])) {
            cli_complain("--%s: %s is the scenario, which would be lost", options[i], path);
            return CLI_USAGE;
        }
        for (size_t k = 0; k < i; k++) {
            const char *before = cli_arguments_value(arguments, options[k]);

            if (before != NULL && (strcmp(path, before) == 0 || is_same_file(path, before))) {
                cli_complain("--%s and --%s name the same file, %s", options[k], options[i], path);
                return CLI_USAGE;
            }
        }
    }
    return CLI_DONE;
}

static int open_store_out(struct run_command *c)
{
    const char *directory = cli_arguments_value(c->arguments, "store-out");
    int error = directory == NULL ? 0 : results_store_export_open(&c->store_out, directory);

    c->exporting = directory != NULL && error == 0;
    if (error == ENOTEMPTY) {
        cli_complain("%s: the folder is not empty; --store-out wants a new or an empty one",
                     directory);
        return CLI_USAGE;
    }
    if (error != 0) {
        cli_complain("%s: the folder cannot be made: %s", directory, strerror(error));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

// Opens what the run will write, before it starts: a long run is not to end with "no such folder".
static int open_outputs(struct run_command *c)
{
    const char *trace = cli_arguments_value(c->arguments, "trace");
    const char *database = cli_arguments_value(c->arguments, "db");
    int code = open_store_out(c);

    if (code != CLI_DONE) {
        return code;
    }
    if (trace != NULL) {
        int error =
            results_trace_file_open(&c->trace, trace, &c->scenario.config, (uint64_t)getpid());

        if (error != 0) {
            cli_complain("%s: the trace cannot be written: %s", trace, strerror(error));
            return CLI_OUTSIDE;
        }
        c->tracing = true;
    }
    if (database != NULL) {
        c->storing = true;
        note_start(c);
        if (!results_database_open(&c->database, database, RESULTS_DATABASE_WAIT_MS)) {
            cli_complain("%s", results_text_string(&c->database.message));
            return CLI_OUTSIDE;
        }
    }
    return CLI_DONE;
}

// A number of an option, `fallback` where it is not given.
static int number_of(const struct run_command *c, const char *option, uint64_t fallback,
                     uint64_t *number)
{
    const char *text = cli_arguments_value(c->arguments, option);

    *number = fallback;
    if (text != NULL && (!cli_parse_seed(text, number) || *number == 0)) {
        cli_complain("--%s: expected a number from 1 to 9223372036854775807, found '%s'", option,
                     text);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

// What the options say about how to run.
static int read_options(struct run_command *c)
{
    struct model_run_options *options = &c->options;
    uint64_t at;
    int code = number_of(c, "trail-at", 1, &at);

    code = cli_worse(code, number_of(c, "tie-seed", 0, &options->tie_seed));
    if (code == CLI_DONE && cli_arguments_value(c->arguments, "trail") != NULL) {
        results_trail_recorder_init(&c->recorder, &c->trail, RESULTS_TRAIL_POINTS, at,
                                    RESULTS_TRAIL_WINDOW);
        c->recording = true;
        options->observer = &c->recorder.observer;
    } else if (code == CLI_DONE && cli_arguments_value(c->arguments, "trail-at") != NULL) {
        cli_complain("--trail-at says where the window of a trail begins; add --trail FILE");
        code = CLI_USAGE;
    }
    return code;
}

static int finish_recording(struct run_command *c)
{
    int error;

    if (!c->recording) {
        return 0;
    }
    cli_command_repeat(&c->command, c->program, c->arguments);
    error = campaign_record_finish(&c->recorder, &c->scenario, &c->options, &c->arena, &c->result,
                                   c->run.faultless_makespan_ns, results_text_string(&c->command));
    results_text_clear(&c->command);
    return error;
}

// The exit code for an error of the run, after a message.
static int explain_error(const struct run_command *c, int error)
{
    if (error == SIM_EINTERRUPTED) {
        cli_complain("interrupted; the run has no result");
        return cli_signals_exit(&c->signals);
    }
    if (error == SIM_ENOMEM) {
        cli_complain("out of memory: the run needs more than there is");
        return CLI_OUTSIDE;
    }
    if (error == SIM_ELIMIT) {
        cli_complain("the run is too large: more than 2^63 ns (292 years) of slot time, or more "
                     "than 2^32 attempts");
        return CLI_USAGE;
    }
    if (error != 0) {
        cli_complain("internal error: the run ended with \"%s\"; please report it with the "
                     "scenario",
                     sim_strerror(error));
        return CLI_INTERNAL;
    }
    return CLI_DONE;
}

static int simulate(struct run_command *c)
{
    const char *invariants = cli_arguments_value(c->arguments, "invariants");
    struct model_run_options *options = &c->options;
    int64_t faultless_ns = -1;
    int error;

    options->interrupted = cli_signals_came;
    options->interrupted_context = &c->signals;
    options->invariants = invariants != NULL && strcmp(invariants, "off") == 0
                              ? MODEL_INVARIANTS_OFF
                              : MODEL_INVARIANTS_ON;
    options->trace = c->tracing ? &c->trace.observer : NULL;
    if (c->exporting) {
        options->store_piece = results_store_export_piece;
        options->store_context = &c->store_out;
    }
    error = model_run_pair(&c->scenario.config, options, &c->arena, &c->result, &faultless_ns);
    c->run.faultless_known = faultless_ns >= 0;
    c->run.faultless_makespan_ns = faultless_ns;
    c->run.invariants_on = options->invariants == MODEL_INVARIANTS_ON;
    return explain_error(c, error == 0 ? finish_recording(c) : error);
}

static int judge(struct run_command *c)
{
    int code = CLI_DONE;

    if (scenario_evaluate(&c->scenario, &c->result,
                          c->run.faultless_known ? c->run.faultless_makespan_ns : -1,
                          &c->verdict) != SCENARIO_OK) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    if (!c->verdict.ok) {
        code = cli_worse(code, CLI_FAILED);
    }
    if (c->verdict.unexplained) {
        code = cli_worse(code, CLI_BUG);
    }
    if (c->result.limited) {
        cli_complain("the run was cut short at its limit of %llu events",
                     (unsigned long long)c->scenario.config.events_max);
        code = cli_worse(code, CLI_INCOMPLETE);
    }
    return code;
}

// In JSON the warning has no place of its own; on the page it has.
static void warn_not_fired(const struct run_command *c)
{
    for (uint32_t i = 0; i < c->result.n_fired; i++) {
        if (!c->result.fired[i].fired) {
            cli_complain("warning: the fault '%s' never fired",
                         c->scenario.config.faults[c->result.fired[i].fault].name);
        }
    }
}

static int print(struct run_command *c)
{
    const char *format = cli_arguments_value(c->arguments, "format");
    struct results_text text;
    int code;

    results_text_init(&text);
    if (format != NULL && strcmp(format, "json") == 0) {
        results_run_json(&c->run, &text);
        warn_not_fired(c);
    } else {
        struct results_style style;

        cli_style(&style, cli_arguments_value(c->arguments, "color"));
        results_run_report(&c->run, &style, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static int finish_trace(struct run_command *c)
{
    const char *path = cli_arguments_value(c->arguments, "trace");
    int error;

    if (!c->tracing) {
        return CLI_DONE;
    }
    c->tracing = false;
    error = results_trace_file_finish(&c->trace);
    if (error != 0) {
        cli_complain("%s: the trace could not be written: %s", path, strerror(error));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int finish_store_out(struct run_command *c)
{
    int error = results_store_export_close(&c->store_out);

    if (error == 0) {
        return CLI_DONE;
    }
    cli_complain("%s: the event store could not be written: %s",
                 cli_arguments_value(c->arguments, "store-out"), strerror(error));
    return CLI_OUTSIDE;
}

// Written under its own name only when it is whole.
static int write_trail(struct run_command *c)
{
    const char *path = cli_arguments_value(c->arguments, "trail");
    struct results_text text;
    int error;

    if (!c->recording) {
        return CLI_DONE;
    }
    results_text_init(&text);
    results_trail_text(&c->trail, &text);
    error = results_replace_file(path, &text, (uint64_t)getpid());
    results_text_release(&text);
    if (error != 0) {
        cli_complain("%s: the trail could not be written: %s", path, strerror(error));
        return CLI_OUTSIDE;
    }
    return CLI_DONE;
}

static int store(struct run_command *c)
{
    struct results_execution execution = {c->started_at, cli_clock_ns() - c->program->started_ns,
                                          (uint64_t)getpid()};
    enum results_database_status status;

    if (!c->storing) {
        return CLI_DONE;
    }
    status = results_database_append(&c->database, &c->run, &execution);
    cli_complain("%s", results_text_string(&c->database.message));
    switch (status) {
    case RESULTS_DATABASE_ADDED:
    case RESULTS_DATABASE_PRESENT:
        return CLI_DONE;
    case RESULTS_DATABASE_DIFFERS:
        return CLI_NOT_DETERMINISTIC;
    case RESULTS_DATABASE_FAILED:
        break;
    }
    return CLI_OUTSIDE;
}

static int run_all(struct run_command *c)
{
    int code = load(c);

    if (code == CLI_DONE) {
        code = check_outputs(c->arguments);
    }
    if (code == CLI_DONE) {
        code = read_options(c);
    }
    if (code == CLI_DONE) {
        cli_signals_watch(&c->signals);
        code = open_outputs(c);
    }
    if (code == CLI_DONE) {
        code = cli_signals_exit(&c->signals);
    }
    if (code == CLI_DONE) {
        code = simulate(c);
    }
    if (code != CLI_DONE) {
        return code;
    }
    cli_command_repeat(&c->command, c->program, c->arguments);
    c->run.scenario = &c->scenario;
    c->run.result = &c->result;
    c->run.verdict = &c->verdict;
    c->run.version = RECOUP_VERSION;
    c->run.command = results_text_string(&c->command);
    cli_command_words(&c->words, c->arguments);
    c->run.words = results_text_string(&c->words);
    code = judge(c);
    if (c->verdict.outcomes != NULL || c->verdict.ok) {
        code = cli_worse(code, print(c));
        code = cli_worse(code, finish_trace(c));
        code = cli_worse(code, write_trail(c));
        code = cli_worse(code, store(c));
        code = cli_worse(code, finish_store_out(c));
    }
    // A signal that came too late to stop the run still ends the loop that runs this program.
    return cli_worse(code, cli_signals_exit(&c->signals));
}

// Options that are about one run have no meaning for many, and the other way round.
static int check_kind(const struct cli_arguments *arguments, const char *kind)
{
    static const char *const single[] = {"trace", "trail", "trail-at", "tie-seed", "store-out"};

    for (size_t i = 0; kind != NULL && i < sizeof(single) / sizeof(single[0]); i++) {
        if (cli_arguments_value(arguments, single[i]) != NULL) {
            cli_complain("--%s is about one run, --%s about many; leave one of them out", single[i],
                         kind);
            return CLI_USAGE;
        }
    }
    if (kind == NULL && cli_arguments_value(arguments, "j") != NULL) {
        cli_complain("-j: one run is made by one process; add --runs N or --what-if");
        return CLI_USAGE;
    }
    if (kind != NULL && strcmp(kind, "what-if") == 0 &&
        cli_arguments_value(arguments, "db") != NULL) {
        cli_complain("--db takes the runs of one scenario; --what-if makes those of many");
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static int run_one(const struct cli_program *program, const struct cli_arguments *arguments)
{
    struct run_command c;
    int code;

    memset(&c, 0, sizeof(c));
    c.program = program;
    c.arguments = arguments;
    c.store_out = (struct results_store_export){-1, -1, 0};
    results_text_init(&c.command);
    results_text_init(&c.words);
    sim_arena_init(&c.arena, campaign_memory_share(1));
    code = run_all(&c);
    if (c.tracing) {
        results_trace_file_abandon(&c.trace);
    }
    (void)results_store_export_close(&c.store_out);
    results_trail_recorder_release(&c.recorder);
    results_trail_release(&c.trail);
    results_database_close(&c.database);
    scenario_verdict_release(&c.verdict);
    model_result_release(&c.result);
    sim_arena_release(&c.arena);
    scenario_release(&c.scenario);
    results_text_release(&c.command);
    results_text_release(&c.words);
    return code;
}

static int run_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    bool what_if = cli_arguments_value(arguments, "what-if") != NULL;
    bool many = cli_arguments_value(arguments, "runs") != NULL;
    int code = check_kind(arguments, what_if ? "what-if" : many ? "runs" : NULL);

    if (code != CLI_DONE) {
        return code;
    }
    return what_if ? cli_run_what_if(program, arguments)
           : many  ? cli_run_many(program, arguments)
                   : run_one(program, arguments);
}

const struct cli_command cli_run = {
    .name = "run",
    .usage = "SCENARIO [OPTION]...",
    .summary = "Runs a scenario and says what the faults cost, and why.",
    .about =
        "The scenario is run twice with the same seed: without its faults, and with them. The\n"
        "result goes to standard output. Exit code 1: the job did not end as expected; 3: an\n"
        "invariant was broken that no active policy explains.\n\n"
        "With --runs N it is run with N seeds, and medians and ranges are told; the worst run "
        "gives\n"
        "the exit code. --what-if makes 20 runs (or --runs N) of the scenario and of each "
        "change.\n\n",
    .options = run_options,
    .n_options = sizeof(run_options) / sizeof(run_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no scenario given: recoup run SCENARIO",
    .execute = run_execute,
};
