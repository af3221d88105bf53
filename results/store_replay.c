// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/store_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recovery/recorder.h"
#include "results/store_files.h"

const char *results_store_event_name(enum recoup_event_type type)
{
    static const char *const names[] = {
        "START",           "TIMER",        "IO",       "STAGE_INITIALIZED", "SUBTASK_FINISHED",
        "SUBTASKS_FAILED", "RESETS_DONE",  "SNAPSHOT", "WORKER_REPORT",     "WORKER_LOST",
        "PARTITION_LOST",  "GLOBAL_FAILURE", "LEADERSHIP_LOST", "STOP",     "ADOPTION"};

    return (size_t)type < sizeof names / sizeof *names ? names[type] : "event";
}

const char *results_store_action_name(enum recoup_action_type type)
{
    static const char *const names[] = {
        [RECOUP_ACTION_MKDIR] = "MKDIR",
        [RECOUP_ACTION_LIST] = "LIST",
        [RECOUP_ACTION_CREATE] = "CREATE",
        [RECOUP_ACTION_APPEND] = "APPEND",
        [RECOUP_ACTION_FLUSH] = "FLUSH",
        [RECOUP_ACTION_SYNC] = "SYNC",
        [RECOUP_ACTION_CLOSE] = "CLOSE",
        [RECOUP_ACTION_READ] = "READ",
        [RECOUP_ACTION_REMOVE] = "REMOVE",
        [RECOUP_ACTION_TAKE_SNAPSHOT] = "TAKE_SNAPSHOT",
        [RECOUP_ACTION_INITIALIZE_STAGE] = "INITIALIZE_STAGE",
        [RECOUP_ACTION_MARK_FINISHED] = "MARK_FINISHED",
        [RECOUP_ACTION_RESTORE_COORDINATOR] = "RESTORE_COORDINATOR",
        [RECOUP_ACTION_RESET_SUBTASKS] = "RESET_SUBTASKS",
        [RECOUP_ACTION_ASK_WORKERS] = "ASK_WORKERS",
        [RECOUP_ACTION_TRACK] = "TRACK",
        [RECOUP_ACTION_RELEASE] = "RELEASE",
        [RECOUP_ACTION_DURABLE] = "DURABLE",
        [RECOUP_ACTION_THROTTLE] = "THROTTLE",
        [RECOUP_ACTION_PROTECTION_LOST] = "PROTECTION_LOST",
        [RECOUP_ACTION_PROTECTION_RESTORED] = "PROTECTION_RESTORED",
        [RECOUP_ACTION_RECOVERED] = "RECOVERED",
        [RECOUP_ACTION_RECOVERY_FAILED] = "RECOVERY_FAILED",
        [RECOUP_ACTION_JOB_ENDED] = "JOB_ENDED",
        [RECOUP_ACTION_STOPPED] = "STOPPED",
        [RECOUP_ACTION_ASK_ADOPTION] = "ASK_ADOPTION",
        [RECOUP_ACTION_ADOPT_SUBTASKS] = "ADOPT_SUBTASKS",
    };
    bool known = (size_t)type < sizeof names / sizeof *names && names[type] != NULL;

    return known ? names[type] : "action";
}

static void add_event(struct results_text *text, const struct recoup_replay *step)
{
    const struct recoup_event *event = step->event;

    results_text_format(text, "%6" PRIu64 " %15" PRId64 " ns  %s", step->step, step->now_ns,
                        results_store_event_name(event->type));
    if (event->type == RECOUP_EVENT_START) {
        results_text_format(text, " epoch %" PRIu64, event->start.epoch);
    } else if (event->type == RECOUP_EVENT_IO && event->io.error != 0) {
        results_text_format(text, " %s", recoup_error_name(event->io.error));
    } else if (event->type == RECOUP_EVENT_SUBTASK_FINISHED) {
        results_text_format(text, " %" PRIu32 ".%" PRIu32 " attempt %" PRIx64,
                            event->subtask_finished.stage, event->subtask_finished.subtask,
                            event->subtask_finished.attempt);
    }
    if (step->code != 0) {
        results_text_format(text, ": refused, %s", recoup_error_name(step->code));
    }
    results_text_add(text, step->checked ? "\n" : " (no result was recorded)\n");
}

static void add_action(struct results_text *text, const struct recoup_action *action)
{
    results_text_format(text, "       -> %s", results_store_action_name(action->type));
    if (action->type <= RECOUP_ACTION_REMOVE) {
        results_text_format(text, " %s", action->io.file);
        if (action->type == RECOUP_ACTION_APPEND || action->type == RECOUP_ACTION_READ) {
            results_text_format(text, " %zu bytes", action->io.size);
        }
    } else if (action->type == RECOUP_ACTION_DURABLE) {
        results_text_format(text, " %" PRIu64, action->durable.event);
    } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
        results_text_format(text, " %s", recoup_error_name(action->protection_lost.error));
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        results_text_format(text, " %s", recoup_error_name(action->recovery_failed.error));
    }
    results_text_add(text, "\n");
}

