// SPDX-License-Identifier: Apache-2.0
//
// What store.c, reader.c and the writer share. Not for the rest of the library.
#ifndef RECOUP_RECOVERY_STORE_INTERNAL_H
#define RECOUP_RECOVERY_STORE_INTERNAL_H

#include "recovery/buffer.h"
#include "recovery/format.h"
#include "recovery/queue.h"
#include "recovery/store.h"

#define RECOUP__BACKOFF_FIRST_NS INT64_C(100000000)   // after the first error
#define RECOUP__BACKOFF_LAST_NS INT64_C(10000000000)  // doubling up to this
#define RECOUP__LIST_ATTEMPTS 6u  // while a listing may be stale
#define RECOUP__ROLL_AGE_NS                                                                        \
    INT64_C(60000000000)      // of a file whose bytes are durable only when closed
#define RECOUP__LATE_MAX 64u  // snapshots overdue that are still waited for
#define RECOUP__COMPACT_BYTES_MIN UINT64_C(65536)  // a shorter log is not worth a checkpoint
#define RECOUP__CHECKPOINT_PART (1u << 18)  // bytes of a checkpoint's state written in one step
#define RECOUP__CHECKPOINT_SHARE 4u  // of what waits otherwise, at least a part, may be its state
#define RECOUP__CHECKPOINT_POINTS 4u  // recovery points begun before its boundary; then they wait
#define RECOUP__REMOVE_EVERY 16u  // operations after which a removal comes before other work
#define RECOUP__CONTROL_BYTES 512u          // reserved for the store's own records

struct recoup__file {
    uint64_t epoch;  // as in the name; 0 in a name without one
    uint32_t index;
    bool fenced;     // the name holds the epoch
    bool own;        // created by this master
    bool visible;    // own: its creation succeeded, so that a listing must show it
    bool failed;     // own: its creation failed, so that its name is to be used again
    bool ignored;    // not part of the log (but removed with it)
    bool gap;        // files before it are missing
    bool first;      // of its epoch in the listing
    uint64_t limit;  // bytes that may count, as a later master has recorded
    uint64_t valid;  // bytes that did count when it was read
};

// The file named last, since most operations are on the same file as the one before.
struct recoup__named {
    bool known;
    bool fenced;
    uint32_t index;
    uint64_t epoch;
    char name[32];  // zeroes behind it
};

// The one I/O operation under way.
struct recoup__io {
    uint32_t last;  // id of the last operation issued
    bool busy;
    enum recoup_action_type type;
    uint64_t offset;      // READ
    size_t size;          // READ, APPEND
    uint64_t event_last;  // APPEND
    bool direct;          // APPEND: not from the buffer
    struct recoup__named named;
};

enum recoup__reader_phase {
    RECOUP__READER_IDLE,
    RECOUP__READER_MKDIR,
    RECOUP__READER_CLAIM,  // fencing: a file of this epoch, before the listing
    RECOUP__READER_CLAIM_CLOSE,  // where a file is visible only once it is closed
    RECOUP__READER_LIST,
    RECOUP__READER_HEADS,  // looks for the newest INCARNATION record, which limits older files
    RECOUP__READER_FILES,
    RECOUP__READER_DONE,
};

struct recoup__reader {
    enum recoup__reader_phase phase;
    struct recoup__scanner scanner;
    struct recoup__decoder decoder;
    struct recoup__opened opened;
    uint32_t file;      // being read, an index of files
    bool fed;           // the bytes of the read under way are in the scanner already
    bool first_record;  // of the file
    bool head_began;    // HEADS: the file begins with a checkpoint
    bool late;          // the first file of its epoch that is there is not number 0
    bool broken;        // prefix: the log so far does not lead to what is read now
    bool gap;           // a file is missing and no checkpoint has made up for it
    bool in_checkpoint;
    uint32_t checkpoint_file;  // that it began in
    uint32_t covered;   // files before this one are covered by a complete checkpoint
    int64_t start_ns;   // of the opening
    uint64_t stream;    // epoch of the records read last
    uint64_t expected;  // next number in it, 0: any
    uint32_t entries;   // names in the directory, ours or not
    uint32_t attempts;  // failed ones of the operation under way
    int64_t retry_ns;   // when it is issued again
};

enum recoup__wait_state {
    RECOUP__WAIT_PENDING,
    RECOUP__WAIT_COMPLETE,  // `bytes` is the record to be written
    RECOUP__WAIT_FAILED,
    RECOUP__WAIT_LATE,  // its record is (to be) written without the snapshots
    RECOUP__WAIT_DONE,
};

struct recoup__wait_item {
    struct recoup__snapshot snapshot;
    bool arrived;
};

