// SPDX-License-Identifier: Apache-2.0
#include "recovery/testing/duties.h"

#include "recovery/memory.h"

static void find(struct recoup_duties *duties, unsigned duty, const char *text)
{
    RECOUP_ASSERT(duty >= 1 && duty <= 13);
    RECOUP_ASSERT(text != NULL);
    if (duties->n < RECOUP_DUTIES_FINDINGS_MAX) {
        duties->findings[duties->n] =
            (struct recoup_duties_finding){duty, text, duties->steps, duties->now_ns};
    }
    duties->n++;
}

static void expect(struct recoup_duties *duties, bool good, unsigned duty, const char *text)
{
    RECOUP_ASSERT(duties != NULL);
    if (!good) {
        find(duties, duty, text);
    }
}

// Room for one more item. False when out of memory: the watch is then incomplete.
static bool room(struct recoup_duties *duties, void **items, uint32_t *capacity, size_t size,
                 uint32_t n)
{
    struct recoup__memory memory;
    int error;

    RECOUP_ASSERT(n <= *capacity);
    recoup__memory_init(&memory, &duties->allocator);
    memory.bytes = *capacity * size; // what it holds, so that it may be given back
    error = recoup__grow(&memory, items, capacity, size, n + 1);
    duties->error = error != 0 ? error : duties->error;
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, *capacity > n));
    return error == 0;
}

void recoup_duties_init(struct recoup_duties *duties, const struct recoup_allocator *allocator,
                        uint64_t epoch_before, int64_t lateness_ns)
{
    RECOUP_ASSERT(duties != NULL && allocator != NULL);
    RECOUP_ASSERT(lateness_ns >= 0);
    *duties = (struct recoup_duties){.allocator = *allocator,
                                     .epoch_before = epoch_before,
                                     .lateness_ns = lateness_ns,
                                     .now_ns = INT64_MIN};
}

void recoup_duties_release(struct recoup_duties *duties)
{
    const struct recoup_allocator *allocator = &duties->allocator;

    RECOUP_ASSERT(!duties->in_step);
    RECOUP_ASSERT(allocator->release != NULL);
    allocator->release(allocator->context, duties->attempts,
                       duties->attempts_capacity * sizeof *duties->attempts);
    allocator->release(allocator->context, duties->resets,
                       duties->resets_capacity * sizeof *duties->resets);
    allocator->release(allocator->context, duties->workers,
                       duties->workers_capacity * sizeof *duties->workers);
    duties->attempts = NULL;
    duties->resets = NULL;
    duties->workers = NULL;
    duties->n_attempts = duties->attempts_capacity = 0;
    duties->n_resets = duties->resets_capacity = 0;
    duties->n_workers = duties->workers_capacity = 0;
}

// ---------------------------------------------------------------------------------------------
// Workers (D9)

static struct recoup_duties_worker *find_worker(struct recoup_duties *duties, uint32_t worker)
{
    RECOUP_ASSERT(duties->n_workers <= duties->workers_capacity);
    for (uint32_t i = 0; i < duties->n_workers; i++) {
        if (duties->workers[i].worker == worker) {
            return &duties->workers[i];
        }
    }
    RECOUP_ASSERT(duties != NULL);
    return NULL;
}

void recoup_duties_worker(struct recoup_duties *duties, uint32_t worker, bool connected)
{
    struct recoup_duties_worker *known = find_worker(duties, worker);

    RECOUP_ASSERT(worker != RECOUP_NONE);
    if (known == NULL) {
        if (!room(duties, (void **)&duties->workers, &duties->workers_capacity,
                  sizeof *duties->workers, duties->n_workers)) {
            return;
        }
        known = &duties->workers[duties->n_workers++];
        *known = (struct recoup_duties_worker){.worker = worker};
    }
    known->connected = connected;
    known->asked = connected && duties->asking;
    known->reported = false;
    RECOUP_ASSERT(RECOUP_ERGO(known->asked, connected));
}

// Asking ends, or the job does: every worker that was asked must have answered while it was there.
static void settle_reports(struct recoup_duties *duties)
{
    RECOUP_ASSERT(duties->n_workers <= duties->workers_capacity);
    for (uint32_t i = 0; i < duties->n_workers; i++) {
        struct recoup_duties_worker *worker = &duties->workers[i];

        expect(duties, !worker->asked || worker->reported || !worker->connected, 9,
               "a connected worker was asked for its partitions, and no report (not even an empty "
               "one) was stepped");
        worker->asked = false;
    }
}

