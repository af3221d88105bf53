// SPDX-License-Identifier: GPL-3.0-or-later
//
// SIGINT, SIGTERM and SIGHUP during a run, without a global: the handler does nothing and is
// installed for one signal (SA_RESETHAND), so that the disposition itself tells whether the signal
// has come. A second one then ends the program at once. SIGHUP, which a closed terminal sends,
// means what SIGTERM means.
#ifndef RECOUP_CLI_SIGNALS_H
#define RECOUP_CLI_SIGNALS_H

#include <stdbool.h>

struct cli_signals {
    bool interrupt; // SIGINT is watched (it was not ignored when the program started)
    bool terminate; // the same of SIGTERM
    bool hang_up;   // the same of SIGHUP
};

void cli_signals_watch(struct cli_signals *signals);
// True once a watched signal has come; for model_run_options.interrupted.
bool cli_signals_came(void *signals);
// CLI_INTERRUPTED, CLI_TERMINATED (SIGTERM or SIGHUP), or 0 when none has come.
int cli_signals_exit(const struct cli_signals *signals);

#endif
