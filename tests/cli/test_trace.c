// SPDX-License-Identifier: GPL-3.0-or-later
//
// The trace of a real run: tracks and lanes are named, spans of a lane nest, and the outage is
// there.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <jansson.h>

#include "support_program.h"

#define DEPTH_MAX 16u

struct span {
    int64_t from_ns;
    int64_t to_ns;
    int64_t lane; // track and lane in one number
};

// A time in microseconds with three decimals, in ns.
static int64_t ns_of(json_t *event, const char *key)
{
    double us = json_number_value(json_object_get(event, key));

    assert_true(us >= 0);
    return (int64_t)(us * 1000.0 + 0.5);
}

static json_t *trace_of(const char *scenario)
{
    struct support_program p;
    json_error_t error;
    json_t *root;
    char path[512];

    support_file(path, "real.json");
    support_program_call(
        &p, &(const struct support_call){.arguments = {"run", scenario, "--trace", path}});
    assert_i64(p.code, 0);
    support_program_release(&p);
    root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    return root;
}

// By lane, then from the start; of spans that start together the longer comes first.
static bool before(const struct span *a, const struct span *b)
{
    if (a->lane != b->lane) {
        return a->lane < b->lane;
    }
    return a->from_ns != b->from_ns ? a->from_ns < b->from_ns : a->to_ns > b->to_ns;
}

static void sort(struct span *spans, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct span span = spans[i];
        size_t place = i;

        for (; place > 0 && before(&span, &spans[place - 1]); place--) {
            spans[place] = spans[place - 1];
        }
        spans[place] = span;
    }
}

static void assert_nested(const struct span *spans, size_t count)
{
    int64_t open[DEPTH_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || spans[i].lane != spans[i - 1].lane) {
            depth = 0;
        }
        while (depth > 0 && open[depth - 1] <= spans[i].from_ns) {
            depth--;
        }
        if (depth > 0 && spans[i].to_ns > open[depth - 1]) {
            print_error("lane %" PRId64 ": the span from %" PRId64 " to %" PRId64
                        " crosses the end at %" PRId64 "\n",
                        spans[i].lane, spans[i].from_ns, spans[i].to_ns, open[depth - 1]);
            fail();
        }
        assert_true(depth < DEPTH_MAX);
        open[depth++] = spans[i].to_ns;
    }
}

static void spans_of_a_lane_nest(void **state)
{
    json_t *root = trace_of(SUPPORT_SCENARIOS "tiny.yaml");
    json_t *events = json_object_get(root, "traceEvents");
    struct span *spans = calloc(json_array_size(events) + 1, sizeof(*spans));
    size_t count = 0;

    (void)state;
    assert_non_null(spans);
    for (size_t i = 0; i < json_array_size(events); i++) {
        json_t *event = json_array_get(events, i);

        if (strcmp(json_string_value(json_object_get(event, "ph")), "X") == 0) {
            spans[count].from_ns = ns_of(event, "ts");
            spans[count].to_ns = spans[count].from_ns + ns_of(event, "dur");
            spans[count].lane = json_integer_value(json_object_get(event, "pid")) * 100000 +
                                json_integer_value(json_object_get(event, "tid"));
            count++;
        }
    }
    assert_true(count > 20);
    sort(spans, count);
    assert_nested(spans, count);
    free(spans);
    json_decref(root);
}

// True when an event of this phase has the name (metadata: of what it names).
static bool has(json_t *events, const char *phase, const char *name)
{
    for (size_t i = 0; i < json_array_size(events); i++) {
        json_t *event = json_array_get(events, i);
        json_t *named = json_object_get(json_object_get(event, "args"), "name");
        const char *found = json_string_value(
            phase[0] == 'M' && named != NULL ? named : json_object_get(event, "name"));

        if (strcmp(json_string_value(json_object_get(event, "ph")), phase) == 0 &&
            strcmp(found, name) == 0) {
            return true;
        }
    }
    return false;
}

static void the_tracks_tell_the_story(void **state)
{
    static const char *const names[] = {"masters", "outage",  "master 1", "master 2", "event store",
                                        "faults",  "strikes", "worker 0", "slot 1"};
    json_t *root = trace_of(SUPPORT_SCENARIOS "tiny.yaml");
    json_t *events = json_object_get(root, "traceEvents");

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!has(events, "M", names[i])) {
            print_error("nothing is named %s\n", names[i]);
        }
        assert_true(has(events, "M", names[i]));
    }
    assert_true(has(events, "X", "detect"));
    assert_true(has(events, "X", "start"));
    assert_true(has(events, "X", "work"));
    assert_true(has(events, "X", "flush"));
    assert_true(has(events, "i", "crash"));
    json_decref(root);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(spans_of_a_lane_nest),
    cmocka_unit_test(the_tracks_tell_the_story),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "cli_trace", tests);
}
