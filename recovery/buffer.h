// SPDX-License-Identifier: Apache-2.0
//
// The write buffer, with the rules of Flink's FsBatchFlushOutputStream: what is smaller than the
// buffer is copied, and the buffer is flushed as soon as it is exactly full; what is as large as
// the buffer or larger passes by it, after what is buffered.
#ifndef RECOUP_RECOVERY_BUFFER_H
#define RECOUP_RECOVERY_BUFFER_H

#include "recovery/memory.h"

struct recoup__buffer {
    uint8_t *bytes;
    size_t capacity;
    size_t used;
};

enum recoup__buffer_next {
    RECOUP__BUFFER_TAKEN,  // the whole chunk is in the buffer
    RECOUP__BUFFER_FLUSH,  // flush the buffer, clear it, then offer the rest of the chunk (if any)
    RECOUP__BUFFER_PASS,   // append the chunk itself; the buffer is empty
};

// RECOUP_ENOMEM; RECOUP_EINVAL for a capacity of 0 or beyond SIZE_MAX / 2.
int recoup__buffer_init(struct recoup__buffer *buffer, struct recoup__memory *memory,
                        uint64_t capacity);
void recoup__buffer_release(struct recoup__buffer *buffer, struct recoup__memory *memory);

// Offers a chunk; *taken says how much of it is now in the buffer. Never more than `capacity` is
// used.
enum recoup__buffer_next recoup__buffer_write(struct recoup__buffer *buffer, const uint8_t *chunk,
                                              size_t size, size_t *taken);

#endif
