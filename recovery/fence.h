// SPDX-License-Identifier: Apache-2.0
//
// Claims and looks: how masters of one job keep out of each other's way. See fence.c.
#ifndef RECOUP_RECOVERY_FENCE_H
#define RECOUP_RECOVERY_FENCE_H

#include "recovery/store_internal.h"

// True under policy event-store.fencing.
bool recoup__fences(const struct recoup__store *store);

// What a listing says about who leads: 0, or RECOUP_EFENCED.
int recoup__fence_judge(const struct recoup__store *store, const char *const *names,
                        uint32_t n_names);

// Room for as many more files as a listing can bring. RECOUP_ENOMEM, RECOUP_EINVAL for too many.
int recoup__fence_reserve(struct recoup__store *store, uint32_t n_names);

// A look has ended (room has been reserved): 0, RECOUP_EFENCED, or the storage's error.
int recoup__fence_listed(struct recoup__store *store, const struct recoup_event *event);

#endif
