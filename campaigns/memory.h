// SPDX-License-Identifier: GPL-3.0-or-later
//
// How much memory a run may take. A scenario may ask for more than the machine has; without a bound
// that ends with whatever process the system chooses to kill.
#ifndef RECOUP_CAMPAIGNS_MEMORY_H
#define RECOUP_CAMPAIGNS_MEMORY_H

#include <stdint.h>

// Three quarters of the memory that this process may use (the machine's, or its control group's
// where that is less), shared evenly by `workers`, at least 1; in bytes, at least 64 MiB. 0 where
// nothing is known: no bound.
uint64_t campaign_memory_share(uint32_t workers);

#endif
