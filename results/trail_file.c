// SPDX-License-Identifier: GPL-3.0-or-later
//
// A trail as a file of lines, each a keyword and its words. Written and read in one fixed order, so
// that two trails can also be compared by eye.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "results/trail.h"
#include "scenarios/metrics.h"

#define WORDS_MAX 20u
#define STAGES_MAX 65536u

// --- writing -----------------------------------------------------------------------------------

static void put_layers(struct results_text *text, const uint64_t layers[RESULTS_TRAIL_LAYERS])
{
    for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
        results_text_format(text, " %016" PRIx64, layers[i]);
    }
}

static void put_index(struct results_text *text, uint64_t value, uint64_t none)
{
    if (value == none) {
        results_text_add(text, " -");
    } else {
        results_text_format(text, " %" PRIu64, value);
    }
}

static void put_event(struct results_text *text, const char *keyword,
                      const struct results_trail_event *event)
{
    results_text_format(text, "%s %" PRIu64 " %" PRId64 " %" PRIx64 " %s %" PRIu32 " %" PRIu64,
                        keyword, event->number, event->event.time_ns, event->event.order,
                        event->kind, event->event.entity, event->event.arg);
    put_index(text, event->cause, RESULTS_CAUSE_FORGOTTEN);
    put_index(text, event->subject.stage, UINT32_MAX);
    put_index(text, event->subject.subtask, UINT32_MAX);
    put_index(text, event->subject.attempt, UINT32_MAX);
    put_index(text, event->subject.worker, UINT32_MAX);
}

static void put_end(struct results_text *text, const struct results_trail *trail)
{
    results_text_format(text, "end %" PRIu64 " %" PRId64 " %s\n", trail->total, trail->makespan_ns,
                        model_job_state_name(trail->state));
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        results_text_format(text, "metric %s %" PRId64 "\n", scenario_metric_at(i)->name,
                            trail->metrics[i]);
    }
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        results_text_format(text, "layer F%" PRIu32 " ", i + 1);
        results_text_hex(text, trail->layers[i], SIM_FINGERPRINT_BYTES);
        results_text_char(text, '\n');
    }
    results_text_add(text, "fingerprint ");
    results_text_hex(text, trail->fingerprint, SIM_FINGERPRINT_BYTES);
    results_text_char(text, '\n');
}

void results_trail_text(const struct results_trail *trail, struct results_text *text)
{
    results_text_format(text,
                        "%s\nrecoup %s\nscenario %s\ncommand %s\ndigest %s\nseed %" PRIu64 "\n",
                        RESULTS_TRAIL_MAGIC, trail->version, trail->name, trail->command,
                        trail->digest, trail->seed);
    for (uint32_t i = 0; i < trail->n_stages; i++) {
        results_text_format(text, "stage %s\n", trail->stages[i]);
    }
    results_text_format(text, "spacing %" PRIu64 "\n", trail->spacing);
    for (uint32_t i = 0; i < trail->n_points; i++) {
        results_text_format(text, "point %" PRIu64 " %" PRId64, trail->points[i].events,
                            trail->points[i].time_ns);
        put_layers(text, trail->points[i].layers);
        results_text_char(text, '\n');
    }
    results_text_format(text, "at %" PRIu64 " %s\n", trail->at,
                        trail->chain_complete ? "complete" : "cut");
    for (uint32_t i = 0; i < trail->n_chain; i++) {
        put_event(text, "link", &trail->chain[i]);
        results_text_char(text, '\n');
    }
    for (uint32_t i = 0; i < MODEL_STREAMS; i++) {
        if (trail->draws[i].count != 0) {
            results_text_format(
                text, "draw %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", i,
                trail->draws[i].count, trail->draws[i].entity, trail->draws[i].n,
                trail->draws[i].value);
        }
    }
    for (uint32_t i = 0; i < trail->n_events; i++) {
        put_event(text, "event", &trail->events[i]);
        put_layers(text, trail->events[i].layers);
        results_text_char(text, '\n');
    }
    put_end(text, trail);
}

// --- reading -----------------------------------------------------------------------------------

struct parser {
    struct results_trail *trail;
    struct results_text *message;
    const char *next;
    const char *end;
    uint32_t line;
    char *words[WORDS_MAX]; // of the current line, terminated
    uint32_t n_words;
    char *rest; // of the current line behind the keyword
    char *buffer;
    size_t buffer_size;
    bool failed;
};

static void fail_at(struct parser *p, const char *expected, const char *found)
{
    if (!p->failed) {
        results_text_format(p->message, "line %" PRIu32 ": expected %s, found '%.60s'", p->line,
                            expected, found);
    }
    p->failed = true;
}

