// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers with units: text to integers and back. A value is exact or it is refused; no double is
// used. Inside `config` a value means what it means to Flink (TimeUtils, MemorySize): whole
// numbers, a bare one being milliseconds or bytes.
#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"
#include "sim/law.h"

#define FRACTION_DIGITS_MAX 9u

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"d", INT64_C(86400000000000)}, {"h", INT64_C(3600000000000)}, {"min", INT64_C(60000000000)},
    {"s", INT64_C(1000000000)},     {"ms", INT64_C(1000000)},      {"us", INT64_C(1000)},
    {"ns", 1},                      {NULL, 0},
};

static const struct unit size_units[] = {
    {"tb", INT64_C(1) << 40}, {"gb", INT64_C(1) << 30}, {"mb", INT64_C(1) << 20},
    {"kb", INT64_C(1) << 10}, {"b", 1},                 {NULL, 0},
};

static const struct unit rate_units[] = {
    {"tb/s", INT64_C(1) << 40}, {"gb/s", INT64_C(1) << 30}, {"mb/s", INT64_C(1) << 20},
    {"kb/s", INT64_C(1) << 10}, {"b/s", 1},                 {NULL, 0},
};

static const struct unit price_units[] = {{"nano-usd", 1}, {NULL, 0}};
static const struct unit share_units[] = {{"%", SIM_LAW_NANO / 100}, {NULL, 0}};

static const struct unit flink_duration_units[] = {
    {"", INT64_C(1000000)},
    {"d", INT64_C(86400000000000)},
    {"day", INT64_C(86400000000000)},
    {"days", INT64_C(86400000000000)},
    {"h", INT64_C(3600000000000)},
    {"hour", INT64_C(3600000000000)},
    {"hours", INT64_C(3600000000000)},
    {"min", INT64_C(60000000000)},
    {"m", INT64_C(60000000000)},
    {"minute", INT64_C(60000000000)},
    {"minutes", INT64_C(60000000000)},
    {"s", INT64_C(1000000000)},
    {"sec", INT64_C(1000000000)},
    {"secs", INT64_C(1000000000)},
    {"second", INT64_C(1000000000)},
    {"seconds", INT64_C(1000000000)},
    {"ms", INT64_C(1000000)},
    {"milli", INT64_C(1000000)},
    {"millis", INT64_C(1000000)},
    {"millisecond", INT64_C(1000000)},
    {"milliseconds", INT64_C(1000000)},
    {"us", INT64_C(1000)},
    {"\xc2\xb5s", INT64_C(1000)},
    {"micro", INT64_C(1000)},
    {"micros", INT64_C(1000)},
    {"microsecond", INT64_C(1000)},
    {"microseconds", INT64_C(1000)},
    {"ns", 1},
    {"nano", 1},
    {"nanos", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
    {NULL, 0},
};

static const struct unit flink_size_units[] = {
    {"", 1},
    {"b", 1},
    {"bytes", 1},
    {"k", INT64_C(1) << 10},
    {"kb", INT64_C(1) << 10},
    {"kibibytes", INT64_C(1) << 10},
    {"m", INT64_C(1) << 20},
    {"mb", INT64_C(1) << 20},
    {"mebibytes", INT64_C(1) << 20},
    {"g", INT64_C(1) << 30},
    {"gb", INT64_C(1) << 30},
    {"gibibytes", INT64_C(1) << 30},
    {"t", INT64_C(1) << 40},
    {"tb", INT64_C(1) << 40},
    {"tebibytes", INT64_C(1) << 40},
    {NULL, 0},
};

// A decimal number as digits * 10^-places.
struct decimal {
    int64_t digits;
    uint32_t places;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum scenario_units decimal_read(const char **text, bool fraction, struct decimal *out)
{
    const char *p = *text;
    out->digits = 0;
    out->places = 0;
    if (*p == '-') {
        return is_digit(p[1]) ? SCENARIO_UNITS_NEGATIVE : SCENARIO_UNITS_NO_NUMBER;
    }
    if (!is_digit(*p)) {
        return SCENARIO_UNITS_NO_NUMBER;
    }
    bool point = false;
    for (; is_digit(*p) || (fraction && !point && *p == '.' && is_digit(p[1])); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (out->digits > (INT64_MAX - 9) / 10) {
            return SCENARIO_UNITS_TOO_LARGE;
        }
        out->digits = out->digits * 10 + (*p - '0');
        out->places += point ? 1 : 0;
    }
    *text = p;
    return SCENARIO_UNITS_OK;
}

static enum scenario_units decimal_scale(struct decimal value, int64_t factor, int64_t *out)
{
    while (value.places > 0 && value.digits % 10 == 0) {
        value.digits /= 10;
        value.places--;
    }
    while (value.places > 0 && factor % 10 == 0) {
        factor /= 10;
        value.places--;
    }
    if (value.digits != 0 && factor > INT64_MAX / value.digits) {
        return SCENARIO_UNITS_TOO_LARGE;
    }
    int64_t product = value.digits * factor;
    for (; value.places > 0; value.places--) {
        if (product % 10 != 0) {
            return SCENARIO_UNITS_NOT_WHOLE;
        }
        product /= 10;
    }
    if (product > SIM_LAW_MAX) {
        return SCENARIO_UNITS_TOO_LARGE;
    }
    *out = product;
    return SCENARIO_UNITS_OK;
}

static bool unit_equals(const char *name, const char *text, size_t size, bool fold_case)
{
    if (strlen(name) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];
        if ((fold_case ? tolower(c) : c) != (unsigned char)name[i]) {
            return false;
        }
    }
    return true;
}

static enum scenario_units number_with_unit(const char *text, const struct unit *units, bool flink,
                                            int64_t *out)
{
    struct decimal value;
    while (*text == ' ') {
        text++;
    }
    enum scenario_units status = decimal_read(&text, !flink, &value);
    if (status != SCENARIO_UNITS_OK) {
        return status;
    }
    if (flink && *text == '.') {
        return SCENARIO_UNITS_NOT_WHOLE;
    }
    while (*text == ' ') {
        text++;
    }
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ') {
        size--;
    }
    for (; units->name != NULL; units++) {
        if (unit_equals(units->name, text, size, flink)) {
            return decimal_scale(value, units->factor, out);
        }
    }
    return size == 0 ? SCENARIO_UNITS_NO_UNIT : SCENARIO_UNITS_UNKNOWN_UNIT;
}

