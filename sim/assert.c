// SPDX-License-Identifier: GPL-3.0-or-later
//
// The failure of an assertion, alone in this file so that a test can put its own in its place.
#include "sim/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/banned.h"

_Noreturn void sim_assert_fail(const char *condition, const char *file, int line, int64_t now_ns)
{
    if (now_ns == SIM_TIME_UNKNOWN) {
        fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    } else {
        fprintf(stderr, "%s:%d: at %" PRId64 " ns of virtual time: assertion failed: %s\n", file,
                line, now_ns, condition);
    }
    fflush(stderr);
    abort();
}
