// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a running sweep says: one line about its progress, and remarks.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "campaigns/sweep_parts.h"
#include "results/units.h"

#define PROGRESS_NS INT64_C(1000000000)

void sweep_remark(struct sweep_campaign *campaign, const char *format, ...)
{
    char line[CAMPAIGN_ERRORS_MAX + 1024];
    va_list arguments;

    if (campaign->options->remark == NULL) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    campaign->options->remark(campaign->options->context, line);
}

void sweep_command(const struct sweep_campaign *campaign, uint64_t item, struct results_text *text)
{
    const struct scenario_point *point = &campaign->sweep->points[sweep_item_point(item)];
    uint64_t seed = scenario_replication_seed(campaign->sweep, point, sweep_item_replication(item));
    char command[4096];

    (void)scenario_point_command(point, seed, command, sizeof(command));
    results_text_format(text, "recoup %s", command);
}

int64_t sweep_eta_ns(const struct sweep_point_runs *points, uint32_t n_points, int64_t elapsed_ns)
{
    double done_ns = 0;
    double left_ns = 0;  // at points of known cost
    double means_ns = 0; // sum of the mean cost of the points below
    double unknown = 0;  // runs left at points of unknown cost
    uint32_t known = 0;
    double eta_ns;

    for (uint32_t p = 0; p < n_points; p++) {
        double mean_ns = points[p].ended > 0 ? (double)points[p].wall_ns / points[p].ended : 0;

        done_ns += (double)points[p].wall_ns;
        means_ns += mean_ns;
        known += points[p].ended > 0 ? 1 : 0;
        left_ns += mean_ns * points[p].wanted;
        unknown += points[p].ended > 0 ? 0 : points[p].wanted;
    }
    if (known == 0 || done_ns <= 0) {
        return -1;
    }
    left_ns += unknown * means_ns / known;
    eta_ns = (double)elapsed_ns * (left_ns / done_ns);
    return eta_ns < 9e18 ? (int64_t)eta_ns : INT64_MAX;
}

static void say_eta(const struct sweep_campaign *campaign, int64_t elapsed_ns,
                    struct results_text *text)
{
    char time[RESULTS_UNITS_SIZE];
    int64_t eta_ns;
    double rate;

    if (campaign->ended == 0 || elapsed_ns <= 0) {
        results_text_add(text, ", ETA -");
        return;
    }
    rate = (double)campaign->ended * 1e9 / (double)elapsed_ns;
    results_text_format(text, rate < 10 ? ", %.2f runs/s" : ", %.0f runs/s", rate);
    eta_ns = sweep_eta_ns(campaign->points, campaign->sweep->n_points, elapsed_ns);
    if (campaign->ended < campaign->total && eta_ns >= 0) {
        results_text_format(text, ", ETA %s", results_duration(time, eta_ns));
    }
}

void sweep_progress_say(struct sweep_campaign *campaign, int64_t now_ns, bool last)
{
    const uint64_t *states = campaign->outcome->states;
    uint64_t broken = states[RESULTS_PLAN_CRASHED] + states[RESULTS_PLAN_TIMEOUT];
    struct results_text text;

    if (campaign->options->progress == NULL ||
        (!last && now_ns - campaign->said_ns < PROGRESS_NS)) {
        return;
    }
    campaign->said_ns = now_ns;
    results_text_init(&text);
    results_text_format(&text, "[%" PRIu64 "/%" PRIu64 "] %" PRIu64 " running", campaign->ended,
                        campaign->total, states[RESULTS_PLAN_RUNNING]);
    say_eta(campaign, now_ns - campaign->started_ns, &text);
    results_text_format(&text, ", %" PRIu64 " with findings, %" PRIu64 " crashed or too long",
                        states[RESULTS_PLAN_FINDING], broken);
    if (states[RESULTS_PLAN_DIFFERS] > 0) {
        results_text_format(&text, ", %" PRIu64 " NOT DETERMINISTIC", states[RESULTS_PLAN_DIFFERS]);
    }
    campaign->options->progress(campaign->options->context, results_text_string(&text), now_ns);
    results_text_release(&text);
}
