// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup store replay` on recordings that this test makes: one of a master that does what the
// library does, and one of a master that did something else.
#include "check.h"

#include <jansson.h>

#include "recovery/recorder.h"
#include "support_program.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static int write_out(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, context) == size ? 0 : RECOUP_EIO;
}

// A directory in which there is nothing but the file that was created last.
struct directory {
    char name[32];
    const char *names[1];
};

// The I/O operation of an update, with its success as the event; false: there is none.
static bool answer(struct directory *directory, const struct recoup_update *update,
                   struct recoup_event *event)
{
    for (uint32_t i = 0; i < update->n_actions; i++) {
        const struct recoup_action *action = &update->actions[i];

        if (action->type <= RECOUP_ACTION_REMOVE) {
            *event = (struct recoup_event){.type = RECOUP_EVENT_IO};
            event->io.operation = action->io.operation;
            if (action->type == RECOUP_ACTION_CREATE) {
                memcpy(directory->name, action->io.file, sizeof directory->name);
            } else if (action->type == RECOUP_ACTION_LIST) {
                directory->names[0] = directory->name;
                event->io.names = directory->names;
                event->io.n_names = directory->name[0] != '\0' ? 1 : 0;
            }
            return true;
        }
    }
    return false;
}

// Records a job's first master in an empty directory until it waits for no storage. The recording
// says that records have checksums; with `other` the job that was stepped wrote none.
static uint64_t record(const char *path, bool other)
{
    static const struct recoup_stage_spec stage = {.parallelism = 4};
    static const struct recoup_graph graph = {.digest = {3}, .n_stages = 1, .stages = &stage};
    struct recoup_options options;
    struct recoup_config config = {.graph = &graph,
                                   .options = &options,
                                   .storage = {.durable_at = RECOUP_DURABLE_AT_SYNC,
                                               .can_sync = true,
                                               .create_exclusive = true,
                                               .list_consistent = true},
                                   .allocator = {allocate, release, NULL}};
    struct recoup_event event = {.type = RECOUP_EVENT_START};
    struct directory directory = {.name = ""};
    struct recoup_recorder recorder;
    struct recoup_update update;
    struct recoup_job *job;
    FILE *file = fopen(path, "wb");
    int64_t now_ns = 0;

    assert_non_null(file);
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    assert_int_equal(recoup_recorder_init(&recorder, &config, write_out, file), 0);
    options.policy[RECOUP_POLICY_CHECKSUM] = other ? 0 : 1;
    assert_int_equal(recoup_create(&config, &job), 0);
    event.start.epoch = 1;
    do {
        now_ns += 1000;
        assert_int_equal(recoup_recorder_step(&recorder, job, now_ns, &event, &update), 0);
    } while (answer(&directory, &update, &event));
    assert_int_equal(recoup_phase(job), RECOUP_PHASE_RUNNING);
    recoup_destroy(job);
    uint64_t steps = recorder.steps;
    assert_int_equal(recorder.error, 0);
    recoup_recorder_release(&recorder);
    assert_int_equal(fclose(file), 0);
    return steps;
}

static uint32_t lines_with(const char *text, const char *word)
{
    uint32_t n = 0;

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        n++;
    }
    return n;
}

static void the_same_library_answers_the_same(void **state)
{
    struct support_program p;
    char path[512];

    (void)state;
    uint64_t steps = record(support_file(path, "recording-same"), false);
    support_program_call(&p, &(struct support_call){.arguments = {"store", "replay", path}});
    assert_i64(p.code, 0);
    assert_text(p.err, "");
    assert_u64(lines_with(p.out, " ns  "), steps);
    assert_non_null(strstr(p.out, "-> RECOVERED\n"));
    support_program_release(&p);
}

// Exit code 5, the place in the recording, and everything up to there.
static void another_answer_is_exit_code_5(void **state)
{
    struct support_program p;
    char path[512];
    char summary[64];

    (void)state;
    uint64_t steps = record(support_file(path, "recording-other"), true);
    support_program_call(&p, &(struct support_call){.arguments = {"store", "replay", path}});
    assert_i64(p.code, 5);
    assert_non_null(strstr(p.err, "recoup: the recording, at offset "));
    assert_non_null(strstr(p.err, ": the update, state or deadline after this event is not what it "
                                  "was\n"));
    uint32_t printed = lines_with(p.out, " ns  ");
    assert_true(printed > 0 && printed < steps);
    snprintf(summary, sizeof summary, "\n%" PRIu32 " events as recorded; then: ", printed);
    assert_non_null(strstr(p.out, summary));
    assert_null(strstr(p.out, "-> RECOVERED\n"));
    support_program_release(&p);
}

