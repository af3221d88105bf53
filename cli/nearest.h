// SPDX-License-Identifier: GPL-3.0-or-later
//
// "Did you mean": the known name that is nearest to what was typed.
#ifndef RECOUP_CLI_NEAREST_H
#define RECOUP_CLI_NEAREST_H

#include <stdint.h>

#define CLI_NEAREST_SIZE 64u // longer names are compared by their first bytes

struct cli_nearest {
    const char *typed; // borrowed
    const char *best;  // NULL: nothing is near enough
    uint32_t distance; // of best
};

void cli_nearest_init(struct cli_nearest *nearest, const char *typed);
// Offers a known name, which is kept if it is nearer than all before: by edits (insert, delete,
// replace, swap of neighbours), at most one for every three letters, or as a completion.
void cli_nearest_offer(struct cli_nearest *nearest, const char *known);

#endif