// A FINISHED record that waits for snapshots.
struct recoup__wait {
    enum recoup__wait_state state;
    uint32_t snapshot;
    uint64_t sequence;
    int64_t deadline_ns;
    struct recoup__task *task;  // in the queue; NULL once it has left
    uint32_t stage;
    uint32_t subtask;
    uint64_t attempt;
    struct recoup__wait_item *items;
    uint32_t n;
    uint32_t missing;
    uint8_t *bytes;
    size_t size;
};

enum recoup__checkpoint_phase {
    RECOUP__CHECKPOINT_NONE,
    RECOUP__CHECKPOINT_STREAM,  // the job writes its state
    RECOUP__CHECKPOINT_ENDING,  // END waits to become durable
};

struct recoup__writer {
    struct recoup__buffer buffer;
    struct recoup__format format;
    struct recoup__queue queue;

    bool started;     // the flush timer runs
    bool accepting;   // records are accepted
    bool protecting;  // PROTECTION_LOST is not the last word
    bool drop_later;  // what is queued is dropped as soon as the operation under way has ended
    bool refused;     // recording is off for good: stop policy, or fenced
    int64_t protection_ns;

    bool file_open;
    uint32_t file;        // index of files
    uint32_t next_index;  // of the next file to be created
    int64_t file_ns;      // when it was created
    uint64_t file_bytes;
    uint8_t header[RECOUP__HEADER_SIZE];
    size_t header_left;  // bytes of the header that are not in the buffer yet

    struct recoup__task *last_task;  // accepted last, in the call under way
    unsigned pending;                // operations that come before anything else
    size_t head_offset;              // bytes of the front task that are taken
    bool head_sealed;
    uint64_t complete;  // last record all of whose bytes are in the buffer or the file
    uint64_t appended;  // last record all of whose bytes are in the file
    uint64_t durable;
    bool unflushed;
    bool unsynced;
    bool hole;          // records before are not durable and never will be
    uint64_t sequence;  // last one given
    uint64_t counted;   // records up to this one are counted as durable or dropped

    bool linger;  // a stage end waits for what belongs to it
    bool linger_close;
    int64_t linger_ns;

    int64_t origin_ns;     // of the flush timer
    int64_t tick_ns;       // next tick that matters
    int64_t tick_done_ns;  // last tick that was noted
    bool tail_tick;        // the timer ticked after everything in the queue

    struct recoup__wait *waits;
    uint32_t waits_capacity;
    uint32_t waits_begin;
    uint32_t waits_end;
    uint64_t waits_bytes;
    int64_t waits_deadline_ns;

    int64_t lost_ns;  // when recording stopped
    int64_t unprotected_ns;  // before the last time that it stopped
    uint64_t interruptions;
    int lost_error;
    int64_t retry_ns;
    int64_t backoff_ns;

    enum recoup__checkpoint_phase checkpoint;
    bool checkpoint_first;
    bool checkpoint_rearms;
    bool checkpoint_filling;  // on_checkpoint is being called
    bool checkpoint_bounded;  // the boundary is accepted: later snapshots do not matter to it
    uint32_t checkpoint_points;    // recovery points begun since BEGIN, up to the boundary
    uint64_t checkpoint_waiting;   // bytes of state in the queue
    uint64_t checkpoint_step;      // bytes of state accepted in this step
    uint64_t checkpoint_need;      // a record that found no room; 0: there is room
    int64_t checkpoint_begin_ns;
    uint32_t checkpoint_file;
    uint64_t checkpoint_end;
    uint64_t checkpoint_size;  // bytes of the last complete one
    uint64_t log_bytes;        // since then
    int64_t checkpoint_retry_ns;
    uint32_t remove_end;  // files before this index are to be removed
    bool remove_looked;   // and the directory was listed for it: nobody else leads
    bool rearm_look;      // the look under way comes before recording is taken up again
    uint32_t since_removal;  // operations since the last of a removal

    bool throttled;
    int64_t oldest_ns;
    uint64_t dropped;
    uint64_t lost;  // of the numbers up to `durable`: records that a checkpoint replaced
    uint64_t lost_later;
    uint64_t point_epoch;
    uint64_t point_sequence;
    bool incarnation;  // the INCARNATION record has been accepted
    uint64_t bytes_appended, appends, flushes, syncs, created;
};

enum recoup__ending {
    RECOUP__ENDING_WRITE,   // what is accepted
    RECOUP__ENDING_RECORD,  // ENDED is being made durable
    RECOUP__ENDING_LOOK,    // who leads?
    RECOUP__ENDING_CLOSE,
    RECOUP__ENDING_REMOVE,     // every file but that of ENDED
    RECOUP__ENDING_BARRIER,    // makes these removals durable
    RECOUP__ENDING_LAST_CLOSE,
    RECOUP__ENDING_LAST,       // removes the file of ENDED
    RECOUP__ENDING_DIRECTORY,
    RECOUP__ENDING_DONE,
};

