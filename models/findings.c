// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which findings are kept, of more than there is room for.
#include <string.h>

#include "models/result.h"
#include "sim/assert.h"
#include "sim/banned.h"

static bool same_kind(const struct model_finding *a, const struct model_finding *b)
{
    return a->invariant == b->invariant && a->hazard == b->hazard;
}

// True when none of the first `n` is of its kind.
static bool is_first(const struct model_finding *list, uint32_t n,
                     const struct model_finding *finding)
{
    SIM_ASSERT(n <= MODEL_FINDINGS_MAX);
    SIM_ASSERT(finding->invariant != NULL);
    for (uint32_t i = 0; i < n; i++) {
        if (same_kind(&list[i], finding)) {
            return false;
        }
    }
    return true;
}

void model_findings_keep(struct model_finding *list, uint32_t *n,
                         const struct model_finding *finding)
{
    uint32_t i = *n;

    SIM_ASSERT(*n <= MODEL_FINDINGS_MAX);
    if (*n < MODEL_FINDINGS_MAX) {
        list[(*n)++] = *finding;
        return;
    }
    if (!is_first(list, *n, finding)) {
        return;
    }
    while (i > 0 && is_first(list, i - 1, &list[i - 1])) {
        i--;
    }
    if (i == 0) {
        return; // all are of different kinds, of which there are not as many
    }
    memmove(&list[i - 1], &list[i], (*n - i) * sizeof(*list));
    list[*n - 1] = *finding;
    SIM_ASSERT(*n == MODEL_FINDINGS_MAX);
}