static bool buffer_fits(struct parser *p, size_t size)
{
    if (size <= p->buffer_size) {
        return true;
    }
    free(p->buffer);
    p->buffer = malloc(size);
    p->buffer_size = p->buffer != NULL ? size : 0;
    if (p->buffer == NULL) {
        fail_at(p, "memory", "none left");
    }
    return p->buffer != NULL;
}

// Splits the line that follows into words. False at the end of the file or after an error.
static bool line_next(struct parser *p)
{
    const char *stop = p->next < p->end ? memchr(p->next, '\n', (size_t)(p->end - p->next)) : NULL;
    size_t size;
    char *at;

    p->n_words = 0;
    p->line++;
    if (p->failed || stop == NULL) {
        fail_at(p, "another line", "the end of the file");
        return false;
    }
    size = (size_t)(stop - p->next);
    if (memchr(p->next, '\0', size) != NULL || !buffer_fits(p, 2 * size + 2)) {
        fail_at(p, "text", "a zero byte");
        return false;
    }
    memcpy(p->buffer, p->next, size);
    p->buffer[size] = '\0';
    memcpy(p->buffer + size + 1, p->buffer, size + 1);
    p->rest = p->buffer + size + 1 + strcspn(p->buffer, " ");
    p->rest += *p->rest == ' ' ? 1 : 0;
    p->next = stop + 1;
    for (at = p->buffer; p->n_words < WORDS_MAX; at++) {
        p->words[p->n_words++] = at;
        at += strcspn(at, " ");
        if (*at == '\0') {
            return true;
        }
        *at = '\0';
    }
    return true; // a text, or a line that the number of words refuses
}

static bool is_line(const struct parser *p, const char *keyword)
{
    return p->n_words > 0 && strcmp(p->words[0], keyword) == 0;
}

// The line that follows, which must be of this kind and have so many words behind the keyword.
static bool line_expect(struct parser *p, const char *keyword, uint32_t words)
{
    if (!line_next(p)) {
        return false;
    }
    if (!is_line(p, keyword) || (words != 0 && p->n_words != words + 1)) {
        fail_at(p, keyword, p->rest != NULL ? p->words[0] : "");
    }
    return !p->failed;
}

static uint64_t digits(struct parser *p, const char *word, uint64_t base)
{
    uint64_t value = 0;

    for (const char *c = word; *c != '\0' || c == word; c++) {
        uint64_t digit = *c >= '0' && *c <= '9'   ? (uint64_t)(*c - '0')
                         : *c >= 'a' && *c <= 'f' ? (uint64_t)(*c - 'a') + 10
                                                  : 99;

        if (digit >= base || value > (UINT64_MAX - digit) / base) {
            fail_at(p, base == 10 ? "a number" : "a hexadecimal number", word);
            return 0;
        }
        value = value * base + digit;
    }
    return value;
}

static uint64_t number_at(struct parser *p, uint32_t word, uint64_t max)
{
    uint64_t value = digits(p, p->words[word], 10);

    if (value > max) {
        fail_at(p, "a smaller number", p->words[word]);
        return 0;
    }
    return value;
}

static int64_t signed_at(struct parser *p, uint32_t word)
{
    bool negative = p->words[word][0] == '-';
    uint64_t value = digits(p, p->words[word] + (negative ? 1 : 0), 10);

    if (value > (uint64_t)INT64_MAX) {
        fail_at(p, "a number of 63 bits", p->words[word]);
        return 0;
    }
    return negative ? -(int64_t)value : (int64_t)value;
}

static uint64_t index_at(struct parser *p, uint32_t word, uint64_t none)
{
    return strcmp(p->words[word], "-") == 0 ? none : number_at(p, word, none);
}

static void digest_at(struct parser *p, uint32_t word, uint8_t digest[SIM_FINGERPRINT_BYTES])
{
    const char *text = p->words[word];
    char byte[3] = {0};

    if (strlen(text) != 2 * SIM_FINGERPRINT_BYTES) {
        fail_at(p, "32 hexadecimal digits", text);
        return;
    }
    for (uint32_t i = 0; i < SIM_FINGERPRINT_BYTES; i++) {
        memcpy(byte, text + 2 * i, 2);
        digest[i] = (uint8_t)digits(p, byte, 16);
    }
}

static char *text_line(struct parser *p, const char *keyword)
{
    char *copy = NULL;

    if (line_expect(p, keyword, 0)) {
        copy = malloc(strlen(p->rest) + 1);
        if (copy == NULL) {
            fail_at(p, "memory", "none left");
        } else {
            memcpy(copy, p->rest, strlen(p->rest) + 1);
        }
    }
    return copy;
}

static void layers_at(struct parser *p, uint32_t word, uint64_t layers[RESULTS_TRAIL_LAYERS])
{
    for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
        layers[i] = digits(p, p->words[word + i], 16);
    }
}

