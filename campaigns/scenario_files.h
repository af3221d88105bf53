// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which files below a path are scenarios, and where their baselines are.
//
// A file that is named itself is always taken for a scenario. Below a folder the files *.yaml and
// *.yml are looked at, in the order of their names; folders whose name begins with a dot, and
// symbolic links to folders, are left out. A file is a scenario when lines of it begin with
// `version:` and with `job:` or `base:`. That is read from the text, so a scenario with a mistake
// in it is still found and fails, while sweeps, baselines and other people's YAML (a Flink
// configuration, a Kubernetes manifest) are none. A scenario that another one names as its `base`
// and that has no `about` only serves others, and so does one that a sweep names as its `scenario`
// when it lies in a folder below the sweep's own. A file that cannot be read fails.
//
// The baseline of a scenario is NAME.yaml, NAME being the scenario's, in the folder given, or else
// in the nearest of the folders `baselines` and `results/baselines`, seen from the scenario's own
// folder upwards to the one that holds `.git`, at most 16 levels.
#ifndef RECOUP_CAMPAIGNS_SCENARIO_FILES_H
#define RECOUP_CAMPAIGNS_SCENARIO_FILES_H

#include <stdbool.h>
#include <stdint.h>

#define CAMPAIGN_FILES_MAX 100000u // scenarios of one campaign
#define CAMPAIGN_DEPTH_MAX 32u     // folders in one another

struct campaign_file {
    char *path; // as given, or below what was given
    bool named; // itself on the command line
    bool readable;
    bool has_about;
    char *base;  // path of its base; NULL: none
    bool serves; // others as a base, or a sweep as its job: it is not run for itself
};

struct campaign_files {
    struct campaign_file *list;
    uint32_t count, capacity;
    char **jobs; // scenarios of sweeps, in folders below these
    uint32_t n_jobs;
    uint32_t n_serving; // files that only serve others
    uint32_t n_other;   // *.yaml files that are no scenarios
    char message[512];  // after a failure
};

// Collects. False: `message` says what failed (a path that does not exist, a folder that cannot be
// read, too many files, no memory). To be released in any case.
bool campaign_files_find(struct campaign_files *files, const char *const *paths, uint32_t n_paths);
// The same, but files that are named themselves are judged like those below a folder, and one with
// neither `about` nor `base` serves, whoever else is there: for tools that pass any list of files.
bool campaign_files_sift(struct campaign_files *files, const char *const *paths, uint32_t n_paths);
void campaign_files_release(struct campaign_files *files);

// The folder of the scenario's baselines, from malloc. `*exists` says whether it is there; if not,
// it is where they would be made: `baselines` beside the scenario. NULL: out of memory.
char *campaign_baselines_folder(const char *scenario_path, bool *exists);

#endif
