// SPDX-License-Identifier: Apache-2.0
//
// The reader: directory, listing, then the files of the log one after the other, each read from its
// start to its end. Where masters record what they read of their predecessors (INCARNATION), the
// newest such record is looked for first (phase HEADS), since what a fenced master wrote later must
// not count.
//
//     IDLE -> MKDIR -> CLAIM -> LIST -> HEADS -> FILES -> DONE
//                                        (phases may be left out; all up to LIST may repeat)
//
// Damage. What happens at a record that cannot be read is decided in damaged():
//   holes = skip     the rest of its file is ignored, later files count (Flink)
//   holes = prefix   the log is `broken` from there on: nothing counts until an INCARNATION record
//   says that
//                    it was written on exactly the prefix that was read, or a checkpoint replaces
//                    it all
#include <string.h>

#include "recovery/bytes.h"
#include "recovery/fence.h"

enum {
    LOOK_AHEAD = 16,         // records, about as long as memory takes
    LOOK_AHEAD_SIZE = 256,  // of bodies: longer ones leave memory the time by themselves
};

void recoup__reader_init(struct recoup__store *store)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(store->memory != NULL);
    memset(reader, 0, sizeof *reader);
    recoup__scanner_init(&reader->scanner, store->memory);
    recoup__decoder_init(&reader->decoder, store->memory);
    reader->retry_ns = RECOUP_NEVER;
    RECOUP_ASSERT(reader->phase == RECOUP__READER_IDLE);
}

void recoup__reader_release(struct recoup__store *store)
{
    RECOUP_ASSERT(store->memory != NULL);
    recoup__scanner_release(&store->reader.scanner);
    recoup__decoder_release(&store->reader.decoder);
    RECOUP_ASSERT(store->reader.scanner.own == NULL);
}

static bool policy(const struct recoup__store *store, enum recoup_policy which)
{
    RECOUP_ASSERT(which != RECOUP_POLICY_SNAPSHOT_TIMEOUT);  // it is no choice
    return recoup__store_policy(store, which) != 0;
}

// ---------------------------------------------------------------------------------------------
// Results

static void finish(struct recoup__store *store, int64_t now_ns, enum recoup__opened_result result,
                   int error)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->opened.result == RECOUP__OPENED_PENDING);
    RECOUP_ASSERT((result == RECOUP__OPENED_FAILED) == (error != 0));
    reader->phase = RECOUP__READER_DONE;
    reader->retry_ns = RECOUP_NEVER;
    reader->opened.result = result;
    reader->opened.error = error;
    if (result == RECOUP__OPENED_FAILED) {
        recoup__store_move(store, RECOUP__STORE_FAILED);
        return;
    }
    for (uint32_t i = 0; i < store->n_files; i++) {
        store->files[i].ignored = store->files[i].ignored && !store->files[i].own;
    }
    if (result == RECOUP__OPENED_ENDED) {
        recoup__store_move(store, RECOUP__STORE_ENDED);
        return;
    }
    recoup__store_move(store, RECOUP__STORE_OPEN);
    recoup__writer_open(store, now_ns);
    store->writer.log_bytes = reader->opened.bytes;
}

// Nothing is known of the log. The job goes on without it, unprotected; see writer_timer.
static void unread(struct recoup__store *store, int64_t now_ns, int error)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->phase < RECOUP__READER_HEADS && reader->opened.bytes == 0);
    RECOUP_ASSERT(store->state == RECOUP__STORE_OPENING);
    reader->phase = RECOUP__READER_DONE;
    reader->retry_ns = RECOUP_NEVER;
    reader->opened.result = RECOUP__OPENED_UNREAD;
    reader->opened.error = error;
    if (!store->writer.started) {
        recoup__writer_start(store, now_ns);
    }
    recoup__store_move(store, RECOUP__STORE_OPEN);
    recoup__writer_unread(store, now_ns, error);
    recoup__writer_request_close(store);  // of a claim whose directory could not be listed
}

static void fail(struct recoup__store *store, int64_t now_ns, int error)
{
    RECOUP_ASSERT(error < 0);  // also the host's want of memory, which is a failed operation
    RECOUP_ASSERT(store->state == RECOUP__STORE_OPENING || store->state == RECOUP__STORE_READING);
    finish(store, now_ns, RECOUP__OPENED_FAILED, error);
}

static void note_position(struct recoup__store *store, enum recoup__damage_kind kind)
{
    struct recoup__opened *opened = &store->reader.opened;
    const struct recoup__file *file = &store->files[store->reader.file];

    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    RECOUP_ASSERT(store->reader.file < store->n_files);
    opened->damage = kind;
    opened->damage_position.epoch = file->epoch;
    opened->damage_position.file = file->index;
    opened->damage_position.offset = recoup__scanner_offset(&store->reader.scanner);
    opened->damage_position.sequence = store->reader.expected;
}

static void note_damage(struct recoup__store *store, enum recoup__damage_kind kind, bool lost)
{
    struct recoup__opened *opened = &store->reader.opened;

    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    if (opened->damage == RECOUP__DAMAGE_NONE || (lost && !opened->lost)) {
        note_position(store, kind);
    }
    opened->damaged++;
    opened->lost = opened->lost || lost;
    RECOUP_ASSERT(opened->damage != RECOUP__DAMAGE_NONE);
}

