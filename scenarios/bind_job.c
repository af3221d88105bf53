// SPDX-License-Identifier: GPL-3.0-or-later
//
// job.stages: names to indices, inputs, sources and coordinators.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

// Names of stages, open addressing; for look-ups only, never walked.
struct names {
    const struct model_stage *stages;
    uint32_t *slots;   // index + 1, 0: empty
    uint32_t mask;
};

static uint32_t name_hash(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash;
}

static uint32_t *name_slot(const struct names *names, const char *name)
{
    uint32_t at = name_hash(name) & names->mask;
    while (names->slots[at] != 0 && strcmp(names->stages[names->slots[at] - 1].name, name) != 0) {
        at = (at + 1) & names->mask;
    }
    return &names->slots[at];
}

static void names_init(struct scenario_loader *loader, struct names *names,
                       const struct model_stage *stages, uint32_t count)
{
    uint32_t size = 8;
    while (size < count * 2) {
        size *= 2;
    }
    names->stages = stages;
    names->slots = scenario_allocate_array(&loader->memory, size, sizeof(*names->slots));
    names->mask = size - 1;
}

static void unknown_stage(struct scenario_loader *loader, const struct scenario_node *node,
                          const struct model_stage *stages, uint32_t count)
{
    struct scenario_nearest nearest;
    scenario_nearest_init(&nearest, node->text);
    for (uint32_t i = 0; i < count; i++) {
        scenario_nearest_offer(&nearest, stages[i].name);
    }
    scenario_error(loader, node->place, "no stage is called '%s'%s",
                   scenario_quote(loader, node->text), scenario_nearest_text(loader, &nearest));
}

uint32_t scenario_stage_find(struct scenario_loader *loader, const struct scenario_node *node)
{
    const struct model_config *config = &loader->draft.config;
    for (uint32_t i = 0; i < config->n_stages; i++) {
        if (strcmp(config->stages[i].name, node->text) == 0) {
            return i;
        }
    }
    unknown_stage(loader, node, config->stages, config->n_stages);
    return MODEL_NO_STAGE;
}

// --- inputs --------------------------------------------------------------------------------------

static bool input_stage(struct scenario_loader *loader, const struct names *names,
                        const struct scenario_node *from, uint32_t self, uint32_t count,
                        struct model_input *input)
{
    if (from->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, from->place, "from must be the name of a stage, found %s",
                       scenario_node_kind_text(from));
        return false;
    }
    uint32_t found = *name_slot(names, from->text);
    if (found == 0) {
        unknown_stage(loader, from, names->stages, count);
        return false;
    }
    input->stage = found - 1;
    if (input->stage == self) {
        scenario_error(loader, from->place, "stage '%s' cannot read itself", from->text);
    } else if (input->stage > self) {
        scenario_error(loader, from->place,
                       "stage '%s' comes later; list producers before their consumers", from->text);
    }
    return input->stage < self;
}

static bool input_is_new(struct scenario_loader *loader, const struct scenario_node *from,
                         const struct model_input *inputs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (inputs[i].stage == inputs[n].stage) {
            scenario_error(loader, from->place, "'%s' is an input already", from->text);
            return false;
        }
    }
    return true;
}

static void bind_input(struct scenario_loader *loader, const struct names *names,
                       const struct scenario_node *item, const char *path, uint32_t self,
                       uint32_t count, struct model_input *inputs, uint32_t *n)
{
    char part[24];
    (void)snprintf(part, sizeof(part), "inputs.%" PRIu32, *n);
    const char *item_path = scenario_key_path(loader, path, part);
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_INPUT, item, item_path)) {
        return;
    }
    item_path = scenario_copy_text(&loader->memory, item_path);
    scenario_bind_section(loader, SCENARIO_SECTION_INPUT, item, item_path, &inputs[*n]);
    const struct scenario_node *from = scenario_node_find(item, "from");
    if (from != NULL && input_stage(loader, names, from, self, count, &inputs[*n])
        && input_is_new(loader, from, inputs, *n)) {
        scenario_record(loader, scenario_key_path(loader, item_path, "from"), from->text, from);
        (*n)++;
    }
}

static void bind_inputs(struct scenario_loader *loader, const struct names *names,
                        const struct scenario_node *list, const char *path, uint32_t self,
                        uint32_t count, struct model_stage *stage)
{
    if (list->kind != SCENARIO_NODE_LIST) {
        scenario_error(loader, list->place,
                       "inputs must be a list of {from: STAGE, exchange: ...}, found %s",
                       scenario_node_kind_text(list));
        return;
    }
    if (list->count > count) {
        scenario_error(loader, list->place, "%u inputs, but the job has %u stages",
                       (unsigned)list->count, (unsigned)count);
        return;
    }
    struct model_input *inputs =
        scenario_allocate_array(&loader->memory, list->count + 1, sizeof(*inputs));
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        bind_input(loader, names, item, path, self, count, inputs, &stage->n_inputs);
    }
    stage->inputs = inputs;
}

