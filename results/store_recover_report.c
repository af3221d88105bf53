// SPDX-License-Identifier: GPL-3.0-or-later
//
// What `recoup store recover` prints.
#include <inttypes.h>
#include <string.h>

#include "results/json.h"
#include "results/store_recover.h"
#include "results/store_words.h"

struct counts {
    uint64_t in_files;
    uint64_t fates[RESULTS_STORE_FATES];
};

static uint32_t n_stages(const struct results_store_recovery *r)
{
    return r->tracks.n_stages > r->graph.graph.n_stages ? r->tracks.n_stages
                                                        : r->graph.graph.n_stages;
}

static uint32_t parallelism(const struct results_store_recovery *r, uint32_t stage)
{
    return stage < r->tracks.n_stages ? r->tracks.stages[stage].parallelism : 0;
}

static const char *stage_name(const struct results_store_recovery *r, uint32_t stage)
{
    return r->config != NULL && stage < r->config->n_stages ? r->config->stages[stage].name : NULL;
}

static void count_stage(struct results_store_recovery *r, uint32_t stage, struct counts *counts)
{
    for (uint32_t i = 0; i < parallelism(r, stage); i++) {
        enum results_store_fate fate;

        if (results_store_fate(r, stage, i, &fate)) {
            counts->in_files++;
            counts->fates[fate]++;
        }
    }
}

static void count_all(struct results_store_recovery *r, struct counts *counts)
{
    memset(counts, 0, sizeof *counts);
    for (uint32_t i = 0; i < n_stages(r); i++) {
        count_stage(r, i, counts);
    }
}

static const char *profile_name(const struct results_store_recovery *r)
{
    enum recoup_profile profile = r->config != NULL ? r->config->profile : r->profile;

    return profile == RECOUP_PROFILE_HARDENED ? "hardened" : "flink-1.20";
}

static const char *result_name(const struct results_store_recovery *r)
{
    if (r->job_ended) {
        return "ended";
    }
    if (!r->recovered) {
        return "failed";
    }
    return r->kind == RECOUP_RECOVERED_LOG ? "recovered" : "nothing";
}

// --- text ---------------------------------------------------------------------------------------

static void text_assumptions(const struct results_store_recovery *r, struct results_text *text)
{
    if (r->graph.inferred) {
        results_text_format(text,
                            "assumed: the graph, inferred from the log: %" PRIu32
                            " stage%s without edges, coordinator i of stage i for %" PRIu32
                            " coordinator%s; --scenario gives the real one\n",
                            r->graph.graph.n_stages, r->graph.graph.n_stages == 1 ? "" : "s",
                            r->graph.graph.n_coordinators,
                            r->graph.graph.n_coordinators == 1 ? "" : "s");
    }
    results_text_add(text, r->workers_report
                               ? "assumed: each worker reports all that the log says it holds\n"
                               : "assumed: no worker reports anything\n");
}

static void text_result(const struct results_store_recovery *r, const struct counts *counts,
                        struct results_text *text)
{
    results_text_format(text, "a new master (%s) ", profile_name(r));
    if (r->job_ended) {
        results_text_add(text, "finds that the job has ended, removes what is left of the log and "
                               "schedules nothing\n");
    } else if (!r->recovered) {
        results_text_format(text, "recovers nothing: %s: %s\n", recoup_error_name(r->error),
                            recoup_strerror(r->error));
    } else if (r->kind == RECOUP_RECOVERED_NOTHING) {
        results_text_add(text, "finds nothing to recover and starts the job from scratch\n");
    } else {
        results_text_format(text,
                            "applies %" PRIu64 " records, restores %" PRIu32
                            " coordinator%s and keeps %" PRIu64 " of %" PRIu64
                            " finished subtasks\n",
                            r->records, r->coordinators_restored,
                            r->coordinators_restored == 1 ? "" : "s",
                            counts->fates[RESULTS_STORE_KEPT], counts->in_files);
    }
    if (r->waited_ns > 0) {
        results_text_format(text, "it waits %" PRId64 " ms for its workers\n",
                            r->waited_ns / 1000000);
    }
}

static void text_stage(struct results_store_recovery *r, uint32_t stage, struct results_text *text)
{
    const char *name = stage_name(r, stage);
    struct counts counts;

    memset(&counts, 0, sizeof counts);
    count_stage(r, stage, &counts);
    results_text_format(text, "stage %" PRIu32 "%s%s: ", stage, name == NULL ? "" : " ",
                        name == NULL ? "" : name);
    if (parallelism(r, stage) == 0) {
        results_text_add(text, "not initialized in the log\n");
        return;
    }
    results_text_format(text,
                        "parallelism %" PRIu32 ", finished in the files %" PRIu64 ", kept %" PRIu64
                        "\n",
                        parallelism(r, stage), counts.in_files, counts.fates[RESULTS_STORE_KEPT]);
    for (uint32_t i = RESULTS_STORE_KEPT + 1; i < RESULTS_STORE_FATES; i++) {
        if (counts.fates[i] > 0) {
            results_text_format(text, "    %" PRIu64 " forgotten: %s: %s\n", counts.fates[i],
                                results_store_fate_name((enum results_store_fate)i),
                                results_store_fate_sentence((enum results_store_fate)i));
        }
    }
}

