// SPDX-License-Identifier: GPL-3.0-or-later
//
// The independent reader: which files count, how far, and the records in them. What the records
// mean is in reference_replay.c.
//
// Files. Without fencing "events.<index>", with fencing "events.<epoch>.<index>", in the order of
// epoch and index. With fencing the newest readable INCARNATION record says how many bytes of each
// older file count; a file that it does not name counts for nothing. Records. three-writes: int32
// BE type, int32 BE length, body (with checksums: 8 bytes more). contiguous: after a header of 64
// bytes: checksum 8, length 4, type 4, number 8, body, all LE. A file ends at the first record that
// is not whole. With holes = prefix so does the log of its master, and what follows counts only if
// an INCARNATION record names this end, or a checkpoint replaces everything.
#include "models/reference_internal.h"

#include <string.h>

#define XXH_STATIC_LINKING_ONLY // for the size of its state, which then needs no allocation
#include <xxhash.h>

#include "sim/banned.h"

#define REFERENCE_HEADER_BYTES 64u
#define REFERENCE_FRAME_BYTES 24u
#define REFERENCE_FLINK_FRAME_BYTES 8u

// --- bytes ---------------------------------------------------------------------------------------

const uint8_t *reference_bytes(struct reference_cursor *c, uint64_t offset, size_t n)
{
    SIM_ASSERT(n <= REFERENCE_WINDOW_BYTES);
    if (n > c->end || offset > c->end - n) {
        c->ended = true;
        return c->zeros;
    }
    if (offset < c->window_at || offset + n > c->window_at + c->window_size) {
        c->window_at = offset;
        c->window_size = storage_file_read(c->w, c->file, offset, c->window, sizeof(c->window));
    }
    if (offset + n > c->window_at + c->window_size) {
        c->ended = true;
        return c->zeros;
    }
    return c->window + (offset - c->window_at);
}

uint64_t reference_number(struct reference_cursor *c, uint32_t bytes)
{
    const uint8_t *p = reference_bytes(c, c->at, bytes);
    uint64_t value = 0;

    SIM_ASSERT(bytes <= 8);
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    c->at += bytes;
    return c->ended ? 0 : value;
}

