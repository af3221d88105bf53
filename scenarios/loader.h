// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of the loader share; nothing outside scenarios/ (and its tests) includes this.
//
// The way of a scenario: read (tree.c: text to nodes) -> normalise and merge `base` and
// `config-file` (merge.c) -> --set and --fault (override.c) -> bind to the option table (bind*.c),
// which types every value, reports every error and records every resolved value -> judge what is
// only wrong together (check.c).
#ifndef RECOUP_SCENARIOS_LOADER_H
#define RECOUP_SCENARIOS_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/config.h"
#include "scenarios/memory.h"
#include "scenarios/options.h"
#include "scenarios/scenario.h"

#define SCENARIO_FILE_BYTES_MAX (UINT32_C(1) << 20)
#define SCENARIO_TRACE_BYTES_MAX (UINT32_C(64) << 20)
#define SCENARIO_DEPTH_MAX 32u
#define SCENARIO_MAP_KEYS_MAX 1024u    // duplicates are found by comparing all pairs
#define SCENARIO_NAME_BYTES_MAX 63u

// --- text and nodes ------------------------------------------------------------------------------

struct scenario_file {
    const char *name;        // as shown in messages
    const char *folder;      // relative paths inside start here: "" or ending in '/'
    const char *text;
    size_t size;
    const char *parsed;      // what the parser reads in its place, equally long; NULL: the text
    const uint32_t *lines;   // offset of each line
    uint32_t n_lines;
    uint32_t order;          // messages are sorted by it
    bool is_argument;        // the text of --set or --fault
};

struct scenario_place {
    const struct scenario_file *file;  // NULL: no place
    uint32_t line;                     // from 1; 0: the file as a whole
    uint32_t column;                   // from 1, in characters
};

enum scenario_node_kind { SCENARIO_NODE_SCALAR, SCENARIO_NODE_LIST, SCENARIO_NODE_MAP };

struct scenario_note {       // where a default or a preset's value comes from
    const char *detail;
    const char *source;
    bool assumed;
};

struct scenario_node {
    enum scenario_node_kind kind;
    enum scenario_origin origin;
    bool plain;                        // scalar without quotes
    struct scenario_place place;
    struct scenario_place key_place;
    const char *key;                   // in a map, else NULL
    const char *text;                  // of a scalar
    const struct scenario_note *note;  // of a default or preset
    struct scenario_node *first, *last, *next;
    uint32_t count;
};

enum scenario_law_unit { SCENARIO_LAW_NS, SCENARIO_LAW_BYTES, SCENARIO_LAW_SHARE };

struct scenario_trace_column {  // a column of a CSV file, read once
    const char *file;
    const char *column;
    const char *unit;
    enum scenario_law_unit law;
    const struct sim_law_point *points;
    uint32_t count;
    uint64_t digest;
    struct scenario_trace_column *next;
};

struct scenario_secret {        // lines of a file that show a secret
    const struct scenario_file *file;
    uint32_t from, to;
    struct scenario_secret *next;
};

struct scenario_text_list {
    const char **items;
    uint32_t count, capacity;
};

// Where the values of the sections ROOT, CLUSTER, MASTER, NETWORK and CONFIG are stored.
struct scenario_draft {
    struct model_config config;
    uint32_t version;
    const char *name, *about, *base, *config_file;
    int preset, profile;
    bool standby;
    int ha_type;                       // high-availability.type, when given
    const char *storage_dir;
    int restart_kind;
    uint32_t fixed_attempts, rate_failures, exponential_attempts;
    int64_t fixed_delay_ns, rate_interval_ns, rate_delay_ns;
    int64_t exponential_initial_ns, exponential_max_ns, exponential_threshold_ns,
        exponential_multiplier_nano;
};

struct scenario_loader {
    struct scenario_memory memory;
    struct scenario *scenario;
    struct scenario_draft draft;
    struct scenario_node *root;
    const char *preset;
    uint32_t files;                    // number of files so far

    struct scenario_message errors[SCENARIO_ERRORS_MAX];
    uint32_t error_order[SCENARIO_ERRORS_MAX];
    uint32_t n_errors;
    uint64_t errors_total;             // those beyond the limit included
    bool errors_cut;
    struct scenario_message *warnings;
    uint32_t n_warnings, warnings_capacity;
    struct scenario_secret *secrets;

    struct scenario_value *values;
    struct scenario_place *value_places;  // of each value's node
    uint32_t n_values, values_capacity;
    struct scenario_buffer canonical;
    char *seed_digits;                 // of scenario_reseed; NULL before the first
    struct scenario_text_list not_modelled;
    uint32_t other_keys;               // Flink keys without any effect here
    struct scenario_trace_column *traces;
};

