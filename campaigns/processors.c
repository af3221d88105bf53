// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#ifdef __linux__
#include <sched.h>
#endif
#include <unistd.h>

#include "campaigns/pool.h"

uint32_t campaign_pool_default_workers(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

#ifdef __linux__
    cpu_set_t set;

    // What taskset or a container's cpuset leaves to this process.
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        n = CPU_COUNT(&set);
    }
#endif
    if (n < 1) {
        return 1;
    }
    return n > (long)CAMPAIGN_WORKERS_MAX ? CAMPAIGN_WORKERS_MAX : (uint32_t)n;
}
