// SPDX-License-Identifier: GPL-3.0-or-later
//
// One table of behaviours, run against every file system: the modelled profiles of the simulator,
// the devices of the host in memory, and the real host's file operations on ext4 and tmpfs where
// these are to be had. What the simulator believes of a file system and what a real one does must
// be the same; where profiles differ by design, the table says how.
//
// A script is a list of operations; `kill` ends the process (on a real file system it is a process
// of its own, which ends by _exit with its files open). The outcome is one word per operation.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "models/support_step.h"
#include "recovery/testing/crash.h"
#include "recovery/testing/host_check.h"
#include "tests/conformance/support_real.h"

#define CLIENT 7u // of the simulator: a client that no master hosts

// What the death of the client leaves, and a second reader sees.
enum keeps { KEEPS_APPENDED, KEEPS_FLUSHED, KEEPS_OBJECTS, KEEPS_KINDS };

struct behaviour {
    const char *name;
    const char *script;
    const char *outcome[KEEPS_KINDS]; // NULL: as the one before
};

static const struct behaviour behaviours[] = {
    {"the directory is made twice", "mkdir, mkdir, list", {"ok ok []"}},
    {"a directory that is not there",
     "list, create a, read a 0 9", //
     {"ENOENT ENOENT ENOENT", NULL, "[] ok ENOENT"}},
    {"create is exclusive", "mkdir, create a, close a, create a", {"ok ok ok EEXIST"}},
    {"also for another process", "mkdir, create a, close a, kill, create a", {"ok ok ok EEXIST"}},
    {"a new name is listed at once, an object's is not",
     "mkdir, create a, list, close a, list",
     {"ok ok [a] ok [a]", NULL, "ok ok [] ok [a]"}},
    {"names come in some order, each once",
     "mkdir, create c, close c, create a, close a, create b, close b, list",
     {"ok ok ok ok ok ok ok [a b c]"}},
    {"appended, a second reader",
     "mkdir, create a, append a abc, read a 0 9",
     {"ok ok ok 'abc'", "ok ok ok ''", "ok ok ok ENOENT"}},
    {"flushed, a second reader",
     "mkdir, create a, append a abc, flush a, read a 0 9",
     {"ok ok ok ok 'abc'", NULL, "ok ok ok ok ENOENT"}},
    {"appended after a flush",
     "mkdir, create a, append a abc, flush a, append a de, read a 0 9",
     {"ok ok ok ok ok 'abcde'", "ok ok ok ok ok 'abc'", "ok ok ok ok ok ENOENT"}},
    {"closed, a second reader",
     "mkdir, create a, append a abc, close a, read a 0 9",
     {"ok ok ok ok 'abc'"}},
    {"appends stand in their order",
     "mkdir, create a, append a abc, append a de, flush a, append a f, close a, read a 0 9",
     {"ok ok ok ok ok ok ok 'abcdef'"}},
    {"reads by place",
     "mkdir, create a, append a abcdef, close a, read a 2 3, read a 4 9",
     {"ok ok ok ok 'cde' 'ef'"}},
    {"reads at the end and past it",
     "mkdir, create a, append a abc, close a, read a 3 9, "
     "read a 4 9, read a 1000000 1",
     {"ok ok ok ok '' '' ''"}},
    {"an empty file", "mkdir, create a, close a, read a 0 9, list", {"ok ok ok '' [a]"}},
    {"a missing file", "mkdir, read a 0 9", {"ok ENOENT"}},
    {"remove what is there",
     "mkdir, create a, append a abc, close a, remove a, read a 0 9, list",
     {"ok ok ok ok ok ENOENT []"}},
    {"remove what is missing", "mkdir, remove a, remove a", {"ok ok ok"}},
    {"a removed name is free again",
     "mkdir, create a, append a abc, close a, remove a, create a, append a x, close a, read a 0 9",
     {"ok ok ok ok ok ok ok ok 'x'"}},
    {"remove the directory",
     "mkdir, remove -, list, mkdir, list",
     {"ok ok ENOENT ok []", NULL, "ok ok [] ok []"}},
    {"remove the directory that is not there", "remove -", {"ok"}},
    {"killed after an append",
     "mkdir, create a, append a abc, kill, read a 0 9, list",
     {"ok ok ok 'abc' [a]", "ok ok ok '' [a]", "ok ok ok ENOENT []"}},
    {"killed after a flush",
     "mkdir, create a, append a abc, flush a, append a de, kill, "
     "read a 0 9",
     {"ok ok ok ok ok 'abcde'", "ok ok ok ok ok 'abc'", "ok ok ok ok ok ENOENT"}},
    {"killed after a sync",
     "mkdir, create a, append a abc, sync a, kill, read a 0 9",
     {"ok ok ok ok 'abc'", NULL, "ok ok ok ok ENOENT"}},
    {"killed after a close",
     "mkdir, create a, append a abc, close a, kill, read a 0 9, list",
     {"ok ok ok ok 'abc' [a]"}},
    {"a killed process's file can be removed",
     "mkdir, create a, append a abc, kill, remove a, list, create a, close a, list",
     {"ok ok ok ok [] ok ok [a]"}},
};
#define N_BEHAVIOURS (sizeof behaviours / sizeof behaviours[0])

