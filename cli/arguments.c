// SPDX-License-Identifier: GPL-3.0-or-later
//
// The parser of command lines. Not getopt_long: that accepts abbreviations, prints messages of its
// own, permutes arguments by library, and keeps its place in globals.
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/nearest.h"

static uint32_t option_find(const struct cli_command *command, const char *name, size_t size)
{
    for (uint32_t i = 0; i < command->n_options; i++) {
        const char *known = command->options[i].name;

        if (strlen(known) == size && memcmp(known, name, size) == 0) {
            return i;
        }
    }
    return command->n_options;
}

// A name of one letter is given with one dash.
static const char *dashes(const char *name)
{
    return name[1] == '\0' ? "-" : "--";
}

static bool is_choice(const char *choices, const char *value)
{
    size_t size = strlen(value);

    while (*choices != '\0') {
        size_t n = strcspn(choices, "|");

        if (n == size && memcmp(choices, value, n) == 0) {
            return true;
        }
        choices += n + (choices[n] == '|' ? 1 : 0);
    }
    return false;
}

// "text, json or markdown".
static void add_choices(struct results_text *text, const char *choices)
{
    while (*choices != '\0') {
        size_t n = strcspn(choices, "|");
        const char *next = choices + n + (choices[n] == '|' ? 1 : 0);

        results_text_bytes(text, choices, n);
        if (*next != '\0') {
            results_text_add(text, strchr(next, '|') != NULL ? ", " : " or ");
        }
        choices = next;
    }
}

static void unknown_option(const struct cli_command *command, const char *name, size_t size,
                           struct results_text *errors)
{
    struct cli_nearest nearest;
    char typed[CLI_NEAREST_SIZE];

    size = size < sizeof(typed) - 1 ? size : sizeof(typed) - 1;
    memcpy(typed, name, size);
    typed[size] = '\0';
    cli_nearest_init(&nearest, typed);
    for (uint32_t i = 0; i < command->n_options; i++) {
        if (command->options[i].name[1] != '\0') {
            cli_nearest_offer(&nearest, command->options[i].name);
        }
    }
    cli_nearest_offer(&nearest, "help");
    results_text_format(errors, "unknown option '--%s'", typed);
    if (nearest.best != NULL) {
        results_text_format(errors, "; did you mean '--%s'?\n", nearest.best);
    } else {
        results_text_format(errors, "; see recoup %s --help\n", command->name);
    }
}

static bool already_given(const struct cli_arguments *arguments, uint32_t option)
{
    for (uint32_t i = 0; i < arguments->n_given; i++) {
        if (arguments->given[i].option == option) {
            return true;
        }
    }
    return false;
}

static void option_add(struct cli_arguments *arguments, uint32_t index, const char *value,
                       struct results_text *errors)
{
    const struct cli_option *option = &arguments->command->options[index];

    if (!option->repeats && already_given(arguments, index)) {
        results_text_format(errors, "option '%s%s' is given twice; once is enough\n",
                            dashes(option->name), option->name);
        return;
    }
    if (option->choices != NULL && !is_choice(option->choices, value)) {
        results_text_format(errors, "%s%s: expected ", dashes(option->name), option->name);
        add_choices(errors, option->choices);
        results_text_format(errors, ", found '%s'\n", value);
        return;
    }
    arguments->given[arguments->n_given].option = index;
    arguments->given[arguments->n_given].value = value;
    arguments->n_given++;
}

// True when the word is an option of the command, so that it was hardly meant as a value.
static bool looks_like_option(const struct cli_command *command, const char *word)
{
    if (word[0] == '-' && word[1] != '-' && word[1] != '\0') {
        return option_find(command, word + 1, 1) < command->n_options;
    }
    return strncmp(word, "--", 2) == 0 &&
           (word[2] == '\0' ||
            option_find(command, word + 2, strcspn(word + 2, "=")) < command->n_options);
}

static int parse_value(struct cli_arguments *arguments, uint32_t index, const char *value, int i,
                       int argc, char **argv, struct results_text *errors)
{
    const struct cli_option *option = &arguments->command->options[index];

    if (value != NULL) {
        option_add(arguments, index, value, errors);
    } else if (i + 1 >= argc || looks_like_option(arguments->command, argv[i + 1])) {
        results_text_format(errors, "option '%s%s' needs a value: %s%s %s\n", dashes(option->name),
                            option->name, dashes(option->name), option->name, option->argument);
    } else {
        option_add(arguments, index, argv[++i], errors);
    }
    return i;
}

