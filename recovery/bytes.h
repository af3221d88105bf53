// SPDX-License-Identifier: Apache-2.0
//
// Integers to and from bytes, the same on every machine. Writers return where the next byte goes.
#ifndef RECOUP_RECOVERY_BYTES_H
#define RECOUP_RECOVERY_BYTES_H

#include <stdint.h>
#include <string.h>

// The value whose bytes in memory are those of `value`, lowest first; and the other way round.
// Shifted together byte by byte, a number that the compiler knows costs it a dozen instructions.
static inline uint32_t recoup__le32(uint32_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap32(value);
}

static inline uint64_t recoup__le64(uint64_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

static inline uint8_t *recoup__put32(uint8_t *to, uint32_t value)  // little-endian
{
    value = recoup__le32(value);
    memcpy(to, &value, sizeof value);
    return to + 4;
}

static inline uint8_t *recoup__put64(uint8_t *to, uint64_t value)  // little-endian
{
    value = recoup__le64(value);
    memcpy(to, &value, sizeof value);
    return to + 8;
}

static inline uint8_t *recoup__put32be(uint8_t *to, uint32_t value)  // big-endian
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
    return to + 4;
}

static inline uint32_t recoup__get32(const uint8_t *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof value);
    return recoup__le32(value);
}

static inline uint64_t recoup__get64(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return recoup__le64(value);
}

static inline uint32_t recoup__get32be(const uint8_t *from)
{
    return (uint32_t)from[3] | (uint32_t)from[2] << 8 | (uint32_t)from[1] << 16
           | (uint32_t)from[0] << 24;
}

#endif
