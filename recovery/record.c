// SPDX-License-Identifier: Apache-2.0
//
// Bodies of records. Every number is little-endian. The encoder writes fields in order; the decoder
// reads them through a cursor that remembers when it ran out of bytes, and refuses whatever the
// encoder would not have written.
#include "recovery/record.h"

#include <string.h>

#include "recovery/bytes.h"

enum {
    FINISHED_SIZE = 29,  // stage, subtask, attempt, worker, bytes, flags
    SNAPSHOT_SIZE = 16,  // stage, subtask, attempt
    RANGE_SIZE = 12,
    EXTENT_SIZE = 20,
};

#define FLAG_PARTITION 1u
#define FLAG_PAYLOAD 2u
#define FLAG_SNAPSHOTS 4u

bool recoup__record_is_recovery_point(const struct recoup__record *record)
{
    bool carries =
        record->type == RECOUP__RECORD_FINISHED || record->type == RECOUP__RECORD_SNAPSHOT;
    uint32_t n = carries ? record->finished.n_snapshots : 0;

    RECOUP_ASSERT(n <= RECOUP__SNAPSHOTS_MAX);
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, record->finished.snapshots != NULL));
    return n > 0 && record->finished.snapshots[n - 1].coordinator == RECOUP_SHUFFLE;
}

// ---------------------------------------------------------------------------------------------
// Size, which is also the check of what may be written.

static int snapshots_size(const struct recoup__record *record, size_t *size)
{
    uint64_t total = 4;

    RECOUP_ASSERT(record->finished.n_snapshots > 0);
    if (record->finished.n_snapshots > RECOUP__SNAPSHOTS_MAX) {
        return RECOUP_ELIMIT;
    }
    for (uint32_t i = 0; i < record->finished.n_snapshots; i++) {
        const struct recoup__snapshot *snapshot = &record->finished.snapshots[i];

        RECOUP_ASSERT(RECOUP_ERGO(snapshot->size > 0, snapshot->data != NULL));
        if (i > 0 && snapshot->coordinator <= snapshot[-1].coordinator) {
            return RECOUP_EINVAL;
        }
        total += 8 + (uint64_t)snapshot->size;
        if (total > RECOUP_EVENT_SIZE_MAX) {
            return RECOUP_ELIMIT;
        }
    }
    *size += (size_t)total;
    return 0;
}

static int finished_size(const struct recoup__record *record, size_t *size)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED);
    RECOUP_ASSERT(
        RECOUP_ERGO(record->finished.payload_bytes > 0, record->finished.payload != NULL));
    if (record->finished.payload_bytes > RECOUP_PAYLOAD_MAX) {
        return RECOUP_ELIMIT;
    }
    *size = FINISHED_SIZE;
    if (record->finished.payload_bytes > 0) {
        *size += 4 + (size_t)record->finished.payload_bytes;
    }
    return record->finished.n_snapshots > 0 ? snapshots_size(record, size) : 0;
}

static int reset_size(const struct recoup__record *record, size_t *size)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_RESET);
    if (record->reset.n_ranges > RECOUP__RANGES_MAX) {
        return RECOUP_ELIMIT;
    }
    for (uint32_t i = 0; i < record->reset.n_ranges; i++) {
        if (record->reset.ranges[i].count == 0) {
            return RECOUP_EINVAL;
        }
    }
    *size = 4 + (size_t)record->reset.n_ranges * RANGE_SIZE;
    RECOUP_ASSERT(*size <= RECOUP_EVENT_SIZE_MAX);
    return 0;
}

// True if extent b stands behind a.
static bool extent_after(const struct recoup__extent *a, const struct recoup__extent *b)
{
    return b->epoch > a->epoch || (b->epoch == a->epoch && b->index > a->index);
}

