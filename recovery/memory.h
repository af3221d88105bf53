// SPDX-License-Identifier: Apache-2.0
//
// Memory and internal checks of the library. All memory comes from the job's allocator and goes
// back to it with its size, so that a host can count and limit it. Every allocation can fail;
// callers reserve first and change their state only when nothing can fail any more.
#ifndef RECOUP_RECOVERY_MEMORY_H
#define RECOUP_RECOVERY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "recovery/recoup.h"

// A library must not take the process of its host down, so a release build (NDEBUG) never aborts.
//
//   RECOUP_ASSERT(x)         a debug check: traps in debug builds, is not evaluated in release
//   builds. RECOUP_CHECK(memory, x)  a cheap invariant that stays on: traps in debug builds; in
//   release builds
//                            it sets memory->broken to RECOUP_EINTERNAL, and the job ends
//                            protection or recovery with that code at the end of the step. Its
//                            value is x.
//
// Neither may have a side effect.
#ifdef NDEBUG
#define RECOUP_ASSERT(x) ((void)sizeof(!!(x)))
#define RECOUP_CHECK(memory, x) ((x) ? true : recoup__memory_broken(memory))
#else
#define RECOUP_ASSERT(x) ((x) ? (void)0 : __builtin_trap())
#define RECOUP_CHECK(memory, x) ((x) ? true : ((void)(memory), __builtin_trap(), false))
#endif

// a implies b.
#define RECOUP_ERGO(a, b) (!(a) || (b))

struct recoup__memory {
    struct recoup_allocator allocator;
    uint64_t bytes;  // allocated and not released
    int broken;      // 0, or RECOUP_EINTERNAL once a check has failed
};

// Zeroes an object of some tens of bytes. Compilers expand a memset of that size to an instruction
// (`rep stos`) that takes longer to start than the whole takes in small pieces.
static inline void recoup__zero(void *object, size_t size)
{
    uint8_t *at = (uint8_t *)object;

    for (; size >= 32; at += 32, size -= 32) {
        memset(at, 0, 32);
    }
    RECOUP_ASSERT(size < 32);
    memset(at, 0, size);
}

// Takes over the host's allocator, whose functions must not be NULL.
void recoup__memory_init(struct recoup__memory *memory, const struct recoup_allocator *allocator);

// Notes a failed internal check. Returns false, for RECOUP_CHECK.
bool recoup__memory_broken(struct recoup__memory *memory);

// Allocates `size` > 0 bytes, aligned for any type, not zeroed. NULL when out of memory.
void *recoup__allocate(struct recoup__memory *memory, size_t size);

// As recoup__allocate, zeroed; `n` items of `size` bytes each; NULL also when n * size overflows.
void *recoup__allocate_zeroed(struct recoup__memory *memory, size_t n, size_t size);

// Gives back what one of the above returned, with the same size. Accepts NULL.
void recoup__release(struct recoup__memory *memory, void *pointer, size_t size);

// Grows the array *items of *capacity items (of `size` bytes each) to at least `need` items, at
// least doubling it; keeps the contents, does not zero the rest. *items may be NULL with *capacity
// 0. Returns 0, RECOUP_ENOMEM (nothing has changed) or RECOUP_ELIMIT if need * size is more than
// SIZE_MAX / 2.
int recoup__grow(struct recoup__memory *memory, void **items, uint32_t *capacity, size_t size,
                 uint32_t need);

#endif
