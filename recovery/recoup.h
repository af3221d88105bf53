// SPDX-License-Identifier: Apache-2.0
//
// librecoup: records what happened in a batch job, and rebuilds the job for the next master.
//
// The library performs no I/O, knows no clock and starts no thread. A host (a real master process,
// or a simulator) tells it what happened, one event at a time, and carries out what the update
// says:
//
//     recoup_step(job, now_ns, &event, &update)   what happened, and what to do
//     recoup_deadline(job)                        when TIMER is wanted next
//
// The behaviour is that of Apache Flink 1.20's batch-job recovery from JobMaster failures
// (FLIP-383); where a safer behaviour is known, a policy chooses between the two.
//
// OWNERSHIP OF DATA
//   What an event points to is borrowed for the call. What an update points to lives until the next
//   step, except the data of an I/O operation, which stays valid and unchanged until the IO event
//   with its id has been stepped (or the job has been destroyed).
//
// DUTIES OF THE HOST (numbered, so that reviews and tests can cite them)
//   D1  Steps of one job never overlap; `now_ns` is not negative and never goes back. Jobs are
//       independent.
//   D2  The actions of an update are carried out in their order. At most one I/O operation of a job
//       is under way at a time (the library issues none before the last one's IO event).
//   D3  Every I/O operation is answered by exactly one IO event with its id, or by none at all if
//       the process dies. No other call may touch the store's directory.
//   D4  An IO event reports success only when what the storage capabilities promise is true: after
//       the operation that makes bytes durable (`durable_at`), they survive this process. What READ
//       gave up to the end of a file, and LIST, survives as well: its writer may have been killed
//       before it was durable, and the library goes on from it.
//   D5  TIMER is stepped at recoup_deadline(), or as soon after it as possible.
//   D6  Nothing is scheduled before RECOVERED. A subtask is started only when recoup_subtask()
//       says it is not finished and is in no reset that is still to be confirmed.
//   D7  START comes first and once, with an epoch greater than that of every earlier master.
//   D8  A subtask's finish is reported once per attempt, with an attempt id never used before in
//       the life of the job (its high 32 bits are the epoch, so that two masters never collide).
//   D9  After ASK_WORKERS(on), every worker that is connected or connects is asked for the
//       partitions it holds, and each answer is stepped as WORKER_REPORT, also an empty one; after
//       ASK_WORKERS(off) none is asked.
//   D10 Sinks are committed, and inputs dropped, only up to the DURABLE watermark, or on RELEASE.
//   D11 RESET_SUBTASKS with `confirm` set: the attempts are cancelled, then RESETS_DONE is stepped.
//       Without it the reset is done by the time of the next step.
//   D12 After LEADERSHIP_LOST, STOPPED, or RECOVERY_FAILED with RECOUP_EFENCED, the job is only
//       destroyed. PROTECTION_LOST with RECOUP_EFENCED says that another master leads: this one
//       commits nothing more, and ends.
//   D13 The finish of an attempt that a reset has cancelled is not stepped (RECOUP_EMISUSE).
//   D14 ASK_ADOPTION is answered by ADOPTION as soon as possible, with those of its subtasks that
//       the host could let count as finished again at that moment: no attempt of them was started
//       since, or it may be cancelled, and what a coordinator was given back for them has not gone
//       to anybody else. A host that answers with none, or not at all, makes them anew; nothing
//       else depends on it. What it leaves out is asked for again only when something has changed:
//       with the next output that returns, or after the next reset that is carried out.
//   D15 STOP (clear) is stepped only after the engine has made the job's result durable by itself:
//       once the log is removed, only the engine knows that there was a job. After JOB_ENDED
//       nothing is scheduled; the engine goes by that result.
#ifndef RECOUP_RECOVERY_RECOUP_H
#define RECOUP_RECOVERY_RECOUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RECOUP_NONE UINT32_MAX            // "no stage", "no worker", "no coordinator"
#define RECOUP_NEVER INT64_MAX            // a deadline that never comes
#define RECOUP_SHUFFLE UINT32_MAX         // the shuffle master, where a coordinator is named
#define RECOUP_EVENT_SIZE_MAX (64u << 20) // bytes of one record on disk, snapshots included
#define RECOUP_PAYLOAD_MAX (1u << 20)     // bytes of an engine's payload of one event
#define RECOUP_ACCEPT_NS_DEFAULT INT64_C(300000000000) // of limits.accept_ns: 5 min
#define RECOUP_STAGES_MAX 65536u
#define RECOUP_PARALLELISM_MAX (1u << 24) // subtasks of one stage

