// SPDX-License-Identifier: GPL-3.0-or-later
//
// The radix ladder against the plain heap: equal digests over every pop of every workload.
#include "check.h"
#include "sim/support_workload.h"

static void compare_all(uint32_t pending, uint64_t pops, uint64_t seeds)
{
    for (int kind = 0; kind < WORKLOAD_COUNT; kind++) {
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            uint64_t queue = workload_run_queue((enum workload)kind, seed, pending, pops);
            uint64_t heap = workload_run_heap((enum workload)kind, seed, pending, pops);

            if (queue != heap) {
                print_error("workload %s, seed %" PRIu64 ", %u pending\n",
                            workload_name((enum workload)kind), seed, pending);
            }
            assert_u64(queue, heap);
        }
    }
}

// A handful of events: every boundary of bottom, ring and levels is crossed all the time.
static void agrees_with_few_pending(void **state)
{
    (void)state;
    for (uint32_t pending = 1; pending <= 40; pending++) {
        compare_all(pending, 2000, 3);
    }
}

static void agrees_with_hundreds_pending(void **state)
{
    (void)state;
    compare_all(100, 200000, 2);
    compare_all(700, 100000, 2);
}

static void agrees_with_thousands_pending(void **state)
{
    (void)state;
    compare_all(10000, 200000, 1);
    compare_all(100000, 200000, 1);
}

// Different seeds must give different digests, or the comparison would prove nothing.
static void digests_depend_on_the_workload(void **state)
{
    (void)state;
    for (int kind = 0; kind < WORKLOAD_COUNT; kind++) {
        assert_true(workload_run_queue((enum workload)kind, 1, 50, 1000) !=
                    workload_run_queue((enum workload)kind, 2, 50, 1000));
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_few_pending),
        cmocka_unit_test(agrees_with_hundreds_pending),
        cmocka_unit_test(agrees_with_thousands_pending),
        cmocka_unit_test(digests_depend_on_the_workload),
    };

    return check_main(argc, argv, "sim_queue_oracle", tests);
}
