// SPDX-License-Identifier: GPL-3.0-or-later
//
// Measured quantities for people, wherever they are shown: three significant digits, no
// nanoseconds. Integer arithmetic throughout, so the same value reads the same on every machine.
// What must be exact, a value of a setting, is written by scenario_units_*_text instead.
#ifndef RECOUP_SCENARIOS_AMOUNT_H
#define RECOUP_SCENARIOS_AMOUNT_H

#include <stdint.h>

#define SCENARIO_AMOUNT_TEXT 40

// "0 s", "<1 us", "850 ms", "12.3 s", "1 min 35 s", "2 h 6 min", "3 d 4 h"; "-" before a negative
// one.
void scenario_amount_duration(int64_t ns, char text[SCENARIO_AMOUNT_TEXT]);
// "0 b", "1.23 mb", in the units of scenario files (powers of 1024).
void scenario_amount_size(uint64_t bytes, char text[SCENARIO_AMOUNT_TEXT]);
// value / divisor, three digits, and a unit of up to 15 characters; divisor <= 2^42.
void scenario_amount_text(uint64_t value, uint64_t divisor, const char *unit,
                          char text[SCENARIO_AMOUNT_TEXT]);

#endif