struct lines {
    uint64_t events;
    uint64_t actions;
    uint64_t states;
    uint64_t created;
    uint64_t recovered;
    json_t *last;
};

static const char *word(const json_t *line, const char *key)
{
    const char *value = json_string_value(json_object_get(line, key));

    assert_non_null(value);
    return value;
}

// Each line is an object with a kind; the last one stays in `lines`.
static void parse_lines(char *text, struct lines *lines)
{
    *lines = (struct lines){.events = 0};
    for (char *at = strtok(text, "\n"); at != NULL; at = strtok(NULL, "\n")) {
        json_t *line = json_loads(at, JSON_REJECT_DUPLICATES, NULL);
        const char *kind;

        assert_non_null(line);
        kind = word(line, "kind");
        if (strcmp(kind, "event") == 0) {
            assert_i64(json_integer_value(json_object_get(line, "step")), ++lines->events);
            assert_true(json_is_true(json_object_get(line, "checked")));
            assert_true(json_is_null(json_object_get(line, "refused")));
            assert_true(strlen(word(line, "event")) > 0);
        } else if (strcmp(kind, "action") == 0) {
            bool creates = strcmp(word(line, "action"), "CREATE") == 0;

            assert_i64(json_integer_value(json_object_get(line, "step")), lines->events);
            lines->actions++;
            lines->created += creates && strncmp(word(line, "file"), "events.", 7) == 0 ? 1 : 0;
            lines->recovered += strcmp(word(line, "action"), "RECOVERED") == 0 ? 1 : 0;
        } else if (strcmp(kind, "state") == 0) {
            assert_i64(json_integer_value(json_object_get(line, "events")), lines->events);
            assert_u64(strlen(word(line, "hash")), 32);
            lines->states++;
        } else {
            assert_text(kind, "verdict");
        }
        json_decref(lines->last);
        lines->last = line;
    }
    assert_non_null(lines->last);
    assert_text(word(lines->last, "kind"), "verdict");
}

static void as_lines_of_json(void **state)
{
    struct support_program p;
    struct lines lines;
    char path[512];

    (void)state;
    for (int other = 0; other < 2; other++) {
        uint64_t steps = record(support_file(path, "recording-json"), other == 1);

        support_program_call(&p, &(struct support_call){
                                     .arguments = {"store", "replay", path, "--format", "json"}});
        assert_i64(p.code, other == 1 ? 5 : 0);
        parse_lines(p.out, &lines);
        assert_text(word(lines.last, "verdict"), other == 1 ? "diverged" : "end");
        assert_true(other == 1 ? lines.events < steps : lines.events == steps);
        assert_u64(lines.states, 1);
        assert_u64(lines.created, 1);
        assert_u64(lines.recovered, other == 1 ? 0 : 1);
        assert_true(lines.actions >= lines.events);
        json_decref(lines.last);
        support_program_release(&p);
    }
}

// What cannot be opened at all has a verdict alone.
static void no_recording_has_a_verdict_alone(void **state)
{
    struct support_program p;
    struct lines lines;
    char path[512];
    FILE *file = fopen(support_file(path, "recording-none"), "wb");

    (void)state;
    assert_non_null(file);
    assert_true(fputs("nothing of the kind", file) >= 0);
    assert_int_equal(fclose(file), 0);
    support_program_call(
        &p, &(struct support_call){.arguments = {"store", "replay", path, "--format", "json"}});
    assert_i64(p.code, 1);
    parse_lines(p.out, &lines);
    assert_text(word(lines.last, "verdict"), "foreign");
    assert_u64(lines.events + lines.actions + lines.states, 0);
    json_decref(lines.last);
    support_program_release(&p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_library_answers_the_same),
        cmocka_unit_test(another_answer_is_exit_code_5),
        cmocka_unit_test(as_lines_of_json),
        cmocka_unit_test(no_recording_has_a_verdict_alone),
    };

    return check_main(argc, argv, "cli_store_replay", tests);
}
