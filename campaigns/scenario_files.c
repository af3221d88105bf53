// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "campaigns/scenario_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PEEK_BYTES_MAX ((size_t)1 << 20) // as large as a scenario may be
#define LEVELS_MAX 16u

static char *print_path(const char *folder, const char *between, const char *name)
{
    size_t size = strlen(folder) + strlen(between) + strlen(name) + 1;
    char *path = malloc(size);

    if (path != NULL) {
        (void)snprintf(path, size, "%s%s%s", folder, between, name);
    }
    return path;
}

static bool fail(struct campaign_files *files, const char *path, const char *why)
{
    (void)snprintf(files->message, sizeof(files->message), "%s: %s", path, why);
    return false;
}

// --- one file ------------------------------------------------------------------------------------

// The first PEEK_BYTES_MAX bytes, terminated; NULL when it cannot be read.
static char *peek(const char *path)
{
    FILE *stream = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    size_t capacity = 0;

    if (stream == NULL) {
        return NULL;
    }
    do {
        char *grown = realloc(text, capacity + 65536 + 1);

        if (grown == NULL) {
            break;
        }
        text = grown;
        capacity += 65536;
        size += fread(text + size, 1, capacity - size, stream);
    } while (size == capacity && size < PEEK_BYTES_MAX);
    if (ferror(stream) != 0) {
        free(text);
        text = NULL;
    }
    (void)fclose(stream);
    if (text != NULL) {
        text[size] = '\0';
    }
    return text;
}

static bool begins_with_key(const char *line, const char *key)
{
    size_t size = strlen(key);

    return strncmp(line, key, size) == 0 && line[size] == ':' &&
           (line[size + 1] == ' ' || line[size + 1] == '\n' || line[size + 1] == '\r' ||
            line[size + 1] == '\0');
}

struct peeked_path {
    const char *text; // in the file; NULL: none
    size_t size;
};

struct peeked {
    bool readable, version, job, about, axes;
    struct peeked_path base;     // of another scenario
    struct peeked_path scenario; // of a sweep
};

// The value of a line `base: VALUE # comment`, without quotes around it.
static struct peeked_path peek_path(const char *value)
{
    size_t size = 0;

    value += strspn(value, " ");
    if (*value == '\'' || *value == '"') {
        size = strcspn(value + 1, value[0] == '"' ? "\"\n" : "'\n");
        value++;
    } else {
        while (value[size] != '\0' && value[size] != '\n' && value[size] != '\r' &&
               !(value[size] == ' ' && value[size + 1] == '#')) {
            size++;
        }
        while (size > 0 && value[size - 1] == ' ') {
            size--;
        }
    }
    return (struct peeked_path){value, size};
}

static struct peeked look_at(const char *text)
{
    struct peeked p = {.readable = true};

    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
    }
    while (*text != '\0') {
        p.version = p.version || begins_with_key(text, "version");
        p.job = p.job || begins_with_key(text, "job");
        p.about = p.about || begins_with_key(text, "about");
        if (begins_with_key(text, "base")) {
            p.base = peek_path(text + strlen("base:"));
        } else if (begins_with_key(text, "scenario")) {
            p.scenario = peek_path(text + strlen("scenario:"));
        }
        p.axes = p.axes || begins_with_key(text, "axes");
        text += strcspn(text, "\n");
        text += *text == '\n' ? 1 : 0;
    }
    return p;
}

// The path that a file names, seen from where that file is; NULL: none (or no memory).
static char *named_path(const char *path, struct peeked_path named)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL && named.text != NULL && named.text[0] != '/'
                        ? (size_t)(slash - path) + 1
                        : 0;
    char *joined = named.text != NULL ? malloc(folder + named.size + 1) : NULL;

    if (joined != NULL) {
        memcpy(joined, path, folder);
        memcpy(joined + folder, named.text, named.size);
        joined[folder + named.size] = '\0';
    }
    return joined;
}

// Takes over `path`.
static bool add(struct campaign_files *files, char *path, bool named, const struct peeked *p)
{
    struct campaign_file *file;

    if (files->count == files->capacity) {
        uint32_t capacity = files->capacity == 0 ? 64 : files->capacity * 2;
        struct campaign_file *grown = files->count < CAMPAIGN_FILES_MAX
                                          ? realloc(files->list, (size_t)capacity * sizeof(*grown))
                                          : NULL;

        if (grown == NULL) {
            fail(files, path,
                 files->count < CAMPAIGN_FILES_MAX ? "out of memory"
                                                   : "more than 100000 scenarios");
            free(path);
            return false;
        }
        files->list = grown;
        files->capacity = capacity;
    }
    file = &files->list[files->count++];
    *file = (struct campaign_file){
        .path = path, .named = named, .has_about = p->about, .readable = p->readable};
    file->base = named_path(path, p->base);
    return true;
}

