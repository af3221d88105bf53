// SPDX-License-Identifier: GPL-3.0-or-later
//
// What can be wrong with an event store, each told apart with file, offset and the documented
// answer, in both framings; and what is not wrong although it looks so.
#define _XOPEN_SOURCE 700
#include "results/store_verify.h"
#include "support_store.h"

static struct store_writer writer;

// The report of a folder; the outcome through *outcome.
static char *verify(const char *folder, enum results_store_outcome *outcome)
{
    struct results_store_files files;
    struct results_store_verification verification;
    struct results_text message, text;
    char *report;

    results_text_init(&message);
    results_text_init(&text);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &message), 0);
    *outcome = results_store_verify(&verification, &files, NULL, &message);
    results_store_verify_text(&verification, &files, &text);
    report = strdup(results_text_string(&text));
    results_store_verification_release(&verification);
    results_store_files_release(&files);
    results_text_release(&text);
    results_text_release(&message);
    assert_non_null(report);
    return report;
}

static void expect(const char *folder, enum results_store_outcome outcome, const char *report)
{
    enum results_store_outcome found;
    char *text = verify(folder, &found);

    assert_text(text, report);
    assert_i64(found, outcome);
    free(text);
}

// A stage of 3 and two finishes: 64, 96 (numbers 1 to 3), 149, ends at 202; Flink: 0, 16, 53, 90.
static void two_finishes(bool hardened, uint64_t epoch, uint32_t index)
{
    store_begin(&writer, hardened, epoch, index, 1);
    store_add_initialized(&writer, 0, 3);
    store_add_finished(&writer, 0, 0, false);
    store_add_finished(&writer, 0, 1, false);
}

static void intact_stores(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "intact");
    expect(folder, RESULTS_STORE_INTACT,
           "0 files, 0 bytes, 0 records, intact; a new master (hardened) finds nothing to recover "
           "and starts the job from scratch\n");
    two_finishes(true, 1, 0);
    store_write(&writer, folder, 1, 0);
    expect(folder, RESULTS_STORE_INTACT,
           "1 file, 202 bytes, 3 records, intact; a new master (hardened) reads 3 records and "
           "goes on from there\n");
    store_folder(folder, "intact");
    two_finishes(false, 0, 0);
    store_write(&writer, folder, 0, 0);
    expect(folder, RESULTS_STORE_INTACT,
           "1 file, 90 bytes, 3 records, intact; a new master (flink-1.20) reads 3 records and "
           "goes on from there\n");
}

// A clean-up that was interrupted: the record of the end counts, whatever is gone before it.
static void an_ended_job(void **state)
{
    struct recoup__record record = {.type = RECOUP__RECORD_ENDED};
    enum results_store_outcome outcome;
    char folder[512];
    char *report;

    (void)state;
    store_folder(folder, "ended");
    store_begin(&writer, true, 1, 3, 7);
    store_add(&writer, &record);
    store_write(&writer, folder, 1, 3);
    report = verify(folder, &outcome);
    assert_non_null(strstr(report, "a new master (hardened) finds that the job has ended and "
                                   "removes what is left of the log"));
    free(report);
}

enum mutation {
    TORN,
    TORN_HEADER,
    ZEROED,
    GARBAGE,
    FLIPPED,
    LENGTH,
    TYPE,
    BODY,
    NUMBER,
    VERSION,
    HEADER,
    EMPTY
};

static void mutate(enum mutation mutation)
{
    uint8_t *second = writer.bytes + writer.at[1];
    bool hardened = writer.format.contiguous;

    switch (mutation) {
    case TORN:
        writer.size -= 5;
        break;
    case TORN_HEADER:
        writer.size = 20;
        break;
    case ZEROED:
        memset(writer.bytes + writer.at[2], 0, writer.size - writer.at[2]);
        break;
    case GARBAGE:
        memset(writer.bytes + writer.at[2], 0xa5, writer.size - writer.at[2]);
        break;
    case FLIPPED:
        second[30] ^= 1;
        break;
    case LENGTH: // 2^31
        memset(second + (hardened ? 8 : 4), 0, 4);
        second[hardened ? 11 : 4] = 0x80;
        break;
    case TYPE:
        second[hardened ? 12 : 3] = 99;
        break;
    case BODY: // a flag that does not exist
        second[(hardened ? 24 : 8) + 28] = 0x80;
        break;
    case NUMBER:
        second[16] = 9;
        break;
    case VERSION:
        writer.bytes[8] = 2;
        break;
    case HEADER:
        writer.bytes[20] ^= 1;
        break;
    case EMPTY:
        writer.size = 0;
        break;
    }
    if (hardened && (mutation == TYPE || mutation == BODY || mutation == NUMBER)) {
        recoup__frame_seal(&writer.format, second, writer.at[2] - writer.at[1]);
    }
}

