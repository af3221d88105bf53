// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values that are computed: equal steps, equal ratios, and samples of the Sobol sequence. Between
// the ends that a file gives and the integers that come out stand only operations that every
// machine rounds alike (sim/det_math.h), so a sweep has the same points everywhere.
#include <gsl/gsl_qrng.h>
#include <inttypes.h>
#include <string.h>

#include "scenarios/sweep_parts.h"
#include "sim/det_math.h"
#include "sim/law.h"

#define SOBOL_BITS 30u // of the library's generator
#define DIGITS 1000    // three
#define FINE_DIGITS 1000000
#define BITS 8u // of sizes
#define FINE_BITS 20u

// --- quantities ----------------------------------------------------------------------------------

struct sweep_quantity sweep_quantity_parse(const char *text)
{
    static const struct {
        enum scenario_units (*parse)(const char *text, int64_t *value);
        enum sweep_unit unit;
    } ways[] = {
        {scenario_units_integer, SWEEP_UNIT_COUNT}, {scenario_units_decimal, SWEEP_UNIT_DECIMAL},
        {scenario_units_duration, SWEEP_UNIT_NS},   {scenario_units_size, SWEEP_UNIT_BYTES},
        {scenario_units_rate, SWEEP_UNIT_RATE},     {scenario_units_share, SWEEP_UNIT_SHARE},
        {scenario_units_price, SWEEP_UNIT_PRICE},
    };
    struct sweep_quantity quantity = {SWEEP_UNIT_TEXT, 0};
    bool digit = text[0] >= '0' && text[0] <= '9';
    for (size_t i = 0; digit && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (ways[i].parse(text, &quantity.number) == SCENARIO_UNITS_OK) {
            quantity.unit = ways[i].unit;
            return quantity;
        }
    }
    quantity.number = 0;
    return quantity;
}

const char *sweep_quantity_text(struct sweep_reader *reader, struct sweep_quantity quantity)
{
    struct scenario_memory *memory = &reader->loader.memory;
    char text[SCENARIO_UNITS_TEXT] = "";
    switch (quantity.unit) {
    case SWEEP_UNIT_NS:
        scenario_units_duration_text(quantity.number, text);
        break;
    case SWEEP_UNIT_BYTES:
        scenario_units_size_text(quantity.number, text);
        break;
    case SWEEP_UNIT_RATE:
        scenario_units_size_text(quantity.number, text);
        return scenario_print(memory, "%s/s", text);
    case SWEEP_UNIT_DECIMAL:
        scenario_units_decimal_text(quantity.number, text);
        break;
    case SWEEP_UNIT_SHARE:
        scenario_units_share_text(quantity.number, text);
        break;
    case SWEEP_UNIT_PRICE:
        return scenario_print(memory, "%" PRId64 " nano-usd", quantity.number);
    case SWEEP_UNIT_COUNT:
        return scenario_print(memory, "%" PRId64, quantity.number);
    case SWEEP_UNIT_TEXT:
        break;
    }
    return scenario_copy_text(memory, text);
}

const char *sweep_unit_text(enum sweep_unit unit)
{
    switch (unit) {
    case SWEEP_UNIT_TEXT:
        return "a word";
    case SWEEP_UNIT_NS:
        return "a duration";
    case SWEEP_UNIT_BYTES:
        return "a size";
    case SWEEP_UNIT_RATE:
        return "a size per second";
    case SWEEP_UNIT_PRICE:
        return "a price";
    case SWEEP_UNIT_COUNT:
        return "an integer";
    case SWEEP_UNIT_DECIMAL:
        return "a decimal number";
    case SWEEP_UNIT_SHARE:
        return "a percentage";
    }
    return "";
}

static bool quantity_of(struct sweep_reader *reader, const struct scenario_node *map,
                        const char *key, struct sweep_quantity *quantity)
{
    const char *text = sweep_text(reader, map, key);
    if (text == NULL) {
        return false; // missing, or no scalar: reported
    }
    *quantity = sweep_quantity_parse(text);
    if (quantity->unit == SWEEP_UNIT_TEXT) {
        scenario_error(&reader->loader, scenario_node_find(map, key)->place,
                       "'%s' is no number; expected one such as 30 s, 64 mb, 100 mb/s, 50%%, 0.4 "
                       "or 12",
                       scenario_quote(&reader->loader, text));
        return false;
    }
    return true;
}

