// SPDX-License-Identifier: GPL-3.0-or-later
//
// Quantities for people: three significant digits, no nanoseconds. Integer arithmetic throughout,
// so the same value reads the same on every machine. Sizes use the units of scenario files (powers
// of 1024), so that what is read can be written there.
#ifndef RECOUP_RESULTS_UNITS_H
#define RECOUP_RESULTS_UNITS_H

#include "results/text.h"

#define RESULTS_UNITS_SIZE 32u // room for any of these, with the final zero

// "0 s", "<1 us", "850 ms", "12.3 s", "1 min 35 s", "2 h 6 min", "3 d 4 h"; "-" before a negative
// one.
const char *results_duration(char buffer[RESULTS_UNITS_SIZE], int64_t ns);
// Slot time: "42.3 slot-seconds", "12.5 slot-minutes", "4.21 slot-hours".
const char *results_slot_time(char buffer[RESULTS_UNITS_SIZE], int64_t ns);
// "0 b", "1.23 mb".
const char *results_size(char buffer[RESULTS_UNITS_SIZE], uint64_t bytes);
// "312", "12,345", "123 k", "1.23 million".
const char *results_count(char buffer[RESULTS_UNITS_SIZE], uint64_t count);
// "0 USD", "0.00231 USD".
const char *results_price(char buffer[RESULTS_UNITS_SIZE], uint64_t nanousd);
// "12.3 %" of part / whole; "-" when whole is 0. Three digits.
const char *results_percent(char buffer[RESULTS_UNITS_SIZE], uint64_t part, uint64_t whole);

#endif
