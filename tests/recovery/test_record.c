// SPDX-License-Identifier: GPL-3.0-or-later
//
// Records to bytes and back (specification, section 8.4): round trips, one encoding for each
// record, and bytes at random, which never crash the decoder and never make it allocate much.
#include "support_host.h"

#define ROUNDS 200000u

// A small generator for the random bytes; the seed is fixed, so the test is a constant.
static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

struct coder {
    struct host *host;
    struct recoup__decoder decoder;
    uint8_t *bytes;
    size_t size;
};

static void begin(struct coder *coder)
{
    memset(coder, 0, sizeof *coder);
    coder->host = host_create(RECOUP_PROFILE_HARDENED);
    recoup__decoder_init(&coder->decoder, &coder->host->memory);
}

static void end(struct coder *coder)
{
    free(coder->bytes);
    recoup__decoder_release(&coder->decoder);
    host_destroy(coder->host);
}

static void encode(struct coder *coder, const struct recoup__record *record)
{
    assert_int_equal(recoup__record_size(record, &coder->size), 0);
    free(coder->bytes);
    coder->bytes = malloc(coder->size + 1);
    assert_non_null(coder->bytes);
    recoup__record_encode(record, coder->bytes, coder->size);
}

static int decode(struct coder *coder, uint32_t type, struct recoup__record *record)
{
    return recoup__record_decode(&coder->decoder, type, coder->bytes, coder->size, record);
}

// encode(decode(b)) = b
static void assert_canonical(struct coder *coder, const struct recoup__record *record)
{
    size_t size;
    uint8_t *again;

    assert_int_equal(recoup__record_size(record, &size), 0);
    assert_u64(size, coder->size);
    again = malloc(size + 1);
    assert_non_null(again);
    recoup__record_encode(record, again, size);
    assert_memory_equal(again, coder->bytes, size);
    free(again);
}

// Every proper prefix of an encoding, and the encoding with one byte more, is refused.
static void assert_only_whole(struct coder *coder, uint32_t type)
{
    struct recoup__record record;
    size_t size = coder->size;

    for (size_t shorter = 0; shorter < size; shorter++) {
        coder->size = shorter;
        assert_int_equal(decode(coder, type, &record), RECOUP_ECORRUPT);
        assert_true(coder->decoder.truncated);
    }
    coder->bytes[size] = 0;
    coder->size = size + 1;
    assert_int_equal(decode(coder, type, &record), RECOUP_ECORRUPT);
    coder->size = size;
}

// C4.1: a finish with three snapshots of 2000 bytes, none of the shuffle master, and a payload.
static void c4_1_finished(void **state)
{
    static uint8_t data[3][2000];
    struct recoup__snapshot snapshots[3];
    struct recoup__record record = host_finished(9);
    struct recoup__record out;
    struct coder coder;

    (void)state;
    begin(&coder);
    for (uint32_t i = 0; i < 3; i++) {
        memset(data[i], (int)i + 1, sizeof data[i]);
        snapshots[i] = (struct recoup__snapshot){i * 5, data[i], sizeof data[i]};
    }
    record.finished.payload = "metrics";
    record.finished.payload_bytes = 7;
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = 3;
    assert_false(recoup__record_is_recovery_point(&record));
    encode(&coder, &record);
    assert_int_equal(decode(&coder, 1, &out), 0);
    assert_u64(out.finished.stage, 1);
    assert_u64(out.finished.subtask, 9);
    assert_u64(out.finished.attempt, UINT64_C(0x100000009));
    assert_u64(out.finished.worker, 3);
    assert_u64(out.finished.bytes, 64000000);
    assert_true(out.finished.has_partition);
    assert_u64(out.finished.payload_bytes, 7);
    assert_memory_equal(out.finished.payload, "metrics", 7);
    assert_u64(out.finished.n_snapshots, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_u64(out.finished.snapshots[i].coordinator, i * 5);
        assert_u64(out.finished.snapshots[i].size, 2000);
        assert_memory_equal(out.finished.snapshots[i].data, data[i], 2000);
    }
    assert_false(recoup__record_is_recovery_point(&out));
    assert_canonical(&coder, &out);
    assert_only_whole(&coder, 1);
    snapshots[2] = (struct recoup__snapshot){RECOUP_SHUFFLE, NULL, 0};
    assert_true(recoup__record_is_recovery_point(&record));
    encode(&coder, &record);
    assert_int_equal(decode(&coder, 1, &out), 0);
    assert_true(recoup__record_is_recovery_point(&out));
    assert_canonical(&coder, &out);
    end(&coder);
}

