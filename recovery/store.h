// SPDX-License-Identifier: Apache-2.0
//
// The event store: reads the log of earlier masters, then writes this master's. It talks to storage
// only through I/O actions, one at a time, and to the job through the callbacks below.
//
// Calls that take `actions` push at most RECOUP__STORE_ACTIONS actions; the caller reserves that
// many before each call. Every call that returns RECOUP_ENOMEM has changed nothing and may be
// repeated with the same arguments. Storage errors are never returned: they end the opening
// (recoup__store_opened) or protection (action PROTECTION_LOST). The store pushes these actions:
// all I/O operations, DURABLE, THROTTLE, PROTECTION_LOST, PROTECTION_RESTORED. The job pushes all
// others.
//
// Life: create, open, [io ...] until opened, write ..., then stop, wipe or leadership_lost,
// destroy.
#ifndef RECOUP_RECOVERY_STORE_H
#define RECOUP_RECOVERY_STORE_H

#include "recovery/actions.h"
#include "recovery/record.h"

#define RECOUP__STORE_ACTIONS 8u  // at most pushed by one call

enum recoup__store_state {
    RECOUP__STORE_CLOSED,    // not opened yet
    RECOUP__STORE_OPENING,   // directory and listing
    RECOUP__STORE_READING,   // the log of earlier masters
    RECOUP__STORE_OPEN,      // opened well (see recoup__store_opened); records may be written
    RECOUP__STORE_FAILED,    // the opening failed; only wipe, stop and leadership_lost are possible
    RECOUP__STORE_ENDED,     // the log is that of an ended job; only stop and leadership_lost
    RECOUP__STORE_WIPING,    // removes everything, then opens again; writes are dropped until OPEN
    RECOUP__STORE_STOPPING,  // writes what is left
    RECOUP__STORE_STOPPED,   // for ever
    RECOUP__STORE_LOST,      // leadership is lost: nothing is issued any more
};

// What reading found wrong, told apart. Ordered by no severity.
enum recoup__damage_kind {
    RECOUP__DAMAGE_NONE,
    RECOUP__DAMAGE_TORN,      // the file ends inside a record
    RECOUP__DAMAGE_ZEROED,    // the rest of the file is zeroes
    RECOUP__DAMAGE_CHECKSUM,  // bytes have changed
    RECOUP__DAMAGE_LENGTH,    // a length beyond every limit, or negative
    RECOUP__DAMAGE_TYPE,      // a record type that this library does not know
    RECOUP__DAMAGE_BODY,      // well framed, but no record has such a body
    RECOUP__DAMAGE_SEQUENCE,  // a record number is missing or repeated
    RECOUP__DAMAGE_HEADER,    // no file header, or a damaged one
    RECOUP__DAMAGE_VERSION,   // file header of another version
    RECOUP__DAMAGE_FOREIGN,   // file header of another job, graph, epoch or index
    RECOUP__DAMAGE_EMPTY,     // the file has no byte
    RECOUP__DAMAGE_MISSING,   // a file is missing
    RECOUP__DAMAGE_SHORT,     // ends before what a later master had read in it
};

enum recoup__opened_result {
    RECOUP__OPENED_PENDING,
    RECOUP__OPENED_NOTHING,  // nothing to recover
    RECOUP__OPENED_LOG,      // the log was read; perhaps with damage that the policies tolerate
    RECOUP__OPENED_UNREAD,   // the storage cannot be opened (`error`); it is tried again while OPEN
    RECOUP__OPENED_ENDED,    // the job has ended; what is left of the log is to be cleared
    RECOUP__OPENED_FAILED,   // `error` says why; on_record may have been called before
};

struct recoup__opened {
    enum recoup__opened_result result;
    int error;         // FAILED, UNREAD: the code
    uint64_t records;  // delivered
    uint64_t bytes;    // read from storage
    uint64_t damaged;  // damages found: records, and files cut short
    bool lost;  // LOG: records that were once readable, or that later records follow on, are lost
    enum recoup__damage_kind
        damage;  // the first (if `lost`: the first that lost something), and its place
    struct recoup__position damage_position;
};

