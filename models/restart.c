// SPDX-License-Identifier: GPL-3.0-or-later
//
// The restart strategies (flink-recovery.md 6.2), one state per master, as that of a JobMaster.
#include "models/master.h"
#include "models/wide.h"
#include "models/world.h"

#include "sim/banned.h"

#define FAILURES_SHIFT 6u // 64 failures a chunk

void restart_init(struct model_world *w)
{
    SIM_ASSERT(w->arena != NULL);
    sim_chunks_init(&w->master.failure_times, w->arena, sizeof(int64_t), FAILURES_SHIFT);
    restart_begin(w);
}

void restart_begin(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    sim_chunks_truncate(&m->failure_times, 0);
    m->restarts = 0;
    m->backoff_ns = 0;
    m->failures = 0;
    SIM_ASSERT(sim_chunks_count(&m->failure_times) == 0);
}

// Of each failure and the `attempts` before it, the first must be longer ago than the interval.
static bool allowed_by_rate(struct model_world *w, const struct model_restart *rule)
{
    struct sim_chunks *times = &w->master.failure_times;
    uint64_t n = sim_chunks_count(times);
    int64_t *time_ns = sim_chunks_push(times);

    SIM_ASSERT(rule->kind == MODEL_RESTART_FAILURE_RATE);
    if (time_ns == NULL) {
        w->error = SIM_ENOMEM;
        return true;
    }
    *time_ns = w->now_ns;
    w->master.restart_delay_ns = rule->delay_ns;
    if (n < rule->attempts)
        return true;
    const int64_t *first_ns = sim_chunks_at(times, n - rule->attempts);
    SIM_ASSERT(*first_ns <= w->now_ns);
    return w->now_ns - *first_ns > rule->interval_ns;
}

static int64_t next_backoff_ns(const struct model_master_state *m, const struct model_restart *rule)
{
    uint64_t next = wide_muldiv((uint64_t)m->backoff_ns, (uint64_t)rule->backoff_multiplier_nano,
                                SIM_LAW_NANO);

    SIM_ASSERT(m->backoff_ns > 0);
    SIM_ASSERT(rule->delay_max_ns > 0);
    return next > (uint64_t)rule->delay_max_ns ? rule->delay_max_ns : (int64_t)next;
}

// Failures until the restart that is due are one with the failure that it is due for. The quiet
// time is counted from that restart.
static bool allowed_by_backoff(struct model_world *w, const struct model_restart *rule)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(rule->kind == MODEL_RESTART_EXPONENTIAL_DELAY);
    if (m->backoff_ns > 0 && w->now_ns <= m->restart_ns) {
        SIM_ASSERT(m->restarts > 0);
        m->restart_delay_ns = m->restart_ns - w->now_ns;
        return true; // as that one was
    }
    if (m->backoff_ns == 0 || w->now_ns - m->restart_ns >= rule->reset_threshold_ns) {
        m->backoff_ns = rule->delay_ns;
        m->restarts = 0;
    } else {
        m->backoff_ns = next_backoff_ns(m, rule);
    }
    m->restart_ns = w->now_ns + m->backoff_ns;
    m->restart_delay_ns = m->backoff_ns;
    m->restarts++;
    return rule->attempts == 0 || m->restarts <= rule->attempts;
}

bool restart_allowed(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    const struct model_restart *rule = &w->config->restart;

    SIM_ASSERT(m->alive);
    if (m->failure_ns == w->now_ns && m->failures > 0)
        return true; // several consequences of one failure count once
    m->failure_ns = w->now_ns;
    m->failures++;
    m->restart_delay_ns = rule->delay_ns;
    if (rule->kind == MODEL_RESTART_NONE)
        return false;
    if (rule->kind == MODEL_RESTART_FIXED_DELAY)
        return m->restarts++ < rule->attempts;
    if (rule->kind == MODEL_RESTART_FAILURE_RATE)
        return allowed_by_rate(w, rule);
    return allowed_by_backoff(w, rule);
}