// ---------------------------------------------------------------------------------------------
// Errors: negative codes, each with a name and a sentence that says what to do.

#define RECOUP_ERRORS(X)                                                                           \
    X(RECOUP_ENOMEM, -1, "out of memory; the job's state is unchanged")                            \
    X(RECOUP_EMISUSE, -2, "the call breaks a duty of the host; the job's state is unchanged")      \
    X(RECOUP_EINVAL, -3, "an argument is out of its range; the job's state is unchanged")          \
    X(RECOUP_EIO, -4, "the storage failed")                                                        \
    X(RECOUP_ENOSPC, -5, "the storage is full")                                                    \
    X(RECOUP_EEXIST, -6, "the file exists already: another master may be writing")                 \
    X(RECOUP_ENOENT, -7, "the file does not exist")                                                \
    X(RECOUP_EACCES, -8, "the storage refuses access")                                             \
    X(RECOUP_ETIMEDOUT, -9, "the storage did not answer in time")                                  \
    X(RECOUP_ECORRUPT, -10, "a record is damaged")                                                 \
    X(RECOUP_EVERSION, -11, "a record or file is of a version that this library cannot read")      \
    X(RECOUP_EFOREIGN, -12, "the files belong to another job or to another graph")                 \
    X(RECOUP_EFENCED, -13, "a master with a greater epoch has opened the store")                   \
    X(RECOUP_EGAP, -14, "a file of the sequence is missing")                                       \
    X(RECOUP_ELIMIT, -15, "a stated limit is exceeded")                                            \
    X(RECOUP_EINTERNAL, -16, "an internal check failed; please report it")

enum recoup_error {
    RECOUP_OK = 0,
#define X(name, value, text) name = value,
    RECOUP_ERRORS(X)
#undef X
};

const char *recoup_error_name(int code); // "RECOUP_EIO"; "RECOUP_OK" for 0; never NULL
const char *recoup_strerror(int code);   // the sentence; never NULL

// ---------------------------------------------------------------------------------------------
// Policies: every place where Flink 1.20 and a safer behaviour differ. Values are int64: 0/1 for
// booleans, the index of a choice, nanoseconds for durations. Hazards are those of the
// specification (H1 .. H34).

enum recoup_policy {
    RECOUP_POLICY_ON_ERROR,         // event-store.on-error: stop | rearm                    H1 H2
    RECOUP_POLICY_SYNC,             // event-store.sync: never | recovery-points             H5
    RECOUP_POLICY_ROLL,             // event-store.roll: stage-end | recovery-points         H6
    RECOUP_POLICY_BOUNDARY,         // event-store.boundary: buffered | durable-unit         H7
    RECOUP_POLICY_CHECKSUM,         // event-store.checksum: false | true                    H8
    RECOUP_POLICY_FRAMING,          // event-store.framing: three-writes | contiguous        H13 H14
    RECOUP_POLICY_COMPACTION,       // event-store.compaction: never | stage-end             H15
    RECOUP_POLICY_FENCING,          // event-store.fencing: false | true                     H16
    RECOUP_POLICY_RESET_EARLY,      // event-store.reset-early: false | true                 H21
    RECOUP_POLICY_SNAPSHOT_TIMEOUT, // snapshot.timeout: duration, 0 = no limit              H3
    RECOUP_POLICY_SNAPSHOT_FAILURE, // snapshot.on-failure: stop-recording | skip            H4
    RECOUP_POLICY_HOLES,            // replay.holes: skip | prefix                           H9
    RECOUP_POLICY_ON_DAMAGE,        // replay.on-damage: wipe | keep-prefix                  H11
    RECOUP_POLICY_ON_GAP,           // replay.on-gap: end-of-log | error                     H12
    RECOUP_POLICY_EMPTY,            // replay.empty: any-entry | complete-record             H18
    RECOUP_POLICY_ORDER,            // replay.order: first-finish | log                      H20
    RECOUP_POLICY_GRAPH_CHECK,      // replay.graph-check: false | true                      H26
    RECOUP_POLICY_LOG_RESETS,       // recovery.log-resets: false | true                     H19
    RECOUP_POLICY_TRIM,             // recovery.trim: all | coordinator-stages               H22
    RECOUP_POLICY_LIVENESS_CHECKS,  // recovery.liveness-checks: false | true                H24
    RECOUP_POLICY_CLOSURE,          // recovery.closure: stage-only | fixpoint               H29
    RECOUP_POLICY_LATE_REPORT,      // recovery.late-report: release | adopt                 H30
    RECOUP_POLICY_LATE_WORKER,      // recovery.late-worker: ignore | ask                    H31
    RECOUP_POLICY_WAIT,             // recovery.wait: fixed | extend                         H32
    RECOUP_POLICY_OPTIONAL,         // recovery.optional: forget | adopt                     H33
    RECOUP_POLICY_RELEASE_AFTER,    // partitions.release-after: finish | recovery-point     H23
    RECOUP_POLICY_RELEASE_RECOVERED, // partitions.release-recovered: false | true            H34
    RECOUP_POLICY_COUNT
};

