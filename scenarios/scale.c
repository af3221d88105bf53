// SPDX-License-Identifier: GPL-3.0-or-later
//
// A value made larger or smaller, for questions such as "and with twice as much?".
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

_Static_assert(SCENARIO_VALUE_TEXT >= SCENARIO_UNITS_TEXT, "room for any number with its unit");

static void count_text(int64_t value, char text[SCENARIO_UNITS_TEXT])
{
    (void)snprintf(text, SCENARIO_UNITS_TEXT, "%" PRId64, value);
}

bool scenario_value_scale(const char *value, uint32_t times, uint32_t parts,
                          char text[SCENARIO_VALUE_TEXT])
{
    static const struct {
        enum scenario_units (*parse)(const char *text, int64_t *value);
        void (*print)(int64_t value, char text[SCENARIO_UNITS_TEXT]);
    } kinds[] = {{scenario_units_integer, count_text},
                 {scenario_units_decimal, scenario_units_decimal_text},
                 {scenario_units_duration, scenario_units_duration_text},
                 {scenario_units_size, scenario_units_size_text},
                 {scenario_units_share, scenario_units_share_text}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int64_t number;
        if (kinds[i].parse(value, &number) != SCENARIO_UNITS_OK) {
            continue;
        }
        if (number > (INT64_MAX - parts) / times) {
            return false;
        }
        int64_t scaled = (number * times + parts / 2) / parts;
        kinds[i].print(scaled, text);
        return scaled != number;
    }
    return false;
}
