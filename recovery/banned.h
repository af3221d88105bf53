// SPDX-License-Identifier: Apache-2.0
//
// Names that would make the library depend on something else than its events and their times. The
// build puts this header in front of each source file of the folder, and a use is then a compile
// error. What the sources need of the system is included first; a system header beyond these that
// declares a poisoned name is an error, too, and so it should be.
#ifndef RECOUP_BANNED_H
#define RECOUP_BANNED_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

// A stable sort of our own with a total key instead.
#pragma GCC poison qsort qsort_r bsearch
// The library draws nothing; what is random comes with the options.
#pragma GCC poison rand srand random srandom rand_r drand48 lrand48 mrand48 getrandom arc4random
// now_ns of recoup_step instead. (A time is also a word; its call is found by the tidy tests.)
#pragma GCC poison clock clock_gettime gettimeofday nanosleep usleep sleep
#pragma GCC poison localtime gmtime mktime strftime
// Settings come with the options.
#pragma GCC poison getenv secure_getenv setlocale strcoll getpid gethostname
// One thread per job, and no signals.
#pragma GCC poison pthread_create thrd_create signal sigaction fork
// Integers only, which -mgeneral-regs-only enforces; these have no other meaning here. (A log has.)
#pragma GCC poison pow exp log2 log10 log1p expm1 tgamma lgamma sin cos tan fma sqrt

#endif
