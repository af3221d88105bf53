// SPDX-License-Identifier: GPL-3.0-or-later
//
// The results of a check in the forms that people and CI systems read.
#ifndef RECOUP_RESULTS_CHECK_REPORT_H
#define RECOUP_RESULTS_CHECK_REPORT_H

#include "results/text.h"

struct results_check_case {
    const char *path;
    const char *name;
    bool passed;
    bool skipped;
    bool open;           // it never ran: the check was interrupted
    uint32_t code;       // exit code of this scenario alone
    const char *details; // lines
    const char *json;    // one object; "" where there is none
    int64_t wall_ns;
};

// "ok    PATH" or "FAIL  PATH", with the details indented below. Nothing for what was skipped.
void results_check_line(const struct results_check_case *one, struct results_text *text);
// "3 passed, 1 failed, 2 skipped"; the last part only where some were.
void results_check_total(const struct results_check_case *cases, uint32_t count,
                         struct results_text *text);
// One object: schema 1, the counts, and the scenarios' objects.
void results_check_json(const struct results_check_case *cases, uint32_t count, const char *version,
                        struct results_text *text);
// Test Anything Protocol, version 13, with the details as diagnostics.
void results_check_tap(const struct results_check_case *cases, uint32_t count,
                       struct results_text *text);
// JUnit XML, as GitLab, Jenkins and others read it.
void results_check_junit(const struct results_check_case *cases, uint32_t count,
                         struct results_text *text);
// A workflow command of GitHub Actions for each failure, which shows it beside the file.
void results_check_annotations(const struct results_check_case *cases, uint32_t count,
                               struct results_text *text);

#endif
