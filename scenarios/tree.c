// SPDX-License-Identifier: GPL-3.0-or-later
//
// YAML to nodes. Every scalar stays the text that was written; the option table types it later. Of
// YAML only maps, lists and scalars are accepted: no anchors, aliases, tags, directives, tabs or
// second documents, no duplicate keys, no nulls. The depth is limited, so the library's quadratic
// behaviour on deep nesting is never reached.
#include <string.h>
#include <yaml.h>

#include "scenarios/loader.h"

struct reader {
    struct scenario_loader *loader;
    const struct scenario_file *file;
    enum scenario_origin origin;
    enum scenario_tree_kind kind;
    yaml_parser_t parser;
    yaml_event_t event;
    bool event_live;
    bool stop;                // after an error that makes going on senseless
    uint64_t errors_before;
    uint32_t documents;
    struct scenario_node *root;
    struct scenario_node *stack[SCENARIO_DEPTH_MAX];
    uint32_t depth;
    const char *key;          // the key that waits for its value
    struct scenario_place key_place;
};

// --- bytes ---------------------------------------------------------------------------------------

// What is wrong with a character; NULL if nothing is.
static const char *character_fault(uint32_t code, bool before_newline)
{
    if (code == '\t') {
        return "a tab; indent and separate with spaces";
    }
    if (code == '\r') {
        return before_newline ? NULL : "a carriage return without a line feed";
    }
    if (code == 0x85 || code == 0x2028 || code == 0x2029) {
        return "a Unicode line separator; end lines with a line feed";
    }
    if ((code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0)) {
        return "a control character";
    }
    return code == 0xfeff || code == 0xfffe || code == 0xffff ? "a byte-order mark or non-character"
                                                              : NULL;
}

// Reports bytes that no file may hold. False if there are any.
bool scenario_file_check(struct scenario_loader *loader, const struct scenario_file *file)
{
    const unsigned char *text = (const unsigned char *)file->text;
    struct scenario_place place = {file, 1, 1};
    bool good = true;
    for (size_t i = 0; i < file->size;) {
        uint32_t code = 0;
        size_t n = scenario_utf8_read(text + i, file->size - i, &code);
        if (n == 0) {
            scenario_error(loader, place, "the file is not UTF-8: byte 0x%02x cannot stand here",
                           text[i]);
            return false;
        }
        const char *fault = character_fault(code, i + 1 < file->size && text[i + 1] == '\n');
        if (fault != NULL) {
            scenario_error(loader, place, "%s", fault);
            good = false;
        }
        if (code == '\n') {
            place.line++;
            place.column = 0;
        }
        place.column++;
        i += n;
    }
    return good;
}

// `about: One sentence: which question.` is no YAML, since it has ": " in a plain text; but a
// sentence is just what stands there. So the value of a top-level `about` on one line is given to
// the parser in quotes. Columns of that line shift by one at most, lines not at all.
static const char *quote_about(struct scenario_loader *loader, const struct scenario_file *file,
                               size_t *size)
{
    static const char key[] = "about: ";
    struct scenario_buffer out = {0};
    *size = file->size;
    for (uint32_t line = 0; line < file->n_lines; line++) {
        size_t from = file->lines[line];
        size_t end = line + 1 < file->n_lines ? file->lines[line + 1] - 1 : file->size;
        if (end - from < sizeof(key) || memcmp(file->text + from, key, sizeof(key) - 1) != 0) {
            continue;
        }
        size_t at = from + sizeof(key) - 1;
        size_t stop = at;
        bool colon = false;
        for (; stop < end && !(file->text[stop] == '#' && file->text[stop - 1] == ' '); stop++) {
            colon =
                colon || (file->text[stop] == ':' && stop + 1 < end && file->text[stop + 1] == ' ');
        }
        while (stop > at && (file->text[stop - 1] == ' ' || file->text[stop - 1] == '\r')) {
            stop--;
        }
        if (!colon || strchr("\"'|>{[&*!#%@`", file->text[at]) != NULL) {
            return file->text;
        }
        scenario_buffer_append(&loader->memory, &out, file->text, at);
        scenario_buffer_append(&loader->memory, &out, "'", 1);
        for (size_t i = at; i < stop; i++) {
            scenario_buffer_append(&loader->memory, &out, "''", file->text[i] == '\'' ? 2 : 0);
            scenario_buffer_append(&loader->memory, &out, file->text + i,
                                   file->text[i] == '\'' ? 0 : 1);
        }
        scenario_buffer_append(&loader->memory, &out, "'", 1);
        scenario_buffer_append(&loader->memory, &out, file->text + stop, file->size - stop);
        *size = out.size;
        return out.text;
    }
    return file->text;
}

