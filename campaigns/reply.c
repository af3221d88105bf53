// SPDX-License-Identifier: GPL-3.0-or-later
//
// The encoding of what workers answer: little-endian numbers and texts with their length.
#include <stdlib.h>
#include <string.h>

#include "campaigns/pool.h"

void campaign_reply_add(struct campaign_reply *reply, const void *bytes, size_t size)
{
    if (reply->failed || size > CAMPAIGN_REPLY_MAX - reply->size) {
        reply->failed = true;
        return;
    }
    if (size > reply->capacity - reply->size) {
        size_t capacity = reply->capacity < 1024 ? 1024 : reply->capacity * 2;
        unsigned char *grown;

        while (capacity < reply->size + size) {
            capacity *= 2;
        }
        grown = realloc(reply->bytes, capacity);
        if (grown == NULL) {
            reply->failed = true;
            return;
        }
        reply->bytes = grown;
        reply->capacity = capacity;
    }
    if (size > 0) {
        memcpy(reply->bytes + reply->size, bytes, size);
        reply->size += size;
    }
}

void campaign_reply_u32(struct campaign_reply *reply, uint32_t value)
{
    unsigned char bytes[4];

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    campaign_reply_add(reply, bytes, sizeof(bytes));
}

void campaign_reply_u64(struct campaign_reply *reply, uint64_t value)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    campaign_reply_add(reply, bytes, sizeof(bytes));
}

void campaign_reply_i64(struct campaign_reply *reply, int64_t value)
{
    campaign_reply_u64(reply, (uint64_t)value);
}

void campaign_reply_text(struct campaign_reply *reply, const char *text)
{
    size_t size = strlen(text);

    if (size > CAMPAIGN_REPLY_MAX) {
        reply->failed = true;
        return;
    }
    campaign_reply_u32(reply, (uint32_t)size);
    campaign_reply_add(reply, text, size);
}

void campaign_reply_release(struct campaign_reply *reply)
{
    free(reply->bytes);
    memset(reply, 0, sizeof(*reply));
}

const unsigned char *campaign_reader_bytes(struct campaign_reader *reader, size_t size)
{
    const unsigned char *bytes = reader->bytes + reader->next;

    if (reader->failed || size > reader->size - reader->next) {
        reader->failed = true;
        return NULL;
    }
    reader->next += size;
    return bytes;
}

static uint64_t reader_number(struct campaign_reader *reader, unsigned size)
{
    const unsigned char *bytes = campaign_reader_bytes(reader, size);
    uint64_t value = 0;

    for (unsigned i = 0; bytes != NULL && i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

uint32_t campaign_reader_u32(struct campaign_reader *reader)
{
    return (uint32_t)reader_number(reader, 4);
}

uint64_t campaign_reader_u64(struct campaign_reader *reader)
{
    return reader_number(reader, 8);
}

int64_t campaign_reader_i64(struct campaign_reader *reader)
{
    return (int64_t)reader_number(reader, 8);
}

char *campaign_reader_text(struct campaign_reader *reader)
{
    uint32_t size = campaign_reader_u32(reader);
    const unsigned char *bytes = campaign_reader_bytes(reader, size);
    char *text = bytes == NULL ? NULL : malloc((size_t)size + 1);

    if (text == NULL) {
        reader->failed = true;
        return NULL;
    }
    memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}
