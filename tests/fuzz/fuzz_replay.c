// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole recovery over arbitrary files. Input: byte 0: bit 0 profile hardened, bit 1 checksums
// off; byte 1: bits flip single policies of the reader; then files: one byte how the name goes on
// from the one before (0 next index, 1 next epoch, 2 an index is left out, 3 no name of the log),
// two bytes size, the bytes.
//
// Whatever the files hold: no step fails, the recovery ends, all memory comes back, two masters see
// the same, and under the hardened policies a master that follows at once finds the state that the
// one before went on with.
#include <string.h>

#include "fuzz_host.h"
#include "recovery/format.h"

static const enum recoup_policy flips[8] = {
    RECOUP_POLICY_HOLES, RECOUP_POLICY_ON_DAMAGE,  RECOUP_POLICY_ON_GAP,     RECOUP_POLICY_EMPTY,
    RECOUP_POLICY_ORDER, RECOUP_POLICY_LOG_RESETS, RECOUP_POLICY_COMPACTION, RECOUP_POLICY_TRIM};

static void set_options(struct fuzz_host *host, const uint8_t *data)
{
    if ((data[0] & 2) != 0) {
        host->options.policy[RECOUP_POLICY_CHECKSUM] = 0;
    }
    for (unsigned i = 0; i < 8; i++) {
        if ((data[1] & (1u << i)) != 0) {
            host->options.policy[flips[i]] ^= 1;
        }
    }
}

static void set_files(struct fuzz_host *host, const uint8_t *data, size_t size)
{
    bool fenced = host->options.policy[RECOUP_POLICY_FENCING] != 0;
    uint32_t index = 0;

    host->epoch = 1;
    for (uint32_t n = 0; size >= 3 && n < FUZZ_FILES_MAX / 2; n++) {
        size_t bytes = (size_t)data[1] | (size_t)data[2] << 8;
        unsigned kind = data[0] & 3;
        char name[32];

        bytes = bytes < size - 3 ? bytes : size - 3;
        if (kind == 1 && fenced) {
            host->epoch++;
            index = 0;
        }
        index += kind == 2 ? 1 : 0;
        recoup__file_name(fenced, host->epoch, index, name);
        if (kind == 3) {
            memcpy(name, "events.x", 9);
        }
        fuzz_host_put(host, name, data + 3, bytes);
        index += kind == 3 ? 0 : 1;
        data += 3 + bytes;
        size -= 3 + bytes;
    }
}

static void hash_of(const struct fuzz_host *host, uint8_t hash[16])
{
    memset(hash, 0, 16);
    if (host->recovered) {
        recoup_state_hash(host->job, hash);
    }
}

// Recovers over the files of the input. The host is left running.
static void recover(struct fuzz_host *host, const uint8_t *data, size_t size, uint8_t hash[16])
{
    fuzz_host_init(host, (data[0] & 1) != 0 ? RECOUP_PROFILE_HARDENED : RECOUP_PROFILE_FLINK_1_20);
    set_options(host, data);
    set_files(host, data + 2, size - 2);
    fuzz_host_start(host);
    hash_of(host, hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_host host; // large; every run begins with fuzz_host_init
    uint8_t first[16], second[16];

    if (size < 2) {
        return 0;
    }
    recover(&host, data, size, first);
    fuzz_host_release(&host);
    recover(&host, data, size, second);
    FUZZ_REQUIRE(memcmp(first, second, sizeof first) == 0);
    if (host.recovered && (data[0] & 1) != 0 && data[1] == 0) {
        fuzz_host_crash(&host);
        fuzz_host_start(&host);
        FUZZ_REQUIRE(host.recovered);
        hash_of(&host, second);
        FUZZ_REQUIRE(memcmp(first, second, sizeof first) == 0);
    }
    if (host.recovered) {
        fuzz_host_work(&host, 6);
    }
    fuzz_host_release(&host);
    return 0;
}
