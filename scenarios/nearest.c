// SPDX-License-Identifier: GPL-3.0-or-later
//
// "did you mean": the known name with the smallest edit distance.
#include <ctype.h>
#include <string.h>

#include "scenarios/loader.h"

#define LETTERS_MAX 96u  // longer names are not compared

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t least = a < b ? a : b;
    return least < c ? least : c;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
static uint32_t distance(const char *a, size_t n, const char *b, size_t m)
{
    uint32_t rows[3][LETTERS_MAX + 1];
    uint32_t *before = rows[0];
    uint32_t *last = rows[1];
    uint32_t *row = rows[2];
    for (size_t j = 0; j <= m; j++) {
        before[j] = 0;
        last[j] = (uint32_t)j;
    }
    for (size_t i = 1; i <= n; i++) {
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1])
                && before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
        uint32_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

void scenario_nearest_init(struct scenario_nearest *nearest, const char *name)
{
    nearest->name = name;
    nearest->best = NULL;
    nearest->distance = UINT32_MAX;
}

void scenario_nearest_offer(struct scenario_nearest *nearest, const char *known)
{
    size_t n = strlen(nearest->name);
    size_t m = strlen(known);
    size_t longer = n > m ? n : m;
    size_t gap = n > m ? n - m : m - n;
    size_t allowed = longer / 3 > 0 ? longer / 3 : 1;
    if (n == 0 || m == 0 || longer > LETTERS_MAX || gap > allowed) {
        return;
    }
    uint32_t found = distance(nearest->name, n, known, m);
    if (found <= allowed && found < nearest->distance) {
        nearest->distance = found;
        nearest->best = known;
    }
}

const char *scenario_nearest_text(struct scenario_loader *loader,
                                  const struct scenario_nearest *nearest)
{
    if (nearest->best == NULL) {
        return "";
    }
    return scenario_print(&loader->memory, "; did you mean '%s'?", nearest->best);
}

// Letters, digits, '-', '_', at least one no digit (an index would be meant), at most 63 bytes.
bool scenario_name_is_legal(const char *name)
{
    bool letter = false;
    size_t size = 0;
    for (; name[size] != '\0'; size++) {
        char c = name[size];
        bool digit = c >= '0' && c <= '9';
        bool other = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (size >= SCENARIO_NAME_BYTES_MAX || (!digit && !other)) {
            return false;
        }
        letter = letter || other;
    }
    return letter;
}

void scenario_unknown_key(struct scenario_loader *loader, const struct scenario_node *child,
                          const struct scenario_nearest *nearest, const char *known,
                          const char *path)
{
    const char *quoted = scenario_quote(loader, child->key);

    if (nearest->best != NULL) {
        scenario_error(loader, child->key_place, "unknown key '%s'%s", quoted,
                       scenario_nearest_text(loader, nearest));
    } else {
        scenario_error(loader, child->key_place, "unknown key '%s'%s%s; known are %s", quoted,
                       path[0] != '\0' ? " in " : "", path, known);
    }
}
