// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_dump.h"

#include <inttypes.h>
#include <string.h>

#include "results/json.h"
#include "results/store_words.h"

#define DRAIN_BYTES 65536u

void results_store_output_init(struct results_store_output *output, int fd)
{
    memset(output, 0, sizeof *output);
    results_text_init(&output->text);
    output->fd = fd;
}

bool results_store_output_drain(struct results_store_output *output, bool all)
{
    if (output->error == 0 && (all || output->text.size >= DRAIN_BYTES || output->text.failed)) {
        output->error = results_text_write(&output->text, output->fd);
        results_text_clear(&output->text);
    }
    return output->error == 0;
}

void results_store_output_release(struct results_store_output *output)
{
    results_text_release(&output->text);
}

enum results_store_outcome results_store_scan_outcome(const struct results_store_scan *scan,
                                                      enum results_store_step step,
                                                      struct results_text *message)
{
    if (step == RESULTS_STORE_INTERRUPTED) {
        return RESULTS_STORE_CANCELLED;
    }
    results_text_format(message, "%s: the file cannot be read: %s", scan->file->name,
                        strerror(scan->error));
    return RESULTS_STORE_UNREAD;
}

struct dump {
    struct results_store_scan scan;
    struct results_text *text;
    struct results_json json;
    bool damaged;
};

static const char *checksum_state(const struct dump *d)
{
    return d->scan.file->format.checksum ? "ok" : "none";
}

// --- text ---------------------------------------------------------------------------------------

static void text_file(struct dump *d)
{
    const struct results_store_file *file = d->scan.file;

    results_text_format(d->text, "%s: %s framing, %s, %" PRIu64 " bytes", file->name,
                        results_store_framing_name(&file->format),
                        file->format.checksum ? "checksums" : "no checksums", file->size);
    if (file->has_header) {
        results_text_format(d->text, ", epoch %" PRIu64 ", index %" PRIu32 ", job ",
                            file->header.epoch, file->header.index);
        results_text_hex(d->text, file->header.digest, sizeof file->header.digest);
    }
    results_text_add(d->text, "\n");
}

static void text_record(struct dump *d, bool readable)
{
    const struct recoup__frame *frame = &d->scan.frame;

    results_text_format(d->text, "%12" PRIu64 " %8" PRIu64 " ", frame->offset,
                        frame->end - frame->offset);
    if (d->scan.file->format.contiguous) {
        results_text_format(d->text, "#%-7" PRIu64 " ", frame->sequence);
    }
    results_text_format(d->text, "%-4s ", checksum_state(d));
    if (readable) {
        results_text_format(d->text, "%-16s ", results_store_type_name(frame->type));
        results_store_record_text(&d->scan.record, d->text);
    } else {
        results_text_format(d->text, "type %" PRIu32 " DAMAGED: %s: %s", frame->type,
                            results_store_damage_name(d->scan.damage),
                            results_store_damage_sentence(d->scan.damage));
    }
    results_text_add(d->text, "\n");
}

static void text_damage(struct dump *d)
{
    results_text_format(d->text, "%12" PRIu64 " DAMAGED: %s: %s\n", d->scan.offset,
                        results_store_damage_name(d->scan.damage),
                        results_store_damage_sentence(d->scan.damage));
}

// --- JSON ---------------------------------------------------------------------------------------

static void json_begin(struct dump *d, const char *kind)
{
    results_json_init(&d->json, d->text);
    results_json_object(&d->json);
    results_json_put_string(&d->json, "kind", kind);
    results_json_put_string(&d->json, "file", d->scan.file->name);
}

static void json_end(struct dump *d)
{
    results_json_end_object(&d->json);
    results_text_add(d->text, "\n");
}

static void json_file(struct dump *d)
{
    const struct results_store_file *file = d->scan.file;

    json_begin(d, "file");
    results_store_put_u64(&d->json, "bytes", file->size);
    results_json_put_string(&d->json, "framing", results_store_framing_name(&file->format));
    results_json_put_bool(&d->json, "checksums", file->format.checksum);
    if (file->has_header) {
        results_store_put_u64(&d->json, "epoch", file->header.epoch);
        results_json_put_u64(&d->json, "index", file->header.index);
        results_json_key(&d->json, "job");
        results_json_hex(&d->json, file->header.digest, sizeof file->header.digest);
    }
    json_end(d);
}

