// SPDX-License-Identifier: GPL-3.0-or-later
//
// Conditions over axes:
//
//     condition  = conjunction {"or" conjunction}
//     conjunction = negation {"and" negation}
//     negation   = {"not"} (comparison | "(" condition ")")
//     comparison = operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
//     operand    = axis | number [unit] | word | "'" text "'"
//
// Everything is typed before anything is compared: durations with durations, sizes with sizes; the
// words of an axis without numbers are its values. The parser keeps its own stack (no recursion on
// input) and gives a program in postfix order.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

#define COMPARISONS_MAX 64u
#define STEPS_MAX 512u
#define TEXT_MAX 4096u
#define NANO INT64_C(1000000000)

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_QUOTED,
    TOKEN_COMPARE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_ERROR
};

enum compare { EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST };

struct token {
    enum token_kind kind;
    enum compare compare;
    size_t at; // offset in the text
    const char *text;
};

struct operand {
    bool is_axis;
    uint32_t axis;
    struct sweep_quantity quantity; // of a literal
    const char *text;               // as written
    size_t at;
};

struct comparison {
    struct operand left, right;
    enum compare compare;
};

enum step_kind { STEP_COMPARE, STEP_NOT, STEP_AND, STEP_OR };

struct step {
    enum step_kind kind;
    uint32_t comparison;
};

struct sweep_where_program {
    struct comparison comparisons[COMPARISONS_MAX];
    uint32_t n_comparisons;
    struct step steps[STEPS_MAX];
    uint32_t n_steps;
};

struct parser {
    struct scenario_loader *loader;
    const struct sweep_reader *reader;
    const struct scenario_node *node;
    const char *text;
    size_t next;
    struct token token;
    struct sweep_where_program *program;
    enum token_kind stack[STEPS_MAX]; // operators and open parentheses that wait
    size_t stack_at[STEPS_MAX];
    uint32_t depth;
};

static void fail(struct parser *p, size_t at, const char *text)
{
    scenario_error(p->loader, sweep_place_inside(p->node, at), "%s", text);
}

// --- words ---------------------------------------------------------------------------------------

static const char compare_texts[][3] = {"==", "!=", "<", "<=", ">", ">="};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_inside_word(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-.%+/", c) != NULL);
}

static size_t word_size(const char *text)
{
    size_t size = 0;
    while (is_inside_word(text[size])) {
        size++;
    }
    return size;
}

static enum token_kind keyword(const char *text, size_t size)
{
    static const struct {
        const char *word;
        enum token_kind kind;
    } words[] = {{"and", TOKEN_AND}, {"or", TOKEN_OR}, {"not", TOKEN_NOT}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == size && strncmp(words[i].word, text, size) == 0) {
            return words[i].kind;
        }
    }
    return TOKEN_WORD;
}

// A number, and the unit behind it, blanks between them or not.
static size_t number_size(const char *text)
{
    size_t size = word_size(text);
    size_t unit = size;
    while (text[unit] == ' ') {
        unit++;
    }
    size_t letters = is_letter(text[unit]) || text[unit] == '%' ? word_size(text + unit) : 0;
    if (letters == 0 || keyword(text + unit, letters) != TOKEN_WORD) {
        return size;
    }
    return unit + letters;
}

static void take(struct parser *p, enum token_kind kind, size_t skip, size_t size, size_t behind)
{
    p->token.kind = kind;
    p->token.text = scenario_copy(&p->loader->memory, p->text + p->next + skip, size);
    p->next += skip + size + behind;
}

static void quoted(struct parser *p)
{
    const char *text = p->text + p->next;
    const char *end = strchr(text + 1, text[0]);
    if (end == NULL) {
        fail(p, p->next, "this quote is not closed");
        p->token.kind = TOKEN_ERROR;
        return;
    }
    take(p, TOKEN_QUOTED, 1, (size_t)(end - text) - 1, 1);
}

