// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small engine on the host in memory: it runs a job of a few stages to its end, dies where the
// test says, and is started again on what is left. What outlives a master (the workers and their
// partitions) stands in struct cluster; what happened in the job, event by event, in struct
// history.
#ifndef RECOUP_TESTS_TESTING_SUPPORT_ENGINE_H
#define RECOUP_TESTS_TESTING_SUPPORT_ENGINE_H

#include "check.h"
#include "recovery/testing/crash.h"
#include "recovery/testing/host.h"

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

enum { ENGINE_PARTITIONS_MAX = 256, ENGINE_EVENTS_MAX = 256, ENGINE_ASKED_MAX = 64 };

struct cluster { // copied freely
    struct recoup_partition held[ENGINE_PARTITIONS_MAX];
    uint32_t n_held;
};

struct history { // of one master: the state after each recorded event; [0]: when it took over
    uint8_t hash[ENGINE_EVENTS_MAX][16];
    uint64_t n;       // events accepted
    uint64_t durable; // acknowledged
};

struct engine;
// Instead of recoup_step(), e.g. to record it.
typedef int engine_step_function(struct engine *engine, const struct recoup_event *event,
                                 struct recoup_update *update);

struct engine {
    struct recoup_job *job;
    struct recoup_testing_host *host; // borrowed
    struct cluster *cluster;          // borrowed
    struct recoup_graph graph;
    struct recoup_options options;
    struct recoup_limits limits;
    struct recoup_storage storage;
    uint32_t payload_bytes; // of each finish
    bool fail_once;         // subtask 0.1 fails after it finished
    int64_t now_ns;
    uint64_t epoch;
    uint32_t attempts;

    uint64_t operations;
    uint64_t die_at; // the operation under way at the crash, from 0; UINT64_MAX: none
    bool dead;
    bool busy;
    bool hold;         // operations wait for engine_turn()
    uint64_t observed; // a hash of all answers of the storage
    struct recoup_action io;

    uint32_t asked[ENGINE_ASKED_MAX][2];
    uint32_t n_asked;
    bool hold_snapshots; // they wait for engine_snapshot()
    uint32_t resets[ENGINE_ASKED_MAX];
    uint32_t n_resets;
    bool asking;
    bool recovered;
    bool from_log;
    int recovery_error;
    int protection_error;
    bool unprotected;
    bool stopped;
    int stop_error;
    bool job_ended;
    bool failed; // the one failure has happened
    struct history history;
    engine_step_function *step;
    void *context; // of step
    // The most that one step did.
    uint32_t actions_max;
    uint64_t steps;
};

struct recoup_allocator engine_allocator(void); // malloc, checked

// Graphs: "lines" is 3 subtasks -> 2 -> 2 (all to all, then point-wise) without coordinators;
// "sources" the same with a coordinator that snapshots on stage 0 and one that cannot on stage 1.
struct recoup_graph graph_lines(void);
struct recoup_graph graph_sources(void);

void engine_init(struct engine *engine, struct recoup_testing_host *host, struct cluster *cluster,
                 const struct recoup_graph *graph, enum recoup_profile profile);
// A master of `epoch` takes over; returns when it has recovered (or died, or failed to recover).
void engine_start(struct engine *engine, uint64_t epoch);
// The same, but returns at once. With `hold` operations wait for engine_turn().
void engine_begin(struct engine *engine, uint64_t epoch);
// The operation under way, or the next timer up to `end_ns`. False if there is neither.
bool engine_turn(struct engine *engine, int64_t end_ns);
// Runs the job until every subtask has finished (or the master dies).
void engine_run(struct engine *engine);
// Goes on to `now_ns` with all timers on the way.
void engine_advance(struct engine *engine, int64_t now_ns);
void engine_stop(struct engine *engine, bool clear);
void engine_destroy(struct engine *engine);
// Delivers the snapshot that was asked for first.
void engine_snapshot(struct engine *engine);
// Steps one event and all that follows at this instant.
void engine_event(struct engine *engine, const struct recoup_event *event);
bool engine_complete(const struct engine *engine); // every subtask has finished
bool engine_finish(struct engine *engine, uint32_t stage, uint32_t subtask);

#endif
