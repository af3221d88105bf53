// SPDX-License-Identifier: GPL-3.0-or-later
//
// An engine that knows nothing but the installed headers: it creates a job without storage, runs
// it to its end, and asks the host what storage it is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <recoup/recoup.h>
#ifdef WITH_HOST
#include <recoup/recoup_host.h>
#endif

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

int main(void)
{
    struct recoup_stage_spec stage = {.parallelism = 1};
    struct recoup_graph graph = {.n_stages = 1, .stages = &stage};
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph, .options = &options};
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct recoup_update update;
    struct recoup_job *job;

    recoup_options_init(&options, RECOUP_PROFILE_HARDENED); // recovery is off: no I/O is asked for
    config.allocator.allocate = allocate;
    config.allocator.release = release;
    if (recoup_create(&config, &job) != 0 || recoup_step(job, 0, &event, &update) != 0
        || update.n_actions != 1 || update.actions[0].type != RECOUP_ACTION_RECOVERED) {
        return 1;
    }
    recoup_destroy(job);
#ifdef WITH_HOST
    struct recoup_storage storage;
    recoup_host_storage(RECOUP_HOST_MACHINE_AT_SYNC, &storage);
    if (storage.durable_at != RECOUP_DURABLE_AT_SYNC || recoup_host_now_ns() <= 0) {
        return 1;
    }
#endif
    puts(recoup_error_name(RECOUP_EFENCED));
    return 0;
}
