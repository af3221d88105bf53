// SPDX-License-Identifier: GPL-3.0-or-later
//
// Pasted Flink configuration. A key is one of five: applied; a policy of Recoup; changing recovery
// but not modelled (warned about, listed in the result); without any effect here (counted); or
// unknown below a prefix that Recoup models, which is an error.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

#define POLICY_PREFIX "recoup."

static const char *const modelled_prefixes[] = {
    "execution.batch.",          "job-event.store.",      "heartbeat.",
    "high-availability",         "cluster.registration.", "restart-strategy",
    "taskmanager.registration.", "taskmanager.slot.",     POLICY_PREFIX,
};

// Names that Flink still accepts, and the row they mean.
static const struct {
    const char *old, *key;
} deprecated[] = {
    {"high-availability", "high-availability.type"},
    {"recovery.mode", "high-availability.type"},
    {"high-availability.zookeeper.storageDir", "high-availability.storageDir"},
    {"restart-strategy", "restart-strategy.type"},
    {"jobmanager.adaptive-batch-scheduler.min-parallelism",
     "execution.batch.adaptive.auto-parallelism.min-parallelism"},
    {"jobmanager.adaptive-batch-scheduler.max-parallelism",
     "execution.batch.adaptive.auto-parallelism.max-parallelism"},
    {"jobmanager.adaptive-batch-scheduler.avg-data-volume-per-task",
     "execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task"},
    {"jobmanager.adaptive-batch-scheduler.default-source-parallelism",
     "execution.batch.adaptive.auto-parallelism.default-source-parallelism"},
};

// Policies of the worker model (hazards H35 to H37), beside those of the library.
struct worker_policy {
    const char *key;
    const char *choices;
    int flink, hardened;     // -1: the master switch
    size_t offset;
    struct scenario_worker_policy_text text;
};

static const struct worker_policy worker_policies[] = {
    {"recoup.worker.retention",
     "by-notice|by-job",
     0,
     1,
     offsetof(struct model_worker_policy, retention_by_job),
     {"recoup.worker.retention", "one of by-notice, by-job", "by-notice", "by-job", "H35",
      "Keep partitions of a lost master whatever way the loss is learned; costs disk until the "
      "timeout."}},
    {"recoup.worker.retention-timer",
     "one-shot|keyed",
     0,
     1,
     offsetof(struct model_worker_policy, retention_timer_keyed),
     {"recoup.worker.retention-timer", "one of one-shot, keyed", "one-shot", "keyed", "H36",
      "Tie the retention timer to one disconnect and cancel it on re-registration."}},
    {"recoup.worker.recovery-enabled",
     "false|true",
     -1,
     -1,
     offsetof(struct model_worker_policy, recovery_enabled),
     {"recoup.worker.recovery-enabled", "true or false", "the master switch", "the master switch",
      "H37",
      "The workers' own copy of execution.batch.job-recovery.enabled; off, they keep nothing."}},
};
#define WORKER_POLICIES (sizeof(worker_policies) / sizeof(worker_policies[0]))

uint32_t scenario_worker_policies_count(void)
{
    return (uint32_t)WORKER_POLICIES;
}

struct scenario_worker_policy_text scenario_worker_policy_text(uint32_t index)
{
    return worker_policies[index].text;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool scenario_config_key_is_modelled_prefix(const char *key)
{
    for (size_t i = 0; i < sizeof(modelled_prefixes) / sizeof(modelled_prefixes[0]); i++) {
        if (starts_with(key, modelled_prefixes[i])) {
            return true;
        }
    }
    return false;
}

static const char *current_name(const char *key)
{
    for (size_t i = 0; i < sizeof(deprecated) / sizeof(deprecated[0]); i++) {
        if (strcmp(deprecated[i].old, key) == 0) {
            return deprecated[i].key;
        }
    }
    return key;
}

const struct scenario_option *scenario_config_find(const char *key)
{
    return scenario_options_find(SCENARIO_SECTION_CONFIG, current_name(key));
}

static enum recoup_policy library_policy(const char *key)
{
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        if (starts_with(key, POLICY_PREFIX) &&
            strcmp(key + strlen(POLICY_PREFIX), recoup_policy_info((enum recoup_policy)p)->key) ==
                0) {
            return (enum recoup_policy)p;
        }
    }
    return RECOUP_POLICY_COUNT;
}