// ---------------------------------------------------------------------------------------------
// Trying again

// How long to wait before the operation that has failed is tried again.
static int64_t wait_ns(const struct recoup__reader *reader)
{
    int64_t wait = RECOUP__BACKOFF_FIRST_NS;

    for (uint32_t i = 0; i < reader->attempts && wait < RECOUP__BACKOFF_LAST_NS; i++) {
        wait *= 2;
    }
    RECOUP_ASSERT(wait > 0);
    return wait < RECOUP__BACKOFF_LAST_NS ? wait : RECOUP__BACKOFF_LAST_NS;
}

static void back_off(struct recoup__reader *reader, int64_t now_ns)
{
    RECOUP_ASSERT(reader->retry_ns == RECOUP_NEVER);
    reader->retry_ns = recoup__later(now_ns, wait_ns(reader));
    reader->attempts++;
    RECOUP_ASSERT(reader->retry_ns > now_ns);
}

// ---------------------------------------------------------------------------------------------
// Reading: which bytes come next

static void begin_file(struct recoup__store *store, uint32_t index)
{
    struct recoup__format format;

    RECOUP_ASSERT(index < store->n_files);
    recoup__format_init(&format, store->options);
    recoup__scanner_begin(&store->reader.scanner, &format);
    store->reader.file = index;
    store->reader.first_record = true;
    store->reader.head_began = false;
    store->reader.fed = false;
    RECOUP_ASSERT(!store->files[index].ignored);
}

static void issue_read(struct recoup__store *store)
{
    const struct recoup__file *file = &store->files[store->reader.file];
    uint64_t offset = recoup__scanner_fed(&store->reader.scanner);
    uint64_t size = store->limits.read_bytes;
    struct recoup_action *action;

    RECOUP_ASSERT(offset < file->limit);
    size = size > file->limit - offset ? file->limit - offset : size;
    RECOUP_ASSERT(size > 0);
    action = recoup__store_issue(store, RECOUP_ACTION_READ, file);
    action->io.offset = offset;
    action->io.size = (size_t)size;
    store->io.offset = offset;
    store->io.size = (size_t)size;
    store->reader.fed = false;
}

// The result when the last file has been read.
static void finish_files(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__reader *reader = &store->reader;
    bool any;

    if (reader->gap && policy(store, RECOUP_POLICY_ON_GAP)) {
        fail(store, now_ns, RECOUP_EGAP);
        return;
    }
    any = policy(store, RECOUP_POLICY_EMPTY) ? reader->opened.records > 0 : reader->entries > 0;
    RECOUP_ASSERT(RECOUP_ERGO(reader->opened.records > 0, any));
    finish(store, now_ns, any ? RECOUP__OPENED_LOG : RECOUP__OPENED_NOTHING, 0);
}

// Files before the one that is being read are missing, or it is itself gone.
static void missing(struct recoup__store *store)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    reader->gap = true;
    reader->late = false;
    reader->in_checkpoint = false;
    reader->broken = true;  // what follows may build on what is missing
    note_damage(store, RECOUP__DAMAGE_MISSING, true);
}

// Goes on with files[from] or the first later one that has bytes that may count.
static void next_file(struct recoup__store *store, int64_t now_ns, uint32_t from)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    while (from < store->n_files && (store->files[from].ignored || store->files[from].limit == 0)) {
        from++;
    }
    RECOUP_ASSERT(from <= store->n_files);
    if (from == store->n_files) {
        finish_files(store, now_ns);
        return;
    }
    begin_file(store, from);
    if (!store->files[from].gap) {
        reader->late = reader->late && !store->files[from].first;
    } else if (store->files[from].fenced && store->files[from].first) {
        reader->late = true;  // its first record says whether anything is missing
    } else {
        missing(store);
    }
    issue_read(store);
}

static void start_files(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(store->reader.phase != RECOUP__READER_FILES);
    store->reader.phase = RECOUP__READER_FILES;
    next_file(store, now_ns, 0);
}

// ---------------------------------------------------------------------------------------------
// Heads: the newest INCARNATION record limits what counts of older files.

// The first file of the epoch before that of files[before], or n_files if there is none.
static uint32_t previous_head(const struct recoup__store *store, uint32_t before)
{
    uint32_t i = before;

    RECOUP_ASSERT(before <= store->n_files);
    while (i > 0 && store->files[i - 1].ignored) {
        i--;
    }
    if (i == 0) {
        return store->n_files;
    }
    i--;
    while (i > 0 && store->files[i - 1].epoch == store->files[i].epoch) {
        i--;
    }
    RECOUP_ASSERT(i < before);
    return i;
}

