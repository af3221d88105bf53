// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_verify.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Where the checks are.
struct place {
    bool first_record; // of the file
    uint64_t stream;   // epoch of the records read last
    uint64_t expected; // next number in it, 0: any
    bool in_checkpoint;
    uint32_t n_findings;
    uint64_t more;
    uint64_t records;
    uint64_t checkpoints;
};

struct verify {
    struct results_store_verification *out;
    const struct results_store_files *files;
    const struct results_store_reading *reading;
    const struct recoup_options *options;
    bool hardened;
    struct place now;

    // What is being looked at.
    const struct results_store_file *file;
    const struct recoup__record *record;
    uint64_t offset; // of the record
    uint64_t sequence;

    uint32_t next;      // files before this one are checked
    bool inside;        // the library's reader delivers files[next]
    uint64_t epoch;     // as the reader says
    uint64_t delivered; // bytes of it, its header included
    struct place before; // that file, with the findings of then, in case that it has to be scanned
    struct results_store_finding *findings_before;

    struct results_store_scan scan;
    uint64_t done; // bytes that the reader had read when the scan was told of them
    const struct results_store_watch *watch; // of the caller, or NULL
    uint64_t shown;                          // bytes that it was told of last
    enum results_store_step step; // why the scan has ended early; FILE: it has not
};

static uint64_t limit(const struct verify *v)
{
    return v->reading->limits[v->file - v->files->files];
}

static bool known(const struct verify *v, const char *file, uint64_t offset,
                  enum recoup__damage_kind kind)
{
    for (uint32_t i = v->now.n_findings; i > 0; i--) {
        const struct results_store_finding *f = &v->out->findings[i - 1];

        if (f->kind == kind && f->offset == offset && strcmp(f->file, file) == 0) {
            return true;
        }
    }
    return false;
}

static void note(struct verify *v, const char *file, uint64_t offset, enum recoup__damage_kind kind,
                 bool behind)
{
    struct results_store_finding *f;

    if (known(v, file, offset, kind)) {
        return;
    }
    if (v->now.n_findings == RESULTS_STORE_FINDINGS_MAX) {
        v->now.more++;
        return;
    }
    f = &v->out->findings[v->now.n_findings++];
    memset(f, 0, sizeof *f);
    memcpy(f->file, file, strlen(file) + 1);
    f->offset = offset;
    f->kind = kind;
    f->answer = results_store_answer(kind, v->hardened);
    f->behind = behind;
    if (!behind) {
        v->now.in_checkpoint = false;
    }
}

static void note_here(struct verify *v, uint64_t offset, enum recoup__damage_kind kind)
{
    note(v, v->file->name, offset, kind, offset >= limit(v));
}

// --- files --------------------------------------------------------------------------------------

// Indexes count from 0 without gap, with fencing in each epoch.
static void check_gap(struct verify *v)
{
    const struct results_store_file *file = v->file;
    bool continues =
        file > v->files->files && file[-1].fenced == file->fenced && file[-1].epoch == file->epoch;
    uint32_t expected = continues ? file[-1].index + 1 : 0;
    char name[32];

    if (limit(v) == 0 && v->hardened) {
        return; // nobody will read it
    }
    while (expected < file->index && v->now.n_findings < RESULTS_STORE_FINDINGS_MAX) {
        recoup__file_name(file->fenced, file->epoch, expected, name);
        note(v, name, 0, RECOUP__DAMAGE_MISSING, false);
        expected++;
    }
}

static void check_header(struct verify *v)
{
    const struct results_store_file *file = v->file;

    if (!file->has_header) {
        return;
    }
    if (memcmp(file->header.digest, v->files->digest, sizeof file->header.digest) != 0 ||
        file->header.index != file->index ||
        (file->fenced && file->header.epoch != file->epoch)) {
        note_here(v, 0, RECOUP__DAMAGE_FOREIGN);
    }
}

static const struct results_store_file *find(const struct verify *v,
                                             const struct recoup__extent *extent)
{
    uint32_t low = 0, high = v->files->n_files;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct results_store_file *file = &v->files->files[middle];

        if (file->epoch < extent->epoch ||
            (file->epoch == extent->epoch && file->index < extent->index)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == v->files->n_files || v->files->files[low].epoch != extent->epoch ||
        v->files->files[low].index != extent->index) {
        return NULL;
    }
    return &v->files->files[low];
}