// The name as this build has it, so that it needs no memory; other builds may know others.
static const char *kind_at(const char *word)
{
    return model_event_name(model_event_kind_named(word));
}

static void event_at(struct parser *p, struct results_trail_event *event)
{
    event->number = number_at(p, 1, UINT64_MAX);
    event->event.time_ns = signed_at(p, 2);
    event->event.order = digits(p, p->words[3], 16);
    event->kind = kind_at(p->words[4]);
    event->event.entity = (uint32_t)number_at(p, 5, UINT32_MAX);
    event->event.arg = number_at(p, 6, UINT64_MAX);
    event->cause = index_at(p, 7, RESULTS_CAUSE_FORGOTTEN);
    event->subject.stage = (uint32_t)index_at(p, 8, UINT32_MAX);
    event->subject.subtask = (uint32_t)index_at(p, 9, UINT32_MAX);
    event->subject.attempt = (uint32_t)index_at(p, 10, UINT32_MAX);
    event->subject.worker = (uint32_t)index_at(p, 11, UINT32_MAX);
}

// Room for one more element of `size` bytes; NULL after an error.
static void *grow(struct parser *p, void *list, uint32_t count, size_t size, uint32_t max)
{
    void *grown = list;

    if (count >= max) {
        fail_at(p, "fewer such lines", p->words[0]);
        return NULL;
    }
    if ((count & (count - 1)) == 0) {
        grown = realloc(list, (count == 0 ? 1 : (size_t)count * 2) * size);
        if (grown == NULL) {
            fail_at(p, "memory", "none left");
        }
    }
    return grown;
}

static void parse_head(struct parser *p)
{
    struct results_trail *trail = p->trail;

    if (!line_next(p)) {
        return;
    }
    if (!is_line(p, "recoup-trail") || strcmp(p->rest, "1") != 0) {
        fail_at(p, "'" RESULTS_TRAIL_MAGIC "'", p->words[0]);
        return;
    }
    trail->version = text_line(p, "recoup");
    trail->name = text_line(p, "scenario");
    trail->command = text_line(p, "command");
    if (line_expect(p, "digest", 1)) {
        uint8_t digest[SIM_FINGERPRINT_BYTES];

        digest_at(p, 1, digest);
        if (!p->failed) {
            sim_fingerprint_hex(digest, trail->digest);
        }
    }
    if (line_expect(p, "seed", 1)) {
        trail->seed = number_at(p, 1, INT64_MAX);
    }
}

static void parse_stages(struct parser *p)
{
    struct results_trail *trail = p->trail;

    while (line_next(p) && is_line(p, "stage")) {
        char **grown = grow(p, trail->stages, trail->n_stages, sizeof(*grown), STAGES_MAX);

        if (grown == NULL) {
            return;
        }
        trail->stages = grown;
        trail->stages[trail->n_stages] = malloc(strlen(p->rest) + 1);
        if (trail->stages[trail->n_stages] == NULL) {
            fail_at(p, "memory", "none left");
            return;
        }
        memcpy(trail->stages[trail->n_stages++], p->rest, strlen(p->rest) + 1);
    }
}

static void parse_points(struct parser *p)
{
    struct results_trail *trail = p->trail;

    if (p->failed || !is_line(p, "spacing") || p->n_words != 2) {
        fail_at(p, "spacing", p->n_words > 0 ? p->words[0] : "");
        return;
    }
    trail->spacing = number_at(p, 1, UINT64_MAX);
    while (line_next(p) && is_line(p, "point")) {
        struct results_trail_point *grown =
            grow(p, trail->points, trail->n_points, sizeof(*grown), RESULTS_TRAIL_POINTS);

        trail->points = grown != NULL ? grown : trail->points;
        if (grown == NULL || p->n_words != 3 + RESULTS_TRAIL_LAYERS) {
            fail_at(p, "a point with 7 words", p->rest);
            return;
        }
        grown += trail->n_points++;
        grown->events = number_at(p, 1, UINT64_MAX);
        grown->time_ns = signed_at(p, 2);
        layers_at(p, 3, grown->layers);
        if (trail->spacing == 0 || grown->events != trail->n_points * trail->spacing) {
            fail_at(p, "points at equal distances", p->words[1]);
            return;
        }
    }
}

