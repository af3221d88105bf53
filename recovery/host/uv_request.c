// SPDX-License-Identifier: Apache-2.0
//
// File operations in libuv's pool. One operation is one piece of work for one thread, whatever it
// takes (a create is an open and an fsync of the directory), so nothing can overtake anything. It
// outlives the host's end: the job's memory, which it may read, is freed behind it.
#include <string.h>

#include "recovery/host/uv_host.h"

static struct recoup_host *host_of(uv_work_t *work)
{
    struct recoup_host *host = work->data;

    RECOUP_ASSERT(host != NULL);
    RECOUP_ASSERT(&host->request.work == work);
    return host;
}

// In a thread of the pool.
static void on_work(uv_work_t *work)
{
    struct recoup_host *host = host_of(work);

    RECOUP_ASSERT(host->request.state == RECOUP__REQUEST_RUNNING);
    recoup__files_perform(&host->files, &host->request.operation);
}

static void tell_failure(struct recoup_host *host)
{
    const struct recoup__file_operation *operation = &host->request.operation;
    struct recoup_host_failure failure = {.operation = operation->type,
                                          .call = operation->call,
                                          .directory = host->files.directory,
                                          .file = operation->file,
                                          .os_error = operation->os_error};

    RECOUP_ASSERT(operation->os_error != 0);
    RECOUP_ASSERT(!host->turning);
    failure.error = recoup_host_error(operation->os_error);
    host->turning = true;
    host->engine->storage_error(host->engine, &failure);
    host->turning = false;
}

// On the loop, when the work is done, or has been cancelled.
static void on_done(uv_work_t *work, int status)
{
    struct recoup_host *host = host_of(work);
    struct recoup__request *request = &host->request;
    bool wanted = !host->closing && !host->ended && request->incarnation == host->incarnation;

    RECOUP_ASSERT(request->state == RECOUP__REQUEST_RUNNING);
    RECOUP_ASSERT(RECOUP_ERGO(status != 0, status == UV_ECANCELED && !wanted));
    (void)status;
    if (!wanted) {
        recoup__request_release(request);
        recoup__host_free(host);
        return;
    }
    request->state = RECOUP__REQUEST_DONE;
    if (request->operation.os_error != 0) {
        tell_failure(host);
    }
    recoup__host_turn(host);
}

void recoup__request_begin(struct recoup_host *host, const struct recoup_action *action)
{
    struct recoup__request *request = &host->request;
    struct recoup__file_operation *operation = &request->operation;
    int error;

    RECOUP_ASSERT(request->state == RECOUP__REQUEST_NONE);
    RECOUP_ASSERT(action->io.operation != 0);
    RECOUP_ASSERT(action->type != RECOUP_ACTION_READ || action->io.size <= host->read_bytes);
    memset(operation, 0, sizeof *operation);
    operation->type = action->type;
    memcpy(operation->file, action->io.file, sizeof operation->file);
    operation->data = action->io.data;
    operation->offset = action->io.offset;
    operation->size = action->io.size;
    operation->buffer = host->read_buffer;
    request->id = action->io.operation;
    request->incarnation = host->incarnation;
    if (recoup__files_is_immediate(&host->files, operation)) {
        operation->call = "";
        request->state = RECOUP__REQUEST_DONE;
        return;
    }
    request->state = RECOUP__REQUEST_RUNNING;
    request->work.data = host;
    error = uv_queue_work(host->loop, &request->work, on_work, on_done);
    RECOUP_ASSERT(error == 0); // it fails only without a function to run
    (void)error;
}

void recoup__request_event(const struct recoup__request *request, struct recoup_event *event)
{
    const struct recoup__file_operation *operation = &request->operation;

    RECOUP_ASSERT(request->state == RECOUP__REQUEST_DONE);
    RECOUP_ASSERT(operation->size_read <= operation->size);
    memset(event, 0, sizeof *event);
    event->type = RECOUP_EVENT_IO;
    event->io.operation = request->id;
    event->io.error = recoup_host_error(operation->os_error);
    if (operation->os_error != 0) {
        return;
    }
    if (operation->type == RECOUP_ACTION_READ && operation->size_read > 0) {
        event->io.data = operation->buffer;
        event->io.size = operation->size_read;
    }
    event->io.names = operation->names.names;
    event->io.n_names = operation->names.n;
}

void recoup__request_release(struct recoup__request *request)
{
    RECOUP_ASSERT(request->state != RECOUP__REQUEST_NONE);
    recoup__file_names_release(&request->operation.names);
    request->state = RECOUP__REQUEST_NONE;
    RECOUP_ASSERT(request->operation.names.n == 0);
}

void recoup__request_cancel(struct recoup_host *host)
{
    RECOUP_ASSERT(host->closing || host->ended);
    host->incarnation++;
    if (host->request.state == RECOUP__REQUEST_DONE) {
        recoup__request_release(&host->request);
    } else if (host->request.state == RECOUP__REQUEST_RUNNING) {
        // UV_EBUSY: a thread is at it, and on_done will come when it has finished.
        (void)uv_cancel((uv_req_t *)&host->request.work);
    }
    RECOUP_ASSERT(host->request.state != RECOUP__REQUEST_DONE);
}
