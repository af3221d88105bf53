// SPDX-License-Identifier: Apache-2.0
//
// A batch master that survives being killed, in one file. It runs a toy job of two stages on one
// worker with four slots: 40 subtasks "map", whose outputs 8 subtasks "reduce" all read. A subtask
// is a timer that writes a small file; the files stand for the partitions that workers hold, so
// they outlive the master, as workers do.
//
//     master DIRECTORY [MILLISECONDS_PER_SUBTASK]
//
// Kill it and start it again with the same directory: it goes on where it was. docs/embedding.md
// walks through this file.
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include <recoup/recoup_host.h>

enum { MAP, REDUCE, STAGES };
enum { MAPS = 40, REDUCES = 8, SLOTS = 4, WORKER = 0, HELD_MAX = 1000,
       RESETS_MAX = 16, ANSWERS_MAX = 16 };

struct slot { // runs one attempt
    uv_timer_t timer;
    struct master *master;
    bool busy;
    uint32_t stage, subtask;
    uint64_t attempt;
};

struct master {
    struct recoup_host_engine engine; // first: commands are given a pointer to it
    uv_loop_t loop;
    struct recoup_host *host;
    const char *directory;
    uint64_t task_ms;
    uint64_t epoch;
    uint32_t attempts; // begun by this master
    bool running;      // RECOVERED (or there is nothing to recover) has come
    bool report;       // answers that wait for next_event
    uint32_t snapshots[ANSWERS_MAX], n_snapshots;
    uint32_t resets[RESETS_MAX], n_resets;
    struct recoup_partition held[HELD_MAX]; // the worker's partitions, for its report
    struct slot slots[SLOTS];
    int exit_code;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "master: %s: %s\n", what, why);
    exit(1);
}

static struct master *master_of(struct recoup_host_engine *engine)
{
    return (struct master *)engine;
}

// ---------------------------------------------------------------------------------------------
// The worker: outputs are files DIRECTORY/out/<stage>.<subtask>.<attempt>.

static void output_path(const struct master *m, char *path, size_t size, uint32_t stage,
                        uint32_t subtask, uint64_t attempt)
{
    snprintf(path, size, "%s/out/%" PRIu32 ".%" PRIu32 ".%" PRIx64, m->directory, stage, subtask,
             attempt);
}

static void write_output(const struct master *m, const struct slot *slot)
{
    char path[4096];
    FILE *file;

    output_path(m, path, sizeof path, slot->stage, slot->subtask, slot->attempt);
    file = fopen(path, "w");
    if (file == NULL || fprintf(file, "output\n") < 0 || fclose(file) != 0) {
        die(path, strerror(errno));
    }
}

// All partitions that the worker holds: what WORKER_REPORT is for (duty D9).
static uint32_t list_outputs(struct master *m)
{
    char path[4096];
    DIR *stream;
    const struct dirent *entry;
    uint32_t n = 0;

    snprintf(path, sizeof path, "%s/out", m->directory);
    stream = opendir(path);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        struct recoup_partition partition = {.bytes = 7, .worker = WORKER};

        if (sscanf(entry->d_name, "%" SCNu32 ".%" SCNu32 ".%" SCNx64, &partition.stage,
                   &partition.subtask, &partition.attempt) == 3
            && partition.stage == MAP) {
            if (n == HELD_MAX) {
                die(path, "holds too many outputs");
            }
            m->held[n++] = partition;
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    return n;
}

// ---------------------------------------------------------------------------------------------
// Scheduling. The library owns what is finished; this master only knows what runs (duty D6).

static void schedule(struct master *m);

static void on_finished(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    struct master *m = slot->master;
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    uint64_t number;
    int error;

    write_output(m, slot);
    slot->busy = false;
    event.subtask_finished.stage = slot->stage;
    event.subtask_finished.subtask = slot->subtask;
    event.subtask_finished.attempt = slot->attempt;
    event.subtask_finished.worker = WORKER;
    event.subtask_finished.bytes = 7;
    event.subtask_finished.has_partition = slot->stage == MAP;
    error = recoup_host_step(m->host, &event, &number);
    if (error != 0) {
        die("finish", recoup_strerror(error));
    }
    printf("finished %" PRIu32 ".%" PRIu32 " event %" PRIu64 "\n", slot->stage, slot->subtask,
           number);
    schedule(m);
}

static bool is_running(const struct master *m, uint32_t stage, uint32_t subtask)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (m->slots[i].busy && m->slots[i].stage == stage && m->slots[i].subtask == subtask) {
            return true;
        }
    }
    return false;
}