static void compare_sign(struct parser *p)
{
    const char *text = p->text + p->next;
    for (uint32_t length = 2; length > 0; length--) {
        for (uint32_t i = 0; i < sizeof(compare_texts) / sizeof(compare_texts[0]); i++) {
            if (strlen(compare_texts[i]) == length &&
                strncmp(compare_texts[i], text, length) == 0) {
                p->token.compare = (enum compare)i;
                take(p, TOKEN_COMPARE, 0, length, 0);
                return;
            }
        }
    }
    fail(p, p->next,
         text[0] == '=' ? "one '=' is no comparison; write '=='"
                        : "expected an axis, a value, a comparison (== != < <= > >=), and, or, not "
                          "or a parenthesis");
    p->token.kind = TOKEN_ERROR;
}

static void advance(struct parser *p)
{
    while (p->text[p->next] == ' ' || p->text[p->next] == '\n') {
        p->next++;
    }
    const char *text = p->text + p->next;
    p->token = (struct token){.at = p->next, .text = ""};
    if (text[0] == '\0') {
        p->token.kind = TOKEN_END;
    } else if (text[0] == '(' || text[0] == ')') {
        take(p, text[0] == '(' ? TOKEN_OPEN : TOKEN_CLOSE, 0, 1, 0);
    } else if (text[0] == '\'' || text[0] == '"') {
        quoted(p);
    } else if (is_digit(text[0])) {
        take(p, TOKEN_NUMBER, 0, number_size(text), 0);
    } else if (is_letter(text[0])) {
        size_t size = word_size(text);
        take(p, keyword(text, size), 0, size, 0);
    } else {
        compare_sign(p);
    }
}

// --- types ---------------------------------------------------------------------------------------

static bool operand_read(struct parser *p, struct operand *operand)
{
    *operand = (struct operand){.at = p->token.at, .text = p->token.text};
    if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_NUMBER &&
        p->token.kind != TOKEN_QUOTED) {
        if (p->token.kind != TOKEN_ERROR) {
            fail(p, p->token.at, "expected an axis or a value here");
        }
        return false;
    }
    for (uint32_t i = 0; p->token.kind == TOKEN_WORD && i < p->reader->n_axes; i++) {
        if (strcmp(p->reader->axes[i].name, p->token.text) == 0) {
            operand->is_axis = true;
            operand->axis = i;
        }
    }
    operand->quantity = p->token.kind == TOKEN_NUMBER ? sweep_quantity_parse(p->token.text)
                                                      : (struct sweep_quantity){SWEEP_UNIT_TEXT, 0};
    advance(p);
    return true;
}

static enum sweep_unit unit_of(const struct parser *p, const struct operand *operand)
{
    return operand->is_axis ? p->reader->axes[operand->axis].unit : operand->quantity.unit;
}

static bool value_is_called(const struct sweep_value *value, const char *text)
{
    if (strcmp(value->label, text) == 0 || strcmp(value->text, text) == 0 ||
        strcmp(value->written, text) == 0) {
        return true;
    }
    const char *a = value->label; // "30 s" is the label "30s"
    for (; *text != '\0'; text++) {
        if (*text != ' ' && *text != *a++) {
            return false;
        }
    }
    return *a == '\0';
}

// The other side of an axis without numbers is one of its values.
static bool word_check(struct parser *p, const struct operand *axis, const struct operand *word)
{
    const struct sweep_axis *a = &p->reader->axes[axis->axis];
    struct scenario_nearest nearest;
    struct scenario_buffer list = {0};
    scenario_nearest_init(&nearest, word->text);
    for (uint32_t i = 0; i < a->n_values; i++) {
        if (value_is_called(&a->values[i], word->text)) {
            return true;
        }
        scenario_nearest_offer(&nearest, a->values[i].label);
        if (i < 8) {
            scenario_buffer_print(&p->loader->memory, &list, "%s%s", i == 0 ? "" : ", ",
                                  a->values[i].label);
        }
    }
    scenario_error(p->loader, sweep_place_inside(p->node, word->at),
                   "'%s' is no value of %s, which has %s%s%s",
                   scenario_quote(p->loader, word->text), a->name, list.text,
                   a->n_values > 8 ? ", ..." : "", scenario_nearest_text(p->loader, &nearest));
    return false;
}