// Of 1 and 0.5 both are decimal numbers.
static void same_unit(struct sweep_quantity *a, struct sweep_quantity *b)
{
    struct sweep_quantity *count = a->unit == SWEEP_UNIT_COUNT ? a : b;
    const struct sweep_quantity *other = count == a ? b : a;
    if (count->unit == SWEEP_UNIT_COUNT && other->unit == SWEEP_UNIT_DECIMAL &&
        count->number <= SIM_LAW_MAX / SIM_LAW_NANO) {
        count->unit = SWEEP_UNIT_DECIMAL;
        count->number *= SIM_LAW_NANO;
    }
}

static bool unit_error(struct sweep_reader *reader, const struct scenario_node *map,
                       const char *key, enum sweep_unit found, enum sweep_unit expected)
{
    scenario_error(&reader->loader, scenario_node_find(map, key)->place, "%s is %s, but from is %s",
                   key, sweep_unit_text(found), sweep_unit_text(expected));
    return false;
}

bool sweep_bounds(struct sweep_reader *reader, const struct scenario_node *map, bool log,
                  struct sweep_quantity *from, struct sweep_quantity *to)
{
    if (!quantity_of(reader, map, "from", from) || !quantity_of(reader, map, "to", to)) {
        return false;
    }
    same_unit(from, to);
    if (from->unit != to->unit) {
        return unit_error(reader, map, "to", to->unit, from->unit);
    }
    if (from->number >= to->number) {
        scenario_error(&reader->loader, scenario_node_find(map, "to")->place,
                       "to must be more than from");
        return false;
    }
    if (log && from->number == 0) {
        scenario_error(&reader->loader, scenario_node_find(map, "from")->place,
                       "from must be more than 0: equal ratios never leave 0");
        return false;
    }
    return true;
}

const struct scenario_node *sweep_quantity_node(struct sweep_reader *reader,
                                                const struct scenario_node *map,
                                                struct sweep_quantity quantity)
{
    struct scenario_node *node =
        scenario_node_new(&reader->loader, SCENARIO_NODE_SCALAR, SCENARIO_OVERRIDE, map->place);
    node->plain = true;
    node->text = sweep_quantity_text(reader, quantity);
    return node;
}

// --- equal steps ---------------------------------------------------------------------------------

uint32_t sweep_generate_range(struct sweep_reader *reader, const struct scenario_node *map,
                              const struct scenario_node ***nodes)
{
    struct scenario_loader *loader = &reader->loader;
    struct sweep_quantity from;
    struct sweep_quantity to;
    struct sweep_quantity step;
    if (!sweep_check_keys(reader, SWEEP_RANGE, map) ||
        !sweep_bounds(reader, map, false, &from, &to) || !quantity_of(reader, map, "step", &step)) {
        return 0;
    }
    same_unit(&from, &step);
    same_unit(&from, &to);
    const struct scenario_node *place = scenario_node_find(map, "step");
    if (step.unit != from.unit) {
        (void)unit_error(reader, map, "step", step.unit, from.unit);
        return 0;
    }
    if (step.number == 0 || (to.number - from.number) % step.number != 0) {
        const char *hint = "step must be more than 0";
        if (step.number != 0) {
            struct sweep_quantity last = to;
            last.number -= (to.number - from.number) % step.number;
            hint = scenario_print(&loader->memory,
                                  "steps of %s do not end at to; the last before it is %s",
                                  place->text, sweep_quantity_text(reader, last));
        }
        scenario_error(loader, place->place, "%s", hint);
        return 0;
    }
    int64_t count = (to.number - from.number) / step.number + 1;
    if (count > SCENARIO_SWEEP_VALUES_MAX) {
        scenario_error(loader, place->place, "that is %" PRId64 " values; an axis has at most %u",
                       count, SCENARIO_SWEEP_VALUES_MAX);
        return 0;
    }
    *nodes = scenario_allocate_array(&loader->memory, (size_t)count, sizeof(**nodes));
    for (int64_t i = 0; i < count; i++) {
        struct sweep_quantity at = {from.unit, from.number + i * step.number};
        (*nodes)[i] = sweep_quantity_node(reader, map, at);
    }
    return (uint32_t)count;
}

// --- equal ratios --------------------------------------------------------------------------------

// from * (to / from)^share, rounded once.
static int64_t between_log(int64_t from, int64_t to, double share)
{
    double low = det_log((double)from);
    double high = det_log((double)to);
    double at = det_exp(low + (high - low) * share) + 0.5;
    if (at <= (double)from) {
        return from;
    }
    return at >= (double)to ? to : (int64_t)at;
}