enum recoup_policy_kind { RECOUP_POLICY_BOOLEAN, RECOUP_POLICY_CHOICE, RECOUP_POLICY_DURATION };

struct recoup_policy_info {
    const char *key; // without the prefix: "event-store.on-error"
    enum recoup_policy_kind kind;
    const char *choices[4]; // of a choice, in the order of their values; NULL ends the list
    int64_t flink;          // value in profile flink-1.20
    int64_t hardened;       // value in profile hardened
    const char *hazards;    // "H1 H2"
    const char *doc;        // one sentence: what the hardened value changes, and what it costs
};

// The row of one policy; never NULL for policy < RECOUP_POLICY_COUNT.
const struct recoup_policy_info *recoup_policy_info(enum recoup_policy policy);

enum recoup_profile { RECOUP_PROFILE_FLINK_1_20, RECOUP_PROFILE_HARDENED };

struct recoup_options {
    bool recovery_enabled;         // execution.batch.job-recovery.enabled
    int64_t snapshot_min_pause_ns; // execution.batch.job-recovery.snapshot.min-pause
    int64_t
        worker_recovery_timeout_ns; // execution.batch.job-recovery.previous-worker.recovery.timeout
    int64_t flush_interval_ns;      // job-event.store.write-buffer.flush-interval, > 0
    uint64_t write_buffer_bytes;    // job-event.store.write-buffer.size, > 0
    int64_t worker_detection_ns;    // how long a lost master may go unnoticed by a worker (H32)
    int64_t policy[RECOUP_POLICY_COUNT];
};

// Flink 1.20's defaults (recovery disabled) with the policies of `profile`.
void recoup_options_init(struct recoup_options *options, enum recoup_profile profile);

// ---------------------------------------------------------------------------------------------
// Creation

enum recoup_exchange { RECOUP_POINTWISE, RECOUP_ALL_TO_ALL };

struct recoup_stage_spec {
    uint32_t parallelism;     // 0: decided at run time, told by STAGE_INITIALIZED
    uint32_t parallelism_max; // bound where parallelism is 0; else ignored
};

struct recoup_edge_spec { // stages are in topological order: producer < consumer
    uint32_t producer;
    uint32_t consumer;
    enum recoup_exchange exchange;
};

struct recoup_coordinator_spec {
    uint32_t stage;
    bool batch_snapshot; // SupportsBatchSnapshot: it can be snapshotted while the job runs
};

struct recoup_graph {
    uint8_t digest[16]; // identity of the job and its plan, chosen by the engine
    uint32_t n_stages;
    const struct recoup_stage_spec *stages;
    uint32_t n_edges;
    const struct recoup_edge_spec *edges; // at most one edge per pair of stages
    uint32_t n_coordinators;
    const struct recoup_coordinator_spec *coordinators;
};

enum recoup_durable_at { RECOUP_DURABLE_AT_FLUSH, RECOUP_DURABLE_AT_SYNC, RECOUP_DURABLE_AT_CLOSE };

struct recoup_storage { // what the host's storage can do; rules that follow are chosen from it
    enum recoup_durable_at durable_at;
    bool can_sync;         // sync is an operation of this storage
    bool create_exclusive; // create fails when the name exists
    bool list_consistent;  // a created name is in the next listing
};

