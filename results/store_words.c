// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "recovery/replay.h"

#define ITEMS_MAX 8u // of a list in text; JSON has all of them

const char *results_store_type_name(uint32_t type)
{
    static const char *const names[] = {"UNKNOWN",     "FINISHED", "RESET",
                                        "INITIALIZED", "INCARNATION", "SNAPSHOT",
                                        "CHECKPOINT_BEGIN", "CHECKPOINT_END", "GAP", "ENDED"};

    return type < sizeof names / sizeof names[0] ? names[type] : names[0];
}

struct damage_words {
    const char *name;
    const char *sentence;
    enum results_store_answer flink;
    enum results_store_answer hardened;
};

static const struct damage_words damages[] = {
    [RECOUP__DAMAGE_NONE] = {"none", "nothing is wrong", RESULTS_STORE_SKIP, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_TORN] = {"torn", "the file ends inside a record or its header",
                             RESULTS_STORE_SKIP, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_ZEROED] = {"zeroed", "nothing but zeroes where a record would begin",
                               RESULTS_STORE_WIPE, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_CHECKSUM] = {"checksum", "the record does not match its checksum",
                                 RESULTS_STORE_WIPE, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_LENGTH] = {"length", "a length that no record has", RESULTS_STORE_WIPE,
                               RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_TYPE] = {"type", "a record of an unknown type", RESULTS_STORE_WIPE,
                             RESULTS_STORE_REFUSE},
    [RECOUP__DAMAGE_BODY] = {"body", "no record of its type has such a body", RESULTS_STORE_WIPE,
                             RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_SEQUENCE] = {"sequence", "the number does not follow on the one before",
                                 RESULTS_STORE_WIPE, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_HEADER] = {"header", "no file header of an event store, or a damaged one",
                               RESULTS_STORE_WIPE, RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_VERSION] = {"version", "the file header is of another format version",
                                RESULTS_STORE_REFUSE, RESULTS_STORE_REFUSE},
    [RECOUP__DAMAGE_FOREIGN] = {"foreign",
                                "the file header names another job, graph, epoch or index",
                                RESULTS_STORE_REFUSE, RESULTS_STORE_REFUSE},
    [RECOUP__DAMAGE_EMPTY] = {"empty", "the file has no byte", RESULTS_STORE_SKIP,
                              RESULTS_STORE_CUT},
    [RECOUP__DAMAGE_MISSING] = {"missing", "a file of the sequence is missing", RESULTS_STORE_END,
                                RESULTS_STORE_REFUSE},
    [RECOUP__DAMAGE_SHORT] = {"short", "the file ends before what a later master had read of it",
                              RESULTS_STORE_SKIP, RESULTS_STORE_CUT},
};

const char *results_store_damage_name(enum recoup__damage_kind kind)
{
    return damages[kind].name;
}

const char *results_store_damage_sentence(enum recoup__damage_kind kind)
{
    return damages[kind].sentence;
}

enum results_store_answer results_store_answer(enum recoup__damage_kind kind, bool hardened)
{
    return hardened ? damages[kind].hardened : damages[kind].flink;
}

const char *results_store_answer_name(enum results_store_answer answer)
{
    static const char *const names[] = {"cut", "skip", "end", "refuse", "wipe"};

    return names[answer];
}

const char *results_store_answer_sentence(enum results_store_answer answer)
{
    static const char *const sentences[] = {
        "nothing counts from there on, until a master that read just that or a checkpoint",
        "the rest of the file does not count, later files do",
        "later files do not count",
        "the recovery fails and the log is left alone",
        "the recovery fails, the log is removed and the job starts over"};

    return sentences[answer];
}

void results_store_put_u64(struct results_json *json, const char *key, uint64_t value)
{
    char text[24];

    if (value <= INT64_MAX) {
        results_json_put_u64(json, key, value);
        return;
    }
    (void)snprintf(text, sizeof text, "0x%016" PRIx64, value);
    results_json_put_string(json, key, text);
}

// --- text ---------------------------------------------------------------------------------------

static void add_number(struct results_text *text, const char *before, uint64_t value)
{
    results_text_add(text, before);
    results_text_u64(text, value);
}

static void add_blob(struct results_text *text, const void *data, uint32_t size)
{
    add_number(text, "", size);
    results_text_add(text, size == 1 ? " byte" : " bytes");
    if (size > 0) {
        results_text_format(text, " (xxh3 %016" PRIx64 ")", (uint64_t)XXH3_64bits(data, size));
    }
}

static void add_more(struct results_text *text, uint32_t n)
{
    if (n > ITEMS_MAX) {
        add_number(text, ", and ", n - ITEMS_MAX);
        results_text_add(text, " more");
    }
}

