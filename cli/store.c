// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup store`: looks into the directory of an event store. Nothing in it is ever changed.
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "results/store_recover.h"
#include "results/store_replay.h"
#include "results/store_verify.h"

#define PROGRESS_TERMINAL_NS INT64_C(100000000)
#define PROGRESS_LINE_NS INT64_C(5000000000)

static const struct cli_option store_options[] = {
    {"format", "text|json", "text|json", false, "how the result is printed (text)"},
    {"framing", "auto|hardened|flink", "auto|hardened|flink", false,
     "the format of the files (auto: each tells by its first bytes)"},
    {"scenario", "FILE", NULL, false, "recover: the scenario that wrote the log; gives the graph"},
    {"profile", "flink-1.20|hardened", "flink-1.20|hardened", false,
     "recover: the policies, without a scenario (that of the framing)"},
    {"workers", "all|none", "all|none", false, "recover: who reports what it holds (all)"},
    {"all", NULL, NULL, false, "recover: name each finished subtask"},
};

struct store_command {
    const struct cli_arguments *arguments;
    struct cli_signals signals;
    struct results_store_files files;
    struct results_store_watch watch;
    struct results_text message;
    int64_t shown_ns; // when progress was last shown
    bool terminal;
    bool shown;
    bool json;
};

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    struct store_command *c = context;
    int64_t now_ns = cli_clock_ns();
    int64_t pause_ns = c->terminal ? PROGRESS_TERMINAL_NS : PROGRESS_LINE_NS;

    if (now_ns - c->shown_ns >= pause_ns) {
        struct results_text line;

        c->shown_ns = now_ns;
        c->shown = true;
        results_text_init(&line);
        results_text_format(&line, c->terminal ? "\r%3u %%  %llu of %llu MB read "
                                               : "recoup: %u %%, %llu of %llu MB read\n",
                            total == 0 ? 100 : (unsigned)(100.0 * (double)done / (double)total),
                            (unsigned long long)(done >> 20), (unsigned long long)(total >> 20));
        (void)results_text_write(&line, STDERR_FILENO);
        results_text_release(&line);
    }
    return !cli_signals_came(&c->signals);
}

static void end_progress(struct store_command *c)
{
    if (c->terminal && c->shown) {
        (void)results_write_bytes(STDERR_FILENO, "\r\033[K", 4);
    }
    c->shown = false;
}

static enum results_store_framing framing(const struct cli_arguments *arguments)
{
    const char *given = cli_arguments_value(arguments, "framing");

    if (given == NULL || strcmp(given, "auto") == 0) {
        return RESULTS_STORE_AUTO;
    }
    return strcmp(given, "flink") == 0 ? RESULTS_STORE_FLINK : RESULTS_STORE_HARDENED;
}

static int code_of(struct store_command *c, enum results_store_outcome outcome)
{
    end_progress(c);
    if (c->message.size > 0) {
        cli_complain("%s", results_text_string(&c->message));
    }
    switch (outcome) {
    case RESULTS_STORE_INTACT:
        return CLI_DONE;
    case RESULTS_STORE_DAMAGED:
        return CLI_FAILED;
    case RESULTS_STORE_CANCELLED:
        cli_complain("interrupted");
        return cli_signals_exit(&c->signals);
    case RESULTS_STORE_UNREAD:
    case RESULTS_STORE_UNWRITTEN:
        break;
    }
    return CLI_OUTSIDE;
}

static int dump(struct store_command *c)
{
    struct results_store_output output;
    enum results_store_outcome outcome;

    results_store_output_init(&output, STDOUT_FILENO);
    outcome = results_store_dump(&c->files, c->json, &c->watch, &output, &c->message);
    results_store_output_release(&output);
    return code_of(c, outcome);
}

