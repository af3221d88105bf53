// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole runs with one master crash half-way and the real recovery code hosted: a chain of ten
// all-to-all stages with a source, on HDFS, over 100 and 10,000 workers. Subtasks a second, events
// a second, bytes of memory a subtask, with the invariants off and on, interleaved. Seconds are
// processor time. JSON on standard output.
#define _POSIX_C_SOURCE 200809L
#include "bench/bench.h"

#include "models/run.h"

#define SECOND INT64_C(1000000000)
#define STAGES 10u

static const char *const stage_names[STAGES] = {"s0", "s1", "s2", "s3", "s4",
                                                "s5", "s6", "s7", "s8", "s9"};

struct world {
    struct model_config config;
    struct model_stage stages[STAGES];
    struct model_input inputs[STAGES];
    struct model_fault fault;
};

static void laws(struct model_config *c)
{
    sim_law_constant(&c->cluster.deploy, 200 * 1000000);
    sim_law_constant(&c->cluster.restart, 60 * SECOND);
    sim_law_constant(&c->master.start, 8 * SECOND);
    sim_law_constant(&c->master.restart, 20 * SECOND);
    sim_law_constant(&c->ha.detect, 10 * SECOND);
    sim_law_constant(&c->network_latency, 500 * 1000);
    for (int i = 0; i < MODEL_STORAGE_OPS; i++)
        c->storage.latency[i] =
            (struct sim_law){.kind = SIM_LAW_LOGNORMAL, .a = 1000000, .b = 530000000};
}

static void build(struct world *b, uint32_t subtasks, uint32_t workers)
{
    struct model_config *c = &b->config;

    memset(b, 0, sizeof(*b));
    for (uint32_t i = 0; i < STAGES; i++) {
        struct model_stage *s = &b->stages[i];
        memcpy(s->name, stage_names[i], 3);
        s->parallelism = subtasks / STAGES;
        s->duration = (struct sim_law){.kind = SIM_LAW_LOGNORMAL, .a = 10 * SECOND, .b = 400000000};
        sim_law_constant(&s->output, 64 << 20);
        b->inputs[i] = (struct model_input){i - 1, RECOUP_ALL_TO_ALL};
        s->inputs = &b->inputs[i];
        s->n_inputs = i > 0 ? 1 : 0;
    }
    b->stages[0].source = (struct model_source){true, 1000, 200};
    b->stages[0].coordinator = (struct model_coordinator){true, true, 0};
    c->name = "bench";
    c->seed = 1;
    recoup_options_init(&c->options, RECOUP_PROFILE_FLINK_1_20);
    c->options.recovery_enabled = true;
    c->worker_policy.recovery_enabled = true;
    c->stages = b->stages;
    c->n_stages = STAGES;
    c->release_partitions = true;
    c->cluster.workers = workers;
    c->cluster.slots = 8;
    c->master.standby = true;
    c->ha.kind = MODEL_HA_FIXED;
    c->storage.kind = MODEL_STORAGE_HDFS;
    c->storage.durable_at = RECOUP_DURABLE_AT_FLUSH;
    c->timeouts = (struct model_timeouts){10 * SECOND, 50 * SECOND,  2,
                                          SECOND / 10, 30 * SECOND,  10 * SECOND,
                                          30 * SECOND, 300 * SECOND, 10 * SECOND};
    laws(c);
    c->faults = &b->fault;
    c->n_faults = 1;
    b->fault = (struct model_fault){.kind = MODEL_FAULT_KILL,
                                    .process = MODEL_PROCESS_MASTER,
                                    .trigger = MODEL_TRIGGER_AT_SHARE};
    sim_law_constant(&b->fault.law, 500000000);
}

struct figures {
    double subtasks_per_s, events_per_s, bytes_per_subtask;
};

static struct figures once(const struct world *b, struct sim_arena *arena, int64_t faultless_ns,
                           enum model_invariants invariants)
{
    struct model_run_options options = {.invariants = invariants,
                                        .faultless_makespan_ns = faultless_ns};
    struct model_result result;
    struct figures f;