static void add_snapshots(struct results_text *text, const struct recoup__record *record)
{
    for (uint32_t i = 0; i < record->finished.n_snapshots && i < ITEMS_MAX; i++) {
        const struct recoup__snapshot *snapshot = &record->finished.snapshots[i];

        if (snapshot->coordinator == RECOUP_SHUFFLE) {
            results_text_add(text, ", recovery point with the shuffle master's snapshot of ");
        } else if (snapshot->coordinator == RECOUP__MARK) {
            results_text_add(text, ", mark: not covered by the checkpoint's snapshots, ");
        } else {
            add_number(text, ", snapshot of coordinator ", snapshot->coordinator);
            results_text_add(text, " of ");
        }
        add_blob(text, snapshot->data, snapshot->size);
    }
    add_more(text, record->finished.n_snapshots);
}

static void add_subtask(struct results_text *text, const struct recoup__record *record)
{
    if (record->finished.stage == RECOUP_NONE) {
        results_text_add(text, "boundary of the checkpoint");
        return;
    }
    add_number(text, "stage ", record->finished.stage);
    add_number(text, " subtask ", record->finished.subtask);
    results_text_format(text, " attempt %" PRIu64 ":%" PRIu64, record->finished.attempt >> 32,
                        record->finished.attempt & UINT32_MAX);
}

static void add_finished(struct results_text *text, const struct recoup__record *record)
{
    add_subtask(text, record);
    add_number(text, " worker ", record->finished.worker);
    if (record->finished.has_partition) {
        add_number(text, ", partition of ", record->finished.bytes);
        results_text_add(text, " bytes");
    }
    if (record->finished.payload_bytes > 0) {
        results_text_add(text, ", payload of ");
        add_blob(text, record->finished.payload, record->finished.payload_bytes);
    }
    add_snapshots(text, record);
}

static void add_reset(struct results_text *text, const struct recoup__record *record)
{
    for (uint32_t i = 0; i < record->reset.n_ranges && i < ITEMS_MAX; i++) {
        const struct recoup_range *range = &record->reset.ranges[i];

        add_number(text, i == 0 ? "stage " : ", stage ", range->stage);
        add_number(text, " subtasks ", range->first);
        add_number(text, " to ", (uint64_t)range->first + range->count - 1);
    }
    add_more(text, record->reset.n_ranges);
    if (record->reset.n_ranges == 0) {
        results_text_add(text, "nothing");
    }
}

static void add_incarnation(struct results_text *text, const struct recoup__record *record)
{
    add_number(text, "epoch ", record->incarnation.epoch);
    add_number(text, ", goes on from recovery point ", record->incarnation.point_epoch);
    add_number(text, ":", record->incarnation.point_sequence);
    results_text_add(text, record->incarnation.n_files == 0 ? ", read nothing" : ", read ");
    for (uint32_t i = 0; i < record->incarnation.n_files && i < ITEMS_MAX; i++) {
        const struct recoup__extent *file = &record->incarnation.files[i];

        results_text_format(text, "%s%" PRIu64 " bytes of file %" PRIx64 ".%" PRIu32,
                            i == 0 ? "" : ", ", file->bytes, file->epoch, file->index);
    }
    add_more(text, record->incarnation.n_files);
}

void results_store_record_text(const struct recoup__record *record, struct results_text *text)
{
    switch (record->type) {
    case RECOUP__RECORD_FINISHED:
        add_finished(text, record);
        break;
    case RECOUP__RECORD_RESET:
        add_reset(text, record);
        break;
    case RECOUP__RECORD_INITIALIZED:
        add_number(text, "stage ", record->initialized.stage);
        add_number(text, " parallelism ", record->initialized.parallelism);
        break;
    case RECOUP__RECORD_INCARNATION:
        add_incarnation(text, record);
        break;
    case RECOUP__RECORD_SNAPSHOT:
        add_subtask(text, record);
        add_snapshots(text, record);
        break;
    case RECOUP__RECORD_CHECKPOINT_BEGIN:
        results_text_add(text, record->checkpoint_begin.replaces
                                   ? "replaces what stands before it"
                                   : "repeats what stands before it");
        break;
    case RECOUP__RECORD_CHECKPOINT_END:
        results_text_add(text, "complete");
        break;
    case RECOUP__RECORD_ENDED:
        results_text_add(text, "the job has ended");
        break;
    case RECOUP__RECORD_GAP:
        results_text_format(text, "recording was off from %" PRId64 " to %" PRId64 " ns: %s",
                            record->gap.from_ns, record->gap.to_ns,
                            recoup_error_name(record->gap.error));
        break;
    }
}

// --- JSON ---------------------------------------------------------------------------------------

