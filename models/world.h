// SPDX-License-Identifier: GPL-3.0-or-later
//
// The modelled world of one run: everything that is true in it, whether or not any master knows.
// Internal to models/. One struct model_world carries a run; there is no state outside it.
//
// Who owns what:
//   world.c       set-up, dispatch of events, the end of a run       master.c    a master
//   incarnation schedule.c    readiness, placement, deployment                   failover.c restart
//   strategy and resets coordinator.c sources: splits, snapshots, restore                worker.c
//   workers, partitions, registration storage.c     the file system election.c  leadership fault.c
//   triggers and targets                               ledger.c    work, causes; outage.c: phases
//   ahead.c       asks memory for what comes
//   zombie.c      masters cut off
//   invariants.c  the oracles                                        reference.c an independent
//   reader of the log
#ifndef RECOUP_MODELS_WORLD_H
#define RECOUP_MODELS_WORLD_H

#include "models/config.h"
#include "models/observe.h"
#include "models/result.h"
#include "models/run.h"
#include "recovery/recoup.h"
#include "sim/arena.h"
#include "sim/assert.h"
#include "sim/error.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/queue.h"
#include "sim/random.h"
#include "sim/trace.h"

#define MODEL_NONE UINT32_MAX

// Random streams (registered numbers, never re-used). Entities are indices that do not move when
// something is added: subtask gid, worker, incarnation, fault index.
enum model_stream {
    MODEL_STREAM_DURATION = 1,       // entity gid; n = 0, or the attempt's number with rerun: fresh
    MODEL_STREAM_OUTPUT = 2,         // as duration
    MODEL_STREAM_DEPLOY = 3,         // entity gid, n = attempt number of the subtask
    MODEL_STREAM_WORKER_RESTART = 4, // entity worker, n-th death
    MODEL_STREAM_RECONNECT = 5,      // entity worker, n-th registration
    MODEL_STREAM_MASTER_START = 6,   // entity 0, n = incarnation
    MODEL_STREAM_MASTER_RESTART = 7, // entity 0, n = incarnation that died
    MODEL_STREAM_DETECT = 8,         // entity 0, n = incarnation that died
    MODEL_STREAM_ELECTION_RENEW = 9, // phase of the last renewal at the death
    MODEL_STREAM_ELECTION_POLL = 10, // phase of the contender's poll
    MODEL_STREAM_LATENCY_TO_MASTER = 11, // entity worker, n-th message
    MODEL_STREAM_LATENCY_TO_WORKER = 12, // entity worker, n-th message
    MODEL_STREAM_LATENCY_HA = 13,        // entity 0
    MODEL_STREAM_STORAGE = 14,           // entity operation kind, n-th of that kind
    MODEL_STREAM_FAULT = 15,             // entity fault index * 2^32 + target, n-th strike
    MODEL_STREAM_FAULT_TARGET = 16,      // entity fault index, n-th strike
    MODEL_STREAM_HEARTBEAT = 17, // phase of a worker's heartbeats: entity worker, n = registration
};

// Kinds of simulation events. The class of each is fixed (contract.md section 2, "At one instant").
enum model_event_kind {
    MODEL_EVENT_FAULT,          // fault: entity = fault index, arg = strike serial or target
    MODEL_EVENT_GRACE_END,      // timer: a terminated process's grace is over; entity 0 master, 1 +
                                // worker
    MODEL_EVENT_ATTEMPT_START,  // happening: entity = attempt
    MODEL_EVENT_ATTEMPT_END,    // happening: entity = attempt; it finished on its worker
    MODEL_EVENT_FAILURE_REPORT, // happening: entity = attempt, arg = stage << 32 | subtask of the
                                // missing input
    MODEL_EVENT_FINISH_REPORT,  // happening: entity = attempt; the master gets the report
    MODEL_EVENT_IO_DONE,        // happening: entity = operation serial, arg = incarnation
    MODEL_EVENT_MASTER_TIMER,   // timer: recoup_deadline(); entity = incarnation
    MODEL_EVENT_SNAPSHOT_DONE,  // happening: entity = snapshot slot, arg = incarnation
    MODEL_EVENT_CANCELED, // happening: every attempt of a reset is cancelled; entity = reset, arg =
                          // incarnation
    MODEL_EVENT_RESTART_DELAY,      // timer: the back-off of a reset is over; entity = reset, arg =
                                    // incarnation
    MODEL_EVENT_LEADERSHIP_LOST,    // happening: the old leader's claim is gone
    MODEL_EVENT_WORKERS_TOLD,       // happening: the workers learn of it (empty leader)
    MODEL_EVENT_LEADERSHIP_GRANTED, // happening: a contender leads
    MODEL_EVENT_MASTER_START,       // happening: the new master has loaded the job
    MODEL_EVENT_WORKER_REGISTER, // happening: entity = worker; its registration reaches the master;
                                 // arg = incarnation
    MODEL_EVENT_WORKER_ASKED,    // happening: the worker is asked for its partitions; arg =
                                 // incarnation
    MODEL_EVENT_WORKER_REPORT,   // happening: its answer reaches the master; arg = incarnation
    MODEL_EVENT_WORKER_NOTICE,   // timer: the worker's heartbeat timeout for its master; arg =
                                 // connection serial
    MODEL_EVENT_WORKER_SLOTS_READY, // happening: slots asked for anew are offered; arg =
                                    // worker_life
    MODEL_EVENT_WORKER_RETENTION, // timer: orphaned partitions are dropped; arg = connection serial
    MODEL_EVENT_WORKER_CANCEL,    // happening: entity = attempt; the worker is told to cancel it;
                                  // arg 1: a late output has displaced it
    MODEL_EVENT_MASTER_GOODBYE, // happening: the orderly end of its master reaches a worker; arg =
                                // worker_life
    MODEL_EVENT_WORKER_GOODBYE, // happening: the orderly end of a worker reaches its master; arg =
                                // registration serial
    MODEL_EVENT_WORKER_BACK,    // happening: a killed worker is back
    MODEL_EVENT_WORKER_DEAD_NOTICED, // timer: the master notices a dead worker; arg = registration
                                     // serial
    MODEL_EVENT_STOP_AT,             // timer: the run's limit of virtual time
    MODEL_EVENT_ZOMBIE_TIMER, // timer: recoup_deadline() of a master cut off; entity = incarnation
    MODEL_EVENT_ZOMBIE_END,   // happening: it notices that it leads no more; entity = incarnation
    MODEL_EVENT_KINDS
};

