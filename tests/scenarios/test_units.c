// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.h"

#include "sim/law.h"

struct row {
    const char *text;
    enum scenario_units status;
    int64_t value;
};

static void check_rows(const char *what, enum scenario_units (*read)(const char *, int64_t *),
                       const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t value = 0;
        enum scenario_units status = read(rows[i].text, &value);
        if (status != rows[i].status || (status == SCENARIO_UNITS_OK && value != rows[i].value)) {
            fail_msg("%s '%s': status %d, value %" PRId64, what, rows[i].text, (int)status, value);
        }
    }
}
#define CHECK(function, rows)                                                                      \
    check_rows(#function, function, rows, sizeof(rows) / sizeof((rows)[0]))

// A duration always has a unit, and is exact or refused.
static void Durations(void **state)
{
    static const struct row rows[] = {
        {"250 ms", SCENARIO_UNITS_OK, 250000000},
        {"250ms", SCENARIO_UNITS_OK, 250000000},
        {"0 s", SCENARIO_UNITS_OK, 0},
        {"1 d", SCENARIO_UNITS_OK, INT64_C(86400000000000)},
        {"1.5 h", SCENARIO_UNITS_OK, INT64_C(5400000000000)},
        {"3 min", SCENARIO_UNITS_OK, INT64_C(180000000000)},
        {"2.4 ms", SCENARIO_UNITS_OK, 2400000},
        {"7 ns", SCENARIO_UNITS_OK, 7},
        {"0.000000001 s", SCENARIO_UNITS_OK, 1},
        {"0.0000000010 s", SCENARIO_UNITS_OK, 1},
        {"0.0000000001 s", SCENARIO_UNITS_NOT_WHOLE, 0},
        {"0.5 ns", SCENARIO_UNITS_NOT_WHOLE, 0},
        {"5", SCENARIO_UNITS_NO_UNIT, 0},
        {"0", SCENARIO_UNITS_NO_UNIT, 0},
        {"5 m", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"5 S", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"5 s s", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"5. s", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {".5 s", SCENARIO_UNITS_NO_NUMBER, 0},
        {"", SCENARIO_UNITS_NO_NUMBER, 0},
        {"s", SCENARIO_UNITS_NO_NUMBER, 0},
        {"+5 s", SCENARIO_UNITS_NO_NUMBER, 0},
        {"-5 s", SCENARIO_UNITS_NEGATIVE, 0},
        {"1e3 s", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"26687 d", SCENARIO_UNITS_OK, INT64_C(2305756800000000000)},
        {"26689 d", SCENARIO_UNITS_TOO_LARGE, 0},
        {"99999999999999999999999 s", SCENARIO_UNITS_TOO_LARGE, 0},
    };
    (void)state;
    CHECK(scenario_units_duration, rows);
}

// Sizes are powers of 1024.
static void Sizes(void **state)
{
    static const struct row rows[] = {
        {"64 mb", SCENARIO_UNITS_OK, INT64_C(64) << 20},
        {"1 kb", SCENARIO_UNITS_OK, 1024},
        {"0.5 kb", SCENARIO_UNITS_OK, 512},
        {"1.5 tb", SCENARIO_UNITS_OK, INT64_C(3) << 39},
        {"200 b", SCENARIO_UNITS_OK, 200},
        {"0.3 kb", SCENARIO_UNITS_NOT_WHOLE, 0},
        {"64", SCENARIO_UNITS_NO_UNIT, 0},
        {"64 MB", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"64 mib", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"9999999 tb", SCENARIO_UNITS_TOO_LARGE, 0},
    };
    static const struct row rates[] = {
        {"100 mb/s", SCENARIO_UNITS_OK, INT64_C(100) << 20},
        {"unlimited", SCENARIO_UNITS_OK, 0},
        {"100 mb", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
    };
    static const struct row prices[] = {
        {"5000 nano-usd", SCENARIO_UNITS_OK, 5000},
        {"5000", SCENARIO_UNITS_NO_UNIT, 0},
    };
    (void)state;
    CHECK(scenario_units_size, rows);
    CHECK(scenario_units_rate, rates);
    CHECK(scenario_units_price, prices);
}

static void Numbers(void **state)
{
    static const struct row integers[] = {
        {"0", SCENARIO_UNITS_OK, 0},
        {"9223372036854775807", SCENARIO_UNITS_OK, INT64_MAX},
        {"9223372036854775808", SCENARIO_UNITS_TOO_LARGE, 0},
        {"0x7fffffffffffffff", SCENARIO_UNITS_OK, INT64_MAX},
        {"0X10", SCENARIO_UNITS_OK, 16},
        {"0x8000000000000000", SCENARIO_UNITS_TOO_LARGE, 0},
        {"0x", SCENARIO_UNITS_NO_NUMBER, 0},
        {"0xg", SCENARIO_UNITS_NO_NUMBER, 0},
        {"1.0", SCENARIO_UNITS_NO_NUMBER, 0},
        {"1 ", SCENARIO_UNITS_NO_NUMBER, 0},
        {"-1", SCENARIO_UNITS_NEGATIVE, 0},
    };
    static const struct row decimals[] = {
        {"0.4", SCENARIO_UNITS_OK, 400000000},
        {"1", SCENARIO_UNITS_OK, 1000000000},
        {"0.9999", SCENARIO_UNITS_OK, 999900000},
        {"0.0000000001", SCENARIO_UNITS_NOT_WHOLE, 0},
        {"0.4 ", SCENARIO_UNITS_NO_NUMBER, 0},
        {"nan", SCENARIO_UNITS_NO_NUMBER, 0},
    };
    static const struct row shares[] = {
        {"50%", SCENARIO_UNITS_OK, 500000000},
        {"12.5 %", SCENARIO_UNITS_OK, 125000000},
        {"150%", SCENARIO_UNITS_OK, 1500000000},
        {"50", SCENARIO_UNITS_NO_UNIT, 0},
    };
    (void)state;
    CHECK(scenario_units_integer, integers);
    CHECK(scenario_units_decimal, decimals);
    CHECK(scenario_units_share, shares);
}

// Inside config a value means what it means to Flink.
static void FlinkValues(void **state)
{
    static const struct row durations[] = {
        {"5000", SCENARIO_UNITS_OK, INT64_C(5000000000)},
        {"1 min", SCENARIO_UNITS_OK, INT64_C(60000000000)},
        {"1m", SCENARIO_UNITS_OK, INT64_C(60000000000)},
        {"30 s", SCENARIO_UNITS_OK, INT64_C(30000000000)},
        {"2 Hours", SCENARIO_UNITS_OK, INT64_C(7200000000000)},
        {"3 days", SCENARIO_UNITS_OK, INT64_C(259200000000000)},
        {"10 \xc2\xb5s", SCENARIO_UNITS_OK, 10000},
        {"PT30S", SCENARIO_UNITS_OK, INT64_C(30000000000)},
        {"pt1h2m3.5s", SCENARIO_UNITS_OK, INT64_C(3723500000000)},
        {"P1DT1S", SCENARIO_UNITS_OK, INT64_C(86401000000000)},
        {"P", SCENARIO_UNITS_NO_NUMBER, 0},
        {"PT", SCENARIO_UNITS_NO_NUMBER, 0},
        {"P30S", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"PT1S1M", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"PT1.5M", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"0.5 s", SCENARIO_UNITS_NOT_WHOLE, 0},
        {"5 parsecs", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
        {"-1", SCENARIO_UNITS_NEGATIVE, 0},
    };
    static const struct row sizes[] = {
        {"1048576", SCENARIO_UNITS_OK, 1048576},
        {"1 mb", SCENARIO_UNITS_OK, 1048576},
        {"64kb", SCENARIO_UNITS_OK, 65536},
        {"64K", SCENARIO_UNITS_OK, 65536},
        {"2 gibibytes", SCENARIO_UNITS_OK, INT64_C(2) << 30},
        {"1 mib", SCENARIO_UNITS_UNKNOWN_UNIT, 0},
    };
    (void)state;
    CHECK(scenario_units_flink_duration, durations);
    CHECK(scenario_units_flink_size, sizes);
}

// What is printed reads back as the same value.
static void TextReadsBack(void **state)
{
    static const int64_t values[] = {
        0,         1,           999,         1000,           1024,
        1500000,   60000000000, 90000000000, 86400000000000, SIM_LAW_MAX,
        123456789, 400000000,   1000000000,  125000000,      999999999};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[SCENARIO_UNITS_TEXT];
        int64_t back = -1;
        scenario_units_duration_text(values[i], text);
        assert_int_equal(scenario_units_duration(text, &back), SCENARIO_UNITS_OK);
        assert_i64(back, values[i]);
        scenario_units_measured_text(values[i], text);
        assert_int_equal(scenario_units_duration(text, &back), SCENARIO_UNITS_OK);
        assert_i64(back, values[i]);
        scenario_units_size_text(values[i], text);
        assert_int_equal(scenario_units_size(text, &back), SCENARIO_UNITS_OK);
        assert_i64(back, values[i]);
        scenario_units_decimal_text(values[i], text);
        assert_int_equal(scenario_units_decimal(text, &back), SCENARIO_UNITS_OK);
        assert_i64(back, values[i]);
        scenario_units_share_text(values[i], text);
        assert_int_equal(scenario_units_share(text, &back), SCENARIO_UNITS_OK);
        assert_i64(back, values[i]);
    }
}

// The greatest unit that divides a value is the one that is shown.
static void TextIsShort(void **state)
{
    char text[SCENARIO_UNITS_TEXT];
    (void)state;
    scenario_units_duration_text(INT64_C(180000000000), text);
    assert_text(text, "3 min");
    scenario_units_duration_text(INT64_C(90000000000), text);
    assert_text(text, "90 s");
    scenario_units_measured_text(INT64_C(2001500000), text);
    assert_text(text, "2.0015 s");
    scenario_units_measured_text(INT64_C(180000000000), text);
    assert_text(text, "3 min");
    scenario_units_measured_text(71500, text);
    assert_text(text, "71.5 us");
    scenario_units_size_text(INT64_C(64) << 20, text);
    assert_text(text, "64 mb");
    scenario_units_decimal_text(999900000, text);
    assert_text(text, "0.9999");
    scenario_units_share_text(125000000, text);
    assert_text(text, "12.5%");
}

static const char *nearest_of(const char *name, const char *const *known)
{
    struct scenario_nearest nearest;
    scenario_nearest_init(&nearest, name);
    for (; *known != NULL; known++) {
        scenario_nearest_offer(&nearest, *known);
    }
    return nearest.best != NULL ? nearest.best : "";
}

// A name is only proposed when it is near; a swap of neighbours counts once.
static void NearestName(void **state)
{
    static const char *const known[] = {"kill", "grace", "flush-interval", "slots", NULL};
    (void)state;
    assert_text(nearest_of("klil", known), "kill");
    assert_text(nearest_of("flush-intervall", known), "flush-interval");
    assert_text(nearest_of("Slots", known), "slots");
    assert_text(nearest_of("zzz", known), "");
    assert_text(nearest_of("", known), "");
    char large[300];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_text(nearest_of(large, known), "");
}

static void Names(void **state)
{
    char name[80];
    (void)state;
    assert_true(scenario_name_is_legal("q72-master_crash"));
    assert_true(scenario_name_is_legal("7a"));
    assert_false(scenario_name_is_legal("72"));
    assert_false(scenario_name_is_legal(""));
    assert_false(scenario_name_is_legal("a.b"));
    assert_false(scenario_name_is_legal("a b"));
    memset(name, 'a', sizeof(name));
    name[63] = '\0';
    assert_true(scenario_name_is_legal(name));
    name[63] = 'a';
    name[64] = '\0';
    assert_false(scenario_name_is_legal(name));
}

// Half and twice, rounded to whole units; what is no number, or stays, is refused.
static void ValuesCanBeScaled(void **state)
{
    static const struct {
        const char *value;
        uint32_t times, parts;
        const char *scaled;
    } cases[] = {{"3 min", 1, 2, "90 s"}, {"1 ns", 2, 1, "2 ns"},  {"64 mb", 1, 2, "32 mb"},
                 {"5", 1, 2, "3"},        {"1.5", 1, 2, "0.75"},   {"50%", 2, 1, "100%"},
                 {"0 s", 2, 1, NULL},     {"1", 1, 2, NULL},       {"hdfs", 2, 1, NULL},
                 {"auto", 2, 1, NULL},    {"26687 d", 5, 1, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[SCENARIO_VALUE_TEXT] = "";
        bool done = scenario_value_scale(cases[i].value, cases[i].times, cases[i].parts, text);
        assert_int_equal(done, cases[i].scaled != NULL);
        if (done) {
            assert_text(text, cases[i].scaled);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ValuesCanBeScaled),
        cmocka_unit_test(Durations),     cmocka_unit_test(Sizes),
        cmocka_unit_test(Numbers),       cmocka_unit_test(FlinkValues),
        cmocka_unit_test(TextReadsBack), cmocka_unit_test(TextIsShort),
        cmocka_unit_test(NearestName),   cmocka_unit_test(Names),
    };
    return check_main(argc, argv, "scenarios_units", tests);
}
