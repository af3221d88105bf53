// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names, headers and framing byte by byte, as docs/disk-format.md has them, and the scanner on
// bytes that come in pieces or at random.
#include "recovery/bytes.h"
#include "support_host.h"

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void names(void **state)
{
    static const struct {
        const char *name;
        enum recoup__name_kind kind;
        uint64_t epoch;
        uint32_t index;
    } rows[] = {
        {"events.0", RECOUP__NAME_PLAIN, 0, 0},
        {"events.12", RECOUP__NAME_PLAIN, 0, 12},
        {"events.999999", RECOUP__NAME_PLAIN, 0, 999999},
        {"events.1000000", RECOUP__NAME_OTHER, 0, 0},
        {"events.007", RECOUP__NAME_OTHER, 0, 0},
        {"events.", RECOUP__NAME_OTHER, 0, 0},
        {"events.-1", RECOUP__NAME_OTHER, 0, 0},
        {"events.1x", RECOUP__NAME_OTHER, 0, 0},
        {"event.1", RECOUP__NAME_OTHER, 0, 0},
        {"", RECOUP__NAME_OTHER, 0, 0},
        {"events.00000000000000ff.000007", RECOUP__NAME_FENCED, 255, 7},
        {"events.ffffffffffffffff.999999", RECOUP__NAME_FENCED, UINT64_MAX, 999999},
        {"events.00000000000000FF.000007", RECOUP__NAME_OTHER, 0, 0},
        {"events.00000000000000ff.00007", RECOUP__NAME_OTHER, 0, 0},
        {"events.00000000000000ff.00000x", RECOUP__NAME_OTHER, 0, 0},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t epoch;
        uint32_t index;
        char name[32];

        assert_int_equal(recoup__file_name_parse(rows[i].name, &epoch, &index), rows[i].kind);
        if (rows[i].kind != RECOUP__NAME_OTHER) {
            assert_u64(epoch, rows[i].epoch);
            assert_u64(index, rows[i].index);
            recoup__file_name(rows[i].kind == RECOUP__NAME_FENCED, epoch, index, name);
            assert_string_equal(name, rows[i].name);
        }
    }
}