// Callbacks must not call the store, except for queries, and recoup__store_checkpoint_write() from
// within on_checkpoint.
struct recoup__store_callbacks {
    void *context;

    // One record of the log, in order. Borrowed for the call. Returns 0, RECOUP_ENOMEM (nothing
    // changed; the same record is delivered again when the host repeats the step) or another code,
    // which makes the opening fail with it.
    int (*on_record)(void *context, const struct recoup__record *record,
                     const struct recoup__position *position);

    // The store wants (more of) a checkpoint of the whole job: `first` starts one anew. The job
    // writes the next part of its state with recoup__store_checkpoint_write() until that returns
    // RECOUP_ELIMIT (no room now; go on at the next call) or RECOUP_ENOMEM (likewise), and sets
    // *done when everything has been written. Between calls other records may be written: each part
    // is the state of its moment. Called from within write, io and timer. The store itself writes
    // BEGIN, GAP and END. Returns 0 to be called again as soon as there is room (it may have done
    // nothing, to keep its work bounded: at most one pass over the job's subtasks), or
    // RECOUP_ENOMEM.
    int (*on_checkpoint)(void *context, bool first, bool *done);

    // The snapshots that a record waited for are settled. `carrier` is the number of the record
    // that carries them (the FINISHED record itself, or a SNAPSHOT record), now accepted by the
    // writer, or 0 if there will be none (one failed, or recording stopped): the finish is then no
    // recovery point.
    void (*on_settled)(void *context, uint32_t snapshot, uint64_t carrier);

    // May be NULL. A FINISHED record of this subtask is probably delivered soon: time to have what
    // it changes brought from memory. A guess: stage and subtask may be any numbers.
    void (*on_expected)(void *context, uint32_t stage, uint32_t subtask);
};

struct recoup__store_config {
    struct recoup__memory *memory;
    const struct recoup_options *options;  // borrowed for the store's life
    struct recoup_storage storage;
    struct recoup_limits limits;  // zeroes: defaults
    uint8_t digest[16];           // of the job and its graph
    struct recoup__store_callbacks callbacks;
};

struct recoup__store;

// RECOUP_ENOMEM, or RECOUP_EINVAL for a buffer or interval that is not positive.
int recoup__store_create(const struct recoup__store_config *config, struct recoup__store **store);
void recoup__store_destroy(struct recoup__store *store);  // accepts NULL

enum recoup__store_state recoup__store_state(const struct recoup__store *store);

// Starts to open the store for the master of `epoch`; `first`: see START.
int recoup__store_open(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                       uint64_t epoch, bool first);
const struct recoup__opened *recoup__store_opened(const struct recoup__store *store);
// For tools: what the opening found of the i-th file of the log, in the order of reading. `file`
// holds the bytes that counted, *limit those that could have (UINT64_MAX: all that there are).
// False beyond the last file.
bool recoup__store_file(const struct recoup__store *store, uint32_t i, struct recoup__extent *file,
                        uint64_t *limit);

// True if operation `id` is the one under way (else the host breaks D3).
bool recoup__store_expects(const struct recoup__store *store, uint32_t operation);

// The I/O operation of `event` (RECOUP_EVENT_IO) has ended. RECOUP_EMISUSE if it is not under way.
int recoup__store_io(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                     const struct recoup_event *event);

int recoup__store_timer(struct recoup__store *store, struct recoup__actions *actions,
                        int64_t now_ns);
int64_t recoup__store_deadline(const struct recoup__store *store);  // RECOUP_NEVER: none

// Flags of writes. What they cause depends on the policies and on the storage.
#define RECOUP__WRITE_CUT (1u << 0)  // a stage has ended: the file is closed after this record
#define RECOUP__WRITE_BOUNDARY                                                                     \
    (1u << 1)  // belongs to the stage end before it (an INITIALIZED record)
#define RECOUP__WRITE_DURABLE                                                                      \
    (1u << 2)  // becomes durable as soon as possible, whatever the policies
// (A record that carries the shuffle master's snapshot is a recovery point by itself, without a
// flag.)

