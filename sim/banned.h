// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names that would make a run depend on something else than its seed. sim/ and models/ include
// this header last in each source file; a use is then a compile error.
#ifndef SIM_BANNED_H
#define SIM_BANNED_H

// Own stable sort with a total key instead.
#pragma GCC poison qsort qsort_r bsearch
// sim_random_draw instead.
#pragma GCC poison rand srand random srandom rand_r drand48 lrand48 mrand48 getrandom arc4random
// The queue's virtual time instead.
#pragma GCC poison time clock clock_gettime gettimeofday nanosleep usleep sleep
#pragma GCC poison localtime gmtime mktime strftime
// Settings come from the scenario.
#pragma GCC poison getenv secure_getenv setlocale strcoll getpid gethostname
// One thread per run, and no signals.
#pragma GCC poison pthread_create thrd_create signal sigaction fork
// libm differs between CPUs; sim/det_math.h instead.
#pragma GCC poison pow exp log log2 log10 log1p expm1 tgamma lgamma sin cos tan fma

#endif