struct recoup_allocator {
    void *(*allocate)(void *context, size_t size); // aligned for any type; NULL when out of memory
    void (*release)(void *context, void *memory, size_t size); // memory may be NULL
    void *context;
};

struct recoup_limits {
    uint64_t waiting_bytes; // bytes of accepted events that may wait to be written; 0: 64 MiB
    uint32_t read_bytes;    // size of one read operation of the replay; 0: 1 MiB
    // Under event-store.on-error = rearm: how long the opening goes on trying operations that fail;
    // 0: 30 s. Then RECOVERY_FAILED; for the `first` master of a job RECOVERED, unprotected.
    int64_t opening_ns;
    // How long RECOVERED waits for the records that must be durable before it; 0:
    // RECOUP_ACCEPT_NS_DEFAULT. Then RECOVERY_FAILED: all that was told since START is void, and
    // the log is left as it was.
    int64_t accept_ns;
};

struct recoup_config {
    const struct recoup_graph *graph;     // copied
    const struct recoup_options *options; // copied
    struct recoup_storage storage;
    struct recoup_allocator allocator; // all of the job's memory comes from here
    struct recoup_limits limits;
};

struct recoup_job;

// Creates a job from `config`. RECOUP_EINVAL for a graph that is no DAG in topological order or
// that breaks a limit, RECOUP_ENOMEM. Every stage starts out not initialized, every subtask
// created.
int recoup_create(const struct recoup_config *config, struct recoup_job **job);
void recoup_destroy(struct recoup_job *job); // accepts NULL; pending I/O operations are forgotten

// ---------------------------------------------------------------------------------------------
// Events: facts that happened.

enum recoup_event_type {
    RECOUP_EVENT_START,             // leadership granted, job graph loaded
    RECOUP_EVENT_TIMER,             // recoup_deadline() has come
    RECOUP_EVENT_IO,                // an I/O operation ended
    RECOUP_EVENT_STAGE_INITIALIZED, // a stage's parallelism is decided
    RECOUP_EVENT_SUBTASK_FINISHED,  // an attempt finished
    RECOUP_EVENT_SUBTASKS_FAILED,   // attempts failed, the engine wants a failover
    RECOUP_EVENT_RESETS_DONE,       // a reset with `confirm` is carried out
    RECOUP_EVENT_SNAPSHOT,          // a coordinator or the shuffle master delivered, or failed to
    RECOUP_EVENT_WORKER_REPORT,     // a worker's list of the partitions it holds
    RECOUP_EVENT_WORKER_LOST,       // a worker, with all it holds, is gone
    RECOUP_EVENT_PARTITION_LOST,    // one partition is found missing
    RECOUP_EVENT_GLOBAL_FAILURE,    // the engine restarts the job from scratch within this master
    RECOUP_EVENT_LEADERSHIP_LOST,   // no further write may happen
    RECOUP_EVENT_STOP,              // orderly end: keep the log (suspended) or clear it (job ended)
    RECOUP_EVENT_ADOPTION,          // answers ASK_ADOPTION
};

struct recoup_range { // subtasks first .. first + count - 1 of a stage
    uint32_t stage;
    uint32_t first;
    uint32_t count;
};

struct recoup_partition { // the output of one attempt of one subtask, held by a worker
    uint32_t stage;
    uint32_t subtask;
    uint64_t attempt;
    uint64_t bytes;
    uint32_t worker; // in reports: the reporting worker
};