static bool unknown_axis(struct parser *p, const struct operand *operand)
{
    struct scenario_nearest nearest;
    struct scenario_buffer list = {0};
    scenario_nearest_init(&nearest, operand->text);
    for (uint32_t i = 0; i < p->reader->n_axes; i++) {
        scenario_nearest_offer(&nearest, p->reader->axes[i].name);
        scenario_buffer_print(&p->loader->memory, &list, "%s%s", i == 0 ? "" : ", ",
                              p->reader->axes[i].name);
    }
    scenario_error(p->loader, sweep_place_inside(p->node, operand->at),
                   "no axis is called '%s'; there %s %s%s",
                   scenario_quote(p->loader, operand->text), p->reader->n_axes == 1 ? "is" : "are",
                   list.text != NULL ? list.text : "none",
                   scenario_nearest_text(p->loader, &nearest));
    return false;
}

static bool is_plain_number(enum sweep_unit unit)
{
    return unit == SWEEP_UNIT_COUNT || unit == SWEEP_UNIT_DECIMAL;
}

static bool type_error(struct parser *p, const struct operand *left, const struct operand *right)
{
    const struct operand *axis = left->is_axis ? left : right;
    const struct operand *other = axis == left ? right : left;
    scenario_error(p->loader, sweep_place_inside(p->node, other->at),
                   "'%s' is %s and cannot be compared with %s, %s",
                   scenario_quote(p->loader, other->text), sweep_unit_text(unit_of(p, other)),
                   axis->text, sweep_unit_text(unit_of(p, axis)));
    return false;
}

static bool comparison_check(struct parser *p, const struct comparison *c, size_t sign)
{
    const struct operand *axis = c->left.is_axis ? &c->left : &c->right;
    const struct operand *other = axis == &c->left ? &c->right : &c->left;
    enum sweep_unit unit = unit_of(p, axis);
    enum sweep_unit other_unit = unit_of(p, other);
    if (!axis->is_axis && !is_letter(axis->text[0]) && !is_letter(other->text[0])) {
        fail(p, axis->at, "nothing in this comparison is an axis");
        return false;
    }
    if (!axis->is_axis) {
        const struct operand *word =
            c->left.quantity.unit == SWEEP_UNIT_TEXT ? &c->left : &c->right;
        return unknown_axis(p, word);
    }
    if (unit != SWEEP_UNIT_TEXT && other_unit == SWEEP_UNIT_TEXT && !other->is_axis &&
        is_letter(other->text[0])) {
        return unknown_axis(p, other);
    }
    if (unit == SWEEP_UNIT_TEXT && !other->is_axis && !word_check(p, axis, other)) {
        return false;
    }
    bool words = unit == SWEEP_UNIT_TEXT && (!other->is_axis || other_unit == SWEEP_UNIT_TEXT);
    if (words && c->compare != EQUAL && c->compare != UNEQUAL) {
        scenario_error(p->loader, sweep_place_inside(p->node, sign),
                       "the values of %s have no order; only == and != compare them", axis->text);
        return false;
    }
    bool numbers = is_plain_number(unit) && is_plain_number(other_unit);
    return words || numbers || unit == other_unit || type_error(p, &c->left, &c->right);
}

// --- program -------------------------------------------------------------------------------------

static bool emit(struct parser *p, enum step_kind kind, uint32_t comparison)
{
    if (p->program->n_steps == STEPS_MAX) {
        fail(p, p->token.at, "this condition is too long");
        return false;
    }
    p->program->steps[p->program->n_steps++] = (struct step){kind, comparison};
    return true;
}

static bool push(struct parser *p, enum token_kind kind)
{
    if (p->depth == STEPS_MAX) {
        fail(p, p->token.at, "this condition is too long");
        return false;
    }
    p->stack_at[p->depth] = p->token.at;
    p->stack[p->depth++] = kind;
    advance(p);
    return p->token.kind != TOKEN_ERROR;
}

