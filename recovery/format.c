// SPDX-License-Identifier: Apache-2.0
#include "recovery/format.h"

#include <string.h>
#include <xxhash.h>

#include "recovery/bytes.h"

enum { FLINK_PREFIX = 8, FLINK_CHECKSUM = 8, CONTIGUOUS_PREFIX = 24 };

static const uint8_t magic[8] = {'R', 'E', 'C', 'O', 'U', 'P', 0x0d, 0x0a};

void recoup__format_init(struct recoup__format *format, const struct recoup_options *options)
{
    RECOUP_ASSERT(format != NULL);
    RECOUP_ASSERT(options != NULL);
    format->contiguous = options->policy[RECOUP_POLICY_FRAMING] != 0;
    format->checksum = options->policy[RECOUP_POLICY_CHECKSUM] != 0;
    format->seed = 0;
}

size_t recoup__frame_prefix(const struct recoup__format *format)
{
    RECOUP_ASSERT(format != NULL);
    return format->contiguous ? CONTIGUOUS_PREFIX : FLINK_PREFIX;
}

size_t recoup__frame_overhead(const struct recoup__format *format)
{
    RECOUP_ASSERT(format != NULL);
    if (format->contiguous) {
        return CONTIGUOUS_PREFIX;
    }
    return FLINK_PREFIX + (format->checksum ? (size_t)FLINK_CHECKSUM : 0);
}

// Three-writes framing: type, length and body as Flink has them; with checksums the length covers
// eight more bytes behind the body.
static void finish_flink(const struct recoup__format *format, uint32_t type, uint8_t *bytes,
                         size_t body)
{
    size_t size = body + (format->checksum ? (size_t)FLINK_CHECKSUM : 0);

    RECOUP_ASSERT(!format->contiguous);
    RECOUP_ASSERT(size <= INT32_MAX);
    recoup__put32be(bytes, type);
    recoup__put32be(bytes + 4, (uint32_t)size);
    if (format->checksum) {
        recoup__put64(bytes + FLINK_PREFIX + body,
                      XXH3_64bits_withSeed(bytes, FLINK_PREFIX + body, format->seed));
    }
}

void recoup__frame_seal(const struct recoup__format *format, uint8_t *bytes, size_t size)
{
    RECOUP_ASSERT(format->contiguous);
    RECOUP_ASSERT(size >= CONTIGUOUS_PREFIX);
    recoup__put64(bytes,
                  format->checksum ? XXH3_64bits_withSeed(bytes + 8, size - 8, format->seed) : 0);
}

void recoup__frame_begin(const struct recoup__format *format, uint32_t type, uint64_t sequence,
                         uint8_t *bytes, size_t body)
{
    RECOUP_ASSERT(type > 0);
    RECOUP_ASSERT(body <= RECOUP_EVENT_SIZE_MAX);
    if (!format->contiguous) {
        finish_flink(format, type, bytes, body);
        return;
    }
    recoup__put32(bytes + 8, (uint32_t)body);
    recoup__put32(bytes + 12, type);
    recoup__put64(bytes + 16, sequence);
}

void recoup__frame_finish(const struct recoup__format *format, uint32_t type, uint64_t sequence,
                          uint8_t *bytes, size_t body)
{
    RECOUP_ASSERT(bytes != NULL);
    recoup__frame_begin(format, type, sequence, bytes, body);
    if (format->contiguous) {
        recoup__frame_seal(format, bytes, CONTIGUOUS_PREFIX + body);
    }
}

// ---------------------------------------------------------------------------------------------
// Header: magic 8, version 4, size 4, digest 16, epoch 8, index 4, zero 12, checksum 8.

void recoup__header_encode(const struct recoup__header *header, struct recoup__format *format,
                           uint8_t bytes[RECOUP__HEADER_SIZE])
{
    RECOUP_ASSERT(format->contiguous);
    RECOUP_ASSERT(header->index <= RECOUP__FILE_INDEX_MAX);
    memset(bytes, 0, RECOUP__HEADER_SIZE);
    memcpy(bytes, magic, sizeof magic);
    recoup__put32(bytes + 8, RECOUP__FORMAT_VERSION);
    recoup__put32(bytes + 12, RECOUP__HEADER_SIZE);
    memcpy(bytes + 16, header->digest, 16);
    recoup__put64(bytes + 32, header->epoch);
    recoup__put32(bytes + 40, header->index);
    if (format->checksum) {
        recoup__put64(bytes + 56, XXH3_64bits(bytes, 56));
    }
    format->seed = recoup__get64(bytes + 56);
}

