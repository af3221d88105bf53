// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/trail.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "results/identity.h"
#include "scenarios/metrics.h"
#include "sim/assert.h"

void results_trail_release(struct results_trail *trail)
{
    for (uint32_t i = 0; i < trail->n_stages; i++) {
        free(trail->stages[i]);
    }
    free(trail->stages);
    free(trail->version);
    free(trail->name);
    free(trail->command);
    free(trail->points);
    free(trail->events);
    free(trail->metrics);
    memset(trail, 0, sizeof(*trail));
}

static uint64_t first_64(const uint8_t *digest)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < 8; i++) {
        value = value << 8 | digest[i];
    }
    return value;
}

// F2 is fed at a run's end only, so that the last draws stand for it here.
static uint64_t hash_draws(const struct model_draw *draws)
{
    unsigned char bytes[MODEL_STREAMS * 32];

    for (uint32_t i = 0; i < MODEL_STREAMS; i++) {
        sim_fingerprint_put(bytes + 32 * i, draws[i].count, 8);
        sim_fingerprint_put(bytes + 32 * i + 8, draws[i].entity, 8);
        sim_fingerprint_put(bytes + 32 * i + 16, draws[i].n, 8);
        sim_fingerprint_put(bytes + 32 * i + 24, (uint64_t)draws[i].value, 8);
    }
    return XXH3_64bits(bytes, sizeof(bytes));
}

static void hash_layers(const struct model_step *step, uint64_t layers[RESULTS_TRAIL_LAYERS])
{
    uint8_t digests[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES];
    uint8_t all[SIM_FINGERPRINT_BYTES];

    sim_fingerprint_finish(step->fingerprint, digests, all);
    for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
        layers[i] = first_64(digests[i]);
    }
    layers[SIM_LAYER_RANDOM] = hash_draws(step->draws);
}

// Keeps every other point and doubles the distance.
static void thin_points(struct results_trail *trail)
{
    uint32_t kept = trail->n_points / 2;

    for (uint32_t i = 0; i < kept; i++) {
        trail->points[i] = trail->points[2 * i + 1];
    }
    trail->n_points = kept;
    trail->spacing *= 2;
}

static void record_point(struct results_trail_recorder *recorder, const struct model_step *step)
{
    struct results_trail *trail = recorder->trail;
    struct results_trail_point *point;

    if (trail->n_points == recorder->points_max) {
        thin_points(trail);
        if (step->number % trail->spacing != 0) {
            return;
        }
    }
    point = &trail->points[trail->n_points++];
    point->events = step->number;
    point->time_ns = step->event.time_ns;
    hash_layers(step, point->layers);
}

static struct results_trail_event link_of(const struct results_journal *journal, uint64_t number,
                                          const struct sim_event *event,
                                          const struct model_subject *subject)
{
    struct results_trail_event link = {
        .number = number,
        .event = *event,
        .kind = model_event_name(event->kind),
        .subject = *subject,
        .cause = results_journal_cause(journal, sim_event_sequence(event))};

    return link;
}

static void record_chain(struct results_trail_recorder *recorder, uint64_t number)
{
    struct results_trail *trail = recorder->trail;
    const struct results_journal_event *event = results_journal_at(&recorder->journal, number);

    while (event != NULL && trail->n_chain < RESULTS_TRAIL_CHAIN_MAX) {
        struct results_trail_event link =
            link_of(&recorder->journal, number, &event->event, &event->subject);

        trail->chain[trail->n_chain++] = link;
        number = link.cause;
        trail->chain_complete = number == RESULTS_CAUSE_SETUP;
        event = results_journal_at(&recorder->journal, number);
    }
}

static void record_event(struct results_trail_recorder *recorder, const struct model_step *step)
{
    struct results_trail *trail = recorder->trail;
    struct results_trail_event *event;

    if (step->number == trail->at) {
        record_chain(recorder, step->number);
        memcpy(trail->draws, step->draws, sizeof(trail->draws));
    }
    if (trail->n_events % RESULTS_TRAIL_WINDOW == 0) {
        struct results_trail_event *grown =
            realloc(trail->events,
                    ((size_t)trail->n_events + RESULTS_TRAIL_WINDOW) * sizeof(*trail->events));

        if (grown == NULL) {
            recorder->failed = true;
            return;
        }
        trail->events = grown;
    }
    event = &trail->events[trail->n_events++];
    *event = link_of(&recorder->journal, step->number, &step->event, &step->subject);
    hash_layers(step, event->layers);
}