static struct recoup__file *find_file(struct recoup__store *store,
                                      const struct recoup__extent *extent)
{
    uint32_t low = 0;
    uint32_t high = store->n_files;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct recoup__file *file = &store->files[middle];

        if (!file->ignored
            && (file->epoch < extent->epoch
                || (file->epoch == extent->epoch && file->index < extent->index))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    RECOUP_ASSERT(low <= store->n_files);
    if (low == store->n_files || store->files[low].epoch != extent->epoch
        || store->files[low].index != extent->index || store->files[low].ignored) {
        return NULL;
    }
    return &store->files[low];
}

// The INCARNATION record at the head of files[head] says how much of each earlier file counts.
static void apply_extents(struct recoup__store *store, uint32_t head,
                          const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    RECOUP_ASSERT(head < store->n_files);
    for (uint32_t i = 0; i < head; i++) {
        store->files[i].limit = 0;
    }
    for (uint32_t i = 0; i < record->incarnation.n_files; i++) {
        const struct recoup__extent *extent = &record->incarnation.files[i];
        struct recoup__file *file = find_file(store, extent);

        if (file != NULL && file < &store->files[head]) {
            file->limit = extent->bytes;
        } else if (file == NULL && extent->bytes > 0) {
            store->reader.gap = true;
            note_damage(store, RECOUP__DAMAGE_MISSING, true);
        }
    }
    store->reader.broken = store->reader.broken || store->reader.gap;
}

static uint32_t first_of_epoch(const struct recoup__store *store, uint32_t file)
{
    RECOUP_ASSERT(file < store->n_files);
    while (file > 0 && store->files[file - 1].epoch == store->files[file].epoch) {
        file--;
    }
    RECOUP_ASSERT(!store->files[file].ignored);
    return file;
}

// This file does not begin well. Where recording was taken up again after an error, a later file of
// the same master begins with a checkpoint and the INCARNATION record. Without one it never
// finished opening its log: nothing of it counts, and the master before it has the word.
static void skip_head(struct recoup__store *store, int64_t now_ns)
{
    uint32_t head = store->reader.file;
    uint64_t epoch = store->files[head].epoch;

    store->files[head].limit = 0;
    RECOUP_ASSERT(store->files[head].valid == 0);
    if (head + 1 < store->n_files && store->files[head + 1].epoch == epoch
        && !store->files[head + 1].ignored) {
        begin_file(store, head + 1);
        issue_read(store);
        return;
    }
    head = previous_head(store, first_of_epoch(store, head));
    if (head == store->n_files) {
        start_files(store, now_ns);
        return;
    }
    RECOUP_ASSERT(store->files[head].epoch < epoch);
    begin_file(store, head);
    issue_read(store);
}

static void judge_head_damage(struct recoup__store *store, int64_t now_ns,
                              enum recoup__damage_kind kind)
{
    uint32_t head = store->reader.file;
    bool alone =
        head + 1 == store->n_files || store->files[head + 1].epoch != store->files[head].epoch;
    bool tail = kind == RECOUP__DAMAGE_TORN || kind == RECOUP__DAMAGE_ZEROED
                || kind == RECOUP__DAMAGE_EMPTY;

    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    RECOUP_ASSERT(head < store->n_files);
    if (kind == RECOUP__DAMAGE_EMPTY && store->files[head].first) {
        skip_head(store, now_ns);  // a claim
        return;
    }
    if (kind == RECOUP__DAMAGE_VERSION || kind == RECOUP__DAMAGE_TYPE) {
        note_damage(store, kind, true);
        fail(store, now_ns, RECOUP_EVERSION);
        return;
    }
    note_damage(store, kind, !(alone && tail));
    skip_head(store, now_ns);
}

// Looks at what the head has given so far. RECOUP_ENOMEM: nothing has changed.
static int scan_head(struct recoup__store *store, int64_t now_ns, bool ended)
{
    struct recoup__reader *reader = &store->reader;
    struct recoup__record record;
    struct recoup__frame frame;
    enum recoup__scan scan = recoup__scanner_next(&reader->scanner, ended, &frame);
    int error;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_HEADS);
    if (scan == RECOUP__SCAN_MORE) {
        issue_read(store);
        return 0;
    }
    if (scan != RECOUP__SCAN_RECORD) {
        judge_head_damage(store, now_ns,
                          scan == RECOUP__SCAN_END ? RECOUP__DAMAGE_EMPTY : reader->scanner.damage);
        return 0;
    }
    error = recoup__record_decode(&reader->decoder, frame.type, frame.body, frame.size, &record);
    if (error == RECOUP_ENOMEM) {
        recoup__scanner_again(&reader->scanner, &frame);
        return error;
    }
    if (error != 0) {
        judge_head_damage(store, now_ns,
                          error == RECOUP_EVERSION ? RECOUP__DAMAGE_TYPE : RECOUP__DAMAGE_BODY);
    } else if (record.type == RECOUP__RECORD_CHECKPOINT_BEGIN && !reader->head_began) {
        reader->head_began = true;
        return scan_head(store, now_ns, ended);
    } else {
        if (record.type == RECOUP__RECORD_INCARNATION) {
            apply_extents(store, reader->file, &record);
        }
        start_files(store, now_ns);
    }
    return 0;
}

static void start_heads(struct recoup__store *store, int64_t now_ns)
{
    uint32_t head = previous_head(store, store->n_files);

    RECOUP_ASSERT(store->state == RECOUP__STORE_READING);
    // One epoch alone has nothing before it that could be limited.
    if (!policy(store, RECOUP_POLICY_FENCING) || head == store->n_files || head == 0) {
        start_files(store, now_ns);
        return;
    }
    store->reader.phase = RECOUP__READER_HEADS;
    begin_file(store, head);
    issue_read(store);
}

