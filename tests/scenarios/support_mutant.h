// SPDX-License-Identifier: GPL-3.0-or-later
//
// Texts that are damaged at random, from a fixed seed.
#ifndef TESTS_SCENARIOS_SUPPORT_MUTANT_H
#define TESTS_SCENARIOS_SUPPORT_MUTANT_H

#include <stddef.h>
#include <stdint.h>
#include "scenarios/scenario.h"

#define SUPPORT_MUTANT_MAX 16384u

struct support_mutant {
    char text[SUPPORT_MUTANT_MAX];
    size_t size;
    uint64_t random;
};

// A number from 0 to below - 1.
uint64_t support_draw(struct support_mutant *m, uint64_t below);
// Cuts, inserts, copies or replaces something somewhere.
void support_mutate(struct support_mutant *m);

// Whatever was refused: there are messages, each with a file, a text, and a column where it has a
// line; and each can be printed.
void support_check_messages(const struct scenario_message *errors, uint32_t n);

#endif