enum scenario_units scenario_units_duration(const char *text, int64_t *ns)
{
    return number_with_unit(text, duration_units, false, ns);
}

enum scenario_units scenario_units_size(const char *text, int64_t *bytes)
{
    return number_with_unit(text, size_units, false, bytes);
}

enum scenario_units scenario_units_rate(const char *text, int64_t *bytes)
{
    if (strcmp(text, "unlimited") == 0) {
        *bytes = 0;
        return SCENARIO_UNITS_OK;
    }
    return number_with_unit(text, rate_units, false, bytes);
}

enum scenario_units scenario_units_price(const char *text, int64_t *nanousd)
{
    return number_with_unit(text, price_units, false, nanousd);
}

enum scenario_units scenario_units_share(const char *text, int64_t *nano)
{
    return number_with_unit(text, share_units, false, nano);
}

enum scenario_units scenario_units_decimal(const char *text, int64_t *nano)
{
    struct decimal value;
    enum scenario_units status = decimal_read(&text, true, &value);
    if (status != SCENARIO_UNITS_OK) {
        return status;
    }
    return *text != '\0' ? SCENARIO_UNITS_NO_NUMBER : decimal_scale(value, SIM_LAW_NANO, nano);
}

static enum scenario_units hexadecimal(const char *text, int64_t *value)
{
    uint64_t result = 0;
    if (*text == '\0') {
        return SCENARIO_UNITS_NO_NUMBER;
    }
    for (; *text != '\0'; text++) {
        int c = tolower((unsigned char)*text);
        int digit = is_digit((char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            return SCENARIO_UNITS_NO_NUMBER;
        }
        if (result > (uint64_t)INT64_MAX / 16) {
            return SCENARIO_UNITS_TOO_LARGE;
        }
        result = result * 16 + (uint64_t)digit;
    }
    *value = (int64_t)result;
    return SCENARIO_UNITS_OK;
}

// Decimal or 0x..., from 0 to 2^63 - 1.
enum scenario_units scenario_units_integer(const char *text, int64_t *value)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return hexadecimal(text + 2, value);
    }
    if (text[0] == '-' && is_digit(text[1])) {
        return SCENARIO_UNITS_NEGATIVE;
    }
    int64_t result = 0;
    const char *p = text;
    for (; is_digit(*p); p++) {
        int digit = *p - '0';
        if (result > (INT64_MAX - digit) / 10) {
            return SCENARIO_UNITS_TOO_LARGE;
        }
        result = result * 10 + digit;
    }
    if (p == text || *p != '\0') {
        return SCENARIO_UNITS_NO_NUMBER;
    }
    *value = result;
    return SCENARIO_UNITS_OK;
}

