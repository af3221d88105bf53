// SPDX-License-Identifier: GPL-3.0-or-later
//
// Columns of CSV files as laws. A cell is a value with a unit ("12 s"), or a bare number whose unit
// is given by `unit:` or by the end of the column's name ("duration_ms", "shuffle_write_bytes").
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/loader.h"

#define CELL_BYTES 128u
#define TRACE_COLUMNS_MAX 10000u

struct csv {
    const struct scenario_file *file;
    size_t at;
    uint32_t line;
    uint32_t column;      // in bytes, of the cell last read
    int64_t n_columns;    // of the first row
    bool open_quote;      // the cell last read has a quote that does not end
    bool end_of_row;
    char cell[CELL_BYTES];
    bool cut;             // the cell was longer
};

static void cell_put(struct csv *csv, size_t *size, char c)
{
    if (*size + 1 < CELL_BYTES) {
        csv->cell[(*size)++] = c;
    } else {
        csv->cut = true;
    }
}

// Reads one cell; quotes as in RFC 4180, but no line breaks inside.
static void cell_read(struct csv *csv, size_t row_start)
{
    const char *text = csv->file->text;
    size_t end = csv->file->size;
    size_t size = 0;
    bool quoted = false;
    csv->column = (uint32_t)(csv->at - row_start) + 1;
    csv->cut = false;
    for (; csv->at < end && text[csv->at] != '\n'; csv->at++) {
        char c = text[csv->at];
        if (c == '"' && quoted && csv->at + 1 < end && text[csv->at + 1] == '"') {
            cell_put(csv, &size, c);
            csv->at++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            break;
        } else if (c != '\r') {
            cell_put(csv, &size, c);
        }
    }
    csv->cell[size] = '\0';
    csv->open_quote = quoted;
    csv->end_of_row = csv->at >= end || text[csv->at] == '\n';
    csv->at += csv->at < end ? 1 : 0;
}

static size_t trim(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ') {
        text[--size] = '\0';
    }
    size_t from = strspn(text, " ");
    memmove(text, text + from, size - from + 1);
    return size - from;
}

static struct scenario_place cell_place(const struct csv *csv)
{
    return (struct scenario_place){csv->file, csv->line, csv->column};
}

// The index of the column named `name`; -1 after an error at `node`.
static int64_t find_column(struct scenario_loader *loader, struct csv *csv, const char *path,
                           const struct scenario_node *node, const char *name)
{
    struct scenario_nearest nearest;
    const char *known[64];
    uint32_t n_known = 0;
    int64_t found = -1;
    bool twice = false;
    size_t start = csv->at;
    scenario_nearest_init(&nearest, name);
    do {
        cell_read(csv, start);
        (void)trim(csv->cell);
        if (strcmp(csv->cell, name) == 0) {
            twice = found >= 0;
            found = n_known;
        }
        if (n_known < 64) {
            known[n_known] = scenario_copy_text(&loader->memory, csv->cell);
            scenario_nearest_offer(&nearest, known[n_known]);
        }
        n_known++;
    } while (!csv->end_of_row && n_known < TRACE_COLUMNS_MAX);
    csv->n_columns = n_known;
    if (twice) {
        scenario_error(loader, node->place, "'%s' has more than one column '%s'",
                       scenario_quote(loader, path), scenario_quote(loader, name));
        return -1;
    }
    if (found < 0) {
        scenario_error(loader, node->place, "'%s' has no column '%s'%s",
                       scenario_quote(loader, path), scenario_quote(loader, name),
                       scenario_nearest_text(loader, &nearest));
    }
    return found;
}

// The unit of a column's bare numbers; NULL if nothing says so.
static const char *column_unit(const char *column, enum scenario_law_unit law)
{
    static const char *const durations[] = {"ns", "us", "ms", "s", "min", "h", "d", NULL};
    static const char *const sizes[] = {"b", "bytes", "kb", "mb", "gb", "tb", NULL};
    const char *const *names = law == SCENARIO_LAW_BYTES ? sizes : durations;
    const char *last = strrchr(column, '_') != NULL ? strrchr(column, '_') + 1 : column;
    for (; *names != NULL; names++) {
        if (strcmp(last, *names) == 0) {
            return strcmp(*names, "bytes") == 0 ? "b" : *names;
        }
    }
    return NULL;
}

static bool cell_value(struct scenario_loader *loader, struct csv *csv, const char *unit,
                       enum scenario_law_unit law, int64_t *value)
{
    char text[CELL_BYTES + 16];
    size_t size = trim(csv->cell);
    bool bare = size > 0 && csv->cell[size - 1] >= '0' && csv->cell[size - 1] <= '9';
    (void)snprintf(text, sizeof(text), "%s%s%s", csv->cell, bare && unit != NULL ? " " : "",
                   bare && unit != NULL ? unit : "");
    enum scenario_units status = csv->cut ? SCENARIO_UNITS_NO_NUMBER
                                 : law == SCENARIO_LAW_BYTES
                                     ? scenario_units_size(text, value)
                                     : scenario_units_duration(text, value);
    if (status == SCENARIO_UNITS_NO_UNIT) {
        scenario_error(
            loader, cell_place(csv),
            "'%s' has no unit; say 'unit: ...' beside 'column', or end the column's name in it",
            scenario_quote(loader, csv->cell));
    } else if (status != SCENARIO_UNITS_OK) {
        struct scenario_node node = {.text = csv->cell, .place = cell_place(csv)};
        scenario_type_error(loader, &node,
                            law == SCENARIO_LAW_BYTES ? SCENARIO_SIZE : SCENARIO_DURATION, false,
                            status);
    }
    return status == SCENARIO_UNITS_OK;
}

