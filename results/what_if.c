// SPDX-License-Identifier: GPL-3.0-or-later
//
// Judging changes. All intervals of one metric hold together (Bonferroni): of a hundred changes
// without effect, five would seem to have one at 95 % each.
#include "results/what_if.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *results_owner_words(enum results_owner owner)
{
    static const char *const words[] = {"Flink", "only hardened", "cluster"};

    return words[owner];
}

static bool is_finished(const struct results_record *record)
{
    return record->facts.state == MODEL_JOB_FINISHED;
}

static bool compare(const struct results_what_if *w, const struct results_change *change,
                    enum results_many_metric metric, struct results_difference *difference,
                    int64_t *values)
{
    struct results_pairs pairs;
    struct results_moments moments;
    uint32_t n = 0;

    memset(difference, 0, sizeof(*difference));
    difference->interval = (struct results_interval){RESULTS_UNKNOWN, RESULTS_UNKNOWN};
    for (uint32_t i = 0; i < w->n_seeds; i++) {
        int64_t *a = &values[n];
        int64_t *b = &values[w->n_seeds + n];

        if (w->base[i] != NULL && change->records[i] != NULL &&
            results_many_of(change->records[i], metric, a) &&
            results_many_of(w->base[i], metric, b)) {
            difference->any = difference->any || *a != *b;
            n++;
        }
    }
    if (!results_pairs_init(&pairs, values, values + w->n_seeds, n)) {
        results_pairs_release(&pairs);
        return false;
    }
    difference->known = n > 0;
    results_sample_moments(&pairs.differences, &moments);
    difference->mean = moments.mean;
    if (n > 1) {
        results_sample_mean_interval(&pairs.differences, w->confidence_one, &difference->interval);
        difference->clear = difference->interval.low > 0 || difference->interval.high < 0;
    } else {
        difference->clear = difference->any;
    }
    results_pairs_release(&pairs);
    return true;
}

static enum results_effect effect_of(const struct results_what_if *w,
                                     const struct results_outcome *outcome)
{
    const struct results_difference *delay = &outcome->differences[RESULTS_MANY_DELAY];
    bool any = false;

    if (w->changes[outcome->change].refused != NULL) {
        return RESULTS_EFFECT_REFUSED;
    }
    if (outcome->unfinished > 0) {
        return RESULTS_EFFECT_UNFINISHED;
    }
    if (outcome->pairs == 0 && w->made < w->asked) {
        return RESULTS_EFFECT_NOT_RUN;
    }
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        any = any || outcome->differences[m].any;
    }
    if (!any) {
        return RESULTS_EFFECT_NONE;
    }
    if (!delay->known || !delay->clear || fabs(delay->mean) < (double)RESULTS_CLEAR_NS) {
        return RESULTS_EFFECT_UNCLEAR;
    }
    return delay->mean < 0 ? RESULTS_EFFECT_SOONER : RESULTS_EFFECT_LATER;
}

static bool judge_one(struct results_what_if *w, uint32_t index, int64_t *values)
{
    struct results_outcome *outcome = &w->outcomes[index];
    const struct results_change *change = &w->changes[index];

    outcome->change = index;
    for (uint32_t i = 0; change->refused == NULL && i < w->n_seeds; i++) {
        const struct results_record *record = change->records[i];

        outcome->pairs += record != NULL && w->base[i] != NULL ? 1 : 0;
        w->bug = w->bug || (record != NULL && record->facts.unexplained);
        outcome->unfinished +=
            record != NULL && w->base[i] != NULL && !is_finished(record) && is_finished(w->base[i])
                ? 1
                : 0;
    }
    for (uint32_t m = 0; change->refused == NULL && m < RESULTS_MANY_COUNT; m++) {
        if (!compare(w, change, (enum results_many_metric)m, &outcome->differences[m], values)) {
            return false;
        }
    }
    outcome->effect = effect_of(w, outcome);
    return true;
}

static double mean_of(const struct results_outcome *outcome, enum results_many_metric metric)
{
    const struct results_difference *difference = &outcome->differences[metric];

    return difference->known ? difference->mean : 0;
}

// The best first: less delay, less lost work, fewer bytes, then the order of the changes.
static bool before(const struct results_outcome *a, const struct results_outcome *b)
{
    static const enum results_many_metric metrics[] = {RESULTS_MANY_DELAY, RESULTS_MANY_LOST_WORK,
                                                       RESULTS_MANY_BYTES};

    if (a->effect != b->effect) {
        return a->effect < b->effect;
    }
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        double x = mean_of(a, metrics[i]);
        double y = mean_of(b, metrics[i]);

        if (x < y || x > y) {
            return x < y;
        }
    }
    return a->change < b->change;
}

static void sort(struct results_what_if *w)
{
    for (uint32_t i = 1; i < w->n_changes; i++) {
        struct results_outcome moved = w->outcomes[i];
        uint32_t place = i;

        while (place > 0 && before(&moved, &w->outcomes[place - 1])) {
            w->outcomes[place] = w->outcomes[place - 1];
            place--;
        }
        w->outcomes[place] = moved;
    }
}

bool results_what_if_judge(struct results_what_if *w)
{
    int64_t *values = malloc((2 * (size_t)w->n_seeds + 1) * sizeof(*values));
    uint32_t compared = 0;
    bool done = true;

    w->outcomes = calloc((size_t)w->n_changes + 1, sizeof(*w->outcomes));
    if (values == NULL || w->outcomes == NULL) {
        free(values);
        return false;
    }
    for (uint32_t i = 0; i < w->n_changes; i++) {
        compared += w->changes[i].refused == NULL ? 1 : 0;
    }
    w->confidence = RESULTS_CONFIDENCE;
    w->confidence_one = 1 - (1 - RESULTS_CONFIDENCE) / (compared > 0 ? compared : 1);
    for (uint32_t i = 0; i < w->n_seeds; i++) {
        w->bug = w->bug || (w->base[i] != NULL && w->base[i]->facts.unexplained);
    }
    for (uint32_t i = 0; done && i < w->n_changes; i++) {
        done = judge_one(w, i, values);
    }
    sort(w);
    free(values);
    return done;
}

void results_what_if_release(struct results_what_if *w)
{
    free(w->outcomes);
    w->outcomes = NULL;
}
