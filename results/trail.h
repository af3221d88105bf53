// SPDX-License-Identifier: GPL-3.0-or-later
//
// The trail of a run: enough to find the first event in which two runs differ, without keeping all
// events. It holds
//   points   rolling hashes of the layers F1 to F5 at equal distances of events. The distance
//            starts at 16 events and doubles when as many points as allowed are held, so a run of
//            any length keeps between half of them and all of them;
//   a window the events themselves, each with the hashes after it, from event `at` on;
//   a chain  event `at`, what scheduled it, what scheduled that, and so on back to the set-up;
//   draws    the last draw of every stream when event `at` had been handled.
// Two runs part between two points; a second recording with `at` behind the last equal point shows
// the event. Of the hashes the first 64 bits are kept; the fingerprint at the end is whole.
#ifndef RECOUP_RESULTS_TRAIL_H
#define RECOUP_RESULTS_TRAIL_H

#include "models/run.h"
#include "results/journal.h"
#include "results/text.h"
#include "scenarios/scenario.h"

#define RESULTS_TRAIL_POINTS 1024u   // of a trail file
#define RESULTS_TRAIL_POINTS_FEW 32u // of a baseline
#define RESULTS_TRAIL_SPACING 16u    // events between two points, at first
#define RESULTS_TRAIL_WINDOW 4096u   // events of a window, unless told otherwise
#define RESULTS_TRAIL_WINDOW_MAX 65536u
#define RESULTS_TRAIL_CHAIN_MAX 64u // links kept, the nearest ones
#define RESULTS_TRAIL_LAYERS 5u     // F6 is fed at the end only
#define RESULTS_TRAIL_DIGEST_SIZE 33u

struct results_trail_point {
    uint64_t events; // so far
    int64_t time_ns;
    uint64_t layers[RESULTS_TRAIL_LAYERS];
};

struct results_trail_event {
    uint64_t number; // from 1
    struct sim_event event;
    const char *kind; // of model_event_name
    uint64_t cause;   // number of the event that scheduled it, or RESULTS_CAUSE_...
    struct model_subject subject;
    uint64_t layers[RESULTS_TRAIL_LAYERS]; // after it; of the window's events only
};

struct results_trail {
    char *version;                          // of recoup; these texts are owned
    char *name;                             // of the scenario
    char *command;                          // that records it again
    char digest[RESULTS_TRAIL_DIGEST_SIZE]; // results_scenario_key
    uint64_t seed;
    char **stages;
    uint32_t n_stages;

    uint64_t spacing;
    struct results_trail_point *points;
    uint32_t n_points;
    uint64_t at; // first event of the window
    struct results_trail_event *events;
    uint32_t n_events;
    struct results_trail_event chain[RESULTS_TRAIL_CHAIN_MAX]; // `at` first
    uint32_t n_chain;
    bool chain_complete; // it reaches the set-up
    struct model_draw draws[MODEL_STREAMS];

    uint64_t total; // events of the run
    int64_t makespan_ns;
    enum model_job_state state;
    uint8_t layers[SIM_LAYER_COUNT][SIM_FINGERPRINT_BYTES];
    uint8_t fingerprint[SIM_FINGERPRINT_BYTES];
    int64_t *metrics; // scenario_metric_count() of them
};

void results_trail_release(struct results_trail *trail); // accepts a zeroed one

// --- recording ---------------------------------------------------------------------------------

struct results_trail_recorder {
    struct model_observer observer; // to be given to the run
    struct results_trail *trail;
    struct results_journal journal;
    bool with_window; // false: points alone, and no journal
    uint32_t points_max;
    uint32_t window;
    bool failed; // out of memory
};

// Prepares `trail` (zeroed) for a run. `points_max` is even. `at` from 1; `window` 0: points alone.
void results_trail_recorder_init(struct results_trail_recorder *recorder,
                                 struct results_trail *trail, uint32_t points_max, uint64_t at,
                                 uint32_t window);
// Fills in what is known when the run has ended. `command` may be NULL. False: out of memory.
bool results_trail_recorder_finish(struct results_trail_recorder *recorder,
                                   const struct scenario *scenario,
                                   const struct model_result *result, int64_t faultless_ns,
                                   const char *command);
void results_trail_recorder_release(struct results_trail_recorder *recorder);

// --- files -------------------------------------------------------------------------------------

#define RESULTS_TRAIL_MAGIC "recoup-trail 1"
#define RESULTS_TRAIL_FILE_MAX (UINT32_C(1) << 26) // bytes

// The trail as lines of words, in a fixed order.
void results_trail_text(const struct results_trail *trail, struct results_text *text);
// Reads what results_trail_text wrote, strictly. Returns true; else `message` says where and what
// ("line 12: expected a number, found 'x'"). `trail` is to be released in both cases.
bool results_trail_parse(struct results_trail *trail, const char *bytes, size_t size,
                         struct results_text *message);

#endif
