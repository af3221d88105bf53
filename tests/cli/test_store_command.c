// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run --store-out` and `recoup store`, as a user calls them.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <jansson.h>

#include "support_program.h"

#define SCENARIO RECOUP_SOURCE_DIR "/scenarios/defaults-hardened.yaml"

static void call(struct support_program *p, const char *const *arguments)
{
    struct support_call c = {.folder = NULL};

    for (uint32_t i = 0; arguments[i] != NULL; i++) {
        c.arguments[i] = arguments[i];
    }
    support_program_call(p, &c);
}

#define CALL(p, ...) call((p), (const char *const[]){__VA_ARGS__, NULL})

static void shell(const char *format, const char *path)
{
    struct support_program p;
    char command[1024];

    snprintf(command, sizeof command, format, path);
    support_shell(&p, command);
    support_program_release(&p);
}

// The log of a job that is stopped in its midst.
static const char *store(char path[512])
{
    struct support_program p;

    support_file(path, "store-command");
    shell("rm -rf '%s'", path);
    CALL(&p, "run", SCENARIO, "--set", "stop-at=60s", "--store-out", path);
    assert_i64(p.code, 1); // TIMEOUT
    assert_text(p.err, "");
    support_program_release(&p);
    return path;
}

static void a_store_is_written_and_read(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    store(path);
    CALL(&p, "store", "verify", path);
    assert_i64(p.code, 0);
    assert_non_null(strstr(p.out, "1 file, "));
    assert_non_null(strstr(p.out, " records, intact; a new master (hardened) reads "));
    support_program_release(&p);
    CALL(&p, "store", "recover", path, "--scenario", SCENARIO);
    assert_i64(p.code, 0);
    assert_non_null(strstr(p.out, "stage 0 scan: parallelism 80, finished in the files 80, kept "
                                  "80\n"));
    support_program_release(&p);
}

// The dump holds as many records as verify counts, each line being JSON.
static void dump_is_json_by_lines(void **state)
{
    struct support_program p;
    char path[512];
    uint64_t records = 0;
    json_t *verified;

    (void)state;
    store(path);
    CALL(&p, "store", "dump", path, "--format", "json");
    assert_i64(p.code, 0);
    for (char *line = strtok(p.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(object);
        records += strcmp(json_string_value(json_object_get(object, "kind")), "record") == 0;
        json_decref(object);
    }
    support_program_release(&p);
    CALL(&p, "store", "verify", path, "--format", "json");
    verified = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    assert_u64(json_integer_value(json_object_get(verified, "records")), records);
    assert_true(records > 80);
    json_decref(verified);
    support_program_release(&p);
}

static void nothing_is_changed(void **state)
{
    struct support_program before, after, p;
    char path[512], command[1024];

    (void)state;
    store(path);
    snprintf(command, sizeof command, "cd '%s' && ls -l --full-time && cat * | cksum", path);
    support_shell(&before, command);
    CALL(&p, "store", "recover", path, "--all");
    assert_i64(p.code, 0);
    support_program_release(&p);
    support_shell(&after, command);
    assert_text(after.out, before.out);
    assert_true(strlen(before.out) > 50);
    support_program_release(&before);
    support_program_release(&after);
}

static void damage_is_exit_code_1(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    store(path);
    shell("cd '%s' && for f in *; do truncate -s -3 $f; done", path);
    CALL(&p, "store", "verify", path);
    assert_i64(p.code, 1);
    assert_non_null(strstr(p.out, ": torn: the file ends inside a record"));
    support_program_release(&p);
    CALL(&p, "store", "dump", path);
    assert_i64(p.code, 1);
    assert_non_null(strstr(p.out, "DAMAGED: torn"));
    support_program_release(&p);
}

static void wrong_calls(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    CALL(&p, "store", "verfy", ".");
    assert_i64(p.code, 2);
    assert_text(p.err, "recoup: store cannot 'verfy'; did you mean 'verify'?\n");
    support_program_release(&p);
    CALL(&p, "store", "verify");
    assert_i64(p.code, 2);
    support_program_release(&p);
    CALL(&p, "store", "dump", ".", "--all");
    assert_i64(p.code, 2);
    support_program_release(&p);
    CALL(&p, "store", "verify", support_file(path, "there-is-no-such-folder"));
    assert_i64(p.code, 7);
    assert_non_null(strstr(p.err, "the directory cannot be read: No such file or directory\n"));
    support_program_release(&p);
}

static void an_export_overwrites_nothing(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    store(path);
    CALL(&p, "run", SCENARIO, "--store-out", path);
    assert_i64(p.code, 2);
    assert_text(p.out, "");
    assert_non_null(strstr(p.err, "the folder is not empty"));
    support_program_release(&p);
    shell("rm -rf '%s'", path);
    CALL(&p, "run", SCENARIO, "--store-out", strcat(path, "/deep/er"));
    assert_i64(p.code, 7);
    support_program_release(&p);
}

static json_t *fingerprint(const char *store_out)
{
    struct support_program p;
    json_t *root, *found;

    CALL(&p, "run", SCENARIO, "--format", "json", store_out == NULL ? NULL : "--store-out",
         store_out);
    assert_i64(p.code, 0);
    root = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    found = json_incref(json_object_get(root, "fingerprint_layers"));
    assert_non_null(found);
    json_decref(root);
    support_program_release(&p);
    return found;
}

static void an_export_leaves_the_fingerprint_alone(void **state)
{
    char path[512];
    json_t *without = fingerprint(NULL), *with;

    (void)state;
    support_file(path, "store-command");
    shell("rm -rf '%s'", path);
    with = fingerprint(path);
    assert_true(json_equal(without, with));
    json_decref(without);
    json_decref(with);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_written_and_read),
        cmocka_unit_test(dump_is_json_by_lines),
        cmocka_unit_test(nothing_is_changed),
        cmocka_unit_test(damage_is_exit_code_1),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(an_export_overwrites_nothing),
        cmocka_unit_test(an_export_leaves_the_fingerprint_alone),
    };

    return check_main(argc, argv, "cli_store", tests);
}
