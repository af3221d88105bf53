// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/rerun.h"

#include <string.h>

#include "models/run.h"
#include "sim/arena.h"
#include "sim/fingerprint.h"

#define DEPTH_MAX 12u // of a path

// The values as a tree: a path's steps are the keys. Texts are slices of the canonical text.
struct node {
    const char *key;
    size_t key_size;
    const char *value; // NULL: a map or a list
    size_t value_size;
    struct node *first;
    struct node *last;
    struct node *next;
};

static bool is(const struct node *node, const char *key)
{
    return node->key_size == strlen(key) && memcmp(node->key, key, node->key_size) == 0;
}

static struct node *child(struct sim_arena *arena, struct node *parent, const char *key,
                          size_t size)
{
    struct node *node = parent->first;

    while (node != NULL && (node->key_size != size || memcmp(node->key, key, size) != 0)) {
        node = node->next;
    }
    if (node == NULL) {
        node = SIM_ARENA_NEW(arena, struct node, 1);
    }
    if (node != NULL && node->key == NULL) {
        node->key = key;
        node->key_size = size;
        if (parent->last != NULL) {
            parent->last->next = node;
        } else {
            parent->first = node;
        }
        parent->last = node;
    }
    return node;
}

// A key of `config` is one step however many dots it has.
static bool insert(struct sim_arena *arena, struct node *root, const char *path, size_t size,
                   const char *value, size_t value_size)
{
    struct node *node = root;
    const char *end = path + size;

    for (uint32_t depth = 0; node != NULL && path < end; depth++) {
        bool whole = depth == 1 && is(node, "config");
        const char *dot = whole ? NULL : memchr(path, '.', (size_t)(end - path));
        size_t step = (size_t)((dot != NULL ? dot : end) - path);

        if (depth == DEPTH_MAX || step == 0) {
            return false;
        }
        node = child(arena, node, path, step);
        path += step + (dot != NULL ? 1 : 0);
    }
    if (node == NULL) {
        return false;
    }
    node->value = value;
    node->value_size = value_size;
    return true;
}

// What is no input (the name, what was expected), what is given otherwise (the seed), and what the
// reader takes from the rest.
static bool is_left_out(const char *line, size_t size)
{
    static const char *const starts[] = {"seed = ",
                                         "name = ",
                                         "about = ",
                                         "expect.",
                                         "storage.bandwidth = unlimited",
                                         "config.high-availability.type = NONE"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t length = strlen(starts[i]);

        if (size >= length && memcmp(line, starts[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_lines(struct sim_arena *arena, struct node *root, const char *canonical)
{
    while (*canonical != '\0') {
        size_t size = strcspn(canonical, "\n");
        const char *equals = strstr(canonical, " = ");

        if (size > 0 && !is_left_out(canonical, size)) {
            size_t path;

            if (equals == NULL || equals > canonical + size) {
                return false;
            }
            path = (size_t)(equals - canonical);
            if (!insert(arena, root, canonical, path, equals + 3, size - path - 3)) {
                return false;
            }
        }
        canonical += size + (canonical[size] == '\n' ? 1 : 0);
    }
    return root->first != NULL;
}

static bool is_list(const struct node *node)
{
    bool digits = node->first != NULL;

    for (const struct node *n = node->first; digits && n != NULL; n = n->next) {
        digits = n->key_size > 0 && strspn(n->key, "0123456789") >= n->key_size;
    }
    return digits || is(node, "stages") || is(node, "faults");
}

// The depth is bounded by DEPTH_MAX, so this recursion is.
static void write_node(struct results_text *yaml, const struct node *node)
{
    bool list = is_list(node);

    if (node->value != NULL) { // also where details of a named choice follow: they come with it
        results_text_bytes(yaml, node->value, node->value_size);
        return;
    }
    results_text_char(yaml, list ? '[' : '{');
    for (const struct node *n = node->first; n != NULL; n = n->next) {
        results_text_add(yaml, n == node->first ? "" : ",\n  ");
        if (!list) {
            results_text_bytes(yaml, n->key, n->key_size);
            results_text_add(yaml, ": ");
        }
        write_node(yaml, n);
    }
    results_text_char(yaml, list ? ']' : '}');
}

bool results_rerun_scenario(const char *canonical, struct results_text *yaml)
{
    struct node root = {"", 0, NULL, 0, NULL, NULL, NULL};
    struct sim_arena arena;
    bool read;

    sim_arena_init(&arena, 0);
    read = read_lines(&arena, &root, canonical);
    results_text_add(yaml, "name: rerun\n");
    for (const struct node *n = root.first; read && n != NULL; n = n->next) {
        results_text_bytes(yaml, n->key, n->key_size);
        results_text_add(yaml, ": ");
        write_node(yaml, n);
        results_text_char(yaml, '\n');
    }
    sim_arena_release(&arena);
    return read && !yaml->failed;
}

static bool run(const struct scenario *scenario, const char *fingerprint,
                const struct sim_trace *trace, struct model_result *result,
                struct results_text *why)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_OFF, .trace = trace};
    struct sim_arena arena;
    int error;

    sim_arena_init(&arena, 0);
    error = model_run_pair(&scenario->config, &options, &arena, result, NULL);
    sim_arena_release(&arena);
    if (error != 0) {
        results_text_add(why, "The run could not be made again.");
        return false;
    }
    for (uint32_t i = 0; i < sizeof(result->fingerprint); i++) {
        static const char digits[] = "0123456789abcdef";

        if (fingerprint[2 * i] != digits[result->fingerprint[i] >> 4] ||
            fingerprint[2 * i + 1] != digits[result->fingerprint[i] & 15]) {
            results_text_add(why, "The run, made again with this version, has another fingerprint "
                                  "than the one recorded, so it is not drawn.");
            return false;
        }
    }
    return true;
}

bool results_rerun(const char *canonical, uint64_t seed, const char *fingerprint,
                   const struct sim_trace *trace, struct model_result *result,
                   struct results_text *why)
{
    struct scenario_overrides overrides = {.seed_given = true, .seed = seed};
    struct results_text yaml;
    struct scenario scenario;
    bool same = false;

    results_text_init(&yaml);
    memset(&scenario, 0, sizeof(scenario));
    if (strstr(canonical, "{trace: ") != NULL) {
        results_text_add(why, "The scenario takes values from a file, which the database does not "
                              "hold, so its run cannot be made again.");
    } else if (strlen(fingerprint) != 2 * sizeof(result->fingerprint) ||
               !results_rerun_scenario(canonical, &yaml)) {
        results_text_add(why, "The database does not hold the scenario of the run.");
    } else if (scenario_parse(&scenario, "the recorded scenario", yaml.data, yaml.size,
                              &overrides) != SCENARIO_OK) {
        results_text_format(why, "The recorded scenario cannot be read again%s%s.",
                            scenario.n_errors > 0 ? ": " : "",
                            scenario.n_errors > 0 ? scenario.errors[0].text : "");
    } else {
        same = run(&scenario, fingerprint, trace, result, why);
    }
    scenario_release(&scenario);
    results_text_release(&yaml);
    return same;
}