// --- source and coordinator ----------------------------------------------------------------------

static bool bind_boolean(struct scenario_loader *loader, enum scenario_section section,
                         const char *key, const struct scenario_node *node, const char *path,
                         bool *out)
{
    const struct scenario_option *row = scenario_options_find(section, key);
    int64_t value = 0;
    const char *canonical = "";
    if (!scenario_bind_scalar(loader, row, node, &value, &canonical)) {
        return false;
    }
    *out = value != 0;
    scenario_record(loader, scenario_key_path(loader, path, key), canonical, node);
    return true;
}

static const struct scenario_connector *connector_of(struct scenario_loader *loader,
                                                     const struct scenario_node *node)
{
    struct scenario_nearest nearest;
    const char *text = node->kind == SCENARIO_NODE_SCALAR ? node->text : "";
    const struct scenario_connector *found = scenario_connectors_find(text);
    if (found != NULL) {
        return found;
    }
    scenario_nearest_init(&nearest, text);
    for (uint32_t i = 0; i < scenario_connectors_count(); i++) {
        scenario_nearest_offer(&nearest, scenario_connectors_at(i)->name);
    }
    scenario_error(
        loader, node->place, "no connector is called '%s'%s", scenario_quote(loader, text),
        nearest.best != NULL ? scenario_nearest_text(loader, &nearest)
                             : "; `recoup list connectors` shows them, or say batch-snapshot");
    return NULL;
}

static void record_connector(struct scenario_loader *loader,
                             const struct scenario_connector *connector, const char *path)
{
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    note->detail = scenario_print(&loader->memory, "connector %s", connector->name);
    note->source = connector->source;
    note->assumed = strncmp(connector->source, "assumption", strlen("assumption")) == 0;
    const char *text = connector->batch_snapshot ? "true" : "false";
    scenario_record(loader, scenario_key_path(loader, path, "batch-snapshot"), text,
                    scenario_node_default(loader, text, SCENARIO_DEFAULT, note));
}

static void default_splits(struct scenario_loader *loader, struct model_stage *stage,
                           const char *path)
{
    const struct model_auto_parallelism *rule = &loader->draft.config.auto_parallelism;
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    uint32_t tasks = stage->parallelism != 0                  ? stage->parallelism
                     : rule->default_source_parallelism != 0 ? rule->default_source_parallelism
                                                              : rule->max;
    stage->source.splits = tasks;
    note->source = "assumption: one per subtask";
    note->assumed = true;
    const char *text = scenario_print(&loader->memory, "%" PRIu32, tasks);
    scenario_record(loader, scenario_key_path(loader, path, "splits"), text,
                    scenario_node_default(loader, text, SCENARIO_DEFAULT, note));
}

static void bind_source(struct scenario_loader *loader, const struct scenario_node *map,
                        const char *path, struct model_stage *stage)
{
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_SOURCE, map, path)) {
        return;
    }
    const struct scenario_node *named = scenario_node_find(map, "connector");
    const struct scenario_node *given = scenario_node_find(map, "batch-snapshot");
    scenario_bind_section(loader, SCENARIO_SECTION_SOURCE, map, path, &stage->source);
    stage->source.present = true;
    stage->coordinator.present = true;
    if (scenario_node_find(map, "splits") == NULL) {
        default_splits(loader, stage, path);
    }
    if (named != NULL && given != NULL) {
        scenario_error(loader, given->key_place,
                       "the connector decides batch-snapshot; leave one of the two out");
    } else if (named != NULL) {
        const struct scenario_connector *connector = connector_of(loader, named);
        stage->coordinator.batch_snapshot = connector != NULL && connector->batch_snapshot;
        if (connector != NULL) {
            record_connector(loader, connector, path);
        }
    } else if (given != NULL) {
        (void)bind_boolean(loader, SCENARIO_SECTION_SOURCE, "batch-snapshot", given, path,
                           &stage->coordinator.batch_snapshot);
    } else {
        scenario_error(loader, map->place, "a source needs 'batch-snapshot' or 'connector'");
    }
}

static void bind_coordinator(struct scenario_loader *loader, const struct scenario_node *map,
                             const char *path, struct model_stage *stage)
{
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_COORDINATOR, map, path)) {
        return;
    }
    scenario_bind_section(loader, SCENARIO_SECTION_COORDINATOR, map, path, &stage->coordinator);
    stage->coordinator.present = true;
    const struct scenario_node *given = scenario_node_find(map, "batch-snapshot");
    if (given != NULL && stage->source.present) {
        scenario_error(
            loader, given->key_place,
            "the source decides batch-snapshot; a source's coordinator takes only 'state'");
    } else if (given != NULL) {
        (void)bind_boolean(loader, SCENARIO_SECTION_COORDINATOR, "batch-snapshot", given, path,
                           &stage->coordinator.batch_snapshot);
    } else if (!stage->source.present) {
        struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
        note->source =
            scenario_options_find(SCENARIO_SECTION_COORDINATOR, "batch-snapshot")->source;
        scenario_record(loader, scenario_key_path(loader, path, "batch-snapshot"), "false",
                        scenario_node_default(loader, "false", SCENARIO_DEFAULT, note));
    }
}

