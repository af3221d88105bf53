// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of invariants, and which hazard explains a breach under the active policies.
#include <string.h>

#include "models/invariants_internal.h"
#include "sim/banned.h"

static const struct model_invariant_info invariants[] = {
    {"S1", "no acknowledged event is ever missing from replay", "H5", true},
    {"S2", "replay of one incarnation's log is a prefix of what it wrote", "H8 H9 H19", true},
    {"S3", "the store is the concatenation of such prefixes, each consistent with those before",
     "H8 H9 H19", true},
    {"S4", "a torn or corrupt tail is detected, reported once, and cut", "H8 H10", false},
    {"S5", "corruption before an acknowledged event is reported, never skipped silently",
     "H8 H9 H19", false},
    {"S6", "bytes consumed are the bytes of decoded events and their framing", "", false},
    {"S7", "decoding is the inverse of encoding, which is canonical", "", true},
    {"S8", "what waits to be written stays within its limit", "", true},
    {"S9", "the oldest event that is not durable is at most a flush interval and one I/O old",
     "H3 H14", true},
    {"S10", "events accepted are durable, waiting, or lost and reported", "", true},
    {"S11", "after a write error the store says so; nothing later is durable until a checkpoint",
     "H1 H4", true},
    {"S12", "no two live writers of one file; a fenced writer's bytes never reach replay", "H16",
     true},
    {"S13", "file indices strictly increase; a gap in the listing is never the end of the log",
     "H12", true},
    {"S14", "clean-up removes only this job's files, and only after a final state", "", false},
    {"S15", "store calls obey the profile and the order of one file", "", true},
    {"S16", "bytes written are bytes held, lost with their writer, or removed", "", true},
    {"N1", "two snapshots of one component are a min-pause apart, except the forced ones", "",
     false},
    {"N2", "a snapshot becomes usable only with the event that refers to it", "", false},
    {"N3", "state from snapshot and later events is the state from all events", "", false},
    {"N4", "incremental chains have no missing base", "H27", false},
    {"N5", "a failed or late snapshot changes nothing recoverable", "H4", false},
    {"N6", "snapshot bytes stay within the budget that min-pause implies", "", false},
    {"R1", "the recovered state is that of the latest legal recovery point", "H2 H19 H20", true},
    {"R2", "recovery is idempotent: recovering twice is recovering once", "H2 H19 H20", true},
    {"R3", "any number of crashes at any recovery I/O gives the same final state", "", false},
    {"R4", "recovery never writes to older incarnations' files", "", true},
    {"R5", "recovery ends within its bound", "", true},
    {"R6", "exactly one of success and failure of a recovery is reported", "H25", true},
    {"R7", "a failed recovery falls back to a clean start", "H25 H26", true},
    {"R8", "more surviving bytes never give an older state", "H11", false},
    {"R9", "incarnation numbers strictly increase; messages of older ones are rejected", "", true},
    {"R10", "at most one master acts on workers and store at any time", "H16", true},
    {"R11", "an unknown newer event type is a refusal, not a skip", "H11", false},
    {"R12", "the phases partition the outage exactly", "", true},
    {"T1", "no task finishes twice without a reset between", "H19 H21 H2", true},
    {"T2", "a reset invalidates everything downstream that consumed what is taken back", "H29",
     false},
    {"T3", "a task starts only when its inputs are available", "", true},
    {"T4", "no consumer mixes partitions of two attempts of one producer", "H29", true},
    {"T5", "attempt ids are never reused", "", true},
    {"T6", "a parallelism decided before the crash is unchanged after it", "", true},
    {"T7", "the job's commit and side effects happen exactly once", "", false},
    {"T8", "useful and lost work are the busy time, and each lost attempt has one cause", "", true},
    {"T9", "no finished task is re-run without a recorded reason", "H19 H21 H2", true},
    {"T10", "every split and every partition consumed came from exactly one attempt",
     "H19 H21 H2 H29", true},
    {"W1", "a worker that reconnects in time keeps its partitions", "H35 H36", true},
    {"W2", "after the timeout a worker is lost; a later return is fenced", "", false},
    {"W3", "tracked is reported and needed; the rest is released, or its producers reset",
     "H30 H31 H33 H34", true},
    {"W4", "no partition leaks", "H30 H31 H33 H34", true},
    {"W5", "a worker never serves data of a superseded attempt", "", true},
    {"W6", "slots are never oversubscribed", "", true},
    {"L1", "when faults stop, the job reaches a final state", "H7 H18 H24", true},
    {"L2", "recovery time stays within the scenario's limit", "", false},
    {"L3", "no crash loop", "", false},
    {"L4", "the event queue is never empty while work remains", "H7 H18 H24", true},
    {"L5", "no busy loop at one instant of virtual time", "", true},
};

uint32_t model_invariant_count(void)
{
    return (uint32_t)(sizeof(invariants) / sizeof(invariants[0]));
}

const struct model_invariant_info *model_invariant_info(uint32_t index)
{
    SIM_ASSERT(index < model_invariant_count());
    SIM_ASSERT(invariants[index].hazards != NULL);
    return &invariants[index];
}

const struct model_invariant_info *model_invariant_find(const char *id)
{
    SIM_ASSERT(id != NULL);
    for (uint32_t i = 0; i < model_invariant_count(); i++) {
        if (strcmp(invariants[i].id, id) == 0) {
            return &invariants[i];
        }
    }
    SIM_ASSERT(strlen(id) < 8);
    return NULL;
}