// ---------------------------------------------------------------------------------------------
// Files: damage

// A failure that ends the opening, as opposed to damage that the policies tolerate. 0: tolerated.
static int damage_error(const struct recoup__store *store, enum recoup__damage_kind kind)
{
    if (kind == RECOUP__DAMAGE_VERSION || kind == RECOUP__DAMAGE_TYPE) {
        return RECOUP_EVERSION;
    }
    if (kind == RECOUP__DAMAGE_FOREIGN) {
        return RECOUP_EFOREIGN;
    }
    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    if (kind == RECOUP__DAMAGE_TORN || kind == RECOUP__DAMAGE_ZEROED || kind == RECOUP__DAMAGE_EMPTY
        || kind == RECOUP__DAMAGE_MISSING || policy(store, RECOUP_POLICY_ON_DAMAGE)) {
        return 0;
    }
    return RECOUP_ECORRUPT;
}

// The file being read cannot be read any further.
static void damaged(struct recoup__store *store, int64_t now_ns, enum recoup__damage_kind kind)
{
    struct recoup__reader *reader = &store->reader;
    const struct recoup__file *file = &store->files[reader->file];
    bool tail = kind == RECOUP__DAMAGE_TORN || kind == RECOUP__DAMAGE_ZEROED
                || kind == RECOUP__DAMAGE_EMPTY;
    int error = damage_error(store, kind);

    RECOUP_ASSERT(kind != RECOUP__DAMAGE_NONE);
    if (kind == RECOUP__DAMAGE_EMPTY && file->fenced && file->first
        && file->limit == UINT64_MAX) {
        next_file(store, now_ns, reader->file + 1);  // a claim, see fence.c
        return;
    }
    // Before the limit that a later master has recorded, every byte was once readable.
    note_damage(store, kind, !tail || file->limit != UINT64_MAX);
    if (error != 0) {
        fail(store, now_ns, error);
        return;
    }
    if (policy(store, RECOUP_POLICY_HOLES)) {
        reader->broken = true;
        reader->in_checkpoint = false;
    }
    RECOUP_ASSERT(store->state == RECOUP__STORE_READING);
    next_file(store, now_ns, reader->file + 1);
}

// True if the INCARNATION record names exactly the prefix that has been read.
static bool follows_on(struct recoup__store *store, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    for (uint32_t i = 0; i < record->incarnation.n_files; i++) {
        const struct recoup__extent *extent = &record->incarnation.files[i];
        const struct recoup__file *file = find_file(store, extent);

        if (extent->bytes > 0 && (file == NULL || file->valid < extent->bytes)) {
            return false;
        }
    }
    return true;
}

// What is wrong with the number of this record, or NONE. Numbers run on from file to file of one
// master; a checkpoint that begins a file may skip some, since it comes after records that were
// given up.
static enum recoup__damage_kind check_sequence(const struct recoup__store *store,
                                               const struct recoup__frame *frame, uint64_t epoch,
                                               bool begins)
{
    const struct recoup__reader *reader = &store->reader;
    bool same = reader->stream == epoch && reader->expected != 0;
    uint64_t expected = same ? reader->expected : 1;
    bool ok =
        begins && reader->first_record ? frame->sequence >= expected : frame->sequence == expected;

    RECOUP_ASSERT(expected > 0);
    RECOUP_ASSERT(RECOUP_ERGO(reader->expected != 0, reader->scanner.format.contiguous));
    return ok || !reader->scanner.format.contiguous ? RECOUP__DAMAGE_NONE : RECOUP__DAMAGE_SEQUENCE;
}

// What is wrong with the file's header, or NONE.
static enum recoup__damage_kind check_header(const struct recoup__store *store)
{
    const struct recoup__scanner *scanner = &store->reader.scanner;
    const struct recoup__file *file = &store->files[store->reader.file];

    if (!scanner->format.contiguous) {
        return RECOUP__DAMAGE_NONE;
    }
    RECOUP_ASSERT(scanner->header_done);
    if (policy(store, RECOUP_POLICY_GRAPH_CHECK)
        && memcmp(scanner->header.digest, store->digest, sizeof store->digest) != 0) {
        return RECOUP__DAMAGE_FOREIGN;
    }
    if (scanner->header.index != file->index
        || (file->fenced && scanner->header.epoch != file->epoch)) {
        return RECOUP__DAMAGE_FOREIGN;
    }
    return RECOUP__DAMAGE_NONE;
}

// ---------------------------------------------------------------------------------------------
// Files: records

// True if the log begins with a master that went on from files which are not there any more: a
// compaction removed them and was not finished, so that its checkpoint comes later.
static bool first_goes_on(struct recoup__store *store, const struct recoup__record *record)
{
    const struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    return policy(store, RECOUP_POLICY_FENCING)
           && reader->opened.records == 0 && !reader->broken && !reader->in_checkpoint
           && !follows_on(store, record);
}

