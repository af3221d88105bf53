// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads what a recommendation rests on: one sweep with its points, axes and runs.
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_heapsort.h>

#include "results/database_parts.h"
#include "results/recommend_parts.h"
#include "results/statement.h"
#include "results/sweep_choice.h"
#include "sim/assert.h"

#define POINTS_MAX (UINT32_C(1) << 20)
#define OF_PROFILE " AND (?2 IS NULL OR point.profile = ?2)"

void *recommend_alloc(struct recommendation *r, size_t count, size_t size)
{
    return sim_arena_alloc_zero(&r->arena, count > 0 ? count : 1, size, 16);
}

const char *recommend_copy(struct recommendation *r, const char *text)
{
    size_t size = strlen(text != NULL ? text : "") + 1;
    char *copy = sim_arena_alloc(&r->arena, size, 1);

    if (copy != NULL) {
        memcpy(copy, text != NULL ? text : "", size);
    }
    return copy;
}

static const char *column_text(const struct results_statement *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s->statement, column);

    return text != NULL ? text : "";
}

static const char *column_copy(struct recommendation *r, struct results_statement *s, int column)
{
    const char *copy = recommend_copy(r, column_text(s, column));

    s->code = copy == NULL && s->code == SQLITE_OK ? SQLITE_NOMEM : s->code;
    return copy;
}

// Parameter 1 is the sweep; parameter 2, where there is one, the only profile wanted, or null.
static void init_statement(struct recommendation *r, struct results_statement *s, const char *sql)
{
    results_statement_init(s, r->database.connection, sql);
    results_statement_i64(s, r->sweep_id);
    if (s->code == SQLITE_OK && sqlite3_bind_parameter_count(s->statement) > 1) {
        results_statement_text(s, r->question->profile);
    }
}

// --- the file and the sweep ----------------------------------------------------------------------

static enum recommend_status open_file(struct recommendation *r, const char *path)
{
    enum results_reading reading = results_database_open_reading(&r->database, path);
    int code;

    if (reading != RESULTS_READING) {
        return reading == RESULTS_READING_REFUSED ? RECOMMEND_USAGE : RECOMMEND_OUTSIDE;
    }
    code = results_database_execute(&r->database, "BEGIN");
    if (code != SQLITE_OK) {
        results_database_fail(&r->database, code);
        return RECOMMEND_OUTSIDE;
    }
    return RECOMMEND_FOUND;
}

static int read_sweep(struct recommendation *r)
{
    struct results_statement s;

    results_statement_init(&s, r->database.connection,
                           "SELECT name, about FROM sweep WHERE id = ?");
    results_statement_i64(&s, r->sweep_id);
    if (results_statement_row(&s)) {
        r->sweep = column_copy(r, &s, 0);
        r->about = column_copy(r, &s, 1);
    }
    return results_statement_release(&s);
}

static enum recommend_status choose_sweep(struct recommendation *r)
{
    struct results_sweep_choice choice;
    int code = results_sweep_choose(&r->database, r->question->sweep, true, &choice);

    if (code == SQLITE_OK && choice.found) {
        r->sweep_id = choice.sweep_id;
        code = read_sweep(r);
    }
    if (code != SQLITE_OK) {
        results_database_fail(&r->database, code);
        return RECOMMEND_OUTSIDE;
    }
    return choice.found ? RECOMMEND_FOUND : RECOMMEND_USAGE;
}

// --- points and axes -----------------------------------------------------------------------------

static int read_points(struct recommendation *r)
{
    struct results_statement s;
    uint32_t capacity = 0;
    int64_t count = 0;

    init_statement(r, &s, "SELECT count(*) FROM point WHERE sweep_id = ?1" OF_PROFILE);
    if (results_statement_row(&s)) {
        count = sqlite3_column_int64(s.statement, 0);
    }
    if (results_statement_release(&s) != SQLITE_OK || count > POINTS_MAX) {
        return SQLITE_TOOBIG;
    }
    capacity = (uint32_t)count;
    r->points = recommend_alloc(r, capacity, sizeof(*r->points));
    if (r->points == NULL) {
        return SQLITE_NOMEM;
    }
    init_statement(r, &s,
                   "SELECT id, label, profile, command, (SELECT 1 FROM run WHERE"
                   " point_id = point.id LIMIT 1), (SELECT avg(io_event_store_bytes) FROM run WHERE"
                   " point_id = point.id) FROM point WHERE sweep_id = ?1" OF_PROFILE
                   " ORDER BY n, id");
    while (r->n_points < capacity && results_statement_row(&s)) {
        struct recommend_point *point = &r->points[r->n_points];

        if (sqlite3_column_type(s.statement, 4) == SQLITE_NULL) {
            r->n_without_runs++;
            continue;
        }
        point->id = sqlite3_column_int64(s.statement, 0);
        point->label = column_text(&s, 1)[0] != '\0' ? column_copy(r, &s, 1) : "all";
        point->profile = column_copy(r, &s, 2);
        point->command = column_copy(r, &s, 3);
        point->store_bytes = sqlite3_column_double(s.statement, 5);
        r->n_points++;
    }
    return results_statement_release(&s);
}

