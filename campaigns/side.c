// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "campaigns/side.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "results/shell.h"
#include "sim/error.h"

// --- files ---------------------------------------------------------------------------------------

// The whole file, at most RESULTS_TRAIL_FILE_MAX bytes. NULL after an error (errno; EFBIG).
static char *read_file(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    char *bytes = NULL;
    size_t capacity = 0;
    int error = 0;

    *size = 0;
    if (stream == NULL) {
        return NULL;
    }
    do {
        char *grown;

        capacity = capacity == 0 ? 65536 : capacity * 2;
        grown = capacity <= 2 * (size_t)RESULTS_TRAIL_FILE_MAX ? realloc(bytes, capacity) : NULL;
        if (grown == NULL) {
            error = capacity > 2 * (size_t)RESULTS_TRAIL_FILE_MAX ? EFBIG : ENOMEM;
            break;
        }
        bytes = grown;
        errno = 0;
        *size += fread(bytes + *size, 1, capacity - *size, stream);
        error = ferror(stream) != 0 ? (errno != 0 ? errno : EIO) : 0;
    } while (error == 0 && *size == capacity);
    (void)fclose(stream);
    if (error != 0) {
        free(bytes);
        errno = error;
        return NULL;
    }
    return bytes;
}

static bool is_trail(const char *path)
{
    char head[sizeof(RESULTS_TRAIL_MAGIC)] = {0};
    struct stat status;
    FILE *stream;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    stream = fopen(path, "rb");
    if (stream != NULL) {
        (void)fread(head, 1, sizeof(head) - 1, stream);
        (void)fclose(stream);
    }
    // Any version: a newer one is refused by name later, not taken for a scenario.
    return strncmp(head, RESULTS_TRAIL_MAGIC, sizeof(RESULTS_TRAIL_MAGIC) - 2) == 0;
}

static enum campaign_side_status load_trail(struct campaign_side *side, const char *path)
{
    struct results_text why;
    size_t size;
    char *bytes = read_file(path, &size);
    bool ok;

    if (bytes == NULL) {
        results_text_format(&side->message, "%s: the trail cannot be read: %s", path,
                            strerror(errno));
        return CAMPAIGN_SIDE_OUTSIDE;
    }
    results_text_init(&why);
    results_trail_release(&side->trail);
    ok = results_trail_parse(&side->trail, bytes, size, &why);
    if (!ok) {
        results_text_format(&side->message, "%s: this is no whole trail of a run: %s", path,
                            results_text_string(&why));
    }
    results_text_release(&why);
    free(bytes);
    side->recorded = ok;
    return ok ? CAMPAIGN_SIDE_OK : CAMPAIGN_SIDE_INVALID;
}

// --- another program -----------------------------------------------------------------------------

// Words of a command, in one allocation that the caller frees.
static const char **program_words(const struct campaign_side *side, const char *file,
                                  const char *at, const char *seed)
{
    const struct scenario_overrides *o = &side->overrides;
    const char **words = calloc(16 + 2 * ((size_t)o->n_sets + o->n_faults), sizeof(*words));
    size_t n = 0;

    if (words == NULL) {
        return NULL;
    }
    words[n++] = side->program;
    words[n++] = "run";
    for (uint32_t i = 0; i < o->n_sets; i++) {
        words[n++] = "--set";
        words[n++] = o->sets[i];
    }
    for (uint32_t i = 0; i < o->n_faults; i++) {
        words[n++] = "--fault";
        words[n++] = o->faults[i];
    }
    if (o->seed_given) {
        words[n++] = "--seed";
        words[n++] = seed;
    }
    words[n++] = "--trail";
    words[n++] = file;
    words[n++] = "--trail-at";
    words[n++] = at;
    words[n++] = "--";
    words[n++] = side->path;
    return words;
}

static void become(const char *program, const char **words)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
        _exit(126);
    }
    (void)execvp(program, (char *const *)(uintptr_t)words);
    _exit(127);
}

// Runs the other program. False: `message` says why there is no trail.
static bool call(struct campaign_side *side, const char **words)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        become(side->program, words);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        results_text_format(&side->message, "%s: cannot be started: %s", side->program,
                            strerror(errno));
    } else if (WIFSIGNALED(status)) {
        results_text_format(&side->message, "%s: ended by signal %d", side->program,
                            WTERMSIG(status));
    } else if (WEXITSTATUS(status) == 127) {
        results_text_format(&side->message, "%s: there is no such program", side->program);
    } else if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 1 && WEXITSTATUS(status) != 3) {
        // A broken expectation or a finding is a result, too.
        results_text_format(&side->message,
                            "%s: left with exit code %d (it must know 'run --trail')",
                            side->program, WEXITSTATUS(status));
    } else {
        return true;
    }
    return false;
}

static enum campaign_side_status record_program(struct campaign_side *side, uint64_t at)
{
    const char *folder = getenv("TMPDIR");
    char file[4096];
    char event[24];
    char seed[24];
    const char **words;
    enum campaign_side_status status = CAMPAIGN_SIDE_OUTSIDE;
    int fd;

