// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words of a question. A bound is a metric, how its runs become one number, and a limit with
// its unit; a goal is a metric, or a sum of metrics that each have a price.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/recommend.h"
#include "scenarios/loader.h"

#define WORDS_MAX 16u

struct words {
    char copy[512];
    const char *words[WORDS_MAX];
    uint32_t n;
};

// Blanks separate words; `*` and `+` are words of their own where `operators`.
static bool split(const char *text, bool operators, struct words *w)
{
    size_t at = 0;
    bool inside = false;

    w->n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        bool blank = isspace((unsigned char)*p) != 0;
        bool operator_ = operators && (*p == '*' || *p == '+');

        if (at + 4 > sizeof(w->copy) || w->n == WORDS_MAX) {
            return false;
        }
        if (inside && (blank || operator_)) {
            w->copy[at++] = '\0';
            inside = false;
        }
        if (blank) {
            continue;
        }
        if (!inside) {
            w->words[w->n++] = &w->copy[at];
        }
        w->copy[at++] = *p;
        inside = !operator_;
        if (operator_) {
            w->copy[at++] = '\0';
        }
    }
    w->copy[at] = '\0';
    return true;
}

static const struct scenario_metric *find_metric(const char *name, struct results_text *message)
{
    const struct scenario_metric *metric = scenario_metric_find(name);
    struct scenario_nearest nearest;

    if (metric != NULL) {
        return metric;
    }
    scenario_nearest_init(&nearest, name);
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        scenario_nearest_offer(&nearest, scenario_metric_at(i)->name);
    }
    results_text_format(message, "unknown metric '%s'", name);
    if (nearest.best != NULL) {
        results_text_format(message, "; did you mean '%s'?", nearest.best);
    } else {
        results_text_add(message, "; see `recoup list metrics`");
    }
    return NULL;
}

// "mean", "max", "p50" to "p99.9"; false: it is no statistic.
static bool parse_statistic(const char *word, struct recommend_bound *bound)
{
    char *end;
    double percent;

    if (strcmp(word, "mean") == 0 || strcmp(word, "max") == 0) {
        bound->statistic = word[1] == 'e' ? RECOMMEND_MEAN : RECOMMEND_MAX;
        return true;
    }
    if (word[0] != 'p' || !isdigit((unsigned char)word[1])) {
        return false;
    }
    percent = strtod(word + 1, &end);
    if (*end != '\0' || !(percent > 0.0 && percent < 100.0)) {
        return false;
    }
    bound->statistic = RECOMMEND_QUANTILE;
    bound->share = percent / 100.0;
    return true;
}

// "0.002 usd", or in the unit of scenario files.
static enum scenario_units parse_money(const char *value, int64_t *nanousd)
{
    size_t size = strlen(value);
    char number[512];

    if (size < 4 || size >= sizeof(number) || strcmp(value + size - 4, " usd") != 0) {
        return scenario_units_price(value, nanousd);
    }
    (void)snprintf(number, sizeof(number), "%.*s", (int)(size - 4), value);
    return scenario_units_decimal(number, nanousd); // decimals are kept in 1e-9
}

static bool parse_limit(const struct scenario_metric *metric, const char *value, int64_t *limit,
                        struct results_text *message)
{
    enum scenario_units units;
    const char *example;

    if (strcmp(metric->unit, "ns") == 0) {
        units = scenario_units_duration(value, limit);
        example = "a duration such as '5 min'";
    } else if (strcmp(metric->unit, "bytes") == 0) {
        units = scenario_units_size(value, limit);
        example = "a size such as '64 mb'";
    } else if (strcmp(metric->unit, "nano-usd") == 0) {
        units = parse_money(value, limit);
        example = "a price such as '0.002 usd'";
    } else {
        units = scenario_units_integer(value, limit);
        example = "an integer";
    }
    if (units != SCENARIO_UNITS_OK) {
        results_text_format(message, "'%s' is no limit of %s; expected %s", value, metric->name,
                            example);
    }
    return units == SCENARIO_UNITS_OK;
}

static void join(const struct words *w, uint32_t from, char joined[512])
{
    size_t at = 0;

    joined[0] = '\0';
    for (uint32_t i = from; i < w->n; i++) {
        at += (size_t)snprintf(joined + at, 512 - at, "%s%s", i > from ? " " : "", w->words[i]);
    }
}

bool recommend_parse_bound(const char *text, struct recommend_bound *bound,
                           struct results_text *message)
{
    struct words w;
    char value[512];
    uint32_t next = 1;

    memset(bound, 0, sizeof(*bound));
    if (!split(text, false, &w) || w.n < 2) {
        results_text_format(message,
                            "'%s' is no bound; expected 'METRIC [mean|max|pN] VALUE', such as "
                            "'delay p95 5 min'",
                            text);
        return false;
    }
    bound->metric = find_metric(w.words[0], message);
    if (bound->metric == NULL) {
        return false;
    }
    if (strcmp(bound->metric->better, "higher") == 0) {
        results_text_format(message, "a higher %s is better; a bound from above makes no sense",
                            bound->metric->name);
        return false;
    }
    if (parse_statistic(w.words[1], bound)) {
        next = 2;
    }
    if (next == w.n) {
        results_text_format(message, "'%s' has no limit; expected 'METRIC [mean|max|pN] VALUE'",
                            text);
        return false;
    }
    (void)snprintf(bound->text, sizeof(bound->text), "%s %s", bound->metric->name,
                   next == 2 ? w.words[1] : "mean");
    join(&w, next, value);
    return parse_limit(bound->metric, value, &bound->limit, message);
}

