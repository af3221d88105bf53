// SPDX-License-Identifier: GPL-3.0-or-later
//
// An M/M/c (or M/G/c) queue on the kernel: the classic whose closed form is known.
#ifndef TESTS_SIM_SUPPORT_MMC_H
#define TESTS_SIM_SUPPORT_MMC_H

#include <stdint.h>

#include "sim/law.h"

struct mmc_result {
    double number;       // time average of customers inside
    double sojourn_s;    // mean time inside
    double wait_s;       // mean time before service
    double waited;       // share of customers that waited
    double late;         // share of customers inside for longer than `late_ns`
};

struct mmc_world {
    uint32_t servers;
    int64_t between_ns; // mean of exponential times between arrivals
    struct sim_law service;
    int64_t late_ns;
};

// Simulates so many customers after as many warm-up customers as stated.
struct mmc_result mmc_run_world(uint64_t seed, const struct mmc_world *world, uint32_t warm_up,
                                uint32_t customers);

// The same with exponential service; means in ns.
struct mmc_result mmc_run(uint64_t seed, uint32_t servers, int64_t between_ns, int64_t service_ns,
                          uint32_t warm_up, uint32_t customers);

#endif