struct damage_case {
    const char *name;
    bool hardened;
    enum mutation mutation;
    const char *report;
};

#define CUT                                                                                        \
    "    cut: nothing counts from there on, until a master that read just that or a checkpoint\n"
#define WIPE "    wipe: the recovery fails, the log is removed and the job starts over\n"
#define SKIP "    skip: the rest of the file does not count, later files do\n"
#define REFUSE "    refuse: the recovery fails and the log is left alone\n"
#define H "events.0000000000000001.000000 at "
#define F "events.0 at "

static const struct damage_case cases[] = {
    {"torn", true, TORN,
     H "149: torn: the file ends inside a record or its header\n" CUT
       "1 file, 197 bytes, 2 records, 1 damaged place; a new master (hardened) reads 2 records "
       "and goes on from there\n"},
    {"torn header", true, TORN_HEADER,
     H "0: torn: the file ends inside a record or its header\n" CUT
       "1 file, 20 bytes, 0 records, 1 damaged place; a new master (hardened) finds nothing to "
       "recover and starts the job from scratch\n"},
    {"zeroed", true, ZEROED,
     H "149: zeroed: nothing but zeroes where a record would begin\n" CUT
       "1 file, 202 bytes, 2 records, 1 damaged place; a new master (hardened) reads 2 records "
       "and goes on from there\n"},
    {"garbage", true, GARBAGE,
     H "149: length: a length that no record has\n" CUT
       "1 file, 202 bytes, 2 records, 1 damaged place; a new master (hardened) reads 2 records "
       "and goes on from there; records that once counted are lost\n"},
    {"flipped", true, FLIPPED,
     H "96: checksum: the record does not match its checksum\n" CUT
       "1 file, 202 bytes, 1 record, 1 damaged place; a new master (hardened) reads 1 record "
       "and goes on from there; records that once counted are lost\n"},
    {"length", true, LENGTH,
     H "96: length: a length that no record has\n" CUT
       "1 file, 202 bytes, 1 record, 1 damaged place; a new master (hardened) reads 1 record "
       "and goes on from there; records that once counted are lost\n"},
    {"type", true, TYPE,
     H "96: type: a record of an unknown type\n" REFUSE
       "1 file, 202 bytes, 2 records, 1 damaged place; a new master (hardened) refuses the log: "
       "RECOUP_EVERSION: a record or file is of a version that this library cannot read\n"},
    {"body", true, BODY,
     H "96: body: no record of its type has such a body\n" CUT
       "1 file, 202 bytes, 2 records, 1 damaged place; a new master (hardened) reads 1 record "
       "and goes on from there; records that once counted are lost\n"},
    {"number", true, NUMBER,
     H "96: sequence: the number does not follow on the one before\n" CUT
     H "149: sequence: the number does not follow on the one before\n" CUT
       "1 file, 202 bytes, 3 records, 2 damaged places; a new master (hardened) reads 1 record "
       "and goes on from there; records that once counted are lost\n"},
    {"version", true, VERSION,
     H "0: version: the file header is of another format version\n" REFUSE
       "1 file, 202 bytes, 0 records, 1 damaged place; a new master (hardened) refuses the log: "
       "RECOUP_EVERSION: a record or file is of a version that this library cannot read\n"},
    {"header", true, HEADER,
     H "0: header: no file header of an event store, or a damaged one\n" CUT
       "1 file, 202 bytes, 0 records, 1 damaged place; a new master (hardened) finds nothing to "
       "recover and starts the job from scratch\n"},
    {"empty", true, EMPTY,
     H "0: empty: the file has no byte\n" CUT
       "1 file, 0 bytes, 0 records, 1 damaged place; a new master (hardened) finds nothing to "
       "recover and starts the job from scratch\n"},
    {"torn", false, TORN,
     F "53: torn: the file ends inside a record or its header\n" SKIP
       "1 file, 85 bytes, 2 records, 1 damaged place; a new master (flink-1.20) reads 2 records "
       "and goes on from there\n"},
    {"zeroed", false, ZEROED,
     F "53: zeroed: nothing but zeroes where a record would begin\n" WIPE
       "1 file, 90 bytes, 2 records, 1 damaged place; a new master (flink-1.20) refuses the log: "
       "RECOUP_EVERSION: a record or file is of a version that this library cannot read\n"},
    {"length", false, LENGTH,
     F "16: length: a length that no record has\n" WIPE
       "1 file, 90 bytes, 1 record, 1 damaged place; a new master (flink-1.20) refuses the log: "
       "RECOUP_ECORRUPT: a record is damaged\n"},
    {"type", false, TYPE,
     F "16: type: a record of an unknown type\n" WIPE
       "1 file, 90 bytes, 1 record, 1 damaged place; a new master (flink-1.20) refuses the log: "
       "RECOUP_EVERSION: a record or file is of a version that this library cannot read\n"},
    {"body", false, BODY,
     F "16: body: no record of its type has such a body\n" WIPE
       "1 file, 90 bytes, 1 record, 1 damaged place; a new master (flink-1.20) refuses the log: "
       "RECOUP_ECORRUPT: a record is damaged\n"},
    {"empty", false, EMPTY,
     "events.0 at 0: empty: the file has no byte\n" SKIP
     "1 file, 0 bytes, 0 records, 1 damaged place; a new master (flink-1.20) reads 0 records and "
     "goes on from there\n"},
};