static uint32_t reference_big_endian(struct reference_cursor *c, uint64_t offset)
{
    const uint8_t *p = reference_bytes(c, offset, 4);

    SIM_DEBUG_ASSERT(p != NULL);
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void reference_open(struct reference_cursor *c, struct model_world *w, uint32_t file,
                           uint64_t limit)
{
    uint64_t size = storage_file_size(w, file);

    SIM_ASSERT(file < storage_file_count(w));
    memset(c, 0, sizeof(*c));
    c->w = w;
    c->file = file;
    c->end = size < limit ? size : limit;
}

// XXH3 of a stretch of the file.
static uint64_t reference_checksum(struct reference_cursor *c, uint64_t offset, uint64_t size,
                                   uint64_t seed)
{
    XXH3_state_t state;

    SIM_ASSERT(offset + size <= c->end);
    memset(&state, 0, sizeof(state));
    XXH3_64bits_reset_withSeed(&state, seed);
    while (size > 0) {
        size_t n = size < REFERENCE_WINDOW_BYTES ? (size_t)size : REFERENCE_WINDOW_BYTES;

        XXH3_64bits_update(&state, reference_bytes(c, offset, n), n);
        offset += n;
        size -= n;
    }
    return XXH3_64bits_digest(&state);
}

// --- frames --------------------------------------------------------------------------------------

static int64_t reference_policy(const struct model_world *w, enum recoup_policy policy)
{
    SIM_ASSERT(policy < RECOUP_POLICY_COUNT);
    return w->config->options.policy[policy];
}

static bool reference_header(struct reference_cursor *c)
{
    static const uint8_t magic[8] = {'R', 'E', 'C', 'O', 'U', 'P', 0x0d, 0x0a};
    bool checksum = reference_policy(c->w, RECOUP_POLICY_CHECKSUM) != 0;

    SIM_ASSERT(c->at == 0);
    if (memcmp(reference_bytes(c, 0, 8), magic, 8) != 0 || c->end < REFERENCE_HEADER_BYTES) {
        return false;
    }
    c->at = 32;
    c->epoch = reference_number(c, 8);
    c->at = 56;
    c->seed = reference_number(c, 8);
    SIM_ASSERT(c->at == REFERENCE_HEADER_BYTES || c->ended);
    return !c->ended && (!checksum || reference_checksum(c, 0, 56, 0) == c->seed);
}

// Finds the frame at c->at: type, body, end. False at the end of what is whole.
static bool reference_frame(struct reference_cursor *c)
{
    bool checksum = reference_policy(c->w, RECOUP_POLICY_CHECKSUM) != 0;
    uint64_t start = c->at;
    uint64_t size;

    SIM_ASSERT(!c->ended);
    if (reference_policy(c->w, RECOUP_POLICY_FRAMING) == 0) {
        c->type = reference_big_endian(c, start + 4);
        size = c->type;
        c->type = reference_big_endian(c, start);
        c->body = start + REFERENCE_FLINK_FRAME_BYTES;
        c->body_end = c->body + size;
        if (c->ended || size > INT32_MAX || c->body_end > c->end || (checksum && size < 8)) {
            return false;
        }
        c->frame_end = c->body_end;
        c->body_end -= checksum ? 8 : 0;
        c->at = c->body_end;
        return !checksum ||
               reference_checksum(c, start, c->body_end - start, c->seed) == reference_number(c, 8);
    }
    c->at = start + 8;
    size = reference_number(c, 4);
    c->type = (uint32_t)reference_number(c, 4);
    c->sequence = reference_number(c, 8);
    c->body = start + REFERENCE_FRAME_BYTES;
    c->body_end = c->frame_end = c->body + size;
    if (c->ended || size > RECOUP_EVENT_SIZE_MAX || c->body_end > c->end || c->type == 0) {
        return false;
    }
    c->at = start;
    return !checksum || reference_checksum(c, start + 8, c->body_end - start - 8, c->seed) ==
                            reference_number(c, 8);
}

static bool reference_begin(struct reference_cursor *c)
{
    SIM_ASSERT(c->at == 0);
    SIM_ASSERT(!c->ended);
    return reference_policy(c->w, RECOUP_POLICY_FRAMING) == 0 || reference_header(c);
}

bool reference_next(struct reference_cursor *c)
{
    uint64_t start = c->at;

    if (c->ended || start >= c->end || !reference_frame(c)) {
        c->at = start;
        c->torn = start < c->end;
        return false;
    }
    SIM_ASSERT(c->body <= c->body_end);
    SIM_ASSERT(c->frame_end <= c->end);
    c->start = start;
    c->at = c->body;
    return true;
}

// --- files ---------------------------------------------------------------------------------------

static bool reference_digits(const char *text, uint32_t n, uint32_t base, uint64_t *value)
{
    SIM_ASSERT(base == 10 || base == 16);
    *value = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t digit = base;

        if (text[i] >= '0' && text[i] <= '9') {
            digit = (uint32_t)(text[i] - '0');
        } else if (text[i] >= 'a' && text[i] <= 'f') {
            digit = (uint32_t)(text[i] - 'a') + 10;
        }
        if (digit >= base) {
            return false;
        }
        *value = *value * base + digit;
    }
    SIM_DEBUG_ASSERT(n <= 16);
    return n > 0;
}

bool reference_file_name(const struct model_world *w, const char *name, uint64_t *epoch,
                         uint64_t *index)
{
    bool fencing = reference_policy(w, RECOUP_POLICY_FENCING) != 0;
    size_t size = strlen(name);

    SIM_ASSERT(size < MODEL_FILE_NAME_MAX);
    *epoch = 0;
    if (size < 8 || memcmp(name, "events.", 7) != 0) {
        return false;
    }
    if (!fencing) {
        return size <= 7 + 9 && reference_digits(name + 7, (uint32_t)size - 7, 10, index);
    }
    SIM_ASSERT(fencing);
    return size == 30 && name[23] == '.' && reference_digits(name + 7, 16, 16, epoch) &&
           reference_digits(name + 24, 6, 10, index);
}

static bool reference_before(const struct reference_file *a, const struct reference_file *b)
{
    return a->epoch < b->epoch || (a->epoch == b->epoch && a->index < b->index);
}

static void reference_sort(struct reference_file *files, uint32_t n)
{
    SIM_ASSERT(n == 0 || files != NULL);
    for (uint32_t i = 1; i < n; i++) { // by insertion: they appear nearly in order
        struct reference_file file = files[i];
        uint32_t k = i;

        for (; k > 0 && reference_before(&file, &files[k - 1]); k--) {
            files[k] = files[k - 1];
        }
        files[k] = file;
        SIM_ASSERT(k <= i);
    }
}

