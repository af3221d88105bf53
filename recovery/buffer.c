// SPDX-License-Identifier: Apache-2.0
#include "recovery/buffer.h"

#include <string.h>

int recoup__buffer_init(struct recoup__buffer *buffer, struct recoup__memory *memory,
                        uint64_t capacity)
{
    RECOUP_ASSERT(memory != NULL);
    memset(buffer, 0, sizeof *buffer);
    if (capacity == 0 || capacity > SIZE_MAX / 2) {
        return RECOUP_EINVAL;
    }
    buffer->bytes = recoup__allocate(memory, (size_t)capacity);
    if (buffer->bytes == NULL) {
        return RECOUP_ENOMEM;
    }
    buffer->capacity = (size_t)capacity;
    RECOUP_ASSERT(buffer->used == 0);
    return 0;
}

void recoup__buffer_release(struct recoup__buffer *buffer, struct recoup__memory *memory)
{
    RECOUP_ASSERT(buffer->used <= buffer->capacity);
    RECOUP_ASSERT((buffer->bytes == NULL) == (buffer->capacity == 0));
    recoup__release(memory, buffer->bytes, buffer->capacity);
    memset(buffer, 0, sizeof *buffer);
}

enum recoup__buffer_next recoup__buffer_write(struct recoup__buffer *buffer, const uint8_t *chunk,
                                              size_t size, size_t *taken)
{
    size_t room = buffer->capacity - buffer->used;
    size_t n = size < room ? size : room;

    RECOUP_ASSERT(buffer->used < buffer->capacity);
    RECOUP_ASSERT(chunk != NULL || size == 0);
    *taken = 0;
    if (size >= buffer->capacity) {
        return buffer->used > 0 ? RECOUP__BUFFER_FLUSH : RECOUP__BUFFER_PASS;
    }
    if (n > 0) {
        memcpy(buffer->bytes + buffer->used, chunk, n);
    }
    buffer->used += n;
    *taken = n;
    RECOUP_ASSERT(buffer->used <= buffer->capacity);
    return buffer->used == buffer->capacity ? RECOUP__BUFFER_FLUSH : RECOUP__BUFFER_TAKEN;
}
