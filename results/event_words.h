// SPDX-License-Identifier: GPL-3.0-or-later
//
// Events, layers and draws of a trail in words.
#ifndef RECOUP_RESULTS_EVENT_WORDS_H
#define RECOUP_RESULTS_EVENT_WORDS_H

#include "results/trail.h"

#define RESULTS_INSTANT_SIZE 40u

// A time to the nanosecond: "95.000000001 s".
const char *results_instant(char buffer[RESULTS_INSTANT_SIZE], int64_t ns);
// "scan[3], attempt 0, on worker 5"; "" when the event is about nobody in particular. `stages` may
// be short or NULL: then the stage shows under its number.
void results_subject_text(const struct model_subject *subject, char *const *stages,
                          uint32_t n_stages, struct results_text *text);
// "event 97 at 12.5 s: FINISH_REPORT, the master learns that ... (scan[3], attempt 0, on ...)".
void results_event_text(const struct results_trail_event *event, char *const *stages,
                        uint32_t n_stages, struct results_text *text);
#define RESULTS_CHAIN_SHOWN 12u

// A chain of causes, one line each, the nearest first, and of a longer one the first
// RESULTS_CHAIN_SHOWN; `indent` blanks before each.
void results_chain_text(const struct results_trail_event *links, uint32_t count, bool complete,
                        char *const *stages, uint32_t n_stages, uint32_t indent,
                        struct results_text *text);
// "schedule", "draws", "I/O", "state", "store", "result" of F1 to F6.
const char *results_layer_name(uint32_t layer);

// What a change of these layers (bit i is F(i+1)) amounts to.
enum results_change {
    RESULTS_CHANGE_NONE,
    RESULTS_CHANGE_ORDER,    // F1 and F2 alone: other events, or the same in another order
    RESULTS_CHANGE_BEHAVIOUR // what is written, held, left or measured
};
enum results_change results_change_of(uint32_t layers);
// "only the order of events changed (F1 schedule)".
void results_change_text(uint32_t layers, struct results_text *text);

#endif