// Files are numbered from 0 (with fencing: in each epoch). Marks those that do not follow on the
// one before: something is missing there, which only a checkpoint can make up for. Where a gap is
// the end of the log it ends there; a log that is compacted begins where it begins.
static uint32_t reference_check_gaps(struct model_world *w, struct reference_file *files,
                                     uint32_t n)
{
    bool ends = reference_policy(w, RECOUP_POLICY_ON_GAP) == 0 &&
                reference_policy(w, RECOUP_POLICY_FENCING) == 0;

    SIM_ASSERT(n == 0 || files != NULL);
    for (uint32_t i = 0; i < n; i++) {
        bool follows = i > 0 && files[i - 1].epoch == files[i].epoch;

        files[i].first = !follows;
        files[i].gap = files[i].index != (follows ? files[i - 1].index + 1 : 0);
        if (files[i].gap && ends &&
            (i > 0 || reference_policy(w, RECOUP_POLICY_COMPACTION) == 0)) {
            w->invariants.reference.gap = true;
            return i;
        }
    }
    SIM_ASSERT(!w->invariants.reference.gap);
    return n;
}

static uint32_t reference_files(struct model_world *w, struct reference_file *files)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < storage_file_count(w); i++) {
        struct reference_file *file = &files[n];

        if (!storage_file_hidden(w, i) &&
            reference_file_name(w, storage_file_name(w, i), &file->epoch, &file->index)) {
            file->file = i;
            file->limit = UINT64_MAX;
            file->valid = 0;
            n++;
        }
    }
    SIM_ASSERT(n <= storage_file_count(w));
    reference_sort(files, n);
    return reference_check_gaps(w, files, n);
}

// --- limits --------------------------------------------------------------------------------------

static struct reference_file *reference_find(const struct reference_log *scan, uint64_t epoch,
                                             uint64_t index)
{
    SIM_ASSERT(scan->n == 0 || scan->files != NULL);
    for (uint32_t i = 0; i < scan->n; i++) {
        if (scan->files[i].epoch == epoch && scan->files[i].index == index) {
            return &scan->files[i];
        }
    }
    SIM_DEBUG_ASSERT(index <= UINT32_MAX);
    return NULL;
}

// The cursor stands at an INCARNATION record in files[head]. With `apply` its extents become the
// limits of the files before; without, true says that all of them were read in full.
static bool reference_extents(struct reference_cursor *c, struct reference_log *scan, uint32_t head,
                              bool apply)
{
    uint64_t count;
    bool follows = true;

    SIM_ASSERT(c->type == REFERENCE_INCARNATION);
    c->at = c->body + 24;
    count = reference_number(c, 4);
    for (uint32_t i = 0; apply && i < head; i++) {
        scan->files[i].limit = 0;
    }
    for (uint64_t i = 0; i < count && !c->ended; i++) {
        uint64_t epoch = reference_number(c, 8);
        uint64_t index = reference_number(c, 4);
        uint64_t bytes = reference_number(c, 8);
        struct reference_file *file = reference_find(scan, epoch, index);

        follows = follows && (bytes == 0 || (file != NULL && file->valid >= bytes));
        if (apply && file != NULL && file < scan->files + head) {
            file->limit = bytes;
        } else if (apply && file == NULL && bytes > 0) {
            scan->gap = true;
        }
    }
    SIM_ASSERT(c->at >= c->body);
    c->at = c->body;
    return follows && !c->ended;
}

// True if files[head] begins with whole records; then the limits it sets are applied.
static bool reference_read_head(struct model_world *w, struct reference_log *scan, uint32_t head)
{
    struct reference_cursor c;

    SIM_ASSERT(head < scan->n);
    reference_open(&c, w, scan->files[head].file, UINT64_MAX);
    if (c.end == 0 || !reference_begin(&c) || !reference_next(&c)) {
        return false;
    }
    if (c.type == REFERENCE_CHECKPOINT_BEGIN) {
        c.at = c.frame_end;
        if (!reference_next(&c)) {
            return false;
        }
    }
    if (c.type == REFERENCE_INCARNATION) {
        reference_extents(&c, scan, head, true);
    }
    return true;
}

// Tries the files of one master in turn: after an error it may have begun anew in a later one. A
// file that does not begin well counts for nothing.
static bool reference_read_heads(struct model_world *w, struct reference_log *scan, uint32_t from,
                                 uint32_t to)
{
    SIM_ASSERT(from < to);
    for (uint32_t i = from; i < to; i++) {
        if (reference_read_head(w, scan, i)) {
            return true;
        }
        scan->files[i].limit = 0;
    }
    SIM_ASSERT(scan->files[from].limit == 0);
    return false;
}

