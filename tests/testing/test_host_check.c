// SPDX-License-Identifier: GPL-3.0-or-later
//
// recoup_host_check(): the host in memory passes it on every device, and hosts that are broken on
// purpose, one way each, are found out, with the duty that they break.
#include "recovery/testing/host_check.h"
#include "tests/testing/support_engine.h"

enum flaw {
    FLAW_NONE,
    FLAW_ID,         // the answer has another id
    FLAW_ERRNO,      // positive errno values
    FLAW_SHORT_READ, // READ gives fewer bytes in the midst of a file
    FLAW_NO_ENOENT,  // a missing file reads as an empty one
    FLAW_DOTS,       // the listing has "." in it
    FLAW_STALE_LIST, // the newest name is missing
    FLAW_OVERWRITES, // CREATE of an existing name succeeds
    FLAW_REMOVE,     // REMOVE of an absent file fails
    FLAW_ORDER,      // every other append is lost
    FLAW_LYING,      // sync reports success
    FLAW_NAMES,      // the directory is never synced: files are gone after a crash
    FLAW_TORN,       // a crash cuts the last durable byte
    FLAWS
};

static const struct {
    unsigned duty;
    const char *word; // of the finding
} expected[FLAWS] = {
    [FLAW_ID] = {3, "id"},
    [FLAW_ERRNO] = {3, "positive errno"},
    [FLAW_SHORT_READ] = {2, "fewer than"},
    [FLAW_NO_ENOENT] = {3, "RECOUP_ENOENT"},
    [FLAW_DOTS] = {3, "'.' is no name"},
    [FLAW_STALE_LIST] = {4, "not in the next listing"},
    [FLAW_OVERWRITES] = {4, "RECOUP_EEXIST"},
    [FLAW_REMOVE] = {3, "REMOVE must succeed when"},
    [FLAW_ORDER] = {2, "in their order"},
    [FLAW_LYING] = {4, "durable bytes are gone"},
    [FLAW_NAMES] = {4, "sync the directory"},
    [FLAW_TORN] = {4, "durable bytes are gone"},
};

struct flawed {
    struct recoup_testing_device device;
    struct recoup_testing_host *host;
    enum flaw flaw;
    uint32_t appends;
    const char *names[64];
};

static void reset(void *context)
{
    struct flawed *flawed = context;
    struct recoup_allocator allocator = engine_allocator();

    recoup_testing_host_destroy(flawed->host);
    assert_int_equal(recoup_testing_host_create(&flawed->device, &allocator, &flawed->host), 0);
}

static void spoil_list(struct flawed *flawed, struct recoup_event *event)
{
    uint32_t n = event->io.n_names;

    assert_true(n < 63);
    for (uint32_t i = 0; i < n; i++) {
        flawed->names[i] = event->io.names[i];
    }
    if (flawed->flaw == FLAW_DOTS) {
        flawed->names[n++] = ".";
    } else if (flawed->flaw == FLAW_STALE_LIST && n > 0) {
        n--;
    }
    event->io.names = flawed->names;
    event->io.n_names = n;
}

static void spoil(struct flawed *flawed, const struct recoup_action *action,
                  struct recoup_event *event)
{
    if (flawed->flaw == FLAW_ID) {
        event->io.operation++;
    } else if (flawed->flaw == FLAW_ERRNO && event->io.error != 0) {
        event->io.error = 5;
    } else if (flawed->flaw == FLAW_SHORT_READ && action->type == RECOUP_ACTION_READ) {
        event->io.size = event->io.size > 900 ? 900 : event->io.size;
    } else if (flawed->flaw == FLAW_NO_ENOENT && action->type == RECOUP_ACTION_READ) {
        event->io.error = 0;
    } else if (action->type == RECOUP_ACTION_LIST && event->io.error == 0) {
        spoil_list(flawed, event);
    } else if (flawed->flaw == FLAW_OVERWRITES && event->io.error == RECOUP_EEXIST) {
        event->io.error = 0;
    }
}

static bool absent(const struct flawed *flawed, const char *name)
{
    for (uint32_t i = 0; i < recoup_testing_file_count(flawed->host); i++) {
        if (strcmp(recoup_testing_file_name(flawed->host, i), name) == 0) {
            return false;
        }
    }
    return name[0] != '\0';
}