// --- attempts: the truth about every attempt that was ever deployed
// -------------------------------

enum model_attempt_state {
    MODEL_ATTEMPT_DEPLOYING, // decided; occupies its slot
    MODEL_ATTEMPT_RUNNING,   // on its worker, its master lives
    MODEL_ATTEMPT_REPORTING, // finished on its worker, the report is on its way
    MODEL_ATTEMPT_FINISHED,  // its master processed the report
    MODEL_ATTEMPT_ORPHANED,  // its master is gone; the worker has not noticed yet
    MODEL_ATTEMPT_ENDED,     // failed, cancelled, killed, or an orphan that ended
};

enum model_partition_state {  // of the attempt's output
    MODEL_PARTITION_NONE,     // not produced (yet), or nobody reads it
    MODEL_PARTITION_HELD,     // its worker holds it
    MODEL_PARTITION_RELEASED, // its worker dropped it: ordered, expired, graceful disconnect, new
                              // leader first
    MODEL_PARTITION_LOST,     // its worker died
};

#define MODEL_ATTEMPTS_SHIFT 10 // log2 of the attempts of a chunk

struct model_attempt { // 48 bytes; index = low 32 bits of the library's attempt id
    int64_t start_ns;  // planned while deploying
    int64_t end_ns;    // planned while running; then when it stopped to count as busy
    uint32_t gid;
    uint32_t worker;
    uint32_t incarnation; // from 1
    uint32_t event; // sequence number of its finish in that incarnation's log, 0: none or dropped
    uint32_t splits;    // first of its splits in world.split_lists, MODEL_NONE: none
    uint16_t slot;
    uint8_t state;     // enum model_attempt_state
    uint8_t partition; // enum model_partition_state
    uint8_t cause;     // enum model_cause, MODEL_CAUSE_COUNT: not lost
    bool dropped;      // its finish was not recorded, since recording had stopped
    uint16_t number;   // n-th attempt of its subtask, from 0
    uint8_t marks;     // of ledger.c alone
    bool worker_died;  // before its finish report arrived
};

// --- stages and subtasks, as the current master sees them (besides what the library owns)
// ----------

enum model_subtask_state {
    MODEL_SUBTASK_WAITING,   // inputs not complete, or stage not initialized
    MODEL_SUBTASK_READY,     // in the ready set
    MODEL_SUBTASK_ACTIVE,    // deploying, running or reporting: `attempt`
    MODEL_SUBTASK_FINISHED,  // held as finished: `attempt`
    MODEL_SUBTASK_CANCELING, // in a reset that is not carried out yet
};

struct model_subtask {    // 16 bytes
    uint32_t attempt;     // active or finished one, MODEL_NONE
    uint32_t marked;      // recovery only: attempt that the new master marked finished, MODEL_NONE
    uint32_t waiting_for; // unfinished producers on point-wise edges
    uint16_t
        attempts; // ever started or deployed, saturating: for the draws of rerun: fresh and deploy
    uint8_t state;
    bool taken_back : 1; // was held as finished once and is not now: the next start is a re-run
    bool held_at_death : 1; // when the outage began
};

struct model_world_stage {
    uint32_t gid_first;        // subtasks are gid_first .. gid_first + parallelism - 1
    uint32_t capacity;         // parallelism, or the maximum for auto
    uint32_t parallelism;      // 0 until initialized by the current master
    uint32_t blocked_inputs;   // all-to-all inputs whose producer stage is not complete
    const uint32_t *out_edges; // indices into world.edges
    uint32_t n_out_edges;
    const uint32_t *in_edges;
    uint32_t n_in_edges;
    uint32_t coordinator;  // index into world.coordinators, MODEL_NONE
    bool has_consumers;    // its output forms partitions
    uint64_t lineage_sum;  // commutative digest of the finished attempts held (all-to-all lineage)
    uint64_t output_bytes; // of the held finished attempts, for auto parallelism
    uint64_t damage;       // grows when a partition of the stage is gone
    uint64_t damage_checked; // its value when the whole output was last seen to be there
};

