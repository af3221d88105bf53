// SPDX-License-Identifier: GPL-3.0-or-later
//
// Messages about the input: where, what, the source line and a caret. Lines that hold a secret are
// cut, so that no password reaches a terminal or a log.
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

#define MESSAGE_BYTES 1024u
#define QUOTE_BYTES 60u
#define SOURCE_BYTES_MAX 160u

struct scenario_place scenario_no_place(void)
{
    return (struct scenario_place){NULL, 0, 0};
}

struct scenario_place scenario_file_place(const struct scenario_file *file)
{
    return (struct scenario_place){file, 0, 0};
}

// The words of GlobalConfiguration's sensitive keys in Flink, and access-key.
static const char *const secret_words[] = {
    "password",    "secret",      "token",      "access-key",   "access.key",  "accesskey",
    "account.key", "apikey",      "api-key",    "api.key",      "auth-params", "service-key",
    "basic-auth",  "jaas.config", "credential", "http-headers", NULL,
};

// The end of the first secret word in `text`, NULL if there is none.
static const char *secret_word_end(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int first = tolower((unsigned char)text[i]);
        for (size_t w = 0; secret_words[w] != NULL; w++) {
            // Every key of every file comes by here: most words end at their first letter.
            if (secret_words[w][0] != first) {
                continue;
            }
            size_t n = strlen(secret_words[w]);
            size_t k = 0;
            while (k < n && i + k < size &&
                   tolower((unsigned char)text[i + k]) == secret_words[w][k]) {
                k++;
            }
            if (k == n) {
                return text + i + n;
            }
        }
    }
    return NULL;
}

bool scenario_key_is_secret(const char *key)
{
    return secret_word_end(key, strlen(key)) != NULL;
}

// Where the user of a URL that begins at or after `from` stands ("//user:password@host"), up to the
// last '@', since a password may hold a '/'; false if there is none.
static bool url_user(const char *text, size_t size, size_t from, size_t *first, size_t *end)
{
    for (size_t i = from; i + 2 < size; i++) {
        if (text[i] != ':' || text[i + 1] != '/' || text[i + 2] != '/') {
            continue;
        }
        size_t at = 0;
        for (size_t k = i + 3; k < size && strchr(" \t\r\n'\"", text[k]) == NULL; k++) {
            at = text[k] == '@' ? k : at;
        }
        if (at > 0) {
            *first = i + 3;
            *end = at;
            return true;
        }
    }
    return false;
}

void scenario_mask_urls(char *text, size_t size)
{
    size_t first = 0;
    size_t end = 0;
    while (url_user(text, size, end, &first, &end)) {
        memset(text + first, '*', end - first);
    }
}

bool scenario_path_is_secret(const char *path)
{
    static const char config[] = "config.";
    return strncmp(path, config, sizeof(config) - 1) == 0 &&
           scenario_key_is_secret(path + sizeof(config) - 1);
}

static void line_bounds(const struct scenario_file *file, uint32_t line, const char **text,
                        size_t *size)
{
    size_t from = file->lines[line - 1];
    size_t to = line < file->n_lines ? file->lines[line] : file->size;
    while (to > from && (file->text[to - 1] == '\n' || file->text[to - 1] == '\r')) {
        to--;
    }
    *text = file->text + from;
    *size = to - from;
}

static size_t indentation(const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && (text[n] == ' ' || text[n] == '-')) {
        n++;
    }
    return n;
}

// Whether a line above, less indented, names a secret: then this line may be its value.
static bool below_secret(const struct scenario_file *file, uint32_t line)
{
    const char *text;
    size_t size;
    line_bounds(file, line, &text, &size);
    size_t limit = indentation(text, size);
    for (uint32_t above = line - 1; above > 0 && line - above <= 1000 && limit > 0; above--) {
        line_bounds(file, above, &text, &size);
        size_t indent = indentation(text, size);
        if (indent == size || indent >= limit) {
            continue;
        }
        if (secret_word_end(text, size) != NULL) {
            return true;
        }
        limit = indent;
    }
    return false;
}

void scenario_secret_add(struct scenario_loader *loader, const struct scenario_node *node)
{
    struct scenario_secret *secret = scenario_allocate(&loader->memory, sizeof(*secret));
    secret->file = node->place.file;
    secret->from = node->key_place.line != 0 ? node->key_place.line : node->place.line;
    secret->to = node->next != NULL && node->next->key_place.line > secret->from
                     ? node->next->key_place.line - 1
                     : node->place.line;
    secret->next = loader->secrets;
    loader->secrets = secret;
}

static bool inside_secret(const struct scenario_loader *loader, struct scenario_place place)
{
    for (const struct scenario_secret *s = loader->secrets; s != NULL; s = s->next) {
        if (s->file == place.file && place.line > s->from && place.line <= s->to) {
            return true;
        }
    }
    return false;
}

