// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include "results/units.h"

static void assert_duration(int64_t ns, const char *expected)
{
    char buffer[RESULTS_UNITS_SIZE];

    assert_text(results_duration(buffer, ns), expected);
}

// Three digits, never nanoseconds, and no rounding into "60 s" or "60 min".
static void durations_read_like_a_person_wrote_them(void **state)
{
    (void)state;
    assert_duration(0, "0 s");
    assert_duration(1, "<1 us");
    assert_duration(999, "<1 us");
    assert_duration(1000, "1 us");
    assert_duration(1234, "1.23 us");
    assert_duration(500 * 1000, "500 us");
    assert_duration(999499, "999 us");
    assert_duration(999500, "1 ms");
    assert_duration(12345678, "12.3 ms");
    assert_duration(850000000, "850 ms");
    assert_duration(999600000, "1 s");
    assert_duration(INT64_C(8000000000), "8 s");
    assert_duration(INT64_C(12340000000), "12.3 s");
    assert_duration(INT64_C(59949999999), "59.9 s");
    assert_duration(INT64_C(59950000000), "1 min");
    assert_duration(INT64_C(95000000000), "1 min 35 s");
    assert_duration(INT64_C(180000000000), "3 min");
    assert_duration(INT64_C(3599499999999), "59 min 59 s");
    assert_duration(INT64_C(3599500000000), "1 h");
    assert_duration(INT64_C(7560000000000), "2 h 6 min");
    assert_duration(INT64_C(86400000000000), "1 d");
    assert_duration(INT64_C(273600000000000), "3 d 4 h");
    assert_duration(INT64_C(-95000000000), "-1 min 35 s");
    assert_duration(INT64_MAX, "106752 d");
}

static void sizes_use_the_units_of_scenario_files(void **state)
{
    char buffer[RESULTS_UNITS_SIZE];

    (void)state;
    assert_text(results_size(buffer, 0), "0 b");
    assert_text(results_size(buffer, 1023), "1,023 b");
    assert_text(results_size(buffer, 1024), "1 kb");
    assert_text(results_size(buffer, 123456), "121 kb");
    assert_text(results_size(buffer, 1290000), "1.23 mb");
    assert_text(results_size(buffer, UINT64_C(64) << 30), "64 gb");
    assert_text(results_size(buffer, UINT64_MAX), "16777216 tb");
}

static void counts_prices_and_shares(void **state)
{
    char buffer[RESULTS_UNITS_SIZE];

    (void)state;
    assert_text(results_count(buffer, 0), "0");
    assert_text(results_count(buffer, 999), "999");
    assert_text(results_count(buffer, 12045), "12,045");
    assert_text(results_count(buffer, 123456), "123 k");
    assert_text(results_count(buffer, 999500), "1 million");
    assert_text(results_count(buffer, 1234567), "1.23 million");
    assert_text(results_price(buffer, 0), "0 USD");
    assert_text(results_price(buffer, 5125000), "0.00513 USD");
    assert_text(results_price(buffer, UINT64_C(12345000000)), "12.3 USD");
    assert_text(results_percent(buffer, 1, 3), "33.3 %");
    assert_text(results_percent(buffer, 0, 3), "0 %");
    assert_text(results_percent(buffer, 3, 0), "-");
    assert_text(results_percent(buffer, UINT64_MAX, UINT64_MAX), "100 %");
    assert_text(results_percent(buffer, 1, 800), "0.125 %");
    assert_text(results_percent(buffer, 1, 99999), "0.001 %");
    assert_text(results_percent(buffer, 1, 200000), "<0.001 %");
    assert_text(results_percent(buffer, 123456, 1000), "12,346 %");
}

static void slot_time_takes_the_unit_that_fits(void **state)
{
    char buffer[RESULTS_UNITS_SIZE];

    (void)state;
    assert_text(results_slot_time(buffer, 0), "0 slot-seconds");
    assert_text(results_slot_time(buffer, INT64_C(42345000000)), "42.3 slot-seconds");
    assert_text(results_slot_time(buffer, INT64_C(750000000000)), "12.5 slot-minutes");
    assert_text(results_slot_time(buffer, INT64_C(15156000000000)), "4.21 slot-hours");
    assert_text(results_slot_time(buffer, INT64_C(5000000000000000)), "1,389 slot-hours");
    assert_text(results_slot_time(buffer, 16), "<0.001 slot-seconds");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(durations_read_like_a_person_wrote_them),
    cmocka_unit_test(sizes_use_the_units_of_scenario_files),
    cmocka_unit_test(counts_prices_and_shares),
    cmocka_unit_test(slot_time_takes_the_unit_that_fits),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_units", tests);
}
