// SPDX-License-Identifier: GPL-3.0-or-later
//
// The scanner over the bytes of a file. Input: bit 0 contiguous framing, bit 1 checksums, other
// bits the size of the pieces; then the file. However the bytes arrive in pieces, the same records
// come at the same places, and the same damage ends them.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "recovery/format.h"

#define RECORDS_MAX 512u

struct seen {
    uint64_t type; // as wide as its neighbours: records are compared as bytes
    uint64_t sequence;
    uint64_t offset;
    uint64_t end;
};

struct scan {
    struct seen records[RECORDS_MAX];
    uint32_t n;
    enum recoup__scan last;
    enum recoup__damage_kind damage;
    uint64_t offset;
};

static void note(struct scan *scan, const struct recoup__frame *frame, const uint8_t *bytes,
                 size_t size)
{
    FUZZ_REQUIRE(frame->offset < frame->end);
    FUZZ_REQUIRE(frame->end <= size);
    FUZZ_REQUIRE(scan->n == 0 || scan->records[scan->n - 1].end == frame->offset);
    FUZZ_REQUIRE(frame->size <= RECOUP_EVENT_SIZE_MAX);
    // The body is what stands in the file.
    FUZZ_REQUIRE(frame->size == 0 ||
                 memcmp(frame->body, bytes + frame->end - frame->size, frame->size) == 0 ||
                 memcmp(frame->body, bytes + frame->offset + 8, frame->size) == 0);
    scan->records[scan->n++] =
        (struct seen){frame->type, frame->sequence, frame->offset, frame->end};
}

static void scan_all(struct scan *scan, struct recoup__format format, const uint8_t *bytes,
                     size_t size, size_t piece)
{
    struct fuzz_memory counted = {.limit = 4 * size + 65536};
    struct recoup_allocator allocator = fuzz_allocator(&counted);
    struct recoup__memory memory;
    struct recoup__scanner scanner;
    struct recoup__frame frame;
    size_t fed = 0;

    scan->n = 0;
    recoup__memory_init(&memory, &allocator);
    recoup__scanner_init(&scanner, &memory);
    recoup__scanner_begin(&scanner, &format);
    scan->last = RECOUP__SCAN_MORE;
    while (scan->last == RECOUP__SCAN_MORE ||
           (scan->last == RECOUP__SCAN_RECORD && scan->n < RECORDS_MAX)) {
        scan->last = recoup__scanner_next(&scanner, fed == size, &frame);
        if (scan->last == RECOUP__SCAN_RECORD) {
            note(scan, &frame, bytes, size);
        } else if (scan->last == RECOUP__SCAN_MORE) {
            size_t n = size - fed < piece ? size - fed : piece;

            FUZZ_REQUIRE(fed < size);
            FUZZ_REQUIRE(recoup__scanner_feed(&scanner, bytes + fed, n) == 0);
            fed += n;
        }
    }
    scan->damage = scanner.damage;
    scan->offset = recoup__scanner_offset(&scanner);
    FUZZ_REQUIRE((scan->last == RECOUP__SCAN_DAMAGED) == (scan->damage != RECOUP__DAMAGE_NONE));
    FUZZ_REQUIRE(scan->last != RECOUP__SCAN_END || scan->offset == size);
    // Damage sticks.
    FUZZ_REQUIRE(scan->last != RECOUP__SCAN_DAMAGED ||
                 recoup__scanner_next(&scanner, true, &frame) == RECOUP__SCAN_DAMAGED);
    recoup__scanner_release(&scanner);
    FUZZ_REQUIRE(counted.live == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recoup__format format = {.contiguous = false};
    struct scan *whole = malloc(sizeof *whole), *pieces = malloc(sizeof *pieces);
    size_t piece;

    FUZZ_REQUIRE(whole != NULL && pieces != NULL);
    if (size > 0) {
        format.contiguous = (data[0] & 1) != 0;
        format.checksum = (data[0] & 2) != 0;
        piece = 1 + (size_t)(data[0] >> 2);
        scan_all(whole, format, data + 1, size - 1, size);
        scan_all(pieces, format, data + 1, size - 1, piece);
        FUZZ_REQUIRE(whole->n == pieces->n);
        FUZZ_REQUIRE(memcmp(whole->records, pieces->records, whole->n * sizeof(struct seen)) == 0);
        FUZZ_REQUIRE(whole->last == pieces->last);
        FUZZ_REQUIRE(whole->damage == pieces->damage);
        FUZZ_REQUIRE(whole->offset == pieces->offset);
    }
    free(whole);
    free(pieces);
    return 0;
}