static int verify(struct store_command *c)
{
    struct results_store_verification verification;
    enum results_store_outcome outcome =
        results_store_verify(&verification, &c->files, &c->watch, &c->message);
    int code = code_of(c, outcome);

    if (outcome == RESULTS_STORE_INTACT || outcome == RESULTS_STORE_DAMAGED) {
        struct results_text text;

        results_text_init(&text);
        if (c->json) {
            results_store_verify_json(&verification, &c->files, &text);
        } else {
            results_store_verify_text(&verification, &c->files, &text);
        }
        code = cli_worse(code, cli_output_result(&text));
        results_text_release(&text);
    }
    results_store_verification_release(&verification);
    return code;
}

static int load(struct store_command *c, const char *path, struct scenario *scenario)
{
    struct scenario_overrides overrides = {.sets = NULL};
    int error = scenario_load(scenario, path, &overrides);

    cli_complain_input(scenario->errors, scenario->n_errors, NULL);
    if (error == SCENARIO_ENOMEM) {
        cli_complain("out of memory");
        return CLI_OUTSIDE;
    }
    if (error != SCENARIO_OK) {
        return CLI_USAGE;
    }
    if (scenario->config.profile != results_store_profile(&c->files) && c->files.n_files > 0) {
        cli_complain("warning: the files are not in the framing that the scenario's profile has");
    }
    return CLI_DONE;
}

static int print_recovery(struct store_command *c, struct results_store_recovery *recovery)
{
    bool all = cli_arguments_value(c->arguments, "all") != NULL;
    struct results_store_output output;
    int code = CLI_DONE;

    results_store_output_init(&output, STDOUT_FILENO);
    if (!(c->json ? results_store_recover_json(recovery, all, &output)
                  : results_store_recover_text(recovery, all, &output))) {
        cli_complain("cannot write to standard output: %s", strerror(output.error));
        code = CLI_OUTSIDE;
    }
    results_store_output_release(&output);
    return code;
}

static int recover(struct store_command *c)
{
    const char *path = cli_arguments_value(c->arguments, "scenario");
    const char *profile = cli_arguments_value(c->arguments, "profile");
    const char *workers = cli_arguments_value(c->arguments, "workers");
    struct results_store_recovery recovery = {.files = &c->files, .watch = &c->watch};
    struct scenario scenario;
    int code = CLI_DONE;

    memset(&scenario, 0, sizeof scenario);
    recovery.profile = profile == NULL ? results_store_profile(&c->files)
                       : strcmp(profile, "hardened") == 0 ? RECOUP_PROFILE_HARDENED
                                                          : RECOUP_PROFILE_FLINK_1_20;
    recovery.workers_report = workers == NULL || strcmp(workers, "all") == 0;
    if (path != NULL) {
        code = load(c, path, &scenario);
        recovery.config = &scenario.config;
    }
    if (code == CLI_DONE) {
        code = code_of(c, results_store_recover(&recovery, &c->message));
    }
    if (code == CLI_DONE) {
        code = print_recovery(c, &recovery);
        code = cli_worse(code, recovery.recovered ? CLI_DONE : CLI_FAILED);
    }
    results_store_recovery_release(&recovery);
    scenario_release(&scenario);
    return code;
}

// A recording is a file, not a directory.
static int replay(struct store_command *c)
{
    struct results_store_output output;
    enum results_store_replayed result;

    results_store_output_init(&output, STDOUT_FILENO);
    result = results_store_replay(c->arguments->words[1], c->json, &output, &c->message);
    results_store_output_release(&output);
    if (c->message.size > 0) {
        cli_complain("%s", results_text_string(&c->message));
    }
    switch (result) {
    case RESULTS_STORE_REPLAYED:
        return CLI_DONE;
    case RESULTS_STORE_REPLAYED_TRUNCATED:
    case RESULTS_STORE_REPLAYED_DAMAGED:
    case RESULTS_STORE_REPLAYED_FOREIGN:
        return CLI_FAILED;
    case RESULTS_STORE_REPLAYED_DIVERGED:
        return CLI_NOT_DETERMINISTIC;
    case RESULTS_STORE_REPLAYED_UNREAD:
    case RESULTS_STORE_REPLAYED_UNWRITTEN:
        break;
    }
    return CLI_OUTSIDE;
}

