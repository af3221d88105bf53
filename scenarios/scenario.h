// SPDX-License-Identifier: GPL-3.0-or-later
//
// Scenario files: YAML in, a resolved `struct model_config` out, or up to 20 errors that say where
// and what.
#ifndef RECOUP_SCENARIOS_SCENARIO_H
#define RECOUP_SCENARIOS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/result.h"

#define SCENARIO_ERRORS_MAX 20u

// One message about the input. `file` is the path as given ("--set" and "--fault" for overrides).
struct scenario_message {
    const char *file;
    uint32_t line;         // from 1; 0 where there is no place
    uint32_t column;       // from 1, in bytes
    const char *text;      // what was expected, what was found, what to do; nearest known name
    const char *source;    // the source line, NULL if there is none
};

enum scenario_origin {
    SCENARIO_GIVEN,
    SCENARIO_OVERRIDE,
    SCENARIO_CONFIG,
    SCENARIO_BASE,
    SCENARIO_PRESET,
    SCENARIO_DEFAULT
};

// One resolved value, as `recoup lint` prints it.
struct scenario_value {
    const char
        *path; // "cluster.deploy", "job.stages.scan.parallelism", "config.heartbeat.interval"
    const char *value; // canonical text: "200 ms", "{lognormal: {median: 12 s, sigma: 0.4}}";
                       // secrets: "***"
    enum scenario_origin origin;
    const char *origin_detail;  // "q72.yaml:12", "preset kubernetes", "--set"; NULL for a default
    const char *
        source; // where a default or preset value comes from ("Flink 1.20 HeartbeatManagerOptions")
    bool assumed; // not given by the user and no fact of Flink: belongs to the result's "assumed"
};

enum scenario_bound { SCENARIO_AT_LEAST, SCENARIO_AT_MOST, SCENARIO_EQUALS, SCENARIO_BETWEEN };

struct scenario_expectation {
    const char *metric;    // "lost-work", "state", "lost-work.not-recorded"
    enum scenario_bound bound;
    int64_t a; // the bound in the metric's unit (ns, bytes, count, nano-USD); BETWEEN: from
    int64_t b;             // BETWEEN: to
    const char *text;      // the bound as written: "5 min"
};

struct scenario {
    struct model_config config;
    const char *path;      // as given
    const char *name;
    const char *about;     // may be ""
    const char *const *tags;
    uint32_t n_tags;
    const char *preset;
    bool profile_given;
    bool expects_state;    // `expect.state` given: else the job must finish
    enum model_job_state expected_state;
    const struct scenario_expectation *expectations;
    uint32_t n_expectations;
    const char *const *expected_findings;  // invariant ids
    uint32_t n_expected_findings;
    const struct scenario_value *values;
    uint32_t n_values;
    const char *const *not_modelled;       // Flink keys that change recovery but are not modelled
    uint32_t n_not_modelled;
    const struct scenario_message *warnings;
    uint32_t n_warnings;
    const struct scenario_message *errors; // filled by scenario_load when it fails
    uint32_t n_errors;
    bool errors_cut;       // there were more than SCENARIO_ERRORS_MAX
    char *canonical; // the resolved scenario as canonical text (content identity; secrets left out)
    void *memory;          // owns everything above
};

struct scenario_overrides {
    const char *const *sets;    // "PATH=VALUE"
    uint32_t n_sets;
    const char *const *faults;  // "{at: 95 s, kill: master}"
    uint32_t n_faults;
    bool seed_given;
    uint64_t seed;
};

// Loads the scenario file at `path`. Returns 0; SCENARIO_INVALID: `scenario->errors` says why (exit
// code 2); SCENARIO_ENOMEM. `scenario` is always to be released. A file that cannot be read is
// SCENARIO_INVALID, too.
enum { SCENARIO_OK = 0, SCENARIO_INVALID = -1, SCENARIO_ENOMEM = -2 };
int scenario_load(struct scenario *scenario, const char *path,
                  const struct scenario_overrides *overrides);

// The same from text in memory (tests, fuzzing); `file` is the name used in messages.
int scenario_parse(struct scenario *scenario, const char *file, const char *text, size_t size,
                   const struct scenario_overrides *overrides);

// Gives a loaded scenario another seed (0 to 2^63 - 1), as if it had been loaded with it: in the
// config, in the resolved values and in the canonical text. Returns SCENARIO_OK or SCENARIO_ENOMEM.
int scenario_reseed(struct scenario *scenario, uint64_t seed);

void scenario_release(struct scenario *scenario);  // accepts a zeroed scenario

// Whether `key` has one of the words that mark a secret, as Flink's sensitive keys do: its value
// may reach no output.
bool scenario_key_is_secret(const char *key);
// Replaces the user, and with it the password, of every URL in `text` ("s3://key:secret@bucket") by
// as many stars.
void scenario_mask_urls(char *text, size_t size);

// A canonical value times `times` / `parts` (both more than 0), rounded to the nearest whole
// nanosecond, byte or count: "3 min" by 1 / 2 is "90 s". False: it is no number, or stays the same.
#define SCENARIO_VALUE_TEXT 48u
bool scenario_value_scale(const char *value, uint32_t times, uint32_t parts,
                          char text[SCENARIO_VALUE_TEXT]);

// "file:line:column: message", with "severity: " before the message unless it is NULL (errors have
// none), the source line and a caret, ready to print, into `buffer` (always terminated; returns the
// length that was wanted, as snprintf does).
size_t scenario_message_format(const struct scenario_message *message, const char *severity,
                               char *buffer, size_t size);

#endif