// --- nodes ---------------------------------------------------------------------------------------

struct scenario_node *scenario_node_new(struct scenario_loader *loader,
                                        enum scenario_node_kind kind, enum scenario_origin origin,
                                        struct scenario_place place)
{
    struct scenario_node *node = scenario_allocate(&loader->memory, sizeof(*node));
    node->kind = kind;
    node->origin = origin;
    node->place = place;
    node->text = "";
    return node;
}

struct scenario_node *scenario_node_find(const struct scenario_node *map, const char *key)
{
    if (map == NULL || map->kind != SCENARIO_NODE_MAP) {
        return NULL;
    }
    for (struct scenario_node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

void scenario_node_append(struct scenario_node *parent, struct scenario_node *child)
{
    child->next = NULL;
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->count++;
}

void scenario_node_put(struct scenario_node *map, struct scenario_node *child)
{
    struct scenario_node *before = NULL;
    struct scenario_node *old = map->first;
    while (old != NULL && strcmp(old->key, child->key) != 0) {
        before = old;
        old = old->next;
    }
    if (old == NULL) {
        scenario_node_append(map, child);
        return;
    }
    child->next = old->next;
    if (before == NULL) {
        map->first = child;
    } else {
        before->next = child;
    }
    map->last = map->last == old ? child : map->last;
}

const char *scenario_node_kind_text(const struct scenario_node *node)
{
    switch (node->kind) {
    case SCENARIO_NODE_SCALAR:
        return "a single value";
    case SCENARIO_NODE_LIST:
        return "a list";
    case SCENARIO_NODE_MAP:
        return "a map";
    }
    return "";
}

// --- events --------------------------------------------------------------------------------------

// The end of a file without a last line feed is, to the library, on a line of its own.
static struct scenario_place mark_place(const struct reader *r, yaml_mark_t mark)
{
    if (mark.line >= r->file->n_lines) {
        return (struct scenario_place){r->file, r->file->n_lines, UINT32_MAX};
    }
    return (struct scenario_place){r->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static void syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    struct scenario_place place = mark_place(r, p->problem_mark);
    const char *problem = p->problem != NULL ? p->problem : "this is not YAML";
    r->stop = true;
    if (p->error == YAML_MEMORY_ERROR) {
        scenario_out_of_memory(&r->loader->memory);
    }
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line) {
        scenario_error(r->loader, place, "not valid YAML: %s (%s at %zu:%zu)", problem, p->context,
                       p->context_mark.line + 1, p->context_mark.column + 1);
    } else if (p->context != NULL) {
        scenario_error(r->loader, place, "not valid YAML: %s (%s)", problem, p->context);
    } else {
        scenario_error(r->loader, place, "not valid YAML: %s", problem);
    }
}

static bool is_null(const struct scenario_node *node)
{
    return node->plain && (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
                           strcmp(node->text, "null") == 0 || strcmp(node->text, "Null") == 0 ||
                           strcmp(node->text, "NULL") == 0);
}

static void check_duplicate(struct reader *r, const struct scenario_node *map, const char *key,
                            struct scenario_place place)
{
    if (map->count >= SCENARIO_MAP_KEYS_MAX) {
        scenario_error(r->loader, place, "more than %u keys in one map", SCENARIO_MAP_KEYS_MAX);
        r->stop = true;
        return;
    }
    const struct scenario_node *first = scenario_node_find(map, key);
    if (first != NULL) {
        scenario_error(r->loader, place, "key '%s' is there already, at line %u, column %u",
                       scenario_quote(r->loader, key), (unsigned)first->key_place.line,
                       (unsigned)first->key_place.column);
    }
}

// Adds a finished or opened node to the one it stands in.
static void add(struct reader *r, struct scenario_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct scenario_node *parent = r->stack[r->depth - 1];
    if (parent->kind == SCENARIO_NODE_MAP) {
        node->key = r->key;
        node->key_place = r->key_place;
        r->key = NULL;
    }
    scenario_node_append(parent, node);
}

static bool wants_key(const struct reader *r)
{
    return r->depth > 0 && r->stack[r->depth - 1]->kind == SCENARIO_NODE_MAP && r->key == NULL;
}

static void on_key(struct reader *r, const char *text, struct scenario_place place)
{
    if (text[0] == '\0') {
        scenario_error(r->loader, place, "a key is missing here");
    }
    check_duplicate(r, r->stack[r->depth - 1], text, place);
    r->key = text;
    r->key_place = place;
}

static void refuse_null(struct reader *r, struct scenario_node *node)
{
    if (r->depth > 0 && r->stack[r->depth - 1]->kind == SCENARIO_NODE_MAP) {
        scenario_error(r->loader, r->key_place, "key '%s' has no value",
                       scenario_quote(r->loader, r->key));
    } else if (r->depth == 0 && r->kind != SCENARIO_TREE_VALUE) {
        scenario_error(r->loader, (struct scenario_place){r->file, 1, 1},
                       "the file is empty; a %s starts with 'version: 1'",
                       r->kind == SCENARIO_TREE_SWEEP ? "sweep" : "scenario");
    } else {
        scenario_error(r->loader, node->place, "a value is missing here");
    }
}

static void on_scalar(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    struct scenario_place place = mark_place(r, e->start_mark);
    const char *text = scenario_copy(&r->loader->memory, (const char *)e->data.scalar.value,
                                     e->data.scalar.length);
    if (e->data.scalar.anchor != NULL) {
        scenario_error(r->loader, place, "anchors are not accepted; use 'base' to share settings");
    }
    if (e->data.scalar.tag != NULL) {
        scenario_error(r->loader, place, "tags are not accepted; write the value alone");
    }
    if (strlen(text) != e->data.scalar.length) {
        scenario_error(r->loader, place, "a zero byte inside a value");
    }
    if (wants_key(r)) {
        on_key(r, text, place);
        return;
    }
    struct scenario_node *node =
        scenario_node_new(r->loader, SCENARIO_NODE_SCALAR, r->origin, place);
    node->text = text;
    node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!is_null(node)) {
        add(r, node);
    } else if (r->kind == SCENARIO_TREE_CONFIG && r->depth > 0) {
        scenario_warning(r->loader, r->key_place, "key '%s' has no value and is left out",
                         scenario_quote(r->loader, r->key != NULL ? r->key : ""));
        r->key = NULL;
    } else if (r->kind != SCENARIO_TREE_CONFIG) {
        refuse_null(r, node);
        add(r, node);
    }
}

static void on_start(struct reader *r, enum scenario_node_kind kind, const yaml_char_t *anchor,
                     const yaml_char_t *tag)
{
    struct scenario_place place = mark_place(r, r->event.start_mark);
    if (anchor != NULL) {
        scenario_error(r->loader, place, "anchors are not accepted; use 'base' to share settings");
    }
    if (tag != NULL) {
        scenario_error(r->loader, place, "tags are not accepted; write the value alone");
    }
    if (wants_key(r)) {
        scenario_error(r->loader, place, "a key must be a single text, not a map or a list");
        r->stop = true;
        return;
    }
    if (r->depth == SCENARIO_DEPTH_MAX) {
        scenario_error(r->loader, place, "nested deeper than %u levels", SCENARIO_DEPTH_MAX);
        r->stop = true;
        return;
    }
    struct scenario_node *node = scenario_node_new(r->loader, kind, r->origin, place);
    add(r, node);
    r->stack[r->depth++] = node;
}

static void on_document(struct reader *r)
{
    struct scenario_place place = mark_place(r, r->event.start_mark);
    if (r->event.data.document_start.version_directive != NULL
        || r->event.data.document_start.tag_directives.start
               != r->event.data.document_start.tag_directives.end) {
        scenario_error(r->loader, place, "YAML directives are not accepted");
    }
    if (++r->documents > 1) {
        scenario_error(r->loader, place, "a second document; a file holds one %s",
                       r->kind == SCENARIO_TREE_SWEEP ? "sweep" : "scenario");
        r->stop = true;
    }
}

static void on_event(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(r);
        break;
    case YAML_ALIAS_EVENT:
        scenario_error(r->loader, mark_place(r, e->start_mark),
                       "aliases are not accepted; use 'base' to share settings");
        r->stop = true;
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(r);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(r, SCENARIO_NODE_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(r, SCENARIO_NODE_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

static void reader_cleanup(void *context)
{
    struct reader *r = context;
    if (r->event_live) {
        yaml_event_delete(&r->event);
        r->event_live = false;
    }
    yaml_parser_delete(&r->parser);
}

static void read_events(struct reader *r)
{
    bool end = false;
    while (!end && !r->stop) {
        if (!yaml_parser_parse(&r->parser, &r->event)) {
            syntax_error(r);
            break;
        }
        r->event_live = true;
        end = r->event.type == YAML_STREAM_END_EVENT;
        on_event(r);
        r->event_live = false;
        yaml_event_delete(&r->event);
    }
}

static void check_root(struct reader *r)
{
    if (r->root == NULL && r->kind == SCENARIO_TREE_CONFIG) {
        r->root = scenario_node_new(r->loader, SCENARIO_NODE_MAP, r->origin,
                                    (struct scenario_place){r->file, 1, 1});
    } else if (r->root == NULL) {
        struct scenario_node nothing = {.place = {r->file, 1, 1}};
        refuse_null(r, &nothing);
    } else if (r->kind != SCENARIO_TREE_VALUE && r->root->kind != SCENARIO_NODE_MAP
               && r->loader->errors_total == r->errors_before) {
        scenario_error(r->loader, r->root->place,
                       "expected keys and values ('version: 1'), found %s",
                       scenario_node_kind_text(r->root));
    }
}

struct scenario_node *scenario_tree_parse(struct scenario_loader *loader,
                                          const struct scenario_file *file,
                                          enum scenario_origin origin, enum scenario_tree_kind kind)
{
    uint64_t errors_before = loader->errors_total;
    if (!scenario_file_check(loader, file)) {
        return NULL;
    }
    size_t size = file->size;
    const char *text = file->parsed != NULL ? file->parsed : file->text;
    if (kind == SCENARIO_TREE_FILE || kind == SCENARIO_TREE_SWEEP) {
        text = quote_about(loader, file, &size);
    }
    // In the loader's memory, so that it still stands when an allocation jumps out of this
    // function.
    struct reader *r = scenario_allocate(&loader->memory, sizeof(*r));
    r->loader = loader;
    r->file = file;
    r->origin = origin;
    r->kind = kind;
    r->errors_before = errors_before;
    if (!yaml_parser_initialize(&r->parser)) {
        scenario_out_of_memory(&loader->memory);
    }
    loader->memory.cleanup = reader_cleanup;
    loader->memory.cleanup_context = r;
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, size);
    read_events(r);
    if (!r->stop) {
        check_root(r);
    }
    loader->memory.cleanup = NULL;
    reader_cleanup(r);
    return loader->errors_total == errors_before ? r->root : NULL;
}

struct scenario_node *scenario_node_default(struct scenario_loader *loader, const char *text,
                                            enum scenario_origin origin,
                                            const struct scenario_note *note)
{
    struct scenario_node *node = NULL;
    if (text[0] == '{') {
        const struct scenario_file *file =
            scenario_file_text(loader, "a built-in default", "", text, strlen(text));
        node = scenario_tree_parse(loader, file, origin, SCENARIO_TREE_VALUE);
    }
    if (node == NULL) {
        node = scenario_node_new(loader, SCENARIO_NODE_SCALAR, origin, scenario_no_place());
        node->text = text;
    }
    node->note = note;
    return node;
}
