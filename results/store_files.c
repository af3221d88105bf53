// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/store_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "recovery/bytes.h"
#include "recovery/record.h"

#define HEAD_BYTES 4096u // looked at to find the format

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

struct recoup_allocator results_store_allocator(void)
{
    return (struct recoup_allocator){allocate, release, NULL};
}

const char *results_store_framing_name(const struct recoup__format *format)
{
    return format->contiguous ? "hardened" : "flink";
}

int results_store_file_open(const struct results_store_files *files, const char *name)
{
    // A pipe under such a name must not block the tool.
    return openat(files->directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int64_t results_store_read(int fd, uint64_t offset, void *buffer, size_t size)
{
    size_t done = 0;

    if (offset > INT64_MAX - size) {
        return 0;
    }
    while (done < size) {
        ssize_t n = pread(fd, (char *)buffer + done, size - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return (int64_t)done;
}

// --- the listing --------------------------------------------------------------------------------

static void note_stranger(struct results_store_files *files, const char *name)
{
    uint32_t at = files->n_strangers;
    char cut[sizeof files->strangers[0]];

    (void)strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = '\0';
    files->n_strangers++;
    if (at >= RESULTS_STORE_STRANGERS_MAX) {
        at = RESULTS_STORE_STRANGERS_MAX - 1;
        if (strcmp(cut, files->strangers[at]) >= 0) {
            return;
        }
    }
    while (at > 0 && strcmp(cut, files->strangers[at - 1]) < 0) {
        memcpy(files->strangers[at], files->strangers[at - 1], sizeof cut);
        at--;
    }
    memcpy(files->strangers[at], cut, sizeof cut);
}

static bool make_room(struct results_store_files *files)
{
    uint32_t capacity = files->capacity < 16 ? 16 : files->capacity * 2;
    struct results_store_file *grown;

    if (files->n_files < files->capacity) {
        return true;
    }
    grown = realloc(files->files, capacity * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    files->files = grown;
    files->capacity = capacity;
    return true;
}

static int take_name(struct results_store_files *files, const char *name)
{
    struct results_store_file file = {.epoch = 0};
    enum recoup__name_kind kind = recoup__file_name_parse(name, &file.epoch, &file.index);
    struct stat status;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return 0;
    }
    if (kind == RECOUP__NAME_OTHER) {
        note_stranger(files, name);
        return 0;
    }
    if (fstatat(files->directory, name, &status, 0) != 0) {
        return errno == ENOENT ? 0 : errno; // removed since it was listed
    }
    if (!S_ISREG(status.st_mode)) {
        note_stranger(files, name);
        return 0;
    }
    if (files->n_files == RESULTS_STORE_FILES_MAX) {
        return EOVERFLOW;
    }
    if (!make_room(files)) {
        return ENOMEM;
    }
    file.fenced = kind == RECOUP__NAME_FENCED;
    file.size = (uint64_t)status.st_size;
    memcpy(file.name, name, strlen(name) + 1);
    files->files[files->n_files++] = file;
    files->bytes += file.size;
    return 0;
}

static int list(struct results_store_files *files)
{
    int copy = dup(files->directory);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    int error = stream == NULL ? errno : 0;

    if (stream == NULL && copy >= 0) {
        (void)close(copy);
    }
    while (error == 0) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(stream);
        if (entry == NULL) {
            error = errno;
            break;
        }
        error = take_name(files, entry->d_name);
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return error;
}

static bool before(const struct results_store_file *a, const struct results_store_file *b)
{
    if (a->fenced != b->fenced) {
        return b->fenced;
    }
    return a->epoch < b->epoch || (a->epoch == b->epoch && a->index < b->index);
}

static void sift(struct results_store_file *files, uint32_t root, uint32_t n)
{
    for (uint32_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        struct results_store_file swap;

        if (child + 1 < n && before(&files[child], &files[child + 1])) {
            child++;
        }
        if (!before(&files[root], &files[child])) {
            return;
        }
        swap = files[root];
        files[root] = files[child];
        files[child] = swap;
        root = child;
    }
}

static void sort(struct results_store_files *files)
{
    for (uint32_t i = files->n_files / 2; i > 0; i--) {
        sift(files->files, i - 1, files->n_files);
    }
    for (uint32_t i = files->n_files; i > 1; i--) {
        struct results_store_file swap = files->files[0];

        files->files[0] = files->files[i - 1];
        files->files[i - 1] = swap;
        sift(files->files, 0, i - 1);
    }
}

// --- formats ------------------------------------------------------------------------------------

static bool looks_hardened(const uint8_t *bytes, size_t size)
{
    static const uint8_t magic[8] = {'R', 'E', 'C', 'O', 'U', 'P', 0x0d, 0x0a};

    return size > 0 && memcmp(bytes, magic, size < sizeof magic ? size : sizeof magic) == 0;
}

static bool looks_like_flink(const uint8_t *bytes, size_t size)
{
    uint32_t type;

    if (size < 8) {
        return false;
    }
    type = recoup__get32be(bytes);
    return type >= RECOUP__RECORD_FINISHED && type <= RECOUP__RECORD_GAP &&
           recoup__get32be(bytes + 4) <= RECOUP_EVENT_SIZE_MAX + 8;
}

// A first record whose last eight bytes are its checksum is no accident.
static bool flink_checksum(const uint8_t *bytes, size_t size)
{
    uint32_t body;

    if (!looks_like_flink(bytes, size)) {
        return false;
    }
    body = recoup__get32be(bytes + 4);
    return body >= 8 && body <= size - 8 && XXH3_64bits(bytes, body) == recoup__get64(bytes + body);
}

static int look(struct results_store_files *files, struct results_store_file *file,
                enum results_store_framing framing)
{
    uint8_t bytes[HEAD_BYTES];
    int fd = results_store_file_open(files, file->name);
    int64_t size = fd < 0 ? -1 : results_store_read(fd, 0, bytes, sizeof bytes);
    int error = size < 0 ? errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (error != 0) {
        return error;
    }
    if (framing == RESULTS_STORE_AUTO) {
        file->own_format =
            looks_hardened(bytes, (size_t)size) || looks_like_flink(bytes, (size_t)size);
        file->format.contiguous = looks_hardened(bytes, (size_t)size);
    } else {
        file->own_format = true;
        file->format.contiguous = framing == RESULTS_STORE_HARDENED;
    }
    if (!file->format.contiguous) {
        file->format.checksum = flink_checksum(bytes, (size_t)size);
    } else if (size >= (int64_t)RECOUP__HEADER_SIZE) {
        file->format.checksum = recoup__get64(bytes + 56) != 0;
        file->has_header =
            recoup__header_decode(bytes, &file->format, &file->header) == RECOUP__DAMAGE_NONE;
    } else {
        file->format.checksum = true;
    }
    file->format.seed = 0;
    return 0;
}

// What a file does not tell by itself is as in the first file that does; else as its name suggests.
static void spread_format(struct results_store_files *files)
{
    const struct results_store_file *model = NULL;
    bool hardened_checksums = false;
    bool flink_checksums = false;

    for (uint32_t i = 0; i < files->n_files; i++) {
        const struct results_store_file *file = &files->files[i];

        model = model == NULL && file->own_format ? file : model;
        if (file->own_format && file->format.checksum) {
            hardened_checksums = hardened_checksums || file->format.contiguous;
            flink_checksums = flink_checksums || !file->format.contiguous;
        }
    }
    for (uint32_t i = 0; i < files->n_files; i++) {
        struct results_store_file *file = &files->files[i];

        if (!file->own_format) {
            file->format.contiguous = model != NULL ? model->format.contiguous : file->fenced;
        }
        // One policy for the whole log: a checksum that became zero does not switch the checks off.
        file->format.checksum = file->format.contiguous
                                    ? hardened_checksums || model == NULL || !file->own_format
                                    : flink_checksums;
    }
}

// The digest that most headers have, by Boyer and Moore's vote: one foreign file does not make all
// others foreign.
static void vote_digest(struct results_store_files *files)
{
    uint32_t votes = 0;

    for (uint32_t i = 0; i < files->n_files; i++) {
        const struct results_store_file *file = &files->files[i];

        if (!file->has_header) {
            continue;
        }
        if (votes == 0) {
            memcpy(files->digest, file->header.digest, sizeof files->digest);
            files->has_digest = true;
        }
        if (memcmp(files->digest, file->header.digest, sizeof files->digest) == 0) {
            votes++;
        } else {
            votes--;
        }
    }
}

int results_store_files_open(struct results_store_files *files, const char *directory,
                             enum results_store_framing framing, struct results_text *message)
{
    int error = 0;

    memset(files, 0, sizeof *files);
    files->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    error = files->directory < 0 ? errno : list(files);
    if (error != 0) {
        results_text_format(message, "%s: the directory cannot be read: %s", directory,
                            strerror(error));
        return error;
    }
    sort(files);
    for (uint32_t i = 0; i < files->n_files; i++) {
        error = look(files, &files->files[i], framing);
        if (error != 0) {
            results_text_format(message, "%s/%s: the file cannot be read: %s", directory,
                                files->files[i].name, strerror(error));
            return error;
        }
    }
    spread_format(files);
    vote_digest(files);
    return 0;
}

void results_store_files_release(struct results_store_files *files)
{
    if (files->directory > 0) {
        (void)close(files->directory);
    }
    free(files->files);
    memset(files, 0, sizeof *files);
    files->directory = -1;
}