static void recorder_step(void *context, const struct model_step *step)
{
    struct results_trail_recorder *recorder = context;
    struct results_trail *trail = recorder->trail;

    if (recorder->failed) {
        return;
    }
    if (step->number % trail->spacing == 0) {
        record_point(recorder, step);
    }
    if (!recorder->with_window) {
        return;
    }
    results_journal_step(&recorder->journal, step);
    recorder->failed = recorder->journal.failed;
    if (!recorder->failed && step->number >= trail->at &&
        step->number - trail->at < recorder->window) {
        record_event(recorder, step);
    }
}

void results_trail_recorder_init(struct results_trail_recorder *recorder,
                                 struct results_trail *trail, uint32_t points_max, uint64_t at,
                                 uint32_t window)
{
    SIM_ALWAYS(points_max > 0 && points_max % 2 == 0 && window <= RESULTS_TRAIL_WINDOW_MAX);
    memset(recorder, 0, sizeof(*recorder));
    recorder->observer.context = recorder;
    recorder->observer.step = recorder_step;
    recorder->trail = trail;
    recorder->points_max = points_max;
    recorder->window = window;
    recorder->with_window = window > 0;
    trail->at = at;
    trail->spacing = RESULTS_TRAIL_SPACING;
    trail->points = calloc(points_max, sizeof(*trail->points));
    recorder->failed = trail->points == NULL;
    results_journal_init(&recorder->journal, RESULTS_JOURNAL_EVENTS);
    if (window > 0) {
        // Nothing behind the window is asked for.
        recorder->journal.end_number = at > UINT64_MAX - window ? UINT64_MAX : at + window;
    }
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static bool copy_stages(struct results_trail *trail, const struct scenario *scenario)
{
    trail->stages = calloc((size_t)scenario->config.n_stages + 1, sizeof(*trail->stages));
    if (trail->stages == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < scenario->config.n_stages; i++) {
        trail->stages[i] = copy_text(scenario->config.stages[i].name);
        if (trail->stages[i] == NULL) {
            return false;
        }
        trail->n_stages++;
    }
    return true;
}

static bool copy_metrics(struct results_trail *trail, const struct model_result *result,
                         int64_t faultless_ns)
{
    trail->metrics = calloc(scenario_metric_count(), sizeof(*trail->metrics));
    if (trail->metrics == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        int64_t value = 0;

        if (scenario_metric_value(result, faultless_ns, scenario_metric_at(i)->name, &value) == 0) {
            trail->metrics[i] = value;
        }
    }
    return true;
}

bool results_trail_recorder_finish(struct results_trail_recorder *recorder,
                                   const struct scenario *scenario,
                                   const struct model_result *result, int64_t faultless_ns,
                                   const char *command)
{
    struct results_trail *trail = recorder->trail;

    trail->version = copy_text(RECOUP_VERSION);
    trail->name = copy_text(scenario->name);
    trail->command = copy_text(command != NULL ? command : "");
    // A trail is made of lines, and so is this: a file's name may hold anything.
    for (char *c = trail->command; c != NULL && *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 ? '?' : *c;
    }
    trail->seed = scenario->config.seed;
    trail->total = result->events;
    trail->makespan_ns = result->makespan_ns;
    trail->state = result->state;
    _Static_assert(RESULTS_KEY_SIZE == RESULTS_TRAIL_DIGEST_SIZE, "a digest is a key");
    memcpy(trail->layers, result->layers, sizeof(trail->layers));
    memcpy(trail->fingerprint, result->fingerprint, sizeof(trail->fingerprint));
    return !recorder->failed && trail->version != NULL && trail->name != NULL &&
           trail->command != NULL && results_scenario_key(scenario->canonical, trail->digest) &&
           copy_stages(trail, scenario) && copy_metrics(trail, result, faultless_ns);
}

void results_trail_recorder_release(struct results_trail_recorder *recorder)
{
    results_journal_release(&recorder->journal);
}
