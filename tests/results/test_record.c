// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run as bytes between processes: what is read is what was written, and cut bytes are no record.
#include "check.h"

#include "results/record.h"
#include "results/sweep_plan.h"
#include "support_result.h"

static void write(struct support_run *s, struct results_text *bytes)
{
    support_run_init(s);
    support_fail_over(s, 600 * SUPPORT_S, MODEL_FAILOVER_RESTARTED, 0, 3);
    support_find(s, "R2", "H19", SUPPORT_S, "recovering twice differs");
    support_find(s, "T10", NULL, SUPPORT_S, "read twice");
    results_text_init(bytes);
    results_record_write(&s->run, bytes);
    assert_false(bytes->failed);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    struct support_run s;
    struct results_text bytes;
    struct results_record record;
    struct results_value values[RESULTS_COLUMN_COUNT];

    (void)state;
    write(&s, &bytes);
    assert_true(results_record_read(&record, bytes.data, bytes.size));
    assert_text(record.facts.scenario, s.scenario.name);
    assert_memory_equal(record.facts.fingerprint, s.result.fingerprint, 16);
    assert_memory_equal(record.facts.layers, s.result.layers, sizeof(s.result.layers));
    results_columns_fill(&s.run, values);
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        assert_i64(record.facts.values[i].null, values[i].null);
        assert_i64(record.facts.values[i].value, values[i].value);
    }
    assert_u64(record.facts.n_failovers, s.result.n_failovers);
    assert_i64(record.failovers[1].at_ns, 600 * SUPPORT_S);
    assert_u64(record.facts.n_lost, 3);
    assert_u64(record.facts.n_findings, 2);
    assert_text(record.findings[0].hazard, "H19");
    assert_text(record.findings[1].hazard, "");
    assert_text(record.findings[1].message, "read twice");
    results_record_release(&record);
    results_text_release(&bytes);
}

static void cut_bytes_are_no_record(void **state)
{
    struct support_run s;
    struct results_text bytes;
    struct results_record record;

    (void)state;
    write(&s, &bytes);
    for (size_t size = 0; size < bytes.size; size += 7) {
        assert_false(results_record_read(&record, bytes.data, size));
        results_record_release(&record);
    }
    results_text_release(&bytes);
}

static void states_have_names(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < RESULTS_PLAN_STATES; i++) {
        const char *name = results_plan_state_name((enum results_plan_state)i);

        assert_u64(results_plan_state_find(name), i);
    }
    assert_u64(results_plan_state_find("nothing"), RESULTS_PLAN_NOT_MINE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_record_is_read_as_it_was_written),
    cmocka_unit_test(cut_bytes_are_no_record),
    cmocka_unit_test(states_have_names),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_record", tests);
}
