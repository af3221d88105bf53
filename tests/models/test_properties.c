// SPDX-License-Identifier: GPL-3.0-or-later
//
// Properties of random small worlds, in both profiles and with single policies turned: two runs are
// equal, the ledgers close, under the hardened profile nothing is ever broken and the job comes to
// an end that its faults explain, under Flink's every finding has a hazard; and what follows
// without knowing any result (faults-and-invariants.md, M): recovery changes no fault-free result,
// k times all durations is k times all times, and neither a worker that is never used nor a fault
// that never fires changes anything.
//
//     models_test_properties [FILTER] [worlds=N] [from=N]
//
// runs N worlds of each kind from the given one on. A world that breaks a property is shrunk, in
// child processes, since it may also break an assertion.
#include "models/support_tape.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__)
#define WORLDS 100u
#else
#define WORLDS 300u
#endif
#define SHRINK_TRIES 3000u
#define REPORTS_MAX 5u
#define SCALE 4 // M2: divides the bandwidths of the tape

static uint32_t worlds = WORLDS, first_world = 1;
static volatile sig_atomic_t at_work; // the world under test, for whoever reads the core

struct failure {
    char property[24]; // "" if none
    char text[400];
};

static void fail_with(struct failure *f, const char *property, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail_with(struct failure *f, const char *property, const char *format, ...)
{
    va_list arguments;

    if (f->property[0] != '\0')
        return; // the first counts
    snprintf(f->property, sizeof(f->property), "%s", property);
    va_start(arguments, format);
    vsnprintf(f->text, sizeof(f->text), format, arguments);
    va_end(arguments);
}

// --- properties of one result -------------------------------------------------------------------

static void check_ledgers(const struct model_test *t, struct failure *f)
{
    const struct model_result *r = &t->result;
    int64_t lost_by_cause_ns = 0, outage_ns = 0;

    for (int cause = 0; cause < MODEL_CAUSE_COUNT; cause++)
        lost_by_cause_ns += lost_ns(t, (enum model_cause)cause);
    for (uint32_t i = 0; i < r->n_failovers; i++)
        for (int p = 0; p < MODEL_PHASE_COUNT; p++) {
            if (r->failovers[i].phase_ns[p] < 0)
                fail_with(f, "ledgers", "phase %d of outage %u is negative", p, (unsigned)i);
            outage_ns += r->failovers[i].phase_ns[p];
        }
    if (lost_by_cause_ns != r->lost_ns || r->useful_ns + r->lost_ns != r->busy_ns)
        fail_with(f, "ledgers", "busy %lld, useful %lld, lost %lld, by cause %lld ns",
                  (long long)r->busy_ns, (long long)r->useful_ns, (long long)r->lost_ns,
                  (long long)lost_by_cause_ns);
    if (outage_ns != r->outage_ns)
        fail_with(f, "ledgers", "the phases sum up to %lld ns, the outages to %lld",
                  (long long)outage_ns, (long long)r->outage_ns);
    if (r->recording_ns + r->unprotected_ns > r->makespan_ns)
        fail_with(f, "ledgers", "recording and unprotected are more than the makespan");
}

static void check_findings(const struct tape *tape, const struct model_test *t, struct failure *f)
{
    bool none = tape->knob[TAPE_PROFILE] == 0 && !tape_is_flipped(tape);

    for (uint32_t i = 0; i < t->result.n_findings; i++) {
        const struct model_finding *finding = &t->result.findings[i];
        if (none || finding->hazard == NULL)
            fail_with(f, finding->invariant, "%s (%s) at %.9f s: %s", finding->invariant,
                      finding->hazard != NULL ? finding->hazard : "unexplained",
                      (double)finding->at_ns * 1e-9, finding->message);
    }
}

// What struck, summed up.
struct struck {
    uint64_t masters, workers, store_errors;
    uint64_t cut_off; // of the masters
    bool for_ever;    // some fault never ceases
};

static struct struck what_struck(const struct model_test *t)
{
    struct struck all = {0, 0, 0, 0, false};

    for (uint32_t i = 0; i < t->result.n_fired; i++) {
        const struct model_fault *fault = &t->faults[i];
        uint64_t times = t->result.fired[i].times;
        if (fault->kind == MODEL_FAULT_STORE_ERROR)
            all.store_errors += times;
        else if (fault->process == MODEL_PROCESS_MASTER)
            all.masters += times;
        else
            all.workers += times;
        all.cut_off += fault->kind == MODEL_FAULT_PARTITION ? times : 0;
        all.for_ever = all.for_ever || fault->trigger == MODEL_TRIGGER_EVERY;
    }
    return all;
}

// True if a recovery waited so long for the storage that it failed.
static bool waited_in_vain(const struct model_test *t)
{
    int64_t limit_ns = t->config.accept_ns > 0 ? t->config.accept_ns : 300 * SECOND;

    for (uint32_t i = 0; i < t->result.n_failovers; i++)
        if (t->result.failovers[i].phase_ns[MODEL_PHASE_RECONCILE] >= limit_ns)
            return true;
    return false;
}

static bool is_explained(const struct model_test *t)
{
    const struct model_config *c = &t->config;
    struct struck all = what_struck(t);
    bool limited = c->restart.kind == MODEL_RESTART_NONE ||
                   c->restart.kind == MODEL_RESTART_FAILURE_RATE || c->restart.attempts == 1;

    switch (t->result.state) {
    case MODEL_JOB_FINISHED:
        return true;
    case MODEL_JOB_FAILED: // no leader is elected, or the restart strategy gives up, as it also
                           // does when the log cannot be opened or read
        return (all.masters > 0 && c->ha.kind == MODEL_HA_NONE) ||
               (limited && (all.workers > 0 || all.store_errors > 0 || waited_in_vain(t)));
    case MODEL_JOB_SUSPENDED:
        return all.masters > 0 && !c->master.standby && c->master.restart_never;
    case MODEL_JOB_TIMEOUT:
        return all.for_ever || (c->cluster.restart_never && all.workers >= c->cluster.workers);
    case MODEL_JOB_RUNNING:
        break;
    }
    return false;
}

static void check_end(const struct tape *tape, const struct model_test *t, struct failure *f)
{
    bool hardened = tape->knob[TAPE_PROFILE] == 0 && !tape_is_flipped(tape);
    bool excused = t->result.n_findings > 0;

    if (t->result.state == MODEL_JOB_RUNNING)
        fail_with(f, "end", "the run ends while its job runs");
    // Under Flink's policies a finding or a failed replay (H11) may come before a bad end.
    if (!is_explained(t) && (hardened || (!excused && t->result.state == MODEL_JOB_TIMEOUT)))
        fail_with(f, "end", "the job ends %s at %.9f s for no reason",
                  model_job_state_name(t->result.state), (double)t->result.makespan_ns * 1e-9);
}

static void check_result(const struct tape *tape, const struct model_test *t, struct failure *f)
{
    check_ledgers(t, f);
    check_findings(tape, t, f);
    check_end(tape, t, f);
}

// --- comparing results --------------------------------------------------------------------------

static void must_run(int error, struct failure *f)
{
    if (error != 0)
        fail_with(f, "error", "a run ends with error %d", error);
}

static void compare_layers(const struct model_result *a, const struct model_result *b,
                           const char *property, struct failure *f)
{
    for (int layer = 0; layer < 6; layer++)
        if (memcmp(a->layers[layer], b->layers[layer], 16) != 0)
            fail_with(f, property, "layer F%d differs (events %llu and %llu)", layer + 1,
                      (unsigned long long)a->events, (unsigned long long)b->events);
    if (memcmp(a->fingerprint, b->fingerprint, 16) != 0)
        fail_with(f, property, "the fingerprint differs");
}

// All that the work of a job leaves, `scale` times in b, up to a tolerance; without I/O.
static void compare_work(const struct model_result *a, const struct model_result *b, int64_t scale,
                         int64_t tolerance_ns, const char *property, struct failure *f)
{
    const int64_t times[][2] = {{a->makespan_ns, b->makespan_ns}, {a->busy_ns, b->busy_ns},
                                {a->useful_ns, b->useful_ns},     {a->lost_ns, b->lost_ns},
                                {a->orphaned_ns, b->orphaned_ns}, {a->outage_ns, b->outage_ns}};
    static const char *const names[] = {"makespan", "busy", "useful", "lost", "orphaned", "outage"};

    if (a->state != b->state || a->attempts != b->attempts || a->tasks_rerun != b->tasks_rerun ||
        a->finished_forgotten != b->finished_forgotten || a->n_failovers != b->n_failovers)
        fail_with(f, property,
                  "%s with %llu attempts, %llu re-run, %u failovers against %s with "
                  "%llu, %llu, %u",
                  model_job_state_name(a->state), (unsigned long long)a->attempts,
                  (unsigned long long)a->tasks_rerun, (unsigned)a->n_failovers,
                  model_job_state_name(b->state), (unsigned long long)b->attempts,
                  (unsigned long long)b->tasks_rerun, (unsigned)b->n_failovers);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        int64_t off_ns = times[i][1] - times[i][0] * scale;
        if (off_ns > tolerance_ns || off_ns < -tolerance_ns)
            fail_with(f, property, "%s is %.9f s and %.9f s", names[i], (double)times[i][0] * 1e-9,
                      (double)times[i][1] * 1e-9);
    }
}

