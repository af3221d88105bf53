// SPDX-License-Identifier: Apache-2.0
//
// Integers to and from bytes, the same on every machine. Writers return where the next byte goes.
#ifndef RECOUP_RECOVERY_BYTES_H
#define RECOUP_RECOVERY_BYTES_H

#include <stdint.h>

static inline uint8_t *recoup__put32(uint8_t *to, uint32_t value)  // little-endian
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
    to[3] = (uint8_t)(value >> 24);
    return to + 4;
}

static inline uint8_t *recoup__put64(uint8_t *to, uint64_t value)  // little-endian
{
    return recoup__put32(recoup__put32(to, (uint32_t)value), (uint32_t)(value >> 32));
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
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16
           | (uint32_t)from[3] << 24;
}

static inline uint64_t recoup__get64(const uint8_t *from)
{
    return recoup__get32(from) | (uint64_t)recoup__get32(from + 4) << 32;
}

static inline uint32_t recoup__get32be(const uint8_t *from)
{
    return (uint32_t)from[3] | (uint32_t)from[2] << 8 | (uint32_t)from[1] << 16
           | (uint32_t)from[0] << 24;
}

#endif
