// SPDX-License-Identifier: Apache-2.0
#include "recovery/queue.h"

#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)
#define FREE_MAX 4u  // blocks of usual size that are kept

struct recoup__block {
    struct recoup__block *next;
    size_t size;   // of the allocation
    size_t begin;  // oldest task, as offset in the allocation
    size_t end;
};

#define TASK_ALIGN 8u

// Bytes that a task takes in a block.
static size_t task_room(size_t size)
{
    size_t room = (sizeof(struct recoup__task) + size + TASK_ALIGN - 1) / TASK_ALIGN * TASK_ALIGN;

    RECOUP_ASSERT(room >= size);
    RECOUP_ASSERT(room % TASK_ALIGN == 0);
    return room;
}

void recoup__queue_init(struct recoup__queue *queue, struct recoup__memory *memory)
{
    RECOUP_ASSERT(memory != NULL);
    RECOUP_ASSERT(sizeof(struct recoup__block) % TASK_ALIGN == 0);
    memset(queue, 0, sizeof *queue);
    queue->memory = memory;
}

static void release_list(struct recoup__queue *queue, struct recoup__block *block)
{
    while (block != NULL) {
        struct recoup__block *next = block->next;

        RECOUP_ASSERT(block->end <= block->size);
        recoup__release(queue->memory, block, block->size);
        block = next;
    }
}

void recoup__queue_release(struct recoup__queue *queue)
{
    if (queue->memory == NULL) {
        return;
    }
    RECOUP_ASSERT((queue->head == NULL) == (queue->tail == NULL));
    release_list(queue, queue->head);
    release_list(queue, queue->free);
    memset(queue, 0, sizeof *queue);
}

// Takes a block out of the free list that has at least `room` bytes.
static struct recoup__block *take_free(struct recoup__queue *queue, size_t room)
{
    struct recoup__block **link = &queue->free;

    while (*link != NULL && (*link)->size - sizeof(struct recoup__block) < room) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        struct recoup__block *block = *link;

        RECOUP_ASSERT(queue->n_free > 0);
        *link = block->next;
        queue->n_free--;
        block->next = NULL;
        block->begin = sizeof *block;
        block->end = sizeof *block;
        return block;
    }
    return NULL;
}

static bool has_free(const struct recoup__queue *queue, size_t room)
{
    const struct recoup__block *block = queue->free;

    RECOUP_ASSERT((block == NULL) == (queue->n_free == 0));
    while (block != NULL && block->size - sizeof *block < room) {
        block = block->next;
    }
    return block != NULL;
}

int recoup__queue_make_room(struct recoup__queue *queue, uint32_t n, size_t bytes)
{
    size_t room;
    size_t size;
    struct recoup__block *block;

    if (bytes > SIZE_MAX / 4) {
        return RECOUP_ELIMIT;
    }
    RECOUP_ASSERT(task_room(TASK_ALIGN) == RECOUP__TASK_ROOM);
    room = bytes + (size_t)n * RECOUP__TASK_ROOM;
    if ((queue->tail != NULL && queue->tail->size - queue->tail->end >= room)
        || has_free(queue, room)) {
        queue->ready = room;
        return 0;
    }
    size = room + sizeof *block < BLOCK_SIZE ? BLOCK_SIZE : room + sizeof *block;
    block = recoup__allocate(queue->memory, size);
    if (block == NULL) {
        return RECOUP_ENOMEM;
    }
    queue->ready = room;
    block->size = size;
    block->begin = sizeof *block;
    block->end = sizeof *block;
    block->next = queue->free;
    queue->free = block;
    queue->n_free++;
    RECOUP_ASSERT(has_free(queue, bytes));
    return 0;
}

// A block that holds nothing any more is kept for later, unless there are enough of them.
static void retire(struct recoup__queue *queue, struct recoup__block *block)
{
    RECOUP_ASSERT(block != NULL);
    if (block->size > BLOCK_SIZE || queue->n_free >= FREE_MAX) {
        recoup__release(queue->memory, block, block->size);
        return;
    }
    block->next = queue->free;
    queue->free = block;
    queue->n_free++;
}

// Drops blocks at the front that hold nothing; the last one is emptied instead.
static void tidy(struct recoup__queue *queue)
{
    while (queue->head != queue->tail && queue->head->begin == queue->head->end) {
        struct recoup__block *block = queue->head;

        queue->head = block->next;
        retire(queue, block);
    }
    if (queue->n == 0 && queue->tail != NULL) {
        RECOUP_ASSERT(queue->head == queue->tail);
        queue->tail->begin = sizeof *queue->tail;
        queue->tail->end = sizeof *queue->tail;
    }
    RECOUP_ASSERT((queue->head == NULL) == (queue->tail == NULL));
}

struct recoup__task *recoup__queue_push(struct recoup__queue *queue, size_t size)
{
    size_t room = task_room(size);
    struct recoup__block *block = queue->tail;
    struct recoup__task *task;

    RECOUP_ASSERT(size <= UINT32_MAX);
    queue->ready = 0;
    if (block == NULL || block->size - block->end < room) {
        block = take_free(queue, room);
        if (!RECOUP_CHECK(queue->memory, block != NULL)) {
            return NULL;
        }
        if (queue->tail == NULL) {
            queue->head = block;
        } else {
            queue->tail->next = block;
        }
        queue->tail = block;
    }
    task = (struct recoup__task *)(void *)((uint8_t *)block + block->end);
    block->end += room;
    RECOUP_ASSERT(block->end <= block->size);
    memset(task, 0, sizeof *task);
    task->size = (uint32_t)size;
    queue->n++;
    queue->bytes += size;
    tidy(queue);  // a record too large for the empty block at the front stands behind it
    RECOUP_ASSERT(queue->head->begin < queue->head->end);
    return task;
}

struct recoup__task *recoup__queue_front(const struct recoup__queue *queue)
{
    RECOUP_ASSERT(RECOUP_ERGO(queue->n > 0, queue->head != NULL));
    if (queue->n == 0) {
        return NULL;
    }
    RECOUP_ASSERT(queue->head->begin < queue->head->end);
    return (struct recoup__task *)(void *)((uint8_t *)queue->head + queue->head->begin);
}

void recoup__queue_pop(struct recoup__queue *queue)
{
    struct recoup__task *task = recoup__queue_front(queue);

    RECOUP_ASSERT(task != NULL);
    RECOUP_ASSERT(queue->bytes >= task->size);
    queue->n--;
    queue->bytes -= task->size;
    queue->head->begin += task_room(task->size);
    tidy(queue);
}

void recoup__queue_clear(struct recoup__queue *queue)
{
    while (queue->n > 0) {
        recoup__queue_pop(queue);
    }
    RECOUP_ASSERT(queue->bytes == 0);
    RECOUP_ASSERT(recoup__queue_front(queue) == NULL);
}
