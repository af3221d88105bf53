// SPDX-License-Identifier: GPL-3.0-or-later
//
// The option table: every key of a scenario file, once. The parser, the defaults, the bounds,
// `recoup list options`, docs/scenario-reference.md and scenarios/schema.json all come from it.
#ifndef RECOUP_SCENARIOS_OPTIONS_H
#define RECOUP_SCENARIOS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// A section is a map of a scenario file. Its rows are the keys that may stand in it.
#define SCENARIO_SECTIONS(X)                                                                       \
    X(SCENARIO_SECTION_ROOT, "", "The file")                                                       \
    X(SCENARIO_SECTION_JOB, "job", "The job")                                                      \
    X(SCENARIO_SECTION_STAGE, "job.stages[]", "One stage of the job")                              \
    X(SCENARIO_SECTION_INPUT, "job.stages[].inputs[]", "One input of a stage")                     \
    X(SCENARIO_SECTION_SOURCE, "job.stages[].source", "The source that a stage reads")             \
    X(SCENARIO_SECTION_COORDINATOR, "job.stages[].coordinator", "The coordinator of a stage")      \
    X(SCENARIO_SECTION_CLUSTER, "cluster", "The workers")                                          \
    X(SCENARIO_SECTION_MASTER, "master", "The masters")                                            \
    X(SCENARIO_SECTION_HA, "ha", "Leader election, when written as a map")                         \
    X(SCENARIO_SECTION_STORAGE, "storage", "The event store's file system, written as a map")      \
    X(SCENARIO_SECTION_PRICE, "storage.price", "What one request costs")                           \
    X(SCENARIO_SECTION_NETWORK, "network", "The network")                                          \
    X(SCENARIO_SECTION_FAULT, "faults[]", "One fault")                                             \
    X(SCENARIO_SECTION_WHEN, "faults[].when", "A state of the job that triggers a fault")          \
    X(SCENARIO_SECTION_EXPECT, "expect", "What must hold at the end")                              \
    X(SCENARIO_SECTION_BOUND, "expect.METRIC", "The bound of one metric")                          \
    X(SCENARIO_SECTION_CONFIG, "config", "Flink's own option keys")

enum scenario_section {
#define X(name, path, title) name,
    SCENARIO_SECTIONS(X)
#undef X
    SCENARIO_SECTION_COUNT
};

// How a value is written, and the C type that it is stored in.
#define SCENARIO_TYPES(X)                                                                          \
    X(SCENARIO_BOOLEAN, "true or false")                   /* bool */                              \
    X(SCENARIO_COUNT32, "integer")                         /* uint32_t */                          \
    X(SCENARIO_COUNT32_OR_AUTO, "integer or auto")         /* uint32_t, 0 is auto */               \
    X(SCENARIO_COUNT64, "integer")                         /* uint64_t */                          \
    X(SCENARIO_SIGNED32, "integer")                        /* int32_t */                           \
    X(SCENARIO_DURATION, "duration")                       /* int64_t, ns */                       \
    X(SCENARIO_SIZE, "size")                               /* uint64_t, bytes */                   \
    X(SCENARIO_RATE, "size per second or unlimited")       /* uint64_t, bytes a second, 0 none */  \
    X(SCENARIO_PRICE, "price")                             /* uint64_t, nano-USD */                \
    X(SCENARIO_DECIMAL, "decimal number")                  /* int64_t, 1e-9 */                     \
    X(SCENARIO_SHARE, "percentage")                        /* int64_t, 1e-9 */                     \
    X(SCENARIO_CHOICE, "one of")                           /* int, index of the choice */          \
    X(SCENARIO_LAW, "law of durations")                    /* struct sim_law */                    \
    X(SCENARIO_LAW_OR_NEVER, "law of durations or never")  /* struct sim_law, and a bool */        \
    X(SCENARIO_LAW_SIZE, "law of sizes")                   /* struct sim_law */                    \
    X(SCENARIO_TEXT, "text")                               /* const char * */                      \
    X(SCENARIO_NAME, "name")                               /* const char * */                      \
    X(SCENARIO_MAP, "map")                                                                         \
    X(SCENARIO_LIST, "list")                                                                       \
    X(SCENARIO_SPECIAL, "")                                /* `choices` says how it is written */

enum scenario_type {
#define X(name, text) name,
    SCENARIO_TYPES(X)
#undef X
    SCENARIO_TYPE_COUNT
};

enum scenario_flags {
    SCENARIO_REQUIRED = 1,     // leaving it out is an error
    SCENARIO_PRESET_ROW = 2,   // the default is the preset's
    SCENARIO_ASSUMED = 4,      // the default is an assumption of ours, no fact of Flink
    SCENARIO_NOT_MODELLED = 8, // a Flink key that changes recovery, but that Recoup does not model
    SCENARIO_NO_EFFECT = 16,   // a Flink key below a modelled prefix that changes nothing here
    SCENARIO_FLAG = 32,        // `offset_flag` is a bool that says: given (or, LAW_OR_NEVER: never)
};

struct scenario_option {
    enum scenario_section section;
    const char *key;
    enum scenario_type type;
    const char *choices; // CHOICE: "a|b|c" in the order of the enum; SPECIAL: the syntax; else NULL
    int64_t min, max;      // of counts, ns, bytes, nano-USD or 1e-9; 0, 0: the type's own bounds
    const char *fallback;  // the default as one would write it; NULL: none
    uint32_t flags;
    size_t offset;         // of the value in the C struct of the section; SIZE_MAX: bound by hand
    size_t offset_flag;
    const char *doc;       // one sentence
    const char *source;    // where the default comes from; NULL: the contract
};

uint32_t scenario_options_count(void);
const struct scenario_option *scenario_options_at(uint32_t index);  // index < count
// The row of `key` in `section`; NULL if there is none.
const struct scenario_option *scenario_options_find(enum scenario_section section, const char *key);

const char *scenario_section_path(enum scenario_section section);   // "job.stages[]"
const char *scenario_section_title(enum scenario_section section);  // "One stage of the job"
const char *scenario_type_text(enum scenario_type type);            // "duration"

// The whole table: keys, types, bounds, defaults, presets' values, policies, sources. `markdown` is
// docs/scenario-reference.md, `schema` is scenarios/schema.json, both complete. All printing
// functions return 0, or -1 when writing to `out` failed.
int scenario_options_print_text(FILE *out);
int scenario_options_print_markdown(FILE *out);
int scenario_options_print_json(FILE *out);
int scenario_options_print_schema(FILE *out);

enum scenario_format { SCENARIO_FORMAT_TEXT, SCENARIO_FORMAT_JSON };

// `recoup list storage|presets|connectors|faults|metrics`.
int scenario_list_storage(FILE *out, enum scenario_format format);
int scenario_list_presets(FILE *out, enum scenario_format format);
int scenario_list_connectors(FILE *out, enum scenario_format format);
int scenario_list_faults(FILE *out, enum scenario_format format);
int scenario_list_metrics(FILE *out, enum scenario_format format);

#endif
