// SPDX-License-Identifier: GPL-3.0-or-later
//
// How many runs are enough: a sequential rule that asks for a half-width of the mean's interval,
// relative to the mean or in the metric's unit, tested after whole batches only. The decision is a
// function of the values in the order of their replications, so it is the same for any number of
// workers, after an interruption, and on another machine.
//
// The rule (after Chow and Robbins 1965, with the guards that small samples need; measured in
// tests/results/test_stopping.c, told in docs/statistics.md): stop at n runs when, at n and at the
// test before it,
//   - n >= at_least, n - at_least a multiple of batch,
//   - t(n - 1) sd' / sqrt(n) <= w, where w is half_width |mean| or half_width, and
//     sd'^2 = sd^2 + w^2 / n (relative: sd^2 + mean^2 / n^2): a sample that happens to be almost
//     constant does not stop at once,
//   - n >= 25 skewness^2 (Cochran 1977): below that the t interval of a skewed law covers too
//     seldom;
// or when n reaches at_most.
#ifndef RECOUP_RESULTS_STOPPING_H
#define RECOUP_RESULTS_STOPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_STOP_SKEWNESS_FACTOR 25.0 // Cochran, Sampling Techniques, 3rd ed., section 2.15
#define RESULTS_STOP_BATCH 10u            // between tests, where nothing is given

struct results_stop_rule {
    double half_width; // above 0; relative to |mean| (0.02 for 2 %), unless
    bool absolute;     // it is in the unit of the values
    double confidence; // in (0, 1)
    uint64_t at_least; // runs before the first test, at least 2
    uint64_t at_most;  // runs at which it ends in any case, at least at_least
    uint64_t batch;    // runs between tests; 0: RESULTS_STOP_BATCH
};

enum results_stop {
    RESULTS_STOP_GO_ON,    // `runs` are wanted before the next test
    RESULTS_STOP_REACHED,  // the interval of the first `runs` is narrow enough
    RESULTS_STOP_EXHAUSTED // `runs` = at_most were made and it is not
};

struct results_stop_state {
    enum results_stop stop;
    uint64_t runs;     // see above
    double half_width; // of the last test, as the rule's (INFINITY relative to 0); NAN before any
};

// values[i] is the metric of replication i, without gaps; n of them are there. Later values than
// those of the stop change nothing.
void results_stop_decide(const struct results_stop_rule *rule, const int64_t *values, size_t n,
                         struct results_stop_state *state);

#endif