// The scenario of a sweep, if it lies in a folder below the sweep's own. NULL: it does not.
static char *job_of_sweep(const char *path, struct peeked_path named)
{
    bool below = named.text != NULL && named.text[0] != '/' && named.text[0] != '.' &&
                 memchr(named.text, '/', named.size) != NULL;

    return below ? named_path(path, named) : NULL;
}

static bool add_job(struct campaign_files *files, char *job)
{
    char **grown = realloc(files->jobs, ((size_t)files->n_jobs + 1) * sizeof(*grown));

    if (grown == NULL) {
        return fail(files, job, "out of memory");
    }
    files->jobs = grown;
    files->jobs[files->n_jobs++] = job;
    return true;
}

static bool consider(struct campaign_files *files, char *path, bool named)
{
    char *text = peek(path);
    struct peeked p = {.readable = text != NULL};
    bool ok = true;

    if (text != NULL) {
        p = look_at(text);
    }
    // What cannot be read may be a scenario: loading it will say why it fails.
    if (named || text == NULL || (p.version && (p.job || p.base.text != NULL))) {
        ok = add(files, path, named, &p);
    } else {
        char *job = p.version && p.axes ? job_of_sweep(path, p.scenario) : NULL;

        ok = job == NULL || add_job(files, job);
        free(ok ? NULL : job);
        files->n_other++;
        free(path);
    }
    free(text);
    return ok;
}

// --- folders -------------------------------------------------------------------------------------

struct names {
    char **list;
    size_t count, capacity;
};

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
    memset(names, 0, sizeof(*names));
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **grown = realloc(names->list, capacity * sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        names->list = grown;
        names->capacity = capacity;
    }
    names->list[names->count] = print_path(name, "", "");
    return names->list[names->count] != NULL && names->count++ < SIZE_MAX;
}

// Names are distinct, so that any sort gives the one order of their bytes.
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_folder(struct campaign_files *files, const char *path, struct names *names)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool ok = true;
    int error;

    if (folder == NULL) {
        return fail(files, path, strerror(errno));
    }
    errno = 0;
    while (ok && (entry = readdir(folder)) != NULL) {
        ok = entry->d_name[0] == '.' || names_add(names, entry->d_name);
        errno = ok ? 0 : ENOMEM;
    }
    error = errno;
    (void)closedir(folder);
    if (error != 0) {
        return fail(files, path, strerror(error));
    }
    if (names->count > 0) {
        qsort(names->list, names->count, sizeof(*names->list), compare_names);
    }
    return true;
}

static bool is_yaml(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

struct level {
    struct names names;
    size_t next;
    char *path;
};

static bool level_open(struct campaign_files *files, struct level *level, char *path)
{
    memset(level, 0, sizeof(*level));
    level->path = path;
    return path != NULL ? read_folder(files, path, &level->names)
                        : fail(files, "a folder", "out of memory");
}

static void level_close(struct level *level)
{
    names_release(&level->names);
    free(level->path);
}

// The next entry of the deepest folder: a file is looked at, a folder becomes the deepest.
static bool visit(struct campaign_files *files, struct level *levels, uint32_t *depth)
{
    struct level *level = &levels[*depth - 1];
    const char *name = level->names.list[level->next++];
    size_t size = strlen(level->path);
    char *path = print_path(level->path, size > 0 && level->path[size - 1] == '/' ? "" : "/", name);
    struct stat status;

    if (path == NULL) {
        return fail(files, name, "out of memory");
    }
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        if (*depth == CAMPAIGN_DEPTH_MAX) {
            bool failed = fail(files, path, "more than 32 folders in one another");

            free(path);
            return failed;
        }
        return level_open(files, &levels[(*depth)++], path);
    }
    if (is_yaml(name) && stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
        return consider(files, path, false);
    }
    free(path);
    return true;
}

static bool walk(struct campaign_files *files, const char *path)
{
    struct level levels[CAMPAIGN_DEPTH_MAX];
    uint32_t depth = 1;
    bool ok = level_open(files, &levels[0], print_path(path, "", ""));

    while (ok && depth > 0) {
        if (levels[depth - 1].next == levels[depth - 1].names.count) {
            level_close(&levels[--depth]);
        } else {
            ok = visit(files, levels, &depth);
        }
    }
    while (depth > 0) {
        level_close(&levels[--depth]);
    }
    return ok;
}

// --- all -----------------------------------------------------------------------------------------

static bool same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_base_of_another(const struct campaign_files *files, uint32_t index)
{
    for (uint32_t i = 0; i < files->count; i++) {
        if (i != index && files->list[i].base != NULL &&
            same_file(files->list[i].base, files->list[index].path)) {
            return true;
        }
    }
    return false;
}