struct recoup_event {
    enum recoup_event_type type;
    union {
        struct {
            uint64_t epoch; // fencing token, greater than that of every earlier master
            // The engine knows that the job never had another master, so there is no log. If the
            // storage cannot be opened then, the job goes on unprotected (PROTECTION_LOST, then
            // RECOVERED_NOTHING; event-store.on-error = rearm), and is protected as soon as the
            // storage answers. A log that is found all the same is recovered, or, if it is found
            // only then, replaced. False if in doubt.
            bool first;
        } start;
        struct {
            uint32_t operation;       // id of the action
            int error;                // 0 or a RECOUP_E... code (else RECOUP_EINVAL)
            const void *data;         // READ: the bytes, or NULL at the end of the file
            size_t size;              // READ: how many; fewer than asked for means the end is near
            const char *const *names; // LIST: in the directory, in any order; one may come twice
            uint32_t n_names;
        } io;
        struct {
            uint32_t stage;
            uint32_t parallelism;
        } stage_initialized;
        struct {
            uint32_t stage;
            uint32_t subtask;
            uint64_t attempt;
            uint32_t worker;
            uint64_t bytes;      // of its output partition, 0 if it has none
            bool has_partition;  // its output is kept by the worker and read by another stage
            const void *payload; // opaque, returned on recovery
            uint32_t payload_bytes;
        } subtask_finished;
        struct {
            const struct recoup_range *ranges;
            uint32_t n_ranges;
        } subtasks_failed;
        struct {
            uint32_t reset; // id of the RESET_SUBTASKS action
        } resets_done;
        struct {
            uint32_t snapshot;    // id of the TAKE_SNAPSHOT action
            uint32_t coordinator; // index in the graph, or RECOUP_SHUFFLE
            bool failed;
            const void *data;
            size_t size;
        } snapshot;
        struct {
            uint32_t worker;
            const struct recoup_partition *partitions; // all that it holds of this job
            uint32_t n_partitions;
        } worker_report;
        struct {
            uint32_t worker;
        } worker_lost;
        struct recoup_partition partition_lost;
        struct {
            bool clear; // the job reached a final state: remove the log
        } stop;
        struct {
            uint32_t adoption; // id of the ASK_ADOPTION action
            // What of its subtasks the host gives up making anew, now: see ADOPT_SUBTASKS.
            const struct recoup_range *ranges;
            uint32_t n_ranges;
        } adoption;
    };
};

// ---------------------------------------------------------------------------------------------
// Updates: what the host must now do, in order.

enum recoup_action_type {
    // I/O operations, each answered by one IO event. `file` is a name inside the store's directory.
    RECOUP_ACTION_MKDIR,  // the store's directory and its parents; succeeds when it exists
    RECOUP_ACTION_LIST,   // names in the store's directory
    // open `file` for appending; RECOUP_EEXIST when it exists. After a failure it may be repeated.
    RECOUP_ACTION_CREATE,
    RECOUP_ACTION_APPEND, // append data to `file`
    RECOUP_ACTION_FLUSH,
    RECOUP_ACTION_SYNC,
    RECOUP_ACTION_CLOSE,
    RECOUP_ACTION_READ,   // `size` bytes of `file` from `offset`
    // `file`, or, when the name is empty, the directory, which is removed only if nothing is in it
    // (else RECOUP_EEXIST); succeeds when absent.
    RECOUP_ACTION_REMOVE,
    // Commands.
    RECOUP_ACTION_TAKE_SNAPSHOT,       // ask the coordinator now; answer with SNAPSHOT
    RECOUP_ACTION_INITIALIZE_STAGE,    // replay: the stage has this parallelism
    RECOUP_ACTION_MARK_FINISHED,       // replay: the range is finished; details: recoup_subtask()
    RECOUP_ACTION_RESTORE_COORDINATOR, // replay: give the coordinator (or shuffle master) its bytes
    RECOUP_ACTION_RESET_SUBTASKS,      // take the ranges back; see `confirm`
    RECOUP_ACTION_ASK_WORKERS,         // on: ask for partitions; off: stop asking
    RECOUP_ACTION_TRACK,               // these partitions are adopted
    RECOUP_ACTION_RELEASE,             // these partitions may be dropped by their workers, now
    RECOUP_ACTION_DURABLE,             // every event up to this sequence number is durable
    RECOUP_ACTION_THROTTLE,            // on: too much waits to be written, hold new finishes back
    RECOUP_ACTION_PROTECTION_LOST,     // recording has stopped; `error` says why
    RECOUP_ACTION_PROTECTION_RESTORED, // a checkpoint of the whole job is durable again
    RECOUP_ACTION_RECOVERED,           // schedule now; see struct
    RECOUP_ACTION_RECOVERY_FAILED,     // the log was given up; the engine decides how to go on
    RECOUP_ACTION_JOB_ENDED,           // an earlier master ended the job: schedule nothing, ever;
                                       // its clean-up goes on, and STOPPED follows
    RECOUP_ACTION_STOPPED,             // STOP is complete; see `stopped`
    RECOUP_ACTION_ASK_ADOPTION,        // outputs have come back: which may count again? See D14
    RECOUP_ACTION_ADOPT_SUBTASKS,      // the ranges are finished again; see struct
};