static int incarnation_size(const struct recoup__record *record, size_t *size)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    if (record->incarnation.n_files > RECOUP__FILES_MAX) {
        return RECOUP_ELIMIT;
    }
    for (uint32_t i = 1; i < record->incarnation.n_files; i++) {
        if (!extent_after(&record->incarnation.files[i - 1], &record->incarnation.files[i])) {
            return RECOUP_EINVAL;
        }
    }
    *size = 28 + (size_t)record->incarnation.n_files * EXTENT_SIZE;
    RECOUP_ASSERT(*size <= RECOUP_EVENT_SIZE_MAX);
    return 0;
}

int recoup__record_size(const struct recoup__record *record, size_t *size)
{
    int error = 0;

    RECOUP_ASSERT(record != NULL && size != NULL);
    *size = 0;
    switch (record->type) {
    case RECOUP__RECORD_FINISHED:
        error = finished_size(record, size);
        break;
    case RECOUP__RECORD_RESET:
        error = reset_size(record, size);
        break;
    case RECOUP__RECORD_INITIALIZED:
        *size = 8;
        error = record->initialized.parallelism > 0 ? 0 : RECOUP_EINVAL;
        break;
    case RECOUP__RECORD_INCARNATION:
        error = incarnation_size(record, size);
        break;
    case RECOUP__RECORD_SNAPSHOT:
        *size = SNAPSHOT_SIZE;
        error = record->finished.n_snapshots > 0 ? snapshots_size(record, size) : RECOUP_EINVAL;
        break;
    case RECOUP__RECORD_CHECKPOINT_BEGIN:
        *size = 1;
        break;
    case RECOUP__RECORD_CHECKPOINT_END:
    case RECOUP__RECORD_ENDED:
        break;
    case RECOUP__RECORD_GAP:
        *size = 20;
        break;
    default:
        return RECOUP_EINVAL;
    }
    return error == 0 && *size > RECOUP_EVENT_SIZE_MAX ? RECOUP_ELIMIT : error;
}

// ---------------------------------------------------------------------------------------------
// Encoding

static uint8_t *put_blob(uint8_t *to, const void *data, uint32_t size)
{
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, data != NULL));
    to = recoup__put32(to, size);
    if (size > 0) {
        memcpy(to, data, size);
    }
    return to + size;
}

static uint8_t *put_snapshots(uint8_t *to, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->finished.n_snapshots > 0);
    to = recoup__put32(to, record->finished.n_snapshots);
    for (uint32_t i = 0; i < record->finished.n_snapshots; i++) {
        const struct recoup__snapshot *snapshot = &record->finished.snapshots[i];

        to = recoup__put32(to, snapshot->coordinator);
        to = put_blob(to, snapshot->data, snapshot->size);
    }
    return to;
}

static uint8_t *put_finished(uint8_t *to, const struct recoup__record *record)
{
    unsigned flags = record->finished.has_partition ? FLAG_PARTITION : 0;

    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED);
    flags |= record->finished.payload_bytes > 0 ? FLAG_PAYLOAD : 0;
    flags |= record->finished.n_snapshots > 0 ? FLAG_SNAPSHOTS : 0;
    to = recoup__put32(to, record->finished.stage);
    to = recoup__put32(to, record->finished.subtask);
    to = recoup__put64(to, record->finished.attempt);
    to = recoup__put32(to, record->finished.worker);
    to = recoup__put64(to, record->finished.bytes);
    *to++ = (uint8_t)flags;
    if (record->finished.payload_bytes > 0) {
        to = put_blob(to, record->finished.payload, record->finished.payload_bytes);
    }
    return record->finished.n_snapshots > 0 ? put_snapshots(to, record) : to;
}

static uint8_t *put_reset(uint8_t *to, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_RESET);
    to = recoup__put32(to, record->reset.n_ranges);
    for (uint32_t i = 0; i < record->reset.n_ranges; i++) {
        to = recoup__put32(to, record->reset.ranges[i].stage);
        to = recoup__put32(to, record->reset.ranges[i].first);
        to = recoup__put32(to, record->reset.ranges[i].count);
    }
    return to;
}