// `-j 4` or `-j4`.
static int parse_letter(struct cli_arguments *arguments, int i, int argc, char **argv,
                        struct results_text *errors)
{
    const struct cli_command *command = arguments->command;
    uint32_t index = option_find(command, argv[i] + 1, 1);

    if (index == command->n_options || command->options[index].argument == NULL) {
        results_text_format(errors, "unknown option '%s'; see recoup %s --help\n", argv[i],
                            command->name);
        return i;
    }
    return parse_value(arguments, index, argv[i][2] != '\0' ? argv[i] + 2 : NULL, i, argc, argv,
                       errors);
}

// Parses the option at argv[i]. Returns the index of the last word that belongs to it.
static int parse_option(struct cli_arguments *arguments, int i, int argc, char **argv,
                        struct results_text *errors)
{
    const struct cli_command *command = arguments->command;
    const char *name = argv[i] + 2;
    size_t size = strcspn(name, "=");
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    uint32_t index = size == 1 ? command->n_options : option_find(command, name, size);

    if (strcmp(name, "help") == 0) {
        arguments->help = true;
    } else if (index == command->n_options) {
        unknown_option(command, name, size, errors);
    } else if (command->options[index].argument == NULL) {
        if (value != NULL) {
            results_text_format(errors, "option '--%.*s' takes no value\n", (int)size, name);
        } else {
            option_add(arguments, index, "", errors);
        }
    } else {
        i = parse_value(arguments, index, value, i, argc, argv, errors);
    }
    return i;
}

static void check_words(const struct cli_arguments *arguments, struct results_text *errors)
{
    const struct cli_command *command = arguments->command;

    if (arguments->n_words < command->words_min) {
        results_text_format(errors, "%s; see recoup %s --help\n", command->missing, command->name);
    }
    for (uint32_t i = command->words_max; i < arguments->n_words; i++) {
        results_text_format(errors, "unexpected argument '%s'; see recoup %s --help\n",
                            arguments->words[i], command->name);
    }
}

bool cli_arguments_parse(struct cli_arguments *arguments, const struct cli_command *command,
                         int argc, char **argv, struct results_text *errors)
{
    bool options = true;

    memset(arguments, 0, sizeof(*arguments));
    arguments->command = command;
    if (argc < 0 || (uint32_t)argc > CLI_ARGUMENTS_MAX) {
        results_text_format(errors, "more than %u arguments\n", CLI_ARGUMENTS_MAX);
        return false;
    }
    arguments->words = calloc((size_t)argc + 1, sizeof(*arguments->words));
    arguments->given = calloc((size_t)argc + 1, sizeof(*arguments->given));
    if (arguments->words == NULL || arguments->given == NULL) {
        results_text_add(errors, "out of memory\n");
        return false;
    }
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            i = parse_option(arguments, i, argc, argv, errors);
        } else if (options && strcmp(argv[i], "-h") == 0) {
            arguments->help = true;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            i = parse_letter(arguments, i, argc, argv, errors);
        } else {
            arguments->words[arguments->n_words++] = argv[i];
        }
    }
    if (!arguments->help) {
        check_words(arguments, errors);
    }
    return arguments->help || (errors->size == 0 && !errors->failed);
}

void cli_arguments_release(struct cli_arguments *arguments)
{
    free(arguments->words);
    free(arguments->given);
    memset(arguments, 0, sizeof(*arguments));
}

const char *cli_arguments_value(const struct cli_arguments *arguments, const char *name)
{
    uint32_t index = option_find(arguments->command, name, strlen(name));

    for (uint32_t i = 0; i < arguments->n_given; i++) {
        if (arguments->given[i].option == index) {
            return arguments->given[i].value;
        }
    }
    return NULL;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

bool cli_parse_seed(const char *text, uint64_t *seed)
{
    uint64_t base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    uint64_t value = 0;

    text += base == 16 ? 2 : 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)digit_value(*text);

        if (digit >= base || value > ((uint64_t)INT64_MAX - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    *seed = value;
    return true;
}
