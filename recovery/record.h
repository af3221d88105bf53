// SPDX-License-Identifier: Apache-2.0
//
// The records of the log and their bodies as bytes. Bodies are the same in both framings:
// little-endian, canonical (one record has one encoding, and every other byte string is refused),
// every length checked against a limit before it is used. docs/disk-format.md gives the bytes one
// by one.
#ifndef RECOUP_RECOVERY_RECORD_H
#define RECOUP_RECOVERY_RECORD_H

#include "recovery/memory.h"

enum recoup__record_type {
    RECOUP__RECORD_FINISHED = 1,          // an attempt finished, perhaps with snapshots
    RECOUP__RECORD_RESET = 2,             // ranges of subtasks were taken back
    RECOUP__RECORD_INITIALIZED = 3,       // a stage has its parallelism
    RECOUP__RECORD_INCARNATION = 4,       // opens a master's log: what it read and goes on from
    RECOUP__RECORD_SNAPSHOT = 5,          // snapshots that came after their finish had been written
    RECOUP__RECORD_CHECKPOINT_BEGIN = 6,  // up to CHECKPOINT_END: the whole state once more
    RECOUP__RECORD_CHECKPOINT_END = 7,
    RECOUP__RECORD_GAP = 8,    // recording was off for some time
    RECOUP__RECORD_ENDED = 9,  // the job has ended; alone in its file, while the log is removed
};

#define RECOUP__SNAPSHOTS_MAX 65537u   // of one record: every coordinator and the shuffle master
#define RECOUP__RANGES_MAX (1u << 20)  // of one RESET record
#define RECOUP__FILES_MAX (1u << 20)   // of one INCARNATION record, and of a store

struct recoup__snapshot {
    uint32_t coordinator;  // index in the graph, or RECOUP_SHUFFLE, which marks a recovery point
    const void *data;
    uint32_t size;  // may be 0
};

struct recoup__extent {  // how much of an earlier file counts
    uint64_t epoch;      // 0 where files are not fenced
    uint32_t index;
    uint64_t bytes;  // from the start of the file; records end exactly there
};

// Where a record stands in the log.
struct recoup__position {
    uint64_t epoch;   // of the file (0 without fencing)
    uint32_t file;    // index of the file
    uint64_t offset;  // of the record's first framing byte
    // Contiguous framing: the stored number. Three writes: counted by the reader, from 1.
    uint64_t sequence;
};

struct recoup__record {
    enum recoup__record_type type;
    union {
        struct {  // FINISHED. SNAPSHOT uses stage, subtask, attempt and the snapshots.
            uint32_t stage;
            uint32_t subtask;
            uint64_t attempt;
            uint32_t worker;
            bool has_partition;
            uint64_t bytes;
            const void *payload;
            uint32_t payload_bytes;
            uint32_t n_snapshots;
            const struct recoup__snapshot *snapshots;  // ascending by coordinator, each once
        } finished;
        struct {
            const struct recoup_range *ranges;  // order is kept
            uint32_t n_ranges;
        } reset;
        struct {
            uint32_t stage;
            uint32_t parallelism;  // > 0
        } initialized;
        struct {
            uint64_t epoch;
            uint64_t point_epoch;  // the recovery point gone on from, as the job sees it
            uint64_t point_sequence;
            const struct recoup__extent *files;  // ascending by (epoch, index), each once
            uint32_t n_files;
        } incarnation;
        struct {
            // The state before does not lead here (recording was off, or bytes are lost): only a
            // complete checkpoint counts, and it replaces everything before it. When false, the
            // records before and inside may also be applied one after the other, and give the same
            // state. The reader also sets it when it lost bytes before the checkpoint.
            bool replaces;
        } checkpoint_begin;
        struct {
            int64_t from_ns;  // clock of the master that wrote it
            int64_t to_ns;
            int32_t error;  // why recording was off
        } gap;
    };
};

// Bytes of the body of `record`. RECOUP_ELIMIT if it is more than RECOUP_EVENT_SIZE_MAX or a count
// or the payload exceeds its limit; RECOUP_EINVAL if the record is not canonical (order, zero
// parallelism).
int recoup__record_size(const struct recoup__record *record, size_t *size);

// Writes the body to `bytes`, of recoup__record_size() bytes.
void recoup__record_encode(const struct recoup__record *record, uint8_t *bytes, size_t size);

// True if the record carries the shuffle master's snapshot: a recovery point.
bool recoup__record_is_recovery_point(const struct recoup__record *record);

// Memory for the arrays of a decoded record; reused from record to record.
struct recoup__decoder {
    struct recoup__memory *memory;
    void *items;
    uint32_t capacity;  // bytes
    bool truncated;     // the last body ended before its record did (Flink tells that apart,
                        // section 3.2)
};

void recoup__decoder_init(struct recoup__decoder *decoder, struct recoup__memory *memory);
void recoup__decoder_release(struct recoup__decoder *decoder);

// Decodes the body of a record of `type`. Payload and snapshot data point into `bytes`, arrays into
// the decoder, until its next use. RECOUP_EVERSION: unknown type. RECOUP_ECORRUPT: no such record
// has these bytes. RECOUP_ENOMEM. Never reads outside the bytes, nor allocates more than a small
// multiple of size.
int recoup__record_decode(struct recoup__decoder *decoder, uint32_t type, const uint8_t *bytes,
                          size_t size, struct recoup__record *record);

#endif
