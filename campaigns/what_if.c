// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L
#include "campaigns/what_if.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/options.h"

#define CONFIG "config."
#define POLICY "recoup."

static char *printed(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *printed(const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return strdup(text);
}

// --- thinking of changes -------------------------------------------------------------------------

static void add(struct campaign_what_if *w, enum results_owner owner, const char *path,
                const char *from, const char *to)
{
    struct campaign_change *change = &w->changes[w->n_changes];
    const char *name = strncmp(path, CONFIG, strlen(CONFIG)) == 0 ? path + strlen(CONFIG) : path;

    if (w->n_changes == CAMPAIGN_CHANGES_MAX) {
        return; // there are fewer keys than that
    }
    change->owner = owner;
    change->set = printed("%s=%s", path, to);
    change->what = printed("%s: %s -> %s", name, from, to);
    change->key = strdup(name);
    change->to = strdup(to);
    w->failed = w->failed || change->set == NULL || change->what == NULL || change->key == NULL ||
                change->to == NULL;
    w->n_changes++;
}

static const char *value_of(const struct scenario *scenario, const char *path)
{
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        if (strcmp(scenario->values[i].path, path) == 0) {
            return scenario->values[i].value;
        }
    }
    return NULL;
}

// Each word of a choice but the one that holds.
static void add_choices(struct campaign_what_if *w, enum results_owner owner, const char *path,
                        const char *from, const char *choices)
{
    char word[64];

    for (const char *p = choices; *p != '\0';) {
        size_t size = strcspn(p, "|");

        (void)snprintf(word, sizeof(word), "%.*s", (int)size, p);
        if (strcmp(word, from) != 0) {
            add(w, owner, path, from, word);
        }
        p += size + (p[size] == '|' ? 1 : 0);
    }
}

static void add_number(struct campaign_what_if *w, const char *path, const char *value)
{
    char text[SCENARIO_VALUE_TEXT];

    if (scenario_value_scale(value, 1, 2, text)) {
        add(w, RESULTS_OWNER_FLINK, path, value, text);
    }
    if (scenario_value_scale(value, 2, 1, text)) {
        add(w, RESULTS_OWNER_FLINK, path, value, text);
    }
}

static void add_option(struct campaign_what_if *w, const struct scenario_value *value)
{
    const char *key = value->path + strlen(CONFIG);
    const struct scenario_option *row = scenario_options_find(SCENARIO_SECTION_CONFIG, key);

    if (row == NULL || (row->flags & (SCENARIO_NOT_MODELLED | SCENARIO_NO_EFFECT)) != 0 ||
        strncmp(key, POLICY, strlen(POLICY)) == 0) {
        return;
    }
    if (row->type == SCENARIO_BOOLEAN) {
        add(w, RESULTS_OWNER_FLINK, value->path, value->value,
            strcmp(value->value, "true") == 0 ? "false" : "true");
    } else if (row->type != SCENARIO_CHOICE && row->type != SCENARIO_TEXT) {
        add_number(w, value->path, value->value);
    }
}

// Every policy that the other profile has otherwise.
static void add_policies(struct campaign_what_if *w, const struct scenario *base,
                         const struct scenario *other, enum results_owner owner)
{
    for (uint32_t i = 0; i < base->n_values; i++) {
        const struct scenario_value *value = &base->values[i];
        const char *to = value_of(other, value->path);

        if (strncmp(value->path, CONFIG POLICY, strlen(CONFIG POLICY)) == 0 && to != NULL &&
            strcmp(to, value->value) != 0) {
            add(w, owner, value->path, value->value, to);
        }
    }
}

static bool add_profile(struct campaign_what_if *w, const struct scenario *base, const char *path,
                        const struct scenario_overrides *overrides)
{
    bool flink = base->config.profile == RECOUP_PROFILE_FLINK_1_20;
    const char *from = results_profile_name(base->config.profile);
    const char *to =
        results_profile_name(flink ? RECOUP_PROFILE_HARDENED : RECOUP_PROFILE_FLINK_1_20);
    enum results_owner owner = flink ? RESULTS_OWNER_HARDENED : RESULTS_OWNER_FLINK;
    struct scenario other;
    char set[64];
    const char *const sets[] = {set};
    int error;

    (void)snprintf(set, sizeof(set), "profile=%s", to);
    add(w, owner, "profile", from, to);
    error = campaign_many_load(&other, path, overrides, sets, 1);
    if (error == SCENARIO_OK) {
        add_policies(w, base, &other, owner);
    }
    scenario_release(&other);
    return error != SCENARIO_ENOMEM;
}

