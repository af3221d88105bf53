// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/conformance/support_real.h"

#ifdef CONFORMANCE_REAL_HOST

#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

// Of statfs(2).
#define EXT_MAGIC 0xef53
#define TMPFS_MAGIC 0x01021994

const char *real_kind(const char *base)
{
    struct statfs status;

    if (statfs(base, &status) != 0) {
        return NULL;
    }
    return (long)status.f_type == EXT_MAGIC     ? "ext4"
           : (long)status.f_type == TMPFS_MAGIC ? "tmpfs"
                                                : "another file system";
}

const char *const *real_bases(void)
{
    static const char *bases[3];
    const char *kind = real_kind("/dev/shm");
    const char *own = getenv("RECOUP_CONFORMANCE_DIR");

    bases[0] = own != NULL && own[0] != '\0' ? own : RECOUP_BINARY_DIR;
    bases[1] = kind != NULL && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NULL;
    return bases;
}

void real_init(struct real_fs *fs, const char *base, enum recoup_host_durability durability)
{
    memset(fs, 0, sizeof *fs);
    assert_true(snprintf(fs->parent, sizeof fs->parent, "%s/conformance-XXXXXX", base) > 0);
    assert_non_null(mkdtemp(fs->parent));
    assert_true(snprintf(fs->directory, sizeof fs->directory, "%s/store", fs->parent) > 0);
    assert_int_equal(recoup__files_init(&fs->files, fs->directory, durability), 0);
}

static void forget(struct real_fs *fs)
{
    recoup__file_names_release(&fs->operation.names);
    free(fs->operation.buffer);
    memset(&fs->operation, 0, sizeof fs->operation);
}

void real_reopen(struct real_fs *fs, enum recoup_host_durability durability)
{
    forget(fs);
    recoup__files_release(&fs->files);
    assert_int_equal(recoup__files_init(&fs->files, fs->directory, durability), 0);
}

void real_release(struct real_fs *fs)
{
    DIR *stream = opendir(fs->directory);
    const struct dirent *entry;

    forget(fs);
    recoup__files_release(&fs->files);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        (void)unlinkat(dirfd(stream), entry->d_name, 0);
    }
    if (stream != NULL) {
        closedir(stream);
    }
    (void)rmdir(fs->directory);
    assert_int_equal(rmdir(fs->parent), 0);
}

void real_perform(struct real_fs *fs, const struct recoup_action *action,
                  struct recoup_event *event)
{
    struct recoup__file_operation *operation = &fs->operation;

    forget(fs);
    operation->type = action->type;
    memcpy(operation->file, action->io.file, sizeof operation->file);
    operation->data = action->io.data;
    operation->offset = action->io.offset;
    operation->size = action->io.size;
    if (action->type == RECOUP_ACTION_READ) {
        operation->buffer = malloc(action->io.size);
        assert_non_null(operation->buffer);
    }
    recoup__files_perform(&fs->files, operation);
    *event = (struct recoup_event){.type = RECOUP_EVENT_IO};
    event->io.operation = action->io.operation;
    event->io.error = operation->os_error != 0 ? recoup_host_error(operation->os_error) : 0;
    event->io.data = operation->size_read > 0 ? operation->buffer : NULL;
    event->io.size = operation->size_read;
    event->io.names = operation->names.names;
    event->io.n_names = operation->names.n;
}

#endif
