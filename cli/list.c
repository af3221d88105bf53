// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup list`: what may stand in a scenario, and what a run is judged by.
#include <string.h>

#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/program.h"
#include "results/lists.h"
#include "scenarios/options.h"
#include "scenarios/sweep.h"

enum list_format { LIST_TEXT, LIST_JSON, LIST_MARKDOWN, LIST_SCHEMA, LIST_FORMATS };

static const char *const format_names[LIST_FORMATS] = {"text", "json", "markdown", "schema"};

struct list_kind {
    const char *name;
    uint32_t formats;                                     // bit per enum list_format
    int (*print)(FILE *out, enum scenario_format format); // text and json
};

static int print_invariants(FILE *out, enum scenario_format format)
{
    return results_list_invariants(out, format == SCENARIO_FORMAT_JSON);
}

static const struct list_kind kinds[] = {
    {"options", 15, NULL},
    {"sweep", 13, NULL},
    {"faults", 3, scenario_list_faults},
    {"invariants", 3, print_invariants},
    {"metrics", 7, scenario_list_metrics},
    {"storage", 3, scenario_list_storage},
    {"connectors", 3, scenario_list_connectors},
    {"presets", 3, scenario_list_presets},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int print_options(enum list_format format)
{
    switch (format) {
    case LIST_JSON:
        return scenario_options_print_json(stdout);
    case LIST_MARKDOWN:
        return scenario_options_print_markdown(stdout);
    case LIST_SCHEMA:
        return scenario_options_print_schema(stdout);
    case LIST_TEXT:
    case LIST_FORMATS:
        break;
    }
    return scenario_options_print_text(stdout);
}

static int print_sweep(enum list_format format)
{
    return format == LIST_MARKDOWN ? scenario_sweep_print_markdown(stdout)
           : format == LIST_SCHEMA ? scenario_sweep_print_schema(stdout)
                                   : scenario_sweep_print_keys(stdout);
}

static int print(const struct list_kind *kind, enum list_format format)
{
    if (kind->print == NULL) {
        return strcmp(kind->name, "sweep") == 0 ? print_sweep(format) : print_options(format);
    }
    if (format == LIST_MARKDOWN) {
        return results_list_metrics_markdown(stdout);
    }
    return kind->print(stdout, format == LIST_JSON ? SCENARIO_FORMAT_JSON : SCENARIO_FORMAT_TEXT);
}

static const struct list_kind *kind_find(const char *name)
{
    struct cli_nearest nearest;

    cli_nearest_init(&nearest, name);
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
        cli_nearest_offer(&nearest, kinds[i].name);
    }
    if (nearest.best != NULL) {
        cli_complain("there is no list of '%s'; did you mean '%s'?", name, nearest.best);
    } else {
        cli_complain("there is no list of '%s'; recoup list --help names them", name);
    }
    return NULL;
}

static enum list_format format_of(const struct cli_arguments *arguments)
{
    const char *name = cli_arguments_value(arguments, "format");

    for (uint32_t i = 0; name != NULL && i < LIST_FORMATS; i++) {
        if (strcmp(format_names[i], name) == 0) {
            return (enum list_format)i;
        }
    }
    return LIST_TEXT;
}

static int list_execute(const struct cli_program *program, const struct cli_arguments *arguments)
{
    const struct list_kind *kind = kind_find(arguments->words[0]);
    enum list_format format = format_of(arguments);

    (void)program;
    if (kind == NULL) {
        return CLI_USAGE;
    }
    if ((kind->formats & (1u << format)) == 0) {
        cli_complain("the list of %s has no format '%s'", kind->name, format_names[format]);
        return CLI_USAGE;
    }
    return cli_output_finish_stdio(print(kind, format) != 0);
}

static const struct cli_option list_options[] = {
    {"format", "text|json|markdown|schema", "text|json|markdown|schema", false,
     "how it is printed (text); markdown and schema: some of the lists"},
};

const struct cli_command cli_list = {
    .name = "list",
    .usage = "options|sweep|faults|invariants|metrics|storage|connectors|presets [OPTION]...",
    .summary = "Lists what may stand in a scenario and what a run is judged by.",
    .about = "  options     every key of a scenario file, with type, bounds, default and source\n"
             "  sweep       every key of a sweep file\n"
             "  faults      kinds of faults and what triggers them\n"
             "  invariants  what must hold in every run, with the hazards that may break it\n"
             "  metrics     what a run measures, for `expect` and the database\n"
             "  storage     profiles of file systems\n"
             "  connectors  sources by name\n"
             "  presets     named surroundings: deploy, restart, election, network\n\n",
    .options = list_options,
    .n_options = sizeof(list_options) / sizeof(list_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "nothing to list: recoup list options|sweep|faults|invariants|metrics|storage|"
               "connectors|presets",
    .execute = list_execute,
};
