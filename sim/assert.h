// SPDX-License-Identifier: GPL-3.0-or-later
//
// Assertions of three strengths:
//
//     SIM_DEBUG_ASSERT   costly or hot checks; gone when NDEBUG is defined
//     SIM_ASSERT         argument checks and cheap invariants; stay in release builds
//                        unless SIM_NO_ASSERT is defined (benchmarks of the kernel alone)
//     SIM_ALWAYS         never compiled out
//
// The _AT variants also print the virtual time. A condition has no side effects, so that a build
// without a strength behaves the same. SIM_ERGO(a, b) is the implication "a, therefore b".
//
// A failure calls sim_assert_fail, which prints and aborts. It stands alone in its object file, so
// a test may define a function of the same name (one that calls cmocka's mock_assert); the linker
// then takes the test's.
#ifndef SIM_ASSERT_H
#define SIM_ASSERT_H

#include <stdint.h>

// Virtual time of an assertion that was given none.
#define SIM_TIME_UNKNOWN INT64_MIN

_Noreturn void sim_assert_fail(const char *condition, const char *file, int line, int64_t now_ns);

#define SIM_ERGO(a, b) (!(a) || (b))

#define SIM_ALWAYS_AT(condition, now_ns)                                                           \
    ((condition) ? (void)0 : sim_assert_fail(#condition, __FILE__, __LINE__, (now_ns)))
#define SIM_ALWAYS(condition) SIM_ALWAYS_AT(condition, SIM_TIME_UNKNOWN)

#ifdef SIM_NO_ASSERT
#define SIM_ASSERT_AT(condition, now_ns) ((void)sizeof(condition), (void)sizeof(now_ns))
#else
#define SIM_ASSERT_AT(condition, now_ns) SIM_ALWAYS_AT(condition, now_ns)
#endif
#define SIM_ASSERT(condition) SIM_ASSERT_AT(condition, SIM_TIME_UNKNOWN)

#ifdef NDEBUG
#define SIM_DEBUG_ASSERT_AT(condition, now_ns) ((void)sizeof(condition), (void)sizeof(now_ns))
#else
#define SIM_DEBUG_ASSERT_AT(condition, now_ns) SIM_ALWAYS_AT(condition, now_ns)
#endif
#define SIM_DEBUG_ASSERT(condition) SIM_DEBUG_ASSERT_AT(condition, SIM_TIME_UNKNOWN)

#endif
