// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/store_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)

bool results_store_scan_init(struct results_store_scan *scan,
                             const struct results_store_files *files,
                             const struct results_store_watch *watch)
{
    struct recoup_allocator allocator = results_store_allocator();

    memset(scan, 0, sizeof *scan);
    scan->files = files;
    scan->watch = watch;
    scan->fd = -1;
    recoup__memory_init(&scan->memory, &allocator);
    recoup__scanner_init(&scan->scanner, &scan->memory);
    recoup__decoder_init(&scan->decoder, &scan->memory);
    scan->buffer = malloc(READ_BYTES);
    return scan->buffer != NULL;
}

static void close_file(struct results_store_scan *scan)
{
    if (scan->fd >= 0) {
        (void)close(scan->fd);
    }
    scan->fd = -1;
}

void results_store_scan_release(struct results_store_scan *scan)
{
    close_file(scan);
    recoup__scanner_release(&scan->scanner);
    recoup__decoder_release(&scan->decoder);
    free(scan->buffer);
    scan->buffer = NULL;
}

static enum results_store_step failed(struct results_store_scan *scan, int error)
{
    scan->error = error;
    return RESULTS_STORE_FAILED;
}

static enum results_store_step begin_file(struct results_store_scan *scan)
{
    if (scan->next == scan->files->n_files) {
        return RESULTS_STORE_DONE;
    }
    scan->file = &scan->files->files[scan->next];
    scan->next++;
    scan->fd = results_store_file_open(scan->files, scan->file->name);
    if (scan->fd < 0) {
        return failed(scan, errno);
    }
    recoup__scanner_begin(&scan->scanner, &scan->file->format);
    scan->begun = true;
    scan->eof = false;
    scan->stop = false;
    scan->offset = 0;
    scan->damage = RECOUP__DAMAGE_NONE;
    return RESULTS_STORE_FILE;
}

void results_store_scan_at(struct results_store_scan *scan, uint32_t file, uint64_t done)
{
    scan->next = file;
    scan->done += done;
}

static enum results_store_step end_file(struct results_store_scan *scan)
{
    close_file(scan);
    scan->begun = false;
    return RESULTS_STORE_FILE_END;
}

// True when there are more bytes to look at, or the end is known.
static bool feed(struct results_store_scan *scan, enum results_store_step *step)
{
    uint64_t at = recoup__scanner_fed(&scan->scanner);
    int64_t size;
    int error;

    if (scan->watch != NULL && scan->watch->go_on != NULL &&
        !scan->watch->go_on(scan->watch->context, scan->done, scan->files->bytes)) {
        *step = RESULTS_STORE_INTERRUPTED;
        return false;
    }
    size = results_store_read(scan->fd, at, scan->buffer, READ_BYTES);
    if (size < 0) {
        *step = failed(scan, errno);
        return false;
    }
    scan->eof = size < (int64_t)READ_BYTES;
    scan->done += (uint64_t)size;
    error = recoup__scanner_feed(&scan->scanner, scan->buffer, (size_t)size);
    if (error != 0) {
        *step = failed(scan, ENOMEM);
        return false;
    }
    return true;
}

static enum results_store_step damaged(struct results_store_scan *scan,
                                       enum recoup__damage_kind kind, uint64_t offset)
{
    scan->damage = kind;
    scan->offset = offset;
    scan->stop = true;
    return RESULTS_STORE_DAMAGE;
}

static enum results_store_step decode(struct results_store_scan *scan)
{
    const struct recoup__frame *frame = &scan->frame;
    int error;

    scan->offset = frame->offset;
    // Where nothing guards the framing, zeroes look like records of type 0 without end.
    if (!scan->file->format.contiguous && frame->type == 0 && frame->size == 0) {
        return damaged(scan, RECOUP__DAMAGE_ZEROED, frame->offset);
    }
    error = recoup__record_decode(&scan->decoder, frame->type, frame->body, frame->size,
                                  &scan->record);
    if (error == RECOUP_ENOMEM) {
        return failed(scan, ENOMEM);
    }
    scan->damage = RECOUP__DAMAGE_NONE;
    if (error == 0) {
        return RESULTS_STORE_RECORD;
    }
    scan->damage = error == RECOUP_EVERSION ? RECOUP__DAMAGE_TYPE : RECOUP__DAMAGE_BODY;
    // What follows is only worth a look where a checksum says that the framing is right.
    scan->stop = !scan->file->format.checksum;
    return RESULTS_STORE_UNREADABLE;
}

enum results_store_step results_store_scan_next(struct results_store_scan *scan)
{
    enum results_store_step step = RESULTS_STORE_DONE;

    if (!scan->begun) {
        return begin_file(scan);
    }
    while (!scan->stop) {
        enum recoup__scan found = recoup__scanner_next(&scan->scanner, scan->eof, &scan->frame);

        if (found == RECOUP__SCAN_RECORD) {
            return decode(scan);
        }
        scan->offset = recoup__scanner_offset(&scan->scanner);
        if (found == RECOUP__SCAN_DAMAGED) {
            return damaged(scan, scan->scanner.damage, scan->offset);
        }
        if (found == RECOUP__SCAN_END) {
            if (scan->file->size == 0 && scan->offset == 0) {
                return damaged(scan, RECOUP__DAMAGE_EMPTY, 0);
            }
            break;
        }
        if (!feed(scan, &step)) {
            return step;
        }
    }
    return end_file(scan);
}
