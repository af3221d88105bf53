// SPDX-License-Identifier: GPL-3.0-or-later
//
// Nodes as a whole: copies, and the text of one on a single line.
#include <string.h>

#include "scenarios/loader.h"

// A tree as it is read has at most SCENARIO_DEPTH_MAX levels, and a change puts one inside another.
#define DEPTH_MAX (2 * SCENARIO_DEPTH_MAX + 2)

static struct scenario_node *copy_one(struct scenario_loader *loader,
                                      const struct scenario_node *node,
                                      const struct scenario_file *from,
                                      const struct scenario_file *to)
{
    struct scenario_node *copy = scenario_allocate(&loader->memory, sizeof(*copy));
    *copy = *node;
    copy->first = copy->last = copy->next = NULL;
    copy->count = 0;
    if (from != NULL && copy->place.file == from) {
        copy->place.file = to;
    }
    if (from != NULL && copy->key_place.file == from) {
        copy->key_place.file = to;
    }
    return copy;
}

struct scenario_node *scenario_node_copy(struct scenario_loader *loader,
                                         const struct scenario_node *node,
                                         const struct scenario_file *from,
                                         const struct scenario_file *to)
{
    struct {
        const struct scenario_node *next;
        struct scenario_node *parent;
    } stack[DEPTH_MAX];
    uint32_t depth = 1;
    struct scenario_node *root = copy_one(loader, node, from, to);
    stack[0].next = node->first;
    stack[0].parent = root;
    while (depth > 0) {
        const struct scenario_node *child = stack[depth - 1].next;
        if (child == NULL) {
            depth--;
            continue;
        }
        stack[depth - 1].next = child->next;
        struct scenario_node *copy = copy_one(loader, child, from, to);
        scenario_node_append(stack[depth - 1].parent, copy);
        if (child->first != NULL && depth < DEPTH_MAX) {
            stack[depth].next = child->first;
            stack[depth].parent = copy;
            depth++;
        }
    }
    return root;
}

// --- text ----------------------------------------------------------------------------------------

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Whether a text means itself without quotes, also between braces and behind `PATH=`.
static bool is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_./+%-";
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./+";
    if (is_null_word(text) || strchr(first, text[0]) == NULL) {
        return false;
    }
    for (const char *p = text; *p != '\0'; p++) {
        bool blank = *p == ' ' && p[1] != ' ' && p[1] != '\0';
        if (!blank && strchr(safe, *p) == NULL) {
            return false;
        }
    }
    return true;
}

// In double quotes where there are line feeds (the only control character a value may hold).
static void put_scalar(struct scenario_loader *loader, struct scenario_buffer *out,
                       const char *text)
{
    bool lines = strchr(text, '\n') != NULL;
    if (is_plain(text)) {
        scenario_buffer_append(&loader->memory, out, text, strlen(text));
        return;
    }
    scenario_buffer_append(&loader->memory, out, lines ? "\"" : "'", 1);
    for (const char *p = text; *p != '\0'; p++) {
        if (!lines && *p == '\'') {
            scenario_buffer_append(&loader->memory, out, "''", 2);
        } else if (lines && *p == '\n') {
            scenario_buffer_append(&loader->memory, out, "\\n", 2);
        } else if (lines && (*p == '"' || *p == '\\')) {
            scenario_buffer_print(&loader->memory, out, "\\%c", *p);
        } else {
            scenario_buffer_append(&loader->memory, out, p, 1);
        }
    }
    scenario_buffer_append(&loader->memory, out, lines ? "\"" : "'", 1);
}

static void put_open(struct scenario_loader *loader, struct scenario_buffer *out,
                     const struct scenario_node *node)
{
    if (node->kind == SCENARIO_NODE_SCALAR) {
        put_scalar(loader, out, node->text);
    } else {
        scenario_buffer_append(&loader->memory, out, node->kind == SCENARIO_NODE_MAP ? "{" : "[",
                               1);
    }
}

const char *scenario_node_text(struct scenario_loader *loader, const struct scenario_node *node)
{
    struct {
        const struct scenario_node *parent;
        const struct scenario_node *next;
    } stack[DEPTH_MAX];
    uint32_t depth = 1;
    struct scenario_buffer out = {0};
    put_open(loader, &out, node);
    stack[0].parent = node;
    stack[0].next = node->first;
    while (depth > 0) {
        const struct scenario_node *parent = stack[depth - 1].parent;
        const struct scenario_node *child = stack[depth - 1].next;
        if (child == NULL) {
            if (parent->kind != SCENARIO_NODE_SCALAR) {
                scenario_buffer_append(&loader->memory, &out,
                                       parent->kind == SCENARIO_NODE_MAP ? "}" : "]", 1);
            }
            depth--;
            continue;
        }
        stack[depth - 1].next = child->next;
        scenario_buffer_append(&loader->memory, &out, ", ", child == parent->first ? 0 : 2);
        if (parent->kind == SCENARIO_NODE_MAP) {
            put_scalar(loader, &out, child->key);
            scenario_buffer_append(&loader->memory, &out, ": ", 2);
        }
        put_open(loader, &out, child);
        if (child->kind != SCENARIO_NODE_SCALAR && depth < DEPTH_MAX) {
            stack[depth].parent = child;
            stack[depth].next = child->first;
            depth++;
        }
    }
    return out.text;
}
