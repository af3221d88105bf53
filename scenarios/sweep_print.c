// SPDX-License-Identifier: GPL-3.0-or-later
//
// A sweep before it runs: axes, points, and the command that repeats one.
#include <inttypes.h>
#include <string.h>

#include "scenarios/sweep_parts.h"

#define VALUES_SHOWN 12u // then "..." and the last

static void print_values(const struct scenario_axis *axis, FILE *out)
{
    for (uint32_t i = 0; i < axis->n_values; i++) {
        if (axis->n_values > VALUES_SHOWN && i == VALUES_SHOWN - 2) {
            fputs(", ...", out);
            i = axis->n_values - 1;
        }
        fprintf(out, "%s%s", i == 0 ? "" : ", ", axis->values[i].label);
    }
}

int scenario_sweep_print_axes(const struct scenario_sweep *sweep, FILE *out)
{
    size_t width = 0;
    for (uint32_t a = 0; a < sweep->n_axes; a++) {
        size_t size = strlen(sweep->axes[a].name);
        width = size > width ? size : width;
    }
    for (uint32_t a = 0; a < sweep->n_axes; a++) {
        const struct scenario_axis *axis = &sweep->axes[a];
        fprintf(out, "%-*s  %" PRIu32 " %s: ", (int)width, axis->name, axis->n_values,
                axis->sampled         ? "samples"
                : axis->n_values == 1 ? "value"
                                      : "values");
        print_values(axis, out);
        fputs("\n", out);
    }
    return ferror(out) != 0 ? -1 : 0;
}

int scenario_sweep_print_points(const struct scenario_sweep *sweep, uint32_t from, uint32_t to,
                                FILE *out)
{
    for (uint32_t i = from; i < to && i < sweep->n_points; i++) {
        fprintf(out, "%s\n", sweep->points[i].label);
    }
    return ferror(out) != 0 ? -1 : 0;
}

// --- the command ---------------------------------------------------------------------------------

struct output {
    char *text;
    size_t size, wanted;
};

static void put(struct output *out, const char *text)
{
    for (; *text != '\0'; text++, out->wanted++) {
        if (out->wanted + 1 < out->size) {
            out->text[out->wanted] = *text;
        }
    }
}

// Between quotes unless a shell reads the word as it is.
static void put_word(struct output *out, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./=:,@%+";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        put(out, word);
        return;
    }
    put(out, "'");
    for (; *word != '\0'; word++) {
        const char letter[2] = {*word, '\0'};
        put(out, *word == '\'' ? "'\\''" : letter);
    }
    put(out, "'");
}

size_t scenario_point_command(const struct scenario_point *point, uint64_t seed, char *text,
                              size_t size)
{
    struct output out = {text, size, 0};
    char number[24];
    put(&out, "run ");
    put_word(&out, point->scenario);
    for (uint32_t i = 0; i < point->n_sets; i++) {
        put(&out, " --set ");
        put_word(&out, point->sets[i]);
    }
    (void)snprintf(number, sizeof(number), "%" PRIu64, seed);
    put(&out, " --seed ");
    put(&out, number);
    if (size > 0) {
        text[out.wanted < size ? out.wanted : size - 1] = '\0';
    }
    return out.wanted;
}
