// SPDX-License-Identifier: GPL-3.0-or-later
//
// The style sheet of a drawing that stands alone. Its colours are custom properties, so that one
// file serves light and dark; but not every program that draws SVG knows those (librsvg does not),
// and what it does not know it leaves out. So the rules stand there twice: first with the light
// colours themselves, then as they are.
#include <string.h>

#include "results/drawing.h"
#include "results/web.h"

#define VARIABLE "var(--"

// The value of a property in the first block, the light one: "#ffffff". Its size is 0 if there is
// none.
static const char *color_of(const char *css, const char *end, const char *name, size_t size,
                            size_t *value_size)
{
    const char *close = memchr(css, '}', (size_t)(end - css));

    *value_size = 0;
    for (const char *p = css; close != NULL && p + size + 4 < close; p++) {
        if (p[0] == '-' && p[1] == '-' && memcmp(p + 2, name, size) == 0 && p[2 + size] == ':') {
            const char *value = p + 2 + size + 1;

            value += *value == ' ' ? 1 : 0;
            while (value + *value_size < close && value[*value_size] != ';') {
                (*value_size)++;
            }
            return value;
        }
    }
    return css;
}

// One rule with its colours.
static void plain_rule(struct results_text *text, const char *css, const char *css_end,
                       const char *rule, const char *rule_end)
{
    const size_t prefix = strlen(VARIABLE);

    while (rule < rule_end) {
        bool variable = (size_t)(rule_end - rule) > prefix && memcmp(rule, VARIABLE, prefix) == 0;
        const char *close = variable ? memchr(rule, ')', (size_t)(rule_end - rule)) : NULL;

        if (close != NULL) {
            size_t size;
            const char *color =
                color_of(css, css_end, rule + prefix, (size_t)(close - rule) - prefix, &size);

            results_text_bytes(text, color, size);
            rule = close + 1;
        } else {
            results_text_char(text, *rule++);
        }
    }
}

// The end of the block that begins at `rule`: behind its last brace.
static const char *block_end(const char *rule, const char *end)
{
    uint32_t depth = 0;

    for (; rule < end; rule++) {
        depth += *rule == '{' ? 1 : 0;
        if (*rule == '}' && --depth == 0) {
            return rule + 1;
        }
    }
    return end;
}

static const char *comment_end(const char *at, const char *end)
{
    while (end - at > 2 && memcmp(at, "*/", 2) != 0) {
        at++;
    }
    return end - at > 2 ? at + 2 : end;
}

void drawing_style(struct results_text *text)
{
    const char *css = results_web_figure_css.bytes;
    const char *end = css + results_web_figure_css.size;
    const char *at = css;

    results_text_add(text, "<style>\n");
    while (at < end) {
        const char *stop;

        while (at < end && (*at == ' ' || *at == '\n')) {
            at++;
        }
        if (end - at > 2 && memcmp(at, "/*", 2) == 0) {
            at = comment_end(at + 2, end);
            continue;
        }
        stop = block_end(at, end);
        if (at < end && *at != '@' && *at != ':') {
            plain_rule(text, css, end, at, stop);
            results_text_char(text, '\n');
        }
        at = stop;
    }
    results_text_bytes(text, css, results_web_figure_css.size);
    results_text_add(text, "</style>\n");
}
