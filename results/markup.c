// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/markup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" // U+FFFD
#define ELLIPSIS "\xe2\x80\xa6"

// Bytes of the UTF-8 character at `s`, 0 when there is none: too long, surrogate, cut short.
static size_t character_size(const unsigned char *s)
{
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (s[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)) {
        return 0;
    }
    return size;
}

static bool is_control(const unsigned char *s, size_t size)
{
    // C0, DEL, C1 (U+0080 to U+009F), the noncharacters U+FFFE and U+FFFF, and what turns the
    // direction of writing (U+202A to U+202E, U+2066 to U+2069): it could make a text read as
    // another.
    return (size == 1 && (s[0] < 0x20 || s[0] == 0x7f)) ||
           (size == 2 && s[0] == 0xc2 && s[1] < 0xa0) ||
           (size == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe) ||
           (size == 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
           (size == 3 && s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return " ";
    default:
        return NULL;
    }
}

// One character; returns how many bytes of the source it took.
static size_t markup_character(struct results_text *text, const char *s)
{
    const unsigned char *bytes = (const unsigned char *)s;
    size_t size = character_size(bytes);
    const char *instead = reference(s[0]);

    if (instead != NULL) {
        results_text_add(text, instead);
    } else if (size == 0 || is_control(bytes, size)) {
        results_text_add(text, REPLACEMENT);
    } else {
        results_text_bytes(text, s, size);
    }
    return size == 0 ? 1 : size;
}

void results_markup(struct results_text *text, const char *string)
{
    while (*string != '\0') {
        string += markup_character(text, string);
    }
}

static uint32_t characters(const char *string)
{
    uint32_t n = 0;

    while (*string != '\0') {
        size_t size = character_size((const unsigned char *)string);

        string += size == 0 ? 1 : size;
        n++;
    }
    return n;
}

void results_markup_cut(struct results_text *text, const char *string, uint32_t columns)
{
    if (characters(string) <= columns) {
        results_markup(text, string);
        return;
    }
    for (uint32_t i = 0; i + 1 < columns; i++) {
        string += markup_character(text, string);
    }
    results_text_add(text, ELLIPSIS);
}

void results_markup_coordinate(struct results_text *text, double value)
{
    char digits[32];
    size_t size;

    value = isfinite(value) && fabs(value) < 1e9 ? value : 0;
    (void)snprintf(digits, sizeof(digits), "%.1f", value);
    size = strlen(digits);
    if (size > 2 && digits[size - 1] == '0') {
        digits[size - 2] = '\0';
    }
    results_text_add(text, strcmp(digits, "-0") == 0 ? "0" : digits);
}

void results_markup_markdown(struct results_text *text, const char *string)
{
    while (*string != '\0') {
        size_t size = character_size((const unsigned char *)string);

        if (strchr("#@", *string) != NULL) {
            // A zero-width blank, so that a number or name does not turn into somebody's link.
            results_text_format(text, "%c&#8203;", *string);
        } else if (strchr("<>&", *string) != NULL) {
            results_text_add(text, reference(*string));
        } else if (strchr("\\`*_{}[]|~!$", *string) != NULL) {
            results_text_char(text, '\\');
            results_text_char(text, *string);
        } else if (size == 0 || is_control((const unsigned char *)string, size)) {
            results_text_add(text, *string == '\n' ? " " : REPLACEMENT);
        } else {
            results_text_bytes(text, string, size);
        }
        string += size == 0 ? 1 : size;
    }
}
