// SPDX-License-Identifier: GPL-3.0-or-later
//
// What one run needs to know: a scenario with every name resolved to an index and every default
// filled in. The loader in scenarios/ fills it; models/ only reads it. Everything it points to
// lives as long as the config and is never changed by a run, so that many runs may share one
// config.
//
// All durations are int64 nanoseconds, all sizes are bytes, all prices are nano-USD a request.
#ifndef RECOUP_MODELS_CONFIG_H
#define RECOUP_MODELS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "recovery/recoup.h"
#include "sim/law.h"

#define MODEL_NAME_MAX 64u // bytes of a stage's or fault's name, with the final zero
#define MODEL_STAGES_MAX 4096u
#define MODEL_WORKERS_MAX 1000000u
#define MODEL_SLOTS_MAX 1024u // slots of one worker
#define MODEL_FAULTS_MAX 1024u
#define MODEL_NO_STAGE UINT32_MAX

// --- the job -------------------------------------------------------------------------------------

struct model_input {
    uint32_t stage; // index of the producer, smaller than the consumer's
    enum recoup_exchange exchange;
};

struct model_source {
    bool present;
    uint32_t splits;
    uint64_t split_state_bytes; // bytes of one split in a snapshot
};

struct model_coordinator {
    bool present;         // a source always has one
    bool batch_snapshot;  // its enumerator implements SupportsBatchSnapshot
    uint64_t state_bytes; // of a snapshot, besides the splits
};

struct model_stage {
    char name[MODEL_NAME_MAX];
    uint32_t parallelism; // 0: auto
    struct sim_law duration;
    struct sim_law output; // bytes that one subtask produces
    bool rerun_fresh;      // draw duration and output per attempt, not per subtask
    struct model_source source;
    struct model_coordinator coordinator;
    const struct model_input *inputs;
    uint32_t n_inputs;
};

struct model_auto_parallelism { // execution.batch.adaptive.auto-parallelism.*
    bool enabled;
    uint32_t min;
    uint32_t max;
    uint64_t bytes_per_subtask;          // avg-data-volume-per-task
    uint32_t default_source_parallelism; // 0: not set (then max, as Flink does)
};

// --- the cluster ---------------------------------------------------------------------------------

struct model_cluster {
    uint32_t workers;
    uint32_t slots; // per worker
    struct sim_law deploy;
    struct sim_law restart; // of a killed worker
    bool restart_never;
    struct sim_law reconnect;
    bool reconnect_given; // else Flink's registration rules
};

struct model_master {
    struct sim_law start; // from leadership granted to START
    bool standby;
    struct sim_law restart; // without a standby: from death to a new contender
    bool restart_never;     // no master will ever come back (unless there is a standby)
};

enum model_ha_kind { MODEL_HA_NONE, MODEL_HA_ZOOKEEPER, MODEL_HA_KUBERNETES, MODEL_HA_FIXED };

struct model_ha {
    enum model_ha_kind kind;
    struct sim_law detect;          // MODEL_HA_FIXED
    int64_t session_timeout_ns;     // zookeeper: as asked for by the client
    int64_t session_granted_max_ns; // zookeeper: 20 ticks of the server
    int64_t lease_duration_ns;      // kubernetes
    int64_t renew_deadline_ns;
    int64_t retry_period_ns;
};

enum model_storage_op {
    MODEL_STORAGE_MKDIR,
    MODEL_STORAGE_LIST,
    MODEL_STORAGE_CREATE,
    MODEL_STORAGE_APPEND,
    MODEL_STORAGE_FLUSH,
    MODEL_STORAGE_SYNC,
    MODEL_STORAGE_CLOSE,
    MODEL_STORAGE_READ,
    MODEL_STORAGE_REMOVE,
    MODEL_STORAGE_OPS
};

enum model_storage_kind {
    MODEL_STORAGE_IDEAL,
    MODEL_STORAGE_HDFS,
    MODEL_STORAGE_S3,
    MODEL_STORAGE_GCS,
    MODEL_STORAGE_POSIX,
    MODEL_STORAGE_NFS,
    MODEL_STORAGE_KINDS
};

struct model_storage {
    enum model_storage_kind kind; // semantics of namespace and crash
    enum recoup_durable_at durable_at;
    struct sim_law latency[MODEL_STORAGE_OPS];
    uint64_t bandwidth; // bytes a second, 0: without a limit
    uint64_t price_nanousd[MODEL_STORAGE_OPS];
};