// Each file that a master has read is still there, and as long as it was.
static void check_extents(struct verify *v)
{
    for (uint32_t i = 0; i < v->record->incarnation.n_files; i++) {
        const struct recoup__extent *extent = &v->record->incarnation.files[i];
        const struct results_store_file *file = find(v, extent);
        char name[32];

        if (extent->bytes == 0 || extent->index > RECOUP__FILE_INDEX_MAX) {
            continue;
        }
        recoup__file_name(v->file->fenced, extent->epoch, extent->index, name);
        if (file == NULL) {
            note(v, name, 0, RECOUP__DAMAGE_MISSING, false);
        } else if (file->size < extent->bytes) {
            note(v, name, file->size, RECOUP__DAMAGE_SHORT, false);
        }
    }
}

// --- records ------------------------------------------------------------------------------------

static void check_sequence(struct verify *v, bool begins)
{
    uint64_t epoch = v->file->has_header ? v->file->header.epoch : v->file->epoch;
    bool same = v->now.stream == epoch && v->now.expected != 0;
    uint64_t expected = same ? v->now.expected : 1;
    uint64_t sequence = v->sequence;
    bool ok = begins && v->now.first_record ? sequence >= expected : sequence == expected;

    if (!v->file->format.contiguous) {
        return;
    }
    if (!ok) {
        note_here(v, v->offset, RECOUP__DAMAGE_SEQUENCE);
    }
    v->now.stream = epoch;
    v->now.expected = sequence + 1;
}

// Everything before it is replaced: what is missing then has been removed by its master.
static void complete_checkpoint(struct verify *v)
{
    if (!v->now.in_checkpoint) {
        return;
    }
    v->now.in_checkpoint = false;
    v->now.checkpoints++;
    for (uint32_t i = 0; i < v->now.n_findings; i++) {
        v->out->findings[i].made_up = true;
    }
}

static void check_record(struct verify *v)
{
    enum recoup__record_type type = v->record->type;

    v->now.records++;
    if (v->offset >= limit(v)) {
        return; // does not count
    }
    check_sequence(v, type == RECOUP__RECORD_CHECKPOINT_BEGIN);
    v->now.first_record = false;
    if (type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        v->now.in_checkpoint = true;
    } else if (type == RECOUP__RECORD_CHECKPOINT_END) {
        complete_checkpoint(v);
    } else if (type == RECOUP__RECORD_INCARNATION) {
        bool inside = v->now.in_checkpoint;

        check_extents(v);
        v->now.in_checkpoint = inside; // what the checkpoint makes up for does not end it
    }
}

static void check_end(struct verify *v)
{
    uint64_t size = v->file->size;

    if (limit(v) != UINT64_MAX && size < limit(v)) {
        note_here(v, size, RECOUP__DAMAGE_SHORT);
    }
}

static void begin_file(struct verify *v, uint32_t file)
{
    v->file = &v->files->files[file];
    v->now.first_record = true;
    check_gap(v);
    check_header(v);
}

// --- a file that is scanned ---------------------------------------------------------------------

static void check(struct verify *v, enum results_store_step step)
{
    if (step == RESULTS_STORE_RECORD) {
        v->record = &v->scan.record;
        v->offset = v->scan.frame.offset;
        v->sequence = v->scan.frame.sequence;
        check_record(v);
    } else if (step == RESULTS_STORE_UNREADABLE || step == RESULTS_STORE_DAMAGE) {
        note_here(v, v->scan.offset, v->scan.damage);
        v->now.expected = step == RESULTS_STORE_UNREADABLE ? v->scan.frame.sequence + 1 : 0;
    } else if (step == RESULTS_STORE_FILE_END) {
        check_end(v);
    }
}

// Scans the files up to `end` that are not checked yet. False if that has ended early.
static bool scan_files(struct verify *v, uint32_t end)
{
    results_store_scan_at(&v->scan, v->next, v->reading->done - v->done);
    v->done = v->reading->done;
    while (v->next < end) {
        enum results_store_step step = results_store_scan_next(&v->scan);

        if (step > RESULTS_STORE_DONE) {
            v->step = step;
            return false;
        }
        if (step == RESULTS_STORE_FILE) {
            begin_file(v, v->next);
        } else {
            check(v, step);
        }
        v->next += step == RESULTS_STORE_FILE_END ? 1 : 0;
    }
    return true;
}

