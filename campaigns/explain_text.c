// SPDX-License-Identifier: GPL-3.0-or-later
//
// A chain of causes for people, and for Perfetto: there each link is a span from the event that
// scheduled it to the event itself, and arrows lead along the chain.
#include <inttypes.h>
#include <string.h>

#include "campaigns/explain.h"
#include "results/event_words.h"
#include "results/json.h"
#include "results/report.h"
#include "results/run.h"
#include "results/units.h"

#define LIST_MAX 20u // losses and findings that a list shows

// Stages' names in the form that events are told with.
struct stage_names {
    char *list[MODEL_STAGES_MAX];
    uint32_t count;
};

static void name_stages(const struct scenario *scenario, struct stage_names *names)
{
    names->count =
        scenario->config.n_stages < MODEL_STAGES_MAX ? scenario->config.n_stages : MODEL_STAGES_MAX;
    for (uint32_t i = 0; i < names->count; i++) {
        // Only read; the type is that of a trail's own texts.
        names->list[i] = (char *)(uintptr_t)scenario->config.stages[i].name;
    }
}

static void put_strike(const struct campaign_explain *e, const struct model_strike *strike,
                       struct results_text *text)
{
    const struct model_fault *fault = &e->scenario->config.faults[strike->fault];

    results_text_format(text, "the fault '%s' (%s", fault->name,
                        results_fault_kind_name(fault->kind));
    if (strike->worker != UINT32_MAX) {
        results_text_format(text, " worker %" PRIu32, strike->worker);
    } else {
        results_text_add(text,
                         fault->kind == MODEL_FAULT_STORE_ERROR ? " of the store" : " master");
    }
    results_text_char(text, ')');
}

static bool is_on_chain(const struct campaign_explain *e, uint64_t number)
{
    for (uint32_t i = 0; i < e->n_links; i++) {
        if (e->links[i].number == number) {
            return true;
        }
    }
    return false;
}

static void tell_chain(const struct campaign_explain *e, const struct stage_names *names,
                       struct results_text *text)
{
    for (uint32_t i = 0; i < e->n_links; i++) {
        results_text_add(text, i == 0 ? "  " : "  <- ");
        results_event_text(&e->links[i], names->list, names->count, text);
        results_text_char(text, '\n');
        for (uint32_t k = 0; k < e->n_strikes; k++) {
            if (e->strikes[k].number == e->links[i].number) {
                results_text_add(text, "     here ");
                put_strike(e, &e->strikes[k], text);
                results_text_add(text, " strikes\n");
            }
        }
    }
    results_text_add(text, e->complete ? "  <- the set-up at time 0\n" : "  <- earlier events\n");
}

// Faults that are not links themselves but came before: the last one is the likeliest reason.
static void tell_last_strike(const struct campaign_explain *e, struct results_text *text)
{
    const struct model_strike *last = NULL;
    char instant[RESULTS_INSTANT_SIZE];

    for (uint32_t k = 0; e->n_links > 0 && k < e->n_strikes; k++) {
        if (is_on_chain(e, e->strikes[k].number)) {
            return;
        }
        if (e->strikes[k].number <= e->links[0].number) {
            last = &e->strikes[k];
        }
    }
    if (last == NULL) {
        results_text_add(text, "no fault had struck before\n");
        return;
    }
    results_text_add(text, "no fault is on the chain; the last one before it was ");
    put_strike(e, last, text);
    results_text_format(text, ", in event %" PRIu64 " at %s\n", last->number,
                        results_instant(instant, last->time_ns));
}

static void tell_life(const struct campaign_explain *e, const struct stage_names *names,
                      struct results_text *text)
{
    results_text_add(text, "what happened to this subtask until then:\n");
    if (e->life_total > e->n_life) {
        results_text_format(text, "  ... %" PRIu64 " earlier events\n", e->life_total - e->n_life);
    }
    for (uint32_t i = 0; i < e->n_life; i++) {
        results_text_add(text, "  ");
        results_event_text(&e->life[i], names->list, names->count, text);
        results_text_char(text, '\n');
    }
}

static void put_loss(const struct model_loss *loss, const struct stage_names *names,
                     struct results_text *text)
{
    char time[RESULTS_UNITS_SIZE];
    char instant[RESULTS_INSTANT_SIZE];

    results_subject_text(&loss->subject, names->list, names->count, text);
    results_text_format(text, ": %s lost at %s, cause %s", results_slot_time(time, loss->ns),
                        results_instant(instant, loss->time_ns), model_cause_name(loss->cause));
}

static void put_finding(const struct model_finding *finding, struct results_text *text)
{
    char instant[RESULTS_INSTANT_SIZE];

    results_text_format(text, "%s (%s) at %s, event %" PRIu64 ": %s", finding->invariant,
                        finding->hazard != NULL ? finding->hazard : "explained by no active policy",
                        results_instant(instant, finding->at_ns), finding->event, finding->message);
}

static void tell_list(const struct campaign_explain *e, const struct stage_names *names,
                      struct results_text *text)
{
    results_text_format(text, "%" PRIu32 " findings", e->result.n_findings);
    results_text_add(text, e->result.n_findings > 0 ? "; explain one with --finding N:\n" : "\n");
    for (uint32_t i = 0; i < e->result.n_findings && i < LIST_MAX; i++) {
        results_text_format(text, "  %" PRIu32 "  ", i + 1);
        put_finding(&e->result.findings[i], text);
        results_text_char(text, '\n');
    }
    if (e->result.n_findings > LIST_MAX) {
        results_text_format(text, "  ... %" PRIu32 " more\n", e->result.n_findings - LIST_MAX);
    }
    results_text_format(text, "%" PRIu64 " attempts lost", e->losses_total);
    results_text_add(text,
                     e->losses_total > 0 ? "; explain one with --lost 'STAGE[SUBTASK]':\n" : "\n");
    for (uint32_t i = 0; i < e->n_losses && i < LIST_MAX; i++) {
        results_text_add(text, "  ");
        put_loss(&e->losses[i], names, text);
        results_text_char(text, '\n');
    }
    if (e->losses_total > LIST_MAX) {
        results_text_format(text, "  ... %" PRIu64 " more\n", e->losses_total - LIST_MAX);
    }
}

