// SPDX-License-Identifier: GPL-3.0-or-later
//
// Takes the place of the kernel's own sim_assert_fail in the tests of this folder, so that
// expect_assert_failure catches an assertion.
#include "check.h"
#include "sim/assert.h"

_Noreturn void sim_assert_fail(const char *condition, const char *file, int line, int64_t now_ns)
{
    (void)now_ns;
    mock_assert(0, condition, file, line);
    abort();
}
