// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is only wrong, or only doubtful, together: values that are legal one by one.
#include <string.h>

#include "scenarios/loader.h"

// What one run may hold, and what it takes for each (docs/benchmarks.md; a split's owner, its
// scratch, its place in the lists of attempts).
#define SUBTASKS_MAX UINT64_C(50000000)
#define SUBTASK_BYTES UINT64_C(220)
#define SPLITS_MAX UINT64_C(200000000)
#define SPLIT_BYTES UINT64_C(13)
#define SNAPSHOT_BYTES_MAX (UINT64_C(63) << 20) // the record needs a little room besides
#define RUN_BYTES UINT64_C(8)

#define LEADER_ELECTION "high-availability.kubernetes.leader-election."

static struct scenario_place config_place(const struct scenario_loader *loader, const char *key)
{
    const struct scenario_node *config = scenario_node_find(loader->root, "config");
    const struct scenario_node *node = scenario_node_find(config, key);
    return node != NULL ? node->place : scenario_no_place();
}

// Of two values that do not go together, the one that is written.
static struct scenario_place config_place_either(const struct scenario_loader *loader,
                                                 const char *key, const char *other)
{
    struct scenario_place place = config_place(loader, key);
    return place.file != NULL ? place : config_place(loader, other);
}

static void check_parallelism(struct scenario_loader *loader)
{
    const struct model_auto_parallelism *rule = &loader->draft.config.auto_parallelism;
    if (rule->min > rule->max) {
        scenario_error(
            loader,
            config_place_either(loader, "execution.batch.adaptive.auto-parallelism.min-parallelism",
                                "execution.batch.adaptive.auto-parallelism.max-parallelism"),
            "auto-parallelism: min-parallelism %u is more than max-parallelism %u",
            (unsigned)rule->min, (unsigned)rule->max);
    }
    for (uint32_t i = 0; i < loader->draft.config.n_stages; i++) {
        if (loader->draft.config.stages[i].parallelism == 0 && !rule->enabled) {
            scenario_error(
                loader, config_place(loader, "execution.batch.adaptive.auto-parallelism.enabled"),
                "stage '%s' has parallelism auto, but auto-parallelism is off",
                loader->draft.config.stages[i].name);
        }
    }
}

static void check_timeouts(struct scenario_loader *loader)
{
    const struct model_timeouts *t = &loader->draft.config.timeouts;
    const struct model_ha *ha = &loader->draft.config.ha;
    if (t->heartbeat_timeout_ns <= t->heartbeat_interval_ns) {
        scenario_error(loader,
                       config_place_either(loader, "heartbeat.timeout", "heartbeat.interval"),
                       "heartbeat.timeout must be more than heartbeat.interval");
    }
    if (t->registration_initial_timeout_ns > t->registration_max_timeout_ns) {
        scenario_error(loader,
                       config_place_either(loader, "cluster.registration.initial-timeout",
                                           "cluster.registration.max-timeout"),
                       "cluster.registration.initial-timeout is more than max-timeout");
    }
    if (ha->kind == MODEL_HA_KUBERNETES && ha->renew_deadline_ns > ha->lease_duration_ns) {
        scenario_error(
            loader,
            config_place_either(loader, LEADER_ELECTION "renew-deadline",
                                LEADER_ELECTION "lease-duration"),
            "renew-deadline is more than lease-duration: a leader would act without a lease");
    }
    if (ha->kind == MODEL_HA_KUBERNETES && ha->retry_period_ns >= ha->lease_duration_ns) {
        scenario_error(loader,
                       config_place_either(loader, LEADER_ELECTION "retry-period",
                                           LEADER_ELECTION "lease-duration"),
                       "retry-period must be less than lease-duration");
    }
}

// What a stage may have at most.
static uint32_t subtasks_of(const struct scenario_loader *loader, uint32_t stage)
{
    const struct model_config *config = &loader->draft.config;
    uint32_t parallelism = config->stages[stage].parallelism;
    return parallelism != 0 ? parallelism : config->auto_parallelism.max;
}

static void refuse_size(struct scenario_loader *loader, const char *what, uint64_t n,
                        uint64_t limit, uint64_t bytes_each)
{
    const struct scenario_node *job = scenario_node_find(loader->root, "job");
    uint64_t gigabytes = n * bytes_each >> 30;
    scenario_error(loader, job != NULL ? job->place : scenario_no_place(),
                   "the job has %llu %s, the limit is %llu; a run would take about %llu gb of "
                   "memory",
                   (unsigned long long)n, what, (unsigned long long)limit,
                   (unsigned long long)gigabytes);
}