static void ask(struct recoup_duties *duties, bool on)
{
    RECOUP_ASSERT(duties != NULL);
    duties->asking = on;
    for (uint32_t i = 0; on && i < duties->n_workers; i++) {
        duties->workers[i].asked = duties->workers[i].connected;
        duties->workers[i].reported = false;
        RECOUP_ASSERT(RECOUP_ERGO(duties->workers[i].asked, duties->workers[i].connected));
    }
}

static void check_report(struct recoup_duties *duties, uint32_t worker)
{
    struct recoup_duties_worker *known = find_worker(duties, worker);

    RECOUP_ASSERT(duties->in_step);
    RECOUP_ASSERT(RECOUP_ERGO(known != NULL, known->worker == worker));
    expect(duties, duties->asking || (known != NULL && known->asked), 9,
           "a worker's report was stepped although workers are not to be asked");
    if (known != NULL) {
        known->reported = true;
    }
}

// ---------------------------------------------------------------------------------------------
// Events

static void check_finish(struct recoup_duties *duties, const struct recoup_job *job,
                         const struct recoup_event *event)
{
    uint64_t attempt = event->subtask_finished.attempt;
    struct recoup_subtask state;

    RECOUP_ASSERT(event->type == RECOUP_EVENT_SUBTASK_FINISHED);
    recoup_subtask(job, event->subtask_finished.stage, event->subtask_finished.subtask, &state);
    expect(duties, duties->recovered, 6, "a subtask finished before RECOVERED");
    expect(duties, attempt >> 32 == (duties->epoch & UINT32_MAX), 8,
           "the high 32 bits of an attempt's id are not the master's epoch");
    expect(duties, !state.resetting, 13,
           "an attempt finished although a reset has cancelled it (RESETS_DONE has not come)");
    expect(duties, !state.finished || state.resetting, 6,
           "a subtask finished that is finished already: it should not have been started");
    for (uint32_t i = 0; i < duties->n_attempts; i++) {
        if (duties->attempts[i] == attempt) {
            find(duties, 8, "an attempt's id was used before");
            return;
        }
    }
    if (room(duties, (void **)&duties->attempts, &duties->attempts_capacity,
             sizeof *duties->attempts, duties->n_attempts)) {
        duties->attempts[duties->n_attempts++] = attempt;
    }
    RECOUP_ASSERT(duties->n_attempts <= duties->attempts_capacity);
}

static void check_confirmed(struct recoup_duties *duties, uint32_t reset)
{
    RECOUP_ASSERT(duties->in_step);
    for (uint32_t i = 0; i < duties->n_resets; i++) {
        if (duties->resets[i] == reset) {
            duties->resets[i] = duties->resets[--duties->n_resets];
            return;
        }
    }
    RECOUP_ASSERT(duties->n_resets <= duties->resets_capacity);
    find(duties, 11, "RESETS_DONE names no reset that is to be confirmed");
}

static void check_start(struct recoup_duties *duties, const struct recoup_event *event)
{
    RECOUP_ASSERT(duties->in_step);
    if (event->type != RECOUP_EVENT_START) {
        expect(duties, duties->started, 7, "START did not come first");
        return;
    }
    RECOUP_ASSERT(event->type == RECOUP_EVENT_START);
    expect(duties, !duties->started, 7, "START came twice");
    expect(duties, event->start.epoch > duties->epoch_before, 7,
           "the epoch is not greater than that of every earlier master");
    duties->started = true;
    duties->epoch = event->start.epoch;
}

static void check_time(struct recoup_duties *duties, const struct recoup_job *job, int64_t now_ns,
                       const struct recoup_event *event)
{
    int64_t deadline = duties->started ? recoup_deadline(job) : RECOUP_NEVER;

    RECOUP_ASSERT(job != NULL && event != NULL);
    expect(duties, now_ns >= duties->now_ns, 1, "now_ns went back");
    expect(duties,
           deadline > INT64_MAX - duties->lateness_ns || now_ns <= deadline + duties->lateness_ns,
           5,
           event->type == RECOUP_EVENT_TIMER
               ? "TIMER came too long after recoup_deadline()"
               : "another event was stepped long after recoup_deadline(), and TIMER was not");
}