static bool is_policy(const char *key)
{
    for (size_t i = 0; i < WORKER_POLICIES; i++) {
        if (strcmp(worker_policies[i].key, key) == 0) {
            return true;
        }
    }
    return library_policy(key) != RECOUP_POLICY_COUNT;
}

static void offer_all(struct scenario_loader *loader, struct scenario_nearest *nearest)
{
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section == SCENARIO_SECTION_CONFIG) {
            scenario_nearest_offer(nearest, row->key);
        }
    }
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        scenario_nearest_offer(nearest,
                               scenario_print(&loader->memory, POLICY_PREFIX "%s",
                                              recoup_policy_info((enum recoup_policy)p)->key));
    }
    for (size_t i = 0; i < WORKER_POLICIES; i++) {
        scenario_nearest_offer(nearest, worker_policies[i].key);
    }
}

static void unknown_config_key(struct scenario_loader *loader, const struct scenario_node *node)
{
    struct scenario_nearest nearest;
    scenario_nearest_init(&nearest, node->key);
    offer_all(loader, &nearest);
    scenario_error(loader, node->key_place, "unknown key '%s'%s", scenario_quote(loader, node->key),
                   nearest.best != NULL ? scenario_nearest_text(loader, &nearest)
                                        : "; `recoup list options` shows the keys of config");
}

// Whether a key that is not modelled has Flink's default anyway.
static bool has_default(const struct scenario_option *row, const struct scenario_node *node)
{
    int64_t given;
    int64_t usual;
    if (row->fallback == NULL || node->kind != SCENARIO_NODE_SCALAR) {
        return false;
    }
    if (scenario_units_flink_duration(node->text, &given) == SCENARIO_UNITS_OK
        && scenario_units_flink_duration(row->fallback, &usual) == SCENARIO_UNITS_OK) {
        return given == usual;
    }
    return scenario_choice_index(row->fallback, node->text, true) == 0;
}

static void list_not_modelled(struct scenario_loader *loader, const struct scenario_node *node)
{
    struct scenario_text_list *list = &loader->not_modelled;
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        const char **grown = scenario_allocate_array(&loader->memory, capacity, sizeof(*grown));
        if (list->count != 0) {
            memcpy(grown, list->items, list->count * sizeof(*grown));
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = node->key;
    scenario_warning(loader, node->key_place, "'%s' changes recovery, but Recoup does not model it",
                     scenario_quote(loader, node->key));
}

static void classify(struct scenario_loader *loader, const struct scenario_node *node)
{
    const struct scenario_option *row = scenario_config_find(node->key);
    if (row != NULL && (row->flags & SCENARIO_NOT_MODELLED) != 0) {
        if (!has_default(row, node)) {
            list_not_modelled(loader, node);
        }
    } else if (row != NULL && (row->flags & SCENARIO_NO_EFFECT) != 0) {
        loader->other_keys++;
    } else if (row == NULL && !is_policy(node->key)) {
        if (scenario_config_key_is_modelled_prefix(node->key)) {
            unknown_config_key(loader, node);
        } else {
            loader->other_keys++;
        }
    }
}

// The node of a row by its own or a deprecated name; both at once are an error.
static const struct scenario_node *config_node(struct scenario_loader *loader,
                                               const struct scenario_node *map, const char *key)
{
    const struct scenario_node *node = scenario_node_find(map, key);
    for (size_t i = 0; i < sizeof(deprecated) / sizeof(deprecated[0]); i++) {
        const struct scenario_node *old =
            strcmp(deprecated[i].key, key) == 0 ? scenario_node_find(map, deprecated[i].old) : NULL;
        if (old != NULL && node != NULL) {
            scenario_error(loader, old->key_place, "'%s' and '%s' mean the same; leave one out",
                           old->key, key);
        }
        node = node == NULL ? old : node;
    }
    return node;
}

static const struct scenario_node *fallback_node(struct scenario_loader *loader, const char *text,
                                                 const char *detail, const char *source)
{
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    note->detail = detail;
    note->source = source;
    return scenario_node_default(loader, text, SCENARIO_DEFAULT, note);
}

// --- rows that need more than a type -------------------------------------------------------------

static void bind_ha_type(struct scenario_loader *loader, const struct scenario_node *node)
{
    static const char *const texts[] = {"NONE", "zookeeper", "kubernetes"};
    if (node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, node->place,
                       "high-availability.type must be a single value, found %s",
                       scenario_node_kind_text(node));
        return;
    }
    int type = scenario_choice_index("none|zookeeper|kubernetes", node->text, true);
    if (type < 0 && strstr(node->text, "ZooKeeper") != NULL) {
        type = MODEL_HA_ZOOKEEPER;
    } else if (type < 0 && strstr(node->text, "Kubernetes") != NULL) {
        type = MODEL_HA_KUBERNETES;
    }
    if (type < 0) {
        scenario_error(
            loader, node->place,
            "'%s' is no high-availability.type that Recoup models; expected NONE, zookeeper, "
            "kubernetes or their factory class",
            scenario_quote(loader, node->text));
        return;
    }
    loader->draft.ha_type = node->origin == SCENARIO_DEFAULT ? -1 : type;
    scenario_record(loader, "config.high-availability.type", texts[type], node);
}