struct place {
    int64_t id;
    uint32_t point;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

static struct place *sort_points(struct recommendation *r)
{
    struct place *places = recommend_alloc(r, r->n_points, sizeof(*places));

    for (uint32_t i = 0; places != NULL && i < r->n_points; i++) {
        places[i] = (struct place){r->points[i].id, i};
    }
    if (places != NULL) {
        gsl_heapsort(places, r->n_points, sizeof(*places), compare_places);
    }
    return places;
}

static uint32_t find_point(const struct recommendation *r, const struct place *places, int64_t id)
{
    uint32_t low = 0;
    uint32_t high = r->n_points;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (places[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < r->n_points && places[low].id == id ? places[low].point : RECOMMEND_NONE;
}

// The level of this text, added if it is new. Numbers come sorted, so only the last can be equal;
// texts come in the order of their points, and an earlier one may recur.
static uint32_t level_of(struct recommendation *r, struct recommend_axis *a,
                         struct results_statement *s)
{
    const char *text = column_text(s, 1);
    bool number = sqlite3_column_type(s->statement, 2) != SQLITE_NULL;
    uint32_t level = number && a->n_levels > 0 ? a->n_levels - 1 : 0;

    while (level < a->n_levels && strcmp(a->levels[level].text, text) != 0) {
        level++;
    }
    if (level == a->n_levels) {
        a->levels[level].number = sqlite3_column_int64(s->statement, 2);
        a->levels[level].text = column_copy(r, s, 1);
        a->n_levels++;
    }
    return level;
}

// The levels of one axis, ascending; the index of each point's.
static int read_levels(struct recommendation *r, uint32_t axis, const struct place *places,
                       uint32_t *levels)
{
    struct recommend_axis *a = &r->axes[axis];
    struct results_statement s;
    uint32_t found = 0;

    a->levels = recommend_alloc(r, r->n_points, sizeof(*a->levels));
    if (a->levels == NULL) {
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, r->database.connection,
                           "SELECT point_id, text, value FROM axis_value JOIN point ON"
                           " point.id = point_id WHERE axis_id = ? ORDER BY value IS NULL, value,"
                           " CASE WHEN value IS NULL THEN point.n END, text");
    results_statement_i64(&s, a->id);
    while (s.code == SQLITE_OK && results_statement_row(&s)) {
        uint32_t point = find_point(r, places, sqlite3_column_int64(s.statement, 0));

        if (point != RECOMMEND_NONE) {
            levels[(size_t)point * r->n_axes + axis] = level_of(r, a, &s);
            found++;
        }
    }
    a->sampled = a->numeric && found == r->n_points && a->n_levels == r->n_points &&
                 r->n_points >= RESULTS_SENSITIVITY_POINTS_MIN;
    return results_statement_release(&s);
}

static int read_axes(struct recommendation *r)
{
    struct results_statement s;
    struct place *places = sort_points(r);
    uint32_t *levels;
    int code;

    r->axes = recommend_alloc(r, RECOMMEND_AXES_MAX, sizeof(*r->axes));
    if (r->axes == NULL) {
        return SQLITE_NOMEM;
    }
    init_statement(r, &s,
                   "SELECT id, name, path, kind <> 'text', unit FROM axis WHERE"
                   " sweep_id = ?1 ORDER BY n, id");
    while (r->n_axes < RECOMMEND_AXES_MAX && results_statement_row(&s)) {
        struct recommend_axis *axis = &r->axes[r->n_axes++];

        axis->id = sqlite3_column_int64(s.statement, 0);
        axis->name = column_copy(r, &s, 1);
        axis->path = column_copy(r, &s, 2);
        axis->numeric = sqlite3_column_int(s.statement, 3) != 0;
        axis->unit = column_copy(r, &s, 4);
    }
    code = results_statement_release(&s);
    levels = recommend_alloc(r, (size_t)r->n_points * r->n_axes, sizeof(*levels));
    if (levels == NULL || places == NULL) {
        return SQLITE_NOMEM;
    }
    memset(levels, 0xff, (size_t)r->n_points * r->n_axes * sizeof(*levels));
    for (uint32_t axis = 0; code == SQLITE_OK && axis < r->n_axes; axis++) {
        code = read_levels(r, axis, places, levels);
    }
    for (uint32_t point = 0; point < r->n_points; point++) {
        r->points[point].levels = &levels[(size_t)point * r->n_axes];
    }
    return code;
}

// --- runs ----------------------------------------------------------------------------------------

static void metric_expression(const struct scenario_metric *metric, struct results_text *sql)
{
    const char *cause = strchr(metric->name, '.');

    if (cause != NULL) {
        results_text_format(sql,
                            ", (SELECT coalesce(sum(ns), 0) FROM lost_work WHERE"
                            " run_id = run.id AND cause = '%s')",
                            cause + 1);
    } else {
        results_text_format(sql, ", %s", metric->column);
    }
}

static void runs_query(const struct recommend_question *question, struct results_text *sql)
{
    results_text_add(sql, "SELECT run.point_id, run.seed, run.state, run.job_failovers > 0");
    for (uint32_t i = 0; i < question->n_bounds; i++) {
        metric_expression(question->bounds[i].metric, sql);
    }
    for (uint32_t i = 0; i < question->goal.n_terms; i++) {
        metric_expression(question->goal.terms[i].metric, sql);
    }
    results_text_add(sql, " FROM run JOIN point ON point.id = run.point_id WHERE"
                          " point.sweep_id = ?1" OF_PROFILE
                          " ORDER BY point.n, point.id, run.seed, run.id");
}

static int64_t round_clamped(double value)
{
    if (value >= 9.2e18) {
        return INT64_MAX;
    }
    return value <= -9.2e18 ? INT64_MIN : (int64_t)(value + (value < 0.0 ? -0.5 : 0.5));
}

// What was not computed for a run is an error of the question, not a zero.
static const struct scenario_metric *read_values(const struct recommend_question *question,
                                                 sqlite3_stmt *row, struct recommend_run *run)
{
    int column = 4;
    double price = 0.0;

    for (uint32_t i = 0; i < question->n_bounds; i++, column++) {
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            return question->bounds[i].metric;
        }
        run->bounds[i] = sqlite3_column_int64(row, column);
    }
    for (uint32_t i = 0; i < question->goal.n_terms; i++, column++) {
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            return question->goal.terms[i].metric;
        }
        run->goal = sqlite3_column_int64(row, column);
        price += (double)run->goal * question->goal.terms[i].nanousd;
    }
    run->goal = question->goal.priced ? round_clamped(price) : run->goal;
    return NULL;
}

struct reading {
    struct recommend_run *runs;
    int64_t *seeds; // of each run, then sorted and without repeats
    uint32_t n_runs;
    uint32_t capacity;
    uint32_t point;
    const struct scenario_metric *missing;
};

static void add_run(struct recommendation *r, struct reading *reading, sqlite3_stmt *row)
{
    struct recommend_run *run = &reading->runs[reading->n_runs];
    const char *state = (const char *)sqlite3_column_text(row, 2);
    struct recommend_point *point;

    while (r->points[reading->point].id != sqlite3_column_int64(row, 0)) {
        reading->point++;
        SIM_ALWAYS(reading->point < r->n_points);
    }
    point = &r->points[reading->point];
    point->runs = point->n_runs == 0 ? run : point->runs;
    run->finished = state != NULL && strcmp(state, "FINISHED") == 0;
    run->censored = state != NULL && strcmp(state, "TIMEOUT") == 0;
    run->failed_over = sqlite3_column_int(row, 3) != 0;
    reading->missing = read_values(r->question, row, run);
    reading->seeds[reading->n_runs++] = sqlite3_column_int64(row, 1);
    point->n_runs++;
    point->n_unfinished += run->finished ? 0 : 1;
    point->n_failed_over += run->failed_over ? 1 : 0;
}

static int compare_seeds(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;

    return (*a > *b) - (*a < *b);
}

static uint32_t seed_index(const struct recommendation *r, int64_t seed)
{
    uint32_t low = 0;
    uint32_t high = r->n_seeds;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (r->seeds[middle] < seed) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// Gives each run the index of its seed among those of the sweep.
static bool number_seeds(struct recommendation *r, struct reading *reading)
{
    int64_t *sorted = recommend_alloc(r, reading->n_runs, sizeof(*sorted));

    if (sorted == NULL) {
        return false;
    }
    memcpy(sorted, reading->seeds, reading->n_runs * sizeof(*sorted));
    gsl_heapsort(sorted, reading->n_runs, sizeof(*sorted), compare_seeds);
    for (uint32_t i = 0; i < reading->n_runs; i++) {
        if (i == 0 || sorted[i] != sorted[r->n_seeds - 1]) {
            sorted[r->n_seeds++] = sorted[i];
        }
    }
    r->seeds = sorted;
    for (uint32_t i = 0; i < reading->n_runs; i++) {
        reading->runs[i].seed = seed_index(r, reading->seeds[i]);
    }
    // Seeds of independent points never meet.
    r->common = r->n_points > 1 && r->n_seeds < reading->n_runs;
    return true;
}

static int read_run_rows(struct recommendation *r, struct reading *reading)
{
    struct results_statement s;
    struct results_text sql;

    results_text_init(&sql);
    runs_query(r->question, &sql);
    if (sql.failed) {
        results_text_release(&sql);
        return SQLITE_NOMEM;
    }
    init_statement(r, &s, results_text_string(&sql));
    results_text_release(&sql);
    while (reading->missing == NULL && reading->n_runs < reading->capacity &&
           results_statement_row(&s)) {
        add_run(r, reading, s.statement);
    }
    return results_statement_release(&s);
}

static int read_runs(struct recommendation *r, const struct scenario_metric **missing)
{
    struct reading reading = {NULL, NULL, 0, 0, 0, NULL};
    struct results_statement s;
    int64_t count = 0;
    int code;

    init_statement(r, &s,
                   "SELECT count(*) FROM run JOIN point ON point.id = run.point_id WHERE"
                   " point.sweep_id = ?1" OF_PROFILE);
    if (results_statement_row(&s)) {
        count = sqlite3_column_int64(s.statement, 0);
    }
    code = results_statement_release(&s);
    if (code != SQLITE_OK || count > UINT32_MAX / 2) {
        return code != SQLITE_OK ? code : SQLITE_TOOBIG;
    }
    reading.capacity = (uint32_t)count;
    reading.runs = recommend_alloc(r, reading.capacity, sizeof(*reading.runs));
    reading.seeds = recommend_alloc(r, reading.capacity, sizeof(*reading.seeds));
    if (reading.runs == NULL || reading.seeds == NULL) {
        return SQLITE_NOMEM;
    }
    code = read_run_rows(r, &reading);
    *missing = reading.missing;
    if (code == SQLITE_OK && !number_seeds(r, &reading)) {
        code = SQLITE_NOMEM;
    }
    return code;
}

static int read_versions(struct recommendation *r)
{
    struct results_statement s;

    init_statement(r, &s,
                   "SELECT group_concat(recoup, ', ') FROM (SELECT DISTINCT recoup FROM run"
                   " JOIN point ON point.id = run.point_id WHERE point.sweep_id = ?1"
                   " ORDER BY 1)");
    if (results_statement_row(&s)) {
        r->versions = column_copy(r, &s, 0);
    }
    return results_statement_release(&s);
}

static enum recommend_status not_measured(struct recommendation *r,
                                          const struct scenario_metric *missing)
{
    results_text_format(&r->database.message,
                        "%s: %s was not computed for the runs of '%s'; add `measure: [delay]` to "
                        "the sweep and run it again",
                        r->database.path, missing->name, r->sweep);
    return RECOMMEND_USAGE;
}

enum recommend_status recommend_read(struct recommendation *r, const char *path)
{
    const struct scenario_metric *missing = NULL;
    enum recommend_status status = open_file(r, path);
    int code;

    if (status == RECOMMEND_FOUND) {
        status = choose_sweep(r);
    }
    if (status != RECOMMEND_FOUND) {
        return status;
    }
    code = read_points(r);
    if (code == SQLITE_OK && r->n_points == 0) {
        results_text_format(&r->database.message, "%s: the sweep '%s' has no runs%s%s yet", path,
                            r->sweep, r->question->profile != NULL ? " of the profile " : "",
                            r->question->profile != NULL ? r->question->profile : "");
        return RECOMMEND_USAGE;
    }
    code = code == SQLITE_OK ? read_axes(r) : code;
    code = code == SQLITE_OK ? read_runs(r, &missing) : code;
    code = code == SQLITE_OK ? read_versions(r) : code;
    if (code != SQLITE_OK) {
        results_database_fail(&r->database, code);
        return RECOMMEND_OUTSIDE;
    }
    return missing != NULL ? not_measured(r, missing) : RECOMMEND_FOUND;
}

// --- details of the answer -----------------------------------------------------------------------

static int read_causes(struct recommendation *r, const struct recommend_point *point)
{
    struct results_statement s;

    results_statement_init(&s, r->database.connection,
                           "SELECT cause, total(ns) FROM lost_work WHERE run_id IN (SELECT id FROM"
                           " run WHERE point_id = ?) GROUP BY cause ORDER BY 2 DESC, 1");
    results_statement_i64(&s, point->id);
    while (results_statement_row(&s)) {
        for (uint32_t c = 0; c < MODEL_CAUSE_COUNT && r->n_causes < MODEL_CAUSE_COUNT; c++) {
            if (strcmp(column_text(&s, 0), model_cause_name((enum model_cause)c)) == 0) {
                r->causes[r->n_causes++] = (struct recommend_cause){
                    (enum model_cause)c, sqlite3_column_double(s.statement, 1) / point->n_runs};
            }
        }
    }
    return results_statement_release(&s);
}

static int read_phases(struct recommendation *r, const struct recommend_point *point)
{
    struct results_statement s;
    struct results_text sql;

    results_text_init(&sql);
    results_text_add(&sql, "SELECT total(outage_ns)");
    for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
        results_text_format(&sql, ", total(%s_ns)", model_phase_name((enum model_phase)p));
    }
    results_text_add(&sql, " FROM failover WHERE run_id IN (SELECT id FROM run WHERE"
                           " point_id = ?1)");
    if (sql.failed) {
        results_text_release(&sql);
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, r->database.connection, results_text_string(&sql));
    results_text_release(&sql);
    results_statement_i64(&s, point->id);
    if (results_statement_row(&s)) {
        r->outage = sqlite3_column_double(s.statement, 0) / point->n_runs;
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
            r->phases[p] = sqlite3_column_double(s.statement, 1 + (int)p) / point->n_runs;
        }
    }
    return results_statement_release(&s);
}

