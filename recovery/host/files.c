// SPDX-License-Identifier: Apache-2.0
//
// The file operations. Rules that are not obvious:
//
//   A new or removed name is durable only after an fsync of its directory, so create, remove and
//   mkdir end with one (not in durability PROCESS).
//   A write may be short; the rest is written until all is or an error comes. What was written by
//   then stays in the file: the library closes it and never goes on in it.
//   After a failed fsync the kernel may have dropped the bytes and forgotten the error. Nothing is
//   retried here: the library abandons the file.
//   close() gives the descriptor back also when it fails.
#include "recovery/host/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recovery/memory.h"

#define WRITE_BYTES_MAX ((size_t)1 << 30) // of one write(): Linux takes no more than 2 GiB

static int failed(struct recoup__file_operation *operation, const char *call)
{
    RECOUP_ASSERT(errno != 0);
    RECOUP_ASSERT(operation->os_error == 0);
    operation->os_error = errno;
    operation->call = call;
    return -1;
}

static bool syncs(const struct recoup__files *files)
{
    RECOUP_ASSERT(files->durability <= RECOUP_HOST_MACHINE_AT_FLUSH);
    return files->durability != RECOUP_HOST_PROCESS;
}

// ---------------------------------------------------------------------------------------------
// Directories

static int open_directory(struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(files->directory != NULL);
    if (files->directory_fd == -1) {
        files->directory_fd = open(files->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    RECOUP_ASSERT(files->directory_fd >= -1);
    return files->directory_fd == -1 ? failed(operation, "open of the directory") : 0;
}

static int sync_names(struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(files->directory_fd != -1);
    if (syncs(files) && fsync(files->directory_fd) != 0) {
        return failed(operation, "fsync of the directory");
    }
    RECOUP_ASSERT(operation->os_error == 0);
    return 0;
}

// Copies what stands before the last component of path[0 .. length).
static void parent_of(const char *path, size_t length, char parent[RECOUP_HOST_PATH_MAX + 1])
{
    RECOUP_ASSERT(length > 0 && length <= RECOUP_HOST_PATH_MAX);
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    if (length == 0) {
        memcpy(parent, ".", 2);
        return;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    RECOUP_ASSERT(parent[0] == path[0]);
}

// Makes the name of path[0 .. length) durable in the directory that holds it. A directory that may
// not be opened is left to whoever made its entries, unless this was us.
static int sync_parent(struct recoup__files *files, struct recoup__file_operation *operation,
                       const char *path, size_t length, bool made)
{
    char parent[RECOUP_HOST_PATH_MAX + 1];
    int fd;
    int result;

    RECOUP_ASSERT(length <= RECOUP_HOST_PATH_MAX);
    if (!syncs(files)) {
        return 0;
    }
    parent_of(path, length, parent);
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return !made && errno == EACCES ? 0 : failed(operation, "open of the parent directory");
    }
    result = fsync(fd) == 0 ? 0 : failed(operation, "fsync of the parent directory");
    (void)close(fd); // opened for reading: it has nothing to lose
    RECOUP_ASSERT(result == 0 || operation->os_error != 0);
    return result;
}

// Makes the directory of path[0 .. length), which is `path` cut off there.
static int make_one(struct recoup__files *files, struct recoup__file_operation *operation,
                    const char *path, size_t length)
{
    int made = mkdir(path, 0777);

    RECOUP_ASSERT(path[length] == '\0');
    RECOUP_ASSERT(length > 0);
    if (made != 0 && errno != EEXIST) {
        // A parent that exists may refuse for other reasons, too (read-only, no permission).
        struct stat status;
        int os_error = errno;

        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            return 0;
        }
        errno = os_error;
        return failed(operation, "mkdir");
    }
    if (made == 0 || length == strlen(files->directory)) {
        return sync_parent(files, operation, path, length, made == 0);
    }
    return 0;
}

static int make_directory(struct recoup__files *files, struct recoup__file_operation *operation)
{
    char path[RECOUP_HOST_PATH_MAX + 1];
    size_t length = strlen(files->directory);

    RECOUP_ASSERT(length > 0 && length <= RECOUP_HOST_PATH_MAX);
    memcpy(path, files->directory, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        path[i] = '\0';
        if (make_one(files, operation, path, i) != 0) {
            return -1;
        }
        path[i] = files->directory[i];
    }
    RECOUP_ASSERT(strcmp(path, files->directory) == 0);
    return open_directory(files, operation);
}

static int add_name(struct recoup__file_names *names, const char *name)
{
    size_t size = strlen(name) + 1;

    RECOUP_ASSERT(names->used <= names->capacity);
    if (names->n == RECOUP_HOST_NAMES_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    if (size > names->capacity - names->used) {
        size_t capacity = names->capacity == 0 ? 4096 : names->capacity * 2;
        char *grown = realloc(names->text, capacity);

        if (grown == NULL) {
            errno = ENOMEM;
            return -1;
        }
        names->text = grown;
        names->capacity = capacity;
    }
    RECOUP_ASSERT(size <= names->capacity - names->used); // NAME_MAX is 255
    memcpy(names->text + names->used, name, size);
    names->used += size;
    names->n++;
    return 0;
}

// The array of names, once the text does not move any more.
static int index_names(struct recoup__file_names *names)
{
    size_t at = 0;

    RECOUP_ASSERT(names->names == NULL);
    names->names = malloc((names->n + (size_t)1) * sizeof names->names[0]);
    if (names->names == NULL) {
        errno = ENOMEM;
        return -1;
    }
    for (uint32_t i = 0; i < names->n; i++) {
        names->names[i] = names->text + at;
        at += strlen(names->text + at) + 1;
    }
    RECOUP_ASSERT(at == names->used);
    return 0;
}

static int read_names(DIR *stream, struct recoup__file_names *names)
{
    RECOUP_ASSERT(stream != NULL);
    RECOUP_ASSERT(names->n == 0);
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(stream);
        if (entry == NULL) {
            return errno == 0 ? index_names(names) : -1;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0
            && add_name(names, entry->d_name) != 0) {
            return -1;
        }
    }
}

static int list(struct recoup__files *files, struct recoup__file_operation *operation)
{
    DIR *stream;
    int fd;
    int result;

    if (open_directory(files, operation) != 0) {
        return -1;
    }
    // A description of its own, so that every listing starts at the beginning.
    fd = openat(files->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stream = fd == -1 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        result = failed(operation, "opendir");
        if (fd != -1) {
            (void)close(fd);
        }
        return result;
    }
    result = read_names(stream, &operation->names) == 0 ? 0 : failed(operation, "readdir");
    (void)closedir(stream);
    // A writer may have been killed between a creation and its sync.
    if (result == 0 && syncs(files) && fsync(files->directory_fd) != 0 && errno != EROFS
        && errno != EINVAL) {
        result = failed(operation, "fsync of the directory");
    }
    RECOUP_ASSERT(result == 0 || operation->os_error != 0);
    RECOUP_ASSERT(RECOUP_ERGO(result == 0, operation->names.names != NULL));
    return result;
}

void recoup__file_names_release(struct recoup__file_names *names)
{
    RECOUP_ASSERT(names != NULL);
    free(names->text);
    free(names->names);
    memset(names, 0, sizeof *names);
    RECOUP_ASSERT(names->n == 0);
}

// ---------------------------------------------------------------------------------------------
// Files

static int create(struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(operation->file[0] != '\0');
    RECOUP_ASSERT(strchr(operation->file, '/') == NULL);
    RECOUP_ASSERT(files->fd == -1);
    if (open_directory(files, operation) != 0) {
        return -1;
    }
    files->fd = openat(files->directory_fd, operation->file,
                       O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (files->fd == -1) {
        return failed(operation, "open");
    }
    if (sync_names(files, operation) != 0) {
        (void)close(files->fd); // empty
        files->fd = -1;
        return -1;
    }
    memcpy(files->name, operation->file, sizeof files->name);
    files->unsynced = false;
    return 0;
}

// True if the operation is about the file that is open for writing.
static bool is_open(const struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(operation->file[0] != '\0');
    if (files->fd == -1 || strcmp(files->name, operation->file) != 0) {
        errno = EBADF;
        failed(operation, "use of a file that is not open");
        return false;
    }
    RECOUP_ASSERT(operation->os_error == 0);
    return true;
}

static int append(struct recoup__files *files, struct recoup__file_operation *operation)
{
    const char *data = operation->data;
    size_t left = operation->size;

    if (!is_open(files, operation)) {
        return -1;
    }
    RECOUP_ASSERT(data != NULL);
    files->unsynced = true;
    while (left > 0) {
        ssize_t n = write(files->fd, data, left < WRITE_BYTES_MAX ? left : WRITE_BYTES_MAX);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return failed(operation, "write");
        }
        RECOUP_ASSERT((size_t)n <= left);
        data += n;
        left -= (size_t)n;
    }
    return 0;
}

static int sync_data(struct recoup__files *files, struct recoup__file_operation *operation)
{
    if (!is_open(files, operation)) {
        return -1;
    }
    if (fdatasync(files->fd) != 0) {
        return failed(operation, "fdatasync");
    }
    files->unsynced = false;
    RECOUP_ASSERT(operation->os_error == 0);
    return 0;
}

static int flush(struct recoup__files *files, struct recoup__file_operation *operation)
{
    // Without a buffer of our own, everything written is in the kernel's hands already.
    RECOUP_ASSERT(operation->type == RECOUP_ACTION_FLUSH);
    return files->durability == RECOUP_HOST_MACHINE_AT_FLUSH ? sync_data(files, operation) : 0;
}

static int close_file(struct recoup__files *files, struct recoup__file_operation *operation)
{
    int result = 0;
    int fd = files->fd;

    if (!is_open(files, operation)) {
        return -1;
    }
    // Where a flush is what makes durable, so is a close.
    if (files->durability == RECOUP_HOST_MACHINE_AT_FLUSH && files->unsynced) {
        result = sync_data(files, operation);
    }
    files->fd = -1;
    if (close(fd) != 0 && errno != EINTR && result == 0) {
        result = failed(operation, "close");
    }
    RECOUP_ASSERT(result == 0 || operation->os_error != 0);
    return result;
}

static int read_part(struct recoup__file_operation *operation, int fd)
{
    char *buffer = operation->buffer;

    RECOUP_ASSERT(buffer != NULL || operation->size == 0);
    while (operation->size_read < operation->size) {
        ssize_t n = pread(fd, buffer + operation->size_read, operation->size - operation->size_read,
                          (off_t)(operation->offset + operation->size_read));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? 0 : failed(operation, "read");
        }
        operation->size_read += (size_t)n;
    }
    RECOUP_ASSERT(operation->size_read == operation->size);
    return 0;
}

