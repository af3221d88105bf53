// SPDX-License-Identifier: Apache-2.0
//
// The list of reported partitions: see reports.h.
#include "recovery/reports.h"

#include <string.h>

#define BLOCK_ITEMS 255u // of 32 bytes: 8 KiB with the head

struct recoup__report_block {
    struct recoup__report_block *next;
    uint32_t n;
    struct recoup_partition items[BLOCK_ITEMS];
};

int recoup__reports_reserve(struct recoup__reports *reports, struct recoup__memory *memory,
                            uint32_t n)
{
    struct recoup__report_block **link = &reports->first;
    RECOUP_ASSERT(RECOUP_ERGO(reports->n > 0, reports->last != NULL));
    if (n > UINT32_MAX / 2 - reports->n) {
        return RECOUP_EINVAL;
    }
    if (reports->last != NULL) {
        link = &reports->last->next;
        while (*link != NULL) {
            link = &(*link)->next;
        }
    }
    while (reports->room < n) {
        struct recoup__report_block *block = recoup__allocate(memory, sizeof *block);
        if (block == NULL) {
            return RECOUP_ENOMEM;
        }
        block->next = NULL;
        block->n = 0;
        *link = block;
        link = &block->next;
        reports->last = reports->last == NULL ? block : reports->last;
        reports->room += BLOCK_ITEMS;
    }
    return 0;
}

void recoup__reports_add(struct recoup__reports *reports, const struct recoup_partition *partition)
{
    struct recoup__report_block *block = reports->last;
    RECOUP_ASSERT(reports->room > 0);
    RECOUP_ASSERT(block != NULL);
    if (block->n == BLOCK_ITEMS) {
        block = block->next;
        reports->last = block;
        RECOUP_ASSERT(block != NULL && block->n == 0);
    }
    block->items[block->n++] = *partition;
    reports->n++;
    reports->room--;
}

// Frees a block and all behind it.
static void free_from(struct recoup__memory *memory, struct recoup__report_block *block)
{
    RECOUP_ASSERT(memory != NULL);
    while (block != NULL) {
        struct recoup__report_block *next = block->next;
        RECOUP_ASSERT(block->n <= BLOCK_ITEMS);
        recoup__release(memory, block, sizeof *block);
        block = next;
    }
}

void recoup__reports_filter(struct recoup__reports *reports, struct recoup__memory *memory,
                            bool (*keep)(void *context, const struct recoup_partition *partition),
                            void *context)
{
    struct recoup__report_block *to = reports->first;
    uint32_t at = 0; // of `to`
    uint32_t n = 0;
    RECOUP_ASSERT(keep != NULL);
    for (struct recoup__report_block *from = reports->first; from != NULL; from = from->next) {
        uint32_t count = from->n;
        for (uint32_t i = 0; i < count; i++) {
            if (!keep(context, &from->items[i])) {
                continue;
            }
            if (at == BLOCK_ITEMS) {
                to->n = at;
                to = to->next;
                at = 0;
            }
            RECOUP_ASSERT(to != NULL);
            to->items[at++] = from->items[i];
            n++;
        }
    }
    reports->n = n;
    reports->last = to;
    reports->room = 0;
    if (to != NULL) {
        to->n = at;
        reports->room = BLOCK_ITEMS - at;
        free_from(memory, to->next);
        to->next = NULL;
    }
}

void recoup__reports_copy(const struct recoup__reports *reports,
                          struct recoup_partition *partitions)
{
    uint32_t n = 0;
    RECOUP_ASSERT(RECOUP_ERGO(reports->n > 0, partitions != NULL));
    for (const struct recoup__report_block *b = reports->first; b != NULL; b = b->next) {
        if (b->n > 0) {
            memcpy(partitions + n, b->items, b->n * sizeof b->items[0]);
        }
        n += b->n;
    }
    RECOUP_ASSERT(n == reports->n);
}

void recoup__reports_clear(struct recoup__reports *reports, struct recoup__memory *memory)
{
    RECOUP_ASSERT(RECOUP_ERGO(reports->n > 0, reports->first != NULL));
    free_from(memory, reports->first);
    *reports = (struct recoup__reports){NULL, NULL, 0, 0};
}
