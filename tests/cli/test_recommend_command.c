// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup recommend`, as a user calls it: on a sweep that was just made, with questions that it can
// answer, that nothing answers, and that make no sense.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <jansson.h>

#include "support_program.h"

#define SWEEP RECOUP_SOURCE_DIR "/tests/cli/scenarios/recommend.yaml"

static void call(struct support_program *p, const char *const *arguments)
{
    struct support_call c = {.folder = NULL};

    for (uint32_t i = 0; arguments[i] != NULL; i++) {
        c.arguments[i] = arguments[i];
    }
    support_program_call(p, &c);
}

#define CALL(p, ...) call((p), (const char *const[]){__VA_ARGS__, NULL})

static const char *database(char path[512])
{
    struct support_program p;

    support_file(path, "recommend-command.db");
    CALL(&p, "sweep", SWEEP, "--db", path, "-j", "1");
    assert_true(p.code == 0 || p.code == 1);
    support_program_release(&p);
    return path;
}

static void an_answer(void **state)
{
    struct support_program p;
    struct support_program again;
    char path[512];

    (void)state;
    database(path);
    CALL(&p, "recommend", path, "--at-most", "delay mean 1 h", "--at-most=lost-work p95 2 h",
         "--minimize", "lost-work");
    assert_code(&p, 0);
    assert_text(p.err, "");
    assert_has(p.out, "Take\n");
    assert_has(p.out, "min-pause=0s, flush-interval=1s");
    assert_has(p.out, "how sure");
    assert_has(p.out, "resamples of the seeds no other is better");
    assert_has(p.out, "Its neighbours");
    assert_has(p.out, "faults.0.kill");
    assert_has(p.out, "\nexecution.batch.job-recovery.snapshot.min-pause: 0 s # less lost-work "
                      "than 3 min\n");
    assert_has(p.out, "fewer than 72 runs");
    // The draws have a fixed seed: the same question has the same answer.
    CALL(&again, "recommend", path, "--at-most", "delay mean 1 h", "--at-most=lost-work p95 2 h",
         "--minimize", "lost-work");
    assert_text(again.out, p.out);
    support_program_release(&again);
    support_program_release(&p);
}

static void as_json(void **state)
{
    struct support_program p;
    char path[512];
    json_t *json;

    (void)state;
    CALL(&p, "recommend", database(path), "--minimize", "io-event-store-bytes", "--sweep",
         "recommend", "--profile", "flink-1.20", "--format", "json");
    assert_code(&p, 0);
    json = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_true(json_is_true(json_object_get(json, "found")));
    assert_true(json_is_object(json_object_get(json, "best")));
    json_decref(json);
    support_program_release(&p);
}

static void no_answer_is_exit_code_1(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    CALL(&p, "recommend", database(path), "--at-most", "delay 1 s", "--minimize", "lost-work");
    assert_code(&p, 1);
    assert_has(p.out, "No setting of this sweep reaches that");
    assert_has(p.out, "binding");
    assert_null(strstr(p.out, "config.yaml"));
    support_program_release(&p);
    CALL(&p, "recommend", path, "--at-most", "delay 1 s", "--minimize", "lost-work", "--format",
         "json");
    assert_code(&p, 1);
    assert_has(p.out, "\"found\":false");
    support_program_release(&p);
}

static void wrong_questions_are_exit_code_2(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    database(path);
    CALL(&p, "recommend");
    assert_code(&p, 2);
    assert_has(p.err, "no database given");
    support_program_release(&p);
    CALL(&p, "recommend", path);
    assert_code(&p, 2);
    assert_has(p.err, "nothing to minimize: --minimize METRIC");
    support_program_release(&p);
    CALL(&p, "recommend", path, "--minimize", "lost-wrok", "--at-most", "delay p95 5");
    assert_code(&p, 2);
    assert_text(p.out, "");
    assert_has(p.err, "recoup: --minimize: unknown metric 'lost-wrok'; did you mean 'lost-work'?");
    assert_has(p.err, "recoup: --at-most: '5' is no limit of delay; expected a duration");
    support_program_release(&p);
    CALL(&p, "recommend", path, "--minimize", "lost-work", "--sweep", "other");
    assert_code(&p, 2);
    assert_has(p.err, "there is no sweep 'other'; the database holds\n  recommend (sweep, ");
    support_program_release(&p);
    CALL(&p, "recommend", path, "--minimize", "lost-work", "--profile", "hardened");
    assert_code(&p, 2);
    assert_has(p.err, "no runs of the profile hardened");
    support_program_release(&p);
    CALL(&p, "recommend", SWEEP, "--minimize", "lost-work");
    assert_code(&p, 7);
    assert_has(p.err, "no SQLite database");
    support_program_release(&p);
    CALL(&p, "recommend", "/no/such.db", "--minimize", "lost-work");
    assert_code(&p, 7);
    assert_has(p.err, "cannot be read: No such file");
    support_program_release(&p);
}

static void help(void **state)
{
    struct support_program p;

    (void)state;
    CALL(&p, "recommend", "--help");
    assert_code(&p, 0);
    assert_has(p.out, "Usage: recoup recommend DB --minimize");
    assert_has(p.out, "--at-most");
    assert_has(p.out, "Exit code 1");
    support_program_release(&p);
    CALL(&p, "--help");
    assert_has(p.out, "recommend");
    support_program_release(&p);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer),
        cmocka_unit_test(as_json),
        cmocka_unit_test(no_answer_is_exit_code_1),
        cmocka_unit_test(wrong_questions_are_exit_code_2),
        cmocka_unit_test(help),
    };

    return check_main(argc, argv, "cli_recommend", tests);
}