// Why subtasks are reset.
enum recoup_reset_reason {
    RECOUP_RESET_FAILED,     // named by SUBTASKS_FAILED
    RECOUP_RESET_UNFINISHED, // coordinator stage: give its splits back (never ran here)
    RECOUP_RESET_COORDINATOR_UNSUPPORTED, // whole stage, since its coordinator could not be
                                          // restored
    RECOUP_RESET_PARTITION_MISSING,       // needed output was not reported, or is lost
    RECOUP_RESET_DOWNSTREAM,              // consumed what is taken back
    RECOUP_RESET_GLOBAL,                  // the whole job starts over
};

struct recoup_reset_range {
    struct recoup_range range;
    enum recoup_reset_reason reason;
};

enum recoup_recovered_kind {
    RECOUP_RECOVERED_NOTHING, // there was nothing to recover, or recovery is disabled: normal start
    RECOUP_RECOVERED_LOG,     // the state is that of the log
};

struct recoup_action {
    enum recoup_action_type type;
    union {
        struct {
            uint32_t operation; // id, never 0
            char file[32];      // "" for MKDIR and LIST
            const void *data;   // APPEND
            uint64_t offset;    // READ
            size_t size;        // APPEND, READ
            // APPEND: the last event all of whose bytes are in the file after it.
            uint64_t event_last;
        } io;
        struct {
            uint32_t snapshot;
            uint32_t coordinator; // or RECOUP_SHUFFLE
        } take_snapshot;
        struct {
            uint32_t stage;
            uint32_t parallelism;
        } initialize_stage;
        struct recoup_range mark_finished;
        struct {
            uint32_t coordinator; // or RECOUP_SHUFFLE
            const void *data;
            size_t size;
        } restore_coordinator;
        struct {
            // Names what was finished, and, with `confirm`, also what may be running on what is
            // taken back; never a subtask that another unconfirmed reset names already.
            uint32_t reset; // id, to be confirmed if `confirm`
            bool confirm;
            const struct recoup_reset_range *ranges;
            uint32_t n_ranges;
        } reset_subtasks;
        struct {
            bool on;
        } ask_workers;
        struct {
            const struct recoup_partition *partitions;
            uint32_t n_partitions;
        } partitions; // TRACK, RELEASE
        struct {
            uint32_t adoption; // id, never 0
            const struct recoup_range *ranges;
            uint32_t n_ranges;
        } ask_adoption;
        struct {
            // Finished again, by the attempts that recoup_subtask() names, as if they had never
            // been taken back: attempts of them that were started since are cancelled and their
            // finishes not stepped (D13), coordinators take back the splits of the named attempts.
            // Then the host goes on as after a finish: it schedules what may run now.
            const struct recoup_range *ranges;
            uint32_t n_ranges;
        } adopt_subtasks;
        struct {
            uint64_t event;
        } durable;
        struct {
            bool on;
        } throttle;
        struct {
            int error;
        } protection_lost;
        struct {
            enum recoup_recovered_kind kind;
            bool initialize_possible; // initialize every stage whose inputs allow it (else only
                                      // Flink's path)
            bool check_completion;    // every subtask may be finished: end the job if so
        } recovered;
        struct {
            int error;
        } recovery_failed;
        struct {
            // 0, or why not all was done: of STOP (keep), that the last events may not be durable;
            // of a clean-up, that (part of) the log is still there. The next master goes on with
            // it: it recovers the job, or, if its end was durable, says JOB_ENDED.
            int error;
        } stopped;
    };
};

struct recoup_update {
    const struct recoup_action *actions;
    uint32_t n_actions;
    uint64_t event; // sequence number given to the event of this step in the log (from 1 in each
                    // incarnation), 0 if it is not of a recorded kind or was dropped
};

// Tells `job` what happened at `now_ns` and says what to do. Returns 0, or an error for an event
// that the host may not step now (RECOUP_EMISUSE, RECOUP_EINVAL) or for which there is no memory
// (RECOUP_ENOMEM); the state is then unchanged and `update` is empty. Storage errors are never
// returned: they end protection or recovery through actions. Does a bounded amount of work: at most
// one read operation's records, or one pass over the job's subtasks.
int recoup_step(struct recoup_job *job, int64_t now_ns, const struct recoup_event *event,
                struct recoup_update *update);

