// SPDX-License-Identifier: GPL-3.0-or-later
//
// The list of reported partitions: order over many blocks, filters, lack of memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/reports.h"

static unsigned allowed; // allocations that still succeed

static void *allocate(void *context, size_t size)
{
    (void)context;
    return allowed > 0 && allowed-- > 0 ? malloc(size) : NULL;
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static void open_memory(struct recoup__memory *memory)
{
    struct recoup_allocator allocator = {allocate, release, NULL};
    allowed = UINT32_MAX;
    recoup__memory_init(memory, &allocator);
}

static void add(struct recoup__reports *reports, struct recoup__memory *memory, uint32_t first,
                uint32_t n)
{
    assert_int_equal(recoup__reports_reserve(reports, memory, n), 0);
    for (uint32_t i = first; i < first + n; i++) {
        struct recoup_partition partition = {.subtask = i, .worker = i % 7};
        recoup__reports_add(reports, &partition);
    }
}

static bool every_third(void *context, const struct recoup_partition *partition)
{
    uint32_t *asked = context;
    assert_int_equal(partition->subtask, (*asked)++); // in order, each once
    return partition->subtask % 3 == 0;
}

static bool none(void *context, const struct recoup_partition *partition)
{
    (void)context;
    (void)partition;
    return false;
}

static void OrderStaysOverBlocksAndFilters(void **state)
{
    static struct recoup_partition copy[4000];
    const uint32_t sizes[] = {1, 3, 254, 255, 256, 510, 511, 1000, 3000};
    (void)state;
    for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct recoup__memory memory;
        struct recoup__reports reports = {0};
        uint32_t asked = 0, kept = (sizes[s] + 2) / 3;
        open_memory(&memory);
        for (uint32_t i = 0; i < sizes[s]; i += 100) {
            add(&reports, &memory, i, sizes[s] - i < 100 ? sizes[s] - i : 100);
        }
        recoup__reports_filter(&reports, &memory, every_third, &asked);
        assert_int_equal(asked, sizes[s]);
        assert_int_equal(reports.n, kept);
        add(&reports, &memory, 10000, 300);
        recoup__reports_copy(&reports, copy);
        for (uint32_t i = 0; i < kept + 300; i++) {
            assert_int_equal(copy[i].subtask, i < kept ? 3 * i : 10000 + i - kept);
        }
        recoup__reports_filter(&reports, &memory, none, NULL);
        assert_int_equal(reports.n, 0);
        add(&reports, &memory, 0, 600);
        assert_int_equal(reports.n, 600);
        recoup__reports_clear(&reports, &memory);
        assert_int_equal(memory.bytes, 0);
    }
}

static void WithoutMemoryNothingIsLost(void **state)
{
    static struct recoup_partition copy[200];
    struct recoup__memory memory;
    struct recoup__reports reports = {0};
    (void)state;
    open_memory(&memory);
    add(&reports, &memory, 0, 200);
    allowed = 2;
    assert_int_equal(recoup__reports_reserve(&reports, &memory, 5000), RECOUP_ENOMEM);
    assert_int_equal(recoup__reports_reserve(&reports, &memory, UINT32_MAX), RECOUP_EINVAL);
    assert_int_equal(reports.n, 200);
    recoup__reports_copy(&reports, copy);
    assert_int_equal(copy[199].subtask, 199);
    allowed = UINT32_MAX;
    add(&reports, &memory, 200, 5000);
    assert_int_equal(reports.n, 5200);
    recoup__reports_clear(&reports, &memory);
    recoup__reports_clear(&reports, &memory);
    assert_int_equal(memory.bytes, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(OrderStaysOverBlocksAndFilters),
        cmocka_unit_test(WithoutMemoryNothingIsLost),
    };
    return cmocka_run_group_tests_name("recovery_reports", tests, NULL, NULL);
}