// --- a file that the library's reader delivers --------------------------------------------------

static bool find_place(const struct verify *v, const struct recoup__position *position,
                       uint32_t *file)
{
    bool fenced = v->options->policy[RECOUP_POLICY_FENCING] != 0;
    struct recoup__extent extent = {fenced ? position->epoch : 0, position->file, 0};
    const struct results_store_file *found = find(v, &extent);

    *file = found == NULL ? 0 : (uint32_t)(found - v->files->files);
    return found != NULL && *file >= v->next;
}

// The reader begins to deliver a file; those before it that it has not delivered are scanned.
static bool enter(struct verify *v, uint32_t file)
{
    if (!scan_files(v, file)) {
        return false;
    }
    v->before = v->now;
    memcpy(v->findings_before, v->out->findings,
           v->now.n_findings * sizeof *v->findings_before);
    v->inside = true;
    begin_file(v, file);
    v->delivered = v->file->format.contiguous ? RECOUP__HEADER_SIZE : 0;
    return true;
}

// True if the reader takes the file for what it is.
static bool same_format(const struct verify *v)
{
    struct recoup__format format;

    recoup__format_init(&format, v->options);
    return v->file->format.contiguous == format.contiguous &&
           v->file->format.checksum == format.checksum &&
           v->file->fenced == (v->options->policy[RECOUP_POLICY_FENCING] != 0);
}

// The reader has left the file. If it has delivered all of it, a scan would find the same records
// and nothing else; if not, what was checked is forgotten, and the file is scanned next.
static void leave(struct verify *v)
{
    if (!v->inside) {
        return;
    }
    v->inside = false;
    if (v->delivered == v->file->size && same_format(v)) {
        check_end(v);
        v->next++;
        return;
    }
    v->now = v->before;
    memcpy(v->out->findings, v->findings_before, v->now.n_findings * sizeof *v->findings_before);
}

static int on_record(void *context, const struct recoup__record *record,
                     const struct recoup__position *position)
{
    struct verify *v = context;
    uint32_t file = v->next;
    size_t size = 0;

    if (!v->inside || v->file->index != position->file || v->epoch != position->epoch) {
        leave(v);
        v->epoch = position->epoch;
        if (!find_place(v, position, &file)) {
            return 0; // not of this listing, or out of its order: nothing that can be relied on
        }
        if (!enter(v, file)) {
            return RECOUP_EIO; // a file before it cannot be read
        }
    }
    (void)recoup__record_size(record, &size); // it has been decoded, so it has a size
    v->delivered += recoup__frame_overhead(&v->file->format) + size;
    v->record = record;
    v->offset = position->offset;
    v->sequence = position->sequence;
    check_record(v);
    return 0;
}

// --- all ----------------------------------------------------------------------------------------

// What is read twice does not count twice, and nothing is taken back.
static bool go_on(void *context, uint64_t done, uint64_t total)
{
    struct verify *v = context;

    v->shown = done > v->shown ? done : v->shown;
    v->shown = v->shown < total ? v->shown : total;
    return v->watch == NULL || v->watch->go_on == NULL ||
           v->watch->go_on(v->watch->context, v->shown, total);
}

static bool missing_is_normal(const struct results_store_finding *f)
{
    return f->made_up && f->kind == RECOUP__DAMAGE_MISSING;
}

// Findings that are none: files that their master removed behind a checkpoint.
static void settle(struct results_store_verification *out)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < out->n_findings; i++) {
        if (!missing_is_normal(&out->findings[i])) {
            out->findings[left++] = out->findings[i];
        }
    }
    out->n_findings = left;
    for (uint32_t i = 0; i < left; i++) {
        out->damages += out->findings[i].behind ? 0 : 1;
    }
}