// The oldest master's files have nothing before them to be limited, but a compaction that was not
// finished may have removed what they go on from. The first of them may be empty.
static void reference_read_first(struct model_world *w, struct reference_log *scan)
{
    struct reference_cursor c;
    bool begins = false;

    SIM_ASSERT(scan->n > 0);
    for (uint32_t i = 0; i < scan->n && !begins; i++) {
        reference_open(&c, w, scan->files[i].file, UINT64_MAX);
        begins = c.end != 0 && reference_begin(&c) && reference_next(&c);
        if (begins && c.type == REFERENCE_INCARNATION) {
            reference_extents(&c, scan, i, true);
        }
    }
    SIM_ASSERT(scan->files[0].valid == 0);
}

// With fencing the newest master that came to write anything says what counts of those before; one
// that did not counts for nothing.
static void reference_find_limits(struct model_world *w, struct reference_log *scan)
{
    uint32_t end = scan->n;

    if (reference_policy(w, RECOUP_POLICY_FENCING) == 0) {
        return;
    }
    while (end > 0) {
        uint32_t head = end - 1;

        while (head > 0 && scan->files[head - 1].epoch == scan->files[head].epoch) {
            head--;
        }
        if (head == 0) {
            reference_read_first(w, scan);
            break;
        }
        if (reference_read_heads(w, scan, head, end)) {
            break;
        }
        SIM_ASSERT(head < end);
        end = head;
    }
    scan->broken = scan->gap;
    SIM_ASSERT(scan->n == 0 || scan->files != NULL);
}

// --- the log -------------------------------------------------------------------------------------

// False if the number of the record says that one before it is missing.
static bool reference_in_sequence(const struct reference_cursor *c, struct reference_log *scan,
                                  bool first)
{
    bool same = scan->stream == c->epoch && scan->expected != 0;
    uint64_t expected = same ? scan->expected : 1;
    bool begins = first && c->type == REFERENCE_CHECKPOINT_BEGIN;

    SIM_ASSERT(expected > 0);
    if (reference_policy(c->w, RECOUP_POLICY_FRAMING) == 0) {
        return true;
    }
    if (begins ? c->sequence < expected : c->sequence != expected) {
        return reference_policy(c->w, RECOUP_POLICY_HOLES) == 0;
    }
    return true;
}

// One whole record. False: the file ends here all the same.
static bool reference_take(struct reference_cursor *c, struct reference_log *scan, uint32_t file)
{
    bool first = scan->files[file].valid == 0;
    bool begins = c->type == REFERENCE_CHECKPOINT_BEGIN;

    SIM_ASSERT(c->at == c->body);
    if (c->type == REFERENCE_INCARNATION && c->previous != REFERENCE_CHECKPOINT_BEGIN) {
        scan->in_checkpoint = false; // of a master that died within it
    }
    if ((!scan->broken || begins || scan->in_checkpoint) &&
        !reference_in_sequence(c, scan, first)) {
        return false;
    }
    c->replaces = begins && (scan->broken || scan->gap);
    scan->in_checkpoint = scan->in_checkpoint || begins;
    if (scan->broken && !scan->in_checkpoint && c->type == REFERENCE_INCARNATION &&
        (!scan->gap || reference_policy(c->w, RECOUP_POLICY_ON_GAP) == 0) &&
        reference_extents(c, scan, file, false)) {
        scan->broken = false;
        scan->gap = false; // a master took it for the end of the log, and went on from there
    }
    if (scan->broken && !scan->in_checkpoint) {
        return true;
    }
    scan->stream = c->epoch;
    scan->expected = c->sequence + 1;
    c->w->invariants.reference.records++;
    reference_record(c);
    scan->files[file].valid = c->frame_end;
    if (c->type == REFERENCE_CHECKPOINT_END) {
        scan->broken = scan->broken && !scan->in_checkpoint;
        scan->gap = scan->gap && !scan->in_checkpoint;
        scan->in_checkpoint = false;
    }
    return true;
}

