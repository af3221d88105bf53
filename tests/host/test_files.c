// SPDX-License-Identifier: GPL-3.0-or-later
//
// The file operations one by one, without a loop.
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recovery/host/files.h"

struct fixture {
    char folder[256];
    char path[300];
    struct recoup__files files;
    struct recoup__file_operation operation;
    char buffer[4096];
};

static void begin(struct fixture *f, enum recoup_host_durability durability)
{
    const char *temporary = getenv("TMPDIR");

    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%s/recoup-files-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/a/b//c/", f->folder);
    assert_int_equal(recoup__files_init(&f->files, f->path, durability), 0);
}

// Performs; returns errno.
static int perform(struct fixture *f, enum recoup_action_type type, const char *file)
{
    recoup__file_names_release(&f->operation.names);
    f->operation.type = type;
    f->operation.buffer = f->buffer;
    f->operation.size_read = 0;
    snprintf(f->operation.file, sizeof f->operation.file, "%s", file);
    recoup__files_perform(&f->files, &f->operation);
    assert_int_equal(f->operation.os_error == 0, f->operation.call[0] == '\0');
    return f->operation.os_error;
}

static int append(struct fixture *f, const char *file, const void *data, size_t size)
{
    f->operation.data = data;
    f->operation.size = size;
    return perform(f, RECOUP_ACTION_APPEND, file);
}

static int read_at(struct fixture *f, const char *file, uint64_t offset, size_t size)
{
    f->operation.offset = offset;
    f->operation.size = size;
    return perform(f, RECOUP_ACTION_READ, file);
}

static void end(struct fixture *f)
{
    char path[300];

    recoup__file_names_release(&f->operation.names);
    recoup__files_release(&f->files);
    snprintf(path, sizeof path, "%s/a/b/c", f->folder);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(rmdir(path), 0); // nothing is left in it
        *strrchr(path, '/') = '\0';
    }
}

static void life_of_a_file(void **state)
{
    (void)state;
    for (unsigned i = RECOUP_HOST_PROCESS; i <= RECOUP_HOST_MACHINE_AT_FLUSH; i++) {
        struct fixture f;

        begin(&f, (enum recoup_host_durability)i);
        assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0); // succeeds when it exists
        assert_int_equal(perform(&f, RECOUP_ACTION_CREATE, "events.0"), 0);
        assert_int_equal(append(&f, "events.0", "0123", 4), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_FLUSH, "events.0"), 0);
        assert_int_equal(append(&f, "events.0", "456789", 6), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_SYNC, "events.0"), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_CLOSE, "events.0"), 0);
        assert_int_equal(read_at(&f, "events.0", 2, 5), 0);
        assert_int_equal(f.operation.size_read, 5);
        assert_memory_equal(f.buffer, "23456", 5);
        assert_int_equal(read_at(&f, "events.0", 8, 5), 0);
        assert_int_equal(f.operation.size_read, 2); // fewer: the end is near
        assert_int_equal(read_at(&f, "events.0", 10, 5), 0);
        assert_int_equal(f.operation.size_read, 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, "events.0"), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, "events.0"), 0); // when absent, too
        assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, ""), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, ""), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0); // a wiped log opens anew
        end(&f);
    }
}

static void create_is_exclusive(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, RECOUP_HOST_PROCESS);
    assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_CREATE, "events.0"), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_CLOSE, "events.0"), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_CREATE, "events.0"), EEXIST);
    assert_int_equal(append(&f, "events.0", "x", 1), EBADF);
    assert_int_equal(perform(&f, RECOUP_ACTION_CLOSE, "events.0"), EBADF);
    assert_int_equal(read_at(&f, "events.1", 0, 1), ENOENT);
    assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, ""), ENOTEMPTY);
    assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, "events.0"), 0);
    end(&f);
}

static int compare_names(const struct recoup__file_names *names, uint32_t n)
{
    unsigned char seen[2000] = {0};

    assert_int_equal(names->n, n);
    for (uint32_t i = 0; i < n; i++) {
        unsigned long k = strtoul(strchr(names->names[i], '.') + 1, NULL, 10);

        assert_true(k < n);
        assert_int_equal(seen[k], 0);
        seen[k] = 1;
    }
    return 0;
}

// Every name once, in whatever order, also when the text has to grow several times.
static void lists_every_name(void **state)
{
    struct fixture f;
    char name[32];

    (void)state;
    begin(&f, RECOUP_HOST_PROCESS);
    assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_LIST, ""), 0);
    assert_int_equal(f.operation.names.n, 0);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "some-long-name-of-a-file.%u", i);
        assert_int_equal(perform(&f, RECOUP_ACTION_CREATE, name), 0);
        assert_int_equal(perform(&f, RECOUP_ACTION_CLOSE, name), 0);
    }
    assert_int_equal(perform(&f, RECOUP_ACTION_LIST, ""), 0);
    compare_names(&f.operation.names, 2000);
    assert_int_equal(perform(&f, RECOUP_ACTION_LIST, ""), 0); // from the beginning again
    compare_names(&f.operation.names, 2000);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "some-long-name-of-a-file.%u", i);
        assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, name), 0);
    }
    end(&f);
}

// A write that the limit cuts short is an error, and says so; what was written stays.
static void a_short_write_is_gone_on_with(void **state)
{
    struct fixture f;
    struct rlimit before;
    struct rlimit limit;
    static char data[3000];

    (void)state;
    begin(&f, RECOUP_HOST_PROCESS);
    assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_CREATE, "events.0"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(append(&f, "events.0", data, sizeof data), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_string_equal(f.operation.call, "write");
    assert_int_equal(perform(&f, RECOUP_ACTION_CLOSE, "events.0"), 0);
    assert_int_equal(read_at(&f, "events.0", 0, 4096), 0);
    assert_int_equal(f.operation.size_read, 1000);
    assert_int_equal(perform(&f, RECOUP_ACTION_REMOVE, "events.0"), 0);
    end(&f);
}

static void a_file_in_the_way_is_refused(void **state)
{
    struct fixture f;
    char path[300];
    int fd;

    (void)state;
    begin(&f, RECOUP_HOST_MACHINE_AT_SYNC);
    snprintf(path, sizeof path, "%s/a", f.folder);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd != -1);
    close(fd);
    assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), ENOTDIR);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(perform(&f, RECOUP_ACTION_LIST, ""), ENOENT);
    assert_int_equal(perform(&f, RECOUP_ACTION_MKDIR, ""), 0);
    end(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(life_of_a_file),
    cmocka_unit_test(create_is_exclusive),
    cmocka_unit_test(lists_every_name),
    cmocka_unit_test(a_short_write_is_gone_on_with),
    cmocka_unit_test(a_file_in_the_way_is_refused),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "host files", tests);
}
