// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "support_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from);
}

static void init_scenario(struct support_run *s)
{
    static const char *const names[SUPPORT_STAGES] = {"scan", "join", "write-out"};
    struct model_config *config = &s->scenario.config;

    for (uint32_t i = 0; i < SUPPORT_STAGES; i++) {
        copy_text(s->stages[i].name, sizeof(s->stages[i].name), names[i]);
        s->stages[i].parallelism = 100;
    }
    s->scenario.name = "q72-master-crash";
    s->scenario.about = "What does one crash cost?";
    s->scenario.path = "q72.yaml";
    s->scenario.canonical = s->canonical;
    copy_text(s->canonical, sizeof(s->canonical), "name = q72-master-crash\nseed = 7\n");
    config->name = s->scenario.name;
    config->seed = 7;
    config->profile = RECOUP_PROFILE_FLINK_1_20;
    config->options.recovery_enabled = true;
    config->stages = s->stages;
    config->n_stages = SUPPORT_STAGES;
    config->cluster.workers = 25;
    config->cluster.slots = 8;
    config->faults = s->faults;
    config->n_faults = 1;
    copy_text(s->faults[0].name, sizeof(s->faults[0].name), "first");
    copy_text(s->faults[1].name, sizeof(s->faults[1].name), "second");
    s->faults[1].process = MODEL_PROCESS_WORKER;
    s->faults[1].target = MODEL_TARGET_RANDOM;
}

static void init_values(struct support_run *s)
{
    s->values[0] = (struct scenario_value){"cluster.deploy",       "250 ms",
                                           SCENARIO_PRESET,        "preset kubernetes",
                                           "Flink's REST samples", true};
    s->values[1] = (struct scenario_value){"cluster.restart",   "60 s",          SCENARIO_PRESET,
                                           "preset kubernetes", "an assumption", true};
    s->values[2] =
        (struct scenario_value){"cluster.workers", "25", SCENARIO_GIVEN, "q72.yaml:9", NULL, false};
    s->values[3] =
        (struct scenario_value){"ha.detect", "5 s", SCENARIO_OVERRIDE, "--set", NULL, false};
    s->scenario.values = s->values;
    s->scenario.n_values = 4;
}

static void init_io(struct model_result *r)
{
    r->io.events = 300;
    r->io.bytes = 123456;
    r->io.appends = 900;
    r->io.flushes = 95;
    r->io.files = 4;
    r->io.snapshots = 6;
    r->io.snapshot_bytes = 48 << 10;
    r->io.replay_bytes = 61000;
    r->io.replay_reads = 3;
    for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
        r->io.requests[op] = op + 1;
    }
    r->io.requests[MODEL_STORAGE_APPEND] = 900;
    r->io.requests[MODEL_STORAGE_FLUSH] = 95;
    r->io.cost_nanousd = 5125000;
    r->recording_ns = 930 * SUPPORT_S;
    r->unprotected_ns = 0;
}

static void init_result(struct support_run *s)
{
    struct model_result *r = &s->result;

    r->state = MODEL_JOB_FINISHED;
    r->makespan_ns = 950 * SUPPORT_S;
    r->events = 4711;
    for (uint32_t i = 0; i < sizeof(r->fingerprint); i++) {
        r->fingerprint[i] = (uint8_t)(i * 17);
        for (uint32_t layer = 0; layer < 6; layer++) {
            r->layers[layer][i] = (uint8_t)(layer * 16 + i);
        }
    }
    r->tasks = 300;
    r->attempts = 300;
    r->useful_ns = 20000 * SUPPORT_S;
    r->busy_ns = r->useful_ns;
    r->orphaned_ns = 17 * SUPPORT_S;
    r->lost = s->lost;
    r->n_stages = SUPPORT_STAGES;
    r->stage_parallelism = s->parallelism;
    r->failovers = s->failovers;
    r->fired = s->fired;
    r->findings = s->findings;
    r->memory_bytes = 1 << 20;
    init_io(r);
    s->fired[0] = (struct model_fired){
        .fault = 0, .fired = true, .at_ns = 400 * SUPPORT_S, .times = 1, .worker = RECOUP_NONE};
    r->n_fired = 1;
}