// A file system under test.
struct fs {
    const char *name;
    enum keeps keeps;
    void *context;
    void (*perform)(void *context, const struct recoup_action *action, struct recoup_event *event);
    void (*kill)(void *context);
    bool forks; // each life is a process of its own
};

struct text {
    char bytes[512];
    size_t size;
};

static void say(struct text *text, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size, format, list);
    va_end(list);
    assert_true(n >= 0 && (size_t)n < sizeof text->bytes - text->size);
    text->size += (size_t)n;
}

// --- scripts ------------------------------------------------------------------------------------

static const char *const verbs[] = {"mkdir", "list",  "create", "append", "flush",
                                    "sync",  "close", "read",   "remove"};

// "append a abc", "read a 0 9", "remove -": false for "kill".
static bool parse(const char *word, struct recoup_action *action, char data[32])
{
    char verb[16] = "";
    char file[16] = "";
    unsigned long long offset = 0;
    unsigned long long size = 0;
    int n = sscanf(word, "%15s %15s", verb, file);

    *action = (struct recoup_action){.type = RECOUP_ACTION_MKDIR};
    assert_true(n >= 1);
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i]) == 0) {
            action->type = (enum recoup_action_type)i;
        }
    }
    if (strcmp(verb, "kill") == 0) {
        return false;
    }
    assert_string_equal(verb, verbs[action->type]);
    if (n == 2 && strcmp(file, "-") != 0) {
        memcpy(action->io.file, file, sizeof file);
    }
    if (action->type == RECOUP_ACTION_APPEND) {
        assert_int_equal(sscanf(word, "%*s %*s %31s", data), 1);
        action->io.data = data;
        action->io.size = strlen(data);
    } else if (action->type == RECOUP_ACTION_READ) {
        assert_int_equal(sscanf(word, "%*s %*s %llu %llu", &offset, &size), 2);
        action->io.offset = offset;
        action->io.size = (size_t)size;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void say_outcome(struct text *out, const struct recoup_action *action,
                        const struct recoup_event *event)
{
    say(out, "%s", out->size > 0 ? " " : "");
    if (event->io.error != 0) {
        say(out, "%s", recoup_error_name(event->io.error) + strlen("RECOUP_"));
    } else if (action->type == RECOUP_ACTION_READ) {
        say(out, "'%.*s'", (int)event->io.size, (const char *)event->io.data);
    } else if (action->type == RECOUP_ACTION_LIST) {
        const char *names[16];

        assert_true(event->io.n_names <= 16);
        for (uint32_t i = 0; i < event->io.n_names; i++) {
            names[i] = event->io.names[i];
        }
        qsort(names, event->io.n_names, sizeof names[0], by_name);
        say(out, "[");
        for (uint32_t i = 0; i < event->io.n_names; i++) {
            say(out, "%s%s", i > 0 ? " " : "", names[i]);
        }
        say(out, "]");
    } else {
        say(out, "ok");
    }
}

// Runs the script up to its end or to the next kill; what is left of it, NULL if nothing.
static const char *run_life(const struct fs *fs, const char *script, struct text *out)
{
    while (script != NULL) {
        const char *end = strchr(script, ',');
        size_t n = end != NULL ? (size_t)(end - script) : strlen(script);
        struct recoup_action action;
        struct recoup_event event;
        char word[64];
        char data[32];

        assert_true(n < sizeof word);
        memcpy(word, script, n);
        word[n] = '\0';
        script = end != NULL ? end + 1 : NULL;
        if (!parse(word, &action, data)) {
            return script;
        }
        action.io.operation = 1;
        fs->perform(fs->context, &action, &event);
        assert_int_equal(event.io.operation, 1);
        say_outcome(out, &action, &event);
    }
    return NULL;
}

// The same in a child, which dies with its files open.
static const char *fork_life(const struct fs *fs, const char *script, struct text *out)
{
    int ends[2];
    pid_t child;
    int status = 0;
    char buffer[512];
    ssize_t n;
    const char *kill = strstr(script, "kill,");

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct text own = {.size = 0};

        (void)run_life(fs, script, &own);
        _exit(write(ends[1], own.bytes, own.size) == (ssize_t)own.size ? 0 : 1);
    }
    close(ends[1]);
    n = read(ends[0], buffer, sizeof buffer - 1);
    close(ends[0]);
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(n >= 0);
    say(out, "%s%.*s", out->size > 0 && n > 0 ? " " : "", (int)n, buffer);
    return kill != NULL ? kill + strlen("kill,") : NULL;
}

