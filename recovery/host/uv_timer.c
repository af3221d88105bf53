// SPDX-License-Identifier: Apache-2.0
//
// The deadline. A libuv timer has steps of 1 ms and counts from the loop's cached time, so the
// cache is renewed, the time is rounded up, and a timer that fires early all the same is set anew.
#include "recovery/host/uv_host.h"

#define NS_PER_MS INT64_C(1000000)
#define WAIT_MS_MAX UINT64_C(3600000) // a longer wait is several waits

int64_t recoup_host_now_ns(void)
{
    uint64_t now_ns = uv_hrtime();

    RECOUP_ASSERT(now_ns > 0);
    RECOUP_ASSERT(now_ns < INT64_MAX);
    return (int64_t)now_ns;
}

static void on_timer(uv_timer_t *timer)
{
    struct recoup_host *host = timer->data;
    int64_t now_ns = recoup_host_now_ns();

    RECOUP_ASSERT(!host->closing);
    RECOUP_ASSERT(!host->turning);
    if (now_ns >= recoup_deadline(host->job) && now_ns >= host->retry_ns) {
        host->timer_due = true;
    }
    recoup__host_turn(host);
}

int recoup__timer_init(struct recoup_host *host)
{
    int error = uv_timer_init(host->loop, &host->timer);

    RECOUP_ASSERT(host->loop != NULL);
    host->timer.data = host;
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, !uv_is_active((uv_handle_t *)&host->timer)));
    return error == 0 ? 0 : RECOUP_EINTERNAL;
}

void recoup__timer_arm(struct recoup_host *host, bool soon)
{
    int64_t deadline_ns = soon ? 0 : recoup_deadline(host->job);
    int64_t now_ns = recoup_host_now_ns();
    uint64_t wait_ms = 0;
    int error;

    RECOUP_ASSERT(!host->closing);
    if (host->retry_ns > now_ns) {
        deadline_ns = host->retry_ns;
    }
    if (deadline_ns == RECOUP_NEVER) {
        uv_timer_stop(&host->timer);
        return;
    }
    if (deadline_ns > now_ns) {
        wait_ms = (uint64_t)((deadline_ns - now_ns - 1) / NS_PER_MS + 1);
    }
    uv_update_time(host->loop);
    wait_ms = wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX;
    error = uv_timer_start(&host->timer, on_timer, wait_ms, 0);
    RECOUP_ASSERT(error == 0); // it fails only for a handle that is being closed
    (void)error;
}

static void on_closed(uv_handle_t *handle)
{
    struct recoup_host *host = handle->data;

    RECOUP_ASSERT(host->closing);
    RECOUP_ASSERT(!host->timer_closed);
    host->timer_closed = true;
    recoup__host_free(host);
}

void recoup__timer_close(struct recoup_host *host)
{
    RECOUP_ASSERT(host->closing);
    RECOUP_ASSERT(!uv_is_closing((uv_handle_t *)&host->timer));
    uv_timer_stop(&host->timer);
    uv_close((uv_handle_t *)&host->timer, on_closed);
}