struct recoup__store {
    struct recoup__memory *memory;
    const struct recoup_options *options;
    struct recoup_storage storage;
    struct recoup_limits limits;
    uint8_t digest[16];
    struct recoup__store_callbacks callbacks;

    enum recoup__store_state state;
    uint64_t epoch;
    bool first;      // the job never had another master
    int64_t now_ns;  // of the last call
    struct recoup__io io;
    struct recoup__actions *actions;  // of the call under way
    struct recoup__file *files;       // oldest first
    uint32_t n_files;
    uint32_t files_capacity;
    struct recoup__extent *extents;  // what the INCARNATION record says of earlier files
    uint32_t n_extents;
    uint32_t extents_capacity;
    struct recoup__reader reader;
    struct recoup__writer writer;
    bool reopening;  // OPEN: what could not be opened at first is opened now
    // STOPPING, WIPING; see ending.c.
    enum recoup__ending ending;
    bool clear;            // STOPPING: remove everything
    bool removing;         // the operation under way is one of the removal
    uint64_t end_sequence;  // of the record ENDED, 0: not written
    bool end_durable;
    uint32_t remove_next;
    int end_error;
};

static inline int64_t recoup__store_policy(const struct recoup__store *store,
                                           enum recoup_policy policy)
{
    RECOUP_ASSERT(policy < RECOUP_POLICY_COUNT);
    return store->options->policy[policy];
}

// t + d, at most RECOUP_NEVER - 1.
static inline int64_t recoup__later(int64_t t, int64_t d)
{
    RECOUP_ASSERT(d >= 0);
    return t > RECOUP_NEVER - 1 - d ? RECOUP_NEVER - 1 : t + d;
}

// Issues an operation on files[file] (or on the directory). The action is returned for its other
// fields.
struct recoup_action *recoup__store_issue(struct recoup__store *store, enum recoup_action_type type,
                                          const struct recoup__file *file);

// store.c
void recoup__store_move(struct recoup__store *store, enum recoup__store_state to);

// ending.c
void recoup__ending_begin(struct recoup__store *store, bool clear);
void recoup__ending_go_on(struct recoup__store *store);
void recoup__ending_removed(struct recoup__store *store, int error);  // of the removal's operation
void recoup__ending_looked(struct recoup__store *store, int error);

// rearm.c
void recoup__writer_say_lost(struct recoup__store *store, int error);
void recoup__writer_unread(struct recoup__store *store, int64_t now_ns, int error);
void recoup__rearm(struct recoup__store *store, int64_t now_ns);  // now
void recoup__rearm_later(struct recoup__store *store, int64_t now_ns);
// The listing before a removal, or before recording is taken up again, has ended.
void recoup__writer_looked(struct recoup__store *store, int64_t now_ns,
                           const struct recoup_event *event);

// listing.c; memory for the names has been reserved
void recoup__listing_take(struct recoup__store *store, const struct recoup_event *event);
int recoup__listing_judge(const struct recoup__store *store, const struct recoup_event *event);
void recoup__listing_keep_run(struct recoup__store *store);  // flink: events.0, events.1, ...
bool recoup__listing_mark_gaps(struct recoup__store *store);  // true if there are any
uint32_t recoup__listing_next_index(const struct recoup__store *store);

// reader.c
void recoup__reader_init(struct recoup__store *store);
void recoup__reader_release(struct recoup__store *store);
void recoup__reader_start(struct recoup__store *store);
int recoup__reader_io(struct recoup__store *store, int64_t now_ns,
                      const struct recoup_event *event);
void recoup__reader_timer(struct recoup__store *store, int64_t now_ns);
void recoup__reader_again(struct recoup__store *store, int64_t now_ns);  // after OPENED_UNREAD

// The writer: writer.h says what its files do.
int recoup__writer_init(struct recoup__store *store);
void recoup__writer_release(struct recoup__store *store);
void recoup__writer_start(struct recoup__store *store, int64_t now_ns);  // the flush timer
void recoup__writer_open(struct recoup__store *store, int64_t now_ns);   // accepts from now on
void recoup__writer_create(struct recoup__store *store);  // the next file
void recoup__writer_created(struct recoup__store *store, int64_t now_ns);
// The creation under way has failed. True if the name turns out to have come into being with an
// earlier attempt of this master that was reported to have failed: the next name is free.
bool recoup__writer_not_created(struct recoup__store *store, int error);
void recoup__writer_forget_file(struct recoup__writer *writer);
int recoup__writer_reserve(struct recoup__store *store, uint32_t n, size_t bytes);
int recoup__writer_write(struct recoup__store *store, int64_t now_ns,
                         const struct recoup__record *record, uint32_t flags, uint64_t *sequence);
