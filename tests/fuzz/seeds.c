// SPDX-License-Identifier: GPL-3.0-or-later
//
// Makes the seed corpus: files as real masters of a small job leave them, in both profiles, after
// several crashes; each record of them by itself. seeds FOLDER makes FOLDER/scan, /record, /replay,
// /recording.
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz_host.h"
#include "recovery/format.h"

static void save(const char *folder, const char *kind, unsigned number, const uint8_t *head,
                 size_t head_size, const uint8_t *bytes, size_t size)
{
    char path[4096];
    FILE *file;

    (void)mkdir(folder, 0777);
    (void)snprintf(path, sizeof path, "%s/%s", folder, kind);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof path, "%s/%s/seed-%03u", folder, kind, number);
    file = fopen(path, "wb");
    FUZZ_REQUIRE(file != NULL);
    FUZZ_REQUIRE(fwrite(head, 1, head_size, file) == head_size);
    FUZZ_REQUIRE(size == 0 || fwrite(bytes, 1, size, file) == size);
    FUZZ_REQUIRE(fclose(file) == 0);
}

// Returns the set of the types of its records, one bit each.
static unsigned save_records(const char *folder, const struct fuzz_file *file, bool contiguous,
                             bool checksum, unsigned *number)
{
    struct fuzz_memory counted = {.limit = 1u << 24};
    struct recoup_allocator allocator = fuzz_allocator(&counted);
    struct recoup__format format = {contiguous, checksum, 0};
    struct recoup__memory memory;
    struct recoup__scanner scanner;
    struct recoup__frame frame;
    unsigned types = 0;

    recoup__memory_init(&memory, &allocator);
    recoup__scanner_init(&scanner, &memory);
    recoup__scanner_begin(&scanner, &format);
    FUZZ_REQUIRE(recoup__scanner_feed(&scanner, file->bytes, file->size) == 0);
    while (recoup__scanner_next(&scanner, true, &frame) == RECOUP__SCAN_RECORD) {
        uint8_t type = (uint8_t)frame.type;

        save(folder, "record", (*number)++, &type, 1, frame.body, frame.size);
        types |= 1u << type;
    }
    recoup__scanner_release(&scanner);
    return types;
}

// Files in the order of their names, epochs and indexes as the names say.
static void save_replay(const char *folder, struct fuzz_host *host, uint8_t options,
                        unsigned number)
{
    static uint8_t bytes[1u << 20];
    size_t size = 0;
    uint64_t last_epoch = 0;
    uint32_t next = 0;
    uint8_t head[2] = {options, 0};

    for (uint64_t epoch = 0; epoch <= host->epoch; epoch++) {
        for (uint32_t index = 0; index < 100; index++) {
            for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
                const struct fuzz_file *file = &host->files[i];
                uint64_t e;
                uint32_t n;

                if (!file->exists ||
                    recoup__file_name_parse(file->name, &e, &n) == RECOUP__NAME_OTHER ||
                    e != epoch || n != index || size + file->size + 3 > sizeof bytes) {
                    continue;
                }
                bytes[size] = last_epoch != 0 && e != last_epoch ? 1 : n > next ? 2 : 0;
                bytes[size + 1] = (uint8_t)file->size;
                bytes[size + 2] = (uint8_t)(file->size >> 8);
                memcpy(bytes + size + 3, file->bytes, file->size);
                size += 3 + file->size;
                last_epoch = e;
                next = n + 1;
            }
        }
    }
    save(folder, "replay", number, head, sizeof head, bytes, size);
}

// What the last master did, as its recorder wrote it.
static void save_recording(const char *folder, const struct fuzz_host *host, unsigned number)
{
    uint8_t mended = 1;

    save(folder, "recording", number, &mended, 1, host->tape, host->tape_size);
}

struct counts {
    unsigned scans;
    unsigned records;
    unsigned types; // of records: a set of bits
};

// Each file, and each record of it, as they are now.
static void save_files(const char *folder, const struct fuzz_host *host, uint8_t options,
                       struct counts *counts)
{
    bool hardened = (options & 1) != 0;
    bool checksum = hardened && options < 2;

    for (uint32_t i = 0; i < FUZZ_FILES_MAX; i++) {
        const struct fuzz_file *file = &host->files[i];
        uint8_t head = (uint8_t)((hardened ? 1 : 0) | (checksum ? 2 : 0) | 64);

        if (file->exists) {
            save(folder, "scan", counts->scans++, &head, 1, file->bytes, file->size);
            counts->types |= save_records(folder, file, hardened, checksum, &counts->records);
        }
    }
}

int main(int argc, char **argv)
{
    struct counts counts = {0, 0, 0};
    unsigned replays = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (uint8_t options = 0; options < 4; options++) {
        bool hardened = (options & 1) != 0;
        static struct fuzz_host host;

        fuzz_host_init(&host, hardened ? RECOUP_PROFILE_HARDENED : RECOUP_PROFILE_FLINK_1_20);
        host.options.policy[RECOUP_POLICY_CHECKSUM] = hardened && (options & 2) == 0;
        host.records = true;
        for (unsigned master = 0; master < 4; master++) {
            fuzz_host_start(&host);
            FUZZ_REQUIRE(host.recovered);
            host.fails_once = hardened && master == 1; // a gap, then a checkpoint
            fuzz_host_work(&host, 2 + master);
            fuzz_host_crash(&host);
            save_recording(argv[1], &host, replays);
            save_replay(argv[1], &host, options, replays++);
        }
        // The last one ends the job, and dies before the log is removed.
        fuzz_host_start(&host);
        FUZZ_REQUIRE(host.recovered);
        fuzz_host_work(&host, 100);
        save_files(argv[1], &host, options, &counts);
        fuzz_host_end(&host);
        fuzz_host_crash(&host);
        save_recording(argv[1], &host, replays);
        save_replay(argv[1], &host, options, replays++);
        save_files(argv[1], &host, options, &counts);
        fuzz_host_release(&host);
    }
    for (unsigned type = RECOUP__RECORD_FINISHED; type <= RECOUP__RECORD_ENDED; type++) {
        FUZZ_REQUIRE((counts.types >> type & 1) != 0); // a seed of every type there is
    }
    printf("%u files, %u records, %u stores\n", counts.scans, counts.records, replays);
    return 0;
}
