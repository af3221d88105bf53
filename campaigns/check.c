// SPDX-License-Identifier: GPL-3.0-or-later
//
// A check as a whole: what is selected, and the worker processes.
#define _XOPEN_SOURCE 700
#include "campaigns/check.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "campaigns/pool.h"
#include "results/identity.h"

// --- selecting -----------------------------------------------------------------------------------

static bool has_tag(const struct scenario *scenario, const char *tag)
{
    for (uint32_t i = 0; i < scenario->n_tags; i++) {
        if (strcmp(scenario->tags[i], tag) == 0) {
            return true;
        }
    }
    return false;
}

static char *baseline_file(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + sizeof("/.yaml");
    char *path = malloc(size);

    if (path != NULL) {
        (void)snprintf(path, size, "%s/%s.yaml", folder, name);
    }
    return path;
}

// True when the scenario means what the baseline in `folder` was accepted for.
static bool is_unchanged(const struct campaign_check_item *item, const char *folder)
{
    struct scenario_baseline baseline;
    char *path = baseline_file(folder, item->scenario.name);
    bool same = path != NULL && scenario_baseline_load(&baseline, path) == SCENARIO_OK &&
                strcmp(baseline.scenario, item->key) == 0 &&
                scenario_baseline_run(&baseline, item->scenario.config.seed) < baseline.n_runs;

    if (path != NULL) {
        scenario_baseline_release(&baseline);
    }
    free(path);
    return same;
}

static bool is_selected(const struct campaign_check *check, const struct campaign_check_item *item)
{
    const struct campaign_check_options *options = &check->options;

    if (!item->loaded) {
        // What it would be called is not known; only the path can leave it out.
        return options->name == NULL || fnmatch(options->name, item->file->path, 0) == 0;
    }
    if (options->name != NULL && fnmatch(options->name, item->scenario.name, 0) != 0 &&
        fnmatch(options->name, item->file->path, 0) != 0) {
        return false;
    }
    if (options->tag != NULL && !has_tag(&item->scenario, options->tag)) {
        return false;
    }
    return options->changed_since == NULL || !is_unchanged(item, options->changed_since);
}

static bool load_baseline(struct campaign_check *check, struct campaign_check_item *item)
{
    bool exists = true;
    char *found = NULL;
    const char *folder = check->options.baselines;
    struct stat status;
    int error;

    if (folder == NULL) {
        found = campaign_baselines_folder(item->file->path, &exists);
        folder = found;
    }
    item->baseline_path = folder != NULL ? baseline_file(folder, item->scenario.name) : NULL;
    free(found);
    if (item->baseline_path == NULL) {
        return false;
    }
    if (stat(item->baseline_path, &status) != 0 && errno == ENOENT) {
        return true;
    }
    error = scenario_baseline_load(&item->baseline, item->baseline_path);
    item->has_baseline = error == SCENARIO_OK;
    return error != SCENARIO_ENOMEM;
}

static bool load_item(struct campaign_check *check, struct campaign_check_item *item)
{
    const struct scenario_overrides none = {0};
    int error = scenario_load(&item->scenario, item->file->path, &none);

    results_text_init(&item->report.details);
    results_text_init(&item->report.json);
    item->loaded = error == SCENARIO_OK;
    if (error == SCENARIO_ENOMEM) {
        return false;
    }
    if (item->loaded && (!results_scenario_key(item->scenario.canonical, item->key) ||
                         !load_baseline(check, item))) {
        return false;
    }
    if (!is_selected(check, item)) {
        item->report.status = CAMPAIGN_CHECK_SKIPPED;
    }
    return true;
}

// Two scenarios of one name in one folder of baselines would judge each other.
static bool names_differ(struct campaign_check *check)
{
    for (uint32_t i = 0; i < check->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const struct campaign_check_item *a = &check->items[k];
            const struct campaign_check_item *b = &check->items[i];

            if (a->baseline_path != NULL && b->baseline_path != NULL &&
                strcmp(a->baseline_path, b->baseline_path) == 0) {
                (void)snprintf(check->message, sizeof(check->message),
                               "%.150s and %.150s are both named %s, and would share a baseline; "
                               "give one another name",
                               a->file->path, b->file->path, a->scenario.name);
                return false;
            }
        }
    }
    return true;
}

