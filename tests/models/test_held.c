// SPDX-License-Identifier: GPL-3.0-or-later
//
// A worker's list of partitions: its order, what a walk drops, blocks that serve again, and running
// out of memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/world.h"

#define ATTEMPTS 100u

struct fixture {
    struct sim_arena arena;
    struct model_world world;
    struct model_worker worker;
    uint32_t listed[ATTEMPTS];
};

// A world of attempts that all hold their partition, and a worker whose list is empty.
static void begin(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    sim_arena_init(&f->arena, 0);
    f->world.arena = &f->arena;
    sim_chunks_init(&f->world.attempts, &f->arena, sizeof(struct model_attempt),
                    MODEL_ATTEMPTS_SHIFT);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        struct model_attempt *attempt = sim_chunks_push(&f->world.attempts);

        assert_non_null(attempt);
        attempt->partition = MODEL_PARTITION_HELD;
        f->world.n_attempts++;
    }
    held_init(&f->world);
    f->worker.held.older = MODEL_NONE;
}

static void end(struct fixture *f)
{
    sim_arena_release(&f->arena);
}

static void add(struct fixture *f, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        held_add(&f->world, &f->worker, i);
    }
    assert_int_equal(f->world.error, 0);
}

static void the_latest_comes_first(void **state)
{
    struct fixture f;

    (void)state;
    for (uint32_t count = 0; count <= ATTEMPTS; count++) {
        begin(&f);
        add(&f, 0, count);
        assert_int_equal(f.worker.listed, count);
        assert_int_equal(held_list(&f.world, &f.worker, f.listed), count);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(f.listed[i], count - 1 - i);
        }
        end(&f);
    }
}

static void what_is_gone_is_dropped(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 0, 60);
    for (uint32_t i = 0; i < 60; i++) { // all of the second block, and every third of the rest
        if (i % 3 == 0 || (i >= MODEL_HELD_ATTEMPTS && i < 2 * MODEL_HELD_ATTEMPTS)) {
            world_attempt(&f.world, i)->partition = MODEL_PARTITION_RELEASED;
        }
    }
    for (int again = 0; again < 2; again++) {
        uint32_t n = held_list(&f.world, &f.worker, f.listed), at = 0;

        assert_int_equal(f.worker.listed, n);
        for (uint32_t i = 60; i > 0; i--) {
            if (world_attempt(&f.world, i - 1)->partition == MODEL_PARTITION_HELD) {
                assert_int_equal(f.listed[at++], i - 1);
            }
        }
        assert_int_equal(at, n);
    }
    add(&f, 60, 40); // behind a first block that is not full any more
    assert_int_equal(held_list(&f.world, &f.worker, f.listed), f.worker.listed);
    assert_int_equal(f.listed[0], 99);
    assert_int_equal(f.listed[39], 60);
    assert_int_equal(f.listed[40], 59);
    end(&f);
}

static void blocks_serve_again(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 0, ATTEMPTS);
    uint64_t blocks = sim_chunks_count(&f.world.workers.held_blocks);
    assert_true(blocks > 0);
    for (int i = 0; i < 10; i++) {
        held_clear(&f.world, &f.worker);
        assert_int_equal(held_list(&f.world, &f.worker, f.listed), 0);
        add(&f, 0, ATTEMPTS);
    }
    assert_int_equal(sim_chunks_count(&f.world.workers.held_blocks), blocks);
    end(&f);
}

static void without_memory_the_run_ends(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 0, MODEL_HELD_ATTEMPTS);
    sim_arena_fail_at(&f.arena, 1);
    held_add(&f.world, &f.worker, MODEL_HELD_ATTEMPTS);
    assert_int_equal(f.world.error, SIM_ENOMEM);
    assert_int_equal(held_list(&f.world, &f.worker, f.listed), MODEL_HELD_ATTEMPTS);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_comes_first),
        cmocka_unit_test(what_is_gone_is_dropped),
        cmocka_unit_test(blocks_serve_again),
        cmocka_unit_test(without_memory_the_run_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
