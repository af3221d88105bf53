// SPDX-License-Identifier: GPL-3.0-or-later
//
// Loading with every single allocation failing in turn: each time it ends with SCENARIO_ENOMEM, an
// empty scenario, and nothing left behind (the sanitizers watch).
#include "support.h"

static const char *const sets[] = {"cluster.workers=5", "storage.bandwidth=1 mb/s",
                                   "config.heartbeat.timeout=30 s"};
static const char *const faults[] = {"{at: 50%, kill: master}"};
static const struct scenario_overrides overrides = {
    .sets = sets, .n_sets = 3, .faults = faults, .n_faults = 1, .seed_given = true, .seed = 4};

// Fails every allocation, or every `step`-th where others have shown the same paths already.
static void fail_each(const char *path, const struct scenario_overrides *with, int expected,
                      uint64_t step)
{
    struct scenario s;
    uint64_t allocations = 0;
    assert_i64(scenario_load_counted(&s, path, NULL, 0, with, 0, &allocations), expected);
    scenario_release(&s);
    assert_true(allocations > 50);
    for (uint64_t i = 1; i <= allocations; i += step) {
        int status = scenario_load_counted(&s, path, NULL, 0, with, i, NULL);
        if (status != SCENARIO_ENOMEM || s.memory != NULL || s.n_errors != 0) {
            fail_msg("%s: allocation %" PRIu64 " of %" PRIu64 " failed, status %d", path, i,
                     allocations, status);
        }
        scenario_release(&s);
    }
    // One more than there are: none fails.
    assert_i64(scenario_load_counted(&s, path, NULL, 0, with, allocations + 1, NULL), expected);
    scenario_release(&s);
}

static void ValidFile(void **state)
{
    (void)state;
    fail_each(TESTS_FOLDER "valid/all-kinds.yaml", &overrides, SCENARIO_OK, 1);
}

static void FileWithBase(void **state)
{
    (void)state;
    fail_each(TESTS_FOLDER "valid/child.yaml", NULL, SCENARIO_OK, 5);
}

static void BrokenFiles(void **state)
{
    (void)state;
    fail_each(TESTS_FOLDER "broken/76-storage-unknown.yaml", NULL, SCENARIO_INVALID, 7);
    fail_each(TESTS_FOLDER "broken/66-config-unknown-key.yaml", NULL, SCENARIO_INVALID, 7);
    fail_each(TESTS_FOLDER "broken/50-trace-cell.yaml", NULL, SCENARIO_INVALID, 7);
}

// The memory itself: large blocks stand alone, everything is zeroed and aligned.
static void MemoryGrows(void **state)
{
    struct scenario_memory memory;
    (void)state;
    scenario_memory_init(&memory);
    if (setjmp(memory.out) != 0) {
        fail_msg("an allocation failed");
    }
    for (size_t size = 0; size < 100000; size = size * 2 + 1) {
        unsigned char *p = scenario_allocate(&memory, size);
        assert_u64((uintptr_t)p % sizeof(max_align_t) % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 0xff;
        }
    }
    struct scenario_buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        scenario_buffer_print(&memory, &buffer, "%d,", i);
    }
    assert_u64(buffer.size, strlen(buffer.text));
    assert_text(buffer.text + buffer.size - 8, "998,999,");
    scenario_memory_release(&memory);
    scenario_memory_release(&memory);
}

// More than the limit of one scenario is out of memory, not a crash.
static void MemoryHasALimit(void **state)
{
    static struct scenario_memory memory;
    (void)state;
    scenario_memory_init(&memory);
    if (setjmp(memory.out) == 0) {
        (void)scenario_allocate_array(&memory, SIZE_MAX / 2, 16);
        fail_msg("an allocation beyond the limit succeeded");
    }
    scenario_memory_release(&memory);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ValidFile),       cmocka_unit_test(FileWithBase),
        cmocka_unit_test(BrokenFiles),     cmocka_unit_test(MemoryGrows),
        cmocka_unit_test(MemoryHasALimit),
    };
    return check_main(argc, argv, "scenarios_memory", tests);
}
