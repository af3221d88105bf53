// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/nearest.h"

#include <stdbool.h>
#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t length_of(const char *text)
{
    size_t size = strlen(text);

    return size < CLI_NEAREST_SIZE ? (uint32_t)size : CLI_NEAREST_SIZE - 1;
}

// Edits between two texts (optimal string alignment), by three rows of the table.
static uint32_t edits(const char *a, const char *b)
{
    uint32_t rows[3][CLI_NEAREST_SIZE];
    uint32_t n = length_of(a);
    uint32_t m = length_of(b);

    for (uint32_t j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (uint32_t j = 1; j <= m; j++) {
            uint32_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[n % 3][m];
}

void cli_nearest_init(struct cli_nearest *nearest, const char *typed)
{
    nearest->typed = typed;
    nearest->best = NULL;
    nearest->distance = UINT32_MAX;
}

void cli_nearest_offer(struct cli_nearest *nearest, const char *known)
{
    uint32_t typed = length_of(nearest->typed);
    uint32_t distance = edits(nearest->typed, known);
    // A beginning of a name is what people type who are used to abbreviations.
    bool completes = typed >= 2 && strncmp(nearest->typed, known, typed) == 0;

    if (completes) {
        distance = 1;
    }
    if ((completes || distance <= (typed + 2) / 3) && distance < nearest->distance) {
        nearest->best = known;
        nearest->distance = distance;
    }
}
