// SPDX-License-Identifier: GPL-3.0-or-later
//
// Scales of a figure: from quantities to coordinates, with ticks at round values of their unit.
#ifndef RECOUP_RESULTS_SCALE_H
#define RECOUP_RESULTS_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#include "results/units.h"

enum results_quantity {
    RESULTS_QUANTITY_DURATION, // ns
    RESULTS_QUANTITY_SIZE,     // bytes
    RESULTS_QUANTITY_COUNT,
    RESULTS_QUANTITY_PRICE, // nano-USD
    RESULTS_QUANTITY_PLAIN  // a number without a unit
};

#define RESULTS_SCALE_TICKS_MAX 16u

struct results_scale {
    enum results_quantity quantity;
    double low; // of the values shown
    double high;
    double from; // coordinates of low and high; from may be the larger
    double to;
    bool logarithmic;
    uint32_t n_ticks;
    double ticks[RESULTS_SCALE_TICKS_MAX]; // ascending, within low and high
};

// A scale for values from `low` to `high` (swapped if need be, widened when equal) between two
// coordinates, with about `wanted` ticks (2 to RESULTS_SCALE_TICKS_MAX). Linear ones are widened to
// ticks. `spread`: logarithmic when low is positive and high at least 30 times it.
void results_scale_init(struct results_scale *scale, enum results_quantity quantity, double low,
                        double high, bool spread, uint32_t wanted);
// Sets the coordinates.
void results_scale_span(struct results_scale *scale, double from, double to);
// The coordinate of a value; values outside are at the ends.
double results_scale_place(const struct results_scale *scale, double value);

// A quantity in words: "12.3 s", "49 kb", "1,200", "0.0023 USD"; a negative one with a minus.
const char *results_quantity(char buffer[RESULTS_UNITS_SIZE], enum results_quantity quantity,
                             double value);

#endif
