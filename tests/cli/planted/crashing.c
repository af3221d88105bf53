// SPDX-License-Identifier: GPL-3.0-or-later
//
// A planted crash: the process dies when it runs the scenario that is named crash. Linked in front
// of model_run_pair with --wrap.
#include <stdlib.h>
#include <string.h>

#include "models/run.h"

int __real_model_run_pair(const struct model_config *config,
                          const struct model_run_options *options, struct sim_arena *arena,
                          struct model_result *result, int64_t *faultless_makespan_ns);
int __wrap_model_run_pair(const struct model_config *config,
                          const struct model_run_options *options, struct sim_arena *arena,
                          struct model_result *result, int64_t *faultless_makespan_ns);

int __wrap_model_run_pair(const struct model_config *config,
                          const struct model_run_options *options, struct sim_arena *arena,
                          struct model_result *result, int64_t *faultless_makespan_ns)
{
    if (strcmp(config->name, "crash") == 0) {
        abort();
    }
    return __real_model_run_pair(config, options, arena, result, faultless_makespan_ns);
}
