// SPDX-License-Identifier: GPL-3.0-or-later
//
// Workers: processes with slots that run attempts and hold the partitions of finished ones. How a
// worker learns that its master is gone decides what it keeps (flink-recovery.md 5).
//
//   learns by                              its partitions
//   being told (leader lost), heartbeats   are kept, if worker_policy.recovery_enabled (H37), until
//                                          worker_registration_timeout (H36)
//   its master's orderly good-bye          are dropped, unless worker_policy.retention_by_job (H35)
//   meeting the new leader first           are dropped, unless worker_policy.retention_by_job (H35)
//
// Whatever it learns, its orphans end at that instant, and their slots are free. Heartbeats are not
// simulated one by one: the instant at which a silence is noticed is computed when it begins.
//
// Two views must be told apart. `alive`, `connected` and `leader` are the worker's own;
// `registered` and `usable` are the master's. A dead worker whose death is not noticed yet is
// still registered, and the master may deploy to it: such attempts end at once, unseen.
#ifndef RECOUP_MODELS_WORKER_H
#define RECOUP_MODELS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/config.h"
#include "models/held.h"
#include "recovery/recoup.h"
#include "sim/arena.h"

struct model_world;

struct model_worker {
    bool alive;
    bool connected;             // believes to be connected to `leader`
    bool in_cleanup;            // H36: orphaned, and not asked since
    bool usable;                // the master may place on its slots
    uint32_t leader;            // incarnation it is, or was last, connected to; 0: none yet
    uint32_t registered;        // incarnation that counts it as registered; 0: none
    uint32_t connection;        // serial of the connection, grows at each connect and disconnect
    uint32_t deaths;
    uint32_t messages_to_master; // n of the next latency draw
    uint32_t messages_to_worker;
    uint32_t registrations;     // with any master; time 0 counts as the first
    uint32_t reconnects;        // n of the next draw of cluster.reconnect
    uint32_t listed;            // entries of its list of partitions
    struct model_held held;     // the list's first block
    int64_t connected_ns;       // since when; anchors its heartbeats
    int64_t disconnected_ns;
    int64_t expired_ns;         // when it last dropped all after its full retention time; -1: never
    int64_t early_ns;           // when the timer of an earlier disconnect did so (H36); -1: never
};

struct model_workers {
    struct model_worker *list;      // config->cluster.workers
    // worker * slots + slot: the attempt that occupies it, MODEL_NONE. Those of a dead worker stay
    // until its death is noticed: the master's view.
    uint32_t *slot_attempt;
    uint32_t n_alive;
    uint32_t published;             // incarnation whose address is published, 0: none
    uint32_t telling;               // WORKERS_TOLD events under way (counted by election.c)
    struct sim_chunks held_blocks;    // struct model_held
    uint32_t held_free;               // first free one, MODEL_NONE: none
    struct recoup_partition *report;  // scratch: the report being delivered, or what is dropped
    uint32_t *report_attempts;
    uint32_t report_capacity;
};

int workers_init(struct model_world *w);   // all alive, connected to incarnation 1, slots free

// --- the process (worker.c)
// The process dies now: what it runs ends (worker-failure), what it holds is lost. Graceful: it
// says good-bye to its master, who notices one latency later; else the master notices by failed
// heartbeats. No-op when it is dead. A graceful end takes no time: a worker that is told to stop
// cancels its tasks at once.
void worker_kill(struct model_world *w, uint32_t worker, bool graceful);
void worker_back(struct model_world *w, uint32_t worker);  // event: a new process, without data

// --- attempts and partitions (worker.c; called by schedule.c and master.c)
// Its slot, from the decision to deploy.
void worker_occupy(struct model_world *w, uint32_t attempt);
// Its slot is free again, also for the master if it may use it. No-op when it has none (any more).
void worker_vacate(struct model_world *w, uint32_t attempt);
void worker_hold(struct model_world *w, uint32_t attempt);     // its output is complete and kept
void worker_release(struct model_world *w, uint32_t attempt);  // ordered by the master; at once
// Event: the order to cancel arrived. An attempt that did not finish in the eyes of its master is
// lost for downstream-of-reset; its output, if complete, is dropped.
void worker_cancel(struct model_world *w, uint32_t attempt);
// The same for an attempt that a late output has displaced (adoption.c): it is lost already.
void worker_displaced(struct model_world *w, uint32_t attempt);
// Ends what the worker runs for a master that is gone (orphans), and drops or keeps what it holds.
void worker_disconnect(struct model_world *w, uint32_t worker, bool keep_partitions);
void worker_retention_expired(struct model_world *w, uint32_t worker, uint64_t life);  // event

// The arg of events that must reach one life and one connection of a worker only.
uint64_t worker_life(const struct model_worker *worker);

// --- the connection to the master (worker_connection.c)
// The master is gone now: killed, so that heartbeat timeouts run, or in order, with a good-bye to
// all workers.
void workers_master_killed(struct model_world *w);
void workers_master_disconnects(struct model_world *w);
void workers_told(struct model_world *w);  // event: they learn that leadership is lost
// Event: the good-bye arrives.
void worker_master_goodbye(struct model_world *w, uint32_t worker, uint64_t life);
// The present master's address is published now: schedules each worker's registration.
void workers_leader_published(struct model_world *w);
// Event: its heartbeat timeout.
void worker_notice(struct model_world *w, uint32_t worker, uint64_t life);
// It sees the leader's address and registers with it.
void worker_leader_seen(struct model_world *w, uint32_t worker, uint64_t incarnation);
// Event: the registration of one of its lives (high half of arg) reaches an incarnation (low half).
void worker_register(struct model_world *w, uint32_t worker, uint64_t arg);
void worker_slots_ready(struct model_world *w, uint32_t worker, uint64_t life);  // event

// The worker died now: when its master learns of it.
void worker_death_unnoticed(struct model_world *w, uint32_t worker, bool graceful);
// Events DEAD_NOTICED and GOODBYE: the master learns that the worker of a registration is gone.
void worker_dead_noticed(struct model_world *w, uint32_t worker, uint64_t registration);

// --- asking for partitions (worker_report.c)
// The question, its arrival, the arrival of the answer, which lists what the worker holds then. A
// worker that dies meanwhile does not answer.
void worker_ask(struct model_world *w, uint32_t worker);
void worker_asked(struct model_world *w, uint32_t worker, uint64_t life);
void worker_report(struct model_world *w, uint32_t worker, uint64_t life);
// Makes room for n entries in the scratch of reports; false sets w->error.
bool worker_reserve_report(struct model_world *w, uint32_t n);

int64_t worker_latency_to_master(struct model_world *w, uint32_t worker);  // draws
int64_t worker_latency_to_worker(struct model_world *w, uint32_t worker);

#endif