static uint8_t *put_incarnation(uint8_t *to, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    to = recoup__put64(to, record->incarnation.epoch);
    to = recoup__put64(to, record->incarnation.point_epoch);
    to = recoup__put64(to, record->incarnation.point_sequence);
    to = recoup__put32(to, record->incarnation.n_files);
    for (uint32_t i = 0; i < record->incarnation.n_files; i++) {
        to = recoup__put64(to, record->incarnation.files[i].epoch);
        to = recoup__put32(to, record->incarnation.files[i].index);
        to = recoup__put64(to, record->incarnation.files[i].bytes);
    }
    return to;
}

static uint8_t *put_late_snapshot(uint8_t *to, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_SNAPSHOT);
    to = recoup__put32(to, record->finished.stage);
    to = recoup__put32(to, record->finished.subtask);
    to = recoup__put64(to, record->finished.attempt);
    return put_snapshots(to, record);
}

void recoup__record_encode(const struct recoup__record *record, uint8_t *bytes, size_t size)
{
    uint8_t *to = bytes;

    switch (record->type) {
    case RECOUP__RECORD_FINISHED:
        to = put_finished(to, record);
        break;
    case RECOUP__RECORD_RESET:
        to = put_reset(to, record);
        break;
    case RECOUP__RECORD_INITIALIZED:
        to = recoup__put32(to, record->initialized.stage);
        to = recoup__put32(to, record->initialized.parallelism);
        break;
    case RECOUP__RECORD_INCARNATION:
        to = put_incarnation(to, record);
        break;
    case RECOUP__RECORD_SNAPSHOT:
        to = put_late_snapshot(to, record);
        break;
    case RECOUP__RECORD_CHECKPOINT_BEGIN:
        *to++ = record->checkpoint_begin.replaces ? 1 : 0;
        break;
    case RECOUP__RECORD_CHECKPOINT_END:
    case RECOUP__RECORD_ENDED:
        break;
    case RECOUP__RECORD_GAP:
        to = recoup__put64(to, (uint64_t)record->gap.from_ns);
        to = recoup__put64(to, (uint64_t)record->gap.to_ns);
        to = recoup__put32(to, (uint32_t)record->gap.error);
        break;
    default:
        RECOUP_ASSERT(false);
        break;
    }
    RECOUP_ASSERT((size_t)(to - bytes) == size);
    (void)size;
}

// ---------------------------------------------------------------------------------------------
// Decoding

struct cursor {
    const uint8_t *at;
    size_t left;
    bool ended;  // something was read beyond the end
};

static const uint8_t *take(struct cursor *cursor, size_t size)
{
    const uint8_t *at = cursor->at;

    if (cursor->ended || size > cursor->left) {
        cursor->ended = true;
        return NULL;
    }
    cursor->at += size;
    cursor->left -= size;
    RECOUP_ASSERT(at != NULL || size == 0);
    return at;
}

static uint8_t take8(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 1);

    RECOUP_ASSERT((at == NULL) == cursor->ended);
    return at == NULL ? 0 : at[0];
}

static uint32_t take32(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 4);

    RECOUP_ASSERT((at == NULL) == cursor->ended);
    return at == NULL ? 0 : recoup__get32(at);
}

static uint64_t take64(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 8);

    RECOUP_ASSERT((at == NULL) == cursor->ended);
    return at == NULL ? 0 : recoup__get64(at);
}

void recoup__decoder_init(struct recoup__decoder *decoder, struct recoup__memory *memory)
{
    RECOUP_ASSERT(memory != NULL);
    memset(decoder, 0, sizeof *decoder);
    decoder->memory = memory;
}

void recoup__decoder_release(struct recoup__decoder *decoder)
{
    RECOUP_ASSERT(RECOUP_ERGO(decoder->capacity > 0, decoder->items != NULL));
    if (decoder->memory != NULL) {
        recoup__release(decoder->memory, decoder->items, decoder->capacity);
    }
    memset(decoder, 0, sizeof *decoder);
}

