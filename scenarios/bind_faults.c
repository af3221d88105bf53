// SPDX-License-Identifier: GPL-3.0-or-later
//
// faults: exactly one trigger (at, every, when, on) and one effect (kill, terminate,
// partition, fail) each.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

struct fault_binding {
    struct scenario_loader *loader;
    const struct scenario_node *map;
    const char *path;
    struct model_fault *fault;
};

static const struct scenario_node *field(const struct fault_binding *b, const char *key)
{
    return scenario_node_find(b->map, key);
}

static const struct scenario_option *fault_row(const char *key)
{
    return scenario_options_find(SCENARIO_SECTION_FAULT, key);
}

// The one of `keys` that is given; NULL after an error.
static const struct scenario_node *exactly_one(const struct fault_binding *b,
                                               const char *const *keys, const char *what,
                                               const char *list)
{
    const struct scenario_node *found = NULL;
    for (; *keys != NULL; keys++) {
        const struct scenario_node *node = field(b, *keys);
        if (node != NULL && found != NULL) {
            scenario_error(b->loader, node->key_place, "a second %s; '%s' is there already", what,
                           found->key);
            return NULL;
        }
        found = node != NULL ? node : found;
    }
    if (found == NULL) {
        scenario_error(b->loader, b->map->place, "a fault needs %s: %s",
                       strcmp(what, "trigger") == 0 ? "a trigger" : "an effect", list);
    }
    return found;
}

static void record(const struct fault_binding *b, const char *key, const char *text,
                   const struct scenario_node *node)
{
    scenario_record(b->loader, scenario_key_path(b->loader, b->path, key), text, node);
}

// --- triggers ------------------------------------------------------------------------------------

static void bind_at(const struct fault_binding *b, const struct scenario_node *node)
{
    struct scenario_law law;
    if (scenario_law_parse(b->loader, node, SCENARIO_LAW_SHARE, &law)) {
        b->fault->law = law.law;
        b->fault->trigger =
            law.unit == SCENARIO_LAW_SHARE ? MODEL_TRIGGER_AT_SHARE : MODEL_TRIGGER_AT;
        record(b, "at", law.text, node);
    }
}

static void bind_every(const struct fault_binding *b, const struct scenario_node *node)
{
    b->fault->trigger = MODEL_TRIGGER_EVERY;
    if (scenario_bind_row(b->loader, fault_row("every"), node,
                          scenario_key_path(b->loader, b->path, "every"), b->fault)
        && sim_law_max(&b->fault->law) == 0) {
        scenario_error(b->loader, node->place,
                       "every must be more than 0, or the target would never live");
    }
}

static void bind_when(const struct fault_binding *b, const struct scenario_node *node)
{
    const char *path = scenario_key_path(b->loader, b->path, "when");
    b->fault->trigger = MODEL_TRIGGER_WHEN;
    if (!scenario_bind_keys(b->loader, SCENARIO_SECTION_WHEN, node, path)) {
        return;
    }
    scenario_bind_section(b->loader, SCENARIO_SECTION_WHEN, node, path, b->fault);
    const struct scenario_node *stage = scenario_node_find(node, "stage");
    if (stage == NULL) {
        return;
    }
    if (stage->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(b->loader, stage->place, "stage must be the name of a stage, found %s",
                       scenario_node_kind_text(stage));
        return;
    }
    b->fault->stage = scenario_stage_find(b->loader, stage);
    scenario_record(b->loader, scenario_key_path(b->loader, path, "stage"), stage->text, stage);
}

static void bind_on(const struct fault_binding *b, const struct scenario_node *node)
{
    static const char prefix[] = "store.";
    static const char operations[] = "mkdir|list|create|append|flush|sync|close|read|remove";
    const char *text = node->kind == SCENARIO_NODE_SCALAR ? node->text : "";
    int op = -1;
    b->fault->trigger = MODEL_TRIGGER_ON;
    if (strncmp(text, prefix, strlen(prefix)) == 0) {
        op = scenario_choice_index(operations, text + strlen(prefix), false);
    }
    if (op < 0) {
        struct scenario_nearest nearest;
        scenario_nearest_init(&nearest, text);
        for (int i = 0; i < MODEL_STORAGE_OPS; i++) {
            scenario_nearest_offer(&nearest,
                                   scenario_print(&b->loader->memory, "%s%s", prefix,
                                                  scenario_choice_text(b->loader, operations, i)));
        }
        scenario_error(
            b->loader, node->place,
            "'%s' is no operation; expected store.mkdir, list, create, append, flush, sync, close, "
            "read or remove%s",
            scenario_quote(b->loader, text), scenario_nearest_text(b->loader, &nearest));
        return;
    }
    b->fault->op = (enum model_storage_op)op;
    record(b, "on", text, node);
}

