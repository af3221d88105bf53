// SPDX-License-Identifier: GPL-3.0-or-later
//
// The verdict of a run in a few sentences.
#include "results/report.h"
#include "results/units.h"

static bool any_fired(const struct model_result *r)
{
    for (uint32_t i = 0; i < r->n_fired; i++) {
        if (r->fired[i].fired) {
            return true;
        }
    }
    return false;
}

static void say_delay(const struct results_run *run, struct results_text *text)
{
    char time[RESULTS_UNITS_SIZE];
    char share[RESULTS_UNITS_SIZE];
    int64_t delay = run->result->makespan_ns - run->faultless_makespan_ns;
    uint64_t size = delay < 0 ? 0 - (uint64_t)delay : (uint64_t)delay;

    if (!run->faultless_known) {
        results_text_format(text, "the job ends after %s",
                            results_duration(time, run->result->makespan_ns));
    } else if (delay == 0) {
        results_text_add(text, "the job ends no later than without faults");
    } else {
        results_text_format(text, "the job ends %s %s than without faults (%s%s)",
                            results_duration(time, (int64_t)size), delay < 0 ? "earlier" : "later",
                            delay < 0 ? "-" : "+",
                            results_percent(share, size, (uint64_t)run->faultless_makespan_ns));
    }
}

static void say_waste(const struct model_result *r, struct results_text *text)
{
    char time[RESULTS_UNITS_SIZE];
    char share[RESULTS_UNITS_SIZE];

    if (r->lost_ns <= 0) {
        results_text_add(text, "no work is wasted");
    } else {
        results_text_format(text, "%s of work are wasted (%s of all)",
                            results_slot_time(time, r->lost_ns),
                            results_percent(share, (uint64_t)r->lost_ns, (uint64_t)r->busy_ns));
    }
}

static void say_kept(const struct model_result *r, struct results_text *text)
{
    char kept_text[RESULTS_UNITS_SIZE];
    char held_text[RESULTS_UNITS_SIZE];
    uint64_t kept = 0;
    uint64_t held = 0;

    for (uint32_t i = 0; i < r->n_failovers; i++) {
        bool taken_over = r->failovers[i].result == MODEL_FAILOVER_FAILED &&
                          r->failovers[i].finished_recovered == 0 && i + 1 < r->n_failovers;
        if (taken_over) {
            continue; // the next one tells what became of the same subtasks
        }
        kept += r->failovers[i].finished_recovered;
        held += r->failovers[i].finished_recovered + r->failovers[i].finished_forgotten;
    }
    (void)results_count(kept_text, kept);
    (void)results_count(held_text, held);
    if (r->n_failovers == 0) {
        results_text_add(text, any_fired(r) ? "and no master was lost" : "");
    } else if (held == 0) {
        results_text_add(text, "and no subtask had finished yet when the master was lost");
    } else if (kept == 0) {
        results_text_format(text, "and none of %s finished subtasks is kept", held_text);
    } else if (kept == held && r->n_failovers > 1) {
        results_text_format(text, "and all finished subtasks are kept in each of %s failovers",
                            results_count(kept_text, r->n_failovers));
        return;
    } else if (kept == held && held > 1) {
        results_text_format(text, "and all %s finished subtasks are kept", held_text);
    } else {
        results_text_format(text, "and %s of %s finished subtasks %s kept", kept_text, held_text,
                            kept == 1 ? "is" : "are");
    }
    if (r->n_failovers > 1) {
        results_text_format(text, ", summed over %s failovers",
                            results_count(kept_text, r->n_failovers));
    }
}

// A job fails for one of two reasons: its master dies without leader election, or the restart
// strategy gives up on a failure.
static void say_failed(const struct results_run *run, const char *time, struct results_text *text)
{
    const struct model_config *config = &run->scenario->config;

    results_text_format(text, "the job FAILS after %s", time);
    if (config->ha.kind == MODEL_HA_NONE && run->result->n_failovers > 0) {
        results_text_add(text, ", with its master, since ha is none");
    } else if (config->restart.kind == MODEL_RESTART_NONE) {
        results_text_add(text, ", since restart-strategy.type is none");
    } else {
        results_text_add(text, ", since the restart strategy allows no more restarts");
    }
}

static void say_not_finished(const struct results_run *run, struct results_text *text)
{
    const struct model_result *r = run->result;
    char time[RESULTS_UNITS_SIZE];
    char lost[RESULTS_UNITS_SIZE];

    (void)results_duration(time, r->makespan_ns);
    if (r->limited) {
        results_text_format(text, "the run was cut short at its limit of events after %s", time);
    } else if (r->state == MODEL_JOB_FAILED) {
        say_failed(run, time, text);
    } else if (r->state == MODEL_JOB_SUSPENDED) {
        results_text_format(text, "the job is SUSPENDED after %s, since no master will come back",
                            time);
    } else {
        results_text_format(text, "the job has NOT ENDED when the run stops, after %s", time);
    }
    results_text_format(text, "; all its work, %s, is lost", results_slot_time(lost, r->lost_ns));
}

void results_run_verdict(const struct results_run *run, struct results_text *text)
{
    char time[RESULTS_UNITS_SIZE];
    size_t before;

    results_text_format(text, "%s: ", run->scenario->name);
    if (run->result->state != MODEL_JOB_FINISHED) {
        say_not_finished(run, text);
    } else if (!any_fired(run->result) && run->result->lost_ns == 0) {
        results_text_format(text, "nothing strikes; the job ends after %s, and no work is wasted",
                            results_duration(time, run->result->makespan_ns));
    } else {
        say_delay(run, text);
        results_text_add(text, ", ");
        say_waste(run->result, text);
        before = text->size;
        results_text_add(text, ", ");
        say_kept(run->result, text);
        if (text->size == before + 2) {
            text->size = before;
        }
    }
    results_text_format(text, ". Profile %s.", results_profile_name(run->scenario->config.profile));
}