static int read_file(struct recoup__files *files, struct recoup__file_operation *operation)
{
    int fd;
    int result;

    RECOUP_ASSERT(strchr(operation->file, '/') == NULL);
    RECOUP_ASSERT(operation->size_read == 0);
    if (open_directory(files, operation) != 0) {
        return -1;
    }
    fd = openat(files->directory_fd, operation->file, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return failed(operation, "open");
    }
    result = read_part(operation, fd);
    // At its end the file is made durable. Its writer may have been killed before it synced: the
    // library goes on from these bytes, and what it acknowledges would be lost with them.
    if (result == 0 && syncs(files) && operation->size_read < operation->size && fdatasync(fd) != 0
        && errno != EROFS && errno != EINVAL) {
        result = failed(operation, "fdatasync of what was read");
    }
    (void)close(fd); // opened for reading: it has nothing to lose
    return result;
}

static int remove_directory(struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(operation->file[0] == '\0');
    if (files->directory_fd != -1) {
        (void)close(files->directory_fd);
        files->directory_fd = -1;
    }
    if (rmdir(files->directory) != 0) {
        return errno == ENOENT ? 0 : failed(operation, "rmdir");
    }
    RECOUP_ASSERT(files->directory_fd == -1);
    return sync_parent(files, operation, files->directory, strlen(files->directory), true);
}