// The factor of one ISO-8601 designator, 0 if it may not stand there. The order D T H M S is kept.
static int64_t iso_factor(char designator, bool time, int *order)
{
    static const struct {
        char designator;
        bool time;
        int order;
        int64_t factor;
    } rows[] = {
        {'d', false, 1, INT64_C(86400000000000)},
        {'h', true, 2, INT64_C(3600000000000)},
        {'m', true, 3, INT64_C(60000000000)},
        {'s', true, 4, INT64_C(1000000000)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].designator == designator && rows[i].time == time && rows[i].order > *order) {
            *order = rows[i].order;
            return rows[i].factor;
        }
    }
    return 0;
}

// PnDTnHnMn.nS, as java.time.Duration reads it, without signs.
static enum scenario_units iso_duration(const char *text, int64_t *ns)
{
    int64_t sum = 0;
    int order = 0;
    bool time = false;
    for (text++; *text != '\0';) {
        if (!time && tolower((unsigned char)*text) == 't') {
            time = true;
            text++;
            continue;
        }
        struct decimal value;
        int64_t part;
        enum scenario_units status = decimal_read(&text, true, &value);
        int64_t factor = status != SCENARIO_UNITS_OK
                             ? 0
                             : iso_factor((char)tolower((unsigned char)*text), time, &order);
        if (factor == 0 || (value.places > 0 && order != 4)) {
            return status != SCENARIO_UNITS_OK ? status : SCENARIO_UNITS_UNKNOWN_UNIT;
        }
        status = decimal_scale(value, factor, &part);
        if (status != SCENARIO_UNITS_OK) {
            return status;
        }
        sum += part;
        if (sum > SIM_LAW_MAX) {
            return SCENARIO_UNITS_TOO_LARGE;
        }
        text++;
    }
    *ns = sum;
    return order == 0 ? SCENARIO_UNITS_NO_NUMBER : SCENARIO_UNITS_OK;
}

enum scenario_units scenario_units_flink_duration(const char *text, int64_t *ns)
{
    if (*text == 'P' || *text == 'p') {
        return iso_duration(text, ns);
    }
    return number_with_unit(text, flink_duration_units, true, ns);
}

enum scenario_units scenario_units_flink_size(const char *text, int64_t *bytes)
{
    return number_with_unit(text, flink_size_units, true, bytes);
}

static void unit_text(int64_t value, const struct unit *units, const char *zero,
                      char text[SCENARIO_UNITS_TEXT])
{
    if (value == 0) {
        (void)snprintf(text, SCENARIO_UNITS_TEXT, "%s", zero);
        return;
    }
    while (value % units->factor != 0) {
        units++;
    }
    (void)snprintf(text, SCENARIO_UNITS_TEXT, "%" PRId64 " %s", value / units->factor, units->name);
}

void scenario_units_duration_text(int64_t ns, char text[SCENARIO_UNITS_TEXT])
{
    unit_text(ns, duration_units, "0 s", text);
}

void scenario_units_size_text(int64_t bytes, char text[SCENARIO_UNITS_TEXT])
{
    unit_text(bytes, size_units, "0 b", text);
}

// `nano` in units of `one` (a power of ten), as a decimal number without needless zeros.
static void decimal_text(int64_t nano, int64_t one, const char *suffix,
                         char text[SCENARIO_UNITS_TEXT])
{
    char fraction[SCENARIO_UNITS_TEXT] = "";
    size_t size = 0;
    int64_t rest = nano % one;
    for (int64_t digit = one / 10; rest != 0 && size < FRACTION_DIGITS_MAX; digit /= 10) {
        fraction[size++] = (char)('0' + rest / digit);
        rest %= digit;
    }
    fraction[size] = '\0';
    (void)snprintf(text, SCENARIO_UNITS_TEXT, "%" PRId64 "%s%.9s%s", nano / one,
                   size > 0 ? "." : "", fraction, suffix);
}

void scenario_units_measured_text(int64_t ns, char text[SCENARIO_UNITS_TEXT])
{
    static const struct {
        int64_t ns;
        const char *suffix;
    } units[] = {{1000000000, " s"}, {1000000, " ms"}, {1000, " us"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ns >= units[i].ns && ns % units[i].ns != 0) {
            decimal_text(ns, units[i].ns, units[i].suffix, text);
            return;
        }
    }
    scenario_units_duration_text(ns, text);
}

void scenario_units_decimal_text(int64_t nano, char text[SCENARIO_UNITS_TEXT])
{
    decimal_text(nano, SIM_LAW_NANO, "", text);
}

void scenario_units_share_text(int64_t nano, char text[SCENARIO_UNITS_TEXT])
{
    decimal_text(nano, SIM_LAW_NANO / 100, "%", text);
}