enum recoup__damage_kind recoup__header_decode(const uint8_t bytes[RECOUP__HEADER_SIZE],
                                               struct recoup__format *format,
                                               struct recoup__header *header)
{
    static const uint8_t zero[12];
    uint64_t checksum = recoup__get64(bytes + 56);

    RECOUP_ASSERT(format->contiguous);
    memset(header, 0, sizeof *header);
    if (memcmp(bytes, magic, sizeof magic) != 0) {
        return RECOUP__DAMAGE_HEADER;
    }
    // A header of another version may have its checksum elsewhere, so the version is looked at
    // first.
    if (recoup__get32(bytes + 8) != RECOUP__FORMAT_VERSION) {
        return RECOUP__DAMAGE_VERSION;
    }
    if (format->checksum && checksum != XXH3_64bits(bytes, 56)) {
        return RECOUP__DAMAGE_HEADER;
    }
    if (recoup__get32(bytes + 12) != RECOUP__HEADER_SIZE
        || memcmp(bytes + 44, zero, sizeof zero) != 0) {
        return RECOUP__DAMAGE_HEADER;
    }
    memcpy(header->digest, bytes + 16, 16);
    header->epoch = recoup__get64(bytes + 32);
    header->index = recoup__get32(bytes + 40);
    format->seed = checksum;
    RECOUP_ASSERT(RECOUP_ERGO(!format->checksum, format->seed == checksum));
    return RECOUP__DAMAGE_NONE;
}

// ---------------------------------------------------------------------------------------------
// Names

static char *put_hexadecimal(char *to, uint64_t value, unsigned digits)
{
    static const char alphabet[] = "0123456789abcdef";

    RECOUP_ASSERT(digits <= 16);
    for (unsigned i = digits; i > 0; i--) {
        *to++ = alphabet[value >> (4 * (i - 1)) & 15];
    }
    return to;
}

// Decimal, with at least `digits` digits.
static char *put_decimal(char *to, uint32_t value, unsigned digits)
{
    char reversed[10];
    unsigned n = 0;

    RECOUP_ASSERT(digits >= 1 && digits <= sizeof reversed);
    while (value > 0 || n < digits) {
        RECOUP_ASSERT(n < sizeof reversed);
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (n > 0) {
        *to++ = reversed[--n];
    }
    return to;
}

void recoup__file_name(bool fencing, uint64_t epoch, uint32_t index, char name[32])
{
    char *to = name + 7;

    RECOUP_ASSERT(index <= RECOUP__FILE_INDEX_MAX);
    memcpy(name, "events.", 7);
    if (fencing) {
        to = put_hexadecimal(to, epoch, 16);
        *to++ = '.';
    }
    to = put_decimal(to, index, fencing ? 6 : 1);
    *to = '\0';
    RECOUP_ASSERT(to - name < 32);
}

static int hexadecimal_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// All of `text` as a number without sign; false if it is none, or greater than an index may be.
static bool parse_decimal(const char *text, uint32_t *value)
{
    RECOUP_ASSERT(text != NULL);
    *value = 0;
    if (text[0] == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || *value > RECOUP__FILE_INDEX_MAX) {
            return false;
        }
        *value = *value * 10 + (uint32_t)(*text - '0');
    }
    return *value <= RECOUP__FILE_INDEX_MAX;
}

enum recoup__name_kind recoup__file_name_parse(const char *name, uint64_t *epoch, uint32_t *index)
{
    enum recoup__name_kind kind = RECOUP__NAME_PLAIN;
    char again[32];

    RECOUP_ASSERT(name != NULL);
    *epoch = 0;
    *index = 0;
    if (strncmp(name, "events.", 7) != 0) {
        return RECOUP__NAME_OTHER;
    }
    name += 7;
    if (strlen(name) == 23 && name[16] == '.') {
        kind = RECOUP__NAME_FENCED;
        for (unsigned i = 0; i < 16; i++) {
            int digit = hexadecimal_digit(name[i]);

            if (digit < 0) {
                return RECOUP__NAME_OTHER;
            }
            *epoch = *epoch << 4 | (uint64_t)digit;
        }
        name += 17;
    }
    if (!parse_decimal(name, index)) {
        return RECOUP__NAME_OTHER;
    }
    // "events.007" is not a name that this library writes; it must not be taken for "events.7".
    recoup__file_name(kind == RECOUP__NAME_FENCED, *epoch, *index, again);
    RECOUP_ASSERT(strlen(again) < sizeof again);
    return strcmp(again + (kind == RECOUP__NAME_FENCED ? 24 : 7), name) == 0 ? kind
                                                                             : RECOUP__NAME_OTHER;
}

