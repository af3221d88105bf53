// SPDX-License-Identifier: GPL-3.0-or-later
//
// Leader election and storage: given, or from Flink's configuration, or from the preset.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"
#include "scenarios/storage_profiles.h"

// --- ha ------------------------------------------------------------------------------------------

#define HA_KINDS "none|zookeeper|kubernetes"

static const struct scenario_option ha_row = {
    .section = SCENARIO_SECTION_ROOT, .key = "ha", .type = SCENARIO_CHOICE, .choices = HA_KINDS};

static struct scenario_node *config_origin_node(struct scenario_loader *loader, const char *text,
                                                const char *detail)
{
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    note->detail = detail;
    return scenario_node_default(loader, text, SCENARIO_CONFIG, note);
}

// What decides the kind when the file says nothing about it.
static const struct scenario_node *ha_default(struct scenario_loader *loader)
{
    if (loader->draft.ha_type >= 0) {
        return config_origin_node(loader,
                                  scenario_choice_text(loader, HA_KINDS, loader->draft.ha_type),
                                  "high-availability.type");
    }
    return scenario_preset_node(loader, "ha");
}

static void bind_ha_kind(struct scenario_loader *loader, const struct scenario_node *node,
                         bool given)
{
    int64_t kind = 0;
    const char *canonical = "";
    if (!scenario_bind_scalar(loader, &ha_row, node, &kind, &canonical)) {
        return;
    }
    int asked = loader->draft.ha_type;
    if (given && asked >= 0 && asked != (int)kind) {
        scenario_error(loader, node->place, "ha is %s, but config's high-availability.type is %s",
                       canonical, scenario_choice_text(loader, HA_KINDS, asked));
    }
    loader->draft.config.ha.kind = (enum model_ha_kind)kind;
    scenario_record(loader, "ha", canonical, node);
}

static void bind_ha_detect(struct scenario_loader *loader, const struct scenario_node *detect,
                           const struct scenario_node *map)
{
    struct scenario_law law;
    const struct scenario_node *type = scenario_node_find(map, "type");
    if (type != NULL) {
        scenario_error(loader, type->key_place, "ha has 'detect' or 'type', not both");
        return;
    }
    if (scenario_law_parse(loader, detect, SCENARIO_LAW_NS, &law)) {
        loader->draft.config.ha.kind = MODEL_HA_FIXED;
        loader->draft.config.ha.detect = law.law;
        scenario_record(loader, "ha.detect", law.text, detect);
    }
}

static void bind_ha(struct scenario_loader *loader)
{
    const struct scenario_node *node = scenario_node_find(loader->root, "ha");
    const struct scenario_node *map = node != NULL && node->kind == SCENARIO_NODE_MAP ? node : NULL;
    if (node != NULL && node->kind == SCENARIO_NODE_LIST) {
        scenario_error(loader, node->place,
                       "ha must be kubernetes, zookeeper, none, or a map, found a list");
        return;
    }
    if (map != NULL && !scenario_bind_keys(loader, SCENARIO_SECTION_HA, map, "ha")) {
        return;
    }
    const struct scenario_node *detect = scenario_node_find(map, "detect");
    const struct scenario_node *type = map != NULL ? scenario_node_find(map, "type") : node;
    if (detect != NULL) {
        bind_ha_detect(loader, detect, map);
    } else if (type != NULL) {
        bind_ha_kind(loader, type, true);
    } else {
        bind_ha_kind(loader, ha_default(loader), false);
    }
    const struct scenario_node *granted = scenario_node_find(map, "session-granted-max");
    if (loader->draft.config.ha.kind == MODEL_HA_ZOOKEEPER) {
        scenario_bind_section(loader, SCENARIO_SECTION_HA, map, "ha", &loader->draft);
    } else if (granted != NULL) {
        scenario_error(loader, granted->key_place,
                       "'session-granted-max' goes with 'type: zookeeper'");
    }
}

// --- storage -------------------------------------------------------------------------------------

// The profile of a URI's scheme; -1: none is known. A path without scheme is a local one.
static int scheme_profile(const char *uri)
{
    static const struct {
        const char *scheme;
        int kind;
    } rows[] = {
        {"hdfs", MODEL_STORAGE_HDFS}, {"viewfs", MODEL_STORAGE_HDFS}, {"s3", MODEL_STORAGE_S3},
        {"s3a", MODEL_STORAGE_S3},    {"s3p", MODEL_STORAGE_S3},      {"s3n", MODEL_STORAGE_S3},
        {"gs", MODEL_STORAGE_GCS},    {"file", MODEL_STORAGE_POSIX},  {"nfs", MODEL_STORAGE_NFS},
    };
    size_t size = strcspn(uri, ":/");
    if (uri[size] != ':') {
        return MODEL_STORAGE_POSIX;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strlen(rows[i].scheme) == size && strncmp(rows[i].scheme, uri, size) == 0) {
            return rows[i].kind;
        }
    }
    return -1;
}

