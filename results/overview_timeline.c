// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/overview_parts.h"

bool overview_timeline(const struct survey *survey, struct drawing *drawing,
                       struct results_text *why)
{
    (void)survey;
    (void)drawing;
    results_text_add(why, "No timeline.");
    return false;
}