static void each_damage_is_told_apart(void **state)
{
    char folder[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store_folder(folder, "damage");
        two_finishes(cases[i].hardened, 1, 0);
        mutate(cases[i].mutation);
        store_write(&writer, folder, 1, 0);
        expect(folder, RESULTS_STORE_DAMAGED, cases[i].report);
    }
}

static void missing_files(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "missing");
    two_finishes(true, 1, 0);
    store_write(&writer, folder, 1, 0);
    two_finishes(true, 1, 2);
    store_write(&writer, folder, 1, 2);
    {
        enum results_store_outcome outcome;
        char *report = verify(folder, &outcome);

        assert_i64(outcome, RESULTS_STORE_DAMAGED);
        assert_non_null(strstr(report, "events.0000000000000001.000001 at 0: missing: a file of "
                                       "the sequence is missing\n" REFUSE));
        assert_non_null(strstr(report, "refuses the log: RECOUP_EGAP"));
        free(report);
    }
    store_folder(folder, "missing");
    two_finishes(false, 0, 1);
    store_write(&writer, folder, 0, 1);
    expect(folder, RESULTS_STORE_DAMAGED,
           "events.0 at 0: missing: a file of the sequence is missing\n"
           "    end: later files do not count\n"
           "1 file, 90 bytes, 3 records, 1 damaged place; a new master (flink-1.20) reads 0 "
           "records and goes on from there\n");
}

// Another job's file among three of ours.
static void foreign_files(void **state)
{
    char folder[512];
    enum results_store_outcome outcome;
    char *report;

    (void)state;
    store_folder(folder, "foreign");
    for (uint32_t i = 0; i < 3; i++) {
        two_finishes(true, 1, i);
        if (i == 1) {
            struct recoup__header header = {
                .digest = "another job's id", .epoch = 1, .index = i};

            store_begin(&writer, true, 1, i, 4);
            recoup__header_encode(&header, &writer.format, writer.bytes);
            store_add_finished(&writer, 0, 2, false);
        }
        store_write(&writer, folder, 1, i);
    }
    store_save(folder, "events.007", "x", 1);
    report = verify(folder, &outcome);
    assert_i64(outcome, RESULTS_STORE_DAMAGED);
    assert_non_null(strstr(report, "events.0000000000000001.000001 at 0: foreign: the file header "
                                   "names another job, graph, epoch or index\n" REFUSE));
    assert_non_null(strstr(report, "events.007: note: no file of the event store"));
    assert_non_null(strstr(report, "refuses the log: RECOUP_EFOREIGN"));
    free(report);
}