static void bind_restart_type(struct scenario_loader *loader, const struct scenario_node *node)
{
    static const struct {
        const char *text;
        int kind;
    } names[] = {
        {"none", MODEL_RESTART_NONE},
        {"off", MODEL_RESTART_NONE},
        {"disable", MODEL_RESTART_NONE},
        {"fixeddelay", MODEL_RESTART_FIXED_DELAY},
        {"fixed-delay", MODEL_RESTART_FIXED_DELAY},
        {"failurerate", MODEL_RESTART_FAILURE_RATE},
        {"failure-rate", MODEL_RESTART_FAILURE_RATE},
        {"exponentialdelay", MODEL_RESTART_EXPONENTIAL_DELAY},
        {"exponential-delay", MODEL_RESTART_EXPONENTIAL_DELAY},
    };
    static const char *const texts[] = {"none", "fixed-delay", "failure-rate", "exponential-delay"};
    const char *text = node->kind == SCENARIO_NODE_SCALAR ? node->text : "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (scenario_choice_index(names[i].text, text, true) == 0) {
            loader->draft.restart_kind = names[i].kind;
            scenario_record(loader, "config.restart-strategy.type", texts[names[i].kind], node);
            return;
        }
    }
    scenario_error(
        loader, node->place,
        "'%s' is no restart-strategy.type; expected one of none, fixed-delay, failure-rate, "
        "exponential-delay",
        scenario_quote(loader, text));
}

static void bind_attempts(struct scenario_loader *loader, const struct scenario_option *row,
                          const struct scenario_node *node)
{
    int64_t value = 0;
    bool infinite = node->kind == SCENARIO_NODE_SCALAR && strcmp(node->text, "infinite") == 0;
    if (!infinite &&
        (node->kind != SCENARIO_NODE_SCALAR ||
         scenario_units_integer(node->text, &value) != SCENARIO_UNITS_OK || value > INT32_MAX)) {
        scenario_error(loader, node->place, "'%s' is not an integer, or infinite",
                       scenario_quote(loader, node->text));
        return;
    }
    // Flink writes infinite as the greatest integer; the model writes it as 0.
    infinite = infinite || value == INT32_MAX;
    loader->draft.exponential_attempts = infinite ? 0 : (uint32_t)value;
    scenario_record(loader, scenario_key_path(loader, "config", row->key),
                    infinite ? "infinite" : scenario_print(&loader->memory, "%" PRId64, value),
                    node);
}

