// SPDX-License-Identifier: GPL-3.0-or-later
//
// What single changes do, for people and for programs.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "results/json.h"
#include "results/report_parts.h"
#include "results/shell.h"
#include "results/warnings.h"
#include "results/what_if.h"

#define LEAST_NS 1000 // of a time that is shown
#define SHOWN_MAX 20u // changes of one effect; the others are counted

static const char *const effect_names[] = {"sooner",     "later",   "unclear", "none",
                                           "unfinished", "refused", "not-run"};

// --- page ----------------------------------------------------------------------------------------

// "-12.3 s", "+2 kb", "0 b".
static void signed_value(struct results_text *text, enum results_many_metric metric, double value)
{
    char buffer[RESULTS_PAGE_WIDTH_MIN];
    int64_t rounded = isfinite(value) ? llround(value) : 0;

    results_text_format(text, "%s%s", rounded > 0 ? "+" : "",
                        results_many_value(buffer, metric, rounded));
}

static void difference_words(struct results_text *words, const struct results_outcome *outcome,
                             enum results_many_metric metric, const char *name)
{
    const struct results_difference *d = &outcome->differences[metric];
    double half = (d->interval.high - d->interval.low) / 2;
    double least = metric == RESULTS_MANY_DELAY || metric == RESULTS_MANY_LOST_WORK ? LEAST_NS : 1;
    char buffer[RESULTS_PAGE_WIDTH_MIN];

    if (!d->known || fabs(d->mean) < least) {
        return;
    }
    results_text_format(words, "%s%s ", words->size > 0 ? ", " : "", name);
    signed_value(words, metric, d->mean);
    if (isfinite(half) && half >= least) {
        results_text_format(words, " (within %s)",
                            results_many_value(buffer, metric, llround(half)));
    }
}

static void outcome_lines(struct results_page *page, const struct results_what_if *w,
                          const struct results_outcome *outcome, struct results_text *words)
{
    const struct results_change *change = &w->changes[outcome->change];

    results_text_format(page->text, "  %s%s", change->what, results_report_dot(page));
    results_page_color(page, RESULTS_DIM, results_owner_words(change->owner));
    results_page_line(page);
    if (outcome->unfinished > 0) {
        results_text_format(words, "in %" PRIu32 " of %" PRIu32 " runs the job does not finish",
                            outcome->unfinished, outcome->pairs);
    } else {
        difference_words(words, outcome, RESULTS_MANY_DELAY, "delay");
        difference_words(words, outcome, RESULTS_MANY_LOST_WORK, "lost work");
        difference_words(words, outcome, RESULTS_MANY_BYTES, "written");
        difference_words(words, outcome, RESULTS_MANY_REQUESTS, "requests");
    }
    if (words->size == 0) {
        results_text_add(words, "less than a microsecond, byte or request, on average");
    }
    results_page_wrap(page, "", 6, RESULTS_PLAIN, results_text_string(words));
    results_text_clear(words);
}

static uint32_t count_effect(const struct results_what_if *w, enum results_effect effect)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_changes; i++) {
        n += w->outcomes[i].effect == effect ? 1 : 0;
    }
    return n;
}

static void title_line(struct results_page *page, const char *title, uint32_t n,
                       struct results_text *words)
{
    results_page_line(page);
    results_text_format(words, "%s (%" PRIu32 ")", title, n);
    results_page_wrap(page, "", 0, RESULTS_BOLD, results_text_string(words));
    results_text_clear(words);
}

static void group(struct results_page *page, const struct results_what_if *w,
                  enum results_effect effect, const char *title, struct results_text *words)
{
    uint32_t n = count_effect(w, effect);
    uint32_t shown = 0;

    if (n == 0) {
        return;
    }
    title_line(page, title, n, words);
    for (uint32_t i = 0; i < w->n_changes && shown < SHOWN_MAX; i++) {
        if (w->outcomes[i].effect == effect) {
            outcome_lines(page, w, &w->outcomes[i], words);
            shown++;
        }
    }
    if (n > shown) {
        results_text_format(page->text, "  and %" PRIu32 " more; --format json has them all\n",
                            n - shown);
    }
}

// One paragraph: "heartbeat.interval (5 s, 20 s), heartbeat.timeout (25 s, 100 s)".
static void without_effect(struct results_page *page, const struct results_what_if *w,
                           struct results_text *words)
{
    const char *key = NULL;
    uint32_t n = count_effect(w, RESULTS_EFFECT_NONE);

    if (n == 0) {
        return;
    }
    title_line(page, "Without any effect here", n, words);
    for (uint32_t i = 0; i < w->n_changes; i++) {
        const struct results_change *change = &w->changes[w->outcomes[i].change];

        if (w->outcomes[i].effect != RESULTS_EFFECT_NONE) {
            continue;
        }
        if (key != NULL && strcmp(key, change->key) == 0) {
            results_text_format(words, ", %s", change->to);
        } else {
            results_text_format(words, "%s%s (%s", key != NULL ? "), " : "", change->key,
                                change->to);
        }
        key = change->key;
    }
    results_text_char(words, ')');
    results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

static void refused(struct results_page *page, const struct results_what_if *w,
                    struct results_text *words)
{
    uint32_t n = count_effect(w, RESULTS_EFFECT_REFUSED);

    if (n == 0) {
        return;
    }
    title_line(page, "Not possible", n, words);
    for (uint32_t i = 0; i < w->n_changes; i++) {
        const struct results_change *change = &w->changes[w->outcomes[i].change];

        if (w->outcomes[i].effect == RESULTS_EFFECT_REFUSED) {
            results_text_format(words, "%s: %s", change->set, change->refused);
            results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
            results_text_clear(words);
        }
    }
}

static void heading(struct results_page *page, const struct results_what_if *w,
                    struct results_text *words)
{
    const struct results_outcome *best = w->n_changes > 0 ? &w->outcomes[0] : NULL;
    char buffer[RESULTS_PAGE_WIDTH_MIN];

