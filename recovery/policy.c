// SPDX-License-Identifier: Apache-2.0
//
// The table of policies: one row for every place where Flink 1.20 and a safer behaviour differ.
// Parsers, help texts and documentation are made from it.
#include <string.h>

#include "recovery/memory.h"

#define BOOLEAN(key, hazards, doc) {key, RECOUP_POLICY_BOOLEAN, {NULL}, 0, 1, hazards, doc}
#define CHOICE(key, flink, hardened, hazards, doc) \
    {key, RECOUP_POLICY_CHOICE, {flink, hardened, NULL}, 0, 1, hazards, doc}

#define SECOND INT64_C(1000000000)

static const struct recoup_policy_info policies[RECOUP_POLICY_COUNT] = {
    [RECOUP_POLICY_ON_ERROR] = CHOICE("event-store.on-error", "stop", "rearm", "H1 H2",
        "After a storage error, opens a new file with a checkpoint of the whole job instead of "
        "recording nothing more; costs writing the job's state once per error."),
    [RECOUP_POLICY_SYNC] = CHOICE("event-store.sync", "never", "recovery-points", "H5",
        "Makes recovery points and stage ends durable by a sync where the storage needs one; "
        "costs one sync per recovery point."),
    [RECOUP_POLICY_ROLL] = CHOICE("event-store.roll", "stage-end", "recovery-points", "H6",
        "Where bytes are durable only once their file is closed, closes it at recovery points "
        "and after a minute too; costs more and smaller files."),
    [RECOUP_POLICY_BOUNDARY] = CHOICE("event-store.boundary", "buffered", "durable-unit", "H7",
        "Makes a stage's last finish and the stages initialized by it durable together; costs "
        "one more durable write per stage."),
    [RECOUP_POLICY_CHECKSUM] = BOOLEAN("event-store.checksum", "H8",
        "Puts an XXH3 checksum on every record and file header and refuses what does not match; "
        "costs 8 bytes a record."),
    [RECOUP_POLICY_FRAMING] = CHOICE("event-store.framing", "three-writes", "contiguous", "H13 H14",
        "Writes each record as one piece with its number behind a file header, and flushes "
        "pieces larger than the buffer too; costs 16 bytes a record and 64 a file."),
    [RECOUP_POLICY_COMPACTION] = CHOICE("event-store.compaction", "never", "stage-end", "H15",
        "Replaces the log by a checkpoint at stage ends once it has doubled; costs at most as "
        "many bytes again as the log has."),
    [RECOUP_POLICY_FENCING] = BOOLEAN("event-store.fencing", "H16",
        "Puts the master's epoch into each file name and ignores what an older master writes "
        "after its successor has read the log, looks who leads before it removes files, and "
        "records the job's end first; costs one record per master and a listing per removal."),
    [RECOUP_POLICY_RESET_EARLY] = BOOLEAN("event-store.reset-early", "H21",
        "Records a reset when it is decided instead of after cancellation and back-off; costs "
        "nothing."),
    [RECOUP_POLICY_SNAPSHOT_TIMEOUT] = {
        "snapshot.timeout", RECOUP_POLICY_DURATION, {NULL}, 0, 10 * SECOND, "H3",
        "Bounds how long the writer waits for a snapshot; past it the finish is written alone "
        "and the snapshot follows as a record of its own (0: no bound)."},
    [RECOUP_POLICY_SNAPSHOT_FAILURE] = CHOICE("snapshot.on-failure", "stop-recording", "skip", "H4",
        "Writes a finish whose snapshot failed without it instead of treating the failure as a "
        "storage error; costs one recovery point."),
    [RECOUP_POLICY_HOLES] = CHOICE("replay.holes", "skip", "prefix", "H9",
        "Ends a master's log at the first bad record instead of going on behind it, unless a "
        "later record says that it was written on that prefix; costs what stands behind the "
        "hole."),
    [RECOUP_POLICY_ON_DAMAGE] = CHOICE("replay.on-damage", "wipe", "keep-prefix", "H11",
        "Recovers the readable prefix of a damaged log instead of deleting the log; costs "
        "nothing."),
    [RECOUP_POLICY_ON_GAP] = CHOICE("replay.on-gap", "end-of-log", "error", "H12",
        "Refuses a log with a missing file (after listing again where listings may be stale) "
        "instead of reading up to the gap; costs a recovery that a person must look at."),
    [RECOUP_POLICY_EMPTY] = CHOICE("replay.empty", "any-entry", "complete-record", "H18",
        "Recovers only if there is at least one complete record, not for any entry in the "
        "directory; costs nothing."),
    [RECOUP_POLICY_ORDER] = CHOICE("replay.order", "first-finish", "log", "H20",
        "Takes a subtask that finished again at its last place in the log instead of its first; "
        "costs nothing."),
    [RECOUP_POLICY_GRAPH_CHECK] = BOOLEAN("replay.graph-check", "H26",
        "Refuses the log of another job or plan by the digest in the file header; costs nothing "
        "where the framing is contiguous and does nothing elsewhere."),
    [RECOUP_POLICY_LOG_RESETS] = BOOLEAN("recovery.log-resets", "H19",
        "Records what a recovery took back, durably before anything is scheduled, unless "
        "on-error is stop and recording has stopped; costs one durable write per recovery."),
    [RECOUP_POLICY_TRIM] = CHOICE("recovery.trim", "all", "coordinator-stages", "H22",
        "Forgets finishes behind the last recovery point only in stages with a coordinator; "
        "costs nothing."),
    [RECOUP_POLICY_LIVENESS_CHECKS] = BOOLEAN("recovery.liveness-checks", "H24",
        "Initializes every stage that can be and asks whether the job is done after each "
        "recovery, so that none hangs; costs nothing."),
    [RECOUP_POLICY_CLOSURE] = CHOICE("recovery.closure", "stage-only", "fixpoint", "H29",
        "Takes back everything downstream of a stage that restarts because of its coordinator; "
        "costs those re-runs."),
    [RECOUP_POLICY_LATE_REPORT] = CHOICE("recovery.late-report", "release", "adopt", "H30",
        "Lets outputs that are reported after the wait count again, with all that was taken back "
        "for want of them and is not made anew yet, instead of freeing them; costs what was begun "
        "anew meanwhile."),
    [RECOUP_POLICY_LATE_WORKER] = CHOICE("recovery.late-worker", "ignore", "ask", "H31",
        "Asks workers that register after the wait for their partitions too; costs one request "
        "per registration."),
    [RECOUP_POLICY_WAIT] = CHOICE("recovery.wait", "fixed", "extend", "H32",
        "Extends the wait while a former worker may not yet have noticed the failure; costs a "
        "longer recovery when such a worker is gone."),
    [RECOUP_POLICY_OPTIONAL] = CHOICE("recovery.optional", "forget", "adopt", "H33",
        "Keeps track of partitions that were not waited for, so that they are used or released; "
        "costs nothing."),
    [RECOUP_POLICY_RELEASE_AFTER] = CHOICE(
        "partitions.release-after", "finish", "recovery-point", "H23",
        "Keeps inputs until their consumer's finish is durable under a recovery point; costs "
        "disk space on workers for that time."),
    [RECOUP_POLICY_RELEASE_RECOVERED] = BOOLEAN("partitions.release-recovered", "H34",
        "Counts recovered finishes when deciding which partitions may go; costs nothing."),
};

const struct recoup_policy_info *recoup_policy_info(enum recoup_policy policy)
{
    RECOUP_ASSERT(policy < RECOUP_POLICY_COUNT);
    RECOUP_ASSERT(policies[policy].key != NULL);
    return &policies[policy];
}

void recoup_options_init(struct recoup_options *options, enum recoup_profile profile)
{
    RECOUP_ASSERT(options != NULL);
    RECOUP_ASSERT(profile == RECOUP_PROFILE_FLINK_1_20 || profile == RECOUP_PROFILE_HARDENED);
    memset(options, 0, sizeof *options);
    // Defaults of Flink 1.20 (specification, section 6).
    options->recovery_enabled = false;
    options->snapshot_min_pause_ns = 180 * SECOND;
    options->worker_recovery_timeout_ns = 30 * SECOND;
    options->flush_interval_ns = SECOND;
    options->write_buffer_bytes = (uint64_t)1 << 20;
    options->worker_detection_ns = 50 * SECOND;  // Flink's heartbeat.timeout
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        options->policy[i] = profile == RECOUP_PROFILE_HARDENED ? policies[i].hardened
                                                                : policies[i].flink;
    }
}