// Room for `n` items of `size` bytes, each of which has at least `encoded` bytes still to be read:
// a count that the bytes cannot hold is damage, found before anything is allocated for it.
static int make_room(struct recoup__decoder *decoder, struct cursor *cursor, uint32_t n,
                     size_t size, size_t encoded)
{
    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(encoded > 0);
    if (n > cursor->left / encoded) {
        cursor->ended = true;
    }
    if (cursor->ended) {
        return RECOUP_ECORRUPT;
    }
    if (n > UINT32_MAX / size) {
        return RECOUP_ECORRUPT;
    }
    return recoup__grow(decoder->memory, &decoder->items, &decoder->capacity, 1,
                        n * (uint32_t)size);
}

static int take_snapshots(struct recoup__decoder *decoder, struct cursor *cursor,
                          struct recoup__record *record)
{
    uint32_t n = take32(cursor);
    struct recoup__snapshot *snapshots;
    int error;

    if (cursor->ended || n == 0 || n > RECOUP__SNAPSHOTS_MAX) {
        return RECOUP_ECORRUPT;
    }
    error = make_room(decoder, cursor, n, sizeof snapshots[0], 8);
    if (error != 0) {
        return error;
    }
    snapshots = decoder->items;
    for (uint32_t i = 0; i < n; i++) {
        snapshots[i].coordinator = take32(cursor);
        snapshots[i].size = take32(cursor);
        snapshots[i].data = take(cursor, snapshots[i].size);
        if (cursor->ended || (i > 0 && snapshots[i].coordinator <= snapshots[i - 1].coordinator)) {
            return RECOUP_ECORRUPT;
        }
    }
    RECOUP_ASSERT(record->finished.snapshots == NULL);
    record->finished.snapshots = snapshots;
    record->finished.n_snapshots = n;
    return 0;
}

static int take_finished(struct recoup__decoder *decoder, struct cursor *cursor,
                         struct recoup__record *record)
{
    const uint8_t *fields = take(cursor, FINISHED_SIZE);
    unsigned flags;

    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED);
    if (fields == NULL) {
        return RECOUP_ECORRUPT;
    }
    record->finished.stage = recoup__get32(fields);
    record->finished.subtask = recoup__get32(fields + 4);
    record->finished.attempt = recoup__get64(fields + 8);
    record->finished.worker = recoup__get32(fields + 16);
    record->finished.bytes = recoup__get64(fields + 20);
    flags = fields[28];
    if ((flags & ~(FLAG_PARTITION | FLAG_PAYLOAD | FLAG_SNAPSHOTS)) != 0) {
        return RECOUP_ECORRUPT;
    }
    record->finished.has_partition = (flags & FLAG_PARTITION) != 0;
    if ((flags & FLAG_PAYLOAD) != 0) {
        record->finished.payload_bytes = take32(cursor);
        if (record->finished.payload_bytes == 0
            || record->finished.payload_bytes > RECOUP_PAYLOAD_MAX) {
            return RECOUP_ECORRUPT;
        }
        record->finished.payload = take(cursor, record->finished.payload_bytes);
    }
    return (flags & FLAG_SNAPSHOTS) != 0 ? take_snapshots(decoder, cursor, record) : 0;
}

static int take_reset(struct recoup__decoder *decoder, struct cursor *cursor,
                      struct recoup__record *record)
{
    uint32_t n = take32(cursor);
    struct recoup_range *ranges;
    int error = n > RECOUP__RANGES_MAX
                    ? RECOUP_ECORRUPT
                    : make_room(decoder, cursor, n, sizeof ranges[0], RANGE_SIZE);

    RECOUP_ASSERT(record->type == RECOUP__RECORD_RESET);
    if (error != 0) {
        return error;
    }
    ranges = decoder->items;
    for (uint32_t i = 0; i < n; i++) {
        ranges[i].stage = take32(cursor);
        ranges[i].first = take32(cursor);
        ranges[i].count = take32(cursor);
        if (ranges[i].count == 0) {
            return RECOUP_ECORRUPT;
        }
    }
    record->reset.ranges = ranges;
    record->reset.n_ranges = n;
    return 0;
}

