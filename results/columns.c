// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/columns.h"

#include "sim/assert.h"

const struct results_column *results_column(uint32_t id)
{
    static const struct results_column columns[RESULTS_COLUMN_COUNT] = {
#define X(column, nullable, expression) {#column, nullable},
        RESULTS_COLUMNS(X)
#undef X
    };

    SIM_ASSERT(id < RESULTS_COLUMN_COUNT);
    return &columns[id];
}

static int64_t clamp_unsigned(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int64_t keep_signed(int64_t value)
{
    return value;
}

// A count or size that is unsigned must not turn negative; times keep their sign.
#define TO_INT64(expression)                                                                       \
    _Generic((expression), int64_t                                                                 \
             : keep_signed, uint64_t                                                               \
             : clamp_unsigned, uint32_t                                                            \
             : clamp_unsigned)(expression)

void results_columns_fill(const struct results_run *run,
                          struct results_value values[RESULTS_COLUMN_COUNT])
{
    const struct model_result *r = run->result;
    uint32_t n = 0;

#define X(column, nullable, expression)                                                            \
    values[n].null = (nullable) && !run->faultless_known;                                          \
    values[n].value = values[n].null ? 0 : TO_INT64(expression);                                   \
    n++;
    RESULTS_COLUMNS(X)
#undef X
    SIM_ASSERT(n == RESULTS_COLUMN_COUNT);
}
