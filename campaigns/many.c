// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L
#include "campaigns/many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaigns/memory.h"
#include "campaigns/pool.h"
#include "models/run.h"
#include "scenarios/sweep.h"
#include "sim/error.h"

enum { ANSWER_RECORD, ANSWER_FAILURE };

struct execution {
    struct campaign_many *many;
    const struct campaign_many_events *events;
    uint64_t memory_bytes; // that a run may take; 0: no limit
    uint64_t next;       // handed out so far
    uint64_t first, end; // numbers of runs
};

struct worker {
    struct sim_arena arena;
    struct results_text bytes;
};

int campaign_many_load(struct scenario *scenario, const char *path,
                       const struct scenario_overrides *overrides, const char *const *sets,
                       uint32_t n_sets)
{
    struct scenario_overrides all = *overrides;
    const char **joined = malloc(((size_t)overrides->n_sets + n_sets + 1) * sizeof(*joined));
    int status = SCENARIO_ENOMEM;

    memset(scenario, 0, sizeof(*scenario));
    if (joined != NULL) {
        for (uint32_t i = 0; i < overrides->n_sets; i++) {
            joined[i] = overrides->sets[i];
        }
        for (uint32_t i = 0; i < n_sets; i++) {
            joined[overrides->n_sets + i] = sets[i];
        }
        all.sets = joined;
        all.n_sets += n_sets;
        status = scenario_load(scenario, path, &all);
    }
    free(joined);
    return status;
}

bool campaign_many_init(struct campaign_many *many, uint32_t n_cases, uint64_t seed,
                        uint32_t n_seeds)
{
    memset(many, 0, sizeof(*many));
    many->cases = calloc((size_t)n_cases + 1, sizeof(*many->cases));
    many->seeds = calloc((size_t)n_seeds + 1, sizeof(*many->seeds));
    many->runs = calloc((size_t)n_cases * n_seeds + 1, sizeof(*many->runs));
    if (many->cases == NULL || many->seeds == NULL || many->runs == NULL) {
        return false;
    }
    many->n_cases = n_cases;
    many->n_seeds = n_seeds;
    for (uint32_t i = 0; i < n_cases; i++) {
        many->cases[i].faultless_ns = -1;
    }
    for (uint32_t r = 0; r < n_seeds; r++) {
        many->seeds[r] = r == 0 ? seed : scenario_seed_common(seed, r);
    }
    return true;
}

void campaign_many_release(struct campaign_many *many)
{
    for (uint32_t i = 0; many->cases != NULL && i < many->n_cases; i++) {
        scenario_release(&many->cases[i].scenario);
    }
    for (uint64_t i = 0; many->runs != NULL && i < (uint64_t)many->n_cases * many->n_seeds; i++) {
        results_record_release(&many->runs[i].record);
        free(many->runs[i].failure);
    }
    free(many->cases);
    free(many->seeds);
    free(many->runs);
    memset(many, 0, sizeof(*many));
}

// --- the worker's side ---------------------------------------------------------------------------

static bool worker_start(void *context, void **out)
{
    const struct execution *e = context;
    struct worker *worker = calloc(1, sizeof(*worker));

    if (worker != NULL) {
        sim_arena_init(&worker->arena, e->memory_bytes);
        results_text_init(&worker->bytes);
    }
    *out = worker;
    return worker != NULL;
}

static void worker_end(void *context, void *out)
{
    struct worker *worker = out;

    (void)context;
    sim_arena_release(&worker->arena);
    results_text_release(&worker->bytes);
    free(worker);
}

static void answer(struct worker *worker, const struct results_run *run,
                   struct campaign_reply *reply)
{
    results_text_clear(&worker->bytes);
    results_record_write(run, &worker->bytes);
    campaign_reply_u32(reply, ANSWER_RECORD);
    campaign_reply_add(reply, worker->bytes.data, worker->bytes.size);
    reply->failed = reply->failed || worker->bytes.failed;
}

static int simulate_in(struct sim_arena *arena, const struct campaign_many *many,
                       const struct campaign_many_case *one, struct model_result *result,
                       int64_t *faultless_ns)
{
    struct model_run_options options = {.invariants = many->invariants_on ? MODEL_INVARIANTS_ON
                                                                          : MODEL_INVARIANTS_OFF};

    if (one->faultless_ns < 0) {
        return model_run_pair(&one->scenario.config, &options, arena, result, faultless_ns);
    }
    *faultless_ns = one->faultless_ns;
    options.faultless_makespan_ns = one->faultless_ns > 0 ? one->faultless_ns : 1;
    return model_run(&one->scenario.config, &options, arena, result);
}

static int simulate(const struct campaign_many *many, const struct campaign_many_case *one,
                    struct sim_arena *arena, struct model_result *result, int64_t *faultless_ns)
{
    int error = simulate_in(arena, many, one, result, faultless_ns);

    if (error == SIM_ENOMEM) { // again without what runs of other cases have left
        sim_arena_release(arena);
        error = simulate_in(arena, many, one, result, faultless_ns);
    }
    return error;
}