static const struct scenario_option *storage_row(const char *key)
{
    return scenario_options_find(SCENARIO_SECTION_STORAGE, key);
}

static const struct scenario_node *storage_dir_node(const struct scenario_loader *loader)
{
    const struct scenario_node *config = scenario_node_find(loader->root, "config");
    const struct scenario_node *node = scenario_node_find(config, "high-availability.storageDir");
    return node != NULL ? node
                        : scenario_node_find(config, "high-availability.zookeeper.storageDir");
}

// What decides the profile when the file says nothing about it; NULL after an error.
static const struct scenario_node *profile_default(struct scenario_loader *loader)
{
    if (loader->draft.storage_dir == NULL) {
        return scenario_preset_node(loader, "storage");
    }
    int kind = scheme_profile(loader->draft.storage_dir);
    if (kind < 0) {
        const struct scenario_node *node = storage_dir_node(loader);
        scenario_error(loader, node != NULL ? node->place : scenario_no_place(),
                       "no storage profile is known for the scheme of '%s'; write 'storage: ...'",
                       scenario_quote(loader, loader->draft.storage_dir));
        return NULL;
    }
    return config_origin_node(loader,
                              scenario_choice_text(loader, storage_row("profile")->choices, kind),
                              "high-availability.storageDir");
}

// file: may be a mounted server, and ideal is a choice to leave the world's storage aside.
static bool contradicts(int kind, int from_scheme)
{
    return from_scheme >= 0 && kind != from_scheme && kind != MODEL_STORAGE_IDEAL
           && !(from_scheme == MODEL_STORAGE_POSIX && kind == MODEL_STORAGE_NFS);
}

static bool bind_profile(struct scenario_loader *loader, const struct scenario_node *given,
                         int64_t *kind)
{
    const struct scenario_node *node = given != NULL ? given : profile_default(loader);
    const char *canonical = "";
    if (node == NULL ||
        !scenario_bind_scalar(loader, storage_row("profile"), node, kind, &canonical)) {
        *kind = 0;
        return false;
    }
    const char *uri = loader->draft.storage_dir;
    if (given != NULL && uri != NULL && contradicts((int)*kind, scheme_profile(uri))) {
        scenario_error(loader, node->place,
                       "storage is %s, but config's high-availability.storageDir is '%s'",
                       canonical, scenario_quote(loader, uri));
        return false;
    }
    scenario_record(loader, "storage.profile", canonical, node);
    return true;
}

static const struct scenario_node *profile_note(struct scenario_loader *loader,
                                                const struct scenario_storage_profile *profile,
                                                const char *source, const char *text, bool assumed)
{
    struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
    note->detail = scenario_print(&loader->memory, "storage %s", profile->name);
    note->source = source;
    note->assumed = assumed && profile->storage.kind != MODEL_STORAGE_IDEAL;
    struct scenario_node *node =
        scenario_node_new(loader, SCENARIO_NODE_SCALAR, SCENARIO_DEFAULT, scenario_no_place());
    node->text = text;
    node->note = note;
    return node;
}

static const char *operation_name(struct scenario_loader *loader, uint32_t op)
{
    return scenario_choice_text(loader, "mkdir|list|create|append|flush|sync|close|read|remove",
                                op);
}

static void bind_latency(struct scenario_loader *loader,
                         const struct scenario_storage_profile *profile,
                         const struct scenario_node *map, uint32_t op)
{
    const char *name = operation_name(loader, op);
    const char *path = scenario_key_path(loader, "storage", name);
    struct sim_law *latency = &loader->draft.config.storage.latency[op];
    const struct scenario_node *node = scenario_node_find(map, name);
    const struct scenario_node *other =
        op == MODEL_STORAGE_CREATE ? scenario_node_find(map, "open") : NULL;
    if (node != NULL && other != NULL) {
        scenario_error(loader, other->key_place, "open and create are the same; leave one out");
    }
    node = node != NULL ? node : other;
    struct scenario_law law;
    if (node == NULL) {
        const char *text = scenario_law_text(loader, latency, SCENARIO_LAW_NS);
        scenario_record(loader, path, text,
                        profile_note(loader, profile, profile->source[op], text, true));
    } else if (scenario_law_parse(loader, node, SCENARIO_LAW_NS, &law)) {
        *latency = law.law;
        scenario_record(loader, path, law.text, node);
    }
}