    int64_t from_ns = bench_cpu_ns();
    bench_require(model_run(&b->config, &options, arena, &result) == 0, "the run failed");
    double seconds = (double)(bench_cpu_ns() - from_ns) * 1e-9;
    bench_require(result.state == MODEL_JOB_FINISHED && result.n_failovers == 1,
                  "the job did not finish");
    // Flink's behaviour leaves outputs on workers after a recovery (W4 through H34), which is
    // found.
    for (uint32_t i = 0; i < result.n_findings; i++)
        bench_require(result.findings[i].hazard != NULL, "there is an unexplained finding");
    f.subtasks_per_s = (double)result.tasks / seconds;
    f.events_per_s = (double)result.events / seconds;
    f.bytes_per_subtask = (double)result.memory_bytes / (double)result.tasks;
    model_result_release(&result);
    return f;
}

static int64_t faultless(const struct world *b, struct sim_arena *arena)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_OFF, .without_faults = true};
    struct model_result result;

    bench_require(model_run(&b->config, &options, arena, &result) == 0,
                  "the fault-free run failed");
    int64_t makespan_ns = result.makespan_ns;
    model_result_release(&result);
    return makespan_ns;
}

// Medians, and the best round: the one that other work on the machine disturbed least.
static void measure(uint32_t subtasks, uint32_t workers, uint32_t rounds, bool last)
{
    double off[BENCH_ROUNDS_MAX], on[BENCH_ROUNDS_MAX], events[BENCH_ROUNDS_MAX],
        ratio[BENCH_ROUNDS_MAX];
    struct sim_arena arena, arena_on;
    struct figures f = {0};
    struct world *b = malloc(sizeof(*b));

    bench_require(b != NULL, "out of memory");
    build(b, subtasks, workers);
    sim_arena_init(&arena, 0);
    sim_arena_init(&arena_on, 0);
    int64_t faultless_ns = faultless(b, &arena);
    double bytes = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        f = once(b, &arena, faultless_ns, MODEL_INVARIANTS_OFF);
        bytes = f.bytes_per_subtask;
        off[i] = f.subtasks_per_s;
        events[i] = f.events_per_s;
        on[i] = once(b, &arena_on, faultless_ns, MODEL_INVARIANTS_ON).subtasks_per_s;
        ratio[i] = on[i] / off[i];
    }
    double off_median = bench_median(off, rounds);
    double on_median = bench_median(on, rounds);
    printf("  {\"subtasks\": %u, \"workers\": %u, \"rounds\": %u, \"subtasks_per_s\": %.0f, "
           "\"events_per_s\": %.0f, "
           "\"subtasks_per_s_with_invariants\": %.0f, \"with_to_without_invariants\": %.3f, "
           "\"bytes_per_subtask\": %.1f,\n"
           "   \"best_subtasks_per_s\": %.0f, \"best_subtasks_per_s_with_invariants\": %.0f}%s\n",
           subtasks, workers, rounds, off_median, bench_median(events, rounds), on_median,
           bench_median(ratio, rounds), bytes, off[rounds - 1], on[rounds - 1], last ? "" : ",");
    sim_arena_release(&arena);
    sim_arena_release(&arena_on);
    free(b);
}

int main(int argc, char **argv)
{
    bool quick = bench_quick(argc, argv);
    static const struct {
        uint32_t subtasks, workers, rounds;
    } points[] = {{10000, 100, 31},    {10000, 10000, 31}, {100000, 100, 21},
                  {100000, 10000, 21}, {1000000, 100, 5},  {1000000, 10000, 5}};
    uint32_t n = quick ? 2 : sizeof(points) / sizeof(points[0]);

    printf("{\"benchmark\": \"run\", \"results\": [\n");
    for (uint32_t i = 0; i < n; i++)
        measure(points[i].subtasks, points[i].workers, quick ? 3 : points[i].rounds, i + 1 == n);
    printf("]}\n");
    return 0;
}
