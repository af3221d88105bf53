// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup merge`: result databases that were made apart, put together.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/output.h"
#include "results/merge.h"

static bool is_same_file(const char *path, const char *other)
{
    struct stat a;
    struct stat b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static int merge_one(struct results_database *database, const char *path)
{
    struct results_merge_counts counts = {0, 0};

    switch (results_merge(database, path, &counts)) {
    case RESULTS_MERGE_DONE:
        cli_complain("%s: %" PRId64 " runs added to %s, %" PRId64 " were there", path,
                     counts.runs_added, database->path, counts.runs_present);
        return CLI_DONE;
    case RESULTS_MERGE_DIFFERS:
        cli_complain("%s", results_text_string(&database->message));
        return CLI_NOT_DETERMINISTIC;
    case RESULTS_MERGE_REFUSED:
        cli_complain("%s", results_text_string(&database->message));
        return CLI_USAGE;
    case RESULTS_MERGE_FAILED:
        break;
    }
    cli_complain("%s", results_text_string(&database->message));
    return CLI_OUTSIDE;
}

static int merge_all(const struct cli_arguments *arguments)
{
    struct results_database database;
    int code = CLI_OUTSIDE;

    if (results_database_open(&database, arguments->words[0], RESULTS_DATABASE_WAIT_MS)) {
        code = CLI_DONE;
        for (uint32_t i = 1; code == CLI_DONE && i < arguments->n_words; i++) {
            code = merge_one(&database, arguments->words[i]);
        }
        if (!results_merge_finish(&database)) {
            cli_complain("%s", results_text_string(&database.message));
            code = cli_worse(code, CLI_OUTSIDE);
        }
    } else {
        cli_complain("%s", results_text_string(&database.message));
    }
    results_database_close(&database);
    return code;
}

static int merge_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    (void)program;
    for (uint32_t i = 1; i < arguments->n_words; i++) {
        if (is_same_file(arguments->words[0], arguments->words[i])) {
            cli_complain("%s is both the result and an input; name another result",
                         arguments->words[i]);
            return CLI_USAGE;
        }
    }
    return merge_all(arguments);
}

const struct cli_command cli_merge = {
    .name = "merge",
    .usage = "OUT.db IN.db...",
    .summary = "Puts databases of shards or machines together.",
    .about = "OUT.db is created, or gets what it has not yet; the inputs stay as they are. Order\n"
             "does not matter, nor how often. A run that two files hold with different\n"
             "fingerprints is exit code 5.\n\n",
    .words_min = 2,
    .words_max = CLI_ARGUMENTS_MAX,
    .missing = "expected the result and at least one input: recoup merge OUT.db IN.db...",
    .execute = merge_execute,
};