// --- the same world once more -------------------------------------------------------------------

static void check_again(const struct model_test *t, int64_t faultless_ns,
                        enum model_invariants invariants, const char *property, struct failure *f)
{
    struct model_run_options options = {.invariants = invariants,
                                        .faultless_makespan_ns = faultless_ns};
    struct sim_arena arena;
    struct model_result result = {0};

    sim_arena_init(&arena, 0);
    must_run(model_run(&t->config, &options, &arena, &result), f);
    compare_layers(&t->result, &result, property, f);
    model_result_release(&result);
    sim_arena_release(&arena);
}

// Ties in another order: another history, in which the same must hold.
static void check_ties(const struct tape *tape, int64_t faultless_ns, uint64_t tie_seed,
                       struct failure *f)
{
    struct model_run_options options = {.faultless_makespan_ns = faultless_ns,
                                        .tie_seed = tie_seed};
    struct failure found = {{0}, {0}};
    struct model_test t;

    tape_build(tape, &t);
    must_run(model_run(&t.config, &options, &t.arena, &t.result), &found);
    if (found.property[0] == '\0')
        check_result(tape, &t, &found);
    if (found.property[0] != '\0')
        fail_with(f, found.property, "with ties permuted by %llu: %.300s",
                  (unsigned long long)tie_seed, found.text);
    world_drop(&t);
}

