// SPDX-License-Identifier: GPL-3.0-or-later
//
// The bytes of one modelled file. They only ever grow at the end. Snapshots are padded with zeros
// up to their nominal size, so runs of at least 64 zeros are kept as a length: a job whose log is
// gigabytes on the file system costs megabytes here.
//
// A file is a list of blocks that double from 256 bytes to 64 KiB. A block holds runs, each eight
// bytes (literal bytes, zeros; both 32-bit) and then the literal bytes. Blocks of a removed file
// go to free lists by size, and serve the next file.
#ifndef RECOUP_MODELS_STORAGE_FILE_H
#define RECOUP_MODELS_STORAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/arena.h"

#define MODEL_BLOCK_SHIFT_MIN 8u   // log2 of the bytes of the smallest block, header included
#define MODEL_BLOCK_SHIFT_MAX 16u
#define MODEL_BLOCK_SHIFTS (MODEL_BLOCK_SHIFT_MAX + 1u)
#define MODEL_ZEROS_MIN 64u        // shorter runs of zeros are stored as they are

struct model_block;

struct model_file_pool {
    struct sim_arena *arena;
    struct model_block *free[MODEL_BLOCK_SHIFTS];  // by log2 of their size
    uint64_t blocks_bytes;                         // taken from the arena so far
};

struct model_file_bytes {  // zeroed: an empty file
    struct model_block *first;
    struct model_block *last;
    struct model_block *cursor;  // where the last read ended; reads are mostly sequential
    uint64_t size;
};

void model_file_pool_init(struct model_file_pool *pool, struct sim_arena *arena);

// Appends `size` bytes. False when out of memory; the file then ends somewhere within them.
bool model_file_append(struct model_file_pool *pool, struct model_file_bytes *file,
                       const void *data, size_t size);

// Copies the bytes from `offset` on, at most `size`. Returns how many there were.
size_t model_file_read(struct model_file_bytes *file, uint64_t offset, void *buffer, size_t size);

// Gives the blocks back to the pool; the file is empty afterwards.
void model_file_clear(struct model_file_pool *pool, struct model_file_bytes *file);

#endif