static int read_findings(struct recommendation *r, const struct recommend_point *point)
{
    struct results_statement s;
    const uint32_t most = 256; // more than there are pairs of invariant and hazard

    r->findings = recommend_alloc(r, most, sizeof(*r->findings));
    if (r->findings == NULL) {
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, r->database.connection,
                           "SELECT invariant, coalesce(hazard, ''), count(DISTINCT run_id) FROM"
                           " finding WHERE run_id IN (SELECT id FROM run WHERE point_id = ?)"
                           " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2");
    results_statement_i64(&s, point->id);
    while (r->n_findings < most && results_statement_row(&s)) {
        struct recommend_finding *finding = &r->findings[r->n_findings++];

        finding->invariant = column_copy(r, &s, 0);
        finding->hazard = column_copy(r, &s, 1);
        finding->runs = (uint32_t)sqlite3_column_int64(s.statement, 2);
    }
    return results_statement_release(&s);
}

int recommend_read_point(struct recommendation *r, uint32_t point)
{
    const struct recommend_point *p = &r->points[point];
    struct results_statement s;
    int code = read_causes(r, p);

    code = code == SQLITE_OK ? read_phases(r, p) : code;
    code = code == SQLITE_OK ? read_findings(r, p) : code;
    if (code != SQLITE_OK) {
        return code;
    }
    results_statement_init(&s, r->database.connection, "SELECT scenario FROM point WHERE id = ?");
    results_statement_i64(&s, p->id);
    if (results_statement_row(&s)) {
        r->scenario = column_copy(r, &s, 0);
    }
    return results_statement_release(&s);
}