// --- metamorphic properties ---------------------------------------------------------------------

static void run_twin(struct model_test *t, bool without_faults, int64_t faultless_ns,
                     struct failure *f)
{
    struct model_run_options options = {.without_faults = without_faults,
                                        .faultless_makespan_ns = faultless_ns};

    must_run(model_run(&t->config, &options, &t->arena, &t->result), f);
}

// M1: without faults, recovery only costs I/O; the first master looks for a log before it starts.
static void check_recovery_is_free(const struct tape *tape, struct failure *f)
{
    struct model_test on, off;

    tape_build(tape, &on);
    tape_build(tape, &off);
    off.config.options.recovery_enabled = false;
    off.config.worker_policy.recovery_enabled = false;
    on.config.storage.latency[MODEL_STORAGE_MKDIR] = constant(0);
    on.config.storage.latency[MODEL_STORAGE_CREATE] = constant(0); // of the claim
    on.config.storage.latency[MODEL_STORAGE_CLOSE] = constant(0);
    on.config.storage.latency[MODEL_STORAGE_LIST] = constant(0);
    run_twin(&on, true, 0, f);
    run_twin(&off, true, 0, f);
    if (f->property[0] == '\0')
        compare_work(&on.result, &off.result, 1, 0, "M1", f);
    world_drop(&on);
    world_drop(&off);
}

static void scale_law(struct sim_law *law)
{
    assert_int_equal(law->kind, SIM_LAW_CONSTANT);
    law->a *= SCALE;
}

