// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/page.h"

#include <string.h>

#define PAGE_BAR_MAX 80u

void results_page_init(struct results_page *page, struct results_text *text,
                       const struct results_style *style)
{
    page->text = text;
    page->style = *style;
    if (page->style.width < RESULTS_PAGE_WIDTH_MIN) {
        page->style.width = RESULTS_PAGE_WIDTH_MIN;
    }
    if (page->style.width > RESULTS_PAGE_WIDTH_MAX) {
        page->style.width = RESULTS_PAGE_WIDTH_MAX;
    }
}

static const char *color_code(enum results_color color)
{
    switch (color) {
    case RESULTS_PLAIN:
        return "";
    case RESULTS_BOLD:
        return "\033[1m";
    case RESULTS_DIM:
        return "\033[2m";
    case RESULTS_RED:
        return "\033[31m";
    case RESULTS_GREEN:
        return "\033[32m";
    case RESULTS_YELLOW:
        return "\033[33m";
    case RESULTS_CYAN:
        return "\033[36m";
    }
    return "";
}

static void color_start(struct results_page *page, enum results_color color)
{
    if (page->style.color && color != RESULTS_PLAIN) {
        results_text_add(page->text, color_code(color));
    }
}

static void color_end(struct results_page *page, enum results_color color)
{
    if (page->style.color && color != RESULTS_PLAIN) {
        results_text_add(page->text, "\033[0m");
    }
}

void results_page_color(struct results_page *page, enum results_color color, const char *text)
{
    color_start(page, color);
    results_text_add(page->text, text);
    color_end(page, color);
}

static uint32_t columns_of_bytes(const char *text, size_t size)
{
    uint32_t columns = 0;

    for (size_t i = 0; i < size; i++) {
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return columns;
}

uint32_t results_columns_of(const char *text)
{
    return columns_of_bytes(text, strlen(text));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// True when a line must not end here: a number stays with its unit or noun, the two parts of a
// duration stay together, and no line begins with the dot between two facts.
static bool keeps_together(const char *words, size_t size, const char *next)
{
    bool letter = (*next >= 'a' && *next <= 'z') || (*next >= 'A' && *next <= 'Z');
    bool large_unit = (size == 3 && memcmp(words, "min", 3) == 0) ||
                      (size == 1 && (words[0] == 'h' || words[0] == 'd'));

    if (strncmp(next, "\xc2\xb7 ", 3) == 0) {
        return true;
    }
    if (large_unit) {
        return is_digit(*next);
    }
    return size > 0 && is_digit(words[size - 1]) && (letter || *next == '%');
}

// Bytes of the words at the start of `words` that stay on one line.
static size_t unbroken(const char *words)
{
    size_t size = strcspn(words, " ");
    size_t start = 0;

    while (words[size] == ' ' && keeps_together(words + start, size - start, words + size + 1)) {
        start = size + 1;
        size = start + strcspn(words + start, " ");
    }
    return size;
}

void results_page_wrap(struct results_page *page, const char *label, uint32_t indent,
                       enum results_color color, const char *words)
{
    uint32_t column = indent;
    bool first = true;

    results_page_left(page, label, indent);
    color_start(page, color);
    while (*words != '\0') {
        size_t size = unbroken(words);
        uint32_t columns = columns_of_bytes(words, size);

        if (!first && column + 1 + columns > page->style.width) {
            color_end(page, color);
            results_text_char(page->text, '\n');
            results_text_repeat(page->text, " ", indent);
            color_start(page, color);
            column = indent;
        } else if (!first) {
            results_text_char(page->text, ' ');
            column++;
        }
        results_text_bytes(page->text, words, size);
        column += columns;
        first = false;
        words += size + (words[size] == ' ' ? 1 : 0);
    }
    color_end(page, color);
    results_text_char(page->text, '\n');
}

// Bytes of the first `columns` code points.
static size_t bytes_of_columns(const char *text, uint32_t columns)
{
    size_t i = 0;

    for (uint32_t n = 0; text[i] != '\0'; i++) {
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (n > columns) {
            break;
        }
    }
    return i;
}

void results_page_left(struct results_page *page, const char *text, uint32_t columns)
{
    uint32_t has = results_columns_of(text);

    if (has <= columns) {
        results_text_add(page->text, text);
        results_text_repeat(page->text, " ", columns - has);
    } else if (columns > 0) {
        results_text_bytes(page->text, text, bytes_of_columns(text, columns - 1));
        results_text_add(page->text, page->style.utf8 ? "\xe2\x80\xa6" : "~");
    }
}

void results_page_right(struct results_page *page, const char *text, uint32_t columns)
{
    uint32_t has = results_columns_of(text);

    if (has < columns) {
        results_text_repeat(page->text, " ", columns - has);
    }
    results_text_add(page->text, text);
}

// value / largest in units of 1 / steps, rounded, at least 1 for a value above 0.
static uint32_t bar_steps(uint64_t value, uint64_t largest, uint32_t steps)
{
    bool some = value > 0;
    uint64_t filled;

    while (largest > UINT64_MAX / 2 / (8 * PAGE_BAR_MAX)) {
        largest >>= 1;
        value >>= 1;
    }
    if (!some || largest == 0 || steps == 0) {
        return 0;
    }
    filled = (value * steps + largest / 2) / largest;
    return filled == 0 ? 1 : filled > steps ? steps : (uint32_t)filled;
}

void results_page_bar(struct results_page *page, uint64_t value, uint64_t largest, uint32_t columns,
                      enum results_color color)
{
    // Left eighths of a block, U+258F (one eighth) to U+2588 (full).
    static const char *const eighths[] = {"",
                                          "\xe2\x96\x8f",
                                          "\xe2\x96\x8e",
                                          "\xe2\x96\x8d",
                                          "\xe2\x96\x8c",
                                          "\xe2\x96\x8b",
                                          "\xe2\x96\x8a",
                                          "\xe2\x96\x89",
                                          "\xe2\x96\x88"};
    uint32_t room = columns > PAGE_BAR_MAX ? PAGE_BAR_MAX : columns;
    uint32_t per_column = page->style.utf8 ? 8 : 1;
    uint32_t steps = bar_steps(value, largest, room * per_column);
    uint32_t full = steps / per_column;
    uint32_t part = steps % per_column;

    if (steps > 0) {
        color_start(page, color);
        results_text_repeat(page->text, page->style.utf8 ? eighths[8] : "#", full);
        results_text_add(page->text, eighths[part]);
        color_end(page, color);
    }
    results_text_repeat(page->text, " ", columns - full - (part > 0 ? 1 : 0));
}

void results_page_line(struct results_page *page)
{
    struct results_text *text = page->text;

    while (text->size > 0 && text->data[text->size - 1] == ' ') {
        text->size--;
    }
    results_text_char(text, '\n');
}