// Nano-USD per ns, byte or piece of "usd/h", "usd/gb", "usd/1000".
static bool parse_price_unit(const char *unit, const char *of, double *factor)
{
    static const struct {
        const char *price, *of;
        double pieces;
    } units[] = {
        {"usd/s", "ns", 1e9},        {"usd/min", "ns", 6e10},       {"usd/h", "ns", 3.6e12},
        {"usd/d", "ns", 8.64e13},    {"usd/kb", "bytes", 1024.0},   {"usd/mb", "bytes", 1048576.0},
        {"usd/gb", "bytes", 0x1p30}, {"usd/tb", "bytes", 0x1p40},   {"usd/1", "count", 1.0},
        {"usd/1000", "count", 1e3},  {"usd/million", "count", 1e6},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].price) == 0 && strcmp(of, units[i].of) == 0) {
            *factor = 1e9 / units[i].pieces;
            return true;
        }
    }
    return false;
}

static const char *price_example(const char *unit)
{
    if (strcmp(unit, "ns") == 0) {
        return "a price of time such as '0.05 usd/h' (s, min, h, d)";
    }
    if (strcmp(unit, "bytes") == 0) {
        return "a price of bytes such as '0.02 usd/gb' (kb, mb, gb, tb)";
    }
    if (strcmp(unit, "count") == 0) {
        return "a price of pieces such as '0.005 usd/1000' (1, 1000, million)";
    }
    return "a plain factor such as '1.2'";
}

// "* NUMBER [UNIT]" behind a metric; nothing is 1, which only money may leave out.
static bool parse_price(const struct words *w, uint32_t *next, struct recommend_term *term,
                        struct results_text *message)
{
    bool money = strcmp(term->metric->unit, "nano-usd") == 0;
    char *end = NULL;
    double number;
    double factor = 1.0;
    const char *unit;

    if (*next == w->n || strcmp(w->words[*next], "*") != 0) {
        term->nanousd = 1.0;
        return true;
    }
    number = *next + 1 < w->n ? strtod(w->words[*next + 1], &end) : 0.0;
    if (end == NULL || end == w->words[*next + 1] || !(number >= 0.0 && number <= 1e12)) {
        results_text_format(message, "expected a number behind '%s *'", term->metric->name);
        return false;
    }
    // The unit may follow at once, or behind a blank.
    unit = end;
    *next += 2;
    if (*unit == '\0' && *next < w->n && strcmp(w->words[*next], "+") != 0) {
        unit = w->words[(*next)++];
    }
    if (money ? *unit != '\0' : !parse_price_unit(unit, term->metric->unit, &factor)) {
        results_text_format(message, "'%s' is no price of %s; expected %s", unit,
                            term->metric->name, price_example(term->metric->unit));
        return false;
    }
    term->nanousd = number * factor;
    return true;
}

static bool parse_term(const struct words *w, uint32_t *next, struct recommend_goal *goal,
                       bool *has_price, struct results_text *message)
{
    struct recommend_term *term = &goal->terms[goal->n_terms];

    if (goal->n_terms == RECOMMEND_TERMS_MAX) {
        results_text_format(message, "at most %u terms can be added up", RECOMMEND_TERMS_MAX);
        return false;
    }
    term->metric = find_metric(w->words[(*next)++], message);
    if (term->metric == NULL) {
        return false;
    }
    if (strcmp(term->metric->better, "higher") == 0) {
        results_text_format(message, "a higher %s is better; it cannot be minimized",
                            term->metric->name);
        return false;
    }
    *has_price = *next < w->n && strcmp(w->words[*next], "*") == 0;
    goal->n_terms++;
    return parse_price(w, next, term, message);
}

bool recommend_parse_goal(const char *text, struct recommend_goal *goal,
                          struct results_text *message)
{
    struct words w;
    uint32_t next = 0;
    const char *bare = NULL; // a term that has no price and is no money

    memset(goal, 0, sizeof(*goal));
    if (!split(text, true, &w) || w.n == 0) {
        results_text_format(message,
                            "'%s' is nothing to minimize; expected a metric, or a price "
                            "such as 'io-cost-nanousd + lost-work * 0.05 usd/h'",
                            text);
        return false;
    }
    while (next < w.n) {
        bool has_price = false;

        if (!parse_term(&w, &next, goal, &has_price, message)) {
            return false;
        }
        goal->priced = goal->priced || has_price;
        if (!has_price && strcmp(goal->terms[goal->n_terms - 1].metric->unit, "nano-usd") != 0) {
            bare = goal->terms[goal->n_terms - 1].metric->name;
        }
        if (next < w.n && (strcmp(w.words[next], "+") != 0 || next + 1 == w.n)) {
            results_text_format(message, "expected '+' and a metric at '%s'", w.words[next]);
            return false;
        }
        next++;
    }
    goal->priced = goal->priced || goal->n_terms > 1;
    if (goal->priced && bare != NULL) {
        results_text_format(message, "%s needs a price to be added up: %s", bare,
                            price_example(scenario_metric_find(bare)->unit));
        return false;
    }
    goal->unit = goal->priced ? "nano-usd" : goal->terms[0].metric->unit;
    (void)snprintf(goal->text, sizeof(goal->text), "%s",
                   goal->priced ? text : goal->terms[0].metric->name);
    return true;
}