// FNV-1a over the values, so that a changed file changes the scenario's identity.
static uint64_t digest_add(uint64_t digest, int64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        digest = (digest ^ ((uint64_t)value >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
    }
    return digest;
}

static uint32_t rows_of(const struct scenario_file *file)
{
    uint32_t rows = 0;
    for (uint32_t line = 1; line < file->n_lines; line++) {
        size_t from = file->lines[line];
        size_t to = line + 1 < file->n_lines ? file->lines[line + 1] : file->size;
        rows += to > from && file->text[from] != '\n' && file->text[from] != '\r' ? 1 : 0;
    }
    return rows;
}

static bool read_row(struct scenario_loader *loader, struct csv *csv, int64_t index,
                     struct scenario_trace_column *column, enum scenario_law_unit law,
                     int64_t *value)
{
    size_t start = csv->at;
    bool found = false;
    bool good = true;
    int64_t i = 0;
    do {
        cell_read(csv, start);
        if (i == index) {
            found = true;
            good = cell_value(loader, csv, column->unit, law, value);
        }
        i++;
    } while (!csv->end_of_row);
    if (csv->open_quote) {
        scenario_error(loader, cell_place(csv), "the quote of this cell does not end in its row");
        return false;
    }
    if (!found) {
        scenario_error(loader, cell_place(csv), "this row has no column '%s'",
                       scenario_quote(loader, column->column));
    } else if (i != csv->n_columns) {
        scenario_error(loader, cell_place(csv), "this row has %lld cells, the first row %lld",
                       (long long)i, (long long)csv->n_columns);
    }
    return found && good && i == csv->n_columns;
}

static bool read_column(struct scenario_loader *loader, struct csv *csv, int64_t index,
                        struct scenario_trace_column *column, enum scenario_law_unit law)
{
    uint32_t rows = rows_of(csv->file);
    struct sim_law_point *points =
        scenario_allocate_array(&loader->memory, rows + 1, sizeof(*points));
    bool good = true;
    column->digest = UINT64_C(0xcbf29ce484222325);
    while (csv->at < csv->file->size && column->count < rows &&
           loader->n_errors < SCENARIO_ERRORS_MAX) {
        char c = csv->file->text[csv->at];
        csv->line++;
        if (c == '\n' || c == '\r') {  // an empty line
            csv->at =
                csv->line < csv->file->n_lines ? csv->file->lines[csv->line] : csv->file->size;
            continue;
        }
        int64_t value = 0;
        good = read_row(loader, csv, index, column, law, &value) && good;
        points[column->count].value = value;
        column->digest = digest_add(column->digest, value);
        column->count++;
    }
    column->points = points;
    return good && loader->n_errors < SCENARIO_ERRORS_MAX;
}

static const struct scenario_trace_column *known_column(const struct scenario_loader *loader,
                                                        const char *file, const char *column,
                                                        const char *unit,
                                                        enum scenario_law_unit law)
{
    for (const struct scenario_trace_column *c = loader->traces; c != NULL; c = c->next) {
        if (c->law == law && strcmp(c->file, file) == 0 && strcmp(c->column, column) == 0 &&
            (c->unit == unit || (c->unit != NULL && unit != NULL && strcmp(c->unit, unit) == 0))) {
            return c;
        }
    }
    return NULL;
}

const struct scenario_trace_column *scenario_trace_read(struct scenario_loader *loader,
                                                        const struct scenario_node *node,
                                                        const char *path, const char *column,
                                                        const char *unit,
                                                        enum scenario_law_unit law)
{
    const char *name = scenario_path_join(loader, node->place.file, path);
    const struct scenario_trace_column *known = NULL;
    unit = unit != NULL ? unit : column_unit(column, law);
    if (law == SCENARIO_LAW_SHARE) {
        scenario_error(loader, node->place, "a trace gives durations or sizes, no percentages");
        return NULL;
    }
    known = known_column(loader, name, column, unit, law);
    if (known != NULL) {
        return known;
    }
    const struct scenario_file *file =
        scenario_file_read(loader, name, path, SCENARIO_TRACE_BYTES_MAX, node->place);
    if (file == NULL) {
        return NULL;
    }
    struct csv csv = {.file = file, .line = 1};
    struct scenario_trace_column *read = scenario_allocate(&loader->memory, sizeof(*read));
    read->file = name;
    read->column = column;
    read->unit = unit;
    read->law = law;
    int64_t index = find_column(loader, &csv, path, node, column);
    if (index < 0 || !read_column(loader, &csv, index, read, law)) {
        return NULL;
    }
    if (read->count == 0) {
        scenario_error(loader, node->place, "'%s' has no rows", scenario_quote(loader, path));
        return NULL;
    }
    read->next = loader->traces;
    loader->traces = read;
    return read;
}
