// SPDX-License-Identifier: GPL-3.0-or-later
//
// Error codes of the kernel. Every function of sim/ that can fail returns 0 or one of these
// negative codes, and leaves its object as it was when it fails.
#ifndef SIM_ERROR_H
#define SIM_ERROR_H

// X(name, value, sentence)
#define SIM_ERRORS(X)                                                                              \
    X(SIM_ENOMEM, -1, "out of memory: the run's arena reached its limit or the system's")          \
    X(SIM_EINVAL, -2, "invalid argument, for instance an event before the current time")           \
    X(SIM_ELIMIT, -3, "a stated limit of the simulator was reached")                               \
    X(SIM_EINTERRUPTED, -4, "interrupted by the caller before the end")

#define SIM_ERROR_ENUM(name, value, sentence) name = (value),
enum sim_error { SIM_OK = 0, SIM_ERRORS(SIM_ERROR_ENUM) };
#undef SIM_ERROR_ENUM

// A sentence for a code (never NULL, also for unknown codes); static storage.
const char *sim_strerror(int code);

#endif