// The time at which TIMER is to be stepped, RECOUP_NEVER if none is wanted. Never before the last
// step.
int64_t recoup_deadline(const struct recoup_job *job);

// ---------------------------------------------------------------------------------------------
// Reading the state. Valid at any time after START; costs a few loads.

enum recoup_phase {
    RECOUP_PHASE_CREATED,     // before START
    RECOUP_PHASE_OPENING,     // directory, listing
    RECOUP_PHASE_REPLAYING,   // reading and applying the log
    RECOUP_PHASE_WAITING,     // for workers' reports
    RECOUP_PHASE_RECONCILING, // resets being made durable
    RECOUP_PHASE_RUNNING,
    RECOUP_PHASE_STOPPING,
    RECOUP_PHASE_STOPPED,
};

enum recoup_phase recoup_phase(const struct recoup_job *job);
const char *recoup_phase_name(enum recoup_phase phase);

struct recoup_stage {
    uint32_t parallelism; // 0 until initialized
    uint32_t finished;    // subtasks
    bool initialized;
};

struct recoup_subtask {
    bool finished;
    bool resetting;   // in a reset that is not confirmed yet
    bool available;   // its partition is held by a worker, as far as is known
    uint64_t attempt; // of the last finish known, also after a reset took it back; 0: none
    uint32_t worker;
    uint64_t bytes;
    const void *payload; // valid until the next step
    uint32_t payload_bytes;
};

void recoup_stage(const struct recoup_job *job, uint32_t stage, struct recoup_stage *out);
void recoup_subtask(const struct recoup_job *job, uint32_t stage, uint32_t subtask,
                    struct recoup_subtask *out);

struct recoup_stats {
    bool protected_now;          // recording works
    int64_t protection_since_ns; // when `protected_now` last changed
    // From each PROTECTION_LOST to PROTECTION_RESTORED, or to the last step.
    int64_t unprotected_ns;
    uint64_t interruptions; // how often protection was lost
    uint64_t events_accepted;    // of this incarnation
    uint64_t events_durable;
    uint64_t events_dropped; // while recording was off
    uint64_t bytes_appended;
    uint64_t bytes_waiting;
    uint64_t appends, flushes, syncs, files;
    uint64_t snapshots; // delivered, shuffle master included once per recovery point
    uint64_t snapshot_bytes;
    uint64_t recovery_point_event; // last event that carries a recovery point, 0: none
    // When the oldest event not durable was accepted, RECOUP_NEVER: none.
    int64_t oldest_not_durable_ns;
    uint64_t events_replayed;
    uint64_t replay_bytes;
    uint64_t records_damaged;    // records found damaged, and files cut short by the reader
    uint64_t finished_recovered; // subtasks finished at RECOVERED
};

void recoup_stats(const struct recoup_job *job, struct recoup_stats *out);

// A hint that SUBTASK_FINISHED of a subtask comes soon: asks the processor to have its record at
// hand by then. It changes nothing and may be left out; any numbers are accepted. It pays where
// finishes come in no order and the records of a hundred thousand subtasks do not fit the caches.
void recoup_expect_finish(const struct recoup_job *job, uint32_t stage, uint32_t subtask);

// A hash of the recoverable state (parallelism, finished attempt of each subtask), kept
// incrementally: costs O(stages). Equal states of one graph have equal hashes, on every machine.
void recoup_state_hash(const struct recoup_job *job, uint8_t hash[16]);

// Subtasks of the consumer that read a producer's partition, and the reverse: the one point-wise
// rule of the project (contract: producers p, consumers c; c <= p: consumer j reads floor(jp/c) to
// floor((j+1)p/c)-1; c > p: it reads floor(jp/c)). `first`/`count` are of the other side.
void recoup_pointwise_producers(uint32_t producers, uint32_t consumers, uint32_t consumer,
                                uint32_t *first, uint32_t *count);
void recoup_pointwise_consumers(uint32_t producers, uint32_t consumers, uint32_t producer,
                                uint32_t *first, uint32_t *count);

#ifdef __cplusplus
}
#endif

#endif