#include "models/ahead.h"
#include "models/coordinator.h"
#include "models/election.h"
#include "models/fault.h"
#include "models/invariants.h"
#include "models/ledger.h"
#include "models/master.h"
#include "models/outage.h"
#include "models/reference.h"
#include "models/schedule.h"
#include "models/storage.h"
#include "models/worker.h"
#include "models/zombie.h"

struct model_world {
    const struct model_config *config;
    const struct model_run_options *options;
    struct sim_arena *arena;
    struct sim_queue queue;
    struct sim_random draws;
    struct sim_fingerprint fingerprint;
    struct model_draw *last_draws; // by stream; NULL: nobody watches
    int64_t now_ns;
    uint64_t events; // dispatched
    int error;       // first SIM_E... that made going on impossible (out of memory); 0
    bool limited;    // ended by events_max
    bool ended;      // the job reached its final state, or the run its limit
    enum model_job_state state;
    int64_t end_ns;

    struct model_world_stage *stages; // config->n_stages
    struct recoup_edge_spec *edges;
    uint32_t n_edges;
    uint32_t *stage_hint;           // the last answer of world_stage_of; no part of the state
    uint32_t n_subtasks;            // capacity of all stages
    struct model_subtask *subtasks; // by gid
    struct sim_chunks attempts;     // struct model_attempt
    // With invariants on, by attempt: a digest of the attempts whose output it consumed (T10).
    struct sim_chunks lineages;
    uint32_t n_attempts;
    struct model_ahead ahead;

    struct recoup_stats io; // of all incarnations, summed up
    struct model_master_state master;
    struct model_zombies zombies; // masters before it that do not know that they lead no more
    struct model_schedule schedule;
    struct model_workers workers;
    struct model_coordinators coordinators;
    struct model_storage_state storage;
    struct model_election election;
    struct model_faults faults;
    struct model_ledger ledger;
    struct model_outage outage;
    struct model_invariant_state invariants;
};

// Sets a world up at time 0, with the first master started. Returns 0, SIM_ENOMEM or SIM_EINVAL.
int world_init(struct model_world *w, const struct model_config *config,
               const struct model_run_options *options, struct sim_arena *arena);
void world_dispatch(struct model_world *w, const struct sim_event *event);
// Most subtasks that an auto stage may get.
uint32_t world_auto_limit(const struct model_config *config, uint32_t stage);

// The stage of a subtask, by binary search over gid_first (stages are few). Neighbouring events
// mostly belong to one stage, so the last answer is tried first.
uint32_t world_search_stage(const struct model_world *w, uint32_t gid);
static inline uint32_t world_stage_of(const struct model_world *w, uint32_t gid)
{
    uint32_t hint = *w->stage_hint;

    SIM_DEBUG_ASSERT(gid < w->n_subtasks);
    return gid - w->stages[hint].gid_first < w->stages[hint].capacity ? hint
                                                                     : world_search_stage(w, gid);
}
uint64_t *world_lineage(const struct model_world *w, uint32_t attempt);  // invariants on only
static inline struct model_attempt *world_attempt(const struct model_world *w, uint32_t attempt)
{
    // The chunks hold structs of a size that the compiler knows, and their number is fixed.
    SIM_DEBUG_ASSERT(attempt < w->n_attempts);
    SIM_DEBUG_ASSERT(w->attempts.record_bytes == sizeof(struct model_attempt));
    return (struct model_attempt *)(void *)w->attempts.chunks[attempt >> MODEL_ATTEMPTS_SHIFT] +
           (attempt & ((UINT32_C(1) << MODEL_ATTEMPTS_SHIFT) - 1));
}

// Schedules an event; on failure (out of memory) sets w->error, which ends the run.
void world_push(struct model_world *w, int64_t at_ns, enum model_event_kind kind, uint32_t entity,
                uint64_t arg);
uint64_t world_push_cancellable(struct model_world *w, int64_t at_ns, enum model_event_kind kind,
                                uint32_t entity, uint64_t arg);
// Memory of the run; NULL sets w->error.
void *world_alloc(struct model_world *w, size_t count, size_t size);
// The same, not cleared: for what is written before it is read. Clearing a megabyte of buffer for a
// log of a few kilobytes is the larger part of a small run.
void *world_alloc_uncleared(struct model_world *w, size_t count, size_t size);

// Draws: one law at one address.
int64_t world_sample(struct model_world *w, const struct sim_law *law, enum model_stream stream,
                     uint64_t entity, uint64_t n, uint64_t row);

// The job's end: from whoever decides it. Only the first call counts.
void world_end(struct model_world *w, enum model_job_state state);

#endif
