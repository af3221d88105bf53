// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include "support_mutant.h"

#include <string.h>

// splitmix64: any generator will do here.
uint64_t support_draw(struct support_mutant *m, uint64_t below)
{
    m->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = m->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void insert(struct support_mutant *m, size_t at, const char *text, size_t size)
{
    if (m->size + size >= SUPPORT_MUTANT_MAX) {
        return;
    }
    memmove(m->text + at + size, m->text + at, m->size - at);
    memcpy(m->text + at, text, size);
    m->size += size;
}

static void cut(struct support_mutant *m, size_t at, size_t size)
{
    size = size < m->size - at ? size : m->size - at;
    memmove(m->text + at, m->text + at + size, m->size - at - size);
    m->size -= size;
}

void support_mutate(struct support_mutant *m)
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
    size_t at = (size_t)support_draw(m, m->size + 1);
    switch (support_draw(m, 5)) {
    case 0:
        cut(m, at, (size_t)support_draw(m, 12) + 1);
        break;
    case 1: {
        const char *piece = pieces[support_draw(m, sizeof(pieces) / sizeof(pieces[0]))];
        insert(m, at, piece, strlen(piece));
        break;
    }
    case 2: {
        char copy[64];
        size_t size = (size_t)support_draw(m, sizeof(copy)) + 1;
        size_t from = (size_t)support_draw(m, m->size + 1);
        size = size < m->size - from ? size : m->size - from;
        memcpy(copy, m->text + from, size);
        insert(m, at, copy, size);
        break;
    }
    case 3:
        if (at < m->size) {
            m->text[at] = (char)support_draw(m, 256);
        }
        break;
    default:
        if (m->size > 200 && support_draw(m, 10) == 0) {
            cut(m, at, m->size);
        }
        break;
    }
}

void support_check_messages(const struct scenario_message *errors, uint32_t n)
{
    char text[4096];

    assert_true(n > 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_non_null(errors[i].file);
        assert_true(errors[i].text[0] != '\0');
        assert_true(errors[i].line == 0 || errors[i].column > 0);
        assert_true(scenario_message_format(&errors[i], NULL, text, sizeof(text)) > 0);
    }
}
