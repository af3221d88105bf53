// SPDX-License-Identifier: GPL-3.0-or-later
//
// Prints the golden hashes; golden_matrix.sh compares its output between builds.
#include <inttypes.h>
#include <stdio.h>

#include "sim/support_golden.h"

int main(void)
{
    struct golden entries[GOLDEN_COUNT];

    if (golden_compute(entries) != 0) {
        fputs("out of memory\n", stderr);
        return 1;
    }
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        printf("%s %016" PRIx64 "\n", entries[i].name, entries[i].hash);
    }
    return 0;
}
