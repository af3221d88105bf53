// SPDX-License-Identifier: GPL-3.0-or-later
//
// The independent reader of the log: what it reads, where it stops, and what follows.
#include "check.h"
#include "models/support_oracle.h"

static uint32_t readable(const struct oracle *o)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < o->w->n_attempts; i++)
        n += reference_readable(o->w, i) ? 1u : 0u;
    return n;
}

// How many subtasks the log holds as finished after the trim.
static uint32_t finished(struct oracle *o)
{
    uint32_t limits[8];
    uint32_t n = 0;

    reference_limits(o->w, false, limits);
    for (uint32_t gid = 0; gid < o->w->n_subtasks; gid++) {
        uint32_t limit = limits[world_stage_of(o->w, gid)];

        n += reference_entry_under(o->w, gid, false, limit) != MODEL_NONE ? 1u : 0u;
    }
    return n;
}

// Rewrites the bytes of a file with one byte changed.
static void flip(struct oracle *o, uint32_t index, uint64_t offset)
{
    struct model_file *file = o->w->storage.files[index];
    static uint8_t bytes[1 << 16];
    size_t size = model_file_read(&file->bytes, 0, bytes, sizeof(bytes));

    assert_true(offset < size && size < sizeof(bytes));
    bytes[offset] ^= 1;
    model_file_clear(&o->w->storage.pool, &file->bytes);
    assert_true(model_file_append(&o->w->storage.pool, &file->bytes, bytes, size));
}

static void begin(struct oracle *o, enum recoup_profile profile, int64_t at_ns)
{
    memset(o, 0, sizeof(*o));
    oracle_two_stages(o, profile);
    oracle_begin(o);
    oracle_until(o, at_ns);
}

// Before anything is read nothing is readable; afterwards what is durable is.
static void it_reads_what_is_durable(enum recoup_profile profile)
{
    struct oracle o;

    begin(&o, profile, 2500 * MILLI);
    assert_u64(readable(&o), 0);
    reference_read(o.w);
    assert_true(o.w->invariants.reference.read);
    assert_false(o.w->invariants.reference.failed);
    assert_u64(readable(&o), 2);
    assert_u64(finished(&o), 2);
    assert_u64(reference_readable_event(o.w, 1),
               world_attempt(o.w, 0)->event > world_attempt(o.w, 1)->event
                   ? world_attempt(o.w, 0)->event
                   : world_attempt(o.w, 1)->event);
    assert_u64(o.w->invariants.reference.damaged, 0);
    oracle_end(&o);
}

static void it_reads_three_writes(void **state)
{
    (void)state;
    it_reads_what_is_durable(RECOUP_PROFILE_FLINK_1_20);
}

static void it_reads_contiguous(void **state)
{
    (void)state;
    it_reads_what_is_durable(RECOUP_PROFILE_HARDENED);
}

// A torn tail ends the file there: what stands before counts.
static void it_stops_at_a_torn_tail(void **state)
{
    struct oracle o;
    struct model_file *file;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 2500 * MILLI);
    file = o.w->storage.files[0];
    file->kept -= 1;
    reference_read(o.w);
    assert_u64(o.w->invariants.reference.damaged, 1);
    assert_true(readable(&o) < 2);
    assert_false(o.w->invariants.reference.failed);
    oracle_end(&o);
}

// With checksums a changed byte ends the log; without, nobody sees it in a body.
static void it_checks_checksums(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_HARDENED, 2500 * MILLI);
    flip(&o, 0, 64 + 24 + 3);  // in the body of the first record
    reference_read(o.w);
    assert_u64(readable(&o), 0);
    assert_true(o.w->invariants.reference.damaged > 0);
    flip(&o, 0, 64 + 24 + 3);
    reference_read(o.w);
    assert_u64(readable(&o), 2);
    flip(&o, 0, 33);  // in the file header
    reference_read(o.w);
    assert_u64(readable(&o), 0);
    oracle_end(&o);
}

// A gap ends the log in Flink's way, and makes it unreadable in the hardened one.
static void it_sees_gaps(void **state)
{
    struct oracle o;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 2500 * MILLI);
    assert_string_equal(o.w->storage.files[0]->name, "events.0");
    o.w->storage.files[0]->name[7] = '3';
    reference_read(o.w);
    assert_true(o.w->invariants.reference.gap);
    assert_false(o.w->invariants.reference.failed);
    assert_u64(readable(&o), 0);
    oracle_end(&o);
    begin(&o, RECOUP_PROFILE_HARDENED, 2500 * MILLI);
    assert_string_equal(o.w->storage.files[0]->name, "events.0000000000000001.000000");
    // Nothing came before the record that opens a log: names before this one were tried in vain.
    o.w->storage.files[0]->name[29] = '4';
    reference_read(o.w);
    assert_false(o.w->invariants.reference.failed);
    assert_true(readable(&o) > 0);
    oracle_end(&o);
}

// Names that are not the log's are ignored.
static void it_ignores_other_names(void **state)
{
    static const char *const other[] = {"events.", "events.x", "event.0", "events.0.1", "notes",
                                        "events.0000000000000001.000000"};
    struct oracle o;
    uint64_t epoch, index;

    (void)state;
    begin(&o, RECOUP_PROFILE_FLINK_1_20, 0);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        assert_false(reference_file_name(o.w, other[i], &epoch, &index));
    assert_true(reference_file_name(o.w, "events.17", &epoch, &index));
    assert_u64(index, 17);
    oracle_end(&o);
    begin(&o, RECOUP_PROFILE_HARDENED, 0);
    assert_true(reference_file_name(o.w, "events.00000000000000af.000012", &epoch, &index));
    assert_u64(epoch, 0xaf);
    assert_u64(index, 12);
    assert_false(reference_file_name(o.w, "events.17", &epoch, &index));
    oracle_end(&o);
}

// Flink forgets what stands behind the last recovery point; with min-pause that is all but the
// first.
static void it_trims(void **state)
{
    struct oracle o = {0};
    uint32_t a;

    (void)state;
    world_of(&o.test, 1, 1);
    o.test.config.options.snapshot_min_pause_ns = 100 * SECOND;
    a = stage(&o.test, "a", 10, constant(1 * SECOND));
    source(&o.test, a, 10, true);
    oracle_begin(&o);
    oracle_until(&o, 6500 * MILLI);
    reference_read(o.w);
    assert_u64(readable(&o), 6);
    assert_u64(finished(&o), 1);
    o.test.config.options.policy[RECOUP_POLICY_TRIM] = 1;
    assert_u64(finished(&o), 1);  // a stage with a coordinator counts up to its snapshot
    o.test.stages[a].coordinator.batch_snapshot = false;
    assert_u64(finished(&o), 6);
    oracle_end(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_reads_three_writes), cmocka_unit_test(it_reads_contiguous),
    cmocka_unit_test(it_stops_at_a_torn_tail), cmocka_unit_test(it_checks_checksums),
    cmocka_unit_test(it_sees_gaps),          cmocka_unit_test(it_ignores_other_names),
    cmocka_unit_test(it_trims),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "models_reference", tests);
}