// What the reader has left over, and the outcome.
static enum results_store_outcome conclude(struct verify *v, struct results_text *message)
{
    leave(v);
    if (v->step == RESULTS_STORE_FILE) {
        (void)scan_files(v, v->files->n_files);
    }
    v->out->n_findings = v->now.n_findings;
    v->out->more = v->now.more;
    v->out->records = v->now.records;
    v->out->checkpoints = v->now.checkpoints;
    if (v->step != RESULTS_STORE_FILE) {
        return results_store_scan_outcome(&v->scan, v->step, message);
    }
    settle(v->out);
    return v->out->damages > 0 || v->out->more > 0 ||
                   v->out->opened.result == RECOUP__OPENED_FAILED
               ? RESULTS_STORE_DAMAGED
               : RESULTS_STORE_INTACT;
}

static enum results_store_outcome read_all(struct verify *v,
                                           const struct results_store_watch *watch,
                                           struct results_text *message)
{
    struct results_store_reading reading;
    struct recoup__store_callbacks callbacks = {.context = v, .on_record = on_record};
    enum results_store_outcome outcome = RESULTS_STORE_CANCELLED;
    int status;

    v->reading = &reading;
    status = results_store_read_log(&reading, v->files, v->options, watch, &callbacks);
    v->out->opened = reading.opened;
    if (status == RESULTS_STORE_READ_ENOMEM) {
        results_text_add(message, "out of memory");
        outcome = RESULTS_STORE_UNREAD;
    } else if (status == RESULTS_STORE_READ) {
        outcome = conclude(v, message);
    }
    results_store_reading_release(&reading);
    return outcome;
}

enum results_store_outcome results_store_verify(struct results_store_verification *verification,
                                                const struct results_store_files *files,
                                                const struct results_store_watch *watch,
                                                struct results_text *message)
{
    enum recoup_profile profile = results_store_profile(files);
    struct recoup_options options;
    struct verify v = {
        .out = verification, .files = files, .options = &options, .watch = watch};
    struct results_store_watch monotone = {.go_on = go_on, .context = &v};
    enum results_store_outcome outcome = RESULTS_STORE_UNREAD;

    memset(verification, 0, sizeof *verification);
    verification->profile = profile;
    v.hardened = profile == RECOUP_PROFILE_HARDENED;
    verification->findings = calloc(RESULTS_STORE_FINDINGS_MAX, sizeof *verification->findings);
    v.findings_before = calloc(RESULTS_STORE_FINDINGS_MAX, sizeof *v.findings_before);
    results_store_options(files, profile, &options);
    if (results_store_scan_init(&v.scan, files, &monotone) && verification->findings != NULL &&
        v.findings_before != NULL) {
        outcome = read_all(&v, &monotone, message);
    } else {
        results_text_add(message, "out of memory");
    }
    results_store_scan_release(&v.scan);
    free(v.findings_before);
    return outcome;
}

void results_store_verification_release(struct results_store_verification *verification)
{
    free(verification->findings);
    memset(verification, 0, sizeof *verification);
}

// --- the report ---------------------------------------------------------------------------------

void results_store_opened_text(const struct recoup__opened *opened, enum recoup_profile profile,
                               struct results_text *text)
{
    results_text_format(text, "a new master (%s) ",
                        profile == RECOUP_PROFILE_HARDENED ? "hardened" : "flink-1.20");
    if (opened->result == RECOUP__OPENED_FAILED) {
        results_text_format(text, "refuses the log: %s: %s", recoup_error_name(opened->error),
                            recoup_strerror(opened->error));
    } else if (opened->result == RECOUP__OPENED_LOG) {
        results_text_format(text, "reads %" PRIu64 " record%s and goes on from there%s",
                            opened->records, opened->records == 1 ? "" : "s",
                            opened->lost ? "; records that once counted are lost" : "");
    } else if (opened->result == RECOUP__OPENED_ENDED) {
        results_text_add(text, "finds that the job has ended and removes what is left of the log");
    } else {
        results_text_add(text, "finds nothing to recover and starts the job from scratch");
    }
}

static void finding_text(const struct results_store_finding *f, struct results_text *text)
{
    results_text_format(text, "%s at %" PRIu64 ": %s%s: %s\n", f->file, f->offset,
                        f->behind ? "note: " : "", results_store_damage_name(f->kind),
                        results_store_damage_sentence(f->kind));
    if (f->behind) {
        results_text_add(text, "    no answer needed: it stands behind what a later master read\n");
    } else if (f->made_up) {
        results_text_add(text, "    no answer needed: a complete checkpoint stands behind it\n");
    } else {
        results_text_format(text, "    %s: %s\n", results_store_answer_name(f->answer),
                            results_store_answer_sentence(f->answer));
    }
}

