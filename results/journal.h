// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is remembered of an observed run: its last events, by number, so that a chain of causes can
// be followed backwards. Memory is bounded; where a chain leads further back than the journal
// reaches, the run is made again with the journal ending earlier (campaigns/causes.h).
#ifndef RECOUP_RESULTS_JOURNAL_H
#define RECOUP_RESULTS_JOURNAL_H

#include <stdbool.h>

#include "models/observe.h"

#define RESULTS_JOURNAL_EVENTS (UINT32_C(1) << 20) // kept at most: 56 MiB
#define RESULTS_JOURNAL_NO_END UINT64_MAX

// Answers of results_journal_cause that are no event's number.
#define RESULTS_CAUSE_SETUP 0              // it was scheduled before the first event
#define RESULTS_CAUSE_FORGOTTEN UINT64_MAX // earlier than the journal reaches

struct results_journal_event {
    struct sim_event event;
    uint64_t scheduled_before;
    struct model_subject subject;
};

struct results_journal {
    struct results_journal_event *events; // a ring: event n stands at (n - 1) % capacity
    uint64_t capacity;
    uint64_t capacity_max;
    uint64_t seen;         // events so far that belong to the journal: numbers 1 to seen
    uint64_t set_up;       // events scheduled before the first one
    uint64_t end_number;   // the last event that is kept; RESULTS_JOURNAL_NO_END: none
    uint64_t end_sequence; // the event that scheduled this one is the last; ..._NO_END: none
    bool ended;
    bool failed; // out of memory
};

// An empty journal of at most `events_max` events, a power of two (RESULTS_JOURNAL_EVENTS, or less
// in tests). To be released.
void results_journal_init(struct results_journal *journal, uint64_t events_max);
void results_journal_release(struct results_journal *journal); // accepts a zeroed one
// To be called for every step of the run, from an observer.
void results_journal_step(struct results_journal *journal, const struct model_step *step);
// The event with this number; NULL when it is not kept.
const struct results_journal_event *results_journal_at(const struct results_journal *journal,
                                                       uint64_t number);
// The number of the event during which the one with this sequence (sim_event_sequence) was
// scheduled, or one of the answers above.
uint64_t results_journal_cause(const struct results_journal *journal, uint64_t sequence);

#endif