void campaign_explain_text(const struct campaign_explain *explain, struct results_text *text)
{
    struct stage_names names;

    name_stages(explain->scenario, &names);
    if (explain->what == CAMPAIGN_EXPLAIN_LIST) {
        tell_list(explain, &names, text);
        return;
    }
    if (explain->finding != NULL) {
        put_finding(explain->finding, text);
        results_text_add(text, "\nfound during:\n");
    } else if (explain->loss != NULL) {
        put_loss(explain->loss, &names, text);
        results_text_format(text, ": %s\ndecided during:\n",
                            results_cause_meaning(explain->loss->cause));
    }
    tell_chain(explain, &names, text);
    tell_last_strike(explain, text);
    if (explain->loss != NULL) {
        tell_life(explain, &names, text);
    }
}

// --- the trace -----------------------------------------------------------------------------------

enum { PROCESS_CHAIN = 1, PROCESS_LIFE = 2, PROCESS_FAULTS = 3 };

static void trace_begin(struct results_text *text, bool *first, const char *phase, int process)
{
    results_text_add(text, *first ? "" : ",\n");
    *first = false;
    results_text_format(text, "{\"ph\":\"%s\",\"pid\":%d,\"tid\":1", phase, process);
}

static void trace_time(struct results_text *text, const char *key, int64_t ns)
{
    results_text_format(text, ",\"%s\":%" PRId64 ".%03" PRId64, key, ns / 1000, ns % 1000);
}

static void trace_string(struct results_text *text, const char *key, const char *value)
{
    struct results_json json;

    results_text_format(text, ",\"%s\":", key);
    results_json_init(&json, text);
    results_json_string(&json, value);
}

static void trace_process(struct results_text *text, bool *first, int process, const char *name)
{
    trace_begin(text, first, "M", process);
    results_text_add(text, ",\"name\":\"process_name\",\"args\":{\"name\":");
    struct results_json json;

    results_json_init(&json, text);
    results_json_string(&json, name);
    results_text_add(text, "}}");
}

static void trace_arguments(const struct results_trail_event *event,
                            const struct stage_names *names, struct results_text *text)
{
    struct results_text words;

    results_text_init(&words);
    results_subject_text(&event->subject, names->list, names->count, &words);
    results_text_format(text, ",\"args\":{\"event\":%" PRIu64, event->number);
    trace_string(text, "meaning", model_event_meaning(event->event.kind));
    trace_string(text, "about", results_text_string(&words));
    results_text_char(text, '}');
    results_text_release(&words);
}

// A span from the event that scheduled it; an arrow from there.
static void trace_link(const struct campaign_explain *e, uint32_t index,
                       const struct stage_names *names, struct results_text *text, bool *first)
{
    const struct results_trail_event *link = &e->links[index];
    int64_t from_ns = index + 1 < e->n_links ? e->links[index + 1].event.time_ns
                      : e->complete          ? 0
                                             : link->event.time_ns;

    trace_begin(text, first, "X", PROCESS_CHAIN);
    trace_time(text, "ts", from_ns);
    trace_time(text, "dur", link->event.time_ns - from_ns);
    trace_string(text, "name", link->kind);
    trace_arguments(link, names, text);
    results_text_char(text, '}');
    trace_begin(text, first, index + 1 == e->n_links ? "s" : index == 0 ? "f" : "t", PROCESS_CHAIN);
    trace_time(text, "ts", link->event.time_ns);
    results_text_add(text, ",\"id\":1,\"cat\":\"cause\",\"name\":\"cause\",\"bp\":\"e\"}");
}

static void trace_instant(const struct results_trail_event *event, int process,
                          const struct stage_names *names, struct results_text *text, bool *first)
{
    trace_begin(text, first, "i", process);
    trace_time(text, "ts", event->event.time_ns);
    results_text_add(text, ",\"s\":\"t\"");
    trace_string(text, "name", event->kind);
    trace_arguments(event, names, text);
    results_text_char(text, '}');
}

void campaign_explain_trace(const struct campaign_explain *explain, struct results_text *text)
{
    struct stage_names names;
    bool first = true;

    name_stages(explain->scenario, &names);
    results_text_add(text, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    trace_process(text, &first, PROCESS_CHAIN, "chain of causes");
    for (uint32_t i = explain->n_links; i > 0; i--) {
        trace_link(explain, i - 1, &names, text, &first);
    }
    if (explain->n_life > 0) {
        trace_process(text, &first, PROCESS_LIFE, "the subtask");
    }
    for (uint32_t i = 0; i < explain->n_life; i++) {
        trace_instant(&explain->life[i], PROCESS_LIFE, &names, text, &first);
    }
    if (explain->n_strikes > 0) {
        trace_process(text, &first, PROCESS_FAULTS, "faults");
    }
    for (uint32_t i = 0; i < explain->n_strikes; i++) {
        const struct model_strike *strike = &explain->strikes[i];

        trace_begin(text, &first, "i", PROCESS_FAULTS);
        trace_time(text, "ts", strike->time_ns);
        results_text_add(text, ",\"s\":\"g\"");
        trace_string(text, "name", explain->scenario->config.faults[strike->fault].name);
        results_text_char(text, '}');
    }
    results_text_add(text, "\n]}\n");
}