// --- stages --------------------------------------------------------------------------------------

static void bind_rerun(struct scenario_loader *loader, const struct scenario_node *map,
                       const char *path, struct model_stage *stage)
{
    const struct scenario_node *node = scenario_node_find(map, "rerun");
    int64_t value = 0;
    const char *canonical = "";
    if (node != NULL &&
        scenario_bind_scalar(loader, scenario_options_find(SCENARIO_SECTION_STAGE, "rerun"), node,
                             &value, &canonical)) {
        stage->rerun_fresh = value != 0;
        scenario_record(loader, scenario_key_path(loader, path, "rerun"), canonical, node);
    }
}

// "job.stages.scan", or "job.stages.3" for a stage without a good name.
static const char *stage_path(struct scenario_loader *loader, const struct scenario_node *map,
                              uint32_t index)
{
    const struct scenario_node *name = scenario_node_find(map, "name");
    if (name != NULL && name->kind == SCENARIO_NODE_SCALAR && scenario_name_is_legal(name->text)) {
        return scenario_print(&loader->memory, "job.stages.%s", name->text);
    }
    return scenario_print(&loader->memory, "job.stages.%" PRIu32, index);
}

static void bind_name(struct scenario_loader *loader, struct names *names,
                      const struct scenario_node *map, struct model_stage *stage, uint32_t index)
{
    const struct scenario_node *name = scenario_node_find(map, "name");
    if (name == NULL || name->kind != SCENARIO_NODE_SCALAR || !scenario_name_is_legal(name->text)) {
        return;  // bind_section reports it
    }
    uint32_t *slot = name_slot(names, name->text);
    if (*slot != 0) {
        scenario_error(loader, name->place, "stage '%s' is there already", name->text);
        return;
    }
    memcpy(stage->name, name->text, strlen(name->text) + 1);
    *slot = index + 1;
}

static void bind_stage(struct scenario_loader *loader, const struct names *names,
                       const struct scenario_node *map, uint32_t index, uint32_t count,
                       struct model_stage *stage)
{
    const char *path = stage_path(loader, map, index);
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_STAGE, map, path)) {
        return;
    }
    scenario_bind_section(loader, SCENARIO_SECTION_STAGE, map, path, stage);
    const struct scenario_option *row = scenario_options_find(SCENARIO_SECTION_STAGE, "name");
    const struct scenario_node *name = scenario_node_find(map, "name");
    if (name != NULL) {
        (void)scenario_bind_row(loader, row, name, scenario_key_path(loader, path, "name"), NULL);
    }
    bind_rerun(loader, map, path, stage);
    const struct scenario_node *inputs = scenario_node_find(map, "inputs");
    if (inputs != NULL) {
        bind_inputs(loader, names, inputs, path, index, count, stage);
    }
    const struct scenario_node *source = scenario_node_find(map, "source");
    if (source != NULL) {
        bind_source(loader, source, scenario_key_path(loader, path, "source"), stage);
    }
    const struct scenario_node *coordinator = scenario_node_find(map, "coordinator");
    if (coordinator != NULL) {
        bind_coordinator(loader, coordinator, scenario_key_path(loader, path, "coordinator"),
                         stage);
    }
}

static void bind_stages(struct scenario_loader *loader, const struct scenario_node *list)
{
    struct names names;
    struct model_config *config = &loader->draft.config;
    if (list->kind != SCENARIO_NODE_LIST || list->count == 0 || list->count > MODEL_STAGES_MAX) {
        scenario_error(loader, list->place, "job.stages must be a list of 1 to %u stages",
                       MODEL_STAGES_MAX);
        return;
    }
    struct model_stage *stages =
        scenario_allocate_array(&loader->memory, list->count, sizeof(*stages));
    config->stages = stages;
    config->n_stages = list->count;
    names_init(loader, &names, stages, list->count);
    uint32_t i = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next, i++) {
        bind_name(loader, &names, item, &stages[i], i);
    }
    i = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next, i++) {
        bind_stage(loader, &names, item, i, list->count, &stages[i]);
    }
}

void scenario_bind_job(struct scenario_loader *loader, const struct scenario_node *map)
{
    if (map == NULL || !scenario_bind_keys(loader, SCENARIO_SECTION_JOB, map, "job")) {
        return;  // a missing job is reported by its row
    }
    scenario_bind_section(loader, SCENARIO_SECTION_JOB, map, "job", NULL);
    const struct scenario_node *list = scenario_node_find(map, "stages");
    if (list != NULL) {
        bind_stages(loader, list);
    }
}
