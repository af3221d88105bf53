// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/many.h"

#include <stdlib.h>
#include <string.h>

#include "results/units.h"

_Static_assert(RESULTS_PAGE_WIDTH_MIN >= RESULTS_UNITS_SIZE + 1, "room for a sign");

enum kind { TIME, COUNT, SIZE, PRICE };

static const struct {
    const char *words, *name;
    enum kind kind;
} metrics[RESULTS_MANY_COUNT] = {
#define X(id, words, name, kind) {words, name, kind},
    RESULTS_MANY_METRICS(X)
#undef X
};

const char *results_many_words(enum results_many_metric metric)
{
    return metrics[metric].words;
}

const char *results_many_name(enum results_many_metric metric)
{
    return metrics[metric].name;
}

const char *results_many_value(char buffer[RESULTS_PAGE_WIDTH_MIN], enum results_many_metric metric,
                               int64_t value)
{
    char *at = buffer;
    uint64_t size = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;

    if (metrics[metric].kind == TIME) {
        return results_duration(buffer, value);
    }
    if (value < 0) {
        *at++ = '-';
    }
    if (metrics[metric].kind == SIZE) {
        (void)results_size(at, size);
    } else if (metrics[metric].kind == PRICE) {
        (void)results_price(at, size);
    } else {
        (void)results_count(at, size);
    }
    return buffer;
}

static int64_t add(int64_t a, uint64_t b)
{
    return b > (uint64_t)(INT64_MAX - a) ? INT64_MAX : a + (int64_t)b;
}

bool results_many_of(const struct results_record *record, enum results_many_metric metric,
                     int64_t *value)
{
    static const uint32_t columns[RESULTS_MANY_COUNT] = {
        [RESULTS_MANY_DELAY] = RESULTS_COLUMN_job_delay_ns,
        [RESULTS_MANY_MAKESPAN] = RESULTS_COLUMN_job_makespan_ns,
        [RESULTS_MANY_LOST_WORK] = RESULTS_COLUMN_job_lost_work_ns,
        [RESULTS_MANY_OUTAGE] = RESULTS_COLUMN_job_outage_ns,
        [RESULTS_MANY_FORGOTTEN] = RESULTS_COLUMN_job_finished_forgotten,
        [RESULTS_MANY_BYTES] = RESULTS_COLUMN_io_event_store_bytes,
        [RESULTS_MANY_PRICE] = RESULTS_COLUMN_io_cost_nanousd,
    };
    const struct results_value *values = record->facts.values;

    *value = 0;
    if (metric == RESULTS_MANY_KEPT) {
        for (uint32_t i = 0; i < record->facts.n_failovers; i++) {
            *value = add(*value, record->failovers[i].finished_recovered);
        }
        return true;
    }
    if (metric == RESULTS_MANY_REQUESTS) {
        for (uint32_t c = RESULTS_COLUMN_io_requests_create; c <= RESULTS_COLUMN_io_requests_mkdir;
             c++) {
            *value = add(*value, (uint64_t)values[c].value);
        }
        return true;
    }
    *value = values[columns[metric]].value;
    return !values[columns[metric]].null;
}

int64_t results_many_lost(const struct results_record *record, uint32_t cause, uint64_t *attempts)
{
    int64_t ns = 0;

    *attempts = 0;
    for (uint32_t i = 0; i < record->facts.n_lost; i++) {
        if (record->lost[i].cause == cause) {
            ns = add(ns, (uint64_t)record->lost[i].ns);
            *attempts += record->lost[i].attempts;
        }
    }
    return ns;
}

// --- summary -------------------------------------------------------------------------------------

static bool sample(const struct results_many *many, enum results_many_metric metric,
                   struct results_sample *out)
{
    int64_t *values = malloc(((size_t)many->n + 1) * sizeof(*values));
    size_t n = 0;
    bool done;

    if (values == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < many->n; i++) {
        if (many->records[i] != NULL && results_many_of(many->records[i], metric, &values[n])) {
            n++;
        }
    }
    done = results_sample_init(out, values, n);
    free(values);
    return done;
}