// --- messages (message.c) ------------------------------------------------------------------------

void scenario_error(struct scenario_loader *loader, struct scenario_place place, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));
void scenario_warning(struct scenario_loader *loader, struct scenario_place place,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));
void scenario_messages_publish(struct scenario_loader *loader);  // sorted, into the scenario
// Takes over an error of another loader: a copy of it, sorted behind the files of this one where
// `foreign`.
void scenario_error_take(struct scenario_loader *loader, const struct scenario_message *message,
                         bool foreign);
void scenario_warning_take(struct scenario_loader *loader, const struct scenario_message *message);
// `text` for a message: at most 60 bytes, no control characters.
const char *scenario_quote(struct scenario_loader *loader, const char *text);
// Marks lines whose text must reach no message.
void scenario_secret_add(struct scenario_loader *loader, const struct scenario_node *node);
// Whether a path is that of a secret key of Flink's configuration. Names of one's own (a stage
// "tokenize") are no secrets.
bool scenario_path_is_secret(const char *path);
struct scenario_place scenario_no_place(void);
struct scenario_place scenario_file_place(const struct scenario_file *file);  // the file as a whole

// --- names (nearest.c) ---------------------------------------------------------------------------

// Collects known names, then finds the nearest to `name`: at most a third of its letters differ.
struct scenario_nearest {
    const char *name;
    const char *best;
    uint32_t distance;
};
void scenario_nearest_init(struct scenario_nearest *nearest, const char *name);
void scenario_nearest_offer(struct scenario_nearest *nearest, const char *known);
// "; did you mean 'x'?" or "".
const char *scenario_nearest_text(struct scenario_loader *loader,
                                  const struct scenario_nearest *nearest);
// Reports the key of `child`, which `path` does not know: with the nearest name, or else with all
// that are `known`.
void scenario_unknown_key(struct scenario_loader *loader, const struct scenario_node *child,
                          const struct scenario_nearest *nearest, const char *known,
                          const char *path);
bool scenario_name_is_legal(const char *name);

// --- files and nodes (file.c, tree.c) ------------------------------------------------------------

// Reads a file of at most `limit` bytes. Reports errors at `place`, with the path as `written`;
// NULL then.
struct scenario_file *scenario_file_read(struct scenario_loader *loader, const char *path,
                                         const char *written, size_t limit,
                                         struct scenario_place place);
struct scenario_file *scenario_file_text(struct scenario_loader *loader, const char *name,
                                         const char *folder, const char *text, size_t size);
// The code point at `p`, and its size; 0 for bytes that are no UTF-8.
size_t scenario_utf8_read(const unsigned char *p, size_t size, uint32_t *out);
// Reports bytes that no file may hold (bad UTF-8, control characters, tabs). False if there are
// any.
bool scenario_file_check(struct scenario_loader *loader, const struct scenario_file *file);
// `path` seen from the file that names it.
const char *scenario_path_join(struct scenario_loader *loader, const struct scenario_file *file,
                               const char *path);
// The path without detours, "job.yaml" for "sweeps/../job.yaml", where that is the same file:
// behind a symbolic link it need not be.
const char *scenario_path_tidy(struct scenario_loader *loader, const char *path);
const char *scenario_folder_of(struct scenario_loader *loader, const char *path);

enum scenario_tree_kind {
    SCENARIO_TREE_FILE,    // a scenario: a map; nulls are errors
    SCENARIO_TREE_SWEEP,   // a sweep: the same
    SCENARIO_TREE_CONFIG,  // Flink's config.yaml: a map, may be empty, nulls are left out
    SCENARIO_TREE_VALUE,   // any value, of --set and --fault, or of a default
};
// NULL after an error, which is reported.
struct scenario_node *scenario_tree_parse(struct scenario_loader *loader,
                                          const struct scenario_file *file,
                                          enum scenario_origin origin,
                                          enum scenario_tree_kind kind);
struct scenario_node *scenario_node_new(struct scenario_loader *loader,
                                        enum scenario_node_kind kind, enum scenario_origin origin,
                                        struct scenario_place place);
struct scenario_node *scenario_node_find(const struct scenario_node *map, const char *key);
void scenario_node_append(struct scenario_node *parent, struct scenario_node *child);
// Puts `child` in the place of the child with its key, or at the end.
void scenario_node_put(struct scenario_node *map, struct scenario_node *child);
// A deep copy in this loader's memory. Places in `from` become places in `to` (both may be NULL).
struct scenario_node *scenario_node_copy(struct scenario_loader *loader,
                                         const struct scenario_node *node,
                                         const struct scenario_file *from,
                                         const struct scenario_file *to);