// C4.2: a stage with its parallelism.
static void c4_2_initialized(void **state)
{
    struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};
    struct recoup__record out;
    struct coder coder;
    size_t size;

    (void)state;
    begin(&coder);
    record.initialized.stage = 2;
    record.initialized.parallelism = 4;
    encode(&coder, &record);
    assert_int_equal(decode(&coder, 3, &out), 0);
    assert_u64(out.initialized.stage, 2);
    assert_u64(out.initialized.parallelism, 4);
    assert_canonical(&coder, &out);
    assert_only_whole(&coder, 3);
    record.initialized.parallelism = 0;
    assert_int_equal(recoup__record_size(&record, &size), RECOUP_EINVAL);
    end(&coder);
}

// C4.3: three ids, in their order.
static void c4_3_reset(void **state)
{
    static const struct recoup_range ranges[] = {{3, 9, 1}, {1, 0, 5}, {2, 7, 2}};
    struct recoup__record record = {.type = RECOUP__RECORD_RESET};
    struct recoup__record out;
    struct coder coder;

    (void)state;
    begin(&coder);
    record.reset.ranges = ranges;
    record.reset.n_ranges = 3;
    encode(&coder, &record);
    assert_int_equal(decode(&coder, 2, &out), 0);
    assert_u64(out.reset.n_ranges, 3);
    assert_memory_equal(out.reset.ranges, ranges, sizeof ranges);
    assert_canonical(&coder, &out);
    assert_only_whole(&coder, 2);
    end(&coder);
}

static void other_types(void **state)
{
    static const struct recoup__extent files[] = {{1, 0, 10}, {1, 1, 0}, {4, 0, UINT64_MAX}};
    static const struct recoup__snapshot snapshots[] = {{0, "a", 1}, {RECOUP_SHUFFLE, NULL, 0}};
    struct recoup__record records[5];
    struct coder coder;

    (void)state;
    begin(&coder);
    memset(records, 0, sizeof records);
    records[0].type = RECOUP__RECORD_INCARNATION;
    records[0].incarnation.epoch = 5;
    records[0].incarnation.point_epoch = 4;
    records[0].incarnation.point_sequence = 77;
    records[0].incarnation.files = files;
    records[0].incarnation.n_files = 3;
    records[1].type = RECOUP__RECORD_SNAPSHOT;
    records[1].finished.stage = 1;
    records[1].finished.subtask = 2;
    records[1].finished.attempt = 3;
    records[1].finished.snapshots = snapshots;
    records[1].finished.n_snapshots = 2;
    records[2].type = RECOUP__RECORD_CHECKPOINT_BEGIN;
    records[2].checkpoint_begin.replaces = true;
    records[3].type = RECOUP__RECORD_CHECKPOINT_END;
    records[4].type = RECOUP__RECORD_GAP;
    records[4].gap.from_ns = -5;
    records[4].gap.to_ns = INT64_MAX;
    records[4].gap.error = RECOUP_EIO;
    for (unsigned i = 0; i < 5; i++) {
        struct recoup__record out;

        encode(&coder, &records[i]);
        assert_int_equal(decode(&coder, records[i].type, &out), 0);
        assert_int_equal(out.type, records[i].type);
        assert_canonical(&coder, &out);
        assert_only_whole(&coder, records[i].type);
    }
    end(&coder);
}

