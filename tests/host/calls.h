// SPDX-License-Identifier: GPL-3.0-or-later
//
// The system calls of recovery/host, by way of the linker (--wrap): the n-th one from a point on
// fails, or does not return for a while. The host does not know.
#ifndef RECOUP_TESTS_HOST_CALLS_H
#define RECOUP_TESTS_HOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>

enum calls_fault {
    CALLS_NONE, // only counted
    CALLS_FAIL, // with errno; a write leaves half of its bytes, a close has closed all the same
    CALLS_STALL,
    CALLS_STOP, // the process stops before it (SIGSTOP), until somebody continues it
};

// From now on: call number `nth` (from 1), of those named `only` (NULL: of all), meets the fault.
// Before anything runs in another thread, or when nothing does.
void calls_fail(unsigned nth, int os_error);
void calls_stall(unsigned nth, const char *only, int64_t stall_ns);
void calls_stop(unsigned nth);
// A stall that calls_let_go() ends.
void calls_hold(unsigned nth, const char *only);
void calls_let_go(void);

bool calls_met(void);         // the fault has happened, or has begun
bool calls_over(void);        // a stall has ended
const char *calls_name(void); // of the call that it happened to, "" for none

#endif