static void worker_work(void *context, void *out, uint64_t number, struct campaign_reply *reply)
{
    const struct execution *e = context;
    struct campaign_many *many = e->many;
    struct campaign_many_case *one = &many->cases[number / many->n_seeds];
    struct worker *worker = out;
    struct model_result result;
    struct scenario_verdict verdict;
    int64_t faultless_ns = -1;
    int error;

    memset(&result, 0, sizeof(result));
    error = scenario_reseed(&one->scenario, many->seeds[number % many->n_seeds]) == SCENARIO_OK
                ? simulate(many, one, &worker->arena, &result, &faultless_ns)
                : SIM_ENOMEM;
    if (error == 0 &&
        scenario_evaluate(&one->scenario, &result, faultless_ns, &verdict) != SCENARIO_OK) {
        error = SIM_ENOMEM;
    }
    if (error == 0) {
        struct results_run run = {.scenario = &one->scenario,
                                  .result = &result,
                                  .verdict = &verdict,
                                  .faultless_known = faultless_ns >= 0,
                                  .faultless_makespan_ns = faultless_ns,
                                  .invariants_on = many->invariants_on,
                                  .version = many->version};

        answer(worker, &run, reply);
        scenario_verdict_release(&verdict);
    } else if (error == SIM_ENOMEM) {
        reply->failed = true;
    } else {
        campaign_reply_u32(reply, ANSWER_FAILURE);
        campaign_reply_text(reply, sim_strerror(error));
    }
    model_result_release(&result);
}

// --- the parent's side ---------------------------------------------------------------------------

static bool parent_next(void *context, uint64_t *number)
{
    struct execution *e = context;
    uint64_t n_cases;

    if (e->next == e->end - e->first) {
        return false;
    }
    // Seed by seed, so that an interrupted campaign says something about every case.
    n_cases = (e->end - e->first) / e->many->n_seeds;
    *number = e->first + e->next % n_cases * e->many->n_seeds + e->next / n_cases;
    e->next++;
    return true;
}

static char *failure_text(const struct campaign_outcome *outcome)
{
    char text[512];

    if (outcome->end == CAMPAIGN_LIMITED) {
        (void)snprintf(text, sizeof(text), "the run needs more memory than a worker may take; try "
                       "fewer (-j 1)");
    } else if (outcome->signal != 0) {
        (void)snprintf(text, sizeof(text), "its process died of signal %d%s%.400s", outcome->signal,
                       outcome->errors[0] != '\0' ? ": " : "", outcome->errors);
    } else {
        (void)snprintf(text, sizeof(text), "its process left with exit code %d%s%.400s",
                       outcome->exit_code, outcome->errors[0] != '\0' ? ": " : "", outcome->errors);
    }
    return strdup(text);
}

static bool parent_done(void *context, uint64_t number, const struct campaign_outcome *outcome)
{
    struct execution *e = context;
    struct campaign_many_run *run = &e->many->runs[number];
    struct campaign_reader reader = {outcome->bytes, outcome->size, 0, false};

    run->wall_ns = outcome->wall_ns;
    run->process = outcome->process;
    e->many->ended++;
    if (outcome->end != CAMPAIGN_ANSWERED) {
        run->outside = true;
        run->failure = failure_text(outcome);
        return run->failure != NULL;
    }
    if (campaign_reader_u32(&reader) == ANSWER_RECORD && !reader.failed) {
        run->ended = results_record_read(&run->record, reader.bytes + reader.next,
                                         reader.size - reader.next);
    } else {
        run->failure = campaign_reader_text(&reader);
    }
    if (!run->ended && run->failure == NULL) {
        run->outside = true;
        run->failure = strdup("out of memory");
    }
    return run->ended || run->failure != NULL;
}

static void parent_tick(void *context, int64_t now_ns)
{
    const struct execution *e = context;

    (void)now_ns;
    if (e->events->tick != NULL) {
        e->events->tick(e->events->context, e->many->ended, e->end - e->first);
    }
}

static bool parent_drain(void *context)
{
    const struct execution *e = context;

    return e->events->drain != NULL && e->events->drain(e->events->context);
}

enum campaign_many_result campaign_many_execute(struct campaign_many *many, uint32_t first,
                                                uint32_t workers,
                                                const struct campaign_many_events *events)
{
    struct execution e = {.many = many, .events = events};
    struct campaign_pool_options options = {.workers = workers};
    struct campaign_tasks tasks = {.context = &e,
                                   .start = worker_start,
                                   .work = worker_work,
                                   .end = worker_end,
                                   .next = parent_next,
                                   .done = parent_done,
                                   .tick = parent_tick,
                                   .drain = parent_drain};

    many->ended = 0;
    e.first = (uint64_t)first * many->n_seeds;
    e.end = (uint64_t)many->n_cases * many->n_seeds;
    if (e.end - e.first < workers) {
        options.workers = e.end > e.first ? (uint32_t)(e.end - e.first) : 1;
    }
    e.memory_bytes = campaign_memory_share(options.workers);
    switch (campaign_pool_run(&options, &tasks, many->message, sizeof(many->message))) {
    case CAMPAIGN_COMPLETE:
        return CAMPAIGN_MANY_COMPLETE;
    case CAMPAIGN_DRAINED:
        return many->ended == e.end - e.first ? CAMPAIGN_MANY_COMPLETE : CAMPAIGN_MANY_DRAINED;
    case CAMPAIGN_STOPPED:
        (void)snprintf(many->message, sizeof(many->message), "out of memory");
        break;
    case CAMPAIGN_OUTSIDE:
        break;
    }
    return CAMPAIGN_MANY_OUTSIDE;
}