static void bind_trigger(const struct fault_binding *b)
{
    static const char *const keys[] = {"at", "every", "when", "on", NULL};
    const struct scenario_node *node = exactly_one(b, keys, "trigger", "at, every, when or on");
    if (node == NULL) {
        return;
    }
    if (strcmp(node->key, "at") == 0) {
        bind_at(b, node);
    } else if (strcmp(node->key, "every") == 0) {
        bind_every(b, node);
    } else if (strcmp(node->key, "when") == 0) {
        bind_when(b, node);
    } else {
        bind_on(b, node);
    }
}

// --- effects -------------------------------------------------------------------------------------

static void bind_process(const struct fault_binding *b, const struct scenario_node *node)
{
    int64_t process = 0;
    const char *canonical = "";
    if (scenario_bind_scalar(b->loader, fault_row(node->key), node, &process, &canonical)) {
        b->fault->process = (enum model_fault_process)process;
        record(b, node->key, canonical, node);
    }
}

static void bind_fail(const struct fault_binding *b, const struct scenario_node *node)
{
    static const int codes[] = {RECOUP_EIO, RECOUP_ENOSPC, RECOUP_EACCES, RECOUP_ETIMEDOUT};
    int64_t choice = 0;
    const char *canonical = "";
    if (field(b, "on") == NULL) {
        scenario_error(b->loader, node->key_place, "fail needs 'on', the operation that fails");
    }
    if (scenario_bind_scalar(b->loader, fault_row("fail"), node, &choice, &canonical)) {
        b->fault->error = codes[choice];
        record(b, "fail", canonical, node);
    }
}

static void bind_count(const struct fault_binding *b)
{
    const struct scenario_node *node = field(b, "count");
    int64_t value = 1;
    if (node == NULL) {
        b->fault->count = 1;
        return;
    }
    const char *text = node->kind == SCENARIO_NODE_SCALAR ? node->text : "";
    if (strcmp(text, "all") == 0) {
        value = 0;
    } else if (scenario_units_integer(text, &value) != SCENARIO_UNITS_OK || value < 1) {
        scenario_error(b->loader, node->place, "count must be an integer from 1, or all, not '%s'",
                       scenario_quote(b->loader, text));
        return;
    }
    b->fault->count = (uint64_t)value;
    record(b, "count", text, node);
}

static void bind_target(const struct fault_binding *b)
{
    const struct scenario_node *node = field(b, "target");
    int64_t number = 0;
    if (node == NULL) {
        return;
    }
    const char *text = node->kind == SCENARIO_NODE_SCALAR ? node->text : "";
    int choice = scenario_choice_index("random|each", text, false);
    if (choice >= 0) {
        b->fault->target = (enum model_fault_target)choice;
    } else if (scenario_units_integer(text, &number) != SCENARIO_UNITS_OK) {
        scenario_error(b->loader, node->place,
                       "target must be random, each or a worker's number, not '%s'",
                       scenario_quote(b->loader, text));
        return;
    } else if (number >= (int64_t)b->loader->draft.config.cluster.workers) {
        scenario_error(b->loader, node->place,
                       "there is no worker %s; workers count from 0, and there are %u", text,
                       (unsigned)b->loader->draft.config.cluster.workers);
        return;
    } else {
        b->fault->target = MODEL_TARGET_NUMBER;
        b->fault->worker = (uint32_t)number;
    }
    record(b, "target", text, node);
}

static void bind_effect(const struct fault_binding *b)
{
    static const char *const keys[] = {"kill", "terminate", "partition", "fail", NULL};
    const struct scenario_node *node =
        exactly_one(b, keys, "effect", "kill, terminate, partition or fail");
    if (node == NULL) {
        return;
    }
    if (strcmp(node->key, "fail") == 0) {
        b->fault->kind = MODEL_FAULT_STORE_ERROR;
        bind_fail(b, node);
        return;
    }
    b->fault->kind = strcmp(node->key, "kill") == 0        ? MODEL_FAULT_KILL
                     : strcmp(node->key, "terminate") == 0 ? MODEL_FAULT_TERMINATE
                                                           : MODEL_FAULT_PARTITION;
    bind_process(b, node);
}

