// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup store recover`: the recovery that a new master would perform, by the library's own code
// over the files, with every write discarded, and what becomes of each finished subtask.
#ifndef RECOUP_RESULTS_STORE_RECOVER_H
#define RECOUP_RESULTS_STORE_RECOVER_H

#include "results/store_dump.h"
#include "results/store_graph.h"
#include "results/store_reading.h"
#include "results/store_track.h"

struct results_store_recovery {
    // In.
    const struct results_store_files *files;
    const struct model_config *config; // of the scenario; NULL: the graph is inferred
    enum recoup_profile profile;       // where there is no scenario
    bool workers_report;               // every worker reports all that the log says it holds
    const struct results_store_watch *watch;
    // Out.
    struct results_store_graph graph;
    struct results_store_tracks tracks;
    struct recoup_options options;
    struct recoup_job *job;
    enum recoup_recovered_kind kind;
    int error;    // of RECOVERY_FAILED, or of creating the job; 0
    bool started; // the job was created
    bool recovered;
    bool job_ended; // the log is that of an ended job
    uint64_t records; // applied
    uint64_t reset_ranges;
    uint32_t coordinators_restored;
    int64_t waited_ns; // in virtual time, for workers
    uint64_t writes_discarded;
};

// INTACT: the recovery ended, one way or the other; CANCELLED; UNREAD. To be released in every
// case; the job stands until then.
enum results_store_outcome results_store_recover(struct results_store_recovery *recovery,
                                                 struct results_text *message);
void results_store_recovery_release(struct results_store_recovery *recovery);

// What became of a subtask that the files name as finished. False: they do not.
bool results_store_fate(struct results_store_recovery *recovery, uint32_t stage, uint32_t subtask,
                        enum results_store_fate *fate);

// The report; `all` names every subtask. False: the output failed.
bool results_store_recover_text(struct results_store_recovery *recovery, bool all,
                                struct results_store_output *output);
bool results_store_recover_json(struct results_store_recovery *recovery, bool all,
                                struct results_store_output *output);

#endif
