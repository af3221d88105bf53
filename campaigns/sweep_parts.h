// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of a sweep share. Internal to campaigns/.
//
// An item of the pool is a run: point, replication, and whether it is made a second time as a
// check.
#ifndef RECOUP_CAMPAIGNS_SWEEP_PARTS_H
#define RECOUP_CAMPAIGNS_SWEEP_PARTS_H

#include "campaigns/pool.h"
#include "campaigns/sweep.h"
#include "results/writer.h"

#define SWEEP_REPEAT (UINT64_C(1) << 63)
#define SWEEP_SAMPLE_ONE_IN 100u

enum sweep_answer { SWEEP_ANSWER_RECORD, SWEEP_ANSWER_ERROR }; // first number of a worker's reply

struct sweep_run {
    int64_t row;       // in table `plan`
    uint8_t state;     // enum results_plan_state
    bool wanted : 1;   // to be run now, or running
    bool sample : 1;   // to be made twice
    bool repeated : 1; // it was
    bool repeating : 1;
};

struct sweep_point_runs {
    struct sweep_run *runs; // by replication
    uint32_t n, capacity;
    uint32_t wanted; // of these, not yet ended
    bool selected;   // by --where
    uint32_t ended;  // by this campaign
    int64_t wall_ns; // that they took in their workers, together
};

struct sweep_campaign {
    const struct campaign_sweep_options *options;
    const struct scenario_sweep *sweep;
    struct campaign_sweep_outcome *outcome;
    struct results_database database;
    struct results_plan plan;
    struct results_writer writer;
    struct results_statement mark_running, mark_ended, mark_repeated, fingerprint;
    bool prepared;
    bool in_transaction;
    int64_t began_ns; // of the transaction
    int lock;         // descriptor that holds it; -1: none
    bool network;     // the database lies on a network file system
    uint32_t workers;
    uint64_t memory_bytes; // that a run may take; 0: no limit
    struct sweep_point_runs *points;
    uint64_t *order; // items, the next first
    size_t n_order, capacity, next;
    uint64_t *repeats;
    size_t n_repeats, repeats_capacity;
    struct sweep_trials *trials; // of --dry-run
    uint64_t exhausted;          // runs that --retry means, but that were tried too often
    uint64_t total;              // runs wanted so far
    uint64_t ended;              // of these
    int64_t started_ns;
    int64_t said_ns;
    char started_at[32]; // UTC, of the second below
    int64_t started_at_s;
};

static inline uint64_t sweep_item(uint32_t point, uint32_t replication)
{
    return (uint64_t)point << 32 | replication;
}

static inline uint32_t sweep_item_point(uint64_t item)
{
    return (uint32_t)((item & ~SWEEP_REPEAT) >> 32);
}

static inline uint32_t sweep_item_replication(uint64_t item)
{
    return (uint32_t)item;
}

// sweep_lock.c: one sweep at a time writes to a database. False with a message.
bool sweep_lock(struct sweep_campaign *campaign);
void sweep_unlock(struct sweep_campaign *campaign);
bool sweep_is_network(uint64_t file_system_type); // by Linux's magic number

// sweep_queue.c: the runs in memory. False when out of memory or after a database error.
bool sweep_queue_load(struct sweep_campaign *campaign);
// The same without rows for what is not planned yet; without a database, too.
bool sweep_queue_imagine(struct sweep_campaign *campaign);
bool sweep_queue_add(struct sweep_campaign *campaign, uint32_t point, uint32_t replication);
bool sweep_queue_repeat(struct sweep_campaign *campaign, uint64_t item);
bool sweep_queue_next(struct sweep_campaign *campaign, uint64_t *item);
void sweep_queue_release(struct sweep_campaign *campaign);
// Reads the rows of one point from replication `from` on.
bool sweep_queue_read_point(struct sweep_campaign *campaign, uint32_t point, uint32_t from);
// The samples of what is done and was not repeated, and at least one run.
bool sweep_queue_samples(struct sweep_campaign *campaign);

// sweep_stop.c: after a point's runs have all ended, whether it needs more. False after an error.
bool sweep_stop_decide(struct sweep_campaign *campaign, uint32_t point);

// sweep_record.c: what runs and what has ended, into the database. False after an error.
bool sweep_record_prepare(struct sweep_campaign *campaign);
bool sweep_record_running(struct sweep_campaign *campaign, uint64_t item);
bool sweep_record_end(struct sweep_campaign *campaign, uint64_t item,
                      const struct campaign_outcome *outcome);
bool sweep_record_commit(struct sweep_campaign *campaign);
// The same where the transaction is old enough.
bool sweep_record_commit_due(struct sweep_campaign *campaign);
void sweep_record_release(struct sweep_campaign *campaign);
// Puts a database error into outcome->message. Always false.
bool sweep_failed(struct sweep_campaign *campaign, int code);
bool sweep_failed_with(struct sweep_campaign *campaign, const char *message);

// sweep_work.c: the worker's side; the context of the tasks is the campaign.
bool sweep_work_start(void *context, void **worker);
void sweep_work_run(void *context, void *worker, uint64_t item, struct campaign_reply *reply);
void sweep_work_end(void *context, void *worker);

// For so many workers (0: one per processor).
void sweep_work_workers(struct sweep_campaign *campaign, uint32_t workers);

// sweep_progress.c
// The time until all wanted runs have ended, when what has ended took `elapsed_ns`: a run costs
// what the runs of its point cost so far, or the mean of the other points where none has ended.
// -1: nothing has ended yet.
int64_t sweep_eta_ns(const struct sweep_point_runs *points, uint32_t n_points, int64_t elapsed_ns);
void sweep_progress_say(struct sweep_campaign *campaign, int64_t now_ns, bool last);
// A remark with printf's format, at most about a thousand bytes.
void sweep_remark(struct sweep_campaign *campaign, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The command that repeats a run: "recoup run a.yaml --set 'x=1 s' --seed 7".
void sweep_command(const struct sweep_campaign *campaign, uint64_t item, struct results_text *text);

#endif
