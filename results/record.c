// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct results_text *bytes, const void *data, size_t size)
{
    results_text_bytes(bytes, data, size);
}

static bool is_lost(const struct model_lost *lost)
{
    return lost->attempts > 0 || lost->ns > 0;
}

static void write_lost(const struct results_run *run, struct results_text *bytes)
{
    const struct model_result *r = run->result;

    for (uint32_t i = 0; i < r->n_stages * MODEL_CAUSE_COUNT; i++) {
        struct results_record_lost lost;

        if (is_lost(&r->lost[i])) {
            memset(&lost, 0, sizeof(lost));
            memcpy(lost.stage, run->scenario->config.stages[i / MODEL_CAUSE_COUNT].name,
                   sizeof(lost.stage));
            lost.cause = i % MODEL_CAUSE_COUNT;
            lost.ns = r->lost[i].ns;
            lost.attempts = r->lost[i].attempts;
            add(bytes, &lost, sizeof(lost));
        }
    }
}

static void write_findings(const struct model_result *r, struct results_text *bytes)
{
    for (uint32_t i = 0; i < r->n_findings; i++) {
        const struct model_finding *f = &r->findings[i];
        struct results_record_finding finding;

        memset(&finding, 0, sizeof(finding));
        (void)snprintf(finding.invariant, sizeof(finding.invariant), "%s", f->invariant);
        (void)snprintf(finding.hazard, sizeof(finding.hazard), "%s",
                       f->hazard != NULL ? f->hazard : "");
        finding.at_ns = f->at_ns;
        finding.event = f->event;
        (void)snprintf(finding.message, sizeof(finding.message), "%s", f->message);
        add(bytes, &finding, sizeof(finding));
    }
}

void results_record_write(const struct results_run *run, struct results_text *bytes)
{
    const struct model_result *r = run->result;
    struct results_record_facts facts;

    memset(&facts, 0, sizeof(facts));
    (void)snprintf(facts.scenario, sizeof(facts.scenario), "%s", run->scenario->name);
    facts.state = (uint32_t)r->state;
    facts.profile = (uint32_t)run->scenario->config.profile;
    facts.invariants_on = run->invariants_on;
    facts.expectations_met = run->verdict->ok;
    facts.unexplained = run->verdict->unexplained;
    facts.limited = r->limited;
    memcpy(facts.fingerprint, r->fingerprint, sizeof(facts.fingerprint));
    memcpy(facts.layers, r->layers, sizeof(facts.layers));
    facts.findings_total = r->findings_total;
    results_columns_fill(run, facts.values);
    facts.memory_bytes = r->memory_bytes;
    facts.system_allocations = r->system_allocations;
    for (uint32_t i = 0; i < r->n_stages * MODEL_CAUSE_COUNT; i++) {
        facts.n_lost += is_lost(&r->lost[i]) ? 1 : 0;
    }
    facts.n_failovers = r->n_failovers;
    facts.n_findings = r->n_findings;
    add(bytes, &facts, sizeof(facts));
    write_lost(run, bytes);
    add(bytes, r->failovers, r->n_failovers * sizeof(*r->failovers));
    write_findings(r, bytes);
}

bool results_record_read(struct results_record *record, const void *bytes, size_t size)
{
    struct results_record_facts *facts = &record->facts;
    size_t lost;
    size_t failovers;
    size_t findings;
    unsigned char *memory;

    memset(record, 0, sizeof(*record));
    if (size < sizeof(*facts)) {
        return false;
    }
    memcpy(facts, bytes, sizeof(*facts));
    lost = facts->n_lost * sizeof(*record->lost);
    failovers = facts->n_failovers * sizeof(*record->failovers);
    findings = facts->n_findings * sizeof(*record->findings);
    if (size - sizeof(*facts) != lost + failovers + findings) {
        return false;
    }
    memory = malloc(lost + failovers + findings + 1);
    if (memory == NULL) {
        return false;
    }
    memcpy(memory, (const unsigned char *)bytes + sizeof(*facts), lost + failovers + findings);
    record->memory = memory;
    record->lost = (const void *)memory;
    record->failovers = (const void *)(memory + lost);
    record->findings = (const void *)(memory + lost + failovers);
    return true;
}

void results_record_release(struct results_record *record)
{
    free(record->memory);
    memset(record, 0, sizeof(*record));
}