    results_text_format(words, "%s (%s): ", w->scenario->name,
                        results_profile_name(w->scenario->config.profile));
    if (best != NULL && best->effect == RESULTS_EFFECT_SOONER) {
        results_text_format(
            words, "%s helps most: %s sooner on average.", w->changes[best->change].what,
            results_many_value(buffer, RESULTS_MANY_DELAY,
                               -llround(best->differences[RESULTS_MANY_DELAY].mean)));
    } else {
        results_text_add(words, "none of these changes makes it end clearly sooner.");
    }
    results_page_wrap(page, "", 0, RESULTS_BOLD, results_text_string(words));
    results_text_clear(words);
    results_report_plural(words, w->n_changes - count_effect(w, RESULTS_EFFECT_NOT_RUN), "change");
    results_text_add(words, ", one at a time, each with the same ");
    results_report_plural(words, w->n_seeds, "seed");
    results_text_add(words, "; differences from the scenario as it is");
    if (w->n_seeds > 1) {
        results_text_format(words, ", intervals that hold together with %.0f %%%s",
                            100 * w->confidence,
                            w->n_seeds < RESULTS_FEW_RUNS ? " (wide with so few runs)" : "");
    } else {
        results_text_add(words, ". One run has no interval: give --runs");
    }
    results_page_wrap(page, "", 0, RESULTS_DIM, results_text_string(words));
    results_text_clear(words);
}

void results_what_if_report(const struct results_what_if *w, const struct results_style *style,
                            struct results_text *text)
{
    struct results_page page;
    struct results_text words;

    results_page_init(&page, text, style);
    results_text_init(&words);
    results_report_interrupted(&page, w->made, w->asked, "run", &words);
    heading(&page, w, &words);
    group(&page, w, RESULTS_EFFECT_SOONER, "Ends sooner", &words);
    group(&page, w, RESULTS_EFFECT_LATER, "Ends later", &words);
    group(&page, w, RESULTS_EFFECT_UNCLEAR, "Ends neither clearly sooner nor later", &words);
    group(&page, w, RESULTS_EFFECT_UNFINISHED, "Does not finish", &words);
    without_effect(&page, w, &words);
    refused(&page, w, &words);
    if (count_effect(w, RESULTS_EFFECT_NOT_RUN) > 0) {
        title_line(&page, "Not run", count_effect(w, RESULTS_EFFECT_NOT_RUN), &words);
    }
    results_page_line(&page);
    results_page_left(&page, "Try one", REPORT_INDENT);
    results_text_format(text, "%s --set ", w->command);
    if (w->n_changes > 0) {
        results_shell_set(text, w->changes[w->outcomes[0].change].set);
    } else {
        results_text_add(text, "PATH=VALUE");
    }
    results_text_char(text, '\n');
    text->failed = text->failed || words.failed;
    results_text_release(&words);
}

// --- JSON ----------------------------------------------------------------------------------------

static void put_rounded(struct results_json *json, const char *key, double value)
{
    results_json_key(json, key);
    if (isfinite(value) && fabs(value) < 9.2e18) {
        results_json_i64(json, llround(value));
    } else {
        results_json_null(json);
    }
}

static void put_outcome(struct results_json *json, const struct results_what_if *w,
                        const struct results_outcome *outcome)
{
    const struct results_change *change = &w->changes[outcome->change];

    results_json_object(json);
    results_json_put_string(json, "what", change->what);
    results_json_put_string(json, "set", change->set);
    results_json_put_string(json, "owner", results_owner_words(change->owner));
    results_json_put_string(json, "effect", effect_names[outcome->effect]);
    if (change->refused != NULL) {
        results_json_put_string(json, "why", change->refused);
        results_json_end_object(json);
        return;
    }
    results_json_put_u64(json, "pairs", outcome->pairs);
    results_json_put_u64(json, "unfinished", outcome->unfinished);
    results_json_key(json, "differences");
    results_json_object(json);
    for (uint32_t m = 0; m < RESULTS_MANY_COUNT; m++) {
        const struct results_difference *d = &outcome->differences[m];

        results_json_key(json, results_many_name((enum results_many_metric)m));
        results_json_object(json);
        put_rounded(json, "mean", d->known ? d->mean : RESULTS_UNKNOWN);
        put_rounded(json, "low", d->interval.low);
        put_rounded(json, "high", d->interval.high);
        results_json_put_bool(json, "clear", d->clear);
        results_json_end_object(json);
    }
    results_json_end_object(json);
    results_json_end_object(json);
}

void results_what_if_json(const struct results_what_if *w, struct results_text *text)
{
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_u64(&json, "schema", 1);
    results_json_put_string(&json, "recoup", w->version);
    results_json_put_string(&json, "scenario", w->scenario->name);
    results_json_put_string(&json, "profile", results_profile_name(w->scenario->config.profile));
    results_json_key(&json, "seeds");
    results_json_array(&json);
    for (uint32_t i = 0; i < w->n_seeds; i++) {
        results_json_u64(&json, w->seeds[i]);
    }
    results_json_end_array(&json);
    results_json_put_u64(&json, "asked", w->asked);
    results_json_put_u64(&json, "made", w->made);
    put_rounded(&json, "confidence_ppb", 1e9 * w->confidence);
    put_rounded(&json, "confidence_each_ppb", 1e9 * w->confidence_one);
    results_json_key(&json, "changes");
    results_json_array(&json);
    for (uint32_t i = 0; i < w->n_changes; i++) {
        put_outcome(&json, w, &w->outcomes[i]);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
}
