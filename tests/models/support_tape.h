// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random small worlds, each from a tape of small integers ("knobs"): every knob stands for one
// property of the world at a fixed place, and 0 is always its simplest value. So a world that
// breaks a property is shrunk by turning knobs towards 0, whatever they stand for.
#ifndef TESTS_MODELS_SUPPORT_TAPE_H
#define TESTS_MODELS_SUPPORT_TAPE_H

#include "models/support_model.h"

#define TAPE_STAGES 6
#define TAPE_FAULTS 5

enum tape_knob {
    TAPE_PROFILE, // 0 hardened, 1 flink-1.20
    TAPE_SEED,
    TAPE_N_STAGES,
    TAPE_WORKERS,
    TAPE_SLOTS,
    TAPE_DEPLOY,
    TAPE_RESTART,
    TAPE_RECONNECT,
    TAPE_START,
    TAPE_STANDBY,
    TAPE_HA,
    TAPE_STORAGE,
    TAPE_STORE_LATENCY,
    TAPE_BANDWIDTH,
    TAPE_NETWORK,
    TAPE_MIN_PAUSE,
    TAPE_FLUSH,
    TAPE_BUFFER,
    TAPE_WAIT,
    TAPE_STRATEGY,
    TAPE_KEEP_PARTITIONS,
    TAPE_RECOVERY_OFF,
    TAPE_AUTO,
    TAPE_HEARTBEAT,
    TAPE_RETENTION,
    TAPE_SLOT_TIMEOUT,
    TAPE_STAGE, // the first knob of the first stage
    TAPE_STAGE_END = TAPE_STAGE + TAPE_STAGES * (8 + TAPE_STAGES) - 1,
    TAPE_FAULT, // the first knob of the first fault
    TAPE_FAULT_END = TAPE_FAULT + TAPE_FAULTS * 10 - 1,
    TAPE_ACCEPT, // how long a recovery may wait for the storage
    TAPE_POLICY, // 1: the policy has the other profile's value
    TAPE_WORKER_POLICY = TAPE_POLICY + RECOUP_POLICY_COUNT,
    TAPE_KNOBS = TAPE_WORKER_POLICY + 3
};

struct tape {
    uint8_t knob[TAPE_KNOBS];
};

struct tape_random {
    uint64_t state;
};

// 0 .. n - 1.
uint32_t tape_draw(struct tape_random *random, uint32_t n);

// Draws a world of a profile (0 hardened, 1 flink-1.20); no policy is flipped.
void tape_generate(struct tape *tape, uint64_t seed, uint8_t profile);
// Turns one to three of its policies to the other profile's value.
void tape_flip(struct tape *tape, uint64_t seed);
// Draws each of its policies from either profile.
void tape_mix(struct tape *tape, uint64_t seed);
bool tape_is_flipped(const struct tape *tape);

// Builds the world; dropped by world_drop.
void tape_build(const struct tape *tape, struct model_test *t);

// Takes out of the world what is random or not told by its config: laws, the election's phases,
// shares of the makespan, back-off after storage errors, and files closed by their age.
void tape_make_constant(struct tape *tape);

// One line about a world that was built.
void tape_describe(const struct tape *tape, const struct model_test *t, char *text, size_t size);

// Turns knobs towards 0 as long as `bad` says true of what comes out, for at most `tries` worlds.
void tape_shrink(struct tape *tape, bool (*bad)(const struct tape *tape, void *context),
                 void *context, uint32_t tries);

#endif
