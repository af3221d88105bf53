// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/observe.h"

#include <string.h>

#include "models/world.h"
#include "sim/banned.h"

struct kind_row {
    const char *name;
    const char *meaning;
    enum model_entity entity;
};

#define ATTEMPT MODEL_ENTITY_ATTEMPT
#define WORKER MODEL_ENTITY_WORKER
#define OTHER MODEL_ENTITY_OTHER

static const struct kind_row kinds[MODEL_EVENT_KINDS] = {
    [MODEL_EVENT_FAULT] = {"FAULT", "a fault strikes", OTHER},
    [MODEL_EVENT_GRACE_END] = {"GRACE_END", "a terminated process's grace is over", OTHER},
    [MODEL_EVENT_ATTEMPT_START] = {"ATTEMPT_START", "the attempt starts on its worker", ATTEMPT},
    [MODEL_EVENT_ATTEMPT_END] = {"ATTEMPT_END", "the attempt finishes on its worker", ATTEMPT},
    [MODEL_EVENT_FAILURE_REPORT] = {"FAILURE_REPORT", "the master learns that the attempt failed",
                                    ATTEMPT},
    [MODEL_EVENT_FINISH_REPORT] = {"FINISH_REPORT", "the master learns that the attempt finished",
                                   ATTEMPT},
    [MODEL_EVENT_IO_DONE] = {"IO_DONE", "an operation of the event store completes", OTHER},
    [MODEL_EVENT_MASTER_TIMER] = {"MASTER_TIMER", "the timer of the recovery code is due", OTHER},
    [MODEL_EVENT_SNAPSHOT_DONE] = {"SNAPSHOT_DONE", "a coordinator delivers its snapshot", OTHER},
    [MODEL_EVENT_CANCELED] = {"CANCELED", "every attempt of a reset is cancelled", OTHER},
    [MODEL_EVENT_RESTART_DELAY] = {"RESTART_DELAY", "the back-off of a reset is over", OTHER},
    [MODEL_EVENT_LEADERSHIP_LOST] = {"LEADERSHIP_LOST", "the old leader's claim is gone", OTHER},
    [MODEL_EVENT_WORKERS_TOLD] = {"WORKERS_TOLD", "the workers learn that there is no leader",
                                  OTHER},
    [MODEL_EVENT_LEADERSHIP_GRANTED] = {"LEADERSHIP_GRANTED", "a contender becomes the leader",
                                        OTHER},
    [MODEL_EVENT_MASTER_START] = {"MASTER_START", "the new master has loaded the job", OTHER},
    [MODEL_EVENT_WORKER_REGISTER] = {"WORKER_REGISTER", "a registration reaches the master",
                                     WORKER},
    [MODEL_EVENT_WORKER_ASKED] = {"WORKER_ASKED", "the worker is asked for its partitions", WORKER},
    [MODEL_EVENT_WORKER_REPORT] = {"WORKER_REPORT", "the worker's answer reaches the master",
                                   WORKER},
    [MODEL_EVENT_WORKER_NOTICE] = {"WORKER_NOTICE", "the worker notices that its master is gone",
                                   WORKER},
    [MODEL_EVENT_WORKER_SLOTS_READY] = {"WORKER_SLOTS_READY", "slots asked for anew are offered",
                                        WORKER},
    [MODEL_EVENT_WORKER_RETENTION] = {"WORKER_RETENTION", "the worker drops orphaned partitions",
                                      WORKER},
    [MODEL_EVENT_WORKER_CANCEL] = {"WORKER_CANCEL", "the worker is told to cancel the attempt",
                                   ATTEMPT},
    [MODEL_EVENT_MASTER_GOODBYE] = {"MASTER_GOODBYE", "the end of its master reaches the worker",
                                    WORKER},
    [MODEL_EVENT_WORKER_GOODBYE] = {"WORKER_GOODBYE", "the end of a worker reaches its master",
                                    WORKER},
    [MODEL_EVENT_WORKER_BACK] = {"WORKER_BACK", "a killed worker is back", WORKER},
    [MODEL_EVENT_WORKER_DEAD_NOTICED] = {"WORKER_DEAD_NOTICED", "the master notices a dead worker",
                                         WORKER},
    [MODEL_EVENT_STOP_AT] = {"STOP_AT", "the run's limit of virtual time is reached", OTHER},
    [MODEL_EVENT_ZOMBIE_TIMER] = {"ZOMBIE_TIMER", "a timer of a master that is cut off", OTHER},
    [MODEL_EVENT_ZOMBIE_END] = {"ZOMBIE_END", "a master notices that it leads no more", OTHER},
};

const char *model_event_name(uint32_t kind)
{
    SIM_ASSERT(kinds[MODEL_EVENT_STOP_AT].name != NULL);
    if (kind >= MODEL_EVENT_KINDS)
        return "UNKNOWN";
    SIM_ASSERT(kinds[kind].name != NULL);
    return kinds[kind].name;
}

const char *model_event_meaning(uint32_t kind)
{
    SIM_ASSERT(kinds[MODEL_EVENT_STOP_AT].meaning != NULL);
    if (kind >= MODEL_EVENT_KINDS)
        return "an event of a kind that this build does not know";
    SIM_ASSERT(kinds[kind].meaning != NULL);
    return kinds[kind].meaning;
}

uint32_t model_event_kind_named(const char *name)
{
    SIM_ASSERT(name != NULL);
    for (uint32_t kind = 0; kind < MODEL_EVENT_KINDS; kind++) {
        SIM_ASSERT(kinds[kind].name != NULL);
        if (strcmp(kinds[kind].name, name) == 0)
            return kind;
    }
    return UINT32_MAX;
}