// ---------------------------------------------------------------------------------------------
// Scanner

void recoup__scanner_init(struct recoup__scanner *scanner, struct recoup__memory *memory)
{
    RECOUP_ASSERT(memory != NULL);
    memset(scanner, 0, sizeof *scanner);
    scanner->memory = memory;
}

void recoup__scanner_release(struct recoup__scanner *scanner)
{
    RECOUP_ASSERT((scanner->own == NULL) == (scanner->capacity == 0));
    if (scanner->memory != NULL) {
        recoup__release(scanner->memory, scanner->own, scanner->capacity);
    }
    memset(scanner, 0, sizeof *scanner);
}

void recoup__scanner_begin(struct recoup__scanner *scanner, const struct recoup__format *format)
{
    RECOUP_ASSERT(scanner->memory != NULL);
    scanner->format = *format;
    scanner->bytes = scanner->own;
    scanner->used = 0;
    scanner->rest_size = 0;
    scanner->at = 0;
    scanner->offset = 0;
    scanner->header_done = !format->contiguous;
    scanner->damage = RECOUP__DAMAGE_NONE;
    RECOUP_ASSERT(recoup__scanner_offset(scanner) == 0);
}

uint64_t recoup__scanner_offset(const struct recoup__scanner *scanner)
{
    RECOUP_ASSERT(scanner->at <= scanner->used);
    return scanner->offset + scanner->at;
}

uint64_t recoup__scanner_fed(const struct recoup__scanner *scanner)
{
    RECOUP_ASSERT(scanner->at <= scanner->used);
    return scanner->offset + scanner->used + scanner->rest_size;
}

void recoup__scanner_again(struct recoup__scanner *scanner, const struct recoup__frame *frame)
{
    RECOUP_ASSERT(frame->offset >= scanner->offset);
    RECOUP_ASSERT(frame->end == recoup__scanner_offset(scanner));
    scanner->at = (size_t)(frame->offset - scanner->offset);
}

// Makes bytes[0] the next byte to look at, in memory of the scanner's own.
static void move_to_front(struct recoup__scanner *scanner)
{
    size_t left = scanner->used - scanner->at;

    RECOUP_ASSERT(left <= scanner->capacity);
    if (left > 0 && (scanner->at > 0 || scanner->bytes != scanner->own)) {
        memmove(scanner->own, scanner->bytes + scanner->at, left);
    }
    scanner->bytes = scanner->own;
    scanner->offset += scanner->at;
    scanner->at = 0;
    scanner->used = left;
    RECOUP_ASSERT(scanner->used <= scanner->capacity);
}

void recoup__scanner_keep(struct recoup__scanner *scanner)
{
    RECOUP_ASSERT(RECOUP_ERGO(scanner->rest_size > 0, scanner->bytes == scanner->own));
    move_to_front(scanner);
    if (scanner->rest_size > 0) {
        RECOUP_ASSERT(scanner->rest_size <= scanner->capacity - scanner->used);
        memcpy(scanner->own + scanner->used, scanner->rest, scanner->rest_size);
        scanner->used += scanner->rest_size;
        scanner->rest_size = 0;
    }
}

// Makes room for `need` bytes of the scanner's own. Of what is there only the bytes that are left
// are copied: most of this memory is never touched, so that the system need not even provide it.
static int make_room(struct recoup__scanner *scanner, size_t need)
{
    // A quarter more, since the next feed comes while a part of a record is left.
    size_t capacity = need / 4 > UINT32_MAX - need ? UINT32_MAX : need + need / 4;
    uint8_t *own;

    RECOUP_ASSERT(scanner->bytes == scanner->own && scanner->at == 0);
    if (need <= scanner->capacity) {
        return 0;
    }
    own = recoup__allocate(scanner->memory, capacity);
    if (own == NULL) {
        return RECOUP_ENOMEM;
    }
    if (scanner->used > 0) {
        memcpy(own, scanner->own, scanner->used);
    }
    recoup__release(scanner->memory, scanner->own, scanner->capacity);
    scanner->own = own;
    scanner->bytes = own;
    scanner->capacity = (uint32_t)capacity;
    RECOUP_ASSERT(scanner->used <= scanner->capacity);
    return 0;
}