// What a successor has not read does not count, and is no damage.
static void behind_the_extent(void **state)
{
    struct recoup__extent read = {1, 0, 149};
    char folder[512];

    (void)state;
    store_folder(folder, "behind");
    two_finishes(true, 1, 0);
    mutate(TORN);
    store_write(&writer, folder, 1, 0);
    store_begin(&writer, true, 2, 0, 1);
    store_add_incarnation(&writer, 2, &read, 1);
    store_add_finished(&writer, 0, 1, false);
    store_write(&writer, folder, 2, 0);
    expect(folder, RESULTS_STORE_INTACT,
           H "149: note: torn: the file ends inside a record or its header\n"
             "    no answer needed: it stands behind what a later master read\n"
             "2 files, 386 bytes, 4 records, intact; a new master (hardened) reads 4 records and "
             "goes on from there\n");
    // The same file, shorter than what the successor read of it.
    two_finishes(true, 1, 0);
    writer.size = 100;
    store_write(&writer, folder, 1, 0);
    {
        enum results_store_outcome outcome;
        char *report = verify(folder, &outcome);

        assert_i64(outcome, RESULTS_STORE_DAMAGED);
        assert_non_null(strstr(report, H "100: short: the file ends before what a later master had "
                                         "read of it\n" CUT));
        free(report);
    }
}

// A checkpoint replaces what stood before it: removed files are as they should be, damage is no
// loss.
static void checkpoints_make_up(void **state)
{
    char folder[512];
    enum results_store_outcome outcome;
    char *report;

    (void)state;
    store_folder(folder, "checkpoint");
    store_begin(&writer, true, 1, 3, 40);
    store_add_begin(&writer, false);
    store_add_incarnation(&writer, 1, NULL, 0);
    store_add_initialized(&writer, 0, 3);
    store_add_finished(&writer, 0, 0, true);
    store_add_end(&writer);
    store_write(&writer, folder, 1, 3);
    report = verify(folder, &outcome);
    assert_non_null(strstr(report, "5 records, intact; a new master (hardened) reads 5 records"));
    assert_i64(outcome, RESULTS_STORE_INTACT);
    free(report);
    two_finishes(true, 1, 2);
    mutate(FLIPPED);
    store_write(&writer, folder, 1, 2);
    report = verify(folder, &outcome);
    assert_i64(outcome, RESULTS_STORE_DAMAGED);
    assert_non_null(strstr(report, "events.0000000000000001.000002 at 96: checksum: the record "
                                   "does not match its checksum\n"
                                   "    no answer needed: a complete checkpoint stands behind"));
    free(report);
}

static void json_says_the_same(void **state)
{
    struct results_store_files files;
    struct results_store_verification verification;
    struct results_text text;
    char folder[512];

    (void)state;
    store_folder(folder, "json");
    two_finishes(true, 1, 0);
    mutate(TORN);
    store_write(&writer, folder, 1, 0);
    results_text_init(&text);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &text), 0);
    assert_i64(results_store_verify(&verification, &files, NULL, &text), RESULTS_STORE_DAMAGED);
    results_store_verify_json(&verification, &files, &text);
    assert_text(results_text_string(&text),
                "{\"files\":1,\"bytes\":197,\"records\":2,\"checkpoints\":0,"
                "\"profile\":\"hardened\",\"damages\":1,\"findings\":["
                "{\"file\":\"events.0000000000000001.000000\",\"offset\":149,"
                "\"damage\":\"torn\",\"message\":\"the file ends inside a record or its header\","
                "\"answer\":\"cut\",\"counts\":true,\"made_up\":false}],"
                "\"other_entries\":[],\"new_master\":{\"result\":\"log\",\"error\":\"RECOUP_OK\","
                "\"records\":2,\"lost\":false}}\n");
    results_store_verification_release(&verification);
    results_store_files_release(&files);
    results_text_release(&text);
}

// `expected` is the beginning of the JSON verdict on a folder.
static void expect_verdict(const char *folder, const char *expected)
{
    struct results_store_files files;
    struct results_store_verification verification;
    struct results_text text;
    const char *verdict;

    results_text_init(&text);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &text), 0);
    (void)results_store_verify(&verification, &files, NULL, &text);
    results_text_clear(&text);
    results_store_verify_json(&verification, &files, &text);
    verdict = strstr(results_text_string(&text), "\"new_master\":");
    assert_non_null(verdict);
    if (strncmp(verdict, expected, strlen(expected)) != 0) {
        assert_text(verdict, expected);
    }
    results_store_verification_release(&verification);
    results_store_files_release(&files);
    results_text_release(&text);
}