// Hazards and the policies that remove them. Those that no build shows (H10, H13 in part, H17, H25,
// H27, H28: "always") have none, and so explain nothing.
struct invariant_hazard {
    const char *id;
    int policy; // enum recoup_policy, or one of the worker's
};

enum { HAZARD_NONE = -1, HAZARD_H35 = -2, HAZARD_H36 = -3, HAZARD_H37 = -4 };

static const struct invariant_hazard hazards[] = {
    {"H1", RECOUP_POLICY_ON_ERROR},
    {"H2", RECOUP_POLICY_ON_ERROR},
    {"H3", RECOUP_POLICY_SNAPSHOT_TIMEOUT},
    {"H4", RECOUP_POLICY_SNAPSHOT_FAILURE},
    {"H5", RECOUP_POLICY_SYNC},
    {"H6", RECOUP_POLICY_ROLL},
    {"H7", RECOUP_POLICY_BOUNDARY},
    {"H8", RECOUP_POLICY_CHECKSUM},
    {"H9", RECOUP_POLICY_HOLES},
    {"H10", HAZARD_NONE},
    {"H11", RECOUP_POLICY_ON_DAMAGE},
    {"H12", RECOUP_POLICY_ON_GAP},
    {"H13", RECOUP_POLICY_FRAMING},
    {"H14", RECOUP_POLICY_FRAMING},
    {"H15", RECOUP_POLICY_COMPACTION},
    {"H16", RECOUP_POLICY_FENCING},
    {"H17", HAZARD_NONE},
    {"H18", RECOUP_POLICY_EMPTY},
    {"H19", RECOUP_POLICY_LOG_RESETS},
    {"H20", RECOUP_POLICY_ORDER},
    {"H21", RECOUP_POLICY_RESET_EARLY},
    {"H22", RECOUP_POLICY_TRIM},
    {"H23", RECOUP_POLICY_RELEASE_AFTER},
    {"H24", RECOUP_POLICY_LIVENESS_CHECKS},
    {"H25", HAZARD_NONE},
    {"H26", RECOUP_POLICY_GRAPH_CHECK},
    {"H27", HAZARD_NONE},
    {"H28", HAZARD_NONE},
    {"H29", RECOUP_POLICY_CLOSURE},
    {"H30", RECOUP_POLICY_LATE_REPORT},
    {"H31", RECOUP_POLICY_LATE_WORKER},
    {"H32", RECOUP_POLICY_WAIT},
    {"H33", RECOUP_POLICY_OPTIONAL},
    {"H34", RECOUP_POLICY_RELEASE_RECOVERED},
    {"H35", HAZARD_H35},
    {"H36", HAZARD_H36},
    {"H37", HAZARD_H37},
};

static const struct invariant_hazard *hazard_find(const char *id, size_t size)
{
    SIM_ASSERT(size > 0);
    for (size_t i = 0; i < sizeof(hazards) / sizeof(hazards[0]); i++) {
        if (strlen(hazards[i].id) == size && memcmp(hazards[i].id, id, size) == 0) {
            return &hazards[i];
        }
    }
    SIM_ASSERT(id != NULL);
    return NULL;
}

static bool hazard_active(const struct model_world *w, const struct invariant_hazard *hazard)
{
    const struct model_worker_policy *worker = &w->config->worker_policy;
    const struct recoup_policy_info *info;

    SIM_ASSERT(hazard != NULL);
    if (hazard->policy == HAZARD_H35) {
        return !worker->retention_by_job;
    }
    if (hazard->policy == HAZARD_H36) {
        return !worker->retention_timer_keyed;
    }
    if (hazard->policy == HAZARD_H37) {
        return !worker->recovery_enabled;
    }
    if (hazard->policy == HAZARD_NONE) {
        return false;
    }
    info = recoup_policy_info((enum recoup_policy)hazard->policy);
    SIM_ASSERT(info->flink != info->hardened);
    return w->config->options.policy[hazard->policy] == info->flink;
}

bool invariants_hazard_active(const struct model_world *w, const char *hazard)
{
    const struct invariant_hazard *found = hazard_find(hazard, strlen(hazard));

    SIM_ASSERT(found != NULL);
    SIM_ASSERT(w->config != NULL);
    return hazard_active(w, found);
}

const char *invariants_hazard(const struct model_world *w, const char *invariant,
                              const char *prefer)
{
    const struct model_invariant_info *info = model_invariant_find(invariant);
    const struct invariant_hazard *hazard;
    const char *at;

    SIM_ASSERT(info != NULL);
    if (prefer != NULL && prefer[0] == '\0') {
        return NULL;
    }
    if (prefer != NULL) {
        hazard = hazard_find(prefer, strlen(prefer));
        SIM_ASSERT(hazard != NULL);
        if (hazard_active(w, hazard)) {
            return hazard->id;
        }
    }
    for (at = info->hazards; *at != '\0';) {
        size_t size = strcspn(at, " ");

        hazard = hazard_find(at, size);
        SIM_ASSERT(hazard != NULL);
        if (hazard_active(w, hazard)) {
            return hazard->id;
        }
        at += size + (at[size] == ' ' ? 1 : 0);
    }
    return NULL;
}