int recoup__scanner_feed(struct recoup__scanner *scanner, const void *data, size_t size)
{
    size_t left;
    int error;

    recoup__scanner_keep(scanner);
    left = scanner->used;
    if (size > UINT32_MAX / 2 || left > UINT32_MAX / 2) {
        return RECOUP_ELIMIT;
    }
    // A flip of a length must not make the scanner hoard: an unfinished record is never longer than
    // this.
    RECOUP_ASSERT(left <= RECOUP_EVENT_SIZE_MAX + 64u || size == 0);
    error = make_room(scanner, left + size);
    if (error != 0) {
        return error;
    }
    scanner->rest = data;
    scanner->rest_size = size;
    RECOUP_ASSERT(recoup__scanner_fed(scanner) == scanner->offset + left + size);
    return 0;
}

// Sees to it that `need` bytes stand at scanner->at, as far as they were fed. Returns how many do.
static size_t gather(struct recoup__scanner *scanner, size_t need)
{
    size_t left = scanner->used - scanner->at;
    size_t n;

    if (left >= need || scanner->rest_size == 0) {
        return left;
    }
    RECOUP_ASSERT(scanner->bytes == scanner->own);
    if (left == 0) {  // a record begins: from here on where it is
        scanner->offset += scanner->at;
        scanner->at = 0;
        scanner->bytes = scanner->rest;
        scanner->used = scanner->rest_size;
        scanner->rest_size = 0;
        return scanner->used;
    }
    n = need - left < scanner->rest_size ? need - left : scanner->rest_size;
    RECOUP_ASSERT(n <= scanner->capacity - scanner->used);
    memcpy(scanner->own + scanner->used, scanner->rest, n);
    scanner->used += n;
    scanner->rest += n;
    scanner->rest_size -= n;
    return left + n;
}

const uint8_t *recoup__scanner_guess(const struct recoup__scanner *scanner,
                                     const struct recoup__frame *frame, uint32_t n, size_t size)
{
    uint64_t step = frame->end - frame->offset;
    uint64_t ahead = n * step;
    size_t left = scanner->used - scanner->at;

    RECOUP_ASSERT(scanner->at <= scanner->used);
    RECOUP_ASSERT(frame->end == recoup__scanner_offset(scanner));
    return left >= ahead && left - ahead >= size ? frame->body + ahead : NULL;
}

static enum recoup__scan damaged(struct recoup__scanner *scanner, enum recoup__damage_kind kind)
{
    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    scanner->damage = kind;
    return RECOUP__SCAN_DAMAGED;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    RECOUP_ASSERT(bytes != NULL);
    RECOUP_ASSERT(size > 0);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

// The file ends (if `ended`) before what stands at scanner->at is complete.
static enum recoup__scan incomplete(struct recoup__scanner *scanner, bool ended)
{
    size_t left = scanner->used - scanner->at;

    RECOUP_ASSERT(scanner->rest_size == 0);
    if (!ended) {
        recoup__scanner_keep(scanner);
        return RECOUP__SCAN_MORE;
    }
    if (left == 0) {
        return RECOUP__SCAN_END;
    }
    RECOUP_ASSERT(left > 0);
    return damaged(scanner,
                   scanner->format.contiguous && all_zero(scanner->bytes + scanner->at, left)
                       ? RECOUP__DAMAGE_ZEROED
                       : RECOUP__DAMAGE_TORN);
}

static enum recoup__scan next_flink(struct recoup__scanner *scanner, bool ended,
                                    struct recoup__frame *frame)
{
    const uint8_t *bytes;
    size_t trailer = scanner->format.checksum ? (size_t)FLINK_CHECKSUM : 0;
    uint32_t size;

