// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of the sweep loader share; nothing outside scenarios/ includes this.
//
// The way of a sweep: its tree is read and checked against the table of keys (sweep_keys.c,
// sweep_read.c), axes get their values (sweep_axis.c, sweep_generate.c), the condition is compiled
// (sweep_where.c), the combinations are counted out, and each that remains is resolved as the
// scenario that it is (sweep_expand.c). Values stay nodes with places in the sweep file, so an
// error that a scenario finds in one is shown where it stands.
#ifndef RECOUP_SCENARIOS_SWEEP_PARTS_H
#define RECOUP_SCENARIOS_SWEEP_PARTS_H

#include "scenarios/loader.h"
#include "scenarios/sweep.h"

// --- keys ----------------------------------------------------------------------------------------

// The maps of a sweep file, with their paths.
#define SWEEP_SECTIONS(X)                                                                          \
    X(SWEEP_ROOT, "", "The file")                                                                  \
    X(SWEEP_AXIS, "axes[]", "One axis")                                                            \
    X(SWEEP_WITH, "axes[].with[]", "A path that moves with an axis")                               \
    X(SWEEP_RANGE, "range", "Equal steps")                                                         \
    X(SWEEP_LOG, "log", "Equal ratios")                                                            \
    X(SWEEP_VALUE, "values[]", "A value with a label")                                             \
    X(SWEEP_SOBOL, "sobol", "A quasi-random sample")                                               \
    X(SWEEP_SAMPLED, "sobol.axes[]", "One axis of the sample")                                     \
    X(SWEEP_REPLICATIONS, "replications", "How often each point is run, until it is known")        \
    X(SWEEP_UNTIL, "replications.until", "What is known, and how well")                            \
    X(SWEEP_LIMITS, "limits", "Limits of one run")

enum sweep_section {
#define X(name, path, title) name,
    SWEEP_SECTIONS(X)
#undef X
        SWEEP_SECTION_COUNT
};

// How a value is written. Simple ones are typed as scenario values are.
enum sweep_key_kind {
    SWEEP_SCALAR,     // by `type`
    SWEEP_MAP,        // of section `child`
    SWEEP_LIST,       // of maps of section `child`
    SWEEP_VALUES,     // a list of any values, or of maps of section SWEEP_VALUE
    SWEEP_POINTS,     // a list of maps, axis to value
    SWEEP_ANY,        // any value
    SWEEP_QUANTITY,   // a number with its unit
    SWEEP_CONDITION,  // `where`
    SWEEP_REPEATS,    // a number, or a map of section `child`
    SWEEP_HALF_WIDTH, // a share, or a number with the metric's unit
    SWEEP_MEASURES    // a list of `choices`
};

struct sweep_key {
    enum sweep_section section;
    const char *key;
    enum sweep_key_kind kind;
    enum scenario_type type; // SWEEP_SCALAR
    const char *choices;
    int64_t min, max;
    enum sweep_section child;
    bool required;
    const char *fallback; // NULL: none
    const char *doc;
};

uint32_t sweep_keys_count(void);
const struct sweep_key *sweep_keys_at(uint32_t index);
const struct sweep_key *sweep_keys_find(enum sweep_section section, const char *key);
const char *sweep_section_path(enum sweep_section section);
const char *sweep_section_title(enum sweep_section section);

// --- what is being read --------------------------------------------------------------------------

enum sweep_unit {
    SWEEP_UNIT_TEXT,
    SWEEP_UNIT_NS,
    SWEEP_UNIT_BYTES,
    SWEEP_UNIT_RATE,
    SWEEP_UNIT_PRICE,
    SWEEP_UNIT_COUNT,
    SWEEP_UNIT_DECIMAL,
    SWEEP_UNIT_SHARE
};

struct sweep_quantity {
    enum sweep_unit unit;
    int64_t number;
};

struct sweep_value {
    const struct scenario_node *node;
    const char *label;   // as given; NULL: the text without blanks
    const char *written; // the node as text
    const char *text;    // canonical
    struct sweep_quantity quantity;
    const struct scenario_change *const *changes; // of the axis and of what moves with it
    const char *const *sets;                      // the same as --set wants them
    uint32_t tree;                                // of an axis of files: which
};

struct sweep_axis {
    const struct scenario_node *map;
    const char *name;
    struct scenario_place name_place;
    const char *path;
    struct scenario_place path_place;
    bool files; // `path: scenario`
    bool sampled;
    enum sweep_unit unit;
    uint32_t n_with;
    struct sweep_value *values;
    uint32_t n_values, capacity;
    uint32_t n_listed; // those of the axis itself; the others are of single points
};

struct sweep_tree { // a scenario file that has been read
    const char *path, *folder;
    const struct scenario_node *root;
};

struct sweep_where_program;

struct sweep_explicit { // a map of `points`
    const struct scenario_node *map;
    uint32_t *values;
};

