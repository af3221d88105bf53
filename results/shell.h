// SPDX-License-Identifier: GPL-3.0-or-later
//
// Words of commands that are printed to be typed again.
#ifndef RECOUP_RESULTS_SHELL_H
#define RECOUP_RESULTS_SHELL_H

#include "results/text.h"

// One word, quoted where a shell would not take it as it stands.
void results_shell_word(struct results_text *text, const char *word);
// The value of a --set. A secret of Flink's configuration is not in it; no such key changes a
// result.
void results_shell_set(struct results_text *text, const char *assignment);
// A file as an argument: one whose name begins with a dash would be taken for an option.
void results_shell_file(struct results_text *text, const char *path);

#endif
