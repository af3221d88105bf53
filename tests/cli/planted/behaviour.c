// SPDX-License-Identifier: GPL-3.0-or-later
//
// A planted change of behaviour, as a careless commit would make it: the pause between snapshots is
// ten times as long as it was told to be. Linked in front of recoup_create with --wrap.
#include "recovery/recoup.h"

int __real_recoup_create(const struct recoup_config *config, struct recoup_job **job);
int __wrap_recoup_create(const struct recoup_config *config, struct recoup_job **job);

int __wrap_recoup_create(const struct recoup_config *config, struct recoup_job **job)
{
    struct recoup_config planted = *config;
    struct recoup_options options = *config->options;

    options.snapshot_min_pause_ns *= 10;
    planted.options = &options;
    return __real_recoup_create(&planted, job);
}
