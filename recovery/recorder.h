// SPDX-License-Identifier: Apache-2.0
//
// A recorder of (time, event) pairs, and a replayer that feeds them to a new job: so that what
// happened in production happens again under a debugger.
//
// recoup_recorder_step() stands in for recoup_step(). It writes the event before the step (so the
// one in which a process died is there), and what came of it after the step: the code, and a hash
// of the update, of the job's state and of its deadline. Bytes go out through a callback; where
// they are kept is the host's business. Event data (payloads, snapshots, what READ returned) are
// recorded in full: a recording is about as large as the store that was read and written meanwhile,
// and as confidential. If the callback or memory fails, recording ends, and the job goes on
// unharmed.
//
// The replayer creates a job from the recorded configuration, steps the recorded events and
// compares. Jobs are deterministic, so a difference means another version of the library, a host
// that broke duty D1 (two threads), or a recording in which an allocation had failed. Events
// refused for want of memory are left out when replaying.
//
//     recording  := magic "RECOUPTR", version u32, entry ...
//     entry      := kind u8, size of head u32, size of data u32, head, data, check u32
//     kind       := 1 configuration (the first), 2 event, 3 result (behind its event)
//
// Fixed-size numbers are little-endian, numbers in heads LEB128 (signed ones zigzag). `check` is
// the low half of a running XXH3-64 over all that came before, so no entry can be lost, repeated or
// moved unnoticed. An entry is at most RECOUP_RECORDING_ENTRY_MAX bytes.
#ifndef RECOUP_RECOVERY_RECORDER_H
#define RECOUP_RECOVERY_RECORDER_H

#include "recovery/recoup.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RECOUP_RECORDING_VERSION 2u
#define RECOUP_RECORDING_ENTRY_MAX (1u << 28)

// Takes bytes of the recording. Returns 0, or an error, after which no more bytes are given.
typedef int recoup_recorder_write(void *context, const void *bytes, size_t size);

struct recoup_recorder {
    recoup_recorder_write *write;
    void *context; // of write
    struct recoup_allocator allocator;
    uint8_t *head; // of the entry being made
    uint32_t capacity;
    uint32_t used;
    uint64_t chain;  // running check
    uint64_t offset; // bytes given to write
    uint64_t steps;  // recorded
    int64_t now_ns;  // of the last step
    int error;       // why recording has ended, 0: it goes on
};

// Starts a recording of a job that is created with the same `config` (whose allocator is used).
// Returns 0, RECOUP_EINVAL, RECOUP_ENOMEM or the callback's error; the recorder is then unusable,
// but may be stepped and released.
int recoup_recorder_init(struct recoup_recorder *recorder, const struct recoup_config *config,
                         recoup_recorder_write *write, void *context);
void recoup_recorder_release(struct recoup_recorder *recorder); // accepts a zeroed one

// recoup_step(), recorded. Returns what recoup_step() returns.
int recoup_recorder_step(struct recoup_recorder *recorder, struct recoup_job *job, int64_t now_ns,
                         const struct recoup_event *event, struct recoup_update *update);

// A hash of everything that an update says, data included; the same on every machine.
uint64_t recoup_update_hash(const struct recoup_update *update);

// ---------------------------------------------------------------------------------------------

enum recoup_replay_verdict {
    RECOUP_REPLAY_STEPPED,   // one more event; the update is what it was
    RECOUP_REPLAY_END,       // the recording ends here, in good order
    RECOUP_REPLAY_TRUNCATED, // the recording ends within an entry
    RECOUP_REPLAY_DAMAGED,   // a check does not match, or an entry makes no sense
    RECOUP_REPLAY_VERSION,   // no recording, or one of another version
    RECOUP_REPLAY_DIVERGED,  // this library does something else
    RECOUP_REPLAY_NO_MEMORY,
};

struct recoup_replay {
    enum recoup_replay_verdict verdict;
    const char *text; // a sentence that says what is wrong
    uint64_t offset;  // in the recording, of the entry that the verdict is about
    uint64_t step;    // number of the event, from 1
    // Of the last event stepped; valid until the next call.
    int64_t now_ns;
    const struct recoup_event *event;
    const struct recoup_update *update;
    int code;     // what recoup_step() returned
    bool checked; // false: the recording has no result for it (the process died in this step), or
                  // it was refused for want of memory and has been left out
};

struct recoup_replayer;

// Opens a recording (borrowed until destroy) and creates its job. Returns 0, or RECOUP_ECORRUPT,
// RECOUP_EVERSION, RECOUP_ENOMEM; `out` says more in both cases.
int recoup_replayer_create(const void *bytes, size_t size, const struct recoup_allocator *allocator,
                           struct recoup_replayer **replayer, struct recoup_replay *out);
void recoup_replayer_destroy(struct recoup_replayer *replayer); // accepts NULL

// Steps the next event. True if there was one and it led where it had led (STEPPED).
bool recoup_replayer_next(struct recoup_replayer *replayer, struct recoup_replay *out);

// The job as it stands, to look into.
const struct recoup_job *recoup_replayer_job(const struct recoup_replayer *replayer);

#ifdef __cplusplus
}
#endif

#endif