static bool think(struct campaign_what_if *w, const struct scenario *base, const char *path,
                  const struct scenario_overrides *overrides)
{
    const char *storage = value_of(base, "storage.profile");
    const char *standby = value_of(base, "master.standby");

    for (uint32_t i = 0; i < base->n_values; i++) {
        if (strncmp(base->values[i].path, CONFIG, strlen(CONFIG)) == 0) {
            add_option(w, &base->values[i]);
        }
    }
    if (storage != NULL) {
        add_choices(w, RESULTS_OWNER_CLUSTER, "storage", storage,
                    scenario_options_find(SCENARIO_SECTION_STORAGE, "profile")->choices);
    }
    if (standby != NULL) {
        add_choices(w, RESULTS_OWNER_CLUSTER, "master.standby", standby, "false|true");
    }
    return add_profile(w, base, path, overrides);
}

// --- making them scenarios -----------------------------------------------------------------------

static void release(struct campaign_change *change)
{
    free(change->set);
    free(change->what);
    free(change->key);
    free(change->to);
    free(change->refused);
}

static void drop(struct campaign_what_if *w, uint32_t index)
{
    release(&w->changes[index]);
    w->n_changes--;
    memmove(&w->changes[index], &w->changes[index + 1],
            (w->n_changes - index) * sizeof(w->changes[0]));
    memset(&w->changes[w->n_changes], 0, sizeof(w->changes[0]));
}

// False when out of memory. A change that makes no other scenario goes; one that is refused says
// why.
static bool load(struct campaign_what_if *w, uint32_t index, const char *path,
                 const struct scenario_overrides *overrides, uint32_t *n_cases, bool *dropped)
{
    struct campaign_change *change = &w->changes[index];
    struct scenario *scenario = &w->many.cases[*n_cases].scenario;
    const char *const sets[] = {change->set};
    int error = campaign_many_load(scenario, path, overrides, sets, 1);

    *dropped = false;
    if (error == SCENARIO_OK &&
        strcmp(scenario->canonical, w->many.cases[0].scenario.canonical) != 0) {
        change->one = (*n_cases)++;
        return true;
    }
    if (error == SCENARIO_OK) {
        *dropped = true;
        drop(w, index);
    } else if (error == SCENARIO_INVALID) {
        change->refused = strdup(scenario->n_errors > 0 ? scenario->errors[0].text : "refused");
        w->failed = w->failed || change->refused == NULL;
    }
    scenario_release(scenario);
    return error != SCENARIO_ENOMEM;
}

bool campaign_what_if_init(struct campaign_what_if *w, struct scenario *base, const char *path,
                           const struct scenario_overrides *overrides, uint32_t runs)
{
    uint32_t n_cases = 1;
    bool dropped;

    memset(w, 0, sizeof(*w));
    if (!think(w, base, path, overrides) || w->failed ||
        !campaign_many_init(&w->many, w->n_changes + 1, base->config.seed, runs)) {
        scenario_release(base);
        return false;
    }
    w->many.cases[0].scenario = *base;
    memset(base, 0, sizeof(*base));
    for (uint32_t i = 0; i < w->n_changes; i += dropped ? 0 : 1) {
        if (!load(w, i, path, overrides, &n_cases, &dropped)) {
            return false;
        }
    }
    w->many.n_cases = n_cases;
    return !w->failed;
}

void campaign_what_if_release(struct campaign_what_if *w)
{
    for (uint32_t i = 0; i < w->n_changes; i++) {
        release(&w->changes[i]);
    }
    campaign_many_release(&w->many);
    memset(w, 0, sizeof(*w));
}
