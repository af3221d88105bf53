// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/memory.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 32768u

struct scenario_memory_block {
    struct scenario_memory_block *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) unsigned char bytes[];
};

void scenario_memory_init(struct scenario_memory *memory)
{
    memset(memory, 0, sizeof(*memory));
}

void scenario_memory_release(struct scenario_memory *memory)
{
    struct scenario_memory_block *block = memory->blocks;
    while (block != NULL) {
        struct scenario_memory_block *next = block->next;
        free(block);
        block = next;
    }
    memory->blocks = NULL;
    memory->bytes = 0;
}

void scenario_out_of_memory(struct scenario_memory *memory)
{
    if (memory->cleanup != NULL) {
        memory->cleanup(memory->cleanup_context);
        memory->cleanup = NULL;
    }
    longjmp(memory->out, 1);
}

static struct scenario_memory_block *block_add(struct scenario_memory *memory, size_t size)
{
    size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct scenario_memory_block *block = NULL;
    if (capacity <= SCENARIO_MEMORY_MAX - memory->bytes) {
        block = calloc(1, sizeof(*block) + capacity);
    }
    if (block == NULL) {
        scenario_out_of_memory(memory);
    }
    block->capacity = capacity;
    memory->bytes += capacity;
    // A block of its own for something large goes behind the current one, which may have room left.
    if (size > BLOCK_BYTES && memory->blocks != NULL) {
        block->next = memory->blocks->next;
        memory->blocks->next = block;
    } else {
        block->next = memory->blocks;
        memory->blocks = block;
    }
    return block;
}

void *scenario_allocate(struct scenario_memory *memory, size_t size)
{
    const size_t align = alignof(max_align_t);
    memory->allocations++;
    if (memory->allocations == memory->fail_at || size > SCENARIO_MEMORY_MAX) {
        scenario_out_of_memory(memory);
    }
    size = (size + align - 1) / align * align;
    struct scenario_memory_block *block = memory->blocks;
    if (block == NULL || block->capacity - block->used < size) {
        block = block_add(memory, size);
    }
    void *result = block->bytes + block->used;
    block->used += size;
    return result;
}

void *scenario_allocate_array(struct scenario_memory *memory, size_t count, size_t size)
{
    if (size != 0 && count > SCENARIO_MEMORY_MAX / size) {
        scenario_out_of_memory(memory);
    }
    return scenario_allocate(memory, count * size);
}

char *scenario_copy(struct scenario_memory *memory, const char *text, size_t size)
{
    char *copy = scenario_allocate(memory, size + 1);
    if (size != 0) {
        memcpy(copy, text, size);
    }
    return copy;
}

char *scenario_copy_text(struct scenario_memory *memory, const char *text)
{
    return scenario_copy(memory, text, strlen(text));
}

// No allocation happens between va_start and va_end: a jump would leave the list open.
char *scenario_print(struct scenario_memory *memory, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    size_t size = wanted > 0 ? (size_t)wanted : 0;
    char *text = scenario_allocate(memory, size + 1);
    va_start(arguments, format);
    (void)vsnprintf(text, size + 1, format, arguments);
    va_end(arguments);
    return text;
}

void scenario_buffer_append(struct scenario_memory *memory, struct scenario_buffer *buffer,
                            const char *text, size_t size)
{
    if (buffer->capacity - buffer->size <= size) {
        size_t capacity = (buffer->size + size + 1) * 2;
        char *grown = scenario_allocate(memory, capacity);
        if (buffer->size != 0) {
            memcpy(grown, buffer->text, buffer->size);
        }
        buffer->text = grown;
        buffer->capacity = capacity;
    }
    if (size != 0) {
        memcpy(buffer->text + buffer->size, text, size);
    }
    buffer->size += size;
    buffer->text[buffer->size] = '\0';
}

void scenario_buffer_print(struct scenario_memory *memory, struct scenario_buffer *buffer,
                           const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    size_t size = wanted > 0 ? (size_t)wanted : 0;
    char *text = small;
    if (size >= sizeof(small)) {
        text = scenario_allocate(memory, size + 1);
        va_start(arguments, format);
        (void)vsnprintf(text, size + 1, format, arguments);
        va_end(arguments);
    }
    scenario_buffer_append(memory, buffer, text, size);
}
