// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/check_report.h"

#include <inttypes.h>
#include <string.h>

#include "results/json.h"

struct counts {
    uint32_t passed, failed, skipped, open;
};

static struct counts count_all(const struct results_check_case *cases, uint32_t count)
{
    struct counts n = {0, 0, 0, 0};

    for (uint32_t i = 0; i < count; i++) {
        n.skipped += cases[i].skipped ? 1 : 0;
        n.open += cases[i].open ? 1 : 0;
        n.passed += cases[i].passed ? 1 : 0;
        n.failed += !cases[i].passed && !cases[i].skipped && !cases[i].open ? 1 : 0;
    }
    return n;
}

// Every line of `lines` behind `head`.
static void put_lines(struct results_text *text, const char *head, const char *lines)
{
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");

        results_text_add(text, head);
        results_text_bytes(text, lines, size);
        results_text_char(text, '\n');
        lines += size + (lines[size] == '\n' ? 1 : 0);
    }
}

void results_check_line(const struct results_check_case *one, struct results_text *text)
{
    if (one->skipped || one->open) {
        return;
    }
    results_text_format(text, "%s  %s\n", one->passed ? "ok  " : "FAIL", one->path);
    put_lines(text, "      ", one->details);
}

void results_check_total(const struct results_check_case *cases, uint32_t count,
                         struct results_text *text)
{
    struct counts n = count_all(cases, count);

    results_text_format(text, "%" PRIu32 " passed, %" PRIu32 " failed", n.passed, n.failed);
    if (n.skipped > 0) {
        results_text_format(text, ", %" PRIu32 " skipped", n.skipped);
    }
    if (n.open > 0) {
        results_text_format(text, ", %" PRIu32 " not run", n.open);
    }
    results_text_char(text, '\n');
}

void results_check_json(const struct results_check_case *cases, uint32_t count, const char *version,
                        struct results_text *text)
{
    struct counts n = count_all(cases, count);
    struct results_json json;
    bool first = true;

    results_text_add(text, "{\"schema\":1,\"recoup\":");
    results_json_init(&json, text);
    results_json_string(&json, version);
    results_text_format(text,
                        ",\"passed\":%" PRIu32 ",\"failed\":%" PRIu32 ",\"skipped\":%" PRIu32
                        ",\"not_run\":%" PRIu32 ",\"scenarios\":[",
                        n.passed, n.failed, n.skipped, n.open);
    for (uint32_t i = 0; i < count; i++) {
        if (cases[i].json[0] != '\0') {
            results_text_add(text, first ? "" : ",");
            results_text_add(text, cases[i].json);
            first = false;
        }
    }
    results_text_add(text, "]}\n");
}

void results_check_tap(const struct results_check_case *cases, uint32_t count,
                       struct results_text *text)
{
    results_text_format(text, "TAP version 13\n1..%" PRIu32 "\n", count);
    for (uint32_t i = 0; i < count; i++) {
        bool ran = !cases[i].skipped && !cases[i].open;

        results_text_format(text, "%s %" PRIu32 " - ", cases[i].passed || !ran ? "ok" : "not ok",
                            i + 1);
        // A '#' would begin a directive.
        for (const char *c = cases[i].path; *c != '\0'; c++) {
            results_text_char(text, *c == '#' || *c == '\n' ? '_' : *c);
        }
        results_text_add(text, cases[i].skipped ? " # SKIP not selected"
                               : cases[i].open  ? " # SKIP not run"
                                                : "");
        results_text_char(text, '\n');
        put_lines(text, "# ", ran ? cases[i].details : "");
    }
}

// Text of an XML attribute or element; what XML cannot hold becomes '?'.
static void put_xml(struct results_text *text, const char *value)
{
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            results_text_add(text, "&amp;");
            break;
        case '<':
            results_text_add(text, "&lt;");
            break;
        case '>':
            results_text_add(text, "&gt;");
            break;
        case '"':
            results_text_add(text, "&quot;");
            break;
        case '\n':
            results_text_add(text, "&#10;");
            break;
        default:
            results_text_char(text, *c < 0x20 || *c == 0x7f ? '?' : (char)*c);
        }
    }
}

static void put_first_line(struct results_text *text, const char *details)
{
    struct results_text line;

    results_text_init(&line);
    results_text_bytes(&line, details, strcspn(details, "\n"));
    put_xml(text, results_text_string(&line));
    results_text_release(&line);
}

static void put_seconds(struct results_text *text, int64_t ns)
{
    results_text_format(text, "%" PRId64 ".%03" PRId64, ns / 1000000000, ns / 1000000 % 1000);
}

static void junit_case(const struct results_check_case *one, struct results_text *text)
{
    results_text_add(text, "  <testcase classname=\"recoup\" name=\"");
    put_xml(text, one->path);
    results_text_add(text, "\" file=\"");
    put_xml(text, one->path);
    results_text_add(text, "\" time=\"");
    put_seconds(text, one->wall_ns);
    if (one->skipped || one->open) {
        results_text_format(text, "\"><skipped message=\"%s\"/></testcase>\n",
                            one->skipped ? "not selected" : "not run");
        return;
    }
    if (one->passed) {
        results_text_add(text, "\"/>\n");
        return;
    }
    results_text_add(text, "\">\n    <failure message=\"");
    put_first_line(text, one->details);
    results_text_format(text, "\" type=\"exit-code-%" PRIu32 "\">", one->code);
    put_xml(text, one->details);
    results_text_add(text, "</failure>\n  </testcase>\n");
}

void results_check_junit(const struct results_check_case *cases, uint32_t count,
                         struct results_text *text)
{
    struct counts n = count_all(cases, count);
    int64_t wall_ns = 0;

    for (uint32_t i = 0; i < count; i++) {
        wall_ns += cases[i].wall_ns;
    }
    results_text_format(text,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                        "<testsuite name=\"recoup check\" tests=\"%" PRIu32 "\" failures=\"%" PRIu32
                        "\" errors=\"0\" skipped=\"%" PRIu32 "\" time=\"",
                        count, n.failed, n.skipped + n.open);
    put_seconds(text, wall_ns);
    results_text_add(text, "\">\n");
    for (uint32_t i = 0; i < count; i++) {
        junit_case(&cases[i], text);
    }
    results_text_add(text, "</testsuite>\n</testsuites>\n");
}

// The escapes of workflow commands; a property also escapes ':' and ','.
static void put_annotation(struct results_text *text, const char *value, bool property)
{
    for (; *value != '\0'; value++) {
        if (*value == '%' || *value == '\n' || *value == '\r' ||
            (property && (*value == ':' || *value == ','))) {
            results_text_format(text, "%%%02X", (unsigned)(unsigned char)*value);
        } else {
            results_text_char(text, *value);
        }
    }
}

void results_check_annotations(const struct results_check_case *cases, uint32_t count,
                               struct results_text *text)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!cases[i].passed && !cases[i].skipped && !cases[i].open) {
            results_text_add(text, "::error file=");
            put_annotation(text, cases[i].path, true);
            results_text_add(text, ",line=1,title=recoup check::");
            put_annotation(text, cases[i].details, false);
            results_text_char(text, '\n');
        }
    }
}
