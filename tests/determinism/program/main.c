// SPDX-License-Identifier: GPL-3.0-or-later
//
//   recoup_fingerprints [--folder DIR] [--seeds N,N...] [--reverse] [--trap] [--sin NAME] FILE...
//
// Loads scenario files (below DIR), runs each with each seed in this one process, as `recoup run`
// does, and prints a line for each in the order given:
//
//   FILE SEED FINGERPRINT F1 F2 F3 F4 F5 F6 EVENTS MAKESPAN_NS
//
// --reverse runs the last first. --trap kills the process as soon as a run does anything but
// compute (trap.h). Exit 0; 1: a run failed; 2: bad arguments or an invalid scenario; 77: no traps
// here.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/run.h"
#include "scenarios/scenario.h"
#include "sim/error.h"
#include "sim/fingerprint.h"
#include "trap.h"

#define SEEDS_MAX 64
#define LINE_BYTES 1024

struct job {
    const char *name;
    uint64_t seed;
    struct scenario scenario;
    char line[LINE_BYTES];
};

struct program {
    const char *folder;
    uint64_t seeds[SEEDS_MAX];
    size_t n_seeds;
    bool reverse;
    bool trap;
    const char *sin;
    char **names;
    size_t n_names;
    struct job *jobs;
    size_t n_jobs;
    struct sim_arena arena;
};

static int parse_seeds(struct program *p, const char *text)
{
    p->n_seeds = 0;
    while (*text != '\0') {
        char *end;

        if (p->n_seeds == SEEDS_MAX) {
            fprintf(stderr, "--seeds: at most %d\n", SEEDS_MAX);
            return 2;
        }
        p->seeds[p->n_seeds++] = strtoull(text, &end, 10);
        if (end == text || (*end != ',' && *end != '\0')) {
            fprintf(stderr, "--seeds: expected numbers with commas, found '%s'\n", text);
            return 2;
        }
        text = *end == ',' ? end + 1 : end;
    }
    return p->n_seeds > 0 ? 0 : 2;
}

static int parse(struct program *p, int count, char **words)
{
    int i = 1;

    for (; i < count && strncmp(words[i], "--", 2) == 0; i++) {
        if (strcmp(words[i], "--reverse") == 0) {
            p->reverse = true;
        } else if (strcmp(words[i], "--trap") == 0) {
            p->trap = true;
        } else if (strcmp(words[i], "--sin") == 0 && i + 1 < count) {
            p->sin = words[++i];
        } else if (strcmp(words[i], "--folder") == 0 && i + 1 < count) {
            p->folder = words[++i];
        } else if (strcmp(words[i], "--seeds") == 0 && i + 1 < count) {
            int error = parse_seeds(p, words[++i]);

            if (error != 0) {
                return error;
            }
        } else {
            fprintf(stderr, "unknown or incomplete option %s\n", words[i]);
            return 2;
        }
    }
    p->names = words + i;
    p->n_names = (size_t)(count - i);
    return 0;
}

static int load(const struct program *p, struct job *job)
{
    struct scenario_overrides overrides = {.seed_given = true, .seed = job->seed};
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", p->folder, job->name);

    if (n < 0 || (size_t)n >= sizeof(path)) {
        fprintf(stderr, "%s: the path is too long\n", job->name);
        return 2;
    }
    if (scenario_load(&job->scenario, path, &overrides) == SCENARIO_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < job->scenario.n_errors; i++) {
        scenario_message_format(&job->scenario.errors[i], NULL, path, sizeof(path));
        fprintf(stderr, "%s\n", path);
    }
    return 2;
}

// All files are read before the first run, so that runs need nothing of the system but memory.
static int load_all(struct program *p)
{
    p->n_jobs = p->n_names * p->n_seeds;
    p->jobs = calloc(p->n_jobs, sizeof(*p->jobs));
    if (p->jobs == NULL) {
        fputs("out of memory\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < p->n_jobs; i++) {
        int error;

        p->jobs[i].name = p->names[i / p->n_seeds];
        p->jobs[i].seed = p->seeds[i % p->n_seeds];
        error = load(p, &p->jobs[i]);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void print(struct job *job, const struct model_result *result)
{
    char hex[1 + SIM_LAYER_COUNT][SIM_FINGERPRINT_HEX_BYTES];

    sim_fingerprint_hex(result->fingerprint, hex[0]);
    for (int layer = 0; layer < SIM_LAYER_COUNT; layer++) {
        sim_fingerprint_hex(result->layers[layer], hex[1 + layer]);
    }
    snprintf(job->line, sizeof(job->line),
             "%s %" PRIu64 " %s %s %s %s %s %s %s %" PRIu64 " %" PRId64 "\n", job->name, job->seed,
             hex[0], hex[1], hex[2], hex[3], hex[4], hex[5], hex[6], result->events,
             result->makespan_ns);
}

static int run(struct program *p, struct job *job)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};
    struct model_result result;
    int error;

    memset(&result, 0, sizeof(result));
    error = model_run_pair(&job->scenario.config, &options, &p->arena, &result, NULL);
    if (error != 0) {
        fprintf(stderr, "%s, seed %" PRIu64 ": %s\n", job->name, job->seed, sim_strerror(error));
        return 1;
    }
    print(job, &result);
    model_result_release(&result);
    return 0;
}

static int run_all(struct program *p)
{
    int error = p->trap ? trap_enter() : 0;

    if (error == 0 && p->sin != NULL) {
        error = trap_sin(p->sin);
    }
    for (size_t i = 0; error == 0 && i < p->n_jobs; i++) {
        error = run(p, &p->jobs[p->reverse ? p->n_jobs - 1 - i : i]);
    }
    for (size_t i = 0; error == 0 && i < p->n_jobs; i++) {
        error = fputs(p->jobs[i].line, stdout) < 0;
    }
    return error != 0 ? error : fflush(stdout) != 0;
}

int main(int count, char **words)
{
    // Standard output needs no look at what it is, which a trap would not allow.
    static char buffer[1 << 16];
    struct program p = {.folder = ".", .seeds = {1}, .n_seeds = 1};
    int error;

    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    error = parse(&p, count, words);
    if (error == 0 && p.n_names == 0) {
        fputs("no scenario given\n", stderr);
        error = 2;
    }
    if (error == 0) {
        error = load_all(&p);
    }
    if (error == 0) {
        sim_arena_init(&p.arena, 0);
        error = run_all(&p);
        sim_arena_release(&p.arena);
    }
    for (size_t i = 0; i < p.n_jobs && p.jobs != NULL; i++) {
        scenario_release(&p.jobs[i].scenario);
    }
    free(p.jobs);
    return error;
}
