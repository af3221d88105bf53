// SPDX-License-Identifier: GPL-3.0-or-later
#include "campaigns/record.h"

#include "campaigns/causes.h"
#include "sim/error.h"

static int complete_chain(struct results_trail *trail, const struct scenario *scenario,
                          const struct model_run_options *options, struct sim_arena *arena,
                          int64_t faultless_ns)
{
    struct model_run_options again = *options;
    struct campaign_causes causes = {.links = trail->chain, .links_max = RESULTS_TRAIL_CHAIN_MAX};
    int error;

    again.faultless_makespan_ns = faultless_ns > 0 ? faultless_ns : 1;
    error = campaign_causes_find(&scenario->config, &again, arena, trail->at,
                                 RESULTS_JOURNAL_EVENTS, &causes);
    trail->n_chain = causes.n_links;
    trail->chain_complete = causes.complete;
    return error;
}

int campaign_record_finish(struct results_trail_recorder *recorder, const struct scenario *scenario,
                           const struct model_run_options *options, struct sim_arena *arena,
                           const struct model_result *result, int64_t faultless_ns,
                           const char *command)
{
    struct results_trail *trail = recorder->trail;

    if (!results_trail_recorder_finish(recorder, scenario, result, faultless_ns, command)) {
        return SIM_ENOMEM;
    }
    if (trail->n_chain == 0 || trail->chain_complete || trail->n_chain == RESULTS_TRAIL_CHAIN_MAX) {
        return 0;
    }
    return complete_chain(trail, scenario, options, arena, faultless_ns);
}

int campaign_record(const struct scenario *scenario, const struct campaign_recording *recording,
                    struct sim_arena *arena, struct model_result *result, int64_t *faultless_ns,
                    struct results_trail *trail)
{
    struct results_trail_recorder recorder;
    struct model_run_options options = {.interrupted = recording->interrupted,
                                        .interrupted_context = recording->interrupted_context,
                                        .tie_seed = recording->tie_seed};
    int error;

    *faultless_ns = -1;
    results_trail_recorder_init(&recorder, trail, recording->points_max, recording->at,
                                recording->window);
    options.observer = &recorder.observer;
    error = recorder.failed
                ? SIM_ENOMEM
                : model_run_pair(&scenario->config, &options, arena, result, faultless_ns);
    if (error == 0) {
        error = campaign_record_finish(&recorder, scenario, &options, arena, result, *faultless_ns,
                                       recording->command);
    }
    results_trail_recorder_release(&recorder);
    return error;
}
