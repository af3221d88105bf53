// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/writer.h"

#include <string.h>

#include "results/database_parts.h"

#define RUN_SCHEMA 1

static void run_insert_sql(struct results_text *sql)
{
    results_text_add(sql, "INSERT INTO run(run_key, point_id, replication, seed, state,"
                          " fingerprint, schema, recoup, scenario, profile, invariants,"
                          " expectations_met, findings_total");
    for (int layer = 1; layer <= 6; layer++) {
        results_text_format(sql, ", fingerprint_layers_F%d", layer);
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        results_text_format(sql, ", %s", results_column(i)->name);
    }
    results_text_add(sql, ") VALUES(?");
    results_text_repeat(sql, ", ?", 12 + 6 + RESULTS_COLUMN_COUNT);
    results_text_add(sql, ")");
}

int results_writer_init(struct results_writer *writer, struct results_database *database,
                        const char *version)
{
    struct sqlite3 *connection = database->connection;
    struct results_text sql;
    int code;

    memset(writer, 0, sizeof(*writer));
    writer->database = database;
    writer->version = version;
    results_text_init(&sql);
    run_insert_sql(&sql);
    results_statement_init(&writer->run, connection, results_text_string(&sql));
    code = sql.failed ? SQLITE_NOMEM : writer->run.code;
    results_text_release(&sql);
    _Static_assert(MODEL_PHASE_COUNT == 7, "the statement has a parameter for every phase");
    results_statement_init(&writer->lost, connection,
                           "INSERT INTO lost_work VALUES(?, ?, ?, ?, ?)");
    results_statement_init(&writer->failover, connection,
                           "INSERT INTO failover VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                           " ?)");
    results_statement_init(&writer->finding, connection,
                           "INSERT INTO finding VALUES(?, ?, ?, ?, ?, ?, ?)");
    results_statement_init(&writer->execution, connection,
                           "INSERT INTO execution VALUES(?, ?, ?, ?, ?, ?, ?)");
    return code == SQLITE_OK ? results_database_build(database, &writer->build) : code;
}

static void bind_run(struct results_statement *s, const char *version,
                     const struct results_record_facts *facts, const struct results_place *place)
{
    results_statement_text(s, place->run_key);
    results_statement_i64(s, place->point);
    results_statement_i64(s, place->replication);
    results_statement_u64(s, place->seed);
    results_statement_text(s, model_job_state_name((enum model_job_state)facts->state));
    results_statement_hex(s, facts->fingerprint, sizeof(facts->fingerprint));
    results_statement_i64(s, RUN_SCHEMA);
    results_statement_text(s, version);
    results_statement_text(s, facts->scenario);
    results_statement_text(s, results_profile_name((enum recoup_profile)facts->profile));
    results_statement_i64(s, facts->invariants_on);
    results_statement_i64(s, facts->expectations_met);
    results_statement_u64(s, facts->findings_total);
    for (uint32_t i = 0; i < 6; i++) {
        results_statement_hex(s, facts->layers[i], sizeof(facts->layers[i]));
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        if (facts->values[i].null) {
            results_statement_null(s);
        } else {
            results_statement_i64(s, facts->values[i].value);
        }
    }
}

static void add_lost_work(struct results_statement *s, const struct results_record *record,
                          int64_t id)
{
    for (uint32_t i = 0; i < record->facts.n_lost; i++) {
        const struct results_record_lost *lost = &record->lost[i];

        results_statement_i64(s, id);
        results_statement_text(s, lost->stage);
        results_statement_text(s, model_cause_name((enum model_cause)lost->cause));
        results_statement_i64(s, lost->ns);
        results_statement_u64(s, lost->attempts);
        results_statement_execute(s);
    }
}

static void add_failovers(struct results_statement *s, const struct results_record *record,
                          int64_t id)
{
    for (uint32_t i = 0; i < record->facts.n_failovers; i++) {
        const struct model_failover *f = &record->failovers[i];

        results_statement_i64(s, id);
        results_statement_i64(s, i);
        results_statement_i64(s, f->at_ns);
        results_statement_i64(s, f->outage_ns);
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
            results_statement_i64(s, f->phase_ns[p]);
        }
        results_statement_text(s, model_failover_result_name(f->result));
        results_statement_u64(s, f->events_replayed);
        results_statement_u64(s, f->finished_recovered);
        results_statement_u64(s, f->finished_forgotten);
        results_statement_execute(s);
    }
}

static void add_findings(struct results_statement *s, const struct results_record *record,
                         int64_t id)
{
    for (uint32_t i = 0; i < record->facts.n_findings; i++) {
        const struct results_record_finding *f = &record->findings[i];

        results_statement_i64(s, id);
        results_statement_i64(s, i);
        results_statement_text(s, f->invariant);
        results_statement_text(s, f->hazard[0] != '\0' ? f->hazard : NULL);
        results_statement_i64(s, f->at_ns);
        results_statement_u64(s, f->event);
        results_statement_text(s, f->message);
        results_statement_execute(s);
    }
}

static void add_execution(struct results_writer *writer, const struct results_record *record,
                          const struct results_execution *execution, int64_t id)
{
    struct results_statement *s = &writer->execution;

    results_statement_i64(s, id);
    results_statement_i64(s, writer->build);
    results_statement_text(s, execution->started_at);
    results_statement_i64(s, execution->wall_ns);
    results_statement_u64(s, execution->process);
    results_statement_u64(s, record->facts.memory_bytes);
    results_statement_u64(s, record->facts.system_allocations);
    results_statement_execute(s);
}

int results_writer_add(struct results_writer *writer, const struct results_record *record,
                       const struct results_place *place, const struct results_execution *execution)
{
    const struct results_statement *const all[] = {&writer->run, &writer->lost, &writer->failover,
                                                   &writer->finding, &writer->execution};
    int64_t id;

    bind_run(&writer->run, writer->version, &record->facts, place);
    results_statement_execute(&writer->run);
    if (writer->run.code != SQLITE_OK) {
        return writer->run.code;
    }
    id = sqlite3_last_insert_rowid(writer->database->connection);
    add_lost_work(&writer->lost, record, id);
    add_failovers(&writer->failover, record, id);
    add_findings(&writer->finding, record, id);
    add_execution(writer, record, execution, id);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i]->code != SQLITE_OK) {
            return all[i]->code;
        }
    }
    return SQLITE_OK;
}

int results_writer_release(struct results_writer *writer)
{
    struct results_statement *const all[] = {&writer->run, &writer->lost, &writer->failover,
                                             &writer->finding, &writer->execution};
    int first = SQLITE_OK;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int code = results_statement_release(all[i]);

        first = first == SQLITE_OK ? code : first;
    }
    return first;
}
