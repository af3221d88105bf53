// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the benchmarks share: clocks, medians, and the --quick and --json switches. Rates on
// one machine drift by a third within an hour, so benchmarks run their candidates in interleaved
// rounds and report medians of paired ratios.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#ifndef _POSIX_C_SOURCE
#error "define _POSIX_C_SOURCE 200809L first"
#endif

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_ROUNDS_MAX 64
#define BENCH_TABLE_SIZE (1U << 12)

static inline int64_t bench_now_ns(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
        abort();
    }
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Processor time of this program. What never waits is measured by it: a busy machine then lengthens
// it only through the caches.
static inline int64_t bench_cpu_ns(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) {
        abort();
    }
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Sorts in place and returns the middle (the lower one of two).
static inline double bench_median(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t j = i;

        while (j > 0 && values[j - 1] > value) {
            values[j] = values[j - 1];
            j--;
        }
        values[j] = value;
    }
    return count > 0 ? values[(count - 1) / 2] : 0.0;
}

// True when the arguments hold --quick. --json is accepted (the output is always JSON); anything
// else ends the program with status 2.
static inline bool bench_quick(int argc, char **argv)
{
    bool quick = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else if (strcmp(argv[i], "--json") != 0) {
            fprintf(stderr, "usage: %s [--quick] [--json]\n", argv[0]);
            exit(2);
        }
    }
    return quick;
}

// 4,096 values of an exponential law with mean 1 s, by a series: -ln(1 - u) needs no libm here.
static inline void bench_fill_table(int64_t *table)
{
    for (uint32_t i = 0; i < BENCH_TABLE_SIZE; i++) {
        double u = ((double)i + 0.5) / BENCH_TABLE_SIZE;
        double power = 1.0;
        double sum = 0.0;

        for (int k = 1; k < 20000; k++) {
            power *= u;
            sum += power / k;
        }
        table[i] = (int64_t)(sum * 1e9);
    }
}

// Ends the program when a benchmark cannot go on; a benchmark that measures a failure lies.
static inline void bench_require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "benchmark failed: %s\n", what);
        exit(1);
    }
}

#endif