static void run_script(const struct fs *fs, const char *script, struct text *out)
{
    while (script != NULL) {
        script = fs->forks ? fork_life(fs, script, out) : run_life(fs, script, out);
        if (script != NULL && fs->kill != NULL) {
            fs->kill(fs->context);
        }
    }
}

static void check_behaviour(const struct fs *fs, const struct behaviour *behaviour)
{
    struct text out = {.size = 0};
    const char *expected = behaviour->outcome[0];

    for (int k = 1; k <= (int)fs->keeps; k++) {
        expected = behaviour->outcome[k] != NULL ? behaviour->outcome[k] : expected;
    }
    run_script(fs, behaviour->script, &out);
    if (strcmp(out.bytes, expected) != 0) {
        print_error("%s: %s\n  script:   %s\n  expected: %s\n  found:    %s\n", fs->name,
                    behaviour->name, behaviour->script, expected, out.bytes);
        fail();
    }
}

// --- the simulator ------------------------------------------------------------------------------

struct simulated {
    struct model_test test;
    struct step_run run;
    uint32_t client;
};

static void simulated_perform(void *context, const struct recoup_action *action,
                              struct recoup_event *event)
{
    struct simulated *s = context;
    struct model_world *w = s->run.w;
    uint64_t read = w->storage.replay_bytes;

    storage_issue(w, action, s->client);
    while (w->storage.operation.busy) {
        struct sim_event next;

        assert_true(sim_queue_pop(&w->queue, &next));
        world_dispatch(w, &next);
    }
    *event = (struct recoup_event){.type = RECOUP_EVENT_IO};
    event->io.operation = action->io.operation;
    event->io.error = (int)s->run.traces[s->run.n_traces - 1].args[1];
    if (event->io.error == 0 && action->type == RECOUP_ACTION_READ) {
        event->io.size = (size_t)(w->storage.replay_bytes - read);
        event->io.data = w->storage.scratch;
    } else if (event->io.error == 0 && action->type == RECOUP_ACTION_LIST) {
        event->io.names = w->storage.names;
        event->io.n_names = w->storage.n_files;
    }
}

static void simulated_kill(void *context)
{
    struct simulated *s = context;

    storage_client_died(s->run.w, s->client);
    s->client++;
}

static void simulate(enum model_storage_kind kind, enum recoup_durable_at durable_at,
                     enum keeps keeps, const char *name)
{
    for (size_t i = 0; i < N_BEHAVIOURS; i++) {
        struct simulated *s = calloc(1, sizeof *s);
        struct fs fs = {name, keeps, s, simulated_perform, simulated_kill, false};

        assert_non_null(s);
        world_of(&s->test, 1, 1);
        s->test.config.options.recovery_enabled = false; // its master does no I/O
        s->test.config.storage.kind = kind;
        s->test.config.storage.durable_at = durable_at;
        (void)stage(&s->test, "long", 1, constant(1000000 * SECOND));
        step_begin(&s->run, &s->test);
        s->client = CLIENT;
        check_behaviour(&fs, &behaviours[i]);
        step_end(&s->run);
        world_drop(&s->test);
        free(s);
    }
}

static void the_simulated_profiles(void **state)
{
    (void)state;
    simulate(MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_SYNC, KEEPS_APPENDED, "simulated posix");
    simulate(MODEL_STORAGE_POSIX, RECOUP_DURABLE_AT_FLUSH, KEEPS_APPENDED, "simulated posix");
    simulate(MODEL_STORAGE_NFS, RECOUP_DURABLE_AT_FLUSH, KEEPS_FLUSHED, "simulated nfs");
    simulate(MODEL_STORAGE_HDFS, RECOUP_DURABLE_AT_FLUSH, KEEPS_FLUSHED, "simulated hdfs");
    simulate(MODEL_STORAGE_IDEAL, RECOUP_DURABLE_AT_FLUSH, KEEPS_FLUSHED, "simulated ideal");
    simulate(MODEL_STORAGE_S3, RECOUP_DURABLE_AT_CLOSE, KEEPS_OBJECTS, "simulated s3");
    simulate(MODEL_STORAGE_GCS, RECOUP_DURABLE_AT_CLOSE, KEEPS_OBJECTS, "simulated gcs");
}