// A slip of the hand must not end in an exhausted machine.
static void check_sizes(struct scenario_loader *loader)
{
    const struct model_config *config = &loader->draft.config;
    uint64_t subtasks = 0;
    uint64_t splits = 0;
    for (uint32_t i = 0; i < config->n_stages; i++) {
        subtasks += subtasks_of(loader, i);
        splits += config->stages[i].source.present ? config->stages[i].source.splits : 0;
    }
    if (subtasks > SUBTASKS_MAX) {
        refuse_size(loader, "subtasks", subtasks, SUBTASKS_MAX, SUBTASK_BYTES);
    }
    if (splits > SPLITS_MAX) {
        refuse_size(loader, "splits", splits, SPLITS_MAX, SPLIT_BYTES);
    }
}

// A snapshot travels in a record. The modelled one takes its nominal size, or 8 bytes for each run
// of splits with one owner.
static void check_snapshots(struct scenario_loader *loader)
{
    const struct model_config *config = &loader->draft.config;
    for (uint32_t i = 0; config->options.recovery_enabled && i < config->n_stages; i++) {
        const struct model_stage *stage = &config->stages[i];
        uint64_t splits = stage->source.present ? stage->source.splits : 0;
        uint64_t each = stage->source.split_state_bytes > RUN_BYTES
                            ? stage->source.split_state_bytes
                            : RUN_BYTES;
        // Neither factor is more than 2^32.
        uint64_t bytes = stage->coordinator.state_bytes + splits * each + RUN_BYTES;
        if (!stage->coordinator.batch_snapshot || bytes <= SNAPSHOT_BYTES_MAX) {
            continue;
        }
        const struct scenario_node *job = scenario_node_find(loader->root, "job");
        scenario_error(loader, job != NULL ? job->place : scenario_no_place(),
                       "a snapshot of the coordinator of stage '%s' would take %llu mb (%llu "
                       "splits); a record of the event store holds at most %llu mb",
                       stage->name, (unsigned long long)(bytes >> 20), (unsigned long long)splits,
                       (unsigned long long)(SNAPSHOT_BYTES_MAX >> 20));
    }
}

static bool kills_master(const struct model_fault *fault)
{
    return fault->kind != MODEL_FAULT_STORE_ERROR && fault->process == MODEL_PROCESS_MASTER;
}

static void warn_recovery(struct scenario_loader *loader)
{
    const struct model_config *config = &loader->draft.config;
    bool master_dies = false;
    for (uint32_t i = 0; i < config->n_faults; i++) {
        master_dies = master_dies || kills_master(&config->faults[i]);
    }
    if (!config->options.recovery_enabled && master_dies) {
        scenario_warning(
            loader, scenario_no_place(),
            "recovery is off, as by default in Flink: each failure of a master loses all work; "
            "execution.batch.job-recovery.enabled: true switches it on");
    }
    if (config->options.recovery_enabled && !config->worker_policy.recovery_enabled) {
        scenario_warning(
            loader, config_place(loader, "recoup.worker.recovery-enabled"),
            "recovery is on for masters but off for workers: they keep no partitions (H37)");
    }
    // H32: a worker that learns of the loss only by heartbeats comes too late.
    if (config->options.recovery_enabled && config->options.policy[RECOUP_POLICY_WAIT] == 0
        && config->ha.kind == MODEL_HA_KUBERNETES
        && config->options.worker_recovery_timeout_ns < config->timeouts.heartbeat_timeout_ns) {
        char wait[SCENARIO_UNITS_TEXT];
        char beat[SCENARIO_UNITS_TEXT];
        scenario_units_duration_text(config->options.worker_recovery_timeout_ns, wait);
        scenario_units_duration_text(config->timeouts.heartbeat_timeout_ns, beat);
        scenario_warning(
            loader,
            config_place(loader, "execution.batch.job-recovery.previous-worker.recovery.timeout"),
            "the wait for former workers (%s) is shorter than heartbeat.timeout (%s): a worker "
            "that learns of its master's death by heartbeats comes too late, and its work is lost "
            "(H32)",
            wait, beat);
    }
}

static void warn_slots(struct scenario_loader *loader)
{
    const struct scenario_node *config = scenario_node_find(loader->root, "config");
    const struct scenario_node *node = scenario_node_find(config, "taskmanager.numberOfTaskSlots");
    int64_t slots = 0;
    if (node != NULL && node->kind == SCENARIO_NODE_SCALAR
        && scenario_units_integer(node->text, &slots) == SCENARIO_UNITS_OK
        && slots != (int64_t)loader->draft.config.cluster.slots) {
        scenario_warning(loader, node->place,
                         "taskmanager.numberOfTaskSlots has no effect here; cluster.slots is %u",
                         (unsigned)loader->draft.config.cluster.slots);
    }
}

void scenario_check(struct scenario_loader *loader)
{
    check_parallelism(loader);
    check_timeouts(loader);
    check_sizes(loader);
    check_snapshots(loader);
    if (loader->errors_total == 0) {
        warn_recovery(loader);
        warn_slots(loader);
    }
}