// The node as one would write it on one line, in braces and brackets: "{at: 95 s, kill: master}".
const char *scenario_node_text(struct scenario_loader *loader, const struct scenario_node *node);
// A default or a preset's value as a node.
struct scenario_node *scenario_node_default(struct scenario_loader *loader, const char *text,
                                            enum scenario_origin origin,
                                            const struct scenario_note *note);
const char *scenario_node_kind_text(const struct scenario_node *node);  // "a map"

// --- base, config-file, overrides (merge.c, override.c) ------------------------------------------

// Parses `file`, flattens its config, reads its config-file and its base. NULL after an error.
struct scenario_node *scenario_read(struct scenario_loader *loader,
                                    const struct scenario_file *file);
// Applies --set, --fault and --seed to loader->root. `file` is the scenario's.
bool scenario_override(struct scenario_loader *loader, const struct scenario_file *file,
                       const struct scenario_overrides *overrides);

// One path set to one value, as --set does, with places of the file that it stands in.
struct scenario_change {
    const char *path;
    struct scenario_place place;  // of the path's first character
    const struct scenario_node *value;
};
// False after an error. The value becomes part of loader->root.
bool scenario_change_apply(struct scenario_loader *loader, const struct scenario_change *change,
                           struct scenario_node *value);
// Whether a path is well-formed and may be set; false after an error.
bool scenario_change_check(struct scenario_loader *loader, const struct scenario_change *change);

// A scenario that has been read, to be changed and bound any number of times.
struct scenario_source {
    const char *path;
    const char *folder;                       // relative paths inside changed values start here
    const struct scenario_node *root;
    struct scenario_secret *secrets;          // of the files that were read
    uint32_t files;                           // how many
    const struct scenario_file *changes_file; // where the changes stand
    const struct scenario_change *const *changes;
    uint32_t n_changes;
    bool seed_given;
    uint64_t seed;
};
// As scenario_load. `source` and what it points to must outlive `scenario`.
int scenario_load_source(struct scenario *scenario, const struct scenario_source *source);

// --- units (units.c) -----------------------------------------------------------------------------

enum scenario_units {
    SCENARIO_UNITS_OK,
    SCENARIO_UNITS_NO_NUMBER,
    SCENARIO_UNITS_NO_UNIT,
    SCENARIO_UNITS_UNKNOWN_UNIT,
    SCENARIO_UNITS_NOT_WHOLE,   // not a whole number of ns, bytes or 1e-9
    SCENARIO_UNITS_TOO_LARGE,
    SCENARIO_UNITS_NEGATIVE,
};
enum scenario_units scenario_units_duration(const char *text, int64_t *ns);
enum scenario_units scenario_units_size(const char *text, int64_t *bytes);
enum scenario_units scenario_units_rate(const char *text, int64_t *bytes);
enum scenario_units scenario_units_price(const char *text, int64_t *nanousd);
enum scenario_units scenario_units_decimal(const char *text, int64_t *nano);
enum scenario_units scenario_units_share(const char *text, int64_t *nano);
enum scenario_units scenario_units_integer(const char *text, int64_t *value);
enum scenario_units scenario_units_flink_duration(const char *text, int64_t *ns);
enum scenario_units scenario_units_flink_size(const char *text, int64_t *bytes);

#define SCENARIO_UNITS_TEXT 40
void scenario_units_duration_text(int64_t ns, char text[SCENARIO_UNITS_TEXT]);   // "3 min"
// Exact, too, but for what was measured: "2.0015 s", not "2001500 us".
void scenario_units_measured_text(int64_t ns, char text[SCENARIO_UNITS_TEXT]);
void scenario_units_size_text(int64_t bytes, char text[SCENARIO_UNITS_TEXT]);    // "64 mb"
void scenario_units_decimal_text(int64_t nano, char text[SCENARIO_UNITS_TEXT]);  // "0.4"
void scenario_units_share_text(int64_t nano, char text[SCENARIO_UNITS_TEXT]);    // "50%"

// --- laws (laws.c, trace.c) ----------------------------------------------------------------------

// One way to write a law: `{kind: {parameters}}`.
struct scenario_law_syntax {
    const char *name;
    enum sim_law_kind kind;
    const char *a, *b;       // parameters: a value, and a value or a number
    bool b_is_number;
    const char *doc;
};
#define SCENARIO_LAW_SYNTAXES 6u
const struct scenario_law_syntax *scenario_law_syntax_at(uint32_t index);

struct scenario_law {
    struct sim_law law;
    enum scenario_law_unit unit;
    const char *text;        // canonical
};
// Types `node` as a law of `unit`. With SCENARIO_LAW_SHARE either a share or a duration may stand
// there, and `out->unit` says which. False after an error, which is reported.
bool scenario_law_parse(struct scenario_loader *loader, const struct scenario_node *node,
                        enum scenario_law_unit unit, struct scenario_law *out);