static void text_subtasks(struct results_store_recovery *r, uint32_t stage,
                          struct results_store_output *output)
{
    for (uint32_t i = 0; i < parallelism(r, stage) && results_store_output_drain(output, false);
         i++) {
        const struct results_store_subtask *s = results_store_track_find(&r->tracks, stage, i);
        enum results_store_fate fate;

        if (results_store_fate(r, stage, i, &fate)) {
            results_text_format(&output->text,
                                "    subtask %" PRIu32 " attempt %" PRIu64 ":%" PRIu64
                                " worker %" PRIu32 ": %s\n",
                                i, s->attempt >> 32, s->attempt & UINT32_MAX, s->worker,
                                results_store_fate_name(fate));
        }
    }
}

bool results_store_recover_text(struct results_store_recovery *recovery, bool all,
                                struct results_store_output *output)
{
    struct counts counts;

    count_all(recovery, &counts);
    text_assumptions(recovery, &output->text);
    text_result(recovery, &counts, &output->text);
    for (uint32_t i = 0; i < n_stages(recovery); i++) {
        text_stage(recovery, i, &output->text);
        if (all) {
            text_subtasks(recovery, i, output);
        }
    }
    return results_store_output_drain(output, true);
}

// --- JSON ---------------------------------------------------------------------------------------

static void json_subtasks(struct results_store_recovery *r, uint32_t stage,
                          struct results_json *json, struct results_store_output *output)
{
    results_json_key(json, "subtasks");
    results_json_array(json);
    for (uint32_t i = 0; i < parallelism(r, stage) && results_store_output_drain(output, false);
         i++) {
        const struct results_store_subtask *s = results_store_track_find(&r->tracks, stage, i);
        enum results_store_fate fate;

        if (!results_store_fate(r, stage, i, &fate)) {
            continue;
        }
        results_json_object(json);
        results_json_put_u64(json, "subtask", i);
        results_store_put_u64(json, "attempt", s->attempt);
        results_json_put_u64(json, "worker", s->worker);
        results_json_put_string(json, "fate", results_store_fate_name(fate));
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void json_stage(struct results_store_recovery *r, uint32_t stage, bool all,
                       struct results_json *json, struct results_store_output *output)
{
    struct counts counts;

    memset(&counts, 0, sizeof counts);
    count_stage(r, stage, &counts);
    results_json_object(json);
    results_json_put_u64(json, "stage", stage);
    results_json_put_string(json, "name", stage_name(r, stage));
    results_json_put_u64(json, "parallelism", parallelism(r, stage));
    results_json_put_u64(json, "in_files", counts.in_files);
    results_json_put_u64(json, "kept", counts.fates[RESULTS_STORE_KEPT]);
    results_json_key(json, "forgotten");
    results_json_object(json);
    for (uint32_t i = RESULTS_STORE_KEPT + 1; i < RESULTS_STORE_FATES; i++) {
        if (counts.fates[i] > 0) {
            results_json_put_u64(json, results_store_fate_name((enum results_store_fate)i),
                                 counts.fates[i]);
        }
    }
    results_json_end_object(json);
    if (all) {
        json_subtasks(r, stage, json, output);
    }
    results_json_end_object(json);
}

bool results_store_recover_json(struct results_store_recovery *recovery, bool all,
                                struct results_store_output *output)
{
    struct results_json json;
    struct counts counts;

    count_all(recovery, &counts);
    results_json_init(&json, &output->text);
    results_json_object(&json);
    results_json_put_string(&json, "profile", profile_name(recovery));
    results_json_put_string(&json, "graph", recovery->graph.inferred ? "inferred" : "scenario");
    results_json_put_string(&json, "workers", recovery->workers_report ? "all" : "none");
    results_json_put_string(&json, "result", result_name(recovery));
    results_json_put_string(&json, "error", recoup_error_name(recovery->error));
    results_json_put_u64(&json, "records", recovery->records);
    results_json_put_u64(&json, "coordinators_restored", recovery->coordinators_restored);
    results_json_put_i64(&json, "waited_ns", recovery->waited_ns);
    results_json_put_u64(&json, "in_files", counts.in_files);
    results_json_put_u64(&json, "kept", counts.fates[RESULTS_STORE_KEPT]);
    results_json_key(&json, "stages");
    results_json_array(&json);
    for (uint32_t i = 0; i < n_stages(recovery); i++) {
        json_stage(recovery, i, all, &json, output);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_add(&output->text, "\n");
    return results_store_output_drain(output, true);
}
