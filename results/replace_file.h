// SPDX-License-Identifier: GPL-3.0-or-later
//
// Files that are replaced whole or not at all: the text goes to a temporary file beside the target,
// which is made durable and renamed.
#ifndef RECOUP_RESULTS_REPLACE_FILE_H
#define RECOUP_RESULTS_REPLACE_FILE_H

#include "results/text.h"

// Returns 0 or an errno value; then what was there before is untouched. `unique` makes the
// temporary name one's own (a process id). A path that is no regular file (a pipe, a device) is
// written directly.
int results_replace_file(const char *path, const struct results_text *text, uint64_t unique);

#endif
