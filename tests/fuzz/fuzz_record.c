// SPDX-License-Identifier: GPL-3.0-or-later
//
// Bodies of records. Input: type, then the body. What decodes encodes to the same bytes.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "recovery/record.h"

// Arrays of decoded records are at most three times as long as the bytes.
#define MEMORY_OF(size) (4 * (size) + 4096)

static void check_canonical(const struct recoup__record *record, const uint8_t *bytes, size_t size)
{
    size_t again = 0;
    uint8_t *encoded = malloc(size + 1);

    FUZZ_REQUIRE(encoded != NULL);
    FUZZ_REQUIRE(recoup__record_size(record, &again) == 0);
    FUZZ_REQUIRE(again == size);
    recoup__record_encode(record, encoded, size);
    FUZZ_REQUIRE(size == 0 || memcmp(encoded, bytes, size) == 0);
    (void)recoup__record_is_recovery_point(record);
    free(encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_memory counted = {.limit = MEMORY_OF(size)};
    struct recoup_allocator allocator = fuzz_allocator(&counted);
    struct recoup__memory memory;
    struct recoup__decoder decoder;
    struct recoup__record record;
    uint32_t type;
    int error;

    if (size == 0) {
        return 0;
    }
    type = data[0];
    recoup__memory_init(&memory, &allocator);
    recoup__decoder_init(&decoder, &memory);
    error = recoup__record_decode(&decoder, type, data + 1, size - 1, &record);
    if (error == 0) {
        FUZZ_REQUIRE(!decoder.truncated);
        FUZZ_REQUIRE((uint32_t)record.type == type);
        check_canonical(&record, data + 1, size - 1);
    } else {
        bool known = type >= RECOUP__RECORD_FINISHED && type <= RECOUP__RECORD_ENDED;

        FUZZ_REQUIRE(error == (known ? RECOUP_ECORRUPT : RECOUP_EVERSION));
    }
    recoup__decoder_release(&decoder);
    FUZZ_REQUIRE(counted.live == 0);
    return 0;
}
