// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "cli/signals.h"

#include <signal.h>
#include <string.h>

#include "cli/command.h"

static void ignore_once(int number)
{
    (void)number;
}

static bool watch(int number)
{
    struct sigaction action;
    sigset_t set;

    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN) {
        return false;
    }
    memset(&action, 0, sizeof(action));
    action.sa_handler = ignore_once;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0) {
        return false;
    }
    // Whoever started us may have left it blocked.
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    return true;
}

static bool came(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

void cli_signals_watch(struct cli_signals *signals)
{
    signals->interrupt = watch(SIGINT);
    signals->terminate = watch(SIGTERM);
    signals->hang_up = watch(SIGHUP);
}

bool cli_signals_came(void *signals)
{
    return cli_signals_exit(signals) != 0;
}

int cli_signals_exit(const struct cli_signals *signals)
{
    if (signals->interrupt && came(SIGINT)) {
        return CLI_INTERRUPTED;
    }
    if ((signals->terminate && came(SIGTERM)) || (signals->hang_up && came(SIGHUP))) {
        return CLI_TERMINATED;
    }
    return 0;
}
