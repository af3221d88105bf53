// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

// --- loading -------------------------------------------------------------------------------------

static void load(struct sweep_reader *reader, const char *path, const char *text, size_t size)
{
    struct scenario_loader *loader = &reader->loader;
    if (text == NULL) {
        reader->file =
            scenario_file_read(loader, path, path, SCENARIO_FILE_BYTES_MAX, scenario_no_place());
    } else if (size <= SCENARIO_FILE_BYTES_MAX) {
        reader->file =
            scenario_file_text(loader, path, scenario_folder_of(loader, path), text, size);
    } else {
        scenario_error(loader, scenario_no_place(),
                       "'%s' is larger than %u MiB, the limit of such a file",
                       scenario_quote(loader, path), SCENARIO_FILE_BYTES_MAX >> 20);
    }
    if (reader->file == NULL) {
        return;
    }
    reader->root =
        scenario_tree_parse(loader, reader->file, SCENARIO_OVERRIDE, SCENARIO_TREE_SWEEP);
    if (reader->root == NULL) {
        return;
    }
    sweep_read(reader);
    if (loader->errors_total == 0) {
        sweep_expand(reader);
    }
}

static void publish_messages(struct scenario_sweep *sweep, struct sweep_reader *reader)
{
    scenario_messages_publish(&reader->loader);
    sweep->warnings = reader->self.warnings;
    sweep->n_warnings = reader->self.n_warnings;
    sweep->errors = reader->self.errors;
    sweep->n_errors = reader->self.n_errors;
    sweep->errors_cut = reader->self.errors_cut;
}

// After running out of memory nothing of what was read may be used.
static int out_of_memory(struct scenario_sweep *sweep)
{
    scenario_sweep_release(sweep);
    return SCENARIO_ENOMEM;
}

int sweep_load_counted(struct scenario_sweep *sweep, const char *path, const char *text,
                       size_t size, uint64_t fail_at, uint64_t *allocations)
{
    memset(sweep, 0, sizeof(*sweep));
    struct sweep_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return SCENARIO_ENOMEM;
    }
    scenario_memory_init(&reader->loader.memory);
    reader->loader.memory.fail_at = fail_at;
    reader->loader.scenario = &reader->self;
    reader->sweep = sweep;
    sweep->memory = reader;
    if (setjmp(reader->loader.memory.out) != 0) {
        return out_of_memory(sweep);
    }
    sweep->path = scenario_copy_text(&reader->loader.memory, path);
    reader->self.path = sweep->path;
    load(reader, sweep->path, text, size);
    publish_messages(sweep, reader);
    if (allocations != NULL) {
        *allocations = reader->loader.memory.allocations;
    }
    return reader->loader.errors_total == 0 ? SCENARIO_OK : SCENARIO_INVALID;
}

int scenario_sweep_load(struct scenario_sweep *sweep, const char *path)
{
    return sweep_load_counted(sweep, path, NULL, 0, 0, NULL);
}

int scenario_sweep_parse(struct scenario_sweep *sweep, const char *file, const char *text,
                         size_t size)
{
    return sweep_load_counted(sweep, file, text, size, 0, NULL);
}

void scenario_sweep_release(struct scenario_sweep *sweep)
{
    struct sweep_reader *reader = sweep->memory;
    if (reader != NULL) {
        scenario_memory_release(&reader->loader.memory);
        free(reader);
    }
    memset(sweep, 0, sizeof(*sweep));
}

// --- points --------------------------------------------------------------------------------------

// Only a file that the scenario reads by itself can have changed since.
static int point_changed(struct scenario *scenario, const struct scenario_point *point)
{
    struct scenario_loader *loader = scenario->memory;
    if (setjmp(loader->memory.out) != 0) {
        scenario_release(scenario);
        return SCENARIO_ENOMEM;
    }
    scenario_error(
        loader, scenario_no_place(),
        "a file that this scenario reads has changed since the sweep was expanded; start "
        "the sweep again (at the point %s)",
        point->label);
    scenario_messages_publish(loader);
    return SCENARIO_INVALID;
}

int scenario_point_load(const struct scenario_sweep *sweep, const struct scenario_point *point,
                        uint64_t seed, struct scenario *scenario)
{
    const struct sweep_reader *reader = sweep->memory;
    char key[SCENARIO_SWEEP_KEY_SIZE];
    int status = sweep_load_values(reader, point->values, &seed, scenario);
    if (status != SCENARIO_OK) {
        return status;
    }
    scenario_point_key(scenario->canonical, key);
    return strcmp(key, point->key) == 0 ? SCENARIO_OK : point_changed(scenario, point);
}

size_t scenario_point_excluded_text(const struct scenario_sweep *sweep,
                                    const struct scenario_point *point, char *text, size_t size)
{
    const struct sweep_reader *reader = sweep->memory;
    if (size > 0) {
        text[0] = '\0';
    }
    return reader->where == NULL
               ? 0
               : sweep_where_explain(reader->where, reader, point->values, text, size);
}

// --- conditions from elsewhere -------------------------------------------------------------------

struct where_memory {
    struct scenario_loader loader;
    struct scenario self;
    const struct sweep_where_program *program;
};

static void where_compile(struct where_memory *memory, const struct sweep_reader *reader,
                          const char *name, const char *text)
{
    struct scenario_loader *loader = &memory->loader;
    struct scenario_file *file = scenario_file_text(loader, name, "", text, strlen(text));
    file->is_argument = true;
    if (!scenario_file_check(loader, file)) {
        return;
    }
    struct scenario_node *node = scenario_node_new(loader, SCENARIO_NODE_SCALAR, SCENARIO_OVERRIDE,
                                                   (struct scenario_place){file, 1, 1});
    node->text = file->text;
    node->plain = true;
    memory->program = sweep_where_compile(loader, reader, node);
}

int scenario_where_parse(struct scenario_where *where, const struct scenario_sweep *sweep,
                         const char *name, const char *text)
{
    memset(where, 0, sizeof(*where));
    struct where_memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return SCENARIO_ENOMEM;
    }
    scenario_memory_init(&memory->loader.memory);
    memory->loader.scenario = &memory->self;
    where->sweep = sweep;
    where->memory = memory;
    if (setjmp(memory->loader.memory.out) != 0) {
        scenario_where_release(where);
        return SCENARIO_ENOMEM;
    }
    memory->self.path = scenario_copy_text(&memory->loader.memory, name);
    where_compile(memory, sweep->memory, memory->self.path, text);
    scenario_messages_publish(&memory->loader);
    where->errors = memory->self.errors;
    where->n_errors = memory->self.n_errors;
    return memory->loader.errors_total == 0 ? SCENARIO_OK : SCENARIO_INVALID;
}

bool scenario_where_holds(const struct scenario_where *where, const struct scenario_point *point)
{
    const struct where_memory *memory = where->memory;
    return sweep_where_holds(memory->program, where->sweep->memory, point->values);
}

void scenario_where_release(struct scenario_where *where)
{
    struct where_memory *memory = where->memory;
    if (memory != NULL) {
        scenario_memory_release(&memory->loader.memory);
        free(memory);
    }
    memset(where, 0, sizeof(*where));
}
