// SPDX-License-Identifier: GPL-3.0-or-later
//
// A growing text in memory. Everything that `recoup` prints is built here first and written at
// once, so that an output is either complete or an error that somebody sees. A failed allocation
// sticks: later calls do nothing, and writing reports it.
#ifndef RECOUP_RESULTS_TEXT_H
#define RECOUP_RESULTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_TEXT_MAX                                                                           \
    ((size_t)1 << 30) // bytes; a text that would grow beyond fails like out of memory

struct results_text {
    char *data; // not terminated; see results_text_string
    size_t size;
    size_t capacity;
    bool failed; // out of memory, or beyond RESULTS_TEXT_MAX
};

void results_text_init(struct results_text *text);    // empty; takes no memory
void results_text_release(struct results_text *text); // accepts NULL and a zeroed text
void results_text_clear(struct results_text *text); // drops the content, keeps memory and `failed`

void results_text_bytes(struct results_text *text, const char *bytes, size_t size);
void results_text_add(struct results_text *text, const char *string);
void results_text_char(struct results_text *text, char c);
void results_text_repeat(struct results_text *text, const char *string, size_t times);
void results_text_u64(struct results_text *text, uint64_t value);
void results_text_i64(struct results_text *text, int64_t value);
void results_text_hex(struct results_text *text, const uint8_t *bytes, size_t size); // lower case
void results_text_format(struct results_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The content, terminated by a zero; "" when empty or failed. Valid until the next call.
const char *results_text_string(struct results_text *text);

// Writes all of it to the file descriptor, however many write calls that takes. Returns 0 or an
// errno value (ENOMEM when the text had failed).
int results_text_write(const struct results_text *text, int fd);
// The same for any bytes.
int results_write_bytes(int fd, const char *bytes, size_t size);

#endif