// Notes what a record of the store's own kind means for the rest. Returns false if the record does
// not count.
static bool admit(struct recoup__store *store, struct recoup__record *record)
{
    struct recoup__reader *reader = &store->reader;

    if (record->type != RECOUP__RECORD_CHECKPOINT_BEGIN
        && record->type != RECOUP__RECORD_INCARNATION) {
        return !reader->broken || reader->in_checkpoint;
    }
    if (record->type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        record->checkpoint_begin.replaces =
            record->checkpoint_begin.replaces || reader->broken || reader->gap;
        reader->in_checkpoint = true;
        reader->checkpoint_file = reader->file;
        return true;
    }
    // A checkpoint repeats this record right behind BEGIN; in another file it is that of the next
    // master: the one before died within its checkpoint, which will never be complete.
    RECOUP_ASSERT(record->type == RECOUP__RECORD_INCARNATION);
    if (reader->file != reader->checkpoint_file) {
        reader->in_checkpoint = false;
    }
    if (first_goes_on(store, record)) {
        reader->gap = true;
        reader->broken = true;
        note_damage(store, RECOUP__DAMAGE_MISSING, true);
    }
    // Where a gap is the end of the log, a master may have gone on from before it, and says so.
    if (reader->broken && !reader->in_checkpoint
        && (!reader->gap || !policy(store, RECOUP_POLICY_ON_GAP)) && follows_on(store, record)) {
        reader->broken = false;
        reader->gap = false;
    }
    RECOUP_ASSERT(RECOUP_ERGO(reader->in_checkpoint, reader->phase == RECOUP__READER_FILES));
    return !reader->broken || reader->in_checkpoint;
}

// A complete checkpoint has been delivered: it makes up for everything before it.
static void checkpoint_complete(struct recoup__reader *reader)
{
    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    if (reader->in_checkpoint) {
        reader->broken = false;
        reader->gap = false;
        reader->opened.lost = false;
        reader->covered = reader->checkpoint_file;
    }
    reader->in_checkpoint = false;
}

// Decodes the record in a frame. Returns RECOUP_ENOMEM or 0; *kind says what is wrong with it, or
// NONE.
static int decode(struct recoup__store *store, const struct recoup__frame *frame,
                  struct recoup__record *record, enum recoup__damage_kind *kind)
{
    struct recoup__reader *reader = &store->reader;
    int error =
        recoup__record_decode(&reader->decoder, frame->type, frame->body, frame->size, record);
    bool early;

    RECOUP_ASSERT(error <= 0);
    *kind = RECOUP__DAMAGE_NONE;
    if (error == 0 || error == RECOUP_ENOMEM) {
        return error;
    }
    // Flink takes a reset or initialization that ends early for the end of the file (section 3.2).
    early = reader->decoder.truncated && !policy(store, RECOUP_POLICY_ON_DAMAGE)
            && (frame->type == RECOUP__RECORD_RESET || frame->type == RECOUP__RECORD_INITIALIZED);
    if (error == RECOUP_EVERSION) {
        *kind = RECOUP__DAMAGE_TYPE;
    } else {
        *kind = early ? RECOUP__DAMAGE_TORN : RECOUP__DAMAGE_BODY;
    }
    RECOUP_ASSERT(*kind != RECOUP__DAMAGE_NONE);
    return 0;
}

// The record has been delivered.
static void delivered(struct recoup__store *store, const struct recoup__frame *frame,
                      const struct recoup__record *record, uint64_t epoch)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    reader->stream = epoch;
    if (reader->scanner.format.contiguous) {
        reader->expected = frame->sequence + 1;
    }
    reader->opened.records++;
    store->files[reader->file].valid = frame->end;
    if (record->type == RECOUP__RECORD_CHECKPOINT_END) {
        checkpoint_complete(reader);
    }
    RECOUP_ASSERT(store->files[reader->file].valid <= store->files[reader->file].limit);
}

// Delivers one record. 0: go on; RECOUP_ENOMEM: nothing has changed; *kind: the file ends here.
static int deliver(struct recoup__store *store, const struct recoup__frame *frame,
                   enum recoup__damage_kind *kind)
{
    struct recoup__reader *reader = &store->reader;
    const struct recoup__file *file = &store->files[reader->file];
    struct recoup__position position = {file->epoch, file->index, frame->offset, frame->sequence};
    bool was_broken = reader->broken;
    bool was_inside = reader->in_checkpoint;
    struct recoup__record record;
    int error = decode(store, frame, &record, kind);