    if (gather(scanner, FLINK_PREFIX) < FLINK_PREFIX) {
        return incomplete(scanner, ended);
    }
    size = recoup__get32be(scanner->bytes + scanner->at + 4);
    if (size > INT32_MAX) {
        return damaged(scanner, RECOUP__DAMAGE_LENGTH);  // Flink: NegativeArraySizeException
    }
    if (size > RECOUP_EVENT_SIZE_MAX + trailer) {
        // Flink allocates the length and then meets the end of the file: the rest of the file is
        // ignored.
        return damaged(scanner, RECOUP__DAMAGE_TORN);
    }
    if (gather(scanner, (size_t)FLINK_PREFIX + size) - FLINK_PREFIX < size) {
        return incomplete(scanner, ended);
    }
    if (size < trailer) {
        return damaged(scanner, RECOUP__DAMAGE_CHECKSUM);
    }
    bytes = scanner->bytes + scanner->at;
    frame->type = recoup__get32be(bytes);
    frame->sequence = 0;
    frame->body = bytes + FLINK_PREFIX;
    frame->size = size - trailer;
    if (trailer > 0
        && XXH3_64bits_withSeed(bytes, FLINK_PREFIX + frame->size, scanner->format.seed)
               != recoup__get64(frame->body + frame->size)) {
        return damaged(scanner, RECOUP__DAMAGE_CHECKSUM);
    }
    scanner->at += FLINK_PREFIX + size;
    RECOUP_ASSERT(scanner->at <= scanner->used);
    return RECOUP__SCAN_RECORD;
}

static enum recoup__scan next_contiguous(struct recoup__scanner *scanner, bool ended,
                                         struct recoup__frame *frame)
{
    const uint8_t *bytes;
    uint32_t size;

    if (gather(scanner, CONTIGUOUS_PREFIX) < CONTIGUOUS_PREFIX) {
        return incomplete(scanner, ended);
    }
    bytes = scanner->bytes + scanner->at;
    if (all_zero(bytes, CONTIGUOUS_PREFIX)) {
        return damaged(scanner, RECOUP__DAMAGE_ZEROED);
    }
    size = recoup__get32(bytes + 8);
    if (size > RECOUP_EVENT_SIZE_MAX) {
        return damaged(scanner, RECOUP__DAMAGE_LENGTH);
    }
    if (gather(scanner, (size_t)CONTIGUOUS_PREFIX + size) - CONTIGUOUS_PREFIX < size) {
        return incomplete(scanner, ended);
    }
    bytes = scanner->bytes + scanner->at;  // they may have been put together elsewhere
    if (scanner->format.checksum
        && XXH3_64bits_withSeed(bytes + 8, CONTIGUOUS_PREFIX - 8 + size, scanner->format.seed)
               != recoup__get64(bytes)) {
        return damaged(scanner, RECOUP__DAMAGE_CHECKSUM);
    }
    frame->type = recoup__get32(bytes + 12);
    frame->sequence = recoup__get64(bytes + 16);
    frame->body = bytes + CONTIGUOUS_PREFIX;
    frame->size = size;
    scanner->at += CONTIGUOUS_PREFIX + size;
    RECOUP_ASSERT(scanner->at <= scanner->used);
    return RECOUP__SCAN_RECORD;
}

// Reads the file header first. RECORD here means: done.
static enum recoup__scan next_header(struct recoup__scanner *scanner, bool ended)
{
    enum recoup__damage_kind kind;

    RECOUP_ASSERT(!scanner->header_done);
    if (gather(scanner, RECOUP__HEADER_SIZE) < RECOUP__HEADER_SIZE) {
        if (ended && scanner->used == scanner->at) {
            return damaged(scanner, RECOUP__DAMAGE_EMPTY);
        }
        return incomplete(scanner, ended);
    }
    kind = recoup__header_decode(scanner->bytes + scanner->at, &scanner->format, &scanner->header);
    if (kind != RECOUP__DAMAGE_NONE) {
        return damaged(scanner, kind);
    }
    scanner->at += RECOUP__HEADER_SIZE;
    scanner->header_done = true;
    RECOUP_ASSERT(scanner->at <= scanner->used);
    return RECOUP__SCAN_RECORD;
}

enum recoup__scan recoup__scanner_next(struct recoup__scanner *scanner, bool ended,
                                       struct recoup__frame *frame)
{
    uint64_t offset;
    enum recoup__scan scan;

    RECOUP_ASSERT(scanner->at <= scanner->used);
    if (scanner->damage != RECOUP__DAMAGE_NONE) {
        return RECOUP__SCAN_DAMAGED;
    }
    if (!scanner->header_done) {
        scan = next_header(scanner, ended);
        if (scan != RECOUP__SCAN_RECORD) {
            return scan;
        }
    }
    offset = recoup__scanner_offset(scanner);
    scan = scanner->format.contiguous ? next_contiguous(scanner, ended, frame)
                                      : next_flink(scanner, ended, frame);
    if (scan == RECOUP__SCAN_RECORD) {
        frame->offset = offset;
        frame->end = recoup__scanner_offset(scanner);
        RECOUP_ASSERT(frame->end > frame->offset);
    }
    return scan;
}
