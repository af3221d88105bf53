// SPDX-License-Identifier: GPL-3.0-or-later
//
// Leadership: who notices a master's death, when the claim is gone, when the next one leads.
//
//   kind        claim gone after the death              next leader
//   fixed       law `detect` (contract.md "Failover")   at once
//   zookeeper   session timeout (what the server grants) at once
//               since the last ping; pings are sent
//               every third of it
//   kubernetes  lease duration since the last renewal,  the contender's next poll, every
//               every retry period                      retry period
//   none        the job fails
//
// (flink-recovery.md 4.14; formula LE of parameters.md 7.4.) The phases of pings, renewals and
// polls are uniform draws. A leader that ends in order gives its claim up at that instant. Without
// a standby the next leader exists from death + master.restart on. ZooKeeper and `fixed` tell the
// workers of the loss, one latency later; Kubernetes has no such phase.
#ifndef RECOUP_MODELS_ELECTION_H
#define RECOUP_MODELS_ELECTION_H

#include <stdbool.h>
#include <stdint.h>

struct model_world;

struct model_election {
    uint32_t incarnation;       // that leads or was last to lead, from 1
    bool leading;               // leadership granted and the process alive
    int64_t died_ns;            // of the last death
    int64_t granted_ns;         // of the last grant; the first leader has led for ever
    bool graceful;              // the last leader gave its claim up itself
    uint64_t handle;            // of the next LEADERSHIP_LOST or LEADERSHIP_GRANTED
    uint64_t start;             // of the next MASTER_START
};

// The leader died (killed), or gave its leadership up in an orderly way, now. Schedules
// LEADERSHIP_LOST. HA none: ends the job as FAILED.
void election_leader_gone(struct model_world *w, bool graceful);

// Events of the same names. Lost: schedules WORKERS_TOLD where the kind of election has such a
// phase, and LEADERSHIP_GRANTED; without a standby and with restart never: the job is SUSPENDED.
// Granted: schedules MASTER_START after master.start.
void election_lost(struct model_world *w);
void election_granted(struct model_world *w);

#endif