static int remove_file(struct recoup__files *files, struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(strchr(operation->file, '/') == NULL);
    if (operation->file[0] == '\0') {
        return remove_directory(files, operation);
    }
    if (open_directory(files, operation) != 0) {
        return -1;
    }
    RECOUP_ASSERT(files->directory_fd != -1);
    if (unlinkat(files->directory_fd, operation->file, 0) != 0 && errno != ENOENT) {
        return failed(operation, "unlink");
    }
    return sync_names(files, operation);
}

// ---------------------------------------------------------------------------------------------

int recoup__files_init(struct recoup__files *files, const char *directory,
                       enum recoup_host_durability durability)
{
    size_t length = directory == NULL ? 0 : strlen(directory);

    memset(files, 0, sizeof *files);
    files->fd = -1;
    files->directory_fd = -1;
    files->durability = durability;
    if (length == 0 || length > RECOUP_HOST_PATH_MAX) {
        return RECOUP_EINVAL;
    }
    while (length > 1 && directory[length - 1] == '/') {
        length--;
    }
    files->directory = malloc(length + 1);
    if (files->directory == NULL) {
        return RECOUP_ENOMEM;
    }
    memcpy(files->directory, directory, length);
    files->directory[length] = '\0';
    RECOUP_ASSERT(files->directory[0] != '\0');
    RECOUP_ASSERT(!files->unsynced);
    return 0;
}

