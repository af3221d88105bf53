// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/json.h"

#include <string.h>

#include "sim/assert.h"

void results_json_init(struct results_json *json, struct results_text *text)
{
    memset(json, 0, sizeof(*json));
    json->text = text;
}

// The comma before a value or key, where one is due.
static void json_separate(struct results_json *json)
{
    uint32_t bit = UINT32_C(1) << json->depth;

    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if ((json->started & bit) != 0) {
        results_text_char(json->text, ',');
    }
    json->started |= bit;
}

static void json_open(struct results_json *json, char bracket)
{
    SIM_ASSERT(json->depth + 1 < RESULTS_JSON_DEPTH_MAX);
    json_separate(json);
    results_text_char(json->text, bracket);
    json->depth++;
    json->started &= ~(UINT32_C(1) << json->depth);
}

static void json_close(struct results_json *json, char bracket)
{
    SIM_ASSERT(json->depth > 0);
    SIM_ASSERT(!json->after_key);
    json->depth--;
    results_text_char(json->text, bracket);
}

void results_json_object(struct results_json *json)
{
    json_open(json, '{');
}

void results_json_array(struct results_json *json)
{
    json_open(json, '[');
}

void results_json_end_object(struct results_json *json)
{
    json_close(json, '}');
}

void results_json_end_array(struct results_json *json)
{
    json_close(json, ']');
}

// Length of the valid UTF-8 sequence at `s`, 0 if there is none. Reads no further than the final
// zero.
static size_t json_utf8(const unsigned char *s)
{
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> n);

    if (s[0] < 0xc2 || s[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (s[i] & 0x3fu);
    }
    if ((n == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
        (n == 4 && (code < 0x10000 || code > 0x10ffff))) {
        return 0;
    }
    return n;
}

static void json_escape(struct results_text *text, unsigned char c)
{
    switch (c) {
    case '"':
        results_text_add(text, "\\\"");
        break;
    case '\\':
        results_text_add(text, "\\\\");
        break;
    case '\n':
        results_text_add(text, "\\n");
        break;
    case '\t':
        results_text_add(text, "\\t");
        break;
    case '\r':
        results_text_add(text, "\\r");
        break;
    default:
        results_text_format(text, "\\u%04x", (unsigned)c);
        break;
    }
}

static void json_quote(struct results_text *text, const char *value)
{
    const unsigned char *s = (const unsigned char *)value;

    results_text_char(text, '"');
    while (*s != 0) {
        size_t n = 0;

        while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\') {
            n++;
        }
        results_text_bytes(text, (const char *)s, n);
        s += n;
        if (*s == 0) {
            break;
        }
        n = *s < 0x80 ? 0 : json_utf8(s);
        if (n > 0) {
            results_text_bytes(text, (const char *)s, n);
            s += n;
        } else if (*s < 0x80) {
            json_escape(text, *s++);
        } else {
            results_text_add(text, "\\ufffd");
            s++;
        }
    }
    results_text_char(text, '"');
}

void results_json_key(struct results_json *json, const char *key)
{
    SIM_ASSERT(!json->after_key);
    json_separate(json);
    json_quote(json->text, key);
    results_text_char(json->text, ':');
    json->after_key = true;
}

void results_json_string(struct results_json *json, const char *value)
{
    if (value == NULL) {
        results_json_null(json);
        return;
    }
    json_separate(json);
    json_quote(json->text, value);
}

void results_json_i64(struct results_json *json, int64_t value)
{
    json_separate(json);
    results_text_i64(json->text, value);
}

void results_json_u64(struct results_json *json, uint64_t value)
{
    results_json_i64(json, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void results_json_bool(struct results_json *json, bool value)
{
    json_separate(json);
    results_text_add(json->text, value ? "true" : "false");
}

void results_json_null(struct results_json *json)
{
    json_separate(json);
    results_text_add(json->text, "null");
}

void results_json_hex(struct results_json *json, const uint8_t *bytes, size_t size)
{
    json_separate(json);
    results_text_char(json->text, '"');
    results_text_hex(json->text, bytes, size);
    results_text_char(json->text, '"');
}

void results_json_put_string(struct results_json *json, const char *key, const char *value)
{
    results_json_key(json, key);
    results_json_string(json, value);
}

void results_json_put_i64(struct results_json *json, const char *key, int64_t value)
{
    results_json_key(json, key);
    results_json_i64(json, value);
}

void results_json_put_u64(struct results_json *json, const char *key, uint64_t value)
{
    results_json_key(json, key);
    results_json_u64(json, value);
}

void results_json_put_bool(struct results_json *json, const char *key, bool value)
{
    results_json_key(json, key);
    results_json_bool(json, value);
}
