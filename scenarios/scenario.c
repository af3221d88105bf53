// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/loader.h"

#define SEED_BYTES 24u  // the digits of any seed, and a zero

static void bind_environment_sections(struct scenario_loader *loader)
{
    static const struct {
        const char *key;
        enum scenario_section section;
    } sections[] = {{"cluster", SCENARIO_SECTION_CLUSTER},
                    {"master", SCENARIO_SECTION_MASTER},
                    {"network", SCENARIO_SECTION_NETWORK}};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const struct scenario_node *map = scenario_node_find(loader->root, sections[i].key);
        bool required = sections[i].section == SCENARIO_SECTION_CLUSTER;
        if ((map == NULL && required) ||
            (map != NULL &&
             !scenario_bind_keys(loader, sections[i].section, map, sections[i].key))) {
            continue;  // reported
        }
        scenario_bind_section(loader, sections[i].section, map, sections[i].key, &loader->draft);
    }
}

// What only selects scenarios is no part of their identity, and not recorded.
static void bind_tags(struct scenario_loader *loader, const struct scenario_node *list)
{
    if (list == NULL) {
        return;
    }
    if (list->kind != SCENARIO_NODE_LIST) {
        scenario_error(loader, list->place, "tags must be a list such as [nightly, s3], found %s",
                       scenario_node_kind_text(list));
        return;
    }
    const char **tags = scenario_allocate_array(&loader->memory, list->count + 1, sizeof(*tags));
    uint32_t n = 0;
    for (const struct scenario_node *item = list->first; item != NULL; item = item->next) {
        if (item->kind != SCENARIO_NODE_SCALAR || !scenario_name_is_legal(item->text)) {
            scenario_error(loader, item->place,
                           "a tag must be letters, digits, '-' and '_', at most %u, found %s",
                           SCENARIO_NAME_BYTES_MAX,
                           item->kind == SCENARIO_NODE_SCALAR
                               ? scenario_print(&loader->memory, "'%s'",
                                                scenario_quote(loader, item->text))
                               : scenario_node_kind_text(item));
            continue;
        }
        tags[n++] = item->text;
    }
    loader->scenario->tags = tags;
    loader->scenario->n_tags = n;
}

static void record_path(struct scenario_loader *loader, const char *key)
{
    const struct scenario_node *node = scenario_node_find(loader->root, key);
    if (node != NULL && node->kind != SCENARIO_NODE_SCALAR) {
        scenario_error(loader, node->place, "%s must be the path of a file, found %s", key,
                       scenario_node_kind_text(node));
    }
}

void scenario_bind_root(struct scenario_loader *loader)
{
    struct scenario_node *root = loader->root;
    struct scenario_draft *draft = &loader->draft;
    if (!scenario_bind_keys(loader, SCENARIO_SECTION_ROOT, root, "")) {
        return;
    }
    scenario_bind_section(loader, SCENARIO_SECTION_ROOT, root, "", draft);
    record_path(loader, "config-file");
    bind_tags(loader, scenario_node_find(root, "tags"));
    loader->preset = scenario_choice_text(loader, SCENARIO_PRESETS, draft->preset);
    draft->config.name = draft->name;
    draft->config.profile = (enum recoup_profile)draft->profile;
    scenario_bind_config(loader, scenario_node_find(root, "config"));
    scenario_bind_job(loader, scenario_node_find(root, "job"));
    bind_environment_sections(loader);
    scenario_bind_environment(loader);
    scenario_bind_faults(loader, scenario_node_find(root, "faults"));
    scenario_bind_expect(loader, scenario_node_find(root, "expect"));
    if (loader->errors_total == 0) {
        scenario_check(loader);
    }
}

static void publish(struct scenario_loader *loader)
{
    struct scenario *scenario = loader->scenario;
    scenario->config = loader->draft.config;
    scenario->name = loader->draft.name != NULL ? loader->draft.name : "";
    scenario->about = loader->draft.about != NULL ? loader->draft.about : "";
    scenario->preset = loader->preset != NULL ? loader->preset : "";
    scenario->profile_given = scenario_node_find(loader->root, "profile") != NULL;
    scenario->values = loader->values;
    scenario->n_values = loader->n_values;
    scenario->not_modelled = loader->not_modelled.items;
    scenario->n_not_modelled = loader->not_modelled.count;
    scenario->canonical = loader->canonical.text;
}

static void load(struct scenario_loader *loader, const char *path, const char *text, size_t size,
                 const struct scenario_overrides *overrides)
{
    const struct scenario_file *file;
    if (text == NULL) {
        file = scenario_file_read(loader, path, path, SCENARIO_FILE_BYTES_MAX, scenario_no_place());
    } else if (size > SCENARIO_FILE_BYTES_MAX) {
        scenario_error(loader, scenario_no_place(),
                       "'%s' is larger than %u MiB, the limit of such a file",
                       scenario_quote(loader, path), SCENARIO_FILE_BYTES_MAX >> 20);
        return;
    } else {
        file = scenario_file_text(loader, path, scenario_folder_of(loader, path), text, size);
    }
    if (file == NULL) {
        return;
    }
    loader->root = scenario_read(loader, file);
    if (loader->root == NULL || !scenario_override(loader, file, overrides) ||
        loader->errors_total != 0) {
        return;
    }
    scenario_bind_root(loader);
    if (loader->errors_total == 0) {
        publish(loader);
    }
}

