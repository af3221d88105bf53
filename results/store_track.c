// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_track.h"

#include <stdlib.h>
#include <string.h>

#include "recovery/replay.h"

struct fate_words {
    const char *name;
    const char *sentence;
};

static const struct fate_words fates[RESULTS_STORE_FATES] = {
    [RESULTS_STORE_KEPT] = {"kept", "finished for the new master"},
    [RESULTS_STORE_TAKEN_BACK] = {"taken-back", "a later record of the log takes it back"},
    [RESULTS_STORE_NOT_COUNTED] = {"not-counted",
                                   "its record stands where nothing counts (see store verify)"},
    [RESULTS_STORE_NOT_COVERED] = {"not-covered", "no recovery point covers it"},
    [RESULTS_STORE_NO_COORDINATOR] = {"coordinator-unsupported",
                                      "its stage's coordinator cannot be restored"},
    [RESULTS_STORE_NO_PARTITION] = {"partition-missing",
                                    "its output is needed and no worker holds it"},
    [RESULTS_STORE_DOWNSTREAM] = {"downstream", "it consumed what is taken back"},
    [RESULTS_STORE_ALL_LOST] = {"recovery-failed", "the recovery failed"},
    [RESULTS_STORE_OTHER] = {"reset", "the new master takes it back"},
};

const char *results_store_fate_name(enum results_store_fate fate)
{
    return fates[fate].name;
}

const char *results_store_fate_sentence(enum results_store_fate fate)
{
    return fates[fate].sentence;
}

void results_store_tracks_release(struct results_store_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->n_stages; i++) {
        free(tracks->stages[i].subtasks);
    }
    free(tracks->stages);
    memset(tracks, 0, sizeof *tracks);
}

struct results_store_subtask *results_store_track_find(struct results_store_tracks *tracks,
                                                       uint32_t stage, uint32_t subtask)
{
    if (stage >= tracks->n_stages || subtask >= tracks->stages[stage].parallelism) {
        return NULL;
    }
    return &tracks->stages[stage].subtasks[subtask];
}

static bool initialize(struct results_store_tracks *tracks, uint32_t stage, uint32_t parallelism)
{
    struct results_store_subtask *subtasks;

    if (stage >= RECOUP_STAGES_MAX || parallelism > RECOUP_PARALLELISM_MAX) {
        return true; // the recovery refuses such a record
    }
    if (stage >= tracks->n_stages) {
        struct results_store_stage *stages =
            realloc(tracks->stages, (stage + 1) * sizeof *stages);

        if (stages == NULL) {
            return false;
        }
        memset(stages + tracks->n_stages, 0, (stage + 1 - tracks->n_stages) * sizeof *stages);
        tracks->stages = stages;
        tracks->n_stages = stage + 1;
    }
    if (parallelism <= tracks->stages[stage].parallelism) {
        return true;
    }
    subtasks = realloc(tracks->stages[stage].subtasks, parallelism * sizeof *subtasks);
    if (subtasks == NULL) {
        return false;
    }
    memset(subtasks + tracks->stages[stage].parallelism, 0,
           (parallelism - tracks->stages[stage].parallelism) * sizeof *subtasks);
    tracks->stages[stage].subtasks = subtasks;
    tracks->stages[stage].parallelism = parallelism;
    return true;
}

bool results_store_track_file(struct results_store_tracks *tracks,
                              const struct recoup__record *record)
{
    struct results_store_subtask *subtask;

    if (record->type == RECOUP__RECORD_INITIALIZED) {
        return initialize(tracks, record->initialized.stage, record->initialized.parallelism);
    }
    if (record->type != RECOUP__RECORD_FINISHED && record->type != RECOUP__RECORD_SNAPSHOT) {
        return true;
    }
    for (uint32_t i = 0; i < record->finished.n_snapshots; i++) {
        uint32_t coordinator = record->finished.snapshots[i].coordinator;

        if (coordinator < RECOUP_STAGES_MAX && coordinator >= tracks->n_coordinators) {
            tracks->n_coordinators = coordinator + 1;
        }
    }
    subtask = results_store_track_find(tracks, record->finished.stage, record->finished.subtask);
    if (subtask != NULL && record->type == RECOUP__RECORD_FINISHED) {
        subtask->flags |= RESULTS_STORE_IN_FILES;
    }
    return true;
}

static void read_finished(struct results_store_tracks *tracks, const struct recoup__record *record)
{
    struct results_store_subtask *subtask =
        results_store_track_find(tracks, record->finished.stage, record->finished.subtask);

    if (subtask == NULL) {
        return;
    }
    subtask->attempt = record->finished.attempt;
    subtask->bytes = record->finished.bytes;
    subtask->worker = record->finished.worker;
    subtask->flags = RESULTS_STORE_IN_FILES | RESULTS_STORE_IN_LOG | RESULTS_STORE_WAS_READ;
    subtask->flags |= record->finished.has_partition ? RESULTS_STORE_HAS_PARTITION : 0;
    subtask->flags |= tracks->replacing ? RESULTS_STORE_REPEATED : 0;
}

static void read_reset(struct results_store_tracks *tracks, const struct recoup_range *range)
{
    for (uint32_t i = 0; i < range->count; i++) {
        struct results_store_subtask *subtask =
            i > UINT32_MAX - range->first
                ? NULL
                : results_store_track_find(tracks, range->stage, range->first + i);

        if (subtask == NULL) {
            return;
        }
        subtask->flags &= (uint8_t)~RESULTS_STORE_IN_LOG;
    }
}

// A checkpoint that replaces takes back whatever it does not repeat.
static void end_checkpoint(struct results_store_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->n_stages && tracks->replacing; i++) {
        for (uint32_t k = 0; k < tracks->stages[i].parallelism; k++) {
            uint8_t *flags = &tracks->stages[i].subtasks[k].flags;

            if ((*flags & RESULTS_STORE_REPEATED) == 0) {
                *flags &= (uint8_t)~RESULTS_STORE_IN_LOG;
            }
            *flags &= (uint8_t)~RESULTS_STORE_REPEATED;
        }
    }
    tracks->replacing = false;
}

void results_store_track_read(struct results_store_tracks *tracks,
                              const struct recoup__record *record)
{
    if (record->type == RECOUP__RECORD_FINISHED) {
        read_finished(tracks, record);
    } else if (record->type == RECOUP__RECORD_RESET) {
        for (uint32_t i = 0; i < record->reset.n_ranges; i++) {
            read_reset(tracks, &record->reset.ranges[i]);
        }
    } else if (record->type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        tracks->replacing = record->checkpoint_begin.replaces;
    } else if (record->type == RECOUP__RECORD_CHECKPOINT_END) {
        end_checkpoint(tracks);
    }
}