    if (error != 0 || *kind != RECOUP__DAMAGE_NONE) {
        return error;
    }
    if (record.type == RECOUP__RECORD_ENDED && !policy(store, RECOUP_POLICY_FENCING)) {
        *kind = RECOUP__DAMAGE_TYPE;  // only a master that fences writes it
        return 0;
    }
    if (record.type == RECOUP__RECORD_ENDED) {
        // It stands for everything before it, read or not: files of an ended job are being removed.
        reader->opened.lost = false;
        finish(store, store->now_ns, RECOUP__OPENED_ENDED, 0);
        return 0;
    }
    if (reader->scanner.format.contiguous) {
        position.epoch = reader->scanner.header.epoch;
    } else {
        position.sequence = reader->opened.records + 1;
    }
    if (!admit(store, &record)) {
        RECOUP_ASSERT(reader->broken);
        reader->opened.lost = true;  // readable, but it does not follow on what was read
        return 0;
    }
    *kind = check_sequence(store, frame, position.epoch,
                           record.type == RECOUP__RECORD_CHECKPOINT_BEGIN);
    if (*kind != RECOUP__DAMAGE_NONE && policy(store, RECOUP_POLICY_HOLES)) {
        reader->broken = was_broken;
        reader->in_checkpoint = was_inside;
        return 0;
    }
    if (store->callbacks.on_record != NULL) {
        error = store->callbacks.on_record(store->callbacks.context, &record, &position);
    }
    if (error != 0) {
        reader->broken = was_broken;
        reader->in_checkpoint = was_inside;
        return error;
    }
    if (*kind != RECOUP__DAMAGE_NONE) {
        note_damage(store, *kind, true);
        *kind = RECOUP__DAMAGE_NONE;
    }
    delivered(store, frame, &record, position.epoch);
    return 0;
}

// Delivers the record in a frame that the scanner has just found. RECOUP_ENOMEM: nothing has
// changed. *again: look for the next one.
static int take_record(struct recoup__store *store, int64_t now_ns,
                       const struct recoup__frame *frame, bool *again)
{
    struct recoup__reader *reader = &store->reader;
    enum recoup__damage_kind kind =
        reader->first_record ? check_header(store) : RECOUP__DAMAGE_NONE;
    int error = 0;

    RECOUP_ASSERT(frame->end > frame->offset);
    *again = false;
    if (kind == RECOUP__DAMAGE_NONE && reader->late && frame->type != RECOUP__RECORD_ENDED) {
        if (frame->type != RECOUP__RECORD_INCARNATION) {
            missing(store);  // an INCARNATION record alone is a master's first
        }
        reader->late = false;
    }
    if (kind == RECOUP__DAMAGE_NONE) {
        error = deliver(store, frame, &kind);
    }
    if (error == 0 && kind == RECOUP__DAMAGE_NONE) {
        reader->first_record = false;
        *again = reader->phase == RECOUP__READER_FILES;
        return 0;
    }
    recoup__scanner_again(&reader->scanner, frame);
    if (error == RECOUP_ENOMEM) {
        return error;
    }
    if (error != 0) {
        fail(store, now_ns, error);
    } else {
        damaged(store, now_ns, kind);
    }
    return 0;
}

// The file has ended between two records.
static void file_ended(struct recoup__store *store, int64_t now_ns)
{
    const struct recoup__reader *reader = &store->reader;
    const struct recoup__file *file = &store->files[reader->file];

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    RECOUP_ASSERT(file->valid <= recoup__scanner_offset(&reader->scanner));
    if (file->limit != UINT64_MAX && recoup__scanner_offset(&reader->scanner) < file->limit) {
        damaged(store, now_ns, RECOUP__DAMAGE_SHORT);
    } else {
        next_file(store, now_ns, reader->file + 1);
    }
}

// Records of finishes are mostly of one length, and subtasks finish in no order of memory. The one
// that comes some records later is made known, unless they finish in order, one after the other.
static void look_ahead(const struct recoup__store *store, const struct recoup__frame *frame)
{
    const struct recoup__scanner *scanner = &store->reader.scanner;
    const uint8_t *body;

    RECOUP_ASSERT(frame->end > frame->offset);
    if (frame->type != RECOUP__RECORD_FINISHED || store->callbacks.on_expected == NULL
        || frame->size < 8 || frame->size > LOOK_AHEAD_SIZE) {
        return;
    }
    body = recoup__scanner_guess(scanner, frame, LOOK_AHEAD, 8);
    if (body != NULL
        && recoup__get32(body + 4) - recoup__get32(frame->body + 4) != LOOK_AHEAD) {
        store->callbacks.on_expected(store->callbacks.context, recoup__get32(body),
                                     recoup__get32(body + 4));
    }
}

// Delivers the records that the bytes read so far hold. RECOUP_ENOMEM: repeat with the same event.
static int scan_files(struct recoup__store *store, int64_t now_ns, bool ended)
{
    struct recoup__reader *reader = &store->reader;
    struct recoup__frame frame;
    bool again = true;
    int error = 0;

    RECOUP_ASSERT(reader->phase == RECOUP__READER_FILES);
    while (again && error == 0) {
        enum recoup__scan scan = recoup__scanner_next(&reader->scanner, ended, &frame);

        again = false;
        if (scan == RECOUP__SCAN_MORE) {
            issue_read(store);
        } else if (scan == RECOUP__SCAN_END) {
            file_ended(store, now_ns);
        } else if (scan == RECOUP__SCAN_DAMAGED) {
            damaged(store, now_ns, reader->scanner.damage);
        } else {
            look_ahead(store, &frame);
            error = take_record(store, now_ns, &frame, &again);
        }
    }
    RECOUP_ASSERT(error == 0 || error == RECOUP_ENOMEM);
    return error;
}

// ---------------------------------------------------------------------------------------------
// Ends of operations

