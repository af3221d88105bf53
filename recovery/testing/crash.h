// SPDX-License-Identifier: Apache-2.0
//
// Crash states of the host in memory: which there are, one after the other, and building one.
//
//     struct recoup_testing_crashes crashes;
//     recoup_testing_crashes_begin(&crashes, host, RECOUP_TESTING_POWER_LOSS, 4);
//     while (recoup_testing_crashes_next(&crashes)) {
//         recoup_testing_host_copy(host, &copy);
//         recoup_testing_crash(copy, &crashes.choice);
//         ... a new master on `copy` must recover ...
//     }
//
// A crash in the midst of an operation: recoup_testing_interrupt() first. Without it the crash
// comes between two operations. Every combination that the device permits within the window is
// built, so "before", "mid" and "after" an operation are among the states of one interrupt.
#ifndef RECOUP_RECOVERY_TESTING_CRASH_H
#define RECOUP_RECOVERY_TESTING_CRASH_H

#include "recovery/testing/host.h"

#define RECOUP_TESTING_WINDOW_MAX 16u
#define RECOUP_TESTING_ZEROED UINT32_MAX // of a write: its length survives, its bytes do not

enum recoup_testing_crash_kind {
    RECOUP_TESTING_KILL,       // the process dies; what is not durable yet still is not, so that a
                               // power loss may follow
    RECOUP_TESTING_POWER_LOSS, // what is there afterwards is durable
};

struct recoup_testing_choice {
    enum recoup_testing_crash_kind kind;
    uint32_t window; // the newest so many writes are chosen one by one (parts of writes where the
                     // device tears them into sectors)
    bool older_kept; // the writes before the window: all of them, or none
    uint32_t n;      // writes in the window
    // Of each, oldest first: 0 nothing survives, or the bytes that do (of a creation, a removal, a
    // flush under way: 1), or RECOUP_TESTING_ZEROED.
    uint32_t keep[RECOUP_TESTING_WINDOW_MAX];
};

struct recoup_testing_crashes {
    struct recoup_testing_choice choice; // the current one
    uint32_t full[RECOUP_TESTING_WINDOW_MAX];
    bool bytes[RECOUP_TESTING_WINDOW_MAX]; // an append, else all or nothing
    bool ordered;
    bool every_byte;
    bool length_first;
    bool older; // there are writes before the window
    bool begun;
    uint32_t at; // ordered: the write that may be torn; the ones before it survive
};

// Begins to enumerate the crash states of the host as it stands. `window` from 1 to
// RECOUP_TESTING_WINDOW_MAX.
void recoup_testing_crashes_begin(struct recoup_testing_crashes *crashes,
                                  const struct recoup_testing_host *host,
                                  enum recoup_testing_crash_kind kind, uint32_t window);

// The next state is in crashes->choice. False if there is none left.
bool recoup_testing_crashes_next(struct recoup_testing_crashes *crashes);

// How many states there are (saturating); with unordered any-byte tears it is the product of the
// writes' sizes, so ask before enumerating.
uint64_t recoup_testing_crashes_count(const struct recoup_testing_crashes *crashes);

// The host crashes: every open file is closed, and of what was not durable only the choice is left.
// RECOUP_EINVAL if the choice does not fit the host's writes.
int recoup_testing_crash(struct recoup_testing_host *host,
                         const struct recoup_testing_choice *choice);

// The worst power loss (nothing survives that need not) or death of the process (the operation
// under way has no effect).
void recoup_testing_crash_worst(struct recoup_testing_host *host,
                                enum recoup_testing_crash_kind kind);

#endif
