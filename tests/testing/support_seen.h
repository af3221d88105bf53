// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which states a search has met: a table of keys, open addressing, 0: free.
#ifndef RECOUP_TESTS_TESTING_SUPPORT_SEEN_H
#define RECOUP_TESTS_TESTING_SUPPORT_SEEN_H

#include "check.h"
#include "recovery/testing/host.h"

// True when `key` was not there; then it is. Fails the test when all `n` places are taken.
bool seen_first(uint64_t *seen, uint64_t n, uint64_t key);
// The same of what a host's storage holds, told apart by `salt`.
bool seen_first_storage(uint64_t *seen, uint64_t n, const struct recoup_testing_host *host,
                        uint64_t salt);

#endif
