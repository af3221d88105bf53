// SPDX-License-Identifier: GPL-3.0-or-later
//
// Input files: reading with a limit, the index of lines, and a look at every byte before any parser
// sees it (the YAML library reports bad bytes without a place).
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "scenarios/loader.h"

#define CHUNK 16384u

static void close_file(void *context)
{
    (void)fclose(context);
}

// The whole of `stream`, at most limit + 1 bytes. False when reading failed.
static bool read_all(struct scenario_loader *loader, FILE *stream, size_t limit,
                     struct scenario_buffer *buffer)
{
    char chunk[CHUNK];
    while (buffer->size <= limit) {
        size_t got = fread(chunk, 1, sizeof(chunk), stream);
        scenario_buffer_append(&loader->memory, buffer, chunk, got);
        if (got < sizeof(chunk)) {
            return ferror(stream) == 0;
        }
    }
    return true;
}

struct scenario_file *scenario_file_read(struct scenario_loader *loader, const char *path,
                                         const char *written, size_t limit,
                                         struct scenario_place place)
{
    struct scenario_buffer buffer = {0};
    errno = 0;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        scenario_error(loader, place, "cannot read '%s': %s", scenario_quote(loader, written),
                       strerror(errno));
        return NULL;
    }
    loader->memory.cleanup = close_file;
    loader->memory.cleanup_context = stream;
    bool done = read_all(loader, stream, limit, &buffer);
    int error = errno;
    loader->memory.cleanup = NULL;
    (void)fclose(stream);
    if (!done) {
        scenario_error(loader, place, "cannot read '%s': %s", scenario_quote(loader, written),
                       strerror(error));
        return NULL;
    }
    if (buffer.size > limit) {
        scenario_error(loader, place, "'%s' is larger than %zu MiB, the limit of such a file",
                       scenario_quote(loader, written), limit >> 20);
        return NULL;
    }
    return scenario_file_text(loader, scenario_copy_text(&loader->memory, path),
                              scenario_folder_of(loader, path), buffer.text, buffer.size);
}

size_t scenario_utf8_read(const unsigned char *p, size_t size, uint32_t *out)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > size) {
        return 0;
    }
    uint32_t code = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < least[n] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
        return 0;
    }
    *out = code;
    return n;
}

static void index_lines(struct scenario_loader *loader, struct scenario_file *file)
{
    uint32_t count = 1;
    for (size_t i = 0; i < file->size; i++) {
        count += file->text[i] == '\n' ? 1 : 0;
    }
    uint32_t *lines = scenario_allocate_array(&loader->memory, count, sizeof(*lines));
    uint32_t at = 1;
    for (size_t i = 0; i < file->size; i++) {
        if (file->text[i] == '\n') {
            lines[at++] = (uint32_t)(i + 1);
        }
    }
    file->lines = lines;
    file->n_lines = count;
}

struct scenario_file *scenario_file_text(struct scenario_loader *loader, const char *name,
                                         const char *folder, const char *text, size_t size)
{
    struct scenario_file *file = scenario_allocate(&loader->memory, sizeof(*file));
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    file->name = name;
    file->folder = folder;
    file->text = scenario_copy(&loader->memory, size != 0 ? text : "", size);
    file->size = size;
    file->order = loader->files++;
    index_lines(loader, file);
    return file;
}

const char *scenario_folder_of(struct scenario_loader *loader, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return "";
    }
    return scenario_copy(&loader->memory, path, (size_t)(slash - path) + 1);
}

// "a/b/../c" and "a/./c" become "a/c", as far as letters tell; ".." at the front stays.
static void fold_path(const char *path, char *folded)
{
    char *out = folded;
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        size_t step = size + (path[size] == '/' ? 1 : 0);
        char *last = out; // where the name before this one starts
        while (last > folded && out > folded && (last == out || last[-1] != '/')) {
            last--;
        }
        bool up = size == 2 && path[0] == '.' && path[1] == '.';
        bool removable = last < out && last[0] != '/' && strncmp(last, "../", 3) != 0;
        if (up && removable) {
            out = last;
        } else if (!(size == 1 && path[0] == '.' && path[1] == '/')) {
            memmove(out, path, step);
            out += step;
        }
        path += step;
    }
    *out = '\0';
}

const char *scenario_path_tidy(struct scenario_loader *loader, const char *path)
{
    struct stat as_written;
    struct stat as_folded;
    char *folded = scenario_allocate(&loader->memory, strlen(path) + 1);
    fold_path(path, folded);
    bool same = stat(path, &as_written) == 0 && stat(folded, &as_folded) == 0
                && as_written.st_dev == as_folded.st_dev && as_written.st_ino == as_folded.st_ino;
    return same ? folded : path;
}

const char *scenario_path_join(struct scenario_loader *loader, const struct scenario_file *file,
                               const char *path)
{
    if (path[0] == '/' || file == NULL || file->folder[0] == '\0') {
        return path;
    }
    return scenario_print(&loader->memory, "%s%s", file->folder, path);
}
