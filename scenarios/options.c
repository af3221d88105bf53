// SPDX-License-Identifier: GPL-3.0-or-later
//
// The option table. Rows stand section by section, in the order in which they are read and listed.
#include "scenarios/options.h"

#include <stddef.h>
#include <string.h>

#include "scenarios/loader.h"
#include "sim/law.h"

#define NONE SIZE_MAX
#define DRAFT(field) offsetof(struct scenario_draft, field)
#define CONFIG(field) offsetof(struct scenario_draft, config.field)
#define MODEL(type, field) offsetof(struct model_##type, field)
#define TIME_MAX SIM_LAW_MAX
#define PRICE_MAX INT64_C(1000000000) // 1 USD a request, so that no run's sum overflows
#define ONE SIM_LAW_NANO

// A Flink key that Recoup applies, one that it only warns about, and one that changes nothing here.
#define APPLIED(key, type, choices, min, max, fallback, field, doc, class)                         \
    {                                                                                              \
        SCENARIO_SECTION_CONFIG, key, type, choices, min, max, fallback, 0, field, NONE, doc,      \
            "Flink 1.20 " class                                                                    \
    }
#define NOT_MODELLED(key, fallback, doc, class)                                                    \
    {                                                                                              \
        SCENARIO_SECTION_CONFIG, key, SCENARIO_TEXT, NULL, 0, 0, fallback, SCENARIO_NOT_MODELLED,  \
            NONE, NONE, doc, "Flink 1.20 " class                                                   \
    }
#define NO_EFFECT(key, doc)                                                                        \
    {                                                                                              \
        SCENARIO_SECTION_CONFIG, key, SCENARIO_TEXT, NULL, 0, 0, NULL, SCENARIO_NO_EFFECT, NONE,   \
            NONE, doc, "Flink 1.20"                                                                \
    }

#define OPERATIONS "mkdir|list|create|append|flush|sync|close|read|remove"
#define ASSUMPTION "assumption"