static void json_names_each_verdict(void **state)
{
    struct recoup__record record = {.type = RECOUP__RECORD_ENDED};
    char folder[512];

    (void)state;
    store_folder(folder, "verdicts");
    expect_verdict(folder, "\"new_master\":{\"result\":\"nothing\",\"error\":\"RECOUP_OK\"");
    two_finishes(true, 1, 0);
    store_write(&writer, folder, 1, 0);
    expect_verdict(folder, "\"new_master\":{\"result\":\"log\",\"error\":\"RECOUP_OK\"");
    two_finishes(true, 1, 2);
    store_write(&writer, folder, 1, 2);
    expect_verdict(folder, "\"new_master\":{\"result\":\"failed\",\"error\":\"RECOUP_EGAP\"");
    store_folder(folder, "verdicts");
    store_begin(&writer, true, 1, 3, 7);
    store_add(&writer, &record);
    store_write(&writer, folder, 1, 3);
    expect_verdict(folder, "\"new_master\":{\"result\":\"ended\",\"error\":\"RECOUP_OK\"");
}

struct progress {
    unsigned calls;
    uint64_t done;
    bool monotone;
};

static bool note_progress(void *context, uint64_t done, uint64_t total)
{
    struct progress *p = context;

    p->calls++;
    p->monotone = p->monotone && done >= p->done && done <= total;
    p->done = done;
    return true;
}

// Asks to go on before each read, so that their number tells how often a file is read.
static struct progress watched(const char *folder, enum results_store_outcome outcome)
{
    struct progress p = {.monotone = true};
    struct results_store_watch watch = {.go_on = note_progress, .context = &p};
    struct results_store_verification verification;
    struct results_store_files files;
    struct results_text message;

    results_text_init(&message);
    assert_i64(results_store_files_open(&files, folder, RESULTS_STORE_AUTO, &message), 0);
    assert_i64(results_store_verify(&verification, &files, &watch, &message), outcome);
    results_store_verification_release(&verification);
    results_store_files_release(&files);
    results_text_release(&message);
    assert_true(p.monotone);
    return p;
}

// An intact store is read once, each file by two reads: its bytes, and that no more come. What is
// wrong with one is found by reading that file once more, and no other that counts.
static void intact_files_are_read_once(void **state)
{
    char folder[512];

    (void)state;
    store_folder(folder, "read-once");
    two_finishes(true, 1, 0);
    store_write(&writer, folder, 1, 0);
    assert_i64(watched(folder, RESULTS_STORE_INTACT).calls, 2);
    store_begin(&writer, true, 1, 1, 4);
    store_add_finished(&writer, 0, 2, false);
    store_write(&writer, folder, 1, 1);
    assert_i64(watched(folder, RESULTS_STORE_INTACT).calls, 4);
    two_finishes(true, 1, 0);
    mutate(TORN);
    store_write(&writer, folder, 1, 0);
    assert_i64(watched(folder, RESULTS_STORE_DAMAGED).calls, 6); // nor does what follows count
    two_finishes(true, 1, 0);
    store_write(&writer, folder, 1, 0);
    store_begin(&writer, true, 1, 1, 4);
    store_add_finished(&writer, 0, 2, false);
    mutate(TORN);
    store_write(&writer, folder, 1, 1);
    assert_i64(watched(folder, RESULTS_STORE_DAMAGED).calls, 5);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ended_job),
        cmocka_unit_test(intact_stores),
        cmocka_unit_test(each_damage_is_told_apart),
        cmocka_unit_test(missing_files),       cmocka_unit_test(foreign_files),
        cmocka_unit_test(behind_the_extent),   cmocka_unit_test(checkpoints_make_up),
        cmocka_unit_test(json_says_the_same),  cmocka_unit_test(json_names_each_verdict),
        cmocka_unit_test(intact_files_are_read_once),
    };

    return check_main(argc, argv, "results_store_verify", tests);
}