// --- the host in memory -------------------------------------------------------------------------

static void *plain_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void plain_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static void memory_perform(void *context, const struct recoup_action *action,
                           struct recoup_event *event)
{
    assert_int_equal(recoup_testing_perform(context, action, event), 0);
}

static void memory_kill(void *context)
{
    recoup_testing_crash_worst(context, RECOUP_TESTING_KILL);
}

static void the_host_in_memory(void **state)
{
    static const enum keeps keeps[] = {KEEPS_APPENDED, KEEPS_APPENDED, KEEPS_FLUSHED,
                                       KEEPS_OBJECTS};

    (void)state;
    for (int profile = RECOUP_TESTING_DISK; profile <= RECOUP_TESTING_OBJECTS; profile++) {
        for (size_t i = 0; i < N_BEHAVIOURS; i++) {
            struct recoup_testing_device device;
            struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};
            struct recoup_testing_host *host;
            struct fs fs = {"host in memory", keeps[profile], NULL,
                            memory_perform,   memory_kill,    false};

            recoup_testing_device_init(&device, (enum recoup_testing_profile)profile);
            assert_int_equal(recoup_testing_host_create(&device, &allocator, &host), 0);
            fs.context = host;
            check_behaviour(&fs, &behaviours[i]);
            recoup_testing_host_destroy(host);
        }
    }
}

// --- real directories ---------------------------------------------------------------------------

#ifdef CONFORMANCE_REAL_HOST
static void forward(void *context, const struct recoup_action *action, struct recoup_event *event)
{
    real_perform(context, action, event);
}

static void real_directories(void **state)
{
    (void)state;
    for (const char *const *base = real_bases(); *base != NULL; base++) {
        for (int durability = RECOUP_HOST_PROCESS; durability <= RECOUP_HOST_MACHINE_AT_FLUSH;
             durability++) {
            for (size_t i = 0; i < N_BEHAVIOURS; i++) {
                struct real_fs real;
                struct fs fs = {real_kind(*base), KEEPS_APPENDED, &real, forward, NULL, true};

                real_init(&real, *base, (enum recoup_host_durability)durability);
                check_behaviour(&fs, &behaviours[i]);
                real_release(&real);
            }
        }
        print_message("  the real host on %s: %zu behaviours\n", real_kind(*base), N_BEHAVIOURS);
    }
}

struct checked {
    struct real_fs real;
    const char *base;
    enum recoup_host_durability durability;
    bool there;
};

static void checked_perform(void *context, const struct recoup_action *action,
                            struct recoup_event *event)
{
    struct checked *checked = context;

    real_perform(&checked->real, action, event);
}

// The process's death is all that a test can do to a real machine; a power loss it cannot.
static void checked_crash(void *context)
{
    struct checked *checked = context;

    real_reopen(&checked->real, checked->durability);
}

static void checked_reset(void *context)
{
    struct checked *checked = context;

    if (checked->there) {
        real_release(&checked->real);
    }
    real_init(&checked->real, checked->base, checked->durability);
    checked->there = true;
}

static void the_real_host_keeps_its_duties(void **state)
{
    (void)state;
    for (const char *const *base = real_bases(); *base != NULL; base++) {
        for (int durability = RECOUP_HOST_PROCESS; durability <= RECOUP_HOST_MACHINE_AT_FLUSH;
             durability++) {
            struct checked checked = {.base = *base,
                                      .durability = (enum recoup_host_durability)durability};
            struct recoup_checked_host host = {
                &checked, {0}, checked_perform, checked_crash, checked_reset};
            struct recoup_allocator allocator = {plain_allocate, plain_release, NULL};
            struct recoup_host_report report;

            recoup_host_storage(checked.durability, &host.storage);
            assert_int_equal(recoup_host_check(&host, &allocator, &report), 0);
            for (uint32_t i = 0; i < report.n && i < RECOUP_HOST_FINDINGS_MAX; i++) {
                print_error("%s: D%u: %s\n", real_kind(*base), report.findings[i].duty,
                            report.findings[i].text);
            }
            assert_u64(report.n, 0);
            real_release(&checked.real);
        }
    }
}
#endif

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_simulated_profiles),
        cmocka_unit_test(the_host_in_memory),
#ifdef CONFORMANCE_REAL_HOST
        cmocka_unit_test(real_directories),
        cmocka_unit_test(the_real_host_keeps_its_duties),
#endif
    };

    return check_main(argc, argv, "conformance_file_systems", tests);
}
