// SPDX-License-Identifier: GPL-3.0-or-later
//
// Conditions: random ones mean what an independent evaluation of the same tree says, and what is
// written with other blanks and parentheses means the same.
#include "support.h"

#include "scenarios/sweep.h"

#define ROUNDS 3000u
#define NODES_MAX 32u

static const char sweep_text[] =
    "version: 1\n"
    "name: s\n"
    "scenario: job.yaml\n"
    "axes:\n"
    "  - {path: cluster.deploy, values: [0 s, 100 ms, 1 s, 2 min]}\n"
    "  - {path: cluster.workers, values: [1, 2, 10]}\n"
    "  - {path: storage, values: [hdfs, s3]}\n"
    "  - {path: job.stages.scan.output, values: [1 kb, 1 mb]}\n"
    "  - {path: config.restart-strategy.exponential-delay.backoff-multiplier, name: factor, "
    "values: [1, 2.5]}\n";

struct axis_case {
    const char *name;
    const char *literals[4];
    int64_t numbers[4];
};

static const struct axis_case cases[] = {
    {"deploy", {"0 s", "100ms", "1000 ms", "0.05 h"}, {0, 100000000, 1000000000, 180000000000}},
    {"workers", {"0", "1", "0xa", "2.5"}, {0, 1000000000, 10000000000, 2500000000}},
    {"storage", {"hdfs", "'s3'", "\"hdfs\"", "s3"}, {0, 1, 0, 1}},
    {"output", {"0 b", "1024b", "1 mb", "1.5 kb"}, {0, 1024, 1048576, 1536}},
    {"factor", {"1", "2.5", "2.500", "3"}, {1000000000, 2500000000, 2500000000, 3000000000}},
};

enum kind { COMPARE, NOT, AND, OR };

struct node {
    enum kind kind;
    uint32_t axis, literal, sign;
    bool swapped;
    uint32_t left, right;
};

struct tree {
    struct node nodes[NODES_MAX];
    uint32_t count;
    uint64_t random;
    char text[4096];
    size_t size;
};

static uint64_t draw(struct tree *t, uint64_t below)
{
    t->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = t->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static uint32_t grow(struct tree *t, uint32_t depth)
{
    uint32_t index = t->count++;
    struct node n = {.kind = (enum kind)draw(t, 4)};
    if (depth == 0 || t->count + 2 >= NODES_MAX) {
        n.kind = COMPARE;
    }
    if (n.kind == COMPARE) {
        n.axis = (uint32_t)draw(t, sizeof(cases) / sizeof(cases[0]));
        n.literal = (uint32_t)draw(t, 4);
        n.sign = (uint32_t)draw(t, strcmp(cases[n.axis].name, "storage") == 0 ? 2 : 6);
        n.swapped = draw(t, 2) == 0;
    } else {
        n.left = grow(t, depth - 1);
        n.right = n.kind == NOT ? n.left : grow(t, depth - 1);
    }
    t->nodes[index] = n;
    return index;
}

static void put(struct tree *t, const char *text)
{
    int n = snprintf(t->text + t->size, sizeof(t->text) - t->size, "%s%s", text,
                     draw(t, 4) == 0 ? "  " : "");
    t->size += (size_t)n;
    assert_true(t->size < sizeof(t->text));
}

// Writes a node; parentheses only where they are needed, or now and then.
static void write_node(struct tree *t, uint32_t index, uint32_t rank)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    const struct node *n = &t->nodes[index];
    uint32_t own = n->kind == COMPARE ? 4 : n->kind == NOT ? 3 : n->kind == AND ? 2 : 1;
    bool parentheses = own < rank || draw(t, 6) == 0;
    if (parentheses) {
        put(t, "(");
    }
    if (n->kind == COMPARE) {
        const struct axis_case *c = &cases[n->axis];
        put(t, n->swapped ? c->literals[n->literal] : c->name);
        put(t, signs[n->sign]);
        put(t, n->swapped ? c->name : c->literals[n->literal]);
    } else if (n->kind == NOT) {
        put(t, "not ");
        write_node(t, n->left, own);
    } else {
        write_node(t, n->left, own);
        put(t, n->kind == AND ? " and " : " or ");
        write_node(t, n->right, own);
    }
    if (parentheses) {
        put(t, ")");
    }
}

static int64_t number(const struct scenario_sweep *s, const struct scenario_point *p, uint32_t axis)
{
    const struct scenario_axis *a = &s->axes[axis];
    int64_t value = a->values[p->values[axis]].number;
    if (a->kind == SCENARIO_AXIS_TEXT) {
        return p->values[axis];
    }
    return a->kind == SCENARIO_AXIS_COUNT ? value * 1000000000 : value;
}

