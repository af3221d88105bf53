// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of scenarios/ share.
#ifndef TESTS_SCENARIOS_SUPPORT_H
#define TESTS_SCENARIOS_SUPPORT_H

#include "check.h"

#include "scenarios/loader.h"
#include "scenarios/metrics.h"
#include "scenarios/scenario.h"

#define TESTS_FOLDER RECOUP_SOURCE_DIR "/tests/scenarios/"

// A small scenario without anything optional.
extern const char support_minimal[];

// All messages, formatted; to be freed. `strip` is cut from the beginning of file names.
char *support_messages(const struct scenario_message *messages, uint32_t count,
                       const char *severity, const char *strip);
// Loads text; fails the test and prints the errors if it is not valid.
void support_load(struct scenario *scenario, const char *text, const char *const *sets,
                  uint32_t n_sets);
// Loads `support_minimal` followed by `more`.
void support_load_more(struct scenario *scenario, const char *more);
// Loads text that must be invalid, and checks the text of its first error.
void support_refused(const char *text, const char *const *sets, uint32_t n_sets,
                     const char *message);
void support_refused_more(const char *more, const char *message);
void support_print_errors(const struct scenario *scenario);
// The value recorded under `path`; fails the test if there is none.
const struct scenario_value *support_value(const struct scenario *scenario, const char *path);
// A whole file; to be freed. NULL if it cannot be read.
char *support_read(const char *path, size_t *size);

#define SUPPORT_FILES_MAX 512u
#define SUPPORT_NAME_BYTES 128u
// The names of all *.yaml in a folder, sorted.
uint32_t support_list(const char *folder_name, char names[][SUPPORT_NAME_BYTES]);
// Keeps what a test found in a folder of the build, for a look and a copy.
void support_keep(const char *folder, const char *name, const char *text);

// Whether a broken file was refused with what stands beside it in NAME.expected (`folder` ends in
// '/'). What was found is printed and kept in `kept` otherwise.
bool support_is_expected(const char *folder, const char *name, const char *kept, int status,
                         const struct scenario_message *errors, uint32_t n);

#endif
