// SPDX-License-Identifier: Apache-2.0
//
// Does a host keep its duties? recoup_host_check() puts any host's storage through what a job may
// ask of it, crashes included, and runs a small job on it: D2, D3, D4 and the declared
// capabilities. The duties of the engine around it (D1, D5 to D13) are watched by struct
// recoup_duties (duties.h), while it runs whatever it runs.
#ifndef RECOUP_RECOVERY_TESTING_HOST_CHECK_H
#define RECOUP_RECOVERY_TESTING_HOST_CHECK_H

#include "recovery/recoup.h"

#define RECOUP_HOST_FINDINGS_MAX 32u

struct recoup_checked_host {
    void *context;
    struct recoup_storage storage; // what the host declares
    // Carries the operation out, waits for its end, and gives the IO event that would be stepped;
    // what it points to is valid until the next call.
    void (*perform)(void *context, const struct recoup_action *action, struct recoup_event *event);
    // The process dies (better: the machine), and a new one comes: what the declared capabilities
    // do not make durable may be gone, and no file is open. NULL: crashes are not checked, which
    // the report says.
    void (*crash)(void *context);
    // An empty storage, without the store's directory, whatever was there.
    void (*reset)(void *context);
};

struct recoup_host_finding {
    unsigned duty;    // 4: D4 is broken
    const char *text; // a sentence: which operation did what, and what it should do
    enum recoup_action_type operation; // the last one performed
    int error;                         // that it reported
};

struct recoup_host_report {
    uint32_t n; // findings; more than the maximum are counted only
    struct recoup_host_finding findings[RECOUP_HOST_FINDINGS_MAX];
    uint32_t operations; // performed
    bool crashes_checked;
};

// Fills the report. Returns 0 if the check could be made (with or without findings), RECOUP_ENOMEM
// or RECOUP_EINVAL.
int recoup_host_check(const struct recoup_checked_host *host,
                      const struct recoup_allocator *allocator, struct recoup_host_report *report);

#endif