struct model_timeouts {
    int64_t heartbeat_interval_ns;
    int64_t heartbeat_timeout_ns;
    int32_t heartbeat_rpc_failures;          // -1: off
    int64_t registration_initial_timeout_ns; // cluster.registration.*
    int64_t registration_max_timeout_ns;
    int64_t registration_error_delay_ns;
    int64_t registration_refused_delay_ns;
    int64_t worker_registration_timeout_ns; // taskmanager.registration.timeout (retention, too)
    int64_t slot_timeout_ns;                // taskmanager.slot.timeout
};

enum model_restart_kind {
    MODEL_RESTART_NONE,
    MODEL_RESTART_FIXED_DELAY,
    MODEL_RESTART_FAILURE_RATE,
    MODEL_RESTART_EXPONENTIAL_DELAY
};

struct model_restart { // restart-strategy.*
    enum model_restart_kind kind;
    uint32_t
        attempts; // fixed-delay; failure-rate: failures per interval; exponential: limit, 0 none
    int64_t delay_ns;                // exponential: the initial back-off
    int64_t interval_ns;             // failure-rate
    int64_t delay_max_ns;            // exponential
    int64_t backoff_multiplier_nano; // exponential, in 1e-9
    int64_t reset_threshold_ns;      // exponential
};

struct model_worker_policy {    // recoup.worker.*: hazards H35 to H37
    bool retention_by_job;      // H35: keep whatever way the loss is learned (hardened)
    bool retention_timer_keyed; // H36: the timer belongs to one disconnect (hardened)
    bool recovery_enabled;      // H37: the worker's own copy of the master switch
};

// --- faults --------------------------------------------------------------------------------------

enum model_fault_kind {
    MODEL_FAULT_KILL,
    MODEL_FAULT_TERMINATE,
    MODEL_FAULT_STORE_ERROR,
    MODEL_FAULT_PARTITION // of the master: cut off from workers and election, not from the storage
};
enum model_fault_process { MODEL_PROCESS_MASTER, MODEL_PROCESS_WORKER };
enum model_fault_target { MODEL_TARGET_RANDOM, MODEL_TARGET_EACH, MODEL_TARGET_NUMBER };
enum model_fault_trigger {
    MODEL_TRIGGER_AT,       // `at`: a time, or a law of it
    MODEL_TRIGGER_AT_SHARE, // `at`: a share of the fault-free makespan, or a law of it in 1e-9
    MODEL_TRIGGER_EVERY,
    MODEL_TRIGGER_WHEN, // a stage's finished subtasks first reach ceil(share n)
    MODEL_TRIGGER_ON    // the n-th store operation of a kind
};
enum model_fault_moment { MODEL_MOMENT_BEFORE, MODEL_MOMENT_MID, MODEL_MOMENT_AFTER };

struct model_fault {
    char name[MODEL_NAME_MAX]; // given, or "fault-<index>"
    enum model_fault_kind kind;
    enum model_fault_process process;
    enum model_fault_target target;
    uint32_t worker;  // MODEL_TARGET_NUMBER
    int64_t grace_ns; // terminate
    int64_t unaware_ns; // partition: how long it goes on after its leadership is lost
    enum model_fault_trigger trigger;
    struct sim_law law;       // AT: ns; AT_SHARE: 1e-9 of the makespan; EVERY: ns
    uint32_t stage;           // WHEN
    int64_t share_nano;       // WHEN: 500000000 is 50 %
    enum model_storage_op op; // ON
    uint64_t nth;             // ON: from 1, over the whole run
    enum model_fault_moment moment;
    int error;      // STORE_ERROR: the RECOUP_E... code that the operation reports
    uint64_t count; // STORE_ERROR: how many operations from the nth on fail; 0: all
};

// --- the whole -----------------------------------------------------------------------------------

struct model_config {
    const char *name;
    uint64_t seed;
    enum recoup_profile profile;
    struct recoup_options options; // Flink's keys and recoup.* policies of the library
    struct model_worker_policy worker_policy;
    const struct model_stage *stages;
    uint32_t n_stages;
    struct model_auto_parallelism auto_parallelism;
    bool release_partitions; // jobmanager.partition.release-during-job-execution
    struct model_cluster cluster;
    struct model_master master;
    struct model_ha ha;
    struct model_storage storage;
    struct sim_law network_latency; // one way
    struct model_timeouts timeouts;
    struct model_restart restart;
    const struct model_fault *faults;
    uint32_t n_faults;
    int64_t accept_ns;   // the library's limits.accept_ns; 0: its default
    int64_t stop_at_ns;  // 0: 20 times the fault-free makespan plus all timeouts
    uint64_t events_max; // 0: without a limit; else the run ends as TIMEOUT, `limited` set
};

#endif