static void scale_config(struct model_test *t)
{
    struct model_config *c = &t->config;
    int64_t *const times[] = {&c->options.snapshot_min_pause_ns,
                              &c->options.worker_recovery_timeout_ns,
                              &c->options.flush_interval_ns,
                              &c->options.worker_detection_ns,
                              &c->options.policy[RECOUP_POLICY_SNAPSHOT_TIMEOUT],
                              &c->timeouts.heartbeat_interval_ns,
                              &c->timeouts.heartbeat_timeout_ns,
                              &c->timeouts.registration_initial_timeout_ns,
                              &c->timeouts.registration_max_timeout_ns,
                              &c->timeouts.registration_error_delay_ns,
                              &c->timeouts.registration_refused_delay_ns,
                              &c->timeouts.worker_registration_timeout_ns,
                              &c->timeouts.slot_timeout_ns,
                              &c->restart.delay_ns,
                              &c->restart.interval_ns,
                              &c->restart.delay_max_ns,
                              &c->restart.reset_threshold_ns,
                              &c->accept_ns,
                              &c->stop_at_ns};
    struct sim_law *const laws[] = {&c->cluster.deploy, &c->cluster.restart, &c->cluster.reconnect,
                                    &c->master.start,   &c->master.restart,  &c->ha.detect,
                                    &c->network_latency};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        *times[i] *= SCALE;
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
        scale_law(laws[i]);
    for (int op = 0; op < MODEL_STORAGE_OPS; op++)
        scale_law(&c->storage.latency[op]);
    for (uint32_t s = 0; s < c->n_stages; s++)
        scale_law(&t->stages[s].duration);
    for (uint32_t i = 0; i < c->n_faults; i++) {
        scale_law(&t->faults[i].law);
        t->faults[i].grace_ns *= SCALE;
        t->faults[i].unaware_ns *= SCALE;
    }
    c->storage.bandwidth /= SCALE;
}

// M2: what is random or fixed in time is taken out of the world first.
static void check_scale(const struct tape *tape, struct failure *f)
{
    struct tape fixed = *tape;
    struct model_test small, large;

    tape_make_constant(&fixed);
    tape_build(&fixed, &small);
    tape_build(&fixed, &large);
    scale_config(&large);
    run_twin(&small, false, 0, f);
    run_twin(&large, false, 0, f);
    if (f->property[0] == '\0') {
        compare_work(&small.result, &large.result, SCALE, SCALE * 100, "M2", f);
        if (memcmp(small.result.layers[3], large.result.layers[3], 16) != 0)
            fail_with(f, "M2", "the states differ (F4)");
    }
    world_drop(&small);
    world_drop(&large);
}

// M4: with as many slots as there can be attempts, the last worker is never used.
static void check_idle_worker(const struct tape *tape, struct failure *f)
{
    struct tape fixed = *tape;
    struct model_test few, more;

    tape_make_constant(&fixed);
    tape_build(&fixed, &few);
    tape_build(&fixed, &more);
    few.config.cluster.slots = more.config.cluster.slots = 200;
    more.config.cluster.workers++;
    for (uint32_t i = 0; i < few.config.n_faults; i++)
        if (few.faults[i].process == MODEL_PROCESS_WORKER)
            few.config.n_faults = more.config.n_faults = 0;
    run_twin(&few, false, 0, f);
    run_twin(&more, false, 0, f);
    if (f->property[0] == '\0') {
        compare_work(&few.result, &more.result, 1, 0, "M4", f);
        for (int layer = 2; layer < 5; layer++)
            if (memcmp(few.result.layers[layer], more.result.layers[layer], 16) != 0)
                fail_with(f, "M4", "layer F%d differs", layer + 1);
    }
    world_drop(&few);
    world_drop(&more);
}

// True if leaving out a fault before it would change the draws of this one.
static bool draws(const struct model_fault *fault)
{
    return fault->law.kind != SIM_LAW_CONSTANT || fault->target == MODEL_TARGET_RANDOM;
}

// M9: the first fault that did not fire is left out.
static void check_idle_fault(const struct tape *tape, const struct model_test *t,
                             int64_t faultless_ns, struct failure *f)
{
    struct model_test without;
    uint32_t idle = 0;

    while (idle < t->result.n_fired && t->result.fired[idle].fired)
        idle++;
    if (idle == t->result.n_fired)
        return;
    for (uint32_t i = idle + 1; i < t->config.n_faults; i++)
        if (draws(&t->faults[i]))
            return;
    tape_build(tape, &without);
    without.config.n_faults--;
    for (uint32_t i = idle; i < without.config.n_faults; i++)
        without.faults[i] = without.faults[i + 1];
    run_twin(&without, false, faultless_ns, f);
    if (f->property[0] == '\0') {
        compare_work(&t->result, &without.result, 1, 0, "M9", f);
        for (int layer = 2; layer < 6; layer++)
            if (memcmp(t->result.layers[layer], without.result.layers[layer], 16) != 0)
                fail_with(f, "M9", "layer F%d differs without fault %u", layer + 1, (unsigned)idle);
    }
    world_drop(&without);
}