// --- the rest ------------------------------------------------------------------------------------

// A key that makes no sense with the fault's trigger and effect.
static void refuse(const struct fault_binding *b, const char *key, bool allowed, const char *why)
{
    const struct scenario_node *node = field(b, key);
    if (node != NULL && !allowed) {
        scenario_error(b->loader, node->key_place, "'%s' has no meaning here: %s", key, why);
    }
}

static void check_combination(const struct fault_binding *b)
{
    bool on = field(b, "on") != NULL;
    bool fail = field(b, "fail") != NULL;
    bool worker =
        b->fault->kind != MODEL_FAULT_STORE_ERROR && b->fault->process == MODEL_PROCESS_WORKER;
    refuse(b, "nth", on, "it counts operations, with 'on'");
    refuse(b, "moment", on && !fail, "it goes with 'on' and kill, terminate or partition");
    refuse(b, "count", fail, "it goes with 'fail'");
    refuse(b, "grace", field(b, "terminate") != NULL, "it goes with 'terminate'");
    refuse(b, "for", field(b, "partition") != NULL, "it goes with 'partition'");
    refuse(b, "target", worker, "it chooses a worker");
}

static const char *fault_name(const struct fault_binding *b, uint32_t index)
{
    const struct scenario_node *node = field(b, "name");
    if (node == NULL) {
        return scenario_print(&b->loader->memory, "fault-%" PRIu32, index);
    }
    if (!scenario_bind_row(b->loader, fault_row("name"), node,
                           scenario_key_path(b->loader, b->path, "name"), NULL)) {
        return "";
    }
    return node->text;
}

static void set_name(const struct fault_binding *b, const struct model_fault *faults,
                     uint32_t index)
{
    const char *name = fault_name(b, index);
    for (uint32_t i = 0; i < index; i++) {
        const struct scenario_node *node = field(b, "name");
        if (name[0] != '\0' && strcmp(faults[i].name, name) == 0) {
            scenario_error(b->loader, node != NULL ? node->place : b->map->place,
                           "fault '%s' is there already", name);
        }
    }
    (void)snprintf(b->fault->name, sizeof(b->fault->name), "%s", name);
}

// Rows stored by offset whose key is not given here are no part of the resolved scenario.
static void bind_given(const struct fault_binding *b, const char *key)
{
    const struct scenario_node *node = field(b, key);
    if (node != NULL) {
        (void)scenario_bind_row(b->loader, fault_row(key), node,
                                scenario_key_path(b->loader, b->path, key), b->fault);
    }
}

static void bind_fault(struct scenario_loader *loader, const struct scenario_node *map,
                       struct model_fault *faults, uint32_t index)
{
    const char *number = scenario_print(&loader->memory, "faults.%" PRIu32, index);
    struct fault_binding b = {loader, map, number, &faults[index]};
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_FAULT, map, number)) {
        return;
    }
    const struct scenario_node *name = scenario_node_find(map, "name");
    if (name != NULL && name->kind == SCENARIO_NODE_SCALAR && scenario_name_is_legal(name->text)) {
        b.path = scenario_print(&loader->memory, "faults.%s", name->text);
    }
    b.fault->nth = 1;
    b.fault->stage = MODEL_NO_STAGE;
    (void)scenario_units_duration(fault_row("grace")->fallback, &b.fault->grace_ns);
    (void)scenario_units_duration(fault_row("for")->fallback, &b.fault->unaware_ns);
    set_name(&b, faults, index);
    bind_trigger(&b);
    bind_effect(&b);
    bind_given(&b, "nth");
    bind_given(&b, "moment");
    bind_given(&b, "grace");
    bind_given(&b, "for");
    bind_count(&b);
    bind_target(&b);
    check_combination(&b);
}

void scenario_bind_faults(struct scenario_loader *loader, const struct scenario_node *list)
{
    if (list == NULL) {
        return;
    }
    if (list->kind != SCENARIO_NODE_LIST || list->count > MODEL_FAULTS_MAX) {
        scenario_error(loader, list->place, "faults must be a list of at most %u faults",
                       MODEL_FAULTS_MAX);
        return;
    }
    struct model_fault *faults =
        scenario_allocate_array(&loader->memory, list->count + 1, sizeof(*faults));
    uint32_t i = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next, i++) {
        bind_fault(loader, item, faults, i);
    }
    loader->draft.config.faults = faults;
    loader->draft.config.n_faults = list->count;
}