static void bind_config_row(struct scenario_loader *loader, const struct scenario_option *row,
                            const struct scenario_node *node)
{
    if (strcmp(row->key, "high-availability.type") == 0) {
        bind_ha_type(loader, node);
    } else if (strcmp(row->key, "high-availability.storageDir") == 0) {
        if (scenario_bind_row(loader, row, node, "config.high-availability.storageDir", NULL)) {
            loader->draft.storage_dir = node->text;
        }
    } else if (strcmp(row->key, "restart-strategy.type") == 0) {
        bind_restart_type(loader, node);
    } else if (row->type == SCENARIO_SPECIAL) {
        bind_attempts(loader, row, node);
    } else {
        (void)scenario_bind_row(loader, row, node, scenario_key_path(loader, "config", row->key),
                                &loader->draft);
    }
}

static void bind_applied(struct scenario_loader *loader, const struct scenario_node *map)
{
    for (uint32_t i = 0; i < scenario_options_count(); i++) {
        const struct scenario_option *row = scenario_options_at(i);
        if (row->section != SCENARIO_SECTION_CONFIG
            || (row->flags & (SCENARIO_NOT_MODELLED | SCENARIO_NO_EFFECT)) != 0) {
            continue;
        }
        const struct scenario_node *node = config_node(loader, map, row->key);
        if (node == NULL && row->fallback != NULL) {
            node = fallback_node(loader, row->fallback, NULL, row->source);
        }
        if (node != NULL) {
            bind_config_row(loader, row, node);
        }
    }
}

// --- policies ------------------------------------------------------------------------------------

static const char *policy_choices(struct scenario_loader *loader,
                                  const struct recoup_policy_info *info)
{
    struct scenario_buffer text = {0};
    for (size_t i = 0;
         i < sizeof(info->choices) / sizeof(info->choices[0]) && info->choices[i] != NULL; i++) {
        scenario_buffer_print(&loader->memory, &text, "%s%s", i == 0 ? "" : "|", info->choices[i]);
    }
    return text.text != NULL ? text.text : "";
}

// A policy as a row of the table, so that it is typed as everything else.
static struct scenario_option policy_row(struct scenario_loader *loader,
                                         const struct recoup_policy_info *info, const char *key)
{
    struct scenario_option row = {.section = SCENARIO_SECTION_CONFIG, .key = key, .offset = 0};
    switch (info->kind) {
    case RECOUP_POLICY_BOOLEAN:
        row.type = SCENARIO_CHOICE;
        row.choices = "false|true";
        break;
    case RECOUP_POLICY_CHOICE:
        row.type = SCENARIO_CHOICE;
        row.choices = policy_choices(loader, info);
        break;
    case RECOUP_POLICY_DURATION:
        row.type = SCENARIO_DURATION;
        break;
    }
    return row;
}

static const char *policy_text(struct scenario_loader *loader, const struct scenario_option *row,
                               int64_t value)
{
    char text[SCENARIO_UNITS_TEXT];
    if (row->type == SCENARIO_CHOICE) {
        return scenario_choice_text(loader, row->choices, value);
    }
    scenario_units_duration_text(value, text);
    return scenario_copy_text(&loader->memory, text);
}

static void bind_policies(struct scenario_loader *loader, const struct scenario_node *map)
{
    bool flink = loader->draft.config.profile == RECOUP_PROFILE_FLINK_1_20;
    const char *detail = flink ? "profile flink-1.20" : "profile hardened";
    for (int p = 0; p < RECOUP_POLICY_COUNT; p++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)p);
        const char *key = scenario_print(&loader->memory, POLICY_PREFIX "%s", info->key);
        struct scenario_option row = policy_row(loader, info, key);
        const struct scenario_node *node = scenario_node_find(map, key);
        if (node == NULL) {
            node = fallback_node(loader,
                                 policy_text(loader, &row, flink ? info->flink : info->hardened),
                                 detail, "Recoup's policies");
        }
        int64_t value = 0;
        const char *canonical = "";
        if (scenario_bind_scalar(loader, &row, node, &value, &canonical)) {
            loader->draft.config.options.policy[p] = value;
            scenario_record(loader, scenario_key_path(loader, "config", key), canonical, node);
        }
    }
}

