// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"
#include "sim/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
    struct sim_arena arena;
    unsigned char *last_end = NULL;

    (void)state;
    sim_arena_init(&arena, 0);
    for (size_t align = 1; align <= SIM_ARENA_ALIGN_MAX; align *= 2) {
        for (size_t size = 0; size < 300; size += 37) {
            unsigned char *p = sim_arena_alloc(&arena, size, align);

            assert_non_null(p);
            assert_u64((uintptr_t)p & (align - 1), 0);
            memset(p, 0x5A, size);
            assert_true(p != last_end || size == 0 || last_end == NULL || p >= last_end);
            last_end = p + size;
        }
    }
    sim_arena_release(&arena);
    sim_arena_release(NULL);
}

static void blocks_grow_and_small_runs_stay_small(void **state)
{
    struct sim_arena arena;

    (void)state;
    sim_arena_init(&arena, 0);
    assert_u64(sim_arena_bytes(&arena), 0);
    assert_non_null(sim_arena_alloc(&arena, 1000, 8));
    assert_u64(sim_arena_bytes(&arena), SIM_ARENA_BLOCK_MIN);
    // 64 MiB from a few blocks, at any time with a quarter and one small block to spare at most.
    for (uint64_t i = 1; i <= 16384; i++) {
        assert_non_null(sim_arena_alloc(&arena, 4096, 8));
        assert_true(sim_arena_bytes(&arena) <= i * 4096 / 3 * 4 + 2 * SIM_ARENA_BLOCK_MIN);
    }
    assert_true(sim_arena_system_allocations(&arena) < 48);
    assert_true(sim_arena_bytes(&arena) < ((uint64_t)64 << 20) + 2 * SIM_ARENA_BLOCK_MAX);
    sim_arena_release(&arena);
}

static void large_allocations_waste_nothing(void **state)
{
    struct sim_arena arena;
    uint64_t bytes = 0;

    (void)state;
    sim_arena_init(&arena, 0);
    for (int run = 0; run < 3; run++) {
        unsigned char *small = sim_arena_alloc(&arena, 100, 8);
        for (size_t i = 0; i < 20; i++) {
            unsigned char *large = sim_arena_alloc(&arena, SIM_ARENA_LARGE_BYTES + i * 99991, 64);
            assert_non_null(large);
            large[0] = large[SIM_ARENA_LARGE_BYTES + i * 99991 - 1] = 1;
        }
        // The current block goes on where it was.
        assert_true((unsigned char *)sim_arena_alloc(&arena, 100, 8) - small < 1000);
        assert_true(run == 0 || bytes == sim_arena_bytes(&arena));
        bytes = sim_arena_bytes(&arena);
        sim_arena_reset(&arena);
    }
    assert_true(bytes < 20 * SIM_ARENA_LARGE_BYTES + 190 * 99991 + SIM_ARENA_BLOCK_MIN + 20 * 8192);
    assert_u64(sim_arena_system_allocations(&arena), 21);
    sim_arena_release(&arena);
}

static void reset_keeps_the_blocks(void **state)
{
    struct sim_arena arena;
    void *first = NULL;
    uint64_t allocations = 0;

    (void)state;
    sim_arena_init(&arena, 0);
    for (int run = 0; run < 3; run++) {
        void *p = sim_arena_alloc(&arena, 100, 8);

        assert_true(run == 0 || p == first);
        first = p;
        for (size_t i = 0; i < 200; i++) {
            assert_non_null(sim_arena_alloc(&arena, i * i * 7 % 100000, 64));
        }
        assert_true(run == 0 || sim_arena_system_allocations(&arena) == allocations);
        allocations = sim_arena_system_allocations(&arena);
        sim_arena_reset(&arena);
    }
    sim_arena_release(&arena);
    assert_u64(sim_arena_bytes(&arena), 0);
}

static void limit_is_kept(void **state)
{
    struct sim_arena arena;

    (void)state;
    sim_arena_init(&arena, 200000);
    assert_non_null(sim_arena_alloc(&arena, 60000, 8));
    assert_null(sim_arena_alloc(&arena, 1000000, 8));
    assert_null(sim_arena_alloc(&arena, SIZE_MAX, 8));
    assert_null(sim_arena_alloc_zero(&arena, SIZE_MAX / 2, 3, 8));
    // A refusal changes nothing.
    assert_non_null(sim_arena_alloc(&arena, 5000, 8));
    assert_true(sim_arena_bytes(&arena) <= 200000);
    sim_arena_release(&arena);
}

static void countdown_fails_once(void **state)
{
    struct sim_arena arena;

    (void)state;
    sim_arena_init(&arena, 0);
    sim_arena_fail_at(&arena, 3);
    assert_non_null(sim_arena_alloc(&arena, 8, 8));
    assert_non_null(sim_arena_alloc(&arena, 8, 8));
    assert_null(sim_arena_alloc(&arena, 8, 8));
    assert_non_null(sim_arena_alloc(&arena, 8, 8));
    sim_arena_release(&arena);
}

struct record {
    uint64_t a;
    uint32_t b;
    uint32_t c;
};

static void chunks_never_move(void **state)
{
    struct sim_arena arena;
    struct sim_chunks chunks;
    struct record *early;

    (void)state;
    sim_arena_init(&arena, 0);
    sim_chunks_init(&chunks, &arena, sizeof(struct record), 6);
    early = sim_chunks_push(&chunks);
    assert_non_null(early);
    for (uint64_t i = 1; i < 100000; i++) {
        struct record *record = sim_chunks_push(&chunks);

        assert_non_null(record);
        assert_u64(record->a, 0);
        record->a = i;
        record->c = 0xffffffffU;
    }
    assert_ptr_equal(sim_chunks_at(&chunks, 0), early);
    assert_u64(sim_chunks_count(&chunks), 100000);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_u64(((const struct record *)sim_chunks_at(&chunks, i))->a, i);
    }
    sim_chunks_truncate(&chunks, 10);
    assert_u64(sim_chunks_count(&chunks), 10);
    // What is pushed again is cleared again.
    assert_u64(((struct record *)sim_chunks_push(&chunks))->c, 0);
    sim_arena_release(&arena);
}

static void chunks_survive_a_failed_allocation(void **state)
{
    uint64_t failures = 0;
    bool whole = false;

    (void)state;
    for (uint64_t n = 1; !whole; n++) {
        struct sim_arena arena;
        struct sim_chunks chunks;
        uint64_t pushed = 0;

        sim_arena_init(&arena, 0);
        sim_chunks_init(&chunks, &arena, 8, 2);
        sim_arena_fail_at(&arena, n);
        whole = true;
        for (uint64_t i = 0; i < 200; i++) {
            uint64_t *record = sim_chunks_push(&chunks);

            whole = whole && record != NULL;
            if (record != NULL) {
                *record = pushed;
                pushed++;
            }
        }
        failures += !whole;
        assert_u64(sim_chunks_count(&chunks), whole ? 200 : 199);
        for (uint64_t i = 0; i < pushed; i++) {
            assert_u64(*(const uint64_t *)sim_chunks_at(&chunks, i), i);
        }
        sim_arena_release(&arena);
    }
    // 50 chunks and three directories.
    assert_u64(failures, 53);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(blocks_grow_and_small_runs_stay_small),
        cmocka_unit_test(large_allocations_waste_nothing),
        cmocka_unit_test(reset_keeps_the_blocks),
        cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(countdown_fails_once),
        cmocka_unit_test(chunks_never_move),
        cmocka_unit_test(chunks_survive_a_failed_allocation),
    };

    return check_main(argc, argv, "sim_arena", tests);
}
