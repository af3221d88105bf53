// SPDX-License-Identifier: GPL-3.0-or-later
//
// The layered fingerprint, the trace hook, the assertions and the error texts.
#include <xxhash.h>

#include "check.h"
#include "sim/error.h"
#include "sim/fingerprint.h"
#include "sim/trace.h"

struct fixture {
    struct sim_arena arena;
    struct sim_fingerprint fp;
    uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES];
    uint8_t all[SIM_FINGERPRINT_BYTES];
};

static struct fixture *start(void)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    sim_arena_init(&f->arena, 0);
    assert_i64(sim_fingerprint_init(&f->fp, &f->arena), 0);
    return f;
}

static void stop(struct fixture *f)
{
    sim_arena_release(&f->arena);
    free(f);
}

static void feed(struct fixture *f, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        struct sim_event event = {(int64_t)i * 10, i << 1, (uint32_t)i % 5, (uint32_t)i % 7, i};

        sim_fingerprint_event(&f->fp, &event);
    }
}

// The schedule layer is XXH3-128 over little-endian records: time, order, kind, entity.
static void schedule_is_hashed_as_documented(void **state)
{
    struct fixture *f = start();
    static unsigned char bytes[1000 * SIM_FINGERPRINT_EVENT_BYTES];
    XXH128_canonical_t expected;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        unsigned char *p = bytes + i * SIM_FINGERPRINT_EVENT_BYTES;
        uint64_t words[3] = {i * 10, i << 1, (i % 7) << 32 | i % 5};

        for (int b = 0; b < 24; b++) {
            p[b] = (unsigned char)(words[b / 8] >> (8 * (b % 8)));
        }
    }
    feed(f, 0, 1000);
    sim_fingerprint_finish(&f->fp, f->layers, f->all);
    XXH128_canonicalFromHash(&expected, XXH3_128bits(bytes, sizeof(bytes)));
    assert_memory_equal(f->layers[SIM_LAYER_SCHEDULE], expected.digest, SIM_FINGERPRINT_BYTES);
    XXH128_canonicalFromHash(&expected, XXH3_128bits(f->layers, sizeof(f->layers)));
    assert_memory_equal(f->all, expected.digest, SIM_FINGERPRINT_BYTES);
    stop(f);
}

// The hash of a small fixed input, so that a change of the encoding shows on every platform.
static void golden_fingerprint(void **state)
{
    struct fixture *f = start();
    char text[SIM_FINGERPRINT_HEX_BYTES];

    (void)state;
    feed(f, 0, 5000);
    sim_fingerprint_u64(&f->fp, SIM_LAYER_IO, UINT64_C(0x0123456789abcdef));
    sim_fingerprint_bytes(&f->fp, SIM_LAYER_STORE, "store", 5);
    sim_fingerprint_finish(&f->fp, f->layers, f->all);
    sim_fingerprint_hex(f->all, text);
    assert_text(text, "1790026ae91474cc044774bdffd69499");
    stop(f);
}

// Feeding a layer changes that layer and the whole, and no other.
static void layers_are_independent(void **state)
{
    (void)state;
    for (int layer = 1; layer < SIM_LAYER_COUNT; layer++) {
        struct fixture *a = start();
        struct fixture *b = start();

        feed(a, 0, 10);
        feed(b, 0, 10);
        sim_fingerprint_u64(&a->fp, (enum sim_layer)layer, 1);
        sim_fingerprint_u64(&b->fp, (enum sim_layer)layer, 2);
        sim_fingerprint_finish(&a->fp, a->layers, a->all);
        sim_fingerprint_finish(&b->fp, b->layers, b->all);
        for (int i = 0; i < SIM_LAYER_COUNT; i++) {
            int equal = memcmp(a->layers[i], b->layers[i], SIM_FINGERPRINT_BYTES) == 0;

            assert_i64(equal, i != layer);
        }
        assert_memory_not_equal(a->all, b->all, SIM_FINGERPRINT_BYTES);
        stop(a);
        stop(b);
    }
}

// Reading the digests half-way changes nothing afterwards, checkpoints included.
static void finish_may_be_called_at_any_time(void **state)
{
    struct fixture *a = start();
    struct fixture *b = start();

    (void)state;
    feed(a, 0, 10000);
    for (uint64_t i = 0; i < 10000; i += 77) {
        feed(b, i, i + 77 < 10000 ? i + 77 : 10000);
        sim_fingerprint_finish(&b->fp, b->layers, b->all);
    }
    sim_fingerprint_finish(&a->fp, a->layers, a->all);
    assert_memory_equal(a->all, b->all, SIM_FINGERPRINT_BYTES);
    assert_u64(a->fp.checkpoints_count, 2);
    assert_u64(b->fp.checkpoints_count, 2);
    assert_memory_equal(a->fp.checkpoints, b->fp.checkpoints, 2 * sizeof(a->fp.checkpoints[0]));
    stop(a);
    stop(b);
}

// Checkpoints stay bounded and evenly spaced, and tell where two runs part.
static void checkpoints_locate_a_difference(void **state)
{
    struct fixture *a = start();
    struct fixture *b = start();
    struct sim_event other = {1, 2, 3, 4, 5};
    const uint64_t count = UINT64_C(5000000);
    uint32_t first = 0;

    (void)state;
    feed(a, 0, count);
    feed(b, 0, 3000000);
    sim_fingerprint_event(&b->fp, &other);
    feed(b, 3000001, count);
    assert_u64(a->fp.spacing, 8192);
    assert_u64(a->fp.checkpoints_count, count / 8192);
    for (uint32_t i = 0; i < a->fp.checkpoints_count; i++) {
        assert_u64(a->fp.checkpoints[i].events, (i + 1) * UINT64_C(8192));
    }
    while (memcmp(&a->fp.checkpoints[first], &b->fp.checkpoints[first],
                  sizeof(a->fp.checkpoints[first])) == 0) {
        first++;
    }
    assert_true(a->fp.checkpoints[first].events >= 3000000);
    assert_true(a->fp.checkpoints[first].events - 8192 <= 3000000);
    stop(a);
    stop(b);
}

