// SPDX-License-Identifier: GPL-3.0-or-later
//
// Workers: processes with slots that run attempts and hold the partitions of finished ones. How a worker learns that
// its master is gone decides what it keeps (flink-recovery.md 5).
#ifndef RECOUP_MODELS_WORKER_H
#define RECOUP_MODELS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/config.h"
#include "recovery/recoup.h"

struct model_world;

struct model_worker {
    bool alive;
    bool connected;             // believes to be connected to `leader`
    bool in_cleanup;            // H36: orphaned, and not asked since
    bool terminating;
    uint32_t leader;            // incarnation it is, or was last, connected to; 0: none yet
    uint32_t registered;        // incarnation that counts it as registered; 0: none (the master's view)
    uint32_t connection;        // serial of the connection, grows at each connect and disconnect
    uint32_t deaths;
    uint32_t messages_to_master; // n of the next latency draw
    uint32_t messages_to_worker;
    uint32_t registrations;
    uint32_t held;              // first attempt of its list of held partitions; entries that are no longer
                                // HELD are unlinked when the list is walked. MODEL_NONE: empty
    int64_t connected_ns;       // since when; anchors its heartbeats
    int64_t disconnected_ns;
};

struct model_workers {
    struct model_worker *list;      // config->cluster.workers
    uint32_t *slot_attempt;         // worker * slots + slot: attempt that occupies it in truth, MODEL_NONE
    uint32_t n_alive;
    struct recoup_partition *report;  // scratch of the report being delivered
    uint32_t report_capacity;
};

int workers_init(struct model_world *w);   // all alive, connected to incarnation 1, slots free

// --- faults
void worker_kill(struct model_world *w, uint32_t worker, bool graceful);  // graceful: says good-bye, noticed one latency later
// Handlers of the events of the same names.
void worker_back(struct model_world *w, uint32_t worker);
void worker_dead_noticed(struct model_world *w, uint32_t worker, uint64_t serial);

// --- the master's side of the connection
void workers_master_killed(struct model_world *w);        // now: from here their heartbeat timeouts run
void workers_told(struct model_world *w);                  // event: the workers learn that leadership is lost: they keep
void workers_master_disconnects(struct model_world *w);    // now: an orderly end says good-bye to all, one latency later
void workers_leader_published(struct model_world *w);      // now: schedules each worker's registration
void worker_notice(struct model_world *w, uint32_t worker, uint64_t connection);
void worker_leader_seen(struct model_world *w, uint32_t worker, uint64_t incarnation);
void worker_register(struct model_world *w, uint32_t worker, uint64_t incarnation);
void worker_slots_expired(struct model_world *w, uint32_t worker, uint64_t connection);
void worker_retention_expired(struct model_world *w, uint32_t worker, uint64_t connection);

// --- asking for partitions: the question, its arrival, the arrival of the answer
void worker_ask(struct model_world *w, uint32_t worker);
void worker_asked(struct model_world *w, uint32_t worker, uint64_t incarnation);
void worker_report(struct model_world *w, uint32_t worker, uint64_t incarnation);

// --- attempts and partitions (called by schedule.c and master.c)
void worker_occupy(struct model_world *w, uint32_t attempt);       // its slot, from the decision to deploy
void worker_vacate(struct model_world *w, uint32_t attempt);       // its slot is free again
void worker_hold(struct model_world *w, uint32_t attempt);         // its output is complete and kept
void worker_release(struct model_world *w, uint32_t attempt);      // ordered by the master; takes effect when it is sent
void worker_cancel(struct model_world *w, uint32_t attempt);       // event: the order to cancel arrived
// Ends what the worker runs for a master that is gone (orphans), and drops or keeps what it holds.
void worker_disconnect(struct model_world *w, uint32_t worker, bool keep_partitions);

int64_t worker_latency_to_master(struct model_world *w, uint32_t worker);  // draws
int64_t worker_latency_to_worker(struct model_world *w, uint32_t worker);

#endif