// True if the first record of this incarnation is to be INCARNATION (policies fencing, log-resets
// or prefix). The job then calls recoup__store_write_incarnation() first, once the store is OPEN.
bool recoup__store_wants_incarnation(const struct recoup__store *store);

// Writes the INCARNATION record: the store adds the epoch and what it has read of each file.
int recoup__store_write_incarnation(struct recoup__store *store, struct recoup__actions *actions,
                                    int64_t now_ns, uint64_t point_epoch, uint64_t point_sequence,
                                    uint32_t flags, uint64_t *sequence);

// Accepts a record for writing; its bytes are taken before the call returns. *sequence is its
// number (from 1 in each incarnation), 0 if it was dropped, since recording is off or waiting_bytes
// is reached (which is an error in the sense of policy on-error). RECOUP_ENOMEM; RECOUP_ELIMIT for
// a record that is itself too large, RECOUP_EINVAL.
int recoup__store_write(struct recoup__store *store, struct recoup__actions *actions,
                        int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                        uint64_t *sequence);

// As recoup__store_write for a FINISHED record without snapshots, which waits for the snapshots of
// the `n` > 0 coordinators (ascending, each once, RECOUP_SHUFFLE last) of recovery point `snapshot`
// (an id never used before). The records behind it wait as well (one writer). Ends with on_settled,
// unless the record itself was dropped (*sequence 0).
int recoup__store_write_waiting(struct recoup__store *store, struct recoup__actions *actions,
                                int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                                uint32_t snapshot, const uint32_t *coordinators, uint32_t n,
                                uint64_t *sequence);

// A snapshot has arrived (data is copied) or has failed (`failed`). One that nobody waits for any
// more is ignored. RECOUP_ELIMIT if it makes the record too large: it is then treated as failed,
// and 0 returned.
int recoup__store_snapshot(struct recoup__store *store, struct recoup__actions *actions,
                           int64_t now_ns, uint32_t snapshot, uint32_t coordinator, bool failed,
                           const void *data, size_t size);

// Makes sure that recording `n` records with bodies of `bytes` bytes in total takes no further
// memory, so that the next writes of this step cannot return RECOUP_ENOMEM.
int recoup__store_reserve(struct recoup__store *store, uint32_t n, size_t bytes);

// True if no recovery point is to be begun now: a checkpoint waits for those that were, and would
// never come to its boundary if always another one followed.
bool recoup__store_holds_points(const struct recoup__store *store);

// Writes one record of the checkpoint under way; only from within on_checkpoint. RECOUP_ELIMIT: no
// room now.
int recoup__store_checkpoint_write(struct recoup__store *store, int64_t now_ns,
                                   const struct recoup__record *record);

// Removes every file of the store and opens it anew (result NOTHING), with the same epoch. Possible
// in states OPENING, READING, OPEN and FAILED.
int recoup__store_wipe(struct recoup__store *store, struct recoup__actions *actions,
                       int64_t now_ns);

// Writes what is accepted, closes, removes everything if `clear`; ends in state STOPPED, whatever
// fails.
int recoup__store_stop(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                       bool clear);

// From now on nothing is issued, ever. An operation under way is forgotten.
void recoup__store_leadership_lost(struct recoup__store *store);

// STOPPED: why not everything was done, or 0.
int recoup__store_end_error(const struct recoup__store *store);

uint64_t recoup__store_durable(const struct recoup__store *store);  // the watermark, 0: none
// Why recording is off; RECOUP_ETIMEDOUT while it is on.
int recoup__store_lost_error(const struct recoup__store *store);
bool recoup__store_protected(const struct recoup__store *store);    // recording works

// Fills the fields of `stats` that the store knows (protected_now, protection_since_ns,
// unprotected_ns, interruptions,
// events_accepted, events_durable, events_dropped, bytes_*, appends .. files,
// oldest_not_durable_ns, events_replayed, replay_bytes, records_damaged) and leaves the others
// alone.
void recoup__store_stats(const struct recoup__store *store, struct recoup_stats *stats);

#endif
