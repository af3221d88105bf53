// SPDX-License-Identifier: GPL-3.0-or-later
//
// The worker's side of a sweep: makes runs in one arena, keeps the scenarios of the last points,
// and remembers what jobs without faults took.
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaigns/memory.h"
#include "campaigns/sweep_parts.h"
#include "models/run.h"
#include "results/identity.h"
#include "results/record.h"
#include "results/units.h"
#include "sim/error.h"

#define WORK_SCENARIOS 64u    // kept loaded
#define WORK_TWINS (1u << 16) // makespans without faults that are remembered

struct work_scenario {
    struct scenario scenario;
    bool loaded;
    uint32_t point;
    uint64_t used;               // when, in runs
    char twin[RESULTS_KEY_SIZE]; // what its makespan without faults depends on, besides the seed
};

struct work_twin {
    uint64_t key[2]; // 0: empty
    int64_t makespan_ns;
    bool cut; // it did not come to its end: how long the job takes is not known
};

struct sweep_worker {
    struct sim_arena arena;
    struct results_text bytes;
    struct work_twin *twins;
    uint64_t runs;
    struct work_scenario scenarios[WORK_SCENARIOS];
};

void sweep_work_workers(struct sweep_campaign *campaign, uint32_t workers)
{
    campaign->workers = workers != 0 ? workers : campaign_pool_default_workers();
    campaign->memory_bytes = campaign->sweep->memory_bytes > 0
                                 ? (uint64_t)campaign->sweep->memory_bytes
                                 : campaign_memory_share(campaign->workers);
}

bool sweep_work_start(void *context, void **out)
{
    struct sweep_campaign *campaign = context;
    struct sweep_worker *worker = calloc(1, sizeof(*worker));

    // The lock is the parent's: it must end with the parent.
    if (campaign->lock >= 0) {
        (void)close(campaign->lock);
    }
    if (worker == NULL) {
        return false;
    }
    worker->twins = calloc(WORK_TWINS, sizeof(*worker->twins));
    sim_arena_init(&worker->arena, campaign->memory_bytes);
    results_text_init(&worker->bytes);
    *out = worker;
    return worker->twins != NULL;
}

void sweep_work_end(void *context, void *out)
{
    struct sweep_worker *worker = out;

    (void)context;
    for (uint32_t i = 0; i < WORK_SCENARIOS; i++) {
        if (worker->scenarios[i].loaded) {
            scenario_release(&worker->scenarios[i].scenario);
        }
    }
    sim_arena_release(&worker->arena);
    results_text_release(&worker->bytes);
    free(worker->twins);
    free(worker);
}

static void answer_error(struct campaign_reply *reply, const char *text)
{
    campaign_reply_u32(reply, SWEEP_ANSWER_ERROR);
    campaign_reply_text(reply, text);
}

// --- scenarios -----------------------------------------------------------------------------------

static bool starts_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

// The canonical text has one "path = value" line per value. Faults, expectations, names and the
// seed do not change what a job without faults takes.
static bool twin_key(const char *canonical, char key[RESULTS_KEY_SIZE])
{
    static const char *const left_out[] = {"faults", "expect", "name ", "about ", "seed "};
    char *rest = malloc(strlen(canonical) + 1);
    const char *const parts[] = {"twin", rest};
    char *to = rest;

    if (rest == NULL) {
        return false;
    }
    while (*canonical != '\0') {
        size_t size = strcspn(canonical, "\n");
        bool keep = true;

        size += canonical[size] == '\n' ? 1 : 0;
        for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
            keep = keep && !starts_with(canonical, left_out[i]);
        }
        if (keep) {
            memcpy(to, canonical, size);
            to += size;
        }
        canonical += size;
    }
    *to = '\0';
    results_key(parts, 2, key);
    free(rest);
    return true;
}

static struct work_scenario *oldest(struct sweep_worker *worker)
{
    struct work_scenario *found = &worker->scenarios[0];

    for (uint32_t i = 0; i < WORK_SCENARIOS; i++) {
        if (!worker->scenarios[i].loaded) {
            return &worker->scenarios[i];
        }
        if (worker->scenarios[i].used < found->used) {
            found = &worker->scenarios[i];
        }
    }
    return found;
}