static bool is_job(const struct campaign_files *files, uint32_t index)
{
    for (uint32_t i = 0; i < files->n_jobs; i++) {
        if (same_file(files->jobs[i], files->list[index].path)) {
            return true;
        }
    }
    return false;
}

static void mark_serving(struct campaign_files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        struct campaign_file *file = &files->list[i];

        bool base = !file->has_about && file->base == NULL && is_base_of_another(files, i);

        file->serves = !file->named && (base || is_job(files, i));
        files->n_serving += file->serves ? 1 : 0;
    }
}

// A file that was found twice (named, and below a folder) runs once.
static void drop_twins(struct campaign_files *files)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < files->count; i++) {
        bool twin = false;

        for (uint32_t k = 0; k < kept && !twin; k++) {
            twin = strcmp(files->list[k].path, files->list[i].path) == 0;
        }
        if (twin) {
            free(files->list[i].path);
            free(files->list[i].base);
        } else {
            files->list[kept++] = files->list[i];
        }
    }
    files->count = kept;
}

static bool find(struct campaign_files *files, const char *const *paths, uint32_t n_paths,
                 bool trust_named)
{
    bool ok = true;

    memset(files, 0, sizeof(*files));
    for (uint32_t i = 0; ok && i < n_paths; i++) {
        struct stat status;

        if (stat(paths[i], &status) != 0) {
            ok = fail(files, paths[i], strerror(errno));
        } else if (S_ISDIR(status.st_mode)) {
            ok = walk(files, paths[i]);
        } else {
            char *path = print_path(paths[i], "", "");

            ok = path != NULL ? consider(files, path, trust_named)
                              : fail(files, paths[i], "out of memory");
        }
    }
    drop_twins(files);
    return ok;
}

bool campaign_files_find(struct campaign_files *files, const char *const *paths, uint32_t n_paths)
{
    bool ok = find(files, paths, n_paths, true);

    mark_serving(files);
    return ok;
}

bool campaign_files_sift(struct campaign_files *files, const char *const *paths, uint32_t n_paths)
{
    bool ok = find(files, paths, n_paths, false);

    for (uint32_t i = 0; i < files->count; i++) {
        struct campaign_file *file = &files->list[i];

        file->serves = !file->has_about && file->base == NULL && file->readable;
        files->n_serving += file->serves ? 1 : 0;
    }
    return ok;
}

void campaign_files_release(struct campaign_files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        free(files->list[i].path);
        free(files->list[i].base);
    }
    for (uint32_t i = 0; i < files->n_jobs; i++) {
        free(files->jobs[i]);
    }
    free(files->jobs);
    free(files->list);
    memset(files, 0, sizeof(*files));
}

// --- baselines -----------------------------------------------------------------------------------

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// Looks in one folder for `baselines` and `results/baselines`. NULL: none (or no memory).
static char *baselines_in(const char *folder)
{
    static const char *const names[] = {"/baselines", "/results/baselines"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = print_path(folder, names[i], "");

        if (path == NULL || is_folder(path)) {
            return path;
        }
        free(path);
    }
    return NULL;
}

static bool is_top(const char *folder)
{
    char *git = print_path(folder, "/.git", "");
    struct stat status;
    bool top = git == NULL || stat(git, &status) == 0;

    free(git);
    return top || same_file(folder, "/");
}

// The folder that holds this one, by its text: "a/b" is in "a", "a" in ".", "." in "..".
static char *folder_above(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    const char *last = slash != NULL ? slash + 1 : folder;

    if (strcmp(last, "..") == 0 || (strcmp(last, ".") == 0 && slash != NULL)) {
        return print_path(folder, "/..", "");
    }
    if (slash == NULL) {
        return print_path(strcmp(folder, ".") == 0 ? ".." : ".", "", "");
    }
    return slash == folder ? print_path("/", "", "") : strndup(folder, (size_t)(slash - folder));
}

char *campaign_baselines_folder(const char *scenario_path, bool *exists)
{
    const char *slash = strrchr(scenario_path, '/');
    char *own = slash == NULL            ? print_path(".", "", "")
                : slash == scenario_path ? print_path("/", "", "")
                                         : strndup(scenario_path, (size_t)(slash - scenario_path));
    char *folder = own != NULL ? print_path(own, "", "") : NULL;
    char *found = NULL;

    *exists = false;
    for (uint32_t i = 0; folder != NULL && i < LEVELS_MAX; i++) {
        char *above;

        found = baselines_in(folder);
        if (found != NULL || is_top(folder)) {
            break;
        }
        above = folder_above(folder);
        free(folder);
        folder = above;
    }
    *exists = found != NULL;
    if (found == NULL && own != NULL) {
        found = print_path(own, "/baselines", "");
    }
    free(folder);
    free(own);
    return found;
}
