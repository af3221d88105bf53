// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_CAPACITY_MIN ((size_t)4096)

void results_text_init(struct results_text *text)
{
    memset(text, 0, sizeof(*text));
}

void results_text_release(struct results_text *text)
{
    if (text != NULL) {
        free(text->data);
        results_text_init(text);
    }
}

void results_text_clear(struct results_text *text)
{
    text->size = 0;
}

// Room for `more` bytes and a final zero.
static bool text_reserve(struct results_text *text, size_t more)
{
    size_t capacity = text->capacity < TEXT_CAPACITY_MIN ? TEXT_CAPACITY_MIN : text->capacity;
    char *data;

    if (text->failed || more >= RESULTS_TEXT_MAX - text->size) {
        text->failed = true;
        return false;
    }
    if (text->size + more < text->capacity) {
        return true;
    }
    while (capacity <= text->size + more) {
        capacity *= 2;
    }
    data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void results_text_bytes(struct results_text *text, const char *bytes, size_t size)
{
    if (size > 0 && text_reserve(text, size)) {
        memcpy(text->data + text->size, bytes, size);
        text->size += size;
    }
}

void results_text_add(struct results_text *text, const char *string)
{
    results_text_bytes(text, string, strlen(string));
}

void results_text_char(struct results_text *text, char c)
{
    results_text_bytes(text, &c, 1);
}

void results_text_repeat(struct results_text *text, const char *string, size_t times)
{
    for (size_t i = 0; i < times && !text->failed; i++) {
        results_text_add(text, string);
    }
}

void results_text_u64(struct results_text *text, uint64_t value)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof(digits) - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    results_text_bytes(text, digits + sizeof(digits) - n, n);
}

void results_text_i64(struct results_text *text, int64_t value)
{
    if (value < 0) {
        results_text_char(text, '-');
        results_text_u64(text, 0 - (uint64_t)value);
    } else {
        results_text_u64(text, (uint64_t)value);
    }
}

void results_text_hex(struct results_text *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        results_text_char(text, digits[bytes[i] >> 4]);
        results_text_char(text, digits[bytes[i] & 15]);
    }
}

void results_text_format(struct results_text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int wanted;

    va_start(arguments, format);
    va_copy(again, arguments);
    wanted = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        text->failed = true;
    } else if (text_reserve(text, (size_t)wanted)) {
        (void)vsnprintf(text->data + text->size, (size_t)wanted + 1, format, again);
        text->size += (size_t)wanted;
    }
    va_end(again);
}

const char *results_text_string(struct results_text *text)
{
    if (text->failed || !text_reserve(text, 0) || text->data == NULL) {
        return "";
    }
    text->data[text->size] = '\0';
    return text->data;
}

int results_write_bytes(int fd, const char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, bytes + done, size - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0) {
            return EIO;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int results_text_write(const struct results_text *text, int fd)
{
    if (text->failed) {
        return ENOMEM;
    }
    return results_write_bytes(fd, text->data, text->size);
}
