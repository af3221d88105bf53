// SPDX-License-Identifier: GPL-3.0-or-later
//
// Says of many directories what `recoup store dump --format json` and `recoup store verify --format
// json` say, in one process, and with the format that the policies name, not the one that the files
// look
// like. Reads a line "CONTIGUOUS CHECKSUM DIRECTORY" (0 or 1, twice) for each; writes the dump,
// the verification, and what the library's reader says under the policies of either profile:
// {"kind":"read","profile":...,"result":...,"error":...,"records":...,"lost":...,"counted":{file:
// bytes that count}}. Exit 0; 2: a directory cannot be read.
#include "results/store_dump.h"
#include "results/store_reading.h"
#include "results/store_verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool put_reading(const struct results_store_files *files, enum recoup_profile profile,
                        struct results_text *text)
{
    static const char *const names[] = {
        [RECOUP__OPENED_PENDING] = "pending", [RECOUP__OPENED_NOTHING] = "nothing",
        [RECOUP__OPENED_LOG] = "log",         [RECOUP__OPENED_UNREAD] = "unread",
        [RECOUP__OPENED_ENDED] = "ended",     [RECOUP__OPENED_FAILED] = "failed",
    };
    bool hardened = profile == RECOUP_PROFILE_HARDENED;
    struct results_store_reading reading;
    struct recoup_options options;
    struct results_json json;
    bool read;

    results_store_options(files, profile, &options);
    read = results_store_read_log(&reading, files, &options, NULL, NULL) == RESULTS_STORE_READ;
    results_json_init(&json, text);
    results_json_object(&json);
    results_json_put_string(&json, "kind", "read");
    results_json_put_string(&json, "profile", hardened ? "hardened" : "flink-1.20");
    results_json_put_string(&json, "result", names[reading.opened.result]);
    results_json_put_string(&json, "error", recoup_error_name(reading.opened.error));
    results_json_put_u64(&json, "records", reading.opened.records);
    results_json_put_bool(&json, "lost", reading.opened.lost);
    results_json_key(&json, "counted");
    results_json_object(&json);
    for (uint32_t i = 0; read && i < files->n_files; i++) {
        results_json_put_u64(&json, files->files[i].name, reading.counted[i]);
    }
    results_json_end_object(&json);
    results_json_end_object(&json);
    results_text_add(text, "\n");
    results_store_reading_release(&reading);
    return read;
}

static bool answer(bool contiguous, bool checksum, const char *directory)
{
    struct results_store_files files;
    struct results_store_verification verification;
    struct results_store_output output;
    struct results_text message;
    bool done;

    results_text_init(&message);
    results_store_output_init(&output, STDOUT_FILENO);
    done = results_store_files_open(&files, directory,
                                    contiguous ? RESULTS_STORE_HARDENED : RESULTS_STORE_FLINK,
                                    &message) == 0;
    for (uint32_t i = 0; i < files.n_files; i++) {
        files.files[i].format.checksum = checksum;
    }
    if (done) {
        enum results_store_outcome outcome;

        outcome = results_store_dump(&files, true, NULL, &output, &message);
        done = outcome == RESULTS_STORE_INTACT || outcome == RESULTS_STORE_DAMAGED;
    }
    if (done) {
        (void)results_store_verify(&verification, &files, NULL, &message);
        results_store_verify_json(&verification, &files, &output.text);
        results_store_verification_release(&verification);
        done = put_reading(&files, RECOUP_PROFILE_FLINK_1_20, &output.text) &&
               put_reading(&files, RECOUP_PROFILE_HARDENED, &output.text) &&
               results_store_output_drain(&output, true);
    }
    if (!done) {
        (void)fprintf(stderr, "%s: %s\n", directory, results_text_string(&message));
    }
    results_store_files_release(&files);
    results_store_output_release(&output);
    results_text_release(&message);
    return done;
}

int main(void)
{
    char line[4096];

    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strlen(line) < 5 || !answer(line[0] == '1', line[2] == '1', line + 4)) {
            return 2;
        }
    }
    return 0;
}
