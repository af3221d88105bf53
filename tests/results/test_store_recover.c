// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why each finished subtask of a log is kept or forgotten; dump; nothing is ever written.
#define _XOPEN_SOURCE 700
#include "results/store_recover.h"

#include <fcntl.h>
#include <unistd.h>

#include "support_store.h"

static struct store_writer writer;

// What is printed, through a file.
static char *printed(struct results_store_output *output, const char *path)
{
    static char text[65536];
    ssize_t size;
    int fd;

    results_store_output_release(output);
    close(output->fd);
    fd = open(path, O_RDONLY);
    size = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(size >= 0);
    text[size] = '\0';
    return text;
}

static void begin_output(struct results_store_output *output, char *path)
{
    snprintf(path, 512, "%s/store-output", RECOUP_BINARY_DIR);
    results_store_output_init(output, open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
    assert_true(output->fd >= 0);
}

static void expect_recovery(const char *folder, bool workers, const struct model_config *config,
                            const char *expected)
{
    struct results_store_files files;
    struct results_store_recovery recovery = {.workers_report = workers, .config = config};
    struct results_store_output output;
    struct results_text message;
    char path[512];

    results_text_init(&message);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &message), 0);
    recovery.files = &files;
    recovery.profile = results_store_profile(&files);
    assert_i64(results_store_recover(&recovery, &message), RESULTS_STORE_INTACT);
    begin_output(&output, path);
    assert_true(results_store_recover_text(&recovery, true, &output));
    assert_text(printed(&output, path), expected);
    results_store_recovery_release(&recovery);
    results_store_files_release(&files);
    results_text_release(&message);
}

#define INFERRED                                                                                   \
    "assumed: the graph, inferred from the log: 1 stage without edges, coordinator i of stage i " \
    "for 0 coordinators; --scenario gives the real one\n"                                          \
    "assumed: each worker reports all that the log says it holds\n"

// Flink forgets every finish behind the last recovery point; a reset takes one back.
static void flink_trims(void **state)
{
    struct recoup_range range = {0, 0, 1};
    struct recoup__record reset = {.type = RECOUP__RECORD_RESET};
    char folder[512];

    (void)state;
    reset.reset.ranges = &range;
    reset.reset.n_ranges = 1;
    store_folder(folder, "flink");
    store_begin(&writer, false, 0, 0, 1);
    store_add_initialized(&writer, 0, 4);
    store_add_finished(&writer, 0, 0, false);
    store_add_finished(&writer, 0, 1, true);
    store_add_finished(&writer, 0, 2, false);
    store_add(&writer, &reset);
    store_write(&writer, folder, 0, 0);
    expect_recovery(folder, true, NULL,
                    INFERRED
                    "a new master (flink-1.20) applies 5 records, restores 0 coordinators and "
                    "keeps 1 of 3 finished subtasks\n"
                    "stage 0: parallelism 4, finished in the files 3, kept 1\n"
                    "    1 forgotten: taken-back: a later record of the log takes it back\n"
                    "    1 forgotten: not-covered: no recovery point covers it\n"
                    "    subtask 0 attempt 1:0 worker 0: taken-back\n"
                    "    subtask 1 attempt 1:1 worker 1: kept\n"
                    "    subtask 2 attempt 1:2 worker 2: not-covered\n");
}

// Hardened: what stands behind damage does not count.
static void hardened_cuts(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "hardened");
    store_begin(&writer, true, 1, 0, 1);
    store_add_incarnation(&writer, 1, NULL, 0);
    store_add_initialized(&writer, 0, 4);
    store_add_finished(&writer, 0, 0, false);
    store_add_finished(&writer, 0, 1, false);
    store_write(&writer, folder, 1, 0);
    store_begin(&writer, true, 1, 1, 6); // number 5 is nowhere
    store_add_finished(&writer, 0, 2, false);
    store_write(&writer, folder, 1, 1);
    expect_recovery(folder, true, NULL,
                    INFERRED
                    "a new master (hardened) applies 4 records, restores 0 coordinators and keeps "
                    "2 of 3 finished subtasks\n"
                    "stage 0: parallelism 4, finished in the files 3, kept 2\n"
                    "    1 forgotten: not-counted: its record stands where nothing counts (see "
                    "store verify)\n"
                    "    subtask 0 attempt 1:0 worker 0: kept\n"
                    "    subtask 1 attempt 1:1 worker 1: kept\n"
                    "    subtask 2 attempt 0:0 worker 0: not-counted\n");
}