// --- one world ----------------------------------------------------------------------------------

static void check_world(const struct tape *tape, struct failure *f)
{
    struct model_run_options options = {.invariants = MODEL_INVARIANTS_ON};
    struct model_test t;

    memset(f, 0, sizeof(*f));
    tape_build(tape, &t);
    must_run(model_run_pair(&t.config, &options, &t.arena, &t.result, &t.faultless_ns), f);
    if (t.faultless_ns == 0)
        t.faultless_ns = 1; // known to be nothing, as model_run_pair has it
    if (f->property[0] == '\0')
        check_result(tape, &t, f);
    if (f->property[0] == '\0') {
        check_again(&t, t.faultless_ns, MODEL_INVARIANTS_ON, "again", f);
        check_again(&t, t.faultless_ns, MODEL_INVARIANTS_OFF, "invariants-off", f);
        check_ties(tape, t.faultless_ns, t.config.seed, f);
        check_recovery_is_free(tape, f);
        check_scale(tape, f);
        check_idle_worker(tape, f);
        check_idle_fault(tape, &t, t.faultless_ns, f);
    }
    world_drop(&t);
}

// --- reporting ----------------------------------------------------------------------------------

// What a failed assertion of models/ (abort) and of recovery/ (trap) raise.
static const int signals[] = {SIGABRT, SIGILL, SIGTRAP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

// Exit code of a child that found the property that the parent looks for.
enum { CHILD_GOOD, CHILD_BAD = 3, CHILD_OTHER };

// True if the world breaks the property of `context`, or an assertion if that names none.
static bool still_bad(const struct tape *tape, void *context)
{
    const struct failure *wanted = context;
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct failure found;
        if (wanted->property[0] == '\0')
            (void)!freopen("/dev/null", "w", stderr);
        for (size_t i = 0; i < SIGNALS; i++)
            signal(signals[i], SIG_DFL);
        check_world(tape, &found);
        _exit(found.property[0] == '\0'                       ? CHILD_GOOD
              : strcmp(found.property, wanted->property) == 0 ? CHILD_BAD
                                                              : CHILD_OTHER);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (wanted->property[0] == '\0')
        return WIFSIGNALED(status) || WEXITSTATUS(status) == 1; // abort, or the sanitizer
    return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_BAD;
}

static void report(const struct tape *tape, uint32_t seed, const struct failure *f)
{
    struct tape small = *tape;
    struct failure found = *f;
    struct model_test t;
    char line[2048];

    tape_build(tape, &t);
    tape_describe(tape, &t, line, sizeof(line));
    world_drop(&t);
    print_error("world %u: %s: %s\n  drawn:  %s\n", (unsigned)seed,
                f->property[0] != '\0' ? f->property : "assertion", f->text, line);
    tape_shrink(&small, still_bad, &found, SHRINK_TRIES);
    if (f->property[0] != '\0')
        check_world(&small, &found);
    tape_build(&small, &t);
    tape_describe(&small, &t, line, sizeof(line));
    world_drop(&t);
    print_error("  shrunk: %s\n  there:  %s\n", line, found.text);
}

// An assertion of the program failed: says in which world, and shrinks it, before the end.
static struct tape tape_at_work;

static void aborted(int number)
{
    struct failure none = {{0}, {0}};

    signal(number, SIG_DFL);
    report(&tape_at_work, (uint32_t)at_work, &none);
    raise(number);
}

static void many(uint8_t profile, void (*turn)(struct tape *tape, uint64_t seed))
{
    uint32_t bad = 0;

    for (size_t i = 0; i < SIGNALS; i++)
        signal(signals[i], aborted);
    for (uint32_t seed = first_world; seed - first_world < worlds && bad < REPORTS_MAX; seed++) {
        struct failure f;
        at_work = (sig_atomic_t)seed;
        tape_generate(&tape_at_work, seed, profile);
        if (turn != NULL)
            turn(&tape_at_work, seed);
        check_world(&tape_at_work, &f);
        if (f.property[0] == '\0')
            continue;
        report(&tape_at_work, seed, &f);
        bad++;
    }
    for (size_t i = 0; i < SIGNALS; i++)
        signal(signals[i], SIG_DFL);
    assert_u64(bad, 0);
}

static void HardenedWorldsBreakNothing(void **state)
{
    (void)state;
    many(0, NULL);
}

static void FindingsUnderFlinkHaveHazards(void **state)
{
    (void)state;
    many(1, NULL);
}

static void HardenedWorldsWithPoliciesTurnedOff(void **state)
{
    (void)state;
    many(0, tape_flip);
}

static void FlinkWorldsWithPoliciesTurnedOn(void **state)
{
    (void)state;
    many(1, tape_flip);
}

// A user may take any policy from either profile.
static void AnyMixOfPolicies(void **state)
{
    (void)state;
    many(0, tape_mix);
}

// The generator reaches what it is there for; else the tests above would mean little.
static void TheWorldsAreOfAllKinds(void **state)
{
    struct struck all = {0, 0, 0, 0, false};
    uint32_t states[MODEL_JOB_TIMEOUT + 1] = {0}, failovers = 0, again = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 90; seed++) {
        struct tape tape;
        struct model_test t;
        tape_generate(&tape, seed, 0);
        tape_build(&tape, &t);
        run(&t);
        struct struck here = what_struck(&t);
        all.masters += here.masters;
        all.workers += here.workers;
        all.store_errors += here.store_errors;
        all.cut_off += here.cut_off;
        states[t.result.state]++;
        failovers += t.result.n_failovers;
        again += t.result.tasks_rerun > 0 ? 1u : 0u;
        world_drop(&t);
    }
    assert_true(all.cut_off > 10);
    assert_true(all.masters > 30 && all.workers > 30 && all.store_errors > 10);
    assert_true(states[MODEL_JOB_FINISHED] > 30 && states[MODEL_JOB_FAILED] > 0);
    assert_true(failovers > 30 && again > 10);
}

