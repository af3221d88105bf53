// SPDX-License-Identifier: GPL-3.0-or-later
//
// The write buffer alone: the rules of Flink's FsBatchFlushOutputStream (specification,
// section 8.3).
#include "check.h"
#include "recovery/buffer.h"

static void *plain_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void plain_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

struct stream {
    struct recoup__memory memory;
    struct recoup__buffer buffer;
    unsigned flushes;
    unsigned passes;
    size_t under;      // bytes in the underlying stream
    size_t unflushed;  // of them, passed by the buffer
};

static void begin(struct stream *stream, uint64_t capacity)
{
    struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};

    memset(stream, 0, sizeof *stream);
    recoup__memory_init(&stream->memory, &allocator);
    assert_int_equal(recoup__buffer_init(&stream->buffer, &stream->memory, capacity), 0);
}

static void end(struct stream *stream)
{
    recoup__buffer_release(&stream->buffer, &stream->memory);
    assert_u64(stream->memory.bytes, 0);
}

static void flush(struct stream *stream)
{
    if (stream->buffer.used > 0) {  // an empty flush writes nothing
        stream->under += stream->buffer.used;
        stream->buffer.used = 0;
        stream->unflushed = 0;
        stream->flushes++;
    }
}

static void put(struct stream *stream, size_t size)
{
    uint8_t *chunk = calloc(1, size + 1);
    size_t at = 0;

    assert_non_null(chunk);
    for (;;) {
        size_t taken;
        enum recoup__buffer_next next =
            recoup__buffer_write(&stream->buffer, chunk + at, size - at, &taken);

        at += taken;
        assert_true(stream->buffer.used <= stream->buffer.capacity);
        if (next == RECOUP__BUFFER_PASS) {
            assert_u64(stream->buffer.used, 0);
            stream->passes++;
            stream->under += size - at;
            stream->unflushed += size - at;
            break;
        }
        if (next == RECOUP__BUFFER_TAKEN) {
            assert_u64(at, size);
            break;
        }
        flush(stream);
        if (at == size) {
            break;
        }
    }
    free(chunk);
}

// C3.1: the tenth of ten times 1000 bytes fills 10,000 exactly and is flushed at once.
static void c3_1_batch_flush(void **state)
{
    struct stream stream;

    (void)state;
    begin(&stream, 10000);
    for (unsigned i = 0; i < 9; i++) {
        put(&stream, 1000);
        assert_u64(stream.flushes, 0);
    }
    put(&stream, 1000);
    assert_u64(stream.flushes, 1);
    for (unsigned i = 0; i < 9; i++) {
        put(&stream, 1000);
    }
    put(&stream, 999);
    assert_u64(stream.flushes, 1);
    put(&stream, 1);
    assert_u64(stream.flushes, 2);
    assert_u64(stream.under, 20000);
    end(&stream);
}

// C3.2: a chunk larger than the buffer is in the underlying stream after the write, behind what was
// buffered.
static void c3_2_larger_than_the_buffer(void **state)
{
    struct stream stream;

    (void)state;
    begin(&stream, 10000);
    put(&stream, 10001);
    assert_u64(stream.passes, 1);
    assert_u64(stream.under, 10001);
    assert_u64(stream.unflushed, 10001);
    assert_u64(stream.flushes, 0);
    put(&stream, 5);
    put(&stream, 20000);
    assert_u64(stream.flushes, 1);
    assert_u64(stream.under, 10001 + 5 + 20000);
    end(&stream);
}

// A chunk of exactly the buffer's size passes by it; one byte less is copied.
static void as_large_as_the_buffer(void **state)
{
    struct stream stream;

    (void)state;
    begin(&stream, 100);
    put(&stream, 100);
    assert_u64(stream.passes, 1);
    put(&stream, 99);
    assert_u64(stream.passes, 1);
    assert_u64(stream.buffer.used, 99);
    put(&stream, 99);  // overflows: 1 byte fills it, 98 stay
    assert_u64(stream.flushes, 1);
    assert_u64(stream.buffer.used, 98);
    end(&stream);
}

static void empty_chunks_and_flushes(void **state)
{
    struct stream stream;

    (void)state;
    begin(&stream, 1);
    put(&stream, 0);
    flush(&stream);
    assert_u64(stream.under, 0);
    assert_u64(stream.flushes, 0);
    put(&stream, 1);
    assert_u64(stream.passes, 1);
    end(&stream);
}

static void capacity_is_checked(void **state)
{
    struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};
    struct recoup__memory memory;
    struct recoup__buffer buffer;

    (void)state;
    recoup__memory_init(&memory, &allocator);
    assert_int_equal(recoup__buffer_init(&buffer, &memory, 0), RECOUP_EINVAL);
    assert_int_equal(recoup__buffer_init(&buffer, &memory, UINT64_MAX), RECOUP_EINVAL);
    recoup__buffer_release(&buffer, &memory);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(c3_1_batch_flush),       cmocka_unit_test(c3_2_larger_than_the_buffer),
    cmocka_unit_test(as_large_as_the_buffer), cmocka_unit_test(empty_chunks_and_flushes),
    cmocka_unit_test(capacity_is_checked),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "recovery_buffer", tests);
}
