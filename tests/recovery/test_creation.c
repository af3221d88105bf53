// SPDX-License-Identifier: GPL-3.0-or-later
//
// Creations that fail. The file that never was must not look like one that is missing: wherever the
// master dies afterwards, the next one reads what was durable before.
#include "support_host.h"

struct creation {
    enum recoup_durable_at durable_at;
    bool lands;        // the creation takes effect, and is reported to have failed
    bool stale;        // listings may be stale
    unsigned failures; // creations in a row that fail
    unsigned dies_at;  // operations after the first failure
};

// The master begins, acknowledges two finishes, and closes its file.
static struct host *begin(const struct creation *c)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);

    host->storage.durable_at = c->durable_at;
    host->storage.list_consistent = !c->stale;
    host->checkpoint_records = 20;
    host->options.write_buffer_bytes = 256;  // a checkpoint takes several writes
    host_open(host);
    host_incarnation(host);
    host_finish(host, 7, RECOUP__WRITE_DURABLE);
    host_finish(host, 8, RECOUP__WRITE_CUT);
    host_advance(host, SECOND);
    assert_u64(host->durable, 3);
    return host;
}

static bool finished(const struct host *host, uint32_t subtask)
{
    for (uint32_t i = 0; i < host->n_records; i++) {
        if (host->records[i].type == RECOUP__RECORD_FINISHED
            && host->records[i].subtask == subtask) {
            return true;
        }
    }
    return false;
}

static bool completes(const struct host *host)
{
    for (uint32_t i = 0; i < host->n_records; i++) {
        if (host->records[i].type == RECOUP__RECORD_CHECKPOINT_END) {
            return true;
        }
    }
    return false;
}

// Goes on, with the fault, until `dies_at` operations are done. False if there were fewer.
static bool go_on(struct host *host, const struct creation *c)
{
    unsigned failed = 0;
    unsigned done = 0;

    host->manual = true;
    host->fault_lands = c->lands;
    host_finish(host, 9, 0);
    for (int64_t ms = 1000; ms < 5000 && done < c->dies_at; ms += 50) {
        host_advance(host, ms * MILLISECOND);
        while (host->busy && done < c->dies_at) {
            bool fails = host->operation.type == RECOUP_ACTION_CREATE && failed < c->failures;

            failed += fails ? 1 : 0;
            done += failed > 0 ? 1 : 0;
            host_complete(host, fails ? RECOUP_EIO : 0);
        }
    }
    host->manual = false;
    host->fault_lands = false;
    assert_true(failed > 0);
    return done == c->dies_at;
}

// Returns false if the master had nothing left to do before it died.
static bool dies(const struct creation *c, unsigned *before_end)
{
    struct host *host = begin(c);
    bool went_on = go_on(host, c);

    host_crash(host);
    host->n_records = 0;
    host_open(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_LOG);
    assert_false(recoup__store_opened(host->store)->lost);
    if (!completes(host)) {
        assert_true(finished(host, 7));
        assert_true(finished(host, 8));
        (*before_end)++;
    }
    host_stop(host, true);
    assert_u64(host_n_files(host), 0);
    host_destroy(host);
    return went_on;
}

static void a_death_after_a_failed_creation_loses_nothing(void **state)
{
    unsigned before_end = 0;
    unsigned cases = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 2 * 3; i++) {
        struct creation c = {.durable_at = i % 2 == 0 ? RECOUP_DURABLE_AT_FLUSH
                                                      : RECOUP_DURABLE_AT_SYNC,
                             .lands = i / 2 % 2 == 1,
                             .stale = i / 4 % 2 == 1,
                             .failures = 1 + i / 8};

        c.dies_at = 1;
        while (dies(&c, &before_end)) {
            c.dies_at++;
            cases++;
            assert_true(c.dies_at < 100);
        }
    }
    assert_true(cases > 100);
    assert_true(before_end > 50);
}

// A number is given up only where a second attempt at it could do harm.
static void names_are_used_again(void **state)
{
    (void)state;
    for (unsigned exclusive = 0; exclusive < 2; exclusive++) {
        struct creation c = {.durable_at = RECOUP_DURABLE_AT_FLUSH};
        struct host *host = begin(&c);

        host->storage.create_exclusive = exclusive == 1;
        host_stop(host, false);
        host_open(host);
        host_incarnation(host);
        host_finish(host, 9, RECOUP__WRITE_CUT);
        host->fault = (struct host_fault){true, RECOUP_ACTION_CREATE, 1, RECOUP_EIO, false};
        host_finish(host, 10, 0);
        host_advance(host, 5 * SECOND);
        assert_u64(host->restored, 1);
        assert_int_equal(host_file(host, "events.0000000000000002.000001") != NULL,
                         exclusive == 1);
        assert_int_equal(host_file(host, "events.0000000000000002.000002") != NULL,
                         exclusive == 0);
        host_stop(host, true);
        host_destroy(host);
    }
}

// A name that is there although nobody has tried to create it is somebody else's.
static void a_strange_name_still_fences(void **state)
{
    struct creation c = {.durable_at = RECOUP_DURABLE_AT_FLUSH};
    struct host *host = begin(&c);

    (void)state;
    host_put(host, "events.0000000000000001.000001", NULL, 0);
    host_finish(host, 9, 0);
    host_advance(host, 5 * SECOND);
    assert_int_equal(host->lost_error, RECOUP_EFENCED);
    assert_u64(host->restored, 0);
    host_crash(host);
    host_destroy(host);
}

// A file that did exist is missed as before.
static void a_removed_file_is_a_gap(void **state)
{
    struct creation c = {
        .durable_at = RECOUP_DURABLE_AT_FLUSH, .failures = 1, .dies_at = 5};
    struct host *host = begin(&c);

    (void)state;
    host_finish(host, 9, RECOUP__WRITE_CUT);
    assert_true(go_on(host, &c));
    host_crash(host);
    assert_non_null(host_file(host, "events.0000000000000001.000002"));
    host_file(host, "events.0000000000000001.000001")->exists = false;
    assert_int_equal(host_start(host), 0);
    host_run(host);
    assert_int_equal(recoup__store_opened(host->store)->result, RECOUP__OPENED_FAILED);
    assert_int_equal(recoup__store_opened(host->store)->error, RECOUP_EGAP);
    host_crash(host);
    host_destroy(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_death_after_a_failed_creation_loses_nothing),
        cmocka_unit_test(names_are_used_again),
        cmocka_unit_test(a_strange_name_still_fences),
        cmocka_unit_test(a_removed_file_is_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