bool campaign_check_prepare(struct campaign_check *check,
                            const struct campaign_check_options *options)
{
    memset(check, 0, sizeof(*check));
    check->options = *options;
    if (!campaign_files_find(&check->files, options->paths, options->n_paths)) {
        (void)snprintf(check->message, sizeof(check->message), "%s", check->files.message);
        return false;
    }
    check->items = calloc((size_t)check->files.count + 1, sizeof(*check->items));
    if (check->items == NULL) {
        (void)snprintf(check->message, sizeof(check->message), "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < check->files.count; i++) {
        if (check->files.list[i].serves) {
            continue;
        }
        check->items[check->count].file = &check->files.list[i];
        if (!load_item(check, &check->items[check->count++])) {
            (void)snprintf(check->message, sizeof(check->message), "out of memory");
            return false;
        }
    }
    return names_differ(check);
}

void campaign_check_release(struct campaign_check *check)
{
    for (uint32_t i = 0; i < check->count; i++) {
        struct campaign_check_item *item = &check->items[i];

        scenario_release(&item->scenario);
        scenario_baseline_release(&item->baseline);
        results_text_release(&item->report.details);
        results_text_release(&item->report.json);
        free(item->baseline_path);
    }
    free(check->items);
    campaign_files_release(&check->files);
    memset(check, 0, sizeof(*check));
}

// --- running -------------------------------------------------------------------------------------

struct execution {
    struct campaign_check *check;
    const struct campaign_check_events *events;
    uint32_t next;
    uint32_t ended;
    uint32_t selected;
};

static bool worker_start(void *context, void **worker)
{
    struct sim_arena *arena = malloc(sizeof(*arena));

    (void)context;
    if (arena != NULL) {
        sim_arena_init(arena, 0);
    }
    *worker = arena;
    return arena != NULL;
}

static void worker_end(void *context, void *worker)
{
    (void)context;
    sim_arena_release(worker);
    free(worker);
}

static void worker_work(void *context, void *worker, uint64_t number, struct campaign_reply *reply)
{
    struct execution *e = context;
    struct campaign_check_item *item = &e->check->items[number];

    campaign_check_one(e->check, item, worker);
    campaign_reply_u32(reply, item->report.status);
    campaign_reply_u32(reply, item->report.code);
    campaign_reply_text(reply, results_text_string(&item->report.details));
    campaign_reply_text(reply, results_text_string(&item->report.json));
    reply->failed = reply->failed || item->report.details.failed || item->report.json.failed;
}

static bool parent_next(void *context, uint64_t *number)
{
    struct execution *e = context;

    while (e->next < e->check->count) {
        if (e->check->items[e->next].report.status == CAMPAIGN_CHECK_OPEN) {
            *number = e->next++;
            return true;
        }
        e->next++;
    }
    return false;
}

static void take_text(struct campaign_reader *reader, struct results_text *text)
{
    char *copy = campaign_reader_text(reader);

    if (copy != NULL) {
        results_text_add(text, copy);
    }
    free(copy);
}

// What a worker did not live to say.
static void tell_crash(struct campaign_check_item *item, const struct campaign_outcome *outcome)
{
    struct campaign_check_report *report = &item->report;
    struct results_json json;

    report->status = CAMPAIGN_CHECK_FAILED;
    report->code = CAMPAIGN_CODE_OUTSIDE;
    results_text_clear(&report->details);
    results_text_clear(&report->json);
    if (outcome->end == CAMPAIGN_ANSWERED) {
        results_text_add(&report->details, "the worker ran out of memory\n");
    } else if (outcome->signal != 0) {
        results_text_format(&report->details, "the worker process died of signal %d\n%s%s",
                            outcome->signal, outcome->errors,
                            outcome->errors[0] != '\0' ? "\n" : "");
    } else {
        results_text_format(&report->details, "the worker process left with exit code %d\n%s%s",
                            outcome->exit_code, outcome->errors,
                            outcome->errors[0] != '\0' ? "\n" : "");
    }
    results_json_init(&json, &report->json);
    results_json_object(&json);
    results_json_put_string(&json, "path", item->file->path);
    results_json_put_string(&json, "name", item->scenario.name);
    results_json_put_string(&json, "status", "failed");
    results_json_put_u64(&json, "code", report->code);
    results_json_put_string(&json, "details", results_text_string(&report->details));
    results_json_end_object(&json);
}

static bool parent_done(void *context, uint64_t number, const struct campaign_outcome *outcome)
{
    struct execution *e = context;
    struct campaign_check_item *item = &e->check->items[number];
    struct campaign_reader reader = {outcome->bytes, outcome->size, 0, false};

    item->wall_ns = outcome->wall_ns;
    if (outcome->end == CAMPAIGN_ANSWERED) {
        item->report.status = (enum campaign_check_status)campaign_reader_u32(&reader);
        item->report.code = campaign_reader_u32(&reader);
        take_text(&reader, &item->report.details);
        take_text(&reader, &item->report.json);
    }
    if (outcome->end != CAMPAIGN_ANSWERED || reader.failed) {
        tell_crash(item, outcome);
    }
    e->ended++;
    if (e->events->ended != NULL) {
        e->events->ended(e->events->context, item);
    }
    return true;
}

static void parent_tick(void *context, int64_t now_ns)
{
    struct execution *e = context;

    (void)now_ns;
    if (e->events->tick != NULL) {
        e->events->tick(e->events->context, e->ended, e->selected);
    }
}

static bool parent_drain(void *context)
{
    struct execution *e = context;

    return e->events->drain != NULL && e->events->drain(e->events->context);
}

uint32_t campaign_check_execute(struct campaign_check *check, uint32_t workers,
                                const struct campaign_check_events *events)
{
    struct execution e = {.check = check, .events = events};
    struct campaign_pool_options options = {.workers = workers};
    struct campaign_tasks tasks = {.context = &e,
                                   .start = worker_start,
                                   .work = worker_work,
                                   .end = worker_end,
                                   .next = parent_next,
                                   .done = parent_done,
                                   .tick = parent_tick,
                                   .drain = parent_drain};

    for (uint32_t i = 0; i < check->count; i++) {
        e.selected += check->items[i].report.status == CAMPAIGN_CHECK_OPEN ? 1 : 0;
    }
    options.workers = workers < e.selected || e.selected == 0 ? workers : e.selected;
    switch (campaign_pool_run(&options, &tasks, check->message, sizeof(check->message))) {
    case CAMPAIGN_COMPLETE:
        return CAMPAIGN_CODE_DONE;
    case CAMPAIGN_DRAINED:
        return e.ended == e.selected ? CAMPAIGN_CODE_DONE : CAMPAIGN_CODE_INCOMPLETE;
    case CAMPAIGN_STOPPED:
    case CAMPAIGN_OUTSIDE:
        break;
    }
    return CAMPAIGN_CODE_OUTSIDE;
}