void recoup__writer_io(struct recoup__store *store, int64_t now_ns, int error);
void recoup__writer_timer(struct recoup__store *store, int64_t now_ns);
void recoup__writer_enter(struct recoup__store *store, int64_t now_ns);  // first in every call
void recoup__writer_leave(struct recoup__store *store, int64_t now_ns);  // last in every call
void recoup__writer_pump(struct recoup__store *store, int64_t now_ns);
// True if the pump has nothing to do: mostly so after an event that went into the buffer.
static inline bool recoup__writer_rests(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(RECOUP_ERGO(writer->pending == 0 && writer->buffer.used > 0, writer->file_open));
    return store->io.busy
           || (writer->pending == 0 && writer->queue.n == 0 && !writer->tail_tick
               && writer->checkpoint != RECOUP__CHECKPOINT_STREAM && writer->remove_end == 0);
}
void recoup__writer_throttle(struct recoup__store *store);
void recoup__writer_fail(struct recoup__store *store, int64_t now_ns, int error,
                         bool keep_buffered);
void recoup__writer_drop_all(struct recoup__store *store);    // forgets what is not written
bool recoup__writer_idle(const struct recoup__store *store);  // nothing is left to be written
void recoup__writer_request_close(struct recoup__store *store);
void recoup__writer_wait_on_last(struct recoup__store *store, const struct recoup__wait *wait);
int64_t recoup__writer_deadline(const struct recoup__store *store);
struct recoup__task *recoup__writer_enqueue(struct recoup__store *store, int64_t now_ns,
                                            const struct recoup__record *record, size_t body,
                                            uint32_t flags);

// waits.c: records that wait for snapshots
int recoup__waits_reserve(struct recoup__store *store, uint32_t n,
                          struct recoup__wait_item **items);
void recoup__waits_add(struct recoup__store *store, const struct recoup__wait *wait);
struct recoup__wait *recoup__waits_of(struct recoup__store *store, uint64_t sequence);
void recoup__waits_settle(struct recoup__store *store, struct recoup__wait *wait, uint64_t carrier);
void recoup__waits_written(struct recoup__store *store, struct recoup__wait *wait);
void recoup__waits_drop(struct recoup__store *store);     // all of them, without carrier
void recoup__waits_give_up(struct recoup__store *store);  // nobody waits any more
bool recoup__waits_only_late(const struct recoup__store *store);  // nobody holds the writer up
void recoup__waits_timer(struct recoup__store *store, int64_t now_ns);
void recoup__waits_release(struct recoup__store *store);
int recoup__waits_arrive(struct recoup__store *store, int64_t now_ns, uint32_t snapshot,
                         uint32_t coordinator, bool failed, const void *data, size_t size);

// checkpoint of the whole job, in writer_checkpoint.c
// Accepts one of the store's own records, for which every call of the store reserves memory.
void recoup__writer_control(struct recoup__store *store, int64_t now_ns,
                            const struct recoup__record *record, uint32_t flags);
void recoup__checkpoint_start(struct recoup__store *store, int64_t now_ns, bool rearms);
// True if no finish before the boundary still waits for the snapshots that cover it.
bool recoup__checkpoint_settled(const struct recoup__store *store, int64_t now_ns);
// True if more of the state may be written now.
static inline bool recoup__checkpoint_may_fill(const struct recoup__store *store, int64_t now_ns)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->checkpoint <= RECOUP__CHECKPOINT_ENDING);
    return writer->checkpoint == RECOUP__CHECKPOINT_STREAM && !writer->checkpoint_filling
           && writer->checkpoint_need == 0 && writer->checkpoint_retry_ns == RECOUP_NEVER
           && recoup__checkpoint_settled(store, now_ns);
}
void recoup__checkpoint_fill(struct recoup__store *store, int64_t now_ns);
// A record of the state, of so many bytes, has left the queue.
void recoup__checkpoint_taken(struct recoup__store *store, uint64_t bytes);
int64_t recoup__checkpoint_deadline(const struct recoup__store *store);
void recoup__checkpoint_durable(struct recoup__store *store, int64_t now_ns);
void recoup__checkpoint_consider(struct recoup__store *store, int64_t now_ns);  // at a stage end
size_t recoup__checkpoint_reserve(const struct recoup__store *store);  // bytes of control records
void recoup__incarnation_record(const struct recoup__store *store, struct recoup__record *record);

#endif