// --- worlds that once broke a property ----------------------------------------------------------

static void AShareOfNoTimeAtAllIsTheStart(void **state)
{
    struct model_test t;

    (void)state;
    world_of(&t, 1, 1);
    stage(&t, "only", 1, constant(0));
    kill_master_at(&t, 500000000)->trigger = MODEL_TRIGGER_AT_SHARE;
    run(&t);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    assert_time_ns(t.faultless_ns, 0);
    assert_true(t.result.fired[0].fired);
    assert_time_ns(t.result.fired[0].at_ns, 0);
    no_findings(&t);
    world_drop(&t);
}

// The map's finish is written without a snapshot, since the master stops. Master 2 has marked it as
// finished and dies while it waits for the worker; master 3 does so again.
static void ARecoveryThatIsNotConcludedLeavesNoMarks(void **state)
{
    struct model_test t;
    struct model_fault *stop;
    uint32_t map, reduce;

    (void)state;
    world_of(&t, 1, 1);
    recoup_options_init(&t.config.options, RECOUP_PROFILE_HARDENED);
    t.config.options.recovery_enabled = true;
    t.config.worker_policy.retention_by_job = true;
    t.config.cluster.reconnect = constant(3 * SECOND);
    t.config.cluster.reconnect_given = true;
    map = stage(&t, "map", 1, constant(SECOND));
    reduce = stage(&t, "reduce", 1, constant(SECOND));
    reads(&t, reduce, map, RECOUP_POINTWISE);
    stop = kill_master_at(&t, 0);
    stop->kind = MODEL_FAULT_TERMINATE;
    stop->trigger = MODEL_TRIGGER_WHEN;
    stop->share_nano = SIM_LAW_NANO;
    stop->grace_ns = SECOND;
    kill_master_at(&t, 2 * SECOND);
    run(&t);
    assert_int_equal(t.result.failovers[0].result, MODEL_FAILOVER_FAILED);
    assert_u64(t.result.failovers[1].finished_recovered, 1);
    assert_time_ns(t.result.makespan_ns, 6 * SECOND); // the worker is back at 2 s + 3 s
    no_findings(&t);
    world_drop(&t);
}

// A master that has lost the leadership without knowing it wants its next file, which cannot be
// created: that is not the file which it had while it led.
static void AFileThatAZombieCannotCreateIsNotTheLeaders(void **state)
{
    struct tape tape;
    struct failure f;

    (void)state;
    for (uint32_t flipped = 0; flipped < 2; flipped++) {
        tape_generate(&tape, 50221, 1);
        if (flipped == 1)
            tape_flip(&tape, 50221);
        check_world(&tape, &f);
        assert_text(f.property, "");
    }
}

