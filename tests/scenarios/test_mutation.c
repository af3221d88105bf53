// SPDX-License-Identifier: GPL-3.0-or-later
//
// Mutated files never crash or hang the loader: each is loaded or refused with messages that have a
// place inside the file. The mutations follow from a fixed seed.
#include "support.h"

#define ROUNDS 600u
#define TEXT_MAX 16384u

struct mutant {
    char text[TEXT_MAX];
    size_t size;
    uint64_t random;
};

// splitmix64: any generator will do here.
static uint64_t draw(struct mutant *m, uint64_t below)
{
    m->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = m->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void insert(struct mutant *m, size_t at, const char *text, size_t size)
{
    if (m->size + size >= TEXT_MAX) {
        return;
    }
    memmove(m->text + at + size, m->text + at, m->size - at);
    memcpy(m->text + at, text, size);
    m->size += size;
}

static void cut(struct mutant *m, size_t at, size_t size)
{
    size = size < m->size - at ? size : m->size - at;
    memmove(m->text + at, m->text + at + size, m->size - at - size);
    m->size -= size;
}

static void mutate(struct mutant *m)
{
    static const char *const pieces[] = {"{",      "}",
                                         "[",      "]",
                                         ": ",     ",",
                                         "- ",     "\n",
                                         " ",      "#",
                                         "'",      "\"",
                                         "&a ",    "*a",
                                         "!!str ", "|",
                                         ">",      "%",
                                         "~",      "null",
                                         "\t",     "\xff",
                                         "\xc3",   "0",
                                         "-1",     "99999999999999999999",
                                         "1e9",    "{mixture: [[1, 1 s]]}",
                                         "never",  "auto",
                                         "? ",     "---\n",
                                         "...\n",  "<<: ",
                                         "\r",     "\xe2\x80\xa8",
                                         "name",   "at",
                                         "on"};
    size_t at = (size_t)draw(m, m->size + 1);
    switch (draw(m, 5)) {
    case 0:
        cut(m, at, (size_t)draw(m, 12) + 1);
        break;
    case 1: {
        const char *piece = pieces[draw(m, sizeof(pieces) / sizeof(pieces[0]))];
        insert(m, at, piece, strlen(piece));
        break;
    }
    case 2: {
        char copy[64];
        size_t size = (size_t)draw(m, sizeof(copy)) + 1;
        size_t from = (size_t)draw(m, m->size + 1);
        size = size < m->size - from ? size : m->size - from;
        memcpy(copy, m->text + from, size);
        insert(m, at, copy, size);
        break;
    }
    case 3:
        if (at < m->size) {
            m->text[at] = (char)draw(m, 256);
        }
        break;
    default:
        if (m->size > 200 && draw(m, 10) == 0) {
            cut(m, at, m->size);
        }
        break;
    }
}

static void check_messages(const struct scenario *s)
{
    char text[4096];
    assert_true(s->n_errors > 0);
    for (uint32_t i = 0; i < s->n_errors; i++) {
        assert_non_null(s->errors[i].file);
        assert_true(s->errors[i].text[0] != '\0');
        assert_true(s->errors[i].line == 0 || s->errors[i].column > 0);
        assert_true(scenario_message_format(&s->errors[i], NULL, text, sizeof(text)) > 0);
    }
}

static void run(const char *path, uint64_t seed)
{
    size_t size = 0;
    char *original = support_read(path, &size);
    struct mutant *m = calloc(1, sizeof(*m));
    uint32_t loaded = 0;
    assert_non_null(original);
    assert_non_null(m);
    assert_true(size < TEXT_MAX / 2);
    m->random = seed;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct scenario s;
        memcpy(m->text, original, size);
        m->size = size;
        for (uint64_t n = draw(m, 4) + 1; n > 0; n--) {
            mutate(m);
        }
        int status = scenario_parse(&s, path, m->text, m->size, NULL);
        assert_true(status == SCENARIO_OK || status == SCENARIO_INVALID);
        if (status == SCENARIO_INVALID) {
            check_messages(&s);
        } else {
            loaded++;
            assert_true(s.config.n_stages > 0 && s.config.cluster.workers > 0);
        }
        scenario_release(&s);
    }
    assert_true(loaded > 0 && loaded < ROUNDS);
    free(m);
    free(original);
}

static void AllKinds(void **state)
{
    (void)state;
    run(TESTS_FOLDER "valid/all-kinds.yaml", 1);
}

static void ChildOfABase(void **state)
{
    (void)state;
    run(TESTS_FOLDER "valid/child.yaml", 2);
}

// The options of the command line are text of the same grammar.
static void Overrides(void **state)
{
    static const char *const good[] = {"cluster.deploy={lognormal: {median: 1 s, sigma: 0.5}}",
                                       "job.stages.scan.parallelism=4", "storage.durable-at=sync",
                                       "faults.0.at=5 s", "config.heartbeat.interval=5 s"};
    struct mutant *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    (void)state;
    m->random = 3;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct scenario s;
        const char *text = good[draw(m, 5)];
        m->size = strlen(text);
        memcpy(m->text, text, m->size);
        for (uint64_t n = draw(m, 3) + 1; n > 0; n--) {
            mutate(m);
        }
        m->text[m->size] = '\0';
        const char *const sets[] = {m->text};
        struct scenario_overrides overrides = {
            .sets = sets, .n_sets = 1, .faults = sets, .n_faults = i % 2};
        int status =
            scenario_parse(&s, "a.yaml", support_minimal, strlen(support_minimal), &overrides);
        assert_true(status == SCENARIO_OK || status == SCENARIO_INVALID);
        if (status == SCENARIO_INVALID) {
            check_messages(&s);
        }
        scenario_release(&s);
    }
    free(m);
}

// Shapes that are known to be costly for a parser are refused quickly.
static void CostlyShapes(void **state)
{
    static const struct {
        const char *start, *piece;
    } shapes[] = {{"a: ", "["}, {"a: ", "{a: "},       {"", "a: &x b\n"},
                  {"", "- "},   {"a: \"", "\\x41"},    {"", "k: v\n"},
                  {"", "? "},   {"a: ", "x "},         {"a: |\n", " x\n"},
                  {"", "#\n"},  {"config: {", "a: b,"}};
    char *text = malloc(SCENARIO_FILE_BYTES_MAX);
    assert_non_null(text);
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct scenario s;
        size_t size = strlen(shapes[i].start);
        size_t n = strlen(shapes[i].piece);
        memcpy(text, shapes[i].start, size);
        for (; size + n <= SCENARIO_FILE_BYTES_MAX; size += n) {
            memcpy(text + size, shapes[i].piece, n);
        }
        assert_i64(scenario_parse(&s, "a.yaml", text, size, NULL), SCENARIO_INVALID);
        assert_true(s.n_errors > 0);
        scenario_release(&s);
    }
    free(text);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(AllKinds),
        cmocka_unit_test(ChildOfABase),
        cmocka_unit_test(Overrides),
        cmocka_unit_test(CostlyShapes),
    };
    return check_main(argc, argv, "scenarios_mutation", tests);
}
