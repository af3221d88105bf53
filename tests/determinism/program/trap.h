// SPDX-License-Identifier: GPL-3.0-or-later
//
// Traps for a run that must compute and nothing else: afterwards a system call other than for
// memory, output and the end kills the process (SIGSYS), and so does a look at the CPU's clock or
// at the clocks that the kernel maps into each process (SIGSEGV).
#ifndef RECOUP_TESTS_DETERMINISM_TRAP_H
#define RECOUP_TESTS_DETERMINISM_TRAP_H

// 0 when all traps are set; else a message on standard error, and 77 where the system has none.
int trap_enter(void);

// Does what a run must not do, to show that the trap holds: "syscall", "clock", "coarse-clock",
// "cycles" or "file". Returns 0 if it was let through, 2 for another name.
int trap_sin(const char *name);

#endif
