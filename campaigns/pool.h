// SPDX-License-Identifier: GPL-3.0-or-later
//
// Many runs at once: worker processes that each make many runs, and one parent that hands out the
// work and takes the results. A worker that dies takes one item along, not the campaign: the
// parent learns which item, the signal and the last lines of its standard error, and starts
// another worker.
//
// Items are numbers that mean something to the caller. Results are bytes of the caller's own
// encoding. The order in which items end is not defined; nothing that is stored may depend on it.
#ifndef RECOUP_CAMPAIGNS_POOL_H
#define RECOUP_CAMPAIGNS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAMPAIGN_WORKERS_MAX 1024u
#define CAMPAIGN_AHEAD_MAX 256u                // items that one worker may have in hand
#define CAMPAIGN_REPLY_MAX ((size_t)256 << 20) // bytes of one answer
#define CAMPAIGN_ERRORS_MAX 2048u              // bytes kept of a worker's standard error

// What a worker answers: bytes, appended. The first failure sticks (out of memory, or more than
// CAMPAIGN_REPLY_MAX); an item whose reply has failed ends as CAMPAIGN_LIMITED. A worker that runs
// out of memory elsewhere may set `failed` itself.
struct campaign_reply {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
    bool failed;
};

void campaign_reply_add(struct campaign_reply *reply, const void *bytes, size_t size);
void campaign_reply_u32(struct campaign_reply *reply, uint32_t value); // little-endian
void campaign_reply_u64(struct campaign_reply *reply, uint64_t value);
void campaign_reply_i64(struct campaign_reply *reply, int64_t value);
void campaign_reply_text(struct campaign_reply *reply, const char *text); // u32 length, bytes

void campaign_reply_release(struct campaign_reply *reply); // for replies of one's own

// Reads a reply from its front. A short or broken reply sets `failed` and gives zeros.
struct campaign_reader {
    const unsigned char *bytes;
    size_t size;
    size_t next;
    bool failed;
};

uint32_t campaign_reader_u32(struct campaign_reader *reader);
uint64_t campaign_reader_u64(struct campaign_reader *reader);
int64_t campaign_reader_i64(struct campaign_reader *reader);
// The next `size` bytes, borrowed; NULL after a failure.
const unsigned char *campaign_reader_bytes(struct campaign_reader *reader, size_t size);
// A zero-terminated copy from malloc; NULL after a failure.
char *campaign_reader_text(struct campaign_reader *reader);

enum campaign_end {
    CAMPAIGN_ANSWERED, // `bytes` is what the worker said
    CAMPAIGN_CRASHED,  // the worker died: `signal` or `exit_code`, `errors` its last words
    CAMPAIGN_LIMITED   // the item took longer than `item_wall_ns`, or its reply failed
};

struct campaign_outcome {
    enum campaign_end end;
    const unsigned char *bytes;
    size_t size;
    bool out_of_memory; // of CAMPAIGN_LIMITED: the reply failed; else it took too long
    int signal;         // of a crash; 0: it left by itself with `exit_code`
    int exit_code;
    const char *errors; // the last lines of standard error, at most 2 KiB; "" where there are none
    int64_t wall_ns;    // that the item took in the worker
    uint64_t process;   // the worker's
};

struct campaign_pool_options {
    uint32_t workers;          // processes, 1 to CAMPAIGN_WORKERS_MAX
    uint32_t ahead;            // items in one worker's hands; 0: as many as it does in about 20 ms
    int64_t item_wall_ns;      // 0: no limit
    uint64_t memory_bytes;     // address space of a worker; 0: no limit
    int (*fork_process)(void); // tests: instead of fork(); NULL: fork()
};

// What the caller does for the pool. All but `start`, `work` and `end` are called in the parent.
struct campaign_tasks {
    void *context;
    // In a new worker, before its first item: makes what it keeps (an arena, say). False, or a
    // death in here, ends the campaign as CAMPAIGN_OUTSIDE; what it wrote to standard error says
    // why. May be NULL.
    bool (*start)(void *context, void **worker);
    // In a worker: does one item.
    void (*work)(void *context, void *worker, uint64_t item, struct campaign_reply *reply);
    // In a worker that leaves in order. May be NULL.
    void (*end)(void *context, void *worker);
    // The next item to hand out; false: none at present (asked again after each result).
    bool (*next)(void *context, uint64_t *item);
    // An item has ended, once each; what `outcome` points to lives until the return. False stops
    // the campaign (the disk is full, say).
    bool (*done)(void *context, uint64_t item, const struct campaign_outcome *outcome);
    // Asked several times a second with the monotonic clock, for progress. May be NULL.
    void (*tick)(void *context, int64_t now_ns);
    // What a worker that left in order had written to standard output or error. May be NULL.
    void (*said)(void *context, uint64_t process, const char *text);
    // True once no more is to be handed out: what runs is waited for (a first SIGINT). May be NULL.
    bool (*drain)(void *context);
};

enum campaign_result {
    CAMPAIGN_COMPLETE, // next() had no more
    CAMPAIGN_DRAINED,  // asked to stop; what was in hand has ended
    CAMPAIGN_STOPPED,  // done() returned false
    CAMPAIGN_OUTSIDE   // a worker could not be started, or could not start: `message`
};

// Runs until next() has no more and all that was handed out has ended. Items in the hands of a dead
// worker that it had not begun are handed out again, and so are those that it had done but not yet
// answered: work() may see an item twice, done() never. After a stop or a drain such items may
// have had no done() at all. Workers ignore SIGINT and SIGHUP, which a terminal sends to all of a
// group, and are killed when the parent dies. While it runs, SIGPIPE is ignored and SIGCHLD at its
// default.
// `message` has room for `size` bytes: after CAMPAIGN_OUTSIDE what went wrong and what to do, else
// a warning (fewer workers than asked for) or "".
enum campaign_result campaign_pool_run(const struct campaign_pool_options *options,
                                       const struct campaign_tasks *tasks, char *message,
                                       size_t size);

// As many workers as the machine has processors for this process, at least 1.
uint32_t campaign_pool_default_workers(void);
// The monotonic clock.
int64_t campaign_clock_ns(void);

#endif
