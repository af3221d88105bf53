// SPDX-License-Identifier: GPL-3.0-or-later
//
// limits.accept_ns: RECOVERED waits so long, and no longer, for a storage that lets itself be
// opened and read, but never accepts what the new master has to write before it. Then recovery has
// failed, and the log is what it was: another master recovers all of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recovery/support_job.h"

#define ACCEPT_NS (40 * SECOND)
#define ACCEPT_DEFAULT_NS (300 * SECOND) // RECOUP_ACCEPT_NS_DEFAULT is five minutes

static const struct recoup_stage_spec stages[] = {{.parallelism = 6}};
static const struct recoup_graph graph = {.digest = {7}, .n_stages = 1, .stages = stages};

struct fixture {
    struct disk disk;
    struct master master;
    int64_t began_ns; // when the storage began not to accept
};

// How the storage does not accept.
enum refusal { FAILS, STALLS };

// A log of six finished subtasks, whose outputs are all there. What the second master must have
// written before it may say RECOVERED is the record of its own incarnation.
static struct fixture *fixture(void)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    disk_init(&f->disk);
    master_init(&f->master, &f->disk, &graph, RECOUP_PROFILE_HARDENED);
    assert_int_equal(master_start(&f->master, 1), 0);
    assert_int_equal(master_initialize(&f->master, 0, 6), 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(master_finish(&f->master, 0, i), 0);
    }
    master_advance(&f->master, SECOND);
    return f;
}

static void drop(struct fixture *f)
{
    if (f->master.job != NULL) {
        master_crash(&f->master);
    }
    assert_int_equal(f->master.bytes, 0);
    disk_release(&f->disk);
    free(f);
}

// The next master, up to its first append; from there on the storage accepts nothing.
static void refuse(struct fixture *f, enum refusal refusal)
{
    struct master *master = &f->master;

    master->hold_io = true;
    master_restart(master, master->epoch + 1);
    while (!(master->busy && master->io.type == RECOUP_ACTION_APPEND)) {
        assert_true(master->busy);
        master_io(master);
    }
    assert_false(master->recovered);
    assert_int_equal(recoup_phase(master->job), RECOUP_PHASE_RECONCILING);
    if (refusal == FAILS) {
        master->hold_io = false;
        master->fail_from = master->operations;
        master->fail_to = UINT32_MAX;
        master->fail_error = RECOUP_EIO;
    }
    master_report_held(master);
    master_settle(master);
    f->began_ns = master->now_ns;
    assert_false(master->recovered);
}

// No answer until just before `limit_ns` after the beginning.
static void wait_until_just_before(struct fixture *f, int64_t limit_ns)
{
    master_advance(&f->master, f->began_ns + limit_ns - 1);
    assert_false(f->master.recovered);
    assert_int_equal(f->master.n_ended, 0);
    assert_int_equal(f->master.recovery_error, 0);
}

// A master without faults comes back to all of it, its outputs being there.
static void the_next_master_recovers_all(struct fixture *f)
{
    f->master.hold_io = false;
    f->master.fail_from = f->master.fail_to = 0;
    master_restart(&f->master, f->master.epoch + 1);
    master_report_held(&f->master);
    master_advance(&f->master, f->master.now_ns + 60 * SECOND);
    assert_true(f->master.recovered);
    assert_int_equal(f->master.kind, RECOUP_RECOVERED_LOG);
    assert_int_equal(f->master.recovery_error, 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(master_finished(&f->master, 0, i));
    }
}

static void ends_at(enum refusal refusal, int64_t limit_ns, int64_t given_ns, int error)
{
    struct fixture *f = fixture();
    size_t bytes = disk_bytes(&f->disk);

    f->master.limits.accept_ns = given_ns;
    refuse(f, refusal);
    wait_until_just_before(f, limit_ns);
    assert_int_equal(f->master.n_lost, refusal == FAILS ? 1 : 0);
    assert_true(recoup_deadline(f->master.job) <= f->began_ns + limit_ns);
    master_advance(&f->master, f->began_ns + limit_ns);
    assert_false(f->master.recovered);
    assert_int_equal(f->master.n_ended, 1);
    assert_int_equal(f->master.recovery_error, error);
    assert_int_equal(f->master.n_lost, 1);
    assert_int_equal(f->master.protection_error, error);
    assert_int_equal(recoup_phase(f->master.job), RECOUP_PHASE_RUNNING); // it may run, unprotected
    assert_true(disk_bytes(&f->disk) >= bytes); // nothing was removed
    if (refusal == STALLS) {
        // D3: the operation is answered all the same, whenever that is. It changes nothing.
        f->master.hold_io = false;
        master_settle(&f->master);
        assert_false(f->master.busy);
        assert_int_equal(f->master.n_lost, 1);
        assert_int_equal(f->master.n_restored, 0);
    }
    the_next_master_recovers_all(f);
    drop(f);
}