static void parse_chain(struct parser *p)
{
    struct results_trail *trail = p->trail;

    if (p->failed || !is_line(p, "at") || p->n_words != 3) {
        fail_at(p, "at", p->n_words > 0 ? p->words[0] : "");
        return;
    }
    trail->at = number_at(p, 1, UINT64_MAX);
    trail->chain_complete = strcmp(p->words[2], "complete") == 0;
    while (line_next(p) && is_line(p, "link")) {
        if (trail->n_chain == RESULTS_TRAIL_CHAIN_MAX || p->n_words != 12) {
            fail_at(p, "at most 64 links of 11 words", p->rest);
            return;
        }
        event_at(p, &trail->chain[trail->n_chain++]);
    }
    while (!p->failed && is_line(p, "draw")) {
        struct model_draw *draw;

        if (p->n_words != 6) {
            fail_at(p, "a draw with 5 words", p->rest);
            return;
        }
        draw = &trail->draws[number_at(p, 1, MODEL_STREAMS - 1)];
        draw->count = number_at(p, 2, UINT64_MAX);
        draw->entity = number_at(p, 3, UINT64_MAX);
        draw->n = number_at(p, 4, UINT64_MAX);
        draw->value = signed_at(p, 5);
        (void)line_next(p);
    }
}

static void parse_events(struct parser *p)
{
    struct results_trail *trail = p->trail;

    while (!p->failed && is_line(p, "event")) {
        struct results_trail_event *grown =
            grow(p, trail->events, trail->n_events, sizeof(*grown), RESULTS_TRAIL_WINDOW_MAX);

        trail->events = grown != NULL ? grown : trail->events;
        if (grown == NULL || p->n_words != 12 + RESULTS_TRAIL_LAYERS) {
            fail_at(p, "an event with 16 words", p->rest);
            return;
        }
        grown += trail->n_events++;
        event_at(p, grown);
        layers_at(p, 12, grown->layers);
        if (grown->number - trail->at != trail->n_events - 1) {
            fail_at(p, "events in order", p->words[1]);
            return;
        }
        (void)line_next(p);
    }
}

static void parse_state(struct parser *p)
{
    for (int state = MODEL_JOB_RUNNING; state <= MODEL_JOB_TIMEOUT; state++) {
        if (strcmp(model_job_state_name((enum model_job_state)state), p->words[3]) == 0) {
            p->trail->state = (enum model_job_state)state;
            return;
        }
    }
    fail_at(p, "the state of a job", p->words[3]);
}

static void parse_metrics(struct parser *p)
{
    p->trail->metrics = calloc(scenario_metric_count(), sizeof(*p->trail->metrics));
    if (p->trail->metrics == NULL) {
        fail_at(p, "memory", "none left");
    }
    while (!p->failed && line_next(p) && is_line(p, "metric")) {
        int64_t value = p->n_words == 3 ? signed_at(p, 2) : 0;

        if (p->n_words != 3) {
            fail_at(p, "a metric with its value", p->rest);
        }
        // Other builds may have other metrics: those are left out.
        for (uint32_t i = 0; !p->failed && i < scenario_metric_count(); i++) {
            if (strcmp(scenario_metric_at(i)->name, p->words[1]) == 0) {
                p->trail->metrics[i] = value;
            }
        }
    }
}

static void parse_end(struct parser *p)
{
    static const char *const names[SIM_LAYER_COUNT] = {"F1", "F2", "F3", "F4", "F5", "F6"};
    struct results_trail *trail = p->trail;

    if (p->failed || !is_line(p, "end") || p->n_words != 4) {
        fail_at(p, "end", p->n_words > 0 ? p->words[0] : "");
        return;
    }
    trail->total = number_at(p, 1, UINT64_MAX);
    trail->makespan_ns = signed_at(p, 2);
    parse_state(p);
    parse_metrics(p);
    for (uint32_t i = 0; i < SIM_LAYER_COUNT && !p->failed; i++) {
        if (!is_line(p, "layer") || p->n_words != 3 || strcmp(p->words[1], names[i]) != 0) {
            fail_at(p, "the layers F1 to F6", p->n_words > 0 ? p->words[0] : "");
            return;
        }
        digest_at(p, 2, trail->layers[i]);
        (void)line_next(p);
    }
    if (p->failed || !is_line(p, "fingerprint") || p->n_words != 2) {
        fail_at(p, "fingerprint", p->n_words > 0 ? p->words[0] : "");
        return;
    }
    digest_at(p, 1, trail->fingerprint);
    if (!p->failed && p->next != p->end) {
        p->line++;
        fail_at(p, "the end of the file", "more");
    }
}

bool results_trail_parse(struct results_trail *trail, const char *bytes, size_t size,
                         struct results_text *message)
{
    struct parser p = {.trail = trail, .message = message, .next = bytes, .end = bytes + size};

    memset(trail, 0, sizeof(*trail));
    parse_head(&p);
    parse_stages(&p);
    parse_points(&p);
    parse_chain(&p);
    parse_events(&p);
    parse_end(&p);
    free(p.buffer);
    return !p.failed;
}
