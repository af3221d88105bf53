// SPDX-License-Identifier: GPL-3.0-or-later
//
// The memory that a run may take where nobody says so.
#include "check.h"

#include "campaigns/memory.h"

static void workers_share_evenly(void **state)
{
    uint64_t all = campaign_memory_share(1);

    (void)state;
    assert_true(all >= UINT64_C(64) << 20);
    assert_u64(campaign_memory_share(0), all);
    assert_true(campaign_memory_share(2) <= all);
    if (all > UINT64_C(512) << 20) {
        assert_u64(campaign_memory_share(2), all / 2);
    }
}

static void there_is_always_some(void **state)
{
    (void)state;
    assert_u64(campaign_memory_share(UINT32_MAX), UINT64_C(64) << 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(workers_share_evenly),
    cmocka_unit_test(there_is_always_some),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
