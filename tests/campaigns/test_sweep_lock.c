// SPDX-License-Identifier: GPL-3.0-or-later
#include "check.h"

#include "campaigns/sweep_parts.h"

// Types as in Linux's magic.h: the local ones of everyday use, and those of clusters.
static void network_file_systems_are_known(void **state)
{
    static const uint64_t local[] = {0xef53 /* ext4 */, 0x58465342 /* xfs */,
                                     0x9123683e /* btrfs */, 0x01021994 /* tmpfs */,
                                     0x794c7630 /* overlay */};
    static const uint64_t network[] = {0x6969 /* nfs */, 0xff534d42 /* cifs */,
                                       0x0bd00bd0 /* lustre */};

    (void)state;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        assert_false(sweep_is_network(local[i]));
    }
    for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++) {
        assert_true(sweep_is_network(network[i]));
    }
}

static void items_name_point_replication_and_repeat(void **state)
{
    uint64_t item = sweep_item(19999, UINT32_MAX);

    (void)state;
    assert_u64(sweep_item_point(item), 19999);
    assert_u64(sweep_item_replication(item), UINT32_MAX);
    assert_u64(sweep_item_point(item | SWEEP_REPEAT), 19999);
    assert_u64(sweep_item_replication(item | SWEEP_REPEAT), UINT32_MAX);
    assert_u64(item & SWEEP_REPEAT, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(network_file_systems_are_known),
    cmocka_unit_test(items_name_point_replication_and_repeat),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "campaigns_sweep_lock", tests);
}