static void draw_counts_feed_the_second_layer(void **state)
{
    struct fixture *a = start();
    struct fixture *b = start();
    struct sim_random random;
    uint64_t draw;

    (void)state;
    assert_i64(sim_random_init(&random, &a->arena, 1), 0);
    sim_fingerprint_draws(&a->fp, &random);
    sim_random_draw(&random, 3, 0, 0, &draw);
    sim_fingerprint_draws(&b->fp, &random);
    sim_fingerprint_finish(&a->fp, a->layers, a->all);
    sim_fingerprint_finish(&b->fp, b->layers, b->all);
    assert_memory_not_equal(a->layers[SIM_LAYER_RANDOM], b->layers[SIM_LAYER_RANDOM],
                            SIM_FINGERPRINT_BYTES);
    assert_memory_equal(a->layers[SIM_LAYER_IO], b->layers[SIM_LAYER_IO], SIM_FINGERPRINT_BYTES);
    stop(a);
    stop(b);
}

static void every_allocation_may_fail(void **state)
{
    struct sim_fingerprint fp;
    uint64_t failures = 0;
    int status = SIM_ENOMEM;

    (void)state;
    for (uint64_t n = 1; status != 0; n++) {
        struct sim_arena arena;

        sim_arena_init(&arena, 0);
        sim_arena_fail_at(&arena, n);
        status = sim_fingerprint_init(&fp, &arena);
        assert_true(status == 0 || status == SIM_ENOMEM);
        failures += status != 0;
        sim_arena_release(&arena);
    }
    assert_u64(failures, SIM_LAYER_COUNT + 2);
}

// --- trace, assertions, errors -----------------------------------------------------------------

static void collect(void *context, const struct sim_trace_record *record)
{
    char *text = context;
    size_t used = strlen(text);

    snprintf(text + used, 512 - used, "%" PRId64 "+%" PRId64 " %d %u/%u %s", record->time_ns,
             record->duration_ns, (int)record->phase, record->track, record->lane, record->name);
    for (uint32_t i = 0; i < record->args_count; i++) {
        used = strlen(text);
        snprintf(text + used, 512 - used, " %s=%" PRId64, record->arg_names[i],
                 record->arg_values[i]);
    }
    strcat(text, "\n");
}

static void trace_reaches_its_observer(void **state)
{
    char text[512] = "";
    struct sim_trace trace = {collect, text};
    struct sim_trace silent = {NULL, NULL};

    (void)state;
    sim_trace_span(&trace, 1, 2, "flush", 100, 250);
    sim_trace_instant(&trace, 1, 0, "crash", 300);
    sim_trace_counter(&trace, 3, 0, "buffer", 400, 17);
    assert_text(text, "100+150 0 1/2 flush\n300+0 1 1/0 crash\n400+0 2 3/0 buffer buffer=17\n");
    // Without an observer nothing happens.
    sim_trace_instant(&silent, 1, 0, "crash", 300);
    sim_trace_instant(NULL, 1, 0, "crash", 300);
    assert_false(sim_trace_on(&silent));
    assert_false(sim_trace_on(NULL));
    assert_true(sim_trace_on(&trace));
}

static void assertions_of_each_strength(void **state)
{
    volatile int zero = 0;
    volatile int one = 1;

    (void)state;
    expect_assert_failure(SIM_ALWAYS(zero != 0));
    expect_assert_failure(SIM_ASSERT(zero != 0));
    expect_assert_failure(SIM_ASSERT_AT(zero != 0, 17));
#ifndef NDEBUG
    expect_assert_failure(SIM_DEBUG_ASSERT(zero != 0));
#else
    SIM_DEBUG_ASSERT(zero != 0);
#endif
    SIM_ALWAYS(one == 1);
    SIM_ASSERT(one == 1);
    SIM_DEBUG_ASSERT(one == 1);
    assert_true(SIM_ERGO(zero, zero) && SIM_ERGO(one, one) && SIM_ERGO(zero, one));
    assert_false(SIM_ERGO(one, zero));
}

static void errors_have_texts(void **state)
{
    (void)state;
    assert_text(sim_strerror(0), "no error");
    assert_text(sim_strerror(SIM_ELIMIT), "a stated limit of the simulator was reached");
    assert_text(sim_strerror(-999), "unknown error");
    assert_true(strstr(sim_strerror(SIM_ENOMEM), "memory") != NULL);
    assert_true(strstr(sim_strerror(SIM_EINVAL), "invalid") != NULL);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule_is_hashed_as_documented),
        cmocka_unit_test(golden_fingerprint),
        cmocka_unit_test(layers_are_independent),
        cmocka_unit_test(finish_may_be_called_at_any_time),
        cmocka_unit_test(checkpoints_locate_a_difference),
        cmocka_unit_test(draw_counts_feed_the_second_layer),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(trace_reaches_its_observer),
        cmocka_unit_test(assertions_of_each_strength),
        cmocka_unit_test(errors_have_texts),
    };

    return check_main(argc, argv, "sim_fingerprint", tests);
}