static void WritesThatFail(void **state)
{
    (void)state;
    ends_at(FAILS, ACCEPT_NS, ACCEPT_NS, RECOUP_EIO);
}

// An operation that never ends says nothing itself: the error is that of the limit.
static void AWriteThatNeverEnds(void **state)
{
    (void)state;
    ends_at(STALLS, ACCEPT_NS, ACCEPT_NS, RECOUP_ETIMEDOUT);
}

static void TheDefaultIsFiveMinutes(void **state)
{
    (void)state;
    ends_at(FAILS, ACCEPT_DEFAULT_NS, 0, RECOUP_EIO);
    ends_at(STALLS, ACCEPT_DEFAULT_NS, 0, RECOUP_ETIMEDOUT);
}

// A storage that accepts just in time: RECOVERED, and the limit means nothing any more.
static void AcceptedJustInTime(void **state)
{
    (void)state;
    for (int refusal = FAILS; refusal <= STALLS; refusal++) {
        struct fixture *f = fixture();

        f->master.limits.accept_ns = ACCEPT_NS;
        refuse(f, (enum refusal)refusal);
        // A storage that fails is tried again now and then; the last try before the limit counts.
        wait_until_just_before(f, refusal == FAILS ? ACCEPT_NS / 2 : ACCEPT_NS);
        f->master.fail_to = f->master.fail_from = 0;
        f->master.hold_io = false;
        master_settle(&f->master);
        master_advance(&f->master, f->began_ns + ACCEPT_NS - 1);
        assert_true(f->master.recovered);
        assert_int_equal(f->master.recovery_error, 0);
        assert_int_equal(f->master.n_lost, f->master.n_restored);
        master_advance(&f->master, f->began_ns + 10 * ACCEPT_NS);
        assert_int_equal(f->master.n_ended, 1);
        drop(f);
    }
}

// With event-store.on-error = stop nothing becomes durable after the first error, so waiting would
// help nobody: the loss of protection is told, and RECOVERED comes at once.
static void UnderStopNothingIsWaitedFor(void **state)
{
    struct fixture *f = fixture();
    struct master *master = &f->master;

    (void)state;
    master->limits.accept_ns = ACCEPT_NS;
    master->options.policy[RECOUP_POLICY_ON_ERROR] = 0;
    assert_int_equal(master->options.policy[RECOUP_POLICY_LOG_RESETS], 1);
    master->hold_io = true;
    master_restart(master, master->epoch + 1);
    while (!(master->busy && master->io.type == RECOUP_ACTION_APPEND)) {
        assert_true(master->busy);
        master_io(master);
    }
    master_report_held(master);
    assert_false(master->recovered);
    f->began_ns = master->now_ns;
    master->hold_io = false;
    master->fail_from = master->operations;
    master->fail_to = UINT32_MAX;
    master->fail_error = RECOUP_EIO;
    master_settle(master);
    assert_true(master->recovered);
    assert_true(master->now_ns < f->began_ns + ACCEPT_NS);
    assert_int_equal(master->kind, RECOUP_RECOVERED_LOG);
    assert_int_equal(master->recovery_error, 0);
    assert_int_equal(master->n_lost, 1);
    assert_int_equal(master->protection_error, RECOUP_EIO);
    master_advance(master, f->began_ns + 10 * ACCEPT_NS);
    assert_int_equal(master->n_restored, 0);
    assert_int_equal(master->n_ended, 1);
    master->options.policy[RECOUP_POLICY_ON_ERROR] = 1;
    the_next_master_recovers_all(f);
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(WritesThatFail),
        cmocka_unit_test(AWriteThatNeverEnds),
        cmocka_unit_test(TheDefaultIsFiveMinutes),
        cmocka_unit_test(AcceptedJustInTime),
        cmocka_unit_test(UnderStopNothingIsWaitedFor),
    };
    return cmocka_run_group_tests_name("job accept", tests, NULL, NULL);
}
