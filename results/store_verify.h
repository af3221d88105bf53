// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup store verify`: what is wrong with an event store, where, and what a new master does
// about it. The library's own reader says which bytes count. Whatever it delivers is checked on the
// way; a file of which it does not deliver every record, from the first byte to the last, is then
// scanned by itself, to find what is wrong with it.
#ifndef RECOUP_RESULTS_STORE_VERIFY_H
#define RECOUP_RESULTS_STORE_VERIFY_H

#include "results/store_dump.h"
#include "results/store_reading.h"
#include "results/store_words.h"

#define RESULTS_STORE_FINDINGS_MAX 1000u // kept; more are counted

struct results_store_finding {
    char file[32];
    uint64_t offset;
    enum recoup__damage_kind kind;
    enum results_store_answer answer;
    // What stands behind the bytes that a later master read as valid: it does not count, and that
    // is as it should be.
    bool behind;
    // A complete checkpoint follows, which replaces everything before it.
    bool made_up;
};

struct results_store_verification {
    struct results_store_finding *findings;
    uint32_t n_findings;
    uint64_t more; // findings that are not kept
    uint64_t records;
    uint64_t checkpoints; // complete ones
    uint32_t damages;     // findings that are damage
    enum recoup_profile profile;
    struct recoup__opened opened; // by the library's reader
};

// INTACT, DAMAGED, CANCELLED or UNREAD. The verification is to be released in every case.
enum results_store_outcome results_store_verify(struct results_store_verification *verification,
                                                const struct results_store_files *files,
                                                const struct results_store_watch *watch,
                                                struct results_text *message);
void results_store_verification_release(struct results_store_verification *verification);

// The report, as lines or as one JSON object on a line.
void results_store_verify_text(const struct results_store_verification *verification,
                               const struct results_store_files *files, struct results_text *text);
void results_store_verify_json(const struct results_store_verification *verification,
                               const struct results_store_files *files, struct results_text *text);

// One sentence on what a new master makes of the log.
void results_store_opened_text(const struct recoup__opened *opened, enum recoup_profile profile,
                               struct results_text *text);

#endif
