// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one header through which tests reach cmocka. It includes what cmocka needs in the right
// order, adds assertions that print both values readably, and a wrapper of main that returns
// only 0 or 1 (cmocka returns a count, of which 256 looks like success) and fails when no test
// ran (a filter that matches nothing would pass otherwise).
//
//     static const struct CMUnitTest tests[] = {cmocka_unit_test(queue_is_ordered)};
//     int main(int argc, char **argv) { return check_main(argc, argv, "sim_queue", tests); }
//
// An argument is a filter: only tests whose name contains it run.
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdbool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// At most this many tests may stand in one group.
#define CHECK_TESTS_MAX 512

#define assert_u64(actual, expected)                                                               \
    check_u64_((uint64_t)(actual), (uint64_t)(expected), #actual, #expected, __FILE__, __LINE__)
#define assert_i64(actual, expected)                                                               \
    check_i64_((int64_t)(actual), (int64_t)(expected), #actual, #expected, __FILE__, __LINE__)
// Both in ns of virtual time; a difference is printed in seconds as well.
#define assert_time_ns(actual, expected)                                                           \
    check_time_((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)
// Compares two texts and prints both in full when they differ (golden traces).
#define assert_text(actual, expected) check_text_((actual), (expected), #actual, __FILE__, __LINE__)
// Fails unless |actual - expected| <= tolerance; doubles.
#define assert_near(actual, expected, tolerance)                                                   \
    check_near_((double)(actual), (double)(expected), (double)(tolerance), #actual, __FILE__,      \
                __LINE__)

#define check_main(argc, argv, group, tests)                                                       \
    check_run_((argc), (argv), (group), (tests), sizeof(tests) / sizeof((tests)[0]))

static inline void check_u64_(uint64_t actual, uint64_t expected, const char *what,
                              const char *wanted, const char *file, int line)
{
    if (actual != expected) {
        print_error("%s:%d: %s is %" PRIu64 " (0x%" PRIx64 "), expected %s = %" PRIu64
                    " (0x%" PRIx64 ")\n",
                    file, line, what, actual, actual, wanted, expected, expected);
        _fail(file, line);
    }
}

static inline void check_i64_(int64_t actual, int64_t expected, const char *what,
                              const char *wanted, const char *file, int line)
{
    if (actual != expected) {
        print_error("%s:%d: %s is %" PRId64 ", expected %s = %" PRId64 "\n", file, line, what,
                    actual, wanted, expected);
        _fail(file, line);
    }
}

static inline void check_time_(int64_t actual, int64_t expected, const char *what,
                               const char *file, int line)
{
    if (actual != expected) {
        print_error("%s:%d: %s is %" PRId64 " ns (%.9f s), expected %" PRId64 " ns (%.9f s), "
                    "difference %" PRId64 " ns\n", file, line, what, actual, (double)actual * 1e-9,
                    expected, (double)expected * 1e-9, actual - expected);
        _fail(file, line);
    }
}

static inline void check_text_(const char *actual, const char *expected, const char *what,
                               const char *file, int line)
{
    if (actual == NULL || expected == NULL || strcmp(actual, expected) != 0) {
        print_error("%s:%d: %s differs\n--- actual\n%s\n--- expected\n%s\n---\n", file, line, what,
                    actual != NULL ? actual : "(null)", expected != NULL ? expected : "(null)");
        _fail(file, line);
    }
}

static inline void check_near_(double actual, double expected, double tolerance, const char *what,
                               const char *file, int line)
{
    double difference = actual > expected ? actual - expected : expected - actual;

    // Written so that a NaN fails.
    if (!(difference <= tolerance)) {
        print_error("%s:%d: %s is %.17g, expected %.17g within %.3g\n", file, line, what, actual,
                    expected, tolerance);
        _fail(file, line);
    }
}

static inline int check_run_(int argc, char **argv, const char *group,
                             const struct CMUnitTest *tests, size_t count)
{
    static struct CMUnitTest chosen[CHECK_TESTS_MAX];
    const char *filter = argc > 1 ? argv[1] : NULL;
    size_t ran = 0;
    int failed;

    for (size_t i = 0; i < count && ran < CHECK_TESTS_MAX; i++) {
        if (filter == NULL || strstr(tests[i].name, filter) != NULL) {
            chosen[ran++] = tests[i];
        }
    }
    if (ran == 0 || count > CHECK_TESTS_MAX) {
        fprintf(stderr, "%s: %s\n", group, ran == 0 ? "no test ran" : "too many tests");
        return 1;
    }
    failed = _cmocka_run_group_tests(group, chosen, ran, NULL, NULL);
    if (failed != 0) {
        fprintf(stderr, "repro: %s%s%s\n", argv[0], filter != NULL ? " " : "",
                filter != NULL ? filter : "");
    }
    return failed == 0 ? 0 : 1;
}

#endif