// True if the first record that the epoch has opens its log, so that no file before it held any.
static bool reference_opens(struct model_world *w, const struct reference_log *scan, uint32_t index)
{
    const struct reference_file *file = &scan->files[index];
    struct reference_cursor c;

    SIM_ASSERT(index < scan->n);
    if (!file->first || reference_policy(w, RECOUP_POLICY_FENCING) == 0) {
        return false;
    }
    reference_open(&c, w, file->file, file->limit);
    return c.end != 0 && reference_begin(&c) && reference_next(&c) &&
           c.type == REFERENCE_INCARNATION;
}

static void reference_file_read(struct model_world *w, struct reference_log *scan, uint32_t index)
{
    struct model_reference *reference = &w->invariants.reference;
    struct reference_file *file = &scan->files[index];
    bool prefix = reference_policy(w, RECOUP_POLICY_HOLES) != 0;
    struct reference_cursor c;
    bool whole;

    SIM_ASSERT(!reference->failed);
    if (file->limit == 0) {
        return;
    }
    reference_open(&c, w, file->file, file->limit);
    if (c.end == 0 && file->first && file->limit == UINT64_MAX &&
        reference_policy(w, RECOUP_POLICY_FENCING) != 0) {
        return; // a claim
    }
    if (file->gap && !reference_opens(w, scan, index)) {
        scan->gap = true;
        scan->broken = true; // what follows may build on what is missing
        scan->in_checkpoint = false;
    }
    whole = reference_begin(&c);
    while (whole && !reference->failed && reference_next(&c)) {
        whole = reference_take(&c, scan, index);
        c.previous = c.type;
        c.at = whole ? c.frame_end : c.at;
    }
    // An empty file of Flink's framing is whole; one with a header is not.
    if (!whole || c.torn || (file->limit != UINT64_MAX && c.at < file->limit)) {
        reference->damaged++;
        scan->broken = scan->broken || prefix;
        scan->in_checkpoint = scan->in_checkpoint && !prefix;
    }
    SIM_ASSERT(file->valid <= storage_file_size(w, file->file));
}

static int reference_prepare(struct model_world *w)
{
    struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(w->now_ns >= 0);
    reference->read = true;
    reference->failed = reference->gap = false;
    reference->damaged = 0;
    reference->records = 0;
    if (w->n_attempts > reference->capacity || reference->attempt_bits == NULL) {
        reference->capacity = w->n_attempts + w->n_attempts / 2 + 64;
        reference->attempt_bits = world_alloc(w, reference->capacity, 1);
    }
    if (w->master.incarnation >= reference->readable_capacity) {
        reference->readable_capacity = w->master.incarnation * 2 + 16;
        reference->readable = world_alloc(w, reference->readable_capacity, sizeof(uint32_t));
    }
    if (w->error != 0) {
        reference->read = false;
        return w->error;
    }
    reference->n_attempts = w->n_attempts;
    memset(reference->attempt_bits, 0, reference->n_attempts);
    memset(reference->readable, 0, reference->readable_capacity * sizeof(uint32_t));
    return w->invariants.on ? reference_pictures_clear(w) : 0;
}

void reference_read(struct model_world *w)
{
    struct model_reference *reference = &w->invariants.reference;
    uint32_t count = storage_file_count(w);
    struct reference_log scan = {0};

    if (reference_prepare(w) != 0 || count == 0) {
        return;
    }
    scan.files = world_alloc(w, count, sizeof(*scan.files));
    if (scan.files == NULL) {
        reference->read = false;
        return;
    }
    scan.n = reference_files(w, scan.files);
    SIM_ASSERT(scan.n <= count);
    reference_find_limits(w, &scan);
    for (uint32_t i = 0; i < scan.n && !reference->failed && w->error == 0; i++) {
        reference_file_read(w, &scan, i);
    }
    if (scan.gap && reference_policy(w, RECOUP_POLICY_ON_GAP) != 0) {
        reference->failed = true;
    }
    if (w->invariants.on) {
        reference_replay_end(w);
    }
    SIM_ASSERT(reference->read);
}

bool reference_readable(const struct model_world *w, uint32_t attempt)
{
    const struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(attempt < w->n_attempts);
    SIM_ASSERT(SIM_ERGO(reference->read, reference->attempt_bits != NULL));
    return reference->read && attempt < reference->n_attempts &&
           (reference->attempt_bits[attempt] & 1u) != 0;
}

uint32_t reference_readable_event(const struct model_world *w, uint32_t incarnation)
{
    const struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(incarnation > 0);
    SIM_ASSERT(SIM_ERGO(reference->read, reference->readable != NULL));
    return reference->read && incarnation < reference->readable_capacity
               ? reference->readable[incarnation]
               : 0;
}
