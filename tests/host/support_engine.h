// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small engine for tests of the real host: one stage without inputs, events given by the test or
// queued for next_event, every command noted. Each test has a folder of its own below TMPDIR.
#ifndef RECOUP_TESTS_HOST_SUPPORT_ENGINE_H
#define RECOUP_TESTS_HOST_SUPPORT_ENGINE_H

#include "check.h"

#include <uv.h>

#include "recovery/host/recoup_host.h"

#define MILLISECOND INT64_C(1000000)
#define ENGINE_SUBTASKS 512u
#define ENGINE_WAIT_MS 60000 // no test waits longer for anything

struct engine {
    struct recoup_host_engine host_engine; // first: commands get a pointer to it
    uv_loop_t loop;
    uv_timer_t guard;
    bool guarded;
    bool timed_out;
    struct recoup_host *host;
    struct recoup_host_config config;
    struct recoup_graph graph;
    struct recoup_stage_spec stage; // of ENGINE_SUBTASKS, or what a test sets before the start
    struct recoup_options options;
    char directory[256];
    uint64_t epoch;

    // Answers that wait for next_event.
    uint32_t snapshots[16];
    unsigned n_snapshots;
    uint32_t resets[16];
    unsigned n_resets;
    uint32_t finishes; // subtasks still to be finished by next_event
    uint32_t next;     // the first of them
    bool hold;         // nothing is answered

    // What was commanded.
    bool recovered;
    enum recoup_recovered_kind kind;
    int recovery_error;
    uint64_t accepted; // number of the last event that was recorded
    uint64_t durable;
    unsigned lost;
    int lost_error;
    unsigned restored;
    bool stopped;
    int stop_error;
    bool first; // START says that no master came before
    bool job_ended;
    bool destroyed;
    int nested; // result of a step from within a command
    unsigned failures;
    struct recoup_host_failure failure; // the last; its strings are copied below
    char failed_call[64];
    unsigned commands;
    unsigned destroy_at; // this command destroys the host, 0: none
};

// A fresh folder below TMPDIR.
void engine_init(struct engine *engine, enum recoup_profile profile);
// Ends the host, closes the loop (which must have nothing left), removes the folder.
void engine_release(struct engine *engine);

// A new master: creates the host and steps START.
void engine_start(struct engine *engine);
// The master dies: the host is destroyed without a stop.
void engine_crash(struct engine *engine);
void engine_begin_crash(struct engine *engine); // only recoup_host_destroy()

int engine_initialize(struct engine *engine);
int engine_finish(struct engine *engine, uint32_t subtask); // by recoup_host_step()

// Run the loop until it is so; a test fails when it takes ENGINE_WAIT_MS.
void engine_wait_recovered(struct engine *engine); // or recovery has failed
void engine_wait_durable(struct engine *engine, uint64_t event);
void engine_wait_durable_or_lost(struct engine *engine, uint64_t event); // recording has stopped
void engine_wait_failures(struct engine *engine, unsigned n); // operations that failed
void engine_wait_lost(struct engine *engine, unsigned n);
void engine_wait_restored(struct engine *engine, unsigned n);
void engine_wait_stopped(struct engine *engine);

uint32_t engine_finished(const struct engine *engine); // how many, and that they come first

#endif