static void text_step(const struct recoup_replay *step, struct results_text *text)
{
    add_event(text, step);
    for (uint32_t i = 0; i < step->update->n_actions; i++) {
        add_action(text, &step->update->actions[i]);
    }
}

static void text_state(const struct recoup_job *job, uint64_t steps, struct results_text *text)
{
    struct recoup_stats stats;
    struct recoup_stage stage;
    uint8_t hash[16];

    recoup_stats(job, &stats);
    recoup_state_hash(job, hash);
    results_text_format(text,
                        "%" PRIu64 " events as recorded; then: %s, %s; %" PRIu64
                        " events accepted, %" PRIu64 " durable; state ",
                        steps, recoup_phase_name(recoup_phase(job)),
                        stats.protected_now ? "protected" : "not protected", stats.events_accepted,
                        stats.events_durable);
    results_text_hex(text, hash, sizeof hash);
    results_text_add(text, "\n");
    for (uint32_t s = 0; s < RECOUP_STAGES_MAX; s++) {
        recoup_stage(job, s, &stage);
        if (stage.initialized) {
            results_text_format(text, "stage %" PRIu32 ": %" PRIu32 " of %" PRIu32 " finished\n",
                                s, stage.finished, stage.parallelism);
        }
    }
}

static enum results_store_replayed result_of(const struct recoup_replay *end)
{
    switch (end->verdict) {
    case RECOUP_REPLAY_STEPPED:
    case RECOUP_REPLAY_END:
        return RESULTS_STORE_REPLAYED;
    case RECOUP_REPLAY_TRUNCATED:
        return RESULTS_STORE_REPLAYED_TRUNCATED;
    case RECOUP_REPLAY_VERSION:
        return RESULTS_STORE_REPLAYED_FOREIGN;
    case RECOUP_REPLAY_DIVERGED:
        return RESULTS_STORE_REPLAYED_DIVERGED;
    case RECOUP_REPLAY_NO_MEMORY:
        return RESULTS_STORE_REPLAYED_UNREAD;
    case RECOUP_REPLAY_DAMAGED:
    default:
        return RESULTS_STORE_REPLAYED_DAMAGED;
    }
}

static enum results_store_replayed replay(const void *bytes, size_t size, bool json,
                                          struct results_store_output *output,
                                          struct results_text *message)
{
    struct recoup_allocator allocator = results_store_allocator();
    struct results_text *text = &output->text;
    struct recoup_replayer *replayer = NULL;
    struct recoup_replay step;
    uint64_t steps = 0;
    bool written = true;

    if (recoup_replayer_create(bytes, size, &allocator, &replayer, &step) == 0) {
        while (written && recoup_replayer_next(replayer, &step)) {
            steps = step.step;
            (json ? results_store_replay_json_step : text_step)(&step, text);
            written = results_store_output_drain(output, false);
        }
        (json ? results_store_replay_json_state : text_state)(recoup_replayer_job(replayer), steps,
                                                              text);
    }
    if (json) {
        results_store_replay_json_verdict(&step, text);
    }
    recoup_replayer_destroy(replayer);
    if (!results_store_output_drain(output, true)) {
        results_text_format(message, "cannot write the output: %s", strerror(output->error));
        return RESULTS_STORE_REPLAYED_UNWRITTEN;
    }
    if (step.verdict != RECOUP_REPLAY_END) {
        results_text_format(message, "the recording, at offset %" PRIu64 ": %s", step.offset,
                            step.text);
    }
    return result_of(&step);
}

enum results_store_replayed results_store_replay(const char *path, bool json,
                                                 struct results_store_output *output,
                                                 struct results_text *message)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *bytes = MAP_FAILED;
    enum results_store_replayed result = RESULTS_STORE_REPLAYED_UNREAD;
    char empty = 0;

    if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        bytes = status.st_size == 0
                    ? &empty
                    : mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    } else if (file >= 0) {
        errno = EISDIR;
    }
    if (bytes == MAP_FAILED) {
        results_text_format(message, "cannot read %s: %s", path, strerror(errno));
    } else {
        result = replay(bytes, (size_t)status.st_size, json, output, message);
        if (bytes != &empty) {
            (void)munmap(bytes, (size_t)status.st_size);
        }
    }
    if (file >= 0) {
        (void)close(file);
    }
    return result;
}
