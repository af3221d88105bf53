// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/journal.h"

#include <stdlib.h>
#include <string.h>

#include "sim/assert.h"

#define JOURNAL_EVENTS_MIN UINT64_C(4096)

void results_journal_init(struct results_journal *journal, uint64_t events_max)
{
    SIM_ALWAYS(events_max > 0 && (events_max & (events_max - 1)) == 0);
    memset(journal, 0, sizeof(*journal));
    journal->capacity_max = events_max;
    journal->end_number = RESULTS_JOURNAL_NO_END;
    journal->end_sequence = RESULTS_JOURNAL_NO_END;
}

void results_journal_release(struct results_journal *journal)
{
    free(journal->events);
    memset(journal, 0, sizeof(*journal));
}

// Before the ring has its full size nothing is overwritten, so that growing keeps every place.
static bool journal_grow(struct results_journal *journal)
{
    uint64_t capacity = journal->capacity == 0 ? JOURNAL_EVENTS_MIN : journal->capacity * 2;
    struct results_journal_event *events;

    capacity = capacity < journal->capacity_max ? capacity : journal->capacity_max;
    events = realloc(journal->events, (size_t)capacity * sizeof(*events));
    if (events == NULL) {
        journal->failed = true;
        return false;
    }
    journal->events = events;
    journal->capacity = capacity;
    return true;
}

void results_journal_step(struct results_journal *journal, const struct model_step *step)
{
    struct results_journal_event *event;

    if (journal->seen == 0) {
        journal->set_up = step->scheduled_before;
        journal->ended = journal->ended || (journal->end_sequence != RESULTS_JOURNAL_NO_END &&
                                            journal->end_sequence < step->scheduled_before);
    }
    if (journal->ended || journal->failed) {
        return;
    }
    SIM_ASSERT(step->number == journal->seen + 1);
    if (journal->seen == journal->capacity && journal->capacity < journal->capacity_max &&
        !journal_grow(journal)) {
        return;
    }
    event = &journal->events[journal->seen % journal->capacity];
    event->event = step->event;
    event->scheduled_before = step->scheduled_before;
    event->subject = step->subject;
    journal->seen++;
    journal->ended =
        journal->seen >= journal->end_number || (journal->end_sequence != RESULTS_JOURNAL_NO_END &&
                                                 journal->end_sequence < step->scheduled);
}

const struct results_journal_event *results_journal_at(const struct results_journal *journal,
                                                       uint64_t number)
{
    if (number == 0 || number > journal->seen || journal->seen - number >= journal->capacity) {
        return NULL;
    }
    return &journal->events[(number - 1) % journal->capacity];
}

uint64_t results_journal_cause(const struct results_journal *journal, uint64_t sequence)
{
    uint64_t low = journal->seen > journal->capacity ? journal->seen - journal->capacity + 1 : 1;
    uint64_t high = journal->seen;

    if (sequence < journal->set_up || journal->seen == 0) {
        return RESULTS_CAUSE_SETUP;
    }
    if (results_journal_at(journal, low)->scheduled_before > sequence) {
        return RESULTS_CAUSE_FORGOTTEN;
    }
    // The last event whose handling began when at most `sequence` events had been scheduled.
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;

        if (results_journal_at(journal, middle)->scheduled_before <= sequence) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}
