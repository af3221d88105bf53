// SPDX-License-Identifier: GPL-3.0-or-later
//
// Watching a run: it changes nothing, every event has the cause that scheduled it, and a chain is
// the same however little the journal remembers.
#include "check.h"

#include "campaigns/causes.h"
#include "campaigns/record.h"
#include "scenarios/scenario.h"
#include "sim/error.h"

static const char *const scenarios[] = {"crash-during-replay", "two-masters-in-a-row",
                                        "worker-never-back", "ideal/trim"};

struct watched {
    struct scenario scenario;
    struct sim_arena arena;
    int64_t faultless_ns;
};

static void open_scenario(struct watched *w, const char *name)
{
    const struct scenario_overrides none = {0};
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/scenarios/%s.yaml", RECOUP_SOURCE_DIR, name);
    assert_i64(scenario_load(&w->scenario, path, &none), SCENARIO_OK);
    sim_arena_init(&w->arena, 0);
}

static void close_scenario(struct watched *w)
{
    scenario_release(&w->scenario);
    sim_arena_release(&w->arena);
}

// What an observer sees of itself.
struct census {
    struct results_journal journal;
    uint64_t steps;
    uint64_t lost_ns;
    uint64_t strikes;
    uint64_t sequences_wrong;
    uint64_t causes_late;
};

static void on_step(void *context, const struct model_step *step)
{
    struct census *c = context;
    uint64_t cause;

    c->steps++;
    c->sequences_wrong +=
        step->number != c->steps || sim_event_sequence(&step->event) >= step->scheduled_before;
    results_journal_step(&c->journal, step);
    cause = results_journal_cause(&c->journal, sim_event_sequence(&step->event));
    c->causes_late += cause >= step->number;
    if (cause != RESULTS_CAUSE_SETUP && cause < step->number) {
        const struct results_journal_event *event = results_journal_at(&c->journal, cause);

        // It was scheduled while that event was handled, and at or after its time.
        c->causes_late += event == NULL || event->event.time_ns > step->event.time_ns;
    }
}

static void on_lost(void *context, const struct model_loss *loss)
{
    struct census *c = context;

    c->lost_ns += loss->regained ? (uint64_t)0 - (uint64_t)loss->ns : (uint64_t)loss->ns;
}

static void on_strike(void *context, const struct model_strike *strike)
{
    struct census *c = context;

    (void)strike;
    c->strikes++;
}

static void watching_changes_nothing_and_misses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct watched w;
        struct census census = {0};
        struct model_observer observer = {&census, on_step, on_lost, on_strike};
        struct model_run_options options = {0};
        struct model_result plain = {0};
        struct model_result seen = {0};
        uint64_t strikes = 0;

        open_scenario(&w, scenarios[i]);
        results_journal_init(&census.journal, RESULTS_JOURNAL_EVENTS);
        assert_i64(model_run_pair(&w.scenario.config, &options, &w.arena, &plain, NULL), 0);
        options.observer = &observer;
        assert_i64(model_run_pair(&w.scenario.config, &options, &w.arena, &seen, NULL), 0);
        assert_memory_equal(plain.fingerprint, seen.fingerprint, sizeof(plain.fingerprint));
        assert_u64(census.steps, seen.events);
        assert_u64(census.sequences_wrong, 0);
        assert_u64(census.causes_late, 0);
        assert_u64(census.lost_ns, (uint64_t)seen.lost_ns);
        for (uint32_t k = 0; k < seen.n_fired; k++) {
            strikes += seen.fired[k].times;
        }
        assert_u64(census.strikes, strikes);
        results_journal_release(&census.journal);
        model_result_release(&plain);
        model_result_release(&seen);
        close_scenario(&w);
    }
}

static void a_chain_does_not_depend_on_the_journals_size(void **state)
{
    struct results_trail_event full[64];
    struct results_trail_event small[64];
    struct watched w;
    struct model_run_options options = {0};
    struct model_result result = {0};
    uint64_t events;

    (void)state;
    open_scenario(&w, "crash-during-replay");
    assert_i64(model_run_pair(&w.scenario.config, &options, &w.arena, &result, &w.faultless_ns), 0);
    events = result.events;
    model_result_release(&result);
    options.faultless_makespan_ns = w.faultless_ns;
    for (uint64_t number = 1; number <= events; number += events / 9) {
        struct campaign_causes a = {.links = full, .links_max = 64};
        struct campaign_causes b = {.links = small, .links_max = 64};

        assert_i64(campaign_causes_find(&w.scenario.config, &options, &w.arena, number,
                                        RESULTS_JOURNAL_EVENTS, &a),
                   0);
        assert_i64(campaign_causes_find(&w.scenario.config, &options, &w.arena, number, 4, &b), 0);
        assert_true(a.complete && b.complete);
        assert_u64(a.links[0].number, number);
        assert_u64(a.n_links, b.n_links);
        for (uint32_t i = 0; i < a.n_links; i++) {
            assert_u64(a.links[i].number, b.links[i].number);
            assert_u64(a.links[i].cause, b.links[i].cause);
            assert_true(i == 0 || a.links[i].number < a.links[i - 1].number);
        }
    }
    close_scenario(&w);
}

static void an_event_that_is_not_there_is_an_error(void **state)
{
    struct results_trail_event links[4];
    struct campaign_causes causes = {.links = links, .links_max = 4};
    struct model_run_options options = {.faultless_makespan_ns = 1};
    struct watched w;

    (void)state;
    open_scenario(&w, "ideal/trim");
    assert_i64(
        campaign_causes_find(&w.scenario.config, &options, &w.arena, 1u << 30, 1024, &causes),
        SIM_EINVAL);
    // A chain longer than there is room for is cut, and says so.
    assert_i64(campaign_causes_find(&w.scenario.config, &options, &w.arena, 100, 1024, &causes), 0);
    assert_true(causes.n_links <= 4);
    assert_int_equal(causes.complete, causes.links[causes.n_links - 1].cause == 0);
    close_scenario(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(watching_changes_nothing_and_misses_nothing),
    cmocka_unit_test(a_chain_does_not_depend_on_the_journals_size),
    cmocka_unit_test(an_event_that_is_not_there_is_an_error),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "causes", tests);
}