void support_run_init(struct support_run *s)
{
    memset(s, 0, sizeof(*s));
    init_scenario(s);
    init_values(s);
    init_result(s);
    support_fail_over(s, 400 * SUPPORT_S, MODEL_FAILOVER_RECOVERED, 110, 40);
    support_lose(s, 0, MODEL_CAUSE_NOT_SNAPSHOTTED, 1500 * SUPPORT_S, 38);
    support_lose(s, 0, MODEL_CAUSE_NOT_RECORDED, 90 * SUPPORT_S, 2);
    support_lose(s, 1, MODEL_CAUSE_RUNNING_AT_CRASH, 700 * SUPPORT_S, 50);
    s->outcomes[0].kind = SCENARIO_OUTCOME_STATE;
    s->outcomes[0].metric = "state";
    s->outcomes[0].ok = true;
    copy_text(s->outcomes[0].text, sizeof(s->outcomes[0].text), "state is FINISHED");
    s->verdict.outcomes = s->outcomes;
    s->verdict.n_outcomes = 1;
    s->verdict.ok = true;
    s->run.scenario = &s->scenario;
    s->run.result = &s->result;
    s->run.verdict = &s->verdict;
    s->run.faultless_known = true;
    s->run.faultless_makespan_ns = 800 * SUPPORT_S;
    s->run.invariants_on = true;
    s->run.version = "9.8.7";
    s->run.command = "recoup run q72.yaml --seed 7";
}

void support_lose(struct support_run *s, uint32_t stage, enum model_cause cause, int64_t ns,
                  uint64_t attempts)
{
    struct model_lost *lost = &s->lost[stage * MODEL_CAUSE_COUNT + (uint32_t)cause];

    lost->ns += ns;
    lost->attempts += attempts;
    s->result.lost_ns += ns;
    s->result.busy_ns += ns;
    s->result.attempts += attempts;
    s->result.tasks_rerun += attempts;
}

void support_fail_over(struct support_run *s, int64_t at_ns, enum model_failover_result result,
                       uint64_t recovered, uint64_t forgotten)
{
    struct model_failover *f = &s->failovers[s->result.n_failovers++];

    f->at_ns = at_ns;
    f->result = result;
    f->events_replayed = recovered + 5;
    f->finished_recovered = recovered;
    f->finished_forgotten = forgotten;
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        f->phase_ns[p] = (p + 1) * SUPPORT_S;
        f->outage_ns += f->phase_ns[p];
    }
    s->result.outage_ns += f->outage_ns;
    s->result.finished_forgotten += forgotten;
}

void support_find(struct support_run *s, const char *invariant, const char *hazard, int64_t at_ns,
                  const char *message)
{
    struct model_finding *f = &s->findings[s->result.n_findings++];

    f->invariant = invariant;
    f->hazard = hazard;
    f->at_ns = at_ns;
    f->event = 1234;
    copy_text(f->message, sizeof(f->message), message);
    s->result.findings_total++;
}

void support_miss(struct support_run *s, const char *metric, const char *text)
{
    struct scenario_outcome *outcome = &s->outcomes[s->verdict.n_outcomes++];

    s->expectation =
        (struct scenario_expectation){metric, SCENARIO_AT_MOST, 300 * SUPPORT_S, 0, "5 min"};
    outcome->kind = SCENARIO_OUTCOME_BOUND;
    outcome->metric = metric;
    outcome->computed = true;
    outcome->value = s->result.lost_ns;
    outcome->expectation = &s->expectation;
    copy_text(outcome->text, sizeof(outcome->text), text);
    s->verdict.ok = false;
}

void support_prepare(void)
{
    (void)mkdir(RECOUP_BINARY_DIR "/tests/results-files", 0777);
}

const char *support_path(char path[512], const char *name)
{
    support_prepare();
    (void)snprintf(path, 512, "%s/tests/results-files/%s", RECOUP_BINARY_DIR, name);
    (void)unlink(path);
    return path;
}

char *support_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size;

    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        text = malloc((size_t)size + 1);
        if (text != NULL) {
            text[fread(text, 1, (size_t)size, file)] = '\0';
        }
    }
    (void)fclose(file);
    return text;
}