static void count_causes(struct results_many_summary *s, const struct results_record *record)
{
    for (uint32_t c = 0; c < MODEL_CAUSE_COUNT; c++) {
        uint64_t attempts;
        int64_t ns = results_many_lost(record, c, &attempts);

        s->causes[c].runs += ns > 0 || attempts > 0 ? 1 : 0;
        s->causes[c].attempts += attempts;
        s->causes[c].total_ns = add(s->causes[c].total_ns, (uint64_t)ns);
    }
}

static void count_finding(struct results_many_summary *s,
                          const struct results_record_finding *finding, uint64_t seed)
{
    struct results_many_finding *f = s->findings;

    for (uint32_t i = 0; i < s->n_findings; i++, f++) {
        if (strcmp(f->invariant, finding->invariant) == 0 &&
            strcmp(f->hazard, finding->hazard) == 0) {
            f->runs++;
            return;
        }
    }
    if (s->n_findings < RESULTS_MANY_FINDINGS_MAX) {
        memcpy(f->invariant, finding->invariant, sizeof(f->invariant));
        memcpy(f->hazard, finding->hazard, sizeof(f->hazard));
        f->runs = 1;
        f->seed = seed;
        s->n_findings++;
    }
}

// Each kind once a run, however often it occurred in it.
static void count_findings(struct results_many_summary *s, const struct results_record *record,
                           uint64_t seed)
{
    for (uint32_t i = 0; i < record->facts.n_findings; i++) {
        const struct results_record_finding *finding = &record->findings[i];
        bool seen = false;

        for (uint32_t k = 0; k < i && !seen; k++) {
            seen = strcmp(record->findings[k].invariant, finding->invariant) == 0 &&
                   strcmp(record->findings[k].hazard, finding->hazard) == 0;
        }
        if (!seen) {
            count_finding(s, finding, seed);
        }
    }
}

static void count_run(struct results_many_summary *s, const struct results_record *record,
                      uint64_t seed)
{
    const struct results_record_facts *facts = &record->facts;

    s->n++;
    s->states[facts->state] += facts->state < sizeof(s->states) / sizeof(s->states[0]) ? 1 : 0;
    s->hit += facts->n_failovers > 0 ? 1 : 0;
    s->censored += facts->limited || facts->state == MODEL_JOB_TIMEOUT ? 1 : 0;
    s->limited = s->limited || facts->limited;
    s->bug = s->bug || facts->unexplained;
    if (!facts->expectations_met && s->unmet++ == 0) {
        s->unmet_seed = seed;
    }
    count_causes(s, record);
    count_findings(s, record, seed);
}

static void find_worst(const struct results_many *many, struct results_many_summary *s)
{
    int64_t worst = INT64_MIN;

    for (uint32_t i = 0; i < many->n; i++) {
        int64_t value;

        if (many->records[i] == NULL) {
            if (s->failed++ == 0) {
                s->failed_seed = many->seeds[i];
            }
            continue;
        }
        if (!results_many_of(many->records[i], RESULTS_MANY_DELAY, &value)) {
            (void)results_many_of(many->records[i], RESULTS_MANY_MAKESPAN, &value);
        }
        if (value > worst) {
            worst = value;
            s->worst_seed = many->seeds[i];
        }
    }
}

bool results_many_summarize(const struct results_many *many, struct results_many_summary *summary)
{
    memset(summary, 0, sizeof(*summary));
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        if (!sample(many, (enum results_many_metric)m, &summary->samples[m])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < many->n; i++) {
        if (many->records[i] != NULL) {
            count_run(summary, many->records[i], many->seeds[i]);
        }
    }
    find_worst(many, summary);
    return true;
}

void results_many_summary_release(struct results_many_summary *summary)
{
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        results_sample_release(&summary->samples[m]);
    }
    memset(summary, 0, sizeof(*summary));
}
