// SPDX-License-Identifier: Apache-2.0
//
// The host's parts: what uv_host.c (steps, commands), uv_request.c (file operations in the pool)
// and uv_timer.c (the deadline) share.
#ifndef RECOUP_HOST_UV_HOST_H
#define RECOUP_HOST_UV_HOST_H

#include <uv.h>

#include "recovery/host/files.h"
#include "recovery/memory.h"
#include "recovery/recorder.h"

// Steps in one turn of the loop: an engine that always has a next event starves neither its own
// other work nor the ends of file operations, which only the loop brings.
#define RECOUP__HOST_STEPS_MAX 256u
// How long a step that found no memory waits before it is repeated.
#define RECOUP__HOST_RETRY_NS INT64_C(20000000)

enum recoup__request_state {
    RECOUP__REQUEST_NONE,
    RECOUP__REQUEST_RUNNING, // in the pool, or waiting for a thread of it
    RECOUP__REQUEST_DONE,    // its result waits to be stepped
};

// The I/O operation of the job: at most one at a time (D2).
struct recoup__request {
    uv_work_t work;
    enum recoup__request_state state;
    uint32_t id;          // of the action
    uint64_t incarnation; // of the host when it was begun
    struct recoup__file_operation operation;
};

struct recoup_host {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct recoup_host_engine *engine;
    struct recoup_allocator allocator;
    struct recoup_job *job;
    struct recoup__files files;
    struct recoup__request request;
    void *read_buffer; // of read_bytes bytes
    size_t read_bytes;
    uint64_t incarnation; // counts endings: an operation begun before one is nobody's any more
    struct recoup_recorder recorder;
    int recording_fd; // -1: nothing is recorded
    uint64_t recording_left;
    int64_t retry_ns;     // nothing of the host's own is stepped before this, since memory ran out
    bool timer_due;
    bool turning; // a step, or a command, is under way
    bool ended;   // leadership is lost: the job is only destroyed (D12)
    bool closing; // recoup_host_destroy() was called
    bool timer_closed;
    void (*destroyed)(void *context);
    void *destroyed_context;
};

// uv_host.c: steps whatever waits, until nothing does or the turn is over, and arms the timer.
void recoup__host_turn(struct recoup_host *host);
// Frees everything, if the host is closing and nothing is under way any more.
void recoup__host_free(struct recoup_host *host);

// recording.c: recoup_step() at the time of now, recorded if the host records.
int recoup__recording_step(struct recoup_host *host, const struct recoup_event *event,
                           struct recoup_update *update);
int recoup__recording_open(struct recoup_host *host, const struct recoup_host_config *config,
                           const struct recoup_config *job);
void recoup__recording_close(struct recoup_host *host);

// uv_request.c
void recoup__request_begin(struct recoup_host *host, const struct recoup_action *action);
// Fills the IO event of a request that is done. `event` points into the request.
void recoup__request_event(const struct recoup__request *request, struct recoup_event *event);
void recoup__request_release(struct recoup__request *request); // state NONE again
// The operation under way is nobody's any more: it is cancelled if no thread has begun it.
void recoup__request_cancel(struct recoup_host *host);

// uv_timer.c
int recoup__timer_init(struct recoup_host *host);
// Sets the timer for the job's deadline; with `soon` for the loop's next turn.
void recoup__timer_arm(struct recoup_host *host, bool soon);
void recoup__timer_close(struct recoup_host *host);

#endif
