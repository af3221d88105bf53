// SPDX-License-Identifier: GPL-3.0-or-later
//
// Writes JSON in the order in which it is called, on one line. Integers only: a number that does
// not fit int64 is no number here. Strings are escaped; bytes that are not UTF-8 become U+FFFD.
#ifndef RECOUP_RESULTS_JSON_H
#define RECOUP_RESULTS_JSON_H

#include "results/text.h"

#define RESULTS_JSON_DEPTH_MAX 32u

struct results_json {
    struct results_text *text; // borrowed
    uint32_t depth;
    uint32_t started; // bit d: a value stands already in the container at depth d
    bool after_key;   // a key waits for its value
};

void results_json_init(struct results_json *json, struct results_text *text);

void results_json_object(struct results_json *json); // {
void results_json_array(struct results_json *json);  // [
void results_json_end_object(struct results_json *json);
void results_json_end_array(struct results_json *json);
void results_json_key(struct results_json *json, const char *key);

void results_json_string(struct results_json *json, const char *value); // NULL: null
void results_json_i64(struct results_json *json, int64_t value);
void results_json_u64(struct results_json *json, uint64_t value); // clamped to INT64_MAX
void results_json_bool(struct results_json *json, bool value);
void results_json_null(struct results_json *json);
void results_json_hex(struct results_json *json, const uint8_t *bytes, size_t size);

// A key with its value.
void results_json_put_string(struct results_json *json, const char *key, const char *value);
void results_json_put_i64(struct results_json *json, const char *key, int64_t value);
void results_json_put_u64(struct results_json *json, const char *key, uint64_t value);
void results_json_put_bool(struct results_json *json, const char *key, bool value);

#endif
