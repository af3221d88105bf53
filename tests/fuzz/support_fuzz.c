// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static void *allocate(void *context, size_t size)
{
    struct fuzz_memory *memory = context;
    void *pointer;

    if (memory->refuses && size > memory->limit - memory->live) {
        return NULL;
    }
    pointer = malloc(size);
    memory->live += size;
    memory->most = memory->live > memory->most ? memory->live : memory->most;
    FUZZ_REQUIRE(memory->live <= memory->limit);
    FUZZ_REQUIRE(pointer != NULL);
    return pointer;
}

static void release(void *context, void *pointer, size_t size)
{
    struct fuzz_memory *memory = context;

    if (pointer != NULL) {
        FUZZ_REQUIRE(memory->live >= size);
        memory->live -= size;
        free(pointer);
    }
}

struct recoup_allocator fuzz_allocator(struct fuzz_memory *memory)
{
    return (struct recoup_allocator){allocate, release, memory};
}