// A copy in which every byte that a terminal should not see is a '?', and a tab a blank.
static const char *printable(struct scenario_loader *loader, const char *text, size_t size)
{
    char *copy = scenario_copy(&loader->memory, text, size);
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t n = scenario_utf8_read((const unsigned char *)text + i, size - i, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            copy[i] = code == '\t' ? ' ' : '?';
            memset(copy + i, copy[i], n > 0 ? n : 1);
        }
        i += n > 0 ? n : 1;
    }
    scenario_mask_urls(copy, size);
    return copy;
}

// The line of `place` as it may be shown; NULL for an empty one.
static const char *source_line(struct scenario_loader *loader, struct scenario_place place)
{
    const char *text;
    size_t size;
    if (place.file == NULL || place.line == 0 || place.line > place.file->n_lines) {
        return NULL;
    }
    line_bounds(place.file, place.line, &text, &size);
    if (size == 0) {
        return NULL;
    }
    if (inside_secret(loader, place) || below_secret(place.file, place.line)) {
        return "***";
    }
    const char *secret = secret_word_end(text, size);
    if (secret != NULL) {
        size_t shown = (size_t)(secret - text);
        while (shown < size && text[shown] != ':' && text[shown] != '=') {
            shown++;
        }
        if (shown < size) {
            return scenario_print(&loader->memory, "%.*s ***", (int)shown + 1,
                                  printable(loader, text, size));
        }
    }
    return printable(loader, text, size);
}

// Columns are counted in characters by the reader, and in bytes by messages.
static uint32_t byte_column(struct scenario_place place)
{
    const char *text;
    size_t size;
    if (place.file == NULL || place.line == 0 || place.line > place.file->n_lines) {
        return 0;
    }
    line_bounds(place.file, place.line, &text, &size);
    size_t byte = 0;
    for (uint32_t c = 1; c < place.column && byte < size; c++) {
        byte++;
        while (byte < size && ((unsigned char)text[byte] & 0xc0) == 0x80) {
            byte++;
        }
    }
    return (uint32_t)byte + 1;
}

static struct scenario_message message_make(struct scenario_loader *loader,
                                            struct scenario_place place, const char *text)
{
    struct scenario_message message = {0};
    message.file = place.file != NULL ? place.file->name : loader->scenario->path;
    message.line = place.line;
    message.column = byte_column(place);
    message.text = scenario_copy_text(&loader->memory, text);
    message.source = source_line(loader, place);
    return message;
}

static bool message_same(const struct scenario_message *a, const struct scenario_message *b)
{
    return a->line == b->line && a->column == b->column && strcmp(a->text, b->text) == 0
           && strcmp(a->file, b->file) == 0;
}

static void error_add(struct scenario_loader *loader, const struct scenario_message *message,
                      uint32_t order)
{
    for (uint32_t i = 0; i < loader->n_errors; i++) {
        if (message_same(&loader->errors[i], message)) {
            return;
        }
    }
    loader->errors[loader->n_errors] = *message;
    loader->error_order[loader->n_errors] = order;
    loader->n_errors++;
}

void scenario_error(struct scenario_loader *loader, struct scenario_place place, const char *format,
                    ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    loader->errors_total++;
    if (loader->n_errors == SCENARIO_ERRORS_MAX) {
        loader->errors_cut = true;
        return;
    }
    struct scenario_message message = message_make(loader, place, text);
    error_add(loader, &message, place.file != NULL ? place.file->order : 0);
}

static struct scenario_message message_copy(struct scenario_loader *loader,
                                            const struct scenario_message *message)
{
    struct scenario_message copy = *message;
    copy.file = scenario_copy_text(&loader->memory, message->file);
    copy.text = scenario_copy_text(&loader->memory, message->text);
    copy.source =
        message->source != NULL ? scenario_copy_text(&loader->memory, message->source) : NULL;
    return copy;
}

void scenario_error_take(struct scenario_loader *loader, const struct scenario_message *message,
                         bool foreign)
{
    loader->errors_total++;
    if (loader->n_errors == SCENARIO_ERRORS_MAX) {
        loader->errors_cut = true;
        return;
    }
    struct scenario_message copy = message_copy(loader, message);
    error_add(loader, &copy, foreign ? UINT32_MAX : 0);
}

static void warning_add(struct scenario_loader *loader, const struct scenario_message *message)
{
    if (loader->n_warnings == loader->warnings_capacity) {
        uint32_t capacity = loader->warnings_capacity == 0 ? 16 : loader->warnings_capacity * 2;
        struct scenario_message *grown =
            scenario_allocate_array(&loader->memory, capacity, sizeof(*grown));
        if (loader->n_warnings != 0) {
            memcpy(grown, loader->warnings, loader->n_warnings * sizeof(*grown));
        }
        loader->warnings = grown;
        loader->warnings_capacity = capacity;
    }
    loader->warnings[loader->n_warnings++] = *message;
}