static void bind_price(struct scenario_loader *loader,
                       const struct scenario_storage_profile *profile,
                       const struct scenario_node *prices, uint32_t op)
{
    const char *name = operation_name(loader, op);
    const char *path = scenario_key_path(loader, "storage.price", name);
    uint64_t *price = &loader->draft.config.storage.price_nanousd[op];
    const struct scenario_node *node = scenario_node_find(prices, name);
    int64_t value = 0;
    const char *canonical = "";
    if (node == NULL) {
        const char *text = scenario_print(&loader->memory, "%" PRIu64 " nano-usd", *price);
        scenario_record(loader, path, text,
                        profile_note(loader, profile, profile->price_source, text, *price != 0));
    } else if (scenario_bind_scalar(loader, scenario_options_find(SCENARIO_SECTION_PRICE, name),
                                    node, &value, &canonical)) {
        *price = (uint64_t)value;
        scenario_record(loader, path, canonical, node);
    }
}

static void bind_durable_at(struct scenario_loader *loader,
                            const struct scenario_storage_profile *profile,
                            const struct scenario_node *map)
{
    const struct scenario_node *node = scenario_node_find(map, "durable-at");
    const struct scenario_option *row = storage_row("durable-at");
    int64_t value = (int64_t)profile->storage.durable_at;
    const char *canonical = scenario_choice_text(loader, row->choices, value);
    if (node == NULL) {
        struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
        note->detail = scenario_print(&loader->memory, "storage %s", profile->name);
        note->source = "what the profile means";
        scenario_record(loader, "storage.durable-at", canonical,
                        scenario_node_default(loader, canonical, SCENARIO_DEFAULT, note));
    } else if (scenario_bind_scalar(loader, row, node, &value, &canonical)) {
        loader->draft.config.storage.durable_at = (enum recoup_durable_at)value;
        scenario_record(loader, "storage.durable-at", canonical, node);
    }
}

static void bind_bandwidth(struct scenario_loader *loader,
                           const struct scenario_storage_profile *profile,
                           const struct scenario_node *map)
{
    const struct scenario_node *node = scenario_node_find(map, "bandwidth");
    int64_t value = 0;
    const char *canonical = "";
    if (node != NULL &&
        scenario_bind_scalar(loader, storage_row("bandwidth"), node, &value, &canonical)) {
        loader->draft.config.storage.bandwidth = (uint64_t)value;
        scenario_record(loader, "storage.bandwidth", canonical, node);
    } else if (node == NULL) {
        char text[SCENARIO_UNITS_TEXT];
        scenario_units_size_text((int64_t)profile->storage.bandwidth, text);
        canonical = profile->storage.bandwidth == 0 ? "unlimited"
                                                    : scenario_print(&loader->memory, "%s/s", text);
        scenario_record(loader, "storage.bandwidth", canonical,
                        profile_note(loader, profile, profile->bandwidth_source, canonical, true));
    }
}

static void bind_storage(struct scenario_loader *loader)
{
    const struct scenario_node *node = scenario_node_find(loader->root, "storage");
    const struct scenario_node *map = node != NULL && node->kind == SCENARIO_NODE_MAP ? node : NULL;
    int64_t kind = 0;
    if (map != NULL) {
        (void)scenario_bind_keys(loader, SCENARIO_SECTION_STORAGE, map, "storage");
    }
    // After an error the rest is still checked, against the first profile.
    (void)bind_profile(loader, map != NULL ? scenario_node_find(map, "profile") : node, &kind);
    const struct scenario_storage_profile *profile =
        scenario_storage_profile((enum model_storage_kind)kind);
    loader->draft.config.storage = profile->storage;
    bind_durable_at(loader, profile, map);
    bind_bandwidth(loader, profile, map);
    const struct scenario_node *prices = scenario_node_find(map, "price");
    if (prices != NULL &&
        !scenario_bind_keys(loader, SCENARIO_SECTION_PRICE, prices, "storage.price")) {
        return;
    }
    for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
        bind_latency(loader, profile, map, op);
    }
    for (uint32_t op = 0; op < MODEL_STORAGE_OPS; op++) {
        bind_price(loader, profile, prices, op);
    }
}

void scenario_bind_environment(struct scenario_loader *loader)
{
    bind_ha(loader);
    bind_storage(loader);
}