static void perform(void *context, const struct recoup_action *action, struct recoup_event *event)
{
    struct flawed *flawed = context;
    struct recoup_action own = *action;
    bool missing = absent(flawed, action->io.file);

    if (flawed->flaw == FLAW_ORDER && action->type == RECOUP_ACTION_APPEND &&
        flawed->appends++ % 2 == 1) {
        own.io.size = 0;
    }
    assert_int_equal(recoup_testing_perform(flawed->host, &own, event), 0);
    if (flawed->flaw == FLAW_REMOVE && action->type == RECOUP_ACTION_REMOVE && missing) {
        event->io.error = RECOUP_ENOENT;
    }
    spoil(flawed, action, event);
}

static void crash(void *context)
{
    struct flawed *flawed = context;

    recoup_testing_crash_worst(flawed->host, RECOUP_TESTING_POWER_LOSS);
    for (uint32_t i = 0; i < recoup_testing_file_count(flawed->host); i++) {
        uint64_t size;
        const uint8_t *bytes = recoup_testing_file_bytes(flawed->host, i, &size);

        if (flawed->flaw == FLAW_TORN && size > 0) {
            uint8_t *copy = malloc(size);
            char name[32];

            assert_non_null(copy);
            memcpy(copy, bytes, size);
            snprintf(name, sizeof name, "%s", recoup_testing_file_name(flawed->host, i));
            assert_int_equal(recoup_testing_file_put(flawed->host, name, copy, size - 1), 0);
            free(copy);
        } else if (flawed->flaw == FLAW_NAMES) {
            reset(flawed);
        }
    }
}

static void check(enum recoup_testing_profile profile, enum flaw flaw, bool crashes,
                  struct recoup_host_report *report)
{
    struct recoup_allocator allocator = engine_allocator();
    struct flawed flawed = {.flaw = flaw};
    struct recoup_checked_host host = {&flawed, {0}, perform, crashes ? crash : NULL, reset};

    recoup_testing_device_init(&flawed.device, profile);
    flawed.device.lying = flaw == FLAW_LYING;
    host.storage = flawed.device.storage;
    assert_int_equal(recoup_host_check(&host, &allocator, report), 0);
    assert_int_equal(report->crashes_checked, crashes);
    recoup_testing_host_destroy(flawed.host);
}

static void the_host_in_memory_keeps_its_duties(void **state)
{
    (void)state;
    for (int profile = RECOUP_TESTING_DISK; profile <= RECOUP_TESTING_OBJECTS; profile++) {
        struct recoup_host_report report;

        check((enum recoup_testing_profile)profile, FLAW_NONE, true, &report);
        for (uint32_t i = 0; i < report.n && i < RECOUP_HOST_FINDINGS_MAX; i++) {
            print_error("profile %d: D%u: %s (operation %d, %d)\n", profile,
                        report.findings[i].duty, report.findings[i].text,
                        (int)report.findings[i].operation, report.findings[i].error);
        }
        assert_u64(report.n, 0);
        assert_true(report.operations > 150);
    }
}

static void each_flaw_is_found_with_its_duty(void **state)
{
    (void)state;
    for (int flaw = FLAW_ID; flaw < FLAWS; flaw++) {
        struct recoup_host_report report;
        bool found = false;

        check(RECOUP_TESTING_DISK, (enum flaw)flaw, true, &report);
        for (uint32_t i = 0; i < report.n && i < RECOUP_HOST_FINDINGS_MAX; i++) {
            found = found || (report.findings[i].duty == expected[flaw].duty &&
                              strstr(report.findings[i].text, expected[flaw].word) != NULL);
        }
        if (!found) {
            fail_msg("flaw %d: %u findings, none of D%u with '%s'; the first: %s", flaw, report.n,
                     expected[flaw].duty, expected[flaw].word,
                     report.n > 0 ? report.findings[0].text : "none");
        }
    }
}

static void a_host_that_cannot_crash_is_told_so(void **state)
{
    struct recoup_host_report report;

    (void)state;
    check(RECOUP_TESTING_DISK, FLAW_LYING, false, &report);
    assert_u64(report.n, 0); // a lie about durability shows only in a crash
    assert_false(report.crashes_checked);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_in_memory_keeps_its_duties),
        cmocka_unit_test(each_flaw_is_found_with_its_duty),
        cmocka_unit_test(a_host_that_cannot_crash_is_told_so),
    };

    return check_main(argc, argv, "testing_host_check", tests);
}
