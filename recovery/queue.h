// SPDX-License-Identifier: Apache-2.0
//
// Framed records that wait for the writer: a first-in-first-out queue of byte strings in large
// blocks that are used again, so that a warmed-up store allocates nothing. A task never moves.
#ifndef RECOUP_RECOVERY_QUEUE_H
#define RECOUP_RECOVERY_QUEUE_H

#include "recovery/memory.h"

#define RECOUP__TASK_TICK (1u << 16)      // the flush timer ticked before this record
#define RECOUP__TASK_WAITING (1u << 17)   // waits for snapshots
#define RECOUP__TASK_POINT (1u << 18)     // carries a recovery point
#define RECOUP__TASK_NEW_FILE (1u << 19)  // must be the first record of its file
#define RECOUP__TASK_END (1u << 20)       // ends a checkpoint
#define RECOUP__TASK_STATE (1u << 21)     // part of a checkpoint's state

struct recoup__task {
    uint32_t size;
    uint32_t flags;
    uint64_t sequence;
    int64_t accepted_ns;
    uint8_t bytes[];  // the framed record
};

struct recoup__block;

struct recoup__queue {
    struct recoup__memory *memory;
    struct recoup__block *head;  // oldest
    struct recoup__block *tail;  // newest
    struct recoup__block *free;
    uint32_t n_free;
    uint32_t n;      // tasks
    uint64_t bytes;  // of the framed records in it
    size_t ready;    // room that was made sure of since the last push
};

void recoup__queue_init(struct recoup__queue *queue, struct recoup__memory *memory);
void recoup__queue_release(struct recoup__queue *queue);

// What a task may take in a block beyond its bytes.
#define RECOUP__TASK_ROOM (sizeof(struct recoup__task) + 8)

// Makes sure that `n` tasks of `bytes` bytes in total can be pushed. RECOUP_ENOMEM, RECOUP_ELIMIT.
int recoup__queue_make_room(struct recoup__queue *queue, uint32_t n, size_t bytes);
static inline int recoup__queue_reserve(struct recoup__queue *queue, uint32_t n, size_t bytes)
{
    RECOUP_ASSERT(queue->memory != NULL);
    // Every call of the store asks for the same again; mostly it is still there.
    return bytes <= SIZE_MAX / 4 && bytes + (size_t)n * RECOUP__TASK_ROOM <= queue->ready
               ? 0
               : recoup__queue_make_room(queue, n, bytes);
}

// Adds a task of `size` bytes, to be filled in. Room must have been reserved; NULL is an internal
// error.
struct recoup__task *recoup__queue_push(struct recoup__queue *queue, size_t size);

struct recoup__task *recoup__queue_front(const struct recoup__queue *queue);  // NULL when empty
void recoup__queue_pop(struct recoup__queue *queue);
void recoup__queue_clear(struct recoup__queue *queue);

#endif
