// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page's part on lost work: the largest (cause, stage) pairs as bars.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "results/report.h"
#include "results/report_parts.h"
#include "results/units.h"

#define LOST_STAGE_COLUMNS 20u
#define LOST_TIME_COLUMNS 11u
#define LOST_COUNT_COLUMNS 16u

struct lost_row {
    uint32_t stage;
    enum model_cause cause;
    int64_t ns;
    uint64_t attempts;
};

struct lost_rows {
    // Largest first; equal ones in order of stage and cause.
    struct lost_row rows[REPORT_LOST_ROWS_MAX];
    uint32_t n_rows;
    uint32_t rows_max;
    uint64_t n_all; // pairs that occurred
    uint64_t attempts;
    int64_t rest_ns; // of the pairs without a row
};

const char *results_cause_meaning(enum model_cause cause)
{
    switch (cause) {
    case MODEL_CAUSE_SPECULATION:
        return "another attempt of the subtask was faster";
    case MODEL_CAUSE_TASK_FAILURE:
        return "the attempt failed by itself";
    case MODEL_CAUSE_WORKER_FAILURE:
        return "it was running on a worker that died";
    case MODEL_CAUSE_RUNNING_AT_CRASH:
        return "it was running when its master died";
    case MODEL_CAUSE_RECOVERY_DISABLED:
        return "it had finished, but recovery is off";
    case MODEL_CAUSE_RECOVERY_FAILED:
        return "it had finished, but replay failed and the job started over";
    case MODEL_CAUSE_RECORDING_STOPPED:
        return "it had finished, but the store had given up recording";
    case MODEL_CAUSE_NOT_RECORDED:
        return "it had finished, but its event was not yet durable";
    case MODEL_CAUSE_LOG_DAMAGED:
        return "it was recorded, but could not be read back";
    case MODEL_CAUSE_NOT_SNAPSHOTTED:
        return "it was recorded, but after the last recovery point";
    case MODEL_CAUSE_COORDINATOR_UNSUPPORTED:
        return "its stage's coordinator cannot be restored";
    case MODEL_CAUSE_WORKER_LATE:
        return "its worker still had the output, but reported too late";
    case MODEL_CAUSE_PARTITION_RELEASED:
        return "its worker lives, but has dropped the output";
    case MODEL_CAUSE_PARTITION_LOST:
        return "its output was lost with the worker";
    case MODEL_CAUSE_DOWNSTREAM_OF_RESET:
        return "it consumed output that was taken back";
    case MODEL_CAUSE_JOB_FAILED:
        return "the job did not finish";
    case MODEL_CAUSE_COUNT:
        break;
    }
    return "";
}

static void rows_insert(struct lost_rows *rows, const struct lost_row *row)
{
    uint32_t place = rows->n_rows;

    while (place > 0 && rows->rows[place - 1].ns < row->ns) {
        place--;
    }
    if (place == rows->rows_max) {
        rows->rest_ns += row->ns;
        return;
    }
    if (rows->n_rows == rows->rows_max) {
        rows->rest_ns += rows->rows[rows->rows_max - 1].ns;
        rows->n_rows--;
    }
    memmove(&rows->rows[place + 1], &rows->rows[place],
            (rows->n_rows - place) * sizeof(rows->rows[0]));
    rows->rows[place] = *row;
    rows->n_rows++;
}

static void rows_collect(struct lost_rows *rows, const struct model_result *r, uint32_t rows_max)
{
    memset(rows, 0, sizeof(*rows));
    rows->rows_max = rows_max < REPORT_LOST_ROWS_MAX ? rows_max : REPORT_LOST_ROWS_MAX;
    for (uint32_t stage = 0; stage < r->n_stages; stage++) {
        for (uint32_t cause = 0; cause < MODEL_CAUSE_COUNT; cause++) {
            const struct model_lost *lost = &r->lost[(size_t)stage * MODEL_CAUSE_COUNT + cause];
            struct lost_row row = {stage, (enum model_cause)cause, lost->ns, lost->attempts};

            if (lost->attempts > 0 || lost->ns > 0) {
                rows->n_all++;
                rows->attempts += lost->attempts;
                rows_insert(rows, &row);
            }
        }
    }
}

