// SPDX-License-Identifier: Apache-2.0
//
// A recording of all events of a host's job, in a file. It is written without a buffer, so that the
// event in which a process dies is there.
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "recovery/host/uv_host.h"
#include "recovery/memory.h"

#define RECORDING_BYTES_DEFAULT (UINT64_C(1) << 30)

static int write_bytes(void *context, const void *bytes, size_t size)
{
    struct recoup_host *host = context;
    const char *from = bytes;

    RECOUP_ASSERT(host->recording_fd != -1);
    RECOUP_ASSERT(size == 0 || bytes != NULL);
    if (size > host->recording_left) {
        return RECOUP_ELIMIT;
    }
    host->recording_left -= size;
    while (size > 0) {
        ssize_t written = write(host->recording_fd, from, size);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? recoup_host_error(errno) : RECOUP_EIO;
        }
        from += written;
        size -= (size_t)written;
    }
    return 0;
}

int recoup__recording_open(struct recoup_host *host, const struct recoup_host_config *config,
                           const struct recoup_config *job)
{
    RECOUP_ASSERT(config->recording != NULL);
    RECOUP_ASSERT(host->recording_fd == -1);
    host->recording_left = config->recording_bytes_max > 0 ? config->recording_bytes_max
                                                           : RECORDING_BYTES_DEFAULT;
    host->recording_fd =
        open(config->recording, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (host->recording_fd == -1) {
        return recoup_host_error(errno);
    }
    return recoup_recorder_init(&host->recorder, job, write_bytes, host);
}

void recoup__recording_close(struct recoup_host *host)
{
    RECOUP_ASSERT(host->recording_fd >= -1);
    RECOUP_ASSERT(!host->turning);
    if (host->recording_fd != -1) {
        recoup_recorder_release(&host->recorder);
        (void)close(host->recording_fd); // nothing of the job depends on it
        host->recording_fd = -1;
    }
}

int recoup__recording_step(struct recoup_host *host, const struct recoup_event *event,
                           struct recoup_update *update)
{
    int64_t now_ns = recoup_host_now_ns();

    RECOUP_ASSERT(host->job != NULL);
    RECOUP_ASSERT(event != NULL && update != NULL);
    if (host->recording_fd == -1) {
        return recoup_step(host->job, now_ns, event, update);
    }
    return recoup_recorder_step(&host->recorder, host->job, now_ns, event, update);
}

int recoup_host_recording(const struct recoup_host *host)
{
    RECOUP_ASSERT(host != NULL);
    RECOUP_ASSERT(host->recorder.error <= 0);
    return host->recording_fd == -1 ? RECOUP_ENOENT : host->recorder.error;
}
