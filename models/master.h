// SPDX-License-Identifier: GPL-3.0-or-later
//
// A master incarnation: hosts the real recovery code (recovery/), and carries out what it says.
#ifndef RECOUP_MODELS_MASTER_H
#define RECOUP_MODELS_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/memory.h"
#include "recovery/recoup.h"

struct model_world;

#define MODEL_RESETS_MAX                                                                           \
    4096u // resets under way at one time; the next one ends the run with SIM_ELIMIT

struct model_reset { // a RESET_SUBTASKS that waits for its cancellations and the back-off
    bool used;
    bool canceled; // every attempt of it has ended
    bool delayed;  // the back-off is over
    uint32_t id;   // the library's
};

struct model_master_state {
    bool alive;       // the process lives and leads (from leadership granted)
    bool started;     // START was stepped
    bool running;     // RECOVERED was seen and the master schedules
    bool terminating; // SIGTERM: stopping in an orderly way
    bool asking;      // ASK_WORKERS(on)
    bool failed;      // RECOVERY_FAILED was seen: the outage ends as `restarted`
    bool settled;     // what the one before held, and this one does not, has been accounted for
    bool stepping; // inside recoup_step's update: no other step, no death until it is carried out
    bool kill_pending;    // killed while stepping
    bool stop_pending;    // terminated while stepping
    bool cut_pending;     // cut off while stepping
    int64_t unaware_ns;   // then: how long it will not notice
    bool stopped;         // STOPPED was seen
    uint32_t incarnation; // from 1
    int64_t granted_ns;
    struct recoup_job *job;
    struct recoup_stage_spec *stage_specs;
    struct recoup_coordinator_spec *coordinator_specs;
    struct model_memory memory; // of the library; freed blocks serve the next incarnation
    int64_t deadline_ns;        // armed TIMER, RECOUP_NEVER: none
    uint64_t timer;             // its handle
    struct model_reset resets[MODEL_RESETS_MAX];
    uint64_t finished;       // subtasks held as finished
    uint64_t subtasks_total; // of initialized stages
    uint32_t restarts;       // of the restart strategy: in all, or since its back-off started over
    struct sim_chunks failure_times; // failure-rate: int64_t each, in ns
    int64_t backoff_ns;              // exponential-delay: the last pause, 0 before the first
    int64_t restart_ns;              // and its end
    int64_t restart_delay_ns;        // of the failover being decided
    int64_t failure_ns;              // of the last failure that the strategy was asked about
    uint64_t failures;
    uint32_t step_event;   // number that the log gave to the step whose update is carried out
    bool recompute;        // a reset took something back: readiness is to be computed anew
    uint64_t traced_bytes; // last value of the trace's buffer counter; no part of the state
    struct {               // what the last step asked for that needs further steps
        bool recovered, initialize_possible, check_completion, nothing_there, failed;
        bool adopted;      // subtasks are finished again: what may run now is looked at
        uint32_t adoption; // question to be answered with `agreed`, 0: none
    } todo;
    struct recoup_range *agreed;
    uint32_t n_agreed;
    uint32_t agreed_capacity;
};

int master_init(struct model_world *w); // the first master, leading and started at time 0

// Faults. A killed master is gone now; a terminated one stops in order within its grace.
void master_kill(struct model_world *w);
void master_terminate(struct model_world *w, int64_t grace_ns);
// Cut off from workers and election: gone for them, and going on as a zombie (zombie.h). One that
// has not started, or is stopping, has nothing to go on with, and dies.
void master_cut_off(struct model_world *w, int64_t unaware_ns);
void master_grace_end(struct model_world *w, uint32_t incarnation);

void master_granted(
    struct model_world *w);               // a new incarnation leads; faults may strike it from here
void master_start(struct model_world *w); // event MASTER_START: the job is loaded

// Keeps the library's counters for the result; called before its job is destroyed and at the end of
// the run.
void master_collect_stats(struct model_world *w);
void master_collect_job(struct model_world *w, const struct recoup_job *job);
void master_restart_over(struct model_world *w); // the back-off of a global failover is over
void master_stopped(struct model_world *w);      // an orderly end is complete: the process exits
void master_action(struct model_world *w,
                   const struct recoup_action *action); // carries out one action
void master_initialize_possible(struct model_world *w); // every stage whose inputs allow it
void master_check_completion(struct model_world *w);    // ends the job if every subtask is finished

// The restart strategy (restart.c). Each master begins with one that has seen no failure. It is
// asked at each failure, and sets restart_delay_ns; false: it is exhausted, and the job has failed.
void restart_init(struct model_world *w); // at the first master's begin, for the whole run
void restart_begin(struct model_world *w);
bool restart_allowed(struct model_world *w);

// Failover (failover.c).
void failover_reset(struct model_world *w, const struct recoup_action *action); // RESET_SUBTASKS
void failover_void(struct model_world *w);   // RECOVERY_FAILED: takes back what it had recovered
void failover_global(struct model_world *w); // after RECOVERY_FAILED: the job starts over, or fails

// Outputs that come back late (adoption.c): ASK_ADOPTION, its answer, ADOPT_SUBTASKS, what follows.
void adoption_asked(struct model_world *w, const struct recoup_action *action);
void adoption_answer(struct model_world *w);
void adoption_adopt(struct model_world *w, const struct recoup_action *action);
void adoption_resume(struct model_world *w);

// What happens to the present master; no-ops when it is not there to see it.
// Steps `event` now and carries the update out. Returns the number that the log gave to it, 0 for
// none.
uint64_t master_step(struct model_world *w, const struct recoup_event *event);
void master_timer(struct model_world *w, uint32_t incarnation);
void master_finish_report(struct model_world *w, uint32_t attempt);
// The attempt, just started, finds an input gone: PartitionNotFound. The master learns of it one
// latency later.
void master_attempt_failed(struct model_world *w, uint32_t attempt, uint32_t missing_stage,
                           uint32_t missing_subtask);
void master_failure_report(struct model_world *w, uint32_t attempt, uint64_t missing); // event
void master_worker_registered(struct model_world *w, uint32_t worker);
void master_worker_lost(struct model_world *w, uint32_t worker); // its death is noticed
void master_snapshot_done(struct model_world *w, uint32_t slot, uint64_t incarnation);
void master_canceled(struct model_world *w, uint32_t reset, uint64_t incarnation);
void master_restart_delay(struct model_world *w, uint32_t reset, uint64_t incarnation);

#endif
