// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs the built program as a user would, and keeps what it printed.
#ifndef TESTS_CLI_SUPPORT_PROGRAM_H
#define TESTS_CLI_SUPPORT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define SUPPORT_SCENARIOS RECOUP_SOURCE_DIR "/tests/cli/scenarios/"
#define SUPPORT_ARGUMENTS_MAX 32

struct support_call {
    const char *arguments[SUPPORT_ARGUMENTS_MAX]; // behind the program's name, ended by NULL
    const char *environment[4]; // "NAME=VALUE", ended by NULL; besides a fixed small set
    const char *stdout_path;    // where standard output goes; NULL: it is kept
    bool stdout_closed;
    bool stdout_broken;   // a pipe that nobody reads
    int signal_pending;   // already sent when the program starts; 0: none
    bool signal_ignored;  // that signal is ignored by whoever starts the program
    long file_size_max;   // of any file that it writes; 0: no limit
    const char *folder;   // in which it runs; NULL: here
    bool fixed_addresses; // without randomization of the address space, where that is known
};

struct support_program {
    int code;  // exit code; 128 + n when a signal killed it
    char *out; // standard output; "" when it went elsewhere
    char *err; // standard error
};

// Runs it to its end. To be released.
void support_program_call(struct support_program *p, const struct support_call *call);
void support_program_release(struct support_program *p);

// The parts of a call, for tests that talk to the running program: starts it, then waits.
int support_program_start(const struct support_call *call);
void support_program_wait(struct support_program *p, int process);

// Runs a shell command, standard output kept.
void support_shell(struct support_program *p, const char *command);

// A path below the build folder; nothing is there.
const char *support_file(char path[512], const char *name);
// The content of a file, NULL if there is none. To be freed.
char *support_content(const char *path);
void support_write(const char *path, const char *content);
bool support_exists(const char *path);

// Fail the test, with what the program printed.
void assert_has(const char *text, const char *part);
void assert_code(const struct support_program *p, int code);
// The call ends with exit code 2 and this message, and prints nothing.
void assert_usage(const struct support_call *call, const char *message);

#endif
