// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/event_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/assert.h"

const char *results_instant(char buffer[RESULTS_INSTANT_SIZE], int64_t ns)
{
    uint64_t size = ns < 0 ? (uint64_t)0 - (uint64_t)ns : (uint64_t)ns;
    size_t length = (size_t)snprintf(buffer, RESULTS_INSTANT_SIZE, "%s%" PRIu64 ".%09" PRIu64,
                                     ns < 0 ? "-" : "", size / 1000000000, size % 1000000000);

    while (buffer[length - 1] == '0') {
        length--;
    }
    length -= buffer[length - 1] == '.' ? 1 : 0;
    (void)snprintf(buffer + length, RESULTS_INSTANT_SIZE - length, " s");
    return buffer;
}

void results_subject_text(const struct model_subject *subject, char *const *stages,
                          uint32_t n_stages, struct results_text *text)
{
    bool named = subject->stage < n_stages && stages != NULL;

    if (subject->stage != UINT32_MAX && named) {
        results_text_add(text, stages[subject->stage]);
    } else if (subject->stage != UINT32_MAX) {
        results_text_format(text, "stage %" PRIu32, subject->stage);
    }
    if (subject->stage != UINT32_MAX) {
        results_text_format(text, "[%" PRIu32 "], attempt %" PRIu32, subject->subtask,
                            subject->attempt);
    }
    if (subject->worker != UINT32_MAX) {
        results_text_format(text, "%sworker %" PRIu32, subject->stage != UINT32_MAX ? ", on " : "",
                            subject->worker);
    }
}

void results_event_text(const struct results_trail_event *event, char *const *stages,
                        uint32_t n_stages, struct results_text *text)
{
    char instant[RESULTS_INSTANT_SIZE];
    size_t before;

    results_text_format(text, "event %" PRIu64 " at %s: %s, %s", event->number,
                        results_instant(instant, event->event.time_ns), event->kind,
                        model_event_meaning(model_event_kind_named(event->kind)));
    results_text_add(text, " (");
    before = text->size;
    results_subject_text(&event->subject, stages, n_stages, text);
    if (text->size == before) {
        results_text_format(text, "number %" PRIu32, event->event.entity);
    }
    results_text_char(text, ')');
}

void results_chain_text(const struct results_trail_event *links, uint32_t count, bool complete,
                        char *const *stages, uint32_t n_stages, uint32_t indent,
                        struct results_text *text)
{
    uint32_t shown = count > RESULTS_CHAIN_SHOWN + 1 ? RESULTS_CHAIN_SHOWN : count;

    for (uint32_t i = 0; i < shown; i++) {
        results_text_repeat(text, " ", indent);
        results_text_add(text, i == 0 ? "" : "<- ");
        results_event_text(&links[i], stages, n_stages, text);
        results_text_char(text, '\n');
    }
    results_text_repeat(text, " ", indent);
    if (shown < count) {
        results_text_format(text, "<- ... %" PRIu32 " more links (recoup explain --event)\n",
                            count - shown);
        results_text_repeat(text, " ", indent);
    }
    results_text_add(text, complete ? "<- the set-up at time 0\n" : "<- earlier events\n");
}

const char *results_layer_name(uint32_t layer)
{
    static const char *const names[SIM_LAYER_COUNT] = {"schedule", "draws", "I/O",
                                                       "state",    "store", "result"};

    SIM_ALWAYS(layer < SIM_LAYER_COUNT);
    return names[layer];
}

enum results_change results_change_of(uint32_t layers)
{
    uint32_t order = UINT32_C(1) << SIM_LAYER_SCHEDULE | UINT32_C(1) << SIM_LAYER_RANDOM;

    if (layers == 0) {
        return RESULTS_CHANGE_NONE;
    }
    return (layers & ~order) == 0 ? RESULTS_CHANGE_ORDER : RESULTS_CHANGE_BEHAVIOUR;
}

void results_change_text(uint32_t layers, struct results_text *text)
{
    bool first = true;

    switch (results_change_of(layers)) {
    case RESULTS_CHANGE_NONE:
        results_text_add(text, "nothing changed");
        return;
    case RESULTS_CHANGE_ORDER:
        results_text_add(text, "only the order of events changed");
        break;
    case RESULTS_CHANGE_BEHAVIOUR:
        results_text_add(text, "the behaviour changed");
        break;
    }
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        if ((layers >> i & 1) != 0) {
            results_text_format(text, "%sF%" PRIu32 " %s", first ? " (" : ", ", i + 1,
                                results_layer_name(i));
            first = false;
        }
    }
    results_text_char(text, ')');
}