// Hardened, with coordinators whose snapshots soon make the log long enough for a compaction.
static void waves_with_state(struct model_test *t, uint32_t waves)
{
    world_of(t, 2, 2);
    recoup_options_init(&t->config.options, RECOUP_PROFILE_HARDENED);
    t->config.options.recovery_enabled = true;
    t->config.worker_policy.retention_by_job = true;
    t->config.worker_policy.retention_timer_keyed = true;
    t->config.storage.latency[MODEL_STORAGE_REMOVE] = constant(SECOND / 2);
    t->config.stop_at_ns = 1000 * SECOND;
    for (uint32_t i = 0; i < waves; i++) {
        uint32_t s = stage(t, "wave", 4, constant(SECOND));
        if (i > 0)
            reads(t, s, s - 1, RECOUP_ALL_TO_ALL);
        t->stages[s].coordinator = (struct model_coordinator){true, true, 100000};
    }
}

// The master is told to stop while it removes a file that a checkpoint has replaced.
static void AStopDuringARemovalEndsIt(void **state)
{
    struct model_test t;
    struct model_fault *stop;

    (void)state;
    waves_with_state(&t, 4);
    stop = kill_master_at(&t, 0);
    stop->kind = MODEL_FAULT_TERMINATE;
    stop->trigger = MODEL_TRIGGER_ON;
    stop->op = MODEL_STORAGE_REMOVE;
    stop->nth = 1;
    stop->grace_ns = SECOND;
    run(&t);
    assert_true(t.result.fired[0].fired);
    assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
    no_findings(&t);
    world_drop(&t);
}

// One master dies within the checkpoint of a compaction, a later one while it removes the files
// that its own has replaced: the log may then begin with the checkpoint that was never completed.
static void ALogMayBeginWithADeadCheckpoint(void **state)
{
    uint32_t removals = 0;

    (void)state;
    for (uint64_t append = 4; append <= 24; append++) {
        for (uint64_t removal = 1; removal <= 3; removal++) {
            struct model_test t;
            struct model_fault *f;
            waves_with_state(&t, 6);
            f = kill_master_at(&t, 0);
            f->trigger = MODEL_TRIGGER_ON;
            f->op = MODEL_STORAGE_APPEND;
            f->nth = append;
            f = kill_master_at(&t, 0);
            f->trigger = MODEL_TRIGGER_ON;
            f->op = MODEL_STORAGE_REMOVE;
            f->nth = removal;
            f->moment = MODEL_MOMENT_AFTER;
            run_seed(&t, 1);
            removals += t.result.fired[1].fired ? 1u : 0u;
            assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
            no_findings(&t);
            world_drop(&t);
        }
    }
    assert_true(removals > 20);
}

// Syncs fail, so the master begins again and again with a checkpoint; what a killed one leaves of
// it is not a log with a hole.
static void AnIncompleteCheckpointIsNoHole(void **state)
{
    (void)state;
    for (int64_t at_ns = 30 * SECOND; at_ns < 60 * SECOND; at_ns += SECOND / 4) {
        struct model_test t;
        struct model_fault *f;
        waves_with_state(&t, 0);
        t.config.cluster.workers = 4;
        t.config.cluster.slots = 1;
        t.config.cluster.deploy = constant(3 * SECOND);
        t.config.options.snapshot_min_pause_ns = 0;
        t.config.options.write_buffer_bytes = 300;
        t.config.accept_ns = 1000 * SECOND; // a recovery outlasts the errors
        t.config.storage.kind = MODEL_STORAGE_POSIX;
        t.config.storage.durable_at = RECOUP_DURABLE_AT_SYNC;
        for (int op = 0; op < MODEL_STORAGE_OPS; op++)
            t.config.storage.latency[op] = constant(2 * SECOND);
        stage(&t, "first", 8, uniform(0, 5 * SECOND));
        stage(&t, "second", 9, constant(SECOND));
        stage(&t, "third", 2, constant(10 * SECOND));
        f = kill_master_at(&t, 0);
        f->kind = MODEL_FAULT_STORE_ERROR;
        f->trigger = MODEL_TRIGGER_ON;
        f->op = MODEL_STORAGE_SYNC;
        f->nth = 3;
        f->error = RECOUP_EIO;
        f->count = 20;
        kill_master_at(&t, at_ns);
        run_seed(&t, 1);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        no_findings(&t);
        world_drop(&t);
    }
}