static struct work_scenario *find(struct sweep_worker *worker, uint32_t point)
{
    for (uint32_t i = 0; i < WORK_SCENARIOS; i++) {
        if (worker->scenarios[i].loaded && worker->scenarios[i].point == point) {
            return &worker->scenarios[i];
        }
    }
    return NULL;
}

static void answer_load_error(const struct scenario *scenario, int error,
                              struct campaign_reply *reply)
{
    char text[2048] = "the scenario cannot be loaded any more";

    if (error == SCENARIO_ENOMEM) {
        reply->failed = true;
        return;
    }
    if (scenario->n_errors > 0) {
        (void)scenario_message_format(&scenario->errors[0], NULL, text, sizeof(text));
    }
    answer_error(reply, text);
}

// The scenario of a point with this seed; NULL after an answer that says why not.
static struct work_scenario *load(struct sweep_worker *worker, const struct scenario_sweep *sweep,
                                  uint32_t point, uint64_t seed, struct campaign_reply *reply)
{
    struct work_scenario *entry = find(worker, point);
    int error = SCENARIO_OK;

    if (entry == NULL) {
        entry = oldest(worker);
        if (entry->loaded) {
            scenario_release(&entry->scenario);
        }
        entry->loaded = false;
        entry->point = point;
        error = scenario_point_load(sweep, &sweep->points[point], seed, &entry->scenario);
        if (error == SCENARIO_OK && !twin_key(entry->scenario.canonical, entry->twin)) {
            error = SCENARIO_ENOMEM;
        }
        if (error != SCENARIO_OK) {
            answer_load_error(&entry->scenario, error, reply);
            scenario_release(&entry->scenario);
            return NULL;
        }
        entry->loaded = true;
    } else if (scenario_reseed(&entry->scenario, seed) != SCENARIO_OK) {
        reply->failed = true;
        return NULL;
    }
    entry->used = ++worker->runs;
    return entry;
}

// --- runs ----------------------------------------------------------------------------------------

static bool needs_twin(const struct model_config *config)
{
    for (uint32_t i = 0; i < config->n_faults; i++) {
        if (config->faults[i].trigger == MODEL_TRIGGER_AT_SHARE) {
            return true;
        }
    }
    // Without a time to stop at, it comes from the makespan.
    return config->stop_at_ns == 0;
}

static struct work_twin *find_twin(struct sweep_worker *worker, const struct work_scenario *entry,
                                   uint64_t key[2])
{
    uint64_t seed = entry->scenario.config.seed;

    key[0] = results_key_bits(entry->twin) ^ (seed * UINT64_C(0x9e3779b97f4a7c15));
    key[1] = results_key_bits(entry->twin + 16) ^ seed;
    key[0] += key[0] == 0 ? 1 : 0;
    return &worker->twins[(key[0] ^ key[0] >> 32) % WORK_TWINS];
}

// A run and, where it needs one that is not remembered, its twin before it. A twin with findings is
// not remembered, since they belong to each run that it stands beside: it is made again.
static int run_pair(struct sweep_worker *worker, const struct work_scenario *entry,
                    struct model_result *result, int64_t *faultless_ns)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON, .without_faults = true};
    const struct model_config *config = &entry->scenario.config;
    struct work_twin found;
    uint64_t key[2];
    struct work_twin *twin = find_twin(worker, entry, key);
    bool remembered = twin->key[0] == key[0] && twin->key[1] == key[1];

    if (!remembered) {
        int error = model_run(config, &options, &worker->arena, result);

        if (error != 0) {
            return error;
        }
        found = (struct work_twin){.key = {key[0], key[1]},
                                   .makespan_ns = result->makespan_ns,
                                   .cut = result->state == MODEL_JOB_TIMEOUT};
        if (result->findings_total == 0) {
            *twin = found;
        }
    } else {
        found = *twin;
    }
    *faultless_ns = found.cut ? MODEL_MAKESPAN_UNKNOWN : found.makespan_ns;
    options.without_faults = false;
    if (!remembered) {
        return model_run_beside(config, &options, &worker->arena, result);
    }
    // A job that takes no time at all is known, too: any share of 1 ns is 0.
    options.faultless_makespan_ns = found.makespan_ns > 0 ? found.makespan_ns : 1;
    return model_run(config, &options, &worker->arena, result);
}