// The storage has not let itself be opened: the end of the opening, or of an attempt to catch up on
// it.
static void give_up(struct recoup__store *store, int64_t now_ns, int error)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(error != 0);
    if (store->reopening) {
        store->reopening = false;
        reader->phase = RECOUP__READER_DONE;
        recoup__writer_unread(store, now_ns, error);
        recoup__writer_request_close(store);
    } else if (store->first && reader->phase < RECOUP__READER_HEADS && error != RECOUP_EFENCED
               && policy(store, RECOUP_POLICY_ON_ERROR)) {
        unread(store, now_ns, error);
    } else {
        fail(store, now_ns, error);
    }
}

// A file that was listed is gone. By the protocol it is covered by a checkpoint that is still to be
// read; if not, the log has a gap.
static void vanished(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__reader *reader = &store->reader;
    struct recoup__file *file = &store->files[reader->file];

    RECOUP_ASSERT(reader->phase >= RECOUP__READER_HEADS);
    if (reader->phase == RECOUP__READER_FILES) {
        missing(store);
        next_file(store, now_ns, reader->file + 1);
        return;
    }
    if (reader->file + 1 < store->n_files && file[1].epoch == file->epoch) {
        file[1].gap = true;
        file[1].first = false;
    }
    skip_head(store, now_ns);
}

static void issue_phase(struct recoup__store *store);

// The operation under way has failed: tried again for some time, or given up.
static void operation_failed(struct recoup__store *store, int64_t now_ns, int error)
{
    struct recoup__reader *reader = &store->reader;
    bool claiming = reader->phase == RECOUP__READER_CLAIM
                    || reader->phase == RECOUP__READER_CLAIM_CLOSE;
    int64_t end_ns = recoup__later(reader->start_ns, store->limits.opening_ns);

    RECOUP_ASSERT(!store->io.busy);
    if (error == RECOUP_ENOENT && reader->phase >= RECOUP__READER_HEADS
        && policy(store, RECOUP_POLICY_ON_GAP)) {
        vanished(store, now_ns);
        return;
    }
    if (reader->phase == RECOUP__READER_CLAIM && recoup__writer_not_created(store, error)) {
        issue_phase(store);  // the name of the attempt before exists: the next one
        return;
    }
    if ((claiming && error == RECOUP_EEXIST)
        || (reader->phase == RECOUP__READER_LIST && error == RECOUP_ENOENT
            && policy(store, RECOUP_POLICY_FENCING))) {
        give_up(store, now_ns, RECOUP_EFENCED);  // this name is taken, or the claim is gone
        return;
    }
    if (claiming) {
        // The directory may have gone with the log of an ended job.
        recoup__writer_forget_file(&store->writer);
        reader->phase =
            error == RECOUP_ENOENT ? RECOUP__READER_MKDIR : RECOUP__READER_CLAIM;
    }
    if (!policy(store, RECOUP_POLICY_ON_ERROR) || store->reopening
        || recoup__later(now_ns, wait_ns(reader)) > end_ns) {
        give_up(store, now_ns, error);
    } else {
        back_off(reader, now_ns);
    }
}

// The listing forbids to go on.
static void give_up_listing(struct recoup__store *store, int64_t now_ns, int error)
{
    RECOUP_ASSERT(error != 0);
    RECOUP_ASSERT(store->reader.phase == RECOUP__READER_LIST);
    if (store->reopening) {
        give_up(store, now_ns, error);
    } else {
        fail(store, now_ns, error);
    }
}

static void listed(struct recoup__store *store, int64_t now_ns, const struct recoup_event *event)
{
    struct recoup__reader *reader = &store->reader;
    int error;

    recoup__listing_take(store, event);
    error = recoup__listing_judge(store, event);
    if (error != 0) {
        give_up_listing(store, now_ns, error);
        return;
    }
    if (!policy(store, RECOUP_POLICY_ON_GAP)) {
        recoup__listing_keep_run(store);
    }
    if (recoup__listing_mark_gaps(store) && policy(store, RECOUP_POLICY_ON_GAP)
        && !store->storage.list_consistent && reader->attempts + 1 < RECOUP__LIST_ATTEMPTS
        && !store->reopening) {
        back_off(reader, now_ns);  // the listing may be stale
        return;
    }
    RECOUP_ASSERT(store->n_files <= store->files_capacity);
    reader->attempts = 0;
    store->writer.next_index = recoup__listing_next_index(store);
    if (store->reopening) {
        store->reopening = false;
        reader->phase = RECOUP__READER_DONE;
        recoup__checkpoint_start(store, now_ns, true);  // it replaces whatever has been listed
        return;
    }
    recoup__writer_start(store, now_ns);
    recoup__store_move(store, RECOUP__STORE_READING);
    start_heads(store, now_ns);
}

