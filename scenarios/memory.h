// SPDX-License-Identifier: GPL-3.0-or-later
//
// The memory of one scenario: blocks that grow and are freed all at once. An allocation never
// returns NULL: when there is no memory (or when a test says so) it jumps to the one place that
// ends loading with SCENARIO_ENOMEM. A loader has hundreds of small allocations; one exit for all
// of them can be tested, hundreds of untested error paths cannot.
#ifndef RECOUP_SCENARIOS_MEMORY_H
#define RECOUP_SCENARIOS_MEMORY_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_MEMORY_MAX (UINT64_C(1) << 30)  // bytes of one scenario; more is "out of memory"

struct scenario_memory_block;

struct scenario_memory {
    struct scenario_memory_block *blocks;  // the newest first
    uint64_t bytes;                        // of all blocks
    uint64_t allocations;                  // so far
    uint64_t fail_at;                      // tests: this allocation (from 1) fails; 0: none
    jmp_buf out;                           // where an allocation that fails ends
    void (*cleanup)(void *context);        // called before the jump, for what is not of this memory
    void *cleanup_context;
};

void scenario_memory_init(struct scenario_memory *memory);
void scenario_memory_release(struct scenario_memory *memory);  // accepts a zeroed memory

// Ends loading as a failed allocation does.
void scenario_out_of_memory(struct scenario_memory *memory) __attribute__((noreturn));
// `size` zeroed bytes, aligned for any type. Never NULL: jumps to memory->out.
void *scenario_allocate(struct scenario_memory *memory, size_t size);
void *scenario_allocate_array(struct scenario_memory *memory, size_t count, size_t size);
// A copy of `size` bytes with a terminating zero.
char *scenario_copy(struct scenario_memory *memory, const char *text, size_t size);
char *scenario_copy_text(struct scenario_memory *memory, const char *text);
char *scenario_print(struct scenario_memory *memory, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// A text that grows; always terminated.
struct scenario_buffer {
    char *text;
    size_t size;      // without the terminating zero
    size_t capacity;
};

void scenario_buffer_append(struct scenario_memory *memory, struct scenario_buffer *buffer,
                            const char *text, size_t size);
void scenario_buffer_print(struct scenario_memory *memory, struct scenario_buffer *buffer,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