// With the graph of a scenario, needed output that nobody reports is lost.
static void partitions_matter(void **state)
{
    struct model_input input = {0, RECOUP_ALL_TO_ALL};
    struct model_stage stages[2];
    struct model_config config;
    char folder[512];

    (void)state;
    memset(stages, 0, sizeof stages);
    memset(&config, 0, sizeof config);
    strcpy(stages[0].name, "scan");
    strcpy(stages[1].name, "join");
    stages[0].parallelism = 2;
    stages[1].parallelism = 1;
    stages[1].inputs = &input;
    stages[1].n_inputs = 1;
    config.stages = stages;
    config.n_stages = 2;
    config.profile = RECOUP_PROFILE_HARDENED;
    recoup_options_init(&config.options, RECOUP_PROFILE_HARDENED);
    store_folder(folder, "graph");
    store_begin(&writer, true, 1, 0, 1);
    store_add_incarnation(&writer, 1, NULL, 0);
    store_add_initialized(&writer, 0, 2);
    store_add_initialized(&writer, 1, 1);
    store_add_finished(&writer, 0, 1, true);
    store_write(&writer, folder, 1, 0);
    expect_recovery(folder, false, &config,
                    "assumed: no worker reports anything\n"
                    "a new master (hardened) applies 4 records, restores 0 coordinators and keeps "
                    "0 of 1 finished subtasks\n"
                    "it waits 50000 ms for its workers\n"
                    "stage 0 scan: parallelism 2, finished in the files 1, kept 0\n"
                    "    1 forgotten: partition-missing: its output is needed and no worker holds "
                    "it\n"
                    "    subtask 1 attempt 1:1 worker 1: partition-missing\n"
                    "stage 1 join: parallelism 1, finished in the files 0, kept 0\n");
    expect_recovery(folder, true, &config,
                    "assumed: each worker reports all that the log says it holds\n"
                    "a new master (hardened) applies 4 records, restores 0 coordinators and keeps "
                    "1 of 1 finished subtasks\n"
                    "stage 0 scan: parallelism 2, finished in the files 1, kept 1\n"
                    "    subtask 1 attempt 1:1 worker 1: kept\n"
                    "stage 1 join: parallelism 1, finished in the files 0, kept 0\n");
}

// The damaged log under Flink's rules: everything is lost, but nothing is removed here.
static void a_failed_recovery_writes_nothing(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "failed");
    store_begin(&writer, false, 0, 0, 1);
    store_add_initialized(&writer, 0, 1);
    store_add_finished(&writer, 0, 0, true);
    writer.bytes[writer.at[1] + 3] = 99;
    store_add_finished(&writer, 0, 0, true);
    store_write(&writer, folder, 0, 0);
    for (int i = 0; i < 2; i++) {
        expect_recovery(
            folder, true, NULL,
            INFERRED
            "a new master (flink-1.20) recovers nothing: RECOUP_EVERSION: a record or file is of a "
            "version that this library cannot read\n"
            "stage 0: parallelism 1, finished in the files 0, kept 0\n");
    }
}

static void expect_dump(const char *folder, bool json, enum results_store_outcome outcome,
                        const char *expected)
{
    struct results_store_files files;
    struct results_store_output output;
    struct results_text message;
    char path[512];

    results_text_init(&message);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &message), 0);
    begin_output(&output, path);
    assert_i64(results_store_dump(&files, json, NULL, &output, &message), outcome);
    assert_text(printed(&output, path), expected);
    results_store_files_release(&files);
    results_text_release(&message);
}

static void dump_shows_every_record(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "dump");
    store_begin(&writer, true, 1, 0, 1);
    store_add_incarnation(&writer, 1, NULL, 0);
    store_add_initialized(&writer, 0, 2);
    store_add_finished(&writer, 0, 1, true);
    writer.size -= 1;
    store_write(&writer, folder, 1, 0);
    expect_dump(folder, false, RESULTS_STORE_DAMAGED,
                "events.0000000000000001.000000: hardened framing, checksums, 213 bytes, epoch 1, "
                "index 0, job 6a6f6220616e642069747320706c616e\n"
                "          64       52 #1       ok   INCARNATION      epoch 1, goes on from "
                "recovery point 0:0, read nothing\n"
                "         116       32 #2       ok   INITIALIZED      stage 0 parallelism 2\n"
                "         148 DAMAGED: torn: the file ends inside a record or its header\n"
                "         148       65 bytes are not read\n");
    store_folder(folder, "dump");
    store_begin(&writer, false, 0, 0, 1);
    store_add_finished(&writer, 0, 1, true);
    store_write(&writer, folder, 0, 0);
    expect_dump(folder, true, RESULTS_STORE_INTACT,
                "{\"kind\":\"file\",\"file\":\"events.0\",\"bytes\":50,\"framing\":\"flink\","
                "\"checksums\":false}\n"
                "{\"kind\":\"record\",\"file\":\"events.0\",\"offset\":0,\"length\":50,\"type\":1,"
                "\"name\":\"FINISHED\",\"sequence\":null,\"checksum\":\"none\",\"stage\":0,"
                "\"subtask\":1,\"attempt\":4294967297,\"worker\":1,\"partition\":true,"
                "\"partition_bytes\":1000,\"payload\":null,\"snapshots\":[{\"coordinator\":"
                "\"shuffle\",\"bytes\":1,\"xxh3\":\"d6b9d4d14ff6be13\"}]}\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flink_trims),
        cmocka_unit_test(hardened_cuts),
        cmocka_unit_test(partitions_matter),
        cmocka_unit_test(a_failed_recovery_writes_nothing),
        cmocka_unit_test(dump_shows_every_record),
    };

    return check_main(argc, argv, "results_store_recover", tests);
}