void results_store_verify_text(const struct results_store_verification *verification,
                               const struct results_store_files *files, struct results_text *text)
{
    for (uint32_t i = 0; i < verification->n_findings; i++) {
        finding_text(&verification->findings[i], text);
    }
    if (verification->more > 0) {
        results_text_format(text, "%" PRIu64 " more findings are not shown\n", verification->more);
    }
    for (uint32_t i = 0; i < files->n_strangers && i < RESULTS_STORE_STRANGERS_MAX; i++) {
        results_text_format(text, "%s: note: no file of the event store; it is ignored\n",
                            files->strangers[i]);
    }
    results_text_format(text, "%" PRIu32 " file%s, %" PRIu64 " bytes, %" PRIu64 " record%s, ",
                        files->n_files, files->n_files == 1 ? "" : "s", files->bytes,
                        verification->records, verification->records == 1 ? "" : "s");
    if (verification->damages == 0 && verification->more == 0) {
        results_text_add(text, "intact; ");
    } else {
        uint64_t places = verification->damages + verification->more;

        results_text_format(text, "%" PRIu64 " damaged place%s; ", places, places == 1 ? "" : "s");
    }
    results_store_opened_text(&verification->opened, verification->profile, text);
    results_text_add(text, "\n");
}

static void finding_json(const struct results_store_finding *f, struct results_json *json)
{
    results_json_object(json);
    results_json_put_string(json, "file", f->file);
    results_store_put_u64(json, "offset", f->offset);
    results_json_put_string(json, "damage", results_store_damage_name(f->kind));
    results_json_put_string(json, "message", results_store_damage_sentence(f->kind));
    results_json_put_string(
        json, "answer", f->behind || f->made_up ? "none" : results_store_answer_name(f->answer));
    results_json_put_bool(json, "counts", !f->behind);
    results_json_put_bool(json, "made_up", f->made_up);
    results_json_end_object(json);
}

static void opened_json(const struct recoup__opened *opened, struct results_json *json)
{
    static const char *const names[] = {
        [RECOUP__OPENED_PENDING] = "pending", [RECOUP__OPENED_NOTHING] = "nothing",
        [RECOUP__OPENED_LOG] = "log",         [RECOUP__OPENED_UNREAD] = "unread",
        [RECOUP__OPENED_ENDED] = "ended",     [RECOUP__OPENED_FAILED] = "failed",
    };

    assert((size_t)opened->result < sizeof names / sizeof names[0]);

    results_json_key(json, "new_master");
    results_json_object(json);
    results_json_put_string(json, "result", names[opened->result]);
    results_json_put_string(json, "error", recoup_error_name(opened->error));
    results_json_put_u64(json, "records", opened->records);
    results_json_put_bool(json, "lost", opened->lost);
    results_json_end_object(json);
}

void results_store_verify_json(const struct results_store_verification *verification,
                               const struct results_store_files *files, struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_u64(&json, "files", files->n_files);
    results_store_put_u64(&json, "bytes", files->bytes);
    results_json_put_u64(&json, "records", verification->records);
    results_json_put_u64(&json, "checkpoints", verification->checkpoints);
    results_json_put_string(&json, "profile",
                            verification->profile == RECOUP_PROFILE_HARDENED ? "hardened"
                                                                             : "flink-1.20");
    results_json_put_u64(&json, "damages", verification->damages + verification->more);
    results_json_key(&json, "findings");
    results_json_array(&json);
    for (uint32_t i = 0; i < verification->n_findings; i++) {
        finding_json(&verification->findings[i], &json);
    }
    results_json_end_array(&json);
    results_json_key(&json, "other_entries");
    results_json_array(&json);
    for (uint32_t i = 0; i < files->n_strangers && i < RESULTS_STORE_STRANGERS_MAX; i++) {
        results_json_string(&json, files->strangers[i]);
    }
    results_json_end_array(&json);
    opened_json(&verification->opened, &json);
    results_json_end_object(&json);
    results_text_add(text, "\n");
}
