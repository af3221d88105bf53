// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a page is drawn with: escaping, scales and their ticks, SVG.
#include "check.h"

#include <math.h>

#include "results/drawing.h"

static void assert_markup(const char *string, const char *expected)
{
    struct results_text text;

    results_text_init(&text);
    results_markup(&text, string);
    assert_text(results_text_string(&text), expected);
    results_text_release(&text);
}

static void markup_is_escaped(void **state)
{
    (void)state;
    assert_markup("plain", "plain");
    assert_markup("<script>alert(\"1\" & '2')</script>",
                  "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
    assert_markup("one\ntwo", "one two");
    assert_markup("a\x01"
                  "b\x7f",
                  "a\xef\xbf\xbd"
                  "b\xef\xbf\xbd");
    assert_markup("\xc3\xa9t\xc3\xa9 \xf0\x9f\x90\x98", "\xc3\xa9t\xc3\xa9 \xf0\x9f\x90\x98");
}

// Not UTF-8: alone, cut short, overlong, a surrogate, beyond U+10FFFF, a C1 control, U+FFFE.
static void what_is_no_text_is_replaced(void **state)
{
    (void)state;
    assert_markup("a\xff"
                  "b",
                  "a\xef\xbf\xbd"
                  "b");
    assert_markup("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_markup("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_markup("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_markup("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_markup("\xc2\x85", "\xef\xbf\xbd");
    assert_markup("\xe2\x80\xae", "\xef\xbf\xbd"); // right-to-left override
    assert_markup("\xef\xbf\xbe", "\xef\xbf\xbd");
}

static void long_text_is_cut_by_characters(void **state)
{
    struct results_text text;

    (void)state;
    results_text_init(&text);
    results_markup_cut(&text, "\xc3\xa9\xc3\xa9<\xc3\xa9", 4);
    assert_text(results_text_string(&text), "\xc3\xa9\xc3\xa9&lt;\xc3\xa9");
    results_text_clear(&text);
    results_markup_cut(&text, "<<<<<", 3);
    assert_text(results_text_string(&text), "&lt;&lt;\xe2\x80\xa6");
    results_text_release(&text);
}

static void words_for_markdown(void **state)
{
    struct results_text text;

    (void)state;
    results_text_init(&text);
    results_markup_markdown(&text, "a|b <i>*c*</i>\n`d` #1");
    assert_text(results_text_string(&text), "a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt; \\`d\\` #&#8203;1");
    results_text_release(&text);
}

static void coordinates_are_short(void **state)
{
    struct results_text text;

    (void)state;
    results_text_init(&text);
    results_markup_coordinate(&text, 12.04);
    results_text_char(&text, ' ');
    results_markup_coordinate(&text, 12.25001);
    results_text_char(&text, ' ');
    results_markup_coordinate(&text, -0.01);
    results_text_char(&text, ' ');
    results_markup_coordinate(&text, (double)NAN);
    assert_text(results_text_string(&text), "12 12.3 0 0");
    results_text_release(&text);
}

// Ticks ascend, lie within the scale, and there are some.
static void check_ticks(const struct results_scale *scale, uint32_t at_least, uint32_t at_most)
{
    assert_in_range(scale->n_ticks, at_least, at_most);
    for (uint32_t i = 0; i < scale->n_ticks; i++) {
        assert_true(scale->ticks[i] >= scale->low * (1 - 1e-9));
        assert_true(scale->ticks[i] <= scale->high * (1 + 1e-9));
        assert_true(i == 0 || scale->ticks[i] > scale->ticks[i - 1]);
    }
}

static void assert_ticks(enum results_quantity quantity, double low, double high, bool spread,
                         uint32_t wanted, const char *expected)
{
    struct results_scale scale;
    struct results_text text;

    results_scale_init(&scale, quantity, low, high, spread, wanted);
    check_ticks(&scale, 2, RESULTS_SCALE_TICKS_MAX);
    results_text_init(&text);
    for (uint32_t i = 0; i < scale.n_ticks; i++) {
        char tick[RESULTS_UNITS_SIZE];

        results_text_format(&text, "%s%s", i > 0 ? ", " : "",
                            results_quantity(tick, quantity, scale.ticks[i]));
    }
    assert_text(results_text_string(&text), expected);
    results_text_release(&text);
}

static void ticks_are_round_in_their_unit(void **state)
{
    (void)state;
    assert_ticks(RESULTS_QUANTITY_DURATION, 0, 95e9, false, 5,
                 "0 s, 30 s, 1 min, 1 min 30 s, 2 min");
    assert_ticks(RESULTS_QUANTITY_DURATION, 0, 7e11, false, 4, "0 s, 5 min, 10 min, 15 min");
    assert_ticks(RESULTS_QUANTITY_SIZE, 0, 9000, false, 5, "0 b, 2 kb, 4 kb, 6 kb, 8 kb, 10 kb");
    assert_ticks(RESULTS_QUANTITY_COUNT, 0, 3, false, 6, "0, 1, 2, 3");
    assert_ticks(RESULTS_QUANTITY_DURATION, 5e8, 4e11, true, 6, "500 ms, 2 s, 10 s, 30 s, 2 min");
}

static void scales_bear_anything(void **state)
{
    static const double ends[] = {
        0, 1, 1e-3, 17, 1e9, 3.7e13, 9e17, -5e9, (double)INFINITY, (double)NAN};
    const size_t n = sizeof(ends) / sizeof(ends[0]);

    (void)state;
    for (size_t i = 0; i < n * n * 5 * 2; i++) {
        enum results_quantity quantity = (enum results_quantity)(i / (n * n) % 5);
        struct results_scale scale;
        double place;

        results_scale_init(&scale, quantity, ends[i % n], ends[i / n % n], i >= n * n * 5, 6);
        results_scale_span(&scale, 300, 20);
        assert_in_range(scale.n_ticks, 2, RESULTS_SCALE_TICKS_MAX);
        assert_true(scale.high > scale.low);
        for (size_t v = 0; v < n; v++) {
            place = results_scale_place(&scale, ends[v]);
            assert_true(place >= 20 - 1e-6 && place <= 300 + 1e-6);
        }
    }
}

static void places_are_between_the_ends(void **state)
{
    struct results_scale scale;

    (void)state;
    results_scale_init(&scale, RESULTS_QUANTITY_COUNT, 0, 100, false, 5);
    results_scale_span(&scale, 200, 0);
    assert_true(fabs(results_scale_place(&scale, 0) - 200) < 1e-9);
    assert_true(fabs(results_scale_place(&scale, 50) - 100) < 1e-9);
    assert_true(fabs(results_scale_place(&scale, 1e6)) < 1e-9);
    results_scale_init(&scale, RESULTS_QUANTITY_COUNT, 1, 10000, true, 5);
    results_scale_span(&scale, 0, 100);
    assert_true(scale.logarithmic);
    assert_true(fabs(results_scale_place(&scale, 100) - 50) < 1e-9);
}

static void drawings_escape_every_text(void **state)
{
    struct results_text text;
    struct drawing drawing = {&text, 100, false};
    struct drawing_legend legend;

    (void)state;
    results_text_init(&text);
    drawing_begin(&drawing, 50, "a\"b<");
    drawing_text(&drawing, "tick", 1, 2, DRAWING_END, "<&>");
    drawing_box(&drawing, "bar", 0, 0, -3, 4, "'t'");
    drawing_legend_begin(&legend, 0, 12);
    drawing_legend_add(&drawing, &legend, 2, NULL, "</svg>");
    drawing_end(&drawing);
    assert_text(results_text_string(&text),
                "<svg class=\"figure\" viewBox=\"0 0 100 50\" role=\"img\" "
                "aria-label=\"a&quot;b&lt;\">\n"
                "<text class=\"tick\" x=\"1\" y=\"2\" text-anchor=\"end\">&lt;&amp;&gt;</text>\n"
                "<rect class=\"bar\" x=\"0\" y=\"0\" width=\"0\" height=\"4\"><title>&#39;t&#39;"
                "</title></rect>\n"
                "<polygon class=\"s2 mark\" points=\"5.5,2.6 10.4,11.6 0.5,11.6\"/>\n"
                "<text class=\"legend\" x=\"16\" y=\"12\">&lt;/svg&gt;</text>\n"
                "</svg>\n");
    results_text_release(&text);
}

// A program that knows no custom properties finds every rule with the light colours themselves, and
// one that does finds the rules that follow the scheme behind them.
static void the_style_needs_no_custom_properties(void **state)
{
    struct results_text text;
    const char *plain;
    const char *own;

    (void)state;
    results_text_init(&text);
    drawing_style(&text);
    plain = strstr(results_text_string(&text), ".figure text { fill: #1b1f24; }");
    own = strstr(results_text_string(&text), ".figure text { fill: var(--ink); }");
    assert_non_null(plain);
    assert_non_null(own);
    assert_true(plain < own);
    assert_non_null(strstr(results_text_string(&text), ".s0 { fill: #0067a8; }"));
    assert_non_null(strstr(results_text_string(&text), "prefers-color-scheme: dark"));
    for (const char *p = results_text_string(&text); p < plain; p++) {
        assert_true(strncmp(p, "var(", 4) != 0 && strncmp(p, "@media", 6) != 0);
    }
    results_text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_style_needs_no_custom_properties),
        cmocka_unit_test(markup_is_escaped),
        cmocka_unit_test(what_is_no_text_is_replaced),
        cmocka_unit_test(long_text_is_cut_by_characters),
        cmocka_unit_test(words_for_markdown),
        cmocka_unit_test(coordinates_are_short),
        cmocka_unit_test(ticks_are_round_in_their_unit),
        cmocka_unit_test(scales_bear_anything),
        cmocka_unit_test(places_are_between_the_ends),
        cmocka_unit_test(drawings_escape_every_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