struct store_action {
    const char *name;
    int (*execute)(struct store_command *c);
};

static const struct store_action actions[] = {
    {"dump", dump}, {"verify", verify}, {"recover", recover}, {"replay", replay}};

// Options that say something to `recover` alone.
static bool options_fit(const struct store_action *action, const struct cli_arguments *arguments)
{
    static const char *const of_recover[] = {"scenario", "profile", "workers", "all"};

    for (size_t i = 0; i < sizeof of_recover / sizeof of_recover[0]; i++) {
        if (action->execute != recover && cli_arguments_value(arguments, of_recover[i]) != NULL) {
            cli_complain("--%s says nothing to store %s; it is for store recover", of_recover[i],
                         action->name);
            return false;
        }
    }
    if (action->execute == replay && cli_arguments_value(arguments, "framing") != NULL) {
        cli_complain("--framing says nothing to store replay; a recording has its own format");
        return false;
    }
    if (cli_arguments_value(arguments, "scenario") != NULL &&
        cli_arguments_value(arguments, "profile") != NULL) {
        cli_complain("--profile and --scenario contradict each other; a scenario has a profile");
        return false;
    }
    return true;
}

static const struct store_action *action_find(const char *name)
{
    struct cli_nearest nearest;

    cli_nearest_init(&nearest, name);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
        cli_nearest_offer(&nearest, actions[i].name);
    }
    if (nearest.best != NULL) {
        cli_complain("store cannot '%s'; did you mean '%s'?", name, nearest.best);
    } else {
        cli_complain("store cannot '%s'; recoup store --help says what it can", name);
    }
    return NULL;
}

static int store_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    const struct store_action *action = action_find(arguments->words[0]);
    const char *format = cli_arguments_value(arguments, "format");
    struct store_command c;
    int code = CLI_USAGE;

    (void)program;
    if (action == NULL || !options_fit(action, arguments)) {
        return code;
    }
    memset(&c, 0, sizeof c);
    c.arguments = arguments;
    c.json = format != NULL && strcmp(format, "json") == 0;
    c.terminal = isatty(STDERR_FILENO) == 1;
    c.shown_ns = cli_clock_ns();
    c.watch = (struct results_store_watch){go_on, &c};
    results_text_init(&c.message);
    cli_signals_watch(&c.signals);
    if (action->execute == replay) {
        code = replay(&c);
    } else if (results_store_files_open(&c.files, arguments->words[1], framing(arguments),
                                        &c.message) != 0) {
        code = code_of(&c, RESULTS_STORE_UNREAD);
    } else {
        code = action->execute(&c);
    }
    results_store_files_release(&c.files);
    results_text_release(&c.message);
    return code;
}

const struct cli_command cli_store = {
    .name = "store",
    .usage = "dump|verify|recover DIR [OPTION]... | replay RECORDING",
    .summary = "Looks into the directory of an event store.",
    .about = "dump     every record: file, offset, length, type, number, checksum, content\n"
             "verify   what is wrong, where, and what a new master does about it\n"
             "recover  what a new master rebuilds from it, and why each finished subtask is kept\n"
             "         or forgotten\n"
             "replay   steps a recording of a master (docs/embedding.md) through the library once\n"
             "         more, and prints each event, each answer and the state at its end;\n"
             "         with --format json as lines of JSON (docs/store-tools.md)\n\n"
             "Nothing in DIR is ever changed. Exit code 1: something is damaged, or the recovery\n"
             "fails, or the recording is\n"
             "truncated, damaged or none; 5: the library answers otherwise than was recorded;\n"
             "7: DIR cannot be read.\n\n",
    .options = store_options,
    .n_options = sizeof(store_options) / sizeof(store_options[0]),
    .words_min = 2,
    .words_max = 2,
    .missing = "an action and a directory are needed: recoup store dump|verify|recover DIR",
    .execute = store_execute,
};