struct sweep_reader {
    struct scenario_loader loader;
    struct scenario self; // takes the messages
    struct scenario_sweep *sweep;
    struct scenario_file *file;
    const struct scenario_node *root;
    struct sweep_tree *trees;
    uint32_t n_trees;
    struct sweep_axis axes[SCENARIO_SWEEP_AXES_MAX];
    uint32_t n_axes;
    uint32_t n_samples; // of `sobol`
    struct sweep_explicit *explicits;
    uint32_t n_explicits;
    const struct scenario_change *limits[2];
    const char *limit_sets[2];
    uint32_t n_limits;
    const struct sweep_where_program *where;
};

// --- reading (sweep_read.c) ----------------------------------------------------------------------

// Checks that `map` is a map with the section's keys and none of them is missing. False: no map.
bool sweep_check_keys(struct sweep_reader *reader, enum sweep_section section,
                      const struct scenario_node *map);
// Types a scalar by its row; false after an error, or when the key is not there (`value` stays).
bool sweep_scalar(struct sweep_reader *reader, enum sweep_section section,
                  const struct scenario_node *map, const char *key, int64_t *value);
// A scalar's text; NULL after an error, or when the key is not there.
const char *sweep_text(struct sweep_reader *reader, const struct scenario_node *map,
                       const char *key);
void sweep_read(struct sweep_reader *reader);
// The place of the character `offset` bytes into a scalar, where it stands on one line.
struct scenario_place sweep_place_inside(const struct scenario_node *node, size_t offset);

// --- axes (sweep_axis.c, sweep_generate.c) -------------------------------------------------------

void sweep_read_axes(struct sweep_reader *reader, const struct scenario_node *list);
void sweep_read_sobol(struct sweep_reader *reader, const struct scenario_node *map);
void sweep_read_points(struct sweep_reader *reader, const struct scenario_node *list);
// Reads a scenario file; its index among the trees, UINT32_MAX after an error.
uint32_t sweep_read_tree(struct sweep_reader *reader, const struct scenario_node *node);
// Types every value and gives each axis its unit.
void sweep_type_axes(struct sweep_reader *reader);

// A number with its unit; TEXT when it is none.
struct sweep_quantity sweep_quantity_parse(const char *text);
const char *sweep_quantity_text(struct sweep_reader *reader, struct sweep_quantity quantity);
// The same as a node of the file that stands where `map` does.
const struct scenario_node *sweep_quantity_node(struct sweep_reader *reader,
                                                const struct scenario_node *map,
                                                struct sweep_quantity quantity);
const char *sweep_unit_text(enum sweep_unit unit); // "a duration"
// The nodes of `range` or `log`; how many, 0 after an error.
uint32_t sweep_generate_range(struct sweep_reader *reader, const struct scenario_node *map,
                              const struct scenario_node ***nodes);
uint32_t sweep_generate_log(struct sweep_reader *reader, const struct scenario_node *map,
                            const struct scenario_node ***nodes);
// `from` and `to` of a map, of one unit and from < to; false after an error.
bool sweep_bounds(struct sweep_reader *reader, const struct scenario_node *map, bool log,
                  struct sweep_quantity *from, struct sweep_quantity *to);
// Row i, column d of the Sobol sequence are at samples[i * dimensions + d], in 2^-30.
const uint32_t *sweep_sobol(struct sweep_reader *reader, uint32_t rows, uint32_t dimensions);
// The value at share x (in 2^-30) between two quantities.
int64_t sweep_between(int64_t from, int64_t to, uint32_t x, bool log);

// --- expansion (sweep_expand.c) ------------------------------------------------------------------

void sweep_expand(struct sweep_reader *reader);
// The scenario of the values with these indices; `n_values` 0: with none of them changed.
int sweep_load_values(const struct sweep_reader *reader, const uint32_t *values,
                      const uint64_t *seed, struct scenario *scenario);
// scenario_release, for memory's cleanup.
void sweep_release_scenario(void *scenario);
// A scenario in which one change has been made.
int sweep_load_change(const struct sweep_reader *reader, uint32_t tree,
                      const struct scenario_change *change, struct scenario *scenario);

// Loads with a test's wish: the allocation `fail_at` (from 1) fails; 0: none. `allocations` (may be
// NULL) receives how many there were. `text` NULL: read the file.
int sweep_load_counted(struct scenario_sweep *sweep, const char *path, const char *text,
                       size_t size, uint64_t fail_at, uint64_t *allocations);

// --- conditions (sweep_where.c) ------------------------------------------------------------------

// Compiles a condition; NULL after an error. `node` is where it stands, for messages.
const struct sweep_where_program *sweep_where_compile(struct scenario_loader *loader,
                                                      const struct sweep_reader *reader,
                                                      const struct scenario_node *node);
bool sweep_where_holds(const struct sweep_where_program *program, const struct sweep_reader *reader,
                       const uint32_t *values);
size_t sweep_where_explain(const struct sweep_where_program *program,
                           const struct sweep_reader *reader, const uint32_t *values, char *text,
                           size_t size);

#endif
