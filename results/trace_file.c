// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/json.h"
#include "results/trace_names.h"

#define TRACE_FLUSH_BYTES ((size_t)1 << 16)
#define TRACE_SEEN_MIN UINT32_C(256)

static void trace_flush(struct results_trace_file *file)
{
    if (file->error == 0) {
        file->error = results_text_write(&file->text, file->fd);
    }
    results_text_clear(&file->text);
}

// A time in microseconds, exactly.
static void trace_time(struct results_text *text, const char *key, int64_t ns)
{
    results_text_format(text, ",\"%s\":%" PRId64 ".%03" PRId64, key, ns / 1000, ns % 1000);
}

static void trace_begin(struct results_trace_file *file, const char *phase, uint32_t track,
                        uint32_t lane)
{
    if (!file->first) {
        results_text_add(&file->text, ",\n");
    }
    file->first = false;
    file->events++;
    results_text_format(&file->text, "{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32, phase,
                        track, lane);
}

static void trace_string(struct results_text *text, const char *value)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_string(&json, value);
}

static void trace_metadata(struct results_trace_file *file, uint32_t track, uint32_t lane,
                           const char *what, const char *name)
{
    trace_begin(file, "M", track, lane);
    results_text_format(&file->text, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    trace_string(&file->text, name);
    results_text_add(&file->text, "}}");
}

static void trace_sort_index(struct results_trace_file *file, uint32_t track, uint32_t lane,
                             const char *what, uint32_t index)
{
    trace_begin(file, "M", track, lane);
    results_text_format(&file->text, ",\"name\":\"%s\",\"args\":{\"sort_index\":%" PRIu32 "}}",
                        what, index);
}

static uint32_t seen_slot(const uint64_t *seen, uint32_t capacity, uint64_t key)
{
    uint32_t mask = capacity - 1;
    uint32_t slot = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;

    for (uint32_t probes = 0; probes < capacity && seen[slot] != 0 && seen[slot] != key; probes++) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static bool seen_grow(struct results_trace_file *file)
{
    uint32_t capacity = file->seen_capacity == 0 ? TRACE_SEEN_MIN : file->seen_capacity * 2;
    uint64_t *seen = calloc(capacity, sizeof(*seen));

    if (seen == NULL) {
        file->error = file->error != 0 ? file->error : ENOMEM;
        return false;
    }
    for (uint32_t i = 0; i < file->seen_capacity; i++) {
        if (file->seen[i] != 0) {
            seen[seen_slot(seen, capacity, file->seen[i])] = file->seen[i];
        }
    }
    free(file->seen);
    file->seen = seen;
    file->seen_capacity = capacity;
    return true;
}

// True when the key is new; it is known from then on.
static bool seen_add(struct results_trace_file *file, uint64_t key)
{
    uint32_t slot;

    if (file->seen_count >= RESULTS_TRACE_LANES_MAX ||
        (file->seen_count >= file->seen_capacity / 2 && !seen_grow(file))) {
        return false;
    }
    slot = seen_slot(file->seen, file->seen_capacity, key);
    if (file->seen[slot] == key) {
        return false;
    }
    file->seen[slot] = key;
    file->seen_count++;
    return true;
}

// Names the process and the thread where they appear first.
static void trace_introduce(struct results_trace_file *file, uint32_t track, uint32_t lane)
{
    char name[RESULTS_TRACE_NAME_SIZE];

    if (seen_add(file, ((uint64_t)track << 32) + UINT32_MAX)) {
        results_trace_track_name(file->config, track, name);
        trace_metadata(file, track, 0, "process_name", name);
        trace_sort_index(file, track, 0, "process_sort_index", track);
    }
    if (seen_add(file, ((uint64_t)track << 32) + lane + 1)) {
        results_trace_lane_name(file->config, track, lane, name);
        trace_metadata(file, track, lane, "thread_name", name);
        trace_sort_index(file, track, lane, "thread_sort_index", lane);
    }
}

static void trace_args(struct results_text *text, const struct sim_trace_record *record)
{
    results_text_add(text, ",\"args\":{");
    for (uint32_t i = 0; i < record->args_count; i++) {
        if (i > 0) {
            results_text_char(text, ',');
        }
        trace_string(text, record->arg_names[i]);
        results_text_char(text, ':');
        results_text_i64(text, record->arg_values[i]);
    }
    results_text_char(text, '}');
}

static void trace_emit(void *context, const struct sim_trace_record *record)
{
    static const char *const phases[] = {
        [SIM_TRACE_SPAN] = "X", [SIM_TRACE_INSTANT] = "i", [SIM_TRACE_COUNTER] = "C"};
    struct results_trace_file *file = context;

    if (file->error != 0) {
        return;
    }
    trace_introduce(file, record->track, record->lane);
    trace_begin(file, phases[record->phase], record->track, record->lane);
    trace_time(&file->text, "ts", record->time_ns);
    if (record->phase == SIM_TRACE_SPAN) {
        trace_time(&file->text, "dur", record->duration_ns);
    } else if (record->phase == SIM_TRACE_INSTANT) {
        results_text_add(&file->text, ",\"s\":\"p\"");
    }
    results_text_add(&file->text, ",\"name\":");
    trace_string(&file->text, record->name);
    if (record->args_count > 0) {
        trace_args(&file->text, record);
    }
    results_text_char(&file->text, '}');
    if (file->text.size >= TRACE_FLUSH_BYTES || file->text.failed) {
        trace_flush(file);
    }
}

static void trace_release(struct results_trace_file *file)
{
    results_text_release(&file->text);
    free(file->target);
    free(file->written);
    free(file->seen);
    memset(file, 0, sizeof(*file));
    file->fd = -1;
}

// Where the path leads, and whether the file there is to be replaced by renaming.
static int trace_choose_names(struct results_trace_file *file, const char *path, uint64_t unique)
{
    struct stat status;
    bool exists = stat(path, &status) == 0;
    size_t size;

    file->temporary = !exists || S_ISREG(status.st_mode);
    // A symbolic link keeps pointing to the file, which is replaced where it really is.
    file->target = exists && file->temporary ? realpath(path, NULL) : NULL;
    if (file->target == NULL) {
        file->target = malloc(strlen(path) + 1);
        if (file->target == NULL) {
            return ENOMEM;
        }
        memcpy(file->target, path, strlen(path) + 1);
    }
    size = strlen(file->target) + sizeof(".18446744073709551615.tmp");
    file->written = malloc(size);
    if (file->written == NULL) {
        return ENOMEM;
    }
    if (file->temporary) {
        (void)snprintf(file->written, size, "%s.%" PRIu64 ".tmp", file->target, unique);
    } else {
        (void)snprintf(file->written, size, "%s", file->target);
    }
    return 0;
}

int results_trace_file_open(struct results_trace_file *file, const char *path,
                            const struct model_config *config, uint64_t unique)
{
    int error;

    memset(file, 0, sizeof(*file));
    file->config = config;
    file->first = true;
    error = trace_choose_names(file, path, unique);
    if (error == 0) {
        file->fd = open(file->written,
                        O_WRONLY | (file->temporary ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0666);
        error = file->fd < 0 ? errno : 0;
    }
    if (error != 0) {
        trace_release(file);
        return error;
    }
    file->observer.emit = trace_emit;
    file->observer.context = file;
    results_text_add(&file->text, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    return 0;
}

int results_trace_file_finish(struct results_trace_file *file)
{
    int error;

    results_text_add(&file->text, "\n]}\n");
    trace_flush(file);
    error = file->error;
    if (close(file->fd) != 0 && error == 0) {
        error = errno;
    }
    if (file->temporary && error == 0 && rename(file->written, file->target) != 0) {
        error = errno;
    }
    if (file->temporary && error != 0) {
        (void)unlink(file->written);
    }
    trace_release(file);
    return error;
}

void results_trace_file_abandon(struct results_trace_file *file)
{
    if (file->written == NULL) {
        return;
    }
    (void)close(file->fd);
    if (file->temporary) {
        (void)unlink(file->written);
    }
    trace_release(file);
}
