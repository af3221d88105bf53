// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a program's words go: results to standard output, everything else to standard error.
#ifndef RECOUP_CLI_OUTPUT_H
#define RECOUP_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "results/page.h"
#include "results/text.h"
#include "scenarios/scenario.h"

// Makes descriptors 0 to 2 exist, so that no file is opened as one of them, and turns writing to a
// closed pipe or over a size limit into errors.
void cli_output_prepare(void);
// Writes a result to standard output. Returns CLI_DONE, or CLI_OUTSIDE after a message.
int cli_output_result(const struct results_text *text);
// Checks that all that was written through stdio has arrived; `failed` is what the caller knows.
int cli_output_finish_stdio(bool failed);
// Closes standard output: some file systems only now say that the disk is full.
int cli_output_close(void);

// "recoup: " and the message and a line feed, to standard error.
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Each line of `lines` with "recoup: " before it.
void cli_complain_lines(struct results_text *lines);
// Messages about the input as file:line:column; `severity` is NULL for errors, which carry no word.
void cli_complain_input(const struct scenario_message *messages, uint32_t n_messages,
                        const char *severity);

// Columns of the terminal that is standard output; `elsewhere` where it is none.
uint32_t cli_width(uint32_t elsewhere);
// How the page may look: from --color, the terminal and the environment.
void cli_style(struct results_style *style, const char *color);

#endif