    (void)snprintf(event, sizeof(event), "%" PRIu64, at);
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, side->overrides.seed);
    if ((size_t)snprintf(file, sizeof(file), "%s/recoup-trail-XXXXXX",
                         folder != NULL && folder[0] != '\0' ? folder : "/tmp") >= sizeof(file) ||
        (fd = mkstemp(file)) < 0) {
        results_text_format(&side->message, "no temporary file can be made for a trail: %s",
                            strerror(errno));
        return CAMPAIGN_SIDE_OUTSIDE;
    }
    (void)close(fd);
    words = program_words(side, file, event, seed);
    if (words == NULL) {
        results_text_add(&side->message, "out of memory");
    } else if (call(side, words)) {
        status = load_trail(side, file);
        if (status != CAMPAIGN_SIDE_OK) {
            results_text_clear(&side->message);
            results_text_format(&side->message,
                                "%s: left no whole trail (it must know 'run --trail')",
                                side->program);
            status = CAMPAIGN_SIDE_OUTSIDE;
        }
    }
    free(words);
    (void)unlink(file);
    return status;
}

// --- this program --------------------------------------------------------------------------------

static enum campaign_side_status record_scenario(struct campaign_side *side, uint64_t at)
{
    struct campaign_recording recording = {.points_max = RESULTS_TRAIL_POINTS,
                                           .at = at,
                                           .window = RESULTS_TRAIL_WINDOW,
                                           .tie_seed = side->tie_seed,
                                           .interrupted = side->interrupted,
                                           .interrupted_context = side->interrupted_context};
    struct results_text command;
    struct model_result result;
    int64_t faultless_ns;
    int error;

    memset(&result, 0, sizeof(result));
    results_trail_release(&side->trail);
    results_text_init(&command);
    campaign_side_command(side, at, &command);
    recording.command = results_text_string(&command);
    error = campaign_record(&side->scenario, &recording, &side->arena, &result, &faultless_ns,
                            &side->trail);
    results_text_release(&command);
    model_result_release(&result);
    side->recorded = error == 0;
    if (error == 0) {
        return CAMPAIGN_SIDE_OK;
    }
    if (error == SIM_EINTERRUPTED) {
        return CAMPAIGN_SIDE_INTERRUPTED;
    }
    results_text_format(&side->message, "%s: the run has no result: %s", side->path,
                        sim_strerror(error));
    return CAMPAIGN_SIDE_OUTSIDE;
}

// --- both ----------------------------------------------------------------------------------------

enum campaign_side_status campaign_side_open(struct campaign_side *side)
{
    memset(&side->scenario, 0, sizeof(side->scenario));
    memset(&side->trail, 0, sizeof(side->trail));
    sim_arena_init(&side->arena, 0);
    results_text_init(&side->message);
    side->recorded = false;
    side->kind = CAMPAIGN_SIDE_SCENARIO;
    if (side->program != NULL) {
        side->kind = CAMPAIGN_SIDE_PROGRAM;
        return CAMPAIGN_SIDE_OK;
    }
    if (is_trail(side->path)) {
        side->kind = CAMPAIGN_SIDE_TRAIL;
        return load_trail(side, side->path);
    }
    switch (scenario_load(&side->scenario, side->path, &side->overrides)) {
    case SCENARIO_OK:
        return CAMPAIGN_SIDE_OK;
    case SCENARIO_ENOMEM:
        results_text_add(&side->message, "out of memory");
        return CAMPAIGN_SIDE_OUTSIDE;
    default:
        return CAMPAIGN_SIDE_INVALID;
    }
}

enum campaign_side_status campaign_side_record(struct campaign_side *side, uint64_t at)
{
    if (side->recorded && side->trail.at == at) {
        return CAMPAIGN_SIDE_OK;
    }
    switch (side->kind) {
    case CAMPAIGN_SIDE_SCENARIO:
        return record_scenario(side, at);
    case CAMPAIGN_SIDE_PROGRAM:
        return record_program(side, at);
    case CAMPAIGN_SIDE_TRAIL:
        break;
    }
    return CAMPAIGN_SIDE_FIXED;
}

void campaign_side_close(struct campaign_side *side)
{
    results_trail_release(&side->trail);
    scenario_release(&side->scenario);
    sim_arena_release(&side->arena);
    results_text_release(&side->message);
}

void campaign_side_command(const struct campaign_side *side, uint64_t at, struct results_text *text)
{
    const struct scenario_overrides *o = &side->overrides;

    if (side->kind == CAMPAIGN_SIDE_TRAIL) {
        results_text_add(text, side->trail.command != NULL && side->trail.command[0] != '\0'
                                   ? side->trail.command
                                   : "recoup run SCENARIO");
    } else {
        results_shell_word(text, side->program != NULL ? side->program : "recoup");
        results_text_add(text, " run ");
        results_shell_file(text, side->path);
        for (uint32_t i = 0; i < o->n_sets; i++) {
            results_text_add(text, " --set ");
            results_shell_set(text, o->sets[i]);
        }
        for (uint32_t i = 0; i < o->n_faults; i++) {
            results_text_add(text, " --fault ");
            results_shell_word(text, o->faults[i]);
        }
        if (o->seed_given) {
            results_text_format(text, " --seed %" PRIu64, o->seed);
        }
        if (side->tie_seed != 0) {
            results_text_format(text, " --tie-seed %" PRIu64, side->tie_seed);
        }
    }
    results_text_format(text, " --trail FILE --trail-at %" PRIu64, at);
}
