// SPDX-License-Identifier: GPL-3.0-or-later
//
// An M/M/c queue on the kernel: the classic whose closed form is known.
#ifndef TESTS_SIM_SUPPORT_MMC_H
#define TESTS_SIM_SUPPORT_MMC_H

#include <stdint.h>

struct mmc_result {
    double number;       // time average of customers inside
    double sojourn_s;    // mean time inside
    double wait_s;       // mean time before service
    double waited;       // share of customers that waited
};

// Simulates so many customers after as many warm-up customers as stated; means in ns.
struct mmc_result mmc_run(uint64_t seed, uint32_t servers, int64_t between_ns, int64_t service_ns,
                          uint32_t warm_up, uint32_t customers);

#endif
