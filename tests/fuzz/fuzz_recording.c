// SPDX-License-Identifier: GPL-3.0-or-later
//
// Recordings. Input: byte 0, bit 0: the checks of the entries, and the results of events that come
// to something else, are mended, so that what is changed gets as far as the library; then the
// recording.
//
// Whatever it holds: the replay ends with a verdict, twice with the same one, no event does harm
// (the library refuses it, or goes on), and all memory comes back.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "recovery/bytes.h"
#include "recovery/recorder_format.h"

#define MEMORY_MAX (32u << 20)
#define MENDS_MAX 40u // results; each costs one replay from the start
#define RESULT_HEAD 9u // a code in one byte, a hash

// Where the entry at `at` ends, or 0 if it does not end within `size` bytes.
static size_t entry_end(const uint8_t *bytes, size_t size, size_t at)
{
    uint64_t total;

    if (size - at < RECOUP__ENTRY_PREFIX) {
        return 0;
    }
    total = RECOUP__ENTRY_PREFIX + (uint64_t)recoup__get32(bytes + at + 1) +
            recoup__get32(bytes + at + 5) + RECOUP__ENTRY_CHECK;
    return total <= size - at ? at + (size_t)total : 0;
}

static void mend_checks(uint8_t *bytes, size_t size)
{
    uint64_t chain = 0;
    size_t at = RECOUP__RECORDING_START;

    while (at < size) {
        size_t end = entry_end(bytes, size, at);
        uint32_t head;

        if (end == 0) {
            return;
        }
        head = recoup__get32(bytes + at + 1);
        chain = recoup__entry_chain(chain, bytes + at, bytes + at + RECOUP__ENTRY_PREFIX, head,
                                    bytes + at + RECOUP__ENTRY_PREFIX + head,
                                    recoup__get32(bytes + at + 5));
        recoup__put32(bytes + end - RECOUP__ENTRY_CHECK, (uint32_t)chain);
        at = end;
    }
}

// The event at `offset` has come to something else: lets its result say so. False if it cannot.
static bool mend_result(uint8_t *bytes, size_t size, uint64_t offset, int code, uint64_t hash)
{
    size_t at = entry_end(bytes, size, (size_t)offset);
    uint8_t *head = bytes + at + RECOUP__ENTRY_PREFIX;

    if (at == 0 || entry_end(bytes, size, at) == 0 ||
        recoup__get32(bytes + at + 1) != RESULT_HEAD || code > 0 ||
        code < -64) {
        return false;
    }
    head[0] = (uint8_t)(code < 0 ? -code * 2 - 1 : 0); // zigzag
    recoup__put64(head + 1, hash);
    return true;
}

// Replays to the verdict. *mended: that was a diverging result, which has been mended.
static struct recoup_replay replay(uint8_t *bytes, size_t size, bool *mended)
{
    // A job may be configured to need any amount of memory: it is refused, and the replay says so.
    struct fuzz_memory counted = {.limit = MEMORY_MAX, .refuses = true};
    struct recoup_allocator allocator = fuzz_allocator(&counted);
    struct recoup_replayer *replayer = NULL;
    struct recoup_replay out;
    bool mend = *mended;

    *mended = false;
    if (recoup_replayer_create(bytes, size, &allocator, &replayer, &out) == 0) {
        while (recoup_replayer_next(replayer, &out)) {
            FUZZ_REQUIRE(out.verdict == RECOUP_REPLAY_STEPPED && out.step <= size);
        }
        if (mend && out.verdict == RECOUP_REPLAY_DIVERGED) {
            *mended = mend_result(bytes, size, out.offset, out.code,
                                  recoup__result_hash(recoup_replayer_job(replayer), out.update));
        }
    }
    FUZZ_REQUIRE(out.verdict != RECOUP_REPLAY_STEPPED && out.text != NULL);
    FUZZ_REQUIRE(out.offset <= size);
    recoup_replayer_destroy(replayer);
    FUZZ_REQUIRE(counted.live == 0);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recoup_replay first, second;
    bool mended = size > 0 && (data[0] & 1) != 0;
    uint8_t *bytes;

    if (size == 0) {
        return 0;
    }
    data++;
    size--;
    bytes = malloc(size + (size == 0)); // its own, of just that size
    FUZZ_REQUIRE(bytes != NULL);
    memcpy(bytes, data, size);
    if (mended && size >= RECOUP__RECORDING_START) {
        mend_checks(bytes, size);
    }
    first = replay(bytes, size, &mended);
    for (unsigned i = 0; mended && i < MENDS_MAX; i++) {
        mend_checks(bytes, size);
        mended = i + 1 < MENDS_MAX;
        first = replay(bytes, size, &mended);
    }
    second = replay(bytes, size, &mended);
    FUZZ_REQUIRE(second.verdict == first.verdict && second.step == first.step);
    free(bytes);
    return 0;
}