void scenario_warning(struct scenario_loader *loader, struct scenario_place place,
                      const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct scenario_message message = message_make(loader, place, text);
    warning_add(loader, &message);
}

void scenario_warning_take(struct scenario_loader *loader, const struct scenario_message *message)
{
    for (uint32_t i = 0; i < loader->n_warnings; i++) {
        if (message_same(&loader->warnings[i], message)) {
            return;
        }
    }
    struct scenario_message copy = message_copy(loader, message);
    warning_add(loader, &copy);
}

static bool error_before(const struct scenario_loader *loader, uint32_t a, uint32_t b)
{
    const struct scenario_message *x = &loader->errors[a];
    const struct scenario_message *y = &loader->errors[b];
    if (loader->error_order[a] != loader->error_order[b]) {
        return loader->error_order[a] < loader->error_order[b];
    }
    return x->line != y->line ? x->line < y->line : x->column < y->column;
}

void scenario_messages_publish(struct scenario_loader *loader)
{
    struct scenario *scenario = loader->scenario;
    struct scenario_message *sorted =
        scenario_allocate_array(&loader->memory, SCENARIO_ERRORS_MAX, sizeof(*sorted));
    uint32_t order[SCENARIO_ERRORS_MAX];
    for (uint32_t i = 0; i < loader->n_errors; i++) {
        uint32_t at = i;
        for (; at > 0 && error_before(loader, i, order[at - 1]); at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (uint32_t i = 0; i < loader->n_errors; i++) {
        sorted[i] = loader->errors[order[i]];
    }
    scenario->errors = sorted;
    scenario->n_errors = loader->n_errors;
    scenario->errors_cut = loader->errors_cut;
    scenario->warnings = loader->warnings;
    scenario->n_warnings = loader->n_warnings;
}

const char *scenario_quote(struct scenario_loader *loader, const char *text)
{
    size_t size = strlen(text);
    char *copy = scenario_allocate(&loader->memory, size + 4);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        copy[i] = c < 0x20 || c == 0x7f ? ' ' : text[i];
    }
    scenario_mask_urls(copy, size); // before the cut, which may take the end of what is masked
    bool cut = size > QUOTE_BYTES;
    size = cut ? QUOTE_BYTES : size;
    while (cut && size > 0 && ((unsigned char)copy[size] & 0xc0) == 0x80) {
        size--;
    }
    memcpy(copy + size, cut ? "..." : "", cut ? 4 : 1);
    return copy;
}

// --- printing ------------------------------------------------------------------------------------

struct output {
    char *buffer;
    size_t size, wanted;
};

static void put(struct output *out, const char *text, size_t size)
{
    size_t room = out->size > out->wanted + 1 ? out->size - out->wanted - 1 : 0;
    if (room > 0) {
        memcpy(out->buffer + out->wanted, text, size < room ? size : room);
    }
    out->wanted += size;
}

static void put_text(struct output *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_place(struct output *out, const struct scenario_message *message)
{
    char number[32];
    put_text(out, message->file != NULL ? message->file : "");
    if (message->line != 0) {
        (void)snprintf(number, sizeof(number), ":%u:%u", (unsigned)message->line,
                       (unsigned)message->column);
        put_text(out, number);
    }
    put_text(out, ": ");
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

// The source line, cut to a window around the column, and a caret below it.
static void put_source(struct output *out, const char *source, uint32_t column)
{
    size_t size = strlen(source);
    size_t caret = column > 0 ? column - 1 : 0;
    size_t from = 0;
    if (size > SOURCE_BYTES_MAX && caret > SOURCE_BYTES_MAX / 2) {
        from = caret < size ? caret - SOURCE_BYTES_MAX / 2 : size - SOURCE_BYTES_MAX / 2;
    }
    size_t to = size - from > SOURCE_BYTES_MAX ? from + SOURCE_BYTES_MAX : size;
    while (from > 0 && is_continuation(source[from])) {
        from--;
    }
    while (to < size && is_continuation(source[to])) {
        to++;
    }
    put_text(out, "    ");
    put(out, source + from, to - from);
    put_text(out, "\n");
    if (column == 0 || caret > size) {
        return;
    }
    put_text(out, "    ");
    for (size_t i = from; i < caret; i++) {
        if (!is_continuation(source[i])) {
            put_text(out, " ");
        }
    }
    put_text(out, "^\n");
}

size_t scenario_message_format(const struct scenario_message *message, const char *severity,
                               char *buffer, size_t size)
{
    struct output out = {buffer, size, 0};
    put_place(&out, message);
    if (severity != NULL && severity[0] != '\0') {
        put_text(&out, severity);
        put_text(&out, ": ");
    }
    put_text(&out, message->text != NULL ? message->text : "");
    put_text(&out, "\n");
    if (message->source != NULL && message->line != 0) {
        put_source(&out, message->source, message->column);
    }
    if (size > 0) {
        buffer[out.wanted < size ? out.wanted : size - 1] = '\0';
    }
    return out.wanted;
}
