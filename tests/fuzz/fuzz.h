// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the fuzz targets share. A target is one function over bytes; libFuzzer drives it where there
// is clang, replay_main.c with saved inputs everywhere. A property that does not hold ends the
// program, which is how a fuzzer learns of it.
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recovery/recoup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void fuzz_fail(const char *what, const char *file, int line) __attribute__((noreturn));
#define FUZZ_REQUIRE(x) ((x) ? (void)0 : fuzz_fail(#x, __FILE__, __LINE__))

// Memory that is counted: every byte must come back, none beyond `limit` is given.
struct fuzz_memory {
    size_t live;
    size_t most;
    size_t limit; // bytes; more is a failed property, not a failed allocation
    bool refuses; // more is a failed allocation all the same
};

struct recoup_allocator fuzz_allocator(struct fuzz_memory *memory);

#endif