static void put_blob(struct results_json *json, const void *data, uint32_t size)
{
    char hash[20];

    (void)snprintf(hash, sizeof hash, "%016" PRIx64,
                   (uint64_t)(size == 0 ? XXH3_64bits("", 0) : XXH3_64bits(data, size)));
    results_json_put_u64(json, "bytes", size);
    results_json_put_string(json, "xxh3", hash);
}

static void put_snapshots(struct results_json *json, const struct recoup__record *record)
{
    results_json_key(json, "snapshots");
    results_json_array(json);
    for (uint32_t i = 0; i < record->finished.n_snapshots; i++) {
        const struct recoup__snapshot *snapshot = &record->finished.snapshots[i];

        results_json_object(json);
        if (snapshot->coordinator == RECOUP_SHUFFLE) {
            results_json_put_string(json, "coordinator", "shuffle");
        } else if (snapshot->coordinator == RECOUP__MARK) {
            results_json_put_string(json, "coordinator", "mark");
        } else {
            results_json_put_u64(json, "coordinator", snapshot->coordinator);
        }
        put_blob(json, snapshot->data, snapshot->size);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void put_subtask(struct results_json *json, const struct recoup__record *record)
{
    bool boundary = record->finished.stage == RECOUP_NONE;

    results_json_key(json, "stage");
    if (boundary) {
        results_json_null(json);
    } else {
        results_json_u64(json, record->finished.stage);
    }
    results_json_put_u64(json, "subtask", record->finished.subtask);
    results_store_put_u64(json, "attempt", record->finished.attempt);
}

static void put_finished(struct results_json *json, const struct recoup__record *record)
{
    put_subtask(json, record);
    results_json_put_u64(json, "worker", record->finished.worker);
    results_json_put_bool(json, "partition", record->finished.has_partition);
    results_store_put_u64(json, "partition_bytes", record->finished.bytes);
    results_json_key(json, "payload");
    if (record->finished.payload_bytes > 0) {
        results_json_object(json);
        put_blob(json, record->finished.payload, record->finished.payload_bytes);
        results_json_end_object(json);
    } else {
        results_json_null(json);
    }
    put_snapshots(json, record);
}

static void put_ranges(struct results_json *json, const struct recoup__record *record)
{
    results_json_key(json, "ranges");
    results_json_array(json);
    for (uint32_t i = 0; i < record->reset.n_ranges; i++) {
        results_json_object(json);
        results_json_put_u64(json, "stage", record->reset.ranges[i].stage);
        results_json_put_u64(json, "first", record->reset.ranges[i].first);
        results_json_put_u64(json, "count", record->reset.ranges[i].count);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

static void put_incarnation(struct results_json *json, const struct recoup__record *record)
{
    results_store_put_u64(json, "epoch", record->incarnation.epoch);
    results_store_put_u64(json, "point_epoch", record->incarnation.point_epoch);
    results_store_put_u64(json, "point_sequence", record->incarnation.point_sequence);
    results_json_key(json, "files");
    results_json_array(json);
    for (uint32_t i = 0; i < record->incarnation.n_files; i++) {
        results_json_object(json);
        results_store_put_u64(json, "epoch", record->incarnation.files[i].epoch);
        results_json_put_u64(json, "index", record->incarnation.files[i].index);
        results_store_put_u64(json, "bytes", record->incarnation.files[i].bytes);
        results_json_end_object(json);
    }
    results_json_end_array(json);
}

void results_store_record_json(const struct recoup__record *record, struct results_json *json)
{
    switch (record->type) {
    case RECOUP__RECORD_FINISHED:
        put_finished(json, record);
        break;
    case RECOUP__RECORD_RESET:
        put_ranges(json, record);
        break;
    case RECOUP__RECORD_INITIALIZED:
        results_json_put_u64(json, "stage", record->initialized.stage);
        results_json_put_u64(json, "parallelism", record->initialized.parallelism);
        break;
    case RECOUP__RECORD_INCARNATION:
        put_incarnation(json, record);
        break;
    case RECOUP__RECORD_SNAPSHOT:
        put_subtask(json, record);
        put_snapshots(json, record);
        break;
    case RECOUP__RECORD_CHECKPOINT_BEGIN:
        results_json_put_bool(json, "replaces", record->checkpoint_begin.replaces);
        break;
    case RECOUP__RECORD_CHECKPOINT_END:
    case RECOUP__RECORD_ENDED:
        break;
    case RECOUP__RECORD_GAP:
        results_json_put_i64(json, "from_ns", record->gap.from_ns);
        results_json_put_i64(json, "to_ns", record->gap.to_ns);
        results_json_put_i64(json, "error", record->gap.error);
        break;
    }
}