static bool holds(const struct tree *t, uint32_t index, const struct scenario_sweep *s,
                  const struct scenario_point *p)
{
    const struct node *n = &t->nodes[index];
    if (n->kind == NOT) {
        return !holds(t, n->left, s, p);
    }
    if (n->kind == AND) {
        return holds(t, n->left, s, p) && holds(t, n->right, s, p);
    }
    if (n->kind == OR) {
        return holds(t, n->left, s, p) || holds(t, n->right, s, p);
    }
    int64_t a = number(s, p, n->axis);
    int64_t b = cases[n->axis].numbers[n->literal];
    if (n->swapped) {
        int64_t spare = a;
        a = b;
        b = spare;
    }
    const bool results[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
    return results[n->sign];
}

static void RandomConditionsMeanWhatTheySay(void **state)
{
    struct scenario_sweep s;
    uint64_t trues = 0;
    uint64_t total = 0;
    (void)state;
    assert_i64(scenario_sweep_parse(&s, TESTS_FOLDER "sweeps/text.yaml", sweep_text,
                                    sizeof(sweep_text) - 1),
               SCENARIO_OK);
    assert_u64(s.n_points, 96);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct tree t = {.random = round};
        struct scenario_where where;
        uint32_t root = grow(&t, 4);
        write_node(&t, root, 0);
        if (scenario_where_parse(&where, &s, "--where", t.text) != SCENARIO_OK) {
            fail_msg("round %u: %s: %s", round, t.text, where.errors[0].text);
        }
        for (uint32_t i = 0; i < s.n_points; i++) {
            bool expected = holds(&t, root, &s, &s.points[i]);
            if (scenario_where_holds(&where, &s.points[i]) != expected) {
                fail_msg("round %u: '%s' at %s is %d", round, t.text, s.points[i].label, !expected);
            }
            trues += expected ? 1 : 0;
            total++;
        }
        scenario_where_release(&where);
    }
    // The test sees both outcomes often.
    assert_true(trues > total / 5 && trues < total - total / 5);
    scenario_sweep_release(&s);
}

// Two axes of one type are compared with each other, and a condition of the command line has
// messages with a caret, too.
static void AxesAndMessages(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } wrong[] = {
        {"", "--where:1:1: expected an axis or a value here\n"},
        {"workers", "--where:1:8: expected a comparison here: == != < <= > >=\n"
                    "    workers\n           ^\n"},
        {"workers == 3 4", "--where:1:14: expected 'and' or 'or' here\n"},
        {"workers == 3 and", "--where:1:17: expected an axis or a value here\n"},
        {"workers == 3)", "--where:1:13: this parenthesis was not opened\n"},
        {"deploy < 5", "--where:1:10: '5' is an integer and cannot be compared with deploy, a "
                       "duration\n"},
        {"deploy < workers", "--where:1:10: 'workers' is an integer and cannot be compared with "
                             "deploy, a duration\n"},
        {"deploy == 'x", "--where:1:11: this quote is not closed\n"},
        {"storage == 5", "--where:1:12: '5' is no value of storage, which has hdfs, s3\n"},
        {"depoy == 5 s", "--where:1:1: no axis is called 'depoy'; there are deploy, workers, "
                         "storage, output, factor; did you mean 'deploy'?\n"},
        {"deploy == 5 s && workers == 3",
         "--where:1:15: expected an axis, a value, a comparison (== != < <= > >=), and, or, not or "
         "a parenthesis\n"},
    };
    struct scenario_sweep s;
    struct scenario_where where;
    char text[1024];
    (void)state;
    assert_i64(scenario_sweep_parse(&s, TESTS_FOLDER "sweeps/text.yaml", sweep_text,
                                    sizeof(sweep_text) - 1),
               SCENARIO_OK);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_i64(scenario_where_parse(&where, &s, "--where", wrong[i].text), SCENARIO_INVALID);
        assert_u64(where.n_errors, 1);
        (void)scenario_message_format(&where.errors[0], NULL, text, sizeof(text));
        text[strlen(wrong[i].message)] = '\0';
        assert_text(text, wrong[i].message);
        scenario_where_release(&where);
    }
    assert_i64(scenario_where_parse(&where, &s, "--where", "workers > factor"), SCENARIO_OK);
    assert_false(scenario_where_holds(&where, &s.points[0]));
    assert_true(scenario_where_holds(&where, &s.points[s.n_points - 1]));
    scenario_where_release(&where);
    scenario_where_release(&where);
    scenario_sweep_release(&s);
}

// However long a condition is: it is read, or refused, never a crash.
static void LongConditions(void **state)
{
    static const char *const pieces[] = {"(", "not ", "workers == 1 and ", "workers==1 or not ("};
    struct scenario_sweep s;
    (void)state;
    assert_i64(scenario_sweep_parse(&s, TESTS_FOLDER "sweeps/text.yaml", sweep_text,
                                    sizeof(sweep_text) - 1),
               SCENARIO_OK);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (size_t n = 1; n < 3000; n = n * 2 + 1) {
            struct scenario_where where;
            size_t one = strlen(pieces[i]);
            char *text = calloc(1, n * one + 32);
            assert_non_null(text);
            for (size_t k = 0; k < n; k++) {
                memcpy(text + k * one, pieces[i], one);
            }
            memcpy(text + n * one, "workers == 1", 12);
            int status = scenario_where_parse(&where, &s, "--where", text);
            bool closed = i == 1 || i == 2;
            assert_true(status == (closed && n <= 63 ? SCENARIO_OK : SCENARIO_INVALID) ||
                        (closed && n > 63));
            scenario_where_release(&where);
            free(text);
        }
    }
    scenario_sweep_release(&s);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(RandomConditionsMeanWhatTheySay),
        cmocka_unit_test(AxesAndMessages),
        cmocka_unit_test(LongConditions),
    };
    return check_main(argc, argv, "scenarios_sweep_where", tests);
}
