// SPDX-License-Identifier: GPL-3.0-or-later
//
// What fencing promises, at its borders: the record of the end before any removal, and the look
// before recording is taken up again. test_store.c and tests/testing have more.
#include "support_host.h"

// The job is over, but that cannot be written down: nothing is removed, although the file before
// was closed well.
static void an_end_that_cannot_be_recorded(void **state)
{
    static const enum recoup_action_type types[] = {RECOUP_ACTION_CREATE, RECOUP_ACTION_APPEND};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct host *host = host_create(RECOUP_PROFILE_HARDENED);

        host_open(host);
        host_incarnation(host);
        host_finish(host, 0, 0);
        host_advance(host, 2 * SECOND);
        host->fault = (struct host_fault){true, types[i], 1, RECOUP_EIO, false};
        host_stop(host, true);
        assert_u64(host->fired, 1);
        assert_u64(host->operations[RECOUP_ACTION_REMOVE], 0);
        host_open(host);
        assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
        assert_u64(host->n_records, 2);
        host_stop(host, true);
        host_destroy(host);
    }
}

// A file that bears this master's own epoch, under the very next name, which it has not used:
// another master has the same epoch. It is seen at the look, before anything is created.
static void a_stranger_of_the_same_epoch(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    uint64_t created;

    (void)state;
    host_open(host);
    host_incarnation(host);
    host->fault = (struct host_fault){true, RECOUP_ACTION_APPEND, 1, RECOUP_EIO, false};
    host_finish(host, 0, 0);
    host_advance(host, SECOND);
    assert_int_equal(host->lost_error, RECOUP_EIO);
    host_put(host, "events.0000000000000001.000001", NULL, 0);
    created = host->operations[RECOUP_ACTION_CREATE];
    host_advance(host, 2 * SECOND);
    assert_u64(host->lost, 2);
    assert_int_equal(host->lost_error, RECOUP_EFENCED);
    assert_u64(host->operations[RECOUP_ACTION_CREATE], created);
    host_stop(host, false);
    host_destroy(host);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_that_cannot_be_recorded),
        cmocka_unit_test(a_stranger_of_the_same_epoch),
    };

    return check_main(argc, argv, "recovery_fencing", tests);
}