static uint32_t rank(enum token_kind kind)
{
    return kind == TOKEN_NOT ? 3 : kind == TOKEN_AND ? 2 : kind == TOKEN_OR ? 1 : 0;
}

// Emits what waits and binds at least as strongly.
static bool pop_to(struct parser *p, uint32_t least)
{
    while (p->depth > 0 && rank(p->stack[p->depth - 1]) >= least) {
        enum token_kind kind = p->stack[--p->depth];
        enum step_kind step = kind == TOKEN_NOT ? STEP_NOT : kind == TOKEN_AND ? STEP_AND : STEP_OR;
        if (!emit(p, step, 0)) {
            return false;
        }
    }
    return true;
}

static bool read_comparison(struct parser *p)
{
    struct sweep_where_program *program = p->program;
    if (program->n_comparisons == COMPARISONS_MAX) {
        fail(p, p->token.at, "more than 64 comparisons");
        return false;
    }
    struct comparison *c = &program->comparisons[program->n_comparisons];
    if (!operand_read(p, &c->left)) {
        return false;
    }
    size_t sign = p->token.at;
    if (p->token.kind != TOKEN_COMPARE) {
        if (p->token.kind != TOKEN_ERROR) {
            fail(p, sign, "expected a comparison here: == != < <= > >=");
        }
        return false;
    }
    c->compare = p->token.compare;
    advance(p);
    if (!operand_read(p, &c->right) || !comparison_check(p, c, sign)) {
        return false;
    }
    if (p->token.kind == TOKEN_COMPARE) {
        fail(p, p->token.at, "comparisons do not chain; join them with 'and'");
        return false;
    }
    return emit(p, STEP_COMPARE, program->n_comparisons++);
}

// What may stand where a comparison is expected: not, parentheses, or one.
static bool read_term(struct parser *p)
{
    while (p->token.kind == TOKEN_NOT || p->token.kind == TOKEN_OPEN) {
        if (!push(p, p->token.kind)) {
            return false;
        }
    }
    return read_comparison(p);
}

static bool close_parentheses(struct parser *p)
{
    while (p->token.kind == TOKEN_CLOSE) {
        if (!pop_to(p, 1)) {
            return false;
        }
        if (p->depth == 0) {
            fail(p, p->token.at, "this parenthesis was not opened");
            return false;
        }
        p->depth--;
        advance(p);
    }
    return true;
}

static bool parse(struct parser *p)
{
    advance(p);
    for (;;) {
        if (!read_term(p) || !close_parentheses(p)) {
            return false;
        }
        if (p->token.kind == TOKEN_END) {
            break;
        }
        if (p->token.kind != TOKEN_AND && p->token.kind != TOKEN_OR) {
            if (p->token.kind != TOKEN_ERROR) {
                fail(p, p->token.at, "expected 'and' or 'or' here");
            }
            return false;
        }
        if (!pop_to(p, rank(p->token.kind)) || !push(p, p->token.kind)) {
            return false;
        }
    }
    if (!pop_to(p, 1)) {
        return false;
    }
    if (p->depth > 0) {
        fail(p, p->stack_at[p->depth - 1], "this parenthesis is not closed");
    }
    return p->depth == 0;
}

const struct sweep_where_program *sweep_where_compile(struct scenario_loader *loader,
                                                      const struct sweep_reader *reader,
                                                      const struct scenario_node *node)
{
    struct parser *p = scenario_allocate(&loader->memory, sizeof(*p));
    p->loader = loader;
    p->reader = reader;
    p->node = node;
    p->text = node->text;
    p->program = scenario_allocate(&loader->memory, sizeof(*p->program));
    if (strlen(node->text) > TEXT_MAX) {
        scenario_error(loader, node->place, "a condition has at most %u characters", TEXT_MAX);
        return NULL;
    }
    return parse(p) ? p->program : NULL;
}

// --- evaluation ----------------------------------------------------------------------------------

