// SPDX-License-Identifier: GPL-3.0-or-later
//
// Trails: what is written is read, what is broken is refused, and the first difference is found
// wherever it is planted.
#include "check.h"

#include "campaigns/record.h"
#include "results/trail_compare.h"
#include "scenarios/metrics.h"

static void record(struct results_trail *trail, uint32_t points, uint64_t at, uint32_t window)
{
    const struct scenario_overrides none = {0};
    struct campaign_recording recording = {
        .points_max = points, .at = at, .window = window, .command = "recoup run 'a b'"};
    struct scenario scenario;
    struct model_result result = {0};
    struct sim_arena arena;
    int64_t faultless_ns;

    memset(trail, 0, sizeof(*trail));
    sim_arena_init(&arena, 0);
    assert_i64(
        scenario_load(&scenario, RECOUP_SOURCE_DIR "/scenarios/crash-during-replay.yaml", &none),
        SCENARIO_OK);
    assert_i64(campaign_record(&scenario, &recording, &arena, &result, &faultless_ns, trail), 0);
    model_result_release(&result);
    scenario_release(&scenario);
    sim_arena_release(&arena);
}

static void what_is_written_is_read(void **state)
{
    struct results_trail trail;
    struct results_trail again;
    struct results_text text;
    struct results_text twice;
    struct results_text message;

    (void)state;
    record(&trail, RESULTS_TRAIL_POINTS, 300, 50);
    results_text_init(&text);
    results_text_init(&twice);
    results_text_init(&message);
    results_trail_text(&trail, &text);
    assert_true(results_trail_parse(&again, text.data, text.size, &message));
    results_trail_text(&again, &twice);
    assert_text(results_text_string(&twice), results_text_string(&text));
    assert_u64(again.n_events, 50);
    assert_u64(again.events[0].number, 300);
    assert_text(again.command, "recoup run 'a b'");
    assert_true(again.chain_complete);
    results_trail_release(&trail);
    results_trail_release(&again);
    results_text_release(&text);
    results_text_release(&twice);
    results_text_release(&message);
}

// Any front of the file, and the file with any one byte changed, is refused or read; a message says
// in which line.
static void a_broken_file_is_refused_with_its_line(void **state)
{
    struct results_trail trail;
    struct results_text text;
    uint32_t refused = 0;

    (void)state;
    record(&trail, 32, 1, 8);
    results_text_init(&text);
    results_trail_text(&trail, &text);
    results_trail_release(&trail);
    for (size_t i = 0; i < text.size; i++) {
        char kept = text.data[i];
        struct results_text message;

        results_text_init(&message);
        assert_false(results_trail_parse(&trail, text.data, i, &message));
        assert_non_null(strstr(results_text_string(&message), "line "));
        results_trail_release(&trail);
        results_text_clear(&message);
        text.data[i] = i % 3 == 0 ? '\0' : i % 3 == 1 ? '\n' : (char)(kept ^ 0x15);
        if (!results_trail_parse(&trail, text.data, text.size, &message)) {
            assert_non_null(strstr(results_text_string(&message), "line "));
            refused++;
        }
        results_trail_release(&trail);
        results_text_release(&message);
        text.data[i] = kept;
    }
    assert_true(refused > text.size / 2);
    results_text_release(&text);
}

static void points_lie_at_equal_distances(void **state)
{
    struct results_trail trail;

    (void)state;
    record(&trail, RESULTS_TRAIL_POINTS_FEW, 1, 0);
    assert_true(trail.n_points > RESULTS_TRAIL_POINTS_FEW / 2);
    assert_true(trail.n_points <= RESULTS_TRAIL_POINTS_FEW);
    for (uint32_t i = 0; i < trail.n_points; i++) {
        assert_u64(trail.points[i].events, (i + 1) * trail.spacing);
    }
    assert_true(trail.total - trail.n_points * trail.spacing < trail.spacing);
    results_trail_release(&trail);
}

// From event `number` on, everything about a layer differs, as rolling hashes do.
static void plant(struct results_trail *trail, uint64_t number, uint32_t layer)
{
    for (uint32_t i = 0; i < trail->n_points; i++) {
        trail->points[i].layers[layer] ^= trail->points[i].events >= number ? 1 : 0;
    }
    for (uint32_t i = 0; i < trail->n_events; i++) {
        trail->events[i].layers[layer] ^= trail->events[i].number >= number ? 1 : 0;
    }
    trail->layers[layer][0] ^= 1;
}

