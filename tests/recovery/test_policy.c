// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of policies and the table of errors are complete.
#include "check.h"
#include "recovery/recoup.h"

static const struct recoup_policy_info *info(unsigned policy)
{
    return recoup_policy_info((enum recoup_policy)policy);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        unsigned n = 0;

        assert_true(strlen(info(i)->key) > 0);
        assert_true(info(i)->hazards[0] == 'H');
        assert_true(info(i)->doc[strlen(info(i)->doc) - 1] == '.');
        while (n < 4 && info(i)->choices[n] != NULL) {
            n++;
        }
        assert_true(n < 4);
        if (info(i)->kind == RECOUP_POLICY_CHOICE) {
            assert_true(n >= 2);
            assert_true(info(i)->flink >= 0 && info(i)->flink < n);
            assert_true(info(i)->hardened >= 0 && info(i)->hardened < n);
        } else {
            assert_u64(n, 0);
            assert_i64(info(i)->flink, 0);
            assert_true(info(i)->hardened > 0);
        }
        assert_true(info(i)->flink != info(i)->hardened);
    }
}

static void keys_are_unique(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        for (unsigned j = i + 1; j < RECOUP_POLICY_COUNT; j++) {
            assert_string_not_equal(info(i)->key, info(j)->key);
        }
    }
}

// True if some policy names the hazard.
static bool named(unsigned hazard)
{
    char wanted[8];
    size_t size = (size_t)snprintf(wanted, sizeof wanted, "H%u", hazard);

    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        for (const char *at = info(i)->hazards; at != NULL; at = strchr(at, ' ')) {
            at += at[0] == ' ' ? 1 : 0;
            if (strncmp(at, wanted, size) == 0 && (at[size] == '\0' || at[size] == ' ')) {
                return true;
            }
        }
    }
    return false;
}

// H10, H17, H25, H27 and H28 are always mended and so have no policy. H13 is part of the framing.
static void every_hazard_is_named(void **state)
{
    static const unsigned always[] = {10, 17, 25, 27, 28};

    (void)state;
    for (unsigned hazard = 1; hazard <= 34; hazard++) {
        bool without = false;

        for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++) {
            without = without || always[i] == hazard;
        }
        assert_int_equal(named(hazard), !without);
    }
    assert_false(named(35));
}

// The names and defaults that scenario files and documents rely on.
static void known_rows(void **state)
{
    struct recoup_options options;

    (void)state;
    assert_string_equal(info(RECOUP_POLICY_SYNC)->key, "event-store.sync");
    assert_string_equal(info(RECOUP_POLICY_SYNC)->choices[1], "recovery-points");
    assert_string_equal(info(RECOUP_POLICY_TRIM)->choices[0], "all");
    assert_i64(info(RECOUP_POLICY_SNAPSHOT_TIMEOUT)->hardened, INT64_C(10000000000));
    recoup_options_init(&options, RECOUP_PROFILE_FLINK_1_20);
    assert_false(options.recovery_enabled);
    assert_i64(options.snapshot_min_pause_ns, INT64_C(180000000000));
    assert_i64(options.worker_recovery_timeout_ns, INT64_C(30000000000));
    assert_i64(options.flush_interval_ns, INT64_C(1000000000));
    assert_u64(options.write_buffer_bytes, 1048576);
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        assert_i64(options.policy[i], info(i)->flink);
    }
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        assert_i64(options.policy[i], info(i)->hardened);
    }
}

static void errors_have_names_and_sentences(void **state)
{
    (void)state;
    assert_string_equal(recoup_error_name(0), "RECOUP_OK");
    assert_string_equal(recoup_error_name(RECOUP_EIO), "RECOUP_EIO");
    assert_string_equal(recoup_strerror(RECOUP_ENOSPC), "the storage is full");
    for (int code = -16; code < 0; code++) {
        assert_int_equal(strncmp(recoup_error_name(code), "RECOUP_E", 8), 0);
        assert_true(strlen(recoup_strerror(code)) > 10);
        assert_string_not_equal(recoup_error_name(code), recoup_error_name(code + 1));
    }
    assert_string_equal(recoup_error_name(-17), "RECOUP_UNKNOWN");
    assert_non_null(recoup_strerror(1));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_row_is_complete),           cmocka_unit_test(keys_are_unique),
    cmocka_unit_test(every_hazard_is_named),           cmocka_unit_test(known_rows),
    cmocka_unit_test(errors_have_names_and_sentences),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_policy", tests);
}