static const struct sweep_value *value_at(const struct sweep_reader *reader,
                                          const struct operand *operand, const uint32_t *values)
{
    return &reader->axes[operand->axis].values[values[operand->axis]];
}

// -1, 0 or 1; 2 where two words differ.
static int order(const struct sweep_reader *reader, const struct comparison *c,
                 const uint32_t *values)
{
    const struct operand *sides[2] = {&c->left, &c->right};
    struct sweep_quantity q[2];
    const struct operand *axis = c->left.is_axis ? &c->left : &c->right;
    const struct operand *other = axis == &c->left ? &c->right : &c->left;
    if (reader->axes[axis->axis].unit == SWEEP_UNIT_TEXT) {
        const char *word = other->is_axis ? value_at(reader, other, values)->text : other->text;
        return value_is_called(value_at(reader, axis, values), word) ? 0 : 2;
    }
    for (int i = 0; i < 2; i++) {
        q[i] =
            sides[i]->is_axis ? value_at(reader, sides[i], values)->quantity : sides[i]->quantity;
    }
    // 2 and 2.5: whole parts first, then what is behind the point.
    int64_t whole[2];
    int64_t rest[2];
    for (int i = 0; i < 2; i++) {
        bool decimal = q[i].unit == SWEEP_UNIT_DECIMAL;
        whole[i] = decimal ? q[i].number / NANO : q[i].number;
        rest[i] = decimal ? q[i].number % NANO : 0;
    }
    if (whole[0] != whole[1]) {
        return whole[0] < whole[1] ? -1 : 1;
    }
    return rest[0] < rest[1] ? -1 : rest[0] > rest[1] ? 1 : 0;
}

static bool comparison_holds(const struct sweep_reader *reader, const struct comparison *c,
                             const uint32_t *values)
{
    int found = order(reader, c, values);
    switch (c->compare) {
    case EQUAL:
        return found == 0;
    case UNEQUAL:
        return found != 0;
    case LESS:
        return found == -1;
    case AT_MOST:
        return found == -1 || found == 0;
    case MORE:
        return found == 1;
    case AT_LEAST:
        return found == 1 || found == 0;
    }
    return false;
}

bool sweep_where_holds(const struct sweep_where_program *program, const struct sweep_reader *reader,
                       const uint32_t *values)
{
    bool stack[STEPS_MAX];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        switch (step->kind) {
        case STEP_COMPARE:
            stack[depth++] =
                comparison_holds(reader, &program->comparisons[step->comparison], values);
            break;
        case STEP_NOT:
            stack[depth - 1] = !stack[depth - 1];
            break;
        case STEP_AND:
            depth--;
            stack[depth - 1] = stack[depth - 1] && stack[depth];
            break;
        case STEP_OR:
            depth--;
            stack[depth - 1] = stack[depth - 1] || stack[depth];
            break;
        }
    }
    return depth == 1 && stack[0];
}

static const char *side_text(const struct sweep_reader *reader, const struct operand *operand,
                             const uint32_t *values)
{
    if (!operand->is_axis) {
        return operand->text;
    }
    const struct sweep_value *value = value_at(reader, operand, values);
    return reader->axes[operand->axis].unit == SWEEP_UNIT_TEXT ? value->label : value->text;
}

size_t sweep_where_explain(const struct sweep_where_program *program,
                           const struct sweep_reader *reader, const uint32_t *values, char *text,
                           size_t size)
{
    size_t wanted = 0;
    for (uint32_t i = 0; i < program->n_comparisons; i++) {
        const struct comparison *c = &program->comparisons[i];
        const char *sign = compare_texts[c->compare];
        size_t room = wanted < size ? size - wanted : 0;
        int added = snprintf(room > 0 ? text + wanted : NULL, room, "%s%s %s %s is %s (%s %s %s)",
                             i == 0 ? "" : ", ", c->left.text, sign, c->right.text,
                             comparison_holds(reader, c, values) ? "true" : "false",
                             side_text(reader, &c->left, values), sign,
                             side_text(reader, &c->right, values));
        wanted += added > 0 ? (size_t)added : 0;
    }
    return wanted;
}