// A copy of what was read, changed, then bound. Paths inside changed values start where the
// scenario is, as with --set.
static void load_source(struct scenario_loader *loader, const struct scenario_source *source)
{
    struct scenario_file *file = NULL;
    loader->secrets = source->secrets;
    loader->files = source->files;
    if (source->changes_file != NULL) {
        file = scenario_allocate(&loader->memory, sizeof(*file));
        *file = *source->changes_file;
        file->folder = source->folder;
    }
    loader->root = scenario_node_copy(loader, source->root, NULL, NULL);
    for (uint32_t i = 0; i < source->n_changes; i++) {
        struct scenario_change change = *source->changes[i];
        struct scenario_node *value =
            scenario_node_copy(loader, change.value, source->changes_file, file);
        change.place.file = change.place.file == source->changes_file ? file : change.place.file;
        (void)scenario_change_apply(loader, &change, value);
    }
    struct scenario_overrides seed = {.seed_given = source->seed_given, .seed = source->seed};
    (void)scenario_override(loader, NULL, &seed);
    if (loader->errors_total != 0) {
        return;
    }
    scenario_bind_root(loader);
    if (loader->errors_total == 0) {
        publish(loader);
    }
}

// After running out of memory nothing of what was read may be used.
static int out_of_memory(struct scenario *scenario, struct scenario_loader *loader)
{
    scenario_memory_release(&loader->memory);
    free(loader);
    memset(scenario, 0, sizeof(*scenario));
    return SCENARIO_ENOMEM;
}

int scenario_load_counted(struct scenario *scenario, const char *path, const char *text,
                          size_t size, const struct scenario_overrides *overrides, uint64_t fail_at,
                          uint64_t *allocations)
{
    memset(scenario, 0, sizeof(*scenario));
    struct scenario_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL) {
        return SCENARIO_ENOMEM;
    }
    scenario_memory_init(&loader->memory);
    loader->memory.fail_at = fail_at;
    loader->scenario = scenario;
    if (setjmp(loader->memory.out) != 0) {
        return out_of_memory(scenario, scenario->memory);
    }
    scenario->memory = loader;
    scenario->path = scenario_copy_text(&loader->memory, path);
    load(loader, scenario->path, text, size, overrides);
    scenario_messages_publish(loader);
    if (allocations != NULL) {
        *allocations = loader->memory.allocations;
    }
    return loader->errors_total == 0 ? SCENARIO_OK : SCENARIO_INVALID;
}

int scenario_load_source(struct scenario *scenario, const struct scenario_source *source)
{
    memset(scenario, 0, sizeof(*scenario));
    struct scenario_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL) {
        return SCENARIO_ENOMEM;
    }
    scenario_memory_init(&loader->memory);
    loader->scenario = scenario;
    if (setjmp(loader->memory.out) != 0) {
        return out_of_memory(scenario, scenario->memory);
    }
    scenario->memory = loader;
    scenario->path = source->path;
    load_source(loader, source);
    scenario_messages_publish(loader);
    return loader->errors_total == 0 ? SCENARIO_OK : SCENARIO_INVALID;
}

int scenario_load(struct scenario *scenario, const char *path,
                  const struct scenario_overrides *overrides)
{
    return scenario_load_counted(scenario, path, NULL, 0, overrides, 0, NULL);
}

int scenario_parse(struct scenario *scenario, const char *file, const char *text, size_t size,
                   const struct scenario_overrides *overrides)
{
    return scenario_load_counted(scenario, file, text, size, overrides, 0, NULL);
}

// Where the digits of the seed stand in canonical text; its end if there is no such line.
static size_t seed_digits(const char *canonical)
{
    static const char seed[] = "seed = ";
    size_t at = 0;
    while (canonical[at] != '\0' && strncmp(canonical + at, seed, sizeof(seed) - 1) != 0) {
        at += strcspn(canonical + at, "\n");
        at += canonical[at] == '\n' ? 1 : 0;
    }
    return canonical[at] != '\0' ? at + sizeof(seed) - 1 : at;
}

// A copy of the canonical text that has room for any seed. All memory is taken the first time.
static void make_room(struct scenario *scenario, struct scenario_loader *loader)
{
    size_t size = strlen(scenario->canonical) + 1;
    loader->seed_digits = scenario_allocate(&loader->memory, SEED_BYTES);
    char *copy = scenario_allocate(&loader->memory, size + SEED_BYTES);
    memcpy(copy, scenario->canonical, size);
    scenario->canonical = copy;
    for (uint32_t i = 0; i < loader->n_values; i++) {
        if (strcmp(loader->values[i].path, "seed") == 0) {
            loader->values[i].value = loader->seed_digits;
        }
    }
}

int scenario_reseed(struct scenario *scenario, uint64_t seed)
{
    struct scenario_loader *loader = scenario->memory;
    if (loader->seed_digits == NULL) {
        if (setjmp(loader->memory.out) != 0) {
            loader->seed_digits = NULL;
            return SCENARIO_ENOMEM;
        }
        make_room(scenario, loader);
    }
    scenario->config.seed = seed;
    (void)snprintf(loader->seed_digits, SEED_BYTES, "%" PRIu64, seed);
    char *at = scenario->canonical + seed_digits(scenario->canonical);
    size_t size = strlen(loader->seed_digits);
    size_t old = strcspn(at, "\n");
    if (*at != '\0') {
        memmove(at + size, at + old, strlen(at + old) + 1);
        memcpy(at, loader->seed_digits, size);
    }
    return SCENARIO_OK;
}

void scenario_release(struct scenario *scenario)
{
    struct scenario_loader *loader = scenario->memory;
    if (loader != NULL) {
        scenario_memory_release(&loader->memory);
        free(loader);
    }
    memset(scenario, 0, sizeof(*scenario));
}