// The next stage ends, and with it the next checkpoint begins, while a file that the last one has
// replaced is still being removed.
static void ACheckpointMayBeginDuringARemoval(void **state)
{
    (void)state;
    for (int64_t slow = 1; slow <= 5; slow++) {
        struct model_test t;
        world_of(&t, 2, 2);
        recoup_options_init(&t.config.options, RECOUP_PROFILE_HARDENED);
        t.config.options.recovery_enabled = true;
        t.config.options.snapshot_min_pause_ns = 0; // so that a stage's log outgrows a checkpoint
        t.config.worker_policy.retention_by_job = true;
        t.config.storage.latency[MODEL_STORAGE_REMOVE] = constant(slow * SECOND / 2);
        for (uint32_t i = 0; i < 8; i++) {
            uint32_t s = stage(&t, "wave", 16, constant(SECOND / 4));
            if (i > 0)
                reads(&t, s, s - 1, RECOUP_ALL_TO_ALL);
            t.stages[s].coordinator = (struct model_coordinator){true, true, 100000};
        }
        run(&t);
        assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
        assert_true(t.result.io.requests[MODEL_STORAGE_REMOVE] > 0);
        no_findings(&t);
        world_drop(&t);
    }
}

// A subtask finishes while the checkpoint of a compaction waits for room to write its boundary, a
// snapshot of 250 kB: its record then stands before a boundary that does not cover it, which only
// the mark behind it says. The master dies soon after.
static void AMarkTakesAFinishOutOfTheBoundary(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        for (uint64_t append = 6; append <= 11; append++) {
            struct model_test t;
            struct model_fault *f;
            uint32_t many_splits;
            waves_with_state(&t, 0);
            t.config.cluster.slots = 3;
            t.config.options.flush_interval_ns = 3 * SECOND;
            t.config.options.snapshot_min_pause_ns = 180 * SECOND;
            t.config.storage.kind = MODEL_STORAGE_NFS;
            t.config.storage.durable_at = RECOUP_DURABLE_AT_SYNC;
            for (int op = 0; op < MODEL_STORAGE_OPS; op++)
                t.config.storage.latency[op] = constant(SECOND / 2);
            many_splits = stage(&t, "scan", 8, exponential(6 * SECOND));
            source(&t, many_splits, 2486, true);
            source(&t, stage(&t, "small", 1, constant(0)), 500, true);
            f = kill_master_at(&t, 0);
            f->trigger = MODEL_TRIGGER_ON;
            f->op = MODEL_STORAGE_APPEND;
            f->nth = append;
            run_seed(&t, seed);
            assert_int_equal(t.result.state, MODEL_JOB_FINISHED);
            no_findings(&t);
            world_drop(&t);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(AFileThatAZombieCannotCreateIsNotTheLeaders),
        cmocka_unit_test(AShareOfNoTimeAtAllIsTheStart),
        cmocka_unit_test(ARecoveryThatIsNotConcludedLeavesNoMarks),
        cmocka_unit_test(AStopDuringARemovalEndsIt),
        cmocka_unit_test(ACheckpointMayBeginDuringARemoval),
        cmocka_unit_test(ALogMayBeginWithADeadCheckpoint),
        cmocka_unit_test(AnIncompleteCheckpointIsNoHole),
        cmocka_unit_test(AMarkTakesAFinishOutOfTheBoundary),
        cmocka_unit_test(TheWorldsAreOfAllKinds),
        cmocka_unit_test(HardenedWorldsBreakNothing),
        cmocka_unit_test(FindingsUnderFlinkHaveHazards),
        cmocka_unit_test(HardenedWorldsWithPoliciesTurnedOff),
        cmocka_unit_test(FlinkWorldsWithPoliciesTurnedOn),
        cmocka_unit_test(AnyMixOfPolicies),
    };
    int plain = 1;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "worlds=", 7) == 0)
            worlds = (uint32_t)strtoul(argv[i] + 7, NULL, 10);
        else if (strncmp(argv[i], "from=", 5) == 0)
            first_world = (uint32_t)strtoul(argv[i] + 5, NULL, 10);
        else
            argv[plain++] = argv[i];
    }
    return check_main(plain, argv, "models_properties", tests);
}