static void rows_print(struct results_page *page, const struct results_run *run,
                       const struct lost_rows *rows)
{
    const struct model_stage *stages = run->scenario->config.stages;
    // A subtask is lost once in a single failover; with more of them attempts are what is counted.
    const char *noun = run->result->n_failovers > 1 ? "attempt" : "subtask";
    uint32_t cause_columns = 0;
    uint32_t stage_columns = 0;
    uint32_t room;

    for (uint32_t i = 0; i < rows->n_rows; i++) {
        uint32_t cause = results_columns_of(model_cause_name(rows->rows[i].cause));
        uint32_t stage = results_columns_of(stages[rows->rows[i].stage].name);

        cause_columns = cause > cause_columns ? cause : cause_columns;
        stage_columns = stage > stage_columns ? stage : stage_columns;
    }
    stage_columns = stage_columns > LOST_STAGE_COLUMNS ? LOST_STAGE_COLUMNS : stage_columns;
    room = results_report_bar_room(page, 2 + cause_columns + 2 + stage_columns + 2 +
                                             1 + LOST_TIME_COLUMNS + LOST_COUNT_COLUMNS);
    for (uint32_t i = 0; i < rows->n_rows; i++) {
        char time[RESULTS_UNITS_SIZE];
        const struct lost_row *row = &rows->rows[i];

        results_text_add(page->text, "  ");
        results_page_left(page, model_cause_name(row->cause), cause_columns + 2);
        results_page_left(page, stages[row->stage].name, stage_columns);
        results_text_add(page->text, "  ");
        results_page_bar(page, (uint64_t)row->ns, (uint64_t)rows->rows[0].ns, room, RESULTS_YELLOW);
        results_text_add(page->text, room > 0 ? " " : "");
        results_page_right(page, results_duration(time, row->ns), LOST_TIME_COLUMNS);
        results_text_add(page->text, "  ");
        results_report_plural(page->text, row->attempts, noun);
        results_page_line(page);
    }
}

// What the largest causes mean, each once.
static void rows_explain(struct results_page *page, const struct lost_rows *rows,
                         uint32_t meanings_max, struct results_text *words)
{
    uint32_t explained = 0;

    for (uint32_t i = 0; i < rows->n_rows && explained < meanings_max; i++) {
        bool seen = false;

        for (uint32_t j = 0; j < i; j++) {
            seen = seen || rows->rows[j].cause == rows->rows[i].cause;
        }
        if (!seen) {
            results_text_format(words, "%s: %s", model_cause_name(rows->rows[i].cause),
                                results_cause_meaning(rows->rows[i].cause));
            results_page_wrap(page, "", 2, RESULTS_DIM, results_text_string(words));
            results_text_clear(words);
            explained++;
        }
    }
}

void results_report_lost_work(struct results_page *page, const struct results_run *run,
                              const struct report_limits *limits, struct results_text *words)
{
    struct lost_rows rows;
    char time[RESULTS_UNITS_SIZE];

    rows_collect(&rows, run->result, limits->lost_rows);
    if (rows.n_all == 0) {
        return;
    }
    results_page_line(page);
    results_text_format(words, "%s in ", results_slot_time(time, run->result->lost_ns));
    results_report_plural(words, rows.attempts, "attempt");
    results_report_paragraph(page, "Lost work", RESULTS_BOLD, words);
    rows_print(page, run, &rows);
    if (rows.n_all > rows.n_rows) {
        results_text_format(page->text, "  and %" PRIu64 " more with %s in all (--format json)\n",
                            rows.n_all - rows.n_rows, results_duration(time, rows.rest_ns));
    }
    rows_explain(page, &rows, limits->meanings, words);
}