static const struct scenario_option rows[] = {
    // --- the file --------------------------------------------------------------------------------
    {SCENARIO_SECTION_ROOT, "version", SCENARIO_COUNT32, NULL, 1, 1, NULL, SCENARIO_REQUIRED,
     DRAFT(version), NONE, "Version of the file format.", NULL},
    {SCENARIO_SECTION_ROOT, "name", SCENARIO_NAME, NULL, 0, 0, NULL, SCENARIO_REQUIRED, DRAFT(name),
     NONE, "Name of the scenario: letters, digits, '-' and '_'.", NULL},
    {SCENARIO_SECTION_ROOT, "about", SCENARIO_TEXT, NULL, 0, 0, "", 0, DRAFT(about), NONE,
     "One sentence: which question this scenario answers.", NULL},
    {SCENARIO_SECTION_ROOT, "tags", SCENARIO_LIST, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Words to select scenarios by (recoup check --tag): letters, digits, '-' and '_'. They change "
     "no result.",
     NULL},
    {SCENARIO_SECTION_ROOT, "base", SCENARIO_TEXT, NULL, 0, 0, NULL, 0, NONE, NONE,
     "A scenario file, itself without base, whose settings this one refines: maps merge, lists and "
     "laws "
     "are replaced.",
     NULL},
    {SCENARIO_SECTION_ROOT, "seed", SCENARIO_COUNT64, NULL, 0, INT64_MAX, "1", 0, CONFIG(seed),
     NONE,
     "Seed of every draw, decimal or 0x...; the same scenario with the same seed runs the same.",
     NULL},
    {SCENARIO_SECTION_ROOT, "profile", SCENARIO_CHOICE, "flink-1.20|hardened", 0, 0, "hardened", 0,
     DRAFT(profile), NONE,
     "A named set of recoup.* policies: Flink's behaviour with its hazards, or the safer one. Must "
     "be "
     "given when config holds a Flink key.",
     NULL},
    {SCENARIO_SECTION_ROOT, "preset", SCENARIO_CHOICE, SCENARIO_PRESETS, 0, 0, "kubernetes", 0,
     DRAFT(preset), NONE,
     "Where the cluster runs: gives deploy, restart, start, standby, network, ha and storage.",
     NULL},
    {SCENARIO_SECTION_ROOT, "config", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Flink's option keys, flat or nested, and recoup.* policies.", NULL},
    {SCENARIO_SECTION_ROOT, "config-file", SCENARIO_TEXT, NULL, 0, 0, NULL, 0, NONE, NONE,
     "A Flink configuration: config.yaml, or flink-conf.yaml with its 'key: value' lines. Keys in "
     "config win.",
     NULL},
    {SCENARIO_SECTION_ROOT, "job", SCENARIO_MAP, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE, NONE,
     "The job.", NULL},
    {SCENARIO_SECTION_ROOT, "cluster", SCENARIO_MAP, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE,
     NONE, "The workers.", NULL},
    {SCENARIO_SECTION_ROOT, "master", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE, "The masters.",
     NULL},
    {SCENARIO_SECTION_ROOT, "ha", SCENARIO_SPECIAL,
     "kubernetes, zookeeper, none, {detect: LAW} or a map", 0, 0, NULL, SCENARIO_PRESET_ROW, NONE,
     NONE,
     "Leader election. From high-availability.type where config gives it, else from the preset.",
     NULL},
    {SCENARIO_SECTION_ROOT, "storage", SCENARIO_SPECIAL,
     "hdfs, s3, gcs, posix, nfs, ideal or a map", 0, 0, NULL, SCENARIO_PRESET_ROW, NONE, NONE,
     "The event store's file system. From the scheme of high-availability.storageDir where config "
     "gives "
     "it, else from the preset.",
     NULL},
    {SCENARIO_SECTION_ROOT, "network", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "The network.", NULL},
    {SCENARIO_SECTION_ROOT, "faults", SCENARIO_LIST, NULL, 0, 0, NULL, 0, NONE, NONE,
     "What goes wrong, and when.", NULL},
    {SCENARIO_SECTION_ROOT, "expect", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "What must hold at the end; without it, the job finishes and there are no findings.", NULL},
    {SCENARIO_SECTION_ROOT, "stop-at", SCENARIO_DURATION, NULL, 1, TIME_MAX, NULL, 0,
     CONFIG(stop_at_ns), NONE,
     "Virtual time at which a run ends as TIMEOUT; without it, 20 times the fault-free makespan "
     "plus all "
     "configured timeouts.",
     NULL},
    {SCENARIO_SECTION_ROOT, "events-max", SCENARIO_COUNT64, NULL, 1, INT64_MAX, NULL, 0,
     CONFIG(events_max), NONE,
     "Simulation events after which a run ends as TIMEOUT; without it, no limit.", NULL},

    // --- the job ---------------------------------------------------------------------------------
    {SCENARIO_SECTION_JOB, "stages", SCENARIO_LIST, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE, NONE,
     "The stages, producers before their consumers; ready subtasks are placed in this order.",
     NULL},

    {SCENARIO_SECTION_STAGE, "name", SCENARIO_NAME, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE, NONE,
     "Name of the stage, unique in the job: letters, digits, '-' and '_'.", NULL},
    {SCENARIO_SECTION_STAGE, "parallelism", SCENARIO_COUNT32_OR_AUTO, NULL, 1,
     RECOUP_PARALLELISM_MAX, NULL, SCENARIO_REQUIRED, MODEL(stage, parallelism), NONE,
     "Number of subtasks, or auto: the adaptive rules and their options decide.", NULL},
    {SCENARIO_SECTION_STAGE, "duration", SCENARIO_LAW, NULL, 0, 0, NULL, SCENARIO_REQUIRED,
     MODEL(stage, duration), NONE,
     "Time of one attempt: reading, work and writing, without deploying.", NULL},
    {SCENARIO_SECTION_STAGE, "output", SCENARIO_LAW_SIZE, NULL, 0, 0, "0 b", 0,
     MODEL(stage, output), NONE, "Bytes that one subtask produces.", NULL},
    {SCENARIO_SECTION_STAGE, "rerun", SCENARIO_CHOICE, "same|fresh", 0, 0, "same", 0, NONE, NONE,
     "Whether a new attempt of a subtask takes as long as the first (skew belongs to the data) or "
     "draws "
     "anew.",
     NULL},
    {SCENARIO_SECTION_STAGE, "inputs", SCENARIO_LIST, NULL, 0, 0, NULL, 0, NONE, NONE,
     "The stages whose output this one reads.", NULL},
    {SCENARIO_SECTION_STAGE, "source", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "The source that this stage reads; a source has a coordinator.", NULL},
    {SCENARIO_SECTION_STAGE, "coordinator", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "The coordinator of this stage; without source and coordinator it has none.", NULL},

    {SCENARIO_SECTION_INPUT, "from", SCENARIO_TEXT, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE, NONE,
     "Name of the producing stage.", NULL},
    {SCENARIO_SECTION_INPUT, "exchange", SCENARIO_CHOICE, "pointwise|all-to-all", 0, 0,
     "all-to-all", 0, MODEL(input, exchange), NONE,
     "Whether a consumer reads all producers, or only its share of them.", NULL},

    {SCENARIO_SECTION_SOURCE, "connector", SCENARIO_SPECIAL, "a name of `recoup list connectors`",
     0, 0, NULL, 0, NONE, NONE, "The connector, which decides batch-snapshot.", NULL},
    {SCENARIO_SECTION_SOURCE, "batch-snapshot", SCENARIO_BOOLEAN, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Whether the source's enumerator implements SupportsBatchSnapshot; this or connector is "
     "required.",
     NULL},
    {SCENARIO_SECTION_SOURCE, "splits", SCENARIO_COUNT32, NULL, 0, UINT32_MAX - 1, NULL, 0,
     MODEL(source, splits), NONE, "Number of splits; without it, one per subtask.", NULL},
    {SCENARIO_SECTION_SOURCE, "split-state", SCENARIO_SIZE, NULL, 0, RECOUP_EVENT_SIZE_MAX, "200 b",
     SCENARIO_ASSUMED, MODEL(source, split_state_bytes), NONE,
     "Bytes that one split takes in a snapshot of the coordinator.", ASSUMPTION},

    {SCENARIO_SECTION_COORDINATOR, "batch-snapshot", SCENARIO_BOOLEAN, NULL, 0, 0, "false", 0, NONE,
     NONE,
     "Whether the coordinator can be snapshotted while the job runs. Of a source, its own says so.",
     "Flink 1.20 OperatorCoordinator.supportsBatchSnapshot"},
    {SCENARIO_SECTION_COORDINATOR, "state", SCENARIO_SIZE, NULL, 0, RECOUP_EVENT_SIZE_MAX, "0 b",
     SCENARIO_ASSUMED, MODEL(coordinator, state_bytes), NONE,
     "Bytes of its snapshot, besides the splits.", ASSUMPTION},

    // --- the cluster -----------------------------------------------------------------------------
    {SCENARIO_SECTION_CLUSTER, "workers", SCENARIO_COUNT32, NULL, 1, MODEL_WORKERS_MAX, NULL,
     SCENARIO_REQUIRED, CONFIG(cluster.workers), NONE, "Number of workers.", NULL},
    {SCENARIO_SECTION_CLUSTER, "slots", SCENARIO_COUNT32, NULL, 1, MODEL_SLOTS_MAX, NULL,
     SCENARIO_REQUIRED, CONFIG(cluster.slots), NONE, "Slots of one worker.", NULL},
    {SCENARIO_SECTION_CLUSTER, "deploy", SCENARIO_LAW, NULL, 0, 0, NULL, SCENARIO_PRESET_ROW,
     CONFIG(cluster.deploy), NONE, "Time from the decision to run a subtask to its start.", NULL},
    {SCENARIO_SECTION_CLUSTER, "restart", SCENARIO_LAW_OR_NEVER, NULL, 0, 0, NULL,
     SCENARIO_PRESET_ROW | SCENARIO_FLAG, CONFIG(cluster.restart), CONFIG(cluster.restart_never),
     "Time after which a killed worker is back, without its data.", NULL},
    {SCENARIO_SECTION_CLUSTER, "reconnect", SCENARIO_LAW, NULL, 0, 0, NULL, SCENARIO_FLAG,
     CONFIG(cluster.reconnect), CONFIG(cluster.reconnect_given),
     "Time a worker needs to register with a new leader; without it, Flink's registration rules.",
     NULL},

    {SCENARIO_SECTION_MASTER, "start", SCENARIO_LAW, NULL, 0, 0, NULL, SCENARIO_PRESET_ROW,
     CONFIG(master.start), NONE,
     "Time from leadership granted until the job is loaded and the new master starts it.", NULL},
    {SCENARIO_SECTION_MASTER, "standby", SCENARIO_BOOLEAN, NULL, 0, 0, NULL, SCENARIO_PRESET_ROW,
     CONFIG(master.standby), NONE, "Whether another master process waits to lead.", NULL},
    {SCENARIO_SECTION_MASTER, "restart", SCENARIO_LAW_OR_NEVER, NULL, 0, 0, NULL,
     SCENARIO_PRESET_ROW | SCENARIO_FLAG, CONFIG(master.restart), CONFIG(master.restart_never),
     "Time from a master's death to a new contender in its place.", NULL},

    {SCENARIO_SECTION_HA, "type", SCENARIO_CHOICE, "none|zookeeper|kubernetes", 0, 0, NULL, 0, NONE,
     NONE, "The election service, when written as a map.", NULL},
    {SCENARIO_SECTION_HA, "detect", SCENARIO_LAW, NULL, 0, 0, NULL, 0, NONE, NONE,
     "A simple election: time from a leader's death to leadership lost. Excludes type.", NULL},
    {SCENARIO_SECTION_HA, "session-granted-max", SCENARIO_DURATION, NULL, 1, TIME_MAX, "40 s",
     SCENARIO_ASSUMED, CONFIG(ha.session_granted_max_ns), NONE,
     "zookeeper: the longest session that the server grants, 20 ticks of it.",
     "ZooKeeper's sample configuration, tickTime 2000 ms"},

    {SCENARIO_SECTION_NETWORK, "latency", SCENARIO_LAW, NULL, 0, 0, NULL, SCENARIO_PRESET_ROW,
     CONFIG(network_latency), NONE, "Time of a message, one way.", NULL},

    // --- storage ---------------------------------------------------------------------------------
    {SCENARIO_SECTION_STORAGE, "profile", SCENARIO_CHOICE, "ideal|hdfs|s3|gcs|posix|nfs", 0, 0,
     NULL, SCENARIO_PRESET_ROW, NONE, NONE, "The profile that gives all other values of this map.",
     NULL},
    {SCENARIO_SECTION_STORAGE, "durable-at", SCENARIO_CHOICE, "flush|sync|close", 0, 0, NULL, 0,
     NONE, NONE, "The operation that makes bytes survive their writer.", NULL},
#define OPERATION(name, what)                                                                      \
    {                                                                                              \
        SCENARIO_SECTION_STORAGE, name, SCENARIO_LAW, NULL, 0, 0, NULL, 0, NONE, NONE, what, NULL  \
    }
    OPERATION("mkdir", "Latency of making the store's directory."),
    OPERATION("list", "Latency of listing it."),
    OPERATION("create", "Latency of creating a file; may be written open, too."),
    OPERATION("append", "Latency of an append, without the transfer."),
    OPERATION("flush", "Latency of a flush, without the transfer."),
    OPERATION("sync", "Latency of a sync."),
    OPERATION("close", "Latency of a close, without the transfer."),
    OPERATION("read", "Latency of one read, without the transfer."),
    OPERATION("remove", "Latency of a removal."),
#undef OPERATION
    {SCENARIO_SECTION_STORAGE, "open", SCENARIO_LAW, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Another name of create.", NULL},
    {SCENARIO_SECTION_STORAGE, "bandwidth", SCENARIO_RATE, NULL, 1, TIME_MAX, NULL, 0, NONE, NONE,
     "Bytes a second of a transfer.", NULL},
    {SCENARIO_SECTION_STORAGE, "price", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Price of each kind of request.", NULL},
#define PRICE(name, what)                                                                          \
    {                                                                                              \
        SCENARIO_SECTION_PRICE, name, SCENARIO_PRICE, NULL, 0, PRICE_MAX, NULL, 0, NONE, NONE,     \
            what, NULL                                                                             \
    }
    PRICE("mkdir", "Price of making a directory."),
    PRICE("list", "Price of a listing."),
    PRICE("create", "Price of creating a file."),
    PRICE("append", "Price of an append."),
    PRICE("flush", "Price of a flush."),
    PRICE("sync", "Price of a sync."),
    PRICE("close", "Price of a close; on object stores, of the put."),
    PRICE("read", "Price of a read; on object stores, of the get."),
    PRICE("remove", "Price of a removal."),
#undef PRICE

    // --- faults ----------------------------------------------------------------------------------
    {SCENARIO_SECTION_FAULT, "name", SCENARIO_NAME, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Name in results and overrides; without it, fault-<index>.", NULL},
    {SCENARIO_SECTION_FAULT, "at", SCENARIO_SPECIAL, "duration, percentage or a law of either", 0,
     0, NULL, 0, NONE, NONE,
     "Trigger: a time from 0, or a share of the fault-free makespan with the same seed.", NULL},
    {SCENARIO_SECTION_FAULT, "every", SCENARIO_LAW, NULL, 0, 0, NULL, 0, MODEL(fault, law), NONE,
     "Trigger: time from the target's being alive to its next failure, drawn anew each time.",
     NULL},
    {SCENARIO_SECTION_FAULT, "when", SCENARIO_MAP, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Trigger: a state of the job, once.", NULL},
    {SCENARIO_SECTION_FAULT, "on", SCENARIO_SPECIAL, "store.mkdir ... store.remove", 0, 0, NULL, 0,
     NONE, NONE, "Trigger: an operation of the event store.", NULL},
    {SCENARIO_SECTION_FAULT, "nth", SCENARIO_COUNT64, NULL, 1, INT64_MAX, "1", 0, MODEL(fault, nth),
     NONE, "With on: which one, counted from 1 over the whole run.", NULL},
    {SCENARIO_SECTION_FAULT, "moment", SCENARIO_CHOICE, "before|mid|after", 0, 0, "before", 0,
     MODEL(fault, moment), NONE,
     "With on and kill, terminate or partition: before, in the middle of or after it.", NULL},
    {SCENARIO_SECTION_FAULT, "kill", SCENARIO_CHOICE, "master|worker", 0, 0, NULL, 0, NONE, NONE,
     "Effect: the process dies now (SIGKILL).", NULL},
    {SCENARIO_SECTION_FAULT, "terminate", SCENARIO_CHOICE, "master|worker", 0, 0, NULL, 0, NONE,
     NONE, "Effect: SIGTERM with a grace period (eviction, drain).", NULL},
    {SCENARIO_SECTION_FAULT, "partition", SCENARIO_CHOICE, "master", 0, 0, NULL, 0, NONE, NONE,
     "Effect: cut off from its workers and from the leader election, not from the storage; others "
     "take it for dead, and it goes on writing until it notices that it leads no more.",
     NULL},
    {SCENARIO_SECTION_FAULT, "for", SCENARIO_DURATION, NULL, 0, TIME_MAX, "30 s", 0,
     MODEL(fault, unaware_ns), NONE,
     "With partition: how long it goes on after its leadership is lost.", NULL},
    {SCENARIO_SECTION_FAULT, "fail", SCENARIO_CHOICE, "EIO|ENOSPC|EACCES|ETIMEDOUT", 0, 0, NULL, 0,
     NONE, NONE, "Effect, with on: the operation reports this error and has no effect.", NULL},
    {SCENARIO_SECTION_FAULT, "count", SCENARIO_SPECIAL, "integer or all", 1, INT64_MAX, "1", 0,
     NONE, NONE, "With fail: how many operations of the kind fail, from the nth on.", NULL},
    {SCENARIO_SECTION_FAULT, "target", SCENARIO_SPECIAL, "random, each or a worker's number from 0",
     0, 0, "random", 0, NONE, NONE,
     "With a worker: one process over all workers alive, one per worker, or that worker.", NULL},
    {SCENARIO_SECTION_FAULT, "grace", SCENARIO_DURATION, NULL, 0, TIME_MAX, "30 s", 0,
     MODEL(fault, grace_ns), NONE, "With terminate: time until the process is killed.",
     "Kubernetes terminationGracePeriodSeconds"},

    {SCENARIO_SECTION_WHEN, "stage", SCENARIO_TEXT, NULL, 0, 0, NULL, SCENARIO_REQUIRED, NONE, NONE,
     "Name of the stage.", NULL},
    {SCENARIO_SECTION_WHEN, "finished", SCENARIO_SHARE, NULL, 1, ONE, NULL, SCENARIO_REQUIRED,
     MODEL(fault, share_nano), NONE,
     "Share of its subtasks; the fault strikes when the master's count first reaches it, rounded "
     "up.",
     NULL},

    // --- expectations ----------------------------------------------------------------------------
    {SCENARIO_SECTION_EXPECT, "state", SCENARIO_CHOICE, "FINISHED|FAILED|SUSPENDED|TIMEOUT", 0, 0,
     "FINISHED", 0, NONE, NONE, "The job's final state.", NULL},
    {SCENARIO_SECTION_EXPECT, "findings", SCENARIO_LIST, NULL, 0, 0, NULL, 0, NONE, NONE,
     "Invariants that must be broken; one that is not fails the expectation.", NULL},

    {SCENARIO_SECTION_BOUND, "at-least", SCENARIO_SPECIAL, "a value of the metric", 0, 0, NULL, 0,
     NONE, NONE, "The least value that is accepted.", NULL},
    {SCENARIO_SECTION_BOUND, "at-most", SCENARIO_SPECIAL, "a value of the metric", 0, 0, NULL, 0,
     NONE, NONE, "The greatest value that is accepted.", NULL},
    {SCENARIO_SECTION_BOUND, "equals", SCENARIO_SPECIAL, "a value of the metric", 0, 0, NULL, 0,
     NONE, NONE, "The only value that is accepted.", NULL},
    {SCENARIO_SECTION_BOUND, "between", SCENARIO_SPECIAL, "[a, b]", 0, 0, NULL, 0, NONE, NONE,
     "The least and the greatest value that are accepted.", NULL},

    // --- Flink's keys that are applied -----------------------------------------------------------
    APPLIED("execution.batch.job-recovery.enabled", SCENARIO_BOOLEAN, NULL, 0, 0, "false",
            CONFIG(options.recovery_enabled),
            "The master switch: recovery is off unless this is true.", "BatchExecutionOptions"),
    APPLIED("execution.batch.job-recovery.snapshot.min-pause", SCENARIO_DURATION, NULL, 0, TIME_MAX,
            "3 min", CONFIG(options.snapshot_min_pause_ns),
            "Least time between two snapshots, except at a stage's end.", "BatchExecutionOptions"),
    APPLIED("execution.batch.job-recovery.previous-worker.recovery.timeout", SCENARIO_DURATION,
            NULL, 0, TIME_MAX, "30 s", CONFIG(options.worker_recovery_timeout_ns),
            "How long a new master waits for former workers to report needed partitions.",
            "BatchExecutionOptions"),
    APPLIED("job-event.store.write-buffer.size", SCENARIO_SIZE, NULL, 1, INT64_C(1) << 40, "1 mb",
            CONFIG(options.write_buffer_bytes), "Write buffer of the event store.",
            "JobEventStoreOptions"),
    APPLIED("job-event.store.write-buffer.flush-interval", SCENARIO_DURATION, NULL, 1, TIME_MAX,
            "1 s", CONFIG(options.flush_interval_ns), "Period of the flush of that buffer.",
            "JobEventStoreOptions"),
    APPLIED("heartbeat.interval", SCENARIO_DURATION, NULL, 1, TIME_MAX, "10 s",
            CONFIG(timeouts.heartbeat_interval_ns), "Period of heartbeat requests.",
            "HeartbeatManagerOptions"),
    APPLIED("heartbeat.timeout", SCENARIO_DURATION, NULL, 1, TIME_MAX, "50 s",
            CONFIG(timeouts.heartbeat_timeout_ns),
            "Silence after which the other side counts as lost.", "HeartbeatManagerOptions"),
    APPLIED("heartbeat.rpc-failure-threshold", SCENARIO_SIGNED32, NULL, -1, INT32_MAX, "2",
            CONFIG(timeouts.heartbeat_rpc_failures),
            "Consecutive failed heartbeat calls that count as a loss; -1: off.",
            "HeartbeatManagerOptions"),
    APPLIED("high-availability.type", SCENARIO_SPECIAL,
            "NONE, zookeeper, kubernetes or a factory class", 0, 0, "NONE", NONE,
            "The election service; decides ha.", "HighAvailabilityOptions"),
    APPLIED("high-availability.storageDir", SCENARIO_TEXT, NULL, 0, 0, NULL, NONE,
            "Where the event store lies; its scheme decides storage.", "HighAvailabilityOptions"),
    APPLIED("high-availability.zookeeper.client.session-timeout", SCENARIO_DURATION, NULL, 1,
            TIME_MAX, "60 s", CONFIG(ha.session_timeout_ns),
            "Session that the client asks ZooKeeper for; the server may grant less.",
            "HighAvailabilityOptions"),
    APPLIED("high-availability.kubernetes.leader-election.lease-duration", SCENARIO_DURATION, NULL,
            1, TIME_MAX, "15 s", CONFIG(ha.lease_duration_ns),
            "How long a lease holds without renewal.", "KubernetesHighAvailabilityOptions"),
    APPLIED("high-availability.kubernetes.leader-election.renew-deadline", SCENARIO_DURATION, NULL,
            1, TIME_MAX, "15 s", CONFIG(ha.renew_deadline_ns),
            "How long a leader tries to renew before it gives up.",
            "KubernetesHighAvailabilityOptions"),
    APPLIED("high-availability.kubernetes.leader-election.retry-period", SCENARIO_DURATION, NULL, 1,
            TIME_MAX, "5 s", CONFIG(ha.retry_period_ns),
            "Period of renewals and of contenders' tries.", "KubernetesHighAvailabilityOptions"),
    APPLIED("cluster.registration.initial-timeout", SCENARIO_DURATION, NULL, 1, TIME_MAX, "100 ms",
            CONFIG(timeouts.registration_initial_timeout_ns),
            "Answer timeout of the first registration try, doubled for each next.",
            "ClusterOptions"),
    APPLIED("cluster.registration.max-timeout", SCENARIO_DURATION, NULL, 1, TIME_MAX, "30 s",
            CONFIG(timeouts.registration_max_timeout_ns), "Greatest such timeout.",
            "ClusterOptions"),
    APPLIED("cluster.registration.error-delay", SCENARIO_DURATION, NULL, 0, TIME_MAX, "10 s",
            CONFIG(timeouts.registration_error_delay_ns), "Pause after a failed registration try.",
            "ClusterOptions"),
    APPLIED("cluster.registration.refused-registration-delay", SCENARIO_DURATION, NULL, 0, TIME_MAX,
            "30 s", CONFIG(timeouts.registration_refused_delay_ns),
            "Pause after a refused registration.", "ClusterOptions"),
    APPLIED("taskmanager.registration.timeout", SCENARIO_DURATION, NULL, 1, TIME_MAX, "5 min",
            CONFIG(timeouts.worker_registration_timeout_ns),
            "Limit of a worker's registration, and how long it keeps partitions without a master.",
            "TaskManagerOptions"),
    APPLIED("taskmanager.slot.timeout", SCENARIO_DURATION, NULL, 1, TIME_MAX, "10 s",
            CONFIG(timeouts.slot_timeout_ns), "How long a worker keeps slots for a lost master.",
            "TaskManagerOptions"),
    APPLIED("jobmanager.partition.release-during-job-execution", SCENARIO_BOOLEAN, NULL, 0, 0,
            "true", CONFIG(release_partitions),
            "Whether consumed partitions are released while the job runs.", "JobManagerOptions"),
    APPLIED("execution.batch.adaptive.auto-parallelism.enabled", SCENARIO_BOOLEAN, NULL, 0, 0,
            "true", CONFIG(auto_parallelism.enabled),
            "Whether parallelism: auto is decided from data volumes.", "BatchExecutionOptions"),
    APPLIED("execution.batch.adaptive.auto-parallelism.min-parallelism", SCENARIO_COUNT32, NULL, 1,
            RECOUP_PARALLELISM_MAX, "1", CONFIG(auto_parallelism.min),
            "Least parallelism so decided.", "BatchExecutionOptions"),
    APPLIED("execution.batch.adaptive.auto-parallelism.max-parallelism", SCENARIO_COUNT32, NULL, 1,
            RECOUP_PARALLELISM_MAX, "128", CONFIG(auto_parallelism.max),
            "Greatest parallelism so decided.", "BatchExecutionOptions"),
    APPLIED("execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task", SCENARIO_SIZE,
            NULL, 1, INT64_C(1) << 60, "16 mb", CONFIG(auto_parallelism.bytes_per_subtask),
            "Bytes that one subtask shall read.", "BatchExecutionOptions"),
    APPLIED(
        "execution.batch.adaptive.auto-parallelism.default-source-parallelism", SCENARIO_COUNT32,
        NULL, 1, RECOUP_PARALLELISM_MAX, NULL, CONFIG(auto_parallelism.default_source_parallelism),
        "Parallelism of sources so decided; without it, the greatest.", "BatchExecutionOptions"),
    APPLIED("restart-strategy.type", SCENARIO_SPECIAL,
            "none, fixed-delay, failure-rate or exponential-delay", 0, 0, "none", NONE,
            "What happens when a task fails; batch jobs default to no restart.",
            "RestartStrategyOptions"),
    APPLIED("restart-strategy.fixed-delay.attempts", SCENARIO_COUNT32, NULL, 0, UINT32_MAX, "1",
            DRAFT(fixed_attempts), "Restarts before the job fails.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.fixed-delay.delay", SCENARIO_DURATION, NULL, 0, TIME_MAX, "1 s",
            DRAFT(fixed_delay_ns), "Pause before a restart.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.failure-rate.max-failures-per-interval", SCENARIO_COUNT32, NULL, 1,
            UINT32_MAX, "1", DRAFT(rate_failures), "Failures in one interval before the job fails.",
            "RestartStrategyOptions"),
    APPLIED("restart-strategy.failure-rate.failure-rate-interval", SCENARIO_DURATION, NULL, 1,
            TIME_MAX, "1 min", DRAFT(rate_interval_ns), "That interval.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.failure-rate.delay", SCENARIO_DURATION, NULL, 0, TIME_MAX, "1 s",
            DRAFT(rate_delay_ns), "Pause before a restart.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.exponential-delay.initial-backoff", SCENARIO_DURATION, NULL, 1,
            TIME_MAX, "1 s", DRAFT(exponential_initial_ns), "First pause.",
            "RestartStrategyOptions"),
    APPLIED("restart-strategy.exponential-delay.max-backoff", SCENARIO_DURATION, NULL, 1, TIME_MAX,
            "1 min", DRAFT(exponential_max_ns), "Greatest pause.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.exponential-delay.backoff-multiplier", SCENARIO_DECIMAL, NULL, ONE,
            1000 * ONE, "1.5", DRAFT(exponential_multiplier_nano),
            "Factor from one pause to the next.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.exponential-delay.reset-backoff-threshold", SCENARIO_DURATION, NULL,
            1, TIME_MAX, "1 h", DRAFT(exponential_threshold_ns),
            "Time without failures after which the pause starts over.", "RestartStrategyOptions"),
    APPLIED("restart-strategy.exponential-delay.attempts-before-reset-backoff", SCENARIO_SPECIAL,
            "integer or infinite", 0, INT32_MAX, "infinite", NONE,
            "Restarts before the job fails, counted anew when the pause starts over.",
            "RestartStrategyOptions"),

    // --- Flink's keys that change recovery but are not modelled ----------------------------------
    NOT_MODELLED("restart-strategy.exponential-delay.jitter-factor", "0.1",
                 "Spread of the pauses; Recoup's pauses have none.", "RestartStrategyOptions"),
    NOT_MODELLED("high-availability.zookeeper.client.connection-timeout", "15 s",
                 "Timeout of a connection to ZooKeeper.", "HighAvailabilityOptions"),
    NOT_MODELLED("high-availability.zookeeper.client.retry-wait", "5 s",
                 "Pause between such tries.", "HighAvailabilityOptions"),
    NOT_MODELLED("high-availability.zookeeper.client.max-retry-wait", "60 s",
                 "Greatest such pause.", "HighAvailabilityOptions"),
    NOT_MODELLED("high-availability.zookeeper.client.max-retry-attempts", "3",
                 "Number of such tries.", "HighAvailabilityOptions"),
    NOT_MODELLED("high-availability.zookeeper.client.tolerate-suspended-connections", "false",
                 "Whether a suspended connection keeps leadership.", "HighAvailabilityOptions"),
    NOT_MODELLED("execution.batch.speculative.enabled", "false", "Speculative execution.",
                 "BatchExecutionOptions"),
    NOT_MODELLED("execution.batch.speculative.max-concurrent-executions", "2",
                 "Attempts of one task at a time.", "BatchExecutionOptions"),
    NOT_MODELLED("execution.batch.speculative.block-slow-node-duration", "1 min",
                 "How long a slow worker is avoided.", "BatchExecutionOptions"),
    NOT_MODELLED("slot.request.timeout", "300 s", "How long a request for a slot may wait.",
                 "JobManagerOptions"),
    NOT_MODELLED("slot.idle.timeout", "50 s", "When an idle slot is given back.",
                 "JobManagerOptions"),
    NOT_MODELLED("resourcemanager.taskmanager-timeout", "30 s", "When an idle worker is released.",
                 "ResourceManagerOptions"),
    NOT_MODELLED("pekko.ask.timeout", "10 s", "Timeout of calls between processes.", "RpcOptions"),
    NOT_MODELLED("akka.ask.timeout", "10 s", "The same, by its older name.", "RpcOptions"),
    NOT_MODELLED("cluster.io-pool.size", NULL, "Threads that write events.", "ClusterOptions"),
    NOT_MODELLED("cluster.services.shutdown-timeout", "30 s", "Limit of an orderly stop.",
                 "ClusterOptions"),
    NOT_MODELLED("task.cancellation.interval", "30 s", "Pause between tries to cancel a task.",
                 "TaskManagerOptions"),
    NOT_MODELLED("task.cancellation.timeout", "180 s",
                 "When a task that cannot be cancelled kills its worker.", "TaskManagerOptions"),
    NOT_MODELLED("jobmanager.execution.failover-strategy", "region",
                 "Which tasks restart together; Recoup models region.", "JobManagerOptions"),
    NOT_MODELLED(
        "jobmanager.scheduler", "Default",
        "The scheduler; recovery works with the adaptive batch scheduler, the default for batch.",
        "JobManagerOptions"),
    NOT_MODELLED("shuffle-service-factory.class",
                 "org.apache.flink.runtime.io.network.NettyShuffleServiceFactory",
                 "The shuffle service; a remote one keeps partitions outside the workers.",
                 "ShuffleServiceOptions"),
    NOT_MODELLED("execution.batch-shuffle-mode", "ALL_EXCHANGES_BLOCKING",
                 "How stages exchange data; Recoup models blocking exchanges.", "ExecutionOptions"),
    NOT_MODELLED("taskmanager.network.request-backoff.initial", "100 ms",
                 "First pause before a partition is requested again.",
                 "NettyShuffleEnvironmentOptions"),
    NOT_MODELLED("taskmanager.network.request-backoff.max", "10 s", "Greatest such pause.",
                 "NettyShuffleEnvironmentOptions"),

    // --- Flink's keys below a modelled prefix that change nothing here ---------------------------
    NO_EFFECT("high-availability.cluster-id", "Name of the cluster."),
    NO_EFFECT("high-availability.jobmanager.port", "Port of the master."),
    NO_EFFECT("high-availability.job.delay", "Without effect in Flink, too."),
    NO_EFFECT("high-availability.use-old-ha-services", "Choice between two implementations."),
    NO_EFFECT("high-availability.zookeeper.quorum", "ZooKeeper's addresses."),
    NO_EFFECT("high-availability.zookeeper.path.root", "Paths in ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.path.namespace", "Paths in ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.path.jobgraphs", "Paths in ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.path.running-registry", "Paths in ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.client.acl", "Access to ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.client.authorization", "Access to ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.client.namespace", "Paths in ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.client.ensemble-tracker", "Addresses of ZooKeeper."),
    NO_EFFECT("high-availability.zookeeper.client.max-close-wait", "Limit of a disconnect."),
    NO_EFFECT("taskmanager.registration.initial-backoff", "Without effect in Flink 1.20, too."),
    NO_EFFECT("taskmanager.registration.max-backoff", "Without effect in Flink 1.20, too."),
    NO_EFFECT("taskmanager.registration.refused-backoff", "Without effect in Flink 1.20, too."),
};

uint32_t scenario_options_count(void)
{
    return (uint32_t)(sizeof(rows) / sizeof(rows[0]));
}

const struct scenario_option *scenario_options_at(uint32_t index)
{
    return &rows[index];
}

const struct scenario_option *scenario_options_find(enum scenario_section section, const char *key)
{
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        if (rows[i].section == section && strcmp(rows[i].key, key) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *scenario_section_path(enum scenario_section section)
{
    static const char *const paths[] = {
#define X(name, path, title) path,
        SCENARIO_SECTIONS(X)
#undef X
    };
    return paths[section];
}

const char *scenario_section_title(enum scenario_section section)
{
    static const char *const titles[] = {
#define X(name, path, title) title,
        SCENARIO_SECTIONS(X)
#undef X
    };
    return titles[section];
}

const char *scenario_type_text(enum scenario_type type)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SCENARIO_TYPES(X)
#undef X
    };
    return texts[type];
}