static void bind_worker_policies(struct scenario_loader *loader, const struct scenario_node *map)
{
    bool flink = loader->draft.config.profile == RECOUP_PROFILE_FLINK_1_20;
    for (size_t i = 0; i < WORKER_POLICIES; i++) {
        const struct worker_policy *policy = &worker_policies[i];
        struct scenario_option row = {.section = SCENARIO_SECTION_CONFIG, .key = policy->key,
                                      .type = SCENARIO_CHOICE, .choices = policy->choices};
        const struct scenario_node *node = scenario_node_find(map, policy->key);
        if (node == NULL && policy->flink < 0) {
            node = fallback_node(
                loader, loader->draft.config.options.recovery_enabled ? "true" : "false",
                "execution.batch.job-recovery.enabled", "one configuration for all");
        } else if (node == NULL) {
            node = fallback_node(loader,
                                 scenario_choice_text(loader, policy->choices,
                                                      flink ? policy->flink : policy->hardened),
                                 flink ? "profile flink-1.20" : "profile hardened",
                                 "Recoup's policies");
        }
        int64_t value = 0;
        const char *canonical = "";
        if (scenario_bind_scalar(loader, &row, node, &value, &canonical)) {
            bool set = value != 0;
            memcpy((unsigned char *)&loader->draft.config.worker_policy + policy->offset, &set,
                   sizeof(set));
            scenario_record(loader, scenario_key_path(loader, "config", policy->key), canonical,
                            node);
        }
    }
}

static void apply_restart(struct scenario_draft *draft)
{
    struct model_restart *restart = &draft->config.restart;
    restart->kind = (enum model_restart_kind)draft->restart_kind;
    switch (restart->kind) {
    case MODEL_RESTART_NONE:
        break;
    case MODEL_RESTART_FIXED_DELAY:
        restart->attempts = draft->fixed_attempts;
        restart->delay_ns = draft->fixed_delay_ns;
        break;
    case MODEL_RESTART_FAILURE_RATE:
        restart->attempts = draft->rate_failures;
        restart->interval_ns = draft->rate_interval_ns;
        restart->delay_ns = draft->rate_delay_ns;
        break;
    case MODEL_RESTART_EXPONENTIAL_DELAY:
        restart->attempts = draft->exponential_attempts;
        restart->delay_ns = draft->exponential_initial_ns;
        restart->delay_max_ns = draft->exponential_max_ns;
        restart->backoff_multiplier_nano = draft->exponential_multiplier_nano;
        restart->reset_threshold_ns = draft->exponential_threshold_ns;
        break;
    }
}

static void check_profile(struct scenario_loader *loader, const struct scenario_node *map)
{
    if (scenario_node_find(loader->root, "profile") != NULL || map == NULL) {
        return;
    }
    for (const struct scenario_node *node = map->first; node != NULL; node = node->next) {
        if (!starts_with(node->key, POLICY_PREFIX)) {
            scenario_error(
                loader, node->key_place,
                "config holds Flink's '%s', but 'profile' is missing; write 'profile: "
                "flink-1.20' for Flink's behaviour, hazards included, or 'profile: hardened'",
                scenario_quote(loader, node->key));
            return;
        }
    }
}

void scenario_bind_config(struct scenario_loader *loader, const struct scenario_node *map)
{
    if (map != NULL && map->kind != SCENARIO_NODE_MAP) {
        scenario_error(loader, map->place, "config must be a map of keys and values, found %s",
                       scenario_node_kind_text(map));
        return;
    }
    recoup_options_init(&loader->draft.config.options, loader->draft.config.profile);
    check_profile(loader, map);
    for (const struct scenario_node *node = map != NULL ? map->first : NULL; node != NULL;
         node = node->next) {
        classify(loader, node);
    }
    loader->draft.ha_type = -1;
    bind_applied(loader, map);
    bind_policies(loader, map);
    bind_worker_policies(loader, map);
    apply_restart(&loader->draft);
    // A worker may miss the death of its master for as long as heartbeats take to fail (H32).
    loader->draft.config.options.worker_detection_ns =
        loader->draft.config.timeouts.heartbeat_timeout_ns;
    if (loader->other_keys != 0) {
        scenario_warning(loader, map != NULL ? map->key_place : scenario_no_place(),
                         "%u other key%s of config %s no effect here", (unsigned)loader->other_keys,
                         loader->other_keys == 1 ? "" : "s",
                         loader->other_keys == 1 ? "has" : "have");
    }
}
