// SPDX-License-Identifier: GPL-3.0-or-later
#define _DEFAULT_SOURCE // _SC_PHYS_PAGES
#include "campaigns/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SHARE_MIN (UINT64_C(64) << 20)

static uint64_t machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);

    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

// Of a container, as it sees itself; UINT64_MAX: not limited, or not known.
static uint64_t group_bytes(void)
{
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    uint64_t bytes = UINT64_MAX;

    if (file != NULL) {
        if (fscanf(file, "%" SCNu64, &bytes) != 1) { // "max"
            bytes = UINT64_MAX;
        }
        (void)fclose(file);
    }
    return bytes;
}

uint64_t campaign_memory_share(uint32_t workers)
{
    uint64_t bytes = machine_bytes();
    uint64_t group = group_bytes();
    uint64_t share;

    if (bytes == 0) {
        return 0;
    }
    bytes = group < bytes ? group : bytes;
    share = bytes / 4 * 3 / (workers > 0 ? workers : 1);
    return share < SHARE_MIN ? SHARE_MIN : share;
}