static void the_first_difference_is_found_wherever_it_is(void **state)
{
    struct results_trail a;
    uint64_t total;

    (void)state;
    record(&a, RESULTS_TRAIL_POINTS, 1, RESULTS_TRAIL_WINDOW);
    total = a.total;
    for (uint64_t number = 1; number <= total; number += 7) {
        // Also against a trail with fewer points, as of another build.
        struct results_difference d;
        struct results_trail b;

        record(&b, number % 2 == 0 ? 8 : RESULTS_TRAIL_POINTS, 1, RESULTS_TRAIL_WINDOW);
        plant(&b, number, SIM_LAYER_IO);
        results_trail_compare(&a, &b, 0, RESULTS_COMPARE_ALL, &d);
        assert_true(d.found && !d.need && d.same_event);
        assert_u64(d.number, number);
        assert_u64(d.event_layers, 1u << SIM_LAYER_IO);
        assert_true(d.brackets[SIM_LAYER_IO].equal < number);
        assert_true(d.brackets[SIM_LAYER_IO].before >= number);
        assert_false(d.brackets[SIM_LAYER_SCHEDULE].differs);
        results_trail_release(&b);
    }
    results_trail_release(&a);
}

static void a_window_elsewhere_asks_for_another(void **state)
{
    struct results_difference d;
    struct results_trail a;
    struct results_trail b;

    (void)state;
    record(&a, RESULTS_TRAIL_POINTS, 1, 100);
    record(&b, RESULTS_TRAIL_POINTS, 1, 100);
    results_trail_compare(&a, &b, 0, RESULTS_COMPARE_ALL, &d);
    assert_true(!d.found && !d.need && d.layers == 0);
    plant(&b, 333, SIM_LAYER_STATE);
    results_trail_compare(&a, &b, 0, RESULTS_COMPARE_ALL, &d);
    assert_true(d.need && !d.found);
    assert_u64(d.need_at, 321); // behind the last equal point, a multiple of 16
    // A run that ends earlier differs in the event that it lacks.
    results_trail_release(&b);
    record(&b, RESULTS_TRAIL_POINTS, 1, 100);
    b.total = 50;
    b.n_events = 50;
    b.n_points = 3;
    b.layers[SIM_LAYER_SCHEDULE][0] ^= 1;
    results_trail_compare(&a, &b, 0, RESULTS_COMPARE_ALL, &d);
    assert_true(d.found && d.b == NULL && d.a != NULL);
    assert_u64(d.number, 51);
    results_trail_release(&a);
    results_trail_release(&b);
}

// The order differs from the first event on, the effects much later.
static void effects_are_found_behind_another_order(void **state)
{
    struct results_difference d;
    struct results_trail a;
    struct results_trail b;

    (void)state;
    record(&a, RESULTS_TRAIL_POINTS, 1, RESULTS_TRAIL_WINDOW);
    record(&b, RESULTS_TRAIL_POINTS, 1, RESULTS_TRAIL_WINDOW);
    plant(&b, 5, SIM_LAYER_SCHEDULE);
    plant(&b, 333, SIM_LAYER_STATE);
    results_trail_compare(&a, &b, 0, RESULTS_COMPARE_ALL, &d);
    assert_true(d.found);
    assert_u64(d.number, 5);
    results_trail_compare(&a, &b, 0, RESULTS_COMPARE_EFFECTS, &d);
    assert_true(d.found);
    assert_u64(d.number, 333);
    assert_true(d.first.equal == 320 && d.first.before == 336);
    results_trail_release(&a);
    results_trail_release(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read),
    cmocka_unit_test(a_broken_file_is_refused_with_its_line),
    cmocka_unit_test(points_lie_at_equal_distances),
    cmocka_unit_test(the_first_difference_is_found_wherever_it_is),
    cmocka_unit_test(effects_are_found_behind_another_order),
    cmocka_unit_test(a_window_elsewhere_asks_for_another),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "trail", tests);
}
