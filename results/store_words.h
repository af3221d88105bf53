// SPDX-License-Identifier: GPL-3.0-or-later
//
// Words for what stands in an event store, and what a new master does about what is wrong with it
// (docs/disk-format.md, "Reading").
#ifndef RECOUP_RESULTS_STORE_WORDS_H
#define RECOUP_RESULTS_STORE_WORDS_H

#include "recovery/record.h"
#include "recovery/store.h"
#include "results/json.h"

enum results_store_answer {
    RESULTS_STORE_CUT,    // nothing counts from there on, up to a complete checkpoint
    RESULTS_STORE_SKIP,   // the rest of the file does not count, later files do
    RESULTS_STORE_END,    // later files do not count
    RESULTS_STORE_REFUSE, // the recovery fails, the log is left alone
    RESULTS_STORE_WIPE    // the recovery fails, the log is removed, the job starts over
};

const char *results_store_type_name(uint32_t type); // "FINISHED"; "UNKNOWN"
const char *results_store_damage_name(enum recoup__damage_kind kind);     // "torn"
const char *results_store_damage_sentence(enum recoup__damage_kind kind); // what it looks like
enum results_store_answer results_store_answer(enum recoup__damage_kind kind, bool hardened);
const char *results_store_answer_name(enum results_store_answer answer);     // "cut"
const char *results_store_answer_sentence(enum results_store_answer answer); // what happens

// What a record says, as one piece of text, or as keys of the JSON object that is open. The bytes
// of payloads and snapshots are opaque: their size and XXH3 are given.
void results_store_record_text(const struct recoup__record *record, struct results_text *text);
void results_store_record_json(const struct recoup__record *record, struct results_json *json);

// A key with a number that may be greater than JSON's integers here: then it is a string "0x...".
void results_store_put_u64(struct results_json *json, const char *key, uint64_t value);

#endif