int64_t sweep_between(int64_t from, int64_t to, uint32_t x, bool log)
{
    const int64_t one = INT64_C(1) << SOBOL_BITS;
    int64_t span = to - from;
    if (log) {
        return between_log(from, to, (double)x / (double)one);
    }
    // In two parts, so that no product is larger than 64 bits.
    return from + span / one * x + (span % one * x + one / 2) / one;
}

// The nearest multiple of `unit`.
static int64_t to_multiple(int64_t value, int64_t unit)
{
    int64_t rest = value % unit;
    return rest >= unit - rest ? value + (unit - rest) : value - rest;
}

// Rounded to so many decimal digits (powers of two for sizes), as people write numbers.
static int64_t to_digits(int64_t value, bool binary, int64_t digits, uint32_t bits)
{
    int64_t unit = 1;
    if (binary) {
        while (value / unit >= INT64_C(1) << bits) {
            unit *= 2;
        }
    } else {
        while (value / unit >= digits) {
            unit *= 10;
        }
    }
    return to_multiple(value, unit);
}

static bool log_values(struct sweep_quantity from, int64_t to, uint32_t count, uint32_t precision,
                       int64_t *values)
{
    bool binary = from.unit == SWEEP_UNIT_BYTES || from.unit == SWEEP_UNIT_RATE;
    static const struct {
        int64_t digits;
        uint32_t bits;
    } precisions[] = {{DIGITS, BITS}, {FINE_DIGITS, FINE_BITS}, {INT64_MAX, 62}};
    for (uint32_t i = 0; i < count; i++) {
        double share = (double)i / (double)(count - 1);
        int64_t value = between_log(from.number, to, share);
        values[i] =
            to_digits(value, binary, precisions[precision].digits, precisions[precision].bits);
        values[i] = i == 0 ? from.number : i + 1 == count ? to : values[i];
        if (i > 0 && values[i] <= values[i - 1]) {
            return false;
        }
    }
    return true;
}

uint32_t sweep_generate_log(struct sweep_reader *reader, const struct scenario_node *map,
                            const struct scenario_node ***nodes)
{
    struct scenario_loader *loader = &reader->loader;
    struct sweep_quantity from;
    struct sweep_quantity to;
    int64_t count = 0;
    if (!sweep_check_keys(reader, SWEEP_LOG, map) || !sweep_bounds(reader, map, true, &from, &to) ||
        !sweep_scalar(reader, SWEEP_LOG, map, "points", &count)) {
        return 0;
    }
    int64_t *values = scenario_allocate_array(&loader->memory, (size_t)count, sizeof(*values));
    uint32_t precision = 0;
    while (precision < 3 && !log_values(from, to.number, (uint32_t)count, precision, values)) {
        precision++;
    }
    if (precision == 3) {
        scenario_error(loader, map->place,
                       "there are no %" PRId64 " different values between %s and %s", count,
                       sweep_quantity_text(reader, from), sweep_quantity_text(reader, to));
        return 0;
    }
    *nodes = scenario_allocate_array(&loader->memory, (size_t)count, sizeof(**nodes));
    for (int64_t i = 0; i < count; i++) {
        struct sweep_quantity at = {from.unit, values[i]};
        (*nodes)[i] = sweep_quantity_node(reader, map, at);
    }
    return (uint32_t)count;
}

// --- Sobol ---------------------------------------------------------------------------------------

const uint32_t *sweep_sobol(struct sweep_reader *reader, uint32_t rows, uint32_t dimensions)
{
    struct scenario_memory *memory = &reader->loader.memory;
    const gsl_qrng_type *type = gsl_qrng_sobol;
    double x[SCENARIO_SWEEP_AXES_MAX];
    // The generator works in memory of ours: the library's own allocation would end the program
    // where there is none.
    void *state = scenario_allocate(memory, type->state_size(dimensions));
    uint32_t *samples =
        scenario_allocate_array(memory, (size_t)rows * dimensions, sizeof(*samples));
    (void)type->init_state(state, dimensions);
    for (uint32_t i = 0; i < rows; i++) {
        (void)type->get(state, dimensions, x);
        for (uint32_t d = 0; d < dimensions; d++) {
            // Exact: the generator divides an integer of 30 bits by 2^30.
            samples[i * dimensions + d] = (uint32_t)(x[d] * (double)(UINT32_C(1) << SOBOL_BITS));
        }
    }
    return samples;
}