void recoup__files_release(struct recoup__files *files)
{
    RECOUP_ASSERT(files != NULL);
    if (files->fd != -1) {
        (void)close(files->fd); // whose bytes nobody waits for any more
    }
    if (files->directory_fd != -1) {
        (void)close(files->directory_fd);
    }
    free(files->directory);
    memset(files, 0, sizeof *files);
    files->fd = -1;
    files->directory_fd = -1;
    RECOUP_ASSERT(files->directory == NULL);
}

bool recoup__files_is_immediate(const struct recoup__files *files,
                                const struct recoup__file_operation *operation)
{
    RECOUP_ASSERT(operation->type <= RECOUP_ACTION_REMOVE);
    return operation->type == RECOUP_ACTION_FLUSH
           && files->durability != RECOUP_HOST_MACHINE_AT_FLUSH;
}

void recoup__files_perform(struct recoup__files *files, struct recoup__file_operation *operation)
{
    static int (*const perform[])(struct recoup__files *, struct recoup__file_operation *) = {
        [RECOUP_ACTION_MKDIR] = make_directory, [RECOUP_ACTION_LIST] = list,
        [RECOUP_ACTION_CREATE] = create,        [RECOUP_ACTION_APPEND] = append,
        [RECOUP_ACTION_FLUSH] = flush,          [RECOUP_ACTION_SYNC] = sync_data,
        [RECOUP_ACTION_CLOSE] = close_file,     [RECOUP_ACTION_READ] = read_file,
        [RECOUP_ACTION_REMOVE] = remove_file,
    };
    int result;

    RECOUP_ASSERT(operation->type <= RECOUP_ACTION_REMOVE);
    operation->os_error = 0;
    operation->call = "";
    result = perform[operation->type](files, operation);
    RECOUP_ASSERT((result == 0) == (operation->os_error == 0));
    (void)result;
}
