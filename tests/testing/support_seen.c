// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/testing/support_seen.h"

#include <inttypes.h>
#include <xxhash.h>

bool seen_first(uint64_t *seen, uint64_t n, uint64_t key)
{
    key |= 1; // 0 is a free place
    for (uint64_t i = 0; i < n; i++) {
        uint64_t *slot = &seen[(key + i) % n];

        if (*slot == key) {
            return false;
        }
        if (*slot == 0) {
            *slot = key;
            return true;
        }
    }
    fail_msg("more than %" PRIu64 " distinct states", n);
    return false;
}

bool seen_first_storage(uint64_t *seen, uint64_t n, const struct recoup_testing_host *host,
                        uint64_t salt)
{
    uint8_t hash[16];

    recoup_testing_hash(host, hash);
    return seen_first(seen, n, XXH3_64bits_withSeed(hash, sizeof hash, salt));
}