static int take_incarnation(struct recoup__decoder *decoder, struct cursor *cursor,
                            struct recoup__record *record)
{
    struct recoup__extent *files;
    uint32_t n;
    int error;

    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    record->incarnation.epoch = take64(cursor);
    record->incarnation.point_epoch = take64(cursor);
    record->incarnation.point_sequence = take64(cursor);
    n = take32(cursor);
    error = n > RECOUP__FILES_MAX ? RECOUP_ECORRUPT
                                  : make_room(decoder, cursor, n, sizeof files[0], EXTENT_SIZE);
    if (error != 0) {
        return error;
    }
    files = decoder->items;
    for (uint32_t i = 0; i < n; i++) {
        files[i].epoch = take64(cursor);
        files[i].index = take32(cursor);
        files[i].bytes = take64(cursor);
        if (i > 0 && !extent_after(&files[i - 1], &files[i])) {
            return RECOUP_ECORRUPT;
        }
    }
    record->incarnation.files = files;
    record->incarnation.n_files = n;
    return 0;
}

static int take_late_snapshot(struct recoup__decoder *decoder, struct cursor *cursor,
                              struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_SNAPSHOT);
    record->finished.stage = take32(cursor);
    record->finished.subtask = take32(cursor);
    record->finished.attempt = take64(cursor);
    return take_snapshots(decoder, cursor, record);
}

// Bodies of fixed size.
static int take_small(struct cursor *cursor, struct recoup__record *record)
{
    uint8_t replaces;

    if (record->type == RECOUP__RECORD_INITIALIZED) {
        record->initialized.stage = take32(cursor);
        record->initialized.parallelism = take32(cursor);
        return record->initialized.parallelism > 0 || cursor->ended ? 0 : RECOUP_ECORRUPT;
    }
    if (record->type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        replaces = take8(cursor);
        record->checkpoint_begin.replaces = replaces == 1;
        return replaces > 1 ? RECOUP_ECORRUPT : 0;
    }
    if (record->type == RECOUP__RECORD_GAP) {
        record->gap.from_ns = (int64_t)take64(cursor);
        record->gap.to_ns = (int64_t)take64(cursor);
        record->gap.error = (int32_t)take32(cursor);
        return 0;
    }
    RECOUP_ASSERT(record->type == RECOUP__RECORD_CHECKPOINT_END ||
                  record->type == RECOUP__RECORD_ENDED);
    return 0;
}

int recoup__record_decode(struct recoup__decoder *decoder, uint32_t type, const uint8_t *bytes,
                          size_t size, struct recoup__record *record)
{
    struct cursor cursor = {bytes, size, false};
    int error;

    RECOUP_ASSERT(bytes != NULL || size == 0);
    decoder->truncated = false;
    memset(record, 0, sizeof *record);
    if (type < RECOUP__RECORD_FINISHED || type > RECOUP__RECORD_ENDED) {
        return RECOUP_EVERSION;
    }
    if (size > RECOUP_EVENT_SIZE_MAX) {
        return RECOUP_ECORRUPT;
    }
    record->type = (enum recoup__record_type)type;
    if (record->type == RECOUP__RECORD_FINISHED) {
        error = take_finished(decoder, &cursor, record);
    } else if (record->type == RECOUP__RECORD_RESET) {
        error = take_reset(decoder, &cursor, record);
    } else if (record->type == RECOUP__RECORD_INCARNATION) {
        error = take_incarnation(decoder, &cursor, record);
    } else if (record->type == RECOUP__RECORD_SNAPSHOT) {
        error = take_late_snapshot(decoder, &cursor, record);
    } else {
        error = take_small(&cursor, record);
    }
    if (error == RECOUP_ENOMEM) {
        return error;
    }
    decoder->truncated = cursor.ended;
    return error != 0 || cursor.ended || cursor.left != 0 ? RECOUP_ECORRUPT : 0;
}
