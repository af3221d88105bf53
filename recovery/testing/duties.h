// SPDX-License-Identifier: Apache-2.0
//
// Watches whether an engine keeps the duties D1 and D3 to D13 of recoup.h while it runs: it steps
// its job through recoup_duties_step(), and says what it does besides (starting subtasks,
// committing, workers that come and go). Storage itself is the matter of host_check.h.
//
//     recoup_duties_init(&duties, &allocator, 0, 10 ms);
//     recoup_duties_step(&duties, job, now_ns, &event, &update);  in place of recoup_step()
//     ...
//     recoup_duties_end(&duties);       for each finding: duties.findings[i]
#ifndef RECOUP_RECOVERY_TESTING_DUTIES_H
#define RECOUP_RECOVERY_TESTING_DUTIES_H

#include "recovery/recoup.h"

#define RECOUP_DUTIES_FINDINGS_MAX 32u

struct recoup_duties_finding {
    unsigned duty;
    const char *text;
    uint64_t step; // number of the step, from 1
    int64_t now_ns;
};

struct recoup_duties_worker {
    uint32_t worker;
    bool connected;
    bool asked;    // owes a report
    bool reported; // since it was asked
};

struct recoup_duties {
    struct recoup_allocator allocator;
    uint64_t epoch_before;
    int64_t lateness_ns;
    uint64_t steps;
    int64_t now_ns;
    uint64_t epoch;
    uint64_t durable;
    uint32_t operation; // under way, 0: none
    bool in_step;
    bool started;
    bool recovered;
    bool asking;
    bool ended;         // nothing but destroy may follow
    bool lost;          // since leadership is lost: nothing is owed any more
    uint64_t *attempts; // whose finish was reported
    uint32_t n_attempts, attempts_capacity;
    uint32_t *resets; // to be confirmed
    uint32_t n_resets, resets_capacity;
    struct recoup_duties_worker *workers;
    uint32_t n_workers, workers_capacity;
    uint32_t n; // findings; more than the maximum are counted only
    struct recoup_duties_finding findings[RECOUP_DUTIES_FINDINGS_MAX];
    int error; // RECOUP_ENOMEM: the watch is incomplete
};

// `epoch_before`: the greatest epoch of any earlier master, 0 if there was none. `lateness_ns`: how
// much later than the deadline TIMER may come. One struct per master.
void recoup_duties_init(struct recoup_duties *duties, const struct recoup_allocator *allocator,
                        uint64_t epoch_before, int64_t lateness_ns);
void recoup_duties_release(struct recoup_duties *duties);

// recoup_step(), watched. An event that breaks a duty is stepped all the same.
int recoup_duties_step(struct recoup_duties *duties, struct recoup_job *job, int64_t now_ns,
                       const struct recoup_event *event, struct recoup_update *update);

// The engine starts an attempt of a subtask now (D6).
void recoup_duties_scheduled(struct recoup_duties *duties, const struct recoup_job *job,
                             uint32_t stage, uint32_t subtask);
// The engine commits a sink or drops an input that event number `event` stands for (D10).
void recoup_duties_committed(struct recoup_duties *duties, uint64_t event);
// A worker has connected, or is gone (D9).
void recoup_duties_worker(struct recoup_duties *duties, uint32_t worker, bool connected);
// The job is about to be destroyed in good order: what is owed by now is a finding.
void recoup_duties_end(struct recoup_duties *duties);

#endif