static int read_done(struct recoup__store *store, int64_t now_ns, const struct recoup_event *event)
{
    struct recoup__reader *reader = &store->reader;
    bool ended = event->io.data == NULL || event->io.size == 0;
    size_t size = ended ? 0 : event->io.size;
    int error;

    if (size > store->io.size) {
        return RECOUP_EMISUSE;
    }
    if (!reader->fed) {
        error = recoup__scanner_feed(&reader->scanner, event->io.data, size);
        if (error != 0) {
            return RECOUP_ENOMEM;
        }
        reader->fed = true;
        reader->opened.bytes += size;
    }
    RECOUP_ASSERT(recoup__scanner_fed(&reader->scanner) <= store->files[reader->file].limit);
    ended = ended || recoup__scanner_fed(&reader->scanner) == store->files[reader->file].limit;
    store->io.busy = false;
    error = reader->phase == RECOUP__READER_HEADS ? scan_head(store, now_ns, ended)
                                                  : scan_files(store, now_ns, ended);
    if (error != 0) {
        store->io.busy = true;
        recoup__scanner_keep(&reader->scanner);  // the event that comes again need not be this one
    }
    reader->attempts = error == 0 ? 0 : reader->attempts;
    return error;
}

// Issues the operation of the phase.
static void issue_phase(struct recoup__store *store)
{
    switch ((unsigned)store->reader.phase) {
    case RECOUP__READER_MKDIR:
        recoup__store_issue(store, RECOUP_ACTION_MKDIR, NULL);
        break;
    case RECOUP__READER_CLAIM:
        recoup__writer_create(store);
        break;
    case RECOUP__READER_CLAIM_CLOSE:
        recoup__store_issue(store, RECOUP_ACTION_CLOSE, &store->files[store->writer.file]);
        break;
    case RECOUP__READER_LIST:
        recoup__store_issue(store, RECOUP_ACTION_LIST, NULL);
        break;
    default:
        issue_read(store);
        break;
    }
    RECOUP_ASSERT(store->io.busy);
}

static enum recoup__reader_phase phase_after(struct recoup__store *store)
{
    enum recoup__reader_phase phase = store->reader.phase;

    RECOUP_ASSERT(phase < RECOUP__READER_LIST);
    if (phase == RECOUP__READER_MKDIR && policy(store, RECOUP_POLICY_FENCING)) {
        return RECOUP__READER_CLAIM;
    }
    if (phase == RECOUP__READER_CLAIM && store->storage.durable_at == RECOUP_DURABLE_AT_CLOSE) {
        return RECOUP__READER_CLAIM_CLOSE;
    }
    return RECOUP__READER_LIST;
}

// MKDIR or one of the claim's operations has succeeded.
static void prepared(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__reader *reader = &store->reader;
    enum recoup__reader_phase done = reader->phase;

    RECOUP_ASSERT(done < RECOUP__READER_LIST);
    if (done == RECOUP__READER_CLAIM) {
        recoup__writer_created(store, now_ns);
    } else if (done == RECOUP__READER_CLAIM_CLOSE) {
        store->files[store->writer.file].visible = true;
        recoup__writer_forget_file(&store->writer);
    }
    reader->phase = phase_after(store);
    reader->attempts = 0;
    issue_phase(store);
}

// The reads of phase HEADS are counted as read, like all others: they cost the same.
int recoup__reader_io(struct recoup__store *store, int64_t now_ns, const struct recoup_event *event)
{
    struct recoup__reader *reader = &store->reader;
    int error = 0;

    RECOUP_ASSERT(store->io.busy);
    if (event->io.error == 0 && reader->phase >= RECOUP__READER_HEADS) {
        return read_done(store, now_ns, event);
    }
    if (event->io.error == 0 && reader->phase == RECOUP__READER_LIST) {
        error = recoup__fence_reserve(store, event->io.n_names);
        if (error != 0) {
            return error;
        }
    }
    store->io.busy = false;
    if (event->io.error != 0) {
        operation_failed(store, now_ns, event->io.error);
    } else if (reader->phase < RECOUP__READER_LIST) {
        prepared(store, now_ns);
    } else {
        RECOUP_ASSERT(reader->phase == RECOUP__READER_LIST);
        listed(store, now_ns, event);
    }
    return 0;
}

void recoup__reader_timer(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__reader *reader = &store->reader;

    if (reader->retry_ns > now_ns || store->io.busy) {
        return;
    }
    reader->retry_ns = RECOUP_NEVER;
    RECOUP_ASSERT(reader->phase != RECOUP__READER_IDLE && reader->phase != RECOUP__READER_DONE);
    issue_phase(store);
}

static void begin(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__reader *reader = &store->reader;

    RECOUP_ASSERT(!store->io.busy);
    memset(&reader->opened, 0, sizeof reader->opened);
    reader->phase = RECOUP__READER_MKDIR;
    reader->start_ns = now_ns;
    reader->attempts = 0;
    reader->retry_ns = RECOUP_NEVER;
    reader->late = false;
    reader->broken = false;
    reader->gap = false;
    reader->in_checkpoint = false;
    reader->covered = 0;
    reader->stream = 0;
    reader->expected = 0;
    issue_phase(store);
    RECOUP_ASSERT(store->io.busy);
}

void recoup__reader_start(struct recoup__store *store)
{
    RECOUP_ASSERT(store->state == RECOUP__STORE_OPENING);
    begin(store, store->now_ns);
}

void recoup__reader_again(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__opened opened = store->reader.opened;

    RECOUP_ASSERT(store->state == RECOUP__STORE_OPEN && !store->reopening);
    RECOUP_ASSERT(opened.result == RECOUP__OPENED_UNREAD);
    store->reopening = true;
    begin(store, now_ns);
    store->reader.opened = opened;
}
