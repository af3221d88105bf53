// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup recommend`: which point of a sweep to take.
#include <string.h>

#include "cli/output.h"
#include "cli/program.h"
#include "results/recommend.h"

static const struct cli_option recommend_options[] = {
    {"at-most", "'METRIC [mean|max|pN] VALUE'", NULL, true,
     "a bound to keep: 'delay p95 5 min' (may be repeated)"},
    {"minimize", "METRIC|PRICE", NULL, false,
     "what should be least: the mean of a metric, or a price (see above)"},
    {"sweep", "NAME", NULL, false, "which sweep of the database (the only one)"},
    {"profile", "flink-1.20|hardened", "flink-1.20|hardened", false,
     "points of this profile alone"},
    {"format", "text|json", "text|json", false, "how the answer is printed (text)"},
    {"color", "auto|never|always", "auto|never|always", false, "colours (auto; NO_COLOR counts)"},
};

static bool parse(const struct cli_arguments *arguments, struct recommend_question *question,
                  struct results_text *message)
{
    const char *minimize = cli_arguments_value(arguments, "minimize");
    bool ok = true;

    if (minimize == NULL) {
        cli_complain("nothing to minimize: --minimize METRIC, such as io-event-store-bytes");
        return false;
    }
    if (!recommend_parse_goal(minimize, &question->goal, message)) {
        cli_complain("--minimize: %s", results_text_string(message));
        ok = false;
    }
    for (uint32_t i = 0; i < arguments->n_given; i++) {
        const struct cli_given *given = &arguments->given[i];

        if (strcmp(recommend_options[given->option].name, "at-most") != 0) {
            continue;
        }
        results_text_clear(message);
        if (question->n_bounds == RECOMMEND_BOUNDS_MAX) {
            cli_complain("--at-most: at most %u bounds can be given", RECOMMEND_BOUNDS_MAX);
            return false;
        }
        if (!recommend_parse_bound(given->value, &question->bounds[question->n_bounds++],
                                   message)) {
            cli_complain("--at-most: %s", results_text_string(message));
            ok = false;
        }
    }
    return ok;
}

static int print(const struct recommendation *r, const struct cli_arguments *arguments)
{
    const char *format = cli_arguments_value(arguments, "format");
    struct results_text text;
    int code;

    results_text_init(&text);
    if (format != NULL && strcmp(format, "json") == 0) {
        recommend_json(r, &text);
    } else {
        struct results_style style;

        cli_style(&style, cli_arguments_value(arguments, "color"));
        recommend_text(r, &style, &text);
    }
    code = cli_output_result(&text);
    results_text_release(&text);
    return code;
}

static int answer(const struct cli_arguments *arguments, const struct recommend_question *question)
{
    struct recommendation r;
    int code = CLI_OUTSIDE;

    switch (recommend(&r, arguments->words[0], question)) {
    case RECOMMEND_FOUND:
        code = print(&r, arguments);
        break;
    case RECOMMEND_NO_POINT:
        code = cli_worse(CLI_FAILED, print(&r, arguments));
        break;
    case RECOMMEND_USAGE:
        cli_complain("%s", results_text_string(&r.database.message));
        code = CLI_USAGE;
        break;
    case RECOMMEND_OUTSIDE:
        cli_complain("%s", results_text_string(&r.database.message));
        break;
    }
    recommendation_release(&r);
    return code;
}

static int recommend_execute(const struct cli_program *program,
                             const struct cli_arguments *arguments)
{
    struct recommend_question question;
    struct results_text message;
    int code = CLI_USAGE;

    (void)program;
    memset(&question, 0, sizeof(question));
    results_text_init(&message);
    question.sweep = cli_arguments_value(arguments, "sweep");
    question.profile = cli_arguments_value(arguments, "profile");
    if (parse(arguments, &question, &message)) {
        code = answer(arguments, &question);
    }
    results_text_release(&message);
    return code;
}

const struct cli_command cli_recommend = {
    .name = "recommend",
    .usage = "DB --minimize METRIC|PRICE [--at-most 'METRIC [mean|max|pN] VALUE']...",
    .summary = "Says which point of a sweep to take, and how sure that is.",
    .about =
        "Of the points in which every run finishes and all bounds are kept, the one with the\n"
        "least of what is minimized; with its neighbours, what matters for it, and the lines for\n"
        "Flink's config.yaml. A PRICE adds metrics up: 'io-cost-nanousd + lost-work * 0.05 usd/h\n"
        "+ io-event-store-bytes * 0.02 usd/gb'. Exit code 1: no point keeps the bounds; the\n"
        "nearest is named, with the cause that stands in the way. The database is only read.\n\n",
    .options = recommend_options,
    .n_options = sizeof(recommend_options) / sizeof(recommend_options[0]),
    .words_min = 1,
    .words_max = 1,
    .missing = "no database given: recoup recommend DB --minimize METRIC",
    .execute = recommend_execute,
};
