// SPDX-License-Identifier: Apache-2.0
//
// Files of the log: their names, their header, how records are framed in them, and a scanner that
// finds records in bytes as they come from storage. docs/disk-format.md gives the bytes one by one.
#ifndef RECOUP_RECOVERY_FORMAT_H
#define RECOUP_RECOVERY_FORMAT_H

#include "recovery/store.h"

#define RECOUP__HEADER_SIZE 64u
#define RECOUP__FORMAT_VERSION 1u
#define RECOUP__FILE_INDEX_MAX 999999u

struct recoup__format {
    bool contiguous;  // framing contiguous: file header, records with numbers; else Flink's three
                      // writes
    bool checksum;
    uint64_t seed;  // of the checksums of a file: its header's checksum, so that no record of
                    // another file is ever taken for one of this
};

// The format that the policies ask for, for a file whose header is not known yet.
void recoup__format_init(struct recoup__format *format, const struct recoup_options *options);

// Bytes around a body: before it, and in total.
size_t recoup__frame_prefix(const struct recoup__format *format);
size_t recoup__frame_overhead(const struct recoup__format *format);

// Completes a framed record: `bytes` has room for prefix, body and the rest; the body is in its
// place.
void recoup__frame_finish(const struct recoup__format *format, uint32_t type, uint64_t sequence,
                          uint8_t *bytes, size_t body);

// The same, but a contiguous record is left without its checksum, to be sealed for the file that it
// goes to.
void recoup__frame_begin(const struct recoup__format *format, uint32_t type, uint64_t sequence,
                         uint8_t *bytes, size_t body);

// Gives a framed record of a contiguous format its checksum, perhaps anew for another file.
void recoup__frame_seal(const struct recoup__format *format, uint8_t *bytes, size_t size);

// ---------------------------------------------------------------------------------------------

struct recoup__header {
    uint8_t digest[16];
    uint64_t epoch;
    uint32_t index;
};

// Writes the header of a file and sets format->seed.
void recoup__header_encode(const struct recoup__header *header, struct recoup__format *format,
                           uint8_t bytes[RECOUP__HEADER_SIZE]);

// Reads a header and sets format->seed. What is wrong with it, or NONE. FOREIGN is the caller's to
// judge.
enum recoup__damage_kind recoup__header_decode(const uint8_t bytes[RECOUP__HEADER_SIZE],
                                               struct recoup__format *format,
                                               struct recoup__header *header);

// ---------------------------------------------------------------------------------------------

// "events.<index>", or with fencing "events.<epoch, 16 hexadecimal digits>.<index, 6 digits>".
void recoup__file_name(bool fencing, uint64_t epoch, uint32_t index, char name[32]);
enum recoup__name_kind { RECOUP__NAME_OTHER, RECOUP__NAME_PLAIN, RECOUP__NAME_FENCED };
enum recoup__name_kind recoup__file_name_parse(const char *name, uint64_t *epoch, uint32_t *index);

// ---------------------------------------------------------------------------------------------

struct recoup__frame {
    uint32_t type;
    uint64_t sequence;    // 0 in three-writes framing
    const uint8_t *body;  // valid until the next call for the scanner
    size_t size;
    uint64_t offset;  // in the file, of the frame
    uint64_t end;     // in the file, behind the frame
};

enum recoup__scan {
    RECOUP__SCAN_RECORD,
    RECOUP__SCAN_MORE,     // needs more bytes
    RECOUP__SCAN_END,      // the end of the file, between records
    RECOUP__SCAN_DAMAGED,  // scanner->damage says how; nothing more comes from this file
};

// Records are looked at where the caller's bytes are. Only a record that two feeds share is put
// together in memory of the scanner's own: its begin is kept when the first has been used up, and
// as much of the second as it lacks is added.
struct recoup__scanner {
    struct recoup__memory *memory;
    struct recoup__format format;
    const uint8_t *bytes;  // being looked at: `own`, or what was fed
    uint8_t *own;
    uint32_t capacity;  // of `own`: room for everything that is left
    size_t used;
    size_t at;            // next byte to look at
    uint64_t offset;      // in the file, of bytes[0]
    const uint8_t *rest;  // of what was fed, to be looked at behind `own`
    size_t rest_size;
    bool header_done;
    struct recoup__header header;
    enum recoup__damage_kind damage;
};

void recoup__scanner_init(struct recoup__scanner *scanner, struct recoup__memory *memory);
void recoup__scanner_release(struct recoup__scanner *scanner);

// Begins a new file.
void recoup__scanner_begin(struct recoup__scanner *scanner, const struct recoup__format *format);

// Adds bytes of the file. They are not copied: they have to stay until recoup__scanner_next()
// asks for more or ends, or recoup__scanner_keep() is called. RECOUP_ENOMEM or RECOUP_ELIMIT:
// nothing has changed.
int recoup__scanner_feed(struct recoup__scanner *scanner, const void *data, size_t size);

// Finds the next record. `ended`: no more bytes of the file will come.
enum recoup__scan recoup__scanner_next(struct recoup__scanner *scanner, bool ended,
                                       struct recoup__frame *frame);

// The body of the record that stands `n` records behind `frame`, if all up to it are as long as it:
// a guess, which nothing has checked. At least `size` bytes can be read there. NULL if it has
// not been fed, or not to the same place.
const uint8_t *recoup__scanner_guess(const struct recoup__scanner *scanner,
                                     const struct recoup__frame *frame, uint32_t n, size_t size);

// Copies what is left of the bytes that were fed, which may go then. Cannot fail.
void recoup__scanner_keep(struct recoup__scanner *scanner);

// The record found last is found once more: goes back to its offset.
void recoup__scanner_again(struct recoup__scanner *scanner, const struct recoup__frame *frame);

// Offset in the file behind everything that was fed.
uint64_t recoup__scanner_fed(const struct recoup__scanner *scanner);

// Offset in the file of the next byte to look at.
uint64_t recoup__scanner_offset(const struct recoup__scanner *scanner);

#endif