// The next subtask that may start: a reduce needs every map.
static bool find_ready(const struct master *m, uint32_t *stage, uint32_t *subtask)
{
    const struct recoup_job *job = recoup_host_job(m->host);
    struct recoup_stage info;
    struct recoup_subtask state;

    for (*stage = MAP; *stage < STAGES; ++*stage) {
        recoup_stage(job, *stage, &info);
        for (*subtask = 0; *subtask < info.parallelism; ++*subtask) {
            recoup_subtask(job, *stage, *subtask, &state);
            if (!state.finished && !state.resetting && !is_running(m, *stage, *subtask)) {
                return true;
            }
        }
        if (info.finished < info.parallelism || !info.initialized) {
            return false;
        }
    }
    return false;
}

// The job's end must be durable before its log goes: a master that is killed in between would find
// neither, and run the job again.
static void commit_result(const struct master *m)
{
    char path[4096], fresh[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/result", m->directory);
    snprintf(fresh, sizeof fresh, "%s/result.new", m->directory);
    file = fopen(fresh, "w");
    if (file == NULL || fprintf(file, "done\n") < 0 || fflush(file) != 0
        || fsync(fileno(file)) != 0 || fclose(file) != 0 || rename(fresh, path) != 0) {
        die(path, strerror(errno));
    }
}

static void schedule(struct master *m)
{
    struct recoup_stage reduce;

    if (!m->running) {
        return;
    }
    recoup_stage(recoup_host_job(m->host), REDUCE, &reduce);
    if (reduce.initialized && reduce.finished == reduce.parallelism) {
        m->running = false;
        commit_result(m);
        if (recoup_host_stop(m->host, true) != 0) { // now the log may go
            die("stop", "refused");
        }
        return;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &m->slots[i];
        if (!slot->busy && find_ready(m, &slot->stage, &slot->subtask)) {
            slot->busy = true;
            slot->attempt = m->epoch << 32 | ++m->attempts; // duty D8: never used before
            uv_timer_start(&slot->timer, on_finished, m->task_ms, 0);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Answers. A command must not step, so what it is answered with waits here.

static bool next_event(struct recoup_host_engine *engine, struct recoup_event *event)
{
    struct master *m = master_of(engine);

    if (m->report) {
        event->type = RECOUP_EVENT_WORKER_REPORT;
        event->worker_report.worker = WORKER;
        event->worker_report.partitions = m->held;
        event->worker_report.n_partitions = list_outputs(m);
        return true;
    }
    if (m->n_resets > 0) {
        event->type = RECOUP_EVENT_RESETS_DONE;
        event->resets_done.reset = m->resets[m->n_resets - 1];
        return true;
    }
    if (m->n_snapshots > 0) { // of the shuffle master, which has no state here
        event->type = RECOUP_EVENT_SNAPSHOT;
        event->snapshot.snapshot = m->snapshots[m->n_snapshots - 1];
        event->snapshot.coordinator = RECOUP_SHUFFLE;
        return true;
    }
    return false;
}

static void stepped(struct recoup_host_engine *engine, const struct recoup_event *event, int error,
                    uint64_t number)
{
    struct master *m = master_of(engine);

    (void)number;
    if (error == RECOUP_ENOMEM) {
        return; // it will be given again
    }
    if (error != 0) {
        die("answer", recoup_strerror(error));
    }
    if (event->type == RECOUP_EVENT_WORKER_REPORT) {
        m->report = false;
    } else if (event->type == RECOUP_EVENT_RESETS_DONE) {
        m->n_resets--;
    } else {
        m->n_snapshots--;
    }
}

static void take_snapshot(struct recoup_host_engine *engine, uint32_t snapshot,
                          uint32_t coordinator)
{
    struct master *m = master_of(engine);

    if (coordinator != RECOUP_SHUFFLE || m->n_snapshots == ANSWERS_MAX) {
        die("snapshot", "not expected");
    }
    m->snapshots[m->n_snapshots++] = snapshot;
}

static void reset_subtasks(struct recoup_host_engine *engine, uint32_t reset, bool confirm,
                           const struct recoup_reset_range *ranges, uint32_t n_ranges)
{
    struct master *m = master_of(engine);

    for (uint32_t i = 0; i < n_ranges; i++) {
        struct recoup_range range = ranges[i].range;
        printf("reset %" PRIu32 ".%" PRIu32 "+%" PRIu32 "\n", range.stage, range.first,
               range.count);
        for (unsigned s = 0; s < SLOTS; s++) { // duties D11 and D13: what runs there is cancelled
            struct slot *slot = &m->slots[s];
            if (slot->busy && slot->stage == range.stage && slot->subtask >= range.first
                && slot->subtask - range.first < range.count) {
                uv_timer_stop(&slot->timer);
                slot->busy = false;
            }
        }
    }
    if (confirm && m->n_resets == RESETS_MAX) {
        die("reset", "too many at once");
    }
    if (confirm) {
        m->resets[m->n_resets++] = reset;
    }
}

// ---------------------------------------------------------------------------------------------
// What the master is told

static void initialize_stage(struct recoup_host_engine *engine, uint32_t stage,
                             uint32_t parallelism)
{
    (void)engine;
    printf("stage %" PRIu32 " had %" PRIu32 " subtasks\n", stage, parallelism);
}

static void mark_finished(struct recoup_host_engine *engine, const struct recoup_range *range)
{
    (void)engine;
    for (uint32_t i = range->first; i < range->first + range->count; i++) {
        printf("kept %" PRIu32 ".%" PRIu32 "\n", range->stage, i);
    }
}

static void restore_coordinator(struct recoup_host_engine *engine, uint32_t coordinator,
                                const void *data, size_t size)
{
    (void)engine;
    (void)data;
    printf("coordinator %" PRIu32 " gets %zu bytes\n", coordinator, size);
}

static void ask_workers(struct recoup_host_engine *engine, bool on)
{
    master_of(engine)->report = on;
}

static void track(struct recoup_host_engine *engine, const struct recoup_partition *partitions,
                  uint32_t n_partitions)
{
    (void)engine;
    (void)partitions;
    printf("tracks %" PRIu32 " partitions\n", n_partitions);
}

static void release(struct recoup_host_engine *engine, const struct recoup_partition *partitions,
                    uint32_t n_partitions)
{
    char path[4096];

    for (uint32_t i = 0; i < n_partitions; i++) { // duty D10: only now may the bytes go
        output_path(master_of(engine), path, sizeof path, partitions[i].stage,
                    partitions[i].subtask, partitions[i].attempt);
        unlink(path);
    }
    printf("released %" PRIu32 " partitions\n", n_partitions);
}

static void durable(struct recoup_host_engine *engine, uint64_t event)
{
    (void)engine;
    printf("durable %" PRIu64 "\n", event);
}

static void throttle(struct recoup_host_engine *engine, bool on)
{
    (void)engine; // four slots never fill the 64 MiB that may wait; a larger engine holds back here
    printf("throttle %s\n", on ? "on" : "off");
}

static void protection_lost(struct recoup_host_engine *engine, int error)
{
    (void)engine;
    printf("unprotected: %s\n", recoup_strerror(error));
}

static void protection_restored(struct recoup_host_engine *engine)
{
    (void)engine;
    printf("protected again\n");
}

// Runs behind the commands, on the loop, since commands must not step.
static void begin(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    struct master *m = slot->master;
    struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};
    struct recoup_stage stage;

    m->running = true;
    for (uint32_t s = 0; s < STAGES; s++) {
        recoup_stage(recoup_host_job(m->host), s, &stage);
        event.stage_initialized.stage = s;
        event.stage_initialized.parallelism = s == MAP ? MAPS : REDUCES;
        if (!stage.initialized && recoup_host_step(m->host, &event, NULL) != 0) {
            die("initialize", "refused");
        }
    }
    schedule(m);
}

static void recovered(struct recoup_host_engine *engine, enum recoup_recovered_kind kind,
                      bool initialize_possible, bool check_completion)
{
    struct master *m = master_of(engine);
    struct recoup_stats stats;

    (void)initialize_possible; // begin() does both whenever it can be done
    (void)check_completion;
    recoup_stats(recoup_host_job(m->host), &stats);
    printf("%s: %" PRIu64 " of %d subtasks are finished\n",
           kind == RECOUP_RECOVERED_LOG ? "recovered" : "nothing to recover",
           stats.finished_recovered, MAPS + REDUCES);
    uv_timer_start(&m->slots[0].timer, begin, 0, 0);
}

static void recovery_failed(struct recoup_host_engine *engine, int error)
{
    struct master *m = master_of(engine);

    printf("the log cannot be used: %s\n", recoup_strerror(error));
    if (error == RECOUP_EFENCED) {
        die("another master leads", "duty D12: this one ends");
    }
    uv_timer_start(&m->slots[0].timer, begin, 0, 0); // from scratch, unprotected
}

// The master before this one ended the job, and died while it removed the log. Its result is
// durable: it made it so before it ended the job.
static void job_ended(struct recoup_host_engine *engine)
{
    (void)engine;
    printf("an earlier master has ended the job\n");
}

static void stopped(struct recoup_host_engine *engine, int error)
{
    struct master *m = master_of(engine);

    printf("the job has ended\n");
    if (error != 0) { // nothing is lost: a next master would remove the rest
        printf("its log is still there: %s\n", recoup_strerror(error));
    }
    m->exit_code = 0;
    recoup_host_destroy(m->host, NULL, NULL);
    for (unsigned i = 0; i < SLOTS; i++) {
        uv_close((uv_handle_t *)&m->slots[i].timer, NULL);
    }
}

static void storage_error(struct recoup_host_engine *engine,
                          const struct recoup_host_failure *failure)
{
    (void)engine;
    fprintf(stderr, "master: %s %s/%s: %s\n", failure->call, failure->directory, failure->file,
            strerror(failure->os_error));
}

static const struct recoup_host_engine commands = {
    next_event,    stepped,         take_snapshot,      initialize_stage, mark_finished,
    restore_coordinator, reset_subtasks, ask_workers,   track,            release,
    durable,       throttle,        protection_lost,    protection_restored, recovered,
    recovery_failed, job_ended,     stopped,            storage_error,
    NULL,          NULL, // the only worker lives with its master: it never comes too late
};

// ---------------------------------------------------------------------------------------------
// Leadership. A real master gets its epoch from its leader election; a file that is counted up
// before anything else stands for it (duty D7: greater than that of every earlier master).

static uint64_t next_epoch(const char *directory)
{
    char path[4096], fresh[4096];
    uint64_t epoch = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/epoch", directory);
    snprintf(fresh, sizeof fresh, "%s/epoch.new", directory);
    file = fopen(path, "r");
    if (file != NULL && fscanf(file, "%" SCNu64, &epoch) != 1) {
        die(path, "is damaged");
    }
    if (file != NULL) {
        fclose(file);
    }
    file = fopen(fresh, "w");
    if (file == NULL || fprintf(file, "%" PRIu64 "\n", ++epoch) < 0 || fclose(file) != 0
        || rename(fresh, path) != 0) {
        die(path, strerror(errno));
    }
    return epoch;
}

static void prepare(struct master *m, const char *directory)
{
    char path[4096];

    m->engine = commands;
    m->directory = directory;
    m->exit_code = 1;
    snprintf(path, sizeof path, "%s/out", directory);
    if ((mkdir(directory, 0777) != 0 && errno != EEXIST)
        || (mkdir(path, 0777) != 0 && errno != EEXIST)) {
        die(directory, strerror(errno));
    }
    snprintf(path, sizeof path, "%s/result", directory);
    if (access(path, F_OK) == 0) {
        printf("the job had ended\n");
        exit(0);
    }
    m->epoch = next_epoch(directory);
    uv_loop_init(&m->loop);
    for (unsigned i = 0; i < SLOTS; i++) {
        m->slots[i].master = m;
        uv_timer_init(&m->loop, &m->slots[i].timer);
        m->slots[i].timer.data = &m->slots[i];
    }
}

int main(int argc, char **argv)
{
    static const struct recoup_stage_spec stages[STAGES] = {{MAPS, 0}, {REDUCES, 0}};
    static const struct recoup_edge_spec edges[] = {{MAP, REDUCE, RECOUP_ALL_TO_ALL}};
    struct recoup_graph graph = {.digest = "toy job, plan 1", // identity of the job and its plan
                                 .n_stages = STAGES, .stages = stages,
                                 .n_edges = 1, .edges = edges};
    struct recoup_options options;
    struct recoup_host_config config = {.graph = &graph, .options = &options};
    struct recoup_event start = {.type = RECOUP_EVENT_START};
    struct master m = {.task_ms = argc > 2 ? strtoull(argv[2], NULL, 10) : 10};
    char log[4096];

    if (argc < 2 || argc > 4 || argv[1][0] == '-') {
        fprintf(stderr, "usage: master DIRECTORY [MILLISECONDS_PER_SUBTASK [RECORDING]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    prepare(&m, argv[1]);
    recoup_options_init(&options, RECOUP_PROFILE_HARDENED);
    options.recovery_enabled = true;
    options.flush_interval_ns = 20000000; // 20 ms: what a kill may cost
    snprintf(log, sizeof log, "%s/log", argv[1]);
    config.loop = &m.loop;
    config.directory = log;
    config.durability = RECOUP_HOST_MACHINE_AT_FLUSH;
    config.engine = &m.engine;
    config.recording = argc > 3 ? argv[3] : NULL; // for `recoup store replay`
    start.start.epoch = m.epoch;
    if (recoup_host_create(&config, &m.host) != 0
        || recoup_host_step(m.host, &start, NULL) != 0) {
        die("start", "refused");
    }
    printf("master of epoch %" PRIu64 "\n", m.epoch);
    uv_run(&m.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&m.loop) == 0 ? m.exit_code : 1;
}