enum model_entity model_event_entity(uint32_t kind)
{
    _Static_assert(sizeof(kinds) / sizeof(kinds[0]) == MODEL_EVENT_KINDS, "one row a kind");
    SIM_ASSERT(kinds[MODEL_EVENT_FAULT].entity == OTHER);
    return kind < MODEL_EVENT_KINDS ? kinds[kind].entity : OTHER;
}

const char *model_stream_name(uint32_t stream)
{
    static const char *const names[] = {
        [MODEL_STREAM_DURATION] = "duration",
        [MODEL_STREAM_OUTPUT] = "output",
        [MODEL_STREAM_DEPLOY] = "deploy",
        [MODEL_STREAM_WORKER_RESTART] = "worker-restart",
        [MODEL_STREAM_RECONNECT] = "reconnect",
        [MODEL_STREAM_MASTER_START] = "master-start",
        [MODEL_STREAM_MASTER_RESTART] = "master-restart",
        [MODEL_STREAM_DETECT] = "detect",
        [MODEL_STREAM_ELECTION_RENEW] = "election-renew",
        [MODEL_STREAM_ELECTION_POLL] = "election-poll",
        [MODEL_STREAM_LATENCY_TO_MASTER] = "latency-to-master",
        [MODEL_STREAM_LATENCY_TO_WORKER] = "latency-to-worker",
        [MODEL_STREAM_LATENCY_HA] = "latency-ha",
        [MODEL_STREAM_STORAGE] = "storage",
        [MODEL_STREAM_FAULT] = "fault",
        [MODEL_STREAM_FAULT_TARGET] = "fault-target",
        [MODEL_STREAM_HEARTBEAT] = "heartbeat",
    };

    _Static_assert(sizeof(names) / sizeof(names[0]) == MODEL_STREAMS, "one name a stream");
    SIM_ASSERT(names[MODEL_STREAM_DURATION] != NULL);
    SIM_ASSERT(names[0] == NULL);
    return stream > 0 && stream < MODEL_STREAMS ? names[stream] : "";
}

static struct model_subject subject_of_attempt(const struct model_world *w, uint32_t attempt)
{
    struct model_subject subject = {MODEL_NONE, MODEL_NONE, MODEL_NONE, MODEL_NONE};

    if (attempt < w->n_attempts) {
        const struct model_attempt *a = sim_chunks_at(&w->attempts, attempt);

        subject.stage = world_stage_of(w, a->gid);
        subject.subtask = a->gid - w->stages[subject.stage].gid_first;
        subject.attempt = a->number;
        subject.worker = a->worker;
        SIM_ASSERT(subject.stage < w->config->n_stages);
        SIM_ASSERT(subject.subtask < w->stages[subject.stage].capacity);
    }
    return subject;
}

static struct model_subject subject_of(const struct model_world *w, const struct sim_event *event)
{
    struct model_subject subject = {MODEL_NONE, MODEL_NONE, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(event->kind < MODEL_EVENT_KINDS);
    SIM_ASSERT(event->time_ns >= w->now_ns);
    if (kinds[event->kind].entity == ATTEMPT)
        return subject_of_attempt(w, event->entity);
    if (kinds[event->kind].entity == WORKER)
        subject.worker = event->entity;
    return subject;
}

void observe_dispatch(struct model_world *w, const struct sim_event *event)
{
    const struct model_observer *observer = w->options->observer;
    struct model_step step = {.number = w->events + 1,
                              .event = *event,
                              .subject = subject_of(w, event),
                              .fingerprint = &w->fingerprint,
                              .draws = w->last_draws};

    SIM_ASSERT(observer != NULL && observer->step != NULL);
    step.scheduled_before = w->queue.sequence >> SIM_ORDER_SEQUENCE_SHIFT;
    world_dispatch(w, event);
    step.scheduled = w->queue.sequence >> SIM_ORDER_SEQUENCE_SHIFT;
    SIM_ASSERT(step.number == w->events);
    SIM_ASSERT(step.scheduled >= step.scheduled_before);
    observer->step(observer->context, &step);
}

void observe_draw(struct model_world *w, uint32_t stream, uint64_t entity, uint64_t n,
                  int64_t value)
{
    SIM_ASSERT(stream < MODEL_STREAMS);
    SIM_ASSERT(w->last_draws != NULL);
    w->last_draws[stream].count++;
    w->last_draws[stream].entity = entity;
    w->last_draws[stream].n = n;
    w->last_draws[stream].value = value;
}

void observe_loss(struct model_world *w, uint32_t attempt, enum model_cause cause, bool regained)
{
    const struct model_observer *observer = w->options->observer;
    const struct model_attempt *a = world_attempt(w, attempt);
    struct model_loss loss = {.number = w->events,
                              .time_ns = w->now_ns,
                              .subject = subject_of_attempt(w, attempt),
                              .cause = cause,
                              .ns = a->end_ns - a->start_ns,
                              .regained = regained};

    SIM_ASSERT(observer != NULL);
    SIM_ASSERT(cause < MODEL_CAUSE_COUNT);
    if (observer->lost != NULL)
        observer->lost(observer->context, &loss);
}

void observe_strike(struct model_world *w, uint32_t fault, uint32_t worker)
{
    const struct model_observer *observer = w->options->observer;
    struct model_strike strike = {
        .number = w->events, .time_ns = w->now_ns, .fault = fault, .worker = worker};

    SIM_ASSERT(observer != NULL);
    SIM_ASSERT(fault < w->config->n_faults);
    if (observer->struck != NULL)
        observer->struck(observer->context, &strike);
}