static void check_event(struct recoup_duties *duties, const struct recoup_job *job,
                        const struct recoup_event *event)
{
    RECOUP_ASSERT(duties->in_step);
    expect(duties, !duties->ended, 12,
           "an event was stepped after the end (LEADERSHIP_LOST, STOPPED, or fenced)");
    check_start(duties, event);
    switch ((unsigned)event->type) {
    case RECOUP_EVENT_IO:
        expect(duties, duties->operation != 0 && event->io.operation == duties->operation, 3,
               "an IO event answers no operation that is under way (or one twice)");
        duties->operation = 0;
        break;
    case RECOUP_EVENT_SUBTASK_FINISHED:
        check_finish(duties, job, event);
        break;
    case RECOUP_EVENT_RESETS_DONE:
        check_confirmed(duties, event->resets_done.reset);
        break;
    case RECOUP_EVENT_WORKER_REPORT:
        check_report(duties, event->worker_report.worker);
        break;
    default:
        break;
    }
    RECOUP_ASSERT(duties->in_step);
}

static void note_action(struct recoup_duties *duties, const struct recoup_action *action)
{
    RECOUP_ASSERT(action->type <= RECOUP_ACTION_ADOPT_SUBTASKS);
    if (action->type <= RECOUP_ACTION_REMOVE) {
        RECOUP_ASSERT(duties->operation == 0 || duties->n > 0);
        duties->operation = action->io.operation;
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
        if (action->reset_subtasks.confirm &&
            room(duties, (void **)&duties->resets, &duties->resets_capacity, sizeof *duties->resets,
                 duties->n_resets)) {
            duties->resets[duties->n_resets++] = action->reset_subtasks.reset;
        }
    } else if (action->type == RECOUP_ACTION_ASK_WORKERS) {
        ask(duties, action->ask_workers.on);
    } else if (action->type == RECOUP_ACTION_DURABLE) {
        duties->durable = action->durable.event;
    } else if (action->type == RECOUP_ACTION_RECOVERED) {
        duties->recovered = true;
    } else if (action->type == RECOUP_ACTION_STOPPED ||
               (action->type == RECOUP_ACTION_RECOVERY_FAILED &&
                action->recovery_failed.error == RECOUP_EFENCED)) {
        duties->ended = true;
    }
}

int recoup_duties_step(struct recoup_duties *duties, struct recoup_job *job, int64_t now_ns,
                       const struct recoup_event *event, struct recoup_update *update)
{
    int code;

    RECOUP_ASSERT(duties != NULL && event != NULL);
    duties->steps++;
    if (duties->in_step) {
        find(duties, 1, "a step began within another one of the same job");
        return RECOUP_EMISUSE;
    }
    duties->in_step = true;
    check_time(duties, job, now_ns, event);
    duties->now_ns = now_ns > duties->now_ns ? now_ns : duties->now_ns;
    check_event(duties, job, event);
    code = recoup_step(job, now_ns, event, update);
    for (uint32_t i = 0; code == 0 && i < update->n_actions; i++) {
        note_action(duties, &update->actions[i]);
    }
    duties->lost = duties->lost || (code == 0 && event->type == RECOUP_EVENT_LEADERSHIP_LOST);
    duties->ended = duties->ended || duties->lost;
    duties->in_step = false;
    RECOUP_ASSERT(duties->n_resets <= duties->resets_capacity);
    return code;
}

void recoup_duties_scheduled(struct recoup_duties *duties, const struct recoup_job *job,
                             uint32_t stage, uint32_t subtask)
{
    struct recoup_subtask state;

    RECOUP_ASSERT(job != NULL);
    recoup_subtask(job, stage, subtask, &state);
    expect(duties, duties->recovered, 6, "a subtask was started before RECOVERED");
    expect(duties, !state.finished || state.resetting, 6, "a subtask was started that is finished");
    expect(duties, !state.resetting, 6,
           "a subtask was started while a reset of it is still to be confirmed");
    RECOUP_ASSERT(duties->n == 0 || duties->findings[0].duty > 0);
}

void recoup_duties_committed(struct recoup_duties *duties, uint64_t event)
{
    RECOUP_ASSERT(duties != NULL);
    RECOUP_ASSERT(event > 0);
    expect(duties, event <= duties->durable, 10,
           "a sink was committed, or an input dropped, beyond the DURABLE watermark");
}

void recoup_duties_end(struct recoup_duties *duties)
{
    RECOUP_ASSERT(!duties->in_step);
    if (duties->lost) {
        return;
    }
    settle_reports(duties);
    expect(duties, duties->n_resets == 0, 11,
           "a reset with `confirm` was never confirmed by RESETS_DONE");
    expect(duties, duties->operation == 0 || duties->ended, 3,
           "an I/O operation was never answered by an IO event");
    RECOUP_ASSERT(duties->n_workers <= duties->workers_capacity);
}