// What is not canonical is neither written nor read.
static void not_canonical(void **state)
{
    struct recoup__snapshot snapshots[2] = {{5, "a", 1}, {5, "b", 1}};
    struct recoup__extent files[2] = {{2, 0, 1}, {1, 9, 1}};
    struct recoup__record record = host_finished(0);
    struct recoup__record out;
    struct coder coder;
    size_t size;

    (void)state;
    begin(&coder);
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = 2;
    assert_int_equal(recoup__record_size(&record, &size), RECOUP_EINVAL);
    snapshots[1].coordinator = 6;
    encode(&coder, &record);
    coder.bytes[29 + 4] = 7;  // the first coordinator is now greater than the second
    assert_int_equal(decode(&coder, 1, &out), RECOUP_ECORRUPT);
    coder.bytes[29 + 4] = 5;
    coder.bytes[28] |= 0x80;  // an unknown flag
    assert_int_equal(decode(&coder, 1, &out), RECOUP_ECORRUPT);
    record.type = RECOUP__RECORD_INCARNATION;
    record.incarnation.files = files;
    record.incarnation.n_files = 2;
    assert_int_equal(recoup__record_size(&record, &size), RECOUP_EINVAL);
    assert_int_equal(decode(&coder, 0, &out), RECOUP_EVERSION);
    assert_int_equal(decode(&coder, 10, &out), RECOUP_EVERSION);
    assert_int_equal(decode(&coder, UINT32_MAX, &out), RECOUP_EVERSION);
    end(&coder);
}

static void limits(void **state)
{
    static uint8_t payload[RECOUP_PAYLOAD_MAX + 1];
    struct recoup__snapshot snapshot = {0, payload, UINT32_MAX};
    struct recoup__record record = host_finished(0);
    size_t size;

    (void)state;
    record.finished.payload = payload;
    record.finished.payload_bytes = RECOUP_PAYLOAD_MAX;
    assert_int_equal(recoup__record_size(&record, &size), 0);
    record.finished.payload_bytes = RECOUP_PAYLOAD_MAX + 1;
    assert_int_equal(recoup__record_size(&record, &size), RECOUP_ELIMIT);
    record.finished.payload_bytes = 0;
    record.finished.snapshots = &snapshot;
    record.finished.n_snapshots = 1;
    assert_int_equal(recoup__record_size(&record, &size), RECOUP_ELIMIT);
}

// Random bytes, and encodings with random flips: refused or decoded, and what is decoded is
// canonical.
static void random_bytes(void **state)
{
    struct recoup__snapshot snapshots[2] = {{1, "abcdef", 6}, {RECOUP_SHUFFLE, "x", 1}};
    struct recoup__record record = host_finished(0);
    struct recoup__record out;
    struct coder coder;
    uint64_t seed = 88172645463325252u;
    unsigned accepted = 0;

    (void)state;
    begin(&coder);
    record.finished.snapshots = snapshots;
    record.finished.n_snapshots = 2;
    record.finished.payload = "payload";
    record.finished.payload_bytes = 7;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t type = (uint32_t)(next(&seed) % 10);
        int error;

        if (round % 2 == 0) {
            encode(&coder, &record);
            type = 1;
            coder.bytes[next(&seed) % coder.size] ^= (uint8_t)(1u << next(&seed) % 8);
        } else {
            coder.size = next(&seed) % 64;
            for (size_t i = 0; i < coder.size; i++) {
                coder.bytes[i] = (uint8_t)(next(&seed) % 4 == 0 ? next(&seed) : 0);
            }
        }
        error = decode(&coder, type, &out);
        if (error == 0) {
            accepted++;
            assert_canonical(&coder, &out);
        } else {
            assert_true(error == RECOUP_ECORRUPT || error == RECOUP_EVERSION);
        }
    }
    assert_true(accepted > ROUNDS / 4);
    assert_true(coder.host->largest <= 4096);
    end(&coder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(c4_1_finished), cmocka_unit_test(c4_2_initialized),
    cmocka_unit_test(c4_3_reset),    cmocka_unit_test(other_types),
    cmocka_unit_test(not_canonical), cmocka_unit_test(limits),
    cmocka_unit_test(random_bytes),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_record", tests);
}
