// SPDX-License-Identifier: GPL-3.0-or-later
//
// Leadership: who notices a master's death, when the claim is gone, when the next one leads.
// ZooKeeper, Kubernetes (flink-recovery.md 4.14), a fixed law (contract.md "Failover"), or none.
#ifndef RECOUP_MODELS_ELECTION_H
#define RECOUP_MODELS_ELECTION_H

#include <stdbool.h>
#include <stdint.h>

struct model_world;

struct model_election {
    uint32_t incarnation;       // that leads or was last to lead, from 1
    bool leading;               // leadership granted and the process alive
    int64_t died_ns;            // of the last death
    bool graceful;              // the last leader gave its claim up itself
    uint64_t handle;            // of the next LEADERSHIP_LOST or LEADERSHIP_GRANTED
};

// The leader died (killed), or gave its leadership up in an orderly way, now. Schedules LEADERSHIP_LOST, and with it
// WORKERS_TOLD where the kind of election has such a phase. HA none: ends the job as FAILED.
void election_leader_gone(struct model_world *w, bool graceful);

// Handlers of the events of the same names. Granted: schedules MASTER_START after master.start. Without a standby
// and with restart never: the job is SUSPENDED when the claim is gone.
void election_lost(struct model_world *w);
void election_granted(struct model_world *w);

#endif