const char *scenario_law_text(struct scenario_loader *loader, const struct sim_law *law,
                              enum scenario_law_unit unit);
// Types one scalar in `unit`; false after an error.
bool scenario_law_value(struct scenario_loader *loader, const struct scenario_node *node,
                        enum scenario_law_unit unit, int64_t *value);
// The values of a CSV column; NULL after an error, reported at `node`.
const struct scenario_trace_column *scenario_trace_read(struct scenario_loader *loader,
                                                        const struct scenario_node *node,
                                                        const char *path, const char *column,
                                                        const char *unit,
                                                        enum scenario_law_unit law);

// --- binding (bind.c and its neighbours) ---------------------------------------------------------

// Checks that `map` is a map with known keys only; false: it is no map.
bool scenario_bind_keys(struct scenario_loader *loader, enum scenario_section section,
                        const struct scenario_node *map, const char *path);
// Binds every row of `section` whose value is stored by offset: given, or preset, or default. `map`
// may be NULL. `path` is the section's path with names in it ("job.stages.scan").
void scenario_bind_section(struct scenario_loader *loader, enum scenario_section section,
                           const struct scenario_node *map, const char *path, void *base);
// Types one node by its row, stores it in `base`, records it under `path`.
bool scenario_bind_row(struct scenario_loader *loader, const struct scenario_option *row,
                       const struct scenario_node *node, const char *path, void *base);
// Types a scalar only (no law, no text); the canonical text goes to `canonical`.
bool scenario_bind_scalar(struct scenario_loader *loader, const struct scenario_option *row,
                          const struct scenario_node *node, int64_t *value, const char **canonical);
void scenario_type_error(struct scenario_loader *loader, const struct scenario_node *node,
                         enum scenario_type type, bool flink, enum scenario_units why);
int scenario_choice_index(const char *choices, const char *text, bool fold_case);  // -1: none
const char *scenario_choice_text(struct scenario_loader *loader, const char *choices,
                                 int64_t index);
void scenario_record(struct scenario_loader *loader, const char *path, const char *value,
                     const struct scenario_node *node);
const char *scenario_key_path(struct scenario_loader *loader, const char *path, const char *key);
// The preset's node for `path`; NULL if presets say nothing about it.
struct scenario_node *scenario_preset_node(struct scenario_loader *loader, const char *path);

void scenario_bind_root(struct scenario_loader *loader);
void scenario_bind_config(struct scenario_loader *loader, const struct scenario_node *map);
void scenario_bind_job(struct scenario_loader *loader, const struct scenario_node *map);
// The index of the stage that `node` names; MODEL_NO_STAGE after an error.
uint32_t scenario_stage_find(struct scenario_loader *loader, const struct scenario_node *node);
void scenario_bind_environment(struct scenario_loader *loader);  // ha, storage
void scenario_bind_faults(struct scenario_loader *loader, const struct scenario_node *list);
void scenario_bind_expect(struct scenario_loader *loader, const struct scenario_node *map);
void scenario_check(struct scenario_loader *loader);

// The keys and rules of Flink's configuration (config_keys.c).
bool scenario_config_key_is_modelled_prefix(const char *key);
const struct scenario_option *scenario_config_find(const char *key);  // deprecated names, too
void scenario_config_nearest(struct scenario_nearest *nearest);

// The worker model's policies (H35 to H37), for lists.
struct scenario_worker_policy_text {
    const char *key, *values, *flink, *hardened, *hazards, *doc;
};
uint32_t scenario_worker_policies_count(void);
struct scenario_worker_policy_text scenario_worker_policy_text(uint32_t index);

// --- tables --------------------------------------------------------------------------------------

struct scenario_preset_row {
    const char *preset;
    const char *path;
    const char *text;
    const char *source;
    bool assumed;
};
uint32_t scenario_preset_rows_count(void);
const struct scenario_preset_row *scenario_preset_rows_at(uint32_t index);
#define SCENARIO_PRESETS "kubernetes|kubernetes-standby|yarn-zookeeper|standalone-zookeeper"

struct scenario_connector {
    const char *name;
    bool batch_snapshot;
    const char *source;
};
uint32_t scenario_connectors_count(void);
const struct scenario_connector *scenario_connectors_at(uint32_t index);
const struct scenario_connector *scenario_connectors_find(const char *name);

// Loads with a test's wish: the allocation `fail_at` (from 1) fails; 0: none. `allocations` (may be
// NULL) receives how many there were. `text` NULL: read the file.
int scenario_load_counted(struct scenario *scenario, const char *path, const char *text,
                          size_t size, const struct scenario_overrides *overrides, uint64_t fail_at,
                          uint64_t *allocations);

#endif
