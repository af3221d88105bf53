// SPDX-License-Identifier: GPL-3.0-or-later
//
// Helpers of the printing functions (print_*.c).
#ifndef RECOUP_SCENARIOS_PRINT_H
#define RECOUP_SCENARIOS_PRINT_H

#include <stdio.h>

#include "scenarios/loader.h"

// Runs `body` with a loader whose memory is released afterwards. Returns 0, or -1 when writing
// failed or memory ran out.
int scenario_print_with(FILE *out, void (*body)(struct scenario_loader *loader, FILE *out));
void scenario_print_json_text(FILE *out, const char *text);      // with quotes; null for NULL
// Parts of a JSON Schema: `"enum": [...]` of "a|b"; the name "job-stages-source" of a section's
// path "job.stages[].source", and a reference to it.
void scenario_print_enum(FILE *out, const char *choices);
void scenario_print_definition(FILE *out, const char *path);
void scenario_print_reference(FILE *out, const char *path);
void scenario_print_markdown_text(FILE *out, const char *text);  // '|' escaped
// "integer from 1 to 1024", "one of hdfs, s3"
const char *scenario_row_value_text(struct scenario_loader *loader,
                                    const struct scenario_option *row);
const char *scenario_row_default_text(const struct scenario_option *row);  // "" if there is none
// The section that a MAP or LIST row leads to; SCENARIO_SECTION_COUNT if none.
enum scenario_section scenario_row_section(const struct scenario_option *row);
// A policy's key, choices and value as text.
const char *scenario_policy_value_text(struct scenario_loader *loader,
                                       const struct recoup_policy_info *info, int64_t value);
const char *scenario_policy_choices_text(struct scenario_loader *loader,
                                         const struct recoup_policy_info *info);

#endif
