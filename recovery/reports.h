// SPDX-License-Identifier: Apache-2.0
//
// What workers reported, in order, until it is looked at: a chain of blocks. A job of a million
// subtasks hears of hundreds of thousands of partitions while its log is being read; an array that
// doubles would take several times their bytes just then, at the peak of the job's memory.
#ifndef RECOUP_RECOVERY_REPORTS_H
#define RECOUP_RECOVERY_REPORTS_H

#include "recovery/memory.h"

struct recoup__report_block;

struct recoup__reports {
    struct recoup__report_block *first;
    struct recoup__report_block *last; // that is not empty, or the first
    uint32_t n;
    uint32_t room; // for so many more without fail
};

// Room for `n` more. RECOUP_EINVAL: too many; RECOUP_ENOMEM. Nothing reported is lost by either.
int recoup__reports_reserve(struct recoup__reports *reports, struct recoup__memory *memory,
                            uint32_t n);
// Appends one; room has been reserved.
void recoup__reports_add(struct recoup__reports *reports, const struct recoup_partition *partition);

// Keeps those of which `keep` says true, in their order; asks once for each, in order.
void recoup__reports_filter(struct recoup__reports *reports, struct recoup__memory *memory,
                            bool (*keep)(void *context, const struct recoup_partition *partition),
                            void *context);

// Copies all to an array of `n`.
void recoup__reports_copy(const struct recoup__reports *reports,
                          struct recoup_partition *partitions);

// Forgets all and frees the memory. Accepts an empty list.
void recoup__reports_clear(struct recoup__reports *reports, struct recoup__memory *memory);

#endif
