// SPDX-License-Identifier: GPL-3.0-or-later
//
// Workloads for the queue: each pop schedules one or more events by a rule, and every pop goes into
// a digest. The same driver runs the queue and the plain heap, so that both can be compared.
#ifndef TESTS_SIM_SUPPORT_WORKLOAD_H
#define TESTS_SIM_SUPPORT_WORKLOAD_H

#include <stdint.h>

enum workload {
    WORKLOAD_EXPONENTIAL, // spread increments (integer, from a table)
    WORKLOAD_CONSTANT,    // all increments equal
    WORKLOAD_TICKS,       // whole seconds: many ties
    WORKLOAD_BIMODAL,     // 1 ms or 100 s
    WORKLOAD_ZERO,        // half of the increments are 0
    WORKLOAD_CLASSES,     // small increments, classes mixed, many at the current instant
    WORKLOAD_BURSTS,      // now and then hundreds of events at one or two near instants
    WORKLOAD_WIDE,        // increments from 1 ns to decades
    WORKLOAD_CANCEL,      // each event cancels a pending timeout and sets a new one
    WORKLOAD_COUNT
};

const char *workload_name(enum workload kind);
// Runs a workload with pending events over so many pops; the digest of all pops' (time, order,
// kind, entity, arg).
uint64_t workload_run_queue(enum workload kind, uint64_t seed, uint32_t pending, uint64_t pops);
uint64_t workload_run_heap(enum workload kind, uint64_t seed, uint32_t pending, uint64_t pops);

#endif