static int run_once(struct sweep_worker *worker, const struct scenario_sweep *sweep,
                    const struct work_scenario *entry, struct model_result *result,
                    int64_t *faultless_ns)
{
    static const struct model_run_options alone = {.invariants = MODEL_INVARIANTS_ON};
    const struct model_config *config = &entry->scenario.config;
    int error;

    *faultless_ns = MODEL_MAKESPAN_UNKNOWN;
    if (config->n_faults > 0 && (sweep->measure_delay || needs_twin(config))) {
        return run_pair(worker, entry, result, faultless_ns);
    }
    error = model_run(config, &alone, &worker->arena, result);
    if (error == 0 && config->n_faults == 0) {
        *faultless_ns = result->makespan_ns;
    }
    return error;
}

static void answer_run(struct sweep_worker *worker, const struct sweep_campaign *campaign,
                       const struct work_scenario *entry, const struct model_result *result,
                       int64_t faultless_ns, struct campaign_reply *reply)
{
    struct scenario_verdict verdict;
    struct results_run run = {.scenario = &entry->scenario,
                              .result = result,
                              .verdict = &verdict,
                              .faultless_known = faultless_ns >= 0,
                              .faultless_makespan_ns = faultless_ns,
                              .invariants_on = true,
                              .version = campaign->options->version};

    if (scenario_evaluate(&entry->scenario, result, faultless_ns, &verdict) != SCENARIO_OK) {
        reply->failed = true;
        return;
    }
    results_text_clear(&worker->bytes);
    results_record_write(&run, &worker->bytes);
    scenario_verdict_release(&verdict);
    campaign_reply_u32(reply, SWEEP_ANSWER_RECORD);
    campaign_reply_add(reply, worker->bytes.data, worker->bytes.size);
    reply->failed = reply->failed || worker->bytes.failed;
}

static void answer_memory(const struct sweep_campaign *campaign, struct campaign_reply *reply)
{
    char size[RESULTS_UNITS_SIZE];
    char text[256];

    (void)results_size(size, campaign->memory_bytes);
    if (campaign->memory_bytes == 0) {
        (void)snprintf(text, sizeof(text), "out of memory");
    } else if (campaign->sweep->memory_bytes > 0) {
        (void)snprintf(text, sizeof(text),
                       "out of memory: it needs more than the sweep's limit, %s", size);
    } else {
        (void)snprintf(text, sizeof(text),
                       "out of memory: it needs more than %s, the share of one of %" PRIu32
                       " workers; -j with fewer, or limits: {memory: ...}, allows more",
                       size, campaign->workers);
    }
    answer_error(reply, text);
}

void sweep_work_run(void *context, void *out, uint64_t item, struct campaign_reply *reply)
{
    const struct sweep_campaign *campaign = context;
    const struct scenario_sweep *sweep = campaign->sweep;
    struct sweep_worker *worker = out;
    uint32_t point = sweep_item_point(item);
    uint64_t seed =
        scenario_replication_seed(sweep, &sweep->points[point], sweep_item_replication(item));
    struct work_scenario *entry = load(worker, sweep, point, seed, reply);
    struct model_result result;
    int64_t faultless_ns;
    int error;

    if (entry == NULL) {
        return;
    }
    memset(&result, 0, sizeof(result));
    error = run_once(worker, sweep, entry, &result, &faultless_ns);
    if (error == SIM_ENOMEM) {
        // Again without what earlier runs have left: what a run may take does not depend on them.
        sim_arena_release(&worker->arena);
        error = run_once(worker, sweep, entry, &result, &faultless_ns);
    }
    if (error == 0) {
        answer_run(worker, campaign, entry, &result, faultless_ns, reply);
    } else if (error == SIM_ENOMEM) {
        answer_memory(campaign, reply);
    } else {
        answer_error(reply, sim_strerror(error));
    }
    model_result_release(&result);
}
