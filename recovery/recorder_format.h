// SPDX-License-Identifier: Apache-2.0
//
// What recorder.c writes and replayer.c reads; see recorder.h for the entries.
#ifndef RECOUP_RECOVERY_RECORDER_FORMAT_H
#define RECOUP_RECOVERY_RECORDER_FORMAT_H

#include "recovery/recorder.h"

#define RECOUP__RECORDING_MAGIC "RECOUPTR" // 8 bytes, without the final zero

enum {
    RECOUP__RECORDING_START = 12, // magic and version
    RECOUP__ENTRY_PREFIX = 9,     // kind, two sizes
    RECOUP__ENTRY_CHECK = 4,
};

enum recoup__entry_kind {
    RECOUP__ENTRY_CONFIG = 1,
    RECOUP__ENTRY_EVENT = 2,
    RECOUP__ENTRY_RESULT = 3,
};

// The running check after an entry.
uint64_t recoup__entry_chain(uint64_t chain, const uint8_t prefix[RECOUP__ENTRY_PREFIX],
                             const void *head, size_t head_size, const void *data,
                             size_t data_size);

// What a RESULT compares: update, state and deadline of the job.
uint64_t recoup__result_hash(const struct recoup_job *job, const struct recoup_update *update);

#endif