static void json_record(struct dump *d, bool readable)
{
    const struct recoup__frame *frame = &d->scan.frame;

    json_begin(d, "record");
    results_store_put_u64(&d->json, "offset", frame->offset);
    results_store_put_u64(&d->json, "length", frame->end - frame->offset);
    results_json_put_u64(&d->json, "type", frame->type);
    results_json_put_string(&d->json, "name", results_store_type_name(frame->type));
    if (d->scan.file->format.contiguous) {
        results_store_put_u64(&d->json, "sequence", frame->sequence);
    } else {
        results_json_key(&d->json, "sequence");
        results_json_null(&d->json);
    }
    results_json_put_string(&d->json, "checksum", checksum_state(d));
    if (readable) {
        results_store_record_json(&d->scan.record, &d->json);
    } else {
        results_json_put_string(&d->json, "damage", results_store_damage_name(d->scan.damage));
    }
    json_end(d);
}

static void json_damage(struct dump *d)
{
    json_begin(d, "damage");
    results_store_put_u64(&d->json, "offset", d->scan.offset);
    results_json_put_string(&d->json, "damage", results_store_damage_name(d->scan.damage));
    results_json_put_string(&d->json, "message", results_store_damage_sentence(d->scan.damage));
    json_end(d);
}

// --- both ---------------------------------------------------------------------------------------

// Bytes behind damage, of which nothing is said.
static void unread(struct dump *d, bool json)
{
    uint64_t size = d->scan.file->size;

    if (d->scan.offset >= size) {
        return;
    }
    d->damaged = true;
    if (json) {
        json_begin(d, "unread");
        results_store_put_u64(&d->json, "offset", d->scan.offset);
        results_store_put_u64(&d->json, "bytes", size - d->scan.offset);
        json_end(d);
    } else {
        results_text_format(d->text, "%12" PRIu64 " %8" PRIu64 " bytes are not read\n",
                            d->scan.offset, size - d->scan.offset);
    }
}

static void show(struct dump *d, enum results_store_step step, bool json)
{
    bool readable = step == RESULTS_STORE_RECORD;

    if (step == RESULTS_STORE_FILE) {
        json ? json_file(d) : text_file(d);
    } else if (step == RESULTS_STORE_RECORD || step == RESULTS_STORE_UNREADABLE) {
        json ? json_record(d, readable) : text_record(d, readable);
        d->damaged = d->damaged || !readable;
        // From here on, what is not read begins behind this record.
        d->scan.offset = d->scan.frame.end;
    } else if (step == RESULTS_STORE_DAMAGE) {
        json ? json_damage(d) : text_damage(d);
        d->damaged = true;
    } else if (step == RESULTS_STORE_FILE_END) {
        unread(d, json);
    }
}

enum results_store_outcome results_store_dump(const struct results_store_files *files, bool json,
                                              const struct results_store_watch *watch,
                                              struct results_store_output *output,
                                              struct results_text *message)
{
    struct dump d = {.text = &output->text};
    enum results_store_outcome outcome = RESULTS_STORE_UNREAD;
    enum results_store_step step = RESULTS_STORE_FILE;

    if (!results_store_scan_init(&d.scan, files, watch)) {
        results_text_add(message, "out of memory");
        results_store_scan_release(&d.scan);
        return RESULTS_STORE_UNREAD;
    }
    while (step < RESULTS_STORE_DONE && results_store_output_drain(output, false)) {
        step = results_store_scan_next(&d.scan);
        show(&d, step, json);
    }
    if (step > RESULTS_STORE_DONE) {
        outcome = results_store_scan_outcome(&d.scan, step, message);
    } else {
        outcome = d.damaged ? RESULTS_STORE_DAMAGED : RESULTS_STORE_INTACT;
    }
    results_store_scan_release(&d.scan);
    if (!results_store_output_drain(output, true)) {
        results_text_format(message, "the output cannot be written: %s", strerror(output->error));
        outcome = RESULTS_STORE_UNWRITTEN;
    }
    return outcome;
}
