// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "support_store.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

void store_folder(char *path, const char *name)
{
    DIR *stream;
    struct dirent *entry;

    snprintf(path, 512, "%s/store-%s", RECOUP_BINARY_DIR, name);
    (void)mkdir(path, 0777);
    stream = opendir(path);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.') {
            assert_i64(unlinkat(dirfd(stream), entry->d_name, 0), 0);
        }
    }
    closedir(stream);
}

void store_save(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_u64(fwrite(bytes, 1, size, file), size);
    assert_i64(fclose(file), 0);
}

void store_begin(struct store_writer *writer, bool hardened, uint64_t epoch, uint32_t index,
                 uint64_t sequence)
{
    struct recoup__header header = {.digest = "job and its plan", .epoch = epoch, .index = index};

    memset(writer, 0, sizeof *writer);
    writer->format.contiguous = hardened;
    writer->format.checksum = hardened;
    writer->sequence = sequence;
    if (hardened) {
        recoup__header_encode(&header, &writer->format, writer->bytes);
        writer->size = RECOUP__HEADER_SIZE;
    }
}

void store_add(struct store_writer *writer, const struct recoup__record *record)
{
    size_t prefix = recoup__frame_prefix(&writer->format);
    uint8_t *to = writer->bytes + writer->size;
    size_t body = 0;

    assert_i64(recoup__record_size(record, &body), 0);
    assert_true(writer->size + body + recoup__frame_overhead(&writer->format) <= STORE_BYTES_MAX);
    assert_true(writer->n < sizeof writer->at / sizeof writer->at[0]);
    recoup__record_encode(record, to + prefix, body);
    recoup__frame_finish(&writer->format, record->type, writer->sequence++, to, body);
    writer->at[writer->n++] = writer->size;
    writer->size += body + recoup__frame_overhead(&writer->format);
}

void store_add_initialized(struct store_writer *writer, uint32_t stage, uint32_t parallelism)
{
    struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};

    record.initialized.stage = stage;
    record.initialized.parallelism = parallelism;
    store_add(writer, &record);
}

void store_add_finished(struct store_writer *writer, uint32_t stage, uint32_t subtask,
                        bool recovery_point)
{
    struct recoup__record record = {.type = RECOUP__RECORD_FINISHED};
    struct recoup__snapshot shuffle = {RECOUP_SHUFFLE, "s", 1};

    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = UINT64_C(1) << 32 | subtask;
    record.finished.worker = subtask % 3;
    record.finished.bytes = 1000;
    record.finished.has_partition = true;
    if (recovery_point) {
        record.finished.snapshots = &shuffle;
        record.finished.n_snapshots = 1;
    }
    store_add(writer, &record);
}

void store_add_incarnation(struct store_writer *writer, uint64_t epoch,
                           const struct recoup__extent *files, uint32_t n_files)
{
    struct recoup__record record = {.type = RECOUP__RECORD_INCARNATION};

    record.incarnation.epoch = epoch;
    record.incarnation.files = files;
    record.incarnation.n_files = n_files;
    store_add(writer, &record);
}

void store_add_begin(struct store_writer *writer, bool replaces)
{
    struct recoup__record record = {.type = RECOUP__RECORD_CHECKPOINT_BEGIN};

    record.checkpoint_begin.replaces = replaces;
    store_add(writer, &record);
}

void store_add_end(struct store_writer *writer)
{
    struct recoup__record record = {.type = RECOUP__RECORD_CHECKPOINT_END};

    store_add(writer, &record);
}

void store_write(const struct store_writer *writer, const char *folder, uint64_t epoch,
                 uint32_t index)
{
    char name[32];

    recoup__file_name(writer->format.contiguous, epoch, index, name);
    store_save(folder, name, writer->bytes, writer->size);
}