// The bytes of a finish in Flink's framing.
static void three_writes_bytes(void **state)
{
    static const uint8_t expected[] = {
        0, 0, 0, 1, 0, 0,    0,    29,              // type, length: big-endian
        1, 0, 0, 0, 2, 1,    0,    0,               // stage 1, subtask 258
        2, 1, 0, 0, 1, 0,    0,    0,               // attempt
        3, 0, 0, 0, 0, 0x90, 0xd0, 3,  0, 0, 0, 0,  // worker, bytes
        1,                                          // flags: partition
    };
    struct recoup__format format = {false, false, 0};
    struct recoup__record record = host_finished(258);
    uint8_t bytes[64];
    size_t size;

    (void)state;
    assert_int_equal(recoup__record_size(&record, &size), 0);
    assert_u64(size, 29);
    recoup__record_encode(&record, bytes + recoup__frame_prefix(&format), size);
    recoup__frame_finish(&format, 1, 77, bytes, size);
    assert_u64(size + recoup__frame_overhead(&format), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

// The fields of header and frame in contiguous framing, and that each bit of them is checked.
static void contiguous_bytes(void **state)
{
    struct recoup__header header = {{1, 2, 3}, 0x1122334455667788, 9};
    struct recoup__header out;
    struct recoup__format format = {true, true, 0};
    struct recoup__format again = {true, true, 0};
    uint8_t bytes[64];
    uint8_t frame[32];

    (void)state;
    recoup__header_encode(&header, &format, bytes);
    assert_memory_equal(bytes, "RECOUP\r\n\1\0\0\0\x40\0\0\0\1\2\3\0", 20);
    assert_memory_equal(bytes + 32, "\x88\x77\x66\x55\x44\x33\x22\x11\x09\0\0\0", 12);
    assert_int_equal(recoup__header_decode(bytes, &again, &out), RECOUP__DAMAGE_NONE);
    assert_u64(out.epoch, header.epoch);
    assert_u64(out.index, 9);
    assert_u64(again.seed, format.seed);
    for (unsigned bit = 0; bit < 512; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(recoup__header_decode(bytes, &again, &out), RECOUP__DAMAGE_NONE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memcpy(frame + 24, "body", 4);
    recoup__frame_finish(&format, 5, 0x0102, frame, 4);
    assert_memory_equal(frame + 8, "\4\0\0\0\5\0\0\0\2\1\0\0\0\0\0\0body", 20);
    format.checksum = false;
    recoup__frame_finish(&format, 5, 0x0102, frame, 4);
    assert_u64(recoup__get64(frame), 0);
}

// A file of `n` finishes in a format.
static size_t make_file(const struct recoup__format *base, uint8_t *bytes, uint32_t n)
{
    struct recoup__format format = *base;
    struct recoup__header header = {{0}, 1, 0};
    size_t at = 0;

    if (format.contiguous) {
        recoup__header_encode(&header, &format, bytes);
        at = RECOUP__HEADER_SIZE;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct recoup__record record = host_finished(i);
        size_t size;

        assert_int_equal(recoup__record_size(&record, &size), 0);
        recoup__record_encode(&record, bytes + at + recoup__frame_prefix(&format), size);
        recoup__frame_finish(&format, 1, i + 1, bytes + at, size);
        at += size + recoup__frame_overhead(&format);
    }
    return at;
}

// However the bytes come in pieces, the same records come out.
static void pieces(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    struct recoup__scanner scanner;
    uint8_t bytes[4096];

    (void)state;
    recoup__scanner_init(&scanner, &host->memory);
    for (unsigned form = 0; form < 4; form++) {
        struct recoup__format format = {form % 2 == 1, form / 2 == 1, 0};
        size_t size = make_file(&format, bytes, 20);

        for (size_t piece = 1; piece <= size; piece += piece < 60 ? 1 : 97) {
            struct recoup__frame frame;
            size_t at = 0;
            uint32_t n = 0;
            enum recoup__scan scan;

            recoup__scanner_begin(&scanner, &format);
            while ((scan = recoup__scanner_next(&scanner, at == size, &frame))
                   != RECOUP__SCAN_END) {
                if (scan == RECOUP__SCAN_MORE) {
                    size_t more = size - at < piece ? size - at : piece;

                    assert_true(more > 0);
                    assert_int_equal(recoup__scanner_feed(&scanner, bytes + at, more), 0);
                    at += more;
                    continue;
                }
                assert_int_equal(scan, RECOUP__SCAN_RECORD);
                assert_u64(frame.type, 1);
                assert_u64(recoup__get32(frame.body + 4), n);
                n++;
            }
            assert_u64(n, 20);
            assert_u64(recoup__scanner_offset(&scanner), size);
        }
    }
    recoup__scanner_release(&scanner);
    host_destroy(host);
}

// What is guessed of later records of equal length is true, and lies in the same piece; a body that
// is said to be readable whole is so. Returns true if the next one was told.
static bool check_guesses(const struct recoup__scanner *scanner, const struct recoup__frame *frame,
                          uint32_t n)
{
    size_t left = scanner->used - scanner->at;
    size_t length = (size_t)(frame->end - frame->offset);

    for (uint32_t ahead = 1; ahead <= 20; ahead++) {
        const uint8_t *body = recoup__scanner_guess(scanner, frame, ahead, frame->size);

        assert_true((body != NULL) == (left >= ahead * length + frame->size));
        if (body != NULL && n + ahead < 20) {
            assert_u64(recoup__get32(body + 4), n + ahead);
        }
    }
    return recoup__scanner_guess(scanner, frame, 1, 8) != NULL;
}

// What was fed may go when the scanner asks for more, and after keep(), wherever it stands. A
// record that one feed holds whole is not copied.
static void fed_bytes_go(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    struct recoup__format format = {true, true, 0};
    struct recoup__scanner scanner;
    uint8_t bytes[4096], fed[4096];
    size_t size = make_file(&format, bytes, 20);

    (void)state;
    recoup__scanner_init(&scanner, &host->memory);
    for (size_t piece = 1; piece <= size; piece++) {
        for (unsigned kept = 0; kept < 3; kept++) {
            struct recoup__frame frame;
            size_t at = 0, more = 0;
            uint32_t n = 0, copied = 0, guessed = 0;
            enum recoup__scan scan;

            recoup__scanner_begin(&scanner, &format);
            while ((scan = recoup__scanner_next(&scanner, at == size, &frame))
                   != RECOUP__SCAN_END) {
                if (scan == RECOUP__SCAN_MORE) {
                    memset(fed, 0xee, sizeof fed);
                    more = size - at < piece ? size - at : piece;
                    memcpy(fed, bytes + at, more);
                    assert_int_equal(recoup__scanner_feed(&scanner, fed, more), 0);
                    at += more;
                    assert_u64(recoup__scanner_fed(&scanner), at);
                    continue;
                }
                assert_int_equal(scan, RECOUP__SCAN_RECORD);
                assert_u64(recoup__get32(frame.body + 4), n);
                copied += frame.body < fed || frame.body >= fed + more ? 1 : 0;
                guessed += check_guesses(&scanner, &frame, n) ? 1 : 0;
                if (kept > 0 && n % kept == kept - 1) {
                    recoup__scanner_again(&scanner, &frame);
                    recoup__scanner_keep(&scanner);
                    memset(fed, 0xee, sizeof fed);
                    assert_u64(recoup__scanner_fed(&scanner), at);
                    assert_int_equal(recoup__scanner_next(&scanner, at == size, &frame),
                                     RECOUP__SCAN_RECORD);
                    assert_u64(recoup__get32(frame.body + 4), n);
                }
                n++;
            }
            assert_u64(n, 20);
            assert_u64(recoup__scanner_offset(&scanner), size);
            assert_true(kept > 0 || copied <= size / piece);
            assert_true(piece < size || guessed >= 18);
        }
    }
    recoup__scanner_release(&scanner);
    host_destroy(host);
}

// Random bytes and random flips: the scanner ends, in order, without reading beyond its bytes and
// without ever holding more than it was given. With checksums no changed record is ever delivered.
static void random_files(void **state)
{
    struct host *host = host_create(RECOUP_PROFILE_HARDENED);
    struct recoup__scanner scanner;
    uint64_t seed = 1234567;
    unsigned damaged = 0;

    (void)state;
    recoup__scanner_init(&scanner, &host->memory);
    for (unsigned round = 0; round < 50000; round++) {
        struct recoup__format format = {round % 2 == 1, round / 2 % 2 == 1, 0};
        uint8_t good[2048];
        uint8_t bytes[2048];
        size_t size = make_file(&format, good, 10);
        uint64_t last = 0;
        struct recoup__frame frame;
        enum recoup__scan scan;

        memcpy(bytes, good, size);
        for (unsigned i = 0; i < 1 + round % 3; i++) {
            bytes[next(&seed) % size] = (uint8_t)next(&seed);
        }
        if (round % 7 == 0) {
            for (size_t i = round % 200; i < size; i++) {
                bytes[i] = (uint8_t)next(&seed);
            }
        }
        recoup__scanner_begin(&scanner, &format);
        assert_int_equal(recoup__scanner_feed(&scanner, bytes, size), 0);
        while ((scan = recoup__scanner_next(&scanner, true, &frame)) == RECOUP__SCAN_RECORD) {
            assert_true(frame.offset >= last && frame.end <= size && frame.end > frame.offset);
            last = frame.end;
            if (format.checksum) {
                assert_memory_equal(bytes + frame.offset, good + frame.offset,
                                    frame.end - frame.offset);
            }
        }
        assert_true(scan == RECOUP__SCAN_END || scan == RECOUP__SCAN_DAMAGED);
        damaged += scan == RECOUP__SCAN_DAMAGED ? 1 : 0;
    }
    assert_true(damaged > 20000);
    assert_true(host->largest <= 4096);
    recoup__scanner_release(&scanner);
    host_destroy(host);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names),
    cmocka_unit_test(three_writes_bytes),
    cmocka_unit_test(contiguous_bytes),
    cmocka_unit_test(pieces),
    cmocka_unit_test(fed_bytes_go),
    cmocka_unit_test(random_files),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_format", tests);
}
